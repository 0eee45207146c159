//! The plugin and the layout that this program carries inside.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use kdl::{KdlDocument, KdlNode};

use crate::kdl_text::{Unparsed, parse};
use crate::places::{Places, write_whole};

/// The plugin, if this program was built with it.
#[cfg(stui_plugin)]
pub const PLUGIN: Option<&[u8]> = Some(include_bytes!(env!("STUI_PLUGIN_FILE")));
/// The plugin, if this program was built with it.
#[cfg(not(stui_plugin))]
pub const PLUGIN: Option<&[u8]> = None;

/// The layout of `stui up`, with `{{plugin}}` and `{{stui}}` still to be filled in.
pub const LAYOUT: &str = include_str!("../../layouts/stui.kdl");

/// What is said by commands that need the plugin when it is not there.
pub const NO_PLUGIN: &str =
    "this stui was built without its Zellij plugin; build it with `cargo xtask build`";

/// Why the plugin is not in place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// This program has none.
    #[error("{NO_PLUGIN}")]
    NoPlugin,
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Writes the plugin to its place, unless the same lies there, and answers its address. The place is
/// always the same, because Zellij grants permissions by it.
///
/// # Errors
/// If there is no plugin, or the disk says no.
pub fn install(places: &Places) -> Result<String, InstallError> {
    let plugin = PLUGIN.ok_or(InstallError::NoPlugin)?;
    let path = places.plugin();
    let same = std::fs::read(&path).is_ok_and(|found| found == plugin);
    if !same {
        write_whole(&path, plugin).map_err(|source| InstallError::Write {
            path: path.clone(),
            source,
        })?;
    }
    Ok(address(&path))
}

/// The address of a plugin's file, as Zellij names it.
pub fn address(path: &Path) -> String {
    format!("file:{}", path.display())
}

/// A layout with the plugin's address and the path of the `stui` program filled in.
pub fn fill_in(layout: &str, plugin: &str, stui: &Path) -> String {
    layout
        .replace("{{plugin}}", &escaped(plugin))
        .replace("{{stui}}", &escaped(&stui.display().to_string()))
}

/// Nodes of a layout and its keys that name a plugin in a property or as their first value.
const NAME_PLUGINS: [&str; 4] = [
    "plugin",
    "LaunchOrFocusPlugin",
    "LaunchPlugin",
    "MessagePlugin",
];

/// A layout with these settings in every configuration of the plugin at an address. What the layout
/// itself says about a setting stays.
///
/// A pane and whoever talks to it must agree on the whole configuration, so panes and keys get the same.
///
/// # Errors
/// If the layout is not KDL.
pub fn with_settings(
    layout: String,
    plugin: &str,
    settings: &[(String, String)],
) -> Result<String, LayoutError> {
    if settings.is_empty() {
        return Ok(layout);
    }
    let document = parse(&layout).map_err(|error| {
        let (offset, reason) = match error {
            Unparsed::Kdl(error) => {
                let reason = error.label.unwrap_or("something else was expected");
                (error.span.offset(), reason.to_owned())
            }
            Unparsed::TooDeep { offset } => (offset, error.to_string()),
            Unparsed::System(error) => (0, error.to_string()),
        };
        let before = layout.get(..offset).unwrap_or_default();
        LayoutError {
            line: before.matches('\n').count() + 1,
            reason,
        }
    })?;
    let mut additions = Vec::new();
    find_plugins(&document, plugin, settings, &mut additions);
    // From the end, so that the places before stay right.
    additions.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let mut layout = layout;
    for (at, text) in additions {
        layout.insert_str(at, &text);
    }
    Ok(layout)
}

/// A layout that is not KDL.
#[derive(Debug, thiserror::Error)]
#[error("its line {line} is not KDL: {reason}; mend it")]
pub struct LayoutError {
    line: usize,
    reason: String,
}

fn find_plugins(
    document: &KdlDocument,
    plugin: &str,
    settings: &[(String, String)],
    additions: &mut Vec<(usize, String)>,
) {
    for node in document.nodes() {
        // An alias has a name of its own, and the address as its location.
        let names_plugins = NAME_PLUGINS.contains(&node.name().value());
        let names_it = node.entries().iter().any(|entry| {
            let is_address = match entry.name() {
                Some(name) => name.value() == "location",
                None => names_plugins,
            };
            is_address && entry.value().as_string() == Some(plugin)
        });
        if names_it {
            additions.extend(addition(node, settings));
        }
        if let Some(children) = node.children() {
            find_plugins(children, plugin, settings, additions);
        }
    }
}

/// What is to be inserted for a plugin, and where.
fn addition(node: &KdlNode, settings: &[(String, String)]) -> Option<(usize, String)> {
    let children = node.children();
    let has = |key: &str| children.is_some_and(|children| children.get(key).is_some());
    let mut text = String::new();
    for (key, value) in settings.iter().filter(|(key, _)| !has(key)) {
        // Writing to memory cannot fail.
        let _ = write!(text, " {key} \"{}\";", escaped(value));
    }
    match children {
        _ if text.is_empty() => None,
        // The span of what is in braces begins behind the first one.
        Some(children) => Some((children.span().offset(), text)),
        None => {
            let last = node.entries().last()?.span();
            Some((last.offset() + last.len(), format!(" {{{text} }}")))
        }
    }
}

/// A text as it stands between quotes in KDL.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_kdl_once_it_is_filled_in_with_any_path() {
        let stui = Path::new(r#"/opt/a "quoted" \path/stui"#);
        let layout = fill_in(LAYOUT, "file:/p/stui.wasm", stui);
        assert!(!layout.contains("{{"));
        let document: kdl::KdlDocument = layout.parse().unwrap();
        assert!(document.get("layout").is_some());
        assert!(layout.contains(r#"stui "/opt/a \"quoted\" \\path/stui""#));
    }

    fn settings() -> Vec<(String, String)> {
        [("theme", "zellij"), ("bind_print_it", "Ctrl \\ | F6")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .to_vec()
    }

    /// The configurations of all plugins at an address, in order.
    fn configurations(document: &KdlDocument, plugin: &str, found: &mut Vec<String>) {
        for node in document.nodes() {
            let mut values = node.entries().iter().map(|entry| entry.value().as_string());
            let names_it = values.any(|value| value == Some(plugin));
            let is_alias = node.get("location").is_some();
            if names_it && (is_alias || NAME_PLUGINS.contains(&node.name().value())) {
                let children = node.children().map(KdlDocument::nodes).unwrap_or_default();
                let mut all: Vec<String> = children
                    .iter()
                    .map(|node| format!("{} {}", node.name().value(), node.entries()[0].value()))
                    .collect();
                all.sort();
                found.push(all.join(", "));
            }
            if let Some(children) = node.children() {
                configurations(children, plugin, found);
            }
        }
    }

    #[test]
    fn settings_go_into_every_configuration_of_the_plugin_and_only_there() {
        let plugin = "file:/p/stui.wasm";
        let before = fill_in(LAYOUT, plugin, Path::new("/opt/stui"));
        let after = with_settings(before.clone(), plugin, &settings()).unwrap();
        let read = |text: &str, plugin| {
            let mut found = Vec::new();
            configurations(&text.parse().unwrap(), plugin, &mut found);
            found
        };
        let (old, new) = (read(&before, plugin), read(&after, plugin));
        assert!(old.len() >= 6 && old.len() == new.len());
        for (old, new) in old.iter().zip(&new) {
            assert_eq!(
                new.replace(", theme \"zellij\"", "")
                    .replace(r#"bind_print_it "Ctrl \\ | F6", "#, ""),
                *old
            );
            assert!(
                new.contains("theme") && new.contains("bind_print_it"),
                "{new}"
            );
        }
        let others = read(&after, "tab-bar");
        assert!(!others.is_empty(), "there are other plugins");
        assert_eq!(others, read(&before, "tab-bar"), "which are left alone");
        assert_eq!(with_settings(before.clone(), plugin, &[]).unwrap(), before);
    }

    #[test]
    fn what_a_layout_says_itself_stays() {
        let plugin = "file:/p.wasm";
        let layout = format!(
            "layout {{\n  pane {{ plugin location=\"{plugin}\" {{ role \"workspace\"; theme \"terminal\"; }}; }}\n  pane {{\n    plugin location=\"{plugin}\" // none\n  }}\n}}"
        );
        let after = with_settings(layout, plugin, &settings()[..1]).unwrap();
        let mut found = Vec::new();
        configurations(&after.parse().unwrap(), plugin, &mut found);
        assert_eq!(
            found,
            ["role \"workspace\", theme \"terminal\"", "theme \"zellij\""]
        );
    }

    #[test]
    fn a_layout_that_is_no_kdl_is_refused_with_its_line() {
        let refused = with_settings("layout {\n  pane \"half\n}".into(), "p", &settings());
        let error = refused.unwrap_err().to_string();
        assert!(error.starts_with("its line "), "{error}");
    }
}

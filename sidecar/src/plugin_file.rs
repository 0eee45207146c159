//! The plugin and the layout that this program carries inside.

use std::io;
use std::path::{Path, PathBuf};

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
}

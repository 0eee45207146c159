//! What the plugin may do: Zellij asks for it in the pane, or finds it in its file of grants.
//!
//! The file is `permissions.kdl` in Zellij's cache: a node a plugin, named by the plugin's path, with
//! a child a permission. Zellij reads it when a server starts.

use std::io;
use std::path::{Path, PathBuf};

use kdl::{KdlDocument, KdlNode};

use crate::config::Theme;
use crate::places::write_whole;

/// What the plugin always asks for, and what it does with it.
const WANTED: [(&str, &str); 3] = [
    (
        "ReadCliPipes",
        "to talk to the sidecar, the process that holds your text and the connection to Smalltalk",
    ),
    (
        "RunCommands",
        "to start the sidecar (the command `stui sidecar`, nothing else)",
    ),
    ("WriteToClipboard", "to copy what you select"),
];

/// What it asks for with `theme "zellij"`, too.
const FOR_THEME: (&str, &str) = (
    "ReadApplicationState",
    "to know the colours of Zellij's theme",
);

/// What the plugin asks for, and what it does with it.
pub fn wanted(theme: Theme) -> Vec<(&'static str, &'static str)> {
    let for_theme = (theme == Theme::Zellij).then_some(FOR_THEME);
    WANTED.into_iter().chain(for_theme).collect()
}

/// Why grants could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PermissionsError {
    /// The disk said no.
    #[error("cannot use {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not what Zellij writes.
    #[error("{} is not KDL; mend or remove it", .0.display())]
    Garbled(PathBuf),
}

/// Which of the permissions are not granted to a plugin.
///
/// # Errors
/// If the file cannot be read.
pub fn missing(
    file: &Path,
    plugin: &Path,
    wanted: &[(&'static str, &str)],
) -> Result<Vec<&'static str>, PermissionsError> {
    let document = read(file)?;
    let granted = document.get(&plugin.display().to_string());
    Ok(wanted
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| !granted.is_some_and(|node| has(node, name)))
        .collect())
}

/// Grants a plugin its permissions; what else is in the file stays as it is.
///
/// # Errors
/// If the file cannot be read or written.
pub fn grant(
    file: &Path,
    plugin: &Path,
    wanted: &[(&'static str, &str)],
) -> Result<(), PermissionsError> {
    let mut document = read(file)?;
    let name = plugin.display().to_string();
    if document.get(&name).is_none() {
        document.nodes_mut().push(KdlNode::new(name.clone()));
    }
    if let Some(node) = document.get_mut(&name) {
        for (permission, _) in wanted {
            if !has(node, permission) {
                node.ensure_children()
                    .nodes_mut()
                    .push(KdlNode::new(*permission));
            }
        }
        node.fmt();
    }
    write_whole(file, document.to_string().as_bytes()).map_err(|source| PermissionsError::Io {
        path: file.to_owned(),
        source,
    })
}

fn has(node: &KdlNode, permission: &str) -> bool {
    node.children()
        .is_some_and(|children| children.get(permission).is_some())
}

fn read(file: &Path) -> Result<KdlDocument, PermissionsError> {
    match std::fs::read_to_string(file) {
        Ok(text) => {
            crate::kdl_text::parse(&text).map_err(|_| PermissionsError::Garbled(file.to_owned()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(KdlDocument::new()),
        Err(source) => Err(PermissionsError::Io {
            path: file.to_owned(),
            source,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_adds_what_is_missing_and_leaves_the_rest_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cache/permissions.kdl");
        let plugin = Path::new("/data/stui dir/stui.wasm");
        let wanted = wanted(Theme::Zellij);
        assert_eq!(missing(&file, plugin, &wanted).unwrap().len(), 4);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let other = "\"/other.wasm\" {\n    WebAccess\n}\n";
        let before = format!("{other}\"/data/stui dir/stui.wasm\" {{\n    OpenFiles\n}}\n");
        std::fs::write(&file, before).unwrap();
        grant(&file, plugin, &wanted).unwrap();
        assert!(missing(&file, plugin, &wanted).unwrap().is_empty());
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.starts_with(other), "{text}");
        assert!(text.contains("OpenFiles"), "{text}");
        grant(&file, plugin, &wanted).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    }

    #[test]
    fn a_garbled_file_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("permissions.kdl");
        std::fs::write(&file, "\"half").unwrap();
        let refused = grant(&file, Path::new("/p.wasm"), &WANTED);
        assert!(matches!(refused, Err(PermissionsError::Garbled(_))));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "\"half");
    }
}

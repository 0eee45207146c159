//! The plugin's configuration: what the layout says about a pane.

use std::collections::BTreeMap;

use stui_protocol::command::{BIND, THEME_KEY};
use stui_protocol::pane::{ROLE_KEY, Role, SESSION_KEY, STUI_KEY};

use crate::command::{Keymap, TABLE};
use crate::io::Permission;

/// Key that says what a pane does when its work is done: `hide` for one that floats.
const AFTERWARDS: &str = "afterwards";
/// Key of a pane in which nothing can be changed.
const READ_ONLY: &str = "read_only";

/// A pane's configuration, read.
#[derive(Debug)]
pub struct Settings {
    /// What the pane shows.
    pub role: Role,
    /// Name of the session that it shows whatever the others show.
    pub session: Option<String>,
    /// Whether the pane hides when its work is done.
    pub hides: bool,
    /// Its keys.
    pub keymap: Keymap,
    /// Whether colours come from Zellij's theme instead of the terminal.
    pub zellij_theme: bool,
    /// Whether the pane only shows: nothing that it shares with others is changed or evaluated in it.
    pub read_only: bool,
    /// What is wrong with the configuration, a sentence each.
    pub problems: Vec<String>,
}

impl Settings {
    /// Read a configuration; what is wrong with it is said, and the default taken.
    pub fn read(configuration: &BTreeMap<String, String>) -> Settings {
        let mut problems = Vec::new();
        let role = match configuration.get(ROLE_KEY) {
            None => Role::Workspace,
            Some(word) => Role::from_word(word).unwrap_or_else(|| {
                problems.push(format!(
                    "The layout gives this pane the role `{word}`; \
                     there are workspace, inspector, transcript, sessions and debugger."
                ));
                Role::Workspace
            }),
        };
        if configuration.contains_key(STUI_KEY) {
            for (key, value) in configuration {
                if value.contains(',') {
                    problems.push(format!(
                        "The layout's `{key}` has a comma, which Zellij's pipes cannot carry."
                    ));
                }
            }
        }
        let rebound = |name: &str| configuration.get(&format!("{BIND}{name}")).cloned();
        let (keymap, unknown) = Keymap::new(role, rebound);
        problems.extend(unknown.iter().map(|key| format!("In the layout, {key}.")));
        for key in configuration.keys() {
            if let Some(name) = key.strip_prefix(BIND)
                && !TABLE.iter().any(|entry| entry.name == name)
            {
                problems.push(format!("The layout binds `{name}`, which is no command."));
            }
        }
        let zellij_theme = match configuration.get(THEME_KEY).map(String::as_str) {
            None | Some("terminal") => false,
            Some("zellij") => true,
            Some(word) => {
                problems.push(format!(
                    "The layout's theme `{word}` is unknown; there are terminal and zellij."
                ));
                false
            }
        };
        let read_only = match configuration.get(READ_ONLY).map(String::as_str) {
            None | Some("false") => false,
            Some("true") => true,
            Some(word) => {
                problems.push(format!(
                    "The layout's read_only `{word}` is neither true nor false; \
                     this pane only shows until it is mended."
                ));
                true
            }
        };
        Settings {
            role,
            hides: configuration
                .get(AFTERWARDS)
                .is_some_and(|word| word == "hide"),
            session: configuration.get(SESSION_KEY).cloned(),
            keymap,
            zellij_theme,
            read_only,
            problems,
        }
    }

    /// What the pane has to ask for.
    pub fn permissions(&self) -> Vec<Permission> {
        let mut permissions = vec![
            Permission::Pipes,
            Permission::Commands,
            Permission::Clipboard,
        ];
        if self.zellij_theme {
            permissions.push(Permission::Theme);
        }
        permissions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Settings {
        let pairs = pairs.iter();
        Settings::read(
            &pairs
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn what_is_wrong_is_said_and_the_default_taken() {
        let settings = read(&[
            ("role", "browser"),
            ("theme", "dark"),
            ("bind_do_it", "Hyper d"),
            ("bind_fly", "F5"),
        ]);
        assert_eq!(settings.role, Role::Workspace);
        assert!(!settings.zellij_theme);
        assert_eq!(settings.problems.len(), 4, "{:?}", settings.problems);
    }

    #[test]
    fn a_pane_that_may_be_meant_to_only_show_does_not_do_more() {
        assert!(!read(&[("role", "workspace")]).read_only);
        assert!(!read(&[("read_only", "false")]).read_only);
        assert!(read(&[("read_only", "true")]).read_only);
        let settings = read(&[("read_only", "yes")]);
        assert!(settings.read_only);
        assert_eq!(settings.problems.len(), 1);
    }

    #[test]
    fn the_theme_costs_a_permission_only_where_it_is_wanted() {
        assert_eq!(read(&[("role", "transcript")]).permissions().len(), 3);
        let settings = read(&[("role", "transcript"), ("theme", "zellij")]);
        assert_eq!(settings.permissions().len(), 4);
        assert_eq!(settings.problems, [""; 0]);
    }
}

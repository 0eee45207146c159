//! Sessions and images as they are listed and commanded, by the pane for them and from the command line.

use serde::{Deserialize, Serialize};

use crate::pane::{Link, SessionKey};

/// Longest name of a session or an image, in characters.
pub const MAX_NAME: usize = 32;

/// What is wrong with a name for a session or an image, in a sentence; none if it is good.
pub fn wrong_with_name(name: &str) -> Option<String> {
    let good = !name.is_empty()
        && name.chars().count() <= MAX_NAME
        && name.trim() == name
        && !name.starts_with('-')
        && !name.chars().any(|c| c.is_control() || c == ',' || c == '/');
    (!good).then(|| {
        format!(
            "{name:?} cannot be a name: use 1 to {MAX_NAME} letters, digits, blanks and dashes."
        )
    })
}

/// What is done with sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum SessionCommand {
    /// Make one, and switch to it if a pane says so.
    New {
        /// Its name; empty: one is made up.
        name: String,
        /// Name of its image; none: the one for new sessions.
        image: Option<String>,
    },
    /// Give one another name.
    Rename {
        /// Which.
        session: SessionKey,
        /// Its new name.
        name: String,
    },
    /// Close one, with its text.
    Close {
        /// Which.
        session: SessionKey,
    },
    /// Bring one to another image, where it has no variables yet.
    Move {
        /// Which.
        session: SessionKey,
        /// Name of the image; none: the next one.
        image: Option<String>,
    },
    /// Make one the current session of the client.
    Switch {
        /// Which.
        session: SessionKey,
    },
    /// Evaluate again what a lost server had evaluated for this session.
    RunAgain {
        /// Which.
        session: SessionKey,
    },
}

/// All sessions and images.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SessionList {
    /// The sessions, in the order in which they were made.
    pub sessions: Vec<SessionRow>,
    /// The images, the one for new sessions first.
    pub images: Vec<ImageRow>,
}

/// A session in a list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SessionRow {
    /// Names it for ever.
    pub key: SessionKey,
    /// Its name.
    pub name: String,
    /// Name of its image.
    pub image: String,
    /// The link to the image.
    pub link: Link,
    /// How many evaluations run or wait.
    pub running: u32,
    /// How many debuggers are open.
    pub debuggers: u32,
    /// When it was last used, in seconds since 1970; 0: never.
    pub used: u64,
    /// The clients that show it, by their numbers.
    pub viewers: Vec<u16>,
    /// How many evaluations of a lost server can be run again.
    pub lost: u32,
    /// How many evaluations its history holds.
    pub history: u32,
}

/// An image in a list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ImageRow {
    /// Its name.
    pub name: String,
    /// What it is connected to, as `--connect` takes it.
    pub target: String,
    /// The link to it.
    pub link: Link,
    /// What the server calls itself; empty before it said so.
    pub dialect: String,
    /// How many sessions are on it.
    pub sessions: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_that_a_command_line_and_a_layout_can_carry() {
        for good in ["main", "a b", "é-1", "2"] {
            assert_eq!(wrong_with_name(good), None, "{good}");
        }
        let long = "x".repeat(MAX_NAME + 1);
        for bad in ["", " a", "a ", "-a", "a,b", "a/b", "a\nb", &long] {
            assert!(wrong_with_name(bad).is_some(), "{bad}");
        }
    }
}

//! What a session's sidecar, which the plugin starts later, has to know of how `stui up` was called.
//!
//! The sidecar reads the configuration file and its environment itself. Which file, and the flags that
//! win over both, are in a file of the session's folder.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::table::SETTINGS;
use super::{Flag, Loaded};
use crate::places::{Places, write_whole};

/// What is remembered of a call of `stui up`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Remembered {
    /// The configuration file, if somebody named one.
    pub config: Option<PathBuf>,
    /// Settings given by flags: name, flag and values of each.
    pub flags: Vec<(String, String, Vec<String>)>,
}

impl Remembered {
    /// What to remember.
    pub fn of(config: Option<&Path>, flags: &[Flag]) -> Self {
        Remembered {
            config: super::path(config).and_then(|(path, named)| named.then_some(path)),
            flags: flags
                .iter()
                .map(|flag| {
                    (
                        flag.name.to_owned(),
                        flag.flag.to_owned(),
                        flag.values.clone(),
                    )
                })
                .collect(),
        }
    }

    /// What is remembered of a Zellij session; nothing, if nothing is.
    pub fn read(places: &Places, session: &str) -> Self {
        std::fs::read(places.flags(session))
            .ok()
            .and_then(|json| serde_json::from_slice(&json).ok())
            .unwrap_or_default()
    }

    /// The settings as they are for this call, now.
    fn load(&self) -> Loaded {
        let mut loaded = super::load(self.config.as_deref(), &[]);
        for (name, flag, values) in &self.flags {
            // A setting of a later version is none of this one's.
            if !SETTINGS.iter().any(|row| row.name == name) {
                continue;
            }
            let texts: Vec<&str> = values.iter().map(String::as_str).collect();
            let origin = super::Origin::Flag(format!("{flag} of `stui up`"));
            if let Err(wrong) = loaded.config.set(name, &texts, &origin) {
                let problem = super::Problem::elsewhere(&origin, wrong.reason);
                loaded.problems.push(problem);
            }
        }
        loaded
    }
}

/// Remembers a call for a Zellij session.
///
/// # Errors
/// If the disk says no.
pub fn remember(places: &Places, session: &str, remembered: &Remembered) -> io::Result<()> {
    let json = serde_json::to_vec_pretty(remembered)?;
    write_whole(&places.flags(session), &json)
}

/// The settings of a Zellij session that `stui up` opened.
pub fn of_session(places: &Places, session: &str) -> Loaded {
    Remembered::read(places, session).load()
}

//! A configuration that may change while a sidecar runs.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use super::{Config, ConfigError, Loaded};
use crate::places::Places;

/// How often the file is looked at.
const PAUSE: Duration = Duration::from_secs(3);

/// What came of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// These settings hold now.
    Taken(Box<Config>),
    /// The file is broken now; what held before holds on.
    Broken(ConfigError),
}

/// The settings of a session, and the file they are in.
pub struct Watched {
    load: Box<dyn Fn() -> Loaded + Send>,
    config: Config,
    file: Option<std::path::PathBuf>,
    stamp: Stamp,
    next: Instant,
}

/// By what a file is known to be another: when it was written, and its size.
type Stamp = Option<(SystemTime, u64)>;

impl std::fmt::Debug for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watched")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

impl Watched {
    /// The settings of a Zellij session. What is wrong with them now is in the second value; a setting
    /// that is wrong has the value that it has without it.
    pub fn of_session(places: &Places, session: &str, now: Instant) -> (Self, Option<ConfigError>) {
        let (places, session) = (places.clone(), session.to_owned());
        Self::new(Box::new(move || super::of_session(&places, &session)), now)
    }

    fn new(load: Box<dyn Fn() -> Loaded + Send>, now: Instant) -> (Self, Option<ConfigError>) {
        let loaded = load();
        let watched = Watched {
            stamp: stamp(loaded.file.as_deref()),
            file: loaded.file,
            config: loaded.config,
            load,
            next: now + PAUSE,
        };
        let problems = (!loaded.problems.is_empty()).then_some(ConfigError(loaded.problems));
        (watched, problems)
    }

    /// The settings that hold.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Looks at the file, if it is time to, and says what changed.
    pub fn look(&mut self, now: Instant) -> Option<Change> {
        if now < self.next {
            return None;
        }
        self.next = now + PAUSE;
        let stamp = stamp(self.file.as_deref());
        if stamp == self.stamp {
            return None;
        }
        let loaded = (self.load)();
        self.stamp = stamp;
        self.file.clone_from(&loaded.file);
        match loaded.sound() {
            Ok(config) if config == self.config => None,
            Ok(config) => {
                self.config = config;
                Some(Change::Taken(Box::new(self.config.clone())))
            }
            Err(error) => Some(Change::Broken(error)),
        }
    }

    /// When to look next.
    pub fn deadline(&self) -> Instant {
        self.next
    }
}

fn stamp(file: Option<&Path>) -> Stamp {
    let metadata = std::fs::metadata(file?).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;
    use stui_protocol::pane::Guests;

    #[test]
    fn a_file_that_breaks_is_told_and_what_held_before_holds_on() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.kdl");
        std::fs::write(&file, "guests \"read-only\"").unwrap();
        let path = file.clone();
        let mut now = Instant::now();
        let (mut watched, problems) = Watched::new(Box::new(move || load(Some(&path), &[])), now);
        assert_eq!(problems, None);
        assert_eq!(watched.config().guests.value, Guests::ReadOnly);
        let mut look = |watched: &mut Watched| {
            now = watched.deadline();
            watched.look(now)
        };
        assert_eq!(look(&mut watched), None, "nothing changed");

        std::fs::write(&file, "guests \"read-only\"\nguesst").unwrap();
        let Some(Change::Broken(error)) = look(&mut watched) else {
            panic!("it is broken");
        };
        assert!(error.0[0].line().contains("config.kdl:2: "), "{error}");
        assert_eq!(watched.config().guests.value, Guests::ReadOnly);
        assert_eq!(look(&mut watched), None, "it is told once");

        std::fs::write(&file, "guests \"may-write\"").unwrap();
        let Some(Change::Taken(config)) = look(&mut watched) else {
            panic!("it is mended");
        };
        assert_eq!(config.guests.value, Guests::MayWrite);

        std::fs::remove_file(&file).unwrap();
        assert!(
            matches!(look(&mut watched), Some(Change::Broken(_))),
            "a file that was named has to be there"
        );
    }
}

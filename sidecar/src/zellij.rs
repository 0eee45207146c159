//! The `zellij` program: where it is, which version, and short commands to it.
//!
//! A command to a Zellij server can be cut short without a word by a race in the server, or never
//! come back, so each has a time limit and is tried again. None may be given before the session has
//! drawn its first screen: the server would panic. `stui sidecar` is safe, a pane started it.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::process::run_bounded;

/// The oldest version that the plugin runs in.
pub const OLDEST: Version = Version(0, 44, 3);
/// How long a short command may take, while somebody waits for a terminal.
const COMMAND_LIMIT: Duration = Duration::from_secs(5);
/// The same for a command in a session, while the sidecar does nothing else.
const ACTION_LIMIT: Duration = Duration::from_millis(1500);
/// How often either is tried.
const TRIES: u32 = 2;

/// A version of Zellij.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

impl Version {
    /// Reads a version from what `zellij --version` prints.
    pub fn parse(text: &str) -> Option<Self> {
        let number = text
            .split_whitespace()
            .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
        let mut parts = number
            .split(|c: char| !c.is_ascii_digit())
            .map(|part| part.parse().ok());
        Some(Version(parts.next()??, parts.next()??, parts.next()??))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// Why Zellij cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ZellijError {
    /// There is none.
    #[error(
        "there is no zellij on PATH; install Zellij {OLDEST} or later (https://zellij.dev), or name one with --zellij"
    )]
    Missing,
    /// It does not say its version.
    #[error("{} does not run: {reason}; install Zellij {OLDEST} or later, or name another with --zellij", program.display())]
    DoesNotRun {
        /// The program.
        program: PathBuf,
        /// Why.
        reason: String,
    },
    /// It is too old.
    #[error("{} is Zellij {found}; STUI needs {OLDEST} or later: update it, or name another with --zellij", program.display())]
    TooOld {
        /// The program.
        program: PathBuf,
        /// Its version.
        found: Version,
    },
    /// A command failed.
    #[error("`zellij {command}` failed: {reason}")]
    Command {
        /// Its arguments.
        command: String,
        /// Why.
        reason: String,
    },
}

/// A program called `zellij`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zellij {
    program: PathBuf,
}

impl Zellij {
    /// The given program, else `$STUI_ZELLIJ`, else the first `zellij` on PATH. A name without a slash
    /// is looked up on PATH.
    ///
    /// # Errors
    /// If there is none.
    pub fn find(given: Option<&Path>) -> Result<Self, ZellijError> {
        let named = given
            .map(Path::to_owned)
            .or_else(|| std::env::var_os("STUI_ZELLIJ").map(PathBuf::from));
        let is_path = |program: &Path| program.components().count() > 1;
        if let Some(program) = named.clone().filter(|program| is_path(program)) {
            let program = std::path::absolute(&program).unwrap_or(program);
            return Ok(Zellij { program });
        }
        let name = named.unwrap_or_else(|| "zellij".into());
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path)
            .map(|folder| folder.join(&name))
            .find(|program| program.is_file())
            .map(|program| Zellij { program })
            .ok_or(ZellijError::Missing)
    }

    /// The program that runs as this process: the server's own, whatever PATH says.
    pub fn of_process(pid: u32) -> Option<Self> {
        let link = PathBuf::from(format!("/proc/{pid}/exe"));
        let program = std::fs::read_link(&link).ok()?;
        // Replaced or removed since it was started: what runs can still be run through the link.
        let program = if program.is_file() { program } else { link };
        Some(Zellij { program })
    }

    /// The program.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Its version.
    ///
    /// # Errors
    /// If it does not run or does not say.
    pub fn version(&self) -> Result<Version, ZellijError> {
        let broken = |reason: String| ZellijError::DoesNotRun {
            program: self.program.clone(),
            reason,
        };
        let output = run_bounded(
            Command::new(&self.program).arg("--version"),
            Duration::from_secs(10),
        )
        .map_err(|error| broken(error.to_string()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        Version::parse(&text).ok_or_else(|| {
            let error = String::from_utf8_lossy(&output.stderr);
            let lines = error.lines().map(str::trim).filter(|line| !line.is_empty());
            // A panic says where it was, then why.
            let said: Vec<&str> = lines.take(2).collect();
            broken(if output.status.success() || said.is_empty() {
                format!("it calls itself {:?}", text.trim())
            } else {
                said.join(" ")
            })
        })
    }

    /// Its version, if that is new enough.
    ///
    /// # Errors
    /// If it is not, or it does not run.
    pub fn supported_version(&self) -> Result<Version, ZellijError> {
        let found = self.version()?;
        if found < OLDEST {
            return Err(ZellijError::TooOld {
                program: self.program.clone(),
                found,
            });
        }
        Ok(found)
    }

    /// The sessions that run now.
    ///
    /// # Errors
    /// If that cannot be found out.
    pub fn living_sessions(&self) -> Result<Vec<String>, ZellijError> {
        let mut reason = String::new();
        for _ in 0..TRIES {
            let mut command = Command::new(&self.program);
            command.args(["list-sessions", "--no-formatting"]);
            match run_bounded(&mut command, COMMAND_LIMIT) {
                // Without any session it fails; that is an answer too.
                Ok(output) => return Ok(living(&String::from_utf8_lossy(&output.stdout))),
                Err(error) => reason = error.to_string(),
            }
        }
        Err(ZellijError::Command {
            command: "list-sessions".into(),
            reason,
        })
    }

    /// Runs a short command in a session until `good` likes what it printed, a few times at most.
    ///
    /// # Errors
    /// If it never did.
    pub fn action(
        &self,
        session: &str,
        arguments: &[OsString],
        good: impl Fn(&str) -> bool,
    ) -> Result<String, ZellijError> {
        let mut reason = String::new();
        for _ in 0..TRIES {
            let mut command = Command::new(&self.program);
            command.arg("--session").arg(session).args(arguments);
            match run_bounded(&mut command, ACTION_LIMIT) {
                Ok(output) => {
                    let text = String::from_utf8_lossy(&output.stdout).into_owned();
                    if output.status.success() && good(&text) {
                        return Ok(text);
                    }
                    reason = format!(
                        "it ended with {} and printed {:?}",
                        output.status,
                        String::from_utf8_lossy(&output.stderr).trim()
                    );
                }
                Err(error) => reason = error.to_string(),
            }
        }
        let words: Vec<_> = arguments
            .iter()
            .map(|word| word.to_string_lossy())
            .collect();
        Err(ZellijError::Command {
            command: words.join(" "),
            reason,
        })
    }
}

/// The names in what `zellij list-sessions --no-formatting` prints, of sessions that run.
fn living(listing: &str) -> Vec<String> {
    listing
        .lines()
        .filter(|line| !line.contains("(EXITED"))
        .filter_map(|line| line.split(" [Created").next())
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_compared() {
        assert_eq!(Version::parse("zellij 0.45.1\n"), Some(Version(0, 45, 1)));
        assert_eq!(Version::parse("zellij 0.44.3-dev"), Some(Version(0, 44, 3)));
        assert_eq!(Version::parse("zellij"), None);
        assert_eq!(Version::parse("fish, version x"), None);
        assert!(Version(0, 44, 2) < OLDEST && Version(0, 100, 0) > OLDEST);
    }

    #[test]
    fn only_sessions_that_run_are_living() {
        let listing = "one [Created 3s ago] \n\
                       two words [Created 1day ago] (current)\n\
                       gone [Created 2h ago] (EXITED - attach to resurrect)\n";
        assert_eq!(living(listing), ["one", "two words"]);
        assert!(living("").is_empty());
    }
}

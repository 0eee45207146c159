//! What a Zellij session is connected to: a Smalltalk server, named by a word that users type.
//!
//! | word | server |
//! | --- | --- |
//! | `embedded` | the embedded Smalltalk, started by the sidecar |
//! | a path | a running server's connection file |
//! | `pharo:/PATH/TO.image` | a headless Pharo, started by the sidecar |
//! | `ssh://[USER@]HOST[:PORT][/NAME]` | a server on another machine, through the user's own ssh |

use std::fmt;
use std::path::{Path, PathBuf, absolute};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Longest name of an image.
const MAX_NAME: usize = 24;

/// A server that a session is connected to. Its [`Display`](fmt::Display) form is the word that is parsed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Target {
    /// The embedded Smalltalk, started by the sidecar.
    #[default]
    Embedded,
    /// A server that somebody else started, by its connection file; an absolute path.
    File(PathBuf),
    /// A Pharo image, started headless by the sidecar; an absolute path.
    Pharo(PathBuf),
    /// A server on another machine.
    Ssh(Remote),
}

/// A server on another machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// `USER@HOST`, or only a host; never begins with a dash.
    pub host: String,
    /// Port of the ssh server, if it is not ssh's own choice.
    pub port: Option<u16>,
    /// Which server there: the name of its connection file, without `.json`, in the runtime directory
    /// of that machine; none: the only one that runs.
    pub name: Option<String>,
}

/// Why a word names no server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// Nothing was given.
    #[error("say what to connect to: embedded, a connection file, pharo:IMAGE or ssh://HOST")]
    Empty,
    /// The address of another machine is not understood.
    #[error("{0:?} is no address of another machine; write it as ssh://user@host:port/name")]
    Ssh(String),
    /// The current directory, which a relative path begins in, is not known.
    #[error("{0:?} cannot be made an absolute path; give one")]
    Path(String),
}

impl Target {
    /// A short name to show for it, in lower case; sessions with several images tell them apart by it.
    pub fn default_name(&self) -> String {
        let name = match self {
            Target::Embedded => "embedded".to_owned(),
            Target::File(path) | Target::Pharo(path) => stem(path),
            Target::Ssh(remote) => {
                let host = remote.host.rsplit('@').next().unwrap_or_default();
                host.split('.').next().unwrap_or_default().to_owned()
            }
        };
        let name: String = name
            .chars()
            .map(|c| {
                if c.is_alphanumeric() || c == '-' || c == '_' {
                    c
                } else {
                    '-'
                }
            })
            .flat_map(char::to_lowercase)
            .take(MAX_NAME)
            .collect();
        if name.is_empty() {
            "image".to_owned()
        } else {
            name
        }
    }

    /// Whether the sidecar starts a process for it.
    pub fn is_started_here(&self) -> bool {
        !matches!(self, Target::File(_))
    }
}

fn stem(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(word: &str) -> Result<Self, TargetError> {
        let path = |text: &str| absolute(text).map_err(|_| TargetError::Path(text.to_owned()));
        if word.trim().is_empty() {
            Err(TargetError::Empty)
        } else if word == "embedded" {
            Ok(Target::Embedded)
        } else if let Some(address) = word.strip_prefix("ssh://") {
            remote(address)
                .map(Target::Ssh)
                .ok_or_else(|| TargetError::Ssh(word.to_owned()))
        } else if let Some(image) = word.strip_prefix("pharo:") {
            path(image).map(Target::Pharo)
        } else {
            path(word).map(Target::File)
        }
    }
}

fn remote(address: &str) -> Option<Remote> {
    let (host, name) = match address.split_once('/') {
        Some((host, name)) => (host, Some(name).filter(|name| !name.is_empty())),
        None => (address, None),
    };
    // An address of IPv6 has brackets around its colons.
    let colon = host.rfind(':').filter(|at| !host[*at..].contains(']'));
    let (host, port) = match colon {
        Some(at) => (&host[..at], Some(host[at + 1..].parse().ok()?)),
        None => (host, None),
    };
    // A host that begins with a dash would be an option of ssh.
    let good = |text: &str| {
        !text.is_empty()
            && !text.starts_with('-')
            && !text.chars().any(|c| c.is_control() || c.is_whitespace())
    };
    let name_is_good = name.is_none_or(|name| good(name) && !name.contains('/'));
    let parts_are_good = good(host) && host.split('@').all(good);
    (parts_are_good && name_is_good).then(|| Remote {
        host: host.to_owned(),
        port,
        name: name.map(str::to_owned),
    })
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Embedded => f.write_str("embedded"),
            Target::File(path) => write!(f, "{}", path.display()),
            Target::Pharo(path) => write!(f, "pharo:{}", path.display()),
            Target::Ssh(remote) => {
                write!(f, "ssh://{}", remote.host)?;
                if let Some(port) = remote.port {
                    write!(f, ":{port}")?;
                }
                if let Some(name) = &remote.name {
                    write!(f, "/{name}")?;
                }
                Ok(())
            }
        }
    }
}

impl TryFrom<String> for Target {
    type Error = TargetError;

    fn try_from(word: String) -> Result<Self, TargetError> {
        word.parse()
    }
}

impl From<Target> for String {
    fn from(target: Target) -> String {
        target.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_the_word_that_names_it() {
        for (word, name) in [
            ("embedded", "embedded"),
            ("/run/user/1/stui/Pharo 12.json", "pharo-12"),
            ("pharo:/home/me/Moose.image", "moose"),
            ("ssh://me@build.example.org:2222/pharo", "build"),
            ("ssh://host", "host"),
            ("ssh://me@[::1]:22", "---1-"),
        ] {
            let target: Target = word.parse().unwrap();
            assert_eq!(target.to_string(), word);
            assert_eq!(target.default_name(), name);
        }
    }

    #[test]
    fn what_could_be_taken_for_an_option_or_cannot_be_an_address_is_refused() {
        for word in [
            "",
            "  ",
            "ssh://",
            "ssh://-oProxyCommand=x",
            "ssh://me@-x",
            "ssh://@host",
            "ssh://a b",
            "ssh://host:port",
            "ssh://host/-x",
            "ssh://host/a/b",
        ] {
            assert!(word.parse::<Target>().is_err(), "{word}");
        }
    }

    #[test]
    fn a_relative_path_becomes_an_absolute_one() {
        let here = std::env::current_dir().unwrap();
        assert_eq!(
            "server.json".parse::<Target>().unwrap(),
            Target::File(here.join("server.json"))
        );
    }
}

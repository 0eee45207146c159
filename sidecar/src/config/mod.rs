//! The configuration: defaults, then one KDL file, then the environment, then flags; later wins.
//!
//! - [`settings`](Setting): what can be set, and each one's value and origin;
//! - `table`: the settings' names, their variables, and how a text becomes a value;
//! - `file`: the KDL file; [`problem`](Problem): what is wrong with it, and where;
//! - `remembered`: what flags of `stui up` the session's sidecar has to know;
//! - [`watched`](Watched): a file that may change while a sidecar runs.
//!
//! A setting that is wrong keeps the value it would have without it, and the problem is told: commands
//! that a person runs refuse to go on ([`Loaded::sound`]), a sidecar goes on and says so.

mod file;
mod problem;
mod remembered;
mod settings;
mod table;
mod watched;

use std::path::{Path, PathBuf};

pub use file::check;
pub use problem::{ConfigError, Place, Problem};
pub use remembered::{Remembered, of_session, remember};
pub use settings::{Config, Origin, Setting, Sync, Theme};
pub use table::{Row, SETTINGS};
pub use watched::{Change, Watched};

/// The commented example of the whole file, as `stui config example` prints it.
pub const EXAMPLE: &str = include_str!("example.kdl");

/// The variable that names the file.
pub const FILE_VARIABLE: &str = "STUI_CONFIG";

/// A setting given on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// Name of the setting, as `log.level`.
    pub name: &'static str,
    /// The flag, as `--log-level`.
    pub flag: &'static str,
    /// Its values.
    pub values: Vec<String>,
}

impl Flag {
    /// A flag, if it was given.
    pub fn given(
        name: &'static str,
        flag: &'static str,
        value: Option<impl Into<String>>,
    ) -> Option<Self> {
        let values = vec![value?.into()];
        Some(Flag { name, flag, values })
    }
}

/// What was read from everywhere.
#[derive(Debug)]
pub struct Loaded {
    /// The effective settings.
    pub config: Config,
    /// The file, if there is one or should be.
    pub file: Option<PathBuf>,
    /// Whether that file exists.
    pub exists: bool,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

impl Loaded {
    /// The settings, if nothing is wrong with any.
    ///
    /// # Errors
    /// All that is wrong.
    pub fn sound(self) -> Result<Config, ConfigError> {
        if self.problems.is_empty() {
            Ok(self.config)
        } else {
            Err(ConfigError(self.problems))
        }
    }
}

/// Reads the text of a file by itself, as if it stood at `path`, without environment and flags.
pub fn of_text(path: &Path, text: &str) -> Loaded {
    let mut loaded = Loaded {
        config: Config::default(),
        file: Some(path.to_owned()),
        exists: true,
        problems: Vec::new(),
    };
    file::read_text(path, text, &mut loaded.config, &mut loaded.problems);
    loaded
}

/// The file that holds the configuration: the given one, else that of `STUI_CONFIG`, else
/// `stui/config.kdl` where configurations are; and whether somebody named it. None without a home.
pub fn path(given: Option<&Path>) -> Option<(PathBuf, bool)> {
    path_by(given, |name| std::env::var(name).ok())
}

fn path_by(
    given: Option<&Path>,
    variable: impl Fn(&str) -> Option<String>,
) -> Option<(PathBuf, bool)> {
    if let Some(path) = given {
        return Some((std::path::absolute(path).unwrap_or(path.to_owned()), true));
    }
    if let Some(path) = variable(FILE_VARIABLE).filter(|path| !path.is_empty()) {
        let path = PathBuf::from(path);
        return Some((std::path::absolute(&path).unwrap_or(path), true));
    }
    let absolute = |name: &str| {
        variable(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let folder =
        absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|home| home.join(".config")));
    folder.map(|folder| (folder.join("stui/config.kdl"), false))
}

/// Reads everything: `given` is the file of `--config`.
pub fn load(given: Option<&Path>, flags: &[Flag]) -> Loaded {
    load_by(given, |name| std::env::var(name).ok(), flags)
}

fn load_by(
    given: Option<&Path>,
    variable: impl Fn(&str) -> Option<String>,
    flags: &[Flag],
) -> Loaded {
    let mut loaded = Loaded {
        config: Config::default(),
        file: None,
        exists: false,
        problems: Vec::new(),
    };
    if let Some((path, named)) = path_by(given, &variable) {
        loaded.exists = file::read(&path, named, &mut loaded.config, &mut loaded.problems);
        loaded.file = Some(path);
    }
    for row in &SETTINGS {
        let Some(text) = row.variable.and_then(&variable).filter(|t| !t.is_empty()) else {
            continue;
        };
        let origin = Origin::Variable(row.variable.unwrap_or_default());
        let texts: Vec<&str> = if row.takes_many {
            text.split(',').map(str::trim).collect()
        } else {
            vec![&text]
        };
        if let Err(wrong) = loaded.config.set(row.name, &texts, &origin) {
            loaded
                .problems
                .push(Problem::elsewhere(&origin, wrong.reason));
        }
    }
    for flag in flags {
        let texts: Vec<&str> = flag.values.iter().map(String::as_str).collect();
        let origin = Origin::Flag(flag.flag.to_owned());
        if let Err(wrong) = loaded.config.set(flag.name, &texts, &origin) {
            loaded
                .problems
                .push(Problem::elsewhere(&origin, wrong.reason));
        }
    }
    loaded
}

#[cfg(test)]
mod tests;

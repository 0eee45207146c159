//! The settings as types, with their defaults.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use stui_protocol::command::COMMANDS;
use stui_protocol::pane::Guests;

use crate::target::Target;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Origin {
    /// Nobody set it.
    #[default]
    Default,
    /// A line of the file, from 1.
    File(Arc<PathBuf>, usize),
    /// A variable of the environment.
    Variable(&'static str),
    /// A flag of the command line.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File(path, line) => write!(f, "{}:{line}", path.display()),
            Origin::Variable(name) => write!(f, "${name}"),
            Origin::Flag(flag) => f.write_str(flag),
        }
    }
}

/// A value and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Who set it.
    pub origin: Origin,
}

impl<T> Setting<T> {
    fn of(value: T) -> Self {
        Setting {
            value,
            origin: Origin::Default,
        }
    }
}

/// Where the panes' colours come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// The terminal's own sixteen.
    #[default]
    Terminal,
    /// Zellij's theme, for one more permission.
    Zellij,
}

/// When what was typed is forced from the system's memory onto the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sync {
    /// Before it is acknowledged.
    Each,
    /// At most half a second later; a power failure may cost that much, the death of a process nothing.
    #[default]
    Interval,
}

/// A word of the configuration file for a choice of few.
pub(super) trait Word: Sized + Copy + PartialEq + 'static {
    /// All choices with their words.
    const WORDS: &'static [(&'static str, Self)];

    /// Its word.
    fn word(self) -> &'static str {
        Self::WORDS
            .iter()
            .find(|(_, choice)| *choice == self)
            .map_or("", |(word, _)| word)
    }
}

impl Word for Theme {
    const WORDS: &'static [(&'static str, Self)] =
        &[("terminal", Theme::Terminal), ("zellij", Theme::Zellij)];
}

impl Word for Guests {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("may-write", Guests::MayWrite),
        ("read-only", Guests::ReadOnly),
    ];
}

impl Word for Sync {
    const WORDS: &'static [(&'static str, Self)] =
        &[("each", Sync::Each), ("interval", Sync::Interval)];
}

/// All settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// What a new session is connected to; empty: what it was connected to last, else the embedded
    /// Smalltalk.
    pub connect: Setting<Vec<Target>>,
    /// Name of the Zellij session.
    pub session: Setting<String>,
    /// The Zellij to run; none: the first on PATH.
    pub zellij: Setting<Option<PathBuf>>,
    /// The layout; none: the one inside the program.
    pub layout: Setting<Option<PathBuf>>,
    /// Where colours come from.
    pub theme: Setting<Theme>,
    /// What guests may do.
    pub guests: Setting<Guests>,
    /// Keys of commands that have others than the plugin's own, written as the plugin reads them.
    pub keys: BTreeMap<&'static str, Setting<String>>,
    /// How much is written to logs: a level, or directives as `info,stui::link=debug`.
    pub log_level: Setting<String>,
    /// A log larger than this is begun anew, in bytes.
    pub log_max_size: Setting<u64>,
    /// How many older files of a log are kept.
    pub log_keep: Setting<u32>,
    /// When the journal is synced.
    pub journal_sync: Setting<Sync>,
    /// The ssh to run.
    pub ssh: Setting<PathBuf>,
    /// The Pharo VM to run; none: `pharo` on PATH.
    pub pharo_vm: Setting<Option<PathBuf>>,
    /// The image that `stui pharo` takes if none is named.
    pub pharo_image: Setting<Option<PathBuf>>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            connect: Setting::of(Vec::new()),
            session: Setting::of("stui".to_owned()),
            zellij: Setting::of(None),
            layout: Setting::of(None),
            theme: Setting::of(Theme::default()),
            guests: Setting::of(Guests::default()),
            keys: BTreeMap::new(),
            log_level: Setting::of("info".to_owned()),
            log_max_size: Setting::of(4 << 20),
            log_keep: Setting::of(1),
            journal_sync: Setting::of(Sync::default()),
            ssh: Setting::of("ssh".into()),
            pharo_vm: Setting::of(None),
            pharo_image: Setting::of(None),
        }
    }
}

impl Config {
    /// What goes into the configuration of each of the plugin's panes: keys and values.
    pub fn for_panes(&self) -> Vec<(String, String)> {
        use stui_protocol::command::{BIND, THEME_KEY};
        let theme = (self.theme.value != Theme::default())
            .then(|| (THEME_KEY.to_owned(), self.theme.value.word().to_owned()));
        let keys = COMMANDS.iter().filter_map(|name| {
            let keys = self.keys.get(name)?;
            Some((format!("{BIND}{name}"), keys.value.clone()))
        });
        theme.into_iter().chain(keys).collect()
    }
}

//! The settings' names and how a text becomes a value: the same for the file, variables and flags.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use stui_protocol::command::{BETWEEN_KEYS, COMMANDS};
use stui_protocol::key::Key;
use stui_protocol::pane::Guests;
use tracing_subscriber::EnvFilter;

use super::problem::did_you_mean;
use super::settings::{Config, Origin, Setting, Sync, Theme, Word};
use crate::target::Target;

/// Least size at which a log is begun anew, in bytes.
const MIN_LOG: u64 = 16 << 10;
/// Most older files of a log.
const MAX_KEPT: u32 = 100;
/// The levels of a log.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
/// The group of the commands' keys, whose names are the commands'.
pub(super) const KEYS: &str = "keys";

/// What can be set.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Its name; `log.level` is `level` in the group `log`.
    pub name: &'static str,
    /// The variable of the environment that sets it.
    pub variable: Option<&'static str>,
    /// Whether it takes several values; in the variable they stand between commas.
    pub takes_many: bool,
}

const fn row(name: &'static str, variable: &'static str) -> Row {
    Row {
        name,
        variable: Some(variable),
        takes_many: false,
    }
}

/// All settings but the keys, in the order in which they are shown.
pub const SETTINGS: [Row; 13] = [
    Row {
        takes_many: true,
        ..row("connect", "STUI_CONNECT")
    },
    row("session", "STUI_SESSION"),
    row("zellij", "STUI_ZELLIJ"),
    row("layout", "STUI_LAYOUT"),
    row("theme", "STUI_THEME"),
    row("guests", "STUI_GUESTS"),
    row("log.level", "STUI_LOG"),
    row("log.max_size", "STUI_LOG_MAX_SIZE"),
    row("log.keep", "STUI_LOG_KEEP"),
    row("journal.sync", "STUI_JOURNAL_SYNC"),
    row("ssh", "STUI_SSH"),
    row("pharo.vm", "PHARO_VM"),
    row("pharo.image", "PHARO_IMAGE"),
];

/// A text that is no value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// Which of the texts, if it is one of them.
    pub(super) argument: Option<usize>,
    /// A sentence.
    pub(super) reason: String,
}

impl Wrong {
    fn at(argument: usize, reason: impl std::fmt::Display) -> Self {
        Wrong {
            argument: Some(argument),
            reason: reason.to_string(),
        }
    }
}

impl Config {
    /// Sets what has this name.
    pub(super) fn set(&mut self, name: &str, texts: &[&str], origin: &Origin) -> Result<(), Wrong> {
        if let Some(command) = name.strip_prefix("keys.") {
            return self.bind(command, texts, origin);
        }
        let path = |text: &str| path(text, origin).map(Some);
        let program = |text: &str| program(text, origin);
        match name {
            "connect" => {
                let targets = texts.iter().enumerate().map(|(argument, text)| {
                    target(text, origin).map_err(|reason| Wrong::at(argument, reason))
                });
                set(
                    &mut self.connect,
                    targets.collect::<Result<_, _>>()?,
                    origin,
                );
            }
            "session" => set(&mut self.session, one(texts, session)?, origin),
            "zellij" => set(&mut self.zellij, one(texts, program)?.into(), origin),
            "layout" => set(&mut self.layout, one(texts, path)?, origin),
            "theme" => set(&mut self.theme, one(texts, word::<Theme>)?, origin),
            "guests" => set(&mut self.guests, one(texts, word::<Guests>)?, origin),
            "log.level" => set(&mut self.log_level, one(texts, level)?, origin),
            "log.max_size" => set(&mut self.log_max_size, one(texts, size)?, origin),
            "log.keep" => set(&mut self.log_keep, one(texts, kept)?, origin),
            "journal.sync" => set(&mut self.journal_sync, one(texts, word::<Sync>)?, origin),
            "ssh" => set(&mut self.ssh, one(texts, program)?, origin),
            "pharo.vm" => set(&mut self.pharo_vm, one(texts, program)?.into(), origin),
            "pharo.image" => set(&mut self.pharo_image, one(texts, path)?, origin),
            _ => {
                return Err(Wrong {
                    argument: None,
                    reason: unknown(name),
                });
            }
        }
        Ok(())
    }

    fn bind(&mut self, command: &str, texts: &[&str], origin: &Origin) -> Result<(), Wrong> {
        let Some(command) = COMMANDS.iter().find(|name| **name == command) else {
            return Err(Wrong {
                argument: None,
                reason: format!(
                    "no command is called `{command}`; F1 in a pane shows its commands.{}",
                    did_you_mean(command, COMMANDS.iter().copied())
                ),
            });
        };
        if texts.is_empty() {
            return Err(Wrong {
                argument: None,
                reason: format!("`{command}` needs a key, as `{command} \"Alt e\"`"),
            });
        }
        let mut keys = Vec::new();
        for (argument, text) in texts.iter().enumerate() {
            for words in text.split(BETWEEN_KEYS).map(str::trim) {
                let key = Key::from_str(words).map_err(|error| Wrong::at(argument, error))?;
                let written = key.to_string();
                // A pane's whole configuration travels on a command line between commas.
                if written.contains([',', '=']) {
                    let reason = "a comma or an equals sign cannot be bound; take another key";
                    return Err(Wrong::at(argument, reason));
                }
                keys.push(written);
            }
        }
        let keys = keys.join(&format!(" {BETWEEN_KEYS} "));
        let setting = self.keys.entry(command).or_default();
        set(setting, keys, origin);
        Ok(())
    }

    /// Names, values as they are written in the file, and origins, in the table's order.
    pub fn rows(&self) -> Vec<(String, String, Origin)> {
        fn path(path: Option<&PathBuf>) -> String {
            path.map_or_else(String::new, |path| quoted(&path.display().to_string()))
        }
        let mut rows: Vec<(String, String, Origin)> = SETTINGS
            .iter()
            .map(|row| {
                let (value, origin) = match row.name {
                    "connect" => {
                        let words = self.connect.value.iter();
                        let words: Vec<_> = words.map(|word| quoted(&word.to_string())).collect();
                        (words.join(" "), &self.connect.origin)
                    }
                    "session" => (quoted(&self.session.value), &self.session.origin),
                    "zellij" => (path(self.zellij.value.as_ref()), &self.zellij.origin),
                    "layout" => (path(self.layout.value.as_ref()), &self.layout.origin),
                    "theme" => (quoted(self.theme.value.word()), &self.theme.origin),
                    "guests" => (quoted(self.guests.value.word()), &self.guests.origin),
                    "log.level" => (quoted(&self.log_level.value), &self.log_level.origin),
                    "log.max_size" => (
                        quoted(&size_text(self.log_max_size.value)),
                        &self.log_max_size.origin,
                    ),
                    "log.keep" => (self.log_keep.value.to_string(), &self.log_keep.origin),
                    "journal.sync" => (
                        quoted(self.journal_sync.value.word()),
                        &self.journal_sync.origin,
                    ),
                    "ssh" => (path(Some(&self.ssh.value)), &self.ssh.origin),
                    "pharo.vm" => (path(self.pharo_vm.value.as_ref()), &self.pharo_vm.origin),
                    _ => (
                        path(self.pharo_image.value.as_ref()),
                        &self.pharo_image.origin,
                    ),
                };
                (row.name.to_owned(), value, origin.clone())
            })
            .collect();
        rows.extend(COMMANDS.iter().filter_map(|name| {
            let keys = self.keys.get(name)?;
            let name = format!("{KEYS}.{name}");
            Some((name, quoted(&keys.value), keys.origin.clone()))
        }));
        rows
    }
}

/// What is said of a name that sets nothing.
pub(super) fn unknown(name: &str) -> String {
    let known = SETTINGS.iter().map(|row| row.name).chain([KEYS]);
    let within = match name.split_once('.') {
        Some((group, last)) => {
            let mut inside = known
                .clone()
                .filter_map(|name| name.strip_prefix(group)?.strip_prefix('.'))
                .peekable();
            if inside.peek().is_some() {
                let meant = did_you_mean(last, inside);
                return format!(
                    "`{group}` has no setting `{last}`; remove it, or see `stui config example`.{meant}"
                );
            }
            group
        }
        None => name,
    };
    let tops = known.map(|name| name.split('.').next().unwrap_or(name));
    format!(
        "there is no setting `{within}`; remove it, or see `stui config example`.{}",
        did_you_mean(within, tops)
    )
}

fn set<T>(setting: &mut Setting<T>, value: T, origin: &Origin) {
    setting.value = value;
    setting.origin = origin.clone();
}

/// The value of a setting that takes one.
fn one<T>(texts: &[&str], read: impl Fn(&str) -> Result<T, String>) -> Result<T, Wrong> {
    match texts {
        [text] => read(text).map_err(|reason| Wrong::at(0, reason)),
        [] => Err(Wrong {
            argument: None,
            reason: "a value is missing behind it".to_owned(),
        }),
        [_, ..] => Err(Wrong::at(1, "it takes one value; remove the others")),
    }
}

fn word<W: Word>(text: &str) -> Result<W, String> {
    let found = W::WORDS.iter().find(|(word, _)| *word == text);
    found.map(|(_, choice)| *choice).ok_or_else(|| {
        let words: Vec<_> = W::WORDS
            .iter()
            .map(|(word, _)| format!("`{word}`"))
            .collect();
        format!(
            "`{text}` is none of the choices; write {}.{}",
            words.join(" or "),
            did_you_mean(text, W::WORDS.iter().map(|(word, _)| *word))
        )
    })
}

fn session(text: &str) -> Result<String, String> {
    match crate::places::session_name_problem(text) {
        None => Ok(text.to_owned()),
        Some(problem) => Err(problem),
    }
}

fn level(text: &str) -> Result<String, String> {
    let is_word = !text.contains(['=', ',', '[']);
    if is_word && !LEVELS.contains(&text) {
        return Err(format!(
            "`{text}` is no level; write one of {}, or directives as `info,stui::link=debug`.{}",
            LEVELS.join(", "),
            did_you_mean(text, LEVELS.into_iter())
        ));
    }
    EnvFilter::try_new(text)
        .map(|_| text.to_owned())
        .map_err(|error| {
            format!(
                "`{text}` is no level: {error}; write one of {}",
                LEVELS.join(", ")
            )
        })
}

/// Bytes of a size as `4 MiB`, `512 KiB` or `65536`.
fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match text[digits.len()..].trim() {
        "" | "B" => Some(1),
        "KiB" | "KB" | "K" | "k" => Some(1 << 10),
        "MiB" | "MB" | "M" => Some(1 << 20),
        "GiB" | "GB" | "G" => Some(1 << 30),
        _ => None,
    };
    let bytes = digits.parse::<u64>().ok().zip(unit);
    match bytes.and_then(|(number, unit)| number.checked_mul(unit)) {
        Some(bytes) if bytes >= MIN_LOG => Ok(bytes),
        Some(_) => Err(format!("`{text}` is too small; write at least `16 KiB`")),
        None => Err(format!(
            "`{text}` is no size; write it as `4 MiB`, `512 KiB` or in bytes"
        )),
    }
}

fn size_text(bytes: u64) -> String {
    for (unit, name) in [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")] {
        if bytes >= unit && bytes.is_multiple_of(unit) {
            return format!("{} {name}", bytes / unit);
        }
    }
    bytes.to_string()
}

fn kept(text: &str) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|kept| *kept <= MAX_KEPT)
        .ok_or_else(|| format!("`{text}` is no number of files; write one from 0 to {MAX_KEPT}"))
}

/// A path: `~/` is the home directory; in the file a relative one is refused, because nobody knows
/// which directory it begins in.
fn path(text: &str, origin: &Origin) -> Result<PathBuf, String> {
    let home = || std::env::var_os("HOME").map(PathBuf::from);
    let path = match text.strip_prefix("~/").zip(home()) {
        Some((below, home)) => home.join(below),
        None => PathBuf::from(text),
    };
    if text.is_empty() {
        return Err("a path is missing between the quotes".to_owned());
    }
    if path.is_absolute() {
        return Ok(path);
    }
    match origin {
        Origin::File(..) => Err(format!(
            "`{text}` is relative; begin the path with `/` or `~/`"
        )),
        _ => std::path::absolute(&path)
            .map_err(|_| format!("`{text}` cannot be made an absolute path; give one")),
    }
}

/// A program: a path, or a name that is looked up on PATH.
fn program(text: &str, origin: &Origin) -> Result<PathBuf, String> {
    if text.contains('/') || text.is_empty() {
        path(text, origin)
    } else {
        Ok(Path::new(text).to_owned())
    }
}

fn target(text: &str, origin: &Origin) -> Result<Target, String> {
    let word = match text.strip_prefix("pharo:") {
        Some(image) => format!("pharo:{}", path(image, origin)?.display()),
        None if text == "embedded" || text.starts_with("ssh://") => text.to_owned(),
        None => path(text, origin)?.display().to_string(),
    };
    Target::from_str(&word).map_err(|error| error.to_string())
}

/// A text between quotes, as KDL reads it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

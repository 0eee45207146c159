//! The configuration file: KDL, in the version that Zellij's own files have.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kdl::{KdlDocument, KdlEntry, KdlNode, KdlValue};

use super::ConfigError;
use super::problem::{Place, Problem};
use super::settings::{Config, Origin};
use super::table::{KEYS, SETTINGS, Wrong, unknown};
use crate::kdl_text::{Unparsed, parse};

/// Largest file that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// What is wrong with a file, by itself.
///
/// # Errors
/// All that is wrong.
pub fn check(path: &Path) -> Result<(), ConfigError> {
    let mut problems = Vec::new();
    read(path, true, &mut Config::default(), &mut problems);
    if problems.is_empty() {
        Ok(())
    } else {
        Err(ConfigError(problems))
    }
}

/// Reads a file into the settings; answers whether there is one. One that nobody named need not be.
pub(super) fn read(
    path: &Path,
    named: bool,
    config: &mut Config,
    problems: &mut Vec<Problem>,
) -> bool {
    let flaw = |message: String| Problem {
        place: None,
        message: format!("{}: {message}", path.display()),
    };
    let text = match contents(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if named {
                problems.push(flaw(
                    "there is no such file; write one (`stui config example` prints one), or do not name it"
                        .to_owned(),
                ));
            }
            return false;
        }
        Err(error) => {
            problems.push(flaw(error.to_string()));
            return true;
        }
    };
    read_text(path, &text, config, problems);
    true
}

/// The same with the text of a file.
pub(super) fn read_text(path: &Path, text: &str, config: &mut Config, problems: &mut Vec<Problem>) {
    let mut reading = Reading {
        path: Arc::new(path.to_owned()),
        text,
        config,
        problems,
        seen: BTreeMap::new(),
    };
    match parse(text) {
        Ok(document) => reading.nodes(&document, None),
        Err(Unparsed::TooDeep { offset }) => {
            reading.problem(offset, 1, Unparsed::TooDeep { offset }.to_string());
        }
        Err(Unparsed::System(error)) => reading.problem(0, 1, error.to_string()),
        Err(Unparsed::Kdl(error)) => {
            let help = error
                .help
                .map(|help| format!(" {help}"))
                .unwrap_or_default();
            let what = error
                .label
                .map_or_else(|| error.kind.to_string(), str::to_owned);
            let what = what.trim_end_matches('.');
            let message = format!("this is not KDL as Zellij reads it: {what}.{help}");
            reading.problem(error.span.offset(), error.span.len(), message);
        }
    }
}

fn contents(path: &Path) -> io::Result<String> {
    let file = std::fs::File::open(path)?;
    let metadata = file.metadata()?;
    // It names programs to run, so whoever can write it can run some.
    let own = [0, rustix::process::geteuid().as_raw()].contains(&metadata.uid());
    if !own || metadata.mode() & 0o002 != 0 {
        return Err(io::Error::other(
            "others can change this file, which names programs to run; make it yours (`chmod go-w`)",
        ));
    }
    if !metadata.is_file() {
        return Err(io::Error::other("this is no file; name another"));
    }
    let mut text = String::new();
    file.take(MAX_FILE + 1)
        .read_to_string(&mut text)
        .map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => io::Error::other("this is not text in UTF-8; mend it"),
            _ => error,
        })?;
    if text.len() as u64 > MAX_FILE {
        return Err(io::Error::other("this is larger than 1 MiB; shorten it"));
    }
    Ok(text)
}

struct Reading<'a> {
    path: Arc<PathBuf>,
    text: &'a str,
    config: &'a mut Config,
    problems: &'a mut Vec<Problem>,
    /// The lines of the settings so far.
    seen: BTreeMap<String, usize>,
}

impl Reading<'_> {
    fn problem(&mut self, offset: usize, length: usize, message: impl Into<String>) {
        let place = Place::of(&self.path, self.text, offset, length);
        self.problems.push(Problem::at(place, message));
    }

    fn problem_of_node(&mut self, node: &KdlNode, message: impl Into<String>) {
        let span = node.name().span();
        self.problem(span.offset(), span.len(), message);
    }

    fn problem_of_entry(&mut self, entry: &KdlEntry, message: impl Into<String>) {
        // A span may begin with the blanks before what it means.
        let (offset, end) = (
            entry.span().offset(),
            entry.span().offset() + entry.span().len(),
        );
        let meant = self.text.get(offset..end).unwrap_or_default();
        let blanks = meant.len() - meant.trim_start().len();
        self.problem(offset + blanks, meant.trim().len(), message);
    }

    fn nodes(&mut self, document: &KdlDocument, group: Option<&str>) {
        for node in document.nodes() {
            self.node(node, group);
        }
    }

    fn node(&mut self, node: &KdlNode, group: Option<&str>) {
        let own = node.name().value();
        let name = group.map_or_else(|| own.to_owned(), |group| format!("{group}.{own}"));
        if group.is_none() && is_group(own) {
            return self.group(node, own);
        }
        let is_setting = SETTINGS.iter().any(|row| row.name == name) || group == Some(KEYS);
        if !is_setting {
            return self.problem_of_node(node, unknown(&name));
        }
        let line = Place::of(&self.path, self.text, node.name().span().offset(), 1).line;
        if let Some(before) = self.seen.insert(name.clone(), line) {
            let message = format!("`{own}` is set on line {before} already; keep one of them");
            return self.problem_of_node(node, message);
        }
        if let Some(children) = node.children()
            && let Some(first) = children.nodes().first()
        {
            let message = format!("`{own}` has nothing in braces; write its value behind it");
            return self.problem_of_node(first, message);
        }
        let mut texts = Vec::new();
        for entry in node.entries() {
            match (entry.name(), text_of(entry.value())) {
                (None, Some(text)) => texts.push(text),
                (Some(_), _) => {
                    let message =
                        format!("`{own}` takes a value, no property; write `{own} VALUE`");
                    return self.problem_of_entry(entry, message);
                }
                (None, None) => {
                    return self
                        .problem_of_entry(entry, "this is no value; write a text in quotes");
                }
            }
        }
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let origin = Origin::File(Arc::clone(&self.path), line);
        if let Err(Wrong { argument, reason }) = self.config.set(&name, &texts, &origin) {
            match argument.and_then(|at| node.entries().get(at)) {
                Some(entry) => self.problem_of_entry(entry, reason),
                None => self.problem_of_node(node, reason),
            }
        }
    }

    /// A group: its settings are in braces.
    fn group(&mut self, node: &KdlNode, name: &str) {
        if let Some(entry) = node.entries().first() {
            let inside = entry.name().map_or("NAME", |name| name.value());
            let message =
                format!("settings of `{name}` stand in braces: `{name} {{ {inside} VALUE }}`");
            return self.problem_of_entry(entry, message);
        }
        if let Some(children) = node.children() {
            self.nodes(children, Some(name));
        }
    }
}

fn is_group(name: &str) -> bool {
    let groups = SETTINGS.iter().filter_map(|row| row.name.split_once('.'));
    name == KEYS || groups.map(|(group, _)| group).any(|group| group == name)
}

fn text_of(value: &KdlValue) -> Option<String> {
    match value {
        KdlValue::String(text) | KdlValue::RawString(text) => Some(text.clone()),
        KdlValue::Bool(choice) => Some(choice.to_string()),
        KdlValue::Base10Float(number) => Some(number.to_string()),
        KdlValue::Null => None,
        whole => whole.as_i64().map(|number| number.to_string()),
    }
}

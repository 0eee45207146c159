//! What `stui doctor` found, one finding a line: for a person, or as JSON for a script.

use std::fmt::Display;
use std::io::Write;

use serde::Serialize;

/// How good or bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// As it should be.
    Ok,
    /// As it may be.
    Note,
    /// Wrong.
    Problem,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) level: Level,
    /// What was looked at: `configuration`, `image moose`.
    pub(super) subject: String,
    pub(super) text: String,
    /// What to do, if there is something to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remedy: Option<String>,
}

/// All findings, written out as they come: what takes long is seen to be under way.
pub(super) struct Findings<W> {
    out: W,
    json: bool,
    subject: String,
    problems: u32,
}

impl<W: Write> Findings<W> {
    pub(super) fn new(out: W, json: bool) -> Self {
        Findings {
            out,
            json,
            subject: String::new(),
            problems: 0,
        }
    }

    /// What the findings from now on are about.
    pub(super) fn about(&mut self, subject: impl Into<String>) {
        self.subject = subject.into();
    }

    pub(super) fn ok(&mut self, text: impl Display) {
        self.add(Level::Ok, &text, None);
    }

    pub(super) fn note(&mut self, text: impl Display) {
        self.add(Level::Note, &text, None);
    }

    /// Something that is as it may be, and could be otherwise.
    pub(super) fn hint(&mut self, text: impl Display, remedy: impl Display) {
        self.add(Level::Note, &text, Some(&remedy));
    }

    pub(super) fn problem(&mut self, text: impl Display, remedy: impl Display) {
        self.add(Level::Problem, &text, Some(&remedy));
    }

    /// How many problems there are.
    pub(super) fn problems(&self) -> u32 {
        self.problems
    }

    /// The last line, for a person.
    pub(super) fn end(&mut self) {
        if !self.json {
            let line = match self.problems {
                0 => "Nothing is wrong.".to_owned(),
                1 => "There is one problem.".to_owned(),
                several => format!("There are {several} problems."),
            };
            // Nobody reading is no reason not to answer by the exit status.
            let _ = writeln!(self.out, "{line}");
        }
    }

    fn add(&mut self, level: Level, text: &dyn Display, remedy: Option<&dyn Display>) {
        self.problems += u32::from(level == Level::Problem);
        // A finding is a line, whatever an error has to say.
        let line = |text: &dyn Display| text.to_string().replace('\n', " ");
        let finding = Finding {
            level,
            subject: self.subject.clone(),
            text: line(text),
            remedy: remedy.map(line),
        };
        let written = if self.json {
            serde_json::to_string(&finding).unwrap_or_default()
        } else {
            let word = match level {
                Level::Ok => "ok",
                Level::Note => "note",
                Level::Problem => "problem",
            };
            let remedy = finding.remedy.as_ref();
            let remedy = remedy.map_or_else(String::new, |remedy| format!(" → {remedy}"));
            format!("{word:8} {}: {}{remedy}", finding.subject, finding.text)
        };
        let _ = writeln!(self.out, "{written}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(json: bool) -> String {
        let mut out = Vec::new();
        let mut findings = Findings::new(&mut out, json);
        findings.about("disk");
        findings.ok("there is room");
        findings.problem("it is\nfull", "make room");
        assert_eq!(findings.problems(), 1);
        findings.end();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_finding_is_a_line_with_what_to_do_behind_it() {
        assert_eq!(
            findings(false),
            "ok       disk: there is room\nproblem  disk: it is full → make room\nThere is one problem.\n"
        );
    }

    #[test]
    fn for_scripts_a_line_is_an_object() {
        let lines: Vec<serde_json::Value> = findings(true)
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1]["level"], "problem");
        assert_eq!(lines[1]["remedy"], "make room");
        assert_eq!(lines[0].get("remedy"), None);
    }
}

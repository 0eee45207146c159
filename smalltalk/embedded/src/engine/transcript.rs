//! Gathering what is written to Transcript into few reports, and bounding what a runaway writes.

use super::ReportTo;
use super::messages::{Report, SessionNumber};

/// Most bytes of one report.
const MAX_REPORT: usize = 64 * 1024;
/// Most bytes of all reports of one slice of running. Who writes more in half a millisecond writes for
/// nobody to read.
const MAX_SLICE: usize = 1024 * 1024;

/// Text that is not reported yet.
#[derive(Debug)]
pub(super) struct Gathered {
    session: Option<SessionNumber>,
    text: String,
    /// Bytes that this slice may still write.
    room: usize,
    left_out: usize,
}

impl Gathered {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        Gathered {
            session: None,
            text: String::new(),
            room: MAX_SLICE,
            left_out: 0,
        }
    }

    /// Adds text of a session.
    pub(super) fn add(&mut self, session: Option<SessionNumber>, text: &str, to: &mut ReportTo) {
        if session != self.session {
            self.flush(to);
            self.session = session;
        }
        let (mut rest, left_out) = split(text, self.room);
        self.room -= rest.len();
        self.left_out += left_out.len();
        while self.text.len() + rest.len() > MAX_REPORT {
            let (piece, behind) = split(rest, MAX_REPORT - self.text.len());
            self.text.push_str(piece);
            self.report(to);
            rest = behind;
        }
        self.text.push_str(rest);
    }

    /// Reports all that was added.
    pub(super) fn flush(&mut self, to: &mut ReportTo) {
        if self.left_out > 0 {
            let note = format!(
                "\n[{} bytes left out: too much was written at once]\n",
                self.left_out
            );
            self.text.push_str(&note);
            self.left_out = 0;
        }
        if !self.text.is_empty() {
            self.report(to);
        }
    }

    fn report(&mut self, to: &mut ReportTo) {
        to.push(Report::Transcript {
            session: self.session,
            text: std::mem::take(&mut self.text),
        });
    }

    /// A slice of running is over.
    pub(super) fn end_slice(&mut self, to: &mut ReportTo) {
        self.flush(to);
        self.room = MAX_SLICE;
    }
}

/// A text cut in two, the first part of at most `limit` bytes.
fn split(text: &str, limit: usize) -> (&str, &str) {
    if text.len() <= limit {
        return (text, "");
    }
    let end = (0..=limit)
        .rev()
        .find(|end| text.is_char_boundary(*end))
        .unwrap_or(0);
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::report_channel;

    /// What is reported when these texts are written in one slice.
    fn reported(texts: &[(Option<SessionNumber>, &str)]) -> Vec<(Option<SessionNumber>, String)> {
        let (mut to, reports) = report_channel(|| ());
        let mut gathered = Gathered::new();
        for (session, text) in texts {
            gathered.add(*session, text, &mut to);
        }
        gathered.end_slice(&mut to);
        drop(to);
        reports
            .into_iter()
            .map(|report| match report {
                Report::Transcript { session, text } => (session, text),
                other => panic!("{other:?} is no text"),
            })
            .collect()
    }

    #[test]
    fn pieces_of_one_session_are_one_report() {
        let texts = [(Some(1), "a"), (Some(1), "b"), (None, "c"), (Some(1), "d")];
        let expected = [(Some(1), "ab"), (None, "c"), (Some(1), "d")];
        let expected = expected.map(|(session, text)| (session, text.to_owned()));
        assert_eq!(reported(&texts), expected);
    }

    #[test]
    fn a_long_text_comes_whole_in_pieces() {
        let text = "日本語🎉".repeat(20_000);
        let reports = reported(&[(None, "x"), (None, &text)]);
        assert!(reports.iter().all(|(_, text)| text.len() <= MAX_REPORT));
        let whole: String = reports.into_iter().map(|(_, text)| text).collect();
        assert_eq!(whole, format!("x{text}"));
    }

    #[test]
    fn what_is_left_out_is_said() {
        let text = "x".repeat(MAX_SLICE);
        let reports = reported(&[(None, &text), (None, "more"), (None, "and more")]);
        let whole: String = reports.into_iter().map(|(_, text)| text).collect();
        assert!(whole.starts_with(&text));
        assert!(whole.ends_with("\n[12 bytes left out: too much was written at once]\n"));
    }
}

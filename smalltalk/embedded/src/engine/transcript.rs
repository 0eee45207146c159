//! Gathering what is written to Transcript into few reports, and bounding what a runaway writes.

use std::time::Instant;

use super::ReportTo;
use super::messages::{Report, SessionNumber};

/// Most bytes of one report.
const MAX_REPORT: usize = 64 * 1024;
/// Most bytes that are written in one go: as many as the server keeps.
const BURST: usize = 4 * 1024 * 1024;
/// Bytes a second that are written in the long run. More is written for nobody to read, and would keep
/// the server from its other work.
const RATE: usize = 4 * 1024 * 1024;

/// Text that is not reported yet.
#[derive(Debug)]
pub(super) struct Gathered {
    session: Option<SessionNumber>,
    text: String,
    /// Bytes that may be written now.
    room: usize,
    /// When `room` was reckoned.
    reckoned: Instant,
    /// Bytes that were not reported since the last note about that.
    left_out: usize,
}

impl Gathered {
    /// Nothing yet.
    pub(super) fn new(now: Instant) -> Self {
        Gathered {
            session: None,
            text: String::new(),
            room: BURST,
            reckoned: now,
            left_out: 0,
        }
    }

    /// Adds text of a session.
    pub(super) fn add(&mut self, session: Option<SessionNumber>, text: &str, to: &mut ReportTo) {
        if session != self.session {
            self.settle(to);
            self.session = session;
        }
        if self.left_out > 0 {
            if self.room < MAX_REPORT {
                // Whole passages, rather than single words here and there.
                self.left_out += text.len();
                return;
            }
            self.note();
        }
        let (mut rest, left_out) = split(text, self.room);
        self.room -= rest.len();
        self.left_out = left_out.len();
        while self.text.len() + rest.len() > MAX_REPORT {
            let (piece, behind) = split(rest, MAX_REPORT - self.text.len());
            self.text.push_str(piece);
            self.report(to);
            rest = behind;
        }
        self.text.push_str(rest);
    }

    /// Says how much was left out.
    fn note(&mut self) {
        if self.left_out > 0 {
            let note = format!("\n[{} bytes left out: too much at once]\n", self.left_out);
            self.text.push_str(&note);
            self.left_out = 0;
        }
    }

    /// Reports what was added.
    pub(super) fn flush(&mut self, to: &mut ReportTo) {
        if !self.text.is_empty() {
            self.report(to);
        }
    }

    /// Reports what was added, and that something was left out, because nothing may follow.
    pub(super) fn settle(&mut self, to: &mut ReportTo) {
        self.note();
        self.flush(to);
    }

    fn report(&mut self, to: &mut ReportTo) {
        to.push(Report::Transcript {
            session: self.session,
            text: std::mem::take(&mut self.text),
        });
    }

    /// Time has passed: there is room again.
    pub(super) fn pass(&mut self, now: Instant) {
        let milliseconds = now.saturating_duration_since(self.reckoned).as_millis() as usize;
        if milliseconds > 0 {
            let gained = milliseconds.saturating_mul(RATE / 1000);
            self.room = self.room.saturating_add(gained).min(BURST);
            self.reckoned = now;
        }
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
    use crossbeam_channel::Receiver;
    use std::time::Duration;

    fn texts(reports: &Receiver<Report>) -> Vec<(Option<SessionNumber>, String)> {
        reports
            .try_iter()
            .map(|report| match report {
                Report::Transcript { session, text } => (session, text),
                other => panic!("{other:?} is no text"),
            })
            .collect()
    }

    fn whole(reports: &Receiver<Report>) -> String {
        texts(reports).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn pieces_of_one_session_are_one_report() {
        let (mut to, reports) = report_channel(|| ());
        let mut gathered = Gathered::new(Instant::now());
        for (session, text) in [(Some(1), "a"), (Some(1), "b"), (None, "c"), (Some(1), "d")] {
            gathered.add(session, text, &mut to);
        }
        gathered.flush(&mut to);
        let expected = [(Some(1), "ab"), (None, "c"), (Some(1), "d")];
        let expected = expected.map(|(session, text)| (session, text.to_owned()));
        assert_eq!(texts(&reports), expected);
    }

    #[test]
    fn a_long_text_comes_whole_in_pieces() {
        let (mut to, reports) = report_channel(|| ());
        let mut gathered = Gathered::new(Instant::now());
        let text = "日本語🎉".repeat(20_000);
        gathered.add(None, "x", &mut to);
        gathered.add(None, &text, &mut to);
        gathered.flush(&mut to);
        let pieces = texts(&reports);
        assert!(pieces.iter().all(|(_, text)| text.len() <= MAX_REPORT));
        let whole: String = pieces.into_iter().map(|(_, text)| text).collect();
        assert_eq!(whole, format!("x{text}"));
    }

    #[test]
    fn too_much_is_left_out_which_is_said_and_there_is_room_again_later() {
        let (mut to, reports) = report_channel(|| ());
        let start = Instant::now();
        let mut gathered = Gathered::new(start);
        let text = "x".repeat(BURST);
        gathered.add(None, &text, &mut to);
        gathered.add(None, "more", &mut to);
        gathered.add(None, "and more", &mut to);
        gathered.flush(&mut to);
        assert_eq!(whole(&reports), text);
        gathered.pass(start + Duration::from_secs(1));
        gathered.add(None, "again", &mut to);
        gathered.flush(&mut to);
        assert_eq!(
            whole(&reports),
            "\n[12 bytes left out: too much at once]\nagain"
        );
        gathered.settle(&mut to);
        assert_eq!(whole(&reports), "");
    }
}

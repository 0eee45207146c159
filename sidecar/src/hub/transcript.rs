//! The transcript: the newest lines of what the code wrote, in a ring bounded by lines and bytes.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use stui_protocol::event::FORM_FEED;

/// Most lines kept.
const MAX_LINES: usize = 10_000;
/// Most bytes kept.
const MAX_BYTES: usize = 4 << 20;
/// Most bytes of one line; what comes behind that on the same line is dropped.
pub const MAX_LINE_BYTES: usize = 4096;
/// Most bytes of it that are kept on disk.
const MAX_SAVED: usize = 1 << 20;
/// Stands at the end of a line that was cut.
const CUT: char = '…';

/// The newest lines of a transcript. Lines are numbered from the beginning of the session.
#[derive(Debug)]
pub struct Transcript {
    lines: VecDeque<String>,
    /// Number of the first line in `lines`.
    oldest: u64,
    bytes: usize,
    /// The last text ended with a carriage return; a line feed that follows belongs to it.
    after_return: bool,
}

/// What is kept of a transcript on disk.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TranscriptSnapshot {
    oldest: u64,
    lines: Vec<String>,
}

impl Default for Transcript {
    fn default() -> Self {
        Transcript {
            lines: VecDeque::from([String::new()]),
            oldest: 0,
            bytes: 0,
            after_return: false,
        }
    }
}

impl Transcript {
    /// The transcript that a snapshot holds.
    pub fn from_snapshot(snapshot: TranscriptSnapshot) -> Self {
        let mut lines = VecDeque::from(snapshot.lines);
        if lines.is_empty() {
            lines.push_back(String::new());
        }
        Transcript {
            bytes: lines.iter().map(String::len).sum(),
            lines,
            oldest: snapshot.oldest,
            after_return: false,
        }
    }

    /// The newest lines, as many as are kept on disk.
    pub fn snapshot(&self) -> TranscriptSnapshot {
        let mut bytes = 0;
        let kept = self
            .lines
            .iter()
            .rev()
            .take_while(|line| {
                bytes += line.len();
                bytes <= MAX_SAVED
            })
            .count();
        TranscriptSnapshot {
            oldest: self.end() - kept as u64,
            lines: self
                .lines
                .iter()
                .skip(self.lines.len() - kept)
                .cloned()
                .collect(),
        }
    }

    /// Number of the oldest line still kept.
    pub fn oldest(&self) -> u64 {
        self.oldest
    }

    /// Number after the newest line; the newest one may be empty still.
    pub fn end(&self) -> u64 {
        self.oldest + self.lines.len() as u64
    }

    /// Writes text behind the last one. Lines end with CR, LF or both; a form feed begins anew, as
    /// [`Transcript::clear`]; control characters but tabs are left out, so that no program can play
    /// with the terminal.
    pub fn write(&mut self, text: &str) {
        for c in text.chars() {
            let joined = std::mem::take(&mut self.after_return) && c == '\n';
            match c {
                _ if joined => {}
                '\r' | '\n' => {
                    self.after_return = c == '\r';
                    self.lines.push_back(String::new());
                    if self.lines.len() > MAX_LINES {
                        self.drop_oldest();
                    }
                }
                FORM_FEED => self.clear(),
                c if c.is_control() && c != '\t' => {}
                c => self.push(c),
            }
        }
        while self.bytes > MAX_BYTES && self.lines.len() > 1 {
            self.drop_oldest();
        }
    }

    fn push(&mut self, c: char) {
        let Some(line) = self.lines.back_mut() else {
            return;
        };
        let before = line.len();
        if before + c.len_utf8() <= MAX_LINE_BYTES {
            line.push(c);
        } else if !line.ends_with(CUT) {
            line.push(CUT);
        }
        self.bytes += line.len() - before;
    }

    fn drop_oldest(&mut self) {
        if let Some(line) = self.lines.pop_front() {
            self.bytes -= line.len();
            self.oldest += 1;
        }
    }

    /// Forgets all lines; numbers go on.
    pub fn clear(&mut self) {
        let end = self.end();
        *self = Transcript {
            oldest: end,
            ..Transcript::default()
        };
    }

    /// At most `count` lines from number `first` on (none: the newest ones), within `max_bytes`:
    /// the number of the first one, and the lines. Where they do not fit, the newest ones are left
    /// out if a beginning was asked for, else the oldest.
    pub fn window(&self, first: Option<u64>, count: u32, max_bytes: usize) -> (u64, Vec<String>) {
        let count = u64::from(count);
        let fits = |bytes: &mut usize, line: &&String| {
            *bytes += super::document::escaped_len(line) + 3;
            *bytes <= max_bytes
        };
        let mut bytes = 0;
        if let Some(first) = first {
            let first = first.clamp(self.oldest, self.end());
            let lines = self
                .lines
                .iter()
                .skip((first - self.oldest) as usize)
                .take(count as usize)
                .take_while(|line| fits(&mut bytes, line))
                .cloned()
                .collect();
            (first, lines)
        } else {
            let mut lines: Vec<String> = self
                .lines
                .iter()
                .rev()
                .take(count as usize)
                .take_while(|line| fits(&mut bytes, line))
                .cloned()
                .collect();
            lines.reverse();
            (self.end() - lines.len() as u64, lines)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_however_the_code_ends_them() {
        let mut transcript = Transcript::default();
        for text in ["a\r", "\nb\rc", "\n\nd\te\u{1b}[2J"] {
            transcript.write(text);
        }
        assert_eq!(
            transcript.window(Some(0), 10, 1000),
            (0, ["a", "b", "c", "", "d\te[2J"].map(String::from).to_vec())
        );
    }

    #[test]
    fn a_form_feed_forgets_what_was_written_before() {
        let mut transcript = Transcript::default();
        transcript.write("a\nb\nc\u{c}d\n");
        transcript.write("e");
        let (first, lines) = transcript.window(None, 5, 1000);
        assert_eq!((first, lines), (3, vec!["d".to_owned(), "e".to_owned()]));
    }

    #[test]
    fn only_the_newest_lines_are_kept_and_numbers_go_on() {
        let mut transcript = Transcript::default();
        for n in 0..MAX_LINES + 5 {
            transcript.write(&format!("{n}\n"));
        }
        assert_eq!(transcript.oldest(), 6);
        assert_eq!(transcript.window(Some(0), 1, 1000), (6, vec!["6".into()]));
        let end = transcript.end();
        transcript.clear();
        assert_eq!(transcript.oldest(), end);
        transcript.write("new");
        assert_eq!(
            transcript.window(None, 5, 1000),
            (end, vec!["new".to_owned()])
        );
    }

    #[test]
    fn a_line_without_end_is_cut_and_memory_stays_bounded() {
        let mut transcript = Transcript::default();
        transcript.write(&"x".repeat(5 << 20));
        assert_eq!(transcript.bytes, MAX_LINE_BYTES + CUT.len_utf8());
        transcript.write("\n");
        for _ in 0..3000 {
            transcript.write(&"y".repeat(3000));
            transcript.write("\n");
        }
        assert!(transcript.bytes <= MAX_BYTES);
        assert!(transcript.oldest() > 0);
    }

    #[test]
    fn a_window_is_cut_at_the_end_that_was_not_asked_for() {
        let mut transcript = Transcript::default();
        transcript.write("1\n2\n3\n4");
        let eight_bytes = 8;
        assert_eq!(
            transcript.window(Some(1), 9, eight_bytes),
            (1, vec!["2".into(), "3".into()])
        );
        assert_eq!(
            transcript.window(None, 9, eight_bytes),
            (2, vec!["3".into(), "4".into()])
        );
    }
}

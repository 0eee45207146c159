//! A text view of the inspector, read on page by page as panes ask for its rows.

use stui_protocol::pane::Row;

use super::cut;

/// Most characters of a text view that are asked for at once.
pub(super) const TEXT_PAGE: u64 = 20_000;
/// Most characters of a text view that are shown.
const MAX_TEXT: u64 = 1_000_000;
/// Most bytes of a line of a text view in one row; the next row goes on with it.
const MAX_LINE_BYTES: usize = 8 * 1024;

/// The beginning of a text view.
#[derive(Debug, Default)]
pub(super) struct Text {
    read: String,
    /// How many characters that are.
    characters: u64,
    /// How many the text has.
    total: u64,
    /// Whether the server had no more to tell.
    ended: bool,
}

impl Text {
    /// How many characters are read.
    pub(super) fn characters(&self) -> u64 {
        self.characters
    }

    /// Whether it is read as far as it will be.
    pub(super) fn is_whole(&self) -> bool {
        self.ended || self.characters >= self.total.min(MAX_TEXT)
    }

    /// Takes what an answer has; one that does not go on where this ends is for somebody who asked before.
    pub(super) fn take(&mut self, text: &str, offset: u64, total: u64) {
        if offset == self.characters {
            self.read.push_str(text);
            self.characters += text.chars().count() as u64;
            self.ended = text.is_empty();
            self.total = total;
        }
    }

    /// How many rows what is read has.
    pub(super) fn count(&self) -> u64 {
        self.lines().count() as u64 + u64::from(self.rest() > 0)
    }

    /// Some of its rows.
    pub(super) fn rows(&self, first: u64, count: u32) -> Vec<Row> {
        let rest = match self.rest() {
            0 => None,
            more => Some(format!("… {more} more characters")),
        };
        let lines = self.lines().chain(rest.as_deref());
        // There are no more than characters.
        let wanted = lines.skip(first as usize).take(count as usize);
        wanted.map(row).collect()
    }

    /// How many characters there are that will not be read.
    fn rest(&self) -> u64 {
        if self.is_whole() {
            self.total.saturating_sub(self.characters)
        } else {
            0
        }
    }

    /// What is read, a row each: one a line, several for a long one. Smalltalk's lines may end with a
    /// carriage return, a line feed or both.
    fn lines(&self) -> impl Iterator<Item = &str> {
        let lines = self.read.split('\n');
        let lines = lines.flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'));
        lines.flat_map(pieces)
    }
}

/// A line in pieces of a bounded size; an empty line is one empty piece.
fn pieces(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest.take()?;
        if line.len() <= MAX_LINE_BYTES {
            return Some(line);
        }
        let mut ends = (1..=MAX_LINE_BYTES).rev();
        let end = ends.find(|end| line.is_char_boundary(*end));
        let (piece, after) = line.split_at(end.unwrap_or(line.len()));
        rest = Some(after);
        Some(piece)
    })
}

fn row(line: &str) -> Row {
    Row {
        name: String::new(),
        value: cut(line, MAX_LINE_BYTES),
        class_name: String::new(),
        has_children: false,
    }
}

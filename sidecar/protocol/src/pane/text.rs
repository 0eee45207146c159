//! Places in a document, and what changes it.

use serde::{Deserialize, Serialize};

#[cfg(doc)]
use super::MAX_SLICE;

/// A place between two characters: both numbers count from 0, columns in Unicode scalar values.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
pub struct Pos {
    /// Line, from 0.
    #[serde(rename = "l")]
    pub line: u32,
    /// Character within the line, from 0.
    #[serde(rename = "c")]
    pub column: u32,
}

impl Pos {
    /// The place at a line and column.
    pub fn new(line: u32, column: u32) -> Self {
        Pos { line, column }
    }

    /// Where text that starts here ends. Lines end with `\n` only.
    #[must_use]
    pub fn advanced_by(self, text: &str) -> Pos {
        match text.rfind('\n') {
            None => Pos::new(
                self.line,
                self.column.saturating_add(text.chars().count() as u32),
            ),
            Some(last) => Pos::new(
                self.line
                    .saturating_add(text.bytes().filter(|b| *b == b'\n').count() as u32),
                text[last + 1..].chars().count() as u32,
            ),
        }
    }
}

/// From `start` up to, not including, `end`; `start <= end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Span {
    /// First place.
    pub start: Pos,
    /// Place after the last character.
    pub end: Pos,
}

impl Span {
    /// The span between two places, in whichever order they come.
    pub fn between(one: Pos, other: Pos) -> Span {
        Span {
            start: one.min(other),
            end: one.max(other),
        }
    }

    /// Whether nothing lies in it.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }
}

/// Replace what lies in a span by a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// What is replaced.
    pub span: Span,
    /// What stands there afterwards.
    pub text: String,
}

impl Edit {
    /// Insert a text at a place.
    pub fn insert(at: Pos, text: impl Into<String>) -> Edit {
        Edit {
            span: Span { start: at, end: at },
            text: text.into(),
        }
    }

    /// Where the new text ends.
    pub fn end(&self) -> Pos {
        self.span.start.advanced_by(&self.text)
    }

    /// Where a place lies once this edit is applied. A place at the very spot of an insertion moves
    /// behind the new text if `behind`, else it stays before it; a place inside what was replaced
    /// goes to the end of the new text, or its start.
    pub fn moves(&self, pos: Pos, behind: bool) -> Pos {
        let Span { start, end } = self.span;
        if pos < start || (pos == start && !behind) {
            pos
        } else if pos < end || (pos == start && start == end) {
            if behind { self.end() } else { start }
        } else {
            let new_end = self.end();
            if pos.line == end.line {
                let behind = pos.column - end.column;
                Pos::new(new_end.line, new_end.column.saturating_add(behind))
            } else {
                Pos::new(
                    (pos.line - end.line).saturating_add(new_end.line),
                    pos.column,
                )
            }
        }
    }
}

/// A slice of one line of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The characters from column `from` on, at most [`MAX_SLICE`].
    #[serde(rename = "t")]
    pub text: String,
    /// Column of the first character in `text`.
    #[serde(rename = "f", default, skip_serializing_if = "is_zero")]
    pub from: u32,
    /// Length of the whole line in characters; absent where `text` is the whole line.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u32>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's shape
fn is_zero(n: &u32) -> bool {
    *n == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pos(line: u32, column: u32) -> Pos {
        Pos::new(line, column)
    }

    fn replace(start: Pos, end: Pos, text: &str) -> Edit {
        Edit {
            span: Span { start, end },
            text: text.into(),
        }
    }

    #[test]
    fn text_advances_by_characters_and_lines() {
        assert_eq!(pos(2, 3).advanced_by("日本"), pos(2, 5));
        assert_eq!(pos(2, 3).advanced_by("a\nbc\n🎉"), pos(4, 1));
    }

    #[test]
    fn places_move_with_the_text_around_them() {
        let edit = replace(pos(1, 2), pos(2, 1), "x\nyz");
        assert_eq!(edit.moves(pos(1, 1), true), pos(1, 1));
        assert_eq!(edit.moves(pos(1, 4), true), pos(2, 2));
        assert_eq!(edit.moves(pos(1, 4), false), pos(1, 2));
        assert_eq!(edit.moves(pos(2, 1), false), pos(2, 2));
        assert_eq!(edit.moves(pos(2, 5), false), pos(2, 6));
        assert_eq!(edit.moves(pos(7, 5), false), pos(7, 5));
    }
}

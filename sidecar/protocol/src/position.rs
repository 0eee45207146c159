//! Places in code: 1-based character indexes, with line and column beside them.

use serde::{Deserialize, Serialize};

/// A place in `code` or `source`: the character it stands before. All numbers count from 1 and count
/// Unicode scalar values. A line ends with a line feed, a carriage return or both in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Index of the character in the whole text; one more than its length for its end.
    pub position: usize,
    /// Line.
    pub line: usize,
    /// Character within the line.
    pub column: usize,
}

impl Position {
    /// The place with a 1-based index in a text; an index behind its end is its end.
    pub fn in_text(text: &str, position: usize) -> Position {
        let mut place = Position {
            position: 1,
            line: 1,
            column: 1,
        };
        let mut characters = text.chars().peekable();
        while place.position < position
            && let Some(character) = characters.next()
        {
            place.position += 1;
            let ends_line = match character {
                '\n' => true,
                '\r' => characters.peek() != Some(&'\n'),
                _ => false,
            };
            if ends_line {
                place.line += 1;
                place.column = 1;
            } else {
                place.column += 1;
            }
        }
        place
    }
}

/// A part of `code` or `source`, from `start` up to, not including, `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Range {
    /// Before its first character.
    pub start: Position,
    /// Behind its last character.
    pub end: Position,
}

impl Range {
    /// The part of a text between two 1-based indexes, the second one exclusive.
    pub fn in_text(text: &str, start: usize, end: usize) -> Range {
        Range {
            start: Position::in_text(text, start),
            end: Position::in_text(text, end.max(start)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_at(text: &str, position: usize, line: usize, column: usize) {
        assert_eq!(
            Position::in_text(text, position),
            Position {
                position,
                line,
                column
            }
        );
    }

    #[test]
    fn places_count_characters_from_one() {
        assert_at("", 1, 1, 1);
        assert_at("3 + ) 4", 5, 1, 5);
        assert_at("日本🎉 x", 5, 1, 5);
    }

    #[test]
    fn every_way_to_end_a_line_counts_once() {
        assert_at("a\nb", 3, 2, 1);
        assert_at("a\rb", 3, 2, 1);
        assert_at("a\r\nb", 3, 1, 3);
        assert_at("a\r\nb", 4, 2, 1);
        assert_at("a\n\nbc", 5, 3, 2);
    }

    #[test]
    fn a_place_behind_the_end_is_the_end() {
        assert_eq!(Position::in_text("ab", 100), Position::in_text("ab", 3));
    }
}

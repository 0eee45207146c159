//! Lines of text as a terminal shows them: grapheme clusters, their columns and their cells.
//!
//! A *column* counts Unicode scalar values (as the protocol does), an *x* counts cells. Zellij gives
//! every scalar value its own cells and drops those without width, so a cluster is as wide as the
//! sum of its parts; a terminal that draws it narrower leaves blanks, but nothing moves.

use unicode_segmentation::{GraphemeIndices, UnicodeSegmentation};
use unicode_width::UnicodeWidthChar;

/// Cells between tab stops.
pub const TAB: u32 = 4;

/// A grapheme cluster at its place in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glyph<'a> {
    /// The cluster.
    pub text: &'a str,
    /// Its first byte.
    pub byte: usize,
    /// Its first column.
    pub column: u32,
    /// How many columns it has.
    pub columns: u32,
    /// Its first cell.
    pub x: u32,
    /// How many cells it has, at least one.
    pub width: u32,
}

/// How many cells a cluster takes; a tab, which depends on its place, and what has no width of its
/// own take one.
pub fn width(cluster: &str) -> u32 {
    let width: usize = cluster.chars().filter_map(UnicodeWidthChar::width).sum();
    (width as u32).max(1)
}

/// The clusters of a line, from column and cell 0 on.
pub fn glyphs(line: &str) -> Glyphs<'_> {
    Glyphs {
        source: if line.is_ascii() {
            Source::Ascii { line, next: 0 }
        } else {
            Source::Any(line.grapheme_indices(true))
        },
        column: 0,
        x: 0,
    }
}

/// See [`glyphs`].
pub struct Glyphs<'a> {
    source: Source<'a>,
    column: u32,
    x: u32,
}

/// Segmentation costs dozens of instructions a character; most lines of code are ASCII.
enum Source<'a> {
    Ascii { line: &'a str, next: usize },
    Any(GraphemeIndices<'a>),
}

impl<'a> Iterator for Glyphs<'a> {
    type Item = Glyph<'a>;

    fn next(&mut self) -> Option<Glyph<'a>> {
        let (byte, text, columns, own_width) = match &mut self.source {
            Source::Ascii { line, next } => {
                let byte = *next;
                let text = line.get(byte..=byte)?;
                *next += 1;
                (byte, text, 1, 1)
            }
            Source::Any(indices) => {
                let (byte, text) = indices.next()?;
                (byte, text, text.chars().count() as u32, width(text))
            }
        };
        let width = if text == "\t" {
            TAB - self.x % TAB
        } else {
            own_width
        };
        let glyph = Glyph {
            text,
            byte,
            column: self.column,
            columns,
            x: self.x,
            width,
        };
        self.column += columns;
        self.x += width;
        Some(glyph)
    }
}

/// Whether every character of a line takes one cell and is shown as it is.
pub fn is_printable_ascii(line: &str) -> bool {
    line.bytes().all(|byte| matches!(byte, b' '..0x7f))
}

/// How many cells a line takes.
pub fn cells(line: &str) -> u32 {
    glyphs(line).last().map_or(0, |glyph| glyph.x + glyph.width)
}

/// How many columns a line has.
pub fn columns(line: &str) -> u32 {
    if line.is_ascii() {
        line.len() as u32
    } else {
        line.chars().count() as u32
    }
}

/// The byte at which a column begins; behind the last column, the line's end.
pub fn byte_at(line: &str, column: u32) -> usize {
    if line.is_ascii() {
        return (column as usize).min(line.len());
    }
    line.char_indices()
        .nth(column as usize)
        .map_or(line.len(), |(byte, _)| byte)
}

/// The cell in which a column begins.
pub fn x_of(line: &str, column: u32) -> u32 {
    let mut x = 0;
    for glyph in glyphs(line) {
        if glyph.column >= column {
            return glyph.x;
        }
        x = glyph.x + glyph.width;
    }
    x
}

/// The column of the cluster that covers a cell; behind the last one, the line's end.
pub fn column_at(line: &str, x: u32) -> u32 {
    column_where(line, |glyph| x < glyph.x + glyph.width)
}

/// The column that a mouse pointer on a cell means: the right half of a wide cluster is nearer to
/// what follows.
pub fn nearest_column(line: &str, x: u32) -> u32 {
    column_where(line, |glyph| x < glyph.x + glyph.width.div_ceil(2))
}

fn column_where(line: &str, found: impl Fn(&Glyph<'_>) -> bool) -> u32 {
    let mut end = 0;
    for glyph in glyphs(line) {
        if found(&glyph) {
            return glyph.column;
        }
        end = glyph.column + glyph.columns;
    }
    end
}

/// The column of the cluster's end behind `column`; none at the line's end.
pub fn next_column(line: &str, column: u32) -> Option<u32> {
    glyphs(line)
        .map(|glyph| glyph.column + glyph.columns)
        .find(|end| *end > column)
}

/// The column of the cluster's beginning before `column`; none at the line's beginning.
pub fn previous_column(line: &str, column: u32) -> Option<u32> {
    glyphs(line)
        .map(|glyph| glyph.column)
        .take_while(|start| *start < column)
        .last()
}

/// What a character is to a word motion.
#[derive(PartialEq, Eq, Clone, Copy)]
enum Kind {
    Blank,
    Word,
    Other,
}

fn kind(c: char) -> Kind {
    if c.is_whitespace() {
        Kind::Blank
    } else if c.is_alphanumeric() || c == '_' {
        Kind::Word
    } else {
        Kind::Other
    }
}

/// The column behind the word that follows `column`, blanks before it skipped.
pub fn word_end(line: &str, column: u32) -> u32 {
    let mut at = column;
    let mut word = None;
    for c in line.chars().skip(column as usize) {
        match (word, kind(c)) {
            (None, Kind::Blank) => {}
            (None, other) => word = Some(other),
            (Some(one), other) if one != other => break,
            _ => {}
        }
        at += 1;
    }
    at
}

/// The column at which the word before `column` begins, blanks behind it skipped.
pub fn word_start(line: &str, column: u32) -> u32 {
    let before = &line[..byte_at(line, column)];
    let mut at = columns(before);
    let mut word = None;
    for c in before.chars().rev() {
        match (word, kind(c)) {
            (None, Kind::Blank) => {}
            (None, other) => word = Some(other),
            (Some(one), other) if one != other => break,
            _ => {}
        }
        at -= 1;
    }
    at
}

/// Pasted text as it goes into a document: lines end with `\n`, and control characters other than
/// tabs, which no terminal could show, are left out.
pub fn cleaned(pasted: &str) -> String {
    let mut text = String::with_capacity(pasted.len());
    let mut characters = pasted.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\r' => {
                characters.next_if_eq(&'\n');
                text.push('\n');
            }
            '\n' | '\t' => text.push(c),
            c if c.is_control() => {}
            c => text.push(c),
        }
    }
    text
}

/// Break a line into pieces of at most `cells` cells; an empty line is one empty piece.
pub fn wrapped(line: &str, cells: u32) -> Vec<&str> {
    let cells = cells.max(1);
    let mut pieces = Vec::new();
    let (mut start, mut from) = (0, 0);
    for glyph in glyphs(line) {
        if glyph.x + glyph.width > from + cells && glyph.byte > start {
            pieces.push(&line[start..glyph.byte]);
            (start, from) = (glyph.byte, glyph.x);
        }
    }
    pieces.push(&line[start..]);
    pieces
}

/// Break a sentence into lines of at most `cells` cells, between words where there are any.
pub fn filled(sentence: &str, cells: u32) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in sentence.split_whitespace() {
        let needed = self::cells(word);
        let last = lines.last_mut().expect("there is always a last line");
        let used = self::cells(last);
        if used > 0 && used + 1 + needed <= cells {
            last.push(' ');
            last.push_str(word);
        } else if used == 0 && needed <= cells {
            last.push_str(word);
        } else {
            if used == 0 {
                lines.pop();
            }
            lines.extend(wrapped(word, cells).into_iter().map(str::to_owned));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "a日\t🎉e\u{301}z";

    #[test]
    fn columns_count_characters_and_x_counts_cells() {
        let seen: Vec<_> = glyphs(LINE)
            .map(|glyph| (glyph.text, glyph.column, glyph.x, glyph.width))
            .collect();
        assert_eq!(
            seen,
            [
                ("a", 0, 0, 1),
                ("日", 1, 1, 2),
                ("\t", 2, 3, 1),
                ("🎉", 3, 4, 2),
                ("e\u{301}", 4, 6, 1),
                ("z", 6, 7, 1),
            ]
        );
        assert_eq!((cells(LINE), columns(LINE)), (8, 7));
    }

    #[test]
    fn the_cursor_steps_over_whole_clusters() {
        assert_eq!(next_column(LINE, 4), Some(6));
        assert_eq!(previous_column(LINE, 6), Some(4));
        assert_eq!(next_column(LINE, 7), None);
        assert_eq!(previous_column(LINE, 0), None);
    }

    #[test]
    fn a_click_on_the_right_half_of_a_wide_character_means_the_place_behind_it() {
        assert_eq!(nearest_column("日本", 0), 0);
        assert_eq!(nearest_column("日本", 1), 1);
        assert_eq!(nearest_column("日本", 9), 2);
        assert_eq!(column_at("日本", 1), 0);
    }

    #[test]
    fn words_end_where_the_kind_of_character_changes() {
        let line = "foo := bar42 at: 1";
        assert_eq!(word_end(line, 0), 3);
        assert_eq!(word_end(line, 3), 6);
        assert_eq!(word_end(line, 6), 12);
        assert_eq!(word_start(line, 12), 7);
        assert_eq!(word_start(line, 7), 4);
        assert_eq!(word_start(line, 2), 0);
        assert_eq!(word_end(line, 99), 99);
    }

    #[test]
    fn every_way_to_end_a_line_becomes_one_and_escapes_are_left_out() {
        assert_eq!(cleaned("a\r\nb\rc\n\td\u{1b}[31m"), "a\nb\nc\n\td[31m");
    }

    #[test]
    fn long_lines_wrap_at_whole_clusters() {
        assert_eq!(wrapped("abcde", 2), ["ab", "cd", "e"]);
        assert_eq!(wrapped("日本語", 3), ["日", "本", "語"]);
        assert_eq!(wrapped("", 3), [""]);
        assert_eq!(wrapped("日", 1), ["日"]);
        assert_eq!(filled("one two  three", 7), ["one two", "three"]);
        assert_eq!(filled("abcdefgh x", 3), ["abc", "def", "gh", "x"]);
    }
}

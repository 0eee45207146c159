//! The part of a document that an instance holds: consecutive lines, long ones as slices.
//!
//! The document itself lives in the sidecar. A window knows how many lines there are in all, holds
//! some of them, and stays true under edits anywhere in the document: what an edit makes unknown is
//! dropped, to be asked for again.

use stui_protocol::pane::{Edit, Line, MAX_SLICE, Pos, Span};

use crate::text;

/// Longest slice of a line that edits may grow before it is cut back.
const LONGEST_SLICE: u32 = 4 * MAX_SLICE as u32;

/// The loaded part of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    text: String,
    /// Column of the first character in `text`.
    from: u32,
    /// Characters in `text`.
    columns: u32,
    /// Characters in the whole line.
    length: u32,
}

impl Slice {
    fn whole(text: String) -> Slice {
        let columns = text::columns(&text);
        Slice {
            text,
            from: 0,
            columns,
            length: columns,
        }
    }

    fn new(text: String, from: u32, length: u32) -> Slice {
        let columns = text::columns(&text);
        Slice {
            text,
            from,
            columns,
            length: length.max(from + columns),
        }
    }

    /// The loaded text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Column of the first loaded character.
    pub fn from(&self) -> u32 {
        self.from
    }

    /// Column behind the last loaded character.
    pub fn to(&self) -> u32 {
        self.from + self.columns
    }

    /// Length of the whole line.
    pub fn length(&self) -> u32 {
        self.length
    }

    /// Whether the places right before and behind a column are loaded.
    pub fn covers(&self, column: u32) -> bool {
        (self.from..=self.to()).contains(&column)
    }

    /// Whether so many columns before and behind a column are loaded, as far as there are any.
    pub fn reaches(&self, column: u32, around: u32) -> bool {
        self.from <= column.saturating_sub(around)
            && self.to() >= column.saturating_add(around).min(self.length)
    }

    fn byte(&self, column: u32) -> usize {
        text::byte_at(&self.text, column.saturating_sub(self.from))
    }

    /// What is known up to a column: where it begins, and the text.
    fn head(&self, column: u32) -> (u32, &str) {
        if self.covers(column) {
            (self.from, &self.text[..self.byte(column)])
        } else {
            (column, "")
        }
    }

    /// What is known from a column on, and how much there is in all.
    fn tail(&self, column: u32) -> (&str, u32) {
        let known = if self.covers(column) {
            &self.text[self.byte(column)..]
        } else {
            ""
        };
        (known, self.length.saturating_sub(column))
    }

    /// Keep at most `LONGEST_SLICE` characters, around a column.
    fn shorten(&mut self, around: u32) {
        if self.columns > LONGEST_SLICE {
            let half = MAX_SLICE as u32;
            let around = around.clamp(self.from, self.to());
            let from = around.saturating_sub(half).max(self.from);
            let to = (around + half).min(self.to());
            let kept = self.text[self.byte(from)..self.byte(to)].to_owned();
            *self = Slice::new(kept, from, self.length);
        }
    }
}

impl From<Line> for Slice {
    fn from(line: Line) -> Slice {
        match line.length {
            Some(length) => Slice::new(line.text, line.from, length),
            None => Slice::whole(line.text),
        }
    }
}

/// Consecutive lines of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    first: u32,
    lines: Vec<Slice>,
    total: u32,
}

impl Window {
    /// The whole of an empty document.
    pub fn empty() -> Window {
        Window {
            first: 0,
            lines: vec![Slice::whole(String::new())],
            total: 1,
        }
    }

    /// Some lines of a document with `total` lines.
    pub fn new(first: u32, lines: Vec<Line>, total: u32) -> Window {
        let total = total.max(1);
        let mut lines: Vec<Slice> = lines.into_iter().map(Into::into).collect();
        lines.truncate(total.saturating_sub(first) as usize);
        Window {
            first,
            lines,
            total,
        }
    }

    /// How many lines the document has.
    pub fn total(&self) -> u32 {
        self.total
    }

    /// Believe the sidecar about the number of lines.
    pub fn set_total(&mut self, total: u32) {
        self.total = total.max(1);
        let fitting = self.total.saturating_sub(self.first) as usize;
        self.lines.truncate(fitting);
    }

    /// Number of the first loaded line.
    pub fn first(&self) -> u32 {
        self.first
    }

    /// Number behind the last loaded line.
    pub fn end(&self) -> u32 {
        self.first + self.lines.len() as u32
    }

    /// A line, if it is loaded.
    pub fn line(&self, number: u32) -> Option<&Slice> {
        self.lines.get(number.checked_sub(self.first)? as usize)
    }

    /// Whether a place is in loaded text.
    pub fn covers(&self, pos: Pos) -> bool {
        self.line(pos.line)
            .is_some_and(|line| line.covers(pos.column))
    }

    /// The loaded text of a span; none if some of it is not loaded.
    pub fn text_of(&self, span: Span) -> Option<String> {
        let Span { start, end } = span;
        if start.line == end.line {
            let line = self.line(start.line)?;
            if !(line.covers(start.column) && line.covers(end.column)) {
                return None;
            }
            return Some(line.text[line.byte(start.column)..line.byte(end.column)].to_owned());
        }
        let (first, last) = (self.line(start.line)?, self.line(end.line)?);
        let known = first.covers(start.column)
            && first.to() == first.length
            && last.from == 0
            && last.covers(end.column);
        if !known {
            return None;
        }
        let mut text = first.text[first.byte(start.column)..].to_owned();
        for number in start.line + 1..end.line {
            let line = self.line(number)?;
            if line.columns != line.length {
                return None;
            }
            text.push('\n');
            text.push_str(&line.text);
        }
        text.push('\n');
        text.push_str(&last.text[..last.byte(end.column)]);
        Some(text)
    }

    /// Take other lines of the same revision in, in place of what is loaded unless both touch. What is
    /// loaded at the cursor stays, if the other has it not.
    pub fn merge(&mut self, mut other: Window, cursor: Pos) {
        self.total = other.total;
        if self.covers(cursor)
            && !other.covers(cursor)
            && let Some(old) = self.line(cursor.line)
            && let Some(new) = other.line_mut(cursor.line)
        {
            *new = old.clone();
        }
        if other.lines.is_empty() {
            return;
        }
        if other.first > self.end() || other.end() < self.first || self.lines.is_empty() {
            *self = other;
            return;
        }
        let (first, end) = (other.first, other.end());
        let before = first.saturating_sub(self.first) as usize;
        let behind = (end.saturating_sub(self.first) as usize).min(self.lines.len());
        self.lines.splice(before.min(behind)..behind, other.lines);
        self.first = self.first.min(first);
    }

    /// Keep at most `radius` lines before and behind a line.
    pub fn trim(&mut self, around: u32, radius: u32) {
        let from = around.saturating_sub(radius);
        let to = around.saturating_add(radius + 1);
        if self.end() > to {
            self.lines.truncate(to.saturating_sub(self.first) as usize);
        }
        if self.first < from {
            let dropped = ((from - self.first) as usize).min(self.lines.len());
            self.lines.drain(..dropped);
            self.first += dropped as u32;
        }
    }

    /// Keep of overlong lines only what is near a place in its line, and near a column in the others:
    /// whatever the length of a line, a frame costs the same.
    pub fn shorten(&mut self, around: Pos, column: u32) {
        for (number, line) in (self.first..).zip(&mut self.lines) {
            let is_around = number == around.line;
            line.shorten(if is_around { around.column } else { column });
        }
    }

    /// Change the document as an edit says, as far as it is loaded.
    pub fn apply(&mut self, edit: &Edit) {
        let Span { start, end } = edit.span;
        let removed = end.line - start.line;
        let added = edit.text.bytes().filter(|byte| *byte == b'\n').count() as u32;
        self.total = self
            .total
            .saturating_sub(removed)
            .saturating_add(added)
            .max(1);
        if start.line >= self.end() {
            return;
        }
        if end.line < self.first {
            self.first = (self.first - removed).saturating_add(added);
            return;
        }
        if self.type_over(edit) {
            return;
        }
        let has_start = start.line >= self.first;
        let has_end = end.line < self.end();
        let mut pieces = edit.text.split('\n');
        let opening = pieces.next().unwrap_or_default();
        let mut middle: Vec<Slice> = pieces.map(|piece| Slice::whole(piece.to_owned())).collect();
        let head = self.line(start.line).map(|line| line.head(start.column));
        let tail = self.line(end.line).map(|line| line.tail(end.column));
        // the new lines that are known, and the number of the first of them
        let mut known = Vec::with_capacity(middle.len() + 1);
        let mut number = start.line;
        match (middle.pop(), head, tail) {
            (None, Some((from, head)), Some((tail, rest))) => {
                let text = [head, opening, tail].concat();
                let length = start.column + text::columns(opening) + rest;
                known.push(Slice::new(text, from, length));
            }
            (None, _, _) => number += u32::from(!has_start),
            (Some(closing), head, tail) => {
                match head {
                    Some((from, head)) => {
                        let text = [head, opening].concat();
                        known.push(Slice::new(text, from, 0));
                    }
                    None => number += 1,
                }
                known.append(&mut middle);
                if let Some((tail, rest)) = tail {
                    let length = closing.columns + rest;
                    known.push(Slice::new(closing.text + tail, 0, length));
                }
            }
        }
        let from = start.line.saturating_sub(self.first) as usize;
        let to = if has_end {
            (end.line - self.first) as usize + 1
        } else {
            self.lines.len()
        };
        self.lines.splice(from..to, known);
        if !has_start {
            self.first = number;
        }
    }

    /// The usual edit, a few characters within one loaded line, without copying the line; or one beside what
    /// is loaded of it.
    fn type_over(&mut self, edit: &Edit) -> bool {
        let Span { start, end } = edit.span;
        if start.line != end.line || edit.text.contains('\n') {
            return false;
        }
        let Some(line) = self.line_mut(start.line) else {
            return false;
        };
        let (removed, added) = (end.column - start.column, text::columns(&edit.text));
        if start.column > line.to() {
            // behind what is loaded, which stays
            line.length = line.length.saturating_sub(removed) + added;
            return true;
        }
        if end.column < line.from {
            line.from = line.from - removed + added;
            line.length = line.length.saturating_sub(removed) + added;
            return true;
        }
        if !line.covers(start.column) || !line.covers(end.column) {
            return false;
        }
        let (from, to) = (line.byte(start.column), line.byte(end.column));
        line.text.replace_range(from..to, &edit.text);
        line.columns = line.columns - removed + added;
        line.length = line.length.saturating_sub(removed) + added;
        true
    }

    fn line_mut(&mut self, number: u32) -> Option<&mut Slice> {
        self.lines.get_mut(number.checked_sub(self.first)? as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A document in full, to compare windows with.
    fn edited(document: &str, edit: &Edit) -> String {
        let at = |pos: Pos| {
            let mut lines = document.split('\n');
            let before: usize = lines
                .by_ref()
                .take(pos.line as usize)
                .map(|line| line.len() + 1)
                .sum();
            before + text::byte_at(lines.next().unwrap(), pos.column)
        };
        let mut text = document.to_owned();
        text.replace_range(at(edit.span.start)..at(edit.span.end), &edit.text);
        text
    }

    fn window(document: &str, first: u32, end: u32, slice: Option<(u32, u32)>) -> Window {
        let lines: Vec<&str> = document.split('\n').collect();
        let chosen = lines[first as usize..end as usize]
            .iter()
            .map(|line| {
                let length = text::columns(line);
                match slice {
                    Some((from, to)) if from < length => Line {
                        text: line[text::byte_at(line, from)..text::byte_at(line, to)].to_owned(),
                        from,
                        length: Some(length),
                    },
                    _ => Line {
                        text: (*line).to_owned(),
                        from: 0,
                        length: None,
                    },
                }
            })
            .collect();
        Window::new(first, chosen, lines.len() as u32)
    }

    fn assert_true_to(window: &Window, document: &str) {
        let lines: Vec<&str> = document.split('\n').collect();
        assert_eq!(window.total() as usize, lines.len());
        assert!(window.end() as usize <= lines.len(), "{window:?}");
        for number in window.first()..window.end() {
            let (slice, line) = (window.line(number).unwrap(), lines[number as usize]);
            assert_eq!(slice.length(), text::columns(line), "{number} {window:?}");
            let loaded = &line[text::byte_at(line, slice.from())..text::byte_at(line, slice.to())];
            assert_eq!(slice.text(), loaded, "{number}");
        }
    }

    #[test]
    fn whatever_is_edited_the_loaded_lines_are_those_of_the_document() {
        let document = "zero\n日本語 one\n\ntwo\nthree and more\nfour\n";
        let lines: Vec<&str> = document.split('\n').collect();
        let places: Vec<Pos> = lines
            .iter()
            .enumerate()
            .flat_map(|(number, line)| {
                let length = text::columns(line);
                [0, length / 2, length].map(|column| Pos::new(number as u32, column))
            })
            .collect();
        let mut compared = 0;
        for first in 0..lines.len() as u32 {
            for end in first..=lines.len() as u32 {
                for slice in [None, Some((0, 2)), Some((1, 3))] {
                    for (index, start) in places.iter().enumerate() {
                        for stop in &places[index..] {
                            for text in ["", "x", "日\n", "a\nbc\nd"] {
                                let edit = Edit {
                                    span: Span::between(*start, *stop),
                                    text: text.to_owned(),
                                };
                                let mut window = window(document, first, end, slice);
                                window.apply(&edit);
                                assert_true_to(&window, &edited(document, &edit));
                                compared += 1;
                            }
                        }
                    }
                }
            }
        }
        assert!(compared > 50_000);
    }

    #[test]
    fn an_edit_within_loaded_text_loses_nothing() {
        let document = "one\ntwo\nthree";
        let mut window = window(document, 0, 3, None);
        window.apply(&Edit::insert(Pos::new(1, 1), "A\nB\nC"));
        assert_eq!((window.first(), window.end()), (0, 5));
        let all = Span::between(Pos::new(0, 0), Pos::new(4, 5));
        assert_eq!(window.text_of(all).unwrap(), "one\ntA\nB\nCwo\nthree");
    }

    #[test]
    fn windows_that_touch_grow_together() {
        let document = "0\n1\n2\n3\n4\n5";
        let mut one = window(document, 1, 3, None);
        one.merge(window(document, 3, 5, None), Pos::default());
        assert_eq!((one.first(), one.end()), (1, 5));
        one.merge(window(document, 0, 2, None), Pos::default());
        assert_eq!((one.first(), one.end()), (0, 5));
        assert_true_to(&one, document);
        one.trim(3, 1);
        assert_eq!((one.first(), one.end()), (2, 5));
        one.merge(window(document, 0, 1, None), Pos::default());
        assert_eq!((one.first(), one.end()), (0, 1), "a gap cannot be held");
    }

    #[test]
    fn a_line_grown_too_long_is_cut_back_around_the_cursor() {
        let mut window = Window::empty();
        window.apply(&Edit::insert(Pos::default(), "x".repeat(10_000)));
        window.shorten(Pos::new(0, 10_000), 0);
        let line = window.line(0).unwrap();
        assert_eq!(
            (line.from(), line.to(), line.length()),
            (9_000, 10_000, 10_000)
        );
        assert_eq!(
            window.text_of(Span::between(Pos::default(), Pos::new(0, 3))),
            None
        );
    }
}

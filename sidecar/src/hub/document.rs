//! A document: text, revisions, and the way back.
//!
//! Every change is an [`Edit`] that turns one revision into the next. An edit that an author made
//! against an older revision is moved past what others did since ([`Document::rebase`]): positions
//! are exact where people work at different places; where two change the same characters at the same
//! moment, nothing of either is lost, but which comes first is this document's decision.
//!
//! Undo is one stack for everybody, in the order of the changes: so taking a group back is always
//! exact. The stack is bounded by bytes, the oldest groups are forgotten.

use std::collections::VecDeque;

use ropey::Rope;
use serde::{Deserialize, Serialize};
use stui_protocol::pane::{Edit, Instance, Line, MAX_SLICE, Pos, Span};

/// How many revisions back an edit may have been made; older ones are taken as they are.
const KEPT_EDITS: usize = 4096;
/// Most bytes that are kept to move edits past each other; more than any author sends unacknowledged.
const KEPT_EDIT_BYTES: usize = 4 << 20;
/// Most bytes of text that undo and redo keep together.
const UNDO_BYTES: usize = 8 << 20;

/// Who changes the document, and which of the author's groups the change belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorship {
    /// The instance; none: the sidecar itself.
    pub by: Option<Instance>,
    /// Changes of one author with the same number are undone together.
    pub group: u64,
}

/// An edit as it was applied, with what it was before it was moved.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Applied {
    edit: Edit,
    by: Option<Instance>,
    /// The edit as its author made it, in a text that had only the author's own changes.
    made: Edit,
}

/// A change and its reverse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Step {
    forward: Edit,
    backward: Edit,
}

impl Step {
    fn bytes(&self) -> usize {
        self.forward.text.len() + self.backward.text.len() + size_of::<Step>()
    }
}

/// Steps that are undone together, in the order in which they were made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Group {
    authorship: Authorship,
    steps: Vec<Step>,
}

impl Group {
    fn bytes(&self) -> usize {
        self.steps.iter().map(Step::bytes).sum()
    }
}

/// What is kept of a document on disk.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct DocumentSnapshot {
    text: String,
    rev: u64,
    recent: VecDeque<Applied>,
    undo: VecDeque<Group>,
    redo: Vec<Group>,
}

/// A text with its revisions.
#[derive(Debug, Default)]
pub struct Document {
    rope: Rope,
    rev: u64,
    recent: VecDeque<Applied>,
    recent_bytes: usize,
    undo: VecDeque<Group>,
    redo: Vec<Group>,
    undo_bytes: usize,
}

impl Document {
    /// The document that a snapshot holds.
    pub fn from_snapshot(snapshot: DocumentSnapshot) -> Self {
        let undo_bytes = snapshot.undo.iter().map(Group::bytes).sum::<usize>()
            + snapshot.redo.iter().map(Group::bytes).sum::<usize>();
        Document {
            rope: Rope::from(snapshot.text),
            rev: snapshot.rev,
            recent_bytes: snapshot.recent.iter().map(applied_bytes).sum(),
            recent: snapshot.recent,
            undo: snapshot.undo,
            redo: snapshot.redo,
            undo_bytes,
        }
    }

    /// Everything that must survive on disk.
    pub fn snapshot(&self) -> DocumentSnapshot {
        DocumentSnapshot {
            text: self.rope.to_string(),
            rev: self.rev,
            recent: self.recent.clone(),
            undo: self.undo.clone(),
            redo: self.redo.clone(),
        }
    }

    /// The number of changes so far.
    pub fn rev(&self) -> u64 {
        self.rev
    }

    /// How many lines there are; an empty document has one.
    pub fn line_count(&self) -> u32 {
        u32::try_from(self.rope.len_lines()).unwrap_or(u32::MAX)
    }

    /// The whole text.
    pub fn text(&self) -> String {
        self.rope.to_string()
    }

    /// The text of a span, at most `max_bytes` of it, and whether something was left out.
    pub fn text_of(&self, span: Span, max_bytes: usize) -> (String, bool) {
        let (start, end) = (self.index(span.start), self.index(span.end));
        let slice = self.rope.slice(start..end.max(start));
        if slice.len_bytes() <= max_bytes {
            return (slice.to_string(), false);
        }
        let kept = slice.byte_to_char(max_bytes);
        (slice.slice(..kept).to_string(), true)
    }

    /// The nearest place that exists.
    pub fn clamp(&self, pos: Pos) -> Pos {
        let line = pos.line.min(self.line_count() - 1);
        Pos::new(line, pos.column.min(self.line_length(line)))
    }

    /// The character index of a place, the nearest one that exists.
    pub fn index(&self, pos: Pos) -> usize {
        let pos = self.clamp(pos);
        self.rope.line_to_char(pos.line as usize) + pos.column as usize
    }

    /// The place of a character index, at most the end of the text.
    pub fn place(&self, index: usize) -> Pos {
        let index = index.min(self.rope.len_chars());
        let line = self.rope.char_to_line(index);
        Pos::new(line as u32, (index - self.rope.line_to_char(line)) as u32)
    }

    /// How many characters a line has, its line feed not counted.
    fn line_length(&self, line: u32) -> u32 {
        let line = line as usize;
        let start = self.rope.line_to_char(line);
        let end = if line + 1 < self.rope.len_lines() {
            self.rope.line_to_char(line + 1) - 1
        } else {
            self.rope.len_chars()
        };
        (end - start) as u32
    }

    /// Lines from `first` on: at most `count` of them, no more than fit into `max_bytes` of UTF-8,
    /// but at least one if there is one. Lines longer than a slice are cut to the part from column
    /// `from` on; many long lines get shorter slices, so that all fit.
    pub fn window(&self, first: u32, count: u32, from: u32, max_bytes: usize) -> Vec<Line> {
        let last = first.saturating_add(count).min(self.line_count());
        let slice = (max_bytes / 4 / (count.max(1) as usize)).clamp(200, MAX_SLICE) as u32;
        let mut lines = Vec::new();
        let mut bytes = 0;
        for number in first..last {
            let length = self.line_length(number);
            let (start, end) = if length <= slice {
                (0, length)
            } else {
                let start = from.min(length);
                (start, start.saturating_add(slice).min(length))
            };
            let at = self.rope.line_to_char(number as usize);
            let text = self
                .rope
                .slice(at + start as usize..at + end as usize)
                .to_string();
            bytes += escaped_len(&text) + 16;
            if bytes > max_bytes && !lines.is_empty() {
                break;
            }
            lines.push(Line {
                text,
                from: start,
                length: (end - start != length).then_some(length),
            });
        }
        lines
    }

    /// The edit that an author made when the last foreign change he knew of was `rev`, as it applies
    /// now. His own changes since then are part of the text he saw; those of others are not.
    pub fn rebase(&self, edit: &Edit, rev: u64, by: &Instance) -> Edit {
        let since = usize::try_from(self.rev.saturating_sub(rev)).unwrap_or(usize::MAX);
        let unseen = self
            .recent
            .iter()
            .skip(self.recent.len().saturating_sub(since));
        // The changes of others, as they would have been made in the author's own text so far.
        let mut foreign: Vec<Edit> = Vec::new();
        for applied in unseen {
            if applied.by.as_ref() == Some(by) {
                let mut own = applied.made.clone();
                for other in &mut foreign {
                    let moved = before(other, &own);
                    own = own.after(other);
                    *other = moved;
                }
            } else {
                foreign.push(applied.edit.clone());
            }
        }
        foreign
            .iter()
            .fold(edit.clone(), |edit, other| edit.after(other))
    }

    /// Applies an edit that fits this revision; places that do not exist become the nearest ones.
    /// `made` is what its author sent, if it was moved. Answers the edit as applied.
    pub fn apply(&mut self, edit: &Edit, made: Option<&Edit>, authorship: &Authorship) -> Edit {
        let (edit, step) = self.change(edit, made, authorship.by.clone());
        for group in self.redo.drain(..) {
            self.undo_bytes -= group.bytes();
        }
        self.undo_bytes += step.bytes();
        match self.undo.back_mut() {
            Some(group) if group.authorship == *authorship => group.steps.push(step),
            _ => self.undo.push_back(Group {
                authorship: authorship.clone(),
                steps: vec![step],
            }),
        }
        while self.undo_bytes > UNDO_BYTES
            && let Some(oldest) = self.undo.pop_front()
        {
            self.undo_bytes -= oldest.bytes();
        }
        edit
    }

    /// Takes the last group of changes back. Answers the edits that did it, each turning one revision
    /// into the next; none if nothing is left.
    pub fn undo(&mut self) -> Vec<Edit> {
        let Some(group) = self.undo.pop_back() else {
            return Vec::new();
        };
        let mut done = Vec::new();
        for step in group.steps.iter().rev() {
            self.change_in_pieces(&step.backward, &mut done);
        }
        self.redo.push(group);
        done
    }

    /// Does again what was taken back last. Answers as [`Document::undo`].
    pub fn redo(&mut self) -> Vec<Edit> {
        let Some(group) = self.redo.pop() else {
            return Vec::new();
        };
        let mut done = Vec::new();
        for step in &group.steps {
            self.change_in_pieces(&step.forward, &mut done);
        }
        self.undo.push_back(group);
        done
    }

    fn change_in_pieces(&mut self, edit: &Edit, done: &mut Vec<Edit>) {
        for piece in pieces(edit) {
            done.push(self.change(&piece, None, None).0);
        }
    }

    /// Changes the text; the one place where that happens.
    fn change(&mut self, edit: &Edit, made: Option<&Edit>, by: Option<Instance>) -> (Edit, Step) {
        let start = self.clamp(edit.span.start);
        let end = self.clamp(edit.span.end).max(start);
        let (from, to) = (self.index(start), self.index(end));
        let removed = self.rope.slice(from..to).to_string();
        self.rope.remove(from..to);
        self.rope.insert(from, &edit.text);
        self.rev += 1;
        let edit = Edit {
            span: Span { start, end },
            text: edit.text.clone(),
        };
        let backward = Edit {
            span: Span {
                start,
                end: edit.end(),
            },
            text: removed,
        };
        let applied = Applied {
            made: made.unwrap_or(&edit).clone(),
            edit: edit.clone(),
            by,
        };
        self.recent_bytes += applied_bytes(&applied);
        self.recent.push_back(applied);
        while self.recent.len() > KEPT_EDITS || self.recent_bytes > KEPT_EDIT_BYTES {
            match self.recent.pop_front() {
                Some(oldest) => self.recent_bytes -= applied_bytes(&oldest),
                None => break,
            }
        }
        let step = Step {
            forward: edit.clone(),
            backward,
        };
        (edit, step)
    }
}

fn applied_bytes(applied: &Applied) -> usize {
    applied.edit.text.len() + applied.made.text.len() + size_of::<Applied>()
}

/// `earlier`, that came first, as it would have been made in a text where `later` was already done;
/// the counterpart of [`Edit::after`]. What `later` takes away around it is gone.
fn before(earlier: &Edit, later: &Edit) -> Edit {
    let Span { start, end } = earlier.span;
    let swallowed = later.span.start < start && end < later.span.end;
    let new_start = later.moves(start, !earlier.span.is_empty() && later.span.start != start);
    Edit {
        span: Span {
            start: new_start,
            end: later.moves(end, false).max(new_start),
        },
        text: if swallowed {
            String::new()
        } else {
            earlier.text.clone()
        },
    }
}

/// Most bytes of text in one edit that is told to panes, as JSON writes them.
pub const MAX_PIECE: usize = 48 * 1024;

/// How many bytes a text takes in JSON, quotes not counted.
pub fn escaped_len(text: &str) -> usize {
    text.chars().map(escaped_char_len).sum()
}

fn escaped_char_len(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        c if (c as u32) < 0x20 => 6,
        c => c.len_utf8(),
    }
}

/// The edit as edits whose texts are no longer than [`MAX_PIECE`], to be applied one after the other.
pub fn pieces(edit: &Edit) -> Vec<Edit> {
    let mut pieces = Vec::new();
    let mut span = edit.span;
    let mut rest = edit.text.as_str();
    loop {
        let mut bytes = 0;
        let cut = rest
            .char_indices()
            .find(|(_, c)| {
                bytes += escaped_char_len(*c);
                bytes > MAX_PIECE
            })
            .map_or(rest.len(), |(at, _)| at);
        let (text, behind) = rest.split_at(cut);
        let piece = Edit {
            span,
            text: text.to_owned(),
        };
        let end = piece.end();
        span = Span { start: end, end };
        pieces.push(piece);
        rest = behind;
        if rest.is_empty() {
            return pieces;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(n: u64) -> Instance {
        Instance::new(1, 1, n)
    }

    fn by(n: u64, group: u64) -> Authorship {
        Authorship {
            by: Some(instance(n)),
            group,
        }
    }

    fn document(text: &str) -> Document {
        let mut document = Document::default();
        document.apply(&Edit::insert(Pos::default(), text), None, &by(0, 0));
        document
    }

    fn replace(start: (u32, u32), end: (u32, u32), text: &str) -> Edit {
        Edit {
            span: Span {
                start: Pos::new(start.0, start.1),
                end: Pos::new(end.0, end.1),
            },
            text: text.into(),
        }
    }

    /// Sends an edit as an author would who knows of foreign changes up to `rev`.
    fn send(document: &mut Document, author: u64, rev: u64, edit: &Edit) {
        let moved = document.rebase(edit, rev, &instance(author));
        document.apply(&moved, Some(edit), &by(author, rev));
    }

    #[test]
    fn places_behind_a_line_or_the_text_become_the_nearest_ones() {
        let mut document = document("ab\nc");
        document.apply(&replace((0, 9), (7, 7), "!"), None, &by(1, 1));
        assert_eq!(document.text(), "ab!");
    }

    #[test]
    fn two_people_typing_at_different_places_without_knowing_of_each_other_both_get_their_text() {
        let mut document = document("one\ntwo\n");
        let rev = document.rev();
        send(&mut document, 1, rev, &Edit::insert(Pos::new(0, 3), "a"));
        send(&mut document, 2, rev, &Edit::insert(Pos::new(1, 3), "x\n"));
        send(&mut document, 1, rev, &Edit::insert(Pos::new(0, 4), "b\n"));
        send(&mut document, 2, rev, &Edit::insert(Pos::new(2, 0), "y"));
        send(&mut document, 1, rev, &Edit::insert(Pos::new(1, 0), "c"));
        assert_eq!(document.text(), "oneab\nc\ntwox\ny\n");
    }

    #[test]
    fn typing_goes_on_behind_what_somebody_else_inserted_in_front() {
        let mut document = document("12345");
        let rev = document.rev();
        send(&mut document, 2, rev, &Edit::insert(Pos::new(0, 0), "<<"));
        for (n, c) in ["a", "b", "c"].into_iter().enumerate() {
            send(
                &mut document,
                1,
                rev,
                &Edit::insert(Pos::new(0, 5 + n as u32), c),
            );
        }
        assert_eq!(document.text(), "<<12345abc");
    }

    #[test]
    fn what_one_deletes_around_the_others_insertion_leaves_later_typing_where_it_belongs() {
        let mut document = document("0123456789 tail");
        let rev = document.rev();
        send(&mut document, 2, rev, &Edit::insert(Pos::new(0, 5), "xyz"));
        send(&mut document, 1, rev, &replace((0, 0), (0, 10), ""));
        send(&mut document, 1, rev, &Edit::insert(Pos::new(0, 5), "!"));
        assert_eq!(document.text(), " tail!");
    }

    #[test]
    fn undo_takes_whole_groups_back_and_redo_does_them_again() {
        let mut document = Document::default();
        for (group, text) in [(1, "a"), (1, "b"), (2, "c")] {
            let end = document.place(usize::MAX);
            document.apply(&Edit::insert(end, text), None, &by(1, group));
        }
        assert_eq!(document.undo().len(), 1);
        assert_eq!(document.text(), "ab");
        assert_eq!(document.undo().len(), 2);
        assert_eq!(document.text(), "");
        assert!(document.undo().is_empty());
        document.redo();
        document.redo();
        assert!(document.redo().is_empty());
        assert_eq!(document.text(), "abc");
        assert_eq!(document.rev(), 9);
    }

    #[test]
    fn a_new_change_ends_what_could_be_done_again() {
        let mut document = document("a");
        document.undo();
        document.apply(&Edit::insert(Pos::default(), "b"), None, &by(1, 1));
        assert!(document.redo().is_empty());
        assert_eq!(document.text(), "b");
    }

    #[test]
    fn a_deletion_of_much_text_is_taken_back_in_pieces() {
        let text = "0123456789\n".repeat(20_000);
        let mut document = document(&text);
        document.apply(&replace((0, 0), (20_000, 0), ""), None, &by(1, 1));
        let edits = document.undo();
        assert!(edits.len() > 1);
        assert!(edits.iter().all(|e| escaped_len(&e.text) <= MAX_PIECE));
        assert_eq!(document.text(), text);
    }

    #[test]
    fn undo_forgets_the_oldest_groups_when_it_holds_too_much() {
        let mut document = Document::default();
        let megabyte = "x".repeat(1 << 20);
        for group in 0..12 {
            document.apply(
                &Edit::insert(Pos::default(), &*megabyte),
                None,
                &by(1, group),
            );
        }
        let mut undone = 0;
        while !document.undo().is_empty() {
            undone += 1;
        }
        assert_eq!(undone, 7);
        assert_eq!(document.text().len(), 5 << 20);
    }

    #[test]
    fn a_window_cuts_long_lines_and_stops_where_it_would_get_too_large() {
        let long = "é".repeat(5000);
        let document = document(&format!("short\n{long}\nlast"));
        let lines = document.window(0, 10, 0, 40_000);
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0].length, None);
        assert_eq!(lines[1].text.chars().count(), MAX_SLICE);
        assert_eq!(lines[1].length, Some(5000));
        let right = document.window(1, 1, 4900, 40_000);
        assert_eq!((right[0].from, right[0].text.chars().count()), (4900, 100));
        assert_eq!(document.window(1, 2, 0, 100).len(), 1);
        assert!(document.window(3, 5, 0, 40_000).is_empty());
    }

    #[test]
    fn only_a_line_feed_ends_a_line() {
        let document = document("a\rb\u{2028}c\u{b}d");
        assert_eq!(document.line_count(), 1);
        assert_eq!(document.place(usize::MAX), Pos::new(0, 7));
    }

    #[test]
    fn a_snapshot_brings_text_revision_undo_and_concurrent_edits_back() {
        let mut before = document("one two");
        let rev = before.rev();
        send(&mut before, 1, rev, &Edit::insert(Pos::new(0, 0), "(("));
        let mut after = Document::from_snapshot(before.snapshot());
        assert_eq!(after.rev(), before.rev());
        send(&mut after, 2, rev, &Edit::insert(Pos::new(0, 7), "!"));
        assert_eq!(after.text(), "((one two!");
        after.undo();
        after.undo();
        assert_eq!(after.text(), "one two");
    }
}

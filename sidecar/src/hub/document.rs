//! A document: text, revisions, and the way back.
//!
//! Every change is an [`Edit`] that turns one revision into the next. An edit that an author made
//! without knowing of what others did meanwhile is moved past that ([`Document::take`]); his pane does
//! the same the other way round, by the same rules ([`stui_protocol::change`]), so that both have one
//! text. To that end the document keeps, for each author who is behind, the changes that he did not
//! know of when he made his last edit, moved past his edits.
//!
//! Undo is one stack for everybody, in the order of the changes: so taking a group back is always
//! exact. The stack is bounded by bytes, the oldest groups are forgotten.

use std::collections::VecDeque;
use std::ops::Range;

use ropey::Rope;
use serde::{Deserialize, Serialize};
use stui_protocol::change::{Change, pass};
use stui_protocol::pane::{Edit, Instance, Line, MAX_SLICE, Pos, Span};

/// How many revisions back an edit may have been made. An older one lands somewhere near its place,
/// and its author, who sees that it is not where he made it, asks for his window anew.
const KEPT_EDITS: usize = 4096;
/// Most bytes that are kept to move edits past each other; more than any author sends unacknowledged.
const KEPT_EDIT_BYTES: usize = 4 << 20;
/// Of how many authors it is known what they have not seen; more than can be behind at once.
const MAX_BEHIND: usize = 32;
/// Most bytes that undo and redo keep together.
const UNDO_BYTES: usize = 4 << 20;

/// Who changes the document, and which of the author's groups the change belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorship {
    /// The instance; none: the sidecar itself.
    pub by: Option<Instance>,
    /// Changes of one author with the same number are undone together.
    pub group: u64,
}

/// An edit as it was applied.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Applied {
    edit: Edit,
    by: Option<Instance>,
}

/// What an author had not seen when he made his last edit.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Behind {
    by: Instance,
    /// The revision that his last edit led to.
    rev: u64,
    /// Changes by others up to then, with their revisions, as they are made in his text.
    unseen: Vec<(u64, Change)>,
}

/// An edit that was made, and what it led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The edit as it applied.
    pub edit: Edit,
    /// The revision after it.
    pub rev: u64,
    /// How many lines there are after it.
    pub total: u32,
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

    /// Makes this step and the one after it one, if they are one thing in effect: typing on, or deleting
    /// backwards. A step for each character would take a hundred times the text.
    fn takes_in(&mut self, next: &Step) -> bool {
        let (first, then) = (&mut self.forward, &next.forward);
        let types_on = then.span.is_empty() && then.span.start == first.end();
        let deletes_on = first.text.is_empty()
            && self.backward.text.len() + next.backward.text.len() < MAX_PIECE
            && then.text.is_empty()
            && then.span.end == first.span.start;
        if types_on && first.text.len() + then.text.len() < MAX_PIECE {
            first.text.push_str(&then.text);
            self.backward.span.end = first.end();
        } else if deletes_on {
            first.span.start = then.span.start;
            self.backward.span = Span {
                start: then.span.start,
                end: then.span.start,
            };
            self.backward.text.insert_str(0, &next.backward.text);
        } else {
            return false;
        }
        true
    }
}

/// Steps that are undone together, in the order in which they were made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Group {
    authorship: Authorship,
    steps: Vec<Step>,
}

impl Group {
    /// Without the steps.
    fn own_bytes(&self) -> usize {
        let by = self.authorship.by.as_ref().map_or(0, |by| by.0.len());
        size_of::<Group>() + by
    }

    fn bytes(&self) -> usize {
        self.own_bytes() + self.steps.iter().map(Step::bytes).sum::<usize>()
    }
}

/// What is kept of a document on disk.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct DocumentSnapshot {
    text: String,
    rev: u64,
    recent: VecDeque<Applied>,
    #[serde(default)]
    behind: VecDeque<Behind>,
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
    /// Longest unheard of first.
    behind: VecDeque<Behind>,
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
            behind: snapshot.behind,
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
            behind: self.behind.clone(),
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
    /// but at least one if there is one. Lines longer than a slice are cut to the part around a column;
    /// many long lines get shorter slices, so that all fit, but none of less than `width` columns.
    pub fn window(
        &self,
        first: u32,
        count: u32,
        (column, width): (u32, u32),
        max_bytes: usize,
    ) -> Vec<Line> {
        const LONGEST: u32 = MAX_SLICE as u32;
        let last = first.saturating_add(count).min(self.line_count());
        let width = width.clamp(1, LONGEST);
        let mut slice = LONGEST;
        loop {
            let lines = self.slices(first..last, (column, slice), max_bytes);
            if slice == width || lines.len() as u32 >= last.saturating_sub(first) {
                return lines;
            }
            slice = (slice / 2).max(width);
        }
    }

    /// As many of these lines as fit, with slices of this length around a column.
    fn slices(
        &self,
        numbers: Range<u32>,
        (column, slice): (u32, u32),
        max_bytes: usize,
    ) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut bytes = 0;
        for number in numbers {
            let length = self.line_length(number);
            let start = column
                .min(length)
                .saturating_sub(slice / 2)
                .min(length.saturating_sub(slice));
            let end = start.saturating_add(slice).min(length);
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

    /// Takes an edit that its author made when the last revision he knew of was `rev`. His own edits
    /// after that one are part of the text he saw; those of others are not. Answers what became of it:
    /// one edit or, around what others inserted, several.
    pub fn take(&mut self, edit: &Edit, rev: u64, authorship: &Authorship) -> Vec<Changed> {
        let mut change = Change::from(edit.clone());
        let mut unseen = self.unseen(rev, authorship.by.as_ref());
        for (_, foreign) in &mut unseen {
            (*foreign, change) = pass(foreign, &change);
        }
        let changed = change
            .edits()
            .map(|edit| self.apply(edit, authorship))
            .collect();
        if let Some(by) = &authorship.by {
            self.behind.retain(|behind| behind.by != *by);
            if !unseen.is_empty() {
                self.behind.push_back(Behind {
                    by: by.clone(),
                    rev: self.rev,
                    unseen,
                });
                if self.behind.len() > MAX_BEHIND {
                    self.behind.pop_front();
                }
            }
        }
        changed
    }

    /// A span that an author means, who knows of revision `rev` and of his own edits, in the text of
    /// now.
    pub fn current_span(&self, span: Span, rev: u64, by: &Instance) -> Span {
        let unseen = self.unseen(rev, Some(by));
        let span = unseen
            .iter()
            .fold(span, |span, (_, change)| change.moves_span(span));
        let start = self.clamp(span.start);
        Span {
            start,
            end: self.clamp(span.end).max(start),
        }
    }

    /// The same for a place.
    pub fn current_place(&self, place: Pos, rev: u64, by: &Instance) -> Pos {
        let unseen = self.unseen(rev, Some(by));
        let place = unseen
            .iter()
            .fold(place, |place, (_, change)| change.moves(place, false));
        self.clamp(place)
    }

    /// What others did after `rev`, as it is made in the text of an author with all his edits.
    fn unseen(&self, rev: u64, by: Option<&Instance>) -> Vec<(u64, Change)> {
        let behind = self.behind.iter().find(|behind| Some(&behind.by) == by);
        let mut unseen: Vec<(u64, Change)> = behind
            .iter()
            .flat_map(|behind| &behind.unseen)
            .filter(|(number, _)| *number > rev)
            .cloned()
            .collect();
        // Since his last edit nobody but others changed anything, or nothing of theirs is unseen.
        let known = behind.map_or(rev, |behind| behind.rev.max(rev));
        let forgotten = self.rev.saturating_sub(self.recent.len() as u64);
        let skipped = usize::try_from(known.saturating_sub(forgotten)).unwrap_or(usize::MAX);
        let skipped = skipped.min(self.recent.len());
        let later = (forgotten + 1 + skipped as u64..).zip(self.recent.range(skipped..));
        unseen.extend(
            later
                .filter(|(_, applied)| applied.by.as_ref() != by)
                .map(|(number, applied)| (number, Change::from(applied.edit.clone()))),
        );
        unseen
    }

    /// Applies an edit that fits this revision; places that do not exist become the nearest ones.
    pub fn apply(&mut self, edit: &Edit, authorship: &Authorship) -> Changed {
        let (changed, step) = self.change(edit, authorship.by.clone());
        for group in self.redo.drain(..) {
            self.undo_bytes -= group.bytes();
        }
        self.keep_for_undo(step, authorship);
        while self.undo_bytes > UNDO_BYTES
            && let Some(oldest) = self.undo.pop_front()
        {
            self.undo_bytes -= oldest.bytes();
        }
        changed
    }

    fn keep_for_undo(&mut self, step: Step, authorship: &Authorship) {
        if let Some(group) = self.undo.back_mut()
            && group.authorship == *authorship
        {
            if let Some(last) = group.steps.last_mut() {
                let before = last.bytes();
                if last.takes_in(&step) {
                    self.undo_bytes += last.bytes() - before;
                    return;
                }
            }
            self.undo_bytes += step.bytes();
            group.steps.push(step);
        } else {
            let group = Group {
                authorship: authorship.clone(),
                steps: vec![step],
            };
            self.undo_bytes += group.bytes();
            self.undo.push_back(group);
        }
    }

    /// Takes the last group of changes back. Answers the edits that did it, each turning one revision
    /// into the next; none if nothing is left.
    pub fn undo(&mut self) -> Vec<Changed> {
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
    pub fn redo(&mut self) -> Vec<Changed> {
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

    fn change_in_pieces(&mut self, edit: &Edit, done: &mut Vec<Changed>) {
        for piece in pieces(edit) {
            done.push(self.change(&piece, None).0);
        }
    }

    /// Changes the text; the one place where that happens.
    fn change(&mut self, edit: &Edit, by: Option<Instance>) -> (Changed, Step) {
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
        let changed = Changed {
            edit,
            rev: self.rev,
            total: self.line_count(),
        };
        (changed, step)
    }
}

fn applied_bytes(applied: &Applied) -> usize {
    applied.edit.text.len() + size_of::<Applied>()
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
mod tests;

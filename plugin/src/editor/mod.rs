//! The editor of a shared document, over a [`Window`] of it.
//!
//! Own edits are applied at once and sent; the sidecar's order is the only one, so when somebody
//! else's edit comes between, it is moved past the own ones that are not yet through, and they past it
//! (`sync.rs`). What a key means depends on the text at the cursor: while that text is not loaded, or
//! something was lost on the way, keys wait in a queue, so nothing typed is lost or misplaced.
//!
//! While there is no document and no sidecar to bring one, the instance edits a *draft*: an empty
//! document of its own, whose edits are made again at the beginning of the real one once that is known.

mod draw;
mod motion;
mod others;
mod sync;

pub use draw::gutter;
pub(crate) use draw::{columns_within, style_of};
pub use sync::Announced;

use std::collections::VecDeque;

use stui_protocol::change::Change;
use stui_protocol::pane::{Act, Edit, FromPane, How, MAX_EDIT_TEXT, Mark, Pos, Span};

use crate::command::{Command, Motion};
use crate::io::{Effect, Outcome, Size};
use crate::link::Link;
use crate::question::Question;
use crate::status::Message;
use crate::text;
use crate::window::Window;

use self::others::Others;

/// Most steps that wait for text to arrive.
const QUEUE_LIMIT: usize = 4096;
/// Most text of a draft or of waiting pastes, in bytes.
const DRAFT_LIMIT: usize = 1024 * 1024;
/// Longest text that is copied without asking the sidecar for it, in bytes.
const CLIPBOARD_LIMIT: usize = 256 * 1024;

/// One thing done to the editor.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// A command, and whether it extends the selection.
    Command(Command, bool),
    /// A character was typed.
    Type(char),
    /// Text was pasted.
    Paste(String),
    /// A place on the screen was clicked: row and cell.
    Point {
        /// Row of the text area.
        row: u32,
        /// Cell of the text area.
        x: u32,
    },
}

/// Where the cursor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cursor {
    pos: Pos,
    /// The cell that vertical motions aim at.
    wish: Option<u32>,
    /// Whether the column is known; else it follows from `wish` once the line is loaded.
    settled: bool,
}

/// What the last edits were, to undo them together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Run {
    Typing { blank: bool },
    DeletingLeft,
    DeletingRight,
}

/// A request for lines: first, count, column.
type Wanted = (u32, u32, u32);

/// See the module's text.
#[derive(Debug)]
pub struct Editor {
    window: Window,
    /// Revision that the window is at, own edits that were not yet echoed aside; none: a draft.
    base: Option<u64>,
    /// Something was lost on the way: the window is to be fetched anew.
    stale: bool,
    /// Where anchor and cursor are in the text of a revision, as the sidecar says: for the window that
    /// is fetched anew.
    stands: Option<(u64, Pos, Pos)>,
    /// Own edits that the sidecar has not yet announced, as they are made at `base`.
    unechoed: VecDeque<(u64, Change)>,
    draft: Vec<Edit>,
    draft_size: usize,
    cursor: Cursor,
    /// The end of the selection that stays.
    anchor: Option<Pos>,
    /// First line and first cell shown.
    top: u32,
    left: u32,
    size: Size,
    marks: Vec<Mark>,
    others: Others,
    group: u64,
    run: Option<(Run, Pos)>,
    clipboard: String,
    queue: VecDeque<Step>,
    question: Question<Wanted>,
    /// The last step was one after which the sidecar says where the selection goes. Whoever moved or
    /// typed on since is left where he is.
    awaits_selection: bool,
    /// That selection, meant in a text that is still being fetched.
    selected: Option<(Pos, Pos)>,
    /// One sentence for the user about the last step.
    notice: Option<Message>,
}

impl Default for Editor {
    fn default() -> Editor {
        Editor {
            window: Window::empty(),
            base: None,
            stale: false,
            stands: None,
            unechoed: VecDeque::new(),
            draft: Vec::new(),
            draft_size: 0,
            cursor: Cursor {
                pos: Pos::default(),
                wish: None,
                settled: true,
            },
            anchor: None,
            top: 0,
            left: 0,
            size: Size {
                rows: 24,
                columns: 80,
            },
            marks: Vec::new(),
            others: Others::default(),
            group: 0,
            run: None,
            clipboard: String::new(),
            queue: VecDeque::new(),
            question: Question::default(),
            awaits_selection: false,
            selected: None,
            notice: None,
        }
    }
}

impl Editor {
    /// The text area has this size now.
    pub fn resize(&mut self, size: Size) {
        if self.size != size {
            if size.columns > self.size.columns {
                self.widen(u32::from(size.columns - self.size.columns), size.columns);
            }
            self.size = size;
            self.question.changed();
            self.follow();
        }
    }

    /// Where the cursor is; its column may be unknown for a moment.
    pub fn cursor(&self) -> Pos {
        self.cursor.pos
    }

    /// What is selected, or the empty span at the cursor.
    pub fn selection(&self) -> Span {
        Span::between(self.anchor.unwrap_or(self.cursor.pos), self.cursor.pos)
    }

    /// What is loaded of the document.
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// Whether keys wait for text to arrive.
    pub fn is_waiting(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Whether the document is known and empty, or unknown and nothing was typed.
    pub fn is_empty(&self) -> bool {
        self.window.total() == 1
            && self.window.line(0).is_some_and(|line| line.length() == 0)
            && self.queue.is_empty()
    }

    /// The marks, moved along with own edits.
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// The sentence about the last step, once.
    pub fn take_notice(&mut self) -> Option<Message> {
        self.notice.take()
    }

    fn refuse(&mut self, why: &str) {
        self.notice = Some(Message::error(why));
    }

    /// Drop the selection and the marks of errors; answers whether there were any.
    pub fn cancel(&mut self) -> bool {
        let before = self.marks.len();
        self.marks.retain(|mark| !mark.kind.is_wrong());
        self.anchor.take().is_some() || self.marks.len() != before
    }

    /// Do a step, or let it wait until the text that it needs is there.
    pub fn step(&mut self, step: Step, link: &mut Link, out: &mut Outcome) {
        self.perform_waiting(link, out);
        if self.queue.is_empty() && self.is_ready_for(&step, link) {
            self.perform(step, link, out);
            return;
        }
        let waiting: usize = self.queue.iter().map(weight).sum();
        if self.queue.len() >= QUEUE_LIMIT || waiting + weight(&step) > DRAFT_LIMIT {
            self.refuse("The text is still being loaded; this key was not taken.");
        } else {
            self.queue.push_back(step);
        }
    }

    fn is_ready_for(&self, step: &Step, link: &Link) -> bool {
        // The document is on its way: a draft is for a sidecar that may not come for long, and in one the
        // end of the text, or what an evaluation would take, is not what the user means.
        if self.base.is_none() && link.is_live() {
            return false;
        }
        let vertical = matches!(
            step,
            Step::Command(
                Command::Move(
                    Motion::Up
                        | Motion::Down
                        | Motion::PageUp
                        | Motion::PageDown
                        | Motion::DocumentStart
                        | Motion::DocumentEnd
                ),
                _
            )
        );
        !self.stale && (vertical || self.is_cursor_there())
    }

    /// Whether the cursor's place is known, and what stands there.
    fn is_cursor_there(&self) -> bool {
        self.cursor.settled && self.window.covers(self.cursor.pos)
    }

    /// Do what waited, as far as it can be done now.
    fn perform_waiting(&mut self, link: &mut Link, out: &mut Outcome) {
        while let Some(step) = self.queue.front() {
            if !self.is_ready_for(step, link) {
                break;
            }
            if let Some(step) = self.queue.pop_front() {
                self.perform(step, link, out);
            }
        }
    }

    fn perform(&mut self, step: Step, link: &mut Link, out: &mut Outcome) {
        self.question.changed();
        self.awaits_selection = false;
        self.selected = None;
        let run = self.run.take();
        match step {
            Step::Type(c) => self.type_char(c, run, link, out),
            Step::Paste(text) => {
                self.group += 1;
                self.replace(&text, link, out);
            }
            Step::Point { row, x } => self.point(row, x),
            Step::Command(command, extend) => self.command(command, extend, run, link, out),
        }
        self.follow();
    }

    fn command(
        &mut self,
        command: Command,
        extend: bool,
        run: Option<(Run, Pos)>,
        link: &mut Link,
        out: &mut Outcome,
    ) {
        match command {
            Command::Move(motion) => self.travel(motion, extend),
            Command::SelectAll => {
                self.travel(Motion::DocumentStart, false);
                self.travel(Motion::DocumentEnd, true);
            }
            Command::NewLine => {
                self.group += 1;
                let indented = format!("\n{}", self.indentation());
                self.replace(&indented, link, out);
            }
            Command::InsertTab => self.type_char('\t', run, link, out),
            Command::DeleteLeft => self.delete(Motion::Left, Run::DeletingLeft, run, link, out),
            Command::DeleteRight => self.delete(Motion::Right, Run::DeletingRight, run, link, out),
            Command::DeleteWordLeft => {
                self.delete(Motion::WordLeft, Run::DeletingLeft, None, link, out);
            }
            Command::DeleteWordRight => {
                self.delete(Motion::WordRight, Run::DeletingRight, None, link, out);
            }
            Command::Copy => {
                self.copy(link, out);
            }
            Command::Cut if self.copy(link, out) => {
                self.group += 1;
                self.replace("", link, out);
            }
            Command::Paste => {
                self.group += 1;
                let text = self.clipboard.clone();
                self.replace(&text, link, out);
            }
            Command::Undo => self.undo_or_redo(Act::Undo, link, out),
            Command::Redo => self.undo_or_redo(Act::Redo, link, out),
            Command::Evaluate(how) => self.evaluate(how, link, out),
            _ => {}
        }
    }

    fn act(&mut self, act: Act, link: &mut Link, out: &mut Outcome) {
        if self.base.is_none() {
            self.refuse("This needs the sidecar, which is not there yet.");
        } else if link.act(act, out).is_none() {
            self.refuse("Too much waits for the sidecar already; this was not taken.");
        } else {
            self.awaits_selection = true;
        }
    }

    /// Both show only once the sidecar has done them. One that comes much later would surprise.
    fn undo_or_redo(&mut self, act: Act, link: &mut Link, out: &mut Outcome) {
        if self.base.is_some() && !link.takes_acts() {
            self.refuse(
                "There is no sidecar to take anything back, or to do it again; nothing was done.",
            );
            return;
        }
        if link.is_silent() {
            let text = "The sidecar is being started again: this is done once it is back.";
            self.notice = Some(Message::info(text));
        }
        self.act(act, link, out);
    }

    fn evaluate(&mut self, how: How, link: &mut Link, out: &mut Outcome) {
        match self.base {
            Some(rev) if link.takes_acts() => {
                let span = self.selection();
                if link.is_silent() {
                    let text = "The sidecar is being started again: this runs once it is back.";
                    self.notice = Some(Message::info(text));
                }
                self.act(Act::Evaluate { rev, span, how }, link, out);
            }
            _ => self.refuse("There is no sidecar to evaluate this; nothing was run."),
        }
    }

    fn type_char(&mut self, c: char, run: Option<(Run, Pos)>, link: &mut Link, out: &mut Outcome) {
        let blank = c.is_whitespace();
        let goes_on = self.anchor.is_none()
            && matches!(run, Some((Run::Typing { blank: before }, pos))
                if pos == self.cursor.pos && (blank || !before));
        if !goes_on {
            self.group += 1;
        }
        let mut buffer = [0; 4];
        if self.replace(c.encode_utf8(&mut buffer), link, out) {
            self.run = Some((Run::Typing { blank }, self.cursor.pos));
        }
    }

    fn delete(
        &mut self,
        motion: Motion,
        kind: Run,
        run: Option<(Run, Pos)>,
        link: &mut Link,
        out: &mut Outcome,
    ) {
        if run != Some((kind, self.cursor.pos)) {
            self.group += 1;
        }
        if self.selection().is_empty() {
            let before = self.cursor;
            self.travel(motion, true);
            if !self.cursor.settled {
                // the line before is not loaded: its end is where the deletion begins
                self.queue.push_front(Step::Command(
                    if kind == Run::DeletingLeft {
                        Command::DeleteRight
                    } else {
                        Command::DeleteLeft
                    },
                    false,
                ));
                self.anchor = None;
                return;
            }
            if self.cursor.pos == before.pos {
                self.anchor = None;
                return;
            }
        }
        if self.replace("", link, out) {
            self.run = Some((kind, self.cursor.pos));
        }
    }

    /// Put text in place of the selection, with the cursor behind it. Long text goes as several
    /// edits of one group. Answers whether it was taken.
    fn replace(&mut self, text: &str, link: &mut Link, out: &mut Outcome) -> bool {
        let mut rest = text;
        let mut span = self.selection();
        if span.is_empty() && text.is_empty() {
            return false;
        }
        loop {
            let mut length = rest.len().min(MAX_EDIT_TEXT);
            while !rest.is_char_boundary(length) {
                length -= 1;
            }
            let (piece, behind) = rest.split_at(length);
            let edit = Edit {
                span,
                text: piece.to_owned(),
            };
            let end = edit.end();
            if !self.commit(&edit, link, out) {
                return false;
            }
            self.cursor = Cursor {
                pos: end,
                wish: None,
                settled: true,
            };
            self.anchor = None;
            self.trim();
            if behind.is_empty() {
                return true;
            }
            rest = behind;
            span = Span { start: end, end };
        }
    }

    /// Apply an own edit and send it, or add it to the draft.
    fn commit(&mut self, edit: &Edit, link: &mut Link, out: &mut Outcome) -> bool {
        if let Some(rev) = self.base {
            let act = Act::Edit {
                rev,
                edit: edit.clone(),
                group: self.group,
            };
            let Some(seq) = link.act(act, out) else {
                self.refuse("Too much waits for the sidecar already; this was not taken.");
                return false;
            };
            self.unechoed.push_back((seq, Change::from(edit.clone())));
        } else {
            if self.draft_size + edit.text.len() > DRAFT_LIMIT {
                self.refuse("There is no sidecar yet to take so much text.");
                return false;
            }
            self.draft_size += edit.text.len();
            self.draft.push(edit.clone());
        }
        let Span { start, end } = edit.span;
        self.marks.retain(|mark| {
            !mark.kind.is_wrong()
                || end.line < mark.span.start.line
                || mark.span.end.line < start.line
        });
        self.applied(edit);
        self.others.moved_by_own(edit);
        true
    }

    /// Change window and marks as an edit says; the cursor is the caller's.
    fn applied(&mut self, edit: &Edit) {
        self.window.apply(edit);
        for mark in &mut self.marks {
            let start = edit.moves(mark.span.start, true);
            let end = edit.moves(mark.span.end, false).max(start);
            mark.span = Span { start, end };
        }
    }

    /// Copy the selection; answers whether there was one.
    fn copy(&mut self, link: &mut Link, out: &mut Outcome) -> bool {
        let span = self.selection();
        if span.is_empty() {
            return false;
        }
        match (self.window.text_of(span), self.base) {
            (Some(text), _) if text.len() <= CLIPBOARD_LIMIT => {
                self.clipboard.clone_from(&text);
                out.push(Effect::Copy(text));
                true
            }
            (_, Some(rev))
                if link.ask(
                    FromPane::Copy {
                        session: link.session(),
                        rev,
                        span,
                    },
                    out,
                ) =>
            {
                true
            }
            _ => {
                self.refuse("This text is with the sidecar, which is not there.");
                false
            }
        }
    }

    /// Text for the clipboard arrived.
    pub fn copied(&mut self, text: String, truncated: bool, out: &mut Outcome) {
        self.clipboard.clone_from(&text);
        out.push(Effect::Copy(text));
        if truncated {
            self.refuse("The selection is too long for the clipboard: its beginning was copied.");
        }
    }

    /// The blanks that the cursor's line begins with, up to the cursor.
    fn indentation(&self) -> String {
        let Span { start, .. } = self.selection();
        self.window
            .line(start.line)
            .filter(|line| line.from() == 0)
            .map(|line| {
                line.text()
                    .chars()
                    .take(start.column as usize)
                    .take_while(|c| matches!(c, ' ' | '\t'))
                    .collect()
            })
            .unwrap_or_default()
    }

    fn rows(&self) -> u32 {
        u32::from(self.size.rows.max(1))
    }

    fn columns(&self) -> u32 {
        u32::from(self.size.columns.max(1))
    }

    /// The cell of a place in a loaded line.
    fn x_of(&self, pos: Pos) -> Option<u32> {
        let line = self.window.line(pos.line)?;
        let within = pos.column.checked_sub(line.from())?;
        Some(line.from() + text::x_of(line.text(), within))
    }
}

/// About what a waiting step takes in memory, in bytes.
fn weight(step: &Step) -> usize {
    match step {
        Step::Paste(text) => text.len(),
        _ => 0,
    }
}

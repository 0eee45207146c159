//! The editor and the sidecar: windows, other people's edits, acknowledgements.

use stui_protocol::change::{Change, pass};
use stui_protocol::pane::{Edit, FromPane, Instance, Line, Mark, Pos, Span};

use super::{Editor, Wanted};
use crate::io::Outcome;
use crate::link::Link;
use crate::window::Window;

/// Most lines kept before and behind what is shown.
const RADIUS: u32 = 300;
/// How many columns the cursor moves before slices of long lines are fetched anew, at least.
const SLICE_STEP: u32 = 50;

/// An edit as the sidecar announces it.
#[derive(Debug, Clone)]
pub struct Announced {
    /// Revision after it.
    pub rev: u64,
    /// Whose it is; none: the sidecar's.
    pub by: Option<Instance>,
    /// Number of the author's act.
    pub seq: u64,
    /// The change.
    pub edit: Edit,
    /// How many lines there are after it.
    pub total: u32,
}

impl Editor {
    /// A sidecar knows this instance, with its acts up to `acked`: whatever was under way is void,
    /// and the window has to be fetched anew.
    pub fn welcomed(&mut self, acked: u64) {
        self.question.forget();
        self.unechoed.retain(|(seq, _)| *seq > acked);
        self.stale = self.base.is_some();
        self.forget_told();
    }

    /// Whether something typed still waits for its document's text.
    pub fn has_waiting(&self) -> bool {
        !self.queue.is_empty() || !self.draft.is_empty()
    }

    /// Shows another session's document, of which nothing is known yet; what was copied stays.
    pub fn begin(&mut self) {
        *self = Editor {
            group: self.group + 1,
            clipboard: std::mem::take(&mut self.clipboard),
            ..Editor::default()
        };
    }

    /// A window of the document arrived.
    pub fn take_window(
        &mut self,
        rev: u64,
        first: u32,
        total: u32,
        lines: Vec<Line>,
        link: &mut Link,
        out: &mut Outcome,
    ) {
        self.question.answered();
        if self.is_past(rev) || (self.stale && !self.unechoed.is_empty()) {
            return;
        }
        let cursor_was_there = self.is_cursor_there();
        let window = Window::new(first, lines, total);
        match self.base {
            None => {
                self.base = Some(rev);
                self.window = window;
                self.redo_draft(link, out);
            }
            Some(base) if base == rev && !self.stale => {
                let mut window = window;
                for edit in self.unechoed.iter().flat_map(|(_, own)| own.edits()) {
                    window.apply(edit);
                }
                self.window.merge(window, self.cursor.pos);
            }
            Some(_) if !self.unechoed.is_empty() => {
                // what came between is not known
                self.stale = true;
                return;
            }
            Some(_) => {
                self.window = window;
                self.base = Some(rev);
                self.take_stand(rev);
            }
        }
        self.stale = false;
        let last = self.window.total().saturating_sub(1);
        self.anchor = self.anchor.filter(|anchor| anchor.line <= last);
        if let Some(anchor) = &mut self.anchor
            && let Some(line) = self.window.line(anchor.line)
        {
            anchor.column = anchor.column.min(line.length());
        }
        self.settle();
        if !cursor_was_there && self.is_cursor_there() {
            self.follow();
        }
        self.top = self.top.min(last);
        if let Some((anchor, cursor)) = self.selected.take() {
            self.take_selection(anchor, cursor);
        }
        self.trim();
        self.perform_waiting(link, out);
    }

    /// The sidecar says where anchor and cursor are in the text of a revision.
    pub fn stand(&mut self, rev: u64, anchor: Pos, cursor: Pos) {
        self.stands = Some((rev, anchor, cursor));
    }

    /// In a text that is fetched anew the cursor is at the same place of the text, not of the screen's rows:
    /// keys wait for it.
    fn take_stand(&mut self, rev: u64) {
        let Some((_, anchor, cursor)) = self.stands.take().filter(|(at, ..)| *at == rev) else {
            return;
        };
        if self.cursor.settled {
            self.cursor.pos = cursor;
        } else {
            self.cursor.pos.line = cursor.line;
        }
        if self.anchor.is_some() {
            self.anchor = Some(anchor);
        }
    }

    /// What was typed before there was a document goes before its text.
    fn redo_draft(&mut self, link: &mut Link, out: &mut Outcome) {
        let draft = std::mem::take(&mut self.draft);
        self.draft_size = 0;
        if draft.is_empty() {
            return;
        }
        self.group += 1;
        if !self.is_blank() {
            self.commit(&Edit::insert(Pos::default(), "\n"), link, out);
        }
        for edit in draft {
            self.commit(&edit, link, out);
        }
    }

    fn is_blank(&self) -> bool {
        self.window.total() == 1 && self.window.line(0).is_none_or(|line| line.length() == 0)
    }

    /// The document changed; answers whether that is to be seen, which the echo of an own edit is not.
    pub fn take_edit(&mut self, announced: Announced, link: &mut Link, out: &mut Outcome) -> bool {
        let Some(base) = self.base else {
            return false;
        };
        let Announced {
            rev,
            by,
            seq,
            edit,
            total,
        } = announced;
        // While the window waits to be fetched anew, its revision says nothing: the sidecar that is there now
        // may count from less, if the last one's files are lost.
        if rev <= base && !self.stale {
            return false;
        }
        let mut seen = !self.queue.is_empty();
        self.question.changed();
        let follows = rev == base + 1;
        if by.as_ref() == Some(link.me()) {
            link.acked(seq);
            let same = self.echoed(seq, &edit);
            if same && follows && !self.stale {
                self.base = Some(rev);
            } else {
                self.stale = true;
            }
        } else if follows && !self.stale {
            self.base = Some(rev);
            let other = by.filter(|by| by.client() != link.me().client());
            self.take_over(edit, total, other);
            seen = true;
        } else {
            self.stale = true;
        }
        self.perform_waiting(link, out);
        seen
    }

    /// An own edit was announced; answers whether as it was expected.
    fn echoed(&mut self, seq: u64, edit: &Edit) -> bool {
        let Some((number, own)) = self.unechoed.pop_front() else {
            return false;
        };
        if number != seq {
            self.unechoed.push_front((number, own));
            self.unechoed.retain(|(number, _)| *number > seq);
            return false;
        }
        match own.without(edit) {
            Ok(None) => true,
            Ok(Some(rest)) => {
                self.unechoed.push_front((seq, rest));
                true
            }
            Err(_) => false,
        }
    }

    /// Apply somebody else's edit: the cursor stays where it is in the text, and so does the view.
    /// `by` is another person, who has his cursor there now.
    fn take_over(&mut self, edit: Edit, total: u32, by: Option<Instance>) {
        let mut change = Change::from(edit);
        for (_, own) in &mut self.unechoed {
            (change, *own) = pass(&change, own);
        }
        for edit in change.edits() {
            self.applied(edit);
            self.others.moved_by_other(edit);
            self.cursor.pos = edit.moves(self.cursor.pos, false);
            self.anchor = self.anchor.map(|anchor| edit.moves(anchor, false));
            let Span { start, end } = edit.span;
            if end.line < self.top {
                let added = edit.end().line - start.line;
                self.top = self.top - (end.line - start.line) + added;
            }
        }
        if self.unechoed.is_empty() {
            self.window.set_total(total);
        }
        if let (Some(by), Some(last)) = (by, change.edits().last()) {
            self.others.edited(by, last);
        }
        self.run = None;
        self.settle();
        self.trim();
    }

    /// The document was left here: begin there, if it is only now being opened and there is no draft.
    pub fn open_at(&mut self, cursor: Pos) {
        if self.base.is_none() && self.draft.is_empty() {
            self.place(cursor);
            self.top = cursor.line.saturating_sub(self.rows() / 2);
        }
    }

    /// Put selection and cursor somewhere, unless the user moved or typed on meanwhile: the next key
    /// would replace what is selected.
    pub fn select(&mut self, anchor: Pos, cursor: Pos) {
        if !self.awaits_selection || !self.unechoed.is_empty() || !self.queue.is_empty() {
            return;
        }
        if self.stale {
            self.selected = Some((anchor, cursor));
        } else {
            self.take_selection(anchor, cursor);
        }
    }

    /// Of a selection too long for the screen its beginning is shown: an answer stands behind the
    /// question.
    fn take_selection(&mut self, anchor: Pos, cursor: Pos) {
        self.place(cursor);
        self.anchor = Some(anchor).filter(|anchor| *anchor != cursor);
        self.settle();
        self.follow_line();
        self.reveal(anchor.min(cursor));
    }

    /// Whether a revision is an earlier one than that of the text here: what is said of it came late, over
    /// pipes that were replaced meanwhile.
    fn is_past(&self, rev: u64) -> bool {
        !self.stale && self.base.is_some_and(|base| rev < base)
    }

    /// What is marked now.
    pub fn mark(&mut self, rev: u64, marks: Vec<Mark>) {
        if self.is_past(rev) {
            return;
        }
        self.marks = marks;
        for (_, own) in &self.unechoed {
            for mark in &mut self.marks {
                mark.span = own.moves_span(mark.span);
            }
        }
    }

    /// The first mark of an error, with its sentence.
    pub fn error(&self) -> Option<&Mark> {
        self.marks.iter().find(|mark| mark.kind.is_wrong())
    }

    /// Time went by, in seconds.
    pub fn tick(&mut self, seconds: f64, link: &Link) {
        self.question.tick(seconds);
        self.others_tick(seconds);
        self.acked(link);
    }

    /// Something was acknowledged: an edit that is, without being announced, was not made as it was sent.
    pub fn acked(&mut self, link: &Link) {
        let refused = |(seq, _): &(u64, Change)| !link.is_waiting_for(*seq);
        if self.unechoed.front().is_some_and(refused) {
            self.unechoed.retain(|own| !refused(own));
            self.stale = true;
        }
    }

    /// Ask for what is needed and not there, and tell where the cursor is; `idle`: nothing else happened.
    pub fn sync(&mut self, idle: bool, link: &Link, out: &mut Outcome) {
        self.tell_cursor(idle, link, out);
        if let Some(wanted) = self.wanted() {
            let (cursor, anchor) = (self.cursor.pos, self.anchor);
            let known = self.base.filter(|_| self.stale);
            let width = self.width();
            self.question.ask(wanted, |(first, count, column)| {
                if let Some(rev) = known {
                    let stand = FromPane::Stand {
                        session: link.session(),
                        rev,
                        anchor: anchor.unwrap_or(cursor),
                        cursor,
                    };
                    link.ask(stand, out);
                }
                link.ask(
                    FromPane::View {
                        session: link.session(),
                        first,
                        count,
                        column,
                        width,
                    },
                    out,
                )
            });
        }
    }

    /// How many columns of long lines are wanted at least: around the cursor a screen to either side,
    /// wherever in it the cursor is, and some more, so that not every move needs others.
    fn width(&self) -> u32 {
        2 * (self.columns() + SLICE_STEP)
    }

    /// The lines that are needed, but of what was answered already in vain the next best.
    fn wanted(&self) -> Option<Wanted> {
        let rows = self.rows();
        let cursor = self.cursor.pos;
        let column = if self.cursor.settled {
            cursor.column
        } else {
            self.cursor.wish.unwrap_or(0)
        };
        let around = |line: u32| {
            let count = (3 * rows).clamp(30, RADIUS);
            (line.saturating_sub(rows), count, column)
        };
        // Where many lines are so long that not all come, less of them do.
        let or_less = |line: u32, less: u32| {
            let all = around(line);
            let without_those_before = (line, less.max(1), column);
            let alone = (line, 1, column);
            [all, without_those_before, alone]
                .into_iter()
                .find(|wanted| !self.question.was_answered(*wanted))
        };
        if self.base.is_none() {
            return Some(around(self.top));
        }
        if self.stale {
            return self.unechoed.is_empty().then(|| around(self.top));
        }
        if !self.queue.is_empty() && !self.is_cursor_there() {
            return or_less(cursor.line, rows);
        }
        let bottom = self.top.saturating_add(rows).min(self.window.total());
        if let Some(missing) = (self.top..bottom).find(|line| self.window.line(*line).is_none()) {
            // what is there ends within the screen: only the rest of it is needed
            let grows = self.window.end() == missing && self.window.first() <= self.top;
            return if grows {
                Some((missing, 2 * rows, column))
            } else {
                or_less(missing, bottom - missing)
            };
        }
        if !self.cursor.settled {
            return or_less(cursor.line, 1);
        }
        if !self
            .window
            .line(cursor.line)?
            .reaches(column, self.columns())
        {
            return or_less(cursor.line, 1);
        }
        let short = |line: &u32| {
            let line = self.window.line(*line);
            line.is_some_and(|line| !line.reaches(column, self.columns()))
        };
        let short = (self.top..bottom).find(short)?;
        or_less(short, bottom - short)
    }

    /// Forget lines that are far from what is shown and from the cursor.
    pub(super) fn trim(&mut self) {
        let middle = self.top.saturating_add(self.rows() / 2);
        let cursor = self.cursor.pos;
        let around = if middle.abs_diff(cursor.line) <= RADIUS / 2 {
            middle
        } else {
            cursor.line
        };
        self.window.trim(around, RADIUS);
        self.window.shorten(cursor, self.left);
    }
}

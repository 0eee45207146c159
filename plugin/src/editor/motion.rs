//! Cursor, selection and scrolling.

use stui_protocol::pane::Pos;

use super::{Cursor, Editor};
use crate::command::Motion;
use crate::text;

impl Editor {
    /// Move the cursor, extending the selection or dropping it.
    pub(super) fn travel(&mut self, motion: Motion, extend: bool) {
        let selection = self.selection();
        if extend {
            self.anchor.get_or_insert(self.cursor.pos);
        } else if self.anchor.take().is_some() && !selection.is_empty() {
            // the arrow keys leave a selection by its end
            match motion {
                Motion::Left => return self.place(selection.start),
                Motion::Right => return self.place(selection.end),
                _ => {}
            }
        }
        let at = self.cursor.pos;
        match motion {
            Motion::Left => match self.previous(at) {
                Some(column) => self.place(Pos::new(at.line, column)),
                None => self.go_to_end_before(at),
            },
            Motion::Right => match self.following(at) {
                Some(column) => self.place(Pos::new(at.line, column)),
                None => self.go_to_start_behind(at),
            },
            Motion::WordLeft if at.column == 0 => self.go_to_end_before(at),
            Motion::WordLeft => {
                let column = self.within(at, text::word_start);
                self.place(Pos::new(at.line, column));
            }
            Motion::WordRight if self.is_line_end(at) => self.go_to_start_behind(at),
            Motion::WordRight => {
                let column = self.within(at, text::word_end);
                self.place(Pos::new(at.line, column));
            }
            Motion::Up => self.vertical(-1),
            Motion::Down => self.vertical(1),
            Motion::PageUp => self.page(-1),
            Motion::PageDown => self.page(1),
            Motion::LineStart => self.go_to_line_start(at),
            Motion::LineEnd => {
                let length = self
                    .window
                    .line(at.line)
                    .map_or(0, crate::window::Slice::length);
                self.place(Pos::new(at.line, length));
            }
            Motion::DocumentStart => self.place(Pos::default()),
            Motion::DocumentEnd => self.aim(self.window.total().saturating_sub(1), u32::MAX),
        }
    }

    /// Put the cursor where the mouse points.
    pub(super) fn point(&mut self, row: u32, x: u32) {
        self.anchor = None;
        let last = self.window.total().saturating_sub(1);
        let line = self.top.saturating_add(row);
        let x = self.left.saturating_add(x);
        match self.window.line(line) {
            _ if line > last => self.aim(last, u32::MAX),
            Some(slice) => {
                let within = x.saturating_sub(slice.from());
                let column = slice.from() + text::nearest_column(slice.text(), within);
                self.place(Pos::new(line, column));
            }
            None => self.aim(line, x),
        }
    }

    /// Scroll without moving the cursor, by lines; negative: up.
    pub fn scroll(&mut self, lines: i32) {
        let bottom = self.window.total().saturating_sub(1);
        self.top = self.top.saturating_add_signed(lines).min(bottom);
        self.question.changed();
    }

    /// Put the cursor at a known place.
    pub(super) fn place(&mut self, pos: Pos) {
        self.cursor = Cursor {
            pos,
            wish: None,
            settled: true,
        };
    }

    /// Put the cursor on a line, as near to a cell as there is text, now or once it is loaded.
    pub(super) fn aim(&mut self, line: u32, x: u32) {
        self.cursor = Cursor {
            pos: Pos::new(line, 0),
            wish: Some(x),
            settled: false,
        };
        self.settle();
    }

    /// Give the cursor its column if its line is loaded by now.
    pub(super) fn settle(&mut self) {
        let last = self.window.total().saturating_sub(1);
        if self.cursor.pos.line > last {
            self.cursor.pos = Pos::new(last, 0);
            self.cursor.wish = Some(u32::MAX);
            self.cursor.settled = false;
        }
        let Some(line) = self.window.line(self.cursor.pos.line) else {
            return;
        };
        if self.cursor.settled {
            self.cursor.pos.column = self.cursor.pos.column.min(line.length());
            return;
        }
        let wish = self.cursor.wish.unwrap_or(0);
        let is_known = wish == u32::MAX
            || ((line.from() == 0 || wish >= line.from())
                && (line.to() == line.length() || wish <= line.from() + text::width(line.text())));
        if !is_known {
            return;
        }
        self.cursor.pos.column = if wish == u32::MAX {
            line.length()
        } else {
            line.from() + text::column_at(line.text(), wish.saturating_sub(line.from()))
        };
        self.cursor.settled = true;
        if wish == u32::MAX {
            self.cursor.wish = None;
        }
    }

    /// Scroll so that the cursor is on the screen.
    pub(super) fn follow(&mut self) {
        self.follow_line();
        self.reveal(self.cursor.pos);
    }

    /// Scroll so that the cursor's line is on the screen.
    pub(super) fn follow_line(&mut self) {
        let line = self.cursor.pos.line;
        self.top = self.top.clamp(line.saturating_sub(self.rows() - 1), line);
    }

    /// Scroll sideways so that a place would be on the screen.
    pub(super) fn reveal(&mut self, pos: Pos) {
        let columns = self.columns();
        if let Some(x) = self.x_of(pos) {
            // sideways in steps, so that typing at the edge does not scroll with every key
            let step = (columns / 4).max(1).min(columns.saturating_sub(1));
            if x < self.left {
                self.left = x.saturating_sub(step);
            } else if x >= self.left.saturating_add(columns) {
                self.left = x + 1 + step - columns.min(x + 1 + step);
            }
        }
    }

    /// There are so many more columns, and `columns` in all: scroll back to the lines' beginnings as far as the
    /// cursor stays in sight.
    pub(super) fn widen(&mut self, more: u32, columns: u16) {
        self.left = match self.x_of(self.cursor.pos) {
            Some(x) if x < u32::from(columns) => 0,
            _ => self.left.saturating_sub(more),
        };
    }

    fn vertical(&mut self, lines: i32) {
        let at = self.cursor.pos;
        let last = self.window.total().saturating_sub(1);
        if lines < 0 && at.line == 0 {
            return self.place(Pos::default());
        }
        if lines > 0 && at.line >= last {
            return self.aim(last, u32::MAX);
        }
        let wish = self.cursor.wish.or_else(|| self.x_of(at)).unwrap_or(0);
        let line = at.line.saturating_add_signed(lines).min(last);
        self.aim(line, wish);
        self.cursor.wish = Some(wish);
    }

    fn page(&mut self, direction: i32) {
        let lines = (self.rows().saturating_sub(1)).max(1) as i32 * direction;
        let last = self.window.total().saturating_sub(1);
        self.top = self.top.saturating_add_signed(lines).min(last);
        self.vertical(lines);
    }

    /// To the first character that is no blank, or if there already to the very beginning.
    fn go_to_line_start(&mut self, at: Pos) {
        let indented = self
            .window
            .line(at.line)
            .filter(|line| line.from() == 0)
            .and_then(|line| line.text().chars().position(|c| !c.is_whitespace()))
            .unwrap_or(0) as u32;
        let column = if at.column == indented { 0 } else { indented };
        self.place(Pos::new(at.line, column));
    }

    fn go_to_end_before(&mut self, at: Pos) {
        if at.line > 0 {
            self.aim(at.line - 1, u32::MAX);
        }
    }

    fn go_to_start_behind(&mut self, at: Pos) {
        if at.line + 1 < self.window.total() {
            self.place(Pos::new(at.line + 1, 0));
        }
    }

    fn is_line_end(&self, at: Pos) -> bool {
        self.window
            .line(at.line)
            .is_none_or(|line| at.column >= line.length())
    }

    /// The column of the cluster before a place, none at the line's beginning.
    fn previous(&self, at: Pos) -> Option<u32> {
        let line = self.window.line(at.line)?;
        let within = at.column.checked_sub(line.from())?;
        text::previous_column(line.text(), within)
            .map(|column| line.from() + column)
            .or_else(|| at.column.checked_sub(1))
    }

    /// The column behind the cluster at a place, none at the line's end.
    fn following(&self, at: Pos) -> Option<u32> {
        let line = self.window.line(at.line)?;
        let within = at.column.checked_sub(line.from())?;
        text::next_column(line.text(), within)
            .map(|column| line.from() + column)
            .or_else(|| (at.column < line.length()).then_some(at.column + 1))
    }

    /// A motion within the loaded part of a line.
    fn within(&self, at: Pos, motion: impl Fn(&str, u32) -> u32) -> u32 {
        self.window.line(at.line).map_or(at.column, |line| {
            line.from() + motion(line.text(), at.column.saturating_sub(line.from()))
        })
    }
}

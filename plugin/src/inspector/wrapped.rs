//! A view that is a text: its lines wrapped to the width, and scrolled row by row.

use super::Inspector;
use crate::canvas::Canvas;
use crate::command::Motion;
use crate::text;
use crate::theme::Theme;

/// A row of the screen: number of a line, and of the rows that the line wraps to.
type Place = (u64, usize);

impl Inspector {
    /// The rows that a line wraps to.
    fn pieces(&self, line: u64) -> Vec<&str> {
        let columns = u32::from(self.columns.max(1));
        self.row(line)
            .map_or_else(|| vec!["…"], |row| text::wrapped(&row.value, columns))
    }

    fn before(&self, (line, piece): Place) -> Option<Place> {
        if piece > 0 {
            return Some((line, piece - 1));
        }
        let line = line.checked_sub(1)?;
        Some((line, self.pieces(line).len().saturating_sub(1)))
    }

    fn behind(&self, (line, piece): Place) -> Option<Place> {
        if piece + 1 < self.pieces(line).len() {
            Some((line, piece + 1))
        } else {
            (line + 1 < self.view.total).then_some((line + 1, 0))
        }
    }

    /// The first row shown when the last ones are.
    fn last_top(&self) -> Place {
        let last = self.view.total.saturating_sub(1);
        let mut place = (last, self.pieces(last).len().saturating_sub(1));
        for _ in 1..self.list_rows() {
            match self.before(place) {
                Some(before) => place = before,
                None => break,
            }
        }
        place
    }

    /// Scroll by rows; negative: up.
    pub(super) fn scroll_text(&mut self, rows: i32) {
        self.question.changed();
        let mut place = (self.top, self.piece);
        for _ in 0..rows.unsigned_abs() {
            let next = if rows < 0 {
                self.before(place)
            } else {
                self.behind(place)
            };
            match next {
                Some(next) => place = next,
                None => break,
            }
        }
        (self.top, self.piece) = place.min(self.last_top());
    }

    pub(super) fn move_in_text(&mut self, motion: Motion) {
        let page = self.list_rows().saturating_sub(1).clamp(1, 1000) as i32;
        self.to_end = motion == Motion::DocumentEnd;
        match motion {
            Motion::Up => self.scroll_text(-1),
            Motion::Down => self.scroll_text(1),
            Motion::PageUp => self.scroll_text(-page),
            Motion::PageDown => self.scroll_text(page),
            Motion::DocumentStart => (self.top, self.piece) = (0, 0),
            Motion::DocumentEnd => self.follow_text(),
            _ => {}
        }
    }

    /// Keep to the text, and to its end if that is to be shown.
    pub(super) fn follow_text(&mut self) {
        let last = self.last_top();
        (self.top, self.piece) = if self.to_end {
            last
        } else {
            (self.top, self.piece).min(last)
        };
    }

    /// The rows shown.
    fn shown(&self) -> impl Iterator<Item = &str> {
        let rows = self.list_rows() as usize;
        (self.top..self.view.total)
            .flat_map(|line| self.pieces(line))
            .skip(self.piece)
            .take(rows)
    }

    /// The lines that are shown, each of them whole.
    pub(super) fn shown_text(&self) -> String {
        let mut room = self.list_rows() as usize + self.piece;
        let mut lines = Vec::new();
        for line in self.top..self.view.total {
            if room == 0 {
                break;
            }
            room = room.saturating_sub(self.pieces(line).len());
            lines.extend(self.row(line).map(|row| row.value.as_str()));
        }
        lines.join("\n")
    }

    pub(super) fn draw_text(&self, canvas: &mut Canvas, header: u16, rows: u16, theme: &Theme) {
        let columns = canvas.columns();
        for (y, piece) in (header..rows).zip(self.shown()) {
            canvas.text(0, y, columns, piece, theme.text);
        }
    }

    /// What an object without rows prints as, wrapped: it may be longer than the line above.
    pub(super) fn draw_print_string(
        &self,
        canvas: &mut Canvas,
        from: u16,
        rows: u16,
        theme: &Theme,
    ) {
        let columns = canvas.columns();
        let width = u32::from(columns.saturating_sub(2).max(1));
        let pieces = text::wrapped(&self.view.print_string, width);
        for (y, piece) in (from..rows).zip(pieces) {
            canvas.text(2, y, columns, piece, theme.text);
        }
    }
}

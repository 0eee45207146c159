//! The inspector's pane: the trail of objects walked through, and the shown object's rows.
//!
//! The sidecar owns trail and object; this holds a window of rows and which of them is selected.

use stui_protocol::pane::{Act, FromPane, InspectorView, Row};

use crate::canvas::Canvas;
use crate::command::{Command, Motion};
use crate::io::{Effect, Outcome};
use crate::link::Link;
use crate::page::{self, Paragraph};
use crate::question::Question;
use crate::status::Message;
use crate::text;
use crate::theme::Theme;

mod wrapped;

/// Most rows kept before and behind those shown.
const RADIUS: u64 = 200;
/// From how many columns on a row shows its value's class.
const CLASS_FROM: u16 = 40;

/// See the module's text.
#[derive(Debug, Default)]
pub struct Inspector {
    /// Everything but the rows.
    view: InspectorView,
    first: u64,
    rows: Vec<Row>,
    selected: u64,
    top: u64,
    height: u16,
    columns: u16,
    /// Of a text: how many of the rows that the first line shown wraps to lie above the pane.
    piece: usize,
    /// Of a text: whether its end is to be shown, however much of it is still to be read.
    to_end: bool,
    /// Whether what is shown is asked for anew, and the answer takes the place of all that is here.
    again: bool,
    /// Whether what is here was told by a sidecar that may be another one than that which tells the next.
    of_earlier: bool,
    question: Question<(u64, u32)>,
}

impl Inspector {
    /// The pane's content has this size now.
    pub fn resize(&mut self, rows: u16, columns: u16) {
        if (self.height, self.columns) != (rows, columns) {
            (self.height, self.columns) = (rows, columns);
            self.piece = 0;
            self.question.changed();
            self.follow();
        }
    }

    /// A sidecar knows this instance: what was asked is void.
    pub fn welcomed(&mut self, link: &Link, out: &mut Outcome) {
        self.question.forget();
        self.of_earlier = true;
        self.ask(link, out);
    }

    /// Ask for what is shown.
    fn ask(&mut self, link: &Link, out: &mut Outcome) {
        let (page, again) = (self.page(), self.again);
        self.question.ask(page, |(first, count)| {
            let wanted = FromPane::InspectorView {
                session: link.session(),
                first,
                count,
                again,
            };
            link.ask(wanted, out)
        });
    }

    /// Read anew what is shown: it may have changed.
    pub fn refresh(&mut self, link: &Link, out: &mut Outcome) {
        if !self.view.trail.is_empty() {
            self.question.forget();
            self.again = true;
            self.ask(link, out);
        }
    }

    /// What is shown may have changed. A long text is left as it is, or the place in it would be lost.
    pub fn may_have_changed(&mut self, link: &Link, out: &mut Outcome) {
        if !self.view.text || self.rows.len() as u64 == self.view.total {
            self.refresh(link, out);
        }
    }

    /// The sidecar says what is shown.
    pub fn take(&mut self, mut view: InspectorView) {
        self.question.answered();
        let (first, rows) = (view.first, std::mem::take(&mut view.rows));
        let last = view.total.saturating_sub(1);
        let again = std::mem::take(&mut self.again) | std::mem::take(&mut self.of_earlier);
        if view.shown != self.view.shown || view.trail.len() != self.view.trail.len() {
            self.selected = view.select.unwrap_or(0).min(last);
            self.top = self.selected.saturating_sub(self.list_rows() / 2);
            (self.piece, self.to_end) = (0, false);
            (self.first, self.rows) = (first, rows);
            self.question.changed();
        } else if again {
            (self.first, self.rows) = (first, rows);
            self.question.changed();
        } else {
            self.merge(first, rows);
        }
        self.view = view;
        self.selected = self.selected.min(last);
        self.follow();
    }

    fn merge(&mut self, first: u64, rows: Vec<Row>) {
        if rows.is_empty() {
            return;
        }
        let (end, own_end) = (
            first + rows.len() as u64,
            self.first + self.rows.len() as u64,
        );
        if self.rows.is_empty() || first > own_end || end < self.first {
            (self.first, self.rows) = (first, rows);
            return;
        }
        let from = first.saturating_sub(self.first) as usize;
        let to = (end.saturating_sub(self.first) as usize).min(self.rows.len());
        self.rows.splice(from..to.max(from), rows);
        self.first = self.first.min(first);
        let keep_from = self.top.saturating_sub(RADIUS);
        let keep_to = self.top + RADIUS;
        self.rows
            .truncate(keep_to.saturating_sub(self.first) as usize);
        if self.first < keep_from {
            let dropped = ((keep_from - self.first) as usize).min(self.rows.len());
            self.rows.drain(..dropped);
            self.first += dropped as u64;
        }
    }

    /// Time went by, in seconds.
    pub fn tick(&mut self, seconds: f64) {
        self.question.tick(seconds);
    }

    /// Ask for the rows that are shown and not there.
    pub fn sync(&mut self, link: &Link, out: &mut Outcome) {
        if self.missing().is_some() {
            self.ask(link, out);
        }
    }

    /// The first row that is shown and not there.
    fn missing(&self) -> Option<u64> {
        let bottom = (self.top + self.list_rows()).min(self.view.total);
        (self.top..bottom).find(|number| self.row(*number).is_none())
    }

    fn page(&self) -> (u64, u32) {
        let rows = self.list_rows();
        let first = match self.missing() {
            // the line before may go on in what is missing, and lines of a text may be long
            Some(missing) if self.view.text && !self.again => missing.saturating_sub(1),
            _ if self.view.text => self.top,
            _ => self.top.saturating_sub(rows),
        };
        (first, (rows * 3).clamp(10, 300) as u32)
    }

    /// Do what a command says; answers a sentence for the user.
    pub fn command(
        &mut self,
        command: Command,
        link: &mut Link,
        out: &mut Outcome,
    ) -> Option<Message> {
        let last = self.view.total.saturating_sub(1);
        let page = self.list_rows().saturating_sub(1).max(1);
        self.question.changed();
        match command {
            Command::Move(motion) if self.view.text => {
                self.move_in_text(motion);
                None
            }
            Command::Move(motion) => {
                self.selected = match motion {
                    Motion::Up => self.selected.saturating_sub(1),
                    Motion::Down => self.selected.saturating_add(1),
                    Motion::PageUp => self.selected.saturating_sub(page),
                    Motion::PageDown => self.selected.saturating_add(page),
                    Motion::DocumentStart => 0,
                    Motion::DocumentEnd => last,
                    _ => self.selected,
                }
                .min(last);
                self.follow();
                None
            }
            Command::Open => self.open(link, out),
            Command::Back => {
                if self.view.trail.len() < 2 {
                    return None;
                }
                self.act(Act::InspectBack, link, out)
            }
            Command::NextView => self.show_view(1, link, out),
            Command::PreviousView => self.show_view(-1, link, out),
            Command::Refresh => {
                self.refresh(link, out);
                None
            }
            Command::Copy if self.view.text => {
                out.push(Effect::Copy(self.shown_text()));
                Some(Message::info("Copied the lines shown."))
            }
            Command::Copy => {
                let row = self.row(self.selected)?;
                out.push(Effect::Copy(row.value.clone()));
                let of = if row.name.is_empty() {
                    String::new()
                } else {
                    format!(" of {}", row.name)
                };
                Some(Message::info(format!("Copied the value{of}.")))
            }
            _ => None,
        }
    }

    fn open(&mut self, link: &mut Link, out: &mut Outcome) -> Option<Message> {
        if self.view.text {
            return None;
        }
        self.row(self.selected)?;
        let act = Act::InspectRow {
            shown: self.view.shown,
            row: self.selected,
        };
        self.act(act, link, out)
    }

    fn show_view(&mut self, step: i32, link: &mut Link, out: &mut Outcome) -> Option<Message> {
        let count = self.view.views.len() as i32;
        if count < 2 {
            return None;
        }
        let view = (self.view.view as i32 + step).rem_euclid(count) as u32;
        self.choose_view(view, link, out)
    }

    fn choose_view(&mut self, view: u32, link: &mut Link, out: &mut Outcome) -> Option<Message> {
        let act = Act::InspectAs {
            shown: self.view.shown,
            view,
        };
        self.act(act, link, out)
    }

    #[allow(clippy::unused_self)] // reads as what the inspector does
    fn act(&self, act: Act, link: &mut Link, out: &mut Outcome) -> Option<Message> {
        if !link.takes_acts() {
            return Some(Message::error("There is no sidecar to look further."));
        }
        link.act(act, out);
        None
    }

    /// The mouse was clicked at a row and column: select a row, walk into the selected one, show a view.
    pub fn click(
        &mut self,
        row: u16,
        column: u16,
        columns: u16,
        link: &mut Link,
        out: &mut Outcome,
    ) -> Option<Message> {
        let header = self.header_rows();
        if header == 3 && row == 2 {
            let view = self
                .tabs(columns)
                .into_iter()
                .find(|(_, from, to, _)| (*from..*to).contains(&column))
                .map(|(view, ..)| view)?;
            return self.choose_view(view, link, out);
        }
        let number = self.top + u64::from(row.checked_sub(header)?);
        if self.view.text {
            return None;
        }
        if number >= self.view.total {
            return None;
        }
        if number == self.selected {
            return self.open(link, out);
        }
        self.selected = number;
        self.follow();
        None
    }

    /// Scroll without moving the selection, by rows; negative: up.
    pub fn scroll(&mut self, rows: i32) {
        if self.view.text {
            self.to_end = false;
            self.scroll_text(rows);
            return;
        }
        let last = self
            .view
            .total
            .saturating_sub(self.list_rows().min(self.view.total));
        self.top = self.top.saturating_add_signed(i64::from(rows)).min(last);
        self.question.changed();
    }

    fn row(&self, number: u64) -> Option<&Row> {
        self.rows.get(number.checked_sub(self.first)? as usize)
    }

    /// Rows for trail, object and views.
    fn header_rows(&self) -> u16 {
        match self.height {
            0..4 => 0,
            4..8 => 1,
            _ => 3,
        }
    }

    fn list_rows(&self) -> u64 {
        u64::from(self.height.saturating_sub(self.header_rows()).max(1))
    }

    fn follow(&mut self) {
        if self.view.text {
            self.follow_text();
            return;
        }
        let rows = self.list_rows();
        self.top = self
            .top
            .clamp(self.selected.saturating_sub(rows - 1), self.selected);
    }

    /// The views that fit: number, first and behind-last column, name.
    fn tabs(&self, columns: u16) -> Vec<(u32, u16, u16, &str)> {
        let mut at = 0;
        let mut tabs = Vec::new();
        for (number, name) in (0..).zip(&self.view.views) {
            let to = at + 2 + text::cells(name).min(200) as u16;
            if to > columns {
                break;
            }
            tabs.push((number, at, to, name.as_str()));
            at = to + 1;
        }
        tabs
    }

    /// Draw the object, `rows` high.
    pub fn draw(&self, canvas: &mut Canvas, rows: u16, open_key: &str, theme: &Theme) {
        if self.view.trail.is_empty() {
            let words = format!(
                "Nothing is inspected yet. In the workspace, {open_key} on an expression shows its \
                 value here."
            );
            page::draw(canvas, rows, 0, &[Paragraph::Text(words)], theme);
            return;
        }
        let columns = canvas.columns();
        let header = self.header_rows();
        if header > 0 {
            let at = header - 1;
            let object_row = u16::from(at > 0);
            let x = canvas.cut_text(0, object_row, columns, &self.view.class_name, theme.title);
            canvas.cut_text(
                x + 2,
                object_row,
                columns,
                &self.view.print_string,
                theme.text,
            );
        }
        if header == 3 {
            self.draw_trail(canvas, theme);
            for (number, from, to, name) in self.tabs(columns) {
                let style = if number == self.view.view {
                    theme.selection
                } else {
                    theme.faint
                };
                canvas.style(from, 2, to, style);
                canvas.text(from + 1, 2, to, name, style);
            }
        }
        if self.view.text {
            self.draw_text(canvas, header, rows, theme);
        } else {
            self.draw_rows(canvas, header, rows, theme);
        }
    }

    /// The way to the object; where it is long, its end.
    fn draw_trail(&self, canvas: &mut Canvas, theme: &Theme) {
        let columns = u32::from(canvas.columns());
        let mut shown = Vec::new();
        let mut used = 0;
        for name in self.view.trail.iter().rev() {
            let needed = text::cells(name) + 3;
            if used + needed > columns && !shown.is_empty() {
                break;
            }
            used += needed;
            shown.push(name.as_str());
        }
        let mut at = 0;
        if shown.len() < self.view.trail.len() {
            at = canvas.text(at, 0, columns as u16, "… › ", theme.faint);
        }
        for (index, name) in shown.iter().rev().enumerate() {
            if index > 0 {
                at = canvas.text(at, 0, columns as u16, " › ", theme.faint);
            }
            let last = index + 1 == shown.len();
            let style = if last { theme.key } else { theme.faint };
            at = canvas.cut_text(at, 0, columns as u16, name, style);
        }
    }

    fn draw_rows(&self, canvas: &mut Canvas, header: u16, rows: u16, theme: &Theme) {
        let columns = canvas.columns();
        let shown: Vec<u64> = (self.top..self.view.total)
            .take(usize::from(rows.saturating_sub(header)))
            .collect();
        let width_of = |part: fn(&Row) -> &str, most: u16| {
            shown
                .iter()
                .filter_map(|number| self.row(*number))
                .map(|row| {
                    text::cells(
                        &part(row)[..part(row)
                            .len()
                            .min(400)
                            .min(text::byte_at(part(row), u32::from(most)))],
                    )
                })
                .max()
                .unwrap_or(0)
                .min(u32::from(most)) as u16
        };
        let name_width = width_of(|row| &row.name, columns / 3);
        let class_width = if columns >= CLASS_FROM {
            width_of(|row| &row.class_name, columns / 3)
        } else {
            0
        };
        let value_from = (2 + name_width + 2).min(columns);
        let value_to = columns.saturating_sub(if class_width > 0 { class_width + 2 } else { 0 });
        for (y, number) in (header..).zip(&shown) {
            let Some(row) = self.row(*number) else {
                canvas.text(2, y, columns, "…", theme.faint);
                continue;
            };
            if row.has_children {
                canvas.text(1, y, columns, "+", theme.faint);
            }
            canvas.cut_text(2, y, 2 + name_width, &row.name, theme.reserved);
            canvas.cut_text(value_from, y, value_to, &row.value, theme.text);
            if class_width > 0 {
                canvas.cut_text(value_to + 2, y, columns, &row.class_name, theme.faint);
            }
            if *number == self.selected {
                canvas.text(0, y, columns, "›", theme.key);
                canvas.style(0, y, columns, theme.selection);
            }
        }
        if self.view.total == 0 && header < rows {
            canvas.text(2, header, columns, "(nothing in this view)", theme.faint);
            self.draw_print_string(canvas, header + 2, rows, theme);
        }
    }
}

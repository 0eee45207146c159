//! The text area: lines with colours, selection, marks.

use ratatui_core::style::Style;
use stui_protocol::pane::{MarkKind, Pos, Span};

use super::Editor;
use crate::canvas::Canvas;
use crate::colour::{self, Class, Inside};
use crate::text;
use crate::theme::Theme;
use crate::window::Slice;

/// Columns before the text that hold the signs of marks.
const GUTTER: u16 = 2;
/// From how many columns on a pane has a gutter.
const GUTTER_FROM: u16 = 24;

/// How many columns of a pane the gutter takes.
pub fn gutter(columns: u16) -> u16 {
    if columns >= GUTTER_FROM { GUTTER } else { 0 }
}

impl Editor {
    /// Draw the text from row 0 on, `rows` high, and put the terminal's cursor into it.
    pub fn draw(&self, canvas: &mut Canvas, rows: u16, theme: &Theme) {
        let gutter = gutter(canvas.columns());
        let mut inside = self.inside_at_top();
        let selection = self.selection();
        for row in 0..rows {
            let number = self.top.saturating_add(u32::from(row));
            if number >= self.window.total() {
                break;
            }
            if gutter > 0 {
                self.draw_sign(canvas, row, number, theme);
                self.draw_number(canvas, row, number, theme);
            }
            let Some(line) = self.window.line(number) else {
                canvas.text(gutter, row, canvas.columns(), "…", theme.faint);
                continue;
            };
            self.draw_line(canvas, row, number, line, inside, selection, theme);
            inside = inside.after(line.text());
        }
        if self.cursor.settled && self.cursor.pos.line >= self.top {
            let row = self.cursor.pos.line - self.top;
            let x = self.x_of(self.cursor.pos);
            if let Some(x) = x.and_then(|x| x.checked_sub(self.left))
                && row < u32::from(rows)
            {
                let x = u16::try_from(x + u32::from(gutter)).unwrap_or(u16::MAX);
                canvas.cursor(x, row as u16);
            }
        }
    }

    /// What the first line shown begins inside of, judged from at most a screen above it.
    fn inside_at_top(&self) -> Inside {
        let from = self
            .top
            .saturating_sub(self.rows())
            .max(self.window.first());
        (from..self.top)
            .filter_map(|number| self.window.line(number))
            .fold(Inside::default(), |inside, line| inside.after(line.text()))
    }

    fn draw_sign(&self, canvas: &mut Canvas, row: u16, number: u32, theme: &Theme) {
        let sign = self
            .marks
            .iter()
            .filter(|mark| (mark.span.start.line..=mark.span.end.line).contains(&number))
            .map(|mark| match mark.kind {
                MarkKind::Running => ("▶", theme.running),
                MarkKind::CompileError | MarkKind::Error => ("✗", theme.error),
                MarkKind::Debugged => ("◆", theme.running),
            })
            .next();
        if let Some((sign, style)) = sign {
            canvas.text(0, row, 1, sign, style);
        }
    }

    /// The number of whoever else has his cursor in a line (after 9 come letters); `+` for several.
    fn draw_number(&self, canvas: &mut Canvas, row: u16, number: u32, theme: &Theme) {
        let mut people = self
            .others()
            .iter()
            .filter(|other| other.cursor.line == number)
            .filter_map(|other| other.by.client());
        let Some(first) = people.next() else { return };
        let (sign, style) = if people.any(|client| client != first) {
            ('+', theme.key)
        } else {
            let sign = char::from_digit(u32::from(first), 36).unwrap_or('@');
            (sign, theme.other(first))
        };
        canvas.text(1, row, 2, sign.encode_utf8(&mut [0; 4]), style);
    }

    #[allow(clippy::too_many_arguments)] // one line's part of a frame
    fn draw_line(
        &self,
        canvas: &mut Canvas,
        row: u16,
        number: u32,
        line: &Slice,
        inside: Inside,
        selection: Span,
        theme: &Theme,
    ) {
        let gutter = gutter(canvas.columns());
        let right = self
            .left
            .saturating_add(u32::from(canvas.columns().saturating_sub(gutter)));
        let selected = columns_within(selection, number, line.length() + 1);
        let errors: Vec<(u32, u32)> = self
            .marks
            .iter()
            .filter(|mark| mark.kind.is_wrong())
            .filter_map(|mark| columns_within(visible(mark.span), number, line.length() + 1))
            .collect();
        let pieces = colour::pieces(line.text(), inside);
        let others: Vec<(u32, u32, Style)> = self
            .others()
            .iter()
            .filter(|other| other.cursor.line == number)
            .filter_map(|other| {
                let style = theme.other(other.by.client()?);
                let column = other.cursor.column.min(line.length());
                Some((column, column + 1, style))
            })
            .collect();
        let unmarked = errors.is_empty() && selected.is_none() && others.is_empty();
        if unmarked && text::is_printable_ascii(line.text()) {
            self.draw_plainly(canvas, row, line, &pieces, theme);
            return;
        }
        let mut pieces = pieces.iter().peekable();
        let looks = |column: u32, style: Style| {
            if unmarked {
                return style;
            }
            let within = |(from, to): &(u32, u32)| (*from..*to).contains(&column);
            let style = if errors.iter().any(within) {
                style.patch(theme.error_mark)
            } else {
                style
            };
            let style = if selected.as_ref().is_some_and(within) {
                style.patch(theme.selection)
            } else {
                style
            };
            let other = others.iter().find(|(from, to, _)| within(&(*from, *to)));
            other.map_or(style, |(_, _, other)| style.patch(*other))
        };
        let to_column = |x: u32| gutter.saturating_add((x - self.left) as u16);
        for glyph in text::glyphs(line.text()) {
            while pieces.peek().is_some_and(|(end, _)| *end <= glyph.byte) {
                pieces.next();
            }
            let x = line.from() + glyph.x;
            if x + glyph.width <= self.left {
                continue;
            }
            if x >= right {
                break;
            }
            let class = pieces.peek().map_or(Class::Plain, |(_, class)| *class);
            let style = looks(line.from() + glyph.column, style_of(class, theme));
            if x < self.left {
                // the right half of a wide character: its place, without it
                for half in self.left..x + glyph.width {
                    canvas.glyph(to_column(half), row, " ", 1, style);
                }
            } else {
                let width = glyph.width.min(right - x);
                let cluster = if width < glyph.width && glyph.text != "\t" {
                    " "
                } else {
                    glyph.text
                };
                canvas.glyph(to_column(x), row, cluster, width, style);
            }
        }
        // the end of the line, where it is selected or an error is marked
        if line.to() == line.length() && !unmarked {
            let x = line.from() + text::cells(line.text());
            let style = looks(line.length(), theme.text);
            if style != theme.text && (self.left..right).contains(&x) {
                let symbol = if errors.is_empty() { " " } else { "▴" };
                let symbol = if selected.is_some() { " " } else { symbol };
                canvas.glyph(to_column(x), row, symbol, 1, style);
            }
        }
    }
}

impl Editor {
    /// Draw a line in which every character is a cell, piece by piece.
    fn draw_plainly(
        &self,
        canvas: &mut Canvas,
        row: u16,
        line: &Slice,
        pieces: &[(usize, Class)],
        theme: &Theme,
    ) {
        let gutter = gutter(canvas.columns());
        // the first byte that is on the screen, and the column it is in
        let hidden = self.left.saturating_sub(line.from()) as usize;
        let shift = line.from().saturating_sub(self.left) as usize;
        let mut start = 0;
        for (end, class) in pieces {
            let from = start.max(hidden);
            if let Some(run) = line.text().as_bytes().get(from..*end) {
                let x = usize::from(gutter) + shift + from - hidden;
                let x = u16::try_from(x).unwrap_or(u16::MAX);
                canvas.ascii(x, row, run, style_of(*class, theme));
            }
            start = *end;
        }
    }
}

/// A span that marks at least one character.
fn visible(span: Span) -> Span {
    if span.is_empty() {
        Span {
            start: span.start,
            end: Pos::new(span.end.line, span.end.column.saturating_add(1)),
        }
    } else {
        span
    }
}

/// The columns of a line that lie within a span; the line's end counts as one.
pub(crate) fn columns_within(span: Span, number: u32, columns: u32) -> Option<(u32, u32)> {
    if number < span.start.line || number > span.end.line {
        return None;
    }
    let from = if number == span.start.line {
        span.start.column
    } else {
        0
    };
    let to = if number == span.end.line {
        span.end.column
    } else {
        columns
    };
    (from < to).then_some((from, to))
}

/// The style of a piece of code.
pub(crate) fn style_of(class: Class, theme: &Theme) -> Style {
    match class {
        Class::Plain => theme.text,
        Class::Comment => theme.comment,
        Class::String => theme.string,
        Class::Number => theme.number,
        Class::Reserved => theme.reserved,
        Class::Global => theme.global,
    }
}

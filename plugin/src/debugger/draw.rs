//! How the debugger's pane looks: where its parts are, and what stands in them.

use ratatui_core::style::Style;
use stui_protocol::debugger::{FrameSource, ProcessState, Variable, VariableKind};
use stui_protocol::pane::{Pos, Span};

use super::{Debugger, Part};
use crate::canvas::Canvas;
use crate::colour::{self, Class, Inside};
use crate::editor;
use crate::io::Size;
use crate::page::{self, Paragraph};
use crate::text;
use crate::theme::Theme;

/// From how many columns on the source has its place beside stack and variables.
const BESIDE_FROM: u16 = 100;
/// Below how many rows there is only room for two of the parts.
const ALL_FROM: u16 = 11;
/// From how many columns on a variable shows its value's class.
const CLASS_FROM: u16 = 40;
/// Cells for the sign before a line of source.
pub(super) const SIGN: u16 = 2;

/// Where a part is: its heading, and the rows below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Place {
    x: u16,
    y: u16,
    end: u16,
    height: u16,
}

impl Place {
    /// Rows below the heading.
    pub(super) fn rows(self) -> u16 {
        self.height.saturating_sub(1)
    }

    /// Its columns.
    pub(super) fn width(self) -> u16 {
        self.end.saturating_sub(self.x)
    }

    /// The row of its list at a place of the pane.
    pub(super) fn row_at(self, row: u16, column: u16) -> Option<u16> {
        let row = row.checked_sub(self.y + 1)?;
        (row < self.rows() && (self.x..self.end).contains(&column)).then_some(row)
    }
}

/// Where all parts are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    pub(super) stack: Place,
    pub(super) source: Place,
    pub(super) variables: Place,
}

impl Places {
    pub(super) fn of(self, part: Part) -> Place {
        match part {
            Part::Stack => self.stack,
            Part::Source => self.source,
            Part::Variables => self.variables,
        }
    }
}

/// Where the parts are in a pane of this size below its title: one above the other, the one that listens to
/// the arrows a little higher; in a wide pane the source beside the others, in a low one only the source and what
/// listens.
pub(super) fn places(size: Size, listening: Part) -> Places {
    let rows = size.rows.saturating_sub(1);
    let columns = size.columns;
    if columns >= BESIDE_FROM {
        let split = columns * 2 / 5;
        let stack = rows.div_ceil(2);
        let place = |x, end, y, height| Place { x, y, end, height };
        return Places {
            stack: place(0, split - 1, 1, stack),
            variables: place(0, split - 1, 1 + stack, rows - stack),
            source: place(split, columns, 1, rows),
        };
    }
    if rows < ALL_FROM {
        let (stack, variables) = match listening {
            Part::Stack => ((rows / 2).max(2), 0),
            Part::Source => (rows / 3, 0),
            Part::Variables => (0, (rows / 2).max(2)),
        };
        return stacked(rows, columns, stack, variables);
    }
    // each at least its heading and a row
    let spare = rows.saturating_sub(6);
    let weight = |part: Part, weight: u16| weight + 2 * u16::from(part == listening);
    let weights = [
        weight(Part::Stack, 3),
        weight(Part::Source, 4),
        weight(Part::Variables, 3),
    ];
    let total: u16 = weights.iter().sum();
    let stack = 2 + spare * weights[0] / total;
    let variables = 2 + spare * weights[2] / total;
    stacked(rows, columns, stack, variables)
}

/// Stack, source and variables one above the other; the source has what the others leave.
fn stacked(rows: u16, columns: u16, stack: u16, variables: u16) -> Places {
    let source = rows.saturating_sub(stack + variables);
    let mut y = 1;
    let mut next = |height: u16| {
        let height = height.min((rows + 1).saturating_sub(y));
        let place = Place {
            x: 0,
            y,
            end: columns,
            height,
        };
        y += height;
        place
    };
    Places {
        stack: next(stack),
        source: next(source),
        variables: next(variables),
    }
}

impl Debugger {
    /// Draw the pane, `rows` high; `debug_key`: the key that debugs in the workspace.
    pub fn draw(&self, canvas: &mut Canvas, rows: u16, debug_key: &str, theme: &Theme) {
        if self.view.open.is_empty() {
            let words = if self.told {
                page_of_nothing(debug_key)
            } else {
                let words = "What is being debugged is shown here once the sidecar has told it.";
                vec![Paragraph::Text(words.to_owned())]
            };
            page::draw(canvas, rows, 0, &words, theme);
            return;
        }
        let places = self.places();
        self.draw_title(canvas, theme);
        self.draw_stack(canvas, places.stack, theme);
        self.draw_source(canvas, places.source, theme);
        self.draw_variables(canvas, places.variables, theme);
        if rows > 1 {
            self.draw_evaluated(canvas, rows - 1, theme);
        }
    }

    /// What was last evaluated in a frame, and its answer.
    fn draw_evaluated(&self, canvas: &mut Canvas, y: u16, theme: &Theme) {
        let Some(evaluated) = &self.view.evaluated else {
            return;
        };
        let (sign, style) = if evaluated.good {
            ("→", theme.good)
        } else {
            ("✗", theme.error)
        };
        let columns = canvas.columns();
        let at = canvas.cut_text(0, y, columns / 2, &evaluated.code, theme.text);
        let at = canvas.text(at + 1, y, columns, sign, style);
        canvas.cut_text(at + 1, y, columns, &evaluated.answer, style);
    }

    fn draw_title(&self, canvas: &mut Canvas, theme: &Theme) {
        let columns = canvas.columns();
        let Some(open) = self.view.open.get(self.view.shown as usize) else {
            return;
        };
        let (style, words) = match &self.view.state {
            ProcessState::Stopped => (theme.faint, String::new()),
            ProcessState::Unknown => (theme.faint, "◌ asking".to_owned()),
            ProcessState::Hidden { .. } => (theme.error, "✗ not to be seen".to_owned()),
            ProcessState::Running { what } if what.is_empty() => {
                (theme.running, "▶ running".to_owned())
            }
            ProcessState::Running { what } => (theme.running, format!("▶ {what}")),
        };
        let count = match self.view.open.len() {
            1 => String::new(),
            count => format!("{} of {count}", self.view.shown + 1),
        };
        let mut end = columns;
        for (words, style) in [(&count, theme.key), (&words, style)] {
            let width = text::cells(words) as u16;
            if width > 0 && end > width + 12 {
                canvas.text(end - width, 0, end, words, style);
                end -= width + 2;
            }
        }
        canvas.cut_text(0, 0, end, &open.title, theme.error);
    }

    fn draw_heading(
        &self,
        canvas: &mut Canvas,
        place: Place,
        part: Part,
        words: &str,
        theme: &Theme,
    ) {
        if place.height == 0 {
            return;
        }
        let listens = self.part == part;
        let style = if listens { theme.key } else { theme.faint };
        let sign = if listens { "▾ " } else { "─ " };
        let at = canvas.text(place.x, place.y, place.end, sign, style);
        let at = canvas.cut_text(at, place.y, place.end, words, style);
        if at + 1 < place.end {
            let line = "─".repeat(usize::from(place.end - at - 1));
            canvas.text(at + 1, place.y, place.end, &line, theme.faint);
        }
    }

    fn draw_stack(&self, canvas: &mut Canvas, place: Place, theme: &Theme) {
        let total = self.view.frames_total;
        let words = match total {
            0 => "Stack".to_owned(),
            total => format!("Stack {}/{total}", self.frame() + 1),
        };
        self.draw_heading(canvas, place, Part::Stack, &words, theme);
        if let ProcessState::Hidden { reason } = &self.view.state
            && place.rows() > 0
        {
            canvas.cut_text(place.x + 2, place.y + 1, place.end, reason, theme.text);
            return;
        }
        let first = self.first_frame(place.rows());
        for (y, number) in (place.y + 1..place.y + 1 + place.rows()).zip(first..total) {
            let chosen = number == self.frame();
            if chosen {
                canvas.text(place.x, y, place.end, "›", theme.key);
            }
            let at = number.checked_sub(self.view.frames_from);
            let Some(frame) = at.and_then(|at| self.view.frames.get(at as usize)) else {
                canvas.text(place.x + 2, y, place.end, "…", theme.faint);
                continue;
            };
            let style = match (chosen, frame.is_evaluated_code) {
                (true, _) => theme.title,
                (false, true) => theme.global,
                (false, false) => theme.text,
            };
            let words = if frame.is_evaluated_code {
                format!("{}  (evaluated code)", frame.method)
            } else {
                frame.method.clone()
            };
            canvas.cut_text(place.x + 2, y, place.end, &words, style);
            if chosen && self.part == Part::Stack {
                canvas.style(place.x, y, place.end, theme.selection);
            }
        }
    }

    fn draw_source(&self, canvas: &mut Canvas, place: Place, theme: &Theme) {
        let words = match &self.view.source {
            Some(source) if source.total > u32::from(place.rows()) => {
                format!("Source, line {} of {}", self.top + 1, source.total)
            }
            _ => "Source".to_owned(),
        };
        let places = self.places();
        let words = if places.variables.height == 0 {
            format!("{words}, Tab: variables")
        } else if places.stack.height == 0 {
            format!("{words}, Tab: stack")
        } else {
            words
        };
        self.draw_heading(canvas, place, Part::Source, &words, theme);
        let Some(source) = &self.view.source else {
            if self.view.state == ProcessState::Stopped && place.rows() > 0 {
                canvas.text(place.x + SIGN, place.y + 1, place.end, "…", theme.faint);
            }
            return;
        };
        let is_empty = source.total <= 1 && source.lines.iter().all(|it| it.text.is_empty());
        if is_empty && place.rows() > 0 {
            let words = "(the server does not tell its source)";
            canvas.cut_text(place.x + SIGN, place.y + 1, place.end, words, theme.faint);
            return;
        }
        let mut inside = self.inside_at_top(source);
        for (y, number) in (place.y + 1..place.y + 1 + place.rows()).zip(self.top..source.total) {
            let at = number.checked_sub(source.first);
            let Some(line) = at.and_then(|at| source.lines.get(at as usize)) else {
                canvas.text(place.x + SIGN, y, place.end, "…", theme.faint);
                continue;
            };
            let next = source
                .next
                .and_then(|next| columns_of(next, number, text::columns(&line.text) + line.from));
            if next.is_some() {
                canvas.text(place.x, y, place.end, "▸", theme.next);
            }
            let place = (place.x + SIGN, y, place.end);
            self.draw_line(canvas, place, (&line.text, line.from), inside, next, theme);
            inside = inside.after(&line.text);
        }
    }

    /// What the first line shown begins inside of, as far as the lines above it are there.
    fn inside_at_top(&self, source: &FrameSource) -> Inside {
        let above = self.top.saturating_sub(source.first) as usize;
        let above = source.lines.iter().take(above);
        above.fold(Inside::default(), |inside, line| inside.after(&line.text))
    }

    fn draw_line(
        &self,
        canvas: &mut Canvas,
        (x, y, end): (u16, u16, u16),
        (line, from): (&str, u32),
        inside: Inside,
        next: Option<(u32, u32)>,
        theme: &Theme,
    ) {
        let pieces = colour::pieces(line, inside);
        let mut pieces = pieces.iter().peekable();
        for glyph in text::glyphs(line) {
            while pieces.peek().is_some_and(|(end, _)| *end <= glyph.byte) {
                pieces.next();
            }
            let Some(cell) = (from + glyph.x).checked_sub(self.left) else {
                continue;
            };
            let at = u32::from(x) + cell;
            if at + glyph.width > u32::from(end) {
                break;
            }
            let class = pieces.peek().map_or(Class::Plain, |(_, class)| *class);
            let style = editor::style_of(class, theme);
            let column = from + glyph.column;
            let style = match next {
                Some((start, end)) if (start..end).contains(&column) => style.patch(theme.next),
                _ => style,
            };
            canvas.glyph(at as u16, y, glyph.text, glyph.width, style);
        }
    }

    fn draw_variables(&self, canvas: &mut Canvas, place: Place, theme: &Theme) {
        self.draw_heading(canvas, place, Part::Variables, "Variables", theme);
        let rows = place.rows();
        let first = self.first_variable(rows);
        let shown = self.view.variables.iter().enumerate().skip(first);
        let shown: Vec<(usize, &Variable)> = shown.take(usize::from(rows)).collect();
        let third = place.width() / 3;
        let widest = |part: fn(&Variable) -> u32| {
            let widths = shown.iter().map(|(_, variable)| part(variable));
            widths.max().unwrap_or(0).min(u32::from(third)) as u16
        };
        let name_width = widest(|it| text::cells(&it.name) + indent(it.kind));
        let class_width = if place.width() >= CLASS_FROM {
            widest(|it| text::cells(&it.class_name))
        } else {
            0
        };
        let name_from = place.x + 2;
        let value_from = (name_from + name_width + 2).min(place.end);
        let class_from = place.end - class_width;
        let value_end = if class_width > 0 {
            class_from - 2
        } else {
            place.end
        };
        for (y, (number, variable)) in (place.y + 1..).zip(&shown) {
            let from = name_from + indent(variable.kind) as u16;
            let style = name_style(variable.kind, theme);
            canvas.cut_text(from, y, name_from + name_width, &variable.name, style);
            canvas.cut_text(value_from, y, value_end, &variable.value, theme.text);
            canvas.cut_text(class_from, y, place.end, &variable.class_name, theme.faint);
            if *number == self.variable && self.part == Part::Variables {
                canvas.text(place.x, y, place.end, "›", theme.key);
                canvas.style(place.x, y, place.end, theme.selection);
            }
        }
        let room = usize::from(rows) > shown.len();
        if self.view.more_variables > 0 && room {
            let words = format!("… {} more", self.view.more_variables);
            let y = place.y + 1 + shown.len() as u16;
            canvas.text(name_from, y, place.end, &words, theme.faint);
        }
    }
}

fn indent(kind: VariableKind) -> u32 {
    match kind {
        VariableKind::Slot => 2,
        _ => 0,
    }
}

fn name_style(kind: VariableKind, theme: &Theme) -> Style {
    match kind {
        VariableKind::Receiver | VariableKind::Context => theme.reserved,
        VariableKind::Slot | VariableKind::Temporary => theme.key,
    }
}

/// The columns of a line within a span; of an empty span the character at its place.
fn columns_of(span: Span, number: u32, columns: u32) -> Option<(u32, u32)> {
    let Pos { line, column } = span.start;
    if span.is_empty() {
        return (number == line).then_some((column, column + 1));
    }
    editor::columns_within(span, number, columns)
}

fn page_of_nothing(debug_key: &str) -> Vec<Paragraph> {
    let ways = [
        (
            debug_key.to_owned(),
            "in the workspace, debug it: stop before the first statement",
        ),
        (
            "an error".to_owned(),
            "that no handler handles stops its evaluation here",
        ),
        (
            "self halt".to_owned(),
            "in any code stops there, once it is evaluated",
        ),
    ];
    let mut page = vec![Paragraph::Title("Nothing is being debugged".to_owned())];
    page.extend(
        ways.into_iter()
            .map(|(term, words)| Paragraph::Item(term, words.to_owned())),
    );
    page
}

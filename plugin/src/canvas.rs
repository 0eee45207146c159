//! Drawing into a frame: text clipped to cells, never outside of it.

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::style::Style;

use crate::io::Size;
use crate::text;

/// The style of a cell that nothing was drawn in.
const PLAIN: Style = Style::new();

/// What a pane shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// The cells.
    pub buffer: Buffer,
    /// Where the terminal's cursor is: column, row.
    pub cursor: Option<(u16, u16)>,
}

/// A frame being drawn.
#[derive(Debug)]
pub struct Canvas {
    frame: Frame,
}

impl Canvas {
    /// An empty frame.
    pub fn new(size: Size) -> Canvas {
        Canvas {
            frame: Frame {
                buffer: Buffer::empty(Rect::new(0, 0, size.columns, size.rows)),
                cursor: None,
            },
        }
    }

    /// How many rows there are.
    pub fn rows(&self) -> u16 {
        self.frame.buffer.area.height
    }

    /// How many columns there are.
    pub fn columns(&self) -> u16 {
        self.frame.buffer.area.width
    }

    /// Draw one cluster of `width` cells; nothing if it does not fit. A tab is that many blanks, and
    /// what a terminal would act on is shown by a picture of it.
    pub fn glyph(&mut self, x: u16, y: u16, cluster: &str, width: u32, style: Style) {
        let columns = self.columns();
        if y >= self.rows() || u32::from(x) + width > u32::from(columns) {
            return;
        }
        let index = usize::from(y) * usize::from(columns) + usize::from(x);
        let Some(cells) = self
            .frame
            .buffer
            .content
            .get_mut(index..index + width as usize)
        else {
            return;
        };
        for cell in cells.iter_mut() {
            cell.set_style(style);
        }
        let Some(first) = cells.first_mut() else {
            return;
        };
        match cluster.as_bytes() {
            [b' ' | b'\t'] => {}
            [byte @ 0x21..0x7f] => {
                first.set_char(char::from(*byte));
            }
            _ => match cluster.chars().next() {
                Some(c @ '\0'..' ') => {
                    first.set_char(char::from_u32(0x2400 + u32::from(c)).unwrap_or('·'));
                }
                Some(c) if c.is_control() => {
                    first.set_char('·');
                }
                Some(_) if cells_of(cluster) == 0 => {
                    first.set_char('◌');
                }
                Some(_) => {
                    first.set_symbol(cluster);
                }
                None => {}
            },
        }
    }

    /// Draw printable ASCII characters, one a cell, from a cell on: what nearly all of a frame is.
    pub fn ascii(&mut self, x: u16, y: u16, run: &[u8], style: Style) {
        if y >= self.rows() || x >= self.columns() {
            return;
        }
        let columns = usize::from(self.columns());
        let start = usize::from(y) * columns + usize::from(x);
        let end = (start + run.len()).min((usize::from(y) + 1) * columns);
        let Some(cells) = self.frame.buffer.content.get_mut(start..end) else {
            return;
        };
        for (cell, byte) in cells.iter_mut().zip(run) {
            if *byte != b' ' {
                cell.set_char(char::from(*byte));
            }
            if style != PLAIN {
                cell.set_style(style);
            }
        }
    }

    /// Draw text from a cell on, at most up to column `end`; answers the column behind it.
    pub fn text(&mut self, x: u16, y: u16, end: u16, line: &str, style: Style) -> u16 {
        let end = end.min(self.columns());
        let mut at = x;
        for glyph in text::glyphs(line) {
            let width = glyph.width as u16;
            if at.saturating_add(width) > end {
                break;
            }
            self.glyph(at, y, glyph.text, glyph.width, style);
            at += width;
        }
        at
    }

    /// Draw text as [`Canvas::text`] does, but end it with an ellipsis where it had to be cut.
    pub fn cut_text(&mut self, x: u16, y: u16, end: u16, line: &str, style: Style) -> u16 {
        let end = end.min(self.columns());
        let room = u32::from(end.saturating_sub(x));
        if text::glyphs(line)
            .take(room as usize + 1)
            .map(|g| g.width)
            .sum::<u32>()
            <= room
        {
            return self.text(x, y, end, line, style);
        }
        if room == 0 {
            return x;
        }
        let at = self.text(x, y, end - 1, line, style);
        self.text(at, y, end, "…", style)
    }

    /// Empty a row.
    pub fn clear_row(&mut self, y: u16) {
        let columns = usize::from(self.columns());
        let start = usize::from(y) * columns;
        if let Some(cells) = self.frame.buffer.content.get_mut(start..start + columns) {
            for cell in cells {
                cell.reset();
            }
        }
    }

    /// Give a row's cells a style, whatever they hold.
    pub fn style(&mut self, x: u16, y: u16, end: u16, style: Style) {
        let area = Rect::new(x, y, end.saturating_sub(x), 1);
        self.frame.buffer.set_style(area, style);
    }

    /// Put the terminal's cursor somewhere; outside of the frame it is not shown.
    pub fn cursor(&mut self, x: u16, y: u16) {
        if x < self.columns() && y < self.rows() {
            self.frame.cursor = Some((x, y));
        }
    }

    /// The frame.
    pub fn finish(self) -> Frame {
        self.frame
    }
}

/// Cells of a cluster, which may be none.
fn cells_of(cluster: &str) -> usize {
    cluster
        .chars()
        .filter_map(unicode_width::UnicodeWidthChar::width)
        .sum()
}

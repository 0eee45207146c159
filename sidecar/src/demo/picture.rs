//! Drawing a screen as SVG: the real cells with their colours, as text that can be selected.

use std::fmt::Write as _;

use vt100::{Cell, Color};

use crate::terminal::{Screen, palette};

/// Size of a cell, in the drawing's units.
const WIDE: f32 = 8.4;
const HIGH: f32 = 17.0;
/// Room around the screen.
const MARGIN: f32 = 12.0;
/// The terminal's own colours.
const FOREGROUND: &str = "#d3d7cf";
const BACKGROUND: &str = "#16181d";

/// How cells look that are drawn together.
#[derive(PartialEq, Clone)]
struct Look {
    background: String,
    /// Attributes of the text element.
    style: String,
    underline: bool,
}

impl Look {
    fn of(cell: &Cell) -> Look {
        let mut foreground = colour(cell.fgcolor(), FOREGROUND);
        let mut background = colour(cell.bgcolor(), BACKGROUND);
        if cell.inverse() {
            std::mem::swap(&mut foreground, &mut background);
        }
        let mut style = format!(" fill=\"{foreground}\"");
        for (set, attribute) in [
            (cell.bold(), " font-weight=\"bold\""),
            (cell.italic(), " font-style=\"italic\""),
            (cell.underline(), " text-decoration=\"underline\""),
            (cell.dim(), " opacity=\"0.7\""),
        ] {
            if set {
                style += attribute;
            }
        }
        Look {
            background,
            style,
            underline: cell.underline(),
        }
    }
}

/// Draw a screen.
pub fn svg(screen: &Screen) -> String {
    let (rows, columns) = screen.size();
    let (width, height) = (
        f32::from(columns.get()) * WIDE + 2.0 * MARGIN,
        f32::from(rows.get()) * HIGH + 2.0 * MARGIN,
    );
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.1} {height:.1}\" \
         width=\"{width:.0}\" height=\"{height:.0}\" font-family=\"'DejaVu Sans Mono', Menlo, \
         Consolas, monospace\" font-size=\"14\" xml:space=\"preserve\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{BACKGROUND}\"/>\n"
    );
    for row in 0..rows.get() {
        draw_row(&mut out, screen, row, columns.get());
    }
    if !screen.hide_cursor() {
        let (row, column) = screen.cursor_position();
        let _ = writeln!(
            out,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{WIDE}\" height=\"{HIGH}\" \
             fill=\"{FOREGROUND}\" fill-opacity=\"0.6\"/>",
            left(column),
            top(row)
        );
    }
    out += "</svg>\n";
    out
}

/// Draw a row as runs of cells that look alike.
fn draw_row(out: &mut String, screen: &Screen, row: u16, columns: u16) {
    let mut column = 0;
    while column < columns {
        let Some(cell) = screen.cell(row, column) else {
            return;
        };
        let look = Look::of(cell);
        let start = column;
        let mut text = String::new();
        while let Some(cell) = screen.cell(row, column).filter(|_| column < columns) {
            if Look::of(cell) != look {
                break;
            }
            // the second half of a wide character is drawn with the first
            if !cell.is_wide_continuation() {
                text.push_str(if cell.has_contents() {
                    cell.contents()
                } else {
                    " "
                });
            }
            column += 1;
        }
        draw_run(out, &look, &text, (row, start), column - start);
    }
}

fn draw_run(out: &mut String, look: &Look, text: &str, (row, column): (u16, u16), cells: u16) {
    let (x, width) = (left(column), f32::from(cells) * WIDE);
    if look.background != BACKGROUND {
        let _ = writeln!(
            out,
            "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{HIGH}\" fill=\"{}\"/>",
            top(row),
            look.background
        );
    }
    if text.trim().is_empty() && !look.underline {
        return;
    }
    // the length keeps columns in place whatever font there is
    let _ = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{:.1}\" textLength=\"{width:.1}\" lengthAdjust=\"spacingAndGlyphs\"{}>{}</text>",
        top(row) + HIGH * 0.77,
        look.style,
        escaped(text)
    );
}

fn left(column: u16) -> f32 {
    MARGIN + f32::from(column) * WIDE
}

fn top(row: u16) -> f32 {
    MARGIN + f32::from(row) * HIGH
}

fn colour(colour: Color, default: &str) -> String {
    let (r, g, b) = match colour {
        Color::Default => return default.to_owned(),
        Color::Idx(index) => palette(index),
        Color::Rgb(r, g, b) => (r, g, b),
    };
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(output: &str) -> String {
        let size = std::num::NonZeroU16::new(10).unwrap();
        let mut parser = vt100::Parser::new(size, size, 0);
        parser.process(output.as_bytes());
        svg(parser.screen())
    }

    #[test]
    fn text_is_drawn_with_its_colours_and_escaped() {
        let svg = drawn("a<b \x1b[1;31;44mred");
        assert!(svg.contains(">a&lt;b </text>"), "{svg}");
        assert!(svg.contains("font-weight=\"bold\">red</text>"), "{svg}");
        assert!(svg.contains("fill=\"#3465a4\""), "{svg}");
    }

    #[test]
    fn a_wide_character_takes_two_cells_and_is_drawn_once() {
        let svg = drawn("日x");
        assert_eq!(svg.matches('日').count(), 1);
        assert!(svg.contains(">日x"), "{svg}");
    }

    #[test]
    fn an_empty_screen_is_drawn_without_text() {
        assert!(!drawn("\x1b[?25l").contains("<text"));
    }
}

//! A frame as the bytes that Zellij's terminal draws.
//!
//! Zellij empties a plugin's pane before each frame, so blanks at the end of a row are not written;
//! styles are written only where they change, and a row begins with its own address, so that no
//! width disagreement can push anything into the next one.

use std::fmt::Write as _;

use ratatui_core::buffer::{Buffer, Cell};
use ratatui_core::style::{Color, Modifier};

use crate::text;

/// What a cell looks like apart from its symbol.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Look {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

const PLAIN: Look = Look {
    fg: Color::Reset,
    bg: Color::Reset,
    modifier: Modifier::empty(),
};

impl Look {
    fn of(cell: &Cell) -> Look {
        Look {
            fg: cell.fg,
            bg: cell.bg,
            modifier: cell.modifier,
        }
    }
}

/// Whether a cell shows nothing at all.
fn is_blank(cell: &Cell) -> bool {
    cell.symbol() == " " && Look::of(cell) == PLAIN
}

/// The bytes that draw a frame on an empty screen.
pub fn bytes(buffer: &Buffer) -> String {
    let columns = usize::from(buffer.area.width).max(1);
    let mut out = String::with_capacity(buffer.content.len() + 256);
    let mut look = PLAIN;
    for (row, cells) in buffer.content.chunks(columns).enumerate() {
        let used = cells
            .iter()
            .rposition(|cell| !is_blank(cell))
            .map_or(0, |last| last + 1);
        if used == 0 {
            continue;
        }
        let _ = write!(out, "\x1b[{};1H", row + 1);
        let mut column = 0;
        while let Some(cell) = cells[..used].get(column) {
            let wanted = Look::of(cell);
            if wanted != look {
                restyle(&mut out, look, wanted);
                look = wanted;
            }
            let symbol = cell.symbol();
            if let [byte] = symbol.as_bytes() {
                out.push(char::from(*byte));
                column += 1;
                continue;
            }
            out.push_str(symbol);
            column += text::width(symbol) as usize;
            // a cluster of several characters may move the cursor by another width than ours
            if symbol.len() > 4 && column < used {
                let _ = write!(out, "\x1b[{}G", column + 1);
            }
        }
    }
    if look != PLAIN {
        out.push_str("\x1b[m");
    }
    out
}

const MODIFIERS: [(Modifier, u8); 5] = [
    (Modifier::BOLD, 1),
    (Modifier::DIM, 2),
    (Modifier::ITALIC, 3),
    (Modifier::UNDERLINED, 4),
    (Modifier::REVERSED, 7),
];

fn restyle(out: &mut String, from: Look, to: Look) {
    if to == PLAIN {
        out.push_str("\x1b[m");
        return;
    }
    out.push_str("\x1b[");
    let mut separator = "";
    let mut from = from;
    // modifiers can only be taken away all together: bold and dim share one code for that
    if !(from.modifier - to.modifier).is_empty() {
        out.push('0');
        separator = ";";
        from = PLAIN;
    }
    for (modifier, code) in MODIFIERS {
        if to.modifier.contains(modifier) && !from.modifier.contains(modifier) {
            let _ = write!(out, "{separator}{code}");
            separator = ";";
        }
    }
    for (wanted, had, base) in [(to.fg, from.fg, 30), (to.bg, from.bg, 40)] {
        if wanted != had {
            out.push_str(separator);
            separator = ";";
            color(out, wanted, base);
        }
    }
    out.push('m');
}

/// A colour's code; `base` is 30 for text and 40 for what is behind it.
fn color(out: &mut String, color: Color, base: u8) {
    let named = match color {
        Color::Reset => 9,
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 60,
        Color::LightRed => 61,
        Color::LightGreen => 62,
        Color::LightYellow => 63,
        Color::LightBlue => 64,
        Color::LightMagenta => 65,
        Color::LightCyan => 66,
        Color::White => 67,
        Color::Indexed(index) => {
            let _ = write!(out, "{};5;{index}", base + 8);
            return;
        }
        Color::Rgb(red, green, blue) => {
            let _ = write!(out, "{};2;{red};{green};{blue}", base + 8);
            return;
        }
    };
    let _ = write!(out, "{}", base + named);
}

#[cfg(test)]
mod tests {
    use ratatui_core::style::Style;

    use super::*;
    use crate::canvas::Canvas;
    use crate::io::Size;

    fn drawn(draw: impl FnOnce(&mut Canvas)) -> String {
        let mut canvas = Canvas::new(Size {
            rows: 2,
            columns: 8,
        });
        draw(&mut canvas);
        bytes(&canvas.finish().buffer)
    }

    #[test]
    fn blanks_at_the_end_of_rows_and_empty_rows_are_not_written() {
        assert_eq!(drawn(|_| ()), "");
        let text = drawn(|canvas| {
            canvas.text(2, 1, 8, "ab", Style::new());
        });
        assert_eq!(text, "\x1b[2;1H  ab");
    }

    #[test]
    fn styles_are_written_where_they_change() {
        let text = drawn(|canvas| {
            canvas.text(0, 0, 8, "ab", Style::new().fg(Color::Red));
            canvas.text(
                2,
                0,
                8,
                "cd",
                Style::new().fg(Color::Red).add_modifier(Modifier::BOLD),
            );
            canvas.text(4, 0, 8, "ef", Style::new().bg(Color::Indexed(7)));
        });
        assert_eq!(text, "\x1b[1;1H\x1b[31mab\x1b[1mcd\x1b[0;48;5;7mef\x1b[m");
    }

    #[test]
    fn wide_characters_take_their_cells_and_clusters_cannot_push_what_follows() {
        let text = drawn(|canvas| {
            let at = canvas.text(0, 0, 8, "日e\u{301}", Style::new());
            canvas.text(at, 0, 8, "x", Style::new());
        });
        assert_eq!(text, "\x1b[1;1H日e\u{301}x");
        let family = drawn(|canvas| {
            canvas.text(0, 0, 8, "👩\u{200d}👧x", Style::new());
        });
        assert_eq!(family, "\x1b[1;1H👩\u{200d}👧\x1b[5Gx");
    }

    #[test]
    fn a_wide_character_that_does_not_fit_is_left_out() {
        let text = drawn(|canvas| {
            canvas.text(7, 0, 8, "日", Style::new());
        });
        assert_eq!(text, "");
    }

    #[test]
    fn control_characters_are_pictured() {
        let text = drawn(|canvas| {
            canvas.text(0, 0, 8, "\u{1b}[m\u{7f}", Style::new());
        });
        assert_eq!(text, "\x1b[1;1H␛[m·");
    }
}

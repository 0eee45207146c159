//! What a terminal answers when programs ask it: who it is, where the cursor is, which colours.

use std::sync::mpsc::Sender;

use vt100::Screen;

/// Answers what the program asks its terminal.
pub(super) struct Answers(pub(super) Sender<Vec<u8>>);

impl Answers {
    fn answer(&self, text: impl Into<String>) {
        // The writer is gone only when the program is.
        let _ = self.0.send(text.into().into_bytes());
    }
}

impl vt100::Callbacks for Answers {
    fn unhandled_csi(
        &mut self,
        screen: &mut Screen,
        first: Option<u8>,
        _second: Option<u8>,
        parameters: &[&[u16]],
        c: char,
    ) {
        let parameter = parameters.first().and_then(|p| p.first()).copied();
        let (rows, columns) = screen.size();
        match (first, c, parameter.unwrap_or(0)) {
            // a VT220 with colours
            (None, 'c', 0) => self.answer("\x1b[?62;22c"),
            (Some(b'>'), 'c', 0) => self.answer("\x1b[>1;10;0c"),
            (None, 'n', 5) => self.answer("\x1b[0n"),
            (None, 'n', 6) => {
                let (row, column) = screen.cursor_position();
                self.answer(format!("\x1b[{};{}R", row + 1, column + 1));
            }
            // sizes: the text area and a cell in pixels (cells of 8 by 16), the text area in cells
            (None, 't', 14) => {
                let (high, wide) = (u32::from(rows.get()) * 16, u32::from(columns.get()) * 8);
                self.answer(format!("\x1b[4;{high};{wide}t"));
            }
            (None, 't', 16) => self.answer("\x1b[6;16;8t"),
            (None, 't', 18) => self.answer(format!("\x1b[8;{rows};{columns}t")),
            // a private mode: not known here
            (Some(b'?'), 'p', mode) => self.answer(format!("\x1b[?{mode};0$y")),
            _ => (),
        }
    }

    fn unhandled_osc(&mut self, _screen: &mut Screen, parameters: &[&[u8]]) {
        match parameters {
            [b"10", b"?"] => self.answer("\x1b]10;rgb:d0d0/d0d0/d0d0\x1b\\"),
            [b"11", b"?"] => self.answer("\x1b]11;rgb:1010/1010/1010\x1b\\"),
            [b"4", colours @ ..] => {
                for pair in colours.chunks_exact(2).filter(|pair| pair[1] == b"?") {
                    if let Some(index) = std::str::from_utf8(pair[0])
                        .ok()
                        .and_then(|index| index.parse().ok())
                    {
                        let (r, g, b) = palette(index);
                        self.answer(format!(
                            "\x1b]4;{index};rgb:{r:02x}{r:02x}/{g:02x}{g:02x}/{b:02x}{b:02x}\x1b\\"
                        ));
                    }
                }
            }
            _ => (),
        }
    }
}

/// The colour that terminals show for an index of the 256-colour palette, as red, green, blue.
pub fn palette(index: u8) -> (u8, u8, u8) {
    const BASE: [(u8, u8, u8); 16] = [
        (0x1c, 0x1c, 0x1c),
        (0xcd, 0x31, 0x31),
        (0x4e, 0x9a, 0x06),
        (0xc4, 0xa0, 0x00),
        (0x34, 0x65, 0xa4),
        (0x9a, 0x5f, 0xa8),
        (0x06, 0x98, 0x9a),
        (0xd3, 0xd7, 0xcf),
        (0x76, 0x76, 0x76),
        (0xef, 0x53, 0x50),
        (0x8a, 0xe2, 0x34),
        (0xfc, 0xe9, 0x4f),
        (0x72, 0x9f, 0xcf),
        (0xc3, 0x8f, 0xd0),
        (0x34, 0xe2, 0xe2),
        (0xee, 0xee, 0xec),
    ];
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    match index {
        0..=15 => BASE[usize::from(index)],
        16..=231 => {
            let n = usize::from(index - 16);
            (STEPS[n / 36], STEPS[n / 6 % 6], STEPS[n % 6])
        }
        232..=255 => {
            let grey = 8 + 10 * (index - 232);
            (grey, grey, grey)
        }
    }
}

//! Which style everything has.
//!
//! The default uses only the sixteen colours that the terminal's user chose, and of those the ones
//! that can be read on dark and on light; what is unimportant is dim, never grey. With
//! `theme "zellij"` in its configuration a pane takes the colours of Zellij's theme.

use ratatui_core::style::{Color, Modifier, Style};

/// The colours that Zellij's themes have for text, frames and results. Ordinary text has the terminal's own
/// colours: a theme's colour for it is meant on the theme's background, which a pane does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZellijColors {
    /// The four emphases of text, in Zellij's order.
    pub emphasis: [Color; 4],
    /// Selected text and what is behind it.
    pub selected: (Color, Color),
    /// What went well.
    pub success: Color,
    /// What went wrong.
    pub error: Color,
}

/// The style of each thing on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    /// Ordinary text.
    pub text: Style,
    /// What matters less: hints, class names beside values.
    pub faint: Style,
    /// Titles and the selected tab.
    pub title: Style,
    /// Keys in hints and help.
    pub key: Style,
    /// Comments.
    pub comment: Style,
    /// Strings, symbols and characters.
    pub string: Style,
    /// Numbers.
    pub number: Style,
    /// `self`, `super`, `nil`, `true`, `false`, `thisContext`, `^` and `:=`.
    pub reserved: Style,
    /// Names with a capital: classes and other globals.
    pub global: Style,
    /// What is selected.
    pub selection: Style,
    /// What is running.
    pub running: Style,
    /// What is well.
    pub good: Style,
    /// What went wrong.
    pub error: Style,
    /// Code that went wrong.
    pub error_mark: Style,
    /// Code that runs next in a debugger.
    pub next: Style,
    /// Other people's cursors, by their number.
    pub others: [Style; 4],
}

impl Theme {
    /// The style of a client's cursor. People are told apart by their numbers; where there are more
    /// than colours, some have the same.
    pub fn other(&self, client: u16) -> Style {
        let of = usize::from(client) % self.others.len();
        self.others[of]
    }
}

impl Default for Theme {
    fn default() -> Theme {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        Theme {
            text: plain,
            faint: plain.add_modifier(Modifier::DIM),
            title: bold,
            key: bold.fg(Color::Cyan),
            comment: plain.fg(Color::Cyan).add_modifier(Modifier::ITALIC),
            string: plain.fg(Color::Green),
            number: plain.fg(Color::Magenta),
            reserved: bold.fg(Color::Magenta),
            global: bold,
            selection: plain.add_modifier(Modifier::REVERSED),
            running: bold.fg(Color::Cyan),
            good: plain.fg(Color::Green),
            error: bold.fg(Color::Red),
            error_mark: plain
                .fg(Color::Red)
                .add_modifier(Modifier::UNDERLINED | Modifier::BOLD),
            next: bold.fg(Color::Cyan).add_modifier(Modifier::REVERSED),
            others: [Color::Yellow, Color::Magenta, Color::Green, Color::Cyan].map(cursor_of),
        }
    }
}

impl From<ZellijColors> for Theme {
    fn from(colors: ZellijColors) -> Theme {
        let text = Style::new();
        let [orange, cyan, green, magenta] = colors.emphasis;
        let bold = text.add_modifier(Modifier::BOLD);
        Theme {
            text,
            faint: text.add_modifier(Modifier::DIM),
            title: bold,
            key: bold.fg(cyan),
            comment: text.fg(cyan).add_modifier(Modifier::ITALIC),
            string: text.fg(green),
            number: text.fg(magenta),
            reserved: bold.fg(magenta),
            global: bold.fg(orange),
            selection: Style::new().fg(colors.selected.0).bg(colors.selected.1),
            running: bold.fg(orange),
            good: text.fg(colors.success),
            error: bold.fg(colors.error),
            error_mark: text
                .fg(colors.error)
                .add_modifier(Modifier::UNDERLINED | Modifier::BOLD),
            next: bold.fg(orange).add_modifier(Modifier::REVERSED),
            others: [orange, magenta, green, cyan].map(cursor_of),
        }
    }
}

/// A cell of this colour, underlined.
fn cursor_of(color: Color) -> Style {
    Style::new()
        .fg(Color::Black)
        .bg(color)
        .add_modifier(Modifier::UNDERLINED)
}

//! What goes into a pane and what comes out of it, free of Zellij's own types.

use crate::key::Key;
use crate::theme::Theme;

/// Something that happened to the pane.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted by the terminal.
    Paste(String),
    /// The mouse did something, at a row and column of the pane's content.
    Mouse(Mouse),
    /// The pane has this size now.
    Size(Size),
    /// The user answered the question for permissions.
    Permission {
        /// Whether with yes.
        granted: bool,
    },
    /// Whether the user said no to the pane that asks for all.
    OthersRefused(bool),
    /// Another pane of this plugin was given its permissions, so that asking will not prompt.
    OthersPermitted,
    /// The sidecar opened a pipe to be answered on.
    DownOpened {
        /// What Zellij calls the pipe.
        pipe: String,
    },
    /// A pipe of that kind is gone.
    DownClosed {
        /// What Zellij calls the pipe.
        pipe: String,
    },
    /// A line from the sidecar.
    Line(String),
    /// The command that looks for the sidecar ended.
    Summoned {
        /// Its exit status; none: ended by a signal.
        status: Option<i32>,
        /// What it wrote to standard error.
        said: String,
    },
    /// Time went by, in seconds.
    Tick(f64),
    /// Zellij told its theme.
    Theme(Box<Theme>),
    /// The pane is being closed.
    Closing,
}

/// What a mouse can do in a plugin's pane. Places count rows and columns from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mouse {
    /// The left button went down.
    Click {
        /// Row.
        row: u16,
        /// Column.
        column: u16,
    },
    /// The wheel turned, by lines; negative: up.
    Scroll(i32),
}

/// Size of a pane's content in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Size {
    /// Rows.
    pub rows: u16,
    /// Columns.
    pub columns: u16,
}

/// What a permission is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// To speak with the sidecar.
    Pipes,
    /// To start the sidecar.
    Commands,
    /// To copy.
    Clipboard,
    /// To know Zellij's theme; only asked for if the configuration wants its colours.
    Theme,
}

/// Something that shall be done outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Ask the user for permissions, or take them if they were given before.
    Ask(Vec<Permission>),
    /// Leave a note for the other panes that permissions were given.
    NotePermitted,
    /// Leave a note for the other panes that the user said no.
    NoteRefused,
    /// Keep a pipe open: its process must not read on.
    Hold {
        /// What Zellij calls the pipe.
        pipe: String,
    },
    /// Write a line to a pipe.
    Say {
        /// What Zellij calls the pipe.
        pipe: String,
        /// The line, its newline included.
        line: String,
    },
    /// Run the command that looks for the sidecar, program first.
    Summon(Vec<String>),
    /// Hide the pane.
    Hide,
    /// Put text on the clipboard.
    Copy(String),
    /// Write a line to Zellij's log.
    Log(String),
}

/// What an input led to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// What shall be done, in this order.
    pub effects: Vec<Effect>,
    /// Whether the pane looks different now.
    pub redraw: bool,
}

impl Outcome {
    pub(crate) fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    pub(crate) fn log(&mut self, reason: impl Into<String>) {
        self.effects.push(Effect::Log(reason.into()));
    }
}

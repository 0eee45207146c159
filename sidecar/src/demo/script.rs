//! What `stui demo` does, step by step: the keys, and what must then stand on the screen.

/// Something that a step does.
#[derive(Debug, Clone, Copy)]
pub enum Action {
    /// Type a text; a line feed is the Enter key.
    Type(&'static str),
    /// Press a key, named as in Zellij's configuration.
    Press(&'static str),
    /// Wait until a text stands on the screen.
    See(&'static str),
    /// Wait until every pane says that it is connected.
    SeeConnected,
}

/// A step of the demo.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// What it shows, for its screen's heading.
    pub caption: &'static str,
    /// What happens.
    pub actions: &'static [Action],
    /// Whether its screen is the one for pictures.
    pub pictured: bool,
}

/// Keys that STUI adds: those of the panes are in the plugin's table of commands, those between the
/// panes in the layout.
pub mod keys {
    /// To the workspace, from any pane.
    pub const WORKSPACE: &str = "Alt w";
    /// To the inspector, from any pane.
    pub const INSPECTOR: &str = "Alt v";
    /// Bring the debugger up, from any pane.
    pub const DEBUGGER: &str = "Alt d";
    /// Evaluate, show nothing but errors.
    pub const DO_IT: &str = "Ctrl d";
    /// Evaluate and insert the answer.
    pub const PRINT_IT: &str = "Ctrl e";
    /// Evaluate and show the answer in the inspector.
    pub const INSPECT_IT: &str = "Ctrl l";
    /// Evaluate, stopped before the first statement.
    pub const DEBUG_IT: &str = "Ctrl r";
    /// Stop what is running.
    pub const INTERRUPT: &str = "Ctrl k";
}

/// What the status line of a connected pane says.
pub const CONNECTED: &str = "Embedded";
/// How many panes say it.
pub const PANES: usize = 3;

use Action::{Press, See, SeeConnected, Type};

/// The demo.
pub const STEPS: &[Step] = &[
    Step {
        caption: "A workspace, an inspector, a transcript and a terminal",
        actions: &[SeeConnected],
        pictured: false,
    },
    Step {
        caption: "Print it: the answer is inserted behind the expression",
        actions: &[
            Type("(1 to: 5) collect: [ :x | x squared ]"),
            Press(keys::PRINT_IT),
            See("#(1 4 9 16 25)"),
        ],
        pictured: false,
    },
    Step {
        caption: "An error says what is wrong and where",
        actions: &[
            Press("End"),
            Type("\n#(3 4) inject: 0 into: "),
            Press(keys::PRINT_IT),
            See("expected"),
        ],
        pictured: false,
    },
    Step {
        caption: "Inspect it: an object in the inspector",
        actions: &[
            Press("End"),
            Type("[ :a :b | a + b ]\n"),
            Type("{ 3 / 4. 'two'. #(1 2 3) } asOrderedCollection"),
            Press(keys::INSPECT_IT),
            See("Fraction"),
        ],
        pictured: false,
    },
    Step {
        caption: "Walk into one of its elements",
        actions: &[Press(keys::INSPECTOR), Press("Enter"), See("numerator")],
        pictured: true,
    },
    Step {
        caption: "Back in the workspace: an endless loop runs",
        actions: &[
            Press("Backspace"),
            Press(keys::WORKSPACE),
            Press("End"),
            Type("\n[ true ] whileTrue"),
            Press(keys::DO_IT),
            See("running"),
        ],
        pictured: false,
    },
    Step {
        caption: "Interrupted, and ready for more",
        actions: &[
            Press(keys::INTERRUPT),
            See("nterrupted"),
            Press("End"),
            Type("\n100 factorial printString size"),
            Press(keys::PRINT_IT),
            See("158"),
        ],
        pictured: false,
    },
];

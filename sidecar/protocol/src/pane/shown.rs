//! What panes show of everything that is shared: marks, cursors, the state of the chain, the inspector.

use serde::{Deserialize, Serialize};

use super::{Instance, Pos, Span};

/// Where an instance's cursor is. It moves with every edit, as everything does; an edit of its own puts
/// it behind the edit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CursorOf {
    /// Whose.
    pub by: Instance,
    /// The end of the selection that stays; without a selection the cursor's place.
    pub anchor: Pos,
    /// The end that moves.
    pub cursor: Pos,
}

/// A marked span of the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Where.
    pub span: Span,
    /// What it means.
    pub kind: MarkKind,
    /// One sentence for it; empty for running code.
    pub text: String,
}

/// What a [`Mark`] means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkKind {
    /// This code is running.
    Running,
    /// The compiler stopped here.
    CompileError,
    /// This code raised an error.
    Error,
    /// This code is stopped in a debugger that was asked for.
    Debugged,
}

impl MarkKind {
    /// Whether something went wrong there.
    pub fn is_wrong(self) -> bool {
        matches!(self, MarkKind::CompileError | MarkKind::Error)
    }
}

/// How bad a notice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Good to know.
    Info,
    /// Something did not work; nothing is lost.
    Error,
}

/// The state of the chain behind the panes of a session.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Status {
    /// Name of the session.
    #[serde(default)]
    pub session: String,
    /// Name of its image.
    #[serde(default)]
    pub image: String,
    /// How many sessions there are.
    #[serde(default)]
    pub sessions: u32,
    /// How many images there are.
    #[serde(default)]
    pub images: u32,
    /// The link to the Smalltalk server.
    pub link: Link,
    /// What the server calls itself (`Pharo 12`, `Embedded 0.1.0`); empty before it said so.
    pub dialect: String,
    /// Where the server listens.
    pub endpoint: String,
    /// Whether the server is connected and answers late: its event loop is held up by something that is
    /// no evaluation, which would not hold it up.
    #[serde(default)]
    pub busy: bool,
    /// How many evaluations of the session run now.
    pub running: u32,
    /// How many debuggers of the session are open.
    #[serde(default)]
    pub debuggers: u32,
    /// Whether the server can stop an evaluation before its first statement.
    #[serde(default)]
    pub can_debug_it: bool,
    /// How many people are attached, each with own instances.
    pub clients: u32,
    /// The client who alone may change and evaluate, while the others are guests who look; none:
    /// everybody may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<u16>,
}

/// What those may do who are not the first in a Zellij session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guests {
    /// Look on: only who has been there longest may change and evaluate.
    ReadOnly,
    /// Change and evaluate, as everybody.
    #[default]
    MayWrite,
}

/// The state of the link to the Smalltalk server.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "s", rename_all = "snake_case")]
pub enum Link {
    /// Not yet connected.
    #[default]
    Connecting,
    /// Connected.
    Connected,
    /// The server is being started, and takes its time.
    Starting {
        /// What it does, in a few words.
        what: String,
    },
    /// The connection was lost and is being tried again.
    Reconnecting {
        /// Which try, from 1.
        attempt: u32,
        /// Why it was lost, in one sentence.
        reason: String,
    },
    /// It will not come by itself.
    Failed {
        /// Why, and what to do.
        reason: String,
    },
}

/// What the inspector shows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct InspectorView {
    /// Counts what was shown: another number, another object or view.
    pub shown: u64,
    /// From what was inspected first to what is shown now; empty: nothing was inspected yet.
    pub trail: Vec<String>,
    /// Class of the object.
    pub class_name: String,
    /// The object printed, cut at some length.
    pub print_string: String,
    /// Names of the views.
    pub views: Vec<String>,
    /// Which of them is shown.
    pub view: u32,
    /// Whether the view is a text: its rows are lines of it, in pieces where they are long. A row that is
    /// counted and not there is the text that was not read yet; asking for it reads on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub text: bool,
    /// The row that was walked into when this object was left, to select it again.
    pub select: Option<u64>,
    /// How many rows there are.
    pub total: u64,
    /// Number of the first row in `rows`.
    pub first: u64,
    /// Some of the rows.
    pub rows: Vec<Row>,
}

/// A row of the inspector: an instance variable, an element, a key with its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Name, index or key.
    pub name: String,
    /// The value printed, cut at some length.
    pub value: String,
    /// Class of the value.
    pub class_name: String,
    /// Whether walking into it shows more.
    pub has_children: bool,
}

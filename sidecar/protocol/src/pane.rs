//! What the sidecar and the panes tell each other through Zellij's pipes.
//!
//! The sidecar opens two long-lived `zellij pipe` processes for every [`Role`] that has a pane:
//! one named [`UP`], which carries lines to the pane's plugin instances, and one named [`DOWN`],
//! which the instances keep blocked and answer on. Every message is one line.
//!
//! - up: a target, a space, a [`ToPane`] as JSON. The target is `*` or the [`Instance`] that is
//!   meant, so that the others can drop the line without reading it as JSON ([`up_line`],
//!   [`split_up_line`]).
//! - down: a [`Down`] as JSON.
//!
//! # Who owns what
//! Zellij runs one plugin instance per pane **and per attached client**. The sidecar owns what they
//! share: the text of a document, its revision, the inspector's trail, the transcript. An instance
//! owns only how it looks at that: cursor, selection, scroll. It holds a window of lines, never a
//! whole document.
//!
//! # Editing
//! An instance applies an [`Edit`] to its window at once and sends it with the revision it was made
//! against and a sequence number of its own. The sidecar journals it, moves it past what others did
//! since ([`crate::change`]), applies it, and tells every instance ([`ToPane::Edited`]); for the author
//! that is the acknowledgement. What is not acknowledged is kept and sent again to the next sidecar,
//! which knows from [`ToPane::Welcome`]'s `acked` what it already has. An instance that gets somebody
//! else's edit while own edits are still unacknowledged moves it past them, and them past it: the
//! sidecar's order is the only one, and nobody waits for it.
//!
//! # How it starts
//! A permitted instance that hears no probe runs what [`summons`] says, through Zellij. The first such
//! process becomes the session's sidecar, every later one tells that sidecar which pane is there and
//! ends; so an instance may run it as often as it likes. The session's name is in the environment
//! that Zellij gives the process (`ZELLIJ_SESSION_NAME`).
//!
//! # Sessions
//! A person works in sessions, each with its own document, inspector and transcript, and named by a
//! [`SessionKey`]. All panes of a client show the client's current session, unless their layout pins
//! them to one ([`SESSION_KEY`]). Every act and every message about a document, an inspector or a
//! transcript carries its session's key: what was typed before a switch lands in the session in which
//! it was typed, and a late message cannot hit another text. A [`ToPane::Welcome`] with another
//! session's key is a switch; an instance drops what is of a session that it does not show.
//!
//! # Size
//! A line is at most [`MAX_LINE`] bytes: a plugin has 16 MiB in all and pays for every byte. Long text
//! goes as several edits of one `group`; long lines are sent as slices ([`Line`]).

use serde::{Deserialize, Serialize};

pub use self::shown::{CursorOf, Guests, InspectorView, Level, Link, Mark, MarkKind, Row, Status};
pub use self::text::{Edit, Line, Pos, Span};
use crate::debugger::{DebuggerAct, DebuggerView};
use crate::sessions::{SessionCommand, SessionList};

mod shown;
mod text;

/// Version of what is told here. A plugin and a sidecar with different ones do not work together: it is
/// raised with every change that the other side could not read, or would read as something else.
pub const VERSION: u32 = 1;
/// Name of the pipe from the sidecar to the panes.
pub const UP: &str = "stui-up";
/// Name of the pipe that the panes answer on.
pub const DOWN: &str = "stui-down";
/// Longest line on a pipe, in bytes, its newline included.
pub const MAX_LINE: usize = 60 * 1024;
/// Longest text of one [`Edit`] from a pane, in bytes; more goes as several edits of one group.
pub const MAX_EDIT_TEXT: usize = 24 * 1024;
/// Most characters of one document line in one [`Line`] slice.
pub const MAX_SLICE: usize = 1000;

/// Key of the plugin configuration that holds the pane's role; see [`Role::from_word`].
pub const ROLE_KEY: &str = "role";
/// Key of the plugin configuration that holds the absolute path of the `stui` program.
pub const STUI_KEY: &str = "stui";
/// Key of the plugin configuration that holds the name of a session; the pane then shows that one
/// whatever its client's current session is.
pub const SESSION_KEY: &str = "session";
/// Key of the plugin configuration that holds the plugin's own address (`file:/…/stui.wasm`), which
/// Zellij does not tell a plugin. Without it the sidecar takes the plugin that `stui up` installs.
pub const WASM_KEY: &str = "wasm";

/// The command that brings a pane its sidecar, program first:
/// `STUI sidecar --role ROLE --zellij-pid PID --configuration KEY=VALUE,… [--wasm URL]`.
///
/// Zellij delivers a line only to panes whose whole plugin configuration equals the one given to
/// `zellij pipe`; so the configuration travels along, in the form of that command's
/// `--plugin-configuration`.
///
/// None without a role or a program in the configuration, or if a key or value holds what that form
/// cannot carry: a comma, or an equals sign in a key.
pub fn summons(
    configuration: &std::collections::BTreeMap<String, String>,
    zellij_pid: u32,
) -> Option<Vec<String>> {
    let role = Role::from_word(configuration.get(ROLE_KEY)?)?;
    let program = configuration.get(STUI_KEY)?;
    let mut pairs = Vec::with_capacity(configuration.len());
    for (key, value) in configuration {
        if key.contains([',', '=']) || value.contains(',') {
            return None;
        }
        pairs.push(format!("{key}={value}"));
    }
    let mut command = vec![
        program.clone(),
        "sidecar".to_owned(),
        "--role".to_owned(),
        role.word().to_owned(),
        "--zellij-pid".to_owned(),
        zellij_pid.to_string(),
        "--configuration".to_owned(),
        pairs.join(","),
    ];
    if let Some(wasm) = configuration.get(WASM_KEY) {
        command.extend(["--wasm".to_owned(), wasm.clone()]);
    }
    Some(command)
}

/// What a pane shows; the `role` of its plugin configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A document in which code is typed and evaluated.
    Workspace,
    /// The objects that were inspected.
    Inspector,
    /// What evaluations wrote to Transcript.
    Transcript,
    /// The sessions and images, to choose from.
    Sessions,
    /// What failed or halted, to be stepped through.
    Debugger,
}

impl Role {
    /// All roles, in the order in which a layout shows them.
    pub const ALL: [Role; 5] = [
        Role::Workspace,
        Role::Inspector,
        Role::Transcript,
        Role::Sessions,
        Role::Debugger,
    ];

    /// The word used in layouts and on command lines.
    pub fn word(self) -> &'static str {
        match self {
            Role::Workspace => "workspace",
            Role::Inspector => "inspector",
            Role::Transcript => "transcript",
            Role::Sessions => "sessions",
            Role::Debugger => "debugger",
        }
    }

    /// The role that a word names.
    pub fn from_word(word: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.word() == word)
    }
}

/// One plugin instance: `PLUGIN.CLIENT-NONCE`, unique over reloads; without spaces.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Instance(pub String);

impl Instance {
    /// The identity of a plugin's instance for a client, with a nonce made when it was loaded.
    pub fn new(plugin: u32, client: u16, nonce: u64) -> Self {
        Instance(format!("{plugin}.{client}-{nonce:x}"))
    }

    /// The number of the plugin, which is that of its pane; none if this is no such identity.
    pub fn plugin(&self) -> Option<u32> {
        self.0.split_once('.')?.0.parse().ok()
    }

    /// The number of the client (the person) whose instance it is; none if this is no such identity.
    pub fn client(&self) -> Option<u16> {
        let (client, _) = self.0.split_once('.')?.1.split_once('-')?;
        client.parse().ok()
    }
}

impl std::fmt::Display for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names a session of a Zellij session for ever; its name may change.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct SessionKey(pub u32);

impl std::fmt::Display for SessionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// How to evaluate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Do it: evaluate, show nothing but errors.
    DoIt,
    /// Print it: insert the answer behind the expression and select it.
    PrintIt,
    /// Inspect it: show the answer in the inspector.
    InspectIt,
    /// Debug it: stop before the first statement and open a debugger.
    DebugIt,
}

/// A line from an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Down {
    /// Who says it.
    pub from: Instance,
    /// What is said.
    #[serde(flatten)]
    pub said: FromPane,
}

/// What an instance tells the sidecar.
///
/// The messages with a `seq` change something shared: they are numbered from 1 per instance, kept
/// until acknowledged, sent again in order to the next sidecar, and carried out once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum FromPane {
    /// The answer to the first line on a [`DOWN`] pipe: who is here.
    Hello {
        /// What the pane shows.
        role: Role,
        /// Process id of the Zellij server: the sidecar ends with it.
        zellij_pid: u32,
        /// Version of Zellij.
        zellij_version: String,
        /// Name of the session that the layout pins the pane to; see [`SESSION_KEY`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pin: Option<String>,
    },
    /// The answer to a [`ToPane::Probe`], with its number.
    Probed {
        /// The number that was sent.
        n: u64,
    },
    /// The pane is being closed.
    Bye,
    /// The pane has come up in a floating window: give it room, as much as its role needs. Zellij makes such a
    /// window half as wide and high as the screen, whenever it comes up.
    Room {
        /// What the pane shows.
        role: Role,
    },
    /// Something that is carried out once.
    Act {
        /// Number of this act among the instance's, from 1.
        seq: u64,
        /// The session that it is meant in.
        session: SessionKey,
        /// What to do.
        act: Act,
    },
    /// Send a [`ToPane::Window`] of the workspace's document.
    View {
        /// The session whose it is.
        session: SessionKey,
        /// First line wanted.
        first: u32,
        /// How many lines.
        count: u32,
        /// The column around which lines are wanted that do not come whole: their slices have as much
        /// before it as behind it, as far as the line goes.
        column: u32,
        /// How many columns of such lines are wanted at least, [`MAX_SLICE`] at most; where not all
        /// lines fit with so many, less lines come. One line comes with all of them.
        width: u32,
    },
    /// Send as [`ToPane::Stand`] where these places are in the text of now. An instance that fetches its
    /// window anew asks it before, or its cursor would be where it was in the text of then.
    Stand {
        /// The session whose document they are in.
        session: SessionKey,
        /// Revision the places are meant in, own edits after that one included.
        rev: u64,
        /// The end of the selection that stays; without a selection the cursor's place.
        anchor: Pos,
        /// The end that moves.
        cursor: Pos,
    },
    /// Where the cursor is and what is selected; said where no edit tells it, see [`CursorOf`].
    Cursor {
        /// The session whose document it is in.
        session: SessionKey,
        /// Revision the places are meant in.
        rev: u64,
        /// The end of the selection that stays; without a selection the cursor's place.
        anchor: Pos,
        /// The end that moves.
        cursor: Pos,
    },
    /// Send the text of a span as [`ToPane::Clipboard`].
    Copy {
        /// The session whose it is.
        session: SessionKey,
        /// Revision the span is meant in.
        rev: u64,
        /// What to copy.
        span: Span,
    },
    /// Send a [`ToPane::Inspector`] with these rows of the object shown.
    InspectorView {
        /// The session whose it is.
        session: SessionKey,
        /// First row wanted, from 0.
        first: u64,
        /// How many rows.
        count: u32,
        /// Whether everything is read anew, because it may have changed.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        again: bool,
    },
    /// Send a [`ToPane::Transcript`] with these lines.
    TranscriptView {
        /// The session whose it is.
        session: SessionKey,
        /// First line wanted, from the beginning of the session; none: the newest ones.
        first: Option<u64>,
        /// How many lines.
        count: u32,
    },
    /// Send a [`ToPane::Debugger`], its source from this line on.
    DebuggerView {
        /// The session whose it is.
        session: SessionKey,
        /// First line of the source wanted, from 0; none: where the frame runs.
        line: Option<u32>,
    },
}

/// What changes something that is shared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "a", rename_all = "snake_case")]
pub enum Act {
    /// Change the document.
    Edit {
        /// Revision the edit was made against, own unacknowledged edits after that one included.
        rev: u64,
        /// The change.
        edit: Edit,
        /// Edits of one group are undone together.
        group: u64,
    },
    /// Take the last group of edits back.
    Undo,
    /// Do again what was taken back.
    Redo,
    /// Evaluate the selection, or if it is empty the line or statement at its place.
    Evaluate {
        /// Revision the span is meant in.
        rev: u64,
        /// The selection; empty: only a cursor.
        span: Span,
        /// What to do with the answer.
        how: How,
    },
    /// Interrupt what is running.
    Interrupt,
    /// Show the object of a row.
    InspectRow {
        /// [`InspectorView::shown`] that the row is meant in.
        shown: u64,
        /// Number of the row, from 0.
        row: u64,
    },
    /// Show the object before; further back by saying it again.
    InspectBack,
    /// Show another view of the object (Raw, Items, Print, …).
    InspectAs {
        /// [`InspectorView::shown`] that the view is meant in.
        shown: u64,
        /// Number of the view in [`InspectorView::views`].
        view: u32,
    },
    /// Empty the transcript, for everybody.
    ClearTranscript,
    /// Do something with sessions.
    Sessions {
        /// What.
        command: SessionCommand,
    },
    /// Do something with debuggers.
    Debugger {
        /// What.
        act: DebuggerAct,
    },
}

/// What the sidecar tells instances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum ToPane {
    /// Answer with [`FromPane::Probed`].
    Probe {
        /// To be sent back.
        n: u64,
    },
    /// The answer to [`FromPane::Hello`], to one instance; also when its client switched to another
    /// session.
    Welcome {
        /// The sidecar's [`VERSION`].
        #[serde(default)]
        version: u32,
        /// Which sidecar: another one than before has lost nothing, but must be told what is not in `acked`.
        sidecar: String,
        /// The highest sequence number of this instance that was carried out.
        acked: u64,
        /// The session that the pane shows from now on.
        session: SessionKey,
        /// The state of everything behind that session.
        status: Status,
    },
    /// The state of everything behind a session changed.
    Status {
        /// The session.
        session: SessionKey,
        /// It now.
        status: Status,
    },
    /// Acts up to `seq` are carried out and on disk; to one instance. Edits are acknowledged by their
    /// [`ToPane::Edited`] as well.
    Acked {
        /// The highest sequence number carried out.
        seq: u64,
    },
    /// A window of the document.
    Window {
        /// The session whose it is.
        session: SessionKey,
        /// Its revision.
        rev: u64,
        /// Line number of the first line.
        first: u32,
        /// How many lines the document has (an empty one has 1).
        total: u32,
        /// The lines.
        lines: Vec<Line>,
    },
    /// The document changed.
    Edited {
        /// The session whose it is.
        session: SessionKey,
        /// Revision after the change.
        rev: u64,
        /// Whose edit; none: the sidecar's (an answer, undo).
        by: Option<Instance>,
        /// Number of the author's act; 0 for the sidecar's.
        seq: u64,
        /// The change, as it applies to revision `rev - 1`.
        edit: Edit,
        /// How many lines the document has now.
        total: u32,
    },
    /// The answer to [`FromPane::Stand`], to one instance.
    Stand {
        /// The session whose document the places are in.
        session: SessionKey,
        /// Revision the places are meant in.
        rev: u64,
        /// The end of the selection that stays.
        anchor: Pos,
        /// The end that moves.
        cursor: Pos,
    },
    /// Put selection and cursor here; to one instance.
    Select {
        /// The session whose it is.
        session: SessionKey,
        /// Revision the places are meant in.
        rev: u64,
        /// The end of the selection that stays.
        anchor: Pos,
        /// The end that moves.
        cursor: Pos,
    },
    /// Where the document was left: whoever opens it now begins there.
    LeftAt {
        /// The session whose it is.
        session: SessionKey,
        /// The place.
        cursor: Pos,
    },
    /// Where the cursors of all instances are now; of whom nothing is said, he is gone. Comes when a
    /// [`FromPane::Cursor`] did, when somebody left, and to whoever arrives.
    Cursors {
        /// The session whose it is.
        session: SessionKey,
        /// Revision the places are meant in.
        rev: u64,
        /// The cursors.
        cursors: Vec<CursorOf>,
    },
    /// What is marked in the document now, instead of all marks before.
    Marks {
        /// The session whose it is.
        session: SessionKey,
        /// Revision the places are meant in.
        rev: u64,
        /// The marks.
        marks: Vec<Mark>,
    },
    /// One sentence for the message line; to one instance or all.
    Notice {
        /// The session that it is about; none: whichever is shown.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session: Option<SessionKey>,
        /// How bad.
        level: Level,
        /// The sentence.
        text: String,
    },
    /// Text for the clipboard; to one instance. Cut where it would not fit a line.
    Clipboard {
        /// The session whose it is.
        session: SessionKey,
        /// The text.
        text: String,
        /// Whether the rest was left out.
        truncated: bool,
    },
    /// What the inspector shows.
    Inspector {
        /// The session whose it is.
        session: SessionKey,
        /// It.
        view: InspectorView,
    },
    /// An evaluation has ended: what is inspected may have changed.
    MayHaveChanged {
        /// The session in which it ran.
        session: SessionKey,
    },
    /// Lines of the transcript.
    Transcript {
        /// The session whose it is.
        session: SessionKey,
        /// Number of the first line, from the beginning of the session.
        first: u64,
        /// Number of the oldest line still kept.
        oldest: u64,
        /// Number after the newest line.
        end: u64,
        /// The lines; the last one may still grow.
        lines: Vec<String>,
    },
    /// What the debuggers' panes show.
    Debugger {
        /// The session whose it is.
        session: SessionKey,
        /// It.
        view: Box<DebuggerView>,
    },
    /// What sessions and images there are.
    Sessions {
        /// They.
        list: SessionList,
        /// What time it is for the sidecar, in seconds since 1970.
        now: u64,
    },
}

/// A line for the [`UP`] pipe, newline included; no target: every instance.
///
/// # Errors
/// Only if the message has no JSON form.
pub fn up_line(target: Option<&Instance>, message: &ToPane) -> serde_json::Result<String> {
    let target = target.map_or("*", |instance| instance.0.as_str());
    Ok(format!("{target} {}\n", serde_json::to_string(message)?))
}

/// The JSON of a line from the [`UP`] pipe if it is meant for `me`.
pub fn split_up_line<'a>(line: &'a str, me: &Instance) -> Option<&'a str> {
    let (target, json) = line.trim_end_matches('\n').split_once(' ')?;
    (target == "*" || target == me.0).then_some(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_up_line_reaches_only_whom_it_is_meant_for() {
        let (me, other) = (Instance::new(3, 1, 9), Instance::new(3, 2, 9));
        let line = up_line(Some(&me), &ToPane::Probe { n: 4 }).unwrap();
        assert_eq!(split_up_line(&line, &me), Some(r#"{"t":"probe","n":4}"#));
        assert_eq!(split_up_line(&line, &other), None);
        assert!(split_up_line(&up_line(None, &ToPane::Probe { n: 4 }).unwrap(), &other).is_some());
    }

    #[test]
    fn the_summons_carries_the_whole_configuration() {
        let mut configuration = std::collections::BTreeMap::from([
            (ROLE_KEY.to_owned(), "inspector".to_owned()),
            (STUI_KEY.to_owned(), "/opt/stui".to_owned()),
            ("bind_help".to_owned(), "Alt =".to_owned()),
        ]);
        assert_eq!(
            summons(&configuration, 7).unwrap().join(" "),
            "/opt/stui sidecar --role inspector --zellij-pid 7 --configuration \
             bind_help=Alt =,role=inspector,stui=/opt/stui"
        );
        configuration.insert(WASM_KEY.to_owned(), "file:/p.wasm".to_owned());
        let command = summons(&configuration, 7).unwrap();
        assert_eq!(command[command.len() - 2..], ["--wasm", "file:/p.wasm"]);
        configuration.insert("bind_help".to_owned(), "a,b".to_owned());
        assert_eq!(summons(&configuration, 7), None);
    }

    #[test]
    fn a_down_line_names_its_instance() {
        let down = Down {
            from: Instance::new(3, 1, 9),
            said: FromPane::Act {
                seq: 1,
                session: SessionKey(2),
                act: Act::Undo,
            },
        };
        let json = serde_json::to_string(&down).unwrap();
        assert_eq!(
            json,
            r#"{"from":"3.1-9","t":"act","seq":1,"session":2,"act":{"a":"undo"}}"#
        );
        assert_eq!(serde_json::from_str::<Down>(&json).unwrap(), down);
    }

    #[test]
    fn no_field_of_what_is_said_is_mistaken_for_who_says_it() {
        let view = FromPane::View {
            session: SessionKey(2),
            first: 1,
            count: 2,
            column: 3,
            width: 4,
        };
        let down = Down {
            from: Instance::new(3, 1, 9),
            said: view,
        };
        let json = serde_json::to_string(&down).unwrap();
        assert_eq!(serde_json::from_str::<Down>(&json).unwrap(), down);
    }
}

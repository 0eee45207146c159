//! What the hub keeps on disk: a snapshot, and the records of what changed since.
//!
//! Replaying the records over the snapshot brings back the hub as it was, up to what can be had again
//! from the server (rows of the inspector).

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use stui_protocol::Uuid;
use stui_protocol::pane::{Edit, Guests, How, Instance, Pos, SessionKey, Span};

use super::cursors::Cursors;
use super::document::{Authorship, DocumentSnapshot};
use super::history::History;
use super::inspector::Node;
use super::transcript::TranscriptSnapshot;

/// One change of what must survive.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "r", rename_all = "snake_case")]
pub enum Record {
    /// Something in a session changed.
    Of {
        /// The session.
        s: SessionKey,
        /// The change.
        c: Change,
    },
    /// An act of an instance was carried out that needs no record of its own.
    Act {
        /// The instance.
        by: Instance,
        /// Number of its act.
        seq: u64,
    },
    /// What the hub calls itself at servers was chosen, for ever.
    Client {
        /// It.
        client_id: String,
    },
    /// A session was made.
    Created {
        /// Names it for ever.
        session: SessionKey,
        /// Its name so far.
        name: String,
        /// Name of its image.
        image: String,
    },
    /// Who is there, and who was there first.
    People {
        /// The clients' numbers, who has been there longest first.
        clients: Vec<u16>,
    },
    /// What guests may do was changed while the session ran.
    Guests {
        /// What they may do now.
        guests: Guests,
    },
    /// A client's current session is this one now.
    Current {
        /// The client's number.
        client: u16,
        /// The session.
        session: SessionKey,
    },
}

/// One change of a session.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "c", rename_all = "snake_case")]
pub enum Change {
    /// The document was changed.
    Edit {
        /// Who did it.
        authorship: Authorship,
        /// Number of the author's act that is acknowledged with it; 0 for none.
        seq: u64,
        /// The change as its author made it.
        edit: Edit,
        /// The last revision that the author knew of; none: `edit` is the change as it applied.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        made_at: Option<u64>,
    },
    /// An instance is told to select an answer, or what is wrong.
    Selected {
        /// The instance.
        by: Instance,
        /// The end of the selection that stays.
        anchor: Pos,
        /// The end that moves.
        cursor: Pos,
    },
    /// The last group of changes was taken back.
    Undo {
        /// By whom.
        by: Instance,
        /// Number of the act.
        seq: u64,
    },
    /// What was taken back was done again.
    Redo {
        /// By whom.
        by: Instance,
        /// Number of the act.
        seq: u64,
    },
    /// An evaluation was accepted.
    Evaluation {
        /// It.
        evaluation: Evaluation,
        /// Number of the act that asked for it.
        seq: u64,
    },
    /// An evaluation was given to the link while this server was connected, maybe under a new id.
    Sent {
        /// Its id so far.
        id: Uuid,
        /// Its id from now on.
        as_id: Uuid,
        /// The server.
        server_id: String,
    },
    /// An evaluation was answered or given up.
    Answered {
        /// Its id.
        id: Uuid,
        /// What became of it; none: it never ran.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        end: Option<End>,
    },
    /// An entry of the history, and those before it, were run again.
    RanAgain {
        /// Its number.
        n: u64,
    },
    /// A process that code of the session forked has failed: a debugger is open on it.
    DebuggerOpened {
        /// Its id.
        id: String,
        /// The error, in one line.
        title: String,
    },
    /// A debugger is no longer open.
    DebuggerClosed {
        /// Its id.
        id: String,
        /// How what it was opened on ended, if it went on to its end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        end: Option<End>,
    },
    /// Another one of the open debuggers is shown.
    DebuggerShown {
        /// Its id.
        id: String,
    },
    /// A debugger's process went on and failed again.
    DebuggerTitled {
        /// Its id.
        id: String,
        /// The error, in one line.
        title: String,
    },
    /// Something was written to the transcript.
    Wrote {
        /// The text.
        text: String,
        /// Number of the last event in it.
        sequence: u64,
    },
    /// A session on the server was made for this one.
    Server {
        /// It.
        server: ServerSession,
    },
    /// The session on the server was found again in another server: an image that was saved and started
    /// again from disk.
    Found {
        /// It, as it is called now.
        server: ServerSession,
    },
    /// The transcript was emptied.
    Cleared {
        /// Number of the last event that was in it.
        sequence: u64,
    },
    /// The inspector shows something else.
    Trail {
        /// From what was inspected first to what is shown.
        trail: Vec<Node>,
    },
    /// It was given another name.
    Named {
        /// The name.
        name: String,
    },
    /// It is on another image now.
    Moved {
        /// Name of the image.
        image: String,
    },
    /// It was closed.
    Closed,
}

impl Record {
    /// The act that is acknowledged with it.
    pub fn acknowledges(&self) -> Option<(&Instance, u64)> {
        match self {
            Record::Act { by, seq } => Some((by, *seq)),
            Record::Of { c, .. } => match c {
                Change::Edit {
                    authorship, seq, ..
                } => authorship.by.as_ref().map(|by| (by, *seq)),
                Change::Undo { by, seq } | Change::Redo { by, seq } => Some((by, *seq)),
                Change::Evaluation { evaluation, seq } => Some((&evaluation.by, *seq)),
                _ => None,
            },
            _ => None,
        }
    }
}

/// An evaluation that is not answered yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Id of its request.
    pub id: Uuid,
    /// Who asked for it.
    pub by: Instance,
    /// Number of the act that asked.
    #[serde(default)]
    pub seq: u64,
    /// What for.
    pub how: How,
    /// The code.
    pub code: String,
    /// Where the code stands in the document now.
    pub span: Span,
    /// The server that it was sent to; none: not sent yet.
    pub server_id: Option<String>,
    /// When it was asked for, in seconds since 1970.
    #[serde(default)]
    pub at: u64,
    /// Number of the entry of the history that it runs again; such a one has no place in the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<u64>,
}

/// What became of an evaluation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Whether it ended without an error.
    pub good: bool,
    /// The answer or the error, in one line.
    pub answer: String,
    /// Id of the debugger that is open on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debug_id: Option<String>,
}

/// A debugger that is open on the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Debugger {
    /// Its id.
    pub id: String,
    /// The error, in one line.
    pub title: String,
    /// Number of the evaluation in the history; 0: it is not known.
    #[serde(default)]
    pub n: u64,
    /// The evaluation, its span where the code stands in the document now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Box<Evaluation>>,
}

/// A session on a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerSession {
    /// The server, as it describes itself.
    pub server_id: String,
    /// The session's id.
    pub session_id: String,
}

/// Everything that must survive, at one moment.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Snapshot {
    /// What the hub calls itself at servers.
    pub client_id: Option<String>,
    /// All sessions; none: nothing was ever done.
    pub sessions: BTreeMap<SessionKey, SessionSnapshot>,
    /// The last key that a session was given.
    pub last_key: u32,
    /// The current session of each client.
    pub clients: BTreeMap<u16, SessionKey>,
    /// The session that was switched to last, by whomever.
    pub current: SessionKey,
    /// Who was there, who has been there longest first.
    #[serde(default)]
    pub people: Vec<u16>,
    /// What guests may do, if somebody said so while the session ran.
    #[serde(default)]
    pub guests: Option<Guests>,
    /// The highest act of each instance that was carried out, longest unheard of first.
    pub acked: Vec<(Instance, u64)>,
}

/// Everything of a session that must survive.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionSnapshot {
    /// Its name.
    pub name: String,
    /// Name of its image.
    pub image: String,
    /// The workspace's document.
    pub document: DocumentSnapshot,
    /// Where people were in it.
    pub cursors: Cursors,
    /// What instances were told to select and have not yet been seen to.
    pub selections: BTreeMap<Instance, (Pos, Pos)>,
    /// The last edits of those who wait for an answer.
    pub last_edit: BTreeMap<Instance, u64>,
    /// What is not answered yet.
    pub evaluations: Vec<Evaluation>,
    /// The session on the server.
    pub server: Option<ServerSession>,
    /// Number of the last event in the transcript.
    pub last_event: u64,
    /// Whether the server's numbers began anew since that one.
    pub numbers_begin_anew: bool,
    /// The transcript.
    pub transcript: TranscriptSnapshot,
    /// What the inspector shows.
    pub trail: Vec<Node>,
    /// What was evaluated.
    pub history: History,
    /// How many sessions on servers it has had.
    pub life: u32,
    /// Debuggers that are open, the oldest first.
    pub debuggers: VecDeque<Debugger>,
    /// Id of the one that is shown.
    pub debugger_shown: Option<String>,
    /// When it was last used, in seconds since 1970.
    pub used: u64,
}

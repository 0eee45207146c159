//! What the hub keeps on disk: a snapshot, and the records of what changed since.
//!
//! Replaying the records over the snapshot brings back the hub as it was, up to what can be had again
//! from the server (the transcript, rows of the inspector).

use serde::{Deserialize, Serialize};
use stui_protocol::Uuid;
use stui_protocol::pane::{Edit, How, Instance, Span};

use super::cursors::Cursors;
use super::document::{Authorship, DocumentSnapshot};
use super::inspector::Node;

/// One change of what must survive.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "r", rename_all = "snake_case")]
pub enum Record {
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
    /// An act of an instance was carried out that needs no record of its own.
    Act {
        /// The instance.
        by: Instance,
        /// Number of its act.
        seq: u64,
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
    },
    /// A session on the server was made for this hub.
    Session {
        /// It.
        session: Session,
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
}

/// An evaluation that is not answered yet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Evaluation {
    /// Id of its request.
    pub id: Uuid,
    /// Who asked for it.
    pub by: Instance,
    /// What for.
    pub how: How,
    /// The code.
    pub code: String,
    /// Where the code stands in the document now.
    pub span: Span,
    /// The server that it was sent to; none: not sent yet.
    pub server_id: Option<String>,
}

/// A session on a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The server, as it describes itself.
    pub server_id: String,
    /// The session's id.
    pub session_id: String,
}

/// Everything that must survive, at one moment.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Snapshot {
    /// The workspace's document.
    pub document: DocumentSnapshot,
    /// Where people were in it.
    pub cursors: Cursors,
    /// The highest act of each instance that was carried out, longest unheard of first.
    pub acked: Vec<(Instance, u64)>,
    /// What is not answered yet.
    pub evaluations: Vec<Evaluation>,
    /// The session in use.
    pub session: Option<Session>,
    /// Number of the last event before the transcript was emptied.
    pub cleared: u64,
    /// What the inspector shows.
    pub trail: Vec<Node>,
}

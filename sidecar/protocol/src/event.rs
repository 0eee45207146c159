//! Events: what a server tells clients that subscribed.

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use crate::table::kinds;

/// Something that happened in a session, or outside of every session.
///
/// Its JSON is `{"event_type":…, "session_id":…, "sequence":…, "data":{…}}`. The events of a session
/// are numbered from 1; so are, apart from them, those that belong to no session.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Where it happened; none: outside of every session.
    pub session_id: Option<String>,
    /// Its number; 0 for [`Happening::ServerStopping`], which is not kept for replay.
    pub sequence: u64,
    /// What happened.
    pub happening: Happening,
}

kinds! {
    /// What happened.
    pub enum Happening in "event_type", "data" {
        /// Text was written to Transcript.
        Transcript(Transcript),
        /// An evaluation began.
        EvaluationStarted(EvaluationStarted),
        /// An evaluation ended.
        EvaluationFinished(EvaluationFinished),
        /// A failed process is kept for the debugger.
        DebugOpened(DebugOpened),
        /// A process is no longer kept for the debugger.
        DebugClosed(DebugClosed),
        /// The session's state document or its life changed.
        SessionChanged(SessionChanged),
        /// The server ends.
        ServerStopping(ServerStopping),
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut event = serializer.serialize_struct("Event", 4)?;
        self.happening.write_fields(&mut event)?;
        event.serialize_field("session_id", &self.session_id)?;
        event.serialize_field("sequence", &self.sequence)?;
        event.end()
    }
}

/// What `Transcript clear` writes: who shows the text forgets what came before it.
pub const FORM_FEED: char = '\u{c}';

/// Text was written to Transcript.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Transcript {
    /// The text; lines end as the code wrote them. A [`FORM_FEED`] begins a new page.
    pub text: String,
}

/// An evaluation began.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct EvaluationStarted {
    /// Id of its request.
    pub request_id: String,
    /// The code, cut at some length.
    pub code: String,
    /// Whether the code was cut.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

/// An evaluation ended. One that was kept for the debugger ends once with its error, and, if it is continued and comes
/// to its end, once more with its result, under the same `request_id`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct EvaluationFinished {
    /// Id of its request.
    pub request_id: String,
    /// The answer's print string or the error in one line, cut at some length.
    pub result: String,
    /// Whether it ended with an error, by an interrupt or a timeout.
    pub has_error: bool,
    /// How long it ran, in milliseconds.
    pub execution_time: u64,
}

/// A failed process is kept for the debugger. It comes again, with the same id, when the process was continued and
/// failed again.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DebugOpened {
    /// Id of the debug session.
    pub debug_id: String,
    /// The error in one line.
    pub title: String,
    /// Whether code of the session forked the process: no answer to a request names the debugger.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_forked: bool,
}

/// A process is no longer kept for the debugger.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DebugClosed {
    /// Id of the debug session.
    pub debug_id: String,
}

/// The session's state document or its life changed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionChanged {
    /// What changed: `state`, `closed` or `expired`.
    pub change: String,
}

/// The server ends.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerStopping {
    /// Why, in one sentence.
    pub reason: String,
}

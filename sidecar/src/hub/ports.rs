//! What goes into the hub and what comes out of it.

use std::collections::BTreeSet;

use stui_protocol::Uuid;
use stui_protocol::event::Event;
use stui_protocol::pane::{FromPane, Guests, Instance, Link, Role, ToPane};
use stui_protocol::request::Request;
use stui_protocol::response::Response;

use super::asked::{Ask, CallKey, Told};
use super::image::ImageKey;
use super::record::Record;

/// What the hub is told.
#[derive(Debug)]
pub enum Input {
    /// An instance said something.
    Pane {
        /// Who.
        from: Instance,
        /// What.
        said: FromPane,
    },
    /// The link to an image's server is up; the server described itself.
    Connected {
        /// The image.
        image: ImageKey,
        /// Made when the server started; another one has other sessions.
        server_id: String,
        /// What it calls itself.
        dialect: String,
        /// Where it listens.
        endpoint: String,
        /// Whether it can stop an evaluation before its first statement.
        can_debug_it: bool,
    },
    /// The link to an image's server is not up.
    Disconnected {
        /// The image.
        image: ImageKey,
        /// How it is.
        link: Link,
    },
    /// A request was answered.
    Reply {
        /// Its id.
        id: Uuid,
        /// The answer.
        outcome: Outcome,
    },
    /// An image's server told what happened.
    Event {
        /// The image.
        image: ImageKey,
        /// What happened.
        event: Event,
    },
    /// An image's event loop answers late, or does so no more.
    Busy {
        /// The image.
        image: ImageKey,
        /// Whether it does.
        busy: bool,
    },
    /// Events of a session are lost: its server keeps them no longer.
    Gap {
        /// The image.
        image: ImageKey,
        /// The session on its server.
        session_id: String,
        /// How many.
        missed: u64,
    },
    /// The sidecar is connected to another image.
    ImageAdded {
        /// Its key.
        image: ImageKey,
        /// Its name.
        name: String,
        /// What it is, as `--connect` takes it.
        target: String,
    },
    /// The sidecar is no longer connected to an image.
    ImageRemoved {
        /// Its key.
        image: ImageKey,
    },
    /// The command line asks something; an [`Effect::Answer`] follows, sooner or later.
    Called {
        /// Names the call.
        call: CallKey,
        /// What is asked.
        ask: Ask,
    },
    /// A call has waited long enough.
    Late {
        /// Names the call.
        call: CallKey,
    },
    /// It is so many seconds since 1970.
    Time(u64),
    /// These clients are attached to the Zellij session.
    Attached(BTreeSet<u16>),
    /// Somebody says what guests may do from now on; it holds for this session until he says otherwise.
    Guests(Guests),
    /// What guests may do where nobody has said anything: the configuration's word.
    GuestsByDefault(Guests),
    /// Some time has passed: what was held back to be sent at once may go.
    Flush,
    /// The same for cursors, which may wait longer: a tenth of a second.
    FlushCursors,
    /// Some minutes have passed: let the servers know that their sessions are in use.
    KeepAlive,
}

/// How a request ended.
#[derive(Debug)]
pub enum Outcome {
    /// The server answered.
    Answered(Box<Response>),
    /// Another server took the place of the one that had the request: it will never be answered.
    ServerReplaced,
    /// The request could not be given to the server, with the reason.
    Refused(String),
}

/// What is to be done.
#[derive(Debug)]
pub enum Effect {
    /// Write this to the journal.
    Record(Record),
    /// Send this to panes.
    Tell(To, ToPane),
    /// Send this to an image's server, now or once there is one, once.
    Request {
        /// The image.
        image: ImageKey,
        /// Its id.
        id: Uuid,
        /// What to ask.
        request: Request,
    },
    /// Get the events of a session from now on, and again whenever the link comes back.
    Subscribe {
        /// The image.
        image: ImageKey,
        /// The session on its server.
        session_id: String,
        /// Number of the first event wanted.
        from_sequence: u64,
    },
    /// Get the events of a session no longer.
    Unsubscribe {
        /// The image.
        image: ImageKey,
        /// The session on its server.
        session_id: String,
    },
    /// Bring the debugger's pane up, in front of whoever pressed a key last.
    ShowDebugger,
    /// Answer what the command line asked.
    Answer {
        /// Names the call.
        call: CallKey,
        /// The answer.
        told: Told,
    },
}

/// Which instances a message is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    /// All.
    All,
    /// Those of a role.
    Role(Role),
    /// One.
    One(Instance),
}

//! The hub: everything that the panes of a Zellij session share, as a state machine.
//!
//! [`Hub::handle`] takes an [`Input`] and answers what is to be done about it, as [`Effect`]s in the
//! order in which they must be carried out. Nothing in here does I/O or looks at a clock, so every
//! test is a list of inputs and a look at the effects.
//!
//! The order of effects carries the promise of the journal: a [`Effect::Record`] stands before the
//! message that acknowledges what it records, and whoever carries effects out writes records to disk
//! before he sends what follows them.
//!
//! - [`document`]: the text; [`transcript`]: what code wrote; [`inspector`]: what is looked into.
//! - `acts.rs`: what panes ask for; `evaluations.rs`: what runs; `session.rs`: the session on the
//!   Smalltalk server.
//! - [`record`]: what survives on disk; `restore.rs`: the hub that it leads to.

use std::collections::{BTreeMap, BTreeSet};

use stui_protocol::Uuid;
use stui_protocol::event::Event;
use stui_protocol::pane::{FromPane, Instance, Level, Link, Mark, Role, Status, ToPane};
use stui_protocol::request::Request;
use stui_protocol::response::Response;

use self::document::Document;
use self::inspector::Inspector;
use self::record::{Evaluation, Record, Session};
use self::transcript::Transcript;

mod acts;
pub mod document;
mod evaluations;
pub mod expression;
pub mod inspector;
pub mod record;
mod restore;
mod session;
#[cfg(test)]
mod tests;
pub mod transcript;

/// How many bytes of text a window or a piece of the transcript may hold, as JSON writes them.
const WINDOW_BYTES: usize = 48 * 1024;
/// Most lines of the transcript in one message.
const MAX_TRANSCRIPT_LINES: u32 = 500;
/// Most instances whose acknowledged acts are remembered.
const MAX_INSTANCES: usize = 1000;
/// Most requests that wait for an answer.
const MAX_PENDING: usize = 256;

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
    /// The link to the server is up; the server described itself.
    Connected {
        /// Made when the server started; another one has other sessions.
        server_id: String,
        /// What it calls itself.
        dialect: String,
        /// Where it listens.
        endpoint: String,
    },
    /// The link is not up.
    Disconnected(Link),
    /// A request was answered.
    Reply {
        /// Its id.
        id: Uuid,
        /// The answer.
        outcome: Outcome,
    },
    /// The server told what happened.
    Event(Event),
    /// The server's event loop answers late, or does so no more.
    Busy(bool),
    /// Events of a session are lost: the server keeps them no longer.
    Gap {
        /// Whose.
        session_id: String,
        /// How many.
        missed: u64,
    },
    /// Some time has passed: what was held back to be sent at once may go.
    Flush,
    /// Some minutes have passed: let the server know that its session is in use.
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
    /// Send this to the server, now or once there is one, once.
    Request {
        /// Its id.
        id: Uuid,
        /// What to ask.
        request: Request,
    },
    /// Get the events of a session from now on, and again whenever the link comes back.
    Subscribe {
        /// The session.
        session_id: String,
        /// Number of the first event wanted.
        from_sequence: u64,
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

/// What a request was made for.
#[derive(Debug)]
enum Purpose {
    Session,
    KeepAlive,
    Evaluation,
    Interrupt {
        by: Instance,
    },
    /// Rows of the inspector.
    Rows(RowsWanted),
    /// The row of the inspector that somebody wants to walk into.
    WalkInto {
        shown: u64,
        row: u64,
    },
    Release,
}

#[derive(Debug, Clone)]
struct RowsWanted {
    shown: u64,
    first: u64,
    count: u32,
    to: To,
}

/// The state of everything that is shared.
pub struct Hub {
    /// Names this sidecar, another one each time it is started.
    sidecar: String,
    /// Ids of requests are made from this and a counter.
    seed: u128,
    made_ids: u64,
    document: Document,
    transcript: Transcript,
    inspector: Inspector,
    /// The highest act of each instance that was carried out, longest unheard of first.
    acked: Vec<(Instance, u64)>,
    /// Who said hello and not goodbye.
    present: BTreeMap<Instance, Role>,
    evaluations: Vec<Evaluation>,
    /// What went wrong, marked in the document.
    errors: Vec<Mark>,
    /// The last edit of each instance, to know whether somebody went on typing meanwhile.
    last_edit: BTreeMap<Instance, u64>,
    /// Evaluations by their act, as far as they run.
    asked_by: BTreeMap<Uuid, u64>,
    pending: BTreeMap<Uuid, Purpose>,
    session: Option<Session>,
    /// The server that is connected now.
    server_id: Option<String>,
    /// Number of the last event seen, and of the last one before the transcript was emptied.
    last_event: u64,
    cleared: u64,
    /// Handles that nobody holds any more.
    to_release: BTreeSet<String>,
    rows_shown: u32,
    status: Status,
    told: Option<Status>,
    transcript_told: u64,
    transcript_dirty: bool,
}

impl Hub {
    /// The text of the workspace.
    pub fn text(&self) -> String {
        self.document.text()
    }

    /// The state of everything, as panes are told.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// Takes an input and answers what is to be done about it, in this order.
    pub fn handle(&mut self, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        let out = &mut effects;
        match input {
            Input::Pane { from, said } => self.pane(from, said, out),
            Input::Connected {
                server_id,
                dialect,
                endpoint,
            } => {
                self.status.link = Link::Connected;
                self.status.busy = false;
                self.status.dialect = dialect;
                self.status.endpoint = endpoint;
                self.connected(server_id, out);
            }
            Input::Disconnected(link) => {
                self.status.link = link;
                self.status.busy = false;
                self.server_id = None;
            }
            Input::Reply { id, outcome } => self.reply(id, outcome, out),
            Input::Event(event) => self.event(event),
            Input::Busy(busy) => self.status.busy = busy,
            Input::Gap { session_id, missed } => self.gap(&session_id, missed),
            Input::Flush => self.flush(out),
            Input::KeepAlive => self.keep_alive(out),
        }
        self.count();
        effects
    }

    /// Whether a [`Input::Flush`] would send anything.
    pub fn wants_flush(&self) -> bool {
        self.transcript_dirty
            || self.told.as_ref() != Some(&self.status)
            || (!self.to_release.is_empty() && self.pending.is_empty())
    }

    fn pane(&mut self, from: Instance, said: FromPane, out: &mut Vec<Effect>) {
        match said {
            FromPane::Hello { role, .. } => self.hello(from, role, out),
            FromPane::Probed { .. } => {}
            FromPane::Bye => {
                self.present.remove(&from);
            }
            FromPane::Act { seq, act } => self.act(from, seq, act, out),
            FromPane::View {
                first,
                count,
                from: column,
            } => {
                out.push(self.window(from, first, count, column));
            }
            FromPane::Copy { rev, span } => {
                let span = self.current_span(span, rev, &from);
                let (text, truncated) = self.document.text_of(span, WINDOW_BYTES / 2);
                out.push(Effect::Tell(
                    To::One(from),
                    ToPane::Clipboard { text, truncated },
                ));
            }
            FromPane::InspectorView { first, count } => {
                self.rows_shown = count.clamp(1, inspector::MAX_ROWS);
                self.ask_rows(
                    RowsWanted {
                        shown: self.inspector.shown(),
                        first,
                        count: self.rows_shown,
                        to: To::One(from),
                    },
                    out,
                );
            }
            FromPane::TranscriptView { first, count } => {
                out.push(self.transcript_lines(To::One(from), first, count));
            }
        }
    }

    fn hello(&mut self, from: Instance, role: Role, out: &mut Vec<Effect>) {
        self.present.insert(from.clone(), role);
        let acked = self.acked_of(&from);
        self.count();
        let to = To::One(from);
        out.push(Effect::Tell(
            to.clone(),
            ToPane::Welcome {
                sidecar: self.sidecar.clone(),
                acked: acked.unwrap_or(0),
                status: self.status.clone(),
            },
        ));
        match role {
            Role::Workspace => out.push(Effect::Tell(to, self.marks())),
            Role::Inspector => self.ask_rows(
                RowsWanted {
                    shown: self.inspector.shown(),
                    first: 0,
                    count: self.rows_shown,
                    to,
                },
                out,
            ),
            Role::Transcript => out.push(self.transcript_lines(to, None, MAX_TRANSCRIPT_LINES)),
        }
    }

    fn window(&self, to: Instance, first: u32, count: u32, from: u32) -> Effect {
        let first = first.min(self.document.line_count() - 1);
        Effect::Tell(
            To::One(to),
            ToPane::Window {
                rev: self.document.rev(),
                first,
                total: self.document.line_count(),
                lines: self.document.window(first, count, from, WINDOW_BYTES),
            },
        )
    }

    fn transcript_lines(&self, to: To, first: Option<u64>, count: u32) -> Effect {
        let count = count.min(MAX_TRANSCRIPT_LINES);
        let (first, lines) = self.transcript.window(first, count, WINDOW_BYTES);
        Effect::Tell(
            to,
            ToPane::Transcript {
                first,
                oldest: self.transcript.oldest(),
                end: self.transcript.end(),
                lines,
            },
        )
    }

    /// All marks of the document: what runs, and what went wrong.
    fn marks(&self) -> ToPane {
        ToPane::Marks {
            rev: self.document.rev(),
            marks: self.all_marks(),
        }
    }

    /// Sends what is better sent at once than one by one.
    fn flush(&mut self, out: &mut Vec<Effect>) {
        if self.transcript_dirty {
            self.transcript_dirty = false;
            // The last line told may have grown.
            let from = self.transcript_told.saturating_sub(1);
            let newest = self.transcript.end().saturating_sub(from);
            let count = u32::try_from(newest).unwrap_or(u32::MAX);
            out.push(self.transcript_lines(To::Role(Role::Transcript), None, count));
            self.transcript_told = self.transcript.end();
        }
        if self.told.as_ref() != Some(&self.status) {
            self.told = Some(self.status.clone());
            out.push(Effect::Tell(
                To::All,
                ToPane::Status {
                    status: self.status.clone(),
                },
            ));
        }
        self.release(out);
    }

    /// Brings the numbers in the status up to date.
    fn count(&mut self) {
        self.status.running = self.evaluations.len() as u32;
        let people: BTreeSet<&str> = self
            .present
            .keys()
            .filter_map(|instance| instance.0.split_once('.')?.1.split_once('-'))
            .map(|(client, _)| client)
            .collect();
        self.status.clients = people.len() as u32;
    }

    fn make_id(&mut self) -> Uuid {
        self.made_ids += 1;
        uuid::Builder::from_random_bytes(
            self.seed
                .wrapping_add(u128::from(self.made_ids))
                .to_be_bytes(),
        )
        .into_uuid()
    }

    fn ask(&mut self, request: impl Into<Request>, purpose: Purpose, out: &mut Vec<Effect>) {
        let id = self.make_id();
        self.pending.insert(id, purpose);
        out.push(Effect::Request {
            id,
            request: request.into(),
        });
    }

    fn acked_of(&self, instance: &Instance) -> Option<u64> {
        let known = self.acked.iter().rfind(|(known, _)| known == instance);
        known.map(|(_, seq)| *seq)
    }

    fn set_acked(&mut self, instance: &Instance, seq: u64) {
        if seq == 0 {
            return;
        }
        match self.acked.iter().rposition(|(known, _)| known == instance) {
            Some(last) if last + 1 == self.acked.len() => {
                self.acked[last].1 = seq;
                return;
            }
            Some(at) => {
                self.acked.remove(at);
            }
            None => {}
        }
        self.acked.push((instance.clone(), seq));
        if self.acked.len() > MAX_INSTANCES {
            let (oldest, _) = self.acked.remove(0);
            self.last_edit.remove(&oldest);
        }
    }

    fn event(&mut self, event: Event) {
        let of_session = self.session.as_ref().map(|session| &session.session_id);
        if event.session_id.as_ref() != of_session {
            return;
        }
        if event.sequence != 0 {
            if event.sequence <= self.last_event {
                return;
            }
            self.last_event = event.sequence;
        }
        if let stui_protocol::event::Happening::Transcript(transcript) = event.happening {
            self.transcript.write(&transcript.text);
            self.transcript_dirty = true;
        }
    }

    /// Shows in the transcript that something is missing there.
    fn gap(&mut self, session_id: &str, missed: u64) {
        if self.session_id().as_deref() == Some(session_id) {
            self.transcript.write_note(&format!(
                "[{missed} events are missing here: the server kept them no longer]"
            ));
            self.transcript_dirty = true;
        }
    }
}

/// One sentence for somebody.
fn notice(to: Instance, level: Level, text: impl AsRef<str>) -> Effect {
    let text = inspector::cut(text.as_ref(), 1000);
    Effect::Tell(To::One(to), ToPane::Notice { level, text })
}

//! The desk: every message goes over it, in and out. No socket is touched here, so that all of it can
//! be tested with plain bytes.
//!
//! In: [`Desk::receive`] for a client's message, [`Desk::report`] for what the engine says,
//! [`Desk::closed`] for a closed connection, [`Desk::tick`] for the time. Out: [`Outgoing`]s and the
//! engine's [`Command`]s.

use std::ops::Deref;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use stui_protocol::Uuid;
use stui_protocol::auth::Key;
use stui_protocol::error::{ErrorCode, ErrorInfo};
use stui_protocol::event::{
    DebugClosed, EvaluationFinished, EvaluationStarted, Event, Happening, ServerStopping,
    SessionChanged, Transcript,
};
use stui_protocol::message::{Envelope, Received, find_id, timestamp};
use stui_protocol::response::{HistoryEntry, Response};

use super::debuggers::Debuggers;
use super::frames::{PeerId, split};
use super::jobs::{Job, Jobs, Turn};
use super::peers::{Peers, StreamKey};
use super::refusals;
use super::replies::{Fingerprint, Known, Replies, RequestKey, Sender};
use super::requests::{self, Step};
use super::sessions::{CLEANUP_INTERVAL, Session, Sessions};
use super::streams::Stream;
use super::trust::Trust;
use crate::engine::{self, Command, Report};

/// Most replies that are remembered.
const MAX_REPLIES: usize = 65_536;
/// Most bytes of remembered replies.
const MAX_REPLY_BYTES: usize = 64 * 1024 * 1024;
/// How much of a document is searched for its id where nothing else of it is read.
const ID_SEARCH: usize = 4096;
/// Characters of code and results that events and history show.
const EXCERPT: usize = 2000;

/// Where a message came from.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    /// The connection.
    pub(crate) peer: PeerId,
    /// The file descriptor of its socket, if libzmq told.
    pub(crate) connection: Option<i32>,
}

/// Where and in which form a reply goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReplyTo {
    /// The connection.
    pub(crate) peer: PeerId,
    /// Whether with a delimiter.
    pub(crate) delimited: bool,
    /// Whether with a signature.
    pub(crate) signed: bool,
}

/// A message to send.
#[derive(Debug)]
pub(crate) struct Outgoing {
    /// To whom.
    pub(crate) peer: PeerId,
    /// Whether an empty frame comes first.
    pub(crate) delimited: bool,
    /// The frame before the document.
    pub(crate) signature: Option<String>,
    /// The document.
    pub(crate) document: Rc<[u8]>,
    /// Whether it may be left out when the client does not read: it is numbered and can be replayed.
    pub(crate) is_event: bool,
}

/// How a desk is set up.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The key; none: everybody is trusted.
    pub(crate) key: Option<Key>,
    /// Largest document that is read, in bytes.
    pub(crate) max_message: usize,
}

/// The desk.
pub(crate) struct Desk {
    pub(super) settings: Settings,
    engine: crossbeam_channel::Sender<Command>,
    pub(super) peers: Peers,
    replies: Replies,
    pub(super) jobs: Jobs,
    pub(super) sessions: Sessions,
    pub(super) debuggers: Debuggers,
    /// Events outside of every session.
    pub(super) outside: Stream,
    pub(super) server_id: Uuid,
    pub(super) started: Instant,
    next_cleanup: Instant,
    /// Why the server is to end, once it is.
    stopping: Option<String>,
    engine_died: bool,
    pub(super) out: Vec<Outgoing>,
}

impl Desk {
    /// A desk in front of an engine.
    pub(crate) fn new(
        settings: Settings,
        engine: crossbeam_channel::Sender<Command>,
        now: Instant,
    ) -> Self {
        Desk {
            settings,
            engine,
            peers: Peers::default(),
            replies: Replies::new(MAX_REPLIES, MAX_REPLY_BYTES),
            jobs: Jobs::default(),
            sessions: Sessions::default(),
            debuggers: Debuggers::default(),
            outside: Stream::new(None),
            server_id: Uuid::new_v4(),
            started: now,
            next_cleanup: now + CLEANUP_INTERVAL,
            stopping: None,
            engine_died: false,
            out: Vec::new(),
        }
    }

    /// What is to be sent, in order.
    pub(crate) fn take_outgoing(&mut self) -> Vec<Outgoing> {
        std::mem::take(&mut self.out)
    }

    /// Why the server is to end, once it is.
    pub(crate) fn stopping(&self) -> Option<&str> {
        self.stopping.as_deref()
    }

    /// Whether it is to end because the engine has failed.
    pub(crate) fn engine_died(&self) -> bool {
        self.engine_died
    }

    /// A message arrived: its frames without the routing id.
    pub(crate) fn receive<D: Deref<Target = [u8]>>(
        &mut self,
        origin: &Origin,
        frames: Vec<D>,
        now: Instant,
    ) {
        let mut reply_to = ReplyTo {
            peer: origin.peer.clone(),
            delimited: false,
            signed: false,
        };
        let frames = match split(frames) {
            Ok(frames) => frames,
            Err(malformed) => {
                reply_to.delimited = malformed.delimited;
                let error = ErrorInfo::new(ErrorCode::InvalidRequest, malformed.why);
                return self.reply(&reply_to, Uuid::nil(), error);
            }
        };
        reply_to.delimited = frames.delimited;
        let document: &[u8] = &frames.document;
        let head = &document[..document.len().min(ID_SEARCH)];
        match self.trust(origin, frames.signature.as_deref(), document) {
            Trust::Signed => reply_to.signed = true,
            Trust::Connection => {}
            Trust::Forged => {
                return self.reply(&reply_to, Uuid::nil(), refusals::forged());
            }
            Trust::None => {
                // Of a stranger's document nothing is read but whether it is an Authenticate.
                if document.len() <= ID_SEARCH
                    && let Ok(received) = Received::read(document)
                    && received.request_type() == Some("Authenticate")
                {
                    return self.authenticate(origin, &reply_to, received);
                }
                return self.reply(&reply_to, Uuid::nil(), refusals::stranger());
            }
        }
        if document.len() > self.settings.max_message {
            let error = refusals::too_large(document.len(), self.settings.max_message);
            return self.reply(&reply_to, find_id(head), error);
        }
        match Received::read(document) {
            Ok(received) => self.request(origin, reply_to, received, now),
            Err(unreadable) => self.reply(&reply_to, unreadable.id, unreadable.error),
        }
    }

    /// A readable message from somebody who may ask.
    fn request(
        &mut self,
        origin: &Origin,
        reply_to: ReplyTo,
        received: Received<'_>,
        now: Instant,
    ) {
        let id = received.id;
        let Some(request_type) = received.request_type() else {
            let error = ErrorInfo::new(
                ErrorCode::InvalidRequest,
                "A server takes requests only; payload.type is to be Request.",
            );
            return self.reply(&reply_to, id, error);
        };
        if request_type == "Authenticate" {
            return self.authenticate(origin, &reply_to, received);
        }
        if !requests::SUPPORTED.contains(&request_type) {
            return self.reply(&reply_to, id, refusals::unsupported(request_type));
        }
        let key: RequestKey = (Sender::of(&origin.peer), id);
        let fingerprint = Fingerprint::of(request_type, received.content());
        let is_remembered = requests::has_effect(request_type) && !id.is_nil();
        if is_remembered {
            match self.replies.look_up(&key, fingerprint) {
                Known::New => {}
                Known::Running(job) => {
                    if let Some(job) = self.jobs.get_mut(job) {
                        job.also_reply_to(reply_to);
                    }
                    return;
                }
                Known::Answered(document) => return self.send(&reply_to, document),
                Known::Forgotten => return self.reply(&reply_to, id, refusals::forgotten()),
                Known::OtherRequest => return self.reply(&reply_to, id, refusals::id_used_twice()),
            }
        }
        let request = match received.envelope() {
            Ok(envelope) => envelope.payload,
            Err(unreadable) => return self.reply(&reply_to, id, unreadable.error),
        };
        match self.step(origin, &reply_to, id, request, now) {
            Step::Answer(response) => {
                let document = to_document(&Envelope::response(id, *response));
                if is_remembered {
                    self.replies.answer(key, fingerprint, Rc::clone(&document));
                }
                self.send(&reply_to, document);
            }
            Step::AnswerThen(response, events) => {
                self.reply(&reply_to, id, *response);
                self.out.extend(events);
            }
            Step::Job(job, session, code, command) => {
                if is_remembered {
                    self.replies.begin(key.clone(), fingerprint, job);
                }
                let entry = Job {
                    request: id,
                    key,
                    fingerprint,
                    reply_to: vec![reply_to],
                    session,
                    code,
                    asked: SystemTime::now(),
                };
                if let Some(session) = session.and_then(|id| self.sessions.get_mut(id)) {
                    session.jobs += 1;
                }
                if let Turn::Now(command) = self.jobs.add(&origin.peer, job, entry, command) {
                    self.start(job, command);
                }
            }
        }
    }

    fn start(&mut self, job: u64, command: Command) {
        if let Some(job) = self.jobs.get_mut(job)
            && let Some(code) = &job.code
            && let Some(session) = job.session
        {
            let (code, truncated) = excerpt(code);
            let started = EvaluationStarted {
                request_id: job.request.to_string(),
                code,
                truncated,
            };
            self.happened(Some(session), started);
        }
        self.command(command);
    }

    /// Tells the engine. One that has died has said so, and the server is ending.
    pub(super) fn command(&self, command: Command) {
        let _ = self.engine.send(command);
    }

    /// The engine said something.
    pub(crate) fn report(&mut self, report: Report, now: Instant) {
        match report {
            Report::Ended {
                job,
                response,
                elapsed,
            } => {
                if let Some((job, next)) = self.jobs.end(job) {
                    self.finish(job, *response, elapsed, now);
                    if let Some((id, command)) = next {
                        self.start(id, command);
                    }
                }
            }
            Report::DebuggerOpened { .. }
            | Report::DebuggerClosed { .. }
            | Report::Continued { .. } => self.debugger_report(report),
            Report::Transcript { session, text } => {
                let stream = session
                    .and_then(|number| self.sessions.numbered(number))
                    .map(|session| session.id);
                self.happened(stream, Transcript { text });
            }
            Report::Died { reason } => {
                let error = ErrorInfo::new(
                    ErrorCode::InternalError,
                    "The Smalltalk engine has failed and the server ends; start it again.",
                );
                for job in self.jobs.drain() {
                    self.finish(job, error.clone().into(), Duration::ZERO, now);
                }
                self.engine_died = true;
                self.stop(reason);
            }
        }
    }

    /// A job has its answer: history, event, memory, reply.
    pub(super) fn finish(
        &mut self,
        job: Job,
        mut response: Response,
        elapsed: Duration,
        now: Instant,
    ) {
        let execution_time = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        if let Some(id) = job.session
            && let Some(session) = self.sessions.get_mut(id)
        {
            session.jobs = session.jobs.saturating_sub(1);
            session.touch(now);
            if let Response::RestoreSession(restored) = &mut response {
                restored.session = session.summary();
                restored.session_state = session.state.clone();
                restored.inspector_state = session
                    .state
                    .get("inspector_state")
                    .cloned()
                    .unwrap_or_default();
            }
            if let Some(code) = job.code {
                let (result, has_error) = requests::summary(&response);
                session.remember(HistoryEntry {
                    code: excerpt(&code).0,
                    result: excerpt(&result).0,
                    has_error,
                    timestamp: timestamp(job.asked),
                    execution_time,
                });
                let finished = EvaluationFinished {
                    request_id: job.request.to_string(),
                    result: excerpt(&result).0,
                    has_error,
                    execution_time,
                };
                self.happened(Some(id), finished);
            }
        }
        if let Response::Debug(answer) = &response
            && !answer.debug_info.is_suspended
            && !answer.debug_info.is_terminated
            && let Some(debugger) = engine::debugger_number(&answer.debug_info.debug_id)
        {
            self.debuggers.runs(debugger);
        }
        let document = to_document(&Envelope::response(job.request, response));
        if !job.request.is_nil() {
            self.replies
                .answer(job.key, job.fingerprint, Rc::clone(&document));
        }
        for reply_to in &job.reply_to {
            self.send(reply_to, Rc::clone(&document));
        }
    }

    /// Numbers what happened in a stream and sends it to those who subscribed.
    pub(super) fn happened(&mut self, stream: StreamKey, happening: impl Into<Happening>) {
        let events = match stream {
            None => &mut self.outside,
            Some(id) => match self.sessions.get_mut(id) {
                Some(session) => &mut session.events,
                None => return,
            },
        };
        let document = events.push(happening);
        for (peer, signed) in self.peers.subscribers(stream) {
            let event = self.settings.event(peer, signed, &document);
            self.out.push(event);
        }
    }

    /// A session was taken out: tells its subscribers and the engine.
    pub(super) fn session_ended(&mut self, mut session: Session, change: &str) {
        let stream = Some(session.id);
        let mut documents = Vec::new();
        for debugger in self.debuggers.session_ended(session.id) {
            let debug_id = engine::debug_id(debugger);
            documents.push(session.events.push(DebugClosed { debug_id }));
        }
        documents.push(session.events.push(SessionChanged {
            change: change.to_owned(),
        }));
        for document in documents {
            for (peer, signed) in self.peers.subscribers(stream) {
                let event = self.settings.event(peer, signed, &document);
                self.out.push(event);
            }
        }
        self.peers.end_stream(stream);
        self.command(Command::CloseSession {
            session: session.number,
        });
    }

    /// A connection's socket, that had this file descriptor, was closed.
    pub(crate) fn closed(&mut self, connection: i32) {
        self.peers.closed(connection);
    }

    /// A message could not be delivered: the connection is gone.
    pub(crate) fn unreachable(&mut self, peer: &[u8]) {
        self.peers.forget(peer);
    }

    /// Does what is due by now, and answers when the next thing is.
    pub(crate) fn tick(&mut self, now: Instant) -> Instant {
        if now >= self.next_cleanup {
            for session in self.sessions.remove_expired(now) {
                self.session_ended(session, "expired");
            }
            self.next_cleanup = now + CLEANUP_INTERVAL;
        }
        self.next_cleanup
    }

    /// Tells everybody that the server ends.
    pub(crate) fn stop(&mut self, reason: String) {
        if self.stopping.is_some() {
            return;
        }
        let event = Event {
            session_id: None,
            sequence: 0,
            happening: ServerStopping {
                reason: reason.clone(),
            }
            .into(),
        };
        let document = to_document(&Envelope::event(event));
        for (peer, signed) in self.peers.all_subscribers() {
            let event = self.settings.event(peer, signed, &document);
            self.out.push(event);
        }
        self.stopping = Some(reason);
    }

    /// Sends a response.
    pub(super) fn reply(&mut self, to: &ReplyTo, id: Uuid, response: impl Into<Response>) {
        let document = to_document(&Envelope::response(id, response));
        self.send(to, document);
    }

    fn send(&mut self, to: &ReplyTo, document: Rc<[u8]>) {
        let signature = match &self.settings.key {
            Some(key) if to.signed => Some(key.sign(&document)),
            _ => None,
        };
        self.out.push(Outgoing {
            peer: to.peer.clone(),
            delimited: to.delimited,
            signature,
            document,
            is_event: false,
        });
    }
}

impl Settings {
    /// An event for a subscriber.
    pub(super) fn event(&self, peer: &PeerId, signed: bool, document: &Rc<[u8]>) -> Outgoing {
        Outgoing {
            peer: peer.clone(),
            delimited: false,
            signature: self
                .key
                .as_ref()
                .filter(|_| signed)
                .map(|key| key.sign(document)),
            document: Rc::clone(document),
            is_event: true,
        }
    }
}

/// The JSON of a message. The types of messages always have one; if one had not, the client would
/// still get an answer.
pub(crate) fn to_document(envelope: &Envelope) -> Rc<[u8]> {
    match envelope.to_json() {
        Ok(json) => json.into(),
        Err(error) => {
            tracing::error!(%error, id = %envelope.id, "a message has no JSON form");
            format!(
                r#"{{"id":"{}","version":"{}","timestamp":"","payload":{{"type":"Response","data":{{"response_type":"Error","data":{{"code":"InternalError","message":"The answer could not be written."}}}}}}}}"#,
                envelope.id,
                stui_protocol::PROTOCOL_VERSION
            )
            .into_bytes()
            .into()
        }
    }
}

/// The beginning of a text, and whether that is not all.
pub(super) fn excerpt(text: &str) -> (String, bool) {
    match text.char_indices().nth(EXCERPT) {
        Some((end, _)) => (text[..end].to_owned(), true),
        None => (text.to_owned(), false),
    }
}

//! What the server does for each type of request: answers at once, or makes it a job of the engine.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use stui_protocol::error::{ErrorCode, ErrorDetails, ErrorInfo};
use stui_protocol::message::{Payload, timestamp};
use stui_protocol::request::{self, EvaluationMode, Request};
use stui_protocol::response::{self, Response};
use stui_protocol::{PROTOCOL_VERSION, Uuid};

use super::desk::{Desk, Origin, Outgoing, ReplyTo};
use super::jobs::{MAX_RUNNING, MAX_WAITING};
use super::peers::MAX_SUBSCRIPTIONS;
use super::sessions::{MAX_PER_CLIENT, MAX_STATE_BYTES};
use crate::engine::{self, Command, Evaluation, Inspection, Question, Subject};

/// The request types that this server answers.
pub(crate) const SUPPORTED: &[&str] = &[
    "Ping",
    "Describe",
    "Authenticate",
    "Evaluate",
    "Inspect",
    "Debug",
    "Interrupt",
    "BrowseClass",
    "GetMethod",
    "ListClasses",
    "SystemInfo",
    "CreateSession",
    "RestoreSession",
    "UpdateSessionState",
    "CloseSession",
    "GetSessionInfo",
    "ListClientSessions",
    "GetSessionStatistics",
    "GetHistory",
    "ReleaseObjects",
    "Subscribe",
    "Unsubscribe",
    "Shutdown",
];

/// What else it does, by name.
const FEATURES: &[&str] = &[
    "at_most_once",
    "authenticate",
    "breakpoints",
    "debug_it",
    "debugger",
    "debugger_steps",
    "event_replay",
    "interrupt",
    "sessions",
    "signed_messages",
    "strict",
    "timeouts",
    "views",
];

/// How long an inspection may take unless its client says otherwise.
const INSPECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Rows of a page unless its client says otherwise.
const DEFAULT_LIMIT: u64 = 100;
/// Most entries of a page of the history.
const MAX_LIMIT: u64 = 1000;
/// Most levels of children.
const MAX_DEPTH: u32 = 3;

/// Whether a request of this type is not to be run twice. Questions may be answered anew, and a
/// subscription is the connection's on which it arrives.
pub(crate) fn has_effect(request_type: &str) -> bool {
    matches!(
        request_type,
        "Evaluate"
            | "Inspect"
            | "Debug"
            | "CreateSession"
            | "UpdateSessionState"
            | "CloseSession"
            | "ReleaseObjects"
            | "Interrupt"
    )
}

/// The result of an evaluation in one line, and whether it is an error.
pub(crate) fn summary(response: &Response) -> (String, bool) {
    match response {
        Response::Evaluate(evaluated) => (evaluated.result.clone(), evaluated.has_error),
        Response::Error(error) => (error.message.clone(), true),
        other => (other.name().to_owned(), false),
    }
}

/// What is done for a request.
pub(crate) enum Step {
    /// It is answered at once.
    Answer(Box<Response>),
    /// It is answered at once, and these messages follow.
    AnswerThen(Box<Response>, Vec<Outgoing>),
    /// The engine works on it: number, session, the code of an evaluation, and what the engine is told.
    Job(engine::JobId, Option<Uuid>, Option<String>, Command),
}

impl<R: Into<Response>> From<R> for Step {
    fn from(response: R) -> Step {
        Step::Answer(Box::new(response.into()))
    }
}

impl Desk {
    /// Does what a request asks.
    pub(super) fn step(
        &mut self,
        origin: &Origin,
        reply_to: &ReplyTo,
        id: Uuid,
        payload: Payload,
        now: Instant,
    ) -> Step {
        let Payload::Request(request) = payload else {
            unreachable!("its request type was read before");
        };
        self.try_step(origin, reply_to, id, request, now)
            .unwrap_or_else(Step::from)
    }

    fn try_step(
        &mut self,
        origin: &Origin,
        reply_to: &ReplyTo,
        id: Uuid,
        request: Request,
        now: Instant,
    ) -> Result<Step, ErrorInfo> {
        Ok(match request {
            Request::Ping(ping) => self.ping(ping, now).into(),
            Request::Describe(_) => self.describe().into(),
            Request::Evaluate(params) => self.evaluate(origin, id, params, now)?,
            Request::Debug(params) => self.debug(origin, params, now)?,
            Request::Inspect(params) => self.inspect(origin, params, now)?,
            Request::Interrupt(request::Interrupt {
                session_id: Some(session),
                ..
            }) => self.interrupt_forked(origin, &session, now)?,
            Request::Interrupt(params) => self.interrupt(params, now)?.into(),
            Request::SystemInfo(params) => self.ask(origin, Question::SystemInfo(params), None)?,
            Request::ListClasses(params) => {
                self.ask(origin, Question::ListClasses(params), None)?
            }
            Request::BrowseClass(params) => {
                self.ask(origin, Question::BrowseClass(params), None)?
            }
            Request::GetMethod(params) => self.ask(origin, Question::GetMethod(params), None)?,
            Request::RestoreSession(params) => {
                let session = self.sessions.using(&params.session_id, now)?;
                let (id, number) = (session.id, session.number);
                self.ask(origin, Question::Restore(number), Some(id))?
            }
            Request::ReleaseObjects(params) => self.release(origin, &params, now)?,
            Request::CreateSession(params) => self.create_session(params, now)?.into(),
            Request::UpdateSessionState(params) => self.update_state(params, now)?.into(),
            Request::CloseSession(params) => self.close_session(params, now)?.into(),
            Request::GetSessionInfo(params) => {
                let session = self.sessions.using(&params.session_id, now)?;
                session.info(now).into()
            }
            Request::ListClientSessions(params) => self.sessions.list(&params.client_id).into(),
            Request::GetSessionStatistics(_) => self.sessions.statistics().into(),
            Request::GetHistory(params) => {
                let limit = params.limit.unwrap_or(DEFAULT_LIMIT).min(MAX_LIMIT);
                let session = self.sessions.using(&params.session_id, now)?;
                session.history(params.offset.unwrap_or(0), limit).into()
            }
            Request::Subscribe(params) => self.subscribe(origin, reply_to, params, now)?,
            Request::Unsubscribe(params) => {
                let stream = self.stream_key(params.session_id.as_deref(), now)?;
                self.peers.unsubscribe(&origin.peer, stream);
                let session_id = params.session_id;
                response::Unsubscribe { session_id }.into()
            }
            Request::Shutdown(_) => {
                self.stop("A client asked the server to end.".into());
                // Those who listen hear of it after the client that asked.
                let events = std::mem::take(&mut self.out);
                Step::AnswerThen(
                    Box::new(response::Shutdown { stopping: true }.into()),
                    events,
                )
            }
            other => super::refusals::unsupported(other.name()).into(),
        })
    }

    fn ping(&self, ping: request::Ping, now: Instant) -> response::Ping {
        response::Ping {
            message: ping.message.unwrap_or_else(|| "pong".into()),
            status: "ok".into(),
            uptime: now.saturating_duration_since(self.started).as_secs(),
        }
    }

    fn describe(&self) -> response::Describe {
        let version = env!("CARGO_PKG_VERSION");
        response::Describe {
            dialect: super::DIALECT.into(),
            dialect_version: version.into(),
            server_version: version.into(),
            protocol_version: PROTOCOL_VERSION.into(),
            server_id: self.server_id.to_string(),
            pid: std::process::id(),
            requests: SUPPORTED.iter().map(ToString::to_string).collect(),
            features: FEATURES.iter().map(ToString::to_string).collect(),
            limits: self.limits(),
        }
    }

    fn limits(&self) -> Map<String, Value> {
        let limits = json!({
            "max_message_bytes": self.settings.max_message,
            "max_result_characters": engine::MAX_RESULT,
            "max_objects_per_session": engine::MAX_OBJECTS,
            "max_debuggers": engine::MAX_DEBUGGERS,
            "max_debuggers_per_session": engine::MAX_DEBUGGERS_OF_SESSION,
            "max_rows": engine::MAX_ROWS,
            "max_running_per_connection": MAX_RUNNING,
            "max_waiting_per_connection": MAX_WAITING,
            "max_sessions_per_client": MAX_PER_CLIENT,
            "max_state_bytes": MAX_STATE_BYTES,
            "max_subscriptions_per_connection": MAX_SUBSCRIPTIONS,
        });
        match limits {
            Value::Object(limits) => limits,
            _ => Map::new(),
        }
    }

    /// A number for a job of a connection, if it may have one more.
    pub(super) fn new_job(&mut self, origin: &Origin) -> Result<engine::JobId, ErrorInfo> {
        if self.jobs.has_room(&origin.peer) {
            return Ok(self.jobs.next_id());
        }
        let limit = MAX_RUNNING + MAX_WAITING;
        Err(ErrorInfo::new(
            ErrorCode::InvalidRequest,
            format!("{limit} requests of this connection are not answered yet; wait for some, or interrupt them."),
        )
        .with(ErrorDetails {
            limit: Some(limit as u64),
            ..ErrorDetails::default()
        }))
    }

    fn evaluate(
        &mut self,
        origin: &Origin,
        request: Uuid,
        params: request::Evaluate,
        now: Instant,
    ) -> Result<Step, ErrorInfo> {
        let mode = params.evaluation_mode.unwrap_or_default();
        if mode == EvaluationMode::Debug && params.session_id.is_none() {
            return Err(ErrorInfo::new(
                ErrorCode::InvalidRequest,
                "Code is debugged in a session, which keeps its process; give a session_id.",
            ));
        }
        let session = match &params.session_id {
            Some(id) => {
                let session = self.sessions.using(id, now)?;
                Some((session.id, session.number))
            }
            None => None,
        };
        let job = self.new_job(origin)?;
        let code = session.map(|_| params.code.clone());
        let command = Command::Evaluate(Evaluation {
            job,
            session: session.map(|(_, number)| number),
            request,
            code: params.code,
            mode,
            print: params.return_string.unwrap_or(true),
            strict: params.strict.unwrap_or(false),
            timeout: params.timeout_ms.map(Duration::from_millis),
        });
        Ok(Step::Job(job, session.map(|(id, _)| id), code, command))
    }

    fn inspect(
        &mut self,
        origin: &Origin,
        params: request::Inspect,
        now: Instant,
    ) -> Result<Step, ErrorInfo> {
        let mut session = match &params.session_id {
            Some(id) => Some(self.sessions.using(id, now)?.number),
            None => None,
        };
        let subject = match (params.target, params.object_id) {
            (Some(target), None) => Subject::Expression(target),
            (None, Some(id)) => {
                let object = self.sessions.object(&id, now)?;
                if session.is_some_and(|session| session != object.session) {
                    return Err(super::sessions::object_not_found(&id));
                }
                session = Some(object.session);
                Subject::Object(object.number)
            }
            _ => {
                return Err(ErrorInfo::new(
                    ErrorCode::InvalidRequest,
                    "Inspect has a target (an expression) or an object_id.",
                ));
            }
        };
        let job = self.new_job(origin)?;
        let command = Command::Inspect(Inspection {
            job,
            session,
            subject,
            view: params.view,
            offset: params.offset.unwrap_or(0),
            limit: params.limit,
            depth: params.depth.unwrap_or(1).min(MAX_DEPTH),
            with_methods: params.include_private.unwrap_or(false),
            timeout: params
                .timeout_ms
                .map_or(INSPECT_TIMEOUT, Duration::from_millis),
        });
        let session = session
            .and_then(|number| self.sessions.numbered(number))
            .map(|session| session.id);
        Ok(Step::Job(job, session, None, command))
    }

    fn interrupt(
        &mut self,
        params: request::Interrupt,
        now: Instant,
    ) -> Result<response::Interrupt, ErrorInfo> {
        let request: Uuid = params.request_id.parse().map_err(|_| {
            ErrorInfo::new(
                ErrorCode::InvalidRequest,
                "request_id is the UUID of the request to stop.",
            )
        })?;
        let jobs = self.jobs.of_request(request);
        // An evaluation that its debugger has continued is no job any more.
        let continued = self.debuggers.running(request);
        let interrupted = !jobs.is_empty() || continued.is_some();
        if let Some(debugger) = continued {
            self.command(Command::Pause { debugger });
        }
        for id in jobs {
            match self.jobs.withdraw(id) {
                Some(job) => self.finish(job, engine::interrupted().into(), Duration::ZERO, now),
                None => self.command(Command::Interrupt { job: id }),
            }
        }
        Ok(response::Interrupt {
            request_id: params.request_id,
            interrupted,
            forked: None,
        })
    }

    fn interrupt_forked(
        &mut self,
        origin: &Origin,
        session: &str,
        now: Instant,
    ) -> Result<Step, ErrorInfo> {
        let session = self.sessions.using(session, now)?.number;
        let job = self.new_job(origin)?;
        // Of no session: it waits for nothing of it.
        let command = Command::InterruptForked { job, session };
        Ok(Step::Job(job, None, None, command))
    }

    fn ask(
        &mut self,
        origin: &Origin,
        question: Question,
        session: Option<Uuid>,
    ) -> Result<Step, ErrorInfo> {
        let job = self.new_job(origin)?;
        Ok(Step::Job(
            job,
            session,
            None,
            Command::Ask { job, question },
        ))
    }

    fn release(
        &mut self,
        origin: &Origin,
        params: &request::ReleaseObjects,
        now: Instant,
    ) -> Result<Step, ErrorInfo> {
        let job = self.new_job(origin)?;
        let objects = params
            .object_ids
            .iter()
            .filter_map(|id| self.sessions.object(id, now).ok())
            .collect();
        Ok(Step::Job(
            job,
            None,
            None,
            Command::Release { job, objects },
        ))
    }

    fn create_session(
        &mut self,
        params: request::CreateSession,
        now: Instant,
    ) -> Result<response::CreateSession, ErrorInfo> {
        let session = self
            .sessions
            .create(params.client_id, params.timeout, now)?;
        let summary = session.summary();
        let command = Command::OpenSession {
            session: session.number,
            prefix: session.object_prefix(),
        };
        self.command(command);
        Ok(response::CreateSession { session: summary })
    }

    fn update_state(
        &mut self,
        params: request::UpdateSessionState,
        now: Instant,
    ) -> Result<response::UpdateSessionState, ErrorInfo> {
        let session = self.sessions.using(&params.session_id, now)?;
        if params.state_data.to_string().len() > MAX_STATE_BYTES {
            return Err(ErrorInfo::new(
                ErrorCode::InvalidRequest,
                format!("state_data has more than {MAX_STATE_BYTES} bytes."),
            ));
        }
        session.state = params.state_data.clone();
        let stream = Some(session.id);
        let change = "state".to_owned();
        self.happened(stream, stui_protocol::event::SessionChanged { change });
        Ok(response::UpdateSessionState {
            session_id: params.session_id,
            last_modified: timestamp(std::time::SystemTime::now()),
            session_state: params.state_data,
            update_successful: true,
        })
    }

    fn close_session(
        &mut self,
        params: request::CloseSession,
        now: Instant,
    ) -> Result<response::CloseSession, ErrorInfo> {
        let id = self.sessions.using(&params.session_id, now)?.id;
        for job in self.jobs.of_session(id) {
            if let Some(job) = self.jobs.withdraw(job) {
                self.finish(job, engine::interrupted().into(), Duration::ZERO, now);
            }
        }
        if let Some(session) = self.sessions.remove(id) {
            self.session_ended(session, "closed");
        }
        Ok(response::CloseSession {
            session_id: params.session_id,
            closed: true,
        })
    }

    fn stream_key(
        &mut self,
        session_id: Option<&str>,
        now: Instant,
    ) -> Result<Option<Uuid>, ErrorInfo> {
        match session_id {
            Some(id) => Ok(Some(self.sessions.using(id, now)?.id)),
            None => Ok(None),
        }
    }

    fn subscribe(
        &mut self,
        origin: &Origin,
        reply_to: &ReplyTo,
        params: request::Subscribe,
        now: Instant,
    ) -> Result<Step, ErrorInfo> {
        if reply_to.delimited {
            return Err(ErrorInfo::new(
                ErrorCode::InvalidRequest,
                "Events are pushed, which a REQ socket cannot take; subscribe from a DEALER without a delimiter frame.",
            ));
        }
        let stream = self.stream_key(params.session_id.as_deref(), now)?;
        if !self
            .peers
            .subscribe(&origin.peer, origin.connection, stream, reply_to.signed)
        {
            return Err(ErrorInfo::new(
                ErrorCode::InvalidRequest,
                format!(
                    "A connection has at most {MAX_SUBSCRIPTIONS} subscriptions; end one first."
                ),
            ));
        }
        let events = match stream.and_then(|id| self.sessions.get_mut(id)) {
            Some(session) => &session.events,
            None => &self.outside,
        };
        let (kept, next_sequence, missed) = events.replay(params.from_sequence);
        let replayed = kept
            .map(|document| self.settings.event(&origin.peer, reply_to.signed, document))
            .collect();
        let answer = response::Subscribe {
            session_id: params.session_id,
            next_sequence,
            missed,
        };
        Ok(Step::AnswerThen(Box::new(answer.into()), replayed))
    }
}

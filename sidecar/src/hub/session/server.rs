//! A session's session on the Smalltalk server, and what becomes of its requests.

use stui_protocol::error::{ErrorCode, ErrorInfo};
use stui_protocol::pane::{Level, Role};
use stui_protocol::response::Response;
use stui_protocol::{Uuid, request};

use super::evaluations::NOTHING_RUNS;
use super::{Purpose, Session, Work};
use crate::hub::record::{Change, ServerSession};
use crate::hub::{Effect, Outcome};

/// Where the history is run again, as panes are told.
const RUN_AGAIN_KEYS: &str = "Alt s, then h";
/// After how many seconds without use the server may forget the session: a week. While the sidecar
/// lives it says every few minutes that the session is in use.
const SESSION_TIMEOUT: u64 = 7 * 24 * 3600;

impl Session {
    /// The session's id on the server that is connected now.
    pub(super) fn session_id(&self, work: &Work) -> Option<String> {
        let server = self.server.as_ref()?;
        (work.server_id() == Some(&server.server_id)).then(|| server.session_id.clone())
    }

    /// The session's image is connected, to this server.
    pub(in crate::hub) fn connected(&mut self, server_id: &str, work: &mut Work) {
        let same = self
            .server
            .as_ref()
            .is_none_or(|server| server.server_id == server_id);
        self.give_up_for_server(server_id, work);
        self.denied = None;
        if !same {
            self.find_session(server_id, work);
        } else if let Some(session_id) = self.session_id(work) {
            // Whether it is still there is said by the answer; what is asked meanwhile hears the same.
            self.ask(
                request::RestoreSession { session_id },
                Purpose::Restore,
                work,
            );
            self.take_up(work);
        } else {
            self.create_session(work);
        }
    }

    /// Asks another server than before for the session: an image that was saved, and started again from
    /// disk, has it still.
    fn find_session(&mut self, server_id: &str, work: &mut Work) {
        let asked = |purpose: &Purpose| matches!(purpose, Purpose::Find { server_id: asked } if asked == server_id);
        if self.pending.values().any(asked) {
            return;
        }
        if let Some(server) = &self.server {
            let session_id = server.session_id.clone();
            let server_id = server_id.to_owned();
            self.ask(
                request::RestoreSession { session_id },
                Purpose::Find { server_id },
                work,
            );
        }
    }

    /// What is known of the session holds on: it was found in another server.
    fn found(&mut self, server: ServerSession, work: &mut Work) {
        // With their numbers of before.
        self.save_transcript(work);
        self.found_again(server.clone());
        self.record(Change::Found { server }, work);
        let text =
            "The image was started again from disk: variables and objects are as they were saved.";
        self.announce(None, Level::Info, text, work);
        self.take_up(work);
    }

    /// Its session is in another server than before: events since the image was saved have numbers that are
    /// given a second time.
    pub(super) fn found_again(&mut self, server: ServerSession) {
        self.server = Some(server);
        self.numbers_begin_anew = true;
        self.saved.is_older = true;
    }

    /// Goes on with a session that the server has.
    fn take_up(&mut self, work: &mut Work) {
        self.subscribe(work);
        self.send_waiting(work);
        self.take_up_debugger(work);
        if !self.inspector.trail().is_empty() {
            self.show_inspector(work);
        }
    }

    fn forget_session(&mut self, work: &mut Work) {
        self.lose_server();
        self.leave_objects(work);
    }

    /// The session's image was disconnected. What was sent there has no answer any more, and what was not
    /// waits for another image.
    pub(in crate::hub) fn image_gone(&mut self, work: &mut Work) {
        let pending = std::mem::take(&mut self.pending);
        self.of_earlier.clear();
        for (id, purpose) in pending {
            if matches!(purpose, Purpose::Evaluation) {
                let text = format!(
                    "The image {} was disconnected while this ran; move the session to another one, and evaluate again.",
                    self.image
                );
                self.evaluation_failed(id, &text, work);
            }
        }
        self.debugging.gives_up();
        self.tell_debugger(work);
    }

    /// What is inspected is gone.
    pub(super) fn leave_objects(&mut self, work: &mut Work) {
        self.to_release.clear();
        if !self.inspector.trail().is_empty() {
            self.inspector.clear();
            self.trail_changed(work);
        }
        self.to_release.clear();
    }

    /// What can be done about lost variables, to be put behind a sentence about them.
    fn remedy(&self) -> String {
        match self.lost() {
            0 => String::new(),
            count => {
                format!(" {RUN_AGAIN_KEYS} runs {count} evaluations of the history again.")
            }
        }
    }

    pub(in crate::hub) fn create_session(&mut self, work: &mut Work) {
        if self.awaits_server() {
            return;
        }
        let request = request::CreateSession {
            client_id: work.client_id.to_owned(),
            timeout: Some(SESSION_TIMEOUT),
        };
        self.ask(request, Purpose::Session, work);
    }

    fn subscribe(&self, work: &mut Work) {
        if let (Some(session_id), Some(image)) = (self.session_id(work), work.image) {
            work.out.push(Effect::Subscribe {
                image: image.key,
                session_id,
                from_sequence: self.last_event + 1,
            });
        }
    }

    pub(in crate::hub) fn reply(&mut self, id: Uuid, outcome: Outcome, work: &mut Work) {
        let Some(purpose) = self.pending.remove(&id) else {
            return;
        };
        let was_before = self.of_earlier.remove(&id);
        match outcome {
            Outcome::Answered(response) => match *response {
                Response::Error(error)
                    if was_before && error.code == ErrorCode::SessionNotFound =>
                {
                    if matches!(purpose, Purpose::Evaluation) {
                        self.evaluation_without_session(id, work);
                        self.send_waiting(work);
                    }
                }
                Response::Error(error) => self.failed(id, purpose, &error, work),
                response => self.answered(id, purpose, response, work),
            },
            Outcome::ServerReplaced => match &purpose {
                Purpose::Evaluation => self.evaluation_lost(id, work),
                Purpose::Debugger(question) => self.debugger_lost(question),
                _ => {}
            },
            Outcome::Refused(reason) => {
                let error = ErrorInfo::new(ErrorCode::Unknown, reason);
                self.failed(id, purpose, &error, work);
            }
        }
    }

    fn answered(&mut self, id: Uuid, purpose: Purpose, response: Response, work: &mut Work) {
        match (purpose, response) {
            (Purpose::Evaluation, Response::Evaluate(answer)) => self.evaluated(id, answer, work),
            (Purpose::Rows(wanted), Response::Inspect(answer)) => {
                self.rows_answered(&wanted, answer, work);
            }
            (Purpose::WalkInto { shown, row }, Response::Inspect(answer)) => {
                self.walk_answered(shown, row, answer, work);
            }
            (Purpose::Debugger(question), response) => {
                self.debugger_answered(question, response, work);
            }
            (Purpose::Session, Response::CreateSession(answer)) => {
                if let Some(server_id) = work.server_id() {
                    let server = ServerSession {
                        server_id: server_id.to_owned(),
                        session_id: answer.session.session_id,
                    };
                    self.begin_life(server.clone());
                    // What they ask about is gone, as is known.
                    self.of_earlier = self.pending.keys().copied().collect();
                    self.denied = None;
                    self.state_changed(work);
                    self.record(Change::Server { server }, work);
                    self.subscribe(work);
                    self.send_waiting(work);
                }
            }
            (Purpose::Find { server_id }, Response::RestoreSession(answer))
                if work.server_id() == Some(&server_id) =>
            {
                let session_id = answer.session.session_id;
                self.found(
                    ServerSession {
                        server_id,
                        session_id,
                    },
                    work,
                );
            }
            (Purpose::Interrupt { by }, Response::Interrupt(answer)) if !answer.interrupted => {
                work.notice(by, Level::Info, "It had ended already.");
            }
            (Purpose::InterruptForked { by }, Response::Interrupt(answer)) => {
                let text = match answer.forked {
                    Some(0) | None => NOTHING_RUNS.to_owned(),
                    Some(1) => "Ended a process that the code had forked.".to_owned(),
                    Some(count) => format!("Ended {count} processes that the code had forked."),
                };
                work.notice(by, Level::Info, text);
            }
            (Purpose::Evaluation, response) => {
                let text = format!(
                    "The server answered an evaluation with {}: update it or stui.",
                    response.name()
                );
                self.evaluation_failed(id, &text, work);
            }
            _ => {}
        }
    }

    fn failed(&mut self, id: Uuid, purpose: Purpose, error: &ErrorInfo, work: &mut Work) {
        // A server that cannot say whether it has the session has none to go on with.
        let is_lost = error.code == ErrorCode::SessionNotFound
            || (matches!(purpose, Purpose::Find { .. }) && error.code != ErrorCode::Unknown);
        if is_lost {
            if let Some(server) = &self.server {
                let is_another = work.server_id() != Some(&server.server_id);
                let debuggers = self.debuggers.len();
                self.forget_session(work);
                self.tell_debugger(work);
                self.tell_marks(work);
                let why = if is_another {
                    "This is another Smalltalk server than before: variables and inspected objects are gone."
                } else {
                    "The server no longer has this session, unused for too long or closed: variables are gone."
                };
                let open = match debuggers {
                    0 => String::new(),
                    1 => " A debugger was open on it and is gone, too.".to_owned(),
                    count => format!(" {count} debuggers were open on it and are gone, too."),
                };
                let text = format!("{why}{open}{}", self.remedy());
                self.announce(None, Level::Info, &text, work);
            }
            if matches!(purpose, Purpose::Evaluation) {
                self.evaluation_without_session(id, work);
            }
            self.create_session(work);
            return;
        }
        match purpose {
            Purpose::Evaluation => self.evaluation_refused(id, error, work),
            Purpose::Rows(wanted) => self.rows_refused(&wanted, &error.message, work),
            Purpose::Session => {
                let text = if error.code == ErrorCode::SessionLimitExceeded {
                    format!(
                        "The server of {} gives no more sessions: close another one on it (Alt s, then x), or move this one to another image (i).",
                        self.image
                    )
                } else {
                    format!("The server gives no session: {}", error.message)
                };
                self.announce(None, Level::Error, &text, work);
                self.denied = Some(text);
            }
            Purpose::Interrupt { by } => {
                work.notice(by, Level::Error, error.message.clone());
            }
            // the server does not know what was forked
            Purpose::InterruptForked { by } => work.notice(by, Level::Info, NOTHING_RUNS),
            Purpose::Debugger(question) => self.debugger_refused(question, error, work),
            Purpose::WalkInto { .. } => {
                self.announce(Some(Role::Inspector), Level::Error, &error.message, work);
            }
            Purpose::KeepAlive
            | Purpose::Release
            | Purpose::Restore
            | Purpose::Find { .. }
            | Purpose::State
            | Purpose::Terminate => {}
        }
    }
}

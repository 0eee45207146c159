//! The hub's session on the Smalltalk server, and what becomes of its requests.

use stui_protocol::error::{ErrorCode, ErrorInfo};
use stui_protocol::pane::{Level, ToPane};
use stui_protocol::response::Response;
use stui_protocol::{Uuid, request};

use super::inspector::cut;
use super::record::{Record, Session};
use super::{Effect, Hub, Outcome, Purpose, To, notice};

/// After how many seconds without use the server may forget the session: a week. While the sidecar
/// lives it says every few minutes that the session is in use.
const SESSION_TIMEOUT: u64 = 7 * 24 * 3600;

impl Hub {
    pub(super) fn session_id(&self) -> Option<String> {
        let session = self.session.as_ref()?;
        (self.server_id.as_ref() == Some(&session.server_id)).then(|| session.session_id.clone())
    }

    pub(super) fn connected(&mut self, server_id: String, out: &mut Vec<Effect>) {
        let same = self
            .session
            .as_ref()
            .is_none_or(|session| session.server_id == server_id);
        self.give_up_for_server(&server_id, out);
        self.server_id = Some(server_id);
        if !same {
            self.forget_session(out);
            out.push(Effect::Tell(
                To::All,
                ToPane::Notice {
                    level: Level::Info,
                    text: "This is another Smalltalk server than before: variables and inspected objects are gone.".into(),
                },
            ));
        }
        if self.session.is_some() {
            self.subscribe(out);
            self.send_waiting(out);
            if !self.inspector.trail().is_empty() {
                self.show_inspector(out);
            }
        } else {
            self.create_session(out);
        }
    }

    fn forget_session(&mut self, out: &mut Vec<Effect>) {
        self.session = None;
        self.last_event = 0;
        self.cleared = 0;
        self.to_release.clear();
        if !self.inspector.trail().is_empty() {
            self.inspector.clear();
            self.trail_changed(out);
        }
        self.to_release.clear();
    }

    fn create_session(&mut self, out: &mut Vec<Effect>) {
        let on_its_way = self
            .pending
            .values()
            .any(|purpose| matches!(purpose, Purpose::Session));
        if on_its_way {
            return;
        }
        let request = request::CreateSession {
            client_id: format!("stui-{:032x}", self.seed),
            timeout: Some(SESSION_TIMEOUT),
        };
        self.ask(request, Purpose::Session, out);
    }

    fn subscribe(&self, out: &mut Vec<Effect>) {
        if let Some(session_id) = self.session_id() {
            out.push(Effect::Subscribe {
                session_id,
                from_sequence: self.last_event + 1,
            });
        }
    }

    pub(super) fn keep_alive(&mut self, out: &mut Vec<Effect>) {
        if let Some(session_id) = self.session_id() {
            let request = request::GetSessionInfo { session_id };
            self.ask(request, Purpose::KeepAlive, out);
        }
    }

    pub(super) fn reply(&mut self, id: Uuid, outcome: Outcome, out: &mut Vec<Effect>) {
        let Some(purpose) = self.pending.remove(&id) else {
            return;
        };
        match outcome {
            Outcome::Answered(response) => match *response {
                Response::Error(error) => self.failed(id, purpose, &error, out),
                response => self.answered(id, purpose, response, out),
            },
            Outcome::ServerReplaced => {
                if matches!(purpose, Purpose::Evaluation) {
                    self.evaluation_lost(id, out);
                }
            }
            Outcome::Refused(reason) => {
                let error = ErrorInfo::new(ErrorCode::Unknown, reason);
                self.failed(id, purpose, &error, out);
            }
        }
    }

    fn answered(&mut self, id: Uuid, purpose: Purpose, response: Response, out: &mut Vec<Effect>) {
        match (purpose, response) {
            (Purpose::Evaluation, Response::Evaluate(answer)) => self.evaluated(id, answer, out),
            (Purpose::Rows(wanted), Response::Inspect(answer)) => {
                self.rows_answered(&wanted, answer, out);
            }
            (Purpose::WalkInto { shown, row }, Response::Inspect(answer)) => {
                self.walk_answered(shown, row, answer, out);
            }
            (Purpose::Session, Response::CreateSession(answer)) => {
                if let Some(server_id) = self.server_id.clone() {
                    let session = Session {
                        server_id,
                        session_id: answer.session.session_id,
                    };
                    self.session = Some(session.clone());
                    self.last_event = 0;
                    self.cleared = 0;
                    out.push(Effect::Record(Record::Session { session }));
                    self.subscribe(out);
                    self.send_waiting(out);
                }
            }
            (Purpose::Interrupt { by }, Response::Interrupt(answer)) if !answer.interrupted => {
                out.push(notice(by, Level::Info, "It had ended already."));
            }
            (Purpose::Evaluation, response) => {
                let text = format!(
                    "The server answered an evaluation with {}: update it or stui.",
                    response.name()
                );
                self.evaluation_failed(id, &text, out);
            }
            _ => {}
        }
    }

    fn failed(&mut self, id: Uuid, purpose: Purpose, error: &ErrorInfo, out: &mut Vec<Effect>) {
        if error.code == ErrorCode::SessionNotFound {
            self.forget_session(out);
            if matches!(purpose, Purpose::Evaluation) {
                self.evaluation_without_session(id, out);
            }
            self.create_session(out);
            return;
        }
        match purpose {
            Purpose::Evaluation => self.evaluation_refused(id, error, out),
            Purpose::Rows(wanted) => self.rows_refused(&wanted, &error.message, out),
            Purpose::Session => out.push(Effect::Tell(
                To::All,
                ToPane::Notice {
                    level: Level::Error,
                    text: cut(
                        &format!("The server gives no session: {}", error.message),
                        1000,
                    ),
                },
            )),
            Purpose::Interrupt { by } => {
                out.push(notice(by, Level::Error, error.message.clone()));
            }
            Purpose::WalkInto { .. } => out.push(Effect::Tell(
                To::Role(stui_protocol::pane::Role::Inspector),
                ToPane::Notice {
                    level: Level::Error,
                    text: cut(&error.message, 1000),
                },
            )),
            Purpose::KeepAlive | Purpose::Release => {}
        }
    }
}

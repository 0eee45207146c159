//! The processes that the engine keeps for debuggers: whose they are, what is asked of them, and who hears of them.

use std::collections::BTreeMap;
use std::time::Instant;

use stui_protocol::Uuid;
use stui_protocol::error::{ErrorCode, ErrorInfo};
use stui_protocol::event::{DebugClosed, DebugOpened, EvaluationFinished};
use stui_protocol::request::{self, DebugOperation};

use super::desk::{Desk, Origin, excerpt};
use super::requests::Step;
use crate::engine::{self, Command, DebuggerNumber, Debugging, Report};

#[derive(Debug)]
struct Debugger {
    session: Uuid,
    /// The request of its evaluation; none: code of the session forked it.
    request: Option<Uuid>,
    /// It was continued, and runs as far as is known.
    runs: bool,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Debuggers {
    by_number: BTreeMap<DebuggerNumber, Debugger>,
}

impl Debuggers {
    /// One is there; it may have been there before.
    pub(crate) fn opened(&mut self, number: DebuggerNumber, session: Uuid, request: Option<Uuid>) {
        let debugger = Debugger {
            session,
            request,
            runs: false,
        };
        self.by_number.insert(number, debugger);
    }

    /// One was continued, and runs on.
    pub(crate) fn runs(&mut self, number: DebuggerNumber) {
        if let Some(debugger) = self.by_number.get_mut(&number) {
            debugger.runs = true;
        }
    }

    /// One is gone. Answers the session that it was kept for, if it was known.
    pub(crate) fn closed(&mut self, number: DebuggerNumber) -> Option<Uuid> {
        self.by_number
            .remove(&number)
            .map(|debugger| debugger.session)
    }

    /// The session that one is kept for.
    pub(crate) fn session(&self, number: DebuggerNumber) -> Option<Uuid> {
        self.by_number.get(&number).map(|debugger| debugger.session)
    }

    /// The one with the evaluation of a request, if that was continued and runs.
    pub(crate) fn running(&self, request: Uuid) -> Option<DebuggerNumber> {
        self.by_number
            .iter()
            .find(|(_, debugger)| debugger.runs && debugger.request == Some(request))
            .map(|(number, _)| *number)
    }

    /// Forgets those of a session. Answers their numbers.
    pub(crate) fn session_ended(&mut self, session: Uuid) -> Vec<DebuggerNumber> {
        let mut gone = Vec::new();
        self.by_number.retain(|number, debugger| {
            let ends = debugger.session == session;
            if ends {
                gone.push(*number);
            }
            !ends
        });
        gone
    }
}

impl Desk {
    /// Works on a process that is kept, or on a breakpoint.
    pub(super) fn debug(
        &mut self,
        origin: &Origin,
        params: request::Debug,
        now: Instant,
    ) -> Result<Step, ErrorInfo> {
        let is_set = params.operation == DebugOperation::SetBreakpoint;
        if is_set || params.operation == DebugOperation::RemoveBreakpoint {
            let (Some(class_name), Some(method_name)) = (params.class_name, params.method_name)
            else {
                return Err(ErrorInfo::new(
                    ErrorCode::InvalidRequest,
                    "A breakpoint has a class_name and a method_name.",
                ));
            };
            let job = self.new_job(origin)?;
            let command = Command::Breakpoint {
                job,
                class_name,
                method_name,
                is_set,
            };
            return Ok(Step::Job(job, None, None, command));
        }
        let known = engine::debugger_number(&params.context)
            .and_then(|debugger| Some((debugger, self.debuggers.session(debugger)?)));
        let Some((debugger, session)) = known else {
            return Err(engine::no_debugger(&params.context));
        };
        if params.operation == DebugOperation::EvaluateInFrame && params.code.is_none() {
            return Err(ErrorInfo::new(
                ErrorCode::InvalidRequest,
                "EvaluateInFrame has code.",
            ));
        }
        let number = self.sessions.using(&session.to_string(), now)?.number;
        let job = self.new_job(origin)?;
        let command = Command::Debug(Debugging {
            job,
            session: number,
            debugger,
            operation: params.operation,
            frame: params.frame.unwrap_or(0),
            code: params.code,
        });
        Ok(Step::Job(job, Some(session), None, command))
    }

    /// The engine said something about the processes that it keeps.
    pub(super) fn debugger_report(&mut self, report: Report) {
        match report {
            Report::DebuggerOpened {
                session,
                debugger,
                request,
                title,
            } => {
                if let Some(session) = self.sessions.numbered(session).map(|session| session.id) {
                    self.debuggers.opened(debugger, session, request);
                    let debug_id = engine::debug_id(debugger);
                    let opened = DebugOpened {
                        debug_id,
                        title,
                        is_forked: request.is_none(),
                    };
                    self.happened(Some(session), opened);
                }
            }
            Report::DebuggerClosed { debugger, .. } => {
                if let Some(session) = self.debuggers.closed(debugger) {
                    let debug_id = engine::debug_id(debugger);
                    self.happened(Some(session), DebugClosed { debug_id });
                }
            }
            Report::Continued {
                session,
                request,
                result,
                has_error,
                elapsed,
            } => {
                let stream = self.sessions.numbered(session).map(|session| session.id);
                if stream.is_some() {
                    let finished = EvaluationFinished {
                        request_id: request.to_string(),
                        result: excerpt(&result).0,
                        has_error,
                        execution_time: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
                    };
                    self.happened(stream, finished);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_takes_its_debuggers_with_it() {
        let [one, other] = [1, 2].map(Uuid::from_u128);
        let mut debuggers = Debuggers::default();
        debuggers.opened(1, one, Some(Uuid::from_u128(11)));
        debuggers.opened(2, other, Some(Uuid::from_u128(12)));
        debuggers.opened(3, one, Some(Uuid::from_u128(13)));
        assert_eq!(debuggers.running(Uuid::from_u128(13)), None);
        debuggers.opened(4, other, None);
        debuggers.runs(3);
        assert_eq!(debuggers.running(Uuid::from_u128(13)), Some(3));
        assert_eq!(debuggers.session_ended(one), [1, 3]);
        assert_eq!(debuggers.session(1), None);
        assert_eq!(debuggers.running(Uuid::from_u128(13)), None);
        assert_eq!(debuggers.closed(2), Some(other));
        assert_eq!(debuggers.closed(2), None);
    }
}

//! What a server answers and tells about debuggers, and what becomes of the evaluations in them.

use stui_protocol::debugger::{MAX_DEBUGGERS, WENT_ON, name_of};
use stui_protocol::error::{ErrorCode, ErrorInfo};
use stui_protocol::event::{DebugOpened, EvaluationFinished};
use stui_protocol::pane::{How, Level, Role};
use stui_protocol::request::DebugOperation;
use stui_protocol::response::{self, Response};

use super::{LOOK_AGAIN, Question};
use crate::hub::history::MAX_ANSWER;
use crate::hub::inspector::cut;
use crate::hub::record::{Change, End, Evaluation};
use crate::hub::session::{Session, Work};

/// How a debugger came to its end.
enum Ended {
    /// Its process went on to its end, with this answer, if it has one.
    Proceeded(String),
    /// Somebody here ended it.
    Terminated,
    /// Somebody else did, or it went on unseen.
    Elsewhere,
    /// Its server does not know it any more.
    Gone,
}

impl Session {
    /// A server answered what was asked about a debugger.
    pub(in crate::hub::session) fn debugger_answered(
        &mut self,
        question: Question,
        response: Response,
        work: &mut Work,
    ) {
        match (question, response) {
            (Question::Operation { debugger }, Response::Debug(answer)) => {
                self.operated(&debugger, answer, work);
            }
            (Question::Look { debugger, stop }, Response::Debug(answer)) => {
                if self.is_shown(&debugger, stop) {
                    self.seen(&debugger, answer, 0, work);
                } else {
                    self.drop_variables(answer);
                }
            }
            (Question::Variables { stop, frame }, Response::Debug(answer)) => {
                let known = self.debugging.known();
                let chosen = known.map(|known| known.frame);
                if self.debugging.stop() == stop && chosen == Some(frame) {
                    self.debugging.take_variables(answer.variables);
                    self.ask_the_rest(answer.source.as_deref(), work);
                } else {
                    self.drop_variables(answer);
                    if self.debugging.stop() == stop {
                        self.ask_variables(work);
                    }
                }
            }
            (Question::Slots { stop, frame }, Response::Inspect(answer)) => {
                self.slots_answered(stop, frame, answer);
            }
            (Question::Source { stop, frame }, Response::GetMethod(answer)) => {
                if self.is_of(stop, frame) {
                    self.debugging.take_source(&answer.method.source);
                }
            }
            (question, response) => {
                let text = format!(
                    "The server answered a question of the debugger with {}: update it or stui.",
                    response.name()
                );
                let error = ErrorInfo::new(ErrorCode::Unknown, text);
                self.debugger_refused(question, &error, work);
            }
        }
        self.tell_debugger(work);
    }

    fn is_of(&self, stop: u64, frame: usize) -> bool {
        let known = self.debugging.known();
        self.debugging.stop() == stop && known.is_some_and(|known| known.frame == frame)
    }

    fn slots_answered(&mut self, stop: u64, frame: usize, answer: response::Inspect) {
        let rows = answer.children.into_iter();
        self.debugging
            .drop_handles(rows.filter_map(|row| row.object.id));
        if self.is_of(stop, frame) {
            self.debugging.take_slots(answer.instance_vars);
        } else {
            let slots = answer.instance_vars.into_iter();
            self.debugging
                .drop_handles(slots.filter_map(|slot| slot.object.id));
        }
    }

    fn drop_variables(&mut self, answer: response::Debug) {
        let ids = answer.variables.into_iter();
        self.debugging
            .drop_handles(ids.filter_map(|variable| variable.object.id));
    }

    /// A debugger's process looks like this now.
    fn seen(&mut self, id: &str, answer: response::Debug, frame: usize, work: &mut Work) {
        let process = answer.debug_info.clone();
        self.retitle(id, &process.title, work);
        if process.is_terminated {
            let ended = if self.debugging.gone_on.contains(id) {
                Ended::Proceeded(String::new())
            } else {
                Ended::Gone
            };
            self.debugger_ended(id, ended, work);
            return;
        }
        let is_suspended = process.is_suspended;
        if is_suspended {
            self.debugging.gone_on.remove(id);
        } else {
            self.debugging.gone_on.insert(id.to_owned());
        }
        if self.debugging.shown() != Some(id) {
            self.drop_variables(answer);
            return;
        }
        self.debugging
            .stopped(answer.stack, frame, answer.variables, is_suspended);
        if is_suspended {
            self.ask_the_rest(answer.source.as_deref(), work);
        } else {
            self.debugging.look_at = Some(work.now + LOOK_AGAIN);
        }
    }

    /// An operation is answered.
    fn operated(&mut self, id: &str, answer: response::Debug, work: &mut Work) {
        let Some((running, waiting)) = self.debugging.ends(id) else {
            self.drop_variables(answer);
            return;
        };
        let asked = running.asked;
        let process = answer.debug_info.clone();
        match asked.operation {
            DebugOperation::Terminate => return self.debugger_ended(id, Ended::Terminated, work),
            _ if process.is_terminated || running.closed => {
                let ended = Ended::Proceeded(answer.result.clone());
                return self.debugger_ended(id, ended, work);
            }
            DebugOperation::EvaluateInFrame => {
                let code = asked.code.unwrap_or_default();
                if self.debugging.shown() == Some(id) {
                    self.debugging.take_evaluated(&code, &answer.result, true);
                }
                if self.is_of(self.debugging.stop(), asked.frame) {
                    self.debugging.take_variables(answer.variables);
                    self.ask_the_rest(None, work);
                } else {
                    self.drop_variables(answer);
                }
                return;
            }
            _ => {}
        }
        // Nobody who pressed a key before has seen an error that it stopped at now.
        let title = cut(&process.title, MAX_ANSWER);
        let mut open = self.debuggers.iter();
        let same_error = open.any(|open| open.id == id && open.title == title);
        if process.is_suspended && same_error && !waiting.is_empty() {
            let request = work.ids.make();
            if let Some(next) = self.debugging.begins_next(id, request, waiting) {
                self.send_operation(id, request, &next, work);
            }
            // Where it stopped on the way is not looked at closely.
            let shown = self.debugging.shown() == Some(id);
            if shown {
                self.debugging
                    .stopped(answer.stack, 0, answer.variables, true);
            } else {
                self.drop_variables(answer);
            }
            return;
        }
        self.seen(id, answer, 0, work);
    }

    /// What was asked about a debugger was refused.
    pub(in crate::hub::session) fn debugger_refused(
        &mut self,
        question: Question,
        error: &ErrorInfo,
        work: &mut Work,
    ) {
        let is_gone = error.code == ErrorCode::ObjectNotFound;
        match question {
            Question::Operation { debugger } => {
                self.operation_refused(&debugger, error, work);
            }
            Question::Look { debugger, .. } if is_gone => {
                self.debugger_ended(&debugger, Ended::Gone, work);
            }
            Question::Look { debugger, stop } => {
                if self.is_shown(&debugger, stop) {
                    self.debugging.hide(&error.message);
                }
            }
            Question::Variables { stop, .. } => {
                if self.debugging.stop() == stop {
                    self.debugging.forget_known();
                }
            }
            // A frame is shown without it.
            Question::Slots { .. } => {}
            Question::Source { stop, frame } => {
                if self.is_of(stop, frame) {
                    self.debugging.take_source("");
                }
            }
        }
        self.tell_debugger(work);
    }

    fn operation_refused(&mut self, id: &str, error: &ErrorInfo, work: &mut Work) {
        let Some((running, _)) = self.debugging.ends(id) else {
            return;
        };
        let asked = running.asked;
        if error.code == ErrorCode::ObjectNotFound || running.closed {
            let ended = if asked.operation == DebugOperation::Terminate {
                Ended::Terminated
            } else {
                Ended::Gone
            };
            return self.debugger_ended(id, ended, work);
        }
        let code = asked.code.as_deref().unwrap_or_default();
        if asked.operation == DebugOperation::EvaluateInFrame {
            // The process stands where it stood, with the same frame chosen; it may have assigned something.
            if self.debugging.shown() == Some(id) {
                self.debugging.take_evaluated(code, &error.message, false);
                self.ask_variables(work);
            }
            return;
        }
        let text = format!("{}: {}", name_of(asked.operation), error.message);
        work.notice(asked.by, Level::Error, text);
        // It may have gone a part of the way.
        if self.debugging.shown() == Some(id) {
            self.debugging.forget_known();
        }
    }

    /// The request of an operation is lost with its server.
    pub(in crate::hub::session) fn debugger_lost(&mut self, question: &Question) {
        if let Question::Operation { debugger } = question
            && self.debugging.ends(debugger).is_some()
            && self.debugging.shown() == Some(debugger.as_str())
        {
            self.debugging.forget_known();
        }
    }

    /// The link is up again: what is shown may have moved without anybody hearing of it.
    pub(in crate::hub::session) fn take_up_debugger(&mut self, work: &mut Work) {
        let is_running = |id: &str| self.debugging.running(id).is_some();
        if self.debugging.shown().is_some_and(|id| !is_running(id)) {
            self.debugging.forget_known();
        }
        self.tell_debugger(work);
    }

    /// A server says that a process has stopped, maybe once more.
    pub(in crate::hub::session) fn debugger_opened_again(
        &mut self,
        opened: DebugOpened,
        work: &mut Work,
    ) {
        let id = opened.debug_id.as_str();
        if !self.debuggers.iter().any(|open| open.id == id) {
            if opened.is_forked {
                self.forked_failed(opened, work);
            }
            return;
        }
        self.retitle(id, &opened.title, work);
        if self.debugging.running(id).is_none() && self.debugging.gone_on.remove(id) {
            if self.debugging.shown() == Some(id) {
                self.debugging.forget_known();
            }
            let text = format!("It stopped again: {} (Alt d)", opened.title);
            self.announce(Some(Role::Workspace), Level::Error, &text, work);
        }
        self.tell_debugger(work);
    }

    /// A process that code of the session forked has failed, and is kept.
    fn forked_failed(&mut self, opened: DebugOpened, work: &mut Work) {
        let title = cut(&opened.title, MAX_ANSWER);
        let text = format!("A process that was forked failed: {title} (Alt d debugs it)");
        self.adopt_debugger(opened.debug_id.clone(), title.clone());
        let id = opened.debug_id;
        self.record(Change::DebuggerOpened { id, title }, work);
        self.bound_debuggers(work);
        self.announce(Some(Role::Workspace), Level::Error, &text, work);
        self.tell_debugger(work);
    }

    /// A server says that a process is no longer kept.
    pub(in crate::hub::session) fn debugger_closed(&mut self, id: &str, work: &mut Work) {
        if !self.debuggers.iter().any(|open| open.id == id) {
            return;
        }
        if let Some(running) = self.debugging.running_mut(id) {
            running.closed = true;
            return;
        }
        let ended = if self.debugging.gone_on.contains(id) {
            Ended::Proceeded(String::new())
        } else {
            Ended::Elsewhere
        };
        self.debugger_ended(id, ended, work);
        self.tell_debugger(work);
    }

    fn debugger_ended(&mut self, id: &str, ended: Ended, work: &mut Work) {
        let end = match &ended {
            Ended::Proceeded(answer) => Some(End {
                good: true,
                answer: answer.clone(),
                debug_id: None,
            }),
            _ => None,
        };
        let Some(closed) = self.close_debugger(id, end.as_ref()) else {
            return;
        };
        let id = id.to_owned();
        let marks_gone = self.unmark(&id);
        self.record(Change::DebuggerClosed { id, end }, work);
        let was_marked = closed.of.as_ref().is_some_and(|of| of.how == How::DebugIt);
        if marks_gone || was_marked {
            self.tell_marks(work);
        }
        let title = cut(&closed.title, 80);
        let (level, text) = match &ended {
            Ended::Proceeded(answer) => (Level::Info, at_its_end(answer)),
            Ended::Terminated => (Level::Info, format!("Terminated: {title}")),
            Ended::Elsewhere => (Level::Info, format!("The debugger was closed: {title}")),
            Ended::Gone => {
                let text = format!("The server no longer has this debugger: {title}");
                (Level::Error, text)
            }
        };
        for role in [Role::Workspace, Role::Debugger] {
            self.announce(Some(role), level, &text, work);
        }
        let (Ended::Proceeded(answer), Some(of)) = (ended, closed.of) else {
            return;
        };
        if !answer.is_empty() {
            self.print_late(&of, answer, work);
        } else if self.debugging.to_answer.len() < MAX_DEBUGGERS {
            self.debugging.to_answer.push_back(*of);
        }
    }

    /// A server says that an evaluation has ended: one that went on in a debugger, and that nobody waited
    /// for, has its answer now.
    pub(in crate::hub::session) fn debugged_finished(
        &mut self,
        finished: EvaluationFinished,
        work: &mut Work,
    ) {
        if finished.has_error {
            return;
        }
        let is_it = |of: &Evaluation| of.id.to_string() == finished.request_id;
        let mut open = self.debuggers.iter();
        let id = open.find(|open| {
            self.debugging.gone_on.contains(&open.id) && open.of.as_deref().is_some_and(is_it)
        });
        if let Some(id) = id.map(|open| open.id.clone()) {
            self.debugger_ended(&id, Ended::Proceeded(finished.result), work);
            self.tell_debugger(work);
        } else if let Some(at) = self.debugging.to_answer.iter().position(is_it)
            && let Some(of) = self.debugging.to_answer.remove(at)
        {
            let text = at_its_end(&finished.result);
            self.announce(Some(Role::Workspace), Level::Info, &text, work);
            self.print_late(&of, finished.result, work);
        }
    }

    /// What was to be printed is printed, now that it is there.
    fn print_late(&mut self, of: &Evaluation, result: String, work: &mut Work) {
        if of.how == How::PrintIt && of.again.is_none() {
            let answer = response::Evaluate {
                result,
                ..response::Evaluate::default()
            };
            self.print(of, &answer, work);
        }
    }
}

/// What is said of an evaluation that went on in its debugger.
fn at_its_end(answer: &str) -> String {
    if answer.is_empty() {
        format!("{WENT_ON}.")
    } else {
        format!("{WENT_ON}: {}", cut(answer, 200))
    }
}

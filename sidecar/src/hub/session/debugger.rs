//! The debuggers of a session: what panes do with them, what is asked of their server for that, and what
//! becomes of the evaluations that stopped in them.
//!
//! An act that does something to a process becomes one request, once it is on disk that the act was carried
//! out: whatever is lost afterwards, one key press is at most one operation. What a process looks like is
//! asked anew when the answer may have been lost.

use stui_protocol::debugger::{DebuggerAct, MAX_DEBUGGERS, MAX_FRAME_CODE, name_of};
use stui_protocol::error::{ErrorCode, ErrorInfo};
use stui_protocol::event::{DebugOpened, EvaluationFinished};
use stui_protocol::pane::{How, Instance, Level, Role, ToPane};
use stui_protocol::request::{self, DebugOperation};
use stui_protocol::response::{self, Response};

use super::{MAX_PENDING, Purpose, Session, Work};
use crate::hub::debugger::Asked;
use crate::hub::history::MAX_ANSWER;
use crate::hub::inspector::cut;
use crate::hub::record::{Change, Debugger, End, Evaluation};
use crate::hub::{Effect, To};

/// After how many seconds a process that runs on is looked at again.
const LOOK_AGAIN: u64 = 2;
/// Most rows that are answered with the receiver's instance variables, which nobody reads here.
const NO_CHILDREN: u64 = 1;

/// What is asked of a server about a debugger.
#[derive(Debug)]
pub(in crate::hub) enum Question {
    /// An operation on its process.
    Operation { debugger: String },
    /// What it looks like.
    Look { debugger: String, stop: u64 },
    /// The variables of a frame.
    Variables { stop: u64, frame: usize },
    /// The instance variables of a frame's receiver.
    Slots { stop: u64, frame: usize },
    /// The source of a frame's method.
    Source { stop: u64, frame: usize },
}

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
    /// A debugger opens for an evaluation of `by`.
    pub(super) fn opened_debugger(&mut self, debugger: Debugger, by: &Instance) {
        // A step that ends in another error is not a debugger of its own.
        self.debuggers.retain(|open| open.id != debugger.id);
        let asked_for = debugger
            .of
            .as_ref()
            .is_some_and(|of| of.how == How::DebugIt);
        if asked_for || self.debugging.gives_way_to(by) {
            self.debugging.show(Some(debugger.id.clone()));
        }
        self.debuggers.push_back(debugger);
        self.debugging.is_dirty = true;
    }

    /// A debugger is no longer open; `end` says how what it was opened on ended, if it did.
    pub(super) fn close_debugger(&mut self, id: &str, end: Option<&End>) -> Option<Debugger> {
        let at = self.debuggers.iter().position(|open| open.id == id)?;
        let closed = self.debuggers.remove(at)?;
        if let Some(end) = end {
            let answer = cut(&end.answer, MAX_ANSWER);
            self.history.ended(closed.n, end.good, &answer);
        }
        self.debugging.forget(id);
        if self.debugging.shown().is_none() {
            let newest = self.debuggers.back().map(|open| open.id.clone());
            self.debugging.show(newest);
        }
        Some(closed)
    }

    pub(super) fn title_debugger(&mut self, id: &str, title: String) {
        if let Some(open) = self.debuggers.iter_mut().find(|open| open.id == id) {
            open.title = title;
            self.debugging.is_dirty = true;
        }
    }

    /// The error that a debugger's process stopped at is another one now.
    fn retitle(&mut self, id: &str, title: &str, work: &mut Work) {
        let title = cut(title, MAX_ANSWER);
        let mut open = self.debuggers.iter();
        let is_news = open.any(|open| open.id == id && open.title != title);
        if is_news && !title.is_empty() {
            self.title_debugger(id, title.clone());
            let id = id.to_owned();
            self.record(Change::DebuggerTitled { id, title }, work);
        }
    }

    /// An instance does something with debuggers; the act is on disk.
    pub(super) fn debugger_act(&mut self, by: Instance, act: &DebuggerAct, work: &mut Work) {
        match act {
            DebuggerAct::Show { debugger } => {
                let mut open = self.debuggers.iter();
                if open.any(|open| open.id == *debugger)
                    && self.debugging.shown() != Some(debugger.as_str())
                {
                    let id = debugger.clone();
                    self.debugging.show(Some(id.clone()));
                    self.debugging.touched(&by);
                    self.record(Change::DebuggerShown { id }, work);
                }
            }
            DebuggerAct::Choose {
                debugger,
                stop,
                frame,
            } => {
                if self.is_shown(debugger, *stop) && self.debugging.choose(*frame as usize) {
                    self.debugging.touched(&by);
                    self.ask_variables(work);
                }
            }
            DebuggerAct::Run {
                debugger,
                stop,
                frame,
                operation,
                code,
            } => {
                let asked = Asked {
                    by,
                    operation: *operation,
                    frame: *frame as usize,
                    code: code.clone(),
                };
                self.operate(debugger, *stop, asked, work);
            }
            DebuggerAct::Inspect {
                debugger,
                stop,
                frame,
                variable,
            } => {
                let known = self.debugging.known();
                let known = known.filter(|known| known.frame == *frame as usize);
                let object = known.and_then(|known| known.variable(*variable as usize));
                let object = object.map(|variable| variable.object.clone());
                match object.filter(|object| object.id.is_some()) {
                    Some(object) if self.is_shown(debugger, *stop) => {
                        self.inspector.open(object);
                        self.trail_changed(work);
                        work.notice(by, Level::Info, "The inspector shows it (Alt v).");
                    }
                    _ => work.notice(by, Level::Info, "There is no object to inspect here."),
                }
            }
        }
        self.tell_debugger(work);
    }

    fn is_shown(&self, debugger: &str, stop: u64) -> bool {
        self.debugging.shown() == Some(debugger) && self.debugging.stop() == stop
    }

    /// Carries out an operation, or says why not.
    fn operate(&mut self, debugger: &str, stop: u64, mut asked: Asked, work: &mut Work) {
        let by = asked.by.clone();
        let is_open = self.debuggers.iter().any(|open| open.id == debugger);
        let ends = asked.operation == DebugOperation::Terminate;
        let running = self.debugging.running(debugger).is_some();
        let code = asked.code.as_deref().unwrap_or_default();
        let needs_code = matches!(
            asked.operation,
            DebugOperation::EvaluateInFrame | DebugOperation::ReturnValue
        );
        let refused = if !is_open {
            Some("This debugger is closed already.")
        } else if !work.is_connected() {
            Some("Not connected to the Smalltalk server: try again once it is.")
        } else if needs_code && code.trim().is_empty() {
            Some("There is no code to evaluate.")
        } else if code.chars().count() > MAX_FRAME_CODE {
            Some("That is too much code for a frame: define a method, and send its message here.")
        } else if !is_for_panes(asked.operation) {
            Some("Panes do not do this.")
        } else if running && !ends {
            if self.debugging.waits(debugger, asked) {
                return;
            }
            work.notice(by, Level::Info, "It runs; Ctrl k interrupts it.");
            return;
        } else if !ends && !self.is_meant(debugger, stop, &asked) {
            Some("The debugger has moved on meanwhile: nothing was done.")
        } else {
            None
        };
        if let Some(refused) = refused {
            work.notice(by, Level::Info, refused);
            return;
        }
        if !self.is_shown(debugger, stop) {
            asked.frame = 0;
        }
        self.debugging.touched(&by);
        self.debugging.moved_by(&by, stop);
        let request = work.ids.make();
        self.debugging
            .begins(debugger.to_owned(), request, asked.clone());
        self.send_operation(debugger, request, &asked, work);
    }

    /// Whether an operation is meant for the state that is shown. Quick steps of one pane follow each
    /// other, also where it has not heard of the last one's end.
    fn is_meant(&self, debugger: &str, stop: u64, asked: &Asked) -> bool {
        self.is_shown(debugger, stop)
            || (self.debugging.shown() == Some(debugger) && self.debugging.follows(stop, asked))
    }

    fn send_operation(
        &mut self,
        id: &str,
        request: stui_protocol::Uuid,
        asked: &Asked,
        work: &mut Work,
    ) {
        let debug = request::Debug {
            operation: asked.operation,
            context: id.to_owned(),
            frame: Some(asked.frame),
            code: asked.code.clone(),
            class_name: None,
            method_name: None,
        };
        let debugger = id.to_owned();
        let purpose = Purpose::Debugger(Question::Operation { debugger });
        self.request(request, debug.into(), purpose, work);
    }

    /// An instance wants to know what to show.
    pub(in crate::hub) fn debugger_view(
        &mut self,
        from: Instance,
        line: Option<u32>,
        work: &mut Work,
    ) {
        self.debugging.is_watched = true;
        if self
            .debugging
            .shown()
            .is_none_or(|id| self.debuggers.iter().all(|open| open.id != id))
        {
            let newest = self.debuggers.back().map(|open| open.id.clone());
            if newest.is_some() || self.debugging.shown().is_some() {
                self.debugging.show(newest);
            }
        }
        if self.debugging.is_hidden() && line.is_none() {
            self.debugging.forget_known();
        }
        self.look(work);
        let view = Box::new(self.debugging.view(&self.debuggers, line));
        let session = self.key;
        work.tell(To::One(from), ToPane::Debugger { session, view });
    }

    /// Tells all panes of debuggers, if there is news.
    pub(super) fn tell_debugger(&mut self, work: &mut Work) {
        self.look(work);
        if !std::mem::take(&mut self.debugging.is_dirty) {
            return;
        }
        self.to_release.append(&mut self.debugging.take_dropped());
        let view = Box::new(self.debugging.view(&self.debuggers, None));
        let session = self.key;
        work.tell(To::Role(Role::Debugger), ToPane::Debugger { session, view });
    }

    /// Whether [`Session::flush_debugger`] would do anything.
    pub(super) fn debugger_is_due(&self, now: u64) -> bool {
        self.debugging.is_dirty || self.debugging.look_at.is_some_and(|at| now >= at)
    }

    pub(super) fn flush_debugger(&mut self, work: &mut Work) {
        if self.debugging.look_at.is_some_and(|at| work.now >= at) {
            self.debugging.look_at = None;
            self.ask_look(work);
        }
        self.tell_debugger(work);
    }

    /// Asks what the debugger that is shown looks like, where that is not known and somebody looks.
    fn look(&mut self, work: &mut Work) {
        let Some(id) = self.debugging.shown() else {
            return;
        };
        let wanted = self.debugging.is_watched
            && self.debugging.known().is_none()
            && !self.debugging.is_hidden()
            && self.debugging.running(id).is_none();
        if wanted {
            self.ask_look(work);
        }
    }

    fn ask_look(&mut self, work: &mut Work) {
        let Some(debugger) = self.debugging.shown().map(str::to_owned) else {
            return;
        };
        let stop = self.debugging.stop();
        let asks = |purpose: &Purpose| matches!(purpose, Purpose::Debugger(Question::Look { stop: asked, .. }) if *asked == stop);
        if self.session_id(work).is_none() || self.pending.values().any(asks) {
            return;
        }
        let request = debug(DebugOperation::GetStackTrace, &debugger, 0);
        self.ask_about(request, Question::Look { debugger, stop }, work);
    }

    fn ask_about(
        &mut self,
        request: impl Into<request::Request>,
        question: Question,
        work: &mut Work,
    ) {
        if self.pending.len() < MAX_PENDING {
            self.ask(request, Purpose::Debugger(question), work);
        }
    }

    /// Asks for the variables of the chosen frame, one question at a time: whoever runs through the frames
    /// waits for the last one only.
    fn ask_variables(&mut self, work: &mut Work) {
        let (Some(id), Some(known)) = (self.debugging.shown(), self.debugging.known()) else {
            return;
        };
        let (stop, frame) = (self.debugging.stop(), known.frame);
        let asks = |purpose: &Purpose| matches!(purpose, Purpose::Debugger(Question::Variables { stop: asked, .. }) if *asked == stop);
        if !known.is_suspended || self.pending.values().any(asks) {
            return;
        }
        let request = debug(DebugOperation::GetLocalVars, id, frame);
        self.ask_about(request, Question::Variables { stop, frame }, work);
    }

    /// Asks for what the server's answer about a frame has not told: the source, and the receiver's instance variables.
    fn ask_the_rest(&mut self, source: Option<&str>, work: &mut Work) {
        let Some(known) = self.debugging.known() else {
            return;
        };
        let (stop, frame) = (self.debugging.stop(), known.frame);
        let receiver = known.receiver().map(|receiver| receiver.object.clone());
        let has_source = known.has_source();
        let chosen = known.chosen().cloned();
        if let Some(source) = source {
            self.debugging.take_source(source);
        } else if let Some(chosen) = chosen.filter(|_| !has_source) {
            if chosen.is_evaluated_code {
                let mut open = self.debuggers.iter();
                let shown = open.find(|open| Some(open.id.as_str()) == self.debugging.shown());
                let code = shown.and_then(|open| Some(open.of.as_ref()?.code.clone()));
                self.debugging.take_source(&code.unwrap_or_default());
            } else if let (Some(class), Some(method_name)) = (chosen.class_name, chosen.selector) {
                // A server that does not tell the source with the frame has it at least now.
                let class_name = class.strip_suffix(" class");
                let request = request::GetMethod {
                    is_class_method: Some(class_name.is_some()),
                    class_name: class_name.unwrap_or(&class).to_owned(),
                    method_name,
                };
                self.ask_about(request, Question::Source { stop, frame }, work);
            } else {
                self.debugging.take_source("");
            }
        }
        if let Some(receiver) = receiver
            && receiver.has_children
            && let (Some(object_id), Some(session_id)) = (receiver.id, self.session_id(work))
        {
            let request = request::Inspect {
                object_id: Some(object_id),
                limit: Some(NO_CHILDREN),
                session_id: Some(session_id),
                ..request::Inspect::default()
            };
            self.ask_about(request, Question::Slots { stop, frame }, work);
        }
    }

    /// A server answered what was asked about a debugger.
    pub(super) fn debugger_answered(
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
        if process.is_suspended && !waiting.is_empty() {
            let request = work.ids.make();
            if let Some(next) = self.debugging.begins_next(id, request, waiting) {
                self.send_operation(id, request, &next, work);
            }
            // Where it stopped on the way is not looked at closely.
            self.retitle(id, &process.title, work);
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
    pub(super) fn debugger_refused(
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
            if self.debugging.shown() == Some(id) {
                self.debugging.take_evaluated(code, &error.message, false);
            }
        } else {
            let text = format!("{}: {}", name_of(asked.operation), error.message);
            work.notice(asked.by, Level::Error, text);
        }
        // It may have gone a part of the way.
        if self.debugging.shown() == Some(id) {
            self.debugging.forget_known();
        }
    }

    /// The request of an operation is lost with its server.
    pub(super) fn debugger_lost(&mut self, question: &Question) {
        if let Question::Operation { debugger } = question
            && self.debugging.ends(debugger).is_some()
            && self.debugging.shown() == Some(debugger.as_str())
        {
            self.debugging.forget_known();
        }
    }

    /// The link is up again: what is shown may have moved without anybody hearing of it.
    pub(super) fn take_up_debugger(&mut self, work: &mut Work) {
        let is_running = |id: &str| self.debugging.running(id).is_some();
        if self.debugging.shown().is_some_and(|id| !is_running(id)) {
            self.debugging.forget_known();
        }
        self.tell_debugger(work);
    }

    /// A server says that a process has stopped, maybe once more.
    pub(super) fn debugger_opened_again(&mut self, opened: DebugOpened, work: &mut Work) {
        let id = opened.debug_id.as_str();
        if !self.debuggers.iter().any(|open| open.id == id) {
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

    /// A server says that a process is no longer kept.
    pub(super) fn debugger_closed(&mut self, id: &str, work: &mut Work) {
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
    pub(super) fn debugged_finished(&mut self, finished: EvaluationFinished, work: &mut Work) {
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

    /// Interrupts operations that run; answers whether there were any.
    pub(super) fn interrupt_debuggers(&mut self, by: &Instance, work: &mut Work) -> bool {
        let mut requests: Vec<_> = self.debugging.requests().collect();
        let gone_on = self.debuggers.iter().filter(|open| {
            self.debugging.gone_on.contains(&open.id) && self.debugging.running(&open.id).is_none()
        });
        // Of one that went on, its evaluation's request is what runs.
        requests.extend(gone_on.filter_map(|open| Some(open.of.as_ref()?.id)));
        for id in &requests {
            let request = request::Interrupt {
                request_id: id.to_string(),
            };
            self.ask(request, Purpose::Interrupt { by: by.clone() }, work);
        }
        !requests.is_empty()
    }

    /// A debugger that was asked for is open: its pane comes up where that can disturb nobody.
    pub(super) fn come_up(&self, by: &Instance, work: &mut Work) {
        let alone = self.told.as_ref().is_none_or(|status| status.clients < 2);
        if alone {
            work.out.push(Effect::ShowDebugger);
        } else {
            let text = "Stopped before its first statement; Alt d shows the debugger.";
            work.notice(by.clone(), Level::Info, text);
        }
    }
}

/// What is said of an evaluation that went on in its debugger.
fn at_its_end(answer: &str) -> String {
    if answer.is_empty() {
        "It went on to its end.".to_owned()
    } else {
        format!("It went on to its end: {}", cut(answer, 200))
    }
}

/// Whether panes may ask for it.
fn is_for_panes(operation: DebugOperation) -> bool {
    match operation {
        DebugOperation::StepInto
        | DebugOperation::StepOver
        | DebugOperation::StepOut
        | DebugOperation::Continue
        | DebugOperation::Restart
        | DebugOperation::ReturnValue
        | DebugOperation::Terminate
        | DebugOperation::EvaluateInFrame => true,
        DebugOperation::GetStackTrace
        | DebugOperation::GetLocalVars
        | DebugOperation::SetBreakpoint
        | DebugOperation::RemoveBreakpoint => false,
    }
}

fn debug(operation: DebugOperation, id: &str, frame: usize) -> request::Debug {
    request::Debug {
        operation,
        context: id.to_owned(),
        frame: Some(frame),
        code: None,
        class_name: None,
        method_name: None,
    }
}

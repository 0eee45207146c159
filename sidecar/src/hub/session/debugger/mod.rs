//! The debuggers of a session: what panes do with them, and what is asked of their server for that; `answers.rs`:
//! what becomes of it.
//!
//! An act that does something to a process becomes one request, once it is on disk that the act was carried
//! out: whatever is lost afterwards, one key press is at most one operation. What a process looks like is
//! asked anew when the answer may have been lost.

use stui_protocol::debugger::{DebuggerAct, MAX_FRAME_CODE};
use stui_protocol::pane::{How, Instance, Level, Role, ToPane};
use stui_protocol::request::{self, DebugOperation};

use super::{MAX_PENDING, Purpose, Session, Work};
use crate::hub::debugger::Asked;
use crate::hub::history::MAX_ANSWER;
use crate::hub::inspector::cut;
use crate::hub::record::{Change, Debugger, End};
use crate::hub::{Effect, To};

mod answers;

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

    /// A debugger is open that belongs to no evaluation of the history.
    pub(super) fn adopt_debugger(&mut self, id: String, title: String) {
        if self.debugging.shown().is_none() {
            self.debugging.show(Some(id.clone()));
        }
        self.debuggers.push_back(Debugger {
            id,
            title,
            n: 0,
            of: None,
        });
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

    /// Interrupts operations that run; answers whether there were any.
    pub(super) fn interrupt_debuggers(&mut self, by: &Instance, work: &mut Work) -> bool {
        let mut requests: Vec<_> = self.debugging.requests().collect();
        let gone_on = self.debuggers.iter().filter(|open| {
            self.debugging.gone_on.contains(&open.id) && self.debugging.running(&open.id).is_none()
        });
        // Of one that went on, its evaluation's request is what runs.
        requests.extend(gone_on.filter_map(|open| Some(open.of.as_ref()?.id)));
        for id in &requests {
            let request = request::Interrupt::of_request(id);
            self.ask(request, Purpose::Interrupt { by: by.clone() }, work);
        }
        !requests.is_empty()
    }

    /// A debugger that was asked for is open: its pane comes up where that can disturb nobody.
    pub(super) fn come_up(&self, by: &Instance, work: &mut Work) {
        let alone = self.told.as_ref().is_none_or(|status| status.clients < 2);
        if alone && work.debugger_comes_up {
            work.out.push(Effect::ShowDebugger);
        } else {
            let text = "Stopped before its first statement; Alt d shows the debugger.";
            work.notice(by.clone(), Level::Info, text);
        }
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

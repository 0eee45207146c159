//! What the debuggers' panes show: one of the session's open debuggers and one of its frames, shared by
//! all panes.
//!
//! `known.rs` is what is known of the one that is shown. Which debuggers are open is the session's, and on disk. What one of them looks like is not: it is had
//! again from the server whenever it is missing. Only the one that is shown is known, only as much of it
//! is told as fits a line of a pipe.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use stui_protocol::Uuid;
use stui_protocol::debugger::{DebuggerView, Evaluated, OpenDebugger, ProcessState, name_of};
use stui_protocol::error::StackFrame;
use stui_protocol::object::InstanceVariable;
use stui_protocol::pane::Instance;
use stui_protocol::request::DebugOperation;

use super::inspector::cut;
use super::record::{Debugger, Evaluation};

mod known;

pub(in crate::hub) use known::Known;
use known::{Source, name_of_source};

/// Longest source that is kept, in bytes.
const MAX_SOURCE: usize = 1 << 20;
/// Most characters of a method, a name, a value or a class.
const MAX_CELL: usize = 200;
/// Most characters of a title.
const MAX_TITLE: usize = 160;
/// Most steps of one pane that wait for the one before.
const MAX_WAITING: usize = 16;

/// An operation that somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::hub) struct Asked {
    pub(in crate::hub) by: Instance,
    pub(in crate::hub) operation: DebugOperation,
    pub(in crate::hub) frame: usize,
    pub(in crate::hub) code: Option<String>,
}

/// A process that does something.
#[derive(Debug)]
pub(in crate::hub) struct Running {
    /// The request that made it run.
    pub(in crate::hub) request: Uuid,
    pub(in crate::hub) asked: Asked,
    /// Steps that were asked for meanwhile, each from where the one before ends.
    waiting: VecDeque<Asked>,
    /// Its server says that the debugger is closed; how, the request's answer says.
    pub(in crate::hub) closed: bool,
}

/// See the module's text.
#[derive(Debug, Default)]
pub(in crate::hub) struct Debugging {
    /// Counts the states shown.
    stop: u64,
    shown: Option<String>,
    known: Option<Known>,
    /// Why nothing is known.
    hidden: Option<String>,
    evaluated: Option<Evaluated>,
    running: BTreeMap<String, Running>,
    /// Processes that went on and were not heard of since, and when to look at the one shown again.
    pub(in crate::hub) gone_on: BTreeSet<String>,
    /// Evaluations that came to their ends so, and whose answers are still to be told.
    pub(in crate::hub) to_answer: VecDeque<Evaluation>,
    pub(in crate::hub) look_at: Option<u64>,
    /// Whether anybody ever looked.
    pub(in crate::hub) is_watched: bool,
    /// Whether panes do not know yet what is to be shown.
    pub(in crate::hub) is_dirty: bool,
    /// Handles that were shown and are not any more.
    dropped: BTreeSet<String>,
    /// Who did something in the debugger that is shown.
    touched_by: Option<u16>,
    /// Whose steps moved the process last, and the state in which the first of them was asked for.
    moved: Option<(Instance, u64)>,
}

impl Debugging {
    /// The number of the state that is shown.
    pub(in crate::hub) fn stop(&self) -> u64 {
        self.stop
    }

    /// Id of the debugger that is shown.
    pub(in crate::hub) fn shown(&self) -> Option<&str> {
        self.shown.as_deref()
    }

    /// What is known of it.
    pub(in crate::hub) fn known(&self) -> Option<&Known> {
        self.known.as_ref()
    }

    /// What a debugger's process does; none: nothing that was asked of it.
    pub(in crate::hub) fn running(&self, id: &str) -> Option<&Running> {
        self.running.get(id)
    }

    /// The same, to be told something about it.
    pub(in crate::hub) fn running_mut(&mut self, id: &str) -> Option<&mut Running> {
        self.running.get_mut(id)
    }

    /// The requests that make processes run.
    pub(in crate::hub) fn requests(&self) -> impl Iterator<Item = Uuid> {
        self.running.values().map(|running| running.request)
    }

    /// How many processes run because somebody asked for it.
    pub(in crate::hub) fn count_running(&self) -> usize {
        let on = self.gone_on.iter();
        let on = on.filter(|id| !self.running.contains_key(*id)).count();
        self.running.len() + on
    }

    /// Nothing is known yet but which one is shown.
    pub(in crate::hub) fn showing(shown: Option<String>) -> Self {
        Debugging {
            shown,
            ..Debugging::default()
        }
    }

    /// Counts the states shown from here on.
    pub(in crate::hub) fn count_from(&mut self, first: u64) {
        self.stop = first;
    }

    /// Whether it is known that nothing can be known.
    pub(in crate::hub) fn is_hidden(&self) -> bool {
        self.hidden.is_some()
    }

    /// Somebody moves the process, in this state.
    pub(in crate::hub) fn moved_by(&mut self, by: &Instance, stop: u64) {
        match &self.moved {
            Some((mover, _)) if mover == by => {}
            _ => self.moved = Some((by.clone(), stop)),
        }
    }

    /// Whether a step was asked for in a state that the same pane's steps before it have left.
    pub(in crate::hub) fn follows(&self, stop: u64, asked: &Asked) -> bool {
        let own = self.moved.as_ref().filter(|(mover, _)| *mover == asked.by);
        may_wait(asked.operation) && own.is_some_and(|(_, from)| (*from..self.stop).contains(&stop))
    }

    /// Somebody did something in the debugger that is shown.
    pub(in crate::hub) fn touched(&mut self, by: &Instance) {
        self.touched_by = by.client();
    }

    /// Whether a debugger that opens for `by` may take the place of the one that is shown.
    pub(in crate::hub) fn gives_way_to(&self, by: &Instance) -> bool {
        self.shown.is_none() || self.touched_by.is_none() || self.touched_by == by.client()
    }

    /// Shows a debugger, of which nothing is known yet; none: there is none.
    pub(in crate::hub) fn show(&mut self, id: Option<String>) {
        self.shown = id;
        self.touched_by = None;
        self.moved = None;
        self.evaluated = None;
        self.forget_known();
    }

    /// What is known of the debugger that is shown holds no longer.
    pub(in crate::hub) fn forget_known(&mut self) {
        self.drop_known();
        self.hidden = None;
        self.look_at = None;
        self.stop += 1;
        self.is_dirty = true;
    }

    fn drop_known(&mut self) {
        if let Some(known) = self.known.take() {
            let handles = known.variables.into_iter().chain(known.slots);
            self.dropped.extend(handles.filter_map(|it| it.object.id));
        }
    }

    /// A debugger is closed.
    pub(in crate::hub) fn forget(&mut self, id: &str) {
        self.running.remove(id);
        self.gone_on.remove(id);
        if self.shown.as_deref() == Some(id) {
            self.show(None);
        }
        self.is_dirty = true;
    }

    /// All of them are gone with their server.
    pub(in crate::hub) fn clear(&mut self) {
        self.running.clear();
        self.gone_on.clear();
        self.to_answer.clear();
        self.show(None);
        self.dropped.clear();
    }

    /// Nothing that was asked of their server is answered any more.
    pub(in crate::hub) fn gives_up(&mut self) {
        self.running.clear();
        self.gone_on.clear();
        self.forget_known();
    }

    /// The debugger that is shown cannot be looked at.
    pub(in crate::hub) fn hide(&mut self, reason: &str) {
        self.drop_known();
        self.hidden = Some(cut(reason, 500));
        self.is_dirty = true;
    }

    /// A request makes a debugger's process run.
    pub(in crate::hub) fn begins(&mut self, id: String, request: Uuid, asked: Asked) {
        if asked.operation != DebugOperation::EvaluateInFrame {
            self.evaluated = None;
        }
        let running = Running {
            request,
            asked,
            waiting: VecDeque::new(),
            closed: false,
        };
        self.gone_on.remove(&id);
        self.running.insert(id, running);
        self.is_dirty = true;
    }

    /// Puts a step behind those of the same pane that run or wait; `false`: somebody else's run, or there
    /// are too many.
    pub(in crate::hub) fn waits(&mut self, id: &str, asked: Asked) -> bool {
        let Some(running) = self.running.get_mut(id) else {
            return false;
        };
        let last = running.waiting.back().unwrap_or(&running.asked);
        let waits = running.asked.by == asked.by
            && may_wait(asked.operation)
            && is_step(last.operation)
            && running.waiting.len() < MAX_WAITING;
        if waits {
            running.waiting.push_back(asked);
        }
        waits
    }

    /// What was asked of a debugger's process is answered; what it was, and the steps behind it.
    pub(in crate::hub) fn ends(&mut self, id: &str) -> Option<(Running, VecDeque<Asked>)> {
        let mut running = self.running.remove(id)?;
        let waiting = std::mem::take(&mut running.waiting);
        self.is_dirty = true;
        Some((running, waiting))
    }

    /// Begins what waits behind a step that has ended.
    pub(in crate::hub) fn begins_next(
        &mut self,
        id: &str,
        request: Uuid,
        mut waiting: VecDeque<Asked>,
    ) -> Option<Asked> {
        let mut asked = waiting.pop_front()?;
        asked.frame = 0;
        self.begins(id.to_owned(), request, asked.clone());
        if let Some(running) = self.running.get_mut(id) {
            running.waiting = waiting;
        }
        Some(asked)
    }

    /// The process that is shown has moved, or is seen for the first time: its frames, and the variables
    /// of the chosen one.
    pub(in crate::hub) fn stopped(
        &mut self,
        frames: Vec<StackFrame>,
        frame: usize,
        variables: Vec<InstanceVariable>,
        is_suspended: bool,
    ) {
        let source = self.known.as_mut().and_then(|known| known.source.take());
        self.forget_known();
        let frame = frame.min(frames.len().saturating_sub(1));
        self.known = Some(Known {
            frames,
            frame,
            is_suspended,
            variables,
            slots: Vec::new(),
            source,
        });
        self.drop_wrong_source();
    }

    /// Chooses a frame; `false`: there is no such one, or it is chosen already.
    pub(in crate::hub) fn choose(&mut self, frame: usize) -> bool {
        let Some(known) = &mut self.known else {
            return false;
        };
        if frame >= known.frames.len() || frame == known.frame {
            return false;
        }
        known.frame = frame;
        let left = known.variables.drain(..).chain(known.slots.drain(..));
        self.dropped.extend(left.filter_map(|it| it.object.id));
        self.drop_wrong_source();
        self.is_dirty = true;
        true
    }

    /// The variables of the chosen frame are these now.
    pub(in crate::hub) fn take_variables(&mut self, variables: Vec<InstanceVariable>) {
        if let Some(known) = &mut self.known {
            let left = std::mem::replace(&mut known.variables, variables);
            self.dropped
                .extend(left.into_iter().filter_map(|it| it.object.id));
            self.is_dirty = true;
        }
    }

    /// The receiver's instance variables are these.
    pub(in crate::hub) fn take_slots(&mut self, slots: Vec<InstanceVariable>) {
        if let Some(known) = &mut self.known {
            let left = std::mem::replace(&mut known.slots, slots);
            self.dropped
                .extend(left.into_iter().filter_map(|it| it.object.id));
            self.is_dirty = true;
        }
    }

    /// Handles that nobody wants, among them some that nobody was shown.
    pub(in crate::hub) fn drop_handles(&mut self, ids: impl IntoIterator<Item = String>) {
        self.dropped.extend(ids);
    }

    /// The source of the chosen frame.
    pub(in crate::hub) fn take_source(&mut self, text: &str) {
        let Some(known) = &mut self.known else {
            return;
        };
        let Some(frame) = known.frames.get(known.frame) else {
            return;
        };
        let of = name_of_source(frame, self.shown.as_deref());
        let mut end = text.len().min(MAX_SOURCE);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let text = text[..end].replace("\r\n", "\n").replace('\r', "\n");
        let lines = text.split('\n').map(str::to_owned).collect();
        known.source = Some(Source { of, lines });
        self.is_dirty = true;
    }

    /// A source that is shown stays, as long as its method is that of the chosen frame.
    fn drop_wrong_source(&mut self) {
        if let Some(known) = &mut self.known {
            let of = known
                .frames
                .get(known.frame)
                .map(|frame| name_of_source(frame, self.shown.as_deref()));
            if known.source.as_ref().map(|source| &source.of) != of.as_ref() {
                known.source = None;
            }
        }
    }

    /// What came of code that was evaluated in a frame.
    pub(in crate::hub) fn take_evaluated(&mut self, code: &str, answer: &str, good: bool) {
        self.evaluated = Some(Evaluated {
            code: cut(code, MAX_CELL),
            answer: cut(answer, 1000),
            good,
        });
        self.is_dirty = true;
    }

    /// Ids of the objects that are in use here.
    pub(in crate::hub) fn held(&self) -> impl Iterator<Item = &str> {
        let known = self.known.iter();
        known
            .flat_map(|known| known.variables.iter().chain(&known.slots))
            .filter_map(|variable| variable.object.id.as_deref())
    }

    /// Ids of the objects that were shown and are not any more, each told once.
    pub(in crate::hub) fn take_dropped(&mut self) -> BTreeSet<String> {
        std::mem::take(&mut self.dropped)
    }

    /// What panes are told, its source from this line on; none: around what runs.
    pub(in crate::hub) fn view(
        &self,
        open: &VecDeque<Debugger>,
        line: Option<u32>,
    ) -> DebuggerView {
        let shown = self.shown.as_deref();
        let at = open.iter().position(|it| Some(it.id.as_str()) == shown);
        let mut view = DebuggerView {
            stop: self.stop,
            open: open
                .iter()
                .map(|it| OpenDebugger {
                    id: it.id.clone(),
                    title: cut(&it.title, MAX_TITLE),
                })
                .collect(),
            shown: at.unwrap_or_default() as u32,
            state: self.state(),
            evaluated: self.evaluated.clone(),
            ..DebuggerView::default()
        };
        if let Some(known) = &self.known {
            known.describe(&mut view, line);
        }
        view
    }

    fn state(&self) -> ProcessState {
        let running = self.shown.as_ref().and_then(|id| self.running.get(id));
        if let Some(running) = running {
            let what = name_of(running.asked.operation).to_owned();
            return ProcessState::Running { what };
        }
        match (&self.known, &self.hidden) {
            (Some(known), _) if known.is_suspended => ProcessState::Stopped,
            (Some(_), _) => ProcessState::Running {
                what: String::new(),
            },
            (None, Some(reason)) => ProcessState::Hidden {
                reason: reason.clone(),
            },
            (None, None) => ProcessState::Unknown,
        }
    }
}

/// Whether an operation may wait for the step before it: it means the innermost frame, wherever that is.
fn may_wait(operation: DebugOperation) -> bool {
    is_step(operation) || operation == DebugOperation::Continue
}

/// Whether others may wait for an operation.
fn is_step(operation: DebugOperation) -> bool {
    matches!(
        operation,
        DebugOperation::StepInto | DebugOperation::StepOver | DebugOperation::StepOut
    )
}

#[cfg(test)]
mod tests {
    use super::known::MAX_FRAMES;
    use super::*;

    fn frames(count: usize, method: &str) -> Vec<StackFrame> {
        (0..count)
            .map(|n| StackFrame {
                method: format!("{method}{n}"),
                receiver_class: "Foo".into(),
                ..StackFrame::default()
            })
            .collect()
    }

    fn shown(stack: Vec<StackFrame>, frame: usize) -> (Debugging, VecDeque<Debugger>) {
        let open = VecDeque::from([Debugger {
            id: "d1".into(),
            title: "ZeroDivide".into(),
            n: 0,
            of: None,
        }]);
        let mut debugging = Debugging::default();
        debugging.show(Some("d1".into()));
        debugging.stopped(stack, frame, Vec::new(), true);
        (debugging, open)
    }

    #[test]
    fn of_a_deep_stack_the_frames_around_the_chosen_one_are_told() {
        let (debugging, open) = shown(frames(200, "Foo>>bar"), 100);
        let view = debugging.view(&open, None);
        assert_eq!(view.frames_total, 200);
        assert_eq!(view.frames.len(), MAX_FRAMES);
        assert_eq!(
            view.frames[100 - view.frames_from as usize].method,
            "Foo>>bar100"
        );
    }

    #[test]
    fn whatever_a_process_looks_like_it_fits_a_line_of_a_pipe() {
        let (mut debugging, open) = shown(frames(200, &"🎉\"".repeat(500)), 199);
        let variable = |n: usize| InstanceVariable {
            name: format!("{n}{}", "🎉".repeat(300)),
            value: "\\".repeat(300),
            class_name: "🎉".repeat(300),
            ..InstanceVariable::default()
        };
        debugging.take_variables((0..300).map(variable).collect());
        debugging.take_source(&"\u{1}日本\n".repeat(100_000));
        debugging.take_evaluated(&"\"".repeat(9000), &"\"".repeat(9000), true);
        let json = serde_json::to_string(&debugging.view(&open, None)).unwrap();
        assert!(
            json.len() < stui_protocol::pane::MAX_LINE - 1000,
            "{}",
            json.len()
        );
        let view = debugging.view(&open, Some(90_000));
        let source = view.source.unwrap();
        assert_eq!((source.first, source.total), (90_000, 100_001));
        assert!(!source.lines.is_empty());
        assert!(view.more_variables > 200);
    }

    #[test]
    fn handles_that_are_shown_no_more_are_told_once_and_those_shown_are_held() {
        let variable = |id: &str| InstanceVariable {
            name: "x".into(),
            object: stui_protocol::object::ObjectHandle {
                id: Some(id.into()),
                ..Default::default()
            },
            ..InstanceVariable::default()
        };
        let (mut debugging, _) = shown(frames(3, "Foo>>bar"), 0);
        debugging.take_variables(vec![variable("o1"), variable("o2")]);
        debugging.take_variables(vec![variable("o2"), variable("o3")]);
        assert_eq!(debugging.held().collect::<Vec<_>>(), ["o2", "o3"]);
        assert!(debugging.choose(1));
        let dropped: Vec<_> = debugging.take_dropped().into_iter().collect();
        assert_eq!(dropped, ["o1", "o2", "o3"]);
        assert!(debugging.take_dropped().is_empty());
    }

    #[test]
    fn a_source_stays_while_the_method_is_the_same() {
        let mut stack = frames(2, "Foo>>bar");
        for frame in &mut stack {
            frame.class_name = Some("Foo".into());
            frame.selector = Some("bar".into());
        }
        let (mut debugging, open) = shown(stack.clone(), 0);
        debugging.take_source("bar0\r^ 1");
        assert!(debugging.choose(1));
        let source = debugging.view(&open, None).source.unwrap();
        assert_eq!(source.total, 2);
        debugging.stopped(frames(1, "Foo>>other"), 0, Vec::new(), true);
        assert!(debugging.view(&open, None).source.is_none());
    }
}

//! Debugging: steps, and where a process stops by them.
//!
//! A step is carried out by the process itself, in its turns, so that one that takes long stops nothing else and can
//! be broken off. The frames that a step waits for are *watched*: the interpreter comes back when one of them goes on.
//! Until then it runs as fast as ever; only around the places where a process may stop it goes one instruction at a
//! time. Those places are messages, assignments and returns.

use std::collections::{HashMap, HashSet};

use super::Vm;
use super::breakpoints::Breakpoint;
use super::code::Op;
use super::events::{ProcessId, VmEvent};
use super::frame::Frame;
use super::known::slot;
use super::oop::Oop;
use super::roots::Root;
use super::scheduler::state;

/// What a suspended process is asked to do before it stops again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The next message, into its method.
    Into,
    /// The next message of the frame, past what it causes.
    Over,
    /// Until the sender of the frame goes on.
    Out,
    /// The frame from its beginning.
    Restart,
    /// The frame returns this.
    Return(Oop),
}

/// Why there is no step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StepRefused {
    /// It runs, or is over.
    #[error("the process is not suspended")]
    NotSuspended,
    /// The frame has ended, or belongs to another process.
    #[error("the frame is not on the stack of the process")]
    NotOnStack,
}

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Until a watched frame goes on.
    Waiting,
    /// To the next place where it may stop. `first`: not the one that it stands at; `into`: and into the method
    /// of the message there.
    Seeking { first: bool, into: bool },
    /// To the first instruction of evaluated code that does something.
    Entering,
}

#[derive(Debug)]
struct Stepping {
    process: Oop,
    phase: Phase,
}

/// The steps under way, and the breakpoints.
#[derive(Debug, Default)]
pub(super) struct Debugging {
    steps: Vec<Stepping>,
    /// Processes that breakpoints stop.
    pub(super) heeding: HashSet<ProcessId>,
    pub(super) breakpoints: HashMap<Oop, Breakpoint>,
}

impl Debugging {
    pub(super) fn begin(&mut self, process: Oop, phase: Phase) {
        self.steps.retain(|step| step.process != process);
        self.steps.push(Stepping { process, phase });
    }

    fn phase_mut(&mut self, process: Oop) -> Option<&mut Phase> {
        self.steps
            .iter_mut()
            .find(|step| step.process == process)
            .map(|step| &mut step.phase)
    }
}

impl Vm {
    /// Whether any process is doing a step.
    #[inline]
    pub(super) fn is_stepping(&self) -> bool {
        !self.debugging.steps.is_empty()
    }

    /// Whether a spawned process is suspended: it failed, was stopped, or has suspended itself.
    pub fn is_suspended(&self, id: ProcessId) -> bool {
        self.process(id).is_some_and(|process| {
            matches!(
                self.process_state(process),
                state::SUSPENDED | state::FAILED
            )
        })
    }

    /// Lets a suspended process do a step; `context` is the frame that is meant. [`VmEvent::Stopped`] tells when it
    /// is done, unless the process fails or ends before.
    ///
    /// # Errors
    /// If it is not suspended, or has no such frame.
    pub fn step(&mut self, id: ProcessId, context: Oop, step: Step) -> Result<(), StepRefused> {
        let process = self.process(id).ok_or(StepRefused::NotSuspended)?;
        if !self.is_suspended(id) {
            return Err(StepRefused::NotSuspended);
        }
        if !self.stack(id).contains(&context) {
            return Err(StepRefused::NotOnStack);
        }
        let top = self.top_of(process);
        let sender = self.sender_of(context);
        let into = step == Step::Into;
        match step {
            Step::Into | Step::Over if top == context => {
                let phase = Phase::Seeking { first: true, into };
                self.debugging.begin(process, phase);
            }
            Step::Into | Step::Over => self.wait_for(process, context),
            Step::Out => self.wait_for(process, sender),
            Step::Restart => {
                let receiver = self
                    .heap
                    .frame(context)
                    .map_or(Oop::NIL, |frame| frame.receiver);
                return self.leave_frame(process, context, receiver, true);
            }
            Step::Return(value) => return self.leave_frame(process, context, value, false),
        }
        self.make_ready(process, false);
        Ok(())
    }

    /// Breaks a step off, or stops a process that runs: it is suspended where it is. Answers its innermost context.
    pub fn pause(&mut self, id: ProcessId) -> Option<Root> {
        let process = self.process(id)?;
        self.set_aside(process);
        self.forget_step(process);
        self.detach(process);
        self.set_process_state(process, state::SUSPENDED);
        let context = self.top_of(process);
        self.escape(context);
        Some(self.retain(context))
    }

    /// The contexts of a spawned process, innermost first.
    pub fn stack(&self, id: ProcessId) -> Vec<Oop> {
        let top = self
            .process(id)
            .map_or(Oop::NIL, |process| self.top_of(process));
        self.senders(top).collect()
    }

    /// A context and those that wait for it.
    fn senders(&self, context: Oop) -> impl Iterator<Item = Oop> + '_ {
        let first = self.heap.frame(context).map(|_| context);
        std::iter::successors(first, |context| {
            let sender = self.sender_of(*context);
            self.heap.frame(sender).map(|_| sender)
        })
    }

    fn sender_of(&self, context: Oop) -> Oop {
        self.heap
            .frame(context)
            .map_or(Oop::NIL, |frame| frame.sender)
    }

    /// The innermost context of a process.
    fn top_of(&self, process: Oop) -> Oop {
        if process == self.scheduler.active_process {
            self.scheduler.active_context
        } else {
            self.heap.slot(process, slot::PROCESS_CONTEXT)
        }
    }

    // ---- steps under way

    /// A process is to run until `context` or one outside of it goes on; without one to its end.
    fn wait_for(&mut self, process: Oop, context: Oop) {
        if context.is_nil() {
            return;
        }
        self.watch(context, true);
        self.debugging.begin(process, Phase::Waiting);
    }

    /// Ends a frame by returning from it or beginning it anew; unwind blocks on the way run.
    fn leave_frame(
        &mut self,
        process: Oop,
        context: Oop,
        value: Oop,
        restart: bool,
    ) -> Result<(), StepRefused> {
        let goal = if restart {
            context
        } else {
            self.sender_of(context)
        };
        let running = self.scheduler.active_process;
        if !running.is_nil() {
            self.set_aside(running);
        }
        let was = self.process_state(process);
        let top = self.top_of(process);
        self.scheduler.active_process = process;
        self.scheduler.active_context = top;
        self.heap.set_slot(process, slot::PROCESS_CONTEXT, Oop::NIL);
        self.set_process_state(process, state::READY);
        if !self.leave(context, value, restart) {
            self.park_active();
            self.set_process_state(process, was);
            return Err(StepRefused::NotOnStack);
        }
        if self.scheduler.active_process != process {
            // it has ended by that
            return Ok(());
        }
        if self.scheduler.active_context == goal {
            let (first, into) = (false, false);
            self.debugging
                .begin(process, Phase::Seeking { first, into });
        } else {
            self.wait_for(process, goal);
        }
        self.park_active();
        self.make_ready(process, false);
        Ok(())
    }

    /// Watches a context and those outside of it, or no longer.
    fn watch(&mut self, context: Oop, watched: bool) {
        let mut context = context;
        while let Some(frame) = self.heap.frame_mut(context) {
            frame.watched = watched;
            context = frame.sender;
        }
    }

    /// A process does a step no longer.
    pub(super) fn forget_step(&mut self, process: Oop) {
        if self.debugging.phase_mut(process).is_none() {
            return;
        }
        self.debugging.steps.retain(|step| step.process != process);
        let top = self.top_of(process);
        self.watch(top, false);
    }

    /// Runs the active process, which may be doing a step, until its turn is over.
    pub(super) fn interpret_steps(&mut self) {
        let process = self.scheduler.active_process;
        loop {
            let Some(phase) = self.debugging.phase_mut(process).copied() else {
                return self.interpret::<false>();
            };
            match phase {
                Phase::Waiting => {
                    if self.is_top_watched() {
                        self.seek(process);
                    } else {
                        self.interpret::<false>();
                    }
                }
                Phase::Seeking { first, into } => self.seek_step(process, first, into),
                Phase::Entering => {
                    if self.next_op().is_some_and(has_no_effect) {
                        self.interpret::<true>();
                    } else {
                        self.stop_step(process);
                    }
                }
            }
            if self.scheduler.active_process != process
                || self.ticks <= 0
                || self.heap.used() > self.heap.threshold
                || !self.is_stepping()
            {
                return;
            }
        }
    }

    /// One instruction towards a place to stop, or the stop.
    fn seek_step(&mut self, process: Oop, first: bool, into: bool) {
        let Some(op) = self.next_op() else {
            return self.stop_step(process);
        };
        if !first && self.is_place_to_stop(op) {
            return self.stop_step(process);
        }
        // a loop that sends nothing ends the turn as well
        self.ticks -= 1;
        self.set_phase(
            process,
            Phase::Seeking {
                first: false,
                into: false,
            },
        );
        if first && into && is_send(op) {
            return self.interpret::<true>();
        }
        let before = self.scheduler.active_context;
        if !changes_context(op) {
            self.interpret::<true>();
            if self.scheduler.active_process == process
                && self.scheduler.active_context != before
                && self.debugging.phase_mut(process).is_some()
            {
                // a test of what is no Boolean is a message after all
                self.wait_for(process, before);
            }
            return;
        }
        self.watch(before, true);
        self.interpret::<true>();
        if self.debugging.phase_mut(process).is_none() {
            return;
        }
        if self.scheduler.active_process != process || self.is_top_watched() {
            // it waits, or is in a frame that was there before
            self.seek(process);
        } else {
            self.set_phase(process, Phase::Waiting);
        }
    }

    /// A watched frame goes on: from here to the next place.
    fn seek(&mut self, process: Oop) {
        let top = self.top_of(process);
        self.watch(top, false);
        self.set_phase(
            process,
            Phase::Seeking {
                first: false,
                into: false,
            },
        );
    }

    fn set_phase(&mut self, process: Oop, phase: Phase) {
        if let Some(old) = self.debugging.phase_mut(process) {
            *old = phase;
        }
    }

    fn is_top_watched(&self) -> bool {
        self.heap
            .frame(self.scheduler.active_context)
            .is_some_and(|frame| frame.watched)
    }

    fn next_op(&self) -> Option<Op> {
        let frame = self.heap.frame(self.scheduler.active_context)?;
        frame.code.ops.get(frame.pc as usize).copied()
    }

    /// The running process, which did a step, has come to its end.
    fn stop_step(&mut self, process: Oop) {
        self.forget_step(process);
        self.stop_active(false);
    }

    pub(super) fn stop_active(&mut self, at_breakpoint: bool) {
        let context = self.scheduler.active_context;
        let process = self.park_active();
        self.set_process_state(process, state::SUSPENDED);
        if let Some(id) = self.owner_of(process) {
            self.events.push(VmEvent::Stopped {
                process: id,
                context: self.roots.retain(context),
                at_breakpoint,
            });
        }
        self.run_next();
    }

    /// Whether people see something happen by the next instruction: a message, an assignment in the source, a return.
    fn is_place_to_stop(&self, op: Op) -> bool {
        if is_store(op) {
            // what the compiler adds, such as the first value of a variable, has no expression of its own
            let frame = self.heap.frame(self.scheduler.active_context);
            return frame.is_some_and(|frame| {
                let pc = frame.pc as usize;
                pc > 0 && frame.code.ranges.get(pc) != frame.code.ranges.get(pc - 1)
            });
        }
        changes_context(op)
    }
}

fn is_send(op: Op) -> bool {
    matches!(
        op,
        Op::Send { .. } | Op::SuperSend { .. } | Op::SendSpecial(_)
    )
}

/// Whether another context may be active after it.
fn changes_context(op: Op) -> bool {
    is_send(op)
        || matches!(
            op,
            Op::Return | Op::ReturnSelf | Op::ReturnFromBlock | Op::ReturnFromHome
        )
}

fn is_store(op: Op) -> bool {
    matches!(
        op,
        Op::StoreTemp(_)
            | Op::StoreCell(_)
            | Op::StoreField(_)
            | Op::StoreVariable(_)
            | Op::PopTemp(_)
            | Op::PopCell(_)
            | Op::PopField(_)
            | Op::PopVariable(_)
    )
}

/// Whether nobody can tell that it has been done.
fn has_no_effect(op: Op) -> bool {
    matches!(
        op,
        Op::PushTemp(_)
            | Op::PushCell(_)
            | Op::PushSelf
            | Op::PushField(_)
            | Op::PushLiteral(_)
            | Op::PushVariable(_)
            | Op::PushInteger(_)
            | Op::PushNil
            | Op::PushTrue
            | Op::PushFalse
            | Op::PushContext
            | Op::PushBlock { .. }
            | Op::NewCell(_)
            | Op::NewArray(_)
            | Op::Dup
    )
}

/// Whether a frame is the innermost one, whose next instruction has not begun: what runs next is its own.
pub(super) fn runs_next(frame: &Frame, is_top: bool) -> Option<crate::syntax::ast::Span> {
    is_top
        .then(|| frame.code.ranges.get(frame.pc as usize).copied())
        .flatten()
}

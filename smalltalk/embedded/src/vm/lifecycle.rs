//! How processes begin and end, and what the host is told about it.

use super::Vm;
use super::events::{ProcessId, VmEvent};
use super::frame::DEAD;
use super::known::{selector, slot};
use super::oop::Oop;
use super::scheduler::state;

/// A termination under way.
#[derive(Debug)]
pub(super) struct Termination {
    pub(super) process: Oop,
    /// Signaled when the process has ended, unless `nil`.
    pub(super) semaphore: Oop,
}

impl Vm {
    /// The spawned process that a process is or belongs to.
    pub(super) fn owner_of(&self, process: Oop) -> Option<ProcessId> {
        self.heap
            .slot(process, slot::PROCESS_OWNER)
            .as_size()
            .map(|id| ProcessId(id as u64))
    }

    /// Whether this is the spawned process itself, not one that it forked.
    pub(super) fn is_spawned(&self, process: Oop, id: ProcessId) -> bool {
        self.scheduler.spawned.get(&id.0) == Some(&process)
    }

    /// The running process is at its end with this value.
    pub(super) fn process_ended(&mut self, value: Oop) {
        let process = self.park_active();
        let terminated = self
            .terminations
            .iter()
            .any(|other| other.process == process);
        self.finish_process(process, (!terminated).then_some(value));
        self.run_next();
    }

    /// Marks a process, which is in no queue, as over and tells whom it concerns.
    /// `value` is `None` if it was terminated.
    pub(super) fn finish_process(&mut self, process: Oop, value: Option<Oop>) {
        let context = self.heap.slot(process, slot::PROCESS_CONTEXT);
        if let Some(frame) = self.heap.frame_mut(context) {
            frame.pc = DEAD;
            frame.sender = Oop::NIL;
        }
        self.heap.set_slot(process, slot::PROCESS_CONTEXT, Oop::NIL);
        self.set_process_state(process, state::TERMINATED);
        self.scheduler.overflowed.retain(|other| *other != process);
        self.forget_step(process);
        let mut waiting = Vec::new();
        self.terminations.retain(|other| {
            if other.process == process {
                waiting.push(other.semaphore);
            }
            other.process != process
        });
        for semaphore in waiting.into_iter().filter(|semaphore| !semaphore.is_nil()) {
            self.signal_semaphore(semaphore);
        }
        let Some(id) = self
            .owner_of(process)
            .filter(|id| self.is_spawned(process, *id))
        else {
            return;
        };
        self.scheduler.spawned.remove(&id.0);
        self.debugging.heeding.remove(&id);
        let event = match value {
            Some(value) => VmEvent::Finished {
                process: id,
                value: self.roots.retain(value),
            },
            None => VmEvent::Terminated { process: id },
        };
        self.events.push(event);
    }

    /// The running process cannot go on for a reason in the machine itself: it ends at once,
    /// without running unwind blocks.
    pub(super) fn fail_active(&mut self, reason: &str) {
        let context = self.scheduler.active_context;
        self.report_failure(Oop::NIL, context, true, reason);
        let process = self.park_active();
        // told already
        if let Some(id) = self
            .owner_of(process)
            .filter(|id| self.is_spawned(process, *id))
        {
            self.scheduler.spawned.remove(&id.0);
            self.debugging.heeding.remove(&id);
        }
        self.finish_process(process, None);
        self.run_next();
    }

    /// Tells the host that nothing handles an exception of the running process.
    pub(super) fn report_failure(
        &mut self,
        exception: Oop,
        context: Oop,
        terminated: bool,
        message: &str,
    ) {
        let process = self.scheduler.active_process;
        let Some(id) = self.owner_of(process) else {
            let class = self.class_name(exception);
            tracing::warn!(class, "a process of the system failed");
            // What it says may be a text of the user.
            tracing::debug!(message, "what it said");
            return;
        };
        let class_name = if exception.is_nil() {
            "Error".to_owned()
        } else {
            self.class_name(exception)
        };
        let event = VmEvent::Failed {
            process: id,
            child: !self.is_spawned(process, id),
            failed: self.roots.retain(process),
            exception: self.roots.retain(exception),
            class_name,
            message: message.to_owned(),
            context: self.roots.retain(context),
            stack: self.stack_of(context),
            terminated,
        };
        self.events.push(event);
    }

    // ---- termination

    /// The running process has begun to end itself.
    pub(super) fn note_termination(&mut self, process: Oop) {
        if !self
            .terminations
            .iter()
            .any(|other| other.process == process)
        {
            self.terminations.push(Termination {
                process,
                semaphore: Oop::NIL,
            });
        }
    }

    /// Begins to terminate a process other than the running one: it runs its unwind blocks, then it
    /// ends and `semaphore` is signaled. One that is terminating already ends at once.
    pub(super) fn begin_termination(&mut self, process: Oop, semaphore: Oop) {
        let terminating = self
            .terminations
            .iter()
            .any(|other| other.process == process);
        if self.process_state(process) == state::TERMINATED {
            self.signal_semaphore(semaphore);
            return;
        }
        self.forget_step(process);
        self.detach(process);
        self.terminations.push(Termination { process, semaphore });
        let context = self.heap.slot(process, slot::PROCESS_CONTEXT);
        let started = self
            .heap
            .frame(context)
            .is_some_and(|frame| frame.pc > 0 || !frame.sender.is_nil());
        if terminating || !started {
            return self.finish_process(process, None);
        }
        match self.new_activation(context, process, selector::UNWIND_AND_TERMINATE, &[]) {
            Some(top) => {
                self.heap.set_slot(process, slot::PROCESS_CONTEXT, top);
                self.make_ready(process, true);
            }
            None => self.finish_process(process, None),
        }
    }
}

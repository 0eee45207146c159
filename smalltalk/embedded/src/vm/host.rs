//! What the host does with a machine: bindings, spawning, running, stopping.

use std::rc::Rc;

use super::Vm;
use super::debug::Phase;
use super::events::{Activity, BindingsId, ProcessId, SpawnOptions, VmEvent};
use super::heap::Body;
use super::known::{class, selector, slot};
use super::oop::Oop;
use super::scheduler::state;
use crate::syntax::CompileError;

/// Activations and loop rounds before another process of the same priority has its turn.
const TIME_SLICE: u64 = 4_000;
/// With many processes the turns get shorter, so that all of them together take about this much.
const ROUND: u64 = 400_000;
/// But not shorter than this.
const SHORTEST_SLICE: u64 = 100;

impl Vm {
    // ---- session variables

    /// A new, empty set of session variables.
    pub fn new_bindings(&mut self) -> BindingsId {
        let map = self
            .heap
            .allocate(class::SYMBOL_MAP, Body::Map(Box::default()));
        let id = BindingsId(self.scheduler.next_id);
        self.scheduler.next_id += 1;
        self.bindings.insert(id, map);
        id
    }

    /// Forgets a set of session variables. Code that uses them keeps them alive.
    pub fn drop_bindings(&mut self, bindings: BindingsId) {
        self.bindings.remove(&bindings);
    }

    /// Names and values of the session variables, in order of name.
    pub fn binding_values(&self, bindings: BindingsId) -> Vec<(String, Oop)> {
        let map = self
            .bindings
            .get(&bindings)
            .and_then(|map| self.heap.map(*map));
        let mut values: Vec<(String, Oop)> = map
            .into_iter()
            .flatten()
            .map(|(name, binding)| {
                (
                    self.heap.text(*name).unwrap_or_default(),
                    self.heap.slot(*binding, slot::BINDING_VALUE),
                )
            })
            .collect();
        values.sort_by(|one, other| one.0.cmp(&other.0));
        values
    }

    /// Sets a session variable, declaring it if need be.
    pub fn set_binding(&mut self, bindings: BindingsId, name: &str, value: Oop) {
        let Some(map) = self.bindings.get(&bindings).copied() else {
            return;
        };
        let symbol = self.symbol(name);
        let binding = self.declare_in(map, symbol, class::WORKSPACE_VARIABLE);
        self.heap.set_slot(binding, slot::BINDING_VALUE, value);
    }

    // ---- processes

    /// Compiles an expression sequence and makes a process that evaluates it ready.
    ///
    /// # Errors
    /// What is wrong with the source, and where.
    pub fn spawn(
        &mut self,
        source: &str,
        bindings: BindingsId,
        options: SpawnOptions,
    ) -> Result<ProcessId, CompileError> {
        let map = self.bindings.get(&bindings).copied();
        let method = self.compile_do_it(source, map, !options.strict)?;
        Ok(self.spawn_method(method, Oop::NIL, options))
    }

    pub(super) fn spawn_method(
        &mut self,
        method: Oop,
        receiver: Oop,
        options: SpawnOptions,
    ) -> ProcessId {
        let id = self.next_process_id();
        if let Some(code) = self.heap.code(method).map(Rc::clone) {
            let temps = u32::from(code.temps);
            let slots = super::frame::Frame::rounded_slots(code.frame_slots);
            let (context, mut frame) = self.heap.new_context(code, slots);
            frame.method = method;
            frame.receiver = receiver;
            frame.sp = temps;
            self.heap.put_frame(context, frame);
            self.start(id, context, options);
        }
        id
    }

    /// Makes a process ready that sends a message. If the receiver does not understand it, the
    /// process fails as it would in the language.
    pub fn spawn_send(
        &mut self,
        receiver: Oop,
        selector: &str,
        args: &[Oop],
        options: SpawnOptions,
    ) -> ProcessId {
        let id = self.next_process_id();
        let selector = self.symbol(selector);
        let arguments = self.heap.array(args);
        // through a method that performs it, so that primitives and doesNotUnderstand: work as ever
        if let Some(context) = self.new_activation(
            Oop::NIL,
            receiver,
            selector::HOST_PERFORM,
            &[selector, arguments],
        ) {
            self.start(id, context, options);
        } else {
            tracing::error!("the class library has no hostPerform:withArguments:");
        }
        id
    }

    fn next_process_id(&mut self) -> ProcessId {
        let id = ProcessId(self.scheduler.next_id);
        self.scheduler.next_id += 1;
        id
    }

    fn start(&mut self, id: ProcessId, context: Oop, options: SpawnOptions) {
        let owner = Oop::index(id.0 as usize);
        let process = self.new_process(context, usize::from(options.priority), owner);
        self.scheduler.spawned.insert(id.0, process);
        if options.heeds_breakpoints {
            self.debugging.heeding.insert(id);
        }
        if options.stopped {
            self.debugging.begin(process, Phase::Entering);
        }
        self.make_ready(process, false);
    }

    /// Takes over a process that a spawned one forked and that has failed, as if the host had spawned it.
    pub fn adopt(&mut self, process: Oop) -> Option<ProcessId> {
        let is_kept = self.process_state(process) == super::scheduler::state::FAILED;
        if !is_kept || self.owner_of(process).is_none() {
            return None;
        }
        let id = self.next_process_id();
        let owner = Oop::index(id.0 as usize);
        self.heap.set_slot(process, slot::PROCESS_OWNER, owner);
        self.scheduler.spawned.insert(id.0, process);
        Some(id)
    }

    /// The `Process` object of a spawned process that has not ended.
    pub fn process(&self, id: ProcessId) -> Option<Oop> {
        self.scheduler.spawned.get(&id.0).copied()
    }

    /// Ends a process, running its unwind blocks first, whatever it does at the moment; one that is
    /// busy with its unwind blocks already is ended at once. Answers false if there is no such
    /// process any more. [`VmEvent::Terminated`] tells when it is over.
    pub fn interrupt(&mut self, id: ProcessId) -> bool {
        let Some(process) = self.process(id) else {
            return false;
        };
        self.set_aside(process);
        self.debugging.heeding.remove(&id);
        self.begin_termination(process, Oop::NIL);
        true
    }

    /// Ends a process at once, without running its unwind blocks.
    pub fn terminate(&mut self, id: ProcessId) -> bool {
        let Some(process) = self.process(id) else {
            return false;
        };
        self.set_aside(process);
        self.detach(process);
        self.finish_process(process, None);
        true
    }

    /// Continues a process that failed: the exception answers `nil` where it was signaled.
    pub fn resume(&mut self, id: ProcessId) -> bool {
        self.process(id)
            .is_some_and(|process| self.resume_process(process))
    }

    /// Every process that a spawned process forked and that still exists.
    fn children_of(&self, id: ProcessId) -> Vec<Oop> {
        let owner = Oop::index(id.0 as usize);
        let spawned = self.process(id);
        self.heap
            .all_objects()
            .filter(|oop| self.heap.class_of(*oop) == class::PROCESS && Some(*oop) != spawned)
            .filter(|oop| self.heap.slot(*oop, slot::PROCESS_OWNER) == owner)
            .filter(|oop| !matches!(self.process_state(*oop), state::TERMINATED))
            .collect()
    }

    /// Ends every process that a spawned process forked and that still exists, as [`Vm::interrupt`] does.
    /// Answers how many there were.
    pub fn interrupt_children(&mut self, id: ProcessId) -> usize {
        let children = self.children_of(id);
        for child in &children {
            self.set_aside(*child);
            self.begin_termination(*child, Oop::NIL);
        }
        children.len()
    }

    /// Ends, at once, every process that a spawned process forked and that still exists.
    /// Answers how many there were.
    pub fn terminate_children(&mut self, id: ProcessId) -> usize {
        let children = self.children_of(id);
        for child in &children {
            self.set_aside(*child);
            self.detach(*child);
            self.finish_process(*child, None);
        }
        children.len()
    }

    /// If this process is the running one, parks it in its queue.
    pub(super) fn set_aside(&mut self, process: Oop) {
        if self.scheduler.active_process == process {
            self.park_active();
            self.make_ready(process, true);
        }
    }

    // ---- running

    /// Runs processes for at most about `budget` activations and loop rounds, a million of which
    /// take some tens of milliseconds.
    pub fn run(&mut self, budget: u64) -> Activity {
        let mut left = budget;
        loop {
            self.fire_timers();
            self.preempt();
            if self.scheduler.active_process.is_nil() {
                return match self.next_timer() {
                    Some(delay) => Activity::SleepingFor(delay),
                    None => Activity::Idle,
                };
            }
            if left == 0 {
                return Activity::Busy;
            }
            let slice = self.time_slice().min(left);
            self.ticks = slice as i64;
            if self.is_stepping() {
                self.interpret_steps();
            } else {
                self.interpret::<false>();
            }
            left -= (slice as i64 - self.ticks.max(0)).unsigned_abs().min(left);
            if self.heap.used() > self.heap.threshold {
                self.collect_garbage();
                self.check_memory();
            }
            if !self.scheduler.active_process.is_nil() {
                self.check_depth();
            }
            if self.ticks <= 0 {
                self.yield_turn();
            }
        }
    }

    fn time_slice(&self) -> u64 {
        (ROUND / (self.scheduler.runnable as u64 + 1)).clamp(SHORTEST_SLICE, TIME_SLICE)
    }

    /// What happened since the last call, in order.
    pub fn take_events(&mut self) -> Vec<VmEvent> {
        std::mem::take(&mut self.events)
    }
}

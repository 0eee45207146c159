//! Processes: ready queues, semaphores, timers.
//!
//! Higher priorities run first; equal ones take turns, so that one that never waits does not stop
//! the others. All state but the queues and timers is in the Smalltalk objects.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::Vm;
use super::known::{PROCESSOR, class, slot};
use super::oop::Oop;

/// Highest priority.
pub(super) const MAX_PRIORITY: usize = 100;

/// Processes that wait for one semaphore, at most.
const MAX_WAITING: u32 = 10_000_000;

/// `state` of a Process.
pub(super) mod state {
    /// Not yet started, or suspended.
    pub(crate) const SUSPENDED: usize = 0;
    /// Ready or running.
    pub(crate) const READY: usize = 1;
    /// Waiting for a semaphore.
    pub(crate) const WAITING: usize = 2;
    /// Suspended with an exception that nothing handled.
    pub(crate) const FAILED: usize = 3;
    /// Over.
    pub(crate) const TERMINATED: usize = 4;
}

/// Something to do at a time.
#[derive(Debug)]
pub(super) struct Timer {
    pub(super) at: Instant,
    pub(super) semaphore: Oop,
    /// The process whose wait ends then; without one the semaphore is signaled.
    pub(super) waiting: Option<Oop>,
}

/// Which process runs and which could.
#[derive(Debug)]
pub(super) struct Scheduler {
    /// The running process, `nil` if none.
    pub(super) active_process: Oop,
    /// Its innermost context.
    pub(super) active_context: Oop,
    ready: Vec<VecDeque<Oop>>,
    /// One bit a priority that has processes.
    occupied: u128,
    pub(super) timers: Vec<Timer>,
    /// Processes the host spawned and may still ask about.
    pub(super) spawned: HashMap<u64, Oop>,
    pub(super) next_id: u64,
    /// Processes that used up their stack and are dealing with it.
    pub(super) overflowed: Vec<Oop>,
    /// Runnable processes, those ready and those running.
    pub(super) runnable: usize,
}

impl Scheduler {
    pub(super) fn new() -> Scheduler {
        Scheduler {
            active_process: Oop::NIL,
            active_context: Oop::NIL,
            ready: (0..=MAX_PRIORITY).map(|_| VecDeque::new()).collect(),
            occupied: 0,
            timers: Vec::new(),
            spawned: HashMap::new(),
            next_id: 1,
            overflowed: Vec::new(),
            runnable: 0,
        }
    }

    /// Highest priority of which a process is ready.
    pub(super) fn highest_ready(&self) -> Option<usize> {
        self.occupied.checked_ilog2().map(|bit| bit as usize)
    }

    fn enqueue(&mut self, process: Oop, priority: usize, first: bool) {
        self.occupied |= 1 << priority;
        if first {
            self.ready[priority].push_front(process);
        } else {
            self.ready[priority].push_back(process);
        }
        self.runnable += 1;
    }

    fn dequeue(&mut self) -> Option<Oop> {
        let priority = self.highest_ready()?;
        let process = self.ready[priority].pop_front();
        if self.ready[priority].is_empty() {
            self.occupied &= !(1 << priority);
        }
        self.runnable = self.runnable.saturating_sub(1);
        process
    }

    /// Takes a process out of its queue; false if it is in none.
    fn remove(&mut self, process: Oop) -> bool {
        for (priority, queue) in self.ready.iter_mut().enumerate() {
            if let Some(position) = queue.iter().position(|other| *other == process) {
                queue.remove(position);
                if queue.is_empty() {
                    self.occupied &= !(1 << priority);
                }
                self.runnable = self.runnable.saturating_sub(1);
                return true;
            }
        }
        false
    }

    /// Everything that the collector must keep.
    pub(super) fn roots(&self, visit: &mut impl FnMut(Oop)) {
        visit(self.active_process);
        visit(self.active_context);
        self.ready.iter().flatten().copied().for_each(&mut *visit);
        for timer in &self.timers {
            visit(timer.semaphore);
            visit(timer.waiting.unwrap_or(Oop::NIL));
        }
        self.spawned.values().copied().for_each(&mut *visit);
    }
}

impl Vm {
    pub(super) fn process_priority(&self, process: Oop) -> usize {
        self.heap
            .slot(process, slot::PROCESS_PRIORITY)
            .as_size()
            .unwrap_or(40)
            .clamp(1, MAX_PRIORITY)
    }

    pub(super) fn process_state(&self, process: Oop) -> usize {
        self.heap
            .slot(process, slot::PROCESS_STATE)
            .as_size()
            .unwrap_or(state::SUSPENDED)
    }

    pub(super) fn set_process_state(&mut self, process: Oop, state: usize) {
        self.heap
            .set_slot(process, slot::PROCESS_STATE, Oop::index(state));
    }

    // ---- ready and not

    /// Makes a process ready, at the end of its queue, or at the front if it was interrupted by a higher one.
    pub(super) fn make_ready(&mut self, process: Oop, first: bool) {
        let priority = self.process_priority(process);
        self.set_process_state(process, state::READY);
        self.heap.set_slot(process, slot::PROCESS_LIST, PROCESSOR);
        self.scheduler.enqueue(process, priority, first);
    }

    /// Puts the running process aside: its context into the object, the machine without a process.
    pub(super) fn park_active(&mut self) -> Oop {
        let process = self.scheduler.active_process;
        let context = self.scheduler.active_context;
        // from now on the context is visible in the process
        if let Some(frame) = self.heap.frame_mut(context) {
            frame.escaped = true;
        }
        self.heap.set_slot(process, slot::PROCESS_CONTEXT, context);
        self.scheduler.active_process = Oop::NIL;
        self.scheduler.active_context = Oop::NIL;
        process
    }

    /// Lets the first of the highest ready processes run, if none runs.
    pub(super) fn run_next(&mut self) {
        while self.scheduler.active_process.is_nil() {
            let Some(process) = self.scheduler.dequeue() else {
                return;
            };
            let context = self.heap.slot(process, slot::PROCESS_CONTEXT);
            self.heap.set_slot(process, slot::PROCESS_LIST, Oop::NIL);
            if self
                .heap
                .frame(context)
                .is_none_or(super::frame::Frame::is_dead)
            {
                self.set_process_state(process, state::TERMINATED);
                continue;
            }
            self.heap.set_slot(process, slot::PROCESS_CONTEXT, Oop::NIL);
            self.scheduler.active_process = process;
            self.scheduler.active_context = context;
            self.update_depth_limit();
        }
    }

    /// If a process of higher priority is ready, it takes over now.
    pub(super) fn preempt(&mut self) {
        let running = self.scheduler.active_process;
        if running.is_nil() {
            return self.run_next();
        }
        if self.scheduler.highest_ready() > Some(self.process_priority(running)) {
            self.park_active();
            self.make_ready(running, true);
            self.run_next();
        }
    }

    /// The next of the same or a higher priority takes its turn.
    pub(super) fn yield_turn(&mut self) {
        let running = self.scheduler.active_process;
        if running.is_nil() {
            return self.run_next();
        }
        if self.scheduler.highest_ready() >= Some(self.process_priority(running)) {
            self.park_active();
            self.make_ready(running, false);
            self.run_next();
        }
    }

    /// Starts or continues a suspended process. False if it is not suspended, or over.
    pub(super) fn resume_process(&mut self, process: Oop) -> bool {
        if self.heap.class_of(process) != class::PROCESS
            || !matches!(
                self.process_state(process),
                state::SUSPENDED | state::FAILED
            )
            || self.heap.slot(process, slot::PROCESS_CONTEXT).is_nil()
        {
            return false;
        }
        self.make_ready(process, false);
        true
    }

    /// Takes a process off the queue or semaphore that it is in, so that it runs no more.
    /// The running process must be parked before.
    pub(super) fn detach(&mut self, process: Oop) {
        match self.process_state(process) {
            state::READY => {
                self.scheduler.remove(process);
            }
            state::WAITING => {
                let list = self.heap.slot(process, slot::PROCESS_LIST);
                self.unlink(list, process);
                self.scheduler
                    .timers
                    .retain(|timer| timer.waiting != Some(process));
            }
            _ => {}
        }
        self.heap.set_slot(process, slot::PROCESS_LIST, Oop::NIL);
    }

    // ---- lists of waiting processes

    /// Appends to the linked list of a semaphore.
    fn link(&mut self, semaphore: Oop, process: Oop) {
        self.heap.set_slot(process, slot::PROCESS_NEXT, Oop::NIL);
        let last = self.heap.slot(semaphore, slot::LIST_LAST);
        if last.is_nil() {
            self.heap.set_slot(semaphore, slot::LIST_FIRST, process);
        } else {
            self.heap.set_slot(last, slot::PROCESS_NEXT, process);
        }
        self.heap.set_slot(semaphore, slot::LIST_LAST, process);
        self.heap.set_slot(process, slot::PROCESS_LIST, semaphore);
    }

    /// Removes from the linked list of a semaphore.
    fn unlink(&mut self, list: Oop, process: Oop) {
        let mut previous = Oop::NIL;
        let mut current = self.heap.slot(list, slot::LIST_FIRST);
        // reflection could make a ring of the links
        for _ in 0..MAX_WAITING {
            if current.is_nil() {
                return;
            }
            let next = self.heap.slot(current, slot::PROCESS_NEXT);
            if current == process {
                if previous.is_nil() {
                    self.heap.set_slot(list, slot::LIST_FIRST, next);
                } else {
                    self.heap.set_slot(previous, slot::PROCESS_NEXT, next);
                }
                if next.is_nil() {
                    self.heap.set_slot(list, slot::LIST_LAST, previous);
                }
                self.heap.set_slot(process, slot::PROCESS_NEXT, Oop::NIL);
                return;
            }
            previous = current;
            current = next;
        }
    }

    // ---- semaphores

    /// One signal: the process that waited longest goes on, or the signal is kept.
    pub(super) fn signal_semaphore(&mut self, semaphore: Oop) {
        let first = self.heap.slot(semaphore, slot::LIST_FIRST);
        if first.is_nil() {
            let excess = self
                .heap
                .slot(semaphore, slot::SEMAPHORE_EXCESS)
                .as_size()
                .unwrap_or(0);
            self.heap
                .set_slot(semaphore, slot::SEMAPHORE_EXCESS, Oop::index(excess + 1));
            return;
        }
        self.wake(semaphore, first);
    }

    fn wake(&mut self, semaphore: Oop, process: Oop) {
        self.unlink(semaphore, process);
        self.scheduler
            .timers
            .retain(|timer| timer.waiting != Some(process));
        self.make_ready(process, false);
    }

    /// Takes a signal if one is kept; otherwise the running process waits, at most `timeout`.
    /// True if it waits: another process is active then, or none.
    pub(super) fn wait_semaphore(&mut self, semaphore: Oop, timeout: Option<Duration>) -> bool {
        let excess = self
            .heap
            .slot(semaphore, slot::SEMAPHORE_EXCESS)
            .as_size()
            .unwrap_or(0);
        if excess > 0 {
            self.heap
                .set_slot(semaphore, slot::SEMAPHORE_EXCESS, Oop::index(excess - 1));
            return false;
        }
        let process = self.park_active();
        self.set_process_state(process, state::WAITING);
        self.link(semaphore, process);
        if let Some(timeout) = timeout {
            self.add_timer(timeout, semaphore, Some(process));
        }
        self.run_next();
        true
    }

    // ---- time

    /// After `delay` the semaphore is signaled, or the wait of a process ends with the answer true.
    pub(super) fn add_timer(&mut self, delay: Duration, semaphore: Oop, waiting: Option<Oop>) {
        let now = Instant::now();
        // a century is as good as for ever, and representable
        let at = now
            .checked_add(delay)
            .unwrap_or(now + Duration::from_secs(3_000_000_000));
        self.scheduler.timers.push(Timer {
            at,
            semaphore,
            waiting,
        });
    }

    /// Does what is due.
    pub(super) fn fire_timers(&mut self) {
        if self.scheduler.timers.is_empty() {
            return;
        }
        let now = Instant::now();
        let mut due: Vec<Timer> = Vec::new();
        let mut position = 0;
        while position < self.scheduler.timers.len() {
            if self.scheduler.timers[position].at <= now {
                due.push(self.scheduler.timers.swap_remove(position));
            } else {
                position += 1;
            }
        }
        due.sort_by_key(|timer| timer.at);
        for timer in due {
            match timer.waiting {
                None => self.signal_semaphore(timer.semaphore),
                Some(process) => {
                    let context = self.heap.slot(process, slot::PROCESS_CONTEXT);
                    if let Some(frame) = self.heap.frame_mut(context) {
                        // the wait left false, "not timed out", as its answer
                        if frame.sp > 0 {
                            frame.pop();
                            frame.push(Oop::TRUE);
                        }
                    }
                    self.wake(timer.semaphore, process);
                }
            }
        }
    }

    /// Time until the next timer.
    pub(super) fn next_timer(&self) -> Option<Duration> {
        let at = self.scheduler.timers.iter().map(|timer| timer.at).min()?;
        Some(at.saturating_duration_since(Instant::now()))
    }
}

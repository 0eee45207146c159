//! Collection: mark and sweep, between instructions only.

use std::time::{Duration, Instant};

use super::Vm;
use super::heap::{Body, Heap};
use super::known::RESERVED_OBJECTS;
use super::oop::Oop;

/// Collections are at least this many bytes of allocation apart.
const MINIMUM_GROWTH: usize = 32 << 20;
/// Near the limit they may be this close, so that the limit is noticed in time.
const SMALLEST_GROWTH: usize = 4 << 20;
/// What a small evaluation allocates.
const LITTLE: usize = 16 << 10;

impl Vm {
    /// Whether a collection may help because something large found no room: something was allocated
    /// since the last one, or it is long ago. Asking again and again takes half of the time at most.
    pub(super) fn may_collect_for_room(&self) -> bool {
        let (ended, took) = self.last_collection;
        self.heap.used() > self.used_after_collection + LITTLE || ended.elapsed() > took
    }

    /// A process that used up memory ends: the next one that needs room may collect at once.
    pub(super) fn expect_garbage(&mut self) {
        self.last_collection.1 = Duration::ZERO;
    }

    /// Frees every object that neither the language nor the host can reach.
    ///
    /// No Rust code may hold an unrooted oop across this call; the frame of the active context must
    /// be in its object.
    pub fn collect_garbage(&mut self) {
        let begun = Instant::now();
        // a table index may belong to another object afterwards
        self.cache.flush();
        self.frame_pool.clear();
        let mut pending: Vec<u32> = Vec::with_capacity(4096);
        for index in 0..RESERVED_OBJECTS {
            self.heap.mark(index);
            pending.push(index);
        }
        let heap = &mut self.heap;
        self.scheduler
            .roots(&mut |oop| reach(heap, &mut pending, oop));
        for oop in self.roots.live() {
            reach(heap, &mut pending, oop);
        }
        for oop in self.bindings.values() {
            reach(heap, &mut pending, *oop);
        }
        for termination in &self.terminations {
            reach(heap, &mut pending, termination.process);
            reach(heap, &mut pending, termination.semaphore);
        }
        while let Some(index) = pending.pop() {
            trace(heap, index, &mut pending);
        }
        let heap = &self.heap;
        self.scheduler
            .overflowed
            .retain(|process| heap.is_marked(*process));
        self.symbols.forget_unmarked(heap);
        self.heap.sweep();
        self.collections += 1;
        self.last_collection = (Instant::now(), begun.elapsed());
        let used = self.heap.used();
        self.used_after_collection = used;
        let room = self.config.memory_limit.saturating_sub(used);
        self.heap.threshold = used
            + (used / 2)
                .max(MINIMUM_GROWTH)
                .min(room.max(SMALLEST_GROWTH));
        if let Some(bytes) = self.config.collect_after {
            self.heap.threshold = used + bytes;
        }
    }
}

/// Marks an object and has its references traced later.
fn reach(heap: &mut Heap, pending: &mut Vec<u32>, oop: Oop) {
    if let Some(index) = oop.as_index()
        && heap.mark(index)
    {
        pending.push(index);
    }
}

/// Reaches everything that an object refers to.
fn trace(heap: &mut Heap, index: u32, pending: &mut Vec<u32>) {
    let start = pending.len();
    let (class, body) = heap.entry(index);
    // gather first, then mark: the body cannot be read while marks are written
    let mut add = |oop: Oop| {
        if let Some(index) = oop.as_index() {
            pending.push(index);
        }
    };
    match body {
        Body::Slots(slots) => slots.iter().copied().for_each(&mut add),
        Body::Map(map) => map.iter().for_each(|(key, value)| {
            add(*key);
            add(*value);
        }),
        Body::Frame(frame) => {
            [frame.sender, frame.receiver, frame.method, frame.closure]
                .into_iter()
                .for_each(&mut add);
            frame.live_slots().iter().copied().for_each(&mut add);
        }
        Body::Method(method) => {
            [
                method.protocol,
                method.package,
                method.code.selector,
                method.code.owner,
            ]
            .into_iter()
            .for_each(&mut add);
            method.code.literals.iter().copied().for_each(&mut add);
        }
        Body::Free(_)
        | Body::Bytes(_)
        | Body::Wide(_)
        | Body::Float(_)
        | Body::Integer(_)
        | Body::ActiveFrame => {}
    }
    add(Oop::object(class));
    let mut kept = start;
    for position in start..pending.len() {
        let index = pending[position];
        if heap.mark(index) {
            pending[kept] = index;
            kept += 1;
        }
    }
    pending.truncate(kept);
}

//! The virtual machine of the embedded Smalltalk.
//!
//! A [`Vm`] belongs to one thread. Its host spawns processes from source text ([`Vm::spawn`]) or
//! messages ([`Vm::spawn_send`]), gives it time in slices ([`Vm::run`]) and takes what happened
//! ([`Vm::take_events`]). Nothing that the language can do blocks a slice or crashes the machine.
//!
//! ```
//! use stui_embedded::vm::{Activity, SpawnOptions, Vm, VmConfig, VmEvent};
//!
//! let mut vm = Vm::boot(VmConfig::default())?;
//! let bindings = vm.new_bindings();
//! vm.spawn("3 + 4", bindings, SpawnOptions::default())?;
//! while vm.run(10_000) == Activity::Busy {}
//! for event in vm.take_events() {
//!     if let VmEvent::Finished { value, .. } = event {
//!         assert_eq!(value.oop().as_small_integer(), Some(7));
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Oops ([`Oop`]) read by the host stay valid until the next `run`; whatever is kept longer is kept
//! by a [`Root`].

mod activation;
mod boot;
mod breakpoints;
mod classes;
mod code;
mod codegen;
mod collect;
mod compile;
mod debug;
mod events;
mod frame;
mod heap;
mod host;
mod interpreter;
mod known;
mod lifecycle;
mod lookup;
mod mirror;
mod oop;
pub mod primitives;
mod reshape;
mod roots;
mod scheduler;
mod scope;
mod special;
mod stack;
mod symbols;

use std::collections::HashMap;
use std::time::{Duration, Instant};

pub use boot::BootError;
pub use code::{Code, Op};
pub use debug::{Step, StepRefused};
pub use events::{Activity, BindingsId, ProcessId, SpawnOptions, StackFrame, VmEvent};
pub use heap::{Body, Heap};
pub use known::{class, selector, slot};
pub use oop::{MAX_SMALL_INTEGER, MIN_SMALL_INTEGER, Oop};
pub use roots::Root;
pub use scope::{FrameScope, FrameVariable};

use debug::Debugging;
use frame::Frame;
use lifecycle::Termination;
use lookup::MethodCache;
use primitives::{Failure, PrimitiveTable};
use roots::RootTable;
use scheduler::Scheduler;
use symbols::SymbolTable;

/// Bytes that may be allocated without asking, for each primitive.
const SMALL_ALLOCATION: usize = 4096;

/// Limits of a machine.
#[derive(Clone, Debug)]
pub struct VmConfig {
    /// Bytes that live objects may take. Beyond it the process that allocates gets `OutOfMemory`.
    pub memory_limit: usize,
    /// Bytes beyond the limit, so that the error can be handled.
    pub memory_reserve: usize,
    /// Frames a stack may have. Beyond it the process gets `StackOverflow`.
    pub max_depth: u32,
    /// Frames beyond the limit, so that the error can be handled.
    pub depth_reserve: u32,
    /// Processes that may be ready to run at a time.
    pub max_processes: usize,
    /// For tests: collect whenever this many bytes were allocated.
    pub collect_after: Option<usize>,
}

impl Default for VmConfig {
    fn default() -> Self {
        VmConfig {
            memory_limit: 512 << 20,
            memory_reserve: 64 << 20,
            max_depth: 150_000,
            depth_reserve: 10_000,
            max_processes: 20_000,
            collect_after: None,
        }
    }
}

/// One Smalltalk: its objects, processes and limits.
#[derive(Debug)]
pub struct Vm {
    /// All objects.
    pub heap: Heap,
    config: VmConfig,
    symbols: SymbolTable,
    primitives: PrimitiveTable,
    cache: MethodCache,
    scheduler: Scheduler,
    terminations: Vec<Termination>,
    debugging: Debugging,
    roots: RootTable,
    bindings: HashMap<BindingsId, Oop>,
    events: Vec<VmEvent>,
    /// Ended activations to use again: contexts without a frame, and frames.
    frame_pool: Vec<(Oop, Box<Frame>)>,
    /// Activations and loop rounds until others may run.
    ticks: i64,
    /// Depth of stack at which the running process is stopped.
    depth_limit: u32,
    collections: u64,
    /// When the last collection ended, and how long it took.
    last_collection: (Instant, Duration),
    /// Bytes in use after it.
    used_after_collection: usize,
    started: Instant,
}

impl Vm {
    fn empty(config: VmConfig) -> Vm {
        let mut heap = Heap::new(known::RESERVED_OBJECTS);
        let symbols = SymbolTable::new(&mut heap);
        Vm {
            heap,
            depth_limit: config.max_depth,
            config,
            symbols,
            primitives: PrimitiveTable::new(),
            cache: MethodCache::new(),
            scheduler: Scheduler::new(),
            terminations: Vec::new(),
            debugging: Debugging::default(),
            roots: RootTable::default(),
            bindings: HashMap::new(),
            events: Vec::new(),
            frame_pool: Vec::new(),
            ticks: 0,
            collections: 0,
            last_collection: (Instant::now(), Duration::ZERO),
            used_after_collection: 0,
            started: Instant::now(),
        }
    }

    /// The limits this machine was booted with.
    pub fn config(&self) -> &VmConfig {
        &self.config
    }

    /// When this machine was booted: the zero of its millisecond clock.
    pub fn started(&self) -> Instant {
        self.started
    }

    /// Number of collections so far.
    pub fn collections(&self) -> u64 {
        self.collections
    }

    /// The symbol of this spelling, made if need be.
    pub fn symbol(&mut self, text: &str) -> Oop {
        self.symbols.intern(&mut self.heap, text)
    }

    /// The symbol of this spelling if there is one.
    pub fn find_symbol(&self, text: &str) -> Option<Oop> {
        self.symbols.find(text)
    }

    /// Every symbol with its spelling, in no particular order.
    pub fn symbols(&self) -> impl Iterator<Item = (&str, Oop)> {
        self.symbols.iter()
    }

    /// Forgets cached lookups: methods or classes have changed.
    pub(crate) fn flush_method_cache(&mut self) {
        self.cache.flush();
    }

    /// The method that instances of a class run for a selector.
    pub(crate) fn find_method(&mut self, class: Oop, selector: Oop) -> Option<Oop> {
        self.cache
            .lookup(&self.heap, class, selector)
            .map(|found| found.method)
    }

    /// Keeps an object alive while the handle exists.
    pub fn retain(&mut self, oop: Oop) -> Root {
        self.roots.retain(oop)
    }

    /// For primitives: whether `bytes` more may be allocated. A little always may: the machine
    /// notices between instructions when many small objects have passed the limit.
    ///
    /// # Errors
    /// [`Failure::NoMemory`] if the limit would be passed: the machine then collects garbage and
    /// tries the primitive once more. [`Failure::TooLarge`] if that could not help.
    pub fn check_room(&self, bytes: usize) -> Result<(), Failure> {
        let limit = self.config.memory_limit;
        if bytes > limit {
            Err(Failure::TooLarge)
        } else if bytes <= SMALL_ALLOCATION || self.heap.used().saturating_add(bytes) <= limit {
            Ok(())
        } else {
            Err(Failure::NoMemory)
        }
    }

    /// For primitives: text for the transcript, in the name of the running process.
    pub fn write_transcript(&mut self, text: String) {
        let process = self.owner_of(self.scheduler.active_process);
        // one event for consecutive pieces, so that a loop printing characters stays cheap
        if let Some(VmEvent::Transcript {
            process: last,
            text: before,
        }) = self.events.last_mut()
            && *last == process
            && before.len() < 4096
        {
            before.push_str(&text);
            return;
        }
        self.events.push(VmEvent::Transcript { process, text });
    }
}

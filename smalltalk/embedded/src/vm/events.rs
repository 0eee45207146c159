//! What the machine and its host tell each other about processes.

use super::roots::Root;
use crate::syntax::ast::Span;

/// Names a process that the host spawned, for the life of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProcessId(pub u64);

/// Names a set of session variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BindingsId(pub u64);

/// How a process is spawned.
#[derive(Clone, Copy, Debug)]
pub struct SpawnOptions {
    /// Priority, 10 to 80 as in Pharo; 40 is that of user code.
    pub priority: u8,
    /// Whether a variable must be declared before it is assigned. Otherwise the assignment of an
    /// unknown lower-case name declares it in the bindings.
    pub strict: bool,
    /// Whether breakpoints stop it.
    pub heeds_breakpoints: bool,
    /// Whether it is stopped before its first statement.
    pub stopped: bool,
}

impl Default for SpawnOptions {
    fn default() -> Self {
        SpawnOptions {
            priority: 40,
            strict: false,
            heeds_breakpoints: false,
            stopped: false,
        }
    }
}

/// What there is to do after a slice of running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Processes are ready: run again.
    Busy,
    /// Nothing to do before this long has passed; then run again.
    SleepingFor(std::time::Duration),
    /// Nothing to do until the host spawns or resumes something.
    Idle,
}

/// One frame of a stack, as text for people and ranges for editors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackFrame {
    /// `SmallInteger>>/`, `[ :x | … ] in UndefinedObject>>DoIt`.
    pub method: String,
    /// Class of the receiver.
    pub receiver_class: String,
    /// The class that the method is defined in.
    pub class_name: String,
    /// Selector of the method, for a block of the one around it.
    pub selector: String,
    /// The expression being evaluated, in characters of `source`.
    pub range: Span,
    /// Source of the method, or of the evaluated code.
    pub source: std::rc::Rc<str>,
    /// Whether this frame runs code that was handed to [`Vm::spawn`](super::Vm::spawn).
    pub is_do_it: bool,
}

/// What happened to processes, in order.
#[derive(Clone, Debug)]
pub enum VmEvent {
    /// A spawned process came to its end.
    Finished {
        /// Which.
        process: ProcessId,
        /// Its value.
        value: Root,
    },
    /// A process signaled an exception that nothing handles. It is kept suspended with its stack
    /// until it is resumed, interrupted or terminated, unless `terminated` says otherwise.
    Failed {
        /// The spawned process, or the one whose child failed.
        process: ProcessId,
        /// Whether it was a process forked by the spawned one; that one goes on.
        child: bool,
        /// The process itself.
        failed: Root,
        /// The exception.
        exception: Root,
        /// Its class.
        class_name: String,
        /// Its `messageText`, empty if there is none.
        message: String,
        /// Where it was signaled.
        context: Root,
        /// The stack from there, innermost first; cut in the middle if very deep.
        stack: Vec<StackFrame>,
        /// Whether the process was ended because its stack or its memory could not be kept.
        terminated: bool,
    },
    /// A process has done the step that it was asked for, came to a breakpoint, or is at the
    /// beginning of code that is to be debugged. It is suspended.
    Stopped {
        /// Which.
        process: ProcessId,
        /// Where it is.
        context: Root,
        /// The breakpoint, for one that came to one.
        at_breakpoint: bool,
    },
    /// A spawned process was terminated or interrupted and its unwind blocks have run.
    Terminated {
        /// Which.
        process: ProcessId,
    },
    /// Text for the transcript.
    Transcript {
        /// The spawned process that wrote it, or whose child did; `None` for the system itself.
        process: Option<ProcessId>,
        /// The text; lines end with CR as Smalltalk wrote them.
        text: String,
    },
}

//! What the server and the engine tell each other.

use std::time::Duration;

use stui_protocol::Uuid;
use stui_protocol::request::{DebugOperation, EvaluationMode};
use stui_protocol::response::Response;

/// Numbers what the engine works on for the server.
pub type JobId = u64;

/// Numbers a session, for the life of the engine.
pub type SessionNumber = u64;

/// Numbers a process that is kept for a debugger, for the life of the engine.
pub type DebuggerNumber = u64;

/// An object in a session's registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ObjectKey {
    /// The session.
    pub session: SessionNumber,
    /// Its number in the session's registry.
    pub number: u64,
}

/// What the server tells the engine. What has a job is answered with [`Report::Ended`].
#[derive(Debug)]
pub enum Command {
    /// Evaluate code.
    Evaluate(Evaluation),
    /// Look into an object.
    Inspect(Inspection),
    /// Do something with a process that is kept.
    Debug(Debugging),
    /// Set or remove a breakpoint.
    Breakpoint {
        /// The job.
        job: JobId,
        /// The class; `Foo class` for the class side.
        class_name: String,
        /// Selector of the method.
        method_name: String,
        /// Whether it is set.
        is_set: bool,
    },
    /// Stop a process that is kept and runs; it stays.
    Pause {
        /// Which.
        debugger: DebuggerNumber,
    },
    /// Answer something about classes, methods, the system or a session.
    Ask {
        /// The job.
        job: JobId,
        /// What.
        question: Question,
    },
    /// Stop a job; a second time: without waiting for its unwind blocks. Unknown jobs are ignored.
    Interrupt {
        /// The job.
        job: JobId,
    },
    /// End what code of a session forked and left running.
    InterruptForked {
        /// The job, which answers how many there were.
        job: JobId,
        /// The session.
        session: SessionNumber,
    },
    /// A session begins.
    OpenSession {
        /// Its number.
        session: SessionNumber,
        /// What the ids of its objects begin with.
        prefix: String,
    },
    /// A session ends: its jobs are interrupted, what they forked is ended, its variables and objects
    /// are forgotten.
    CloseSession {
        /// Its number.
        session: SessionNumber,
    },
    /// Forget handles.
    Release {
        /// The job.
        job: JobId,
        /// The objects.
        objects: Vec<ObjectKey>,
    },
    /// The engine ends, whatever it is doing.
    Stop,
}

/// Code to evaluate.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// The job.
    pub job: JobId,
    /// The session whose variables and registry are used; none: a throw-away context.
    pub session: Option<SessionNumber>,
    /// Its request, for what is told after it was answered.
    pub request: Uuid,
    /// The code.
    pub code: String,
    /// Whether the answer is to be printed.
    pub print: bool,
    /// What it is wanted for.
    pub mode: EvaluationMode,
    /// Whether undeclared variables may not be assigned.
    pub strict: bool,
    /// After how long to give up.
    pub timeout: Option<Duration>,
}

/// An operation on a process that is kept.
#[derive(Debug, Clone)]
pub struct Debugging {
    /// The job.
    pub job: JobId,
    /// The session that it is kept for.
    pub session: SessionNumber,
    /// Which process.
    pub debugger: DebuggerNumber,
    /// What to do.
    pub operation: DebugOperation,
    /// The frame that is meant, from 0.
    pub frame: usize,
    /// Code to evaluate in it.
    pub code: Option<String>,
}

/// An object to look into.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// The job.
    pub job: JobId,
    /// The session in which an expression is evaluated and handles are kept.
    pub session: Option<SessionNumber>,
    /// Which object.
    pub subject: Subject,
    /// Name of the view wanted; none: the first one.
    pub view: Option<String>,
    /// First row wanted, from 0.
    pub offset: u64,
    /// How many rows, or characters of a text, at most; none: as many as fit a screen well.
    pub limit: Option<u64>,
    /// How deep children are answered.
    pub depth: u32,
    /// Whether the selectors of its class are wanted.
    pub with_methods: bool,
    /// After how long to give up.
    pub timeout: Duration,
}

/// Which object an [`Inspection`] looks into.
#[derive(Debug, Clone)]
pub enum Subject {
    /// The answer of an expression.
    Expression(String),
    /// An object of the session's registry, by its number.
    Object(u64),
}

/// What [`Command::Ask`] asks.
#[derive(Debug, Clone)]
pub enum Question {
    /// About the system.
    SystemInfo(stui_protocol::request::SystemInfo),
    /// The classes there are.
    ListClasses(stui_protocol::request::ListClasses),
    /// What a class consists of.
    BrowseClass(stui_protocol::request::BrowseClass),
    /// One method.
    GetMethod(stui_protocol::request::GetMethod),
    /// A session's variables and objects; the rest of the response is the server's to fill in.
    Restore(SessionNumber),
}

/// What the engine tells the server.
#[derive(Debug)]
pub enum Report {
    /// A job came to its end.
    Ended {
        /// Which.
        job: JobId,
        /// What to answer.
        response: Box<Response>,
        /// How long it ran.
        elapsed: Duration,
    },
    /// A process is kept for a debugger, or one that is kept has failed again.
    DebuggerOpened {
        /// For which session.
        session: SessionNumber,
        /// Which.
        debugger: DebuggerNumber,
        /// The request of its evaluation; none: code of the session forked it.
        request: Option<Uuid>,
        /// Why, in one line.
        title: String,
    },
    /// A process is kept no longer.
    DebuggerClosed {
        /// For which session it was.
        session: SessionNumber,
        /// Which.
        debugger: DebuggerNumber,
    },
    /// An evaluation that was kept and continued has come to its end.
    Continued {
        /// Its session.
        session: SessionNumber,
        /// Its request.
        request: Uuid,
        /// What it answered, printed, or the error.
        result: String,
        /// Whether it is an error.
        has_error: bool,
        /// How long it ran since it was continued.
        elapsed: Duration,
    },
    /// Text was written to Transcript.
    Transcript {
        /// The session whose evaluation wrote it; none: outside of every session.
        session: Option<SessionNumber>,
        /// The text.
        text: String,
    },
    /// The engine ended because of a fault of its own; nothing follows.
    Died {
        /// Why.
        reason: String,
    },
}

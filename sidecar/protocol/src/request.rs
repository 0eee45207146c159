//! Requests: what a client asks, by type.
//!
//! Optional parameters are `Option`s or have the default that the specification names. Absent and
//! `null` mean the same.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::table::kinds;

kinds! {
    /// A request.
    pub enum Request in "request_type", "params" {
        /// Is anybody there?
        Ping(Ping),
        /// Evaluate code.
        Evaluate(Evaluate),
        /// Look into an object.
        Inspect(Inspect),
        /// What a class consists of.
        BrowseClass(BrowseClass),
        /// Work on a suspended process.
        Debug(Debug),
        /// About the system.
        SystemInfo(SystemInfo),
        /// The classes there are.
        ListClasses(ListClasses),
        /// One method with its source.
        GetMethod(GetMethod),
        /// Begin a session.
        CreateSession(CreateSession),
        /// Everything that a session holds.
        RestoreSession(RestoreSession),
        /// Replace a session's state document.
        UpdateSessionState(UpdateSessionState),
        /// End a session.
        CloseSession(CloseSession),
        /// About one session.
        GetSessionInfo(GetSessionInfo),
        /// The sessions of a client.
        ListClientSessions(ListClientSessions),
        /// About all sessions.
        GetSessionStatistics(GetSessionStatistics),
        /// Show that both sides know the key.
        Authenticate(Authenticate),
        /// What this server is and can do.
        Describe(Describe),
        /// Stop a running evaluation.
        Interrupt(Interrupt),
        /// What could stand at the cursor.
        Complete(Complete),
        /// Search classes and methods.
        Find(Find),
        /// Compile and install a method.
        DefineMethod(DefineMethod),
        /// Remove a method.
        RemoveMethod(RemoveMethod),
        /// Make or change a class.
        DefineClass(DefineClass),
        /// Remove a class.
        RemoveClass(RemoveClass),
        /// Run `SUnit` tests.
        RunTests(RunTests),
        /// Get the events of a session.
        Subscribe(Subscribe),
        /// Get them no longer.
        Unsubscribe(Unsubscribe),
        /// The past evaluations of a session.
        GetHistory(GetHistory),
        /// Forget handles.
        ReleaseObjects(ReleaseObjects),
        /// Save the image.
        SaveImage(SaveImage),
        /// End the server.
        Shutdown(Shutdown),
    }
}

/// Is anybody there?
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Ping {
    /// Sent back as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Evaluate code.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Evaluate {
    /// Any number of statements; the answer is that of the last one.
    pub code: String,
    /// Published, but without a meaning in this version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Value>,
    /// `false`: nobody reads `result`, so that the answer is not printed. Default `true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_string: Option<bool>,
    /// Default [`EvaluationMode::Execute`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluation_mode: Option<EvaluationMode>,
    /// The session whose variables, history and registry are used; none: a throw-away context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// After how many milliseconds to give up with `Timeout`; none: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// `true`: assigning an undeclared variable is a compile error, instead of declaring it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
}

/// What an evaluation is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum EvaluationMode {
    /// Do it.
    #[default]
    Execute,
    /// Print it: the answer has `display` too.
    Display,
    /// Debug it: the code is stopped before its first statement and answered like one that reached a
    /// `Halt`, with `error.debug_id`. It needs a `session_id`, and a server with the feature `debug_it`.
    Debug,
}

/// Look into an object: `target` or `object_id` says which.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Inspect {
    /// An expression whose answer is inspected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// A handle's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_id: Option<String>,
    /// How deep children are answered: 0 none, 1 (the default) the object's own, 2 theirs too, 3 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depth: Option<u32>,
    /// Whether `methods` is answered. Default `false`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_private: Option<bool>,
    /// First row of `children` wanted (for a text view: first character), from 0. Default 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// How many rows (for a text view: characters) at most. Default 100 (10 000).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Name of the view whose rows `children` are; none: the first one of the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<String>,
    /// The session in which `target` is evaluated and handles are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// After how many milliseconds to give up with `Timeout`; none: the server's own limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// What a class consists of.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct BrowseClass {
    /// Its name; `Foo class` for the class side.
    pub class_name: String,
    /// Whether to answer methods. Default `true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_methods: Option<bool>,
    /// Whether to answer instance variables. Default `true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_instance_vars: Option<bool>,
    /// Whether to answer class variables. Default `true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_class_vars: Option<bool>,
}

/// Work on a suspended process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Debug {
    /// What to do.
    pub operation: DebugOperation,
    /// Id of the debug session.
    pub context: String,
    /// The frame that is meant, from 0, innermost first. Default 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame: Option<usize>,
    /// Code for `EvaluateInFrame` and `ReturnValue`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Class for `SetBreakpoint` and `RemoveBreakpoint`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_name: Option<String>,
    /// Method for `SetBreakpoint` and `RemoveBreakpoint`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method_name: Option<String>,
}

/// The operations of [`struct@Debug`].
///
/// All but the last two need a suspended process; of one that runs only `GetStackTrace` (which then answers no
/// frames) and `Terminate` are answered. Steps, `Continue`, `Restart` and `ReturnValue` answer what there is when
/// the process has stopped again, with the variables of the innermost frame. They can be interrupted by their
/// request id: the process is then suspended where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DebugOperation {
    /// The frames.
    GetStackTrace,
    /// The variables of a frame.
    GetLocalVars,
    /// To the next message, into its method.
    StepInto,
    /// To the next message of the frame, past this one. Where the frame is not the innermost one, or has just
    /// halted: until it is its turn again.
    StepOver,
    /// Until the sender of the frame goes on.
    StepOut,
    /// Proceed; an exception that nothing handled answers `nil` where it was signalled. The answer comes when the
    /// process has ended (`result` is then what the evaluation answered, printed) or stopped again, or after a
    /// second while it runs on. An evaluation that ends later is told by the event `EvaluationFinished`.
    Continue,
    /// Run the frame from its beginning.
    Restart,
    /// Return a value from the frame: what `code` answers in it, `nil` without `code`.
    ReturnValue,
    /// End the process; its unwind blocks run.
    Terminate,
    /// Evaluate code that sees the frame's variables. An error in it concerns only the answer.
    EvaluateInFrame,
    /// Stop at the beginning of a method from now on.
    SetBreakpoint,
    /// Stop there no longer.
    RemoveBreakpoint,
}

/// About the system.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SystemInfo {
    /// What about it.
    pub info_type: InfoType,
}

/// Parts of a [`SystemInfo`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum InfoType {
    /// Dialect and versions.
    Basic,
    /// Memory in use.
    Memory,
    /// Loaded packages.
    Packages,
    /// Operating system and process.
    Environment,
    /// Everything.
    #[default]
    All,
}

/// The classes there are.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ListClasses {
    /// Only names that match: `*` any characters, `#` or `?` any one, case ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// Whether to answer the classes that come with the system too. Default `true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_system: Option<bool>,
    /// How many at most. Default 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// First one wanted, from 0. Default 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
}

/// One method with its source.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct GetMethod {
    /// Name of the class.
    pub class_name: String,
    /// Selector.
    pub method_name: String,
    /// Whether it is a method of the class side. Default `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_class_method: Option<bool>,
}

/// Begin a session.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CreateSession {
    /// Whom it belongs to: a name that the client keeps over its connections.
    pub client_id: String,
    /// After how many seconds without use it expires; none: the server's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
}

/// Everything that a session holds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RestoreSession {
    /// The session.
    pub session_id: String,
}

/// Replace a session's state document.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct UpdateSessionState {
    /// The session.
    pub session_id: String,
    /// The document, of the client's own making.
    pub state_data: Value,
}

/// End a session.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CloseSession {
    /// The session.
    pub session_id: String,
}

/// About one session.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct GetSessionInfo {
    /// The session.
    pub session_id: String,
}

/// The sessions of a client.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ListClientSessions {
    /// The client.
    pub client_id: String,
}

/// About all sessions.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct GetSessionStatistics {}

/// Show that both sides know the key: first with `nonce`, then, on the same connection, with `proof`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Authenticate {
    /// The client's nonce: 16 to 256 hex digits, never used before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// The client's proof over both nonces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
}

/// What this server is and can do.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Describe {}

/// Stop a running evaluation. One that a debugger has continued, and that runs on, is not ended but suspended.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Interrupt {
    /// Id of the request that runs it; left out where a session is named.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub request_id: String,
    /// Instead of an evaluation: end what code of this session has forked and left running. A server that
    /// does not know what was forked refuses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
}

impl Interrupt {
    /// Stops what this request runs.
    pub fn of_request(id: &impl ToString) -> Interrupt {
        Interrupt {
            request_id: id.to_string(),
            session_id: None,
        }
    }

    /// Ends what code of this session has forked.
    pub fn of_session(id: &str) -> Interrupt {
        Interrupt {
            request_id: String::new(),
            session_id: Some(id.to_owned()),
        }
    }
}

/// What could stand at the cursor.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Complete {
    /// The code.
    pub code: String,
    /// Index of the character that the cursor stands before, from 1.
    pub position: usize,
    /// The session whose variables are offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// How many at most. Default 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// Search classes and methods.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Find {
    /// What to search.
    pub kind: FindKind,
    /// What its name is or contains.
    pub pattern: String,
    /// Whether the whole name must be the pattern. Default `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exact: Option<bool>,
    /// First hit wanted, from 0. Default 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// How many at most. Default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// What [`Find`] searches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FindKind {
    /// Classes by name.
    Class,
    /// Methods by selector.
    Selector,
    /// Methods that send a selector.
    Senders,
    /// Methods that have a selector.
    Implementors,
    /// Methods that name a class or another global.
    References,
}

/// Compile and install a method.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DefineMethod {
    /// Name of the class.
    pub class_name: String,
    /// Whether on the class side. Default `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_class_method: Option<bool>,
    /// The whole method.
    pub source: String,
    /// Its protocol; none: as before, or unclassified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
}

/// Remove a method.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RemoveMethod {
    /// Name of the class.
    pub class_name: String,
    /// Selector.
    pub method_name: String,
    /// Whether on the class side. Default `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_class_method: Option<bool>,
}

/// Make or change a class.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DefineClass {
    /// The definition as an expression, in one of the forms that the dialect knows.
    pub definition: String,
}

/// Remove a class.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RemoveClass {
    /// Name of the class.
    pub class_name: String,
}

/// Run `SUnit` tests: those of a package, a class, or one method.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RunTests {
    /// Name of the package.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// Name of the test case class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_name: Option<String>,
    /// Selector of the test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method_name: Option<String>,
    /// The session that failed tests' debug sessions belong to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
}

/// Get the events of a session on this connection.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Subscribe {
    /// The session; none: what happens outside of every session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The first event wanted, kept ones included; none: only what happens from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_sequence: Option<u64>,
}

/// Get the events of a session no longer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Unsubscribe {
    /// The session; none: what happens outside of every session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
}

/// The past evaluations of a session, oldest first.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct GetHistory {
    /// The session.
    pub session_id: String,
    /// First one wanted, from 0. Default 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// How many at most. Default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// Forget handles.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ReleaseObjects {
    /// Their ids; unknown ones are ignored.
    pub object_ids: Vec<String>,
}

/// Save the image.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SaveImage {
    /// Where to; none: where it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// End the server.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Shutdown {}

//! Responses: what a server answers, by the type of its request, or [`ErrorInfo`].

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{ErrorInfo, RuntimeError, StackFrame};
use crate::object::{Child, InstanceVariable, ObjectHandle, ObjectInfo, View};
use crate::position::Position;
use crate::table::kinds;

kinds! {
    /// A response. Its type is that of its request, or `Error`.
    pub enum Response in "response_type", "data" {
        /// Somebody is there.
        Ping(Ping),
        /// What the code answered.
        Evaluate(Evaluate),
        /// What the object looks like.
        Inspect(Inspect),
        /// What the class consists of.
        BrowseClass(BrowseClass),
        /// What the debugger did or found.
        Debug(Debug),
        /// About the system.
        SystemInfo(SystemInfo),
        /// The classes.
        ListClasses(ListClasses),
        /// The method.
        GetMethod(GetMethod),
        /// The new session.
        CreateSession(CreateSession),
        /// What the session holds.
        RestoreSession(RestoreSession),
        /// The state document is replaced.
        UpdateSessionState(UpdateSessionState),
        /// The session is closed.
        CloseSession(CloseSession),
        /// About the session.
        GetSessionInfo(GetSessionInfo),
        /// The client's sessions.
        ListClientSessions(ListClientSessions),
        /// About all sessions.
        GetSessionStatistics(GetSessionStatistics),
        /// The server's nonce and proof, then that the client is known.
        Authenticate(Authenticate),
        /// What the server is and can do.
        Describe(Describe),
        /// The interrupt was delivered, or came too late.
        Interrupt(Interrupt),
        /// What could stand at the cursor.
        Complete(Complete),
        /// What was found.
        Find(Find),
        /// The method is installed.
        DefineMethod(DefineMethod),
        /// The method is removed.
        RemoveMethod(RemoveMethod),
        /// The class is made or changed.
        DefineClass(DefineClass),
        /// The class is removed.
        RemoveClass(RemoveClass),
        /// How the tests went.
        RunTests(RunTests),
        /// Events follow.
        Subscribe(Subscribe),
        /// No events follow.
        Unsubscribe(Unsubscribe),
        /// The past evaluations.
        GetHistory(GetHistory),
        /// The handles are forgotten.
        ReleaseObjects(ReleaseObjects),
        /// The image is saved.
        SaveImage(SaveImage),
        /// The server ends once this is sent.
        Shutdown(Shutdown),
        /// The request failed.
        Error(ErrorInfo),
    }
}

/// Somebody is there.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Ping {
    /// The request's message, or `pong`.
    pub message: String,
    /// `ok`.
    pub status: String,
    /// Seconds since the server started.
    pub uptime: u64,
}

/// What the code answered.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Evaluate {
    /// The answer printed (`printString`), or the error in one line.
    pub result: String,
    /// Whether `result` or `display` was cut; the rest is paged through `Inspect` of `object`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
    /// The answer as it is shown to people (`displayString`), if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display: Option<String>,
    /// Name of the answer's class, or of the error's.
    pub result_type: String,
    /// How long it ran, in milliseconds.
    pub execution_time: u64,
    /// Whether the code signalled an error that it did not handle.
    pub has_error: bool,
    /// The answer, kept by the session; none outside of a session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectHandle>,
    /// The error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<RuntimeError>,
}

/// What the object looks like.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Inspect {
    /// The published description.
    pub object_info: ObjectInfo,
    /// Its named instance variables.
    pub instance_vars: Vec<InstanceVariable>,
    /// Selectors of its class, if they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub methods: Option<Vec<String>>,
    /// The object.
    pub object: ObjectHandle,
    /// The ways to look at it.
    pub views: Vec<View>,
    /// Name of the view that `children` or `text` belong to.
    pub view: String,
    /// Rows of a list view, from `offset` on.
    pub children: Vec<Child>,
    /// Characters of a text view, from `offset` on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Number of the first row or character answered, from 0.
    pub offset: u64,
    /// How many rows or characters the view has.
    pub total: u64,
}

/// What the class consists of.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct BrowseClass {
    /// About the class.
    pub class_info: ClassInfo,
    /// Methods of the instance side.
    pub instance_methods: Vec<MethodSummary>,
    /// Methods of the class side.
    pub class_methods: Vec<MethodSummary>,
    /// Names of the instance variables that it defines.
    pub instance_vars: Vec<String>,
    /// Names of the class variables that it defines.
    pub class_vars: Vec<String>,
    /// Protocols of the instance side.
    pub protocols: Vec<String>,
    /// Names of its direct subclasses.
    pub subclasses: Vec<String>,
    /// Names of its superclasses, nearest first.
    pub superclasses: Vec<String>,
}

/// About a class.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ClassInfo {
    /// Its name.
    pub name: String,
    /// Name of its superclass; none for roots.
    pub superclass: Option<String>,
    /// Name of its package.
    pub package: String,
    /// Its comment.
    pub comment: String,
    /// The expression that defines it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub definition: Option<String>,
}

/// A method without its source.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MethodSummary {
    /// Selector.
    pub name: String,
    /// Protocol.
    pub category: String,
}

/// What the debugger did or found.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Debug {
    /// What the operation answered, printed; empty if nothing.
    pub result: String,
    /// About the debug session; of a breakpoint all empty.
    pub debug_info: DebugInfo,
    /// The frames, innermost first.
    pub stack: Vec<StackFrame>,
    /// The variables of the frame that is meant.
    pub variables: Vec<InstanceVariable>,
    /// The source of that frame's method: what the frame's `range` is a part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// About a debug session.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DebugInfo {
    /// Its id.
    pub debug_id: String,
    /// The error, or why else it stopped, in one line.
    pub title: String,
    /// Whether its process can be looked at and stepped; else it runs or is over.
    pub is_suspended: bool,
    /// Whether its process is over: the debug session is closed then.
    pub is_terminated: bool,
}

/// About the system.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SystemInfo {
    /// What was asked for, by name: numbers, texts, lists.
    pub info: Map<String, Value>,
}

/// The classes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ListClasses {
    /// Those in the page, sorted by name.
    pub classes: Vec<ClassSummary>,
    /// How many match in all.
    pub total_count: u64,
}

/// A class in a list.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ClassSummary {
    /// Its name.
    pub name: String,
    /// Name of its superclass; none for roots.
    pub superclass: Option<String>,
    /// Name of its package.
    pub package: String,
}

/// The method.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct GetMethod {
    /// It.
    pub method: Method,
}

/// A method with its source.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Method {
    /// Selector.
    pub name: String,
    /// The whole method.
    pub source: String,
    /// Protocol.
    pub category: String,
    /// Whether it is a method of the class side.
    pub is_class_method: bool,
    /// Names of its arguments.
    pub arguments: Vec<String>,
    /// Its first comment; empty if it has none.
    pub comment: String,
}

/// The new session.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CreateSession {
    /// The session.
    #[serde(flatten)]
    pub session: Session,
}

/// What every answer about a session says.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Session {
    /// Its id.
    pub session_id: String,
    /// Whom it belongs to.
    pub client_id: String,
    /// When it began, in RFC 3339.
    pub created_at: String,
    /// After how many seconds without use it expires.
    pub timeout: u64,
    /// Whether it can be used: neither closed nor expired.
    pub is_active: bool,
}

/// What the session holds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RestoreSession {
    /// The session.
    #[serde(flatten)]
    pub session: Session,
    /// The client's own state document.
    pub session_state: Value,
    /// The variables with their values printed, by name.
    pub workspace_context: Map<String, Value>,
    /// `inspector_state` of the state document, if it has one.
    pub inspector_state: Value,
    /// The objects that the session keeps.
    pub object_registry: Vec<ObjectHandle>,
}

/// The state document is replaced.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct UpdateSessionState {
    /// The session.
    pub session_id: String,
    /// When, in RFC 3339.
    pub last_modified: String,
    /// The document as it is kept now.
    pub session_state: Value,
    /// Always `true`; a refused update is an error.
    pub update_successful: bool,
}

/// The session is closed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CloseSession {
    /// The session.
    pub session_id: String,
    /// Always `true`; a session that is not there is an error.
    pub closed: bool,
}

/// About the session.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct GetSessionInfo {
    /// The session.
    #[serde(flatten)]
    pub session: Session,
    /// When it was last used, in RFC 3339.
    pub last_accessed: String,
    /// After how many seconds it expires if it is not used.
    pub time_until_expiry: u64,
    /// Whether it is expired.
    pub is_expired: bool,
    /// How many evaluations its history has.
    pub history_count: u64,
}

/// The client's sessions.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ListClientSessions {
    /// How many.
    pub session_count: u64,
    /// They, oldest first.
    pub sessions: Vec<Session>,
}

/// About all sessions.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct GetSessionStatistics {
    /// How many sessions there are.
    pub total_sessions: u64,
    /// How many clients they belong to.
    pub active_clients: u64,
    /// How many a client may have.
    pub max_sessions_per_client: u64,
    /// After how many seconds without use a session expires, unless it was created otherwise.
    pub default_timeout: u64,
    /// How often expired sessions are looked for, in seconds.
    pub cleanup_interval: u64,
}

/// To a nonce: the server's nonce and proof. To a proof: that the client is known.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Authenticate {
    /// The server's nonce.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// The server's proof over both nonces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
    /// Whether messages on this connection need no signature from now on.
    pub authenticated: bool,
}

/// What the server is and can do.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Describe {
    /// What the server runs, as `Embedded Smalltalk` or `Pharo`.
    pub dialect: String,
    /// Its version.
    pub dialect_version: String,
    /// Version of the server itself.
    pub server_version: String,
    /// Version of the protocol that it speaks.
    pub protocol_version: String,
    /// Made when the server started: another one means that sessions and remembered replies are gone.
    pub server_id: String,
    /// Process id of the server.
    pub pid: u32,
    /// The request types that it answers.
    pub requests: Vec<String>,
    /// What else it does, by name. About the debugger: `debugger` (failed evaluations of a session are kept),
    /// `debugger_steps` (the steps, `Restart`), `breakpoints`, `debug_it` (`evaluation_mode: "Debug"`).
    pub features: Vec<String>,
    /// Its limits, by name: bytes, counts, milliseconds.
    pub limits: Map<String, Value>,
}

/// The interrupt was delivered, or came too late.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Interrupt {
    /// The request that was meant.
    pub request_id: String,
    /// Whether it was still running or waiting.
    pub interrupted: bool,
    /// How many forked processes were ended, where a session was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forked: Option<u64>,
}

/// What could stand at the cursor.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Complete {
    /// Index of the first character that a candidate replaces, from 1.
    pub replace_from: usize,
    /// The candidates, best first.
    pub candidates: Vec<Candidate>,
}

/// A completion.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Candidate {
    /// What would stand there.
    pub text: String,
    /// `global`, `variable` or `selector`.
    pub kind: String,
    /// Where a selector comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_class: Option<String>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Find {
    /// The hits in the page.
    pub hits: Vec<Hit>,
    /// How many there are in all.
    pub total_count: u64,
}

/// A class or method that was found.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Hit {
    /// Name of the class.
    pub class_name: String,
    /// Whether the class side is meant.
    pub is_class_method: bool,
    /// Selector; none for a class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// Protocol of the method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// Name of the package.
    pub package: String,
    /// Where the first match stands in the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Position>,
}

/// The method is installed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DefineMethod {
    /// Name of the class.
    pub class_name: String,
    /// Selector.
    pub method_name: String,
    /// Protocol.
    pub protocol: String,
}

/// The method is removed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RemoveMethod {
    /// Always `true`; a method that is not there is an error.
    pub removed: bool,
}

/// The class is made or changed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DefineClass {
    /// About the class.
    pub class_info: ClassInfo,
}

/// The class is removed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RemoveClass {
    /// Always `true`; a class that is not there is an error.
    pub removed: bool,
}

/// How the tests went.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RunTests {
    /// One by one.
    pub results: Vec<TestResult>,
    /// How many passed.
    pub passed: u64,
    /// How many failed.
    pub failed: u64,
    /// How many ended with an error.
    pub errors: u64,
    /// How many were skipped.
    pub skipped: u64,
}

/// How one test went.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TestResult {
    /// Name of the test case class.
    pub class_name: String,
    /// Selector.
    pub method_name: String,
    /// `passed`, `failed`, `error` or `skipped`.
    pub outcome: String,
    /// Why, if it did not pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// How long it ran, in milliseconds.
    pub duration: u64,
    /// The debug session of a test that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub debug_id: Option<String>,
}

/// Events follow.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Subscribe {
    /// The session, as in the request.
    pub session_id: Option<String>,
    /// Number of the first event that is sent.
    pub next_sequence: u64,
    /// How many events between `from_sequence` and `next_sequence` are no longer kept.
    pub missed: u64,
}

/// No events follow.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Unsubscribe {
    /// The session, as in the request.
    pub session_id: Option<String>,
}

/// The past evaluations.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct GetHistory {
    /// Those in the page, oldest first.
    pub entries: Vec<HistoryEntry>,
    /// How many the history has.
    pub total_count: u64,
}

/// A past evaluation.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct HistoryEntry {
    /// The code, cut at some length.
    pub code: String,
    /// The answer printed or the error in one line, cut at some length.
    pub result: String,
    /// Whether it ended with an error.
    pub has_error: bool,
    /// When it began, in RFC 3339.
    pub timestamp: String,
    /// How long it ran, in milliseconds.
    pub execution_time: u64,
}

/// The handles are forgotten.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ReleaseObjects {
    /// How many of them there were.
    pub released: u64,
}

/// The image is saved.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SaveImage {
    /// Where.
    pub path: String,
}

/// The server ends once this is sent.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Shutdown {
    /// Always `true`.
    pub stopping: bool,
}

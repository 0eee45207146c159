//! Errors: what a server answers when it cannot do what was asked.

use serde::{Deserialize, Serialize};

use crate::position::{Position, Range};

/// The `data` of an `Error` response.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ErrorInfo {
    /// What kind of error.
    pub code: ErrorCode,
    /// One or two sentences, with what to do next where that is known.
    pub message: String,
    /// What a program can make use of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Box<ErrorDetails>>,
    /// The Smalltalk stack as text, one frame a line, innermost first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack_trace: Option<String>,
}

impl ErrorInfo {
    /// An error without details.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        ErrorInfo {
            code,
            message: message.into(),
            details: None,
            stack_trace: None,
        }
    }

    /// The same with details.
    #[must_use]
    pub fn with(mut self, details: ErrorDetails) -> Self {
        self.details = Some(Box::new(details));
        self
    }
}

/// The kinds of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ErrorCode {
    /// The message is malformed, too large, or lacks something.
    InvalidRequest,
    /// The code that was to yield something failed while it ran.
    EvaluationError,
    /// The code does not compile.
    CompileError,
    /// There is no object with this id (any more).
    ObjectNotFound,
    /// There is no class of this name.
    ClassNotFound,
    /// The class has no such method.
    MethodNotFound,
    /// There is no session with this id (any more).
    SessionNotFound,
    /// The client has as many sessions as it may have.
    SessionLimitExceeded,
    /// The peer has not shown that it knows the key.
    PermissionDenied,
    /// It took longer than `timeout_ms`.
    Timeout,
    /// It was interrupted.
    Interrupted,
    /// This server does not do that.
    UnsupportedOperation,
    /// The server failed.
    InternalError,
    /// A code of a later version.
    #[serde(other)]
    Unknown,
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self, f)
    }
}

/// What a program can make use of in an error; which fields there are depends on the code.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ErrorDetails {
    /// Where the compiler stopped (`CompileError`).
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub at: Option<Position>,
    /// What the compiler complains about, or what was running (`CompileError`, `EvaluationError`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<Range>,
    /// Class of the Smalltalk error (`EvaluationError`), or the class that was looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_name: Option<String>,
    /// The frames of the failed process, innermost first (`EvaluationError`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stack: Vec<StackFrame>,
    /// What could have been meant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub suggestions: Vec<String>,
    /// What is supported (`UnsupportedOperation`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub supported: Vec<String>,
    /// The limit that was met: bytes of a message, sessions of a client, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// An error that the evaluated code signalled and did not handle.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RuntimeError {
    /// Class of the exception, as `ZeroDivide`.
    pub class_name: String,
    /// Its message text; may be empty.
    pub message: String,
    /// The frames of the process, innermost first; at most some dozens.
    pub stack: Vec<StackFrame>,
    /// The debug session that the process is kept in, where the server has a debugger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub debug_id: Option<String>,
}

impl RuntimeError {
    /// The error in one line, as `ZeroDivide` or `Error: too late`; a message that begins with the words that the class is
    /// named after stands alone, as `Message not understood: Object >> #foo`.
    pub fn summary(&self) -> String {
        let mut words = self.message.chars().filter(|c| !c.is_whitespace());
        let mut name = self.class_name.chars();
        if self.message.is_empty() {
            self.class_name.clone()
        } else if name.all(|c| words.next().is_some_and(|w| w.eq_ignore_ascii_case(&c))) {
            self.message.clone()
        } else {
            format!("{}: {}", self.class_name, self.message)
        }
    }
}

/// One activation on the stack of a process.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StackFrame {
    /// The method as Smalltalk prints it, as `SmallInteger(Number)>>to:do:` or `[ … ] in UndefinedObject>>DoIt`.
    pub method: String,
    /// Class of the receiver.
    pub receiver_class: String,
    /// The class that the method is defined in, as `Number` or `Foo class`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_name: Option<String>,
    /// Selector of the method; for a block that of the method it was written in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// Whether it runs the evaluated code itself; then `range` is a part of that code.
    pub is_evaluated_code: bool,
    /// What runs, in the source of its method: in the innermost frame of a stopped process what runs next, in the
    /// others the message that has not been answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<Range>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_says_nothing_twice() {
        let summary = |class_name: &str, message: &str| {
            RuntimeError {
                class_name: class_name.into(),
                message: message.into(),
                ..RuntimeError::default()
            }
            .summary()
        };
        assert_eq!(summary("ZeroDivide", ""), "ZeroDivide");
        assert_eq!(summary("Error", "too late"), "Error: too late");
        assert_eq!(
            summary(
                "MessageNotUnderstood",
                "Message not understood: Object >> #foo"
            ),
            "Message not understood: Object >> #foo"
        );
        assert_eq!(
            summary("MessageNotUnderstood", "Message"),
            "MessageNotUnderstood: Message"
        );
    }

    #[test]
    fn a_code_of_a_later_version_is_still_an_error() {
        let error: ErrorInfo =
            serde_json::from_str(r#"{"code":"OutOfCoffee","message":"no"}"#).unwrap();
        assert_eq!(error.code, ErrorCode::Unknown);
    }

    #[test]
    fn details_without_a_place_have_none() {
        let details: ErrorDetails = serde_json::from_str(r#"{"limit":5,"else":1}"#).unwrap();
        assert_eq!((details.at, details.limit), (None, Some(5)));
        assert_eq!(serde_json::to_string(&details).unwrap(), r#"{"limit":5}"#);
    }
}

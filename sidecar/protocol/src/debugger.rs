//! What panes are told about the open debuggers of a session, and what they do with them.
//!
//! A debugger is a process that failed or halted and that its server keeps suspended. The sidecar owns
//! which of them is shown, which of its frames is chosen, and what it last answered: everybody at a
//! session looks at the same. A pane owns only how it looks at that: which part of the pane listens to
//! the arrows, how far the source is scrolled, which variable is selected.

use serde::{Deserialize, Serialize};

use crate::pane::{Line, Span};
use crate::request::DebugOperation;

/// Most debuggers that a session keeps open; the oldest is ended for a new one.
pub const MAX_DEBUGGERS: usize = 20;
/// Longest code that is evaluated in a frame, in characters.
pub const MAX_FRAME_CODE: usize = 2000;
/// The feature by which a server says that it can stop an evaluation before its first statement.
pub const DEBUG_IT_FEATURE: &str = "debug_it";

/// How a sentence begins that says how an evaluation went on after it had failed or halted.
pub const WENT_ON: &str = "It went on to its end";

/// What the panes show.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DebuggerView {
    /// Counts how often the process shown has moved, or another one was shown.
    pub stop: u64,
    /// The open debuggers, the oldest first.
    pub open: Vec<OpenDebugger>,
    /// Which of them is shown.
    pub shown: u32,
    /// How its process is.
    pub state: ProcessState,
    /// The frame that is chosen; 0 is the innermost one.
    pub frame: u32,
    /// How many frames there are.
    pub frames_total: u32,
    /// Number of the first one in `frames`.
    pub frames_from: u32,
    /// The frames around the chosen one.
    pub frames: Vec<Frame>,
    /// The source of the chosen frame's method, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<FrameSource>,
    /// The variables of the chosen frame.
    pub variables: Vec<Variable>,
    /// How many more variables there are.
    #[serde(default)]
    pub more_variables: u32,
    /// What was last evaluated in a frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluated: Option<Evaluated>,
}

/// A debugger in the list of those that are open.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OpenDebugger {
    /// Its id on the server.
    pub id: String,
    /// The error in one line.
    pub title: String,
}

/// How the process of a debugger is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "s", rename_all = "snake_case")]
pub enum ProcessState {
    /// Its server was not asked yet, or has not answered.
    #[default]
    Unknown,
    /// Suspended: it can be stepped.
    Stopped,
    /// It runs.
    Running {
        /// What was asked of it, in a word or two.
        what: String,
    },
    /// It cannot be looked at, for this reason.
    Hidden {
        /// Why, in a sentence.
        reason: String,
    },
}

/// An activation on the stack.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Frame {
    /// The method as Smalltalk prints it, cut at some length.
    #[serde(rename = "m")]
    pub method: String,
    /// Class of the receiver.
    #[serde(rename = "r")]
    pub receiver: String,
    /// Whether it is the evaluated code itself.
    #[serde(rename = "e", default, skip_serializing_if = "std::ops::Not::not")]
    pub is_evaluated_code: bool,
}

/// A part of a method's source.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FrameSource {
    /// How many lines the source has.
    pub total: u32,
    /// Number of the first line in `lines`, from 0.
    pub first: u32,
    /// The lines.
    pub lines: Vec<Line>,
    /// What runs next, or what is being run in the frames below; none: that cannot be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Span>,
}

/// A variable of a frame.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value printed, cut at some length.
    pub value: String,
    /// Class of the value.
    pub class_name: String,
    /// Where it belongs.
    pub kind: VariableKind,
}

/// Where a variable belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VariableKind {
    /// `self`.
    Receiver,
    /// An instance variable of the receiver.
    Slot,
    /// An argument or a temporary.
    #[default]
    Temporary,
    /// `thisContext`: the frame itself, which cannot be inspected.
    Context,
}

/// Code that was evaluated in a frame, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Evaluated {
    /// The code.
    pub code: String,
    /// The answer printed, or the error.
    pub answer: String,
    /// Whether it is an answer.
    pub good: bool,
}

/// What is done with debuggers.
///
/// What is done with a frame names the `stop` that it is meant in, so that nothing is done to a process
/// that has moved meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum DebuggerAct {
    /// Show another one.
    Show {
        /// Its id.
        debugger: String,
    },
    /// Choose a frame.
    Choose {
        /// The debugger that it is meant in.
        debugger: String,
        /// [`DebuggerView::stop`] that it is meant in.
        stop: u64,
        /// Its number.
        frame: u32,
    },
    /// Carry out an operation.
    Run {
        /// The debugger that it is meant in.
        debugger: String,
        /// [`DebuggerView::stop`] that it is meant in.
        stop: u64,
        /// The frame that it is meant for.
        frame: u32,
        /// What to do.
        operation: DebugOperation,
        /// Code for [`DebugOperation::EvaluateInFrame`] and [`DebugOperation::ReturnValue`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    },
    /// Show the value of a variable in the inspector.
    Inspect {
        /// The debugger that it is meant in.
        debugger: String,
        /// [`DebuggerView::stop`] that it is meant in.
        stop: u64,
        /// The frame whose variable it is.
        frame: u32,
        /// Number of the variable in [`DebuggerView::variables`].
        variable: u32,
    },
}

/// What an operation is called where people see it, as Pharo's debugger calls it.
pub fn name_of(operation: DebugOperation) -> &'static str {
    match operation {
        DebugOperation::StepInto => "Into",
        DebugOperation::StepOver => "Over",
        DebugOperation::StepOut => "Out",
        DebugOperation::Continue => "Proceed",
        DebugOperation::Restart => "Restart",
        DebugOperation::ReturnValue => "Return Value",
        DebugOperation::Terminate => "Terminate",
        DebugOperation::EvaluateInFrame => "Evaluate",
        DebugOperation::GetStackTrace | DebugOperation::GetLocalVars => "Look",
        DebugOperation::SetBreakpoint => "Set Breakpoint",
        DebugOperation::RemoveBreakpoint => "Remove Breakpoint",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_travels_with_what_it_is_meant_for() {
        let act = DebuggerAct::Run {
            debugger: "d1".into(),
            stop: 3,
            frame: 2,
            operation: DebugOperation::StepOver,
            code: None,
        };
        let json = serde_json::to_string(&act).unwrap();
        assert_eq!(
            json,
            r#"{"do":"run","debugger":"d1","stop":3,"frame":2,"operation":"StepOver"}"#
        );
        assert_eq!(serde_json::from_str::<DebuggerAct>(&json).unwrap(), act);
    }
}

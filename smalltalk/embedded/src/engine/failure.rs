//! What went wrong in the machine, as the protocol tells it.

use std::time::Duration;

use stui_protocol::error::{ErrorCode, ErrorDetails, ErrorInfo, RuntimeError, StackFrame};
use stui_protocol::position::{Position, Range};

use crate::syntax::CompileError;
use crate::syntax::ast::Span;
use crate::vm;

/// Most frames of a stack that are told.
const MAX_FRAMES: usize = 50;
/// Characters of a frame's or error's text that are told.
const MAX_TEXT: usize = 2000;

/// A part of a source as the protocol counts it.
fn range(source: &str, span: Span) -> Range {
    Range::in_text(source, span.start as usize + 1, span.end as usize + 1)
}

/// The error for code that does not compile.
pub(super) fn compile_error(source: &str, error: &CompileError) -> ErrorInfo {
    ErrorInfo::new(ErrorCode::CompileError, error.sentence()).with(ErrorDetails {
        at: Some(Position {
            position: error.position as usize,
            line: error.line as usize,
            column: error.column as usize,
        }),
        range: Some(range(source, error.range)),
        ..ErrorDetails::default()
    })
}

/// An exception that nothing handled.
pub(super) fn runtime_error(
    class_name: String,
    message: &str,
    stack: &[vm::StackFrame],
) -> RuntimeError {
    RuntimeError {
        class_name,
        message: cut(message, MAX_TEXT),
        stack: frames(stack, MAX_FRAMES),
        debug_id: None,
    }
}

/// The frames down to the evaluated code, the machine's own below it left out.
pub(super) fn frames(stack: &[vm::StackFrame], limit: usize) -> Vec<StackFrame> {
    let end = stack
        .iter()
        .rposition(|frame| frame.is_do_it)
        .map_or(stack.len(), |last| last + 1);
    both_ends(stack[..end].iter().collect(), limit)
        .into_iter()
        .map(|frame| StackFrame {
            method: cut(&frame.method, MAX_TEXT),
            receiver_class: frame.receiver_class.clone(),
            class_name: Some(frame.class_name.clone()),
            selector: Some(frame.selector.clone()),
            is_evaluated_code: frame.is_do_it,
            range: Some(range(&frame.source, frame.range)),
        })
        .collect()
}

/// At most `limit` of what may be a very deep stack, innermost first: the innermost three quarters, and the outermost.
pub(super) fn both_ends<T>(mut stack: Vec<T>, limit: usize) -> Vec<T> {
    if stack.len() > limit {
        let outermost = limit / 4;
        stack.drain(limit - outermost..stack.len() - outermost);
    }
    stack
}

/// The error for an expression whose answer was needed and that failed.
pub(super) fn evaluation_error(error: RuntimeError) -> ErrorInfo {
    let trace: Vec<&str> = error
        .stack
        .iter()
        .map(|frame| frame.method.as_str())
        .collect();
    let mut info = ErrorInfo::new(ErrorCode::EvaluationError, error.summary());
    info.stack_trace = Some(trace.join("\n"));
    info.with(ErrorDetails {
        class_name: Some(error.class_name),
        stack: error.stack,
        ..ErrorDetails::default()
    })
}

/// The error for what was interrupted.
pub(crate) fn interrupted() -> ErrorInfo {
    ErrorInfo::new(ErrorCode::Interrupted, "Interrupted.")
}

/// The error for a process that ended itself or was ended by another one.
pub(super) fn terminated() -> ErrorInfo {
    ErrorInfo::new(
        ErrorCode::Interrupted,
        "The process of the evaluation was terminated by Smalltalk code.",
    )
}

/// The error for what took too long.
pub(super) fn timed_out(limit: Duration) -> ErrorInfo {
    let milliseconds = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
    ErrorInfo::new(
        ErrorCode::Timeout,
        format!("It took longer than the {milliseconds} ms that it was given, and was stopped."),
    )
    .with(ErrorDetails {
        limit: Some(milliseconds),
        ..ErrorDetails::default()
    })
}

/// The first characters of a text.
pub(super) fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => text[..end].to_owned(),
        None => text.to_owned(),
    }
}

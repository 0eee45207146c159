//! `pharo-answers.json`: expressions, each with what a real Pharo 12 answered.
//!
//! Every case is evaluated in a session of its own, declaring nothing by assignment. What Pharo printed, the class of the
//! answer, error and message, position of a compile error and Transcript text have to be the same.

use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Value, json};
use stui_protocol::Uuid;

use crate::wire::{PATIENCE, Wire, request};

/// How long a case may run.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// How long an error's unwind blocks may take after the error was answered.
const SETTLING: Duration = Duration::from_secs(2);

/// One expression with Pharo's answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Names the case: `literals-002`.
    pub id: String,
    /// What it is about: `literals`.
    pub topic: String,
    /// What it asks of a Smalltalk.
    pub level: Level,
    /// The expression.
    pub code: String,
    /// The answer's `printString`.
    pub print: Option<String>,
    /// Name of the answer's class.
    pub class: Option<String>,
    /// The answer's `displayString`, where it differs from `print`.
    pub display: Option<String>,
    /// Class of the error that is signaled and not handled.
    pub error: Option<String>,
    /// The error's `messageText`, or the compiler's message.
    pub message: Option<String>,
    /// Whether the expression does not compile.
    #[serde(default)]
    pub compile_error: bool,
    /// Where it does not: 1-based.
    pub position: Option<u64>,
    /// What it writes to Transcript.
    pub transcript: Option<String>,
}

/// What a case asks of a Smalltalk.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// What every Smalltalk has in common.
    Core,
    /// What is Pharo's.
    Pharo,
    /// What takes a whole Pharo image.
    Image,
}

/// The cases, compiled in.
///
/// # Errors
/// When the file does not have the form of [`Case`].
pub fn cases() -> Result<Vec<Case>> {
    serde_json::from_str(include_str!("../pharo-answers.json")).context("pharo-answers.json")
}

/// What a server answered to a case, in the case's own terms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// See [`Case::print`].
    pub print: Option<String>,
    /// See [`Case::class`].
    pub class: Option<String>,
    /// See [`Case::display`].
    pub display: Option<String>,
    /// See [`Case::error`].
    pub error: Option<String>,
    /// See [`Case::message`].
    pub message: Option<String>,
    /// See [`Case::compile_error`].
    pub compile_error: bool,
    /// See [`Case::position`].
    pub position: Option<u64>,
    /// See [`Case::transcript`]; lines end with LF.
    pub transcript: String,
}

/// Evaluates `case` on the server at the other end of `wire`.
///
/// # Errors
/// When the server does not answer, or with something that is no answer to an evaluation.
pub fn evaluate(case: &Case, wire: &mut Wire) -> Result<Answer> {
    let client = format!("conformance-{}", Uuid::new_v4());
    let created = wire.ask(&request("CreateSession", &json!({"client_id": client})))?;
    let session = created["data"]["session_id"]
        .as_str()
        .with_context(|| format!("no session: {created}"))?
        .to_owned();
    let in_session = json!({"session_id": session});
    wire.ask(&request("Subscribe", &in_session))?;
    let evaluated = wire.ask(&request(
        "Evaluate",
        &json!({
            "code": case.code,
            "session_id": session,
            "evaluation_mode": "Display",
            "strict": true,
            "timeout_ms": TIME_LIMIT.as_millis() as u64,
        }),
    ))?;
    if let Some(kept) = evaluated["data"]["error"]["debug_id"].as_str() {
        // Pharo's answers were recorded without a debugger: what failed was ended, and its unwind blocks ran.
        let terminate = json!({"operation": "Terminate", "context": kept});
        wire.ask(&request("Debug", &terminate))?;
    }
    let mut answer = read(&evaluated)?;
    if !answer.compile_error {
        let expected = case.transcript.as_deref().unwrap_or_default();
        answer.transcript = transcript(wire, &session, expected)?;
    }
    wire.ask(&request("CloseSession", &in_session))?;
    Ok(answer)
}

/// What the evaluation wrote: the events up to the one that says it is finished, and, while what is expected goes on from
/// there, those that unwind blocks write after an error was answered.
fn transcript(wire: &mut Wire, session: &str, expected: &str) -> Result<String> {
    let mut text = String::new();
    let mut finished = false;
    loop {
        let waits_for_more = expected.len() > text.len() && expected.starts_with(&text);
        if finished && !waits_for_more {
            return Ok(text);
        }
        let patience = if finished { SETTLING } else { PATIENCE };
        let event = match wire.event(patience, |event| event["session_id"] == session) {
            Ok(event) => event,
            Err(_) if finished => return Ok(text),
            Err(error) => return Err(error),
        };
        match event["event_type"].as_str() {
            Some("Transcript") => {
                let written = event["data"]["text"].as_str().unwrap_or_default();
                text.push_str(&written.replace("\r\n", "\n").replace('\r', "\n"));
            }
            Some("EvaluationFinished") => finished = true,
            _ => {}
        }
    }
}

fn read(response: &Value) -> Result<Answer> {
    let data = &response["data"];
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match response["response_type"].as_str() {
        Some("Evaluate") if data["has_error"] == true => Ok(Answer {
            error: text(&data["error"]["class_name"]),
            message: text(&data["error"]["message"]),
            ..Answer::default()
        }),
        Some("Evaluate") => Ok(Answer {
            print: text(&data["result"]),
            class: text(&data["result_type"]),
            display: text(&data["display"]),
            ..Answer::default()
        }),
        Some("Error") if data["code"] == "CompileError" => Ok(Answer {
            compile_error: true,
            message: text(&data["message"]),
            position: data["details"]["position"].as_u64(),
            ..Answer::default()
        }),
        Some("Error") => Ok(Answer {
            error: text(&data["code"]),
            message: text(&data["message"]),
            ..Answer::default()
        }),
        _ => anyhow::bail!("no answer to an evaluation: {response}"),
    }
}

/// Compares an answer with Pharo's: one line for each field that differs.
pub fn differences(case: &Case, answer: &Answer) -> Vec<String> {
    let mut differences = Vec::new();
    let mut compare = |field: &str, expected: Option<&str>, got: Option<&str>| {
        if let Some(expected) = expected
            && got != Some(expected)
        {
            let got = got.map_or_else(|| "nothing".to_owned(), |got| format!("{got:?}"));
            differences.push(format!("{field}: expected {expected:?}, got {got}"));
        }
    };
    compare("error", case.error.as_deref(), answer.error.as_deref());
    compare("print", case.print.as_deref(), answer.print.as_deref());
    compare("class", case.class.as_deref(), answer.class.as_deref());
    compare(
        "display",
        case.display.as_deref(),
        answer.display.as_deref(),
    );
    let position = |p: Option<u64>| p.map(|p| p.to_string());
    compare(
        "position",
        position(case.position).as_deref(),
        position(answer.position).as_deref(),
    );
    // a compiler may add the place to its message
    let message = match (&case.message, &answer.message) {
        (Some(expected), Some(got)) if case.compile_error && got.starts_with(expected.as_str()) => {
            Some(expected.as_str())
        }
        (_, got) => got.as_deref(),
    };
    compare("message", case.message.as_deref(), message);
    let expected_transcript = case.transcript.as_deref().unwrap_or_default();
    compare(
        "transcript",
        Some(expected_transcript),
        Some(&answer.transcript),
    );
    if case.print.is_some() && differences.len() > 1 {
        let failure = answer.error.as_deref().unwrap_or(if answer.compile_error {
            "compile error"
        } else {
            ""
        });
        if !failure.is_empty() {
            let message = answer.message.as_deref().unwrap_or_default();
            return vec![format!(
                "expected {:?}, got {failure}: {message:?}",
                case.print.as_deref().unwrap_or_default()
            )];
        }
    }
    differences
}

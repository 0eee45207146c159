//! `stui eval`: evaluate from the shell.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use stui_protocol::error::{ErrorCode, ErrorInfo, RuntimeError};
use stui_protocol::event::Happening;
use stui_protocol::position::Position;
use stui_protocol::request::{self, EvaluationMode};
use stui_protocol::response::{self, Response};

use super::sessions::{say as ask, which};
use crate::calls::Call;
use crate::cli;
use crate::client::{Client, ClientError, Pending};
use crate::hub::asked::{Ask, Told};
use crate::link::random_id;
use crate::places::Places;
use crate::servers::{choose, connection_file_of_image, images};

/// How long a server may take to answer what needs no evaluation.
const LIMIT: Duration = Duration::from_secs(10);
/// How often signals and the time limit are looked at.
const SLICE: Duration = Duration::from_millis(50);
/// Most frames of a stack that are shown.
const MAX_FRAMES: usize = 8;

const FAILED: u8 = 1;
const NO_SERVER: u8 = 2;
const INTERRUPTED: u8 = 130;

/// Evaluates and prints.
///
/// # Errors
/// If the code cannot be read.
pub fn run(options: cli::Eval) -> Result<ExitCode> {
    super::log("error");
    let code = match options.code {
        Some(code) => code,
        None => read_code()?,
    };
    let places = Places::from_environment()?;
    let zellij_session = std::env::var("ZELLIJ_SESSION_NAME").ok();
    let workspace = match &options.workspace {
        Some(name) => match workspace(&places, zellij_session.as_deref(), name) {
            Ok(found) => Some(found),
            Err(error) => {
                say(format_args!("stui: {error:#}"));
                return Ok(ExitCode::from(NO_SERVER));
            }
        },
        None => None,
    };
    let named = workspace.as_ref().map(|(file, _)| file.as_path());
    let named = named.or(options.connection_file.as_deref());
    let client = match choose(&places, named, zellij_session.as_deref()) {
        Ok((_, file)) => Client::connect(&file, LIMIT),
        Err(error) => {
            say(format_args!("stui: {error}"));
            return Ok(ExitCode::from(NO_SERVER));
        }
    };
    let client = match client {
        Ok(client) => client,
        Err(error) => {
            say(format_args!("stui: {error}"));
            return Ok(ExitCode::from(NO_SERVER));
        }
    };
    let is_kept = options.session.is_some() || workspace.is_some();
    let session_id = match workspace {
        Some((_, session_id)) => Some(session_id),
        None => session(&client, options.session.as_deref())?,
    };
    listen(&client, session_id.as_deref())?;
    let pending = client.begin(request::Evaluate {
        code: code.clone(),
        evaluation_mode: Some(EvaluationMode::Display),
        session_id: session_id.clone(),
        ..request::Evaluate::default()
    });
    let ended = wait(&client, &pending, options.timeout);
    if let (Some(session_id), false) = (session_id, is_kept) {
        // The server would forget it by and by; sooner is better.
        drop(client.request(request::CloseSession { session_id }, LIMIT));
    }
    let answer = match ended {
        Ok(Ended::Answered(answer)) => answer,
        Ok(Ended::Interrupted) => {
            say(format_args!("stui: interrupted"));
            return Ok(ExitCode::from(INTERRUPTED));
        }
        Ok(Ended::TimedOut(limit)) => {
            say(format_args!(
                "stui: it took longer than {} s and was interrupted",
                limit.as_secs()
            ));
            return Ok(ExitCode::from(FAILED));
        }
        Err(error) => {
            say(format_args!("stui: {error}"));
            return Ok(ExitCode::from(NO_SERVER));
        }
    };
    show(&code, *answer)
}

fn read_code() -> Result<String> {
    if std::io::stdin().is_terminal() {
        bail!("no code: give it as an argument or on standard input (see `stui eval --help`)");
    }
    let mut code = String::new();
    std::io::stdin()
        .take(stui_protocol::MAX_MESSAGE as u64)
        .read_to_string(&mut code)
        .context("standard input is not text in UTF-8")?;
    Ok(code)
}

/// The session to evaluate in: that of a name, which the server
/// knows by the client id made from it, or a new one. None if the server has no sessions.
fn session(client: &Client, name: Option<&str>) -> Result<Option<String>> {
    let client_id = match name {
        Some(name) => format!("stui-eval-{name}"),
        None => format!("stui-eval-process-{}", random_id()),
    };
    let mut session_id = None;
    if name.is_some() {
        let client_id = client_id.clone();
        let listed = client.request(request::ListClientSessions { client_id }, LIMIT)?;
        if let Response::ListClientSessions(listed) = listed {
            session_id = listed.sessions.into_iter().next().map(|s| s.session_id);
        }
    }
    if session_id.is_none() {
        let request = request::CreateSession {
            client_id,
            timeout: None,
        };
        match client.request(request, LIMIT)? {
            Response::CreateSession(created) => session_id = Some(created.session.session_id),
            Response::Error(error)
                if name.is_none() && error.code == ErrorCode::UnsupportedOperation => {}
            Response::Error(error) => bail!("the server gives no session: {}", error.message),
            other => bail!("the server answered CreateSession with {}", other.name()),
        }
    }
    Ok(session_id)
}

/// Wants to be told what is written to Transcript from now on in a session.
fn listen(client: &Client, session_id: Option<&str>) -> Result<()> {
    let Some(session_id) = session_id else {
        return Ok(());
    };
    let request = request::Subscribe {
        session_id: Some(session_id.to_owned()),
        from_sequence: None,
    };
    // A server without events still evaluates.
    if let Response::Subscribe(answer) = client.request(request, LIMIT)? {
        client.subscribe(session_id, answer.next_sequence);
    }
    Ok(())
}

/// The connection file and the id on its server of a session of STUI's panes.
fn workspace(
    places: &Places,
    zellij_session: Option<&str>,
    name: &str,
) -> Result<(PathBuf, String)> {
    let zellij_session = which(places, zellij_session)?;
    let name = name.to_owned();
    let told = ask(places, &zellij_session, &Call::Sessions(Ask::Info { name }))?;
    let info = match told {
        Told::Info(info) => info,
        Told::Refused { reason } => bail!(reason),
        _ => bail!(
            "the sidecar of {zellij_session} is of another version; end the session and open it again"
        ),
    };
    let Some(session_id) = info.session_id else {
        bail!(
            "{} has no session on its server yet: evaluate something in its workspace",
            info.row.name
        );
    };
    let images = images(places, &zellij_session);
    let image = images.iter().find(|image| image.name == info.row.image);
    let image = image.with_context(|| format!("the image {} is not connected", info.row.image))?;
    Ok((
        connection_file_of_image(places, &zellij_session, image),
        session_id,
    ))
}

/// Writes what the code wrote to Transcript to standard error, so that standard output holds the
/// answer alone.
fn show_transcript(client: &Client) {
    for event in client.events().try_iter() {
        if let Happening::Transcript(transcript) = event.happening {
            let text = transcript.text.replace("\r\n", "\n").replace('\r', "\n");
            complain(&text);
        }
    }
    match client.take_missed() {
        0 => {}
        missed => say(format_args!(
            "stui: {missed} pieces of Transcript came too fast and are missing"
        )),
    }
}

enum Ended {
    Answered(Box<Response>),
    Interrupted,
    TimedOut(Duration),
}

/// Waits for the answer; Ctrl-C and the time limit interrupt the evaluation.
fn wait(
    client: &Client,
    pending: &Pending<'_>,
    timeout: Option<u64>,
) -> Result<Ended, ClientError> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    let limit = timeout.map(Duration::from_secs);
    let deadline = limit.map(|limit| Instant::now() + limit);
    loop {
        let answer = pending.wait(SLICE);
        // Events that came before the answer are here before it.
        show_transcript(client);
        match answer {
            Ok(response) => return Ok(Ended::Answered(Box::new(response))),
            Err(ClientError::Timeout(_)) => {}
            Err(error) => return Err(error),
        }
        let timed_out = deadline.is_some_and(|deadline| Instant::now() >= deadline);
        let stopped = stop.load(Ordering::Relaxed);
        if !timed_out && !stopped {
            continue;
        }
        client.request(request::Interrupt::of_request(&pending.id()), LIMIT)?;
        return Ok(match limit {
            Some(limit) if !stopped => Ended::TimedOut(limit),
            _ => Ended::Interrupted,
        });
    }
}

fn show(code: &str, answer: Response) -> Result<ExitCode> {
    match answer {
        Response::Evaluate(answer) if answer.has_error => {
            let error = answer.error.unwrap_or_else(|| RuntimeError {
                class_name: answer.result,
                ..RuntimeError::default()
            });
            complain(&runtime_error(&error));
            Ok(ExitCode::from(FAILED))
        }
        Response::Evaluate(answer) => print(&answer),
        Response::Error(error) => {
            complain(&refusal(code, &error));
            Ok(ExitCode::from(FAILED))
        }
        other => bail!("the server answered Evaluate with {}", other.name()),
    }
}

/// Writes what came from the server to standard error. Nobody reading is no failure.
fn complain(text: &str) {
    let mut err = std::io::stderr().lock();
    let text = for_terminal(text, err.is_terminal());
    let _ = err.write_all(text.as_bytes());
}

/// Writes a sentence of its own to standard error.
fn say(sentence: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "{sentence}");
}

/// A text that a server sent, as it may be shown: a terminal would obey control characters, so there
/// they are written as `^[`. What goes into a file or a program goes as it is.
fn for_terminal(text: &str, is_terminal: bool) -> Cow<'_, str> {
    let is_harmless = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    if !is_terminal || text.chars().all(is_harmless) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if is_harmless(c) => shown.push(c),
            c if c.is_ascii() => {
                shown.push('^');
                // Its letter: 0x1b is `[`, 0x7f is `?`.
                shown.push(char::from(c as u8 ^ 0x40));
            }
            _ => shown.push(char::REPLACEMENT_CHARACTER),
        }
    }
    Cow::Owned(shown)
}

fn print(answer: &response::Evaluate) -> Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    let text = for_terminal(&answer.result, out.is_terminal());
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        // `stui eval … | head` is no failure.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            return Err(error).context("cannot write the answer");
        }
        _ => {}
    }
    if answer.truncated {
        say(format_args!("stui: the answer is longer than shown"));
    }
    Ok(ExitCode::SUCCESS)
}

/// An error that the code signalled, with the frames that are nearest to it.
fn runtime_error(error: &RuntimeError) -> String {
    let mut text = error.summary() + "\n";
    for frame in error.stack.iter().take(MAX_FRAMES) {
        let _ = writeln!(text, "  {}", frame.method);
    }
    if error.stack.len() > MAX_FRAMES {
        let _ = writeln!(text, "  … {} more", error.stack.len() - MAX_FRAMES);
    }
    text
}

/// An error that the server answered; of the compiler's, with the place in the code.
fn refusal(code: &str, error: &ErrorInfo) -> String {
    let at = error.details.as_deref().and_then(|details| details.at);
    match (error.code, at) {
        (ErrorCode::CompileError, Some(at)) => {
            format!("{}\n{}", error.message, caret(code, at))
        }
        (ErrorCode::CompileError, None) => format!("{}\n", error.message),
        (code, _) => format!("{code}: {}\n", error.message),
    }
}

/// The line of a place, and a caret below the place.
fn caret(code: &str, at: Position) -> String {
    let line = code.lines().nth(at.line - 1).unwrap_or_default();
    let before: String = line
        .chars()
        .take(at.column - 1)
        .map(|c| if c == '\t' { '\t' } else { ' ' })
        .collect();
    format!("  {line}\n  {before}^\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use stui_protocol::error::{ErrorDetails, StackFrame};

    #[test]
    fn a_compile_error_shows_its_place() {
        let code = "x := 1.\n3 + ) 4";
        let error = ErrorInfo::new(ErrorCode::CompileError, "Variable or expression expected")
            .with(ErrorDetails {
                at: Some(Position::in_text(code, 13)),
                ..ErrorDetails::default()
            });
        assert_eq!(
            refusal(code, &error),
            "Variable or expression expected\n  3 + ) 4\n      ^\n"
        );
    }

    #[test]
    fn a_terminal_is_not_made_to_obey_what_a_server_sends() {
        let text = "a\tb\n\u{1b}]0;title\u{7}\u{9b}2J\r\u{7f}é";
        assert_eq!(
            for_terminal(text, true),
            "a\tb\n^[]0;title^G\u{fffd}2J^M^?é"
        );
        assert_eq!(for_terminal(text, false), text);
    }

    #[test]
    fn a_long_stack_is_cut() {
        let error = RuntimeError {
            class_name: "ZeroDivide".into(),
            stack: (0..20)
                .map(|n| StackFrame {
                    method: format!("Foo>>bar{n}"),
                    ..StackFrame::default()
                })
                .collect(),
            ..RuntimeError::default()
        };
        let text = runtime_error(&error);
        assert!(text.starts_with("ZeroDivide\n  Foo>>bar0\n"));
        assert!(text.ends_with("  Foo>>bar7\n  … 12 more\n"));
    }
}

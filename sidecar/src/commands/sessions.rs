//! `stui sessions`, `stui connect` and `stui disconnect`: what a running sidecar has, and what it is to
//! do about it. Where none runs, the list shows what is saved on disk.

use std::fmt::Write as _;
use std::io;
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use stui_protocol::pane::Link;
use stui_protocol::sessions::{SessionList, SessionRow};
use unicode_width::UnicodeWidthStr;

use crate::calls::{Answer, Call, call};
use crate::cli;
use crate::client::read_connection_file;
use crate::hub::Hub;
use crate::hub::asked::{Ask, ImageStats, Info, Told};
use crate::hub::record::{Record, Snapshot};
use crate::journal::Journal;
use crate::places::Places;
use crate::servers;
use crate::target::Target;

/// Does what the command line says.
///
/// # Errors
/// If there is no sidecar, or it refuses, in one sentence.
pub fn run(options: cli::Sessions) -> Result<ExitCode> {
    let places = Places::from_environment()?;
    let session = which(&places, options.zellij_session.as_deref())?;
    let ask = match options.command.unwrap_or(cli::SessionsCommand::List) {
        cli::SessionsCommand::List => return list(&places, &session),
        cli::SessionsCommand::Info { name } => Ask::Info { name },
        cli::SessionsCommand::New { name, image } => Ask::New { name, image },
        cli::SessionsCommand::Rename { from, to } => Ask::Rename { from, to },
        cli::SessionsCommand::Close { name } => Ask::Close { name },
        cli::SessionsCommand::Stats => Ask::Stats,
    };
    show(say(&places, &session, &Call::Sessions(ask))?)
}

/// Connects a running sidecar to another image.
///
/// # Errors
/// If there is no sidecar, or it refuses, in one sentence.
pub fn connect(options: cli::Connect) -> Result<ExitCode> {
    let places = Places::from_environment()?;
    let session = which(&places, options.zellij_session.as_deref())?;
    if let Target::File(file) = &options.target {
        read_connection_file(file)?;
    }
    show(connect_to(
        &places,
        &session,
        &options.target,
        options.name,
    )?)
}

/// Tells a running sidecar to connect to something.
///
/// # Errors
/// If there is none.
pub(super) fn connect_to(
    places: &Places,
    session: &str,
    target: &Target,
    name: Option<String>,
) -> Result<Told> {
    let target = target.to_string();
    say(places, session, &Call::Connect { target, name })
}

/// Ends a running sidecar's connection to an image.
///
/// # Errors
/// If there is no sidecar, or it refuses, in one sentence.
pub fn disconnect(options: cli::Disconnect) -> Result<ExitCode> {
    let places = Places::from_environment()?;
    let session = which(&places, options.zellij_session.as_deref())?;
    let name = options.name;
    show(say(&places, &session, &Call::Disconnect { name })?)
}

/// The Zellij session that is meant: the one that was named, else the only one with a sidecar.
pub(super) fn which(places: &Places, named: Option<&str>) -> Result<String> {
    if let Some(named) = named {
        return Ok(named.to_owned());
    }
    let mut saved = places.sessions();
    let living: Vec<String> = saved
        .iter()
        .filter(|name| call(&places.sidecar_socket(name), &Call::Status).is_ok())
        .cloned()
        .collect();
    match (living.as_slice(), saved.as_slice()) {
        ([one], _) => Ok(one.clone()),
        ([], []) => bail!("there is no STUI session yet; `stui up` opens one"),
        ([], [_]) => Ok(saved.remove(0)),
        ([], _) => bail!(
            "no STUI session runs; say which saved one with --zellij-session: {}",
            saved.join(", ")
        ),
        _ => bail!(
            "several STUI sessions run; say which with --zellij-session: {}",
            living.join(", ")
        ),
    }
}

/// Says something to the sidecar of a Zellij session that it answers with what is told of sessions.
///
/// # Errors
/// If there is none, or one of another version.
pub(super) fn say(places: &Places, session: &str, message: &Call) -> Result<Told> {
    match call(&places.sidecar_socket(session), message) {
        Ok(Answer::Sessions(told)) => Ok(told),
        Ok(_) => bail!(
            "the sidecar of {session} is of another version; end the session and open it again"
        ),
        Err(error) if is_missing(&error) => bail!(
            "no sidecar runs for the Zellij session {session}; `stui up --session {session}` opens it"
        ),
        Err(error) => Err(error).context(format!(
            "the sidecar of {session} does not answer; `stui doctor` says more"
        )),
    }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
    )
}

fn list(places: &Places, session: &str) -> Result<ExitCode> {
    match call(&places.sidecar_socket(session), &Call::Sessions(Ask::List)) {
        Ok(Answer::Sessions(told)) => show(told),
        Err(error) if is_missing(&error) => {
            let folder = places.session(session);
            if !folder.is_dir() {
                bail!(
                    "nothing is saved of a Zellij session {session}; `stui up --session {session}` opens it"
                );
            }
            let (_, found) = Journal::open::<Snapshot, Record>(&folder)?;
            let images = servers::images(places, session);
            let images = images
                .into_iter()
                .map(|image| (image.name, image.target.to_string()));
            let hub = Hub::restored(String::new(), 0, images, found.snapshot, found.records);
            println!("The Zellij session {session} does not run; this is saved of it:");
            print!("{}", table(&hub.list(), now(), false));
            Ok(ExitCode::SUCCESS)
        }
        Ok(_) | Err(_) => show(say(places, session, &Call::Sessions(Ask::List))?),
    }
}

fn now() -> u64 {
    SystemTime::UNIX_EPOCH
        .elapsed()
        .map_or(0, |time| time.as_secs())
}

fn show(told: Told) -> Result<ExitCode> {
    match told {
        Told::List { list, now } => print!("{}", table(&list, now, true)),
        Told::Info(info) => print!("{}", details(&info, now())),
        Told::Stats { images } => print!("{}", statistics(&images)),
        Told::Done { text } => println!("{text}"),
        Told::Refused { reason } => bail!("{reason}"),
    }
    Ok(ExitCode::SUCCESS)
}

/// How a link is, in a few words.
fn state(link: &Link) -> String {
    match link {
        Link::Connecting => "connecting".into(),
        Link::Starting { what } => what.clone(),
        Link::Connected => "connected".into(),
        Link::Reconnecting { attempt, reason } => format!("reconnecting ({attempt}): {reason}"),
        Link::Failed { reason } => format!("failed: {reason}"),
    }
}

/// The list as text; `running` says whether its sidecar does.
fn table(list: &SessionList, now: u64, running: bool) -> String {
    let mut rows = vec![["SESSION", "IMAGE", "EVALUATED", "USED", "STATE"].map(str::to_owned)];
    rows.extend(list.sessions.iter().map(|row| {
        [
            row.name.clone(),
            row.image.clone(),
            row.history.to_string(),
            ago(row.used, now),
            state_of(row, running),
        ]
    }));
    let mut images = vec![["IMAGE", "SESSIONS", "STATE", "CONNECTED TO", ""].map(str::to_owned)];
    images.extend(list.images.iter().map(|row| {
        [
            row.name.clone(),
            row.sessions.to_string(),
            match &row.link {
                _ if !running => "saved".into(),
                Link::Connected if !row.dialect.is_empty() => row.dialect.clone(),
                link => state(link),
            },
            row.target.clone(),
            String::new(),
        ]
    }));
    format!("{}\n{}", aligned(&rows), aligned(&images))
}

fn state_of(row: &SessionRow, running: bool) -> String {
    let mut words = vec![if running {
        state(&row.link)
    } else {
        "saved".into()
    }];
    if row.running > 0 {
        words.push(format!("{} running", row.running));
    }
    match row.debuggers {
        0 => {}
        1 => words.push("1 debugger".into()),
        count => words.push(format!("{count} debuggers")),
    }
    if row.lost > 0 {
        words.push(format!("{} to run again", row.lost));
    }
    if !row.viewers.is_empty() {
        words.push(format!("{} looking at it", row.viewers.len()));
    }
    // The first may be a sentence.
    let state = words.remove(0);
    if words.is_empty() {
        return state;
    }
    format!("{}, {}", state.trim_end_matches('.'), words.join(", "))
}

fn ago(used: u64, now: u64) -> String {
    match now.saturating_sub(used) {
        _ if used == 0 => "never".into(),
        0..60 => "now".into(),
        s @ 60..3600 => format!("{} min ago", s / 60),
        s @ 3600..86_400 => format!("{} h ago", s / 3600),
        s => format!("{} days ago", s / 86_400),
    }
}

/// Rows with their columns one below the other.
fn aligned(rows: &[[String; 5]]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].width());
        cells.max().unwrap_or(0)
    };
    let widths = [0, 1, 2, 3, 4].map(width);
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            let pad = width - cell.width() + 2;
            // Writing to memory cannot fail.
            let _ = write!(line, "{cell}{:pad$}", "");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn details(info: &Info, now: u64) -> String {
    let row = &info.row;
    let mut text = String::new();
    let mut item = |term: &str, words: &str| {
        // Writing to memory cannot fail.
        let _ = writeln!(text, "{term:12}{words}");
    };
    item("Session", &row.name);
    item("Image", &row.image);
    item("State", &state_of(row, true));
    item("Used", &ago(row.used, now));
    item(
        "Text",
        &match info.lines {
            1 => "1 line".to_owned(),
            lines => format!("{lines} lines"),
        },
    );
    match (&info.session_id, info.expires_in) {
        (None, _) => item("On server", "no session yet"),
        (Some(id), None) => item("On server", id),
        (Some(id), Some(seconds)) => {
            let kept = info.history_on_server.unwrap_or_default();
            let hours = seconds / 3600;
            item(
                "On server",
                &format!("{id}, kept for {hours} h without use, {kept} evaluations"),
            );
        }
    }
    if !info.inspected.is_empty() {
        item("Inspected", &info.inspected.join(" › "));
    }
    for (id, title) in &info.debuggers {
        item("Debugger", &format!("{id}  {title}"));
    }
    if row.history as usize > info.history.len() {
        let count = info.history.len();
        item("History", &format!("the last {count} of {}:", row.history));
    } else if row.history > 0 {
        item("History", "");
    }
    for (code, good, answer) in &info.history {
        let sign = if *good { "→" } else { "✗" };
        let _ = writeln!(text, "  {code}  {sign} {answer}");
    }
    text
}

fn statistics(images: &[ImageStats]) -> String {
    let mut rows = vec![["IMAGE", "SESSIONS", "OF THIS", "CLIENTS", "LIMIT"].map(str::to_owned)];
    rows.extend(images.iter().map(|stats| match &stats.failure {
        Some(failure) => [
            stats.image.clone(),
            failure.clone(),
            String::new(),
            String::new(),
            String::new(),
        ],
        None => [
            stats.image.clone(),
            stats.total_sessions.to_string(),
            stats.own_sessions.to_string(),
            stats.active_clients.to_string(),
            stats.max_sessions_per_client.to_string(),
        ],
    }));
    aligned(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stui_protocol::sessions::ImageRow;

    #[test]
    fn a_list_is_two_tables() {
        let list = SessionList {
            sessions: vec![SessionRow {
                name: "main".into(),
                image: "embedded".into(),
                link: Link::Connected,
                used: 940,
                history: 3,
                lost: 2,
                viewers: vec![1],
                ..SessionRow::default()
            }],
            images: vec![ImageRow {
                name: "embedded".into(),
                target: "embedded".into(),
                link: Link::Connected,
                dialect: "Embedded 0.1.0".into(),
                sessions: 1,
            }],
        };
        assert_eq!(
            table(&list, 1000, true),
            "SESSION  IMAGE     EVALUATED  USED       STATE\n\
             main     embedded  3          1 min ago  connected, 2 to run again, 1 looking at it\n\
             \n\
             IMAGE     SESSIONS  STATE           CONNECTED TO\n\
             embedded  1         Embedded 0.1.0  embedded\n"
        );
    }
}

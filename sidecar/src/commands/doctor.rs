//! `stui doctor`: each link from the terminal to Smalltalk, and what to do about it.

use std::fmt::Display;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use stui_protocol::pane::Link;
use stui_protocol::request;

use crate::calls::{Answer, Call, Report, call};
use crate::cli;
use crate::client::Client;
use crate::permissions;
use crate::places::Places;
use crate::plugin_file::{self, PLUGIN};
use crate::servers::{all_living, connection_file_of, living};
use crate::zellij::{OLDEST, Zellij};

/// How long a server may take.
const LIMIT: Duration = Duration::from_secs(5);

/// What was found, line by line.
#[derive(Default)]
struct Findings {
    problems: u32,
}

impl Findings {
    fn problem(&mut self, what: impl Display, remedy: impl Display) {
        self.problems += 1;
        println!("problem  {what}");
        println!("         → {remedy}");
    }
}

fn ok(what: impl Display) {
    println!("ok       {what}");
}

/// Something that is as it may be.
fn note(what: impl Display) {
    println!("note     {what}");
}

/// Looks at everything and prints what it found.
pub fn run(options: &cli::Doctor) -> ExitCode {
    super::log("error");
    let mut findings = Findings::default();
    println!(
        "stui {}, ZeroMQ {}",
        env!("CARGO_PKG_VERSION"),
        crate::zmq_version()
    );
    terminal();
    zellij(options, &mut findings);
    plugin_inside(&mut findings);
    let places = match Places::from_environment() {
        Ok(places) => places,
        Err(error) => {
            findings.problem("no directories", error);
            return ExitCode::FAILURE;
        }
    };
    match places.runtime() {
        Ok(path) => ok(format!("runtime directory {} is private", path.display())),
        Err(error) => findings.problem("runtime directory", error),
    }
    plugin_on_disk(&places);
    permissions(&places, &mut findings);
    let session = options.session.as_deref().unwrap_or("stui");
    println!("session {session}:");
    sidecar(&places, session, &mut findings);
    server(&places, session, &mut findings);
    match findings.problems {
        0 => {
            println!("Nothing is wrong.");
            ExitCode::SUCCESS
        }
        1 => {
            println!("There is one problem.");
            ExitCode::FAILURE
        }
        several => {
            println!("There are {several} problems.");
            ExitCode::FAILURE
        }
    }
}

fn terminal() {
    if std::io::stdout().is_terminal() {
        let kind = std::env::var("TERM").unwrap_or_else(|_| "unknown".into());
        ok(format!("a terminal ({kind})"));
    } else {
        note("no terminal here: `stui up` needs one, `stui demo` does not");
    }
}

fn zellij(options: &cli::Doctor, findings: &mut Findings) {
    let zellij = match Zellij::find(options.zellij.as_deref()) {
        Ok(zellij) => zellij,
        Err(error) => {
            let remedy = format!("install Zellij {OLDEST} or later");
            return findings.problem(error, remedy);
        }
    };
    match zellij.supported_version() {
        Ok(version) => ok(format!("Zellij {version} ({})", zellij.program().display())),
        Err(error) => findings.problem(error, format!("STUI needs Zellij {OLDEST} or later")),
    }
}

fn plugin_inside(findings: &mut Findings) {
    match PLUGIN {
        Some(plugin) => ok(format!(
            "the plugin is in this program ({} KB)",
            plugin.len() / 1024
        )),
        None => findings.problem("this program has no plugin inside", plugin_file::NO_PLUGIN),
    }
}

fn plugin_on_disk(places: &Places) {
    let path = places.plugin();
    match std::fs::read(&path) {
        Ok(found) if Some(found.as_slice()) == PLUGIN => {
            ok(format!("the plugin is installed ({})", path.display()));
        }
        Ok(_) => note(format!(
            "{} is another version of the plugin; `stui up` replaces it, and sessions that run keep theirs",
            path.display()
        )),
        Err(_) => note("the plugin is not installed yet; `stui up` does it"),
    }
}

fn permissions(places: &Places, findings: &mut Findings) {
    let file = places.zellij_permissions();
    match permissions::missing(&file, &places.plugin()) {
        Ok(missing) if missing.is_empty() => ok("the plugin has its permissions"),
        Ok(missing) => note(format!(
            "not granted to the plugin: {}; `stui up` asks, or Zellij does in the panes",
            missing.join(", ")
        )),
        Err(error) => findings.problem("Zellij's permissions", error),
    }
}

fn sidecar(places: &Places, session: &str, findings: &mut Findings) {
    match call(&places.sidecar_socket(session), &Call::Status) {
        Ok(Answer::Status(report)) => report_of(&report, findings),
        Ok(_) => findings.problem(
            "the sidecar is of another version",
            "end the session and open it again",
        ),
        Err(_) if lock_is_held(places, session) => findings.problem(
            "the sidecar does not answer",
            format!(
                "look into {}; `kill {}` makes the panes start another",
                places.sidecar_log(session).display(),
                std::fs::read_to_string(places.sidecar_lock(session))
                    .unwrap_or_default()
                    .trim()
            ),
        ),
        Err(_) => note("no sidecar runs: the session is not open (`stui up` opens it)"),
    }
}

fn report_of(report: &Report, findings: &mut Findings) {
    ok(format!(
        "the sidecar runs (process {}, version {})",
        report.pid, report.version
    ));
    if report.panes.is_empty() {
        findings.problem(
            "the sidecar reaches no pane",
            "are the panes open, and their permissions granted?",
        );
    } else {
        ok(format!("it reaches the panes {}", report.panes.join(", ")));
    }
    match &report.status.link {
        Link::Connected => ok(format!(
            "it is connected to {} at {}",
            report.status.dialect, report.status.endpoint
        )),
        Link::Connecting => note("it is connecting to Smalltalk"),
        Link::Starting { what } => note(format!("the Smalltalk server is starting: {what}")),
        Link::Reconnecting { attempt, reason } => findings.problem(
            format!("it is not connected to Smalltalk (attempt {attempt})"),
            reason,
        ),
        Link::Failed { reason } => findings.problem("it cannot connect to Smalltalk", reason),
    }
}

fn lock_is_held(places: &Places, session: &str) -> bool {
    use rustix::fs::{FlockOperation, flock};
    std::fs::File::open(places.sidecar_lock(session))
        .is_ok_and(|lock| flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err())
}

fn server(places: &Places, session: &str, findings: &mut Findings) {
    let path = connection_file_of(places, session);
    let file = match living(&path) {
        Ok(file) => {
            ok(format!(
                "connection file {} ({}, process {})",
                path.display(),
                file.dialect,
                file.pid
            ));
            file
        }
        Err(reason) => {
            note(reason);
            for (path, file) in all_living(places) {
                note(format!(
                    "another server runs: {} ({})",
                    path.display(),
                    file.endpoint
                ));
            }
            return;
        }
    };
    if file.key().is_none() {
        note("this server has no key: everybody on this machine can use it");
    }
    let client = match Client::connect(&file, LIMIT) {
        Ok(client) => client,
        Err(error) => {
            return findings.problem(
                error,
                "end the process of the connection file; it is started again",
            );
        }
    };
    ok(format!(
        "both sides know the key; it is {} {}",
        client.server().dialect,
        client.server().dialect_version
    ));
    let began = Instant::now();
    match client.request(request::Ping::default(), LIMIT) {
        Ok(_) => ok(format!("it answers a ping in {:?}", began.elapsed())),
        Err(error) => findings.problem(error, "end it; it is started again"),
    }
}

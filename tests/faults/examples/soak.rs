//! Long use: clients of the protocol and a Zellij session, and what sidecar and server hold meanwhile.
//! `cargo xtask soak` runs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use stui::client::{Client, read_connection_file};
use stui_e2e::{Session, Size, keys};
use stui_protocol::request::{
    CloseSession, CreateSession, Evaluate, GetSessionInfo, Inspect, ReleaseObjects,
    UpdateSessionState,
};
use stui_protocol::response::Response;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Evaluations of a client in one of its sessions.
const ROUNDS: u64 = 200;
/// Between two steps of a client: a soak is no benchmark.
const PAUSE: Duration = Duration::from_millis(5);
/// How many samples there are at least.
const SAMPLES: u32 = 60;
/// Growth in an hour that is still flat, in bytes, or as a part of what is held.
const FLAT_BYTES: f64 = (16 << 20) as f64;
const FLAT_PART: f64 = 0.1;

/// What a process holds.
#[derive(Debug, Clone, Copy)]
struct Held {
    seconds: f64,
    bytes: u64,
    descriptors: usize,
}

fn number(name: &str, default: u32) -> u32 {
    let set = std::env::var(name).ok();
    set.and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn main() {
    let clients = number("STUI_SOAK_CLIENTS", 5);
    let minutes = number("STUI_SOAK_MINUTES", 30);
    let length = Duration::from_secs(60 * u64::from(minutes));
    let session = Session::start(Size::new(140, 40));
    let sidecar = session.sidecar().pid;
    let servers = session.processes(&["stui", "serve"]);
    let server = servers.first().expect("the sidecar started a server").pid;
    let file = connection_file(&session);
    let ended = AtomicBool::new(false);
    let requests = AtomicU64::new(0);
    println!(
        "{clients} clients and a Zellij session for {minutes} minutes; sidecar {sidecar}, server {server}"
    );
    println!(
        "{:>8} {:>10} {:>10} {:>12} {:>8} {:>12} {:>8}",
        "minutes", "typed", "requests", "sidecar KiB", "files", "server KiB", "files"
    );
    let mut samples: [Vec<Held>; 2] = [Vec::new(), Vec::new()];
    std::thread::scope(|scope| {
        for number in 0..clients {
            let (file, ended, requests) = (&file, &ended, &requests);
            scope.spawn(move || client(number, file, ended, requests));
        }
        let begun = Instant::now();
        let interval = length / SAMPLES;
        let mut next = Duration::ZERO;
        let mut typed = 0_u32;
        while begun.elapsed() < length {
            typed += 1;
            person(&session, typed);
            if begun.elapsed() >= next {
                next += interval;
                let seconds = begun.elapsed().as_secs_f64();
                let held = [sidecar, server].map(|pid| look(pid, seconds));
                for (samples, held) in samples.iter_mut().zip(held) {
                    samples.push(held);
                }
                println!(
                    "{:>8.1} {typed:>10} {:>10} {:>12} {:>8} {:>12} {:>8}",
                    seconds / 60.0,
                    requests.load(Ordering::Relaxed),
                    held[0].bytes / 1024,
                    held[0].descriptors,
                    held[1].bytes / 1024,
                    held[1].descriptors
                );
            }
        }
        ended.store(true, Ordering::Release);
    });
    let mut flat = true;
    for (name, samples) in ["sidecar", "server"].iter().zip(&samples) {
        flat &= verdict(name, samples);
    }
    session.close();
    if !flat {
        std::process::exit(1);
    }
}

/// The connection file of the session's server.
fn connection_file(session: &Session) -> PathBuf {
    let folder = session.stage.path("run/stui");
    let entries = fs::read_dir(&folder).expect("the runtime directory");
    let files = entries.flatten().map(|entry| entry.path());
    let mut files = files.filter(|path| path.extension().is_some_and(|kind| kind == "json"));
    files.next().expect("a connection file")
}

/// A person types, evaluates, and now and then empties the text.
fn person(session: &Session, n: u32) {
    if n.is_multiple_of(20) {
        session.press("Ctrl a").press("Delete");
        session.see("Type Smalltalk here");
    }
    let expression = format!("(1 to: {n}) size");
    session.at_the_end().types(&expression);
    if n.is_multiple_of(7) {
        session.press(keys::INSPECT_IT);
        session.see("SmallInteger");
    } else {
        session.press(keys::PRINT_IT);
        session.see(&format!("{expression} {n}"));
    }
}

/// A client: sessions, evaluations, inspections, released objects, state, the end; over and over.
fn client(number: u32, file: &Path, ended: &AtomicBool, requests: &AtomicU64) {
    let file = read_connection_file(file).expect("a connection file");
    while !ended.load(Ordering::Acquire) {
        // every turn with a connection of its own
        let client = Client::connect(&file, PATIENCE).expect("the server answers");
        let ask = |request: stui_protocol::request::Request| {
            requests.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(PAUSE);
            match client.request(request, PATIENCE) {
                Ok(Response::Error(error)) => panic!("client {number}: {error:?}"),
                Ok(response) => response,
                Err(error) => panic!("client {number}: {error}"),
            }
        };
        let created = ask(CreateSession {
            client_id: format!("soak-{number}"),
            timeout: None,
        }
        .into());
        let Response::CreateSession(created) = created else {
            panic!("no session: {created:?}");
        };
        let session_id = created.session.session_id;
        client.subscribe(session_id.clone(), 1);
        for round in 0..ROUNDS {
            if ended.load(Ordering::Acquire) {
                break;
            }
            ask(Evaluate {
                code: format!("Transcript show: 'soak {round}'; cr. kept := (1 to: 100) asOrderedCollection. kept inject: 0 into: [ :a :b | a + b ]"),
                session_id: Some(session_id.clone()),
                ..Evaluate::default()
            }
            .into());
            let inspected = ask(Inspect {
                target: Some("kept".into()),
                session_id: Some(session_id.clone()),
                ..Inspect::default()
            }
            .into());
            if let Response::Inspect(inspected) = inspected
                && let Some(id) = inspected.object.id
            {
                let object_ids = vec![id];
                ask(ReleaseObjects { object_ids }.into());
            }
            ask(UpdateSessionState {
                session_id: session_id.clone(),
                state_data: serde_json::json!({"round": round}),
            }
            .into());
            while client.events().try_recv().is_ok() {}
        }
        ask(GetSessionInfo {
            session_id: session_id.clone(),
        }
        .into());
        ask(CloseSession { session_id }.into());
    }
}

fn look(pid: i32, seconds: f64) -> Held {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let held = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = held.and_then(|held| held.split_whitespace().next()?.parse().ok());
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
    Held {
        seconds,
        bytes: kibibytes.unwrap_or(0_u64) * 1024,
        descriptors,
    }
}

/// Judges the second half: the line through its samples, by least squares.
fn verdict(name: &str, samples: &[Held]) -> bool {
    let half = &samples[samples.len() / 2..];
    let count = half.len() as f64;
    let mean = |value: &dyn Fn(&Held) -> f64| half.iter().map(value).sum::<f64>() / count;
    let (time, bytes) = (mean(&|held| held.seconds), mean(&|held| held.bytes as f64));
    let along: f64 = half
        .iter()
        .map(|held| (held.seconds - time) * (held.bytes as f64 - bytes))
        .sum();
    let spread: f64 = half.iter().map(|held| (held.seconds - time).powi(2)).sum();
    let an_hour = if spread > 0.0 {
        along / spread * 3600.0
    } else {
        0.0
    };
    let quarter = &samples[..samples.len().div_ceil(4)];
    let most = |samples: &[Held]| {
        samples
            .iter()
            .map(|held| held.descriptors)
            .max()
            .unwrap_or(0)
    };
    let (before, now) = (most(quarter), most(half));
    let flat =
        an_hour < FLAT_BYTES.min(FLAT_PART * bytes).max(1024.0 * 1024.0) && now <= before + 2;
    println!(
        "{name}: {} KiB on average in the second half, {:+.0} KiB an hour, at most {now} files (before: {before}): {}",
        bytes as u64 / 1024,
        an_hour / 1024.0,
        if flat { "flat" } else { "NOT flat" }
    );
    flat
}

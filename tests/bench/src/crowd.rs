//! Sessions, and many clients at once, beside a bare libzmq echo under the same clients.

use std::path::Path;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use stui::client::Client;
use stui_protocol::request::{
    CloseSession, CreateSession, Evaluate, GetSessionInfo, Request, UpdateSessionState,
};
use stui_protocol::response::Response;

use crate::stats::Durations;
use crate::wire::{Echo, PATIENCE, Server, create_session, seven};

/// Sessions that are created, asked about, updated and closed.
const SESSIONS: usize = 500;
/// How many clients at once.
const CROWDS: [usize; 3] = [1, 10, 100];
/// Requests of all clients of a crowd together.
const REQUESTS: usize = 4000;

/// Measure and print what becomes of sessions.
pub(crate) fn sessions(stui: &Path) -> Result<()> {
    let server = Server::start(stui)?;
    let client = Client::connect(&server.connection, PATIENCE)?;
    let echo = Echo::start(vec![b'x'; 300], vec![b'x'; 300])?;
    let floor = Durations::of(SESSIONS, || echo.round_trip())?;
    println!("{}", floor.row("bare libzmq echo of 300 bytes (floor)"));
    let mut kinds: [(&str, Vec<Duration>); 4] = [
        ("CreateSession", Vec::new()),
        ("GetSessionInfo", Vec::new()),
        ("UpdateSessionState", Vec::new()),
        ("CloseSession", Vec::new()),
    ];
    for number in 0..SESSIONS {
        let begun = Instant::now();
        let session_id = create_session(&client)?;
        kinds[0].1.push(begun.elapsed());
        let state_data = serde_json::json!({"number": number, "text": "3 + 4"});
        let requests: [Request; 3] = [
            GetSessionInfo {
                session_id: session_id.clone(),
            }
            .into(),
            UpdateSessionState {
                session_id: session_id.clone(),
                state_data,
            }
            .into(),
            CloseSession { session_id }.into(),
        ];
        for ((_, times), request) in kinds[1..].iter_mut().zip(requests) {
            let begun = Instant::now();
            let answer = client.request(request, PATIENCE)?;
            times.push(begun.elapsed());
            if let Response::Error(error) = answer {
                bail!("the server refused: {error:?}");
            }
        }
    }
    let floor_time = floor.sum();
    for (name, times) in kinds {
        let times = Durations::new(times);
        println!("{}", times.row(name));
        println!(
            "  {:<44} {:.0} a second, {:.2} times the floor",
            "",
            SESSIONS as f64 / times.sum().as_secs_f64(),
            times.sum().as_secs_f64() / floor_time.as_secs_f64().max(1e-9)
        );
    }
    Ok(())
}

/// Measure and print many clients at once.
pub(crate) fn crowds(stui: &Path) -> Result<()> {
    let server = Server::start(stui)?;
    for clients in CROWDS {
        let echo = Echo::start(vec![b'x'; 300], vec![b'x'; 300])?;
        let address = echo.address();
        let each = REQUESTS / clients;
        let (floor, _) = crowd(clients, each, || {
            let socket = address.client()?;
            Ok(move || -> Result<()> {
                socket.send(vec![b'x'; 300], 0)?;
                socket.recv_bytes(0)?;
                Ok(())
            })
        })?;
        let (real, errors) = crowd(clients, each, || {
            let client = Client::connect(&server.connection, PATIENCE)?;
            let client_id = format!("crowd-{:?}", thread::current().id());
            let created = client.request(
                CreateSession {
                    client_id,
                    timeout: None,
                },
                PATIENCE,
            )?;
            let Response::CreateSession(created) = created else {
                bail!("the server opens no session: {created:?}");
            };
            let session_id = created.session.session_id;
            Ok(move || -> Result<()> {
                let request = Evaluate {
                    code: "3 + 4".to_owned(),
                    session_id: Some(session_id.clone()),
                    ..Evaluate::default()
                };
                seven(&client.request(request, PATIENCE)?)
            })
        })?;
        let name = |what: &str| format!("{clients} at once: {what}");
        println!("{}", floor.times.row(&name("bare libzmq echo (floor)")));
        println!("{}", real.times.row(&name("Evaluate")));
        println!("{}", real.times.ratio_to(&floor.times));
        println!(
            "  {:<44} {:.0} requests/s, {errors} errors (floor: {:.0}/s)",
            "",
            real.rate(),
            floor.rate()
        );
    }
    Ok(())
}

/// What a crowd took.
struct Crowd {
    times: Durations,
    whole: Duration,
    count: usize,
}

impl Crowd {
    fn rate(&self) -> f64 {
        self.count as f64 / self.whole.as_secs_f64().max(1e-9)
    }
}

/// So many threads, each with a client that `make` makes and that asks so often, all at once. Answers
/// the time of each request that was answered, and how many were not.
fn crowd<A: FnMut() -> Result<()>>(
    clients: usize,
    each: usize,
    make: impl Fn() -> Result<A> + Sync,
) -> Result<(Crowd, usize)> {
    let start = Barrier::new(clients + 1);
    let (times, errors, whole) = thread::scope(|scope| -> Result<_> {
        let threads: Vec<_> = (0..clients)
            .map(|_| {
                scope.spawn(|| -> Result<(Vec<Duration>, usize)> {
                    let client = make();
                    start.wait();
                    let mut ask = client?;
                    let (mut times, mut errors) = (Vec::with_capacity(each), 0);
                    for _ in 0..each {
                        let begun = Instant::now();
                        match ask() {
                            Ok(()) => times.push(begun.elapsed()),
                            Err(_) => errors += 1,
                        }
                    }
                    Ok((times, errors))
                })
            })
            .collect();
        start.wait();
        let begun = Instant::now();
        let (mut all, mut errors) = (Vec::new(), 0);
        for thread in threads {
            let joined = thread.join().map_err(|_| anyhow!("a client failed"))?;
            let (times, wrong) = joined.context("a client cannot connect")?;
            all.extend(times);
            errors += wrong;
        }
        Ok((all, errors, begun.elapsed()))
    })?;
    let count = times.len();
    let crowd = Crowd {
        times: Durations::new(times),
        whole,
        count,
    };
    Ok((crowd, errors))
}

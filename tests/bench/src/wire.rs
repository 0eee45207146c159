//! Requests through the sidecar's client library to a real server, beside libzmq alone.
//!
//! The floor is a DEALER and a ROUTER socket in this process that exchange documents of the same bytes
//! as the real request and the real answer: what is above it is STUI's doing.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use stui::client::{Client, Pending, read_connection_file};
use stui_protocol::Uuid;
use stui_protocol::connection::ConnectionFile;
use stui_protocol::message::Envelope;
use stui_protocol::request::{CreateSession, Evaluate};
use stui_protocol::response::Response;

use crate::stats::Durations;

/// Round trips measured one at a time.
const ROUND_TRIPS: usize = 2000;
/// Those before, that are not measured.
const WARM_UP: usize = 200;
/// How often floor and server take turns, so that what else the machine does hits both.
const TURNS: usize = 4;
/// Requests on their way at once, and how many in all.
const IN_FLIGHT: usize = 32;
const REQUESTS: usize = 6400;
/// When hope ends.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Measure and print.
pub(crate) fn measure(stui: &Path) -> Result<()> {
    let server = Server::start(stui)?;
    let client = Client::connect(&server.connection, PATIENCE)?;
    let session_id = create_session(&client)?;
    let request = || Evaluate {
        code: "3 + 4".to_owned(),
        session_id: Some(session_id.clone()),
        ..Evaluate::default()
    };
    let evaluate = || -> Result<()> {
        let answer = client.request(request(), PATIENCE)?;
        seven(&answer)
    };

    let sent = Envelope::request(Uuid::from_u128(u128::MAX), request()).to_json()?;
    let answered = client.request(request(), PATIENCE)?;
    let answered = Envelope::response(Uuid::from_u128(u128::MAX), answered).to_json()?;
    let echo = Echo::start(sent, answered.clone())?;

    for _ in 0..WARM_UP {
        echo.round_trip()?;
        evaluate()?;
    }
    let (mut floor, mut real) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        for _ in 0..ROUND_TRIPS / TURNS {
            floor.push(timed(|| echo.round_trip())?);
        }
        for _ in 0..ROUND_TRIPS / TURNS {
            real.push(timed(evaluate)?);
        }
    }
    let (floor, real) = (Durations::new(floor), Durations::new(real));
    println!(
        "  request {} bytes, answer {} bytes",
        echo.request.len(),
        answered.len()
    );
    println!("{}", floor.row("bare libzmq DEALER/ROUTER echo (floor)"));
    println!("{}", real.row("Evaluate through client and server"));
    println!("{}", real.ratio_to(&floor));

    let rate = REQUESTS as f64 / timed(|| in_flight(&client, &request))?.as_secs_f64();
    println!(
        "  {:<44} {rate:.0} requests/s",
        format!("{IN_FLIGHT} in flight")
    );
    Ok(())
}

/// Send all requests, never more than [`IN_FLIGHT`] unanswered.
fn in_flight(client: &Client, request: &dyn Fn() -> Evaluate) -> Result<()> {
    let mut pending: std::collections::VecDeque<Pending<'_>> = std::collections::VecDeque::new();
    for _ in 0..REQUESTS {
        if pending.len() == IN_FLIGHT
            && let Some(oldest) = pending.pop_front()
        {
            seven(&oldest.wait(PATIENCE)?)?;
        }
        pending.push_back(client.begin(request()));
    }
    for rest in pending {
        seven(&rest.wait(PATIENCE)?)?;
    }
    Ok(())
}

/// A new session's id.
pub(crate) fn create_session(client: &Client) -> Result<String> {
    let client_id = "bench".to_owned();
    match client.request(
        CreateSession {
            client_id,
            timeout: None,
        },
        PATIENCE,
    )? {
        Response::CreateSession(created) => Ok(created.session.session_id),
        other => bail!("the server opens no session: {other:?}"),
    }
}

/// Whether an answer is the right one.
pub(crate) fn seven(answer: &Response) -> Result<()> {
    match answer {
        Response::Evaluate(answer) if answer.result == "7" => Ok(()),
        other => bail!("3 + 4 was answered with {other:?}"),
    }
}

fn timed(operation: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let started = Instant::now();
    operation()?;
    Ok(started.elapsed())
}

/// A running `stui serve`, ended when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) connection: ConnectionFile,
    file: PathBuf,
}

impl Server {
    /// Starts one.
    pub(crate) fn start(stui: &Path) -> Result<Server> {
        let file = std::env::temp_dir().join(format!("stui-bench-{}.json", std::process::id()));
        let mut child = Command::new(stui)
            .arg("serve")
            .arg("--connection-file")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot run {}", stui.display()))?;
        let deadline = Instant::now() + PATIENCE;
        let connection = loop {
            if let Ok(connection) = read_connection_file(&file) {
                break connection;
            }
            if let Some(status) = child.try_wait()? {
                bail!("stui serve ended with {status}");
            }
            if Instant::now() > deadline {
                child.kill()?;
                bail!("stui serve wrote no connection file");
            }
            thread::sleep(Duration::from_millis(10));
        };
        Ok(Server {
            child,
            connection,
            file,
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.file);
    }
}

/// Two sockets of libzmq: one asks, a thread with the other answers with bytes of its own.
pub(crate) struct Echo {
    context: zmq::Context,
    endpoint: String,
    socket: zmq::Socket,
    request: Vec<u8>,
    thread: Option<JoinHandle<zmq::Result<()>>>,
}

impl Echo {
    /// One that answers every request with the same bytes.
    pub(crate) fn start(request: Vec<u8>, answer: Vec<u8>) -> Result<Echo> {
        let context = zmq::Context::new();
        let router = context.socket(zmq::ROUTER)?;
        router.set_linger(0)?;
        router.bind("tcp://127.0.0.1:*")?;
        let Ok(endpoint) = router.get_last_endpoint()? else {
            bail!("libzmq bound to no readable endpoint");
        };
        let socket = context.socket(zmq::DEALER)?;
        socket.set_linger(0)?;
        socket.connect(&endpoint)?;
        let thread = thread::spawn(move || {
            loop {
                let frames = router.recv_multipart(0)?;
                // an empty document asks the thread to end
                match frames.as_slice() {
                    [peer, document] if !document.is_empty() => {
                        router.send_multipart([peer.as_slice(), answer.as_slice()], 0)?;
                    }
                    _ => return Ok(()),
                }
            }
        });
        Ok(Echo {
            context,
            endpoint,
            socket,
            request,
            thread: Some(thread),
        })
    }

    /// How others reach it.
    pub(crate) fn address(&self) -> EchoAddress {
        EchoAddress {
            context: self.context.clone(),
            endpoint: self.endpoint.clone(),
        }
    }

    /// There and back.
    pub(crate) fn round_trip(&self) -> Result<()> {
        self.socket.send(&self.request, 0)?;
        self.socket.recv_bytes(0)?;
        Ok(())
    }
}

/// Where an echo is.
pub(crate) struct EchoAddress {
    context: zmq::Context,
    endpoint: String,
}

impl EchoAddress {
    /// Another client.
    pub(crate) fn client(&self) -> Result<zmq::Socket> {
        let socket = self.context.socket(zmq::DEALER)?;
        socket.set_linger(0)?;
        socket.connect(&self.endpoint)?;
        Ok(socket)
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        if self.socket.send("", 0).is_ok()
            && let Some(thread) = self.thread.take()
        {
            // A floor that failed has already been told of by a round trip.
            let _ = thread.join();
        }
    }
}

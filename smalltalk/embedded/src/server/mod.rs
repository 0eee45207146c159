//! The STUI server of the embedded Smalltalk.
//!
//! Two threads: this module's, which owns the socket and answers what needs no Smalltalk, and the
//! `engine`'s, which owns the virtual machine. Whatever Smalltalk code does, the first
//! one goes on answering.
//!
//! - `router`: the socket; the only file that names `zmq`. `frames`: what its frames mean.
//! - `desk`: every message in and out, without a socket; `trust`: who may ask; `requests`: what
//!   is done for each type of request; `refusals`: what is not done.
//! - `peers`, `jobs`, `sessions`, `streams`, `replies`: what is remembered, each bounded.
//! - `endpoint`, `connection_file`, `private`, `wake`, `watch`: the rim.

mod connection_file;
mod debuggers;
mod desk;
mod endpoint;
mod frames;
mod jobs;
mod peers;
mod private;
mod refusals;
mod replies;
mod requests;
mod router;
mod sessions;
mod streams;
mod trust;
mod wake;
mod watch;

use std::io;
use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::Instant;

use crossbeam_channel::Receiver;
use stui_protocol::auth::Key;
use stui_protocol::connection::ConnectionFile;
use stui_protocol::{MAX_MESSAGE, PROTOCOL_VERSION};

use crate::engine::{self, Engine, Report};
use crate::vm::VmConfig;
use desk::{Desk, Settings};
use router::Router;
use wake::{Sleeper, Waker};
use watch::Watch;

pub use endpoint::EndpointError;
pub use private::privately;
pub use router::{SocketError, libzmq_version};

/// What the server calls its Smalltalk.
pub const DIALECT: &str = "Embedded Smalltalk";

/// Most messages and reports that are handled before the other side has its turn.
const BATCH: usize = 64;

/// How to serve.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Where to listen: `tcp://127.0.0.1:*` (the default: a free port), another tcp address, or
    /// `ipc:///path`.
    pub endpoint: String,
    /// Serve everybody who reaches the endpoint, which has to be of this machine only. Otherwise a
    /// key is made, and only who knows it is served.
    pub no_key: bool,
    /// Where to write the connection file.
    pub connection_file: Option<PathBuf>,
    /// End when the process with this id has ended.
    pub exit_with_pid: Option<u32>,
    /// Largest document that is read, in bytes; larger ones are answered with an error.
    pub max_message: usize,
    /// Limits of the virtual machine.
    pub vm: VmConfig,
}

impl Default for ServeOptions {
    fn default() -> Self {
        ServeOptions {
            endpoint: "tcp://127.0.0.1:*".into(),
            no_key: false,
            connection_file: None,
            exit_with_pid: None,
            max_message: MAX_MESSAGE,
            vm: VmConfig::default(),
        }
    }
}

/// Why a server cannot serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The endpoint is refused.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The endpoint cannot be bound.
    #[error(
        "{endpoint} cannot be listened on: {source}; choose another one, or end what listens there"
    )]
    Bind {
        /// The endpoint.
        endpoint: String,
        /// Why.
        source: SocketError,
    },
    /// The connection file cannot be written.
    #[error("the connection file {path} cannot be written: {source}; choose another path")]
    ConnectionFile {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The process to end with is not there.
    #[error("process {pid}, with which the server is to end, cannot be watched: {source}")]
    Watch {
        /// Its id.
        pid: u32,
        /// Why.
        source: io::Error,
    },
    /// The class library does not load.
    #[error("the embedded Smalltalk does not start: {0}")]
    Engine(#[from] engine::StartError),
    /// The system refused something.
    #[error("the server cannot start: {0}")]
    System(#[from] io::Error),
    /// The socket failed while serving.
    #[error("the socket failed: {0}; start the server again")]
    Socket(#[from] SocketError),
    /// The engine failed while serving.
    #[error("{0}; start the server again")]
    EngineDied(String),
}

/// Serves until it is told to end: by SIGTERM, SIGINT, a `Shutdown` request, or the end of
/// [`ServeOptions::exit_with_pid`]. `ready` is called once, when clients can connect. Answers why it
/// ended.
///
/// # Errors
/// If it cannot begin, or cannot go on.
pub fn serve(
    options: ServeOptions,
    ready: impl FnOnce(&ConnectionFile),
) -> Result<String, ServeError> {
    let (waker, sleeper) = wake::pair()?;
    let mut watch = Watch::new()?;
    watch.signals()?;
    if let Some(pid) = options.exit_with_pid {
        watch
            .process(pid)
            .map_err(|source| ServeError::Watch { pid, source })?;
    }
    let service = Service::start(options, waker, sleeper, watch)?;
    ready(&service.connection);
    service.run()
}

/// A server on a thread of its own, in this process. It ends when this is dropped.
#[derive(Debug)]
pub struct Server {
    connection: ConnectionFile,
    stop: watch::Stopper,
    thread: Option<JoinHandle<Result<String, ServeError>>>,
}

impl Server {
    /// Starts one; when this returns, clients can connect.
    ///
    /// # Errors
    /// If it cannot begin.
    pub fn spawn(options: ServeOptions) -> Result<Server, ServeError> {
        let (started, starting) = crossbeam_channel::bounded::<Result<_, ServeError>>(1);
        let thread = std::thread::Builder::new()
            .name("stui-server".into())
            .spawn(move || {
                let start = || {
                    let (waker, sleeper) = wake::pair()?;
                    let mut watch = Watch::new()?;
                    let stop = watch.stopper()?;
                    if let Some(pid) = options.exit_with_pid {
                        watch
                            .process(pid)
                            .map_err(|source| ServeError::Watch { pid, source })?;
                    }
                    Ok((Service::start(options, waker, sleeper, watch)?, stop))
                };
                match start() {
                    Ok((service, stop)) => {
                        let _ = started.send(Ok((service.connection.clone(), stop)));
                        service.run()
                    }
                    Err(error) => {
                        let _ = started.send(Err(error));
                        Ok(String::new())
                    }
                }
            })?;
        let (connection, stop) = starting
            .recv()
            .map_err(|_| ServeError::EngineDied("the server's thread failed".into()))??;
        Ok(Server {
            connection,
            stop,
            thread: Some(thread),
        })
    }

    /// How to connect: endpoint and key.
    pub fn connection(&self) -> &ConnectionFile {
        &self.connection
    }

    /// Ends it, and answers why it ended.
    ///
    /// # Errors
    /// If it failed before.
    pub fn stop(mut self) -> Result<String, ServeError> {
        self.stop.stop();
        self.join()
    }

    /// Waits until it ends by itself, as by a `Shutdown` request.
    ///
    /// # Errors
    /// If it failed.
    pub fn join(&mut self) -> Result<String, ServeError> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(ServeError::EngineDied("the server's thread failed".into())),
            None => Ok(String::new()),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.stop();
        if let Err(error) = self.join() {
            tracing::warn!(%error, "the server had failed");
        }
    }
}

/// Random bytes for keys and nonces.
fn random() -> io::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(bytes)
}

/// All that serves, on the server's thread.
struct Service {
    router: Router,
    desk: Desk,
    reports: Receiver<Report>,
    sleeper: Sleeper,
    watch: Watch,
    connection: ConnectionFile,
    /// Dropped after the last answer: the file goes, and the engine ends.
    _file: Option<connection_file::Written>,
    _engine: Engine,
}

impl Service {
    fn start(
        options: ServeOptions,
        waker: Waker,
        sleeper: Sleeper,
        watch: Watch,
    ) -> Result<Service, ServeError> {
        endpoint::check(&options.endpoint, !options.no_key)?;
        let key = if options.no_key {
            None
        } else {
            Some(Key::from_random(random()?))
        };
        let (report_to, reports) = engine::report_channel(move || waker.wake());
        let engine = Engine::start(options.vm, report_to)?;
        let router = Router::bind(&options.endpoint).map_err(|source| ServeError::Bind {
            endpoint: options.endpoint.clone(),
            source,
        })?;
        let connection = ConnectionFile {
            endpoint: router.endpoint().to_owned(),
            key: key.as_ref().map(|key| key.as_str().to_owned()),
            dialect: format!("{DIALECT} {}", env!("CARGO_PKG_VERSION")),
            pid: std::process::id(),
            protocol_version: PROTOCOL_VERSION.into(),
        };
        let file = match options.connection_file {
            Some(path) => Some(
                connection_file::write(&path, &connection)
                    .map_err(|source| ServeError::ConnectionFile { path, source })?,
            ),
            None => None,
        };
        let settings = Settings {
            key,
            max_message: options.max_message,
        };
        tracing::info!(endpoint = connection.endpoint, "serving");
        Ok(Service {
            desk: Desk::new(settings, engine.commands(), Instant::now()),
            router,
            reports,
            sleeper,
            watch,
            connection,
            _file: file,
            _engine: engine,
        })
    }

    fn run(mut self) -> Result<String, ServeError> {
        let mut has_more = false;
        loop {
            let now = Instant::now();
            let next = self.desk.tick(now);
            let until = if has_more { now } else { next };
            let descriptors = [self.sleeper.descriptor(), self.watch.descriptor()];
            let [woken, watched] = self.router.wait(descriptors, until)?;
            if woken {
                self.sleeper.take_note();
            }
            if watched && let Some(reason) = self.watch.reason() {
                self.desk.stop(reason);
            }
            has_more = self.handle_batch();
            self.send();
            if let Some(reason) = self.desk.stopping() {
                let reason = reason.to_owned();
                tracing::info!(reason, "ending");
                let died = self.desk.engine_died();
                self.router.close();
                return if died {
                    Err(ServeError::EngineDied(reason))
                } else {
                    Ok(reason)
                };
            }
        }
    }

    /// Handles some of what there is; answers whether there may be more.
    fn handle_batch(&mut self) -> bool {
        let now = Instant::now();
        let messages: Vec<_> = std::iter::from_fn(|| self.router.receive())
            .take(BATCH)
            .collect();
        // Between receiving and handling; the router's head says why.
        for connection in self.router.closed() {
            self.desk.closed(connection);
        }
        let mut has_more = messages.len() == BATCH;
        for (origin, frames) in messages {
            self.desk.receive(&origin, frames, now);
        }
        let reports: Vec<Report> = self.reports.try_iter().take(BATCH).collect();
        has_more |= reports.len() == BATCH;
        for report in reports {
            self.desk.report(report, now);
        }
        has_more
    }

    fn send(&mut self) {
        for peer in self.router.send_waiting() {
            self.desk.unreachable(&peer);
        }
        for message in self.desk.take_outgoing() {
            if let Some(peer) = self.router.send(message) {
                self.desk.unreachable(&peer);
            }
        }
    }
}

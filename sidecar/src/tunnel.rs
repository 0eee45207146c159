//! A server on another machine, through the user's own ssh.
//!
//! Two things go over one ssh: a Unix socket of this machine, in the private runtime directory, is
//! forwarded to where the server listens; and a small shell script there tells which servers run, each
//! time that changes (`tunnel/remote.rs`). From both comes a connection file of this machine, which names
//! the socket and the server's key. A socket rather than a port: nobody else on this machine reaches it.
//!
//! - Nobody can be asked for a password here: `ssh` gets no terminal. A key, ssh-agent, or a connection
//!   that the user keeps open (`ControlMaster`) has to do; what is wrong is said in one sentence.
//! - When `ssh` ends, or says nothing for some seconds, it is started again, with growing pauses.
//! - When the server there is started again, with another port or key, the file is written anew.
//!   While there is none, there is no file.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use stui_protocol::connection::ConnectionFile;

use self::remote::{Found, Listener};
use self::ssh::{Said, Ssh};
use crate::places::write_private;
use crate::target::Remote;

mod remote;
mod ssh;

/// Pause before `ssh` is started again, and the longest one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_secs(3);
/// The same where somebody has to do something first: not to be taken for an attack.
const HOPELESS_PAUSE: Duration = Duration::from_secs(30);
/// How long `ssh` may take to begin, and then how long it may be silent.
const BEGIN_LIMIT: Duration = Duration::from_secs(30);
const SILENCE_LIMIT: Duration = Duration::from_secs(8);

/// Why a tunnel cannot be dug, or ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TunnelError {
    /// `ssh` ended with this sentence.
    #[error("{0}")]
    Ssh(String),
    /// The choice of the server, or its address, is not good.
    #[error("{0}")]
    Server(String),
    /// The program cannot be started.
    #[error(
        "cannot run {program}: {source}; install OpenSSH's client, or set STUI_SSH to its path"
    )]
    Program {
        /// Which.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// The connection file cannot be written.
    #[error("cannot write the connection file {}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The system refused something.
    #[error("cannot dig a tunnel: {0}")]
    System(#[from] io::Error),
}

/// What a tunnel has to know.
#[derive(Debug)]
pub struct Options {
    /// The server.
    pub remote: Remote,
    /// Where to write the connection file.
    pub connection_file: PathBuf,
    /// The end of this process ends the tunnel.
    pub exit_with_pid: Option<u32>,
    /// The `ssh` program.
    pub ssh: PathBuf,
}

/// What happens.
enum Event {
    Said(u64, Said),
    End(String),
}

/// Keeps a tunnel up until it is told to end; answers why. `tell` gets a sentence about each change.
///
/// # Errors
/// If it cannot begin. What goes wrong later is told, and tried again.
pub fn run(options: Options, tell: impl FnMut(&str)) -> Result<String, TunnelError> {
    let (sender, events) = bounded(256);
    if let Some(pid) = options.exit_with_pid {
        let sender = sender.clone();
        crate::process::watch(pid, move || {
            drop(sender.send(Event::End(format!("process {pid} has ended"))));
        })?;
    }
    signals(&sender)?;
    let socket = options
        .connection_file
        .with_file_name(format!("tunnel-{}.sock", std::process::id()));
    remote::check_local(&socket).map_err(TunnelError::Server)?;
    let mut tunnel = Tunnel {
        options,
        socket,
        sender,
        tell,
        number: 0,
        listener: None,
        written: None,
        told: String::new(),
    };
    let reason = tunnel.keep(&events);
    tunnel.remove_file();
    // It may never have been made.
    let _ = std::fs::remove_file(&tunnel.socket);
    reason
}

fn signals(sender: &Sender<Event>) -> io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    let sender = sender.clone();
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            for signal in signals.forever() {
                drop(sender.send(Event::End(format!("signal {signal}"))));
            }
        })?;
    Ok(())
}

struct Tunnel<F> {
    options: Options,
    socket: PathBuf,
    sender: Sender<Event>,
    tell: F,
    /// Counts the `ssh` processes: what an earlier one said does not matter any more.
    number: u64,
    /// Where the server listens on its machine, as far as it is known.
    listener: Option<Listener>,
    written: Option<ConnectionFile>,
    /// What was told last.
    told: String,
}

/// How one `ssh` ended.
enum Ended {
    /// The tunnel is to end.
    Told(String),
    /// The server listens elsewhere: at once another `ssh`.
    Moved,
    /// Something went wrong; whether it had been good before.
    Wrong {
        sentence: String,
        was_good: bool,
        is_hopeless: bool,
    },
}

impl<F: FnMut(&str)> Tunnel<F> {
    fn keep(&mut self, events: &Receiver<Event>) -> Result<String, TunnelError> {
        let mut pause = FIRST_PAUSE;
        let mut moves = 0;
        loop {
            let wait = match self.once(events)? {
                Ended::Told(reason) => return Ok(reason),
                Ended::Moved if moves < 3 => {
                    moves += 1;
                    continue;
                }
                Ended::Moved => MAX_PAUSE,
                Ended::Wrong {
                    sentence,
                    was_good,
                    is_hopeless,
                } => {
                    self.tell(&sentence);
                    pause = match (was_good, is_hopeless) {
                        (_, true) => HOPELESS_PAUSE,
                        (true, false) => FIRST_PAUSE,
                        (false, false) => (2 * pause).min(MAX_PAUSE),
                    };
                    pause
                }
            };
            moves = 0;
            let until = Instant::now() + wait;
            loop {
                match events.recv_deadline(until) {
                    Ok(Event::End(reason)) => return Ok(reason),
                    // Of an `ssh` that is over.
                    Ok(Event::Said(..)) => {}
                    Err(RecvTimeoutError::Timeout) => break,
                    Err(RecvTimeoutError::Disconnected) => return Ok("nobody needs it".into()),
                }
            }
        }
    }

    /// Tells a sentence, but the same one only once.
    fn tell(&mut self, sentence: &str) {
        if self.told != sentence {
            sentence.clone_into(&mut self.told);
            (self.tell)(sentence);
        }
    }

    /// Runs one `ssh` to its end.
    fn once(&mut self, events: &Receiver<Event>) -> Result<Ended, TunnelError> {
        self.number += 1;
        let number = self.number;
        let sender = self.sender.clone();
        let forward = self
            .listener
            .as_ref()
            .map(|listener| listener.forward(&self.socket));
        let mut ssh = Ssh::start(
            &self.options.ssh,
            &self.options.remote,
            forward.as_deref(),
            move |said| drop(sender.send(Event::Said(number, said))),
        )
        .map_err(|source| TunnelError::Program {
            program: self.options.ssh.display().to_string(),
            source,
        })?;
        let mut was_good = false;
        let mut limit = Instant::now() + BEGIN_LIMIT;
        let ended = loop {
            match events.recv_deadline(limit) {
                Ok(Event::End(reason)) => break Ended::Told(reason),
                Ok(Event::Said(of, _)) if of != number => {}
                Ok(Event::Said(_, Said::Beat)) => limit = Instant::now() + SILENCE_LIMIT,
                Ok(Event::Said(_, Said::Servers(found))) => {
                    limit = Instant::now() + SILENCE_LIMIT;
                    was_good = true;
                    if self.take(found)? {
                        break Ended::Moved;
                    }
                }
                Ok(Event::Said(_, Said::Ended)) => {
                    let (sentence, is_hopeless) = ssh.sentence();
                    break Ended::Wrong {
                        sentence,
                        was_good,
                        is_hopeless,
                    };
                }
                Err(RecvTimeoutError::Timeout) => {
                    let host = &self.options.remote.host;
                    break Ended::Wrong {
                        sentence: format!(
                            "{host} has said nothing for some time; ssh is started again."
                        ),
                        was_good,
                        is_hopeless: false,
                    };
                }
                Err(RecvTimeoutError::Disconnected) => break Ended::Told("nobody needs it".into()),
            }
        };
        ssh.end();
        Ok(ended)
    }

    /// Takes the list of servers there: whether another `ssh` has to forward to another place.
    fn take(&mut self, found: Vec<Found>) -> Result<bool, TunnelError> {
        let chosen = remote::choose(found, &self.options.remote)
            .and_then(|file| Ok((Listener::of(&file.endpoint)?, file)));
        let (listener, file) = match chosen {
            Ok(chosen) => chosen,
            Err(sentence) => {
                self.remove_file();
                self.tell(&sentence);
                return Ok(false);
            }
        };
        let is_forwarded = self.listener.as_ref() == Some(&listener);
        self.listener = Some(listener);
        if is_forwarded {
            self.write_file(file)?;
        }
        Ok(!is_forwarded)
    }

    fn write_file(&mut self, remote: ConnectionFile) -> Result<(), TunnelError> {
        let file = ConnectionFile {
            endpoint: format!("ipc://{}", self.socket.display()),
            pid: std::process::id(),
            ..remote
        };
        if self.written.as_ref() == Some(&file) {
            return Ok(());
        }
        let path = &self.options.connection_file;
        file.to_json()
            .map_err(io::Error::from)
            .and_then(|json| write_private(path, json.as_bytes()))
            .map_err(|source| TunnelError::File {
                path: path.clone(),
                source,
            })?;
        let sentence = format!(
            "{} on {} is reached through {}.",
            file.dialect,
            self.options.remote.host,
            self.socket.display()
        );
        self.written = Some(file);
        self.tell(&sentence);
        Ok(())
    }

    /// Removes the connection file, if it is still our own.
    fn remove_file(&mut self) {
        if self.written.take().is_some() {
            let path: &Path = &self.options.connection_file;
            let is_ours = crate::client::read_connection_file(path)
                .is_ok_and(|file| file.pid == std::process::id());
            if is_ours && let Err(error) = std::fs::remove_file(path) {
                tracing::warn!(%error, "the connection file stays behind");
            }
        }
    }
}

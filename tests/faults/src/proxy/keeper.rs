//! The thread that owns all sockets of a proxy.

use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, TryRecvError};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::connection::{Connection, Life, count, reset};
use super::garbler::Garbler;
use super::{Command, Counts, Direction, Sender};

/// How long a server on the loopback interface may take to accept.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);

/// What is done to all connections.
#[derive(Debug)]
pub(super) struct Weather {
    pub(super) delay: Duration,
    garblers: [Option<Garbler>; 2],
    /// How many bytes may still go before a connection is closed.
    left: [Option<u64>; 2],
    counts: Arc<Counts>,
}

impl Weather {
    /// How many bytes may go a way.
    pub(super) fn left(&self, way: usize) -> u64 {
        self.left[way].unwrap_or(u64::MAX)
    }

    /// Changes what is to go a way; answers the state before, for [`Weather::forwarded`].
    pub(super) fn garble(&mut self, way: usize, bytes: &mut [u8]) -> Option<Garbler> {
        let garbler = self.garblers[way].as_mut()?;
        let before = garbler.clone();
        garbler.change(bytes);
        Some(before)
    }

    /// Notes what went a way: perhaps less than was changed.
    pub(super) fn forwarded(&mut self, way: usize, before: Option<Garbler>, went: &[u8]) {
        if let Some(mut garbler) = before {
            garbler.change(&mut went.to_vec());
            self.garblers[way] = Some(garbler);
        }
        if let Some(left) = &mut self.left[way] {
            *left -= went.len() as u64;
        }
        count(&self.counts, way, went.len());
    }

    /// Whether no more may go a way; asked once.
    pub(super) fn is_truncated(&mut self, way: usize) -> bool {
        let is_truncated = self.left[way] == Some(0);
        if is_truncated {
            self.left[way] = None;
        }
        is_truncated
    }
}

/// The state of the thread.
pub(super) struct Keeper {
    address: SocketAddr,
    listener: Option<TcpListener>,
    target: SocketAddr,
    is_silent: bool,
    weather: Weather,
    connections: Vec<Connection>,
    commands: Receiver<(Command, Sender<()>)>,
    sleeper: UnixStream,
}

impl Keeper {
    pub(super) fn new(
        address: SocketAddr,
        listener: TcpListener,
        target: SocketAddr,
        commands: Receiver<(Command, Sender<()>)>,
        sleeper: UnixStream,
        counts: Arc<Counts>,
    ) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        sleeper.set_nonblocking(true)?;
        Ok(Keeper {
            address,
            listener: Some(listener),
            target,
            is_silent: false,
            weather: Weather {
                delay: Duration::ZERO,
                garblers: [None, None],
                left: [None, None],
                counts,
            },
            connections: Vec::new(),
            commands,
            sleeper,
        })
    }

    /// Forwards until the proxy is dropped.
    pub(super) fn run(mut self) {
        loop {
            self.wait();
            let mut bytes = [0; 64];
            while matches!(self.sleeper.read(&mut bytes), Ok(1..)) {}
            loop {
                match self.commands.try_recv() {
                    Ok((command, done)) => {
                        self.obey(command);
                        let _ = done.send(());
                    }
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return self.cut(),
                }
            }
            self.accept();
            let now = Instant::now();
            let weather = &mut self.weather;
            self.connections
                .retain_mut(|connection| connection.go_on(weather, now) == Life::On);
            self.count();
        }
    }

    /// Waits until something can be done.
    fn wait(&self) {
        let now = Instant::now();
        let mut timeout: Option<Duration> = None;
        let mut fds = vec![PollFd::new(&self.sleeper, PollFlags::IN)];
        if let Some(listener) = &self.listener {
            fds.push(PollFd::new(listener, PollFlags::IN));
        }
        for connection in &self.connections {
            for (index, end) in connection.ends().iter().enumerate() {
                let Some(end) = end else { continue };
                let mut flags = PollFlags::empty();
                if connection.wants_read(index) {
                    flags |= PollFlags::IN;
                }
                match connection.due(index) {
                    Some(due) if due <= now => flags |= PollFlags::OUT,
                    Some(due) => {
                        let wait = due - now;
                        timeout = Some(timeout.map_or(wait, |timeout| timeout.min(wait)));
                    }
                    None => {}
                }
                if !flags.is_empty() {
                    fds.push(PollFd::new(end, flags));
                }
            }
        }
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        // Interrupted: look at everything.
        let _ = poll(&mut fds, timeout.as_ref());
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Target(target) => self.target = target,
            Command::Delay(delay) => self.weather.delay = delay,
            Command::Cut => self.cut(),
            Command::HalfOpen => {
                self.is_silent = true;
                for connection in &mut self.connections {
                    connection.is_half_open = true;
                }
            }
            Command::Refuse => {
                self.listener = None;
                self.cut();
            }
            Command::Truncate(direction, after) => {
                self.weather.left[direction.index()] = Some(after);
            }
            Command::Garble(direction, garble) => {
                self.weather.garblers[direction.index()] = Some(Garbler::new(garble));
            }
            Command::Resume => self.resume(),
        }
        self.count();
    }

    fn resume(&mut self) {
        self.is_silent = false;
        self.weather.delay = Duration::ZERO;
        for direction in [Direction::ToServer, Direction::ToClient] {
            self.weather.garblers[direction.index()] = None;
            self.weather.left[direction.index()] = None;
        }
        if self.listener.is_none() {
            // Nobody else is given a port that was in use a moment ago, so this is tried once.
            self.listener = TcpListener::bind(self.address).ok();
            if let Some(listener) = &self.listener {
                let _ = listener.set_nonblocking(true);
            }
        }
    }

    fn accept(&mut self) {
        while let Some(Ok((client, _))) = self.listener.as_ref().map(TcpListener::accept) {
            self.weather.counts.accepted.fetch_add(1, Ordering::AcqRel);
            let server = if self.is_silent {
                None
            } else {
                match TcpStream::connect_timeout(&self.target, CONNECT_LIMIT) {
                    Ok(server) => Some(server),
                    Err(_) => {
                        reset(client);
                        continue;
                    }
                }
            };
            if let Ok(connection) = Connection::new(client, server) {
                self.connections.push(connection);
            }
        }
    }

    fn cut(&mut self) {
        for connection in self.connections.drain(..) {
            connection.reset();
        }
        self.count();
    }

    fn count(&self) {
        let open = self.connections.len();
        self.weather.counts.open.store(open, Ordering::Release);
    }
}

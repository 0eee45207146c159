//! A proxy of loopback TCP that does to its connections what networks and dying programs do.
//!
//! ```
//! # fn main() -> std::io::Result<()> {
//! use stui_faults::proxy::Proxy;
//!
//! let server = std::net::TcpListener::bind("127.0.0.1:0")?;
//! let proxy = Proxy::to(server.local_addr()?)?;
//! let _client = std::net::TcpStream::connect(proxy.address())?;
//! proxy.cut();
//! # Ok(()) }
//! ```
//!
//! Every command is carried out when its call returns. What a command sets holds for all connections
//! until [`Proxy::resume`]; connections that were made half-open stay so, as they do in life. Nothing is
//! random but what a seed decides: the same bytes are garbled in the same places.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Sender, bounded, unbounded};

mod connection;
mod garbler;
mod keeper;

pub use garbler::Garble;

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

impl Direction {
    fn index(self) -> usize {
        match self {
            Direction::ToServer => 0,
            Direction::ToClient => 1,
        }
    }
}

/// What the proxy is told.
#[derive(Debug)]
enum Command {
    Target(SocketAddr),
    Delay(Duration),
    Cut,
    HalfOpen,
    Refuse,
    Truncate(Direction, u64),
    Garble(Direction, Garble),
    Resume,
}

/// Counts of a proxy, as they are now.
#[derive(Debug, Default)]
struct Counts {
    /// Connections that were accepted, from the beginning.
    accepted: AtomicU64,
    /// Connections that there are.
    open: AtomicUsize,
    /// Bytes forwarded each way.
    forwarded: [AtomicU64; 2],
}

/// A proxy on a loopback port of its own. It ends, and cuts its connections, when dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    commands: Option<Sender<(Command, Sender<()>)>>,
    waker: UnixStream,
    counts: Arc<Counts>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Starts one that forwards to a server; there need not be one yet.
    ///
    /// # Errors
    /// If the system gives no port or thread.
    pub fn to(target: SocketAddr) -> io::Result<Proxy> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let (waker, sleeper) = UnixStream::pair()?;
        let (commands, received) = unbounded();
        let counts = Arc::new(Counts::default());
        let keeper = keeper::Keeper::new(
            address,
            listener,
            target,
            received,
            sleeper,
            Arc::clone(&counts),
        )?;
        let thread = std::thread::Builder::new()
            .name("proxy".into())
            .spawn(move || keeper.run())?;
        Ok(Proxy {
            address,
            commands: Some(commands),
            waker,
            counts,
            thread: Some(thread),
        })
    }

    /// The same for an endpoint in the form of libzmq, as `tcp://127.0.0.1:5555`.
    ///
    /// # Errors
    /// If that is no address of TCP, or as [`Proxy::to`].
    pub fn to_endpoint(endpoint: &str) -> io::Result<Proxy> {
        Proxy::to(address_of(endpoint)?)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same in the form of libzmq.
    pub fn endpoint(&self) -> String {
        format!("tcp://{}", self.address)
    }

    /// New connections go to another server.
    pub fn set_target(&self, target: SocketAddr) {
        self.tell(Command::Target(target));
    }

    /// What comes is held so long before it goes on, each way. Zero: not at all.
    pub fn delay(&self, delay: Duration) {
        self.tell(Command::Delay(delay));
    }

    /// Resets (RST) every connection that there is, on both sides. New ones are forwarded.
    pub fn cut(&self) {
        self.tell(Command::Cut);
    }

    /// Swallows everything: nothing is forwarded or closed any more, new connections are accepted and
    /// hear nothing. After [`Proxy::resume`] new ones are forwarded; those of before are never again.
    pub fn half_open(&self) {
        self.tell(Command::HalfOpen);
    }

    /// Resets every connection, and refuses new ones: nobody listens.
    pub fn refuse(&self) {
        self.tell(Command::Refuse);
    }

    /// Lets so many more bytes pass in a direction, counted over all connections, and then closes the
    /// connection that they belong to, once.
    pub fn truncate(&self, direction: Direction, after: u64) {
        self.tell(Command::Truncate(direction, after));
    }

    /// Changes bytes that go in a direction.
    pub fn garble(&self, direction: Direction, garble: Garble) {
        self.tell(Command::Garble(direction, garble));
    }

    /// Forwards what comes from now on, at once and as it is, and listens again.
    pub fn resume(&self) {
        self.tell(Command::Resume);
    }

    /// How many connections it has accepted since it began.
    pub fn accepted(&self) -> u64 {
        self.counts.accepted.load(Ordering::Acquire)
    }

    /// How many connections it has now.
    pub fn open(&self) -> usize {
        self.counts.open.load(Ordering::Acquire)
    }

    /// How many bytes it has forwarded in a direction since it began.
    pub fn forwarded(&self, direction: Direction) -> u64 {
        self.counts.forwarded[direction.index()].load(Ordering::Acquire)
    }

    fn tell(&self, command: Command) {
        let (done, wait) = bounded(1);
        if let Some(commands) = &self.commands
            && commands.send((command, done)).is_ok()
        {
            self.wake();
            // An error means that the thread is gone, with its connections.
            let _ = wait.recv();
        }
    }

    fn wake(&self) {
        let _ = io::Write::write(&mut &self.waker, &[1]);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.commands.take();
        self.wake();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn address_of(endpoint: &str) -> io::Result<SocketAddr> {
    endpoint
        .strip_prefix("tcp://")
        .and_then(|address| address.parse().ok())
        .ok_or_else(|| {
            let text = format!("{endpoint} is no address like tcp://127.0.0.1:5555");
            io::Error::new(io::ErrorKind::InvalidInput, text)
        })
}

//! One `ZeroMQ` connection to a server. The only module that names `ZeroMQ`.
//!
//! libzmq reconnects by itself and says nothing; here a [`Wire`] that is lost stays lost, and whoever
//! owns it opens another: a reconnected peer has to authenticate anew, so it had better know. A
//! socket monitor tells when that happens; heartbeats find peers that are gone without a word.
//!
//! Sockets belong to one thread. Others wake it through a [`Waker`].

use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use zmq::{Context, DONTWAIT, PollEvents, PollItem, Socket, SocketEvent, SocketType};

/// How often the peer is asked whether it is there, and how long it may take to answer: a peer that is
/// gone without a word is found within the sum.
const HEARTBEAT: Duration = Duration::from_secs(1);
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(3);
/// After how long without heartbeats the peer may give us up.
const HEARTBEAT_TTL: Duration = Duration::from_secs(15);
/// Largest message that is taken from a server, in bytes.
const MAX_RECEIVED: i64 = 64 << 20;
/// Events of the monitor that mean the end of a connection, and the one that means its beginning.
const MONITORED: [SocketEvent; 8] = [
    SocketEvent::HANDSHAKE_SUCCEEDED,
    SocketEvent::CONNECT_RETRIED,
    SocketEvent::CLOSED,
    SocketEvent::DISCONNECTED,
    SocketEvent::HANDSHAKE_FAILED_NO_DETAIL,
    SocketEvent::HANDSHAKE_FAILED_PROTOCOL,
    SocketEvent::HANDSHAKE_FAILED_AUTH,
    SocketEvent::CLOSE_FAILED,
];

/// Version of the `ZeroMQ` library, as `4.3.4`.
pub fn library_version() -> String {
    let (major, minor, patch) = zmq::version();
    format!("{major}.{minor}.{patch}")
}

/// A connection, or the attempt at one.
pub(crate) struct Wire {
    dealer: Socket,
    monitor: Socket,
    lost: Option<String>,
    shook_hands: bool,
}

impl Wire {
    /// Begins to connect.
    pub(crate) fn open(context: &WireContext, endpoint: &str) -> Result<Self, String> {
        Self::try_open(context, endpoint)
            .map_err(|error| format!("cannot reach {endpoint}: {error}"))
    }

    fn try_open(context: &WireContext, endpoint: &str) -> zmq::Result<Self> {
        static MONITORS: AtomicU32 = AtomicU32::new(0);
        let dealer = context.0.socket(SocketType::DEALER)?;
        dealer.set_linger(0)?;
        // What waits to be sent is bounded by whoever sends; a full queue would only lose what is behind.
        dealer.set_sndhwm(0)?;
        // What was received is bounded by whoever receives, who gives the wire up when it is too much.
        // With a limit here, a connection that breaks while libzmq 4.3.4 has stopped reading it makes
        // libzmq abort the process if a heartbeat is among what it had read.
        dealer.set_rcvhwm(0)?;
        dealer.set_maxmsgsize(MAX_RECEIVED)?;
        dealer.set_heartbeat_ivl(HEARTBEAT.as_millis() as i32)?;
        dealer.set_heartbeat_timeout(HEARTBEAT_TIMEOUT.as_millis() as i32)?;
        dealer.set_heartbeat_ttl(HEARTBEAT_TTL.as_millis() as i32)?;
        dealer.set_reconnect_ivl(-1)?;
        // Whoever owns the wire decides how long to wait for a server that is stopped.
        dealer.set_handshake_ivl(0)?;
        let number = MONITORS.fetch_add(1, Ordering::Relaxed);
        let address = format!("inproc://monitor-{number}");
        let events = MONITORED
            .iter()
            .map(|event| i32::from(event.to_raw()))
            .sum();
        dealer.monitor(&address, events)?;
        let monitor = context.0.socket(SocketType::PAIR)?;
        monitor.set_linger(0)?;
        monitor.connect(&address)?;
        dealer.connect(endpoint)?;
        Ok(Wire {
            dealer,
            monitor,
            lost: None,
            shook_hands: false,
        })
    }

    /// Sends a document; it is queued if it cannot go at once.
    pub(crate) fn send(&mut self, document: &[u8]) {
        if let Err(error) = self.dealer.send(document, DONTWAIT) {
            self.lose(&format!("cannot send: {error}"));
        }
    }

    /// The next document that has arrived.
    pub(crate) fn receive(&mut self) -> Option<Vec<u8>> {
        match self.dealer.recv_multipart(DONTWAIT) {
            Ok(mut frames) if frames.len() == 1 => frames.pop(),
            // Servers answer with as many frames as they were asked with.
            Ok(frames) => {
                self.lose(&format!(
                    "a message has {} frames instead of one",
                    frames.len()
                ));
                None
            }
            Err(zmq::Error::EAGAIN) => None,
            Err(error) => {
                self.lose(&format!("cannot receive: {error}"));
                None
            }
        }
    }

    /// Why the connection is lost, if it is.
    pub(crate) fn lost(&mut self) -> Option<&str> {
        while let Ok(frames) = self.monitor.recv_multipart(DONTWAIT) {
            let raw = match frames.first().map(Vec::as_slice) {
                Some([low, high, ..]) => u16::from_ne_bytes([*low, *high]),
                _ => continue,
            };
            if raw == SocketEvent::HANDSHAKE_SUCCEEDED.to_raw() {
                self.shook_hands = true;
                continue;
            }
            let reason = if raw == SocketEvent::DISCONNECTED.to_raw() {
                "the server closed the connection or stopped answering"
            } else if raw == SocketEvent::CLOSED.to_raw()
                || raw == SocketEvent::CONNECT_RETRIED.to_raw()
            {
                "nobody listens there"
            } else {
                "what listens there does not speak ZeroMQ"
            };
            self.lose(reason);
        }
        self.lost.as_deref()
    }

    /// Whether somebody who speaks `ZeroMQ` is there, as far as [`Wire::lost`] has seen.
    pub(crate) fn shook_hands(&self) -> bool {
        self.shook_hands
    }

    /// Gives the connection up.
    pub(crate) fn lose(&mut self, reason: &str) {
        self.lost.get_or_insert_with(|| reason.to_owned());
    }
}

/// What sockets are made in; one a link.
pub(crate) struct WireContext(Context);

impl WireContext {
    pub(crate) fn new() -> Self {
        WireContext(Context::new())
    }
}

/// Waits until something happens on one of the wires, somebody woke, or the time is over. Answers
/// whether somebody woke, or may have.
pub(crate) fn wait<'a>(
    wires: impl IntoIterator<Item = &'a Wire>,
    sleeper: &Sleeper,
    timeout: Duration,
) -> bool {
    let mut items = vec![PollItem::from_fd(
        sleeper.stream.as_raw_fd(),
        PollEvents::POLLIN,
    )];
    for wire in wires {
        items.push(wire.dealer.as_poll_item(PollEvents::POLLIN));
        items.push(wire.monitor.as_poll_item(PollEvents::POLLIN));
    }
    // Rounded up: a wait of less than a millisecond must not become none.
    let milliseconds = i64::try_from(timeout.as_micros().div_ceil(1000)).unwrap_or(i64::MAX);
    match zmq::poll(&mut items, milliseconds) {
        Ok(_) => items[0].is_readable(),
        // After a signal: look at everything.
        Err(_) => true,
    }
}

/// Wakes the thread that owns the sockets, from any thread.
#[derive(Clone)]
pub(crate) struct Waker(Arc<WakerInner>);

struct WakerInner {
    stream: UnixStream,
    awake: Arc<AtomicBool>,
}

/// The end of a [`Waker`] that is waited on.
pub(crate) struct Sleeper {
    stream: UnixStream,
    awake: Arc<AtomicBool>,
}

/// A waker and what it wakes.
pub(crate) fn waker() -> std::io::Result<(Waker, Sleeper)> {
    let (writer, reader) = UnixStream::pair()?;
    writer.set_nonblocking(true)?;
    reader.set_nonblocking(true)?;
    let awake = Arc::new(AtomicBool::new(false));
    let waker = Waker(Arc::new(WakerInner {
        stream: writer,
        awake: Arc::clone(&awake),
    }));
    let sleeper = Sleeper {
        stream: reader,
        awake,
    };
    Ok((waker, sleeper))
}

impl Waker {
    /// Ends the wait that goes on, or the next one.
    pub(crate) fn wake(&self) {
        if !self.0.awake.swap(true, Ordering::AcqRel) {
            // It has room for one byte: more than one is never in it.
            let _ = (&self.0.stream).write(&[1]);
        }
    }
}

impl Sleeper {
    /// To be called after a wait, before looking for what the wakers left.
    pub(crate) fn woken(&self) {
        let mut bytes = [0; 8];
        let _ = (&self.stream).read(&mut bytes);
        self.awake.swap(false, Ordering::AcqRel);
    }
}

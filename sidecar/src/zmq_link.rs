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

/// How often a silent peer is asked whether it is there, and how long it may take to answer.
const HEARTBEAT: Duration = Duration::from_secs(5);
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
}

impl Wire {
    /// Begins to connect.
    pub(crate) fn open(context: &WireContext, endpoint: &str) -> Result<Self, String> {
        Self::try_open(context, endpoint)
            .map_err(|error| format!("cannot reach {endpoint}: {error}"))
    }

    fn try_open(context: &WireContext, endpoint: &str) -> zmq::Result<Self> {
        static MONITORS: AtomicU32 = AtomicU32::new(0);
        let heartbeat = HEARTBEAT.as_millis() as i32;
        let dealer = context.0.socket(SocketType::DEALER)?;
        dealer.set_linger(0)?;
        // What waits is bounded by whoever sends; a full queue would only lose what is behind.
        dealer.set_sndhwm(0)?;
        dealer.set_rcvhwm(0)?;
        dealer.set_maxmsgsize(MAX_RECEIVED)?;
        dealer.set_heartbeat_ivl(heartbeat)?;
        dealer.set_heartbeat_timeout(heartbeat)?;
        dealer.set_heartbeat_ttl(2 * heartbeat)?;
        dealer.set_reconnect_ivl(-1)?;
        dealer.set_connect_timeout(heartbeat)?;
        dealer.set_handshake_ivl(heartbeat)?;
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
            Ok(mut frames) => frames.pop(),
            Err(zmq::Error::EAGAIN) => None,
            Err(error) => {
                self.lose(&format!("cannot receive: {error}"));
                None
            }
        }
    }

    /// Why the connection is lost, if it is. `told`: whether the monitor has something to say.
    pub(crate) fn lost(&mut self, told: bool) -> Option<&str> {
        while told && let Ok(frames) = self.monitor.recv_multipart(DONTWAIT) {
            let raw = match frames.first().map(Vec::as_slice) {
                Some([low, high, ..]) => u16::from_ne_bytes([*low, *high]),
                _ => continue,
            };
            if raw == SocketEvent::HANDSHAKE_SUCCEEDED.to_raw() {
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

/// What a wait ended with.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Ready {
    /// Somebody woke.
    pub(crate) woken: bool,
    /// Messages are there.
    pub(crate) received: bool,
    /// The monitor has something to say.
    pub(crate) monitored: bool,
}

/// Waits until a message or an event of the monitor has come, somebody woke, or the time is over.
pub(crate) fn wait(wire: Option<&Wire>, sleeper: &Sleeper, timeout: Option<Duration>) -> Ready {
    let timeout = timeout.map_or(-1, |timeout| {
        // rounded up: a wait of less than a millisecond must not become none
        i64::try_from(timeout.as_micros().div_ceil(1000)).unwrap_or(i64::MAX)
    });
    let wakes = PollItem::from_fd(sleeper.stream.as_raw_fd(), PollEvents::POLLIN);
    let Some(wire) = wire else {
        let mut items = [wakes];
        return match zmq::poll(&mut items, timeout) {
            Ok(_) => Ready {
                woken: items[0].is_readable(),
                ..Ready::default()
            },
            Err(_) => INTERRUPTED,
        };
    };
    let mut items = [
        wakes,
        wire.dealer.as_poll_item(PollEvents::POLLIN),
        wire.monitor.as_poll_item(PollEvents::POLLIN),
    ];
    match zmq::poll(&mut items, timeout) {
        Ok(_) => Ready {
            woken: items[0].is_readable(),
            received: items[1].is_readable(),
            monitored: items[2].is_readable(),
        },
        Err(_) => INTERRUPTED,
    }
}

/// After a signal: look at everything.
const INTERRUPTED: Ready = Ready {
    woken: true,
    received: true,
    monitored: true,
};

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

//! The ROUTER socket: frames in, frames out. The only file that names `zmq`.
//!
//! - Frames of more than [`HARD_CAP`] bytes make libzmq drop their connection; what is smaller is
//!   received, so that even a message over the protocol's limit gets an answer.
//! - libzmq does not say which routing id a closed connection had. It tells the file descriptor
//!   (by its monitor) and each message's (as metadata), which is put together by the desk. The monitor
//!   is always read between receiving messages and handling them, so that what was known of a closed
//!   connection never benefits a later one.
//! - A second connection that claims the routing id of an open one is ignored by libzmq
//!   (`ZMQ_ROUTER_HANDOVER` stays off).
//! - What cannot be sent at once, because its client does not read, waits in bounded memory; what
//!   cannot even wait is dropped: events are numbered and can be replayed, replies are remembered.

use std::collections::{HashMap, VecDeque};
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use super::desk::{Origin, Outgoing};
use super::frames::PeerId;

/// Largest frame that is received at all, in bytes.
const HARD_CAP: i64 = 64 * 1024 * 1024;
/// More frames than this are not kept: no message has so many.
const MAX_FRAMES: usize = 8;
/// Most messages that wait in libzmq for a client that does not read.
const SEND_QUEUE: i32 = 1000;
/// Most messages of a connection that libzmq reads ahead: no limit. With one, a connection that breaks
/// while libzmq has stopped reading it makes libzmq 4.3.4 abort the process, if a heartbeat is among
/// what it had read (`Assertion failed: !_io_error`). Strangers' messages are refused unread, so that
/// they do not pile up.
const RECEIVE_QUEUE: i32 = 0;
/// Most bytes that wait here for clients that do not read.
const MAX_WAITING_BYTES: usize = 64 * 1024 * 1024;
/// How long to wait before trying again to send.
const RETRY: Duration = Duration::from_millis(5);
/// How often a silent connection is probed, in milliseconds.
const HEARTBEAT: i32 = 30_000;
/// How long the last messages may take when the server ends, in milliseconds.
const GOODBYE: i32 = 500;

/// A received frame.
pub(crate) type Frame = zmq::Message;

/// Why the socket cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SocketError(#[from] zmq::Error);

/// The version of libzmq in this program, as `4.3.4`.
pub fn libzmq_version() -> String {
    let (major, minor, patch) = zmq::version();
    format!("{major}.{minor}.{patch}")
}

/// The socket.
pub(crate) struct Router {
    socket: zmq::Socket,
    monitor: zmq::Socket,
    endpoint: String,
    waiting: HashMap<PeerId, VecDeque<Outgoing>>,
    waiting_bytes: usize,
}

/// How sending went.
enum Sent {
    Done,
    Full(Outgoing),
    Unreachable(PeerId),
}

impl Router {
    /// A socket bound to an endpoint; `*` as the port chooses a free one.
    pub(crate) fn bind(endpoint: &str) -> Result<Router, SocketError> {
        let context = zmq::Context::new();
        let socket = context.socket(zmq::ROUTER)?;
        socket.set_linger(0)?;
        socket.set_maxmsgsize(HARD_CAP)?;
        socket.set_sndhwm(SEND_QUEUE)?;
        socket.set_rcvhwm(RECEIVE_QUEUE)?;
        socket.set_router_mandatory(true)?;
        socket.set_heartbeat_ivl(HEARTBEAT)?;
        socket.set_heartbeat_timeout(2 * HEARTBEAT)?;
        if endpoint.contains('[') {
            socket.set_ipv6(true)?;
        }
        let address = format!("inproc://{}", stui_protocol::Uuid::new_v4());
        socket.monitor(&address, zmq::SocketEvent::DISCONNECTED as i32)?;
        let monitor = context.socket(zmq::PAIR)?;
        monitor.set_linger(0)?;
        // An event lost would keep a closed connection authenticated.
        monitor.set_rcvhwm(0)?;
        monitor.connect(&address)?;
        // A socket in the file system is for this user only, from its first moment.
        super::private::privately(|| socket.bind(endpoint))?;
        let endpoint = socket
            .get_last_endpoint()?
            .unwrap_or_else(|_| endpoint.to_owned());
        Ok(Router {
            socket,
            monitor,
            endpoint,
            waiting: HashMap::new(),
            waiting_bytes: 0,
        })
    }

    /// Where it listens, the port filled in.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Waits until there is something to receive, one of the descriptors is readable, something should
    /// be sent again, or a time has come. Answers which descriptors are readable.
    pub(crate) fn wait<const N: usize>(
        &self,
        descriptors: [RawFd; N],
        until: Instant,
    ) -> Result<[bool; N], SocketError> {
        let mut timeout = until.saturating_duration_since(Instant::now());
        if !self.waiting.is_empty() {
            timeout = timeout.min(RETRY);
        }
        let mut items = vec![
            self.socket.as_poll_item(zmq::POLLIN),
            self.monitor.as_poll_item(zmq::POLLIN),
        ];
        items.extend(descriptors.map(|descriptor| zmq::PollItem::from_fd(descriptor, zmq::POLLIN)));
        // Rounded up, or the last part of a millisecond would be spent in a busy loop.
        let milliseconds = i64::try_from(timeout.as_micros().div_ceil(1000)).unwrap_or(i64::MAX);
        match zmq::poll(&mut items, milliseconds) {
            Ok(_) | Err(zmq::Error::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(std::array::from_fn(|index| items[index + 2].is_readable()))
    }

    /// The next message, if there is one: where it came from, and its frames behind the routing id.
    pub(crate) fn receive(&self) -> Option<(Origin, Vec<Frame>)> {
        let peer = self.socket.recv_msg(zmq::DONTWAIT).ok()?;
        let mut more = peer.get_more();
        let mut frames = Vec::with_capacity(3);
        let mut connection = None;
        while more {
            let mut frame = self.socket.recv_msg(zmq::DONTWAIT).ok()?;
            more = frame.get_more();
            if frames.is_empty() {
                connection = frame.gets("__fd").and_then(|text| text.parse().ok());
            }
            if frames.len() < MAX_FRAMES {
                frames.push(frame);
            }
        }
        let origin = Origin {
            peer: PeerId::from(&peer[..]),
            connection,
        };
        Some((origin, frames))
    }

    /// File descriptors of the connections that were closed since the last call.
    pub(crate) fn closed(&self) -> Vec<RawFd> {
        let mut closed = Vec::new();
        while let Ok(event) = self.monitor.recv_msg(zmq::DONTWAIT) {
            // An event number of 16 bits and a value of 32, here the file descriptor.
            if let Some(value) = event.get(2..6).and_then(|bytes| bytes.try_into().ok()) {
                closed.push(RawFd::from_ne_bytes(value));
            }
            let mut more = event.get_more();
            while more {
                more = self
                    .monitor
                    .recv_msg(zmq::DONTWAIT)
                    .is_ok_and(|frame| frame.get_more());
            }
        }
        closed
    }

    /// Sends a message, or lets it wait. Answers the connection if it is gone.
    pub(crate) fn send(&mut self, message: Outgoing) -> Option<PeerId> {
        if self.waiting.contains_key(&message.peer) {
            self.let_wait(message);
            return None;
        }
        match self.try_send(message) {
            Sent::Done => None,
            Sent::Full(message) => {
                self.let_wait(message);
                None
            }
            Sent::Unreachable(peer) => Some(peer),
        }
    }

    fn let_wait(&mut self, message: Outgoing) {
        let size = message.document.len();
        // Events never take the room that replies may need.
        let limit = if message.is_event {
            MAX_WAITING_BYTES / 2
        } else {
            MAX_WAITING_BYTES
        };
        if self.waiting_bytes + size > limit {
            if !message.is_event {
                tracing::warn!("a client does not read its replies; one is dropped");
            }
            return;
        }
        self.waiting_bytes += size;
        self.waiting
            .entry(message.peer.clone())
            .or_default()
            .push_back(message);
    }

    /// Sends what waits, as far as that is possible. Answers the connections that are gone.
    pub(crate) fn send_waiting(&mut self) -> Vec<PeerId> {
        let mut gone = Vec::new();
        for (peer, mut queue) in std::mem::take(&mut self.waiting) {
            while let Some(message) = queue.pop_front() {
                let size = message.document.len();
                match self.try_send(message) {
                    Sent::Done => self.waiting_bytes -= size,
                    Sent::Full(message) => {
                        queue.push_front(message);
                        break;
                    }
                    Sent::Unreachable(peer) => {
                        let rest: usize = queue.iter().map(|rest| rest.document.len()).sum();
                        self.waiting_bytes -= size + rest;
                        queue.clear();
                        gone.push(peer);
                    }
                }
            }
            if !queue.is_empty() {
                self.waiting.insert(peer, queue);
            }
        }
        gone
    }

    fn try_send(&self, message: Outgoing) -> Sent {
        let head: &[u8] = &message.peer;
        match self.socket.send(head, zmq::DONTWAIT | zmq::SNDMORE) {
            Ok(()) => {}
            Err(zmq::Error::EAGAIN) => return Sent::Full(message),
            Err(_) => return Sent::Unreachable(message.peer),
        }
        // Behind the routing id libzmq takes a message whole, or drops it with its connection.
        let empty: &[u8] = b"";
        let delimiter = message.delimited.then_some(empty);
        let signature = message.signature.as_deref().map(str::as_bytes);
        let rest = delimiter
            .into_iter()
            .chain(signature)
            .map(|frame| (frame, zmq::SNDMORE))
            .chain([(&*message.document, 0)]);
        for (frame, flag) in rest {
            if self.socket.send(frame, zmq::DONTWAIT | flag).is_err() {
                return Sent::Unreachable(message.peer);
            }
        }
        Sent::Done
    }

    /// Closes the socket; what was just sent still has a moment to leave.
    pub(crate) fn close(mut self) {
        self.send_waiting();
        if let Err(error) = self.socket.set_linger(GOODBYE) {
            tracing::warn!(%error, "the last messages may be lost");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    const PATIENCE: Duration = Duration::from_secs(30);

    /// A socket, and a client of it.
    fn pair() -> (Router, zmq::Socket) {
        let router = Router::bind("tcp://127.0.0.1:*").unwrap();
        let client = zmq::Context::new().socket(zmq::DEALER).unwrap();
        client.set_linger(0).unwrap();
        client.set_rcvhwm(100).unwrap();
        client.set_rcvtimeo(20).unwrap();
        client.connect(router.endpoint()).unwrap();
        (router, client)
    }

    /// Waits for something to happen at the socket.
    fn wait_for<T>(router: &mut Router, mut happened: impl FnMut(&mut Router) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(it) = happened(router) {
                return it;
            }
            assert!(Instant::now() < deadline, "nothing happened");
            router.wait([], deadline).unwrap();
        }
    }

    #[test]
    fn a_closed_connection_is_known_by_the_descriptor_of_its_messages() {
        let (mut router, client) = pair();
        client.send("hello", 0).unwrap();
        let (origin, frames) = wait_for(&mut router, |router| router.receive());
        assert_eq!(&frames[0][..], b"hello");
        let connection = origin.connection.expect("libzmq tells the descriptor");
        assert!(router.closed().is_empty());
        drop(client);
        wait_for(&mut router, |router| {
            router.closed().contains(&connection).then_some(())
        });
    }

    #[test]
    fn a_client_that_does_not_read_gets_everything_once_it_does() {
        const COUNT: usize = 3000;
        let (mut router, client) = pair();
        client.send("hello", 0).unwrap();
        let (origin, _) = wait_for(&mut router, |router| router.receive());
        for number in 0..COUNT {
            let mut document = vec![b' '; 10_000];
            document[..8].copy_from_slice(&number.to_be_bytes());
            let gone = router.send(Outgoing {
                peer: origin.peer.clone(),
                delimited: false,
                signature: None,
                document: Rc::from(document),
                is_event: false,
            });
            assert_eq!(gone, None);
        }
        assert!(router.waiting_bytes > 0, "the client's queues hold it all");
        for number in 0..COUNT {
            let deadline = Instant::now() + PATIENCE;
            let document = loop {
                router.send_waiting();
                match client.recv_bytes(0) {
                    Ok(document) => break document,
                    Err(error) => assert!(Instant::now() < deadline, "{error}"),
                }
            };
            assert_eq!(document[..8], number.to_be_bytes());
        }
        assert!(router.waiting.is_empty());
        assert_eq!(router.waiting_bytes, 0);
    }

    #[test]
    fn a_message_to_a_connection_that_is_gone_says_so() {
        let (mut router, client) = pair();
        client.send("hello", 0).unwrap();
        let (origin, _) = wait_for(&mut router, |router| router.receive());
        drop(client);
        let gone = wait_for(&mut router, |router| {
            router.send(Outgoing {
                peer: origin.peer.clone(),
                delimited: true,
                signature: None,
                document: Rc::from(&b"late"[..]),
                is_event: false,
            })
        });
        assert_eq!(gone, origin.peer);
    }
}

//! What reaches the embedded server's socket: frames from a client of `ZeroMQ`, and bytes from anybody.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use stui_embedded::server::{ServeOptions, Server};
use stui_protocol::Uuid;
use stui_protocol::message::{Envelope, Payload, find_id};
use stui_protocol::request::{Interrupt, Ping};

use crate::Target;

pub(super) const TARGET: Target = Target {
    name: "server",
    about: "messages to the embedded server: each id gets an answer, and the server goes on",
    seeds: messages,
    words: super::JSON_WORDS,
    run: run_messages,
};

pub(super) const ZMTP: Target = Target {
    name: "zmtp",
    about: "bytes at the embedded server's socket: other clients notice nothing",
    seeds: greetings,
    words: &[
        "\u{0}NULL",
        "READY",
        "Socket-Type",
        "DEALER",
        "REQ",
        "ROUTER",
        "Identity",
        "PING",
        "PONG",
        "ERROR",
        "SUBSCRIBE",
        "\u{0}\u{0}\u{0}\u{0}",
        "\u{1}",
        "\u{2}",
        "\u{4}",
        "\u{7f}",
        "GET / HTTP/1.1\r\n\r\n",
        "CURVE",
        "PLAIN",
    ],
    run: run_bytes,
};

/// Between the messages of an input, and between the frames of a message. JSON has neither.
const MESSAGE: u8 = 0x1e;
const FRAME: u8 = 0x1f;
/// A message that begins so is sent without a signature.
const UNSIGNED: u8 = b'!';
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(8);

static SERVER: LazyLock<Mutex<Option<Server>>> = LazyLock::new(|| Mutex::new(None));
static CONTEXT: LazyLock<zmq::Context> = LazyLock::new(zmq::Context::new);

fn messages() -> Vec<Vec<u8>> {
    let examples: Vec<Vec<u8>> = super::examples()
        .into_iter()
        .filter(|example| {
            let text = String::from_utf8_lossy(example);
            text.contains("\"Request\"")
        })
        .collect();
    let mut seeds = examples.clone();
    // with a delimiter, unsigned, and one behind the other
    for example in examples.iter().take(8) {
        seeds.push([&[FRAME], example.as_slice()].concat());
        seeds.push([&[UNSIGNED], example.as_slice()].concat());
        seeds.push([example.as_slice(), &[MESSAGE], example.as_slice()].concat());
    }
    seeds
}

/// The server, started if there is none or the last one was told to shut down.
fn server() -> MutexGuard<'static, Option<Server>> {
    let mut server = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
    if server.is_none() {
        *server = Some(Server::spawn(ServeOptions::default()).expect("the server starts"));
    }
    server
}

/// A client whose messages are signed.
struct Client {
    socket: zmq::Socket,
    key: stui_protocol::auth::Key,
}

impl Client {
    fn of(server: &Server) -> Client {
        let socket = CONTEXT.socket(zmq::DEALER).expect("a socket");
        socket.set_linger(0).expect("linger");
        socket
            .connect(&server.connection().endpoint)
            .expect("the server listens");
        let key = server.connection().key().expect("the server has a key");
        Client { socket, key }
    }

    fn ask(&self, envelope: &Envelope) {
        let document = envelope.to_json().expect("JSON");
        let signature = self.key.sign(&document);
        self.socket
            .send_multipart([signature.as_bytes(), &document], 0)
            .expect("it can be sent");
    }

    /// The id of the next answer that comes in time; events are left out.
    fn answer(&self, deadline: Instant) -> Option<Uuid> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let milliseconds = i64::try_from(left.as_millis()).unwrap_or(i64::MAX);
            if self.socket.poll(zmq::POLLIN, milliseconds).expect("poll") == 0 {
                return None;
            }
            let frames = self.socket.recv_multipart(0).expect("receive");
            let document = frames.last().expect("a frame");
            let envelope = Envelope::from_json(document).expect("the server sends messages");
            if let Payload::Response(_) = envelope.payload {
                return Some(envelope.id);
            }
        }
    }

    fn wait_for(&self, mut ids: BTreeSet<Uuid>) -> BTreeSet<Uuid> {
        let deadline = Instant::now() + PATIENCE;
        while !ids.is_empty() {
            let Some(id) = self.answer(deadline) else {
                break;
            };
            ids.remove(&id);
        }
        ids
    }
}

fn run_messages(input: &[u8]) {
    let mut server = server();
    let client = Client::of(server.as_ref().expect("it was just started"));
    let mut asked = BTreeSet::new();
    let mut sent = 0;
    for message in input.split(|byte| *byte == MESSAGE).take(8) {
        let (unsigned, message) = match message.split_first() {
            Some((&UNSIGNED, rest)) => (true, rest),
            _ => (false, message),
        };
        let mut frames: Vec<Vec<u8>> = message
            .split(|byte| *byte == FRAME)
            .map(<[u8]>::to_vec)
            .collect();
        let document = frames.last().cloned().unwrap_or_default();
        let well_framed = match frames.as_slice() {
            [_] => true,
            [delimiter, _] => delimiter.is_empty(),
            _ => false,
        };
        asked.insert(if unsigned || !well_framed {
            // not read any further than the frames, and answered without an id
            Uuid::nil()
        } else {
            let id = find_id(&document);
            let signature = client.key.sign(&document).into_bytes();
            frames.insert(frames.len() - 1, signature);
            id
        });
        client
            .socket
            .send_multipart(&frames, 0)
            .expect("it can be sent");
        sent += 1;
    }
    // what runs for ever has to end before its answer comes
    for id in asked.iter().filter(|id| !id.is_nil()) {
        let interrupt = Interrupt::of_request(id);
        client.ask(&Envelope::request(Uuid::new_v4(), interrupt));
    }
    let ping = Envelope::request(Uuid::new_v4(), Ping::default());
    client.ask(&ping);
    asked.insert(ping.id);
    asked.remove(&Uuid::nil());
    let unanswered = client.wait_for(asked);
    // told to shut down, it ends, and may do so before the last answers
    let shutdown = String::from_utf8_lossy(input).contains("Shutdown");
    if unanswered.is_empty() && !shutdown {
        return;
    }
    let ended = server.take().expect("it was there").stop();
    let told = ended.expect("a server ends only when it is told to");
    assert!(
        shutdown,
        "no answer for {unanswered:?} of {sent} messages; the server ended: {told}"
    );
}

/// ZMTP 3.1 as libzmq greets: signature, version, mechanism; then a READY command.
fn greetings() -> Vec<Vec<u8>> {
    let mut greeting = vec![0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1];
    greeting.extend_from_slice(b"NULL");
    greeting.resize(64, 0);
    let property = |name: &str, value: &str| {
        let mut bytes = vec![name.len() as u8];
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(&(value.len() as u32).to_be_bytes());
        bytes.extend_from_slice(value.as_bytes());
        bytes
    };
    let command = |name: &str, body: &[u8]| {
        let mut bytes = vec![4, (1 + name.len() + body.len()) as u8, name.len() as u8];
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(body);
        bytes
    };
    let ready = |socket_type: &str| {
        let properties = [
            property("Socket-Type", socket_type),
            property("Identity", ""),
        ]
        .concat();
        command("READY", &properties)
    };
    let message = [&[1, 0][..], &[0, 2], b"{}"].concat();
    let large = [&[2][..], &u64::MAX.to_be_bytes(), b"{"].concat();
    let ping = command("PING", &[0, 10, b'x']);
    let version_1 = [&[0xff][..], &[0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 1, 5, 0, 0]].concat();
    vec![
        [&greeting[..], &ready("DEALER")[..], &message[..]].concat(),
        [&greeting[..], &ready("REQ")[..], &message[..], &message[..]].concat(),
        [&greeting[..], &ready("DEALER")[..], &ping[..], &large[..]].concat(),
        [&greeting[..], &ready("PUB")[..]].concat(),
        greeting[..20].to_vec(),
        version_1,
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
        vec![1, 0],
    ]
}

fn run_bytes(input: &[u8]) {
    let server = server();
    let server = server.as_ref().expect("it was just started");
    let endpoint = &server.connection().endpoint;
    let address = endpoint.strip_prefix("tcp://").expect("tcp");
    let mut stream = TcpStream::connect(address).expect("the server listens");
    let limit = Some(Duration::from_millis(500));
    stream.set_write_timeout(limit).expect("a time limit");
    stream
        .set_read_timeout(Some(Duration::from_millis(1)))
        .expect("a time limit");
    // in pieces, as a network may deliver it; a server that hangs up is within its rights
    for piece in input.chunks((input.len() / 3).max(1)) {
        if stream.write_all(piece).is_err() {
            break;
        }
        let mut said = [0; 1024];
        let _ = stream.read(&mut said);
    }
    let _ = stream.shutdown(Shutdown::Write);
    let client = Client::of(server);
    let ping = Envelope::request(Uuid::new_v4(), Ping::default());
    client.ask(&ping);
    let unanswered = client.wait_for(BTreeSet::from([ping.id]));
    assert!(unanswered.is_empty(), "the server answers nobody any more");
}

//! ZMTP as the package writes and reads it, against libzmq: bytes that libzmq sent, kept as data, and a live connection on
//! which libzmq gets what the package's source makes on the embedded Smalltalk.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use stui_pharo_check::image::Image;
use stui_pharo_check::{Package, data};

/// Patience with a peer that does not send.
const PATIENCE: Duration = Duration::from_secs(10);
/// What a peer that shook hands is sent to: the frames of the recorded message.
const FRAMES: [&[u8]; 3] = [b"", b"hello", &[7; 300]];

fn image() -> Image {
    Image::with(&Package::read(), &["STUIZMQError", "STUIZMTP"])
        .unwrap_or_else(|error| panic!("{error}"))
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<Vec<_>>()
        .concat()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text
        .chars()
        .filter_map(|digit| digit.to_digit(16))
        .collect();
    digits
        .chunks(2)
        .map(|pair| (pair[0] * 16 + pair[1]) as u8)
        .collect()
}

/// Evaluates code that answers a `ByteArray`.
fn bytes(image: &mut Image, code: &str) -> Vec<u8> {
    let text = image
        .evaluate(&format!(
            "String streamContents: [ :s | [ {code} ] value do: [ :each | s print: each; space ] ]"
        ))
        .unwrap_or_else(|error| panic!("{error}"));
    text.split_whitespace()
        .map(|number| number.parse().expect("a byte"))
        .collect()
}

/// A `ByteArray` literal.
fn byte_array(bytes: &[u8]) -> String {
    let numbers: Vec<String> = bytes.iter().map(ToString::to_string).collect();
    format!("#[{}]", numbers.join(" "))
}

fn read(stream: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).expect("libzmq sends");
    bytes
}

/// One frame, header included.
fn read_frame(stream: &mut TcpStream) -> Vec<u8> {
    let mut frame = read(stream, 1);
    let size = if frame[0] & 2 == 0 {
        let size = read(stream, 1);
        frame.extend(&size);
        usize::from(size[0])
    } else {
        let size = read(stream, 8);
        frame.extend(&size);
        size.iter()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte))
    };
    frame.extend(read(stream, size));
    frame
}

/// A socket of libzmq that connects to a listener of ours.
struct Peer {
    socket: zmq::Socket,
    stream: TcpStream,
}

fn peer(kind: zmq::SocketType) -> Peer {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let socket = zmq::Context::new().socket(kind).expect("a socket");
    socket.set_linger(0).expect("an option");
    socket
        .set_rcvtimeo(PATIENCE.as_millis() as i32)
        .expect("an option");
    let address = listener.local_addr().expect("an address");
    socket
        .connect(&format!("tcp://{address}"))
        .expect("a connection");
    let (stream, _) = listener.accept().expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("an option");
    Peer { socket, stream }
}

/// What libzmq sends to a ROUTER that greets it with these bytes: greeting, READY, a message.
fn record(kind: zmq::SocketType, greeting: &[u8], ready: &[u8]) -> (Peer, [Vec<u8>; 3]) {
    let mut peer = peer(kind);
    peer.stream.write_all(greeting).expect("sent");
    let their_greeting = read(&mut peer.stream, 64);
    peer.stream.write_all(ready).expect("sent");
    let their_ready = read_frame(&mut peer.stream);
    // a REQ socket sends the empty frame itself
    let own = if kind == zmq::REQ {
        &FRAMES[1..]
    } else {
        &FRAMES[..]
    };
    peer.socket.send_multipart(own, 0).expect("sent");
    let mut message = Vec::new();
    for _ in FRAMES {
        message.extend(read_frame(&mut peer.stream));
    }
    (peer, [their_greeting, their_ready, message])
}

/// The recorded bytes: a line for each, name and hex digits.
fn recorded() -> Vec<(String, Vec<u8>)> {
    let path = data("zmtp-frames.txt");
    std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; STUI_RECORD=1 makes it", path.display()))
        .lines()
        .filter(|line| !line.starts_with(';'))
        .filter_map(|line| line.split_once(' '))
        .map(|(name, digits)| (name.to_owned(), unhex(digits)))
        .collect()
}

fn greeting_and_ready(image: &mut Image) -> (Vec<u8>, Vec<u8>) {
    let greeting = bytes(image, "STUIZMTP greeting");
    let ready = bytes(
        image,
        "STUIZMTP frame: (STUIZMTP readyAs: 'ROUTER') flags: STUIZMTP command",
    );
    (greeting, ready)
}

#[test]
fn libzmq_sends_what_was_recorded() {
    let mut image = image();
    let (greeting, ready) = greeting_and_ready(&mut image);
    let mut live = Vec::new();
    for (name, kind) in [("dealer", zmq::DEALER), ("req", zmq::REQ)] {
        let (_, parts) = record(kind, &greeting, &ready);
        for (part, bytes) in ["greeting", "ready", "message"].into_iter().zip(parts) {
            live.push((format!("{name}-{part}"), bytes));
        }
    }
    if std::env::var_os("STUI_RECORD").is_some() {
        let head = "; What libzmq sent; made by STUI_RECORD=1 cargo test -p stui-pharo-check --test zmtp\n";
        let lines: Vec<String> = live
            .iter()
            .map(|(name, bytes)| format!("{name} {}\n", hex(bytes)))
            .collect();
        std::fs::write(data("zmtp-frames.txt"), head.to_owned() + &lines.concat())
            .expect("written");
    }
    // another libzmq may greet with a later minor version
    let without_minor = |mut parts: Vec<(String, Vec<u8>)>| {
        for (name, bytes) in &mut parts {
            if name.ends_with("greeting") {
                bytes[11] = 0;
            }
        }
        parts
    };
    assert_eq!(without_minor(live), without_minor(recorded()));
}

#[test]
fn the_package_reads_what_libzmq_sent() {
    let mut image = image();
    for (name, bytes) in recorded() {
        let literal = byte_array(&bytes);
        let part = name.rsplit('-').next().unwrap_or_default();
        let (code, expected) = match part {
            "greeting" => (
                format!("(STUIZMTP minorVersionIn: {literal}) <= 1"),
                "true".to_owned(),
            ),
            "ready" => (
                format!(
                    "((STUIZMTP propertiesIn: (STUIZMTP readFrameFrom: {literal} readStream) second) at: 'socket-type') asString"
                ),
                format!(
                    "'{}'",
                    if name.starts_with("req") {
                        "REQ"
                    } else {
                        "DEALER"
                    }
                ),
            ),
            _ => (
                format!(
                    "| s all | s := {literal} readStream. all := (1 to: 3) collect: [ :i | STUIZMTP readFrameFrom: s ]. {{ all collect: [ :f | STUIZMTP hasMore: f first ]. all collect: [ :f | f second size ]. s atEnd }}"
                ),
                "{#(true true false). #(0 5 300). true}".to_owned(),
            ),
        };
        let printed = image
            .print(&code)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let plain = |text: &str| {
            text.replace(['{', '}', '#', '(', ')', '.'], " ")
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(plain(&printed), plain(&expected), "{name}");
    }
}

#[test]
fn libzmq_reads_what_the_package_writes() {
    let mut image = image();
    let (greeting, ready) = greeting_and_ready(&mut image);
    let (mut peer, _) = record(zmq::DEALER, &greeting, &ready);
    let sent = [Vec::new(), b"a".to_vec(), vec![7; 255], vec![8; 70_000]];
    let literals: Vec<String> = [b"".as_slice(), b"a"]
        .iter()
        .map(|frame| byte_array(frame))
        .collect();
    let message = bytes(
        &mut image,
        &format!(
            "ByteArray streamContents: [ :out | STUIZMTP writeMessage: {{ {}. ((ByteArray new: 255) atAllPut: 7; yourself). ((ByteArray new: 70000) atAllPut: 8; yourself) }} on: out ]",
            literals.join(". ")
        ),
    );
    peer.stream.write_all(&message).expect("sent");
    let received = peer.socket.recv_multipart(0).expect("a message");
    assert_eq!(received, sent);
}

#[test]
fn libzmq_takes_the_packages_answer_to_its_ping() {
    let mut image = image();
    let (greeting, ready) = greeting_and_ready(&mut image);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let socket = zmq::Context::new().socket(zmq::DEALER).expect("a socket");
    socket.set_linger(0).expect("an option");
    socket.set_heartbeat_ivl(100).expect("an option");
    socket
        .set_rcvtimeo(PATIENCE.as_millis() as i32)
        .expect("an option");
    socket
        .connect(&format!(
            "tcp://{}",
            listener.local_addr().expect("an address")
        ))
        .expect("a connection");
    let (mut stream, _) = listener.accept().expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("an option");
    stream.write_all(&greeting).expect("sent");
    read(&mut stream, 64);
    stream.write_all(&ready).expect("sent");
    read_frame(&mut stream);
    // a peer that does not like an answer closes the connection, and the next read fails
    for _ in 0..3 {
        let asked = read_frame(&mut stream);
        let answer = bytes(
            &mut image,
            &format!(
                "| f | f := STUIZMTP readFrameFrom: {} readStream. (STUIZMTP is: 'PING' command: f second) ifFalse: [ self error: 'no PING' ]. STUIZMTP frame: (STUIZMTP pongFor: f second) flags: STUIZMTP command",
                byte_array(&asked)
            ),
        );
        stream.write_all(&answer).expect("sent");
    }
    stream
        .write_all(&bytes(
            &mut image,
            "STUIZMTP frame: 'still there' asByteArray flags: 0",
        ))
        .expect("sent");
    assert_eq!(socket.recv_bytes(0).expect("a message"), b"still there");
}

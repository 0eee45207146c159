//! The proxy between a plain client and a server that sends everything back.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use stui_faults::proxy::{Direction, Garble, Proxy};

const LIMIT: Duration = Duration::from_secs(20);
/// How long nothing is to come before it counts as silence.
const SILENCE: Duration = Duration::from_millis(100);

fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut bytes = [0; 4096];
                while let Ok(read @ 1..) = stream.read(&mut bytes) {
                    if stream.write_all(&bytes[..read]).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

fn client(proxy: &Proxy) -> TcpStream {
    let stream = TcpStream::connect(proxy.address()).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream
}

fn echoed(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    stream.write_all(bytes)?;
    let mut back = vec![0; bytes.len()];
    stream.read_exact(&mut back)?;
    Ok(back)
}

fn is_silent(stream: &mut TcpStream) -> bool {
    stream.set_read_timeout(Some(SILENCE)).unwrap();
    let silent =
        matches!(stream.read(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock);
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    silent
}

#[test]
fn what_is_sent_goes_both_ways_as_it_is_and_is_counted() {
    let proxy = Proxy::to(echo()).unwrap();
    let bytes: Vec<u8> = (0..200_000u32).map(|n| (n % 251) as u8).collect();
    let mut stream = client(&proxy);
    let mut reader = stream.try_clone().unwrap();
    let sent = bytes.clone();
    let writer = thread::spawn(move || stream.write_all(&sent).map(|()| stream));
    let mut back = vec![0; bytes.len()];
    reader.read_exact(&mut back).unwrap();
    assert!(back == bytes);
    // what is forwarded is counted a moment after
    for direction in [Direction::ToServer, Direction::ToClient] {
        wait_for("what came is not counted", || {
            proxy.forwarded(direction) >= 200_000
        });
        assert_eq!(proxy.forwarded(direction), 200_000);
    }
    assert_eq!((proxy.accepted(), proxy.open()), (1, 1));
    drop((reader, writer.join().unwrap()));
    wait_for("a closed connection is kept", || proxy.open() == 0);
}

fn wait_for(otherwise: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !is_so() {
        assert!(Instant::now() < deadline, "{otherwise}");
        thread::yield_now();
    }
}

#[test]
fn a_cut_resets_the_connection_and_the_next_one_works() {
    let proxy = Proxy::to(echo()).unwrap();
    let mut stream = client(&proxy);
    assert_eq!(echoed(&mut stream, b"a").unwrap(), b"a");
    proxy.cut();
    let error = stream.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(echoed(&mut client(&proxy), b"b").unwrap(), b"b");
}

#[test]
fn half_open_connections_hear_nothing_for_ever_and_later_ones_do_after_it() {
    let proxy = Proxy::to(echo()).unwrap();
    let mut before = client(&proxy);
    assert_eq!(echoed(&mut before, b"a").unwrap(), b"a");
    proxy.half_open();
    let mut during = client(&proxy);
    for stream in [&mut before, &mut during] {
        stream.write_all(b"lost").unwrap();
        assert!(is_silent(stream));
    }
    proxy.resume();
    assert_eq!(echoed(&mut client(&proxy), b"b").unwrap(), b"b");
    for stream in [&mut before, &mut during] {
        stream.write_all(b"lost").unwrap();
        assert!(is_silent(stream));
    }
}

#[test]
fn refused_connections_fail_at_once_until_it_listens_again() {
    let proxy = Proxy::to(echo()).unwrap();
    let mut stream = client(&proxy);
    assert_eq!(echoed(&mut stream, b"a").unwrap(), b"a");
    proxy.refuse();
    assert!(stream.read(&mut [0]).is_err());
    let error = TcpStream::connect(proxy.address()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    proxy.resume();
    assert_eq!(echoed(&mut client(&proxy), b"b").unwrap(), b"b");
}

#[test]
fn a_delay_holds_what_comes_each_way() {
    let proxy = Proxy::to(echo()).unwrap();
    let mut stream = client(&proxy);
    let delay = Duration::from_millis(60);
    proxy.delay(delay);
    let began = Instant::now();
    assert_eq!(echoed(&mut stream, b"slow").unwrap(), b"slow");
    assert!(began.elapsed() >= 2 * delay);
}

#[test]
fn a_truncated_connection_ends_behind_the_byte_that_was_named_and_the_next_goes_on() {
    let proxy = Proxy::to(echo()).unwrap();
    let mut stream = client(&proxy);
    assert_eq!(echoed(&mut stream, b"abc").unwrap(), b"abc");
    proxy.truncate(Direction::ToClient, 4);
    stream.write_all(b"0123456789").unwrap();
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    assert_eq!(all, b"0123");
    assert_eq!(echoed(&mut client(&proxy), b"whole").unwrap(), b"whole");
}

#[test]
fn garbled_bytes_are_those_that_were_named_in_that_direction() {
    let proxy = Proxy::to(echo()).unwrap();
    let mut stream = client(&proxy);
    proxy.garble(Direction::ToServer, Garble::At { skip: 1, count: 1 });
    assert_eq!(echoed(&mut stream, b"aaa").unwrap(), [b'a', !b'a', b'a']);
    proxy.resume();
    proxy.garble(Direction::ToClient, Garble::Random { seed: 1, one_in: 1 });
    let garbled = echoed(&mut stream, b"aaaaaaaa").unwrap();
    assert!(garbled.iter().all(|byte| *byte != b'a'), "{garbled:?}");
    proxy.resume();
    assert_eq!(echoed(&mut stream, b"aaa").unwrap(), b"aaa");
}

#[test]
fn where_no_server_listens_a_connection_is_reset_and_another_target_is_taken() {
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let proxy = Proxy::to(nobody).unwrap();
    assert!(client(&proxy).read(&mut [0]).is_err());
    proxy.set_target(echo());
    assert_eq!(echoed(&mut client(&proxy), b"a").unwrap(), b"a");
}

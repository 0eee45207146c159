//! One connection through the proxy: a client's socket, a server's, and what is on its way.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::keeper::Weather;

/// Most bytes on their way in a direction; more is not read.
const MAX_WAITING: usize = 4 << 20;
/// Most bytes read at once.
const PIECE: usize = 64 << 10;

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    /// The client's socket and the server's, as long as they are open.
    ends: [Option<TcpStream>; 2],
    /// What goes to the server, and to the client.
    ways: [Way; 2],
    /// Swallows what comes, for ever.
    pub(super) is_half_open: bool,
}

#[derive(Debug, Default)]
struct Way {
    pieces: VecDeque<(Instant, Vec<u8>)>,
    bytes: usize,
    /// The sender sends no more.
    ended: bool,
    /// The receiver was told.
    closed: bool,
}

/// Whether a connection goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    On,
    Over,
}

impl Connection {
    /// One to a server, or one that is silent.
    pub(super) fn new(client: TcpStream, server: Option<TcpStream>) -> std::io::Result<Self> {
        for end in [Some(&client), server.as_ref()].into_iter().flatten() {
            end.set_nonblocking(true)?;
            end.set_nodelay(true)?;
        }
        Ok(Connection {
            is_half_open: server.is_none(),
            ends: [Some(client), server],
            ways: Default::default(),
        })
    }

    /// The client's socket and the server's.
    pub(super) fn ends(&self) -> &[Option<TcpStream>; 2] {
        &self.ends
    }

    /// Whether more is to be read from an end.
    pub(super) fn wants_read(&self, from: usize) -> bool {
        self.is_half_open || (!self.ways[from].ended && self.ways[from].bytes < MAX_WAITING)
    }

    /// When something is to be written to an end: what was read from the other one.
    pub(super) fn due(&self, to: usize) -> Option<Instant> {
        if self.is_half_open {
            return None;
        }
        self.ways[1 - to].pieces.front().map(|(due, _)| *due)
    }

    /// Reads what has come and writes what is due.
    pub(super) fn go_on(&mut self, weather: &mut Weather, now: Instant) -> Life {
        if self.is_half_open {
            return self.swallow();
        }
        for from in 0..2 {
            if self.read(from, weather, now) == Life::Over
                || self.write(1 - from, weather, now) == Life::Over
            {
                return Life::Over;
            }
        }
        if self.ways.iter().all(|way| way.closed) {
            Life::Over
        } else {
            Life::On
        }
    }

    fn swallow(&mut self) -> Life {
        let mut bytes = [0; 4096];
        for end in &mut self.ends {
            let Some(stream) = end else { continue };
            loop {
                match stream.read(&mut bytes) {
                    Ok(1..) => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Ok(0) | Err(_) => {
                        *end = None;
                        break;
                    }
                }
            }
        }
        if self.ends.iter().all(Option::is_none) {
            Life::Over
        } else {
            Life::On
        }
    }

    fn read(&mut self, from: usize, weather: &Weather, now: Instant) -> Life {
        let Some(stream) = &mut self.ends[from] else {
            return Life::On;
        };
        let way = &mut self.ways[from];
        let mut bytes = [0; PIECE];
        while !way.ended && way.bytes < MAX_WAITING {
            match stream.read(&mut bytes) {
                Ok(0) => way.ended = true,
                Ok(read) => {
                    way.pieces
                        .push_back((now + weather.delay, bytes[..read].to_vec()));
                    way.bytes += read;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return Life::Over,
            }
        }
        Life::On
    }

    fn write(&mut self, to: usize, weather: &mut Weather, now: Instant) -> Life {
        let way = &mut self.ways[1 - to];
        let Some(stream) = &mut self.ends[to] else {
            return Life::On;
        };
        while let Some((due, piece)) = way.pieces.front_mut() {
            if *due > now {
                return Life::On;
            }
            let left = weather.left(1 - to);
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
            // Changed in a copy: what does not go now is changed when it goes.
            let mut bytes = piece[..most].to_vec();
            let before = weather.garble(1 - to, &mut bytes);
            let written = match stream.write(&bytes) {
                Ok(written) => written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
                Err(_) => return Life::Over,
            };
            weather.forwarded(1 - to, before, &piece[..written]);
            way.bytes -= written;
            piece.drain(..written);
            if piece.is_empty() {
                way.pieces.pop_front();
            }
            if weather.is_truncated(1 - to) {
                let _ = stream.shutdown(Shutdown::Both);
                return Life::Over;
            }
            if written < most || written == 0 {
                return Life::On;
            }
        }
        if way.ended && !way.closed {
            way.closed = true;
            // It may be closed already, by its own side.
            let _ = stream.shutdown(Shutdown::Write);
        }
        Life::On
    }

    /// Resets both ends, so that both sides get an error instead of an end.
    pub(super) fn reset(self) {
        for end in self.ends.into_iter().flatten() {
            reset(end);
        }
    }
}

/// Resets a connection.
pub(super) fn reset(stream: TcpStream) {
    // Without lingering, closing sends RST.
    let _ = rustix::net::sockopt::set_socket_linger(&stream, Some(std::time::Duration::ZERO));
    drop(stream);
}

/// Notes how many bytes went.
pub(super) fn count(counts: &super::Counts, way: usize, bytes: usize) {
    counts.forwarded[way].fetch_add(bytes as u64, Ordering::AcqRel);
}

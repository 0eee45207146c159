//! The way to a connection: attempts, several at once if they stay silent.
//!
//! An attempt that nobody answers is no reason to wait: the next one may get through at once, as when a
//! network that swallowed everything is back. It is no reason to give up either: a server that is stopped
//! answers it first of all when it goes on, and a server far away takes its time. So there is a new one
//! twice a second, beside the oldest one and a few of the newest, and the first that is greeted wins.

use std::time::{Duration, Instant};

use stui_protocol::connection::ConnectionFile;
use stui_protocol::response::Describe;

use super::greeting::{Greeting, Step};
use crate::zmq_link::{Wire, WireContext};

/// First pause before the next attempt, and the longest one, a quarter of jitter not counted. The longest
/// one bounds how long a server may be back without being noticed.
const FIRST_PAUSE: Duration = Duration::from_millis(25);
const MAX_PAUSE: Duration = Duration::from_millis(400);
/// The pause where only another connection file, or another server, can help.
const FAILED_PAUSE: Duration = Duration::from_millis(700);
/// How long a server that has begun to greet may be silent. New attempts wait meanwhile, at first.
const GREETING_LIMIT: Duration = Duration::from_secs(5);
const GREETING_PAUSE: Duration = Duration::from_secs(2);
/// Most attempts at once.
const MAX_AT_ONCE: usize = 6;

/// One attempt.
struct Attempt {
    wire: Wire,
    greeting: Box<Greeting>,
    /// When the server was last heard, if it was.
    heard: Option<Instant>,
}

/// What came of a look at the attempts.
pub(super) enum News {
    /// Nothing new.
    None,
    /// A connection is up.
    Up {
        wire: Wire,
        server: Box<Describe>,
        endpoint: String,
    },
    /// An attempt ended, for this reason.
    Lost(String),
    /// An attempt ended, and will hardly do better next time.
    Failed(String),
}

/// All attempts at one connection.
pub(super) struct Attempts {
    under_way: Vec<Attempt>,
    /// How many there were, this time.
    count: u32,
    next_at: Instant,
    since: Instant,
}

impl Attempts {
    /// Begins; `count` attempts were made in vain before.
    pub(super) fn begin(now: Instant, count: u32) -> Self {
        let next_at = match count {
            0 => now,
            count => now + pause(count),
        };
        Attempts {
            under_way: Vec::new(),
            count,
            next_at,
            since: now,
        }
    }

    pub(super) fn wires(&self) -> impl Iterator<Item = &Wire> {
        self.under_way.iter().map(|attempt| &attempt.wire)
    }

    /// How many attempts there were.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// When they began.
    pub(super) fn since(&self) -> Instant {
        self.since
    }

    /// When to look again.
    pub(super) fn next(&self) -> Instant {
        let limits = self.under_way.iter().filter_map(Attempt::limit);
        limits.fold(self.next_at, Instant::min)
    }

    /// Makes no other attempt before then.
    pub(super) fn postpone(&mut self, until: Instant) {
        self.next_at = self.next_at.max(until);
    }

    /// Makes another attempt, if it is time. `source` says where the server is.
    pub(super) fn go_on(
        &mut self,
        now: Instant,
        context: &WireContext,
        source: impl FnOnce() -> Result<ConnectionFile, String>,
    ) -> News {
        if now < self.next_at {
            return News::None;
        }
        let greeted = |attempt: &Attempt| attempt.heard.is_some_and(|at| now < at + GREETING_PAUSE);
        if self.under_way.iter().any(greeted) {
            self.next_at = now + MAX_PAUSE;
            return News::None;
        }
        self.count += 1;
        self.next_at = now + pause(self.count);
        let file = match source() {
            Ok(file) => file,
            Err(reason) => return News::Lost(reason),
        };
        if !stui_protocol::understands(&file.protocol_version) {
            self.next_at = now + FAILED_PAUSE;
            return News::Failed(format!(
                "The server at {} speaks version {} of the protocol, this is {}; update the older one.",
                file.endpoint,
                file.protocol_version,
                stui_protocol::PROTOCOL_VERSION
            ));
        }
        match Wire::open(context, &file.endpoint) {
            Ok(mut wire) => {
                if self.under_way.len() >= MAX_AT_ONCE {
                    // The oldest one stays, for servers that are stopped.
                    self.under_way.remove(1);
                }
                let greeting = Box::new(Greeting::begin(file, |document| wire.send(&document)));
                self.under_way.push(Attempt {
                    wire,
                    greeting,
                    heard: None,
                });
                News::None
            }
            Err(reason) => News::Lost(reason),
        }
    }

    /// Hears what servers say; to be called until there is nothing new.
    pub(super) fn hear(&mut self, now: Instant) -> News {
        for index in 0..self.under_way.len() {
            let attempt = &mut self.under_way[index];
            match attempt.hear(now) {
                Heard::Nothing => {}
                Heard::Done(server) => {
                    let attempt = self.under_way.swap_remove(index);
                    let endpoint = attempt.greeting.endpoint().to_owned();
                    return News::Up {
                        wire: attempt.wire,
                        server,
                        endpoint,
                    };
                }
                Heard::Lost(reason) => {
                    let reason = format!("{}: {reason}", attempt.greeting.endpoint());
                    self.under_way.remove(index);
                    return News::Lost(reason);
                }
                Heard::Failed(reason) => {
                    self.under_way.remove(index);
                    self.next_at = now + FAILED_PAUSE;
                    return News::Failed(reason);
                }
            }
        }
        News::None
    }
}

enum Heard {
    Nothing,
    Done(Box<Describe>),
    Lost(String),
    Failed(String),
}

impl Attempt {
    fn limit(&self) -> Option<Instant> {
        self.heard.map(|at| at + GREETING_LIMIT)
    }

    fn hear(&mut self, now: Instant) -> Heard {
        while let Some(document) = self.wire.receive() {
            self.heard = Some(now);
            let wire = &mut self.wire;
            match self
                .greeting
                .hear(&document, |document| wire.send(&document))
            {
                Step::On => {}
                Step::Done(server) => return Heard::Done(server),
                Step::Failed(reason) => return Heard::Failed(reason),
            }
        }
        if let Some(reason) = self.wire.lost() {
            return Heard::Lost(reason.to_owned());
        }
        if self.wire.shook_hands() {
            self.heard.get_or_insert(now);
        }
        match self.limit() {
            Some(limit) if now >= limit => Heard::Lost(format!(
                "no answer within {} seconds",
                GREETING_LIMIT.as_secs()
            )),
            _ => Heard::Nothing,
        }
    }
}

/// How long to wait before an attempt: doubling, with a quarter of jitter each way.
fn pause(attempt: u32) -> Duration {
    let doubled = FIRST_PAUSE * 2u32.saturating_pow(attempt.clamp(1, 10) - 1);
    let pause = doubled.min(MAX_PAUSE);
    let mut byte = [128];
    // Without randomness there is no jitter, which is no harm here.
    let _ = getrandom::fill(&mut byte);
    pause * 3 / 4 + pause * u32::from(byte[0]) / 512
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_half_a_second_so_that_a_server_that_is_back_is_noticed() {
        let half_a_second = Duration::from_millis(500);
        for attempt in [0, 1, 2, 5, 10, 1000, u32::MAX] {
            let pause = pause(attempt);
            assert!(
                pause >= FIRST_PAUSE * 3 / 4 && pause <= half_a_second,
                "{pause:?}"
            );
        }
        assert!(pause(1) < Duration::from_millis(32));
        assert!(pause(20) >= MAX_PAUSE * 3 / 4);
    }
}

//! Tells what has come, on a thread of its own: who is slow to listen does not hold up the link.
//!
//! What waits to be told is weighed. While it is too much, the link takes nothing more from the server:
//! it gives the connection up and makes another when half of it is told. Nothing is lost by that, because
//! servers remember replies and keep events.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::{LinkEvent, Listener, Responder};
use crate::hub::Outcome;

/// Most bytes that wait to be told.
const MAX_LOAD: usize = 32 << 20;
/// What anything weighs besides its bytes.
const WEIGHT: usize = 256;

enum What {
    Event(LinkEvent),
    Outcome(Responder, Outcome),
}

/// The handle of the thread, which ends when this is dropped and all is told.
pub(super) struct Teller {
    waiting: Sender<(What, usize)>,
    load: Arc<AtomicUsize>,
}

impl Teller {
    pub(super) fn start(listener: Listener) -> std::io::Result<Self> {
        let (waiting, received) = unbounded();
        let load = Arc::new(AtomicUsize::new(0));
        let left = Arc::clone(&load);
        std::thread::Builder::new()
            .name("link-teller".into())
            .spawn(move || tell(listener, &received, &left))?;
        Ok(Teller { waiting, load })
    }

    /// Tells the listener something that came in so many bytes.
    pub(super) fn event(&self, event: LinkEvent, bytes: usize) {
        self.add(What::Event(event), bytes);
    }

    /// Gives a responder its outcome, which came in so many bytes.
    pub(super) fn outcome(&self, responder: Responder, outcome: Outcome, bytes: usize) {
        self.add(What::Outcome(responder, outcome), bytes);
    }

    fn add(&self, what: What, bytes: usize) {
        let weight = bytes + WEIGHT;
        self.load.fetch_add(weight, Ordering::AcqRel);
        // An error means that the thread is gone, as after a panic of a listener: nobody listens.
        let _ = self.waiting.send((what, weight));
    }

    /// Whether too much waits.
    pub(super) fn is_full(&self) -> bool {
        self.load.load(Ordering::Acquire) > MAX_LOAD
    }

    /// Whether there is room for a new beginning.
    pub(super) fn has_room(&self) -> bool {
        self.load.load(Ordering::Acquire) <= MAX_LOAD / 2
    }
}

fn tell(mut listener: Listener, received: &Receiver<(What, usize)>, load: &AtomicUsize) {
    for (what, weight) in received {
        match what {
            What::Event(event) => listener(event),
            What::Outcome(responder, outcome) => responder(outcome),
        }
        load.fetch_sub(weight, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::bounded;
    use stui_protocol::pane;

    #[test]
    fn who_listens_slowly_hears_everything_in_order_and_the_load_is_known() {
        let (let_go, held) = bounded::<()>(0);
        let (tell, told) = unbounded();
        let teller = Teller::start(Box::new(move |event| {
            held.recv().ok();
            if let LinkEvent::Disconnected(pane::Link::Reconnecting { attempt, .. }) = event {
                tell.send(attempt).unwrap();
            }
        }))
        .unwrap();
        let event = |attempt| {
            let reason = String::new();
            LinkEvent::Disconnected(pane::Link::Reconnecting { attempt, reason })
        };
        for attempt in 0..4 {
            assert!(!teller.is_full());
            teller.event(event(attempt), MAX_LOAD / 3);
        }
        assert!(teller.is_full() && !teller.has_room());
        drop(let_go);
        let heard: Vec<u32> = told.iter().take(4).collect();
        assert_eq!(heard, [0, 1, 2, 3]);
        while !teller.has_room() {
            std::thread::yield_now();
        }
    }
}

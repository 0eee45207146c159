//! Event streams: numbered, kept for replay within bounds, one per session and one for the rest.

use std::collections::VecDeque;
use std::rc::Rc;

use stui_protocol::event::{Event, Happening};
use stui_protocol::message::Envelope;

/// Most events that a stream keeps.
const MAX_EVENTS: usize = 10_000;
/// Most bytes that a stream keeps, as documents.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// The events of a session, or those outside of every session.
#[derive(Debug)]
pub(crate) struct Stream {
    session_id: Option<String>,
    /// Number of the next event.
    next: u64,
    /// The newest events as documents, oldest first; the last one has number `next - 1`.
    kept: VecDeque<Rc<[u8]>>,
    bytes: usize,
}

impl Stream {
    /// An empty stream.
    pub(crate) fn new(session_id: Option<String>) -> Self {
        Stream {
            session_id,
            next: 1,
            kept: VecDeque::new(),
            bytes: 0,
        }
    }

    /// Numbers and keeps what happened, and answers the document that subscribers get.
    pub(crate) fn push(&mut self, happening: impl Into<Happening>) -> Rc<[u8]> {
        let envelope = Envelope::event(Event {
            session_id: self.session_id.clone(),
            sequence: self.next,
            happening: happening.into(),
        });
        let document: Rc<[u8]> = super::desk::to_document(&envelope);
        self.next += 1;
        self.bytes += document.len();
        self.kept.push_back(Rc::clone(&document));
        while self.kept.len() > MAX_EVENTS || (self.bytes > MAX_BYTES && self.kept.len() > 1) {
            let Some(oldest) = self.kept.pop_front() else {
                break;
            };
            self.bytes -= oldest.len();
        }
        document
    }

    /// The kept events from a number on; none: none. With the number of the first event that a
    /// subscriber gets, and how many before it are lost.
    pub(crate) fn replay(&self, from: Option<u64>) -> (impl Iterator<Item = &Rc<[u8]>>, u64, u64) {
        let oldest = self.next - self.kept.len() as u64;
        let wanted = from.unwrap_or(self.next).clamp(1, self.next);
        let first = wanted.max(oldest);
        let skip = (first - oldest) as usize;
        (self.kept.iter().skip(skip), first, first - wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stui_protocol::event::Transcript;
    use stui_protocol::message::Payload;

    fn text(text: &str) -> Transcript {
        Transcript { text: text.into() }
    }

    fn numbers(stream: &Stream, from: Option<u64>) -> (Vec<u64>, u64, u64) {
        let (events, first, missed) = stream.replay(from);
        let numbers = events
            .map(
                |document| match Envelope::from_json(document).unwrap().payload {
                    Payload::Event(event) => event.sequence,
                    other => panic!("{other:?} is no event"),
                },
            )
            .collect();
        (numbers, first, missed)
    }

    #[test]
    fn events_are_numbered_from_one_and_replayed_from_any_number() {
        let mut stream = Stream::new(Some("s".into()));
        for word in ["a", "b", "c"] {
            stream.push(text(word));
        }
        assert_eq!(numbers(&stream, Some(0)), (vec![1, 2, 3], 1, 0));
        assert_eq!(numbers(&stream, Some(2)), (vec![2, 3], 2, 0));
        assert_eq!(numbers(&stream, Some(4)), (vec![], 4, 0));
        assert_eq!(numbers(&stream, Some(99)), (vec![], 4, 0));
        assert_eq!(numbers(&stream, None), (vec![], 4, 0));
    }

    #[test]
    fn a_subscriber_learns_how_many_events_are_lost() {
        let mut stream = Stream::new(None);
        for _ in 0..MAX_EVENTS + 5 {
            stream.push(text("x"));
        }
        let (events, first, missed) = numbers(&stream, Some(2));
        assert_eq!((events.len(), first, missed), (MAX_EVENTS, 6, 4));
    }

    #[test]
    fn what_is_kept_is_bounded_by_bytes() {
        let mut stream = Stream::new(None);
        for _ in 0..10 {
            stream.push(text(&"x".repeat(MAX_BYTES / 4)));
        }
        assert!(stream.bytes <= MAX_BYTES);
        assert_eq!(stream.kept.len(), 3);
    }
}

//! At most once: what was asked and answered, so that a request that arrives again is not run twice.
//!
//! A request is known by its id and by who sent it. Who that is must survive a reconnection, or the
//! memory would be of no use: the routing ids that the socket makes do not. So all clients with such
//! ids count as one ([`Sender::Anyone`]) - they share the key, may all do everything, and their ids
//! are UUIDs. A client that chose its own routing id is known by that ([`Sender::Named`]).
//!
//! Bounded by count and by bytes. Where only the bytes are too many, the id outlives the reply: such a
//! request is answered with an error instead of being run again.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use stui_protocol::Uuid;

use super::frames::{PeerId, is_made_by_socket};

/// Who sent a request, over reconnections.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Sender {
    /// Somebody whose routing id the socket made.
    Anyone,
    /// The client with this routing id of its own choice.
    Named(PeerId),
}

impl Sender {
    /// The sender behind a connection.
    pub(crate) fn of(peer: &[u8]) -> Sender {
        if is_made_by_socket(peer) {
            Sender::Anyone
        } else {
            Sender::Named(peer.into())
        }
    }
}

/// Tells apart requests that wrongly share an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint(u64);

impl Fingerprint {
    /// That of a request with this type and these parameters.
    pub(crate) fn of(request_type: &str, params: &str) -> Fingerprint {
        let mut hasher = DefaultHasher::new();
        (request_type, params).hash(&mut hasher);
        Fingerprint(hasher.finish())
    }
}

/// A request's name: who sent it, and its id.
pub(crate) type RequestKey = (Sender, Uuid);

/// What is known of a request that arrives.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Nothing: it is to be run.
    New,
    /// It is running, as the job with this number.
    Running(u64),
    /// It was answered with this document.
    Answered(Rc<[u8]>),
    /// It was answered, but the reply is no longer kept.
    Forgotten,
    /// Its id was used for another request.
    OtherRequest,
}

#[derive(Debug)]
enum State {
    Running(u64),
    Answered(Rc<[u8]>),
    Forgotten,
}

/// The memory.
#[derive(Debug)]
pub(crate) struct Replies {
    entries: HashMap<RequestKey, (Fingerprint, State)>,
    /// Answered requests, oldest first.
    order: VecDeque<RequestKey>,
    /// How many of the oldest in `order` have lost their document.
    forgotten: usize,
    bytes: usize,
    max_count: usize,
    max_bytes: usize,
}

impl Replies {
    /// A memory for so many replies with so many bytes in all.
    pub(crate) fn new(max_count: usize, max_bytes: usize) -> Self {
        Replies {
            entries: HashMap::new(),
            order: VecDeque::new(),
            forgotten: 0,
            bytes: 0,
            max_count,
            max_bytes,
        }
    }

    /// What is known of a request.
    pub(crate) fn look_up(&self, key: &RequestKey, fingerprint: Fingerprint) -> Known {
        match self.entries.get(key) {
            None => Known::New,
            Some((other, _)) if *other != fingerprint => Known::OtherRequest,
            Some((_, State::Running(job))) => Known::Running(*job),
            Some((_, State::Answered(document))) => Known::Answered(Rc::clone(document)),
            Some((_, State::Forgotten)) => Known::Forgotten,
        }
    }

    /// A new request is run as a job.
    pub(crate) fn begin(&mut self, key: RequestKey, fingerprint: Fingerprint, job: u64) {
        self.entries.insert(key, (fingerprint, State::Running(job)));
    }

    /// A request, new or running, was answered.
    pub(crate) fn answer(&mut self, key: RequestKey, fingerprint: Fingerprint, document: Rc<[u8]>) {
        self.bytes += document.len();
        self.entries
            .insert(key.clone(), (fingerprint, State::Answered(document)));
        self.order.push_back(key);
        while self.bytes > self.max_bytes && self.forgotten < self.order.len() {
            if let Some((_, state)) = self.entries.get_mut(&self.order[self.forgotten])
                && let State::Answered(document) = std::mem::replace(state, State::Forgotten)
            {
                self.bytes -= document.len();
            }
            self.forgotten += 1;
        }
        while self.order.len() > self.max_count {
            let Some(oldest) = self.order.pop_front() else {
                break;
            };
            self.forgotten = self.forgotten.saturating_sub(1);
            if let Some((_, State::Answered(document))) = self.entries.remove(&oldest) {
                self.bytes -= document.len();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u128) -> RequestKey {
        (Sender::Anyone, Uuid::from_u128(number))
    }

    fn fingerprint() -> Fingerprint {
        Fingerprint::of("Evaluate", r#"{"code":"3"}"#)
    }

    fn document(len: usize) -> Rc<[u8]> {
        vec![b'x'; len].into()
    }

    fn remember(replies: &mut Replies, number: u128, len: usize) {
        replies.begin(key(number), fingerprint(), 1);
        replies.answer(key(number), fingerprint(), document(len));
    }

    #[test]
    fn a_request_is_new_then_running_then_answered() {
        let mut replies = Replies::new(10, 100);
        assert_eq!(replies.look_up(&key(1), fingerprint()), Known::New);
        replies.begin(key(1), fingerprint(), 7);
        assert_eq!(replies.look_up(&key(1), fingerprint()), Known::Running(7));
        replies.answer(key(1), fingerprint(), document(3));
        assert_eq!(
            replies.look_up(&key(1), fingerprint()),
            Known::Answered(document(3))
        );
    }

    #[test]
    fn an_id_used_for_another_request_is_noticed() {
        let mut replies = Replies::new(10, 100);
        remember(&mut replies, 1, 3);
        let other = Fingerprint::of("Evaluate", r#"{"code":"4"}"#);
        assert_eq!(replies.look_up(&key(1), other), Known::OtherRequest);
    }

    #[test]
    fn clients_with_a_routing_id_of_their_own_do_not_share_ids() {
        let mut replies = Replies::new(10, 100);
        remember(&mut replies, 1, 3);
        let named = (Sender::of(b"me"), Uuid::from_u128(1));
        assert_eq!(replies.look_up(&named, fingerprint()), Known::New);
        assert_eq!(Sender::of(&[0, 9, 9, 9, 9]), Sender::Anyone);
    }

    #[test]
    fn too_many_bytes_take_the_oldest_documents_but_not_their_ids() {
        let mut replies = Replies::new(10, 100);
        for number in 0..5 {
            remember(&mut replies, number, 40);
        }
        for number in 0..3 {
            assert_eq!(
                replies.look_up(&key(number), fingerprint()),
                Known::Forgotten
            );
        }
        for number in 3..5 {
            let known = replies.look_up(&key(number), fingerprint());
            assert_eq!(known, Known::Answered(document(40)));
        }
        assert_eq!(replies.bytes, 80);
    }

    #[test]
    fn too_many_replies_take_the_oldest_wholly() {
        let mut replies = Replies::new(3, 100);
        for number in 0..100 {
            remember(&mut replies, number, 40);
        }
        assert_eq!(replies.look_up(&key(96), fingerprint()), Known::New);
        assert_eq!(replies.look_up(&key(97), fingerprint()), Known::Forgotten);
        assert_eq!(
            replies.look_up(&key(99), fingerprint()),
            Known::Answered(document(40))
        );
        assert_eq!((replies.entries.len(), replies.order.len()), (3, 3));
        assert_eq!(replies.bytes, 80);
    }

    #[test]
    fn a_document_larger_than_all_is_forgotten_at_once() {
        let mut replies = Replies::new(3, 100);
        remember(&mut replies, 1, 101);
        assert_eq!(replies.look_up(&key(1), fingerprint()), Known::Forgotten);
        assert_eq!(replies.bytes, 0);
    }
}

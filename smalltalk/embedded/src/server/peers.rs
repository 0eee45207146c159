//! What the server knows of connections: whether they showed the key, and what they subscribed to.
//!
//! Only connections about which there is something to know are kept. One is dropped when its socket is
//! closed, or, should there be too many, when it is the one that was silent for the longest time.

use std::collections::{HashMap, HashSet};

use stui_protocol::Uuid;

use super::frames::PeerId;

/// Most connections that are kept.
const MAX_PEERS: usize = 4096;
/// Most streams that a connection may subscribe to.
pub(crate) const MAX_SUBSCRIPTIONS: usize = 64;

/// A stream that can be subscribed to: a session's, or that outside of every session.
pub(crate) type StreamKey = Option<Uuid>;

/// What is known of a connection.
#[derive(Debug, Default)]
pub(crate) struct Peer {
    /// Whether it showed that it knows the key, by `Authenticate`.
    pub(crate) is_authenticated: bool,
    /// The nonces of an `Authenticate` that is under way: the client's and the server's.
    pub(crate) nonces: Option<(String, String)>,
    /// What it subscribed to, and whether those events are to be signed.
    pub(crate) subscriptions: HashMap<StreamKey, bool>,
    /// The file descriptor of its socket.
    connection: Option<i32>,
    /// When it was last heard of, as a count of messages.
    last_heard: u64,
}

/// All connections about which there is something to know.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    by_id: HashMap<PeerId, Peer>,
    subscribers: HashMap<StreamKey, HashSet<PeerId>>,
    heard: u64,
}

impl Peers {
    /// What is known of a connection that was just heard of.
    pub(crate) fn hear(&mut self, peer: &[u8]) -> Option<&mut Peer> {
        self.heard += 1;
        let found = self.by_id.get_mut(peer)?;
        found.last_heard = self.heard;
        Some(found)
    }

    /// The same, from now on with something to know about it.
    pub(crate) fn keep(&mut self, peer: &PeerId, connection: Option<i32>) -> &mut Peer {
        if self.by_id.len() >= MAX_PEERS && !self.by_id.contains_key(peer) {
            self.drop_most_silent();
        }
        self.heard += 1;
        let kept = self.by_id.entry(peer.clone()).or_default();
        kept.last_heard = self.heard;
        kept.connection = connection.or(kept.connection);
        kept
    }

    /// Connections that never showed the key go first.
    fn drop_most_silent(&mut self) {
        let most_silent = self
            .by_id
            .iter()
            .min_by_key(|(_, peer)| (peer.is_authenticated, peer.last_heard))
            .map(|(id, _)| id.clone());
        if let Some(id) = most_silent {
            self.forget(&id);
        }
    }

    /// Forgets a connection.
    pub(crate) fn forget(&mut self, peer: &[u8]) {
        if let Some(gone) = self.by_id.remove(peer) {
            for stream in gone.subscriptions.keys() {
                self.leave(stream, peer);
            }
        }
    }

    fn leave(&mut self, stream: &StreamKey, peer: &[u8]) {
        if let Some(subscribers) = self.subscribers.get_mut(stream) {
            subscribers.remove(peer);
            if subscribers.is_empty() {
                self.subscribers.remove(stream);
            }
        }
    }

    /// Forgets the connections whose socket had this file descriptor.
    pub(crate) fn closed(&mut self, connection: i32) {
        let gone: Vec<PeerId> = self
            .by_id
            .iter()
            .filter(|(_, peer)| peer.connection == Some(connection))
            .map(|(id, _)| id.clone())
            .collect();
        for peer in gone {
            self.forget(&peer);
        }
    }

    /// Subscribes a connection to a stream; `false` if it has too many subscriptions.
    pub(crate) fn subscribe(
        &mut self,
        peer: &PeerId,
        connection: Option<i32>,
        stream: StreamKey,
        signed: bool,
    ) -> bool {
        let subscriptions = &mut self.keep(peer, connection).subscriptions;
        if subscriptions.len() >= MAX_SUBSCRIPTIONS && !subscriptions.contains_key(&stream) {
            return false;
        }
        subscriptions.insert(stream, signed);
        self.subscribers
            .entry(stream)
            .or_default()
            .insert(peer.clone());
        true
    }

    /// Ends a subscription.
    pub(crate) fn unsubscribe(&mut self, peer: &[u8], stream: StreamKey) {
        if let Some(peer) = self.by_id.get_mut(peer) {
            peer.subscriptions.remove(&stream);
        }
        self.leave(&stream, peer);
    }

    /// Ends everybody's subscription to a stream.
    pub(crate) fn end_stream(&mut self, stream: StreamKey) {
        for peer in self.subscribers.remove(&stream).unwrap_or_default() {
            if let Some(peer) = self.by_id.get_mut(&peer) {
                peer.subscriptions.remove(&stream);
            }
        }
    }

    /// Who subscribed to a stream, and whether its events are to be signed.
    pub(crate) fn subscribers(&self, stream: StreamKey) -> impl Iterator<Item = (&PeerId, bool)> {
        self.subscribers
            .get(&stream)
            .into_iter()
            .flatten()
            .map(move |id| {
                let signed = self
                    .by_id
                    .get(id)
                    .and_then(|peer| peer.subscriptions.get(&stream));
                (id, signed.copied().unwrap_or(false))
            })
    }

    /// Everybody who subscribed to anything, and whether events are to be signed.
    pub(crate) fn all_subscribers(&self) -> impl Iterator<Item = (&PeerId, bool)> {
        self.by_id
            .iter()
            .filter_map(|(id, peer)| Some((id, *peer.subscriptions.values().next()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> PeerId {
        number.to_be_bytes().into()
    }

    #[test]
    fn a_closed_connection_is_forgotten_with_its_subscriptions() {
        let mut peers = Peers::default();
        peers.keep(&id(1), Some(8)).is_authenticated = true;
        assert!(peers.subscribe(&id(1), Some(8), None, false));
        peers.closed(9);
        assert!(peers.hear(&id(1)).is_some());
        peers.closed(8);
        assert!(peers.hear(&id(1)).is_none());
        assert_eq!(peers.subscribers(None).count(), 0);
    }

    #[test]
    fn too_many_connections_cost_the_most_silent_strangers() {
        let mut peers = Peers::default();
        peers.keep(&id(0), None).is_authenticated = true;
        for number in 1..=MAX_PEERS as u32 {
            peers.keep(&id(number), None);
        }
        assert_eq!(peers.by_id.len(), MAX_PEERS);
        assert!(peers.hear(&id(0)).is_some_and(|peer| peer.is_authenticated));
        assert!(peers.hear(&id(1)).is_none());
        assert!(peers.hear(&id(2)).is_some());
    }

    #[test]
    fn a_connection_has_a_bounded_number_of_subscriptions() {
        let mut peers = Peers::default();
        for number in 0..MAX_SUBSCRIPTIONS as u128 {
            assert!(peers.subscribe(&id(1), None, Some(Uuid::from_u128(number)), true));
        }
        assert!(!peers.subscribe(&id(1), None, None, true));
        assert!(peers.subscribe(&id(1), None, Some(Uuid::from_u128(0)), true));
        peers.unsubscribe(&id(1), Some(Uuid::from_u128(0)));
        assert!(peers.subscribe(&id(1), None, None, true));
        assert_eq!(
            peers.subscribers(None).collect::<Vec<_>>(),
            [(&id(1), true)]
        );
    }
}

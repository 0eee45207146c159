//! Which events a link gets, up to which number it has seen them, and which it can see no more.
//!
//! A connection knows no subscriptions but those asked for on it, so each new one asks for all of them
//! again, from the last event seen. A number that is missing among the events is asked for once more. No
//! I/O here.

use std::collections::BTreeMap;

use stui_protocol::Uuid;
use stui_protocol::event::Event;
use stui_protocol::request;
use stui_protocol::response::Response;

/// Most subscriptions of a link.
const MAX_SUBSCRIPTIONS: usize = 256;

/// The subscriptions of a link, by session.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    sessions: BTreeMap<String, State>,
}

#[derive(Debug)]
struct State {
    /// Number of the last event seen.
    last: u64,
    /// The same when it was last asked for.
    from: u64,
    /// The request whose answer is awaited; until then missing numbers are no surprise.
    asked: Option<Uuid>,
}

/// What to do with an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// It is the next one.
    Next,
    /// It was seen before, or nobody asked for it.
    Unwanted,
    /// Others before it are missing; the session is to be asked for again.
    AfterMissing(String),
}

impl Subscriptions {
    /// Adds one, or begins one anew; `false` if there are too many.
    pub(super) fn add(&mut self, session_id: String, from_sequence: u64) -> bool {
        let is_new = !self.sessions.contains_key(&session_id);
        if is_new && self.sessions.len() >= MAX_SUBSCRIPTIONS {
            return false;
        }
        let last = from_sequence.saturating_sub(1);
        self.sessions.insert(
            session_id,
            State {
                last,
                from: last,
                asked: None,
            },
        );
        true
    }

    /// Ends one; whether there was one.
    pub(super) fn remove(&mut self, session_id: &str) -> bool {
        self.sessions.remove(session_id).is_some()
    }

    /// Ends all: the server that knows their sessions is gone.
    pub(super) fn clear(&mut self) {
        self.sessions.clear();
    }

    /// The sessions that events are wanted of.
    pub(super) fn sessions(&self) -> Vec<String> {
        self.sessions.keys().cloned().collect()
    }

    /// The request that asks for a session's events, under an id of the caller's.
    pub(super) fn ask(&mut self, session_id: &str, id: Uuid) -> Option<request::Subscribe> {
        let state = self.sessions.get_mut(session_id)?;
        state.asked = Some(id);
        state.from = state.last;
        Some(request::Subscribe {
            session_id: Some(session_id.to_owned()),
            from_sequence: Some(state.last + 1),
        })
    }

    /// Takes the answer to a request; answers the session and how many of its events are lost.
    pub(super) fn answered(&mut self, id: Uuid, response: &Response) -> Option<(String, u64)> {
        let (session_id, state) = self
            .sessions
            .iter_mut()
            .find(|(_, state)| state.asked == Some(id))?;
        state.asked = None;
        match response {
            Response::Subscribe(answer) => {
                let before = answer.next_sequence.saturating_sub(1);
                // Less than was asked for: the numbers began anew, as in an image that was restored.
                state.last = if before < state.from {
                    before
                } else {
                    state.last.max(before)
                };
                (answer.missed > 0).then(|| (session_id.clone(), answer.missed))
            }
            Response::Error(error) => {
                tracing::warn!(%error, "cannot subscribe");
                None
            }
            _ => None,
        }
    }

    /// Takes an event.
    pub(super) fn see(&mut self, event: &Event) -> Seen {
        let Some(session_id) = &event.session_id else {
            return Seen::Next;
        };
        let Some(state) = self.sessions.get_mut(session_id) else {
            return Seen::Unwanted;
        };
        match event.sequence {
            0 => Seen::Next,
            sequence if sequence <= state.last => Seen::Unwanted,
            sequence if sequence > state.last + 1 && state.asked.is_none() => {
                Seen::AfterMissing(session_id.clone())
            }
            sequence => {
                state.last = sequence;
                Seen::Next
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stui_protocol::event::Transcript;
    use stui_protocol::response;

    fn event(session: &str, sequence: u64) -> Event {
        Event {
            session_id: Some(session.into()),
            sequence,
            happening: Transcript::default().into(),
        }
    }

    fn answer(next_sequence: u64, missed: u64) -> Response {
        Response::Subscribe(response::Subscribe {
            session_id: None,
            next_sequence,
            missed,
        })
    }

    #[test]
    fn each_session_has_its_own_numbers_and_an_event_is_wanted_once() {
        let mut subscriptions = Subscriptions::default();
        assert!(subscriptions.add("a".into(), 1) && subscriptions.add("b".into(), 7));
        for (session, sequence, seen) in [
            ("a", 1, Seen::Next),
            ("b", 7, Seen::Next),
            ("a", 1, Seen::Unwanted),
            ("a", 2, Seen::Next),
            ("b", 6, Seen::Unwanted),
            ("c", 1, Seen::Unwanted),
        ] {
            assert_eq!(subscriptions.see(&event(session, sequence)), seen);
        }
        assert!(subscriptions.remove("a") && !subscriptions.remove("a"));
        assert_eq!(subscriptions.see(&event("a", 3)), Seen::Unwanted);
    }

    #[test]
    fn missing_events_are_asked_for_and_what_is_not_kept_is_told_as_a_gap() {
        let mut subscriptions = Subscriptions::default();
        subscriptions.add("a".into(), 1);
        assert_eq!(
            subscriptions.see(&event("a", 5)),
            Seen::AfterMissing("a".into())
        );
        let id = Uuid::from_u128(1);
        let request = subscriptions.ask("a", id).unwrap();
        assert_eq!(request.from_sequence, Some(1));
        let gap = subscriptions.answered(id, &answer(4, 3));
        assert_eq!(gap, Some(("a".into(), 3)));
        assert_eq!(subscriptions.see(&event("a", 4)), Seen::Next);
        assert_eq!(subscriptions.answered(id, &answer(9, 3)), None);
    }

    #[test]
    fn their_number_is_bounded() {
        let mut subscriptions = Subscriptions::default();
        for n in 0..MAX_SUBSCRIPTIONS {
            assert!(subscriptions.add(n.to_string(), 1));
        }
        assert!(!subscriptions.add("one more".into(), 1));
        assert!(subscriptions.add("0".into(), 5));
    }
}

//! What was asked and has no answer yet. No I/O.
//!
//! A request is sent anew under its id on every connection, and now and then on one that lives: an
//! answer can be lost without any trace, and the server gives it again from memory. A server that still
//! runs the request takes note of the repetition and goes on.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use stui_protocol::Uuid;
use stui_protocol::message::Envelope;
use stui_protocol::request::Request;
use stui_protocol::response::Response;

use super::Responder;

/// Most requests without an answer, and most bytes of them.
const MAX_REQUESTS: usize = 4096;
const MAX_BYTES: usize = 64 << 20;
/// How long an answer may take before it is asked for again; each time twice as long as before.
const FIRST_PATIENCE: Duration = Duration::from_secs(20);
const MAX_PATIENCE: Duration = Duration::from_secs(600);
/// How often a request may be on its way when what comes back makes no sense.
const MAX_SUSPICIONS: u32 = 200;
/// How many requests that are over are remembered, to know their late answers.
const MAX_OVER: usize = 4096;

/// A server, as long as it runs. An image that was saved and is started again may keep its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServerKey {
    pub(super) server_id: String,
    pub(super) pid: u32,
}

/// A request without an answer.
struct Waiting {
    document: Vec<u8>,
    /// Name of its type, which its answer has too.
    name: String,
    responder: Responder,
    /// The server that has it.
    sent_to: Option<ServerKey>,
    /// Requests are sent again in the order in which they were made.
    order: u64,
    patience: Duration,
    again_at: Option<Instant>,
    suspicions: u32,
}

/// All of them.
#[derive(Default)]
pub(super) struct Requests {
    waiting: BTreeMap<Uuid, Waiting>,
    bytes: usize,
    order: u64,
    over: Over,
}

/// What an answer means.
pub(super) enum Answer {
    /// It is for this one.
    For(Responder, Response),
    /// For one that wants none any more.
    Late,
    /// For none that ever was, or not one of its kind.
    Nonsense,
}

impl Requests {
    /// Takes a request. Answers its document, or a sentence about why it is not taken.
    pub(super) fn add(
        &mut self,
        id: Uuid,
        request: Request,
        responder: Responder,
    ) -> Result<&[u8], (Responder, String)> {
        if self.waiting.len() >= MAX_REQUESTS {
            let reason = format!(
                "More than {MAX_REQUESTS} requests have no answer yet; wait for some of them."
            );
            return Err((responder, reason));
        }
        let name = request.name().to_owned();
        let document = match Envelope::request(id, request).to_json() {
            Ok(document) if document.len() > stui_protocol::MAX_MESSAGE => {
                let reason = "The request is larger than 10 MiB, which no server takes; send less.";
                return Err((responder, reason.into()));
            }
            Ok(document) if self.bytes + document.len() > MAX_BYTES => {
                let reason = "The requests without an answer are larger than 64 MiB together; wait for some of them.";
                return Err((responder, reason.into()));
            }
            Ok(document) => document,
            Err(error) => {
                return Err((responder, format!("The request has no JSON form: {error}")));
            }
        };
        self.order += 1;
        self.bytes += document.len();
        let waiting = Waiting {
            document,
            name,
            responder,
            sent_to: None,
            order: self.order,
            patience: FIRST_PATIENCE,
            again_at: None,
            suspicions: 0,
        };
        // A repeated id takes the place of the one before, which nobody can tell from it.
        self.remove(id);
        Ok(&self.waiting.entry(id).or_insert(waiting).document)
    }

    /// Notes that a request is with a server.
    pub(super) fn sent(&mut self, id: Uuid, server: &ServerKey, now: Instant) {
        if let Some(waiting) = self.waiting.get_mut(&id) {
            waiting.sent_to = Some(server.clone());
            waiting.again_at = Some(now + waiting.patience);
        }
    }

    /// Wants no answer any more.
    pub(super) fn forget(&mut self, id: Uuid) {
        if self.remove(id).is_some() {
            self.over.add(id);
        }
    }

    fn remove(&mut self, id: Uuid) -> Option<Waiting> {
        let waiting = self.waiting.remove(&id)?;
        self.bytes -= waiting.document.len();
        Some(waiting)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes an answer.
    pub(super) fn answered(&mut self, id: Uuid, response: Response) -> Answer {
        let Some(waiting) = self.waiting.get(&id) else {
            return if self.over.contains(id) {
                Answer::Late
            } else {
                Answer::Nonsense
            };
        };
        if !matches!(response, Response::Error(_)) && response.name() != waiting.name {
            return Answer::Nonsense;
        }
        match self.remove(id) {
            Some(waiting) => {
                self.over.add(id);
                Answer::For(waiting.responder, response)
            }
            None => Answer::Late,
        }
    }

    /// Takes out what another server had: nobody will answer it.
    pub(super) fn of_others(&mut self, server: &ServerKey) -> Vec<Responder> {
        self.take(|waiting| waiting.sent_to.as_ref().is_some_and(|had| had != server))
    }

    /// What comes back makes no sense. Takes out what was on its way too often meanwhile.
    pub(super) fn suspect(&mut self) -> Vec<Responder> {
        for waiting in self.waiting.values_mut() {
            waiting.suspicions += u32::from(waiting.sent_to.is_some());
        }
        self.take(|waiting| waiting.suspicions > MAX_SUSPICIONS)
    }

    fn take(&mut self, which: impl Fn(&Waiting) -> bool) -> Vec<Responder> {
        let ids: Vec<Uuid> = self
            .waiting
            .iter()
            .filter(|(_, waiting)| which(waiting))
            .map(|(id, _)| *id)
            .collect();
        let removed = ids.into_iter().filter_map(|id| {
            self.over.add(id);
            self.remove(id)
        });
        removed.map(|waiting| waiting.responder).collect()
    }

    /// Gives all to `send`, in their order, for a new connection.
    pub(super) fn send_all(
        &mut self,
        server: &ServerKey,
        now: Instant,
        mut send: impl FnMut(&[u8]),
    ) {
        let mut all: Vec<&mut Waiting> = self.waiting.values_mut().collect();
        all.sort_unstable_by_key(|waiting| waiting.order);
        for waiting in all {
            send(&waiting.document);
            waiting.sent_to = Some(server.clone());
            waiting.again_at = Some(now + waiting.patience);
        }
    }

    /// Gives those to `send` whose answer is long in coming.
    pub(super) fn send_again(&mut self, now: Instant, mut send: impl FnMut(&[u8])) {
        for waiting in self.waiting.values_mut() {
            if waiting.again_at.is_some_and(|at| now >= at) {
                send(&waiting.document);
                waiting.patience = (2 * waiting.patience).min(MAX_PATIENCE);
                waiting.again_at = Some(now + waiting.patience);
            }
        }
    }
}

/// Ids of requests that are over, the newest ones.
#[derive(Default)]
struct Over {
    ids: BTreeSet<Uuid>,
    order: VecDeque<Uuid>,
}

impl Over {
    fn add(&mut self, id: Uuid) {
        if self.ids.insert(id) {
            self.order.push_back(id);
        }
        if self.order.len() > MAX_OVER
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }

    fn contains(&self, id: Uuid) -> bool {
        self.ids.contains(&id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stui_protocol::{request, response};

    fn id(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    fn server(pid: u32) -> ServerKey {
        ServerKey {
            server_id: "one".into(),
            pid,
        }
    }

    fn with(count: u128) -> Requests {
        let mut requests = Requests::default();
        for n in 0..count {
            let ping = request::Ping::default().into();
            let added = requests.add(id(n), ping, Box::new(|_| {}));
            assert!(added.is_ok());
        }
        requests
    }

    fn pong() -> Response {
        response::Ping::default().into()
    }

    fn kind(answer: &Answer) -> &'static str {
        match answer {
            Answer::For(..) => "for",
            Answer::Late => "late",
            Answer::Nonsense => "nonsense",
        }
    }

    #[test]
    fn an_answer_is_for_its_request_once_and_one_for_nobody_is_nonsense() {
        let mut requests = with(2);
        assert_eq!(kind(&requests.answered(id(0), pong())), "for");
        assert_eq!(kind(&requests.answered(id(0), pong())), "late");
        assert_eq!(kind(&requests.answered(id(9), pong())), "nonsense");
        requests.forget(id(1));
        assert_eq!(kind(&requests.answered(id(1), pong())), "late");
        assert!(requests.is_empty());
        assert_eq!(requests.bytes, 0);
    }

    #[test]
    fn an_answer_of_another_kind_is_nonsense_and_the_request_goes_on_waiting() {
        let mut requests = with(1);
        let other = Response::Unknown("Pinh".into());
        assert_eq!(kind(&requests.answered(id(0), other)), "nonsense");
        assert_eq!(kind(&requests.answered(id(0), pong())), "for");
    }

    #[test]
    fn what_a_server_had_is_lost_with_it_and_what_was_not_sent_is_not() {
        let mut requests = with(2);
        let now = Instant::now();
        requests.sent(id(0), &server(1), now);
        assert_eq!(requests.of_others(&server(1)).len(), 0);
        assert_eq!(requests.of_others(&server(2)).len(), 1);
        let mut sent = 0;
        requests.send_all(&server(2), now, |_| sent += 1);
        assert_eq!(sent, 1);
    }

    #[test]
    fn an_answer_long_in_coming_is_asked_for_again_and_again_with_growing_pauses() {
        let mut requests = with(1);
        let began = Instant::now();
        requests.sent(id(0), &server(1), began);
        let mut times = Vec::new();
        for second in 0..3600 {
            let now = began + Duration::from_secs(second);
            requests.send_again(now, |_| times.push(second));
        }
        assert_eq!(times, [20, 60, 140, 300, 620, 1220, 1820, 2420, 3020]);
    }

    #[test]
    fn nonsense_without_end_ends_a_request() {
        let mut requests = with(2);
        requests.sent(id(0), &server(1), Instant::now());
        for _ in 0..MAX_SUSPICIONS {
            assert_eq!(requests.suspect().len(), 0);
        }
        assert_eq!(requests.suspect().len(), 1);
        assert_eq!(requests.waiting.len(), 1);
    }

    #[test]
    fn number_and_size_of_what_waits_are_bounded() {
        let mut requests = with(MAX_REQUESTS as u128);
        let ping = || Request::from(request::Ping::default());
        assert!(requests.add(id(1 << 20), ping(), Box::new(|_| {})).is_err());
        requests.forget(id(0));
        let large = |bytes| {
            Request::from(request::Ping {
                message: Some("x".repeat(bytes)),
            })
        };
        assert!(
            requests
                .add(id(0), large(10 << 20), Box::new(|_| {}))
                .is_err()
        );
        let mut requests = Requests::default();
        let taken = (0..20).take_while(|n| {
            let added = requests.add(id(*n), large(9 << 20), Box::new(|_| {}));
            added.is_ok()
        });
        assert_eq!(taken.count(), 7);
    }
}

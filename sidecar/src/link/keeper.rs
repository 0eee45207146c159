//! The state of a link's thread: the connection, and what has no answer yet.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, TryRecvError};
use stui_protocol::Uuid;
use stui_protocol::error::ErrorCode;
use stui_protocol::message::{Envelope, Payload};
use stui_protocol::request::Request;
use stui_protocol::response::{Describe, Response};
use stui_protocol::{pane, request};

use super::greeting::{Greeting, Step};
use super::{Command, LinkEvent, Listener, Responder, Source, random_id};
use crate::hub::Outcome;
use crate::zmq_link::{Ready, Sleeper, Wire, WireContext, wait};

/// First pause before a lost connection is opened anew, and the longest one.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const MAX_PAUSE: Duration = Duration::from_secs(3);
/// How long a server may take to greet.
const GREETING_LIMIT: Duration = Duration::from_secs(5);
/// Most requests without an answer.
const MAX_UNANSWERED: usize = 4096;

/// A request without an answer.
struct Unanswered {
    document: Vec<u8>,
    responder: Responder,
    /// The server that has it.
    server_id: Option<String>,
    /// Requests are sent again in the order in which they were made.
    order: u64,
}

struct Subscription {
    session_id: String,
    /// Number of the last event seen.
    last: u64,
    /// Whether the server's answer is awaited; until then missing numbers are no surprise.
    asked: bool,
}

/// How the connection is.
enum Phase {
    Down {
        until: Instant,
    },
    Greeting {
        wire: Wire,
        greeting: Box<Greeting>,
        deadline: Instant,
    },
    Up {
        wire: Wire,
        server_id: String,
    },
}

/// The state of the link's thread.
pub(super) struct Keeper {
    context: WireContext,
    source: Source,
    listener: Listener,
    sleeper: Sleeper,
    commands: Receiver<Command>,
    unanswered: BTreeMap<Uuid, Unanswered>,
    order: u64,
    subscription: Option<Subscription>,
    /// Requests of the keeper itself: subscriptions.
    own_requests: BTreeMap<Uuid, String>,
    last_server: Option<String>,
}

impl Keeper {
    pub(super) fn new(
        source: Source,
        listener: Listener,
        sleeper: Sleeper,
        commands: Receiver<Command>,
    ) -> Self {
        Keeper {
            context: WireContext::new(),
            source,
            listener,
            sleeper,
            commands,
            unanswered: BTreeMap::new(),
            order: 0,
            subscription: None,
            own_requests: BTreeMap::new(),
            last_server: None,
        }
    }

    /// Keeps the connection up until the last handle of the link is dropped.
    pub(super) fn run(mut self) {
        let mut attempt = 0;
        let mut phase = self.begin(&mut attempt);
        loop {
            let (wire, until) = match &phase {
                Phase::Down { until } => (None, Some(*until)),
                Phase::Greeting { wire, deadline, .. } => (Some(wire), Some(*deadline)),
                Phase::Up { wire, .. } => (Some(wire), None),
            };
            let timeout = until.map(|until| until.saturating_duration_since(Instant::now()));
            let ready = wait(wire, &self.sleeper, timeout);
            if ready.woken {
                self.sleeper.woken();
                if !self.obey(&mut phase) {
                    return;
                }
            }
            phase = match phase {
                Phase::Down { until } if Instant::now() >= until => self.begin(&mut attempt),
                Phase::Down { until } => Phase::Down { until },
                Phase::Greeting {
                    wire,
                    greeting,
                    deadline,
                } => self.greet(wire, greeting, deadline, ready, &mut attempt),
                Phase::Up { wire, server_id } => self.serve(wire, server_id, ready, &mut attempt),
            };
        }
    }

    /// Carries out what was commanded; `false` when there is nobody left to command.
    fn obey(&mut self, phase: &mut Phase) -> bool {
        loop {
            let command = match self.commands.try_recv() {
                Ok(command) => command,
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            };
            match command {
                Command::Request {
                    id,
                    request,
                    responder,
                } => self.accept(id, request, responder, phase),
                Command::Forget(id) => {
                    self.unanswered.remove(&id);
                }
                Command::Subscribe {
                    session_id,
                    from_sequence,
                } => {
                    self.subscription = Some(Subscription {
                        session_id,
                        last: from_sequence.saturating_sub(1),
                        asked: false,
                    });
                    if let Phase::Up { wire, .. } = phase {
                        self.subscribe(wire);
                    }
                }
            }
        }
    }

    fn accept(&mut self, id: Uuid, request: Request, responder: Responder, phase: &mut Phase) {
        if self.unanswered.len() >= MAX_UNANSWERED {
            responder(Outcome::Refused(format!(
                "More than {MAX_UNANSWERED} requests have no answer yet; wait for some of them."
            )));
            return;
        }
        let document = match Envelope::request(id, request).to_json() {
            Ok(document) if document.len() > stui_protocol::MAX_MESSAGE => {
                responder(Outcome::Refused(
                    "The request is larger than 10 MiB, which no server takes; send less.".into(),
                ));
                return;
            }
            Ok(document) => document,
            Err(error) => {
                responder(Outcome::Refused(format!(
                    "The request has no JSON form: {error}"
                )));
                return;
            }
        };
        let mut sent_to = None;
        if let Phase::Up { wire, server_id } = phase {
            wire.send(&document);
            sent_to = Some(server_id.clone());
        }
        self.order += 1;
        self.unanswered.insert(
            id,
            Unanswered {
                document,
                responder,
                server_id: sent_to,
                order: self.order,
            },
        );
    }

    /// Begins an attempt.
    fn begin(&mut self, attempt: &mut u32) -> Phase {
        *attempt += 1;
        let file = match (self.source)() {
            Ok(file) => file,
            Err(reason) => return self.down(*attempt, &reason),
        };
        if !stui_protocol::understands(&file.protocol_version) {
            let reason = format!(
                "The server at {} speaks version {} of the protocol, this is {}; update the older one.",
                file.endpoint,
                file.protocol_version,
                stui_protocol::PROTOCOL_VERSION
            );
            return self.failed(reason);
        }
        match Wire::open(&self.context, &file.endpoint) {
            Ok(mut wire) => Phase::Greeting {
                greeting: Box::new(Greeting::begin(file, |document| wire.send(&document))),
                wire,
                deadline: Instant::now() + GREETING_LIMIT,
            },
            Err(reason) => self.down(*attempt, &reason),
        }
    }

    /// The connection is not up; it is tried again after a pause.
    fn down(&mut self, attempt: u32, reason: &str) -> Phase {
        tracing::info!(attempt, reason, "not connected");
        (self.listener)(LinkEvent::Disconnected(pane::Link::Reconnecting {
            attempt,
            reason: reason.to_owned(),
        }));
        Phase::Down {
            until: Instant::now() + pause(attempt),
        }
    }

    /// The same, but it will hardly come by itself: only another connection file can help.
    fn failed(&mut self, reason: String) -> Phase {
        tracing::warn!(reason, "not connected");
        (self.listener)(LinkEvent::Disconnected(pane::Link::Failed { reason }));
        Phase::Down {
            until: Instant::now() + MAX_PAUSE,
        }
    }

    fn greet(
        &mut self,
        mut wire: Wire,
        mut greeting: Box<Greeting>,
        deadline: Instant,
        ready: Ready,
        attempt: &mut u32,
    ) -> Phase {
        while ready.received
            && let Some(document) = wire.receive()
        {
            match greeting.hear(&document, |document| wire.send(&document)) {
                Step::On => {}
                Step::Failed(reason) => return self.failed(reason),
                Step::Done(server) => {
                    *attempt = 0;
                    return self.up(wire, *server, greeting.endpoint());
                }
            }
        }
        if let Some(reason) = wire.lost(ready.monitored) {
            let reason = format!("{}: {reason}", greeting.endpoint());
            return self.down(*attempt, &reason);
        }
        if Instant::now() >= deadline {
            let reason = format!("{}: no answer within 5 seconds", greeting.endpoint());
            return self.down(*attempt, &reason);
        }
        Phase::Greeting {
            wire,
            greeting,
            deadline,
        }
    }

    fn up(&mut self, mut wire: Wire, server: Describe, endpoint: &str) -> Phase {
        let server_id = server.server_id.clone();
        tracing::info!(endpoint, dialect = server.dialect, "connected");
        self.own_requests.clear();
        if self.last_server.as_ref() != Some(&server_id) {
            // Its sessions are gone; whoever subscribed has to make a new one.
            if self.last_server.is_some() {
                self.subscription = None;
            }
            self.last_server = Some(server_id.clone());
        }
        let replaced: Vec<Uuid> = self
            .unanswered
            .iter()
            .filter(|(_, request)| {
                request
                    .server_id
                    .as_ref()
                    .is_some_and(|id| *id != server_id)
            })
            .map(|(id, _)| *id)
            .collect();
        for id in &replaced {
            if let Some(request) = self.unanswered.remove(id) {
                (request.responder)(Outcome::ServerReplaced);
            }
        }
        (self.listener)(LinkEvent::Connected {
            server,
            endpoint: endpoint.to_owned(),
        });
        self.subscribe(&mut wire);
        let mut again: Vec<&mut Unanswered> = self.unanswered.values_mut().collect();
        again.sort_unstable_by_key(|request| request.order);
        for request in again {
            wire.send(&request.document);
            request.server_id = Some(server_id.clone());
        }
        Phase::Up { wire, server_id }
    }

    fn serve(
        &mut self,
        mut wire: Wire,
        server_id: String,
        ready: Ready,
        attempt: &mut u32,
    ) -> Phase {
        while ready.received
            && let Some(document) = wire.receive()
        {
            match Envelope::from_json(&document) {
                Ok(envelope) => self.hear(envelope, &mut wire),
                // What is wrong with it may quote it.
                Err(unreadable) => {
                    tracing::warn!(id = %unreadable.id, "a message of the server is not understood");
                }
            }
        }
        if let Some(reason) = wire.lost(ready.monitored) {
            *attempt = 1;
            let reason = format!("The connection is lost: {reason}.");
            return self.down(*attempt, &reason);
        }
        Phase::Up { wire, server_id }
    }

    fn hear(&mut self, envelope: Envelope, wire: &mut Wire) {
        match envelope.payload {
            Payload::Response(response) => {
                if let Some(request) = self.unanswered.remove(&envelope.id) {
                    (request.responder)(Outcome::Answered(Box::new(response)));
                } else if let Some(session_id) = self.own_requests.remove(&envelope.id) {
                    self.subscribed(&session_id, &response);
                } else if let Response::Error(error) = response
                    && error.code == ErrorCode::PermissionDenied
                {
                    // It has forgotten this connection: a new one authenticates anew.
                    wire.lose("the server does not know this connection any more");
                }
            }
            Payload::Event(event) => {
                let mut missed = false;
                if let Some(subscription) = &mut self.subscription
                    && event.session_id.as_ref() == Some(&subscription.session_id)
                    && event.sequence > 0
                {
                    missed = !subscription.asked && event.sequence > subscription.last + 1;
                    if !missed {
                        subscription.last = subscription.last.max(event.sequence);
                    }
                }
                if missed {
                    self.subscribe(wire);
                } else {
                    (self.listener)(LinkEvent::Event(event));
                }
            }
            Payload::Request(_) => tracing::warn!("the server sent a request"),
        }
    }

    fn subscribe(&mut self, wire: &mut Wire) {
        let Some(subscription) = &mut self.subscription else {
            return;
        };
        let id = random_id();
        let request = request::Subscribe {
            session_id: Some(subscription.session_id.clone()),
            from_sequence: Some(subscription.last + 1),
        };
        match Envelope::request(id, request).to_json() {
            Ok(document) => {
                subscription.asked = true;
                self.own_requests
                    .insert(id, subscription.session_id.clone());
                wire.send(&document);
            }
            Err(error) => tracing::error!(%error, "a request has no JSON form"),
        }
    }

    fn subscribed(&mut self, session_id: &str, response: &Response) {
        let Some(subscription) = &mut self.subscription else {
            return;
        };
        if subscription.session_id != session_id {
            return;
        }
        subscription.asked = false;
        match response {
            Response::Subscribe(answer) => {
                if answer.missed > 0 {
                    tracing::warn!(missed = answer.missed, "events are no longer kept");
                }
                subscription.last = subscription
                    .last
                    .max(answer.next_sequence.saturating_sub(1));
            }
            Response::Error(error) => tracing::warn!(code = ?error.code, "cannot subscribe"),
            _ => {}
        }
    }
}

/// How long to wait before the next attempt: doubling, with a quarter of jitter each way.
fn pause(attempt: u32) -> Duration {
    let pause = (FIRST_PAUSE * 2u32.saturating_pow(attempt.min(10) - 1)).min(MAX_PAUSE);
    let mut byte = [128];
    // Without randomness there is no jitter, which is no harm here.
    let _ = getrandom::fill(&mut byte);
    pause * 3 / 4 + pause * u32::from(byte[0]) / 512
}

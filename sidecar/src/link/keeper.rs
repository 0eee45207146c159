//! The state of a link's thread: the connection or the attempts at one, and what has no answer yet.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, TryRecvError};
use stui_protocol::Uuid;
use stui_protocol::error::ErrorCode;
use stui_protocol::message::{Envelope, Payload};
use stui_protocol::pane;
use stui_protocol::request::{self, Request};
use stui_protocol::response::{Describe, Response};

use super::attempts::{Attempts, News};
use super::pulse::{Beat, Pulse};
use super::requests::{Answer, Requests, ServerKey};
use super::subscriptions::{Seen, Subscriptions};
use super::teller::Teller;
use super::{Command, LinkEvent, Source, random_id};
use crate::hub::Outcome;
use crate::zmq_link::{Sleeper, Wire, WireContext, wait};

/// Most bytes that were received and are not handled yet; more means that the server floods us.
const MAX_BACKLOG: usize = 32 << 20;
/// How many messages, and bytes of them, are handled before the next ones are received.
const BATCH: usize = 64;
const BATCH_BYTES: usize = 1 << 20;
/// A connection that held so long was a good one: the next attempts begin with short pauses.
const GOOD: Duration = Duration::from_secs(2);
/// How long a request of the link itself, other than for a sign of life, may have no answer.
const OWN_LIMIT: Duration = Duration::from_secs(30);
/// How often to look for answers that are lost, while anything is awaited or comes.
const AUDIT_PAUSE: Duration = Duration::from_secs(1);
/// How often it is told that there is no connection yet, at first and after a while.
const TELL_PAUSE: Duration = Duration::from_secs(1);
const MAX_TELL_PAUSE: Duration = Duration::from_secs(10);
/// After how long it is told that nobody answers.
const SILENCE: Duration = Duration::from_secs(5);
/// While too much waits to be told, how often to look whether that is over.
const CROWDED_PAUSE: Duration = Duration::from_millis(50);

/// How the connection is.
enum Phase {
    Down(Attempts),
    Up(Box<Up>),
}

/// A connection.
struct Up {
    wire: Wire,
    server: ServerKey,
    since: Instant,
    pulse: Pulse,
    /// When to look for answers that are lost.
    audit_at: Instant,
    /// Requests of the link itself, and when they were sent.
    own: BTreeMap<Uuid, Instant>,
    /// What was received and is not handled yet.
    backlog: VecDeque<Vec<u8>>,
    backlog_bytes: usize,
    /// Why it is to be given up.
    nonsense: Option<String>,
}

/// The state of the link's thread.
pub(super) struct Keeper {
    context: WireContext,
    source: Source,
    teller: Teller,
    sleeper: Sleeper,
    commands: Receiver<Command>,
    requests: Requests,
    subscriptions: Subscriptions,
    last_server: Option<ServerKey>,
    /// What was told last about not being connected, and when.
    told: Option<(String, Instant)>,
}

impl Keeper {
    pub(super) fn new(
        source: Source,
        teller: Teller,
        sleeper: Sleeper,
        commands: Receiver<Command>,
    ) -> Self {
        Keeper {
            context: WireContext::new(),
            source,
            teller,
            sleeper,
            commands,
            requests: Requests::default(),
            subscriptions: Subscriptions::default(),
            last_server: None,
            told: None,
        }
    }

    /// Keeps the connection up until the last handle of the link is dropped.
    pub(super) fn run(mut self) {
        let mut phase = Phase::Down(Attempts::begin(Instant::now(), 0));
        loop {
            let until = self.until(&phase);
            let timeout = until.saturating_duration_since(Instant::now());
            let woken = match &phase {
                Phase::Down(attempts) => wait(attempts.wires(), &self.sleeper, timeout),
                Phase::Up(up) => wait([&up.wire], &self.sleeper, timeout),
            };
            if woken {
                self.sleeper.woken();
                if !self.obey(&mut phase) {
                    return;
                }
            }
            let now = Instant::now();
            phase = match phase {
                Phase::Down(attempts) => self.seek(attempts, now),
                Phase::Up(up) => self.serve(up, now, until),
            };
        }
    }

    fn until(&self, phase: &Phase) -> Instant {
        match phase {
            Phase::Down(attempts) => attempts.next(),
            Phase::Up(up) if up.backlog.is_empty() => up.pulse.next(!self.requests.is_empty()),
            Phase::Up(_) => Instant::now(),
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
                } => match self.requests.add(id, request, responder) {
                    Ok(document) => {
                        if let Phase::Up(up) = phase {
                            up.wire.send(document);
                            self.requests.sent(id, &up.server, Instant::now());
                        }
                    }
                    Err((responder, reason)) => {
                        self.teller.outcome(responder, Outcome::Refused(reason), 0);
                    }
                },
                Command::Forget(id) => self.requests.forget(id),
                Command::Subscribe {
                    session_id,
                    from_sequence,
                } => {
                    if !self.subscriptions.add(session_id.clone(), from_sequence) {
                        tracing::error!("too many subscriptions: one more is not made");
                    } else if let Phase::Up(up) = phase {
                        up.subscribe(&mut self.subscriptions, &session_id);
                    }
                }
                Command::Unsubscribe(session_id) => {
                    if self.subscriptions.remove(&session_id)
                        && let Phase::Up(up) = phase
                    {
                        let session_id = Some(session_id);
                        up.ask(random_id(), request::Unsubscribe { session_id });
                    }
                }
            }
        }
    }

    /// Looks after the attempts.
    fn seek(&mut self, mut attempts: Attempts, now: Instant) -> Phase {
        loop {
            match attempts.hear(now) {
                News::None => break,
                News::Up {
                    wire,
                    server,
                    endpoint,
                } => return self.up(wire, *server, endpoint, now),
                news => self.tell_news(&attempts, news, now),
            }
        }
        if !self.teller.has_room() {
            attempts.postpone(now + CROWDED_PAUSE);
            return Phase::Down(attempts);
        }
        let news = attempts.go_on(now, &self.context, &mut self.source);
        match news {
            News::None
                if now >= attempts.since() + SILENCE && attempts.wires().next().is_some() =>
            {
                let reason =
                    "The server does not answer: it is stopped, or the way to it is blocked.";
                self.tell_news(&attempts, News::Lost(reason.into()), now);
            }
            news => self.tell_news(&attempts, news, now),
        }
        Phase::Down(attempts)
    }

    /// Tells why there is no connection, but the same not too often.
    fn tell_news(&mut self, attempts: &Attempts, news: News, now: Instant) {
        let (state, reason) = match news {
            News::Lost(reason) => {
                let state = pane::Link::Reconnecting {
                    attempt: attempts.count(),
                    reason: reason.clone(),
                };
                (state, reason)
            }
            News::Failed(reason) => {
                let state = pane::Link::Failed {
                    reason: reason.clone(),
                };
                (state, reason)
            }
            News::None | News::Up { .. } => return,
        };
        let pause = ((now - attempts.since()) / 20).clamp(TELL_PAUSE, MAX_TELL_PAUSE);
        if let Some((told, at)) = &self.told
            && now < *at + pause
            && (*told == reason || now < *at + TELL_PAUSE / 4)
        {
            return;
        }
        tracing::info!(attempt = attempts.count(), reason, "not connected");
        self.told = Some((reason, now));
        self.teller.event(LinkEvent::Disconnected(state), 0);
    }

    fn up(&mut self, wire: Wire, server: Describe, endpoint: String, now: Instant) -> Phase {
        tracing::info!(endpoint, dialect = server.dialect, "connected");
        let key = ServerKey {
            server_id: server.server_id.clone(),
            pid: server.pid,
        };
        if self.last_server.as_ref() != Some(&key) {
            // Its sessions are gone; whoever subscribed has to make a new one.
            if self.last_server.is_some() {
                self.subscriptions.clear();
            }
            self.last_server = Some(key.clone());
        }
        self.told = None;
        for responder in self.requests.of_others(&key) {
            self.teller.outcome(responder, Outcome::ServerReplaced, 0);
        }
        self.teller
            .event(LinkEvent::Connected { server, endpoint }, 0);
        let mut up = Up {
            wire,
            server: key,
            since: now,
            pulse: Pulse::new(now),
            audit_at: now + AUDIT_PAUSE,
            own: BTreeMap::new(),
            backlog: VecDeque::new(),
            backlog_bytes: 0,
            nonsense: None,
        };
        for session_id in self.subscriptions.sessions() {
            up.subscribe(&mut self.subscriptions, &session_id);
        }
        let wire = &mut up.wire;
        self.requests
            .send_all(&up.server, now, |document| wire.send(document));
        Phase::Up(Box::new(up))
    }

    /// Looks after a connection. `planned`: when this was to be called at the latest.
    fn serve(&mut self, mut up: Box<Up>, now: Instant, planned: Instant) -> Phase {
        let mut handled = (0, 0);
        loop {
            up.receive();
            let Some(document) = up.backlog.pop_front() else {
                break;
            };
            up.backlog_bytes -= document.len();
            self.handle(&document, &mut up, now);
            if up.nonsense.is_some() {
                break;
            }
            handled = (handled.0 + 1, handled.1 + document.len());
            let is_lost = up.wire.lost().is_some();
            if !is_lost && (handled.0 >= BATCH || handled.1 >= BATCH_BYTES) {
                // Commands have their turn.
                return Phase::Up(up);
            }
        }
        if self.teller.is_full() {
            up.wire.lose("more came than could be told to the panes");
        }
        if let Some(reason) = up.nonsense.take() {
            for responder in self.requests.suspect() {
                let reason = format!("The request could not be brought to its end: {reason}");
                self.teller.outcome(responder, Outcome::Refused(reason), 0);
            }
            up.wire.lose(&reason);
        }
        if now >= up.audit_at {
            up.audit_at = now + AUDIT_PAUSE;
            let wire = &mut up.wire;
            self.requests
                .send_again(now, |document| wire.send(document));
            if up.own.values().any(|sent| now >= *sent + OWN_LIMIT) {
                up.wire.lose("an answer was lost");
            }
        }
        let is_waiting = !self.requests.is_empty();
        match up.pulse.beat(now, planned, is_waiting) {
            None => {}
            Some(Beat::Ask) => {
                let id = random_id();
                up.pulse.asked(id, now);
                up.ask(id, request::Ping::default());
            }
            Some(Beat::Busy) => self.teller.event(LinkEvent::Busy(true), 0),
            Some(Beat::Dead) => up.wire.lose("the server has not answered for 20 seconds"),
        }
        match up.wire.lost() {
            Some(reason) => {
                let reason = format!("The connection is lost: {reason}.");
                let before = if now < up.since + GOOD { 5 } else { 1 };
                let attempts = Attempts::begin(now, before);
                self.tell_news(&attempts, News::Lost(reason), now);
                Phase::Down(attempts)
            }
            None => Phase::Up(up),
        }
    }

    fn handle(&mut self, document: &[u8], up: &mut Up, now: Instant) {
        let Ok(envelope) = Envelope::from_json(document) else {
            // Without its own words, which may quote it.
            return up.nonsense("a message is garbled".into());
        };
        if up.pulse.heard(now) {
            self.teller.event(LinkEvent::Busy(false), 0);
        }
        let (id, bytes) = (envelope.id, document.len());
        match envelope.payload {
            Payload::Response(Response::Error(error)) if id.is_nil() => {
                if error.code == ErrorCode::PermissionDenied {
                    // It has forgotten this connection: a new one authenticates anew.
                    up.wire
                        .lose("the server does not know this connection any more");
                } else {
                    // It could not read what we sent, and not even whose answer this is. What it says about it
                    // may quote it.
                    up.nonsense("a message came to the server garbled".into());
                }
            }
            Payload::Response(response) => {
                if up.own.remove(&id).is_some() {
                    up.pulse.answered(id);
                    if let Some((session_id, missed)) = self.subscriptions.answered(id, &response) {
                        tracing::warn!(missed, "events are no longer kept");
                        self.teller.event(LinkEvent::Gap { session_id, missed }, 0);
                    }
                    return;
                }
                match self.requests.answered(id, response) {
                    Answer::For(responder, response) => {
                        let outcome = Outcome::Answered(response);
                        self.teller.outcome(responder, outcome, bytes);
                    }
                    Answer::Late => {}
                    Answer::Nonsense => up.nonsense("an answer belongs to no request".into()),
                }
            }
            Payload::Event(event) => match self.subscriptions.see(&event) {
                Seen::Next => self.teller.event(LinkEvent::Event(event), bytes),
                Seen::Unwanted => {}
                Seen::AfterMissing(session_id) => {
                    up.subscribe(&mut self.subscriptions, &session_id);
                }
            },
            Payload::Request(_) => up.nonsense("the server sent a request".into()),
        }
    }
}

impl Up {
    /// Takes in what has come.
    fn receive(&mut self) {
        while self.backlog_bytes < MAX_BACKLOG
            && let Some(document) = self.wire.receive()
        {
            self.backlog_bytes += document.len();
            self.backlog.push_back(document);
        }
        if self.backlog_bytes >= MAX_BACKLOG {
            self.wire.lose("it sends more than can be read");
        }
    }

    fn subscribe(&mut self, subscriptions: &mut Subscriptions, session_id: &str) {
        let id = random_id();
        if let Some(request) = subscriptions.ask(session_id, id) {
            self.ask(id, request);
        }
    }

    /// Sends a request of the link itself.
    fn ask(&mut self, id: Uuid, request: impl Into<Request>) {
        match Envelope::request(id, request).to_json() {
            Ok(document) => {
                self.own.insert(id, Instant::now());
                self.wire.send(&document);
            }
            Err(error) => tracing::error!(%error, "a request has no JSON form"),
        }
    }

    /// What came makes no sense, so something that should have come did not: a new connection gets it.
    fn nonsense(&mut self, reason: String) {
        tracing::warn!(reason, "the connection is made anew");
        self.nonsense.get_or_insert(reason);
    }
}

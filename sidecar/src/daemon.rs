//! The sidecar process: one loop that feeds the hub and carries out what it answers.
//!
//! Everything that happens comes through one bounded channel: lines of panes, answers of the server,
//! calls on the socket, the end of Zellij. The loop takes what is there, asks the hub, writes the
//! hub's records to the journal, and only then sends what follows from them. While the disk refuses
//! a record, nothing that depends on it is sent.

use std::collections::VecDeque;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use stui_protocol::Uuid;
use stui_protocol::pane::{self, Down, Level, ToPane};

use crate::calls::{self, Answer, Call, Report};
use crate::hub::record::{Record, Snapshot};
use crate::hub::{Effect, Hub, Input, Outcome, To};
use crate::journal::{Found, Journal};
use crate::link::{Link, LinkEvent};
use crate::pipes::{PipeEvent, Pipes};
use crate::places::Places;
use crate::process::watch;
use crate::servers::{self, Server};
use crate::zellij::Zellij;

/// Things that may wait for the loop; whoever has more waits himself.
const MAX_WAITING: usize = 4096;
/// Most things taken at once.
const BURST: usize = 256;
/// How long what comes in bursts (transcript, status) is held back.
const FLUSH_PAUSE: Duration = Duration::from_millis(25);
/// How often the server hears that its session is in use.
const KEEP_ALIVE: Duration = Duration::from_secs(300);
/// How long to wait before a refused write to disk is tried again.
const DISK_PAUSE: Duration = Duration::from_secs(1);
/// How long a sidecar without any pane stays: a layout is being loaded, or panes are to be opened.
const LONELY: Duration = Duration::from_secs(3600);

/// What a sidecar must know.
#[derive(Debug)]
pub struct Options {
    /// Name of the Zellij session.
    pub session: String,
    /// Process id of the Zellij server, with which the sidecar ends.
    pub zellij_pid: u32,
    /// The program that is the Zellij server.
    pub zellij: Zellij,
}

enum Happening {
    Pipe(PipeEvent),
    Link(LinkEvent),
    Reply(Uuid, Outcome),
    Call(Call, Sender<Answer>),
    ZellijEnded,
    Signal(i32),
}

/// Runs the sidecar until its Zellij server ends. The caller holds the session's lock.
///
/// # Errors
/// If the journal, the socket or a thread cannot be had.
pub fn run(places: &Places, options: Options) -> Result<()> {
    let folder = places.session(&options.session);
    let (journal, found) = Journal::open::<Snapshot, Record>(&folder)?;
    let Found {
        snapshot,
        records,
        troubles,
    } = found;
    for trouble in &troubles {
        tracing::error!(trouble, "journal");
    }
    tracing::info!(
        records = records.len(),
        zellij_pid = options.zellij_pid,
        "sidecar starts"
    );
    let mut random = [0; 16];
    getrandom::fill(&mut random)
        .map_err(|error| anyhow::anyhow!("the system gives no randomness: {error}"))?;
    let seed = u128::from_be_bytes(random);
    let hub = Hub::restored(format!("{seed:032x}"), seed, snapshot, records);

    let (tell, told) = bounded(MAX_WAITING);
    watch(options.zellij_pid, sender(&tell, || Happening::ZellijEnded))?;
    signals(&tell)?;
    let socket = places.sidecar_socket(&options.session);
    listen(&socket, &tell)?;

    let image = servers::images(places, &options.session).remove(0);
    let mut server = Server::of(places, &options.session, &image, options.zellij_pid);
    if let Err(error) = server.ensure(Instant::now()) {
        tracing::error!(%error, "cannot start a Smalltalk server");
    }
    let file = server.connection_file().to_owned();
    let to_loop = tell.clone();
    let link = Link::start(Box::new(move || servers::living(&file)), move |event| {
        drop(to_loop.send(Happening::Link(event)));
    })?;
    let to_loop = tell.clone();
    let pipes = Pipes::new(options.zellij, options.session, move |event| {
        drop(to_loop.send(Happening::Pipe(event)));
    });
    let mut sidecar = Sidecar {
        hub,
        journal,
        pipes,
        link,
        server,
        tell,
        zellij_pid: options.zellij_pid,
        waiting: VecDeque::new(),
        added: 0,
        unwritten: None,
        flush_at: None,
        keep_alive_at: Instant::now() + KEEP_ALIVE,
        lonely_since: Instant::now(),
    };
    for trouble in troubles {
        sidecar.waiting.push_back(notice(Level::Error, &trouble));
    }
    let reason = sidecar.run(&told);
    tracing::info!(reason, "sidecar ends");
    sidecar.end();
    // Nobody can take the lock meanwhile, so this is still our own socket.
    let _ = std::fs::remove_file(&socket);
    Ok(())
}

fn sender(
    tell: &Sender<Happening>,
    happening: impl FnOnce() -> Happening + Send + 'static,
) -> impl FnOnce() + Send + 'static {
    let tell = tell.clone();
    move || drop(tell.send(happening()))
}

fn signals(tell: &Sender<Happening>) -> Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    let tell = tell.clone();
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            for signal in signals.forever() {
                drop(tell.send(Happening::Signal(signal)));
            }
        })?;
    Ok(())
}

fn listen(socket: &Path, tell: &Sender<Happening>) -> Result<()> {
    let tell = tell.clone();
    calls::listen(socket, move |call| {
        let (answer, answered) = bounded(1);
        tell.send(Happening::Call(call, answer)).ok()?;
        answered.recv_timeout(Duration::from_secs(2)).ok()
    })
    .with_context(|| format!("cannot listen on {}", socket.display()))
}

fn notice(level: Level, text: &str) -> Effect {
    Effect::Tell(
        To::All,
        ToPane::Notice {
            level,
            text: crate::hub::inspector::cut(text, 1000),
        },
    )
}

struct Sidecar {
    hub: Hub,
    journal: Journal,
    pipes: Pipes,
    link: Link,
    server: Server,
    tell: Sender<Happening>,
    zellij_pid: u32,
    /// Effects that are not carried out yet, because the disk refused a record before them.
    waiting: VecDeque<Effect>,
    /// How many of them the journal has seen.
    added: usize,
    /// When a refused write is tried again.
    unwritten: Option<Instant>,
    flush_at: Option<Instant>,
    keep_alive_at: Instant,
    lonely_since: Instant,
}

impl Sidecar {
    /// Answers why it ended.
    fn run(&mut self, told: &Receiver<Happening>) -> String {
        loop {
            let mut happened = match told.recv_deadline(self.deadline()) {
                Ok(happening) => vec![happening],
                Err(RecvTimeoutError::Timeout) => Vec::new(),
                Err(RecvTimeoutError::Disconnected) => return "its channel is closed".into(),
            };
            happened.extend(told.try_iter().take(BURST));
            let now = Instant::now();
            for happening in happened {
                if let Some(reason) = self.take(happening, now) {
                    return reason;
                }
            }
            if let Some(reason) = self.tick(now) {
                return reason;
            }
            self.carry_out(now);
        }
    }

    fn deadline(&self) -> Instant {
        [self.pipes.deadline(), self.flush_at, self.unwritten]
            .into_iter()
            .flatten()
            .chain([self.keep_alive_at, self.lonely_since + LONELY])
            .min()
            .unwrap_or(self.keep_alive_at)
    }

    /// Answers a reason to end, if this is one.
    fn take(&mut self, happening: Happening, now: Instant) -> Option<String> {
        match happening {
            Happening::Pipe(event) => {
                let said = self.pipes.event(event, now);
                self.said(said);
            }
            Happening::Link(LinkEvent::Connected { server, endpoint }) => {
                self.hand(Input::Connected {
                    server_id: server.server_id,
                    dialect: format!("{} {}", server.dialect, server.dialect_version)
                        .trim()
                        .to_owned(),
                    endpoint,
                });
            }
            Happening::Link(LinkEvent::Disconnected(state)) => {
                if let Err(error) = self.server.ensure(now) {
                    tracing::error!(%error, "cannot start a Smalltalk server");
                }
                let state = match (state, self.server.failure()) {
                    (pane::Link::Reconnecting { attempt, .. }, Some(failure)) => {
                        pane::Link::Reconnecting {
                            attempt,
                            reason: failure.to_owned(),
                        }
                    }
                    (state, _) => state,
                };
                self.hand(Input::Disconnected(state));
            }
            Happening::Link(LinkEvent::Event(event)) => self.hand(Input::Event(event)),
            Happening::Link(LinkEvent::Busy(busy)) => self.hand(Input::Busy(busy)),
            Happening::Link(LinkEvent::Gap { session_id, missed }) => {
                self.hand(Input::Gap { session_id, missed });
            }
            Happening::Reply(id, outcome) => self.hand(Input::Reply { id, outcome }),
            Happening::Call(call, answer) => {
                // An answer that nobody waits for any more is no loss.
                let _ = answer.try_send(self.answer(call, now));
            }
            Happening::ZellijEnded => return Some("Zellij has ended".into()),
            Happening::Signal(signal) => return Some(format!("signal {signal}")),
        }
        None
    }

    fn answer(&mut self, call: Call, now: Instant) -> Answer {
        match call {
            Call::Pane { zellij_pid, .. } if zellij_pid != self.zellij_pid => Answer::Other,
            Call::Pane { destination, .. } => {
                self.pipes.announce(destination, now);
                Answer::Welcome
            }
            Call::Status => Answer::Status(Report {
                pid: std::process::id(),
                zellij_pid: self.zellij_pid,
                version: env!("CARGO_PKG_VERSION").into(),
                status: self.hub.status().clone(),
                panes: self.pipes.live().map(|role| role.word().into()).collect(),
            }),
        }
    }

    fn said(&mut self, said: Vec<Down>) {
        for Down { from, said } in said {
            self.hand(Input::Pane { from, said });
        }
    }

    fn hand(&mut self, input: Input) {
        self.waiting.extend(self.hub.handle(input));
    }

    fn tick(&mut self, now: Instant) -> Option<String> {
        let said = self.pipes.tick(now);
        self.said(said);
        if now >= self.keep_alive_at {
            self.keep_alive_at = now + KEEP_ALIVE;
            self.hand(Input::KeepAlive);
        }
        if self.flush_at.is_some_and(|at| now >= at) {
            self.flush_at = None;
            self.hand(Input::Flush);
        }
        if self.flush_at.is_none() && self.hub.wants_flush() {
            self.flush_at = Some(now + FLUSH_PAUSE);
        }
        if !self.pipes.is_empty() {
            self.lonely_since = now;
        }
        (now >= self.lonely_since + LONELY).then(|| "no pane needs it".into())
    }

    /// Carries out what waits, in order: records first, and what follows them once they are on disk.
    fn carry_out(&mut self, now: Instant) {
        if self.unwritten.is_some_and(|again| now < again) {
            return;
        }
        for effect in self.waiting.iter().skip(self.added) {
            if let Effect::Record(record) = effect
                && let Err(error) = self.journal.add(record)
            {
                tracing::error!(%error, "a record is lost");
            }
        }
        self.added = self.waiting.len();
        if let Err(error) = self.journal.commit() {
            tracing::error!(%error, "cannot write the journal");
            let text = format!("Nothing is saved: {error}");
            if let Effect::Tell(to, message) = notice(Level::Error, &text) {
                self.pipes.tell(&to, &message);
            }
            self.unwritten = Some(now + DISK_PAUSE);
            return;
        }
        self.unwritten = None;
        self.added = 0;
        for effect in std::mem::take(&mut self.waiting) {
            match effect {
                Effect::Record(_) => {}
                Effect::Tell(to, message) => self.pipes.tell(&to, &message),
                Effect::Request { id, request } => {
                    let tell = self.tell.clone();
                    self.link.request(id, request, move |outcome| {
                        drop(tell.send(Happening::Reply(id, outcome)));
                    });
                }
                Effect::Subscribe {
                    session_id,
                    from_sequence,
                } => self.link.subscribe(session_id, from_sequence),
            }
        }
        if self.journal.wants_snapshot()
            && let Err(error) = self.journal.save(&self.hub.snapshot())
        {
            tracing::error!(%error, "cannot save a snapshot");
        }
    }

    /// Leaves everything as the next sidecar wants to find it.
    fn end(mut self) {
        self.carry_out(Instant::now());
        if let Err(error) = self.journal.save(&self.hub.snapshot()) {
            tracing::error!(%error, "cannot save a snapshot");
        }
        if !crate::process::is_alive(self.zellij_pid) {
            self.server.end();
        }
    }
}

//! The sidecar process: one loop that feeds the hub and carries out what it answers.
//!
//! Everything that happens comes through one bounded channel: lines of panes, answers of the server,
//! calls on the socket, the end of Zellij. The loop takes what is there, asks the hub, writes the
//! hub's records to the journal, and only then sends what follows from them. While the disk refuses
//! a record, nothing that depends on it is sent.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use stui_protocol::Uuid;
use stui_protocol::debugger::DEBUG_IT_FEATURE;
use stui_protocol::pane::{self, Down, FromPane, Level, ToPane};

use crate::calls::{self, Answer, Call, Report};
use crate::config::{Change, ConfigError, Watched};
use crate::hub::asked::{CallKey, Told};
use crate::hub::image::ImageKey;
use crate::hub::record::{Record, Snapshot};
use crate::hub::{Effect, Hub, Input, Outcome, To};
use crate::journal::{Found, Journal};
use crate::link::{Link, LinkEvent};
use crate::pipes::{Known, PipeEvent, Pipes};
use crate::places::Places;
use crate::process::watch;
use crate::servers::{self, Image, Server};
use crate::zellij::Zellij;

mod images;

/// Things that may wait for the loop; whoever has more waits himself.
const MAX_WAITING: usize = 4096;
/// Most things taken at once.
const BURST: usize = 256;
/// How long what comes in bursts (transcript, status) is held back.
const FLUSH_PAUSE: Duration = Duration::from_millis(25);
/// How often the server hears that its session is in use.
const KEEP_ALIVE: Duration = Duration::from_secs(300);
/// How long a call waits for what servers say; its caller waits two seconds.
const CALL_PATIENCE: Duration = Duration::from_millis(1500);
/// Most images.
const MAX_IMAGES: usize = 16;
/// How long cursors are held back, which move often.
const CURSORS_PAUSE: Duration = Duration::from_millis(100);
/// How often it is asked who is attached, while there are several.
const ATTACHED_PAUSE: Duration = Duration::from_secs(3);
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
    Link(ImageKey, LinkEvent),
    Reply(Uuid, Outcome),
    Call(Call, Sender<Answer>),
    Attached(BTreeSet<u16>),
    ZellijEnded,
    Signal(i32),
}

/// Runs the sidecar until its Zellij server ends. The caller holds the session's lock.
///
/// # Errors
/// If the journal, the socket or a thread cannot be had.
pub fn run(places: &Places, options: Options) -> Result<()> {
    let folder = places.session(&options.session);
    let (settings, misconfigured) = Watched::of_session(places, &options.session, Instant::now());
    let (mut journal, found) = Journal::open::<Snapshot, Record>(&folder)?;
    let Found {
        snapshot,
        records,
        mut troubles,
    } = found;
    for trouble in &troubles {
        tracing::error!(trouble, "journal");
    }
    journal.set_sync(settings.config().journal_sync.value);
    tracing::info!(
        records = records.len(),
        zellij_pid = options.zellij_pid,
        "sidecar starts"
    );
    let mut random = [0; 16];
    getrandom::fill(&mut random)
        .map_err(|error| anyhow::anyhow!("the system gives no randomness: {error}"))?;
    let seed = u128::from_be_bytes(random);
    let session = options.session.clone();
    let images = servers::images(places, &session);
    let names = images
        .iter()
        .map(|image| (image.name.clone(), image.target.to_string()));
    let mut hub = Hub::restored(format!("{seed:032x}"), seed, names, snapshot, records);
    troubles.extend(misconfigured.and_then(|error| self::misconfigured(&error)));
    hub.tell_who_comes(troubles);
    if crate::windows::is_in(&places.layout(&options.session)) {
        hub.let_debugger_come_up();
    }

    let (tell, told) = bounded(MAX_WAITING);
    watch(options.zellij_pid, sender(&tell, || Happening::ZellijEnded))?;
    signals(&tell)?;
    let socket = places.sidecar_socket(&options.session);
    listen(&socket, &tell)?;

    let to_loop = tell.clone();
    let zellij = options.zellij.clone();
    let pipes = Pipes::new(options.zellij, options.session.clone(), move |event| {
        drop(to_loop.send(Happening::Pipe(event)));
    });
    let known = Known::read(&places.sidecar_panes(&options.session), options.zellij_pid);
    let mut sidecar = Sidecar {
        hub,
        journal,
        pipes,
        connections: BTreeMap::new(),
        last_image: 0,
        keys: Vec::new(),
        images: Vec::new(),
        calls: BTreeMap::new(),
        last_call: 0,
        now: 0,
        zellij,
        places: places.clone(),
        session: options.session,
        tell,
        zellij_pid: options.zellij_pid,
        waiting: VecDeque::new(),
        added: 0,
        unwritten: None,
        flush_at: None,
        cursors_at: None,
        attached_at: Instant::now(),
        asking_attached: false,
        keep_alive_at: Instant::now() + KEEP_ALIVE,
        lonely_since: Instant::now(),
        settings,
        known,
    };
    sidecar.hand(Input::GuestsByDefault(
        sidecar.settings.config().guests.value,
    ));
    for image in images {
        sidecar.connect(image)?;
    }
    sidecar
        .pipes
        .resume(sidecar.known.destinations(), Instant::now());
    let reason = sidecar.run(&told);
    tracing::info!(reason, "sidecar ends");
    sidecar.end();
    // Nobody can take the lock meanwhile, so these are still our own.
    let _ = std::fs::remove_file(&socket);
    let _ = std::fs::remove_file(places.sidecar_panes(&session));
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

/// Logs what is wrong with the configuration; answers a sentence for the panes.
fn misconfigured(error: &ConfigError) -> Option<String> {
    for problem in &error.0 {
        tracing::warn!(problem = problem.line(), "configuration");
    }
    let first = error.0.first()?;
    Some(format!(
        "{} What held before holds on; `stui config check` shows all.",
        first.brief()
    ))
}

fn notice(level: Level, text: &str) -> Effect {
    Effect::Tell(
        To::All,
        ToPane::Notice {
            session: None,
            level,
            text: crate::hub::inspector::cut(text, 1000),
        },
    )
}

/// What the sidecar has of an image.
struct Connection {
    link: Link,
    server: Server,
}

fn told(done: Result<String, String>) -> Answer {
    Answer::Sessions(match done {
        Ok(text) => Told::Done { text },
        Err(reason) => Told::Refused { reason },
    })
}

struct Sidecar {
    hub: Hub,
    journal: Journal,
    pipes: Pipes,
    connections: BTreeMap<ImageKey, Connection>,
    /// The key that the next image gets.
    last_image: u32,
    /// Their keys in the order of `images`.
    keys: Vec<ImageKey>,
    /// The images, as they are remembered for the next time.
    images: Vec<Image>,
    /// Calls that the hub has not answered yet, and until when they wait.
    calls: BTreeMap<CallKey, (Sender<Answer>, Instant)>,
    last_call: u64,
    /// What time the hub was told that it is, in seconds since 1970.
    now: u64,
    zellij: Zellij,
    places: Places,
    /// Name of the Zellij session.
    session: String,
    tell: Sender<Happening>,
    zellij_pid: u32,
    /// Effects that are not carried out yet, because the disk refused a record before them.
    waiting: VecDeque<Effect>,
    /// How many of them the journal has seen.
    added: usize,
    /// When a refused write is tried again.
    unwritten: Option<Instant>,
    flush_at: Option<Instant>,
    /// When cursors are told.
    cursors_at: Option<Instant>,
    /// When it is next asked who is attached, and whether that was asked and not yet answered.
    attached_at: Instant,
    asking_attached: bool,
    keep_alive_at: Instant,
    lonely_since: Instant,
    settings: Watched,
    /// The panes, as the next sidecar will find them.
    known: Known,
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
        let attached = self.hub.wants_attached() && !self.asking_attached;
        let attached = attached.then_some(self.attached_at);
        let pipes = self.pipes.deadline();
        let flush = self.flush_at.filter(|_| self.unwritten.is_none());
        [pipes, flush, self.cursors_at, self.unwritten, attached]
            .into_iter()
            .flatten()
            .chain(self.calls.values().map(|(_, until)| *until))
            .chain([
                self.keep_alive_at,
                self.lonely_since + LONELY,
                self.settings.deadline(),
            ])
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
            Happening::Link(image, event) => self.link_event(image, event, now),
            Happening::Reply(id, outcome) => self.hand(Input::Reply { id, outcome }),
            Happening::Call(Call::Sessions(ask), answer) => {
                self.last_call += 1;
                let call = CallKey(self.last_call);
                self.calls.insert(call, (answer, now + CALL_PATIENCE));
                self.hand(Input::Called { call, ask });
            }
            Happening::Call(call, answer) => {
                // An answer that nobody waits for any more is no loss.
                let _ = answer.try_send(self.answer(call, now));
            }
            Happening::Attached(clients) => {
                self.asking_attached = false;
                self.attached_at = now + ATTACHED_PAUSE;
                self.hand(Input::Attached(clients));
            }
            Happening::ZellijEnded => return Some("Zellij has ended".into()),
            Happening::Signal(signal) => return Some(format!("signal {signal}")),
        }
        None
    }

    fn link_event(&mut self, image: ImageKey, event: LinkEvent, now: Instant) {
        match event {
            LinkEvent::Connected { server, endpoint } => {
                if let Some(connection) = self.connections.get_mut(&image) {
                    connection.server.reached();
                }
                self.hand(Input::Connected {
                    image,
                    server_id: server.server_id,
                    dialect: format!("{} {}", server.dialect, server.dialect_version)
                        .trim()
                        .to_owned(),
                    endpoint,
                    can_debug_it: server.features.iter().any(|it| it == DEBUG_IT_FEATURE),
                });
            }
            LinkEvent::Disconnected(state) => {
                let Some(Connection { server, .. }) = self.connections.get_mut(&image) else {
                    return;
                };
                if let Err(error) = server.ensure(now) {
                    tracing::error!(%error, "cannot start a Smalltalk server");
                }
                let starting = server.starting();
                let link = match (state, server.failure()) {
                    (pane::Link::Reconnecting { .. }, _) if starting.is_some() => {
                        pane::Link::Starting {
                            what: starting.unwrap_or_default(),
                        }
                    }
                    (pane::Link::Reconnecting { attempt, .. }, Some(failure)) => {
                        pane::Link::Reconnecting {
                            attempt,
                            reason: failure.to_owned(),
                        }
                    }
                    (state, _) => state,
                };
                self.hand(Input::Disconnected { image, link });
            }
            LinkEvent::Gap { session_id, missed } => self.hand(Input::Gap {
                image,
                session_id,
                missed,
            }),
            LinkEvent::Busy(busy) => self.hand(Input::Busy { image, busy }),
            LinkEvent::Event(event) => self.hand(Input::Event { image, event }),
        }
    }

    fn answer(&mut self, call: Call, now: Instant) -> Answer {
        match call {
            Call::Pane { zellij_pid, .. } if zellij_pid != self.zellij_pid => Answer::Other,
            Call::Pane { destination, .. } => {
                self.pipes.announce(destination, now);
                Answer::Welcome
            }
            Call::Guests { guests } => {
                self.hand(Input::Guests(guests));
                Answer::Done
            }
            Call::Sessions(_) => Answer::Sessions(Told::Refused {
                reason: "The hub answers this.".into(),
            }),
            Call::Connect { target, name } => told(self.connect_another(&target, name)),
            Call::Disconnect { name } => told(self.disconnect(&name)),
            Call::Status => Answer::Status(Report {
                pid: std::process::id(),
                zellij_pid: self.zellij_pid,
                version: env!("CARGO_PKG_VERSION").into(),
                status: self.hub.status(),
                panes: self.pipes.live().map(|role| role.word().into()).collect(),
            }),
        }
    }

    fn said(&mut self, said: Vec<Down>) {
        for Down { from, said } in said {
            if let FromPane::Room { role } = said {
                crate::windows::enlarge(&self.zellij, &self.session, role, &from);
                continue;
            }
            self.hand(Input::Pane { from, said });
        }
    }

    fn hand(&mut self, input: Input) {
        self.waiting.extend(self.hub.handle(input));
    }

    /// Takes over what a changed configuration says about what runs already.
    fn look_at_configuration(&mut self, now: Instant) {
        match self.settings.look(now) {
            None => {}
            Some(Change::Broken(error)) => {
                if let Some(text) = misconfigured(&error) {
                    self.waiting.push_back(notice(Level::Error, &text));
                }
            }
            Some(Change::Taken(config)) => {
                tracing::info!("the configuration has changed");
                let guests = config.guests.value;
                crate::log::set_level(&config.log_level.value);
                self.journal.set_sync(config.journal_sync.value);
                self.hand(Input::GuestsByDefault(guests));
            }
        }
    }

    fn tick(&mut self, now: Instant) -> Option<String> {
        self.look_at_configuration(now);
        let said = self.pipes.tick(now);
        self.said(said);
        if let Err(error) = self.known.keep(self.pipes.destinations()) {
            // Without it the panes bring the next sidecar, which takes them some seconds.
            tracing::debug!(%error, "the panes are not remembered");
        }
        let time = SystemTime::UNIX_EPOCH
            .elapsed()
            .map_or(0, |time| time.as_secs());
        if time != self.now {
            self.now = time;
            self.hand(Input::Time(time));
        }
        let late = self.calls.iter().filter(|(_, (_, until))| now >= *until);
        for call in late.map(|(call, _)| *call).collect::<Vec<_>>() {
            self.hand(Input::Late { call });
            if self.unwritten.is_some() {
                // Its answer stands behind what the disk refuses; nobody will wait so long.
                self.calls.remove(&call);
            }
        }
        if now >= self.keep_alive_at {
            self.keep_alive_at = now + KEEP_ALIVE;
            self.hand(Input::KeepAlive);
        }
        // While the disk refuses, what comes in bursts stays in the hub, which bounds it.
        if self.unwritten.is_none() {
            if self.flush_at.is_some_and(|at| now >= at) {
                self.flush_at = None;
                self.hand(Input::Flush);
            }
            if self.flush_at.is_none() && self.hub.wants_flush() {
                self.flush_at = Some(now + FLUSH_PAUSE);
            }
        }
        if self.cursors_at.is_some_and(|at| now >= at) {
            self.cursors_at = None;
            self.hand(Input::FlushCursors);
        }
        if self.cursors_at.is_none() && self.hub.wants_cursors() {
            self.cursors_at = Some(now + CURSORS_PAUSE);
        }
        if self.hub.wants_attached() && !self.asking_attached && now >= self.attached_at {
            self.asking_attached = true;
            let tell = self.tell.clone();
            crate::attached::ask(&self.zellij, &self.session, move |clients| {
                drop(tell.send(Happening::Attached(clients)));
            });
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
                Effect::Request { image, id, request } => {
                    let tell = self.tell.clone();
                    if let Some(connection) = self.connections.get(&image) {
                        connection.link.request(id, request, move |outcome| {
                            drop(tell.send(Happening::Reply(id, outcome)));
                        });
                    }
                }
                Effect::Unsubscribe { image, session_id } => {
                    if let Some(connection) = self.connections.get(&image) {
                        connection.link.unsubscribe(session_id);
                    }
                }
                Effect::ShowDebugger => crate::windows::bring_up(&self.zellij, &self.session),
                Effect::Answer { call, told } => {
                    if let Some((answer, _)) = self.calls.remove(&call) {
                        // An answer that nobody waits for any more is no loss.
                        let _ = answer.try_send(Answer::Sessions(told));
                    }
                }
                Effect::Subscribe {
                    image,
                    session_id,
                    from_sequence,
                } => {
                    if let Some(connection) = self.connections.get(&image) {
                        connection.link.subscribe(session_id, from_sequence);
                    }
                }
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
            for connection in self.connections.values_mut() {
                connection.server.end();
            }
        }
    }
}

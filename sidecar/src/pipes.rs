//! The pipes to the panes: for each kind of pane that is there, a pair of `zellij pipe` processes.
//!
//! One `zellij pipe` process is half duplex: after a line in, it waits for the next line before it
//! looks at what a plugin says. So `up` carries lines in, and `down`, which the plugin keeps blocked,
//! carries lines out. `pipes/health.rs` says when a pair is trusted and when it is replaced.
//!
//! A pair is opened only for a [`Destination`] of which a pane has announced itself: Zellij would
//! launch a hidden pane where there is none. For the same reason a pair that died is not replaced
//! before Zellij says that a pane of this plugin is there.
//!
//! All methods must be called on one thread that lives as long as the sidecar: the pipe processes are
//! tied to the thread that starts them and die with it.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::Arc;
use std::time::Instant;

use crossbeam_channel::{Sender, TrySendError, bounded};
use serde::{Deserialize, Serialize};
use stui_protocol::pane::{self, Down, FromPane, Instance, Role, ToPane, up_line};

use self::health::{Health, Need};
use crate::hub::To;
use crate::process::command_that_dies_with_us;
use crate::zellij::Zellij;

mod health;
mod known;

pub use known::Known;

/// Lines that may wait for a pipe; a pipe that takes none of them is stuck.
const MAX_WAITING: usize = 4096;
/// How often a pair is tried before it is left to the pane to announce itself again.
const MAX_ATTEMPTS: u32 = 8;
/// Longest line that is read from a pane. A plugin cannot say more at once.
const MAX_DOWN_LINE: u64 = 4 << 20;

/// Which panes a pair reaches: those of one plugin with one configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Destination {
    /// What the panes show.
    pub role: Role,
    /// Address of the plugin, as `file:/…/stui.wasm`.
    pub wasm: String,
    /// The panes' whole configuration, as `KEY=VALUE,…`.
    pub configuration: String,
}

/// Names a pipe process, never another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PipeId(u64);

/// What the pipes' threads tell.
#[derive(Debug)]
pub enum PipeEvent {
    /// A pane said something.
    Line(PipeId, String),
    /// The process ended, or its output cannot be read.
    Ended(PipeId),
}

/// All pairs.
pub struct Pipes {
    zellij: Zellij,
    session: String,
    pairs: Vec<Pair>,
    tell: Tell,
    last_id: u64,
}

type Tell = Arc<dyn Fn(PipeEvent) + Send + Sync>;

struct Pair {
    destination: Destination,
    attempt: u32,
    health: Health,
    down: Pipe,
    up: Option<Pipe>,
    /// What instances said before the pair was trusted.
    early: Vec<Down>,
}

impl Pipes {
    /// Pipes into a session. `tell` is called by threads; what it is told is to be given to
    /// [`Pipes::event`].
    pub fn new(
        zellij: Zellij,
        session: String,
        tell: impl Fn(PipeEvent) + Send + Sync + 'static,
    ) -> Self {
        Pipes {
            zellij,
            session,
            pairs: Vec::new(),
            tell: Arc::new(tell),
            last_id: 0,
        }
    }

    /// A pane of this kind is there and hears nothing. Opens a pair; one that works already is
    /// opened anew, because only a new `down` reaches a pane that came later.
    pub fn announce(&mut self, destination: Destination, now: Instant) {
        let at = self
            .pairs
            .iter()
            .position(|pair| pair.destination == destination);
        if let Some(at) = at {
            if !self.pairs[at].health.is_live() {
                return;
            }
            self.pairs.remove(at);
        }
        tracing::info!(role = destination.role.word(), "a pane announced itself");
        self.open(destination, 0, now);
    }

    /// Opens pairs to panes that an earlier sidecar knew, those that are still there.
    pub fn resume(&mut self, destinations: &[Destination], now: Instant) {
        for destination in destinations {
            if self.pane_is_there(destination) {
                self.open(destination.clone(), 0, now);
            }
        }
    }

    /// The kinds of panes that pairs are open to or being opened.
    pub fn destinations(&self) -> impl Iterator<Item = &Destination> + Clone {
        self.pairs.iter().map(|pair| &pair.destination)
    }

    /// Whether there is any pair, working or being opened.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The kinds of panes that are reached now.
    pub fn live(&self) -> impl Iterator<Item = Role> {
        let live = self.pairs.iter().filter(|pair| pair.health.is_live());
        live.map(|pair| pair.destination.role)
    }

    fn open(&mut self, destination: Destination, attempt: u32, now: Instant) {
        match self.pipe(pane::DOWN, &destination) {
            Ok(down) => {
                // The content is of no interest, only that something comes.
                down.write(b"hello\n".to_vec());
                self.pairs.push(Pair {
                    destination,
                    attempt,
                    health: Health::begin(attempt, now),
                    down,
                    up: None,
                    early: Vec::new(),
                });
            }
            Err(error) => tracing::error!(%error, "cannot start a pipe process"),
        }
    }

    fn pipe(&mut self, name: &str, destination: &Destination) -> io::Result<Pipe> {
        self.last_id += 1;
        let id = PipeId(self.last_id);
        Pipe::open(
            id,
            &self.zellij,
            &self.session,
            name,
            destination,
            &self.tell,
        )
    }

    /// Takes what a pipe's thread told. Answers what instances said, in order.
    pub fn event(&mut self, event: PipeEvent, now: Instant) -> Vec<Down> {
        match event {
            PipeEvent::Ended(id) => {
                if let Some(at) = self.pairs.iter().position(|pair| pair.has(id)) {
                    return self.replace(at, "a pipe process ended", now);
                }
            }
            PipeEvent::Line(id, line) => {
                let at = self.pairs.iter().position(|pair| pair.down.id == id);
                let said = serde_json::from_str::<Down>(&line);
                match (at, said) {
                    (Some(at), Ok(said)) => return self.said(at, said, now),
                    (Some(_), Err(error)) => {
                        let flaw = crate::log::json_flaw(&error);
                        tracing::warn!(flaw, "a line of a pane is not understood");
                    }
                    (None, _) => {}
                }
            }
        }
        Vec::new()
    }

    fn said(&mut self, at: usize, down: Down, now: Instant) -> Vec<Down> {
        let pair = &mut self.pairs[at];
        let need = match &down.said {
            FromPane::Hello { .. } => pair.health.hello(&down.from, now),
            FromPane::Probed { n } => {
                let need = pair.health.probed(&down.from, *n, now);
                return need.map_or_else(Vec::new, |need| self.meet(at, need, now));
            }
            FromPane::Bye => {
                // What it said before would be told after this.
                pair.early.retain(|early| early.from != down.from);
                if pair.health.bye(&down.from) {
                    tracing::info!(
                        role = pair.destination.role.word(),
                        "the last pane is closed"
                    );
                    self.pairs.remove(at);
                }
                return vec![down];
            }
            _ => pair.health.heard(&down.from, now),
        };
        let mut said = Vec::new();
        if pair.health.is_live() {
            said.push(down);
        } else {
            pair.early.push(down);
        }
        if let Some(need) = need {
            said.extend(self.meet(at, need, now));
        }
        said
    }

    fn meet(&mut self, at: usize, need: Need, now: Instant) -> Vec<Down> {
        match need {
            Need::Up => {
                let destination = self.pairs[at].destination.clone();
                match self.pipe(pane::UP, &destination) {
                    Ok(up) => {
                        let pair = &mut self.pairs[at];
                        pair.up = Some(up);
                        let probe = pair.health.opened_up();
                        return self.meet(at, probe, now);
                    }
                    Err(error) => tracing::error!(%error, "cannot start a pipe process"),
                }
            }
            Need::Probe(n) => {
                let sent = self.pairs[at].send(None, &ToPane::Probe { n });
                if !sent {
                    return self.replace(at, "a pipe takes no lines", now);
                }
            }
            Need::Live => {
                let pair = &mut self.pairs[at];
                tracing::info!(
                    role = pair.destination.role.word(),
                    attempt = pair.attempt,
                    "connected to panes"
                );
                pair.attempt = 0;
                return std::mem::take(&mut pair.early);
            }
            Need::Forgotten(instance) => {
                return vec![Down {
                    from: instance,
                    said: FromPane::Bye,
                }];
            }
            Need::Replacement(why) => return self.replace(at, why, now),
        }
        Vec::new()
    }

    fn replace(&mut self, at: usize, why: &str, now: Instant) -> Vec<Down> {
        let pair = self.pairs.remove(at);
        let was_live = pair.health.is_live();
        let attempt = if was_live { 0 } else { pair.attempt + 1 };
        let role = pair.destination.role.word();
        tracing::info!(role, attempt, why, "replacing a pair of pipes");
        let destination = pair.destination.clone();
        drop(pair);
        if attempt >= MAX_ATTEMPTS {
            tracing::warn!(role, "giving up until a pane announces itself again");
        } else if was_live && !self.pane_is_there(&destination) {
            tracing::info!(role, "there is no such pane any more");
        } else {
            self.open(destination, attempt, now);
        }
        Vec::new()
    }

    /// Whether Zellij has a pane with this plugin, of whichever configuration. If it does not say,
    /// there is one.
    fn pane_is_there(&self, destination: &Destination) -> bool {
        let arguments: Vec<OsString> = ["action", "list-panes", "--all", "--json"]
            .map(OsString::from)
            .to_vec();
        let file = destination
            .wasm
            .rsplit('/')
            .next()
            .unwrap_or(&destination.wasm);
        match self
            .zellij
            .action(&self.session, &arguments, |text| text.contains("\"id\""))
        {
            Ok(listing) => listing.contains(file),
            Err(error) => {
                tracing::warn!(%error, "cannot ask for panes");
                true
            }
        }
    }

    /// Sends a message to those whom it is for and who are reached now. To the others the state is
    /// told when they say hello.
    pub fn tell(&mut self, to: &To, message: &ToPane) {
        for pair in &mut self.pairs {
            let target = match to {
                To::All => None,
                To::Role(role) if pair.destination.role == *role => None,
                To::One(instance) if pair.health.instances().any(|known| known == instance) => {
                    Some(instance)
                }
                To::Role(_) | To::One(_) => continue,
            };
            if pair.health.is_live() && !pair.send(target, message) {
                // Found out by the next probe too; sooner is better.
                pair.health.give_up(Instant::now());
            }
        }
    }

    /// Sends probes and replaces pairs, where it is time to. Answers what instances said earlier.
    pub fn tick(&mut self, now: Instant) -> Vec<Down> {
        let mut said = Vec::new();
        // Ends: what a tick asks for pushes the pair's deadline behind `now`, or removes something.
        while let Some((at, need)) = self
            .pairs
            .iter_mut()
            .enumerate()
            .find_map(|(at, pair)| Some((at, pair.health.tick(now)?)))
        {
            said.extend(self.meet(at, need, now));
        }
        said
    }

    /// When [`Pipes::tick`] wants to be called.
    pub fn deadline(&self) -> Option<Instant> {
        self.pairs.iter().map(|pair| pair.health.deadline()).min()
    }
}

impl Pair {
    fn has(&self, id: PipeId) -> bool {
        self.down.id == id || self.up.as_ref().is_some_and(|up| up.id == id)
    }

    /// `false` if the pipe takes no more.
    fn send(&mut self, target: Option<&Instance>, message: &ToPane) -> bool {
        let Some(up) = &self.up else {
            return true;
        };
        match up_line(target, message) {
            Ok(line) if line.len() <= pane::MAX_LINE => up.write(line.into_bytes()),
            Ok(line) => {
                tracing::error!(bytes = line.len(), "a message is too long for a pipe");
                true
            }
            Err(error) => {
                tracing::error!(%error, "a message has no JSON form");
                true
            }
        }
    }
}

/// One `zellij pipe` process; killed when dropped.
struct Pipe {
    id: PipeId,
    child: Child,
    lines: Sender<Vec<u8>>,
}

impl Pipe {
    fn open(
        id: PipeId,
        zellij: &Zellij,
        session: &str,
        name: &str,
        destination: &Destination,
        tell: &Tell,
    ) -> io::Result<Self> {
        let mut command = command_that_dies_with_us(zellij.program().as_os_str());
        command
            .args(["--session", session, "pipe", "--name", name])
            .args(["--plugin", &destination.wasm])
            .args(["--plugin-configuration", &destination.configuration])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let streams = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (lines, to_write) = bounded::<Vec<u8>>(MAX_WAITING);
        if let (Some(mut stdin), Some(stdout), Some(stderr)) = streams {
            thread("pipe-in", move || {
                // Ends when the process does, or the other end of the queue is dropped.
                while let Ok(line) = to_write.recv() {
                    if write_burst(&mut stdin, line, &to_write).is_err() {
                        return;
                    }
                }
            })?;
            let tell = Arc::clone(tell);
            thread("pipe-out", move || {
                read_lines(stdout, |line| tell(PipeEvent::Line(id, line)));
                tell(PipeEvent::Ended(id));
            })?;
            let name = name.to_owned();
            thread("pipe-err", move || {
                read_lines(stderr, |line| tracing::warn!(name, line, "zellij pipe"));
            })?;
        }
        Ok(Pipe { id, child, lines })
    }

    /// Queues a line; `false` if the queue is full, so that the process is stuck.
    fn write(&self, line: Vec<u8>) -> bool {
        !matches!(self.lines.try_send(line), Err(TrySendError::Full(_)))
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes a line and those that wait behind it, flushed once.
fn write_burst(
    stdin: &mut ChildStdin,
    first: Vec<u8>,
    waiting: &crossbeam_channel::Receiver<Vec<u8>>,
) -> io::Result<()> {
    let mut burst = first;
    while burst.len() < pane::MAX_LINE
        && let Ok(line) = waiting.try_recv()
    {
        burst.extend_from_slice(&line);
    }
    stdin.write_all(&burst)?;
    stdin.flush()
}

fn read_lines(stream: impl Read, mut line: impl FnMut(String)) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut bytes = Vec::new();
        match (&mut reader)
            .take(MAX_DOWN_LINE)
            .read_until(b'\n', &mut bytes)
        {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                while bytes.last().is_some_and(u8::is_ascii_whitespace) {
                    bytes.pop();
                }
                if !bytes.is_empty() {
                    line(String::from_utf8_lossy(&bytes).into_owned());
                }
            }
        }
    }
}

fn thread(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    std::thread::Builder::new()
        .name(name.into())
        .spawn(body)
        .map(drop)
}

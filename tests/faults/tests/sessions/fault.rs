//! Faults: what can be done to the processes and connections of a session.

use std::fmt;
use std::thread::sleep;
use std::time::{Duration, Instant};

use fastrand::Rng;
use rustix::process::{Pid, Signal, kill_process};
use stui::demo::stage::{Running, Stage};
use stui_faults::proxy::{Direction, Garble};

use crate::image::Image;

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// kill -9 of the sidecar.
    KillSidecar,
    /// kill -9 of the sidecar and of the keeper that would start it again.
    KillSidecarAndKeeper,
    /// SIGSTOP of the sidecar, SIGCONT after so long.
    StopSidecar(Duration),
    /// kill -9 of a pipe process.
    KillPipe,
    /// SIGSTOP of a pipe process, SIGCONT after so long.
    StopPipe(Duration),
    /// kill -9 of the Smalltalk server, and another one after so long.
    KillServer(Duration),
    /// SIGSTOP of the Smalltalk server, SIGCONT after so long.
    StopServer(Duration),
    /// The connection to the server is reset.
    Cut,
    /// Nothing gets through the connection for so long, and nobody is told.
    HalfOpen(Duration),
    /// Nobody listens for so long.
    Refuse(Duration),
    /// Every byte takes so long, for ten times so long.
    Delay(Duration),
    /// The connection ends within a message.
    Truncate(Direction, u64),
    /// Bytes are changed, so many that no message survives by chance, for so long.
    Garble(Direction, Duration),
}

impl Fault {
    /// Any fault.
    pub(crate) fn random(random: &mut Rng) -> Fault {
        let short = |random: &mut Rng| Duration::from_millis(random.u64(50..1500));
        // longer than what panes and pipes take for dead
        let long = |random: &mut Rng| Duration::from_millis(random.u64(100..9000));
        let direction = if random.bool() {
            Direction::ToServer
        } else {
            Direction::ToClient
        };
        match random.u32(..16) {
            0 | 1 => Fault::KillSidecar,
            2 => Fault::KillSidecarAndKeeper,
            3 => Fault::StopSidecar(long(random)),
            4 | 5 => Fault::KillPipe,
            6 => Fault::StopPipe(long(random)),
            7 | 8 => Fault::KillServer(short(random)),
            9 => Fault::StopServer(long(random)),
            10 => Fault::Cut,
            11 => Fault::HalfOpen(short(random)),
            12 => Fault::Refuse(short(random)),
            13 => Fault::Delay(Duration::from_millis(random.u64(5..150))),
            14 => Fault::Truncate(direction, random.u64(..1500)),
            _ => Fault::Garble(direction, short(random)),
        }
    }

    /// What it is done to and what is done.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Fault::KillSidecar => "sidecar killed",
            Fault::KillSidecarAndKeeper => "sidecar and keeper killed",
            Fault::StopSidecar(_) => "sidecar stopped",
            Fault::KillPipe => "pipe killed",
            Fault::StopPipe(_) => "pipe stopped",
            Fault::KillServer(_) => "server killed",
            Fault::StopServer(_) => "server stopped",
            Fault::Cut => "connection reset",
            Fault::HalfOpen(_) => "connection swallows",
            Fault::Refuse(_) => "connection refused",
            Fault::Delay(_) => "connection slow",
            Fault::Truncate(..) => "connection ends within a message",
            Fault::Garble(..) => "connection garbles",
        }
    }

    /// Whether what runs may be lost, if that is said.
    pub(crate) fn loses_evaluations(self) -> bool {
        matches!(self, Fault::KillServer(_))
    }

    /// Does it, and answers when it was over.
    pub(crate) fn happen(self, stage: &Stage, image: &mut Image, random: &mut Rng) -> Instant {
        match self {
            Fault::KillSidecar => {
                for sidecar in sidecars(stage) {
                    sidecar.kill();
                }
            }
            Fault::KillSidecarAndKeeper => {
                for process in keepers(stage).into_iter().chain(sidecars(stage)) {
                    process.kill();
                }
            }
            Fault::StopSidecar(time) => stopped(&sidecars(stage), time),
            Fault::KillPipe => {
                if let Some(pipe) = one_of(pipes(stage), random) {
                    pipe.kill();
                }
            }
            Fault::StopPipe(time) => {
                let pipe = one_of(pipes(stage), random);
                stopped(pipe.as_slice(), time);
            }
            Fault::KillServer(time) => {
                image.kill();
                sleep(time);
                image.restart(stage);
            }
            Fault::StopServer(time) => {
                signal(image.pid(), Signal::STOP);
                sleep(time);
                signal(image.pid(), Signal::CONT);
            }
            Fault::Cut => image.proxy.cut(),
            Fault::HalfOpen(time) => {
                image.proxy.half_open();
                sleep(time);
                image.proxy.resume();
            }
            Fault::Refuse(time) => {
                image.proxy.refuse();
                sleep(time);
                image.proxy.resume();
            }
            Fault::Delay(time) => {
                image.proxy.delay(time);
                sleep(10 * time);
                image.proxy.resume();
            }
            Fault::Truncate(direction, after) => {
                image.proxy.truncate(direction, after);
                sleep(Duration::from_millis(300));
                image.proxy.resume();
            }
            Fault::Garble(direction, time) => {
                let garble = Garble::Random {
                    seed: random.u64(..),
                    one_in: 8,
                };
                image.proxy.garble(direction, garble);
                sleep(time);
                image.proxy.resume();
            }
        }
        Instant::now()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())?;
        match self {
            Fault::KillSidecar | Fault::KillSidecarAndKeeper | Fault::KillPipe | Fault::Cut => {
                Ok(())
            }
            Fault::KillServer(time) => write!(f, ", another after {} ms", time.as_millis()),
            Fault::Delay(time) => write!(f, ", {} ms", time.as_millis()),
            Fault::Truncate(direction, after) => write!(f, ", {direction:?} after {after} bytes"),
            Fault::Garble(direction, time) => {
                write!(f, ", {direction:?} for {} ms", time.as_millis())
            }
            Fault::StopSidecar(time)
            | Fault::StopPipe(time)
            | Fault::StopServer(time)
            | Fault::HalfOpen(time)
            | Fault::Refuse(time) => write!(f, " for {} ms", time.as_millis()),
        }
    }
}

/// The sidecar's process; more than one only while one ends and another begins.
pub(crate) fn sidecars(stage: &Stage) -> Vec<Running> {
    let mut found = stage.processes();
    found.retain(|running| running.is(&["stui", "sidecar", "--daemon"]));
    found
}

/// The processes that keep a sidecar.
fn keepers(stage: &Stage) -> Vec<Running> {
    let mut found = stage.processes();
    found.retain(|running| running.is(&["stui", "sidecar", "--keep"]));
    found
}

/// The pipe processes.
pub(crate) fn pipes(stage: &Stage) -> Vec<Running> {
    let mut found = stage.processes();
    found.retain(|running| running.is(&["pipe", "--name"]));
    found
}

fn one_of(mut all: Vec<Running>, random: &mut Rng) -> Option<Running> {
    (!all.is_empty()).then(|| all.swap_remove(random.usize(..all.len())))
}

fn stopped(all: &[Running], time: Duration) {
    for running in all {
        running.send(Signal::STOP);
    }
    sleep(time);
    for running in all {
        running.send(Signal::CONT);
    }
}

/// Sends a signal; a process that is gone is none of ours any more.
pub(crate) fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid.cast_signed()) {
        let _ = kill_process(pid, signal);
    }
}

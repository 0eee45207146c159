//! `stui sidecar --keep`: starts the sidecar, and starts it again when it was killed.
//!
//! A pane takes a sidecar for lost after seconds of silence, since Zellij tells no plugin that a pipe
//! has ended. The keeper is told by the system at once. It holds nothing, so that whatever takes memory
//! away from the sidecar leaves it alone. If it is killed itself the sidecar goes on without; then, and when it gives
//! up, the panes bring the next sidecar.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::process::own_program;

/// The flag of the keeper, and the one of the sidecar that it starts.
pub(super) const KEEP: &str = "--keep";
const DAEMON: &str = "--daemon";
/// Most sidecars in a row that did not live for [`LONG`].
const ATTEMPTS: u32 = 5;
/// One that lived for so long was not killed by what it found when it started.
const LONG: Duration = Duration::from_secs(5);
/// Before the second try in a row; each later one waits twice as long.
const PAUSE: Duration = Duration::from_millis(100);
/// How Rust ends a program that panicked.
const PANICKED: i32 = 101;

/// Runs the sidecar until one ends by itself, or several were lost in a row.
///
/// # Errors
/// If none can be started.
pub(super) fn run() -> Result<()> {
    crate::process::leave_session();
    super::log("info");
    let mut lost = 0;
    loop {
        let begun = Instant::now();
        let status = sidecar().status().context("cannot start the sidecar")?;
        if !is_lost(status) {
            return Ok(());
        }
        lost = if begun.elapsed() < LONG { lost + 1 } else { 1 };
        if lost > ATTEMPTS {
            tracing::error!(%status, "the sidecar is lost again and again; the panes will ask for one");
            return Ok(());
        }
        tracing::warn!(%status, "the sidecar is lost; starting another one");
        if lost > 1 {
            std::thread::sleep(PAUSE * 2_u32.pow(lost - 2));
        }
    }
}

/// Whether a process was killed, or panicked, and did not end of its own will.
fn is_lost(status: ExitStatus) -> bool {
    status.code().is_none_or(|code| code == PANICKED)
}

/// The sidecar, with what this process was given.
fn sidecar() -> Command {
    let arguments = std::env::args_os()
        .skip(1)
        .map(|argument| match argument.to_str() {
            Some(KEEP) => DAEMON.into(),
            _ => argument,
        });
    let mut command = Command::new(own_program());
    command.arg0("stui").args(arguments);
    command
}

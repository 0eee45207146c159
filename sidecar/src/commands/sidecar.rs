//! `stui sidecar`: brings a pane its sidecar.
//!
//! A pane runs it through Zellij, as often as it hears nothing. It tells the session's sidecar that
//! the pane is there; where none listens it starts one, apart from Zellij and with a keeper that starts
//! it again when it is killed, and tells that. Only a process that holds the session's lock is the sidecar,
//! so two that are started at once do not fight.

use std::fs::OpenOptions;
use std::io::{Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::fs::{FlockOperation, flock};
use stui_protocol::pane::Role;

use super::keeper;
use crate::calls::{Answer, Call, call};
use crate::cli;
use crate::config::{self, Remembered};
use crate::daemon;
use crate::log;
use crate::pipes::Destination;
use crate::places::Places;
use crate::plugin_file::address;
use crate::process::own_program;
use crate::zellij::Zellij;

/// How long a sidecar may take to listen.
const LIMIT: Duration = Duration::from_secs(10);
/// Between two tries to reach one that is starting or ending.
const PAUSE: Duration = Duration::from_millis(50);
/// After how long without one another start is tried.
const START_AGAIN: Duration = Duration::from_secs(2);

/// Brings a pane its sidecar, or is the sidecar.
///
/// # Errors
/// If none could be started, in one sentence that the pane shows.
pub fn run(options: &cli::Sidecar) -> Result<()> {
    let places = Places::from_environment()?;
    places.runtime()?;
    places.make_session(&options.session)?;
    if options.keep {
        return keeper::run();
    }
    if options.daemon {
        return be(&places, options);
    }
    let role = options
        .role
        .as_deref()
        .and_then(Role::from_word)
        .with_context(|| {
            format!(
                "--role must be one of {}",
                Role::ALL.map(Role::word).join(", ")
            )
        })?;
    let announcement = Call::Pane {
        destination: Destination {
            role,
            wasm: options
                .wasm
                .clone()
                .unwrap_or_else(|| address(&places.plugin())),
            configuration: options.configuration.clone(),
        },
        zellij_pid: options.zellij_pid,
    };
    announce(&places, options, &announcement)
}

fn announce(places: &Places, options: &cli::Sidecar, announcement: &Call) -> Result<()> {
    let socket = places.sidecar_socket(&options.session);
    let deadline = Instant::now() + LIMIT;
    let mut started: Option<Instant> = None;
    loop {
        match call(&socket, announcement) {
            Ok(Answer::Welcome) => return Ok(()),
            Err(_) if started.is_none_or(|at| at.elapsed() > START_AGAIN) => {
                started = Some(Instant::now());
                start(places, options)?;
            }
            Ok(Answer::Unknown { version }) => bail!(
                "the sidecar of this Zellij session is of version {version} and does not know this pane; quit Zellij and `stui up` again: nothing is lost"
            ),
            // It is being started, or belongs to a Zellij server that is gone and will be gone too.
            Ok(_) | Err(_) => {}
        }
        if Instant::now() >= deadline {
            bail!(
                "no sidecar answers; its log is {}",
                places.sidecar_log(&options.session).display()
            );
        }
        std::thread::sleep(PAUSE);
    }
}

/// Starts a sidecar that neither Zellij nor this process holds on to.
fn start(places: &Places, options: &cli::Sidecar) -> Result<()> {
    let path = places.sidecar_log(&options.session);
    let log = log::open(&path).with_context(|| format!("cannot write {}", path.display()))?;
    let mut command = Command::new(own_program());
    command
        .arg0("stui")
        .args(["sidecar", keeper::KEEP, "--session", &options.session])
        .args(["--zellij-pid", &options.zellij_pid.to_string()])
        .arg("--log-file")
        .arg(&path);
    if let Some(config) = Remembered::read(places, &options.session).config {
        command.arg("--config").arg(config);
    }
    command
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .context("cannot start the sidecar")?;
    Ok(())
}

/// Where the user limits the size of files (`ulimit -f`), a write beyond it fails as on a full disk, instead
/// of ending the process.
fn survive_limits_on_files() -> std::io::Result<()> {
    let exceeded = rustix::process::Signal::XFSZ.as_raw();
    signal_hook::flag::register(exceeded, std::sync::Arc::default()).map(drop)
}

/// Is the sidecar, if no other process is.
fn be(places: &Places, options: &cli::Sidecar) -> Result<()> {
    crate::process::leave_session();
    survive_limits_on_files()?;
    super::log("info");
    let path = places.sidecar_lock(&options.session);
    let mut lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
        tracing::info!("another process is the sidecar of this session");
        return Ok(());
    }
    lock.set_len(0)?;
    lock.rewind()?;
    writeln!(lock, "{}", std::process::id())?;
    let zellij = if let Some(zellij) = Zellij::of_process(options.zellij_pid) {
        zellij
    } else {
        let config = config::of_session(places, &options.session).config;
        Zellij::find(config.zellij.value.as_deref())?
    };
    let result = daemon::run(
        places,
        daemon::Options {
            session: options.session.clone(),
            zellij_pid: options.zellij_pid,
            zellij,
        },
    );
    if let Err(error) = &result {
        tracing::error!(error = format!("{error:#}"), "the sidecar ends");
    }
    result
}

//! Smalltalk servers of this user: their connection files, and the one that a sidecar starts.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use stui_protocol::connection::ConnectionFile;

use crate::client::{ClientError, read_connection_file};
use crate::places::Places;
use crate::process::{is_alive, own_program, terminate};

/// Shortest time between two starts of a server that keeps ending.
const RESTART_PAUSE: Duration = Duration::from_secs(2);

/// A connection file of a server that lives.
///
/// # Errors
/// A sentence, if there is no such file or its server is gone.
pub fn living(path: &Path) -> Result<ConnectionFile, String> {
    if !path.exists() {
        return Err(format!(
            "There is no connection file {}: its server has not started, or has ended.",
            path.display()
        ));
    }
    let file = read_connection_file(path).map_err(|error| error.to_string())?;
    if is_alive(file.pid) {
        Ok(file)
    } else {
        Err(format!(
            "The server of {} (process {}) has ended.",
            path.display(),
            file.pid
        ))
    }
}

/// Why no server could be chosen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChoiceError {
    /// None runs.
    #[error(
        "no Smalltalk server is running; start one with `stui serve`, or open a session with `stui up`"
    )]
    None,
    /// Several run.
    #[error("several Smalltalk servers are running; say which with --connection-file: {}", list(.0))]
    Several(Vec<PathBuf>),
    /// The one that was named cannot be used.
    #[error(transparent)]
    Unusable(#[from] ClientError),
    /// The one that was named has ended.
    #[error("no Smalltalk server: {0}")]
    Ended(String),
}

fn list(paths: &[PathBuf]) -> String {
    let names: Vec<_> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    names.join(", ")
}

/// The server to talk to: the one named by a connection file, else the current Zellij session's,
/// else the only one that lives.
///
/// # Errors
/// If there is none, or more than one.
pub fn choose(
    places: &Places,
    named: Option<&Path>,
    zellij_session: Option<&str>,
) -> Result<(PathBuf, ConnectionFile), ChoiceError> {
    if let Some(path) = named {
        let file = read_connection_file(path)?;
        if !is_alive(file.pid) && is_local(&file.endpoint) {
            return Err(ChoiceError::Ended(living(path).err().unwrap_or_default()));
        }
        return Ok((path.to_owned(), file));
    }
    if let Some(session) = zellij_session {
        let path = connection_file_of(places, session);
        if let Ok(file) = living(&path) {
            return Ok((path, file));
        }
    }
    let mut found = all_living(places);
    match found.len() {
        0 => Err(ChoiceError::None),
        1 => Ok(found.remove(0)),
        _ => Err(ChoiceError::Several(
            found.into_iter().map(|(path, _)| path).collect(),
        )),
    }
}

/// Whether the server of this endpoint is a process of this machine, whose id says something.
fn is_local(endpoint: &str) -> bool {
    endpoint.starts_with("ipc://")
        || ["tcp://127.", "tcp://localhost", "tcp://[::1]"]
            .iter()
            .any(|local| endpoint.starts_with(local))
}

/// All connection files in the runtime directory whose servers live, by path.
pub fn all_living(places: &Places) -> Vec<(PathBuf, ConnectionFile)> {
    let Ok(entries) = std::fs::read_dir(places.runtime_path()) else {
        return Vec::new();
    };
    let mut found: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "json"))
        .filter_map(|path| living(&path).ok().map(|file| (path, file)))
        .collect();
    found.sort_by(|one, other| one.0.cmp(&other.0));
    found
}

/// Remembers which server a Zellij session is to use: this connection file, or one that its sidecar
/// starts.
///
/// # Errors
/// If the disk says no.
pub fn set_connect(places: &Places, session: &str, file: Option<&Path>) -> io::Result<()> {
    let setting = places.session(session).join("connect");
    match file {
        Some(file) => crate::places::write_whole(
            &setting,
            std::path::absolute(file)?.as_os_str().as_encoded_bytes(),
        ),
        None => match std::fs::remove_file(&setting) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        },
    }
}

/// The connection file that was set for a Zellij session, if one was.
fn connect_setting(places: &Places, session: &str) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    let bytes = std::fs::read(places.session(session).join("connect")).ok()?;
    Some(PathBuf::from(std::ffi::OsString::from_vec(bytes)))
}

/// The connection file of a Zellij session: the one that was set, else that of its own server.
pub fn connection_file_of(places: &Places, session: &str) -> PathBuf {
    connect_setting(places, session).unwrap_or_else(|| places.connection_file(session))
}

/// The server of a sidecar: found, or started and started again.
#[derive(Debug)]
pub struct Server {
    file: PathBuf,
    /// Whether it is the sidecar's to start; else somebody else's.
    own: bool,
    log: PathBuf,
    zellij_pid: u32,
    child: Option<Child>,
    last_start: Option<Instant>,
    /// Why the one that was started last ended, while there is no other.
    failure: Option<String>,
}

impl Server {
    /// The server of a Zellij session.
    pub fn of(places: &Places, session: &str, zellij_pid: u32) -> Self {
        let set = connect_setting(places, session);
        Server {
            own: set.is_none(),
            file: set.unwrap_or_else(|| places.connection_file(session)),
            log: places.server_log(session),
            zellij_pid,
            child: None,
            last_start: None,
            failure: None,
        }
    }

    /// Its connection file.
    pub fn connection_file(&self) -> &Path {
        &self.file
    }

    /// Starts it if it should run and does not. To be called when the link is down.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn ensure(&mut self, now: Instant) -> io::Result<()> {
        if !self.own || living(&self.file).is_ok() {
            self.failure = None;
            return Ok(());
        }
        if let Some(child) = &mut self.child {
            match child.try_wait()? {
                // It has not written its file yet.
                None => return Ok(()),
                Some(status) => {
                    self.child = None;
                    self.failure = Some(format!(
                        "The Smalltalk server ended ({status}): {}",
                        last_line(&self.log)
                    ));
                }
            }
        }
        if self
            .last_start
            .is_some_and(|last| now.duration_since(last) < RESTART_PAUSE)
        {
            return Ok(());
        }
        self.last_start = Some(now);
        let log = std::fs::File::create(&self.log)?;
        let child = Command::new(own_program())
            .arg0("stui")
            .arg("serve")
            .arg("--exit-with-pid")
            .arg(self.zellij_pid.to_string())
            .arg("--connection-file")
            .arg(&self.file)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Not in the sidecar's group: a signal to that one leaves the server and its objects be.
            .process_group(0)
            .spawn()?;
        tracing::info!(pid = child.id(), "started a Smalltalk server");
        self.child = Some(child);
        Ok(())
    }

    /// Why it ended, if it does not run and should.
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// Ends it if the sidecar started it, or one before the sidecar did.
    pub fn end(&mut self) {
        if !self.own {
            return;
        }
        if let Ok(file) = living(&self.file)
            && let Err(error) = terminate(file.pid)
        {
            tracing::warn!(%error, "cannot end the Smalltalk server");
        }
    }
}

/// The last line of a log that says something.
fn last_line(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let line = text.lines().rev().find(|line| !line.trim().is_empty());
    line.map_or_else(
        || format!("its log {} is empty", log.display()),
        |line| crate::hub::inspector::cut(line, 500),
    )
}

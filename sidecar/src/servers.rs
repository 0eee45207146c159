//! Smalltalk servers of this user: their connection files, and the one that a sidecar starts.

use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use stui_protocol::connection::ConnectionFile;

use crate::client::{ClientError, read_connection_file};
use crate::config::Remembered;
use crate::pharo::runner;
use crate::places::Places;
use crate::process::{is_alive, own_program, terminate};
use crate::target::Target;

/// Shortest time between two starts of a server; twice as long after each that ended before it could be
/// reached, up to the longest: preparing a Pharo image that cannot be prepared is work.
const RESTART_PAUSE: Duration = Duration::from_secs(2);
const MAX_RESTART_PAUSE: Duration = Duration::from_secs(60);

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
pub fn is_local(endpoint: &str) -> bool {
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

/// An image that a Zellij session is connected to: a server and the name it has there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Its name, unique in the session.
    pub name: String,
    /// The server.
    pub target: Target,
}

impl Image {
    /// Images for these targets, each with a name of its own.
    pub fn named(targets: impl IntoIterator<Item = Target>) -> Vec<Image> {
        let mut images: Vec<Image> = Vec::new();
        for target in targets {
            let name = free_name(&images, &target.default_name());
            images.push(Image { name, target });
        }
        images
    }
}

/// `name`, or if one of the images has it, the next of `name-2`, `name-3`, … that is free.
pub fn free_name(images: &[Image], name: &str) -> String {
    let taken = |name: &str| images.iter().any(|image| image.name == name);
    // One more than there are images cannot all be taken.
    (1..=images.len() + 1)
        .map(|n| match n {
            1 => name.to_owned(),
            n => format!("{name}-{n}"),
        })
        .find(|name| !taken(name))
        .unwrap_or_default()
}

/// Remembers which images a Zellij session is connected to.
///
/// # Errors
/// If the disk says no.
pub fn set_images(places: &Places, session: &str, images: &[Image]) -> io::Result<()> {
    let json = serde_json::to_vec_pretty(images)?;
    crate::places::write_whole(&places.images(session), &json)
}

/// The images that a Zellij session is connected to, the one for new sessions first: never none.
pub fn images(places: &Places, session: &str) -> Vec<Image> {
    let set: Vec<Image> = std::fs::read(places.images(session))
        .ok()
        .and_then(|json| serde_json::from_slice(&json).ok())
        .unwrap_or_default();
    if set.is_empty() {
        Image::named([Target::Embedded])
    } else {
        set
    }
}

/// The connection file of a Zellij session's first image.
pub fn connection_file_of(places: &Places, session: &str) -> PathBuf {
    let first = images(places, session).remove(0);
    connection_file_of_image(places, session, &first)
}

/// The connection file of an image.
pub fn connection_file_of_image(places: &Places, session: &str, image: &Image) -> PathBuf {
    match &image.target {
        Target::File(path) => path.clone(),
        Target::Embedded | Target::Pharo(_) | Target::Ssh(_) => {
            places.connection_file(session, &image.name)
        }
    }
}

/// The server of an image: found, or started and started again.
///
/// Whatever the target, what is started is a program that writes the connection file once the server
/// can be reached, removes it at its end, and ends with Zellij, not with the sidecar: it leaves the sidecar's
/// session ([`leave_session`](crate::process::leave_session)), and keeps the user's objects.
#[derive(Debug)]
pub struct Server {
    target: Target,
    file: PathBuf,
    log: PathBuf,
    /// How long the log was when the server was started that ended last, or runs.
    logged: u64,
    /// The configuration file, if the session was opened with one of its own.
    config: Option<PathBuf>,
    zellij_pid: u32,
    child: Option<Child>,
    last_start: Option<Instant>,
    /// How many in a row ended before they could be reached.
    failures: u32,
    /// Why the one that was started last ended, while there is no other, or what it said last.
    failure: Option<String>,
}

impl Server {
    /// The server of an image of a Zellij session.
    pub fn of(places: &Places, session: &str, image: &Image, zellij_pid: u32) -> Self {
        Server {
            target: image.target.clone(),
            file: connection_file_of_image(places, session, image),
            log: places.server_log(session, &image.name),
            logged: 0,
            config: Remembered::read(places, session).config,
            zellij_pid,
            child: None,
            last_start: None,
            failures: 0,
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
        if !self.target.is_started_here() || living(&self.file).is_ok() {
            self.failure = None;
            return Ok(());
        }
        if let Some(child) = &mut self.child {
            match child.try_wait()? {
                // It has not written its file yet, and may have said why.
                None => {
                    self.failure = last_words(&self.log, self.logged);
                    return Ok(());
                }
                Some(status) => {
                    self.child = None;
                    self.failures += 1;
                    self.failure = Some(format!(
                        "The Smalltalk server ended ({status}): {}",
                        last_line(&self.log, self.logged)
                    ));
                }
            }
        }
        let pause = pause_after(self.failures);
        if self
            .last_start
            .is_some_and(|last| now.duration_since(last) < pause)
        {
            return Ok(());
        }
        self.last_start = Some(now);
        let log = crate::log::open(&self.log)?;
        self.logged = log.metadata()?.len();
        let child = self
            .program()
            .arg("--exit-with-pid")
            .arg(self.zellij_pid.to_string())
            .arg("--connection-file")
            .arg(&self.file)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        tracing::info!(pid = child.id(), "started a Smalltalk server");
        self.child = Some(child);
        Ok(())
    }

    /// It was reached: whatever becomes of it, it can be started.
    pub fn reached(&mut self) {
        self.failures = 0;
    }

    /// The program that brings the server; see the type's text.
    fn program(&self) -> Command {
        let mut command = Command::new(own_program());
        command.arg0("stui");
        match &self.target {
            Target::Embedded | Target::File(_) => command.arg("serve"),
            Target::Pharo(image) => command.args(["pharo", "serve"]).arg("--image").arg(image),
            Target::Ssh(_) => command.arg("tunnel").arg(self.target.to_string()),
        };
        command.arg("--log-file").arg(&self.log);
        if let Some(config) = &self.config {
            command.arg("--config").arg(config);
        }
        command
    }

    /// Why it ended, if it does not run and should; of one that cannot be reached yet, what it said last.
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// What it does until it can be reached, in a few words, if it was started and takes its time.
    pub fn starting(&mut self) -> Option<String> {
        let is_pharo = matches!(self.target, Target::Pharo(_));
        (is_pharo && self.running_child().is_some() && living(&self.file).is_err()).then(|| {
            runner::progress(&self.log).unwrap_or_else(|| "starting the Pharo image".to_owned())
        })
    }

    /// Process id of the one that was started, while it runs.
    fn running_child(&mut self) -> Option<u32> {
        let child = self.child.as_mut()?;
        let runs = child.try_wait().is_ok_and(|status| status.is_none());
        runs.then(|| child.id())
    }

    /// Ends it if the sidecar started it, or one before the sidecar did.
    pub fn end(&mut self) {
        if !self.target.is_started_here() {
            return;
        }
        let ended = match (self.running_child(), living(&self.file)) {
            // It sees to the server's end, and may still be preparing one.
            (Some(child), _) => terminate(child),
            // Whose process is a virtual machine, which dies of a signal at once.
            (_, Ok(_)) if matches!(self.target, Target::Pharo(_)) => {
                std::fs::write(runner::stop_file(&self.file), "")
            }
            (_, Ok(file)) => terminate(file.pid),
            (_, Err(_)) => Ok(()),
        };
        if let Err(error) = ended {
            tracing::warn!(%error, "cannot end the Smalltalk server");
        }
    }
}

/// How long after the last start the next one may be, when so many failed.
fn pause_after(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(10);
    (RESTART_PAUSE * 2_u32.pow(doublings)).min(MAX_RESTART_PAUSE)
}

/// The last line of a log, behind its first `from` bytes, that says something.
fn last_line(log: &Path, from: u64) -> String {
    last_words(log, from)
        .unwrap_or_else(|| format!("it wrote nothing into its log {}", log.display()))
}

/// The same, if there is one. No more than the end of the log is read.
fn last_words(log: &Path, from: u64) -> Option<String> {
    const TAIL: u64 = 4096;
    let mut file = std::fs::File::open(log).ok()?;
    let length = file.metadata().ok()?.len();
    // One that was begun anew since is new from its first byte.
    let from = if from > length { 0 } else { from };
    file.seek(SeekFrom::Start(from.max(length.saturating_sub(TAIL))))
        .ok()?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
    let line = line.strip_prefix("stui: ").unwrap_or(line);
    Some(crate::hub::inspector::cut(runner::sentence(line), 500))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_fails_again_and_again_is_started_ever_more_rarely() {
        let seconds: Vec<u64> = (0..9).map(|n| pause_after(n).as_secs()).collect();
        assert_eq!(seconds, [2, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(pause_after(u32::MAX), MAX_RESTART_PAUSE);
    }

    #[test]
    fn what_a_server_said_last_is_not_what_one_before_it_said() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("x.server.log");
        std::fs::write(&log, "of the first\n").unwrap();
        let from = std::fs::metadata(&log).unwrap().len();
        assert!(last_line(&log, from).contains("wrote nothing"));
        std::fs::write(&log, "of the first\nof the second\n\n").unwrap();
        assert_eq!(last_line(&log, from), "of the second");
        std::fs::write(&log, "anew\n").unwrap();
        assert_eq!(last_line(&log, from), "anew");
    }

    #[test]
    fn images_of_one_name_are_told_apart_and_remembered() {
        let images = Image::named([
            Target::Embedded,
            Target::Embedded,
            Target::File("/a/p.json".into()),
        ]);
        let names: Vec<&str> = images.iter().map(|image| image.name.as_str()).collect();
        assert_eq!(names, ["embedded", "embedded-2", "p"]);
        let json = serde_json::to_string(&images).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Image>>(&json).unwrap(), images);
    }

    #[test]
    fn a_living_pharo_server_is_asked_to_stop_by_a_file_and_gets_no_signal() {
        let home = tempfile::tempdir().unwrap();
        let places = Places::below(home.path());
        std::fs::create_dir_all(places.runtime_path()).unwrap();
        let image = Image::named([Target::Pharo("/i/Moose.image".into())]).remove(0);
        let mut server = Server::of(&places, "s", &image, std::process::id());
        assert_eq!(server.starting(), None);
        let file = server.connection_file().to_owned();
        // A signal to this process would end the test.
        let json = format!(
            r#"{{"endpoint":"tcp://127.0.0.1:1","dialect":"Pharo 12","pid":{},"protocol_version":"1.0.0"}}"#,
            std::process::id()
        );
        std::fs::write(&file, json).unwrap();
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .unwrap();
        living(&file).unwrap();
        server.end();
        assert!(runner::stop_file(&file).exists());
    }
}

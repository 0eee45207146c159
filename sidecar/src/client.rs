//! A client of a Smalltalk server, for programs: `stui eval`, tests and benchmarks.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use stui::client::{Client, read_connection_file};
//! use stui_protocol::request::Evaluate;
//!
//! let file = read_connection_file("server.json".as_ref())?;
//! let client = Client::connect(&file, Duration::from_secs(5))?;
//! let code = "3 + 4".to_owned();
//! let answer = client.request(Evaluate { code, ..Default::default() }, Duration::from_secs(5))?;
//! # Ok(()) }
//! ```

use std::cell::Cell;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use stui_protocol::Uuid;
use stui_protocol::connection::ConnectionFile;
use stui_protocol::event::Event;
use stui_protocol::pane;
use stui_protocol::request::Request;
use stui_protocol::response::{Describe, Response};
use zeroize::Zeroizing;

use crate::hub::Outcome;
use crate::link::{Link, LinkEvent, random_id};
use crate::log::json_flaw;

/// Why a client got no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The connection file cannot be used.
    #[error("cannot use the connection file {}: {reason}", path.display())]
    ConnectionFile {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// No connection came up.
    #[error("no Smalltalk server at {endpoint}: {reason}")]
    NotConnected {
        /// Where it should listen.
        endpoint: String,
        /// Why.
        reason: String,
    },
    /// No answer came in time. The server may still be at it.
    #[error("the server did not answer within {0:?}")]
    Timeout(Duration),
    /// The server that had the request was replaced by another.
    #[error("the Smalltalk server ended before it answered; ask the new one")]
    ServerReplaced,
    /// The request could not be sent.
    #[error("{0}")]
    Refused(String),
    /// The system gave no thread or socket.
    #[error("cannot start a client: {0}")]
    Start(#[from] std::io::Error),
}

/// Largest connection file, in bytes.
const MAX_FILE: u64 = 64 * 1024;

/// Reads a connection file. As ssh does with keys, one that is not private is refused: who can read it
/// can evaluate with its owner's rights, and who can write it can have code sent to a server of his.
///
/// # Errors
/// If it is not there, is none, or is not private.
pub fn read_connection_file(path: &Path) -> Result<ConnectionFile, ClientError> {
    let error = |reason: String| ClientError::ConnectionFile {
        path: path.to_owned(),
        reason,
    };
    let read = || -> std::io::Result<String> {
        let file = std::fs::File::open(path)?;
        let metadata = file.metadata()?;
        let own = rustix::process::geteuid().as_raw();
        if let Some(problem) = privacy_problem(metadata.uid(), own, metadata.mode()) {
            return Err(std::io::Error::other(problem));
        }
        let mut json = String::new();
        file.take(MAX_FILE).read_to_string(&mut json)?;
        Ok(json)
    };
    let json = Zeroizing::new(read().map_err(|failed| error(failed.to_string()))?);
    ConnectionFile::from_json(&json).map_err(|failed| error(json_flaw(&failed)))
}

/// Why a file of this owner and mode is not private, in a sentence that says what to do.
fn privacy_problem(owner: u32, own: u32, mode: u32) -> Option<&'static str> {
    if owner != own {
        return Some(
            "it belongs to another user, who could send your code to a server of his; use a file of your own",
        );
    }
    (mode & 0o077 != 0).then_some(
        "others can read or change it, and with it your server; `chmod 600` it, and if somebody may have read it, start the server anew",
    )
}

/// A client with a connection of its own, that is kept up.
pub struct Client {
    link: Link,
    server: Describe,
    events: Receiver<Event>,
    missed: Arc<AtomicU64>,
}

/// Most events that wait to be taken.
const MAX_EVENTS: usize = 65_536;

impl Client {
    /// Connects, authenticates and lets the server describe itself.
    ///
    /// # Errors
    /// If that does not succeed at the first attempt within `limit`.
    pub fn connect(file: &ConnectionFile, limit: Duration) -> Result<Self, ClientError> {
        let deadline = Instant::now() + limit;
        // Only the first is of interest.
        let (tell, told) = bounded(1);
        let (tell_event, events) = bounded(MAX_EVENTS);
        let missed = Arc::new(AtomicU64::new(0));
        let source = file.clone();
        let link = Link::start(
            Box::new(move || Ok(source.clone())),
            listener(tell, tell_event, Arc::clone(&missed)),
        )?;
        let endpoint = file.endpoint.clone();
        match told.recv_deadline(deadline) {
            Ok(Ok(server)) => Ok(Client {
                link,
                server,
                events,
                missed,
            }),
            Ok(Err(pane::Link::Failed { reason } | pane::Link::Reconnecting { reason, .. })) => {
                Err(ClientError::NotConnected { endpoint, reason })
            }
            Ok(Err(_)) | Err(_) => Err(ClientError::NotConnected {
                endpoint,
                reason: format!("no answer within {limit:?}"),
            }),
        }
    }

    /// What the server said about itself when the client connected.
    pub fn server(&self) -> &Describe {
        &self.server
    }

    /// Asks something and waits for the answer, at most so long. An error that the server answers is
    /// an answer: [`Response::Error`].
    ///
    /// # Errors
    /// If no answer comes.
    pub fn request(
        &self,
        request: impl Into<Request>,
        limit: Duration,
    ) -> Result<Response, ClientError> {
        self.begin(request).wait(limit)
    }

    /// Asks something; the answer is waited for later. Many requests may be on their way at once.
    pub fn begin(&self, request: impl Into<Request>) -> Pending<'_> {
        self.begin_as(random_id(), request)
    }

    /// The same under an id of the caller's: a request that was sent before under this id is not
    /// carried out again, its answer is.
    pub fn begin_as(&self, id: Uuid, request: impl Into<Request>) -> Pending<'_> {
        let (tell, told) = bounded(1);
        self.link.request(id, request, move |outcome| {
            // Nobody waits any more: the answer came too late.
            let _ = tell.send(outcome);
        });
        Pending {
            client: self,
            id,
            told,
            answered: Cell::new(false),
        }
    }

    /// Gets the events of a session from a number on, besides those of others; see [`Client::events`].
    pub fn subscribe(&self, session_id: impl Into<String>, from_sequence: u64) {
        self.link.subscribe(session_id, from_sequence);
    }

    /// Gets no events of a session any more.
    pub fn unsubscribe(&self, session_id: impl Into<String>) {
        self.link.unsubscribe(session_id);
    }

    /// The events of the sessions subscribed to, each session's in order, also over lost connections.
    /// At most 65 536 wait to be taken; what comes beyond is missed.
    pub fn events(&self) -> &Receiver<Event> {
        &self.events
    }

    /// How many events were missed since this was last asked: because too many waited, or because the
    /// server kept them no longer when the connection was back.
    pub fn take_missed(&self) -> u64 {
        self.missed.swap(0, Ordering::Relaxed)
    }
}

/// What takes up what the link tells. It never waits: that would hold up the answers, for one of which
/// the caller may wait.
fn listener(
    connected: Sender<Result<Describe, pane::Link>>,
    events: Sender<Event>,
    missed: Arc<AtomicU64>,
) -> impl FnMut(LinkEvent) + Send {
    move |event| match event {
        LinkEvent::Event(event) => {
            if events.try_send(event).is_err() {
                missed.fetch_add(1, Ordering::Relaxed);
            }
        }
        LinkEvent::Connected { server, .. } => drop(connected.try_send(Ok(server))),
        LinkEvent::Disconnected(state) => drop(connected.try_send(Err(state))),
        LinkEvent::Busy(_) => {}
        LinkEvent::Gap { missed: lost, .. } => {
            missed.fetch_add(lost, Ordering::Relaxed);
        }
    }
}

/// A request whose answer is awaited.
pub struct Pending<'a> {
    client: &'a Client,
    id: Uuid,
    told: Receiver<Outcome>,
    answered: Cell<bool>,
}

impl Pending<'_> {
    /// The id of the request, as `Interrupt` needs it.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Waits for the answer, at most so long. After a timeout one may wait again.
    ///
    /// # Errors
    /// If no answer comes.
    pub fn wait(&self, limit: Duration) -> Result<Response, ClientError> {
        let told = self.told.recv_timeout(limit);
        self.answered.set(self.answered.get() || told.is_ok());
        match told {
            Ok(Outcome::Answered(response)) => Ok(*response),
            Ok(Outcome::ServerReplaced) => Err(ClientError::ServerReplaced),
            Ok(Outcome::Refused(reason)) => Err(ClientError::Refused(reason)),
            Err(RecvTimeoutError::Timeout) => Err(ClientError::Timeout(limit)),
            Err(RecvTimeoutError::Disconnected) => {
                Err(ClientError::Refused("the answer was taken already".into()))
            }
        }
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if !self.answered.get() {
            self.client.link.forget(self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use stui_protocol::event::{Happening, Transcript};

    #[test]
    fn a_connection_file_that_is_not_private_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.json");
        let json = r#"{"endpoint":"tcp://127.0.0.1:1","key":"k","dialect":"x","pid":1,"protocol_version":"1.0.0"}"#;
        std::fs::write(&path, json).unwrap();
        let set = |mode| {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            read_connection_file(&path)
        };
        for open in [0o640, 0o604, 0o620, 0o602, 0o644, 0o666] {
            let error = set(open).unwrap_err().to_string();
            assert!(error.contains("chmod 600"), "{open:o}: {error}");
        }
        for private in [0o600, 0o400, 0o700] {
            assert_eq!(
                set(private).unwrap().key.as_deref(),
                Some("k"),
                "{private:o}"
            );
        }
    }

    #[test]
    fn a_connection_file_of_another_user_is_refused() {
        assert!(
            privacy_problem(1001, 1000, 0o100_600).is_some_and(|why| why.contains("another user"))
        );
        assert_eq!(privacy_problem(1000, 1000, 0o100_600), None);
    }

    #[test]
    fn what_is_no_connection_file_is_refused_without_a_word_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.json");
        crate::places::write_whole(&path, br#"{"endpoint": "the secret", "pid": "the secret"}"#)
            .unwrap();
        let error = read_connection_file(&path).unwrap_err().to_string();
        assert!(
            !error.contains("secret") && error.contains("other fields"),
            "{error}"
        );
    }

    #[test]
    fn events_that_nobody_takes_are_counted_and_do_not_pile_up() {
        let (connected, _told) = bounded(1);
        let (tell, events) = bounded(2);
        let missed = Arc::new(AtomicU64::new(0));
        let mut listener = listener(connected, tell, Arc::clone(&missed));
        for sequence in 1..=5 {
            listener(LinkEvent::Event(Event {
                session_id: None,
                sequence,
                happening: Happening::Transcript(Transcript::default()),
            }));
        }
        listener(LinkEvent::Gap {
            session_id: String::new(),
            missed: 10,
        });
        let kept: Vec<u64> = events.try_iter().map(|event| event.sequence).collect();
        assert_eq!(kept, [1, 2]);
        assert_eq!(missed.load(Ordering::Relaxed), 13);
    }
}

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
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded, unbounded};
use stui_protocol::Uuid;
use stui_protocol::connection::ConnectionFile;
use stui_protocol::event::Event;
use stui_protocol::pane;
use stui_protocol::request::Request;
use stui_protocol::response::{Describe, Response};

use crate::hub::Outcome;
use crate::link::{Link, LinkEvent, random_id};

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

/// Reads a connection file.
///
/// # Errors
/// If it is not there or is none.
pub fn read_connection_file(path: &Path) -> Result<ConnectionFile, ClientError> {
    let error = |reason: String| ClientError::ConnectionFile {
        path: path.to_owned(),
        reason,
    };
    let json = std::fs::read_to_string(path).map_err(|failed| error(failed.to_string()))?;
    ConnectionFile::from_json(&json).map_err(|failed| error(failed.to_string()))
}

/// A client with a connection of its own, that is kept up.
pub struct Client {
    link: Link,
    server: Describe,
    events: Receiver<Event>,
}

impl Client {
    /// Connects, authenticates and lets the server describe itself.
    ///
    /// # Errors
    /// If that does not succeed at the first attempt within `limit`.
    pub fn connect(file: &ConnectionFile, limit: Duration) -> Result<Self, ClientError> {
        let deadline = Instant::now() + limit;
        let (tell, told) = unbounded();
        let (tell_event, events) = unbounded();
        let source = file.clone();
        let link = Link::start(
            Box::new(move || Ok(source.clone())),
            move |event| match event {
                // Nobody listening means that the client is gone.
                LinkEvent::Event(event) => drop(tell_event.send(event)),
                LinkEvent::Connected { server, .. } => drop(tell.send(Ok(server))),
                LinkEvent::Disconnected(state) => drop(tell.send(Err(state))),
                LinkEvent::Busy(_) => {}
                LinkEvent::Gap { missed, .. } => tracing::warn!(missed, "events are lost"),
            },
        )?;
        let endpoint = file.endpoint.clone();
        match told.recv_deadline(deadline) {
            Ok(Ok(server)) => Ok(Client {
                link,
                server,
                events,
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
    pub fn events(&self) -> &Receiver<Event> {
        &self.events
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

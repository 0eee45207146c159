//! The link to a Smalltalk server: a thread that keeps a connection up, and what is asked through it.
//!
//! - A connection counts as up once both sides have proved that they know the key
//!   (`link/greeting.rs`) and the server has described itself.
//! - A lost connection is opened anew, after a pause that doubles up to three seconds, with some
//!   jitter. Each time the connection file is read again: a restarted server wrote another.
//! - What was not answered is sent again under its id: the same server remembers what it has done.
//!   Another server does not; then the request ends as [`Outcome::ServerReplaced`].
//! - Events are subscribed again from the last one seen, also when a number is missing.
//!
//! No busy waiting: the thread sleeps until a message, a wake-up, or the end of a pause.

use std::thread::JoinHandle;

use crossbeam_channel::{Sender, bounded};
use stui_protocol::Uuid;
use stui_protocol::connection::ConnectionFile;
use stui_protocol::event::Event;
use stui_protocol::pane;
use stui_protocol::request::Request;
use stui_protocol::response::Describe;

use self::keeper::Keeper;
use crate::hub::Outcome;
use crate::zmq_link::{Waker, waker};

mod greeting;
mod keeper;

/// Most commands that wait for the thread.
const MAX_COMMANDS: usize = 1024;

/// What a link tells about itself.
#[derive(Debug)]
pub enum LinkEvent {
    /// The connection is up.
    Connected {
        /// What the server said about itself.
        server: Describe,
        /// Where it listens.
        endpoint: String,
    },
    /// The connection is not up: [`pane::Link::Reconnecting`] or [`pane::Link::Failed`].
    Disconnected(pane::Link),
    /// The server told what happened.
    Event(Event),
}

/// Takes the outcome of a request; called on the link's thread.
pub type Responder = Box<dyn FnOnce(Outcome) + Send>;
/// Says where the server is; called before each attempt. An error is a sentence.
pub type Source = Box<dyn FnMut() -> Result<ConnectionFile, String> + Send>;

type Listener = Box<dyn FnMut(LinkEvent) + Send>;

enum Command {
    Request {
        id: Uuid,
        request: Request,
        responder: Responder,
    },
    Forget(Uuid),
    Subscribe {
        session_id: String,
        from_sequence: u64,
    },
}

/// A handle of a link; the link ends when the last one is dropped.
pub struct Link {
    commands: Option<Sender<Command>>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

impl Link {
    /// Starts the thread. `listener` is called on it for everything that happens.
    ///
    /// # Errors
    /// If the system gives no thread or no wake-up socket.
    pub fn start(
        source: Source,
        listener: impl FnMut(LinkEvent) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (waker, sleeper) = waker()?;
        let (commands, received) = bounded(MAX_COMMANDS);
        let keeper = Keeper::new(source, Box::new(listener), sleeper, received);
        let thread = std::thread::Builder::new()
            .name("link".into())
            .spawn(move || keeper.run())?;
        Ok(Link {
            commands: Some(commands),
            waker,
            thread: Some(thread),
        })
    }

    /// Asks something, now or once the connection is up. The responder gets the outcome, once;
    /// it is dropped uncalled only if the link ends.
    pub fn request(
        &self,
        id: Uuid,
        request: impl Into<Request>,
        responder: impl FnOnce(Outcome) + Send + 'static,
    ) {
        self.command(Command::Request {
            id,
            request: request.into(),
            responder: Box::new(responder),
        });
    }

    /// Wants no answer to a request any more.
    pub fn forget(&self, id: Uuid) {
        self.command(Command::Forget(id));
    }

    /// Gets the events of a session from a number on, instead of those of another session.
    pub fn subscribe(&self, session_id: String, from_sequence: u64) {
        self.command(Command::Subscribe {
            session_id,
            from_sequence,
        });
    }

    fn command(&self, command: Command) {
        if let Some(commands) = &self.commands {
            // An error means that the thread is gone, as after a panic; nothing would answer.
            let _ = commands.send(command);
            self.waker.wake();
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.commands.take();
        self.waker.wake();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A new id for a request.
pub fn random_id() -> Uuid {
    Uuid::new_v4()
}

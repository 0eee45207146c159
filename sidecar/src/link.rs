//! The link to a Smalltalk server: a thread that keeps a connection up, and what is asked through it.
//!
//! - A connection counts as up once both sides have proved that they know the key
//!   (`link/greeting.rs`) and the server has described itself.
//! - A lost connection is opened anew; pauses between attempts double up to less than half a second,
//!   and attempts that stay silent do not hold up others (`link/attempts.rs`): a server that is back is
//!   found within a second. Each time the connection file is read again: a restarted server wrote another.
//! - What was not answered is sent again under its id: the same server remembers what it has done
//!   (`link/requests.rs`). Another server does not; then the request ends as
//!   [`Outcome::ServerReplaced`].
//! - Events are subscribed again from the last one seen, also when a number is missing
//!   (`link/subscriptions.rs`). What the server keeps no longer is told as a gap.
//! - What comes garbled means that something was lost: the connection is made anew, and it comes again.
//! - A server whose event loop answers late is told as busy (`link/pulse.rs`).
//! - Who listens slowly does not hold up the link (`link/teller.rs`), and no server can fill the memory.
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
use self::teller::Teller;
use crate::hub::Outcome;
use crate::zmq_link::{Waker, waker};

mod attempts;
mod greeting;
mod keeper;
mod pulse;
mod requests;
mod subscriptions;
mod teller;

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
    /// The connection is not up: [`pane::Link::Reconnecting`] or [`pane::Link::Failed`]. Told when it is
    /// lost, when the reason is another one, and now and then.
    Disconnected(pane::Link),
    /// The connection is up, and the server's event loop answers late (`true`), or does so no more: it
    /// saves its image, collects garbage, waits in a foreign call, or its machine is overloaded.
    Busy(bool),
    /// The server told what happened.
    Event(Event),
    /// Events between the last one told and the next one are lost: the server keeps them no longer.
    Gap {
        /// Whose.
        session_id: String,
        /// How many.
        missed: u64,
    },
}

/// Takes the outcome of a request; called on a thread of the link's, like the listener and one by one with it.
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
    Unsubscribe(String),
}

/// A handle of a link; the link ends when the last one is dropped.
pub struct Link {
    commands: Option<Sender<Command>>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

impl Link {
    /// Starts it. `listener` is called on a thread of the link's for everything that happens.
    ///
    /// # Errors
    /// If the system gives no threads or no wake-up socket.
    pub fn start(
        source: Source,
        listener: impl FnMut(LinkEvent) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (waker, sleeper) = waker()?;
        let (commands, received) = bounded(MAX_COMMANDS);
        let keeper = Keeper::new(
            source,
            Teller::start(Box::new(listener))?,
            sleeper,
            received,
        );
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

    /// Gets the events of a session from a number on, besides those of other sessions, until
    /// [`Link::unsubscribe`] or until the server is replaced by one that does not know the session. Each
    /// event is told once, in order; where some are lost, [`LinkEvent::Gap`] says so. For a session that
    /// is subscribed already, it begins anew. At most 256 sessions; more are not subscribed.
    pub fn subscribe(&self, session_id: impl Into<String>, from_sequence: u64) {
        self.command(Command::Subscribe {
            session_id: session_id.into(),
            from_sequence,
        });
    }

    /// Gets no events of a session any more.
    pub fn unsubscribe(&self, session_id: impl Into<String>) {
        self.command(Command::Unsubscribe(session_id.into()));
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

//! What the command line asks of a sidecar, and what the hub itself asks of servers: to answer that, and
//! to close sessions that nobody knows.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use stui_protocol::pane::{Link, SessionKey};
use stui_protocol::response::Response;
use stui_protocol::sessions::{SessionCommand, SessionList, SessionRow};
use stui_protocol::{Uuid, request};

use super::image::ImageKey;
use super::session::Session;
use super::{Effect, Hub, Outcome};

/// Most entries of a history that are told at once.
const MAX_TOLD: usize = 20;

/// What the command line wants of a sidecar's sessions. Sessions and images are meant by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Ask {
    /// What is there?
    List,
    /// More about one.
    Info {
        /// Its name.
        name: String,
    },
    /// Make one.
    New {
        /// Its name.
        name: String,
        /// Its image; none: the one for new sessions.
        image: Option<String>,
    },
    /// Give one another name.
    Rename {
        /// Its name.
        from: String,
        /// Its new name.
        to: String,
    },
    /// Close one.
    Close {
        /// Its name.
        name: String,
    },
    /// What do the servers say about their sessions?
    Stats,
}

/// What is said to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "told", rename_all = "snake_case")]
pub enum Told {
    /// What is there.
    List {
        /// It.
        list: SessionList,
        /// What time it is for the sidecar, in seconds since 1970.
        now: u64,
    },
    /// More about one.
    Info(Box<Info>),
    /// What the servers say.
    Stats {
        /// A server each.
        images: Vec<ImageStats>,
    },
    /// It is done.
    Done {
        /// What was done, in a sentence.
        text: String,
    },
    /// It cannot be done.
    Refused {
        /// Why, in a sentence.
        reason: String,
    },
}

/// All about a session.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Info {
    /// What a list says about it.
    pub row: SessionRow,
    /// The session's id on the server.
    pub session_id: Option<String>,
    /// How many lines its text has.
    pub lines: u32,
    /// What is inspected, from the first object to the one shown.
    pub inspected: Vec<String>,
    /// Debuggers that are open: id and error.
    pub debuggers: Vec<(String, String)>,
    /// Its newest evaluations, the oldest first: code, whether it was good, the answer.
    pub history: Vec<(String, bool, String)>,
    /// After how many seconds without use the server forgets it, as the server says.
    pub expires_in: Option<u64>,
    /// How many evaluations the server's own history of it holds.
    pub history_on_server: Option<u64>,
}

/// What a server says about its sessions.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ImageStats {
    /// Name of the image.
    pub image: String,
    /// Sessions of all clients, and clients.
    pub total_sessions: u64,
    /// Clients with sessions.
    pub active_clients: u64,
    /// Sessions of this sidecar.
    pub own_sessions: u64,
    /// How many sessions a client may have.
    pub max_sessions_per_client: u64,
    /// Why there are no numbers, if there are none.
    pub failure: Option<String>,
}

/// Names what the command line asked, until it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallKey(pub u64);

/// What the hub itself asked of a server.
#[derive(Debug)]
pub(super) enum Wanted {
    /// Which sessions of ours the server has, to close those that nobody knows.
    Strays(ImageKey),
    /// For a call: numbers of an image.
    Statistics(CallKey, ImageKey),
    /// For a call: how many sessions are ours.
    Own(CallKey, ImageKey),
    /// For a call: about a session.
    Info(CallKey),
    /// A session for one of ours that is closed or elsewhere meanwhile: it is to be closed.
    Orphan(ImageKey),
    /// Nothing.
    Closing,
}

/// A call that waits for servers.
#[derive(Debug)]
pub(super) struct Gathering {
    told: Told,
    waiting: BTreeSet<Uuid>,
}

impl Hub {
    /// Asks a server for our sessions, to close those that no session here knows: a sidecar that was
    /// killed between asking for one and writing it down leaves such a one behind.
    pub(super) fn ask_for_strays(&mut self, image: ImageKey, out: &mut Vec<Effect>) {
        let request = request::ListClientSessions {
            client_id: self.client_id.clone(),
        };
        self.ask(image, request, Wanted::Strays(image), out);
    }

    /// A session here is about to be closed, or to leave its image: what its server is still making for it is
    /// nobody's.
    pub(super) fn leave_orphans(&mut self, key: SessionKey) {
        let Some(session) = self.sessions.get(&key) else {
            return;
        };
        let Ok(image) = self.image_named(&session.image).map(|image| image.key) else {
            return;
        };
        let ids: Vec<Uuid> = session.awaited().collect();
        for id in ids {
            self.wanted.insert(id, Wanted::Orphan(image));
        }
    }

    fn ask(
        &mut self,
        image: ImageKey,
        request: impl Into<request::Request>,
        wanted: Wanted,
        out: &mut Vec<Effect>,
    ) -> Uuid {
        let id = self.ids.make();
        self.wanted.insert(id, wanted);
        out.push(Effect::Request {
            image,
            id,
            request: request.into(),
        });
        id
    }

    /// The command line asks something.
    pub(super) fn called(&mut self, call: CallKey, ask: Ask, out: &mut Vec<Effect>) {
        let command = match ask {
            Ask::List => {
                let told = Told::List {
                    list: self.list(),
                    now: self.now,
                };
                out.push(Effect::Answer { call, told });
                return;
            }
            Ask::Stats => return self.gather_statistics(call, out),
            Ask::Info { name } => match self.session_named(&name) {
                Ok(key) => return self.gather_info(call, key, out),
                Err(reason) => Err(reason),
            },
            Ask::New { name, image } => Ok(SessionCommand::New { name, image }),
            Ask::Rename { from, to } => self
                .session_named(&from)
                .map(|session| SessionCommand::Rename { session, name: to }),
            Ask::Close { name } => self
                .session_named(&name)
                .map(|session| SessionCommand::Close { session }),
        };
        let told = match command.and_then(|command| self.command(None, command, out)) {
            Ok(text) => Told::Done { text },
            Err(reason) => Told::Refused { reason },
        };
        out.push(Effect::Answer { call, told });
    }

    fn gather_info(&mut self, call: CallKey, key: SessionKey, out: &mut Vec<Effect>) {
        let Some(row) = self.list().sessions.into_iter().find(|row| row.key == key) else {
            return;
        };
        let Some(session) = self.sessions.get(&key) else {
            return;
        };
        let history = session.history.entries();
        let skipped = history.len().saturating_sub(MAX_TOLD);
        let info = Info {
            row,
            session_id: session.server.as_ref().map(|s| s.session_id.clone()),
            lines: session.document.line_count(),
            inspected: session
                .inspector
                .trail()
                .iter()
                .map(|node| node.label.clone())
                .collect(),
            debuggers: session
                .debuggers
                .iter()
                .map(|open| (open.id.clone(), open.title.clone()))
                .collect(),
            history: history
                .skip(skipped)
                .map(|entry| {
                    let code = super::inspector::cut(&entry.code, 200);
                    (code, entry.good, entry.answer.clone())
                })
                .collect(),
            ..Info::default()
        };
        let image = self.image_named(&session.image).ok();
        let asked = image
            .filter(|image| image.link == Link::Connected)
            .map(|image| image.key)
            .zip(info.session_id.clone());
        let mut waiting = BTreeSet::new();
        if let Some((image, session_id)) = asked {
            let request = request::GetSessionInfo { session_id };
            waiting.insert(self.ask(image, request, Wanted::Info(call), out));
        }
        let told = Told::Info(Box::new(info));
        self.gather(call, Gathering { told, waiting }, out);
    }

    fn gather_statistics(&mut self, call: CallKey, out: &mut Vec<Effect>) {
        let images: Vec<(ImageKey, String, Link)> = self
            .images
            .values()
            .map(|image| (image.key, image.name.clone(), image.link.clone()))
            .collect();
        let mut waiting = BTreeSet::new();
        let mut stats = Vec::new();
        for (key, image, link) in images {
            let connected = link == Link::Connected;
            if connected {
                let request = request::GetSessionStatistics {};
                waiting.insert(self.ask(key, request, Wanted::Statistics(call, key), out));
                let request = request::ListClientSessions {
                    client_id: self.client_id.clone(),
                };
                waiting.insert(self.ask(key, request, Wanted::Own(call, key), out));
            }
            stats.push(ImageStats {
                image,
                failure: (!connected).then(|| "not connected".to_owned()),
                ..ImageStats::default()
            });
        }
        let told = Told::Stats { images: stats };
        self.gather(call, Gathering { told, waiting }, out);
    }

    fn gather(&mut self, call: CallKey, gathering: Gathering, out: &mut Vec<Effect>) {
        if gathering.waiting.is_empty() {
            out.push(Effect::Answer {
                call,
                told: gathering.told,
            });
        } else {
            self.gathering.insert(call, gathering);
        }
    }

    /// A call has waited long enough: it is answered with what is there.
    pub(super) fn late(&mut self, call: CallKey, out: &mut Vec<Effect>) {
        if let Some(gathering) = self.gathering.remove(&call) {
            self.wanted.retain(|id, _| !gathering.waiting.contains(id));
            let told = gathering.told;
            out.push(Effect::Answer { call, told });
        }
    }

    /// A server answered what the hub itself asked.
    pub(super) fn reply(
        &mut self,
        id: Uuid,
        wanted: Wanted,
        outcome: Outcome,
        out: &mut Vec<Effect>,
    ) {
        let response = match outcome {
            Outcome::Answered(response) => Some(*response),
            Outcome::ServerReplaced | Outcome::Refused(_) => None,
        };
        match wanted {
            Wanted::Closing => {}
            Wanted::Orphan(image) => {
                let session_id = match response {
                    Some(Response::CreateSession(answer)) => answer.session.session_id,
                    Some(Response::RestoreSession(answer)) => answer.session.session_id,
                    _ => return,
                };
                let request = request::CloseSession { session_id };
                self.ask(image, request, Wanted::Closing, out);
            }
            Wanted::Strays(image) => {
                if let Some(Response::ListClientSessions(answer)) = response {
                    self.close_strays(image, answer, out);
                }
            }
            Wanted::Statistics(call, image) | Wanted::Own(call, image) => {
                let name = self.images.get(&image).map(|image| image.name.clone());
                self.gathered(id, call, out, |told| {
                    if let Told::Stats { images } = told
                        && let Some(stats) = images
                            .iter_mut()
                            .find(|stats| Some(&stats.image) == name.as_ref())
                    {
                        stats.take(response);
                    }
                });
            }
            Wanted::Info(call) => self.gathered(id, call, out, |told| {
                if let (Told::Info(info), Some(Response::GetSessionInfo(answer))) = (told, response)
                {
                    info.expires_in = Some(answer.time_until_expiry);
                    info.history_on_server = Some(answer.history_count);
                }
            }),
        }
    }

    fn gathered(
        &mut self,
        id: Uuid,
        call: CallKey,
        out: &mut Vec<Effect>,
        take: impl FnOnce(&mut Told),
    ) {
        if let Some(gathering) = self.gathering.get_mut(&call) {
            take(&mut gathering.told);
            gathering.waiting.remove(&id);
            if gathering.waiting.is_empty() {
                self.late(call, out);
            }
        }
    }

    fn close_strays(
        &mut self,
        image: ImageKey,
        answer: stui_protocol::response::ListClientSessions,
        out: &mut Vec<Effect>,
    ) {
        // One that was just asked for is not known yet.
        if self.sessions.values().any(Session::awaits_server) {
            return;
        }
        for stray in answer.sessions {
            let session_id = stray.session_id;
            if !self
                .sessions
                .values()
                .any(|session| session.is_on(&session_id))
            {
                tracing::info!(session_id, "closing a session that nobody knows");
                let request = request::CloseSession { session_id };
                self.ask(image, request, Wanted::Closing, out);
            }
        }
    }
}

impl ImageStats {
    fn take(&mut self, response: Option<Response>) {
        match response {
            Some(Response::GetSessionStatistics(answer)) => {
                self.total_sessions = answer.total_sessions;
                self.active_clients = answer.active_clients;
                self.max_sessions_per_client = answer.max_sessions_per_client;
            }
            Some(Response::ListClientSessions(answer)) => self.own_sessions = answer.session_count,
            Some(Response::Error(error)) => self.failure = Some(error.message),
            _ => self.failure = Some("the server did not say".to_owned()),
        }
    }
}

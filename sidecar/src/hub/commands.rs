//! What is done with sessions, by panes and from the command line; and what the command line asks.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use stui_protocol::pane::{Instance, Level, Link, Role, SessionKey, ToPane};
use stui_protocol::response::Response;
use stui_protocol::sessions::{ImageRow, SessionCommand, SessionList, SessionRow, wrong_with_name};
use stui_protocol::{Uuid, request};

use super::image::{Image, ImageKey};
use super::record::{Change, Record};
use super::session::Session;
use super::{Effect, Hub, MAX_INSTANCES, Outcome, To, notice};

/// Most sessions.
pub const MAX_SESSIONS: usize = 32;
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
    /// What there is, as it is listed.
    pub fn list(&self) -> SessionList {
        let mut viewers: BTreeMap<SessionKey, BTreeSet<u16>> = BTreeMap::new();
        for instance in self.present.keys() {
            if let Some(client) = instance.client() {
                let shown = self.session_of(instance);
                viewers.entry(shown).or_default().insert(client);
            }
        }
        let sessions = self.sessions.values().map(|session| SessionRow {
            key: session.key,
            name: session.name.clone(),
            image: session.image.clone(),
            link: self.status_of(session).link,
            running: session.running() as u32,
            debuggers: session.debuggers.len() as u32,
            used: session.used,
            viewers: viewers
                .remove(&session.key)
                .unwrap_or_default()
                .into_iter()
                .collect(),
            lost: session.lost() as u32,
            history: session.history.entries().len() as u32,
        });
        let sessions = sessions.collect();
        let images = self.images.values().map(|image| ImageRow {
            name: image.name.clone(),
            target: image.target.clone(),
            link: image.link.clone(),
            dialect: image.dialect.clone(),
            sessions: self.sessions_on(&image.name).count() as u32,
        });
        SessionList {
            sessions,
            images: images.collect(),
        }
    }

    fn sessions_on<'a>(&'a self, image: &'a str) -> impl Iterator<Item = &'a Session> {
        self.sessions
            .values()
            .filter(move |session| session.image == image)
    }

    fn session_named(&self, name: &str) -> Result<SessionKey, String> {
        let mut sessions = self.sessions.values();
        sessions
            .find(|session| session.name == name)
            .map(|session| session.key)
            .ok_or_else(|| format!("There is no session {name}; `stui sessions list` shows them."))
    }

    fn image_named(&self, name: &str) -> Result<&Image, String> {
        self.images
            .values()
            .find(|image| image.name == name)
            .ok_or_else(|| format!("There is no image {name}; `stui sessions list` shows them."))
    }

    /// An instance does something with sessions.
    pub(super) fn commanded(
        &mut self,
        by: &Instance,
        seq: u64,
        command: SessionCommand,
        out: &mut Vec<Effect>,
    ) {
        out.push(Effect::Record(Record::Act {
            by: by.clone(),
            seq,
        }));
        out.push(Effect::Tell(To::One(by.clone()), ToPane::Acked { seq }));
        match self.command(Some(by), command, out) {
            Ok(text) if text.is_empty() => {}
            Ok(text) => out.push(notice(by.clone(), Level::Info, text)),
            Err(text) => out.push(notice(by.clone(), Level::Error, text)),
        }
    }

    /// Answers what was done in a sentence, or why it was not.
    fn command(
        &mut self,
        by: Option<&Instance>,
        command: SessionCommand,
        out: &mut Vec<Effect>,
    ) -> Result<String, String> {
        match command {
            SessionCommand::New { name, image } => {
                let key = self.new_session(name, image, out)?;
                if let Some(by) = by {
                    self.switch(by, key, out)?;
                }
                let session = self.known(key)?;
                Ok(format!("{} is made, on {}.", session.name, session.image))
            }
            SessionCommand::Rename { session, name } => self.rename(session, name, out),
            SessionCommand::Close { session } => self.close(session, out),
            SessionCommand::Move { session, image } => self.move_session(session, image, out),
            SessionCommand::Switch { session } => {
                let by = by.ok_or("Only a pane can switch.")?;
                self.switch(by, session, out).map(|()| String::new())
            }
            SessionCommand::RunAgain { session } => {
                self.known(session)?;
                let by = by.cloned().unwrap_or_else(|| Instance::new(0, 0, 0));
                self.within(session, out, |session, work| session.run_again(by, work))
                    .unwrap_or_else(|| Ok(String::new()))
            }
        }
    }

    fn known(&self, key: SessionKey) -> Result<&Session, String> {
        self.sessions
            .get(&key)
            .ok_or_else(|| "That session is closed.".to_owned())
    }

    fn is_free(&self, name: &str) -> Result<(), String> {
        if let Some(wrong) = wrong_with_name(name) {
            return Err(wrong);
        }
        match self.session_named(name) {
            Ok(_) => Err(format!(
                "There is a session {name} already; choose another name."
            )),
            Err(_) => Ok(()),
        }
    }

    /// Makes a session; without a name it gets the first free one of `main-2`, `main-3`, …
    pub(super) fn new_session(
        &mut self,
        name: String,
        image: Option<String>,
        out: &mut Vec<Effect>,
    ) -> Result<SessionKey, String> {
        if self.sessions.len() >= MAX_SESSIONS {
            return Err(format!(
                "There are {MAX_SESSIONS} sessions, as many as there can be; close one first."
            ));
        }
        let name = if name.is_empty() {
            (2..)
                .map(|n| format!("{}-{n}", super::restore::FIRST_SESSION))
                .find(|name| self.session_named(name).is_err())
                .unwrap_or_default()
        } else {
            name
        };
        self.is_free(&name)?;
        let image = match image {
            Some(image) => self.image_named(&image)?.name.clone(),
            None => {
                let first = self.images.values().next();
                first.map(|image| image.name.clone()).ok_or(
                    "There is no image to make a session on; `stui connect TARGET` adds one.",
                )?
            }
        };
        let key = self.add_session(name.clone(), image.clone());
        out.push(Effect::Record(Record::Created {
            session: key,
            name,
            image,
        }));
        let now = self.now;
        self.within(key, out, |session, work| {
            session.used = now;
            session.begin(work);
        });
        Ok(key)
    }

    fn switch(
        &mut self,
        by: &Instance,
        session: SessionKey,
        out: &mut Vec<Effect>,
    ) -> Result<(), String> {
        self.known(session)?;
        let client = by.client().unwrap_or_default();
        if self.clients.len() >= MAX_INSTANCES && !self.clients.contains_key(&client) {
            self.clients.pop_first();
        }
        self.clients.insert(client, session);
        self.current = session;
        out.push(Effect::Record(Record::Current { client, session }));
        let now = self.now;
        if let Some(session) = self.sessions.get_mut(&session) {
            session.used = now;
        }
        let own: Vec<Instance> = self
            .present
            .iter()
            .filter(|(instance, present)| {
                instance.client() == Some(client) && present.pin.is_none()
            })
            .map(|(instance, _)| instance.clone())
            .collect();
        for instance in own {
            self.welcome(&instance, out);
        }
        Ok(())
    }

    fn rename(
        &mut self,
        session: SessionKey,
        name: String,
        out: &mut Vec<Effect>,
    ) -> Result<String, String> {
        let before = self.known(session)?.name.clone();
        if before == name {
            return Ok(String::new());
        }
        self.is_free(&name)?;
        if let Some(session) = self.sessions.get_mut(&session) {
            session.name.clone_from(&name);
        }
        out.push(Effect::Record(Record::Of {
            s: session,
            c: Change::Named { name: name.clone() },
        }));
        Ok(format!("{before} is {name} now."))
    }

    fn close(&mut self, key: SessionKey, out: &mut Vec<Effect>) -> Result<String, String> {
        let name = self.known(key)?.name.clone();
        if self.sessions.len() == 1 {
            return Err(format!(
                "{name} is the only session; make another one first."
            ));
        }
        let showing: Vec<Instance> = self
            .present
            .keys()
            .filter(|instance| self.session_of(instance) == key)
            .cloned()
            .collect();
        self.within(key, out, Session::close_on_server);
        out.push(Effect::Record(Record::Of {
            s: key,
            c: Change::Closed,
        }));
        let image = self.known(key)?.image.clone();
        self.remove_session(key);
        for instance in showing {
            self.welcome(&instance, out);
        }
        // Where the server had no room for another session, it has now.
        self.each_session(out, |session, work| {
            if session.image == image {
                session.begin(work);
            }
        });
        Ok(format!("{name} is closed."))
    }

    /// Forgets a session; whoever showed it shows the one that was used last.
    pub(super) fn remove_session(&mut self, key: SessionKey) {
        self.sessions.remove(&key);
        self.clients.retain(|_, shown| *shown != key);
        for present in self.present.values_mut() {
            present.pin = present.pin.filter(|pin| *pin != key);
        }
        if self.current == key {
            let last = self.sessions.values().max_by_key(|session| session.used);
            self.current = last.map(|session| session.key).unwrap_or_default();
        }
    }

    fn move_session(
        &mut self,
        key: SessionKey,
        image: Option<String>,
        out: &mut Vec<Effect>,
    ) -> Result<String, String> {
        let session = self.known(key)?;
        let name = session.name.clone();
        let to = match image {
            Some(image) => self.image_named(&image)?.name.clone(),
            None => {
                let names: Vec<&String> = self.images.values().map(|image| &image.name).collect();
                let at = names.iter().position(|name| **name == session.image);
                let next = at.map_or(0, |at| (at + 1) % names.len().max(1));
                (*names.get(next).ok_or("There is no image to move to.")?).clone()
            }
        };
        if to == session.image {
            return Err(format!("{name} is on {to} already."));
        }
        if session.running() > 0 {
            return Err(format!("{name} is running something; interrupt it first."));
        }
        self.within(key, out, |session, work| {
            session.move_to(to.clone(), work);
        });
        self.within(key, out, Session::begin);
        Ok(format!(
            "{name} is on {to} now, where it has no variables yet; h runs its history there."
        ))
    }

    /// There is another image.
    pub(super) fn image_added(&mut self, key: ImageKey, name: String, target: String) {
        self.images.insert(key, Image::new(key, name, target));
    }

    /// An image was disconnected: its sessions wait for another one.
    pub(super) fn image_removed(&mut self, key: ImageKey) {
        self.images.remove(&key);
    }

    /// Asks a server for our sessions, to close those that no session here knows: a sidecar that was
    /// killed between asking for one and writing it down leaves such a one behind.
    pub(super) fn ask_for_strays(&mut self, image: ImageKey, out: &mut Vec<Effect>) {
        let request = request::ListClientSessions {
            client_id: self.client_id.clone(),
        };
        self.ask(image, request, Wanted::Strays(image), out);
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

    /// Tells the panes of sessions what there is, if that changed.
    pub(super) fn tell_list(&mut self, out: &mut Vec<Effect>) {
        if self.list_told.is_some() || self.lists_shown() {
            let list = self.list();
            if self.list_told.as_ref() != Some(&list) {
                out.push(Effect::Tell(
                    To::Role(Role::Sessions),
                    ToPane::Sessions {
                        list: list.clone(),
                        now: self.now,
                    },
                ));
                self.list_told = Some(list);
            }
        }
    }

    pub(super) fn lists_shown(&self) -> bool {
        let mut present = self.present.values();
        present.any(|present| present.role == Role::Sessions)
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

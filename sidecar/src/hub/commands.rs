//! What is done with sessions, by panes and from the command line.

use std::collections::{BTreeMap, BTreeSet};

use stui_protocol::pane::{Instance, Level, Role, SessionKey, ToPane};
use stui_protocol::sessions::{ImageRow, SessionCommand, SessionList, SessionRow, wrong_with_name};

use super::image::{Image, ImageKey};
use super::record::{Change, Record};
use super::session::Session;
use super::{Effect, Hub, MAX_INSTANCES, To, notice};

/// Most sessions.
pub const MAX_SESSIONS: usize = 32;

impl Hub {
    /// What there is, as it is listed.
    pub fn list(&self) -> SessionList {
        let mut viewers: BTreeMap<SessionKey, BTreeSet<u16>> = BTreeMap::new();
        let there = |instance: &&Instance| self.people.is_there(instance);
        for instance in self.present.keys().filter(there) {
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

    pub(super) fn session_named(&self, name: &str) -> Result<SessionKey, String> {
        let mut sessions = self.sessions.values();
        sessions
            .find(|session| session.name == name)
            .map(|session| session.key)
            .ok_or_else(|| format!("There is no session {name}; `stui sessions list` shows them."))
    }

    pub(super) fn image_named(&self, name: &str) -> Result<&Image, String> {
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
    pub(super) fn command(
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
            // One more than there are sessions cannot all be taken.
            (2..=self.sessions.len() + 2)
                .map(|n| format!("{}-{n}", super::restore::FIRST_SESSION))
                .find(|name| self.session_named(name).is_err())
                .unwrap_or_default()
        } else {
            name
        };
        self.is_free(&name)?;
        let image = if let Some(image) = image {
            self.image_named(&image)?.name.clone()
        } else {
            let first = self.images.values().next();
            first
                .map(|image| image.name.clone())
                .ok_or("There is no image to make a session on; `stui connect TARGET` adds one.")?
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
        self.goes_to(client, session, out);
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

    /// A client's current session is this one from now on, and that of those who come new.
    pub(super) fn goes_to(&mut self, client: u16, session: SessionKey, out: &mut Vec<Effect>) {
        if self.clients.len() >= MAX_INSTANCES && !self.clients.contains_key(&client) {
            self.clients.pop_first();
        }
        self.clients.insert(client, session);
        self.current = session;
        out.push(Effect::Record(Record::Current { client, session }));
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
        self.leave_orphans(key);
        self.within(key, out, Session::close_on_server);
        out.push(Effect::Record(Record::Of {
            s: key,
            c: Change::Closed,
        }));
        let image = self.known(key)?.image.clone();
        let clients: Vec<u16> = self
            .clients
            .iter()
            .filter(|(_, shown)| **shown == key)
            .map(|(client, _)| *client)
            .collect();
        self.remove_session(key);
        for client in clients {
            self.goes_to(client, self.current, out);
        }
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
        let to = if let Some(image) = image {
            self.image_named(&image)?.name.clone()
        } else {
            let names: Vec<&String> = self.images.values().map(|image| &image.name).collect();
            let at = names.iter().position(|name| **name == session.image);
            let next = at.map_or(0, |at| (at + 1) % names.len().max(1));
            (*names.get(next).ok_or("There is no image to move to.")?).clone()
        };
        if to == session.image {
            return Err(format!("{name} is on {to} already."));
        }
        if session.running() > 0 {
            return Err(format!("{name} is running something; interrupt it first."));
        }
        self.leave_orphans(key);
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

    /// An image was disconnected: its sessions wait for another one. The link has gone with it, so that
    /// nothing that it had is answered any more.
    pub(super) fn image_removed(&mut self, key: ImageKey, out: &mut Vec<Effect>) {
        let Some(image) = self.images.remove(&key) else {
            return;
        };
        self.each_session(out, |session, work| {
            if session.image == image.name {
                session.image_gone(work);
            }
        });
    }

    /// Tells the panes of sessions what there is, if that changed.
    pub(super) fn tell_list(&mut self, out: &mut Vec<Effect>) {
        if self.lists_shown() {
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

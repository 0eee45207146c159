//! The hub: everything that the panes of a Zellij session share, as a state machine.
//!
//! [`Hub::handle`] takes an [`Input`] and answers what is to be done about it, as [`Effect`]s in the
//! order in which they must be carried out. Nothing in here does I/O or looks at a clock, so every
//! test is a list of inputs and a look at the effects.
//!
//! The order of effects carries the promise of the journal: a [`Effect::Record`] stands before the
//! message that acknowledges what it records, and whoever carries effects out writes records to disk
//! before he sends what follows them.
//!
//! The hub routes: it knows who is there, which session each client shows, and which images there are.
//! What happens inside a session is the session's business ([`session`]).
//!
//! - [`session`]: what a person works in; [`image`]: a Smalltalk server.
//! - [`document`]: the text; [`transcript`]: what code wrote; [`inspector`]: what is looked into;
//!   `debugger.rs`: what has stopped.
//! - `people.rs`: who is attached, and who may do what; [`cursors`]: where they are in a text.
//! - [`record`]: what survives on disk; `restore.rs`: the hub that it leads to.

use std::collections::BTreeMap;

use stui_protocol::Uuid;
use stui_protocol::pane::{
    Act, FromPane, Instance, Level, Link, Role, SessionKey, Status, ToPane, VERSION,
};
use stui_protocol::sessions::SessionList;

use self::asked::{CallKey, Gathering, Wanted};
use self::image::{Image, ImageKey};
use self::people::People;
pub use self::ports::{Effect, Input, Outcome, To};
use self::record::Record;
use self::session::{Session, Work};

pub mod asked;
pub mod commands;
pub mod cursors;
mod debugger;
pub mod document;
pub mod expression;
pub mod history;
pub mod image;
pub mod inspector;
mod people;
mod ports;
pub mod record;
mod restore;
pub mod session;
#[cfg(test)]
mod tests;
pub mod transcript;

/// Most instances whose acknowledged acts are remembered, and most clients whose session is.
const MAX_INSTANCES: usize = 1000;
/// How often an instance is asked again for acts that it never says.
const MAX_ROUNDS: u8 = 3;

/// Makes ids of requests.
#[derive(Debug)]
pub(crate) struct Ids {
    seed: u128,
    made: u64,
}

impl Ids {
    fn make(&mut self) -> Uuid {
        self.made += 1;
        let bytes = self.seed.wrapping_add(u128::from(self.made)).to_be_bytes();
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

/// Who said hello and not goodbye.
#[derive(Debug)]
struct Present {
    role: Role,
    /// The session that its layout pins it to.
    pin: Option<SessionKey>,
    /// What was heard behind a gap in its acts, until those in the gap have come.
    gap: Option<Gap>,
}

/// Acts that were heard behind a gap.
#[derive(Debug)]
struct Gap {
    /// Number of the act with which the instance began to say them, this time, and of the last one.
    first: u64,
    last: u64,
    /// How often in a row it has begun with that one.
    rounds: u8,
}

/// The state of everything that is shared.
pub struct Hub {
    /// Names this sidecar, another one each time it is started.
    sidecar: String,
    /// What the hub calls itself at servers.
    client_id: String,
    ids: Ids,
    images: BTreeMap<ImageKey, Image>,
    sessions: BTreeMap<SessionKey, Session>,
    /// The last key that a session was given.
    last_key: u32,
    /// The current session of each client.
    clients: BTreeMap<u16, SessionKey>,
    /// The session that was switched to last: that of clients who come new.
    current: SessionKey,
    /// The highest act of each instance that was carried out, longest unheard of first.
    acked: Vec<(Instance, u64)>,
    present: BTreeMap<Instance, Present>,
    /// What time it is, in seconds since 1970.
    now: u64,
    /// Whether the client's id is on disk.
    client_id_kept: bool,
    /// What the hub itself asked of servers, and the calls that wait for that.
    wanted: BTreeMap<Uuid, Wanted>,
    gathering: BTreeMap<CallKey, Gathering>,
    /// What went wrong before anybody was there to be told.
    troubles: Vec<String>,
    /// Whether the layout has a debugger's pane that can be brought up.
    debugger_comes_up: bool,
    /// What panes of sessions were last told.
    list_told: Option<SessionList>,
    people: People,
}

impl Hub {
    /// The sessions, by key: never none.
    pub fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.sessions.values()
    }

    /// Sentences about what went wrong, for the panes of workspaces that come.
    pub fn tell_who_comes(&mut self, troubles: Vec<String>) {
        self.troubles = troubles;
    }

    /// The layout has a debugger's pane that can be brought up.
    pub fn let_debugger_come_up(&mut self) {
        self.debugger_comes_up = true;
    }

    /// The state of everything behind the session that was switched to last, as its panes are told.
    pub fn status(&self) -> Status {
        self.sessions
            .get(&self.current)
            .map(|session| self.status_of(session))
            .unwrap_or_default()
    }

    /// Takes an input and answers what is to be done about it, in this order.
    pub fn handle(&mut self, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        let out = &mut effects;
        if !std::mem::replace(&mut self.client_id_kept, true) {
            out.push(Effect::Record(Record::Client {
                client_id: self.client_id.clone(),
            }));
        }
        match input {
            Input::Pane { from, said } => self.pane(from, said, out),
            Input::Connected {
                image,
                server_id,
                dialect,
                endpoint,
                can_debug_it,
            } => {
                if let Some(image) = self.images.get_mut(&image) {
                    image.dialect = dialect;
                    image.endpoint = endpoint;
                    image.can_debug_it = can_debug_it;
                }
                self.connected(image, server_id, out);
            }
            Input::Disconnected { image, link } => {
                if let Some(image) = self.images.get_mut(&image) {
                    image.link = link;
                    image.busy = false;
                    image.server_id = None;
                }
            }
            Input::Reply { id, outcome } => {
                if let Some(wanted) = self.wanted.remove(&id) {
                    self.reply(id, wanted, outcome, out);
                    return effects;
                }
                let mut sessions = self.sessions.values();
                let asked = sessions.find(|session| session.pending.contains_key(&id));
                if let Some(key) = asked.map(|session| session.key) {
                    self.within(key, out, |session, work| session.reply(id, outcome, work));
                }
            }
            Input::Event { image, event } => {
                if let Some(session_id) = event.session_id.clone()
                    && let Some(key) = self.session_with(image, &session_id)
                {
                    self.within(key, out, |session, work| session.event(event, work));
                }
            }
            Input::Busy { image, busy } => {
                if let Some(image) = self.images.get_mut(&image) {
                    image.busy = busy;
                }
            }
            Input::Gap {
                image,
                session_id,
                missed,
            } => {
                let key = self.session_with(image, &session_id);
                if let Some(session) = key.and_then(|key| self.sessions.get_mut(&key)) {
                    session.missed(missed);
                }
            }
            Input::ImageAdded {
                image,
                name,
                target,
            } => self.image_added(image, name, target),
            Input::ImageRemoved { image } => self.image_removed(image, out),
            Input::Called { call, ask } => self.called(call, ask, out),
            Input::Late { call } => self.late(call, out),
            Input::Time(now) => {
                if now < self.now {
                    let sessions = self.sessions.values_mut();
                    sessions.for_each(|session| session.clock_set_back(now));
                }
                self.now = now;
            }
            Input::Attached(clients) => self.attached(&clients, out),
            Input::Guests(guests) => self.set_guests(guests, out),
            Input::GuestsByDefault(guests) => self.people.by_default = guests,
            Input::Flush => self.flush(out),
            Input::FlushCursors => self.each_session(out, Session::flush_cursors),
            Input::KeepAlive => self.each_session(out, Session::keep_alive),
        }
        effects
    }

    /// Whether a [`Input::Flush`] would send anything.
    pub fn wants_flush(&self) -> bool {
        self.sessions.values().any(|session| {
            let mut images = self.images.values();
            let image = images.find(|image| image.name == session.image);
            session.wants_flush(self.now, image) || self.has_news(session)
        }) || (self.lists_shown() && self.list_told.as_ref() != Some(&self.list()))
    }

    /// Whether an [`Input::FlushCursors`] would send anything.
    pub fn wants_cursors(&self) -> bool {
        self.sessions.values().any(Session::wants_cursors)
    }

    fn has_news(&self, session: &Session) -> bool {
        session.told.as_ref() != Some(&self.status_of(session))
    }

    /// Lets a session do something.
    fn within<R>(
        &mut self,
        key: SessionKey,
        out: &mut Vec<Effect>,
        does: impl FnOnce(&mut Session, &mut Work) -> R,
    ) -> Option<R> {
        let session = self.sessions.get_mut(&key)?;
        let image = self
            .images
            .values()
            .find(|image| image.name == session.image);
        let mut work = Work {
            ids: &mut self.ids,
            image,
            now: self.now,
            client_id: &self.client_id,
            debugger_comes_up: self.debugger_comes_up,
            out,
        };
        Some(does(session, &mut work))
    }

    fn each_session(&mut self, out: &mut Vec<Effect>, does: impl Fn(&mut Session, &mut Work)) {
        let keys: Vec<SessionKey> = self.sessions.keys().copied().collect();
        for key in keys {
            self.within(key, out, &does);
        }
    }

    fn pane(&mut self, from: Instance, said: FromPane, out: &mut Vec<Effect>) {
        match said {
            FromPane::Hello { role, pin, .. } => self.hello(from, role, pin, out),
            // a window's room is seen to before the hub hears of it
            FromPane::Probed { .. } | FromPane::Room { .. } => {}
            FromPane::Bye => {
                self.present.remove(&from);
                for session in self.sessions.values_mut() {
                    session.leave(|instance| *instance == from);
                }
            }
            FromPane::Cursor {
                session,
                rev,
                anchor,
                cursor,
            } => {
                if self.people.is_there(&from)
                    && let Some(session) = self.sessions.get_mut(&session)
                {
                    session.cursor_at(from, rev, anchor, cursor);
                }
            }
            FromPane::Act { seq, session, act } => self.act(from, seq, session, act, out),
            FromPane::View {
                session,
                first,
                count,
                column,
                width,
            } => {
                self.within(session, out, |session, work| {
                    let window = session.window(first, count, (column, width));
                    work.out.push(Effect::Tell(To::One(from), window));
                });
            }
            FromPane::Stand {
                session,
                rev,
                anchor,
                cursor,
            } => {
                self.within(session, out, |session, work| {
                    let stand = session.stand(rev, anchor, cursor, &from);
                    work.out.push(Effect::Tell(To::One(from), stand));
                });
            }
            FromPane::Copy { session, rev, span } => {
                self.within(session, out, |session, work| {
                    let text = session.copied(span, rev, &from);
                    work.out.push(Effect::Tell(To::One(from), text));
                });
            }
            FromPane::InspectorView {
                session,
                first,
                count,
                again,
            } => {
                self.within(session, out, |session, work| {
                    if again {
                        session.inspector.forget_text();
                    }
                    session.inspector_view(from, first, count, work);
                });
            }
            FromPane::DebuggerView { session, line } => {
                self.within(session, out, |session, work| {
                    session.debugger_view(from, line, work);
                });
            }
            FromPane::TranscriptView {
                session,
                first,
                count,
            } => {
                self.within(session, out, |session, work| {
                    let lines = session.transcript_lines(first, count);
                    work.out.push(Effect::Tell(To::One(from), lines));
                });
            }
        }
    }

    fn hello(&mut self, from: Instance, role: Role, pin: Option<String>, out: &mut Vec<Effect>) {
        let pin = pin.and_then(|name| self.pinned(name, &from, out));
        self.replaces(&from);
        let gap = None;
        self.present
            .insert(from.clone(), Present { role, pin, gap });
        // Whoever comes new sees what was switched to last, and stays there when others switch.
        if let Some(client) = from.client()
            && pin.is_none()
            && !self.clients.contains_key(&client)
        {
            self.goes_to(client, self.current, out);
        }
        self.arrives(&from, false, out);
        self.welcome(&from, out);
        if role == Role::Workspace {
            let troubles = self.troubles.iter();
            out.extend(troubles.map(|text| notice(from.clone(), Level::Error, text)));
        }
    }

    /// The session that a layout pins a pane to; made if there is none.
    fn pinned(&mut self, name: String, by: &Instance, out: &mut Vec<Effect>) -> Option<SessionKey> {
        let mut sessions = self.sessions.values();
        if let Some(session) = sessions.find(|session| session.name == name) {
            return Some(session.key);
        }
        match self.new_session(name, None, out) {
            Ok(key) => Some(key),
            Err(reason) => {
                out.push(notice(by.clone(), Level::Error, reason));
                None
            }
        }
    }

    /// Tells an instance what it shows from now on, and its first content.
    fn welcome(&mut self, instance: &Instance, out: &mut Vec<Effect>) {
        self.welcome_alone(instance, out);
        let key = self.session_of(instance);
        let Some(role) = self.present.get(instance).map(|present| present.role) else {
            return;
        };
        self.within(key, out, |session, work| {
            session.greet(instance.clone(), role, work);
        });
        if role == Role::Sessions {
            out.push(Effect::Tell(
                To::One(instance.clone()),
                ToPane::Sessions {
                    list: self.list(),
                    now: self.now,
                },
            ));
        }
    }

    fn welcome_alone(&self, instance: &Instance, out: &mut Vec<Effect>) {
        let key = self.session_of(instance);
        if let Some(session) = self.sessions.get(&key) {
            out.push(Effect::Tell(
                To::One(instance.clone()),
                ToPane::Welcome {
                    version: VERSION,
                    sidecar: self.sidecar.clone(),
                    acked: self.acked_of(instance).unwrap_or(0),
                    session: key,
                    status: self.status_of(session),
                },
            ));
        }
    }

    /// The session that an instance shows: the one it is pinned to, else its client's.
    fn session_of(&self, instance: &Instance) -> SessionKey {
        let pin = self.present.get(instance).and_then(|present| present.pin);
        let of_client = || self.clients.get(&instance.client()?).copied();
        pin.or_else(of_client)
            .filter(|key| self.sessions.contains_key(key))
            .unwrap_or(self.current)
    }

    fn act(
        &mut self,
        by: Instance,
        seq: u64,
        session: SessionKey,
        act: Act,
        out: &mut Vec<Effect>,
    ) {
        // Of an instance that nobody remembers, the first act heard is the next one: the acts before
        // it were acknowledged by somebody.
        if let Some(acked) = self.acked_of(&by) {
            if seq <= acked {
                out.push(Effect::Tell(To::One(by), ToPane::Acked { seq: acked }));
                return;
            }
            if seq > acked + 1 && self.is_behind_gap(&by, seq, out) {
                return;
            }
        }
        if let Some(present) = self.present.get_mut(&by) {
            present.gap = None;
        }
        self.set_acked(&by, seq);
        self.arrives(&by, true, out);
        if self.refused(&by, seq, &act, out) {
            return;
        }
        if let Act::Sessions { command } = act {
            self.commanded(&by, seq, command, out);
            return;
        }
        let author = by.clone();
        let found = self.within(session, out, |session, work| {
            session.act(by, seq, act, work);
        });
        if found.is_none() {
            out.push(Effect::Record(Record::Act {
                by: author.clone(),
                seq,
            }));
            out.push(Effect::Tell(To::One(author.clone()), ToPane::Acked { seq }));
            let text = "The session in which this was meant is closed; nothing was done.";
            out.push(notice(author, Level::Error, text));
        }
    }

    /// Whether acts of an instance before this one are still to come. Something was lost on the way; a
    /// welcome makes the instance send again, in order, what is not acknowledged. If that begins with the
    /// same act behind the gap again and again, those in it were acknowledged by a sidecar whose records are
    /// lost.
    fn is_behind_gap(&mut self, by: &Instance, seq: u64, out: &mut Vec<Effect>) -> bool {
        let gap = self.present.get_mut(by).map(|present| &mut present.gap);
        match gap {
            None => {}
            Some(gap @ None) => {
                *gap = Some(Gap {
                    first: seq,
                    last: seq,
                    rounds: 0,
                });
            }
            Some(Some(gap)) if seq > gap.last => {
                gap.last = seq;
                return true;
            }
            Some(Some(gap)) => {
                let rounds = if seq == gap.first { gap.rounds + 1 } else { 1 };
                (gap.first, gap.last, gap.rounds) = (seq, seq, rounds);
                if rounds > MAX_ROUNDS {
                    tracing::warn!(seq, "nobody knows the acts before this one");
                    return false;
                }
            }
        }
        self.welcome_alone(by, out);
        true
    }

    fn connected(&mut self, image: ImageKey, server_id: String, out: &mut Vec<Effect>) {
        let key = image;
        let Some(image) = self.images.get_mut(&image) else {
            return;
        };
        image.link = Link::Connected;
        image.busy = false;
        image.server_id = Some(server_id.clone());
        let name = image.name.clone();
        self.ask_for_strays(key, out);
        self.each_session(out, |session, work| {
            if session.image == name {
                session.connected(&server_id, work);
            }
        });
    }

    /// The session to which a server's session belongs.
    fn session_with(&self, image: ImageKey, session_id: &str) -> Option<SessionKey> {
        let image = self.images.get(&image)?;
        let mut sessions = self.sessions.values();
        sessions
            .find(|session| session.image == image.name && session.is_on(session_id))
            .map(|session| session.key)
    }

    /// Sends what is better sent at once than one by one.
    fn flush(&mut self, out: &mut Vec<Effect>) {
        self.each_session(out, Session::flush);
        let news: Vec<(SessionKey, Status)> = self
            .sessions
            .values()
            .filter(|session| self.has_news(session))
            .map(|session| (session.key, self.status_of(session)))
            .collect();
        for (key, status) in news {
            if let Some(session) = self.sessions.get_mut(&key) {
                session.told = Some(status.clone());
            }
            out.push(Effect::Tell(
                To::All,
                ToPane::Status {
                    session: key,
                    status,
                },
            ));
        }
        self.tell_list(out);
    }

    /// The state of everything behind a session.
    fn status_of(&self, session: &Session) -> Status {
        let mut images = self.images.values();
        let image = images.find(|image| image.name == session.image);
        Status {
            session: session.name.clone(),
            image: session.image.clone(),
            sessions: self.sessions.len() as u32,
            images: self.images.len() as u32,
            link: image.map_or_else(
                || Link::Failed {
                    reason: format!(
                        "The image {} was disconnected; move this session to another one.",
                        session.image
                    ),
                },
                |image| match (&image.link, &session.denied) {
                    (Link::Connected, Some(why)) => Link::Failed {
                        reason: why.clone(),
                    },
                    (link, _) => link.clone(),
                },
            ),
            dialect: image.map(|image| image.dialect.clone()).unwrap_or_default(),
            endpoint: image
                .map(|image| image.endpoint.clone())
                .unwrap_or_default(),
            busy: image.is_some_and(|image| image.busy),
            running: session.running() as u32,
            debuggers: session.debuggers.len() as u32,
            can_debug_it: image.is_none_or(|image| !image.lacks_debug_it()),
            clients: self.people_there() as u32,
            host: self.people.host(),
        }
    }

    fn acked_of(&self, instance: &Instance) -> Option<u64> {
        let known = self.acked.iter().rfind(|(known, _)| known == instance);
        known.map(|(_, seq)| *seq)
    }

    fn set_acked(&mut self, instance: &Instance, seq: u64) {
        if seq == 0 {
            return;
        }
        match self.acked.iter().rposition(|(known, _)| known == instance) {
            Some(last) if last + 1 == self.acked.len() => {
                self.acked[last].1 = seq;
                return;
            }
            Some(at) => {
                self.acked.remove(at);
            }
            None => {}
        }
        self.acked.push((instance.clone(), seq));
        if self.acked.len() > MAX_INSTANCES {
            self.acked.remove(0);
        }
    }
}

/// One sentence for somebody.
fn notice(to: Instance, level: Level, text: impl AsRef<str>) -> Effect {
    let text = inspector::cut(text.as_ref(), 1000);
    Effect::Tell(
        To::One(to),
        ToPane::Notice {
            session: None,
            level,
            text,
        },
    )
}

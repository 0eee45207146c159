//! From the hub to the disk and back.

use std::collections::BTreeMap;

use stui_protocol::pane::SessionKey;

use super::image::{Image, ImageKey};
use super::people::People;
use super::record::{Change, Record, SessionSnapshot, Snapshot};
use super::session::Session;
use super::{Hub, Ids};

/// The name of the session that is there from the beginning.
pub(super) const FIRST_SESSION: &str = "main";

impl Hub {
    /// A hub with what the last one left on disk. `sidecar` names this process, `seed` is random: ids
    /// of requests are made from it. `images` are name and target of the images that the Zellij session
    /// is connected to, the one for new sessions first; their keys count from 0.
    pub fn restored(
        sidecar: String,
        seed: u128,
        images: impl IntoIterator<Item = (String, String)>,
        snapshot: Snapshot,
        records: impl IntoIterator<Item = Record>,
    ) -> Self {
        let images: BTreeMap<ImageKey, Image> = (0..)
            .map(ImageKey)
            .zip(images)
            .map(|(key, (name, target))| (key, Image::new(key, name, target)))
            .collect();
        let mut hub = Hub {
            client_id_kept: snapshot.client_id.is_some(),
            client_id: snapshot
                .client_id
                .unwrap_or_else(|| format!("stui-{seed:032x}")),
            sidecar,
            ids: Ids { seed, made: 0 },
            images,
            sessions: snapshot
                .sessions
                .into_iter()
                .map(|(key, session)| (key, Session::from_snapshot(key, session)))
                .collect(),
            last_key: snapshot.last_key,
            clients: snapshot.clients,
            current: snapshot.current,
            acked: snapshot.acked,
            present: BTreeMap::new(),
            now: 0,
            wanted: BTreeMap::new(),
            gathering: BTreeMap::new(),
            troubles: Vec::new(),
            debugger_comes_up: false,
            list_told: None,
            people: People {
                order: snapshot.people,
                said: snapshot.guests,
                ..People::default()
            },
        };
        if hub.sessions.is_empty() {
            hub.current = hub.add_session(FIRST_SESSION.into(), String::new());
        }
        for record in records {
            hub.replay(record);
        }
        // An earlier sidecar showed other states under small numbers, in which panes may mean something still.
        let first_stop = u64::try_from(seed >> 80).unwrap_or_default();
        for session in hub.sessions.values_mut() {
            session.leave_all();
            session.debugging.count_from(first_stop);
        }
        // What is no longer connected to cannot be what a session is on.
        if let Some(first) = hub.images.values().next().map(|image| image.name.clone()) {
            for session in hub.sessions.values_mut() {
                if !hub.images.values().any(|image| image.name == session.image) {
                    session.image.clone_from(&first);
                }
            }
        }
        hub
    }

    /// Everything that must survive, now.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            client_id: Some(self.client_id.clone()),
            sessions: self
                .sessions
                .values()
                .map(|session| (session.key, session.snapshot()))
                .collect(),
            last_key: self.last_key,
            clients: self.clients.clone(),
            current: self.current,
            people: self.people.order.clone(),
            guests: self.people.said,
            acked: self.acked.clone(),
        }
    }

    /// A new session, with the next key.
    pub(super) fn add_session(&mut self, name: String, image: String) -> SessionKey {
        self.last_key += 1;
        let key = SessionKey(self.last_key);
        let snapshot = SessionSnapshot {
            name,
            image,
            ..SessionSnapshot::default()
        };
        self.sessions
            .insert(key, Session::from_snapshot(key, snapshot));
        key
    }

    fn replay(&mut self, record: Record) {
        if let Some((by, seq)) = record.acknowledges() {
            let by = by.clone();
            self.set_acked(&by, seq);
        }
        match record {
            Record::Act { .. } => {}
            Record::Of {
                s,
                c: Change::Closed,
            } => {
                self.remove_session(s);
            }
            Record::Of { s, c } => {
                if let Some(session) = self.sessions.get_mut(&s) {
                    session.replay(c);
                }
            }
            Record::Client { client_id } => {
                self.client_id = client_id;
                self.client_id_kept = true;
            }
            Record::Created {
                session,
                name,
                image,
            } => {
                self.last_key = session.0.saturating_sub(1);
                self.add_session(name, image);
            }
            Record::People { clients } => self.people.order = clients,
            Record::Guests { guests } => self.people.said = Some(guests),
            Record::Current { client, session } => {
                self.clients.insert(client, session);
                self.current = session;
            }
        }
    }
}

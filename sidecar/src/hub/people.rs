//! Who is attached, who was there first, and what guests may do.
//!
//! A person is a client of the Zellij session. Zellij keeps a client's plugin instances when he leaves,
//! and gives his number to the next: so the sidecar asks now and then who is attached
//! ([`Input::Attached`](super::Input)), while there is more than one. Who is not, twice in a row, is
//! gone, until he acts or is seen again.

use std::collections::BTreeSet;

use stui_protocol::pane::{Act, Guests, Instance, Level, ToPane};
use stui_protocol::sessions::SessionCommand;

use super::record::Record;
use super::{Effect, Hub, To, notice};

/// Most people whose order is remembered.
const MAX_PEOPLE: usize = 100;

/// See the module's text.
#[derive(Debug, Default)]
pub(super) struct People {
    /// Clients' numbers, who has been there longest first.
    pub(super) order: Vec<u16>,
    /// Whose instances are there while he is not.
    pub(super) away: BTreeSet<u16>,
    /// Who was not attached when that was last asked.
    pub(super) missed: BTreeSet<u16>,
    /// What guests may do if nobody says anything else: the configuration's word.
    pub(super) by_default: Guests,
    /// What somebody said while the session ran.
    pub(super) said: Option<Guests>,
}

impl People {
    /// What guests may do now.
    pub(super) fn guests(&self) -> Guests {
        self.said.unwrap_or(self.by_default)
    }

    /// The client who alone may change and evaluate; none: everybody may.
    pub(super) fn host(&self) -> Option<u16> {
        match self.guests() {
            Guests::ReadOnly => self.order.first().copied(),
            Guests::MayWrite => None,
        }
    }

    /// Whether it is not known of a client that he is away.
    pub(super) fn is_there(&self, instance: &Instance) -> bool {
        instance
            .client()
            .is_none_or(|client| !self.away.contains(&client))
    }
}

impl Hub {
    /// How many people are attached, as far as that is known.
    pub(super) fn people_there(&self) -> usize {
        let there = |instance: &&Instance| self.people.is_there(instance);
        let clients: BTreeSet<u16> = self
            .present
            .keys()
            .filter(there)
            .filter_map(Instance::client)
            .collect();
        clients.len()
    }

    /// Whether the sidecar should ask now and then who is attached.
    pub fn wants_attached(&self) -> bool {
        let clients: BTreeSet<u16> = self.present.keys().filter_map(Instance::client).collect();
        clients.len() > 1 || self.people.order.len() > 1
    }

    /// An instance said hello, or acted.
    pub(super) fn arrives(&mut self, instance: &Instance, acts: bool, out: &mut Vec<Effect>) {
        let Some(client) = instance.client() else {
            return;
        };
        if acts {
            self.people.away.remove(&client);
            self.people.missed.remove(&client);
        }
        let is_new = !self.people.order.contains(&client) && !self.people.away.contains(&client);
        if is_new && self.people.order.len() < MAX_PEOPLE {
            self.people.order.push(client);
            self.record_people(out);
        }
    }

    /// These clients are attached to the Zellij session.
    pub(super) fn attached(&mut self, clients: &BTreeSet<u16>, out: &mut Vec<Effect>) {
        // Somebody is always attached where a pane has just said something; an empty answer is none.
        if clients.is_empty() {
            return;
        }
        let known: BTreeSet<u16> = self
            .present
            .keys()
            .filter_map(Instance::client)
            .chain(self.people.order.iter().copied())
            .collect();
        self.people.away.retain(|client| !clients.contains(client));
        let missing: BTreeSet<u16> = known.difference(clients).copied().collect();
        let gone: BTreeSet<u16> = missing.intersection(&self.people.missed).copied().collect();
        self.people.missed = missing;
        let before = self.people.order.len();
        self.people.order.retain(|client| !gone.contains(client));
        let changed = self.people.order.len() != before;
        let left = |instance: &Instance| {
            instance
                .client()
                .is_some_and(|client| gone.contains(&client))
        };
        for session in self.sessions.values_mut() {
            session.leave(left);
        }
        self.people.away.extend(gone);
        if changed {
            self.record_people(out);
        }
        // Who is attached and has panes is there, whatever was known before.
        let back: Vec<Instance> = self.present.keys().cloned().collect();
        for instance in back {
            self.arrives(&instance, false, out);
        }
    }

    fn record_people(&self, out: &mut Vec<Effect>) {
        out.push(Effect::Record(Record::People {
            clients: self.people.order.clone(),
        }));
    }

    /// What guests may do from now on.
    pub(super) fn set_guests(&mut self, guests: Guests, out: &mut Vec<Effect>) {
        self.people.said = Some(guests);
        out.push(Effect::Record(Record::Guests { guests }));
    }

    /// Whether an act is a guest's who may only look on; then it is acknowledged, and he is told.
    pub(super) fn refused(
        &mut self,
        by: &Instance,
        seq: u64,
        act: &Act,
        out: &mut Vec<Effect>,
    ) -> bool {
        let host = self.people.host();
        let looks = matches!(
            act,
            Act::Sessions {
                command: SessionCommand::Switch { .. }
            }
        );
        if looks || host.is_none() || by.client() == host {
            return false;
        }
        out.push(Effect::Record(Record::Act {
            by: by.clone(),
            seq,
        }));
        out.push(Effect::Tell(To::One(by.clone()), ToPane::Acked { seq }));
        let text = "You are a guest here and look on: nothing was changed. \
                    The host can say `stui guests may-write`.";
        out.push(notice(by.clone(), Level::Info, text));
        true
    }
}

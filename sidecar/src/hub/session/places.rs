//! Where people are in a session's document: their cursors, and what they were told to select.

use std::collections::BTreeMap;

use stui_protocol::pane::{Edit, Instance, Pos, Role, ToPane};

use super::{Session, Work};
use crate::hub::To;
use crate::hub::record::Change;

/// Most selections that are told again if need be.
const MAX_SELECTIONS: usize = 64;

impl Session {
    /// An instance says where its cursor is.
    pub(in crate::hub) fn cursor_at(&mut self, by: Instance, rev: u64, anchor: Pos, cursor: Pos) {
        let place = |at| self.document.current_place(at, rev, &by);
        let now = (place(anchor), place(cursor));
        if self.selections.get(&by) == Some(&now) {
            self.selections.remove(&by);
        }
        self.cursors.told(by, now.0, now.1);
    }

    /// Everybody moves with an edit, and its author's cursor stands behind it.
    pub(super) fn people_moved_by(&mut self, edit: &Edit, by: Option<&Instance>) {
        self.cursors.moved_by(edit, by);
        for (anchor, cursor) in self.selections.values_mut() {
            *anchor = edit.moves(*anchor, true);
            *cursor = edit.moves(*cursor, false).max(*anchor);
        }
    }

    /// Instances are gone; `gone` says which.
    pub(in crate::hub) fn leave(&mut self, gone: impl Fn(&Instance) -> bool) {
        self.cursors.leave(gone);
    }

    /// Another sidecar begins: nobody is there yet.
    pub(in crate::hub) fn leave_all(&mut self) {
        self.cursors.begin();
    }

    /// Puts an instance's selection somewhere. It is told again until it is seen to have done so or to
    /// have gone on: neither a lost pipe nor a killed sidecar loses it.
    pub(super) fn select(&mut self, by: Instance, anchor: Pos, cursor: Pos, work: &mut Work) {
        self.record(
            Change::Selected {
                by: by.clone(),
                anchor,
                cursor,
            },
            work,
        );
        self.selections.insert(by.clone(), (anchor, cursor));
        while self.selections.len() > MAX_SELECTIONS {
            self.selections.pop_first();
        }
        self.tell_selection(by, anchor, cursor, work);
    }

    pub(super) fn tell_selection(&self, to: Instance, anchor: Pos, cursor: Pos, work: &mut Work) {
        work.tell(
            To::One(to),
            ToPane::Select {
                session: self.key,
                rev: self.document.rev(),
                anchor,
                cursor,
            },
        );
    }

    /// What a workspace that begins to show this is told about places.
    pub(super) fn greet_with_places(&self, to: Instance, work: &mut Work) {
        work.tell(To::One(to.clone()), self.all_cursors());
        work.tell(
            To::One(to.clone()),
            ToPane::LeftAt {
                session: self.key,
                cursor: self.document.clamp(self.cursors.last()),
            },
        );
        if let Some((anchor, cursor)) = self.selections.get(&to) {
            self.tell_selection(to, *anchor, *cursor, work);
        }
    }

    fn all_cursors(&self) -> ToPane {
        ToPane::Cursors {
            session: self.key,
            rev: self.document.rev(),
            cursors: self.cursors.all().to_vec(),
        }
    }

    /// Whether [`Session::flush_cursors`] would send anything.
    pub(in crate::hub) fn wants_cursors(&self) -> bool {
        self.cursors.is_dirty()
    }

    /// Tells where everybody is, if that is news.
    pub(in crate::hub) fn flush_cursors(&mut self, work: &mut Work) {
        if self.cursors.take_dirty() {
            work.tell(To::Role(Role::Workspace), self.all_cursors());
        }
    }

    /// The last edits of those who wait for an answer: others need not be remembered.
    pub(super) fn edits_that_count(&self) -> BTreeMap<Instance, u64> {
        let mut edits = self.last_edit.clone();
        edits.retain(|by, seq| {
            let debugged = self.debuggers.iter().filter_map(|open| open.of.as_deref());
            let mut evaluations = self.evaluations.iter().chain(debugged);
            evaluations.any(|evaluation| evaluation.by == *by && evaluation.seq < *seq)
        });
        edits
    }
}

//! Cursors: what the others know of this one, and where theirs are.
//!
//! Whoever changes the text has his cursor behind the change; so an edit tells everybody where its
//! author is, and a message is needed only where a cursor moves without one. At most one such message
//! is under way: the next goes when the sidecar has passed the last one on, or after a while.

use stui_protocol::change::Change;
use stui_protocol::pane::{CursorOf, Edit, FromPane, Instance, Pos};

use super::Editor;
use crate::io::Outcome;
use crate::link::Link;

/// After how many seconds a cursor that was told counts as passed on.
const TOLD_TIME: f64 = 2.0;

/// A selection's two ends.
type Ends = (Pos, Pos);

/// See the module's text.
#[derive(Debug, Default)]
pub(super) struct Others {
    cursors: Vec<CursorOf>,
    /// Where the sidecar takes this instance's cursor to be.
    told: Option<Ends>,
    /// How long ago it was told something that it has not yet passed on, in seconds.
    under_way: Option<f64>,
}

impl Others {
    /// All of them.
    pub(super) fn cursors(&self) -> &[CursorOf] {
        &self.cursors
    }

    /// Everything moves with an own edit, and this cursor behind it.
    pub(super) fn moved_by_own(&mut self, edit: &Edit) {
        let end = edit.end();
        self.told = Some((end, end));
        self.moved_by(edit);
    }

    /// Everything moves with somebody's edit.
    pub(super) fn moved_by_other(&mut self, edit: &Edit) {
        let moved = |pos| edit.moves(pos, false);
        self.told = self
            .told
            .map(|(anchor, cursor)| (moved(anchor), moved(cursor)));
        self.moved_by(edit);
    }

    fn moved_by(&mut self, edit: &Edit) {
        for other in &mut self.cursors {
            other.anchor = edit.moves(other.anchor, false);
            other.cursor = edit.moves(other.cursor, false);
        }
    }

    /// Somebody changed the text: there he is now.
    pub(super) fn edited(&mut self, by: Instance, edit: &Edit) {
        let end = edit.end();
        self.cursors.retain(|other| other.by != by);
        self.cursors.push(CursorOf {
            by,
            anchor: end,
            cursor: end,
        });
    }
}

impl Editor {
    /// Where everybody's cursor is, as the sidecar says it; of whom nothing is said, he is gone.
    pub fn take_cursors(&mut self, cursors: Vec<CursorOf>, me: &Instance) {
        self.others.under_way = None;
        let own: Vec<&Change> = self.unechoed.iter().map(|(_, own)| own).collect();
        self.others.cursors = cursors;
        let client = me.client();
        self.others
            .cursors
            .retain(|other| other.by.client() != client);
        for other in &mut self.others.cursors {
            for change in &own {
                other.anchor = change.moves(other.anchor, false);
                other.cursor = change.moves(other.cursor, false);
            }
        }
    }

    /// Where the others' cursors are.
    pub fn others(&self) -> &[CursorOf] {
        self.others.cursors()
    }

    /// Tell where the cursor is, if that is not known: at once where others look on, else when there is
    /// time.
    pub(super) fn tell_cursor(&mut self, idle: bool, link: &Link, out: &mut Outcome) {
        let Some(rev) = self.base else { return };
        let cursor = self.cursor.pos;
        let now = (self.anchor.unwrap_or(cursor), cursor);
        let alone = link.status().clients < 2;
        if self.others.told == Some(now)
            || self.others.under_way.is_some()
            || (alone && !idle)
            || self.stale
            || !self.cursor.settled
        {
            return;
        }
        let (anchor, cursor) = now;
        if link.ask(
            FromPane::Cursor {
                session: link.session(),
                rev,
                anchor,
                cursor,
            },
            out,
        ) {
            self.others.told = Some(now);
            self.others.under_way = Some(0.0);
        }
    }

    /// Time went by, in seconds.
    pub(super) fn others_tick(&mut self, seconds: f64) {
        if let Some(age) = &mut self.others.under_way {
            *age += seconds;
            if *age > TOLD_TIME {
                self.others.under_way = None;
            }
        }
    }

    /// Another sidecar may know nothing of this cursor.
    pub(super) fn forget_told(&mut self) {
        self.others.told = None;
        self.others.under_way = None;
    }
}

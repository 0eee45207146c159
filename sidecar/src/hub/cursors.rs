//! Where everybody's cursor in a document is.
//!
//! A cursor moves with every edit, and an edit puts its author's cursor behind it; the panes reckon
//! the same, so that only other moves need a message. The last place somebody was at outlives the
//! sidecar with the snapshot: no key costs a record of its own.

use serde::{Deserialize, Serialize};
use stui_protocol::pane::{CursorOf, Edit, Instance, Pos};

/// Most cursors of one document; more than fit a message's line are of no use to anybody.
const MAX_CURSORS: usize = 64;

/// See the module's text.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Cursors {
    /// Where the last one who did anything was.
    last: Pos,
    #[serde(skip)]
    all: Vec<CursorOf>,
    /// Whether the panes are to be told.
    #[serde(skip)]
    dirty: bool,
}

impl Cursors {
    /// Of another sidecar: nobody is there yet.
    pub fn begin(&mut self) {
        self.all.clear();
        self.dirty = false;
    }

    /// An instance says where it is.
    pub fn told(&mut self, by: Instance, anchor: Pos, cursor: Pos) {
        self.dirty = true;
        self.put(by, anchor, cursor);
    }

    fn put(&mut self, by: Instance, anchor: Pos, cursor: Pos) {
        self.last = cursor;
        self.all.retain(|other| other.by != by);
        if self.all.len() >= MAX_CURSORS {
            self.all.remove(0);
        }
        self.all.push(CursorOf { by, anchor, cursor });
    }

    /// The text was changed. `by` nobody: by the sidecar itself.
    pub fn moved_by(&mut self, edit: &Edit, by: Option<&Instance>) {
        for other in &mut self.all {
            other.anchor = edit.moves(other.anchor, false);
            other.cursor = edit.moves(other.cursor, false);
        }
        self.last = edit.moves(self.last, false);
        if let Some(by) = by {
            let end = edit.end();
            self.put(by.clone(), end, end);
        }
    }

    /// Instances are gone; `gone` says which.
    pub fn leave(&mut self, gone: impl Fn(&Instance) -> bool) {
        let before = self.all.len();
        self.all.retain(|other| !gone(&other.by));
        self.dirty |= self.all.len() != before;
    }

    /// All cursors.
    pub fn all(&self) -> &[CursorOf] {
        &self.all
    }

    /// Where the last one who did anything was.
    pub fn last(&self) -> Pos {
        self.last
    }

    /// Whether the panes do not know all of this yet.
    pub fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// Whether the panes are to be told; then they count as told.
    pub fn take_dirty(&mut self) -> bool {
        std::mem::take(&mut self.dirty)
    }
}

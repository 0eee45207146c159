//! Handles by which the host keeps objects alive.

use std::cell::Cell;
use std::rc::{Rc, Weak};

use super::oop::Oop;

/// Keeps one object alive, and names it, for as long as the handle or a clone of it exists.
#[derive(Clone, Debug)]
pub struct Root(Rc<Cell<Oop>>);

impl Root {
    /// The object.
    pub fn oop(&self) -> Oop {
        self.0.get()
    }
}

/// All handles given out.
#[derive(Debug, Default)]
pub(super) struct RootTable {
    handles: Vec<Weak<Cell<Oop>>>,
}

impl RootTable {
    /// A handle on an object.
    pub(super) fn retain(&mut self, oop: Oop) -> Root {
        let cell = Rc::new(Cell::new(oop));
        self.handles.push(Rc::downgrade(&cell));
        Root(cell)
    }

    /// The objects of all handles that still exist; forgets the others.
    pub(super) fn live(&mut self) -> Vec<Oop> {
        let mut live = Vec::with_capacity(self.handles.len());
        self.handles.retain(|handle| match handle.upgrade() {
            Some(cell) => {
                live.push(cell.get());
                true
            }
            None => false,
        });
        live
    }
}

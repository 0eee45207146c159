//! Finding the method for a message: method dictionaries and a cache in front of them.

use std::rc::Rc;

use super::code::Code;
use super::heap::Heap;
use super::known::slot;
use super::oop::Oop;

/// Entries of the cache, a power of two.
const ENTRIES: usize = 4096;

/// A method with its code.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// The `CompiledMethod`.
    pub method: Oop,
    /// Its code.
    pub code: Rc<Code>,
}

#[derive(Clone, Debug)]
struct Entry {
    class: Oop,
    selector: Oop,
    found: Found,
}

/// Remembers what lookups found. Flushed whenever a method or a superclass changes, and at every
/// collection (a table index may then belong to another object).
#[derive(Debug)]
pub(super) struct MethodCache {
    entries: Vec<Option<Entry>>,
}

impl MethodCache {
    /// An empty cache.
    pub(super) fn new() -> MethodCache {
        MethodCache {
            entries: vec![None; ENTRIES],
        }
    }

    /// Forgets everything.
    pub(super) fn flush(&mut self) {
        self.entries.fill(None);
    }

    #[inline]
    fn position(class: Oop, selector: Oop) -> usize {
        // indexes are the words without their tag; the multiplication spreads neighbours
        let mixed = (class.word() >> 3).wrapping_mul(31) ^ (selector.word() >> 3);
        mixed as usize & (ENTRIES - 1)
    }

    /// The method that a receiver of this class runs for the selector, or `None` if it understands it not.
    #[inline]
    pub(super) fn lookup(&mut self, heap: &Heap, class: Oop, selector: Oop) -> Option<&Found> {
        let position = MethodCache::position(class, selector);
        let hit = matches!(&self.entries[position], Some(e) if e.class == class && e.selector == selector);
        if !hit {
            let found = find(heap, class, selector)?;
            self.entries[position] = Some(Entry {
                class,
                selector,
                found,
            });
        }
        self.entries[position].as_ref().map(|entry| &entry.found)
    }
}

impl Default for MethodCache {
    fn default() -> Self {
        MethodCache::new()
    }
}

/// Walks the superclass chain.
pub(super) fn find(heap: &Heap, class: Oop, selector: Oop) -> Option<Found> {
    let mut class = class;
    while !class.is_nil() {
        let methods = heap.slot(class, slot::BEHAVIOR_METHODS);
        if let Some(method) = heap.map(methods).and_then(|map| map.get(&selector)) {
            let code = Rc::clone(heap.code(*method)?);
            return Some(Found {
                method: *method,
                code,
            });
        }
        class = heap.slot(class, slot::BEHAVIOR_SUPERCLASS);
    }
    None
}

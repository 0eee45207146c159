//! The objects that a session keeps: handles by number, the same one for the same object.
//!
//! A handle keeps its object alive until it is released or the session ends. There are at most
//! [`MAX_OBJECTS`]; beyond, the handle that was not shown or used for the longest time goes.

use std::collections::{BTreeMap, HashMap};

use crate::vm::{Oop, Root, Vm};

/// Most objects that a session keeps.
pub const MAX_OBJECTS: usize = 10_000;

#[derive(Debug)]
struct Entry {
    object: Root,
    last_used: u64,
}

/// The objects of a session.
#[derive(Debug)]
pub(super) struct Registry {
    prefix: String,
    entries: HashMap<u64, Entry>,
    numbers: HashMap<Oop, u64>,
    /// Numbers of objects by when they were last used.
    by_use: BTreeMap<u64, u64>,
    last_number: u64,
    uses: u64,
}

impl Registry {
    /// An empty one; `prefix` is what ids begin with.
    pub(super) fn new(prefix: String) -> Self {
        Registry {
            prefix,
            entries: HashMap::new(),
            numbers: HashMap::new(),
            by_use: BTreeMap::new(),
            last_number: 0,
            uses: 0,
        }
    }

    /// The id of an object, kept from now on.
    pub(super) fn id_of(&mut self, vm: &mut Vm, object: Oop) -> String {
        let number = match self.numbers.get(&object) {
            Some(number) => *number,
            None => self.add(vm, object),
        };
        self.touch(number);
        format!("{}-{number}", self.prefix)
    }

    fn add(&mut self, vm: &mut Vm, object: Oop) -> u64 {
        if self.entries.len() >= MAX_OBJECTS
            && let Some((_, oldest)) = self.by_use.first_key_value()
        {
            self.release(*oldest);
        }
        self.last_number += 1;
        let entry = Entry {
            object: vm.retain(object),
            last_used: 0,
        };
        self.entries.insert(self.last_number, entry);
        self.numbers.insert(object, self.last_number);
        self.last_number
    }

    fn touch(&mut self, number: u64) {
        if let Some(entry) = self.entries.get_mut(&number) {
            self.uses += 1;
            self.by_use.remove(&entry.last_used);
            entry.last_used = self.uses;
            self.by_use.insert(self.uses, number);
        }
    }

    /// The object with a number.
    pub(super) fn get(&mut self, number: u64) -> Option<Root> {
        self.touch(number);
        self.entries.get(&number).map(|entry| entry.object.clone())
    }

    /// Forgets an object; answers whether it was there.
    pub(super) fn release(&mut self, number: u64) -> bool {
        let Some(entry) = self.entries.remove(&number) else {
            return false;
        };
        self.by_use.remove(&entry.last_used);
        self.numbers.remove(&entry.object.oop());
        true
    }

    /// The newest objects, oldest first.
    pub(super) fn newest(&self, count: usize) -> Vec<Root> {
        let mut numbers: Vec<&u64> = self.entries.keys().collect();
        numbers.sort_unstable();
        let skip = numbers.len().saturating_sub(count);
        numbers
            .into_iter()
            .skip(skip)
            .map(|number| self.entries[number].object.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vm::VmConfig;

    fn small_integer(n: usize) -> Oop {
        Oop::index(n)
    }

    #[test]
    fn the_same_object_has_the_same_id_until_it_is_released() {
        let mut vm = Vm::boot(VmConfig::default()).unwrap();
        let mut registry = Registry::new("s".into());
        let (one, other) = (vm.heap.array(&[]), vm.heap.array(&[]));
        assert_eq!(registry.id_of(&mut vm, one), "s-1");
        assert_eq!(registry.id_of(&mut vm, other), "s-2");
        assert_eq!(registry.id_of(&mut vm, one), "s-1");
        assert_eq!(registry.get(1).map(|root| root.oop()), Some(one));
        assert!(registry.release(1));
        assert!(!registry.release(1));
        assert!(registry.get(1).is_none());
        assert_eq!(registry.id_of(&mut vm, one), "s-3");
    }

    #[test]
    fn of_too_many_objects_those_go_that_were_not_used_for_the_longest_time() {
        let mut vm = Vm::boot(VmConfig::default()).unwrap();
        let mut registry = Registry::new("s".into());
        for n in 0..MAX_OBJECTS {
            registry.id_of(&mut vm, small_integer(n));
        }
        assert!(registry.get(1).is_some());
        registry.id_of(&mut vm, small_integer(MAX_OBJECTS));
        assert!(registry.get(1).is_some());
        assert!(registry.get(2).is_none());
        assert_eq!(registry.entries.len(), MAX_OBJECTS);
        assert_eq!(registry.numbers.len(), MAX_OBJECTS);
        assert_eq!(registry.by_use.len(), MAX_OBJECTS);
    }
}

//! Changing the shape of a class: its methods are compiled anew and its instances rebuilt.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::Vm;
use super::classes::{DefinitionError, Format};
use super::compile::{instance_side, is_class};
use super::heap::Body;
use super::known::{class, slot};
use super::oop::Oop;

impl Vm {
    /// A behavior and everything below it.
    fn with_all_subclasses(&self, behavior: Oop) -> Vec<Oop> {
        let is_meta = self.heap.class_of(behavior) == class::METACLASS;
        let mut all = vec![instance_side(&self.heap, behavior)];
        let mut known = BTreeSet::from([all[0]]);
        let mut position = 0;
        while position < all.len() {
            let subclasses = self.heap.slot(all[position], slot::CLASS_SUBCLASSES);
            for class in self.heap.slots(subclasses) {
                if known.insert(*class) {
                    all.push(*class);
                }
            }
            position += 1;
        }
        if is_meta {
            for class in &mut all {
                *class = self.heap.class_of(*class);
            }
        }
        all
    }

    /// Gives a behavior another superclass, other instance variables or another format; methods
    /// are compiled anew and instances rebuilt, here and in all subclasses.
    pub(super) fn reshape(
        &mut self,
        behavior: Oop,
        superclass: Oop,
        fields: &[String],
        format: Format,
    ) -> Result<(), DefinitionError> {
        let old_super = self.heap.slot(behavior, slot::BEHAVIOR_SUPERCLASS);
        let old_fields = self.heap.slot(behavior, slot::DESCRIPTION_VARIABLES);
        let old_format = self.heap.slot(behavior, slot::BEHAVIOR_FORMAT);
        let new_fields = self.symbol_array(fields);
        let same_fields = self.heap.slots(old_fields) == self.heap.slots(new_fields);
        if same_fields && old_super == superclass && self.format_of(behavior) == format {
            return Ok(());
        }
        if self.is_reserved(behavior) {
            let name = self.name_of_class(behavior);
            return Err(DefinitionError::Invalid(format!(
                "The shape of {name} is known to the machine and cannot change"
            )));
        }
        let affected = self.with_all_subclasses(behavior);
        let before: Vec<Vec<String>> = affected
            .iter()
            .map(|class| self.all_field_names(*class))
            .collect();
        self.heap
            .set_slot(behavior, slot::BEHAVIOR_SUPERCLASS, superclass);
        self.heap
            .set_slot(behavior, slot::DESCRIPTION_VARIABLES, new_fields);
        self.heap
            .set_slot(behavior, slot::BEHAVIOR_FORMAT, Oop::index(format as usize));

        let recompiled = match self.recompile(&affected) {
            Ok(recompiled) => recompiled,
            Err(error) => {
                self.heap
                    .set_slot(behavior, slot::BEHAVIOR_SUPERCLASS, old_super);
                self.heap
                    .set_slot(behavior, slot::DESCRIPTION_VARIABLES, old_fields);
                self.heap
                    .set_slot(behavior, slot::BEHAVIOR_FORMAT, old_format);
                return Err(error);
            }
        };
        for (class, selector, method) in recompiled {
            let methods = self.heap.slot(class, slot::BEHAVIOR_METHODS);
            if let Some(map) = self.heap.map_mut(methods) {
                map.insert(selector, method);
            }
        }
        let after: Vec<Vec<String>> = affected
            .iter()
            .map(|class| self.all_field_names(*class))
            .collect();
        for (class, names) in affected.iter().zip(&after) {
            self.heap
                .set_slot(*class, slot::BEHAVIOR_SIZE, Oop::index(names.len()));
            // a subclass with a format of its own keeps it
            if self.heap.slot(*class, slot::BEHAVIOR_FORMAT) == old_format {
                self.heap
                    .set_slot(*class, slot::BEHAVIOR_FORMAT, Oop::index(format as usize));
            }
        }
        self.migrate(&affected, &before, &after);
        if old_super != superclass && is_class(&self.heap, behavior) {
            self.remove_subclass(old_super, behavior);
            self.add_subclass(superclass, behavior);
            let metaclass = self.heap.class_of(behavior);
            let above = if superclass.is_nil() {
                class::CLASS
            } else {
                self.heap.class_of(superclass)
            };
            let own = self.heap.slot(metaclass, slot::DESCRIPTION_VARIABLES);
            let own: Vec<String> = self
                .heap
                .slots(own)
                .iter()
                .filter_map(|name| self.heap.text(*name))
                .collect();
            self.reshape(metaclass, above, &own, Format::Fixed)?;
        }
        self.cache.flush();
        Ok(())
    }

    /// Whether the machine relies on the shape of this class.
    fn is_reserved(&self, behavior: Oop) -> bool {
        super::known::CLASSES
            .iter()
            .any(|(_, class)| *class == instance_side(&self.heap, behavior))
    }

    /// All methods of these classes compiled for their present shape, not yet installed.
    fn recompile(&mut self, classes: &[Oop]) -> Result<Vec<(Oop, Oop, Oop)>, DefinitionError> {
        let mut result = Vec::new();
        for class in classes {
            let methods = self.heap.slot(*class, slot::BEHAVIOR_METHODS);
            let methods: BTreeMap<Oop, Oop> = self.heap.map(methods).cloned().unwrap_or_default();
            for (selector, old) in methods {
                let Some(Body::Method(body)) = self.heap.body(old) else {
                    continue;
                };
                let (source, protocol, package) =
                    (Rc::clone(&body.code.source), body.protocol, body.package);
                let new = self.compile_method(&source, *class).map_err(|error| {
                    DefinitionError::Method {
                        class: self.name_of_class(*class),
                        selector: self.heap.text(selector).unwrap_or_default(),
                        error,
                    }
                })?;
                if let Some(Body::Method(body)) = self.heap.body_mut(new) {
                    body.protocol = protocol;
                    body.package = package;
                }
                result.push((*class, selector, new));
            }
        }
        Ok(result)
    }

    /// Rebuilds the instances of these classes: variables keep their values by name, new ones are nil.
    fn migrate(&mut self, classes: &[Oop], before: &[Vec<String>], after: &[Vec<String>]) {
        let plans: BTreeMap<Oop, (usize, Vec<Option<usize>>)> = classes
            .iter()
            .zip(before.iter().zip(after))
            .map(|(class, (old, new))| {
                let sources = new
                    .iter()
                    .map(|name| old.iter().position(|other| other == name))
                    .collect();
                (*class, (old.len(), sources))
            })
            .collect();
        let instances: Vec<Oop> = self
            .heap
            .all_objects()
            .filter(|oop| plans.contains_key(&self.heap.class_of(*oop)))
            .collect();
        for instance in instances {
            let Some((old_size, sources)) = plans.get(&self.heap.class_of(instance)) else {
                continue;
            };
            let old = self.heap.slots(instance);
            let mut slots: Vec<Oop> = sources
                .iter()
                .map(|source| {
                    source
                        .and_then(|index| old.get(index).copied())
                        .unwrap_or(Oop::NIL)
                })
                .collect();
            slots.extend_from_slice(old.get(*old_size..).unwrap_or_default());
            self.heap
                .replace_body(instance, Body::Slots(slots.into_boxed_slice()));
        }
    }
}

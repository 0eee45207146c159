//! Reading objects from Rust, for the host: names, slots, elements, stacks.

use super::Vm;
use super::code::Code;
use super::compile::instance_side;
use super::events::StackFrame;
use super::frame::Frame;
use super::heap::Body;
use super::known::{class, selector, slot};
use super::oop::Oop;
use crate::syntax::ast::Span;

/// Frames shown of the top and of the bottom of a deep stack.
const STACK_TOP: usize = 60;
const STACK_BOTTOM: usize = 20;

impl Vm {
    /// The class of a value.
    pub fn class_of(&self, oop: Oop) -> Oop {
        self.heap.class_of(oop)
    }

    /// Name of the class of a value: `SmallInteger`, `Point class`.
    pub fn class_name(&self, oop: Oop) -> String {
        self.name_of_class(self.heap.class_of(oop))
    }

    /// Name of a class or metaclass.
    pub fn name_of_class(&self, behavior: Oop) -> String {
        let class = instance_side(&self.heap, behavior);
        let name = self
            .heap
            .text(self.heap.slot(class, slot::CLASS_NAME))
            .unwrap_or_else(|| "?".to_owned());
        if class == behavior {
            name
        } else {
            format!("{name} class")
        }
    }

    /// The class of this name.
    pub fn class_named(&self, name: &str) -> Option<Oop> {
        let value = self.global(name)?;
        super::compile::is_class(&self.heap, value).then_some(value)
    }

    /// Value of a global.
    pub fn global(&self, name: &str) -> Option<Oop> {
        let symbol = self.symbols.find(name)?;
        let binding = *self.heap.map(super::known::SMALLTALK)?.get(&symbol)?;
        Some(self.heap.slot(binding, slot::BINDING_VALUE))
    }

    /// Text of a string or symbol.
    pub fn text(&self, oop: Oop) -> Option<String> {
        self.heap.text(oop)
    }

    /// Names of all instance variables of instances of a class, inherited ones first.
    pub fn all_field_names(&self, class: Oop) -> Vec<String> {
        let mut chain = Vec::new();
        let mut class = class;
        while !class.is_nil() {
            chain.push(self.heap.slot(class, slot::DESCRIPTION_VARIABLES));
            class = self.heap.slot(class, slot::BEHAVIOR_SUPERCLASS);
        }
        chain
            .into_iter()
            .rev()
            .flat_map(|names| {
                self.heap
                    .slots(names)
                    .iter()
                    .filter_map(|name| self.heap.text(*name))
            })
            .collect()
    }

    /// Instance variables of an object with their values, in order.
    pub fn named_slots(&self, oop: Oop) -> Vec<(String, Oop)> {
        let names = self.all_field_names(self.heap.class_of(oop));
        names
            .into_iter()
            .zip(self.heap.slots(oop).iter().copied())
            .collect()
    }

    /// Number of named slots that come before the indexed ones.
    pub fn named_size(&self, oop: Oop) -> usize {
        self.heap
            .slot(self.heap.class_of(oop), slot::BEHAVIOR_SIZE)
            .as_size()
            .unwrap_or(0)
    }

    /// Number of indexed elements: 0 for objects that have none.
    pub fn indexed_size(&self, oop: Oop) -> usize {
        match self.heap.body(oop) {
            Some(Body::Slots(slots)) => slots.len().saturating_sub(self.named_size(oop)),
            Some(Body::Bytes(bytes)) => bytes.len(),
            Some(Body::Wide(points)) => points.len(),
            _ => 0,
        }
    }

    /// An indexed element; `index` is zero-based.
    pub fn indexed_element(&self, oop: Oop, index: usize) -> Option<Oop> {
        match self.heap.body(oop)? {
            Body::Slots(slots) => slots.get(self.named_size(oop).checked_add(index)?).copied(),
            Body::Bytes(bytes) => {
                let byte = *bytes.get(index)?;
                Some(if self.is_text(oop) {
                    Oop::character(char::from(byte))
                } else {
                    Oop::index(usize::from(byte))
                })
            }
            Body::Wide(points) => char::from_u32(*points.get(index)?).map(Oop::character),
            _ => None,
        }
    }

    /// Whether an object is a string or symbol.
    pub fn is_text(&self, oop: Oop) -> bool {
        self.is_kind_of(oop, class::STRING)
    }

    /// Whether a value's class is `class` or inherits from it.
    pub fn is_kind_of(&self, oop: Oop, class: Oop) -> bool {
        let mut current = self.heap.class_of(oop);
        while !current.is_nil() {
            if current == class {
                return true;
            }
            current = self.heap.slot(current, slot::BEHAVIOR_SUPERCLASS);
        }
        false
    }

    /// Selectors of the methods that a class itself defines, sorted.
    pub fn selectors_of(&self, behavior: Oop) -> Vec<String> {
        let methods = self
            .heap
            .map(self.heap.slot(behavior, slot::BEHAVIOR_METHODS));
        let mut names: Vec<String> = methods
            .into_iter()
            .flatten()
            .filter_map(|(selector, _)| self.heap.text(*selector))
            .collect();
        names.sort();
        names
    }

    // ---- stacks

    /// The stack from a context outwards, innermost first; a very deep one without its middle.
    /// Contexts below the evaluated code, if any, are left out.
    pub fn stack_of(&self, context: Oop) -> Vec<StackFrame> {
        let mut contexts = Vec::new();
        let mut current = context;
        while let Some(frame) = self.heap.frame(current) {
            contexts.push(current);
            current = frame.sender;
        }
        if contexts.len() > STACK_TOP + STACK_BOTTOM {
            contexts.drain(STACK_TOP..contexts.len() - STACK_BOTTOM);
        }
        contexts
            .iter()
            .filter_map(|context| self.heap.frame(*context))
            .map(|frame| self.describe(frame))
            .collect()
    }

    pub(super) fn describe(&self, frame: &Frame) -> StackFrame {
        let code = &frame.code;
        StackFrame {
            method: self.describe_code(code, frame.receiver),
            receiver_class: self.class_name(frame.receiver),
            class_name: self.name_of_class(code.owner),
            selector: self.heap.text(code.selector).unwrap_or_default(),
            range: current_range(frame),
            source: code.source.clone(),
            is_do_it: code.selector == selector::DO_IT,
        }
    }

    fn describe_code(&self, code: &Code, receiver: Oop) -> String {
        let receiver_class = self.heap.class_of(receiver);
        let owner = self.name_of_class(code.owner);
        let class = if receiver_class == code.owner {
            owner
        } else {
            format!("{}({owner})", self.name_of_class(receiver_class))
        };
        let selector = self.heap.text(code.selector).unwrap_or_default();
        if code.is_block {
            let (start, end) = (code.range.start as usize, code.range.end as usize);
            let text: String = code
                .source
                .chars()
                .skip(start)
                .take((end - start).min(60))
                .collect();
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            format!("{text} in {class}>>{selector}")
        } else {
            format!("{class}>>{selector}")
        }
    }
}

/// The expression that a frame, which has called another, is in.
pub(super) fn current_range(frame: &Frame) -> Span {
    let position = (frame.pc as usize).saturating_sub(1);
    frame
        .code
        .ranges
        .get(position)
        .copied()
        .unwrap_or(frame.code.range)
}

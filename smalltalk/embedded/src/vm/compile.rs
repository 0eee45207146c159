//! Compiling source in the surroundings of a class, a session and the globals.

use std::rc::Rc;

use super::Vm;
use super::codegen::{Target, generate, literal_object};
use super::heap::{Body, Heap};
use super::known::{SMALLTALK, class, slot};
use super::oop::Oop;
use super::symbols::SymbolTable;
use crate::syntax::ast::{Literal, Method, SharedId, Span};
use crate::syntax::{self, CompileError, Environment, Resolution};

/// Names as seen from a class, a session and the globals, in this order.
struct Surroundings<'a> {
    heap: &'a mut Heap,
    symbols: &'a mut SymbolTable,
    fields: Vec<String>,
    class: Oop,
    /// Variables that hide all others, with their bindings.
    frame: Vec<(String, Oop)>,
    /// Session variables by name.
    session: Option<Oop>,
    declares: bool,
    /// Whether globals may be read that nothing defines yet.
    scripting: bool,
}

impl Surroundings<'_> {
    fn shared(&self, map: Oop, symbol: Oop) -> Option<Resolution> {
        let binding = *self.heap.map(map)?.get(&symbol)?;
        let value = self.heap.slot(binding, slot::BINDING_VALUE);
        let is_class =
            self.heap.class_of(binding) == class::GLOBAL_VARIABLE && is_class(self.heap, value);
        Some(Resolution::Shared {
            id: SharedId(binding.word()),
            writable: !is_class,
        })
    }
}

impl Environment for Surroundings<'_> {
    fn resolve(&mut self, name: &str) -> Option<Resolution> {
        if let Some((_, binding)) = self.frame.iter().find(|(other, _)| other == name) {
            return Some(Resolution::Shared {
                id: SharedId(binding.word()),
                writable: true,
            });
        }
        if let Some(index) = self.fields.iter().position(|field| field == name) {
            return Some(Resolution::Instance(index as u32));
        }
        let symbol = self.symbols.find(name)?;
        let mut class = instance_side(self.heap, self.class);
        while !class.is_nil() {
            if let Some(found) = self.shared(self.heap.slot(class, slot::CLASS_POOL), symbol) {
                return Some(found);
            }
            class = self.heap.slot(class, slot::BEHAVIOR_SUPERCLASS);
        }
        if let Some(found) = self
            .session
            .and_then(|session| self.shared(session, symbol))
        {
            return Some(found);
        }
        self.shared(SMALLTALK, symbol)
    }

    fn may_be_defined_later(&self, name: &str) -> bool {
        self.scripting && name.starts_with(char::is_uppercase)
    }

    fn can_declare(&self, name: &str) -> bool {
        self.declares && self.session.is_some() && name.starts_with(char::is_lowercase)
    }

    fn declare(&mut self, name: &str) {
        if let Some(session) = self.session {
            let symbol = self.symbols.intern(self.heap, name);
            declare(self.heap, session, symbol, class::WORKSPACE_VARIABLE);
        }
    }
}

/// The binding of a name in a map, made if need be.
fn declare(heap: &mut Heap, map: Oop, symbol: Oop, kind: Oop) -> Oop {
    if let Some(binding) = heap.map(map).and_then(|map| map.get(&symbol)) {
        return *binding;
    }
    let binding = heap.allocate(kind, Body::Slots(Box::new([symbol, Oop::NIL])));
    if let Some(map) = heap.map_mut(map) {
        map.insert(symbol, binding);
    }
    binding
}

/// Whether a value is a class (not a metaclass).
pub(super) fn is_class(heap: &Heap, value: Oop) -> bool {
    value.is_object() && heap.class_of(heap.class_of(value)) == class::METACLASS
}

/// The class itself, or the class that a metaclass is the class of.
pub(super) fn instance_side(heap: &Heap, behavior: Oop) -> Oop {
    if heap.class_of(behavior) == class::METACLASS {
        heap.slot(behavior, slot::METACLASS_THIS)
    } else {
        behavior
    }
}

impl Vm {
    /// The binding of a name in a map of bindings, made with `kind` as its class if need be.
    pub(super) fn declare_in(&mut self, map: Oop, symbol: Oop, kind: Oop) -> Oop {
        declare(&mut self.heap, map, symbol, kind)
    }

    /// Compiles an expression sequence with the session variables in `session`.
    pub(super) fn compile_do_it(
        &mut self,
        source: &str,
        session: Option<Oop>,
        declares: bool,
    ) -> Result<Oop, CompileError> {
        let mut surroundings = Surroundings {
            heap: &mut self.heap,
            symbols: &mut self.symbols,
            fields: Vec::new(),
            class: class::UNDEFINED_OBJECT,
            frame: Vec::new(),
            session,
            declares,
            scripting: declares,
        };
        let tree = syntax::compile_do_it(source, &mut surroundings)?;
        self.generate(&tree, source, class::UNDEFINED_OBJECT)
    }

    /// Compiles an expression sequence whose `self` is an instance of `owner`.
    pub(super) fn compile_do_it_for(
        &mut self,
        source: &str,
        owner: Oop,
    ) -> Result<Oop, CompileError> {
        let fields = self.all_field_names(owner);
        let mut surroundings = Surroundings {
            heap: &mut self.heap,
            symbols: &mut self.symbols,
            fields,
            class: owner,
            frame: Vec::new(),
            session: None,
            declares: false,
            scripting: true,
        };
        let tree = syntax::compile_do_it(source, &mut surroundings)?;
        self.generate(&tree, source, owner)
    }

    /// Compiles an expression sequence that sees a frame: its receiver, an instance of `owner` with these instance
    /// variables, and variables with bindings of their own.
    pub(super) fn compile_in_frame(
        &mut self,
        source: &str,
        owner: Oop,
        fields: Vec<String>,
        session: Option<Oop>,
        frame: Vec<(String, Oop)>,
    ) -> Result<Oop, CompileError> {
        let mut surroundings = Surroundings {
            heap: &mut self.heap,
            symbols: &mut self.symbols,
            fields,
            class: owner,
            frame,
            session,
            declares: true,
            scripting: true,
        };
        let tree = syntax::compile_do_it(source, &mut surroundings)?;
        self.generate(&tree, source, owner)
    }

    /// Compiles a method for a class, without installing it. Answers the `CompiledMethod`.
    pub(super) fn compile_method(&mut self, source: &str, owner: Oop) -> Result<Oop, CompileError> {
        let fields = self.all_field_names(owner);
        let mut surroundings = Surroundings {
            heap: &mut self.heap,
            symbols: &mut self.symbols,
            fields,
            class: owner,
            frame: Vec::new(),
            session: None,
            declares: false,
            scripting: false,
        };
        let tree = syntax::compile_method(source, &mut surroundings)?;
        self.generate(&tree, source, owner)
    }

    /// The object that a literal stands for.
    pub(super) fn literal(&mut self, literal: &Literal) -> Oop {
        literal_object(&mut self.heap, &mut self.symbols, literal)
    }

    fn generate(&mut self, tree: &Method, source: &str, owner: Oop) -> Result<Oop, CompileError> {
        let mut target = Target {
            heap: &mut self.heap,
            symbols: &mut self.symbols,
            primitives: &self.primitives,
        };
        let text: Rc<str> = Rc::from(source);
        generate(&mut target, tree, &text, owner)
            .map_err(|error| CompileError::new(source, error.to_string(), Span::new(0, 0)))
    }
}

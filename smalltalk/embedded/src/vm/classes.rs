//! Making and changing classes, with instances and compiled methods kept in agreement.

use super::Vm;
use super::heap::Body;
use super::known::{SMALLTALK, class, slot};
use super::oop::Oop;
use crate::syntax::CompileError;

/// What instances of a class hold; the `format` of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Format {
    /// Instance variables only.
    Fixed = 0,
    /// Instance variables and indexed elements.
    Pointers = 1,
    /// Bytes.
    Bytes = 2,
    /// Code points.
    Wide = 3,
    /// A large integer.
    Integer = 4,
    /// A boxed float.
    Float = 5,
    /// An activation.
    Context = 6,
    /// A compiled method or block.
    Code = 7,
    /// A map from symbols.
    Map = 8,
    /// No heap object at all.
    Immediate = 9,
}

impl Format {
    const ALL: [Format; 10] = [
        Format::Fixed,
        Format::Pointers,
        Format::Bytes,
        Format::Wide,
        Format::Integer,
        Format::Float,
        Format::Context,
        Format::Code,
        Format::Map,
        Format::Immediate,
    ];

    /// The format of this number.
    pub fn from_number(number: usize) -> Option<Format> {
        Format::ALL.get(number).copied()
    }

    /// The format that Tonel calls so; `None` for a layout that is not supported.
    pub fn from_layout(layout: &str) -> Option<Format> {
        match layout {
            "" | "normal" | "FixedLayout" => Some(Format::Fixed),
            "variable" | "weak" | "VariableLayout" => Some(Format::Pointers),
            "bytes" | "ByteLayout" => Some(Format::Bytes),
            "words" | "WordLayout" => Some(Format::Wide),
            "immediate" | "ImmediateLayout" => Some(Format::Immediate),
            _ => None,
        }
    }
}

/// Everything that a class definition says.
#[derive(Clone, Debug)]
pub(super) struct ClassSpec {
    /// Name of the class.
    pub name: String,
    /// Superclass, or `nil`.
    pub superclass: Oop,
    /// Own instance variables.
    pub fields: Vec<String>,
    /// Own instance variables of the class itself; `None` leaves them as they are.
    pub class_fields: Option<Vec<String>>,
    /// Class variables.
    pub class_variables: Vec<String>,
    /// What instances hold.
    pub format: Format,
    /// Package and tag.
    pub package: String,
    /// Tag within the package, or empty.
    pub tag: String,
}

/// Why a class cannot be defined so.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum DefinitionError {
    /// A method would not compile any more.
    #[error(
        "{class}>>{selector} would not compile any more: {error}. Change or remove the method first"
    )]
    Method {
        /// The class of the method.
        class: String,
        /// The method.
        selector: String,
        /// What the compiler says.
        error: CompileError,
    },
    /// Names that clash, loops, layouts that exclude each other.
    #[error("{0}")]
    Invalid(String),
}

impl Vm {
    /// What instances of a class hold.
    pub fn format_of(&self, class: Oop) -> Format {
        let number = self
            .heap
            .slot(class, slot::BEHAVIOR_FORMAT)
            .as_size()
            .unwrap_or(0);
        Format::from_number(number).unwrap_or(Format::Fixed)
    }

    fn instance_size(&self, class: Oop) -> usize {
        self.heap
            .slot(class, slot::BEHAVIOR_SIZE)
            .as_size()
            .unwrap_or(0)
    }

    /// Fills in the slots of a class object of index fixed at boot, or of a new one, and makes its metaclass.
    pub(super) fn make_class(
        &mut self,
        at: Option<Oop>,
        spec: &ClassSpec,
        metaclass_root: Oop,
    ) -> Oop {
        let super_meta = if spec.superclass.is_nil() {
            metaclass_root
        } else {
            self.heap.class_of(spec.superclass)
        };
        let class_fields = spec.class_fields.clone().unwrap_or_default();
        let meta_size = self
            .instance_size(super_meta)
            .max(slot::CLASS_SUBCLASSES + 1)
            + class_fields.len();
        let metaclass = self
            .heap
            .allocate_slots(class::METACLASS, slot::METACLASS_THIS + 1);
        let class = match at {
            Some(class) => {
                let slots = vec![Oop::NIL; meta_size].into_boxed_slice();
                self.heap.replace_body(class, Body::Slots(slots));
                self.heap.set_class(class, metaclass);
                class
            }
            None => self.heap.allocate_slots(metaclass, meta_size),
        };
        self.fill_behavior(
            metaclass,
            super_meta,
            Format::Fixed,
            meta_size,
            &class_fields,
        );
        self.heap.set_slot(metaclass, slot::METACLASS_THIS, class);

        let size = self.instance_size(spec.superclass) + spec.fields.len();
        self.fill_behavior(class, spec.superclass, spec.format, size, &spec.fields);
        let name = self.symbol(&spec.name);
        self.heap.set_slot(class, slot::CLASS_NAME, name);
        let pool = self
            .heap
            .allocate(class::SYMBOL_MAP, Body::Map(Box::default()));
        self.heap.set_slot(class, slot::CLASS_POOL, pool);
        self.fill_class(class, spec);
        let subclasses = self.heap.array(&[]);
        self.heap
            .set_slot(class, slot::CLASS_SUBCLASSES, subclasses);
        self.add_subclass(spec.superclass, class);
        class
    }

    fn fill_behavior(
        &mut self,
        behavior: Oop,
        superclass: Oop,
        format: Format,
        size: usize,
        fields: &[String],
    ) {
        let methods = self
            .heap
            .allocate(class::METHOD_DICTIONARY, Body::Map(Box::default()));
        let names = self.symbol_array(fields);
        self.heap
            .set_slot(behavior, slot::BEHAVIOR_SUPERCLASS, superclass);
        self.heap
            .set_slot(behavior, slot::BEHAVIOR_METHODS, methods);
        self.heap
            .set_slot(behavior, slot::BEHAVIOR_FORMAT, Oop::index(format as usize));
        self.heap
            .set_slot(behavior, slot::BEHAVIOR_SIZE, Oop::index(size));
        self.heap
            .set_slot(behavior, slot::DESCRIPTION_VARIABLES, names);
    }

    /// Package, tag and class variables.
    fn fill_class(&mut self, class: Oop, spec: &ClassSpec) {
        let package = self.symbol(&spec.package);
        let tag = if spec.tag.is_empty() {
            Oop::NIL
        } else {
            self.symbol(&spec.tag)
        };
        self.heap.set_slot(class, slot::CLASS_PACKAGE, package);
        self.heap.set_slot(class, slot::CLASS_TAG, tag);
        let pool = self.heap.slot(class, slot::CLASS_POOL);
        let wanted: Vec<Oop> = spec
            .class_variables
            .iter()
            .map(|name| self.symbol(name))
            .collect();
        for name in &wanted {
            self.declare_in(pool, *name, class::CLASS_VARIABLE);
        }
        if let Some(map) = self.heap.map_mut(pool) {
            map.retain(|name, _| wanted.contains(name));
        }
    }

    pub(super) fn symbol_array(&mut self, names: &[String]) -> Oop {
        let symbols: Vec<Oop> = names.iter().map(|name| self.symbol(name)).collect();
        self.heap.array(&symbols)
    }

    pub(super) fn add_subclass(&mut self, superclass: Oop, class: Oop) {
        if superclass.is_nil() {
            return;
        }
        let mut subclasses = self
            .heap
            .slots(self.heap.slot(superclass, slot::CLASS_SUBCLASSES))
            .to_vec();
        if !subclasses.contains(&class) {
            subclasses.push(class);
            let array = self.heap.array(&subclasses);
            self.heap
                .set_slot(superclass, slot::CLASS_SUBCLASSES, array);
        }
    }

    pub(super) fn remove_subclass(&mut self, superclass: Oop, class: Oop) {
        let mut subclasses = self
            .heap
            .slots(self.heap.slot(superclass, slot::CLASS_SUBCLASSES))
            .to_vec();
        subclasses.retain(|other| *other != class);
        let array = self.heap.array(&subclasses);
        self.heap
            .set_slot(superclass, slot::CLASS_SUBCLASSES, array);
    }

    /// Takes a class out of the globals and out of its superclass's list.
    pub(super) fn remove_class(&mut self, class: Oop) {
        let superclass = self.heap.slot(class, slot::BEHAVIOR_SUPERCLASS);
        self.remove_subclass(superclass, class);
        let name = self.heap.slot(class, slot::CLASS_NAME);
        let bound = self
            .heap
            .map(SMALLTALK)
            .and_then(|map| map.get(&name))
            .copied();
        if bound.is_some_and(|binding| self.heap.slot(binding, slot::BINDING_VALUE) == class)
            && let Some(map) = self.heap.map_mut(SMALLTALK)
        {
            map.remove(&name);
        }
    }

    /// Binds a global name to a value.
    pub(super) fn set_global(&mut self, name: Oop, value: Oop) {
        let binding = self.declare_in(SMALLTALK, name, class::GLOBAL_VARIABLE);
        self.heap.set_slot(binding, slot::BINDING_VALUE, value);
    }

    // ---- definition

    /// Defines a class, or redefines it; instances, subclasses and methods follow. Nothing is
    /// changed if that is not possible.
    pub(super) fn define_class(
        &mut self,
        spec: &ClassSpec,
        is_global: bool,
    ) -> Result<Oop, DefinitionError> {
        self.check_spec(spec)?;
        let existing = self.class_named(&spec.name).filter(|_| is_global);
        let class = match existing {
            None => {
                let class = self.make_class(None, spec, class::CLASS);
                if is_global {
                    let name = self.symbol(&spec.name);
                    self.set_global(name, class);
                }
                class
            }
            Some(class) => {
                self.check_loop(class, spec)?;
                self.reshape(class, spec.superclass, &spec.fields, spec.format)?;
                self.fill_class(class, spec);
                if let Some(fields) = &spec.class_fields {
                    self.set_class_fields(class, fields)?;
                }
                class
            }
        };
        self.cache.flush();
        Ok(class)
    }

    /// Gives a class other instance variables of its own (`Foo class instanceVariableNames: '…'`).
    pub(super) fn set_class_fields(
        &mut self,
        class: Oop,
        fields: &[String],
    ) -> Result<(), DefinitionError> {
        let metaclass = self.heap.class_of(class);
        let superclass = self.heap.slot(metaclass, slot::BEHAVIOR_SUPERCLASS);
        self.reshape(metaclass, superclass, fields, Format::Fixed)
    }

    fn check_spec(&self, spec: &ClassSpec) -> Result<(), DefinitionError> {
        let invalid = |message: String| Err(DefinitionError::Invalid(message));
        if !spec.name.starts_with(char::is_uppercase)
            || !spec.name.chars().all(|c| c.is_alphanumeric() || c == '_')
        {
            return invalid(format!(
                "'{}' is not a class name: it must be a word that begins in upper case",
                spec.name
            ));
        }
        let inherited = self.all_field_names(spec.superclass);
        for (position, field) in spec.fields.iter().enumerate() {
            if inherited.contains(field) || spec.fields[..position].contains(field) {
                return invalid(format!(
                    "{} would have the instance variable {field} twice",
                    spec.name
                ));
            }
            if matches!(
                field.as_str(),
                "self" | "super" | "thisContext" | "nil" | "true" | "false"
            ) {
                return invalid(format!(
                    "{field} cannot be an instance variable: it has a meaning of its own"
                ));
            }
        }
        if !spec.superclass.is_nil() {
            let above = self.format_of(spec.superclass);
            let indexed = !matches!(above, Format::Fixed);
            if indexed && above != spec.format {
                return invalid(format!(
                    "{} must hold the same kind of elements as its superclass",
                    spec.name
                ));
            }
            let size = self.instance_size(spec.superclass) + spec.fields.len();
            if size > 0 && !matches!(spec.format, Format::Fixed | Format::Pointers) {
                return invalid(format!(
                    "{} cannot have instance variables: its instances hold bytes",
                    spec.name
                ));
            }
        }
        Ok(())
    }

    fn check_loop(&self, class: Oop, spec: &ClassSpec) -> Result<(), DefinitionError> {
        let mut above = spec.superclass;
        while !above.is_nil() {
            if above == class {
                let message = format!(
                    "{} cannot inherit from itself or from one of its subclasses",
                    spec.name
                );
                return Err(DefinitionError::Invalid(message));
            }
            above = self.heap.slot(above, slot::BEHAVIOR_SUPERCLASS);
        }
        Ok(())
    }

    // ---- methods

    /// Installs a compiled method in its class under a protocol.
    pub(super) fn install_method(&mut self, class: Oop, method: Oop, protocol: Oop, package: Oop) {
        let Some(selector) = self.heap.code(method).map(|code| code.selector) else {
            return;
        };
        if let Some(Body::Method(body)) = self.heap.body_mut(method) {
            body.protocol = protocol;
            body.package = package;
        }
        let methods = self.heap.slot(class, slot::BEHAVIOR_METHODS);
        if let Some(map) = self.heap.map_mut(methods) {
            map.insert(selector, method);
        }
        self.cache.flush();
    }

    /// Removes a method; false if the class has none of this selector.
    pub(super) fn remove_method(&mut self, class: Oop, selector: Oop) -> bool {
        let methods = self.heap.slot(class, slot::BEHAVIOR_METHODS);
        let removed = self
            .heap
            .map_mut(methods)
            .is_some_and(|map| map.remove(&selector).is_some());
        self.cache.flush();
        removed
    }
}

//! Building the system from the Smalltalk sources that are compiled into the binary.

use std::collections::{BTreeMap, HashMap};

use super::classes::{ClassSpec, Format};
use super::events::{Activity, SpawnOptions, VmEvent};
use super::heap::Body;
use super::known::{self, CLASSES, PROCESSOR, SMALLTALK, class, selector, slot};
use super::oop::Oop;
use super::{Vm, VmConfig};
use crate::syntax::tonel::{self, ClassDefinition, Definition, MethodDefinition, TonelError};

include!(concat!(env!("OUT_DIR"), "/library.rs"));

/// Activations that class initialization may take in all.
const INITIALIZATION_BUDGET: u64 = 20_000_000;

/// What is wrong with the class library. The library that is compiled in has none of this: a test
/// boots it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum BootError {
    /// A file is not Tonel.
    #[error(transparent)]
    File(#[from] TonelError),
    /// A class cannot be made.
    #[error("class {class}: {reason}")]
    Class {
        /// Its name.
        class: String,
        /// Why.
        reason: String,
    },
    /// Methods do not compile; each with its place.
    #[error("{} methods do not compile:\n{}", .0.len(), .0.join("\n"))]
    Methods(Vec<String>),
    /// A class initialization failed or did not end.
    #[error("initialization of {class}: {reason}")]
    Initialization {
        /// The class.
        class: String,
        /// Why.
        reason: String,
    },
}

/// A method with the file it is from.
struct LoadedMethod {
    file: &'static str,
    package: String,
    is_extension: bool,
    definition: MethodDefinition,
}

#[derive(Default)]
struct Library {
    classes: BTreeMap<String, ClassDefinition>,
    methods: Vec<LoadedMethod>,
}

impl Vm {
    /// A machine with the whole class library, ready to spawn processes.
    ///
    /// # Errors
    /// If the library compiled into this binary is broken.
    pub fn boot(config: VmConfig) -> Result<Vm, BootError> {
        Vm::boot_from(config, LIBRARY)
    }

    fn boot_from(
        config: VmConfig,
        files: &[(&'static str, &'static str)],
    ) -> Result<Vm, BootError> {
        let library = read(files)?;
        let mut vm = Vm::empty(config);
        vm.make_singletons();
        let order = vm.make_classes(&library)?;
        vm.check_layouts()?;
        vm.compile_library(&library)?;
        // sources are compiled, garbage is still unknown: count from here
        vm.collect_garbage();
        vm.initialize_classes(&order)?;
        vm.collect_garbage();
        Ok(vm)
    }

    /// `nil`, `true`, `false`, `Processor`, `Smalltalk`: their classes get their contents later.
    fn make_singletons(&mut self) {
        let singletons = [
            (Oop::NIL, class::UNDEFINED_OBJECT),
            (Oop::TRUE, class::TRUE),
            (Oop::FALSE, class::FALSE),
            (PROCESSOR, class::PROCESSOR_SCHEDULER),
            (SMALLTALK, class::SYSTEM_DICTIONARY),
        ];
        for (oop, class) in singletons {
            self.heap.set_class(oop, class);
        }
        self.heap.replace_body(SMALLTALK, Body::Map(Box::default()));
        for (name, value) in [
            ("Processor", PROCESSOR),
            ("Smalltalk", SMALLTALK),
            ("Transcript", Oop::NIL),
        ] {
            let name = self.symbol(name);
            self.set_global(name, value);
        }
    }

    /// Makes every class, superclasses first; answers the order.
    fn make_classes(&mut self, library: &Library) -> Result<Vec<(String, Oop)>, BootError> {
        let fixed: HashMap<&str, Oop> = CLASSES.iter().copied().collect();
        for (name, _) in CLASSES {
            if !library.classes.contains_key(*name) {
                return Err(class_error(
                    name,
                    "the machine needs it, but no file defines it",
                ));
            }
        }
        let order = superclass_order(library)?;
        let mut made: Vec<(String, Oop)> = Vec::new();
        for definition in order {
            let superclass = match &definition.superclass {
                Some(name) => self
                    .class_named(name)
                    .ok_or_else(|| class_error(&definition.name, "no superclass"))?,
                None => Oop::NIL,
            };
            let at = fixed.get(definition.name.as_str()).copied();
            let format = special_format(&definition.name)
                .or_else(|| inherited_format(self, superclass, &definition.layout))
                .ok_or_else(|| class_error(&definition.name, "its layout is not supported"))?;
            let spec = ClassSpec {
                name: definition.name.clone(),
                superclass,
                fields: definition.instance_variables.clone(),
                class_fields: Some(definition.class_instance_variables.clone()),
                class_variables: definition.class_variables.clone(),
                format,
                package: definition.package.clone(),
                tag: definition.tag.clone(),
            };
            // the class of ProtoObject inherits from Class
            let class = self.make_class(at, &spec, class::CLASS);
            let comment = self.heap.string(&definition.comment);
            self.heap.set_slot(class, slot::CLASS_COMMENT, comment);
            let name = self.symbol(&definition.name);
            self.set_global(name, class);
            made.push((definition.name.clone(), class));
        }
        Ok(made)
    }

    /// Whether the classes have the instance variables that the machine reads and writes.
    fn check_layouts(&self) -> Result<(), BootError> {
        for (name, expected) in known::LAYOUTS {
            let class = self
                .class_named(name)
                .ok_or_else(|| class_error(name, "it is missing"))?;
            let names = self.all_field_names(class);
            if !expected.iter().zip(&names).all(|(one, other)| one == other)
                || names.len() < expected.len()
            {
                let reason = format!(
                    "its instance variables must begin with {expected:?}, but are {names:?}"
                );
                return Err(class_error(name, &reason));
            }
        }
        Ok(())
    }

    fn compile_library(&mut self, library: &Library) -> Result<(), BootError> {
        let mut errors = Vec::new();
        for method in &library.methods {
            let definition = &method.definition;
            let Some(class) = self.class_named(&definition.class_name) else {
                errors.push(format!(
                    "{}: there is no class {}",
                    method.file, definition.class_name
                ));
                continue;
            };
            let owner = if definition.is_class_side {
                self.heap.class_of(class)
            } else {
                class
            };
            match self.compile_method(&definition.source, owner) {
                Ok(compiled) => {
                    let selector = self
                        .heap
                        .code(compiled)
                        .map_or(Oop::NIL, |code| code.selector);
                    let methods = self.heap.slot(owner, slot::BEHAVIOR_METHODS);
                    if self
                        .heap
                        .map(methods)
                        .is_some_and(|map| map.contains_key(&selector))
                    {
                        errors.push(format!(
                            "{}: {}>>{} is defined twice",
                            method.file,
                            self.name_of_class(owner),
                            definition.pattern()
                        ));
                    }
                    let protocol = self.symbol(&definition.protocol);
                    let package = if method.is_extension {
                        self.symbol(&method.package)
                    } else {
                        Oop::NIL
                    };
                    self.install_method(owner, compiled, protocol, package);
                }
                Err(error) => errors.push(format!(
                    "{}: {}{}>>{}: {error}",
                    method.file,
                    definition.class_name,
                    if definition.is_class_side {
                        " class"
                    } else {
                        ""
                    },
                    definition.pattern(),
                )),
            }
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(BootError::Methods(errors))
        }
    }

    /// Sends `initialize` to every class whose own class side defines it, superclasses first.
    fn initialize_classes(&mut self, order: &[(String, Oop)]) -> Result<(), BootError> {
        for (name, class) in order {
            let methods = self
                .heap
                .slot(self.heap.class_of(*class), slot::BEHAVIOR_METHODS);
            if !self
                .heap
                .map(methods)
                .is_some_and(|map| map.contains_key(&selector::INITIALIZE))
            {
                continue;
            }
            let fail = |reason: String| BootError::Initialization {
                class: name.clone(),
                reason,
            };
            let process = self.spawn_send(*class, "initialize", &[], SpawnOptions::default());
            if self.run(INITIALIZATION_BUDGET) == Activity::Busy {
                return Err(fail("it does not end".to_owned()));
            }
            let mut finished = false;
            for event in self.take_events() {
                match event {
                    VmEvent::Finished { process: ended, .. } => finished |= ended == process,
                    VmEvent::Failed {
                        class_name,
                        message,
                        stack,
                        ..
                    } => {
                        let place = stack
                            .into_iter()
                            .map(|frame| frame.method)
                            .collect::<Vec<_>>()
                            .join(", ");
                        return Err(fail(format!("{class_name}: {message} in {place}")));
                    }
                    VmEvent::Terminated { .. }
                    | VmEvent::Stopped { .. }
                    | VmEvent::Transcript { .. } => {}
                }
            }
            if !finished {
                return Err(fail("it waits for something".to_owned()));
            }
        }
        Ok(())
    }
}

fn class_error(class: &str, reason: &str) -> BootError {
    BootError::Class {
        class: class.to_owned(),
        reason: reason.to_owned(),
    }
}

/// Formats that only the machine's own classes have.
fn special_format(name: &str) -> Option<Format> {
    Some(match name {
        "LargePositiveInteger" | "LargeNegativeInteger" => Format::Integer,
        "BoxedFloat64" => Format::Float,
        "SmallInteger" | "SmallFloat64" | "Character" => Format::Immediate,
        "Context" => Format::Context,
        "CompiledCode" | "CompiledMethod" | "CompiledBlock" => Format::Code,
        "SymbolMap" | "MethodDictionary" | "SystemDictionary" => Format::Map,
        "BlockClosure" | "FullBlockClosure" => Format::Pointers,
        _ => return None,
    })
}

/// The layout a file gives, or that of the superclass.
fn inherited_format(vm: &Vm, superclass: Oop, layout: &str) -> Option<Format> {
    match Format::from_layout(layout)? {
        Format::Fixed if !superclass.is_nil() => Some(vm.format_of(superclass)),
        other => Some(other),
    }
}

fn read(files: &[(&'static str, &'static str)]) -> Result<Library, BootError> {
    let mut library = Library::default();
    for (file, source) in files {
        let contents = tonel::read(file, source)?;
        let folder = file.split('/').next().unwrap_or_default().to_owned();
        let is_extension = matches!(contents.definition, Definition::Extension { .. });
        match contents.definition {
            Definition::Class(definition) => {
                library.classes.insert(definition.name.clone(), *definition);
            }
            Definition::Extension { .. } | Definition::Package { .. } => {}
        }
        library
            .methods
            .extend(contents.methods.into_iter().map(|definition| LoadedMethod {
                file,
                package: folder.clone(),
                is_extension,
                definition,
            }));
    }
    Ok(library)
}

/// Classes such that every class comes after its superclass.
fn superclass_order(library: &Library) -> Result<Vec<&ClassDefinition>, BootError> {
    let mut order: Vec<&ClassDefinition> = Vec::new();
    let mut placed: HashMap<&str, bool> = HashMap::new();
    for definition in library.classes.values() {
        let mut chain: Vec<&ClassDefinition> = Vec::new();
        let mut current = Some(definition);
        while let Some(definition) = current {
            match placed.get(definition.name.as_str()) {
                Some(true) => break,
                Some(false) => {
                    return Err(class_error(&definition.name, "it inherits from itself"));
                }
                None => {}
            }
            placed.insert(&definition.name, false);
            chain.push(definition);
            current = match &definition.superclass {
                None => None,
                Some(name) => Some(library.classes.get(name).ok_or_else(|| {
                    class_error(&definition.name, &format!("there is no superclass {name}"))
                })?),
            };
        }
        for definition in chain.into_iter().rev() {
            placed.insert(&definition.name, true);
            order.push(definition);
        }
    }
    Ok(order)
}

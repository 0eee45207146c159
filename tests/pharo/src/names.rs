//! What the package uses that it does not define: selectors, and classes of Pharo.

use std::collections::{BTreeMap, BTreeSet};

use stui_embedded::syntax::ast::SharedId;
use stui_embedded::syntax::tonel::{ClassDefinition, MethodDefinition};
use stui_embedded::syntax::{CompileError, Environment, Resolution, compile_method, parse_method};

use crate::{Package, sent};

/// Globals of Pharo that are no classes.
const GLOBALS: [&str; 3] = ["Processor", "Smalltalk", "Transcript"];

/// The names that a method of the package sees, and the classes of Pharo among those that it uses.
struct Names<'a> {
    instance_variables: Vec<&'a str>,
    shared: BTreeSet<&'a str>,
    classes: &'a BTreeMap<String, ClassDefinition>,
    foreign: BTreeSet<String>,
}

impl<'a> Names<'a> {
    fn of(method: &MethodDefinition, package: &'a Package) -> Self {
        let mut names = Names {
            instance_variables: Vec::new(),
            shared: BTreeSet::new(),
            classes: &package.classes,
            foreign: BTreeSet::new(),
        };
        let mut next = package.classes.get(&method.class_name);
        while let Some(class) = next {
            let own = if method.is_class_side {
                &class.class_instance_variables
            } else {
                &class.instance_variables
            };
            names
                .instance_variables
                .extend(own.iter().map(String::as_str));
            names
                .shared
                .extend(class.class_variables.iter().map(String::as_str));
            next = class
                .superclass
                .as_ref()
                .and_then(|name| package.classes.get(name));
        }
        names
    }
}

impl Environment for Names<'_> {
    fn resolve(&mut self, name: &str) -> Option<Resolution> {
        if let Some(index) = self
            .instance_variables
            .iter()
            .position(|known| *known == name)
        {
            return Some(Resolution::Instance(index as u32));
        }
        let own = self.shared.contains(name)
            || self.classes.contains_key(name)
            || GLOBALS.contains(&name);
        let is_global = name.starts_with(|first: char| first.is_ascii_uppercase());
        if is_global && !own {
            self.foreign.insert(name.to_owned());
        }
        (own || is_global).then_some(Resolution::Shared {
            id: SharedId(0),
            writable: true,
        })
    }
}

/// The classes of Pharo that a method names.
///
/// # Errors
/// If the method does not compile: an undeclared variable, an assignment to an argument and the like.
pub fn foreign_classes(
    method: &MethodDefinition,
    package: &Package,
) -> Result<BTreeSet<String>, CompileError> {
    let mut names = Names::of(method, package);
    compile_method(&method.source, &mut names)?;
    Ok(names.foreign)
}

/// The classes of Pharo that the package uses, the superclasses of its own among them.
pub fn all_foreign_classes(package: &Package) -> BTreeSet<String> {
    let superclasses = package
        .classes
        .values()
        .filter_map(|class| class.superclass.clone());
    let named = package
        .methods()
        .filter_map(|(_, method)| foreign_classes(method, package).ok())
        .flatten();
    superclasses
        .chain(named)
        .filter(|name| !package.classes.contains_key(name))
        .collect()
}

/// The selectors that the package sends and does not define itself.
pub fn all_foreign_selectors(package: &Package) -> BTreeSet<String> {
    let trees = package
        .methods()
        .filter_map(|(_, method)| parse_method(&method.source).ok());
    let mut sends = BTreeSet::new();
    let mut defined = BTreeSet::new();
    for tree in trees {
        sends.extend(sent::selectors(&tree));
        defined.insert(tree.selector);
    }
    sends.difference(&defined).cloned().collect()
}

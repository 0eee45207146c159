//! A part of the package inside the embedded Smalltalk: what needs nothing but collections, strings and streams runs
//! there as it does in Pharo.

use stui_embedded::syntax::tonel::ClassDefinition;
use stui_embedded::vm::{Activity, BindingsId, SpawnOptions, Vm, VmConfig, VmEvent};

use crate::Package;

/// What the package uses of classes that the embedded Smalltalk lacks, and that is quickly said.
const STAND_INS: [&str; 2] = [
    "Time class compile: 'microsecondClockValue ^ self millisecondClockValue * 1000' classified: 'clocks'",
    "ByteString class compile: 'findFirstInString: aString inSet: aMap startingAt: start
        start to: aString size do: [ :index | (aMap at: (aString at: index) asInteger + 1) = 0 ifFalse: [ ^ index ] ].
        ^ 0' classified: 'primitives'",
];

/// Slices that an evaluation may take.
const MAX_SLICES: usize = 10_000;
/// Activations of a slice.
const SLICE: u64 = 100_000;

/// An embedded Smalltalk with classes of the package in it.
#[derive(Debug)]
pub struct Image {
    vm: Vm,
    bindings: BindingsId,
}

impl Image {
    /// Boots one and loads the classes with these names, in this order.
    ///
    /// # Errors
    /// The first thing that cannot be loaded.
    pub fn with(package: &Package, names: &[&str]) -> Result<Image, String> {
        let mut vm = Vm::boot(VmConfig::default()).map_err(|error| error.to_string())?;
        let bindings = vm.new_bindings();
        let mut image = Image { vm, bindings };
        for name in names {
            let class = package
                .classes
                .get(*name)
                .ok_or_else(|| format!("the package has no class {name}"))?;
            image.evaluate(&definition(class))?;
            image.load_methods(package, name)?;
        }
        Ok(image)
    }

    /// Boots one and loads all classes whose superclasses are there.
    ///
    /// Classes of Pharo that the embedded Smalltalk lacks are declared without a value, so that methods which name them
    /// can be loaded, and fail when they are run; but for a few of which hardly anything is used (`STAND_INS`).
    ///
    /// # Errors
    /// The first thing that cannot be loaded.
    pub fn with_all(package: &Package) -> Result<Image, String> {
        let mut image = Image::with(package, &[])?;
        for code in STAND_INS {
            image.evaluate(code)?;
        }
        for name in crate::list("pharo-classes.txt") {
            image.evaluate(&format!(
                "Smalltalk at: #{name} ifAbsent: [ Smalltalk at: #{name} put: nil ]"
            ))?;
        }
        let loadable = superclasses_first(package, |name| {
            let answer = image.evaluate(&format!(
                "(Smalltalk at: #{name} ifAbsent: [ nil ]) isNil printString"
            ));
            answer.is_ok_and(|answer| answer == "false")
        });
        for name in &loadable {
            image.evaluate(&definition(&package.classes[*name]))?;
        }
        for name in package.classes.keys() {
            image.evaluate(&format!(
                "Smalltalk at: #{name} ifAbsent: [ Smalltalk at: #{name} put: nil ]"
            ))?;
        }
        for name in &loadable {
            image.load_methods(package, name)?;
        }
        Ok(image)
    }

    fn load_methods(&mut self, package: &Package, name: &str) -> Result<(), String> {
        for (_, method) in package
            .methods()
            .filter(|(_, method)| method.class_name == name)
        {
            let side = if method.is_class_side { " class" } else { "" };
            let compile = format!(
                "{name}{side} compile: {} classified: 'loaded'",
                literal(&method.source)
            );
            self.evaluate(&compile)
                .map_err(|error| format!("{name}{side}>>{}: {error}", method.pattern()))?;
        }
        Ok(())
    }

    /// Evaluates code and answers its `printString`.
    ///
    /// # Errors
    /// Why it does not compile, or the error that it signalled and did not handle, with its stack.
    pub fn print(&mut self, code: &str) -> Result<String, String> {
        self.evaluate(&format!("([ {code} ] value) printString"))
    }

    /// Evaluates code that answers a string.
    ///
    /// # Errors
    /// As [`Image::print`].
    pub fn evaluate(&mut self, code: &str) -> Result<String, String> {
        let process = self
            .vm
            .spawn(code, self.bindings, SpawnOptions::default())
            .map_err(|error| format!("{error:?} in {code}"))?;
        for _ in 0..MAX_SLICES {
            let activity = self.vm.run(SLICE);
            for event in self.vm.take_events() {
                match event {
                    VmEvent::Finished {
                        process: ended,
                        value,
                    } if ended == process => {
                        return Ok(self.vm.text(value.oop()).unwrap_or_default());
                    }
                    VmEvent::Failed {
                        process: failed,
                        class_name,
                        message,
                        stack,
                        ..
                    } if failed == process => {
                        let frames: Vec<String> = stack
                            .into_iter()
                            .take(12)
                            .map(|frame| frame.method)
                            .collect();
                        return Err(format!(
                            "{class_name}: {message}\n  {}\n  in {code}",
                            frames.join("\n  ")
                        ));
                    }
                    _ => {}
                }
            }
            if activity == Activity::Idle {
                return Err(format!("nothing runs any more in {code}"));
            }
        }
        Err(format!("it does not end: {code}"))
    }
}

/// The package's classes in an order in which superclasses come first, but for those whose superclass nobody has.
fn superclasses_first(package: &Package, mut is_there: impl FnMut(&str) -> bool) -> Vec<&str> {
    let mut ordered: Vec<&str> = Vec::new();
    let mut rest: Vec<&str> = package.classes.keys().map(String::as_str).collect();
    loop {
        let (now, later): (Vec<&str>, Vec<&str>) = rest.iter().partition(|name| {
            let superclass = package.classes[**name]
                .superclass
                .as_deref()
                .unwrap_or("Object");
            if package.classes.contains_key(superclass) {
                ordered.contains(&superclass)
            } else {
                is_there(superclass)
            }
        });
        if now.is_empty() {
            return ordered;
        }
        ordered.extend(now);
        rest = later;
    }
}

/// The expression that defines a class.
fn definition(class: &ClassDefinition) -> String {
    format!(
        "{} subclass: #{} instanceVariableNames: '{}' classVariableNames: '{}' package: '{}'",
        class.superclass.as_deref().unwrap_or("Object"),
        class.name,
        class.instance_variables.join(" "),
        class.class_variables.join(" "),
        class.package,
    )
}

/// A string literal of Smalltalk.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

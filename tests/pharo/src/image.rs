//! A part of the package inside the embedded Smalltalk: what needs nothing but collections, strings and streams runs
//! there as it does in Pharo.

use stui_embedded::syntax::tonel::{ClassDefinition, Definition};
use stui_embedded::vm::{Activity, BindingsId, SpawnOptions, Vm, VmConfig, VmEvent};

use crate::Package;

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
            image.load(package, name)?;
        }
        Ok(image)
    }

    fn load(&mut self, package: &Package, name: &str) -> Result<(), String> {
        let file = package
            .files
            .iter()
            .find(|file| matches!(&file.tonel.definition, Definition::Class(class) if class.name == name))
            .ok_or_else(|| format!("the package has no class {name}"))?;
        if let Definition::Class(class) = &file.tonel.definition {
            self.evaluate(&definition(class))?;
        }
        for method in &file.tonel.methods {
            let side = if method.is_class_side { " class" } else { "" };
            let compile = format!("{name}{side} compile: {} classified: 'loaded'", literal(&method.source));
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
                    VmEvent::Finished { process: ended, value } if ended == process => {
                        return Ok(self.vm.text(value.oop()).unwrap_or_default());
                    }
                    VmEvent::Failed { process: failed, class_name, message, stack, .. } if failed == process => {
                        let frames: Vec<String> = stack.into_iter().take(12).map(|frame| frame.method).collect();
                        return Err(format!("{class_name}: {message}\n  {}\n  in {code}", frames.join("\n  ")));
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

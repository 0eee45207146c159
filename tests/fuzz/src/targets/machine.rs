//! Code in the embedded machine: whatever it does, it can be ended and the next one runs.

use std::cell::RefCell;

use stui_embedded::vm::{SpawnOptions, Vm, VmConfig};

use crate::Target;

pub(super) const TARGET: Target = Target {
    name: "machine",
    about: "Smalltalk code in the embedded machine: it can always be ended, and memory stays bounded",
    seeds: super::source::expressions,
    words: WORDS,
    run,
};

const WORDS: &[&str] = &[
    "self",
    "nil",
    "true",
    "thisContext",
    "super",
    "Object",
    "Array",
    "String",
    "Symbol",
    "Dictionary",
    "Process",
    "Processor",
    "Semaphore",
    "Error",
    "Exception",
    "Smalltalk",
    "Transcript",
    "Class",
    "Metaclass",
    "Float",
    "CompiledMethod",
    "Context",
    " new",
    " basicNew",
    " new: 3",
    " new: -1",
    " printString",
    " value",
    " value: ",
    " fork",
    " yield",
    " resume",
    " terminate",
    " signal",
    " wait",
    " return: ",
    " retry",
    " pass",
    " outer",
    " restart",
    " sender",
    " instVarAt: 1",
    " instVarAt: 1 put: ",
    " at: 1",
    " at: 1 put: ",
    " become: ",
    " class",
    " perform: #",
    " compile: 'x ^ 3'",
    " subclass: #Zork",
    " removeSelector: #",
    " ensure: [",
    " on: Error do: [",
    "[ :x | ",
    " ]",
    "(",
    ")",
    "^ ",
    ":= ",
    ". ",
    " timesRepeat: [",
    " whileTrue",
    " copy",
    " hash",
    " = ",
    " == ",
    " + ",
    " // ",
    " bitShift: ",
    "1073741824",
    "4611686018427387903",
    "1.0e308",
    "16r",
    " asString",
    " asSymbol",
    " reversed",
    " sort",
    " size",
    " superclass",
    " methodDict",
];

/// Inputs that share a machine: to boot one for each would cost more than the rest.
const SHARED: u32 = 100;

thread_local! {
    static MACHINE: RefCell<Option<(Vm, u32)>> = const { RefCell::new(None) };
}

fn run(input: &[u8]) {
    let code = String::from_utf8_lossy(input);
    MACHINE.with_borrow_mut(|machine| {
        // a machine that failed is not used again
        let (mut vm, used) = machine
            .take()
            .filter(|(_, used)| *used < SHARED)
            .unwrap_or_else(|| {
                let config = VmConfig {
                    memory_limit: 64 << 20,
                    memory_reserve: 8 << 20,
                    max_depth: 10_000,
                    depth_reserve: 1000,
                    ..VmConfig::default()
                };
                (Vm::boot(config).expect("the library boots"), 0)
            });
        let bindings = vm.new_bindings();
        if let Ok(process) = vm.spawn(&code, bindings, SpawnOptions::default()) {
            vm.run(50_000);
            vm.interrupt(process);
            vm.run(5_000);
            vm.terminate(process);
            vm.terminate_children(process);
            vm.take_events();
        }
        vm.drop_bindings(bindings);
        *machine = Some((vm, used + 1));
    });
}

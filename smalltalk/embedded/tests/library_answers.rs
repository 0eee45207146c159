//! The class library's answers: every line of `tests/library/*.txt` is an expression and what its
//! value prints, or `!` and the error it ends with. Lines that begin with `"` are remarks.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use stui_embedded::vm::{Activity, ProcessId, Root, SpawnOptions, Vm, VmConfig, VmEvent};

/// Slices that one expression may take.
const MAX_SLICES: usize = 2000;
/// Activations in a slice.
const SLICE: u64 = 100_000;

/// Runs a process to its end: its value, or class and text of the error.
fn finish(vm: &mut Vm, process: ProcessId) -> Result<Root, String> {
    for _ in 0..MAX_SLICES {
        let activity = vm.run(SLICE);
        for event in vm.take_events() {
            match event {
                VmEvent::Finished {
                    process: ended,
                    value,
                } if ended == process => return Ok(value),
                VmEvent::Failed {
                    process: failed,
                    class_name,
                    message,
                    ..
                } if failed == process => {
                    return Err(format!("{class_name}: {message}"));
                }
                _ => {}
            }
        }
        match activity {
            Activity::Busy => {}
            Activity::SleepingFor(time) => std::thread::sleep(time),
            Activity::Idle => return Err("it waits for ever".to_owned()),
        }
    }
    Err("it does not end".to_owned())
}

/// What an expression prints, or its error after `! `.
fn answer(vm: &mut Vm, code: &str) -> String {
    let bindings = vm.new_bindings();
    let process = match vm.spawn(
        code,
        bindings,
        SpawnOptions {
            strict: true,
            ..SpawnOptions::default()
        },
    ) {
        Ok(process) => process,
        Err(error) => return format!("! {error}"),
    };
    let value = match finish(vm, process) {
        Ok(value) => value,
        Err(error) => return format!("! {error}"),
    };
    let printing = vm.spawn_send(value.oop(), "printString", &[], SpawnOptions::default());
    match finish(vm, printing) {
        Ok(text) => vm
            .heap
            .text(text.oop())
            .unwrap_or_else(|| "printString answers no string".to_owned()),
        Err(error) => format!("! while printing: {error}"),
    }
}

/// Compares all answers of a file; every difference is in the text.
fn check(file: &str) -> Result<(), String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/library")
        .join(file);
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut vm = Vm::boot(VmConfig::default()).map_err(|error| error.to_string())?;
    let mut differences = String::new();
    let mut checked = 0;
    for line in text
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('"'))
    {
        let (code, expected) = line
            .rsplit_once(" ==> ")
            .ok_or_else(|| format!("{file}: no answer in {line}"))?;
        let actual = answer(&mut vm, code);
        checked += 1;
        if actual != expected {
            let _ = write!(
                differences,
                "\n{code}\n  answers {actual}\n  instead {expected}"
            );
        }
    }
    assert!(checked > 0, "{file} has no expressions");
    if differences.is_empty() {
        Ok(())
    } else {
        Err(differences)
    }
}

macro_rules! files {
    ($($name:ident: $file:literal),* $(,)?) => {
        $(#[test]
        fn $name() {
            if let Err(differences) = check($file) {
                panic!("{differences}");
            }
        })*
    };
}

files! {
    numbers_of_all_kinds_compute_exactly: "numbers.txt",
    equal_objects_have_equal_hashes: "hashing.txt",
    strings_hold_all_of_unicode: "unicode.txt",
    printing_ends_whatever_is_printed: "printing.txt",
    large_collections_are_handled_in_linear_time: "large.txt",
    streams_read_and_write_any_sequence: "streams.txt",
    inspectors_get_pages_of_views: "inspection.txt",
    dates_and_times_compute: "time.txt",
    tests_run_and_report: "sunit.txt",
    the_system_knows_its_methods: "system.txt",
}

//! A machine with one session, and what tests ask of it.

use std::time::{Duration, Instant};

use stui_embedded::vm::{Activity, BindingsId, ProcessId, SpawnOptions, Vm, VmConfig, VmEvent};

/// How long an evaluation may take before its test fails.
const PATIENCE: Duration = Duration::from_secs(120);

/// How an evaluation ended: its print string, or class and message of the exception.
pub(crate) type Answer = Result<String, String>;

/// A machine and the variables of one session.
pub(crate) struct World {
    pub(crate) vm: Vm,
    pub(crate) bindings: BindingsId,
    pub(crate) transcript: String,
}

impl World {
    pub(crate) fn new() -> World {
        World::with(VmConfig::default())
    }

    pub(crate) fn with(config: VmConfig) -> World {
        let mut vm = Vm::boot(config).expect("the library boots");
        let bindings = vm.new_bindings();
        World {
            vm,
            bindings,
            transcript: String::new(),
        }
    }

    /// Starts an evaluation.
    pub(crate) fn spawn(&mut self, source: &str) -> ProcessId {
        self.vm
            .spawn(source, self.bindings, SpawnOptions::default())
            .unwrap_or_else(|error| panic!("{source}: {error}"))
    }

    /// Runs until `wanted` finds what it looks for among the events, which it answers.
    pub(crate) fn run_until<T>(&mut self, mut wanted: impl FnMut(&Vm, VmEvent) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let activity = self.vm.run(10_000);
            let mut found = None;
            for event in self.vm.take_events() {
                if let VmEvent::Transcript { text, .. } = &event {
                    self.transcript.push_str(text);
                }
                if found.is_none() {
                    found = wanted(&self.vm, event);
                }
            }
            if let Some(found) = found {
                return found;
            }
            assert!(Instant::now() < deadline, "what was waited for never came");
            match activity {
                Activity::Busy => {}
                Activity::SleepingFor(time) => std::thread::sleep(time.min(PATIENCE)),
                Activity::Idle => panic!("the machine has nothing to do any more"),
            }
        }
    }

    /// Runs all that can run without waiting for the clock.
    pub(crate) fn run_all(&mut self) -> Vec<VmEvent> {
        let deadline = Instant::now() + PATIENCE;
        while self.vm.run(10_000) == Activity::Busy {
            assert!(Instant::now() < deadline, "the machine never comes to rest");
        }
        self.vm.take_events()
    }

    /// Evaluates to the end and prints the value.
    pub(crate) fn eval(&mut self, source: &str) -> Answer {
        let process = self.spawn(source);
        let value = self.run_until(|_, event| match event {
            VmEvent::Finished {
                process: ended,
                value,
            } if ended == process => Some(Ok(value)),
            VmEvent::Failed {
                process: failed,
                child: false,
                class_name,
                message,
                ..
            } if failed == process => Some(Err(format!("{class_name}: {message}"))),
            _ => None,
        });
        match value {
            Ok(value) => {
                let options = SpawnOptions::default();
                let printing = self.vm.spawn_send(value.oop(), "printString", &[], options);
                self.run_until(|vm, event| match event {
                    VmEvent::Finished { process, value } if process == printing => {
                        Some(Ok(vm.text(value.oop()).unwrap_or_default()))
                    }
                    VmEvent::Failed {
                        process,
                        class_name,
                        message,
                        ..
                    } if process == printing => {
                        Some(Err(format!("printing failed: {class_name}: {message}")))
                    }
                    _ => None,
                })
            }
            Err(error) => {
                self.vm.interrupt(process);
                Err(error)
            }
        }
    }

    /// Asserts what an expression prints.
    #[track_caller]
    pub(crate) fn prints(&mut self, source: &str, expected: &str) {
        assert_eq!(self.eval(source), Ok(expected.to_owned()), "{source}");
    }

    /// Asserts class and message of the exception that ends an evaluation.
    #[track_caller]
    pub(crate) fn fails(&mut self, source: &str, expected: &str) {
        assert_eq!(self.eval(source), Err(expected.to_owned()), "{source}");
    }
}

/// Asserts what expressions print, each in the same session.
#[track_caller]
pub(crate) fn all_print(cases: &[(&str, &str)]) {
    let mut world = World::new();
    for (source, expected) in cases {
        world.prints(source, expected);
    }
}

//! The engine: the virtual machine on a thread of its own, and what the server wants from it as jobs.
//!
//! The server sends [`Command`]s, the engine answers [`Report`]s; both are plain data. Every evaluation
//! runs in a Smalltalk process, and so does everything else that can run code of a user: printing an
//! answer, asking a collection for its size, the views of an inspector. Such a process can fail, run
//! for ever or use up all memory, and costs at most itself: the machine runs in slices, between which
//! commands are obeyed and deadlines kept.
//!
//! - `messages`: commands and reports.
//! - `machine`: the loop, what happens in it, and deadlines. `jobs`: what a job is, and how it is
//!   begun and stopped. `evaluate`, `inspect`, `debug`: the jobs; `ask`: what is answered without one.
//! - `describe`: printing with limits. `registry`: the objects that a session keeps.
//!   `transcript`: what is written to Transcript.

mod ask;
mod debug;
mod describe;
mod evaluate;
mod failure;
mod inspect;
mod jobs;
mod machine;
mod messages;
mod registry;
mod transcript;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, TrySendError};

use crate::vm::{BootError, Vm, VmConfig};

pub use debug::{MAX_DEBUGGERS, MAX_DEBUGGERS_OF_SESSION};
pub(crate) use debug::{debug_id, debugger_number, no_debugger};
pub(crate) use failure::interrupted;
pub use inspect::MAX_ROWS;
pub use machine::MAX_RESULT;
pub use messages::{
    Command, DebuggerNumber, Debugging, Evaluation, Inspection, JobId, ObjectKey, Question, Report,
    SessionNumber, Subject,
};
pub use registry::MAX_OBJECTS;

/// Most reports that wait for the server.
const MAX_REPORTS: usize = 1024;

/// Why the engine does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The class library does not load.
    #[error(transparent)]
    Boot(#[from] BootError),
    /// There is no thread for it.
    #[error("no thread: {0}")]
    Thread(#[from] std::io::Error),
    /// It failed while starting.
    #[error("its thread failed")]
    Died,
}

/// The engine's end of the reports: keeps them in order, wakes the server once for several.
pub struct ReportTo {
    reports: Sender<Report>,
    wake: Box<dyn Fn() + Send>,
    is_dirty: bool,
}

/// A channel for reports. `wake` is called when there are some to read.
pub fn report_channel(wake: impl Fn() + Send + 'static) -> (ReportTo, Receiver<Report>) {
    let (reports, receiver) = crossbeam_channel::bounded(MAX_REPORTS);
    let report_to = ReportTo {
        reports,
        wake: Box::new(wake),
        is_dirty: false,
    };
    (report_to, receiver)
}

impl ReportTo {
    /// Adds a report. Waits if the server is far behind.
    fn push(&mut self, report: Report) {
        self.is_dirty = true;
        if let Err(TrySendError::Full(report)) = self.reports.try_send(report) {
            self.flush();
            // It fails only when nobody listens any more.
            let _ = self.reports.send(report);
            self.is_dirty = true;
        }
    }

    /// Wakes the server if there is anything new.
    fn flush(&mut self) {
        if std::mem::take(&mut self.is_dirty) {
            (self.wake)();
        }
    }
}

/// A running engine. It ends, whatever it is doing, when this is dropped.
#[derive(Debug)]
pub struct Engine {
    commands: Sender<Command>,
    thread: Option<JoinHandle<()>>,
}

impl Engine {
    /// Boots a virtual machine on a thread of its own; when this returns, it is ready.
    ///
    /// # Errors
    /// If the class library does not load, or there is no thread.
    pub fn start(config: VmConfig, mut report_to: ReportTo) -> Result<Engine, StartError> {
        // Not bounded: what the server sends is, by its own limits on jobs and sessions.
        let (commands, receiver) = crossbeam_channel::unbounded();
        let (booted, booting) = crossbeam_channel::bounded(1);
        let thread = std::thread::Builder::new()
            .name("stui-engine".into())
            .spawn(move || {
                let vm = match Vm::boot(config) {
                    Ok(vm) => vm,
                    Err(error) => {
                        let _ = booted.send(Err(error));
                        return;
                    }
                };
                let _ = booted.send(Ok(()));
                let mut machine = machine::Machine::new(vm, receiver, &mut report_to);
                let ended = catch_unwind(AssertUnwindSafe(|| machine.run()));
                if ended.is_err() {
                    tracing::error!("the engine failed");
                    report_to.push(Report::Died {
                        reason: "The virtual machine failed".into(),
                    });
                    report_to.flush();
                }
            })?;
        match booting.recv() {
            Ok(Ok(())) => Ok(Engine {
                commands,
                thread: Some(thread),
            }),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(StartError::Died),
        }
    }

    /// Where to send commands.
    pub fn commands(&self) -> Sender<Command> {
        self.commands.clone()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // It fails only when the engine has ended.
        let _ = self.commands.send(Command::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

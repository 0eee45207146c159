//! Jobs: what the engine was asked for and is at work on.
//!
//! A job has at most one *main* process, which runs the user's code, and then *tasks*: processes that
//! print, count and list what is to be answered. The job is over when none of them is left, or at once
//! when it is stopped while tasks run.

use std::time::{Duration, Instant};

use stui_protocol::error::RuntimeError;
use stui_protocol::response::Response;

use super::debug::DebugWork;
use super::evaluate::EvaluateWork;
use super::failure;
use super::inspect::InspectWork;
use super::machine::Machine;
use super::messages::{DebuggerNumber, JobId, SessionNumber};
use crate::vm::{BindingsId, Oop, ProcessId, SpawnOptions};

/// How long a task may take.
pub(super) const TASK_LIMIT: Duration = Duration::from_secs(2);
/// How long unwind blocks may take once a process is interrupted.
pub(super) const UNWIND_LIMIT: Duration = Duration::from_secs(1);

/// What a process is there for.
#[derive(Debug)]
pub(super) enum Role {
    /// It runs the code of a job.
    Main(JobId),
    /// It finds something out for a job.
    Task(JobId, Task),
    /// It is kept for a debugger.
    Debugged(DebuggerNumber),
    /// Nobody waits for it: its unwind blocks run.
    Unwinding,
}

/// What a task finds out. Numbers are those of an inspection's nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    /// The print string.
    Print(usize),
    /// The display string.
    Display,
    /// The number of elements.
    Size(usize),
    /// The ways to look at an object.
    Views,
    /// The rows of the chosen view, or of a child's first one.
    Rows(usize),
    /// The text of the chosen view.
    Text,
}

/// Why a task has no result.
#[derive(Debug, Clone)]
pub(super) struct Trouble(pub(super) String);

/// A process that the engine spawned.
#[derive(Debug)]
pub(super) struct Process {
    /// What it is there for.
    pub(super) role: Role,
    /// When it is ended.
    pub(super) deadline: Option<Instant>,
}

/// Why a job is being stopped.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stop {
    Interrupted,
    TimedOut,
}

/// What a job does.
#[derive(Debug)]
pub(super) enum Work {
    /// Evaluate code.
    Evaluate(EvaluateWork),
    /// Look into an object.
    Inspect(Box<InspectWork>),
    /// Work on a process that is kept.
    Debug(Box<DebugWork>),
}

/// A job under way.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) id: JobId,
    /// The session that it is done in.
    pub(super) session: Option<SessionNumber>,
    /// The variables that its code sees.
    pub(super) bindings: BindingsId,
    owns_bindings: bool,
    pub(super) began: Instant,
    /// How long its code ran, once that is over.
    pub(super) ran: Option<Duration>,
    limit: Option<Duration>,
    pub(super) deadline: Option<Instant>,
    pub(super) stop: Option<Stop>,
    pub(super) main: Option<ProcessId>,
    /// How many tasks are not done.
    pub(super) tasks: usize,
    /// What it does.
    pub(super) work: Work,
    /// What to answer, once it is over.
    pub(super) response: Option<Response>,
}

impl Job {
    /// How long its code ran.
    pub(super) fn milliseconds(&self) -> u64 {
        let ran = self.ran.unwrap_or_default().as_millis();
        u64::try_from(ran).unwrap_or(u64::MAX)
    }

    /// It was stopped, and is over.
    pub(super) fn stopped(&mut self) {
        self.answer(match self.stop {
            Some(Stop::Interrupted) => failure::interrupted(),
            Some(Stop::TimedOut) => failure::timed_out(self.limit.unwrap_or_default()),
            None => failure::terminated(),
        });
    }

    /// Its code has failed, and it is over.
    pub(super) fn failed(&mut self, error: RuntimeError) {
        match self.work {
            Work::Evaluate(_) => self.answer(super::evaluate::failed(error, self.milliseconds())),
            Work::Inspect(_) | Work::Debug(_) => self.answer(failure::evaluation_error(error)),
        }
    }

    /// It is over, with this answer.
    pub(super) fn answer(&mut self, response: impl Into<Response>) {
        self.response = Some(response.into());
    }
}

impl Machine<'_> {
    pub(super) fn begin(
        &mut self,
        id: JobId,
        session: Option<SessionNumber>,
        limit: Option<Duration>,
        work: Work,
        first: impl FnOnce(&mut Self, &mut Job),
    ) {
        let of_session = session.and_then(|number| self.sessions.get(&number));
        let (bindings, owns_bindings) = match of_session {
            Some(session) => (session.bindings, false),
            None => (self.vm.new_bindings(), true),
        };
        let began = Instant::now();
        let deadline = limit.and_then(|limit| began.checked_add(limit));
        let mut job = Job {
            id,
            session,
            bindings,
            owns_bindings,
            began,
            ran: None,
            limit,
            deadline,
            stop: None,
            main: None,
            tasks: 0,
            work,
            response: None,
        };
        self.note_deadline(deadline);
        first(self, &mut job);
        self.put_back(job);
    }

    /// Lets a job do something, if it is not over.
    pub(super) fn with_job(&mut self, id: JobId, act: impl FnOnce(&mut Self, &mut Job)) {
        if let Some(mut job) = self.jobs.remove(&id) {
            act(self, &mut job);
            self.put_back(job);
        }
    }

    /// Keeps a job, or, if it has its answer, reports that.
    fn put_back(&mut self, mut job: Job) {
        let Some(response) = job.response.take() else {
            self.jobs.insert(job.id, job);
            return;
        };
        if job.tasks > 0 {
            self.end_tasks(job.id);
        }
        if job.owns_bindings {
            self.vm.drop_bindings(job.bindings);
        }
        let elapsed = job.ran.unwrap_or_else(|| job.began.elapsed());
        self.ended(job.id, response, elapsed);
    }

    /// Compiles code and runs it as a job's main process; one that does not compile is the answer.
    pub(super) fn spawn_main(&mut self, job: &mut Job, code: &str, strict: bool) {
        let (heeds_breakpoints, stopped) = match &job.work {
            Work::Evaluate(work) => (job.session.is_some(), work.is_stopped()),
            _ => (false, false),
        };
        let options = SpawnOptions {
            strict,
            heeds_breakpoints,
            stopped,
            ..SpawnOptions::default()
        };
        match self.vm.spawn(code, job.bindings, options) {
            Ok(process) => {
                job.main = Some(process);
                self.remember_origin(process, job.session);
                self.processes.insert(
                    process,
                    Process {
                        role: Role::Main(job.id),
                        deadline: None,
                    },
                );
            }
            Err(error) => job.answer(failure::compile_error(code, &error)),
        }
    }

    /// Sends a message in a process of its own, to find something out for a job.
    pub(super) fn spawn_task(
        &mut self,
        job: &mut Job,
        task: Task,
        receiver: Oop,
        selector: &str,
        arguments: &[Oop],
    ) {
        let options = SpawnOptions::default();
        let process = self.vm.spawn_send(receiver, selector, arguments, options);
        let deadline = Some(Instant::now() + TASK_LIMIT);
        self.note_deadline(deadline);
        job.tasks += 1;
        self.remember_origin(process, job.session);
        self.processes.insert(
            process,
            Process {
                role: Role::Task(job.id, task),
                deadline,
            },
        );
    }

    /// Stops a job: its tasks at once, its code as soon as its unwind blocks are done, or at once if
    /// it was being stopped already.
    pub(super) fn stop(&mut self, id: JobId, why: Stop) {
        self.with_job(id, |machine, job| match job.main {
            Some(process) if job.stop.is_some() => {
                machine.vm.terminate(process);
            }
            Some(process) => {
                job.stop = Some(why);
                job.deadline = None;
                let deadline = Some(Instant::now() + UNWIND_LIMIT);
                machine.note_deadline(deadline);
                if let Some(process) = machine.processes.get_mut(&process) {
                    process.deadline = deadline;
                }
                machine.vm.interrupt(process);
            }
            None if matches!(job.work, Work::Debug(_)) => machine.stop_debugging(job, why),
            None => {
                job.stop = Some(why);
                job.stopped();
            }
        });
    }

    /// Ends the tasks of a job that needs them no longer.
    fn end_tasks(&mut self, id: JobId) {
        let tasks: Vec<ProcessId> = self
            .processes
            .iter()
            .filter(|(_, process)| matches!(process.role, Role::Task(job, _) if job == id))
            .map(|(process, _)| *process)
            .collect();
        for process in tasks {
            self.processes.remove(&process);
            self.vm.terminate(process);
        }
    }
}

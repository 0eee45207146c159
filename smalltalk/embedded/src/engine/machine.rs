//! The engine's loop: commands, slices of running, what happened in them, deadlines.
//!
//! A job has at most one *main* process, which runs the user's code, and then *tasks*: processes that
//! print, count and list what is to be answered. The job is over when none of them is left, or at once
//! when it is stopped while tasks run.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use stui_protocol::error::RuntimeError;
use stui_protocol::response::{ReleaseObjects, Response};

use super::evaluate::EvaluateWork;
use super::inspect::InspectWork;
use super::messages::{Command, JobId, Report, SessionNumber};
use super::registry::Registry;
use super::{ReportTo, failure};
use crate::vm::{
    Activity, BindingsId, Oop, ProcessId, Root, SpawnOptions, StackFrame, Vm, VmEvent,
};

/// Most characters of an answer that are printed.
pub const MAX_RESULT: usize = 100_000;
/// Activations and loop rounds between two looks at the commands: half a millisecond or so.
const BUDGET: u64 = 50_000;
/// How long a task may take.
const TASK_LIMIT: Duration = Duration::from_secs(2);
/// How long unwind blocks may take once a process is interrupted.
const UNWIND_LIMIT: Duration = Duration::from_secs(1);
/// Of how many ended processes the session is known, so that what their children write gets there.
const MAX_ORIGINS: usize = 65_536;
/// Most bytes of one report of transcript text.
const MAX_TRANSCRIPT: usize = 64 * 1024;

/// What a process is there for.
#[derive(Debug)]
enum Role {
    /// It runs the code of a job.
    Main(JobId),
    /// It finds something out for a job.
    Task(JobId, Task),
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

#[derive(Debug)]
struct Process {
    role: Role,
    deadline: Option<Instant>,
}

/// What a session is to the engine.
#[derive(Debug)]
pub(super) struct Session {
    /// Its variables.
    pub(super) bindings: BindingsId,
    /// The objects that it keeps.
    pub(super) registry: Registry,
}

/// Why a job is being stopped.
#[derive(Debug, Clone, Copy)]
enum Stop {
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
}

/// A job under way.
#[derive(Debug)]
pub(super) struct Job {
    id: JobId,
    /// The session that it is done in.
    pub(super) session: Option<SessionNumber>,
    /// The variables that its code sees.
    bindings: BindingsId,
    owns_bindings: bool,
    began: Instant,
    /// How long its code ran, once that is over.
    ran: Option<Duration>,
    limit: Option<Duration>,
    deadline: Option<Instant>,
    stop: Option<Stop>,
    main: Option<ProcessId>,
    /// How many tasks are not done.
    tasks: usize,
    /// What it does.
    pub(super) work: Work,
    /// What to answer, once it is over.
    response: Option<Response>,
}

impl Job {
    /// How long its code ran.
    pub(super) fn milliseconds(&self) -> u64 {
        let ran = self.ran.unwrap_or_default().as_millis();
        u64::try_from(ran).unwrap_or(u64::MAX)
    }

    /// It is over, with this answer.
    pub(super) fn answer(&mut self, response: impl Into<Response>) {
        self.response = Some(response.into());
    }
}

/// The engine, on its thread.
pub(super) struct Machine<'a> {
    pub(super) vm: Vm,
    commands: Receiver<Command>,
    reports: &'a mut ReportTo,
    pub(super) sessions: HashMap<SessionNumber, Session>,
    jobs: HashMap<JobId, Job>,
    processes: HashMap<ProcessId, Process>,
    /// The sessions of processes, ended ones included, and the order in which they came.
    origins: HashMap<ProcessId, SessionNumber>,
    origins_in_order: VecDeque<ProcessId>,
    /// The classes that came with the system.
    pub(super) library: HashSet<Oop>,
    /// No deadline comes before.
    next_deadline: Option<Instant>,
    is_stopping: bool,
}

impl<'a> Machine<'a> {
    /// An engine with a booted machine.
    pub(super) fn new(vm: Vm, commands: Receiver<Command>, reports: &'a mut ReportTo) -> Self {
        let library = super::ask::all_classes(&vm).into_iter().collect();
        Machine {
            vm,
            commands,
            reports,
            sessions: HashMap::new(),
            jobs: HashMap::new(),
            processes: HashMap::new(),
            origins: HashMap::new(),
            origins_in_order: VecDeque::new(),
            library,
            next_deadline: None,
            is_stopping: false,
        }
    }

    /// Works until it is told to stop.
    pub(super) fn run(&mut self) {
        while !self.is_stopping {
            while let Ok(command) = self.commands.try_recv() {
                self.obey(command);
            }
            let activity = self.vm.run(BUDGET);
            let events = self.vm.take_events();
            let is_quiet = events.is_empty();
            for event in events {
                self.happened(event);
            }
            self.keep_deadlines();
            self.reports.flush();
            match activity {
                Activity::Busy => {}
                _ if !is_quiet => {}
                Activity::SleepingFor(delay) => self.sleep(Some(Instant::now() + delay)),
                Activity::Idle => self.sleep(None),
            }
        }
    }

    /// Waits for a command, until a time or the next deadline.
    fn sleep(&mut self, until: Option<Instant>) {
        let until = match (until, self.next_deadline) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let command = match until {
            Some(until) => self.commands.recv_deadline(until),
            None => self
                .commands
                .recv()
                .map_err(|_| RecvTimeoutError::Disconnected),
        };
        match command {
            Ok(command) => self.obey(command),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => self.is_stopping = true,
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Evaluate(evaluation) => {
                let timeout = evaluation.timeout;
                let (session, id) = (evaluation.session, evaluation.job);
                let work = Work::Evaluate(EvaluateWork::new(evaluation));
                self.begin(id, session, timeout, work, Self::begin_evaluation);
            }
            Command::Inspect(inspection) => {
                let timeout = Some(inspection.timeout);
                let (session, id) = (inspection.session, inspection.job);
                let work = Work::Inspect(Box::new(InspectWork::new(inspection)));
                self.begin(id, session, timeout, work, Self::begin_inspection);
            }
            Command::Ask { job, question } => {
                let response = self.answer(question);
                self.ended(job, response, Duration::ZERO);
            }
            Command::Interrupt { job } => self.stop(job, Stop::Interrupted),
            Command::OpenSession { session, prefix } => {
                let bindings = self.vm.new_bindings();
                let registry = Registry::new(prefix);
                self.sessions
                    .insert(session, Session { bindings, registry });
            }
            Command::CloseSession { session } => self.close_session(session),
            Command::Release { job, objects } => {
                let released = objects
                    .iter()
                    .filter(|object| {
                        self.sessions
                            .get_mut(&object.session)
                            .is_some_and(|session| session.registry.release(object.number))
                    })
                    .count() as u64;
                self.ended(job, ReleaseObjects { released }.into(), Duration::ZERO);
            }
            Command::Stop => self.is_stopping = true,
        }
    }

    fn close_session(&mut self, number: SessionNumber) {
        let jobs: Vec<JobId> = self
            .jobs
            .values()
            .filter(|job| job.session == Some(number))
            .map(|job| job.id)
            .collect();
        for job in jobs {
            self.stop(job, Stop::Interrupted);
        }
        if let Some(session) = self.sessions.remove(&number) {
            self.vm.drop_bindings(session.bindings);
        }
    }

    // ---- jobs

    fn begin(
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
    fn with_job(&mut self, id: JobId, act: impl FnOnce(&mut Self, &mut Job)) {
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

    fn ended(&mut self, job: JobId, response: Response, elapsed: Duration) {
        self.reports.push(Report::Ended {
            job,
            response: Box::new(response),
            elapsed,
        });
    }

    /// Compiles code and runs it as a job's main process; one that does not compile is the answer.
    pub(super) fn spawn_main(&mut self, job: &mut Job, code: &str, strict: bool) {
        let options = SpawnOptions {
            strict,
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

    fn remember_origin(&mut self, process: ProcessId, session: Option<SessionNumber>) {
        if let Some(session) = session {
            if self.origins_in_order.len() >= MAX_ORIGINS
                && let Some(oldest) = self.origins_in_order.pop_front()
            {
                self.origins.remove(&oldest);
            }
            self.origins.insert(process, session);
            self.origins_in_order.push_back(process);
        }
    }

    /// Stops a job: its tasks at once, its code as soon as its unwind blocks are done, or at once if
    /// it was being stopped already.
    fn stop(&mut self, id: JobId, why: Stop) {
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
            None => {
                job.stop = Some(why);
                machine.stopped(job);
            }
        });
    }

    /// A job that was being stopped is over.
    fn stopped(&mut self, job: &mut Job) {
        let error = match job.stop {
            Some(Stop::Interrupted) => failure::interrupted(),
            Some(Stop::TimedOut) => failure::timed_out(job.limit.unwrap_or_default()),
            None => failure::terminated(),
        };
        job.answer(error);
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

    // ---- what happens

    fn happened(&mut self, event: VmEvent) {
        match event {
            VmEvent::Finished { process, value } => match self.forget(process) {
                Some(Role::Main(job)) => self.with_job(job, |machine, job| {
                    job.main = None;
                    job.ran = Some(job.began.elapsed());
                    machine.main_done(job, value);
                }),
                Some(Role::Task(job, task)) => self.task_ended(job, task, Ok(value)),
                Some(Role::Unwinding) | None => {}
            },
            VmEvent::Failed {
                process,
                child: true,
                class_name,
                message,
                stack,
                ..
            } => self.child_failed(process, class_name, &message, &stack),
            VmEvent::Failed {
                process,
                class_name,
                message,
                stack,
                terminated,
                ..
            } => self.failed(process, class_name, &message, &stack, terminated),
            VmEvent::Terminated { process } => match self.forget(process) {
                Some(Role::Main(job)) => self.with_job(job, |machine, job| {
                    job.main = None;
                    job.ran = Some(job.began.elapsed());
                    machine.stopped(job);
                }),
                Some(Role::Task(job, task)) => {
                    let trouble = Trouble("its process was terminated".into());
                    self.task_ended(job, task, Err(trouble));
                }
                Some(Role::Unwinding) | None => {}
            },
            VmEvent::Transcript { process, text } => {
                let session = process.and_then(|process| self.origins.get(&process).copied());
                self.transcript(session, text);
            }
        }
    }

    fn forget(&mut self, process: ProcessId) -> Option<Role> {
        self.processes.remove(&process).map(|process| process.role)
    }

    /// Nothing handles an exception of a process that the engine spawned.
    fn failed(
        &mut self,
        process: ProcessId,
        class_name: String,
        message: &str,
        stack: &[StackFrame],
        is_over: bool,
    ) {
        match self.forget(process) {
            Some(Role::Main(job)) => {
                let is_stopping = self.jobs.get(&job).is_some_and(|job| job.stop.is_some());
                if !is_over && is_stopping {
                    // An unwind block failed while others may still have to run.
                    self.vm.terminate(process);
                } else if !is_over {
                    self.unwind(process);
                }
                self.with_job(job, |machine, job| {
                    job.main = None;
                    job.ran = Some(job.began.elapsed());
                    if job.stop.is_some() {
                        machine.stopped(job);
                    } else {
                        let error = failure::runtime_error(class_name, message, stack);
                        machine.main_failed(job, error);
                    }
                });
            }
            Some(Role::Task(job, task)) => {
                if !is_over {
                    self.unwind(process);
                }
                let text = RuntimeError {
                    class_name,
                    message: message.to_owned(),
                    ..RuntimeError::default()
                };
                self.task_ended(job, task, Err(Trouble(text.summary())));
            }
            Some(Role::Unwinding) | None => {
                if !is_over {
                    self.vm.terminate(process);
                }
            }
        }
    }

    /// Ends a process that failed: its unwind blocks run, but nobody waits for them.
    fn unwind(&mut self, process: ProcessId) {
        let deadline = Some(Instant::now() + UNWIND_LIMIT);
        self.note_deadline(deadline);
        let role = Role::Unwinding;
        self.processes.insert(process, Process { role, deadline });
        self.vm.interrupt(process);
    }

    /// A process that somebody's code forked has failed: nobody waits for it, so it is told where the
    /// code's other output goes.
    fn child_failed(
        &mut self,
        process: ProcessId,
        class_name: String,
        message: &str,
        stack: &[StackFrame],
    ) {
        let error = failure::runtime_error(class_name, message, stack);
        let mut text = format!("A forked process failed. {}\n", error.summary());
        for frame in error.stack.iter().take(5) {
            text.push_str("    ");
            text.push_str(&frame.method);
            text.push('\n');
        }
        let session = self.origins.get(&process).copied();
        self.transcript(session, text);
    }

    fn transcript(&mut self, session: Option<SessionNumber>, text: String) {
        let mut rest = text.as_str();
        while rest.len() > MAX_TRANSCRIPT {
            let end = (0..=MAX_TRANSCRIPT)
                .rev()
                .find(|end| rest.is_char_boundary(*end))
                .unwrap_or(0);
            let (piece, behind) = rest.split_at(end);
            self.reports.push(Report::Transcript {
                session,
                text: piece.to_owned(),
            });
            rest = behind;
        }
        let text = if rest.len() == text.len() {
            text
        } else {
            rest.to_owned()
        };
        self.reports.push(Report::Transcript { session, text });
    }

    /// A job's code has its answer.
    fn main_done(&mut self, job: &mut Job, value: Root) {
        job.deadline = None;
        match job.work {
            Work::Evaluate(_) => self.evaluated(job, value),
            Work::Inspect(_) => self.inspect_object(job, value),
        }
    }

    /// A job's code has failed.
    fn main_failed(&mut self, job: &mut Job, error: RuntimeError) {
        match &job.work {
            Work::Evaluate(work) => {
                let mut response = work.failed(error);
                response.execution_time = job.milliseconds();
                job.answer(response);
            }
            Work::Inspect(_) => job.answer(failure::evaluation_error(error)),
        }
    }

    fn task_ended(&mut self, job: JobId, task: Task, result: Result<Root, Trouble>) {
        self.with_job(job, |machine, job| {
            job.tasks -= 1;
            match job.work {
                Work::Evaluate(_) => machine.evaluation_task_done(job, task, result),
                Work::Inspect(_) => machine.inspection_task_done(job, task, result),
            }
            if job.tasks == 0 && job.response.is_none() {
                machine.all_tasks_done(job);
            }
        });
    }

    /// Everything that is to be answered is known.
    pub(super) fn all_tasks_done(&mut self, job: &mut Job) {
        match job.work {
            Work::Evaluate(_) => self.end_evaluation(job),
            Work::Inspect(_) => self.end_inspection(job),
        }
    }

    // ---- deadlines

    fn note_deadline(&mut self, deadline: Option<Instant>) {
        self.next_deadline = match (self.next_deadline, deadline) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }

    /// Stops what has taken too long.
    fn keep_deadlines(&mut self) {
        let Some(next) = self.next_deadline else {
            return;
        };
        let now = Instant::now();
        if now < next {
            return;
        }
        let jobs: Vec<JobId> = self
            .jobs
            .values()
            .filter(|job| job.deadline.is_some_and(|deadline| deadline <= now))
            .map(|job| job.id)
            .collect();
        for job in jobs {
            self.stop(job, Stop::TimedOut);
        }
        let processes: Vec<ProcessId> = self
            .processes
            .iter()
            .filter(|(_, process)| process.deadline.is_some_and(|deadline| deadline <= now))
            .map(|(id, _)| *id)
            .collect();
        for id in processes {
            self.vm.terminate(id);
            if let Some(Process {
                role: Role::Task(job, task),
                ..
            }) = self.processes.get(&id)
            {
                let (job, task) = (*job, *task);
                self.processes.remove(&id);
                let limit = TASK_LIMIT.as_secs();
                let trouble = Trouble(format!("it took longer than {limit} s"));
                self.task_ended(job, task, Err(trouble));
            }
        }
        let of_jobs = self.jobs.values().filter_map(|job| job.deadline);
        let of_processes = self
            .processes
            .values()
            .filter_map(|process| process.deadline);
        // What is due now was dealt with: it ends with an event.
        self.next_deadline = of_jobs
            .chain(of_processes)
            .filter(|deadline| *deadline > now)
            .min();
    }
}

//! The engine's loop: commands, slices of running, what happened in them, deadlines.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use stui_protocol::error::RuntimeError;
use stui_protocol::response::{Interrupt, ReleaseObjects, Response};

use super::debug::{DEBUG_LIMIT, DebugWork, Debugger};
use super::evaluate::EvaluateWork;
use super::inspect::InspectWork;
use super::jobs::{Job, Process, Role, Stop, TASK_LIMIT, Task, Trouble, UNWIND_LIMIT, Work};
use super::messages::{Command, DebuggerNumber, JobId, Report, SessionNumber};
use super::registry::Registry;
use super::transcript::Gathered;
use super::{ReportTo, failure};
use crate::vm::{Activity, BindingsId, Oop, ProcessId, Root, StackFrame, Vm, VmEvent, class, slot};

/// Most characters of an answer that are printed.
pub const MAX_RESULT: usize = 100_000;
/// Activations and loop rounds between two looks at the commands: half a millisecond or so.
const BUDGET: u64 = 50_000;
/// The exception of a process that would take too much memory.
const OUT_OF_MEMORY: &str = "OutOfMemory";
/// Of how many ended processes the session is known, so that what their children write gets there.
const MAX_ORIGINS: usize = 65_536;

/// What a session is to the engine.
#[derive(Debug)]
pub(super) struct Session {
    /// Its variables.
    pub(super) bindings: BindingsId,
    /// The objects that it keeps.
    pub(super) registry: Registry,
}

/// The engine, on its thread.
pub(super) struct Machine<'a> {
    pub(super) vm: Vm,
    commands: Receiver<Command>,
    reports: &'a mut ReportTo,
    transcript: Gathered,
    pub(super) sessions: HashMap<SessionNumber, Session>,
    pub(super) jobs: HashMap<JobId, Job>,
    pub(super) processes: HashMap<ProcessId, Process>,
    /// Processes that are kept, oldest first.
    pub(super) debuggers: BTreeMap<DebuggerNumber, Debugger>,
    pub(super) last_debugger: DebuggerNumber,
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
            transcript: Gathered::new(Instant::now()),
            sessions: HashMap::new(),
            jobs: HashMap::new(),
            processes: HashMap::new(),
            debuggers: BTreeMap::new(),
            last_debugger: 0,
            origins: HashMap::new(),
            origins_in_order: VecDeque::new(),
            library,
            next_deadline: None,
            is_stopping: false,
        }
    }

    /// Works until it is told to stop.
    pub(super) fn run(&mut self) {
        loop {
            while let Ok(command) = self.commands.try_recv() {
                self.obey(command);
            }
            if self.is_stopping {
                return;
            }
            let activity = self.vm.run(BUDGET);
            let events = self.vm.take_events();
            let is_quiet = events.is_empty();
            for event in events {
                self.happened(event);
            }
            self.keep_deadlines();
            self.transcript.pass(Instant::now());
            self.transcript.flush(self.reports);
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
        self.transcript.settle(self.reports);
        self.reports.flush();
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
            Command::Debug(debugging) => {
                let (session, id) = (debugging.session, debugging.job);
                let work = Work::Debug(Box::new(DebugWork::new(debugging)));
                let limit = Some(DEBUG_LIMIT);
                self.begin(id, Some(session), limit, work, Self::begin_debugging);
            }
            Command::Breakpoint {
                job,
                class_name,
                method_name,
                is_set,
            } => {
                let response = self.breakpoint(&class_name, &method_name, is_set);
                self.ended(job, response, Duration::ZERO);
            }
            Command::Pause { debugger } => self.pause_debugger(debugger),
            Command::Ask { job, question } => {
                let response = self.answer(question);
                self.ended(job, response, Duration::ZERO);
            }
            Command::Interrupt { job } => self.stop(job, Stop::Interrupted),
            Command::InterruptForked { job, session } => {
                let owners = self.owners(session).into_iter();
                let forked: usize = owners.map(|owner| self.vm.interrupt_children(owner)).sum();
                let answer = Interrupt {
                    interrupted: forked > 0,
                    forked: Some(forked as u64),
                    ..Interrupt::default()
                };
                self.ended(job, answer.into(), Duration::ZERO);
            }
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
        self.close_debuggers(number);
        self.end_children(number);
        if let Some(session) = self.sessions.remove(&number) {
            self.vm.drop_bindings(session.bindings);
        }
    }

    /// Ends the processes that evaluations of a session forked and left behind.
    fn end_children(&mut self, session: SessionNumber) {
        for owner in self.owners(session) {
            self.vm.terminate_children(owner);
        }
    }

    /// Those processes of a session that others which still exist belong to.
    fn owners(&self, session: SessionNumber) -> HashSet<ProcessId> {
        self.vm
            .heap
            .all_objects()
            .filter(|object| self.vm.class_of(*object) == class::PROCESS)
            .filter_map(|process| self.vm.heap.slot(process, slot::PROCESS_OWNER).as_size())
            .map(|owner| ProcessId(owner as u64))
            .filter(|owner| self.origins.get(owner) == Some(&session))
            .collect()
    }

    /// Tells the server, after what was written before.
    pub(super) fn report(&mut self, report: Report) {
        self.transcript.settle(self.reports);
        self.reports.push(report);
    }

    /// A job is over: tells the server.
    pub(super) fn ended(&mut self, job: JobId, response: Response, elapsed: Duration) {
        self.report(Report::Ended {
            job,
            response: Box::new(response),
            elapsed,
        });
    }

    /// What a process and its children write belongs to a session.
    pub(super) fn remember_origin(&mut self, process: ProcessId, session: Option<SessionNumber>) {
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
                Some(Role::Debugged(debugger)) => self.debugged_ended(debugger, Some(value)),
                Some(Role::Unwinding) | None => {}
            },
            VmEvent::Failed {
                process,
                child: true,
                class_name,
                message,
                stack,
                context,
                terminated,
                failed,
                ..
            } => {
                let error = failure::runtime_error(class_name, &message, &stack);
                self.child_failed(process, &error);
                let session = self.origins.get(&process).copied();
                if let Some(session) = session.filter(|_| !terminated) {
                    self.keep_forked(session, failed.oop(), context, &error);
                }
            }
            VmEvent::Failed {
                process,
                class_name,
                message,
                context,
                stack,
                terminated,
                ..
            } => {
                let kept = (!terminated).then_some(context);
                self.failed(process, class_name, &message, &stack, kept);
            }
            VmEvent::Stopped {
                process,
                context,
                at_breakpoint,
            } => self.stopped(process, context, at_breakpoint),
            VmEvent::Terminated { process } => match self.forget(process) {
                Some(Role::Main(job)) => self.with_job(job, |_, job| {
                    job.main = None;
                    job.ran = Some(job.began.elapsed());
                    job.stopped();
                }),
                Some(Role::Task(job, task)) => {
                    let trouble = Trouble("its process was terminated".into());
                    self.task_ended(job, task, Err(trouble));
                }
                Some(Role::Debugged(debugger)) => self.debugged_ended(debugger, None),
                Some(Role::Unwinding) | None => {}
            },
            VmEvent::Transcript { process, text } => {
                let session = process.and_then(|process| self.origins.get(&process).copied());
                self.transcript.add(session, &text, self.reports);
            }
        }
    }

    fn forget(&mut self, process: ProcessId) -> Option<Role> {
        self.processes.remove(&process).map(|process| process.role)
    }

    /// A process was stopped for its debugger.
    fn stopped(&mut self, process: ProcessId, context: Root, at_breakpoint: bool) {
        match self.forget(process) {
            Some(Role::Main(job)) => self.with_job(job, |machine, job| {
                machine.evaluation_stopped(process, job, context, at_breakpoint);
            }),
            Some(Role::Debugged(debugger)) => {
                let title = at_breakpoint.then(|| "Halt: Breakpoint".to_owned());
                self.debugged_stopped(debugger, context, title);
            }
            _ => {
                self.vm.terminate(process);
            }
        }
    }

    /// Nothing handles an exception of a process that the engine spawned. `context` is where it was signaled,
    /// unless the process is over.
    fn failed(
        &mut self,
        process: ProcessId,
        class_name: String,
        message: &str,
        stack: &[StackFrame],
        context: Option<Root>,
    ) {
        let is_over = context.is_none();
        if class_name == OUT_OF_MEMORY {
            self.end_deep_debuggers();
        }
        match self.forget(process) {
            Some(Role::Debugged(debugger)) => {
                let error = failure::runtime_error(class_name, message, stack);
                match context {
                    Some(context) => self.debugged_failed_again(debugger, context, &error),
                    None => self.debugged_failed(debugger, error),
                }
            }
            Some(Role::Main(job))
                if self.keeps_failed(job)
                    && let Some(context) = context =>
            {
                let error = failure::runtime_error(class_name, message, stack);
                self.with_job(job, |machine, job| {
                    machine.keep_evaluation(process, job, context, error);
                });
            }
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
                    machine.leave_scope(job);
                    if job.stop.is_some() {
                        job.stopped();
                    } else {
                        let error = failure::runtime_error(class_name, message, stack);
                        job.failed(error);
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

    /// Whether the process of a job, if it fails, is kept for a debugger.
    fn keeps_failed(&self, job: JobId) -> bool {
        self.jobs.get(&job).is_some_and(|job| {
            matches!(job.work, Work::Evaluate(_)) && job.session.is_some() && job.stop.is_none()
        })
    }

    /// Ends a process that failed: its unwind blocks run, but nobody waits for them.
    pub(super) fn unwind(&mut self, process: ProcessId) {
        let deadline = Some(Instant::now() + UNWIND_LIMIT);
        self.note_deadline(deadline);
        let role = Role::Unwinding;
        self.processes.insert(process, Process { role, deadline });
        self.vm.interrupt(process);
    }

    /// A process that somebody's code forked has failed: nobody waits for it, so it is told where the
    /// code's other output goes.
    fn child_failed(&mut self, process: ProcessId, error: &RuntimeError) {
        let mut text = format!("A forked process failed. {}\n", error.summary());
        for frame in error.stack.iter().take(5) {
            text.push_str("    ");
            text.push_str(&frame.method);
            text.push('\n');
        }
        let session = self.origins.get(&process).copied();
        self.transcript.add(session, &text, self.reports);
    }

    /// A job's code has its answer.
    fn main_done(&mut self, job: &mut Job, value: Root) {
        job.deadline = None;
        match job.work {
            Work::Evaluate(_) => self.evaluated(job, value),
            Work::Inspect(_) => self.inspect_object(job, value),
            Work::Debug(_) => self.evaluated_in_frame(job, value),
        }
    }

    fn task_ended(&mut self, job: JobId, task: Task, result: Result<Root, Trouble>) {
        self.with_job(job, |machine, job| {
            job.tasks -= 1;
            match job.work {
                Work::Evaluate(_) => machine.evaluation_task_done(job, task, result),
                Work::Inspect(_) => machine.inspection_task_done(job, task, result),
                Work::Debug(_) => machine.debugging_task_done(job, task, result),
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
            Work::Debug(_) => self.end_debugging(job),
        }
    }

    // ---- deadlines

    pub(super) fn note_deadline(&mut self, deadline: Option<Instant>) {
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

//! Debugging: processes of evaluations that failed or were stopped, kept until they are continued to their end,
//! terminated, or their session ends; and what is done with them.
//!
//! A step, or `Continue`, lets the process itself run. The job that asked for it waits, in `Debugger::waiting`, until
//! the process has stopped again or is over.

mod operations;

use std::time::{Duration, Instant};

use stui_protocol::Uuid;
use stui_protocol::error::{ErrorCode, ErrorInfo, RuntimeError};
use stui_protocol::request::DebugOperation;
use stui_protocol::response::{self, DebugInfo};

use super::describe::Description;
use super::failure;
use super::jobs::{Job, Process, Role, Stop, Work};
use super::machine::Machine;
use super::messages::{DebuggerNumber, Debugging, JobId, Report, SessionNumber};
use crate::vm::{FrameScope, Oop, ProcessId, Root};
pub(super) use operations::DEBUG_LIMIT;

/// Most processes of a session that are kept; the oldest one is ended when there are more.
pub const MAX_DEBUGGERS_OF_SESSION: usize = 20;
/// Most processes that are kept in all; the oldest one is ended when there are more.
pub const MAX_DEBUGGERS: usize = 256;
/// Most processes of a session that overflowed their stack and are kept: each takes tens of megabytes.
const MAX_DEEP_OF_SESSION: usize = 1;
/// Most of them in all.
const MAX_DEEP: usize = 3;
/// Most processes of a session that its code forked and that are kept; of those that fail later the transcript tells.
const MAX_FORKED_OF_SESSION: usize = 8;
/// The exception of a process with too deep a stack.
const OVERFLOW: &str = "StackOverflow";
/// What code is called that was stopped, rather than failed.
const HALT: &str = "Halt";
/// The title of a process that was stopped while it did a step.
const INTERRUPTED: &str = "Interrupted";
/// Jobs that the engine begins itself have numbers from here downwards.
const OWN_JOBS: JobId = JobId::MAX;

/// A process that is kept.
#[derive(Debug)]
pub(super) struct Debugger {
    session: SessionNumber,
    /// The request of its evaluation; none: code of the session forked it.
    request: Option<Uuid>,
    process: ProcessId,
    /// The innermost frame that is shown.
    context: Root,
    title: String,
    /// Whether its stack is as deep as it may be.
    is_deep: bool,
    /// When it was last let run.
    resumed: Instant,
    /// The job that waits until it has stopped again.
    waiting: Option<JobId>,
}

/// A value that is being printed for the answer.
#[derive(Debug)]
struct Node {
    name: String,
    object: Root,
    description: Description,
}

/// The end of a continued evaluation, to be told when its value is printed.
#[derive(Debug)]
struct Ending {
    request: Uuid,
    elapsed: Duration,
}

/// An operation under way.
#[derive(Debug)]
pub(super) struct DebugWork {
    debugging: Debugging,
    scope: Option<FrameScope>,
    result: Option<Root>,
    /// Variables; behind them the result, if there is one.
    nodes: Vec<Node>,
    answer: response::Debug,
    ending: Option<Ending>,
}

impl DebugWork {
    /// One that has not begun.
    pub(super) fn new(debugging: Debugging) -> Self {
        DebugWork {
            debugging,
            scope: None,
            result: None,
            nodes: Vec::new(),
            answer: response::Debug::default(),
            ending: None,
        }
    }
}

/// The id of a debugger, for clients.
pub(crate) fn debug_id(number: DebuggerNumber) -> String {
    format!("d{number}")
}

/// The number in the id of a debugger.
pub(crate) fn debugger_number(id: &str) -> Option<DebuggerNumber> {
    id.strip_prefix('d')?.parse().ok()
}

/// The error for the id of a debugger that is no more.
pub(crate) fn no_debugger(id: &str) -> ErrorInfo {
    ErrorInfo::new(
        ErrorCode::ObjectNotFound,
        format!(
            "There is no debugger {id:?} (any more): its process has come to its end, was terminated, or had to make room for newer ones; evaluate the code again."
        ),
    )
}

fn work(job: &mut Job) -> &mut DebugWork {
    match &mut job.work {
        Work::Debug(work) => work,
        _ => unreachable!("a debugger's job debugs"),
    }
}

impl Machine<'_> {
    // ---- debuggers

    /// Keeps a process that failed or was stopped. Answers the debugger's id.
    fn open_debugger(
        &mut self,
        session: SessionNumber,
        request: Option<Uuid>,
        process: ProcessId,
        context: Root,
        error: &RuntimeError,
    ) -> String {
        self.make_room(session);
        let is_deep = error.class_name == OVERFLOW;
        if is_deep {
            self.make_room_for_deep(session);
        }
        self.last_debugger += 1;
        let number = self.last_debugger;
        let deadline = None;
        let role = Role::Debugged(number);
        self.processes.insert(process, Process { role, deadline });
        let debugger = Debugger {
            session,
            request,
            process,
            context,
            title: error.summary(),
            is_deep,
            resumed: Instant::now(),
            waiting: None,
        };
        self.debuggers.insert(number, debugger);
        self.announce(number);
        debug_id(number)
    }

    fn make_room(&mut self, session: SessionNumber) {
        let of_session: Vec<DebuggerNumber> = self
            .debuggers
            .iter()
            .filter(|(_, debugger)| debugger.session == session)
            .map(|(number, _)| *number)
            .collect();
        if of_session.len() >= MAX_DEBUGGERS_OF_SESSION {
            self.close_debugger(of_session[0]);
        } else if self.debuggers.len() >= MAX_DEBUGGERS
            && let Some((oldest, _)) = self.debuggers.first_key_value()
        {
            self.close_debugger(*oldest);
        }
    }

    /// Ends the oldest processes with deep stacks, so that another one fits.
    fn make_room_for_deep(&mut self, session: SessionNumber) {
        let deep = self.deep_debuggers();
        let of_session = deep.iter().filter(|(_, other)| *other == session);
        let mut victims: Vec<DebuggerNumber> = of_session.map(|(number, _)| *number).collect();
        victims.truncate((victims.len() + 1).saturating_sub(MAX_DEEP_OF_SESSION));
        if victims.is_empty() && deep.len() >= MAX_DEEP {
            victims.extend(deep.first().map(|(number, _)| *number));
        }
        for number in victims {
            self.close_debugger(number);
        }
    }

    /// The processes with deep stacks, oldest first, and their sessions.
    fn deep_debuggers(&self) -> Vec<(DebuggerNumber, SessionNumber)> {
        self.debuggers
            .iter()
            .filter(|(_, debugger)| debugger.is_deep)
            .map(|(number, debugger)| (*number, debugger.session))
            .collect()
    }

    /// Memory ran out: ends the processes with deep stacks.
    pub(super) fn end_deep_debuggers(&mut self) {
        for (number, _) in self.deep_debuggers() {
            self.close_debugger(number);
        }
    }

    fn announce(&mut self, number: DebuggerNumber) {
        if let Some(debugger) = self.debuggers.get(&number) {
            let report = Report::DebuggerOpened {
                session: debugger.session,
                debugger: number,
                request: debugger.request,
                title: debugger.title.clone(),
            };
            self.report(report);
        }
    }

    /// Ends a process that is kept; its unwind blocks run, but nobody waits for them.
    fn close_debugger(&mut self, number: DebuggerNumber) {
        if let Some(debugger) = self.drop_debugger(number) {
            self.unwind(debugger.process);
            if let Some(waiting) = debugger.waiting {
                self.with_job(waiting, |_, job| {
                    job.answer(response::Debug {
                        debug_info: ended(number, &debugger.title),
                        ..response::Debug::default()
                    });
                });
            }
        }
    }

    /// A process is kept no longer.
    fn drop_debugger(&mut self, number: DebuggerNumber) -> Option<Debugger> {
        let debugger = self.debuggers.remove(&number)?;
        let session = debugger.session;
        self.report(Report::DebuggerClosed {
            session,
            debugger: number,
        });
        Some(debugger)
    }

    /// Ends the processes that are kept for a session.
    pub(super) fn close_debuggers(&mut self, session: SessionNumber) {
        let numbers: Vec<DebuggerNumber> = self
            .debuggers
            .iter()
            .filter(|(_, debugger)| debugger.session == session)
            .map(|(number, _)| *number)
            .collect();
        for number in numbers {
            self.close_debugger(number);
        }
    }

    /// Stops the process of an evaluation that was continued and runs on.
    pub(super) fn pause_debugger(&mut self, number: DebuggerNumber) {
        match self.debuggers.get(&number).map(|debugger| debugger.waiting) {
            Some(Some(job)) => self.stop(job, Stop::Interrupted),
            Some(None) => self.pause_process(number),
            None => {}
        }
    }

    fn pause_process(&mut self, number: DebuggerNumber) {
        let Some(debugger) = self.debuggers.get_mut(&number) else {
            return;
        };
        debugger.waiting = None;
        if self.vm.is_suspended(debugger.process) {
            return;
        }
        if let Some(context) = self.vm.pause(debugger.process) {
            debugger.context = context;
            INTERRUPTED.clone_into(&mut debugger.title);
            self.announce(number);
        }
    }

    // ---- what happens to processes

    /// An evaluation's process was stopped before its first statement or at a breakpoint.
    pub(super) fn evaluation_stopped(
        &mut self,
        process: ProcessId,
        job: &mut Job,
        context: Root,
        at_breakpoint: bool,
    ) {
        let frames = self.describe_frames(process, &self.vm.stack(process));
        let message = frames
            .first()
            .filter(|_| at_breakpoint)
            .map(|frame| format!("Breakpoint at {}", frame.method))
            .unwrap_or_default();
        let error = failure::runtime_error(HALT.into(), &message, &frames);
        self.keep_evaluation(process, job, context, error);
    }

    /// An evaluation is answered with an error; in a session its process stays.
    pub(super) fn keep_evaluation(
        &mut self,
        process: ProcessId,
        job: &mut Job,
        context: Root,
        mut error: RuntimeError,
    ) {
        job.main = None;
        job.ran = Some(job.began.elapsed());
        if let (Work::Evaluate(work), Some(session)) = (&job.work, job.session) {
            let request = work.request();
            let id = self.open_debugger(session, Some(request), process, context, &error);
            error.debug_id = Some(id);
        }
        job.failed(error);
    }

    /// A process that code of a session forked has failed: keeps it, unless too many such are kept.
    pub(super) fn keep_forked(
        &mut self,
        session: SessionNumber,
        process: Oop,
        context: Root,
        error: &RuntimeError,
    ) {
        let is_forked =
            |debugger: &&Debugger| debugger.session == session && debugger.request.is_none();
        let forked = self.debuggers.values().filter(is_forked).count();
        if forked >= MAX_FORKED_OF_SESSION || !self.sessions.contains_key(&session) {
            return;
        }
        if let Some(process) = self.vm.adopt(process) {
            self.remember_origin(process, Some(session));
            self.open_debugger(session, None, process, context, error);
        }
    }

    /// A process that is kept has failed again.
    pub(super) fn debugged_failed_again(
        &mut self,
        number: DebuggerNumber,
        context: Root,
        error: &RuntimeError,
    ) {
        let is_deep = error.class_name == OVERFLOW;
        let debugger = self.debuggers.get_mut(&number);
        let session = debugger.map(|debugger| {
            debugger.is_deep = false;
            debugger.session
        });
        if let Some(session) = session.filter(|_| is_deep) {
            self.make_room_for_deep(session);
        }
        if let Some(debugger) = self.debuggers.get_mut(&number) {
            debugger.is_deep = is_deep;
        }
        self.debugged_stopped(number, context, Some(error.summary()));
    }

    /// A process that is kept has stopped again.
    pub(super) fn debugged_stopped(
        &mut self,
        number: DebuggerNumber,
        context: Root,
        title: Option<String>,
    ) {
        let Some(debugger) = self.debuggers.get_mut(&number) else {
            return;
        };
        debugger.context = context;
        let (process, waiting) = (debugger.process, debugger.waiting.take());
        let (role, deadline) = (Role::Debugged(number), None);
        self.processes.insert(process, Process { role, deadline });
        if let Some(title) = title {
            debugger.title = title;
            self.announce(number);
        }
        if let Some(waiting) = waiting {
            self.with_job(waiting, |machine, job| machine.show(job, 0));
        }
    }

    /// A process that is kept has come to its end.
    pub(super) fn debugged_ended(&mut self, number: DebuggerNumber, value: Option<Root>) {
        let Some(debugger) = self.drop_debugger(number) else {
            return;
        };
        let elapsed = debugger.resumed.elapsed();
        let ending = debugger.request.map(|request| Ending { request, elapsed });
        if ending.is_none() && debugger.waiting.is_none() {
            return;
        }
        let info = ended(number, &debugger.title);
        let print = |machine: &mut Self, job: &mut Job| {
            job.deadline = None;
            let work = work(job);
            work.answer.debug_info = info;
            work.ending = ending.filter(|_| value.is_some());
            // what a frame was told to return is the result already
            if work.result.is_none() {
                work.result = value;
            }
            machine.print_nodes(job);
        };
        if let Some(waiting) = debugger.waiting {
            return self.with_job(waiting, print);
        }
        let id = OWN_JOBS - number;
        let session = Some(debugger.session);
        let work = Work::Debug(Box::new(DebugWork::new(Debugging {
            job: id,
            session: debugger.session,
            debugger: number,
            operation: DebugOperation::Continue,
            frame: 0,
            code: None,
        })));
        self.begin(id, session, None, work, print);
    }

    /// A process that is kept failed in a way that ended it.
    pub(super) fn debugged_failed(&mut self, number: DebuggerNumber, error: RuntimeError) {
        let Some(debugger) = self.drop_debugger(number) else {
            return;
        };
        if let Some(request) = debugger.request {
            self.report(Report::Continued {
                session: debugger.session,
                request,
                result: error.summary(),
                has_error: true,
                elapsed: debugger.resumed.elapsed(),
            });
        }
        if let Some(waiting) = debugger.waiting {
            self.with_job(waiting, |_, job| job.failed(error));
        }
    }
}

fn ended(number: DebuggerNumber, title: &str) -> DebugInfo {
    DebugInfo {
        debug_id: debug_id(number),
        title: title.to_owned(),
        is_suspended: false,
        is_terminated: true,
    }
}

//! Debugging: processes of evaluations that failed or were stopped, kept until they are continued to their end,
//! terminated, or their session ends; and what is done with them.
//!
//! A step, or `Continue`, lets the process itself run. The job that asked for it waits, in `Debugger::waiting`, until
//! the process has stopped again or is over.

use std::time::{Duration, Instant};

use stui_protocol::Uuid;
use stui_protocol::error::{ErrorCode, ErrorInfo, RuntimeError};
use stui_protocol::object::InstanceVariable;
use stui_protocol::request::DebugOperation;
use stui_protocol::response::{self, DebugInfo};

use super::describe::Description;
use super::failure;
use super::jobs::{Job, Process, Role, Stop, Task, Trouble, Work};
use super::machine::Machine;
use super::messages::{DebuggerNumber, Debugging, JobId, Report, SessionNumber};
use crate::vm::{FrameScope, Oop, ProcessId, Root, SpawnOptions, StackFrame, Step};

/// Most processes of a session that are kept; the oldest one is ended when there are more.
pub const MAX_DEBUGGERS_OF_SESSION: usize = 16;
/// Most processes that are kept in all; the oldest one is ended when there are more.
pub const MAX_DEBUGGERS: usize = 256;
/// How long an operation may take.
pub(super) const DEBUG_LIMIT: Duration = Duration::from_secs(30);
/// How long `Continue` waits for what becomes of the process.
const PATIENCE: Duration = Duration::from_secs(1);
/// Most frames that are told.
const MAX_FRAMES: usize = 200;
/// Most variables of a frame that are told.
const MAX_VARIABLES: usize = 256;
/// Characters of a print string.
const TEXT: usize = 250;
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
    /// The request of its evaluation.
    request: Uuid,
    process: ProcessId,
    /// The innermost frame that is shown.
    context: Root,
    title: String,
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

    /// Keeps the process of an evaluation. Answers the debugger's id.
    pub(super) fn open_debugger(
        &mut self,
        session: SessionNumber,
        request: Uuid,
        process: ProcessId,
        context: Root,
        title: String,
    ) -> String {
        self.make_room(session);
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
            title,
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
            let title = error.summary();
            error.debug_id = Some(self.open_debugger(session, request, process, context, title));
        }
        job.failed(error);
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
        let ending = Ending {
            request: debugger.request,
            elapsed: debugger.resumed.elapsed(),
        };
        let info = ended(number, &debugger.title);
        let print = |machine: &mut Self, job: &mut Job| {
            job.deadline = None;
            let work = work(job);
            work.answer.debug_info = info;
            work.ending = value.is_some().then_some(ending);
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
        self.report(Report::Continued {
            session: debugger.session,
            request: debugger.request,
            result: error.summary(),
            has_error: true,
            elapsed: debugger.resumed.elapsed(),
        });
        if let Some(waiting) = debugger.waiting {
            self.with_job(waiting, |_, job| job.failed(error));
        }
    }

    // ---- operations

    /// Begins an operation.
    pub(super) fn begin_debugging(&mut self, job: &mut Job) {
        let debugging = work(job).debugging.clone();
        let number = debugging.debugger;
        let Some(debugger) = self.debuggers.get(&number) else {
            return job.answer(no_debugger(&debug_id(number)));
        };
        let process = debugger.process;
        let is_suspended = self.vm.is_suspended(process) && debugger.waiting.is_none();
        match debugging.operation {
            DebugOperation::Terminate => {
                let debug_info = ended(number, &debugger.title);
                self.close_debugger(number);
                return job.answer(response::Debug {
                    debug_info,
                    ..response::Debug::default()
                });
            }
            DebugOperation::GetStackTrace if !is_suspended => {
                return job.answer(self.running(number));
            }
            _ if !is_suspended => return job.answer(still_running(number)),
            _ => {}
        }
        let frames = self.frames(number);
        let Some(frame) = frames.get(debugging.frame).copied() else {
            return job.answer(no_frame(debugging.frame, frames.len()));
        };
        let step = match debugging.operation {
            DebugOperation::StepInto => Step::Into,
            DebugOperation::StepOver => Step::Over,
            DebugOperation::StepOut => Step::Out,
            DebugOperation::Restart => Step::Restart,
            DebugOperation::ReturnValue if debugging.code.is_none() => {
                work(job).result = Some(self.vm.retain(Oop::NIL));
                Step::Return(Oop::NIL)
            }
            DebugOperation::ReturnValue | DebugOperation::EvaluateInFrame => {
                let code = debugging.code.unwrap_or_default();
                return self.evaluate_in_frame(job, frame, &code);
            }
            DebugOperation::Continue => {
                self.vm.resume(process);
                job.deadline = Some(Instant::now() + PATIENCE);
                self.note_deadline(job.deadline);
                return self.wait_for(number, job);
            }
            _ => return self.show(job, debugging.frame),
        };
        self.do_step(job, frame, step);
    }

    fn do_step(&mut self, job: &mut Job, frame: Oop, step: Step) {
        let number = work(job).debugging.debugger;
        let Some(process) = self.debuggers.get(&number).map(|debugger| debugger.process) else {
            return job.answer(no_debugger(&debug_id(number)));
        };
        match self.vm.step(process, frame, step) {
            Ok(()) => self.wait_for(number, job),
            Err(refused) => job.answer(ErrorInfo::new(
                ErrorCode::InvalidRequest,
                format!("Nothing was done, as {refused}; ask for GetStackTrace."),
            )),
        }
    }

    fn wait_for(&mut self, number: DebuggerNumber, job: &mut Job) {
        if let Some(debugger) = self.debuggers.get_mut(&number) {
            debugger.waiting = Some(job.id);
            debugger.resumed = Instant::now();
        }
    }

    fn evaluate_in_frame(&mut self, job: &mut Job, frame: Oop, code: &str) {
        let bindings = job.bindings;
        let options = SpawnOptions::default();
        match self.vm.spawn_in_frame(code, frame, bindings, options) {
            Ok((process, scope)) => {
                work(job).scope = Some(scope);
                job.main = Some(process);
                self.remember_origin(process, job.session);
                let (role, deadline) = (Role::Main(job.id), None);
                self.processes.insert(process, Process { role, deadline });
            }
            Err(error) => job.answer(failure::compile_error(code, &error)),
        }
    }

    /// Code in a frame has ended, or failed: the frame gets what was assigned.
    pub(super) fn leave_scope(&mut self, job: &mut Job) {
        if let Work::Debug(work) = &mut job.work
            && let Some(scope) = work.scope.take()
        {
            self.vm.write_back(&scope);
        }
    }

    /// Code in a frame has its value.
    pub(super) fn evaluated_in_frame(&mut self, job: &mut Job, value: Root) {
        self.leave_scope(job);
        let object = value.oop();
        let work = work(job);
        work.result = Some(value);
        let (number, index) = (work.debugging.debugger, work.debugging.frame);
        let returns = work.debugging.operation == DebugOperation::ReturnValue;
        let Some(debugger) = self.debuggers.get(&number) else {
            return job.answer(no_debugger(&debug_id(number)));
        };
        if !self.vm.is_suspended(debugger.process) || debugger.waiting.is_some() {
            return job.answer(still_running(number));
        }
        if !returns {
            return self.show(job, index);
        }
        match self.frames(number).get(index).copied() {
            Some(frame) => {
                job.deadline = Some(Instant::now() + DEBUG_LIMIT);
                self.note_deadline(job.deadline);
                self.do_step(job, frame, Step::Return(object));
            }
            None => job.answer(no_frame(index, 0)),
        }
    }

    /// An operation takes too long, or is not wanted any more.
    pub(super) fn stop_debugging(&mut self, job: &mut Job, why: Stop) {
        let number = work(job).debugging.debugger;
        let is_waiting = self
            .debuggers
            .get(&number)
            .is_some_and(|debugger| debugger.waiting == Some(job.id));
        let continues = work(job).debugging.operation == DebugOperation::Continue;
        if is_waiting && continues && matches!(why, Stop::TimedOut) {
            if let Some(debugger) = self.debuggers.get_mut(&number) {
                debugger.waiting = None;
            }
            return job.answer(self.running(number));
        }
        if is_waiting {
            self.pause_process(number);
        }
        job.stop = Some(why);
        job.stopped();
    }

    // ---- answers

    /// The contexts that are shown, innermost first.
    fn frames(&self, number: DebuggerNumber) -> Vec<Oop> {
        let Some(debugger) = self.debuggers.get(&number) else {
            return Vec::new();
        };
        let mut stack = self.vm.stack(debugger.process);
        let shown = debugger.context.oop();
        if let Some(first) = stack.iter().position(|context| *context == shown) {
            stack.drain(..first);
        }
        stack.truncate(MAX_FRAMES);
        stack
    }

    fn describe_frames(&self, process: ProcessId, contexts: &[Oop]) -> Vec<StackFrame> {
        contexts
            .iter()
            .take(MAX_FRAMES)
            .filter_map(|context| self.vm.describe_frame(process, *context))
            .collect()
    }

    /// Answers the stack, and the variables of one of its frames.
    fn show(&mut self, job: &mut Job, index: usize) {
        job.deadline = None;
        let number = work(job).debugging.debugger;
        let Some(debugger) = self.debuggers.get(&number) else {
            return job.answer(no_debugger(&debug_id(number)));
        };
        let process = debugger.process;
        let contexts = self.frames(number);
        let frames = self.describe_frames(process, &contexts);
        let mut answer = self.running(number);
        answer.debug_info.is_suspended = true;
        answer.source = frames.get(index).map(|frame| frame.source.to_string());
        answer.stack = failure::frames(&frames, MAX_FRAMES);
        work(job).answer = answer;
        if let Some(context) = contexts.get(index).copied() {
            let receiver = self.vm.frame_receiver(context).unwrap_or(Oop::NIL);
            let variables = self.vm.frame_variables(context);
            let named = variables
                .into_iter()
                .take(MAX_VARIABLES)
                .map(|variable| (variable.name, variable.value));
            for (name, value) in std::iter::once(("self".to_owned(), receiver)).chain(named) {
                let object = self.vm.retain(value);
                let description = Description::default();
                work(job).nodes.push(Node {
                    name,
                    object,
                    description,
                });
            }
        }
        self.print_nodes(job);
    }

    /// Prints the variables and the result.
    fn print_nodes(&mut self, job: &mut Job) {
        if let Some(object) = work(job).result.clone() {
            let (name, description) = (String::new(), Description::default());
            work(job).nodes.push(Node {
                name,
                object,
                description,
            });
        }
        for node in 0..work(job).nodes.len() {
            let object = work(job).nodes[node].object.oop();
            self.describe(job, node, object, TEXT);
        }
        if job.tasks == 0 {
            self.end_debugging(job);
        }
    }

    /// A value is printed.
    pub(super) fn debugging_task_done(
        &mut self,
        job: &mut Job,
        task: Task,
        result: Result<Root, Trouble>,
    ) {
        if let Task::Print(index) | Task::Size(index) = task
            && let Some(node) = work(job).nodes.get_mut(index)
        {
            let object = node.object.oop();
            node.description.take(&self.vm, object, task, result, TEXT);
        }
    }

    /// All is there: answers.
    pub(super) fn end_debugging(&mut self, job: &mut Job) {
        let session = job.session;
        let work = work(job);
        let mut answer = std::mem::take(&mut work.answer);
        let mut nodes = std::mem::take(&mut work.nodes);
        let ending = work.ending.take();
        if work.result.is_some()
            && let Some(node) = nodes.pop()
        {
            answer.result = node.description.text;
        }
        answer.variables = nodes
            .into_iter()
            .map(|node| {
                let object = self.handle(session, node.object.oop(), &node.description);
                InstanceVariable {
                    name: node.name,
                    value: object.print_string.clone(),
                    class_name: object.class_name.clone(),
                    object,
                }
            })
            .collect();
        if let (Some(ending), Some(session)) = (ending, session) {
            self.report(Report::Continued {
                session,
                request: ending.request,
                result: answer.result.clone(),
                has_error: false,
                elapsed: ending.elapsed,
            });
        }
        job.answer(answer);
    }

    /// The answer about a process that runs.
    fn running(&self, number: DebuggerNumber) -> response::Debug {
        let title = self
            .debuggers
            .get(&number)
            .map(|debugger| debugger.title.clone())
            .unwrap_or_default();
        response::Debug {
            debug_info: DebugInfo {
                debug_id: debug_id(number),
                title,
                is_suspended: false,
                is_terminated: false,
            },
            ..response::Debug::default()
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

fn still_running(number: DebuggerNumber) -> ErrorInfo {
    ErrorInfo::new(
        ErrorCode::InvalidRequest,
        format!(
            "The process of {} is running; interrupt it, wait, or Terminate it.",
            debug_id(number)
        ),
    )
}

fn no_frame(index: usize, frames: usize) -> ErrorInfo {
    ErrorInfo::new(
        ErrorCode::InvalidRequest,
        format!("There is no frame {index}; the stack has {frames}, counted from 0."),
    )
}

//! The operations of a debugger: what is asked of a kept process, and what is answered.

use std::time::{Duration, Instant};

use stui_protocol::error::{ErrorCode, ErrorInfo};
use stui_protocol::object::InstanceVariable;
use stui_protocol::request::DebugOperation;
use stui_protocol::response::{self, DebugInfo};

use super::{Node, debug_id, ended, no_debugger, work};
use crate::engine::describe::Description;
use crate::engine::failure;
use crate::engine::jobs::{Job, Process, Role, Stop, Task, Trouble, Work};
use crate::engine::machine::Machine;
use crate::engine::messages::{DebuggerNumber, Report};
use crate::vm::{Oop, ProcessId, Root, SpawnOptions, StackFrame, Step};

/// How long an operation may take.
pub(in crate::engine) const DEBUG_LIMIT: Duration = Duration::from_secs(30);
/// How long `Continue` waits for what becomes of the process.
const PATIENCE: Duration = Duration::from_secs(1);
/// Most frames that are told.
const MAX_FRAMES: usize = 200;
/// Most variables of a frame that are told.
const MAX_VARIABLES: usize = 256;
/// Characters of a print string.
const TEXT: usize = 250;

impl Machine<'_> {
    /// Begins an operation.
    pub(in crate::engine) fn begin_debugging(&mut self, job: &mut Job) {
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
    pub(in crate::engine) fn leave_scope(&mut self, job: &mut Job) {
        if let Work::Debug(work) = &mut job.work
            && let Some(scope) = work.scope.take()
        {
            self.vm.write_back(&scope);
        }
    }

    /// Code in a frame has its value.
    pub(in crate::engine) fn evaluated_in_frame(&mut self, job: &mut Job, value: Root) {
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
    pub(in crate::engine) fn stop_debugging(&mut self, job: &mut Job, why: Stop) {
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
        failure::both_ends(stack, MAX_FRAMES)
    }

    pub(super) fn describe_frames(&self, process: ProcessId, contexts: &[Oop]) -> Vec<StackFrame> {
        contexts
            .iter()
            .take(MAX_FRAMES)
            .filter_map(|context| self.vm.describe_frame(process, *context))
            .collect()
    }

    /// Answers the stack, and the variables of one of its frames.
    pub(super) fn show(&mut self, job: &mut Job, index: usize) {
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
    pub(super) fn print_nodes(&mut self, job: &mut Job) {
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
    pub(in crate::engine) fn debugging_task_done(
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
    pub(in crate::engine) fn end_debugging(&mut self, job: &mut Job) {
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

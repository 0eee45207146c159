//! Evaluating: run the code, then print its answer.

use stui_protocol::Uuid;
use stui_protocol::error::RuntimeError;
use stui_protocol::request::EvaluationMode;
use stui_protocol::response;

use super::describe::{Description, printed};
use super::failure::cut;
use super::jobs::{Job, Task, Trouble, Work};
use super::machine::{MAX_RESULT, Machine};
use super::messages::Evaluation;
use crate::vm::Root;

/// Characters of the print string in the answer's handle.
const HANDLE_TEXT: usize = 500;

/// An evaluation under way.
#[derive(Debug)]
pub(super) struct EvaluateWork {
    evaluation: Evaluation,
    value: Option<Root>,
    description: Description,
    display: Option<(String, bool)>,
}

impl EvaluateWork {
    /// One that has not begun.
    pub(super) fn new(evaluation: Evaluation) -> Self {
        EvaluateWork {
            evaluation,
            value: None,
            description: Description::default(),
            display: None,
        }
    }

    /// The request that asked for it.
    pub(super) fn request(&self) -> Uuid {
        self.evaluation.request
    }

    /// Whether it is stopped before its first statement.
    pub(super) fn is_stopped(&self) -> bool {
        self.evaluation.mode == EvaluationMode::Debug
    }
}

/// The answer to code that signalled an error.
pub(super) fn failed(error: RuntimeError, execution_time: u64) -> response::Evaluate {
    response::Evaluate {
        result: error.summary(),
        result_type: error.class_name.clone(),
        execution_time,
        has_error: true,
        error: Some(error),
        ..response::Evaluate::default()
    }
}

/// The work of a job that is known to evaluate.
fn work(job: &mut Job) -> &mut EvaluateWork {
    match &mut job.work {
        Work::Evaluate(work) => work,
        _ => unreachable!("an evaluation's job evaluates"),
    }
}

impl Machine<'_> {
    /// Runs the code.
    pub(super) fn begin_evaluation(&mut self, job: &mut Job) {
        let evaluation = &mut work(job).evaluation;
        let (code, strict) = (std::mem::take(&mut evaluation.code), evaluation.strict);
        self.spawn_main(job, &code, strict);
    }

    /// The code has an answer: prints it.
    pub(super) fn evaluated(&mut self, job: &mut Job, value: Root) {
        let object = value.oop();
        let work = work(job);
        let print = work.evaluation.print;
        let display = work.evaluation.mode == EvaluationMode::Display;
        work.value = Some(value);
        if print {
            self.describe(job, 0, object, MAX_RESULT);
        }
        if display {
            self.display(job, object, MAX_RESULT);
        }
        if !print && !display {
            self.end_evaluation(job);
        }
    }

    /// A piece of the answer's description is there.
    pub(super) fn evaluation_task_done(
        &mut self,
        job: &mut Job,
        task: Task,
        result: Result<Root, Trouble>,
    ) {
        let work = work(job);
        let Some(object) = work.value.as_ref().map(Root::oop) else {
            return;
        };
        if task == Task::Display {
            work.display = Some(printed(&self.vm, object, result, MAX_RESULT));
        } else {
            work.description
                .take(&self.vm, object, task, result, MAX_RESULT);
        }
    }

    /// All is there: answers.
    pub(super) fn end_evaluation(&mut self, job: &mut Job) {
        let session = job.session;
        let work = work(job);
        let Some(value) = work.value.clone() else {
            return;
        };
        let object = value.oop();
        let description = std::mem::take(&mut work.description);
        let display = work.display.take();
        let handle = session.is_some().then(|| {
            let short = cut(&description.text, HANDLE_TEXT);
            let of_handle = Description {
                truncated: description.truncated || short.len() < description.text.len(),
                text: short,
                size: description.size,
            };
            self.handle(session, object, &of_handle)
        });
        let is_cut = display.as_ref().is_some_and(|(_, truncated)| *truncated);
        let answer = response::Evaluate {
            truncated: description.truncated || is_cut,
            result: description.text,
            display: display.map(|(text, _)| text),
            result_type: self.vm.class_name(object),
            execution_time: job.milliseconds(),
            has_error: false,
            object: handle,
            error: None,
        };
        job.answer(answer);
    }
}

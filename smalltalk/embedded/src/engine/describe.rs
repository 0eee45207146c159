//! Describing objects: what can be read from the machine directly, and what code of the object's class
//! has to say.

use stui_protocol::object::ObjectHandle;

use super::failure::cut;
use super::jobs::{Job, Task, Trouble};
use super::machine::Machine;
use super::messages::SessionNumber;
use crate::vm::{Oop, Root, Vm};

/// What the library puts at the end of a text that it cut. As much more than is wanted is asked for, so
/// that a text longer than wanted has been cut, and the mark goes with the rest.
const CUT_MARK: &str = "[..]";

/// What is known of an object.
#[derive(Debug, Clone, Default)]
pub(super) struct Description {
    /// It printed.
    pub(super) text: String,
    /// Whether that is only the beginning.
    pub(super) truncated: bool,
    /// How many elements it has.
    pub(super) size: u64,
}

impl Description {
    /// Takes what a task found out about `object`.
    pub(super) fn take(
        &mut self,
        vm: &Vm,
        object: Oop,
        task: Task,
        result: Result<Root, Trouble>,
        limit: usize,
    ) {
        if let Task::Size(_) = task {
            let size = result.ok().and_then(|root| root.oop().as_size());
            self.size = size.unwrap_or(0) as u64;
        } else {
            (self.text, self.truncated) = printed(vm, object, result, limit);
        }
    }
}

/// The text that printing an object gave, cut at a limit, and whether it was cut. What went wrong is
/// a text as well.
pub(super) fn printed(
    vm: &Vm,
    object: Oop,
    result: Result<Root, Trouble>,
    limit: usize,
) -> (String, bool) {
    let text = result.and_then(|root| {
        vm.text(root.oop()).ok_or_else(|| {
            Trouble(format!(
                "it answered {} instead of a string",
                a(&vm.class_name(root.oop()))
            ))
        })
    });
    match text {
        Ok(text) => {
            let short = cut(&text, limit);
            let truncated = short.len() < text.len();
            (short, truncated)
        }
        Err(Trouble(why)) => {
            let class = a(&vm.class_name(object));
            (
                cut(&format!("<error printing {class}: {why}>"), limit),
                false,
            )
        }
    }
}

/// A class name with its article.
pub(super) fn a(class_name: &str) -> String {
    let article = if class_name.starts_with(['A', 'E', 'I', 'O', 'U']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {class_name}")
}

/// Whether there is anything inside an object.
pub(super) fn has_children(vm: &Vm, object: Oop) -> bool {
    vm.indexed_size(object) > 0 || vm.named_size(object) > 0
}

impl Machine<'_> {
    /// Finds out what an object's class has to say about it.
    pub(super) fn describe(&mut self, job: &mut Job, node: usize, object: Oop, limit: usize) {
        self.print(job, Task::Print(node), object, limit);
        if self.counts_itself(object) {
            self.spawn_task(job, Task::Size(node), object, "size", &[]);
        }
    }

    /// Prints an object.
    fn print(&mut self, job: &mut Job, task: Task, object: Oop, limit: usize) {
        let limit = Oop::index(limit + CUT_MARK.len());
        self.spawn_task(job, task, object, "printStringLimitedTo:", &[limit]);
    }

    /// Prints an object as for people.
    pub(super) fn display(&mut self, job: &mut Job, object: Oop, limit: usize) {
        let limit = Oop::index(limit + CUT_MARK.len());
        self.spawn_task(
            job,
            Task::Display,
            object,
            "displayStringLimitedTo:",
            &[limit],
        );
    }

    /// Whether the number of elements is something that only the object knows: collections that are
    /// not simply a row of slots or characters.
    fn counts_itself(&self, object: Oop) -> bool {
        self.vm.indexed_size(object) == 0
            && self
                .vm
                .class_named("Collection")
                .is_some_and(|class| self.vm.is_kind_of(object, class))
    }

    /// How many elements an object has, as far as the machine can see.
    pub(super) fn visible_size(&self, object: Oop) -> u64 {
        self.vm.indexed_size(object) as u64
    }

    /// The handle of an object; outside of a session without an id.
    pub(super) fn handle(
        &mut self,
        session: Option<SessionNumber>,
        object: Oop,
        description: &Description,
    ) -> ObjectHandle {
        let id = session
            .and_then(|number| self.sessions.get_mut(&number))
            .map(|session| session.registry.id_of(&mut self.vm, object));
        ObjectHandle {
            id,
            class_name: self.vm.class_name(object),
            print_string: description.text.clone(),
            truncated: description.truncated,
            size: description.size.max(self.visible_size(object)),
            has_children: has_children(&self.vm, object),
        }
    }
}

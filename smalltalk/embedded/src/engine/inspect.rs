//! Inspecting: which views an object has, and a page of one of them.
//!
//! The view `Raw` - instance variables, then elements - is read from the machine's memory, so that it
//! works for every object, however broken its class. The others are the class library's: the class
//! [`INSPECTION`] finds them and lists their rows, in tasks. What fails there falls back to `Raw`.

use stui_protocol::error::{ErrorCode, ErrorInfo};
use stui_protocol::object::{Child, InstanceVariable, ObjectInfo, View, ViewKind};
use stui_protocol::response;

use super::describe::Description;
use super::jobs::{Job, Task, Trouble, Work};
use super::machine::Machine;
use super::messages::{Inspection, Subject};
use crate::vm::{Oop, Root, Vm};

/// The class of the library that knows the views of objects.
const INSPECTION: &str = "STUIInspection";
/// The view that is always there.
const RAW: &str = "Raw";
/// Characters of the object's own print string.
const OWN_TEXT: usize = 10_000;
/// Characters of a row's print string.
const ROW_TEXT: usize = 250;
/// Rows of a page unless the client says otherwise.
const DEFAULT_ROWS: u64 = 100;
/// Most rows of a page.
pub const MAX_ROWS: u64 = 1000;
/// Characters of a page of text unless the client says otherwise.
const DEFAULT_CHARACTERS: u64 = 10_000;
/// Most characters of a page of text.
const MAX_CHARACTERS: u64 = 100_000;
/// Most instance variables that are listed by name.
const MAX_VARIABLES: usize = 256;
/// Most rows of a child whose children are answered too.
const NESTED_ROWS: u64 = 10;
/// Most objects in one answer.
const MAX_NODES: usize = 3000;

/// An object in the answer.
#[derive(Debug)]
struct Node {
    name: String,
    object: Root,
    level: u32,
    description: Description,
    children: Vec<usize>,
}

/// An inspection under way. Node 0 is the object itself.
#[derive(Debug)]
pub(super) struct InspectWork {
    inspection: Inspection,
    nodes: Vec<Node>,
    variables: Vec<usize>,
    views: Vec<View>,
    view: String,
    total: u64,
    text: Option<String>,
}

impl InspectWork {
    /// One that has not begun.
    pub(super) fn new(inspection: Inspection) -> Self {
        InspectWork {
            inspection,
            nodes: Vec::new(),
            variables: Vec::new(),
            views: Vec::new(),
            view: RAW.into(),
            total: 0,
            text: None,
        }
    }

    fn add(&mut self, name: String, object: Root, level: u32) -> usize {
        self.nodes.push(Node {
            name,
            object,
            level,
            description: Description::default(),
            children: Vec::new(),
        });
        self.nodes.len() - 1
    }
}

/// The work of a job that is known to inspect.
fn work(job: &mut Job) -> &mut InspectWork {
    match &mut job.work {
        Work::Inspect(work) => work,
        _ => unreachable!("an inspection's job inspects"),
    }
}

impl Machine<'_> {
    /// Finds the object, or evaluates the expression for it.
    pub(super) fn begin_inspection(&mut self, job: &mut Job) {
        let session = job.session;
        match work(job).inspection.subject.clone() {
            Subject::Expression(code) => self.spawn_main(job, &code, false),
            Subject::Object(number) => {
                let object = session
                    .and_then(|session| self.sessions.get_mut(&session))
                    .and_then(|session| session.registry.get(number));
                match object {
                    Some(object) => self.inspect_object(job, object),
                    None => job.answer(not_kept()),
                }
            }
        }
    }

    /// The object is known: finds out about it, its instance variables and its views.
    pub(super) fn inspect_object(&mut self, job: &mut Job, object: Root) {
        let oop = object.oop();
        let itself = work(job).add(String::new(), object, 0);
        self.describe(job, itself, oop, OWN_TEXT);
        let mut variables = self.vm.named_slots(oop);
        variables.truncate(MAX_VARIABLES);
        for (name, value) in variables {
            let root = self.vm.retain(value);
            let node = work(job).add(name, root, 1);
            work(job).variables.push(node);
            self.describe(job, node, value, ROW_TEXT);
        }
        match self.vm.class_named(INSPECTION) {
            Some(inspection) => self.spawn_task(job, Task::Views, inspection, "viewsOf:", &[oop]),
            None => self.choose_view(job, Vec::new()),
        }
    }

    /// A piece of the answer is there.
    pub(super) fn inspection_task_done(
        &mut self,
        job: &mut Job,
        task: Task,
        result: Result<Root, Trouble>,
    ) {
        match task {
            Task::Print(index) | Task::Size(index) => {
                let limit = if index == 0 { OWN_TEXT } else { ROW_TEXT };
                if let Some(node) = work(job).nodes.get_mut(index) {
                    let object = node.object.oop();
                    node.description.take(&self.vm, object, task, result, limit);
                }
            }
            Task::Views => {
                let views = result
                    .ok()
                    .and_then(|answer| read_views(&self.vm, answer.oop()))
                    .unwrap_or_default();
                self.choose_view(job, views);
            }
            Task::Rows(parent) => {
                let rows = result
                    .ok()
                    .and_then(|answer| read_rows(&self.vm, answer.oop()));
                match rows {
                    Some(rows) => self.add_rows(job, parent, rows),
                    None if parent == 0 => self.show_raw(job),
                    None => {}
                }
            }
            Task::Text => {
                let object = work(job).nodes[0].object.oop();
                let limit = usize::MAX;
                let (text, _) = super::describe::printed(&self.vm, object, result, limit);
                work(job).text = Some(text);
            }
            Task::Display => {}
        }
    }

    /// The views are known: gets a page of the one that is wanted.
    fn choose_view(&mut self, job: &mut Job, mut views: Vec<View>) {
        let work = work(job);
        let object = work.nodes[0].object.oop();
        if !views.iter().any(|view| view.name == RAW) {
            views.push(View {
                name: RAW.into(),
                kind: ViewKind::List,
                total: raw_total(&self.vm, object),
            });
        }
        let wanted = match &work.inspection.view {
            Some(name) => views.iter().find(|view| view.name == *name),
            None => views.first(),
        };
        let Some(wanted) = wanted.cloned() else {
            let names: Vec<&str> = views.iter().map(|view| view.name.as_str()).collect();
            job.answer(ErrorInfo::new(
                ErrorCode::InvalidRequest,
                format!("The object has no such view; it has {}.", names.join(", ")),
            ));
            return;
        };
        work.views = views;
        work.view.clone_from(&wanted.name);
        work.total = wanted.total;
        if work.inspection.depth == 0 {
            return;
        }
        let (default, most) = match wanted.kind {
            ViewKind::List => (DEFAULT_ROWS, MAX_ROWS),
            ViewKind::Text => (DEFAULT_CHARACTERS, MAX_CHARACTERS),
        };
        let limit = work.inspection.limit.unwrap_or(default).min(most);
        work.inspection.limit = Some(limit);
        let offset = work.inspection.offset;
        match (wanted.name.as_str(), wanted.kind) {
            (RAW, _) => self.show_raw(job),
            (name, ViewKind::List) => {
                self.spawn_page(
                    job,
                    Task::Rows(0),
                    "rowsOf:view:offset:limit:",
                    object,
                    name,
                    offset,
                    limit,
                );
            }
            (name, ViewKind::Text) => {
                self.spawn_page(
                    job,
                    Task::Text,
                    "textOf:view:offset:limit:",
                    object,
                    name,
                    offset,
                    limit,
                );
            }
        }
    }

    #[allow(clippy::too_many_arguments)] // what a page is, all of it
    fn spawn_page(
        &mut self,
        job: &mut Job,
        task: Task,
        selector: &str,
        object: Oop,
        view: &str,
        offset: u64,
        limit: u64,
    ) {
        let Some(inspection) = self.vm.class_named(INSPECTION) else {
            return;
        };
        let index = |n: u64| Oop::index(usize::try_from(n).unwrap_or(usize::MAX));
        let view = self.vm.heap.string(view);
        let arguments = [object, view, index(offset), index(limit)];
        self.spawn_task(job, task, inspection, selector, &arguments);
    }

    /// A page of the view that is read from memory.
    fn show_raw(&mut self, job: &mut Job) {
        let work = work(job);
        let object = work.nodes[0].object.oop();
        work.view = RAW.into();
        work.total = raw_total(&self.vm, object);
        let limit = work.inspection.limit.unwrap_or(DEFAULT_ROWS).min(MAX_ROWS);
        let offset = work.inspection.offset;
        let rows = raw_rows(&self.vm, object, offset, limit);
        self.add_rows(job, 0, rows);
    }

    /// Adds the rows of a node, and finds out about them.
    fn add_rows(&mut self, job: &mut Job, parent: usize, rows: Vec<(String, Oop)>) {
        let work_ = work(job);
        let level = work_.nodes[parent].level + 1;
        let is_nested = level < work_.inspection.depth;
        for (name, oop) in rows {
            let object = self.vm.retain(oop);
            let work = work(job);
            if work.nodes.len() >= MAX_NODES {
                break;
            }
            let node = work.add(name, object, level);
            work.nodes[parent].children.push(node);
            self.describe(job, node, oop, ROW_TEXT);
            if is_nested && super::describe::has_children(&self.vm, oop) {
                self.add_nested(job, node, oop);
            }
        }
    }

    /// Finds the first rows of a child.
    fn add_nested(&mut self, job: &mut Job, node: usize, object: Oop) {
        let rows = raw_rows(&self.vm, object, 0, NESTED_ROWS);
        self.add_rows(job, node, rows);
    }

    /// All is there: answers.
    pub(super) fn end_inspection(&mut self, job: &mut Job) {
        let session = job.session;
        let Work::Inspect(work) = &mut job.work else {
            return;
        };
        let Some(itself) = work.nodes.first() else {
            return;
        };
        let object = itself.object.oop();
        let handle = self.handle(session, object, &itself.description);
        let instance_vars = work
            .variables
            .iter()
            .map(|index| {
                let node = &work.nodes[*index];
                let object = self.handle(session, node.object.oop(), &node.description);
                InstanceVariable {
                    name: node.name.clone(),
                    value: object.print_string.clone(),
                    class_name: object.class_name.clone(),
                    object,
                }
            })
            .collect();
        let children = self.children(session, &work.nodes, 0);
        let answer = response::Inspect {
            object_info: ObjectInfo {
                class_name: handle.class_name.clone(),
                string_representation: handle.print_string.clone(),
                hash: (object.word() >> 3) as i64,
                size: handle.size,
            },
            instance_vars,
            methods: work
                .inspection
                .with_methods
                .then(|| super::ask::selectors_of(&self.vm, object)),
            object: handle,
            views: std::mem::take(&mut work.views),
            view: std::mem::take(&mut work.view),
            children,
            text: work.text.take(),
            offset: work.inspection.offset,
            total: work.total,
        };
        job.answer(answer);
    }

    fn children(&mut self, session: Option<u64>, nodes: &[Node], parent: usize) -> Vec<Child> {
        // As deep as the depth that was asked for, which is bounded.
        nodes[parent]
            .children
            .iter()
            .map(|index| {
                let node = &nodes[*index];
                Child {
                    name: node.name.clone(),
                    object: self.handle(session, node.object.oop(), &node.description),
                    children: self.children(session, nodes, *index),
                }
            })
            .collect()
    }
}

/// How many rows the view `Raw` has.
fn raw_total(vm: &Vm, object: Oop) -> u64 {
    (vm.named_size(object) + vm.indexed_size(object)) as u64
}

/// A page of the view `Raw`: instance variables by name, then elements by index.
fn raw_rows(vm: &Vm, object: Oop, offset: u64, limit: u64) -> Vec<(String, Oop)> {
    let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let named = vm.named_slots(object);
    let elements = vm.indexed_size(object);
    let total = named.len() + elements;
    let first = size(offset).min(total);
    let last = first.saturating_add(size(limit)).min(total);
    (first..last)
        .filter_map(|row| {
            if let Some((name, value)) = named.get(row) {
                return Some((name.clone(), *value));
            }
            let index = row - named.len();
            let element = vm.indexed_element(object, index)?;
            Some(((index + 1).to_string(), element))
        })
        .collect()
}

/// Reads an Array of Arrays of name, kind (`list` or `text`) and total.
fn read_views(vm: &Vm, answer: Oop) -> Option<Vec<View>> {
    let view = |view: &Oop| {
        let [name, kind, total] = vm.heap.slots(*view) else {
            return None;
        };
        let kind = match vm.text(*kind)?.as_str() {
            "list" => ViewKind::List,
            "text" => ViewKind::Text,
            _ => return None,
        };
        Some(View {
            name: vm.text(*name)?,
            kind,
            total: total.as_size()? as u64,
        })
    };
    vm.heap.slots(answer).iter().map(view).collect()
}

/// Reads an Array of Arrays of name and value.
fn read_rows(vm: &Vm, answer: Oop) -> Option<Vec<(String, Oop)>> {
    let row = |row: &Oop| match vm.heap.slots(*row) {
        [name, value] => Some((vm.text(*name)?, *value)),
        _ => None,
    };
    vm.heap.slots(answer).iter().map(row).collect()
}

fn not_kept() -> ErrorInfo {
    ErrorInfo::new(
        ErrorCode::ObjectNotFound,
        "The object is not kept (any more): it was released, or too many others were shown since; inspect its expression again.",
    )
}

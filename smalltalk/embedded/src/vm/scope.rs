//! What a frame shows to people, and code that sees its variables.

use super::Vm;
use super::debug::runs_next;
use super::events::{BindingsId, ProcessId, SpawnOptions, StackFrame};
use super::known::{class, slot};
use super::oop::Oop;
use super::roots::Root;
use crate::syntax::CompileError;

/// Most frames around a block that are looked at for variables.
const MAX_NESTING: usize = 100;

/// A variable that a frame sees.
#[derive(Clone, Debug)]
pub struct FrameVariable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Oop,
    /// The frame whose slot holds it, or its cell.
    context: Oop,
    slot: usize,
    in_cell: bool,
}

/// The variables of a frame as code in it sees them, while it runs.
#[derive(Debug)]
pub struct FrameScope {
    context: Root,
    /// Name, binding, and the value that the code began with.
    variables: Vec<(String, Root, Root)>,
}

impl Vm {
    /// A frame for people; `process` is whose stack it is on.
    pub fn describe_frame(&self, process: ProcessId, context: Oop) -> Option<StackFrame> {
        let frame = self.heap.frame(context)?;
        let is_top = self
            .process(process)
            .is_some_and(|process| self.heap.slot(process, slot::PROCESS_CONTEXT) == context);
        let mut described = self.describe(frame);
        if let Some(range) = runs_next(frame, is_top) {
            described.range = range;
        }
        Some(described)
    }

    /// The receiver of a frame.
    pub fn frame_receiver(&self, context: Oop) -> Option<Oop> {
        self.heap.frame(context).map(|frame| frame.receiver)
    }

    /// The variables that a frame sees: its own, then those of the frames around a block.
    pub fn frame_variables(&self, context: Oop) -> Vec<FrameVariable> {
        let mut all: Vec<FrameVariable> = Vec::new();
        let mut context = context;
        for _ in 0..MAX_NESTING {
            let Some(frame) = self.heap.frame(context) else {
                break;
            };
            let mut own: Vec<FrameVariable> = Vec::new();
            // the innermost of several variables of one name comes last
            for variable in frame.code.variables.iter().rev() {
                let is_known = |other: &FrameVariable| *other.name == *variable.name;
                if all.iter().any(is_known) || own.iter().any(is_known) {
                    continue;
                }
                let held = frame.slots.get(usize::from(variable.slot)).copied();
                let held = held.unwrap_or(Oop::NIL);
                own.push(FrameVariable {
                    name: variable.name.to_string(),
                    value: if variable.in_cell {
                        self.in_cell(held)
                    } else {
                        held
                    },
                    context,
                    slot: usize::from(variable.slot),
                    in_cell: variable.in_cell,
                });
            }
            own.reverse();
            all.append(&mut own);
            if frame.closure.is_nil() {
                break;
            }
            context = self.heap.slot(frame.closure, slot::BLOCK_OUTER);
        }
        all
    }

    /// What a cell holds; where none has been made yet, nothing.
    fn in_cell(&self, cell: Oop) -> Oop {
        self.heap.slots(cell).first().copied().unwrap_or(Oop::NIL)
    }

    /// Makes a process ready that evaluates code as if it stood in a frame: it sees the receiver, the frame's
    /// variables and the session's. [`Vm::write_back`] tells the frame what it assigned.
    ///
    /// # Errors
    /// What is wrong with the source, and where.
    pub fn spawn_in_frame(
        &mut self,
        source: &str,
        context: Oop,
        bindings: BindingsId,
        options: SpawnOptions,
    ) -> Result<(ProcessId, FrameScope), CompileError> {
        let receiver = self.frame_receiver(context).unwrap_or(Oop::NIL);
        let owner = self.owner_for(context, receiver);
        let mut variables = Vec::new();
        let mut names = Vec::new();
        for variable in self.frame_variables(context) {
            let symbol = self.symbol(&variable.name);
            let binding = self.heap.allocate(
                class::WORKSPACE_VARIABLE,
                super::heap::Body::Slots(Box::new([symbol, variable.value])),
            );
            names.push((variable.name.clone(), binding));
            let (binding, value) = (self.retain(binding), self.retain(variable.value));
            variables.push((variable.name, binding, value));
        }
        let session = self.bindings.get(&bindings).copied();
        let fields = self.fields_for(owner, receiver);
        let method = self.compile_in_frame(source, owner, fields, session, names)?;
        let process = self.spawn_method(method, receiver, options);
        let context = self.retain(context);
        Ok((process, FrameScope { context, variables }))
    }

    /// The class whose code the frame runs, if the receiver is one of its instances.
    fn owner_for(&self, context: Oop, receiver: Oop) -> Oop {
        let owner = self
            .heap
            .frame(context)
            .map_or(Oop::NIL, |frame| frame.code.owner);
        if self.is_kind_of(receiver, owner) {
            owner
        } else {
            self.class_of(receiver)
        }
    }

    /// The instance variables that code in a frame sees: all those of the receiver, also where the frame runs a method
    /// that it inherits. Of a class only those that its code may assign.
    fn fields_for(&self, owner: Oop, receiver: Oop) -> Vec<String> {
        let class = self.class_of(receiver);
        self.all_field_names(if self.is_kind_of(receiver, class::BEHAVIOR) {
            owner
        } else {
            class
        })
    }

    /// The variables of the frame get what the code assigned to them.
    pub fn write_back(&mut self, scope: &FrameScope) {
        let places = self.frame_variables(scope.context.oop());
        for (name, binding, before) in &scope.variables {
            let value = self.heap.slot(binding.oop(), slot::BINDING_VALUE);
            if value == before.oop() {
                continue;
            }
            let Some(place) = places.iter().find(|place| place.name == *name) else {
                continue;
            };
            let Some(frame) = self.heap.frame_mut(place.context) else {
                continue;
            };
            let Some(held) = frame.slots.get_mut(place.slot) else {
                continue;
            };
            if !place.in_cell {
                *held = value;
                continue;
            }
            let cell = *held;
            if self.class_of(cell) == class::ARRAY && self.heap.slots(cell).len() == 1 {
                self.heap.set_slot(cell, 0, value);
            }
        }
    }
}

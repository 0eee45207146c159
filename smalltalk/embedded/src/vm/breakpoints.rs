//! Breakpoints: an instruction before the first one of a method.

use std::rc::Rc;

use super::Vm;
use super::code::{Code, Op};
use super::known::slot;
use super::oop::Oop;
use super::roots::Root;

/// Most breakpoints.
const MAX_BREAKPOINTS: usize = 256;

/// A method with a breakpoint.
#[derive(Debug)]
pub(super) struct Breakpoint {
    method: Root,
    /// Its code without it.
    code: Rc<Code>,
    /// Its code with it.
    stopping: Rc<Code>,
}

impl Vm {
    /// Stops processes that heed breakpoints when they begin a method. False if there are too many, or it is no
    /// method, or one with a primitive, which runs instead of its first instruction.
    pub fn set_breakpoint(&mut self, method: Oop) -> bool {
        self.forget_replaced_methods();
        if self.debugging.breakpoints.contains_key(&method) {
            return true;
        }
        let Some(code) = self.heap.code(method).cloned() else {
            return false;
        };
        if code.primitive.is_some() || self.debugging.breakpoints.len() >= MAX_BREAKPOINTS {
            return false;
        }
        let stopping = Rc::new(with_breakpoint(&code));
        self.replace_code(method, Rc::clone(&stopping));
        let breakpoint = Breakpoint {
            method: self.retain(method),
            code,
            stopping,
        };
        self.debugging.breakpoints.insert(method, breakpoint);
        true
    }

    /// Breakpoints go with the methods that other ones have taken the place of.
    fn forget_replaced_methods(&mut self) {
        let heap = &self.heap;
        self.debugging.breakpoints.retain(|method, breakpoint| {
            let methods = heap.slot(breakpoint.code.owner, slot::BEHAVIOR_METHODS);
            let installed = heap
                .map(methods)
                .and_then(|map| map.get(&breakpoint.code.selector));
            let is_stopping = heap
                .code(*method)
                .is_some_and(|code| Rc::ptr_eq(code, &breakpoint.stopping));
            installed == Some(method) && is_stopping
        });
    }

    /// Processes stop at this method no longer. False if they did not.
    pub fn remove_breakpoint(&mut self, method: Oop) -> bool {
        self.forget_replaced_methods();
        let Some(breakpoint) = self.debugging.breakpoints.remove(&method) else {
            return false;
        };
        self.replace_code(breakpoint.method.oop(), breakpoint.code);
        true
    }

    fn replace_code(&mut self, method: Oop, code: Rc<Code>) {
        if let Some(super::heap::Body::Method(body)) = self.heap.body_mut(method) {
            body.code = code;
        }
        self.flush_method_cache();
    }

    /// The running process is at a breakpoint.
    pub(super) fn reach_breakpoint(&mut self) {
        let process = self.scheduler.active_process;
        let heeds = self
            .owner_of(process)
            .is_some_and(|id| self.is_spawned(process, id) && self.debugging.heeding.contains(&id));
        if heeds {
            self.forget_step(process);
            self.stop_active(true);
        }
    }
}

/// The same code with a breakpoint before its first instruction.
fn with_breakpoint(code: &Code) -> Code {
    let ops = std::iter::once(Op::Break)
        .chain(code.ops.iter().map(|op| match *op {
            Op::Jump(target) => Op::Jump(target + 1),
            Op::JumpIfTrue(target) => Op::JumpIfTrue(target + 1),
            Op::JumpIfFalse(target) => Op::JumpIfFalse(target + 1),
            Op::JumpIfNil(target) => Op::JumpIfNil(target + 1),
            Op::JumpIfNotNil(target) => Op::JumpIfNotNil(target + 1),
            other => other,
        }))
        .collect();
    let first = code.ranges.first().copied().unwrap_or(code.range);
    Code {
        ops,
        literals: code.literals.clone(),
        ranges: std::iter::once(first)
            .chain(code.ranges.iter().copied())
            .collect(),
        variables: code.variables.clone(),
        args: code.args,
        temps: code.temps,
        frame_slots: code.frame_slots,
        primitive: code.primitive,
        error_slot: code.error_slot,
        marker: code.marker,
        is_block: code.is_block,
        selector: code.selector,
        owner: code.owner,
        source: Rc::clone(&code.source),
        range: code.range,
    }
}

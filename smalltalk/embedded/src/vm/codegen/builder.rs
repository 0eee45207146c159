//! Assembling one piece of code: instructions, literals, slots, jumps, stack depth.

use std::collections::HashMap;

use super::CodeError;
use crate::syntax::ast::{LocalId, Span};
use crate::vm::code::{Op, Special, Variable};
use crate::vm::oop::Oop;

/// A jump whose target is not known yet.
#[must_use]
pub(super) struct Pending(usize);

/// Code in the making.
pub(super) struct Builder {
    pub(super) ops: Vec<Op>,
    pub(super) ranges: Vec<Span>,
    pub(super) literals: Vec<Oop>,
    pub(super) variables: Vec<Variable>,
    pub(super) args: u8,
    pub(super) is_block: bool,
    pub(super) range: Span,
    literal_numbers: HashMap<Oop, u32>,
    slots: HashMap<LocalId, u16>,
    next_slot: u16,
    depth: u32,
    max_depth: u32,
    /// Expression that instructions are being emitted for.
    current: Span,
}

impl Builder {
    pub(super) fn new(range: Span) -> Builder {
        Builder {
            ops: Vec::new(),
            ranges: Vec::new(),
            literals: Vec::new(),
            variables: Vec::new(),
            args: 0,
            is_block: false,
            range,
            literal_numbers: HashMap::new(),
            slots: HashMap::new(),
            next_slot: 0,
            depth: 0,
            max_depth: 0,
            current: Span::default(),
        }
    }

    // ---- slots

    /// Gives a local the next slot.
    pub(super) fn add_slot(
        &mut self,
        local: LocalId,
        name: &str,
        in_cell: bool,
    ) -> Result<(), CodeError> {
        let slot = self.hidden_slot()?;
        self.slots.insert(local, slot);
        self.variables.push(Variable {
            name: name.into(),
            slot,
            in_cell,
        });
        Ok(())
    }

    /// A slot for a value that has no name, such as a loop's limit.
    pub(super) fn hidden_slot(&mut self) -> Result<u16, CodeError> {
        let slot = self.next_slot;
        self.next_slot = slot.checked_add(1).ok_or(CodeError::TooMany("variables"))?;
        Ok(slot)
    }

    /// The slot of a local of this code, or of one that it captured.
    pub(super) fn slot(&self, local: LocalId) -> Result<u16, CodeError> {
        self.slots
            .get(&local)
            .copied()
            .ok_or(CodeError::TooMany("captured variables"))
    }

    /// Whether the local has a slot already.
    pub(super) fn has_slot(&self, local: LocalId) -> bool {
        self.slots.contains_key(&local)
    }

    pub(super) fn slot_count(&self) -> u16 {
        self.next_slot
    }

    pub(super) fn max_depth(&self) -> u32 {
        self.max_depth
    }

    // ---- instructions

    /// Instructions from here on belong to this expression; answers the previous one.
    pub(super) fn enter(&mut self, span: Span) -> Span {
        std::mem::replace(&mut self.current, span)
    }

    /// Appends an instruction and follows the depth of the stack.
    pub(super) fn emit(&mut self, op: Op) {
        let (pops, pushes) = effect(op);
        self.depth = self.depth.saturating_sub(pops) + pushes;
        self.max_depth = self.max_depth.max(self.depth);
        self.ops.push(op);
        self.ranges.push(self.current);
    }

    /// The number of a literal, each value once.
    pub(super) fn literal(&mut self, value: Oop) -> u32 {
        let next = self.literals.len() as u32;
        let number = *self.literal_numbers.entry(value).or_insert(next);
        if number == next {
            self.literals.push(value);
        }
        number
    }

    /// Emits a send of a selector symbol.
    pub(super) fn send(&mut self, selector: Oop, args: usize) -> Result<(), CodeError> {
        let args = u8::try_from(args).map_err(|_| CodeError::TooMany("arguments"))?;
        if let Some(special) = Special::of(selector) {
            self.emit(Op::SendSpecial(special));
        } else {
            let selector = self.literal(selector);
            self.emit(Op::Send { selector, args });
        }
        Ok(())
    }

    // ---- jumps

    /// Position of the next instruction.
    pub(super) fn here(&self) -> u32 {
        self.ops.len() as u32
    }

    /// Emits a jump forward, to be directed by [`Builder::land`].
    pub(super) fn jump(&mut self, make: fn(u32) -> Op) -> Pending {
        self.emit(make(0));
        Pending(self.ops.len() - 1)
    }

    /// Directs a jump to the next instruction.
    pub(super) fn land(&mut self, jump: &Pending) {
        let here = self.here();
        let op = &mut self.ops[jump.0];
        *op = match *op {
            Op::JumpIfTrue(_) => Op::JumpIfTrue(here),
            Op::JumpIfFalse(_) => Op::JumpIfFalse(here),
            Op::JumpIfNil(_) => Op::JumpIfNil(here),
            Op::JumpIfNotNil(_) => Op::JumpIfNotNil(here),
            _ => Op::Jump(here),
        };
    }

    /// Where two branches meet, the second one counts; this takes the first one's value off the count.
    pub(super) fn forget_value(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// After code that never continues: the value that the surroundings expect is deemed there.
    pub(super) fn assume_value(&mut self) {
        self.depth += 1;
        self.max_depth = self.max_depth.max(self.depth);
    }
}

/// How many values an instruction takes from the operand stack and puts on it.
fn effect(op: Op) -> (u32, u32) {
    match op {
        Op::PushTemp(_)
        | Op::PushCell(_)
        | Op::PushSelf
        | Op::PushField(_)
        | Op::PushLiteral(_)
        | Op::PushVariable(_)
        | Op::PushInteger(_)
        | Op::PushNil
        | Op::PushTrue
        | Op::PushFalse
        | Op::PushContext
        | Op::Dup => (0, 1),
        Op::StoreTemp(_)
        | Op::StoreCell(_)
        | Op::StoreField(_)
        | Op::StoreVariable(_)
        | Op::NewCell(_)
        | Op::Jump(_)
        | Op::Break
        | Op::ReturnSelf => (0, 0),
        Op::PopTemp(_)
        | Op::PopCell(_)
        | Op::PopField(_)
        | Op::PopVariable(_)
        | Op::Pop
        | Op::JumpIfTrue(_)
        | Op::JumpIfFalse(_)
        | Op::JumpIfNil(_)
        | Op::JumpIfNotNil(_)
        | Op::Return
        | Op::ReturnFromBlock
        | Op::ReturnFromHome => (1, 0),
        Op::NewArray(size) => (size, 1),
        Op::PushBlock { copied, .. } => (u32::from(copied), 1),
        Op::Send { args, .. } | Op::SuperSend { args, .. } => (u32::from(args) + 1, 1),
        Op::SendSpecial(special) => (u32::from(special.selector().1) + 1, 1),
    }
}

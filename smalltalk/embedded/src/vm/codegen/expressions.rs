//! Statements and expressions.
//!
//! Every construct exists twice: for its value, which it leaves on the operand stack, and for its
//! effect, which leaves nothing.

use super::builder::Builder;
use super::{CodeError, Generator};
use crate::syntax::ast::{
    Assignment, Binding, Block, Cascade, Declaration, Expression, LocalId, Message, ScopeId, Send,
    Sequence, SharedId, Statement, Storage, Variable,
};
use crate::vm::code::Op;
use crate::vm::known::{PROCESSOR, SMALLTALK, class, selector, slot};
use crate::vm::oop::Oop;

impl Generator<'_, '_> {
    // ---- variables

    /// Gives slots to all locals whose frame is `scope` and that have none yet.
    pub(super) fn place_locals(
        &mut self,
        builder: &mut Builder,
        scope: ScopeId,
    ) -> Result<(), CodeError> {
        for (index, local) in self.method.locals.iter().enumerate() {
            let id = LocalId(index as u32);
            if local.scope == scope && !builder.has_slot(id) {
                builder.add_slot(id, &local.name, local.storage == Storage::Cell)?;
            }
        }
        Ok(())
    }

    /// What happens where locals are declared: shared ones get a fresh cell, and those of an inlined
    /// block, whose slots may hold what an earlier round of a loop left, become nil again.
    pub(super) fn begin_locals(
        &mut self,
        builder: &mut Builder,
        temporaries: &[Declaration],
        again: bool,
    ) -> Result<(), CodeError> {
        for declaration in temporaries {
            let slot = builder.slot(declaration.local)?;
            match self.method.locals[declaration.local.index()].storage {
                Storage::Cell => builder.emit(Op::NewCell(slot)),
                Storage::Slot if again => {
                    builder.emit(Op::PushNil);
                    builder.emit(Op::PopTemp(slot));
                }
                Storage::Slot => {}
            }
        }
        Ok(())
    }

    fn variable(&mut self, builder: &mut Builder, variable: &Variable) -> Result<(), CodeError> {
        match variable.binding {
            Binding::SelfVariable | Binding::Super => builder.emit(Op::PushSelf),
            Binding::ThisContext => builder.emit(Op::PushContext),
            Binding::ThisProcess => {
                let literal = builder.literal(PROCESSOR);
                builder.emit(Op::PushLiteral(literal));
                let selector = self
                    .target
                    .symbols
                    .intern(self.target.heap, "activeProcess");
                builder.send(selector, 0)?;
            }
            Binding::Local(local) => {
                let slot = builder.slot(local)?;
                builder.emit(match self.method.locals[local.index()].storage {
                    Storage::Slot => Op::PushTemp(slot),
                    Storage::Cell => Op::PushCell(slot),
                });
            }
            Binding::Instance(index) => {
                builder.emit(Op::PushField(field(index)?));
            }
            Binding::Shared(SharedId(word)) => {
                let literal = builder.literal(Oop::from_word(word));
                builder.emit(Op::PushVariable(literal));
            }
            Binding::Global => {
                let before = builder.enter(variable.span);
                let literal = builder.literal(SMALLTALK);
                builder.emit(Op::PushLiteral(literal));
                let mut intern = |text: &str| self.target.symbols.intern(self.target.heap, text);
                let (name, selector) = (intern(&variable.name), intern("readUndeclared:"));
                let literal = builder.literal(name);
                builder.emit(Op::PushLiteral(literal));
                builder.send(selector, 1)?;
                builder.enter(before);
            }
            // analysis refused the source if it could not resolve a name
            Binding::Unresolved => builder.emit(Op::PushNil),
        }
        Ok(())
    }

    fn assign(
        &mut self,
        builder: &mut Builder,
        assignment: &Assignment,
        keep: bool,
    ) -> Result<(), CodeError> {
        self.value(builder, &assignment.value)?;
        let before = builder.enter(assignment.span);
        let op = match assignment.target.binding {
            Binding::Local(local) => {
                let slot = builder.slot(local)?;
                match (self.method.locals[local.index()].storage, keep) {
                    (Storage::Slot, true) => Op::StoreTemp(slot),
                    (Storage::Slot, false) => Op::PopTemp(slot),
                    (Storage::Cell, true) => Op::StoreCell(slot),
                    (Storage::Cell, false) => Op::PopCell(slot),
                }
            }
            Binding::Instance(index) => {
                let index = field(index)?;
                // a ring of superclasses would stop the machine
                if usize::from(index) < slot::DESCRIPTION_VARIABLES && self.is_class_code() {
                    return Err(CodeError::Reserved);
                }
                if keep {
                    Op::StoreField(index)
                } else {
                    Op::PopField(index)
                }
            }
            Binding::Shared(SharedId(word)) => {
                let literal = builder.literal(Oop::from_word(word));
                if keep {
                    Op::StoreVariable(literal)
                } else {
                    Op::PopVariable(literal)
                }
            }
            // analysis refused the source: pseudo variables are read-only, and globals are defined before
            Binding::SelfVariable
            | Binding::Super
            | Binding::ThisContext
            | Binding::ThisProcess
            | Binding::Global
            | Binding::Unresolved => {
                if keep {
                    builder.enter(before);
                    return Ok(());
                }
                Op::Pop
            }
        };
        builder.emit(op);
        builder.enter(before);
        Ok(())
    }

    /// Whether the receiver of this code is a class.
    fn is_class_code(&self) -> bool {
        let mut class = self.owner;
        while !class.is_nil() {
            if class == class::BEHAVIOR {
                return true;
            }
            class = self.target.heap.slot(class, slot::BEHAVIOR_SUPERCLASS);
        }
        false
    }

    // ---- statements

    /// Statements, the last one for its value; `nil` if there is none.
    pub(super) fn sequence_value(
        &mut self,
        builder: &mut Builder,
        body: &Sequence,
    ) -> Result<(), CodeError> {
        let Some((last, others)) = body.statements.split_last() else {
            builder.emit(Op::PushNil);
            return Ok(());
        };
        for statement in others {
            self.statement_effect(builder, statement)?;
        }
        match last {
            Statement::Expression(expression) => self.value(builder, expression),
            Statement::Return { .. } => {
                self.statement_effect(builder, last)?;
                builder.assume_value();
                Ok(())
            }
        }
    }

    /// Statements for their effect.
    pub(super) fn sequence_effect(
        &mut self,
        builder: &mut Builder,
        body: &Sequence,
    ) -> Result<(), CodeError> {
        body.statements
            .iter()
            .try_for_each(|statement| self.statement_effect(builder, statement))
    }

    fn statement_effect(
        &mut self,
        builder: &mut Builder,
        statement: &Statement,
    ) -> Result<(), CodeError> {
        match statement {
            Statement::Expression(expression) => self.effect(builder, expression),
            Statement::Return { value, span } => {
                let before = builder.enter(*span);
                if builder.is_block {
                    self.value(builder, value)?;
                    builder.emit(Op::ReturnFromHome);
                } else if matches!(value, Expression::Variable(v) if v.binding == Binding::SelfVariable)
                {
                    builder.emit(Op::ReturnSelf);
                } else {
                    self.value(builder, value)?;
                    builder.emit(Op::Return);
                }
                builder.enter(before);
                Ok(())
            }
        }
    }

    // ---- expressions

    /// An expression for its effect.
    pub(super) fn effect(
        &mut self,
        builder: &mut Builder,
        expression: &Expression,
    ) -> Result<(), CodeError> {
        match expression {
            Expression::Literal(..) | Expression::Block(_) => Ok(()),
            Expression::Assignment(assignment) => self.assign(builder, assignment, false),
            Expression::Send(send) if send.inlined.is_some() => self.inlined(builder, send, false),
            _ => {
                self.value(builder, expression)?;
                builder.emit(Op::Pop);
                Ok(())
            }
        }
    }

    /// An expression for its value.
    pub(super) fn value(
        &mut self,
        builder: &mut Builder,
        expression: &Expression,
    ) -> Result<(), CodeError> {
        let before = builder.enter(expression.span());
        match expression {
            Expression::Literal(literal, _) => self.push_literal(builder, literal),
            Expression::Variable(variable) => self.variable(builder, variable)?,
            Expression::Assignment(assignment) => self.assign(builder, assignment, true)?,
            Expression::Send(send) if send.inlined.is_some() => {
                self.inlined(builder, send, true)?;
            }
            Expression::Send(send) => self.send(builder, send)?,
            Expression::Cascade(cascade) => self.cascade(builder, cascade)?,
            Expression::Block(block) => self.closure(builder, block)?,
            Expression::BraceArray(elements, _) => {
                for element in elements {
                    self.value(builder, element)?;
                }
                let size =
                    u32::try_from(elements.len()).map_err(|_| CodeError::TooMany("elements"))?;
                builder.emit(Op::NewArray(size));
            }
        }
        builder.enter(before);
        Ok(())
    }

    fn send(&mut self, builder: &mut Builder, send: &Send) -> Result<(), CodeError> {
        self.value(builder, &send.receiver)?;
        self.message(builder, &send.message, send.receiver.is_super())
    }

    fn message(
        &mut self,
        builder: &mut Builder,
        message: &Message,
        to_super: bool,
    ) -> Result<(), CodeError> {
        for argument in &message.arguments {
            self.value(builder, argument)?;
        }
        let selector = self
            .target
            .symbols
            .intern(self.target.heap, &message.selector);
        if to_super {
            let args = u8::try_from(message.arguments.len())
                .map_err(|_| CodeError::TooMany("arguments"))?;
            let selector = builder.literal(selector);
            builder.emit(Op::SuperSend { selector, args });
            Ok(())
        } else {
            builder.send(selector, message.arguments.len())
        }
    }

    fn cascade(&mut self, builder: &mut Builder, cascade: &Cascade) -> Result<(), CodeError> {
        self.value(builder, &cascade.receiver)?;
        let to_super = cascade.receiver.is_super();
        for (position, message) in cascade.messages.iter().enumerate() {
            let last = position + 1 == cascade.messages.len();
            let before = builder.enter(message.span);
            if !last {
                builder.emit(Op::Dup);
            }
            self.message(builder, message, to_super)?;
            if !last {
                builder.emit(Op::Pop);
            }
            builder.enter(before);
        }
        Ok(())
    }

    fn closure(&mut self, builder: &mut Builder, block: &Block) -> Result<(), CodeError> {
        let code = self.block_code(block)?;
        for captured in &block.captures {
            // the slot as it is: the value itself, or the cell that is shared
            builder.emit(Op::PushTemp(builder.slot(*captured)?));
        }
        let copied = u16::try_from(block.captures.len())
            .map_err(|_| CodeError::TooMany("captured variables"))?;
        let code = builder.literal(code);
        builder.emit(Op::PushBlock { code, copied });
        Ok(())
    }

    /// The symbol for arithmetic that inlined loops do themselves.
    pub(super) fn add_selector() -> Oop {
        selector::ADD
    }
}

/// An instance variable's index as an operand.
fn field(index: u32) -> Result<u16, CodeError> {
    u16::try_from(index).map_err(|_| CodeError::TooMany("instance variables"))
}

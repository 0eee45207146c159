//! Control messages with literal blocks, compiled to jumps.

use super::builder::Builder;
use super::{CodeError, Generator};
use crate::syntax::ast::{Block, Expression, Inlined, Literal, Send};
use crate::vm::code::{Op, Special};

impl Generator<'_, '_> {
    /// An inlined send, for its value if `keep`.
    pub(super) fn inlined(
        &mut self,
        builder: &mut Builder,
        send: &Send,
        keep: bool,
    ) -> Result<(), CodeError> {
        let Some(kind) = send.inlined else {
            return Ok(());
        };
        let before = builder.enter(send.span);
        let arguments = &send.message.arguments;
        let receiver = &send.receiver;
        match kind {
            Inlined::IfTrue => self.branch(
                builder,
                receiver,
                Op::JumpIfFalse,
                arguments.first(),
                None,
                keep,
            )?,
            Inlined::IfFalse => self.branch(
                builder,
                receiver,
                Op::JumpIfTrue,
                arguments.first(),
                None,
                keep,
            )?,
            Inlined::IfTrueIfFalse => {
                self.branch(
                    builder,
                    receiver,
                    Op::JumpIfFalse,
                    arguments.first(),
                    arguments.get(1),
                    keep,
                )?;
            }
            Inlined::IfFalseIfTrue => {
                self.branch(
                    builder,
                    receiver,
                    Op::JumpIfTrue,
                    arguments.first(),
                    arguments.get(1),
                    keep,
                )?;
            }
            Inlined::And => self.logical(
                builder,
                receiver,
                Op::JumpIfFalse,
                Op::PushFalse,
                arguments.first(),
                keep,
            )?,
            Inlined::Or => self.logical(
                builder,
                receiver,
                Op::JumpIfTrue,
                Op::PushTrue,
                arguments.first(),
                keep,
            )?,
            Inlined::IfNil => self.if_nil(builder, receiver, arguments.first(), keep)?,
            Inlined::IfNotNil => {
                self.nil_branch(builder, receiver, None, arguments.first(), keep)?;
            }
            Inlined::IfNilIfNotNil => {
                self.nil_branch(builder, receiver, arguments.first(), arguments.get(1), keep)?;
            }
            Inlined::IfNotNilIfNil => {
                self.nil_branch(builder, receiver, arguments.get(1), arguments.first(), keep)?;
            }
            Inlined::WhileTrue => {
                self.while_loop(builder, receiver, Op::JumpIfFalse, arguments.first(), keep)?;
            }
            Inlined::WhileFalse => {
                self.while_loop(builder, receiver, Op::JumpIfTrue, arguments.first(), keep)?;
            }
            Inlined::WhileTrueUnary => {
                self.while_loop(builder, receiver, Op::JumpIfFalse, None, keep)?;
            }
            Inlined::WhileFalseUnary => {
                self.while_loop(builder, receiver, Op::JumpIfTrue, None, keep)?;
            }
            Inlined::Repeat => {
                let top = builder.here();
                self.block_effect(builder, Some(receiver))?;
                builder.emit(Op::Jump(top));
                if keep {
                    builder.assume_value();
                }
            }
            Inlined::ToDo => self.counting(
                builder,
                receiver,
                arguments.first(),
                None,
                arguments.get(1),
                keep,
            )?,
            Inlined::ToByDo => {
                self.counting(
                    builder,
                    receiver,
                    arguments.first(),
                    arguments.get(1),
                    arguments.get(2),
                    keep,
                )?;
            }
            Inlined::TimesRepeat => {
                self.times_repeat(builder, receiver, arguments.first(), keep)?;
            }
        }
        builder.enter(before);
        Ok(())
    }

    // ---- the blocks

    /// The statements of a literal block for the value of the last one.
    fn block_value(
        &mut self,
        builder: &mut Builder,
        block: Option<&Expression>,
    ) -> Result<(), CodeError> {
        match block {
            Some(Expression::Block(block)) => {
                self.begin_locals(builder, &block.body.temporaries, true)?;
                self.sequence_value(builder, &block.body)
            }
            Some(other) => self.value(builder, other),
            None => {
                builder.emit(Op::PushNil);
                Ok(())
            }
        }
    }

    fn block_effect(
        &mut self,
        builder: &mut Builder,
        block: Option<&Expression>,
    ) -> Result<(), CodeError> {
        match block {
            Some(Expression::Block(block)) => {
                self.begin_locals(builder, &block.body.temporaries, true)?;
                self.sequence_effect(builder, &block.body)
            }
            Some(other) => self.effect(builder, other),
            None => Ok(()),
        }
    }

    fn block_result(
        &mut self,
        builder: &mut Builder,
        block: Option<&Expression>,
        keep: bool,
    ) -> Result<(), CodeError> {
        if keep {
            self.block_value(builder, block)
        } else {
            self.block_effect(builder, block)
        }
    }

    // ---- choices

    fn branch(
        &mut self,
        builder: &mut Builder,
        condition: &Expression,
        skip: fn(u32) -> Op,
        first: Option<&Expression>,
        second: Option<&Expression>,
        keep: bool,
    ) -> Result<(), CodeError> {
        self.value(builder, condition)?;
        let skipped = builder.jump(skip);
        self.block_result(builder, first, keep)?;
        if !keep && second.is_none() {
            builder.land(&skipped);
            return Ok(());
        }
        let end = builder.jump(Op::Jump);
        builder.land(&skipped);
        if keep {
            builder.forget_value();
        }
        self.block_result(builder, second, keep)?;
        builder.land(&end);
        Ok(())
    }

    fn logical(
        &mut self,
        builder: &mut Builder,
        receiver: &Expression,
        decided: fn(u32) -> Op,
        otherwise: Op,
        argument: Option<&Expression>,
        keep: bool,
    ) -> Result<(), CodeError> {
        self.value(builder, receiver)?;
        let short = builder.jump(decided);
        self.block_result(builder, argument, keep)?;
        if !keep {
            builder.land(&short);
            return Ok(());
        }
        let end = builder.jump(Op::Jump);
        builder.land(&short);
        builder.forget_value();
        builder.emit(otherwise);
        builder.land(&end);
        Ok(())
    }

    fn if_nil(
        &mut self,
        builder: &mut Builder,
        receiver: &Expression,
        block: Option<&Expression>,
        keep: bool,
    ) -> Result<(), CodeError> {
        self.value(builder, receiver)?;
        if keep {
            builder.emit(Op::Dup);
        }
        let present = builder.jump(Op::JumpIfNotNil);
        if keep {
            builder.emit(Op::Pop);
        }
        self.block_result(builder, block, keep)?;
        builder.land(&present);
        Ok(())
    }

    /// `ifNotNil:` with or without `ifNil:`. Without it the value for nil is nil.
    fn nil_branch(
        &mut self,
        builder: &mut Builder,
        receiver: &Expression,
        if_nil: Option<&Expression>,
        if_not_nil: Option<&Expression>,
        keep: bool,
    ) -> Result<(), CodeError> {
        self.value(builder, receiver)?;
        builder.emit(Op::Dup);
        let absent = builder.jump(Op::JumpIfNil);
        match if_not_nil {
            Some(Expression::Block(block)) if !block.arguments.is_empty() => {
                builder.emit(Op::PopTemp(argument_slot(builder, block)?));
            }
            _ => builder.emit(Op::Pop),
        }
        self.block_result(builder, if_not_nil, keep)?;
        let end = builder.jump(Op::Jump);
        builder.land(&absent);
        if keep {
            builder.forget_value();
        }
        // the receiver, nil, is still there
        builder.assume_value();
        builder.emit(Op::Pop);
        self.block_result(builder, if_nil, keep)?;
        builder.land(&end);
        Ok(())
    }

    // ---- loops

    fn while_loop(
        &mut self,
        builder: &mut Builder,
        condition: &Expression,
        leave: fn(u32) -> Op,
        body: Option<&Expression>,
        keep: bool,
    ) -> Result<(), CodeError> {
        let top = builder.here();
        self.block_value(builder, Some(condition))?;
        let end = builder.jump(leave);
        self.block_effect(builder, body)?;
        builder.emit(Op::Jump(top));
        builder.land(&end);
        if keep {
            builder.emit(Op::PushNil);
        }
        Ok(())
    }

    fn counting(
        &mut self,
        builder: &mut Builder,
        start: &Expression,
        last: Option<&Expression>,
        step: Option<&Expression>,
        body: Option<&Expression>,
        keep: bool,
    ) -> Result<(), CodeError> {
        let (Some(last), Some(Expression::Block(block))) = (last, body) else {
            return Ok(());
        };
        let counter = argument_slot(builder, block)?;
        self.value(builder, start)?;
        builder.emit(if keep {
            Op::StoreTemp(counter)
        } else {
            Op::PopTemp(counter)
        });
        let limit = self.limit(builder, last)?;
        let top = builder.here();
        builder.emit(Op::PushTemp(counter));
        self.push_limit(builder, last, limit)?;
        let downwards = step.is_some_and(is_negative);
        builder.emit(Op::SendSpecial(if downwards {
            Special::GreaterOrEqual
        } else {
            Special::LessOrEqual
        }));
        let end = builder.jump(Op::JumpIfFalse);
        self.block_effect(builder, body)?;
        builder.emit(Op::PushTemp(counter));
        match step {
            Some(step) => self.value(builder, step)?,
            None => builder.emit(Op::PushInteger(1)),
        }
        builder.send(Self::add_selector(), 1)?;
        builder.emit(Op::PopTemp(counter));
        builder.emit(Op::Jump(top));
        builder.land(&end);
        Ok(())
    }

    fn times_repeat(
        &mut self,
        builder: &mut Builder,
        times: &Expression,
        body: Option<&Expression>,
        keep: bool,
    ) -> Result<(), CodeError> {
        let counter = builder.hidden_slot()?;
        let limit = builder.hidden_slot()?;
        self.value(builder, times)?;
        builder.emit(if keep {
            Op::StoreTemp(limit)
        } else {
            Op::PopTemp(limit)
        });
        builder.emit(Op::PushInteger(1));
        builder.emit(Op::PopTemp(counter));
        let top = builder.here();
        builder.emit(Op::PushTemp(counter));
        builder.emit(Op::PushTemp(limit));
        builder.emit(Op::SendSpecial(Special::LessOrEqual));
        let end = builder.jump(Op::JumpIfFalse);
        self.block_effect(builder, body)?;
        builder.emit(Op::PushTemp(counter));
        builder.emit(Op::PushInteger(1));
        builder.emit(Op::SendSpecial(Special::Add));
        builder.emit(Op::PopTemp(counter));
        builder.emit(Op::Jump(top));
        builder.land(&end);
        Ok(())
    }

    /// Evaluates a loop's limit once, into a slot; a literal number is pushed afresh each round.
    fn limit(
        &mut self,
        builder: &mut Builder,
        stop: &Expression,
    ) -> Result<Option<u16>, CodeError> {
        if matches!(stop, Expression::Literal(Literal::Integer(_), _)) {
            return Ok(None);
        }
        let slot = builder.hidden_slot()?;
        self.value(builder, stop)?;
        builder.emit(Op::PopTemp(slot));
        Ok(Some(slot))
    }

    fn push_limit(
        &mut self,
        builder: &mut Builder,
        stop: &Expression,
        slot: Option<u16>,
    ) -> Result<(), CodeError> {
        match slot {
            Some(slot) => {
                builder.emit(Op::PushTemp(slot));
                Ok(())
            }
            None => self.value(builder, stop),
        }
    }
}

/// The slot of the argument of a block with one argument.
fn argument_slot(builder: &Builder, block: &Block) -> Result<u16, CodeError> {
    match block.arguments.first() {
        Some(argument) => builder.slot(argument.local),
        None => Err(CodeError::TooMany("missing arguments")),
    }
}

/// Whether a literal step counts downwards.
fn is_negative(step: &Expression) -> bool {
    match step {
        Expression::Literal(Literal::Integer(value), _) => value.sign() == num_bigint::Sign::Minus,
        Expression::Literal(Literal::Float(value), _) => *value < 0.0,
        Expression::Literal(Literal::ScaledDecimal { numerator, .. }, _) => {
            numerator.sign() == num_bigint::Sign::Minus
        }
        _ => false,
    }
}

//! Which control messages compile to jumps: those whose blocks are written out and take the right number of arguments.

use num_traits::Zero;

use super::ast::{Block, Expression, Inlined, Literal, Send};

/// How `send` is inlined, None when it is an ordinary send.
pub fn kind(send: &Send) -> Option<Inlined> {
    use Inlined::{
        And, IfFalse, IfFalseIfTrue, IfNil, IfNilIfNotNil, IfNotNil, IfNotNilIfNil, IfTrue,
        IfTrueIfFalse, Or, Repeat, TimesRepeat, ToByDo, ToDo, WhileFalse, WhileFalseUnary,
        WhileTrue, WhileTrueUnary,
    };
    if send.receiver.is_super() {
        return None;
    }
    let arguments = &send.message.arguments;
    let takes = |index: usize, counts: &[usize]| {
        block(&arguments[index]).is_some_and(|b| counts.contains(&b.arguments.len()))
    };
    let receiver_is_block = block(&send.receiver).is_some_and(|b| b.arguments.is_empty());
    let (kind, inlinable) = match send.message.selector.as_str() {
        "ifTrue:" => (IfTrue, takes(0, &[0])),
        "ifFalse:" => (IfFalse, takes(0, &[0])),
        "ifTrue:ifFalse:" => (IfTrueIfFalse, takes(0, &[0]) && takes(1, &[0])),
        "ifFalse:ifTrue:" => (IfFalseIfTrue, takes(0, &[0]) && takes(1, &[0])),
        "and:" => (And, takes(0, &[0])),
        "or:" => (Or, takes(0, &[0])),
        "ifNil:" => (IfNil, takes(0, &[0])),
        "ifNotNil:" => (IfNotNil, takes(0, &[0, 1])),
        "ifNil:ifNotNil:" => (IfNilIfNotNil, takes(0, &[0]) && takes(1, &[0, 1])),
        "ifNotNil:ifNil:" => (IfNotNilIfNil, takes(0, &[0, 1]) && takes(1, &[0])),
        "whileTrue:" => (WhileTrue, receiver_is_block && takes(0, &[0])),
        "whileFalse:" => (WhileFalse, receiver_is_block && takes(0, &[0])),
        "whileTrue" => (WhileTrueUnary, receiver_is_block),
        "whileFalse" => (WhileFalseUnary, receiver_is_block),
        "repeat" => (Repeat, receiver_is_block),
        "to:do:" => (ToDo, takes(1, &[1])),
        "to:by:do:" => (ToByDo, is_step(&arguments[1]) && takes(2, &[1])),
        "timesRepeat:" => (TimesRepeat, takes(0, &[0])),
        _ => return None,
    };
    inlinable.then_some(kind)
}

/// Marks the blocks of `send`, which is inlined as `kind`.
pub fn mark_blocks(send: &mut Send, kind: Inlined) {
    let loops_on_receiver = matches!(
        kind,
        Inlined::WhileTrue
            | Inlined::WhileFalse
            | Inlined::WhileTrueUnary
            | Inlined::WhileFalseUnary
            | Inlined::Repeat
    );
    if loops_on_receiver && let Expression::Block(block) = &mut send.receiver {
        block.inlined = true;
    }
    let is_range = matches!(kind, Inlined::ToDo | Inlined::ToByDo);
    let last = send.message.arguments.len();
    for (index, argument) in send.message.arguments.iter_mut().enumerate() {
        if let Expression::Block(block) = argument
            && (!is_range || index + 1 == last)
        {
            block.inlined = true;
        }
    }
}

fn block(expression: &Expression) -> Option<&Block> {
    match expression {
        Expression::Block(block) => Some(block),
        _ => None,
    }
}

/// A literal number that a loop can count with.
fn is_step(expression: &Expression) -> bool {
    match expression {
        Expression::Literal(Literal::Integer(value), _) => !value.is_zero(),
        Expression::Literal(Literal::Float(value), _) => *value != 0.0,
        Expression::Literal(Literal::ScaledDecimal { numerator, .. }, _) => !numerator.is_zero(),
        _ => false,
    }
}

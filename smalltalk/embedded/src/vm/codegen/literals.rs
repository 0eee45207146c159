//! Objects for literals.

use super::Generator;
use super::builder::Builder;
use crate::syntax::ast::Literal;
use crate::vm::code::Op;
use crate::vm::heap::{Body, Heap};
use crate::vm::known::class;
use crate::vm::oop::Oop;
use crate::vm::symbols::SymbolTable;

impl Generator<'_, '_> {
    /// Pushes a literal by the shortest instruction.
    pub(super) fn push_literal(&mut self, builder: &mut Builder, literal: &Literal) {
        let op = match literal {
            Literal::Nil => Op::PushNil,
            Literal::True => Op::PushTrue,
            Literal::False => Op::PushFalse,
            Literal::Integer(value) if i32::try_from(value).is_ok() => {
                Op::PushInteger(i32::try_from(value).unwrap_or_default())
            }
            other => {
                let value = self.literal_object(other);
                Op::PushLiteral(builder.literal(value))
            }
        };
        builder.emit(op);
    }

    fn literal_object(&mut self, literal: &Literal) -> Oop {
        let Literal::String(text) = literal else {
            return literal_object(self.target.heap, self.target.symbols, literal);
        };
        if let Some(string) = self.strings.get(text) {
            return *string;
        }
        let string = literal_object(self.target.heap, self.target.symbols, literal);
        self.strings.insert(text.clone(), string);
        string
    }
}

/// The object of a literal. Arrays nest as deep as the parser allowed.
pub(in crate::vm) fn literal_object(
    heap: &mut Heap,
    symbols: &mut SymbolTable,
    literal: &Literal,
) -> Oop {
    match literal {
        Literal::Nil => Oop::NIL,
        Literal::True => Oop::TRUE,
        Literal::False => Oop::FALSE,
        Literal::Integer(value) => heap.integer(value.clone()),
        Literal::Float(value) => heap.float(*value),
        Literal::ScaledDecimal {
            numerator,
            denominator,
            scale,
        } => {
            let numerator = heap.integer(numerator.clone());
            let denominator = heap.integer(denominator.clone());
            let scale = Oop::index(*scale as usize);
            heap.allocate(
                class::SCALED_DECIMAL,
                Body::Slots(Box::new([numerator, denominator, scale])),
            )
        }
        Literal::Character(value) => Oop::character(*value),
        Literal::String(text) => read_only(heap, |heap| heap.string(text)),
        Literal::Symbol(text) => symbols.intern(heap, text),
        Literal::Array(elements) => {
            let elements: Vec<Oop> = elements
                .iter()
                .map(|element| literal_object(heap, symbols, element))
                .collect();
            read_only(heap, |heap| heap.array(&elements))
        }
        Literal::ByteArray(bytes) => read_only(heap, |heap| {
            heap.allocate(class::BYTE_ARRAY, Body::Bytes(bytes.as_slice().into()))
        }),
    }
}

/// Literals are shared by all activations of the code, so they must not change.
fn read_only(heap: &mut Heap, make: impl FnOnce(&mut Heap) -> Oop) -> Oop {
    let literal = make(heap);
    heap.set_read_only(literal, true);
    literal
}

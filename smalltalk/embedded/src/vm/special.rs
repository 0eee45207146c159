//! Fast paths of frequent messages: what needs no lookup when the operands are of the usual kind.

use num_bigint::BigInt;

use super::Vm;
use super::code::Special;
use super::heap::Body;
use super::known::class;
use super::oop::Oop;

impl Vm {
    /// The result of a special send (`operands`: receiver, then arguments), or `None` if it has to
    /// be sent like any other.
    #[inline]
    pub(super) fn special(&mut self, special: Special, operands: &[Oop]) -> Option<Oop> {
        let receiver = *operands.first()?;
        match special {
            Special::Identical => return Some(Oop::boolean(receiver == *operands.get(1)?)),
            Special::NotIdentical => return Some(Oop::boolean(receiver != *operands.get(1)?)),
            Special::Not => return receiver.as_boolean().map(|value| Oop::boolean(!value)),
            Special::IsNil | Special::NotNil => {
                let nil = receiver.is_nil();
                // other objects may have an opinion of their own
                return (nil || !receiver.is_object())
                    .then(|| Oop::boolean(nil == (special == Special::IsNil)));
            }
            Special::At | Special::AtPut | Special::Size => {
                return self.special_access(special, operands);
            }
            Special::Value | Special::Value1 | Special::Value2 => return None,
            _ => {}
        }
        let argument = *operands.get(1)?;
        if let Some((a, b)) = receiver.both_integers(argument) {
            return self.integers(special, a, b);
        }
        if let (Some(a), Some(b)) = (receiver.as_small_float(), argument.as_small_float()) {
            return self.floats(special, a, b);
        }
        None
    }

    #[inline]
    fn integers(&mut self, special: Special, a: i64, b: i64) -> Option<Oop> {
        Some(match special {
            // 61-bit operands: sums and differences cannot overflow 64 bits
            Special::Add => self.heap.integer_i64(a + b),
            Special::Subtract => self.heap.integer_i64(a - b),
            Special::Multiply => match a.checked_mul(b) {
                Some(product) => self.heap.integer_i64(product),
                None => self.heap.integer(BigInt::from(a) * b),
            },
            Special::Less => Oop::boolean(a < b),
            Special::Greater => Oop::boolean(a > b),
            Special::LessOrEqual => Oop::boolean(a <= b),
            Special::GreaterOrEqual => Oop::boolean(a >= b),
            Special::Equal => Oop::boolean(a == b),
            Special::NotEqual => Oop::boolean(a != b),
            Special::Quotient if b != 0 => self
                .heap
                .integer_i64(num_integer::Integer::div_floor(&a, &b)),
            Special::Modulo if b != 0 => self
                .heap
                .integer_i64(num_integer::Integer::mod_floor(&a, &b)),
            Special::BitAnd => self.heap.integer_i64(a & b),
            Special::BitOr => self.heap.integer_i64(a | b),
            Special::BitShift if (-60..=0).contains(&b) => self.heap.integer_i64(a >> -b),
            Special::BitShift if (0..=60).contains(&b) => self.heap.integer(BigInt::from(a) << b),
            _ => return None,
        })
    }

    #[inline]
    fn floats(&mut self, special: Special, a: f64, b: f64) -> Option<Oop> {
        #[allow(clippy::float_cmp)] // the language's own comparison
        Some(match special {
            Special::Add => self.heap.float(a + b),
            Special::Subtract => self.heap.float(a - b),
            Special::Multiply => self.heap.float(a * b),
            Special::Less => Oop::boolean(a < b),
            Special::Greater => Oop::boolean(a > b),
            Special::LessOrEqual => Oop::boolean(a <= b),
            Special::GreaterOrEqual => Oop::boolean(a >= b),
            Special::Equal => Oop::boolean(a == b),
            Special::NotEqual => Oop::boolean(a != b),
            _ => return None,
        })
    }

    /// `at:`, `at:put:` and `size` of arrays and byte strings.
    #[inline]
    fn special_access(&mut self, special: Special, operands: &[Oop]) -> Option<Oop> {
        let receiver = operands[0];
        let class = self.heap.class_of(receiver);
        let is_array = class == class::ARRAY;
        if !is_array && class != class::BYTE_STRING {
            return None;
        }
        if special == Special::AtPut && self.heap.is_read_only(receiver) {
            return None;
        }
        let body = self.heap.body_mut(receiver)?;
        match (special, body) {
            (Special::Size, Body::Slots(slots)) => Some(Oop::index(slots.len())),
            (Special::Size, Body::Bytes(bytes)) => Some(Oop::index(bytes.len())),
            (Special::At, body) => {
                let index = operands.get(1)?.as_size()?.checked_sub(1)?;
                match body {
                    Body::Slots(slots) => slots.get(index).copied(),
                    Body::Bytes(bytes) => bytes
                        .get(index)
                        .map(|byte| Oop::character(char::from(*byte))),
                    _ => None,
                }
            }
            (Special::AtPut, Body::Slots(slots)) => {
                let index = operands.get(1)?.as_size()?.checked_sub(1)?;
                let value = *operands.get(2)?;
                *slots.get_mut(index)? = value;
                Some(value)
            }
            _ => None,
        }
    }
}

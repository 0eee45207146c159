//! Arithmetic of integers of any size, and with a float as the other operand.
//!
//! Fractions, scaled decimals and the rules by which kinds of numbers adapt to each other are
//! Smalltalk code, which runs where a primitive fails. Integers are bounded by [`MAX_BITS`]: it
//! keeps the slowest operation, printing in decimal, near a second.

use std::cmp::Ordering;
use std::hash::Hasher;

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{One, Signed, ToPrimitive, Zero};

use super::floats::float_arithmetic;
use super::{Failure, Primitive, argument, integer_argument};
use crate::vm::Vm;
use crate::vm::oop::Oop;

/// Largest integer, in bits.
const MAX_BITS: u64 = 1 << 22;
/// Integers up to this magnitude are exact as floats.
pub(super) const EXACT_IN_FLOAT: i64 = 1 << 53;

pub(super) const PRIMITIVES: &[(&str, Primitive)] = &[
    (
        "integerAdd",
        Primitive::Plain(|vm, a, b| arithmetic(vm, a, b, Operation::Add)),
    ),
    (
        "integerSubtract",
        Primitive::Plain(|vm, a, b| arithmetic(vm, a, b, Operation::Subtract)),
    ),
    (
        "integerMultiply",
        Primitive::Plain(|vm, a, b| arithmetic(vm, a, b, Operation::Multiply)),
    ),
    (
        "integerDivide",
        Primitive::Plain(|vm, a, b| arithmetic(vm, a, b, Operation::Divide)),
    ),
    (
        "integerFloorDivide",
        Primitive::Plain(|vm, a, b| division(vm, a, b, BigInt::div_floor)),
    ),
    (
        "integerFloorModulo",
        Primitive::Plain(|vm, a, b| division(vm, a, b, BigInt::mod_floor)),
    ),
    (
        "integerQuotient",
        Primitive::Plain(|vm, a, b| division(vm, a, b, |a, b| a / b)),
    ),
    (
        "integerRemainder",
        Primitive::Plain(|vm, a, b| division(vm, a, b, |a, b| a % b)),
    ),
    (
        "integerLess",
        Primitive::Plain(|vm, a, b| compare(vm, a, b, Ordering::is_lt)),
    ),
    (
        "integerLessOrEqual",
        Primitive::Plain(|vm, a, b| compare(vm, a, b, Ordering::is_le)),
    ),
    (
        "integerGreater",
        Primitive::Plain(|vm, a, b| compare(vm, a, b, Ordering::is_gt)),
    ),
    (
        "integerGreaterOrEqual",
        Primitive::Plain(|vm, a, b| compare(vm, a, b, Ordering::is_ge)),
    ),
    (
        "integerEqual",
        Primitive::Plain(|vm, a, b| compare(vm, a, b, Ordering::is_eq)),
    ),
    ("integerHash", Primitive::Plain(integer_hash)),
    ("integerAsFloat", Primitive::Plain(integer_as_float)),
    (
        "integerBitAnd",
        Primitive::Plain(|vm, a, b| bitwise(vm, a, b, |a, b| a & b)),
    ),
    (
        "integerBitOr",
        Primitive::Plain(|vm, a, b| bitwise(vm, a, b, |a, b| a | b)),
    ),
    (
        "integerBitXor",
        Primitive::Plain(|vm, a, b| bitwise(vm, a, b, |a, b| a ^ b)),
    ),
    ("integerBitShift", Primitive::Plain(integer_bit_shift)),
    ("integerHighBit", Primitive::Plain(integer_high_bit)),
    ("integerLowBit", Primitive::Plain(integer_low_bit)),
    (
        "integerGcd",
        Primitive::Plain(|vm, a, b| bitwise(vm, a, b, |a, b| a.gcd(&b))),
    ),
    ("integerSqrtFloor", Primitive::Plain(integer_sqrt_floor)),
    ("integerRaisedTo", Primitive::Plain(integer_raised_to)),
    (
        "integerRaisedToModulo",
        Primitive::Plain(integer_raised_to_modulo),
    ),
    ("integerPrintString", Primitive::Plain(integer_print_string)),
];

/// The four operations.
#[derive(Clone, Copy)]
pub(super) enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
}

fn receiver_integer(vm: &Vm, receiver: Oop) -> Result<BigInt, Failure> {
    vm.heap.integer_value(receiver).ok_or(Failure::BadReceiver)
}

fn integer(vm: &Vm, args: &[Oop], index: usize) -> Result<BigInt, Failure> {
    vm.heap
        .integer_value(argument(args, index)?)
        .ok_or(Failure::BadArgument)
}

/// The integer as a result, if it is not larger than integers may be.
fn result(vm: &mut Vm, value: BigInt) -> Result<Oop, Failure> {
    if value.bits() > MAX_BITS {
        return Err(Failure::NoMemory);
    }
    Ok(vm.heap.integer(value))
}

/// An operation of an integer with an integer or a float. Division answers exact quotients only.
fn arithmetic(
    vm: &mut Vm,
    receiver: Oop,
    args: &[Oop],
    operation: Operation,
) -> Result<Oop, Failure> {
    let other = argument(args, 0)?;
    if let Some((a, b)) = receiver.both_integers(other) {
        let small = match operation {
            Operation::Add => Some(a + b),
            Operation::Subtract => Some(a - b),
            Operation::Multiply => a.checked_mul(b),
            Operation::Divide if b != 0 && a % b == 0 => Some(a / b),
            Operation::Divide => return Err(Failure::BadArgument),
        };
        if let Some(value) = small {
            return Ok(vm.heap.integer_i64(value));
        }
    }
    if vm.heap.float_value(other).is_some() {
        let float = as_float(&receiver_integer(vm, receiver)?);
        let float = vm.heap.float(float);
        return float_arithmetic(vm, float, args, operation);
    }
    let (a, b) = (receiver_integer(vm, receiver)?, integer(vm, args, 0)?);
    let value = match operation {
        Operation::Add => a + b,
        Operation::Subtract => a - b,
        Operation::Multiply if a.bits() + b.bits() > MAX_BITS + 1 => return Err(Failure::NoMemory),
        Operation::Multiply => a * b,
        Operation::Divide if b.is_zero() => return Err(Failure::BadArgument),
        Operation::Divide => {
            let (quotient, remainder) = a.div_rem(&b);
            if !remainder.is_zero() {
                return Err(Failure::BadArgument);
            }
            quotient
        }
    };
    result(vm, value)
}

fn division(
    vm: &mut Vm,
    receiver: Oop,
    args: &[Oop],
    operation: fn(&BigInt, &BigInt) -> BigInt,
) -> Result<Oop, Failure> {
    let (a, b) = (receiver_integer(vm, receiver)?, integer(vm, args, 0)?);
    if b.is_zero() {
        return Err(Failure::BadArgument);
    }
    Ok(vm.heap.integer(operation(&a, &b)))
}

/// Compares with an integer, or with a float where the receiver is exact as one.
fn compare(
    vm: &mut Vm,
    receiver: Oop,
    args: &[Oop],
    test: fn(Ordering) -> bool,
) -> Result<Oop, Failure> {
    let other = argument(args, 0)?;
    if let Some((a, b)) = receiver.both_integers(other) {
        return Ok(Oop::boolean(test(a.cmp(&b))));
    }
    if let Some(float) = vm.heap.float_value(other) {
        let small = receiver
            .as_small_integer()
            .filter(|value| value.abs() <= EXACT_IN_FLOAT);
        let small = small.ok_or(Failure::BadReceiver)? as f64;
        return Ok(Oop::boolean(small.partial_cmp(&float).is_some_and(test)));
    }
    let (a, b) = (receiver_integer(vm, receiver)?, integer(vm, args, 0)?);
    Ok(Oop::boolean(test(a.cmp(&b))))
}

fn bitwise(
    vm: &mut Vm,
    receiver: Oop,
    args: &[Oop],
    operation: fn(BigInt, BigInt) -> BigInt,
) -> Result<Oop, Failure> {
    let (a, b) = (receiver_integer(vm, receiver)?, integer(vm, args, 0)?);
    Ok(vm.heap.integer(operation(a, b)))
}

/// `receiver bitShift: count`, to the left if positive.
fn integer_bit_shift(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    let value = receiver_integer(vm, receiver)?;
    let count = integer_argument(args, 0)?;
    if count < 0 || value.is_zero() {
        let count = usize::try_from(count.unsigned_abs()).map_err(|_| Failure::BadArgument)?;
        return Ok(vm.heap.integer(value >> count));
    }
    if count.unsigned_abs().saturating_add(value.bits()) > MAX_BITS {
        return Err(Failure::NoMemory);
    }
    Ok(vm.heap.integer(value << count))
}

fn integer_high_bit(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    Ok(Oop::index(receiver_integer(vm, receiver)?.bits() as usize))
}

fn integer_low_bit(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    let bit = receiver_integer(vm, receiver)?
        .trailing_zeros()
        .map_or(0, |zeros| zeros + 1);
    Ok(Oop::index(bit as usize))
}

fn integer_sqrt_floor(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    let value = receiver_integer(vm, receiver)?;
    if value.is_negative() {
        return Err(Failure::BadReceiver);
    }
    Ok(vm.heap.integer(value.sqrt()))
}

/// `receiver raisedTo: exponent` for exponents that are not negative.
fn integer_raised_to(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    let base = receiver_integer(vm, receiver)?;
    let exponent = integer(vm, args, 0)?;
    if exponent.is_negative() {
        return Err(Failure::BadArgument);
    }
    if base.is_zero() || base.magnitude().is_one() {
        // the only bases whose powers stay small whatever the exponent
        let value = if exponent.is_zero() || (base.is_negative() && exponent.is_even()) {
            BigInt::one()
        } else {
            base
        };
        return Ok(vm.heap.integer(value));
    }
    let exponent = exponent.to_u32().ok_or(Failure::NoMemory)?;
    if (base.bits() - 1).saturating_mul(u64::from(exponent)) > MAX_BITS {
        return Err(Failure::NoMemory);
    }
    result(vm, base.pow(exponent))
}

/// `receiver raisedTo: exponent modulo: modulus`, exponent not negative, modulus not zero.
fn integer_raised_to_modulo(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    let base = receiver_integer(vm, receiver)?;
    let (exponent, modulus) = (integer(vm, args, 0)?, integer(vm, args, 1)?);
    if exponent.is_negative() || modulus.is_zero() {
        return Err(Failure::BadArgument);
    }
    Ok(vm.heap.integer(base.modpow(&exponent, &modulus)))
}

fn integer_print_string(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    let base = integer_argument(args, 0)?;
    let base = u32::try_from(base)
        .ok()
        .filter(|base| (2..=36).contains(base))
        .ok_or(Failure::BadArgument)?;
    if base == 10
        && let Some(value) = receiver.as_small_integer()
    {
        return Ok(vm.heap.string(&value.to_string()));
    }
    let text = receiver_integer(vm, receiver)?
        .to_str_radix(base)
        .to_uppercase();
    Ok(vm.heap.string(&text))
}

fn integer_hash(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    if receiver.as_small_integer().is_some() {
        return Ok(receiver);
    }
    Ok(hash_of(&receiver_integer(vm, receiver)?))
}

/// The hash of an integer: small ones are their own.
pub(super) fn hash_of(value: &BigInt) -> Oop {
    if let Some(small) = value.to_i64().and_then(Oop::small_integer) {
        return small;
    }
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write_u8(u8::from(value.is_negative()));
    for digit in value.iter_u64_digits() {
        hasher.write_u64(digit);
    }
    Oop::index(hasher.finish() as usize)
}

fn integer_as_float(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    let value = as_float(&receiver_integer(vm, receiver)?);
    Ok(vm.heap.float(value))
}

/// The nearest float; infinity beyond the range.
pub(super) fn as_float(value: &BigInt) -> f64 {
    value.to_f64().unwrap_or(if value.is_negative() {
        f64::NEG_INFINITY
    } else {
        f64::INFINITY
    })
}

#[cfg(test)]
mod tests {
    use num_traits::FromPrimitive;

    use super::*;

    #[test]
    fn equal_numbers_have_equal_hashes() {
        assert_eq!(hash_of(&BigInt::from(7)), Oop::index(7));
        let large = BigInt::from(1) << 100;
        assert_eq!(
            hash_of(&large),
            hash_of(&BigInt::from_f64(2f64.powi(100)).expect("finite"))
        );
        assert_ne!(hash_of(&large), hash_of(&-large));
    }
}

//! Arithmetic of integers of any size, of floats, and between both.
//!
//! Fractions, scaled decimals and the rules by which kinds of numbers adapt to each other are
//! Smalltalk code, which runs where a primitive fails. Integers are bounded by [`MAX_BITS`]: it
//! keeps the slowest operation, printing in decimal, near a second.

use std::cmp::Ordering;
use std::hash::Hasher;

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{FromPrimitive, One, Signed, ToPrimitive, Zero};

use super::{Failure, Primitive, argument, integer_argument};
use crate::vm::Vm;
use crate::vm::oop::Oop;

/// Largest integer, in bits.
const MAX_BITS: u64 = 1 << 22;
/// Integers up to this magnitude are exact as floats.
const EXACT_IN_FLOAT: i64 = 1 << 53;

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
    ("fractionAsFloat", Primitive::Plain(fraction_as_float)),
    (
        "floatAdd",
        Primitive::Plain(|vm, a, b| float_arithmetic(vm, a, b, Operation::Add)),
    ),
    (
        "floatSubtract",
        Primitive::Plain(|vm, a, b| float_arithmetic(vm, a, b, Operation::Subtract)),
    ),
    (
        "floatMultiply",
        Primitive::Plain(|vm, a, b| float_arithmetic(vm, a, b, Operation::Multiply)),
    ),
    (
        "floatDivide",
        Primitive::Plain(|vm, a, b| float_arithmetic(vm, a, b, Operation::Divide)),
    ),
    (
        "floatNegated",
        Primitive::Plain(|vm, a, _| float_function(vm, a, |x| -x)),
    ),
    (
        "floatLess",
        Primitive::Plain(|vm, a, b| float_compare(vm, a, b, |a, b| a < b)),
    ),
    (
        "floatLessOrEqual",
        Primitive::Plain(|vm, a, b| float_compare(vm, a, b, |a, b| a <= b)),
    ),
    (
        "floatGreater",
        Primitive::Plain(|vm, a, b| float_compare(vm, a, b, |a, b| a > b)),
    ),
    (
        "floatGreaterOrEqual",
        Primitive::Plain(|vm, a, b| float_compare(vm, a, b, |a, b| a >= b)),
    ),
    (
        "floatEqual",
        Primitive::Plain(|vm, a, b| float_compare(vm, a, b, equal)),
    ),
    ("floatHash", Primitive::Plain(float_hash)),
    ("floatBits", Primitive::Plain(float_bits)),
    ("floatTruncated", Primitive::Plain(float_truncated)),
    (
        "floatFractionPart",
        Primitive::Plain(|vm, a, _| float_function(vm, a, f64::fract)),
    ),
    ("floatExponent", Primitive::Plain(float_exponent)),
    (
        "floatTimesTwoPower",
        Primitive::Plain(float_times_two_power),
    ),
    (
        "floatSuccessor",
        Primitive::Plain(|vm, a, _| float_function(vm, a, f64::next_up)),
    ),
    (
        "floatSqrt",
        Primitive::Plain(|vm, a, _| {
            float_function_within(vm, a, f64::sqrt, |x| x.is_nan() || x >= 0.0)
        }),
    ),
    (
        "floatLn",
        Primitive::Plain(|vm, a, _| {
            float_function_within(vm, a, f64::ln, |x| x.is_nan() || x > 0.0)
        }),
    ),
    (
        "floatExp",
        Primitive::Plain(|vm, a, _| float_function(vm, a, f64::exp)),
    ),
    (
        "floatSin",
        Primitive::Plain(|vm, a, _| float_function(vm, a, f64::sin)),
    ),
    (
        "floatCos",
        Primitive::Plain(|vm, a, _| float_function(vm, a, f64::cos)),
    ),
    (
        "floatArcTan",
        Primitive::Plain(|vm, a, _| float_function(vm, a, f64::atan)),
    ),
    ("floatArcTan2", Primitive::Plain(float_arc_tan_2)),
    (
        "floatArcSin",
        Primitive::Plain(|vm, a, _| float_function_within(vm, a, f64::asin, |x| x.abs() <= 1.0)),
    ),
    ("floatPrintString", Primitive::Plain(float_print_string)),
];

#[derive(Clone, Copy)]
enum Operation {
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

// ---- integers

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
fn hash_of(value: &BigInt) -> Oop {
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
fn as_float(value: &BigInt) -> f64 {
    value.to_f64().unwrap_or(if value.is_negative() {
        f64::NEG_INFINITY
    } else {
        f64::INFINITY
    })
}

/// The float nearest to a fraction, whose slots are numerator and denominator.
fn fraction_as_float(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    let part = |index| {
        vm.heap
            .integer_value(vm.heap.slot(receiver, index))
            .ok_or(Failure::BadReceiver)
    };
    let (numerator, denominator) = (part(0)?, part(1)?);
    if denominator.is_zero() {
        return Err(Failure::BadReceiver);
    }
    let value = nearest_quotient(&numerator, &denominator);
    Ok(vm.heap.float(value))
}

/// The float nearest to a quotient, ties to even.
fn nearest_quotient(numerator: &BigInt, denominator: &BigInt) -> f64 {
    if numerator.is_zero() {
        return 0.0;
    }
    let negative = numerator.is_negative() != denominator.is_negative();
    let (numerator, denominator) = (numerator.abs(), denominator.abs());
    let exponent = i64::try_from(numerator.bits()).unwrap_or(i64::MAX)
        - i64::try_from(denominator.bits()).unwrap_or(i64::MAX);
    // 66 bits of quotient, but none below the smallest float: there the rounding happens once, here
    let shift = (66 - exponent).min(1074);
    let (scaled, divisor) = if shift >= 0 {
        (numerator << shift, denominator)
    } else {
        (numerator, denominator << -shift)
    };
    let (mut quotient, remainder) = scaled.div_rem(&divisor);
    if shift == 1074 && quotient.bits() <= 53 {
        let twice = remainder << 1;
        if twice > divisor || (twice == divisor && quotient.is_odd()) {
            quotient += 1;
        }
    } else if !remainder.is_zero() {
        // a bit below all that matter, so that the conversion does not see a tie
        quotient = (quotient << 1) + 1;
        let value = scale(as_float(&quotient), -(shift + 1));
        return if negative { -value } else { value };
    }
    let value = scale(as_float(&quotient), -shift);
    if negative { -value } else { value }
}

// ---- floats

fn receiver_float(vm: &Vm, receiver: Oop) -> Result<f64, Failure> {
    vm.heap.float_value(receiver).ok_or(Failure::BadReceiver)
}

/// A float, or an integer as one.
fn float_argument(vm: &Vm, args: &[Oop]) -> Result<f64, Failure> {
    let other = argument(args, 0)?;
    match vm.heap.float_value(other) {
        Some(value) => Ok(value),
        None => vm
            .heap
            .integer_value(other)
            .map(|value| as_float(&value))
            .ok_or(Failure::BadArgument),
    }
}

fn float_arithmetic(
    vm: &mut Vm,
    receiver: Oop,
    args: &[Oop],
    operation: Operation,
) -> Result<Oop, Failure> {
    let (a, b) = (receiver_float(vm, receiver)?, float_argument(vm, args)?);
    let value = match operation {
        Operation::Add => a + b,
        Operation::Subtract => a - b,
        Operation::Multiply => a * b,
        Operation::Divide if b == 0.0 => return Err(Failure::BadArgument),
        Operation::Divide => a / b,
    };
    Ok(vm.heap.float(value))
}

/// Equality of the language, which is that of IEEE 754.
#[allow(clippy::float_cmp)]
fn equal(a: f64, b: f64) -> bool {
    a == b
}

/// Compares with a float, or with an integer that is exact as one.
fn float_compare(
    vm: &mut Vm,
    receiver: Oop,
    args: &[Oop],
    test: fn(f64, f64) -> bool,
) -> Result<Oop, Failure> {
    let a = receiver_float(vm, receiver)?;
    let other = argument(args, 0)?;
    let exact = || {
        other
            .as_small_integer()
            .filter(|value| value.abs() <= EXACT_IN_FLOAT)
    };
    let b = vm
        .heap
        .float_value(other)
        .or_else(|| exact().map(|value| value as f64));
    let b = b.ok_or(Failure::BadArgument)?;
    Ok(Oop::boolean(test(a, b)))
}

fn float_function(vm: &mut Vm, receiver: Oop, function: fn(f64) -> f64) -> Result<Oop, Failure> {
    float_function_within(vm, receiver, function, |_| true)
}

/// A function that is defined for some floats only.
fn float_function_within(
    vm: &mut Vm,
    receiver: Oop,
    function: fn(f64) -> f64,
    domain: fn(f64) -> bool,
) -> Result<Oop, Failure> {
    let value = receiver_float(vm, receiver)?;
    if !domain(value) {
        return Err(Failure::BadReceiver);
    }
    Ok(vm.heap.float(function(value)))
}

fn float_arc_tan_2(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    let (y, x) = (receiver_float(vm, receiver)?, float_argument(vm, args)?);
    Ok(vm.heap.float(y.atan2(x)))
}

fn float_hash(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    let value = receiver_float(vm, receiver)?;
    if value.fract() == 0.0
        && let Some(integer) = BigInt::from_f64(value)
    {
        return Ok(hash_of(&integer));
    }
    let bits = value.to_bits();
    Ok(Oop::index(
        ((bits ^ (bits >> 29)) & 0x0FFF_FFFF_FFFF) as usize,
    ))
}

fn float_bits(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    let value = receiver_float(vm, receiver)?;
    Ok(vm.heap.integer(BigInt::from(value.to_bits())))
}

fn float_truncated(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    let value = receiver_float(vm, receiver)?;
    let integer = BigInt::from_f64(value.trunc()).ok_or(Failure::BadReceiver)?;
    Ok(vm.heap.integer(integer))
}

/// The power of two of the first bit; -1 for zero.
fn float_exponent(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    let value = receiver_float(vm, receiver)?;
    let bits = value.to_bits();
    let biased = (bits >> 52 & 0x7FF) as i64;
    let mantissa = bits & ((1 << 52) - 1);
    let exponent = match biased {
        0x7FF => return Err(Failure::BadReceiver),
        0 if mantissa == 0 => -1,
        0 => -1011 - i64::from(mantissa.leading_zeros()),
        _ => biased - 1023,
    };
    Ok(vm.heap.integer_i64(exponent))
}

fn float_times_two_power(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    let value = receiver_float(vm, receiver)?;
    let power = integer_argument(args, 0)?;
    Ok(vm.heap.float(scale(value, power)))
}

/// `value * 2^power`, rounded once.
fn scale(value: f64, power: i64) -> f64 {
    let power_of_two = |exponent: i64| f64::from_bits(((0x3FF + exponent) as u64) << 52);
    let mut value = value;
    let mut power = power.clamp(-4000, 4000);
    while power > 1023 {
        value *= power_of_two(1023);
        power -= 1023;
    }
    while power < -1022 {
        // by less than the whole range, so that no bit is lost before the last step
        value *= power_of_two(-969);
        power += 969;
    }
    value * power_of_two(power)
}

fn float_print_string(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    let text = print_float(receiver_float(vm, receiver)?);
    Ok(vm.heap.string(&text))
}

/// The fewest digits that read back as the same float: plain from 0.0001 to below a million, else
/// with an exponent.
fn print_float(value: f64) -> String {
    if value.is_nan() {
        return "Float nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 {
            "Float infinity"
        } else {
            "Float infinity negated"
        }
        .to_owned();
    }
    if value == 0.0 {
        return if value.is_sign_negative() {
            "-0.0"
        } else {
            "0.0"
        }
        .to_owned();
    }
    let scientific = format!("{:e}", value.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let sign = if value < 0.0 { "-" } else { "" };
    let body = match exponent {
        -4..=-1 => format!("0.{}{digits}", "0".repeat((-exponent - 1) as usize)),
        0..=5 => {
            let whole = exponent as usize + 1;
            let padded = format!("{digits:0<whole$}");
            let (before, after) = padded.split_at(whole);
            format!("{before}.{}", if after.is_empty() { "0" } else { after })
        }
        _ => {
            let (before, after) = digits.split_at(1);
            format!(
                "{before}.{}e{exponent}",
                if after.is_empty() { "0" } else { after }
            )
        }
    };
    format!("{sign}{body}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_pharo_prints_them() {
        let expected = [
            (0.1 + 0.2, "0.30000000000000004"),
            (100.0, "100.0"),
            (123_456.0, "123456.0"),
            (1_234_567.0, "1.234567e6"),
            (1e15, "1.0e15"),
            (0.0001, "0.0001"),
            (0.000_01, "1.0e-5"),
            (-2.5, "-2.5"),
            (5e-324, "5.0e-324"),
            (1.234_567_890_123_456_7e19, "1.2345678901234567e19"),
        ];
        for (value, text) in expected {
            assert_eq!(print_float(value), text);
        }
    }

    #[test]
    fn quotients_round_to_the_nearest_float() {
        let quotient =
            |a: i64, b: &str| nearest_quotient(&BigInt::from(a), &b.parse().expect("digits"));
        assert_eq!(quotient(1, "3"), 1.0 / 3.0);
        assert_eq!(quotient(-2, "3"), -2.0 / 3.0);
        assert_eq!(quotient(1, &format!("1{}", "0".repeat(308))), 1e-308);
        assert_eq!(quotient(5, &format!("1{}", "0".repeat(324))), 5e-324);
        assert_eq!(quotient(1, &format!("1{}", "0".repeat(400))), 0.0);
        assert_eq!(
            nearest_quotient(&(BigInt::from(1) << 2000), &(BigInt::from(3) << 1990)),
            1024.0 / 3.0
        );
    }

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

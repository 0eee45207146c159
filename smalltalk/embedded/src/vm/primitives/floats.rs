//! Arithmetic and functions of floats, and floats as text.

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{FromPrimitive, Signed, Zero};

use super::integers::{EXACT_IN_FLOAT, Operation, as_float, hash_of};
use super::{Failure, Primitive, argument, integer_argument};
use crate::vm::Vm;
use crate::vm::oop::Oop;

pub(super) const PRIMITIVES: &[(&str, Primitive)] = &[
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
        "floatLog10",
        Primitive::Plain(|vm, a, _| {
            float_function_within(vm, a, f64::log10, |x| x.is_nan() || x > 0.0)
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

pub(super) fn float_arithmetic(
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
        let one_and_zeros = |zeros| format!("1{}", "0".repeat(zeros));
        let expected: [(f64, f64); 6] = [
            (quotient(1, "3"), 1.0 / 3.0),
            (quotient(-2, "3"), -2.0 / 3.0),
            (quotient(1, &one_and_zeros(308)), 1e-308),
            (quotient(5, &one_and_zeros(324)), 5e-324),
            (quotient(1, &one_and_zeros(400)), 0.0),
            (
                nearest_quotient(&(BigInt::from(1) << 2000), &(BigInt::from(3) << 1990)),
                1024.0 / 3.0,
            ),
        ];
        for (actual, wanted) in expected {
            assert_eq!(actual.to_bits(), wanted.to_bits());
        }
    }
}

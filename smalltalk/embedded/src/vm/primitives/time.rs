//! Clocks and the randomness of the operating system.

// every primitive has the one signature
#![allow(clippy::unnecessary_wraps)]

use std::time::{SystemTime, UNIX_EPOCH};

use num_bigint::BigInt;

use super::{Failure, Primitive};
use crate::vm::Vm;
use crate::vm::oop::Oop;

pub(super) const PRIMITIVES: &[(&str, Primitive)] = &[
    ("clockUnix", Primitive::Plain(clock_unix)),
    ("clockMonotonic", Primitive::Plain(clock_monotonic)),
    ("randomSeed", Primitive::Plain(random_seed)),
];

/// Nanoseconds since the start of 1970, UTC; negative if the clock stands before it.
fn clock_unix(vm: &mut Vm, _: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    let nanoseconds = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => BigInt::from(after.as_nanos()),
        Err(error) => -BigInt::from(error.duration().as_nanos()),
    };
    Ok(vm.heap.integer(nanoseconds))
}

/// Nanoseconds since the machine started, of a clock that is never set.
fn clock_monotonic(vm: &mut Vm, _: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    let nanoseconds = BigInt::from(vm.started().elapsed().as_nanos());
    Ok(vm.heap.integer(nanoseconds))
}

/// 64 random bits.
fn random_seed(vm: &mut Vm, _: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    let bits = getrandom::u64().map_err(|_| Failure::Unsupported)?;
    Ok(vm.heap.integer(BigInt::from(bits)))
}

//! Primitives: what Smalltalk methods do in Rust.
//!
//! # Using one
//! A method whose first statement is `<primitive: 'name'>` runs the primitive of that name; if it
//! succeeds, its result is the method's result and the body is not run. If it fails, the body runs
//! as if there were no primitive. `<primitive: 'name' error: code>` also puts a symbol that tells
//! the reason ([`Failure`]) into the temporary `code`.
//!
//! # Writing one
//! ```text
//! //! numbers.rs: arithmetic.
//! pub(super) const PRIMITIVES: &[(&str, Primitive)] = &[("integerGcd", Primitive::Plain(integer_gcd))];
//!
//! /// `receiver gcd: anInteger`.
//! fn integer_gcd(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
//!     let one = vm.heap.integer_value(receiver).ok_or(Failure::BadReceiver)?;
//!     let other = vm.heap.integer_value(argument(args, 0)?).ok_or(Failure::BadArgument)?;
//!     Ok(vm.heap.integer(one.gcd(&other)))
//! }
//! ```
//! Add the module's list to `MODULES`. Rules:
//! - **Plain** primitives compute a value from receiver and arguments. They see every object of the
//!   heap except the frame of the context that runs. They may allocate; nothing is collected before
//!   they return, so oops in Rust variables are safe.
//! - Arguments come from user code: check every one, index with `get`, never panic, never recurse
//!   over a structure that the user can make deep.
//! - Stay bounded: everything else waits meanwhile. Before allocating more than a few kilobytes ask
//!   [`Vm::check_room`], which fails with [`Failure::NoMemory`] (the fallback code then signals
//!   `OutOfMemory`). An operation on big data that may take longer than some milliseconds belongs
//!   in Smalltalk, around a primitive that does a bounded piece of it.
//! - Equal results for equal arguments whatever the representation: strings may be `Bytes` or
//!   `Wide`, integers small or large, floats immediate or boxed. Use `heap.text`, `integer_value`,
//!   `float_value`; results through `heap.string`, `integer`, `float`, which normalise.
//! - **Control** primitives change which context runs (`perform:`, `value`, semaphores, unwinding).
//!   They belong to the machine.

// every primitive has the signature of its kind, also one that cannot fail
#![allow(clippy::unnecessary_wraps)]

mod classes;
mod collections;
mod contexts;
mod floats;
mod integers;
mod methods;
mod objects;
mod processes;
mod strings;
mod system;
mod time;
mod variables;

use std::collections::HashMap;

use super::Vm;
use super::known::selector;
use super::oop::Oop;

/// Computes a value from receiver and arguments.
pub type PlainFunction = fn(&mut Vm, Oop, &[Oop]) -> Result<Oop, Failure>;
/// Changes which context runs. Receiver and arguments still lie on the sender's operand stack,
/// the frame of the active context is back in its object.
pub type ControlFunction = fn(&mut Vm, usize) -> Result<Control, Failure>;

/// What a method does instead of its instructions.
#[derive(Clone, Copy, Debug)]
pub enum Primitive {
    /// Computes a value.
    Plain(PlainFunction),
    /// Changes which context runs.
    Control(ControlFunction),
    /// Activates the receiver, a block, with the arguments.
    BlockValue,
    /// The same with the elements of an array as arguments.
    BlockValueWithArguments,
    /// Sends the first argument with the others as its arguments.
    Perform,
    /// Sends the first argument with the elements of the second; a third is the class where lookup begins.
    PerformWithArguments,
    /// Runs the receiver, a compiled method, with the receiver and the array of arguments given.
    ExecuteMethod,
}

/// What a control primitive did.
#[derive(Clone, Copy, Debug)]
pub enum Control {
    /// Receiver and arguments are to be replaced by this value.
    Value(Oop),
    /// The stack and the active context are as they shall be.
    Done,
}

/// Why a primitive did not do its work. The method's body runs then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The receiver is not of the kind that the primitive works on.
    BadReceiver,
    /// An argument is of the wrong class or out of range.
    BadArgument,
    /// An index lies outside the receiver.
    BadIndex,
    /// Wrong number of arguments.
    BadSize,
    /// The receiver must not be changed.
    ReadOnly,
    /// The memory limit does not allow it now; a collection may help.
    NoMemory,
    /// The memory limit never allows it.
    TooLarge,
    /// What was asked for does not exist.
    NotFound,
    /// Not possible for this receiver or on this platform.
    Unsupported,
    /// A limit on the number of something is reached.
    TooMany,
    /// Details for the fallback code, which finds this in its error variable.
    Because(Oop),
}

impl Failure {
    /// The value of the error variable.
    pub fn code(self) -> Oop {
        match self {
            Failure::BadReceiver => selector::BAD_RECEIVER,
            Failure::BadArgument => selector::BAD_ARGUMENT,
            Failure::BadIndex => selector::BAD_INDEX,
            Failure::BadSize => selector::BAD_SIZE,
            Failure::ReadOnly => selector::READ_ONLY,
            Failure::NoMemory | Failure::TooLarge => selector::NO_MEMORY,
            Failure::NotFound => selector::NOT_FOUND,
            Failure::Unsupported => selector::UNSUPPORTED,
            Failure::TooMany => selector::TOO_MANY,
            Failure::Because(details) => details,
        }
    }
}

/// The list of every module with primitives.
const MODULES: &[&[(&str, Primitive)]] = &[
    classes::PRIMITIVES,
    collections::PRIMITIVES,
    contexts::PRIMITIVES,
    floats::PRIMITIVES,
    integers::PRIMITIVES,
    methods::PRIMITIVES,
    objects::PRIMITIVES,
    processes::PRIMITIVES,
    strings::PRIMITIVES,
    system::PRIMITIVES,
    time::PRIMITIVES,
    variables::PRIMITIVES,
];

/// Primitives by name.
#[derive(Debug)]
pub struct PrimitiveTable(HashMap<&'static str, Primitive>);

impl PrimitiveTable {
    /// All there are.
    pub fn new() -> PrimitiveTable {
        PrimitiveTable(
            MODULES
                .iter()
                .flat_map(|module| module.iter().copied())
                .collect(),
        )
    }

    /// The primitive of this name.
    pub fn get(&self, name: &str) -> Option<Primitive> {
        self.0.get(name).copied()
    }
}

impl Default for PrimitiveTable {
    fn default() -> Self {
        PrimitiveTable::new()
    }
}

/// The argument at a zero-based position.
///
/// # Errors
/// [`Failure::BadSize`] if there are not as many.
pub fn argument(args: &[Oop], index: usize) -> Result<Oop, Failure> {
    args.get(index).copied().ok_or(Failure::BadSize)
}

/// An argument that is a size or index, not negative.
///
/// # Errors
/// [`Failure::BadArgument`] if it is anything else.
pub fn size_argument(args: &[Oop], index: usize) -> Result<usize, Failure> {
    argument(args, index)?.as_size().ok_or(Failure::BadArgument)
}

/// An argument that is an immediate integer.
///
/// # Errors
/// [`Failure::BadArgument`] if it is anything else.
pub fn integer_argument(args: &[Oop], index: usize) -> Result<i64, Failure> {
    argument(args, index)?
        .as_small_integer()
        .ok_or(Failure::BadArgument)
}

/// An argument that is a string or symbol.
///
/// # Errors
/// [`Failure::BadArgument`] if it is anything else.
pub fn text_argument(vm: &Vm, args: &[Oop], index: usize) -> Result<String, Failure> {
    vm.heap
        .text(argument(args, index)?)
        .ok_or(Failure::BadArgument)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_primitives_share_a_name() {
        let count: usize = MODULES.iter().map(|module| module.len()).sum();
        assert_eq!(PrimitiveTable::new().0.len(), count);
    }
}

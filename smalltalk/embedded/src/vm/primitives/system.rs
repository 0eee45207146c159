//! The system as a whole: transcript, memory, symbols.

use super::{Control, Failure, Primitive, text_argument};
use crate::vm::{Oop, Vm};

pub(super) const PRIMITIVES: &[(&str, Primitive)] = &[
    ("transcriptShow", Primitive::Plain(transcript_show)),
    ("memoryUsed", Primitive::Plain(memory_used)),
    ("memoryLimit", Primitive::Plain(memory_limit)),
    ("depthLimit", Primitive::Plain(depth_limit)),
    ("garbageCollect", Primitive::Control(garbage_collect)),
    ("allSymbols", Primitive::Plain(all_symbols)),
];

/// Text for the transcript.
fn transcript_show(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    let text = text_argument(vm, args, 0)?;
    vm.write_transcript(text);
    Ok(receiver)
}

/// Bytes in use, garbage not yet collected included.
fn memory_used(vm: &mut Vm, _: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    Ok(Oop::index(vm.heap.used()))
}

/// Bytes that live objects may take.
fn memory_limit(vm: &mut Vm, _: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    Ok(Oop::index(vm.config().memory_limit))
}

/// Frames that a stack may have.
fn depth_limit(vm: &mut Vm, _: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    Ok(Oop::index(vm.config().max_depth as usize))
}

/// Frees what nothing refers to; answers the bytes in use after that.
fn garbage_collect(vm: &mut Vm, _: usize) -> Result<Control, Failure> {
    vm.collect_garbage();
    Ok(Control::Value(Oop::index(vm.heap.used())))
}

/// Every symbol there is.
fn all_symbols(vm: &mut Vm, _: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    let symbols: Vec<Oop> = vm.symbols().map(|(_, symbol)| symbol).collect();
    Ok(vm.heap.array(&symbols))
}

//! Bulk operations on indexed elements.

use super::strings::is_string_class;
use super::{Failure, Primitive, argument, integer_argument};
use crate::vm::Vm;
use crate::vm::heap::Body;
use crate::vm::known::slot;
use crate::vm::oop::Oop;

pub(super) const PRIMITIVES: &[(&str, Primitive)] = &[
    ("replaceFromTo", Primitive::Plain(replace_from_to)),
    ("atAllPut", Primitive::Plain(at_all_put)),
];

/// `receiver replaceFrom: start to: stop with: replacement startingAt: replacementStart`, for
/// elements of the same kind; wide characters do not fit a narrow string, narrow ones a wide one do.
fn replace_from_to(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    let (start, stop) = (integer_argument(args, 0)?, integer_argument(args, 1)?);
    let replacement = argument(args, 2)?;
    let from = integer_argument(args, 3)?;
    if stop < start {
        return Ok(receiver);
    }
    if vm.heap.is_read_only(receiver) {
        return Err(Failure::ReadOnly);
    }
    let zero_based = |index: i64| usize::try_from(index - 1).map_err(|_| Failure::BadIndex);
    let (start, from) = (zero_based(start)?, zero_based(from)?);
    let count = usize::try_from(stop).map_err(|_| Failure::BadIndex)? - start;
    let named = |oop| {
        vm.heap
            .slot(vm.heap.class_of(oop), slot::BEHAVIOR_SIZE)
            .as_size()
            .unwrap_or(0)
    };
    let (own_named, other_named) = (named(receiver), named(replacement));

    if receiver == replacement {
        return match vm.heap.body_mut(receiver) {
            Some(Body::Slots(slots)) => {
                copy_within(slots, own_named + from, own_named + start, count)
            }
            Some(Body::Bytes(bytes)) => copy_within(bytes, from, start, count),
            Some(Body::Wide(points)) => copy_within(points, from, start, count),
            _ => Err(Failure::BadReceiver),
        }
        .map(|()| receiver);
    }
    // what is copied is taken out first: both objects live in the same heap
    let source = match vm.heap.body(replacement) {
        Some(Body::Slots(slots)) => Source::Slots(part(slots, other_named + from, count)?),
        Some(Body::Bytes(bytes)) => Source::Bytes(part(bytes, from, count)?),
        Some(Body::Wide(points)) => Source::Points(part(points, from, count)?),
        _ => return Err(Failure::BadArgument),
    };
    match (vm.heap.body_mut(receiver), source) {
        (Some(Body::Slots(slots)), Source::Slots(source)) => {
            target(slots, own_named + start, count)?.copy_from_slice(&source);
        }
        (Some(Body::Bytes(bytes)), Source::Bytes(source)) => {
            target(bytes, start, count)?.copy_from_slice(&source);
        }
        (Some(Body::Bytes(bytes)), Source::Points(source)) => {
            let narrow: Result<Vec<u8>, _> =
                source.iter().map(|point| u8::try_from(*point)).collect();
            target(bytes, start, count)?
                .copy_from_slice(&narrow.map_err(|_| Failure::BadArgument)?);
        }
        (Some(Body::Wide(points)), Source::Points(source)) => {
            target(points, start, count)?.copy_from_slice(&source);
        }
        (Some(Body::Wide(points)), Source::Bytes(source)) => {
            let wide: Vec<u32> = source.iter().copied().map(u32::from).collect();
            target(points, start, count)?.copy_from_slice(&wide);
        }
        _ => return Err(Failure::BadArgument),
    }
    Ok(receiver)
}

/// Elements on their way from one object to another.
enum Source {
    Slots(Vec<Oop>),
    Bytes(Vec<u8>),
    Points(Vec<u32>),
}

fn part<T: Copy>(elements: &[T], start: usize, count: usize) -> Result<Vec<T>, Failure> {
    let end = start.checked_add(count).ok_or(Failure::BadIndex)?;
    elements
        .get(start..end)
        .map(<[T]>::to_vec)
        .ok_or(Failure::BadIndex)
}

fn target<T>(elements: &mut [T], start: usize, count: usize) -> Result<&mut [T], Failure> {
    let end = start.checked_add(count).ok_or(Failure::BadIndex)?;
    elements.get_mut(start..end).ok_or(Failure::BadIndex)
}

fn copy_within<T: Copy>(
    elements: &mut [T],
    from: usize,
    to: usize,
    count: usize,
) -> Result<(), Failure> {
    let end = from.checked_add(count).ok_or(Failure::BadIndex)?;
    if end > elements.len() || to.checked_add(count).is_none_or(|end| end > elements.len()) {
        return Err(Failure::BadIndex);
    }
    elements.copy_within(from..end, to);
    Ok(())
}

/// `receiver atAllPut: anObject`.
fn at_all_put(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    let value = argument(args, 0)?;
    let class = vm.heap.class_of(receiver);
    let named = vm
        .heap
        .slot(class, slot::BEHAVIOR_SIZE)
        .as_size()
        .unwrap_or(0);
    if vm.heap.is_read_only(receiver) {
        return Err(Failure::ReadOnly);
    }
    let code = if is_string_class(&vm.heap, class) {
        value.as_character().map(u32::from)
    } else {
        value
            .as_small_integer()
            .and_then(|byte| u8::try_from(byte).ok())
            .map(u32::from)
    };
    match vm.heap.body_mut(receiver).ok_or(Failure::BadReceiver)? {
        Body::Slots(slots) => slots.iter_mut().skip(named).for_each(|slot| *slot = value),
        Body::Bytes(bytes) => {
            let byte = code
                .and_then(|code| u8::try_from(code).ok())
                .ok_or(Failure::BadArgument)?;
            bytes.fill(byte);
        }
        Body::Wide(points) => points.fill(code.ok_or(Failure::BadArgument)?),
        _ => return Err(Failure::BadReceiver),
    }
    Ok(receiver)
}

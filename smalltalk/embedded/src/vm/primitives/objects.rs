//! What every object can do: identity, slots, elements, copies, new instances.

use super::{Failure, Primitive, argument, size_argument};
use crate::vm::classes::Format;
use crate::vm::known::is_well_known;
use crate::vm::{Body, Oop, Vm, class, slot};

pub(super) const PRIMITIVES: &[(&str, Primitive)] = &[
    ("class", Primitive::Plain(class_of)),
    ("identical", Primitive::Plain(identical)),
    ("identityHash", Primitive::Plain(identity_hash)),
    ("basicSize", Primitive::Plain(basic_size)),
    ("basicAt", Primitive::Plain(basic_at)),
    ("basicAtPut", Primitive::Plain(basic_at_put)),
    ("basicNew", Primitive::Plain(basic_new)),
    ("basicNewSized", Primitive::Plain(basic_new_sized)),
    ("fieldAt", Primitive::Plain(field_at)),
    ("fieldAtPut", Primitive::Plain(field_at_put)),
    ("shallowCopy", Primitive::Plain(shallow_copy)),
    ("become", Primitive::Plain(exchange)),
    ("becomeForward", Primitive::Plain(become_forward)),
    ("changeClass", Primitive::Plain(change_class)),
    ("isReadOnly", Primitive::Plain(is_read_only)),
    (
        "beReadOnly",
        Primitive::Plain(|vm, receiver, _| set_read_only(vm, receiver, true)),
    ),
    (
        "beWritable",
        Primitive::Plain(|vm, receiver, _| set_read_only(vm, receiver, false)),
    ),
    ("allInstances", Primitive::Plain(all_instances)),
    ("perform", Primitive::Perform),
    ("performWithArguments", Primitive::PerformWithArguments),
];

/// Bytes that a large object's table entry and body need.
fn bytes_for(elements: usize, each: usize) -> usize {
    elements.saturating_mul(each).saturating_add(64)
}

fn class_of(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    Ok(vm.heap.class_of(receiver))
}

fn identical(_: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    Ok(Oop::boolean(receiver == argument(args, 0)?))
}

/// A number that stays the same while the object lives: its place in the object table, or the
/// value of an immediate.
fn identity_hash(_: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    Ok(Oop::index((receiver.word() >> 3) as usize))
}

/// Number of indexed elements; fails for objects that have none by nature.
fn basic_size(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    match vm.format_of(vm.class_of(receiver)) {
        Format::Pointers | Format::Bytes | Format::Wide => {
            Ok(Oop::index(vm.indexed_size(receiver)))
        }
        _ => Err(Failure::BadReceiver),
    }
}

/// The element at a one-based index. Elements of strings are characters.
fn basic_at(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    let index = size_argument(args, 0)?
        .checked_sub(1)
        .ok_or(Failure::BadIndex)?;
    vm.indexed_element(receiver, index).ok_or(Failure::BadIndex)
}

/// Sets the element at a one-based index. Fails with "bad argument" if the representation cannot
/// hold it.
fn basic_at_put(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    let index = size_argument(args, 0)?
        .checked_sub(1)
        .ok_or(Failure::BadIndex)?;
    let value = argument(args, 1)?;
    let receiver_class = vm.class_of(receiver);
    if receiver_class == class::BYTE_SYMBOL || receiver_class == class::WIDE_SYMBOL {
        return Err(Failure::ReadOnly);
    }
    if vm.heap.is_read_only(receiver) {
        return Err(Failure::ReadOnly);
    }
    let named = vm.named_size(receiver);
    let is_text = vm.is_text(receiver);
    match vm.heap.body_mut(receiver) {
        Some(Body::Slots(slots)) => {
            let index = named.checked_add(index).ok_or(Failure::BadIndex)?;
            *slots.get_mut(index).ok_or(Failure::BadIndex)? = value;
        }
        Some(Body::Bytes(bytes)) => {
            let element = bytes.get_mut(index).ok_or(Failure::BadIndex)?;
            let code = if is_text {
                value.as_character().map(u32::from)
            } else {
                byte_value(value)
            };
            *element = code
                .and_then(|code| u8::try_from(code).ok())
                .ok_or(Failure::BadArgument)?;
        }
        Some(Body::Wide(points)) => {
            let element = points.get_mut(index).ok_or(Failure::BadIndex)?;
            *element = value
                .as_character()
                .map(u32::from)
                .ok_or(Failure::BadArgument)?;
        }
        _ => return Err(Failure::BadReceiver),
    }
    Ok(value)
}

fn byte_value(value: Oop) -> Option<u32> {
    value.as_size().and_then(|value| u32::try_from(value).ok())
}

/// A new instance without indexed elements.
fn basic_new(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    new_instance(vm, receiver, 0)
}

/// A new instance with this many indexed elements.
fn basic_new_sized(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    let size = match argument(args, 0)?.as_size() {
        Some(size) => size,
        // an integer, but no array is that large
        None if vm.heap.class_of(argument(args, 0)?) == class::LARGE_POSITIVE_INTEGER => {
            return Err(Failure::TooLarge);
        }
        None => return Err(Failure::BadArgument),
    };
    if size > 0
        && !matches!(
            vm.format_of(receiver),
            Format::Pointers | Format::Bytes | Format::Wide
        )
    {
        return Err(Failure::BadReceiver);
    }
    new_instance(vm, receiver, size)
}

fn new_instance(vm: &mut Vm, class: Oop, size: usize) -> Result<Oop, Failure> {
    let named = vm
        .heap
        .slot(class, slot::BEHAVIOR_SIZE)
        .as_size()
        .ok_or(Failure::BadReceiver)?;
    let body = match vm.format_of(class) {
        Format::Fixed | Format::Pointers => {
            let total = named.saturating_add(size);
            vm.check_room(bytes_for(total, size_of::<Oop>()))?;
            Body::Slots(vec![Oop::NIL; total].into_boxed_slice())
        }
        Format::Bytes => {
            vm.check_room(bytes_for(size, 1))?;
            Body::Bytes(vec![0; size].into_boxed_slice())
        }
        Format::Wide => {
            vm.check_room(bytes_for(size, 4))?;
            Body::Wide(vec![0; size].into_boxed_slice())
        }
        Format::Map => Body::Map(Box::default()),
        Format::Integer | Format::Float | Format::Context | Format::Code | Format::Immediate => {
            return Err(Failure::BadReceiver);
        }
    };
    Ok(vm.heap.allocate(class, body))
}

/// The instance variable at a one-based index; indexed elements follow the named ones.
fn field_at(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    let index = size_argument(args, 0)?
        .checked_sub(1)
        .ok_or(Failure::BadIndex)?;
    match vm.heap.body(receiver) {
        Some(Body::Slots(slots)) => slots.get(index).copied().ok_or(Failure::BadIndex),
        _ => vm.indexed_element(receiver, index).ok_or(Failure::BadIndex),
    }
}

fn field_at_put(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    let index = size_argument(args, 0)?
        .checked_sub(1)
        .ok_or(Failure::BadIndex)?;
    let value = argument(args, 1)?;
    // a ring of superclasses would stop the machine
    let reserved = index < slot::DESCRIPTION_VARIABLES && vm.is_kind_of(receiver, class::BEHAVIOR);
    if reserved || vm.heap.is_read_only(receiver) {
        return Err(Failure::ReadOnly);
    }
    match vm.heap.body_mut(receiver) {
        Some(Body::Slots(slots)) => {
            *slots.get_mut(index).ok_or(Failure::BadIndex)? = value;
            Ok(value)
        }
        _ => basic_at_put(vm, receiver, args),
    }
}

/// A copy that shares the receiver's elements. Immediates and code are their own copies.
fn shallow_copy(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    let kind = vm.heap.class_of(receiver);
    if kind == class::BYTE_SYMBOL || kind == class::WIDE_SYMBOL {
        return Ok(receiver);
    }
    let (body, bytes) = match vm.heap.body(receiver) {
        Some(Body::Slots(slots)) => (Body::Slots(slots.clone()), slots.len() * size_of::<Oop>()),
        Some(Body::Bytes(bytes)) => (Body::Bytes(bytes.clone()), bytes.len()),
        Some(Body::Wide(points)) => (Body::Wide(points.clone()), points.len() * 4),
        Some(Body::Map(map)) => (Body::Map(map.clone()), map.len() * 24),
        Some(Body::Free(_) | Body::Frame(_) | Body::ActiveFrame) => {
            return Err(Failure::Unsupported);
        }
        Some(Body::Float(_) | Body::Integer(_) | Body::Method(_)) | None => return Ok(receiver),
    };
    vm.check_room(bytes)?;
    Ok(vm.heap.allocate(kind, body))
}

/// Whether an object may change places with another: not one the machine or the compiler holds.
fn may_become(vm: &Vm, oop: Oop) -> bool {
    !is_well_known(oop)
        && !matches!(
            vm.heap.body(oop),
            None | Some(
                Body::Frame(_) | Body::ActiveFrame | Body::Free(_) | Body::Method(_) | Body::Map(_)
            )
        )
        && vm.class_of(oop) != class::BYTE_SYMBOL
        && vm.class_of(oop) != class::WIDE_SYMBOL
        && vm.class_of(oop) != class::PROCESS
        && !vm.is_kind_of(oop, class::BEHAVIOR)
}

/// References to the receiver become references to the argument and the other way round.
fn exchange(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    let other = argument(args, 0)?;
    if !may_become(vm, receiver) {
        return Err(Failure::BadReceiver);
    }
    if !may_become(vm, other) {
        return Err(Failure::BadArgument);
    }
    vm.heap.exchange(receiver, other);
    vm.flush_method_cache();
    Ok(receiver)
}

/// The receiver takes on the state and class of the argument, a fresh object that nothing else
/// refers to: from then on every reference to the receiver is one to it.
fn become_forward(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    exchange(vm, receiver, args)
}

/// Makes the receiver an instance of the argument, which must have the same shape as its class.
fn change_class(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    let target = argument(args, 0)?;
    let current = vm.class_of(receiver);
    if !may_become(vm, receiver) {
        return Err(Failure::BadReceiver);
    }
    let same = vm.format_of(current) == vm.format_of(target)
        && vm.all_field_names(current).len() == vm.all_field_names(target).len();
    if !crate::vm::compile::is_class(&vm.heap, target) || !same {
        return Err(Failure::BadArgument);
    }
    vm.heap.set_class(receiver, target);
    Ok(receiver)
}

fn is_read_only(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    Ok(Oop::boolean(
        !receiver.is_object() || vm.heap.is_read_only(receiver),
    ))
}

fn set_read_only(vm: &mut Vm, receiver: Oop, read_only: bool) -> Result<Oop, Failure> {
    vm.heap.set_read_only(receiver, read_only);
    Ok(receiver)
}

/// All instances of the receiver, a class, not of its subclasses.
fn all_instances(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    let found: Vec<Oop> = vm
        .heap
        .all_objects()
        .filter(|oop| vm.heap.class_of(*oop) == receiver)
        .collect();
    vm.check_room(bytes_for(found.len(), size_of::<Oop>()))?;
    Ok(vm.heap.array(&found))
}

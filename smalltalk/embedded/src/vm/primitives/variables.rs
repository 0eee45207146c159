//! Maps from symbols to values, and the bindings in them: globals, class variables, method dictionaries.

use super::{Failure, Primitive, argument};
use crate::vm::{Oop, Vm, class, slot};

pub(super) const PRIMITIVES: &[(&str, Primitive)] = &[
    ("mapKeys", Primitive::Plain(map_keys)),
    ("mapAt", Primitive::Plain(map_at)),
    ("mapRemove", Primitive::Plain(map_remove)),
    ("globalAt", Primitive::Plain(global_at)),
    ("globalAtPut", Primitive::Plain(global_at_put)),
    ("poolAtPut", Primitive::Plain(pool_at_put)),
];

/// The keys, in no meaningful order.
fn map_keys(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    let keys: Vec<Oop> = vm
        .heap
        .map(receiver)
        .ok_or(Failure::BadReceiver)?
        .keys()
        .copied()
        .collect();
    Ok(vm.heap.array(&keys))
}

/// The key as a symbol that exists; a string names the same entry.
fn key(vm: &Vm, oop: Oop) -> Result<Oop, Failure> {
    let text = vm.heap.text(oop).ok_or(Failure::BadArgument)?;
    vm.find_symbol(&text).ok_or(Failure::NotFound)
}

/// What a key stands for: a method or a binding.
fn map_at(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    let key = key(vm, argument(args, 0)?)?;
    vm.heap
        .map(receiver)
        .ok_or(Failure::BadReceiver)?
        .get(&key)
        .copied()
        .ok_or(Failure::NotFound)
}

/// Removes a key and answers what it stood for. Method dictionaries are changed through their class.
fn map_remove(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    let key = key(vm, argument(args, 0)?)?;
    if vm.class_of(receiver) == class::METHOD_DICTIONARY {
        return Err(Failure::ReadOnly);
    }
    let map = vm.heap.map_mut(receiver).ok_or(Failure::BadReceiver)?;
    map.remove(&key).ok_or(Failure::NotFound)
}

/// Value of a global or class variable.
fn global_at(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    let binding = map_at(vm, receiver, args)?;
    Ok(vm.heap.slot(binding, slot::BINDING_VALUE))
}

fn put(vm: &mut Vm, receiver: Oop, args: &[Oop], kind: Oop) -> Result<Oop, Failure> {
    if vm.heap.map(receiver).is_none() || vm.class_of(receiver) == class::METHOD_DICTIONARY {
        return Err(Failure::BadReceiver);
    }
    let text = vm
        .heap
        .text(argument(args, 0)?)
        .ok_or(Failure::BadArgument)?;
    let value = argument(args, 1)?;
    let symbol = vm.symbol(&text);
    let binding = vm.declare_in(receiver, symbol, kind);
    vm.heap.set_slot(binding, slot::BINDING_VALUE, value);
    Ok(value)
}

/// Sets a global, declaring it if need be.
fn global_at_put(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    put(vm, receiver, args, class::GLOBAL_VARIABLE)
}

/// Sets a class variable, declaring it if need be.
fn pool_at_put(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    put(vm, receiver, args, class::CLASS_VARIABLE)
}

//! Classes: defining, changing and removing them.

use super::{Failure, Primitive, argument, text_argument};
use crate::vm::classes::{ClassSpec, Format};
use crate::vm::known::is_well_known;
use crate::vm::{Oop, Vm, class, selector, slot};

pub(super) const PRIMITIVES: &[(&str, Primitive)] = &[
    ("defineClass", Primitive::Plain(define_class)),
    ("defineAnonymousClass", Primitive::Plain(define_anonymous)),
    ("defineClassFields", Primitive::Plain(define_class_fields)),
    ("removeClass", Primitive::Plain(remove_class)),
    ("classFormatName", Primitive::Plain(format_name)),
    ("inheritsFrom", Primitive::Plain(inherits_from)),
    ("allFieldNames", Primitive::Plain(all_field_names)),
    ("lookupSelector", Primitive::Plain(lookup_selector)),
];

/// Strings of an array.
fn texts(vm: &Vm, array: Oop) -> Result<Vec<String>, Failure> {
    vm.heap
        .slots(array)
        .iter()
        .map(|name| vm.heap.text(*name).ok_or(Failure::BadArgument))
        .collect()
}

/// Arguments: name, array of instance variables, array of class variables, layout symbol, package,
/// tag; the receiver is the superclass or nil.
fn spec(vm: &Vm, receiver: Oop, args: &[Oop]) -> Result<ClassSpec, Failure> {
    let layout = text_argument(vm, args, 3)?;
    let format = match Format::from_layout(&layout).ok_or(Failure::Unsupported)? {
        Format::Fixed if !receiver.is_nil() => vm.format_of(receiver),
        other => other,
    };
    Ok(ClassSpec {
        name: text_argument(vm, args, 0)?,
        superclass: receiver,
        fields: texts(vm, argument(args, 1)?)?,
        class_fields: None,
        class_variables: texts(vm, argument(args, 2)?)?,
        format,
        package: text_argument(vm, args, 4)?,
        tag: text_argument(vm, args, 5)?,
    })
}

fn define(vm: &mut Vm, receiver: Oop, args: &[Oop], is_global: bool) -> Result<Oop, Failure> {
    if !receiver.is_nil() && !crate::vm::compile::is_class(&vm.heap, receiver) {
        return Err(Failure::BadReceiver);
    }
    let spec = spec(vm, receiver, args)?;
    match vm.define_class(&spec, is_global) {
        Ok(class) => Ok(class),
        // why not, as a string
        Err(error) => Err(Failure::Because(vm.heap.string(&error.to_string()))),
    }
}

/// Defines or redefines a class that the globals name.
fn define_class(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    define(vm, receiver, args, true)
}

/// Makes a class that no global names.
fn define_anonymous(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    define(vm, receiver, args, false)
}

/// Gives the receiver, a class, other instance variables of its own; argument: array of names.
fn define_class_fields(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    if !crate::vm::compile::is_class(&vm.heap, receiver) {
        return Err(Failure::BadReceiver);
    }
    let fields = texts(vm, argument(args, 0)?)?;
    match vm.set_class_fields(receiver, &fields) {
        Ok(()) => Ok(receiver),
        Err(error) => Err(Failure::Because(vm.heap.string(&error.to_string()))),
    }
}

/// Takes a class without subclasses out of the globals and its superclass.
fn remove_class(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    if !crate::vm::compile::is_class(&vm.heap, receiver) || is_well_known(receiver) {
        return Err(Failure::BadReceiver);
    }
    if !vm
        .heap
        .slots(vm.heap.slot(receiver, slot::CLASS_SUBCLASSES))
        .is_empty()
    {
        return Err(Failure::Unsupported);
    }
    vm.remove_class(receiver);
    Ok(receiver)
}

/// `#fixed`, `#variable`, `#bytes` … as a symbol.
fn format_name(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    let name = match vm.format_of(receiver) {
        Format::Fixed => "normal",
        Format::Pointers => "variable",
        Format::Bytes | Format::Integer => "bytes",
        Format::Wide | Format::Float => "words",
        Format::Context | Format::Code | Format::Map => "opaque",
        Format::Immediate => "immediate",
    };
    Ok(vm.symbol(name))
}

/// Whether the receiver, a class, inherits from the argument.
fn inherits_from(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    let wanted = argument(args, 0)?;
    let mut class = vm.heap.slot(receiver, slot::BEHAVIOR_SUPERCLASS);
    while !class.is_nil() {
        if class == wanted {
            return Ok(Oop::TRUE);
        }
        class = vm.heap.slot(class, slot::BEHAVIOR_SUPERCLASS);
    }
    Ok(Oop::FALSE)
}

/// Names of all instance variables, inherited ones first.
fn all_field_names(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    let names = vm.all_field_names(receiver);
    let symbols: Vec<Oop> = names.iter().map(|name| vm.symbol(name)).collect();
    Ok(vm.heap.array(&symbols))
}

/// The method that instances of the receiver run for a selector, or nil.
fn lookup_selector(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    let selector = argument(args, 0)?;
    let selector_class = vm.class_of(selector);
    if selector_class != class::BYTE_SYMBOL && selector_class != class::WIDE_SYMBOL {
        return Err(Failure::BadArgument);
    }
    // a selector without a name of its own never has a method
    if selector == selector::AS_YET_UNCLASSIFIED {
        return Ok(Oop::NIL);
    }
    Ok(vm.find_method(receiver, selector).unwrap_or(Oop::NIL))
}

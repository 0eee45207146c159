//! Compiling, and what compiled code tells about itself.

use super::{Failure, Primitive, argument, text_argument};
use crate::syntax::CompileError;
use crate::vm::code::{Op, Special};
use crate::vm::{Body, Oop, Vm, class};

pub(super) const PRIMITIVES: &[(&str, Primitive)] = &[
    ("compileMethod", Primitive::Plain(compile_method)),
    ("compileDoIt", Primitive::Plain(compile_do_it)),
    ("installMethod", Primitive::Plain(install_method)),
    ("removeMethod", Primitive::Plain(remove_method)),
    ("codeSelector", Primitive::Plain(code_selector)),
    ("codeOwner", Primitive::Plain(code_owner)),
    ("codeSource", Primitive::Plain(code_source)),
    ("codeArgumentCount", Primitive::Plain(code_args)),
    ("codeTemporaryCount", Primitive::Plain(code_temps)),
    ("codeLiterals", Primitive::Plain(code_literals)),
    ("codeRefersTo", Primitive::Plain(code_refers_to)),
    ("codeIsBlock", Primitive::Plain(code_is_block)),
    ("codeProtocol", Primitive::Plain(code_protocol)),
    ("codeProtocolPut", Primitive::Plain(code_protocol_put)),
    ("codePackage", Primitive::Plain(code_package)),
    ("codePragmas", Primitive::Plain(code_pragmas)),
    ("codeArgumentNames", Primitive::Plain(code_argument_names)),
    ("codeInstructions", Primitive::Plain(code_instructions)),
    ("executeMethod", Primitive::ExecuteMethod),
    ("blockValue", Primitive::BlockValue),
    (
        "blockValueWithArguments",
        Primitive::BlockValueWithArguments,
    ),
];

/// What a compile error looks like to the fallback code: message, position, source, range start, range end.
fn explain(vm: &mut Vm, error: &CompileError, source: &str) -> Failure {
    let message = vm.heap.string(&error.message);
    let source = vm.heap.string(source);
    let elements = [
        message,
        Oop::index(error.position as usize),
        source,
        Oop::index(error.range.first() as usize),
        Oop::index(error.range.last() as usize),
    ];
    Failure::Because(vm.heap.array(&elements))
}

fn is_behavior(vm: &Vm, oop: Oop) -> bool {
    vm.is_kind_of(oop, class::BEHAVIOR)
}

/// The receiver, a class, compiles a method; it is not installed.
fn compile_method(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    if !is_behavior(vm, receiver) {
        return Err(Failure::BadReceiver);
    }
    let source = text_argument(vm, args, 0)?;
    vm.compile_method(&source, receiver)
        .map_err(|error| explain(vm, &error, &source))
}

/// Compiles an expression sequence for instances of the receiver, a class.
fn compile_do_it(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    if !is_behavior(vm, receiver) {
        return Err(Failure::BadReceiver);
    }
    let source = text_argument(vm, args, 0)?;
    vm.compile_do_it_for(&source, receiver)
        .map_err(|error| explain(vm, &error, &source))
}

/// The receiver, a class, takes in a compiled method under a protocol.
fn install_method(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    let method = argument(args, 0)?;
    let protocol = text_argument(vm, args, 1)?;
    if !is_behavior(vm, receiver) || vm.class_of(method) != class::COMPILED_METHOD {
        return Err(Failure::BadReceiver);
    }
    let protocol = vm.symbol(&protocol);
    vm.install_method(receiver, method, protocol, Oop::NIL);
    Ok(method)
}

fn remove_method(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    let selector = argument(args, 0)?;
    if vm.remove_method(receiver, selector) {
        Ok(selector)
    } else {
        Err(Failure::NotFound)
    }
}

fn code_selector(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    Ok(vm.heap.code(receiver).ok_or(Failure::BadReceiver)?.selector)
}

fn code_owner(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    Ok(vm.heap.code(receiver).ok_or(Failure::BadReceiver)?.owner)
}

/// The source text: of a block its own part only.
fn code_source(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    let code = vm.heap.code(receiver).ok_or(Failure::BadReceiver)?;
    let source = code.source.clone();
    if !code.is_block {
        return Ok(vm.heap.string(&source));
    }
    let (start, length) = (
        code.range.start as usize,
        (code.range.end - code.range.start) as usize,
    );
    let text: String = source.chars().skip(start).take(length).collect();
    Ok(vm.heap.string(&text))
}

fn code_args(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    Ok(Oop::index(usize::from(
        vm.heap.code(receiver).ok_or(Failure::BadReceiver)?.args,
    )))
}

fn code_temps(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    Ok(Oop::index(usize::from(
        vm.heap.code(receiver).ok_or(Failure::BadReceiver)?.temps,
    )))
}

fn code_literals(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    let literals = vm
        .heap
        .code(receiver)
        .ok_or(Failure::BadReceiver)?
        .literals
        .to_vec();
    Ok(vm.heap.array(&literals))
}

/// Whether code, or that of a block in it, sends a selector or has it among its literals, however deep.
fn code_refers_to(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    let symbol = argument(args, 0)?;
    vm.heap.code(receiver).ok_or(Failure::BadReceiver)?;
    let special = Special::of(symbol);
    let mut rest = vec![receiver];
    while let Some(object) = rest.pop() {
        if object == symbol {
            return Ok(Oop::TRUE);
        }
        if let Some(code) = vm.heap.code(object) {
            let sends = |op: &Op| matches!(op, Op::SendSpecial(sent) if Some(*sent) == special);
            if special.is_some() && code.ops.iter().any(sends) {
                return Ok(Oop::TRUE);
            }
            rest.extend(code.literals.iter().copied());
        } else if vm.class_of(object) == class::ARRAY {
            rest.extend(vm.heap.slots(object).iter().copied());
        }
    }
    Ok(Oop::FALSE)
}

fn code_is_block(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    Ok(Oop::boolean(
        vm.heap.code(receiver).ok_or(Failure::BadReceiver)?.is_block,
    ))
}

fn code_protocol(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    match vm.heap.body(receiver) {
        Some(Body::Method(method)) => Ok(method.protocol),
        _ => Err(Failure::BadReceiver),
    }
}

fn code_protocol_put(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    let name = text_argument(vm, args, 0)?;
    let symbol = vm.symbol(&name);
    match vm.heap.body_mut(receiver) {
        Some(Body::Method(method)) => {
            method.protocol = symbol;
            Ok(receiver)
        }
        _ => Err(Failure::BadReceiver),
    }
}

/// The package of an extension method, nil for a method of the class's own package.
fn code_package(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    match vm.heap.body(receiver) {
        Some(Body::Method(method)) => Ok(method.package),
        _ => Err(Failure::BadReceiver),
    }
}

/// An array of {selector. array of arguments} for each pragma of a method. Parsed from the source
/// each time: pragmas are looked at rarely.
fn code_pragmas(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    let code = vm.heap.code(receiver).ok_or(Failure::BadReceiver)?;
    if code.is_block || !code.source.contains('<') {
        return Ok(vm.heap.array(&[]));
    }
    let source = code.source.clone();
    let tree = crate::syntax::parse_method(&source).map_err(|_| Failure::Unsupported)?;
    let pragmas: Vec<Oop> = tree
        .pragmas
        .iter()
        .map(|pragma| {
            let arguments: Vec<Oop> = pragma
                .arguments
                .iter()
                .map(|argument| vm.literal(argument))
                .collect();
            let arguments = vm.heap.array(&arguments);
            let selector = vm.symbol(&pragma.selector);
            vm.heap.array(&[selector, arguments])
        })
        .collect();
    Ok(vm.heap.array(&pragmas))
}

/// Names of arguments and temporaries, in order of their slots.
fn code_argument_names(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    let code = vm.heap.code(receiver).ok_or(Failure::BadReceiver)?.clone();
    let names: Vec<Oop> = code
        .variables
        .iter()
        .map(|variable| vm.heap.string(&variable.name))
        .collect();
    Ok(vm.heap.array(&names))
}

/// The instructions as a string, one a line.
fn code_instructions(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    let code = vm.heap.code(receiver).ok_or(Failure::BadReceiver)?;
    let lines: Vec<String> = code
        .ops
        .iter()
        .enumerate()
        .map(|(pc, op)| format!("{pc} {op:?}"))
        .collect();
    Ok(vm.heap.string(&lines.join("\r")))
}

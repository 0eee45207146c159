//! Contexts: reading frames, leaving them, searching the stack.

use super::{Control, Failure, Primitive};
use crate::vm::frame::Frame;
use crate::vm::{Oop, Vm};

pub(super) const PRIMITIVES: &[(&str, Primitive)] = &[
    ("contextSender", Primitive::Control(sender)),
    ("contextReceiver", Primitive::Control(receiver)),
    ("contextMethod", Primitive::Control(method)),
    ("contextClosure", Primitive::Control(closure)),
    ("contextHome", Primitive::Control(home)),
    ("contextIsDead", Primitive::Control(is_dead)),
    ("contextPc", Primitive::Control(pc)),
    ("contextRange", Primitive::Control(range)),
    ("contextDepth", Primitive::Control(depth)),
    ("contextTempCount", Primitive::Control(temp_count)),
    ("contextTempAt", Primitive::Control(temp_at)),
    ("contextTempAtPut", Primitive::Control(temp_at_put)),
    ("contextTempNames", Primitive::Control(temp_names)),
    ("contextNamedTempAt", Primitive::Control(named_temp_at)),
    (
        "contextNamedTempAtPut",
        Primitive::Control(named_temp_at_put),
    ),
    ("contextHandler", Primitive::Control(handler)),
    ("contextReturn", Primitive::Control(return_value)),
    ("contextRestart", Primitive::Control(restart)),
    ("contextGoOnReturning", Primitive::Control(go_on_returning)),
    (
        "contextGoOnRestarting",
        Primitive::Control(go_on_restarting),
    ),
];

impl Vm {
    /// Operand `index` of the primitive being run: 0 is the receiver, then the arguments.
    pub(super) fn operand(&self, args: usize, index: usize) -> Result<Oop, Failure> {
        let frame = self
            .heap
            .frame(self.scheduler.active_context)
            .ok_or(Failure::BadReceiver)?;
        let position = (frame.sp as usize)
            .checked_sub(args + 1)
            .ok_or(Failure::BadSize)?
            + index;
        frame
            .live_slots()
            .get(position)
            .copied()
            .ok_or(Failure::BadSize)
    }

    fn receiver_frame(&self, args: usize) -> Result<(Oop, &Frame), Failure> {
        let context = self.operand(args, 0)?;
        Ok((
            context,
            self.heap.frame(context).ok_or(Failure::BadReceiver)?,
        ))
    }
}

fn value(oop: Oop) -> Result<Control, Failure> {
    Ok(Control::Value(oop))
}

/// The context that the receiver answers to.
fn sender(vm: &mut Vm, args: usize) -> Result<Control, Failure> {
    let sender = vm.receiver_frame(args)?.1.sender;
    vm.escape(sender);
    value(sender)
}

fn receiver(vm: &mut Vm, args: usize) -> Result<Control, Failure> {
    value(vm.receiver_frame(args)?.1.receiver)
}

fn method(vm: &mut Vm, args: usize) -> Result<Control, Failure> {
    value(vm.receiver_frame(args)?.1.method)
}

fn closure(vm: &mut Vm, args: usize) -> Result<Control, Failure> {
    value(vm.receiver_frame(args)?.1.closure)
}

/// The context of the method that the receiver's code was written in.
fn home(vm: &mut Vm, args: usize) -> Result<Control, Failure> {
    let (context, frame) = vm.receiver_frame(args)?;
    let closure = frame.closure;
    value(if closure.is_nil() {
        context
    } else {
        vm.home_of(closure)
    })
}

fn is_dead(vm: &mut Vm, args: usize) -> Result<Control, Failure> {
    value(Oop::boolean(vm.receiver_frame(args)?.1.is_dead()))
}

fn pc(vm: &mut Vm, args: usize) -> Result<Control, Failure> {
    let frame = vm.receiver_frame(args)?.1;
    value(if frame.is_dead() {
        Oop::NIL
    } else {
        Oop::index(frame.pc as usize)
    })
}

/// The expression that the receiver is in: {first. last}, one-based, in the source of its method.
fn range(vm: &mut Vm, args: usize) -> Result<Control, Failure> {
    let range = crate::vm::mirror::current_range(vm.receiver_frame(args)?.1);
    let pair = vm.heap.array(&[
        Oop::index(range.first() as usize),
        Oop::index(range.last() as usize),
    ]);
    value(pair)
}

fn depth(vm: &mut Vm, args: usize) -> Result<Control, Failure> {
    value(Oop::index(vm.receiver_frame(args)?.1.depth as usize))
}

fn temp_count(vm: &mut Vm, args: usize) -> Result<Control, Failure> {
    value(Oop::index(usize::from(
        vm.receiver_frame(args)?.1.code.temps,
    )))
}

/// The slot for a one-based index among arguments and temporaries.
fn temp_index(vm: &Vm, args: usize) -> Result<(Oop, usize), Failure> {
    let (context, frame) = vm.receiver_frame(args)?;
    let index = vm
        .operand(args, 1)?
        .as_size()
        .and_then(|index| index.checked_sub(1))
        .ok_or(Failure::BadIndex)?;
    if index < usize::from(frame.code.temps) {
        Ok((context, index))
    } else {
        Err(Failure::BadIndex)
    }
}

fn temp_at(vm: &mut Vm, args: usize) -> Result<Control, Failure> {
    let (context, index) = temp_index(vm, args)?;
    value(
        vm.heap
            .frame(context)
            .map_or(Oop::NIL, |frame| frame.slots[index]),
    )
}

fn temp_at_put(vm: &mut Vm, args: usize) -> Result<Control, Failure> {
    let (context, index) = temp_index(vm, args)?;
    let new = vm.operand(args, 2)?;
    if let Some(frame) = vm.heap.frame_mut(context) {
        frame.slots[index] = new;
    }
    value(new)
}

fn temp_names(vm: &mut Vm, args: usize) -> Result<Control, Failure> {
    let code = vm.receiver_frame(args)?.1.code.clone();
    let names: Vec<Oop> = code
        .variables
        .iter()
        .map(|variable| vm.symbol(&variable.name))
        .collect();
    value(vm.heap.array(&names))
}

/// The variable of a name: its slot, and whether that holds a cell.
fn named(vm: &Vm, args: usize) -> Result<(Oop, usize, bool), Failure> {
    let (context, frame) = vm.receiver_frame(args)?;
    let name = vm
        .heap
        .text(vm.operand(args, 1)?)
        .ok_or(Failure::BadArgument)?;
    // the innermost of several variables of one name comes last
    let variable = frame
        .code
        .variables
        .iter()
        .rev()
        .find(|variable| *variable.name == *name);
    let variable = variable.ok_or(Failure::NotFound)?;
    Ok((context, usize::from(variable.slot), variable.in_cell))
}

fn named_temp_at(vm: &mut Vm, args: usize) -> Result<Control, Failure> {
    let (context, slot, in_cell) = named(vm, args)?;
    let held = vm
        .heap
        .frame(context)
        .map_or(Oop::NIL, |frame| frame.slots[slot]);
    value(if in_cell { vm.heap.slot(held, 0) } else { held })
}

fn named_temp_at_put(vm: &mut Vm, args: usize) -> Result<Control, Failure> {
    let (context, slot, in_cell) = named(vm, args)?;
    let new = vm.operand(args, 2)?;
    if in_cell {
        let cell = vm
            .heap
            .frame(context)
            .map_or(Oop::NIL, |frame| frame.slots[slot]);
        vm.heap.set_slot(cell, 0, new);
    } else if let Some(frame) = vm.heap.frame_mut(context) {
        frame.slots[slot] = new;
    }
    value(new)
}

/// The innermost `on:do:` context from the receiver outwards that may handle an exception, or nil.
fn handler(vm: &mut Vm, args: usize) -> Result<Control, Failure> {
    let start = vm.operand(args, 0)?;
    value(vm.handler_from(start))
}

/// Ends the receiver and everything above it; its sender gets the argument as answer.
fn return_value(vm: &mut Vm, args: usize) -> Result<Control, Failure> {
    let (target, result) = (vm.operand(args, 0)?, vm.operand(args, 1)?);
    if vm.leave(target, result, false) {
        Ok(Control::Done)
    } else {
        Err(Failure::BadReceiver)
    }
}

/// Ends everything above the receiver, which begins anew; its receiver becomes the argument.
fn restart(vm: &mut Vm, args: usize) -> Result<Control, Failure> {
    let (target, receiver) = (vm.operand(args, 0)?, vm.operand(args, 1)?);
    if vm.leave(target, receiver, true) {
        Ok(Control::Done)
    } else {
        Err(Failure::BadReceiver)
    }
}

/// The same as [`return_value`] where the receiver is known to be on the stack.
fn go_on_returning(vm: &mut Vm, args: usize) -> Result<Control, Failure> {
    let (target, result) = (vm.operand(args, 0)?, vm.operand(args, 1)?);
    if vm.go_on_leaving(target, result, false) {
        Ok(Control::Done)
    } else {
        Err(Failure::BadReceiver)
    }
}

/// The same as [`restart`] where the receiver is known to be on the stack.
fn go_on_restarting(vm: &mut Vm, args: usize) -> Result<Control, Failure> {
    let (target, receiver) = (vm.operand(args, 0)?, vm.operand(args, 1)?);
    if vm.go_on_leaving(target, receiver, true) {
        Ok(Control::Done)
    } else {
        Err(Failure::BadReceiver)
    }
}

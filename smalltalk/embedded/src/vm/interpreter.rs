//! The interpreter: one loop for all Smalltalk code.
//!
//! While the loop runs, the frame of the active context is in a local variable, out of the heap, so
//! that operands are reached without a lookup and primitives can borrow arguments from it. It is
//! put back before anything may look at it: control primitives, collection, another process.
//! Smalltalk calls never recurse here; the Rust stack stays as it is however deep they go.

use std::rc::Rc;

use super::Vm;
use super::code::{Code, Op, Special};
use super::frame::DEAD;
use super::heap::Body;
use super::known::{class, selector, slot};
use super::lookup::Found;
use super::oop::Oop;
use super::primitives::{Control, Failure, Primitive};

/// Reusable frames kept at most.
const FRAME_POOL: usize = 512;

impl Vm {
    /// Runs the active process, and those that take over from it, until the time slice is used up,
    /// a collection is due, nothing can run, or a watched frame goes on. With `ONE` only a single
    /// instruction.
    #[allow(clippy::cognitive_complexity)] // one match over the instruction set
    pub(super) fn interpret<const ONE: bool>(&mut self) {
        let mut context = self.scheduler.active_context;
        let Some(mut frame) = self.heap.take_frame(context) else {
            return;
        };
        let mut code: Rc<Code> = Rc::clone(&frame.code);
        let mut pc = frame.pc as usize;
        let mut sp = frame.sp as usize;
        let process = self.scheduler.active_process;
        let mut is_done = false;

        macro_rules! save {
            () => {{
                frame.pc = pc as u32;
                frame.sp = sp as u32;
                self.scheduler.active_context = context;
                self.heap.put_frame(context, frame);
            }};
        }
        macro_rules! reload {
            () => {{
                let before = context;
                context = self.scheduler.active_context;
                if self.is_stepping() && self.scheduler.active_process != process {
                    return;
                }
                frame = match self.heap.take_frame(context) {
                    Some(frame) => frame,
                    None => return,
                };
                if frame.is_dead() {
                    self.heap.put_frame(context, frame);
                    return self.fail_active("The context to go on with has ended.");
                }
                if frame.watched && context != before {
                    self.heap.put_frame(context, frame);
                    return;
                }
                code = Rc::clone(&frame.code);
                pc = frame.pc as usize;
                sp = frame.sp as usize;
            }};
        }
        macro_rules! push {
            ($value:expr) => {{
                let value = $value;
                frame.slots[sp] = value;
                sp += 1;
            }};
        }
        macro_rules! pop {
            () => {{
                sp -= 1;
                frame.slots[sp]
            }};
        }
        macro_rules! jump {
            ($target:expr) => {{
                let target = $target as usize;
                let backwards = target < pc;
                pc = target;
                if backwards {
                    self.ticks -= 1;
                    if self.ticks <= 0 || self.heap.used() > self.heap.threshold {
                        save!();
                        return;
                    }
                }
            }};
        }

        loop {
            if ONE && std::mem::replace(&mut is_done, true) {
                save!();
                return;
            }
            // ---- one instruction; only sends come out of the match
            let op = code.ops[pc];
            pc += 1;
            let (mut selector, mut args, mut class) = match op {
                Op::PushTemp(index) => {
                    push!(frame.slots[usize::from(index)]);
                    continue;
                }
                Op::PushSelf => {
                    push!(frame.receiver);
                    continue;
                }
                Op::PushField(index) => {
                    push!(self.heap.slot(frame.receiver, usize::from(index)));
                    continue;
                }
                Op::PushInteger(value) => {
                    push!(Oop::from(value));
                    continue;
                }
                Op::PushLiteral(index) => {
                    push!(code.literals[index as usize]);
                    continue;
                }
                Op::PushVariable(index) => {
                    push!(
                        self.heap
                            .slot(code.literals[index as usize], slot::BINDING_VALUE)
                    );
                    continue;
                }
                Op::PushCell(index) => {
                    push!(self.heap.slot(frame.slots[usize::from(index)], 0));
                    continue;
                }
                Op::PushNil => {
                    push!(Oop::NIL);
                    continue;
                }
                Op::PushTrue => {
                    push!(Oop::TRUE);
                    continue;
                }
                Op::PushFalse => {
                    push!(Oop::FALSE);
                    continue;
                }
                Op::PushContext => {
                    frame.escaped = true;
                    push!(context);
                    continue;
                }
                Op::StoreTemp(index) => {
                    frame.slots[usize::from(index)] = frame.slots[sp - 1];
                    continue;
                }
                Op::PopTemp(index) => {
                    frame.slots[usize::from(index)] = pop!();
                    continue;
                }
                Op::StoreCell(index) => {
                    self.heap
                        .set_slot(frame.slots[usize::from(index)], 0, frame.slots[sp - 1]);
                    continue;
                }
                Op::PopCell(index) => {
                    let value = pop!();
                    self.heap
                        .set_slot(frame.slots[usize::from(index)], 0, value);
                    continue;
                }
                Op::StoreField(index) => {
                    self.heap
                        .set_slot(frame.receiver, usize::from(index), frame.slots[sp - 1]);
                    continue;
                }
                Op::PopField(index) => {
                    let value = pop!();
                    self.heap
                        .set_slot(frame.receiver, usize::from(index), value);
                    continue;
                }
                Op::StoreVariable(index) => {
                    self.heap.set_slot(
                        code.literals[index as usize],
                        slot::BINDING_VALUE,
                        frame.slots[sp - 1],
                    );
                    continue;
                }
                Op::PopVariable(index) => {
                    let value = pop!();
                    self.heap
                        .set_slot(code.literals[index as usize], slot::BINDING_VALUE, value);
                    continue;
                }
                Op::Pop => {
                    sp -= 1;
                    continue;
                }
                Op::Dup => {
                    push!(frame.slots[sp - 1]);
                    continue;
                }
                Op::NewCell(index) => {
                    frame.slots[usize::from(index)] = self.heap.allocate_slots(class::ARRAY, 1);
                    continue;
                }
                Op::NewArray(size) => {
                    let first = sp - size as usize;
                    let array = self.heap.array(&frame.slots[first..sp]);
                    sp = first;
                    push!(array);
                    continue;
                }
                Op::PushBlock {
                    code: literal,
                    copied,
                } => {
                    let first = sp - usize::from(copied);
                    let mut slots = Vec::with_capacity(slot::BLOCK_COPIED + usize::from(copied));
                    slots.extend([context, code.literals[literal as usize], frame.receiver]);
                    slots.extend_from_slice(&frame.slots[first..sp]);
                    frame.escaped = true;
                    sp = first;
                    push!(self.heap.allocate(
                        class::FULL_BLOCK_CLOSURE,
                        Body::Slots(slots.into_boxed_slice())
                    ));
                    continue;
                }
                Op::Break => {
                    save!();
                    self.reach_breakpoint();
                    reload!();
                    continue;
                }
                Op::Jump(target) => {
                    jump!(target);
                    continue;
                }
                Op::JumpIfFalse(target) => match frame.slots[sp - 1] {
                    Oop::FALSE => {
                        sp -= 1;
                        jump!(target);
                        continue;
                    }
                    Oop::TRUE => {
                        sp -= 1;
                        continue;
                    }
                    other => {
                        // its answer is tested by this same instruction
                        pc -= 1;
                        (selector::MUST_BE_BOOLEAN, 0, self.heap.class_of(other))
                    }
                },
                Op::JumpIfTrue(target) => match frame.slots[sp - 1] {
                    Oop::TRUE => {
                        sp -= 1;
                        jump!(target);
                        continue;
                    }
                    Oop::FALSE => {
                        sp -= 1;
                        continue;
                    }
                    other => {
                        pc -= 1;
                        (selector::MUST_BE_BOOLEAN, 0, self.heap.class_of(other))
                    }
                },
                Op::JumpIfNil(target) => {
                    if pop!().is_nil() {
                        jump!(target);
                    }
                    continue;
                }
                Op::JumpIfNotNil(target) => {
                    if !pop!().is_nil() {
                        jump!(target);
                    }
                    continue;
                }
                Op::Return | Op::ReturnSelf | Op::ReturnFromBlock => {
                    let value = if op == Op::ReturnSelf {
                        frame.receiver
                    } else {
                        frame.slots[sp - 1]
                    };
                    let sender = frame.sender;
                    let discard = frame.discard_result;
                    if sender.is_nil() {
                        save!();
                        self.process_ended(value);
                        reload!();
                        continue;
                    }
                    if frame.escaped {
                        frame.pc = DEAD;
                        frame.sp = sp as u32;
                        frame.sender = Oop::NIL;
                        self.heap.put_frame(context, frame);
                    } else if frame.is_reusable() && self.frame_pool.len() < FRAME_POOL {
                        self.frame_pool.push((context, frame));
                    }
                    context = sender;
                    match self.heap.take_frame(context) {
                        Some(sender) => frame = sender,
                        None => return self.fail_active("The context to return to is gone."),
                    }
                    if frame.is_dead() {
                        self.scheduler.active_context = context;
                        self.heap.put_frame(context, frame);
                        return self.fail_active("The context to return to has ended.");
                    }
                    code = Rc::clone(&frame.code);
                    pc = frame.pc as usize;
                    sp = frame.sp as usize;
                    if !discard {
                        push!(value);
                    }
                    if frame.watched {
                        save!();
                        return;
                    }
                    continue;
                }
                Op::ReturnFromHome => {
                    let value = pop!();
                    let home = self.home_of(frame.closure);
                    save!();
                    if !self.leave(home, value, false) {
                        self.cannot_return(value);
                    }
                    reload!();
                    continue;
                }
                Op::Send { selector, args } => {
                    let receiver = frame.slots[sp - 1 - usize::from(args)];
                    (
                        code.literals[selector as usize],
                        usize::from(args),
                        self.heap.class_of(receiver),
                    )
                }
                Op::SuperSend { selector, args } => {
                    let above = self.heap.slot(code.owner, slot::BEHAVIOR_SUPERCLASS);
                    (code.literals[selector as usize], usize::from(args), above)
                }
                Op::SendSpecial(special) => {
                    let args = match special {
                        Special::AtPut | Special::Value2 => 2,
                        Special::Size
                        | Special::Value
                        | Special::IsNil
                        | Special::NotNil
                        | Special::Not => 0,
                        _ => 1,
                    };
                    let first = sp - 1 - args;
                    if let Some(value) = self.special(special, &frame.slots[first..sp]) {
                        frame.slots[first] = value;
                        sp = first + 1;
                        continue;
                    }
                    (
                        special.selector().0,
                        args,
                        self.heap.class_of(frame.slots[first]),
                    )
                }
            };

            // ---- a send: find the method, try its primitive, activate it
            let mut direct: Option<Found> = None;
            loop {
                let found = match direct.take() {
                    Some(found) => found,
                    None => {
                        if let Some(found) = self.cache.lookup(&self.heap, class, selector) {
                            found.clone()
                        } else {
                            if selector == selector::DOES_NOT_UNDERSTAND {
                                save!();
                                self.fail_active(
                                    "The receiver's class does not understand doesNotUnderstand:.",
                                );
                                reload!();
                                break;
                            }
                            let arguments = self.heap.array(&frame.slots[sp - args..sp]);
                            let message = Body::Slots(Box::new([selector, arguments, class]));
                            let message = self.heap.allocate(class::MESSAGE, message);
                            sp -= args;
                            frame.sp = sp as u32;
                            frame.reserve(1);
                            push!(message);
                            (selector, args) = (selector::DOES_NOT_UNDERSTAND, 1);
                            continue;
                        }
                    }
                };
                let base = sp - args;
                let mut failure = None;
                match found.code.primitive {
                    None => {}
                    Some(Primitive::Plain(function)) => {
                        match function(self, frame.slots[base - 1], &frame.slots[base..sp]) {
                            Ok(value) => {
                                sp = base;
                                frame.slots[sp - 1] = value;
                                break;
                            }
                            Err(Failure::NoMemory) if self.may_collect_for_room() => {
                                // once more with what that frees
                                save!();
                                self.collect_garbage();
                                reload!();
                                continue;
                            }
                            Err(reason) => failure = Some(reason),
                        }
                    }
                    Some(Primitive::BlockValue) => {
                        let closure = frame.slots[base - 1];
                        match self.block_code(closure, args) {
                            Some((method, block)) => {
                                let (new_context, mut new) = self.new_frame(&block);
                                let slots = self.heap.slots(closure);
                                new.receiver = slots[slot::BLOCK_RECEIVER];
                                new.slots[..args].copy_from_slice(&frame.slots[base..sp]);
                                let copied = &slots[slot::BLOCK_COPIED..];
                                new.slots[args..args + copied.len()].copy_from_slice(copied);
                                new.slots[args + copied.len()..usize::from(block.temps)]
                                    .fill(Oop::NIL);
                                new.closure = closure;
                                new.method = method;
                                new.sender = context;
                                new.depth = frame.depth + 1;
                                frame.pc = pc as u32;
                                frame.sp = (base - 1) as u32;
                                self.heap.put_frame(context, frame);
                                context = new_context;
                                frame = new;
                                pc = 0;
                                sp = usize::from(block.temps);
                                code = block;
                                self.ticks -= 1;
                                if self.ticks <= 0
                                    || self.heap.used() > self.heap.threshold
                                    || frame.depth > self.depth_limit
                                {
                                    save!();
                                    return;
                                }
                                break;
                            }
                            None => failure = Some(Failure::BadSize),
                        }
                    }
                    Some(Primitive::BlockValueWithArguments) => {
                        let array = frame.slots[sp - 1];
                        let closure = frame.slots[base - 1];
                        let count = self.heap.slots(array).len();
                        if self.heap.class_of(array) == class::ARRAY
                            && self.block_code(closure, count).is_some()
                        {
                            sp -= 1;
                            sp = self.spread(&mut frame, sp, array);
                            // `value` takes any number of arguments as far as its primitive is concerned
                            (selector, args, class) =
                                (selector::VALUE, count, class::FULL_BLOCK_CLOSURE);
                            continue;
                        }
                        failure = Some(Failure::BadSize);
                    }
                    Some(Primitive::Perform) if args > 0 => {
                        let receiver = frame.slots[base - 1];
                        let wanted = frame.slots[base];
                        let receiver_class = self.heap.class_of(receiver);
                        match self.accepts(receiver_class, wanted, args - 1) {
                            Ok(()) => {
                                frame.slots.copy_within(base + 1..sp, base);
                                sp -= 1;
                                (selector, args, class) = (wanted, args - 1, receiver_class);
                                continue;
                            }
                            Err(reason) => failure = Some(reason),
                        }
                    }
                    Some(Primitive::PerformWithArguments) if args >= 2 => {
                        // perform: selector withArguments: array [inSuperclass: lookupClass]
                        let receiver = frame.slots[base - 1];
                        let (wanted, array) = (frame.slots[base], frame.slots[base + 1]);
                        let lookup = if args > 2 {
                            frame.slots[base + 2]
                        } else {
                            self.heap.class_of(receiver)
                        };
                        let count = self.heap.slots(array).len();
                        match self.accepts(lookup, wanted, count) {
                            Ok(()) if self.heap.class_of(array) == class::ARRAY => {
                                sp = self.spread(&mut frame, base, array);
                                (selector, args, class) = (wanted, count, lookup);
                                continue;
                            }
                            Ok(()) => failure = Some(Failure::BadArgument),
                            Err(reason) => failure = Some(reason),
                        }
                    }
                    Some(Primitive::ExecuteMethod) if args == 2 => {
                        // method valueWithReceiver: receiver arguments: array
                        let method = frame.slots[base - 1];
                        let (receiver, array) = (frame.slots[base], frame.slots[base + 1]);
                        let count = self.heap.slots(array).len();
                        match self.heap.code(method).cloned() {
                            Some(target)
                                if !target.is_block
                                    && usize::from(target.args) == count
                                    && self.heap.class_of(array) == class::ARRAY =>
                            {
                                frame.slots[base - 1] = receiver;
                                sp = self.spread(&mut frame, base, array);
                                args = count;
                                direct = Some(Found {
                                    method,
                                    code: target,
                                });
                                continue;
                            }
                            _ => failure = Some(Failure::BadSize),
                        }
                    }
                    Some(
                        Primitive::Perform
                        | Primitive::PerformWithArguments
                        | Primitive::ExecuteMethod,
                    ) => {
                        failure = Some(Failure::BadSize);
                    }
                    Some(Primitive::Control(function)) => {
                        save!();
                        let outcome = function(self, args);
                        reload!();
                        match outcome {
                            Ok(Control::Value(value)) => {
                                sp = base;
                                frame.slots[sp - 1] = value;
                                break;
                            }
                            Ok(Control::Done) => break,
                            Err(reason) => failure = Some(reason),
                        }
                    }
                }

                let (new_context, mut new) = self.new_frame(&found.code);
                let temps = usize::from(found.code.temps);
                new.receiver = frame.slots[base - 1];
                new.slots[..args].copy_from_slice(&frame.slots[base..sp]);
                new.slots[args..temps].fill(Oop::NIL);
                if let (Some(reason), Some(index)) = (failure, found.code.error_slot) {
                    new.slots[usize::from(index)] = reason.code();
                }
                new.method = found.method;
                new.sender = context;
                new.depth = frame.depth + 1;
                frame.pc = pc as u32;
                frame.sp = (base - 1) as u32;
                self.heap.put_frame(context, frame);
                context = new_context;
                frame = new;
                code = found.code;
                pc = 0;
                sp = temps;
                self.ticks -= 1;
                if self.ticks <= 0
                    || self.heap.used() > self.heap.threshold
                    || frame.depth > self.depth_limit
                {
                    save!();
                    return;
                }
                break;
            }
        }
    }
}

//! The stack of contexts: slipping in calls, leaving frames, searching for handlers.
//!
//! Everything here works on frames that are in their objects, the active one included.

use super::Vm;
use super::code::Marker;
use super::frame::{DEAD, Frame};
use super::heap::Body;
use super::known::{class, selector, slot};
use super::oop::Oop;
use super::scheduler::state;

/// Blocks around a block, at most.
const MAX_BLOCK_NESTING: u32 = 10_000;

impl Vm {
    /// The context of the method that a block was written in, `nil` for none.
    pub(super) fn home_of(&self, closure: Oop) -> Oop {
        let mut closure = closure;
        // blocks nest as deep as the parser allows; reflection could make a ring of them
        for _ in 0..MAX_BLOCK_NESTING {
            let context = self.heap.slot(closure, slot::BLOCK_OUTER);
            match self.heap.frame(context) {
                Some(frame) if frame.closure.is_nil() => return context,
                Some(frame) => closure = frame.closure,
                None => return Oop::NIL,
            }
        }
        Oop::NIL
    }

    // ---- calls that the machine makes

    /// A context, not yet running, that sends `selector` to `receiver` and answers to `sender`.
    /// The method's primitive, if any, is not tried. `None` if the receiver does not understand.
    pub(super) fn new_activation(
        &mut self,
        sender: Oop,
        receiver: Oop,
        selector: Oop,
        args: &[Oop],
    ) -> Option<Oop> {
        let class = self.heap.class_of(receiver);
        let found = self.cache.lookup(&self.heap, class, selector)?.clone();
        if usize::from(found.code.args) != args.len() {
            return None;
        }
        let depth = self.heap.frame(sender).map_or(0, |frame| frame.depth + 1);
        let temps = found.code.temps;
        let slots = Frame::rounded_slots(found.code.frame_slots);
        let (context, mut frame) = self.heap.new_context(found.code, slots);
        frame.sender = sender;
        frame.receiver = receiver;
        frame.method = found.method;
        frame.depth = depth;
        frame.sp = u32::from(temps);
        frame.slots[..args.len()].copy_from_slice(args);
        self.heap.put_frame(context, frame);
        Some(context)
    }

    /// Sends a message on top of the running process. Its answer is pushed where the process was,
    /// or dropped if `discard`.
    pub(super) fn call_method(
        &mut self,
        receiver: Oop,
        selector: Oop,
        args: &[Oop],
        discard: bool,
    ) {
        let sender = self.scheduler.active_context;
        match self.new_activation(sender, receiver, selector, args) {
            Some(context) => {
                if let Some(frame) = self.heap.frame_mut(context) {
                    frame.discard_result = discard;
                }
                self.scheduler.active_context = context;
            }
            None => self.fail_active("The class library lacks a method that the machine needs."),
        }
    }

    // ---- leaving

    /// Ends all frames from the active one to `target` and answers `value` to the sender of
    /// `target`; or, if `restart`, ends those above `target` and runs that one again from its
    /// beginning with `value` as its receiver.
    ///
    /// If there are `ensure:` or `ifCurtailed:` frames on the way, the stack is cut at the innermost
    /// and that one is asked to go on (`unwindTo:returning:restarting:`) when its block has run.
    /// False, and nothing done, if `target` is not on the stack of the running process.
    pub(super) fn leave(&mut self, target: Oop, value: Oop, restart: bool) -> bool {
        let mut context = self.scheduler.active_context;
        while context != target {
            let Some(frame) = self.heap.frame(context) else {
                return false;
            };
            context = frame.sender;
        }
        self.go_on_leaving(target, value, restart)
    }

    /// Like [`Vm::leave`] for a `target` that is known to be on the stack, as it is when unwinding
    /// goes on after a block: looking for it again for every one of many blocks would take for ever.
    pub(super) fn go_on_leaving(&mut self, target: Oop, value: Oop, restart: bool) -> bool {
        let mut context = self.scheduler.active_context;
        let mut unwind = Oop::NIL;
        while context != target {
            let Some(frame) = self.heap.frame(context) else {
                return false;
            };
            if is_pending_unwind(frame) {
                unwind = context;
                break;
            }
            context = frame.sender;
        }
        if self.heap.frame(target).is_none_or(Frame::is_dead) {
            return false;
        }
        if !unwind.is_nil() {
            self.cut_to(unwind);
            self.escape(unwind);
            self.escape(target);
            self.call_method(
                unwind,
                selector::UNWIND_TO,
                &[target, value, Oop::boolean(restart)],
                true,
            );
            return true;
        }
        self.cut_to(target);
        if restart {
            self.restart(target, value);
            return true;
        }
        let Some(frame) = self.heap.frame(target) else {
            return false;
        };
        let (sender, discard) = (frame.sender, frame.discard_result);
        if sender.is_nil() {
            self.process_ended(value);
            return true;
        }
        self.retire(target);
        self.scheduler.active_context = sender;
        if let Some(frame) = self.heap.frame_mut(sender)
            && !discard
        {
            frame.reserve(1);
            frame.push(value);
        }
        true
    }

    /// Ends the frames above `context`, which becomes the active one.
    fn cut_to(&mut self, context: Oop) {
        let mut top = self.scheduler.active_context;
        while top != context && !top.is_nil() {
            let sender = self.heap.frame(top).map_or(Oop::NIL, |frame| frame.sender);
            self.retire(top);
            top = sender;
        }
        self.scheduler.active_context = context;
    }

    /// Ends one frame.
    fn retire(&mut self, context: Oop) {
        if let Some(frame) = self.heap.frame_mut(context) {
            frame.pc = DEAD;
            frame.sender = Oop::NIL;
        }
    }

    fn restart(&mut self, context: Oop, receiver: Oop) {
        let closure = self
            .heap
            .frame(context)
            .map_or(Oop::NIL, |frame| frame.closure);
        let copied = self
            .heap
            .slots(closure)
            .len()
            .saturating_sub(slot::BLOCK_COPIED);
        if let Some(frame) = self.heap.frame_mut(context) {
            let kept = usize::from(frame.code.args) + copied;
            let temps = usize::from(frame.code.temps);
            if kept <= temps {
                frame.slots[kept..temps].fill(Oop::NIL);
            }
            frame.pc = 0;
            frame.sp = u32::from(frame.code.temps);
            frame.receiver = receiver;
        }
    }

    /// Notes that something besides the stack may refer to the context.
    pub(super) fn escape(&mut self, context: Oop) {
        if let Some(frame) = self.heap.frame_mut(context) {
            frame.escaped = true;
        }
    }

    /// `^` whose method has ended already, or belongs to another process.
    pub(super) fn cannot_return(&mut self, value: Oop) {
        let context = self.scheduler.active_context;
        self.escape(context);
        self.call_method(context, selector::CANNOT_RETURN, &[value], false);
    }

    // ---- searching

    /// The innermost `on:do:` frame that may handle an exception signaled in `start`: from `start`
    /// outwards, but never one whose handler is running, nor one further in than that.
    pub(super) fn handler_from(&mut self, start: Oop) -> Oop {
        let mut context = start;
        loop {
            let Some(frame) = self.heap.frame(context) else {
                return Oop::NIL;
            };
            match frame.code.marker {
                Marker::Handler => {
                    self.escape(context);
                    return context;
                }
                Marker::HandlerActive => {
                    let handler = self.heap.slot(frame.receiver, slot::EXCEPTION_HANDLER);
                    context = match self.heap.frame(handler) {
                        Some(handler) if !handler.is_dead() && handler.depth < frame.depth => {
                            handler.sender
                        }
                        _ => frame.sender,
                    };
                }
                Marker::Plain | Marker::Unwind => context = frame.sender,
            }
        }
    }

    /// The outermost context of a stack.
    pub(super) fn bottom_of(&self, context: Oop) -> Oop {
        let mut context = context;
        while let Some(frame) = self.heap.frame(context) {
            if frame.sender.is_nil() {
                break;
            }
            context = frame.sender;
        }
        context
    }

    // ---- limits

    /// Sets how deep the stack of the running process may become.
    pub(super) fn update_depth_limit(&mut self) {
        let reserve = if self
            .scheduler
            .overflowed
            .contains(&self.scheduler.active_process)
        {
            self.config.depth_reserve
        } else {
            0
        };
        self.depth_limit = self.config.max_depth + reserve;
    }

    /// Acts if the running process has used up its stack, and forgets that it had once it is back.
    pub(super) fn check_depth(&mut self) {
        let process = self.scheduler.active_process;
        let Some(depth) = self
            .heap
            .frame(self.scheduler.active_context)
            .map(|frame| frame.depth)
        else {
            return;
        };
        let known = self.scheduler.overflowed.contains(&process);
        if depth > self.depth_limit {
            if known {
                return self.fail_active(
                    "The stack overflowed again while its overflow was being handled.",
                );
            }
            self.scheduler.overflowed.push(process);
            self.update_depth_limit();
            self.call_method(process, selector::SIGNAL_STACK_OVERFLOW, &[], true);
        } else if known && depth < self.config.max_depth / 2 {
            self.scheduler.overflowed.retain(|other| *other != process);
            self.update_depth_limit();
        }
    }

    /// Acts if a collection left more than the limit allows.
    pub(super) fn check_memory(&mut self) {
        let used = self.heap.used();
        if used <= self.config.memory_limit || self.scheduler.active_process.is_nil() {
            return;
        }
        if used > self.config.memory_limit + self.config.memory_reserve {
            return self.fail_active(
                "The memory limit was exceeded again while its error was being handled.",
            );
        }
        let process = self.scheduler.active_process;
        self.call_method(process, selector::SIGNAL_OUT_OF_MEMORY, &[], true);
    }

    // ---- closures

    /// A context that runs a block without arguments at the bottom of a new stack.
    pub(super) fn bottom_activation(&mut self, closure: Oop) -> Option<Oop> {
        if self.heap.class_of(closure) != class::FULL_BLOCK_CLOSURE {
            return None;
        }
        let method = self.heap.slot(closure, slot::BLOCK_CODE);
        let code = self.heap.code(method)?.clone();
        let copied: Vec<Oop> = self.heap.slots(closure).get(slot::BLOCK_COPIED..)?.to_vec();
        let temps = code.temps;
        if code.args != 0 || copied.len() > usize::from(temps) {
            return None;
        }
        let slots = Frame::rounded_slots(code.frame_slots);
        let receiver = self.heap.slot(closure, slot::BLOCK_RECEIVER);
        let (context, mut frame) = self.heap.new_context(code, slots);
        frame.receiver = receiver;
        frame.method = method;
        frame.closure = closure;
        frame.sp = u32::from(temps);
        frame.slots[..copied.len()].copy_from_slice(&copied);
        self.heap.put_frame(context, frame);
        Some(context)
    }

    /// A new process, suspended at the beginning of `context`. It belongs to whom the running one
    /// belongs to.
    pub(super) fn new_process(&mut self, context: Oop, priority: usize, owner: Oop) -> Oop {
        let size = self
            .heap
            .slot(class::PROCESS, slot::BEHAVIOR_SIZE)
            .as_size()
            .unwrap_or(slot::PROCESS_OWNER + 1);
        let process = self.heap.allocate(
            class::PROCESS,
            Body::Slots(vec![Oop::NIL; size].into_boxed_slice()),
        );
        self.escape(context);
        self.heap.set_slot(process, slot::PROCESS_CONTEXT, context);
        self.heap
            .set_slot(process, slot::PROCESS_PRIORITY, Oop::index(priority));
        self.heap.set_slot(process, slot::PROCESS_OWNER, owner);
        self.set_process_state(process, state::SUSPENDED);
        process
    }
}

/// Whether leaving this frame has to run a block first.
fn is_pending_unwind(frame: &Frame) -> bool {
    frame.code.marker == Marker::Unwind && frame.slots.get(1).is_some_and(|done| done.is_nil())
}

//! What the interpreter needs to activate methods and blocks: frames, checks of arguments.

use std::rc::Rc;

use super::Vm;
use super::code::Code;
use super::frame::Frame;
use super::known::{class, slot};
use super::oop::Oop;
use super::primitives::Failure;

impl Vm {
    /// A context with a frame for this code: a used one, or a new one. Slots hold garbage; the
    /// caller fills in receiver, method, closure, sender and depth.
    #[inline]
    pub(super) fn new_frame(&mut self, code: &Rc<Code>) -> (Oop, Box<Frame>) {
        let wanted = Frame::rounded_slots(code.frame_slots);
        if wanted == Frame::rounded_slots(0)
            && let Some((context, mut frame)) = self.frame_pool.pop()
        {
            frame.code = Rc::clone(code);
            frame.closure = Oop::NIL;
            frame.discard_result = false;
            frame.watched = false;
            return (context, frame);
        }
        self.heap.new_context(Rc::clone(code), wanted)
    }

    /// Code of a block that takes this many arguments.
    #[inline]
    pub(super) fn block_code(&self, closure: Oop, args: usize) -> Option<(Oop, Rc<Code>)> {
        if self.heap.class_of(closure) != class::FULL_BLOCK_CLOSURE {
            return None;
        }
        let method = self.heap.slot(closure, slot::BLOCK_CODE);
        let code = self.heap.code(method)?;
        // reflection may have given the closure other code than it was made with
        let copied = self
            .heap
            .slots(closure)
            .len()
            .checked_sub(slot::BLOCK_COPIED)?;
        let fits = args + copied <= usize::from(code.temps);
        (code.is_block && usize::from(code.args) == args && fits).then(|| (method, Rc::clone(code)))
    }

    /// Whether a selector can be performed with this many arguments. An unknown selector can: it is
    /// not understood then.
    pub(super) fn accepts(
        &mut self,
        class: Oop,
        selector: Oop,
        args: usize,
    ) -> Result<(), Failure> {
        let selector_class = self.heap.class_of(selector);
        if selector_class != class::BYTE_SYMBOL && selector_class != class::WIDE_SYMBOL {
            return Err(Failure::BadArgument);
        }
        if args > usize::from(u8::MAX) {
            return Err(Failure::BadSize);
        }
        match self.cache.lookup(&self.heap, class, selector) {
            Some(found) if usize::from(found.code.args) != args => Err(Failure::BadSize),
            _ => Ok(()),
        }
    }

    /// Writes the elements of an array onto the operand stack from `sp` on; answers its new end.
    pub(super) fn spread(&self, frame: &mut Frame, sp: usize, array: Oop) -> usize {
        let elements = self.heap.slots(array);
        frame.sp = sp as u32;
        // one more, in case the message is not understood
        frame.reserve(elements.len() + 1);
        frame.slots[sp..sp + elements.len()].copy_from_slice(elements);
        sp + elements.len()
    }
}

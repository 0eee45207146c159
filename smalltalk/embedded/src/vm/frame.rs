//! Frames: the state of one activation of a method or block.
//!
//! A frame is the body of a `Context` object. While its process runs, the frame of the active
//! context is held by the interpreter and its object has no body; see `interpreter.rs`.

use std::rc::Rc;

use super::code::Code;
use super::oop::Oop;

/// Program counter of a frame that has returned or was cut off the stack.
pub(super) const DEAD: u32 = u32::MAX;

/// Slots of an ordinary frame; more than nine in ten methods need no more.
const SMALL_FRAME: u32 = 24;

/// State of one activation.
#[derive(Debug)]
pub struct Frame {
    /// Code that runs.
    pub code: Rc<Code>,
    /// Context that is answered to, or `nil` at the bottom of a process.
    pub sender: Oop,
    /// `self`.
    pub receiver: Oop,
    /// The `CompiledMethod` or `CompiledBlock` of `code`.
    pub method: Oop,
    /// The block that was activated, `nil` for a method.
    pub closure: Oop,
    /// Next instruction, or [`DEAD`].
    pub pc: u32,
    /// Slots in use: the operand stack ends here. Slots above hold garbage.
    pub sp: u32,
    /// Number of frames below this one.
    pub depth: u32,
    /// Whether something besides the stack may refer to the context, so that its object must not
    /// be reused when the activation ends.
    pub escaped: bool,
    /// Whether the value of this activation is dropped, as for one the machine slipped in.
    pub discard_result: bool,
    /// Whether the machine is to stop when this frame goes on: a debugger waits for it.
    pub watched: bool,
    /// Arguments, temporaries, operand stack.
    pub slots: Box<[Oop]>,
}

impl Frame {
    /// Whether the activation is over.
    pub fn is_dead(&self) -> bool {
        self.pc == DEAD
    }

    /// Pushes onto the operand stack. The compiler computed the room.
    #[inline]
    pub fn push(&mut self, value: Oop) {
        self.slots[self.sp as usize] = value;
        self.sp += 1;
    }

    /// Pops the operand stack.
    #[inline]
    pub fn pop(&mut self) -> Oop {
        self.sp -= 1;
        self.slots[self.sp as usize]
    }

    /// Values in use, for the collector and for debuggers.
    pub fn live_slots(&self) -> &[Oop] {
        &self.slots[..(self.sp as usize).min(self.slots.len())]
    }

    /// Slots to allocate for code that needs `wanted`: few distinct sizes, so that frames can be reused.
    pub fn rounded_slots(wanted: u32) -> usize {
        match wanted {
            0..=SMALL_FRAME => SMALL_FRAME as usize,
            _ => wanted as usize,
        }
    }

    /// Whether the frame is of the one size that is kept for reuse.
    pub fn is_reusable(&self) -> bool {
        self.slots.len() == SMALL_FRAME as usize
    }

    /// Makes room for `extra` more values on the operand stack than the compiler computed.
    pub fn reserve(&mut self, extra: usize) {
        let wanted = self.sp as usize + extra;
        if wanted > self.slots.len() {
            let mut slots = std::mem::take(&mut self.slots).into_vec();
            slots.resize(wanted + 4, Oop::NIL);
            self.slots = slots.into_boxed_slice();
        }
    }
}

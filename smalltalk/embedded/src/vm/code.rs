//! Compiled code: the instruction set and what a method or block carries besides.
//!
//! The machine is a stack machine. A frame's slots hold arguments, then temporaries (with the
//! values a block copied from its surroundings), then the operand stack.

use std::rc::Rc;

use super::oop::Oop;
use super::primitives::Primitive;
use crate::syntax::ast::Span;

/// One instruction; jump targets and literal numbers are absolute indexes.
///
/// "Push" copies to the top of the operand stack, "Store" leaves the value there, "Pop" removes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Argument, temporary or copied value.
    PushTemp(u16),
    /// Variable in the cell that a slot holds.
    PushCell(u16),
    /// `self`.
    PushSelf,
    /// Instance variable of the receiver.
    PushField(u16),
    /// Literal of the code.
    PushLiteral(u32),
    /// Value of a binding (global, class variable, session variable) among the literals.
    PushVariable(u32),
    /// A small integer that fits the instruction.
    PushInteger(i32),
    /// `nil`.
    PushNil,
    /// `true`.
    PushTrue,
    /// `false`.
    PushFalse,
    /// `thisContext`.
    PushContext,
    /// Assigns without popping.
    StoreTemp(u16),
    /// Assigns without popping.
    StoreCell(u16),
    /// Assigns without popping.
    StoreField(u16),
    /// Assigns without popping.
    StoreVariable(u32),
    /// Assigns and pops.
    PopTemp(u16),
    /// Assigns and pops.
    PopCell(u16),
    /// Assigns and pops.
    PopField(u16),
    /// Assigns and pops.
    PopVariable(u32),
    /// Drops the top.
    Pop,
    /// Duplicates the top.
    Dup,
    /// Puts a fresh cell, an array of one element, into a slot: home of a variable shared with blocks.
    NewCell(u16),
    /// Pops this many elements and pushes an array of them.
    NewArray(u32),
    /// Pops the copied values and pushes a closure over them.
    PushBlock {
        /// Literal with the block's code.
        code: u32,
        /// Number of copied values.
        copied: u16,
    },
    /// Sends the selector among the literals.
    Send {
        /// Literal with the selector.
        selector: u32,
        /// Number of arguments.
        args: u8,
    },
    /// Sends, looking up from the superclass of the code's own class.
    SuperSend {
        /// Literal with the selector.
        selector: u32,
        /// Number of arguments.
        args: u8,
    },
    /// Sends a selector that has a fast path.
    SendSpecial(Special),
    /// A breakpoint: stops processes that heed them. Only ever the first instruction.
    Break,
    /// Continues at another instruction; backwards it is a point where others may run.
    Jump(u32),
    /// Pops; jumps if `true`; anything but a Boolean is sent `mustBeBoolean` and tested again.
    JumpIfTrue(u32),
    /// Pops; jumps if `false`.
    JumpIfFalse(u32),
    /// Pops; jumps if `nil`.
    JumpIfNil(u32),
    /// Pops; jumps if not `nil`.
    JumpIfNotNil(u32),
    /// Answers the top to the sender of a method.
    Return,
    /// Answers `self` to the sender of a method.
    ReturnSelf,
    /// Ends a block with the top as its value.
    ReturnFromBlock,
    /// `^` inside a block: ends the method that the block was written in.
    ReturnFromHome,
}

/// Selectors whose common cases need no lookup.
#[allow(missing_docs)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Special {
    Add,
    Subtract,
    Multiply,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
    Equal,
    NotEqual,
    Quotient,
    Modulo,
    BitAnd,
    BitOr,
    BitShift,
    Identical,
    NotIdentical,
    At,
    AtPut,
    Size,
    Value,
    Value1,
    Value2,
    IsNil,
    NotNil,
    Not,
}

impl Special {
    /// All, in order of discriminant.
    pub const ALL: [Special; 25] = [
        Special::Add,
        Special::Subtract,
        Special::Multiply,
        Special::Less,
        Special::Greater,
        Special::LessOrEqual,
        Special::GreaterOrEqual,
        Special::Equal,
        Special::NotEqual,
        Special::Quotient,
        Special::Modulo,
        Special::BitAnd,
        Special::BitOr,
        Special::BitShift,
        Special::Identical,
        Special::NotIdentical,
        Special::At,
        Special::AtPut,
        Special::Size,
        Special::Value,
        Special::Value1,
        Special::Value2,
        Special::IsNil,
        Special::NotNil,
        Special::Not,
    ];

    /// The selector and its number of arguments.
    pub fn selector(self) -> (Oop, u8) {
        use super::known::selector as s;
        match self {
            Special::Add => (s::ADD, 1),
            Special::Subtract => (s::SUBTRACT, 1),
            Special::Multiply => (s::MULTIPLY, 1),
            Special::Less => (s::LESS, 1),
            Special::Greater => (s::GREATER, 1),
            Special::LessOrEqual => (s::LESS_OR_EQUAL, 1),
            Special::GreaterOrEqual => (s::GREATER_OR_EQUAL, 1),
            Special::Equal => (s::EQUAL, 1),
            Special::NotEqual => (s::NOT_EQUAL, 1),
            Special::Quotient => (s::QUOTIENT, 1),
            Special::Modulo => (s::MODULO, 1),
            Special::BitAnd => (s::BIT_AND, 1),
            Special::BitOr => (s::BIT_OR, 1),
            Special::BitShift => (s::BIT_SHIFT, 1),
            Special::Identical => (s::IDENTICAL, 1),
            Special::NotIdentical => (s::NOT_IDENTICAL, 1),
            Special::At => (s::AT, 1),
            Special::AtPut => (s::AT_PUT, 2),
            Special::Size => (s::SIZE, 0),
            Special::Value => (s::VALUE, 0),
            Special::Value1 => (s::VALUE_1, 1),
            Special::Value2 => (s::VALUE_2, 2),
            Special::IsNil => (s::IS_NIL, 0),
            Special::NotNil => (s::NOT_NIL, 0),
            Special::Not => (s::NOT, 0),
        }
    }

    /// The special send for a selector symbol, if it has one.
    pub fn of(selector: Oop) -> Option<Special> {
        Special::ALL
            .into_iter()
            .find(|special| special.selector().0 == selector)
    }
}

/// What role the frames of a piece of code play when the stack is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    /// None.
    Plain,
    /// `on:do:`: a frame that may handle exceptions. Arguments: exception class, handler block.
    Handler,
    /// The frame of an exception that runs its handler: a search that reaches it goes on below the
    /// handler's own frame, so that a handler never handles what it raises itself.
    HandlerActive,
    /// `ensure:` and `ifCurtailed:`. Slot 0: the block to run; slot 1: not nil once it has been.
    Unwind,
}

/// Where a named variable lives while code runs, for debuggers and `thisContext`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Name in the source.
    pub name: Rc<str>,
    /// Slot of the frame that holds the value, or its cell.
    pub slot: u16,
    /// Whether the slot holds a cell.
    pub in_cell: bool,
}

/// Code of one method or block, immutable once compiled and shared by all its activations.
#[derive(Debug)]
pub struct Code {
    /// Instructions.
    pub ops: Box<[Op]>,
    /// Selectors, bindings, constants and the code of nested blocks.
    pub literals: Box<[Oop]>,
    /// For each instruction the expression that it belongs to.
    pub ranges: Box<[Span]>,
    /// Named variables.
    pub variables: Box<[Variable]>,
    /// Arguments.
    pub args: u8,
    /// Arguments, temporaries and copied values together.
    pub temps: u16,
    /// Slots that a frame needs, operand stack included.
    pub frame_slots: u32,
    /// What runs instead of the instructions unless it fails.
    pub primitive: Option<Primitive>,
    /// Temporary that receives the reason when the primitive fails.
    pub error_slot: Option<u16>,
    /// Role when the stack is searched.
    pub marker: Marker,
    /// Whether this is a block's code.
    pub is_block: bool,
    /// Selector of the method (for a block: of the method around it).
    pub selector: Oop,
    /// Class the code was compiled for; `super` begins above it.
    pub owner: Oop,
    /// Source text of the whole method.
    pub source: Rc<str>,
    /// The part of `source` that this code is.
    pub range: Span,
}

const _: () = assert!(size_of::<Op>() == 8);

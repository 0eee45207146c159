//! The heap: an object table with typed bodies, in safe Rust.
//!
//! An object is an index into the table; its body says what it holds. Objects never move, so an
//! [`Oop`] is valid as long as the object lives, and `become:` is a swap of two entries.
//! Allocation never collects: the machine collects between instructions only (`collect.rs`), so
//! Rust code may hold oops freely until it returns to the interpreter.

use std::collections::BTreeMap;
use std::rc::Rc;

use num_bigint::BigInt;

use super::code::Code;
use super::frame::Frame;
use super::known::class;
use super::oop::Oop;

/// What an object holds.
#[derive(Debug)]
pub enum Body {
    /// An unused table entry; the next unused one.
    Free(Option<u32>),
    /// Instance variables, then indexed elements.
    Slots(Box<[Oop]>),
    /// Bytes: byte arrays, and strings and symbols of characters up to 255.
    Bytes(Box<[u8]>),
    /// Code points: strings and symbols with other characters.
    Wide(Box<[u32]>),
    /// A float outside the immediate range.
    Float(f64),
    /// An integer outside the immediate range.
    Integer(Box<BigInt>),
    /// An activation.
    Frame(Box<Frame>),
    /// The activation that runs now; the interpreter holds its frame.
    ActiveFrame,
    /// A compiled method or block.
    Method(Box<Method>),
    /// Values by symbol: the methods of a class, the bindings of a scope.
    Map(Box<BTreeMap<Oop, Oop>>),
}

/// Body of a compiled method or block.
#[derive(Debug)]
pub struct Method {
    /// What runs.
    pub code: Rc<Code>,
    /// Protocol (category) symbol.
    pub protocol: Oop,
    /// Package of an extension method, else `nil`.
    pub package: Oop,
}

#[derive(Debug)]
struct Object {
    class: u32,
    marked: bool,
    /// Whether the object refuses changes of its elements, as literals do.
    read_only: bool,
    body: Body,
}

/// All objects of one virtual machine.
#[derive(Debug)]
pub struct Heap {
    objects: Vec<Object>,
    free: Option<u32>,
    /// Bytes held by live objects and by garbage not yet collected.
    used: usize,
    /// Collect when `used` exceeds this.
    pub(super) threshold: usize,
}

/// Bytes of one table entry.
const ENTRY: usize = size_of::<Object>();

impl Heap {
    /// A heap whose first `reserved` objects exist, each without slots and of class `nil`.
    pub fn new(reserved: u32) -> Heap {
        let objects = (0..reserved)
            .map(|_| Object {
                class: 0,
                marked: false,
                read_only: false,
                body: Body::Slots(Box::default()),
            })
            .collect();
        Heap {
            objects,
            free: None,
            used: reserved as usize * ENTRY,
            threshold: usize::MAX,
        }
    }

    // ---- allocation

    /// A new object. Never fails and never collects; ask [`Heap::used`] before something large.
    pub fn allocate(&mut self, class: Oop, body: Body) -> Oop {
        self.used += ENTRY + body_size(&body);
        let object = Object {
            class: class.as_index().unwrap_or(0),
            marked: false,
            read_only: false,
            body,
        };
        if let Some(index) = self.free {
            let entry = &mut self.objects[index as usize];
            if let Body::Free(next) = entry.body {
                self.free = next;
            } else {
                self.free = None;
            }
            *entry = object;
            return Oop::object(index);
        }
        self.objects.push(object);
        Oop::object(self.objects.len() as u32 - 1)
    }

    /// An object with `size` slots, all `nil`.
    pub fn allocate_slots(&mut self, class: Oop, size: usize) -> Oop {
        self.allocate(class, Body::Slots(vec![Oop::NIL; size].into_boxed_slice()))
    }

    /// An `Array` of these elements.
    pub fn array(&mut self, elements: &[Oop]) -> Oop {
        self.allocate(class::ARRAY, Body::Slots(elements.into()))
    }

    /// A `ByteString`, or a `WideString` if a character is above 255.
    pub fn string(&mut self, text: &str) -> Oop {
        if text.is_ascii() {
            return self.allocate(class::BYTE_STRING, Body::Bytes(text.as_bytes().into()));
        }
        match latin1(text) {
            Some(bytes) => self.allocate(class::BYTE_STRING, Body::Bytes(bytes)),
            None => self.allocate(
                class::WIDE_STRING,
                Body::Wide(text.chars().map(u32::from).collect()),
            ),
        }
    }

    /// The float, immediate where it can be.
    pub fn float(&mut self, value: f64) -> Oop {
        Oop::small_float(value)
            .unwrap_or_else(|| self.allocate(class::BOXED_FLOAT, Body::Float(value)))
    }

    /// The integer, immediate where it can be.
    pub fn integer(&mut self, value: BigInt) -> Oop {
        if let Some(small) = i64::try_from(&value).ok().and_then(Oop::small_integer) {
            return small;
        }
        let class = if value.sign() == num_bigint::Sign::Minus {
            class::LARGE_NEGATIVE_INTEGER
        } else {
            class::LARGE_POSITIVE_INTEGER
        };
        self.allocate(class, Body::Integer(Box::new(value)))
    }

    /// The integer of a machine word.
    #[inline]
    pub fn integer_i64(&mut self, value: i64) -> Oop {
        Oop::small_integer(value).unwrap_or_else(|| self.integer(BigInt::from(value)))
    }

    // ---- reading

    /// The class of any value.
    #[inline]
    pub fn class_of(&self, oop: Oop) -> Oop {
        if let Some(index) = oop.as_index() {
            Oop::object(self.objects[index as usize].class)
        } else if oop.as_small_integer().is_some() {
            class::SMALL_INTEGER
        } else if oop.as_small_float().is_some() {
            class::SMALL_FLOAT
        } else {
            class::CHARACTER
        }
    }

    /// The body of an object; `None` for an immediate.
    #[inline]
    pub fn body(&self, oop: Oop) -> Option<&Body> {
        oop.as_index()
            .map(|index| &self.objects[index as usize].body)
    }

    /// The body of an object, to change. Elements may change, sizes only through [`Heap::replace_body`].
    #[inline]
    pub fn body_mut(&mut self, oop: Oop) -> Option<&mut Body> {
        oop.as_index()
            .map(|index| &mut self.objects[index as usize].body)
    }

    /// Slots of an object: named ones first, then indexed ones. Empty if it holds none.
    #[inline]
    pub fn slots(&self, oop: Oop) -> &[Oop] {
        match self.body(oop) {
            Some(Body::Slots(slots)) => slots,
            _ => &[],
        }
    }

    /// Slots of an object, to change.
    #[inline]
    pub fn slots_mut(&mut self, oop: Oop) -> &mut [Oop] {
        match self.body_mut(oop) {
            Some(Body::Slots(slots)) => slots,
            _ => &mut [],
        }
    }

    /// One slot, or `nil` where there is none.
    #[inline]
    pub fn slot(&self, oop: Oop, index: usize) -> Oop {
        self.slots(oop).get(index).copied().unwrap_or(Oop::NIL)
    }

    /// Sets one slot; does nothing where there is none.
    #[inline]
    pub fn set_slot(&mut self, oop: Oop, index: usize, value: Oop) {
        if let Some(slot) = self.slots_mut(oop).get_mut(index) {
            *slot = value;
        }
    }

    /// Bytes of a byte object: a byte array, or a string or symbol of characters up to 255.
    pub fn bytes(&self, oop: Oop) -> Option<&[u8]> {
        match self.body(oop) {
            Some(Body::Bytes(bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// Value of a float, immediate or boxed.
    pub fn float_value(&self, oop: Oop) -> Option<f64> {
        match self.body(oop) {
            Some(Body::Float(value)) => Some(*value),
            Some(_) => None,
            None => oop.as_small_float(),
        }
    }

    /// Value of an integer, small or large.
    pub fn integer_value(&self, oop: Oop) -> Option<BigInt> {
        match self.body(oop) {
            Some(Body::Integer(value)) => Some((**value).clone()),
            Some(_) => None,
            None => oop.as_small_integer().map(BigInt::from),
        }
    }

    /// Text of a string or symbol of either width.
    pub fn text(&self, oop: Oop) -> Option<String> {
        let class = self.class_of(oop);
        match self.body(oop)? {
            Body::Bytes(bytes) if class != class::BYTE_ARRAY => {
                Some(bytes.iter().copied().map(char::from).collect())
            }
            Body::Wide(points) => Some(
                points
                    .iter()
                    .map(|point| char::from_u32(*point).unwrap_or(char::REPLACEMENT_CHARACTER))
                    .collect(),
            ),
            _ => None,
        }
    }

    /// Code of a compiled method or block.
    #[inline]
    pub fn code(&self, oop: Oop) -> Option<&Rc<Code>> {
        match self.body(oop) {
            Some(Body::Method(method)) => Some(&method.code),
            _ => None,
        }
    }

    /// Frame of a context other than the active one.
    #[inline]
    pub fn frame(&self, oop: Oop) -> Option<&Frame> {
        match self.body(oop) {
            Some(Body::Frame(frame)) => Some(frame),
            _ => None,
        }
    }

    /// Frame of a context other than the active one, to change.
    #[inline]
    pub fn frame_mut(&mut self, oop: Oop) -> Option<&mut Frame> {
        match self.body_mut(oop) {
            Some(Body::Frame(frame)) => Some(frame),
            _ => None,
        }
    }

    /// Entries of a map from symbols, such as a method dictionary.
    pub fn map(&self, oop: Oop) -> Option<&BTreeMap<Oop, Oop>> {
        match self.body(oop) {
            Some(Body::Map(map)) => Some(map),
            _ => None,
        }
    }

    /// Entries of a map from symbols, to change.
    pub fn map_mut(&mut self, oop: Oop) -> Option<&mut BTreeMap<Oop, Oop>> {
        match self.body_mut(oop) {
            Some(Body::Map(map)) => Some(map),
            _ => None,
        }
    }

    // ---- changing what an object is

    /// Gives an object another body, of another size if need be.
    pub fn replace_body(&mut self, oop: Oop, body: Body) -> Option<Body> {
        let index = oop.as_index()?;
        let entry = &mut self.objects[index as usize];
        self.used += body_size(&body);
        let old = std::mem::replace(&mut entry.body, body);
        self.used = self.used.saturating_sub(body_size(&old));
        Some(old)
    }

    /// Gives an object another class. The caller keeps body and format of the class in agreement.
    pub fn set_class(&mut self, oop: Oop, class: Oop) {
        if let (Some(index), Some(class)) = (oop.as_index(), class.as_index()) {
            self.objects[index as usize].class = class;
        }
    }

    /// Whether an object refuses changes of its elements.
    #[inline]
    pub fn is_read_only(&self, oop: Oop) -> bool {
        oop.as_index()
            .is_some_and(|index| self.objects[index as usize].read_only)
    }

    /// Makes an object refuse or allow changes of its elements. Assignments to instance variables
    /// by the object's own methods are not checked.
    pub fn set_read_only(&mut self, oop: Oop, read_only: bool) {
        if let Some(index) = oop.as_index() {
            self.objects[index as usize].read_only = read_only;
        }
    }

    /// Exchanges two objects: every reference to one is a reference to the other afterwards.
    /// Answers false for immediates, which have no identity to exchange.
    pub fn exchange(&mut self, one: Oop, other: Oop) -> bool {
        let (Some(one), Some(other)) = (one.as_index(), other.as_index()) else {
            return false;
        };
        self.objects.swap(one as usize, other as usize);
        true
    }

    // ---- the frame of the active context

    /// A context for new activations of this code, and its frame, which the caller completes.
    pub(super) fn new_context(&mut self, code: Rc<Code>, slots: usize) -> (Oop, Box<Frame>) {
        self.used += size_of::<Frame>() + slots * size_of::<Oop>();
        let context = self.allocate(class::CONTEXT, Body::ActiveFrame);
        let frame = Frame {
            code,
            sender: Oop::NIL,
            receiver: Oop::NIL,
            method: Oop::NIL,
            closure: Oop::NIL,
            pc: 0,
            sp: 0,
            depth: 0,
            escaped: false,
            discard_result: false,
            watched: false,
            slots: vec![Oop::NIL; slots].into_boxed_slice(),
        };
        (context, Box::new(frame))
    }

    /// Takes the frame of a context that is about to run.
    #[inline]
    pub(super) fn take_frame(&mut self, context: Oop) -> Option<Box<Frame>> {
        let body = self.body_mut(context)?;
        match std::mem::replace(body, Body::ActiveFrame) {
            Body::Frame(frame) => Some(frame),
            other => {
                *body = other;
                None
            }
        }
    }

    /// Puts back the frame of a context that stops running.
    #[inline]
    pub(super) fn put_frame(&mut self, context: Oop, frame: Box<Frame>) {
        if let Some(body) = self.body_mut(context) {
            *body = Body::Frame(frame);
        }
    }

    // ---- size

    /// Bytes held by live objects and by garbage not yet collected.
    pub fn used(&self) -> usize {
        self.used
    }

    /// Number of table entries, unused ones included.
    pub fn table_size(&self) -> u32 {
        self.objects.len() as u32
    }

    /// Every object that is neither unused nor garbage known to be so, in order of index.
    pub fn all_objects(&self) -> impl Iterator<Item = Oop> + '_ {
        self.objects
            .iter()
            .enumerate()
            .filter(|(_, object)| !matches!(object.body, Body::Free(_)))
            .map(|(index, _)| Oop::object(index as u32))
    }

    // ---- for the collector

    /// Marks an object; true if it was not marked before.
    #[inline]
    pub(super) fn mark(&mut self, index: u32) -> bool {
        !std::mem::replace(&mut self.objects[index as usize].marked, true)
    }

    /// Whether an object was reached in this collection. Immediates always are.
    pub(super) fn is_marked(&self, oop: Oop) -> bool {
        oop.as_index()
            .is_none_or(|index| self.objects[index as usize].marked)
    }

    /// Class and body of an entry.
    #[inline]
    pub(super) fn entry(&self, index: u32) -> (u32, &Body) {
        let object = &self.objects[index as usize];
        (object.class, &object.body)
    }

    /// Frees everything unmarked, takes the marks away and measures what is left.
    pub(super) fn sweep(&mut self) {
        self.free = None;
        self.used = 0;
        for index in (0..self.objects.len()).rev() {
            let object = &mut self.objects[index];
            if std::mem::replace(&mut object.marked, false) {
                self.used += ENTRY + body_size(&object.body);
            } else {
                object.body = Body::Free(self.free);
                object.class = 0;
                self.free = Some(index as u32);
            }
        }
    }
}

/// Characters as bytes if all are below 256.
fn latin1(text: &str) -> Option<Box<[u8]>> {
    text.chars()
        .map(|c| u8::try_from(u32::from(c)).ok())
        .collect()
}

/// Bytes a body holds outside its table entry.
fn body_size(body: &Body) -> usize {
    match body {
        Body::Free(_) | Body::Float(_) | Body::ActiveFrame => 0,
        Body::Slots(slots) => size_of_val::<[Oop]>(slots),
        Body::Bytes(bytes) => bytes.len(),
        Body::Wide(points) => size_of_val::<[u32]>(points),
        Body::Integer(value) => size_of::<BigInt>() + (value.bits() / 8) as usize,
        Body::Frame(frame) => size_of::<Frame>() + size_of_val::<[Oop]>(&frame.slots),
        Body::Method(method) => {
            let code = &method.code;
            size_of::<Method>() + code.ops.len() * 16 + size_of_val::<[Oop]>(&code.literals)
        }
        Body::Map(map) => map.len() * 24,
    }
}

//! Characters, strings and symbols.
//!
//! A string holds bytes (characters up to 255) or code points; which of both makes no difference to
//! what these primitives answer. Case is mapped character by character: what would become several
//! characters stays as it is, so that a string keeps its size.

use std::hash::Hasher;

use super::{Failure, Primitive, argument, integer_argument};
use crate::vm::Vm;
use crate::vm::heap::{Body, Heap};
use crate::vm::known::{class, slot};
use crate::vm::oop::Oop;

pub(super) const PRIMITIVES: &[(&str, Primitive)] = &[
    ("characterFromValue", Primitive::Plain(character_from_value)),
    ("characterValue", Primitive::Plain(character_value)),
    (
        "characterAsUppercase",
        Primitive::Plain(|_, receiver, _| {
            Ok(Oop::character(uppercase(receiver_character(receiver)?)))
        }),
    ),
    (
        "characterAsLowercase",
        Primitive::Plain(|_, receiver, _| {
            Ok(Oop::character(lowercase(receiver_character(receiver)?)))
        }),
    ),
    (
        "characterIsLetter",
        Primitive::Plain(|_, receiver, _| character_test(receiver, char::is_alphabetic)),
    ),
    (
        "characterIsUppercase",
        Primitive::Plain(|_, receiver, _| character_test(receiver, char::is_uppercase)),
    ),
    (
        "characterIsLowercase",
        Primitive::Plain(|_, receiver, _| character_test(receiver, char::is_lowercase)),
    ),
    ("stringEqual", Primitive::Plain(string_equal)),
    ("stringCompare", Primitive::Plain(string_compare)),
    ("stringHash", Primitive::Plain(string_hash)),
    ("stringIndexOf", Primitive::Plain(string_index_of)),
    ("stringFind", Primitive::Plain(string_find)),
    ("stringConcat", Primitive::Plain(string_concat)),
    (
        "stringAsUppercase",
        Primitive::Plain(|vm, receiver, _| map_characters(vm, receiver, uppercase)),
    ),
    (
        "stringAsLowercase",
        Primitive::Plain(|vm, receiver, _| map_characters(vm, receiver, lowercase)),
    ),
    ("stringAsSymbol", Primitive::Plain(string_as_symbol)),
    ("stringAsBytes", Primitive::Plain(string_as_bytes)),
    ("utf8Encode", Primitive::Plain(utf8_encode)),
    ("utf8Decode", Primitive::Plain(utf8_decode)),
];

/// The elements of a string, or of a byte array.
#[derive(Clone, Copy)]
pub(super) enum Elements<'a> {
    /// Characters up to 255, or bytes.
    Bytes(&'a [u8]),
    /// Code points.
    Points(&'a [u32]),
}

impl<'a> Elements<'a> {
    /// Those of an object that has any.
    pub(super) fn of(heap: &'a Heap, oop: Oop) -> Option<Elements<'a>> {
        match heap.body(oop)? {
            Body::Bytes(bytes) => Some(Elements::Bytes(bytes)),
            Body::Wide(points) => Some(Elements::Points(points)),
            _ => None,
        }
    }

    pub(super) fn len(self) -> usize {
        match self {
            Elements::Bytes(bytes) => bytes.len(),
            Elements::Points(points) => points.len(),
        }
    }

    pub(super) fn get(self, index: usize) -> Option<u32> {
        match self {
            Elements::Bytes(bytes) => bytes.get(index).copied().map(u32::from),
            Elements::Points(points) => points.get(index).copied(),
        }
    }

    pub(super) fn iter(self) -> impl Iterator<Item = u32> + 'a {
        (0..self.len()).filter_map(move |index| self.get(index))
    }
}

/// Whether instances of this class are strings or symbols.
pub(super) fn is_string_class(heap: &Heap, class: Oop) -> bool {
    let mut above = class;
    while !above.is_nil() {
        if above == class::STRING {
            return true;
        }
        above = heap.slot(above, slot::BEHAVIOR_SUPERCLASS);
    }
    false
}

/// The characters of a string or symbol.
fn string(heap: &Heap, oop: Oop) -> Option<Elements<'_>> {
    let elements = Elements::of(heap, oop)?;
    is_string_class(heap, heap.class_of(oop)).then_some(elements)
}

fn receiver_string(heap: &Heap, receiver: Oop) -> Result<Elements<'_>, Failure> {
    string(heap, receiver).ok_or(Failure::BadReceiver)
}

fn string_argument<'a>(
    heap: &'a Heap,
    args: &[Oop],
    index: usize,
) -> Result<Elements<'a>, Failure> {
    string(heap, argument(args, index)?).ok_or(Failure::BadArgument)
}

/// A new string of these characters, narrow if it can be.
fn new_string(heap: &mut Heap, points: Vec<u32>) -> Oop {
    match points
        .iter()
        .map(|point| u8::try_from(*point))
        .collect::<Result<Box<[u8]>, _>>()
    {
        Ok(bytes) => heap.allocate(class::BYTE_STRING, Body::Bytes(bytes)),
        Err(_) => heap.allocate(class::WIDE_STRING, Body::Wide(points.into())),
    }
}

// ---- characters

fn receiver_character(receiver: Oop) -> Result<char, Failure> {
    receiver.as_character().ok_or(Failure::BadReceiver)
}

fn character_from_value(_: &mut Vm, _: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    let code = u32::try_from(integer_argument(args, 0)?).map_err(|_| Failure::BadArgument)?;
    char::from_u32(code)
        .map(Oop::character)
        .ok_or(Failure::BadArgument)
}

fn character_value(_: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    Ok(Oop::index(receiver_character(receiver)? as usize))
}

fn character_test(receiver: Oop, test: fn(char) -> bool) -> Result<Oop, Failure> {
    Ok(Oop::boolean(test(receiver_character(receiver)?)))
}

fn uppercase(character: char) -> char {
    single(character, character.to_uppercase())
}

fn lowercase(character: char) -> char {
    single(character, character.to_lowercase())
}

/// What a character is mapped to, or itself where that is not one character.
fn single(character: char, mut mapped: impl ExactSizeIterator<Item = char>) -> char {
    if mapped.len() == 1 {
        mapped.next().unwrap_or(character)
    } else {
        character
    }
}

// ---- strings

/// Whether the argument is a string of the same characters, for byte arrays one of the same bytes.
fn string_equal(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    let other = argument(args, 0)?;
    if receiver == other {
        return Ok(Oop::TRUE);
    }
    let heap = &vm.heap;
    let Some(elements) = Elements::of(heap, other) else {
        return Ok(Oop::FALSE);
    };
    let own = Elements::of(heap, receiver).ok_or(Failure::BadReceiver)?;
    if is_string_class(heap, heap.class_of(receiver)) != is_string_class(heap, heap.class_of(other))
    {
        return Ok(Oop::FALSE);
    }
    Ok(Oop::boolean(match (own, elements) {
        (Elements::Bytes(one), Elements::Bytes(other)) => one == other,
        (one, other) => one.len() == other.len() && one.iter().eq(other.iter()),
    }))
}

/// -1, 0 or 1.
fn string_compare(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    let own = receiver_string(&vm.heap, receiver)?;
    let other = string_argument(&vm.heap, args, 0)?;
    let order = own.iter().cmp(other.iter()) as i64;
    Ok(vm.heap.integer_i64(order))
}

fn string_hash(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    let own = Elements::of(&vm.heap, receiver).ok_or(Failure::BadReceiver)?;
    let mut hasher = std::hash::DefaultHasher::new();
    own.iter().for_each(|point| hasher.write_u32(point));
    Ok(Oop::index(hasher.finish() as usize & 0x0FFF_FFFF_FFFF))
}

/// `receiver indexOf: character startingAt: start`.
fn string_index_of(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    let own = receiver_string(&vm.heap, receiver)?;
    let Some(wanted) = argument(args, 0)?.as_character() else {
        return Ok(Oop::index(0));
    };
    let wanted = wanted as u32;
    let start = (integer_argument(args, 1)?.max(1) - 1) as usize;
    let found = match own {
        Elements::Bytes(bytes) => {
            let wanted = u8::try_from(wanted).ok();
            bytes
                .iter()
                .skip(start)
                .position(|byte| Some(*byte) == wanted)
        }
        Elements::Points(points) => points.iter().skip(start).position(|point| *point == wanted),
    };
    Ok(Oop::index(found.map_or(0, |offset| start + offset + 1)))
}

/// `receiver indexOfSubCollection: aString startingAt: start`.
fn string_find(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    let own = receiver_string(&vm.heap, receiver)?;
    let wanted = string_argument(&vm.heap, args, 0)?;
    let start = (integer_argument(args, 1)?.max(1) - 1) as usize;
    Ok(Oop::index(
        find(own, wanted, start).map_or(0, |index| index + 1),
    ))
}

/// Where the first occurrence begins, in time proportional to both sizes (Knuth, Morris, Pratt).
fn find(text: Elements<'_>, wanted: Elements<'_>, start: usize) -> Option<usize> {
    if wanted.len() == 0 || start.saturating_add(wanted.len()) > text.len() {
        return None;
    }
    let wanted: Vec<u32> = wanted.iter().collect();
    // borders[i]: how much of the pattern still matches when all but the element after i did
    let mut borders = vec![0; wanted.len()];
    let mut matched = 0;
    for index in 1..wanted.len() {
        while matched > 0 && wanted[index] != wanted[matched] {
            matched = borders[matched - 1];
        }
        matched += usize::from(wanted[index] == wanted[matched]);
        borders[index] = matched;
    }
    matched = 0;
    for (index, point) in text.iter().enumerate().skip(start) {
        while matched > 0 && point != wanted[matched] {
            matched = borders[matched - 1];
        }
        matched += usize::from(point == wanted[matched]);
        if matched == wanted.len() {
            return Some(index + 1 - matched);
        }
    }
    None
}

/// A string of the characters of both.
fn string_concat(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    let (one, other) = (
        receiver_string(&vm.heap, receiver)?,
        string_argument(&vm.heap, args, 0)?,
    );
    vm.check_room((one.len() + other.len()) * 4)?;
    Ok(match (one, other) {
        (Elements::Bytes(one), Elements::Bytes(other)) => {
            let bytes = [one, other].concat().into_boxed_slice();
            vm.heap.allocate(class::BYTE_STRING, Body::Bytes(bytes))
        }
        (one, other) => {
            let points = one.iter().chain(other.iter()).collect();
            new_string(&mut vm.heap, points)
        }
    })
}

fn map_characters(vm: &mut Vm, receiver: Oop, map: fn(char) -> char) -> Result<Oop, Failure> {
    let own = receiver_string(&vm.heap, receiver)?;
    vm.check_room(own.len() * 4)?;
    let points = own
        .iter()
        .map(|point| char::from_u32(point).map_or(point, |one| map(one) as u32))
        .collect();
    Ok(new_string(&mut vm.heap, points))
}

fn string_as_symbol(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    let text = vm.heap.text(receiver).ok_or(Failure::BadReceiver)?;
    vm.check_room(text.len() * 4)?;
    Ok(vm.symbol(&text))
}

/// A byte array of the codes of a narrow string.
fn string_as_bytes(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    let Elements::Bytes(bytes) = receiver_string(&vm.heap, receiver)? else {
        return Err(Failure::BadReceiver);
    };
    vm.check_room(bytes.len())?;
    let bytes = bytes.into();
    Ok(vm.heap.allocate(class::BYTE_ARRAY, Body::Bytes(bytes)))
}

fn utf8_encode(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    let length = receiver_string(&vm.heap, receiver)?.len();
    vm.check_room(length * 8)?;
    let text = vm.heap.text(receiver).ok_or(Failure::BadReceiver)?;
    Ok(vm
        .heap
        .allocate(class::BYTE_ARRAY, Body::Bytes(text.into_bytes().into())))
}

fn utf8_decode(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    let bytes = vm.heap.bytes(receiver).ok_or(Failure::BadReceiver)?;
    vm.check_room(bytes.len() * 8)?;
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Failure::BadReceiver)?
        .to_owned();
    Ok(vm.heap.string(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_first_occurrence_whatever_the_width() {
        let text = Elements::Bytes(b"ababac");
        let wide = "xababac".chars().map(u32::from).collect::<Vec<_>>();
        assert_eq!(find(text, Elements::Bytes(b"abac"), 0), Some(2));
        assert_eq!(find(text, Elements::Bytes(b"ab"), 1), Some(2));
        assert_eq!(find(text, Elements::Bytes(b"zz"), 0), None);
        assert_eq!(find(text, Elements::Bytes(b""), 0), None);
        assert_eq!(
            find(Elements::Points(&wide), Elements::Bytes(b"abac"), 0),
            Some(3)
        );
    }

    #[test]
    fn case_keeps_the_number_of_characters() {
        assert_eq!((uppercase('é'), lowercase('É')), ('É', 'é'));
        assert_eq!(uppercase('ß'), 'ß');
    }
}

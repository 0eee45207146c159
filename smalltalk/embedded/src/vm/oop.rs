//! `Oop`, the one-word value that every variable of the language holds.
//!
//! Small integers, characters and most floats are immediate; everything else is an index into the
//! heap's object table. Tags and ranges are those of 64-bit Pharo, so that `SmallInteger maxVal`,
//! class names of numbers and the like agree with it.

use std::fmt;

const TAG_BITS: u32 = 3;
const TAG_MASK: u64 = 0b111;
const TAG_OBJECT: u64 = 0;
const TAG_INTEGER: u64 = 1;
const TAG_CHARACTER: u64 = 2;
const TAG_FLOAT: u64 = 4;

/// Largest immediate integer: 2^60 - 1.
pub const MAX_SMALL_INTEGER: i64 = (1 << 60) - 1;
/// Smallest immediate integer: -(2^60).
pub const MIN_SMALL_INTEGER: i64 = -(1 << 60);

/// First biased exponent whose doubles are immediate; 256 exponents from here on are.
const FLOAT_EXPONENT_OFFSET: u64 = 896;
const MANTISSA_BITS: u32 = 52;

/// An object-oriented pointer: an immediate value or the index of an object in the heap.
///
/// Indexes stay valid while the object lives: collection never moves an object. `Oop` is `Copy`
/// and keeps nothing alive by itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Oop(u64);

impl Oop {
    /// `nil`, the object at index 0.
    pub const NIL: Oop = Oop::object(0);
    /// `true`.
    pub const TRUE: Oop = Oop::object(1);
    /// `false`.
    pub const FALSE: Oop = Oop::object(2);

    /// The object at `index` of the object table.
    pub const fn object(index: u32) -> Oop {
        Oop(((index as u64) << TAG_BITS) | TAG_OBJECT)
    }

    /// `true` or `false`.
    pub const fn boolean(value: bool) -> Oop {
        if value { Oop::TRUE } else { Oop::FALSE }
    }

    /// The immediate integer, or `None` if `value` needs a large integer.
    #[inline]
    pub const fn small_integer(value: i64) -> Option<Oop> {
        if value >= MIN_SMALL_INTEGER && value <= MAX_SMALL_INTEGER {
            Some(Oop::wrap_integer(value))
        } else {
            None
        }
    }

    /// An integer known to be small, such as a size or a counter of the machine.
    #[inline]
    pub const fn index(value: usize) -> Oop {
        Oop::wrap_integer(value as i64 & MAX_SMALL_INTEGER)
    }

    const fn wrap_integer(value: i64) -> Oop {
        Oop(((value as u64) << TAG_BITS) | TAG_INTEGER)
    }

    /// The immediate character.
    pub const fn character(value: char) -> Oop {
        Oop(((value as u64) << TAG_BITS) | TAG_CHARACTER)
    }

    /// The immediate float (`SmallFloat64`), or `None` if the exponent of `value` needs a boxed one.
    #[inline]
    pub const fn small_float(value: f64) -> Option<Oop> {
        let bits = value.to_bits();
        let exponent = (bits >> MANTISSA_BITS) & 0x7FF;
        let mantissa = bits & ((1 << MANTISSA_BITS) - 1);
        let fits = (exponent > FLOAT_EXPONENT_OFFSET && exponent <= FLOAT_EXPONENT_OFFSET + 255)
            || (exponent == FLOAT_EXPONENT_OFFSET && mantissa != 0)
            || (exponent == 0 && mantissa == 0);
        if !fits {
            return None;
        }
        let mut rotated = bits.rotate_left(1);
        if rotated > 1 {
            rotated -= FLOAT_EXPONENT_OFFSET << (MANTISSA_BITS + 1);
        }
        Some(Oop((rotated << TAG_BITS) | TAG_FLOAT))
    }

    /// Index in the object table, or `None` for an immediate.
    #[inline]
    pub const fn as_index(self) -> Option<u32> {
        if self.0 & TAG_MASK == TAG_OBJECT {
            Some((self.0 >> TAG_BITS) as u32)
        } else {
            None
        }
    }

    /// Whether this is an object in the heap, `nil`, `true` and `false` included.
    #[inline]
    pub const fn is_object(self) -> bool {
        self.0 & TAG_MASK == TAG_OBJECT
    }

    /// Value of an immediate integer.
    #[inline]
    pub const fn as_small_integer(self) -> Option<i64> {
        if self.0 & TAG_MASK == TAG_INTEGER {
            Some((self.0 as i64) >> TAG_BITS)
        } else {
            None
        }
    }

    /// Whether both are immediate integers: one test for the fast arithmetic paths.
    #[inline]
    pub const fn both_integers(self, other: Oop) -> Option<(i64, i64)> {
        if self.0 & other.0 & TAG_MASK == TAG_INTEGER
            && (self.0 | other.0) & TAG_MASK == TAG_INTEGER
        {
            Some(((self.0 as i64) >> TAG_BITS, (other.0 as i64) >> TAG_BITS))
        } else {
            None
        }
    }

    /// A non-negative immediate integer as a size or zero-based index.
    #[inline]
    pub fn as_size(self) -> Option<usize> {
        self.as_small_integer()
            .and_then(|value| usize::try_from(value).ok())
    }

    /// Value of a character.
    #[inline]
    pub fn as_character(self) -> Option<char> {
        if self.0 & TAG_MASK == TAG_CHARACTER {
            char::from_u32((self.0 >> TAG_BITS) as u32)
        } else {
            None
        }
    }

    /// Value of an immediate float. Boxed floats are read through the heap.
    #[inline]
    pub const fn as_small_float(self) -> Option<f64> {
        if self.0 & TAG_MASK != TAG_FLOAT {
            return None;
        }
        let mut rotated = self.0 >> TAG_BITS;
        if rotated > 1 {
            rotated += FLOAT_EXPONENT_OFFSET << (MANTISSA_BITS + 1);
        }
        Some(f64::from_bits(rotated.rotate_right(1)))
    }

    /// `Some` for `true` and `false`, `None` for everything else.
    #[inline]
    pub const fn as_boolean(self) -> Option<bool> {
        if self.0 == Oop::TRUE.0 {
            Some(true)
        } else if self.0 == Oop::FALSE.0 {
            Some(false)
        } else {
            None
        }
    }

    /// Whether this is `nil`.
    #[inline]
    pub const fn is_nil(self) -> bool {
        self.0 == Oop::NIL.0
    }

    /// The value whose [`Oop::word`] is `word`.
    pub(crate) const fn from_word(word: u64) -> Oop {
        Oop(word)
    }

    /// The word itself: equal words are identical objects. The base of `identityHash`.
    pub const fn word(self) -> u64 {
        self.0
    }
}

impl From<i32> for Oop {
    #[inline]
    fn from(value: i32) -> Oop {
        Oop::wrap_integer(i64::from(value))
    }
}

impl fmt::Debug for Oop {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(value) = self.as_small_integer() {
            write!(out, "{value}")
        } else if let Some(value) = self.as_character() {
            write!(out, "${value}")
        } else if let Some(value) = self.as_small_float() {
            write!(out, "{value:?}")
        } else {
            write!(out, "@{}", self.0 >> TAG_BITS)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_integers_keep_their_value_up_to_both_limits() {
        for value in [0, 1, -1, 42, MAX_SMALL_INTEGER, MIN_SMALL_INTEGER] {
            let oop = Oop::small_integer(value).expect("in range");
            assert_eq!(oop.as_small_integer(), Some(value));
            assert!(!oop.is_object());
        }
        assert_eq!(Oop::small_integer(MAX_SMALL_INTEGER + 1), None);
        assert_eq!(Oop::small_integer(MIN_SMALL_INTEGER - 1), None);
    }

    #[test]
    fn floats_of_ordinary_size_are_immediate_and_exact() {
        for value in [0.0, -0.0, 1.0, -1.5, 0.1, 1e30, -1e-30, f64::from(f32::MAX)] {
            let oop = Oop::small_float(value).expect("immediate");
            assert_eq!(
                oop.as_small_float().map(f64::to_bits),
                Some(value.to_bits())
            );
        }
    }

    #[test]
    fn extreme_floats_are_not_immediate() {
        for value in [1e300, 1e-300, f64::INFINITY, f64::NAN, f64::MIN_POSITIVE] {
            assert_eq!(Oop::small_float(value), None);
        }
    }

    #[test]
    fn kinds_do_not_mix() {
        assert_eq!(Oop::character('a').as_small_integer(), None);
        assert_eq!(Oop::NIL.as_small_float(), None);
        assert_eq!(Oop::TRUE.both_integers(Oop::index(1)), None);
        assert_eq!(Oop::index(2).both_integers(Oop::index(1)), Some((2, 1)));
        assert_eq!(Oop::index(2).both_integers(Oop::character('a')), None);
    }
}

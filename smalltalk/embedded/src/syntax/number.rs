//! Number literals: `16rFF`, `-1.5e-3`, `3.14s2`, `1e100`.
//!
//! As in Pharo an exponent alone keeps an integer an integer (`1e100`), a radix applies to fraction and exponent too
//! (`16r1.8` is 1.5, `2r1e3` is 8), and a letter that turns out to belong to no number is left to the next token
//! (`1e` is `1 e`).

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{One, ToPrimitive, Zero};

use super::ast::Literal;

/// The largest exponent that is read, up or down: larger ones would fill the memory from a few characters.
const MAX_EXPONENT: u32 = 100_000;

/// The most digits that are read: converting them takes time that grows with their square.
const MAX_DIGITS: usize = 100_000;

/// Why characters that begin like a number are none.
#[derive(Debug, PartialEq, Eq)]
pub struct NumberError {
    /// In Pharo's words.
    pub message: String,
    /// How many characters were read before it went wrong.
    pub length: usize,
}

/// Reads the number that `characters` begin with: a digit, or a minus sign and a digit. Answers the literal and how many
/// characters it has.
///
/// # Errors
/// When a radix, its digits or an exponent are impossible, or too large to be read.
pub fn scan(characters: &[char]) -> Result<(Literal, usize), NumberError> {
    Scanner {
        characters,
        position: 0,
    }
    .number()
}

struct Scanner<'a> {
    characters: &'a [char],
    position: usize,
}

impl Scanner<'_> {
    fn number(mut self) -> Result<(Literal, usize), NumberError> {
        let mut negative = self.accept('-');
        let mut radix = 10;
        let mut integer = self.digits(10);
        if self.peek() == Some('r') {
            radix = integer
                .parse::<u32>()
                .ok()
                .filter(|r| (2..=36).contains(r))
                .ok_or_else(|| self.expected("an integer from 2 to 36 as valid radix"))?;
            self.position += 1;
            negative ^= self.accept('-');
            integer = self.digits(radix);
            if integer.is_empty() {
                let last = char::from_digit(radix - 1, radix).unwrap_or('?');
                return Err(self.expected(&format!(
                    "a digit between 0 and {}",
                    last.to_ascii_uppercase()
                )));
            }
        }
        let fraction = self.fraction(radix);
        if integer.len() + fraction.as_ref().map_or(0, String::len) > MAX_DIGITS {
            return Err(self.expected(&format!("a number of up to {MAX_DIGITS} digits")));
        }
        let exponent = self.exponent()?;
        let digits = Digits {
            negative,
            radix,
            integer,
            fraction,
        };
        let literal = match exponent {
            Some(exponent) => digits.with_exponent(exponent),
            None => match self.scale(digits.fraction.as_ref().map_or(0, String::len)) {
                Some(scale) => digits.scaled(scale),
                None if digits.fraction.is_some() => Literal::Float(digits.float(0)),
                None => Literal::Integer(digits.mantissa()),
            },
        };
        Ok((literal, self.position))
    }

    fn peek(&self) -> Option<char> {
        self.characters.get(self.position).copied()
    }

    fn accept(&mut self, character: char) -> bool {
        let accepted = self.peek() == Some(character);
        self.position += usize::from(accepted);
        accepted
    }

    fn digits(&mut self, radix: u32) -> String {
        let start = self.position;
        while self.peek().is_some_and(|c| c.is_digit(radix)) {
            self.position += 1;
        }
        self.characters[start..self.position].iter().collect()
    }

    /// A point counts only when a digit follows it: otherwise it ends the statement.
    fn fraction(&mut self, radix: u32) -> Option<String> {
        let point = self.position;
        if self.accept('.') {
            let digits = self.digits(radix);
            if !digits.is_empty() {
                return Some(digits);
            }
        }
        self.position = point;
        None
    }

    fn exponent(&mut self) -> Result<Option<i64>, NumberError> {
        let letter = self.position;
        if self.peek().is_some_and(|c| "edq".contains(c)) {
            self.position += 1;
            let negative = self.accept('-');
            let digits = self.digits(10);
            if !digits.is_empty() {
                let exponent = digits
                    .parse::<u32>()
                    .ok()
                    .filter(|e| *e <= MAX_EXPONENT)
                    .ok_or_else(|| self.expected(&format!("an exponent up to {MAX_EXPONENT}")))?;
                let exponent = i64::from(exponent);
                return Ok(Some(if negative { -exponent } else { exponent }));
            }
        }
        self.position = letter;
        Ok(None)
    }

    /// `s2`, or `s` that no letter follows.
    fn scale(&mut self, default: usize) -> Option<u32> {
        let letter = self.position;
        if self.accept('s') {
            let digits = self.digits(10);
            if digits.is_empty() && !self.peek().is_some_and(super::lexer::is_letter) {
                return u32::try_from(default).ok();
            }
            if let Some(scale) = digits.parse().ok().filter(|s| *s <= MAX_EXPONENT) {
                return Some(scale);
            }
        }
        self.position = letter;
        None
    }

    fn expected(&self, what: &str) -> NumberError {
        NumberError {
            message: format!("{what} expected"),
            length: self.position,
        }
    }
}

/// What was read before exponent and scale.
struct Digits {
    negative: bool,
    radix: u32,
    integer: String,
    fraction: Option<String>,
}

impl Digits {
    /// All digits as one signed integer, as if there were no point.
    fn mantissa(&self) -> BigInt {
        let digits = [
            self.integer.as_str(),
            self.fraction.as_deref().unwrap_or(""),
        ]
        .concat();
        let value = BigInt::parse_bytes(digits.as_bytes(), self.radix).unwrap_or_default();
        if self.negative { -value } else { value }
    }

    fn with_exponent(&self, exponent: i64) -> Literal {
        if self.fraction.is_some() {
            return Literal::Float(self.float(exponent));
        }
        let power = BigInt::from(self.radix).pow(exponent.unsigned_abs() as u32);
        if exponent >= 0 {
            return Literal::Integer(self.mantissa() * power);
        }
        let (quotient, remainder) = self.mantissa().div_rem(&power);
        if remainder.is_zero() {
            Literal::Integer(quotient)
        } else {
            Literal::Float(self.float(exponent))
        }
    }

    fn scaled(&self, scale: u32) -> Literal {
        let digits = self.fraction.as_ref().map_or(0, String::len) as u32;
        let numerator = self.mantissa();
        let denominator = BigInt::from(self.radix).pow(digits);
        let divisor = numerator.gcd(&denominator).max(BigInt::one());
        Literal::ScaledDecimal {
            numerator: numerator / &divisor,
            denominator: denominator / &divisor,
            scale,
        }
    }

    /// The nearest float.
    fn float(&self, exponent: i64) -> f64 {
        let fraction = self.fraction.as_deref().unwrap_or("");
        if self.radix == 10 {
            let sign = if self.negative { "-" } else { "" };
            return format!("{sign}{}.{fraction}e{exponent}", self.integer)
                .parse()
                .unwrap_or(f64::NAN);
        }
        let exponent = exponent - fraction.len() as i64;
        let power = BigInt::from(self.radix).pow(exponent.unsigned_abs() as u32);
        let magnitude = BigInt::from(self.mantissa().magnitude().clone());
        let value = if exponent >= 0 {
            (magnitude * power).to_f64().unwrap_or(f64::INFINITY)
        } else {
            ratio(&magnitude, &power)
        };
        if self.negative { -value } else { value }
    }
}

/// The float nearest to `numerator / denominator`, both positive: 66 significant bits of the quotient with a sticky last
/// bit round once, in the conversion.
fn ratio(numerator: &BigInt, denominator: &BigInt) -> f64 {
    if numerator.is_zero() {
        return 0.0;
    }
    let shift = 66 - (numerator.bits() as i64 - denominator.bits() as i64);
    let (scaled, divisor) = if shift >= 0 {
        (numerator << shift, denominator.clone())
    } else {
        (numerator.clone(), denominator << -shift)
    };
    let (quotient, remainder) = scaled.div_rem(&divisor);
    let sticky = if remainder.is_zero() {
        BigInt::zero()
    } else {
        BigInt::one()
    };
    let rounded: BigInt = (quotient << 1) + sticky;
    rounded.to_f64().unwrap_or(f64::INFINITY) * 2f64.powi(-(shift as i32) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Literal, usize) {
        let characters: Vec<char> = text.chars().collect();
        scan(&characters).expect("a number")
    }

    fn integer(value: i64) -> Literal {
        Literal::Integer(BigInt::from(value))
    }

    #[test]
    fn radix_sign_and_exponent_make_integers() {
        for (text, value) in [
            ("0", 0),
            ("16rFF", 255),
            ("16rff", 255),
            ("-16r1F", -31),
            ("16r-1F", -31),
            ("2r1e3", 8),
            ("1e3", 1000),
            ("1000e-3", 1),
            ("36rZ", 35),
        ] {
            assert_eq!(read(text), (integer(value), text.len()), "{text}");
        }
    }

    #[test]
    fn a_point_or_a_small_exponent_makes_floats() {
        for (text, value) in [
            ("2.75", 2.75),
            ("1.0e15", 1.0e15),
            ("-0.5", -0.5),
            ("16r1.8", 1.5),
            ("1e-3", 0.001),
            ("0.1", 0.1),
            ("3r0.1", 1.0 / 3.0),
            ("1.0e400", f64::INFINITY),
            ("123456789.123", 123_456_789.123),
        ] {
            assert_eq!(read(text), (Literal::Float(value), text.len()), "{text}");
        }
    }

    #[test]
    fn what_belongs_to_no_number_is_left() {
        for (text, length) in [
            ("1.", 1),
            ("1. 2", 1),
            ("1e", 1),
            ("1e-", 1),
            ("3sqrt", 1),
            ("12x", 2),
        ] {
            assert_eq!(read(text).1, length, "{text}");
        }
    }

    #[test]
    fn scaled_decimals_are_exact() {
        let decimal = |n: i64, d: i64, scale| Literal::ScaledDecimal {
            numerator: n.into(),
            denominator: d.into(),
            scale,
        };
        assert_eq!(read("3.14s2").0, decimal(157, 50, 2));
        assert_eq!(read("-1.50s").0, decimal(-3, 2, 2));
        assert_eq!(read("7s").0, decimal(7, 1, 0));
    }

    #[test]
    fn impossible_numbers_are_refused_with_a_reason() {
        let refused = |text: &str| scan(&text.chars().collect::<Vec<_>>()).unwrap_err();
        assert_eq!(refused("2r5").message, "a digit between 0 and 1 expected");
        assert_eq!(
            refused("1r5").message,
            "an integer from 2 to 36 as valid radix expected"
        );
        assert_eq!(
            refused("1e999999999").message,
            "an exponent up to 100000 expected"
        );
    }
}

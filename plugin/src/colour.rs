//! Light colouring of Smalltalk: what a piece of a line is, without parsing.
//!
//! Strings and comments span lines, and a window may begin inside of one. The colouring follows them
//! from a line above the screen on and starts anew at blank lines; it may be wrong for a while, which
//! costs a colour and nothing else.

/// What a piece of code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Anything else.
    Plain,
    /// A comment.
    Comment,
    /// A string, symbol or character.
    String,
    /// A number.
    Number,
    /// A reserved word, an assignment or a return.
    Reserved,
    /// A name with a capital.
    Global,
}

/// What a line begins inside of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Inside {
    /// Code.
    #[default]
    Code,
    /// A string.
    String,
    /// A comment.
    Comment,
}

impl Inside {
    /// What the line after this one begins inside of.
    #[must_use]
    pub fn after(mut self, line: &str) -> Inside {
        if line.trim().is_empty() {
            return Inside::Code;
        }
        let mut character = false;
        for byte in line.bytes() {
            self = match (self, byte) {
                (Inside::Code, b'\'') if !character => Inside::String,
                (Inside::Code, b'"') if !character => Inside::Comment,
                (Inside::String, b'\'') | (Inside::Comment, b'"') => Inside::Code,
                (same, _) => same,
            };
            character = self == Inside::Code && byte == b'$' && !character;
        }
        self
    }
}

/// The pieces of a line that begins inside of something: where each ends (a byte), and what it is.
pub fn pieces(line: &str, inside: Inside) -> Vec<(usize, Class)> {
    let mut pieces = Vec::new();
    let bytes = line.as_bytes();
    let mut at = match inside {
        Inside::Code => 0,
        Inside::String => closed(bytes, 0, b'\'', Class::String, &mut pieces),
        Inside::Comment => closed(bytes, 0, b'"', Class::Comment, &mut pieces),
    };
    while let Some(&byte) = bytes.get(at) {
        let rest = &bytes[at..];
        let (length, class) = match byte {
            b'"' => {
                at = closed(bytes, at + 1, b'"', Class::Comment, &mut pieces);
                continue;
            }
            b'\'' => {
                at = closed(bytes, at + 1, b'\'', Class::String, &mut pieces);
                continue;
            }
            b'#' if rest.get(1) == Some(&b'\'') => {
                at = closed(bytes, at + 2, b'\'', Class::String, &mut pieces);
                continue;
            }
            b'#' => match 1 + run(&rest[1..], |b| is_word(b) || b == b':') {
                1 => (1, Class::Plain),
                length => (length, Class::String),
            },
            b'$' => {
                let character = line[at + 1..].chars().next().map_or(0, char::len_utf8);
                (1 + character, Class::String)
            }
            b'^' => (1, Class::Reserved),
            b':' if rest.get(1) == Some(&b'=') => (2, Class::Reserved),
            b'0'..=b'9' => (number(rest), Class::Number),
            byte if is_word(byte) => {
                let length = run(rest, is_word);
                let keyword =
                    rest.get(length) == Some(&b':') && rest.get(length + 1) != Some(&b'=');
                let class = match &line[at..at + length] {
                    _ if keyword => Class::Plain,
                    "self" | "super" | "nil" | "true" | "false" | "thisContext" => Class::Reserved,
                    word if word.starts_with(char::is_uppercase) => Class::Global,
                    _ => Class::Plain,
                };
                (length + usize::from(keyword), class)
            }
            _ => {
                let plain =
                    |b| !is_word(b) && !matches!(b, b'"' | b'\'' | b'#' | b'$' | b'^' | b':');
                (run(rest, plain).max(1), Class::Plain)
            }
        };
        at += length;
        push(&mut pieces, at, class);
    }
    pieces
}

/// Letters, digits, underscores and everything beyond ASCII.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn run(bytes: &[u8], matching: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| matching(**byte)).count()
}

/// Digits with radix, fraction, exponent or scale: `16rFF`, `3.14e-10`, `1/2` (only its digits).
fn number(bytes: &[u8]) -> usize {
    let mut length = run(bytes, is_word);
    let fraction =
        bytes.get(length) == Some(&b'.') && bytes.get(length + 1).is_some_and(u8::is_ascii_digit);
    if fraction {
        length += 1 + run(&bytes[length + 1..], is_word);
    }
    let exponent = matches!(bytes.get(length - 1), Some(b'e' | b'd' | b'q'))
        && bytes.get(length) == Some(&b'-');
    if exponent {
        length += 1 + run(&bytes[length + 1..], is_word);
    }
    length
}

fn closed(
    bytes: &[u8],
    from: usize,
    by: u8,
    class: Class,
    pieces: &mut Vec<(usize, Class)>,
) -> usize {
    let end = bytes[from..]
        .iter()
        .position(|byte| *byte == by)
        .map_or(bytes.len(), |length| from + length + 1);
    if end > 0 {
        push(pieces, end, class);
    }
    end
}

fn push(pieces: &mut Vec<(usize, Class)>, end: usize, class: Class) {
    match pieces.last_mut() {
        Some((last, same)) if *same == class => *last = end,
        _ => pieces.push((end, class)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coloured(line: &str, inside: Inside) -> String {
        let mut at = 0;
        let mut text = String::new();
        for (end, class) in pieces(line, inside) {
            let piece = &line[at..end];
            at = end;
            match class {
                Class::Plain => text.push_str(piece),
                class => text.extend(["<", &format!("{class:?}"), " ", piece, ">"]),
            }
        }
        assert_eq!(at, line.len());
        text
    }

    #[test]
    fn code_is_told_apart() {
        assert_eq!(
            coloured(
                "x := 'it''s' , #at:put: \"so\". ^ Foo new: 16rFF + 1.5e-3",
                Inside::Code
            ),
            "x <Reserved :=> <String 'it''s'> , <String #at:put:> <Comment \"so\">. \
             <Reserved ^> <Global Foo> new: <Number 16rFF> + <Number 1.5e-3>"
        );
        assert_eq!(
            coloured("{ $' . $日 . #(true 日本 3) }. Foo: self", Inside::Code),
            "{ <String $'> . <String $日> . #(<Reserved true> 日本 <Number 3>) }. Foo: <Reserved self>"
        );
    }

    #[test]
    fn strings_and_comments_span_lines_up_to_a_blank_one() {
        let inside = Inside::default().after("a := 'x $' \" y");
        assert_eq!(inside, Inside::Comment);
        assert_eq!(coloured("z\" b", inside), "<Comment z\"> b");
        assert_eq!(coloured("all of it", Inside::String), "<String all of it>");
        assert_eq!(coloured("", Inside::String), "");
        assert_eq!(inside.after("  "), Inside::Code);
        assert_eq!(Inside::Code.after("$\" $'"), Inside::Code);
    }
}

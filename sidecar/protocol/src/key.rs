//! Keys as panes see them, and the words that name them in a configuration (`Ctrl d`).

use std::fmt;
use std::str::FromStr;

/// A key without its modifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// A character.
    Char(char),
    /// Enter.
    Enter,
    /// Tab.
    Tab,
    /// The key that deletes to the left.
    Backspace,
    /// The key that deletes to the right.
    Delete,
    /// Insert.
    Insert,
    /// Escape.
    Esc,
    /// Cursor left.
    Left,
    /// Cursor right.
    Right,
    /// Cursor up.
    Up,
    /// Cursor down.
    Down,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// A function key, from 1.
    F(u8),
}

/// The keys with a name of their own; characters and function keys have none.
const NAMED: [(&str, Code); 15] = [
    ("Enter", Code::Enter),
    ("Tab", Code::Tab),
    ("Backspace", Code::Backspace),
    ("Delete", Code::Delete),
    ("Insert", Code::Insert),
    ("Esc", Code::Esc),
    ("Left", Code::Left),
    ("Right", Code::Right),
    ("Up", Code::Up),
    ("Down", Code::Down),
    ("Home", Code::Home),
    ("End", Code::End),
    ("PageUp", Code::PageUp),
    ("PageDown", Code::PageDown),
    ("Space", Code::Char(' ')),
];

/// A key press.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    /// The key.
    pub code: Code,
    /// Whether Ctrl was held.
    pub ctrl: bool,
    /// Whether Alt was held.
    pub alt: bool,
    /// Whether Shift was held; a capital letter needs it not.
    pub shift: bool,
}

impl Key {
    /// A key without modifiers.
    pub fn plain(code: Code) -> Key {
        Key {
            code,
            ctrl: false,
            alt: false,
            shift: false,
        }
    }

    /// The key in the one form that tables are kept in: control characters as the keys that send
    /// them, letters with Ctrl or Alt small, Shift folded into letters.
    #[must_use]
    pub fn normal(mut self) -> Key {
        if let Code::Char(c) = self.code {
            self.code = match c {
                '\n' | '\r' => Code::Enter,
                '\t' => Code::Tab,
                '\u{8}' | '\u{7f}' => Code::Backspace,
                '\u{1b}' => Code::Esc,
                c if self.ctrl || self.alt => Code::Char(c.to_ascii_lowercase()),
                c if self.shift => Code::Char(c.to_ascii_uppercase()),
                c => Code::Char(c),
            };
            if matches!(self.code, Code::Char(_)) && !self.ctrl && !self.alt {
                self.shift = false;
            }
        }
        self
    }

    /// The text that this key types, if it types any.
    pub fn typed(self) -> Option<char> {
        match self.code {
            Code::Char(c) if !self.ctrl && !self.alt && !c.is_control() => Some(c),
            _ => None,
        }
    }

    /// The same key without Shift.
    #[must_use]
    pub fn without_shift(self) -> Key {
        Key {
            shift: false,
            ..self
        }
    }
}

/// Words that name no key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownKey(pub String);

impl fmt::Display for UnknownKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` names no key; write it like `Ctrl d`, `Alt Backspace`, `F5` or `?`",
            self.0
        )
    }
}

impl std::error::Error for UnknownKey {}

impl FromStr for Key {
    type Err = UnknownKey;

    fn from_str(words: &str) -> Result<Key, UnknownKey> {
        let unknown = || UnknownKey(words.to_owned());
        let mut key = Key::plain(Code::Esc);
        let mut last = None;
        for word in words.split_whitespace() {
            if last.is_some() {
                return Err(unknown());
            }
            match word {
                "Ctrl" => key.ctrl = true,
                "Alt" => key.alt = true,
                "Shift" => key.shift = true,
                word => last = Some(word),
            }
        }
        let word = last.ok_or_else(unknown)?;
        let mut characters = word.chars();
        key.code = match (characters.next(), characters.next()) {
            (Some(c), None) => Code::Char(c),
            _ => match NAMED.iter().find(|(name, _)| *name == word) {
                Some((_, code)) => *code,
                None => word
                    .strip_prefix('F')
                    .and_then(|n| n.parse().ok())
                    .filter(|n| (1..=12).contains(n))
                    .map(Code::F)
                    .ok_or_else(unknown)?,
            },
        };
        Ok(key.normal())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (held, word) in [
            (self.ctrl, "Ctrl "),
            (self.alt, "Alt "),
            (self.shift, "Shift "),
        ] {
            if held {
                f.write_str(word)?;
            }
        }
        match (self.code, NAMED.iter().find(|(_, code)| *code == self.code)) {
            (_, Some((name, _))) => f.write_str(name),
            (Code::F(n), None) => write!(f, "F{n}"),
            (Code::Char(c), None) => write!(f, "{c}"),
            (_, None) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_reads_as_it_is_written() {
        for words in [
            "Ctrl d",
            "Alt Backspace",
            "Ctrl Shift Left",
            "F12",
            "?",
            "Space",
            "PageDown",
        ] {
            assert_eq!(words.parse::<Key>().unwrap().to_string(), words);
        }
    }

    #[test]
    fn words_that_name_no_key_are_refused() {
        for words in ["", "Ctrl", "d Ctrl", "F13", "Hyper x", "Ctrl dd"] {
            assert!(words.parse::<Key>().is_err(), "{words}");
        }
    }

    #[test]
    fn what_terminals_send_for_one_key_is_one_key() {
        let shifted = Key {
            shift: true,
            ..Key::plain(Code::Char('a'))
        };
        assert_eq!(shifted.normal(), Key::plain(Code::Char('A')));
        let control = Key {
            ctrl: true,
            ..Key::plain(Code::Char('D'))
        };
        assert_eq!(control.normal(), "Ctrl d".parse().unwrap());
        assert_eq!(
            Key::plain(Code::Char('\r')).normal(),
            Key::plain(Code::Enter)
        );
    }
}

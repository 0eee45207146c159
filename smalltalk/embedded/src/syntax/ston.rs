//! The part of STON, Pharo's object notation, that Tonel files are written in: maps, lists, strings, symbols, numbers,
//! true, false and nil.

/// How deeply maps and lists can be nested.
const MAX_DEPTH: u32 = 32;

/// A STON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ston {
    /// `nil`
    Nil,
    /// `true`, `false`
    Boolean(bool),
    /// A number, as written.
    Number(String),
    /// `'text'`
    String(String),
    /// `#symbol`, `#'a symbol'`
    Symbol(String),
    /// `[ 1, 2 ]`
    List(Vec<Ston>),
    /// `{ #key : value }`, in order.
    Map(Vec<(Ston, Ston)>),
}

impl Ston {
    /// The text of a string or symbol.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Ston::String(text) | Ston::Symbol(text) => Some(text),
            _ => None,
        }
    }

    /// The value at `key` of a map.
    pub fn get(&self, key: &str) -> Option<&Ston> {
        let Ston::Map(entries) = self else {
            return None;
        };
        entries
            .iter()
            .find(|(name, _)| name.as_text() == Some(key))
            .map(|(_, value)| value)
    }
}

/// What is wrong, and the 0-based index of the character where.
#[derive(Debug, PartialEq, Eq)]
pub struct StonError {
    /// What was expected there.
    pub message: String,
    /// Index into the characters.
    pub position: usize,
}

/// Reads the value that begins at `position`, blanks before it included. Answers it and the index after it.
///
/// # Errors
/// Where the characters are no STON of this part.
pub fn read(characters: &[char], position: usize) -> Result<(Ston, usize), StonError> {
    let mut reader = Reader {
        characters,
        position,
        depth: 0,
    };
    let value = reader.value()?;
    Ok((value, reader.position))
}

struct Reader<'a> {
    characters: &'a [char],
    position: usize,
    depth: u32,
}

impl Reader<'_> {
    fn value(&mut self) -> Result<Ston, StonError> {
        match self.next_visible() {
            Some('{') => self.nested('}', Self::entry).map(Ston::Map),
            Some('[') => self.nested(']', Self::value).map(Ston::List),
            Some('\'') => self.string().map(Ston::String),
            Some('#') => {
                self.position += 1;
                if self.peek() == Some('\'') {
                    self.string().map(Ston::Symbol)
                } else {
                    Ok(Ston::Symbol(self.word("a symbol")?))
                }
            }
            Some(c) if c == '-' || c.is_ascii_digit() => Ok(Ston::Number(self.word("a number")?)),
            Some(c) if c.is_alphabetic() => match self.word("a value")?.as_str() {
                "nil" => Ok(Ston::Nil),
                "true" => Ok(Ston::Boolean(true)),
                "false" => Ok(Ston::Boolean(false)),
                other => Err(self.error(format!("a value, not {other}, expected"))),
            },
            _ => Err(self.error("a value expected")),
        }
    }

    fn entry(&mut self) -> Result<(Ston, Ston), StonError> {
        let key = self.value()?;
        if self.next_visible() != Some(':') {
            return Err(self.error("':' expected"));
        }
        self.position += 1;
        Ok((key, self.value()?))
    }

    fn nested<T>(
        &mut self,
        closer: char,
        mut element: impl FnMut(&mut Self) -> Result<T, StonError>,
    ) -> Result<Vec<T>, StonError> {
        if self.depth == MAX_DEPTH {
            return Err(self.error(format!("at most {MAX_DEPTH} levels of nesting expected")));
        }
        self.depth += 1;
        self.position += 1;
        let mut elements = Vec::new();
        loop {
            match self.next_visible() {
                Some(c) if c == closer => break,
                Some(',') if !elements.is_empty() => self.position += 1,
                _ if elements.is_empty() => {}
                _ => return Err(self.error(format!("',' or '{closer}' expected"))),
            }
            if self.next_visible() == Some(closer) {
                break;
            }
            elements.push(element(self)?);
        }
        self.position += 1;
        self.depth -= 1;
        Ok(elements)
    }

    fn peek(&self) -> Option<char> {
        self.characters.get(self.position).copied()
    }

    fn next_visible(&mut self) -> Option<char> {
        while self.peek().is_some_and(char::is_whitespace) {
            self.position += 1;
        }
        self.peek()
    }

    fn word(&mut self, what: &str) -> Result<String, StonError> {
        let start = self.position;
        while self
            .peek()
            .is_some_and(|c| c.is_alphanumeric() || "_-./:+".contains(c))
        {
            self.position += 1;
        }
        // a colon before a blank separates a key from its value
        if self.position > start && self.characters[self.position - 1] == ':' {
            let words = self.characters[start..self.position - 1].contains(&':');
            if !words {
                self.position -= 1;
            }
        }
        if self.position == start {
            return Err(self.error(format!("{what} expected")));
        }
        Ok(self.characters[start..self.position].iter().collect())
    }

    fn string(&mut self) -> Result<String, StonError> {
        let start = self.position;
        self.position += 1;
        let mut text = String::new();
        while let Some(character) = self.peek() {
            self.position += 1;
            match character {
                '\'' => return Ok(text),
                '\\' => text.push(self.escaped()?),
                _ => text.push(character),
            }
        }
        Err(StonError {
            message: "a closing ' expected for the string that begins here".to_owned(),
            position: start,
        })
    }

    fn escaped(&mut self) -> Result<char, StonError> {
        let character = self.peek();
        self.position += 1;
        match character {
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            Some('b') => Ok('\u{8}'),
            Some('f') => Ok('\u{c}'),
            Some('u') => {
                let end = (self.position + 4).min(self.characters.len());
                let digits: String = self.characters[self.position..end].iter().collect();
                self.position = end;
                u32::from_str_radix(&digits, 16)
                    .ok()
                    .and_then(char::from_u32)
                    .ok_or_else(|| self.error("four hexadecimal digits expected"))
            }
            Some(other) => Ok(other),
            None => Err(self.error("a character after the backslash expected")),
        }
    }

    fn error(&self, message: impl Into<String>) -> StonError {
        StonError {
            message: message.into(),
            position: self.position,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Ston, StonError> {
        read(&text.chars().collect::<Vec<_>>(), 0).map(|(value, _)| value)
    }

    #[test]
    fn a_class_definition_is_a_map() {
        let value = parse(
            "{\n\t#name : #Foo,\n\t#instVars : [\n\t\t'a',\n\t\t'b'\n\t],\n\t#category : #'X-Y', #n : 3, #b : true, }",
        )
        .expect("a map");
        assert_eq!(value.get("name").and_then(Ston::as_text), Some("Foo"));
        assert_eq!(value.get("category").and_then(Ston::as_text), Some("X-Y"));
        assert_eq!(value.get("n"), Some(&Ston::Number("3".to_owned())));
        let variables = value.get("instVars");
        assert_eq!(
            variables,
            Some(&Ston::List(vec![
                Ston::String("a".to_owned()),
                Ston::String("b".to_owned())
            ]))
        );
        assert_eq!(value.get("missing"), None);
    }

    #[test]
    fn keys_may_touch_their_colon() {
        let value = parse("{#name:'Foo'}").expect("a map");
        assert_eq!(value.get("name").and_then(Ston::as_text), Some("Foo"));
    }

    #[test]
    fn strings_know_their_escapes() {
        assert_eq!(
            parse(r"'it\'s \u00e9'"),
            Ok(Ston::String("it's é".to_owned()))
        );
    }

    #[test]
    fn what_is_missing_is_named_with_its_place() {
        assert_eq!(parse("{ #a 3 }").unwrap_err().position, 5);
        assert_eq!(parse("[ 1 2 ]").unwrap_err().message, "',' or ']' expected");
        assert_eq!(parse(" 'abc").unwrap_err().position, 1);
        assert!(parse(&"[".repeat(100_000)).is_err());
    }
}

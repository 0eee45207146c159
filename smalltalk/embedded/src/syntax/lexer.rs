//! Characters to tokens.
//!
//! The lexer never fails: what is not a token becomes [`TokenKind::Error`], and the parser reports it where it meets
//! it. It works on demand because inside `#( )` the same characters mean other tokens ([`Mode::LiteralArray`]).

use super::ast::{Literal, Span};
use super::number;

/// A token and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Its characters.
    pub span: Span,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub enum TokenKind {
    /// `foo`
    Identifier(String),
    /// `foo:`
    Keyword(String),
    /// `+`, `>=`; a bar that opens or closes temporaries is one too.
    Binary(String),
    /// One of `( ) [ ] { } . ; ^ :`
    Special(char),
    /// `:=`
    Assignment,
    /// A number, string, character, symbol, nil, true or false.
    Literal(Literal),
    /// `#(`
    ArrayStart,
    /// `#[`
    ByteArrayStart,
    /// Characters that are no token.
    Error {
        /// What is wrong with them, in Pharo's words.
        cause: String,
        /// 0-based index of the character that is wrong or missing.
        at: u32,
    },
    /// The end of the source.
    End,
}

/// How identifiers, keywords and operators are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As code.
    Code,
    /// As the elements of a literal array: `foo:bar:` and `+` are symbols there.
    LiteralArray,
}

/// Reads the tokens of one source.
#[derive(Debug)]
pub struct Lexer {
    characters: Vec<char>,
    position: usize,
    comments: Vec<Span>,
}

/// The characters that operators consist of: ASCII ones, and `± · × ÷`.
const BINARY: &str = "+-/\\*~<>=@,%|&?!\u{b1}\u{b7}\u{d7}\u{f7}";

/// Whether `character` can be a part of an operator.
pub fn is_binary(character: char) -> bool {
    BINARY.contains(character)
}

/// Whether `character` can begin a name.
pub fn is_letter(character: char) -> bool {
    character == '_' || character.is_alphabetic()
}

fn is_separator(character: char) -> bool {
    character.is_whitespace() || character == '\0'
}

impl Lexer {
    /// A lexer at the beginning of `source`.
    pub fn new(source: &str) -> Self {
        Self::from_characters(source.chars().collect(), 0)
    }

    /// A lexer at the 0-based `position` in `characters`.
    pub fn from_characters(characters: Vec<char>, position: usize) -> Self {
        Self {
            characters,
            position,
            comments: Vec::new(),
        }
    }

    /// Index of the next character that is not read yet.
    pub fn position(&self) -> usize {
        self.position
    }

    /// The number of characters in the source.
    pub fn len(&self) -> usize {
        self.characters.len()
    }

    /// Whether the source holds nothing.
    pub fn is_empty(&self) -> bool {
        self.characters.is_empty()
    }

    /// Goes back, or on, to the 0-based `position`.
    pub fn seek(&mut self, position: u32) {
        self.position = (position as usize).min(self.len());
    }

    /// The character with the 0-based `index`.
    pub fn character_at(&self, index: u32) -> Option<char> {
        self.characters.get(index as usize).copied()
    }

    /// The comments read so far, with their quotes; the lexer forgets them.
    pub fn take_comments(&mut self) -> Vec<Span> {
        std::mem::take(&mut self.comments)
    }

    /// The characters of `span`.
    pub fn text(&self, span: Span) -> String {
        self.characters[span.start as usize..span.end as usize]
            .iter()
            .collect()
    }

    /// The next token; [`TokenKind::End`] again and again after the last.
    pub fn next(&mut self, mode: Mode) -> Token {
        if let Some(unmatched) = self.skip_separators() {
            return unmatched;
        }
        let start = self.position;
        let Some(first) = self.peek(0) else {
            return self.token(start, TokenKind::End);
        };
        let kind = match first {
            _ if is_letter(first) => self.name(mode),
            '0'..='9' => self.number(),
            '-' if self.peek(1).is_some_and(|c| c.is_ascii_digit()) => self.number(),
            _ if is_binary(first) => {
                let operator = self.take_while(is_binary);
                match mode {
                    Mode::Code => TokenKind::Binary(operator),
                    Mode::LiteralArray => TokenKind::Literal(Literal::Symbol(operator)),
                }
            }
            ':' if self.peek(1) == Some('=') => {
                self.position += 2;
                TokenKind::Assignment
            }
            '(' | ')' | '[' | ']' | '{' | '}' | '.' | ';' | '^' | ':' => {
                self.position += 1;
                TokenKind::Special(first)
            }
            '\'' => match self.string() {
                Ok(text) => TokenKind::Literal(Literal::String(text)),
                Err(error) => error,
            },
            '#' => self.hash(),
            '$' => self.character(),
            _ => {
                self.position += 1;
                error("Unknown character", start)
            }
        };
        self.token(start, kind)
    }

    fn token(&self, start: usize, kind: TokenKind) -> Token {
        Token {
            kind,
            span: Span::new(start as u32, self.position as u32),
        }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.characters.get(self.position + ahead).copied()
    }

    fn take_while(&mut self, accept: impl Fn(char) -> bool) -> String {
        let start = self.position;
        while self.peek(0).is_some_and(&accept) {
            self.position += 1;
        }
        self.characters[start..self.position].iter().collect()
    }

    /// Skips separators and comments; answers the error token of a comment without end.
    fn skip_separators(&mut self) -> Option<Token> {
        while let Some(character) = self.peek(0) {
            if character == '"' {
                let start = self.position;
                let Some(length) = self.characters[start + 1..].iter().position(|&c| c == '"')
                else {
                    self.position = self.len();
                    return Some(self.token(start, error("Unmatched \" in comment.", self.len())));
                };
                self.position = start + length + 2;
                self.comments
                    .push(Span::new(start as u32, self.position as u32));
            } else if is_separator(character) {
                self.position += 1;
            } else {
                break;
            }
        }
        None
    }

    fn name(&mut self, mode: Mode) -> TokenKind {
        if mode == Mode::LiteralArray {
            let symbol = self.symbol_text();
            return match named_literal(&symbol) {
                Some(literal) => TokenKind::Literal(literal),
                None => TokenKind::Literal(Literal::Symbol(symbol)),
            };
        }
        let mut name = self.take_while(is_name_part);
        if self.peek(0) == Some(':') && self.peek(1) != Some('=') {
            self.position += 1;
            name.push(':');
            return TokenKind::Keyword(name);
        }
        match named_literal(&name) {
            Some(literal) => TokenKind::Literal(literal),
            None => TokenKind::Identifier(name),
        }
    }

    /// `foo`, `foo:`, `foo:bar:`
    fn symbol_text(&mut self) -> String {
        let start = self.position;
        while self.peek(0).is_some_and(|c| is_letter(c) || c == ':') {
            self.take_while(is_name_part);
            if self.peek(0) == Some(':') {
                self.position += 1;
            }
        }
        self.characters[start..self.position].iter().collect()
    }

    fn number(&mut self) -> TokenKind {
        match number::scan(&self.characters[self.position..]) {
            Ok((literal, length)) => {
                self.position += length;
                TokenKind::Literal(literal)
            }
            Err(failure) => {
                self.position += failure.length;
                error(failure.message, self.position)
            }
        }
    }

    /// The text of a string whose opening quote is next.
    fn string(&mut self) -> Result<String, TokenKind> {
        self.position += 1;
        let mut text = String::new();
        loop {
            text.push_str(&self.take_while(|c| c != '\''));
            if self.peek(0).is_none() {
                return Err(error("Unmatched ' in string literal.", self.len()));
            }
            self.position += 1;
            if self.peek(0) != Some('\'') {
                return Ok(text);
            }
            self.position += 1;
            text.push('\'');
        }
    }

    /// What begins with `#`; `##foo` is the same as `#foo`.
    fn hash(&mut self) -> TokenKind {
        self.take_while(|c| c == '#');
        match self.peek(0) {
            Some(c) if is_letter(c) => TokenKind::Literal(Literal::Symbol(self.symbol_text())),
            Some(c) if is_binary(c) => {
                TokenKind::Literal(Literal::Symbol(self.take_while(is_binary)))
            }
            Some('\'') => match self.string() {
                Ok(text) => TokenKind::Literal(Literal::Symbol(text)),
                Err(error) => error,
            },
            Some('(') => {
                self.position += 1;
                TokenKind::ArrayStart
            }
            Some('[') => {
                self.position += 1;
                TokenKind::ByteArrayStart
            }
            _ => error("Literal expected", self.position),
        }
    }

    fn character(&mut self) -> TokenKind {
        self.position += 1;
        let Some(character) = self.peek(0) else {
            return error("Character expected", self.position);
        };
        self.position += 1;
        TokenKind::Literal(Literal::Character(character))
    }
}

fn is_name_part(character: char) -> bool {
    is_letter(character) || character.is_ascii_digit()
}

fn named_literal(name: &str) -> Option<Literal> {
    match name {
        "nil" => Some(Literal::Nil),
        "true" => Some(Literal::True),
        "false" => Some(Literal::False),
        _ => None,
    }
}

fn error(cause: impl Into<String>, at: usize) -> TokenKind {
    TokenKind::Error {
        cause: cause.into(),
        at: at as u32,
    }
}

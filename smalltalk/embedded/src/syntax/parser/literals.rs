//! Literals, in code and inside literal arrays.

use super::{Parse, Parser};
use crate::syntax::ast::Literal;
use crate::syntax::lexer::{Mode, TokenKind};

impl Parser<'_> {
    /// A literal in code, or an element of a literal array.
    pub(super) fn literal_element(&mut self) -> Parse<Literal> {
        match &self.token.kind {
            TokenKind::ArrayStart => self.nested(Self::literal_array),
            TokenKind::Special('(') if self.mode == Mode::LiteralArray => {
                self.nested(Self::literal_array)
            }
            TokenKind::ByteArrayStart => self.byte_array(),
            TokenKind::Literal(_) => match self.step().kind {
                TokenKind::Literal(literal) => Ok(literal),
                _ => Err(self.failure("Literal expected")),
            },
            // whatever else is a token stands for itself, as a symbol
            TokenKind::Special(special) => {
                let symbol = special.to_string();
                self.step();
                Ok(Literal::Symbol(symbol))
            }
            TokenKind::Assignment => {
                self.step();
                Ok(Literal::Symbol(":=".to_owned()))
            }
            _ => Err(self.failure("Literal expected")),
        }
    }

    fn literal_array(&mut self) -> Parse<Literal> {
        let outer_mode = std::mem::replace(&mut self.mode, Mode::LiteralArray);
        self.step();
        let mut elements = Vec::new();
        while !self.at_end() && !self.at(')') {
            elements.push(self.literal_element()?);
        }
        self.mode = outer_mode;
        self.expect(')')?;
        Ok(Literal::Array(elements))
    }

    fn byte_array(&mut self) -> Parse<Literal> {
        self.step();
        let mut bytes = Vec::new();
        while !self.at_end() && !self.at(']') {
            let byte = match &self.token.kind {
                TokenKind::Literal(Literal::Integer(value)) => u8::try_from(value).ok(),
                _ => None,
            };
            let Some(byte) = byte else {
                return Err(self.failure("8-bit integer expected"));
            };
            bytes.push(byte);
            self.step();
        }
        self.expect(']')?;
        Ok(Literal::ByteArray(bytes))
    }
}

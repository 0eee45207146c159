//! Pragmas, and the primitive declaration among them.

use super::{Parse, Parser};
use crate::syntax::ast::{Literal, LocalKind, Pragma, Primitive, Span};
use crate::syntax::lexer::TokenKind;

impl Parser<'_> {
    pub(super) fn pragmas(&mut self) -> Parse<()> {
        while self.at_operator("<") {
            let start = self.step().span;
            let mut pragma = self.pragma()?;
            if !self.at_operator(">") {
                return Err(self.failure("'>' expected"));
            }
            pragma.span = start.to(self.step().span);
            self.pragmas.push(pragma);
        }
        Ok(())
    }

    fn pragma(&mut self) -> Parse<Pragma> {
        let mut selector = String::new();
        let mut arguments = Vec::new();
        match &self.token.kind {
            TokenKind::Identifier(name) => {
                selector.clone_from(name);
                self.step();
            }
            TokenKind::Keyword(keyword) if keyword == "primitive:" => return self.primitive(),
            TokenKind::Keyword(_) => {
                while let TokenKind::Keyword(keyword) = &self.token.kind {
                    selector.push_str(keyword);
                    self.step();
                    arguments.push(self.pragma_argument()?);
                }
            }
            TokenKind::Binary(operator) => {
                selector.clone_from(operator);
                self.step();
                arguments.push(self.pragma_argument()?);
            }
            _ => return Err(self.failure("Message pattern expected")),
        }
        Ok(Pragma {
            selector,
            arguments,
            span: Span::default(),
        })
    }

    fn pragma_argument(&mut self) -> Parse<Literal> {
        match self.token.kind {
            TokenKind::ArrayStart | TokenKind::ByteArrayStart | TokenKind::Literal(_) => {
                self.literal_element()
            }
            _ => Err(self.failure("Literal constant expected")),
        }
    }

    /// `primitive: name`, with `error: variable` and `module: name` in any order after it.
    fn primitive(&mut self) -> Parse<Pragma> {
        let mut primitive = Primitive {
            name: String::new(),
            module: None,
            error: None,
        };
        let mut pragma = Pragma {
            selector: String::new(),
            arguments: Vec::new(),
            span: Span::default(),
        };
        while let TokenKind::Keyword(keyword) = &self.token.kind {
            let keyword = keyword.clone();
            pragma.selector.push_str(&keyword);
            self.step();
            let argument = if keyword == "error:" {
                let declaration = self.declaration(LocalKind::Temporary)?;
                primitive.error = Some(declaration.local);
                Literal::Symbol(declaration.name)
            } else {
                self.pragma_argument()?
            };
            match (keyword.as_str(), &argument) {
                ("error:", _) => {}
                ("primitive:", Literal::Integer(number)) => primitive.name = number.to_string(),
                ("primitive:", Literal::String(name) | Literal::Symbol(name)) => {
                    primitive.name.clone_from(name);
                }
                ("module:", Literal::String(name) | Literal::Symbol(name)) => {
                    primitive.module = Some(name.clone());
                }
                _ => return Err(self.failure("Primitive name or number expected")),
            }
            pragma.arguments.push(argument);
        }
        self.primitive = Some(primitive);
        Ok(pragma)
    }
}

//! Expressions, from the loosest binding to the tightest: assignment, cascade, keyword, binary, unary message, primary.

use super::{Failure, MAX_ARGUMENTS, Parse, Parsed, Parser, TOO_MANY_ARGUMENTS};
use crate::syntax::ast::{
    Assignment, Binding, Block, Cascade, Declaration, Expression, Literal, LocalKind, Message,
    ScopeId, Send, Span, Variable,
};
use crate::syntax::lexer::{Token, TokenKind};

impl Parser<'_> {
    pub(super) fn assignment(&mut self) -> Parse<Parsed> {
        if self.token.kind == TokenKind::Assignment {
            // Pharo's own spelling
            return Err(self.failure("variable expected in assignment"));
        }
        if !matches!(self.token.kind, TokenKind::Identifier(_))
            || *self.following() != TokenKind::Assignment
        {
            return self.cascade();
        }
        let target = self.variable()?;
        self.step();
        let value = self.nested(Self::assignment)?;
        let span = target.span.to(value.node.span());
        Ok(Parsed {
            height: self.check_height(value.height + 1)?,
            is_open_send: false,
            node: Expression::Assignment(Box::new(Assignment {
                target,
                value: value.node,
                span,
            })),
        })
    }

    fn cascade(&mut self) -> Parse<Parsed> {
        let first = self.keyword_message()?;
        if !self.at(';') {
            return Ok(first);
        }
        let (Expression::Send(send), true) = (first.node, first.is_open_send) else {
            return Err(self.failure("Message expected"));
        };
        let Send {
            receiver, message, ..
        } = *send;
        let mut height = first.height;
        let mut messages = vec![message];
        while self.at(';') {
            self.step();
            let (message, its_height) = self.cascaded_message()?;
            height = height.max(its_height + 1);
            messages.push(message);
        }
        let span = receiver
            .span()
            .to(Span::new(self.previous_end, self.previous_end));
        Ok(Parsed {
            height: self.check_height(height)?,
            is_open_send: false,
            node: Expression::Cascade(Box::new(Cascade {
                receiver,
                messages,
                span,
            })),
        })
    }

    fn cascaded_message(&mut self) -> Parse<(Message, u32)> {
        self.literal_as_name();
        match self.token.kind {
            TokenKind::Identifier(_) => Ok((self.unary_part(), 0)),
            TokenKind::Keyword(_) => self.keyword_part(),
            _ => {
                self.split_negative_number();
                match self.token.kind {
                    TokenKind::Binary(_) => self.binary_part(),
                    _ => Err(self.failure("Cascade message expected")),
                }
            }
        }
    }

    fn keyword_message(&mut self) -> Parse<Parsed> {
        let receiver = self.binary_message()?;
        if !matches!(self.token.kind, TokenKind::Keyword(_)) {
            return Ok(receiver);
        }
        let (message, height) = self.keyword_part()?;
        self.send(receiver, message, height)
    }

    fn keyword_part(&mut self) -> Parse<(Message, u32)> {
        let mut selector = String::new();
        let (mut selector_parts, mut arguments) = (Vec::new(), Vec::new());
        let mut height = 0;
        while let TokenKind::Keyword(keyword) = &self.token.kind {
            selector.push_str(keyword);
            selector_parts.push(self.step().span);
            let argument = self.binary_message()?;
            height = height.max(argument.height);
            arguments.push(argument.node);
        }
        Ok((self.message(selector, selector_parts, arguments), height))
    }

    fn binary_message(&mut self) -> Parse<Parsed> {
        let mut receiver = self.unary_message()?;
        loop {
            self.split_negative_number();
            if !matches!(self.token.kind, TokenKind::Binary(_)) {
                return Ok(receiver);
            }
            let (message, height) = self.binary_part()?;
            receiver = self.send(receiver, message, height)?;
        }
    }

    fn binary_part(&mut self) -> Parse<(Message, u32)> {
        let operator = self.step();
        let TokenKind::Binary(selector) = operator.kind else {
            return Err(self.failure("Message expected"));
        };
        let argument = self.unary_message()?;
        let message = self.message(selector, vec![operator.span], vec![argument.node]);
        Ok((message, argument.height))
    }

    fn unary_message(&mut self) -> Parse<Parsed> {
        let mut receiver = self.primary()?;
        loop {
            self.literal_as_name();
            if !matches!(self.token.kind, TokenKind::Identifier(_)) {
                return Ok(receiver);
            }
            let message = self.unary_part();
            receiver = self.send(receiver, message, 0)?;
        }
    }

    fn unary_part(&mut self) -> Message {
        let token = self.step();
        let selector = match token.kind {
            TokenKind::Identifier(name) => name,
            _ => String::new(),
        };
        self.message(selector, vec![token.span], Vec::new())
    }

    fn message(
        &self,
        selector: String,
        selector_parts: Vec<Span>,
        arguments: Vec<Expression>,
    ) -> Message {
        let span = Span::new(selector_parts[0].start, self.previous_end);
        Message {
            selector,
            selector_parts,
            arguments,
            span,
        }
    }

    fn send(&self, receiver: Parsed, message: Message, height: u32) -> Parse<Parsed> {
        let span = receiver.node.span().to(message.span);
        Ok(Parsed {
            height: self.check_height(receiver.height.max(height) + 1)?,
            is_open_send: true,
            node: Expression::Send(Box::new(Send {
                receiver: receiver.node,
                message,
                inlined: None,
                span,
            })),
        })
    }

    /// `true`, `false` and `nil` are ordinary selectors where a message is expected.
    pub(super) fn literal_as_name(&mut self) {
        let name = match &self.token.kind {
            TokenKind::Literal(Literal::Nil) => "nil",
            TokenKind::Literal(Literal::True) => "true",
            TokenKind::Literal(Literal::False) => "false",
            _ => return,
        };
        self.token.kind = TokenKind::Identifier(name.to_owned());
    }

    /// `3-2`: the lexer read the number -2, the grammar wants the operator and the number 2.
    fn split_negative_number(&mut self) {
        let start = self.token.span.start;
        if self.following.is_some() || self.lexer.character_at(start) != Some('-') {
            return;
        }
        let TokenKind::Literal(literal) = &self.token.kind else {
            return;
        };
        let positive = match literal {
            Literal::Integer(value) => Literal::Integer(-value),
            Literal::Float(value) => Literal::Float(-value),
            Literal::ScaledDecimal {
                numerator,
                denominator,
                scale,
            } => Literal::ScaledDecimal {
                numerator: -numerator,
                denominator: denominator.clone(),
                scale: *scale,
            },
            _ => return,
        };
        self.following = Some(Token {
            kind: TokenKind::Literal(positive),
            span: Span::new(start + 1, self.token.span.end),
        });
        self.token = Token {
            kind: TokenKind::Binary("-".to_owned()),
            span: Span::new(start, start + 1),
        };
    }

    fn primary(&mut self) -> Parse<Parsed> {
        let node = match self.token.kind {
            TokenKind::Identifier(_) => Expression::Variable(self.variable()?),
            TokenKind::Literal(_) | TokenKind::ArrayStart | TokenKind::ByteArrayStart => {
                let start = self.token.span;
                let literal = self.literal_element()?;
                let end = Span::new(self.previous_end, self.previous_end);
                Expression::Literal(literal, start.to(end))
            }
            TokenKind::Special('[') => return self.nested(Self::block),
            TokenKind::Special('(') => return self.nested(Self::parenthesized),
            TokenKind::Special('{') => return self.nested(Self::brace_array),
            TokenKind::Special(':') => {
                let message = match self.following() {
                    TokenKind::Identifier(_) => "Unexpected block parameter",
                    _ => "Variable or expression expected",
                };
                return Err(self.failure(message));
            }
            _ => return Err(self.failure("Variable or expression expected")),
        };
        Ok(Parsed {
            node,
            height: 1,
            is_open_send: false,
        })
    }

    fn variable(&mut self) -> Parse<Variable> {
        let TokenKind::Identifier(name) = &self.token.kind else {
            return Err(self.failure("Variable name expected"));
        };
        let name = name.clone();
        Ok(Variable {
            name,
            span: self.step().span,
            binding: Binding::Unresolved,
        })
    }

    fn parenthesized(&mut self) -> Parse<Parsed> {
        let start = self.step().span;
        let mut inner = self.assignment()?;
        self.expect(')')?;
        *inner.node.span_mut() = Span::new(start.start, self.previous_end);
        inner.is_open_send = false;
        Ok(inner)
    }

    fn brace_array(&mut self) -> Parse<Parsed> {
        let start = self.step().span;
        let mut height = 0;
        let mut elements = Vec::new();
        self.periods();
        while !self.at('}') {
            if self.at_end() {
                return Err(self.failure("'}' expected"));
            }
            self.reject_closer()?;
            let element = self.assignment()?;
            height = height.max(element.height);
            elements.push(element.node);
            if !self.at('.') && !self.at('}') && !self.at_end() {
                self.reject_closer()?;
                return Err(self.failure("End of statement expected"));
            }
            self.periods();
        }
        self.step();
        Ok(Parsed {
            node: Expression::BraceArray(elements, Span::new(start.start, self.previous_end)),
            height: self.check_height(height + 1)?,
            is_open_send: false,
        })
    }

    fn block(&mut self) -> Parse<Parsed> {
        let start = self.step().span;
        self.blocks += 1;
        let scope = ScopeId(self.blocks);
        let arguments = self.block_arguments()?;
        if arguments.len() > MAX_ARGUMENTS {
            return Err(Failure {
                message: TOO_MANY_ARGUMENTS.to_owned(),
                span: start,
            });
        }
        let body_start = self.token.span.start;
        let temporaries = self.temporaries()?;
        let (statements, height) = self.statements(Some(']'))?;
        let body = self.sequence(body_start, temporaries, statements);
        self.expect(']')?;
        Ok(Parsed {
            height: self.check_height(height + 1)?,
            is_open_send: false,
            node: Expression::Block(Box::new(Block {
                scope,
                arguments,
                body,
                inlined: false,
                captures: Vec::new(),
                uses_self: false,
                has_non_local_return: false,
                span: Span::new(start.start, self.previous_end),
            })),
        })
    }

    fn block_arguments(&mut self) -> Parse<Vec<Declaration>> {
        let mut arguments = Vec::new();
        while self.at(':') {
            self.step();
            arguments.push(self.declaration(LocalKind::Argument)?);
        }
        if !arguments.is_empty() {
            if self.at_bar() {
                self.step_bar();
            } else if !self.at(']') {
                return Err(self.failure("'|' or parameter expected"));
            }
        }
        Ok(arguments)
    }
}

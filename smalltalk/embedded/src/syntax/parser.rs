//! Tokens to syntax tree: the grammar of Pharo 12, with its messages and positions where a source breaks it.
//!
//! Recursive descent with one token of lookahead. The first error ends the parse. Every level of brackets costs stack,
//! so [`MAX_NESTING`] bounds it, and [`MAX_DEPTH`] bounds the height of the tree for all who recurse over it later.

use super::ast::{
    Assignment, Binding, Block, Cascade, Declaration, Expression, Literal, Local, LocalId,
    LocalKind, Message, Method, MethodKind, Pragma, Primitive, ScopeId, Send, Sequence, Span,
    Statement, Storage, Variable,
};
use super::error::CompileError;
use super::lexer::{Lexer, Mode, Token, TokenKind};

/// How deeply brackets, parentheses, braces, literal arrays and assignments can be nested.
pub const MAX_NESTING: u32 = 200;

/// How high a syntax tree can be: the longest chain `a b c …` of messages has about this many.
pub const MAX_DEPTH: u32 = 1000;

/// Parses an expression sequence, as a workspace evaluates it. Names are not resolved.
pub fn parse_do_it(source: &str) -> Result<Method, CompileError> {
    Parser::new(source).run(Parser::do_it)
}

/// Parses a method definition. Names are not resolved.
pub fn parse_method(source: &str) -> Result<Method, CompileError> {
    Parser::new(source).run(Parser::method)
}

/// A syntax error before it knows line and column.
struct Failure {
    message: String,
    span: Span,
}

type Parse<T> = Result<T, Failure>;

/// An expression with what only the parser wants to know about it.
struct Parsed {
    node: Expression,
    /// Height of its tree.
    height: u32,
    /// A message send without parentheses around it: what a cascade can continue.
    is_open_send: bool,
}

struct Parser<'a> {
    source: &'a str,
    lexer: Lexer,
    mode: Mode,
    token: Token,
    /// The token after `token`, once somebody looked.
    following: Option<Token>,
    /// End of the last token that was consumed.
    previous_end: u32,
    nesting: u32,
    blocks: u32,
    locals: Vec<Local>,
    pragmas: Vec<Pragma>,
    primitive: Option<Primitive>,
}

impl<'a> Parser<'a> {
    fn new(source: &'a str) -> Self {
        let mut lexer = Lexer::new(source);
        let token = lexer.next(Mode::Code);
        Self {
            source,
            lexer,
            mode: Mode::Code,
            token,
            following: None,
            previous_end: 0,
            nesting: 0,
            blocks: 0,
            locals: Vec::new(),
            pragmas: Vec::new(),
            primitive: None,
        }
    }

    fn run(
        mut self,
        parse: impl FnOnce(&mut Self) -> Parse<Method>,
    ) -> Result<Method, CompileError> {
        parse(&mut self)
            .map_err(|failure| CompileError::new(self.source, failure.message, failure.span))
    }

    // Tokens

    fn step(&mut self) -> Token {
        let next = match self.following.take() {
            Some(token) => token,
            None => self.lexer.next(self.mode),
        };
        self.previous_end = self.token.span.end;
        std::mem::replace(&mut self.token, next)
    }

    fn following(&mut self) -> &TokenKind {
        let (lexer, mode) = (&mut self.lexer, self.mode);
        &self.following.get_or_insert_with(|| lexer.next(mode)).kind
    }

    fn at(&self, special: char) -> bool {
        self.token.kind == TokenKind::Special(special)
    }

    fn at_end(&self) -> bool {
        self.token.kind == TokenKind::End
    }

    fn at_operator(&self, operator: &str) -> bool {
        matches!(&self.token.kind, TokenKind::Binary(text) if text == operator)
    }

    fn at_bar(&self) -> bool {
        matches!(&self.token.kind, TokenKind::Binary(text) if text.starts_with('|'))
    }

    /// Consumes one bar: `||` may open and close temporaries, or close arguments and open temporaries.
    fn step_bar(&mut self) {
        let after = self.token.span.start + 1;
        self.lexer.seek(after);
        self.following = None;
        self.step();
        self.previous_end = after;
    }

    fn expect(&mut self, closer: char) -> Parse<()> {
        if !self.at(closer) {
            return Err(self.failure(&format!("'{closer}' expected")));
        }
        self.step();
        Ok(())
    }

    /// The failure `message` at the current token; what the lexer found wrong with that token goes first.
    fn failure(&self, message: &str) -> Failure {
        let (message, span) = match &self.token.kind {
            TokenKind::Error { cause, at } => {
                (cause.clone(), Span::new(*at, self.token.span.end.max(*at)))
            }
            _ => (message.to_owned(), self.token.span),
        };
        Failure { message, span }
    }

    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        if self.nesting == MAX_NESTING {
            return Err(self.failure(&format!(
                "Nested deeper than {MAX_NESTING} levels: move the inner part to a method or variable"
            )));
        }
        self.nesting += 1;
        let result = parse(self);
        self.nesting -= 1;
        result
    }

    fn check_height(&self, height: u32) -> Parse<u32> {
        if height > MAX_DEPTH {
            return Err(self.failure(&format!(
                "Expression of more than {MAX_DEPTH} chained messages: split it into several statements"
            )));
        }
        Ok(height)
    }

    // Methods

    fn do_it(&mut self) -> Parse<Method> {
        self.body("DoIt".to_owned(), Vec::new(), Vec::new(), MethodKind::DoIt)
    }

    fn method(&mut self) -> Parse<Method> {
        let (selector, parts, arguments) = self.pattern()?;
        if arguments.len() > MAX_ARGUMENTS {
            return Err(Failure {
                message: TOO_MANY_ARGUMENTS.to_owned(),
                span: parts[0],
            });
        }
        self.pragmas()?;
        self.body(selector, parts, arguments, MethodKind::Method)
    }

    fn pattern(&mut self) -> Parse<(String, Vec<Span>, Vec<Declaration>)> {
        self.literal_as_name();
        let mut selector = String::new();
        let (mut parts, mut arguments) = (Vec::new(), Vec::new());
        match &self.token.kind {
            TokenKind::Identifier(name) => {
                selector.clone_from(name);
                parts.push(self.step().span);
            }
            TokenKind::Binary(operator) => {
                selector.clone_from(operator);
                parts.push(self.step().span);
                arguments.push(self.declaration(LocalKind::Argument)?);
            }
            TokenKind::Keyword(_) => {
                while let TokenKind::Keyword(keyword) = &self.token.kind {
                    selector.push_str(keyword);
                    parts.push(self.step().span);
                    arguments.push(self.declaration(LocalKind::Argument)?);
                }
            }
            _ => return Err(self.failure("Message pattern expected")),
        }
        Ok((selector, parts, arguments))
    }

    fn body(
        &mut self,
        selector: String,
        selector_parts: Vec<Span>,
        arguments: Vec<Declaration>,
        kind: MethodKind,
    ) -> Parse<Method> {
        let start = self.token.span.start;
        let temporaries = self.temporaries()?;
        self.pragmas()?;
        let (statements, _) = self.statements(None)?;
        Ok(Method {
            kind,
            selector,
            selector_parts,
            arguments,
            body: self.sequence(start, temporaries, statements),
            pragmas: std::mem::take(&mut self.pragmas),
            primitive: self.primitive.take(),
            comments: self.lexer.take_comments(),
            locals: std::mem::take(&mut self.locals),
            has_non_local_return: false,
            span: Span::new(0, self.lexer.len() as u32),
        })
    }

    fn sequence(
        &self,
        start: u32,
        temporaries: Vec<Declaration>,
        statements: Vec<Statement>,
    ) -> Sequence {
        let end = self.previous_end.max(start);
        Sequence {
            temporaries,
            statements,
            span: Span::new(start, end),
        }
    }

    /// A name that is declared here.
    fn declaration(&mut self, kind: LocalKind) -> Parse<Declaration> {
        let TokenKind::Identifier(name) = &self.token.kind else {
            return Err(self.failure("Variable name expected"));
        };
        let name = name.clone();
        let span = self.step().span;
        Ok(self.declare(name, span, kind))
    }

    fn declare(&mut self, name: String, span: Span, kind: LocalKind) -> Declaration {
        let local = LocalId(self.locals.len() as u32);
        self.locals.push(Local {
            name: name.clone(),
            kind,
            scope: ScopeId::METHOD,
            storage: Storage::Slot,
        });
        Declaration { name, span, local }
    }

    fn temporaries(&mut self) -> Parse<Vec<Declaration>> {
        let mut temporaries = Vec::new();
        if self.at_bar() {
            self.step_bar();
            while matches!(self.token.kind, TokenKind::Identifier(_)) {
                temporaries.push(self.declaration(LocalKind::Temporary)?);
            }
            if !self.at_bar() {
                return Err(self.failure("'|' or variable expected"));
            }
            self.step_bar();
        }
        Ok(temporaries)
    }

    // Pragmas

    fn pragmas(&mut self) -> Parse<()> {
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

    // Statements

    /// Statements up to `closer`, which stays the current token, or to the end of the source; and the height of the
    /// highest one.
    fn statements(&mut self, closer: Option<char>) -> Parse<(Vec<Statement>, u32)> {
        let mut statements = Vec::new();
        let mut height = 0;
        self.periods();
        while !self.at_end() && !closer.is_some_and(|c| self.at(c)) {
            let (statement, its_height) = self.statement()?;
            height = height.max(its_height);
            statements.push(statement);
            if closer.is_some_and(|c| self.at(c)) {
                break;
            }
            self.reject_closer()?;
            if !self.at('.') && !self.at_end() {
                return Err(self.failure("End of statement expected"));
            }
            self.periods();
        }
        Ok((statements, height))
    }

    fn periods(&mut self) {
        while self.at('.') {
            self.step();
        }
    }

    fn statement(&mut self) -> Parse<(Statement, u32)> {
        self.reject_closer()?;
        if !self.at('^') {
            let value = self.assignment()?;
            return Ok((Statement::Expression(value.node), value.height));
        }
        let start = self.step().span;
        let value = self.assignment()?;
        let span = start.to(value.node.span());
        let statement = Statement::Return {
            value: value.node,
            span,
        };
        Ok((statement, value.height))
    }

    /// Fails at a closing bracket: called where every bracket that is open would be closed by another one.
    fn reject_closer(&self) -> Parse<()> {
        match self.token.kind {
            TokenKind::Special(closer @ (')' | ']' | '}')) => {
                Err(self.failure(&format!("Missing opener for closer: {closer}")))
            }
            _ => Ok(()),
        }
    }

    // Expressions, from the loosest binding to the tightest

    fn assignment(&mut self) -> Parse<Parsed> {
        if self.token.kind == TokenKind::Assignment {
            // Pharo's own spelling
            return Err(self.failure("variable expected in assigment"));
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
    fn literal_as_name(&mut self) {
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

    // Primaries

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

    // Literals

    /// A literal in code, or an element of a literal array.
    fn literal_element(&mut self) -> Parse<Literal> {
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

/// The most arguments that a method or block can have.
const MAX_ARGUMENTS: usize = 15;
const TOO_MANY_ARGUMENTS: &str = "Too many arguments";

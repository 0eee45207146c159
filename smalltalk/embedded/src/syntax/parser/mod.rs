//! Tokens to syntax tree: the grammar of Pharo 12, with its messages and positions where a source breaks it.
//!
//! Recursive descent with one token of lookahead. The first error ends the parse. Every level of brackets costs stack,
//! so [`MAX_NESTING`] bounds it, and [`MAX_DEPTH`] bounds the height of the tree for all who recurse over it later.

mod expressions;
mod literals;
mod pragmas;

use super::ast::{
    Declaration, Expression, Local, LocalId, LocalKind, Method, MethodKind, Pragma, Primitive,
    ScopeId, Sequence, Span, Statement, Storage,
};
use super::error::CompileError;
use super::lexer::{Lexer, Mode, Token, TokenKind};

/// How deeply brackets, parentheses, braces, literal arrays and assignments can be nested.
pub const MAX_NESTING: u32 = 200;

/// How high a syntax tree can be: the longest chain `a b c …` of messages has about this many.
pub const MAX_DEPTH: u32 = 1000;

/// Parses an expression sequence, as a workspace evaluates it. Names are not resolved.
///
/// # Errors
/// The first syntax error.
pub fn parse_do_it(source: &str) -> Result<Method, CompileError> {
    Parser::new(source).run(Parser::do_it)
}

/// Parses a method definition. Names are not resolved.
///
/// # Errors
/// The first syntax error.
pub fn parse_method(source: &str) -> Result<Method, CompileError> {
    Parser::new(source).run(Parser::method)
}

/// The most arguments that a method or block can have.
const MAX_ARGUMENTS: usize = 15;
const TOO_MANY_ARGUMENTS: &str = "Too many arguments";

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
}

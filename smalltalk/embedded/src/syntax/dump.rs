//! Syntax trees as S-expressions, for tests and for looking at what the compiler understood.
//!
//! `(selector receiver argument …)` is a send, `(:= name value)` an assignment, `(^ value)` a return. After analysis a
//! variable shows what it is: `a` a slot, `a*` a shared cell, `@a` an instance variable, `!a` a shared variable, `?a` not
//! resolved. A block that compiles to jumps is `(inline …)`, one that becomes a closure `(block … (captures …) …)`.

use std::fmt::{self, Display, Formatter};

use super::ast::{
    Binding, Block, Cascade, Declaration, Expression, Literal, LocalId, Message, Method,
    MethodKind, Sequence, Statement, Storage, Variable,
};

impl Display for Method {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.kind {
            MethodKind::DoIt => write!(f, "(do-it")?,
            MethodKind::Method => write!(f, "(method {}", self.selector)?,
        }
        let dump = Dump(self);
        dump.names(f, "args", &self.arguments)?;
        for pragma in &self.pragmas {
            write!(f, " (pragma {}", pragma.selector)?;
            for argument in &pragma.arguments {
                write!(f, " {argument}")?;
            }
            write!(f, ")")?;
        }
        dump.sequence(f, &self.body)?;
        write!(f, ")")
    }
}

/// Writes nodes of a method, whose locals it needs.
struct Dump<'a>(&'a Method);

impl Dump<'_> {
    fn names(&self, f: &mut Formatter<'_>, head: &str, names: &[Declaration]) -> fmt::Result {
        if names.is_empty() {
            return Ok(());
        }
        write!(f, " ({head}")?;
        for declaration in names {
            write!(f, " ")?;
            self.local(f, declaration.local)?;
        }
        write!(f, ")")
    }

    fn local(&self, f: &mut Formatter<'_>, local: LocalId) -> fmt::Result {
        let local = &self.0.locals[local.index()];
        let mark = if local.storage == Storage::Cell {
            "*"
        } else {
            ""
        };
        write!(f, "{}{mark}", local.name)
    }

    fn sequence(&self, f: &mut Formatter<'_>, sequence: &Sequence) -> fmt::Result {
        self.names(f, "temps", &sequence.temporaries)?;
        for statement in &sequence.statements {
            write!(f, " ")?;
            match statement {
                Statement::Expression(value) => self.expression(f, value)?,
                Statement::Return { value, .. } => {
                    write!(f, "(^ ")?;
                    self.expression(f, value)?;
                    write!(f, ")")?;
                }
            }
        }
        Ok(())
    }

    fn expression(&self, f: &mut Formatter<'_>, expression: &Expression) -> fmt::Result {
        match expression {
            Expression::Literal(literal, _) => write!(f, "{literal}"),
            Expression::Variable(variable) => self.variable(f, variable),
            Expression::Assignment(assignment) => {
                write!(f, "(:= ")?;
                self.variable(f, &assignment.target)?;
                write!(f, " ")?;
                self.expression(f, &assignment.value)?;
                write!(f, ")")
            }
            Expression::Send(send) => {
                write!(f, "({} ", send.message.selector)?;
                self.expression(f, &send.receiver)?;
                self.arguments(f, &send.message)
            }
            Expression::Cascade(cascade) => self.cascade(f, cascade),
            Expression::Block(block) => self.block(f, block),
            Expression::BraceArray(elements, _) => {
                write!(f, "(brace")?;
                for element in elements {
                    write!(f, " ")?;
                    self.expression(f, element)?;
                }
                write!(f, ")")
            }
        }
    }

    fn arguments(&self, f: &mut Formatter<'_>, message: &Message) -> fmt::Result {
        for argument in &message.arguments {
            write!(f, " ")?;
            self.expression(f, argument)?;
        }
        write!(f, ")")
    }

    fn cascade(&self, f: &mut Formatter<'_>, cascade: &Cascade) -> fmt::Result {
        write!(f, "(cascade ")?;
        self.expression(f, &cascade.receiver)?;
        for message in &cascade.messages {
            write!(f, " ({}", message.selector)?;
            self.arguments(f, message)?;
        }
        write!(f, ")")
    }

    fn block(&self, f: &mut Formatter<'_>, block: &Block) -> fmt::Result {
        write!(f, "({}", if block.inlined { "inline" } else { "block" })?;
        self.names(f, "args", &block.arguments)?;
        if !block.captures.is_empty() {
            write!(f, " (captures")?;
            for local in &block.captures {
                write!(f, " ")?;
                self.local(f, *local)?;
            }
            write!(f, ")")?;
        }
        self.sequence(f, &block.body)?;
        write!(f, ")")
    }

    fn variable(&self, f: &mut Formatter<'_>, variable: &Variable) -> fmt::Result {
        match variable.binding {
            Binding::Local(local) => self.local(f, local),
            Binding::Instance(_) => write!(f, "@{}", variable.name),
            Binding::Shared(_) => write!(f, "!{}", variable.name),
            Binding::Global => write!(f, "!!{}", variable.name),
            Binding::Unresolved => write!(f, "?{}", variable.name),
            Binding::SelfVariable
            | Binding::Super
            | Binding::ThisContext
            | Binding::ThisProcess => write!(f, "{}", variable.name),
        }
    }
}

/// As the literal is written in Smalltalk; a scaled decimal shows its exact fraction.
impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Literal::Nil => write!(f, "nil"),
            Literal::True => write!(f, "true"),
            Literal::False => write!(f, "false"),
            Literal::Integer(value) => write!(f, "{value}"),
            Literal::Float(value) => write!(f, "{value:?}"),
            Literal::ScaledDecimal {
                numerator,
                denominator,
                scale,
            } => write!(f, "{numerator}/{denominator}s{scale}"),
            Literal::Character(character) => write!(f, "${character}"),
            Literal::String(text) => write!(f, "'{}'", text.replace('\'', "''")),
            Literal::Symbol(text) => write!(f, "#{text}"),
            Literal::Array(elements) => {
                write!(f, "#(")?;
                for (index, element) in elements.iter().enumerate() {
                    write!(f, "{}{element}", if index > 0 { " " } else { "" })?;
                }
                write!(f, ")")
            }
            Literal::ByteArray(bytes) => {
                write!(f, "#[")?;
                for (index, byte) in bytes.iter().enumerate() {
                    write!(f, "{}{byte}", if index > 0 { " " } else { "" })?;
                }
                write!(f, "]")
            }
        }
    }
}

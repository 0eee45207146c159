//! Names, captured variables and inlined control messages: what the parser leaves open, filled into the tree.
//!
//! One walk in evaluation order. Errors are collected and the first one in the source is reported, as Pharo does.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::ast::{
    Binding, Block, Declaration, Expression, LocalId, LocalKind, Message, Method, ScopeId, Send,
    Sequence, Span, Statement, Storage, Variable,
};
use super::environment::{Environment, Resolution};
use super::error::CompileError;
use super::inline;
use super::parser::{parse_do_it, parse_method};

/// Parses and analyses an expression sequence.
///
/// # Errors
/// The first syntax error, else the first name that stands for nothing or cannot be assigned.
pub fn compile_do_it(
    source: &str,
    environment: &mut dyn Environment,
) -> Result<Method, CompileError> {
    let mut method = parse_do_it(source)?;
    analyze(&mut method, source, environment)?;
    Ok(method)
}

/// Parses and analyses a method definition.
///
/// # Errors
/// The first syntax error, else the first name that stands for nothing or cannot be assigned.
pub fn compile_method(
    source: &str,
    environment: &mut dyn Environment,
) -> Result<Method, CompileError> {
    let mut method = parse_method(source)?;
    analyze(&mut method, source, environment)?;
    Ok(method)
}

/// Resolves every name of `method`, which was parsed from `source`, and finds out where its variables live.
///
/// Names that are assigned, that nothing declares and that `environment` is willing to declare are declared in it, once
/// it is clear that nothing else is wrong.
///
/// # Errors
/// The first name in the source that stands for nothing or cannot be assigned.
pub fn analyze(
    method: &mut Method,
    source: &str,
    environment: &mut dyn Environment,
) -> Result<(), CompileError> {
    let first = Analysis::run(method, environment);
    let failure = first
        .failures
        .iter()
        .filter(|failure| {
            failure.message != UNDECLARED || !first.declarable.contains(&failure.name)
        })
        .min_by_key(|failure| failure.span.start);
    if let Some(failure) = failure {
        return Err(CompileError::new(source, failure.message, failure.span).about(&failure.name));
    }
    if first.declarable.is_empty() {
        return Ok(());
    }
    for name in &first.declarable {
        environment.declare(name);
    }
    let second = Analysis::run(method, environment);
    match second.failures.first() {
        Some(failure) => {
            Err(CompileError::new(source, failure.message, failure.span).about(&failure.name))
        }
        None => Ok(()),
    }
}

const UNDECLARED: &str = "Undeclared variable";
const READ_ONLY: &str = "Assignment to read-only variable";

struct Failure {
    message: &'static str,
    span: Span,
    name: String,
}

/// A method or a block that becomes a closure: what has a frame of its own.
struct Frame {
    scope: ScopeId,
    captures: Vec<LocalId>,
    captured: HashSet<LocalId>,
    uses_self: bool,
    has_non_local_return: bool,
}

impl Frame {
    fn new(scope: ScopeId) -> Self {
        Self {
            scope,
            captures: Vec::new(),
            captured: HashSet::new(),
            uses_self: false,
            has_non_local_return: false,
        }
    }
}

/// What the walk found out about one local.
#[derive(Clone, Copy)]
struct Usage {
    kind: LocalKind,
    scope: ScopeId,
    captured: bool,
    assigned: bool,
}

struct Analysis<'a> {
    environment: &'a mut dyn Environment,
    usages: Vec<Usage>,
    /// The visible locals of each name, innermost last.
    visible: HashMap<String, Vec<LocalId>>,
    /// The method and the closures around the current node.
    frames: Vec<Frame>,
    failures: Vec<Failure>,
    /// Names to be declared because they are assigned.
    declarable: BTreeSet<String>,
}

impl<'a> Analysis<'a> {
    fn run(method: &mut Method, environment: &'a mut dyn Environment) -> Self {
        let usage = |kind| Usage {
            kind,
            scope: ScopeId::METHOD,
            captured: false,
            assigned: false,
        };
        let mut analysis = Self {
            environment,
            usages: method.locals.iter().map(|l| usage(l.kind)).collect(),
            visible: HashMap::new(),
            frames: vec![Frame::new(ScopeId::METHOD)],
            failures: Vec::new(),
            declarable: BTreeSet::new(),
        };
        analysis.enter(&method.arguments);
        if let Some(error) = method.primitive.as_ref().and_then(|p| p.error) {
            let name = method.locals[error.index()].name.clone();
            analysis.visible.entry(name).or_default().push(error);
        }
        analysis.sequence(&mut method.body);
        method.has_non_local_return = analysis.frames[0].has_non_local_return;
        for (local, usage) in method.locals.iter_mut().zip(&analysis.usages) {
            local.scope = usage.scope;
            local.storage = if usage.captured && usage.assigned {
                Storage::Cell
            } else {
                Storage::Slot
            };
        }
        analysis
    }

    fn frame(&mut self) -> &mut Frame {
        let last = self.frames.len() - 1;
        &mut self.frames[last]
    }

    // Scopes

    fn enter(&mut self, declarations: &[Declaration]) {
        let scope = self.frame().scope;
        for declaration in declarations {
            self.usages[declaration.local.index()].scope = scope;
            self.visible
                .entry(declaration.name.clone())
                .or_default()
                .push(declaration.local);
        }
    }

    fn leave(&mut self, declarations: &[Declaration]) {
        for declaration in declarations {
            if let Some(locals) = self.visible.get_mut(&declaration.name) {
                locals.pop();
            }
        }
    }

    fn lookup(&mut self, name: &str) -> Option<LocalId> {
        self.visible.get(name)?.last().copied()
    }

    /// Notes that the current frame uses `local`: every closure between it and the local's own frame captures it.
    fn use_local(&mut self, local: LocalId) {
        let usage = &mut self.usages[local.index()];
        for frame in self.frames.iter_mut().rev() {
            if frame.scope == usage.scope {
                break;
            }
            usage.captured = true;
            if frame.captured.insert(local) {
                frame.captures.push(local);
            }
        }
    }

    // Variables

    fn read(&mut self, variable: &mut Variable) {
        variable.binding = if let Some(local) = self.lookup(&variable.name) {
            self.use_local(local);
            Binding::Local(local)
        } else if let Some(pseudo) = pseudo_variable(&variable.name) {
            self.frame().uses_self |= matches!(pseudo, Binding::SelfVariable | Binding::Super);
            pseudo
        } else {
            match self.environment.resolve(&variable.name) {
                Some(Resolution::Instance(index)) => {
                    self.frame().uses_self = true;
                    Binding::Instance(index)
                }
                Some(Resolution::Shared { id, .. }) => Binding::Shared(id),
                None if self.environment.may_be_defined_later(&variable.name) => Binding::Global,
                None => {
                    self.fail(UNDECLARED, variable);
                    Binding::Unresolved
                }
            }
        };
    }

    fn write(&mut self, variable: &mut Variable) {
        if let Some(local) = self.lookup(&variable.name) {
            self.use_local(local);
            let usage = &mut self.usages[local.index()];
            usage.assigned = true;
            if usage.kind == LocalKind::Argument {
                self.fail(READ_ONLY, variable);
            }
            variable.binding = Binding::Local(local);
        } else if let Some(pseudo) = pseudo_variable(&variable.name) {
            self.fail(READ_ONLY, variable);
            variable.binding = pseudo;
        } else {
            match self.environment.resolve(&variable.name) {
                Some(Resolution::Instance(index)) => {
                    self.frame().uses_self = true;
                    variable.binding = Binding::Instance(index);
                }
                Some(Resolution::Shared { id, writable }) => {
                    if !writable {
                        self.fail(READ_ONLY, variable);
                    }
                    variable.binding = Binding::Shared(id);
                }
                None if self.environment.can_declare(&variable.name) => {
                    self.declarable.insert(variable.name.clone());
                    variable.binding = Binding::Unresolved;
                }
                None => self.fail(UNDECLARED, variable),
            }
        }
    }

    fn fail(&mut self, message: &'static str, variable: &Variable) {
        self.failures.push(Failure {
            message,
            span: variable.span,
            name: variable.name.clone(),
        });
    }

    // The tree

    fn sequence(&mut self, sequence: &mut Sequence) {
        self.enter(&sequence.temporaries);
        for statement in &mut sequence.statements {
            match statement {
                Statement::Expression(value) => self.expression(value),
                Statement::Return { value, .. } => {
                    self.expression(value);
                    if self.frame().scope != ScopeId::METHOD {
                        self.frame().has_non_local_return = true;
                    }
                }
            }
        }
        self.leave(&sequence.temporaries);
    }

    fn expression(&mut self, expression: &mut Expression) {
        match expression {
            Expression::Literal(..) => {}
            Expression::Variable(variable) => self.read(variable),
            Expression::Assignment(assignment) => {
                self.expression(&mut assignment.value);
                self.write(&mut assignment.target);
            }
            Expression::Send(send) => self.send(send),
            Expression::Cascade(cascade) => {
                self.expression(&mut cascade.receiver);
                for message in &mut cascade.messages {
                    self.arguments(message);
                }
            }
            Expression::Block(block) => self.block(block),
            Expression::BraceArray(elements, _) => {
                for element in elements {
                    self.expression(element);
                }
            }
        }
    }

    fn send(&mut self, send: &mut Send) {
        send.inlined = inline::kind(send);
        if let Some(kind) = send.inlined {
            inline::mark_blocks(send, kind);
        }
        self.expression(&mut send.receiver);
        self.arguments(&mut send.message);
    }

    fn arguments(&mut self, message: &mut Message) {
        for argument in &mut message.arguments {
            self.expression(argument);
        }
    }

    fn block(&mut self, block: &mut Block) {
        if !block.inlined {
            self.frames.push(Frame::new(block.scope));
        }
        self.enter(&block.arguments);
        self.sequence(&mut block.body);
        self.leave(&block.arguments);
        if block.inlined {
            return;
        }
        if let Some(frame) = self.frames.pop() {
            let outer = self.frame();
            outer.uses_self |= frame.uses_self;
            outer.has_non_local_return |= frame.has_non_local_return;
            block.captures = frame.captures;
            block.uses_self = frame.uses_self;
            block.has_non_local_return = frame.has_non_local_return;
        }
    }
}

fn pseudo_variable(name: &str) -> Option<Binding> {
    match name {
        "self" => Some(Binding::SelfVariable),
        "super" => Some(Binding::Super),
        "thisContext" => Some(Binding::ThisContext),
        "thisProcess" => Some(Binding::ThisProcess),
        _ => None,
    }
}

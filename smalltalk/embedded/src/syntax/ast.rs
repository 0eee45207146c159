//! The syntax tree of methods and doIts, with the source range of every node.
//!
//! The parser builds it with names only; [`analyze`](super::analyze()) then resolves the names in place
//! ([`Variable::binding`], [`Local`], [`Block::captures`], [`Send::inlined`]), so that code generation needs
//! no name lookup of its own. Depth is bounded by the parser (see `parser::MAX_DEPTH`): recursing over a tree
//! is safe on an ordinary stack.

use num_bigint::BigInt;

/// A range of the source in **characters**, 0-based and half-open: `source.chars().skip(start).take(end - start)`.
///
/// [`Span::first`] and [`Span::last`] are the same range as Smalltalk and the protocol count it: 1-based, inclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// Index of the first character, 0-based.
    pub start: u32,
    /// Index after the last character, 0-based.
    pub end: u32,
}

impl Span {
    /// The range from `start` up to, not including, `end`; 0-based character indexes.
    pub fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// The smallest range that covers both.
    #[must_use]
    pub fn to(self, other: Span) -> Self {
        Self {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }

    /// Index of the first character, 1-based: Pharo's `start`.
    pub fn first(self) -> u32 {
        self.start + 1
    }

    /// Index of the last character, 1-based and inclusive: Pharo's `stop`. An empty range has `last() == first() - 1`.
    pub fn last(self) -> u32 {
        self.end
    }

    /// Whether the range holds no character.
    pub fn is_empty(self) -> bool {
        self.start >= self.end
    }
}

/// A compiled unit: a method or a doIt.
#[derive(Clone, Debug, PartialEq)]
pub struct Method {
    /// What the source was parsed as.
    pub kind: MethodKind,
    /// The selector; `DoIt` for a doIt.
    pub selector: String,
    /// Where the selector's parts stand in the pattern; empty for a doIt.
    pub selector_parts: Vec<Span>,
    /// The arguments, in order.
    pub arguments: Vec<Declaration>,
    /// Temporaries and statements.
    pub body: Sequence,
    /// The pragmas in source order, primitive declarations included.
    pub pragmas: Vec<Pragma>,
    /// The primitive that the method declares, already read out of its pragma.
    pub primitive: Option<Primitive>,
    /// The comments in source order, with their quotes.
    pub comments: Vec<Span>,
    /// Every argument and temporary of the method and of its blocks, by [`LocalId`].
    pub locals: Vec<Local>,
    /// Whether a block returns from the method (`[ ^ 3 ]`), so that the home context must be reachable. Set by analysis.
    pub has_non_local_return: bool,
    /// The whole source.
    pub span: Span,
}

/// Whether a [`Method`] was parsed as a method definition or as an expression sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MethodKind {
    /// A method: without a return it answers self.
    Method,
    /// An expression sequence: it answers its last statement's value, nil when there is none.
    DoIt,
}

/// `<primitive: 'integerAdd'>`, `<primitive: 60 error: code>`, `<primitive: 'x' module: 'M'>`.
#[derive(Clone, Debug, PartialEq)]
pub struct Primitive {
    /// The name, or a number in decimal.
    pub name: String,
    /// The module, when one is given.
    pub module: Option<String>,
    /// The temporary that receives the failure code; declared by the pragma itself.
    pub error: Option<LocalId>,
}

/// A pragma: `<script>`, `<gtInspectorPresentationOrder: 30>`.
#[derive(Clone, Debug, PartialEq)]
pub struct Pragma {
    /// Its selector.
    pub selector: String,
    /// Its arguments; the variable of `error: code` appears as a symbol.
    pub arguments: Vec<Literal>,
    /// From `<` to `>`.
    pub span: Span,
}

/// Temporaries and statements of a method or block.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sequence {
    /// The temporaries, all `| |` declarations together.
    pub temporaries: Vec<Declaration>,
    /// The statements, in order.
    pub statements: Vec<Statement>,
    /// From the first temporary bar or statement to the end of the last statement.
    pub span: Span,
}

/// One statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// An expression evaluated for its effect, or for its value when it is the last.
    Expression(Expression),
    /// `^ value`. Inside a block it returns from the home method.
    Return {
        /// What is returned.
        value: Expression,
        /// From `^` to the end of the value.
        span: Span,
    },
}

impl Statement {
    /// The source range.
    pub fn span(&self) -> Span {
        match self {
            Statement::Expression(expression) => expression.span(),
            Statement::Return { span, .. } => *span,
        }
    }

    /// The expression itself, or the one that is returned.
    pub fn expression(&self) -> &Expression {
        match self {
            Statement::Expression(value) | Statement::Return { value, .. } => value,
        }
    }
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// A literal, with nil, true and false among them.
    Literal(Literal, Span),
    /// A variable that is read; self, super, thisContext and thisProcess included.
    Variable(Variable),
    /// `name := value`.
    Assignment(Box<Assignment>),
    /// A message send.
    Send(Box<Send>),
    /// `receiver one; two; three`.
    Cascade(Box<Cascade>),
    /// `[ :x | … ]`.
    Block(Box<Block>),
    /// `{ 1. 2 }`, evaluated at run time.
    BraceArray(Vec<Expression>, Span),
}

impl Expression {
    /// The source range, with the parentheses around the expression.
    pub fn span(&self) -> Span {
        match self {
            Expression::Literal(_, span) | Expression::BraceArray(_, span) => *span,
            Expression::Variable(variable) => variable.span,
            Expression::Assignment(assignment) => assignment.span,
            Expression::Send(send) => send.span,
            Expression::Cascade(cascade) => cascade.span,
            Expression::Block(block) => block.span,
        }
    }

    /// The source range, to be widened by the parser.
    pub(super) fn span_mut(&mut self) -> &mut Span {
        match self {
            Expression::Literal(_, span) | Expression::BraceArray(_, span) => span,
            Expression::Variable(variable) => &mut variable.span,
            Expression::Assignment(assignment) => &mut assignment.span,
            Expression::Send(send) => &mut send.span,
            Expression::Cascade(cascade) => &mut cascade.span,
            Expression::Block(block) => &mut block.span,
        }
    }

    /// Whether this is the variable `super`.
    pub fn is_super(&self) -> bool {
        matches!(self, Expression::Variable(variable) if variable.name == "super")
    }
}

/// A use of a variable.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// The name as written.
    pub name: String,
    /// Where it stands.
    pub span: Span,
    /// What it stands for; [`Binding::Unresolved`] until analysis.
    pub binding: Binding,
}

/// What a variable's name stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Binding {
    /// Not analysed yet. Never seen by code generation.
    #[default]
    Unresolved,
    /// The receiver.
    SelfVariable,
    /// The receiver, with lookup that begins above the method's class.
    Super,
    /// The running context.
    ThisContext,
    /// The running process.
    ThisProcess,
    /// An argument or temporary: index into [`Method::locals`].
    Local(LocalId),
    /// An instance variable: 0-based index among all instance variables, inherited ones first.
    Instance(u32),
    /// A class variable, pool variable, session variable or global; the number is the environment's own.
    Shared(SharedId),
    /// A global that nothing defines yet: looked up by its name when the code runs.
    Global,
}

/// The environment's own number for a class variable, session variable or global. The tree only carries it through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SharedId(pub u64);

/// Index of an argument or temporary in [`Method::locals`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LocalId(pub u32);

impl LocalId {
    /// The index into [`Method::locals`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A block within a method; [`ScopeId::METHOD`] is the method itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScopeId(pub u32);

impl ScopeId {
    /// The method's own scope.
    pub const METHOD: ScopeId = ScopeId(0);
}

/// The declaration of an argument or temporary.
#[derive(Clone, Debug, PartialEq)]
pub struct Declaration {
    /// Its name.
    pub name: String,
    /// Where the name stands, without the colon of a block argument.
    pub span: Span,
    /// Its entry in [`Method::locals`].
    pub local: LocalId,
}

/// One argument or temporary, with what analysis found out about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Local {
    /// Its name.
    pub name: String,
    /// Argument or temporary.
    pub kind: LocalKind,
    /// The frame that holds it: the method, or the innermost enclosing block that is **not** inlined. Set by analysis.
    pub scope: ScopeId,
    /// Where it lives. Set by analysis.
    pub storage: Storage,
}

/// Argument or temporary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocalKind {
    /// An argument of the method or of a block: read-only.
    Argument,
    /// A temporary.
    Temporary,
}

/// Where an argument or temporary lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Storage {
    /// A plain slot of its frame. Blocks that use it receive a **copy of its value** when they are created, which is
    /// indistinguishable from sharing because it is not assigned any more by then.
    #[default]
    Slot,
    /// A heap cell that the frame and the blocks share, because the variable is captured and assigned.
    /// The cell is created where its declaring block begins: for an inlined loop body, anew in each round.
    Cell,
}

/// `name := value`.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// What is assigned.
    pub target: Variable,
    /// The value.
    pub value: Expression,
    /// From the name to the end of the value.
    pub span: Span,
}

/// A message: selector and arguments, without its receiver.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The selector.
    pub selector: String,
    /// Where its parts stand; one for unary and binary selectors.
    pub selector_parts: Vec<Span>,
    /// The arguments.
    pub arguments: Vec<Expression>,
    /// From the selector's first part to the end of the last argument.
    pub span: Span,
}

/// A message send.
#[derive(Clone, Debug, PartialEq)]
pub struct Send {
    /// The receiver; the variable `super` makes it a super send.
    pub receiver: Expression,
    /// Selector and arguments.
    pub message: Message,
    /// Set by analysis when the send compiles to jumps instead: its literal blocks are then [`Block::inlined`].
    pub inlined: Option<Inlined>,
    /// From the receiver to the end of the message.
    pub span: Span,
}

/// A control message that compiles to jumps because its blocks are literal and have the right number of arguments.
/// Argument order is that of the send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inlined {
    /// `ifTrue:`
    IfTrue,
    /// `ifFalse:`
    IfFalse,
    /// `ifTrue:ifFalse:`
    IfTrueIfFalse,
    /// `ifFalse:ifTrue:`
    IfFalseIfTrue,
    /// `and:`
    And,
    /// `or:`
    Or,
    /// `ifNil:`
    IfNil,
    /// `ifNotNil:`; the block may take the receiver as its argument.
    IfNotNil,
    /// `ifNil:ifNotNil:`
    IfNilIfNotNil,
    /// `ifNotNil:ifNil:`
    IfNotNilIfNil,
    /// `whileTrue:`; the receiver is a literal block too.
    WhileTrue,
    /// `whileFalse:`; the receiver is a literal block too.
    WhileFalse,
    /// Unary `whileTrue`.
    WhileTrueUnary,
    /// Unary `whileFalse`.
    WhileFalseUnary,
    /// `repeat`
    Repeat,
    /// `to:do:`
    ToDo,
    /// `to:by:do:` with a literal number other than zero as step.
    ToByDo,
    /// `timesRepeat:`
    TimesRepeat,
}

/// Several messages to one receiver.
#[derive(Clone, Debug, PartialEq)]
pub struct Cascade {
    /// The receiver of every message: that of the first message, not its answer.
    pub receiver: Expression,
    /// The messages, at least two; the cascade's value is the last one's.
    pub messages: Vec<Message>,
    /// From the receiver to the end of the last message.
    pub span: Span,
}

/// A block.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Number of this block in its method, in source order, from 1.
    pub scope: ScopeId,
    /// The arguments.
    pub arguments: Vec<Declaration>,
    /// Temporaries and statements.
    pub body: Sequence,
    /// True when the block is a part of an inlined send: no closure is made, its locals live in the enclosing frame.
    pub inlined: bool,
    /// For a block that is not inlined: the outer locals that it or a block inside it uses, in order of first use, each
    /// one once. A [`Storage::Slot`] local is copied by value, a [`Storage::Cell`] local by its cell. Set by analysis.
    pub captures: Vec<LocalId>,
    /// Whether it or a block inside it needs the home receiver (self, super, instance variables). Set by analysis.
    pub uses_self: bool,
    /// Whether it or a block inside it returns from the home method. Set by analysis.
    pub has_non_local_return: bool,
    /// From `[` to `]`.
    pub span: Span,
}

/// A literal value.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `nil`
    Nil,
    /// `true`
    True,
    /// `false`
    False,
    /// An integer of any size; `1e100` and `16r1F` are ones.
    Integer(BigInt),
    /// A float.
    Float(f64),
    /// `3.14s2`: the exact value `numerator / denominator` in lowest terms, printed with `scale` decimals.
    ScaledDecimal {
        /// Carries the sign.
        numerator: BigInt,
        /// Greater than zero.
        denominator: BigInt,
        /// Number of decimals that are printed.
        scale: u32,
    },
    /// `$a`
    Character(char),
    /// `'it''s'`, already without the quotes and doubled quotes.
    String(String),
    /// `#foo:bar:`, `#+`, `#'any thing'`.
    Symbol(String),
    /// `#(1 $a foo #(2))`
    Array(Vec<Literal>),
    /// `#[1 2 255]`
    ByteArray(Vec<u8>),
}

//! Code generation: from a resolved syntax tree to instructions.
//!
//! Names are resolved already ([`crate::syntax`]); this decides slots, lays out jumps and computes
//! how deep the operand stack gets. Recursion follows the tree, whose depth the parser bounds.

mod builder;
mod expressions;
mod inlined;
mod literals;

use std::collections::HashMap;
use std::rc::Rc;

use builder::Builder;
pub(super) use literals::literal_object;

use super::code::{Code, Marker};
use super::heap::{Body, Heap, Method as MethodBody};
use super::known::{class, selector};
use super::oop::Oop;
use super::primitives::{Primitive, PrimitiveTable};
use super::symbols::SymbolTable;
use crate::syntax::ast::{Block, Method, MethodKind, ScopeId, Span};

/// Why a correct source cannot become code: a limit of the instruction set, or an unknown primitive.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum CodeError {
    /// More variables, arguments or literals than the instructions can number.
    #[error("Too many {0} in one method; split the method")]
    TooMany(&'static str),
    /// An instance variable of classes that the machine keeps.
    #[error(
        "This variable is kept by the system and cannot be assigned; use the messages that define classes"
    )]
    Reserved,
    /// `<primitive: 'x'>` names nothing.
    #[error("There is no primitive named '{0}'")]
    NoSuchPrimitive(String),
}

/// What code generation needs of the machine.
pub(super) struct Target<'a> {
    pub(super) heap: &'a mut Heap,
    pub(super) symbols: &'a mut SymbolTable,
    pub(super) primitives: &'a PrimitiveTable,
}

/// State of the compilation of one method.
struct Generator<'a, 'b> {
    target: &'a mut Target<'b>,
    method: &'a Method,
    source: Rc<str>,
    owner: Oop,
    selector: Oop,
    /// Literal strings so far: equal ones in a method are one object, as in Pharo.
    strings: HashMap<String, Oop>,
}

/// Compiles a resolved method or doIt for the class `owner`; answers a new `CompiledMethod`.
pub(super) fn generate(
    target: &mut Target<'_>,
    method: &Method,
    source: &Rc<str>,
    owner: Oop,
) -> Result<Oop, CodeError> {
    let selector = target.symbols.intern(target.heap, &method.selector);
    let mut generator = Generator {
        target,
        method,
        source: Rc::clone(source),
        owner,
        selector,
        strings: HashMap::new(),
    };
    generator.method_code()
}

/// The last characters of a part of a source: where code ends that says nothing about it.
fn end_of(span: Span, characters: u32) -> Span {
    Span::new(
        span.end.saturating_sub(characters).max(span.start),
        span.end,
    )
}

impl Generator<'_, '_> {
    fn method_code(&mut self) -> Result<Oop, CodeError> {
        let method = self.method;
        let mut builder = Builder::new(method.span);
        for argument in &method.arguments {
            builder.add_slot(argument.local, &argument.name, false)?;
        }
        self.place_locals(&mut builder, ScopeId::METHOD)?;
        builder.args =
            u8::try_from(method.arguments.len()).map_err(|_| CodeError::TooMany("arguments"))?;
        self.begin_locals(&mut builder, &method.body.temporaries, false)?;
        let (primitive, marker) = self.primitive()?;
        match method.kind {
            MethodKind::DoIt => {
                self.sequence_value(&mut builder, &method.body)?;
                builder.enter(end_of(method.span, 0));
                builder.emit(super::code::Op::Return);
            }
            MethodKind::Method => {
                self.sequence_effect(&mut builder, &method.body)?;
                builder.enter(end_of(method.span, 0));
                builder.emit(super::code::Op::ReturnSelf);
            }
        }
        let error_slot = method
            .primitive
            .as_ref()
            .and_then(|primitive| primitive.error)
            .map(|local| builder.slot(local))
            .transpose()?;
        let code = self.finish(builder, primitive, marker, error_slot, false);
        Ok(self.allocate(class::COMPILED_METHOD, code))
    }

    /// The primitive of the method, and the role that some of them give to its frames.
    fn primitive(&self) -> Result<(Option<Primitive>, Marker), CodeError> {
        let Some(declared) = &self.method.primitive else {
            return Ok((None, Marker::Plain));
        };
        match declared.name.as_str() {
            "markHandler" => return Ok((None, Marker::Handler)),
            "markHandlerActive" => return Ok((None, Marker::HandlerActive)),
            "markUnwind" => return Ok((None, Marker::Unwind)),
            _ => {}
        }
        match self.target.primitives.get(&declared.name) {
            Some(primitive) => Ok((Some(primitive), Marker::Plain)),
            None => Err(CodeError::NoSuchPrimitive(declared.name.clone())),
        }
    }

    /// Code of a block that is not inlined, as a `CompiledBlock`.
    fn block_code(&mut self, block: &Block) -> Result<Oop, CodeError> {
        let mut builder = Builder::new(block.span);
        for argument in &block.arguments {
            builder.add_slot(argument.local, &argument.name, false)?;
        }
        for captured in &block.captures {
            let local = &self.method.locals[captured.index()];
            builder.add_slot(
                *captured,
                &local.name,
                local.storage == crate::syntax::ast::Storage::Cell,
            )?;
        }
        self.place_locals(&mut builder, block.scope)?;
        builder.args =
            u8::try_from(block.arguments.len()).map_err(|_| CodeError::TooMany("arguments"))?;
        builder.is_block = true;
        self.begin_locals(&mut builder, &block.body.temporaries, false)?;
        self.sequence_value(&mut builder, &block.body)?;
        // the closing bracket
        builder.enter(end_of(block.span, 1));
        builder.emit(super::code::Op::ReturnFromBlock);
        let code = self.finish(builder, None, Marker::Plain, None, true);
        Ok(self.allocate(class::COMPILED_BLOCK, code))
    }

    fn finish(
        &mut self,
        builder: Builder,
        primitive: Option<Primitive>,
        marker: Marker,
        error_slot: Option<u16>,
        is_block: bool,
    ) -> Code {
        let temps = builder.slot_count();
        Code {
            frame_slots: u32::from(temps) + builder.max_depth() + 1,
            temps,
            args: builder.args,
            primitive,
            error_slot,
            marker,
            is_block,
            selector: self.selector,
            owner: self.owner,
            source: Rc::clone(&self.source),
            range: builder.range,
            ops: builder.ops.into_boxed_slice(),
            literals: builder.literals.into_boxed_slice(),
            ranges: builder.ranges.into_boxed_slice(),
            variables: builder.variables.into_boxed_slice(),
        }
    }

    fn allocate(&mut self, class: Oop, code: Code) -> Oop {
        let method = MethodBody {
            code: Rc::new(code),
            protocol: selector::AS_YET_UNCLASSIFIED,
            package: Oop::NIL,
        };
        self.target
            .heap
            .allocate(class, Body::Method(Box::new(method)))
    }
}

//! Objects the machine itself must name: classes, selectors and the slots it reads and writes.
//!
//! They live at fixed indexes from boot on, so that a test such as "is this class `Array`" is one
//! comparison. Slot numbers are checked against the Smalltalk sources at boot.

use super::oop::Oop;

/// Index of the first well-known class; below it lie `nil`, `true`, `false` and a few singletons.
const FIRST_CLASS: u32 = 8;
/// Index of the first well-known selector.
const FIRST_SELECTOR: u32 = 160;

/// The scheduler, `Processor` in the language.
pub(super) const PROCESSOR: Oop = Oop::object(3);
/// The dictionary of globals, `Smalltalk` in the language.
pub(super) const SMALLTALK: Oop = Oop::object(4);
/// Number of indexes kept for well-known objects.
pub(super) const RESERVED_OBJECTS: u32 = 320;

macro_rules! known {
    ($(#[$doc:meta])* $module:ident, $all:ident, $first:expr; $($name:ident = $text:literal),* $(,)?) => {
        $(#[$doc])*
        #[allow(missing_docs)]
        pub mod $module {
            use super::Oop;
            #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
            #[repr(u32)]
            enum Order { $($name),* }
            $(pub const $name: Oop = Oop::object($first + Order::$name as u32);)*
        }
        /// Every one of them with its name, in order of index.
        pub(super) const $all: &[(&str, Oop)] = &[$(($text, $module::$name)),*];
    };
}

known! {
    /// Well-known classes by name.
    class, CLASSES, super::FIRST_CLASS;
    PROTO_OBJECT = "ProtoObject",
    OBJECT = "Object",
    BEHAVIOR = "Behavior",
    CLASS_DESCRIPTION = "ClassDescription",
    CLASS = "Class",
    METACLASS = "Metaclass",
    UNDEFINED_OBJECT = "UndefinedObject",
    BOOLEAN = "Boolean",
    TRUE = "True",
    FALSE = "False",
    SMALL_INTEGER = "SmallInteger",
    LARGE_POSITIVE_INTEGER = "LargePositiveInteger",
    LARGE_NEGATIVE_INTEGER = "LargeNegativeInteger",
    SMALL_FLOAT = "SmallFloat64",
    BOXED_FLOAT = "BoxedFloat64",
    FRACTION = "Fraction",
    SCALED_DECIMAL = "ScaledDecimal",
    CHARACTER = "Character",
    STRING = "String",
    BYTE_STRING = "ByteString",
    WIDE_STRING = "WideString",
    SYMBOL = "Symbol",
    BYTE_SYMBOL = "ByteSymbol",
    WIDE_SYMBOL = "WideSymbol",
    ARRAY = "Array",
    BYTE_ARRAY = "ByteArray",
    ASSOCIATION = "Association",
    GLOBAL_VARIABLE = "GlobalVariable",
    CLASS_VARIABLE = "ClassVariable",
    WORKSPACE_VARIABLE = "WorkspaceVariable",
    SYMBOL_MAP = "SymbolMap",
    METHOD_DICTIONARY = "MethodDictionary",
    COMPILED_CODE = "CompiledCode",
    COMPILED_METHOD = "CompiledMethod",
    COMPILED_BLOCK = "CompiledBlock",
    BLOCK_CLOSURE = "BlockClosure",
    FULL_BLOCK_CLOSURE = "FullBlockClosure",
    CONTEXT = "Context",
    MESSAGE = "Message",
    PROCESS = "Process",
    SEMAPHORE = "Semaphore",
    PROCESSOR_SCHEDULER = "ProcessorScheduler",
    SYSTEM_DICTIONARY = "SystemDictionary",
    EXCEPTION = "Exception",
    POINT = "Point",
}

known! {
    /// Well-known selectors and other symbols.
    selector, SELECTORS, super::FIRST_SELECTOR;
    ADD = "+",
    SUBTRACT = "-",
    MULTIPLY = "*",
    DIVIDE = "/",
    LESS = "<",
    GREATER = ">",
    LESS_OR_EQUAL = "<=",
    GREATER_OR_EQUAL = ">=",
    EQUAL = "=",
    NOT_EQUAL = "~=",
    QUOTIENT = "//",
    MODULO = "\\\\",
    BIT_AND = "bitAnd:",
    BIT_OR = "bitOr:",
    BIT_SHIFT = "bitShift:",
    AT = "at:",
    AT_PUT = "at:put:",
    SIZE = "size",
    VALUE = "value",
    VALUE_1 = "value:",
    VALUE_2 = "value:value:",
    IS_NIL = "isNil",
    NOT_NIL = "notNil",
    NOT = "not",
    IDENTICAL = "==",
    NOT_IDENTICAL = "~~",
    DO_IT = "DoIt",
    DOES_NOT_UNDERSTAND = "doesNotUnderstand:",
    MUST_BE_BOOLEAN = "mustBeBoolean",
    CANNOT_RETURN = "cannotReturn:",
    UNWIND_TO = "unwindTo:returning:restarting:",
    SIGNAL_STACK_OVERFLOW = "signalStackOverflow",
    SIGNAL_OUT_OF_MEMORY = "signalOutOfMemory",
    UNWIND_AND_TERMINATE = "unwindAndTerminate",
    HOST_PERFORM = "hostPerform:withArguments:",
    INITIALIZE = "initialize",
    AS_YET_UNCLASSIFIED = "as yet unclassified",
    // why a primitive failed, as seen by `<primitive: 'x' error: code>`
    BAD_RECEIVER = "bad receiver",
    BAD_ARGUMENT = "bad argument",
    BAD_INDEX = "bad index",
    BAD_SIZE = "bad number of arguments",
    READ_ONLY = "read only",
    NO_MEMORY = "insufficient memory",
    NOT_FOUND = "not found",
    UNSUPPORTED = "unsupported operation",
    TOO_MANY = "too many",
}

/// Slots of the instances that the machine reads or writes, in the order of the instance variables
/// of the Smalltalk class. Boot refuses a library whose classes disagree (`LAYOUTS`).
#[allow(missing_docs)]
pub mod slot {
    pub const BEHAVIOR_SUPERCLASS: usize = 0;
    pub const BEHAVIOR_METHODS: usize = 1;
    pub const BEHAVIOR_FORMAT: usize = 2;
    pub const BEHAVIOR_SIZE: usize = 3;
    pub const DESCRIPTION_VARIABLES: usize = 4;
    pub const CLASS_NAME: usize = 5;
    pub const CLASS_POOL: usize = 6;
    pub const CLASS_PACKAGE: usize = 7;
    pub const CLASS_TAG: usize = 8;
    pub const CLASS_COMMENT: usize = 9;
    pub const CLASS_SUBCLASSES: usize = 10;
    pub const METACLASS_THIS: usize = 5;

    pub const BINDING_KEY: usize = 0;
    pub const BINDING_VALUE: usize = 1;

    pub const BLOCK_OUTER: usize = 0;
    pub const BLOCK_CODE: usize = 1;
    pub const BLOCK_RECEIVER: usize = 2;
    pub const BLOCK_COPIED: usize = 3;

    pub const MESSAGE_SELECTOR: usize = 0;
    pub const MESSAGE_ARGUMENTS: usize = 1;
    pub const MESSAGE_LOOKUP_CLASS: usize = 2;

    pub const PROCESS_NEXT: usize = 0;
    pub const PROCESS_CONTEXT: usize = 1;
    pub const PROCESS_PRIORITY: usize = 2;
    pub const PROCESS_LIST: usize = 3;
    pub const PROCESS_NAME: usize = 4;
    pub const PROCESS_STATE: usize = 5;
    pub const PROCESS_OWNER: usize = 6;

    pub const LIST_FIRST: usize = 0;
    pub const LIST_LAST: usize = 1;
    pub const SEMAPHORE_EXCESS: usize = 2;

    pub const EXCEPTION_HANDLER: usize = 0;
}

/// Class name and the instance variables, inherited ones included, that it must begin with.
pub(super) const LAYOUTS: &[(&str, &[&str])] = &[
    (
        "Behavior",
        &["superclass", "methodDict", "format", "instSize"],
    ),
    (
        "Class",
        &[
            "superclass",
            "methodDict",
            "format",
            "instSize",
            "instanceVariables",
            "name",
            "classPool",
            "package",
            "tag",
            "comment",
            "subclasses",
        ],
    ),
    (
        "Metaclass",
        &[
            "superclass",
            "methodDict",
            "format",
            "instSize",
            "instanceVariables",
            "thisClass",
        ],
    ),
    ("Association", &["key", "value"]),
    ("GlobalVariable", &["key", "value"]),
    ("ClassVariable", &["key", "value"]),
    ("WorkspaceVariable", &["key", "value"]),
    (
        "BlockClosure",
        &["outerContext", "compiledBlock", "receiver"],
    ),
    ("Message", &["selector", "args", "lookupClass"]),
    (
        "Process",
        &[
            "nextLink",
            "suspendedContext",
            "priority",
            "myList",
            "name",
            "state",
            "owner",
        ],
    ),
    ("Semaphore", &["firstLink", "lastLink", "excessSignals"]),
    ("Exception", &["handlerContext"]),
    ("Point", &["x", "y"]),
    ("Fraction", &["numerator", "denominator"]),
    ("ScaledDecimal", &["numerator", "denominator", "scale"]),
];

/// Whether the machine itself names this object. Immediates count as such.
pub(crate) fn is_well_known(oop: Oop) -> bool {
    oop.as_index().is_none_or(|index| index < RESERVED_OBJECTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserved_ranges_do_not_overlap() {
        let index = |all: &[(&str, Oop)]| all.iter().filter_map(|(_, oop)| oop.as_index()).max();
        assert!(index(CLASSES) < Some(FIRST_SELECTOR));
        assert!(index(SELECTORS) < Some(RESERVED_OBJECTS));
    }
}

//! The STUI messages, as types. No I/O happens here, and everything compiles to WebAssembly.

pub mod pane;

//! The embedded Smalltalk of STUI.

pub mod engine;
pub mod server;
pub mod syntax;
pub mod vm;

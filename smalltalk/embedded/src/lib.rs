//! The embedded Smalltalk of STUI.

pub mod syntax;

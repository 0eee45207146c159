//! The front end of the embedded Smalltalk.

pub mod ast;

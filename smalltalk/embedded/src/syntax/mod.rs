//! The front end of the embedded Smalltalk: source text in, resolved syntax tree or compile error out.
//!
//! - [`lexer`], [`number`] and [`parser`]: the whole syntax of Pharo 12, in linear time and with bounded depth;
//! - [`mod@analyze`] and [`inline`]: names, captured variables, inlined control messages;
//! - [`tonel`] and [`ston`]: class files;
//! - [`statement`]: which part of a workspace an evaluation without selection means;
//! - [`dump`]: trees as text.
//!
//! ```
//! use stui_embedded::syntax::{EmptyEnvironment, compile_do_it};
//!
//! let error = compile_do_it("3 + ) 4", &mut EmptyEnvironment).unwrap_err();
//! assert_eq!((error.message.as_str(), error.position), ("Variable or expression expected", 5));
//! ```
//!
//! Nothing here knows the virtual machine: it generates code from [`ast`] and answers names through [`Environment`].

pub mod analyze;
pub mod ast;
pub mod dump;
pub mod environment;
pub mod error;
pub mod inline;
pub mod lexer;
pub mod number;
pub mod parser;
pub mod statement;
pub mod ston;
pub mod tonel;

pub use analyze::{analyze, compile_do_it, compile_method};
pub use environment::{EmptyEnvironment, Environment, Resolution};
pub use error::{CompileError, line_and_column};
pub use parser::{parse_do_it, parse_method};
pub use statement::{expression_at, line_at};

#[cfg(test)]
mod tests;

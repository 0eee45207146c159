//! The Smalltalk panes of STUI as pure functions of what happened: [`pane::Pane`] takes inputs and
//! answers effects, and draws itself into a frame.
//!
//! Nothing in here knows Zellij, reads a clock or does I/O; `main.rs` and `zellij.rs`, which do, are
//! the binary's. So every pane can be tested natively, key strokes in and frames out.
#![forbid(unsafe_code)]

pub mod ansi;
pub mod canvas;
pub mod colour;
pub mod command;
pub mod debugger;
pub mod editor;
pub mod inspector;
pub mod io;
pub mod link;
pub mod page;
pub mod pane;
pub mod prompt;
mod question;
pub mod sessions;
pub mod settings;
pub mod status;
pub mod text;
pub mod theme;
pub mod transcript;
pub mod window;

pub use stui_protocol::key;

//! The virtual machine as its host sees it: source in, answers and events out.
//!
//! One test program, so that the machine is linked once.

mod abuse;
mod blocks;
mod classes;
mod collection;
mod debugging;
mod exceptions;
mod host;
mod limits;
mod processes;
mod reflection;
mod world;

//! The panes natively: key strokes in, screens as text out. `tests/wasm.rs` runs the same plugin as
//! Zellij does.

mod debugger;
mod desk;
mod frames;
mod lists;
mod people;
mod sessions;
mod workspace;

//! What goes wrong on purpose, for tests: see [`proxy`].

pub mod proxy;

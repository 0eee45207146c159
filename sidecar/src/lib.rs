//! The sidecar of STUI as a library; the `stui` program is a thin shell around it.

pub mod client;
pub mod hub;
pub mod journal;
pub mod link;
pub mod places;
pub mod terminal;
mod zmq_link;

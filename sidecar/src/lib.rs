//! The sidecar of STUI as a library; the `stui` program is a thin shell around it.

pub mod attached;
pub mod calls;
pub mod cli;
pub mod client;
pub mod commands;
pub mod config;
pub mod daemon;
pub mod demo;
pub mod hub;
pub mod journal;
mod kdl_text;
pub mod link;
pub mod log;
pub mod permissions;
pub mod pharo;
pub mod pipes;
pub mod places;
pub mod plugin_file;
pub mod process;
pub mod servers;
pub mod target;
pub mod terminal;
pub mod tunnel;
pub mod windows;
pub mod zellij;
mod zmq_link;

pub use zmq_link::library_version as zmq_version;

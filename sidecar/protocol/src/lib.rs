//! The STUI messages, as types. No I/O happens here, and everything compiles to WebAssembly.
//!
//! - [`message`]: the envelope around every message, and how a received document is read.
//! - [`request`], [`response`], [`event`], [`error`]: what goes into it.
//! - [`object`]: handles of remote objects and what is shown of them; [`position`]: places in code.
//! - [`auth`]: signatures and proofs; [`connection`]: the file by which clients find a server.
//! - [`pane`]: what the sidecar and its panes tell each other; [`debugger`]: that part of it that is about debuggers.
//! - [`command`]: the names of what panes can be told to do; [`key`]: the keys that tell them.

pub mod auth;
pub mod change;
pub mod command;
pub mod connection;
pub mod debugger;
pub mod error;
pub mod event;
pub mod key;
pub mod message;
pub mod object;
pub mod pane;
pub mod position;
pub mod request;
pub mod response;
pub mod sessions;
mod table;

pub use uuid::Uuid;

/// The version of the protocol that these types are.
pub const PROTOCOL_VERSION: &str = "1.0.0";

/// Largest document that a server must take, in bytes (10 MiB).
pub const MAX_MESSAGE: usize = 10 * 1024 * 1024;

/// Whether a peer that speaks `version` can be understood: the major versions are the same.
pub fn understands(version: &str) -> bool {
    fn major(version: &str) -> Option<u32> {
        version.split('.').next()?.parse().ok()
    }
    major(version).is_some() && major(version) == major(PROTOCOL_VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_minor_version_is_understood_another_major_is_not() {
        assert!(understands("1.0.0"));
        assert!(understands("1.7.2"));
        assert!(understands("1"));
        assert!(!understands("2.0.0"));
        assert!(!understands("10.0.0"));
        assert!(!understands(""));
        assert!(!understands("one"));
    }
}

//! What every STUI server is held to, run against a real server over its socket.
//!
//! - [`answers`]: `pharo-answers.json`, expressions with what a real Pharo 12 answered; [`report`] counts them;
//! - [`scenario`]: `requests/*.json`, requests with the replies that the protocol demands, compared by [`pattern`];
//! - [`target`]: the server that is tested, the embedded Smalltalk's or a foreign one; [`wire`]: the connection to it.
//!
//! `README.md` says how to run it against a server of your own.

pub mod answers;
pub mod pattern;
pub mod report;
pub mod scenario;
pub mod target;
pub mod wire;

//! An image as the hub knows it: a Smalltalk server, and how the link to it is.

use stui_protocol::pane::Link;

/// Names an image within one sidecar; another one with the same name has another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageKey(pub u32);

/// See the module's text.
#[derive(Debug)]
pub struct Image {
    /// Its key.
    pub key: ImageKey,
    /// Its name, unique among the images.
    pub name: String,
    /// What it is, as `--connect` takes it.
    pub target: String,
    /// How the link to it is.
    pub link: Link,
    /// The server that is connected now: made when it started, so that another one has other sessions.
    pub server_id: Option<String>,
    /// Whether the server's event loop answers late.
    pub busy: bool,
    /// What the server calls itself; empty before it said so.
    pub dialect: String,
    /// Where it listens.
    pub endpoint: String,
    /// Whether the server can stop an evaluation before its first statement.
    pub can_debug_it: bool,
}

impl Image {
    /// An image that is not connected yet.
    pub fn new(key: ImageKey, name: String, target: String) -> Self {
        Image {
            key,
            name,
            target,
            link: Link::Connecting,
            server_id: None,
            busy: false,
            dialect: String::new(),
            endpoint: String::new(),
            can_debug_it: false,
        }
    }

    /// Whether it is known that the server cannot stop an evaluation before its first statement.
    pub(super) fn lacks_debug_it(&self) -> bool {
        self.server_id.is_some() && !self.can_debug_it
    }
}

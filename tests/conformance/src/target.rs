//! The server that is tested.

use std::path::Path;

use anyhow::{Context, Result};
use stui_embedded::server::{ServeOptions, Server};
use stui_protocol::connection::ConnectionFile;

/// Names the connection file of the server to test; without it the embedded Smalltalk's server is started and tested.
pub const CONNECTION_VARIABLE: &str = "STUI_CONFORMANCE_CONNECTION";

/// A server to test. The embedded one ends with this.
#[derive(Debug)]
pub struct Target {
    connection: ConnectionFile,
    own: Option<Server>,
}

impl Target {
    /// The server that the environment selects.
    ///
    /// # Errors
    /// When the connection file cannot be read, or the embedded server does not start.
    pub fn from_environment() -> Result<Self> {
        match std::env::var_os(CONNECTION_VARIABLE) {
            Some(path) => Self::foreign(Path::new(&path)),
            None => Self::embedded(),
        }
    }

    /// The server whose connection file is at `path`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn foreign(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the connection file {}", path.display()))?;
        let connection = ConnectionFile::from_json(&text)
            .with_context(|| format!("{} is no connection file", path.display()))?;
        Ok(Self {
            connection,
            own: None,
        })
    }

    /// A fresh server of the embedded Smalltalk, in this process, on a free loopback port.
    ///
    /// # Errors
    /// When it does not start.
    pub fn embedded() -> Result<Self> {
        let server = Server::spawn(ServeOptions::default())
            .context("the embedded Smalltalk's server does not start")?;
        Ok(Self {
            connection: server.connection().clone(),
            own: Some(server),
        })
    }

    /// How to connect to it.
    pub fn connection(&self) -> &ConnectionFile {
        &self.connection
    }

    /// Whether it is the embedded one, started for this.
    pub fn is_embedded(&self) -> bool {
        self.own.is_some()
    }
}

//! The connection file: how clients find a server. Reading and writing it is the caller's.

use serde::{Deserialize, Serialize};

use crate::auth::Key;

/// What a connection file says. It is JSON, with mode 0600 because of the key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionFile {
    /// Where the server listens, in the form of libzmq: `tcp://127.0.0.1:5555`, `ipc:///run/…`.
    pub endpoint: String,
    /// Text of the key; none: the server takes messages of everybody who reaches it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What the server runs, as `Embedded Smalltalk 0.1.0` or `Pharo 12`.
    pub dialect: String,
    /// Process id of the server.
    pub pid: u32,
    /// Version of the protocol that it speaks.
    pub protocol_version: String,
}

impl ConnectionFile {
    /// Reads one; unknown fields are ignored.
    ///
    /// # Errors
    /// If it is not JSON with the fields of a connection file.
    pub fn from_json(json: &str) -> serde_json::Result<Self> {
        serde_json::from_str(json)
    }

    /// The file's text.
    ///
    /// # Errors
    /// Never: strings and numbers always have a JSON form.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|json| json + "\n")
    }

    /// The key, if the server has one.
    pub fn key(&self) -> Option<Key> {
        self.key.as_deref().map(Key::new)
    }
}

/// Everything but the key, so that it cannot get into a log.
impl std::fmt::Debug for ConnectionFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConnectionFile")
            .field("endpoint", &self.endpoint)
            .field("key", &self.key())
            .field("dialect", &self.dialect)
            .field("pid", &self.pid)
            .field("protocol_version", &self.protocol_version)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_key_has_none_and_unknown_fields_are_ignored() {
        let json = r#"{"endpoint":"ipc:///x","dialect":"Pharo 12","pid":7,"protocol_version":"1.0.0","colour":"red"}"#;
        let file = ConnectionFile::from_json(json).unwrap();
        assert_eq!(file.key(), None);
        assert_eq!(
            ConnectionFile::from_json(&file.to_json().unwrap()).unwrap(),
            file
        );
    }

    #[test]
    fn a_file_shows_everything_but_its_key() {
        let file = ConnectionFile {
            endpoint: "tcp://127.0.0.1:5555".into(),
            key: Some("secret".into()),
            dialect: "Pharo 12".into(),
            pid: 7,
            protocol_version: "1.0.0".into(),
        };
        let shown = format!("{file:?}");
        assert!(
            shown.contains("5555") && !shown.contains("secret"),
            "{shown}"
        );
    }
}

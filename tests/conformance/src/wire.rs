//! A connection to the server: frames out, JSON documents in. It can also misbehave, as the tests want.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::{Value, json};
use stui_protocol::auth::{Key, nonce_from_random};
use stui_protocol::connection::ConnectionFile;
use stui_protocol::{PROTOCOL_VERSION, Uuid};

/// How long a reply may take.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What goes before a document to show that the sender knows the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// The signature that belongs to it, when the server has a key.
    Right,
    /// One that belongs to something else.
    Wrong,
    /// None.
    Missing,
}

/// One DEALER socket, connected to a server.
pub struct Wire {
    socket: zmq::Socket,
    key: Option<Key>,
    /// Whether documents go behind an empty frame.
    delimited: bool,
    /// Documents that arrived while another one was waited for.
    unread: VecDeque<Value>,
}

impl Wire {
    /// Connects to the server that `connection` describes.
    ///
    /// # Errors
    /// When its endpoint cannot be connected to.
    pub fn connect(connection: &ConnectionFile) -> Result<Self> {
        let socket = zmq::Context::new().socket(zmq::DEALER)?;
        socket.set_linger(0)?;
        socket
            .connect(&connection.endpoint)
            .with_context(|| format!("cannot connect to {}", connection.endpoint))?;
        Ok(Self {
            socket,
            key: connection.key(),
            delimited: false,
            unread: VecDeque::new(),
        })
    }

    /// Whether the server has a key.
    pub fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// From now on, sends documents behind an empty frame, as REQ sockets do, or not.
    pub fn delimit(&mut self, delimited: bool) {
        self.delimited = delimited;
    }

    /// Sends frames as they are.
    ///
    /// # Errors
    /// When the socket refuses them.
    pub fn send_frames<T: AsRef<[u8]>>(&self, frames: &[T]) -> Result<()> {
        let frames = frames.iter().map(AsRef::as_ref);
        self.socket.send_multipart(frames, 0)?;
        Ok(())
    }

    /// Sends a document, signed as `signature` says.
    ///
    /// # Errors
    /// When the socket refuses it.
    pub fn send_document(&self, document: &[u8], signature: Signature) -> Result<()> {
        let mut frames = Vec::new();
        if self.delimited {
            frames.push(Vec::new());
        }
        match (&self.key, signature) {
            (Some(key), Signature::Right) => frames.push(key.sign(document).into_bytes()),
            (_, Signature::Wrong) => frames.push(vec![b'0'; 64]),
            _ => {}
        }
        frames.push(document.to_vec());
        self.send_frames(&frames)
    }

    /// Sends the request `data` (its type and parameters) under a new id and answers that.
    ///
    /// # Errors
    /// When the socket refuses it.
    pub fn send_request(&self, data: &Value) -> Result<Uuid> {
        let id = Uuid::new_v4();
        self.send_document(envelope(id, data).to_string().as_bytes(), Signature::Right)?;
        Ok(id)
    }

    /// Sends a request and answers the `data` of its response: `response_type` and `data`.
    ///
    /// # Errors
    /// When no response comes within [`PATIENCE`].
    pub fn ask(&mut self, data: &Value) -> Result<Value> {
        let id = self.send_request(data)?;
        self.response(id, PATIENCE)
    }

    /// The `data` of the response with the id `id`; what else arrives meanwhile is kept.
    ///
    /// # Errors
    /// When it does not come within `patience`.
    pub fn response(&mut self, id: Uuid, patience: Duration) -> Result<Value> {
        let id = id.to_string();
        let document = self
            .wait_for(patience, |document| {
                document["payload"]["type"] == "Response" && document["id"] == id.as_str()
            })
            .with_context(|| format!("no response with the id {id}"))?;
        Ok(document["payload"]["data"].clone())
    }

    /// The `data` of the first event that `wanted` accepts; what else arrives meanwhile is kept.
    ///
    /// # Errors
    /// When none comes within `patience`.
    pub fn event(
        &mut self,
        patience: Duration,
        mut wanted: impl FnMut(&Value) -> bool,
    ) -> Result<Value> {
        let document = self
            .wait_for(patience, |document| {
                document["payload"]["type"] == "Event" && wanted(&document["payload"]["data"])
            })
            .context("no such event")?;
        Ok(document["payload"]["data"].clone())
    }

    /// The document that arrives next, or arrived and was not asked for.
    ///
    /// # Errors
    /// When none comes within `patience`.
    pub fn next_document(&mut self, patience: Duration) -> Result<Value> {
        self.wait_for(patience, |_| true)
    }

    /// Makes the server know this connection without signatures, or tries to, with a wrong proof. Answers the `data` of
    /// the response to the proof.
    ///
    /// # Errors
    /// When the server has no key, does not answer, or does not know the key itself.
    pub fn authenticate(&mut self, with_right_proof: bool) -> Result<Value> {
        let key = self.key.clone().context("the server has no key")?;
        let mut random = [0; 32];
        getrandom::fill(&mut random).map_err(|error| anyhow!("no randomness: {error}"))?;
        let nonce = nonce_from_random(random);
        let first = self.ask_unsigned(&request("Authenticate", &json!({"nonce": nonce})))?;
        let server_nonce = first["data"]["nonce"]
            .as_str()
            .with_context(|| format!("no nonce in {first}"))?;
        ensure!(
            first["data"]["proof"] == key.server_proof(&nonce, server_nonce).as_str(),
            "the server does not prove that it knows the key: {first}"
        );
        let proof = if with_right_proof {
            key.client_proof(&nonce, server_nonce)
        } else {
            key.server_proof(&nonce, server_nonce)
        };
        self.ask_unsigned(&request("Authenticate", &json!({"proof": proof})))
    }

    fn ask_unsigned(&mut self, data: &Value) -> Result<Value> {
        let id = Uuid::new_v4();
        let document = envelope(id, data).to_string();
        self.send_document(document.as_bytes(), Signature::Missing)?;
        self.response(id, PATIENCE)
    }

    fn wait_for(
        &mut self,
        patience: Duration,
        mut wanted: impl FnMut(&Value) -> bool,
    ) -> Result<Value> {
        if let Some(index) = self.unread.iter().position(&mut wanted) {
            return self.unread.remove(index).context("it was just there");
        }
        let deadline = Instant::now() + patience;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if self.socket.poll(zmq::POLLIN, left.as_millis() as i64)? == 0 {
                bail!("nothing within {patience:?}");
            }
            let document = self.receive()?;
            if wanted(&document) {
                return Ok(document);
            }
            self.unread.push_back(document);
        }
    }

    fn receive(&self) -> Result<Value> {
        let frames = self.socket.recv_multipart(0)?;
        let document = frames.last().context("a message without frames")?;
        if let (Some(key), [.., signature, _]) = (&self.key, frames.as_slice())
            && !signature.is_empty()
        {
            ensure!(
                key.verifies(document, signature),
                "a reply with a wrong signature"
            );
        }
        serde_json::from_slice(document).with_context(|| {
            format!(
                "the reply is no JSON: {}",
                String::from_utf8_lossy(document)
            )
        })
    }
}

/// The document of the request `data` under `id`.
pub fn envelope(id: Uuid, data: &Value) -> Value {
    json!({
        "id": id.to_string(),
        "version": PROTOCOL_VERSION,
        "timestamp": "2026-01-20T10:30:00Z",
        "payload": {"type": "Request", "data": data},
    })
}

/// The `data` of a request.
pub fn request(request_type: &str, params: &Value) -> Value {
    json!({"request_type": request_type, "params": params})
}

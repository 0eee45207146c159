//! How a connection begins: both sides prove that they know the key, then the server says what it is.
//!
//! Nothing but nonces and proofs is sent before the server has proved itself, so an impostor on the
//! server's port learns nothing. No I/O here: documents go in and out.

use stui_protocol::Uuid;
use stui_protocol::auth::{self, Key};
use stui_protocol::connection::ConnectionFile;
use stui_protocol::error::ErrorCode;
use stui_protocol::message::{Envelope, Payload};
use stui_protocol::request::{Authenticate, Describe, Request};
use stui_protocol::response::{self, Response};

/// What came of a document.
pub(super) enum Step {
    /// More is awaited.
    On,
    /// The connection is up.
    Done(Box<response::Describe>),
    /// It cannot come up; a sentence that says what to do.
    Failed(String),
}

/// The state of a greeting.
pub(super) struct Greeting {
    file: ConnectionFile,
    key: Option<Key>,
    nonce: String,
    awaited: Uuid,
}

impl Greeting {
    /// Begins; `send` gets the first document.
    pub(super) fn begin(file: ConnectionFile, send: impl FnMut(Vec<u8>)) -> Self {
        let mut random = [0; 32];
        // Without randomness the proof fails at worst: the server refuses a nonce that it knows.
        let _ = getrandom::fill(&mut random);
        let mut greeting = Greeting {
            key: file.key(),
            file,
            nonce: auth::nonce_from_random(random),
            awaited: Uuid::nil(),
        };
        if greeting.key.is_some() {
            let nonce = Some(greeting.nonce.clone());
            greeting.ask(Authenticate { nonce, proof: None }, send);
        } else {
            greeting.ask(Describe {}, send);
        }
        greeting
    }

    pub(super) fn endpoint(&self) -> &str {
        &self.file.endpoint
    }

    fn ask(&mut self, request: impl Into<Request>, mut send: impl FnMut(Vec<u8>)) {
        self.awaited = super::random_id();
        match Envelope::request(self.awaited, request).to_json() {
            Ok(document) => send(document),
            Err(error) => tracing::error!(%error, "a request has no JSON form"),
        }
    }

    /// Takes a document from the server; `send` gets what is to be said to it.
    pub(super) fn hear(&mut self, document: &[u8], send: impl FnMut(Vec<u8>)) -> Step {
        let Ok(envelope) = Envelope::from_json(document) else {
            return Step::Failed(format!(
                "What listens at {} does not speak STUI's protocol; start `stui serve`, or mend the connection file.",
                self.endpoint()
            ));
        };
        // A refusal carries no id: the server read nothing of what it refused.
        if envelope.id != self.awaited && !envelope.id.is_nil() {
            return Step::On;
        }
        match envelope.payload {
            Payload::Response(Response::Authenticate(answer)) => self.authenticate(answer, send),
            Payload::Response(Response::Describe(server)) => {
                if stui_protocol::understands(&server.protocol_version) {
                    Step::Done(Box::new(server))
                } else {
                    Step::Failed(format!(
                        "The server speaks version {} of the protocol, this is {}; update the older one.",
                        server.protocol_version,
                        stui_protocol::PROTOCOL_VERSION
                    ))
                }
            }
            Payload::Response(Response::Error(error)) => {
                Step::Failed(if error.code == ErrorCode::PermissionDenied {
                    format!(
                        "The server at {} does not accept the key of the connection file; use the file that this server wrote.",
                        self.endpoint()
                    )
                } else {
                    format!(
                        "The server at {} refused: {}",
                        self.endpoint(),
                        error.message
                    )
                })
            }
            _ => Step::On,
        }
    }

    fn authenticate(&mut self, answer: response::Authenticate, send: impl FnMut(Vec<u8>)) -> Step {
        let Some(key) = self.key.clone() else {
            return Step::On;
        };
        if answer.authenticated {
            self.ask(Describe {}, send);
            return Step::On;
        }
        let nonce = answer.nonce.unwrap_or_default();
        let expected = key.server_proof(&self.nonce, &nonce);
        let proved = auth::is_nonce(&nonce)
            && answer
                .proof
                .is_some_and(|proof| auth::same_proof(&proof, &expected));
        if !proved {
            return Step::Failed(format!(
                "What listens at {} does not know the key: it is not the server that wrote the connection file. Start the server anew.",
                self.endpoint()
            ));
        }
        let proof = Some(key.client_proof(&self.nonce, &nonce));
        self.ask(Authenticate { nonce: None, proof }, send);
        Step::On
    }
}

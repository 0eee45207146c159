//! Who may ask: signatures, and `Authenticate`.

use stui_protocol::auth::{is_nonce, nonce_from_random, same_proof};
use stui_protocol::error::{ErrorCode, ErrorInfo};
use stui_protocol::message::{Payload, Received};
use stui_protocol::request::Request;
use stui_protocol::response;

use super::desk::{Desk, Origin, ReplyTo};
use super::frames::is_made_by_socket;

/// Why a message is taken, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// It is signed.
    Signed,
    /// Its connection is authenticated, or the server has no key.
    Connection,
    /// Its signature is wrong.
    Forged,
    /// Nothing speaks for it.
    None,
}

impl Desk {
    /// Whether a message is to be read.
    pub(super) fn trust(
        &mut self,
        origin: &Origin,
        signature: Option<&[u8]>,
        document: &[u8],
    ) -> Trust {
        let is_authenticated = self
            .peers
            .hear(&origin.peer)
            .is_some_and(|peer| peer.is_authenticated);
        match (&self.settings.key, signature) {
            (None, _) => Trust::Connection,
            (Some(key), Some(signature)) if key.verifies(document, signature) => Trust::Signed,
            (Some(_), Some(_)) => Trust::Forged,
            (Some(_), None) if is_authenticated => Trust::Connection,
            (Some(_), None) => Trust::None,
        }
    }

    /// Answers an `Authenticate`.
    pub(super) fn authenticate(
        &mut self,
        origin: &Origin,
        reply_to: &ReplyTo,
        received: Received<'_>,
    ) {
        let id = received.id;
        let params = match received.envelope() {
            Ok(envelope) => match envelope.payload {
                Payload::Request(Request::Authenticate(params)) => params,
                _ => unreachable!("its request type was Authenticate"),
            },
            Err(unreadable) => return self.reply(reply_to, unreadable.id, unreadable.error),
        };
        let answer = match (params.nonce, params.proof) {
            (Some(nonce), None) => self.challenge(origin, nonce),
            (None, Some(proof)) => self.check(origin, &proof),
            _ => Err(ErrorInfo::new(
                ErrorCode::InvalidRequest,
                "Authenticate has a nonce, or in its second step a proof.",
            )),
        };
        match answer {
            Ok(answer) => self.reply(reply_to, id, answer),
            Err(error) => self.reply(reply_to, id, error),
        }
    }

    /// The first step: the server proves itself.
    fn challenge(
        &mut self,
        origin: &Origin,
        client_nonce: String,
    ) -> Result<response::Authenticate, ErrorInfo> {
        let Some(key) = &self.settings.key else {
            return Err(ErrorInfo::new(
                ErrorCode::UnsupportedOperation,
                "This server has no key and trusts everybody who reaches it; go on without Authenticate.",
            ));
        };
        if !is_made_by_socket(&origin.peer) {
            return Err(ErrorInfo::new(
                ErrorCode::PermissionDenied,
                "A connection with a routing id of its own choice cannot authenticate; set none, or sign every message.",
            ));
        }
        if !is_nonce(&client_nonce) {
            return Err(ErrorInfo::new(
                ErrorCode::InvalidRequest,
                "The nonce is 16 to 256 hex digits, made at random for this connection.",
            ));
        }
        let random = super::random().map_err(|error| {
            ErrorInfo::new(
                ErrorCode::InternalError,
                format!("The system gave no random numbers: {error}."),
            )
        })?;
        let server_nonce = nonce_from_random(random);
        let proof = key.server_proof(&client_nonce, &server_nonce);
        let peer = self.peers.keep(&origin.peer, origin.connection);
        peer.nonces = Some((client_nonce, server_nonce.clone()));
        Ok(response::Authenticate {
            nonce: Some(server_nonce),
            proof: Some(proof),
            authenticated: false,
        })
    }

    /// The second step: the client proves itself.
    fn check(&mut self, origin: &Origin, proof: &str) -> Result<response::Authenticate, ErrorInfo> {
        let denied = |message| Err(ErrorInfo::new(ErrorCode::PermissionDenied, message));
        let nonces = self
            .peers
            .hear(&origin.peer)
            .and_then(|peer| peer.nonces.take());
        let (Some(key), Some((client_nonce, server_nonce))) = (&self.settings.key, nonces) else {
            return denied("No Authenticate is under way on this connection; begin with a nonce.");
        };
        if !same_proof(proof, &key.client_proof(&client_nonce, &server_nonce)) {
            return denied(
                "The proof is wrong: the key is another one. Read the connection file again.",
            );
        }
        self.peers
            .keep(&origin.peer, origin.connection)
            .is_authenticated = true;
        Ok(response::Authenticate {
            authenticated: true,
            ..response::Authenticate::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::desk::{Origin, Settings};
    use std::time::Instant;
    use stui_protocol::Uuid;
    use stui_protocol::auth::Key;
    use stui_protocol::message::Envelope;
    use stui_protocol::request::{Authenticate, Ping};
    use stui_protocol::response::Response;

    const NONCE: &str = "0123456789abcdef";

    fn key() -> Key {
        Key::new("the key")
    }

    fn desk() -> Desk {
        let settings = Settings {
            key: Some(key()),
            max_message: 1000,
        };
        let (engine, _) = crossbeam_channel::unbounded();
        Desk::new(settings, engine, Instant::now())
    }

    fn origin(connection: i32) -> Origin {
        Origin {
            peer: Box::from([0, 0, 0, 0, 7]),
            connection: Some(connection),
        }
    }

    /// What the desk answers to an unsigned request.
    fn ask(desk: &mut Desk, origin: &Origin, request: impl Into<Request>) -> Response {
        let document = Envelope::request(Uuid::new_v4(), request)
            .to_json()
            .unwrap();
        desk.receive(origin, vec![document], Instant::now());
        let [answer] = &desk.take_outgoing()[..] else {
            panic!("not one answer");
        };
        assert_eq!(
            (answer.peer.clone(), &answer.signature),
            (origin.peer.clone(), &None)
        );
        match Envelope::from_json(&answer.document).unwrap().payload {
            Payload::Response(response) => response,
            other => panic!("{other:?} is no response"),
        }
    }

    fn authenticate(desk: &mut Desk, origin: &Origin) {
        let nonce = Authenticate {
            nonce: Some(NONCE.into()),
            proof: None,
        };
        let Response::Authenticate(challenge) = ask(desk, origin, nonce) else {
            panic!("no challenge");
        };
        let server_nonce = challenge.nonce.unwrap();
        let proof = Authenticate {
            nonce: None,
            proof: Some(key().client_proof(NONCE, &server_nonce)),
        };
        assert!(
            matches!(ask(desk, origin, proof), Response::Authenticate(answer) if answer.authenticated)
        );
    }

    #[test]
    fn trust_ends_with_the_connection_even_if_its_routing_id_comes_again() {
        let (mut desk, origin) = (desk(), origin(12));
        authenticate(&mut desk, &origin);
        assert!(matches!(
            ask(&mut desk, &origin, Ping::default()),
            Response::Ping(_)
        ));
        desk.closed(11);
        assert!(matches!(
            ask(&mut desk, &origin, Ping::default()),
            Response::Ping(_)
        ));
        desk.closed(12);
        match ask(&mut desk, &origin, Ping::default()) {
            Response::Error(error) => assert_eq!(error.code, ErrorCode::PermissionDenied),
            other => panic!("{other:?} is no refusal"),
        }
    }

    #[test]
    fn nonces_end_with_the_connection_as_well() {
        let (mut desk, origin) = (desk(), origin(12));
        let nonce = Authenticate {
            nonce: Some(NONCE.into()),
            proof: None,
        };
        let Response::Authenticate(challenge) = ask(&mut desk, &origin, nonce) else {
            panic!("no challenge");
        };
        desk.closed(12);
        let proof = Authenticate {
            nonce: None,
            proof: Some(key().client_proof(NONCE, &challenge.nonce.unwrap())),
        };
        assert!(matches!(ask(&mut desk, &origin, proof), Response::Error(_)));
    }
}

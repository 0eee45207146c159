//! Who is served: signatures, `Authenticate`, impostors, keys and endpoints.

mod support;

use stui_embedded::server::{EndpointError, ServeError, ServeOptions, Server};
use stui_protocol::Uuid;
use stui_protocol::auth::Key;
use stui_protocol::error::ErrorCode;
use stui_protocol::message::{Envelope, Payload};
use stui_protocol::request::{Authenticate, Ping};
use stui_protocol::response::Response;
use support::{Client, PATIENCE, key, server, socket};

/// The one unsigned answer that a stranger gets.
fn refusal(client: &Client) -> (Uuid, ErrorCode) {
    let frames = client.frames_within(PATIENCE).expect("an answer");
    let [document] = &frames[..] else {
        panic!("{} frames", frames.len());
    };
    let envelope = Envelope::from_json(document).unwrap();
    match envelope.payload {
        Payload::Response(Response::Error(error)) => (envelope.id, error.code),
        other => panic!("{other:?} is no error"),
    }
}

#[test]
fn who_signs_is_served_and_answered_with_a_signature() {
    let server = server();
    let mut client = Client::of(&server);
    // `ask` checks the signature of the answer.
    assert!(matches!(client.ask(Ping::default()), Response::Ping(_)));
}

#[test]
fn a_wrong_or_missing_signature_is_refused_and_the_connection_goes_on() {
    let server = server();
    let mut client = Client::of(&server);
    let ping = Envelope::request(Uuid::new_v4(), Ping::default())
        .to_json()
        .unwrap();
    let foreign = Key::new("another key").sign(&ping);
    let refused = (Uuid::nil(), ErrorCode::PermissionDenied);
    for frames in [
        &[foreign.as_bytes(), &ping[..]][..],
        &[b"", &ping],
        &[b"not even hex", &ping],
        &[&ping],
        &[b"garbage"],
        &[foreign.as_bytes(), b"garbage"],
    ] {
        client.send_frames(frames);
        if frames[0].is_empty() {
            // A delimiter: it comes back.
            let frames = client.frames_within(PATIENCE).expect("an answer");
            assert_eq!((frames.len(), frames[0].len()), (2, 0));
        } else {
            assert_eq!(refusal(&client), refused);
        }
    }
    assert!(matches!(client.ask(Ping::default()), Response::Ping(_)));
}

#[test]
fn who_authenticates_once_need_not_sign() {
    let server = server();
    let mut client = Client::of(&server);
    client.authenticate();
    assert!(matches!(client.ask(Ping::default()), Response::Ping(_)));
    assert_eq!(client.print("3 + 4"), "7");
}

#[test]
fn authentication_is_of_one_connection_only() {
    let server = server();
    let mut client = Client::of(&server);
    client.authenticate();
    let other = Client::of(&server);
    let ping = Envelope::request(Uuid::new_v4(), Ping::default());
    other.send_frames(&[&ping.to_json().unwrap()]);
    assert_eq!(refusal(&other).1, ErrorCode::PermissionDenied);
}

#[test]
fn an_impostor_without_the_key_gets_nothing() {
    let server = server();
    let mut client = Client::of(&server);
    client.signs = false;
    let nonce = Uuid::new_v4().simple().to_string();
    let challenge = client.challenge(&nonce);
    let server_nonce = challenge.nonce.unwrap();
    for proof in [
        Key::new("guessed").client_proof(&nonce, &server_nonce),
        // The server's own proof sent back.
        challenge.proof.unwrap(),
        String::new(),
    ] {
        let attempt = Authenticate {
            nonce: None,
            proof: Some(proof),
        };
        assert_eq!(client.error_code(attempt), ErrorCode::PermissionDenied);
        client.send(Ping::default());
        assert_eq!(refusal(&client).1, ErrorCode::PermissionDenied);
    }
}

#[test]
fn a_proof_is_good_for_one_attempt_on_its_own_nonces() {
    let server = server();
    let key = key(&server);
    let mut client = Client::of(&server);
    client.signs = false;
    let nonce = Uuid::new_v4().simple().to_string();
    let first = client.challenge(&nonce).nonce.unwrap();
    let second = client.challenge(&nonce).nonce.unwrap();
    assert_ne!(first, second);
    let stale = Authenticate {
        nonce: None,
        proof: Some(key.client_proof(&nonce, &first)),
    };
    assert_eq!(client.error_code(stale), ErrorCode::PermissionDenied);
    // The failed attempt used the second nonces up.
    let late = Authenticate {
        nonce: None,
        proof: Some(key.client_proof(&nonce, &second)),
    };
    assert_eq!(client.error_code(late), ErrorCode::PermissionDenied);
}

#[test]
fn a_client_proves_itself_only_to_who_proved_to_have_the_key() {
    let (server, other) = (server(), server());
    let mut client = Client::of(&other);
    client.signs = false;
    let nonce = Uuid::new_v4().simple().to_string();
    let challenge = client.challenge(&nonce);
    let expected = key(&server).server_proof(&nonce, &challenge.nonce.unwrap());
    assert_ne!(challenge.proof.unwrap(), expected);
}

#[test]
fn a_routing_id_chosen_by_the_client_cannot_authenticate_but_sign() {
    let server = server();
    let own = socket(zmq::DEALER);
    own.set_identity(b"chosen").unwrap();
    let mut client = Client::with(&server, own);
    client.signs = false;
    let attempt = Authenticate {
        nonce: Some("0123456789abcdef".into()),
        proof: None,
    };
    assert_eq!(client.error_code(attempt), ErrorCode::PermissionDenied);
    client.signs = true;
    assert!(matches!(client.ask(Ping::default()), Response::Ping(_)));
}

#[test]
fn a_bad_nonce_is_refused() {
    let server = server();
    let mut client = Client::of(&server);
    client.signs = false;
    for nonce in ["", "short", "not hex at all!!"] {
        let attempt = Authenticate {
            nonce: Some(nonce.into()),
            proof: None,
        };
        assert_eq!(client.error_code(attempt), ErrorCode::InvalidRequest);
    }
    assert_eq!(
        client.error_code(Authenticate::default()),
        ErrorCode::InvalidRequest
    );
}

#[test]
fn without_a_key_everybody_on_this_machine_is_served() {
    let server = Server::spawn(ServeOptions {
        no_key: true,
        ..ServeOptions::default()
    })
    .unwrap();
    assert_eq!(server.connection().key, None);
    let mut client = Client::of(&server);
    assert!(matches!(client.ask(Ping::default()), Response::Ping(_)));
    let attempt = Authenticate {
        nonce: Some("0123456789abcdef".into()),
        proof: None,
    };
    assert_eq!(client.error_code(attempt), ErrorCode::UnsupportedOperation);
}

#[test]
fn without_a_key_nobody_else_is_served() {
    let refused = Server::spawn(ServeOptions {
        endpoint: "tcp://0.0.0.0:*".into(),
        no_key: true,
        ..ServeOptions::default()
    });
    assert!(matches!(
        refused.map(|_| ()),
        Err(ServeError::Endpoint(EndpointError::OpenToAll(_)))
    ));
}

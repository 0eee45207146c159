//! A server on a thread, and clients on real sockets.
//!
//! Everything that waits has a deadline; nothing waits for luck.

#![allow(dead_code)] // each test file uses its part

use std::collections::VecDeque;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use stui_embedded::server::{ServeOptions, Server};
use stui_protocol::Uuid;
use stui_protocol::auth::Key;
use stui_protocol::error::{ErrorCode, ErrorInfo};
use stui_protocol::event::{Event, Happening};
use stui_protocol::message::{Envelope, Payload};
use stui_protocol::request::{self, Request};
use stui_protocol::response::{self, Response};

/// How long anything may take before a test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A server on a free port.
pub(crate) fn server() -> Server {
    Server::spawn(ServeOptions::default()).expect("the server starts")
}

/// The key of a server.
pub(crate) fn key(server: &Server) -> Key {
    server.connection().key().expect("the server has a key")
}

/// A client's socket, not connected yet.
pub(crate) fn socket(kind: zmq::SocketType) -> zmq::Socket {
    static CONTEXT: LazyLock<zmq::Context> = LazyLock::new(zmq::Context::new);
    let socket = CONTEXT.socket(kind).expect("a socket");
    socket.set_linger(0).expect("linger");
    socket
}

/// A DEALER with no delimiter that signs everything, unless it is told otherwise.
pub(crate) struct Client {
    pub(crate) socket: zmq::Socket,
    key: Option<Key>,
    /// Whether to sign.
    pub(crate) signs: bool,
    events: VecDeque<Event>,
    responses: VecDeque<Envelope>,
}

impl Client {
    /// A client that signs.
    pub(crate) fn of(server: &Server) -> Client {
        Client::with(server, socket(zmq::DEALER))
    }

    /// A client with a socket that is not connected yet.
    pub(crate) fn with(server: &Server, socket: zmq::Socket) -> Client {
        socket
            .connect(&server.connection().endpoint)
            .expect("connect");
        let key = server.connection().key();
        Client {
            socket,
            signs: key.is_some(),
            key,
            events: VecDeque::new(),
            responses: VecDeque::new(),
        }
    }

    /// Sends frames as they are.
    pub(crate) fn send_frames(&self, frames: &[&[u8]]) {
        self.socket.send_multipart(frames, 0).expect("send");
    }

    /// Sends a document.
    pub(crate) fn send_document(&self, document: &[u8]) {
        match &self.key {
            Some(key) if self.signs => {
                self.send_frames(&[key.sign(document).as_bytes(), document]);
            }
            _ => self.send_frames(&[document]),
        }
    }

    /// Sends a request under an id.
    pub(crate) fn send_as(&self, id: Uuid, request: impl Into<Request>) {
        let envelope = Envelope::request(id, request);
        self.send_document(&envelope.to_json().expect("JSON"));
    }

    /// Sends a request, and answers its id.
    pub(crate) fn send(&self, request: impl Into<Request>) -> Uuid {
        let id = Uuid::new_v4();
        self.send_as(id, request);
        id
    }

    /// Frames that arrive within a time.
    pub(crate) fn frames_within(&self, patience: Duration) -> Option<Vec<Vec<u8>>> {
        let milliseconds = i64::try_from(patience.as_millis()).expect("a short time");
        if self.socket.poll(zmq::POLLIN, milliseconds).expect("poll") == 0 {
            return None;
        }
        Some(self.socket.recv_multipart(0).expect("receive"))
    }

    fn receive(&mut self, deadline: Instant) {
        let patience = deadline.saturating_duration_since(Instant::now());
        let mut frames = self.frames_within(patience).expect("an answer in time");
        let document = frames.pop().expect("a document");
        if let (true, Some(key)) = (self.signs, &self.key) {
            let signature = frames.pop().expect("a signature");
            assert!(key.verifies(&document, &signature), "signed by the server");
        }
        assert!(frames.is_empty(), "nothing before it");
        let envelope = Envelope::from_json(&document).expect("a message");
        match envelope.payload {
            Payload::Event(event) => self.events.push_back(event),
            _ => self.responses.push_back(envelope),
        }
    }

    /// The response to a request, others kept for later.
    pub(crate) fn response_to(&mut self, id: Uuid) -> Response {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(place) = self.responses.iter().position(|other| other.id == id) {
                return match self.responses.remove(place).expect("it is there").payload {
                    Payload::Response(response) => response,
                    other => panic!("{other:?} is no response"),
                };
            }
            self.receive(deadline);
        }
    }

    /// How many responses have arrived that nobody asked for.
    pub(crate) fn unasked(&mut self) -> usize {
        // A round trip: what was sent before its answer has arrived.
        self.ask(request::Ping::default());
        self.responses.len()
    }

    /// Asks and waits for the response.
    pub(crate) fn ask(&mut self, request: impl Into<Request>) -> Response {
        let id = self.send(request);
        self.response_to(id)
    }

    /// Asks for what fails, and answers the error.
    pub(crate) fn error(&mut self, request: impl Into<Request>) -> ErrorInfo {
        match self.ask(request) {
            Response::Error(error) => error,
            other => panic!("{other:?} is no error"),
        }
    }

    /// The next event.
    pub(crate) fn event(&mut self) -> Event {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            self.receive(deadline);
        }
    }

    /// The next transcript text, other events left out.
    pub(crate) fn transcript(&mut self) -> (u64, String) {
        loop {
            let event = self.event();
            if let Happening::Transcript(transcript) = event.happening {
                return (event.sequence, transcript.text);
            }
        }
    }

    /// Evaluates code that has an answer or a runtime error.
    pub(crate) fn evaluate(&mut self, params: request::Evaluate) -> response::Evaluate {
        match self.ask(params) {
            Response::Evaluate(answer) => answer,
            other => panic!("{other:?} is no answer"),
        }
    }

    /// Evaluates code outside of a session, and answers its print string.
    pub(crate) fn print(&mut self, code: &str) -> String {
        let answer = self.evaluate(evaluate(code));
        assert!(!answer.has_error, "{answer:?}");
        answer.result
    }

    /// Evaluates code in a session, and answers its print string or error.
    pub(crate) fn print_in(&mut self, session: &str, code: &str) -> String {
        self.evaluate(evaluate_in(session, code)).result
    }

    /// Inspects.
    pub(crate) fn inspect(&mut self, params: request::Inspect) -> response::Inspect {
        match self.ask(params) {
            Response::Inspect(answer) => answer,
            other => panic!("{other:?} is no inspection"),
        }
    }

    /// Begins a session of a client, and answers its id.
    pub(crate) fn session(&mut self, client_id: &str) -> String {
        let params = request::CreateSession {
            client_id: client_id.into(),
            timeout: None,
        };
        match self.ask(params) {
            Response::CreateSession(created) => created.session.session_id,
            other => panic!("{other:?} is no session"),
        }
    }

    /// Subscribes to a session's events.
    pub(crate) fn subscribe(
        &mut self,
        session: &str,
        from_sequence: Option<u64>,
    ) -> response::Subscribe {
        let params = request::Subscribe {
            session_id: Some(session.into()),
            from_sequence,
        };
        match self.ask(params) {
            Response::Subscribe(answer) => answer,
            other => panic!("{other:?} is no subscription"),
        }
    }

    /// Interrupts a request, and answers whether it was still running.
    pub(crate) fn interrupt(&mut self, id: Uuid) -> bool {
        match self.ask(request::Interrupt::of_request(&id)) {
            Response::Interrupt(answer) => answer.interrupted,
            other => panic!("{other:?} is no answer to an interrupt"),
        }
    }

    /// Interrupts what a session forked, and answers how many processes that were.
    pub(crate) fn interrupt_forked(&mut self, session: &str) -> u64 {
        match self.ask(request::Interrupt::of_session(session)) {
            Response::Interrupt(answer) => answer.forked.expect("a number"),
            other => panic!("{other:?} is no answer to an interrupt"),
        }
    }

    /// Authenticates the connection, from now on without signatures.
    pub(crate) fn authenticate(&mut self) {
        self.signs = false;
        let key = self.key.clone().expect("a key");
        let nonce = Uuid::new_v4().simple().to_string();
        let challenge = self.challenge(&nonce);
        let server_nonce = challenge.nonce.expect("a nonce");
        let proof = challenge.proof.expect("a proof");
        assert_eq!(proof, key.server_proof(&nonce, &server_nonce));
        let answer = self.ask(request::Authenticate {
            nonce: None,
            proof: Some(key.client_proof(&nonce, &server_nonce)),
        });
        match answer {
            Response::Authenticate(answer) => assert!(answer.authenticated),
            other => panic!("{other:?} is no answer to a proof"),
        }
    }

    /// The first step of authenticating.
    pub(crate) fn challenge(&mut self, nonce: &str) -> response::Authenticate {
        let params = request::Authenticate {
            nonce: Some(nonce.into()),
            proof: None,
        };
        match self.ask(params) {
            Response::Authenticate(answer) => answer,
            other => panic!("{other:?} is no challenge"),
        }
    }

    /// The code of the error that answers a request.
    pub(crate) fn error_code(&mut self, request: impl Into<Request>) -> ErrorCode {
        self.error(request).code
    }
}

/// Code to evaluate outside of a session.
pub(crate) fn evaluate(code: &str) -> request::Evaluate {
    request::Evaluate {
        code: code.into(),
        ..request::Evaluate::default()
    }
}

/// Code to evaluate in a session.
pub(crate) fn evaluate_in(session: &str, code: &str) -> request::Evaluate {
    request::Evaluate {
        session_id: Some(session.into()),
        ..evaluate(code)
    }
}

/// An expression to inspect in a session.
pub(crate) fn inspect_in(session: &str, target: &str) -> request::Inspect {
    request::Inspect {
        target: Some(target.into()),
        session_id: Some(session.into()),
        ..request::Inspect::default()
    }
}

/// An object to inspect.
pub(crate) fn inspect_object(id: &str) -> request::Inspect {
    request::Inspect {
        object_id: Some(id.into()),
        ..request::Inspect::default()
    }
}

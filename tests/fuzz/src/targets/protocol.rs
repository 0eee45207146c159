//! Documents of the protocol, read by servers and clients.

use stui_protocol::message::{Envelope, Received, find_id};

use crate::Target;

pub(super) const TARGET: Target = Target {
    name: "protocol",
    about: "a document: it is a message or says why not, and a message is written as it was read",
    seeds: super::examples,
    words: super::JSON_WORDS,
    run,
};

fn run(document: &[u8]) {
    let id = find_id(document);
    match Envelope::from_json(document) {
        Ok(envelope) => {
            let written = envelope.to_json().expect("a message has a JSON form");
            let again = Envelope::from_json(&written).expect("what is written can be read");
            assert_eq!(again, envelope);
            assert_eq!(find_id(&written), envelope.id);
        }
        Err(unreadable) => {
            assert!(!unreadable.error.message.is_empty());
            // what could be read is found by both readers
            assert_eq!(unreadable.id, id, "{}", unreadable.error.message);
        }
    }
    if let Ok(received) = Received::read(document) {
        let _ = received.request_type();
        assert!(received.content().len() <= document.len());
    }
}

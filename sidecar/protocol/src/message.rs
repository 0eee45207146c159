//! The envelope around every message, and how a received document is read.
//!
//! Reading has two steps, so that a server can answer whatever it gets: [`Received::read`] finds id,
//! version and kind, [`Received::envelope`] reads the content. What fails says so with the id of the
//! document wherever there is one ([`Unreadable`]).

use std::cell::Cell;
use std::time::SystemTime;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::error::{ErrorCode, ErrorInfo};
use crate::event::Event;
use crate::request::Request;
use crate::response::Response;
use crate::{PROTOCOL_VERSION, understands};

/// One message.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Envelope {
    /// Its id; a response carries the id of its request, an event the nil UUID.
    pub id: Uuid,
    /// Version of the protocol that the sender speaks.
    pub version: String,
    /// When it was made, in RFC 3339; for people only.
    pub timestamp: String,
    /// What it says.
    pub payload: Payload,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", content = "data")]
pub enum Payload {
    /// A client asks.
    Request(Request),
    /// The server answers.
    Response(Response),
    /// The server tells what happened.
    Event(Event),
}

impl Envelope {
    /// A message with an id, made now.
    pub fn new(id: Uuid, payload: Payload) -> Self {
        Envelope {
            id,
            version: PROTOCOL_VERSION.to_owned(),
            timestamp: timestamp(SystemTime::now()),
            payload,
        }
    }

    /// A request.
    pub fn request(id: Uuid, request: impl Into<Request>) -> Self {
        Self::new(id, Payload::Request(request.into()))
    }

    /// The response to the request with this id.
    pub fn response(id: Uuid, response: impl Into<Response>) -> Self {
        Self::new(id, Payload::Response(response.into()))
    }

    /// An event.
    pub fn event(event: Event) -> Self {
        Self::new(Uuid::nil(), Payload::Event(event))
    }

    /// The document that is sent.
    ///
    /// # Errors
    /// Never for what these types can hold: every map in them has string keys.
    pub fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(self)
    }

    /// Reads a received document whole.
    ///
    /// # Errors
    /// If it is not a message of this protocol, with what to answer.
    pub fn from_json(document: &[u8]) -> Result<Self, Unreadable> {
        Received::read(document)?.envelope()
    }
}

/// A time as the protocol writes it: RFC 3339, UTC, whole seconds. Times before 1970 are 1970.
pub fn timestamp(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time.max(SystemTime::UNIX_EPOCH)).to_string()
}

/// Why a document could not be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}", error.message)]
pub struct Unreadable {
    /// The document's id if it has a readable one, else the nil UUID.
    pub id: Uuid,
    /// What to answer.
    pub error: ErrorInfo,
}

impl Unreadable {
    fn new(id: Uuid, message: impl Into<String>) -> Self {
        Unreadable {
            id,
            error: ErrorInfo::new(ErrorCode::InvalidRequest, message),
        }
    }
}

/// A received document of which the outside is read: id, version and kind.
#[derive(Debug)]
pub struct Received<'a> {
    /// Its id.
    pub id: Uuid,
    version: String,
    timestamp: String,
    kind: Kind,
    name: String,
    content: Option<&'a RawValue>,
    session_id: Option<String>,
    sequence: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Kind {
    Request,
    Response,
    Event,
}

#[derive(Deserialize)]
struct Outer<'a> {
    id: Uuid,
    version: String,
    #[serde(default)]
    timestamp: String,
    #[serde(borrow)]
    payload: OuterPayload<'a>,
}

#[derive(Deserialize)]
struct OuterPayload<'a> {
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(borrow)]
    data: OuterData<'a>,
}

#[derive(Deserialize)]
struct OuterData<'a> {
    request_type: Option<String>,
    response_type: Option<String>,
    event_type: Option<String>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    session_id: Option<String>,
    #[serde(default)]
    sequence: u64,
}

impl<'a> Received<'a> {
    /// Reads the outside of a document; its content is only checked to be JSON.
    ///
    /// # Errors
    /// If it is no message of a version that is understood.
    pub fn read(document: &'a [u8]) -> Result<Self, Unreadable> {
        let text = std::str::from_utf8(document).map_err(|error| {
            let at = error.valid_up_to();
            Unreadable::new(
                find_id(document),
                format!(
                    "The message is not UTF-8 (from byte {at} on); send one JSON document as UTF-8."
                ),
            )
        })?;
        let outer: Outer<'a> = serde_json::from_str(text).map_err(|error| {
            Unreadable::new(
                find_id(document),
                format!("The message cannot be read: {error}. Send one JSON document with id (a UUID), version and payload."),
            )
        })?;
        let id = outer.id;
        if !understands(&outer.version) {
            return Err(Unreadable::new(
                id,
                format!(
                    "Version {:?} of the protocol is not spoken here; this is {PROTOCOL_VERSION}, send that as version.",
                    outer.version
                ),
            ));
        }
        let data = outer.payload.data;
        let (key, name, content) = match outer.payload.kind {
            Kind::Request => ("request_type", data.request_type, data.params),
            Kind::Response => ("response_type", data.response_type, data.data),
            Kind::Event => ("event_type", data.event_type, data.data),
        };
        let Some(name) = name else {
            return Err(Unreadable::new(id, format!("payload.data has no {key}.")));
        };
        Ok(Received {
            id,
            version: outer.version,
            timestamp: outer.timestamp,
            kind: outer.payload.kind,
            name,
            content,
            session_id: data.session_id,
            sequence: data.sequence,
        })
    }

    /// The name of the request type, if it is a request.
    pub fn request_type(&self) -> Option<&str> {
        (self.kind == Kind::Request).then_some(self.name.as_str())
    }

    /// The content as it came: its JSON.
    pub fn content(&self) -> &'a str {
        self.content.map_or("", RawValue::get)
    }

    /// Reads the content too.
    ///
    /// # Errors
    /// If the content lacks what its kind needs.
    pub fn envelope(self) -> Result<Envelope, Unreadable> {
        let wrong = |error: serde_json::Error| {
            let name = &self.name;
            Unreadable::new(self.id, format!("{name} cannot be read: {error}."))
        };
        let payload = match self.kind {
            Kind::Request => {
                Payload::Request(Request::read(&self.name, self.content).map_err(wrong)?)
            }
            Kind::Response => {
                Payload::Response(Response::read(&self.name, self.content).map_err(wrong)?)
            }
            Kind::Event => Payload::Event(Event {
                happening: crate::event::Happening::read(&self.name, self.content)
                    .map_err(wrong)?,
                session_id: self.session_id,
                sequence: self.sequence,
            }),
        };
        Ok(Envelope {
            id: self.id,
            version: self.version,
            timestamp: self.timestamp,
            payload,
        })
    }
}

/// The id of a document, however broken the document is behind it; the nil UUID if there is none.
pub fn find_id(document: &[u8]) -> Uuid {
    struct IdOf<'a>(&'a Cell<Uuid>);

    impl<'de> Visitor<'de> for IdOf<'_> {
        type Value = ();

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a message")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            while let Some(key) = map.next_key::<String>()? {
                if key == "id" {
                    if let Ok(id) = map.next_value::<serde_json::Value>().map(|value| {
                        value
                            .as_str()
                            .and_then(|text| text.parse().ok())
                            .unwrap_or_default()
                    }) {
                        self.0.set(id);
                    }
                    return Ok(());
                }
                map.next_value::<IgnoredAny>()?;
            }
            Ok(())
        }
    }

    let id = Cell::new(Uuid::nil());
    let mut reader = serde_json::Deserializer::from_slice(document);
    // Whether the rest can be read is of no interest: what was found before counts.
    let _ = serde::Deserializer::deserialize_map(&mut reader, IdOf(&id));
    id.get()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Evaluate;

    const ID: &str = "550e8400-e29b-41d4-a716-446655440000";

    fn with(version: &str, payload: &str) -> String {
        format!(r#"{{"id":"{ID}","version":"{version}","payload":{payload}}}"#)
    }

    fn id() -> Uuid {
        ID.parse().unwrap()
    }

    #[test]
    fn an_unknown_request_type_keeps_its_name_and_its_id() {
        let json = with(
            "1.0.0",
            r#"{"type":"Request","data":{"request_type":"Levitate","params":{"height":3}}}"#,
        );
        let envelope = Envelope::from_json(json.as_bytes()).unwrap();
        assert_eq!(envelope.id, id());
        assert_eq!(
            envelope.payload,
            Payload::Request(Request::Unknown("Levitate".into()))
        );
    }

    #[test]
    fn fields_come_in_any_order_and_unknown_ones_are_ignored() {
        let json = format!(
            r#"{{"colour":"red","payload":{{"data":{{"params":{{"later":1,"code":"3"}},"request_type":"Evaluate"}},"type":"Request"}},"version":"1.3.0","id":"{ID}"}}"#
        );
        let envelope = Envelope::from_json(json.as_bytes()).unwrap();
        let expected = Evaluate {
            code: "3".into(),
            ..Evaluate::default()
        };
        assert_eq!(envelope.payload, Payload::Request(expected.into()));
    }

    #[test]
    fn another_major_version_is_refused_with_the_id() {
        let json = with(
            "2.0.0",
            r#"{"type":"Request","data":{"request_type":"Ping"}}"#,
        );
        let unreadable = Envelope::from_json(json.as_bytes()).unwrap_err();
        assert_eq!(unreadable.id, id());
        assert_eq!(unreadable.error.code, ErrorCode::InvalidRequest);
        assert!(unreadable.error.message.contains("2.0.0"));
    }

    #[test]
    fn wrong_parameters_are_refused_with_the_id_and_the_reason() {
        let json = with(
            "1.0.0",
            r#"{"type":"Request","data":{"request_type":"Evaluate","params":{}}}"#,
        );
        let unreadable = Envelope::from_json(json.as_bytes()).unwrap_err();
        assert_eq!(unreadable.id, id());
        assert!(unreadable.error.message.contains("missing field `code`"));
    }

    #[test]
    fn a_broken_document_yields_its_id_where_it_has_one() {
        for (document, expected) in [
            (format!(r#"{{"id":"{ID}","version":"#), id()),
            (format!(r#"{{"version":"1.0.0","id":"{ID}"}}"#), id()),
            (
                format!(r#"{{"payload":[1,{{"x":2}}],"id":"{ID}" oops"#),
                id(),
            ),
            (r#"{"id":17,"version":"1.0.0"}"#.into(), Uuid::nil()),
            (r#"{"id":"17"}"#.into(), Uuid::nil()),
            (format!(r#"["{ID}"]"#), Uuid::nil()),
            (String::new(), Uuid::nil()),
        ] {
            let unreadable = Envelope::from_json(document.as_bytes()).unwrap_err();
            assert_eq!(unreadable.id, expected, "{document}");
            assert_eq!(unreadable.error.code, ErrorCode::InvalidRequest);
        }
        let mut bytes = format!(r#"{{"id":"{ID}","version":""#).into_bytes();
        bytes.push(0xff);
        assert_eq!(Envelope::from_json(&bytes).unwrap_err().id, id());
    }

    #[test]
    fn timestamps_are_rfc_3339() {
        let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_768_905_000);
        assert_eq!(timestamp(time), "2026-01-20T10:30:00Z");
    }
}

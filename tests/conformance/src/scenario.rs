//! `requests/*.json`: scenarios of requests with the replies that the protocol demands.
//!
//! A scenario is `{"about": …, "steps": […]}`. It may name request types that it `requires` (a server that does not list
//! them in `Describe` is excused), likewise `features`, and whether it `needs_key`. A step is an [`Action`], named by its field `do`.
//! In every string of a step `${name}` stands for what an earlier step captured under that name, for the id of the
//! request that was sent under it, or, as `${unique}`, for a text that no other scenario or run has. Replies are
//! compared by [`pattern`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;
use serde_json::{Value, json};
use stui_protocol::Uuid;
use stui_protocol::connection::ConnectionFile;

use crate::pattern;
use crate::wire::{PATIENCE, Signature, Wire, envelope, request};

/// A scenario, as its file holds it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it shows, as a sentence.
    pub about: String,
    /// Request types that the server must support for it.
    #[serde(default)]
    pub requires: Vec<String>,
    /// Features that the server must have for it.
    #[serde(default)]
    pub features: Vec<String>,
    /// Whether it is about keys, so that a server without one is excused.
    #[serde(default)]
    pub needs_key: bool,
    /// The steps, in order; see [`Action`].
    pub steps: Vec<Value>,
}

/// One step.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Sends a request and waits for its response.
    Ask {
        /// `request_type` and `params`.
        request: Value,
        /// What the response's `data` must match.
        expect: Value,
        /// Names for parts of the response's `data`, by JSON pointer.
        #[serde(default)]
        capture: BTreeMap<String, String>,
    },
    /// Sends a request and goes on.
    Send {
        /// `request_type` and `params`.
        request: Value,
        /// Name of its id.
        name: String,
    },
    /// Sends a request that was sent before once more: the same document with the same id.
    Resend {
        /// The name it was sent under.
        name: String,
    },
    /// Waits for the response to a request that was sent.
    Await {
        /// The name it was sent under.
        name: String,
        /// What the response's `data` must match.
        expect: Value,
    },
    /// Waits for an event; those that do not match are passed over.
    Event {
        /// What its `data` must match.
        expect: Value,
    },
    /// Makes sure that no second response comes: sends a Ping, whose response must be the next document but events.
    Quiet {},
    /// Sends a document as it is and waits for the next document.
    Document {
        /// A text as it is, or JSON.
        document: Value,
        /// How it is signed; rightly when not given.
        #[serde(default)]
        signature: SignatureKind,
        /// Whether an empty frame goes first, as REQ sockets send it.
        #[serde(default)]
        delimited: bool,
        /// What the whole reply must match.
        expect: Value,
    },
    /// Sends a signed text of this many bytes and waits for the next document.
    Oversized {
        /// The size.
        bytes: usize,
        /// What the whole reply must match.
        expect: Value,
    },
    /// Sends frames as they are, which need not be answered.
    Frames {
        /// The frames.
        frames: Vec<String>,
    },
    /// Makes the server know the connection; from then on the scenario sends unsigned.
    Authenticate {
        /// Whether the proof is right.
        proof: bool,
        /// What the `data` of the response to the proof must match.
        expect: Value,
    },
    /// Gives up the connection and makes a new one.
    Reconnect {},
}

/// How a document is signed.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureKind {
    /// Rightly, if the server has a key.
    #[default]
    Right,
    /// By a signature that belongs to something else.
    Wrong,
    /// Not at all.
    Missing,
}

/// How a scenario went.
#[derive(Debug)]
pub enum Outcome {
    /// Every reply was right.
    Passed,
    /// It does not apply to this server, and why.
    Excused(String),
}

/// The scenario files of this suite, by name.
///
/// # Errors
/// When their folder cannot be read.
pub fn files() -> Result<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("requests");
    let entries = std::fs::read_dir(&folder)
        .with_context(|| format!("cannot read the folder {}", folder.display()))?;
    let mut files = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    files.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });
    files.sort();
    Ok(files)
}

/// Plays the scenario in the file at `path` against a server.
///
/// # Errors
/// The first step that went otherwise than it should, and how.
pub fn play(path: &Path, server: &ConnectionFile) -> Result<Outcome> {
    let text = std::fs::read_to_string(path)?;
    let scenario: Scenario = serde_json::from_str(&text)?;
    let mut player = Player {
        server,
        wire: Wire::connect(server)?,
        signature: Signature::Right,
        names: BTreeMap::from([("unique".to_owned(), Uuid::new_v4().to_string())]),
        sent: BTreeMap::new(),
    };
    if scenario.needs_key && !player.wire.has_key() {
        return Ok(Outcome::Excused("the server has no key".to_owned()));
    }
    let description = player.ask(&request("Describe", &json!({})))?;
    let requests = scenario.requires.iter().map(|name| (name, "requests"));
    let features = scenario.features.iter().map(|name| (name, "features"));
    for (wanted, kind) in requests.chain(features) {
        let supported = description["data"][kind].as_array();
        if !supported.is_some_and(|names| names.iter().any(|name| name == wanted.as_str())) {
            return Ok(Outcome::Excused(format!("{wanted} is not supported")));
        }
    }
    for (index, step) in scenario.steps.iter().enumerate() {
        player
            .step(step)
            .with_context(|| format!("{}, step {}: {step}", scenario.about, index + 1))?;
    }
    Ok(Outcome::Passed)
}

struct Player<'a> {
    server: &'a ConnectionFile,
    wire: Wire,
    /// How requests are signed from now on.
    signature: Signature,
    names: BTreeMap<String, String>,
    /// The documents that were sent under a name.
    sent: BTreeMap<String, (Uuid, String)>,
}

impl Player<'_> {
    fn step(&mut self, step: &Value) -> Result<()> {
        match serde_json::from_value(self.filled_in(step)?)? {
            Action::Ask {
                request,
                expect,
                capture,
            } => {
                let response = self.ask(&request)?;
                check(&expect, &response)?;
                for (name, pointer) in capture {
                    let value = response
                        .pointer(&pointer)
                        .with_context(|| format!("nothing at {pointer} in {response}"))?;
                    let text = value
                        .as_str()
                        .map_or_else(|| value.to_string(), str::to_owned);
                    self.names.insert(name, text);
                }
                Ok(())
            }
            Action::Send { request, name } => {
                let id = Uuid::new_v4();
                let document = envelope(id, &request).to_string();
                self.wire
                    .send_document(document.as_bytes(), self.signature)?;
                self.names.insert(name.clone(), id.to_string());
                self.sent.insert(name, (id, document));
                Ok(())
            }
            Action::Resend { name } => {
                let (_, document) = self.sent_as(&name)?;
                self.wire.send_document(document.as_bytes(), self.signature)
            }
            Action::Await { name, expect } => {
                let id = self.sent_as(&name)?.0;
                check(&expect, &self.wire.response(id, PATIENCE)?)
            }
            Action::Event { expect } => self
                .wire
                .event(PATIENCE, |event| pattern::check(&expect, event).is_ok())
                .map(drop),
            Action::Quiet {} => self.quiet(),
            Action::Document {
                document,
                signature,
                delimited,
                expect,
            } => {
                let text = document
                    .as_str()
                    .map_or_else(|| document.to_string(), str::to_owned);
                let signature = match signature {
                    SignatureKind::Right => Signature::Right,
                    SignatureKind::Wrong => Signature::Wrong,
                    SignatureKind::Missing => Signature::Missing,
                };
                self.wire.delimit(delimited);
                self.wire.send_document(text.as_bytes(), signature)?;
                self.wire.delimit(false);
                check(&expect, &self.wire.next_document(PATIENCE)?)
            }
            Action::Oversized { bytes, expect } => {
                self.wire
                    .send_document(" ".repeat(bytes).as_bytes(), self.signature)?;
                check(&expect, &self.wire.next_document(PATIENCE)?)
            }
            Action::Frames { frames } => self.wire.send_frames(&frames),
            Action::Authenticate { proof, expect } => {
                check(&expect, &self.wire.authenticate(proof)?)?;
                if proof {
                    self.signature = Signature::Missing;
                }
                Ok(())
            }
            Action::Reconnect {} => {
                self.wire = Wire::connect(self.server)?;
                self.signature = Signature::Right;
                Ok(())
            }
        }
    }

    fn ask(&mut self, request: &Value) -> Result<Value> {
        let id = Uuid::new_v4();
        let document = envelope(id, request).to_string();
        self.wire
            .send_document(document.as_bytes(), self.signature)?;
        self.wire.response(id, PATIENCE)
    }

    fn sent_as(&self, name: &str) -> Result<&(Uuid, String)> {
        self.sent
            .get(name)
            .with_context(|| format!("nothing was sent under the name {name}"))
    }

    fn quiet(&mut self) -> Result<()> {
        let id = Uuid::new_v4();
        let ping = envelope(id, &request("Ping", &json!({}))).to_string();
        self.wire.send_document(ping.as_bytes(), self.signature)?;
        loop {
            let document = self.wire.next_document(PATIENCE)?;
            if document["id"] == id.to_string().as_str() {
                return Ok(());
            }
            if document["payload"]["type"] != "Event" {
                bail!("a reply that nobody waited for: {document}");
            }
        }
    }

    /// The step with every `${name}` replaced.
    fn filled_in(&self, value: &Value) -> Result<Value> {
        Ok(match value {
            Value::String(text) => Value::String(self.text_filled_in(text)?),
            Value::Array(elements) => elements
                .iter()
                .map(|element| self.filled_in(element))
                .collect::<Result<_>>()?,
            Value::Object(fields) => Value::Object(
                fields
                    .iter()
                    .map(|(name, value)| Ok((name.clone(), self.filled_in(value)?)))
                    .collect::<Result<_>>()?,
            ),
            other => other.clone(),
        })
    }

    fn text_filled_in(&self, text: &str) -> Result<String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}').context("${ without }")?;
            let value = self
                .names
                .get(name)
                .with_context(|| format!("nothing is named {name}"))?;
            filled.push_str(before);
            filled.push_str(value);
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }
}

fn check(expected: &Value, got: &Value) -> Result<()> {
    pattern::check(expected, got)
        .map_err(|difference| anyhow!("{difference}; the whole reply: {got}"))
}

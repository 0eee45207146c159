//! The parts of the package that need nothing but collections, strings and streams, run on the embedded Smalltalk: the
//! same source, loaded through Tonel, with the package's own tests.
//!
//! What this cannot show is whether Pharo's classes behave as the embedded ones do.

use std::path::Path;

use serde_json::Value;
use stui_pharo_check::Package;
use stui_pharo_check::image::{Image, literal};
use stui_protocol::message::{Envelope, Payload};

/// The test cases that need neither a network nor Pharo's compiler.
const TEST_CASES: [&str; 9] = [
    "STUIQueueTest",
    "STUITextTest",
    "STUIJsonTest",
    "STUIProtocolTest",
    "STUIZMTPTest",
    "STUIZMQEndpointTest",
    "STUIRegistryTest",
    "STUIDeskTest",
    "STUIInspectorTest",
];

/// Tests that need what the embedded Smalltalk does not have: hash functions, files, surrogates as characters;
/// or where it has something of its own: the view `Print`.
const NEED_PHARO: [&str; 6] = [
    "testSignatures",
    "testProofs",
    "testNonces",
    "testAKeyIsNotShown",
    "testWritingHalfASurrogatePair",
    "testText",
];

fn loaded() -> (Package, Image) {
    let package = Package::read();
    let image = Image::with_all(&package).unwrap_or_else(|error| panic!("{error}"));
    (package, image)
}

#[test]
fn the_packages_own_tests_pass() {
    let (package, mut image) = loaded();
    let mut failures = Vec::new();
    let mut count = 0;
    for class in TEST_CASES {
        let tests = package
            .methods()
            .filter(|(_, method)| method.class_name == class && !method.is_class_side)
            .map(|(_, method)| method.pattern().trim().to_owned())
            .filter(|selector| {
                selector.starts_with("test") && !NEED_PHARO.contains(&selector.as_str())
            });
        for test in tests {
            count += 1;
            if let Err(error) =
                image.evaluate(&format!("({class} selector: #{test}) runCase. 'passed'"))
            {
                failures.push(format!("{class}>>{test}: {error}"));
            }
        }
    }
    assert!(count > 50, "only {count} tests found");
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

fn examples() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sidecar/protocol/examples");
    let mut examples: Vec<(String, String)> = std::fs::read_dir(folder)
        .expect("the protocol's examples")
        .map(|entry| entry.expect("a readable entry").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .map(|path| {
            let name = path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            (
                name,
                std::fs::read_to_string(path).expect("a readable example"),
            )
        })
        .collect();
    examples.sort();
    assert!(examples.len() > 50, "only {} examples", examples.len());
    examples
}

#[test]
fn every_example_document_is_read_and_written_without_loss() {
    let (_, mut image) = loaded();
    for (name, text) in examples() {
        let written = image
            .evaluate(&format!(
                "STUIJsonWriter write: (STUIJsonReader read: {})",
                literal(&text)
            ))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let before: Value = serde_json::from_str(&text).expect("the example is JSON");
        let after: Value = serde_json::from_str(&written)
            .unwrap_or_else(|error| panic!("{name}: {error} in {written}"));
        assert_eq!(before, after, "{name}");
    }
}

#[test]
fn every_example_request_is_understood() {
    let (_, mut image) = loaded();
    for (name, text) in examples() {
        let Payload::Request(request) = Envelope::from_json(text.as_bytes())
            .expect("the example is a message")
            .payload
        else {
            continue;
        };
        let kind = image
            .evaluate(&format!(
                "(STUIEnvelope readRequest: {}) type",
                literal(&text)
            ))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(kind, request.name(), "{name}");
    }
}

#[test]
fn what_the_package_writes_is_what_the_protocol_reads() {
    let (_, mut image) = loaded();
    let id = "550e8400-e29b-41d4-a716-446655440000";
    for code in [
        format!("STUIEnvelope response: 'Ping' to: '{id}' data: (OrderedDictionary new at: 'message' put: 'é\"🎉'; at: 'uptime' put: 3; yourself)"),
        format!("[ STUIError sessionNotFound: 'x' ] on: STUIError do: [ :error | STUIEnvelope error: error to: '{id}' ]"),
        format!("[ STUIError classNotFound: 'Foo' suggestions: #('Food') ] on: STUIError do: [ :error | STUIEnvelope error: error to: '{id}' ]"),
        format!("STUIEnvelope error: (STUIError timeoutAfter: 200) to: '{id}'"),
        "STUIEnvelope event: 'Transcript' session: nil sequence: 7 data: (OrderedDictionary new at: 'text' put: 'hi'; yourself)".to_owned(),
    ] {
        let document = image.evaluate(&code).unwrap_or_else(|error| panic!("{error}"));
        let envelope = Envelope::from_json(document.as_bytes()).unwrap_or_else(|error| panic!("{error} in {document}"));
        assert!(!matches!(envelope.payload, Payload::Request(_)), "{document}");
    }
}

/// A fixed sequence of numbers without a pattern, so that a failure can be repeated.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

#[test]
fn damaged_documents_are_told_from_sound_ones_as_serde_tells_them() {
    let (_, mut image) = loaded();
    let seeds = [
        r#"{"id":"x","a":[1,-2.5e3,true,false,null],"b":{"c":"\u00e9\n"}}"#,
        r#"[[],{},"",0,-0,1e2,"\ud83c\udf89"]"#,
    ];
    let damage: Vec<char> = "{}[]\",:\\0123-+.eEtfnu \n'\u{e9}/".chars().collect();
    let mut numbers = Numbers(20_260_120);
    for round in 0..400 {
        let mut text: Vec<char> = seeds[round % seeds.len()].chars().collect();
        for _ in 0..=numbers.below(2) {
            let at = numbers.below(text.len());
            match numbers.below(3) {
                0 => drop(text.remove(at)),
                1 => text.insert(at, damage[numbers.below(damage.len())]),
                _ => text[at] = damage[numbers.below(damage.len())],
            }
        }
        let text: String = text.into_iter().collect();
        let sound = serde_json::from_str::<Value>(&text).is_ok();
        let read = image
            .evaluate(&format!(
                "[ STUIJsonReader read: {}. 'sound' ] on: STUIJsonError do: [ :error | 'damaged' ]",
                literal(&text)
            ))
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(read == "sound", sound, "{text}");
    }
}

//! The targets, one file for those of one subject.

mod configuration;
mod files;
mod hub;
mod journal;
mod machine;
mod pane;
mod protocol;
mod server;
mod source;

use crate::Target;

/// All targets.
pub const TARGETS: [Target; 10] = [
    protocol::TARGET,
    server::TARGET,
    server::ZMTP,
    journal::TARGET,
    pane::TARGET,
    hub::TARGET,
    files::TARGET,
    configuration::TARGET,
    source::TARGET,
    machine::TARGET,
];

/// Words that JSON documents are made of.
const JSON_WORDS: &[&str] = &[
    "null",
    "true",
    "false",
    "{}",
    "[]",
    "\"\"",
    "\"id\":",
    "\"type\":",
    "\"data\":",
    "{\"a\":",
    ",",
    ":",
    "\\u0000",
    "\\ud800",
    "\\ud83c\\udf89",
    "1e999",
    "-0",
    "18446744073709551615",
    "\"550e8400-e29b-41d4-a716-446655440000\"",
    "\"Request\"",
    "\"Response\"",
    "\"Event\"",
    "\"request_type\":",
    "\"params\":",
    "\"session_id\":",
    "\"code\":",
    "\"Evaluate\"",
    "\"Inspect\"",
    "\"Subscribe\"",
    "\"Debug\"",
    "\"1.0.0\"",
    "\"2.0.0\"",
];

/// The protocol's own example documents.
fn examples() -> Vec<Vec<u8>> {
    files_in(
        concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../sidecar/protocol/examples"
        ),
        "json",
    )
}

/// The content of the files of a kind in a folder of this repository and below, in order of their names.
fn files_in(folder: &str, extension: &str) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut folders = vec![std::path::PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
        .into_iter()
        .filter_map(|path| std::fs::read(path).ok())
        .collect()
}

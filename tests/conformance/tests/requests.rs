//! Every scenario of `requests/`, each on a connection of its own.

use stui_conformance::scenario::{Outcome, files, play};
use stui_conformance::target::Target;

#[test]
fn every_request_gets_the_reply_that_the_protocol_demands() {
    let target = Target::from_environment().expect("a server");
    let files = files().expect("the scenarios");
    assert!(files.len() >= 20, "only {} scenarios found", files.len());
    let mut failures = Vec::new();
    for path in &files {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        match play(path, target.connection()) {
            Ok(Outcome::Passed) => println!("{name}: passed"),
            Ok(Outcome::Excused(reason)) if target.is_embedded() => {
                failures.push(format!("{name}: excused, but nothing is here: {reason}"));
            }
            Ok(Outcome::Excused(reason)) => println!("{name}: skipped, {reason}"),
            Err(error) => failures.push(format!("{name}: {error:#}")),
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

//! `stui doctor` as a shell and a script see it.

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use support::Serve;

/// What the doctor finds in a home of its own.
fn findings(home: &Path) -> Vec<serde_json::Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_stui"))
        .env_clear()
        .env("HOME", home)
        .env("XDG_RUNTIME_DIR", home.join("run"))
        .env("PATH", "/nowhere")
        .args(["doctor", "--json", "--session", "s"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    // There is no Zellij on this PATH.
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The finding about a subject that says this.
#[track_caller]
fn finding<'a>(
    findings: &'a [serde_json::Value],
    subject: &str,
    part: &str,
) -> &'a serde_json::Value {
    let is = |finding: &&serde_json::Value| {
        finding["subject"] == subject
            && finding["text"]
                .as_str()
                .is_some_and(|text| text.contains(part))
    };
    findings
        .iter()
        .find(is)
        .unwrap_or_else(|| panic!("nothing about {subject} says {part}: {findings:#?}"))
}

fn write(path: &Path, mode: u32) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, "x").unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_is_wrong_with_files_is_found_with_the_command_that_mends_it() {
    let home = tempfile::tempdir().unwrap();
    let session = home.path().join(".local/state/stui/sessions/s");
    write(&session.join("journal"), 0o600);
    write(&session.join("journal.torn.1"), 0o600);
    write(&session.join("snapshot"), 0o644);
    write(&session.join("sidecar.log"), 0o600);
    std::fs::set_permissions(&session, std::fs::Permissions::from_mode(0o700)).unwrap();
    let runtime = home.path().join("run/stui");
    std::fs::create_dir_all(&runtime).unwrap();
    std::fs::set_permissions(&runtime, std::fs::Permissions::from_mode(0o700)).unwrap();
    drop(std::os::unix::net::UnixListener::bind(runtime.join("gone.sock")).unwrap());

    let found = findings(home.path());
    let open = finding(&found, "files", "open to others (mode 644)");
    assert_eq!(open["level"], "problem");
    let chmod = format!("`chmod 600 {}`", session.join("snapshot").display());
    assert_eq!(open["remedy"], chmod.as_str());
    let torn = finding(&found, "journal", "journal.torn.1");
    assert_eq!(torn["level"], "note");
    assert!(
        torn["remedy"]
            .as_str()
            .is_some_and(|text| text.contains("rm "))
    );
    finding(&found, "journal", "1 bytes of records");
    finding(&found, "logs", "sidecar.log (1 bytes)");
    let stale = finding(&found, "left behind", "a file of a process that is gone");
    assert!(
        stale["remedy"]
            .as_str()
            .is_some_and(|text| text.contains("gone.sock"))
    );
    finding(&found, "session s", "no sidecar runs");
    finding(&found, "zellij", "no zellij on PATH");
}

#[test]
fn a_broken_configuration_is_a_problem_with_its_line() {
    let home = tempfile::tempdir().unwrap();
    write(&home.path().join(".config/stui/config.kdl"), 0o600);
    std::fs::write(
        home.path().join(".config/stui/config.kdl"),
        "\nthem \"zellij\"",
    )
    .unwrap();
    let found = findings(home.path());
    let broken = finding(
        &found,
        "configuration",
        "config.kdl:2: there is no setting `them`",
    );
    assert_eq!(broken["level"], "problem");
}

#[test]
fn each_image_of_a_session_is_looked_at() {
    let home = tempfile::tempdir().unwrap();
    let runtime = home.path().join("run/stui");
    std::fs::create_dir_all(&runtime).unwrap();
    std::fs::set_permissions(&runtime, std::fs::Permissions::from_mode(0o700)).unwrap();
    let session = home.path().join(".local/state/stui/sessions/s");
    std::fs::create_dir_all(&session).unwrap();
    let file = runtime.join("one.json");
    let images = serde_json::json!([
        {"name": "one", "target": file},
        {"name": "two", "target": runtime.join("missing.json")},
    ]);
    std::fs::write(session.join("images.json"), images.to_string()).unwrap();
    let _serve = Serve::start(&file);
    let found = findings(home.path());
    finding(&found, "image one", "both sides know the key");
    finding(&found, "image one", "answers a ping");
    finding(&found, "image two", "There is no connection file");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let found = findings(home.path());
    let open = finding(&found, "image one", "chmod 600");
    assert_eq!(open["level"], "problem");
}

#[test]
fn folders_in_which_nothing_can_be_written_are_found() {
    let home = tempfile::tempdir().unwrap();
    write(&home.path().join(".local/state"), 0o600);
    let findings = findings(home.path());
    let state = finding(&findings, "directories", "is no folder");
    assert!(state["remedy"].as_str().unwrap().contains("XDG_STATE_HOME"));
    finding(&findings, "directories", "stui.wasm can be written");
}

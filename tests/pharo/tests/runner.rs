//! What the runner says when it is called wrongly. A run with a real VM is for machines that have one.

use std::process::{Command, Output};

use stui_pharo_check::root;

/// Runs the runner with nothing in its environment but a search path.
fn run(arguments: &[&str]) -> Output {
    Command::new("sh")
        .arg(root().join("run-stui-server.sh"))
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .output()
        .expect("a shell")
}

#[track_caller]
fn assert_refused(arguments: &[&str], part: &str) {
    let output = run(arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
    assert!(said.contains(part), "{arguments:?}: {said}");
    assert_eq!(said.lines().count(), 1, "{arguments:?}: {said}");
}

#[test]
fn help_lists_the_options() {
    let output = run(&["--help"]);
    assert!(output.status.success());
    let text = String::from_utf8_lossy(&output.stdout);
    for option in [
        "--vm",
        "--image",
        "--endpoint",
        "--key",
        "--no-key",
        "--socket",
        "--connection-file",
        "--log",
        "--prepare",
    ] {
        assert!(text.contains(option), "{option}");
    }
}

#[test]
fn every_wrong_call_is_answered_with_one_sentence() {
    let script = root().join("run-stui-server.sh");
    let no_image = script.display().to_string();
    assert_refused(&["--bogus"], "is no option");
    assert_refused(&["--vm"], "needs a value");
    assert_refused(&["--socket", "pigeon"], "no kind of socket");
    assert_refused(&["--endpoint", "http://x"], "is no endpoint");
    assert_refused(&[], "no Pharo VM");
    assert_refused(&["--vm", "/no/such/vm"], "no program that can be run");
    assert_refused(&["--vm", "/bin/true"], "no image");
    assert_refused(
        &["--vm", "/bin/true", "--image", "/no/such.image"],
        "cannot be read",
    );
    assert_refused(
        &["--vm", "/bin/true", "--image", &no_image],
        "does not end with .image",
    );
}

//! `stui eval` as a shell sees it: output, errors, exit status.

mod support;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use support::Serve;

/// `stui` with a runtime directory of its own and nothing of the environment's servers.
fn stui(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stui"));
    command
        .env("XDG_RUNTIME_DIR", folder)
        .env_remove("STUI_CONNECTION_FILE")
        .env_remove("ZELLIJ_SESSION_NAME")
        .stdin(Stdio::null());
    command
}

/// A server where `stui eval` finds it.
fn server() -> (tempfile::TempDir, Serve) {
    let folder = tempfile::tempdir().unwrap();
    let runtime = folder.path().join("stui");
    std::fs::create_dir(&runtime).unwrap();
    let serve = Serve::start(&runtime.join("server.json"));
    (folder, serve)
}

fn eval(folder: &Path, arguments: &[&str]) -> Output {
    let output = stui(folder).arg("eval").args(arguments).output();
    output.unwrap()
}

#[track_caller]
fn assert_prints(output: &Output, expected: &str) {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{error}");
    assert_eq!(output.status.code(), Some(0), "{error}");
}

/// Fails with this status, nothing on standard output, and this on standard error.
#[track_caller]
fn assert_fails(output: &Output, status: i32, beginning: &str) -> String {
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(status), "{error}");
    assert!(output.stdout.is_empty());
    assert!(error.starts_with(beginning), "{error}");
    error
}

#[test]
fn the_answers_print_string_is_printed() {
    let (folder, _serve) = server();
    assert_prints(&eval(folder.path(), &["3 + 4"]), "7\n");
    assert_prints(&eval(folder.path(), &["'it''s'"]), "'it''s'\n");
    assert_prints(&eval(folder.path(), &["-3 abs"]), "3\n");
}

#[test]
fn code_comes_from_standard_input_with_every_character_whole() {
    let (folder, _serve) = server();
    let mut child = stui(folder.path())
        .arg("eval")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin
        .write_all("'日本語 🎉 €' ,\n' é'\n".as_bytes())
        .unwrap();
    drop(stdin);
    assert_prints(&child.wait_with_output().unwrap(), "'日本語 🎉 € é'\n");
}

#[test]
fn an_error_is_told_with_a_short_stack_and_status_1() {
    let (folder, _serve) = server();
    let error = assert_fails(&eval(folder.path(), &["1/0"]), 1, "ZeroDivide\n");
    assert!(error.lines().count() >= 2, "{error}");
    assert!(error.lines().count() < 12, "{error}");
}

#[test]
fn what_does_not_compile_is_shown_with_its_place() {
    let (folder, _serve) = server();
    let error = assert_fails(&eval(folder.path(), &["3 + ) 4"]), 1, "Variable or");
    assert!(error.ends_with("  3 + ) 4\n      ^\n"), "{error}");
}

#[test]
fn without_a_server_it_says_so_in_one_sentence_with_status_2() {
    let folder = tempfile::tempdir().unwrap();
    let output = eval(folder.path(), &["3"]);
    let error = assert_fails(&output, 2, "stui: no Smalltalk server is running");
    assert_eq!(error.lines().count(), 1, "{error}");
    let missing = folder.path().join("none.json");
    let output = eval(
        folder.path(),
        &["--connection-file", missing.to_str().unwrap(), "3"],
    );
    assert_fails(&output, 2, "stui: cannot use the connection file");
}

#[test]
fn a_killed_servers_connection_file_is_no_server() {
    let (folder, serve) = server();
    serve.kill();
    assert_fails(&eval(folder.path(), &["3"]), 2, "stui: no Smalltalk server");
    let file = folder.path().join("stui/server.json");
    let output = eval(
        folder.path(),
        &["--connection-file", file.to_str().unwrap(), "3"],
    );
    assert_fails(&output, 2, "stui: no Smalltalk server");
}

#[test]
fn of_several_servers_it_asks_which() {
    let (folder, _serve) = server();
    let second = folder.path().join("stui/second.json");
    let _second = Serve::start(&second);
    let error = assert_fails(&eval(folder.path(), &["3"]), 2, "stui: several");
    assert!(
        error.contains("second.json") && error.contains("server.json"),
        "{error}"
    );
    let named = eval(
        folder.path(),
        &["--connection-file", second.to_str().unwrap(), "3"],
    );
    assert_prints(&named, "3\n");
}

#[test]
fn a_named_session_keeps_its_variables_and_another_has_its_own() {
    let (folder, _serve) = server();
    assert_prints(&eval(folder.path(), &["--session", "a", "x := 42"]), "42\n");
    assert_prints(&eval(folder.path(), &["--session", "a", "x + 1"]), "43\n");
    assert_prints(&eval(folder.path(), &["--session", "b", "x := 1"]), "1\n");
    assert_prints(&eval(folder.path(), &["--session", "a", "x"]), "42\n");
    assert_fails(&eval(folder.path(), &["x"]), 1, "Undeclared variable");
}

#[test]
fn transcript_appears_on_standard_error_and_the_answer_alone_on_standard_output() {
    let (folder, _serve) = server();
    let output = eval(folder.path(), &["Transcript show: 'hello'; cr. 7"]);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "hello\n");
    assert_prints(&output, "7\n");
}

#[test]
fn where_nobody_reads_standard_error_the_answer_comes_all_the_same() {
    let (folder, _serve) = server();
    let code = "1 to: 20000 do: [ :i | Transcript show: i; cr ]. 7";
    let mut child = stui(folder.path())
        .args(["eval", code])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    let output = child.wait_with_output().unwrap();
    assert_prints(&output, "7\n");
}

#[test]
fn a_workspace_is_one_of_a_running_sidecars() {
    let (folder, _serve) = server();
    let output = stui(folder.path())
        .env("XDG_STATE_HOME", folder.path())
        .args(["eval", "--workspace", "main", "3 + 4"])
        .output()
        .unwrap();
    assert_fails(&output, 2, "stui: there is no STUI session yet; `stui up`");
}

#[test]
fn an_endless_loop_ends_at_the_time_limit_and_the_server_goes_on() {
    let (folder, _serve) = server();
    let output = eval(folder.path(), &["--timeout", "1", "[ true ] whileTrue"]);
    assert_fails(&output, 1, "stui: it took longer than 1 s");
    assert_prints(&eval(folder.path(), &["3 + 4"]), "7\n");
}

#[test]
fn more_calls_than_a_client_may_have_sessions_all_get_theirs() {
    let (folder, _serve) = server();
    for n in 0..8 {
        assert_prints(&eval(folder.path(), &[&n.to_string()]), &format!("{n}\n"));
    }
}

//! Who can use a server: keys and files as another user of the machine would find them, and logs.

mod support;

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use stui_protocol::request::{CreateSession, Evaluate, EvaluationMode, Inspect};
use stui_protocol::response::Response;

use support::{LIMIT, Serve};

#[test]
fn a_key_is_in_no_command_line_and_no_environment() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("server.json");
    let serve = Serve::start(&path);
    let file = serve.file();
    let key = file.key.expect("it has a key");
    for entry in ["cmdline", "environ"] {
        let bytes = std::fs::read(format!("/proc/{}/{entry}", file.pid)).unwrap();
        assert!(!bytes.is_empty());
        assert!(!String::from_utf8_lossy(&bytes).contains(&key), "{entry}");
    }
}

#[test]
fn a_connection_file_that_others_can_read_is_refused_by_clients() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("server.json");
    let _serve = Serve::start(&path);
    let eval = || {
        Command::new(env!("CARGO_BIN_EXE_stui"))
            .args(["eval", "--connection-file"])
            .arg(&path)
            .arg("3 + 4")
            .env("XDG_RUNTIME_DIR", folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    };
    assert_eq!(eval().stdout, b"7\n");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let refused = eval();
    let error = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{error}");
    assert!(error.contains("chmod 600"), "{error}");
}

#[test]
fn without_a_key_no_server_listens_beyond_this_machine() {
    let folder = tempfile::tempdir().unwrap();
    let endpoints = [
        "tcp://0.0.0.0:*",
        "tcp://*:*",
        "tcp://lo:*",
        "tcp://[::]:*",
        "ipc://@stui-test",
    ];
    for endpoint in endpoints {
        let file = folder.path().join("c.json");
        let refused = Command::new(env!("CARGO_BIN_EXE_stui"))
            .args([
                "serve",
                "--no-key",
                "--endpoint",
                endpoint,
                "--connection-file",
            ])
            .arg(&file)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{endpoint}: {error}");
        assert!(error.contains("use a key"), "{endpoint}: {error}");
        assert!(!file.exists());
    }
}

/// A server as the sidecar starts one: what it logs goes to a file.
struct Logged {
    child: Child,
    log: PathBuf,
    _home: tempfile::TempDir,
    file: PathBuf,
}

impl Logged {
    fn start(level: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let (log, file) = (home.path().join("x.server.log"), home.path().join("c.json"));
        let mut child = Command::new(env!("CARGO_BIN_EXE_stui"))
            .arg("--log-file")
            .arg(&log)
            .args(["serve", "--connection-file"])
            .arg(&file)
            .env_remove("STUI_CONFIG")
            .env("HOME", home.path())
            .env("XDG_CONFIG_HOME", home.path())
            .env("STUI_LOG", level)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(home.path().join("stderr")).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let out = child.stdout.take().unwrap();
        BufReader::new(out).read_line(&mut line).unwrap();
        assert!(line.contains("listens on"), "{line:?}");
        Logged {
            child,
            log,
            _home: home,
            file,
        }
    }

    /// Everything that was logged or said, once it has ended by itself.
    fn end(mut self) -> String {
        let id = i32::try_from(self.child.id()).unwrap();
        let pid = rustix::process::Pid::from_raw(id).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap();
        let read = |path: &Path| std::fs::read_to_string(path).unwrap();
        read(&self.log) + &read(&self.log.with_file_name("stderr"))
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn no_code_and_no_key_is_logged_whatever_is_evaluated() {
    const SECRET: &str = "Xyzzy17";
    let server = Logged::start("info");
    let file = stui::client::read_connection_file(&server.file).unwrap();
    let key = file.key.clone().unwrap();
    let client = stui::client::Client::connect(&file, LIMIT).unwrap();
    let session = CreateSession {
        client_id: SECRET.into(),
        timeout: None,
    };
    let Ok(Response::CreateSession(created)) = client.request(session, LIMIT) else {
        panic!("no session");
    };
    let session = created.session.session_id;
    let codes = [
        format!("'{SECRET}' reversed. #{SECRET}"),
        format!("{SECRET} := 3"),
        format!("self error: '{SECRET}'"),
        format!("nil perform: #{SECRET}"),
        format!("'{SECRET} not closed"),
        format!("Transcript show: '{SECRET}'; cr"),
        format!("[ self error: '{SECRET}' ] fork. Processor yield"),
        format!("(Array with: '{SECRET}') at: 9"),
        format!("Object subclass: #{SECRET}"),
        format!("Smalltalk at: #{SECRET} put: '{SECRET}'"),
    ];
    for code in &codes {
        let evaluate = Evaluate {
            code: code.clone(),
            evaluation_mode: Some(EvaluationMode::Display),
            session_id: Some(session.clone()),
            ..Evaluate::default()
        };
        client.request(evaluate, LIMIT).unwrap();
        let inspect = Inspect {
            target: Some(code.clone()),
            session_id: Some(session.clone()),
            ..Inspect::default()
        };
        client.request(inspect, LIMIT).unwrap();
    }
    drop(client);
    let log = server.end();
    assert!(log.contains("serving") && log.contains("ending"), "{log}");
    assert!(!log.contains(SECRET), "{log}");
    assert!(!log.contains(&key), "{log}");
    assert!(
        log.lines().all(|line| line.starts_with("20")),
        "each line has its time: {log}"
    );
}

#[test]
fn a_large_log_begins_anew_and_what_a_process_says_last_goes_into_the_new_one() {
    let home = tempfile::tempdir().unwrap();
    let (log, file) = (home.path().join("x.server.log"), home.path().join("c.json"));
    std::fs::write(&log, "old line\n".repeat(4000)).unwrap();
    let stream = || std::fs::OpenOptions::new().append(true).open(&log).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_stui"))
        .args(["serve", "--connection-file"])
        .arg(&file)
        .arg("--log-file")
        .arg(&log)
        .env("HOME", home.path())
        .env("XDG_CONFIG_HOME", home.path())
        .env("STUI_LOG_MAX_SIZE", "16 KiB")
        .env_remove("STUI_LOG")
        .env_remove("STUI_CONFIG")
        .stdin(Stdio::null())
        .stdout(stream())
        .stderr(stream())
        .spawn()
        .unwrap();
    let begin = std::time::Instant::now();
    // What it says once clients can connect, on standard output.
    let says = |text: &str| std::fs::read_to_string(&log).is_ok_and(|log| log.contains(text));
    while !says("listens on") {
        assert!(
            begin.elapsed() < LIMIT,
            "{:?}",
            std::fs::read_to_string(&log)
        );
        assert!(child.try_wait().unwrap().is_none());
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let error = std::fs::read_link(format!("/proc/{}/fd/2", child.id())).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(error.file_name(), log.file_name());
    let old = std::fs::read_to_string(home.path().join("x.server.log.1")).unwrap();
    assert!(old.starts_with("old line") && !old.contains("serving"));
    assert!(says("serving") && !says("old line"));
}

#[test]
fn no_key_is_logged_at_any_level() {
    let server = Logged::start("trace");
    let file = stui::client::read_connection_file(&server.file).unwrap();
    let client = stui::client::Client::connect(&file, LIMIT).unwrap();
    assert_eq!(support::value(&client, "3 + 4", None), "7");
    drop(client);
    let log = server.end();
    assert!(log.contains("serving"), "{log}");
    assert!(!log.contains(&file.key.unwrap()), "{log}");
}

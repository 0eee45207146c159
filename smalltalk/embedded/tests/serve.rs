//! A server as a process of its own: its connection file, signals, and the end of another process.
//!
//! This file has no test harness: run with a path as its argument, it is the server.

mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;

use rustix::process::{Pid, Signal, kill_process};
use stui_embedded::server::{ServeError, ServeOptions, Server, privately, serve};
use stui_protocol::connection::ConnectionFile;
use stui_protocol::request::Ping;
use stui_protocol::response::Response;
use support::{Client, PATIENCE};

fn main() {
    let mut arguments = std::env::args().skip(1);
    if let Some("--as-server") = arguments.next().as_deref() {
        let options = ServeOptions {
            connection_file: arguments.next().map(Into::into),
            exit_with_pid: arguments.next().and_then(|pid| pid.parse().ok()),
            ..ServeOptions::default()
        };
        let reason = serve(options, |connection| println!("{}", connection.endpoint));
        println!("{}", reason.expect("it serves"));
        return;
    }
    let tests: [(&str, fn()); 6] = [
        (
            "a_server_leaves_on_a_signal_and_takes_its_file_along",
            signals,
        ),
        (
            "a_server_leaves_with_the_process_that_it_belongs_to",
            other_process,
        ),
        ("a_server_on_an_ipc_socket_is_found_and_not_replaced", ipc),
        ("a_taken_port_is_an_error_that_names_it", taken_port),
        (
            "without_a_key_nothing_but_this_machine_is_served",
            open_to_others,
        ),
        (
            "what_is_made_privately_is_never_open_and_the_mask_is_as_before",
            private,
        ),
    ];
    for (name, test) in tests {
        test();
        println!("test {name} ... ok");
    }
    // As the harness says it, for those who count; a test that fails ends the process before.
    println!(
        "\ntest result: ok. {} passed; 0 failed; 0 ignored",
        tests.len()
    );
}

/// A server process; killed when this is dropped.
struct Process {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Process {
    fn start(file: &Path, with: Option<u32>) -> Process {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("--as-server").arg(file);
        if let Some(pid) = with {
            command.arg(pid.to_string());
        }
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        let process = Process { child, lines };
        // The endpoint is told once clients can connect.
        assert!(process.line().starts_with("tcp://127.0.0.1:"));
        process
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line in time")
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().cast_signed()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// What it said last, and how it ended.
    fn end(mut self) -> (String, ExitStatus) {
        let reason = self.line();
        (reason, self.child.wait().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(file: &Path) -> ConnectionFile {
    ConnectionFile::from_json(&fs::read_to_string(file).unwrap()).unwrap()
}

fn signals() {
    for signal in [Signal::TERM, Signal::INT] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("connection.json");
        let process = Process::start(&file, None);
        let connection = read(&file);
        assert_eq!(connection.pid, process.child.id());
        assert_eq!(connection.protocol_version, "1.0.0");
        assert!(connection.key.is_some_and(|key| key.len() == 64));
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        process.signal(signal);
        let (reason, status) = process.end();
        assert!(status.success() && reason.contains("signal"), "{reason}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

fn other_process() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("connection.json");
    let mut other = Command::new("sleep").arg("1000").spawn().unwrap();
    let process = Process::start(&file, Some(other.id()));
    other.kill().unwrap();
    other.wait().unwrap();
    let (reason, status) = process.end();
    assert!(status.success() && reason.contains("process"), "{reason}");
    assert!(!file.exists());
}

fn ipc() {
    let folder = tempfile::tempdir().unwrap();
    let endpoint = format!("ipc://{}", folder.path().join("socket").display());
    let options = ServeOptions {
        endpoint: endpoint.clone(),
        ..ServeOptions::default()
    };
    let server = Server::spawn(options.clone()).unwrap();
    assert_eq!(server.connection().endpoint, endpoint);
    let mode = fs::metadata(folder.path().join("socket")).unwrap();
    let mode = mode.permissions().mode();
    assert_eq!(mode & 0o077, 0, "nobody else may connect");
    assert!(matches!(
        Server::spawn(options.clone()),
        Err(ServeError::Endpoint(_))
    ));
    let mut client = Client::of(&server);
    client.authenticate();
    assert!(matches!(client.ask(Ping::default()), Response::Ping(_)));
    server.stop().unwrap();
    Server::spawn(options).unwrap().stop().unwrap();
}

fn taken_port() {
    let server = support::server();
    let endpoint = server.connection().endpoint.clone();
    let refused = Server::spawn(ServeOptions {
        endpoint: endpoint.clone(),
        ..ServeOptions::default()
    });
    match refused {
        Err(error @ ServeError::Bind { .. }) => {
            assert!(error.to_string().contains(&endpoint), "{error}");
        }
        other => panic!("{:?}", other.map(|_| ())),
    }
}

fn open_to_others() {
    for endpoint in [
        "tcp://0.0.0.0:*",
        "tcp://*:*",
        "tcp://lo:*",
        "tcp://[::]:*",
        "ipc://@stui-test",
    ] {
        let refused = Server::spawn(ServeOptions {
            endpoint: endpoint.into(),
            no_key: true,
            ..ServeOptions::default()
        });
        match refused {
            Err(error @ ServeError::Endpoint(_)) => {
                assert!(error.to_string().contains("use a key"), "{error}");
            }
            other => panic!("{endpoint}: {:?}", other.map(|_| ())),
        }
    }
}

/// Here and not beside the code: no other thread of this process makes files meanwhile.
fn private() {
    let folder = tempfile::tempdir().unwrap();
    let mode = |name: &str| {
        let metadata = fs::metadata(folder.path().join(name)).unwrap();
        metadata.permissions().mode() & 0o777
    };
    let make = |name: &str| fs::write(folder.path().join(name), "").unwrap();
    make("before");
    privately(|| make("private"));
    assert_eq!(mode("private"), 0o600);
    let bind = || std::os::unix::net::UnixListener::bind(folder.path().join("socket"));
    drop(privately(bind).unwrap());
    assert_eq!(mode("socket"), 0o700);
    make("after");
    assert_eq!(mode("after"), mode("before"));
    assert_ne!(mode("after"), 0o600, "or this shows nothing");
}

//! A real server as a process of its own.

// Each test file uses its part.
#![allow(dead_code)]

pub(crate) mod linked;
pub(crate) mod sshd;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use stui::client::{Client, read_connection_file};
use stui_protocol::connection::ConnectionFile;
use stui_protocol::request::{CreateSession, Evaluate};
use stui_protocol::response::{self, Response};

/// Longer than anything here takes, also on a machine that is busy.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// `stui serve`, killed when dropped.
pub(crate) struct Serve {
    child: Child,
    path: PathBuf,
}

impl Serve {
    /// Starts one that writes this connection file, and waits until it listens.
    pub(crate) fn start(path: &Path) -> Self {
        Self::start_at(path, "tcp://127.0.0.1:*")
    }

    /// The same at this endpoint.
    pub(crate) fn start_at(path: &Path, endpoint: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_stui"))
            .arg("serve")
            .arg("--connection-file")
            .arg(path)
            .arg("--endpoint")
            .arg(endpoint)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("stui serve starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output is piped"))
            .read_line(&mut line)
            .expect("it says where it listens");
        assert!(line.contains("listens on"), "{line:?}");
        Serve {
            child,
            path: path.to_owned(),
        }
    }

    pub(crate) fn file(&self) -> ConnectionFile {
        read_connection_file(&self.path).expect("it wrote its connection file")
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(&self.file(), LIMIT).expect("it lets a client in")
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn session(client: &Client) -> String {
    let request = CreateSession {
        client_id: "test".into(),
        timeout: None,
    };
    match client.request(request, LIMIT) {
        Ok(Response::CreateSession(created)) => created.session.session_id,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn evaluate(code: &str, session_id: Option<&str>) -> Evaluate {
    Evaluate {
        code: code.into(),
        session_id: session_id.map(Into::into),
        ..Evaluate::default()
    }
}

/// What evaluating this answers.
pub(crate) fn value(client: &Client, code: &str, session_id: Option<&str>) -> String {
    result(client.request(evaluate(code, session_id), LIMIT))
}

pub(crate) fn result(answer: Result<Response, stui::client::ClientError>) -> String {
    match answer {
        Ok(Response::Evaluate(response::Evaluate {
            result,
            has_error: false,
            ..
        })) => result,
        other => panic!("{other:?}"),
    }
}

//! A real server as a process of its own, and a wire to it that can be cut.

// Each test file uses its part.
#![allow(dead_code)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
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
        let mut child = Command::new(env!("CARGO_BIN_EXE_stui"))
            .arg("serve")
            .arg("--connection-file")
            .arg(path)
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

/// Stands between client and server, and can cut what it forwards.
pub(crate) struct Wire {
    pub(crate) port: u16,
    streams: Arc<Mutex<Vec<TcpStream>>>,
}

impl Wire {
    pub(crate) fn to(endpoint: &str) -> Self {
        let address = endpoint.trim_start_matches("tcp://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let streams = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&streams);
        thread::spawn(move || {
            for from in listener.incoming().flatten() {
                let Ok(to) = TcpStream::connect(&address) else {
                    continue;
                };
                let mut streams = kept.lock().expect("no forwarder panicked");
                for (from, to) in [(&from, &to), (&to, &from)] {
                    let from = from.try_clone().expect("a second handle");
                    let to = to.try_clone().expect("a second handle");
                    streams.push(from.try_clone().expect("a third handle"));
                    thread::spawn(move || forward(from, to));
                }
            }
        });
        Wire { port, streams }
    }

    /// Ends every connection there is now; new ones are forwarded again.
    pub(crate) fn cut(&self) {
        for stream in self
            .streams
            .lock()
            .expect("no forwarder panicked")
            .drain(..)
        {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn forward(mut from: TcpStream, mut to: TcpStream) {
    let mut bytes = [0; 8 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        if to.write_all(&bytes[..read]).is_err() {
            return;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
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

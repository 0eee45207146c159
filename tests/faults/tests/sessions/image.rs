//! A Smalltalk server behind a proxy, that counts what is evaluated.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use stui::client::{Client, read_connection_file};
use stui::demo::stage::Stage;
use stui_faults::proxy::Proxy;
use stui_protocol::connection::ConnectionFile;
use stui_protocol::request::Evaluate;
use stui_protocol::response::Response;

/// How long a server may take to start, or to answer us, who do not go through the proxy.
const PATIENCE: Duration = Duration::from_secs(60);
/// `Hit value: n` counts n, writes it to the transcript, and answers three times n.
const DEFINITIONS: [&str; 2] = [
    "Smalltalk at: #Hits put: Dictionary new. 3",
    "Smalltalk at: #Hit put: [ :n |
        Hits at: n put: (Hits at: n ifAbsent: [ 0 ]) + 1.
        Transcript show: 'hit ', n printString; cr.
        n * 3 ].
    3",
];

/// See the module's text.
pub(crate) struct Image {
    stui: PathBuf,
    direct: PathBuf,
    /// The connection file that leads through the proxy.
    pub(crate) shown: PathBuf,
    pub(crate) proxy: Proxy,
    child: Option<Child>,
    client: Option<Client>,
    /// How many servers there have been.
    pub(crate) epoch: u32,
}

impl Image {
    /// Starts a server on a stage, and a proxy before it.
    pub(crate) fn start(stage: &Stage, stui: &Path) -> Image {
        let nowhere = "127.0.0.1:1".parse().expect("an address");
        let mut image = Image {
            stui: stui.to_owned(),
            direct: stage.path("run/direct.json"),
            shown: stage.path("home/shown.json"),
            proxy: Proxy::to(nowhere).expect("a port"),
            child: None,
            client: None,
            epoch: 0,
        };
        image.restart(stage);
        image
    }

    /// The server's process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    /// Ends the server at once.
    pub(crate) fn kill(&mut self) {
        self.client = None;
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Starts a server in place of the last one.
    pub(crate) fn restart(&mut self, stage: &Stage) {
        self.kill();
        // what is there is the last one's
        let _ = fs::remove_file(&self.direct);
        let log = fs::File::create(stage.path("home/server.log")).expect("a log");
        let mut command = stage.process(&self.stui);
        command
            .arg("serve")
            .arg("--connection-file")
            .arg(&self.direct)
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .stdin(Stdio::null());
        self.child = Some(command.spawn().expect("stui serve can be started"));
        let deadline = Instant::now() + PATIENCE;
        let file = loop {
            if let Ok(file) = read_connection_file(&self.direct) {
                break file;
            }
            assert!(Instant::now() < deadline, "the server does not start");
            std::thread::sleep(Duration::from_millis(5));
        };
        let client = Client::connect(&file, PATIENCE).expect("the server answers");
        self.client = Some(client);
        for definition in DEFINITIONS {
            assert_eq!(self.evaluate(definition), "3");
        }
        let address = file.endpoint.strip_prefix("tcp://").expect("tcp");
        self.proxy.set_target(address.parse().expect("an address"));
        let shown = ConnectionFile {
            endpoint: self.proxy.endpoint(),
            ..file
        };
        let json = shown.to_json().expect("JSON");
        stui::places::write_whole(&self.shown, json.as_bytes()).expect("room on the disk");
        self.epoch += 1;
    }

    /// Evaluates past everything that goes wrong.
    pub(crate) fn evaluate(&self, code: &str) -> String {
        let client = self.client.as_ref().expect("the server runs");
        let request = Evaluate {
            code: code.to_owned(),
            ..Evaluate::default()
        };
        match client.request(request, PATIENCE) {
            Ok(Response::Evaluate(answer)) => answer.result,
            other => panic!("{code}: {other:?}"),
        }
    }

    /// How often a number was evaluated by this server.
    pub(crate) fn hits(&self, n: u32) -> u32 {
        let code = format!("Hits at: {n} ifAbsent: [ 0 ]");
        self.evaluate(&code).parse().expect("a number")
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        self.kill();
    }
}

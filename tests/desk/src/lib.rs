//! A desk: Zellij as far as STUI needs it, in this process, with the real panes on it.
//!
//! The sidecar, its pipe processes and the Smalltalk server are real processes; the panes are the
//! plugin's own code, compiled for this machine. Only what is between them is played: `zellij` is a
//! stand-in (`src/bin/stand-in.rs`) whose pipes end here. So a session needs little more than its
//! processes do, and many can run side by side.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use stui::demo::stage::Stage;
use stui::process::run_bounded;
use stui_plugin::io::{Effect, Input, Outcome, Size};
use stui_plugin::key::{Code, Key};
use stui_plugin::pane::{Identity, Pane};
use stui_protocol::pane::{DOWN, Role, UP};

/// The session's name.
pub const NAME: &str = "s";
/// The plugin's address on a desk.
const WASM: &str = "file:/desk/stui.wasm";
/// How often time is told to the panes.
const TICK: Duration = Duration::from_secs(1);
/// How long the command that brings a sidecar may take.
const SUMMONS_LIMIT: Duration = Duration::from_secs(30);
/// Lines of panes' logs that are kept for messages.
const LOG_LINES: usize = 60;

/// See the module's text.
pub struct Desk {
    shared: Arc<Shared>,
    server: Child,
    /// Ends, with every process on it, after everything else.
    pub stage: Stage,
}

struct Shared {
    state: Mutex<State>,
    ending: AtomicBool,
    stui: PathBuf,
    environment: Vec<(&'static str, PathBuf)>,
    home: PathBuf,
}

#[derive(Default)]
struct State {
    panes: Vec<Seat>,
    pipes: HashMap<String, Pipe>,
    pipes_made: u64,
    nonces: u64,
    /// Whether the permissions were given: the note that panes leave each other.
    permitted: bool,
    log: VecDeque<String>,
}

struct Seat {
    client: u16,
    role: Role,
    pane: Pane,
    size: Size,
}

struct Pipe {
    name: String,
    configuration: String,
    out: Sender<Vec<u8>>,
}

impl Desk {
    /// A desk without a pane, for a `stui` program; the stand-in lies beside it. Panics if the system
    /// gives no folder or process.
    pub fn new(stui: &Path) -> Desk {
        let stand_in = &stui.with_file_name("stand-in");
        assert!(
            stand_in.exists(),
            "{} is not built: cargo build -p stui-desk",
            stand_in.display()
        );
        let stage = Stage::new(stui, Some(stand_in)).unwrap_or_else(|error| panic!("{error:#}"));
        let socket = stage.path("desk");
        let listener = UnixListener::bind(&socket).expect("the stage's folder can be used");
        let mut environment = stage.environment();
        environment.push(("STUI_DESK", socket));
        let mut command = stage.process(stand_in);
        command.arg("--server").envs(environment.clone());
        let server = command
            .stdin(Stdio::piped())
            .spawn()
            .expect("the stand-in can be started");
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            ending: AtomicBool::new(false),
            stui: stui.to_owned(),
            environment,
            home: stage.path("home"),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&accepting);
                // a pipe that breaks is one of the faults
                thread::spawn(move || drop(shared.serve(stream)));
            }
        });
        let ticking = Arc::clone(&shared);
        thread::spawn(move || {
            let mut last = Instant::now();
            while !ticking.ending.load(Ordering::Acquire) {
                thread::sleep(TICK.saturating_sub(last.elapsed()));
                let seconds = last.elapsed().as_secs_f64();
                last = Instant::now();
                ticking.for_all(|_| true, |_| vec![Input::Tick(seconds)]);
            }
        });
        Desk {
            shared,
            server,
            stage,
        }
    }

    /// The process that is the Zellij server here.
    pub fn zellij_pid(&self) -> u32 {
        self.server.id()
    }

    /// Somebody attaches: instances of all panes for this client, as Zellij makes them.
    pub fn attach(&self, client: u16, size: Size) {
        for role in Role::ALL {
            let configuration = self.shared.configuration(role);
            let mut state = self.shared.lock();
            state.nonces += 1;
            let identity = Identity {
                plugin: role as u32,
                client,
                nonce: state.nonces,
                zellij_pid: self.zellij_pid(),
                zellij_version: "0.45.1".to_owned(),
            };
            let (pane, outcome) = Pane::new(&configuration, identity);
            state.panes.push(Seat {
                client,
                role,
                pane,
                size,
            });
            let seat = state.panes.len() - 1;
            self.shared.carry_out(&mut state, seat, outcome);
            self.shared.update(&mut state, seat, Input::Size(size));
            if state.permitted && state.panes[seat].pane.waits_for_others() {
                self.shared.update(&mut state, seat, Input::OthersPermitted);
            }
        }
    }

    /// A client presses a key in a pane. Panics if no key has this name.
    pub fn press(&self, client: u16, role: Role, key: &str) {
        let key: Key = key.parse().expect("a key's name");
        self.input(client, role, &[Input::Key(key)]);
    }

    /// A client pastes in a pane.
    pub fn pastes(&self, client: u16, role: Role, text: &str) {
        self.input(client, role, &[Input::Paste(text.to_owned())]);
    }

    /// A client types in a pane.
    pub fn types(&self, client: u16, role: Role, text: &str) {
        let keys = text.chars().map(|c| Input::Key(Key::plain(Code::Char(c))));
        self.input(client, role, &keys.collect::<Vec<_>>());
    }

    fn input(&self, client: u16, role: Role, inputs: &[Input]) {
        self.shared.for_all(
            |seat| seat.client == client && seat.role == role,
            |_| inputs.to_vec(),
        );
    }

    /// What a client's pane shows, a line a row.
    pub fn shows(&self, client: u16, role: Role) -> Vec<String> {
        let state = self.shared.lock();
        let seat = state
            .panes
            .iter()
            .find(|seat| seat.client == client && seat.role == role);
        let Some(seat) = seat else { return Vec::new() };
        let frame = seat.pane.view(seat.size);
        let area = frame.buffer.area;
        let cell = |row, column| frame.buffer[(column, row)].symbol();
        (0..area.height)
            .map(|row| {
                let line: String = (0..area.width).map(|column| cell(row, column)).collect();
                line.trim_end().to_owned()
            })
            .collect()
    }

    /// What the panes logged, and what the programs did.
    pub fn logs(&self) -> String {
        let log: Vec<String> = self.shared.lock().log.iter().cloned().collect();
        format!("{}\n{}", log.join("\n"), self.stage.logs())
    }

    /// Zellij ends, and everything with it. Panics with the logs if a process stays.
    pub fn close(mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
        if let Err(error) = self.stage.wait_until_empty() {
            panic!("{error:#}\n{}", self.logs());
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.shared.ending.store(true, Ordering::Release);
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Shared {
    /// A panicking thread leaves panes that are still worth looking at.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn configuration(&self, role: Role) -> BTreeMap<String, String> {
        [
            ("role".to_owned(), role.word().to_owned()),
            ("stui".to_owned(), self.stui.display().to_string()),
            ("wasm".to_owned(), WASM.to_owned()),
        ]
        .into()
    }

    /// The configuration as it is given to `zellij pipe`.
    fn pairs(&self, role: Role) -> String {
        let pairs = self.configuration(role);
        let pairs: Vec<String> = pairs.iter().map(|(k, v)| format!("{k}={v}")).collect();
        pairs.join(",")
    }

    fn for_all(
        self: &Arc<Self>,
        wanted: impl Fn(&Seat) -> bool,
        inputs: impl Fn(&Seat) -> Vec<Input>,
    ) {
        let mut state = self.lock();
        for at in 0..state.panes.len() {
            if wanted(&state.panes[at]) {
                for input in inputs(&state.panes[at]) {
                    self.update(&mut state, at, input);
                }
            }
        }
    }

    fn update(self: &Arc<Self>, state: &mut State, seat: usize, input: Input) {
        let outcome = state.panes[seat].pane.update(input);
        self.carry_out(state, seat, outcome);
    }

    /// What the plugin's shell does with effects, and Zellij with what that calls.
    fn carry_out(self: &Arc<Self>, state: &mut State, seat: usize, outcome: Outcome) {
        for effect in outcome.effects {
            match effect {
                Effect::Ask(_) => {
                    self.update(state, seat, Input::Permission { granted: true });
                }
                Effect::NotePermitted => {
                    state.permitted = true;
                    for at in 0..state.panes.len() {
                        if state.panes[at].pane.waits_for_others() {
                            self.update(state, at, Input::OthersPermitted);
                        }
                    }
                }
                Effect::Say { pipe, line } => {
                    if let Some(pipe) = state.pipes.get(&pipe) {
                        // its process may be gone
                        let _ = pipe.out.send(line.into_bytes());
                    }
                }
                Effect::Summon(command) => {
                    self.summon(state.panes[seat].client, state.panes[seat].role, &command);
                }
                Effect::Log(line) => {
                    state.log.push_back(line);
                    if state.log.len() > LOG_LINES {
                        state.log.pop_front();
                    }
                }
                Effect::Hold { .. } | Effect::Copy(_) | Effect::Hide | Effect::NoteRefused => {}
            }
        }
    }

    fn summon(self: &Arc<Self>, client: u16, role: Role, command: &[String]) {
        let Some((program, arguments)) = command.split_first() else {
            return;
        };
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(&self.home)
            .envs(self.environment.clone())
            .env("ZELLIJ_SESSION_NAME", NAME);
        let shared = Arc::clone(self);
        thread::spawn(move || {
            let output = run_bounded(&mut command, SUMMONS_LIMIT);
            let (status, said) = match output {
                Ok(output) => (
                    output.status.code(),
                    String::from_utf8_lossy(&output.stderr).into_owned(),
                ),
                Err(error) => (None, error.to_string()),
            };
            shared.for_all(
                |seat| seat.client == client && seat.role == role,
                |_| {
                    vec![Input::Summoned {
                        status,
                        said: said.clone(),
                    }]
                },
            );
        });
    }

    /// Serves a stand-in: a pipe, or the list of panes.
    fn serve(self: &Arc<Self>, mut stream: UnixStream) -> std::io::Result<()> {
        let mut lines = BufReader::new(stream.try_clone()?);
        let mut head = String::new();
        lines.read_line(&mut head)?;
        let words: Vec<&str> = head.trim_end_matches('\n').split('\t').collect();
        let &["pipe", name, _, configuration] = words.as_slice() else {
            return stream.write_all(self.listing(&words).as_bytes());
        };
        let (out, to_write) = channel::<Vec<u8>>();
        let id = {
            let mut state = self.lock();
            state.pipes_made += 1;
            let id = format!("pipe-{}", state.pipes_made);
            let pipe = Pipe {
                name: name.to_owned(),
                configuration: configuration.to_owned(),
                out,
            };
            state.pipes.insert(id.clone(), pipe);
            id
        };
        thread::spawn(move || {
            while let Ok(line) = to_write.recv() {
                if stream.write_all(&line).is_err() {
                    return;
                }
            }
        });
        loop {
            let mut line = String::new();
            match lines.read_line(&mut line) {
                Ok(0) | Err(_) => break,
                Ok(_) => self.deliver(&id, &line),
            }
        }
        // a killed pipe process is no end of input: the panes are told nothing
        self.lock().pipes.remove(&id);
        Ok(())
    }

    /// The list of panes or clients, as far as the sidecar looks at it.
    fn listing(&self, words: &[&str]) -> String {
        if words != ["clients"] {
            return format!("[{{\"id\":1,\"url\":\"{WASM}\"}}]\n");
        }
        let mut clients: Vec<u16> = self.lock().panes.iter().map(|seat| seat.client).collect();
        clients.sort_unstable();
        clients.dedup();
        let lines = clients
            .iter()
            .map(|client| format!("{client} terminal_1 sh\n"));
        format!(
            "CLIENT_ID ZELLIJ_PANE_ID RUNNING_COMMAND\n{}",
            lines.collect::<String>()
        )
    }

    /// A line of a pipe reaches every instance of the plugin with that configuration.
    fn deliver(self: &Arc<Self>, id: &str, line: &str) {
        let mut state = self.lock();
        let Some(pipe) = state.pipes.get(id) else {
            return;
        };
        let (name, configuration) = (pipe.name.clone(), pipe.configuration.clone());
        for at in 0..state.panes.len() {
            if self.pairs(state.panes[at].role) != configuration {
                continue;
            }
            let input = match name.as_str() {
                DOWN => Input::DownOpened {
                    pipe: id.to_owned(),
                },
                UP => Input::Line(line.to_owned()),
                _ => continue,
            };
            self.update(&mut state, at, input);
        }
    }
}

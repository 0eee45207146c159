//! A place where `stui up` runs without touching what belongs to the user: folders of its own for
//! configuration, caches, sockets and state, and an end that leaves no process behind.
//!
//! `stui demo` and the end-to-end tests play here.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};

use crate::terminal::{Command, OnOutput, Screen, Size, Terminal, TerminalError, framed, text_of};

/// How long processes may take to end once their session is over.
const ENDING: Duration = Duration::from_secs(20);
/// Zellij asks nothing at a start, and draws without glyphs of special fonts.
const CONFIGURATION: &str = "show_startup_tips false\nshow_release_notes false\n\
    session_serialization false\nsimplified_ui true\n";

/// Variables of a surrounding Zellij or tmux, or of the user's own setup, that must not reach in.
const REMOVED: [&str; 23] = [
    "ZELLIJ",
    "ZELLIJ_SESSION_NAME",
    "ZELLIJ_PANE_ID",
    "ZELLIJ_CONFIG_FILE",
    "ZELLIJ_LAYOUT_DIR",
    "ZELLIJ_AUTO_ATTACH",
    "STUI_CONNECTION_FILE",
    "STUI_CONFIG",
    "STUI_CONNECT",
    "STUI_SESSION",
    "STUI_LAYOUT",
    "STUI_THEME",
    "STUI_GUESTS",
    "STUI_LOG_MAX_SIZE",
    "STUI_LOG_KEEP",
    "STUI_JOURNAL_SYNC",
    "STUI_SSH",
    "PHARO_VM",
    "PHARO_IMAGE",
    "TMUX",
    "TMUX_PANE",
    "ENV",
    "PROMPT_COMMAND",
];

/// Folders of its own, removed when dropped, with every process that was started in them.
pub struct Stage {
    folder: PathBuf,
    stui: PathBuf,
    zellij: PathBuf,
}

impl Stage {
    /// A new stage for a `stui` program and a Zellij (none: the one on `PATH`).
    ///
    /// # Errors
    /// If there is no Zellij, or the folders cannot be made.
    pub fn new(stui: &Path, zellij: Option<&Path>) -> Result<Stage> {
        let zellij = match zellij {
            Some(path) => path.to_owned(),
            None => on_path("zellij").context(
                "no zellij on PATH; install Zellij 0.44.3 or later, or name one with --zellij",
            )?,
        };
        let folder = new_folder()?;
        let stage = Stage {
            folder,
            stui: stui.to_owned(),
            zellij,
        };
        for (_, place) in FOLDERS {
            fs::create_dir_all(stage.path(place))?;
        }
        fs::write(stage.path("config/config.kdl"), CONFIGURATION)?;
        Ok(stage)
    }

    /// A file or folder on the stage.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The `stui` program that is played.
    pub fn stui(&self) -> &Path {
        &self.stui
    }

    /// The Zellij that runs here.
    pub fn zellij(&self) -> &Path {
        &self.zellij
    }

    /// The environment of everything that runs here.
    pub fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        let mut variables: Vec<(&'static str, PathBuf)> = FOLDERS
            .iter()
            .map(|(name, place)| (*name, self.path(place)))
            .collect();
        variables.push(("SHELL", "/bin/sh".into()));
        variables.push(("PS1", "$ ".into()));
        variables
    }

    /// A program to be run in a terminal here.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program).current_dir(self.path("home"));
        for name in REMOVED {
            command = command.env_remove(name);
        }
        for (name, value) in self.environment() {
            command = command.env(name, value);
        }
        command
    }

    /// A program to be run here without a terminal.
    pub fn process(&self, program: &Path) -> Process {
        let mut process = Process::new(program);
        process.current_dir(self.path("home")).stdin(Stdio::null());
        for name in REMOVED {
            process.env_remove(name);
        }
        process.envs(self.environment());
        process
    }

    /// Run `stui up` for a session in a terminal of a size, with the plugin's permissions granted.
    ///
    /// # Errors
    /// If it cannot be started; what it then shows is for the caller to see.
    pub fn up(&self, session: &str, size: Size) -> Result<Terminal> {
        self.up_observed(session, size, Box::new(|_| ()))
    }

    /// The same with more arguments.
    ///
    /// # Errors
    /// As [`Stage::up`].
    pub fn up_with(&self, session: &str, size: Size, arguments: &[&OsStr]) -> Result<Terminal> {
        let command = self.up_command(session).args(arguments);
        Ok(Terminal::spawn(&command, size)?)
    }

    fn up_command(&self, session: &str) -> Command {
        self.command(&self.stui)
            .args([
                "up",
                "--grant-permissions",
                "--session",
                session,
                "--zellij",
            ])
            .args([&self.zellij])
    }

    /// The same, with all output also given to `on_output`.
    ///
    /// # Errors
    /// As [`Stage::up`].
    pub fn up_observed(&self, session: &str, size: Size, on_output: OnOutput) -> Result<Terminal> {
        let command = self.up_command(session);
        Ok(Terminal::spawn_observed(&command, size, on_output)?)
    }

    /// A second look at a session: `zellij attach` in a terminal of its own, once that shows what is wanted
    /// (`what` says how that is).
    ///
    /// Zellij 0.45.1 removes a client that ends twice, at its goodbye and at the end of its connection; who
    /// gets its number in between is thrown out with the second. He is told to attach again, and does here.
    ///
    /// # Errors
    /// If it cannot be started, or does not come to show that `within` a time.
    pub fn attach(
        &self,
        session: &str,
        size: Size,
        within: Duration,
        what: &str,
        mut predicate: impl FnMut(&Screen) -> bool,
    ) -> Result<Terminal> {
        let command = self.command(&self.zellij).args(["attach", session]);
        let mut tries = 3;
        loop {
            let terminal = Terminal::spawn(&command, size)?;
            tries -= 1;
            match terminal.wait_until(within, what, &mut predicate) {
                Ok(_) => return Ok(terminal),
                Err(TerminalError::Ended { screen, .. })
                    if tries > 0 && screen.contains("lost connection to the zellij server") => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Quit Zellij with its own key, and wait until no process is left.
    ///
    /// Zellij 0.45.1 takes a pipe that is just being opened for a person who stays
    /// (`active_clients_are_connected` of its server) and goes on without a terminal. Then somebody
    /// attaches and quits once more.
    ///
    /// # Errors
    /// If the program or a process stays.
    pub fn close(&self, terminal: &Terminal) -> Result<()> {
        quit(terminal)?;
        if let Some(session) = self.staying_session() {
            let shown = |screen: &Screen| text_of(screen).contains(&format!("({session})"));
            // if it was only slow to end, there is nothing to attach to
            let again = self.attach(&session, Size::new(80, 24), ENDING, "the session", shown);
            if let Ok(again) = again {
                quit(&again)?;
            }
        }
        self.wait_until_empty()
    }

    /// The name of a session whose Zellij server is still there after a time in which it could have ended.
    fn staying_session(&self) -> Option<String> {
        let deadline = Instant::now() + ENDING / 4;
        loop {
            let mut all = self.processes().into_iter();
            let server = all.find(|running| running.is(&["zellij", "--server"]))?;
            if Instant::now() >= deadline {
                let socket = server.arguments.last()?;
                return Some(Path::new(socket).file_name()?.to_str()?.to_owned());
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Wait until no process is left that was started here.
    ///
    /// # Errors
    /// If one stays, with its command line.
    pub fn wait_until_empty(&self) -> Result<()> {
        let deadline = Instant::now() + ENDING;
        loop {
            let left = self.processes();
            if left.is_empty() {
                return Ok(());
            }
            if Instant::now() >= deadline {
                let lines: Vec<String> = left.iter().map(ToString::to_string).collect();
                bail!("still running after {ENDING:?}:\n{}", lines.join("\n"));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Every living process that was started here, in the order of their ids.
    pub fn processes(&self) -> Vec<Running> {
        Running::all_in(&self.folder)
    }

    /// The last lines of every log file here, for messages about what went wrong.
    pub fn logs(&self) -> String {
        let mut out = String::new();
        let mut folders = vec![self.folder.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "log") {
                    let text = fs::read(&path).unwrap_or_default();
                    let text = String::from_utf8_lossy(&text);
                    let lines: Vec<&str> = text.lines().collect();
                    let last = &lines[lines.len().saturating_sub(40)..];
                    let _ = writeln!(out, "--- {}\n{}", path.display(), last.join("\n"));
                }
            }
        }
        out
    }
}

/// Press the key that quits Zellij, and wait until the program has ended.
fn quit(terminal: &Terminal) -> Result<()> {
    terminal.press("Ctrl q")?;
    if terminal.wait_exit(ENDING)?.is_none() {
        bail!(
            "Zellij does not quit; its screen:\n{}",
            framed(&terminal.screen())
        );
    }
    Ok(())
}

impl Drop for Stage {
    fn drop(&mut self) {
        // A parent may start a child while it is being ended, so look again; what is left after that
        // is not ours to wait for.
        for _ in 0..20 {
            let left = self.processes();
            if left.is_empty() {
                break;
            }
            for running in left {
                running.kill();
            }
            thread::sleep(Duration::from_millis(20));
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Variables of the environment, and the folders of the stage that they name.
const FOLDERS: [(&str, &str); 9] = [
    ("HOME", "home"),
    ("XDG_CACHE_HOME", "cache"),
    ("XDG_CONFIG_HOME", "xdg"),
    ("XDG_DATA_HOME", "data"),
    ("XDG_STATE_HOME", "state"),
    ("XDG_RUNTIME_DIR", "run"),
    ("ZELLIJ_CONFIG_DIR", "config"),
    ("ZELLIJ_SOCKET_DIR", "sock"),
    ("TMPDIR", "tmp"),
];

/// A folder with a short name, because a socket's path may have 107 bytes only.
fn new_folder() -> Result<PathBuf> {
    use std::os::unix::fs::DirBuilderExt;
    let mut parent = std::env::temp_dir();
    if parent.as_os_str().len() > 30 {
        parent = "/tmp".into();
    }
    let process = std::process::id();
    for n in 0..1000 {
        let folder = parent.join(format!("stui{process}-{n}"));
        match fs::DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => (),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot make {}", folder.display()));
            }
        }
    }
    bail!("{} is full of folders of earlier runs", parent.display())
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}

/// A process that was started on a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Its id.
    pub pid: i32,
    /// Its program and arguments.
    pub arguments: Vec<String>,
}

impl Running {
    /// Every living process that was started on the stage in this folder, in the order of their ids.
    ///
    /// They are known by their environment, which names the stage's folders.
    pub fn all_in(folder: &Path) -> Vec<Running> {
        let mark = folder.as_os_str().as_encoded_bytes();
        let mut found: Vec<Running> = fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter_map(|pid| Running::read(pid, mark))
            .collect();
        found.sort_by_key(|running| running.pid);
        found
    }

    /// The process of an id, if it lives and its environment contains `mark`.
    fn read(pid: i32, mark: &[u8]) -> Option<Running> {
        let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
        // a dead process that nobody has asked for yet has an empty environment
        if !environment.windows(mark.len()).any(|part| part == mark) {
            return None;
        }
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let arguments = arguments
            .split(|byte| *byte == 0)
            .filter(|argument| !argument.is_empty())
            .map(|argument| String::from_utf8_lossy(argument).into_owned())
            .collect();
        Some(Running { pid, arguments })
    }

    /// Whether the words follow each other somewhere in its command line, its program's name first
    /// without a path.
    pub fn is(&self, words: &[&str]) -> bool {
        let mut named = self.arguments.clone();
        if let Some(program) = named.first_mut() {
            *program = program.rsplit('/').next().unwrap_or_default().to_owned();
        }
        named.windows(words.len()).any(|part| part == words)
    }

    /// End it at once (SIGKILL).
    pub fn kill(&self) {
        self.send(Signal::KILL);
    }

    /// Send it a signal; one that is gone gets none.
    pub fn send(&self, signal: Signal) {
        if let Some(pid) = Pid::from_raw(self.pid) {
            let _ = kill_process(pid, signal);
        }
    }
}

impl std::fmt::Display for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.pid, self.arguments.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_knows_its_processes_and_leaves_none_behind() {
        let stage = Stage::new(Path::new("/bin/true"), Some(Path::new("/bin/true"))).unwrap();
        let folder = stage.path("");
        let mut child = stage
            .process(Path::new("sleep"))
            .arg("600")
            .spawn()
            .unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let deadline = Instant::now() + ENDING;
        // until the child has become sleep, it is a copy of this program
        while !stage
            .processes()
            .iter()
            .any(|it| it.pid == pid && it.is(&["sleep", "600"]))
        {
            assert!(Instant::now() < deadline, "{:?}", stage.processes());
            thread::sleep(Duration::from_millis(5));
        }
        drop(stage);
        assert!(!child.wait().unwrap().success());
        assert!(!folder.exists());
    }

    #[test]
    fn two_stages_know_each_other_not() {
        let [one, other] = [(); 2]
            .map(|()| Stage::new(Path::new("/bin/true"), Some(Path::new("/bin/true"))).unwrap());
        let mut child = one.process(Path::new("sleep")).arg("600").spawn().unwrap();
        assert_eq!(other.processes(), []);
        drop(one);
        child.wait().unwrap();
    }
}

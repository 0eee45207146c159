//! A terminal for programs: runs a command in a pseudo-terminal and keeps the screen that it draws.
//!
//! [`Terminal`] types, pastes, clicks and resizes as a person would, reads the screen through a
//! terminal parser, and waits for what should appear on it, never longer than a given time. It
//! answers the questions that programs ask a terminal (who are you, where is the cursor, what are
//! your colours), so that they need not wait for answers. `stui demo` and the end-to-end tests drive
//! Zellij with it.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process};
pub use vt100::Screen;

use self::answers::Answers;
pub use self::answers::palette;
use self::keys::key_bytes;

mod answers;
mod keys;

/// What can go wrong with a terminal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TerminalError {
    /// The pseudo-terminal could not be opened or resized.
    #[error("cannot open or resize a pseudo-terminal: {0}")]
    Pty(String),
    /// The program could not be started.
    #[error("cannot start {program}: {reason}")]
    Spawn {
        /// The program.
        program: String,
        /// Why.
        reason: String,
    },
    /// The program ended while something was awaited from it.
    #[error("the program ended while waiting for {what}; its last screen:\n{screen}")]
    Ended {
        /// What was awaited.
        what: String,
        /// The last screen, framed.
        screen: String,
    },
    /// What was awaited did not appear in time.
    #[error("{what} did not appear within {within:?}; the screen:\n{screen}")]
    Timeout {
        /// What was awaited.
        what: String,
        /// How long.
        within: Duration,
        /// The screen, framed.
        screen: String,
    },
    /// A key that has no name here.
    #[error(
        "no such key: {0:?} (write it as in Zellij's configuration: `Ctrl a`, `Shift Left`, `F1`)"
    )]
    UnknownKey(String),
    /// The program's end could not be learned or brought about.
    #[error("cannot wait for or end the program: {0}")]
    Process(#[from] std::io::Error),
}

/// Rows and columns of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Columns, at least 1.
    pub columns: u16,
    /// Rows, at least 1.
    pub rows: u16,
}

impl Size {
    /// A size in columns and rows, as in `80x24`.
    pub fn new(columns: u16, rows: u16) -> Size {
        Size { columns, rows }
    }

    fn pty(self) -> PtySize {
        PtySize {
            rows: self.rows.max(1),
            cols: self.columns.max(1),
            pixel_width: 0,
            pixel_height: 0,
        }
    }

    fn cells(self) -> (NonZeroU16, NonZeroU16) {
        let at_least_one = |n| NonZeroU16::new(n).unwrap_or(NonZeroU16::MIN);
        (at_least_one(self.rows), at_least_one(self.columns))
    }
}

impl std::str::FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Size, String> {
        text.split_once(['x', '×'])
            .and_then(|(columns, rows)| Some(Size::new(columns.parse().ok()?, rows.parse().ok()?)))
            .filter(|size| size.columns > 0 && size.rows > 0)
            .ok_or_else(|| {
                format!("{text:?} is no size; write columns and rows, for example 100x30")
            })
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.columns, self.rows)
    }
}

/// A program to run in a terminal, with arguments, environment and folder.
#[derive(Debug, Clone)]
pub struct Command {
    program: PathBuf,
    arguments: Vec<OsString>,
    variables: Vec<(OsString, Option<OsString>)>,
    folder: Option<PathBuf>,
}

impl Command {
    /// The program at a path, or of a name to be found on `PATH`.
    pub fn new(program: impl Into<PathBuf>) -> Command {
        Command {
            program: program.into(),
            arguments: Vec::new(),
            variables: Vec::new(),
            folder: None,
        }
    }

    /// Add arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Command {
        let arguments = arguments.into_iter();
        self.arguments
            .extend(arguments.map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Set a variable of its environment, which otherwise is this process's.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Command {
        let value = Some(value.as_ref().to_owned());
        self.variables.push((name.as_ref().to_owned(), value));
        self
    }

    /// Take a variable out of its environment.
    #[must_use]
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Command {
        self.variables.push((name.as_ref().to_owned(), None));
        self
    }

    /// Start it in a folder instead of this process's.
    #[must_use]
    pub fn current_dir(mut self, folder: impl AsRef<Path>) -> Command {
        self.folder = Some(folder.as_ref().to_owned());
        self
    }

    fn builder(&self) -> CommandBuilder {
        let mut builder = CommandBuilder::new(&self.program);
        builder.args(&self.arguments);
        builder.env("TERM", "xterm-256color");
        builder.env("COLORTERM", "truecolor");
        for (name, value) in &self.variables {
            match value {
                Some(value) => builder.env(name, value),
                None => builder.env_remove(name),
            }
        }
        if let Some(folder) = self.folder.clone().or_else(|| std::env::current_dir().ok()) {
            builder.cwd(folder);
        }
        builder
    }
}

/// Called with all output as it comes, from the reader's thread.
pub type OnOutput = Box<dyn FnMut(&[u8]) + Send>;

/// A running program and the screen that it draws. Dropping it ends the program.
pub struct Terminal {
    shared: Arc<Shared>,
    input: Sender<Vec<u8>>,
    master: Box<dyn MasterPty + Send>,
    child: Mutex<Box<dyn Child + Send + Sync>>,
    pid: Option<u32>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    parser: vt100::Parser<Answers>,
    /// No more output will come.
    closed: bool,
}

impl Shared {
    /// A panicking thread leaves the screen as it was, which is still worth reading.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Terminal {
    /// Start a program in a terminal of a size.
    ///
    /// # Errors
    /// If there is no pseudo-terminal to be had or the program does not start.
    pub fn spawn(command: &Command, size: Size) -> Result<Terminal, TerminalError> {
        Terminal::spawn_observed(command, size, Box::new(|_| ()))
    }

    /// The same, with all output also given to `on_output`.
    ///
    /// # Errors
    /// As [`Terminal::spawn`].
    pub fn spawn_observed(
        command: &Command,
        size: Size,
        mut on_output: OnOutput,
    ) -> Result<Terminal, TerminalError> {
        let pty = |error: anyhow::Error| TerminalError::Pty(format!("{error:#}"));
        let pair = native_pty_system().openpty(size.pty()).map_err(pty)?;
        let mut reader = pair.master.try_clone_reader().map_err(pty)?;
        let writer = pair.master.take_writer().map_err(pty)?;
        let child = pair.slave.spawn_command(command.builder());
        let child = child.map_err(|error| TerminalError::Spawn {
            program: command.program.display().to_string(),
            reason: format!("{error:#}"),
        })?;
        drop(pair.slave);

        let (input, to_write) = channel();
        let name = pair.master.tty_name();
        thread::spawn(move || write_all(writer, &to_write, name.as_deref()));
        let (rows, columns) = size.cells();
        let answers = Answers(input.clone());
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                parser: vt100::Parser::new_with_callbacks(rows, columns, 0, answers),
                closed: false,
            }),
            changed: Condvar::new(),
        });
        let readers = Arc::clone(&shared);
        thread::spawn(move || {
            let mut chunk = vec![0; 64 * 1024];
            // A pseudo-terminal whose program ended reads as an error on Linux, as an end elsewhere.
            while let Ok(length @ 1..) = reader.read(&mut chunk) {
                on_output(&chunk[..length]);
                readers.lock().parser.process(&chunk[..length]);
                readers.changed.notify_all();
            }
            readers.lock().closed = true;
            readers.changed.notify_all();
        });
        Ok(Terminal {
            shared,
            input,
            master: pair.master,
            pid: child.process_id(),
            child: Mutex::new(child),
        })
    }

    /// The screen as it is now: cells with their colours, cursor, modes.
    pub fn screen(&self) -> Screen {
        self.shared.lock().parser.screen().clone()
    }

    /// The screen's text as it is now, one line a row, without trailing blanks.
    pub fn text(&self) -> String {
        text_of(self.shared.lock().parser.screen())
    }

    /// Wait until the screen is as a predicate wants it, and return it.
    ///
    /// `what` completes the sentence "… did not appear".
    ///
    /// # Errors
    /// [`TerminalError::Timeout`] or [`TerminalError::Ended`], both with the last screen.
    pub fn wait_until(
        &self,
        within: Duration,
        what: &str,
        mut predicate: impl FnMut(&Screen) -> bool,
    ) -> Result<Screen, TerminalError> {
        let deadline = Instant::now() + within;
        let mut state = self.shared.lock();
        loop {
            let screen = state.parser.screen();
            if predicate(screen) {
                return Ok(screen.clone());
            }
            if state.closed {
                return Err(TerminalError::Ended {
                    what: what.to_owned(),
                    screen: framed(screen),
                });
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(TerminalError::Timeout {
                    what: what.to_owned(),
                    within,
                    screen: framed(screen),
                });
            }
            let (guard, _) = (self.shared.changed.wait_timeout(state, left))
                .unwrap_or_else(PoisonError::into_inner);
            state = guard;
        }
    }

    /// Wait until a text stands somewhere on the screen, within one row.
    ///
    /// # Errors
    /// As [`Terminal::wait_until`].
    pub fn wait_for(&self, within: Duration, text: &str) -> Result<Screen, TerminalError> {
        self.wait_until(within, &format!("{text:?}"), |screen| {
            text_of(screen).contains(text)
        })
    }

    /// Wait until the screen has not changed for `still`, at most `within`.
    ///
    /// For pictures only: that nothing moves proves nothing about what comes next.
    pub fn settle(&self, still: Duration, within: Duration) -> Screen {
        let deadline = Instant::now() + within;
        let mut state = self.shared.lock();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let (guard, waited) = (self.shared.changed.wait_timeout(state, still.min(left)))
                .unwrap_or_else(PoisonError::into_inner);
            state = guard;
            if waited.timed_out() || left.is_zero() || state.closed {
                return state.parser.screen().clone();
            }
        }
    }

    /// Type a text, as if its characters were keys; a line feed is the Enter key.
    pub fn type_text(&self, text: &str) {
        self.send(text.replace('\n', "\r").into_bytes());
    }

    /// Press a key, named as in Zellij's configuration: `a`, `Enter`, `Ctrl d`, `Alt Left`.
    ///
    /// # Errors
    /// [`TerminalError::UnknownKey`].
    pub fn press(&self, key: &str) -> Result<(), TerminalError> {
        let bytes = key_bytes(key).ok_or_else(|| TerminalError::UnknownKey(key.to_owned()))?;
        self.send(bytes);
        Ok(())
    }

    /// Paste a text, bracketed if the program asked for that.
    pub fn paste(&self, text: &str) {
        let text = text.replace('\n', "\r");
        let bracketed = self.shared.lock().parser.screen().bracketed_paste();
        self.send(if bracketed {
            format!("\x1b[200~{text}\x1b[201~").into_bytes()
        } else {
            text.into_bytes()
        });
    }

    /// Click with the left mouse button; row and column count from 0.
    pub fn click(&self, row: u16, column: u16) {
        let (row, column) = (row + 1, column + 1);
        self.send(format!("\x1b[<0;{column};{row}M\x1b[<0;{column};{row}m").into_bytes());
    }

    /// Send bytes as they are. Never blocks: a thread writes them as the program reads.
    pub fn send(&self, bytes: Vec<u8>) {
        // Once the program has ended there is nobody to send to, and waiting for its screen says so.
        let _ = self.input.send(bytes);
    }

    /// Change the size; the program is told.
    ///
    /// # Errors
    /// If the pseudo-terminal refuses.
    pub fn resize(&self, size: Size) -> Result<(), TerminalError> {
        let (rows, columns) = size.cells();
        (self.shared.lock().parser.screen_mut()).set_size(rows, columns);
        self.master
            .resize(size.pty())
            .map_err(|error| TerminalError::Pty(format!("{error:#}")))
    }

    /// The program's process id, as long as it has one.
    pub fn pid(&self) -> Option<u32> {
        self.pid
    }

    /// Wait for the program's end, at most `within`; none: it still runs.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn wait_exit(&self, within: Duration) -> Result<Option<ExitStatus>, TerminalError> {
        let deadline = Instant::now() + within;
        loop {
            let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(status) = child.try_wait()? {
                return Ok(Some(status));
            }
            drop(child);
            if Instant::now() >= deadline {
                return Ok(None);
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// End the program at once (SIGKILL) and wait for that.
    ///
    /// # Errors
    /// If the system refuses, or it is still there after ten seconds.
    pub fn kill(&self) -> Result<(), TerminalError> {
        if self.wait_exit(Duration::ZERO)?.is_some() {
            return Ok(());
        }
        if let Some(pid) = self.pid.and_then(|pid| Pid::from_raw(pid.cast_signed())) {
            match kill_process(pid, Signal::KILL) {
                Ok(()) | Err(rustix::io::Errno::SRCH) => (),
                Err(error) => return Err(TerminalError::Process(error.into())),
            }
        }
        match self.wait_exit(Duration::from_secs(10))? {
            Some(_) => Ok(()),
            None => Err(TerminalError::Process(std::io::ErrorKind::TimedOut.into())),
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Nobody is left to hear of a program that would not die.
        let _ = self.kill();
    }
}

fn write_all(
    mut writer: Box<dyn Write + Send>,
    to_write: &Receiver<Vec<u8>>,
    terminal: Option<&Path>,
) {
    while let Ok(bytes) = to_write.recv() {
        if writer
            .write_all(&bytes)
            .and_then(|()| writer.flush())
            .is_err()
        {
            return;
        }
        if let Some(terminal) = terminal {
            wait_until_read(terminal);
        }
    }
}

/// How long a program may leave keys unread until more are sent all the same.
const UNREAD: Duration = Duration::from_secs(2);

/// Wait until the program has read what was written, as nobody types two keys in one moment: what
/// Zellij reads in one piece behind `Home`, `End` or an arrow with a modifier, it takes for more of that
/// key (`KittyKeyboardParser` of zellij-client 0.45 goes on collecting).
fn wait_until_read(terminal: &Path) {
    let deadline = Instant::now() + UNREAD;
    // Opened for each look: an end kept open would hide that the program has ended. Polled and not
    // counted with FIONREAD: what was just written lies in a buffer that is handed on some time later,
    // and only poll hands it on at once (n_tty_poll of Linux).
    let unread = || {
        let flags = OFlags::RDONLY | OFlags::NOCTTY | OFlags::NONBLOCK;
        let slave = rustix::fs::open(terminal, flags, Mode::empty()).ok()?;
        let mut look = [PollFd::new(&slave, PollFlags::IN)];
        poll(&mut look, Some(&Timespec::default())).ok()?;
        Some(look[0].revents().contains(PollFlags::IN))
    };
    while unread() == Some(true) && Instant::now() < deadline {
        thread::sleep(Duration::from_micros(200));
    }
}

/// The text of a screen, one line a row, without trailing blanks.
pub fn text_of(screen: &Screen) -> String {
    let (_, columns) = screen.size();
    let rows: Vec<String> = screen
        .rows(0, columns.get())
        .map(|row| row.trim_end().to_owned())
        .collect();
    rows.join("\n")
}

/// The text of a screen in a frame that shows its size, for messages.
pub fn framed(screen: &Screen) -> String {
    let (rows, columns) = screen.size();
    let (row, column) = screen.cursor_position();
    let rule = "─".repeat(columns.get().into());
    let mut out = format!("┌{rule}┐\n");
    for line in screen.rows(0, columns.get()) {
        let _ = writeln!(out, "│{}", line.trim_end());
    }
    let _ = write!(
        out,
        "└{rule}┘ {columns}x{rows}, cursor at row {row}, column {column}"
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(20);

    fn shell(script: &str) -> Terminal {
        let command = Command::new("/bin/sh").args(["-c", script]);
        Terminal::spawn(&command, Size::new(40, 6)).unwrap()
    }

    #[test]
    fn a_size_is_written_as_columns_by_rows() {
        assert_eq!("80x24".parse(), Ok(Size::new(80, 24)));
        assert_eq!("200×50".parse(), Ok(Size::new(200, 50)));
        assert!("0x24".parse::<Size>().is_err());
        assert!("80".parse::<Size>().is_err());
    }

    #[test]
    fn what_is_typed_reaches_the_program_and_its_answer_the_screen() {
        let terminal = shell("read line; printf 'got <%s>\\n' \"$line\"; read rest");
        terminal.type_text("'日本語 🎉 €' size\n");
        let screen = terminal.wait_for(SOON, "got <'日本語 🎉 €' size>").unwrap();
        assert_eq!(screen.size().1.get(), 40);
        terminal.press("Enter").unwrap();
        assert!(terminal.wait_exit(SOON).unwrap().unwrap().success());
    }

    #[test]
    fn questions_to_the_terminal_are_answered() {
        // the cursor stands behind "ab" in row 1, so the answer is ESC [ 1 ; 3 R
        let terminal = shell(
            "stty raw -echo; printf 'ab\\033[6n'; answer=$(dd bs=1 count=6 2>/dev/null | od -An -c); \
             stty sane; printf '\\n%s\\n' \"$answer\"; read rest",
        );
        terminal.wait_for(SOON, "033   [   1   ;   3   R").unwrap();
    }

    #[test]
    fn waiting_ends_with_the_program_and_shows_its_last_words() {
        let terminal = shell("echo farewell");
        let error = terminal.wait_for(SOON, "more").unwrap_err();
        assert!(matches!(error, TerminalError::Ended { .. }), "{error}");
        assert!(error.to_string().contains("farewell"), "{error}");
    }

    #[test]
    fn waiting_in_vain_ends_with_the_screen() {
        let terminal = shell("echo here; read rest");
        terminal.wait_for(SOON, "here").unwrap();
        let error = terminal
            .wait_for(Duration::from_millis(1), "there")
            .unwrap_err();
        assert!(matches!(error, TerminalError::Timeout { .. }), "{error}");
        assert!(error.to_string().contains("here"), "{error}");
    }

    #[test]
    fn two_keys_never_come_in_one_read() {
        let terminal = shell(
            "stty raw -echo; echo ready; n=0; while [ $n -lt 30 ]; do \
             n=$((n + 1)); printf '%s' $(dd bs=64 count=1 2>/dev/null | wc -c); done; read rest",
        );
        terminal.wait_for(SOON, "ready").unwrap();
        for _ in 0..30 {
            terminal.type_text("a");
        }
        let all_single = |screen: &Screen| text_of(screen).matches('1').count() == 30;
        terminal
            .wait_until(SOON, "thirty reads of one byte", all_single)
            .unwrap();
    }

    #[test]
    fn a_program_learns_of_another_size_and_dies_when_told() {
        let terminal = shell("trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done");
        terminal.wait_for(SOON, "ready").unwrap();
        terminal.resize(Size::new(70, 9)).unwrap();
        terminal.wait_for(SOON, "9 70").unwrap();
        terminal.kill().unwrap();
        assert!(!terminal.wait_exit(SOON).unwrap().unwrap().success());
    }
}

//! Drives the whole chain as a person would: a real Zellij in a pseudo-terminal, the plugin, the
//! sidecar, the Smalltalk server. Tests read as scripts on top of [`Session`].
//!
//! They need a built `stui` program (`STUI_BIN`, else the workspace's target/debug/stui) with the
//! plugin inside, and a Zellij (`STUI_ZELLIJ`, else the one on PATH); `cargo xtask test e2e` sees to
//! both. Every session plays on a stage of its own and leaves no process behind.

mod stalls;

use std::env;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use stui::demo::is_connected;
pub use stui::demo::script::{CONNECTED, keys};
pub use stui::demo::stage::{Running, Signal, Stage};
pub use stui::terminal::{Screen, Size, Terminal, framed, text_of};

/// How long an answer may take on a busy machine. Nothing is timed: this is when hope ends.
pub const PATIENCE: Duration = Duration::from_secs(45);

/// The name of the session on a stage.
pub const NAME: &str = "s";

/// A size that shows everything comfortably.
pub fn roomy() -> Size {
    Size::new(120, 36)
}

/// A Zellij session with STUI's panes, and the first terminal that looks at it.
///
/// Every method that waits panics with the screen and the logs if what it waits for does not come.
pub struct Session {
    /// Looks at the session. Dropped before the stage.
    pub terminal: Terminal,
    /// Where it plays.
    pub stage: Stage,
}

impl Session {
    /// Start a session and wait until its workspace is connected.
    pub fn start(size: Size) -> Session {
        let session = Session::start_on(new_stage(), size);
        session.see_that("three connected panes", is_connected);
        session
    }

    /// Start a session on a stage, without waiting.
    pub fn start_on(stage: Stage, size: Size) -> Session {
        let terminal = stage
            .up(NAME, size)
            .unwrap_or_else(|error| panic!("stui up does not start: {error:#}"));
        Session { terminal, stage }
    }

    /// Type a text, as keys.
    pub fn types(&self, text: &str) -> &Session {
        self.terminal.type_text(text);
        self
    }

    /// Press a key, named as in Zellij's configuration.
    pub fn press(&self, key: &str) -> &Session {
        self.must(self.terminal.press(key));
        self
    }

    /// Paste a text.
    pub fn pastes(&self, text: &str) -> &Session {
        self.terminal.paste(text);
        self
    }

    /// Wait for a text on the screen.
    pub fn see(&self, text: &str) -> Screen {
        self.must(self.terminal.wait_for(PATIENCE, text))
    }

    /// Wait until a text is nowhere on the screen.
    pub fn see_no_more(&self, text: &str) -> Screen {
        self.see_that(&format!("a screen without {text:?}"), |screen| {
            !text_of(screen).contains(text)
        })
    }

    /// Wait until the screen is as wanted; `what` says how that is.
    pub fn see_that(&self, what: &str, predicate: impl FnMut(&Screen) -> bool) -> Screen {
        self.must(self.terminal.wait_until(PATIENCE, what, predicate))
    }

    /// Type an expression on a new line at the end of the workspace, print it, and wait until the
    /// answer stands behind it and is selected.
    pub fn prints(&self, expression: &str, answer: &str) -> &Session {
        self.at_the_end().types(expression).press(keys::PRINT_IT);
        self.see_printed(expression, answer);
        self
    }

    /// The same while a process was just killed: a selection may get lost with it, the answer must not.
    pub fn prints_after_all(&self, expression: &str, answer: &str) -> &Session {
        self.at_the_end().types(expression).press(keys::PRINT_IT);
        self.see(&format!("{expression} {answer}"));
        self
    }

    /// Wait until an answer stands behind its expression and is selected; only then does the next key
    /// find the cursor where the answer puts it.
    pub fn see_printed(&self, expression: &str, answer: &str) -> Screen {
        let text = format!("{expression} {answer}");
        self.see_that(&format!("{text:?}, the answer selected"), |screen| {
            place_of(screen, &text).is_some_and(|(row, first)| {
                let look = |column| {
                    let cell = screen.cell(row, column)?;
                    Some((cell.inverse(), cell.bgcolor()))
                };
                look(first) != look(last_column(screen, (row, first), &text))
            })
        })
    }

    /// Go to a new line at the end of the workspace.
    pub fn at_the_end(&self) -> &Session {
        self.press("Ctrl End").press("Enter")
    }

    /// The processes of the session whose command lines contain these words in a row.
    pub fn processes(&self, words: &[&str]) -> Vec<Running> {
        let mut all = self.stage.processes();
        all.retain(|running| running.is(words));
        all
    }

    /// The sidecar's process.
    pub fn sidecar(&self) -> Running {
        self.only(&["stui", "sidecar", "--daemon"])
    }

    /// The Zellij server's process.
    pub fn zellij_server(&self) -> Running {
        self.only(&["zellij", "--server"])
    }

    /// The one process whose command line contains these words in a row. For a moment there may be
    /// others: a child that has not become its own program yet, or a sidecar that is about to find
    /// that there is one already.
    pub fn only(&self, words: &[&str]) -> Running {
        let mut found = Vec::new();
        self.wait_until(&format!("one process of {words:?}"), || {
            found = self.processes(words);
            found.len() == 1
        });
        found.remove(0)
    }

    /// Wait until something is so that no screen shows; `what` names it.
    pub fn wait_until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_so() {
            if Instant::now() > deadline {
                self.fail(&format!("there is not {what}"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Run `zellij` with arguments on the stage, for as long as [`PATIENCE`]; whether it succeeded.
    pub fn zellij(&self, arguments: &[&str]) -> bool {
        let mut command = self.stage.process(Path::new("timeout"));
        command
            .arg(PATIENCE.as_secs().to_string())
            .arg(self.stage.zellij())
            .args(arguments);
        command.output().is_ok_and(|output| output.status.success())
    }

    /// Run `stui` with arguments on the stage, for as long as [`PATIENCE`]; what it printed. It must succeed.
    pub fn stui(&self, arguments: &[&str]) -> String {
        let mut command = self.stage.process(Path::new("timeout"));
        command
            .arg(PATIENCE.as_secs().to_string())
            .arg(built_stui())
            .args(arguments);
        match command.output() {
            Ok(output) if output.status.success() => {
                String::from_utf8_lossy(&output.stdout).into_owned()
            }
            Ok(output) => self.fail(&format!(
                "stui {}: {}",
                arguments.join(" "),
                String::from_utf8_lossy(&output.stderr)
            )),
            Err(error) => self.fail(&format!("stui does not run: {error}")),
        }
    }

    /// Quit with Zellij's own key and see that nothing is left.
    pub fn close(self) {
        self.must(self.stage.close(&self.terminal));
    }

    /// Somebody else attaches, and sees connected panes and a text on the left. The panes are his own: they
    /// connect one after the other, and know their text a moment later.
    pub fn attach(&self, text: &str) -> Terminal {
        let what = format!("connected panes and {text:?}");
        let is_there = |screen: &Screen| is_connected(screen) && left(screen).contains(text);
        self.must(self.stage.attach(NAME, roomy(), PATIENCE, &what, is_there))
    }

    /// Kill the terminal of somebody else, and wait until Zellij knows it; before, quitting would leave the
    /// session to him. The panes say how many people there are while it is more than one.
    pub fn leaves(&self, other: &Terminal) {
        self.must(other.kill());
        self.see_no_more("people");
    }

    /// See that no process is left.
    pub fn see_the_end(&self) {
        self.must(self.stage.wait_until_empty());
    }

    /// Fail with a reason, the screen and the logs.
    pub fn fail(&self, reason: &str) -> ! {
        let processes: Vec<String> = self
            .stage
            .processes()
            .iter()
            .map(ToString::to_string)
            .collect();
        panic!(
            "{reason}\n{}\n--- processes\n{}\n{}",
            framed(&self.terminal.screen()),
            processes.join("\n"),
            self.stage.logs()
        )
    }

    fn must<T, E: std::fmt::Display>(&self, result: Result<T, E>) -> T {
        result.unwrap_or_else(|error| self.fail(&format!("{error:#}")))
    }
}

/// Whether every pane says that it is connected to a server of this dialect.
pub fn is_connected_to(screen: &Screen, dialect: &str) -> bool {
    text_of(screen).matches(&format!("● {dialect}")).count() >= 3
}

/// A stage for the built program.
pub fn new_stage() -> Stage {
    let zellij = env::var_os("STUI_ZELLIJ").map(PathBuf::from);
    let stage = Stage::new(&built_stui(), zellij.as_deref());
    let stage = stage.unwrap_or_else(|error| panic!("{error:#}"));
    stalls::begin(stage.path(""));
    stage
}

/// The `stui` program under test.
pub fn built_stui() -> PathBuf {
    if let Some(path) = env::var_os("STUI_BIN") {
        return path.into();
    }
    // this test program lies in target/debug/deps
    let built = env::current_exe()
        .ok()
        .and_then(|path| Some(path.ancestors().nth(2)?.join("stui")));
    match built {
        Some(path) if path.exists() => path,
        _ => {
            panic!("no stui program is built; `cargo xtask test e2e` builds it, STUI_BIN names one")
        }
    }
}

/// The text of the left part of a screen, where the layout has the workspace and the terminal.
pub fn left(screen: &Screen) -> String {
    part(screen, 0, split(screen))
}

/// The text of the right part of a screen, where the layout has inspector and transcript.
pub fn right(screen: &Screen) -> String {
    let columns = screen.size().1.get();
    part(screen, split(screen), columns - split(screen))
}

/// The column where the layout divides the screen.
fn split(screen: &Screen) -> u16 {
    screen.size().1.get() / 10 * 6
}

fn part(screen: &Screen, first: u16, width: u16) -> String {
    let rows: Vec<String> = screen
        .rows(first, width)
        .map(|row| row.trim_end().to_owned())
        .collect();
    rows.join("\n")
}

/// The column of the last character of a text that starts at a place.
fn last_column(screen: &Screen, (row, first): (u16, u16), text: &str) -> u16 {
    let mut seen = String::new();
    let columns = screen.size().1.get();
    (first..columns)
        .find(|column| {
            if let Some(cell) = screen.cell(row, *column)
                && !cell.is_wide_continuation()
            {
                let blank = if cell.has_contents() { "" } else { " " };
                seen.push_str(cell.contents());
                seen.push_str(blank);
            }
            seen.len() >= text.len()
        })
        .unwrap_or(first)
}

/// Row and column of a text on a screen, from 0; columns count cells.
pub fn place_of(screen: &Screen, text: &str) -> Option<(u16, u16)> {
    let (rows, columns) = screen.size();
    // looked for in whole rows first: a screen is looked at while its terminal waits to be read
    let holding: Vec<u16> = (0..rows.get())
        .zip(screen.rows(0, columns.get()))
        .filter(|(_, line)| line.contains(text))
        .map(|(row, _)| row)
        .collect();
    holding.into_iter().find_map(|row| {
        (0..columns.get())
            .find(|column| {
                let mut rest = screen
                    .rows(*column, columns.get() - column)
                    .skip(row.into());
                let starts_cell = screen
                    .cell(row, *column)
                    .is_some_and(|cell| !cell.is_wide_continuation());
                starts_cell && rest.next().is_some_and(|rest| rest.starts_with(text))
            })
            .map(|column| (row, column))
    })
}

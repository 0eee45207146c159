//! What a person waits for: from a key to what it brings on the screen, in a real Zellij.
//!
//! Three figures, each above the one before: a letter in an ordinary terminal pane (Zellij alone), a
//! letter in the workspace (Zellij and the plugin), print it (the whole way to Smalltalk and back).
//! Beside them the echo of a bare pair of pipes through the plugin of the same session.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use stui::demo::script::keys::PRINT_IT;
use stui::demo::stage::Stage;
use stui::terminal::{Size, Terminal};
use stui_protocol::pane::{DOWN, Down, FromPane, ToPane, UP, up_line};

use crate::stats::Durations;

/// How often each is measured.
const COUNT: usize = 40;
/// When hope ends.
const PATIENCE: Duration = Duration::from_secs(30);
const SESSION: &str = "bench";

/// Measure and print.
pub(crate) fn measure(stui: &Path, zellij: Option<&Path>) -> Result<()> {
    let stage = Stage::new(stui, zellij)?;
    let terminal = stage.up(SESSION, Size::new(120, 40))?;
    terminal.wait_for(PATIENCE, "Embedded")?;

    let answers = answers(&terminal)?;
    let letters = letters(&terminal)?;
    terminal.press("Alt Down")?;
    let plain = letters_in_terminal(&terminal)?;
    let echo = pipe_echo(&stage)?;

    println!("{}", echo.row("bare pipe echo through the plugin (floor)"));
    println!(
        "{}",
        plain.row("a letter in a terminal pane (Zellij's floor)")
    );
    println!("{}", letters.row("a letter in the workspace"));
    println!("{}", answers.row("print it: key to answer on the screen"));
    println!("{}", answers.ratio_to(&echo));
    stage.close(&terminal)
}

/// From the print-it key to the answer.
fn answers(terminal: &Terminal) -> Result<Durations> {
    let mut durations = Vec::with_capacity(COUNT);
    for n in 0..COUNT {
        let expression = format!("{n} + 1000");
        terminal.press("Ctrl End")?;
        terminal.type_text(&format!("\n{expression}"));
        terminal.wait_for(PATIENCE, &expression)?;
        let started = Instant::now();
        terminal.press(PRINT_IT)?;
        terminal.wait_for(PATIENCE, &format!("{expression} {}", n + 1000))?;
        durations.push(started.elapsed());
    }
    Ok(Durations::new(durations))
}

/// From a letter's key to the letter, in the workspace.
fn letters(terminal: &Terminal) -> Result<Durations> {
    terminal.press("Ctrl End")?;
    terminal.type_text("\n\"");
    growing_words(terminal, "workspace")
}

/// The same in a shell, which echoes what is typed.
fn letters_in_terminal(terminal: &Terminal) -> Result<Durations> {
    terminal.type_text("cat\n");
    // Once it reads, a line comes twice: what is typed before that is torn by the shell.
    terminal.type_text("ready\n");
    terminal.wait_until(PATIENCE, "cat's answer", |screen| {
        screen.contents().matches("ready").count() >= 2
    })?;
    growing_words(terminal, "terminal")
}

/// Types words letter by letter and waits for each letter. Every word begins with `place` and a number,
/// so that it stands nowhere else on the screen, and is short enough not to be wrapped.
fn growing_words(terminal: &Terminal, place: &str) -> Result<Durations> {
    const LETTERS: &[char] = &['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    let mut durations = Vec::with_capacity(COUNT);
    for n in 0..COUNT.div_ceil(LETTERS.len()) {
        let mut word = format!("{place}{n}-");
        terminal.type_text(&format!("\n{word}"));
        terminal.wait_for(PATIENCE, &word)?;
        for letter in LETTERS {
            word.push(*letter);
            let started = Instant::now();
            terminal.type_text(&letter.to_string());
            terminal.wait_for(PATIENCE, &word)?;
            durations.push(started.elapsed());
        }
    }
    Ok(Durations::new(durations))
}

/// The time from a probe on one pipe to the plugin's answer on the other.
///
/// The plugin that answers is an instance of its own, launched by the pipes' configuration; it has no
/// `stui` in it, so that no sidecar is called for it.
fn pipe_echo(stage: &Stage) -> Result<Durations> {
    let plugin = format!("file:{}", stage.path("data/stui/stui.wasm").display());
    let (mut up, down) = answering_pair(stage, &plugin)?;
    let mut n = 0;
    Durations::of(COUNT * 10, || {
        n += 1;
        probe(&mut up, &down, n, PATIENCE)
    })
}

fn probe(up: &mut Pipe, down: &Pipe, n: u64, patience: Duration) -> Result<()> {
    up.say(&up_line(None, &ToPane::Probe { n })?)?;
    down.hear(patience, |said| *said == FromPane::Probed { n })
}

/// A pair of pipes, up and down, that the plugin answers on. The first ones launch it, and it cannot answer
/// before it has been granted its permissions; and Zellij cuts a new pipe now and then without a word.
fn answering_pair(stage: &Stage, plugin: &str) -> Result<(Pipe, Pipe)> {
    const ATTEMPTS: u32 = 10;
    for _ in 0..ATTEMPTS {
        let mut down = Pipe::open(stage, plugin, DOWN)?;
        down.say("hello\n")?;
        let hello = |said: &FromPane| matches!(said, FromPane::Hello { .. });
        if down.hear(PATIENCE / ATTEMPTS, hello).is_err() {
            continue;
        }
        let mut up = Pipe::open(stage, plugin, UP)?;
        if probe(&mut up, &down, 0, PATIENCE / ATTEMPTS).is_ok() {
            return Ok((up, down));
        }
    }
    bail!("the plugin does not answer on pipes of its own")
}

/// A long-lived `zellij pipe`.
struct Pipe {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Pipe {
    fn open(stage: &Stage, plugin: &str, name: &str) -> Result<Pipe> {
        let mut child = stage
            .process(stage.zellij())
            .args([
                "--session",
                SESSION,
                "pipe",
                "--name",
                name,
                "--plugin",
                plugin,
            ])
            .args(["--plugin-configuration", "role=transcript"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot run zellij pipe")?;
        let input = child.stdin.take().context("zellij pipe without input")?;
        let output = child.stdout.take().context("zellij pipe without output")?;
        let (send, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Pipe {
            child,
            input,
            lines,
        })
    }

    fn say(&mut self, line: &str) -> Result<()> {
        self.input.write_all(line.as_bytes())?;
        Ok(self.input.flush()?)
    }

    /// Wait for a line that is wanted.
    fn hear(&self, within: Duration, wanted: impl Fn(&FromPane) -> bool) -> Result<()> {
        let deadline = Instant::now() + within;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                bail!("the plugin does not answer on a pipe of its own");
            };
            if serde_json::from_str::<Down>(&line).is_ok_and(|down| wanted(&down.said)) {
                return Ok(());
            }
        }
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

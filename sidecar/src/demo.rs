//! `stui demo`: a short scripted session in a real Zellij, in a terminal of its own.
//!
//! Nothing is staged but the keys: they go to Zellij through a pseudo-terminal, and each step counts
//! only once its answer stands on the screen. The screens are printed as text; the whole can be
//! recorded ([`asciicast`]) and one screen drawn ([`picture`]). It runs in folders of its own and
//! leaves nothing behind ([`stage`]).

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use self::asciicast::Recorder;
use self::script::{Action, CONNECTED, PANES, STEPS, Step};
use self::stage::Stage;
use crate::terminal::{Screen, Size, Terminal, text_of};

pub mod asciicast;
pub mod picture;
pub mod script;
pub mod stage;

/// How long a step may take until its answer stands on the screen.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the screen must be still before it is shown.
const STILL: Duration = Duration::from_millis(300);

/// How to play the demo.
#[derive(Debug, Clone)]
pub struct DemoOptions {
    /// The Zellij to run; none: the one on PATH.
    pub zellij: Option<PathBuf>,
    /// The `stui` program to run; none: the running one.
    pub stui: Option<PathBuf>,
    /// Size of the terminal.
    pub size: Size,
    /// Where to record all output in the asciicast format, version 2.
    pub record: Option<PathBuf>,
    /// Where to draw the screen of the step that shows most, as SVG.
    pub picture: Option<PathBuf>,
}

impl Default for DemoOptions {
    fn default() -> Self {
        DemoOptions {
            zellij: None,
            stui: None,
            size: Size::new(110, 32),
            record: None,
            picture: None,
        }
    }
}

/// Play the demo and print its screens.
///
/// # Errors
/// If a step's answer does not appear, with the step and the screen; if a file cannot be written.
pub fn run(options: &DemoOptions) -> Result<()> {
    let stui = match &options.stui {
        Some(program) => program.clone(),
        None => std::env::current_exe().context("cannot tell where this program is")?,
    };
    let stage = Stage::new(&stui, options.zellij.as_deref())?;
    let recorder = Recorder::new(options.size);
    let terminal = stage.up_observed("demo", options.size, recorder.observer())?;
    for step in STEPS {
        let screen = play(&terminal, step).with_context(|| format!("step \"{}\"", step.caption))?;
        show(step.caption, &screen);
        if let Some(path) = options.picture.as_ref().filter(|_| step.pictured) {
            write(path, &picture::svg(&screen))?;
        }
    }
    stage.close(&terminal)?;
    if let Some(path) = &options.record {
        write(path, &recorder.asciicast("STUI: live Smalltalk in Zellij"))?;
    }
    Ok(())
}

/// Carry out a step and return its screen.
fn play(terminal: &Terminal, step: &Step) -> Result<Screen> {
    for action in step.actions {
        match *action {
            Action::Type(text) => terminal.type_text(text),
            Action::Press(key) => terminal.press(key)?,
            Action::See(text) => {
                terminal.wait_for(PATIENCE, text)?;
            }
            Action::SeeConnected => {
                terminal.wait_until(PATIENCE, "three connected panes", is_connected)?;
            }
        }
    }
    Ok(terminal.settle(STILL, PATIENCE))
}

/// Whether every pane on a screen says that it is connected.
pub fn is_connected(screen: &Screen) -> bool {
    text_of(screen).matches(CONNECTED).count() >= PANES
}

fn show(caption: &str, screen: &Screen) {
    let columns = usize::from(screen.size().1.get());
    println!(
        "\n━━ {caption} {}",
        "━".repeat(columns.saturating_sub(caption.chars().count() + 4))
    );
    println!("{}", text_of(screen));
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    println!("\nwrote {}", path.display());
    Ok(())
}

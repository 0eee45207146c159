//! `cargo xtask up`: from a fresh checkout to a Zellij that evaluates Smalltalk.

use std::io::{IsTerminal, stdin, stdout};
use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result};

use crate::build;
use crate::run::say;
use crate::setup::{self, Purpose};

/// Set up, build, and open Zellij with a Smalltalk workspace.
///
/// Runs `setup` and `build`, then `stui up` in this terminal. Where there is no terminal (a script, a
/// CI run) it says so and plays `stui demo` instead: a short session in a real Zellij, printed as text.
///
/// What follows `--` goes to `stui up`: `cargo xtask up -- --session mine`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Build unoptimised: quicker to build, slower to run
    #[arg(long)]
    dev: bool,
    /// Arguments for `stui up`
    #[arg(last = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let tools = setup::tools(Purpose::Use)?;
    let stui = build::run_with(&tools, options.dev)?;
    let mut command = Command::new(&stui);
    if stdin().is_terminal() && stdout().is_terminal() {
        command
            .arg("up")
            .arg("--zellij")
            .arg(&tools.zellij)
            .args(&options.arguments);
    } else {
        say("this is no terminal, so here is a short session played in one of its own (stui demo)");
        command.arg("demo").arg("--zellij").arg(&tools.zellij);
    }
    // only an error returns
    Err(command.exec()).with_context(|| format!("cannot run {}", stui.display()))
}

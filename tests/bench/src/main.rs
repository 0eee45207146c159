//! Measures the way from a key to an answer, each part beside a floor measured in the same run.
//!
//! `cargo xtask bench` builds what this needs and runs it. Counts are bounded; a figure is only worth
//! something beside its floor, because machines differ.

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};

mod crowd;
mod fuel;
mod keys;
mod memory;
mod stats;
mod wire;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let stui = env::var_os("STUI_BIN").map(PathBuf::from);
    let stui = stui.context("STUI_BIN names no stui program; `cargo xtask bench` sets it")?;
    let zellij = env::var_os("STUI_ZELLIJ").map(PathBuf::from);

    println!("\nEvaluate `3 + 4`: the sidecar's client and a real server, beside a bare echo");
    wire::measure(&stui)?;
    println!("\nSessions of one client, each created, asked about, updated and closed");
    crowd::sessions(&stui)?;
    println!("\nMany clients at once, each with a session of its own");
    crowd::crowds(&stui)?;
    println!("\nWhat the sidecar holds");
    memory::measure(&stui)?;
    println!(
        "\nThe plugin's work, in instructions of Zellij's interpreter (the same on every machine)"
    );
    fuel::measure()?;
    println!("\nFrom key to screen in a real Zellij");
    keys::measure(&stui, zellij.as_deref())
}

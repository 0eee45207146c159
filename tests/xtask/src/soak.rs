//! `cargo xtask soak`: use STUI for a long time and watch what it holds.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::build;
use crate::places;
use crate::run::{execute, say};
use crate::setup::zellij::VARIABLE;
use crate::setup::{self, Purpose};

/// Let clients and a Zellij session work for some time, and judge whether memory stays flat.
///
/// Clients of the protocol create sessions, evaluate, inspect, release and close; in a real Zellij
/// somebody types and evaluates. Memory and file descriptors of sidecar and server are printed at
/// intervals, and in the end a verdict: flat if the second half's trend, over an hour, stays below a tenth of
/// what is held and below 16 MiB, and no more descriptors are open than after the first quarter.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many clients of the protocol
    #[arg(long, default_value_t = 5)]
    clients: u32,
    /// For how long
    #[arg(long, default_value_t = 30)]
    minutes: u32,
    /// Use unoptimised programs
    #[arg(long)]
    dev: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let tools = setup::tools(Purpose::Develop)?;
    let stui = build::run_with(&tools, options.dev)?;
    say("building the soak");
    let mut build = build::cargo("build");
    build.args(["--package", "stui-faults", "--example", "soak"]);
    if !options.dev {
        build.arg("--release");
    }
    execute(&mut build)?;
    let profile = if options.dev { "debug" } else { "release" };
    let soak = places::target().join(profile).join("examples/soak");
    // copies: what runs for hours must not be built anew meanwhile
    let folder = places::target().join("soak");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let copy = |from: &std::path::Path, name: &str| -> Result<std::path::PathBuf> {
        let to = folder.join(name);
        // a program that still runs cannot be written to, but can be replaced
        let _ = fs::remove_file(&to);
        fs::copy(from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
        Ok(to)
    };
    let (stui, soak) = (copy(&stui, "stui")?, copy(&soak, "soak")?);
    execute(
        Command::new(soak)
            .env(VARIABLE, &tools.zellij)
            .env("STUI_BIN", stui)
            .env("STUI_SOAK_CLIENTS", options.clients.to_string())
            .env("STUI_SOAK_MINUTES", options.minutes.to_string()),
    )
}

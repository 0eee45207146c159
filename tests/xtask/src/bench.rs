//! `cargo xtask bench`: measure, in one run and beside a floor measured in that run.

use std::process::Command;

use anyhow::Result;

use crate::build;
use crate::places;
use crate::run::{execute, say};
use crate::setup::zellij::VARIABLE;
use crate::setup::{self, Purpose};

/// Measure how fast the way from key to answer is.
///
/// Prints the round trip of Evaluate beside a bare libzmq echo of the same bytes, requests per second
/// with 32 in flight, key to answer on the screen of a real Zellij beside a bare pipe echo, and the
/// plugin's fuel per frame and key. Counts are bounded; the whole takes a minute or two once built.
#[derive(clap::Args)]
pub(crate) struct Options {}

pub(crate) fn run(_options: &Options) -> Result<()> {
    let tools = setup::tools(Purpose::Develop)?;
    let stui = build::run_with(&tools, false)?;
    say("building the benchmarks (release)");
    execute(build::cargo("build").args(["--release", "--package", "stui-bench"]))?;
    execute(
        Command::new(places::target().join("release/stui-bench"))
            .env(VARIABLE, &tools.zellij)
            .env("STUI_BIN", stui)
            .env("STUI_PLUGIN_WASM", places::plugin_wasm()),
    )
}

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
/// with 32 in flight, operations on sessions per second, 1, 10 and 100 clients at once beside the same echo
/// under the same clients, what the sidecar holds after 100 000 evaluations beside what it held after the first
/// thousand, the plugin's fuel per frame and key, and key to answer on the screen of a real Zellij beside a bare
/// pipe echo. Counts are bounded; the whole takes some minutes once built (`STUI_BENCH_EVALUATIONS` makes the 100 000 fewer).
#[derive(clap::Args)]
pub(crate) struct Options {}

pub(crate) fn run(_options: &Options) -> Result<()> {
    let tools = setup::tools(Purpose::Develop)?;
    let stui = build::run_with(&tools, false)?;
    say("building the benchmarks (release)");
    execute(build::cargo("build").args([
        "--release",
        "--package",
        "stui-bench",
        "--package",
        "stui-desk",
    ]))?;
    execute(
        Command::new(places::target().join("release/stui-bench"))
            .env(VARIABLE, &tools.zellij)
            .env("STUI_BIN", stui)
            .env("STUI_PLUGIN_WASM", places::plugin_wasm()),
    )
}

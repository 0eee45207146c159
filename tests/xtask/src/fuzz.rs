//! `cargo xtask fuzz`: look for inputs that break a promise, guided by coverage.
//!
//! Stable Rust can do this: the counters that libFuzzer reads are a pass of LLVM's, which `-C passes`
//! names. Only nightly has the address sanitizer, which says little where `unsafe` is forbidden.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::build;
use crate::places;
use crate::run::{execute, output, say};
use crate::setup::system;

/// What the compiler does besides: counters at every edge, and comparisons told to the engine.
const FLAGS: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
];

/// Fuzz a target for some time, guided by coverage (libFuzzer).
///
/// Every target is also tried for some seconds by `cargo xtask test unit`. Here the program is built
/// with coverage counters (into target/fuzz/build, once), and what is found is kept in
/// target/fuzz/corpus/TARGET: the next run begins there. An input that fails goes to
/// target/fuzz/failures; put it into tests/fuzz/seeds/TARGET once the bug is mended.
///
/// Targets:
///   protocol       documents of the protocol
///   server         messages to the embedded server's socket, signed and not
///   zmtp           any bytes at the embedded server's socket
///   journal        the files of a journal
///   pane           lines from a sidecar, and keys meanwhile
///   hub            lines from panes, answers and events of a server
///   files          connection files, targets and other words
///   configuration  the configuration file
///   source         Smalltalk source and Tonel files
///   machine        code that the embedded machine runs
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Options {
    /// Which target
    target: String,
    /// For how long, in seconds
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// From which seed; libFuzzer chooses and prints one if not said
    #[arg(long)]
    seed: Option<u32>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    system::setup(false, false)?;
    let engine = build_engine()?;
    let folder = places::target().join("fuzz");
    let target = &options.target;
    let corpus = folder.join("corpus").join(target);
    let seeds = folder.join("seeds").join(target);
    let failures = folder.join("failures");
    for folder in [&corpus, &seeds, &failures] {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    execute(
        Command::new(&engine)
            .env("STUI_FUZZ_TARGET", target)
            .env("STUI_FUZZ_WRITE_SEEDS", &seeds)
            .arg("-runs=0"),
    )?;
    say(&format!("fuzzing {target} for {} seconds", options.seconds));
    let mut command = Command::new(&engine);
    command
        .env("STUI_FUZZ_TARGET", target)
        .arg(format!("-max_total_time={}", options.seconds))
        .arg(format!("-artifact_prefix={}/{target}-", failures.display()))
        .arg(format!("-dict={}", seeds.with_extension("words").display()))
        .args(["-max_len=16384", "-timeout=20", "-rss_limit_mb=4096"])
        .arg("-print_final_stats=1");
    if let Some(seed) = options.seed {
        command.arg(format!("-seed={seed}"));
    }
    execute(command.arg(&corpus).arg(&seeds))
        .with_context(|| format!("{target} failed; the input is in {}", failures.display()))
}

/// Builds the engine, in a folder of its own because of its flags.
fn build_engine() -> Result<PathBuf> {
    say("building the fuzzer with coverage counters");
    let version = output(Command::new("rustc").arg("-vV"))?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("rustc does not say for which machine it compiles")?;
    let folder = places::target().join("fuzz/build");
    let mut command = build::cargo("build");
    command
        .args([
            "--package",
            "stui-fuzz",
            "--bin",
            "engine",
            "--features",
            "engine",
        ])
        .args(["--profile", "fuzz"])
        // named, so that what runs while building (build scripts) gets no counters
        .args(["--target", host])
        .env("CARGO_TARGET_DIR", &folder)
        .env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\x1f"));
    execute(&mut command)?;
    Ok(folder.join(host).join("fuzz/engine"))
}

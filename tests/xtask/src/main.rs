//! `cargo xtask`: the commands of a STUI developer. What each does is in its module, and in words
//! in its `--help`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
mod build;
mod fuzz;
mod lint;
mod pharo;
mod places;
mod run;
mod setup;
mod soak;
mod test;
mod up;

/// Set up, run, test, lint and measure STUI.
///
/// On a fresh machine, `cargo xtask up` is all that is needed: it brings what is missing, builds, and
/// opens Zellij with a workspace that evaluates Smalltalk.
#[derive(Parser)]
#[command(name = "cargo xtask", version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Setup(setup::Options),
    Build(build::Options),
    Up(up::Options),
    Test(test::Options),
    Lint(lint::Options),
    Bench(bench::Options),
    Fuzz(fuzz::Options),
    Soak(soak::Options),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Setup(options) => setup::run(&options),
        Command::Build(options) => build::run(&options),
        Command::Up(options) => up::run(&options),
        Command::Test(options) => test::run(&options),
        Command::Lint(options) => lint::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Fuzz(options) => fuzz::run(&options),
        Command::Soak(options) => soak::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

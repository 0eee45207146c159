//! The `stui` program.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use stui::cli::{Cli, Command, Demo, PipeChild};
use stui::{commands, demo, log, process, terminal};

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("stui: {}", sentence(&error));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode> {
    let Cli {
        config,
        log_file,
        command,
    } = Cli::parse();
    if let Some(file) = log_file {
        log::to_file(file, config.clone());
    }
    let config = config.as_deref();
    match command {
        Command::Up(options) => commands::up::run(config, &options),
        Command::Serve(options) => commands::serve::run(options).map(|()| ExitCode::SUCCESS),
        Command::Eval(options) => commands::eval::run(options),
        Command::Guests(options) => commands::guests::run(&options),
        Command::Sessions(options) => commands::sessions::run(options),
        Command::Connect(options) => commands::sessions::connect(options),
        Command::Disconnect(options) => commands::sessions::disconnect(options),
        Command::Doctor(options) => Ok(commands::doctor::run(config, &options)),
        Command::Config(options) => commands::config::run(config, options.command),
        Command::Pharo(command) => commands::pharo::run(config, command),
        Command::Demo(options) => play(options).map(|()| ExitCode::SUCCESS),
        Command::Sidecar(options) => commands::sidecar::run(&options).map(|()| ExitCode::SUCCESS),
        Command::Tunnel(options) => {
            commands::tunnel::run(config, options).map(|()| ExitCode::SUCCESS)
        }
        Command::PipeChild(options) => Err(become_child(&options)),
    }
}

/// An error with its causes, those left out that an error before has in its own words already.
fn sentence(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.contains(&cause) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause);
    }
    text
}

fn play(options: Demo) -> Result<()> {
    let size = options
        .size
        .split_once('x')
        .and_then(|(columns, rows)| Some((columns.parse().ok()?, rows.parse().ok()?)))
        .context("--size is COLUMNSxROWS, as 110x32")?;
    demo::run(&demo::DemoOptions {
        zellij: options.zellij,
        size: terminal::Size::new(size.0, size.1),
        record: options.record,
        picture: options.picture,
        ..demo::DemoOptions::default()
    })
}

fn become_child(options: &PipeChild) -> anyhow::Error {
    let Some((program, arguments)) = options.command.split_first() else {
        return anyhow::anyhow!("pipe-child needs a program");
    };
    let error = process::become_child(options.parent, program, arguments);
    anyhow::Error::new(error).context(format!("cannot run {}", program.display()))
}

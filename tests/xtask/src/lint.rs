//! `cargo xtask lint`: formatting, clippy, documentation, and the rules that no compiler knows.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::build;
use crate::run::{execute, say};
use crate::setup::{self, Purpose, WasmCompiler};

mod files;

/// Check formatting, lints, documentation and the project's own rules.
///
/// - rustfmt, clippy with warnings as errors, rustdoc with warnings as errors
/// - the plugin for WebAssembly (clippy where the toolchain in use has the target, else the compiler
///   that was set up for it)
/// - rules about files: what may lie at the top, no path of this machine, the libraries for Zellij and
///   for sockets named only in their modules, nothing left unfinished, a head on every source file
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Options {
    /// Only the rules about files: no compiler, done in a moment
    #[arg(long)]
    files: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    say("checking files");
    files::check()?;
    if options.files {
        return Ok(());
    }
    let tools = setup::tools(Purpose::Develop)?;
    say("checking formatting");
    execute(build::cargo("fmt").args(["--all", "--check"]))?;
    say("checking the plugin for WebAssembly");
    webassembly(&tools.wasm)?;
    say("clippy");
    execute(build::cargo("clippy").args(["--workspace", "--all-targets", "--", "-Dwarnings"]))?;
    say("documentation");
    execute(
        build::cargo("doc")
            .args([
                "--workspace",
                "--no-deps",
                "--lib",
                "--document-private-items",
            ])
            .env(
                "RUSTDOCFLAGS",
                "-Dwarnings -Arustdoc::private_intra_doc_links",
            ),
    )?;
    say("lint: all is well");
    Ok(())
}

/// Check what is compiled for WebAssembly; that `stui-protocol` compiles there is a promise of its own.
fn webassembly(compiler: &WasmCompiler) -> Result<()> {
    const PACKAGES: [&str; 4] = ["--package", "stui-protocol", "--package", "stui-plugin"];
    match compiler {
        WasmCompiler::Own => execute(
            build::cargo_wasm("clippy", compiler)
                .args(PACKAGES)
                .args(["--", "-Dwarnings"]),
        ),
        WasmCompiler::Unpacked(_) => {
            // clippy has no standard library for the target here; the compiler's own lints do
            let output = build::cargo_wasm("check", compiler)
                .args(PACKAGES)
                .arg("--message-format=json-diagnostic-rendered-ansi")
                .stdin(Stdio::null())
                .stderr(Stdio::inherit())
                .output()
                .context("cannot run cargo")?;
            let warnings = warnings(&String::from_utf8_lossy(&output.stdout));
            for warning in &warnings {
                eprintln!("{warning}");
            }
            if !output.status.success() || !warnings.is_empty() {
                bail!("the plugin does not compile for WebAssembly without warnings");
            }
            Ok(())
        }
    }
}

/// The diagnostics among cargo's messages, as they would be shown.
fn warnings(messages: &str) -> Vec<String> {
    let parsed = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    parsed
        .filter(|message| message["reason"] == "compiler-message")
        .filter_map(|message| Some(message["message"]["rendered"].as_str()?.to_owned()))
        .collect()
}

/// What git tracks, relative to the workspace, and what is new and not ignored.
fn tracked() -> Result<Vec<String>> {
    let listing = crate::run::output(
        Command::new("git")
            .args([
                "ls-files",
                "--cached",
                "--others",
                "--exclude-standard",
                "-z",
            ])
            .current_dir(crate::places::workspace()),
    )?;
    Ok(listing
        .split('\0')
        .filter(|path| !path.is_empty())
        .map(str::to_owned)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_read_from_the_messages_of_cargo() {
        let messages = "{\"reason\":\"compiler-message\",\"message\":{\"rendered\":\"warning: x\"}}\n\
                        {\"reason\":\"compiler-artifact\"}\nnot JSON\n";
        assert_eq!(warnings(messages), ["warning: x"]);
    }
}

//! `cargo xtask build`: the plugin for WebAssembly, then the `stui` program with the plugin inside.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::places;
use crate::run::{execute, say};
use crate::setup::wasm::TARGET;
use crate::setup::{self, Purpose, Tools, WasmCompiler};

/// Build the plugin, and the stui program with the plugin and the layouts inside.
///
/// The plugin goes to target/wasm/wasm32-wasip1/plugin/stui-plugin.wasm, the program to
/// target/release/stui: one file that needs nothing else of this repository.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Build the program unoptimised, into target/debug
    #[arg(long)]
    dev: bool,
}

pub(crate) fn run_with(tools: &Tools, dev: bool) -> Result<PathBuf> {
    plugin(&tools.wasm)?;
    let profile = if dev { "debug" } else { "release" };
    say(&format!("building stui ({profile})"));
    let mut command = cargo("build");
    command.args(["--package", "stui", "--bin", "stui"]);
    if !dev {
        command.arg("--release");
    }
    execute(&mut command)?;
    Ok(places::stui(profile))
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let stui = run_with(&setup::tools(Purpose::Use)?, options.dev)?;
    println!("    {}", stui.display());
    Ok(())
}

/// Build the plugin.
pub(crate) fn plugin(compiler: &WasmCompiler) -> Result<()> {
    say("building the plugin for WebAssembly");
    let mut command = cargo_wasm("build", compiler);
    command.args([
        "--package",
        "stui-plugin",
        "--bin",
        "stui-plugin",
        "--profile",
        "plugin",
    ]);
    execute(&mut command)?;
    let wasm = places::plugin_wasm();
    let bytes = fs::read(&wasm).with_context(|| format!("cargo built no {}", wasm.display()))?;
    let named = private_folders()
        .into_iter()
        .find(|folder| contains(&bytes, folder.as_os_str().as_encoded_bytes()));
    if let Some(folder) = named {
        bail!(
            "the plugin names {}, a folder of this machine; remove {} and build again",
            folder.display(),
            wasm.display()
        );
    }
    Ok(())
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// A cargo command on the workspace, for this machine.
pub(crate) fn cargo(subcommand: &str) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(places::workspace()).arg(subcommand);
    command
}

/// A cargo command for WebAssembly: with its own compiler, and so with its own target folder.
pub(crate) fn cargo_wasm(subcommand: &str, compiler: &WasmCompiler) -> Command {
    let mut command = cargo(subcommand);
    command
        .args(["--target", TARGET])
        .env("CARGO_TARGET_DIR", places::wasm_target())
        .env("CARGO_ENCODED_RUSTFLAGS", remapped().join("\x1f"));
    if let WasmCompiler::Unpacked(rustc) = compiler {
        command.env("RUSTC", rustc);
    }
    command
}

/// The folders of this machine that must not be named in the plugin.
pub(crate) fn private_folders() -> Vec<PathBuf> {
    let home = env::var_os("HOME").map(PathBuf::from);
    let cargo_home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(home.as_ref()?.join(".cargo")));
    let folders = [
        home,
        cargo_home,
        Some(places::tools()),
        Some(places::workspace()),
    ];
    // an inner folder last: the compiler takes the last prefix that fits
    folders
        .into_iter()
        .flatten()
        .filter(|folder| folder.components().count() > 1)
        .collect()
}

/// Compiler flags that take this machine's folders out of what is built.
fn remapped() -> Vec<String> {
    private_folders()
        .iter()
        .map(|folder| format!("--remap-path-prefix={}=.", folder.display()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_folder_is_never_remapped() {
        let root = PathBuf::from("/");
        assert!(private_folders().iter().all(|folder| *folder != root));
        assert!(private_folders().contains(&places::workspace()));
    }
}

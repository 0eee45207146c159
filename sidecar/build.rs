//! Puts the plugin and the Pharo server into the program.
//!
//! The plugin is WebAssembly and built apart: `STUI_PLUGIN_WASM` names it, else it lies where
//! `cargo xtask build` leaves it. Without it the program still builds; commands that need the plugin
//! say how to build it.
//!
//! The Pharo server is a folder of source files and a script; `src/pharo/package.rs` writes them where
//! they are needed.

use std::env;
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

fn main() -> io::Result<()> {
    plugin();
    pharo()
}

fn plugin() {
    println!("cargo::rerun-if-env-changed=STUI_PLUGIN_WASM");
    println!("cargo::rustc-check-cfg=cfg(stui_plugin)");
    let named = env::var_os("STUI_PLUGIN_WASM").map(PathBuf::from);
    let built = env::var_os("CARGO_MANIFEST_DIR").map(|folder| {
        PathBuf::from(folder).join("../target/wasm/wasm32-wasip1/plugin/stui-plugin.wasm")
    });
    let Some(plugin) = named.or(built) else {
        return;
    };
    println!("cargo::rerun-if-changed={}", plugin.display());
    // Relative to the package, which is where a build script runs.
    if let Ok(plugin) = fs::canonicalize(&plugin) {
        println!("cargo::rustc-cfg=stui_plugin");
        println!("cargo::rustc-env=STUI_PLUGIN_FILE={}", plugin.display());
    }
}

/// Writes a Rust expression: the files of the Pharo server, each with its name and content.
fn pharo() -> io::Result<()> {
    let folder = fs::canonicalize("../smalltalk/pharo")?;
    let mut files = Vec::new();
    for part in ["run-stui-server.sh", "scripts", "src"] {
        println!("cargo::rerun-if-changed={}", folder.join(part).display());
        list(&folder.join(part), &mut files)?;
    }
    files.sort();
    let mut table = String::from("&[\n");
    for file in &files {
        let name = file.strip_prefix(&folder).unwrap_or(file);
        writeln!(
            table,
            "    ({:?}, include_bytes!({:?})),",
            name.display().to_string(),
            file.display().to_string()
        )
        .map_err(io::Error::other)?;
    }
    table.push(']');
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("no OUT_DIR"))?;
    fs::write(Path::new(&out).join("pharo_files.rs"), table)
}

fn list(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        list(&entry?.path(), files)?;
    }
    Ok(())
}

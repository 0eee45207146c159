//! Puts the plugin into the program.
//!
//! The plugin is WebAssembly and built apart: `STUI_PLUGIN_WASM` names it, else it lies where
//! `cargo xtask build` leaves it. Without it the program still builds; commands that need the plugin
//! say how to build it.

use std::env;
use std::fs;
use std::path::PathBuf;

fn main() {
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

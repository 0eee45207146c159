//! `cargo xtask setup`: bring what is missing, each step with its reason; what is there stays as it is.
//!
//! Order: system packages (everything below compiles C), the WebAssembly target, Zellij. Tools go
//! into the tools folder (`STUI_TOOLS`, else target/tools); the system is only changed by its own
//! package manager, and only as root on a Debian-like system.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;

use crate::places;
use crate::run::say;

pub(crate) mod system;
pub(crate) mod wasm;
pub(crate) mod zellij;

pub(crate) use wasm::WasmCompiler;

/// Bring what STUI needs and this machine lacks.
///
/// - a C and C++ compiler, for libzmq (it is built from source with the zmq crate), and OpenSSL's
///   headers, for Zellij and for the tests that use its code
/// - as root on a Debian-like system, an ssh server, which is not started: tests of tunnels run their own
/// - Rust's standard library for wasm32-wasip1, for the Zellij plugin: from rustup, else from
///   Debian's packages, unpacked into the tools folder
/// - Zellij: the one on PATH if it is 0.44.3 or later, else built from crates.io into the tools
///   folder (about six minutes on two cores)
///
/// Run again, it does nothing and says so.
///
/// Environment:
///   `STUI_TOOLS`       the tools folder (default target/tools)
///   `STUI_WASM_ROUTE`  the only way to the WebAssembly target to try: rustup, prebuilt or build
///   `STUI_ZELLIJ`      the Zellij to use
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Options {}

/// What `setup` found or brought.
pub(crate) struct Tools {
    /// The Zellij to run.
    pub(crate) zellij: PathBuf,
    /// The compiler for the plugin.
    pub(crate) wasm: WasmCompiler,
}

/// What a step of the setup did.
pub(crate) enum Done<T> {
    /// Nothing: it was there.
    Found(T),
    /// It was missing and is there now.
    Brought(T),
}

impl<T> Done<T> {
    fn split(self) -> (T, bool) {
        match self {
            Done::Found(it) => (it, false),
            Done::Brought(it) => (it, true),
        }
    }
}

/// What the tools are wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To build and run STUI.
    Use,
    /// To test and measure it as well.
    Develop,
}

pub(crate) fn run(_options: &Options) -> Result<()> {
    tools(Purpose::Develop).map(|_| ())
}

/// Set up and return the tools.
pub(crate) fn tools(purpose: Purpose) -> Result<Tools> {
    let started = Instant::now();
    let folder = places::tools();
    std::fs::create_dir_all(&folder)?;

    let zellij_there = zellij::find(&folder);
    let zellij_code = zellij_there.is_none() || purpose == Purpose::Develop;
    let ((), packages) = system::setup(zellij_code, purpose == Purpose::Develop)?.split();
    let (wasm, target) = wasm::setup(&folder.join("wasm"))?.split();
    let (zellij, multiplexer) = zellij::setup(zellij_there, &folder)?.split();

    let seconds = started.elapsed().as_secs_f32();
    if packages || target || multiplexer {
        say(&format!("setup done in {seconds:.0} s"));
    } else {
        say(&format!(
            "setup: everything is there, nothing to do ({seconds:.1} s)"
        ));
    }
    println!("    plugin compiler: {wasm}");
    println!("    Zellij: {} ({})", zellij.path.display(), zellij.version);
    Ok(Tools {
        zellij: zellij.path,
        wasm,
    })
}

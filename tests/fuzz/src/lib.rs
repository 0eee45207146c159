//! Fuzzing of everything that comes from outside: documents, journals, pipe lines, files, words,
//! source code, bytes on a socket.
//!
//! A [`Target`] is a function that takes any bytes and panics if a promise is broken. The same
//! functions run in two ways:
//!
//! - **As tests**, on stable Rust with nothing installed: `cargo test -p stui-fuzz`, and so in
//!   `cargo xtask test`. Each target gets its seeds, all inputs that ever failed (`seeds/TARGET/`), and
//!   for some seconds mutations of them ([`mutate`]). The seed of the random numbers is printed;
//!   `STUI_FUZZ_SEED` repeats a run, `STUI_FUZZ_SECONDS` makes it longer.
//! - **Guided by coverage**, for hours: `cargo xtask fuzz TARGET --seconds N` builds the program with
//!   coverage counters and lets libFuzzer look for inputs that reach new code. This too is stable Rust:
//!   the counters are a pass of LLVM's that `-C passes` names. libFuzzer (`libfuzzer-sys`) was chosen because it is the
//!   best kept of the engines, is built from source by cargo alone, and needs no tool besides.
//!
//! An input that fails is written to `target/fuzz/failures/` with a line that says how to run it
//! again. Once the bug is mended, the input goes into `seeds/TARGET/`, where every later run begins.

use std::path::{Path, PathBuf};

pub mod mutate;
mod targets;

pub use targets::TARGETS;

/// Something that takes bytes from outside.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name: what `cargo xtask fuzz` is given, and the name of its folder of seeds.
    pub name: &'static str,
    /// What it takes, and what must hold.
    pub about: &'static str,
    /// Well-formed inputs to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Words that its inputs are made of.
    pub words: &'static [&'static str],
    /// Takes an input; panics if a promise is broken.
    pub run: fn(&[u8]),
}

/// The target of a name.
pub fn target(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}

impl Target {
    /// Its seeds: the well-formed ones, and the files in `seeds/TARGET/`.
    pub fn all_seeds(&self) -> Vec<Vec<u8>> {
        let mut seeds = (self.seeds)();
        seeds.extend(self.old_failures().into_iter().map(|(_, input)| input));
        seeds
    }

    /// The files in `seeds/TARGET/`, by name.
    pub fn old_failures(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("seeds")
            .join(self.name);
        let Ok(entries) = std::fs::read_dir(folder) else {
            return Vec::new();
        };
        let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        files.sort();
        files
            .into_iter()
            .filter_map(|path| Some((path.clone(), std::fs::read(path).ok()?)))
            .collect()
    }
}

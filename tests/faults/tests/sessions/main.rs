//! Faults in whole sessions: processes are killed and stopped, connections cut, and nothing is lost.
//!
//! The same script ([`play`]) runs in two settings: on a desk, which plays Zellij ([`stui_desk`]), where many
//! sessions run side by side; and in a real Zellij ([`zellij`]). Everything else is real in both: the
//! sidecar, its pipe processes, `stui serve`, the connection between them. [`headroom`] is about too
//! much instead of too little: floods, huge answers, clients that stop, a disk that is full.
//!
//! `STUI_FAULTS` says how many faults, `STUI_FAULTS_SEED` from which seed; `cargo xtask test faults
//! --faults 1000 --seed 7` sets both. Each fault is printed with the time until both people's next
//! evaluation was answered on both screens, counted from the end of the fault.

mod desks;
mod fault;
mod headroom;
mod image;
mod play;
mod report;
mod zellij;

use std::env;
use std::path::PathBuf;

/// The seed, unless `STUI_FAULTS_SEED` names another.
const SEED: u64 = 20_261_127;

/// How many faults, if a number was asked for.
fn faults() -> Option<usize> {
    env::var("STUI_FAULTS").ok()?.parse().ok()
}

/// The seed of everything random.
fn seed() -> u64 {
    let set = env::var("STUI_FAULTS_SEED").ok();
    set.and_then(|text| text.parse().ok()).unwrap_or(SEED)
}

/// The `stui` program under test.
fn stui() -> PathBuf {
    let named = env::var_os("STUI_BIN").map(PathBuf::from);
    // this test program lies in target/debug/deps
    let built = || Some(env::current_exe().ok()?.ancestors().nth(2)?.join("stui"));
    named
        .or_else(built)
        .filter(|path| path.exists())
        .expect("a built stui: `cargo xtask test faults` builds it, STUI_BIN names one")
}

//! The commands of the `stui` program, one a module.

pub mod doctor;
pub mod eval;
pub mod guests;
pub mod serve;
pub mod sidecar;
pub mod tunnel;
pub mod up;

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Writes the log to standard error: what `STUI_LOG` says, else as much as `default` says. Code and
/// keys are never logged.
pub fn log(default: &str) {
    let filter = EnvFilter::try_from_env("STUI_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    // An error means that there is a log already, which is good enough.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        // It would complain on standard error, which is the log: on a full disk that is a panic.
        .log_internal_errors(false)
        .try_init();
}

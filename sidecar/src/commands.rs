//! The commands of the `stui` program, one a module.

pub mod config;
pub mod doctor;
pub mod eval;
pub mod guests;
mod keeper;
pub mod pharo;
pub mod serve;
pub mod sessions;
pub mod sidecar;
pub mod tunnel;
pub mod up;

/// Begins the log of this command; see [`crate::log`].
fn log(default: &str) {
    crate::log::start(default);
}

/// Asks a question that is answered with yes or no; anything unclear is no, and so is nobody to ask.
fn yes(question: &str) -> std::io::Result<bool> {
    use std::io::{IsTerminal, Write, stdin, stdout};
    if !stdin().is_terminal() {
        return Ok(false);
    }
    print!("{question} [y/N] ");
    stdout().flush()?;
    let mut answer = String::new();
    stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

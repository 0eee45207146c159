//! `stui guests`: who may change and evaluate while a session runs.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use stui_protocol::pane::Guests;

use super::sessions::which;
use crate::calls::{Answer, Call, call};
use crate::cli;
use crate::places::Places;

/// Tells the session's sidecar, and prints what it made of it.
///
/// # Errors
/// If there is no sidecar, or it is of another version.
pub fn run(options: &cli::Guests) -> Result<ExitCode> {
    super::log("error");
    let places = Places::from_environment()?;
    let session = which(&places, options.zellij_session.as_deref())?;
    let (guests, meaning) = match options.may {
        cli::GuestsMay::ReadOnly => (
            Guests::ReadOnly,
            "Who has been here longest may change and evaluate; all others look on.",
        ),
        cli::GuestsMay::MayWrite => (Guests::MayWrite, "Everybody may change and evaluate."),
    };
    let answer = call(&places.sidecar_socket(&session), &Call::Guests { guests });
    let answer = answer.with_context(|| {
        format!(
            "no STUI runs in the Zellij session {session}; `stui up --session {session}` opens it"
        )
    })?;
    if answer != Answer::Done {
        bail!("the sidecar is of another version; quit the session and open it again");
    }
    println!("{meaning}");
    Ok(ExitCode::SUCCESS)
}

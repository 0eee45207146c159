//! `stui guests`: who may change and evaluate while a session runs.

use std::process::ExitCode;

use stui_protocol::pane::Guests;

use crate::calls::{Answer, Call, call};
use crate::cli;
use crate::places::Places;

/// Tells the session's sidecar, and prints what it made of it.
pub fn run(options: &cli::Guests) -> ExitCode {
    super::log("error");
    let session = options.session.as_deref().unwrap_or("stui");
    let places = match Places::from_environment() {
        Ok(places) => places,
        Err(error) => {
            eprintln!("stui: {error}");
            return ExitCode::FAILURE;
        }
    };
    let guests = match options.may {
        cli::GuestsMay::ReadOnly => Guests::ReadOnly,
        cli::GuestsMay::MayWrite => Guests::MayWrite,
    };
    match call(&places.sidecar_socket(session), &Call::Guests { guests }) {
        Ok(Answer::Done) => {
            println!(
                "{}",
                match guests {
                    Guests::ReadOnly =>
                        "Who has been here longest may change and evaluate; all others look on.",
                    Guests::MayWrite => "Everybody here may change and evaluate.",
                }
            );
            ExitCode::SUCCESS
        }
        Ok(other) => {
            eprintln!(
                "stui: the sidecar answered {other:?}; is it of another version? Quit and open the session again."
            );
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!(
                "stui: no sidecar answers for the session {session} ({error}); \
                 `stui up --session {session}` opens it, --session names another."
            );
            ExitCode::FAILURE
        }
    }
}

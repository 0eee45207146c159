//! `stui serve`: the embedded Smalltalk as a server.

use std::io::Write;

use anyhow::{Context, Result};
use stui_embedded::server::{ServeOptions, serve};

use crate::cli;
use crate::places::Places;
use crate::process::leave_session;

/// Serves until told to end.
///
/// # Errors
/// If it cannot start or go on.
pub fn run(options: cli::Serve) -> Result<()> {
    super::log("warn");
    if options.exit_with_pid.is_some() {
        leave_session();
    }
    let connection_file = if let Some(file) = options.connection_file {
        std::path::absolute(file)?
    } else {
        let name = format!("serve-{}.json", std::process::id());
        Places::from_environment()?.runtime()?.join(name)
    };
    let serve_options = ServeOptions {
        endpoint: options.endpoint,
        no_key: options.no_key,
        connection_file: Some(connection_file.clone()),
        exit_with_pid: options.exit_with_pid,
        ..ServeOptions::default()
    };
    let reason = serve(serve_options, |connection| {
        // Nobody reading is no reason not to serve.
        let _ = writeln!(
            std::io::stdout(),
            "{} listens on {}; connection file {}",
            connection.dialect,
            connection.endpoint,
            connection_file.display()
        );
    })
    .context("the embedded Smalltalk cannot serve")?;
    tracing::info!(reason, "the server ends");
    Ok(())
}

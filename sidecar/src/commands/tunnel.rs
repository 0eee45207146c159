//! `stui tunnel`: a server on another machine, as a connection file on this one.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::cli;
use crate::config;
use crate::process::leave_session;
use crate::target::Target;
use crate::tunnel;

/// Keeps a tunnel until told to end.
///
/// # Errors
/// If it cannot begin.
pub fn run(config: Option<&Path>, options: cli::Tunnel) -> Result<()> {
    super::log("warn");
    if options.exit_with_pid.is_some() {
        leave_session();
    }
    let Target::Ssh(remote) = options.target else {
        bail!("a tunnel leads to another machine: write it as ssh://user@host:port/name");
    };
    // What is wrong in the file is said by those who run with a terminal, or a pane.
    let ssh = config::load(config, &[]).config.ssh.value;
    let options = tunnel::Options {
        remote,
        connection_file: std::path::absolute(options.connection_file)?,
        exit_with_pid: options.exit_with_pid,
        ssh,
    };
    // The last line of the log is what a pane shows while there is no connection.
    let reason =
        tunnel::run(options, |sentence| eprintln!("stui: {sentence}")).context("no tunnel")?;
    tracing::info!(reason, "the tunnel ends");
    Ok(())
}

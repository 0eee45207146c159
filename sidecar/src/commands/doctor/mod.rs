//! `stui doctor`: each link from the terminal to Smalltalk, and what to do about it.
//!
//! - `findings`: what was found, for people and scripts;
//! - `programs`: Zellij, the plugin, ssh, Pharo; `files`: directories, modes, journals, logs, what is
//!   left behind; `session`: the sidecar of a session and its images.

mod files;
mod findings;
mod programs;
mod session;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use crate::cli;
use crate::config::{self, Loaded};
use crate::places::Places;
use findings::Findings;

/// Looks at everything and prints what it found; `file` is the configuration file of `--config`.
pub fn run(file: Option<&Path>, options: &cli::Doctor) -> ExitCode {
    super::log("error");
    let mut findings = Findings::new(std::io::stdout().lock(), options.json);
    examine(file, options, &mut findings);
    findings.end();
    if findings.problems() == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn examine(file: Option<&Path>, options: &cli::Doctor, findings: &mut Findings<impl Write>) {
    findings.about("stui");
    findings.ok(format!(
        "version {}, ZeroMQ {}",
        env!("CARGO_PKG_VERSION"),
        crate::zmq_version()
    ));
    let loaded = config::load(file, &[]);
    configuration(&loaded, findings);
    let config = &loaded.config;
    programs::terminal(findings);
    let zellij = options.zellij.as_deref().or(config.zellij.value.as_deref());
    programs::zellij(zellij, findings);
    programs::plugin_inside(findings);
    findings.about("directories");
    let places = match Places::from_environment() {
        Ok(places) => places,
        Err(error) => return findings.problem("there are none", error),
    };
    match places.runtime() {
        Ok(path) => findings.ok(format!("{} is private", path.display())),
        Err(error) => findings.problem("the runtime directory cannot be used", error),
    }
    let session = options.session.as_deref().unwrap_or(&config.session.value);
    files::can_be_made(&places.session(session), "XDG_STATE_HOME", findings);
    files::can_be_made(&places.plugin(), "XDG_DATA_HOME", findings);
    programs::plugin_on_disk(&places, findings);
    programs::permissions(&places, config.theme.value, findings);
    programs::ssh(config, findings);
    programs::pharo(config, findings);
    files::left_behind(&places, findings);
    files::modes(&places, session, findings);
    files::journal(&places.session(session), findings);
    files::logs(&places, session, config, findings);
    session::sidecar(&places, session, findings);
    session::images(&places, session, findings);
}

fn configuration(loaded: &Loaded, findings: &mut Findings<impl Write>) {
    findings.about("configuration");
    for problem in &loaded.problems {
        findings.problem(
            problem.line(),
            "mend it; `stui config check` shows it in its line",
        );
    }
    let Some(file) = &loaded.file else {
        return findings.note("there is no home directory, so there is no file; the defaults hold");
    };
    if !loaded.exists {
        findings.note(format!("there is no {}; the defaults hold", file.display()));
    } else if loaded.problems.is_empty() {
        findings.ok(format!("{} is in order", file.display()));
    }
}

//! `stui config`: show and check the configuration.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::cli::ConfigAction;
use crate::config::{self, ConfigError};

/// Shows or checks; `file` is that of `--config`.
///
/// # Errors
/// If nothing can be written, or there is no home directory for a file.
pub fn run(file: Option<&Path>, action: ConfigAction) -> Result<ExitCode> {
    super::log("error");
    let mut out = std::io::stdout().lock();
    match action {
        ConfigAction::Show => show(file, &mut out),
        ConfigAction::Check { file: named } => check(named.as_deref(), file, &mut out),
        ConfigAction::Path => {
            let (path, _) = config::path(file)
                .context("HOME is not set, so there is no place for a configuration; set HOME")?;
            writeln!(out, "{}", path.display())?;
            Ok(ExitCode::SUCCESS)
        }
        ConfigAction::Example => {
            out.write_all(config::EXAMPLE.as_bytes())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn show(file: Option<&Path>, out: &mut impl Write) -> Result<ExitCode> {
    let loaded = config::load(file, &[]);
    let rows = loaded.config.rows();
    let width = |column: fn(&(String, String, config::Origin)) -> &str| {
        let widths = rows.iter().map(|row| column(row).chars().count());
        widths.max().unwrap_or_default()
    };
    let (names, values) = (width(|row| &row.0), width(|row| &row.1));
    for (name, value, origin) in &rows {
        writeln!(out, "{name:names$}  {value:values$}  {origin}")?;
    }
    if loaded.problems.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let error = ConfigError(loaded.problems);
    eprintln!("stui: what is wrong has no effect above; {error}");
    Ok(ExitCode::FAILURE)
}

fn check(named: Option<&Path>, file: Option<&Path>, out: &mut impl Write) -> Result<ExitCode> {
    let checked = if let Some(path) = named {
        config::check(path).map(|()| format!("{} is in order.", path.display()))
    } else {
        let loaded = config::load(file, &[]);
        let path = loaded.file.clone().unwrap_or_default();
        let said = if loaded.exists {
            format!("{} is in order.", path.display())
        } else {
            format!(
                "There is no {}; the defaults hold (`stui config example` shows them).",
                path.display()
            )
        };
        loaded.sound().map(|_| said)
    };
    match checked {
        Ok(said) => {
            writeln!(out, "{said}")?;
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            for problem in &error.0 {
                eprintln!("{problem}");
            }
            Ok(ExitCode::FAILURE)
        }
    }
}

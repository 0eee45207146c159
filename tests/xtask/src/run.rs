//! Running other programs: with errors that name the command, progress lines and time limits.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Say what is being done now, and why.
pub(crate) fn say(what: &str) {
    println!("==> {what}");
}

/// A command as it would be typed.
pub(crate) fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<String> = words.map(|w| w.to_string_lossy().into_owned()).collect();
    words.join(" ")
}

/// Run a command on our own terminal.
pub(crate) fn execute(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot run `{}`", shown(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", shown(command));
    }
    Ok(())
}

/// Run a command and return what it prints; its complaints are part of the error.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run `{}`", shown(command)))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        let (shown, status) = (shown(command), output.status);
        bail!("`{shown}` ended with {status}: {}", complaint.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Run a command that takes minutes: what it prints goes to a log file, a line on our own output says
/// every `every` that it still runs, and it is ended after `limit`.
pub(crate) fn run_long(
    command: &mut Command,
    log: &Path,
    subject: &str,
    every: Duration,
    limit: Duration,
) -> Result<()> {
    let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    let errors = file.try_clone().context("cannot share the log file")?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(errors)
        .spawn()
        .with_context(|| format!("cannot run `{}`", shown(command)))?;
    let started = Instant::now();
    let mut next_word = started + every;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        let now = Instant::now();
        if now >= started + limit {
            child.kill()?;
            child.wait()?;
            bail!(
                "`{}` was ended after {} (its output is in {})",
                shown(command),
                minutes(limit),
                log.display()
            );
        }
        if now >= next_word {
            let last = last_line(log);
            println!("    {subject}: {} so far. {last}", minutes(now - started));
            next_word += every;
        }
        thread::sleep(Duration::from_millis(50));
    };
    if !status.success() {
        let end = tail(log, 30);
        bail!(
            "`{}` ended with {status}; the end of its output:\n{end}",
            shown(command)
        );
    }
    Ok(())
}

/// A duration as minutes and seconds.
pub(crate) fn minutes(duration: Duration) -> String {
    let seconds = duration.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

fn last_line(log: &Path) -> String {
    tail(log, 1).trim().chars().take(70).collect()
}

fn tail(log: &Path, lines: usize) -> String {
    let mut text = Vec::new();
    if let Ok(mut file) = File::open(log) {
        // A log that cannot be read is shown as far as it could be.
        let _ = file.read_to_end(&mut text);
    }
    let text = String::from_utf8_lossy(&text);
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_command_that_fails_shows_the_end_of_its_output() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo first; echo last words; exit 3"]);
        let second = Duration::from_secs(60);
        let error = run_long(
            &mut command,
            &folder.path().join("log"),
            "it",
            second,
            second,
        );
        let message = error.unwrap_err().to_string();
        assert!(message.contains("last words"), "{message}");
    }

    #[test]
    fn a_command_over_its_limit_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sleep");
        command.arg("600");
        let error = run_long(
            &mut command,
            &folder.path().join("log"),
            "it",
            Duration::from_secs(60),
            Duration::from_millis(1),
        );
        assert!(error.unwrap_err().to_string().contains("was ended"));
    }

    #[test]
    fn a_duration_reads_as_minutes() {
        assert_eq!(minutes(Duration::from_secs(366)), "6:06");
    }
}

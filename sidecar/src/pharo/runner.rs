//! The script that loads the server into an image, runs it and stops it: how it is called.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use super::images::Choice;
use super::package::{UnpackError, unpack};
use crate::places::Places;

/// How the script begins each line of its own.
const PREFIX: &str = "run-stui-server: ";

/// By which socket the server talks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Socket {
    /// The first of the others that works.
    Auto,
    /// A `ZeroMQ` binding that is installed in the image.
    Binding,
    /// The library libzmq.
    Libzmq,
    /// The protocol of `ZeroMQ` in plain Smalltalk.
    Zmtp,
}

impl Socket {
    fn word(self) -> &'static str {
        match self {
            Socket::Auto => "auto",
            Socket::Binding => "binding",
            Socket::Libzmq => "libzmq",
            Socket::Zmtp => "zmtp",
        }
    }
}

/// How a server is to run.
#[derive(Debug, Clone)]
pub struct Serving {
    /// Where to listen.
    pub endpoint: String,
    /// By which socket.
    pub socket: Socket,
    /// Where clients find it.
    pub connection_file: PathBuf,
    /// Serve everybody who reaches the endpoint.
    pub no_key: bool,
    /// End with this process.
    pub exit_with_pid: Option<u32>,
    /// Run the image itself, in which the server is already, instead of a copy.
    pub as_is: bool,
}

/// The script, ready to be called for an image and a VM.
#[derive(Debug, Clone)]
pub struct Runner {
    script: PathBuf,
    common: Vec<OsString>,
}

impl Runner {
    /// Puts the script in its place.
    ///
    /// # Errors
    /// If the disk says no.
    pub fn new(places: &Places, choice: &Choice) -> Result<Self, UnpackError> {
        let script = unpack(places)?;
        Ok(Runner {
            script,
            common: vec![
                "--image".into(),
                choice.image.path.clone().into(),
                "--vm".into(),
                choice.vm.path.clone().into(),
                "--data".into(),
                places.pharo().into(),
            ],
        })
    }

    fn command(&self) -> Command {
        // Not by its mode: a home directory may be mounted without programs.
        let mut command = Command::new("/bin/sh");
        command
            .arg(&self.script)
            .args(&self.common)
            .stdin(Stdio::null());
        command
    }

    /// Loads the server into a copy of the image, if that was not done; `again`, anyway. It says what it
    /// does on standard error.
    ///
    /// # Errors
    /// If there is no shell.
    pub fn prepare(&self, again: bool) -> io::Result<ExitStatus> {
        let flag = if again {
            "--prepare-only=again"
        } else {
            "--prepare-only"
        };
        self.command().arg(flag).status()
    }

    /// Runs the package's own tests in the prepared image, their results on standard output.
    ///
    /// # Errors
    /// If there is no shell.
    pub fn test(&self) -> io::Result<ExitStatus> {
        self.command().arg("--test").status()
    }

    /// Whether the image is prepared, in a few words.
    ///
    /// # Errors
    /// If there is no shell.
    pub fn state(&self) -> io::Result<String> {
        let output = self.command().arg("--check").output()?;
        let said = if output.stdout.is_empty() {
            output.stderr
        } else {
            output.stdout
        };
        let said = String::from_utf8_lossy(&said);
        let line = said.lines().next().unwrap_or_default();
        Ok(sentence(line).to_owned())
    }

    /// Becomes the script, which prepares the image if needed, runs the server and stops it in an orderly
    /// way when it gets a signal. Comes back only with an error.
    pub fn become_server(&self, serving: &Serving) -> io::Error {
        let mut command = self.command();
        command
            .arg("--endpoint")
            .arg(&serving.endpoint)
            .args(["--socket", serving.socket.word()])
            .arg("--connection-file")
            .arg(&serving.connection_file);
        if serving.no_key {
            command.arg("--no-key");
        }
        if let Some(pid) = serving.exit_with_pid {
            command.arg("--exit-with-pid").arg(pid.to_string());
        }
        if !serving.as_is {
            command.arg("--prepare");
        }
        command.exec()
    }
}

/// What a server that was started says of itself while it does not listen yet: the last line of the
/// script's in its log, if it is about what it does.
pub fn progress(log: &Path) -> Option<String> {
    let text = std::fs::read_to_string(log).ok()?;
    let line = text
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix(PREFIX))?;
    Some(line.to_owned())
}

/// A line of a log without the script's name.
pub fn sentence(line: &str) -> &str {
    line.strip_prefix(PREFIX).unwrap_or(line)
}

/// The file by which a Pharo server is asked to stop: a VM that got a signal would die at once. The
/// server looks for it twice a second.
pub fn stop_file(connection_file: &Path) -> PathBuf {
    let mut name = connection_file.as_os_str().to_owned();
    name.push(".stop");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_the_last_thing_that_the_script_said() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        assert_eq!(progress(&log), None);
        std::fs::write(&log, "run-stui-server: one\nrun-stui-server: two\nother\n").unwrap();
        assert_eq!(progress(&log).as_deref(), Some("two"));
    }

    #[test]
    fn the_stop_file_lies_beside_the_connection_file() {
        assert_eq!(
            stop_file(Path::new("/r/stui.moose.json")),
            Path::new("/r/stui.moose.json.stop")
        );
    }
}

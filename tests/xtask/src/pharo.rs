//! The Pharo suites: what needs a real Pharo, where there is one.
//!
//! Its own tests; the conformance suite over `ZeroMQ`, with each kind of socket; and a whole session in
//! Zellij, whose VM is killed on the way. A machine without a Pharo is told so in one line.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::places;
use crate::run::say;
use crate::setup::Tools;
use crate::test::{Program, Tally, command, run_harness};

/// Names the virtual machine.
const VM: &str = "PHARO_VM";
/// Names the image.
const IMAGE: &str = "PHARO_IMAGE";
/// The kinds of socket that the server has; the last one needs nothing but the image.
const SOCKETS: [&str; 3] = ["binding", "libzmq", "zmtp"];
/// How long a suite may take; an image is prepared in it.
const LIMIT: Duration = Duration::from_secs(30 * 60);
/// How long a server may take to listen, or to stop.
const PATIENCE: Duration = Duration::from_secs(120);

/// A Pharo to test.
#[derive(Debug, PartialEq, Eq)]
struct Pharo {
    vm: PathBuf,
    image: PathBuf,
}

impl Pharo {
    /// The one that the environment names; the VM may also be `pharo` on PATH.
    fn find(
        variable: impl Fn(&str) -> Option<OsString>,
        on_path: impl Fn(&str) -> Option<PathBuf>,
    ) -> Option<Pharo> {
        let named = |name| {
            variable(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        Some(Pharo {
            image: named(IMAGE)?,
            vm: named(VM).or_else(|| on_path("pharo"))?,
        })
    }
}

/// Run the suites, or say why not.
pub(crate) fn run(programs: &[Program], tools: &Tools, tally: &mut Tally) -> Result<()> {
    let Some(pharo) = Pharo::find(|name| env::var_os(name), places::on_path) else {
        tally.skip(format!(
            "the Pharo suites: no Pharo was found; {VM}=… {IMAGE}=… cargo xtask test pharo runs them (`stui pharo get` fetches one)"
        ));
        return Ok(());
    };
    let folder = places::target().join("pharo-tests");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let sunit = &mut pharo.stui(&folder, "test");
    run_harness(sunit, "STUI-Tests (SUnit)", LIMIT, tally)?;
    for socket in SOCKETS {
        conformance(&pharo, &folder, socket, programs, tools, tally)?;
    }
    for program in programs.iter().filter(|program| program.is_for_pharo()) {
        let command = &mut command(program, None, tools);
        command.env(VM, &pharo.vm).env(IMAGE, &pharo.image);
        run_harness(command, &program.name(), LIMIT, tally)?;
    }
    Ok(())
}

impl Pharo {
    /// `stui pharo …`, with its data in a folder of the tests.
    fn stui(&self, folder: &Path, word: &str) -> Command {
        let mut command = Command::new(places::stui("debug"));
        command
            .args(["pharo", word, "--vm"])
            .arg(&self.vm)
            .arg("--image")
            .arg(&self.image)
            .env("XDG_DATA_HOME", folder.join("data"))
            .stdin(Stdio::null());
        command
    }
}

/// The conformance suite over one kind of socket.
fn conformance(
    pharo: &Pharo,
    folder: &Path,
    socket: &str,
    programs: &[Program],
    tools: &Tools,
    tally: &mut Tally,
) -> Result<()> {
    let name = format!("the conformance suite on Pharo over {socket}");
    say(&format!("starting a server for {name}"));
    let file = folder.join(format!("{socket}.json"));
    let log = folder.join(format!("{socket}.out"));
    let out = fs::File::create(&log)?;
    let child = pharo
        .stui(folder, "serve")
        .args(["--socket", socket, "--connection-file"])
        .arg(&file)
        .stdout(out.try_clone()?)
        .stderr(out)
        .spawn()
        .context("cannot run stui")?;
    let mut server = Serving { child };
    if !server.wait(LIMIT, || file.exists()) {
        let said = fs::read_to_string(&log).unwrap_or_default();
        if socket != "zmtp" && said.contains("cannot be used") {
            tally.skip(format!("{name}: {}", reason(&said)));
        } else {
            println!("{said}");
            tally.fail(format!("{name}: the server does not start"));
        }
        return Ok(());
    }
    for program in programs
        .iter()
        .filter(|program| program.package == "stui-conformance")
    {
        let command = &mut command(program, None, tools);
        command.env("STUI_CONFORMANCE_CONNECTION", &file);
        let name = format!("{} over {socket} on Pharo", program.name());
        run_harness(command, &name, LIMIT, tally)?;
    }
    if !server.stop() || file.exists() {
        tally.fail(format!(
            "{name}: the server does not stop in an orderly way"
        ));
    }
    Ok(())
}

/// The line of a log that says why a socket cannot be used.
fn reason(log: &str) -> &str {
    let line = log.lines().find(|line| line.contains("cannot be used"));
    line.map_or("it cannot be used", |line| {
        line.find("The socket").map_or(line, |at| &line[at..])
    })
}

/// A server that runs; it ends with this.
struct Serving {
    child: Child,
}

impl Serving {
    /// Wait for something that the server does; false if it ends before, or takes too long.
    fn wait(&mut self, limit: Duration, happened: impl Fn() -> bool) -> bool {
        let deadline = Instant::now() + limit;
        while !happened() {
            let ended = self
                .child
                .try_wait()
                .map_or(true, |status| status.is_some());
            if ended || Instant::now() > deadline {
                return false;
            }
            thread::sleep(Duration::from_millis(50));
        }
        true
    }

    /// Ask it to stop, and tell whether it did, and well.
    fn stop(&mut self) -> bool {
        let asked = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        if !asked.is_ok_and(|status| status.success()) {
            return false;
        }
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Ok(Some(status)) = self.child.try_wait() {
                return status.success();
            }
            thread::sleep(Duration::from_millis(50));
        }
        false
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) && !self.stop() {
            // What does not stop is ended; its VM sees to itself by its stop file.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pharo_is_an_image_and_a_vm_that_is_named_or_on_the_path() {
        let find = |image: &str, vm: &str, path: Option<&str>| {
            let variable =
                |name: &str| Some(OsString::from(if name == IMAGE { image } else { vm }));
            Pharo::find(variable, |_| path.map(PathBuf::from))
        };
        let pharo = |vm: &str| {
            Some(Pharo {
                vm: vm.into(),
                image: "/i".into(),
            })
        };
        assert_eq!(find("/i", "/v", Some("/p")), pharo("/v"));
        assert_eq!(find("/i", "", Some("/p")), pharo("/p"));
        assert_eq!(find("/i", "", None), None);
        assert_eq!(find("", "/v", Some("/p")), None);
    }

    #[test]
    fn a_socket_that_cannot_be_used_says_why() {
        let log = "x\n2026 STUI Starting the server failed: STUIZMQError: The socket libzmq cannot be used: it is not there.\ny";
        assert_eq!(
            reason(log),
            "The socket libzmq cannot be used: it is not there."
        );
    }
}

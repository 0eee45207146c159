//! Clients in another language, with another binding of libzmq: Python and pyzmq.
//!
//! The test makes a virtual environment in the build folder and installs pyzmq there, once. Without
//! python3 or pip it fails; with `STUI_SKIP_PYZMQ=1` it says that it is skipped and passes.

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use support::server;

fn run(command: &mut Command, what: &str) {
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{what}: {error}. {HINT}"));
    assert!(
        output.status.success(),
        "{what} failed. {HINT}\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

const HINT: &str =
    "This test needs python3 with venv and pip, and a package index; STUI_SKIP_PYZMQ=1 skips it.";

/// The Python of a virtual environment that has pyzmq.
fn python() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pyzmq");
    let python = folder.join("bin/python");
    let has_pyzmq = Command::new(&python)
        .args(["-c", "import zmq"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !has_pyzmq {
        run(
            Command::new("python3")
                .args(["-m", "venv", "--clear"])
                .arg(&folder),
            "making a virtual environment",
        );
        run(
            Command::new(&python).args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "pyzmq",
            ]),
            "installing pyzmq",
        );
    }
    python
}

#[test]
fn a_python_client_pings_evaluates_and_survives_everything_bad() {
    if std::env::var_os("STUI_SKIP_PYZMQ").is_some_and(|value| value == "1") {
        eprintln!("skipped: the Python client, because STUI_SKIP_PYZMQ=1");
        return;
    }
    let python = python();
    let server = server();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("connection.json");
    std::fs::write(&file, server.connection().to_json().unwrap()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign_client.py");
    run(
        Command::new(python).arg(script).arg(&file),
        "the Python client",
    );
}

//! Stands in for the `zellij` program where a test plays Zellij itself: the process of a server, pipes,
//! and the lists of panes and clients. Each is a real process that can be killed and stopped.
//!
//! What a pipe carries goes through the Unix socket that `STUI_DESK` names, to the test's desk.

use std::io::{self, BufRead, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stand-in: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> io::Result<()> {
    let is = |word: &str| arguments.iter().any(|argument| argument == word);
    if is("--version") {
        println!("zellij 0.45.1");
        Ok(())
    } else if is("--server") {
        // until the desk, which holds the other end, is gone
        io::stdin().read_to_end(&mut Vec::new()).map(drop)
    } else if is("pipe") {
        pipe(arguments)
    } else if is("list-panes") || is("list-clients") {
        let mut desk = desk()?;
        let what = if is("list-panes") { "panes" } else { "clients" };
        writeln!(desk, "{what}")?;
        let mut listing = String::new();
        desk.read_to_string(&mut listing)?;
        print!("{listing}");
        Ok(())
    } else {
        Err(io::Error::other(format!("not known here: {arguments:?}")))
    }
}

fn desk() -> io::Result<UnixStream> {
    let path = std::env::var_os("STUI_DESK")
        .ok_or_else(|| io::Error::other("STUI_DESK names no socket"))?;
    UnixStream::connect(path)
}

fn pipe(arguments: &[String]) -> io::Result<()> {
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1))
            .cloned()
            .unwrap_or_default()
    };
    let mut desk = desk()?;
    let (name, plugin) = (value("--name"), value("--plugin"));
    let configuration = value("--plugin-configuration");
    writeln!(desk, "pipe\t{name}\t{plugin}\t{configuration}")?;
    let mut lines = desk.try_clone()?;
    std::thread::spawn(move || {
        for line in io::stdin().lock().split(b'\n').map_while(Result::ok) {
            if lines.write_all(&[&line, &b"\n"[..]].concat()).is_err() {
                break;
            }
        }
        // the end of the input ends a pipe
        std::process::exit(0);
    });
    let mut out = io::stdout().lock();
    let mut bytes = vec![0; 64 * 1024];
    loop {
        let read = desk.read(&mut bytes)?;
        if read == 0 {
            return Ok(());
        }
        out.write_all(&bytes[..read])?;
        out.flush()?;
    }
}

//! Processes: whether one lives, when it ends, and children that die with their parent.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

/// Whether a process with this id runs. One that has ended and that its parent has not yet asked
/// about does not.
pub fn is_alive(pid: u32) -> bool {
    let Some(id) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return false;
    };
    // Not being allowed to signal it means that it is there.
    let there = !matches!(
        rustix::process::test_kill_process(id),
        Err(rustix::io::Errno::SRCH)
    );
    there && !is_zombie(pid)
}

/// By the state in `/proc`, where there is such a thing: the first field behind the program's name.
fn is_zombie(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        stat.rsplit_once(") ")
            .is_some_and(|(_, rest)| rest.starts_with('Z'))
    })
}

/// Asks a process to end. One that is gone already is no error.
///
/// # Errors
/// If it belongs to somebody else.
pub fn terminate(pid: u32) -> io::Result<()> {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return Ok(());
    };
    match rustix::process::kill_process(pid, Signal::TERM) {
        Err(error) if error != rustix::io::Errno::SRCH => Err(error.into()),
        _ => Ok(()),
    }
}

/// Leaves the session of whoever started this process, so that no signal of a terminal, nor the end of
/// that process, reaches this one: the system hangs up a stopped process whose parent was the last one of
/// its session to care for it. Without effect for one that leads a group already, as a shell's job does.
pub fn leave_session() {
    let _ = rustix::process::setsid();
}

/// Calls `ended` on a thread of its own once a process is gone; at once if it is gone already.
///
/// # Errors
/// If the system gives no thread.
pub fn watch(pid: u32, ended: impl FnOnce() + Send + 'static) -> io::Result<()> {
    std::thread::Builder::new()
        .name("watch".into())
        .spawn(move || {
            wait_for_end(pid);
            ended();
        })?;
    Ok(())
}

/// Waits for the end by a pidfd, where there is such a thing, else looks now and then.
fn wait_for_end(pid: u32) {
    #[cfg(target_os = "linux")]
    if let Some(id) = i32::try_from(pid).ok().and_then(Pid::from_raw)
        && let Ok(fd) = rustix::process::pidfd_open(id, rustix::process::PidfdFlags::empty())
    {
        use rustix::event::{PollFd, PollFlags, poll};
        // Interrupted by a signal, it waits on.
        while let Err(rustix::io::Errno::INTR) = poll(&mut [PollFd::new(&fd, PollFlags::IN)], None)
        {
        }
        return;
    }
    while is_alive(pid) {
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// The path of this very program, also if its file was replaced while it runs.
pub fn own_program() -> PathBuf {
    let running = PathBuf::from("/proc/self/exe");
    if running.exists() {
        running
    } else {
        std::env::current_exe().unwrap_or(running)
    }
}

/// A command for a program that dies with this process, however this process ends.
///
/// It is run through `stui pipe-child`, which asks the system for that and becomes the program. The
/// system ties the child to the *thread* that started it, so that thread must live as long.
pub fn command_that_dies_with_us(program: &OsStr) -> Command {
    let mut command = Command::new(own_program());
    command
        .arg0("stui")
        .arg("pipe-child")
        .arg("--parent")
        .arg(std::process::id().to_string())
        .arg("--")
        .arg(program);
    command
}

/// What `stui pipe-child` does: dies with its parent from now on and becomes the program. Comes back
/// only with an error.
pub fn become_child(parent: u32, program: &OsStr, arguments: &[std::ffi::OsString]) -> io::Error {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_parent_process_death_signal(Some(Signal::KILL)) {
        return error.into();
    }
    let now = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get());
    if now != i32::try_from(parent).ok() {
        return io::Error::other("the sidecar that started this is gone");
    }
    Command::new(program).args(arguments).exec()
}

/// Runs a command to its end and answers what it wrote, but not longer than `limit`: then it is
/// killed. At most a megabyte of output is kept.
///
/// # Errors
/// If it cannot be started, or was killed because the time was over.
pub fn run_bounded(command: &mut Command, limit: Duration) -> io::Result<Output> {
    let deadline = Instant::now() + limit;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (tell, told) = crossbeam_channel::bounded(2);
    let readers: [(bool, Option<Box<dyn Read + Send>>); 2] = [
        (true, child.stdout.take().map(|out| Box::new(out) as _)),
        (false, child.stderr.take().map(|err| Box::new(err) as _)),
    ];
    for (is_stdout, reader) in readers {
        let tell = tell.clone();
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(reader) = reader {
                // What was read before an error counts.
                let _ = reader.take(1 << 20).read_to_end(&mut bytes);
            }
            let _ = tell.send((is_stdout, bytes));
        });
    }
    drop(tell);
    let mut output = [Vec::new(), Vec::new()];
    let mut timed_out = false;
    for _ in 0..2 {
        match told.recv_deadline(deadline) {
            Ok((is_stdout, bytes)) => output[usize::from(!is_stdout)] = bytes,
            Err(_) => timed_out = true,
        }
    }
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if timed_out || Instant::now() >= deadline {
            // It may have ended this very moment.
            let _ = child.kill();
            child.wait()?;
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("it did not end within {limit:?}"),
            ));
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let [stdout, stderr] = output;
    Ok(Output {
        status,
        stdout,
        stderr,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_takes_too_long_is_killed_and_its_pipes_do_not_hold_us() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo begun; sleep 60"]);
        let error = run_bounded(&mut command, Duration::from_millis(200)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn what_a_command_wrote_and_how_it_ended_is_answered() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo out; echo err >&2; exit 3"]);
        let output = run_bounded(&mut command, Duration::from_secs(20)).unwrap();
        assert_eq!(output.stdout, b"out\n");
        assert_eq!(output.stderr, b"err\n");
        assert_eq!(output.status.code(), Some(3));
    }

    #[test]
    fn the_end_of_a_process_is_seen() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let pid = child.id();
        let (tell, told) = crossbeam_channel::bounded(1);
        watch(pid, move || tell.send(()).unwrap()).unwrap();
        assert!(is_alive(pid));
        child.kill().unwrap();
        while is_alive(pid) {
            std::thread::yield_now();
        }
        child.wait().unwrap();
        told.recv_timeout(Duration::from_secs(20)).unwrap();
        assert!(!is_alive(pid));
    }

    #[test]
    fn a_process_that_never_was_is_gone() {
        assert!(!is_alive(0));
        assert!(!is_alive(u32::MAX));
        let (tell, told) = crossbeam_channel::bounded(1);
        watch(u32::MAX, move || tell.send(()).unwrap()).unwrap();
        told.recv_timeout(Duration::from_secs(20)).unwrap();
    }
}

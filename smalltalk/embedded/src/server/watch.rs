//! What ends the server from outside: signals, the end of another process, its owner.

use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use signal_hook::SigId;
use signal_hook::consts::{SIGINT, SIGTERM};

/// What is written into the pipe, by reason.
const SIGNALLED: u8 = b'X'; // what signal-hook writes
const PROCESS_ENDED: u8 = b'p';
const STOPPED: u8 = b's';

/// Watches; its descriptor becomes readable when the server is to end.
#[derive(Debug)]
pub(crate) struct Watch {
    pipe: UnixStream,
    writer: UnixStream,
    signals: Vec<SigId>,
}

/// Ends the server from another thread.
#[derive(Debug)]
pub(crate) struct Stopper(Arc<UnixStream>);

impl Stopper {
    /// Ends it; again is harmless.
    pub(crate) fn stop(&self) {
        // It fails only when the server has ended.
        let _ = (&*self.0).write(&[STOPPED]);
    }
}

impl Watch {
    /// Watches nothing yet.
    pub(crate) fn new() -> io::Result<Watch> {
        let (pipe, writer) = UnixStream::pair()?;
        pipe.set_nonblocking(true)?;
        writer.set_nonblocking(true)?;
        Ok(Watch {
            pipe,
            writer,
            signals: Vec::new(),
        })
    }

    /// Ends the server on SIGTERM and SIGINT.
    pub(crate) fn signals(&mut self) -> io::Result<()> {
        for signal in [SIGTERM, SIGINT] {
            let writer = self.writer.try_clone()?;
            self.signals
                .push(signal_hook::low_level::pipe::register(signal, writer)?);
        }
        Ok(())
    }

    /// Ends the server on demand.
    pub(crate) fn stopper(&self) -> io::Result<Stopper> {
        Ok(Stopper(Arc::new(self.writer.try_clone()?)))
    }

    /// Ends the server when a process has ended.
    pub(crate) fn process(&mut self, pid: u32) -> io::Result<()> {
        let process = Process::open(pid)?;
        let mut writer = self.writer.try_clone()?;
        std::thread::Builder::new()
            .name("stui-watch".into())
            .spawn(move || {
                process.wait();
                // It fails only when the server has ended.
                let _ = writer.write(&[PROCESS_ENDED]);
            })?;
        Ok(())
    }

    /// Readable when the server is to end.
    pub(crate) fn descriptor(&self) -> RawFd {
        self.pipe.as_raw_fd()
    }

    /// Why the server is to end, if it is.
    pub(crate) fn reason(&mut self) -> Option<String> {
        let mut byte = [0];
        match self.pipe.read(&mut byte) {
            Ok(1) => Some(match byte[0] {
                SIGNALLED => "A signal asked the server to end.".into(),
                PROCESS_ENDED => "The process that the server was to end with has ended.".into(),
                _ => "Its owner ended the server.".into(),
            }),
            _ => None,
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        for id in self.signals.drain(..) {
            signal_hook::low_level::unregister(id);
        }
    }
}

/// A process of which the end can be waited for.
struct Process {
    #[cfg(target_os = "linux")]
    descriptor: std::os::fd::OwnedFd,
    #[cfg(not(target_os = "linux"))]
    pid: rustix::process::Pid,
}

impl Process {
    fn open(pid: u32) -> io::Result<Process> {
        let pid = i32::try_from(pid)
            .ok()
            .and_then(rustix::process::Pid::from_raw)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no process has this id"))?;
        #[cfg(target_os = "linux")]
        {
            let flags = rustix::process::PidfdFlags::empty();
            let descriptor = rustix::process::pidfd_open(pid, flags)?;
            Ok(Process { descriptor })
        }
        #[cfg(not(target_os = "linux"))]
        {
            rustix::process::test_kill_process(pid)?;
            Ok(Process { pid })
        }
    }

    /// Waits for its end.
    #[cfg(target_os = "linux")]
    fn wait(&self) {
        use rustix::event::{PollFd, PollFlags, poll};
        let mut items = [PollFd::new(&self.descriptor, PollFlags::IN)];
        while poll(&mut items, None).is_err() {}
    }

    /// Waits for its end, noticing it within a second.
    #[cfg(not(target_os = "linux"))]
    fn wait(&self) {
        while rustix::process::test_kill_process(self.pid).is_ok() {
            std::thread::sleep(std::time::Duration::from_secs(1));
        }
    }
}

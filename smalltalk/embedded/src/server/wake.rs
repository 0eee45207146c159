//! Waking the server's thread from another one, through a descriptor that it polls.

use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The end that wakes. Waking twice before the sleeper looks costs one write.
#[derive(Debug, Clone)]
pub(crate) struct Waker {
    pipe: Arc<UnixStream>,
    is_awake: Arc<AtomicBool>,
}

/// The end that sleeps.
#[derive(Debug)]
pub(crate) struct Sleeper {
    pipe: UnixStream,
    is_awake: Arc<AtomicBool>,
}

/// Both ends.
///
/// # Errors
/// If the system has no descriptors left.
pub(crate) fn pair() -> io::Result<(Waker, Sleeper)> {
    let (waker, sleeper) = UnixStream::pair()?;
    waker.set_nonblocking(true)?;
    sleeper.set_nonblocking(true)?;
    let is_awake = Arc::new(AtomicBool::new(false));
    let waker = Waker {
        pipe: Arc::new(waker),
        is_awake: Arc::clone(&is_awake),
    };
    let sleeper = Sleeper {
        pipe: sleeper,
        is_awake,
    };
    Ok((waker, sleeper))
}

impl Waker {
    /// Wakes the sleeper. What was made visible before is visible to it.
    pub(crate) fn wake(&self) {
        if !self.is_awake.swap(true, Ordering::AcqRel) {
            // It fails only when the sleeper is gone, or has plenty of wake-ups to read.
            let _ = (&*self.pipe).write(&[1]);
        }
    }
}

impl Sleeper {
    /// Readable when somebody woke it.
    pub(crate) fn descriptor(&self) -> RawFd {
        self.pipe.as_raw_fd()
    }

    /// Takes note of having been woken; to be called before looking at what there is to do.
    pub(crate) fn take_note(&mut self) {
        let mut bytes = [0; 64];
        while matches!(self.pipe.read(&mut bytes), Ok(64)) {}
        self.is_awake.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_wake_ups_before_a_look_are_one() {
        let (waker, mut sleeper) = pair().unwrap();
        for _ in 0..1000 {
            waker.wake();
        }
        let mut bytes = [0; 64];
        assert_eq!(sleeper.pipe.read(&mut bytes).unwrap(), 1);
        sleeper.take_note();
        waker.wake();
        assert_eq!(sleeper.pipe.read(&mut bytes).unwrap(), 1);
    }
}

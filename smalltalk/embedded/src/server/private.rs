//! Files and sockets that are made by others, such as libzmq, and that nobody else may use.

use std::sync::{Mutex, PoisonError};

use rustix::fs::Mode;
use rustix::process::umask;

/// Runs what makes a file or a socket so that it is for this user only from its first moment: mode 0700
/// or less. A mode that is set afterwards would come too late.
///
/// The mask belongs to the whole process: what other threads make meanwhile is for this user only, too.
pub fn privately<T>(make: impl FnOnce() -> T) -> T {
    // Two at once would leave the mask as the other one set it.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let _mask = Restore(umask(Mode::RWXG | Mode::RWXO));
    make()
}

/// Sets the mask again, also if what was made panicked.
struct Restore(Mode);

impl Drop for Restore {
    fn drop(&mut self) {
        umask(self.0);
    }
}

//! Logs: to standard error for a person, to a file that is begun anew when it is large for a process
//! in the background.
//!
//! No code, no key and no text of the user goes into a log: what is logged are facts about processes,
//! connections and files. Errors of JSON are logged by [`json_flaw`], because their own words quote
//! the document; a panic is logged by its place, because its message may quote a text.
//!
//! The files are written here and not by a crate: `tracing-appender` begins anew by time only;
//! `file-rotate` and `logroller` bring calendars and compression, and leave standard error, where a
//! panic and libzmq's last words go, with the old file.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry, reload};

use crate::config;

/// The file of this process's log, if it has one, and the configuration file.
static DESTINATION: OnceLock<(PathBuf, Option<PathBuf>)> = OnceLock::new();
/// By what the level is changed while the process runs.
static LEVEL: OnceLock<reload::Handle<EnvFilter, Registry>> = OnceLock::new();

/// Lets the log go to a file, as [`start`] will begin it; `configuration` is the file of `--config`.
pub fn to_file(path: PathBuf, configuration: Option<PathBuf>) {
    // Once a process; the command line says it once.
    let _ = DESTINATION.set((path, configuration));
}

/// Begins the log. To standard error: what `STUI_LOG` says, else as much as `default` says. To a
/// file: what the configuration says.
pub fn start(default: &str) {
    match DESTINATION.get() {
        None => to_standard_error(default),
        Some((path, configuration)) => {
            let config = config::load(configuration.as_deref(), &[]).config;
            let limits = Limits {
                max_size: config.log_max_size.value,
                keep: config.log_keep.value,
            };
            match Rotating::open(path, limits) {
                Ok(file) => to(file, &config.log_level.value),
                Err(error) => {
                    to_standard_error(default);
                    tracing::error!(path = %path.display(), %error, "the log cannot be written");
                }
            }
        }
    }
}

fn to_standard_error(default: &str) {
    let filter = EnvFilter::try_from_env("STUI_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    // An error means that there is a log already, which is good enough.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        // It would complain on standard error, which may be the same file: on a full disk that is a panic.
        .log_internal_errors(false)
        .try_init();
}

fn to(file: Rotating, level: &str) {
    let filter = EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("info"));
    let (filter, handle) = reload::Layer::new(filter);
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(Shared(Arc::new(Mutex::new(file))))
        .log_internal_errors(false);
    let log = tracing_subscriber::registry().with(filter).with(layer);
    if log.try_init().is_ok() {
        let _ = LEVEL.set(handle);
        std::panic::set_hook(Box::new(panicked));
    }
}

/// A panic's message may quote a text of the user; its place does not.
fn panicked(info: &std::panic::PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("unnamed");
    tracing::error!(place, thread, "panicked");
    let payload = info.payload();
    let message = payload.downcast_ref::<String>().map(String::as_str);
    let message = message.or_else(|| payload.downcast_ref::<&str>().copied());
    tracing::debug!(message, "what it said");
}

/// Changes how much is written to the log file from now on. A level that is none changes nothing.
pub fn set_level(level: &str) {
    if let (Some(handle), Ok(filter)) = (LEVEL.get(), EnvFilter::try_new(level)) {
        // It fails only when the log is gone.
        let _ = handle.reload(filter);
    }
}

/// What is wrong with a document, without a word of the document.
pub fn json_flaw(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let what = match error.classify() {
        Category::Io => "it cannot be read",
        Category::Syntax => "it is not JSON",
        Category::Data => "it has other fields than expected",
        Category::Eof => "it is cut short",
    };
    format!("{what} (line {}, column {})", error.line(), error.column())
}

/// When a log begins anew, and what is kept of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest size, in bytes.
    pub max_size: u64,
    /// How many older files are kept: `NAME.1` is the youngest.
    pub keep: u32,
}

/// A file that is set aside and begun anew when it is large. Only its user can read it. Standard output
/// and standard error, where they go to the old file, follow to the new one.
#[derive(Debug)]
pub struct Rotating {
    path: PathBuf,
    file: File,
    size: u64,
    limits: Limits,
}

impl Rotating {
    /// Opens a log, or goes on with the one that lies there.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn open(path: &Path, limits: Limits) -> io::Result<Self> {
        let file = open(path)?;
        let size = file.metadata()?.len();
        Ok(Rotating {
            path: path.to_owned(),
            file,
            size,
            limits,
        })
    }

    fn rotate(&mut self) -> io::Result<()> {
        let numbered = |n: u32| {
            let mut name = self.path.clone().into_os_string();
            name.push(format!(".{n}"));
            PathBuf::from(name)
        };
        if self.limits.keep == 0 {
            std::fs::remove_file(&self.path)?;
        } else {
            for n in (1..self.limits.keep).rev() {
                match std::fs::rename(numbered(n), numbered(n + 1)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
            std::fs::rename(&self.path, numbered(1))?;
        }
        let out_follows = is_same(rustix::stdio::stdout(), &self.file);
        let err_follows = is_same(rustix::stdio::stderr(), &self.file);
        self.file = open(&self.path)?;
        self.size = 0;
        if out_follows {
            rustix::stdio::dup2_stdout(&self.file)?;
        }
        if err_follows {
            rustix::stdio::dup2_stderr(&self.file)?;
        }
        Ok(())
    }
}

impl Write for Rotating {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.size > 0 && self.size + line.len() as u64 > self.limits.max_size {
            // A log that cannot be begun anew is better than none; it is tried again at the next line.
            let _ = self.rotate();
        }
        let written = self.file.write(line)?;
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Whether two descriptors are of one file.
fn is_same(one: impl AsFd, other: impl AsFd) -> bool {
    let file = |of: BorrowedFd<'_>| rustix::fs::fstat(of).map(|stat| (stat.st_dev, stat.st_ino));
    file(one.as_fd()).is_ok_and(|one| file(other.as_fd()) == Ok(one))
}

/// Opens a log to add to it; only its user can read it.
///
/// # Errors
/// If it cannot be written.
pub fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)?;
    crate::places::make_file_private(&file)?;
    Ok(file)
}

#[derive(Clone)]
struct Shared(Arc<Mutex<Rotating>>);

/// One line's turn at the file.
struct Turn<'a>(MutexGuard<'a, Rotating>);

impl Write for Turn<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<'a> MakeWriter<'a> for Shared {
    type Writer = Turn<'a>;

    fn make_writer(&'a self) -> Turn<'a> {
        // Whoever panicked here left a file that can be written.
        Turn(self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_log_begins_anew_when_it_is_large_and_so_many_older_ones_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        let limits = Limits {
            max_size: 25,
            keep: 2,
        };
        let mut log = Rotating::open(&path, limits).unwrap();
        for n in 0..9 {
            log.write_all(format!("line {n}....\n").as_bytes()).unwrap();
        }
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(read("x.log"), "line 8....\n");
        assert_eq!(read("x.log.1"), "line 6....\nline 7....\n");
        assert_eq!(read("x.log.2"), "line 4....\nline 5....\n");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
        assert_eq!(mode(&path), 0o600);
        drop(log);
        let log = Rotating::open(&path, limits).unwrap();
        assert_eq!(log.size, 11, "it goes on with what is there");
    }

    #[test]
    fn without_older_ones_a_log_only_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        std::fs::write(&path, "older and longer\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let limits = Limits {
            max_size: 10,
            keep: 0,
        };
        let mut log = Rotating::open(&path, limits).unwrap();
        assert_eq!(mode(&path), 0o600);
        log.write_all(b"new\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new\n");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_log_is_not_written_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("x.log"), folder.path().join("other"));
        std::fs::write(&other, "precious").unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        assert!(open(&path).is_err());
        assert_eq!(std::fs::read_to_string(&other).unwrap(), "precious");
    }

    #[test]
    fn the_flaw_of_a_document_is_told_without_its_words() {
        let error = serde_json::from_str::<u32>("\"the secret\"").unwrap_err();
        assert!(error.to_string().contains("secret"), "why this is needed");
        let flaw = json_flaw(&error);
        assert!(!flaw.contains("secret"), "{flaw}");
        assert!(
            flaw.starts_with("it has other fields than expected"),
            "{flaw}"
        );
    }
}

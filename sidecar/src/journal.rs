//! The journal: records on disk before they are acknowledged, and a snapshot now and then.
//!
//! A journal is a folder:
//! - `snapshot`: the state at one moment, and the number of the last record in it;
//! - `journal`: the records since, one a line: `LENGTH CHECKSUM NUMBER JSON`;
//! - `lock`: held by the one process that writes.
//!
//! A record is on disk, in the sense that it survives the death of the process, when [`Journal::commit`]
//! returns. With [`Sync::Each`] it survives a power failure then, too; with [`Sync::Interval`] a thread of
//! the journal's own sees to that, which syncs the file at once after a quiet moment and at least each
//! half second while it grows.
//!
//! All files are for their user only.
//!
//! What is torn or garbled at the end of `journal` is set aside in a file of its own and said, never
//! thrown away; everything before it counts.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use rustix::fs::{FlockOperation, flock};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::config::Sync;
use crate::log::json_flaw;
use crate::places::make_file_private;

/// Bytes of records after which a snapshot is due, if the snapshot is not larger still.
const COMPACT_BYTES: u64 = 1 << 20;
/// Longest record that is read back, in bytes.
const MAX_RECORD: usize = 64 << 20;
/// How long the disk is left in peace between two syncs.
const SYNC_INTERVAL: Duration = Duration::from_millis(500);

/// What can go wrong with a journal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// Another process has the journal open.
    #[error("{} is in use by another process; end the other sidecar of this session first", .0.display())]
    InUse(PathBuf),
    /// The disk said no.
    #[error("cannot {what} {}: {source}; make room or mend the permissions", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A record has no JSON form, or the snapshot has not.
    #[error("a record cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

fn io_error(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> JournalError {
    let path = path.to_owned();
    move |source| JournalError::Io { what, path, source }
}

/// What was found on disk.
#[derive(Debug)]
pub struct Found<S, R> {
    /// The last snapshot.
    pub snapshot: S,
    /// The records since.
    pub records: Vec<R>,
    /// What was wrong with the files, in sentences for the log.
    pub troubles: Vec<String>,
}

/// The file `snapshot`.
#[derive(Serialize, Deserialize)]
struct Saved<S> {
    /// Number of the last record that is part of it.
    last: u64,
    state: S,
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    file: File,
    _lock: File,
    /// Bytes in `journal`, and in `snapshot`.
    written: u64,
    snapshot_bytes: u64,
    /// Number of the last record.
    last: u64,
    /// Records that are not written yet.
    buffer: Vec<u8>,
    syncer: Syncer,
    sync: Sync,
}

impl Journal {
    /// Opens the journal in a folder, which is made if it is not there, and reads what it holds.
    ///
    /// # Errors
    /// If another process has it open, or the disk says no.
    pub fn open<S: DeserializeOwned + Default, R: DeserializeOwned>(
        folder: &Path,
    ) -> Result<(Self, Found<S, R>), JournalError> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(io_error("make", folder))?;
        let lock = open(&folder.join("lock"))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| JournalError::InUse(folder.to_owned()))?;
        let mut troubles = Vec::new();
        let (saved, snapshot_bytes) = read_snapshot(folder, &mut troubles)?;
        let path = folder.join("journal");
        let mut file = open(&path)?;
        let (records, last, good) = read_records(&mut file, &path, saved.last, &mut troubles)?;
        let length = file.metadata().map_err(io_error("read", &path))?.len();
        if good < length {
            set_aside(folder, &mut file, good, &mut troubles)?;
        }
        file.seek(SeekFrom::Start(good))
            .map_err(io_error("read", &path))?;
        let syncer = Syncer::start(&file).map_err(io_error("open", &path))?;
        let journal = Journal {
            folder: folder.to_owned(),
            file,
            _lock: lock,
            written: good,
            snapshot_bytes,
            last,
            buffer: Vec::new(),
            syncer,
            sync: Sync::default(),
        };
        let found = Found {
            snapshot: saved.state,
            records,
            troubles,
        };
        Ok((journal, found))
    }

    /// Says when records are to be forced onto the disk, from the next commit on.
    pub fn set_sync(&mut self, sync: Sync) {
        self.sync = sync;
    }

    /// Adds a record; it is on disk after the next [`Journal::commit`].
    ///
    /// # Errors
    /// If it has no JSON form.
    pub fn add<R: Serialize>(&mut self, record: &R) -> Result<(), JournalError> {
        let json = serde_json::to_vec(record)?;
        let number = self.last + 1;
        let checksum = checksum(number, &json);
        let length = json.len();
        // Writing to memory cannot fail.
        let _ = write!(self.buffer, "{length:x} {checksum:08x} {number:x} ");
        self.buffer.extend_from_slice(&json);
        self.buffer.push(b'\n');
        self.last = number;
        Ok(())
    }

    /// Writes what was added.
    ///
    /// # Errors
    /// If the disk says no; the records are kept and tried again by the next commit.
    pub fn commit(&mut self) -> Result<(), JournalError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let path = self.folder.join("journal");
        // A write that failed half way is overwritten by the next one.
        self.file
            .seek(SeekFrom::Start(self.written))
            .and_then(|_| self.file.write_all(&self.buffer))
            .and_then(|()| match self.sync {
                Sync::Each => self.file.sync_data(),
                Sync::Interval => Ok(()),
            })
            .map_err(io_error("write", &path))?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        if self.sync == Sync::Interval {
            self.syncer.wake();
        }
        Ok(())
    }

    /// Whether the records have grown so much that a snapshot should take their place.
    pub fn wants_snapshot(&self) -> bool {
        self.written > COMPACT_BYTES.max(2 * self.snapshot_bytes)
    }

    /// Replaces all records by the state that they led to.
    ///
    /// # Errors
    /// If the disk says no; the records stay then.
    pub fn save<S: Serialize>(&mut self, state: &S) -> Result<(), JournalError> {
        self.commit()?;
        let saved = Saved {
            last: self.last,
            state,
        };
        let (path, new) = (
            self.folder.join("snapshot"),
            self.folder.join("snapshot.new"),
        );
        // Written as it is made: the state is large, and its text need not be in memory too.
        let write = || -> io::Result<u64> {
            let file = private().create(true).truncate(true).open(&new)?;
            let mut summed = Summed::new(BufWriter::new(file));
            summed.out.write_all(&header(0))?;
            serde_json::to_writer(&mut summed, &saved)?;
            let (sum, length) = (summed.sum.finalize(), summed.length);
            let mut file = summed.out.into_inner()?;
            file.rewind()?;
            let header = header(sum);
            file.write_all(&header)?;
            file.sync_all()?;
            fs::rename(&new, &path)?;
            File::open(&self.folder)?.sync_all()?;
            Ok(header.len() as u64 + length)
        };
        let bytes = write().map_err(io_error("write", &path))?;
        // Killed here, the next sidecar knows by their numbers that the records are in the snapshot.
        let journal = self.folder.join("journal");
        self.file
            .set_len(0)
            .and_then(|()| self.file.seek(SeekFrom::Start(0)).map(drop))
            .map_err(io_error("write", &journal))?;
        self.written = 0;
        self.snapshot_bytes = bytes;
        Ok(())
    }
}

/// What stands before a snapshot: its checksum.
fn header(sum: u32) -> Vec<u8> {
    format!("{sum:08x} ").into_bytes()
}

/// Sums up what goes through it.
struct Summed<W> {
    out: W,
    sum: crc32fast::Hasher,
    length: u64,
}

impl<W> Summed<W> {
    fn new(out: W) -> Self {
        Summed {
            out,
            sum: crc32fast::Hasher::new(),
            length: 0,
        }
    }
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.sum.update(&bytes[..written]);
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn private() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options
}

fn open(path: &Path) -> Result<File, JournalError> {
    let file = private()
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(io_error("open", path))?;
    // One of an earlier version, or copied here, may be open to others.
    make_file_private(&file).map_err(io_error("make private", path))?;
    Ok(file)
}

fn checksum(number: u64, json: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&number.to_be_bytes());
    hasher.update(json);
    hasher.finalize()
}

fn read_snapshot<S: DeserializeOwned + Default>(
    folder: &Path,
    troubles: &mut Vec<String>,
) -> Result<(Saved<S>, u64), JournalError> {
    let path = folder.join("snapshot");
    let empty = || Saved {
        last: 0,
        state: S::default(),
    };
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((empty(), 0)),
        Err(error) => return Err(io_error("read", &path)(error)),
    };
    let read = || -> Option<Saved<S>> {
        let space = text.iter().position(|byte| *byte == b' ')?;
        let checksum = u32::from_str_radix(std::str::from_utf8(&text[..space]).ok()?, 16).ok()?;
        let json = &text[space + 1..];
        (crc32fast::hash(json) == checksum)
            .then(|| serde_json::from_slice(json).ok())
            .flatten()
    };
    if let Some(saved) = read() {
        return Ok((saved, text.len() as u64));
    }
    let aside = free_name(folder, "snapshot.garbled");
    fs::rename(&path, &aside).map_err(io_error("rename", &path))?;
    troubles.push(format!(
        "The snapshot could not be read; it is kept as {}, and only what came after it is known.",
        aside.display()
    ));
    Ok((empty(), 0))
}

/// The records behind `from`, the number of the last one, and how many bytes of the file are good.
fn read_records<R: DeserializeOwned>(
    file: &mut File,
    path: &Path,
    from: u64,
    troubles: &mut Vec<String>,
) -> Result<(Vec<R>, u64, u64), JournalError> {
    let mut records = Vec::new();
    let mut last = from;
    let mut good = 0;
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    let mut strange = Vec::new();
    loop {
        line.clear();
        let limit = MAX_RECORD as u64 + 64;
        let read = (&mut reader)
            .take(limit)
            .read_until(b'\n', &mut line)
            .map_err(io_error("read", path))?;
        let Some((number, json)) = parse(&line) else {
            if !strange.is_empty() {
                let numbers = strange.iter().map(u64::to_string).collect::<Vec<_>>();
                keep_copy(path, &numbers.join(", "), troubles)?;
            }
            return Ok((records, last, good));
        };
        good += read as u64;
        if number <= from {
            continue;
        }
        match serde_json::from_slice(json) {
            Ok(record) => records.push(record),
            Err(error) => {
                tracing::error!(
                    number,
                    flaw = json_flaw(&error),
                    "a record is not understood"
                );
                strange.push(number);
            }
        }
        last = number;
    }
}

/// Keeps a copy of a journal with records that are not understood: the journal itself is emptied
/// when the next snapshot takes its place.
fn keep_copy(path: &Path, numbers: &str, troubles: &mut Vec<String>) -> Result<(), JournalError> {
    let folder = path.parent().unwrap_or(path);
    let aside = free_name(folder, "journal.strange");
    fs::copy(path, &aside).map_err(io_error("copy", path))?;
    let numbers = crate::hub::inspector::cut(numbers, 100);
    troubles.push(format!(
        "The journal has records that this version does not understand ({numbers}); a copy of it is kept as {}.",
        aside.display()
    ));
    Ok(())
}

/// Number and content of a line, if it is whole.
fn parse(line: &[u8]) -> Option<(u64, &[u8])> {
    let line = line.strip_suffix(b"\n")?;
    let mut parts = line.splitn(4, |byte| *byte == b' ');
    let mut hex = || {
        let text = std::str::from_utf8(parts.next()?).ok()?;
        u64::from_str_radix(text, 16).ok()
    };
    let (length, sum, number) = (hex()?, hex()?, hex()?);
    let json = parts.next()?;
    let whole = json.len() as u64 == length && u64::from(checksum(number, json)) == sum;
    whole.then_some((number, json))
}

/// Moves what stands behind the good records into a file of its own.
fn set_aside(
    folder: &Path,
    file: &mut File,
    good: u64,
    troubles: &mut Vec<String>,
) -> Result<(), JournalError> {
    let path = folder.join("journal");
    let aside = free_name(folder, "journal.torn");
    let mut copy = || -> io::Result<u64> {
        file.seek(SeekFrom::Start(good))?;
        let mut torn = private().create(true).truncate(true).open(&aside)?;
        let bytes = io::copy(file, &mut torn)?;
        torn.sync_all()?;
        file.set_len(good)?;
        Ok(bytes)
    };
    let bytes = copy().map_err(io_error("mend", &path))?;
    troubles.push(format!(
        "The last {bytes} bytes of the journal are torn, as after a power failure; they are kept in {}.",
        aside.display()
    ));
    Ok(())
}

/// A name that no file in the folder has yet; of a thousand such files the last is overwritten.
fn free_name(folder: &Path, name: &str) -> PathBuf {
    let numbered = |n: u32| folder.join(format!("{name}.{n}"));
    (1..1000)
        .map(numbered)
        .find(|path| !path.exists())
        .unwrap_or_else(|| numbered(1000))
}

/// A thread that syncs the file when it has grown.
#[derive(Debug)]
struct Syncer {
    /// Dropped to end the thread; the second one cuts its pause short.
    channels: Option<(Sender<()>, Sender<()>)>,
    thread: Option<JoinHandle<()>>,
}

impl Syncer {
    fn start(file: &File) -> io::Result<Self> {
        let file = file.try_clone()?;
        let (wake, woken): (Sender<()>, Receiver<()>) = bounded(1);
        let (stop, stopped) = bounded::<()>(0);
        let thread = std::thread::Builder::new()
            .name("journal-sync".into())
            .spawn(move || {
                while woken.recv().is_ok() {
                    if let Err(error) = file.sync_data() {
                        tracing::warn!(%error, "the journal cannot be synced");
                    }
                    if stopped.recv_timeout(SYNC_INTERVAL) == Err(RecvTimeoutError::Disconnected) {
                        return;
                    }
                }
            })?;
        Ok(Syncer {
            channels: Some((wake, stop)),
            thread: Some(thread),
        })
    }

    fn wake(&self) {
        if let Some((wake, _)) = &self.channels {
            // Full: it has been told already.
            let _ = wake.try_send(());
        }
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        self.channels.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests;

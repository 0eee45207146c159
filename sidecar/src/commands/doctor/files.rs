//! Files: who can read them, how large they are, and what processes that are gone left behind.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::findings::Findings;
use super::session::lock_is_held;
use crate::config::Config;
use crate::places::Places;
use crate::servers;

/// A journal larger than this is not what compaction leaves, in bytes.
const LARGE_JOURNAL: u64 = 64 << 20;

/// Whether what is to lie at a path can be written there: it, or the nearest folder that is there already,
/// must be one and ours to write in. `variable` is what leads elsewhere.
pub(super) fn can_be_made(path: &Path, variable: &str, findings: &mut Findings<impl Write>) {
    let mut folders = path.ancestors().skip(1);
    let Some((folder, metadata)) =
        folders.find_map(|folder| Some((folder, fs::metadata(folder).ok()?)))
    else {
        return;
    };
    let why = if !metadata.is_dir() {
        "is no folder"
    } else if rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_err() {
        "is not yours to write in"
    } else {
        return findings.ok(format!("{} can be written", path.display()));
    };
    findings.problem(
        format!(
            "{} cannot be written: {} {why}",
            path.display(),
            folder.display()
        ),
        format!("mend that, or set {variable} to a folder of yours"),
    );
}

/// Whether what is private is: the runtime directory, and the folder of a session.
pub(super) fn modes(places: &Places, session: &str, findings: &mut Findings<impl Write>) {
    findings.about("files");
    let mut seen = 0;
    let mut open = 0;
    let own = rustix::process::geteuid().as_raw();
    for folder in [places.runtime_path().to_owned(), places.session(session)] {
        for path in std::iter::once(folder.clone()).chain(entries(&folder)) {
            let Ok(metadata) = fs::symlink_metadata(&path) else {
                continue;
            };
            // A link has no mode of its own; what it leads to is not what STUI made.
            if metadata.is_symlink() {
                findings.problem(
                    format!("{} is a link, which STUI does not make", path.display()),
                    format!("see where it leads, then `rm {}`", shell(&path)),
                );
                open += 1;
                continue;
            }
            seen += 1;
            if metadata.uid() != own {
                open += 1;
                findings.problem(
                    format!("{} belongs to somebody else", path.display()),
                    "end the session and have it removed by its owner",
                );
            } else if metadata.mode() & 0o077 != 0 {
                open += 1;
                let mode = if metadata.is_dir() { "700" } else { "600" };
                findings.problem(
                    format!(
                        "{} is open to others (mode {:o})",
                        path.display(),
                        metadata.mode() & 0o777
                    ),
                    format!("`chmod {mode} {}`", shell(&path)),
                );
            }
        }
    }
    if open == 0 {
        findings.ok(format!(
            "all that is there is yours alone ({seen} looked at)"
        ));
    }
}

/// The size of a journal, and what was set aside of it.
pub(super) fn journal(folder: &Path, findings: &mut Findings<impl Write>) {
    findings.about("journal");
    let size = |name: &str| fs::metadata(folder.join(name)).map(|found| found.len());
    let (Ok(journal), snapshot) = (size("journal"), size("snapshot").unwrap_or_default()) else {
        return findings.note("there is none yet: nothing was typed in this session");
    };
    let text = format!(
        "{} of records and a snapshot of {} in {}",
        bytes(journal),
        bytes(snapshot),
        folder.display()
    );
    if journal > LARGE_JOURNAL.max(4 * snapshot) {
        findings.problem(
            text,
            "it should have been compacted; is the disk full? the sidecar's log says",
        );
    } else {
        findings.ok(text);
    }
    for path in entries(folder) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("journal.torn") {
            findings.hint(
                format!(
                    "{} was torn off the end, as after a power failure",
                    path.display()
                ),
                format!(
                    "it is text: look whether you miss something; then `rm {}`",
                    shell(&path)
                ),
            );
        } else if name.starts_with("snapshot.garbled") {
            findings.hint(
                format!("{} could not be read, and was set aside", path.display()),
                format!(
                    "it is text: copy from it what you miss into the workspace; then `rm {}`",
                    shell(&path)
                ),
            );
        }
    }
}

/// Where logs are, and how large.
pub(super) fn logs(
    places: &Places,
    session: &str,
    config: &Config,
    findings: &mut Findings<impl Write>,
) {
    findings.about("logs");
    let is_log = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".log") || name.contains(".log.")
    };
    let logs: Vec<PathBuf> = entries(&places.session(session)).filter(is_log).collect();
    if logs.is_empty() {
        return findings.note(format!(
            "there are none yet; they will be in {}",
            places.session(session).display()
        ));
    }
    for path in logs {
        let size = fs::metadata(&path).map_or(0, |found| found.len());
        let text = format!("{} ({})", path.display(), bytes(size));
        if size > 2 * config.log_max_size.value {
            findings.problem(
                text,
                "it is larger than the configuration allows: it belongs to a process of an earlier version; end the session and open it again",
            );
        } else {
            findings.ok(text);
        }
    }
}

/// Sockets and connection files of processes that are gone. A lock file is none of these: it stays, and
/// is taken again.
pub(super) fn left_behind(places: &Places, findings: &mut Findings<impl Write>) {
    findings.about("left behind");
    let stale: Vec<PathBuf> = entries(places.runtime_path())
        .filter(|path| is_stale(path))
        .collect();
    if stale.is_empty() {
        return findings.ok("nothing is, by processes that are gone");
    }
    let files: Vec<String> = stale.iter().map(|path| shell(path)).collect();
    let what = match stale.len() {
        1 => "a file of a process that is gone".to_owned(),
        n => format!("{n} files of processes that are gone"),
    };
    findings.hint(
        format!("{what} in {}", places.runtime_path().display()),
        format!("they do no harm; `rm {}` removes them", files.join(" ")),
    );
}

fn is_stale(path: &Path) -> bool {
    let Ok(metadata) = fs::symlink_metadata(path) else {
        return false;
    };
    let kind = path.extension().and_then(|kind| kind.to_str());
    match kind {
        Some("sock") if metadata.file_type().is_socket() => {
            std::os::unix::net::UnixStream::connect(path).is_err()
                && !lock_is_held(&path.with_extension("lock"))
        }
        // Of a file that cannot be read nobody knows whose it is.
        Some("json") => crate::client::read_connection_file(path)
            .is_ok_and(|file| servers::is_local(&file.endpoint) && servers::living(path).is_err()),
        _ => false,
    }
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    paths.sort();
    paths.into_iter()
}

fn bytes(size: u64) -> String {
    match size {
        0..=9_999 => format!("{size} bytes"),
        10_000..=9_999_999 => format!("{} KB", size / 1000),
        _ => format!("{} MB", size / 1_000_000),
    }
}

/// A path as a shell reads it.
fn shell(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    if text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_that_are_offered_hold_what_a_shell_reads_as_one_path() {
        assert_eq!(shell(Path::new("/a/b-1.json")), "/a/b-1.json");
        assert_eq!(shell(Path::new("/a b/it's%")), r"'/a b/it'\''s%'");
    }
}

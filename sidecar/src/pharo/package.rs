//! The Pharo server's files, which this program carries inside.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::places::{Places, write_whole};

/// Name and content of each file; the names are relative to the package's folder.
pub const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/pharo_files.rs"));

/// The script that does everything.
pub const RUNNER: &str = "run-stui-server.sh";

/// Why the files are not in place.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the Pharo server to {}: {source}", path.display())]
pub struct UnpackError {
    path: PathBuf,
    source: io::Error,
}

/// Writes the files to their place, unless the same lie there, and answers the script's path.
///
/// Each version has a folder of its own, named by a checksum: a server of another version may be
/// starting from its folder at this moment. A folder has its name when it is complete.
///
/// # Errors
/// If the disk says no.
pub fn unpack(places: &Places) -> Result<PathBuf, UnpackError> {
    let folder = places.pharo().join(format!("package-{:08x}", checksum()));
    let runner = folder.join(RUNNER);
    if is_whole(&folder) {
        return Ok(runner);
    }
    let new = folder.with_extension(format!("{}.new", std::process::id()));
    let written = write(&new).and_then(|()| {
        // One that is there and not whole was cut short, or somebody changed it.
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        match fs::rename(&new, &folder) {
            // Another process was quicker with the same.
            Err(_) if is_whole(&folder) => fs::remove_dir_all(&new),
            renamed => renamed,
        }
    });
    written.map_err(|source| UnpackError {
        path: folder,
        source,
    })?;
    Ok(runner)
}

fn checksum() -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for (name, content) in FILES {
        hasher.update(name.as_bytes());
        hasher.update(&content.len().to_le_bytes());
        hasher.update(content);
    }
    hasher.finalize()
}

fn is_whole(folder: &Path) -> bool {
    FILES
        .iter()
        .all(|(name, content)| fs::read(folder.join(name)).is_ok_and(|found| found == *content))
}

fn write(folder: &Path) -> io::Result<()> {
    for (name, content) in FILES {
        write_whole(&folder.join(name), content)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_carries_the_script_and_the_sources() {
        for name in [
            RUNNER,
            "scripts/load.st",
            "scripts/start.st",
            "scripts/test.st",
            "src/.properties",
            "src/BaselineOfSTUI/BaselineOfSTUI.class.st",
            "src/STUI-Server/package.st",
            "src/STUI-Tests/STUITestReport.class.st",
        ] {
            assert!(FILES.iter().any(|(known, _)| *known == name), "{name}");
        }
    }

    #[test]
    fn files_that_were_changed_or_cut_short_are_written_again() {
        let home = tempfile::tempdir().unwrap();
        let places = Places::below(home.path());
        let runner = unpack(&places).unwrap();
        assert_eq!(unpack(&places).unwrap(), runner);
        let start = runner.with_file_name("scripts").join("start.st");
        let whole = fs::read(&start).unwrap();
        fs::write(&start, "Smalltalk exit: 7").unwrap();
        unpack(&places).unwrap();
        assert_eq!(fs::read(&start).unwrap(), whole);
        fs::remove_file(&start).unwrap();
        unpack(&places).unwrap();
        assert_eq!(fs::read(&start).unwrap(), whole);
        let left = fs::read_dir(places.pharo()).unwrap().count();
        assert_eq!(left, 1, "nothing else is left behind");
    }
}

//! Writing the connection file, and taking it away again.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use stui_protocol::connection::ConnectionFile;

/// A connection file that this process wrote. It is removed when this is dropped, unless another
/// server has replaced it meanwhile.
#[derive(Debug)]
pub(crate) struct Written {
    path: PathBuf,
    text: String,
}

/// Writes a connection file: nobody else can read it, and nobody ever sees half of it.
///
/// # Errors
/// If its folder is missing or cannot be written.
pub(crate) fn write(path: &Path, file: &ConnectionFile) -> io::Result<Written> {
    let text = file.to_json()?;
    let mut name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"))?
        .to_owned();
    name.push(format!(".{}", std::process::id()));
    let unfinished = path.with_file_name(name);
    // One that a killed process with our id left behind may have another mode.
    let _ = fs::remove_file(&unfinished);
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)
        .and_then(|mut output| {
            output.write_all(text.as_bytes())?;
            output.sync_all()
        })
        .and_then(|()| fs::rename(&unfinished, path));
    if let Err(error) = written {
        let _ = fs::remove_file(&unfinished);
        return Err(error);
    }
    Ok(Written {
        path: path.to_owned(),
        text,
    })
}

impl Drop for Written {
    fn drop(&mut self) {
        if fs::read_to_string(&self.path).is_ok_and(|text| text == self.text)
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "the connection file stays behind");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn connection(pid: u32) -> ConnectionFile {
        ConnectionFile {
            endpoint: "tcp://127.0.0.1:1".into(),
            key: Some("secret".into()),
            dialect: "Test".into(),
            pid,
            protocol_version: "1.0.0".into(),
        }
    }

    #[test]
    fn the_file_is_for_its_owner_only_and_goes_with_the_server() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("connection.json");
        fs::write(&path, "something older that everybody can read").unwrap();
        let written = write(&path, &connection(1)).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(ConnectionFile::from_json(&text).unwrap(), connection(1));
        drop(written);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn the_file_of_a_later_server_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("connection.json");
        let first = write(&path, &connection(1)).unwrap();
        let second = write(&path, &connection(2)).unwrap();
        drop(first);
        assert!(path.exists());
        drop(second);
        assert!(!path.exists());
    }

    #[test]
    fn a_missing_folder_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(write(&folder.path().join("no/connection.json"), &connection(1)).is_err());
    }
}

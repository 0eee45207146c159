//! Where files are: the one place that knows directories.
//!
//! | what | where |
//! | --- | --- |
//! | sockets, locks, connection files | `$XDG_RUNTIME_DIR/stui`, else `$TMPDIR/stui-UID` (mode 0700) |
//! | the plugin, prepared and fetched Pharo images | `$XDG_DATA_HOME/stui`, else `~/.local/share/stui` |
//! | journals and logs | `$XDG_STATE_HOME/stui`, else `~/.local/state/stui` (mode 0700) |
//! | Zellij's permissions | `$XDG_CACHE_HOME/zellij`, else `~/.cache/zellij` |

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Longest session name that Zellij's own socket paths take.
const MAX_SESSION_NAME: usize = 36;

/// What can be wrong with a directory.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceError {
    /// There is no home directory.
    #[error("HOME is not set, so there is no place for {0}; set HOME")]
    NoHome(&'static str),
    /// A directory cannot be made.
    #[error("cannot make {}: {source}", path.display())]
    Make {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A private directory belongs to somebody else or is open to others.
    #[error(
        "{} is not private: it must be a directory of yours that nobody else can write (mode 0700); remove it, or set XDG_RUNTIME_DIR or XDG_STATE_HOME to another place",
        .0.display()
    )]
    NotPrivate(PathBuf),
}

/// The directories of this user.
#[derive(Debug, Clone)]
pub struct Places {
    runtime: PathBuf,
    data: PathBuf,
    state: PathBuf,
    zellij_cache: PathBuf,
}

impl Places {
    /// The directories that the environment names. Nothing is made yet.
    ///
    /// # Errors
    /// If neither the XDG variables nor `HOME` say where.
    pub fn from_environment() -> Result<Self, PlaceError> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// All directories below one, for tests.
    #[cfg(test)]
    pub(crate) fn below(folder: &Path) -> Self {
        Places {
            runtime: folder.join("run"),
            data: folder.join("data"),
            state: folder.join("state"),
            zellij_cache: folder.join("zellij"),
        }
    }

    /// The same for other variables than this process's.
    ///
    /// # Errors
    /// As [`Places::from_environment`].
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, PlaceError> {
        let absolute = |name: &str| {
            variable(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let home = |xdg: &str, below: &str, what: &'static str| {
            absolute(xdg)
                .or_else(|| absolute("HOME").map(|home| home.join(below)))
                .ok_or(PlaceError::NoHome(what))
        };
        let runtime = absolute("XDG_RUNTIME_DIR").map_or_else(
            || {
                let temporary = absolute("TMPDIR").unwrap_or_else(|| "/tmp".into());
                temporary.join(format!("stui-{}", rustix::process::getuid().as_raw()))
            },
            |runtime| runtime.join("stui"),
        );
        Ok(Places {
            runtime,
            data: home("XDG_DATA_HOME", ".local/share", "the plugin")?.join("stui"),
            state: home("XDG_STATE_HOME", ".local/state", "journals and logs")?.join("stui"),
            zellij_cache: home("XDG_CACHE_HOME", ".cache", "Zellij's permissions")?.join("zellij"),
        })
    }

    /// The directory of sockets, locks and connection files; made if it is not there, and private.
    ///
    /// # Errors
    /// If it cannot be made, or others could write there.
    pub fn runtime(&self) -> Result<&Path, PlaceError> {
        make_private(&self.runtime)?;
        Ok(&self.runtime)
    }

    /// The same without making it.
    pub fn runtime_path(&self) -> &Path {
        &self.runtime
    }

    /// The socket on which the sidecar of a Zellij session hears of panes.
    pub fn sidecar_socket(&self, session: &str) -> PathBuf {
        self.runtime.join(format!("{}.sock", file_name(session)))
    }

    /// The file that the sidecar of a Zellij session holds locked.
    pub fn sidecar_lock(&self, session: &str) -> PathBuf {
        self.runtime.join(format!("{}.lock", file_name(session)))
    }

    /// What the sidecar of a Zellij session leaves behind about its panes; see [`crate::pipes::Known`].
    pub fn sidecar_panes(&self, session: &str) -> PathBuf {
        self.runtime
            .join(format!("{}.panes.json", file_name(session)))
    }

    /// The connection file of a server that is started for an image of a Zellij session.
    pub fn connection_file(&self, session: &str, image: &str) -> PathBuf {
        let (session, image) = (file_name(session), file_name(image));
        self.runtime.join(format!("{session}.{image}.json"))
    }

    /// Where `stui up` writes the plugin.
    pub fn plugin(&self) -> PathBuf {
        self.data.join("stui.wasm")
    }

    /// Prepared and fetched Pharo images, and the server that is loaded into them.
    pub fn pharo(&self) -> PathBuf {
        self.data.join("pharo")
    }

    /// Where `stui up` writes the layout of a session.
    pub fn layout(&self, session: &str) -> PathBuf {
        self.session(session).join("layout.kdl")
    }

    /// Journal and settings of a Zellij session.
    pub fn session(&self, session: &str) -> PathBuf {
        self.sessions_folder().join(file_name(session))
    }

    /// The Zellij sessions of which something is saved, by name.
    pub fn sessions(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.sessions_folder()) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .flatten()
            .filter_map(|entry| name_of(entry.file_name().to_str()?))
            .collect();
        names.sort();
        names
    }

    /// The same, made if it is not there: private, because it holds what was typed.
    ///
    /// # Errors
    /// If it cannot be made, or is somebody else's.
    pub fn make_session(&self, session: &str) -> Result<PathBuf, PlaceError> {
        let path = self.session(session);
        make_private(&path)?;
        Ok(path)
    }

    /// The log of the sidecar of a Zellij session.
    pub fn sidecar_log(&self, session: &str) -> PathBuf {
        self.session(session).join("sidecar.log")
    }

    /// The log of a server that is started for an image of a Zellij session.
    pub fn server_log(&self, session: &str, image: &str) -> PathBuf {
        let name = format!("{}.server.log", file_name(image));
        self.session(session).join(name)
    }

    /// Which images a Zellij session is connected to.
    pub fn images(&self, session: &str) -> PathBuf {
        self.session(session).join("images.json")
    }

    /// What a Zellij session's sidecar has to know of the flags of `stui up`.
    pub fn flags(&self, session: &str) -> PathBuf {
        self.session(session).join("flags.json")
    }

    /// The folder in which all Zellij sessions have theirs.
    pub fn sessions_folder(&self) -> PathBuf {
        self.state.join("sessions")
    }

    /// The file in which Zellij keeps what plugins may do.
    pub fn zellij_permissions(&self) -> PathBuf {
        self.zellij_cache.join("permissions.kdl")
    }
}

/// A file name for a session's name: what could mean something in a path is written as `%XX`, and a
/// long name is cut, because socket paths are short, with a checksum to keep it unique.
fn file_name(session: &str) -> String {
    let mut name = String::new();
    for byte in session.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => name.push(byte as char),
            byte => {
                let _ = std::fmt::Write::write_fmt(&mut name, format_args!("%{byte:02X}"));
            }
        }
    }
    if name.len() > 40 {
        let checksum = crc32fast::hash(session.as_bytes());
        name.truncate(31);
        name = format!("{name}-{checksum:08x}");
    }
    name
}

/// The name that a file name was made from; none if it was cut.
fn name_of(file_name: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = file_name.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let code = [rest.next()?, rest.next()?];
            let code = std::str::from_utf8(&code).ok()?;
            bytes.push(u8::from_str_radix(code, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes)
        .ok()
        .filter(|name| self::file_name(name) == file_name)
}

/// Makes a directory that only this user can look into, or checks that it is one.
///
/// # Errors
/// If it cannot be made or is not private.
pub fn make_private(path: &Path) -> Result<(), PlaceError> {
    let error = |source| PlaceError::Make {
        path: path.to_owned(),
        source,
    };
    if let Some(parent) = path.parent() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(parent)
            .map_err(error)?;
    }
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {}
        Err(failed) if failed.kind() == io::ErrorKind::AlreadyExists => {}
        Err(failed) => return Err(error(failed)),
    }
    let metadata = fs::symlink_metadata(path).map_err(error)?;
    let mine = metadata.uid() == rustix::process::geteuid().as_raw();
    // What others could write may hold what others wrote; to close it now would come too late.
    let was_open = metadata.permissions().mode() & 0o022 != 0;
    if !metadata.is_dir() || !mine || was_open {
        return Err(PlaceError::NotPrivate(path.to_owned()));
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(error)?;
    }
    Ok(())
}

/// Takes from everybody else what they may do with a file, should they have been allowed anything.
///
/// # Errors
/// If the file is somebody else's.
pub fn make_file_private(file: &fs::File) -> io::Result<()> {
    let mode = file.metadata()?.permissions().mode();
    if mode & 0o077 != 0 {
        file.set_permissions(fs::Permissions::from_mode(mode & 0o700))?;
    }
    Ok(())
}

/// Why a name cannot be that of a Zellij session, in one sentence, if it cannot.
pub fn session_name_problem(name: &str) -> Option<String> {
    let good = !name.is_empty()
        && name.len() <= MAX_SESSION_NAME
        && !name.contains('/')
        && !name.starts_with(['-', '.'])
        && !name.chars().any(char::is_control);
    (!good).then(|| {
        format!(
            "{name:?} cannot name a session: use 1 to {MAX_SESSION_NAME} letters, digits and dashes"
        )
    })
}

/// Writes a file so that a reader sees the old content or the new, never a part, and that nobody else
/// can read it.
///
/// # Errors
/// If the disk says no.
pub fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = path.with_file_name(name);
    // One that a killed process with our id left behind may be another's to read.
    let _ = fs::remove_file(&new);
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut file| file.write_all(content))
        .and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(variables: &[(&str, &str)]) -> Result<Places, PlaceError> {
        Places::from_variables(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_xdg_variables_decide_and_home_is_the_fallback() {
        let uid = rustix::process::getuid().as_raw();
        let plain = places(&[("HOME", "/h")]).unwrap();
        assert_eq!(plain.runtime, PathBuf::from(format!("/tmp/stui-{uid}")));
        assert_eq!(plain.plugin(), Path::new("/h/.local/share/stui/stui.wasm"));
        let xdg = places(&[
            ("XDG_RUNTIME_DIR", "/run/u"),
            ("XDG_DATA_HOME", "relative"),
            ("XDG_STATE_HOME", "/s"),
            ("HOME", "/h"),
        ])
        .unwrap();
        assert_eq!(
            xdg.sidecar_socket("a b"),
            Path::new("/run/u/stui/a%20b.sock")
        );
        assert_eq!(xdg.plugin(), Path::new("/h/.local/share/stui/stui.wasm"));
        assert_eq!(xdg.session("x"), Path::new("/s/stui/sessions/x"));
        assert!(matches!(places(&[]), Err(PlaceError::NoHome(_))));
    }

    #[test]
    fn no_session_name_leads_out_of_its_directory_or_makes_a_socket_path_too_long() {
        assert_eq!(file_name("../x"), "%2E%2E%2Fx");
        assert_eq!(file_name("."), "%2E");
        let (one, other) = (file_name(&"é".repeat(60)), file_name(&"é".repeat(61)));
        assert_eq!(one.len(), 40);
        assert_ne!(one, other);
    }

    #[test]
    fn a_runtime_directory_is_made_private_or_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        make_private(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        make_private(&path).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o700
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o770)).unwrap();
        assert!(
            matches!(make_private(&path), Err(PlaceError::NotPrivate(_))),
            "what others could write is not trusted"
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(matches!(
            make_private(&link),
            Err(PlaceError::NotPrivate(_))
        ));
    }

    #[test]
    fn a_file_is_private_from_its_first_moment_and_replaces_what_a_link_is() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("f"), folder.path().join("other"));
        fs::write(&other, "precious").unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        write_whole(&path, b"new").unwrap();
        let metadata = fs::symlink_metadata(&path).unwrap();
        assert!(metadata.is_file());
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_to_string(&other).unwrap(), "precious");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_session_name_is_one_that_zellij_takes() {
        for good in ["stui", "a b", "é-1"] {
            assert_eq!(session_name_problem(good), None, "{good}");
        }
        let long = "x".repeat(MAX_SESSION_NAME + 1);
        for bad in ["", "a/b", "-n", "..", "a\nb", &long] {
            assert!(session_name_problem(bad).is_some(), "{bad}");
        }
    }
}

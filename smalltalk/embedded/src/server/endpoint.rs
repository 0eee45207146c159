//! Which endpoints a server may listen on.

use std::net::IpAddr;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

/// Why an endpoint is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// Neither tcp nor ipc, or without an address.
    #[error(
        "{0:?} is no endpoint: write tcp://127.0.0.1:5555, tcp://127.0.0.1:* for a free port, or ipc:///path/of/a/socket"
    )]
    Unknown(String),
    /// Others could reach it, and there is no key.
    #[error(
        "{0:?} can be reached from other machines, and without a key everybody there could run code: use a key, or tcp://127.0.0.1"
    )]
    OpenToAll(String),
    /// Every user of this machine could reach it, and there is no key.
    #[error(
        "{0:?} has no file whose owner alone could use it, and without a key every user of this machine could run code: use a key, or ipc:///path/of/a/socket"
    )]
    OpenToUsers(String),
    /// Something else than a socket lies where the ipc socket would, and would be lost.
    #[error("{0:?} is taken by something that is no socket: choose another path")]
    NoSocket(String),
    /// The folder of an ipc socket is not there.
    #[error("the folder of {0:?} does not exist: make it, or choose another path")]
    NoFolder(String),
    /// A server listens on the ipc socket.
    #[error("a server listens on {0:?} already: use that one, or choose another path")]
    InUse(String),
}

/// Checks an endpoint before it is bound.
///
/// # Errors
/// If it cannot or should not be bound.
pub(crate) fn check(endpoint: &str, has_key: bool) -> Result<(), EndpointError> {
    let unknown = || EndpointError::Unknown(endpoint.to_owned());
    if let Some(address) = endpoint.strip_prefix("tcp://") {
        let (host, port) = address.rsplit_once(':').ok_or_else(unknown)?;
        if port != "*" && port.parse::<u16>().is_err() {
            return Err(unknown());
        }
        if !has_key && !is_loopback(host) {
            return Err(EndpointError::OpenToAll(endpoint.to_owned()));
        }
        return Ok(());
    }
    let path = endpoint.strip_prefix("ipc://").ok_or_else(unknown)?;
    // Linux's abstract sockets have no file, so no owner and no mode.
    if path.starts_with('@') {
        return if has_key {
            Ok(())
        } else {
            Err(EndpointError::OpenToUsers(endpoint.to_owned()))
        };
    }
    let path = Path::new(path);
    let folder = path.parent().ok_or_else(unknown)?;
    if !folder.as_os_str().is_empty() && !folder.is_dir() {
        return Err(EndpointError::NoFolder(endpoint.to_owned()));
    }
    // libzmq removes whatever has the path, a link to a socket included.
    if path != Path::new("*")
        && let Ok(found) = std::fs::symlink_metadata(path)
        && !found.file_type().is_socket()
    {
        return Err(EndpointError::NoSocket(endpoint.to_owned()));
    }
    // It would also take the path away from a server that lives.
    if UnixStream::connect(path).is_ok() {
        return Err(EndpointError::InUse(endpoint.to_owned()));
    }
    Ok(())
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_key_only_this_machine_may_be_served() {
        for endpoint in [
            "tcp://127.0.0.1:5555",
            "tcp://127.0.0.1:*",
            "tcp://[::1]:*",
            "tcp://localhost:1",
        ] {
            assert_eq!(check(endpoint, false), Ok(()), "{endpoint}");
        }
        for endpoint in [
            "tcp://*:5555",
            "tcp://0.0.0.0:*",
            "tcp://192.168.1.2:5555",
            "tcp://eth0:1",
            "tcp://[::]:1",
            "tcp://[::ffff:0.0.0.0]:1",
            "tcp://[::ffff:127.0.0.1]:1",
            "tcp://[fe80::1%eth0]:1",
            "tcp://lo:1",
            "tcp://example.org:1",
            "tcp://127.1:1",
            "tcp://0:1",
            "tcp://127.0.0.1:1;0.0.0.0:1",
            "tcp://:1",
        ] {
            let refused = Err(EndpointError::OpenToAll(endpoint.into()));
            assert_eq!(check(endpoint, false), refused);
            assert_eq!(check(endpoint, true), Ok(()));
        }
    }

    #[test]
    fn a_socket_without_a_file_is_open_to_every_user_of_the_machine() {
        let endpoint = "ipc://@stui";
        let refused = Err(EndpointError::OpenToUsers(endpoint.into()));
        assert_eq!(check(endpoint, false), refused);
        assert_eq!(check(endpoint, true), Ok(()));
    }

    #[test]
    fn a_file_is_not_taken_for_an_old_socket_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("thesis"), folder.path().join("link"));
        std::fs::write(&file, "years of work").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        for path in [&file, &link] {
            let endpoint = format!("ipc://{}", path.display());
            let refused = Err(EndpointError::NoSocket(endpoint.clone()));
            assert_eq!(check(&endpoint, true), refused);
        }
        assert!(file.exists());
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        for endpoint in [
            "",
            "7",
            "http://x",
            "tcp://",
            "tcp://127.0.0.1",
            "tcp://127.0.0.1:x",
            "tcp://127.0.0.1:99999",
            "inproc://x",
            "ipc://",
        ] {
            let refused = Err(EndpointError::Unknown(endpoint.into()));
            assert_eq!(check(endpoint, true), refused);
        }
    }

    #[test]
    fn an_ipc_socket_needs_a_folder_and_no_living_server() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let endpoint = format!("ipc://{}", path.display());
        assert_eq!(check(&endpoint, false), Ok(()));
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        assert_eq!(
            check(&endpoint, false),
            Err(EndpointError::InUse(endpoint.clone()))
        );
        drop(listener);
        assert_eq!(check(&endpoint, false), Ok(()));
        let missing = format!("ipc://{}", folder.path().join("no/s").display());
        assert_eq!(
            check(&missing, false),
            Err(EndpointError::NoFolder(missing.clone()))
        );
    }
}

//! How other processes reach a sidecar: a Unix socket, one line of JSON in, one line back.
//!
//! `stui sidecar`, run by a pane, says which pane is there ([`Call::Pane`]); `stui doctor` asks how
//! things are ([`Call::Status`]); `stui sessions`, `stui connect`, `stui disconnect` and `stui guests`
//! command it. The socket lies in a directory that only its user can enter, is made with mode 0600, and
//! who calls is asked of the system: other users are not listened to.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use stui_embedded::server::privately;
use stui_protocol::pane::{Guests, Status};

use crate::hub::asked::{Ask, Told};
use crate::pipes::Destination;

/// Longest line.
const MAX_LINE: u64 = 64 * 1024;
/// How long either side may take over its line.
const LIMIT: Duration = Duration::from_secs(3);

/// What is said to a sidecar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub enum Call {
    /// A pane is there and hears nothing from a sidecar.
    Pane {
        /// Which kind of pane.
        destination: Destination,
        /// Process id of its Zellij server.
        zellij_pid: u32,
    },
    /// How are things?
    Status,
    /// What guests may do from now on.
    Guests {
        /// It.
        guests: Guests,
    },
    /// Something about sessions.
    Sessions(Ask),
    /// Connect to another image.
    Connect {
        /// What to connect to, as `--connect` takes it.
        target: String,
        /// Its name; none: one is made up.
        name: Option<String>,
    },
    /// Be no longer connected to an image.
    Disconnect {
        /// Its name.
        name: String,
    },
}

/// What a sidecar answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub enum Answer {
    /// The pane will hear from this sidecar.
    Welcome,
    /// This sidecar belongs to another Zellij server, that had the same session name, and is ending.
    Other,
    /// How things are.
    Status(Report),
    /// It is done.
    Done,
    /// About sessions and images.
    Sessions(Told),
    /// What was said is not understood: the sidecar is of another version.
    Unknown {
        /// Version of the sidecar.
        version: String,
    },
}

/// How things are with a sidecar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Its process id.
    pub pid: u32,
    /// That of its Zellij server.
    pub zellij_pid: u32,
    /// Its version.
    pub version: String,
    /// What it tells the panes.
    pub status: Status,
    /// The kinds of panes that it reaches.
    pub panes: Vec<String>,
}

/// Says something to the sidecar that listens on a socket.
///
/// # Errors
/// If none listens, or it does not answer in time.
pub fn call(socket: &Path, call: &Call) -> io::Result<Answer> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    write_line(&mut stream, call)?;
    read_line(&stream)
}

/// Answers calls on a thread of its own for as long as the process lives. `answer` may answer None if
/// the sidecar is ending.
///
/// # Errors
/// If the socket cannot be made. The caller holds the session's lock, so that a socket that lies
/// there is a dead sidecar's and is replaced.
pub fn listen(
    socket: &Path,
    answer: impl Fn(Call) -> Option<Answer> + Send + 'static,
) -> io::Result<()> {
    match std::fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = privately(|| UnixListener::bind(socket))?;
    std::fs::set_permissions(socket, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    std::thread::Builder::new()
        .name("calls".into())
        .spawn(move || {
            for stream in listener.incoming().flatten() {
                if let Err(error) = serve(stream, &answer) {
                    tracing::debug!(%error, "a call was not answered");
                }
            }
        })?;
    Ok(())
}

/// Whether a caller is this user, or the system's administrator.
fn may_call(caller: u32, own: u32) -> bool {
    caller == own || caller == 0
}

/// Refuses callers that are somebody else. Elsewhere than on Linux the directory's mode sees to it.
fn check_caller(stream: &UnixStream) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        let caller = rustix::net::sockopt::socket_peercred(stream)?.uid.as_raw();
        if !may_call(caller, rustix::process::geteuid().as_raw()) {
            tracing::warn!(uid = caller, "another user called; refused");
            return Err(io::ErrorKind::PermissionDenied.into());
        }
    }
    Ok(())
}

fn serve(mut stream: UnixStream, answer: &impl Fn(Call) -> Option<Answer>) -> io::Result<()> {
    check_caller(&stream)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    let answer = match read_line(&stream) {
        Ok(call) => answer(call),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Some(Answer::Unknown {
            version: env!("CARGO_PKG_VERSION").into(),
        }),
        Err(error) => return Err(error),
    };
    match answer {
        Some(answer) => write_line(&mut stream, &answer),
        None => Ok(()),
    }
}

fn write_line(stream: &mut UnixStream, message: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    stream.write_all(&line)
}

fn read_line<M: for<'de> Deserialize<'de>>(stream: &UnixStream) -> io::Result<M> {
    let mut line = Vec::new();
    BufReader::new(stream)
        .take(MAX_LINE)
        .read_until(b'\n', &mut line)?;
    Ok(serde_json::from_slice(&line)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_answered_and_garbage_does_not_end_the_listener() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("s");
        std::fs::write(&socket, "left by a dead sidecar").unwrap();
        listen(&socket, |call| {
            assert_eq!(call, Call::Status);
            Some(Answer::Other)
        })
        .unwrap();
        for unknown in [&b"\xff\x00 nonsense\n"[..], b"{\"say\":\"sing\"}\n"] {
            let mut stream = UnixStream::connect(&socket).unwrap();
            stream.write_all(unknown).unwrap();
            let answer: Answer = read_line(&stream).unwrap();
            assert!(matches!(answer, Answer::Unknown { .. }), "{answer:?}");
        }
        drop(UnixStream::connect(&socket).unwrap());
        assert_eq!(call(&socket, &Call::Status).unwrap(), Answer::Other);
    }

    #[test]
    fn only_this_user_may_call_and_the_socket_is_made_so() {
        use std::os::unix::fs::PermissionsExt;
        assert!(may_call(1000, 1000) && may_call(0, 1000));
        assert!(!may_call(1001, 1000) && !may_call(1000, 0));
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("s");
        listen(&socket, |_| Some(Answer::Welcome)).unwrap();
        let mode = std::fs::metadata(&socket).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let stream = UnixStream::connect(&socket).unwrap();
        check_caller(&stream).unwrap();
    }

    #[test]
    fn where_nobody_listens_a_call_fails_at_once() {
        let folder = tempfile::tempdir().unwrap();
        assert!(call(&folder.path().join("s"), &Call::Status).is_err());
    }
}

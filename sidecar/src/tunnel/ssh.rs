//! One run of the user's `ssh`.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use super::remote::{Found, MAX_FILE, Reader, Told, script};
use crate::process::command_that_dies_with_us;
use crate::target::Remote;

/// Most bytes of what `ssh` says about itself that are kept: the newest ones.
const MAX_COMPLAINT: usize = 4096;

/// What one says.
#[derive(Debug)]
pub(super) enum Said {
    /// Which servers run there; told at the beginning and when that changes. What was to be forwarded is.
    Servers(Vec<Found>),
    /// It is there.
    Beat,
    /// It has ended.
    Ended,
}

/// A running `ssh`.
pub(super) struct Ssh {
    child: Child,
    host: String,
    complaint: Arc<Mutex<String>>,
    complained: Option<std::thread::JoinHandle<()>>,
}

impl Ssh {
    /// Starts it. `say` is called on a thread of its own. It dies with the calling thread.
    pub(super) fn start(
        program: &Path,
        remote: &Remote,
        forward: Option<&str>,
        mut say: impl FnMut(Said) + Send + 'static,
    ) -> io::Result<Ssh> {
        let mut child = command_that_dies_with_us(program.as_os_str())
            .args(arguments(remote, forward))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(mut input), Some(output), Some(errors)) = pipes else {
            return Err(io::Error::other("ssh has no pipes"));
        };
        let mark = mark();
        let script = script(remote.name.as_deref(), &mark);
        let complaint = Arc::new(Mutex::new(String::new()));
        let kept = Arc::clone(&complaint);
        let complained = std::thread::Builder::new()
            .name("ssh-errors".into())
            .spawn(move || keep_newest(errors, &kept))?;
        std::thread::Builder::new()
            .name("ssh".into())
            .spawn(move || {
                // If it has ended already, its output ends too. Its input ends with the script.
                let _ = input.write_all(script.as_bytes());
                drop(input);
                let mut reader = Reader::new(&mark);
                let mut output = BufReader::new(output);
                while let Some(line) = line(&mut output) {
                    match reader.line(&line) {
                        Some(Told::Servers(found)) => say(Said::Servers(found)),
                        Some(Told::Beat) => say(Said::Beat),
                        None => {}
                    }
                }
                say(Said::Ended);
            })?;
        Ok(Ssh {
            child,
            host: remote.host.clone(),
            complaint,
            complained: Some(complained),
        })
    }

    /// Why it ended, and whether somebody has to do something about it before it can do better.
    pub(super) fn sentence(&mut self) -> (String, bool) {
        self.end();
        if let Some(complained) = self.complained.take() {
            let _ = complained.join();
        }
        let complaint = self
            .complaint
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        sentence(&self.host, &complaint)
    }

    /// Ends it.
    pub(super) fn end(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Ssh {
    fn drop(&mut self) {
        self.end();
    }
}

/// A line without its end; a very long one in parts. None at the end of the output.
fn line(output: &mut impl BufRead) -> Option<String> {
    let mut bytes = Vec::new();
    match output.take(MAX_FILE as u64).read_until(b'\n', &mut bytes) {
        Ok(0) | Err(_) => None,
        Ok(_) => {
            let line = String::from_utf8_lossy(&bytes);
            Some(line.trim_end_matches(['\r', '\n']).to_owned())
        }
    }
}

fn keep_newest(mut errors: impl Read, kept: &Mutex<String>) {
    let mut bytes = [0; 1024];
    while let Ok(read @ 1..) = errors.read(&mut bytes) {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_str(&String::from_utf8_lossy(&bytes[..read]));
        while kept.len() > MAX_COMPLAINT {
            // Whole lines, or of a long one its first letter.
            let letter = kept.chars().next().map_or(1, char::len_utf8);
            let end = kept.find('\n').map_or(letter, |at| at + 1);
            kept.drain(..end);
        }
    }
}

/// A word that no file has.
fn mark() -> String {
    let mut random = [0; 16];
    // Without randomness it is a word that no connection file has, which is good enough.
    let _ = getrandom::fill(&mut random);
    format!("stui{:032x}", u128::from_be_bytes(random))
}

fn arguments(remote: &Remote, forward: Option<&str>) -> Vec<String> {
    let mut arguments: Vec<String> = Vec::new();
    // No terminal there, and none is needed here.
    arguments.push("-T".into());
    for option in [
        "ConnectTimeout=10",
        "ServerAliveInterval=2",
        "ServerAliveCountMax=3",
        "ExitOnForwardFailure=yes",
        // A socket that a killed tunnel left behind is in nobody's way.
        "StreamLocalBindUnlink=yes",
        "StreamLocalBindMask=0177",
        // Whatever else the user forwards to this host is not wanted here, and might be taken already.
        "ForwardAgent=no",
        "ForwardX11=no",
        "PermitLocalCommand=no",
        "RequestTTY=no",
    ] {
        arguments.push("-o".into());
        arguments.push(option.into());
    }
    if let Some(forward) = forward {
        arguments.push("-L".into());
        arguments.push(forward.into());
    } else {
        arguments.push("-o".into());
        arguments.push("ClearAllForwardings=yes".into());
    }
    if let Some(port) = remote.port {
        arguments.push("-p".into());
        arguments.push(port.to_string());
    }
    arguments.push("--".into());
    arguments.push(host(&remote.host));
    // The script comes through its input.
    arguments.push("sh".into());
    arguments
}

/// `ssh` wants an address of IPv6 without its brackets.
fn host(host: &str) -> String {
    let (user, name) = match host.rsplit_once('@') {
        Some((user, name)) => (Some(user), name),
        None => (None, host),
    };
    let name = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(name);
    match user {
        Some(user) => format!("{user}@{name}"),
        None => name.to_owned(),
    }
}

/// One sentence for what `ssh` complained about; whether trying again is of no use by itself.
fn sentence(host: &str, complaint: &str) -> (String, bool) {
    let has = |text: &str| complaint.contains(text);
    let last = complaint
        .lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or("it said nothing");
    if has("REMOTE HOST IDENTIFICATION HAS CHANGED") {
        let text = format!(
            "The host key of {host} is not the one that ssh knows. If you know why, forget the old one with `ssh-keygen -R HOST` and connect once with ssh; else somebody may be listening."
        );
        (text, true)
    } else if has("Host key verification failed") {
        let text = format!(
            "ssh does not know the host key of {host} yet: connect once with `ssh {host}` and accept it."
        );
        (text, true)
    } else if has("Permission denied") || has("Too many authentication failures") {
        let text = format!(
            "{host} lets nobody in without a password, and there is no terminal here to ask for one: use a key (ssh-copy-id), ssh-agent, or keep a connection open with ControlMaster."
        );
        (text, true)
    } else if has("Could not resolve hostname") {
        let text = format!("No machine called {host} is known: {last}");
        (text, false)
    } else {
        (format!("ssh to {host} ended: {last}"), false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_in_one_sentence() {
        let changed = "@@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.\r\n";
        for (complaint, words, hopeless) in [
            (changed, "is not the one that ssh knows", true),
            (
                "Host key verification failed.\r\n",
                "does not know the host key",
                true,
            ),
            (
                "me@there: Permission denied (publickey,password).\r\n",
                "ssh-agent",
                true,
            ),
            (
                "ssh: Could not resolve hostname there: Name or service not known\r\n",
                "No machine called there",
                false,
            ),
            (
                "ssh: connect to host there port 22: Connection refused\r\n",
                "Connection refused",
                false,
            ),
            ("", "it said nothing", false),
        ] {
            let (text, is_hopeless) = sentence("there", complaint);
            assert!(text.contains(words), "{text}");
            assert_eq!(is_hopeless, hopeless, "{text}");
            assert!(!text.contains('\n'), "{text}");
        }
    }

    #[test]
    fn the_host_stands_behind_the_end_of_the_options() {
        let remote = Remote {
            host: "me@[::1]".into(),
            port: Some(2222),
            name: Some("x; rm -rf /".into()),
        };
        let arguments = arguments(&remote, Some("/r/s:127.0.0.1:5"));
        let end = arguments.iter().position(|word| word == "--").unwrap();
        assert_eq!(arguments[end + 1..], ["me@::1", "sh"]);
        assert!(arguments.windows(2).any(|two| two == ["-p", "2222"]));
        assert!(
            arguments
                .windows(2)
                .any(|two| two == ["-L", "/r/s:127.0.0.1:5"])
        );
        assert!(!arguments.iter().any(|word| word.contains("rm")));
    }

    #[test]
    fn of_a_long_complaint_the_newest_lines_are_kept() {
        let kept = Mutex::new(String::new());
        let text = (0..2000).map(|n| format!("line {n}\n")).collect::<String>();
        keep_newest(text.as_bytes(), &kept);
        let kept = kept.into_inner().unwrap();
        assert!(kept.len() <= MAX_COMPLAINT && kept.ends_with("line 1999\n"));
    }
}

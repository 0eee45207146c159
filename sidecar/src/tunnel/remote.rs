//! What is asked of the other machine, and what it answers.
//!
//! A script for any POSIX shell goes through `ssh`'s standard input, so that nothing of it passes through
//! the user's login shell, whatever that is; what comes from outside in it is one quoted word. It looks
//! where servers of STUI write their connection files, and only at folders and files of the user: in a
//! folder that all can write to, somebody else may have been faster.

use std::path::{Path, PathBuf};

use stui_protocol::connection::ConnectionFile;

use crate::target::Remote;

/// Longest path of a Unix socket that every system takes, in bytes.
const MAX_SOCKET_PATH: usize = 103;
/// Most bytes of a connection file.
pub(super) const MAX_FILE: usize = 16 * 1024;

/// Tells all living servers, again when that changes, and a beat each second so that it ends with `ssh`.
const SCRIPT: &str = r#"
uid=$(id -u)
list() {
	for folder in "${XDG_RUNTIME_DIR:-/nowhere}/stui" "/run/user/$uid/stui" \
		"${TMPDIR:-/tmp}/stui-$uid" "${TMPDIR:-/tmp}/stui-$uid/stui" "/tmp/stui-$uid" "/tmp/stui-$uid/stui"; do
		[ -d "$folder" ] && [ -O "$folder" ] || continue
		for file in "$folder"/*.json; do
			[ -f "$file" ] && [ -O "$file" ] && [ -r "$file" ] || continue
			name=${file##*/}
			name=${name%.json}
			[ -z "$wanted" ] || [ "$name" = "$wanted" ] || continue
			pid=$(sed -n 's/.*"pid"[^0-9]*\([0-9][0-9]*\).*/\1/p' "$file" | head -n 1)
			[ -n "$pid" ] && kill -0 "$pid" 2>/dev/null || continue
			printf '%s file %s\n' "$mark" "$name"
			head -c 16384 "$file"
			printf '\n%s end\n' "$mark"
		done
	done
}
last=none
while :; do
	now=$(list)
	if [ "$now" != "$last" ]; then
		printf '%s\n%s all\n' "$now" "$mark" || exit
		last=$now
	fi
	printf '%s beat\n' "$mark" || exit
	sleep 1
done
"#;

/// The whole script. `mark` begins the lines that are not part of a file; letters and digits.
pub(super) fn script(wanted: Option<&str>, mark: &str) -> String {
    format!(
        "wanted={}\nmark={}\n{SCRIPT}",
        quoted(wanted.unwrap_or_default()),
        quoted(mark)
    )
}

/// A text as one word of a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A connection file on the other machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Its name without `.json`.
    pub(super) name: String,
    /// What it says.
    pub(super) file: ConnectionFile,
}

/// What a line of the script's output was the end of.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// The list of all servers.
    Servers(Vec<Found>),
    /// The script goes on.
    Beat,
}

/// Reads the script's output, line by line. Lines that are not its own, as a login shell may write
/// them, are passed over.
#[derive(Debug, Default)]
pub(super) struct Reader {
    mark: String,
    name: Option<String>,
    text: String,
    found: Vec<Found>,
}

impl Reader {
    pub(super) fn new(mark: &str) -> Self {
        Reader {
            mark: mark.to_owned(),
            ..Reader::default()
        }
    }

    pub(super) fn line(&mut self, line: &str) -> Option<Told> {
        let said = line
            .strip_prefix(&self.mark)
            .and_then(|rest| rest.strip_prefix(' '));
        match said.map(|said| said.split_once(' ').unwrap_or((said, ""))) {
            Some(("file", name)) => {
                self.name = Some(name.to_owned());
                self.text.clear();
            }
            Some(("end", _)) => {
                if let (Some(name), Ok(file)) =
                    (self.name.take(), ConnectionFile::from_json(&self.text))
                {
                    let found = Found { name, file };
                    // One folder may have several names.
                    if !self.found.contains(&found) && self.found.len() < 1000 {
                        self.found.push(found);
                    }
                }
            }
            Some(("all", _)) => return Some(Told::Servers(std::mem::take(&mut self.found))),
            Some(("beat", _)) => return Some(Told::Beat),
            Some(_) => {}
            None => {
                if self.name.is_some() && self.text.len() < MAX_FILE {
                    self.text.push_str(line);
                    self.text.push('\n');
                }
            }
        }
        None
    }
}

/// The server to forward to: the one that was named, else the only one. An error is a sentence.
pub(super) fn choose(mut found: Vec<Found>, remote: &Remote) -> Result<ConnectionFile, String> {
    let host = &remote.host;
    let file = match (found.len(), &remote.name) {
        (0, None) => {
            return Err(format!(
                "No Smalltalk server runs on {host}: start one there, with `stui serve` or run-stui-server.sh."
            ));
        }
        (0, Some(name)) => {
            return Err(format!(
                "No Smalltalk server called {name} runs on {host}: start it there, or leave the name out."
            ));
        }
        (1, _) => found.remove(0).file,
        (_, _) => {
            let mut names: Vec<&str> = found.iter().map(|found| found.name.as_str()).collect();
            names.sort_unstable();
            return Err(format!(
                "Several Smalltalk servers run on {host}; say which, as in ssh://{host}/{}: {}.",
                names[0],
                names.join(", ")
            ));
        }
    };
    if stui_protocol::understands(&file.protocol_version) {
        Ok(file)
    } else {
        Err(format!(
            "The server on {host} speaks version {} of the protocol, this is {}; update the older one.",
            file.protocol_version,
            stui_protocol::PROTOCOL_VERSION
        ))
    }
}

/// Where a server listens, on its own machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Listener {
    /// `HOST:PORT`, as `ssh -L` takes it.
    Tcp(String),
    /// The path of a socket.
    Unix(PathBuf),
}

impl Listener {
    /// That of an endpoint. An error is a sentence.
    pub(super) fn of(endpoint: &str) -> Result<Listener, String> {
        let bad = || format!("The server's endpoint {endpoint:?} cannot be reached through ssh.");
        if let Some(path) = endpoint.strip_prefix("ipc://") {
            let path = PathBuf::from(path);
            check_path(&path).map_err(|_| bad())?;
            return Ok(Listener::Unix(path));
        }
        let address = endpoint.strip_prefix("tcp://").ok_or_else(bad)?;
        let (host, port) = address.rsplit_once(':').ok_or_else(bad)?;
        let port: u16 = port.parse().map_err(|_| bad())?;
        let host = match host {
            // Listening everywhere is listening there too.
            "0.0.0.0" | "*" => "127.0.0.1",
            "[::]" => "[::1]",
            host => host,
        };
        let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let in_brackets = host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .is_some_and(|inner| {
                inner
                    .chars()
                    .all(|c| c.is_ascii_hexdigit() || c == ':' || c == '.')
            });
        if host.is_empty() || (!in_brackets && !host.chars().all(letters)) {
            return Err(bad());
        }
        Ok(Listener::Tcp(format!("{host}:{port}")))
    }

    /// What `ssh -L` is given to forward a socket of this machine to it.
    pub(super) fn forward(&self, socket: &Path) -> String {
        match self {
            Listener::Tcp(address) => format!("{}:{address}", socket.display()),
            Listener::Unix(path) => format!("{}:{}", socket.display(), path.display()),
        }
    }
}

/// Checks the path of the socket of this machine. An error is a sentence.
pub(super) fn check_local(socket: &Path) -> Result<(), String> {
    check_path(socket).map_err(|why| {
        format!(
            "The socket {} of a tunnel {why}; set XDG_RUNTIME_DIR to a short path of letters and digits.",
            socket.display()
        )
    })
}

/// What `ssh` takes apart or replaces must not be in a path.
fn check_path(path: &Path) -> Result<(), &'static str> {
    let text = path.to_str().ok_or("has a path that is not UTF-8")?;
    if text.len() > MAX_SOCKET_PATH {
        Err("has a path that is too long")
    } else if !path.is_absolute()
        || text.contains([':', '%', '$', '"', '\\', '[', ']'])
        || text.chars().any(|c| c.is_control() || c.is_whitespace())
    {
        Err("has a path that ssh does not take")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    const FILE: &str = "{\n  \"endpoint\": \"tcp://127.0.0.1:5555\",\n  \"key\": \"secret\",\n  \"dialect\": \"Pharo 12\",\n  \"pid\": PID,\n  \"protocol_version\": \"1.0.0\"\n}\n";

    fn remote(name: Option<&str>) -> Remote {
        Remote {
            host: "me@there".into(),
            port: None,
            name: name.map(str::to_owned),
        }
    }

    /// What the script tells first, run by this machine's shell with this runtime directory.
    fn first_list(runtime: &Path, wanted: Option<&str>) -> Vec<Found> {
        use std::io::{BufRead, BufReader, Write};
        let mut child = Command::new("sh")
            .env("XDG_RUNTIME_DIR", runtime)
            .env("TMPDIR", runtime)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(script(wanted, "m4rk").as_bytes()).unwrap();
        drop(input);
        let mut reader = Reader::new("m4rk");
        let mut list = None;
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            if let Some(Told::Servers(found)) = reader.line(&line.unwrap()) {
                list = Some(found);
                break;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        list.unwrap()
    }

    #[test]
    fn the_script_tells_living_servers_by_name_whatever_that_is() {
        let folder = tempfile::tempdir().unwrap();
        let runtime = folder.path().join("stui");
        std::fs::create_dir(&runtime).unwrap();
        let living = FILE.replace("PID", &std::process::id().to_string());
        let odd = "it's $(touch x) \"odd\" `y`";
        for (name, text) in [
            ("a", living.clone()),
            (odd, living.replace('\n', "")),
            ("dead", FILE.replace("PID", "999999999")),
            ("nonsense", "{\"pid\": 1".into()),
        ] {
            std::fs::write(runtime.join(format!("{name}.json")), text).unwrap();
        }
        let ours = |found: Vec<Found>| -> Vec<String> {
            let ours = found
                .into_iter()
                .filter(|found| found.file.key.as_deref() == Some("secret"));
            ours.map(|found| found.name).collect()
        };
        assert_eq!(ours(first_list(folder.path(), None)), ["a", odd]);
        assert_eq!(ours(first_list(folder.path(), Some(odd))), [odd]);
        assert_eq!(first_list(folder.path(), Some("dead")), []);
        assert!(!folder.path().join("x").exists());
    }

    #[test]
    fn noise_of_a_login_shell_is_passed_over() {
        let mut reader = Reader::new("m");
        let text = FILE.replace("PID", "7");
        let output = format!("Welcome!\nm file a\n{text}\nm end\nm file b\n{{\nm end\nm all\n");
        let mut told = output.lines().filter_map(|line| reader.line(line));
        let Some(Told::Servers(found)) = told.next() else {
            panic!("no list")
        };
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].name.as_str(), found[0].file.pid), ("a", 7));
    }

    #[test]
    fn one_server_is_chosen_and_otherwise_a_sentence_says_what_to_do() {
        let found = |name: &str| Found {
            name: name.into(),
            file: ConnectionFile::from_json(&FILE.replace("PID", "7")).unwrap(),
        };
        assert!(choose(vec![found("a")], &remote(None)).is_ok());
        let several = choose(vec![found("b"), found("a")], &remote(None)).unwrap_err();
        assert!(several.contains("ssh://me@there/a: a, b"), "{several}");
        let none = choose(Vec::new(), &remote(None)).unwrap_err();
        assert!(none.contains("start one there"), "{none}");
        let none = choose(Vec::new(), &remote(Some("x"))).unwrap_err();
        assert!(none.contains("called x"), "{none}");
    }

    #[test]
    fn endpoints_are_forwarded_to_and_what_could_be_something_else_is_refused() {
        let socket = Path::new("/r/t.sock");
        for (endpoint, forward) in [
            ("tcp://127.0.0.1:5555", "/r/t.sock:127.0.0.1:5555"),
            ("tcp://0.0.0.0:5555", "/r/t.sock:127.0.0.1:5555"),
            ("tcp://[::]:1", "/r/t.sock:[::1]:1"),
            ("tcp://host-1.example:9", "/r/t.sock:host-1.example:9"),
            (
                "ipc:///run/user/1/stui/p.sock",
                "/r/t.sock:/run/user/1/stui/p.sock",
            ),
        ] {
            assert_eq!(Listener::of(endpoint).unwrap().forward(socket), forward);
        }
        for endpoint in [
            "tcp://127.0.0.1",
            "tcp://a b:1",
            "tcp://:1",
            "tcp://x:70000",
            "ipc://relative",
            "ipc:///a:b",
            "ipc:///a%b",
            "inproc://x",
            "",
        ] {
            assert!(Listener::of(endpoint).is_err(), "{endpoint}");
        }
        assert!(check_local(Path::new("/run/user/1/stui/t.sock")).is_ok());
        assert!(check_local(&Path::new("/").join("x".repeat(120))).is_err());
    }
}

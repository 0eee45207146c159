//! Servers on another machine, which here is a real ssh server on a loopback port.

mod support;

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, unbounded};
use support::linked::Linked;
use support::sshd::Sshd;
use support::{LIMIT, Serve};

/// `stui tunnel`, told to end when dropped.
struct Tunnel {
    child: Child,
    path: PathBuf,
    said: Receiver<String>,
}

impl Tunnel {
    fn start(sshd: &Sshd, target: &str, path: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_stui"))
            .args(["tunnel", target, "--connection-file"])
            .arg(path)
            .arg("--exit-with-pid")
            .arg(std::process::id().to_string())
            .env("STUI_SSH", sshd.ssh())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("stui tunnel starts");
        let errors = BufReader::new(child.stderr.take().expect("it is piped"));
        let (tell, said) = unbounded();
        std::thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                eprintln!("{line}");
                drop(tell.send(line));
            }
        });
        Tunnel {
            child,
            path: path.to_owned(),
            said,
        }
    }

    /// Waits for a sentence.
    fn says(&self, words: &str) -> String {
        let deadline = Instant::now() + LIMIT;
        loop {
            let line = self.said.recv_deadline(deadline).expect(words);
            if line.contains(words) {
                return line;
            }
        }
    }

    /// Its `ssh` process.
    fn ssh_pid(&self) -> u32 {
        let tasks = format!("/proc/{}/task", self.child.id());
        let deadline = Instant::now() + LIMIT;
        loop {
            let children = std::fs::read_dir(&tasks)
                .expect("it runs")
                .flatten()
                .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok())
                .collect::<String>();
            if let Some(pid) = children.split_whitespace().next() {
                return pid.parse().expect("a process id");
            }
            assert!(Instant::now() < deadline, "it has no ssh");
        }
    }

    fn end(&mut self) {
        let pid = self.child.id().to_string();
        Command::new("kill")
            .arg(pid)
            .status()
            .expect("there is kill");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A folder for everything, with the runtime directory of the "other machine".
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("runtime/stui")).unwrap();
    std::fs::create_dir(folder.path().join("here")).unwrap();
    folder
}

fn remote_file(folder: &tempfile::TempDir, name: &str) -> PathBuf {
    folder.path().join(format!("runtime/stui/{name}.json"))
}

#[test]
fn code_runs_there_also_after_ssh_was_killed_and_the_server_was_started_again() {
    let folder = folder();
    let Some(sshd) = Sshd::start(folder.path()) else {
        return;
    };
    let serve = Serve::start(&remote_file(&folder, "pharo"));
    let local = folder.path().join("here/local.json");
    let mut tunnel = Tunnel::start(&sshd, &sshd.target(), &local);
    let linked = Linked::following(local.clone(), tempfile::tempdir().unwrap());
    linked.evaluates();
    let mode = std::fs::metadata(&local).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let file = stui::client::read_connection_file(&local).unwrap();
    assert_eq!(file.pid, tunnel.child.id());
    assert!(file.endpoint.starts_with("ipc://"), "{}", file.endpoint);

    for _ in 0..2 {
        let pid = tunnel.ssh_pid();
        Command::new("kill")
            .args(["-9", &pid.to_string()])
            .status()
            .unwrap();
        let began = Instant::now();
        linked.evaluates();
        eprintln!("ssh killed: back after {:?}", began.elapsed());
    }

    serve.kill();
    let _serve = Serve::start(&remote_file(&folder, "pharo"));
    let began = Instant::now();
    linked.evaluates();
    eprintln!("server started again: back after {:?}", began.elapsed());

    let socket = PathBuf::from(file.endpoint.trim_start_matches("ipc://"));
    assert!(socket.exists());
    tunnel.end();
    assert!(!local.exists() && !socket.exists());
}

#[test]
fn a_server_that_listens_on_a_socket_is_reached_too() {
    let folder = folder();
    let Some(sshd) = Sshd::start(folder.path()) else {
        return;
    };
    let endpoint = format!("ipc://{}/runtime/s.sock", folder.path().display());
    let _serve = Serve::start_at(&remote_file(&folder, "a"), &endpoint);
    let local = folder.path().join("here/local.json");
    let _tunnel = Tunnel::start(&sshd, &sshd.target(), &local);
    Linked::following(local, tempfile::tempdir().unwrap()).evaluates();
}

#[test]
fn of_several_servers_the_one_that_is_named_is_reached_and_without_a_name_none() {
    let folder = folder();
    let Some(sshd) = Sshd::start(folder.path()) else {
        return;
    };
    let _one = Serve::start(&remote_file(&folder, "one"));
    let two = Serve::start(&remote_file(&folder, "two"));
    let local = folder.path().join("here/local.json");
    let unnamed = Tunnel::start(&sshd, &sshd.target(), &local);
    unnamed.says("say which");
    assert!(!local.exists());
    drop(unnamed);
    let target = format!("{}/two", sshd.target());
    let _named = Tunnel::start(&sshd, &target, &local);
    wait_until("there is a connection file", || local.exists());
    let file = stui::client::read_connection_file(&local).unwrap();
    assert_eq!(file.key, two.file().key);
}

#[test]
fn a_server_that_is_started_later_is_found_and_one_that_ends_takes_the_file_with_it() {
    let folder = folder();
    let Some(sshd) = Sshd::start(folder.path()) else {
        return;
    };
    let local = folder.path().join("here/local.json");
    let target = format!("{}/late", sshd.target());
    let tunnel = Tunnel::start(&sshd, &target, &local);
    tunnel.says("start it there");
    let serve = Serve::start(&remote_file(&folder, "late"));
    tunnel.says("is reached through");
    assert!(tunnel.path.exists());
    serve.kill();
    wait_until("its file goes", || !tunnel.path.exists());
}

#[test]
fn a_wrong_host_key_and_a_key_that_is_not_let_in_are_each_said_in_one_sentence() {
    let folder = folder();
    let Some(sshd) = Sshd::start(folder.path()) else {
        return;
    };
    let local = folder.path().join("here/local.json");
    sshd.know_host("other_key");
    let tunnel = Tunnel::start(&sshd, &sshd.target(), &local);
    let sentence = tunnel.says("host key");
    assert!(
        sentence.contains("is not the one that ssh knows"),
        "{sentence}"
    );
    drop(tunnel);
    sshd.know_host("host_key");
    std::fs::remove_file(folder.path().join("authorized_keys")).unwrap();
    let tunnel = Tunnel::start(&sshd, &sshd.target(), &local);
    let sentence = tunnel.says("lets nobody in");
    assert!(sentence.contains("ssh-agent"), "{sentence}");
    assert!(!local.exists());
}

#[test]
fn a_tunnel_ends_with_the_process_that_it_is_told_of() {
    let folder = folder();
    let Some(sshd) = Sshd::start(folder.path()) else {
        return;
    };
    let mut process = Command::new("sleep").arg("600").spawn().unwrap();
    let mut tunnel = Command::new(env!("CARGO_BIN_EXE_stui"))
        .args(["tunnel", &sshd.target(), "--connection-file"])
        .arg(folder.path().join("here/local.json"))
        .arg("--exit-with-pid")
        .arg(process.id().to_string())
        .env("STUI_SSH", sshd.ssh())
        .spawn()
        .unwrap();
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(tunnel.wait().unwrap().success());
}

//! An ssh server of our own on a loopback port, and an `ssh` that may log in there.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::LIMIT;

/// A running ssh server, killed when dropped. What logs in there finds `runtime` as its runtime
/// directory.
pub(crate) struct Sshd {
    child: Child,
    folder: PathBuf,
    pub(crate) port: u16,
}

impl Sshd {
    /// Starts one with its files in this folder. None, and a line that says so, where there is no
    /// `sshd` program.
    pub(crate) fn start(folder: &Path) -> Option<Sshd> {
        let Some(program) = program() else {
            eprintln!(
                "SKIPPED: there is no sshd; install openssh-server (cargo xtask setup does, as root on Debian)"
            );
            return None;
        };
        if rustix::process::getuid().is_root() {
            // Where sshd, run by root, locks up its unprivileged part; systems make it when they start.
            std::fs::create_dir_all("/run/sshd").expect("root may make it");
        }
        for name in ["host_key", "user_key", "other_key"] {
            make_key(&folder.join(name));
        }
        std::fs::copy(folder.join("user_key.pub"), folder.join("authorized_keys"))
            .expect("the key is there");
        // Another test may have taken the port before it is bound.
        let sshd = (0..10).find_map(|_| Sshd::listening(&program, folder));
        let Some(sshd) = sshd else {
            let log = std::fs::read_to_string(folder.join("sshd.log")).unwrap_or_default();
            panic!("sshd does not listen: {log}");
        };
        sshd.know_host("host_key");
        Some(sshd)
    }

    /// Starts one at a port that is free now. None, if it could not listen there.
    fn listening(program: &Path, folder: &Path) -> Option<Sshd> {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("it is bound").port();
        drop(free);
        let shown = folder.display();
        let config = format!(
            "ListenAddress 127.0.0.1\nPort {port}\nHostKey {shown}/host_key\nAuthorizedKeysFile {shown}/authorized_keys\n\
             PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             PermitRootLogin yes\nPrintMotd no\nSetEnv XDG_RUNTIME_DIR={shown}/runtime\n"
        );
        std::fs::write(folder.join("sshd_config"), config).expect("the folder can be written");
        let log = folder.join("sshd.log");
        let child = Command::new(program)
            .args(["-D", "-e", "-f"])
            .arg(folder.join("sshd_config"))
            .stdin(Stdio::null())
            .stderr(std::fs::File::create(&log).expect("it can be written"))
            .spawn()
            .expect("sshd starts");
        let mut sshd = Sshd {
            child,
            folder: folder.to_owned(),
            port,
        };
        let deadline = Instant::now() + LIMIT;
        loop {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            if said.contains("Server listening on") {
                return Some(sshd);
            }
            let ended = sshd.child.try_wait().expect("it can be asked");
            if ended.is_some() || Instant::now() > deadline {
                return None;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The `ssh` believes that this is the server's key.
    pub(crate) fn know_host(&self, key: &str) {
        let key = std::fs::read_to_string(self.folder.join(format!("{key}.pub")))
            .expect("the key is there");
        let line = format!("[127.0.0.1]:{} {key}", self.port);
        std::fs::write(self.folder.join("known_hosts"), line).expect("it can be written");
    }

    /// An `ssh` that may log in, and asks nobody's agent or configuration.
    pub(crate) fn ssh(&self) -> PathBuf {
        let path = self.folder.join("ssh");
        let folder = self.folder.display();
        let script = format!(
            "#!/bin/sh\nexec ssh -F none -i '{folder}/user_key' -o IdentitiesOnly=yes -o IdentityAgent=none \
             -o UserKnownHostsFile='{folder}/known_hosts' -o GlobalKnownHostsFile=none \
             -o StrictHostKeyChecking=yes \"$@\"\n"
        );
        std::fs::write(&path, script).expect("it can be written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))
            .expect("it is ours");
        path
    }

    /// What to connect to.
    pub(crate) fn target(&self) -> String {
        let user = Command::new("id").arg("-un").output().expect("there is id");
        let user = String::from_utf8_lossy(&user.stdout).trim().to_owned();
        format!("ssh://{user}@127.0.0.1:{}", self.port)
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join("sshd"))
        .find(|program| program.is_file())
}

fn make_key(path: &Path) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(path)
        .stdin(Stdio::null())
        .status();
    match made {
        Ok(status) => assert!(status.success(), "ssh-keygen makes a key"),
        Err(error) if error.kind() == ErrorKind::NotFound => panic!("sshd without ssh-keygen"),
        Err(error) => panic!("{error}"),
    }
}

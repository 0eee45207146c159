//! What comes from the system's package manager: compilers, and what Zellij is built with.

use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use super::Done;
use crate::places;
use crate::run::{execute, say};

/// Something to be found on the system, and the Debian packages that bring it.
struct Need {
    found: fn() -> bool,
    packages: &'static [&'static str],
    reason: &'static str,
}

const COMPILERS: Need = Need {
    found: || {
        works("cc", &["--version"]) && works("c++", &["--version"]) && works("make", &["--version"])
    },
    packages: &["gcc", "g++", "libc6-dev", "make"],
    reason: "libzmq is compiled from source",
};

const OPENSSL: Need = Need {
    found: || works("pkg-config", &["--exists", "openssl"]),
    packages: &["pkg-config", "libssl-dev"],
    reason: "Zellij, and the tests that use its code, link OpenSSL",
};

/// Nothing fails without it: the tests of tunnels say that they are skipped.
const SSH_SERVER: Need = Need {
    found: || places::on_path("sshd").is_some() || std::path::Path::new("/usr/sbin/sshd").exists(),
    packages: &["openssh-server", "openssh-client"],
    reason: "tunnels are tested with a real ssh server",
};

/// How the packages get onto this system.
#[derive(Debug, PartialEq, Eq)]
enum Way {
    /// Install them: we are root on a Debian-like system.
    Install,
    /// Tell the user what to type.
    Tell,
}

/// See that the system has what is compiled with; `zellij_code`: Zellij, or tests with its code, are
/// going to be built; `tests`: so is what is tested with.
pub(crate) fn setup(zellij_code: bool, tests: bool) -> Result<Done<()>> {
    let way = way(places::on_path("apt-get").is_some(), is_root());
    let mut needs = vec![COMPILERS];
    if zellij_code {
        needs.push(OPENSSL);
    }
    if tests && way == Way::Install {
        needs.push(SSH_SERVER);
    }
    needs.retain(|need| !(need.found)());
    if needs.is_empty() {
        return Ok(Done::Found(()));
    }
    let packages: Vec<&str> = needs
        .iter()
        .flat_map(|need| need.packages)
        .copied()
        .collect();
    let reasons: Vec<&str> = needs.iter().map(|need| need.reason).collect();
    let reason = reasons.join("; ");
    match way {
        Way::Install => {
            say(&format!("installing {}: {reason}", packages.join(" ")));
            execute(Command::new("apt-get").args(["-qq", "update"]))?;
            execute(
                Command::new("apt-get")
                    .args(["-y", "-qq", "--no-install-recommends", "install"])
                    .args(&packages)
                    .env("DEBIAN_FRONTEND", "noninteractive")
                    // Services that come with a package are not started: tests start their own.
                    .env("RUNLEVEL", "1")
                    .stdin(Stdio::null()),
            )?;
            Ok(Done::Brought(()))
        }
        Way::Tell => bail!(
            "system packages are missing ({reason}). On Debian and its kin, type:\n\n    \
             sudo apt-get install {}\n\nelsewhere install what is called like that, then run this again",
            packages.join(" ")
        ),
    }
}

fn way(has_apt: bool, is_root: bool) -> Way {
    if has_apt && is_root {
        Way::Install
    } else {
        Way::Tell
    }
}

fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn works(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_root_with_apt_installs_packages_everyone_else_is_told() {
        assert_eq!(way(true, true), Way::Install);
        assert_eq!(way(true, false), Way::Tell);
        assert_eq!(way(false, true), Way::Tell);
    }
}

//! Debian packages without touching the system: an apt with lists, cache and state of its own, whose
//! archive is the one that the system already uses.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::run::output;

/// An apt of our own, in a folder.
pub(super) struct Apt {
    folder: PathBuf,
}

impl Apt {
    /// Open one for suites (`testing`, `bookworm`, `bookworm-security`); the first time, this fetches
    /// their lists of packages.
    pub(super) fn open(folder: &Path, suites: &[&str]) -> Result<Apt> {
        if crate::places::on_path("apt-get").is_none()
            || crate::places::on_path("dpkg-deb").is_none()
        {
            bail!("this is no Debian-like system");
        }
        let apt = Apt {
            folder: folder.to_owned(),
        };
        if folder.join("lists-complete").exists() {
            return Ok(apt);
        }
        std::fs::create_dir_all(folder.join("lists/partial"))?;
        std::fs::create_dir_all(folder.join("cache/archives/partial"))?;
        std::fs::write(folder.join("status"), "")?;
        let known = output(Command::new("apt-get").args([
            "indextargets",
            "--format",
            "$(REPO_URI) $(CODENAME)",
            "Created-By: Packages",
        ]))
        .context("apt does not tell which archive it uses")?;
        let codename = codename()?;
        std::fs::write(
            folder.join("sources.list"),
            sources(&known, &codename, suites)?,
        )?;
        output(apt.command("apt-get").args(["-qq", "update"]))
            .context("cannot fetch Debian's lists of packages")?;
        std::fs::write(folder.join("lists-complete"), "")?;
        Ok(apt)
    }

    /// Download packages, not what they depend on; `NAME=VERSION` names a version.
    pub(super) fn download(&self, packages: &[&str]) -> Result<Vec<PathBuf>> {
        let folder = self.folder.join("downloads");
        std::fs::create_dir_all(&folder)?;
        output(
            self.command("apt-get")
                .args(["-qq", "download"])
                .args(packages)
                .current_dir(&folder),
        )
        .with_context(|| format!("cannot download {}", packages.join(", ")))?;
        debs(&folder)
    }

    /// Download packages and all that they depend on.
    pub(super) fn download_with_dependencies(&self, packages: &[&str]) -> Result<Vec<PathBuf>> {
        // With an empty state nothing counts as installed, so apt fetches every dependency.
        output(
            self.command("apt-get")
                .args(["-y", "-qq", "--download-only", "install"])
                .args(packages),
        )
        .with_context(|| format!("cannot download {}", packages.join(", ")))?;
        debs(&self.folder.join("cache/archives"))
    }

    /// The version of a package that would be installed.
    pub(super) fn candidate(&self, package: &str) -> Result<String> {
        let policy = output(self.command("apt-cache").args(["policy", package]))?;
        candidate_in(&policy)
            .with_context(|| format!("Debian has no package {package} for this machine"))
    }

    /// The first dependency of a package whose name starts so.
    pub(super) fn dependency(&self, package: &str, prefix: &str) -> Result<String> {
        let record = output(self.command("apt-cache").args(["show", package]))?;
        dependency_in(&record, prefix).with_context(|| format!("{package} depends on no {prefix}…"))
    }

    fn command(&self, tool: &str) -> Command {
        let mut command = Command::new(tool);
        let own = |key: &str, place: &str| format!("-o{key}={}", self.folder.join(place).display());
        command
            .arg(own("Dir::State::Lists", "lists"))
            .arg(own("Dir::State::status", "status"))
            .arg(own("Dir::Cache", "cache"))
            .arg(own("Dir::Etc::sourcelist", "sources.list"))
            .args([
                "-oDir::Etc::sourceparts=/dev/null",
                "-oDir::Etc::preferences=/dev/null",
                "-oDir::Etc::preferencesparts=/dev/null",
                "-oAPT::Install-Recommends=false",
                "-oAcquire::Languages=none",
                "-oAcquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
                "-oAcquire::Retries=3",
                // what apt fetches belongs to whoever runs this
                "-oAPT::Sandbox::User=",
            ])
            .env("DEBIAN_FRONTEND", "noninteractive");
        command
    }
}

/// The codename of the Debian that this machine runs.
pub(super) fn codename() -> Result<String> {
    let text = std::fs::read_to_string("/etc/os-release").context("cannot read /etc/os-release")?;
    text.lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="))
        .map(|name| name.trim_matches('"').to_owned())
        .context("this system has no codename")
}

/// The lines of sources.list for suites, from what apt knows: lines of an archive's address and a
/// codename.
fn sources(known: &str, codename: &str, suites: &[&str]) -> Result<String> {
    const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
    let address_of = |name: &str| {
        let mut pairs = known.lines().filter_map(|line| line.trim().split_once(' '));
        pairs
            .find(|(_, of)| *of == name)
            .map(|(address, _)| address)
    };
    let main = address_of(codename).context("apt uses no Debian archive")?;
    let security = address_of(&format!("{codename}-security"));
    let mut lines = Vec::new();
    for suite in suites {
        let address = if suite.ends_with("-security") {
            security
        } else {
            Some(main)
        };
        if let Some(address) = address {
            lines.push(format!(
                "deb [signed-by={KEYRING}] {address} {suite} main\n"
            ));
        }
    }
    Ok(lines.concat())
}

fn candidate_in(policy: &str) -> Option<String> {
    let version = policy
        .lines()
        .find_map(|line| line.trim().strip_prefix("Candidate: "))?;
    (version != "(none)").then(|| version.to_owned())
}

fn dependency_in(record: &str, prefix: &str) -> Option<String> {
    let depends = record
        .lines()
        .find_map(|line| line.strip_prefix("Depends: "))?;
    depends
        .split([',', '|'])
        .filter_map(|dependency| dependency.split_whitespace().next())
        .find(|name| name.starts_with(prefix))
        .map(str::to_owned)
}

fn debs(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_name_the_archive_that_the_system_uses() {
        let known = "http://archive.test/debian/ bookworm\n\
                     http://archive.test/debian/ bookworm-updates\n\
                     http://archive.test/security/ bookworm-security\n";
        let own = sources(known, "bookworm", &["bookworm", "bookworm-security"]).unwrap();
        let lines: Vec<&str> = own.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].ends_with("http://archive.test/debian/ bookworm main"));
        assert!(lines[1].ends_with("http://archive.test/security/ bookworm-security main"));
        let newer = sources(known, "bookworm", &["testing"]).unwrap();
        assert!(newer.ends_with("http://archive.test/debian/ testing main\n"));
        assert!(sources(known, "noble", &["testing"]).is_err());
    }

    #[test]
    fn a_candidate_is_a_version_or_nothing() {
        let policy = "rustc-web:\n  Installed: (none)\n  Candidate: 1.85.0~deb12u3\n";
        assert_eq!(candidate_in(policy).unwrap(), "1.85.0~deb12u3");
        assert_eq!(candidate_in("x:\n  Candidate: (none)\n"), None);
    }

    #[test]
    fn a_dependency_is_found_by_the_start_of_its_name() {
        let record = "Package: p\nDepends: libc6 (>= 2.3), libllvm19 (>= 1) | libllvm18, gcc\n";
        assert_eq!(dependency_in(record, "libllvm").unwrap(), "libllvm19");
        assert_eq!(dependency_in(record, "clang"), None);
    }
}

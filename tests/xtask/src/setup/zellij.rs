//! Zellij: an installed one that is new enough, else one built from crates.io into the tools folder.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::Done;
use crate::places;
use crate::run::{run_long, say};

/// The version that is built where none is installed, and that the plugin is made for.
pub(crate) const BUILT: Version = Version(0, 45, 1);
/// The oldest version that runs the plugin; earlier servers hang at its queries.
pub(crate) const OLDEST: Version = Version(0, 44, 3);
/// Variable that names a Zellij to use instead of looking for one.
pub(crate) const VARIABLE: &str = "STUI_ZELLIJ";

/// Crates of its WebAssembly interpreter: slow plugins without optimisation.
const INTERPRETER: [&str; 4] = ["wasmi", "wasmi_core", "wasmi_ir", "wasmi_collections"];

/// Major, minor, patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(u32, u32, u32);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl Version {
    /// The version in what `zellij --version` prints: `zellij 0.45.1`.
    fn parse(printed: &str) -> Option<Version> {
        let word = printed.trim().strip_prefix("zellij ")?;
        // 0.46.0-rc1 counts as 0.46.0
        let number = word.split(['-', '+', ' ']).next()?;
        let mut parts = number.split('.').map(str::parse);
        let version = Version(
            parts.next()?.ok()?,
            parts.next()?.ok()?,
            parts.next()?.ok()?,
        );
        parts.next().is_none().then_some(version)
    }
}

/// A Zellij that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Zellij {
    pub(crate) path: PathBuf,
    pub(crate) version: Version,
}

/// The first Zellij that is new enough: the one named in `STUI_ZELLIJ`, on PATH, in the tools folder.
pub(super) fn find(tools: &Path) -> Option<Zellij> {
    let named = env::var_os(VARIABLE).map(PathBuf::from);
    let candidates = [named, places::on_path("zellij"), Some(built_path(tools))];
    pick(candidates.into_iter().flatten().map(|path| {
        let version = version_of(&path);
        (path, version)
    }))
}

fn pick(candidates: impl IntoIterator<Item = (PathBuf, Option<Version>)>) -> Option<Zellij> {
    candidates
        .into_iter()
        .filter_map(|(path, version)| version.map(|version| Zellij { path, version }))
        .find(|zellij| zellij.version >= OLDEST)
}

/// Build Zellij if none was found.
pub(super) fn setup(found: Option<Zellij>, tools: &Path) -> Result<Done<Zellij>> {
    if let Some(zellij) = found {
        return Ok(Done::Found(zellij));
    }
    let why = match places::on_path("zellij").map(|path| (version_of(&path), path)) {
        None => "no zellij is on PATH".to_owned(),
        Some((None, path)) => format!("{} does not tell its version", path.display()),
        Some((Some(version), path)) => {
            format!(
                "{} is {version}, STUI needs {OLDEST} or later",
                path.display()
            )
        }
    };
    let root = root(tools);
    say(&format!(
        "building Zellij {BUILT} from crates.io into {}: {why}. About six minutes on two cores.",
        root.display()
    ));
    build(&root, tools)?;
    let path = built_path(tools);
    match version_of(&path) {
        Some(version) if version >= OLDEST => Ok(Done::Brought(Zellij { path, version })),
        _ => bail!("{} was built but does not run", path.display()),
    }
}

fn build(root: &Path, tools: &Path) -> Result<()> {
    // cargo's own target folder is kept only until the program is installed: it takes 0.8 GB
    let target = tools.join("zellij-target");
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args(["install", "--locked", "zellij", "--version"])
        .arg(BUILT.to_string())
        .arg("--root")
        .arg(root)
        // without its web server, which needs a vendored libcurl
        .arg("--no-default-features");
    for package in INTERPRETER {
        command.args([
            "--config",
            &format!("profile.release.package.{package}.opt-level=3"),
        ]);
    }
    command
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .env("CARGO_TARGET_DIR", &target)
        // outside the workspace, so that its settings do not reach into the build
        .current_dir(tools);
    run_long(
        &mut command,
        &tools.join("zellij.log"),
        "building Zellij",
        Duration::from_secs(20),
        Duration::from_secs(45 * 60),
    )?;
    std::fs::remove_dir_all(&target).with_context(|| format!("cannot remove {}", target.display()))
}

fn root(tools: &Path) -> PathBuf {
    tools.join(format!("zellij-{BUILT}"))
}

fn built_path(tools: &Path) -> PathBuf {
    root(tools).join("bin/zellij")
}

fn version_of(zellij: &Path) -> Option<Version> {
    let output = Command::new(zellij)
        .arg("--version")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    Version::parse(&String::from_utf8_lossy(&output.stdout))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_what_zellij_prints() {
        assert_eq!(Version::parse("zellij 0.45.1\n"), Some(Version(0, 45, 1)));
        assert_eq!(Version::parse("zellij 0.46.0-rc1"), Some(Version(0, 46, 0)));
        assert_eq!(Version::parse("zellij 1.2"), None);
        assert_eq!(Version::parse("zellij 1.2.3.4"), None);
        assert_eq!(Version::parse("zsh 5.9"), None);
        assert_eq!(Version::parse(""), None);
    }

    #[test]
    fn versions_compare_by_number_not_by_text() {
        assert!(Version(0, 9, 12) < OLDEST);
        assert!(Version(0, 44, 3) >= OLDEST);
        assert!(Version(0, 44, 2) < OLDEST);
        assert!(Version(0, 100, 0) > BUILT);
    }

    #[test]
    fn the_first_that_runs_and_is_new_enough_is_picked() {
        let candidates = [
            ("broken", None),
            ("old", Some(Version(0, 43, 1))),
            ("good", Some(OLDEST)),
            ("better", Some(BUILT)),
        ];
        let candidates = candidates.map(|(path, version)| (PathBuf::from(path), version));
        let picked = pick(candidates.clone()).unwrap();
        assert_eq!(picked.path, PathBuf::from("good"));
        assert_eq!(pick(candidates.into_iter().take(2)), None);
    }
}

//! Fetching a Pharo: the way that its makers document, `curl https://get.pharo.org/64/120+vm | bash`,
//! into a folder of our own, and looked at before it is used.
//!
//! The script is fetched by https. What it fetches itself comes, at the time of writing, by plain http
//! from files.pharo.org, and nobody has signed it: that cannot be verified here, and the user is told.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::images::{Environment, on_path};
use crate::places::Places;
use crate::process::run_bounded;

/// How long the script itself may take to arrive.
const SCRIPT_LIMIT: Duration = Duration::from_secs(60);
/// How long the VM may take to say the version of the image.
const TRY_LIMIT: Duration = Duration::from_secs(120);
/// First bytes of an image of a 64-bit Pharo: the format's number, in either order of versions.
const FORMATS: [u32; 3] = [68_019, 68_021, 68_533];

/// A version of Pharo that STUI is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Version {
    /// Pharo 12.
    #[value(name = "12")]
    Twelve,
    /// Pharo 13.
    #[value(name = "13")]
    Thirteen,
}

impl Version {
    /// As people write it.
    pub fn number(self) -> &'static str {
        match self {
            Version::Twelve => "12",
            Version::Thirteen => "13",
        }
    }

    /// Where its script is.
    pub fn address(self) -> String {
        format!("https://get.pharo.org/64/{}0+vm", self.number())
    }
}

/// Why there is no Pharo now.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GetError {
    /// Programs are missing.
    #[error("{0} is needed to fetch Pharo and is not on PATH; install it and try again")]
    Program(&'static str),
    /// The script did not arrive.
    #[error(
        "cannot fetch {address}: {reason}; without a network, bring a Pharo from another machine and name it with --image and --vm"
    )]
    Unreachable {
        /// Where from.
        address: String,
        /// What the program that fetches said.
        reason: String,
    },
    /// What arrived is no script.
    #[error(
        "{0} answered something else than a script; is there a portal between you and the network?"
    )]
    NotAScript(String),
    /// The script failed.
    #[error(
        "the script of get.pharo.org failed: {0}; try again, or fetch Pharo by hand and name it with --image and --vm"
    )]
    Script(String),
    /// What it fetched is not what it should be.
    #[error("what get.pharo.org brought cannot be used: {0}; it is not kept, try again")]
    Unusable(String),
    /// The disk says no.
    #[error("cannot write {}: {source}", path.display())]
    Disk {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The folder of a fetched version.
pub fn folder(places: &Places, version: Version) -> PathBuf {
    places.pharo().join("get").join(version.number())
}

/// Fetches a version, and answers its folder. One that is there already is left as it is.
///
/// # Errors
/// If it cannot be fetched or used; then nothing is kept.
pub fn get(
    places: &Places,
    environment: &Environment,
    version: Version,
) -> Result<PathBuf, GetError> {
    let folder = folder(places, version);
    if folder.join("Pharo.image").is_file() && folder.join("pharo").is_file() {
        return Ok(folder);
    }
    let program = |name| on_path(&environment.path, name);
    let bash = program("bash").ok_or(GetError::Program("bash"))?;
    program("unzip").ok_or(GetError::Program("unzip"))?;
    let fetch = match (program("curl"), program("wget")) {
        (Some(curl), _) => curl_command(&curl),
        (None, Some(wget)) => wget_command(&wget),
        (None, None) => return Err(GetError::Program("curl or wget")),
    };
    let new = folder.with_extension(format!("{}.new", std::process::id()));
    fs::create_dir_all(&new).map_err(|source| GetError::Disk {
        path: new.clone(),
        source,
    })?;
    let fetched = script(fetch, &version.address())
        .and_then(|text| run_script(&bash, &new, &text))
        .and_then(|()| check(&new, version))
        .and_then(|()| {
            // What is left of a version that is not whole.
            let _ = fs::remove_dir_all(&folder);
            fs::rename(&new, &folder).map_err(|source| GetError::Disk {
                path: folder.clone(),
                source,
            })
        });
    if fetched.is_err() {
        let _ = fs::remove_dir_all(&new);
    }
    fetched.map(|()| folder)
}

fn curl_command(curl: &Path) -> Command {
    let mut command = Command::new(curl);
    command.args([
        "--fail",
        "--silent",
        "--show-error",
        "--location",
        "--proto",
        "=https",
    ]);
    command
}

fn wget_command(wget: &Path) -> Command {
    let mut command = Command::new(wget);
    command.args(["--no-verbose", "--output-document=-"]);
    command
}

/// The text of the script.
fn script(mut fetch: Command, address: &str) -> Result<Vec<u8>, GetError> {
    let unreachable = |reason: String| GetError::Unreachable {
        address: address.to_owned(),
        reason,
    };
    let output = run_bounded(fetch.arg(address), SCRIPT_LIMIT)
        .map_err(|error| unreachable(error.to_string()))?;
    if !output.status.success() {
        return Err(unreachable(last_line(
            &output.stderr,
            "it does not say why",
        )));
    }
    if output.stdout.starts_with(b"#!") {
        Ok(output.stdout)
    } else {
        Err(GetError::NotAScript(address.to_owned()))
    }
}

/// Runs the script in a folder; it says on standard error what it fetches.
fn run_script(bash: &Path, folder: &Path, text: &[u8]) -> Result<(), GetError> {
    let disk = |source| GetError::Disk {
        path: folder.to_owned(),
        source,
    };
    let script = folder.join("get.sh");
    fs::write(&script, text).map_err(disk)?;
    let status = Command::new(bash)
        .args(["-e", "-o", "pipefail"])
        .arg(&script)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .map_err(|error| GetError::Script(error.to_string()))?;
    fs::remove_file(&script).map_err(disk)?;
    if status.success() {
        Ok(())
    } else {
        Err(GetError::Script(status.to_string()))
    }
}

/// Whether what was fetched is a Pharo of that version that runs here.
fn check(folder: &Path, version: Version) -> Result<(), GetError> {
    let image = folder.join("Pharo.image");
    let head = fs::read(&image)
        .map_err(|error| GetError::Unusable(format!("there is no image ({error})")))?;
    let format = head.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
    if !format.is_some_and(|format| FORMATS.contains(&format)) {
        return Err(GetError::Unusable(
            "the image is no 64-bit Pharo image".into(),
        ));
    }
    let mut command = Command::new(folder.join("pharo"));
    command.args(["--headless", "Pharo.image", "--no-default-preferences"]);
    command
        .args(["eval", "SystemVersion current major"])
        .current_dir(folder);
    let output = run_bounded(&mut command, TRY_LIMIT)
        .map_err(|error| GetError::Unusable(format!("its VM does not run ({error})")))?;
    let said = String::from_utf8_lossy(&output.stdout);
    if said.lines().any(|line| line.trim() == version.number()) {
        Ok(())
    } else {
        Err(GetError::Unusable(format!(
            "its VM does not run the image: {}",
            last_line(&output.stderr, said.trim())
        )))
    }
}

fn last_line(bytes: &[u8], otherwise: &str) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().rev().find(|line| !line.trim().is_empty());
    line.unwrap_or(otherwise).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// A home directory with these programs, and nothing else on its search path.
    fn home(programs: &[(&str, &str)]) -> (tempfile::TempDir, Places, Environment) {
        let home = tempfile::tempdir().unwrap();
        let bin = home.path().join("bin");
        fs::create_dir(&bin).unwrap();
        for (name, text) in programs {
            let path = bin.join(name);
            fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let environment = Environment {
            path: bin.into(),
            ..Environment::default()
        };
        let places = Places::below(home.path());
        (home, places, environment)
    }

    /// Fetches with a stand-in for curl that answers so.
    fn get_with(curl: &str) -> (tempfile::TempDir, Places, Result<PathBuf, GetError>) {
        let programs = [
            ("bash", "exec /bin/sh \"$4\""),
            ("unzip", ""),
            ("curl", curl),
        ];
        let (home, places, environment) = home(&programs);
        let got = get(&places, &environment, Version::Twelve);
        (home, places, got)
    }

    #[test]
    fn what_is_needed_and_missing_is_named() {
        for (programs, missing) in [
            (vec![], "bash"),
            (vec![("bash", "")], "unzip"),
            (vec![("bash", ""), ("unzip", "")], "curl or wget"),
        ] {
            let (_home, places, environment) = home(&programs);
            let error = get(&places, &environment, Version::Twelve).unwrap_err();
            assert!(error.to_string().starts_with(missing), "{error}");
        }
    }

    #[test]
    fn without_a_network_one_sentence_says_so_and_nothing_is_left() {
        let (_home, places, got) = get_with("echo 'curl: (6) Could not resolve host' >&2; exit 6");
        let sentence = got.unwrap_err().to_string();
        assert!(sentence.contains("Could not resolve host"), "{sentence}");
        assert!(sentence.contains("without a network"), "{sentence}");
        let left = fs::read_dir(places.pharo().join("get")).unwrap().count();
        assert_eq!(left, 0);
    }

    #[test]
    fn what_is_no_script_or_brings_no_pharo_is_not_kept() {
        for (curl, expected) in [
            ("echo '<html>log in</html>'", "something else than a script"),
            (
                "printf '#!/bin/sh\\nexit 3\\n'",
                "the script of get.pharo.org failed",
            ),
            ("printf '#!/bin/sh\\n'", "there is no image"),
            (
                "printf '#!/bin/sh\\necho no image >Pharo.image\\n'",
                "no 64-bit Pharo image",
            ),
        ] {
            let (_home, places, got) = get_with(curl);
            let sentence = got.unwrap_err().to_string();
            assert!(sentence.contains(expected), "{sentence}");
            assert!(!folder(&places, Version::Twelve).exists());
        }
    }

    #[test]
    fn an_image_that_its_vm_runs_is_kept_and_not_fetched_again() {
        // The first bytes of an image, and a VM that says the version.
        let script = "#!/bin/sh\n\
            printf '\\265\\011\\001\\000' >Pharo.image\n\
            printf '#!/bin/sh\\necho 12\\n' >pharo\n\
            chmod +x pharo\n";
        let curl = format!("cat <<'END'\n{script}END");
        let (home, places, got) = get_with(&curl);
        assert_eq!(got.unwrap(), folder(&places, Version::Twelve));
        fs::remove_file(home.path().join("bin/curl")).unwrap();
        let nothing = Environment::default();
        assert!(get(&places, &nothing, Version::Twelve).is_ok());
        assert!(get(&places, &nothing, Version::Thirteen).is_err());
    }
}

//! Rust's standard library for WebAssembly, which the plugin is compiled with.
//!
//! Three routes, tried in this order: rustup adds the target to the toolchain in use; Debian's prebuilt
//! packages of a newer Rust are unpacked into the tools folder; Debian's packages of an older one are,
//! and the library is built with them. The last two are for machines that reach package registries
//! but not rustup's own server; they bring a compiler of their own, which then compiles the plugin
//! (never anything else), because a library fits only the compiler that it was made by.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use self::debian::Apt;
use super::Done;
use crate::run::{output, run_long, say};

mod build_std;
mod debian;
mod prebuilt;

/// The target of Zellij's plugins.
pub(crate) const TARGET: &str = "wasm32-wasip1";
/// Variable that names the only route to try.
const ROUTE_VARIABLE: &str = "STUI_WASM_ROUTE";

/// Which compiler builds the plugin.
pub(crate) enum WasmCompiler {
    /// The toolchain in use has the target.
    Own,
    /// This `rustc`, which came with the target.
    Unpacked(PathBuf),
}

impl fmt::Display for WasmCompiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WasmCompiler::Own => write!(f, "the toolchain in use has {TARGET}"),
            WasmCompiler::Unpacked(rustc) => write!(f, "{}", rustc.display()),
        }
    }
}

/// A way to get the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    Rustup,
    Prebuilt,
    Build,
}

impl Route {
    /// The routes to try, given the value of `STUI_WASM_ROUTE`.
    fn to_try(named: Option<&str>) -> Result<Vec<Route>> {
        Ok(match named {
            None | Some("") => vec![Route::Rustup, Route::Prebuilt, Route::Build],
            Some("rustup") => vec![Route::Rustup],
            Some("prebuilt") => vec![Route::Prebuilt],
            Some("build") => vec![Route::Build],
            Some(other) => {
                bail!("{ROUTE_VARIABLE}={other} is no route; it may be rustup, prebuilt or build")
            }
        })
    }

    fn word(self) -> &'static str {
        match self {
            Route::Rustup => "rustup",
            Route::Prebuilt => "prebuilt",
            Route::Build => "build",
        }
    }

    /// The compiler of an earlier run, if this route was gone to its end.
    fn brought_before(self, folder: &Path) -> Option<WasmCompiler> {
        match self {
            Route::Rustup => toolchain_has_target().then_some(WasmCompiler::Own),
            Route::Prebuilt | Route::Build => {
                let folder = folder.join(self.word());
                let done = folder.join(DONE).exists();
                done.then(|| WasmCompiler::Unpacked(folder.join("rustc")))
            }
        }
    }

    fn go(self, folder: &Path) -> Result<WasmCompiler> {
        let own = folder.join(self.word());
        match self {
            Route::Rustup => by_rustup(folder).map(|()| WasmCompiler::Own),
            Route::Prebuilt => {
                say(
                    "unpacking Debian's Rust for WebAssembly (about 20 s, 0.7 GB) into the tools folder",
                );
                finish(&own, prebuilt::bring(&own, folder))
            }
            Route::Build => {
                say(
                    "building Rust's standard library for WebAssembly (about 3 minutes): \
                     there is no prebuilt one",
                );
                finish(&own, build_std::bring(&own, folder))
            }
        }
    }
}

/// File that marks a route gone to its end.
const DONE: &str = "complete";

/// See that the target is there; `folder` is for what has to be unpacked.
pub(super) fn setup(folder: &Path) -> Result<Done<WasmCompiler>> {
    let named = env::var(ROUTE_VARIABLE).ok();
    let routes = Route::to_try(named.as_deref())?;
    if let Some(compiler) = routes.iter().find_map(|route| route.brought_before(folder)) {
        return Ok(Done::Found(compiler));
    }
    std::fs::create_dir_all(folder)?;
    let mut reasons = Vec::new();
    for route in routes {
        match route.go(folder) {
            Ok(compiler) => return Ok(Done::Brought(compiler)),
            Err(error) => {
                say(&format!("{}: no ({error:#})", route.word()));
                reasons.push(format!("\n  {}: {error:#}", route.word()));
            }
        }
    }
    bail!(
        "the plugin needs Rust's standard library for {TARGET}, and no way to it worked:{}\n\
         With rustup, type `rustup target add {TARGET}`; without, install your distribution's package of it",
        reasons.concat()
    )
}

fn by_rustup(folder: &Path) -> Result<()> {
    if crate::places::on_path("rustup").is_none() {
        bail!("rustup is not installed");
    }
    say(&format!(
        "rustup target add {TARGET}: the plugin is compiled for it"
    ));
    run_long(
        Command::new("rustup").args(["target", "add", TARGET]),
        &folder.join("rustup.log"),
        "rustup",
        Duration::from_secs(15),
        Duration::from_secs(180),
    )
    .context("rustup did not add it")?;
    if !toolchain_has_target() {
        bail!("rustup added it to another toolchain than the one in use");
    }
    Ok(())
}

fn toolchain_has_target() -> bool {
    let sysroot = output(Command::new(rustc()).args(["--print", "sysroot"]));
    sysroot.is_ok_and(|sysroot| holds_std(Path::new(sysroot.trim())))
}

/// Whether a compiler's folder has the standard library for the target.
fn holds_std(sysroot: &Path) -> bool {
    let libraries = sysroot.join("lib/rustlib").join(TARGET).join("lib");
    std::fs::read_dir(libraries).is_ok_and(|entries| {
        entries.flatten().any(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("libstd-") && name.ends_with(".rlib")
        })
    })
}

fn rustc() -> std::ffi::OsString {
    env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}

/// Prove what a route brought and mark it complete, or clear it away.
fn finish(own: &Path, brought: Result<PathBuf>) -> Result<WasmCompiler> {
    let proved = brought.and_then(|rustc| {
        prove(&rustc, own)?;
        std::fs::write(own.join(DONE), "")?;
        Ok(WasmCompiler::Unpacked(rustc))
    });
    if proved.is_err() && own.exists() {
        // half a compiler would only mislead the next run
        std::fs::remove_dir_all(own)?;
    }
    proved
}

/// Compile and link a program with a compiler, for the target and for this machine (build scripts).
fn prove(rustc: &Path, folder: &Path) -> Result<()> {
    let proof = folder.join("proof");
    std::fs::create_dir_all(&proof)?;
    let source = proof.join("proof.rs");
    std::fs::write(
        &source,
        "fn main() { println!(\"{:?}\", std::env::args()); }\n",
    )?;
    let host = host()?;
    for target in [TARGET, host.as_str()] {
        output(
            Command::new(rustc)
                .args(["--edition", "2021", "-O", "--target", target, "-o"])
                .arg(proof.join("proof"))
                .arg(&source),
        )
        .with_context(|| format!("the compiler that was brought does not compile for {target}"))?;
    }
    std::fs::remove_dir_all(&proof)?;
    Ok(())
}

/// The triple of this machine, as rustc calls it.
fn host() -> Result<String> {
    let version = output(Command::new(rustc()).arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .context("rustc does not tell its host")
}

/// The linker for WebAssembly that comes with the toolchain in use, put where an unpacked compiler
/// looks for it.
fn lend_linker(to_sysroot: &Path) -> Result<()> {
    let host = host()?;
    let ours = output(Command::new(rustc()).args(["--print", "sysroot"]))?;
    let within = |sysroot: &Path| sysroot.join("lib/rustlib").join(&host).join("bin");
    let linker = within(Path::new(ours.trim())).join("rust-lld");
    if !linker.exists() {
        bail!("the toolchain in use has no rust-lld, the linker for WebAssembly");
    }
    let folder = within(to_sysroot);
    std::fs::create_dir_all(&folder)?;
    link(&linker, &folder.join("rust-lld"))
}

/// Make a symbolic link, instead of what may be there.
fn link(to: &Path, at: &Path) -> Result<()> {
    if at.symlink_metadata().is_ok() {
        std::fs::remove_file(at)?;
    }
    std::os::unix::fs::symlink(to, at)
        .with_context(|| format!("cannot make the link {}", at.display()))
}

/// Write an executable script.
fn write_script(path: &Path, text: &str) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))?;
    Ok(())
}

/// The newer Debian whose prebuilt packages are taken.
fn newer_debian(folder: &Path) -> Result<Apt> {
    const SUITE: &str = "testing";
    Apt::open(&folder.join("apt-newer"), &[SUITE])
}

/// The Debian that this machine runs.
fn own_debian(folder: &Path) -> Result<Apt> {
    let codename = debian::codename()?;
    let security = format!("{codename}-security");
    Apt::open(&folder.join("apt-own"), &[&codename, &security])
}

/// Unpack packages, leaving out what a compiler does not need.
fn unpack(packages: &[PathBuf], into: &Path) -> Result<()> {
    const LEFT_OUT: [&str; 5] = [
        "./usr/share/*",
        "./usr/include/*",
        "./usr/src/*/compiler",
        "./usr/src/*/src",
        "./usr/src/*/tests",
    ];
    std::fs::create_dir_all(into)?;
    for package in packages {
        let mut archive = Command::new("dpkg-deb")
            .arg("--fsys-tarfile")
            .arg(package)
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot run dpkg-deb")?;
        let stream = archive.stdout.take().context("dpkg-deb has no output")?;
        let unpacked = Command::new("tar")
            .args(["-x", "--wildcards", "--no-wildcards-match-slash", "-C"])
            .arg(into)
            .args(LEFT_OUT.map(|pattern| format!("--exclude={pattern}")))
            .stdin(stream)
            .status()
            .context("cannot run tar")?;
        if !archive.wait()?.success() || !unpacked.success() {
            bail!("cannot unpack {}", package.display());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_routes_are_tried_unless_one_is_named() {
        let all = [Route::Rustup, Route::Prebuilt, Route::Build];
        assert_eq!(Route::to_try(None).unwrap(), all);
        assert_eq!(Route::to_try(Some("")).unwrap(), all);
        assert_eq!(Route::to_try(Some("build")).unwrap(), [Route::Build]);
        let error = Route::to_try(Some("magic")).unwrap_err().to_string();
        assert!(error.contains("rustup, prebuilt or build"), "{error}");
    }

    #[test]
    fn an_unpacked_route_counts_only_once_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("prebuilt");
        std::fs::create_dir_all(&own).unwrap();
        std::fs::write(own.join("rustc"), "").unwrap();
        assert!(Route::Prebuilt.brought_before(folder.path()).is_none());
        std::fs::write(own.join(DONE), "").unwrap();
        assert!(Route::Prebuilt.brought_before(folder.path()).is_some());
        assert!(Route::Build.brought_before(folder.path()).is_none());
    }

    #[test]
    fn what_fails_is_cleared_away() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("prebuilt");
        std::fs::create_dir_all(own.join("root")).unwrap();
        assert!(finish(&own, Ok(PathBuf::from("/bin/false"))).is_err());
        assert!(!own.exists());
    }

    #[test]
    fn a_standard_library_is_one_that_lies_under_the_target() {
        let sysroot = tempfile::tempdir().unwrap();
        assert!(!holds_std(sysroot.path()));
        let libraries = sysroot.path().join("lib/rustlib").join(TARGET).join("lib");
        std::fs::create_dir_all(&libraries).unwrap();
        std::fs::write(libraries.join("libcore-1.rlib"), "").unwrap();
        assert!(!holds_std(sysroot.path()));
        std::fs::write(libraries.join("libstd-1.rlib"), "").unwrap();
        assert!(holds_std(sysroot.path()));
    }
}

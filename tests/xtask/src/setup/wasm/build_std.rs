//! The route of last resort: the Rust that the running Debian keeps for building browsers, with its
//! sources, from which the standard library for WebAssembly is built.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{TARGET, lend_linker, link, newer_debian, own_debian, unpack, write_script};
use crate::run::run_long;

/// The compiler's package and that of its sources.
const COMPILER: &str = "rustc-web";
const SOURCES: &str = "rust-web-src";
const LIBRARIES: &str = "libstd-rust-web-dev";

/// Unpack a compiler into `own`, build the library, and return its `rustc`.
pub(super) fn bring(own: &Path, folder: &Path) -> Result<PathBuf> {
    if own.exists() {
        fs::remove_dir_all(own)?;
    }
    let root = own.join("unpacked");
    let usr = root.join("usr");
    unpack(&download(folder)?, &root)?;
    lend_linker(&usr)?;
    lend_sources(&usr)?;

    let rustc = own.join("rustc");
    write_script(&rustc, SCRIPT)?;
    let libraries = usr.join("lib/rustlib").join(TARGET).join("lib");
    copy_wasi_libc(&usr, &libraries.join("self-contained"))?;
    build(&rustc, own, &libraries)?;
    for apt in ["apt-own", "apt-newer"] {
        if folder.join(apt).exists() {
            fs::remove_dir_all(folder.join(apt))?;
        }
    }
    Ok(rustc)
}

const SCRIPT: &str = "#!/bin/sh\n\
    # Debian's rustc with the LLVM that it was made with\n\
    root=$(dirname \"$(readlink -f \"$0\")\")/unpacked/usr\n\
    for folder in \"$root\"/lib/*-linux-gnu; do libraries=$folder; done\n\
    LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} exec \"$root/bin/rustc\" \"$@\"\n";

fn download(folder: &Path) -> Result<Vec<PathBuf>> {
    let own = own_debian(folder)?;
    let version = own.candidate(COMPILER)?;
    let of_version = |package: &str| format!("{package}={version}");
    // the library's package and LLVM's have their versions in their names
    let std = own.dependency(&of_version(LIBRARIES), "libstd-rust-web-")?;
    let llvm = own.dependency(&std, "libllvm")?;
    let mut packages = own.download(&[
        &of_version(COMPILER),
        &of_version(SOURCES),
        &of_version(LIBRARIES),
        &std,
        &llvm,
    ])?;
    // older ones lack functions that the library wants
    let wasi = newer_debian(folder).and_then(|newer| newer.download(&["wasi-libc"]));
    match wasi {
        Ok(found) => packages.extend(found),
        Err(_) => packages = own.download(&["wasi-libc"])?,
    }
    Ok(packages)
}

/// Put the sources where `-Z build-std` looks for them.
fn lend_sources(usr: &Path) -> Result<()> {
    let name = fs::read_dir(usr.join("src"))?
        .flatten()
        .map(|entry| entry.file_name())
        .find(|name| name.to_string_lossy().starts_with("rust"))
        .context("the sources of the standard library are not in their package")?;
    let place = usr.join("lib/rustlib/src");
    fs::create_dir_all(&place)?;
    link(&Path::new("../../../src").join(name), &place.join("rust"))
}

fn copy_wasi_libc(usr: &Path, into: &Path) -> Result<()> {
    let from = ["lib/wasm32-wasip1", "lib/wasm32-wasi"]
        .map(|folder| usr.join(folder))
        .into_iter()
        .find(|folder| folder.join("libc.a").exists())
        .context("wasi-libc is not in its package")?;
    fs::create_dir_all(into)?;
    for file in ["crt1-command.o", "crt1-reactor.o", "libc.a"] {
        fs::copy(from.join(file), into.join(file))
            .with_context(|| format!("cannot copy {file} of wasi-libc"))?;
    }
    Ok(())
}

/// Build the library as the dependency of an empty crate, and keep what cargo made of it.
fn build(rustc: &Path, own: &Path, libraries: &Path) -> Result<()> {
    let empty = own.join("empty");
    fs::create_dir_all(empty.join("src"))?;
    fs::write(
        empty.join("Cargo.toml"),
        "[package]\nname = \"empty\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[workspace]\n",
    )?;
    fs::write(empty.join("src/lib.rs"), "")?;
    let target = empty.join("target");
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args(["build", "--release", "--target", TARGET])
        .args(["-Z", "build-std=std,panic_abort,proc_macro,test"])
        .env("RUSTC", rustc)
        .env("RUSTC_BOOTSTRAP", "1")
        // a profile with link-time optimisation needs bitcode in the library
        // and what is built with it shall not name this machine's folders
        .env(
            "CARGO_ENCODED_RUSTFLAGS",
            format!(
                "-Cembed-bitcode=yes\x1f--remap-path-prefix={}=.",
                own.display()
            ),
        )
        .env("CARGO_TARGET_DIR", &target)
        .env_remove("CARGO_BUILD_TARGET")
        .current_dir(&empty);
    run_long(
        &mut command,
        &own.join("build.log"),
        "building the standard library",
        Duration::from_secs(20),
        Duration::from_secs(30 * 60),
    )?;
    let mut kept = 0;
    for entry in fs::read_dir(target.join(TARGET).join("release/deps"))?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if Path::new(&name).extension() == Some("rlib".as_ref()) && !name.starts_with("libempty") {
            fs::copy(entry.path(), libraries.join(&name))?;
            kept += 1;
        }
    }
    if kept == 0 {
        bail!("building the standard library made no library");
    }
    fs::remove_dir_all(&empty)?;
    Ok(())
}

//! The prebuilt route: Debian testing's Rust, which has a package of the standard library for
//! WebAssembly. Its programs want a newer C library than this system may have, so they run through
//! the dynamic loader that comes with them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{lend_linker, newer_debian, unpack, write_script};

/// Unpack the compiler into `own` and return its `rustc`.
pub(super) fn bring(own: &Path, folder: &Path) -> Result<PathBuf> {
    let root = own.join("unpacked");
    if own.exists() {
        fs::remove_dir_all(own)?;
    }
    let apt = newer_debian(folder)?;
    let mut packages =
        apt.download_with_dependencies(&["libstd-rust-dev", "libstd-rust-dev-wasm32"])?;
    // rustc itself alone: it depends on a C compiler, and this machine has one
    packages.extend(apt.download(&["rustc"])?);
    unpack(&packages, &root)?;
    lend_linker(&root.join("usr"))?;

    let loader = loader(&root)?;
    let libraries = loader_folder(&root)?;
    let rustc = own.join("rustc");
    write_script(&rustc, &script(&loader, &libraries))?;
    fs::remove_dir_all(folder.join("apt-newer"))?;
    Ok(rustc)
}

/// The dynamic loader's path within `root`.
fn loader(root: &Path) -> Result<String> {
    for folder in ["usr/lib64", "usr/lib"] {
        if let Some(name) = first_starting_with(&root.join(folder), "ld-linux") {
            return Ok(format!("{folder}/{name}"));
        }
    }
    Err(anyhow::anyhow!(
        "the unpacked packages have no dynamic loader"
    ))
}

/// The folder of shared libraries within `root`, such as `usr/lib/x86_64-linux-gnu`.
fn loader_folder(root: &Path) -> Result<String> {
    let entries = fs::read_dir(root.join("usr/lib"))?;
    entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .find(|name| name.ends_with("-linux-gnu"))
        .map(|name| format!("usr/lib/{name}"))
        .context("the unpacked packages have no shared libraries")
}

fn first_starting_with(folder: &Path, prefix: &str) -> Option<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .ok()?
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with(prefix))
        .collect();
    names.sort();
    names.into_iter().next()
}

fn script(loader: &str, libraries: &str) -> String {
    format!(
        "#!/bin/sh\n\
         # Debian's rustc with the C library that it was made for\n\
         root=$(dirname \"$(readlink -f \"$0\")\")/unpacked\n\
         exec \"$root/{loader}\" --library-path \"$root/{libraries}\" \"$root/usr/bin/rustc\" \"$@\"\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loader_and_the_libraries_are_found_where_debian_puts_them() {
        let root = tempfile::tempdir().unwrap();
        assert!(loader(root.path()).is_err());
        for file in [
            "usr/lib64/ld-linux-x86-64.so.2",
            "usr/lib/x86_64-linux-gnu/libc.so.6",
        ] {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        assert_eq!(
            loader(root.path()).unwrap(),
            "usr/lib64/ld-linux-x86-64.so.2"
        );
        assert_eq!(
            loader_folder(root.path()).unwrap(),
            "usr/lib/x86_64-linux-gnu"
        );
    }
}

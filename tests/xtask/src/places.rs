//! Where things are: the workspace, its target folder, the tools folder.

use std::env;
use std::path::{Path, PathBuf};

/// Variable that names the tools folder; without it, `target/tools` of the workspace.
pub(crate) const TOOLS_VARIABLE: &str = "STUI_TOOLS";

/// The workspace's folder.
pub(crate) fn workspace() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    // this package lies in tests/xtask
    package.ancestors().nth(2).unwrap_or(&package).to_owned()
}

/// Cargo's target folder for native code.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| workspace().join("target"), |dir| workspace().join(dir))
}

/// The folder that `setup` puts its tools into, kept apart from the system's.
pub(crate) fn tools() -> PathBuf {
    match env::var_os(TOOLS_VARIABLE) {
        Some(folder) if !folder.is_empty() => workspace().join(folder),
        _ => workspace().join("target/tools"),
    }
}

/// The target folder of the plugin. Its own, because another compiler may build it.
pub(crate) fn wasm_target() -> PathBuf {
    workspace().join("target/wasm")
}

/// The plugin once it is built.
pub(crate) fn plugin_wasm() -> PathBuf {
    wasm_target().join("wasm32-wasip1/plugin/stui-plugin.wasm")
}

/// The `stui` program of a cargo profile's folder (`debug`, `release`).
pub(crate) fn stui(profile: &str) -> PathBuf {
    target().join(profile).join("stui")
}

/// A program on `PATH`.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|candidate| is_executable(candidate))
}

/// Whether a path is a file that may be run.
pub(crate) fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

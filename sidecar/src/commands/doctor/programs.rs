//! Programs that STUI runs or runs in: the terminal, Zellij and the plugin in it, ssh, Pharo.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use super::findings::Findings;
use crate::config::{Config, Origin, Theme};
use crate::permissions;
use crate::places::Places;
use crate::plugin_file::{self, PLUGIN};
use crate::zellij::Zellij;

pub(super) fn terminal(findings: &mut Findings<impl Write>) {
    findings.about("terminal");
    if std::io::stdout().is_terminal() {
        let kind = std::env::var("TERM").unwrap_or_else(|_| "unknown".into());
        findings.ok(format!("there is one ({kind})"));
    } else {
        findings.note("there is none here: `stui up` needs one, `stui demo` does not");
    }
}

pub(super) fn zellij(program: Option<&Path>, findings: &mut Findings<impl Write>) {
    findings.about("zellij");
    let remedy = "or name one as `zellij` in the configuration";
    let zellij = match Zellij::find(program) {
        Ok(zellij) => zellij,
        Err(error) => return findings.problem(error, remedy),
    };
    match zellij.supported_version() {
        Ok(version) => findings.ok(format!("{version} ({})", zellij.program().display())),
        Err(error) => findings.problem(error, remedy),
    }
}

pub(super) fn plugin_inside(findings: &mut Findings<impl Write>) {
    findings.about("plugin");
    match PLUGIN {
        Some(plugin) => findings.ok(format!(
            "it is in this program ({} KB), of the same version",
            plugin.len() / 1024
        )),
        None => findings.problem("it is not in this program", plugin_file::NO_PLUGIN),
    }
}

pub(super) fn plugin_on_disk(places: &Places, findings: &mut Findings<impl Write>) {
    findings.about("plugin");
    let path = places.plugin();
    match std::fs::read(&path) {
        Ok(found) if Some(found.as_slice()) == PLUGIN => {
            findings.ok(format!("it is installed ({})", path.display()));
        }
        Ok(_) => findings.hint(
            format!("{} is of another version than this program", path.display()),
            "`stui up` replaces it; end sessions that run with the other one and open them again",
        ),
        Err(_) => findings.note("it is not installed yet; `stui up` does it"),
    }
}

pub(super) fn permissions(places: &Places, theme: Theme, findings: &mut Findings<impl Write>) {
    findings.about("permissions");
    let file = places.zellij_permissions();
    match permissions::missing(&file, &places.plugin(), &permissions::wanted(theme)) {
        Ok(missing) if missing.is_empty() => findings.ok("Zellij grants the plugin all it needs"),
        Ok(missing) => findings.hint(
            format!("not granted to the plugin: {}", missing.join(", ")),
            "`stui up` asks for them, or Zellij does in the panes",
        ),
        Err(error) => findings.problem(error, "mend or remove that file, then grant them again"),
    }
}

pub(super) fn ssh(config: &Config, findings: &mut Findings<impl Write>) {
    findings.about("ssh");
    let program = &config.ssh.value;
    match on_path(program) {
        Some(path) => findings.ok(format!("{} is there, for ssh://…", path.display())),
        None if config.ssh.origin == Origin::Default => {
            findings.note("there is no ssh on PATH; only `stui up --connect ssh://…` needs it");
        }
        None => findings.problem(
            format!(
                "{}, of {}, is no program",
                program.display(),
                config.ssh.origin
            ),
            "name an ssh that is there",
        ),
    }
}

pub(super) fn pharo(config: &Config, findings: &mut Findings<impl Write>) {
    findings.about("pharo");
    let (vm, image) = (&config.pharo_vm, &config.pharo_image);
    match (
        &vm.value,
        on_path(vm.value.as_deref().unwrap_or(Path::new("pharo"))),
    ) {
        (_, Some(path)) => findings.ok(format!("the VM {} is there", path.display())),
        (None, None) => findings
            .note("there is no `pharo` on PATH and none is configured; only Pharo images need it"),
        (Some(named), None) => findings.problem(
            format!(
                "the VM {}, of {}, is no program",
                named.display(),
                vm.origin
            ),
            "name a Pharo VM that is there",
        ),
    }
    let Some(path) = &image.value else {
        return;
    };
    if std::fs::File::open(path)
        .is_ok_and(|file| file.metadata().is_ok_and(|found| found.is_file()))
    {
        findings.ok(format!("the image {} can be read", path.display()));
    } else {
        findings.problem(
            format!(
                "the image {}, of {}, cannot be read",
                path.display(),
                image.origin
            ),
            "name an image that is there",
        );
    }
}

/// A program that is a path, or a name to be found on PATH; none, if it cannot be run.
fn on_path(program: &Path) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let can_be_run = |path: &PathBuf| {
        std::fs::metadata(path)
            .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    if program.components().count() > 1 {
        return Some(program.to_owned()).filter(can_be_run);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(can_be_run)
}

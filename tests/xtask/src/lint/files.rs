//! Rules about the files of the repository that no compiler checks.

use std::fs;
use std::path::Path;

use anyhow::{Result, bail};

use crate::build::private_folders;
use crate::places;

/// What may lie at the top.
const TOP: [&str; 14] = [
    ".cargo",
    ".ci",
    ".github",
    ".gitignore",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "layouts",
    "plugin",
    "sidecar",
    "smalltalk",
    "tests",
];

/// A library that only some files may name, by the start of their paths.
struct Boundary {
    names: &'static [&'static str],
    within: &'static [&'static str],
    because: &'static str,
}

/// The architecture's invariants about who knows what.
const BOUNDARIES: [Boundary; 2] = [
    Boundary {
        names: &["zmq::", "use zmq;", "use zmq as"],
        within: &[
            "sidecar/src/zmq_link",
            "smalltalk/embedded/src/server/router",
            "smalltalk/embedded/tests/",
            "sidecar/tests/",
            "tests/",
        ],
        because: "ZeroMQ is known to the sidecar's link and the server's router only",
    },
    Boundary {
        names: &["zellij_tile", "zellij_utils"],
        within: &[
            "plugin/src/main.rs",
            "plugin/src/zellij",
            "tests/plugin-host/",
            "tests/xtask/src/lint/",
        ],
        because: "Zellij's types are known to the plugin's rim and the fake host only",
    },
];

/// Words that mean that something is not done, cut in two so that this file does not contain them.
const UNFINISHED: [(&str, &str); 6] = [
    ("todo", "!("),
    ("unimplemented", "!("),
    ("dbg", "!("),
    ("#[", "ignore"),
    ("FIX", "ME"),
    ("XX", "X"),
];

/// Check them all; the error lists every offence.
pub(super) fn check() -> Result<()> {
    let workspace = places::workspace();
    let private: Vec<String> = private_folders()
        .iter()
        .map(|folder| folder.display().to_string())
        .collect();
    let mut offences = Vec::new();
    for path in super::tracked()? {
        offences.extend(of_place(&path));
        // what is no text has no rules; what is deleted but not yet committed is no offence
        if let Ok(text) = fs::read_to_string(workspace.join(&path)) {
            offences.extend(of_text(&path, &text, &private));
        }
    }
    if !offences.is_empty() {
        bail!("{} offences:\n  {}", offences.len(), offences.join("\n  "));
    }
    Ok(())
}

/// What is wrong with where a file lies.
fn of_place(path: &str) -> Option<String> {
    let top = path.split('/').next().unwrap_or(path);
    (!TOP.contains(&top)).then(|| format!("{path}: the top level has no place for it"))
}

/// What is wrong with what a file says.
fn of_text(path: &str, text: &str, private: &[String]) -> Vec<String> {
    let mut offences = Vec::new();
    if let Some(folder) = private.iter().find(|folder| names(text, folder)) {
        offences.push(format!("{path}: names {folder}, a folder of this machine"));
    }
    if Path::new(path).extension() != Some("rs".as_ref()) {
        return offences;
    }
    if !text.starts_with("//!") {
        offences.push(format!("{path}: no `//!` head that says what lives here"));
    }
    for boundary in &BOUNDARIES {
        let inside = boundary.within.iter().any(|place| path.starts_with(place));
        let named = boundary.names.iter().find(|name| text.contains(**name));
        if let (false, Some(name)) = (inside, named) {
            offences.push(format!("{path}: names `{name}`; {}", boundary.because));
        }
    }
    for (one, other) in UNFINISHED {
        let word = format!("{one}{other}");
        if text.contains(&word) {
            offences.push(format!("{path}: contains `{word}`, so it is not finished"));
        }
    }
    offences
}

/// Whether a text names a folder as a whole: `/home/ann` is not named by `/home/anna`.
fn names(text: &str, folder: &str) -> bool {
    text.match_indices(folder).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + folder.len()..].chars().next();
        let part_of_name = |c: char| c.is_alphanumeric() || "._-".contains(c);
        !before.is_some_and(part_of_name) && !after.is_some_and(part_of_name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_names_lie_at_the_top() {
        assert_eq!(of_place("plugin/src/lib.rs"), None);
        assert_eq!(of_place("README.md"), None);
        assert!(of_place("notes.txt").is_some());
        assert!(of_place("docs/page.md").is_some());
    }

    #[test]
    fn a_folder_is_named_only_as_a_whole() {
        assert!(names("see /home/ann/stui", "/home/ann"));
        assert!(!names("see /home/anna", "/home/ann"));
        assert!(!names("see sub/home/ann", "/home/ann"));
    }

    #[test]
    fn libraries_are_named_only_where_they_belong() {
        let text = "//! Head.\nuse zmq::Context;\n";
        assert_eq!(
            of_text("sidecar/src/zmq_link.rs", text, &[]),
            Vec::<String>::new()
        );
        assert_eq!(of_text("sidecar/src/hub.rs", text, &[]).len(), 1);
    }

    #[test]
    fn a_source_file_has_a_head_and_nothing_unfinished() {
        let unfinished = format!("fn f() {{ {}() }}", "todo!");
        assert_eq!(of_text("a.rs", &unfinished, &[]).len(), 2);
        assert_eq!(of_text("a.md", &unfinished, &[]), Vec::<String>::new());
    }

    #[test]
    fn a_path_of_this_machine_is_an_offence_in_any_text() {
        let private = ["/home/ann".to_owned()];
        assert_eq!(of_text("README.md", "cd /home/ann/stui", &private).len(), 1);
    }
}

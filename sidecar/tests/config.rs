//! `stui config` and what a broken configuration does to other commands, as a shell sees it.

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// `stui` in a home of its own, with nothing of the surroundings.
fn stui(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stui"));
    command
        .env_clear()
        .env("HOME", home)
        .env("XDG_RUNTIME_DIR", home.join("run"))
        .env("PATH", "/nowhere")
        .args(arguments)
        .stdin(Stdio::null());
    command
}

fn run(home: &Path, arguments: &[&str]) -> Output {
    stui(home, arguments).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn error(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A home with a configuration file.
fn home(configuration: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".config/stui");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.kdl"), configuration).unwrap();
    home
}

#[test]
fn the_example_saved_where_the_path_says_is_in_order() {
    let home = tempfile::tempdir().unwrap();
    let path = out(&run(home.path(), &["config", "path"]));
    let path = Path::new(path.trim());
    assert_eq!(path, home.path().join(".config/stui/config.kdl"));
    let nothing = run(home.path(), &["config", "check"]);
    assert!(nothing.status.success() && out(&nothing).contains("the defaults hold"));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, out(&run(home.path(), &["config", "example"]))).unwrap();
    let checked = run(home.path(), &["config", "check"]);
    assert!(checked.status.success(), "{}", error(&checked));
    assert_eq!(out(&checked), format!("{} is in order.\n", path.display()));
}

#[test]
fn each_setting_is_shown_with_where_it_comes_from() {
    let home = home("session \"work\"\ntheme \"zellij\"\nkeys { do_it \"F6\"; }\n");
    let shown = stui(home.path(), &["config", "show"])
        .env("STUI_THEME", "terminal")
        .output()
        .unwrap();
    let text = out(&shown);
    let line = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        let words = line.unwrap_or_else(|| panic!("{name} is not in {text}"));
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let file = home.path().join(".config/stui/config.kdl");
    assert_eq!(
        line("session"),
        format!("session \"work\" {}:1", file.display())
    );
    assert_eq!(line("theme"), "theme \"terminal\" $STUI_THEME");
    assert_eq!(line("guests"), "guests \"may-write\" default");
    assert_eq!(
        line("keys.do_it"),
        format!("keys.do_it \"F6\" {}:3", file.display())
    );
    assert!(shown.status.success());
}

#[test]
fn a_check_finds_all_mistakes_and_fails() {
    let home = home("guesst \"read-only\"\nlog {\n\tlevel \"loud\"\n}\n");
    for arguments in [
        &["config", "check"][..],
        &["config", "check", ".config/stui/config.kdl"],
        &["--config", ".config/stui/config.kdl", "config", "check"],
    ] {
        let checked = stui(home.path(), arguments)
            .current_dir(home.path())
            .output()
            .unwrap();
        let text = error(&checked);
        assert_eq!(checked.status.code(), Some(1), "{text}");
        assert!(
            text.contains("config.kdl:1:1: ") && text.contains("Did you mean `guests`?"),
            "{text}"
        );
        assert!(text.contains("config.kdl:3:8: "), "{text}");
        assert!(
            text.contains("\n 3 | \tlevel \"loud\"\n   | \t      ^^^^^^\n"),
            "{text}"
        );
    }
}

#[test]
fn nothing_starts_with_a_broken_file_and_the_message_says_all() {
    let home = home("guests \"nobody\"\nnonsense\n");
    let refused = run(home.path(), &["up"]);
    let text = error(&refused);
    assert_eq!(refused.status.code(), Some(1), "{text}");
    assert!(
        text.starts_with("stui: the configuration has 2 problems; mend them and try again:\n"),
        "{text}"
    );
    assert!(
        text.contains("config.kdl:1:8") && text.contains("config.kdl:2:1"),
        "{text}"
    );
    assert!(!home.path().join("run").exists(), "nothing was begun");
}

#[test]
fn a_file_that_is_named_has_to_be_there() {
    let home = tempfile::tempdir().unwrap();
    for (arguments, variable) in [
        (&["--config", "/no/c.kdl", "config", "check"][..], ""),
        (&["config", "check"], "/no/c.kdl"),
    ] {
        let refused = stui(home.path(), arguments)
            .env("STUI_CONFIG", variable)
            .output()
            .unwrap();
        assert_eq!(refused.status.code(), Some(1));
        assert!(error(&refused).contains("/no/c.kdl: there is no such file"));
    }
}

#[test]
fn a_flag_that_is_no_choice_is_refused_like_a_line_of_the_file() {
    let home = tempfile::tempdir().unwrap();
    let refused = run(home.path(), &["up", "--guests", "readonly"]);
    let text = error(&refused);
    assert!(
        text.contains("--guests: `readonly` is none of the choices"),
        "{text}"
    );
    assert!(text.contains("Did you mean `read-only`?"), "{text}");
}

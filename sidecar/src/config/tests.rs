//! Files in, problems and values out.

use std::fmt::Write as _;

use super::*;
use crate::target::Target;
use stui_protocol::command::COMMANDS;
use stui_protocol::pane::Guests;

/// The settings of a file's text, an environment and flags.
fn read(text: &str, variables: &[(&str, &str)], flags: &[Flag]) -> Loaded {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.kdl");
    std::fs::write(&path, text).unwrap();
    let variable = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    load_by(Some(&path), variable, flags)
}

/// The problems of a file's text, each without the folder before the file's name.
fn problems(text: &str) -> Vec<String> {
    let problems = read(text, &[], &[]).problems;
    let shown = problems.iter().map(ToString::to_string);
    shown
        .map(|text| {
            let at = text.find("config.kdl").expect("the file is named");
            text[at..].to_owned()
        })
        .collect()
}

#[test]
fn later_wins_and_each_value_knows_where_it_comes_from() {
    let file =
        "session \"of-file\"\ntheme \"zellij\"\n\nlog {\n    keep 3\n    level \"warn\"\n}\n";
    let flag = Flag::given("session", "--session", Some("of-flag")).unwrap();
    let loaded = read(
        file,
        &[("STUI_SESSION", "of-variable"), ("STUI_LOG", "debug")],
        &[flag],
    );
    assert_eq!(loaded.problems, []);
    let config = loaded.config;
    assert_eq!(config.session.value, "of-flag");
    assert_eq!(config.session.origin.to_string(), "--session");
    assert_eq!(config.log_level.value, "debug");
    assert_eq!(config.log_level.origin.to_string(), "$STUI_LOG");
    assert_eq!(config.log_keep.value, 3);
    let origin = config.log_keep.origin.to_string();
    assert!(origin.ends_with("config.kdl:5"), "{origin}");
    assert_eq!(config.theme.value, Theme::Zellij);
    assert_eq!(config.guests.origin, Origin::Default);
}

#[test]
fn all_mistakes_of_a_file_are_shown_at_once_each_at_its_place() {
    let text = "sesion \"a\"\nlog {\n    levle \"debug\"\n    max_size \"4 apples\"\n}\nkeys { print-it \"Ctrl r\"; do_it \"Ctrl+r\"; }\n";
    assert_eq!(
        problems(text),
        [
            "config.kdl:1:1: there is no setting `sesion`; remove it, or see `stui config example`. Did you mean `session`?\n \
             1 | sesion \"a\"\n   | ^^^^^^",
            "config.kdl:3:5: `log` has no setting `levle`; remove it, or see `stui config example`. Did you mean `level`?\n \
             3 |     levle \"debug\"\n   |     ^^^^^",
            "config.kdl:4:14: `4 apples` is no size; write it as `4 MiB`, `512 KiB` or in bytes\n \
             4 |     max_size \"4 apples\"\n   |              ^^^^^^^^^^",
            "config.kdl:6:8: no command is called `print-it`; F1 in a pane shows its commands. Did you mean `print_it`?\n \
             6 | keys { print-it \"Ctrl r\"; do_it \"Ctrl+r\"; }\n   |        ^^^^^^^^",
            "config.kdl:6:33: `Ctrl+r` names no key; write it like `Ctrl d`, `Alt Backspace`, `F5` or `?`\n \
             6 | keys { print-it \"Ctrl r\"; do_it \"Ctrl+r\"; }\n   |                                 ^^^^^^^^",
        ]
    );
}

#[test]
fn what_is_no_kdl_is_shown_where_it_stops_to_be() {
    let problems = problems("// é\nsession \"a\"\nlog {\n  level \"info\n}\n");
    let [problem] = &problems[..] else {
        panic!("{problems:?}");
    };
    assert!(
        problem.contains("this is not KDL as Zellij reads it"),
        "{problem}"
    );
    assert!(
        problem.contains(" | "),
        "a line of the file is shown: {problem}"
    );
}

#[test]
fn nesting_without_end_is_refused_and_a_comment_of_many_stars_is_read() {
    for deep in ["a {", "/*", "/- ", "a /-{ b "] {
        let found = problems(&deep.repeat(100_000)).concat();
        assert!(found.contains("are open here"), "{deep}: {found}");
        // as much as is allowed is parsed, and this is wrong for another reason
        let found = problems(&deep.repeat(490)).concat();
        assert!(!found.is_empty() && !found.contains("are open"), "{found}");
    }
    let banner = format!("/{}/\ntheme \"zellij\"\n", "*".repeat(900));
    let loaded = read(&banner, &[], &[]);
    assert_eq!(loaded.problems, []);
    assert_eq!(loaded.config.theme.value, Theme::Zellij);
}

#[test]
fn a_value_in_the_wrong_form_is_refused() {
    for (text, part) in [
        ("session", "a value is missing"),
        ("session \"a\" \"b\"", "takes one value"),
        ("session \"a/b\"", "cannot name a session"),
        ("session \"a\"\nsession \"b\"", "on line 1 already"),
        (
            "log level=\"debug\"",
            "stand in braces: `log { level VALUE }`",
        ),
        ("theme value=\"zellij\"", "no property"),
        ("theme { zellij; }", "nothing in braces"),
        ("theme \"zelij\"", "Did you mean `zellij`?"),
        ("theme null", "no value"),
        ("log { level \"loud\"; }", "is no level"),
        ("log { keep 1000; }", "0 to 100"),
        ("log { max_size 1; }", "too small"),
        ("layout \"my.kdl\"", "is relative"),
        ("connect \"pharo:my.image\"", "is relative"),
        ("connect \"ssh://-x\"", "no address"),
        ("keys { do_it \"Ctrl ,\"; }", "a comma"),
        ("keys { do_it; }", "needs a key"),
    ] {
        let problems = problems(text);
        assert_eq!(problems.len(), 1, "{text}: {problems:?}");
        assert!(problems[0].contains(part), "{text}: {problems:?}");
    }
}

#[test]
fn a_wrong_setting_keeps_what_holds_without_it() {
    let loaded = read(
        "theme \"zellij\"\nguests \"none\"",
        &[("STUI_THEME", "dark")],
        &[],
    );
    assert_eq!(loaded.config.theme.value, Theme::Zellij);
    assert_eq!(loaded.config.guests.value, Guests::MayWrite);
    assert_eq!(loaded.problems.len(), 2);
    let error = loaded.sound().unwrap_err().to_string();
    assert!(
        error.starts_with("the configuration has 2 problems"),
        "{error}"
    );
    assert!(
        error.contains("\n$STUI_THEME: `dark` is none of the choices"),
        "{error}"
    );
}

#[test]
fn values_are_read_in_each_of_their_forms() {
    let home = std::env::var("HOME").unwrap();
    let text = "connect \"embedded\" \"~/p.json\" \"ssh://me@host\"\nzellij \"zellij-next\"\n\
                ssh r\"/opt/my ssh\"\njournal { sync \"each\"; }\nlog { max_size \"512 KiB\"; level \"info,stui::link=debug\"; }\n\
                keys { print_it \"Ctrl r\" \"F6 | F7\"; }\npharo { vm \"/p/pharo\"; image \"~/p.image\"; }";
    let loaded = read(text, &[], &[]);
    assert_eq!(loaded.problems, []);
    let config = loaded.config;
    assert_eq!(config.connect.value.len(), 3);
    assert_eq!(
        config.connect.value[1],
        Target::File(Path::new(&home).join("p.json"))
    );
    assert_eq!(config.zellij.value, Some("zellij-next".into()));
    assert_eq!(config.ssh.value, Path::new("/opt/my ssh"));
    assert_eq!(config.journal_sync.value, Sync::Each);
    assert_eq!(config.log_max_size.value, 512 << 10);
    assert_eq!(
        config.for_panes(),
        [("bind_print_it".to_owned(), "Ctrl r | F6 | F7".to_owned())]
    );
    let of_variable = read("", &[("STUI_CONNECT", "embedded, ssh://host")], &[]);
    assert_eq!(of_variable.config.connect.value.len(), 2);
}

#[test]
fn what_is_shown_reads_back_as_the_same() {
    let text = "theme \"zellij\"\nlog { max_size 70000; }\nkeys { do_it \"F6\"; }\nlayout \"/a \\\"b\\\"\"";
    let first = read(text, &[], &[]).config;
    let mut again = String::new();
    for (name, value, _) in first
        .rows()
        .iter()
        .filter(|(_, value, _)| !value.is_empty())
    {
        match name.split_once('.') {
            Some((group, name)) => writeln!(again, "{group} {{ {name} {value}; }}"),
            None => writeln!(again, "{name} {value}"),
        }
        .unwrap();
    }
    let loaded = read(&again, &[], &[]);
    assert_eq!(loaded.problems, [], "{again}");
    let values = |config: &Config| {
        let rows = config.rows().into_iter();
        rows.map(|(name, value, _)| (name, value))
            .collect::<Vec<_>>()
    };
    assert_eq!(values(&loaded.config), values(&first));
}

#[test]
fn the_example_names_every_setting_and_shows_the_defaults() {
    let loaded = read(EXAMPLE, &[], &[]);
    assert_eq!(loaded.problems, []);
    assert_eq!(
        loaded.config,
        Config::default(),
        "as it is, it changes nothing"
    );

    let is_setting = |rest: &str| {
        let word = rest.split(' ').next().unwrap_or_default();
        let row = SETTINGS.iter().map(|row| row.name);
        let row = row.map(|name| name.rsplit('.').next().unwrap_or(name));
        row.chain(COMMANDS).any(|name| name == word) && rest.contains(['"', '1'])
    };
    let uncommented: String = EXAMPLE
        .lines()
        .map(|line| match line.trim_start().strip_prefix("// ") {
            Some(rest) if is_setting(rest) => format!("{rest}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let loaded = read(&uncommented, &[], &[]);
    assert_eq!(loaded.problems, []);
    for (name, value, origin) in loaded.config.rows() {
        assert!(
            matches!(origin, Origin::File(..)),
            "{name} is not in the example"
        );
        let default = Config::default().rows();
        let default = default.iter().find(|(known, ..)| *known == name);
        if let Some((_, default, _)) = default
            && !default.is_empty()
        {
            assert_eq!(&value, default, "{name}");
        }
    }
}

#[test]
fn a_file_that_others_can_change_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.kdl");
    std::fs::write(&path, "zellij \"/evil\"").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
    let loaded = load_by(Some(&path), |_| None, &[]);
    assert_eq!(loaded.config, Config::default());
    assert!(loaded.problems[0].message.contains("chmod go-w"));
}

#[test]
fn the_file_is_the_named_one_or_where_configurations_are() {
    let with = |variables: &'static [(&str, &str)]| {
        move |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        }
    };
    let home = &[("HOME", "/h"), ("XDG_CONFIG_HOME", "relative")];
    assert_eq!(
        path_by(None, with(home)),
        Some(("/h/.config/stui/config.kdl".into(), false))
    );
    let all = &[("STUI_CONFIG", "/c.kdl"), ("XDG_CONFIG_HOME", "/x")];
    assert_eq!(path_by(None, with(all)), Some(("/c.kdl".into(), true)));
    let given = Some(Path::new("/given.kdl"));
    assert_eq!(path_by(given, with(all)), Some(("/given.kdl".into(), true)));
    assert_eq!(
        path_by(None, with(&[("XDG_CONFIG_HOME", "/x")])),
        Some(("/x/stui/config.kdl".into(), false))
    );
    assert_eq!(path_by(None, with(&[])), None);
}

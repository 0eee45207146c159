//! The configuration file.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use stui::config::{EXAMPLE, Loaded, of_text};

use crate::Target;

pub(super) const TARGET: Target = Target {
    name: "configuration",
    about: "configuration files: read or refused at a place that exists, and read as they are shown",
    seeds,
    words: &[
        "connect",
        "session",
        "zellij",
        "layout",
        "theme",
        "guests",
        "log",
        "level",
        "max_size",
        "keep",
        "journal",
        "sync",
        "keys",
        "print_it",
        "do_it",
        "ssh",
        "pharo",
        "vm",
        "image",
        "embedded",
        "ssh://",
        "read-only",
        "Ctrl ",
        "Alt ",
        "F1",
        "{",
        "}",
        ";",
        "\n",
        "\\\n",
        "\\",
        "/-",
        "/*",
        "*/",
        "//",
        "r\"",
        "r#\"",
        "\"#",
        "\"",
        "=",
        "(u8)",
        "true",
        "null",
        "0x",
        "1e9",
        "-",
        "\u{feff}",
        "\t",
        "é",
        "日",
    ],
    run,
};

fn seeds() -> Vec<Vec<u8>> {
    let uncommented: String = EXAMPLE
        .lines()
        .map(|line| line.trim_start_matches("// ").to_owned() + "\n")
        .collect();
    [
        EXAMPLE,
        &uncommented,
        "connect \"embedded\" \"ssh://me@host/pharo\"\nlog { max_size \"512 KiB\"; keep 2; }\n",
        "keys { do_it \"F6\" \"Alt x\"; print_it \"Ctrl r\"; }\nguests \"read-only\"\n",
        "theme r#\"zellij\"#\nsession \"日本語 🎉\"\n/- log level=\"x\"\n/* /* */ */ log /* a */ { level \\\n \"warn\"; }",
        "pharo { vm \"/opt/pharo\"; image \"~/my \\\"own\\\".image\"; }\njournal { sync \"each\"; }",
    ]
    .iter()
    .map(|seed| seed.as_bytes().to_vec())
    .collect()
}

fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let loaded = read(&text);
    for problem in &loaded.problems {
        assert!(!problem.message.is_empty());
        let place = problem.place.as_ref().expect("it is in the file");
        let lines = text.matches('\n').count() + 1;
        assert!((1..=lines).contains(&place.line), "{problem}");
        let columns = place.text.chars().count() + 1;
        assert!((1..=columns).contains(&place.column), "{problem}");
        assert!(problem.to_string().contains('^'), "{problem}");
        for line in [problem.line(), problem.brief()] {
            assert!(line.contains("config.kdl:"), "{line:?}");
        }
    }
    // what is shown, wrong settings at their defaults, can be put into a file
    let shown = written(&loaded);
    let again = read(&shown);
    assert!(again.problems.is_empty(), "{shown}\n{:?}", again.problems);
    let values = |loaded: &Loaded| {
        let rows = loaded.config.rows().into_iter();
        rows.map(|(name, value, _)| (name, value))
            .collect::<Vec<_>>()
    };
    assert_eq!(values(&again), values(&loaded));
}

fn read(text: &str) -> Loaded {
    of_text(Path::new("/home/me/.config/stui/config.kdl"), text)
}

/// The settings as a file, each group once.
fn written(loaded: &Loaded) -> String {
    let mut groups = BTreeMap::<String, String>::new();
    let mut file = String::new();
    let rows = loaded.config.rows().into_iter();
    for (name, value, _) in rows.filter(|(_, value, _)| !value.is_empty()) {
        let wrote = match name.split_once('.') {
            Some((group, name)) => {
                let inside = groups.entry(group.to_owned()).or_default();
                write!(inside, "{name} {value}; ")
            }
            None => writeln!(file, "{name} {value}"),
        };
        wrote.expect("a text takes everything");
    }
    let groups = groups.into_iter();
    file.extend(groups.map(|(group, inside)| format!("{group} {{ {inside}}}\n")));
    file
}

//! Makes the lists in `data/`: what the package uses of Pharo, each looked up in the sources of Pharo 12 and 13.
//!
//! `stui-pharo-check PHARO12 PHARO13`, the two being the `src` folders of checkouts of Pharo's branches of these names.
//! A name that one of the two does not define is reported, and nothing is written then.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use stui_pharo_check::{Package, data, names};

/// Who defines what in one version of Pharo: classes, and the classes that define each selector.
#[derive(Default)]
struct Index {
    classes: BTreeSet<String>,
    selectors: BTreeMap<String, BTreeSet<String>>,
}

fn main() -> ExitCode {
    let folders: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [twelve, thirteen] = folders.as_slice() else {
        eprintln!(
            "usage: stui-pharo-check PHARO12 PHARO13 (the src folders of two checkouts of Pharo)"
        );
        return ExitCode::FAILURE;
    };
    match make(twelve, thirteen) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn make(twelve: &Path, thirteen: &Path) -> Result<(), String> {
    let package = Package::read();
    let (twelve, thirteen) = (index(twelve)?, index(thirteen)?);
    let mut missing = Vec::new();
    let mut classes =
        String::from("; Classes of Pharo that the package names; each is in Pharo 12 and 13.\n");
    for name in names::all_foreign_classes(&package) {
        if !(twelve.classes.contains(&name) && thirteen.classes.contains(&name)) {
            missing.push(format!("class {name}"));
        }
        classes.push_str(&name);
        classes.push('\n');
    }
    let mut selectors = String::from(
        "; Selectors that the package sends and does not define, each with up to three classes that define it in\n; Pharo 12 and 13.\n",
    );
    for selector in names::all_foreign_selectors(&package) {
        let definers = definers(&selector, &twelve, &thirteen);
        if definers.is_empty() {
            missing.push(format!("selector {selector}"));
        }
        selectors.push_str(&[vec![selector], definers].concat().join(" "));
        selectors.push('\n');
    }
    if !missing.is_empty() {
        return Err(format!(
            "not in both versions of Pharo:\n{}",
            missing.join("\n")
        ));
    }
    for (name, text) in [
        ("pharo-classes.txt", classes),
        ("pharo-selectors.txt", selectors),
    ] {
        std::fs::write(data(name), text).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}

/// Up to three classes that define a selector in both versions.
fn definers(selector: &str, twelve: &Index, thirteen: &Index) -> Vec<String> {
    let (Some(one), Some(other)) = (
        twelve.selectors.get(selector),
        thirteen.selectors.get(selector),
    ) else {
        return Vec::new();
    };
    let common: Vec<String> = one.intersection(other).take(3).cloned().collect();
    if common.is_empty() {
        one.iter().take(1).cloned().collect()
    } else {
        common
    }
}

/// Reads the heads of all files and methods below a folder. They are read line by line: Pharo's files are many, and only
/// their heads matter.
fn index(folder: &Path) -> Result<Index, String> {
    let mut index = Index::default();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries =
            std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "st") {
                let bytes =
                    std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
                add(&mut index, &path, &String::from_utf8_lossy(&bytes));
            }
        }
    }
    if index.classes.len() < 1000 {
        return Err(format!("{} holds no source of Pharo", folder.display()));
    }
    Ok(index)
}

fn add(index: &mut Index, path: &Path, text: &str) {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    if let Some(class) = name
        .strip_suffix(".class.st")
        .or_else(|| name.strip_suffix(".trait.st"))
    {
        index.classes.insert(class.to_owned());
    }
    for line in text.lines() {
        if let Some((class, rest)) = line.split_once(" >> ")
            && let Some(pattern) = rest.trim_end().strip_suffix('[')
            && class
                .chars()
                .all(|character| character.is_alphanumeric() || "_ ".contains(character))
        {
            index
                .selectors
                .entry(selector(pattern))
                .or_default()
                .insert(class.replace(' ', "."));
        }
    }
}

/// The selector of a message pattern.
fn selector(pattern: &str) -> String {
    let words: Vec<&str> = pattern.split_whitespace().collect();
    let keywords: String = words
        .iter()
        .filter(|word| word.ends_with(':'))
        .copied()
        .collect();
    if keywords.is_empty() {
        words.first().copied().unwrap_or_default().to_owned()
    } else {
        keywords
    }
}

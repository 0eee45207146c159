//! The rules of the package's source: structure, names, selectors, size, comments.

use std::collections::{BTreeSet, HashSet};
use std::fs;

use stui_embedded::syntax::tonel::{Definition, MethodDefinition};
use stui_embedded::syntax::{line_and_column, parse_method};
use stui_pharo_check::{Package, SourceFile, list, names, root};

/// Most lines of a method, blank ones not counted.
const MAX_LINES: usize = 15;

fn place(file: &SourceFile, method: &MethodDefinition, offset: u32) -> String {
    let (line, column) = line_and_column(&file.text, method.file_offset(offset));
    format!("{}:{line}:{column}", file.name)
}

fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn every_method_parses_and_stands_in_the_file_of_its_class() {
    let package = Package::read();
    let mut problems = Vec::new();
    for file in &package.files {
        let class_name = match &file.tonel.definition {
            Definition::Class(class) => &class.name,
            Definition::Extension { class_name } => class_name,
            Definition::Package { .. } => continue,
        };
        if !file.name.contains(&format!("/{class_name}.")) {
            problems.push(format!("{}: the file of {class_name}", file.name));
        }
        let mut seen = HashSet::new();
        for method in &file.tonel.methods {
            if method.class_name != *class_name {
                problems.push(format!(
                    "{}: a method of {}",
                    place(file, method, 0),
                    method.class_name
                ));
            }
            match parse_method(&method.source) {
                Ok(tree) if seen.insert((method.is_class_side, tree.selector.clone())) => {}
                Ok(tree) => problems.push(format!(
                    "{}: {} is defined twice",
                    place(file, method, 0),
                    tree.selector
                )),
                Err(error) => problems.push(format!(
                    "{}: {}",
                    place(file, method, error.range.start),
                    error.message
                )),
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn every_chunk_of_the_scripts_parses() {
    let mut problems = Vec::new();
    let scripts: Vec<_> = fs::read_dir(root().join("scripts"))
        .expect("the scripts")
        .flatten()
        .map(|entry| entry.path())
        .collect();
    assert_eq!(scripts.len(), 3);
    for path in &scripts {
        let text = fs::read_to_string(path).expect("a script");
        assert!(text.ends_with("!\n"), "{}: the last chunk", path.display());
        // A `!` in a chunk would have to be doubled; there is none.
        for chunk in text.split('!') {
            if let Err(error) = parse_method(&format!("doIt\n{chunk}")) {
                problems.push(format!("{}: {} in {chunk}", path.display(), error.message));
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn every_name_is_a_variable_a_class_of_the_package_or_a_listed_class_of_pharo() {
    let package = Package::read();
    let listed: BTreeSet<String> = list("pharo-classes.txt").into_iter().collect();
    let mut problems = Vec::new();
    for (file, method) in package.methods() {
        match names::foreign_classes(method, &package) {
            Ok(found) => problems.extend(
                found
                    .difference(&listed)
                    .map(|name| format!("{}: {name} is not known", place(file, method, 0))),
            ),
            Err(error) => problems.push(format!(
                "{}: {} {}",
                place(file, method, error.range.start),
                error.message,
                error.variable.unwrap_or_default()
            )),
        }
    }
    let used = names::all_foreign_classes(&package);
    problems.extend(
        listed
            .symmetric_difference(&used)
            .map(|name| format!("pharo-classes.txt and {name} do not agree")),
    );
    assert_none(&problems);
}

#[test]
fn every_selector_that_is_sent_is_of_the_package_or_a_listed_one_of_pharo() {
    let package = Package::read();
    let listed: BTreeSet<String> = list("pharo-selectors.txt").into_iter().collect();
    let used = names::all_foreign_selectors(&package);
    let mut problems: Vec<String> = used
        .difference(&listed)
        .map(|selector| format!("nobody is known to understand {selector}"))
        .collect();
    problems.extend(
        listed.difference(&used).map(|selector| {
            format!("pharo-selectors.txt lists {selector}, which needs no listing")
        }),
    );
    assert_none(&problems);
}

#[test]
fn methods_are_short() {
    let package = Package::read();
    let problems: Vec<String> = package
        .methods()
        .filter_map(|(file, method)| {
            let lines = method
                .source
                .lines()
                .filter(|line| !line.trim().is_empty())
                .count();
            (lines > MAX_LINES + 1).then(|| format!("{}: {lines} lines", place(file, method, 0)))
        })
        .collect();
    assert_none(&problems);
}

#[test]
fn every_class_has_a_comment_with_an_example() {
    let package = Package::read();
    let problems: Vec<String> = package
        .classes
        .values()
        .filter(|class| {
            !class.comment.lines().any(|line| line.starts_with('\t'))
                && !class.name.ends_with("Test")
        })
        .map(|class| class.name.clone())
        .chain(
            package
                .classes
                .values()
                .filter(|class| class.comment.trim().is_empty())
                .map(|class| class.name.clone()),
        )
        .collect();
    assert_none(&problems);
}

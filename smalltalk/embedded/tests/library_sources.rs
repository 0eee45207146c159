//! The class library's files, looked at one by one without a virtual machine: a mistake is reported with file, line and
//! column, and all mistakes are reported at once.

use std::path::{Path, PathBuf};

use stui_embedded::syntax::tonel::{self, Definition, TonelFile};
use stui_embedded::syntax::{line_and_column, parse_method};

fn library_files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("library");
    let mut files = Vec::new();
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "st") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

#[test]
fn every_file_reads_and_every_method_parses() {
    let files = library_files();
    assert!(files.len() > 20, "only {} files found", files.len());
    let mut problems = Vec::new();
    for path in &files {
        let source = std::fs::read_to_string(path).expect("a readable file");
        let name = path.display().to_string();
        match tonel::read(&name, &source) {
            Ok(file) => check_file(&name, &source, &file, &mut problems),
            Err(error) => problems.push(error.to_string()),
        }
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

fn check_file(name: &str, source: &str, file: &TonelFile, problems: &mut Vec<String>) {
    let class_name = match &file.definition {
        Definition::Class(class) => &class.name,
        Definition::Extension { class_name } => class_name,
        Definition::Package { .. } => return,
    };
    let mut seen = std::collections::HashSet::new();
    for method in &file.methods {
        let mut complain = |offset, message: &str| {
            let (line, column) = line_and_column(source, method.file_offset(offset));
            problems.push(format!("{name}:{line}:{column}: {message}"));
        };
        if method.class_name != *class_name {
            complain(
                0,
                &format!(
                    "a method of {} in the file of {class_name}",
                    method.class_name
                ),
            );
        }
        match parse_method(&method.source) {
            Ok(tree) => {
                if !seen.insert((method.is_class_side, tree.selector.clone())) {
                    complain(0, &format!("{} is defined twice", tree.selector));
                }
            }
            Err(error) => complain(error.range.start, &error.message),
        }
    }
}

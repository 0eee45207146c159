//! The class library's files, looked at one by one without a virtual machine: a mistake is reported with file, line and
//! column, and all mistakes are reported at once.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use stui_embedded::syntax::ast::SharedId;
use stui_embedded::syntax::tonel::{self, ClassDefinition, Definition, TonelFile};
use stui_embedded::syntax::{
    Environment, Resolution, compile_method, line_and_column, parse_method,
};

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
    let mut seen = HashSet::new();
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

/// Globals that no file defines: the machine makes them.
const GLOBALS: [&str; 4] = ["Smalltalk", "Processor", "Transcript", "Undeclared"];

/// The names that the methods of a class see.
struct Names<'a> {
    instance_variables: Vec<&'a str>,
    shared: HashSet<&'a str>,
    classes: &'a BTreeMap<String, ClassDefinition>,
}

impl<'a> Names<'a> {
    fn of(
        class: &str,
        is_class_side: bool,
        classes: &'a BTreeMap<String, ClassDefinition>,
    ) -> Self {
        let mut names = Self {
            instance_variables: Vec::new(),
            shared: HashSet::new(),
            classes,
        };
        let mut next = classes.get(class);
        while let Some(class) = next {
            let own = if is_class_side {
                &class.class_instance_variables
            } else {
                &class.instance_variables
            };
            names
                .instance_variables
                .extend(own.iter().map(String::as_str));
            names
                .shared
                .extend(class.class_variables.iter().map(String::as_str));
            next = class.superclass.as_ref().and_then(|name| classes.get(name));
        }
        if is_class_side {
            // what every class has by being an instance of Class
            names
                .instance_variables
                .extend(Self::of("Class", false, classes).instance_variables);
        }
        names
    }
}

impl Environment for Names<'_> {
    fn resolve(&mut self, name: &str) -> Option<Resolution> {
        if let Some(index) = self
            .instance_variables
            .iter()
            .position(|known| *known == name)
        {
            return Some(Resolution::Instance(index as u32));
        }
        let known = self.shared.contains(name)
            || self.classes.contains_key(name)
            || GLOBALS.contains(&name);
        known.then_some(Resolution::Shared {
            id: SharedId(0),
            writable: true,
        })
    }
}

#[test]
fn every_name_in_every_method_stands_for_something() {
    let mut files = Vec::new();
    let mut classes = BTreeMap::new();
    for path in library_files() {
        let source = std::fs::read_to_string(&path).expect("a readable file");
        let name = path.display().to_string();
        if let Ok(file) = tonel::read(&name, &source) {
            if let Definition::Class(class) = &file.definition {
                classes.insert(class.name.clone(), (**class).clone());
            }
            files.push((name, source, file));
        }
    }
    let mut problems = Vec::new();
    for (name, source, file) in &files {
        for method in &file.methods {
            let mut names = Names::of(&method.class_name, method.is_class_side, &classes);
            if let Err(error) = compile_method(&method.source, &mut names) {
                let (line, column) = line_and_column(source, method.file_offset(error.range.start));
                let variable = error.variable.unwrap_or_default();
                problems.push(format!(
                    "{name}:{line}:{column}: {} {variable}",
                    error.message
                ));
            }
        }
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

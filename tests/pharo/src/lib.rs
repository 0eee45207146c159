//! The Pharo server's source, read without a Pharo.
//!
//! - [`Package`]: its Tonel files, with every method as a syntax tree;
//! - [`sent`] and [`names`]: the selectors that a method sends, and the classes that it names;
//! - [`image`]: a part of the package loaded into the embedded Smalltalk, to be run.
//!
//! The tests hold the package to its rules, and to the lists in `data/`, which were made from Pharo's sources.

pub mod image;
pub mod names;
pub mod sent;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use stui_embedded::syntax::tonel::{
    self, ClassDefinition, Definition, MethodDefinition, TonelFile,
};

/// A file of the package.
#[derive(Debug)]
pub struct SourceFile {
    /// Its path from the package's `src` on.
    pub name: String,
    /// Its text.
    pub text: String,
    /// What it says.
    pub tonel: TonelFile,
}

/// The package's files.
#[derive(Debug)]
pub struct Package {
    /// All of them, sorted by name.
    pub files: Vec<SourceFile>,
    /// The classes that they define, by name.
    pub classes: BTreeMap<String, ClassDefinition>,
}

/// The folder of the Pharo server.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../smalltalk/pharo")
}

/// A file in `data/`.
pub fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("data")
        .join(name)
}

/// The names in a list in `data/`: the first word of each line; lines that begin with `;` are comments.
///
/// # Panics
/// If the file cannot be read.
pub fn list(name: &str) -> Vec<String> {
    let path = data(name);
    std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .lines()
        .filter(|line| !line.starts_with(';'))
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

impl Package {
    /// Reads all files.
    ///
    /// # Panics
    /// If one cannot be read, or is not Tonel.
    pub fn read() -> Package {
        let source = root().join("src");
        let mut files = Vec::new();
        for path in tonel_files(&source) {
            let name = path
                .strip_prefix(&source)
                .unwrap_or(&path)
                .display()
                .to_string();
            let text =
                std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
            let tonel = tonel::read(&name, &text).unwrap_or_else(|error| panic!("{error}"));
            files.push(SourceFile { name, text, tonel });
        }
        assert!(files.len() > 50, "only {} files found", files.len());
        let classes = files
            .iter()
            .filter_map(|file| match &file.tonel.definition {
                Definition::Class(class) => Some((class.name.clone(), (**class).clone())),
                _ => None,
            })
            .collect();
        Package { files, classes }
    }

    /// Every method with the file it is in.
    pub fn methods(&self) -> impl Iterator<Item = (&SourceFile, &MethodDefinition)> {
        self.files
            .iter()
            .flat_map(|file| file.tonel.methods.iter().map(move |method| (file, method)))
    }
}

fn tonel_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for entry in entries {
            let path = entry
                .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
                .path();
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

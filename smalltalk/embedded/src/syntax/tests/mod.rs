//! The front end by example: source in, tree, error or range out.

mod analysis;
mod cursor;
mod errors;
mod grammar;
mod robustness;
mod tonel;

use std::collections::BTreeMap;

use super::ast::SharedId;
use super::*;

/// Knows the instance variables `x` and `y`, the writable global `Global` and the class `Object`.
#[derive(Default)]
struct Known {
    declares: bool,
    declared: BTreeMap<String, u64>,
}

impl Environment for Known {
    fn resolve(&mut self, name: &str) -> Option<Resolution> {
        let shared = |id, writable| {
            Some(Resolution::Shared {
                id: SharedId(id),
                writable,
            })
        };
        match name {
            "x" => Some(Resolution::Instance(0)),
            "y" => Some(Resolution::Instance(1)),
            "Global" => shared(1, true),
            "Object" => shared(2, false),
            _ => self.declared.get(name).and_then(|id| shared(*id, true)),
        }
    }

    fn can_declare(&self, name: &str) -> bool {
        self.declares && name.starts_with(char::is_lowercase)
    }

    fn declare(&mut self, name: &str) {
        let id = 100 + self.declared.len() as u64;
        self.declared.insert(name.to_owned(), id);
    }
}

fn do_it(source: &str) -> String {
    match compile_do_it(source, &mut Known::default()) {
        Ok(method) => method.to_string(),
        Err(error) => format!("{}@{}", error.message, error.position),
    }
}

fn method(source: &str) -> String {
    match compile_method(source, &mut Known::default()) {
        Ok(method) => method.to_string(),
        Err(error) => format!("{}@{}", error.message, error.position),
    }
}

#[track_caller]
fn check(examples: &[(&str, &str)], run: fn(&str) -> String) {
    for (source, expected) in examples {
        assert_eq!(run(source), *expected, "for the source {source}");
    }
}

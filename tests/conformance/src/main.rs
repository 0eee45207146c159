//! `stui-conformance`: holds a server to Pharo's answers and prints how it does.

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;
use stui_conformance::answers::{cases, differences, evaluate};
use stui_conformance::report::Report;
use stui_conformance::target::Target;
use stui_conformance::wire::Wire;

/// Evaluates the expressions of pharo-answers.json on a STUI server and compares its answers with Pharo's.
#[derive(Parser)]
struct Arguments {
    /// Connection file of the server; without it the embedded Smalltalk's server is started.
    #[arg(long, value_name = "FILE")]
    connection: Option<PathBuf>,
    /// Only cases whose id begins with one of these: a topic such as `strings`, or an id such as `strings-003`.
    prefixes: Vec<String>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let target = match &arguments.connection {
        Some(path) => Target::foreign(path)?,
        None => Target::embedded()?,
    };
    let mut wire = Wire::connect(target.connection())?;
    let mut report = Report::default();
    for case in cases()? {
        let chosen = arguments.prefixes.is_empty()
            || arguments
                .prefixes
                .iter()
                .any(|prefix| case.id.starts_with(prefix.as_str()));
        if chosen {
            let differences = match evaluate(&case, &mut wire) {
                Ok(answer) => differences(&case, &answer),
                Err(error) => vec![format!("{error:#}")],
            };
            report.add(&case, &differences);
        }
    }
    print!("{report}");
    Ok(())
}

//! The whole chain with a real Pharo behind it: `cargo xtask test pharo` runs this where it finds one, and elsewhere it
//! says that it is skipped.

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use stui_e2e::{NAME, Session, is_connected_to, new_stage, right, roomy};

/// How long it may take to load the server into an image, on a slow machine.
const PREPARING: Duration = Duration::from_secs(600);

/// Its only test.
const NAME_OF_TEST: &str =
    "a_workspace_on_a_pharo_evaluates_and_comes_back_after_its_vm_was_killed";

/// Prints as Rust's test programs do.
fn main() -> ExitCode {
    let Some(arguments) = arguments() else {
        println!("test {NAME_OF_TEST} ... ignored, needs PHARO_VM and PHARO_IMAGE");
        println!("test result: ok. 0 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out");
        return ExitCode::SUCCESS;
    };
    if std::panic::catch_unwind(|| a_session_on_a_pharo(&arguments)).is_ok() {
        println!("test {NAME_OF_TEST} ... ok");
        println!("test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
        ExitCode::SUCCESS
    } else {
        println!("test {NAME_OF_TEST} ... FAILED");
        println!("test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out");
        ExitCode::FAILURE
    }
}

/// The arguments that name the Pharo, if the environment has one.
fn arguments() -> Option<[OsString; 4]> {
    let variable = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    Some([
        "--pharo".into(),
        variable("PHARO_IMAGE")?,
        "--vm".into(),
        variable("PHARO_VM")?,
    ])
}

/// Waits until all panes show that they are connected to a Pharo.
fn see_connected(session: &Session, patience: Duration) {
    let seen = session
        .terminal
        .wait_until(patience, "three panes connected to Pharo", |screen| {
            is_connected_to(screen, "Pharo")
        });
    if let Err(error) = seen {
        session.fail(&format!("{error:#}"));
    }
}

fn a_session_on_a_pharo(arguments: &[OsString]) {
    let stage = new_stage();
    let arguments: Vec<_> = arguments.iter().map(OsString::as_os_str).collect();
    let terminal = stage
        .up_with(NAME, roomy(), &arguments)
        .unwrap_or_else(|error| panic!("stui up does not start: {error:#}"));
    let session = Session { terminal, stage };
    session.see("starting Smalltalk");
    see_connected(&session, PREPARING);

    session.prints("3 + 4", "7");
    session.prints("kept := 'in Pharo' size", "8");
    session.prints("kept * 2", "16");
    session.prints("SystemVersion current major >= 12", "true");
    session
        .at_the_end()
        .types("Transcript show: 'heard of'")
        .press(stui_e2e::keys::DO_IT);
    session.see_that("the text in the transcript", |screen| {
        right(screen).contains("heard of")
    });

    let killed = session.stage.processes();
    let vms = killed.iter().filter(|running| {
        let image = |argument: &String| {
            let kind = std::path::Path::new(argument).extension();
            kind.is_some_and(|kind| kind == "image")
        };
        running.arguments.iter().any(image)
            && running.arguments.iter().any(|argument| argument == "st")
    });
    let mut count = 0;
    for vm in vms {
        vm.kill();
        count += 1;
    }
    assert!(count > 0, "the VM was not found among {killed:?}");
    session.see_that("panes that tell of the killed VM", |screen| {
        !is_connected_to(screen, "Pharo")
    });
    see_connected(&session, Duration::from_secs(120));
    session.prints_after_all("6 * 7", "42");
    session.see("3 + 4 7");
    session.close();
}

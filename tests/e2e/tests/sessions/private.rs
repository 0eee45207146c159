//! What is nobody else's business: logs hold no text of the user, and files are his alone.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use stui_e2e::{Session, keys, roomy};

/// Appears in everything that is typed, evaluated and shown, and nowhere else.
const SECRET: &str = "Xyzzy17";

#[test]
fn no_log_holds_what_was_typed_and_every_file_is_its_users_alone() {
    let session = Session::start(roomy());
    session.prints(&format!("'{SECRET}' size"), "7");
    let code = [
        format!("self error: '{SECRET}'"),
        format!("nil {SECRET}"),
        format!("Transcript show: '{SECRET}'; cr"),
        format!("[ self error: '{SECRET}' ] fork"),
    ];
    for code in &code {
        session.at_the_end().types(code).press(keys::DO_IT);
    }
    session
        .at_the_end()
        .types(&format!("(Array with: '{SECRET}')"))
        .press(keys::INSPECT_IT);
    session.prints("20 + 22", "42");
    // A sidecar that restores all this has as little to say about it.
    session.sidecar().kill();
    session.prints_after_all("30 + 33", "63");

    let mut logs = 0;
    for path in files(&session) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.contains(".log") {
            logs += 1;
            let text = fs::read_to_string(&path).unwrap_or_default();
            if text.contains(SECRET) {
                session.fail(&format!("{} holds what was typed", path.display()));
            }
        }
        let mode = fs::symlink_metadata(&path).map_or(0, |found| found.permissions().mode());
        if mode & 0o077 != 0 {
            session.fail(&format!("{} has mode {mode:o}", path.display()));
        }
    }
    assert!(logs >= 2, "the sidecar's and the server's");
    session.close();
}

/// All files that STUI made, folders included.
fn files(session: &Session) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = ["run/stui", "state/stui/sessions", "data/stui"]
        .map(|place| session.stage.path(place))
        .to_vec();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(entry.path());
            }
            found.push(entry.path());
        }
    }
    found
}

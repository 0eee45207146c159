//! Two people attached to one session.

use stui_e2e::{CONNECTED, NAME, PATIENCE, Session, Terminal, keys, left, roomy};

/// Wait for a text on the second client's screen.
fn sees(session: &Session, other: &Terminal, text: &str) {
    if let Err(error) = other.wait_for(PATIENCE, text) {
        session.fail(&format!("on the other client: {error}"));
    }
}

#[test]
fn two_clients_see_one_text_and_a_key_of_either_evaluates_once() {
    let session = Session::start(roomy());
    session.prints("count := 0", "0");
    let other = match session.stage.attach(NAME, roomy()) {
        Ok(terminal) => terminal,
        Err(error) => session.fail(&format!("the other client does not attach: {error:#}")),
    };
    sees(&session, &other, CONNECTED);
    sees(&session, &other, "count := 0 0");

    // a key of the first client
    session.prints("count := count + 1", "1");
    sees(&session, &other, "count := count + 1 1");

    // a key of the other one
    other.click(5, 5);
    for key in ["Ctrl End", "Enter"] {
        other
            .press(key)
            .unwrap_or_else(|error| session.fail(&error.to_string()));
    }
    other.type_text("count := count + 10");
    other
        .press(keys::PRINT_IT)
        .unwrap_or_else(|error| session.fail(&error.to_string()));
    sees(&session, &other, "count := count + 10 11");
    session.see("count := count + 10 11");

    // both were evaluated once, and both screens show one text
    session.prints("count * 2", "22");
    sees(&session, &other, "count * 2 22");
    let texts =
        [&session.terminal, &other].map(|terminal| workspace_text(&left(&terminal.screen())));
    assert_eq!(texts[0], texts[1]);

    // one goes, the other goes on
    if let Err(error) = other.kill() {
        session.fail(&error.to_string());
    }
    session.prints("count * 3", "33");
    session.close();
}

/// The lines of the workspace that hold code of this test.
fn workspace_text(left: &str) -> Vec<String> {
    left.lines()
        .filter(|line| line.contains("count"))
        .map(|line| line.trim().to_owned())
        .collect()
}

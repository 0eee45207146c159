//! Several sessions and several images in one Zellij session.

use stui_e2e::{CONNECTED, Session, keys, left, new_stage, roomy};

/// What the floating list of sessions shows at its top.
const LIST: &str = "State";

/// Make a session in the list, on the image of the first row, and see it in the workspace: what is typed
/// before is for the session that was there.
fn make(session: &Session, name: &str) {
    session.press("Alt s").see(LIST);
    session.press("n").see("Name of the new session");
    session.types(name);
    session.see(&format!("session on embedded: {name}"));
    session.press("Enter").see_no_more(LIST);
    see_session(session, name);
}

/// Switch to the session that is so many rows from the top, and see its name in the workspace.
fn switch(session: &Session, row: usize, name: &str) {
    session.press("Alt s").see(LIST);
    session.press("Home");
    for _ in 0..row {
        session.press("Down");
    }
    session.press("Enter").see_no_more(LIST);
    see_session(session, name);
}

/// Wait until the workspace shows a text.
fn see_in_workspace(session: &Session, text: &str) {
    session.see_that(&format!("{text:?} in the workspace"), |screen| {
        left(screen).contains(text)
    });
}

/// Wait until the workspace's status line names a session.
fn see_session(session: &Session, name: &str) {
    session.see_that(&format!("a workspace of {name}"), |screen| {
        let names = |row: &str| row.contains('●') && row.split_whitespace().any(|it| it == name);
        left(screen).lines().any(names)
    });
}

#[test]
fn two_sessions_have_texts_and_variables_of_their_own() {
    let session = Session::start(roomy());
    session.prints("x := 'in main'", "'in main'");
    make(&session, "work");
    session.see_no_more("in main");
    session.press("Alt w");
    session.prints("x := 2", "2");

    switch(&session, 0, "main");
    see_in_workspace(&session, "x := 'in main' 'in main'");
    session.press("Alt w");
    session.prints("x size", "7");
    assert!(!left(&session.terminal.screen()).contains("x := 2"));

    // the command line sees and closes them
    let list = session.stui(&["sessions", "list"]);
    assert!(list.contains("main") && list.contains("work"), "{list}");
    let info = session.stui(&["sessions", "info", "main"]);
    assert!(info.contains("x size  → 7"), "{info}");
    let x = session.stui(&["eval", "--workspace", "main", "x"]);
    assert_eq!(x, "'in main'\n");
    let x = session.stui(&["eval", "--workspace", "work", "x := x + 1"]);
    assert_eq!(x, "3\n");
    let stats = session.stui(&["sessions", "stats"]);
    assert!(stats.contains("embedded"), "{stats}");
    session.stui(&["sessions", "rename", "work", "play"]);
    session.stui(&["sessions", "close", "play"]);
    let list = session.stui(&["sessions"]);
    assert!(!list.contains("play"), "{list}");
    session.close();
}

#[test]
fn what_runs_goes_on_in_its_session_while_another_one_is_shown() {
    let session = Session::start(roomy());
    session
        .types("(Delay forSeconds: 3) wait. 6 * 7")
        .press("Ctrl a")
        .press(keys::PRINT_IT);
    session.see("running");
    make(&session, "work");
    session.see_no_more("Delay");
    session.press("Alt w");
    session.prints("1 + 1", "2");
    switch(&session, 0, "main");
    see_in_workspace(&session, "6 * 7 42");
    session.close();
}

#[test]
fn a_second_image_is_connected_while_the_session_runs() {
    let session = Session::start(roomy());
    let file = session.stage.path("second.json");
    let mut server = session
        .stage
        .process(&stui_e2e::built_stui())
        .args(["serve", "--connection-file"])
        .arg(&file)
        .spawn()
        .unwrap_or_else(|error| session.fail(&error.to_string()));
    session.wait_until("a connection file of the second server", || file.exists());
    session.prints("Smalltalk at: #Here put: 1", "1");
    session.stui(&["connect", &file.display().to_string(), "--name", "second"]);
    session.stui(&["sessions", "new", "there", "--image", "second"]);
    switch(&session, 1, "there");
    session.press("Alt w");
    session.prints("Smalltalk includesKey: #Here", "false");
    let list = session.stui(&["sessions", "list"]);
    assert!(list.contains("second.json"), "{list}");
    session.stui(&["sessions", "close", "there"]);
    session.stui(&["disconnect", "second"]);
    see_in_workspace(&session, "Here put: 1 1");
    if let Err(error) = server.kill().and_then(|()| server.wait().map(drop)) {
        session.fail(&error.to_string());
    }
    session.close();
}

#[test]
fn a_zellij_session_that_was_killed_comes_back_with_all_its_sessions() {
    let stage = new_stage();
    let session = Session::start_on(stage, roomy());
    session.see_that("three connected panes", stui_e2e::is_connected);
    session.prints("first := 1", "1");
    make(&session, "work");
    session.press("Alt w");
    session.prints("second := 2", "2");
    assert!(
        session.zellij(&["kill-session", stui_e2e::NAME]),
        "kill-session failed"
    );
    session.see_the_end();
    let saved = session.stui(&["sessions", "list", "--zellij-session", stui_e2e::NAME]);
    assert!(saved.contains("does not run"), "{saved}");
    assert!(saved.contains("work"), "{saved}");

    let Session { stage, terminal } = session;
    drop(terminal);
    let session = Session::start_on(stage, roomy());
    session.see(CONNECTED);
    see_in_workspace(&session, "second := 2 2");
    switch(&session, 0, "main");
    see_in_workspace(&session, "first := 1 1");
    // the server is another one: its variables come back by running the history again
    session.press("Alt s").see("1 to run");
    session.press("h").see("was run again");
    session.press("Esc").see_no_more(LIST);
    session.press("Alt w");
    session.prints("first", "1");
    session.close();
}

//! However a session ends, none of its processes is left.

use stui_e2e::{Session, Size, roomy};

#[test]
fn nothing_is_left_when_the_session_is_killed() {
    let session = Session::start(roomy());
    session.prints("3 + 4", "7");
    assert!(
        session.zellij(&["kill-session", stui_e2e::NAME]),
        "kill-session failed"
    );
    session.see_the_end();
}

#[test]
fn nothing_is_left_when_the_zellij_server_is_killed() {
    let session = Session::start(roomy());
    session.prints("3 + 4", "7");
    session.zellij_server().kill();
    session.see_the_end();
}

#[test]
fn nothing_is_left_when_zellij_is_killed_during_an_endless_loop() {
    let session = Session::start(roomy());
    session
        .types("[ true ] whileTrue")
        .press(stui_e2e::keys::DO_IT);
    session.see("running");
    session.zellij_server().kill();
    session.see_the_end();
}

#[test]
fn twenty_sessions_in_a_row_all_come_up_and_end() {
    for n in 1..=20 {
        let session = Session::start(Size::new(100, 30));
        session.prints(&format!("{n} + 1000"), &format!("{}", n + 1000));
        session.close();
    }
}

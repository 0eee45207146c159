//! Processes that die: the workspace comes back with its text and goes on.

use stui_e2e::{NAME, Running, Session, Signal, roomy};

#[test]
fn a_killed_sidecar_comes_back_with_the_text_and_evaluates_again() {
    let session = Session::start(roomy());
    session.prints("kept := 'from before'", "'from before'");
    let killed = session.sidecar();
    killed.kill();

    // typed while there is no sidecar: kept, and evaluated once there is one again
    session.prints("kept size", "11");
    session.see("kept := 'from before' 'from before'");
    assert_ne!(session.sidecar().pid, killed.pid);

    // what it restored is the whole document, not only what the pane still showed
    session.press("Ctrl a").press("Delete");
    session.see_no_more("kept");
    session.press("Ctrl z");
    session.see("kept size 11");

    // it was its keeper who brought it back; without one, the panes do
    session.wait_until("a word of the keeper in the log", || {
        let log = format!("state/stui/sessions/{NAME}/sidecar.log");
        let log = std::fs::read_to_string(session.stage.path(&log));
        log.is_ok_and(|log| log.contains("starting another one"))
    });
    let keeper = session.only(&["stui", "sidecar", "--keep"]);
    let killed = session.sidecar();
    keeper.kill();
    killed.kill();
    session.prints("kept size + 1", "12");
    assert_ne!(session.sidecar().pid, killed.pid);
    session.close();
}

#[test]
fn each_killed_pipe_process_is_replaced() {
    let session = Session::start(roomy());
    session.prints("0 + 1", "1");
    let pipes = || {
        session
            .processes(&["zellij", "pipe"])
            .into_iter()
            .chain(piping(&session))
    };
    let first: Vec<Running> = pipes().collect();
    assert!(
        first.len() >= 2,
        "an up and a down pipe at least, not {first:?}"
    );
    for (n, pipe) in first.iter().enumerate() {
        pipe.kill();
        session.prints(&format!("{n} + 100"), &format!("{}", n + 100));
    }
    session.wait_until("a pipe in the place of each", || {
        pipes().count() >= first.len()
    });
    session.close();
}

/// Pipe processes whose program's arguments come before the subcommand.
fn piping(session: &Session) -> Vec<Running> {
    let mut found = session.stage.processes();
    found.retain(|running| {
        let program = running
            .arguments
            .first()
            .map(String::as_str)
            .unwrap_or_default();
        program.ends_with("zellij")
            && running.arguments.iter().any(|argument| argument == "pipe")
            && !running.is(&["zellij", "pipe"])
    });
    found
}

#[test]
fn a_server_that_stands_still_outlives_the_sidecar_that_started_it() {
    let session = Session::start(roomy());
    session.prints("kept := 'from before'", "'from before'");
    let servers = session.processes(&["stui", "serve"]);
    let killed = session.sidecar();
    for server in &servers {
        server.send(Signal::STOP);
    }
    killed.kill();
    session.wait_until("another sidecar", || {
        let sidecars = session.processes(&["stui", "sidecar", "--daemon"]);
        sidecars.iter().any(|running| running.pid != killed.pid)
    });
    for server in &servers {
        server.send(Signal::CONT);
    }
    session.prints("kept size", "11");
    assert_eq!(session.processes(&["stui", "serve"]), servers);
    session.close();
}

#[test]
fn a_killed_smalltalk_server_is_told_of_and_the_next_one_evaluates() {
    let session = Session::start(roomy());
    session.prints("3 + 4", "7");
    for server in session.processes(&["stui", "serve"]) {
        server.kill();
    }
    // before that it could be with the killed one, which ran it or not: nobody can say
    session.see("This is another Smalltalk server");
    session.prints("6 * 7", "42");
    session.see("3 + 4 7");
    session.close();
}

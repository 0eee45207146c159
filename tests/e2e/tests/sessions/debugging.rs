//! The debugger: what failed is looked at and goes on, code is debugged on purpose.

use stui_e2e::{PATIENCE, Session, keys, left, place_of, roomy, text_of};

/// What the debugger's pane shows between its parts.
const STACK: &str = "Stack ";

/// Define a method that fails for 0, and send its message with print it.
fn fail(session: &Session) {
    session
        .types("Integer compile: 'sharedBy: n ^ self / n'")
        .press(keys::DO_IT);
    session.see_no_more("running");
    session
        .at_the_end()
        .types("10 sharedBy: 0")
        .press(keys::PRINT_IT);
    session.see("Alt d debugs it");
}

/// Bring the debugger up and choose the frame of the method that failed, below that of the division.
fn choose_the_method(session: &Session) {
    session.press(keys::DEBUGGER).see("Stack 1/3");
    session.press("Down").see("Stack 2/3");
    session.see("▸ sharedBy: n ^ self / n");
}

#[test]
fn a_failing_method_is_debugged_and_its_evaluation_goes_on_to_its_end() {
    let session = Session::start(roomy());
    fail(&session);
    choose_the_method(&session);
    session.see("ZeroDivide");
    session.see("Variables");

    // evaluate in the frame
    session.press("e").see("Evaluate in this frame:");
    session.types("n + 5").press("Enter");
    session.see("n + 5 → 5");

    // look at a variable in the inspector
    session.press("Tab").press("Tab").press("Enter");
    session.see("The inspector shows it");

    // return another value from it, and proceed
    session.press("v").see("Return the value of:");
    session.types("self * 4").press("Enter");
    session.see("Stack 1/1");
    session.press("c");
    session.see("It went on to its end: 40");
    session.see("Nothing is being debugged");
    session
        .press("Esc")
        .see_no_more("Nothing is being debugged");
    session.see_that("the answer, and no error marked", |screen| {
        let left = left(screen);
        left.contains("10 sharedBy: 0 40") && !left.contains('✗')
    });
    session.close();
}

#[test]
fn code_that_is_debugged_stops_before_its_first_statement_and_is_stepped_through() {
    let session = Session::start(roomy());
    session
        .types("total := 3 + 4. total * 6")
        .press("Ctrl a")
        .press(keys::DEBUG_IT);
    // the pane comes up by itself
    session.see(STACK);
    session.see("▸ total := 3 + 4");
    session.press("o").press("o");
    session.see_that("the second statement next", |screen| {
        let Some((row, column)) = place_of(screen, "▸ total := 3 + 4. total * 6") else {
            return false;
        };
        let reversed =
            |at| matches!(screen.cell(row, column + 2 + at), Some(cell) if cell.inverse());
        !reversed(9) && reversed(17)
    });
    session.press("c");
    session.see("It went on to its end: 42");
    session.see("Nothing is being debugged");
    session
        .press("Esc")
        .see_no_more("Nothing is being debugged");
    session.press(keys::WORKSPACE);
    session.prints("total", "7");
    session.close();
}

#[test]
fn an_open_debugger_survives_a_killed_sidecar() {
    let session = Session::start(roomy());
    fail(&session);
    choose_the_method(&session);
    let info = session.stui(&["sessions", "info", "main"]);
    assert!(info.contains("ZeroDivide"), "{info}");
    let killed = session.sidecar();
    killed.kill();
    session.wait_until("another sidecar", || {
        let now = session.processes(&["stui", "sidecar", "--daemon"]);
        now.iter().any(|running| running.pid != killed.pid)
    });
    // its state is asked again from the server, which has it still
    session.see("Stack 1/3");
    choose_the_method(&session);
    session.press("x").see("Nothing is being debugged");
    session
        .press("Esc")
        .see_no_more("Nothing is being debugged");
    session.prints("3 + 4", "7");
    session.close();
}

/// Wait until a terminal shows that this part of the code runs next.
fn steps_to(terminal: &stui_e2e::Terminal, session: &Session, part: &str) {
    let is_next = |screen: &stui_e2e::Screen| {
        let text = text_of(screen);
        let row = text.lines().position(|row| row.contains("▸ 1 halt."));
        let Some(row) = row.and_then(|row| u16::try_from(row).ok()) else {
            return false;
        };
        let reversed: String = (0..screen.size().1.get())
            .filter_map(|column| screen.cell(row, column))
            .filter(|cell| cell.inverse())
            .map(|cell| cell.contents().to_owned())
            .collect();
        reversed.contains(part)
    };
    let what = format!("{part:?} runs next");
    if let Err(error) = terminal.wait_until(PATIENCE, &what, is_next) {
        session.fail(&error.to_string());
    }
}

#[test]
fn two_people_see_the_same_debugger_and_a_key_of_either_is_one_step() {
    let session = Session::start(roomy());
    session
        .types("Integer compile: 'counted ^ Transcript show: self printString; cr'")
        .press(keys::DO_IT);
    session.see_no_more("running");
    session
        .at_the_end()
        .types("1 halt. 71 counted. 72 counted. 73 counted. 99")
        .press(keys::DO_IT);
    session.see("Alt d debugs it");
    let other = session.attach("1 halt.");
    let sees = |text: &str| {
        if let Err(error) = other.wait_for(PATIENCE, text) {
            session.fail(&format!("on the other client: {error}"));
        }
    };
    session.press(keys::DEBUGGER).see(STACK);
    sees("▸ 1 halt. 71 counted. 72 counted");
    // one steps past the halt and the first number, the other past the second
    session.press("o");
    steps_to(&session.terminal, &session, "71 counted");
    session.press("o");
    steps_to(&other, &session, "72 counted");
    other
        .press("o")
        .unwrap_or_else(|error| session.fail(&error.to_string()));
    steps_to(&session.terminal, &session, "73 counted");
    session.press("c");
    session.see("It went on to its end: 99");
    sees("It went on to its end: 99");
    // each was written once, whoever stepped
    session
        .press("Esc")
        .see_no_more("Nothing is being debugged");
    session.see_that("each number once", |screen| {
        let right = stui_e2e::right(screen);
        let lines: Vec<&str> = right.lines().collect();
        ["71", "72", "73"].iter().all(|number| {
            let is_it = |line: &&&str| line.trim_matches(['│', ' ']) == *number;
            lines.iter().filter(is_it).count() == 1
        })
    });
    session.leaves(&other);
    session.close();
}

//! Do it, print it, errors, interrupting.

use stui_e2e::{Session, keys, left, place_of, right, roomy};

#[test]
fn what_is_typed_is_evaluated_and_its_answer_printed() {
    let session = Session::start(roomy());
    session
        .types("(1 to: 5) collect: [ :x | x squared ]")
        .press(keys::PRINT_IT);
    session.see_printed("(1 to: 5) collect: [ :x | x squared ]", "#(1 4 9 16 25)");

    // the answer is selected: typing replaces it
    session.types("\"gone\"");
    session.see_no_more("#(1 4 9 16 25)");

    // variables live on from one evaluation to the next
    session.at_the_end().types("total := 20").press(keys::DO_IT);
    session.prints("total + 22", "42");

    session
        .at_the_end()
        .types("Transcript show: 'heard ', total printString; cr")
        .press(keys::DO_IT);
    session.see_that("the text in the transcript", |screen| {
        right(screen).contains("heard 20")
    });
    session
        .at_the_end()
        .types("Transcript clear; show: 'anew'; cr")
        .press(keys::DO_IT);
    session.see_that("only what was written since", |screen| {
        right(screen).contains("anew") && !right(screen).contains("heard 20")
    });
    session.close();
}

#[test]
fn a_syntax_error_is_marked_where_it_is() {
    let session = Session::start(roomy());
    session
        .types("#(3 4) reverse foo: ) bar")
        .press(keys::PRINT_IT);
    let screen = session.see_that("a marked error", |screen| {
        place_of(screen, ") bar").is_some_and(|(row, column)| {
            let cell = screen.cell(row, column).expect("a cell on the screen");
            let before = screen.cell(row, column - 3).expect("a cell on the screen");
            cell.underline() && !before.underline()
        })
    });
    assert!(
        left(&screen).contains("#(3 4) reverse foo: ) bar"),
        "nothing typed is lost"
    );

    // once it is mended, the mark goes and the answer comes
    session
        .press("Ctrl a")
        .types("#(3 4) reverse")
        .press(keys::PRINT_IT);
    session.see_printed("#(3 4) reverse", "#(4 3)");
    session.close();
}

#[test]
fn an_error_in_running_code_is_told_and_the_next_evaluation_works() {
    let session = Session::start(roomy());
    session.types("nil fooBar").press(keys::PRINT_IT);
    session.see("MessageNotUnderstood: receiver of \"fooBar\" is nil");
    session.prints("3 + 4", "7");
    session.at_the_end().types("1 / 0").press(keys::PRINT_IT);
    session.see("ZeroDivide");
    session.prints("7 - 4", "3");
    session.close();
}

#[test]
fn an_endless_loop_is_interrupted_and_the_next_evaluation_works() {
    let session = Session::start(roomy());
    session.types("[ true ] whileTrue").press(keys::DO_IT);
    session.see("running");
    session.press(keys::INTERRUPT);
    session.see_no_more("running");
    session.prints("6 * 7", "42");

    // also one in a process of its own, that nobody waits for
    session.prints("[ [ true ] whileTrue ] fork. 5", "5");
    session.press(keys::INTERRUPT);
    session.see("Ended a process that the code had forked");
    session.close();
}

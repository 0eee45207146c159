//! What is typed and pasted arrives whole.

use std::fmt::Write as _;

use stui_e2e::{PATIENCE, Screen, Session, keys, left, roomy};

#[test]
fn wide_and_astral_characters_arrive_whole_typed_and_pasted() {
    let session = Session::start(roomy());
    session.prints("'日本語 🎉 €' size", "7");
    session.press("Ctrl a").press("Delete");
    session.see_no_more("日本語");
    session.pastes("'日本語 🎉 €' size").press(keys::PRINT_IT);
    session.see_printed("'日本語 🎉 €' size", "7");
    session.close();
}

#[test]
fn a_pasted_file_of_ten_thousand_lines_arrives_whole() {
    let session = Session::start(roomy());
    let mut file = String::from("lines := OrderedCollection new.\n");
    for n in 1..=9_998 {
        let _ = writeln!(file, "lines add: {n}. \"line {n} of a long file\"");
    }
    file.push_str("lines size");
    session.pastes(&file);
    session.see("line 9998 of a long file");

    // every line of it is evaluated, in one go
    session.press("Ctrl a").press(keys::PRINT_IT);
    session.see_printed("lines size", "9998");
    session.prints("lines inject: 0 into: [ :a :b | a + b ]", "49985001");
    go_to_the_beginning(&session, |screen| {
        let left = left(screen);
        left.contains("lines := OrderedCollection new.") && left.contains("line 1 of")
    });
    session.close();
}

#[test]
fn among_hundreds_of_lines_longer_than_the_pane_one_types_as_in_short_ones() {
    let session = Session::start(roomy());
    let mut text = String::new();
    for n in 1..=700 {
        let _ = writeln!(text, "\"line {n} {}\"", "long ".repeat(80));
    }
    session.pastes(&text);
    session.see("line 700");
    go_to_the_beginning(&session, |screen| left(screen).contains("line 1 long"));
    session.press("Down").press("Down").press("End");
    session.types("AAA").see("long \"AAA");
    session.press("Home").types("BBB").see("BBB\"line 3 long");
    // and behind an answer as long as answers get
    session.press("Ctrl a").press("Delete");
    session
        .types("String new: 1000000 withAll: $a")
        .press(keys::PRINT_IT);
    session.see("The answer is longer than shown");
    session.press("Ctrl End").types("!").see("a…!");
    session
        .press("Home")
        .types("CCC")
        .see("CCCString new: 1000000");
    session.close();
}

#[test]
fn undo_takes_back_and_redo_brings_again() {
    let session = Session::start(roomy());
    session.prints("3 + 4", "7");
    session.press("Ctrl z");
    session.see_no_more("3 + 4 7");
    session.press("Ctrl y");
    session.see("3 + 4 7");
    session.close();
}

/// Press `Ctrl Home` until its effect is seen: Zellij's own reading of the terminal sometimes takes it
/// for a plain `Home`, which is harmless to press again.
fn go_to_the_beginning(session: &Session, seen: impl Fn(&Screen) -> bool) {
    for _ in 0..4 {
        session.press("Ctrl Home");
        let within = PATIENCE / 4;
        if (session.terminal.wait_until(within, "the beginning", &seen)).is_ok() {
            return;
        }
    }
    session.fail("the beginning did not appear");
}

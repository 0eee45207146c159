//! Several people attached to one session.

use stui_e2e::{CONNECTED, NAME, PATIENCE, Screen, Session, Terminal, keys, left, place_of, roomy};

/// Wait for a text on another client's screen.
fn sees(session: &Session, other: &Terminal, text: &str) {
    if let Err(error) = other.wait_for(PATIENCE, text) {
        session.fail(&format!("on the other client: {error}"));
    }
}

/// Wait until another client's screen is as wanted.
fn sees_that(
    session: &Session,
    other: &Terminal,
    what: &str,
    predicate: impl FnMut(&Screen) -> bool,
) {
    if let Err(error) = other.wait_until(PATIENCE, what, predicate) {
        session.fail(&format!("on the other client: {error}"));
    }
}

fn presses(session: &Session, other: &Terminal, keys: &[&str]) {
    for key in keys {
        other
            .press(key)
            .unwrap_or_else(|error| session.fail(&error.to_string()));
    }
}

/// The lines of the workspace that hold a text, from it on, whoever has his cursor in them.
fn lines_with(screen: &Screen, text: &str) -> Vec<String> {
    left(screen)
        .lines()
        .filter_map(|line| {
            let line = &line[line.find(text)?..];
            Some(line.trim_end_matches(['│', ' ']).to_owned())
        })
        .collect()
}

#[test]
fn two_clients_see_one_text_and_a_key_of_either_evaluates_once() {
    let session = Session::start(roomy());
    session.prints("count := 0", "0");
    let other = session.attach("count := 0 0");

    // a key of the first client
    session.prints("count := count + 1", "1");
    sees(&session, &other, "count := count + 1 1");

    // a key of the other one
    goes_behind(&session, &other, "count := count + 1 1");
    presses(&session, &other, &["Enter"]);
    other.type_text("count := count + 10");
    presses(&session, &other, &[keys::PRINT_IT]);
    sees(&session, &other, "count := count + 10 11");
    session.see("count := count + 10 11");

    // both were evaluated once, and both screens show one text
    session.prints("count * 2", "22");
    sees(&session, &other, "count * 2 22");
    let texts = [&session.terminal, &other].map(|terminal| lines_with(&terminal.screen(), "count"));
    assert_eq!(texts[0], texts[1]);

    // one goes, the other goes on
    session.leaves(&other);
    session.prints("count * 3", "33");
    session.close();
}

/// What each of three people types: no two have a character in common.
const WORDS: [&str; 3] = ["abcdefghijklmnop", "ABCDEFGHIJKLMNOP", "0123456789+-*/=<"];

/// Whether the cursor is right behind a text. Zellij loses keys that come too soon behind one that
/// moves, so nobody types before.
fn is_behind(screen: &Screen, text: &str) -> bool {
    place_of(screen, text.trim_end()).is_some_and(|(row, column)| {
        let columns = text.len() as u16;
        screen.cursor_position() == (row, column + columns)
    })
}

/// Click behind a text, and wait until the cursor is there.
fn goes_behind(session: &Session, person: &Terminal, text: &str) {
    let mut place = None;
    sees_that(session, person, text, |screen| {
        place = place_of(screen, text.trim_end());
        place.is_some()
    });
    let (row, column) = place.unwrap_or_default();
    person.click(row, column + text.len() as u16);
    sees_that(session, person, "the cursor behind its text", |screen| {
        is_behind(screen, text)
    });
}

/// All three type their words at the same time, character by character.
fn type_at_once(people: &[&Terminal; 3]) {
    for n in 0..WORDS[0].len() {
        for (person, word) in people.iter().zip(WORDS) {
            person.type_text(&word[n..=n]);
        }
    }
}

#[test]
fn what_three_clients_type_at_the_same_time_is_all_there_on_all_three_screens() {
    let session = Session::start(roomy());
    session.pastes("\"one \n\"two \n\"six ");
    session.see("\"six");
    let (second, third) = (session.attach("\"six"), session.attach("\"six"));
    let people = [&session.terminal, &second, &third];

    // everybody in his own line
    for (person, line) in people.into_iter().zip(["\"one ", "\"two ", "\"six "]) {
        goes_behind(&session, person, line);
    }
    type_at_once(&people);
    let lines: Vec<String> = ["one", "two", "six"]
        .iter()
        .zip(WORDS)
        .map(|(number, word)| format!("\"{number} {word}"))
        .collect();
    for person in people {
        for line in &lines {
            sees(&session, person, line);
        }
    }

    // each sees by a number beside the line where the others are
    for (n, person) in people.into_iter().enumerate() {
        sees_that(
            &session,
            person,
            "the others' numbers, not the own",
            |screen| {
                lines.iter().enumerate().all(|(line, text)| {
                    place_of(screen, text).is_some_and(|(row, column)| {
                        let sign = screen.cell(row, column - 1);
                        let numbered = sign.is_some_and(|cell| cell.contents().trim() != "");
                        numbered == (line != n)
                    })
                })
            },
        );
    }

    // everybody at one place
    session.press("Ctrl End");
    session.see_that("the cursor at the end", |screen| {
        is_behind(screen, &lines[2])
    });
    session.press("Enter");
    session.types("\"all ");
    for person in people {
        sees(&session, person, "\"all ");
        presses(&session, person, &["Ctrl End"]);
        sees_that(&session, person, "the cursor at the end", |screen| {
            is_behind(screen, "\"all ")
        });
    }
    type_at_once(&people);
    for person in people {
        sees_that(&session, person, "everything that was typed", |screen| {
            let line = lines_with(screen, "\"all ").join("");
            line.len() == "\"all ".len() + 3 * WORDS[0].len()
        });
    }
    let texts = people.map(|person| lines_with(&person.screen(), "\""));
    assert_eq!(texts[0], texts[1]);
    assert_eq!(texts[0], texts[2]);
    for word in WORDS {
        let typed: String = texts[0].last().map_or(String::new(), |line| {
            line["\"all ".len()..]
                .chars()
                .filter(|c| word.contains(*c))
                .collect()
        });
        assert_eq!(typed, word, "everybody's characters stay in their order");
    }

    // who leaves is no longer seen
    if let Err(error) = third.kill() {
        session.fail(&error.to_string());
    }
    if let Err(error) = second.kill() {
        session.fail(&error.to_string());
    }
    session.see_that("a workspace without others' numbers", |screen| {
        ["\"two", "\"six", "\"all"].iter().all(|text| {
            place_of(screen, text).is_some_and(|(row, column)| {
                let sign = screen.cell(row, column - 1);
                sign.is_none_or(|cell| cell.contents().trim() == "")
            })
        })
    });
    session.close();
}

#[test]
fn guests_who_look_on_change_nothing_until_they_may() {
    let session = Session::start(roomy());
    session.prints("3 + 4", "7");
    let guest = session.attach("3 + 4 7");
    guest.click(5, 5);
    let guests = |may: &str| session.stui(&["guests", may, "--zellij-session", NAME]);

    guests("read-only");
    sees(&session, &guest, "looking on");
    session.see("guests look on");
    presses(&session, &guest, &["Ctrl End"]);
    guest.type_text("refused");
    sees(&session, &guest, "You are a guest");
    presses(
        &session,
        &guest,
        &["Ctrl a", "Delete", keys::PRINT_IT, "Ctrl x"],
    );
    // the host goes on, in an unchanged text
    session.prints("5 + 6", "11");
    sees(&session, &guest, "5 + 6 11");
    // what he typed before his pane knew that he only looks on is taken back
    let is_unchanged = |screen: &Screen| {
        let text = left(screen);
        text.contains("3 + 4 7") && !text.contains("refused")
    };
    sees_that(&session, &guest, "an unchanged text", is_unchanged);
    session.see_that("an unchanged text", is_unchanged);

    guests("may-write");
    sees_that(&session, &guest, "a workspace to write in", |screen| {
        !left(screen).contains("looking on")
    });
    presses(&session, &guest, &["Ctrl End", "Enter"]);
    guest.type_text("7 * 8");
    presses(&session, &guest, &[keys::PRINT_IT]);
    session.see("7 * 8 56");
    session.leaves(&guest);
    session.close();
}

#[test]
fn a_second_workspace_in_another_tab_shows_the_text_and_a_key_there_evaluates_once() {
    let session = Session::start(roomy());
    session.prints("count := 0", "0");
    let layout = session
        .stage
        .path(&format!("state/stui/sessions/{NAME}/layout.kdl"));
    let layout = layout.display().to_string();
    let new_tab = ["--session", NAME, "action", "new-tab", "--layout", &layout];
    if !session.zellij(&new_tab) {
        session.fail("there is no second tab");
    }
    session.see("Tab #2");
    // in the first tab the answer is selected
    session.see_that("the text in the second tab", |screen| {
        let there = place_of(screen, "count := 0 0");
        let answer = there.and_then(|(row, column)| screen.cell(row, column + 11));
        answer.is_some_and(|cell| !cell.inverse()) && left(screen).contains(CONNECTED)
    });
    goes_behind(&session, &session.terminal, "count := 0 0");
    session.prints("count := count + 1", "1");
    session.press("Ctrl t").press("1");
    session.see("count := count + 1 1");
    goes_behind(&session, &session.terminal, "count := count + 1 1");
    session.prints("count := count + 10", "11");
    session.close();
}

#[test]
fn a_zellij_watcher_sees_the_panes_and_has_no_keys() {
    let session = Session::start(roomy());
    session.prints("3 + 4", "7");
    let watcher = session
        .stage
        .command(session.stage.zellij())
        .args(["watch", NAME]);
    let watcher = match Terminal::spawn(&watcher, roomy()) {
        Ok(terminal) => terminal,
        Err(error) => session.fail(&error.to_string()),
    };
    sees(&session, &watcher, "3 + 4 7");
    watcher.type_text("refused");
    presses(&session, &watcher, &["Ctrl a", "Delete", keys::PRINT_IT]);
    session.prints("5 + 6", "11");
    sees(&session, &watcher, "5 + 6 11");
    let text = left(&session.terminal.screen());
    assert!(
        text.contains("3 + 4 7") && !text.contains("refused"),
        "{text}"
    );
    assert!(!text.contains("people"), "a watcher is nobody to the panes");
    drop(watcher);
    session.close();
}

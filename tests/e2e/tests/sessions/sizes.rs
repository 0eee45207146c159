//! Small and large terminals.

use stui_e2e::{Session, Size, left, roomy};

fn works_at(size: Size) {
    let session = Session::start(size);
    session.prints("3 + 4", "7");
    let screen = session.see("inspector");
    assert!(
        left(&screen).contains("workspace"),
        "the panes have their names"
    );
    session.close();
}

#[test]
fn everything_fits_eighty_columns_and_twenty_four_rows() {
    works_at(Size::new(80, 24));
}

#[test]
fn a_large_terminal_is_filled() {
    works_at(Size::new(200, 50));
}

#[test]
fn a_terminal_may_change_its_size_while_it_is_used() {
    let session = Session::start(Size::new(120, 36));
    session.prints("3 + 4", "7");
    for size in [Size::new(80, 24), Size::new(160, 45)] {
        if let Err(error) = session.terminal.resize(size) {
            session.fail(&error.to_string());
        }
        session.see_that("the text at the other size", |screen| {
            screen.size().1.get() == size.columns && left(screen).contains("3 + 4 7")
        });
    }
    session.prints("6 * 7", "42");
    session.close();
}

#[test]
fn a_new_tab_is_an_ordinary_one_and_the_workspace_one_key_away() {
    let session = Session::start(roomy());
    session.prints("3 + 4", "7");
    session.press("Ctrl t").press("n");
    session.see("Tab #2");
    session.see_no_more("workspace");
    session.press("Alt w");
    session.see("3 + 4 7");
    session.prints("6 * 7", "42");
    session.close();
}

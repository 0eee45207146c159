//! The configuration file, before a session and while it runs.

use std::fs;

use stui_e2e::{Session, is_connected, new_stage, roomy};

#[test]
fn keys_of_the_configuration_hold_and_a_file_that_breaks_is_told_in_the_panes() {
    let stage = new_stage();
    let folder = stage.path("xdg/stui");
    fs::create_dir_all(&folder).expect("a folder for the configuration");
    let file = folder.join("config.kdl");
    let good = "keys { print_it \"F6\" \"Alt x\"; }\n";
    fs::write(&file, good).expect("the configuration is written");
    let session = Session::start_on(stage, roomy());
    session.see_that("three connected panes", is_connected);
    session.types("3 + 4").press("F6");
    session.see_printed("3 + 4", "7");

    fs::write(&file, format!("{good}nonsense\n")).expect("the configuration is broken");
    session.see("config.kdl:2: there is no setting");
    session.at_the_end().types("4 + 5").press("F6");
    session.see_printed("4 + 5", "9");
    session.close();
}

#[test]
fn nothing_opens_with_a_broken_configuration() {
    let stage = new_stage();
    fs::create_dir_all(stage.path("xdg/stui")).expect("a folder for the configuration");
    fs::write(stage.path("xdg/stui/config.kdl"), "thme \"zellij\"").expect("it is written");
    let session = Session::start_on(stage, roomy());
    session.see("the configuration has a problem");
    session.see("1 | thme \"zellij\"");
    session.see_the_end();
}

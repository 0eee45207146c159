//! The inspector: look at an object, walk in, walk back.

use stui_e2e::{Session, keys, right, roomy};

#[test]
fn an_ordered_collection_is_inspected_walked_into_and_left_again() {
    let session = Session::start(roomy());
    session
        .types("OrderedCollection new add: 3 / 4; add: 'two'; add: #(10 20 30); yourself")
        .press(keys::INSPECT_IT);
    let shows = |what: &str, texts: &'static [&'static str]| {
        session.see_that(what, |screen| {
            let right = right(screen);
            texts.iter().all(|text| right.contains(text))
        })
    };
    shows("the collection", &["OrderedCollection", "'two'", "3/4"]);

    // to the inspector, and into the first element
    session.press(keys::INSPECTOR);
    session.press("Home").press("Enter");
    shows("the fraction", &["Fraction", "numerator", "denominator"]);
    session.press("Left");
    session.see_that("the collection again, and no fraction", |screen| {
        let right = right(screen);
        let all = ["OrderedCollection", "'two'", "3/4"];
        all.iter().all(|text| right.contains(text)) && !right.contains("denominator")
    });

    // back to the workspace with one key from anywhere
    session.press(keys::WORKSPACE);
    session.prints("3 + 4", "7");
    session.close();
}

#[test]
fn a_million_elements_open_at_once_and_the_last_is_one_key_away() {
    let session = Session::start(roomy());
    session
        .types("(1 to: 1000000) asArray")
        .press(keys::INSPECT_IT);
    session.see_that("the first elements", |screen| {
        right(screen).contains("SmallInteger")
    });
    session.press(keys::INSPECTOR).press("End");
    session.see_that("the last elements", |screen| {
        right(screen).contains("999999")
    });
    session.press("Home");
    session.see_that("the first elements", |screen| {
        !right(screen).contains("999999")
    });
    session.close();
}

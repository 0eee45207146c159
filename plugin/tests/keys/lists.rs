//! The inspector and the transcript, key by key.

use stui_plugin::io::{Input, Mouse};
use stui_protocol::pane::{Act, FromPane, InspectorView, Row, ToPane};

use crate::desk::{Desk, SESSION};

fn rows(first: u64, count: u64) -> Vec<Row> {
    (first..first + count)
        .map(|n| Row {
            name: (n + 1).to_string(),
            value: format!("'value {n}'"),
            class_name: "String".into(),
            has_children: n % 2 == 1,
        })
        .collect()
}

fn collection(shown: u64) -> InspectorView {
    InspectorView {
        shown,
        trail: vec!["an OrderedCollection".into()],
        class_name: "OrderedCollection".into(),
        print_string: "an OrderedCollection('value 0' 'value 1' …)".into(),
        views: vec!["Items".into(), "Raw".into(), "Print".into()],
        view: 0,
        text: false,
        select: None,
        total: 1_000_000,
        first: 0,
        rows: rows(0, 30),
    }
}

fn inspector() -> Desk {
    let mut desk = Desk::role("inspector", 48, 12);
    desk.tell(&ToPane::Inspector {
        session: SESSION,
        view: collection(1),
    });
    desk
}

fn asked(desk: &Desk) -> Vec<(u64, u32)> {
    let asked = desk.sidecar.heard.iter().filter_map(|said| match said {
        FromPane::InspectorView { first, count, .. } => Some((*first, *count)),
        _ => None,
    });
    asked.collect()
}

#[test]
fn an_inspector_shows_trail_object_views_and_rows() {
    let desk = inspector();
    assert_eq!(
        desk.rows()[..6],
        [
            "an OrderedCollection",
            "OrderedCollection  an OrderedCollection('value …",
            "« Items »  Raw   Print",
            "«› 1  'value 0'                            String»",
            " +2  'value 1'                            String",
            "  3  'value 2'                            String",
        ]
    );
    assert!(desk.rows()[11].starts_with("● Embedded 0.1.0"));
}

#[test]
fn before_anything_is_inspected_the_pane_says_how() {
    let desk = Desk::role("inspector", 60, 8);
    assert!(desk.screen().contains("Ctrl l"), "{}", desk.screen());
}

#[test]
fn of_a_million_rows_only_those_shown_are_asked_for() {
    let mut desk = inspector();
    desk.press("PageDown, End");
    let (first, count) = *asked(&desk).last().unwrap();
    assert!(first >= 999_000 && count <= 30, "{first} {count}");
    let mut view = collection(1);
    (view.first, view.rows) = (999_970, rows(999_970, 30));
    desk.tell(&ToPane::Inspector {
        session: SESSION,
        view,
    });
    assert!(
        desk.rows()[10].starts_with("«›+1000000  'value 999999'"),
        "{}",
        desk.screen()
    );
    let before = asked(&desk).len();
    desk.press("Up, Up, Down");
    assert_eq!(
        asked(&desk).len(),
        before,
        "what is there is not asked for again"
    );
    desk.press("Home");
    assert_eq!(asked(&desk).len(), before + 1);
}

#[test]
fn rows_that_an_earlier_sidecar_told_are_not_taken_for_those_of_another_object() {
    let mut desk = inspector();
    desk.connect();
    // the next sidecar counts what it shows anew
    let mut view = collection(1);
    view.total = 20;
    view.rows = rows(0, 5);
    for row in &mut view.rows {
        row.value = "other".into();
    }
    desk.tell(&ToPane::Inspector {
        session: SESSION,
        view,
    });
    let below = &desk.rows()[3..11];
    assert!(!below.iter().any(|row| row.contains("'value")), "{below:?}");
    assert!(
        asked(&desk)
            .last()
            .is_some_and(|(first, count)| *first <= 5 && *count > 5)
    );
}

#[test]
fn walking_in_and_back_selects_the_row_walked_into() {
    let mut desk = inspector();
    desk.press("Down, Right");
    assert_eq!(desk.acts(), [Act::InspectRow { shown: 1, row: 1 }]);
    let mut inner = collection(2);
    inner.trail.push("'value 1'".into());
    inner.class_name = "String".into();
    inner.print_string = "'value 1'".into();
    (inner.total, inner.rows) = (0, Vec::new());
    desk.tell(&ToPane::Inspector {
        session: SESSION,
        view: inner,
    });
    assert_eq!(desk.rows()[0], "an OrderedCollection › 'value 1'");
    assert!(desk.screen().contains("nothing in this view"));
    desk.press("Left");
    assert_eq!(desk.acts()[1..], [Act::InspectBack]);
    let mut outer = collection(3);
    outer.select = Some(500_000);
    (outer.first, outer.rows) = (499_990, rows(499_990, 30));
    desk.tell(&ToPane::Inspector {
        session: SESSION,
        view: outer,
    });
    assert!(desk.screen().contains("«› 500001"), "{}", desk.screen());
    desk.press("Left");
    assert_eq!(desk.acts().len(), 2, "there is nothing before the first");
}

#[test]
fn tab_and_the_mouse_choose_views_and_rows() {
    let mut desk = inspector();
    desk.press("Shift Tab, Tab");
    desk.input(Input::Mouse(Mouse::Click { row: 2, column: 9 }));
    let views = [2, 1, 1].map(|view| Act::InspectAs { shown: 1, view });
    assert_eq!(desk.acts(), views);
    desk.input(Input::Mouse(Mouse::Click { row: 5, column: 9 }));
    assert!(desk.rows()[5].starts_with("«› 3"), "{}", desk.screen());
    desk.input(Input::Mouse(Mouse::Click { row: 5, column: 9 }));
    assert_eq!(desk.acts()[3..], [Act::InspectRow { shown: 1, row: 2 }]);
    desk.input(Input::Mouse(Mouse::Scroll(3)));
    assert!(desk.rows()[3].starts_with(" +4"), "{}", desk.screen());
    desk.press("Ctrl c");
    assert_eq!(desk.clipboard, "'value 2'");
}

fn text(total: u64, first: u64, lines: &[&str]) -> ToPane {
    let row = |line: &&str| Row {
        name: String::new(),
        value: (*line).into(),
        class_name: String::new(),
        has_children: false,
    };
    ToPane::Inspector {
        session: SESSION,
        view: InspectorView {
            view: 2,
            text: true,
            total,
            first,
            rows: lines.iter().map(row).collect(),
            ..collection(2)
        },
    }
}

#[test]
fn a_text_wraps_and_is_scrolled_and_read_to_its_end() {
    let mut desk = Desk::role("inspector", 12, 7);
    // one line for the object, one for the status: five rows of text
    let long = "日本語 0123456789 abcdefghij KLMNOPQRST uvwxyz0123 456789";
    desk.tell(&text(3, 0, &["first", long]));
    assert_eq!(
        desk.rows()[1..6],
        [
            "first",
            "日本語 01234",
            "56789 abcdef",
            "ghij KLMNOPQ",
            "RST uvwxyz01"
        ]
    );
    desk.press("Down");
    assert_eq!(desk.rows()[1], "日本語 01234");
    desk.press("Right");
    assert_eq!(desk.acts(), [], "there is nothing to walk into");
    desk.press("End");
    let (first, _) = *asked(&desk).last().unwrap();
    assert_eq!(first, 1, "the line before may go on in what is missing");
    desk.tell(&text(4, 1, &[long, "and on", "the end"]));
    assert_eq!(
        desk.rows()[1..6],
        [
            "ghij KLMNOPQ",
            "RST uvwxyz01",
            "23 456789",
            "and on",
            "the end"
        ]
    );
    desk.press("Down, PageDown");
    assert_eq!(desk.rows()[5], "the end", "there is nothing behind the end");
    desk.input(Input::Mouse(Mouse::Scroll(-3)));
    assert_eq!(desk.rows()[1], "first");
    desk.press("Home, Ctrl c");
    assert_eq!(desk.clipboard, format!("first\n{long}"));
    assert!(!desk.screen().contains("of ."), "{}", desk.screen());
}

#[test]
fn what_is_shown_is_read_anew_on_a_key_and_when_an_evaluation_ended() {
    let mut desk = inspector();
    let again = |desk: &Desk| {
        let heard = desk.sidecar.heard.iter();
        let again =
            heard.filter(|said| matches!(said, FromPane::InspectorView { again: true, .. }));
        again.count()
    };
    desk.press("Down, F5");
    assert_eq!(again(&desk), 1);
    let mut changed = collection(1);
    changed.total = 2;
    changed.rows = rows(0, 2);
    changed.rows[1].value = "'changed'".into();
    desk.tell(&ToPane::Inspector {
        session: SESSION,
        view: changed,
    });
    assert_eq!(
        desk.rows()[4],
        "«›+2  'changed'                            String»"
    );
    assert_eq!(desk.rows()[5], "");
    desk.tell(&ToPane::MayHaveChanged { session: SESSION });
    assert_eq!(again(&desk), 2);
}

fn transcript() -> Desk {
    let mut desk = Desk::role("transcript", 20, 6);
    desk.tell(&lines(80, 100));
    desk
}

fn lines(first: u64, end: u64) -> ToPane {
    ToPane::Transcript {
        session: SESSION,
        first,
        oldest: 0,
        end,
        lines: (first..end).map(|n| format!("line {n}")).collect(),
    }
}

#[test]
fn a_transcript_follows_its_end_unless_it_is_scrolled_up() {
    let mut desk = transcript();
    assert_eq!(
        desk.rows()[..5],
        ["line 95", "line 96", "line 97", "line 98", "line 99"]
    );
    desk.tell(&lines(100, 102));
    assert_eq!(desk.rows()[4], "line 101");
    desk.press("Up, Up");
    assert_eq!(desk.rows()[0], "line 95");
    assert!(desk.rows()[4].contains("more below"), "{}", desk.screen());
    desk.tell(&lines(102, 104));
    assert_eq!(desk.rows()[0], "line 95", "the view stays");
    desk.press("PageDown, PageDown");
    assert_eq!(desk.rows()[4], "line 103");
    desk.tell(&lines(104, 105));
    assert_eq!(desk.rows()[4], "line 104", "and follows again");
}

#[test]
fn older_lines_are_asked_for_when_they_are_scrolled_to() {
    let mut desk = transcript();
    desk.press("Home");
    let asked = desk.sidecar.heard.last().cloned();
    assert!(
        matches!(asked, Some(FromPane::TranscriptView { first: Some(0), count, .. }) if count <= 30),
        "{asked:?}"
    );
    let ToPane::Transcript {
        session: SESSION,
        lines: text,
        ..
    } = lines(0, 30)
    else {
        unreachable!("lines are lines");
    };
    desk.tell(&ToPane::Transcript {
        session: SESSION,
        first: 0,
        oldest: 0,
        end: 100,
        lines: text,
    });
    assert_eq!(desk.rows()[0], "line 0");
}

#[test]
fn long_lines_wrap_and_the_last_may_grow() {
    let mut desk = Desk::role("transcript", 20, 6);
    let mut grow = |text: &str| {
        desk.tell(&ToPane::Transcript {
            session: SESSION,
            first: 0,
            oldest: 0,
            end: 1,
            lines: vec![text.to_owned()],
        });
        desk.rows()[..3].to_vec()
    };
    assert_eq!(grow("日本語")[..2], ["日本語", ""]);
    assert_eq!(
        grow("日本語 and so on for quite a while"),
        ["日本語 and so on for", " quite a while", ""]
    );
}

#[test]
fn clearing_asks_the_sidecar_and_an_empty_transcript_says_what_it_is() {
    let mut desk = transcript();
    desk.press("Ctrl l");
    assert_eq!(desk.acts(), [Act::ClearTranscript]);
    desk.tell(&ToPane::Transcript {
        session: SESSION,
        first: 100,
        oldest: 100,
        end: 100,
        lines: Vec::new(),
    });
    let words = desk.rows().join("");
    assert!(words.contains("Transcript appears"), "{words}");
    desk.tell(&ToPane::Transcript {
        session: SESSION,
        first: 100,
        oldest: 100,
        end: 101,
        lines: vec!["new".into()],
    });
    assert_eq!(desk.rows()[0], "new");
}

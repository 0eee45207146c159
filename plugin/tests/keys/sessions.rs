//! The pane of sessions, key by key, and a workspace that is switched.

use stui_plugin::io::Input;
use stui_protocol::pane::{Act, FromPane, How, Link, Pos, SessionKey, Span, ToPane, VERSION};
use stui_protocol::sessions::{ImageRow, SessionCommand, SessionList, SessionRow};

use crate::desk::{Desk, SESSION, status};

const SECOND: SessionKey = SessionKey(2);

fn list() -> SessionList {
    let session = |key, name: &str, image: &str| SessionRow {
        key,
        name: name.into(),
        image: image.into(),
        link: Link::Connected,
        used: 100,
        viewers: vec![1],
        ..SessionRow::default()
    };
    let image = |name: &str, target: &str| ImageRow {
        name: name.into(),
        target: target.into(),
        link: Link::Connected,
        dialect: "Pharo 12".into(),
        sessions: 1,
    };
    SessionList {
        sessions: vec![
            SessionRow {
                running: 1,
                ..session(SESSION, "main", "embedded")
            },
            SessionRow {
                link: Link::Reconnecting {
                    attempt: 3,
                    reason: "The connection is lost.".into(),
                },
                lost: 4,
                viewers: vec![2],
                used: 40,
                ..session(SECOND, "parser", "moose")
            },
        ],
        images: vec![
            image("embedded", "embedded"),
            image("moose", "/home/me/moose.json"),
        ],
    }
}

fn sessions(columns: u16, rows: u16) -> Desk {
    let mut desk = Desk::role("sessions", columns, rows);
    desk.tell(&ToPane::Sessions {
        list: list(),
        now: 160,
    });
    desk
}

fn commands(desk: &Desk) -> Vec<SessionCommand> {
    let acts = desk.acts().into_iter();
    acts.filter_map(|act| match act {
        Act::Sessions { command } => Some(command),
        _ => None,
    })
    .collect()
}

#[test]
fn a_selected_image_stays_selected_when_somebody_else_makes_a_session() {
    let mut desk = sessions(80, 12);
    desk.press("Down, Down");
    let mut more = list();
    let third = SessionRow {
        key: SessionKey(3),
        name: "third".into(),
        image: "moose".into(),
        ..SessionRow::default()
    };
    more.sessions.push(third);
    desk.tell(&ToPane::Sessions {
        list: more,
        now: 160,
    });
    desk.press("n, 'new', Enter");
    let image = Some("embedded".to_owned());
    let name = "new".to_owned();
    assert_eq!(commands(&desk), [SessionCommand::New { name, image }]);
}

fn welcome(desk: &mut Desk, session: SessionKey) {
    desk.tell(&ToPane::Welcome {
        version: VERSION,
        sidecar: "desk".into(),
        acked: 0,
        session,
        status: status(),
    });
}

#[test]
fn at_80_by_24_all_is_said_of_sessions_and_images() {
    let desk = sessions(80, 24);
    assert_eq!(
        desk.rows()[..7],
        [
            "  Session   Image     State                                            Used",
            "«›*main      embedded  ▶ 1 running                                      1 min    »",
            "  parser    moose     ◌ reconnecting (3), 4 to run again: The connect… 1 other",
            "",
            "  Image     Sessions  State",
            "  embedded  1         ● Pharo 12, embedded",
            "  moose     1         ● Pharo 12, /home/me/moose.json",
        ]
    );
}

#[test]
fn a_small_window_still_says_what_matters() {
    let desk = sessions(40, 8);
    let rows = desk.rows();
    assert_eq!(rows[1], "«›*main      embedded  ▶ 1 running       »");
    assert!(rows[2].starts_with("  parser    moose     ◌ reconnecting"));
    assert!(rows[7].starts_with("● Embedded 0.1.0"), "{}", rows[7]);
}

#[test]
fn enter_switches_to_the_selected_session() {
    let mut desk = sessions(60, 12);
    desk.press("Down, Enter");
    assert_eq!(
        commands(&desk),
        [SessionCommand::Switch { session: SECOND }]
    );
}

#[test]
fn a_new_session_is_asked_its_name_and_made_on_the_rows_image() {
    let mut desk = sessions(60, 12);
    desk.press("Down, n, 'lex', Backspace, 'xer'");
    assert!(
        desk.screen()
            .contains("Name of the new session on moose: lexer"),
        "{}",
        desk.screen()
    );
    desk.press("Enter");
    let made = SessionCommand::New {
        name: "lexer".into(),
        image: Some("moose".into()),
    };
    assert_eq!(commands(&desk), [made]);
    desk.press("n, 'no', Esc, Down, Down, n, Enter");
    let unnamed = SessionCommand::New {
        name: String::new(),
        image: Some("moose".into()),
    };
    assert_eq!(
        commands(&desk)[1..],
        [unnamed],
        "Esc takes the question back"
    );
}

#[test]
fn a_name_that_cannot_be_is_said_and_can_be_mended() {
    let mut desk = sessions(60, 12);
    desk.press("r, ',b', Enter");
    assert!(
        desk.screen().contains("cannot be a name"),
        "{}",
        desk.screen()
    );
    assert_eq!(commands(&desk), []);
    desk.press("Backspace, Backspace, '-b', Enter");
    let renamed = SessionCommand::Rename {
        session: SESSION,
        name: "main-b".into(),
    };
    assert_eq!(commands(&desk), [renamed]);
}

#[test]
fn closing_asks_and_only_yes_closes() {
    let mut desk = sessions(60, 12);
    desk.press("Down, x");
    assert!(
        desk.screen()
            .contains("Close parser with its text and variables? y/n")
    );
    desk.press("Enter");
    assert_eq!(commands(&desk), []);
    desk.press("x, y");
    assert_eq!(commands(&desk), [SessionCommand::Close { session: SECOND }]);
}

#[test]
fn in_a_narrow_window_a_question_wraps_and_what_is_typed_is_seen() {
    let mut desk = sessions(38, 10);
    desk.press("Down, x");
    assert_eq!(
        desk.rows()[7..9],
        ["Close parser with its text and", "variables? y/n ▏"]
    );
    desk.press("Esc, n, 'lexer'");
    assert_eq!(
        desk.rows()[7..9],
        ["Name of the new session on moose:", "lexer▏"]
    );
    assert!(
        desk.rows()[9].ends_with("Esc leaves it"),
        "{}",
        desk.screen()
    );
    let mut low = sessions(25, 3);
    low.press("Down, n, 'lexer'");
    assert!(low.screen().contains("lexer▏"), "{}", low.screen());
}

#[test]
fn a_name_that_is_too_long_is_said_and_not_cut_in_silence() {
    let mut desk = sessions(60, 12);
    desk.press("n");
    desk.input(Input::Paste("x".repeat(40)));
    let too_long = "A name has at most 32 characters.";
    assert!(desk.screen().contains(too_long), "{}", desk.screen());
    assert!(desk.screen().contains("x▏"), "the question stays in sight");
    desk.press("Backspace, 'yz'");
    assert!(desk.screen().contains(too_long), "{}", desk.screen());
    assert!(desk.screen().contains("xy▏"), "{}", desk.screen());
}

fn rooms(desk: &Desk) -> usize {
    let heard = desk.sidecar.heard.iter();
    heard
        .filter(|said| matches!(said, FromPane::Room { .. }))
        .count()
}

#[test]
fn a_floating_window_asks_for_room_when_it_comes_up_and_never_against_its_user() {
    let configuration = [
        ("role", "sessions"),
        ("stui", "/stui"),
        ("afterwards", "hide"),
    ];
    let mut desk = Desk::alone(&configuration, 38, 10);
    desk.connect();
    assert_eq!(rooms(&desk), 1);
    let resize = |desk: &mut Desk, columns| {
        desk.size.columns = columns;
        desk.input(Input::Size(desk.size));
    };
    resize(&mut desk, 70);
    resize(&mut desk, 50);
    assert_eq!(rooms(&desk), 1, "the user made it smaller");
    desk.press("Esc");
    resize(&mut desk, 38);
    assert_eq!(rooms(&desk), 2, "it comes up again as Zellij makes it");
    resize(&mut desk, 70);
    desk.press("Esc, Down");
    resize(&mut desk, 50);
    assert_eq!(rooms(&desk), 2, "it came up as it was");
    desk.connect();
    assert_eq!(rooms(&desk), 2, "another sidecar changes nothing");
    let tiled = Desk::role("sessions", 38, 10);
    assert_eq!(rooms(&tiled), 0);
}

#[test]
fn moving_and_running_the_history_again_are_one_key() {
    let mut desk = sessions(60, 12);
    desk.press("i, Down, h, Down, h");
    assert_eq!(
        commands(&desk),
        [
            SessionCommand::Move {
                session: SESSION,
                image: Some("moose".into())
            },
            SessionCommand::RunAgain { session: SECOND },
        ]
    );
    assert!(
        desk.screen().contains("This is an image"),
        "{}",
        desk.screen()
    );
}

#[test]
fn moving_a_session_that_has_evaluated_something_is_asked_before() {
    let mut desk = sessions(80, 24);
    let mut used = list();
    used.sessions[0].history = 3;
    desk.tell(&ToPane::Sessions {
        list: used,
        now: 170,
    });
    desk.press("i");
    let asked = "Move main to moose, which has none of its variables? y/n";
    assert!(desk.screen().contains(asked), "{}", desk.screen());
    desk.press("n");
    assert_eq!(commands(&desk), []);
    desk.press("i, y");
    let moved = SessionCommand::Move {
        session: SESSION,
        image: Some("moose".into()),
    };
    assert_eq!(commands(&desk), [moved]);
}

#[test]
fn the_selection_stays_with_its_session_when_the_list_changes() {
    let mut desk = sessions(60, 12);
    desk.press("Down");
    let mut changed = list();
    changed.sessions.remove(0);
    desk.tell(&ToPane::Sessions {
        list: changed,
        now: 170,
    });
    desk.press("h");
    assert_eq!(
        commands(&desk),
        [SessionCommand::RunAgain { session: SECOND }]
    );
}

#[test]
fn after_a_switch_another_text_is_shown_and_late_messages_of_the_old_one_are_dropped() {
    let mut desk = Desk::workspace("old");
    desk.press("'typed '");
    welcome(&mut desk, SECOND);
    desk.tell(&ToPane::Notice {
        session: Some(SESSION),
        level: stui_protocol::pane::Level::Info,
        text: "late".into(),
    });
    assert!(!desk.screen().contains("late"));
    let asked = desk.sidecar.heard.iter().rev().find_map(|said| match said {
        FromPane::View { session, .. } => Some(*session),
        _ => None,
    });
    assert_eq!(asked, Some(SECOND));
}

#[test]
fn what_is_pressed_before_the_other_text_is_there_is_done_in_it() {
    let mut desk = Desk::workspace("old");
    desk.sidecar.slow = true;
    desk.sidecar.session = SECOND;
    desk.sidecar.document = "first\nlast".into();
    welcome(&mut desk, SECOND);
    // the welcome comes, the window not yet
    desk.deliver_next();
    desk.press("Ctrl End, Enter, '1', Ctrl e");
    assert_eq!(desk.acts(), [], "whose text it is about is not known");
    desk.sidecar.slow = false;
    desk.deliver();
    assert_eq!(desk.sidecar.document, "first\nlast\n1");
    let at = Span::between(Pos::new(2, 1), Pos::new(2, 1));
    assert!(
        matches!(desk.acts()[..], [Act::Evaluate { span, how: How::PrintIt, .. }] if span == at),
        "{:?}",
        desk.acts()
    );
}

#[test]
fn what_waits_for_its_text_is_typed_before_the_switch() {
    let mut desk = Desk::alone(&[("role", "workspace"), ("stui", "/stui")], 40, 10);
    desk.sidecar.document = "old".into();
    desk.sidecar.slow = true;
    desk.connect();
    // the welcome comes, the window not yet
    desk.deliver_next();
    desk.press("'early '");
    welcome(&mut desk, SECOND);
    desk.deliver();
    let edits: Vec<SessionKey> = desk
        .sidecar
        .heard
        .iter()
        .filter_map(|said| match said {
            FromPane::Act {
                session,
                act: Act::Edit { .. },
                ..
            } => Some(*session),
            _ => None,
        })
        .collect();
    assert!(!edits.is_empty());
    assert!(edits.iter().all(|session| *session == SESSION), "{edits:?}");
    desk.input(Input::Tick(1.0));
    let last = desk.sidecar.heard.iter().rev().find_map(|said| match said {
        FromPane::View { session, .. } => Some(*session),
        _ => None,
    });
    assert_eq!(last, Some(SECOND));
}

#[test]
fn the_status_line_names_session_and_image_where_there_are_several() {
    let mut desk = Desk::role("transcript", 60, 6);
    let mut status = status();
    (status.sessions, status.images) = (2, 2);
    desk.tell(&ToPane::Status {
        session: SESSION,
        status,
    });
    assert!(
        desk.rows()[5].starts_with("● Embedded 0.1.0  main on embedded"),
        "{}",
        desk.rows()[5]
    );
}

//! Several people at one text: whose edit stands where, whose cursor, who may write.

use stui_plugin::io::Input;
use stui_protocol::pane::{Act, CursorOf, Edit, FromPane, Instance, Pos, Span, ToPane, up_line};

use crate::desk::{Desk, SESSION, status};

fn pos(line: u32, column: u32) -> Pos {
    Pos::new(line, column)
}

fn cursors(rev: u64, of: &[(u16, Pos)]) -> ToPane {
    let cursors = of.iter().map(|(client, cursor)| CursorOf {
        by: Instance::new(1, *client, 7),
        anchor: *cursor,
        cursor: *cursor,
    });
    ToPane::Cursors {
        session: SESSION,
        rev,
        cursors: cursors.collect(),
    }
}

/// The cursors that the pane told.
fn told(desk: &Desk) -> Vec<Pos> {
    let told = desk.sidecar.heard.iter().filter_map(|said| match said {
        FromPane::Cursor { cursor, .. } => Some(*cursor),
        _ => None,
    });
    told.collect()
}

/// A workspace at which two people are.
fn for_two(document: &str) -> Desk {
    let mut desk = Desk::workspace(document);
    let mut status = status();
    status.clients = 2;
    desk.tell(&ToPane::Status {
        session: SESSION,
        status,
    });
    // it told where its cursor is
    desk.tell(&cursors(0, &[]));
    desk.sidecar.heard.clear();
    desk
}

#[test]
fn nobody_waits_while_edits_cross() {
    let mut desk = Desk::workspace("abc");
    desk.sidecar.slow = true;
    desk.press("'1'");
    desk.other_edits(Edit::insert(pos(0, 4), "!\n?"));
    desk.press("'2'");
    desk.deliver_next();
    desk.deliver_next();
    desk.press("'3', End, '4'");
    assert_eq!(desk.text(2), "123abc!4‸\n?", "{}", desk.screen());
    desk.sidecar.slow = false;
    desk.deliver();
    assert_eq!(desk.sidecar.document, "123abc!4\n?");
    assert_eq!(desk.text(2), "123abc!4‸\n?");
}

#[test]
fn what_somebody_else_writes_into_a_deletion_stays() {
    let mut desk = Desk::workspace("delete me");
    desk.sidecar.slow = true;
    desk.other_edits(Edit::insert(pos(0, 3), "NEW"));
    desk.press("Ctrl a, Delete, 'x'");
    assert_eq!(desk.text(1), "x‸");
    desk.sidecar.slow = false;
    desk.deliver();
    assert_eq!(desk.sidecar.document, "NEWx");
    assert_eq!(desk.text(1), "NEWx‸");
    desk.press("'y'");
    assert_eq!(desk.sidecar.document, "NEWxy");
}

#[test]
fn others_are_seen_by_their_number_and_a_coloured_cell_that_move_with_the_text() {
    let mut desk = for_two("one\ntwo\nsix");
    desk.tell(&cursors(
        0,
        &[(1, pos(0, 0)), (2, pos(1, 1)), (13, pos(2, 3))],
    ));
    let rows = desk.rows();
    assert_eq!(&rows[..3], ["  ‸one", " 2two", " dsix"]);
    assert!(desk.is_underlined(3, 1) && !desk.is_underlined(2, 1));
    assert!(desk.is_underlined(5, 2), "behind the end of the line");
    // own edits and others' move them; an edit shows where its author is
    desk.press("Enter");
    assert_eq!(desk.rows()[2], " 2two");
    desk.sidecar_edits(
        Edit::insert(pos(0, 0), "zero"),
        Some(Instance::new(1, 13, 7)),
    );
    let rows = desk.rows();
    assert_eq!(&rows[..4], [" dzero", "  ‸one", " 2two", "  six"]);
    // two in a line; and gone
    desk.tell(&cursors(2, &[(2, pos(1, 1)), (3, pos(1, 3))]));
    assert_eq!(desk.rows()[1], " +‸one");
    desk.tell(&cursors(2, &[]));
    assert_eq!(desk.rows()[1], "  ‸one");
}

#[test]
fn a_cursor_is_told_where_no_edit_tells_it_one_message_at_a_time() {
    let mut desk = for_two("one\ntwo");
    desk.press("'x', Enter, Backspace");
    assert_eq!(told(&desk), [], "edits say where their author is");
    desk.press("Right, Down, Left");
    assert_eq!(
        told(&desk),
        [pos(0, 2)],
        "the next one goes when this one is passed on"
    );
    desk.tell(&cursors(3, &[(1, pos(0, 2))]));
    assert_eq!(told(&desk), [pos(0, 2), pos(1, 1)]);
}

#[test]
fn alone_a_cursor_is_told_when_there_is_time() {
    let mut desk = Desk::workspace("one\ntwo");
    desk.press("Right, Down");
    assert_eq!(told(&desk), []);
    desk.tick();
    assert_eq!(told(&desk), [pos(1, 1)]);
    desk.tick();
    assert_eq!(told(&desk).len(), 1);
}

#[test]
fn a_text_opens_where_it_was_left() {
    let lines: Vec<String> = (0..200).map(|n| format!("line {n}")).collect();
    let mut desk = Desk::alone(&[("role", "workspace"), ("stui", "/stui")], 40, 10);
    desk.sidecar.document = lines.join("\n");
    desk.sidecar.slow = true;
    desk.connect();
    desk.deliver_next();
    let left = ToPane::LeftAt {
        session: SESSION,
        cursor: pos(120, 4),
    };
    desk.input(Input::Line(up_line(None, &left).unwrap()));
    desk.sidecar.slow = false;
    desk.deliver();
    assert!(desk.screen().contains("line‸ 120"), "{}", desk.screen());
    // and only then
    desk.press("Down");
    desk.tell(&ToPane::LeftAt {
        session: SESSION,
        cursor: pos(3, 0),
    });
    assert!(desk.screen().contains("line‸ 121"), "{}", desk.screen());
}

#[test]
fn a_read_only_pane_shows_moves_and_copies_and_changes_nothing() {
    let configuration = [
        ("role", "workspace"),
        ("stui", "/stui"),
        ("read_only", "true"),
    ];
    let mut desk = Desk::alone(&configuration, 60, 10);
    desk.sidecar.document = "3 + 4".into();
    desk.connect();
    for key in [
        "'x'",
        "Enter",
        "Backspace",
        "Ctrl e",
        "Ctrl z",
        "Ctrl v",
        "Ctrl x",
    ] {
        desk.press("Ctrl a").press(key);
        assert!(
            desk.screen().contains("only shows"),
            "{key}: {}",
            desk.screen()
        );
    }
    desk.input(Input::Paste("pasted".into()));
    assert_eq!(desk.sidecar.document, "3 + 4");
    assert_eq!(desk.acts(), [] as [Act; 0]);
    desk.press("Home, Right, Shift End, Ctrl c");
    assert_eq!(desk.clipboard, " + 4");
    assert!(desk.screen().contains("read only"));
}

#[test]
fn a_guest_sees_that_he_looks_on_and_the_host_writes() {
    let mut desk = for_two("3 + 4");
    let is_host = |desk: &mut Desk, host: Option<u16>| {
        let mut status = status();
        status.clients = 2;
        status.host = host;
        desk.tell(&ToPane::Status {
            session: SESSION,
            status,
        });
    };
    is_host(&mut desk, Some(2));
    desk.press("'x', Ctrl e");
    assert_eq!(desk.text(1), "‸3 + 4");
    assert!(desk.screen().contains("guest"), "{}", desk.screen());
    assert_eq!(desk.acts(), [] as [Act; 0]);
    is_host(&mut desk, Some(1));
    desk.press("'x'");
    is_host(&mut desk, None);
    desk.press("'y'");
    assert_eq!(desk.sidecar.document, "xy3 + 4");
    let selection = desk.pane.editor().unwrap().selection();
    assert_eq!(selection, Span::between(pos(0, 2), pos(0, 2)));
}

//! The workspace, key by key.

use stui_plugin::io::{Input, Mouse, Size};
use stui_protocol::pane::{
    Act, Edit, FromPane, How, Level, Line, Mark, MarkKind, Pos, Span, ToPane,
};

use crate::desk::{Desk, SESSION, status};

fn span(start: (u32, u32), end: (u32, u32)) -> Span {
    Span {
        start: Pos::new(start.0, start.1),
        end: Pos::new(end.0, end.1),
    }
}

#[test]
fn what_is_typed_is_shown_and_reaches_the_document() {
    let mut desk = Desk::workspace("");
    desk.press("'3 + 4', Enter, Tab, ''日本語 🎉 €' size'");
    assert_eq!(desk.text(3), "3 + 4\n    '日本語 🎉 €' size‸");
    assert_eq!(desk.sidecar.document, "3 + 4\n\t'日本語 🎉 €' size");
}

#[test]
fn the_cursor_moves_by_characters_words_lines_and_keeps_its_column() {
    let mut desk = Desk::workspace("first line\n日本\nthird one here");
    desk.press("End, Down");
    assert_eq!(desk.text(3), "first line\n日本‸\nthird one here");
    desk.press("Down");
    assert_eq!(desk.text(3), "first line\n日本\nthird one ‸here");
    desk.press("Ctrl Left, Left");
    assert_eq!(desk.text(3), "first line\n日本\nthird‸ one here");
    desk.press("Ctrl Right, Ctrl Right, Right");
    assert_eq!(desk.text(3), "first line\n日本\nthird one here‸");
    desk.press("Ctrl Home, Right, Down");
    assert_eq!(desk.text(3), "first line\n‸日本\nthird one here");
    desk.press("Left");
    assert_eq!(desk.text(3), "first line‸\n日本\nthird one here");
}

#[test]
fn shift_selects_and_typing_replaces_the_selection() {
    let mut desk = Desk::workspace("one two\nthree");
    desk.press("Ctrl Right, Shift Right, Shift Down");
    assert_eq!(desk.text(2), "one« two »\n«thre»‸e");
    desk.press("'x'");
    assert_eq!(desk.text(2), "onex‸e");
    assert_eq!(desk.sidecar.document, "onexe");
    desk.press("Ctrl a");
    assert_eq!(desk.text(1), "«onexe»‸");
    desk.press("Left");
    assert_eq!(desk.text(1), "‸onexe");
}

#[test]
fn deletions_join_lines_and_take_whole_clusters_and_words() {
    let mut desk = Desk::workspace("ab\ne\u{301}日 foo := bar");
    desk.press("Down, Home, Backspace");
    assert_eq!(desk.sidecar.document, "abe\u{301}日 foo := bar");
    desk.press("Delete");
    assert_eq!(desk.sidecar.document, "ab日 foo := bar");
    desk.press("End, Alt Backspace, Alt Backspace");
    assert_eq!(desk.sidecar.document, "ab日 foo ");
    desk.press("Home, Ctrl Delete");
    assert_eq!(desk.sidecar.document, " foo ");
    desk.press("Home, Home, Backspace");
    assert_eq!(
        desk.sidecar.document, " foo ",
        "nothing before the beginning"
    );
}

#[test]
fn a_new_line_is_indented_as_the_one_before() {
    let mut desk = Desk::workspace("");
    desk.press("Tab, 'a', Enter, 'b', Enter");
    assert_eq!(desk.sidecar.document, "\ta\n\tb\n\t");
}

#[test]
fn what_is_cut_can_be_pasted_and_goes_to_the_clipboard() {
    let mut desk = Desk::workspace("one two");
    desk.press("Ctrl Right, Shift Home, Ctrl x");
    assert_eq!(
        (desk.sidecar.document.as_str(), desk.clipboard.as_str()),
        (" two", "one")
    );
    desk.press("End, Ctrl v, Ctrl v");
    assert_eq!(desk.text(1), " twooneone‸");
}

#[test]
fn what_is_not_loaded_is_copied_by_the_sidecar() {
    let lines: Vec<String> = (0..2000).map(|n| format!("line {n}")).collect();
    let mut desk = Desk::workspace(&lines.join("\n"));
    desk.press("Ctrl a, Ctrl c");
    let all = span((0, 0), (1999, 9));
    assert!(desk.sidecar.heard.contains(&FromPane::Copy {
        session: SESSION,
        rev: 0,
        span: all
    }));
    desk.tell(&ToPane::Clipboard {
        session: SESSION,
        text: "line 0".into(),
        truncated: true,
    });
    assert_eq!(desk.clipboard, "line 0");
    assert!(desk.screen().contains("too long"), "{}", desk.screen());
}

#[test]
fn edits_of_one_kind_in_a_row_are_one_group_and_others_are_not() {
    let mut desk = Desk::workspace("");
    desk.press("'ab cd', Backspace, Backspace, Left, 'x', Enter");
    let groups: Vec<u64> = desk
        .sidecar
        .heard
        .iter()
        .filter_map(|said| match said {
            FromPane::Act {
                act: Act::Edit { group, .. },
                ..
            } => Some(*group),
            _ => None,
        })
        .collect();
    assert_eq!(groups, [1, 1, 1, 2, 2, 3, 3, 4, 5]);
    desk.press("Ctrl z, Ctrl y");
    assert_eq!(desk.acts(), [Act::Undo, Act::Redo]);
}

#[test]
fn a_long_document_is_held_in_part_and_scrolls_both_ways() {
    let lines: Vec<String> = (0..5000).map(|n| format!("line {n}")).collect();
    let mut desk = Desk::workspace(&lines.join("\n"));
    desk.press("Ctrl End");
    assert!(desk.text(9).ends_with("line 4999‸"), "{}", desk.screen());
    desk.press("'!', PageUp");
    assert!(desk.text(1).starts_with("line 498"), "{}", desk.screen());
    desk.press("Ctrl Home, PageDown, PageDown, 'x'");
    assert_eq!(desk.sidecar.document.lines().nth(16), Some("xline 16"));
    assert!(desk.sidecar.document.ends_with("line 4999!"));
    let most = desk.sidecar.heard.iter().filter_map(|said| match said {
        FromPane::View { count, .. } => Some(*count),
        _ => None,
    });
    assert!(most.max() <= Some(300), "only what is shown is asked for");
    assert!(desk.sidecar.heard.len() < 20, "{:?}", desk.sidecar.heard);
}

#[test]
fn a_long_line_is_held_as_slices() {
    let long: Vec<String> = (0..1000).map(|n| format!("{n:04}-")).collect();
    let long = long.concat();
    let mut desk = Desk::workspace(&format!("short\n{long}"));
    desk.press("Down, End, 'END'");
    assert!(desk.text(2).ends_with("0999-END‸"), "{}", desk.screen());
    desk.press("Ctrl Left, Ctrl Left, 'x'");
    assert!(
        desk.sidecar.document.ends_with("-0999x-END"),
        "{}",
        desk.screen()
    );
    desk.press("Home");
    assert_eq!(
        desk.text(2).lines().nth(1),
        Some("‸0000-0001-0002-0003-0004-0005-0006-000")
    );
    desk.press("'y'");
    assert_eq!(desk.sidecar.document.lines().nth(1).unwrap().len(), 5005);
}

#[test]
fn among_many_long_lines_each_can_be_typed_in_at_either_end_and_moved_through() {
    let lines: Vec<String> = (0..700)
        .map(|n| format!("{n:03}{}", "-".repeat(400)))
        .collect();
    for size in [
        Size {
            columns: 40,
            rows: 10,
        },
        Size {
            columns: 200,
            rows: 60,
        },
    ] {
        let mut desk = Desk::workspace(&lines.join("\n"));
        desk.size = size;
        desk.input(Input::Size(size));
        desk.press("Down, Down, End, 'AAA'");
        assert!(desk.screen().contains("-AAA‸"), "{}", desk.screen());
        desk.press("PageDown, PageDown, PageDown, 'B', Home, 'C', Up, 'D', Ctrl End, 'E'");
        assert!(desk.screen().contains("-E‸"), "{}", desk.screen());
        desk.press("Ctrl Home, 'F'");
        assert!(desk.screen().contains("F‸000-"), "{}", desk.screen());
        let text = &desk.sidecar.document;
        for typed in ["F000-", "-AAA\n", "-B", "\nC", "D", "-E"] {
            assert!(text.contains(typed), "{typed}: {size:?}");
        }
        // what is on the screen is there, wherever in its line
        desk.press("End");
        let row = desk.rows()[2].replace('‸', "");
        assert!(row.contains("------------"), "{}", desk.screen());
    }
}

#[test]
fn keys_wait_for_the_text_they_are_about() {
    let lines: Vec<String> = (0..500).map(|n| format!("line {n}")).collect();
    let mut desk = Desk::workspace(&lines.join("\n"));
    desk.sidecar.slow = true;
    desk.press("Ctrl End, '!', Enter, 'end'");
    assert_eq!(desk.acts(), []);
    desk.sidecar.slow = false;
    desk.deliver();
    assert!(desk.sidecar.document.ends_with("line 499!\nend"));
    assert!(
        desk.text(9).ends_with("line 499!\nend‸"),
        "{}",
        desk.screen()
    );
}

#[test]
fn somebody_else_s_edits_move_the_text_and_leave_the_cursor_where_it_is_in_it() {
    let mut desk = Desk::workspace("one\ntwo");
    desk.press("Down, Right");
    desk.other_edits(Edit::insert(Pos::new(0, 0), "zero\n"));
    assert_eq!(desk.text(3), "zero\none\nt‸wo");
    desk.other_edits(Edit::insert(Pos::new(2, 0), "* "));
    assert_eq!(desk.text(3), "zero\none\n* t‸wo");
}

#[test]
fn when_edits_cross_both_sides_end_with_one_text() {
    let mut desk = Desk::workspace("abc");
    desk.sidecar.slow = true;
    // the pane types while somebody else's edit is on its way
    desk.other_edits(Edit::insert(Pos::new(0, 0), "12"));
    desk.press("Right, 'x', 'y'");
    assert_eq!(desk.text(1), "axy‸bc", "own edits are shown at once");
    desk.sidecar.slow = false;
    desk.deliver();
    assert_eq!(desk.sidecar.document, "12axybc");
    desk.press("'z'");
    assert_eq!(desk.text(1).replace('‸', ""), desk.sidecar.document);
    desk.press("Ctrl a");
    assert_eq!(desk.text(1), format!("«{}»‸", desk.sidecar.document));
}

#[test]
fn what_was_typed_before_the_sidecar_came_goes_before_its_text() {
    let mut desk = Desk::alone(&[("role", "workspace"), ("stui", "/stui")], 40, 10);
    desk.press("'early', Enter, 'bird', Backspace");
    assert_eq!(desk.text(2), "early\nbir‸");
    desk.sidecar.document = "old".to_owned();
    desk.connect();
    assert_eq!(desk.sidecar.document, "early\nbir\nold");
    assert_eq!(desk.text(3), "early\nbir‸\nold");
}

#[test]
fn what_a_lost_sidecar_did_not_acknowledge_goes_to_the_next() {
    let mut desk = Desk::workspace("");
    desk.press("'one '");
    desk.sidecar.slow = true;
    desk.press("'two'");
    // the next sidecar knows of the first four keys only
    desk.sidecar = Desk::workspace("one ").sidecar;
    desk.sidecar.set_acked(4, 4);
    desk.connect();
    assert_eq!(desk.sidecar.document, "one two");
    assert_eq!(desk.text(1), "one two‸");
}

#[test]
fn a_sidecar_that_lost_its_files_is_followed_though_its_revisions_are_lower() {
    let mut desk = Desk::workspace("");
    desk.press("'one '");
    desk.sidecar.slow = true;
    desk.press("'two'");
    // all that the next sidecar knows is that the first four keys are done
    desk.sidecar = Desk::workspace("").sidecar;
    desk.sidecar.set_acked(4, 0);
    desk.connect();
    assert_eq!(desk.text(1), "two‸", "what its document has");
    desk.other_edits(Edit::insert(Pos::new(0, 0), "new "));
    assert_eq!(desk.text(1), "new two‸");
}

#[test]
fn a_window_or_marks_of_an_earlier_text_that_come_late_are_left() {
    let mut desk = Desk::workspace("one");
    desk.press("'two '");
    let line = Line {
        text: "one".into(),
        from: 0,
        length: None,
    };
    // over pipes that were replaced meanwhile
    desk.tell(&ToPane::Window {
        session: SESSION,
        rev: 0,
        first: 0,
        total: 1,
        lines: vec![line],
    });
    assert_eq!(desk.text(1), "two ‸one");
    let mark = Mark {
        span: span((0, 0), (0, 3)),
        kind: MarkKind::Error,
        text: "an error of then".into(),
    };
    desk.tell(&ToPane::Marks {
        session: SESSION,
        rev: 0,
        marks: vec![mark],
    });
    assert!(!desk.screen().contains("of then"), "{}", desk.screen());
}

#[test]
fn evaluating_names_the_selection_or_the_cursor() {
    let mut desk = Desk::workspace("3 + 4. 5");
    desk.press("Right, Ctrl d, Shift End, Ctrl e, Ctrl l");
    let (cursor, selection) = (span((0, 1), (0, 1)), span((0, 1), (0, 8)));
    let evaluate = |span, how| Act::Evaluate { rev: 0, span, how };
    assert_eq!(
        desk.acts(),
        [
            evaluate(cursor, How::DoIt),
            evaluate(selection, How::PrintIt),
            evaluate(selection, How::InspectIt),
        ]
    );
}

#[test]
fn an_answer_is_inserted_and_selected_and_the_next_key_replaces_it() {
    let mut desk = Desk::workspace("3 + 4");
    desk.press("End, Ctrl e");
    desk.other_edits(Edit::insert(Pos::new(0, 5), " 7"));
    desk.tell(&ToPane::Select {
        session: SESSION,
        rev: 1,
        anchor: Pos::new(0, 5),
        cursor: Pos::new(0, 7),
    });
    assert_eq!(desk.text(1), "3 + 4« 7»‸");
    desk.press("Backspace");
    assert_eq!(desk.sidecar.document, "3 + 4");
}

#[test]
fn whoever_moved_on_is_not_taken_back_to_the_answer() {
    let mut desk = Desk::workspace("3 + 4\nnext");
    desk.press("End, Ctrl e, Ctrl End");
    desk.other_edits(Edit::insert(Pos::new(0, 5), " 7"));
    desk.tell(&ToPane::Select {
        session: SESSION,
        rev: 1,
        anchor: Pos::new(0, 5),
        cursor: Pos::new(0, 7),
    });
    desk.press("'!'");
    assert_eq!(desk.sidecar.document, "3 + 4 7\nnext!");
}

#[test]
fn an_answer_that_comes_before_the_text_is_fetched_anew_is_selected_in_it() {
    let mut desk = Desk::workspace("3 + 4");
    desk.press("End, Ctrl e");
    desk.sidecar.slow = true;
    desk.connect();
    desk.other_edits(Edit::insert(Pos::new(0, 5), " 7"));
    desk.tell(&ToPane::Select {
        session: SESSION,
        rev: 1,
        anchor: Pos::new(0, 5),
        cursor: Pos::new(0, 7),
    });
    desk.sidecar.slow = false;
    desk.deliver();
    assert_eq!(desk.text(1), "3 + 4« 7»‸");
}

#[test]
fn of_a_long_answer_the_beginning_is_shown_behind_the_question() {
    let mut desk = Desk::workspace("100 factorial");
    desk.press("End, Ctrl e");
    let answer = format!(" {}", "9".repeat(158));
    desk.other_edits(Edit::insert(Pos::new(0, 13), answer));
    desk.tell(&ToPane::Select {
        session: SESSION,
        rev: 1,
        anchor: Pos::new(0, 13),
        cursor: Pos::new(0, 172),
    });
    assert_eq!(desk.text(1), "100 factorial« 999999999999999999999999»");
    desk.press("Right, 'x'");
    assert!(desk.text(1).ends_with("99x‸"), "{}", desk.screen());
}

#[test]
fn a_compile_error_is_marked_at_its_place_until_the_line_is_edited() {
    let mut desk = Desk::workspace("x := 3 + .\ny");
    desk.tell(&ToPane::Marks {
        session: SESSION,
        rev: 0,
        marks: vec![Mark {
            span: span((0, 9), (0, 9)),
            kind: MarkKind::CompileError,
            text: "Variable or expression expected".into(),
        }],
    });
    let rows = desk.rows();
    assert_eq!(rows[0], "✗ ‸x := 3 + .");
    assert_eq!(
        rows[7],
        "Line 1, column 10: Variable or",
        "{}",
        desk.screen()
    );
    let frame = desk.pane.view(desk.size);
    let marked: Vec<u16> = (0..40)
        .filter(|x| {
            let modifier = frame.buffer[(*x, 0)].modifier;
            modifier.contains(ratatui_core::style::Modifier::UNDERLINED)
        })
        .collect();
    assert_eq!(marked, [11], "the full stop, and nothing else");
    desk.press("Down, 'z'");
    assert!(
        desk.screen().contains("expected"),
        "another line was edited"
    );
    desk.press("Up, 'z'");
    assert!(!desk.screen().contains("expected"), "{}", desk.screen());
}

#[test]
fn running_code_is_marked_and_can_be_interrupted_by_key() {
    let mut desk = Desk::workspace("[ true ] whileTrue");
    desk.press("Ctrl k");
    assert_eq!(
        desk.acts(),
        [Act::Interrupt],
        "the pane may not know yet that it runs"
    );
    let mut busy = status();
    busy.running = 1;
    desk.tell(&ToPane::Status {
        session: SESSION,
        status: busy,
    });
    desk.tell(&ToPane::Marks {
        session: SESSION,
        rev: 0,
        marks: vec![Mark {
            span: span((0, 0), (0, 18)),
            kind: MarkKind::Running,
            text: String::new(),
        }],
    });
    assert_eq!(desk.rows()[0], "▶ ‸[ true ] whileTrue");
    assert!(desk.rows()[9].contains("▶ running"));
    desk.press("Ctrl k, Ctrl c");
    assert_eq!(desk.acts().len(), 3);
}

#[test]
fn a_notice_is_shown_until_the_next_key() {
    let mut desk = Desk::workspace("x");
    desk.tell(&ToPane::Notice {
        session: None,
        level: Level::Error,
        text: "ZeroDivide: division by zero".into(),
    });
    assert_eq!(desk.rows()[8], "ZeroDivide: division by zero");
    desk.press("Right");
    assert_eq!(desk.rows()[8], "");
}

#[test]
fn what_did_not_work_stays_before_what_is_said_after_it() {
    let mut desk = Desk::workspace("3 / 0");
    let said = |desk: &mut Desk, level: Level, text: &str| {
        desk.tell(&ToPane::Notice {
            session: None,
            level,
            text: text.into(),
        });
        desk.rows()[7..9].join("|")
    };
    said(&mut desk, Level::Error, "Nothing was run.");
    let shown = said(&mut desk, Level::Info, "Another server.");
    assert_eq!(shown, "|Nothing was run. Another server.");
    // the same again says nothing new
    assert_eq!(said(&mut desk, Level::Info, "Another server."), shown);
    desk.press("Right");
    assert_eq!(desk.rows()[8], "");
    // an error that is marked in the text is not hidden either
    desk.tell(&ToPane::Marks {
        session: SESSION,
        rev: 0,
        marks: vec![Mark {
            span: span((0, 0), (0, 5)),
            kind: MarkKind::Error,
            text: "ZeroDivide".into(),
        }],
    });
    let shown = said(&mut desk, Level::Info, "Another server.");
    assert!(shown.ends_with("1: ZeroDivide|Another server."), "{shown}");
    // news of the pane's own go first once they are about something that did not work
    let shown = said(&mut desk, Level::Error, "The disk is full.");
    assert_eq!(shown, "|The disk is full.");
}

#[test]
fn a_click_puts_the_cursor_and_shift_with_arrows_selects_from_there() {
    let mut desk = Desk::workspace("one\n\t日本語");
    desk.input(Input::Mouse(Mouse::Click { row: 1, column: 8 }));
    assert_eq!(desk.text(2), "one\n    日‸本語");
    desk.press("Shift Left");
    assert_eq!(desk.text(2), "one\n    «‸日»本語");
    desk.input(Input::Mouse(Mouse::Click { row: 7, column: 30 }));
    assert_eq!(desk.text(2), "one\n    日本語‸");
}

#[test]
fn the_wheel_scrolls_and_a_key_comes_back_to_the_cursor() {
    let lines: Vec<String> = (0..100).map(|n| format!("line {n}")).collect();
    let mut desk = Desk::workspace(&lines.join("\n"));
    desk.input(Input::Mouse(Mouse::Scroll(50)));
    assert_eq!(desk.rows()[0], "  line 50");
    desk.press("'x'");
    assert_eq!(desk.rows()[0], "  x‸line 0");
}

#[test]
fn text_that_fits_a_wider_pane_is_not_left_scrolled_sideways() {
    let line = "Transcript show: 'a line that is longer than forty'";
    let mut desk = Desk::workspace(line);
    desk.press("End");
    assert!(!desk.text(1).contains("Transcript"), "{}", desk.screen());
    desk.size.columns = 60;
    desk.input(Input::Size(desk.size));
    assert_eq!(desk.text(1), format!("{line}‸"));
}

#[test]
fn a_paste_arrives_whole_in_one_group_with_the_cursor_behind_it() {
    let lines: Vec<String> = (0..10_000).map(|n| format!("line {n} é\r\n")).collect();
    let text = lines.concat();
    let mut desk = Desk::workspace("before after");
    desk.press("Ctrl Right");
    desk.input(Input::Paste(text.clone()));
    let expected = format!("before{} after", text.replace("\r\n", "\n"));
    assert!(desk.sidecar.document == expected);
    assert!(
        desk.text(9).ends_with("line 9999 é\n‸ after"),
        "{}",
        desk.screen()
    );
    desk.press("'x'");
    assert!(desk.sidecar.document.ends_with("\nx after"));
}

#[test]
fn without_a_sidecar_nothing_is_evaluated_and_the_pane_says_so() {
    let mut desk = Desk::alone(&[("role", "workspace"), ("stui", "/stui")], 80, 10);
    desk.press("'3 + 4', Ctrl e");
    assert!(desk.screen().contains("no sidecar"), "{}", desk.screen());
    for _ in 0..8 {
        desk.input(Input::Tick(1.0));
    }
    desk.press("Left");
    assert!(desk.screen().contains("stui doctor"), "{}", desk.screen());
    assert!(desk.screen().contains("3 + ‸4"), "what was typed is kept");
}

#[test]
fn nothing_is_taken_back_later_by_a_key_that_showed_nothing() {
    let mut desk = Desk::workspace("old");
    desk.sidecar.slow = true;
    for _ in 0..31 {
        desk.tick();
    }
    desk.press("'new ', Ctrl z, Ctrl z, Ctrl y");
    assert!(
        desk.screen().contains("There is no sidecar to take"),
        "{}",
        desk.screen()
    );
    assert_eq!(desk.acts(), []);
    // while it is expected back, the key is kept for it
    let mut desk = Desk::workspace("old");
    desk.sidecar.slow = true;
    for _ in 0..5 {
        desk.tick();
    }
    desk.press("Ctrl z");
    assert!(
        desk.screen().contains("once it is back"),
        "{}",
        desk.screen()
    );
    assert_eq!(desk.acts(), [Act::Undo]);
}

#[test]
fn what_is_evaluated_while_the_sidecar_is_started_again_runs_once() {
    let mut desk = Desk::workspace("3 + 4");
    desk.sidecar.slow = true;
    for _ in 0..6 {
        desk.input(Input::Tick(1.0));
    }
    desk.press("Ctrl e");
    assert!(
        desk.screen().contains("runs once it is back"),
        "{}",
        desk.screen()
    );
    // the next sidecar knows the text, and no key of this one
    desk.sidecar = Desk::workspace("3 + 4").sidecar;
    desk.connect();
    assert_eq!(desk.acts().len(), 1, "{:?}", desk.acts());

    // after a minute nobody knows any more what was meant
    desk.sidecar.slow = true;
    for _ in 0..60 {
        desk.input(Input::Tick(1.0));
    }
    desk.press("Ctrl e");
    assert!(
        desk.screen().contains("nothing was run"),
        "{}",
        desk.screen()
    );
    assert_eq!(desk.acts().len(), 1, "{:?}", desk.acts());
}

#[test]
fn a_sidecar_of_another_version_is_no_sidecar_and_the_pane_says_what_to_do() {
    let mut desk = Desk::alone(&[("role", "workspace"), ("stui", "/stui")], 80, 10);
    desk.sidecar.version += 1;
    desk.connect();
    assert!(
        desk.screen().contains("different versions of STUI"),
        "{}",
        desk.screen()
    );
    desk.press("'3 + 4', Ctrl e");
    assert_eq!(desk.acts(), []);
    assert!(desk.screen().contains("3 + 4‸"), "{}", desk.screen());
    // and one that tells what this pane has never heard of
    let mut desk = Desk::alone(&[("role", "inspector"), ("stui", "/stui")], 80, 10);
    desk.input(Input::Line("* {\"t\":\"greetings\"}\n".into()));
    assert!(
        desk.screen().contains("different versions of STUI"),
        "{}",
        desk.screen()
    );
}

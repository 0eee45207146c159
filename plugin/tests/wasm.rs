//! The real `.wasm` in Zellij's interpreter, from event to frame.
//!
//! `cargo xtask test plugin` builds the plugin first; without it these tests fail and say so.

mod pane;

use pane::{Pane, SESSION, STUI, span, welcome};
use stui_plugin_host::MEMORY_LIMIT;
use stui_plugin_host::data::{BareKey, Event, PermissionStatus, PermissionType, PluginCommand};
use stui_protocol::pane::{
    Act, Edit, FromPane, How, InspectorView, Level, MAX_EDIT_TEXT, Mark, MarkKind, Pos, Role, Row,
    Span, ToPane, UP,
};

/// Holds, or shows the frame.
macro_rules! shows {
    ($frame:expr, $text:expr) => {
        let frame = $frame;
        assert!(
            frame.contains($text),
            "no {:?} in this frame:\n{frame}",
            $text
        );
    };
}

#[test]
fn a_new_pane_asks_once_and_says_why() {
    let mut pane = Pane::opened(Role::Workspace);
    let asked: Vec<_> = pane
        .host
        .take_commands()
        .into_iter()
        .filter_map(|command| match command {
            PluginCommand::RequestPluginPermissions(permissions) => Some(permissions),
            _ => None,
        })
        .collect();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(asked[0].contains(&PermissionType::ReadCliPipes));
    assert!(asked[0].contains(&PermissionType::RunCommands));
    shows!(pane.frame(), "permission");
}

#[test]
fn a_refused_permission_tells_how_to_mend_it() {
    let mut pane = Pane::opened(Role::Workspace);
    pane.event(Event::PermissionRequestResult(PermissionStatus::Denied));
    shows!(pane.frame(), "stui");
}

#[test]
fn a_permitted_pane_calls_the_sidecar_by_its_path() {
    let mut pane = Pane::permitted(Role::Inspector);
    let run: Vec<_> = pane
        .commands()
        .into_iter()
        .filter_map(|command| match command {
            PluginCommand::RunCommand(line, ..) => Some(line),
            _ => None,
        })
        .collect();
    assert_eq!(run.len(), 1, "{run:?}");
    assert_eq!(run[0][..4], [STUI, "sidecar", "--role", "inspector"]);
    assert!(run[0].contains(&"4711".to_owned()), "{run:?}");
}

#[test]
fn a_down_pipe_is_held_and_answered() {
    let mut pane = Pane::permitted(Role::Workspace);
    pane.pipe("stui-down", Some("hello\n"));
    let said = pane.said();
    assert!(
        matches!(
            &said[..],
            [down] if down.said == FromPane::Hello {
                role: Role::Workspace,
                zellij_pid: 4711,
                zellij_version: "0.45.1".into(),
                pin: None,
            }
        ),
        "{said:?}"
    );
    let commands = pane.commands();
    assert!(
        commands.iter().any(
            |command| matches!(command, PluginCommand::BlockCliPipeInput(pipe) if pipe == "stui-down-id")
        ),
        "{commands:?}"
    );
}

#[test]
fn a_probe_is_answered_with_its_number() {
    let mut pane = Pane::greeted(Role::Transcript);
    pane.said();
    pane.tell(&ToPane::Probe { n: 7 });
    let said = pane.said();
    assert!(
        said.iter()
            .any(|down| down.said == FromPane::Probed { n: 7 }),
        "{said:?}"
    );
}

#[test]
fn a_workspace_shows_its_document_and_the_state_of_the_link() {
    let mut pane = Pane::workspace(&["3 + 4", "'日本語 🎉 €' size"]);
    shows!(pane.frame(), "3 + 4");
    shows!(pane.frame(), "'日本語 🎉 €' size");
    shows!(pane.frame(), "Embedded 0.1.0");
}

#[test]
fn every_typed_character_arrives_and_is_shown_at_once() {
    let mut pane = Pane::workspace(&[""]);
    pane.type_text("'日本語 🎉 €' size");
    assert_eq!(pane.typed(), "'日本語 🎉 €' size");
    shows!(pane.frame(), "'日本語 🎉 €' size");
}

#[test]
fn a_paste_of_ten_thousand_lines_arrives_whole() {
    let lines: Vec<String> = (0..10_000)
        .map(|n| format!("Transcript show: 'line {n} é'; cr.\n"))
        .collect();
    let text = lines.concat();
    let mut pane = Pane::workspace(&[""]);
    pane.event(Event::PastedText(text.clone()));
    let acts = pane.acts();
    let mut at = Pos::default();
    let mut groups = Vec::new();
    let mut arrived = String::new();
    for (_, act) in &acts {
        let Act::Edit { edit, group, .. } = act else {
            panic!("not an edit: {act:?}");
        };
        assert!(edit.text.len() <= MAX_EDIT_TEXT);
        assert_eq!(edit.span, Span { start: at, end: at });
        at = edit.end();
        arrived.push_str(&edit.text);
        groups.push(*group);
    }
    assert_eq!(arrived, text);
    groups.dedup();
    assert_eq!(groups.len(), 1, "one paste is undone at once");
    for (seq, act) in acts {
        let Act::Edit { edit, .. } = act else {
            continue;
        };
        let total = edit.end().line + 1;
        pane.tell(&ToPane::Edited {
            session: SESSION,
            rev: 1 + seq,
            by: None,
            seq: 0,
            edit,
            total,
        });
        pane.tell(&ToPane::Acked { seq });
    }
    pane.frame();
    assert!(pane.host.memory() < MEMORY_LIMIT, "{}", pane.host.memory());
}

#[test]
fn evaluate_keys_send_the_selection_and_what_to_do_with_the_answer() {
    for (key, how) in [('e', How::PrintIt), ('d', How::DoIt), ('l', How::InspectIt)] {
        let mut pane = Pane::workspace(&["3 + 4"]);
        pane.press(BareKey::End);
        pane.ctrl(key);
        let acts: Vec<Act> = pane.acts().into_iter().map(|(_, act)| act).collect();
        let at_end = span(0, 5, 5);
        assert_eq!(
            acts,
            [Act::Evaluate {
                rev: 1,
                span: at_end,
                how
            }]
        );
    }
}

#[test]
fn one_key_is_one_act_however_often_a_message_about_it_arrives() {
    let mut pane = Pane::workspace(&["3 + 4"]);
    pane.ctrl('d');
    let acts = pane.acts();
    assert_eq!(acts.len(), 1);
    pane.tell(&ToPane::Acked { seq: acts[0].0 });
    pane.tell(&ToPane::Acked { seq: acts[0].0 });
    pane.tell(&welcome("one", acts[0].0));
    assert_eq!(pane.acts(), []);
}

#[test]
fn another_sidecar_gets_what_the_first_had_not_acknowledged() {
    let mut pane = Pane::workspace(&[""]);
    pane.type_text("ab");
    pane.ctrl('e');
    let before = pane.acts();
    assert_eq!(before.len(), 3, "{before:?}");
    pane.tell(&ToPane::Acked { seq: before[0].0 });
    pane.pipe("stui-down", Some("hello\n"));
    pane.tell(&welcome("two", before[0].0));
    assert_eq!(pane.acts(), before[1..]);
}

#[test]
fn what_is_done_while_another_sidecar_is_about_to_say_welcome_is_kept_for_it() {
    let mut pane = Pane::workspace(&["3 + 4"]);
    pane.pipe("stui-down", Some("hello\n"));
    pane.commands();
    pane.ctrl('e');
    assert_eq!(pane.acts(), [], "nobody is there to take it");
    pane.tell(&welcome("two", 0));
    let acts = pane.acts();
    assert!(
        matches!(
            &acts[..],
            [(
                1,
                Act::Evaluate {
                    how: How::PrintIt,
                    ..
                }
            )]
        ),
        "{acts:?}"
    );
}

#[test]
fn an_edit_that_was_acknowledged_and_not_made_is_taken_back_at_once() {
    let mut pane = Pane::workspace(&["3 + 4"]);
    pane.type_text("x");
    let seq = pane.acts()[0].0;
    pane.said();
    pane.tell(&ToPane::Acked { seq });
    // it asks for the text as it is
    let asked = pane.said();
    assert!(
        asked
            .iter()
            .any(|down| matches!(down.said, FromPane::View { .. })),
        "{asked:?}"
    );
    pane.show_part(1, 0, 1, &["3 + 4"]);
    shows!(pane.frame(), "3 + 4");
    assert!(!pane.frame().contains("x3 + 4"));
}

#[test]
fn an_answer_of_the_sidecar_is_shown_and_selected() {
    let mut pane = Pane::workspace(&["3 + 4"]);
    pane.ctrl('e');
    let seq = pane.acts()[0].0;
    pane.tell(&ToPane::Acked { seq });
    pane.tell(&ToPane::Edited {
        session: SESSION,
        rev: 2,
        by: None,
        seq: 0,
        edit: Edit::insert(Pos::new(0, 5), " 7"),
        total: 1,
    });
    pane.tell(&ToPane::Select {
        session: SESSION,
        rev: 2,
        anchor: Pos::new(0, 5),
        cursor: Pos::new(0, 7),
    });
    shows!(pane.frame(), "3 + 4 7");
    pane.press(BareKey::Backspace);
    let acts = pane.acts();
    assert!(
        matches!(&acts[..], [(_, Act::Edit { edit, .. })] if edit.span == span(0, 5, 7)),
        "the answer is the selection: {acts:?}"
    );
}

#[test]
fn a_compile_error_is_told_in_words() {
    let mut pane = Pane::workspace(&["3 + ) 4"]);
    pane.tell(&ToPane::Marks {
        session: SESSION,
        rev: 1,
        marks: vec![Mark {
            span: span(0, 4, 5),
            kind: MarkKind::CompileError,
            text: "Variable or expression expected".into(),
        }],
    });
    pane.tell(&ToPane::Notice {
        session: None,
        level: Level::Error,
        text: "Variable or expression expected".into(),
    });
    shows!(pane.frame(), "Variable or expression expected");
}

#[test]
fn lines_for_others_and_broken_lines_change_nothing() {
    let mut pane = Pane::workspace(&["3 + 4"]);
    let before = pane.frame();
    for line in [
        "",
        "\n",
        "*\n",
        "* {\n",
        "* {\"t\":\"window\"}\n",
        "* {\"t\":\"levitate\"}\n",
        "9.9-1 {\"t\":\"notice\",\"level\":\"error\",\"text\":\"not yours\"}\n",
        "* {\"t\":\"window\",\"rev\":1,\"first\":4294967295,\"total\":0,\"lines\":[]}\n",
        "* {\"t\":\"marks\",\"rev\":1,\"marks\":[{\"span\":{\"start\":{\"l\":9,\"c\":9},\"end\":{\"l\":0,\"c\":0}},\"kind\":\"error\",\"text\":\"\"}]}\n",
    ] {
        pane.pipe(UP, Some(line));
    }
    pane.pipe(UP, None);
    pane.show(1, 0, &["3 + 4"]);
    assert_eq!(pane.frame(), before);
}

#[test]
fn every_pane_draws_itself_at_every_size() {
    for role in Role::ALL {
        for mut pane in [
            Pane::opened(role),
            Pane::permitted(role),
            Pane::greeted(role),
        ] {
            for (columns, rows) in [
                (1, 1),
                (2, 3),
                (7, 2),
                (12, 40),
                (40, 10),
                (80, 24),
                (200, 50),
            ] {
                pane.resize(columns, rows);
                pane.frame();
            }
        }
    }
}

#[test]
fn an_inspector_asks_for_the_rows_it_shows_and_walks_into_one() {
    let mut pane = Pane::greeted(Role::Inspector);
    pane.resize(60, 20);
    pane.frame();
    let rows = |first: u64| -> Vec<Row> {
        (first..first + 20)
            .map(|n| Row {
                name: format!("{}", n + 1),
                value: format!("{}", (n + 1) * (n + 1)),
                class_name: "SmallInteger".into(),
                has_children: false,
            })
            .collect()
    };
    let view = InspectorView {
        shown: 1,
        trail: vec!["a Dictionary".into(), "an OrderedCollection".into()],
        class_name: "OrderedCollection".into(),
        print_string: "an OrderedCollection(1 4 9 16)".into(),
        views: vec!["Items".into(), "Raw".into()],
        view: 0,
        text: false,
        select: None,
        total: 1_000_000,
        first: 0,
        rows: rows(0),
    };
    pane.tell(&ToPane::Inspector {
        session: SESSION,
        view,
    });
    shows!(pane.frame(), "OrderedCollection");
    shows!(pane.frame(), "Items");
    pane.said();
    pane.press(BareKey::Down);
    pane.press(BareKey::Enter);
    let acts: Vec<Act> = pane.acts().into_iter().map(|(_, act)| act).collect();
    assert_eq!(acts, [Act::InspectRow { shown: 1, row: 1 }]);
    pane.press(BareKey::End);
    pane.frame();
    let asked: Vec<FromPane> = pane.said().into_iter().map(|down| down.said).collect();
    assert!(
        asked.iter().any(|said| matches!(
            said,
            FromPane::InspectorView { first, count, .. } if first + u64::from(*count) >= 1_000_000 && *count < 200
        )),
        "{asked:?}"
    );
    pane.press(BareKey::Left);
    let acts: Vec<Act> = pane.acts().into_iter().map(|(_, act)| act).collect();
    assert_eq!(acts, [Act::InspectBack]);
}

#[test]
fn a_transcript_shows_its_newest_lines() {
    let mut pane = Pane::greeted(Role::Transcript);
    pane.resize(40, 6);
    pane.frame();
    pane.tell(&ToPane::Transcript {
        session: SESSION,
        first: 90,
        oldest: 0,
        end: 110,
        lines: (90..110).map(|n| format!("line {n}")).collect(),
    });
    shows!(pane.frame(), "line 109");
    assert!(!pane.frame().contains("line 90"), "{}", pane.frame());
}

#[test]
fn without_a_sidecar_the_pane_says_what_to_do() {
    let mut pane = Pane::permitted(Role::Workspace);
    // timers of frames that came late on a busy machine: they are not the clock's
    for _ in 0..200 {
        pane.event(Event::Timer(0.5));
    }
    assert!(!pane.frame().contains("stui doctor"), "{}", pane.frame());
    for _ in 0..100 {
        pane.event(Event::Timer(1.0));
    }
    shows!(pane.frame(), "stui doctor");
}

/// What typing a character costs, and then drawing it, in instructions.
fn typing_costs(pane: &mut Pane) -> (u64, u64) {
    pane.type_text("abc");
    pane.frame();
    pane.type_text("d");
    let key = pane.host.spent().fuel;
    pane.frame();
    println!("key {key} frame {}", pane.host.spent().fuel);
    (key, pane.host.spent().fuel)
}

#[test]
fn a_key_costs_no_more_in_a_long_document_than_in_a_short_one() {
    let line = "collection inject: 0 into: [ :sum :each | sum + each ] \"so\"";
    let (short_key, short_frame) = typing_costs(&mut Pane::workspace(&[line; 23]));
    let mut long = Pane::greeted(Role::Workspace);
    long.frame();
    let lines = vec![line; 300];
    long.show_part(1, 0, 100_000, &lines);
    long.said();
    let (long_key, long_frame) = typing_costs(&mut long);
    println!(
        "80x24: a key {short_key}, its frame {short_frame}; in 100 000 lines {long_key}, {long_frame}"
    );
    assert!(long_key < 2 * short_key, "{long_key} and {short_key}");
    assert!(
        long_frame < 2 * short_frame,
        "{long_frame} and {short_frame}"
    );
}

#[test]
fn a_line_of_any_length_costs_what_a_short_one_does() {
    let frame_beside = |length: usize| {
        let mut pane = Pane::workspace(&["first", "3 + 4"]);
        pane.type_text("abc");
        pane.tell(&ToPane::Edited {
            session: SESSION,
            rev: 2,
            by: None,
            seq: 0,
            edit: Edit::insert(Pos::new(1, 5), "x".repeat(length)),
            total: 2,
        });
        pane.frame();
        pane.type_text("d");
        let key = pane.host.spent().fuel;
        let frame = pane.frame();
        assert!(frame.contains("3 + 4xxxxx"), "{frame}");
        key + pane.host.spent().fuel
    };
    let (short, long) = (frame_beside(1_000), frame_beside(40_000));
    println!("beside 1 000 characters {short}, beside 40 000 {long}");
    assert!(long < short * 11 / 10, "{long} beside {short}");
}

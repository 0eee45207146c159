//! The debugger's pane, key by key and size by size.

use stui_plugin::io::{Input, Mouse};
use stui_protocol::debugger::{
    DebuggerAct, DebuggerView, Evaluated, Frame, FrameSource, OpenDebugger, ProcessState, Variable,
    VariableKind,
};
use stui_protocol::pane::{Act, FromPane, How, Line, Mark, MarkKind, Pos, Span, Status, ToPane};
use stui_protocol::request::DebugOperation;

use crate::desk::{Desk, SESSION, status};

fn frame(method: &str) -> Frame {
    Frame {
        method: method.into(),
        receiver: "Account".into(),
        is_evaluated_code: method.ends_with("DoIt"),
    }
}

fn variable(name: &str, value: &str, class_name: &str, kind: VariableKind) -> Variable {
    Variable {
        name: name.into(),
        value: value.into(),
        class_name: class_name.into(),
        kind,
    }
}

fn line(text: &str) -> Line {
    Line {
        text: text.into(),
        from: 0,
        length: None,
    }
}

fn source(lines: &[&str], next: ((u32, u32), (u32, u32))) -> FrameSource {
    let pos = |(line, column)| Pos::new(line, column);
    FrameSource {
        total: lines.len() as u32,
        first: 0,
        lines: lines.iter().map(|text| line(text)).collect(),
        next: Some(Span::between(pos(next.0), pos(next.1))),
    }
}

fn view() -> DebuggerView {
    DebuggerView {
        stop: 5,
        open: vec![
            OpenDebugger {
                id: "d1".into(),
                title: "Halt".into(),
            },
            OpenDebugger {
                id: "d2".into(),
                title: "ZeroDivide: 預金 / 0".into(),
            },
        ],
        shown: 1,
        state: ProcessState::Stopped,
        frame: 1,
        frames_total: 3,
        frames_from: 0,
        frames: vec![
            frame("SmallInteger>>/"),
            frame("Account>>share:"),
            frame("UndefinedObject>>DoIt"),
        ],
        source: Some(source(
            &["share: n", "\t\"日本\" total := 預金 / n.", "\t^ total"],
            ((1, 15), (1, 21)),
        )),
        variables: vec![
            variable("self", "an Account", "Account", VariableKind::Receiver),
            variable("預金", "100", "SmallInteger", VariableKind::Slot),
            variable("n", "0", "SmallInteger", VariableKind::Temporary),
            variable(
                "thisContext",
                "Account>>share:",
                "Context",
                VariableKind::Context,
            ),
        ],
        more_variables: 0,
        evaluated: None,
    }
}

fn show(desk: &mut Desk, view: DebuggerView) {
    let view = Box::new(view);
    desk.tell(&ToPane::Debugger {
        session: SESSION,
        view,
    });
}

fn debugger(columns: u16, rows: u16) -> Desk {
    let mut desk = Desk::role("debugger", columns, rows);
    show(&mut desk, view());
    desk
}

fn acts(desk: &Desk) -> Vec<DebuggerAct> {
    let acts = desk.acts().into_iter();
    acts.filter_map(|act| match act {
        Act::Debugger { act } => Some(act),
        _ => None,
    })
    .collect()
}

fn run(operation: DebugOperation, frame: u32, code: Option<&str>) -> DebuggerAct {
    DebuggerAct::Run {
        debugger: "d2".into(),
        stop: 5,
        frame,
        operation,
        code: code.map(str::to_owned),
    }
}

#[test]
fn at_80_by_24_title_stack_source_and_variables_are_seen() {
    let desk = debugger(80, 24);
    assert_eq!(
        desk.rows(),
        [
            "ZeroDivide: 預金 / 0                                                      2 of 2",
            "▾ Stack 2/3 ────────────────────────────────────────────────────────────────────",
            "  SmallInteger>>/",
            "«› Account>>share:                                                               »",
            "  UndefinedObject>>DoIt  (evaluated code)",
            "",
            "",
            "",
            "",
            "─ Source ───────────────────────────────────────────────────────────────────────",
            "  share: n",
            "«▸»     \"日本\" total := «預金 / n».",
            "      ^ total",
            "",
            "",
            "",
            "",
            "─ Variables ────────────────────────────────────────────────────────────────────",
            "  self         an Account                                           Account",
            "    預金       100                                                  SmallInteger",
            "  n            0                                                    SmallInteger",
            "  thisContext  Account>>share:                                      Context",
            "",
            "● Embedded 0.1.0           i into  o over  u out  c proceed  e evaluate  F1 keys",
        ]
    );
}

#[test]
fn a_small_window_shows_the_source_and_what_listens() {
    let mut desk = debugger(40, 11);
    assert_eq!(
        desk.rows(),
        [
            "ZeroDivide: 預金 / 0              2 of 2",
            "▾ Stack 2/3 ────────────────────────────",
            "  SmallInteger>>/",
            "«› Account>>share:                       »",
            "  UndefinedObject>>DoIt  (evaluated cod…",
            "─ Source, Tab: variables ───────────────",
            "  share: n",
            "«▸»     \"日本\" total := «預金 / n».",
            "      ^ total",
            "",
            "● Embedded 0.1.0         i into  F1 keys",
        ]
    );
    desk.press("Tab, Tab");
    assert_eq!(
        desk.rows()[5..9],
        [
            "",
            "▾ Variables ────────────────────────────",
            "«› self    an Account        Account     »",
            "    預金  100               SmallInteger",
        ]
    );
}

#[test]
fn in_a_wide_pane_the_source_is_beside_the_others() {
    let desk = debugger(110, 12);
    assert_eq!(
        desk.rows(),
        [
            "ZeroDivide: 預金 / 0                                                                                    2 of 2",
            "▾ Stack 2/3 ─────────────────────────────── ─ Source ─────────────────────────────────────────────────────────",
            "  SmallInteger>>/                             share: n",
            "«› Account>>share:                          » «▸»     \"日本\" total := «預金 / n».",
            "  UndefinedObject>>DoIt  (evaluated code)         ^ total",
            "",
            "─ Variables ───────────────────────────────",
            "  self         an Account      Account",
            "    預金       100             SmallInteger",
            "  n            0               SmallInteger",
            "  thisContext  Account>>shar…  Context",
            "● Embedded 0.1.0       i into  o over  u out  c proceed  e evaluate  r restart  v return  x terminate  F1 keys",
        ]
    );
}

#[test]
fn any_size_is_drawn_without_a_panic() {
    for columns in [1, 2, 5, 13, 39, 101] {
        for rows in [1, 2, 3, 5, 8, 9] {
            let mut desk = debugger(columns, rows);
            desk.press("Tab, PageDown, Tab, End, Up, Shift Tab, Right, Left, Home");
            assert_eq!(desk.rows().len(), usize::from(rows));
        }
    }
}

#[test]
fn with_nothing_to_debug_the_pane_says_how_to_get_something() {
    let mut desk = Desk::role("debugger", 60, 14);
    show(&mut desk, DebuggerView::default());
    let screen = desk.screen();
    for words in [
        "Nothing is being debugged",
        "Ctrl r",
        "self halt",
        "an error",
    ] {
        assert!(screen.contains(words), "{words}:\n{screen}");
    }
}

#[test]
fn each_key_is_one_operation_on_the_chosen_frame() {
    let mut desk = debugger(80, 24);
    desk.press("i, o, u, c, r, x");
    let expected = [
        DebugOperation::StepInto,
        DebugOperation::StepOver,
        DebugOperation::StepOut,
        DebugOperation::Continue,
        DebugOperation::Restart,
        DebugOperation::Terminate,
    ];
    assert_eq!(
        acts(&desk),
        expected.map(|operation| run(operation, 1, None))
    );
}

#[test]
fn arrows_choose_frames_and_a_step_means_the_frame_that_is_seen() {
    let mut desk = debugger(80, 24);
    desk.press("Down, Down, o, Home");
    let choose = |frame| DebuggerAct::Choose {
        debugger: "d2".into(),
        stop: 5,
        frame,
    };
    assert_eq!(
        acts(&desk),
        [choose(2), run(DebugOperation::StepOver, 2, None), choose(0)]
    );
}

#[test]
fn code_is_asked_for_and_evaluated_in_the_frame_in_which_it_was_begun() {
    let mut desk = debugger(60, 16);
    desk.press("e, 'total + x', Backspace");
    assert!(desk.screen().contains("Evaluate in this frame: total + ▏"));
    desk.input(Input::Paste("1\n+ 2".into()));
    // it moved meanwhile
    show(
        &mut desk,
        DebuggerView {
            stop: 6,
            frame: 0,
            ..view()
        },
    );
    desk.press("Enter");
    let evaluate = run(DebugOperation::EvaluateInFrame, 1, Some("total + 1 + 2"));
    assert_eq!(acts(&desk), [evaluate]);
    show(
        &mut desk,
        DebuggerView {
            evaluated: Some(Evaluated {
                code: "total + 1 + 2".into(),
                answer: "103".into(),
                good: true,
            }),
            ..view()
        },
    );
    assert!(
        desk.screen().contains("total + 1 + 2 → 103"),
        "{}",
        desk.screen()
    );
    desk.press("v, '7', Esc, v, '42', Enter");
    let back = run(DebugOperation::ReturnValue, 1, Some("42"));
    assert_eq!(acts(&desk)[1..], [back]);
}

#[test]
fn enter_on_a_variable_inspects_it() {
    let mut desk = debugger(80, 24);
    desk.press("Enter");
    assert!(desk.screen().contains("Select a variable"));
    desk.press("Down, Enter");
    let inspect = DebuggerAct::Inspect {
        debugger: "d2".into(),
        stop: 5,
        frame: 1,
        variable: 1,
    };
    assert_eq!(acts(&desk), [inspect]);
    desk.press("End, Enter");
    assert_eq!(acts(&desk).len(), 1, "thisContext is no object");
}

#[test]
fn brackets_go_from_one_open_debugger_to_the_next() {
    let mut desk = debugger(80, 24);
    desk.press("]");
    let first = DebuggerAct::Show {
        debugger: "d1".into(),
    };
    assert_eq!(acts(&desk), [first]);
}

#[test]
fn lines_that_are_shown_and_not_there_are_asked_for() {
    let mut desk = Desk::role("debugger", 60, 20);
    let lines: Vec<String> = (0..50).map(|n| format!("line {n}")).collect();
    let part = FrameSource {
        total: 900,
        first: 400,
        lines: lines.iter().map(|text| line(text)).collect(),
        next: Some(Span::between(Pos::new(420, 0), Pos::new(420, 4))),
    };
    let long = DebuggerView {
        source: Some(part),
        ..view()
    };
    show(&mut desk, long);
    assert!(desk.screen().contains("«▸» «line» 20"), "{}", desk.screen());
    let asked = |desk: &Desk| {
        let heard = desk.sidecar.heard.iter();
        let asked = heard.filter_map(|said| match said {
            FromPane::DebuggerView { line, .. } => *line,
            _ => None,
        });
        asked.collect::<Vec<_>>()
    };
    assert!(asked(&desk).is_empty());
    desk.press("Tab, End");
    let lines = asked(&desk);
    assert_eq!(lines.len(), 1);
    assert!((850..900).contains(&lines[0]), "{lines:?}");
}

#[test]
fn a_long_line_is_scrolled_to_what_runs_next() {
    let mut desk = Desk::role("debugger", 40, 16);
    let text = format!("{} here: 1", "日本 ".repeat(40));
    let long = DebuggerView {
        source: Some(source(&[&text], ((0, 121), (0, 128)))),
        ..view()
    };
    show(&mut desk, long);
    assert!(desk.screen().contains("«here: 1»"), "{}", desk.screen());
    desk.press("Tab, Left, Left, Left, Left, Left");
    assert!(!desk.screen().contains("here: 1"), "{}", desk.screen());
}

#[test]
fn a_guest_looks_at_it_and_changes_nothing() {
    let mut desk = debugger(80, 24);
    desk.tell(&ToPane::Status {
        session: SESSION,
        status: Status {
            host: Some(9),
            ..status()
        },
    });
    desk.press("i, Down, c, x, ], e");
    assert_eq!(acts(&desk), []);
    assert!(desk.screen().contains("You are a guest"));
    desk.press("Tab, Tab, Down");
    assert!(desk.screen().contains("›"), "he may look around");
}

#[test]
fn the_mouse_chooses_a_frame_and_scrolls_the_source() {
    let mut desk = debugger(80, 24);
    desk.input(Input::Mouse(Mouse::Click { row: 4, column: 5 }));
    desk.input(Input::Mouse(Mouse::Scroll(3)));
    let choose = DebuggerAct::Choose {
        debugger: "d2".into(),
        stop: 5,
        frame: 2,
    };
    assert_eq!(acts(&desk), [choose]);
}

#[test]
fn the_workspace_debugs_where_the_server_can_and_says_so_where_it_cannot() {
    let mut desk = Desk::workspace("3 + 4");
    desk.press("Ctrl r");
    assert_eq!(desk.acts(), []);
    let says = desk.screen().contains("cannot stop code");
    assert!(says, "{}", desk.screen());
    let able = Status {
        can_debug_it: true,
        debuggers: 1,
        ..status()
    };
    desk.tell(&ToPane::Status {
        session: SESSION,
        status: able,
    });
    desk.press("Ctrl r");
    let acts = desk.acts();
    assert!(
        matches!(
            acts[..],
            [Act::Evaluate {
                how: How::DebugIt,
                ..
            }]
        ),
        "{acts:?}"
    );
    desk.tell(&ToPane::Marks {
        session: SESSION,
        rev: 0,
        marks: vec![Mark {
            span: Span::between(Pos::new(0, 0), Pos::new(0, 5)),
            kind: MarkKind::Debugged,
            text: String::new(),
        }],
    });
    let screen = desk.screen();
    assert!(screen.contains("◆"), "{screen}");
    assert!(screen.contains("Alt d debugger"), "{screen}");
}

//! A pane: lines from a sidecar, and what a person does meanwhile.

use std::collections::BTreeMap;

use stui_plugin::io::{Effect, Input, Mouse, Outcome, Size};
use stui_plugin::key::{Code, Key};
use stui_plugin::pane::{Identity, Pane};
use stui_protocol::pane::{
    CursorOf, Down, Edit, InspectorView, Instance, Level, Line, Link, MAX_LINE, Mark, MarkKind,
    Pos, Role, Row, SessionKey, Span, Status, ToPane, VERSION, up_line,
};
use stui_protocol::sessions::SessionList;

use crate::Target;

pub(super) const TARGET: Target = Target {
    name: "pane",
    about: "a pane and whatever a sidecar says and a person does: frames fit, what is said can be read",
    seeds,
    words: &[
        "\nl* ",
        "\nk",
        "\np",
        "\nm1 2",
        "\nt1",
        "\ns5 20",
        "\no1",
        "\nc1",
        "\ng",
        "\nz0",
        "\nx",
        "\"t\":",
        "\"window\"",
        "\"edited\"",
        "\"select\"",
        "\"marks\"",
        "\"cursors\"",
        "\"session\":1",
        "\"session\":2",
        "\"rev\":",
        "\"first\":",
        "\"total\":",
        "\"lines\":[",
        "\"acked\":",
        "\"seq\":",
        "\"span\":",
        "{\"l\":1,\"c\":2}",
        "\"by\":",
        "4294967295",
        "Ctrl d",
        "Ctrl p",
        "Ctrl z",
        "Ctrl y",
        "Ctrl a",
        "Shift Left",
        "Ctrl Home",
        "Enter",
        "Backspace",
        "Delete",
        "PageDown",
        "F1",
        "Esc",
    ],
    run,
};

/// The instance that a fuzzed pane is.
const ME: (u32, u16, u64) = (3, 1, 9);
/// Larger panes than this are not made.
const MAX_ROWS: u16 = 120;
const MAX_COLUMNS: u16 = 300;

/// Every kind of message, as lines.
fn messages() -> Vec<String> {
    let span = Span {
        start: Pos::new(0, 2),
        end: Pos::new(1, 1),
    };
    let line = |text: &str| Line {
        text: text.into(),
        from: 0,
        length: None,
    };
    let me = Instance::new(ME.0, ME.1, ME.2);
    let session = SessionKey(1);
    let status = Status {
        link: Link::Connected,
        dialect: "Embedded 0.1.0".into(),
        endpoint: "tcp://127.0.0.1:5555".into(),
        running: 1,
        clients: 2,
        ..Status::default()
    };
    let mark = Mark {
        span,
        kind: MarkKind::CompileError,
        text: "Variable or expression expected".into(),
    };
    let row = Row {
        name: "x".into(),
        value: "3".into(),
        class_name: "SmallInteger".into(),
        has_children: true,
    };
    let messages = [
        ToPane::Probe { n: 1 },
        ToPane::Welcome {
            version: VERSION,
            sidecar: "one".into(),
            acked: 0,
            session,
            status: status.clone(),
        },
        ToPane::Status { session, status },
        ToPane::Acked { seq: 1 },
        ToPane::Window {
            session,
            rev: 1,
            first: 0,
            total: 3,
            lines: vec![line("3 + 4"), line("'日本語 🎉' size"), line("\tfoo")],
        },
        ToPane::Window {
            session,
            rev: 2,
            first: 7,
            total: 9,
            lines: vec![Line {
                text: "middle".into(),
                from: 1000,
                length: Some(5000),
            }],
        },
        ToPane::Edited {
            session,
            rev: 2,
            by: None,
            seq: 0,
            edit: Edit {
                span,
                text: " 7\nx".into(),
            },
            total: 3,
        },
        ToPane::Edited {
            session,
            rev: 3,
            by: Some(me),
            seq: 1,
            edit: Edit::insert(Pos::new(0, 0), "a"),
            total: 3,
        },
        ToPane::Select {
            session,
            rev: 2,
            anchor: Pos::new(0, 1),
            cursor: Pos::new(1, 1),
        },
        ToPane::Marks {
            session,
            rev: 2,
            marks: vec![mark],
        },
        ToPane::LeftAt {
            session,
            cursor: Pos::new(1, 2),
        },
        ToPane::Cursors {
            session,
            rev: 2,
            cursors: vec![CursorOf {
                by: Instance::new(ME.0, 2, 10),
                anchor: Pos::new(0, 0),
                cursor: Pos::new(0, 3),
            }],
        },
        ToPane::Sessions {
            list: SessionList::default(),
            now: 1,
        },
        ToPane::Notice {
            session: None,
            level: Level::Error,
            text: "Nothing is saved: the disk is full".into(),
        },
        ToPane::Clipboard {
            session,
            text: "copied".into(),
            truncated: true,
        },
        ToPane::Inspector {
            session,
            view: InspectorView {
                shown: 1,
                trail: vec!["a Point".into()],
                class_name: "Point".into(),
                print_string: "(3@4)".into(),
                views: vec!["Raw".into(), "Print".into()],
                view: 0,
                text: false,
                select: Some(1),
                total: 2,
                first: 0,
                rows: vec![row.clone(), row],
            },
        },
        ToPane::MayHaveChanged { session },
        ToPane::Transcript {
            session,
            first: 0,
            oldest: 0,
            end: 2,
            lines: vec!["one".into(), "two 🎉".into()],
        },
    ];
    messages
        .iter()
        .map(|message| {
            let line = up_line(None, message).expect("a message has a JSON form");
            format!("l{line}")
        })
        .collect()
}

fn seeds() -> Vec<Vec<u8>> {
    let messages = messages();
    let mut seeds = Vec::new();
    for role in 0..Role::ALL.len() {
        let begin = format!("{role}\ng\no1\n");
        let all = messages.concat();
        let doing = "k3\nk \nk+\nkCtrl d\nkEnter\nkCtrl Home\nkShift End\npline\\none\nkCtrl z\nkBackspace\n\
                     m2 5\nm-3 0\ns5 20\nt2.5\nkF1\nkPageDown\nkEsc\nkDown\nkEnter\nkBackspace\nc1\no2\nz1\nx\n";
        seeds.push(format!("{begin}{all}{doing}{all}").into_bytes());
        for message in &messages {
            seeds.push(
                format!("{begin}{}{}{message}{doing}", messages[1], messages[4]).into_bytes(),
            );
        }
    }
    seeds
}

fn pane(role: Role) -> (Pane, Outcome) {
    let configuration: BTreeMap<String, String> = [
        ("role", role.word()),
        ("stui", "/opt/stui"),
        ("wasm", "file:/opt/stui.wasm"),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .collect();
    let identity = Identity {
        plugin: ME.0,
        client: ME.1,
        nonce: ME.2,
        zellij_pid: 7,
        zellij_version: "0.45.1".into(),
    };
    Pane::new(&configuration, identity)
}

fn numbers(text: &str) -> (i32, i32) {
    let mut words = text
        .split_whitespace()
        .map(|word| word.parse().unwrap_or(0));
    (words.next().unwrap_or(0), words.next().unwrap_or(0))
}

fn input_of(line: &str, size: &mut Size) -> Option<Vec<Input>> {
    let mut characters = line.chars();
    let kind = characters.next()?;
    let rest = characters.as_str();
    let one = |input| Some(vec![input]);
    match kind {
        'l' => one(Input::Line(format!("{rest}\n"))),
        'k' => match rest.parse::<Key>() {
            Ok(key) => one(Input::Key(key)),
            Err(_) => Some(
                rest.chars()
                    .map(|c| Input::Key(Key::plain(Code::Char(c))))
                    .collect(),
            ),
        },
        'p' => one(Input::Paste(rest.replace("\\n", "\n"))),
        'm' => {
            let (row, column) = numbers(rest);
            one(Input::Mouse(if row < 0 {
                Mouse::Scroll(row + column)
            } else {
                let (row, column) = (row as u16, column as u16);
                Mouse::Click { row, column }
            }))
        }
        's' => {
            let (rows, columns) = numbers(rest);
            *size = Size {
                rows: (rows.unsigned_abs() % u32::from(MAX_ROWS)) as u16,
                columns: (columns.unsigned_abs() % u32::from(MAX_COLUMNS)) as u16,
            };
            one(Input::Size(*size))
        }
        't' => one(Input::Tick(rest.trim().parse().unwrap_or(1.0))),
        'o' => one(Input::DownOpened { pipe: rest.into() }),
        'c' => one(Input::DownClosed { pipe: rest.into() }),
        'g' => one(Input::Permission {
            granted: rest.is_empty(),
        }),
        'z' => one(Input::Summoned {
            status: rest.trim().parse().ok(),
            said: rest.into(),
        }),
        'x' => one(Input::Closing),
        _ => None,
    }
}

fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let mut lines = text.split('\n');
    let role = lines.next().and_then(|line| line.parse().ok());
    let role = Role::ALL[role.unwrap_or(0_usize) % Role::ALL.len()];
    let (mut pane, outcome) = pane(role);
    let mut size = Size {
        rows: 24,
        columns: 80,
    };
    look(&outcome);
    for line in lines.take(200) {
        for input in input_of(line, &mut size).unwrap_or_default() {
            look(&pane.update(input));
        }
        let frame = pane.view(size);
        let area = frame.buffer.area;
        assert_eq!((area.width, area.height), (size.columns, size.rows));
        if let Some((column, row)) = frame.cursor {
            assert!(
                column < size.columns && row < size.rows,
                "cursor {column} {row} in {size:?}"
            );
        }
    }
    assert_eq!(pane.view(size), pane.view(size));
}

fn look(outcome: &Outcome) {
    for effect in &outcome.effects {
        if let Effect::Say { line, .. } = effect {
            assert!(line.len() <= MAX_LINE, "a line of {} bytes", line.len());
            assert_eq!(line.find('\n'), Some(line.len() - 1), "one line");
            let down: Down = serde_json::from_str(line).expect("the sidecar can read it");
            assert_eq!(down.from, Instance::new(ME.0, ME.1, ME.2));
        }
    }
}

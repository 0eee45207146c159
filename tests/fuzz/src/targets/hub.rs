//! The hub: lines from panes, answers and events from a server, in any order.

use std::collections::VecDeque;

use stui::hub::image::ImageKey;
use stui::hub::record::{Record, Snapshot};
use stui::hub::{Effect, Hub, Input, Outcome, To};
use stui_protocol::Uuid;
use stui_protocol::debugger::DebuggerAct;
use stui_protocol::message::{Envelope, Payload};
use stui_protocol::pane::{
    Act, Down, Edit, FromPane, Guests, How, Instance, Link, MAX_LINE, Pos, Role, SessionKey, Span,
    up_line,
};
use stui_protocol::request::DebugOperation;
use stui_protocol::sessions::SessionCommand;

use crate::Target;

pub(super) const TARGET: Target = Target {
    name: "hub",
    about: "what panes and a server may say: lines fit, and the records lead to the same text",
    seeds,
    words: &[
        "\nd",
        "\nc1",
        "\nx",
        "\nf",
        "\nk",
        "\ng",
        "\nn",
        "\nr",
        "\ne",
        "\ni",
        "\nj1",
        "\na1,2",
        "\no",
        "\nu",
        "\nl",
        "\nw9",
        "\"session\":2",
        "\"t\":\"act\"",
        "\"seq\":1",
        "\"seq\":2",
        "\"seq\":3",
        "\"a\":\"undo\"",
        "\"a\":\"redo\"",
        "\"a\":\"edit\"",
        "\"a\":\"evaluate\"",
        "\"rev\":0",
        "\"rev\":1",
        "\"rev\":4294967295",
        "\"l\":1",
        "\"c\":4294967295",
        "\"text\":\"\\n\"",
        "\"how\":\"inspect_it\"",
        "\"first\":",
        "\"count\":4294967295",
        "\"from\":\"3.2-a\"",
    ],
    run,
};

fn seeds() -> Vec<Vec<u8>> {
    let one = Instance::new(3, 1, 9);
    let other = Instance::new(3, 2, 10);
    let session = SessionKey(1);
    let hello = |role| FromPane::Hello {
        role,
        zellij_pid: 7,
        zellij_version: "0.45.1".into(),
        pin: None,
    };
    let down = |from: &Instance, said: FromPane| {
        let down = Down {
            from: from.clone(),
            said,
        };
        format!("d{}\n", serde_json::to_string(&down).expect("JSON"))
    };
    let act = |from: &Instance, seq, act| down(from, FromPane::Act { seq, session, act });
    let edit = |rev, line, column, text: &str| Act::Edit {
        rev,
        edit: Edit::insert(Pos::new(line, column), text),
        group: rev,
    };
    let span = Span {
        start: Pos::new(0, 0),
        end: Pos::new(0, 5),
    };
    let evaluate = |how| Act::Evaluate { rev: 1, span, how };
    let mut answers: Vec<String> = Vec::new();
    let mut events: Vec<String> = Vec::new();
    for example in super::examples() {
        let document: serde_json::Value = serde_json::from_slice(&example).expect("an example");
        match document["payload"]["type"].as_str() {
            Some("Response") => answers.push(format!("r{document}\n")),
            Some("Event") => events.push(format!("e{document}\n")),
            _ => {}
        }
    }
    let created = answers
        .iter()
        .find(|answer| answer.contains("\"CreateSession\""))
        .cloned()
        .unwrap_or_default();
    let cursor = FromPane::Cursor {
        session,
        rev: 1,
        anchor: Pos::new(0, 0),
        cursor: Pos::new(0, 3),
    };
    let begin = [
        down(&one, hello(Role::Workspace)),
        down(&other, hello(Role::Inspector)),
        "c1\n".to_owned(),
        created,
    ]
    .concat();
    let typing = [
        act(&one, 1, edit(0, 0, 0, "3 + 4")),
        act(&other, 1, edit(0, 0, 0, "'日本 🎉'\n")),
        act(&one, 2, edit(1, 0, 5, ". self")),
        act(&other, 2, Act::Undo),
        act(&one, 3, Act::Redo),
        down(&one, cursor),
    ]
    .concat();
    let asking = [How::DoIt, How::PrintIt, How::InspectIt, How::DebugIt]
        .into_iter()
        .zip(4..)
        .map(|(how, seq)| act(&one, seq, evaluate(how)))
        .collect::<String>();
    let manage = |seq, command| act(&one, seq, Act::Sessions { command });
    let rest = [
        down(
            &one,
            FromPane::View {
                session,
                first: 0,
                count: 40,
                column: 0,
                width: 260,
            },
        ),
        down(
            &one,
            FromPane::Copy {
                session,
                rev: 1,
                span,
            },
        ),
        down(
            &other,
            FromPane::InspectorView {
                session,
                first: 0,
                count: 9,
                again: false,
            },
        ),
        down(
            &other,
            FromPane::TranscriptView {
                session,
                first: None,
                count: 9,
            },
        ),
        act(&one, 7, Act::InspectRow { shown: 1, row: 0 }),
        act(&one, 8, Act::InspectAs { shown: 1, view: 1 }),
        act(&one, 9, Act::InspectBack),
        act(&one, 10, Act::Interrupt),
        act(&one, 11, Act::ClearTranscript),
        manage(
            12,
            SessionCommand::New {
                name: "other".into(),
                image: None,
            },
        ),
        manage(
            13,
            SessionCommand::Switch {
                session: SessionKey(2),
            },
        ),
        manage(
            14,
            SessionCommand::Rename {
                session,
                name: "third".into(),
            },
        ),
        manage(
            15,
            SessionCommand::Move {
                session,
                image: None,
            },
        ),
        act(
            &one,
            16,
            Act::Debugger {
                act: DebuggerAct::Run {
                    debugger: "d1".into(),
                    stop: 1,
                    frame: 0,
                    operation: DebugOperation::StepOver,
                    code: None,
                },
            },
        ),
        down(
            &other,
            FromPane::DebuggerView {
                session,
                line: Some(3),
            },
        ),
        manage(17, SessionCommand::RunAgain { session }),
        manage(18, SessionCommand::Close { session }),
        down(&one, FromPane::Bye),
        "x\nc2\ng\nn\nf\nk\n".to_owned(),
    ]
    .concat();
    let mut seeds = vec![
        format!("{begin}{typing}"),
        format!("{begin}{typing}{asking}{}{rest}", answers.concat()),
        format!("{begin}{typing}{}{rest}f\n", events.concat()),
    ];
    for answer in &answers {
        seeds.push(format!(
            "{begin}{typing}{asking}{answer}{answer}{answer}f\n"
        ));
    }
    seeds.into_iter().map(String::into_bytes).collect()
}

/// A hub, and what it left to be done.
struct Fed {
    hub: Hub,
    pending: VecDeque<Uuid>,
    records: Vec<Record>,
}

fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let mut fed = Fed {
        hub: new_hub(Snapshot::default(), Vec::new()),
        pending: VecDeque::new(),
        records: Vec::new(),
    };
    for line in text.split('\n').take(300) {
        if let Some(input) = input_of(line, &mut fed.pending) {
            fed.feed(input);
        }
    }
    let again = new_hub(Snapshot::default(), fed.records);
    assert_eq!(
        texts(&again),
        texts(&fed.hub),
        "the records lead to the same texts"
    );
    let saved = serde_json::to_vec(&fed.hub.snapshot()).expect("a snapshot has a JSON form");
    let snapshot: Snapshot = serde_json::from_slice(&saved).expect("and can be read");
    let again = new_hub(snapshot, Vec::new());
    assert_eq!(
        texts(&again),
        texts(&fed.hub),
        "the snapshot has the same texts"
    );
}

/// A hub with two images.
fn new_hub(snapshot: Snapshot, records: Vec<Record>) -> Hub {
    let images = ["one", "two"].map(|name| (name.to_owned(), "embedded".to_owned()));
    Hub::restored("s".into(), 1, images, snapshot, records)
}

/// The texts of all sessions.
fn texts(hub: &Hub) -> Vec<(SessionKey, String)> {
    hub.sessions()
        .map(|session| (session.key(), session.text()))
        .collect()
}

impl Fed {
    fn feed(&mut self, input: Input) {
        for effect in self.hub.handle(input) {
            match effect {
                Effect::Record(record) => {
                    let json = serde_json::to_vec(&record).expect("a record has a JSON form");
                    let read = serde_json::from_slice(&json).expect("and can be read");
                    self.records.push(read);
                }
                Effect::Tell(to, message) => {
                    let target = match &to {
                        To::One(instance) => Some(instance),
                        _ => None,
                    };
                    let line = up_line(target, &message).expect("a message has a JSON form");
                    assert!(line.len() <= MAX_LINE, "{} bytes: {message:?}", line.len());
                    assert_eq!(line.find('\n'), Some(line.len() - 1), "one line");
                }
                Effect::Request { id, .. } => self.pending.push_back(id),
                Effect::Subscribe { .. }
                | Effect::Unsubscribe { .. }
                | Effect::ShowDebugger
                | Effect::Answer { .. } => {}
            }
        }
        assert!(self.pending.len() <= 10_000, "requests are bounded");
    }
}

fn input_of(line: &str, pending: &mut VecDeque<Uuid>) -> Option<Input> {
    let mut characters = line.chars();
    let kind = characters.next()?;
    let rest = characters.as_str();
    let reply = |pending: &mut VecDeque<Uuid>, outcome| {
        let id = pending.pop_front()?;
        Some(Input::Reply { id, outcome })
    };
    match kind {
        'd' => {
            let Down { from, said } = serde_json::from_str(rest).ok()?;
            Some(Input::Pane { from, said })
        }
        'c' => Some(Input::Connected {
            image: ImageKey(0),
            server_id: rest.into(),
            dialect: "Embedded".into(),
            endpoint: "tcp://127.0.0.1:5555".into(),
            can_debug_it: true,
        }),
        'x' => Some(Input::Disconnected {
            image: ImageKey(0),
            link: Link::Reconnecting {
                attempt: 1,
                reason: rest.into(),
            },
        }),
        'i' => Some(Input::ImageAdded {
            image: ImageKey(2),
            name: rest.into(),
            target: "embedded".into(),
        }),
        'j' => Some(Input::ImageRemoved {
            image: ImageKey(rest.parse().unwrap_or(2)),
        }),
        'm' => Some(Input::Gap {
            image: ImageKey(0),
            session_id: rest.into(),
            missed: 3,
        }),
        'a' => Some(Input::Attached(
            rest.split(',')
                .filter_map(|word| word.parse().ok())
                .collect(),
        )),
        'o' => Some(Input::Guests(Guests::ReadOnly)),
        'u' => Some(Input::Busy {
            image: ImageKey(0),
            busy: rest.is_empty(),
        }),
        'l' => Some(Input::FlushCursors),
        'w' => Some(Input::Time(rest.parse().unwrap_or(0))),
        'r' => match Envelope::from_json(rest.as_bytes()).ok()?.payload {
            Payload::Response(response) => reply(pending, Outcome::Answered(Box::new(response))),
            _ => None,
        },
        'e' => match Envelope::from_json(rest.as_bytes()).ok()?.payload {
            Payload::Event(event) => Some(Input::Event {
                image: ImageKey(0),
                event,
            }),
            _ => None,
        },
        'g' => reply(pending, Outcome::ServerReplaced),
        'n' => reply(pending, Outcome::Refused(rest.into())),
        'f' => Some(Input::Flush),
        'k' => Some(Input::KeepAlive),
        _ => None,
    }
}

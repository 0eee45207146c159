//! The hub as data: what panes and server say, and what the hub has done about it.
//!
//! A [`Scene`] plays panes and server: it keeps what every pane was told, the requests that are not
//! answered yet, and the journal, from which it can bring the hub back.

use std::collections::{BTreeMap, BTreeSet};

use stui_protocol::error::{ErrorCode, ErrorDetails, ErrorInfo, RuntimeError};
use stui_protocol::event::{Event, Happening, Transcript};
use stui_protocol::object::{Child, ObjectHandle, View};
use stui_protocol::pane::{Edit, How, InspectorView, MarkKind, Pos, Span};
use stui_protocol::position::{Position, Range};
use stui_protocol::request::{Interrupt, Request};
use stui_protocol::response::{self, Response};
use stui_protocol::sessions::SessionCommand;

use super::record::Snapshot;
use super::*;

mod debugger;
mod late;
mod people;
mod sessions;

struct Scene {
    hub: Hub,
    journal: Vec<Record>,
    told: Vec<(To, ToPane)>,
    requests: Vec<(Uuid, Request)>,
    subscribed: Vec<(String, u64)>,
    seq: BTreeMap<Instance, u64>,
    /// How often the debugger's pane was to come up.
    shown_debugger: usize,
}

fn pane(role: Role) -> Instance {
    person(role, 1)
}

fn person(role: Role, client: u16) -> Instance {
    Instance::new(role as u32, client, 7)
}

fn at(line: u32, column: u32) -> Pos {
    Pos::new(line, column)
}

fn cursor(line: u32, column: u32) -> Span {
    Span::between(at(line, column), at(line, column))
}

/// Ids of the sidecar that comes after a killed one are made from this.
const OTHER_SEED: u128 = 1 << 100;
/// The session that is there from the beginning, and the images.
const FIRST: SessionKey = SessionKey(1);

fn images() -> [(String, String); 2] {
    ["embedded", "moose"].map(|name| (name.into(), name.into()))
}

impl Scene {
    fn session(&self) -> &Session {
        &self.hub.sessions[&FIRST]
    }

    fn session_mut(&mut self) -> &mut Session {
        self.hub.sessions.get_mut(&FIRST).unwrap()
    }

    fn text(&self) -> String {
        self.session().text()
    }

    fn new() -> Self {
        let mut scene = Scene {
            hub: Hub::restored("one".into(), 1, images(), Snapshot::default(), []),
            journal: Vec::new(),
            told: Vec::new(),
            requests: Vec::new(),
            subscribed: Vec::new(),
            seq: BTreeMap::new(),
            shown_debugger: 0,
        };
        scene.hub.let_debugger_come_up();
        for role in Role::ALL {
            scene.hello(&pane(role), role);
        }
        scene
    }

    /// With a server, and a session `s1` on it.
    fn connected() -> Self {
        let mut scene = Scene::new();
        scene.connect("server-1");
        scene.give_session("s1");
        scene.told.clear();
        scene
    }

    fn play(&mut self, input: Input) {
        for effect in self.hub.handle(input) {
            match effect {
                Effect::Record(record) => {
                    // as on disk
                    let json = serde_json::to_string(&record).unwrap();
                    self.journal.push(serde_json::from_str(&json).unwrap());
                }
                Effect::Tell(to, message) => {
                    let line = serde_json::to_string(&message).unwrap();
                    assert!(line.len() < stui_protocol::pane::MAX_LINE - 100);
                    self.told.push((to, message));
                }
                Effect::Request { id, request, .. } => self.requests.push((id, request)),
                Effect::Subscribe {
                    session_id,
                    from_sequence,
                    ..
                } => self.subscribed.push((session_id, from_sequence)),
                Effect::ShowDebugger => self.shown_debugger += 1,
                Effect::Unsubscribe { .. } | Effect::Answer { .. } => {}
            }
        }
    }

    /// The sidecar is killed and another one started: only the journal is left.
    fn restart(&mut self) {
        self.hub = Hub::restored(
            "two".into(),
            OTHER_SEED,
            images(),
            Snapshot::default(),
            self.journal.clone(),
        );
        self.requests.clear();
        self.subscribed.clear();
        self.told.clear();
    }

    fn hello(&mut self, who: &Instance, role: Role) {
        self.play(Input::Pane {
            from: who.clone(),
            said: FromPane::Hello {
                role,
                zellij_pid: 1,
                zellij_version: "0.45.1".into(),
                pin: None,
            },
        });
    }

    /// A server is connected; only one that the sessions were made on knows them.
    fn connect(&mut self, server_id: &str) {
        let mut servers = self
            .hub
            .sessions
            .values()
            .filter_map(|it| it.server.clone());
        let is_theirs = servers.any(|server| server.server_id == server_id);
        self.meet(server_id);
        while self.waits_for("RestoreSession") {
            if is_theirs {
                self.answer("RestoreSession", response::RestoreSession::default());
            } else {
                let error = ErrorInfo::new(ErrorCode::SessionNotFound, "No such session.");
                self.answer("RestoreSession", error);
            }
        }
    }

    /// A server is connected, and is not yet asked for sessions.
    fn meet(&mut self, server_id: &str) {
        self.play(Input::Connected {
            image: ImageKey(0),
            server_id: server_id.into(),
            dialect: "Embedded".into(),
            endpoint: "tcp://127.0.0.1:1".into(),
            can_debug_it: true,
        });
        self.answer(
            "ListClientSessions",
            response::ListClientSessions::default(),
        );
    }

    fn waits_for(&self, request_type: &str) -> bool {
        let mut requests = self.requests.iter();
        requests.any(|(_, request)| request.name() == request_type)
    }

    fn give_session(&mut self, session_id: &str) {
        let mut answer = response::CreateSession::default();
        answer.session.session_id = session_id.into();
        self.answer("CreateSession", answer);
    }

    /// Answers the oldest request of this type.
    fn answer(&mut self, request_type: &str, answer: impl Into<Response>) {
        let (id, _) = self.take(request_type);
        self.play(Input::Reply {
            id,
            outcome: Outcome::Answered(Box::new(answer.into())),
        });
    }

    fn take(&mut self, request_type: &str) -> (Uuid, Request) {
        let at = self
            .requests
            .iter()
            .position(|(_, request)| request.name() == request_type)
            .unwrap_or_else(|| panic!("no {request_type} in {:?}", self.requests));
        self.requests.remove(at)
    }

    fn act_of(&mut self, who: &Instance, act: Act) -> u64 {
        let seq = self.next_seq(who);
        self.play(Input::Pane {
            from: who.clone(),
            said: FromPane::Act {
                seq,
                session: FIRST,
                act,
            },
        });
        seq
    }

    fn act(&mut self, act: Act) -> u64 {
        self.act_of(&pane(Role::Workspace), act)
    }

    /// The number of this instance's next act.
    fn next_seq(&mut self, who: &Instance) -> u64 {
        let seq = self.seq.entry(who.clone()).or_default();
        *seq += 1;
        *seq
    }

    /// Somebody does something with sessions.
    fn sessions_command(&mut self, command: SessionCommand) {
        self.act_of(&pane(Role::Sessions), Act::Sessions { command });
    }

    /// Makes a session and switches to it.
    fn makes_session(&mut self, name: &str) {
        let (name, image) = (name.into(), None);
        self.sessions_command(SessionCommand::New { name, image });
        self.give_session(&format!("s-{}", self.hub.sessions.len()));
    }

    /// The session that an instance was last told to show.
    fn shown_to(&self, who: &Instance) -> Option<SessionKey> {
        let mut told = self.told.iter().rev();
        told.find_map(|(to, message)| match message {
            ToPane::Welcome { session, .. } if *to == To::One(who.clone()) => Some(*session),
            _ => None,
        })
    }

    /// Types at a place, knowing everything that happened.
    fn type_at(&mut self, place: Pos, text: &str) {
        let edit = Act::Edit {
            rev: self.session().document.rev(),
            edit: Edit::insert(place, text),
            group: 1,
        };
        self.act(edit);
    }

    fn evaluate(&mut self, span: Span, how: How) {
        let rev = self.session().document.rev();
        self.act(Act::Evaluate { rev, span, how });
    }

    fn print_answer(&mut self, result: &str) {
        self.answer(
            "Evaluate",
            response::Evaluate {
                result: result.into(),
                ..response::Evaluate::default()
            },
        );
    }

    fn notices(&self) -> Vec<&str> {
        self.told
            .iter()
            .filter_map(|(_, message)| match message {
                ToPane::Notice { text, .. } => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    fn selection(&self) -> Option<(Pos, Pos)> {
        self.told
            .iter()
            .rev()
            .find_map(|(_, message)| match message {
                ToPane::Select { anchor, cursor, .. } => Some((*anchor, *cursor)),
                _ => None,
            })
    }

    fn marks(&self) -> Vec<(MarkKind, Span)> {
        let marks = self
            .told
            .iter()
            .rev()
            .find_map(|(_, message)| match message {
                ToPane::Marks { marks, .. } => Some(marks),
                _ => None,
            });
        marks
            .into_iter()
            .flatten()
            .map(|mark| (mark.kind, mark.span))
            .collect()
    }

    fn inspector(&self) -> &InspectorView {
        self.told
            .iter()
            .rev()
            .find_map(|(_, message)| match message {
                ToPane::Inspector { view, .. } => Some(view),
                _ => None,
            })
            .expect("the inspector was told something")
    }
}

fn object(id: &str) -> ObjectHandle {
    ObjectHandle {
        id: Some(id.into()),
        class_name: "OrderedCollection".into(),
        print_string: "an OrderedCollection".into(),
        has_children: true,
        ..ObjectHandle::default()
    }
}

fn rows(id: &str, names: &[&str]) -> response::Inspect {
    response::Inspect {
        object: object(id),
        views: vec![View {
            name: "Items".into(),
            total: names.len() as u64,
            ..View::default()
        }],
        view: "Items".into(),
        children: names
            .iter()
            .map(|name| Child {
                name: (*name).into(),
                object: object(&format!("{id}.{name}")),
                children: Vec::new(),
            })
            .collect(),
        total: names.len() as u64,
        ..response::Inspect::default()
    }
}

#[test]
fn print_it_writes_the_answer_behind_the_expression_and_selects_it() {
    let mut scene = Scene::connected();
    scene.type_at(at(0, 0), "3 + 4\n'next'");
    scene.evaluate(cursor(0, 2), How::PrintIt);
    let (id, request) = scene.take("Evaluate");
    let Request::Evaluate(evaluate) = request else {
        panic!("{request:?}")
    };
    assert_eq!(evaluate.code, "3 + 4");
    assert_eq!(evaluate.session_id.as_deref(), Some("s1"));
    assert_eq!(
        scene.marks(),
        [(MarkKind::Running, Span::between(at(0, 0), at(0, 5)))]
    );
    let answer = response::Evaluate {
        result: "7".into(),
        ..response::Evaluate::default()
    };
    scene.play(Input::Reply {
        id,
        outcome: Outcome::Answered(Box::new(answer.into())),
    });
    assert_eq!(scene.text(), "3 + 4 7\n'next'");
    assert_eq!(scene.selection(), Some((at(0, 5), at(0, 7))));
    assert_eq!(scene.marks(), []);
}

#[test]
fn the_answer_finds_its_expression_after_edits_before_it_and_takes_no_typing_away() {
    let mut scene = Scene::connected();
    scene.type_at(at(0, 0), "3 + 4");
    scene.evaluate(cursor(0, 0), How::PrintIt);
    scene.type_at(at(0, 0), "\"a\"\n");
    scene.told.clear();
    scene.print_answer("7");
    assert_eq!(scene.text(), "\"a\"\n3 + 4 7");
    assert_eq!(scene.selection(), None);
    assert_eq!(scene.notices(), ["The answer is printed in line 2."]);
}

#[test]
fn the_printed_answer_is_one_step_of_undo() {
    let mut scene = Scene::connected();
    scene.type_at(at(0, 0), "3 + 4");
    scene.evaluate(cursor(0, 0), How::PrintIt);
    scene.print_answer(&"long\n".repeat(30_000));
    assert!(scene.text().ends_with('…'));
    scene.act(Act::Undo);
    assert_eq!(scene.text(), "3 + 4");
    scene.act(Act::Redo);
    scene.act(Act::Undo);
    scene.act(Act::Undo);
    assert_eq!(scene.text(), "");
    scene.told.clear();
    scene.act(Act::Undo);
    assert_eq!(scene.notices(), ["Nothing to undo."]);
}

#[test]
fn a_compile_error_is_marked_at_its_position_and_the_caret_goes_there() {
    let mut scene = Scene::connected();
    scene.type_at(at(0, 0), "\n  3 + ) 4");
    scene.evaluate(Span::between(at(1, 2), at(1, 9)), How::PrintIt);
    let code = "3 + ) 4";
    let error = ErrorInfo::new(
        ErrorCode::CompileError,
        "Variable or expression expected (line 1, column 5)",
    )
    .with(ErrorDetails {
        at: Some(Position::in_text(code, 5)),
        ..ErrorDetails::default()
    });
    scene.answer("Evaluate", error);
    let place = Span::between(at(1, 6), at(1, 7));
    assert_eq!(scene.marks(), [(MarkKind::CompileError, place)]);
    assert_eq!(scene.selection(), Some((at(1, 6), at(1, 6))));
    assert_eq!(scene.notices(), ["Variable or expression expected"]);
    scene.type_at(at(1, 6), "1");
    assert_eq!(scene.marks(), [], "mended code is marked no longer");
}

#[test]
fn a_runtime_error_marks_the_part_that_failed() {
    let mut scene = Scene::connected();
    scene.type_at(at(0, 0), "1 + (1/0)");
    scene.evaluate(cursor(0, 0), How::DoIt);
    let code = "1 + (1/0)";
    let frame = stui_protocol::error::StackFrame {
        is_evaluated_code: true,
        range: Some(Range::in_text(code, 6, 9)),
        ..Default::default()
    };
    scene.answer(
        "Evaluate",
        response::Evaluate {
            has_error: true,
            error: Some(RuntimeError {
                class_name: "ZeroDivide".into(),
                stack: vec![frame],
                ..RuntimeError::default()
            }),
            ..response::Evaluate::default()
        },
    );
    assert_eq!(
        scene.marks(),
        [(MarkKind::Error, Span::between(at(0, 5), at(0, 8)))]
    );
    assert_eq!(scene.notices(), ["ZeroDivide"]);
}

#[test]
fn where_there_is_no_code_nothing_is_evaluated() {
    let mut scene = Scene::connected();
    scene.type_at(at(0, 0), "3\n\n\"only a comment\"");
    scene.evaluate(cursor(1, 0), How::PrintIt);
    scene.evaluate(cursor(2, 3), How::PrintIt);
    assert!(scene.requests.is_empty());
    assert_eq!(scene.notices().len(), 2);
}

#[test]
fn an_act_that_arrives_again_is_acknowledged_and_not_carried_out_again() {
    let mut scene = Scene::connected();
    let who = pane(Role::Workspace);
    let act = FromPane::Act {
        seq: 1,
        session: FIRST,
        act: Act::Edit {
            rev: 0,
            edit: Edit::insert(at(0, 0), "a"),
            group: 1,
        },
    };
    for _ in 0..2 {
        scene.play(Input::Pane {
            from: who.clone(),
            said: act.clone(),
        });
    }
    assert_eq!(scene.text(), "a");
    let acked = scene.told.last().unwrap();
    assert_eq!(*acked, (To::One(who), ToPane::Acked { seq: 1 }));
}

#[test]
fn an_act_behind_a_gap_waits_until_the_gap_is_filled() {
    let mut scene = Scene::connected();
    scene.type_at(at(0, 0), "a");
    let edit = |seq, text: &str, column| Input::Pane {
        from: pane(Role::Workspace),
        said: FromPane::Act {
            seq,
            session: FIRST,
            act: Act::Edit {
                rev: 1,
                edit: Edit::insert(at(0, column), text),
                group: 1,
            },
        },
    };
    scene.play(edit(3, "c", 2));
    assert!(matches!(
        scene.told.last(),
        Some((_, ToPane::Welcome { acked: 1, .. }))
    ));
    scene.play(edit(2, "b", 1));
    scene.play(edit(3, "c", 2));
    assert_eq!(scene.text(), "abc");
}

#[test]
fn two_people_share_one_text_and_one_key_press_is_one_evaluation() {
    let mut scene = Scene::connected();
    let other = person(Role::Workspace, 2);
    scene.hello(&other, Role::Workspace);
    scene.play(Input::Flush);
    assert_eq!(scene.hub.status().clients, 2);
    scene.type_at(at(0, 0), "3 + 4");
    scene.told.clear();
    let rev = scene.session().document.rev();
    scene.act_of(
        &other,
        Act::Evaluate {
            rev,
            span: cursor(0, 0),
            how: How::PrintIt,
        },
    );
    scene.print_answer("7");
    assert!(scene.requests.is_empty());
    let edited = scene
        .told
        .iter()
        .find(|(_, m)| matches!(m, ToPane::Edited { .. }));
    assert_eq!(edited.unwrap().0, To::Role(Role::Workspace));
    let select = scene
        .told
        .iter()
        .find(|(_, m)| matches!(m, ToPane::Select { .. }));
    assert_eq!(select.unwrap().0, To::One(other));
}

#[test]
fn what_is_evaluated_before_there_is_a_server_runs_once_there_is_one() {
    let mut scene = Scene::new();
    scene.type_at(at(0, 0), "3 + 4");
    scene.evaluate(cursor(0, 0), How::PrintIt);
    assert!(scene.requests.is_empty());
    scene.connect("server-1");
    assert_eq!(scene.requests.len(), 1);
    scene.give_session("s1");
    scene.print_answer("7");
    assert_eq!(scene.text(), "3 + 4 7");
}

#[test]
fn a_killed_sidecar_comes_back_with_text_acts_and_evaluations_under_their_ids() {
    let mut scene = Scene::connected();
    scene.type_at(at(0, 0), "3 + 4");
    scene.evaluate(cursor(0, 0), How::PrintIt);
    let (id, _) = scene.take("Evaluate");
    scene.restart();
    assert_eq!(scene.text(), "3 + 4");
    scene.hello(&pane(Role::Workspace), Role::Workspace);
    assert!(matches!(
        scene.told.first(),
        Some((_, ToPane::Welcome { acked: 2, sidecar, .. })) if sidecar == "two"
    ));
    scene.connect("server-1");
    assert_eq!(scene.subscribed, [("s1".to_owned(), 1)]);
    let (again, _) = scene.take("Evaluate");
    assert_eq!(again, id);
    scene.play(Input::Reply {
        id,
        outcome: Outcome::Answered(Box::new(
            response::Evaluate {
                result: "7".into(),
                ..response::Evaluate::default()
            }
            .into(),
        )),
    });
    assert_eq!(scene.text(), "3 + 4 7");
    scene.act(Act::Undo);
    scene.act(Act::Undo);
    assert_eq!(scene.text(), "");
}

#[test]
fn a_snapshot_and_the_records_behind_it_are_the_same_as_all_records() {
    let mut scene = Scene::connected();
    scene.type_at(at(0, 0), "3 + 4");
    let snapshot = scene.hub.snapshot();
    let before = scene.journal.len();
    scene.type_at(at(0, 0), "\n");
    scene.evaluate(cursor(1, 0), How::PrintIt);
    let later = scene.journal[before..].to_vec();
    let json = serde_json::to_string(&snapshot).unwrap();
    let snapshot = serde_json::from_str(&json).unwrap();
    let hub = Hub::restored("two".into(), OTHER_SEED, images(), snapshot, later);
    assert_eq!(hub.sessions[&FIRST].text(), scene.text());
    assert_eq!(
        serde_json::to_value(hub.snapshot()).unwrap(),
        serde_json::to_value(scene.hub.snapshot()).unwrap()
    );
}

#[test]
fn another_server_gets_no_evaluation_of_the_old_one_and_a_new_session() {
    let mut scene = Scene::connected();
    scene.type_at(at(0, 0), "3 + 4");
    scene.evaluate(cursor(0, 0), How::PrintIt);
    let (id, _) = scene.take("Evaluate");
    scene.play(Input::Reply {
        id,
        outcome: Outcome::ServerReplaced,
    });
    scene.connect("server-2");
    assert_eq!(scene.marks()[0].0, MarkKind::Error);
    scene.give_session("s2");
    assert!(scene.requests.is_empty());
    scene.evaluate(cursor(0, 0), How::PrintIt);
    scene.print_answer("7");
    assert_eq!(scene.text(), "3 + 4 7");
}

#[test]
fn what_the_old_server_was_never_sent_runs_on_the_new_one() {
    let mut scene = Scene::connected();
    scene.type_at(at(0, 0), "3 + 4");
    // the link has lost the server already, and has not said so yet
    scene.evaluate(cursor(0, 0), How::PrintIt);
    scene.meet("server-2");
    assert_eq!(scene.marks()[0].0, MarkKind::Running);
    let unknown = || ErrorInfo::new(ErrorCode::SessionNotFound, "No such session.");
    scene.answer("Evaluate", unknown());
    scene.answer("RestoreSession", unknown());
    assert!(scene.notices()[0].starts_with("This is another Smalltalk server"));
    scene.give_session("s2");
    scene.print_answer("7");
    assert_eq!(scene.text(), "3 + 4 7");
}

#[test]
fn a_session_that_the_server_forgot_is_made_anew_and_the_evaluation_runs_there() {
    let mut scene = Scene::connected();
    scene.type_at(at(0, 0), "3 + 4");
    scene.evaluate(cursor(0, 0), How::PrintIt);
    let (first, _) = scene.requests[0];
    scene.answer(
        "Evaluate",
        ErrorInfo::new(ErrorCode::SessionNotFound, "expired"),
    );
    scene.give_session("s2");
    let (second, request) = scene.take("Evaluate");
    assert_ne!(first, second, "the first id has been answered");
    let Request::Evaluate(evaluate) = request else {
        panic!("{request:?}")
    };
    assert_eq!(evaluate.session_id.as_deref(), Some("s2"));
    scene.restart();
    scene.connect("server-1");
    assert_eq!(scene.take("Evaluate").0, second);
}

#[test]
fn where_nothing_runs_an_interrupt_ends_what_was_forked() {
    let mut scene = Scene::connected();
    let mut told = |answer: Response| {
        scene.act(Act::Interrupt);
        let (id, request) = scene.take("Interrupt");
        assert_eq!(request, Interrupt::of_session("s1").into());
        scene.play(Input::Reply {
            id,
            outcome: Outcome::Answered(Box::new(answer)),
        });
        scene.notices().pop().map(str::to_owned)
    };
    let forked = |count| response::Interrupt {
        forked: Some(count),
        ..Default::default()
    };
    let nothing = Some("Nothing is running.".to_owned());
    assert_eq!(told(forked(0).into()), nothing);
    let two = "Ended 2 processes that the code had forked.";
    assert_eq!(told(forked(2).into()).as_deref(), Some(two));
    // a server that does not know what was forked
    let refused = ErrorInfo::new(ErrorCode::InvalidRequest, "request_id is missing");
    assert_eq!(told(refused.into()), nothing);
}

#[test]
fn interrupt_reaches_what_runs_and_takes_back_what_waits() {
    let mut scene = Scene::connected();
    scene.type_at(at(0, 0), "[ true ] whileTrue");
    scene.evaluate(cursor(0, 0), How::DoIt);
    let (id, _) = scene.take("Evaluate");
    scene.act(Act::Interrupt);
    let (_, request) = scene.take("Interrupt");
    let Request::Interrupt(interrupt) = request else {
        panic!("{request:?}")
    };
    assert_eq!(interrupt.request_id, id.to_string());
    scene.play(Input::Reply {
        id,
        outcome: Outcome::Answered(Box::new(
            ErrorInfo::new(ErrorCode::Interrupted, "interrupted").into(),
        )),
    });
    assert_eq!(scene.marks(), []);
    assert_eq!(scene.notices(), ["Interrupted."]);

    let mut scene = Scene::new();
    scene.type_at(at(0, 0), "3");
    scene.evaluate(cursor(0, 0), How::DoIt);
    scene.act(Act::Interrupt);
    scene.connect("server-1");
    scene.give_session("s1");
    assert!(scene.requests.is_empty());
}

#[test]
fn an_inspected_collection_is_walked_into_and_back() {
    let mut scene = Scene::connected();
    scene.type_at(at(0, 0), "OrderedCollection new");
    scene.evaluate(cursor(0, 0), How::InspectIt);
    scene.answer(
        "Evaluate",
        response::Evaluate {
            object: Some(object("o1")),
            ..response::Evaluate::default()
        },
    );
    scene.answer("Inspect", rows("o1", &["1", "2", "3"]));
    let shown = scene.inspector().shown;
    assert_eq!(scene.inspector().rows.len(), 3);
    scene.act(Act::InspectRow { shown, row: 1 });
    scene.answer("Inspect", rows("o1.2", &["x"]));
    assert_eq!(scene.inspector().trail, ["OrderedCollection", "2"]);
    let stale = Act::InspectRow { shown, row: 0 };
    scene.act(stale);
    assert!(
        scene.requests.is_empty(),
        "the row was meant in another object"
    );
    scene.act(Act::InspectBack);
    scene.answer("Inspect", rows("o1", &["1", "2", "3"]));
    assert_eq!(scene.inspector().select, Some(1));
    scene.play(Input::Flush);
    let (_, request) = scene.take("ReleaseObjects");
    let Request::ReleaseObjects(release) = request else {
        panic!("{request:?}")
    };
    assert_eq!(release.object_ids, ["o1.2.x"], "what is shown stays");
}

#[test]
fn an_inspector_is_told_once_that_evaluations_may_have_changed_what_it_shows() {
    let mut scene = Scene::connected();
    let told = |scene: &Scene| {
        let told = scene.told.iter();
        told.filter(|(_, message)| matches!(message, ToPane::MayHaveChanged { .. }))
            .count()
    };
    scene.type_at(at(0, 0), "d add: 77");
    scene.evaluate(cursor(0, 0), How::DoIt);
    scene.answer("Evaluate", response::Evaluate::default());
    scene.play(Input::Flush);
    assert_eq!(told(&scene), 0, "nothing is inspected");
    scene.session_mut().inspector.open(object("d"));
    scene.evaluate(cursor(0, 0), How::DoIt);
    scene.answer("Evaluate", response::Evaluate::default());
    scene.play(Input::Flush);
    scene.play(Input::Flush);
    assert_eq!(told(&scene), 1);
}

#[test]
fn what_was_inspected_is_shown_again_by_the_next_sidecar() {
    let mut scene = Scene::connected();
    scene.type_at(at(0, 0), "OrderedCollection new");
    scene.evaluate(cursor(0, 0), How::InspectIt);
    scene.answer(
        "Evaluate",
        response::Evaluate {
            object: Some(object("o1")),
            ..response::Evaluate::default()
        },
    );
    scene.restart();
    scene.hello(&pane(Role::Inspector), Role::Inspector);
    assert_eq!(scene.inspector().trail, ["OrderedCollection"]);
    assert!(scene.requests.is_empty(), "the session is not there yet");
    scene.connect("server-1");
    scene.answer("Inspect", rows("o1", &["1", "2"]));
    assert_eq!(scene.inspector().rows.len(), 2);
}

#[test]
fn a_row_that_nobody_has_seen_is_asked_for_before_it_is_walked_into() {
    let mut scene = Scene::connected();
    scene.session_mut().inspector.open(object("big"));
    let shown = scene.session().inspector.shown();
    scene.act(Act::InspectRow {
        shown,
        row: 900_000,
    });
    let Request::Inspect(question) = &scene.requests[0].1 else {
        panic!("{:?}", scene.requests)
    };
    assert_eq!((question.offset, question.limit), (Some(900_000), Some(1)));
    let mut answer = rows("big", &["900001"]);
    answer.offset = 900_000;
    scene.answer("Inspect", answer);
    assert_eq!(scene.session().inspector.trail().len(), 2);
}

#[test]
fn a_burst_of_transcript_is_told_at_once_and_only_its_end() {
    let mut scene = Scene::connected();
    for n in 0..2000 {
        scene.play(Input::Event {
            image: ImageKey(0),
            event: Event {
                session_id: Some("s1".into()),
                sequence: n + 1,
                happening: Happening::Transcript(Transcript {
                    text: format!("line {n}\n"),
                }),
            },
        });
    }
    assert!(scene.told.is_empty());
    assert!(scene.hub.wants_flush());
    scene.play(Input::Flush);
    let told: Vec<_> = scene
        .told
        .iter()
        .filter_map(|(_, message)| match message {
            ToPane::Transcript {
                first, end, lines, ..
            } => Some((*first, *end, lines.len())),
            _ => None,
        })
        .collect();
    assert_eq!(told, [(1501, 2001, 500)]);
}

#[test]
fn an_event_that_comes_again_is_not_written_again_and_clearing_survives_a_restart() {
    let mut scene = Scene::connected();
    let event = |sequence| Input::Event {
        image: ImageKey(0),
        event: Event {
            session_id: Some("s1".into()),
            sequence,
            happening: Happening::Transcript(Transcript { text: "x".into() }),
        },
    };
    scene.play(event(1));
    scene.play(event(1));
    scene.play(Input::Flush);
    assert_eq!(scene.session().transcript.window(None, 9, 999).1, ["x"]);
    scene.act(Act::ClearTranscript);
    scene.restart();
    scene.connect("server-1");
    assert_eq!(scene.subscribed, [("s1".to_owned(), 2)]);
}

#[test]
fn an_edit_that_no_line_can_carry_reaches_the_panes_in_pieces() {
    let mut scene = Scene::connected();
    let text = "\u{1}".repeat(24 * 1024);
    scene.type_at(at(0, 0), &text);
    assert_eq!(scene.text(), text);
    let edits: Vec<_> = scene
        .told
        .iter()
        .filter_map(|(_, message)| match message {
            ToPane::Edited { seq, .. } => Some(*seq),
            _ => None,
        })
        .collect();
    assert_eq!(edits, [0, 0, 1], "the last one acknowledges it");
}

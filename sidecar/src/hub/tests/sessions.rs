//! Several sessions and images in one hub.

use super::*;
use crate::hub::asked::{Ask, CallKey, Told};
use stui_protocol::request::DebugOperation;

/// The second session.
const SECOND: SessionKey = SessionKey(2);

impl Scene {
    fn command(&mut self, command: SessionCommand) {
        self.sessions_command(command);
    }

    /// A second session on an image, which the person is in from now on, with a session `s2` on the
    /// server if the image is connected.
    fn second(&mut self, image: &str) {
        self.command(SessionCommand::New {
            name: "work".into(),
            image: Some(image.into()),
        });
        if self.waits_for("CreateSession") {
            self.give_session("s2");
        }
        self.told.clear();
    }

    fn act_in(&mut self, session: SessionKey, act: Act) {
        let who = pane(Role::Workspace);
        let seq = self.seq.entry(who.clone()).or_default();
        *seq += 1;
        let seq = *seq;
        self.play(Input::Pane {
            from: who,
            said: FromPane::Act { seq, session, act },
        });
    }

    fn type_in(&mut self, session: SessionKey, text: &str) {
        let rev = self.hub.sessions[&session].document.rev();
        self.act_in(
            session,
            Act::Edit {
                rev,
                edit: Edit::insert(at(0, 0), text),
                group: 1,
            },
        );
    }

    fn evaluate_in(&mut self, session: SessionKey, how: How) {
        let rev = self.hub.sessions[&session].document.rev();
        let span = cursor(0, 0);
        self.act_in(session, Act::Evaluate { rev, span, how });
    }

    fn text_of(&self, session: SessionKey) -> String {
        self.hub.sessions[&session].text()
    }

    /// The sessions that messages about a document, a transcript or an inspector were about.
    fn told_about(&self) -> Vec<SessionKey> {
        let about = self.told.iter().filter_map(|(_, message)| match message {
            ToPane::Edited { session, .. }
            | ToPane::Marks { session, .. }
            | ToPane::Select { session, .. }
            | ToPane::Inspector { session, .. }
            | ToPane::MayHaveChanged { session }
            | ToPane::Transcript { session, .. } => Some(*session),
            _ => None,
        });
        let mut about: Vec<SessionKey> = about.collect();
        about.dedup();
        about
    }

    fn says(&mut self, session_id: &str, sequence: u64, text: &str) {
        self.play(Input::Event {
            image: ImageKey(0),
            event: Event {
                session_id: Some(session_id.into()),
                sequence,
                happening: Happening::Transcript(Transcript { text: text.into() }),
            },
        });
    }

    fn lines_of(&self, session: SessionKey) -> Vec<String> {
        self.hub.sessions[&session]
            .transcript
            .window(None, 99, 9999)
            .1
    }

    /// The server is killed and another one started, of the same image.
    fn lose_server(&mut self) {
        self.connect("server-2");
    }

    fn failed_with_debugger(&mut self, id: &str) {
        self.answer(
            "Evaluate",
            response::Evaluate {
                has_error: true,
                error: Some(RuntimeError {
                    class_name: "ZeroDivide".into(),
                    debug_id: Some(id.into()),
                    ..RuntimeError::default()
                }),
                ..response::Evaluate::default()
            },
        );
    }
}

#[test]
fn two_sessions_never_see_each_others_text_marks_and_answers() {
    let mut scene = Scene::connected();
    scene.second("embedded");
    scene.type_in(FIRST, "x := 1");
    scene.type_in(SECOND, "x");
    assert_eq!(
        (scene.text_of(FIRST), scene.text_of(SECOND)),
        ("x := 1".into(), "x".into())
    );
    scene.told.clear();
    scene.evaluate_in(FIRST, How::PrintIt);
    assert_eq!(scene.told_about(), [FIRST], "only the first is running");
    scene.evaluate_in(SECOND, How::PrintIt);
    let sent: Vec<_> = scene
        .requests
        .iter()
        .filter_map(|(_, request)| match request {
            Request::Evaluate(e) => Some((e.code.as_str(), e.session_id.as_deref())),
            _ => None,
        })
        .collect();
    assert_eq!(sent, [("x := 1", Some("s1")), ("x", Some("s2"))]);
    scene.told.clear();
    scene.print_answer("1");
    assert_eq!(scene.told_about(), [FIRST]);
    scene.print_answer("nil");
    assert_eq!(scene.text_of(FIRST), "x := 1 1");
    assert_eq!(scene.text_of(SECOND), "x nil");
    scene.act_in(SECOND, Act::Undo);
    scene.act_in(SECOND, Act::Undo);
    assert_eq!(scene.text_of(SECOND), "", "undo is each session's own");
    assert_eq!(scene.text_of(FIRST), "x := 1 1");
}

#[test]
fn transcripts_go_to_the_session_whose_events_they_are() {
    let mut scene = Scene::connected();
    scene.second("embedded");
    assert_eq!(scene.subscribed, [("s1".into(), 1), ("s2".into(), 1)]);
    scene.says("s2", 1, "two\n");
    scene.says("s1", 1, "one\n");
    scene.says("s9", 1, "nobody\n");
    scene.play(Input::Flush);
    assert_eq!(scene.lines_of(FIRST), ["one", ""]);
    assert_eq!(scene.lines_of(SECOND), ["two", ""]);
}

#[test]
fn a_switch_welcomes_all_panes_of_the_client_and_of_nobody_else() {
    let mut scene = Scene::connected();
    let other = person(Role::Workspace, 2);
    scene.hello(&other, Role::Workspace);
    scene.told.clear();
    scene.command(SessionCommand::New {
        name: "work".into(),
        image: None,
    });
    for role in Role::ALL {
        assert_eq!(scene.shown_to(&pane(role)), Some(SECOND), "{role:?}");
    }
    assert_eq!(scene.shown_to(&other), None);
    scene.command(SessionCommand::Switch { session: FIRST });
    assert_eq!(scene.shown_to(&pane(Role::Workspace)), Some(FIRST));
    scene.command(SessionCommand::Switch { session: SECOND });
    scene.restart();
    scene.hello(&pane(Role::Workspace), Role::Workspace);
    assert_eq!(scene.shown_to(&pane(Role::Workspace)), Some(SECOND));
    scene.hello(&person(Role::Workspace, 7), Role::Workspace);
    assert_eq!(
        scene.shown_to(&person(Role::Workspace, 7)),
        Some(SECOND),
        "who comes new sees what was switched to last"
    );
}

#[test]
fn a_switch_while_something_runs_takes_its_answer_nowhere_else() {
    let mut scene = Scene::connected();
    scene.second("embedded");
    scene.type_in(FIRST, "3 + 4");
    scene.evaluate_in(FIRST, How::PrintIt);
    scene.command(SessionCommand::Switch { session: SECOND });
    scene.type_in(SECOND, "else");
    scene.told.clear();
    scene.print_answer("7");
    assert_eq!(scene.told_about(), [FIRST]);
    assert_eq!(scene.text_of(FIRST), "3 + 4 7");
    assert_eq!(scene.text_of(SECOND), "else");
}

#[test]
fn what_was_typed_before_a_switch_lands_where_it_was_typed() {
    let mut scene = Scene::connected();
    scene.second("embedded");
    scene.command(SessionCommand::Switch { session: SECOND });
    scene.type_in(FIRST, "late");
    assert_eq!(
        (scene.text_of(FIRST), scene.text_of(SECOND)),
        ("late".into(), String::new())
    );
}

#[test]
fn what_is_meant_in_a_closed_session_is_acknowledged_and_said() {
    let mut scene = Scene::connected();
    scene.second("embedded");
    scene.command(SessionCommand::Close { session: SECOND });
    scene.told.clear();
    let seq = scene.act_of(&pane(Role::Inspector), Act::InspectBack);
    assert!(seq > 0);
    scene.act_in(SECOND, Act::Undo);
    assert!(
        scene
            .told
            .iter()
            .any(|(_, m)| matches!(m, ToPane::Acked { .. }))
    );
    assert!(
        scene.notices().iter().any(|text| text.contains("closed")),
        "{:?}",
        scene.notices()
    );
}

#[test]
fn a_pane_that_is_pinned_shows_its_session_whatever_the_client_switches_to() {
    let mut scene = Scene::connected();
    let pinned = Instance::new(9, 1, 7);
    scene.play(Input::Pane {
        from: pinned.clone(),
        said: FromPane::Hello {
            role: Role::Workspace,
            zellij_pid: 1,
            zellij_version: "0.45.1".into(),
            pin: Some("notes".into()),
        },
    });
    assert_eq!(scene.shown_to(&pinned), Some(SECOND), "it is made");
    scene.told.clear();
    scene.command(SessionCommand::Switch { session: FIRST });
    assert_eq!(scene.shown_to(&pinned), None);
}

#[test]
fn closing_a_session_ends_it_on_the_server_and_shows_another_one() {
    let mut scene = Scene::connected();
    scene.second("embedded");
    scene.type_in(SECOND, "1/0");
    scene.evaluate_in(SECOND, How::DoIt);
    scene.failed_with_debugger("d1");
    scene.told.clear();
    scene.command(SessionCommand::Close { session: SECOND });
    let (_, request) = scene.take("Debug");
    assert!(matches!(request, Request::Debug(debug) if debug.context == "d1"));
    let (_, request) = scene.take("CloseSession");
    assert!(matches!(request, Request::CloseSession(close) if close.session_id == "s2"));
    assert_eq!(scene.shown_to(&pane(Role::Workspace)), Some(FIRST));
    scene.restart();
    assert_eq!(scene.hub.sessions.keys().collect::<Vec<_>>(), [&FIRST]);
    scene.command(SessionCommand::Close { session: FIRST });
    assert!(
        scene
            .notices()
            .iter()
            .any(|text| text.contains("only session"))
    );
    scene.command(SessionCommand::New {
        name: String::new(),
        image: None,
    });
    assert!(
        scene.hub.sessions.contains_key(&SessionKey(3)),
        "a key is never used twice"
    );
}

#[test]
fn names_are_unique_and_survive() {
    let mut scene = Scene::connected();
    scene.second("embedded");
    for (name, good) in [("main", false), ("a,b", false), ("parser", true)] {
        scene.told.clear();
        scene.command(SessionCommand::Rename {
            session: SECOND,
            name: name.into(),
        });
        assert_eq!(scene.hub.sessions[&SECOND].name == name, good, "{name}");
    }
    scene.restart();
    assert_eq!(scene.hub.sessions[&SECOND].name, "parser");
}

#[test]
fn a_session_moves_to_another_image_with_its_text_and_can_run_its_history_there() {
    let mut scene = Scene::connected();
    scene.type_in(FIRST, "x := 1");
    scene.evaluate_in(FIRST, How::DoIt);
    scene.print_answer("1");
    scene.play(Input::Connected {
        image: ImageKey(1),
        server_id: "moose-1".into(),
        dialect: "Pharo".into(),
        endpoint: "tcp://127.0.0.1:2".into(),
        can_debug_it: true,
    });
    scene.command(SessionCommand::Move {
        session: FIRST,
        image: None,
    });
    assert!(scene.waits_for("CloseSession"));
    scene.give_session("m1");
    assert_eq!(scene.hub.sessions[&FIRST].image, "moose");
    scene.command(SessionCommand::RunAgain { session: FIRST });
    let (_, request) = scene.take("Evaluate");
    assert!(matches!(request, Request::Evaluate(e) if e.session_id.as_deref() == Some("m1")));
    scene.restart();
    assert_eq!(scene.hub.sessions[&FIRST].image, "moose");
    assert_eq!(scene.text_of(FIRST), "x := 1");
}

#[test]
fn an_answer_is_in_the_history_on_disk_before_it_is_shown() {
    let mut scene = Scene::connected();
    scene.type_in(FIRST, "3 + 4");
    scene.evaluate_in(FIRST, How::PrintIt);
    let (id, _) = scene.take("Evaluate");
    let answer = response::Evaluate {
        result: "7".into(),
        ..response::Evaluate::default()
    };
    let effects = scene.hub.handle(Input::Reply {
        id,
        outcome: Outcome::Answered(Box::new(answer.into())),
    });
    let recorded = effects.iter().position(|effect| {
        matches!(effect, Effect::Record(Record::Of { c: record::Change::Answered { end: Some(end), .. }, .. }) if end.answer == "7")
    });
    let shown = effects
        .iter()
        .position(|effect| matches!(effect, Effect::Tell(_, ToPane::Edited { .. })));
    assert!(recorded.unwrap() < shown.unwrap());
}

#[test]
fn the_history_of_a_lost_server_is_run_again_in_order_without_printing() {
    let mut scene = Scene::connected();
    for (code, good) in [("x := 1", true), ("1/0", false), ("x + 1", true)] {
        let whole = scene.text_of(FIRST);
        scene.type_in(FIRST, &format!("{code}\n"));
        scene.evaluate_in(FIRST, How::PrintIt);
        if good {
            scene.print_answer("1");
        } else {
            scene.failed_with_debugger("d");
        }
        assert_ne!(scene.text_of(FIRST), whole);
    }
    let text = scene.text_of(FIRST);
    scene.told.clear();
    scene.lose_server();
    let notices = scene.notices().join("\n");
    assert!(notices.contains("another Smalltalk server"), "{notices}");
    assert!(
        notices.contains("Alt s, then h runs 2 evaluations"),
        "{notices}"
    );
    scene.give_session("s9");
    scene.command(SessionCommand::RunAgain { session: FIRST });
    for code in ["x := 1", "x + 1"] {
        let (id, request) = scene.take("Evaluate");
        assert!(!scene.waits_for("Evaluate"), "one after the other");
        assert!(
            matches!(&request, Request::Evaluate(e) if e.code == code),
            "{request:?}"
        );
        scene.play(Input::Reply {
            id,
            outcome: Outcome::Answered(Box::new(response::Evaluate::default().into())),
        });
    }
    assert_eq!(scene.text_of(FIRST), text, "nothing is printed again");
    assert!(scene.notices().contains(&"The history was run again."));
    scene.told.clear();
    scene.command(SessionCommand::RunAgain { session: FIRST });
    assert!(scene.notices()[0].starts_with("There is nothing to run again"));
}

#[test]
fn running_the_history_again_stops_at_what_fails_and_goes_on_behind_it() {
    let mut scene = Scene::connected();
    for code in ["a", "b", "c"] {
        scene.type_in(FIRST, &format!("{code}\n"));
        scene.evaluate_in(FIRST, How::DoIt);
        scene.print_answer("1");
    }
    scene.lose_server();
    scene.give_session("s9");
    scene.command(SessionCommand::RunAgain { session: FIRST });
    scene.told.clear();
    scene.failed_with_debugger("d");
    assert!(!scene.waits_for("Evaluate"));
    assert!(scene.notices()[0].contains("stopped at `a` with 2 to go"));
    scene.restart();
    scene.connect("server-2");
    scene.command(SessionCommand::RunAgain { session: FIRST });
    let (_, request) = scene.take("Evaluate");
    assert!(matches!(request, Request::Evaluate(e) if e.code == "b"));
}

#[test]
fn a_transcript_survives_a_killed_sidecar_and_a_killed_server_and_is_not_doubled() {
    let mut scene = Scene::connected();
    scene.says("s1", 1, "one\n");
    scene.says("s1", 2, "two\n");
    scene.play(Input::Flush);
    scene.says("s1", 3, "not on disk\n");
    scene.restart();
    assert_eq!(scene.lines_of(FIRST), ["one", "two", ""]);
    scene.connect("server-1");
    assert_eq!(
        scene.subscribed,
        [("s1".into(), 3)],
        "what is not on disk comes again"
    );
    scene.says("s1", 3, "three\n");
    scene.play(Input::Gap {
        image: ImageKey(0),
        session_id: "s1".into(),
        missed: 12,
    });
    scene.says("s1", 16, "sixteen\n");
    scene.play(Input::Flush);
    scene.lose_server();
    scene.restart();
    assert_eq!(
        scene.lines_of(FIRST),
        [
            "one",
            "two",
            "three",
            "— 12 events were lost here —",
            "sixteen",
            ""
        ]
    );
}

#[test]
fn at_most_twenty_debuggers_stay_open_and_the_oldest_are_ended() {
    let mut scene = Scene::connected();
    scene.type_in(FIRST, "1/0");
    for n in 0..22 {
        scene.evaluate_in(FIRST, How::DoIt);
        scene.failed_with_debugger(&format!("d{n}"));
    }
    let ended: Vec<_> = scene
        .requests
        .iter()
        .filter_map(|(_, request)| match request {
            Request::Debug(debug) if debug.operation == DebugOperation::Terminate => {
                Some(debug.context.as_str())
            }
            _ => None,
        })
        .collect();
    assert_eq!(ended, ["d0", "d1"]);
    scene.restart();
    let row = &scene.hub.list().sessions[0];
    assert_eq!(row.debuggers, 20);
    scene.play(Input::Event {
        image: ImageKey(0),
        event: Event {
            session_id: Some("s1".into()),
            sequence: 1,
            happening: Happening::DebugClosed(stui_protocol::event::DebugClosed {
                debug_id: "d7".into(),
            }),
        },
    });
    assert_eq!(scene.hub.list().sessions[0].debuggers, 19);
}

#[test]
fn a_full_server_is_told_with_what_to_do_and_asked_again_once_there_is_room() {
    let mut scene = Scene::connected();
    scene.command(SessionCommand::New {
        name: "work".into(),
        image: None,
    });
    scene.told.clear();
    scene.answer(
        "CreateSession",
        ErrorInfo::new(ErrorCode::SessionLimitExceeded, "five"),
    );
    assert!(
        scene.notices()[0].starts_with("The server of embedded gives no more sessions: close"),
        "{:?}",
        scene.notices()
    );
    let link = scene.hub.list().sessions[1].link.clone();
    assert!(matches!(link, Link::Failed { reason } if reason.contains("no more sessions")));
    // what is evaluated there waits, and who asks for it is told why
    scene.told.clear();
    scene.type_in(SECOND, "3 + 4");
    scene.evaluate_in(SECOND, How::PrintIt);
    let told = scene.notices();
    assert!(told[0].contains("runs once there is room"), "{told:?}");
    scene.answer(
        "CreateSession",
        ErrorInfo::new(ErrorCode::SessionLimitExceeded, "five"),
    );
    scene.command(SessionCommand::Close { session: FIRST });
    scene.give_session("s2");
    assert_eq!(scene.hub.list().sessions[0].link, Link::Connected);
    scene.print_answer("7");
    assert_eq!(scene.text_of(SECOND), "3 + 4 7");
    assert_eq!(
        scene.hub.sessions[&SECOND]
            .server
            .as_ref()
            .unwrap()
            .session_id,
        "s2"
    );
}

#[test]
fn the_name_at_servers_is_the_same_for_ever_and_strays_under_it_are_closed() {
    let mut scene = Scene::new();
    scene.connect("server-1");
    let (_, request) = scene.requests[0].clone();
    let Request::CreateSession(first) = request else {
        panic!("{request:?}")
    };
    scene.restart();
    scene.play(Input::Connected {
        image: ImageKey(0),
        server_id: "server-2".into(),
        dialect: String::new(),
        endpoint: String::new(),
        can_debug_it: true,
    });
    let (_, request) = scene.take("CreateSession");
    assert!(
        matches!(request, Request::CreateSession(second) if second.client_id == first.client_id)
    );

    let mut scene = Scene::connected();
    scene.play(Input::Connected {
        image: ImageKey(0),
        server_id: "server-1".into(),
        dialect: String::new(),
        endpoint: String::new(),
        can_debug_it: true,
    });
    let session = |id: &str| response::Session {
        session_id: id.into(),
        ..response::Session::default()
    };
    scene.answer(
        "ListClientSessions",
        response::ListClientSessions {
            session_count: 2,
            sessions: vec![session("s1"), session("stray")],
        },
    );
    let (_, request) = scene.take("CloseSession");
    assert!(matches!(request, Request::CloseSession(close) if close.session_id == "stray"));
    assert!(!scene.waits_for("CloseSession"));
}

#[test]
fn a_session_that_a_server_forgot_is_said_with_what_to_do() {
    let mut scene = Scene::connected();
    scene.type_in(FIRST, "x := 1");
    scene.evaluate_in(FIRST, How::DoIt);
    scene.print_answer("1");
    scene.restart();
    scene.hello(&pane(Role::Workspace), Role::Workspace);
    scene.play(Input::Connected {
        image: ImageKey(0),
        server_id: "server-1".into(),
        dialect: String::new(),
        endpoint: String::new(),
        can_debug_it: true,
    });
    scene.answer(
        "RestoreSession",
        ErrorInfo::new(ErrorCode::SessionNotFound, "gone"),
    );
    let notices = scene.notices().join("\n");
    assert!(
        notices.contains("Alt s, then h runs 1 evaluations"),
        "{notices}"
    );
    scene.give_session("s2");
}

#[test]
fn the_state_document_follows_changes_after_a_pause() {
    let mut scene = Scene::connected();
    scene.play(Input::Time(1000));
    scene.play(Input::Flush);
    let update = response::UpdateSessionState::default();
    scene.answer("UpdateSessionState", update);
    scene.type_in(FIRST, "abc");
    scene.play(Input::Flush);
    assert!(!scene.waits_for("UpdateSessionState"));
    scene.play(Input::Time(1005));
    assert!(scene.hub.wants_flush());
    scene.play(Input::Flush);
    let (_, request) = scene.take("UpdateSessionState");
    let Request::UpdateSessionState(update) = request else {
        panic!("{request:?}")
    };
    assert_eq!(update.state_data["document"], "abc");
    scene.play(Input::Flush);
    assert!(!scene.waits_for("UpdateSessionState"));
}

#[test]
fn code_that_writes_without_end_does_not_fill_the_disk() {
    let mut scene = Scene::connected();
    let mut sequence = 0;
    for second in 1..=3 {
        scene.play(Input::Time(second));
        for _ in 0..40 {
            sequence += 1;
            scene.says("s1", sequence, &"flood\n".repeat(20_000));
            scene.play(Input::Flush);
        }
    }
    let wrote: usize = scene
        .journal
        .iter()
        .filter_map(|record| match record {
            Record::Of {
                c: record::Change::Wrote { text, .. },
                ..
            } => Some(text.len()),
            _ => None,
        })
        .sum();
    assert!(wrote < 4 << 20, "{wrote} bytes of 14 MB");
    scene.play(Input::Time(4));
    scene.play(Input::Flush);
    assert!(!scene.hub.wants_flush());
    assert!(scene.lines_of(FIRST).len() > 10);
}

/// Whatever the moment at which a sidecar is killed: what it had acknowledged is there again.
#[test]
fn a_sidecar_killed_after_any_record_loses_nothing_that_was_recorded() {
    let mut scene = Scene::connected();
    scene.second("moose");
    scene.type_in(FIRST, "x := 1");
    scene.evaluate_in(FIRST, How::PrintIt);
    scene.print_answer("1");
    scene.type_in(SECOND, "waiting");
    scene.evaluate_in(SECOND, How::DoIt);
    scene.says("s1", 1, "line\n");
    scene.play(Input::Flush);
    scene.act_in(FIRST, Act::Undo);
    scene.command(SessionCommand::Rename {
        session: SECOND,
        name: "b".into(),
    });
    let mut texts = std::collections::BTreeSet::new();
    for kept in 0..=scene.journal.len() {
        let records = scene.journal[..kept].to_vec();
        let hub = Hub::restored(
            "two".into(),
            OTHER_SEED,
            images(),
            Snapshot::default(),
            records,
        );
        // the same by way of a snapshot
        let json = serde_json::to_string(&hub.snapshot()).unwrap();
        let snapshot = serde_json::from_str(&json).unwrap();
        let rest = scene.journal[kept..].to_vec();
        let whole = Hub::restored("two".into(), OTHER_SEED, images(), snapshot, rest);
        assert_eq!(
            serde_json::to_value(whole.snapshot()).unwrap()["sessions"],
            serde_json::to_value(scene.hub.snapshot()).unwrap()["sessions"],
            "killed after {kept} records"
        );
        texts.insert(hub.sessions[&FIRST].text());
    }
    assert_eq!(
        texts.into_iter().collect::<Vec<_>>(),
        ["", "x := 1", "x := 1 1"]
    );
}

#[test]
fn an_image_that_is_disconnected_leaves_its_sessions_their_text() {
    let mut scene = Scene::connected();
    scene.play(Input::ImageAdded {
        image: ImageKey(2),
        name: "build".into(),
        target: "/b.json".into(),
    });
    scene.second("build");
    scene.type_in(SECOND, "kept");
    scene.play(Input::ImageRemoved { image: ImageKey(2) });
    let row = scene.hub.list().sessions[1].clone();
    assert!(matches!(row.link, Link::Failed { reason } if reason.contains("move this session")));
    scene.evaluate_in(SECOND, How::DoIt);
    scene.act_in(SECOND, Act::Interrupt);
    scene.command(SessionCommand::Move {
        session: SECOND,
        image: Some("embedded".into()),
    });
    scene.give_session("s2");
    assert_eq!(scene.text_of(SECOND), "kept");
}

#[test]
fn the_command_line_asks_and_commands_by_name() {
    let mut scene = Scene::connected();
    let ask = |scene: &mut Scene, ask: Ask| {
        let call = CallKey(1);
        let effects = scene.hub.handle(Input::Called { call, ask });
        let mut told = None;
        for effect in effects {
            match effect {
                Effect::Answer { told: answer, .. } => told = Some(answer),
                Effect::Request { id, request, .. } => scene.requests.push((id, request)),
                _ => {}
            }
        }
        told
    };
    let new = |name: &str| Ask::New {
        name: name.into(),
        image: None,
    };
    assert!(matches!(
        ask(&mut scene, new("work")),
        Some(Told::Done { .. })
    ));
    assert!(matches!(
        ask(&mut scene, new("work")),
        Some(Told::Refused { .. })
    ));
    let Some(Told::List { list, .. }) = ask(&mut scene, Ask::List) else {
        panic!("no list")
    };
    let names: Vec<_> = list.sessions.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["main", "work"]);
    assert_eq!(
        list.sessions[0].viewers,
        [1],
        "making one there switches nobody"
    );
    assert_eq!(
        ask(&mut scene, Ask::Stats),
        None,
        "the server is asked first"
    );
    let stats = response::GetSessionStatistics {
        total_sessions: 3,
        max_sessions_per_client: 5,
        ..response::GetSessionStatistics::default()
    };
    scene.answer("GetSessionStatistics", stats);
    let effects = scene.hub.handle(Input::Late { call: CallKey(1) });
    let [
        Effect::Answer {
            told: Told::Stats { images },
            ..
        },
    ] = &effects[..]
    else {
        panic!("{effects:?}")
    };
    assert_eq!(
        (images[0].total_sessions, images[0].max_sessions_per_client),
        (3, 5)
    );
    assert_eq!(images[1].failure.as_deref(), Some("not connected"));
}

#[test]
fn an_image_that_was_started_again_from_disk_has_its_sessions_still() {
    let mut scene = Scene::connected();
    scene.says("s1", 7, "before\n");
    scene.meet("server-2");
    assert!(!scene.waits_for("CreateSession"));
    scene.type_in(FIRST, "x");
    scene.evaluate_in(FIRST, How::DoIt);
    assert!(!scene.waits_for("Evaluate"), "nobody knows yet where");
    let session = response::Session {
        session_id: "s1".into(),
        ..response::Session::default()
    };
    scene.answer(
        "RestoreSession",
        response::RestoreSession {
            session,
            ..response::RestoreSession::default()
        },
    );
    let (_, request) = scene.take("Evaluate");
    assert!(matches!(request, Request::Evaluate(it) if it.session_id.as_deref() == Some("s1")));
    let notices = scene.notices().join("\n");
    assert!(notices.contains("as they were saved"), "{notices}");

    // numbers of events since the image was saved are given again
    scene.says("s1", 5, "after\n");
    scene.says("s1", 5, "after\n");
    scene.play(Input::Flush);
    assert_eq!(scene.lines_of(FIRST), ["before", "after", ""]);

    // what is on disk leads to the same
    scene.restart();
    let server = scene.hub.sessions[&FIRST].server.clone().unwrap();
    assert_eq!(
        (server.server_id.as_str(), server.session_id.as_str()),
        ("server-2", "s1")
    );
}

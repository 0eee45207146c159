//! What comes late, twice, or meant for something that another has taken the place of meanwhile.

use super::*;
use stui_protocol::debugger::DebuggerAct;
use stui_protocol::request::DebugOperation;

/// The second session, and the third.
const SECOND: SessionKey = SessionKey(2);
const THIRD: SessionKey = SessionKey(3);

impl Scene {
    fn says_act(&mut self, who: &Instance, seq: u64, act: Act) {
        let session = FIRST;
        self.play(Input::Pane {
            from: who.clone(),
            said: FromPane::Act { seq, session, act },
        });
    }

    /// The highest act of this instance that was acknowledged lately.
    fn acked_lately(&mut self, who: &Instance) -> Option<u64> {
        let told = std::mem::take(&mut self.told);
        let to = To::One(who.clone());
        let acked = told
            .into_iter()
            .filter_map(|(whom, message)| match message {
                ToPane::Acked { seq } if whom == to => Some(seq),
                _ => None,
            });
        acked.max()
    }

    fn evaluates(&mut self, code: &str) {
        self.type_at(at(0, 0), &format!("{code}\n"));
        self.evaluate(cursor(0, 0), How::DoIt);
    }
}

#[test]
fn who_is_there_stays_in_his_session_when_somebody_else_switches_and_pipes_are_replaced() {
    let mut scene = Scene::connected();
    let other = person(Role::Workspace, 2);
    scene.hello(&other, Role::Workspace);
    scene.makes_session("work");
    scene.told.clear();
    // a third person comes, for whom all pipes are opened anew
    scene.hello(&other, Role::Workspace);
    assert_eq!(scene.shown_to(&other), Some(FIRST));
    scene.hello(&person(Role::Workspace, 3), Role::Workspace);
    assert_eq!(
        scene.shown_to(&person(Role::Workspace, 3)),
        Some(SECOND),
        "who comes new sees what was switched to last"
    );
    scene.restart();
    scene.hello(&other, Role::Workspace);
    assert_eq!(scene.shown_to(&other), Some(FIRST));
    let viewers = |scene: &Scene| {
        let list = scene.hub.list();
        let rows = list.sessions.into_iter();
        rows.map(|row| row.viewers).collect::<Vec<_>>()
    };
    assert_eq!(viewers(&scene), [vec![2], vec![]]);
}

#[test]
fn what_is_shown_in_place_of_a_closed_session_is_the_same_after_a_killed_sidecar() {
    let mut scene = Scene::connected();
    scene.play(Input::Time(100));
    scene.evaluates("3 + 4");
    scene.makes_session("second");
    scene.play(Input::Time(200));
    let work = pane(Role::Workspace);
    let edit = Act::Edit {
        rev: 0,
        edit: Edit::insert(at(0, 0), "typed last"),
        group: 1,
    };
    let seq = scene.next_seq(&work);
    scene.play(Input::Pane {
        from: work.clone(),
        said: FromPane::Act {
            seq,
            session: SECOND,
            act: edit,
        },
    });
    scene.makes_session("third");
    scene.sessions_command(SessionCommand::Close { session: THIRD });
    assert_eq!(scene.shown_to(&work), Some(SECOND));
    scene.restart();
    scene.hello(&work, Role::Workspace);
    assert_eq!(scene.shown_to(&work), Some(SECOND));
}

#[test]
fn what_runs_on_an_image_that_is_disconnected_is_given_up_and_the_session_can_move() {
    let mut scene = Scene::connected();
    scene.evaluates("[ true ] whileTrue");
    let (id, _) = scene.take("Evaluate");
    scene.told.clear();
    scene.play(Input::ImageRemoved { image: ImageKey(0) });
    assert_eq!(scene.hub.list().sessions[0].running, 0);
    assert!(
        scene.notices()[0].contains("was disconnected while this ran"),
        "{:?}",
        scene.notices()
    );
    // an answer that was on its way already is nobody's
    scene.play(Input::Reply {
        id,
        outcome: Outcome::Answered(Box::new(response::Evaluate::default().into())),
    });
    scene.sessions_command(SessionCommand::Move {
        session: FIRST,
        image: Some("moose".into()),
    });
    assert_eq!(scene.session().image, "moose", "{:?}", scene.notices());
    scene.restart();
    assert_eq!(scene.hub.list().sessions[0].running, 0);
}

#[test]
fn a_debugger_s_step_on_an_image_that_is_disconnected_does_not_hold_the_session_there() {
    let mut scene = Scene::debugged("3 / 0", How::DoIt);
    scene.operate(DebugOperation::Continue, None);
    assert_eq!(scene.hub.list().sessions[0].running, 1);
    scene.play(Input::ImageRemoved { image: ImageKey(0) });
    assert_eq!(scene.hub.list().sessions[0].running, 0);
}

#[test]
fn what_an_earlier_sidecar_has_sent_is_interrupted_and_not_said_to_be_taken_back() {
    let mut scene = Scene::connected();
    scene.evaluates("[ true ] whileTrue");
    let (id, _) = scene.take("Evaluate");
    scene.restart();
    scene.act(Act::Interrupt);
    assert!(
        !scene.notices().iter().any(|it| it.contains("Taken back")),
        "{:?}",
        scene.notices()
    );
    assert_eq!(scene.session().running(), 1);
    let (interrupt, request) = scene.take("Interrupt");
    assert!(
        matches!(request, Request::Interrupt(it) if it.request_id == id.to_string()),
        "delivered once the server is there"
    );
    scene.connect("server-1");
    let answer = response::Interrupt {
        interrupted: true,
        ..response::Interrupt::default()
    };
    scene.play(Input::Reply {
        id: interrupt,
        outcome: Outcome::Answered(Box::new(answer.into())),
    });
    scene.answer(
        "Evaluate",
        ErrorInfo::new(ErrorCode::Interrupted, "interrupted"),
    );
    assert_eq!(scene.session().running(), 0);
    assert!(scene.notices().contains(&"Interrupted."));
}

#[test]
fn a_killed_sidecar_s_successor_goes_on_running_the_history_again() {
    let mut scene = Scene::connected();
    for code in ["a", "b", "c"] {
        scene.evaluates(code);
        scene.print_answer("1");
    }
    scene.connect("server-2");
    scene.give_session("s9");
    scene.sessions_command(SessionCommand::RunAgain { session: FIRST });
    scene.restart();
    scene.connect("server-2");
    for code in ["a", "b", "c"] {
        assert!(!scene.notices().contains(&"The history was run again."));
        let (id, request) = scene.take("Evaluate");
        assert!(matches!(&request, Request::Evaluate(it) if it.code == code));
        scene.play(Input::Reply {
            id,
            outcome: Outcome::Answered(Box::new(response::Evaluate::default().into())),
        });
    }
    assert!(scene.notices().contains(&"The history was run again."));
    assert_eq!(scene.session().lost(), 0);
}

#[test]
fn events_of_an_image_that_was_started_again_are_not_missed_by_the_next_sidecar() {
    let mut scene = Scene::connected();
    let says = |scene: &mut Scene, sequence: u64, text: &str| {
        scene.play(Input::Event {
            image: ImageKey(0),
            event: Event {
                session_id: Some("s1".into()),
                sequence,
                happening: Happening::Transcript(Transcript { text: text.into() }),
            },
        });
        scene.play(Input::Flush);
    };
    let take_up = |scene: &mut Scene| {
        let mut answer = response::RestoreSession::default();
        answer.session.session_id = "s1".into();
        scene.meet("server-2");
        scene.answer("RestoreSession", answer);
    };
    says(&mut scene, 500, "before\n");
    // an image that was saved when it had given number 300
    take_up(&mut scene);
    let json = serde_json::to_string(&scene.hub.snapshot()).unwrap();
    scene.restart();
    take_up(&mut scene);
    says(&mut scene, 301, "after\n");
    let lines = |scene: &Scene| scene.session().transcript.window(None, 9, 999).1;
    assert_eq!(lines(&scene), ["before", "after", ""]);
    // and by way of a snapshot
    let snapshot = serde_json::from_str(&json).unwrap();
    scene.hub = Hub::restored("three".into(), OTHER_SEED, images(), snapshot, []);
    take_up(&mut scene);
    says(&mut scene, 301, "after\n");
    says(&mut scene, 301, "after\n");
    assert_eq!(lines(&scene), ["before", "after", ""]);
}

#[test]
fn a_step_meant_for_a_state_that_an_earlier_sidecar_showed_is_not_done_to_another_one() {
    let mut scene = Scene::debugged("3 / 0", How::DoIt);
    scene.operate(DebugOperation::StepOver, None);
    scene.answer_debug(
        DebugOperation::StepOver,
        debugger::stopped(&["Foo>>bar", "DoIt"]),
    );
    let seen = scene.debugger().stop;
    let other = person(Role::Debugger, 2);
    scene.operate(DebugOperation::StepOver, None);
    // killed before the step was answered, and before it heard what another person pressed
    scene.restart();
    scene.hello(&pane(Role::Debugger), Role::Debugger);
    scene.connect("server-1");
    scene.answer_debug(
        DebugOperation::GetStackTrace,
        debugger::stopped(&["Foo>>other", "DoIt"]),
    );
    let act = DebuggerAct::Run {
        debugger: "d1".into(),
        stop: seen,
        frame: 0,
        operation: DebugOperation::StepOver,
        code: None,
    };
    scene.says_act(&other, 1, Act::Debugger { act });
    assert_eq!(scene.debugs(DebugOperation::StepOver), []);
    assert!(scene.notices().iter().any(|it| it.contains("moved on")));
}

#[test]
fn acts_that_were_lost_on_the_way_are_carried_out_once_and_in_order_when_they_come_again() {
    let mut scene = Scene::connected();
    let work = pane(Role::Workspace);
    let typed = |text: &str| Act::Edit {
        rev: 0,
        edit: Edit::insert(at(0, 0), text),
        group: 1,
    };
    scene.says_act(&work, 1, typed("1"));
    // the second is lost twice
    for seq in [3, 4, 3, 4, 2, 3, 4, 3] {
        scene.says_act(&work, seq, typed(&seq.to_string()));
    }
    assert_eq!(scene.text(), "4321");
}

#[test]
fn acts_are_not_waited_for_that_nobody_will_say_again() {
    let mut scene = Scene::connected();
    let work = pane(Role::Workspace);
    scene.says_act(&work, 1, Act::Undo);
    scene.told.clear();
    // The acts 2 and 3 were acknowledged by a sidecar whose records this one does not have; a welcome makes
    // the pane say all again that is not acknowledged.
    let mut welcomes = 1;
    let mut rounds = 0;
    while welcomes > 0 && rounds < 50 {
        rounds += 1;
        for _ in 0..std::mem::take(&mut welcomes) {
            scene.says_act(&work, 4, Act::Undo);
            scene.says_act(&work, 5, Act::Undo);
        }
        let told = scene.told.iter();
        let is_welcome = |message: &ToPane| matches!(message, ToPane::Welcome { .. });
        welcomes = told.filter(|(_, message)| is_welcome(message)).count();
        if welcomes > 0 {
            scene.told.clear();
        }
    }
    assert!(rounds < 10, "{rounds} rounds");
    assert_eq!(scene.acked_lately(&work), Some(5));
}

#[test]
fn what_is_answered_late_of_a_session_that_is_gone_takes_nothing_from_the_next_one() {
    let mut scene = Scene::connected();
    scene.evaluates("3 + 4");
    let gone = || ErrorInfo::new(ErrorCode::SessionNotFound, "gone");
    // the answer to the evaluation is lost, and asked for again after a while
    scene.play(Input::KeepAlive);
    scene.answer("GetSessionInfo", gone());
    scene.give_session("s2");
    scene.told.clear();
    scene.answer("Evaluate", gone());
    let server = scene.session().server.as_ref();
    assert_eq!(server.map(|it| it.session_id.as_str()), Some("s2"));
    assert_eq!(scene.notices(), [""; 0]);
    let (_, request) = scene.take("Evaluate");
    assert!(matches!(request, Request::Evaluate(it) if it.session_id.as_deref() == Some("s2")));
    // but the next one can be gone, too
    scene.play(Input::KeepAlive);
    scene.answer("GetSessionInfo", gone());
    assert!(scene.waits_for("CreateSession"));
}

#[test]
fn where_a_server_cannot_say_whether_it_has_the_session_another_one_is_made() {
    let mut scene = Scene::connected();
    scene.meet("server-2");
    scene.evaluates("3 + 4");
    scene.answer(
        "RestoreSession",
        ErrorInfo::new(ErrorCode::UnsupportedOperation, "what?"),
    );
    scene.give_session("s2");
    let (_, request) = scene.take("Evaluate");
    assert!(matches!(request, Request::Evaluate(it) if it.session_id.as_deref() == Some("s2")));
}

#[test]
fn a_clock_that_is_set_back_holds_nothing_up() {
    let mut scene = Scene::debugged("3 / 0", How::DoIt);
    scene.play(Input::Time(100_000));
    scene.play(Input::Flush);
    scene.requests.clear();
    scene.operate(DebugOperation::Continue, None);
    let mut runs_on = debugger::stopped(&["Foo>>bar"]);
    runs_on.debug_info.is_suspended = false;
    scene.answer_debug(DebugOperation::Continue, runs_on);
    scene.type_at(at(0, 0), "x");
    scene.play(Input::Time(50));
    scene.play(Input::Time(60));
    scene.play(Input::Flush);
    assert!(scene.waits_for("UpdateSessionState"));
    assert_eq!(scene.debugs(DebugOperation::GetStackTrace).len(), 1);
}

#[test]
fn a_session_that_its_server_makes_after_it_was_closed_or_moved_is_closed_there() {
    let mut scene = Scene::connected();
    let closes = |scene: &mut Scene, session_id: &str| {
        let (_, request) = scene.take("CloseSession");
        assert!(
            matches!(&request, Request::CloseSession(close) if close.session_id == session_id),
            "{request:?}"
        );
    };
    let new = || SessionCommand::New {
        name: String::new(),
        image: None,
    };
    // of a server that is busy
    scene.sessions_command(new());
    scene.sessions_command(SessionCommand::Close { session: SECOND });
    scene.give_session("s2");
    closes(&mut scene, "s2");
    scene.sessions_command(new());
    scene.sessions_command(SessionCommand::Move {
        session: THIRD,
        image: Some("moose".into()),
    });
    scene.give_session("s3");
    closes(&mut scene, "s3");
    assert!(scene.hub.sessions[&THIRD].server.is_none());
}

#[test]
fn that_events_are_lost_is_said_once_also_by_the_next_sidecar() {
    let mut scene = Scene::connected();
    scene.play(Input::Gap {
        image: ImageKey(0),
        session_id: "s1".into(),
        missed: 12,
    });
    scene.play(Input::Flush);
    scene.restart();
    scene.connect("server-1");
    assert_eq!(
        scene.subscribed,
        [("s1".into(), 13)],
        "else the server would say again that it has not got the first twelve"
    );
}

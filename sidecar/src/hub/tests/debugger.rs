//! Debuggers: what panes do with them becomes requests, and what becomes of the evaluations in them.

use stui_protocol::debugger::{DebuggerAct, DebuggerView, ProcessState, VariableKind};
use stui_protocol::error::StackFrame;
use stui_protocol::event::{DebugClosed, DebugOpened};
use stui_protocol::object::InstanceVariable;
use stui_protocol::pane::Guests;
use stui_protocol::request::DebugOperation;
use stui_protocol::response::DebugInfo;

use super::*;

impl Scene {
    pub(super) fn debugger(&self) -> &DebuggerView {
        let mut told = self.told.iter().rev();
        told.find_map(|(_, message)| match message {
            ToPane::Debugger { view, .. } => Some(&**view),
            _ => None,
        })
        .expect("the debugger was told something")
    }

    fn debug_act(&mut self, act: DebuggerAct) {
        self.act_of(&pane(Role::Debugger), Act::Debugger { act });
    }

    /// An operation on what is shown.
    pub(super) fn operate(&mut self, operation: DebugOperation, code: Option<&str>) {
        let view = self.debugger().clone();
        self.debug_act(DebuggerAct::Run {
            debugger: view.open[view.shown as usize].id.clone(),
            stop: view.stop,
            frame: view.frame,
            operation,
            code: code.map(str::to_owned),
        });
    }

    /// The requests of this operation that wait: debugger and frame.
    pub(super) fn debugs(&self, operation: DebugOperation) -> Vec<(String, Option<usize>)> {
        let requests = self.requests.iter();
        requests
            .filter_map(|(_, request)| match request {
                Request::Debug(debug) if debug.operation == operation => {
                    Some((debug.context.clone(), debug.frame))
                }
                _ => None,
            })
            .collect()
    }

    pub(super) fn answer_debug(&mut self, operation: DebugOperation, answer: impl Into<Response>) {
        let is_it = |(_, request): &(Uuid, Request)| matches!(request, Request::Debug(debug) if debug.operation == operation);
        let at = self.requests.iter().position(is_it);
        let at = at.unwrap_or_else(|| panic!("no {operation:?} in {:?}", self.requests));
        let (id, _) = self.requests.remove(at);
        self.play(Input::Reply {
            id,
            outcome: Outcome::Answered(Box::new(answer.into())),
        });
    }

    fn fails(&mut self, code: &str, how: How, debug_id: &str) {
        let line = self.session().document.line_count() - 1;
        self.type_at(at(line, 0), &format!("{code}\n"));
        self.evaluate(cursor(line, 0), how);
        self.answer(
            "Evaluate",
            response::Evaluate {
                has_error: true,
                error: Some(RuntimeError {
                    class_name: "ZeroDivide".into(),
                    debug_id: Some(debug_id.into()),
                    ..RuntimeError::default()
                }),
                ..response::Evaluate::default()
            },
        );
    }

    /// An evaluation has failed with a debugger, of which all is known.
    pub(super) fn debugged(code: &str, how: How) -> Scene {
        let mut scene = Scene::connected();
        scene.fails(code, how, "d1");
        scene.answer_debug(
            DebugOperation::GetStackTrace,
            stopped(&["Foo>>bar", "DoIt"]),
        );
        scene
    }

    fn event(&mut self, sequence: u64, happening: impl Into<Happening>) {
        self.play(Input::Event {
            image: ImageKey(0),
            event: Event {
                session_id: Some("s1".into()),
                sequence,
                happening: happening.into(),
            },
        });
    }

    fn open(&self) -> Vec<&str> {
        let debuggers = self.session().debuggers.iter();
        debuggers.map(|open| open.id.as_str()).collect()
    }
}

fn variable(name: &str, id: &str) -> InstanceVariable {
    InstanceVariable {
        name: name.into(),
        value: format!("a {id}"),
        class_name: "Foo".into(),
        object: object(id),
    }
}

fn frame(method: &str) -> StackFrame {
    StackFrame {
        method: method.into(),
        receiver_class: "Foo".into(),
        class_name: method.split_once(">>").map(|(class, _)| class.into()),
        selector: method.split_once(">>").map(|(_, it)| it.into()),
        is_evaluated_code: method == "DoIt",
        range: Some(Range::in_text("3 / 0", 1, 6)),
    }
}

pub(super) fn stopped(methods: &[&str]) -> response::Debug {
    response::Debug {
        debug_info: DebugInfo {
            debug_id: "d1".into(),
            title: "ZeroDivide".into(),
            is_suspended: true,
            is_terminated: false,
        },
        stack: methods.iter().map(|method| frame(method)).collect(),
        variables: vec![variable("x", "o1"), variable("self", "o2")],
        ..response::Debug::default()
    }
}

fn ended(result: &str) -> response::Debug {
    response::Debug {
        result: result.into(),
        debug_info: DebugInfo {
            is_terminated: true,
            ..DebugInfo::default()
        },
        ..response::Debug::default()
    }
}

#[test]
fn what_failed_is_shown_with_its_stack_source_and_variables() {
    let mut scene = Scene::debugged("3 / 0", How::PrintIt);
    assert!(scene.notices().contains(&"ZeroDivide (Alt d debugs it)"));
    let view = scene.debugger();
    assert_eq!(view.state, ProcessState::Stopped);
    assert_eq!(view.open[0].title, "ZeroDivide");
    let methods: Vec<_> = view.frames.iter().map(|it| it.method.as_str()).collect();
    assert_eq!(methods, ["Foo>>bar", "DoIt"]);
    let (_, source) = scene.take("GetMethod");
    let Request::GetMethod(source) = source else {
        panic!("{source:?}")
    };
    assert_eq!(
        (source.class_name.as_str(), source.method_name.as_str()),
        ("Foo", "bar")
    );
    // the receiver first, then its instance variables
    let mut slots = rows("o2", &["1"]);
    slots.instance_vars = vec![variable("total", "o3")];
    scene.answer("Inspect", slots);
    let names: Vec<_> = scene
        .debugger()
        .variables
        .iter()
        .map(|it| (it.name.as_str(), it.kind))
        .collect();
    assert_eq!(
        names,
        [
            ("self", VariableKind::Receiver),
            ("total", VariableKind::Slot),
            ("x", VariableKind::Temporary),
            ("thisContext", VariableKind::Context),
        ]
    );
}

#[test]
fn a_server_that_nobody_debugs_on_is_not_asked_for_stacks() {
    let mut scene = Scene::connected();
    scene.session_mut().debugging.is_watched = false;
    scene.fails("3 / 0", How::DoIt, "d1");
    assert_eq!(scene.debugs(DebugOperation::GetStackTrace), []);
    scene.hello(&pane(Role::Debugger), Role::Debugger);
    assert_eq!(scene.debugs(DebugOperation::GetStackTrace).len(), 1);
}

#[test]
fn a_chosen_frame_is_everybodys_and_shows_the_evaluated_code() {
    let mut scene = Scene::debugged("3 / 0", How::DoIt);
    let stop = scene.debugger().stop;
    let choose = |stop, frame| DebuggerAct::Choose {
        debugger: "d1".into(),
        stop,
        frame,
    };
    scene.debug_act(choose(stop, 1));
    scene.debug_act(choose(stop + 7, 0));
    scene.answer_debug(DebugOperation::GetLocalVars, stopped(&["Foo>>bar", "DoIt"]));
    let view = scene.debugger();
    assert_eq!(view.frame, 1);
    let source = view.source.as_ref().unwrap();
    assert_eq!(source.lines[0].text, "3 / 0");
    assert_eq!(source.next, Some(Span::between(at(0, 0), at(0, 5))));
}

#[test]
fn whoever_runs_through_the_frames_waits_for_the_last_one_only() {
    let mut scene = Scene::connected();
    scene.fails("3 / 0", How::DoIt, "d1");
    let stack = ["Foo>>a", "Foo>>b", "Foo>>c", "Foo>>d"];
    scene.answer_debug(DebugOperation::GetStackTrace, stopped(&stack));
    let stop = scene.debugger().stop;
    for frame in 1..4 {
        scene.debug_act(DebuggerAct::Choose {
            debugger: "d1".into(),
            stop,
            frame,
        });
    }
    let asked = scene.debugs(DebugOperation::GetLocalVars);
    assert_eq!(asked, [("d1".to_owned(), Some(1))]);
    scene.answer_debug(DebugOperation::GetLocalVars, stopped(&stack));
    let asked = scene.debugs(DebugOperation::GetLocalVars);
    assert_eq!(asked, [("d1".to_owned(), Some(3))]);
}

#[test]
fn one_key_is_one_operation_and_quick_steps_follow_each_other() {
    let mut scene = Scene::debugged("3 / 0", How::DoIt);
    scene.operate(DebugOperation::StepOver, None);
    let seq = scene.seq[&pane(Role::Debugger)];
    let (stop, again) = (scene.debugger().stop, scene.journal.len());
    // a resend
    scene.play(Input::Pane {
        from: pane(Role::Debugger),
        said: FromPane::Act {
            seq,
            session: FIRST,
            act: Act::Debugger {
                act: DebuggerAct::Run {
                    debugger: "d1".into(),
                    stop,
                    frame: 0,
                    operation: DebugOperation::StepOver,
                    code: None,
                },
            },
        },
    });
    assert_eq!(scene.debugs(DebugOperation::StepOver).len(), 1);
    assert_eq!(scene.journal.len(), again);
    assert_eq!(
        scene.debugger().state,
        ProcessState::Running {
            what: "Over".into()
        }
    );

    // a second and a third key before the first is answered
    scene.operate(DebugOperation::StepInto, None);
    scene.operate(DebugOperation::StepOver, None);
    assert_eq!(scene.debugs(DebugOperation::StepInto), []);
    scene.answer_debug(DebugOperation::StepOver, stopped(&["Foo>>bar", "DoIt"]));
    assert_eq!(scene.debugs(DebugOperation::StepInto).len(), 1);
    scene.answer_debug(
        DebugOperation::StepInto,
        stopped(&["Foo>>baz", "Foo>>bar", "DoIt"]),
    );
    // which meets another error: what was to come behind it is not wanted blindly
    scene.operate(DebugOperation::Continue, None);
    let mut failed = stopped(&["Foo>>baz", "DoIt"]);
    failed.debug_info.title = "Error: else".into();
    scene.answer_debug(DebugOperation::StepOver, failed);
    assert_eq!(scene.debugger().state, ProcessState::Stopped);
    assert_eq!(scene.debugs(DebugOperation::StepOver), []);
    assert_eq!(scene.debugs(DebugOperation::Continue), []);
}

#[test]
fn an_operation_that_is_meant_for_what_was_before_is_not_carried_out() {
    let mut scene = Scene::debugged("3 / 0", How::DoIt);
    let run = |stop| DebuggerAct::Run {
        debugger: "d1".into(),
        stop,
        frame: 0,
        operation: DebugOperation::Continue,
        code: None,
    };
    let before = scene.debugger().stop;
    scene.operate(DebugOperation::StepOver, None);
    scene.answer_debug(DebugOperation::StepOver, stopped(&["DoIt"]));
    scene.act_of(
        &person(Role::Debugger, 2),
        Act::Debugger { act: run(before) },
    );
    assert_eq!(scene.debugs(DebugOperation::Continue), []);
    assert!(scene.notices().last().unwrap().contains("moved on"));
}

#[test]
fn what_is_proceeded_to_its_end_is_printed_and_no_longer_marked() {
    let mut scene = Scene::debugged("3 / 0", How::PrintIt);
    assert_eq!(scene.marks().len(), 1);
    scene.operate(DebugOperation::Continue, None);
    scene.event(
        1,
        DebugClosed {
            debug_id: "d1".into(),
        },
    );
    assert_eq!(scene.open(), ["d1"], "the answer says how it ended");
    scene.answer_debug(DebugOperation::Continue, ended("7"));
    assert_eq!(scene.open(), [""; 0]);
    assert_eq!(scene.text(), "3 / 0 7\n");
    assert_eq!(scene.marks(), []);
    assert!(scene.notices().contains(&"It went on to its end: 7"));
    let entry = scene.session().history.entries().next().unwrap().clone();
    assert_eq!((entry.good, entry.answer.as_str()), (true, "7"));
    scene.restart();
    let entry = scene.session().history.entries().next().unwrap();
    assert!(entry.good, "on disk, too");
}

#[test]
fn code_that_is_debugged_on_purpose_is_marked_until_its_debugger_is_closed() {
    let mut scene = Scene::debugged("6 * 7", How::DebugIt);
    assert_eq!(
        scene.marks(),
        [(MarkKind::Debugged, Span::between(at(0, 0), at(0, 5)))]
    );
    assert_eq!(scene.shown_debugger, 1, "its pane comes up");
    assert_eq!(scene.hub.status().debuggers, 1);
    scene.type_at(at(0, 0), "\n");
    scene.restart();
    scene.hello(&pane(Role::Workspace), Role::Workspace);
    assert_eq!(
        scene.marks(),
        [(MarkKind::Debugged, Span::between(at(1, 0), at(1, 5)))],
        "it moves with the text, and outlives a sidecar"
    );
    scene.connect("server-1");
    scene.hello(&pane(Role::Debugger), Role::Debugger);
    scene.answer_debug(DebugOperation::GetStackTrace, stopped(&["DoIt"]));
    scene.operate(DebugOperation::Terminate, None);
    scene.answer_debug(DebugOperation::Terminate, ended(""));
    assert_eq!(scene.marks(), []);
}

#[test]
fn debug_it_is_not_tried_where_the_server_cannot() {
    let mut scene = Scene::connected();
    let key = ImageKey(0);
    scene.hub.images.get_mut(&key).unwrap().can_debug_it = false;
    scene.type_at(at(0, 0), "3 + 4");
    scene.evaluate(cursor(0, 0), How::DebugIt);
    assert!(!scene.waits_for("Evaluate"));
    assert!(scene.notices().last().unwrap().contains("self halt"));
    assert!(!scene.hub.status().can_debug_it);
}

#[test]
fn code_evaluated_in_a_frame_shows_its_answer_or_what_is_wrong_with_it() {
    let mut scene = Scene::debugged("3 / 0", How::DoIt);
    scene.operate(DebugOperation::EvaluateInFrame, Some("x + 1"));
    let stop = scene.debugger().stop;
    let answer = response::Debug {
        result: "4".into(),
        ..stopped(&["Foo>>bar", "DoIt"])
    };
    scene.answer_debug(DebugOperation::EvaluateInFrame, answer);
    let evaluated = scene.debugger().evaluated.clone().unwrap();
    assert_eq!(
        (
            evaluated.code.as_str(),
            evaluated.answer.as_str(),
            evaluated.good
        ),
        ("x + 1", "4", true)
    );
    assert_eq!(scene.debugger().stop, stop, "nothing has moved");

    scene.debug_act(DebuggerAct::Choose {
        debugger: "d1".into(),
        stop,
        frame: 1,
    });
    scene.answer_debug(DebugOperation::GetLocalVars, stopped(&["Foo>>bar", "DoIt"]));
    scene.operate(DebugOperation::EvaluateInFrame, Some("x +"));
    let error = ErrorInfo::new(ErrorCode::CompileError, "an argument is missing");
    scene.answer_debug(DebugOperation::EvaluateInFrame, error);
    let evaluated = scene.debugger().evaluated.clone().unwrap();
    assert!(!evaluated.good);
    assert_eq!(evaluated.answer, "an argument is missing");
    scene.answer_debug(DebugOperation::GetLocalVars, stopped(&["Foo>>bar", "DoIt"]));
    assert!(scene.debugger().evaluated.is_some(), "it stays in sight");
    assert_eq!(scene.debugger().frame, 1, "and so does the chosen frame");
    assert_eq!(scene.debugger().stop, stop);
}

#[test]
fn a_debugger_that_the_server_does_not_have_is_said_so_and_leaves_the_list() {
    let mut scene = Scene::debugged("3 / 0", How::DoIt);
    scene.operate(DebugOperation::StepOver, None);
    let error = ErrorInfo::new(ErrorCode::ObjectNotFound, "There is no d1.");
    scene.answer_debug(DebugOperation::StepOver, error);
    assert!(
        scene
            .notices()
            .iter()
            .any(|it| it.contains("no longer has this debugger"))
    );
    assert!(scene.debugger().open.is_empty());

    scene.fails("4 / 0", How::DoIt, "d2");
    scene.event(
        1,
        DebugClosed {
            debug_id: "d2".into(),
        },
    );
    assert!(scene.notices().iter().any(|it| it.contains("was closed")));
    assert_eq!(scene.open(), [""; 0]);

    scene.fails("5 / 0", How::DoIt, "d3");
    scene.connect("server-2");
    assert!(
        scene
            .notices()
            .iter()
            .any(|it| it.contains("A debugger was open on it and is gone"))
    );
    assert_eq!(scene.open(), [""; 0]);
    assert!(scene.debugger().open.is_empty());
}

#[test]
fn after_a_killed_sidecar_it_is_open_still_and_its_state_is_asked_again() {
    let mut scene = Scene::connected();
    scene.fails("3 / 0", How::DoIt, "d1");
    scene.fails("4 / 0", How::DoIt, "d2");
    scene.debug_act(DebuggerAct::Show {
        debugger: "d1".into(),
    });
    scene.restart();
    scene.hello(&pane(Role::Debugger), Role::Debugger);
    let view = scene.debugger();
    assert_eq!(
        (view.open.len(), view.shown),
        (2, 0),
        "the one that was shown"
    );
    assert_eq!(view.state, ProcessState::Unknown);
    scene.connect("server-1");
    assert_eq!(
        scene.debugs(DebugOperation::GetStackTrace),
        [("d1".to_owned(), Some(0))]
    );
    scene.answer_debug(
        DebugOperation::GetStackTrace,
        stopped(&["Foo>>bar", "DoIt"]),
    );
    assert_eq!(scene.debugger().frames_total, 2);
}

#[test]
fn a_process_that_runs_on_is_looked_at_until_it_ends_or_stops_again() {
    let mut scene = Scene::debugged("3 / 0", How::DoIt);
    scene.operate(DebugOperation::Continue, None);
    let mut running = stopped(&["Foo>>bar", "DoIt"]);
    running.debug_info.is_suspended = false;
    scene.answer_debug(DebugOperation::Continue, running);
    assert!(matches!(
        scene.debugger().state,
        ProcessState::Running { .. }
    ));
    assert_eq!(scene.hub.status().running, 1);
    scene.play(Input::Time(100));
    assert!(scene.hub.wants_flush());
    scene.play(Input::Flush);
    let mut opened = stopped(&["Foo>>other", "DoIt"]);
    opened.debug_info.title = "Error: too late".into();
    scene.answer_debug(DebugOperation::GetStackTrace, opened);
    assert_eq!(scene.debugger().state, ProcessState::Stopped);
    assert_eq!(scene.debugger().open[0].title, "Error: too late");

    scene.operate(DebugOperation::Continue, None);
    let mut running = stopped(&["Foo>>bar", "DoIt"]);
    running.debug_info.is_suspended = false;
    scene.answer_debug(DebugOperation::Continue, running);
    let again = DebugOpened {
        debug_id: "d1".into(),
        title: "Error: once more".into(),
        ..DebugOpened::default()
    };
    scene.event(1, again);
    assert!(scene.notices().iter().any(|it| it.contains("once more")));
    assert_eq!(scene.debugs(DebugOperation::GetStackTrace).len(), 1);
}

#[test]
fn a_forked_process_that_fails_opens_a_debugger_which_survives_a_restart() {
    let mut scene = Scene::connected();
    let opened = |is_forked| DebugOpened {
        debug_id: "d7".into(),
        title: "ZeroDivide".into(),
        is_forked,
    };
    scene.event(1, opened(false));
    assert_eq!(scene.open(), [""; 0], "the answer to a request names it");
    scene.event(2, opened(true));
    assert_eq!(scene.open(), ["d7"]);
    let told = scene.notices().join(" ");
    assert!(told.contains("forked failed: ZeroDivide"), "{told}");
    scene.restart();
    assert_eq!(scene.open(), ["d7"]);
    scene.connect("server-1");
    scene.event(
        3,
        DebugClosed {
            debug_id: "d7".into(),
        },
    );
    assert_eq!(scene.open(), [""; 0]);
}

#[test]
fn a_step_that_runs_on_is_interrupted() {
    let mut scene = Scene::debugged("3 / 0", How::DoIt);
    scene.operate(DebugOperation::StepOver, None);
    let (id, _) = scene.requests.last().unwrap().clone();
    scene.act(Act::Interrupt);
    let (_, interrupt) = scene.take("Interrupt");
    assert!(matches!(interrupt, Request::Interrupt(it) if it.request_id == id.to_string()));
    let error = ErrorInfo::new(ErrorCode::Interrupted, "Interrupted.");
    scene.answer_debug(DebugOperation::StepOver, error);
    assert_eq!(
        scene.debugs(DebugOperation::GetStackTrace).len(),
        1,
        "where is it now?"
    );
}

#[test]
fn a_variable_is_inspected_and_what_is_shown_is_not_released() {
    let mut scene = Scene::debugged("3 / 0", How::DoIt);
    let stop = scene.debugger().stop;
    scene.debug_act(DebuggerAct::Inspect {
        debugger: "d1".into(),
        stop,
        frame: 0,
        variable: 1,
    });
    assert_eq!(
        scene.session().inspector.trail()[0].object.id.as_deref(),
        Some("o1")
    );
    scene.operate(DebugOperation::StepOver, None);
    let mut moved = stopped(&["Foo>>bar", "DoIt"]);
    moved.variables = vec![variable("self", "o2")];
    moved.variables[0].object.has_children = false;
    scene.answer_debug(DebugOperation::StepOver, moved);
    while let Some((_, request)) = scene.requests.first().cloned() {
        let error = ErrorInfo::new(ErrorCode::UnsupportedOperation, "no");
        scene.answer(request.name(), error);
    }
    scene.play(Input::Flush);
    assert!(!scene.waits_for("ReleaseObjects"), "both are still shown");
}

#[test]
fn a_guest_looks_and_does_nothing() {
    let mut scene = Scene::debugged("3 / 0", How::DoIt);
    scene.play(Input::Guests(Guests::ReadOnly));
    let guest = person(Role::Debugger, 2);
    scene.hello(&guest, Role::Debugger);
    let stop = scene.debugger().stop;
    let act = DebuggerAct::Run {
        debugger: "d1".into(),
        stop,
        frame: 0,
        operation: DebugOperation::Continue,
        code: None,
    };
    scene.act_of(&guest, Act::Debugger { act });
    assert_eq!(scene.debugs(DebugOperation::Continue), []);
    let seen = scene.told.iter().any(|(to, message)| {
        *to == To::One(guest.clone()) && matches!(message, ToPane::Debugger { .. })
    });
    assert!(seen, "but sees it");
}

#[test]
fn what_went_on_for_long_is_printed_when_its_end_is_told() {
    for closed_first in [true, false] {
        let mut scene = Scene::debugged("3 / 0", How::PrintIt);
        let id = scene.session().debuggers[0].of.as_ref().unwrap().id;
        scene.operate(DebugOperation::Continue, None);
        let mut running = stopped(&[]);
        running.debug_info.is_suspended = false;
        scene.answer_debug(DebugOperation::Continue, running);
        let finished = stui_protocol::event::EvaluationFinished {
            request_id: id.to_string(),
            result: "42".into(),
            ..Default::default()
        };
        let closed = DebugClosed {
            debug_id: "d1".into(),
        };
        if closed_first {
            scene.event(1, closed);
            scene.event(2, finished);
        } else {
            scene.event(1, finished);
            scene.event(2, closed);
        }
        assert_eq!(scene.text(), "3 / 0 42\n");
        assert_eq!(scene.open(), [""; 0]);
    }
}

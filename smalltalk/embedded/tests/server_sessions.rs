//! Sessions over the wire: variables, history, events, objects.

mod support;

use std::time::Instant;

use stui_protocol::error::ErrorCode;
use stui_protocol::event::Happening;
use stui_protocol::object::ViewKind;
use stui_protocol::request;
use stui_protocol::response::Response;
use support::{Client, PATIENCE, evaluate, evaluate_in, inspect_in, inspect_object, server};

#[test]
fn two_sessions_never_see_each_others_variables() {
    let server = server();
    let mut client = Client::of(&server);
    let (one, other) = (client.session("me"), client.session("me"));
    client.print_in(&one, "x := 1");
    client.print_in(&other, "x := 2");
    assert_eq!(client.print_in(&one, "x"), "1");
    assert_eq!(client.print_in(&other, "x"), "2");
    assert_eq!(client.error_code(evaluate("x")), ErrorCode::CompileError);
}

#[test]
fn a_session_outlives_its_connection() {
    let server = server();
    let mut client = Client::of(&server);
    let session = client.session("me");
    client.print_in(&session, "x := 42");
    drop(client);
    assert_eq!(Client::of(&server).print_in(&session, "x"), "42");
}

#[test]
fn a_client_has_at_most_five_sessions() {
    let server = server();
    let mut client = Client::of(&server);
    let sessions: Vec<String> = (0..5).map(|_| client.session("me")).collect();
    let sixth = request::CreateSession {
        client_id: "me".into(),
        timeout: None,
    };
    assert_eq!(
        client.error_code(sixth.clone()),
        ErrorCode::SessionLimitExceeded
    );
    client.ask(request::CloseSession {
        session_id: sessions[0].clone(),
    });
    assert!(matches!(client.ask(sixth), Response::CreateSession(_)));
}

#[test]
fn a_closed_session_ends_what_runs_in_it() {
    let server = server();
    let (mut client, mut other) = (Client::of(&server), Client::of(&server));
    let session = client.session("me");
    client.subscribe(&session, None);
    let id = client.send(evaluate_in(
        &session,
        "Transcript show: 'running'; flush. [ true ] whileTrue",
    ));
    client.transcript();
    let close = request::CloseSession {
        session_id: session.clone(),
    };
    assert!(matches!(other.ask(close), Response::CloseSession(_)));
    match client.response_to(id) {
        Response::Error(error) => assert_eq!(error.code, ErrorCode::Interrupted),
        response => panic!("{response:?} is no error"),
    }
    assert_eq!(
        client.error_code(evaluate_in(&session, "3")),
        ErrorCode::SessionNotFound
    );
}

#[test]
fn a_closed_session_ends_what_it_forked() {
    let server = server();
    let mut client = Client::of(&server);
    let (doomed, witness) = (client.session("me"), client.session("me"));
    client.print_in(&witness, "Smalltalk at: #ServerTestCount put: 0");
    let fork = "[ [ true ] whileTrue: [ Smalltalk at: #ServerTestCount put: (Smalltalk at: #ServerTestCount) + 1 ] ] fork. nil";
    client.print_in(&doomed, fork);
    let grows = "| before | before := Smalltalk at: #ServerTestCount. 1000 timesRepeat: [ Processor yield ]. (Smalltalk at: #ServerTestCount) > before";
    assert_eq!(client.print_in(&witness, grows), "true");
    client.ask(request::CloseSession { session_id: doomed });
    assert_eq!(client.print_in(&witness, grows), "false");
}

#[test]
fn a_session_remembers_what_was_evaluated() {
    let server = server();
    let mut client = Client::of(&server);
    let session = client.session("me");
    client.print_in(&session, "3 + 4");
    client.print_in(&session, "1 / 0");
    client.ask(evaluate_in(&session, "3 +"));
    let Response::GetHistory(history) = client.ask(request::GetHistory {
        session_id: session.clone(),
        ..request::GetHistory::default()
    }) else {
        panic!("no history");
    };
    let entries: Vec<(&str, &str, bool)> = history
        .entries
        .iter()
        .map(|entry| (entry.code.as_str(), entry.result.as_str(), entry.has_error))
        .collect();
    assert_eq!(
        entries[..2],
        [("3 + 4", "7", false), ("1 / 0", "ZeroDivide", true)]
    );
    assert_eq!((entries[2].0, entries[2].2), ("3 +", true));
    assert_eq!(history.total_count, 3);
}

#[test]
fn a_sessions_state_document_is_kept() {
    let server = server();
    let mut client = Client::of(&server);
    let session = client.session("me");
    client.print_in(&session, "x := 'text'");
    let state = serde_json::json!({"open": ["a.st"], "inspector_state": {"view": "Items"}});
    client.ask(request::UpdateSessionState {
        session_id: session.clone(),
        state_data: state.clone(),
    });
    let Response::RestoreSession(restored) = client.ask(request::RestoreSession {
        session_id: session.clone(),
    }) else {
        panic!("not restored");
    };
    assert_eq!(restored.session.session_id, session);
    assert_eq!(restored.session_state, state);
    assert_eq!(restored.inspector_state["view"], "Items");
    assert_eq!(restored.workspace_context["x"]["print_string"], "'text'");
    assert_eq!(restored.object_registry.len(), 1);
}

#[test]
fn events_tell_everybody_in_a_session_what_runs() {
    let server = server();
    let (mut client, mut watcher) = (Client::of(&server), Client::of(&server));
    let session = client.session("me");
    watcher.subscribe(&session, None);
    let id = client.send(evaluate_in(&session, "Transcript show: 'hello'. 6 * 7"));
    client.response_to(id);
    let events: Vec<_> = (0..3).map(|_| watcher.event()).collect();
    let numbers: Vec<u64> = events.iter().map(|event| event.sequence).collect();
    assert_eq!(numbers, [1, 2, 3]);
    match [
        &events[0].happening,
        &events[1].happening,
        &events[2].happening,
    ] {
        [
            Happening::EvaluationStarted(started),
            Happening::Transcript(transcript),
            Happening::EvaluationFinished(finished),
        ] => {
            assert_eq!(started.request_id, id.to_string());
            assert_eq!(transcript.text, "hello");
            assert_eq!(
                (finished.result.as_str(), finished.has_error),
                ("42", false)
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_missed_is_replayed() {
    let server = server();
    let mut client = Client::of(&server);
    let session = client.session("me");
    for n in 1..=3 {
        client.print_in(&session, &format!("Transcript show: '{n}'"));
    }
    let mut late = Client::of(&server);
    let subscription = late.subscribe(&session, Some(1));
    assert_eq!((subscription.next_sequence, subscription.missed), (1, 0));
    let texts: Vec<String> = (0..3).map(|_| late.transcript().1).collect();
    assert_eq!(texts, ["1", "2", "3"]);
    client.print_in(&session, "Transcript show: '4'");
    assert_eq!(late.transcript().1, "4");
    // From where one was.
    let mut again = Client::of(&server);
    again.subscribe(&session, Some(11));
    assert_eq!(again.transcript(), (11, "4".into()));
}

#[test]
fn a_runaway_transcript_neither_blocks_nor_fills_the_server() {
    let server = server();
    let mut client = Client::of(&server);
    let session = client.session("me");
    let id = client.send(evaluate_in(
        &session,
        "[ Transcript show: (String new: 1000 withAll: $x) ] repeat",
    ));
    let mut other = Client::of(&server);
    for _ in 0..100 {
        assert_eq!(other.print("3 + 4"), "7");
    }
    assert!(other.interrupt(id));
    client.response_to(id);
    let subscription = Client::of(&server).subscribe(&session, Some(1));
    assert!(subscription.missed > 0);
}

#[test]
fn what_a_session_forked_is_interrupted_and_nothing_else() {
    let server = server();
    let mut client = Client::of(&server);
    let session = client.session("me");
    let other = client.session("me");
    client.print_in(&session, "done := 0. nil");
    for _ in 0..2 {
        let code = "[ [ [ true ] whileTrue ] ensure: [ done := done + 1 ] ] fork. Processor yield";
        client.print_in(&session, code);
    }
    client.print_in(&session, "[ 1 / 0 ] fork. (Delay forMilliseconds: 1) wait");
    client.print_in(&other, "[ [ true ] whileTrue ] fork. nil");

    assert_eq!(client.interrupt_forked(&session), 2, "not what is debugged");
    let begin = Instant::now();
    while client.print_in(&session, "done") != "2" {
        assert!(begin.elapsed() < PATIENCE, "its unwind blocks do not run");
    }
    assert_eq!(client.interrupt_forked(&session), 0);
    assert_eq!(client.interrupt_forked(&other), 1);
}

#[test]
fn a_forked_process_belongs_to_its_session() {
    let server = server();
    let mut client = Client::of(&server);
    let session = client.session("me");
    client.subscribe(&session, None);
    client.print_in(
        &session,
        "gate := Semaphore new. [ gate wait. Transcript show: 'late'. 1 / 0 ] fork. nil",
    );
    client.print_in(&session, "gate signal");
    let mut text = String::new();
    while !text.contains("ZeroDivide") {
        text += &client.transcript().1;
    }
    assert!(text.starts_with("late"), "{text}");
}

#[test]
fn an_inspection_leads_into_an_object_and_on() {
    let server = server();
    let mut client = Client::of(&server);
    let session = client.session("me");
    let point = client.inspect(inspect_in(&session, "3 @ 4"));
    assert_eq!(point.object_info.class_name, "Point");
    assert_eq!(point.object_info.string_representation, "(3@4)");
    let variables: Vec<(&str, &str)> = point
        .instance_vars
        .iter()
        .map(|variable| (variable.name.as_str(), variable.value.as_str()))
        .collect();
    assert_eq!(variables, [("x", "3"), ("y", "4")]);
    let target = "OrderedCollection new add: 10; add: 'two'; add: #(3); yourself";
    let outer = client.inspect(request::Inspect {
        view: Some("Items".into()),
        ..inspect_in(&session, target)
    });
    assert_eq!((outer.object.size, outer.total), (3, 3));
    let rows: Vec<(&str, &str)> = outer
        .children
        .iter()
        .map(|row| (row.name.as_str(), row.object.print_string.as_str()))
        .collect();
    assert_eq!(rows, [("1", "10"), ("2", "'two'"), ("3", "#(3)")]);
    let inner_id = outer.children[2].object.id.clone().unwrap();
    let inner = client.inspect(inspect_object(&inner_id));
    assert_eq!(inner.object.id.as_deref(), Some(inner_id.as_str()));
    assert_eq!(inner.object_info.class_name, "Array");
    // Back: the same object.
    let back = client.inspect(inspect_object(&outer.object.id.unwrap()));
    assert_eq!(back.object.class_name, "OrderedCollection");
}

#[test]
fn every_object_has_the_views_it_should() {
    let server = server();
    let mut client = Client::of(&server);
    let session = client.session("me");
    for (target, expected) in [
        ("3 @ 4", &["Raw", "Print", "Meta"][..]),
        ("#(1 2)", &["Items", "Raw", "Print", "Meta"]),
        ("Set with: 3", &["Items", "Raw", "Print", "Meta"]),
        (
            "Dictionary new at: 1 put: 2; yourself",
            &["Keys", "Raw", "Print", "Meta"],
        ),
    ] {
        let answer = client.inspect(inspect_in(&session, target));
        let names: Vec<&str> = answer.views.iter().map(|view| view.name.as_str()).collect();
        for name in expected {
            assert!(names.contains(name), "{target}: {names:?}");
        }
        for view in &answer.views {
            let page = client.inspect(request::Inspect {
                object_id: answer.object.id.clone(),
                view: Some(view.name.clone()),
                ..request::Inspect::default()
            });
            assert_eq!(page.view, view.name);
            assert_eq!(
                page.text.is_some(),
                view.kind == ViewKind::Text,
                "{target}: {}",
                view.name
            );
        }
    }
}

#[test]
fn of_a_million_elements_only_a_page_is_sent() {
    let server = server();
    let mut client = Client::of(&server);
    let session = client.session("me");
    let large = client.inspect(request::Inspect {
        view: Some("Items".into()),
        offset: Some(999_990),
        limit: Some(100),
        ..inspect_in(&session, "(1 to: 1000000) asArray")
    });
    assert_eq!(
        (large.total, large.object.size, large.children.len()),
        (1_000_000, 1_000_000, 10)
    );
    assert_eq!(large.children[9].object.print_string, "1000000");
    let page = client.inspect(request::Inspect {
        offset: Some(500),
        limit: Some(3),
        view: Some("Items".into()),
        ..inspect_object(&large.object.id.unwrap())
    });
    let rows: Vec<&str> = page.children.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(rows, ["501", "502", "503"]);
}

#[test]
fn a_child_that_cannot_print_itself_spoils_only_its_row() {
    let server = server();
    let mut client = Client::of(&server);
    let session = client.session("me");
    client.print_in(
        &session,
        "Object subclass: #ServerTestMute instanceVariableNames: '' classVariableNames: '' package: 'ServerTest'.
        (Smalltalk at: #ServerTestMute) compile: 'printOn: aStream self error: ''mute'''.
        mute := (Smalltalk at: #ServerTestMute) new. nil",
    );
    let answer = client.inspect(request::Inspect {
        view: Some("Items".into()),
        ..inspect_in(&session, "{ 1. mute. 3 }")
    });
    let rows: Vec<&str> = answer
        .children
        .iter()
        .map(|row| row.object.print_string.as_str())
        .collect();
    assert_eq!(
        rows,
        ["1", "<error printing a ServerTestMute: Error: mute>", "3"]
    );
}

#[test]
fn the_same_object_has_the_same_handle_until_it_is_released() {
    let server = server();
    let mut client = Client::of(&server);
    let session = client.session("me");
    let first = client
        .evaluate(evaluate_in(&session, "p := 3 @ 4"))
        .object
        .unwrap();
    let again = client.evaluate(evaluate_in(&session, "p")).object.unwrap();
    assert_eq!(first.id, again.id);
    let equal = client
        .evaluate(evaluate_in(&session, "3 @ 4"))
        .object
        .unwrap();
    assert_ne!(first.id, equal.id);
    let id = first.id.unwrap();
    let Response::ReleaseObjects(released) = client.ask(request::ReleaseObjects {
        object_ids: vec![id.clone(), "nonsense".into(), id.clone()],
    }) else {
        panic!("not released");
    };
    assert_eq!(released.released, 1);
    assert_eq!(
        client.error_code(inspect_object(&id)),
        ErrorCode::ObjectNotFound
    );
    assert_eq!(client.print_in(&session, "p x"), "3");
}

#[test]
fn depth_brings_the_children_of_children() {
    let server = server();
    let mut client = Client::of(&server);
    let session = client.session("me");
    let nested = |depth| request::Inspect {
        depth: Some(depth),
        view: Some("Raw".into()),
        ..inspect_in(&session, "#(1 (2 (3)))")
    };
    assert!(client.inspect(nested(0)).children.is_empty());
    let flat = client.inspect(nested(1));
    assert!(flat.children.iter().all(|row| row.children.is_empty()));
    let deep = client.inspect(nested(2));
    assert_eq!(deep.children[1].children[0].object.print_string, "2");
    assert!(deep.children[1].children[1].children.is_empty());
}

#[test]
fn classes_and_methods_can_be_browsed() {
    let server = server();
    let mut client = Client::of(&server);
    let Response::BrowseClass(class) = client.ask(request::BrowseClass {
        class_name: "OrderedCollection".into(),
        ..request::BrowseClass::default()
    }) else {
        panic!("no class");
    };
    assert_eq!(
        class.class_info.superclass.as_deref(),
        Some("SequenceableCollection")
    );
    assert!(
        class
            .instance_methods
            .iter()
            .any(|method| method.name == "addFirst:")
    );
    assert!(class.superclasses.contains(&"Object".to_owned()));
    let Response::GetMethod(answer) = client.ask(request::GetMethod {
        class_name: "OrderedCollection".into(),
        method_name: "addFirst:".into(),
        is_class_method: None,
    }) else {
        panic!("no method");
    };
    assert!(answer.method.source.starts_with("addFirst:"));
    assert_eq!(answer.method.arguments.len(), 1);
    let unknown = request::BrowseClass {
        class_name: "OrderedCollectio".into(),
        ..request::BrowseClass::default()
    };
    let error = client.error(unknown);
    assert_eq!(error.code, ErrorCode::ClassNotFound);
    assert!(
        error.message.contains("Did you mean OrderedCollection?"),
        "{error}"
    );
    let inherited = request::GetMethod {
        class_name: "OrderedCollection".into(),
        method_name: "isNil".into(),
        is_class_method: None,
    };
    let error = client.error(inherited);
    assert_eq!(error.code, ErrorCode::MethodNotFound);
    assert!(error.message.contains("Object"), "{error}");
    client.print("Object subclass: #ServerTestOwn instanceVariableNames: '' classVariableNames: '' package: 'ServerTest'. nil");
    let Response::ListClasses(own) = client.ask(request::ListClasses {
        include_system: Some(false),
        ..request::ListClasses::default()
    }) else {
        panic!("no classes");
    };
    let names: Vec<&str> = own
        .classes
        .iter()
        .map(|class| class.name.as_str())
        .collect();
    assert_eq!(names, ["ServerTestOwn"]);
}

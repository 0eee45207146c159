//! The debugger over the wire: what is kept, for how long, who hears of it, and what is refused.

mod support;

use stui_protocol::Uuid;
use stui_protocol::error::ErrorCode;
use stui_protocol::event::Happening;
use stui_protocol::request::{self, DebugOperation, EvaluationMode};
use stui_protocol::response::{self, Response};
use support::{Client, evaluate_in, server};

fn debug(operation: DebugOperation, id: &str) -> request::Debug {
    request::Debug {
        operation,
        context: id.to_owned(),
        frame: None,
        code: None,
        class_name: None,
        method_name: None,
    }
}

fn do_debug(client: &mut Client, request: request::Debug) -> response::Debug {
    match client.ask(request) {
        Response::Debug(answer) => answer,
        other => panic!("{other:?}"),
    }
}

/// The debugger that an evaluation ends in.
fn debugger_of(client: &mut Client, session: &str, code: &str) -> String {
    let answer = client.evaluate(evaluate_in(session, code));
    answer.error.and_then(|error| error.debug_id).unwrap()
}

/// The next event that is not about Transcript or the beginning of an evaluation.
fn next_happening(client: &mut Client) -> Happening {
    loop {
        match client.event().happening {
            Happening::Transcript(_) | Happening::EvaluationStarted(_) => {}
            other => return other,
        }
    }
}

#[test]
fn a_session_keeps_twenty_processes_and_ends_the_oldest_for_one_more() {
    let server = server();
    let mut client = Client::of(&server);
    let session = client.session("me");
    let other = client.session("me");
    let of_other = debugger_of(&mut client, &other, "1/0");
    let ids: Vec<String> = (0..21)
        .map(|_| debugger_of(&mut client, &session, "[ 1/0 ] ensure: [ last := 1 ]"))
        .collect();
    let oldest = debug(DebugOperation::GetStackTrace, &ids[0]);
    assert_eq!(client.error(oldest).code, ErrorCode::ObjectNotFound);
    for id in ids[1..].iter().chain([&of_other]) {
        let answer = do_debug(&mut client, debug(DebugOperation::GetStackTrace, id));
        assert!(answer.debug_info.is_suspended, "{id}");
    }
}

#[test]
fn endless_recursion_is_kept_with_both_ends_of_its_stack_but_only_the_last_of_a_session() {
    let server = server();
    let mut client = Client::of(&server);
    let session = client.session("me");
    let endless = "| b | b := nil. b := [ b value ]. b value";
    let answer = client.evaluate(evaluate_in(&session, endless));
    let error = answer.error.unwrap();
    assert_eq!(error.class_name, "StackOverflow");
    assert!(error.stack.len() <= 50);
    assert!(error.stack.last().unwrap().is_evaluated_code);
    let first = error.debug_id.unwrap();
    let answer = do_debug(&mut client, debug(DebugOperation::GetStackTrace, &first));
    assert_eq!(answer.stack.len(), 200);
    assert_eq!(
        answer.stack[0].method,
        "[ b value ] in UndefinedObject>>DoIt"
    );
    let last = answer.stack.last().unwrap();
    assert_eq!(last.method, "UndefinedObject>>DoIt");
    let bottom = request::Debug {
        frame: Some(199),
        code: Some("b isNil".into()),
        ..debug(DebugOperation::EvaluateInFrame, &first)
    };
    assert_eq!(do_debug(&mut client, bottom).result, "false");
    let second = debugger_of(&mut client, &session, endless);
    let gone = debug(DebugOperation::GetStackTrace, &first);
    assert_eq!(client.error(gone).code, ErrorCode::ObjectNotFound);
    let answer = do_debug(&mut client, debug(DebugOperation::Terminate, &second));
    assert!(answer.debug_info.is_terminated);
    assert_eq!(client.print_in(&session, "3 + 4"), "7");
}

#[test]
fn a_forked_process_that_fails_is_kept_and_can_be_continued() {
    let server = server();
    let mut client = Client::of(&server);
    let session = client.session("me");
    client.print_in(&session, "done := 0");
    client.subscribe(&session, None);
    client.print_in(&session, "[ 1/0. done := 1. Processor yield ] fork. 3");
    let id = loop {
        if let Happening::DebugOpened(opened) = next_happening(&mut client) {
            assert!(opened.is_forked);
            assert_eq!(opened.title, "ZeroDivide");
            break opened.debug_id;
        }
    };
    let answer = do_debug(&mut client, debug(DebugOperation::GetStackTrace, &id));
    assert!(answer.debug_info.is_suspended);
    assert!(
        answer
            .stack
            .iter()
            .any(|frame| frame.method.ends_with(" in UndefinedObject>>DoIt")),
        "{:?}",
        answer.stack
    );
    let answer = do_debug(&mut client, debug(DebugOperation::Continue, &id));
    assert!(answer.debug_info.is_terminated);
    assert_eq!(client.print_in(&session, "done"), "1");
    loop {
        if let Happening::DebugClosed(closed) = next_happening(&mut client) {
            assert_eq!(closed.debug_id, id);
            break;
        }
    }
}

#[test]
fn forked_processes_that_fail_in_great_number_drive_nothing_out() {
    let server = server();
    let mut client = Client::of(&server);
    let session = client.session("me");
    let own = debugger_of(&mut client, &session, "1/0");
    client.subscribe(&session, None);
    client.print_in(
        &session,
        "1 to: 100 do: [ :i | [ i zork ] fork ]. (Delay forMilliseconds: 1) wait",
    );
    client.print_in(
        &session,
        "[ Transcript show: 'last' ] forkAt: Processor userBackgroundPriority",
    );
    let mut opened = 0;
    loop {
        match client.event().happening {
            Happening::DebugOpened(_) => opened += 1,
            Happening::Transcript(written) if written.text.contains("last") => break,
            _ => {}
        }
    }
    assert_eq!(opened, 8);
    let answer = do_debug(&mut client, debug(DebugOperation::GetStackTrace, &own));
    assert!(answer.debug_info.is_suspended);
}

#[test]
fn code_in_a_frame_sees_the_receivers_variables_also_in_an_inherited_method() {
    let server = server();
    let mut client = Client::of(&server);
    let session = client.session("me");
    client.print_in(
        &session,
        "(Object subclass: #Acct instanceVariableNames: 'bal' classVariableNames: '' package: 'X') \
         compile: 'pay bal := 3. self error: ''broke''. ^ bal'",
    );
    let id = debugger_of(&mut client, &session, "bal := 1. Acct new pay");
    let frames = do_debug(&mut client, debug(DebugOperation::GetStackTrace, &id)).stack;
    assert_eq!(frames[0].method, "Acct(Object)>>error:");
    let in_frame = |frame, code: &str| request::Debug {
        frame: Some(frame),
        code: Some(code.into()),
        ..debug(DebugOperation::EvaluateInFrame, &id)
    };
    assert_eq!(do_debug(&mut client, in_frame(0, "bal")).result, "3");
    assert_eq!(
        do_debug(&mut client, in_frame(0, "bal := 100")).result,
        "100"
    );
    assert_eq!(do_debug(&mut client, in_frame(1, "bal + 1")).result, "101");
    assert_eq!(client.print_in(&session, "bal"), "1");
    let answer = do_debug(&mut client, debug(DebugOperation::Continue, &id));
    assert_eq!(answer.result, "100");
}

#[test]
fn everybody_hears_what_becomes_of_a_kept_evaluation() {
    let server = server();
    let mut client = Client::of(&server);
    let session = client.session("me");
    let mut listener = Client::of(&server);
    listener.subscribe(&session, None);
    let request = client.send(evaluate_in(&session, "(1/0) isNil ifTrue: [ 'fine' ]"));
    let Response::Evaluate(answer) = client.response_to(request) else {
        panic!()
    };
    let id = answer.error.unwrap().debug_id.unwrap();
    let Happening::DebugOpened(opened) = next_happening(&mut listener) else {
        panic!()
    };
    assert_eq!(
        (&opened.debug_id, opened.title.as_str()),
        (&id, "ZeroDivide")
    );
    assert!(!opened.is_forked);
    let Happening::EvaluationFinished(failed) = next_happening(&mut listener) else {
        panic!()
    };
    assert!(failed.has_error);
    let answer = do_debug(&mut client, debug(DebugOperation::Continue, &id));
    assert_eq!(answer.result, "'fine'");
    let Happening::DebugClosed(closed) = next_happening(&mut listener) else {
        panic!()
    };
    assert_eq!(closed.debug_id, id);
    let Happening::EvaluationFinished(finished) = next_happening(&mut listener) else {
        panic!()
    };
    assert_eq!(finished.request_id, request.to_string());
    assert_eq!(
        (finished.result.as_str(), finished.has_error),
        ("'fine'", false)
    );
}

#[test]
fn an_evaluation_that_runs_on_is_told_of_at_its_end() {
    let server = server();
    let mut client = Client::of(&server);
    let session = client.session("me");
    client.subscribe(&session, None);
    let code = "Halt now. [ go == true ] whileFalse: [ (Delay forMilliseconds: 5) wait ]. 42";
    client.print_in(&session, "go := false");
    let id = debugger_of(&mut client, &session, code);
    let answer = do_debug(&mut client, debug(DebugOperation::Continue, &id));
    assert!(!answer.debug_info.is_suspended && !answer.debug_info.is_terminated);
    let answer = do_debug(&mut client, debug(DebugOperation::GetStackTrace, &id));
    assert!(!answer.debug_info.is_suspended && answer.stack.is_empty());
    let refused = client.error(debug(DebugOperation::StepOver, &id));
    assert_eq!(refused.code, ErrorCode::InvalidRequest);
    client.print_in(&session, "go := true");
    loop {
        if let Happening::EvaluationFinished(finished) = next_happening(&mut client)
            && finished.result == "42"
        {
            break;
        }
    }
}

#[test]
fn an_evaluation_that_runs_on_is_interrupted_and_stays() {
    let server = server();
    let mut client = Client::of(&server);
    let session = client.session("me");
    let request = client.send(evaluate_in(&session, "Halt now. [ true ] whileTrue"));
    let Response::Evaluate(answer) = client.response_to(request) else {
        panic!()
    };
    let id = answer.error.unwrap().debug_id.unwrap();
    assert!(!client.interrupt(request), "it is suspended");
    do_debug(&mut client, debug(DebugOperation::Continue, &id));
    assert!(client.interrupt(request));
    let answer = do_debug(&mut client, debug(DebugOperation::GetStackTrace, &id));
    assert!(answer.debug_info.is_suspended);
    assert_eq!(answer.debug_info.title, "Interrupted");
    assert!(!answer.stack.is_empty());
}

#[test]
fn a_step_that_was_broken_off_can_be_gone_on_with() {
    let server = server();
    let mut client = Client::of(&server);
    let session = client.session("me");
    client.print_in(&session, "go := false");
    let code = "Halt now. [ [ go ] whileFalse ] value. 7";
    let id = debugger_of(&mut client, &session, code);
    do_debug(&mut client, debug(DebugOperation::StepOver, &id));
    let step = client.send(debug(DebugOperation::StepOver, &id));
    assert_eq!(client.print("3 + 4"), "7");
    assert!(client.interrupt(step));
    let Response::Error(error) = client.response_to(step) else {
        panic!()
    };
    assert_eq!(error.code, ErrorCode::Interrupted);
    let answer = do_debug(&mut client, debug(DebugOperation::GetStackTrace, &id));
    assert!(answer.debug_info.is_suspended);
    client.print_in(&session, "go := true");
    let answer = do_debug(&mut client, debug(DebugOperation::Continue, &id));
    assert_eq!(answer.result, "7");
}

#[test]
fn a_step_that_arrives_twice_is_done_once() {
    let server = server();
    let mut client = Client::of(&server);
    let session = client.session("me");
    let code = "| x | x := 0. x := x + 1. x := x + 1. x";
    let answer = client.evaluate(request::Evaluate {
        evaluation_mode: Some(EvaluationMode::Debug),
        ..evaluate_in(&session, code)
    });
    let id = answer.error.unwrap().debug_id.unwrap();
    let step = Uuid::new_v4();
    let mut places = Vec::new();
    for _ in 0..2 {
        client.send_as(step, debug(DebugOperation::StepOver, &id));
        match client.response_to(step) {
            Response::Debug(answer) => places.push(answer.stack[0].range.unwrap()),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(places[0], places[1]);
    let answer = do_debug(&mut client, debug(DebugOperation::GetStackTrace, &id));
    assert_eq!(answer.stack[0].range, Some(places[0]));
}

#[test]
fn a_variable_is_inspected_by_its_handle() {
    let server = server();
    let mut client = Client::of(&server);
    let session = client.session("me");
    let id = debugger_of(&mut client, &session, "| a | a := 3 -> 4. Halt now. a");
    let answer = do_debug(&mut client, debug(DebugOperation::GetLocalVars, &id));
    let names: Vec<&str> = answer
        .variables
        .iter()
        .map(|variable| variable.name.as_str())
        .collect();
    assert_eq!(names, ["self", "a"]);
    let object = answer.variables[1].object.id.clone().unwrap();
    let inspected = client.inspect(support::inspect_object(&object));
    assert_eq!(inspected.object.print_string, "3->4");
}

#[test]
fn an_error_of_code_in_a_frame_leaves_the_process_alone() {
    let server = server();
    let mut client = Client::of(&server);
    let session = client.session("me");
    let id = debugger_of(&mut client, &session, "| a | a := 1. Halt now. a");
    for (code, expected) in [
        ("a := 5. 1/0", ErrorCode::EvaluationError),
        ("a foo", ErrorCode::EvaluationError),
        ("a +", ErrorCode::CompileError),
    ] {
        let request = request::Debug {
            code: Some(code.into()),
            ..debug(DebugOperation::EvaluateInFrame, &id)
        };
        assert_eq!(client.error(request).code, expected, "{code}");
    }
    let without_code = debug(DebugOperation::EvaluateInFrame, &id);
    assert_eq!(client.error(without_code).code, ErrorCode::InvalidRequest);
    let endless = client.send(request::Debug {
        code: Some("[ true ] whileTrue".into()),
        ..debug(DebugOperation::EvaluateInFrame, &id)
    });
    assert!(client.interrupt(endless));
    let Response::Error(error) = client.response_to(endless) else {
        panic!()
    };
    assert_eq!(error.code, ErrorCode::Interrupted);
    let answer = do_debug(&mut client, debug(DebugOperation::Continue, &id));
    assert_eq!(answer.result, "5");
}

#[test]
fn a_closed_session_says_that_its_processes_are_gone() {
    let server = server();
    let mut client = Client::of(&server);
    let session = client.session("me");
    let mut listener = Client::of(&server);
    let id = debugger_of(&mut client, &session, "1/0");
    let running = debugger_of(&mut client, &session, "Halt now. [ true ] whileTrue");
    do_debug(&mut client, debug(DebugOperation::Continue, &running));
    listener.subscribe(&session, None);
    client.ask(request::CloseSession {
        session_id: session.clone(),
    });
    for expected in [&id, &running] {
        let Happening::DebugClosed(closed) = next_happening(&mut listener) else {
            panic!()
        };
        assert_eq!(&closed.debug_id, expected);
    }
    assert!(matches!(
        next_happening(&mut listener),
        Happening::SessionChanged(_)
    ));
    assert_eq!(client.print("3 + 4"), "7");
}

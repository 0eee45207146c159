//! Evaluating over the wire: answers, errors, interrupts, limits.

mod support;

use std::time::{Duration, Instant};

use stui_protocol::Uuid;
use stui_protocol::error::ErrorCode;
use stui_protocol::position::Position;
use stui_protocol::request::{self, EvaluationMode, Ping};
use stui_protocol::response::Response;
use support::{Client, PATIENCE, evaluate, evaluate_in, server};

/// Waits until a session's evaluation has said on its transcript that it runs.
fn await_start(client: &mut Client) {
    assert_eq!(client.transcript().1, "running");
}

/// Begins an evaluation that says when it runs, in a session that the client is subscribed to.
fn begin(client: &mut Client, session: &str, code: &str) -> Uuid {
    let code = format!("Transcript show: 'running'; flush. {code}");
    let id = client.send(evaluate_in(session, &code));
    await_start(client);
    id
}

fn watched_session(client: &mut Client) -> String {
    let session = client.session("me");
    client.subscribe(&session, None);
    session
}

fn error_of(response: &Response) -> ErrorCode {
    match response {
        Response::Error(error) => error.code,
        other => panic!("{other:?} is no error"),
    }
}

#[test]
fn an_answer_has_all_its_parts() {
    let server = server();
    let mut client = Client::of(&server);
    let session = client.session("me");
    let answer = client.evaluate(request::Evaluate {
        evaluation_mode: Some(EvaluationMode::Display),
        ..evaluate_in(&session, "'it''s'")
    });
    assert_eq!(answer.result, "'it''s'");
    assert_eq!(answer.display.as_deref(), Some("it's"));
    assert_eq!(answer.result_type, "ByteString");
    assert!(!answer.has_error && !answer.truncated && answer.error.is_none());
    let object = answer.object.unwrap();
    assert_eq!((object.size, object.has_children), (4, true));
    let outside = client.evaluate(evaluate("'it''s'"));
    assert_eq!((outside.object, outside.display), (None, None));
    let silent = client.evaluate(request::Evaluate {
        return_string: Some(false),
        ..evaluate("3 + 4")
    });
    assert_eq!(
        (silent.result.as_str(), silent.result_type.as_str()),
        ("", "SmallInteger")
    );
}

#[test]
fn a_compile_error_has_its_place() {
    let server = server();
    let mut client = Client::of(&server);
    let error = client.error(evaluate("3 +\n ) 4"));
    assert_eq!(error.code, ErrorCode::CompileError);
    assert!(
        error.message.contains("Variable or expression expected"),
        "{error}"
    );
    let details = error.details.unwrap();
    let place = Position {
        position: 6,
        line: 2,
        column: 2,
    };
    assert_eq!(details.at, Some(place));
    assert_eq!(details.range.unwrap().start, place);
}

#[test]
fn a_runtime_error_has_class_text_and_stack_with_places() {
    let server = server();
    let mut client = Client::of(&server);
    let answer = client.evaluate(evaluate("| a | a := 0. #(1 2) collect: [ :x | x / a ]"));
    assert!(answer.has_error);
    assert_eq!(
        (answer.result.as_str(), answer.result_type.as_str()),
        ("ZeroDivide", "ZeroDivide")
    );
    let error = answer.error.unwrap();
    assert_eq!(error.class_name, "ZeroDivide");
    let own: Vec<(usize, usize)> = error
        .stack
        .iter()
        .filter(|frame| frame.is_evaluated_code)
        .filter_map(|frame| frame.range)
        .map(|range| (range.start.position, range.end.position))
        .collect();
    // `x / a` inside the block, and the whole `collect:` expression around it.
    assert_eq!(own.first(), Some(&(38, 43)), "{:?}", error.stack);
    assert_eq!(own.last(), Some(&(15, 45)), "{:?}", error.stack);
    let message = client.evaluate(evaluate("nil foo")).error.unwrap();
    assert_eq!(message.class_name, "MessageNotUnderstood");
    assert_eq!(message.message, "receiver of \"foo\" is nil");
}

#[test]
fn undeclared_variables_are_declared_on_assignment_unless_strict() {
    let server = server();
    let mut client = Client::of(&server);
    assert_eq!(client.print("x := 3. x + 1"), "4");
    let strict = request::Evaluate {
        strict: Some(true),
        ..evaluate("x := 3. x + 1")
    };
    assert_eq!(client.error_code(strict), ErrorCode::CompileError);
    assert_eq!(
        client.error_code(evaluate("neverHeardOf")),
        ErrorCode::CompileError
    );
}

#[test]
fn an_endless_loop_blocks_nobody_and_does_not_survive_an_interrupt() {
    let server = server();
    let (mut client, mut other) = (Client::of(&server), Client::of(&server));
    let session = watched_session(&mut client);
    let id = begin(&mut client, &session, "[ true ] whileTrue");
    assert_eq!(other.print("3 + 4"), "7");
    assert_eq!(client.print_in(&session, "1 + 1"), "2");
    assert!(matches!(other.ask(Ping::default()), Response::Ping(_)));
    // Another connection may interrupt it as well.
    assert!(other.interrupt(id));
    assert_eq!(error_of(&client.response_to(id)), ErrorCode::Interrupted);
    assert!(!client.interrupt(id));
}

#[test]
fn an_interrupt_runs_unwind_blocks_but_waits_for_no_endless_one() {
    let server = server();
    let mut client = Client::of(&server);
    let session = watched_session(&mut client);
    client.print_in(&session, "log := OrderedCollection new");
    let id = begin(
        &mut client,
        &session,
        "[ [ true ] whileTrue ] ensure: [ log add: #unwound ]",
    );
    assert!(client.interrupt(id));
    assert_eq!(error_of(&client.response_to(id)), ErrorCode::Interrupted);
    assert_eq!(client.print_in(&session, "log asArray"), "#(#unwound)");
    let stubborn = begin(
        &mut client,
        &session,
        "[ [ true ] whileTrue ] ensure: [ [ true ] whileTrue ]",
    );
    assert!(client.interrupt(stubborn));
    assert_eq!(
        error_of(&client.response_to(stubborn)),
        ErrorCode::Interrupted
    );
}

#[test]
fn a_second_interrupt_ends_an_endless_unwind_block_at_once() {
    let server = server();
    let mut client = Client::of(&server);
    let session = watched_session(&mut client);
    let code = "[ [ true ] whileTrue ] ensure: [ Transcript show: 'unwinding'; flush. [ true ] whileTrue ]";
    let id = begin(&mut client, &session, code);
    client.interrupt(id);
    assert_eq!(client.transcript().1, "unwinding");
    client.interrupt(id);
    assert_eq!(error_of(&client.response_to(id)), ErrorCode::Interrupted);
}

#[test]
fn a_waiting_evaluation_is_interrupted() {
    let server = server();
    let mut client = Client::of(&server);
    let session = watched_session(&mut client);
    for code in ["Semaphore new wait", "(Delay forSeconds: 1000) wait"] {
        let id = begin(&mut client, &session, code);
        assert!(client.interrupt(id));
        assert_eq!(error_of(&client.response_to(id)), ErrorCode::Interrupted);
    }
}

#[test]
fn an_evaluation_in_line_is_interrupted_before_it_begins() {
    let server = server();
    let (mut client, mut other) = (Client::of(&server), Client::of(&server));
    let session = client.session("me");
    client.print_in(&session, "gate := Semaphore new. ran := false");
    let running: Vec<Uuid> = (0..64)
        .map(|_| client.send(evaluate_in(&session, "gate wait")))
        .collect();
    let waiting = client.send(evaluate_in(&session, "ran := true"));
    // Answered in order: what was sent before has arrived.
    client.ask(Ping::default());
    assert!(other.interrupt(waiting));
    assert_eq!(
        error_of(&client.response_to(waiting)),
        ErrorCode::Interrupted
    );
    other.print_in(&session, "64 timesRepeat: [ gate signal ]");
    for id in running {
        client.response_to(id);
    }
    assert_eq!(other.print_in(&session, "ran"), "false");
}

#[test]
fn what_takes_longer_than_it_may_is_stopped() {
    let server = server();
    let mut client = Client::of(&server);
    for code in ["[ true ] whileTrue", "(Delay forSeconds: 1000) wait"] {
        let error = client.error(request::Evaluate {
            timeout_ms: Some(50),
            ..evaluate(code)
        });
        assert_eq!(error.code, ErrorCode::Timeout);
        assert_eq!(error.details.unwrap().limit, Some(50));
    }
    let quick = request::Evaluate {
        timeout_ms: Some(60_000),
        ..evaluate("3 + 4")
    };
    assert_eq!(client.evaluate(quick).result, "7");
}

#[test]
fn recursion_and_allocation_without_end_are_errors_and_the_server_goes_on() {
    let server = server();
    let mut client = Client::of(&server);
    for code in [
        "| f | f := nil. f := [ :n | (f value: n + 1) + 1 ]. f value: 1",
        "| all | all := OrderedCollection new. [ all add: (Array new: 1000000) ] repeat",
        "Array new: 100000000000",
        "| s | s := 'x'. [ s := s , s ] repeat",
        "| f | f := nil. f := [ [ f value ] ensure: [ f value ] ]. f value",
    ] {
        let id = client.send(evaluate(code));
        match client.response_to(id) {
            Response::Evaluate(answer) => assert!(answer.has_error, "{code}: {}", answer.result),
            other => panic!("{code}: {other:?}"),
        }
        assert_eq!(client.print("3 + 4"), "7", "after {code}");
    }
}

#[test]
fn a_long_result_is_cut() {
    let server = server();
    let mut client = Client::of(&server);
    let answer = client.evaluate(evaluate("String new: 10 * 1024 * 1024 withAll: $x"));
    assert!(answer.truncated && !answer.has_error);
    assert_eq!(answer.result.chars().count(), 100_000);
    let short = client.evaluate(evaluate("String new: 99998 withAll: $x"));
    assert!(!short.truncated);
    assert_eq!(short.result.chars().count(), 100_000);
}

#[test]
fn printing_kills_no_request() {
    let server = server();
    let mut client = Client::of(&server);
    let define = "Object subclass: #ServerTestOddPrinter instanceVariableNames: '' classVariableNames: '' package: 'ServerTest'.
        (Smalltalk at: #ServerTestOddPrinter) compile: 'printOn: aStream ";
    let failing = format!("{define}1 / 0'. (Smalltalk at: #ServerTestOddPrinter) new");
    assert_eq!(
        client.print(&failing),
        "<error printing a ServerTestOddPrinter: ZeroDivide>"
    );
    let endless = format!("{define}[ true ] whileTrue'. (Smalltalk at: #ServerTestOddPrinter) new");
    assert_eq!(
        client.print(&endless),
        "<error printing a ServerTestOddPrinter: it took longer than 2 s>"
    );
    let growing = format!(
        "{define}[ aStream nextPutAll: ''more'' ] repeat'. (Smalltalk at: #ServerTestOddPrinter) new"
    );
    let answer = client.evaluate(evaluate(&growing));
    assert!(
        answer.truncated && answer.result.starts_with("moremore"),
        "{}",
        answer.result
    );
}

#[test]
fn an_interrupt_while_printing_comes_at_once() {
    let server = server();
    let mut client = Client::of(&server);
    let session = watched_session(&mut client);
    let code = "Object subclass: #ServerTestSlowPrinter instanceVariableNames: '' classVariableNames: '' package: 'ServerTest'.
        (Smalltalk at: #ServerTestSlowPrinter) compile: 'printOn: aStream Transcript show: ''printing''; flush. [ true ] whileTrue'.
        (Smalltalk at: #ServerTestSlowPrinter) new";
    let began = Instant::now();
    let id = client.send(evaluate_in(&session, code));
    assert_eq!(client.transcript().1, "printing");
    assert!(client.interrupt(id));
    assert_eq!(error_of(&client.response_to(id)), ErrorCode::Interrupted);
    assert!(began.elapsed() < PATIENCE);
}

#[test]
fn unicode_arrives_whole_both_ways() {
    let server = server();
    let mut client = Client::of(&server);
    assert_eq!(client.print("'日本語 🎉 €' size"), "7");
    assert_eq!(client.print("'日本語 🎉 €'"), "'日本語 🎉 €'");
}

#[test]
fn an_idle_server_uses_no_processor_time() {
    let server = server();
    let mut client = Client::of(&server);
    client.print("3 + 4");
    let used = || {
        let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let fields: Vec<u64> = text
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .filter_map(|field| field.parse().ok())
            .collect();
        // User and system time of this process, in hundredths of a second.
        fields.get(10..12).map(|times| times.iter().sum::<u64>())
    };
    let before = used();
    assert!(client.frames_within(Duration::from_secs(1)).is_none());
    if let (Some(before), Some(after)) = (before, used()) {
        assert!(
            after - before < 20,
            "{} ms in a second",
            (after - before) * 10
        );
    }
}

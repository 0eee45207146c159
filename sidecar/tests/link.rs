//! The link and the client against the real embedded server: cut wires, killed servers, impostors.

mod support;

use std::net::TcpListener;
use std::time::Instant;

use stui::client::{Client, ClientError};
use stui::hub::Outcome;
use stui::link::{Link, LinkEvent};
use stui_faults::proxy::Proxy;
use stui_protocol::Uuid;
use stui_protocol::event::Happening;
use stui_protocol::request::{Interrupt, Ping};
use stui_protocol::response::Response;

use support::{LIMIT, Serve, evaluate, result, session, value};

fn server() -> (tempfile::TempDir, Serve) {
    let folder = tempfile::tempdir().unwrap();
    let serve = Serve::start(&folder.path().join("server.json"));
    (folder, serve)
}

#[test]
fn an_evaluation_is_answered() {
    let (_folder, serve) = server();
    let client = serve.client();
    assert_eq!(value(&client, "3 + 4", None), "7");
    assert!(
        client
            .server()
            .requests
            .iter()
            .any(|name| name == "Evaluate")
    );
}

#[test]
fn many_requests_on_their_way_at_once_each_get_their_own_answer() {
    let (_folder, serve) = server();
    let client = serve.client();
    let pending: Vec<_> = (0..200)
        .map(|n| client.begin(evaluate(&format!("{n} * 2"), None)))
        .collect();
    for (n, pending) in pending.iter().enumerate() {
        assert_eq!(result(pending.wait(LIMIT)), (n * 2).to_string());
    }
}

#[test]
fn a_request_that_is_sent_twice_under_one_id_runs_once() {
    let (_folder, serve) = server();
    let client = serve.client();
    let session = session(&client);
    value(&client, "n := 0", Some(&session));
    let id = Uuid::new_v4();
    for _ in 0..2 {
        let pending = client.begin_as(id, evaluate("n := n + 1", Some(&session)));
        assert_eq!(result(pending.wait(LIMIT)), "1");
    }
    assert_eq!(value(&client, "n", Some(&session)), "1");
}

#[test]
fn over_a_cut_wire_an_evaluation_is_answered_and_has_run_once() {
    let (_folder, serve) = server();
    let mut file = serve.file();
    let proxy = Proxy::to_endpoint(&file.endpoint).unwrap();
    file.endpoint = proxy.endpoint();
    let client = Client::connect(&file, LIMIT).unwrap();
    let session = session(&client);
    value(&client, "n := 0", Some(&session));
    let slow = "(Delay forMilliseconds: 300) wait. n := n + 1";
    let pending = client.begin(evaluate(slow, Some(&session)));
    // The server has begun once another request behind it is answered.
    client.request(Ping::default(), LIMIT).unwrap();
    proxy.cut();
    assert_eq!(result(pending.wait(LIMIT)), "1");
    assert_eq!(value(&client, "n", Some(&session)), "1");
}

#[test]
fn what_a_killed_server_had_is_given_up_and_what_comes_later_goes_to_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("server.json");
    let serve = Serve::start(&path);
    let source = path.clone();
    let (tell, told) = crossbeam_channel::unbounded();
    let link = Link::start(
        Box::new(move || stui::servers::living(&source)),
        move |event| drop(tell.send(event)),
    )
    .unwrap();
    let connected = |event| matches!(event, LinkEvent::Connected { .. });
    let wait_connected = || while !connected(told.recv_timeout(LIMIT).unwrap()) {};
    wait_connected();
    let ask = |code: &str| {
        let (answer, answered) = crossbeam_channel::bounded(1);
        link.request(Uuid::new_v4(), evaluate(code, None), move |outcome| {
            drop(answer.send(outcome));
        });
        answered
    };
    let lost = ask("[ true ] whileTrue");
    // The server has the loop once it has answered what came behind it.
    ask("1").recv_timeout(LIMIT).unwrap();
    serve.kill();
    let _new = Serve::start(&path);
    wait_connected();
    let outcome = lost.recv_timeout(LIMIT).unwrap();
    assert!(matches!(outcome, Outcome::ServerReplaced), "{outcome:?}");
    let outcome = ask("3 + 4").recv_timeout(LIMIT).unwrap();
    let Outcome::Answered(answer) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(result(Ok(*answer)), "7");
}

#[test]
fn an_endless_loop_is_interrupted_by_another_request() {
    let (_folder, serve) = server();
    let client = serve.client();
    let pending = client.begin(evaluate("[ true ] whileTrue", None));
    assert_eq!(value(&client, "3 + 4", None), "7");
    let interrupt = Interrupt::of_request(&pending.id());
    client.request(interrupt, LIMIT).unwrap();
    assert!(matches!(pending.wait(LIMIT), Ok(Response::Error(_))));
}

#[test]
fn events_come_in_order_and_none_is_lost_or_doubled_over_a_cut_wire() {
    let (_folder, serve) = server();
    let mut file = serve.file();
    let proxy = Proxy::to_endpoint(&file.endpoint).unwrap();
    file.endpoint = proxy.endpoint();
    let client = Client::connect(&file, LIMIT).unwrap();
    let session = session(&client);
    client.subscribe(session.as_str(), 1);
    let writer = serve.client();
    for round in 0..3 {
        let code = format!("Transcript show: 'round {round}. '");
        value(&writer, &code, Some(&session));
        proxy.cut();
    }
    let deadline = Instant::now() + LIMIT;
    let mut text = String::new();
    while !text.contains("round 2") {
        let event = client.events().recv_deadline(deadline).unwrap();
        if let Happening::Transcript(transcript) = event.happening {
            text += &transcript.text;
        }
    }
    assert_eq!(text, "round 0. round 1. round 2. ");
}

#[test]
fn an_impostor_on_the_servers_port_is_recognised() {
    let (_folder, serve) = server();
    let mut file = serve.file();
    file.key = Some("another key".into());
    let refused = Client::connect(&file, LIMIT).err().unwrap().to_string();
    assert!(refused.contains("does not know the key"), "{refused}");
}

#[test]
fn without_its_key_a_server_with_a_key_lets_nobody_in() {
    let (_folder, serve) = server();
    let mut file = serve.file();
    file.key = None;
    let refused = Client::connect(&file, LIMIT).err().unwrap().to_string();
    assert!(refused.contains("does not accept the key"), "{refused}");
}

#[test]
fn where_nobody_listens_a_client_is_told_at_once() {
    let (_folder, serve) = server();
    let file = serve.file();
    serve.kill();
    let began = Instant::now();
    let refused = Client::connect(&file, LIMIT).err().unwrap();
    assert!(matches!(refused, ClientError::NotConnected { .. }));
    assert!(began.elapsed() < LIMIT, "not by waiting for the limit");
}

#[test]
fn a_listener_that_speaks_something_else_is_no_server() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (_folder, serve) = server();
    let mut file = serve.file();
    file.endpoint = format!("tcp://{}", listener.local_addr().unwrap());
    let talker = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // The client hangs up sooner or later; how much was written then does not matter.
        let _ = std::io::Write::write_all(&mut stream, &b"HTTP/1.1 400 Bad Request\r\n".repeat(10));
    });
    assert!(Client::connect(&file, LIMIT).is_err());
    talker.join().unwrap();
}

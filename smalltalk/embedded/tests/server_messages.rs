//! What becomes of messages: good, bad, large, twice.

mod support;

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use stui_protocol::error::ErrorCode;
use stui_protocol::message::{Envelope, Payload};
use stui_protocol::request::{self, Describe, Ping, Request};
use stui_protocol::response::Response;
use stui_protocol::{PROTOCOL_VERSION, Uuid};
use support::{Client, PATIENCE, evaluate, evaluate_in, key, server, socket};

#[test]
fn a_server_says_what_it_is() {
    let server = server();
    let mut client = Client::of(&server);
    let Response::Describe(described) = client.ask(Describe {}) else {
        panic!("no description");
    };
    assert_eq!(described.protocol_version, PROTOCOL_VERSION);
    assert_eq!(described.pid, std::process::id());
    assert!(described.requests.contains(&"Evaluate".to_owned()));
    let ping = Ping {
        message: Some("日本語 🎉".into()),
    };
    let Response::Ping(answer) = client.ask(ping) else {
        panic!("no pong");
    };
    assert_eq!(
        (answer.message.as_str(), answer.status.as_str()),
        ("日本語 🎉", "ok")
    );
}

#[test]
fn every_supported_request_is_answered_by_its_own_type_or_a_fitting_error() {
    let server = server();
    let mut client = Client::of(&server);
    let Response::Describe(described) = client.ask(Describe {}) else {
        panic!("no description");
    };
    for name in Request::NAMES {
        let id = Uuid::new_v4();
        let request = Request::Unknown((*name).to_owned());
        if *name == "Shutdown" {
            continue;
        }
        client.send_as(id, request);
        match client.response_to(id) {
            Response::Error(error) if error.code == ErrorCode::UnsupportedOperation => {
                assert!(!described.requests.contains(&(*name).to_owned()), "{name}");
                assert_eq!(error.details.unwrap().supported, described.requests);
            }
            Response::Error(error) => {
                assert!(described.requests.contains(&(*name).to_owned()), "{name}");
                assert_eq!(error.code, ErrorCode::InvalidRequest, "{name}: {error}");
            }
            other => assert_eq!(other.name(), *name),
        }
    }
    let levitate = Request::Unknown("Levitate".into());
    assert_eq!(client.error_code(levitate), ErrorCode::UnsupportedOperation);
}

#[test]
fn garbage_gets_an_error_and_the_connection_goes_on() {
    let server = server();
    let mut client = Client::of(&server);
    let id = Uuid::new_v4();
    let response = format!(
        r#"{{"id":"{id}","version":"1.0.0","payload":{{"type":"Response","data":{{"response_type":"Ping","data":{{}}}}}}}}"#
    );
    let version = format!(
        r#"{{"id":"{id}","version":"9.0.0","payload":{{"type":"Request","data":{{"request_type":"Ping"}}}}}}"#
    );
    for (document, expected) in [
        (&b"garbage"[..], Uuid::nil()),
        (b"{}", Uuid::nil()),
        (b"\xff\xfe\x00", Uuid::nil()),
        (&vec![b'['; 100_000], Uuid::nil()),
        (response.as_bytes(), id),
        (version.as_bytes(), id),
    ] {
        client.send_document(document);
        match client.response_to(expected) {
            Response::Error(error) => assert_eq!(error.code, ErrorCode::InvalidRequest),
            other => panic!("{other:?} is no error"),
        }
    }
    assert_eq!(client.print("3 + 4"), "7");
}

#[test]
fn frames_that_are_no_message_do_no_harm() {
    let server = server();
    let mut client = Client::of(&server);
    let many: Vec<&[u8]> = vec![b"x"; 1000];
    for frames in [
        &[&b""[..]][..],
        &[b"", b""],
        &[b"a", b"b", b"c"],
        &[b"", b"", b"", b""],
        &many,
    ] {
        client.send_frames(frames);
        let answer = client.frames_within(PATIENCE).expect("an answer");
        let envelope = Envelope::from_json(answer.last().unwrap()).unwrap();
        assert!(matches!(
            envelope.payload,
            Payload::Response(Response::Error(_))
        ));
    }
    assert_eq!(client.print("3 + 4"), "7");
}

#[test]
fn a_delimiter_comes_back_and_a_missing_one_does_not() {
    let server = server();
    let client = Client::of(&server);
    let document = Envelope::request(Uuid::new_v4(), Ping::default())
        .to_json()
        .unwrap();
    let signature = key(&server).sign(&document);
    client.send_frames(&[b"", signature.as_bytes(), &document]);
    let frames = client.frames_within(PATIENCE).expect("an answer");
    assert_eq!((frames.len(), frames[0].len()), (3, 0));
    client.send_frames(&[signature.as_bytes(), &document]);
    assert_eq!(client.frames_within(PATIENCE).expect("an answer").len(), 2);
}

#[test]
fn a_req_socket_is_served() {
    let server = server();
    let requester = socket(zmq::REQ);
    requester.connect(&server.connection().endpoint).unwrap();
    for _ in 0..3 {
        let document = Envelope::request(Uuid::new_v4(), evaluate("6 * 7"))
            .to_json()
            .unwrap();
        let signature = key(&server).sign(&document);
        requester
            .send_multipart([signature.as_bytes(), &document], 0)
            .unwrap();
        assert_eq!(requester.poll(zmq::POLLIN, 60_000).unwrap(), 1);
        let frames = requester.recv_multipart(0).unwrap();
        assert!(key(&server).verifies(&frames[1], &frames[0]));
        let Payload::Response(Response::Evaluate(answer)) =
            Envelope::from_json(&frames[1]).unwrap().payload
        else {
            panic!("no answer");
        };
        assert_eq!(answer.result, "42");
    }
}

#[test]
fn a_message_over_the_limit_gets_an_error_and_the_connection_goes_on() {
    let server = server();
    let mut client = Client::of(&server);
    let long = format!("'{}' size", "x".repeat(11 * 1024 * 1024));
    let error = client.error(evaluate(&long));
    assert_eq!(error.code, ErrorCode::InvalidRequest);
    assert_eq!(error.details.unwrap().limit, Some(10 * 1024 * 1024));
    let fitting = format!("'{}' size", "x".repeat(9 * 1024 * 1024));
    assert_eq!(client.print(&fitting), (9 * 1024 * 1024).to_string());
}

#[test]
fn a_message_beyond_all_limits_costs_its_sender_the_connection_and_nobody_else() {
    let server = server();
    let mut client = Client::of(&server);
    let (mut rude, ping) = (Client::of(&server), Ping::default());
    rude.ask(ping.clone());
    rude.send_document(&vec![b' '; 65 * 1024 * 1024]);
    // The socket connects anew by itself; what was sent before then may be lost with the connection.
    let deadline = Instant::now() + PATIENCE;
    loop {
        rude.send(ping.clone());
        if rude.frames_within(Duration::from_millis(200)).is_some() {
            break;
        }
        assert!(Instant::now() < deadline, "not served any more");
    }
    assert_eq!(client.print("3 + 4"), "7");
}

#[test]
fn who_speaks_no_zeromq_does_no_harm() {
    let server = server();
    let mut client = Client::of(&server);
    let address = server.connection().endpoint.replace("tcp://", "");
    let greeting = b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\0NULL";
    for bytes in [
        &b""[..],
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x03\0\0\x13",
        greeting,
        &[greeting, &[0xff; 4096][..]].concat(),
        &vec![0x00; 100_000],
        &vec![0xff; 100_000],
    ] {
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        // The server may have hung up before the end.
        let _ = stream.write_all(bytes);
        assert_eq!(client.print("3 + 4"), "7");
    }
}

#[test]
fn clients_that_die_in_the_middle_of_everything_do_no_harm() {
    let server = server();
    for round in 0..20 {
        let dying = Client::of(&server);
        for n in 0..round * 100 {
            dying.send(evaluate(&format!("{n} factorial printString size")));
        }
        drop(dying);
    }
    assert_eq!(Client::of(&server).print("3 + 4"), "7");
}

#[test]
fn a_request_sent_twice_runs_once_and_is_answered_alike() {
    let server = server();
    let mut client = Client::of(&server);
    let session = client.session("me");
    client.print_in(&session, "count := 0");
    let id = Uuid::new_v4();
    let increment = evaluate_in(&session, "count := count + 1");
    client.send_as(id, increment.clone());
    let first = client.response_to(id);
    client.send_as(id, increment.clone());
    assert_eq!(client.response_to(id), first);
    // On another connection as well, as after a lost one.
    let mut other = Client::of(&server);
    other.send_as(id, increment);
    assert_eq!(other.response_to(id), first);
    assert_eq!(client.print_in(&session, "count"), "1");
}

#[test]
fn a_request_that_comes_again_while_it_runs_gets_one_reply() {
    let server = server();
    let mut client = Client::of(&server);
    let session = client.session("me");
    client.print_in(&session, "count := 0. gate := Semaphore new");
    let id = Uuid::new_v4();
    let waiting = evaluate_in(&session, "count := count + 1. gate wait. count");
    client.send_as(id, waiting.clone());
    client.send_as(id, waiting.clone());
    let mut other = Client::of(&server);
    other.send_as(id, waiting);
    assert!(matches!(other.ask(Ping::default()), Response::Ping(_)));
    client.print_in(&session, "gate signal; signal; signal. nil");
    for asker in [&mut client, &mut other] {
        match asker.response_to(id) {
            Response::Evaluate(answer) => assert_eq!(answer.result, "1"),
            response => panic!("{response:?} is no answer"),
        }
        assert_eq!(asker.unasked(), 0);
    }
    assert_eq!(client.print_in(&session, "count"), "1");
}

#[test]
fn an_id_is_good_for_one_request() {
    let server = server();
    let mut client = Client::of(&server);
    let id = Uuid::new_v4();
    client.send_as(id, evaluate("1"));
    assert!(matches!(client.response_to(id), Response::Evaluate(_)));
    client.send_as(id, evaluate("2"));
    match client.response_to(id) {
        Response::Error(error) => assert_eq!(error.code, ErrorCode::InvalidRequest),
        other => panic!("{other:?} is no error"),
    }
}

#[test]
fn many_requests_in_flight_are_all_answered() {
    let server = server();
    let mut client = Client::of(&server);
    let ids: Vec<(usize, Uuid)> = (0..500)
        .map(|n| (n, client.send(evaluate(&format!("{n} + 1")))))
        .collect();
    for (n, id) in ids {
        match client.response_to(id) {
            Response::Evaluate(answer) => assert_eq!(answer.result, (n + 1).to_string()),
            other => panic!("{other:?} is no answer"),
        }
    }
}

#[test]
fn too_many_requests_in_flight_are_refused_and_the_others_answered() {
    let server = server();
    let mut client = Client::of(&server);
    let session = client.session("me");
    client.print_in(&session, "gate := Semaphore new");
    let ids: Vec<Uuid> = (0..64 + 1024 + 10)
        .map(|_| client.send(evaluate_in(&session, "gate wait. 7")))
        .collect();
    let mut other = Client::of(&server);
    let opens = "5000 timesRepeat: [ gate signal ]";
    // Only once the last one was refused have all of them arrived.
    match client.response_to(*ids.last().unwrap()) {
        Response::Error(error) => assert_eq!(error.code, ErrorCode::InvalidRequest),
        response => panic!("{response:?} is no refusal"),
    }
    other.print_in(&session, opens);
    let (mut answered, mut refused) = (0, 1);
    for id in &ids[..ids.len() - 1] {
        match client.response_to(*id) {
            Response::Evaluate(answer) if answer.result == "7" => answered += 1,
            Response::Error(error) if error.code == ErrorCode::InvalidRequest => refused += 1,
            response => panic!("{response:?}"),
        }
    }
    assert_eq!((answered, refused), (64 + 1024, 10));
}

#[test]
fn five_hundred_clients_at_once_are_served() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    // Client and server are one process here, with three descriptors for each connection.
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: maximum,
            maximum,
        },
    )
    .unwrap();
    let server = server();
    let mut clients: Vec<Client> = (0..500).map(|_| Client::of(&server)).collect();
    let ids: Vec<Uuid> = clients
        .iter()
        .enumerate()
        .map(|(n, client)| client.send(evaluate(&format!("{n} * 2"))))
        .collect();
    for (n, (client, id)) in clients.iter_mut().zip(ids).enumerate() {
        match client.response_to(id) {
            Response::Evaluate(answer) => assert_eq!(answer.result, (n * 2).to_string()),
            other => panic!("{other:?} is no answer"),
        }
    }
}

#[test]
fn a_server_ends_when_it_is_asked_to_and_says_goodbye() {
    let mut server = server();
    let mut listener = Client::of(&server);
    listener.ask(request::Subscribe::default());
    let mut client = Client::of(&server);
    let Response::Shutdown(answer) = client.ask(request::Shutdown {}) else {
        panic!("no answer");
    };
    assert!(answer.stopping);
    let event = listener.event();
    assert_eq!(event.happening.name(), "ServerStopping");
    server.join().unwrap();
}

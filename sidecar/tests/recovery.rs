//! The link is back within a second after the way to the server is, whatever had happened to it.

mod support;

use std::process::Command;
use std::time::{Duration, Instant};

use crossbeam_channel::unbounded;
use stui::hub::Outcome;
use stui::link::LinkEvent;
use stui_faults::proxy::{Direction, Garble, Proxy};
use stui_protocol::Uuid;
use stui_protocol::event::{Event, Happening};
use stui_protocol::request::Ping;
use stui_protocol::response::Response;

use support::linked::{Linked, answer, write};
use support::{LIMIT, Serve, session, value};

/// What is promised.
const SECOND: Duration = Duration::from_secs(1);
/// A server that is gone without a word is missed after so long: a heartbeat and the time that its
/// answer may take, and as much again for a machine that is busy.
const MISSED: Duration = Duration::from_secs(2 * 4);

/// Something happens to the way, something brings it back, and the time from then until an evaluation is
/// answered is taken.
fn assert_back_in_a_second(linked: &Linked, mut happens: impl FnMut(), mut back: impl FnMut()) {
    linked.evaluates();
    assert_within_a_second(|| {
        happens();
        let asked = linked.ask("3 + 4");
        back();
        let began = Instant::now();
        assert_eq!(answer(&asked), "7");
        began.elapsed()
    });
}

/// Takes the time of five rounds. The middle one counts: other programs of this machine may take the rest.
fn assert_within_a_second(mut round: impl FnMut() -> Duration) {
    let mut times: Vec<Duration> = (0..5).map(|_| round()).collect();
    times.sort();
    eprintln!("back after {times:?}");
    assert!(times[2] < SECOND, "{times:?}");
}

fn server() -> (tempfile::TempDir, Serve) {
    let folder = tempfile::tempdir().unwrap();
    let serve = Serve::start(&folder.path().join("server.json"));
    (folder, serve)
}

/// A link through a proxy.
fn proxied(serve: &Serve) -> (Proxy, Linked) {
    let mut file = serve.file();
    let proxy = Proxy::to_endpoint(&file.endpoint).unwrap();
    file.endpoint = proxy.endpoint();
    (proxy, Linked::to(&file))
}

fn signal(serve: &Serve, signal: &str) {
    let status = Command::new("kill")
        .arg(signal)
        .arg(serve.pid().to_string())
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn when_the_connection_is_reset() {
    let (_folder, serve) = server();
    let (proxy, linked) = proxied(&serve);
    assert_back_in_a_second(&linked, || proxy.cut(), || ());
}

#[test]
fn when_nobody_listened_for_some_seconds() {
    let (_folder, serve) = server();
    let (proxy, linked) = proxied(&serve);
    let away = || {
        proxy.refuse();
        std::thread::sleep(Duration::from_millis(2500));
    };
    assert_back_in_a_second(&linked, away, || proxy.resume());
}

#[test]
fn when_everything_was_swallowed_which_is_noticed_within_seconds() {
    let (_folder, serve) = server();
    let (proxy, linked) = proxied(&serve);
    let swallow = || {
        let began = Instant::now();
        linked.forget_told();
        proxy.half_open();
        linked.wait_down();
        assert!(began.elapsed() < MISSED, "{:?}", began.elapsed());
    };
    assert_back_in_a_second(&linked, swallow, || proxy.resume());
}

#[test]
fn when_what_listened_was_silent_from_the_beginning() {
    let (_folder, serve) = server();
    assert_within_a_second(|| {
        let mut file = serve.file();
        let proxy = Proxy::to_endpoint(&file.endpoint).unwrap();
        file.endpoint = proxy.endpoint();
        proxy.half_open();
        let linked = Linked::to(&file);
        linked.wait_down();
        assert!(proxy.accepted() > 5, "attempts do not wait for each other");
        assert!(proxy.open() < 10, "{} at once", proxy.open());
        proxy.resume();
        let began = Instant::now();
        linked.evaluates();
        began.elapsed()
    });
}

#[test]
fn when_the_server_was_stopped_and_goes_on() {
    let (_folder, serve) = server();
    let linked = Linked::to(&serve.file());
    let stop = || {
        linked.forget_told();
        signal(&serve, "-STOP");
        linked.wait_down();
        std::thread::sleep(SECOND);
    };
    assert_back_in_a_second(&linked, stop, || signal(&serve, "-CONT"));
}

#[test]
fn when_the_server_was_killed_and_another_one_listens_at_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("server.json");
    let serve = Serve::start(&path);
    let endpoint = serve.file().endpoint;
    let linked = Linked::to(&serve.file());
    let mut running = Some(serve);
    assert_within_a_second(|| {
        linked.evaluates();
        linked.forget_told();
        running.take().into_iter().for_each(Serve::kill);
        linked.wait_down();
        let serve = running.insert(Serve::start_at(&path, &endpoint));
        let began = Instant::now();
        write(&linked.path, &serve.file());
        linked.evaluates();
        began.elapsed()
    });
}

#[test]
fn when_the_connection_file_names_another_address() {
    let (_folder, serve) = server();
    assert_within_a_second(|| {
        let (proxy, linked) = proxied(&serve);
        linked.evaluates();
        linked.forget_told();
        proxy.half_open();
        linked.wait_down();
        let began = Instant::now();
        write(&linked.path, &serve.file());
        linked.evaluates();
        began.elapsed()
    });
}

#[test]
fn a_server_that_answers_late_is_told_as_busy_and_stays_connected() {
    let (_folder, serve) = server();
    let linked = Linked::to(&serve.file());
    linked.evaluates();
    signal(&serve, "-STOP");
    let asked = linked.ask("3 + 4");
    let busy = |event| match event {
        LinkEvent::Busy(busy) => Some(busy),
        LinkEvent::Disconnected(state) => panic!("{state:?}"),
        _ => None,
    };
    assert!(linked.wait(busy));
    signal(&serve, "-CONT");
    assert!(!linked.wait(busy));
    assert_eq!(answer(&asked), "7");
}

#[test]
fn an_evaluation_that_runs_long_does_not_make_its_server_busy() {
    let (_folder, serve) = server();
    let linked = Linked::to(&serve.file());
    let asked = linked.ask("(Delay forSeconds: 4) wait. 5");
    assert_eq!(answer(&asked), "5");
    assert!(
        !linked
            .told
            .try_iter()
            .any(|event| matches!(event, LinkEvent::Busy(_) | LinkEvent::Disconnected(_)))
    );
}

#[test]
fn whichever_byte_of_an_answer_is_garbled_the_request_is_answered() {
    let (_folder, serve) = server();
    let (proxy, linked) = proxied(&serve);
    linked.evaluates();
    // The head of a frame, the beginning of the document, its id, its type, its content, its end.
    for skip in [0, 1, 2, 3, 12, 30, 60, 130, 170, 220] {
        proxy.garble(Direction::ToClient, Garble::At { skip, count: 1 });
        let (answer, answered) = unbounded();
        let message = Some("hello".to_owned());
        linked
            .link
            .request(Uuid::new_v4(), Ping { message }, move |outcome| {
                drop(answer.send(outcome));
            });
        let outcome = answered.recv_timeout(LIMIT).unwrap();
        assert!(
            matches!(outcome, Outcome::Answered(_)),
            "{skip}: {outcome:?}"
        );
        proxy.resume();
    }
    linked.evaluates();
}

#[test]
fn under_noise_in_both_directions_every_request_is_answered_once_it_is_over() {
    let (_folder, serve) = server();
    let (proxy, linked) = proxied(&serve);
    linked.evaluates();
    for seed in 1..4 {
        for direction in [Direction::ToServer, Direction::ToClient] {
            proxy.garble(direction, Garble::Random { seed, one_in: 300 });
        }
        let answers: Vec<_> = (0..50)
            .map(|_| {
                let (answer, answered) = unbounded();
                linked
                    .link
                    .request(Uuid::new_v4(), Ping::default(), move |outcome| {
                        drop(answer.send(outcome));
                    });
                answered
            })
            .collect();
        std::thread::sleep(SECOND);
        proxy.resume();
        for answered in answers {
            let outcome = answered.recv_timeout(LIMIT).unwrap();
            assert!(matches!(outcome, Outcome::Answered(_)), "{outcome:?}");
        }
    }
    linked.evaluates();
}

#[test]
fn several_sessions_are_subscribed_to_and_each_loses_nothing_over_cuts() {
    let (_folder, serve) = server();
    let (proxy, linked) = proxied(&serve);
    let writer = serve.client();
    let sessions: Vec<String> = (0..3).map(|_| session(&writer)).collect();
    for session in &sessions {
        linked.link.subscribe(session.as_str(), 1);
    }
    linked.link.unsubscribe(sessions[2].as_str());
    for round in 0..3 {
        for session in &sessions {
            let code = format!("Transcript show: '{round} '");
            value(&writer, &code, Some(session));
        }
        proxy.cut();
    }
    let mut texts = vec![String::new(); 3];
    while texts[..2].iter().any(|text| !text.contains('2')) {
        let Event {
            session_id,
            happening,
            ..
        } = linked.wait(|event| match event {
            LinkEvent::Event(event) => Some(event),
            _ => None,
        });
        let of = sessions
            .iter()
            .position(|session| Some(session) == session_id.as_ref());
        if let (Some(of), Happening::Transcript(transcript)) = (of, happening) {
            texts[of] += &transcript.text;
        }
    }
    assert_eq!(texts, ["0 1 2 ", "0 1 2 ", ""]);
}

#[test]
fn events_that_the_server_keeps_no_longer_are_told_as_a_gap() {
    let (_folder, serve) = server();
    let (proxy, linked) = proxied(&serve);
    let writer = serve.client();
    let session = session(&writer);
    linked.link.subscribe(session.as_str(), 1);
    value(&writer, "Transcript show: 'begin'", Some(&session));
    linked.wait(|event| match event {
        LinkEvent::Event(Event {
            happening: Happening::Transcript(text),
            ..
        }) => text.text.contains("begin").then_some(()),
        _ => None,
    });
    proxy.refuse();
    linked.wait_down();
    // More than the server keeps.
    let line = "x".repeat(1000);
    let code = format!("1 to: 8000 do: [:n | Transcript show: '{line}'; flush]. 1");
    value(&writer, &code, Some(&session));
    proxy.resume();
    let missed = linked.wait(|event| match event {
        LinkEvent::Gap { session_id, missed } if session_id == session => Some(missed),
        LinkEvent::Event(event) => panic!("an event before the gap: {:?}", event.sequence),
        _ => None,
    });
    assert!(missed > 0);
}

#[test]
fn who_listens_slowly_gets_every_answer_and_what_waits_for_him_is_bounded() {
    let (_folder, serve) = server();
    let (proxy, linked) = proxied(&serve);
    linked.evaluates();
    let (let_go, held) = unbounded::<()>();
    let ask = |message: String, responder: Box<dyn FnOnce(Outcome) + Send>| {
        let message = Some(message);
        linked
            .link
            .request(Uuid::new_v4(), Ping { message }, responder);
    };
    ask(
        String::new(),
        Box::new(move |_| {
            // Until the other end is dropped.
            let _ = held.recv();
        }),
    );
    // Together more than a link lets wait.
    let answers: Vec<_> = (0..13)
        .map(|n| {
            let (answer, answered) = unbounded();
            let message = n.to_string() + &" ".repeat(3_000_000);
            ask(message, Box::new(move |outcome| drop(answer.send(outcome))));
            answered
        })
        .collect();
    let deadline = Instant::now() + LIMIT;
    while proxy.open() > 0 {
        assert!(Instant::now() < deadline, "it takes in everything");
        std::thread::sleep(Duration::from_millis(5));
    }
    let accepted = proxy.accepted();
    std::thread::sleep(SECOND);
    assert_eq!(proxy.accepted(), accepted, "it connects without room");
    drop(let_go);
    for (n, answered) in answers.iter().enumerate() {
        let outcome = answered.recv_timeout(LIMIT).unwrap();
        let Outcome::Answered(response) = outcome else {
            panic!("{outcome:?}")
        };
        let Response::Ping(pong) = *response else {
            panic!("{}", response.name())
        };
        assert_eq!(pong.message.trim_end(), n.to_string());
    }
}

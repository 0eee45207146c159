//! Too much of everything: floods, huge answers, clients that stop, a disk that is full. Whoever is
//! not concerned notices nothing.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit};
use stui::demo::script::keys::{INSPECT_IT, PRINT_IT};
use stui_desk::Desk;
use stui_e2e::Size;

use crate::desks::desk_with_image;
use crate::fault::{pipes, sidecars, signal};
use crate::play::{Stroke, Table};
use crate::stui;
use crate::zellij::Multiplexer;

/// How long anything may take before it counts as broken.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longer than this, and something else stood in the way of a key: with a machine to itself it takes
/// some milliseconds, on a busy one it may be seconds. What stands in the way here would be there for as
/// long as the test looks.
const PROMPT: Duration = Duration::from_secs(10);

fn wait(
    table: &impl Table,
    what: &str,
    limit: Duration,
    mut is_so: impl FnMut() -> bool,
) -> Duration {
    let begun = Instant::now();
    while !is_so() {
        assert!(
            begun.elapsed() < limit,
            "not so after {limit:?}: {what}\n{}\n{}\n{}",
            table.workspace(0).join("\n"),
            table.everything(1),
            table.logs()
        );
        std::thread::sleep(Duration::from_millis(10));
    }
    begun.elapsed()
}

fn types(table: &impl Table, who: usize, text: &str) {
    for c in text.chars() {
        table.strike(who, &Stroke::Type(c));
    }
}

fn presses(table: &impl Table, who: usize, keys: &[&'static str]) {
    for key in keys {
        table.strike(who, &Stroke::Press(key));
    }
}

fn shows(table: &impl Table, who: usize, line: &str) -> bool {
    table.workspace(who).iter().any(|shown| shown == line)
}

/// Begins a text with the line that workspaces are recognised by, and another one, so that two people
/// have a place each; both see it.
fn begin(table: &impl Table) {
    types(table, 0, "first");
    presses(table, 0, &["Enter"]);
    types(table, 0, "second");
    wait(table, "both see the first lines", PATIENCE, || {
        (0..2).all(|who| shows(table, who, "first") && shows(table, who, "second"))
    });
}

fn desk() -> (Desk, crate::image::Image) {
    let (desk, image) = desk_with_image(&stui());
    let size = stui_plugin::io::Size {
        rows: 60,
        columns: 100,
    };
    for client in [1, 2] {
        desk.attach(client, size);
    }
    begin(&desk);
    (desk, image)
}

/// The longest time in which a typed character got from one person to the other one.
fn slowest_key(table: &impl Table, keys: &str) -> Duration {
    presses(table, 1, &["PageUp", "End", "Enter"]);
    let mut line = String::new();
    let mut slowest = Duration::ZERO;
    for c in keys.chars() {
        line.push(c);
        types(table, 1, &c.to_string());
        let took = wait(table, "a key is answered", PATIENCE, || {
            shows(table, 0, &line)
        });
        slowest = slowest.max(took);
    }
    slowest
}

/// The longest time in which the second person's evaluations, on whose screen the beginning of the text
/// is, were answered.
fn slowest_answer(table: &impl Table, number: &mut u32) -> Duration {
    let mut slowest = Duration::ZERO;
    for _ in 0..8 {
        *number += 1;
        presses(table, 1, &["PageUp", "End", "Enter"]);
        types(table, 1, &format!("Hit value: {number}"));
        presses(table, 1, &[PRINT_IT]);
        let answer = format!("Hit value: {number} {}", 3 * *number);
        let took = wait(table, &answer, PATIENCE, || shows(table, 1, &answer));
        slowest = slowest.max(took);
    }
    slowest
}

#[test]
fn a_print_string_of_ten_mebibytes_freezes_no_pane() {
    let (multiplexer, image) = Multiplexer::start(Size::new(160, 60));
    begin(&multiplexer);
    image.evaluate("Smalltalk at: #Huge put: (String new: 10 * 1024 * 1024 withAll: $x). 3");
    let mut number = 0;
    for key in [INSPECT_IT, PRINT_IT] {
        presses(&multiplexer, 0, &["Ctrl End", "Enter"]);
        types(&multiplexer, 0, "Huge");
        presses(&multiplexer, 0, &[key]);
        let slowest = slowest_answer(&multiplexer, &mut number);
        println!("{key}: meanwhile the slowest answer took {slowest:?}");
        assert!(
            slowest < PROMPT,
            "{key}: an answer took {slowest:?}\n{}",
            multiplexer.logs()
        );
        if key == INSPECT_IT {
            wait(&multiplexer, "the inspector shows it", PATIENCE, || {
                let shown = multiplexer.transcript(0);
                shown.iter().any(|line| line.contains("xxxxxxxxxx"))
            });
        }
    }
    wait(&multiplexer, "the answer is there, cut", PATIENCE, || {
        multiplexer.everything(1).contains("Huge 'xxxxxxxxxx")
    });
    drop(image);
    multiplexer.close();
}

#[test]
fn a_stopped_terminal_or_pipe_does_not_stop_the_other_person() {
    let (multiplexer, image) = Multiplexer::start(Size::new(160, 60));
    begin(&multiplexer);
    let client = multiplexer.terminal(1).pid().expect("the client runs");
    signal(client, Signal::STOP);
    // more than its terminal and its socket hold
    let mut slowest = Duration::ZERO;
    for n in 1..=40 {
        presses(&multiplexer, 0, &["Ctrl End", "Enter"]);
        types(&multiplexer, 0, &format!("Hit value: {n}"));
        presses(&multiplexer, 0, &[PRINT_IT]);
        let answer = format!("Hit value: {n} {}", 3 * n);
        slowest = slowest.max(wait(&multiplexer, &answer, PATIENCE, || {
            multiplexer.everything(0).contains(&answer)
        }));
    }
    signal(client, Signal::CONT);
    println!("while a client was stopped, the slowest answer took {slowest:?}");
    assert!(slowest < PROMPT, "an answer took {slowest:?}");
    wait(&multiplexer, "the other one catches up", PATIENCE, || {
        // it looks at the beginning of the text
        multiplexer.everything(1).contains("Hit value: 25 75")
    });

    let all = pipes(multiplexer.stage());
    for (n, pipe) in (41..).zip(&all) {
        pipe.send(Signal::STOP);
        presses(&multiplexer, 0, &["Ctrl End", "Enter"]);
        types(&multiplexer, 0, &format!("Hit value: {n}"));
        presses(&multiplexer, 0, &[PRINT_IT]);
        let answer = format!("Hit value: {n} {}", 3 * n);
        let took = wait(&multiplexer, &answer, PATIENCE, || {
            let seen = multiplexer.everything(0);
            if seen.contains("nothing was run") {
                presses(&multiplexer, 0, &["Esc", PRINT_IT]);
            }
            seen.contains(&answer)
        });
        println!("with a stopped pipe, an answer took {took:?}");
        pipe.send(Signal::CONT);
        assert_eq!(image.hits(n), 1);
    }
    drop(image);
    multiplexer.close();
}

#[test]
fn a_flood_of_the_transcript_is_bounded_and_others_go_on() {
    let (desk, image) = desk();
    let before = memory(&desk);
    presses(&desk, 0, &["Ctrl End", "Enter"]);
    types(
        &desk,
        0,
        "1 to: 100000 do: [ :i | Transcript show: 'flood ', i printString; cr ]. Hit value: 1",
    );
    // the whole line, not only its last statement
    presses(&desk, 0, &["Shift Home", "Ctrl d"]);
    let slowest = slowest_key(&desk, "stillanswered");
    println!("the slowest key in the flood took {slowest:?}");
    assert!(slowest < PROMPT, "a key took {slowest:?}");
    wait(&desk, "the flood's end is shown", PATIENCE, || {
        let lines = desk.transcript(0);
        lines.iter().any(|line| line == "flood 100000") && lines.iter().any(|line| line == "hit 1")
    });
    let after = memory(&desk);
    println!(
        "the sidecar holds {} KiB, before {} KiB",
        after / 1024,
        before / 1024
    );
    assert!(
        after < before + (64 << 20),
        "{before} bytes grew to {after}"
    );
    drop(image);
    desk.close();
}

/// Bytes of memory that the sidecar holds.
fn memory(desk: &Desk) -> u64 {
    let sidecars = sidecars(&desk.stage);
    let pid = sidecars.first().expect("a sidecar").pid;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let held = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = held.and_then(|held| held.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}

/// Lets no file of the sidecar's grow beyond what its journal has now, as if the disk were full.
fn fill_the_disk(desk: &Desk) {
    let journal = desk.stage.path("state/stui/sessions/s/journal");
    let size = std::fs::metadata(journal).map_or(0, |found| found.len());
    limit(desk, Some(size + 100));
}

fn limit(desk: &Desk, bytes: Option<u64>) {
    let sidecar = sidecars(&desk.stage).pop().expect("a sidecar");
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    prlimit(Pid::from_raw(sidecar.pid), Resource::Fsize, limit).expect("a limit can be set");
}

#[test]
fn while_the_disk_is_full_nothing_is_acknowledged_and_it_goes_on_once_there_is_room() {
    let (desk, image) = desk();
    fill_the_disk(&desk);
    presses(&desk, 0, &["Ctrl End", "Enter"]);
    types(&desk, 0, "typed while the disk was full");
    for who in 0..2 {
        wait(&desk, "both are told", PATIENCE, || {
            desk.everything(who).contains("Nothing is saved")
        });
    }
    // the author sees what he typed, nobody else does before it is safe
    assert!(shows(&desk, 0, "typed while the disk was full"));
    assert!(!shows(&desk, 1, "typed while the disk was full"));
    limit(&desk, None);
    wait(&desk, "both see it", PATIENCE, || {
        (0..2).all(|who| shows(&desk, who, "typed while the disk was full"))
    });
    presses(&desk, 0, &["Enter"]);
    types(&desk, 0, "Hit value: 7");
    presses(&desk, 0, &[PRINT_IT]);
    wait(&desk, "it evaluates", PATIENCE, || {
        (0..2).all(|who| shows(&desk, who, "Hit value: 7 21"))
    });
    assert_eq!(image.hits(7), 1);
    drop(image);
    desk.close();
}

#[test]
fn what_was_typed_while_the_disk_was_full_survives_the_sidecar() {
    let (desk, image) = desk();
    fill_the_disk(&desk);
    presses(&desk, 0, &["Ctrl End", "Enter"]);
    types(&desk, 0, "typed while the disk was full");
    wait(&desk, "it is told", PATIENCE, || {
        desk.everything(0).contains("Nothing is saved")
    });
    for sidecar in sidecars(&desk.stage) {
        sidecar.kill();
    }
    wait(&desk, "both see it", PATIENCE, || {
        (0..2).all(|who| shows(&desk, who, "typed while the disk was full"))
    });
    drop(image);
    desk.close();
}

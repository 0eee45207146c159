//! Several people at one text: real panes and the real hub, with slow pipes between them.
//!
//! A run is a list of steps drawn at random: somebody presses a key, some lines of a pipe arrive. A
//! failing run is printed as such a list, cut down as far as it still fails, and its seed goes to
//! `proptest-regressions`; `PROPTEST_CASES` asks for more runs.

mod room;

use proptest::prelude::*;

use self::room::Room;

/// One thing that happens to one of the people.
#[derive(Debug, Clone)]
enum Step {
    /// Types a character that nobody typed before.
    Type,
    Press(&'static str),
    /// So many lines from the sidecar arrive.
    Hear(usize),
    /// So many of what the pane said arrive at the sidecar.
    Tell(usize),
    /// The pipes are lost with all that is in them, and opened anew.
    Lose,
    /// The sidecar is killed and comes back from its journal.
    Kill,
}

fn key() -> impl Strategy<Value = Step> {
    prop::sample::select(vec![
        "Enter",
        "Enter",
        "Backspace",
        "Delete",
        "Left",
        "Right",
        "Up",
        "Down",
        "Home",
        "End",
        "Ctrl Home",
        "Ctrl End",
        "Shift Right",
        "Shift Left",
        "Shift Down",
        "Shift Up",
        "Ctrl Shift Right",
        "Alt Backspace",
        "Tab",
    ])
    .prop_map(Step::Press)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Type),
        4 => key(),
        2 => (1..6_usize).prop_map(Step::Hear),
        2 => (1..6_usize).prop_map(Step::Tell),
    ]
}

fn undoing() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => step(),
        1 => prop::sample::select(vec!["Ctrl z", "Ctrl y", "Ctrl a", "Ctrl x", "Ctrl v"]).prop_map(Step::Press),
    ]
}

fn with_losses() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => step(),
        1 => Just(Step::Lose),
        1 => Just(Step::Kill),
    ]
}

/// Steps of so many people.
fn run(
    people: usize,
    step: impl Strategy<Value = Step>,
    most: usize,
) -> impl Strategy<Value = Vec<(usize, Step)>> {
    prop::collection::vec((0..people, step), 1..most)
}

fn play(room: &mut Room, steps: Vec<(usize, Step)>) {
    for (who, step) in steps {
        match step {
            Step::Type => room.types(who),
            Step::Press(key) => room.press(who, key),
            Step::Hear(lines) => room.hear(who, lines),
            Step::Tell(lines) => room.tell(who, lines),
            Step::Lose => room.lose_pipes(who),
            Step::Kill => room.kill_sidecar(),
        }
    }
    room.settle();
    room.everybody_sees_the_text();
}

const TEXT: &str = "one two\n\nthree four five\nsix\n";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn two_who_type_at_once_get_one_text_without_waiting_and_nothing_typed_is_lost(
        steps in run(2, step(), 60),
    ) {
        let mut room = Room::new(2, TEXT);
        play(&mut room, steps);
        room.holds_what_was_typed_and_not_deleted();
    }

    #[test]
    fn so_do_five(steps in run(5, step(), 100)) {
        let mut room = Room::new(5, TEXT);
        play(&mut room, steps);
        room.holds_what_was_typed_and_not_deleted();
    }

    #[test]
    fn undo_and_redo_by_anybody_leave_one_text(steps in run(3, undoing(), 80)) {
        play(&mut Room::new(3, TEXT), steps);
    }

    #[test]
    fn lost_pipes_and_killed_sidecars_leave_one_text(steps in run(3, with_losses(), 80)) {
        let mut room = Room::new(3, TEXT);
        room.allow_waiting();
        play(&mut room, steps);
    }
}

#[test]
fn two_who_type_at_one_place_do_not_wait_for_each_other() {
    let mut room = Room::new(2, "");
    for _ in 0..20 {
        room.types(0);
        room.types(1);
        room.tell(0, 1);
        room.hear(1, 1);
        room.tell(1, 1);
    }
    room.settle();
    room.everybody_sees_the_text();
    room.holds_what_was_typed_and_not_deleted();
}

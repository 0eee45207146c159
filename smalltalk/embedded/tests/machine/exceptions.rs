//! Exceptions: handlers, resumption, unwinding.

use stui_embedded::vm::VmEvent;

use crate::world::{World, all_print};

#[test]
fn a_handler_decides_how_to_go_on() {
    all_print(&[
        ("[ 1 / 0 ] on: ZeroDivide do: [ :e | e return: 5 ]", "5"),
        ("[ 1 / 0 ] on: ZeroDivide do: [ :e | 6 ]", "6"),
        (
            "[ (Warning signal: 'w') + 1 ] on: Warning do: [ :e | e resume: 7 ]",
            "8",
        ),
        (
            "| n | n := 0. [ n := n + 1. n < 3 ifTrue: [ Error signal ]. n ] on: Error do: [ :e | e retry ]",
            "3",
        ),
        (
            "[ 1 / 0 ] on: ZeroDivide do: [ :e | e retryUsing: [ 9 ] ]",
            "9",
        ),
        (
            "[ [ 1 / 0 ] on: ZeroDivide do: [ :e | e pass ] ] on: ZeroDivide do: [ :e | e return: 1 ]",
            "1",
        ),
        (
            "[ [ Warning signal ] on: Warning do: [ :e | e outer + 1 ] ] on: Warning do: [ :e | e resume: 1 ]",
            "2",
        ),
        (
            "[ [ 1 / 0 ] on: ZeroDivide do: [ :e | e signal ] ] on: ZeroDivide do: [ :e | 3 ]",
            "3",
        ),
        (
            "[ [ 1 / 0 ] on: ZeroDivide do: [ :e | e foo ] ] on: MessageNotUnderstood do: [ :e | e message selector ]",
            "#foo",
        ),
    ]);
}

#[test]
fn a_handler_does_not_handle_what_it_raises_itself() {
    all_print(&[
        (
            "[ [ Error signal: 'a' ] on: Error do: [ :e | Error signal: 'b' ] ] on: Error do: [ :e | e messageText ]",
            "'b'",
        ),
        // an inner handler that was skipped does not come back either
        (
            "[ [ [ Error signal: 'a' ] on: ZeroDivide do: [ :e | 1 ] ] on: Error do: [ :e | 1 / 0 ] ] \
             on: ZeroDivide do: [ :e | 2 ]",
            "2",
        ),
        // but handlers inside the handler block do
        (
            "[ Error signal ] on: Error do: [ :e | [ Error signal ] on: Error do: [ :inner | 4 ] ]",
            "4",
        ),
    ]);
}

#[test]
fn after_outer_and_resume_the_handler_is_as_before() {
    all_print(&[(
        "| log | log := OrderedCollection new.
        [ [ Warning signal: 'w'. log add: 'resumed' ] on: Warning do: [ :e |
            log add: e outer. log add: e messageText. e resume: 3 ] ]
            on: Warning do: [ :e | e resume: 'outer' ].
        log asArray",
        "#('outer' 'w' 'resumed')",
    )]);
}

#[test]
fn unwind_blocks_run_once_in_order_and_after_the_handler() {
    all_print(&[
        (
            "| log | log := OrderedCollection new.
            [ [ [ 1 / 0 ] ensure: [ log add: 1 ] ] ensure: [ log add: 2 ] ]
                on: ZeroDivide do: [ :e | log add: 0 ].
            log asArray",
            "#(0 1 2)",
        ),
        ("| n | n := 0. [ 5 ] ensure: [ n := n + 1 ]. n", "1"),
        ("| n | n := 0. [ 5 ] ifCurtailed: [ n := n + 1 ]. n", "0"),
        ("| n | n := 0. [ [ ^ n ] ensure: [ n := 3 ] ] value. 9", "0"),
        (
            "| log | log := OrderedCollection new.
            [ [ 1 / 0 ] ensure: [ [ 1 / 0 ] on: ZeroDivide do: [ :e | log add: #inner ] ] ]
                on: ZeroDivide do: [ :e | log add: #outer ].
            log asArray",
            "#(#outer #inner)",
        ),
    ]);
}

#[test]
fn an_unwind_block_may_leave_by_a_way_of_its_own() {
    let mut world = World::new();
    world.prints(
        "Object compile: 'leaveTwice [ ^ 1 ] ensure: [ ^ 2 ]'",
        "#leaveTwice",
    );
    world.prints("3 leaveTwice", "2");
    // the handlers around the unwind block are in force again when it runs
    world.prints(
        "[ [ Error signal: 'first' ] ensure: [ Error signal: 'second' ] ] on: Error do: [ :e | e messageText ]",
        "'second'",
    );
}

#[test]
fn a_retried_block_runs_its_unwind_blocks_each_time() {
    all_print(&[(
        "| n log | n := 0. log := OrderedCollection new.
        [ [ n := n + 1. n < 3 ifTrue: [ Error signal ]. n ] ensure: [ log add: n ] ]
            on: Error do: [ :e | e retry ].
        log asArray",
        "#(1 2 3)",
    )]);
}

#[test]
fn what_is_not_resumable_cannot_be_resumed() {
    let mut world = World::new();
    world.fails(
        "[ Error signal: 'x' ] on: Error do: [ :e | e resume: 1 ]",
        "IllegalResumeAttempt: ",
    );
}

#[test]
fn notifications_and_unknown_messages_have_default_actions() {
    let mut world = World::new();
    world.prints("Notification signal: 'nobody listens'. 4", "4");
    world.fails(
        "nil foo",
        "MessageNotUnderstood: receiver of \"foo\" is nil",
    );
    world.fails(
        "3 foo: 4 bar: 5",
        "MessageNotUnderstood: Message not understood: SmallInteger >> #foo:bar:",
    );
    world.prints(
        "[ 3 foo ] on: MessageNotUnderstood do: [ :e | e resume: 7 ]",
        "7",
    );
}

#[test]
fn signals_deep_in_the_stack_find_their_handler() {
    let mut world = World::new();
    world.prints("Integer compile: 'dive ^ self = 0 ifTrue: [ Error signal: ''bottom'' ] ifFalse: [ (self - 1) dive ]'", "#dive");
    world.prints(
        "[ 50000 dive ] on: Error do: [ :e | e messageText ]",
        "'bottom'",
    );
}

#[test]
fn the_stack_shows_where_a_class_was_sent_the_wrong_message() {
    let mut world = World::new();
    for (source, expected) in [
        (
            "Object foo",
            "Object class(ProtoObject)>>doesNotUnderstand:",
        ),
        ("Error foo", "Error class(ProtoObject)>>doesNotUnderstand:"),
        (
            "MessageNotUnderstood foo",
            "MessageNotUnderstood class(ProtoObject)>>doesNotUnderstand:",
        ),
        ("Object error: 'x'", "Object class(Object)>>error:"),
        ("Error signal: 'x'", "UndefinedObject>>DoIt"),
        ("#(1) at: 5", "Array(Object)>>errorSubscriptBounds:"),
        (
            "(Array new: 2) foo: 3",
            "Array(ProtoObject)>>doesNotUnderstand:",
        ),
    ] {
        let process = world.spawn(source);
        let top = world.run_until(|_, event| match event {
            VmEvent::Failed {
                process: failed,
                stack,
                ..
            } if failed == process => Some(
                stack
                    .first()
                    .map(|frame| frame.method.clone())
                    .unwrap_or_default(),
            ),
            _ => None,
        });
        assert_eq!(top, expected, "{source}");
    }
}

#[test]
fn a_halt_can_depend_on_a_condition_and_come_once() {
    let mut world = World::new();
    world.prints("self haltIf: false. self haltIf: [ false ]. 3", "3");
    world.prints("Halt if: [ :receiver | receiver notNil ]. 4", "4");
    world.fails("self haltIf: 3 < 4", "Halt: ");
    world.fails("Halt if: [ :receiver | receiver isNil ]", "Halt: ");
    world.fails("self halt: 'here'", "Halt: here");
    world.prints("self haltIf: #collect:. 5", "5");
    world.fails("#(1) collect: [ :x | Halt if: #collect: ]", "Halt: ");
    world.prints(
        "Object compile: 'visit Halt once. ^ 6'; compile: 'visitToo self haltOnce. ^ 7'",
        "#visitToo",
    );
    for selector in ["visit", "visitToo"] {
        world.fails(&format!("3 {selector}"), "Halt: ");
        world.prints(&format!("4 {selector} > 5"), "true");
    }
    world.fails("Halt resetOnce. 3 visit", "Halt: ");
    let process = world.spawn("Halt resetOnce. 3 visitToo");
    let top = world.run_until(|_, event| match event {
        VmEvent::Failed {
            process: failed,
            stack,
            ..
        } if failed == process => stack.first().map(|frame| frame.method.clone()),
        _ => None,
    });
    assert_eq!(top, "SmallInteger(Object)>>visitToo");
}

#[test]
fn a_cleared_transcript_begins_a_new_page() {
    let mut world = World::new();
    world.prints("Transcript show: 'a'; clear; show: 'b'. 3", "3");
    assert_eq!(world.transcript, "a\u{c}b");
}

#[test]
fn what_would_be_shown_in_a_window_is_written_to_the_transcript() {
    let mut world = World::new();
    world.prints(
        "self inform: 'well'. self inform: ''. (3 inspect) = 3",
        "true",
    );
    assert!(
        world
            .transcript
            .starts_with("well\nTo look into SmallInteger"),
        "{}",
        world.transcript
    );
}

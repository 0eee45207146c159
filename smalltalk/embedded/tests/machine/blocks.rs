//! Blocks, inlined control messages, returns.

use crate::world::{World, all_print};

#[test]
fn a_block_shares_the_variables_that_it_assigns() {
    all_print(&[
        ("| n | n := 1. [ n := n + 1 ] value. n", "2"),
        ("| a b | a := [ :x | b := x ]. a value: 7. b", "7"),
        (
            "| counter | counter := [ | n | n := 0. [ n := n + 1 ] ] value. counter value. counter value",
            "2",
        ),
    ]);
}

#[test]
fn each_round_of_a_loop_has_variables_of_its_own() {
    all_print(&[
        (
            "| b | b := OrderedCollection new. 1 to: 3 do: [ :i | b add: [ i ] ]. (b collect: [ :e | e value ]) asArray",
            "#(1 2 3)",
        ),
        (
            "| b | b := OrderedCollection new. 1 to: 3 do: [ :i | | t | t := i * 10. b add: [ t := t + 1 ] ]. \
             b first value. (b collect: [ :e | e value ]) asArray",
            "#(12 21 31)",
        ),
        (
            "| r | r := OrderedCollection new. 1 to: 2 do: [ :i | | t | r add: t. t := i ]. r asArray",
            "#(nil nil)",
        ),
    ]);
}

#[test]
fn inlined_messages_have_the_values_of_real_sends() {
    all_print(&[
        ("3 > 4 ifTrue: [ 1 ]", "nil"),
        ("(3 > 4 ifTrue: [ 1 ] ifFalse: [ 2 ]) + 1", "3"),
        ("nil ifNil: [ 1 ] ifNotNil: [ :x | x ]", "1"),
        ("5 ifNotNil: [ :x | x + 1 ]", "6"),
        ("(nil ifNotNil: [ :x | x + 1 ]) isNil", "true"),
        ("1 to: 0 do: [ :i | i foo ]", "1"),
        ("3 timesRepeat: [ 7 ]", "3"),
        ("| i | i := 0. [ i < 3 ] whileTrue: [ i := i + 1 ]", "nil"),
        (
            "10 to: 1 by: -4 do: [ :i | Transcript show: i printString; show: ' ' ]",
            "10",
        ),
        ("(true and: [ nil ]) isNil", "true"),
        ("false or: [ true ]", "true"),
    ]);
}

#[test]
fn control_messages_can_be_performed() {
    all_print(&[
        (
            "true perform: #ifTrue:ifFalse: with: [ 1 ] with: [ 2 ]",
            "1",
        ),
        ("nil perform: #ifNil: with: [ 3 ]", "3"),
        ("(1 perform: #to:do: with: 3 with: [ :i | i ])", "1"),
        ("[ :a :b | a - b ] valueWithArguments: #(5 3)", "2"),
        ("3 perform: #between:and: withArguments: #(1 5)", "true"),
        (
            "(Object >> #printString) valueWithReceiver: 3 arguments: #()",
            "'3'",
        ),
    ]);
}

#[test]
fn a_test_that_is_no_boolean_is_an_error_that_can_be_resumed() {
    let mut world = World::new();
    world.fails("3 ifTrue: [ 4 ]", "NonBooleanReceiver: proceed for truth.");
    world.prints(
        "[ 3 ifTrue: [ 4 ] ifFalse: [ 5 ] ] on: NonBooleanReceiver do: [ :e | e resume: true ]",
        "4",
    );
}

#[test]
fn a_return_in_a_block_ends_the_method_around_it() {
    let mut world = World::new();
    world.prints(
        "Object compile: 'firstAbove: n in: all all do: [ :each | each > n ifTrue: [ ^ each ] ]. ^ nil'",
        "#firstAbove:in:",
    );
    world.prints("3 firstAbove: 2 in: #(1 2 3 4)", "3");
    world.prints("3 firstAbove: 9 in: #(1 2 3 4)", "nil");
    world.prints("#(1 2) do: [ :each | ^ each ]. 5", "1");
}

#[test]
fn a_return_from_a_method_that_has_ended_is_an_error() {
    let mut world = World::new();
    world.prints("later := [ ^ 3 ]. 1", "1");
    world.fails("later value", "BlockCannotReturn: ");
    world.prints(
        "[ later value ] on: BlockCannotReturn do: [ :e | e result ]",
        "3",
    );
    world.fails("[ later value. 4 ] value + 1", "BlockCannotReturn: ");
}

#[test]
fn the_wrong_number_of_arguments_is_an_error_with_both_numbers() {
    let mut world = World::new();
    world.fails(
        "[ :a | a ] value",
        "ArgumentsCountMismatch: This block accepts 1 argument, but was called with 0 arguments.",
    );
    world.fails(
        "3 perform: #+ with: 1 with: 2",
        "Error: incorrect number of arguments",
    );
}

#[test]
fn a_message_with_very_many_operands_fits() {
    let elements = (1..=3000)
        .map(|i| i.to_string())
        .collect::<Vec<_>>()
        .join(". ");
    let mut world = World::new();
    world.prints(&format!("{{ {elements} }} size"), "3000");
    let nested = "(".repeat(200) + "1" + &" + 1)".repeat(200);
    world.prints(&nested, "201");
    let arguments = vec!["1"; 200].join(" ");
    world.fails(
        &format!("[ :a | a ] valueWithArguments: #({arguments})"),
        "ArgumentsCountMismatch: This block accepts 1 argument, but was called with 200 arguments.",
    );
}

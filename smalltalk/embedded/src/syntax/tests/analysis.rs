//! Names, captured variables, inlined control messages.

use super::{Known, check, do_it};
use crate::syntax::{ast, compile_do_it, compile_method};

#[test]
fn control_messages_with_literal_blocks_are_inlined() {
    check(
        &[
            ("x ifTrue: [ 1 ]", "(do-it (ifTrue: @x (inline 1)))"),
            ("x ifTrue: 1", "(do-it (ifTrue: @x 1))"),
            (
                "x ifTrue: [:a | a]",
                "(do-it (ifTrue: @x (block (args a) a)))",
            ),
            (
                "x ifNil: [ 1 ] ifNotNil: [:a | a]",
                "(do-it (ifNil:ifNotNil: @x (inline 1) (inline (args a) a)))",
            ),
            (
                "[ x ] whileTrue: [ y ]",
                "(do-it (whileTrue: (inline @x) (inline @y)))",
            ),
            ("x whileTrue: [ y ]", "(do-it (whileTrue: @x (block @y)))"),
            ("[ x ] repeat", "(do-it (repeat (inline @x)))"),
            (
                "1 to: 3 do: [:i | i]",
                "(do-it (to:do: 1 3 (inline (args i) i)))",
            ),
            (
                "[ 1 ] to: [ 2 ] do: [:i | i]",
                "(do-it (to:do: (block 1) (block 2) (inline (args i) i)))",
            ),
            (
                "1 to: 3 by: 0 do: [:i | i]",
                "(do-it (to:by:do: 1 3 0 (block (args i) i)))",
            ),
            (
                "1 to: 3 by: x do: [:i | i]",
                "(do-it (to:by:do: 1 3 @x (block (args i) i)))",
            ),
            ("super ifTrue: [ 1 ]", "(do-it (ifTrue: super (block 1)))"),
        ],
        do_it,
    );
}

#[test]
fn only_captured_variables_that_are_assigned_need_a_cell() {
    check(
        &[
            ("| a | a := 1. a", "(do-it (temps a) (:= a 1) a)"),
            (
                "| a | a := 1. [ a ]",
                "(do-it (temps a*) (:= a* 1) (block (captures a*) a*))",
            ),
            ("| a | [ a ]", "(do-it (temps a) (block (captures a) a))"),
            (
                "[:a | [:b | [ a + b ]]]",
                "(do-it (block (args a) (block (args b) (captures a) (block (captures a b) (+ a b)))))",
            ),
            (
                "1 to: 3 do: [:i | Global add: [ i ]]",
                "(do-it (to:do: 1 3 (inline (args i) (add: !Global (block (captures i) i)))))",
            ),
            (
                "[ x ] whileTrue: [ | t | t := 1. Global add: [ t ] ]",
                "(do-it (whileTrue: (inline @x) (inline (temps t*) (:= t* 1) \
                 (add: !Global (block (captures t*) t*)))))",
            ),
            (
                "| a | x ifTrue: [ a := 1 ]. a",
                "(do-it (temps a) (ifTrue: @x (inline (:= a 1))) a)",
            ),
            (
                "| a | a := 1. [:a | a] value: a",
                "(do-it (temps a) (:= a 1) (value: (block (args a) a) a))",
            ),
        ],
        do_it,
    );
}

#[test]
fn locals_of_inlined_blocks_live_in_the_frame_around_them() {
    let source = "[ 1 to: 3 do: [:i | | t | t := [ i ] ] ]";
    let method = compile_do_it(source, &mut Known::default()).expect("it compiles");
    let scopes: Vec<_> = method
        .locals
        .iter()
        .map(|l| (l.name.as_str(), l.scope.0))
        .collect();
    assert_eq!(scopes, [("i", 1), ("t", 1)]);
}

#[test]
fn blocks_know_whether_they_need_the_receiver_or_return_from_home() {
    let source = "foo [ [ ^ x ] ]. [ 3 ]";
    let method = compile_method(source, &mut Known::default()).expect("it compiles");
    assert!(method.has_non_local_return);
    let flags: Vec<_> = method
        .body
        .statements
        .iter()
        .map(|statement| match statement.expression() {
            ast::Expression::Block(block) => (block.uses_self, block.has_non_local_return),
            other => panic!("not a block: {other:?}"),
        })
        .collect();
    assert_eq!(flags, [(true, true), (false, false)]);
    let direct = compile_method("foo ^ x ifNil: [ ^ 3 ]", &mut Known::default());
    assert!(!direct.expect("it compiles").has_non_local_return);
}

#[test]
fn a_session_declares_on_assignment_and_only_when_all_else_is_right() {
    let mut session = Known {
        declares: true,
        ..Known::default()
    };
    let method = compile_do_it("b + 1. b := a := 3", &mut session).expect("it compiles");
    assert_eq!(method.to_string(), "(do-it (+ !b 1) (:= !b (:= !a 3)))");
    assert_eq!(session.declared.keys().collect::<Vec<_>>(), ["a", "b"]);

    let error = compile_do_it("c := 3. d foo", &mut session).unwrap_err();
    assert_eq!(
        (error.message.as_str(), error.position),
        ("Undeclared variable", 9)
    );
    assert!(compile_do_it("c := 3. Zork := 4", &mut session).is_err());
    assert_eq!(session.declared.len(), 2);
}

//! What parses, and as what.

use super::{check, do_it, method};
use crate::syntax::{EmptyEnvironment, ast, compile_method, parse_do_it};

#[test]
fn messages_bind_unary_before_binary_before_keyword() {
    check(
        &[
            ("3 + 4", "(do-it (+ 3 4))"),
            ("3 + 4 * 2", "(do-it (* (+ 3 4) 2))"),
            (
                "2 + 3 squared max: 4 negated - 1",
                "(do-it (max: (+ 2 (squared 3)) (- (negated 4) 1)))",
            ),
            (
                "(2 max: 3) between: 1 and: 4",
                "(do-it (between:and: (max: 2 3) 1 4))",
            ),
            ("3 true; false", "(do-it (cascade 3 (true) (false)))"),
            ("x := y := 3", "(do-it (:= @x (:= @y 3)))"),
            ("^ self foo. 4", "(do-it (^ (foo self)) 4)"),
            ("{ 1. x. { } }", "(do-it (brace 1 @x (brace)))"),
            ("..1..2.", "(do-it 1 2)"),
            ("", "(do-it)"),
            ("\"only a comment\"", "(do-it)"),
        ],
        do_it,
    );
}

#[test]
fn a_cascade_goes_to_the_receiver_of_its_first_message() {
    check(
        &[
            (
                "3 + 4; * 10; yourself",
                "(do-it (cascade 3 (+ 4) (* 10) (yourself)))",
            ),
            (
                "Object new foo: 1 bar: 2; baz",
                "(do-it (cascade (new !Object) (foo:bar: 1 2) (baz)))",
            ),
        ],
        do_it,
    );
}

#[test]
fn a_minus_sign_belongs_to_a_number_only_where_a_number_can_stand() {
    check(
        &[
            ("3-2", "(do-it (- 3 2))"),
            ("3 -2", "(do-it (- 3 2))"),
            ("3 - -2", "(do-it (- 3 -2))"),
            ("3--2", "(do-it (-- 3 2))"),
            ("-3 abs", "(do-it (abs -3))"),
            ("3 max: -2", "(do-it (max: 3 -2))"),
            ("3-1.5", "(do-it (- 3 1.5))"),
            ("3 foo; -2", "(do-it (cascade 3 (foo) (- 2)))"),
            ("#(1 -2 - 3)", "(do-it #(1 -2 #- 3))"),
            ("[:a|-2]", "(do-it (block (args a) -2))"),
        ],
        do_it,
    );
}

#[test]
fn literals_of_every_kind() {
    check(
        &[
            ("16rFF", "(do-it 255)"),
            ("1e20", "(do-it 100000000000000000000)"),
            ("3.14s2", "(do-it 157/50s2)"),
            ("1.0e100", "(do-it 1e100)"),
            ("$ ", "(do-it $ )"),
            ("$'", "(do-it $')"),
            ("'it''s'", "(do-it 'it''s')"),
            ("''", "(do-it '')"),
            ("'日本語 🎉'", "(do-it '日本語 🎉')"),
            ("#foo", "(do-it #foo)"),
            ("#foo:bar:", "(do-it #foo:bar:)"),
            ("##foo", "(do-it #foo)"),
            ("#'hello world'", "(do-it #hello world)"),
            ("#+", "(do-it #+)"),
            ("#[1 2 255]", "(do-it #[1 2 255])"),
            ("#(foo:bar: #+ - )", "(do-it #(#foo:bar: #+ #-))"),
            (
                "#(1 $a 'str' #sym sym (1 2) #(nil true false) #[1] [ ] ; := )",
                "(do-it #(1 $a 'str' #sym #sym #(1 2) #(nil true false) #[1] #[ #] #; #:=))",
            ),
            ("nil isNil", "(do-it (isNil nil))"),
            ("größe := 1", "Undeclared variable@1"),
        ],
        do_it,
    );
}

#[test]
fn blocks_have_arguments_and_temporaries() {
    check(
        &[
            ("[]", "(do-it (block))"),
            ("[:a]", "(do-it (block (args a)))"),
            ("[:a :b | a]", "(do-it (block (args a b) a))"),
            ("[:a || b | b]", "(do-it (block (args a) (temps b) b))"),
            ("[:a|| b|b]", "(do-it (block (args a) (temps b) b))"),
            ("[||3]", "(do-it (block 3))"),
            ("| | 3", "(do-it 3)"),
            ("[:self | self]", "(do-it (block (args self) self))"),
        ],
        do_it,
    );
}

#[test]
fn methods_of_all_shapes() {
    check(
        &[
            ("foo ^ x", "(method foo (^ @x))"),
            ("+ other ^ other", "(method + (args other) (^ other))"),
            ("| other ^ other", "(method | (args other) (^ other))"),
            (
                "at: i put: v | t | t := v. ^ t",
                "(method at:put: (args i v) (temps t) (:= t v) (^ t))",
            ),
            ("true ^ 1", "(method true (^ 1))"),
            (
                "foo: a <primitive: 'fooBar' error: code> ^ code",
                "(method foo: (args a) (pragma primitive:error: 'fooBar' #code) (^ code))",
            ),
            (
                "foo <script> <order: 3 title: #(1 'a')> | t | <after> ^ t",
                "(method foo (pragma script) (pragma order:title: 3 #(1 'a')) (pragma after) (temps t) (^ t))",
            ),
        ],
        method,
    );
}

#[test]
fn a_primitive_pragma_is_read_out() {
    let source = "foo <primitive: 60 error: ec module: 'M'>";
    let method = compile_method(source, &mut EmptyEnvironment).expect("it compiles");
    let primitive = method.primitive.expect("a primitive");
    assert_eq!(
        (primitive.name.as_str(), primitive.module.as_deref()),
        ("60", Some("M"))
    );
    let error = primitive.error.expect("an error variable");
    assert_eq!(method.locals[error.index()].name, "ec");
}

#[test]
fn ranges_are_in_characters_and_include_parentheses() {
    let source = "\"🎉\" (日 + 1) foo: 2";
    let method = parse_do_it(source).expect("it parses");
    let span = method.body.statements[0].span();
    assert_eq!((span.first(), span.last()), (5, 18));
    let ast::Expression::Send(send) = method.body.statements[0].expression() else {
        panic!("not a send");
    };
    assert_eq!(send.receiver.span(), ast::Span::new(4, 11));
    assert_eq!(send.message.selector_parts, [ast::Span::new(12, 16)]);
    assert_eq!(method.comments, [ast::Span::new(0, 3)]);
}

//! The front end by example: source in, tree, error or range out.

use std::collections::BTreeMap;

use super::ast::SharedId;
use super::tonel::{self, Definition};
use super::*;

/// Knows the instance variables `x` and `y`, the writable global `Global` and the class `Object`.
#[derive(Default)]
struct Known {
    declares: bool,
    declared: BTreeMap<String, u64>,
}

impl Environment for Known {
    fn resolve(&mut self, name: &str) -> Option<Resolution> {
        let shared = |id, writable| {
            Some(Resolution::Shared {
                id: SharedId(id),
                writable,
            })
        };
        match name {
            "x" => Some(Resolution::Instance(0)),
            "y" => Some(Resolution::Instance(1)),
            "Global" => shared(1, true),
            "Object" => shared(2, false),
            _ => self.declared.get(name).and_then(|id| shared(*id, true)),
        }
    }

    fn can_declare(&self, name: &str) -> bool {
        self.declares && name.starts_with(char::is_lowercase)
    }

    fn declare(&mut self, name: &str) {
        let id = 100 + self.declared.len() as u64;
        self.declared.insert(name.to_owned(), id);
    }
}

fn do_it(source: &str) -> String {
    match compile_do_it(source, &mut Known::default()) {
        Ok(method) => method.to_string(),
        Err(error) => format!("{}@{}", error.message, error.position),
    }
}

fn method(source: &str) -> String {
    match compile_method(source, &mut Known::default()) {
        Ok(method) => method.to_string(),
        Err(error) => format!("{}@{}", error.message, error.position),
    }
}

#[track_caller]
fn check(examples: &[(&str, &str)], run: fn(&str) -> String) {
    for (source, expected) in examples {
        assert_eq!(run(source), *expected, "for the source {source}");
    }
}

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
fn errors_are_pharos_in_word_and_place() {
    check(
        &[
            ("3 +", "Variable or expression expected@4"),
            ("3 + ) 4", "Variable or expression expected@5"),
            ("(3", "')' expected@3"),
            ("(3 4)", "')' expected@4"),
            ("3 4", "End of statement expected@3"),
            ("'abc", "Unmatched ' in string literal.@5"),
            ("#'abc", "Unmatched ' in string literal.@6"),
            ("\"abc", "Unmatched \" in comment.@5"),
            ("3 + \"abc", "Unmatched \" in comment.@9"),
            ("$", "Character expected@2"),
            ("1 # 2", "Literal expected@4"),
            ("3 🎉", "Unknown character@3"),
            ("#[1 300]", "8-bit integer expected@5"),
            ("#[1 2", "']' expected@6"),
            ("{ 1 ]", "Missing opener for closer: ]@5"),
            ("[ 1 )", "Missing opener for closer: )@5"),
            ("| a", "'|' or variable expected@4"),
            ("[ :a | :b ]", "Unexpected block parameter@8"),
            (":= 3", "variable expected in assigment@1"),
            ("3 foo; 4", "Cascade message expected@8"),
            ("(3 foo); bar", "Message expected@8"),
            ("2r5", "a digit between 0 and 1 expected@3"),
            ("self := 3", "Assignment to read-only variable@1"),
            ("thisContext := 3", "Assignment to read-only variable@1"),
            ("Object := 3", "Assignment to read-only variable@1"),
            ("Global := 3", "(do-it (:= !Global 3))"),
            ("Zork := 3", "Undeclared variable@1"),
            ("x := zork", "Undeclared variable@6"),
            ("zork := zonk", "Undeclared variable@1"),
            ("| a | a := b. self := a", "Undeclared variable@12"),
            ("[:x :x | x ]. nonsense", "Undeclared variable@15"),
        ],
        do_it,
    );
    check(
        &[
            ("", "Message pattern expected@1"),
            ("foo: ^ 3", "Variable name expected@6"),
            ("bar ^ 3 + )", "Variable or expression expected@11"),
            ("foo <bar", "'>' expected@9"),
            ("foo <bar: x>", "Literal constant expected@11"),
            ("foo: a a := 3", "Assignment to read-only variable@8"),
            ("foo: a ^ 3 ]", "Missing opener for closer: ]@12"),
        ],
        method,
    );
}

#[test]
fn an_error_carries_line_column_range_and_name() {
    let error = compile_do_it("3 foo.\r\n  日 zork bar", &mut EmptyEnvironment).unwrap_err();
    assert_eq!((error.line, error.column), (2, 3));
    assert_eq!(error.variable.as_deref(), Some("日"));
    assert_eq!(error.range, ast::Span::new(10, 11));
    let error = compile_do_it("3 +", &mut EmptyEnvironment).unwrap_err();
    assert!(error.range.is_empty());
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

#[test]
fn endless_nesting_is_an_error_not_a_crash() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{", "}"),
        ("#(", ")"),
        ("a := ", ""),
    ] {
        let source = open.repeat(100_000) + &close.repeat(100_000);
        let error = parse_do_it(&source).unwrap_err();
        assert!(
            error.message.starts_with("Nested deeper"),
            "{}",
            error.message
        );
        let source = open.repeat(150) + "3" + &close.repeat(150);
        assert!(parse_do_it(&source).is_ok(), "{open} 150 times");
    }
    for message in [" foo", " + 1"] {
        let error = parse_do_it(&("1".to_owned() + &message.repeat(100_000))).unwrap_err();
        assert!(error.message.contains("chained"), "{}", error.message);
        assert!(parse_do_it(&("1".to_owned() + &message.repeat(900))).is_ok());
    }
    // neither limit alone would bound the tree's height
    let chain = "(".repeat(150) + "1" + &(" foo".repeat(20) + ")").repeat(150);
    assert!(parse_do_it(&chain).unwrap_err().message.contains("chained"));
}

#[test]
fn long_flat_sources_parse() {
    let statements = "a foo. ".repeat(100_000);
    assert_eq!(
        parse_do_it(&statements).map(|m| m.body.statements.len()),
        Ok(100_000)
    );
    let cascade = "a foo".to_owned() + &"; bar: 1".repeat(100_000);
    assert!(parse_do_it(&cascade).is_ok());
    let array = format!("#({})", "1 ".repeat(100_000));
    assert!(parse_do_it(&array).is_ok());
}

/// A small generator of pseudo random numbers, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

#[test]
fn garbled_sources_give_a_tree_or_an_error_within_the_source() {
    let pieces = [
        "foo",
        "foo:",
        ":x",
        "|",
        "||",
        "[",
        "]",
        "(",
        ")",
        "{",
        "}",
        "#(",
        "#[",
        ".",
        ";",
        "^",
        ":=",
        "'a'",
        "'",
        "\"",
        "\"c\"",
        "#",
        "#sym",
        "$a",
        "$",
        "3",
        "-3",
        "16r",
        "1e",
        "2.5s2",
        "-",
        "+",
        "<",
        ">",
        "<primitive: 1>",
        " ",
        "\n",
        "é",
        "🎉",
        "self",
        "nil",
        "super",
        "thisContext",
        "ifTrue:",
        "whileTrue",
        "to:do:",
        "\0",
    ];
    let mut random = Random(42);
    for round in 0..20_000 {
        let source: String = (0..random.below(30))
            .flat_map(|_| {
                [
                    pieces[random.below(pieces.len())],
                    if random.below(2) == 0 { " " } else { "" },
                ]
            })
            .collect();
        let length = source.chars().count() as u32;
        for result in [
            compile_do_it(&source, &mut Known::default()),
            compile_method(
                &source,
                &mut Known {
                    declares: true,
                    ..Known::default()
                },
            ),
        ] {
            match result {
                Ok(method) => assert!(!method.to_string().is_empty()),
                Err(error) => assert!(
                    (1..=length + 1).contains(&error.position)
                        && error.range.end <= length.max(error.range.start),
                    "round {round}: {error:?} in {source:?}"
                ),
            }
        }
        let offset = random.below(length as usize + 1) as u32;
        if let Some(span) = expression_at(&source, offset) {
            assert!(
                span.start < span.end && span.end <= length,
                "round {round}: {span:?} in {source:?}"
            );
            let code: String = source
                .chars()
                .skip(span.start as usize)
                .take((span.end - span.start) as usize)
                .collect();
            assert!(
                parse_do_it(&code).is_ok(),
                "round {round}: {code:?} of {source:?}"
            );
        }
        let _ = tonel::read("garbled", &format!("Class {{ #name : #X }} X >> {source}"));
    }
}

/// The code that an evaluation at `‸` means.
fn at_cursor(marked: &str) -> Option<String> {
    let offset = marked.chars().position(|c| c == '‸').expect("a cursor") as u32;
    let source: String = marked.chars().filter(|c| *c != '‸').collect();
    let span = expression_at(&source, offset)?;
    Some(
        source
            .chars()
            .skip(span.start as usize)
            .take((span.end - span.start) as usize)
            .collect(),
    )
}

#[test]
fn without_selection_the_line_or_the_statement_around_the_cursor_is_meant() {
    for (marked, expected) in [
        ("3 + 4‸", Some("3 + 4")),
        ("‸  3 + 4.  \"why\"", Some("3 + 4")),
        ("a := 3. a foo‸", Some("a := 3. a foo")),
        ("1 foo.\n2 b‸ar.\n3 baz", Some("2 bar")),
        ("x foo\n\tbar: [ :a |\n\t\ta ‸+ ].\ny", None),
        (
            "x foo\n\tbar: [ :a |‸\n\t\ta + 1 ].\ny",
            Some("x foo\n\tbar: [ :a |\n\t\ta + 1 ]"),
        ),
        ("x\n\tfoo: 1‸\n\tbar: 2.\ny", Some("x\n\tfoo: 1\n\tbar: 2")),
        ("x foo ]‸\ny bar", None),
        ("it's prose\n3 + 4‸\nmore ) prose", Some("3 + 4")),
        (
            "it's prose\nOrderedCollection new\n\tadd: 3;‸\n\tyourself\nmore ) prose",
            Some("OrderedCollection new\n\tadd: 3;\n\tyourself"),
        ),
        ("1 foo. 2 bar: [\n‸3 ]", Some("2 bar: [\n3 ]")),
        ("(1 foo.\n‸", None),
        ("1 foo.\n‸\n2 bar", None),
        ("1 foo.\n\"only ‸words\"\n2 bar", None),
        ("\"many\n3 + 4‸\nwords\" 5", None),
        (
            "'many\n3 + 4‸\nwords' size",
            Some("'many\n3 + 4\nwords' size"),
        ),
        ("| a b |\na := 3.\na + b‸", Some("a + b")),
        ("日本 foo: '🎉'‸\n3", Some("日本 foo: '🎉'")),
        ("1 foo.\r2 bar‸\r\n3 baz", Some("2 bar")),
        ("‸", None),
    ] {
        assert_eq!(
            at_cursor(marked).as_deref(),
            expected,
            "for the workspace {marked}"
        );
    }
}

#[test]
fn a_wrong_line_can_still_be_evaluated_for_its_message() {
    assert_eq!(expression_at("1\n 3 + ) \n2", 4), None);
    assert_eq!(line_at("1\n 3 + ) \n2", 4), Some(ast::Span::new(3, 8)));
    assert_eq!(line_at("\"c\"", 1), None);
}

#[test]
fn a_tonel_class_comes_apart() {
    let source = "\"\nI say \"\"hello\"\".\n\"\nClass {\n\t#name : #Foo,\n\t#superclass : #Object,\n\t#type : #variable,\n\
                  \t#instVars : [\n\t\t'a',\n\t\t'#b => WeakSlot'\n\t],\n\t#classVars : [ 'K' ],\n\t#classInstVars : [ 'c' ],\n\
                  \t#category : #'X-Y-Z',\n\t#package : #X,\n\t#tag : #'Y-Z'\n}\n\n\
                  { #category : #'instance creation' }\nFoo class >> at: x put: y [\n\n\t^ #( ] [ ) , $] , ']' , \"]\" [ #[1] ]\n]\n\n\
                  { #category : #b }\nFoo >> + other [ ^ 3 ]\nFoo >> bare [\n]\n";
    let file = tonel::read("Foo.class.st", source).expect("it reads");
    let Definition::Class(class) = &file.definition else {
        panic!("not a class: {:?}", file.definition);
    };
    assert_eq!(class.comment, "I say \"hello\".");
    assert_eq!(
        (class.name.as_str(), class.superclass.as_deref()),
        ("Foo", Some("Object"))
    );
    assert_eq!(class.layout, "variable");
    assert_eq!(class.instance_variables, ["a", "b"]);
    assert_eq!(class.class_variables, ["K"]);
    assert_eq!(class.class_instance_variables, ["c"]);
    assert_eq!((class.package.as_str(), class.tag.as_str()), ("X", "Y-Z"));
    let methods: Vec<_> = file
        .methods
        .iter()
        .map(|m| (m.is_class_side, m.protocol.as_str(), m.source.as_str()))
        .collect();
    assert_eq!(
        methods,
        [
            (
                true,
                "instance creation",
                "at: x put: y\n\n\t^ #( ] [ ) , $] , ']' , \"]\" [ #[1] ]"
            ),
            (false, "b", "+ other ^ 3"),
            (false, "", "bare"),
        ]
    );
    assert_eq!(file.methods[1].pattern(), "+ other");
}

#[test]
fn a_place_in_a_methods_source_is_a_place_in_its_file() {
    let source = "Extension { #name : #Foo }\n\n{ #category : #'*X' }\nFoo >> bar [\n\t^ zork\n]\n";
    let file = tonel::read("Foo.extension.st", source).expect("it reads");
    assert_eq!(
        file.definition,
        Definition::Extension {
            class_name: "Foo".to_owned()
        }
    );
    let error = compile_method(&file.methods[0].source, &mut EmptyEnvironment).unwrap_err();
    let offset = file.methods[0].file_offset(error.range.start);
    assert_eq!(line_and_column(source, offset), (5, 4));
}

#[test]
fn a_broken_tonel_file_is_refused_with_its_place() {
    for (source, place) in [
        (
            "Klass { }",
            "F:1:1: Class, Trait, Extension or Package expected",
        ),
        ("Class { }", "F:1:1: Class { … } without #name"),
        ("Class { #name #X }", "F:1:15: ':' expected"),
        (
            "\"never ends",
            "F:1:1: The comment that begins here has no end",
        ),
        (
            "Class { #name : #X }\nX >> foo [\n\t[ ]",
            "F:2:10: The method body that begins here has no closing bracket",
        ),
        (
            "Class { #name : #X }\nX >> foo [ 'a ]",
            "F:2:12: Unmatched ' in string literal.",
        ),
        ("Class { #name : #X }\nX > foo [ ]", "F:2:3: '>>' expected"),
        (
            "Class { #name : #X }\nX >> [ ]",
            "F:2:6: a message pattern expected",
        ),
        (
            "Class { #name : #X }\n3",
            "F:2:1: a method, 'ClassName >> pattern [ … ]', expected",
        ),
    ] {
        let error = tonel::read("F", source).unwrap_err();
        assert_eq!(error.to_string(), place, "for the file {source}");
    }
}

#[test]
fn a_package_file_names_its_package() {
    let file = tonel::read("package.st", "Package { #name : #'STUI-Server' }\n").expect("it reads");
    assert_eq!(
        file.definition,
        Definition::Package {
            name: "STUI-Server".to_owned()
        }
    );
}

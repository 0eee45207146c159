//! Sources that nobody would write.

use super::Known;
use crate::syntax::{compile_do_it, compile_method, expression_at, parse_do_it, tonel};

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

//! What an evaluation without selection means.

use crate::syntax::{ast, expression_at, line_at};

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
    assert_eq!(line_at("\"many\n3 + 4\nwords\" 5", 7), None);
}

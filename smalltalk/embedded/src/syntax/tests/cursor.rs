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

/// Each line of these workspaces means the statement that is given beside it, by its number; 0: none.
#[track_caller]
fn check_lines(workspace: &str, lines: &[usize], statements: &[&str]) {
    let mut offset = 0;
    let mut seen = 0;
    for (line, number) in workspace.split_inclusive('\n').zip(lines) {
        let text = line.trim_end_matches(['\n', '\r']);
        let indentation = text.chars().take_while(|c| c.is_whitespace()).count();
        for column in [indentation, text.chars().count()] {
            let place = offset + column;
            let marked: String = workspace
                .chars()
                .take(place)
                .chain(['‸'])
                .chain(workspace.chars().skip(place))
                .collect();
            let expected = number.checked_sub(1).map(|index| statements[index]);
            assert_eq!(at_cursor(&marked).as_deref(), expected, "for {marked}");
        }
        offset += line.chars().count();
        seen += 1;
    }
    assert_eq!(seen, lines.len(), "lines of {workspace}");
}

#[test]
fn every_line_of_a_statement_means_all_of_it() {
    let cascade = "x := OrderedCollection new\n\tadd: 3;\n\tadd: 4;\n\tyourself";
    check_lines(&format!("{cascade}."), &[1; 4], &[cascade]);
    let definition = "Object subclass: #Foo\n    instanceVariableNames: 'a b'\n    classVariableNames: ''\n    package: 'X'";
    check_lines(definition, &[1; 4], &[definition]);
    let selection = "(1 to: 10)\n    select: [ :x | x even ]";
    check_lines(selection, &[1; 2], &[selection]);
    check_lines(
        &format!("{cascade}.\n{definition}\n{selection}\n3 + 4"),
        &[1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 4],
        &[cascade, definition, selection, "3 + 4"],
    );
    let block = "#(1 2) do: [ :each |\n\t| y |\n\ty foo.\n\ty bar ]\n\tdisplayingProgress: 'x'";
    check_lines(
        &format!("1 foo.\n{block}.\n2"),
        &[1, 2, 2, 2, 2, 2, 3],
        &["1 foo", block, "2"],
    );
    let unindented = "[ :y |\ny foo.\n\ny bar\n] value: 3";
    check_lines(
        &format!("{unindented}\ny bar"),
        &[1, 1, 1, 1, 1, 2],
        &[unindented, "y bar"],
    );
    let string = "Transcript show: 'it''s\n3 + 4\n\n[ a'; cr";
    check_lines(string, &[1; 4], &[string]);
    let array = "#(a b:\n(c) .\nd) size";
    check_lines(array, &[1; 3], &[array]);
    let commented = "x\n\t\"why\"\n\tfoo: 1 \"how\"\n\n\tbar: 2";
    check_lines(commented, &[1; 5], &[commented]);
    let waiting = "x :=\ny foo:\n3 +\n4; bar;\nbaz";
    check_lines(waiting, &[1; 5], &[waiting]);
    let operator = "3\n+ 4\n; + 5";
    check_lines(operator, &[1; 3], &[operator]);
}

#[test]
fn expressions_without_periods_between_them_are_statements_of_their_own() {
    check_lines("3 + 4\n5 factorial", &[1, 2], &["3 + 4", "5 factorial"]);
    check_lines("x foo\nbar", &[1, 2], &["x foo", "bar"]);
    check_lines("x foo\n\tbar", &[1, 1], &["x foo\n\tbar"]);
    check_lines(
        "\tx foo\n\tbar\n\t\tbaz",
        &[1, 2, 2],
        &["x foo", "bar\n\t\tbaz"],
    );
    check_lines("x foo\n\n\tbar", &[1, 0, 2], &["x foo", "bar"]);
    check_lines(
        "x foo\n  y := 3\n  -4 abs",
        &[1, 2, 3],
        &["x foo", "y := 3", "-4 abs"],
    );
    check_lines(
        "x foo\n  (3)\n  #(4) bar\n  ^ 5",
        &[1, 2, 3, 4],
        &["x foo", "(3)", "#(4) bar", "^ 5"],
    );
    check_lines(
        "a := 3\n| b c |\nb := a\n| d | d := 4. d",
        &[1, 2, 2, 3],
        &["a := 3", "b := a", "| d | d := 4. d"],
    );
    check_lines(
        "x foo \"a\n\nb\" bar\ny",
        &[1, 1, 1, 2],
        &["x foo \"a\n\nb\" bar", "y"],
    );
    check_lines(
        "x foo\r\n\tbar: 3\r\ny baz.\r\nz",
        &[1, 1, 2, 3],
        &["x foo\r\n\tbar: 3", "y baz", "z"],
    );
}

#[test]
fn what_is_wrong_elsewhere_does_not_matter() {
    check_lines(
        "it's a note\nx foo\n\tbar: 3\n\nisn't it?\n3 + 4",
        &[0, 1, 1, 0, 0, 2],
        &["x foo\n\tbar: 3", "3 + 4"],
    );
    check_lines(
        "x foo: [\n\n3 + 4\nx foo: ( 5\n6",
        &[0, 0, 1, 0, 2],
        &["3 + 4", "6"],
    );
    check_lines("3 + ) 4. 5\n6", &[0, 1], &["6"]);
    let block = "#(1 2) do: [ :each |\n\teach foo ]";
    check_lines(&format!("a ]\n{block}"), &[0, 1, 1], &[block]);
}

#[test]
fn no_line_of_a_wrong_statement_runs_by_itself() {
    let line = |workspace: &str, place: u32| {
        assert_eq!(
            expression_at(workspace, place),
            None,
            "at {place} of {workspace}"
        );
        line_at(workspace, place).map(|span| (span.start, span.end))
    };
    let unclosed = "(1 to: 10)\n\tselect: [ :x | x even\n3";
    assert_eq!(line(unclosed, 3), Some((0, 33)));
    assert_eq!(line(unclosed, 20), Some((12, 33)));
    let block = "3 to: 4 do: [ :x |\n\tx foo.\n\n\t4 bar )\n";
    assert_eq!(line(block, 21), Some((0, 36)));
    let method = "foo: x\n\tx bar.\n\t^ 3";
    assert_eq!(line(method, 9), Some((0, 14)));
}

#[test]
fn a_workspace_of_nothing_but_open_brackets_is_searched_with_bounded_work() {
    let workspace = "don't ( [\n".repeat(20_000);
    let length = workspace.chars().count() as u32;
    assert_eq!(expression_at(&workspace, length - 3), None);
    assert_eq!(
        expression_at(&format!("{workspace}\n3 + 4"), length + 3),
        Some(ast::Span::new(length + 1, length + 6))
    );
}

#[test]
fn a_wrong_line_can_still_be_evaluated_for_its_message() {
    assert_eq!(expression_at("1\n 3 + ) \n2", 4), None);
    assert_eq!(line_at("1\n 3 + ) \n2", 4), Some(ast::Span::new(3, 8)));
    assert_eq!(line_at("\"c\"", 1), None);
    assert_eq!(line_at("\"many\n3 + 4\nwords\" 5", 7), None);
}

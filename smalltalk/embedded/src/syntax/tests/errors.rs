//! Compile errors: Pharo's words and places.

use super::{check, do_it, method};
use crate::syntax::{EmptyEnvironment, ast, compile_do_it};

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
            (":= 3", "variable expected in assignment@1"),
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

//! Source code: expressions, methods, class files.

use stui_embedded::syntax::{
    EmptyEnvironment, compile_do_it, compile_method, expression_at, line_at, parse_do_it,
    parse_method, ston, tonel,
};

use crate::Target;

pub(super) const TARGET: Target = Target {
    name: "source",
    about: "Smalltalk source and Tonel files: a tree or an error within the source",
    seeds,
    words: WORDS,
    run,
};

pub(super) const WORDS: &[&str] = &[
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
    "self",
    "nil",
    "super",
    "thisContext",
    "ifTrue: [",
    "whileTrue: [",
    "to: 3 do: [",
    "Class {",
    "#name : ",
    "{ #category : }",
    "X >> ",
    "X class >> ",
];

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = super::files_in(
        concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../smalltalk/embedded/library"
        ),
        "st",
    );
    // whole classes cost time; the small ones have all there is
    seeds.retain(|seed| seed.len() < 4000);
    seeds.extend(expressions());
    seeds
}

/// Expressions of many kinds.
pub(super) fn expressions() -> Vec<Vec<u8>> {
    [
        "(1 to: 5) collect: [ :x | x squared ]",
        "| t | t := 3. ^ t. 77",
        "#(1 $a 'b' #c (true nil)) at: 5; printString",
        "[ :x | x foo ] on: Error do: [ :e | e return: 3 ]",
        "{ 1. 2 + 3. 'it''s' } isArray and: [ #[1 2 255] size > 2 ]",
        "16r1F + 2r101 - 1.5e-3 * 2.50s2 // (1/3)",
        "foo: a bar: b \"comment\" <pragma: #x> | t | ^ t ifNil: [ super foo: a bar: b ]",
        "[ 1/0 ] ensure: [ Transcript show: 'x'; cr ]",
        "Object subclass: #Foo instanceVariableNames: 'a b' classVariableNames: '' package: 'P'",
        "Object compile: 'foo ^ 3'. 3 foo",
        "| d | d := Dictionary new. d at: #a put: d. d printString",
        "(1 to: 100) inject: 0 into: [ :a :b | a + b ]",
        "100 factorial printString size",
        "[ Processor yield ] fork. (Delay forMilliseconds: 1) wait",
        "[ :a | a value: a ] value: [ :b | 3 ]",
        "thisContext sender. Error new signal: 'x'",
        "'日本語 🎉' reversed asSymbol == #a",
        "(ReadStream on: #(1 2 3)) upToEnd asOrderedCollection addFirst: 3; yourself",
        "1 perform: #+ withArguments: #(2)",
        "[ ^ 3 ] value",
        "1 to: 10 do: [ :i | i = 5 ifTrue: [ ^ i ] ]",
        "Smalltalk at: #Zork put: 3. Zork := 4. Smalltalk removeKey: #Zork",
        "(Array new: 3) at: 4 put: 5",
        "$a < $b | (3 @ 4 = (3 @ 4)) & ('abc' < 'abd')",
        "Semaphore new waitTimeoutMilliseconds: 1",
        "Object new instVarAt: 1; become: 3",
    ]
    .iter()
    .map(|seed| seed.as_bytes().to_vec())
    .collect()
}

fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let length = text.chars().count() as u32;
    let results = [
        parse_do_it(&text).map(drop),
        parse_method(&text).map(drop),
        compile_do_it(&text, &mut EmptyEnvironment).map(drop),
        compile_method(&text, &mut EmptyEnvironment).map(drop),
    ];
    for error in results.into_iter().filter_map(Result::err) {
        assert!(
            (1..=length + 1).contains(&error.position)
                && error.range.end <= length.max(error.range.start),
            "{error:?} is outside of the source of {length} characters"
        );
    }
    if let Ok(method) = parse_do_it(&text) {
        assert!(!method.to_string().is_empty());
    }
    let at = |part: u32| length / 4 * part + input.len() as u32 % 3;
    for offset in (0..=4).map(at).filter(|offset| *offset <= length) {
        for span in [expression_at(&text, offset), line_at(&text, offset)]
            .into_iter()
            .flatten()
        {
            assert!(span.start <= span.end && span.end <= length, "{span:?}");
        }
        if let Some(span) = expression_at(&text, offset) {
            let code: String = text
                .chars()
                .skip(span.start as usize)
                .take((span.end - span.start) as usize)
                .collect();
            assert!(
                parse_do_it(&code).is_ok(),
                "{code:?} was found as an expression"
            );
        }
    }
    if let Ok(file) = tonel::read("fuzzed", &text) {
        let _ = format!("{file:?}");
    }
    let characters: Vec<char> = text.chars().collect();
    let _ = ston::read(&characters, 0);
}

//! Defining classes and methods, and defining them anew.

use stui_embedded::vm::{SpawnOptions, VmEvent};

use crate::world::{World, all_print};

#[test]
fn classes_are_defined_by_messages_of_every_style() {
    all_print(&[
        (
            "(Object << #One slots: { #x. #y }; sharedVariables: { #Z }; tag: 'T'; package: 'P'; install) instVarNames",
            "#(#x #y)",
        ),
        ("One category", "#'P-T'"),
        ("One classVarNames", "#(#Z)"),
        (
            "(Object subclass: #Two instanceVariableNames: 'a b' classVariableNames: 'C' package: 'P') new printString",
            "'a Two'",
        ),
        (
            "(Two subclass: #Three instanceVariableNames: 'c' classVariableNames: '' category: 'P') allInstVarNames",
            "#(#a #b #c)",
        ),
        (
            "(Object subclass: #Four instanceVariableNames: '' classVariableNames: '' poolDictionaries: '' category: 'P') name",
            "#Four",
        ),
        (
            "(Array variableSubclass: #Five instanceVariableNames: '' classVariableNames: '' package: 'P') new: 2",
            "a Five(nil nil)",
        ),
        (
            "Three superclass == Two and: [ Two subclasses includes: Three ]",
            "true",
        ),
    ]);
}

#[test]
fn class_variables_and_class_side_variables_are_shared_as_they_should_be() {
    all_print(&[
        (
            "(Object << #Counting sharedVariables: { #Total }; package: 'P'; install) compile: 'bump ^ Total := (Total ifNil: [ 0 ]) + 1'",
            "#bump",
        ),
        ("Counting new bump. Counting new bump", "2"),
        ("(Counting << #Sub package: 'P'; install) new bump", "3"),
        (
            "Counting class instanceVariableNames: 'own'. Counting class compile: 'own ^ own := (own ifNil: [ 0 ]) + 1'. Counting own. Counting own",
            "2",
        ),
        ("Sub own", "1"),
    ]);
}

#[test]
fn instances_keep_their_values_when_the_class_changes_shape() {
    let mut world = World::new();
    for step in [
        "Object subclass: #Shape instanceVariableNames: 'a b' classVariableNames: '' package: 'P'",
        "Shape compile: 'a: x b: y a := x. b := y'; compile: 'pair ^ { a. b }'",
        "Shape subclass: #Sub instanceVariableNames: 'c' classVariableNames: '' package: 'P'",
        "Sub compile: 'c: x c := x'; compile: 'c ^ c'",
    ] {
        world.eval(step).expect(step);
    }
    world.prints(
        "one := Shape new a: 1 b: 2. two := Sub new a: 3 b: 4. two c: 5. 1",
        "1",
    );
    world.prints("Object subclass: #Shape instanceVariableNames: 'n b a' classVariableNames: '' package: 'P'. one pair", "#(1 2)");
    world.prints("{ two pair. two c }", "#(#(3 4) 5)");
    world.prints("one instVarNamed: 'n'", "nil");
    world.fails(
        "Object subclass: #Shape instanceVariableNames: 'a' classVariableNames: '' package: 'P'",
        "Error: Shape>>a:b: would not compile any more: Undeclared variable (line 1, column 19). Change or remove the method first",
    );
    // nothing was half done
    world.prints("{ one pair. two c }", "#(#(1 2) 5)");
}

#[test]
fn definitions_that_make_no_sense_are_refused_with_a_reason() {
    let mut world = World::new();
    for (source, reason) in [
        (
            "Object subclass: #lower",
            "'lower' is not a class name: it must be a word that begins in upper case",
        ),
        (
            "Point subclass: #P2 instanceVariableNames: 'x' classVariableNames: '' package: ''",
            "P2 would have the instance variable x twice",
        ),
        (
            "Object << #P3 slots: { #self }; install",
            "self cannot be an instance variable: it has a meaning of its own",
        ),
        (
            "Object subclass: #Array instanceVariableNames: 'q' classVariableNames: '' package: ''",
            "The shape of Array is known to the machine and cannot change",
        ),
        (
            "String subclass: #P4 instanceVariableNames: 'q' classVariableNames: '' package: ''. ByteString << #P5 slots: { #z }; install",
            "P5 cannot have instance variables: its instances hold bytes",
        ),
    ] {
        let answer = world.eval(source);
        let error = answer.expect_err(source);
        assert!(error.contains(reason), "{source}: {error}");
    }
}

#[test]
fn methods_come_and_go() {
    let mut world = World::new();
    world.prints(
        "(Object << #Methods package: 'P'; install) compile: 'foo ^ 1' classified: 'testing'",
        "#foo",
    );
    world.prints("Methods new foo", "1");
    world.prints("Methods compile: 'foo ^ 2'. Methods new foo", "2");
    world.prints("(Methods >> #foo) protocol", "#testing");
    world.prints("(Methods >> #foo) sourceCode", "'foo ^ 2'");
    world.prints(
        "Methods removeSelector: #foo. Methods new respondsTo: #foo",
        "false",
    );
    world.fails(
        "Methods new foo",
        "MessageNotUnderstood: Message not understood: Methods >> #foo",
    );
    world.prints(
        "[ Methods compile: 'foo ^ (' ] on: CodeError do: [ :e | { e messageText. e position } ]",
        "#('Variable or expression expected' 8)",
    );
    world.prints(
        "Methods removeFromSystem. Smalltalk includesKey: #Methods",
        "false",
    );
}

#[test]
fn super_begins_above_the_class_of_the_method() {
    all_print(&[
        (
            "(Object << #A package: 'P'; install) compile: 'm ^ #(a)'",
            "#m",
        ),
        (
            "(A << #B package: 'P'; install) compile: 'm ^ super m , #(b)'",
            "#m",
        ),
        ("(B << #C package: 'P'; install) new m", "#(#a #b)"),
        ("C compile: 'm ^ super m , #(c)'. C new m", "#(#a #b #c)"),
        ("A compile: 'm ^ #(x)'. C new m", "#(#x #b #c)"),
    ]);
}

#[test]
fn objects_can_change_places_and_class() {
    all_print(&[
        (
            "| a b | a := 'abc' copy. b := #(1 2) copy. a become: b. { a. b }",
            "#(#(1 2) 'abc')",
        ),
        (
            "| s | s := 'abc' copy. s at: 2 put: $日. { s. s class }",
            "{'a日c'. WideString}",
        ),
        ("[ 3 become: 4 ] on: Error do: [ :e | 0 ]", "0"),
        ("[ nil become: Object new ] on: Error do: [ :e | 0 ]", "0"),
    ]);
}

#[test]
fn what_a_do_it_defines_it_can_use() {
    let mut world = World::new();
    world.prints(
        "Object subclass: #Acct instanceVariableNames: 'bal' classVariableNames: '' package: 'P'. \
         Acct compile: 'bal ^ bal ifNil: [ 7 ]'. Acct new bal",
        "7",
    );
    world.prints("Smalltalk at: #Shared put: 5. Shared + 1", "6");
    world.prints(
        "Error subclass: #MyErr. [ MyErr signal ] on: MyErr do: [ :e | e class name ]",
        "#MyErr",
    );
    world.prints("x := [ Late ]. Smalltalk at: #Late put: 8. x value", "8");
    world.prints(
        "OpalCompiler evaluate: 'Smalltalk at: #Later put: 9. Later'",
        "9",
    );
}

#[test]
fn a_global_that_is_still_missing_when_it_is_read_is_named() {
    let mut world = World::new();
    world.fails(
        "Transcript show: 'before'. Missing new foo",
        "UndeclaredVariableRead: Attempt to read undeclared variable Missing",
    );
    assert_eq!(world.transcript, "before");
    let process = world.spawn("3 + 4.\nArray with: 3 with: Missing new");
    let (top, range) = world.run_until(|_, event| match event {
        VmEvent::Failed {
            process: failed,
            stack,
            ..
        } if failed == process => stack
            .first()
            .map(|frame| (frame.method.clone(), (frame.range.start, frame.range.end))),
        _ => None,
    });
    assert_eq!((top.as_str(), range), ("UndefinedObject>>DoIt", (27, 34)));
    world.prints(
        "[ Missing ] on: UndeclaredVariableRead do: [ :e | e resume: 3 ]",
        "3",
    );
    for (source, name, position) in [
        ("Missing foo: bar", "bar", 14),
        ("Missing := 3", "Missing", 1),
    ] {
        let error = world
            .vm
            .spawn(source, world.bindings, SpawnOptions::default())
            .expect_err("a name that no statement can define");
        assert_eq!(error.position, position);
        assert!(
            error
                .sentence()
                .starts_with(&format!("Undeclared variable {name} "))
        );
    }
    world.fails(
        "Object compile: 'missing ^ Missing'",
        "CodeError: Undeclared variable",
    );
}

//! Contexts, methods and the library seen from inside and outside.

use std::collections::BTreeSet;

use stui_embedded::vm::{Op, Vm, VmConfig};

use crate::world::{World, all_print};

#[test]
fn contexts_are_objects() {
    all_print(&[
        ("thisContext printString", "'UndefinedObject>>DoIt'"),
        ("thisContext sender", "nil"),
        ("| x | x := 3. thisContext tempNamed: 'x'", "3"),
        ("| x | x := 3. thisContext tempNamed: 'x' put: 4. x", "4"),
        (
            "| x | x := 3. [ x := x + 1 ] value. thisContext tempNamed: 'x'",
            "4",
        ),
        ("[ thisContext home == thisContext sender ] value", "true"),
        ("[ :a | thisContext arguments ] value: 9", "#(9)"),
        ("[ thisContext return: 5. 6 ] value", "5"),
        (
            "| n | n := 0. [ n := n + 1. n < 3 ifTrue: [ thisContext restart ]. n ] value",
            "3",
        ),
        ("| c | c := [ thisContext ] value. c isDead", "true"),
    ]);
}

#[test]
fn methods_tell_about_themselves() {
    all_print(&[
        ("Point >> #+", "Point>>#+"),
        ("(Point >> #+) numArgs", "1"),
        ("[ :a :b | a ] numArgs", "2"),
        (
            "(Object << #Marked package: 'P'; install) compile: 'm <mark: 3 with: #x> ^ 1'",
            "#m",
        ),
        ("(Marked >> #m) pragmas first arguments", "#(3 #x)"),
        ("(Marked >> #m) pragmas first selector", "#mark:with:"),
        ("(Object >> #printString) methodClass", "Object"),
        ("[ :x | x > 2 ] printString", "'[ :x | x > 2 ]'"),
    ]);
}

#[test]
fn every_message_that_the_library_sends_has_a_method_somewhere() {
    let vm = Vm::boot(VmConfig::default()).expect("boots");
    let codes: Vec<_> = vm
        .heap
        .all_objects()
        .filter_map(|oop| vm.heap.code(oop))
        .collect();
    let implemented: BTreeSet<_> = codes
        .iter()
        .filter(|code| !code.is_block)
        .map(|code| code.selector)
        .collect();
    let mut missing = Vec::new();
    for code in &codes {
        for op in &code.ops {
            let (Op::Send { selector, .. } | Op::SuperSend { selector, .. }) = op else {
                continue;
            };
            let selector = code.literals[*selector as usize];
            if !implemented.contains(&selector) {
                let name = |oop| vm.text(oop).unwrap_or_default();
                missing.push(format!(
                    "{} in {}>>{}",
                    name(selector),
                    vm.name_of_class(code.owner),
                    name(code.selector)
                ));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn class_comments_name_what_each_class_is() {
    let mut world = World::new();
    world.prints(
        "(Smalltalk allClasses select: [ :each | each hasComment not ]) asArray",
        "#()",
    );
}

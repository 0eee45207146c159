//! Class files, taken apart.

use crate::syntax::tonel::{self, Definition};
use crate::syntax::{EmptyEnvironment, compile_method, line_and_column};

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

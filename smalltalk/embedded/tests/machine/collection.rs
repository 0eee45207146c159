//! Collection at nearly every opportunity changes nothing but time.

use stui_embedded::vm::VmConfig;

use crate::world::World;

/// A machine that collects after every few hundred bytes of allocation.
fn stressed() -> World {
    World::with(VmConfig {
        collect_after: Some(300),
        ..VmConfig::default()
    })
}

#[test]
fn answers_are_the_same_when_collecting_all_the_time() {
    let mut world = stressed();
    for (source, expected) in [
        (
            "30 factorial printString",
            "'265252859812191058636308480000000'",
        ),
        (
            "((1 to: 20) collect: [ :x | x squared ]) asOrderedCollection removeFirst",
            "1",
        ),
        (
            "| d | d := Dictionary new. 1 to: 30 do: [ :i | d at: i printString put: i ]. d at: '17'",
            "17",
        ),
        (
            "[ 1 / 0 ] on: ZeroDivide do: [ :e | e class name , e messageText printString ]",
            "#'ZeroDivide'''''",
        ),
        (
            "[ [ Error signal: 'a' ] ensure: [ 3 printString ] ] on: Error do: [ :e | e messageText ]",
            "'a'",
        ),
        (
            "| s r | s := Semaphore new. [ r := 'done' reversed. s signal ] fork. s wait. r",
            "'enod'",
        ),
        (
            "(String streamContents: [ :s | 1 to: 10 do: [ :i | s print: i; nextPutAll: '日' ] ]) size",
            "21",
        ),
        ("#(3 1 2) asSortedCollection asArray", "#(1 2 3)"),
        (
            "later := [ :x | [ :y | x + y ] ] value: 3. later value: 4",
            "7",
        ),
        ("later value: 5", "8"),
        (
            "(Object subclass: #Stressed instanceVariableNames: 'a b' classVariableNames: '' package: 'Tests') new printString",
            "'a Stressed'",
        ),
        ("Stressed name", "#Stressed"),
        (
            "Stressed compile: 'a: x a := x. ^ self'; compile: 'a ^ a'. (Stressed new a: 'kept') a",
            "'kept'",
        ),
        (
            "thing := Stressed new a: 5. Stressed addInstVarNamed: 'c'. thing a",
            "5",
        ),
    ] {
        world.prints(source, expected);
    }
    assert!(
        world.vm.collections() > 200,
        "{} collections",
        world.vm.collections()
    );
}

#[test]
fn handles_of_the_host_keep_objects_alive() {
    let mut world = World::new();
    let text = world.vm.heap.string("kept by the host");
    let root = world.vm.retain(text);
    let before = world.vm.heap.used();
    for _ in 0..3 {
        world.vm.collect_garbage();
    }
    assert_eq!(
        world.vm.text(root.oop()).as_deref(),
        Some("kept by the host")
    );
    drop(root);
    world.vm.collect_garbage();
    assert!(world.vm.heap.used() < before);
}

#[test]
fn dropped_bindings_free_what_they_held() {
    let mut world = World::new();
    world.prints("hog := Array new: 1000000. 1", "1");
    world.vm.collect_garbage();
    let full = world.vm.heap.used();
    world.vm.drop_bindings(world.bindings);
    world.vm.collect_garbage();
    assert!(world.vm.heap.used() + 7_000_000 < full);
}

#[test]
fn unused_symbols_are_forgotten() {
    let mut world = World::new();
    world.prints("'never seen before' asSymbol size", "17");
    world.vm.collect_garbage();
    assert_eq!(world.vm.find_symbol("never seen before"), None);
    assert!(world.vm.find_symbol("printOn:").is_some());
}

#[test]
fn many_evaluations_leave_nothing_behind() {
    let mut world = World::new();
    let round = |world: &mut World| {
        for _ in 0..500 {
            world.prints("#(1 2 3) collect: [ :x | x * 2 ]", "#(2 4 6)");
            world.fails(
                "nil foo",
                "MessageNotUnderstood: receiver of \"foo\" is nil",
            );
        }
        world.run_all();
        world.vm.collect_garbage();
        world.vm.heap.used()
    };
    let first = round(&mut world);
    let second = round(&mut world);
    assert!(second <= first + 10_000, "{first} bytes, then {second}");
}

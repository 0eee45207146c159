//! Endless recursion, endless allocation, endless forking: errors, never a crash.

use stui_embedded::vm::{Activity, VmConfig, VmEvent};

use crate::world::World;

/// A machine with little room, so that limits are reached soon.
fn small() -> World {
    World::with(VmConfig {
        memory_limit: 24 << 20,
        memory_reserve: 16 << 20,
        max_depth: 20_000,
        depth_reserve: 5_000,
        max_processes: 200,
        ..VmConfig::default()
    })
}

const OVERFLOW: &str = "StackOverflow: More than 20000 unfinished calls: look for a method that calls itself without end";
const MEMORY: &str = "OutOfMemory: The memory limit of 24 MiB would be exceeded";

#[test]
fn endless_recursion_is_an_error_wherever_it_happens() {
    let mut world = small();
    for source in [
        "| b | b := nil. b := [ b value ]. b value",
        "| b | b := nil. b := [ [ b value ] ensure: [ 3 ] ]. b value",
        "| b | b := nil. b := [ [ 1 / 0 ] on: ZeroDivide do: [ :e | b value ] ]. b value",
        "| b | b := nil. b := [ [ ] ensure: [ b value ] ]. b value",
        "| b | b := nil. b := [ [ b value ] ifCurtailed: [ 1 ] ]. b value",
        "| b | b := nil. b := [ #(1) do: [ :e | b value ] ]. b value",
        "| a | a := Array new: 1. a at: 1 put: a. a hash",
    ] {
        assert_eq!(world.eval(source), Err(OVERFLOW.to_owned()), "{source}");
        world.prints("3 + 4", "7");
    }
}

#[test]
fn recursion_without_end_can_be_handled_and_unwinds() {
    let mut world = small();
    world.prints(
        "| b n | n := 0. b := nil. b := [ [ b value ] ensure: [ n := n + 1 ] ].
        [ b value ] on: StackOverflow do: [ :e | e return: 0 ]. n > 1000",
        "true",
    );
    // and once more in the same process: the limit is as before
    world.prints(
        "| b | b := nil. b := [ b value ].
        (1 to: 3) collect: [ :i | [ b value ] on: StackOverflow do: [ :e | i ] ]",
        "#(1 2 3)",
    );
}

#[test]
fn recursion_in_the_handler_of_its_own_error_ends_the_process_only() {
    let mut world = small();
    let process = world.spawn(
        "| b | b := nil. b := [ b value ]. [ b value ] on: StackOverflow do: [ :e | b value ]",
    );
    let events = world.run_all();
    assert!(
        events.iter().any(|event| matches!(event,
        VmEvent::Failed { process: failed, terminated: true, .. } if *failed == process)),
        "{events:?}"
    );
    world.prints("3 + 4", "7");
}

#[test]
fn deep_recursion_within_the_limit_works() {
    let mut world = World::new();
    world.prints(
        "Integer compile: 'depth ^ self = 0 ifTrue: [ 0 ] ifFalse: [ (self - 1) depth + 1 ]'",
        "#depth",
    );
    world.prints("100000 depth", "100000");
}

#[test]
fn endless_allocation_is_an_error_and_the_memory_is_free_again() {
    let mut world = small();
    for source in [
        "| c | c := OrderedCollection new. [ true ] whileTrue: [ c add: (Array new: 10000) ]",
        "| c | c := nil. [ true ] whileTrue: [ c := Array with: c ]",
        "| c | c := OrderedCollection new. [ true ] whileTrue: [ c add: (String new: 100000) ]",
        "| s | s := 'abc'. [ true ] whileTrue: [ s := s , s ]",
        "Array new: 100000000000",
        "ByteArray new: 20000000000",
        "String new: 1 bitShift: 70",
    ] {
        let source = source.replace("String new: 1 bitShift: 70", "String new: (1 bitShift: 70)");
        assert_eq!(world.eval(&source), Err(MEMORY.to_owned()), "{source}");
        world.prints("3 + 4", "7");
    }
    world.prints("Smalltalk garbageCollect < 6000000", "true");
}

#[test]
fn running_out_of_memory_can_be_handled() {
    let mut world = small();
    world.prints(
        "| c | c := OrderedCollection new.
        [ [ true ] whileTrue: [ c add: (Array new: 10000) ] ] on: OutOfMemory do: [ :e | c := nil. e messageText ]",
        "'The memory limit of 24 MiB would be exceeded'",
    );
    world.prints(
        "[ Array new: 1000000000 ] on: OutOfMemory do: [ :e | 4 ]",
        "4",
    );
}

#[test]
fn memory_held_by_a_session_can_be_given_back() {
    let mut world = small();
    assert_eq!(
        world.eval(
            "hog := OrderedCollection new. [ true ] whileTrue: [ hog add: (Array new: 1000) ]"
        ),
        Err(MEMORY.to_owned())
    );
    world.prints("hog size > 1000", "true");
    world.prints("hog := nil", "nil");
    world.prints("Smalltalk garbageCollect < 6000000", "true");
}

#[test]
fn garbage_does_not_count_against_the_limit() {
    let mut world = small();
    world.prints("1 to: 2000 do: [ :i | Array new: 100000 ]. 5", "5");
    world.prints("1 to: 300000 do: [ :i | Object new ]. 6", "6");
    assert!(world.vm.collections() > 10);
}

#[test]
fn endless_forking_is_an_error() {
    let mut world = small();
    let process = world.spawn("[ true ] whileTrue: [ [ [ true ] whileTrue ] fork ]");
    let message = world.run_until(|_, event| match event {
        VmEvent::Failed {
            process: failed,
            child: false,
            message,
            ..
        } if failed == process => Some(message),
        _ => None,
    });
    assert!(
        message.starts_with("Too many processes are running"),
        "{message}"
    );
    world.prints("3 + 4", "7");
    assert!(world.vm.terminate_children(process) >= 190);
    world.vm.interrupt(process);
    while world.vm.run(1_000) == Activity::Busy {}
    world.prints("3 + 4", "7");
}

#[test]
fn forked_processes_that_nothing_can_wake_are_collected() {
    let mut world = small();
    world.prints(
        "1 to: 30000 do: [ :i | [ Semaphore new wait ] fork. Processor yield ]. 5",
        "5",
    );
    world.prints("Smalltalk garbageCollect < 6000000", "true");
}

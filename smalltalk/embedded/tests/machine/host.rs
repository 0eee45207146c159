//! What the host can do: interrupt, terminate, resume, look at objects, keep variables.

use stui_embedded::vm::{Activity, SpawnOptions, VmEvent};

use crate::world::World;

#[test]
fn an_interrupt_ends_whatever_a_process_does() {
    for source in [
        "[ true ] whileTrue",
        "[ ] repeat",
        "(Delay forSeconds: 1000) wait",
        "Semaphore new wait",
        "[ [ true ] whileTrue ] ensure: [ Transcript show: 'unwound' ]",
        "[ [ true ] whileTrue ] on: Exception do: [ :e | e retry ]",
    ] {
        let mut world = World::new();
        let process = world.spawn(source);
        world.vm.run(50_000);
        assert!(world.vm.interrupt(process), "{source}");
        world.run_until(|_, event| {
            matches!(event, VmEvent::Terminated { process: ended } if ended == process)
                .then_some(())
        });
        assert_eq!(
            world.transcript,
            if source.contains("unwound") {
                "unwound"
            } else {
                ""
            }
        );
        assert!(!world.vm.interrupt(process));
        assert_eq!(world.vm.run(1_000), Activity::Idle);
    }
}

#[test]
fn a_second_interrupt_ends_an_unwind_block_that_does_not_end() {
    let mut world = World::new();
    let process = world.spawn("[ [ true ] whileTrue ] ensure: [ [ true ] whileTrue ]");
    world.vm.run(50_000);
    assert!(world.vm.interrupt(process));
    assert_eq!(world.vm.run(50_000), Activity::Busy);
    assert!(world.vm.take_events().is_empty());
    assert!(world.vm.interrupt(process));
    assert!(matches!(world.run_all()[..], [VmEvent::Terminated { .. }]));
}

#[test]
fn termination_runs_no_unwind_blocks() {
    let mut world = World::new();
    let process = world.spawn("[ [ true ] whileTrue ] ensure: [ Transcript show: 'unwound' ]");
    world.vm.run(50_000);
    assert!(world.vm.terminate(process));
    assert!(matches!(world.run_all()[..], [VmEvent::Terminated { .. }]));
}

#[test]
fn a_failed_process_is_kept_and_can_be_continued() {
    let mut world = World::new();
    let process = world.spawn("| x | x := 1 / 0. { x. 5 }");
    let events = world.run_all();
    let [
        VmEvent::Failed {
            class_name,
            message,
            stack,
            terminated: false,
            ..
        },
    ] = &events[..]
    else {
        panic!("{events:?}");
    };
    assert_eq!((class_name.as_str(), message.as_str()), ("ZeroDivide", ""));
    assert_eq!(
        stack.first().map(|frame| frame.method.as_str()),
        Some("SmallInteger(Integer)>>/")
    );
    let do_it = stack
        .iter()
        .find(|frame| frame.is_do_it)
        .expect("the evaluated code");
    assert_eq!((do_it.range.start, do_it.range.end), (11, 16));
    assert!(world.vm.resume(process));
    let value = world.run_until(|vm, event| match event {
        VmEvent::Finished { value, .. } => Some(vm.indexed_element(value.oop(), 0)),
        _ => None,
    });
    assert_eq!(value, Some(stui_embedded::vm::Oop::NIL));
}

#[test]
fn a_failed_process_that_is_interrupted_runs_its_unwind_blocks() {
    let mut world = World::new();
    let process = world.spawn("[ 1 / 0 ] ensure: [ Transcript show: 'unwound' ]");
    world.run_until(|_, event| matches!(event, VmEvent::Failed { .. }).then_some(()));
    assert!(world.vm.interrupt(process));
    world.run_until(|_, event| matches!(event, VmEvent::Terminated { .. }).then_some(()));
    assert_eq!(world.transcript, "unwound");
}

#[test]
fn session_variables_are_declared_by_assignment_and_not_shared() {
    let mut world = World::new();
    world.prints("x := 3", "3");
    world.prints("y := [ x := x + 1 ]. x", "3");
    world.prints("y value. x", "4");
    let names: Vec<String> = world
        .vm
        .binding_values(world.bindings)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["x", "y"]);

    let other = world.vm.new_bindings();
    let error = world
        .vm
        .spawn("x", other, SpawnOptions::default())
        .expect_err("not declared here");
    assert_eq!(error.message, "Undeclared variable");
    let strict = SpawnOptions {
        strict: true,
        ..SpawnOptions::default()
    };
    assert!(world.vm.spawn("z := 1", world.bindings, strict).is_err());
    assert!(
        world
            .vm
            .spawn("Zork := 1", world.bindings, SpawnOptions::default())
            .is_err()
    );
}

#[test]
fn objects_can_be_read_from_outside() {
    let mut world = World::new();
    let process = world
        .spawn("{ 3 @ 4. 'it''s'. #sym. OrderedCollection with: 1. '日本'. Object. Object class }");
    let array = world.run_until(|_, event| match event {
        VmEvent::Finished {
            process: ended,
            value,
        } if ended == process => Some(value),
        _ => None,
    });
    let vm = &world.vm;
    let element = |index| vm.indexed_element(array.oop(), index).expect("an element");
    assert_eq!(vm.indexed_size(array.oop()), 7);
    assert_eq!(vm.class_name(array.oop()), "Array");
    let slots: Vec<(String, Option<i64>)> = vm
        .named_slots(element(0))
        .into_iter()
        .map(|(name, value)| (name, value.as_small_integer()))
        .collect();
    assert_eq!(
        slots,
        [("x".to_owned(), Some(3)), ("y".to_owned(), Some(4))]
    );
    assert_eq!(vm.text(element(1)).as_deref(), Some("it's"));
    assert_eq!(vm.class_name(element(2)), "ByteSymbol");
    assert_eq!(vm.text(element(4)).as_deref(), Some("日本"));
    assert_eq!(vm.class_name(element(5)), "Object class");
    assert_eq!(vm.class_name(element(6)), "Metaclass");
    assert_eq!(vm.indexed_element(array.oop(), 7), None);
}

#[test]
fn a_message_that_is_not_understood_fails_like_any_other() {
    let mut world = World::new();
    let nil = stui_embedded::vm::Oop::NIL;
    world
        .vm
        .spawn_send(nil, "foo", &[], SpawnOptions::default());
    assert!(matches!(&world.run_all()[..],
        [VmEvent::Failed { message, .. }] if message == "receiver of \"foo\" is nil"));
}

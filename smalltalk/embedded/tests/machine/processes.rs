//! Processes, semaphores, delays; fairness and independence.

use stui_embedded::vm::{SpawnOptions, VmEvent};

use crate::world::{World, all_print};

#[test]
fn higher_priorities_run_first_and_equal_ones_take_turns() {
    all_print(&[
        (
            "| log s | log := OrderedCollection new. s := Semaphore new.
            [ log add: 'low'. s signal ] forkAt: 35.
            [ log add: 'high'. s signal ] forkAt: 45.
            log add: 'me'. s wait. s wait. log asArray",
            "#('high' 'me' 'low')",
        ),
        (
            "| log | log := OrderedCollection new.
            [ log add: 1. Processor yield. log add: 3 ] fork. [ log add: 2. Processor yield. log add: 4 ] fork.
            Processor yield. Processor yield. log asArray",
            "#(1 2 3 4)",
        ),
    ]);
}

#[test]
fn a_process_that_never_waits_does_not_stop_the_others() {
    let mut world = World::new();
    let endless = world.spawn("[ true ] whileTrue");
    world.prints("3 + 4", "7");
    assert!(world.vm.interrupt(endless));
    world.run_until(|_, event| {
        matches!(event, VmEvent::Terminated { process } if process == endless).then_some(())
    });
}

#[test]
fn semaphores_wait_and_time_out() {
    all_print(&[
        (
            "| s | s := Semaphore new. [ s signal ] fork. s wait. 1",
            "1",
        ),
        ("Semaphore new waitTimeoutMilliseconds: 5", "true"),
        ("Semaphore new signal; waitTimeoutMilliseconds: 5", "false"),
        (
            "| s r | s := Semaphore new. [ r := s waitTimeoutMilliseconds: 60000 ] fork. Processor yield. s signal. Processor yield. r",
            "false",
        ),
        (
            "| s | s := Semaphore new. s signal; signal. s wait. s wait. s isSignaled",
            "false",
        ),
    ]);
}

#[test]
fn delays_end_in_order_of_their_time() {
    all_print(&[(
        "| log s | log := OrderedCollection new. s := Semaphore new.
        [ (Delay forMilliseconds: 40) wait. log add: 'late'. s signal ] fork.
        [ (Delay forMilliseconds: 5) wait. log add: 'early'. s signal ] fork.
        s wait. s wait. log asArray",
        "#('early' 'late')",
    )]);
}

#[test]
fn a_mutex_lets_one_in_and_the_owner_again() {
    all_print(&[
        ("| m | m := Mutex new. m critical: [ m critical: [ 5 ] ]", "5"),
        (
            "| m n done | m := Mutex new. n := 0. done := Semaphore new.
            5 timesRepeat: [ [ 20 timesRepeat: [ m critical: [ | t | t := n. Processor yield. n := t + 1 ] ]. done signal ] fork ].
            5 timesRepeat: [ done wait ]. n",
            "100",
        ),
    ]);
}

#[test]
fn terminating_runs_unwind_blocks_before_it_answers() {
    all_print(&[
        (
            "| p log | log := OrderedCollection new.
            p := [ [ Semaphore new wait ] ensure: [ log add: 'cleaned' ] ] fork.
            Processor yield. p terminate. log add: p isTerminated. log asArray",
            "#('cleaned' true)",
        ),
        (
            "| p | p := [ 1 ] newProcess. p terminate. p isTerminated",
            "true",
        ),
        (
            "| p | p := [ Processor activeProcess terminate. 1/0 ] fork. Processor yield. p isTerminated",
            "true",
        ),
        (
            "| p s | s := Semaphore new. p := [ s wait ] fork. Processor yield. p terminate. s signal. s isSignaled",
            "true",
        ),
    ]);
}

#[test]
fn suspended_processes_go_on_where_they_were() {
    all_print(&[(
        "| p log | log := OrderedCollection new.
        p := [ log add: 1. Processor activeProcess suspend. log add: 2 ] fork.
        Processor yield. log add: p isSuspended. p resume. Processor yield. log asArray",
        "#(1 true 2)",
    )]);
}

#[test]
fn an_exception_can_be_signaled_in_another_process() {
    all_print(&[(
        "| p r | p := [ r := [ Semaphore new wait. 1 ] on: Warning do: [ :e | 'woken' ] ] fork.
        Processor yield. p signalException: Warning new. Processor yield. r",
        "'woken'",
    )]);
}

#[test]
fn a_failing_child_stops_alone_and_is_reported_with_its_owner() {
    let mut world = World::new();
    let parent = world.spawn("[ 1 / 0 ] fork. Processor yield. Processor yield. 5");
    let events = world.run_all();
    assert!(events.iter().any(|event| matches!(event,
        VmEvent::Failed { process, child: true, class_name, .. } if *process == parent && class_name == "ZeroDivide")));
    assert!(events.iter().any(|event| matches!(event,
        VmEvent::Finished { process, value } if *process == parent && value.oop().as_small_integer() == Some(5))));
}

#[test]
fn children_of_an_evaluation_write_in_its_name_and_can_be_ended_with_it() {
    let mut world = World::new();
    let parent = world.spawn("2 timesRepeat: [ [ [ Transcript show: 'x'. (Delay forSeconds: 600) wait ] repeat ] fork ]. 1");
    let events = world.run_all();
    let written: usize = events
        .iter()
        .map(|event| match event {
            VmEvent::Transcript { process, text } if *process == Some(parent) => text.len(),
            _ => 0,
        })
        .sum();
    assert_eq!(written, 2);
    assert_eq!(world.vm.terminate_children(parent), 2);
    assert_eq!(world.vm.terminate_children(parent), 0);
    assert_eq!(world.vm.run(1_000), stui_embedded::vm::Activity::Idle);
}

#[test]
fn a_process_of_low_priority_waits_for_the_higher_ones() {
    let mut world = World::new();
    let options = SpawnOptions {
        priority: 30,
        ..SpawnOptions::default()
    };
    let low = world
        .vm
        .spawn("1", world.bindings, options)
        .expect("compiles");
    let high = world.spawn("2");
    let order: Vec<_> = world
        .run_all()
        .into_iter()
        .filter_map(|event| match event {
            VmEvent::Finished { process, .. } => Some(process),
            _ => None,
        })
        .collect();
    assert_eq!(order, [high, low]);
}

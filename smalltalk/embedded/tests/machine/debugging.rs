//! Steps: where they stop, what they leave alone, and what ends them.

use stui_embedded::vm::{Activity, Oop, ProcessId, SpawnOptions, Step, StepRefused, VmEvent};

use crate::world::World;

/// A process that is stepped.
struct Stepper {
    world: World,
    process: ProcessId,
}

/// What became of a step.
#[derive(Debug, PartialEq)]
enum End {
    /// It stopped, and this runs next.
    Before(String),
    /// The process has ended with this, printed by the machine.
    Value(Option<i64>),
    /// It failed.
    Failed(String),
}

impl Stepper {
    /// A process that stands before the first statement of some code.
    fn before(source: &str) -> Stepper {
        Stepper::with(World::new(), source)
    }

    fn with(mut world: World, source: &str) -> Stepper {
        let options = SpawnOptions {
            stopped: true,
            heeds_breakpoints: true,
            ..SpawnOptions::default()
        };
        let process = world.vm.spawn(source, world.bindings, options).unwrap();
        let mut stepper = Stepper { world, process };
        assert!(matches!(stepper.wait(), End::Before(_)), "{source}");
        stepper
    }

    fn wait(&mut self) -> End {
        let wanted = self.process;
        let end = self.world.run_until(|_, event| match event {
            VmEvent::Stopped { process, .. } if process == wanted => Some(None),
            VmEvent::Finished { process, value } if process == wanted => {
                Some(Some(End::Value(value.oop().as_small_integer())))
            }
            VmEvent::Failed {
                process,
                class_name,
                child: false,
                ..
            } if process == wanted => Some(Some(End::Failed(class_name))),
            _ => None,
        });
        end.unwrap_or_else(|| End::Before(self.next(0)))
    }

    /// The text that runs next in a frame, with its selector if that is not the evaluated code.
    fn next(&self, index: usize) -> String {
        let context = self.world.vm.stack(self.process)[index];
        let frame = self.world.vm.describe_frame(self.process, context).unwrap();
        let text: String = frame
            .source
            .chars()
            .skip(frame.range.start as usize)
            .take((frame.range.end - frame.range.start) as usize)
            .collect();
        if frame.is_do_it {
            text
        } else {
            format!("{}: {text}", frame.selector)
        }
    }

    fn step(&mut self, index: usize, step: Step) -> End {
        let context = self.world.vm.stack(self.process)[index];
        self.world.vm.step(self.process, context, step).unwrap();
        self.wait()
    }

    #[track_caller]
    fn over(&mut self, expected: &str) {
        assert_eq!(self.step(0, Step::Over), End::Before(expected.to_owned()));
    }

    fn variable(&self, name: &str) -> Oop {
        let context = self.world.vm.stack(self.process)[0];
        let variables = self.world.vm.frame_variables(context);
        variables
            .into_iter()
            .find(|variable| variable.name == name)
            .unwrap_or_else(|| panic!("no {name}"))
            .value
    }

    fn resume(&mut self) -> End {
        assert!(self.world.vm.resume(self.process));
        self.wait()
    }
}

#[test]
fn a_step_over_stops_before_messages_assignments_and_returns() {
    let mut stepper = Stepper::before("| x | x := 3 + 4. x * 2");
    assert_eq!(stepper.next(0), "3 + 4");
    stepper.over("x := 3 + 4");
    assert_eq!(stepper.variable("x"), Oop::NIL);
    stepper.over("x * 2");
    assert_eq!(stepper.variable("x").as_small_integer(), Some(7));
    stepper.over("");
    assert_eq!(stepper.step(0, Step::Over), End::Value(Some(14)));
}

#[test]
fn a_step_into_enters_methods_and_blocks() {
    let mut stepper = Stepper::before("(#(1 2) collect: [ :each | each + 1 ]) size");
    let End::Before(first) = stepper.step(0, Step::Into) else {
        panic!()
    };
    assert!(first.starts_with("collect:: "), "{first}");
    assert_eq!(
        stepper.step(0, Step::Out),
        End::Before("(#(1 2) collect: [ :each | each + 1 ]) size".into())
    );
    let mut stepper = Stepper::before("[ :a | a + 1 ] value: 5");
    assert_eq!(stepper.step(0, Step::Into), End::Before("a + 1".to_owned()));
    assert_eq!(stepper.variable("a").as_small_integer(), Some(5));
    stepper.over("]");
    stepper.over("");
    assert_eq!(stepper.step(0, Step::Over), End::Value(Some(6)));
}

#[test]
fn a_step_passes_non_local_returns_and_the_unwind_blocks_on_their_way() {
    let mut stepper = Stepper::before(
        "| done | [ #(1 2) do: [ :each | [ ^ each + 10 ] ensure: [ done := each ] ] ] value. done",
    );
    // the return leaves everything: the process ends
    assert_eq!(stepper.step(0, Step::Over), End::Value(Some(11)));

    let mut stepper =
        Stepper::before("| x | x := [ 1/0 ] on: ZeroDivide do: [ :e | e return: 5 ]. x + 1");
    stepper.over("x := [ 1/0 ] on: ZeroDivide do: [ :e | e return: 5 ]");
    stepper.over("x + 1");
    stepper.over("");
    assert_eq!(stepper.step(0, Step::Over), End::Value(Some(6)));

    let mut stepper = Stepper::before(
        "| x | [ [ x := 1. 7 foo ] ensure: [ x := 2 ] ] on: Error do: [ :e | e retryUsing: [ 3 ] ]. x",
    );
    let first = stepper.step(0, Step::Over);
    assert_eq!(first, End::Before(String::new()));
    assert_eq!(stepper.variable("x").as_small_integer(), Some(2));
}

#[test]
fn a_block_whose_home_is_gone_fails_in_its_step_and_goes_on() {
    let mut world = World::new();
    world.prints("Object compile: 'deadBlock\n\t^ [ :x | ^ x ]'. 3", "3");
    let mut stepper = Stepper::with(world, "| b | b := nil deadBlock. b value: 3. 5");
    stepper.over("b := nil deadBlock");
    stepper.over("b value: 3");
    assert_eq!(
        stepper.step(0, Step::Over),
        End::Failed("BlockCannotReturn".into())
    );
    assert_eq!(stepper.resume(), End::Value(Some(5)));
}

#[test]
fn a_step_that_fails_is_kept_and_a_step_after_it_finishes_the_message() {
    let mut stepper = Stepper::before("| x | x := 1/0. x isNil ifTrue: [ 4 ] ifFalse: [ 5 ]");
    assert_eq!(
        stepper.step(0, Step::Over),
        End::Failed("ZeroDivide".into())
    );
    let stack = stepper.world.vm.stack(stepper.process);
    let outermost = stack.len() - 1;
    // stepped where the code itself is: the message answers nil
    assert_eq!(
        stepper.step(outermost, Step::Over),
        End::Before("x := 1/0".into())
    );
    assert_eq!(stepper.resume(), End::Value(Some(4)));
}

#[test]
fn a_test_of_what_is_no_boolean_is_stepped_over() {
    let mut stepper = Stepper::before("| x | x := 3. x ifTrue: [ 4 ]. 5");
    assert_eq!(
        stepper.step(0, Step::Over),
        End::Failed("NonBooleanReceiver".into())
    );
    let mut stepper = Stepper::before(
        "| x | x := [ :a | a foo ]. x := [ x value: 3 ] on: Error do: [ :e | 7 ]. x",
    );
    stepper.over("[ x value: 3 ] on: Error do: [ :e | 7 ]");
    stepper.over("x := [ x value: 3 ] on: Error do: [ :e | 7 ]");
    stepper.over("");
    assert_eq!(stepper.step(0, Step::Over), End::Value(Some(7)));
}

#[test]
fn a_frame_is_run_again_from_its_beginning_after_its_unwind_blocks() {
    let mut stepper = Stepper::before(
        "| x | x := (x ifNil: [ 0 ]) + 1. [ x := x + 1. x foo ] ensure: [ x := 50 ]. x",
    );
    assert_eq!(stepper.resume(), End::Failed("MessageNotUnderstood".into()));
    let outermost = stepper.world.vm.stack(stepper.process).len() - 1;
    assert_eq!(
        stepper.step(outermost, Step::Restart),
        End::Before("(x ifNil: [ 0 ]) + 1".into())
    );
    assert_eq!(stepper.variable("x"), Oop::NIL);
}

#[test]
fn a_frame_returns_what_it_is_told_to() {
    let mut stepper = Stepper::before("(1/0) + 100");
    assert_eq!(stepper.resume(), End::Failed("ZeroDivide".into()));
    let stack = stepper.world.vm.stack(stepper.process);
    let division = stack.len() - 2;
    let seven = Oop::from(7);
    assert_eq!(
        stepper.step(division, Step::Return(seven)),
        End::Before("(1/0) + 100".into())
    );
    assert_eq!(stepper.resume(), End::Value(Some(107)));

    let mut stepper = Stepper::before("3 + 4");
    assert_eq!(stepper.step(0, Step::Return(seven)), End::Value(Some(7)));
}

#[test]
fn an_endless_step_stops_nothing_else_and_can_be_broken_off() {
    for source in [
        "[ true ] whileTrue",
        "[ [ true ] whileTrue ] value",
        "[ 3 factorial. true ] whileTrue",
        "(Delay forSeconds: 1000) wait",
    ] {
        let mut stepper = Stepper::before(source);
        let context = stepper.world.vm.stack(stepper.process)[0];
        stepper
            .world
            .vm
            .step(stepper.process, context, Step::Out)
            .unwrap();
        stepper.world.prints("3 + 4", "7");
        assert!(
            stepper.world.vm.pause(stepper.process).is_some(),
            "{source}"
        );
        assert!(stepper.world.vm.is_suspended(stepper.process));
        assert_eq!(stepper.world.vm.run(10_000), Activity::Idle);
        assert!(!stepper.world.vm.stack(stepper.process).is_empty());
        assert!(stepper.world.vm.interrupt(stepper.process));
    }
}

#[test]
fn two_processes_are_stepped_side_by_side() {
    let mut one = Stepper::before("| a | a := 1 + 1. a * 10");
    let options = SpawnOptions {
        stopped: true,
        ..SpawnOptions::default()
    };
    let bindings = one.world.bindings;
    let other = one
        .world
        .vm
        .spawn("| b | b := 2 + 2. b * 10", bindings, options)
        .unwrap();
    one.world.run_all();
    for _ in 0..4 {
        for process in [one.process, other] {
            let context = one.world.vm.stack(process)[0];
            one.world.vm.step(process, context, Step::Over).unwrap();
        }
        one.world.run_all();
    }
    assert!(one.world.vm.process(one.process).is_none());
    assert!(one.world.vm.process(other).is_none());
}

#[test]
fn a_breakpoint_stops_those_who_heed_it_at_the_beginning_of_a_method() {
    let mut world = World::new();
    world.prints(
        "Object compile: 'twice: x\n\t^ [ x > 0 ] whileTrue: [ ^ x * 2 ]'. 3",
        "3",
    );
    let behavior = world.vm.class_named("Object").unwrap();
    let method = method(&world, behavior, "twice:");
    assert!(world.vm.set_breakpoint(method));
    assert!(world.vm.set_breakpoint(method));
    world.prints("nil twice: 4", "8");
    let mut stepper = Stepper::with(world, "nil twice: 4");
    let End::Before(at) = stepper.resume() else {
        panic!()
    };
    assert!(at.starts_with("twice:: "), "{at}");
    assert_eq!(stepper.resume(), End::Value(Some(8)));
    assert!(stepper.world.vm.remove_breakpoint(method));
    assert!(!stepper.world.vm.remove_breakpoint(method));
    let mut stepper = Stepper::with(stepper.world, "nil twice: 5");
    assert_eq!(stepper.resume(), End::Value(Some(10)));
}

#[test]
fn a_breakpoint_goes_with_the_method_that_is_replaced() {
    let mut world = World::new();
    world.prints("Object compile: 'twice: x\n\t^ x * 2'. 3", "3");
    let behavior = world.vm.class_named("Object").unwrap();
    let old = method(&world, behavior, "twice:");
    assert!(world.vm.set_breakpoint(old));
    world.prints("Object compile: 'twice: x\n\t^ x + x + 1'. 3", "3");
    assert!(!world.vm.remove_breakpoint(old));
    let mut stepper = Stepper::with(world, "nil twice: 4");
    assert_eq!(stepper.resume(), End::Value(Some(9)));
}

fn method(world: &World, class: Oop, selector: &str) -> Oop {
    let symbol = world.vm.find_symbol(selector).unwrap();
    let methods = stui_embedded::vm::slot::BEHAVIOR_METHODS;
    world
        .vm
        .heap
        .map(world.vm.heap.slot(class, methods))
        .unwrap()[&symbol]
}

#[test]
fn code_in_a_frame_sees_and_assigns_its_variables() {
    let mut stepper = Stepper::before("| a b | a := 4. b := [ a := a + 1 ]. b value. a");
    stepper.over("b := [ a := a + 1 ]");
    let context = stepper.world.vm.stack(stepper.process)[0];
    let bindings = stepper.world.bindings;
    let (process, scope) = stepper
        .world
        .vm
        .spawn_in_frame("a := a + 10", context, bindings, SpawnOptions::default())
        .unwrap();
    stepper.world.run_until(|_, event| {
        matches!(event, VmEvent::Finished { process: ended, .. } if ended == process).then_some(())
    });
    stepper.world.vm.write_back(&scope);
    assert_eq!(stepper.variable("a").as_small_integer(), Some(14));
    assert_eq!(stepper.resume(), End::Value(Some(15)));
}

#[test]
fn only_a_suspended_process_with_that_frame_does_a_step() {
    let mut stepper = Stepper::before("3 + 4");
    let context = stepper.world.vm.stack(stepper.process)[0];
    let refused = stepper.world.vm.step(stepper.process, Oop::NIL, Step::Over);
    assert_eq!(refused, Err(StepRefused::NotOnStack));
    assert!(stepper.world.vm.resume(stepper.process));
    let refused = stepper.world.vm.step(stepper.process, context, Step::Over);
    assert_eq!(refused, Err(StepRefused::NotSuspended));
}

#[test]
fn steps_survive_collections() {
    let config = stui_embedded::vm::VmConfig {
        collect_after: Some(1),
        ..stui_embedded::vm::VmConfig::default()
    };
    let mut stepper = Stepper::with(
        World::with(config),
        "| x | x := (1 to: 20) inject: 0 into: [ :a :b | (a + b) printString size ]. x + 1",
    );
    stepper.over("(1 to: 20) inject: 0 into: [ :a :b | (a + b) printString size ]");
    stepper.over("x := (1 to: 20) inject: 0 into: [ :a :b | (a + b) printString size ]");
    stepper.over("x + 1");
    stepper.over("");
    assert_eq!(stepper.step(0, Step::Over), End::Value(Some(3)));
}

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }
}

#[test]
fn no_order_of_steps_harms_the_machine() {
    let programs = [
        "| s | s := 0. #(3 0 5) do: [ :x | s := s + ([ 10 / x ] on: ZeroDivide do: [ :e | e return: 1 ]) ]. s",
        "[ [ [ Halt now. 7 foo ] ensure: [ (1 to: 3) do: [ :i | i printString ] ] ] ifCurtailed: [ nil bar ] ] on: Error do: [ :e | e retryUsing: [ e signal ] ]",
        "| b | b := [ :n | n < 2 ifTrue: [ n ] ifFalse: [ (b value: n - 1) + (b value: n - 2) ] ]. b value: 8",
        "#(3 1 2) asSortedCollection: [ :a :b | a > b or: [ ^ a ] ]",
        "| p | p := [ Semaphore new wait ] fork. Processor yield. p terminate. (1 to: 5) inject: 0 into: [ :a :b | a + b ]",
        "[ :x | x ifTrue: [ 3 ] ] on: NonBooleanReceiver do: [ :e | e resume: true ]. 3 perform: #+ with: 4",
        "thisContext sender. thisContext home return: 5",
    ];
    let mut dice = Dice(20_261_127);
    let mut world = World::new();
    for round in 0..60 {
        let options = SpawnOptions {
            stopped: true,
            ..SpawnOptions::default()
        };
        let source = programs[round % programs.len()];
        let process = world.vm.spawn(source, world.bindings, options).unwrap();
        for _ in 0..40 {
            for _ in 0..20 {
                world.vm.run(2_000);
                world.vm.take_events();
                if world.vm.process(process).is_none() || world.vm.is_suspended(process) {
                    break;
                }
            }
            let Some(_) = world.vm.pause(process) else {
                break;
            };
            let stack = world.vm.stack(process);
            for context in &stack {
                assert!(world.vm.describe_frame(process, *context).is_some());
                world.vm.frame_variables(*context);
            }
            let reach = 1 + dice.below(8);
            let context = stack[dice.below(stack.len().min(reach))];
            let step = match dice.below(12) {
                0..4 => Step::Into,
                4..8 => Step::Over,
                8 | 9 => Step::Out,
                10 => Step::Restart,
                _ => Step::Return(Oop::from(dice.below(100) as i32)),
            };
            world.vm.step(process, context, step).unwrap();
        }
        world.vm.interrupt(process);
        for _ in 0..20 {
            world.vm.run(2_000);
        }
        world.vm.terminate(process);
        world.vm.collect_garbage();
    }
    world.prints("(1 to: 10) inject: 0 into: [ :a :b | a + b ]", "55");
}

//! What reflection can break: an error at worst, never the machine.

use stui_embedded::vm::SpawnOptions;

use crate::world::World;

#[test]
fn tampering_with_the_system_never_stops_the_machine() {
    let mut world = World::new();
    for source in [
        "Object instVarAt: 1 put: Object",
        "Object subclass: #Looped. (Smalltalk at: #Looped) instVarAt: 1 put: (Smalltalk at: #Looped)",
        "Behavior compile: 'superclass: x superclass := x'",
        "Object << #Ring package: 'P'; install",
        "Ring << #Ring2 package: 'P'; install",
        "Ring become: Ring2",
        "Ring2 subclass: #Ring",
        "Class basicNew new",
        "Class basicNew printString",
        "Metaclass basicNew new",
        "FullBlockClosure basicNew value",
        "(FullBlockClosure basicNew: 3) value",
        "| a b | a := 1. b := 2. [ a + b ] instVarAt: 2 put: [ ] compiledBlock; value",
        "[ :x | x ] instVarAt: 2 put: [ ] compiledBlock; value: 3",
        "[ ] instVarAt: 2 put: (Object >> #printString); value",
        "| c | c := [ thisContext ] value. [ 3 ] instVarAt: 1 put: c; value",
        "[ ^ 3 ] instVarAt: 1 put: 5; value",
        "(Point >> #+) valueWithReceiver: 3 arguments: #(4)",
        "(OrderedCollection >> #add:) valueWithReceiver: Object arguments: #(4)",
        "Process basicNew resume",
        "Process basicNew terminate",
        "| p | p := [ 3 ] newProcess. p instVarAt: 2 put: thisContext. p resume. Processor yield. 3",
        "| p | p := [ 3 ] newProcess. p instVarAt: 3 put: 'high'. p resume. Processor yield. 3",
        "| p | p := [ Semaphore new wait ] fork. Processor yield. p instVarAt: 1 put: p. p terminate",
        "| s | s := Semaphore new. s instVarAt: 1 put: 3. s signal. s wait. 4",
        "Semaphore basicNew waitTimeoutMilliseconds: 1",
        "Exception basicNew signal",
        "Error new return: 3",
        "Error new retry",
        "Error new pass",
        "Error new outer",
        "thisContext return: 3",
        "| c | c := [ thisContext ] value. c return: 3",
        "| c | c := [ thisContext ] value. c restart",
        "thisContext sender return: 3",
        "thisContext tempAt: 9 put: 3",
        "Context new",
        "CompiledMethod new",
        "SmallInteger new",
        "Character basicNew",
        "Float basicNew",
        "LargePositiveInteger basicNew + 1",
        "LargePositiveInteger new: 8",
        "(ByteString basicNew: 5) at: 3 put: nil",
        "(WideString basicNew: 5) printString",
        "Symbol new: 3",
        "'abc' asSymbol become: 'abd' asSymbol",
        "nil become: 3",
        "true become: false",
        "Smalltalk become: Object new",
        "Processor become: Object new",
        "3 perform: nil",
        "3 perform: #+ withArguments: nil",
        "3 perform: #+ withArguments: #(1) inSuperclass: nil",
        "3 perform: #+ withArguments: #(1) inSuperclass: 7",
        "Smalltalk at: #Object put: nil. Smalltalk at: #Object put: 3 class superclass superclass superclass superclass",
        "ProtoObject removeSelector: #doesNotUnderstand:",
        "3 thisIsNotUnderstoodAtAll",
        "Object new: -1",
        "Array new: nil",
        "Array new: 3.5",
        "(Array new: 3) at: 1 << 70 put: 3",
        "#(1 2) instVarAt: 0",
        "3 instVarAt: 1",
        "3 instVarAt: 1 put: 4",
        "1000000 factorial",
        "(1 bitShift: 100000000000) printString",
        "10 raisedTo: 10000000000",
    ] {
        // whether it answers, fails, waits or never ends: it can be ended, and the next one answers
        if let Ok(process) = world
            .vm
            .spawn(source, world.bindings, SpawnOptions::default())
        {
            world.vm.run(200_000);
            world.vm.interrupt(process);
            world.vm.run(10_000);
            world.vm.terminate(process);
            world.vm.terminate_children(process);
            world.vm.take_events();
        }
        assert_eq!(world.eval("3 + 4"), Ok("7".to_owned()), "after {source}");
    }
}

#[test]
fn the_deepest_source_that_parses_compiles_and_runs() {
    let mut world = World::new();
    for depth in [90, 200, 900, 5_000, 100_000] {
        for (open, inner, close) in [
            ("[ ", "1", " ] value"),
            ("1 + (", "1", ")"),
            ("{ ", "1", " }"),
            ("#(", "1", ")"),
            ("true ifTrue: [ ", "1", " ]"),
            ("[ :x | ", "x", " ] value: 1"),
        ] {
            let source = open.repeat(depth) + inner + &close.repeat(depth);
            if world
                .vm
                .spawn(&source, world.bindings, SpawnOptions::default())
                .is_ok()
            {
                world.run_all();
            }
        }
    }
    world.prints("3 + 4", "7");
}

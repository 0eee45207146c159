//! Processes, semaphores and time.

use std::time::Duration;

use super::{Control, Failure, Primitive, argument};
use crate::vm::scheduler::{MAX_PRIORITY, state};
use crate::vm::{Oop, Vm, slot};

pub(super) const PRIMITIVES: &[(&str, Primitive)] = &[
    ("blockNewProcess", Primitive::Plain(new_process)),
    ("activeProcess", Primitive::Plain(active_process)),
    ("processResume", Primitive::Control(resume)),
    ("processSuspend", Primitive::Control(suspend)),
    ("processTerminate", Primitive::Control(terminate)),
    ("processUnwind", Primitive::Control(unwind)),
    ("processInterrupt", Primitive::Control(interrupt)),
    ("processFail", Primitive::Control(fail)),
    ("processPriorityPut", Primitive::Control(set_priority)),
    ("processorYield", Primitive::Control(yield_turn)),
    ("semaphoreSignal", Primitive::Control(signal)),
    ("semaphoreWait", Primitive::Control(wait)),
    ("semaphoreWaitTimeout", Primitive::Control(wait_timeout)),
    ("semaphoreSignalAfter", Primitive::Plain(signal_after)),
    ("clockMilliseconds", Primitive::Plain(clock)),
];

/// Replaces receiver and arguments by the result, before something else becomes active.
fn finish(vm: &mut Vm, args: usize, result: Oop) {
    let context = vm.scheduler.active_context;
    if let Some(frame) = vm.heap.frame_mut(context) {
        frame.sp = frame.sp.saturating_sub(args as u32 + 1);
        frame.push(result);
    }
}

/// A suspended process that will run the receiver, a block without arguments.
fn new_process(vm: &mut Vm, receiver: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    let context = vm.bottom_activation(receiver).ok_or(Failure::BadReceiver)?;
    let active = vm.scheduler.active_process;
    let priority = vm.process_priority(active);
    let owner = vm.heap.slot(active, slot::PROCESS_OWNER);
    Ok(vm.new_process(context, priority, owner))
}

fn active_process(vm: &mut Vm, _: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    Ok(vm.scheduler.active_process)
}

fn resume(vm: &mut Vm, args: usize) -> Result<Control, Failure> {
    let process = vm.operand(args, 0)?;
    if vm.scheduler.runnable >= vm.config.max_processes {
        return Err(Failure::TooMany);
    }
    if !vm.resume_process(process) {
        return Err(Failure::BadReceiver);
    }
    finish(vm, args, process);
    vm.preempt();
    Ok(Control::Done)
}

/// Suspends the receiver, whatever it does, until it is resumed.
fn suspend(vm: &mut Vm, args: usize) -> Result<Control, Failure> {
    let process = vm.operand(args, 0)?;
    finish(vm, args, process);
    if process == vm.scheduler.active_process {
        vm.park_active();
        vm.set_process_state(process, state::SUSPENDED);
        vm.run_next();
    } else if matches!(vm.process_state(process), state::READY | state::WAITING) {
        vm.detach(process);
        vm.set_process_state(process, state::SUSPENDED);
    }
    Ok(Control::Done)
}

/// Terminates the receiver, which must not be the running process; the argument is signaled then.
fn terminate(vm: &mut Vm, args: usize) -> Result<Control, Failure> {
    let (process, semaphore) = (vm.operand(args, 0)?, vm.operand(args, 1)?);
    if process == vm.scheduler.active_process {
        return Err(Failure::BadReceiver);
    }
    finish(vm, args, process);
    vm.begin_termination(process, semaphore);
    vm.preempt();
    Ok(Control::Done)
}

/// The running process runs its unwind blocks and ends.
fn unwind(vm: &mut Vm, args: usize) -> Result<Control, Failure> {
    let process = vm.operand(args, 0)?;
    if process != vm.scheduler.active_process {
        return Err(Failure::BadReceiver);
    }
    vm.note_termination(process);
    let bottom = vm.bottom_of(vm.scheduler.active_context);
    if vm.leave(bottom, Oop::NIL, false) {
        Ok(Control::Done)
    } else {
        Err(Failure::BadReceiver)
    }
}

/// The receiver, another process, signals the argument, an exception, where it is. What it was
/// waiting for it does not wait for any longer.
fn interrupt(vm: &mut Vm, args: usize) -> Result<Control, Failure> {
    let (process, exception) = (vm.operand(args, 0)?, vm.operand(args, 1)?);
    if process == vm.scheduler.active_process || vm.process_state(process) == state::TERMINATED {
        return Err(Failure::BadReceiver);
    }
    let context = vm.heap.slot(process, slot::PROCESS_CONTEXT);
    let signal = vm.symbol("signal");
    let top = vm
        .new_activation(context, exception, signal, &[])
        .ok_or(Failure::BadArgument)?;
    if let Some(frame) = vm.heap.frame_mut(top) {
        frame.discard_result = true;
    }
    vm.detach(process);
    vm.heap.set_slot(process, slot::PROCESS_CONTEXT, top);
    finish(vm, args, process);
    vm.make_ready(process, false);
    vm.preempt();
    Ok(Control::Done)
}

/// Nothing handled an exception. Arguments: exception, context where it was signaled, message,
/// whether the process is to be kept. The receiver, the running process, is suspended and the host
/// told; if it is resumed this answers nil. One that is not kept ends.
fn fail(vm: &mut Vm, args: usize) -> Result<Control, Failure> {
    let process = vm.operand(args, 0)?;
    let (exception, context) = (vm.operand(args, 1)?, vm.operand(args, 2)?);
    let message = vm.heap.text(vm.operand(args, 3)?).unwrap_or_default();
    let keep = vm.operand(args, 4)? == Oop::TRUE;
    if process != vm.scheduler.active_process {
        return Err(Failure::BadReceiver);
    }
    vm.escape(context);
    vm.report_failure(exception, context, !keep, &message);
    vm.forget_step(process);
    if !keep {
        vm.expect_garbage();
        return unwind(vm, args);
    }
    finish(vm, args, Oop::NIL);
    vm.park_active();
    vm.set_process_state(process, state::FAILED);
    vm.run_next();
    Ok(Control::Done)
}

fn set_priority(vm: &mut Vm, args: usize) -> Result<Control, Failure> {
    let process = vm.operand(args, 0)?;
    let wanted = vm.operand(args, 1)?;
    let priority = wanted
        .as_size()
        .filter(|priority| (1..=MAX_PRIORITY).contains(priority));
    priority.ok_or(Failure::BadArgument)?;
    let queued =
        process != vm.scheduler.active_process && vm.process_state(process) == state::READY;
    if queued {
        vm.detach(process);
    }
    vm.heap.set_slot(process, slot::PROCESS_PRIORITY, wanted);
    if queued {
        vm.make_ready(process, false);
    }
    finish(vm, args, process);
    vm.preempt();
    Ok(Control::Done)
}

fn yield_turn(vm: &mut Vm, args: usize) -> Result<Control, Failure> {
    let receiver = vm.operand(args, 0)?;
    finish(vm, args, receiver);
    vm.yield_turn();
    Ok(Control::Done)
}

fn signal(vm: &mut Vm, args: usize) -> Result<Control, Failure> {
    let semaphore = vm.operand(args, 0)?;
    finish(vm, args, semaphore);
    vm.signal_semaphore(semaphore);
    vm.preempt();
    Ok(Control::Done)
}

fn wait(vm: &mut Vm, args: usize) -> Result<Control, Failure> {
    let semaphore = vm.operand(args, 0)?;
    finish(vm, args, semaphore);
    vm.wait_semaphore(semaphore, None);
    Ok(Control::Done)
}

/// Waits at most this many milliseconds. Answers true if they passed without a signal.
fn wait_timeout(vm: &mut Vm, args: usize) -> Result<Control, Failure> {
    let semaphore = vm.operand(args, 0)?;
    let timeout = vm.operand(args, 1)?.as_size().ok_or(Failure::BadArgument)?;
    finish(vm, args, Oop::FALSE);
    vm.wait_semaphore(semaphore, Some(Duration::from_millis(timeout as u64)));
    Ok(Control::Done)
}

/// Signals the receiver after this many milliseconds.
fn signal_after(vm: &mut Vm, receiver: Oop, args: &[Oop]) -> Result<Oop, Failure> {
    let delay = argument(args, 0)?.as_size().ok_or(Failure::BadArgument)?;
    vm.add_timer(Duration::from_millis(delay as u64), receiver, None);
    Ok(receiver)
}

/// Milliseconds since the machine was booted.
fn clock(vm: &mut Vm, _: Oop, _: &[Oop]) -> Result<Oop, Failure> {
    Ok(Oop::index(vm.started().elapsed().as_millis() as usize))
}

//! Every target, for some seconds, from a seed that is printed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use fastrand::Rng;
use stui_fuzz::{Target, mutate, target};

/// The seed of the random numbers, unless `STUI_FUZZ_SEED` names another.
const SEED: u64 = 20_261_127;
/// How long a target is tried, in seconds, unless `STUI_FUZZ_SECONDS` says otherwise.
const SECONDS: f64 = 2.0;
/// An input that takes longer has found a way to stop the program.
const LIMIT: Duration = Duration::from_secs(10);

fn variable<T: std::str::FromStr>(name: &str, default: T) -> T {
    let set = std::env::var(name).ok();
    set.and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn run(name: &str) {
    let target = target(name).unwrap_or_else(|| panic!("there is no target {name}"));
    if let Some(file) = std::env::var_os("STUI_FUZZ_INPUT") {
        try_input(
            target,
            &std::fs::read(file).expect("the input can be read"),
            0,
        );
        return;
    }
    let seeds = target.all_seeds();
    assert!(!seeds.is_empty(), "{name} has nothing to begin with");
    for input in &seeds {
        try_input(target, input, 0);
    }
    let seed = variable("STUI_FUZZ_SEED", SEED);
    let end = Instant::now() + Duration::from_secs_f64(variable("STUI_FUZZ_SECONDS", SECONDS));
    let mut random = Rng::with_seed(seed);
    let mut pool = seeds.clone();
    let mut tried = 0;
    while Instant::now() < end {
        let input = mutate::mutated(&mut random, &pool, target.words);
        try_input(target, &input, seed);
        tried += 1;
        // mutations of mutations, not too many of them
        if random.u32(..16) == 0 {
            if pool.len() < 2 * seeds.len() + 64 {
                pool.push(input);
            } else {
                let at = random.usize(seeds.len()..pool.len());
                pool[at] = input;
            }
        }
    }
    println!(
        "{name}: {} seeds and {tried} mutations of them, seed {seed}",
        seeds.len()
    );
}

fn try_input(target: Target, input: &[u8], seed: u64) {
    let begun = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    let took = begun.elapsed();
    if outcome.is_ok() && took < LIMIT {
        return;
    }
    let what = if outcome.is_err() {
        "failed"
    } else {
        "took too long"
    };
    let file = keep(target.name, input);
    let name = target.name;
    println!(
        "{name} {what} ({took:?}, seed {seed}); the input is in {}\n\
         again: STUI_FUZZ_INPUT={} cargo test -p stui-fuzz --test fuzz -- {name}",
        file.display(),
        file.display()
    );
    match outcome {
        Err(panic) => std::panic::resume_unwind(panic),
        Ok(()) => panic!("an input took {took:?}"),
    }
}

/// Keeps an input that failed, under `target/fuzz/failures`.
fn keep(name: &str, input: &[u8]) -> PathBuf {
    // this program lies in target/debug/deps
    let program = std::env::current_exe().expect("this program has a path");
    let folder = program
        .ancestors()
        .nth(3)
        .map_or_else(std::env::temp_dir, |target| target.join("fuzz/failures"));
    std::fs::create_dir_all(&folder).expect("target can be written to");
    let sum = input.iter().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let file = folder.join(format!("{name}-{sum:016x}"));
    std::fs::write(&file, input).expect("target can be written to");
    file
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                run(stringify!($name));
            }
        )*

        #[test]
        fn every_target_is_tried() {
            let tried = [$(stringify!($name)),*];
            let all: Vec<&str> = stui_fuzz::TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(tried.as_slice(), all.as_slice());
        }
    };
}

targets! { protocol server zmtp journal pane hub files configuration source machine }

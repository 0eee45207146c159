//! A machine that is busy elsewhere: now and then one process of a stage stands still for a while, as
//! where more wants to run than can. What an order of events leaves to chance shows itself then.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, sleep};
use std::time::Duration;

use fastrand::Rng;
use stui::demo::stage::{Running, Signal};

/// Names the seed; without it nothing stands still.
const VARIABLE: &str = "STUI_STALLS_SEED";
/// How long a process stands still at most, and how long all run between, in milliseconds. Below what
/// Zellij takes for a terminal that is gone.
const LONGEST: u64 = 400;
const LONGEST_PAUSE: u64 = 100;

/// Lets processes of the stage in this folder stand still until the folder is gone, if the environment
/// names a seed.
pub(crate) fn begin(folder: PathBuf) {
    static STAGES: AtomicU64 = AtomicU64::new(0);
    let Some(seed) = std::env::var(VARIABLE).ok() else {
        return;
    };
    let Ok(seed) = seed.parse::<u64>() else {
        panic!("{VARIABLE} is no number: {seed}");
    };
    let mut random = Rng::with_seed(seed.wrapping_add(STAGES.fetch_add(1, Ordering::Relaxed)));
    thread::spawn(move || {
        while folder.exists() {
            let all = Running::all_in(&folder);
            if let Some(one) = random.choice(&all) {
                one.send(Signal::STOP);
                sleep(Duration::from_millis(random.u64(20..LONGEST)));
                one.send(Signal::CONT);
            }
            sleep(Duration::from_millis(random.u64(..LONGEST_PAUSE)));
        }
    });
}

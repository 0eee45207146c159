//! What a sidecar holds after many evaluations, beside what it held after the first thousand.
//!
//! Sidecar, server and pipes are real; Zellij is played by a desk, which is quicker.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use stui::demo::stage::Running;
use stui_desk::Desk;
use stui_plugin::io::Size;
use stui_protocol::pane::Role;

/// Evaluations, unless `STUI_BENCH_EVALUATIONS` says otherwise.
const EVALUATIONS: u32 = 100_000;
/// After so many the floor is taken: caches are full by then.
const FIRST: u32 = 1000;
/// How many are asked for before their answers are awaited.
const BATCH: u32 = 25;
/// When hope ends, for a batch.
const PATIENCE: Duration = Duration::from_secs(60);

/// Measure and print.
pub(crate) fn measure(stui: &Path) -> Result<()> {
    let set = std::env::var("STUI_BENCH_EVALUATIONS").ok();
    let wanted = set
        .and_then(|text| text.parse().ok())
        .unwrap_or(EVALUATIONS);
    let desk = Desk::new(stui);
    let size = Size {
        rows: 40,
        columns: 100,
    };
    desk.attach(1, size);
    wait(&desk, "connected", |shown| shown.contains("Embedded"))?;
    let press = |key| desk.press(1, Role::Workspace, key);
    desk.types(1, Role::Workspace, "count := 0");
    press("Ctrl d");
    press("Enter");
    desk.types(1, Role::Workspace, "count := count + 1");
    let begun = Instant::now();
    let mut floor = 0;
    let mut done = 0;
    while done < wanted {
        for _ in 0..BATCH {
            press("Ctrl d");
        }
        done += BATCH;
        // its answer says that the others before it were answered
        press("Ctrl e");
        done += 1;
        wait(&desk, "the count", |shown| {
            shown.contains(&format!("count + 1 {done}"))
        })?;
        press("Ctrl z");
        wait(&desk, "no count", |shown| !shown.contains("count + 1 "))?;
        press("End");
        if floor == 0 && done >= FIRST.min(wanted) {
            floor = held(&desk)?;
        }
    }
    let took = begun.elapsed();
    let after = held(&desk)?;
    println!(
        "  {:<44} {floor} KiB",
        format!("after the first {FIRST} (floor)")
    );
    println!(
        "  {:<44} {after} KiB, {:.2} times the floor, in {:.0} s",
        format!("after {done} evaluations"),
        after as f64 / floor.max(1) as f64,
        took.as_secs_f64()
    );
    desk.close();
    Ok(())
}

fn wait(desk: &Desk, what: &str, is_so: impl Fn(&str) -> bool) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let shown = desk.shows(1, Role::Workspace).join("\n");
        if is_so(&shown) {
            return Ok(());
        }
        if Instant::now() > deadline {
            bail!("{what} does not come:\n{shown}\n{}", desk.logs());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// KiB that the sidecar holds.
fn held(desk: &Desk) -> Result<u64> {
    let all = desk.stage.processes();
    let is_sidecar = |running: &&Running| running.is(&["stui", "sidecar", "--daemon"]);
    let sidecar = all.iter().find(is_sidecar).context("there is no sidecar")?;
    let status = fs::read_to_string(format!("/proc/{}/status", sidecar.pid))?;
    let held = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    held.and_then(|held| held.split_whitespace().next()?.parse().ok())
        .context("the system does not say what a process holds")
}

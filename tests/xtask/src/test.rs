//! `cargo xtask test`: build everything once, run every test program, and sum up.
//!
//! The programs are run here and not by `cargo test`, so that one build serves all groups, those that
//! need a whole machine (a real Zellij) run one at a time, and each has a time limit.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::build;
use crate::pharo;
use crate::places;
use crate::run::{minutes, say};
use crate::setup::{self, Purpose, Tools};

/// Run the tests; all of them, or some groups.
///
/// Sets up what is missing first. The last line says how many passed, failed and were skipped; skipped
/// ones are named before it, with the reason.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Which groups to run; none named: all
    #[arg(value_enum)]
    groups: Vec<Group>,
    /// Only tests whose name contains this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// How many faults happen in each of the sessions of the group `faults`; some dozens if not said
    #[arg(long, value_name = "NUMBER")]
    faults: Option<u32>,
    /// Let processes of the group `e2e` stand still at random, as on a machine that is busy elsewhere
    #[arg(long)]
    stalls: bool,
    /// From which seed the faults and stalls come, as it was printed
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
}

/// Tests that are run together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Group {
    /// What needs nothing else: beside the code
    Unit,
    /// The protocol's examples and the recorded answers, against real servers
    Conformance,
    /// The plugin's WebAssembly in the interpreter that Zellij uses
    Plugin,
    /// The whole chain in a real Zellij in a pseudo-terminal
    E2e,
    /// Processes killed and stopped, connections cut, floods: nothing is lost. `--faults 1000` is the long form
    Faults,
    /// The Pharo server in a real Pharo: its own tests, the conformance suite, the whole chain
    Pharo,
}

impl Group {
    /// The group of a package's tests, or of one of its test programs.
    fn of(package: &str, target: &str) -> Group {
        match (package, target) {
            ("stui-conformance", _) => Group::Conformance,
            ("stui-plugin" | "stui-plugin-host", _) => Group::Plugin,
            ("stui-e2e", "pharo") => Group::Pharo,
            ("stui-e2e", _) => Group::E2e,
            ("stui-faults", _) => Group::Faults,
            _ => Group::Unit,
        }
    }

    /// How long one of its programs may take.
    fn limit(self, options: &Options) -> Duration {
        let minutes = match self {
            Group::E2e | Group::Pharo => 30 + 30 * u64::from(options.stalls),
            // a fault and what follows it takes some seconds
            Group::Faults => 30 + u64::from(options.faults.unwrap_or(0)) / 6,
            _ => 15,
        };
        Duration::from_secs(60 * minutes)
    }
}

/// A built test program.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) package: String,
    target: String,
    folder: PathBuf,
    executable: PathBuf,
}

/// What test programs said, added up.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    passed: u32,
    failed: u32,
    skipped: u32,
    /// Names of failed tests and programs.
    failures: Vec<String>,
    /// Names of skipped tests.
    skips: Vec<String>,
    /// The failed test whose panic the next line tells, and where in its source that was.
    panicked: Option<(String, String)>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let tools = setup::tools(Purpose::Develop)?;
    build::plugin(&tools.wasm)?;
    let programs = build_all()?;

    let wanted = |group| options.groups.is_empty() || options.groups.contains(&group);
    let mut groups: BTreeMap<Group, Vec<&Program>> = BTreeMap::new();
    for program in &programs {
        groups
            .entry(Group::of(&program.package, &program.target))
            .or_default()
            .push(program);
    }
    let mut tally = Tally::default();
    let here = |group: &Group| wanted(*group) && *group != Group::Pharo;
    for (group, programs) in groups.iter().filter(|(group, _)| here(group)) {
        for program in programs {
            run_program(program, *group, options, &tools, &mut tally)?;
        }
    }
    if wanted(Group::Pharo) && options.filter.is_none() {
        pharo::run(&programs, &tools, &mut tally)?;
    }
    if wanted(Group::Unit) && options.filter.is_none() {
        run_examples(options, &mut tally)?;
    }

    println!();
    for name in &tally.skips {
        println!("skipped: {name}");
    }
    for name in &tally.failures {
        println!("failed: {name}");
    }
    let Tally {
        passed,
        failed,
        skipped,
        ..
    } = tally;
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    if failed > 0 {
        bail!("{failed} of {} tests failed", passed + failed);
    }
    if passed == 0 {
        bail!("no test was run; `cargo xtask test --help` lists the groups");
    }
    Ok(())
}

/// Build every program, library, test and benchmark of the workspace, and return the test programs.
fn build_all() -> Result<Vec<Program>> {
    say("building everything and its tests");
    let mut command = build::cargo("build");
    command
        .args([
            "--workspace",
            "--all-targets",
            "--message-format=json-render-diagnostics",
        ])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    let messages = command.output().context("cannot run cargo")?;
    if !messages.status.success() {
        bail!("the tests do not build");
    }
    let messages = String::from_utf8_lossy(&messages.stdout);
    Ok(messages.lines().filter_map(test_program).collect())
}

/// The test program that a message of cargo's tells of.
fn test_program(message: &str) -> Option<Program> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    if message["reason"] != "compiler-artifact" || message["profile"]["test"] != true {
        return None;
    }
    let folder = Path::new(message["manifest_path"].as_str()?)
        .parent()?
        .to_owned();
    // "path+file:///…/sidecar#stui@0.1.0", or "…/protocol#0.1.0" where the folder is called like it
    let id = message["package_id"].as_str()?;
    let (url, fragment) = id.split_once('#')?;
    let package = match fragment.split_once('@') {
        Some((name, _)) => name,
        None => url.rsplit('/').next()?,
    };
    Some(Program {
        package: package.to_owned(),
        target: message["target"]["name"].as_str()?.to_owned(),
        folder,
        executable: message["executable"].as_str()?.into(),
    })
}

impl Program {
    /// How it is called in what is said about it.
    pub(crate) fn name(&self) -> String {
        format!("{} ({})", self.package, self.target)
    }

    /// Whether it tests a whole session on a real Pharo.
    pub(crate) fn is_for_pharo(&self) -> bool {
        Group::of(&self.package, &self.target) == Group::Pharo
    }
}

fn run_program(
    program: &Program,
    group: Group,
    options: &Options,
    tools: &Tools,
    tally: &mut Tally,
) -> Result<()> {
    let mut command = command(program, options.filter.as_deref(), tools);
    if matches!(group, Group::E2e | Group::Faults) {
        // each drives whole sessions; side by side they would only wait for each other
        command.arg("--test-threads=1");
    }
    if group == Group::Faults {
        // every fault and its recovery: at once where there are many, else at the end
        command.arg(match options.faults {
            Some(_) => "--nocapture",
            None => "--show-output",
        });
        for (name, value) in [
            ("STUI_FAULTS", options.faults.map(u64::from)),
            ("STUI_FAULTS_SEED", options.seed),
        ] {
            command.envs(value.map(|value| (name, value.to_string())));
        }
    }
    if group == Group::E2e && options.stalls {
        let seed = options
            .seed
            .unwrap_or_else(|| u64::from(std::process::id()));
        println!("stalls from seed {seed}");
        command.env("STUI_STALLS_SEED", seed.to_string());
    }
    run_harness(&mut command, &program.name(), group.limit(options), tally)
}

/// The command that runs a test program.
pub(crate) fn command(program: &Program, filter: Option<&str>, tools: &Tools) -> Command {
    let mut command = Command::new(&program.executable);
    command
        .args(filter)
        .current_dir(&program.folder)
        .env("CARGO_MANIFEST_DIR", &program.folder)
        .env(setup::zellij::VARIABLE, &tools.zellij)
        .env("STUI_BIN", places::stui("debug"))
        .env("STUI_PLUGIN_WASM", places::plugin_wasm());
    command
}

/// Run the examples in doc comments.
fn run_examples(options: &Options, tally: &mut Tally) -> Result<()> {
    let mut command = build::cargo("test");
    command.args(["--workspace", "--doc", "--quiet", "--no-fail-fast"]);
    run_harness(
        &mut command,
        "examples in doc comments",
        Group::Unit.limit(options),
        tally,
    )
}

/// Run a command that prints as Rust's test harness does, and add up what it says.
pub(crate) fn run_harness(
    command: &mut Command,
    name: &str,
    limit: Duration,
    tally: &mut Tally,
) -> Result<()> {
    say(&format!("testing {name}"));
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run the tests of {name}"))?;
    let stdout = child
        .stdout
        .take()
        .context("a test program without output")?;
    let (send, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                return;
            }
        }
    });
    let failed_before = tally.failed;
    loop {
        match lines.recv_timeout(limit.saturating_sub(started.elapsed())) {
            Ok(line) => {
                println!("{line}");
                tally.take(&line, name);
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                child.kill()?;
                child.wait()?;
                println!("    ended after {}", minutes(limit));
                tally.fail(format!("{name}: not done after {}", minutes(limit)));
                return Ok(());
            }
        }
    }
    let status = child.wait()?;
    if !status.success() && tally.failed == failed_before {
        tally.fail(format!("{name}: ended with {status}"));
    }
    Ok(())
}

impl Tally {
    /// Take in a line of a test program.
    fn take(&mut self, line: &str, program: &str) {
        if let Some((test, place)) = self.panicked.take() {
            self.explain(&format!("{program}: {test}"), &format!("{place} {line}"));
        } else if let Some((test, place)) = panic_of(line) {
            self.panicked = Some((test.to_owned(), place.to_owned()));
        } else if let Some(counts) = line.strip_prefix("test result: ") {
            let number = |word: &str| -> u32 {
                let count = counts
                    .split([';', '.'])
                    .find_map(|part| part.trim().strip_suffix(word));
                count
                    .and_then(|count| count.trim().parse().ok())
                    .unwrap_or(0)
            };
            self.passed += number("passed");
            self.failed += number("failed");
            self.skipped += number("ignored");
        } else if let Some(test) = line.strip_prefix("test ") {
            if let Some(test) = test.strip_suffix(" ... FAILED") {
                self.failures.push(format!("{program}: {test}"));
            } else if let Some((test, reason)) = test.split_once(" ... ignored") {
                self.skips.push(format!("{program}: {test}{reason}"));
            }
        }
    }

    /// Say of a failed test why it failed, with the first reason that it gave: the end of the output is
    /// all that is kept of some runs.
    fn explain(&mut self, failure: &str, reason: &str) {
        if let Some(failure) = self.failures.iter_mut().find(|it| *it == failure) {
            *failure = format!("{failure}\n    {reason}");
        }
    }

    /// Count something that is skipped as a whole, with the reason.
    pub(crate) fn skip(&mut self, what: String) {
        self.skipped += 1;
        self.skips.push(what);
    }

    /// Count a program that failed as a whole.
    pub(crate) fn fail(&mut self, what: String) {
        self.failed += 1;
        self.failures.push(what);
    }
}

/// The test and the place in its source, if a line begins the message of a panic in a test.
fn panic_of(line: &str) -> Option<(&str, &str)> {
    let (test, rest) = line.strip_prefix("thread '")?.split_once('\'')?;
    let (_, place) = rest.split_once("panicked at ")?;
    Some((test, place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_with_the_first_line_of_its_panic() {
        let mut tally = Tally::default();
        for line in [
            "test a::slow ... FAILED",
            "---- a::slow stdout ----",
            "thread 'a::slow' (281) panicked at src/lib.rs:193:9:",
            "no line",
            "and a screen",
            "thread 'a::slow' (281) panicked at src/lib.rs:7:1:",
            "while it ended",
        ] {
            tally.take(line, "p (t)");
        }
        assert_eq!(
            tally.failures,
            ["p (t): a::slow\n    src/lib.rs:193:9: no line"]
        );
    }

    #[test]
    fn what_the_harness_prints_is_added_up() {
        let mut tally = Tally::default();
        for line in [
            "running 3 tests",
            "test a::b ... ok",
            "test a::c ... FAILED",
            "test a::d ... ignored, needs a Pharo",
            "test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.00s",
            "test result: ok. 41 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s",
        ] {
            tally.take(line, "p");
        }
        assert_eq!((tally.passed, tally.failed, tally.skipped), (42, 1, 1));
        assert_eq!(tally.failures, ["p: a::c"]);
        assert_eq!(tally.skips, ["p: a::d, needs a Pharo"]);
    }

    #[test]
    fn test_programs_are_found_among_the_messages_of_cargo() {
        let message = |id: &str, test: bool| {
            format!(
                r#"{{"reason":"compiler-artifact","package_id":"{id}","manifest_path":"/w/sidecar/Cargo.toml",
                "target":{{"name":"stui"}},"profile":{{"test":{test}}},"executable":"/t/stui-1"}}"#
            )
        };
        let found = test_program(&message("path+file:///w/sidecar#stui@0.1.0", true)).unwrap();
        assert_eq!(found.package, "stui");
        assert_eq!(found.folder, Path::new("/w/sidecar"));
        assert_eq!(found.executable, Path::new("/t/stui-1"));
        let short = test_program(&message("path+file:///w/tests/xtask#0.1.0", true)).unwrap();
        assert_eq!(short.package, "xtask");
        assert_eq!(
            test_program(&message("path+file:///w/sidecar#stui@0.1.0", false)),
            None
        );
        assert_eq!(test_program("no JSON"), None);
    }

    #[test]
    fn a_program_that_fails_without_a_word_counts_as_failed() {
        let mut tally = Tally::default();
        let minute = Duration::from_secs(60);
        run_harness(&mut Command::new("false"), "mute", minute, &mut tally).unwrap();
        assert_eq!(tally.failed, 1);
    }

    #[test]
    fn a_program_over_its_time_is_ended_and_counts_as_failed() {
        let mut tally = Tally::default();
        let mut command = Command::new("sleep");
        command.arg("600");
        run_harness(&mut command, "slow", Duration::from_millis(1), &mut tally).unwrap();
        assert_eq!(tally.failed, 1);
        assert!(tally.failures[0].contains("not done"));
    }

    #[test]
    fn every_group_has_a_package_and_every_other_package_is_unit() {
        assert_eq!(Group::of("stui-e2e", "sessions"), Group::E2e);
        assert_eq!(Group::of("stui-e2e", "pharo"), Group::Pharo);
        assert_eq!(
            Group::of("stui-conformance", "requests"),
            Group::Conformance
        );
        assert_eq!(Group::of("stui-plugin-host", "wasm"), Group::Plugin);
        assert_eq!(Group::of("stui-embedded", "vm"), Group::Unit);
        assert_eq!(Group::of("stui-faults", "desk"), Group::Faults);
    }
}

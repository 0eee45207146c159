//! The script: two people type and evaluate while faults happen, and what must be true at the end.
//!
//! Each round, one person works at the beginning of the text and the other at its end. Both write an
//! expression on a new line and print it; `Hit value: 7` counts itself, writes a line to the transcript
//! and answers 21. Meanwhile, at some moment, one or two faults happen. The round is over when both
//! answers stand in both workspaces, or the loss of an evaluation was said, which is right only if its
//! server was killed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use fastrand::Rng;
use stui::demo::script::keys::PRINT_IT;
use stui::demo::stage::Stage;
use stui_plugin::editor::gutter;

use crate::fault::Fault;
use crate::image::Image;
use crate::report::Recoveries;

/// How long anything may take before the session counts as broken.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(20);
/// What a pane says of an evaluation that it did not take.
const NOT_TAKEN: &str = "nothing was run";
/// What is said of an evaluation that is lost.
const LOST: &str = "server ended while this ran";
/// The sign beside code that failed, and one behind a line, where a mark ends or a cursor is.
const FAILED: char = '✗';
const BEHIND: char = '▴';
/// A pane so wide has its signs beside the text.
const WIDE: u16 = 100;

/// What a person does.
#[derive(Debug, Clone)]
pub(crate) enum Stroke {
    /// A character is typed.
    Type(char),
    /// A key is pressed, named as in Zellij's configuration.
    Press(&'static str),
}

/// A session with two people at it.
pub(crate) trait Table {
    /// Where its processes run.
    fn stage(&self) -> &Stage;
    /// A person strikes a key in the workspace.
    fn strike(&self, who: usize, stroke: &Stroke);
    /// The rows of a person's workspace as they are shown, signs beside the text included.
    fn rows(&self, who: usize) -> Vec<String>;
    /// The lines of a person's workspace; below them there may be others.
    fn workspace(&self, who: usize) -> Vec<String> {
        let text = self.rows(who).into_iter().map(|row| {
            let text: String = row.chars().skip(gutter(WIDE).into()).collect();
            text.trim_end_matches([BEHIND, ' ']).to_owned()
        });
        text.skip_while(|line| line != "first").collect()
    }
    /// The lines of a person's transcript.
    fn transcript(&self, who: usize) -> Vec<String>;
    /// How many of them there are at least.
    fn transcript_rows(&self) -> usize;
    /// Everything that a person's workspace shows, on one line.
    fn everything(&self, who: usize) -> String;
    /// For messages.
    fn logs(&self) -> String;
}

/// What became of an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Answered,
    Lost,
}

/// An evaluation that was asked for.
#[derive(Debug)]
struct Asked {
    /// Of which server, by number.
    epoch: u32,
    end: End,
}

/// See the module's text.
pub(crate) struct Play<T: Table> {
    pub(crate) table: T,
    pub(crate) image: Image,
    seed: u64,
    random: Rng,
    last: u32,
    /// Lines of the first person, the newest first, and of the second one, the newest last.
    lines: [Vec<String>; 2],
    asked: BTreeMap<u32, Asked>,
    pub(crate) recoveries: Recoveries,
}

impl<T: Table> Play<T> {
    /// Two people sit down; the text is empty.
    pub(crate) fn begin(table: T, image: Image, seed: u64) -> Play<T> {
        let play = Play {
            table,
            image,
            seed,
            random: Rng::with_seed(seed),
            last: 0,
            lines: [Vec::new(), Vec::new()],
            asked: BTreeMap::new(),
            recoveries: Recoveries::default(),
        };
        for stroke in "first\nsecond".chars() {
            play.table.strike(0, &typed(stroke));
        }
        play.wait("both see the first lines", Play::all_see_the_text);
        play
    }

    /// The text as it must be.
    fn expected(&self) -> Vec<String> {
        let mut lines = vec!["first".to_owned()];
        lines.extend(self.lines[0].iter().cloned());
        lines.push("second".to_owned());
        lines.extend(self.lines[1].iter().cloned());
        lines
    }

    fn all_see_the_text(&self) -> bool {
        let expected = self.expected();
        (0..2).all(|who| self.table.workspace(who).starts_with(&expected))
    }

    /// Plays rounds until so many faults have happened, and prints each.
    pub(crate) fn faults(&mut self, count: usize) {
        let mut happened = 0;
        while happened < count {
            let mut faults = vec![Fault::random(&mut self.random)];
            if self.random.u32(..4) == 0 && happened + 1 < count {
                faults.push(Fault::random(&mut self.random));
            }
            happened += faults.len();
            self.round(&faults);
        }
    }

    /// A round with these faults in it.
    pub(crate) fn round(&mut self, faults: &[Fault]) {
        let numbers = [self.last + 1, self.last + 2];
        self.last += 2;
        let strokes = self.strokes(numbers);
        let moments: Vec<Duration> = faults
            .iter()
            .map(|_| Duration::from_millis(self.random.u64(..250)))
            .collect();
        let mut random = self.random.fork();
        let mut pauses = self.random.fork();
        let (table, image) = (&self.table, &mut self.image);
        let stage = table.stage();
        let epoch = image.epoch;
        let over = std::thread::scope(|scope| {
            let happening = scope.spawn({
                let (faults, moments) = (faults.to_vec(), moments);
                move || {
                    let mut over = Instant::now();
                    for (fault, moment) in faults.iter().zip(moments) {
                        std::thread::sleep(moment);
                        over = fault.happen(stage, image, &mut random);
                    }
                    over
                }
            });
            for (who, stroke) in &strokes {
                table.strike(*who, stroke);
                std::thread::sleep(Duration::from_micros(pauses.u64(..6000)));
            }
            happening
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        let may_lose = faults.iter().any(|fault| fault.loses_evaluations());
        let ends = self.wait_for_answers(numbers, may_lose, faults);
        let took = over.elapsed();
        let names: Vec<String> = faults.iter().map(ToString::to_string).collect();
        let losses = ends.iter().filter(|end| **end == End::Lost).count();
        let said = match losses {
            0 => String::new(),
            n => format!(", {n} evaluation(s) lost and said so"),
        };
        println!(
            "[{}] {}: {:.2} s{said}",
            self.seed,
            names.join(" and "),
            took.as_secs_f64()
        );
        let kind = match faults {
            [one] => one.kind(),
            _ => "two at once",
        };
        self.recoveries.0.push((kind.to_owned(), took));
        for (number, end) in numbers.into_iter().zip(ends) {
            // one that was asked before the server was killed may have run on either
            let epoch = if may_lose { 0 } else { epoch };
            self.asked.insert(number, Asked { epoch, end });
        }
    }

    /// What both people strike in a round, mixed as it comes.
    fn strokes(&mut self, numbers: [u32; 2]) -> Vec<(usize, Stroke)> {
        let one = |keys: &[&'static str], number: u32| -> Vec<Stroke> {
            let go = keys.iter().map(|key| Stroke::Press(key));
            let code: Vec<Stroke> = code(number).chars().map(Stroke::Type).collect();
            go.chain(code).chain([Stroke::Press(PRINT_IT)]).collect()
        };
        let mut both = [
            one(&["PageUp", "End", "Enter"], numbers[0]),
            one(&["Ctrl End", "Enter"], numbers[1]),
        ]
        .map(VecDeque::from);
        let mut mixed = Vec::new();
        while both.iter().any(|strokes| !strokes.is_empty()) {
            let who = self.random.usize(..2);
            if let Some(stroke) = both[who].pop_front() {
                mixed.push((who, stroke));
            }
        }
        mixed
    }

    /// Waits until both evaluations came to an end that both people see.
    fn wait_for_answers(
        &mut self,
        numbers: [u32; 2],
        may_lose: bool,
        faults: &[Fault],
    ) -> [End; 2] {
        let mut ends = [None; 2];
        let answered = numbers.map(|number| format!("{} {}", code(number), 3 * number));
        let deadline = Instant::now() + PATIENCE;
        loop {
            for who in 0..2 {
                if ends[who].is_some() {
                    continue;
                }
                let text = self.table.workspace(who);
                let everything = self.table.everything(who);
                if text.contains(&answered[who]) {
                    ends[who] = Some(End::Answered);
                } else if may_lose && self.failed(who, numbers[who]) && self.loss_is_said() {
                    ends[who] = Some(End::Lost);
                } else if everything.contains(NOT_TAKEN) {
                    self.ask_again(who);
                }
            }
            if let [Some(one), Some(other)] = ends {
                let ends = [one, other];
                for who in 0..2 {
                    let line = match ends[who] {
                        End::Answered => answered[who].clone(),
                        End::Lost => code(numbers[who]),
                    };
                    if who == 0 {
                        self.lines[0].insert(0, line);
                    } else {
                        self.lines[1].push(line);
                    }
                }
                let what = format!("both see one text after {faults:?}");
                self.wait(&what, Self::all_see_the_text);
                return ends;
            }
            if Instant::now() >= deadline {
                self.fail(&format!("no end of {numbers:?} after {faults:?}: {ends:?}"));
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Whether somebody reads that an evaluation is lost.
    fn loss_is_said(&self) -> bool {
        (0..2).any(|who| self.table.everything(who).contains(LOST))
    }

    /// Whether an evaluation is marked as failed; the sentence alone may be about the other person's.
    fn failed(&self, who: usize, number: u32) -> bool {
        let code = code(number);
        let rows = self.table.rows(who);
        let mut marked = rows.iter().filter(|row| row.starts_with(FAILED));
        marked.any(|row| row.trim_end_matches([BEHIND, ' ']).ends_with(&code))
    }

    /// The pane said that it did not take the evaluation: its sentence is put away, so that the next
    /// one is known for another, and the key is struck again.
    fn ask_again(&self, who: usize) {
        self.table.strike(who, &Stroke::Press("Esc"));
        self.wait("the sentence goes away", |play| {
            !play.table.everything(who).contains(NOT_TAKEN)
        });
        self.table.strike(who, &Stroke::Press(PRINT_IT));
        std::thread::sleep(10 * LOOK);
    }

    /// Waits until something is so, or fails.
    pub(crate) fn wait(&self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_so(self) {
            if Instant::now() >= deadline {
                self.fail(&format!("not so: {what}"));
            }
            std::thread::sleep(LOOK);
        }
    }

    /// What must be true at the end: one text, as it was typed and answered; every evaluation counted
    /// once; every line of the transcript there once.
    pub(crate) fn see_that_nothing_is_lost(&self) {
        self.wait("both see one text at the end", Self::all_see_the_text);
        let epoch = self.image.epoch;
        for (number, asked) in &self.asked {
            let hits = self.image.hits(*number);
            let right = match asked {
                Asked {
                    epoch: then,
                    end: End::Answered,
                } if *then == epoch => hits == 1,
                // it ran on a server that is dead, or on this one
                _ => hits <= 1,
            };
            if !right {
                self.fail(&format!("{number} was evaluated {hits} times: {asked:?}"));
            }
        }
        let recent: BTreeSet<u32> = self
            .asked
            .iter()
            .rev()
            .filter(|(_, asked)| asked.epoch == epoch && asked.end == End::Answered)
            .map(|(number, _)| *number)
            .take(self.table.transcript_rows())
            .collect();
        for who in 0..2 {
            self.wait("the transcript has every line once", |play| {
                let lines = play.table.transcript(who);
                let count = |number: u32| {
                    let wanted = format!("hit {number}");
                    lines.iter().filter(|line| **line == wanted).count()
                };
                recent.iter().all(|number| count(*number) == 1)
                    && play.asked.keys().all(|number| count(*number) <= 1)
            });
        }
    }

    /// Fails with everything that may explain it.
    pub(crate) fn fail(&self, reason: &str) -> ! {
        let screens: Vec<String> = (0..2)
            .map(|who| {
                format!(
                    "--- person {who}\n{}\n({})\n--- transcript\n{}",
                    self.table.workspace(who).join("\n").trim_end(),
                    self.table.everything(who),
                    self.table.transcript(who).join("\n").trim_end()
                )
            })
            .collect();
        let processes: Vec<String> = self
            .table
            .stage()
            .processes()
            .iter()
            .map(ToString::to_string)
            .collect();
        panic!(
            "seed {}: {reason}\n--- expected\n{}\n{}\n--- processes\n{}\n{}",
            self.seed,
            self.expected().join("\n"),
            screens.join("\n"),
            processes.join("\n"),
            self.table.logs()
        );
    }
}

fn code(number: u32) -> String {
    format!("Hit value: {number}")
}

fn typed(c: char) -> Stroke {
    match c {
        '\n' => Stroke::Press("Enter"),
        c => Stroke::Type(c),
    }
}

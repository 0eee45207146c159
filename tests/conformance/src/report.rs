//! How many cases of each topic and level a server answers as Pharo does.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use crate::answers::{Case, Level};

/// Passed of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// Cases answered as Pharo does.
    pub passed: usize,
    /// Cases.
    pub all: usize,
}

impl Score {
    /// In percent; 100 when there are no cases.
    pub fn percent(self) -> f64 {
        if self.all == 0 {
            100.0
        } else {
            100.0 * self.passed as f64 / self.all as f64
        }
    }
}

/// The outcome of a run.
#[derive(Debug, Default)]
pub struct Report {
    scores: BTreeMap<(String, Level), Score>,
    failures: Vec<String>,
}

impl Report {
    /// Counts a case with its differences; none means that it passed.
    pub fn add(&mut self, case: &Case, differences: &[String]) {
        let score = self
            .scores
            .entry((case.topic.clone(), case.level))
            .or_default();
        score.all += 1;
        if differences.is_empty() {
            score.passed += 1;
        } else {
            let code = case.code.replace('\n', " ");
            self.failures.push(format!(
                "{} {code}\n    {}",
                case.id,
                differences.join("\n    ")
            ));
        }
    }

    /// The score of all topics at `level`.
    pub fn score(&self, level: Level) -> Score {
        self.sum(|(_, its_level)| *its_level == level)
    }

    fn sum(&self, wanted: impl Fn(&(String, Level)) -> bool) -> Score {
        let chosen = self.scores.iter().filter(|(key, _)| wanted(key));
        chosen.fold(Score::default(), |sum, (_, score)| Score {
            passed: sum.passed + score.passed,
            all: sum.all + score.all,
        })
    }
}

const LEVELS: [Level; 3] = [Level::Core, Level::Pharo, Level::Image];

/// The cases that fail, then the table.
impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for failure in &self.failures {
            writeln!(f, "{failure}")?;
        }
        let row = |f: &mut Formatter<'_>, name: &str, score: &dyn Fn(Level) -> Score| {
            write!(f, "{name:<16}")?;
            for level in LEVELS {
                let Score { passed, all } = score(level);
                let cell = if all == 0 {
                    String::new()
                } else {
                    format!("{passed}/{all}")
                };
                write!(f, "{cell:>10}")?;
            }
            writeln!(f)
        };
        writeln!(
            f,
            "{:<16}{:>10}{:>10}{:>10}",
            "topic", "core", "pharo", "image"
        )?;
        let mut topics: Vec<&str> = self
            .scores
            .keys()
            .map(|(topic, _)| topic.as_str())
            .collect();
        topics.dedup();
        for topic in topics {
            row(f, topic, &|level| {
                self.sum(|(its_topic, its_level)| its_topic == topic && *its_level == level)
            })?;
        }
        row(f, "all", &|level| self.score(level))?;
        write!(f, "{:<16}", "percent")?;
        for level in LEVELS {
            write!(f, "{:>9.1}%", self.score(level).percent())?;
        }
        writeln!(f)
    }
}

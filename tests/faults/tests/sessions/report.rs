//! What went wrong on purpose, how long it was felt, and the sum of it.

use std::time::Duration;

/// Durations in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Recoveries(pub(crate) Vec<(String, Duration)>);

impl Recoveries {
    /// The duration that so many percent did not exceed.
    fn percentile(sorted: &[Duration], percent: usize) -> Duration {
        let last = sorted.len().saturating_sub(1);
        sorted
            .get((last * percent).div_ceil(100))
            .copied()
            .unwrap_or_default()
    }

    /// A line a kind of fault, and one for all.
    pub(crate) fn summary(&self) -> String {
        let mut kinds: Vec<&str> = self.0.iter().map(|(kind, _)| kind.as_str()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let mut lines = vec![format!(
            "{:<34} {:>6} {:>8} {:>8} {:>8}",
            "recovery, in seconds", "faults", "p50", "p95", "max"
        )];
        for kind in kinds {
            let of_kind = self.0.iter().filter(|(other, _)| other == kind);
            lines.push(line(kind, of_kind.map(|(_, took)| *took).collect()));
        }
        lines.push(line("all", self.0.iter().map(|(_, took)| *took).collect()));
        lines.join("\n")
    }
}

fn line(kind: &str, mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |percent| Recoveries::percentile(&times, percent).as_secs_f64();
    format!(
        "{kind:<34} {:>6} {:>8.2} {:>8.2} {:>8.2}",
        times.len(),
        at(50),
        at(95),
        at(100)
    )
}

#[test]
fn the_summary_names_median_and_worst_of_each_kind() {
    let seconds = |n| Duration::from_secs(n);
    let recoveries = Recoveries(vec![
        ("cut".into(), seconds(1)),
        ("kill".into(), seconds(9)),
        ("cut".into(), seconds(3)),
        ("cut".into(), seconds(2)),
    ]);
    let summary = recoveries.summary();
    let cut = summary.lines().find(|line| line.starts_with("cut"));
    let words: Vec<&str> = cut.unwrap_or_default().split_whitespace().collect();
    assert_eq!(words, ["cut", "3", "2.00", "3.00", "3.00"]);
    assert!(
        summary
            .lines()
            .last()
            .is_some_and(|all| all.contains("9.00"))
    );
}

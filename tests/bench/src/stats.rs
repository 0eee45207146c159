//! Durations summed up.

use std::time::{Duration, Instant};

/// Durations of one kind of operation, sorted.
pub(crate) struct Durations(Vec<Duration>);

impl Durations {
    /// From durations in any order; at least one.
    pub(crate) fn new(mut durations: Vec<Duration>) -> Durations {
        durations.sort();
        Durations(durations)
    }

    /// How long `operation` takes, `count` times.
    pub(crate) fn of<E>(
        count: usize,
        mut operation: impl FnMut() -> Result<(), E>,
    ) -> Result<Durations, E> {
        let mut durations = Vec::with_capacity(count);
        for _ in 0..count {
            let started = Instant::now();
            operation()?;
            durations.push(started.elapsed());
        }
        Ok(Durations::new(durations))
    }

    /// All of them together.
    pub(crate) fn sum(&self) -> Duration {
        self.0.iter().sum()
    }

    /// The duration that this part of all (0 to 1) does not exceed.
    pub(crate) fn quantile(&self, part: f64) -> Duration {
        let last = self.0.len().saturating_sub(1);
        let index = (part * last as f64).round() as usize;
        self.0.get(index.min(last)).copied().unwrap_or_default()
    }

    /// A row of a table.
    pub(crate) fn row(&self, name: &str) -> String {
        format!(
            "  {name:<44} p50 {:>9}  p99 {:>9}  n {}",
            shown(self.quantile(0.5)),
            shown(self.quantile(0.99)),
            self.0.len()
        )
    }

    /// A row that says how often this takes the floor's time.
    pub(crate) fn ratio_to(&self, floor: &Durations) -> String {
        let ratio =
            |part| self.quantile(part).as_secs_f64() / floor.quantile(part).as_secs_f64().max(1e-9);
        format!(
            "  {:<44} p50 {:>8.2}x  p99 {:>8.2}x",
            "ratio",
            ratio(0.5),
            ratio(0.99)
        )
    }
}

fn shown(duration: Duration) -> String {
    let microseconds = duration.as_secs_f64() * 1e6;
    if microseconds < 1000.0 {
        format!("{microseconds:.1} us")
    } else {
        format!("{:.2} ms", microseconds / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_taken_from_the_sorted_durations() {
        let milliseconds = |n| Duration::from_millis(n);
        let durations = Durations::new((0..=100).rev().map(milliseconds).collect());
        assert_eq!(durations.quantile(0.0), milliseconds(0));
        assert_eq!(durations.quantile(0.5), milliseconds(50));
        assert_eq!(durations.quantile(0.99), milliseconds(99));
        assert_eq!(durations.quantile(1.0), milliseconds(100));
    }

    #[test]
    fn durations_are_shown_in_a_fitting_unit() {
        assert_eq!(shown(Duration::from_micros(250)), "250.0 us");
        assert_eq!(shown(Duration::from_micros(2500)), "2.50 ms");
    }
}

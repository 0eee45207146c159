//! The history of a session: what was evaluated, by whom, and what became of it. Bounded by entries and
//! bytes; the oldest are forgotten.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use stui_protocol::pane::{How, Instance};

/// Most entries kept.
pub const MAX_ENTRIES: usize = 1000;
/// Most bytes of code and answers kept.
pub const MAX_BYTES: usize = 4 << 20;
/// Longest answer kept, in characters.
pub const MAX_ANSWER: usize = 300;

/// An evaluation that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number in the session, from 1.
    pub n: u64,
    /// The code.
    pub code: String,
    /// What for.
    pub how: How,
    /// Who asked for it.
    pub by: Instance,
    /// When it was asked for, in seconds since 1970.
    pub at: u64,
    /// How many servers the session had had before the one that ran it.
    pub life: u32,
    /// Whether it ended without an error.
    pub good: bool,
    /// The answer or the error, in one line.
    pub answer: String,
}

impl Entry {
    fn bytes(&self) -> usize {
        self.code.len() + self.answer.len() + size_of::<Entry>()
    }
}

/// See the module's text.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct History {
    entries: VecDeque<Entry>,
    /// Number of the last entry.
    last: u64,
    /// Number of the last entry that was run again.
    run_again: u64,
    #[serde(skip)]
    bytes: usize,
}

impl History {
    /// The history as it was, with what is not kept on disk.
    pub(super) fn restored(mut self) -> Self {
        self.bytes = self.entries.iter().map(Entry::bytes).sum();
        self
    }

    /// From the oldest to the newest.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Adds one, and gives it its number, which is answered.
    pub fn add(&mut self, entry: Entry) -> u64 {
        self.last += 1;
        let entry = Entry {
            n: self.last,
            ..entry
        };
        self.bytes += entry.bytes();
        self.entries.push_back(entry);
        while self.entries.len() > MAX_ENTRIES || self.bytes > MAX_BYTES && self.entries.len() > 1 {
            if let Some(oldest) = self.entries.pop_front() {
                self.bytes -= oldest.bytes();
            }
        }
        self.last
    }

    /// The entry with this number, which had stopped in a debugger, went on and ended so.
    pub fn ended(&mut self, n: u64, good: bool, answer: &str) {
        if let Some(entry) = self.entries.iter_mut().rfind(|entry| entry.n == n) {
            self.bytes -= entry.bytes();
            entry.good = good;
            answer.clone_into(&mut entry.answer);
            self.bytes += entry.bytes();
        }
    }

    /// What a lost server had evaluated with success and was not run again: what makes variables what
    /// they were, in order. `life` is that of the server that is there now. Of several lost servers it
    /// is the last one that ran anything.
    pub fn lost(&self, life: u32) -> impl Iterator<Item = &Entry> {
        let last = self.entries.iter().rev().find(|entry| entry.life < life);
        let last = last.map(|entry| entry.life);
        self.entries.iter().filter(move |entry| {
            Some(entry.life) == last
                && entry.good
                && entry.how != How::InspectIt
                && entry.n > self.run_again
        })
    }

    /// The entry with this number, and those before it, were run again.
    pub fn ran_again(&mut self, n: u64) {
        self.run_again = self.run_again.max(n);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(code: &str, life: u32, good: bool) -> Entry {
        Entry {
            n: 0,
            code: code.into(),
            how: How::DoIt,
            by: Instance::new(1, 1, 1),
            at: 0,
            life,
            good,
            answer: String::new(),
        }
    }

    fn lost(history: &History, life: u32) -> Vec<&str> {
        history
            .lost(life)
            .map(|entry| entry.code.as_str())
            .collect()
    }

    #[test]
    fn what_succeeded_on_the_lost_server_is_run_again_in_order_and_once() {
        let mut history = History::default();
        for (code, life, good) in [
            ("old", 0, true),
            ("x := 1", 1, true),
            ("1/0", 1, false),
            ("y := 2", 1, true),
        ] {
            history.add(entry(code, life, good));
        }
        assert_eq!(lost(&history, 1), ["old"], "nothing of the living server");
        assert_eq!(lost(&history, 2), ["x := 1", "y := 2"]);
        assert_eq!(
            lost(&history, 3),
            ["x := 1", "y := 2"],
            "a server on which nothing ran takes nothing away"
        );
        history.ran_again(2);
        assert_eq!(lost(&history, 2), ["y := 2"]);
    }

    #[test]
    fn a_history_is_bounded_by_entries_and_by_bytes() {
        let mut history = History::default();
        for _ in 0..MAX_ENTRIES + 7 {
            history.add(entry("1", 0, true));
        }
        assert_eq!(history.entries().len(), MAX_ENTRIES);
        assert_eq!(history.entries().next().unwrap().n, 8);
        for _ in 0..20 {
            history.add(entry(&"x".repeat(1 << 20), 0, true));
        }
        assert!(history.entries().len() < 5);
        let json = serde_json::to_string(&history).unwrap();
        let again: History = serde_json::from_str(&json).unwrap();
        assert_eq!(again.restored().bytes, history.bytes);
    }
}

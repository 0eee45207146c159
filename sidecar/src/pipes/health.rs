//! Whether a pair of pipes works: the handshake and the probes, as a state machine without I/O.
//!
//! A pair begins with a line on `down`, which the instances answer with a hello; then `up` is opened
//! and proved by answered probes. A pair that works is probed now and then. One that does not answer
//! in time is replaced as a whole: either of its processes can have been cut off without a word.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use stui_protocol::pane::Instance;

/// How many probes must be answered before a pair is trusted.
const PROOFS: u32 = 3;
/// How long the first answer of a pair may take; later attempts wait longer.
const FIRST_PATIENCE: Duration = Duration::from_secs(1);
const LONGEST_PATIENCE: Duration = Duration::from_secs(4);
/// Between two probes of a pair that works. A pane takes four seconds of silence for a lost sidecar.
const PROBE_INTERVAL: Duration = Duration::from_secs(2);
/// How long a probe of a pair that worked may stay unanswered.
const PROBE_LIMIT: Duration = Duration::from_secs(5);
/// After how long an instance that is silent while others answer counts as gone.
const STALE: Duration = Duration::from_secs(20);

/// What a pair needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Need {
    /// The other pipe.
    Up,
    /// A probe with this number.
    Probe(u64),
    /// Nothing more: it works.
    Live,
    /// To be replaced; why.
    Replacement(&'static str),
    /// To be forgotten: this instance is silent while others are not.
    Forgotten(Instance),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Greeting,
    Proving { answered: u32 },
    Live { unanswered: bool },
}

/// The state of a pair.
#[derive(Debug, Clone)]
pub(super) struct Health {
    state: State,
    /// When something must have happened, or is to be done.
    deadline: Instant,
    patience: Duration,
    /// Number of the last probe.
    probe: u64,
    /// Whether a line was lost, because the pipe took no more.
    stuck: bool,
    heard: BTreeMap<Instance, Instant>,
}

impl Health {
    /// The state of a pair of which `down` was just opened; the how manieth try it is, from 0.
    pub(super) fn begin(attempt: u32, now: Instant) -> Self {
        let patience = (FIRST_PATIENCE * 2u32.saturating_pow(attempt)).min(LONGEST_PATIENCE);
        Health {
            state: State::Greeting,
            deadline: now + patience,
            patience,
            probe: 0,
            stuck: false,
            heard: BTreeMap::new(),
        }
    }

    pub(super) fn is_live(&self) -> bool {
        matches!(self.state, State::Live { .. })
    }

    /// When [`Health::tick`] wants to be called.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Who answers on this pair.
    pub(super) fn instances(&self) -> impl Iterator<Item = &Instance> {
        self.heard.keys()
    }

    /// An instance said hello.
    pub(super) fn hello(&mut self, from: &Instance, now: Instant) -> Option<Need> {
        self.heard.insert(from.clone(), now);
        if self.state != State::Greeting {
            return None;
        }
        self.state = State::Proving { answered: 0 };
        self.deadline = now + self.patience;
        Some(Need::Up)
    }

    /// The other pipe is open.
    pub(super) fn opened_up(&mut self) -> Need {
        self.next_probe()
    }

    fn next_probe(&mut self) -> Need {
        self.probe += 1;
        Need::Probe(self.probe)
    }

    /// An instance said anything. One that was forgotten is reached by nobody, and has missed things: it
    /// gets a new pair, on which it says hello.
    pub(super) fn heard(&mut self, from: &Instance, now: Instant) -> Option<Need> {
        if let Some(last) = self.heard.get_mut(from) {
            *last = now;
            return None;
        }
        self.is_live()
            .then_some(Need::Replacement("an instance is back that was silent"))
    }

    /// An instance answered a probe.
    pub(super) fn probed(&mut self, from: &Instance, n: u64, now: Instant) -> Option<Need> {
        if let Some(need) = self.heard(from, now) {
            return Some(need);
        }
        if n != self.probe {
            return None;
        }
        match &mut self.state {
            State::Greeting => None,
            State::Proving { answered } => {
                *answered += 1;
                let proved = *answered >= PROOFS;
                self.deadline = now + self.patience;
                if !proved {
                    return Some(self.next_probe());
                }
                self.state = State::Live { unanswered: false };
                self.deadline = now + PROBE_INTERVAL;
                Some(Need::Live)
            }
            State::Live { unanswered } => {
                if *unanswered {
                    *unanswered = false;
                    self.deadline = now + PROBE_INTERVAL;
                }
                None
            }
        }
    }

    /// An instance is being closed; answers whether it was the last one.
    pub(super) fn bye(&mut self, from: &Instance) -> bool {
        self.heard.remove(from).is_some() && self.heard.is_empty()
    }

    /// The pipe took no more, and a line is lost: only a new pair, on which all is told anew, helps.
    pub(super) fn give_up(&mut self, now: Instant) {
        self.stuck = true;
        self.deadline = now;
    }

    /// Time went by.
    pub(super) fn tick(&mut self, now: Instant) -> Option<Need> {
        if self.stuck {
            return Some(Need::Replacement("a pipe takes no lines"));
        }
        if now < self.deadline {
            return None;
        }
        match self.state {
            State::Greeting => Some(Need::Replacement("no pane said hello")),
            State::Proving { .. } => Some(Need::Replacement("no pane answered a probe")),
            State::Live { unanswered: true } => {
                Some(Need::Replacement("no pane answered any more"))
            }
            State::Live { unanswered: false } => {
                let last = self.heard.values().max().copied();
                let silent = self.heard.iter().find(|(_, heard)| {
                    last.is_some_and(|last| last.duration_since(**heard) > STALE)
                });
                if let Some((instance, _)) = silent {
                    let instance = instance.clone();
                    self.heard.remove(&instance);
                    return Some(Need::Forgotten(instance));
                }
                self.state = State::Live { unanswered: true };
                self.deadline = now + PROBE_LIMIT;
                Some(self.next_probe())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn me() -> Instance {
        Instance::new(1, 1, 1)
    }

    fn live(now: Instant) -> Health {
        let mut health = Health::begin(0, now);
        assert_eq!(health.hello(&me(), now), Some(Need::Up));
        assert_eq!(health.opened_up(), Need::Probe(1));
        assert_eq!(health.probed(&me(), 1, now), Some(Need::Probe(2)));
        assert_eq!(health.probed(&me(), 2, now), Some(Need::Probe(3)));
        assert_eq!(health.probed(&me(), 3, now), Some(Need::Live));
        health
    }

    #[test]
    fn a_pair_is_trusted_after_three_answered_probes() {
        assert!(live(Instant::now()).is_live());
    }

    #[test]
    fn two_instances_answering_one_probe_prove_one_probe() {
        let now = Instant::now();
        let other = Instance::new(1, 2, 2);
        let mut health = Health::begin(0, now);
        health.hello(&me(), now);
        assert_eq!(health.hello(&other, now), None);
        health.opened_up();
        assert_eq!(health.probed(&me(), 1, now), Some(Need::Probe(2)));
        assert_eq!(health.probed(&other, 1, now), None);
    }

    #[test]
    fn silence_at_any_step_replaces_the_pair() {
        let now = Instant::now();
        let later = now + Duration::from_secs(10);
        let mut health = Health::begin(0, now);
        assert_eq!(health.tick(now), None);
        assert!(matches!(health.tick(later), Some(Need::Replacement(_))));
        health.hello(&me(), now);
        assert!(matches!(health.tick(later), Some(Need::Replacement(_))));
        let mut health = live(now);
        assert_eq!(health.tick(later), Some(Need::Probe(4)));
        assert!(matches!(
            health.tick(later + PROBE_LIMIT),
            Some(Need::Replacement(_))
        ));
    }

    #[test]
    fn a_pair_that_has_lost_a_line_is_replaced_whatever_it_answers() {
        let now = Instant::now();
        let mut health = live(now);
        let other = Instance::new(1, 2, 2);
        health.hello(&other, now);
        let later = now + PROBE_INTERVAL;
        assert_eq!(health.tick(later), Some(Need::Probe(4)));
        health.probed(&me(), 4, later);
        health.give_up(later);
        assert_eq!(health.probed(&other, 4, later), None);
        assert!(matches!(health.tick(later), Some(Need::Replacement(_))));
    }

    #[test]
    fn later_attempts_are_more_patient() {
        let now = Instant::now();
        let first = Health::begin(0, now).deadline();
        let third = Health::begin(2, now).deadline();
        assert!(third > first);
        assert_eq!(Health::begin(60, now).deadline(), now + LONGEST_PATIENCE);
    }

    #[test]
    fn an_instance_that_is_silent_while_another_answers_is_forgotten() {
        let mut now = Instant::now();
        let other = Instance::new(1, 2, 2);
        let mut health = live(now);
        health.hello(&other, now);
        let mut forgotten = None;
        for _ in 0..20 {
            now += PROBE_INTERVAL;
            match health.tick(now) {
                Some(Need::Probe(n)) => drop(health.probed(&me(), n, now)),
                Some(Need::Forgotten(instance)) => forgotten = Some(instance),
                _ => {}
            }
        }
        assert_eq!(forgotten.as_ref(), Some(&other));
        let back = health.clone().heard(&other, now);
        assert!(matches!(back, Some(Need::Replacement(_))), "{back:?}");
        assert_eq!(health.heard(&me(), now), None);
        assert!(health.bye(&me()));
    }
}

//! Whether the server's event loop is alive, as far as its answers tell. No I/O.
//!
//! Heartbeats of the transport say that the peer's network side is there. They say nothing about the
//! loop behind it: an image that saves itself, or waits in a foreign call, answers nobody. So the link
//! asks for a sign of life when it has heard nothing for a while. One that is late means *busy*, one that
//! does not come at all means that the connection is of no use.

use std::time::{Duration, Instant};

use stui_protocol::Uuid;

/// After how long a silence a sign of life is asked for: while somebody waits for an answer, and else.
const SILENCE: Duration = Duration::from_secs(1);
const IDLE_SILENCE: Duration = Duration::from_secs(15);
/// A sign of life that takes longer than this means that the server is busy.
const BUSY: Duration = Duration::from_secs(1);
/// One that takes longer than this is not waited for.
const LIMIT: Duration = Duration::from_secs(20);
/// A wait that ends so late says nothing about the server: this machine slept, or this process was held.
const LATE: Duration = Duration::from_secs(1);

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Beat {
    /// Ask for a sign of life, and tell it with [`Pulse::asked`].
    Ask,
    /// The server is busy.
    Busy,
    /// The connection is of no use.
    Dead,
}

/// The pulse of a connection.
#[derive(Debug)]
pub(super) struct Pulse {
    heard: Instant,
    asked: Option<(Uuid, Instant)>,
    is_busy: bool,
}

impl Pulse {
    pub(super) fn new(now: Instant) -> Self {
        Pulse {
            heard: now,
            asked: None,
            is_busy: false,
        }
    }

    /// Something was heard. Whether the server counted as busy, and does no more.
    pub(super) fn heard(&mut self, now: Instant) -> bool {
        self.heard = now;
        std::mem::take(&mut self.is_busy)
    }

    /// A sign of life was asked for under this id.
    pub(super) fn asked(&mut self, id: Uuid, now: Instant) {
        self.asked = Some((id, now));
    }

    /// Whether this id is that of the sign of life; then it has come.
    pub(super) fn answered(&mut self, id: Uuid) -> bool {
        self.asked.take_if(|(asked, _)| *asked == id).is_some()
    }

    /// When to look again; `is_waiting`: whether somebody waits for an answer.
    pub(super) fn next(&self, is_waiting: bool) -> Instant {
        match self.asked {
            None if is_waiting => self.heard + SILENCE,
            None => self.heard + IDLE_SILENCE,
            Some((_, asked)) if self.is_busy || self.heard > asked => asked + LIMIT,
            Some((_, asked)) => asked + BUSY,
        }
    }

    /// What is to be done now, if anything is. `planned`: when this was to be asked at the latest.
    pub(super) fn beat(
        &mut self,
        now: Instant,
        planned: Instant,
        is_waiting: bool,
    ) -> Option<Beat> {
        if now.saturating_duration_since(planned) > LATE {
            // What has come meanwhile is not read yet: the time begins anew.
            if let Some((_, asked)) = &mut self.asked {
                *asked = now;
            } else {
                return Some(Beat::Ask);
            }
        }
        if now < self.next(is_waiting) {
            return None;
        }
        match self.asked {
            None => Some(Beat::Ask),
            Some((_, asked)) if now >= asked + LIMIT => Some(Beat::Dead),
            Some(_) if self.is_busy => None,
            Some(_) => {
                self.is_busy = true;
                Some(Beat::Busy)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Uuid = Uuid::from_u128(1);

    fn seconds(began: Instant, seconds: u64) -> Instant {
        began + Duration::from_secs(seconds)
    }

    #[test]
    fn a_server_that_is_heard_is_not_asked_and_a_silent_one_is_sooner_while_somebody_waits() {
        let began = Instant::now();
        let mut pulse = Pulse::new(began);
        assert_eq!(pulse.next(true), seconds(began, 1));
        assert_eq!(pulse.next(false), seconds(began, 15));
        assert!(!pulse.heard(seconds(began, 1)));
        let now = seconds(began, 2);
        assert_eq!(pulse.beat(now, now, false), None);
        assert_eq!(pulse.beat(now, now, true), Some(Beat::Ask));
    }

    #[test]
    fn a_late_sign_of_life_means_busy_until_it_comes() {
        let began = Instant::now();
        let mut pulse = Pulse::new(began);
        pulse.asked(ID, began);
        let now = seconds(began, 1);
        assert_eq!(pulse.beat(now, now, true), Some(Beat::Busy));
        assert_eq!(pulse.beat(seconds(began, 2), now, true), None);
        assert!(pulse.heard(seconds(began, 3)));
        assert!(!pulse.heard(seconds(began, 3)));
        assert!(pulse.answered(ID) && !pulse.answered(ID));
        assert_eq!(pulse.next(true), seconds(began, 4));
    }

    #[test]
    fn no_sign_of_life_at_all_means_that_the_connection_is_of_no_use() {
        let began = Instant::now();
        let mut pulse = Pulse::new(began);
        pulse.asked(ID, began);
        pulse.beat(seconds(began, 1), seconds(began, 1), true);
        let now = seconds(began, 20);
        assert_eq!(pulse.beat(now, now, true), Some(Beat::Dead));
    }

    #[test]
    fn its_loss_is_noticed_also_when_other_things_are_heard() {
        let began = Instant::now();
        let mut pulse = Pulse::new(began);
        pulse.asked(ID, began);
        for second in 1..20 {
            let now = seconds(began, second);
            assert!(!pulse.heard(now));
            assert_eq!(pulse.beat(now, now, true), None);
        }
        let now = seconds(began, 20);
        assert_eq!(pulse.beat(now, now, true), Some(Beat::Dead));
    }

    #[test]
    fn after_a_sleep_of_this_machine_the_server_gets_its_time_anew() {
        let began = Instant::now();
        let mut pulse = Pulse::new(began);
        pulse.asked(ID, began);
        let planned = seconds(began, 1);
        let woke = seconds(began, 3600);
        assert_eq!(pulse.beat(woke, planned, true), None);
        assert_eq!(pulse.next(true), seconds(woke, 1));
        let mut idle = Pulse::new(began);
        assert_eq!(idle.beat(woke, planned, false), Some(Beat::Ask));
    }
}

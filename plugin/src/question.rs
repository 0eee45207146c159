//! A question to the sidecar whose answer may be lost, or may not be what was hoped for.

/// An answer that has not come for so long (seconds) is not waited for any more.
const ANSWER_TIME: f64 = 2.0;

/// At most one question is under way, and one that was answered is not asked again until something
/// changes or time goes by: whatever the sidecar answers, a pane never asks in circles.
#[derive(Debug, Clone)]
pub(crate) struct Question<T> {
    asked: Option<(T, f64)>,
    /// What was answered since something changed, newest last.
    answered: Vec<T>,
}

/// After so many answers without a change nothing is asked.
const MOST_ANSWERS: usize = 8;

impl<T> Default for Question<T> {
    fn default() -> Self {
        Question {
            asked: None,
            answered: Vec::new(),
        }
    }
}

impl<T: Copy + PartialEq> Question<T> {
    /// Ask, if this is the time for it; `say` answers whether anybody heard.
    pub(crate) fn ask(&mut self, wanted: T, say: impl FnOnce(T) -> bool) {
        if self.asked.is_none()
            && !self.was_answered(wanted)
            && self.answered.len() < MOST_ANSWERS
            && say(wanted)
        {
            self.asked = Some((wanted, 0.0));
        }
    }

    /// Whether this was answered and nothing changed since: the answer was not what was hoped for.
    pub(crate) fn was_answered(&self, wanted: T) -> bool {
        self.answered.contains(&wanted)
    }

    /// An answer came.
    pub(crate) fn answered(&mut self) {
        self.answered
            .extend(self.asked.take().map(|(wanted, _)| wanted));
    }

    /// Something changed: what was answered may be asked again.
    pub(crate) fn changed(&mut self) {
        self.answered.clear();
    }

    /// Nothing that was asked will be answered.
    pub(crate) fn forget(&mut self) {
        *self = Question::default();
    }

    /// Time went by, in seconds.
    pub(crate) fn tick(&mut self, seconds: f64) {
        self.answered.clear();
        if let Some((_, age)) = &mut self.asked {
            *age += seconds;
            if *age > ANSWER_TIME {
                self.asked = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_question_at_a_time_and_none_in_circles() {
        let mut question = Question::default();
        let mut said = Vec::new();
        let mut ask = |question: &mut Question<u32>, wanted| {
            question.ask(wanted, |n| {
                said.push(n);
                true
            });
        };
        ask(&mut question, 1);
        ask(&mut question, 2);
        question.answered();
        ask(&mut question, 1);
        ask(&mut question, 2);
        question.answered();
        ask(&mut question, 1);
        ask(&mut question, 2);
        assert!(question.was_answered(1) && question.was_answered(2));
        question.changed();
        ask(&mut question, 2);
        for _ in 0..3 {
            question.tick(1.0);
        }
        ask(&mut question, 2);
        assert_eq!(said, [1, 2, 2, 2]);
    }
}

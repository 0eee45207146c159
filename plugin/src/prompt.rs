//! A line that is being typed in answer to a question, in the message line.

use crate::key::{Code, Key};
use crate::text;

/// A question and its answer so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// What stands before the answer.
    words: String,
    answer: String,
    /// Most characters of the answer.
    most: usize,
}

/// What a key did to a [`Prompt`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typed {
    /// The answer goes on.
    On,
    /// The answer is complete.
    Done,
    /// There will be no answer.
    Cancelled,
}

impl Prompt {
    /// A question that nothing was answered to yet.
    pub fn new(words: impl Into<String>, most: usize) -> Prompt {
        Prompt {
            words: words.into(),
            answer: String::new(),
            most,
        }
    }

    /// Take a key.
    pub fn key(&mut self, key: Key) -> Typed {
        match (key.code, key.typed()) {
            (Code::Esc, _) => return Typed::Cancelled,
            (Code::Enter, _) => return Typed::Done,
            (Code::Backspace, _) => {
                self.answer.pop();
            }
            (_, Some(c)) => self.add(c),
            _ => {}
        }
        Typed::On
    }

    /// Text was pasted: its lines become one.
    pub fn paste(&mut self, pasted: &str) {
        for c in text::cleaned(pasted).chars() {
            self.add(if c.is_control() { ' ' } else { c });
        }
    }

    fn add(&mut self, c: char) {
        if self.answer.chars().count() < self.most {
            self.answer.push(c);
        }
    }

    /// The answer so far.
    pub fn answer(&self) -> &str {
        &self.answer
    }

    /// The question with its answer, whose end fits into so many cells.
    pub fn shown(&self, cells: u16) -> String {
        let room = u32::from(cells).saturating_sub(text::cells(&self.words) + 1);
        let needed = text::cells(&self.answer);
        if needed <= room {
            return format!("{}{}▏", self.words, self.answer);
        }
        let skipped = text::column_at(&self.answer, needed.saturating_sub(room.saturating_sub(1)));
        let tail = &self.answer[text::byte_at(&self.answer, skipped + 1)..];
        format!("{}…{tail}▏", self.words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_answer_the_end_is_shown() {
        let mut prompt = Prompt::new("Evaluate: ", 100);
        prompt.paste("a + b");
        assert_eq!(prompt.shown(40), "Evaluate: a + b▏");
        prompt.paste("\n日本語日本語日本語日本語");
        let shown = prompt.shown(24);
        assert!(shown.starts_with("Evaluate: …") && shown.ends_with("日本語▏"));
        assert!(text::cells(&shown) <= 24, "{shown}");
    }

    #[test]
    fn an_answer_is_bounded() {
        let mut prompt = Prompt::new("", 3);
        prompt.paste("abcdef");
        assert_eq!(prompt.answer(), "abc");
        assert_eq!(prompt.key("Backspace".parse().unwrap()), Typed::On);
        assert_eq!(prompt.answer(), "ab");
        assert_eq!(prompt.key("Enter".parse().unwrap()), Typed::Done);
        assert_eq!(prompt.key("Esc".parse().unwrap()), Typed::Cancelled);
    }
}

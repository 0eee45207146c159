//! A question in the message lines, and the line that is being typed in answer to it.

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
    /// The answer is as long as it may be: the character was left out.
    Full,
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
            (_, Some(c)) => return self.add(c),
            _ => {}
        }
        Typed::On
    }

    /// Text was pasted: its lines become one. Answers [`Typed::Full`] if the end of it was left out.
    pub fn paste(&mut self, pasted: &str) -> Typed {
        let cleaned = text::cleaned(pasted);
        let mut characters = cleaned.trim_end_matches('\n').chars();
        let cut = characters.any(|c| self.add(if c.is_control() { ' ' } else { c }) == Typed::Full);
        if cut { Typed::Full } else { Typed::On }
    }

    fn add(&mut self, c: char) -> Typed {
        if self.answer.chars().count() >= self.most {
            return Typed::Full;
        }
        self.answer.push(c);
        Typed::On
    }

    /// Begin with this answer, to be changed.
    #[must_use]
    pub fn answered(mut self, answer: impl Into<String>) -> Prompt {
        self.answer = answer.into();
        self
    }

    /// Most characters that an answer may have.
    pub fn most(&self) -> usize {
        self.most
    }

    /// The answer so far.
    pub fn answer(&self) -> &str {
        &self.answer
    }

    /// The question with its answer, on at most so many lines of so many cells. What is typed, its end and
    /// the cursor behind it are always shown; of the question as much as there is room for.
    pub fn shown(&self, cells: u16, most: usize) -> Vec<String> {
        let cells = u32::from(cells.max(2));
        let whole = format!("{}{}▏", self.words, self.answer);
        if most == 0 {
            return Vec::new();
        }
        if text::cells(&whole) <= cells {
            return vec![whole];
        }
        if most == 1 {
            return vec![end_of(&whole, cells)];
        }
        // the cursor of an unanswered question goes with its last word
        let (words, answer) = if self.answer.is_empty() && self.most == 0 {
            (format!("{}▏", self.words), None)
        } else {
            let answer = end_of(&format!("{}▏", self.answer), cells);
            (self.words.trim_end().to_owned(), Some(answer))
        };
        let mut lines = text::filled(&words, cells);
        let room = most - usize::from(answer.is_some());
        if lines.len() > room {
            let rest = lines.split_off(room - 1).join(" ");
            lines.push(end_of(&rest, cells));
        }
        lines.extend(answer);
        lines
    }
}

/// A line, or its end behind an ellipsis, in so many cells.
fn end_of(line: &str, cells: u32) -> String {
    let needed = text::cells(line);
    if needed <= cells {
        return line.to_owned();
    }
    let from = needed - cells.saturating_sub(1);
    let start = text::glyphs(line).find(|glyph| glyph.x >= from);
    format!("…{}", start.map_or("", |glyph| &line[glyph.byte..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_always_seen_and_of_a_long_answer_its_end() {
        let mut prompt = Prompt::new("Evaluate: ", 100);
        prompt.paste("a + b");
        assert_eq!(prompt.shown(40, 3), ["Evaluate: a + b▏"]);
        prompt.paste("\n日本語日本語日本語日本語");
        let lines = prompt.shown(24, 3);
        assert_eq!((lines.len(), lines[0].as_str()), (2, "Evaluate:"));
        for line in [&lines[1], &prompt.shown(24, 1)[0]] {
            assert!(line.starts_with('…') && line.ends_with("日本語▏"), "{line}");
            assert!(text::cells(line) <= 24, "{line}");
        }
    }

    #[test]
    fn a_long_question_takes_lines_and_keeps_its_end() {
        let closing = Prompt::new("Close main with its text and variables? y/n ", 0);
        assert_eq!(
            closing.shown(30, 3),
            ["Close main with its text and", "variables? y/n ▏"]
        );
        assert!(closing.shown(20, 1)[0].ends_with("y/n ▏"));
        let naming = Prompt::new("Name of the new session on embedded: ", 40).answered("lexer");
        assert_eq!(
            naming.shown(23, 3),
            ["Name of the new session", "on embedded:", "lexer▏"]
        );
    }

    #[test]
    fn an_answer_is_bounded_and_says_so() {
        let mut prompt = Prompt::new("", 3);
        assert_eq!(prompt.paste("abcdef"), Typed::Full);
        assert_eq!(prompt.answer(), "abc");
        assert_eq!(prompt.key("x".parse().unwrap()), Typed::Full);
        assert_eq!(prompt.key("Backspace".parse().unwrap()), Typed::On);
        assert_eq!(prompt.answer(), "ab");
        assert_eq!(prompt.key("Enter".parse().unwrap()), Typed::Done);
        assert_eq!(prompt.key("Esc".parse().unwrap()), Typed::Cancelled);
    }
}

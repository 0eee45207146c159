//! Compile errors: Pharo's message, and the place in every form that a client may want.

use super::ast::Span;

/// Why a source does not compile, in Pharo's words, and where.
///
/// Positions are 1-based character indexes into the source; `position` may be one past its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (line {line}, column {column})")]
pub struct CompileError {
    /// One of Pharo's messages, such as `Variable or expression expected`.
    pub message: String,
    /// The character at which it went wrong, 1-based.
    pub position: u32,
    /// Line of `position`, 1-based. CR, LF and CR LF each end a line.
    pub line: u32,
    /// Column of `position`, 1-based, in characters.
    pub column: u32,
    /// The offending characters; empty at `position` where something is missing.
    pub range: Span,
    /// The name of the variable that the error is about, when it is about one.
    pub variable: Option<String>,
}

impl CompileError {
    /// An error with `message` at the beginning of `range` in `source`.
    pub fn new(source: &str, message: impl Into<String>, range: Span) -> Self {
        let (line, column) = line_and_column(source, range.start);
        Self {
            message: message.into(),
            position: range.first(),
            line,
            column,
            range,
            variable: None,
        }
    }

    /// What to tell people: the message, with the name of the variable that it is about, and the place.
    pub fn sentence(&self) -> String {
        let (message, line, column) = (&self.message, self.line, self.column);
        match &self.variable {
            Some(name) => format!("{message} {name} (line {line}, column {column})"),
            None => self.to_string(),
        }
    }

    /// The same error, about the variable `name`.
    #[must_use]
    pub fn about(mut self, name: &str) -> Self {
        self.variable = Some(name.to_owned());
        self
    }
}

/// The 1-based line and column of the character with the 0-based index `offset`. CR, LF and CR LF each end a line.
pub fn line_and_column(source: &str, offset: u32) -> (u32, u32) {
    let (mut line, mut column) = (1, 1);
    let mut previous = '\0';
    for (character, _) in source.chars().zip(0..offset) {
        match character {
            '\n' if previous == '\r' => column = 1,
            '\n' | '\r' => {
                line += 1;
                column = 1;
            }
            _ => column += 1,
        }
        previous = character;
    }
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_line_end_counts_once() {
        let source = "a\nb\rc\r\nd";
        let places: Vec<_> = (0..9).map(|i| line_and_column(source, i)).collect();
        assert_eq!(places[0], (1, 1));
        assert_eq!(places[2], (2, 1));
        assert_eq!(places[4], (3, 1));
        assert_eq!(places[7], (4, 1));
        assert_eq!(places[8], (4, 2));
    }

    #[test]
    fn columns_count_characters_not_bytes() {
        assert_eq!(line_and_column("日本 x", 3), (1, 4));
    }
}

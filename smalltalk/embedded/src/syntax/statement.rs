//! What an evaluate key means when nothing is selected.

use super::ast::{Method, Span};
use super::lexer::{Lexer, Mode, TokenKind};
use super::parser::parse_do_it;

/// How many lines above and below the cursor are tried when the source as a whole does not parse.
const REACH: usize = 40;

/// How many characters are parsed at most in trying them.
const BUDGET: usize = 2_000_000;

/// The code to evaluate for a cursor at `offset` in a workspace: 0-based, in characters, up to the source's length.
///
/// That is the cursor's line, if it is complete code by itself; else the top-level statement around the cursor, however
/// many lines it has. None where there is nothing to evaluate: on an empty line, in a comment, or where no code around
/// the cursor parses. The range begins and ends with code: no blanks, comments or final period at either end.
///
/// Other parts of the workspace need not be valid code. What cannot be valid code is the answer's business only when the
/// line itself is meant: then None, and the caller evaluates [`line_at`] for the sake of its error message.
pub fn expression_at(source: &str, offset: u32) -> Option<Span> {
    let text = Text::new(source);
    let line = text.line_of(offset);
    if !text.has_code(text.lines[line]) {
        return None;
    }
    let whole = parse_do_it(source).ok();
    let crossing = whole
        .as_ref()
        .and_then(|_| text.token_across(text.lines[line].start));
    match crossing {
        Some(Crossing::Comment) => return None,
        Some(Crossing::Literal) => {}
        None => {
            if let Some(code) = text.code_in(line, line) {
                return Some(code);
            }
        }
    }
    if let Some(method) = whole {
        return statement_at(&method, offset, text.lines[line]);
    }
    text.smallest_code_around(line, offset)
}

/// The line that holds `offset`, without the blanks around its text. None when it is blank or comment.
pub fn line_at(source: &str, offset: u32) -> Option<Span> {
    let text = Text::new(source);
    let line = text.lines[text.line_of(offset)];
    let in_comment = || {
        parse_do_it(source).is_ok()
            && matches!(text.token_across(line.start), Some(Crossing::Comment))
    };
    (text.has_code(line) && !in_comment()).then(|| text.trimmed(line))
}

/// The statement of `method` at `offset`, else the nearest one on the same line, the one before the cursor first.
fn statement_at(method: &Method, offset: u32, line: Span) -> Option<Span> {
    let spans = || {
        method
            .body
            .statements
            .iter()
            .map(super::ast::Statement::span)
    };
    let on_line = |span: &Span| span.start < line.end && span.end > line.start;
    spans()
        .find(|span| span.start <= offset && offset <= span.end)
        .or_else(|| spans().rfind(|span| span.start <= offset && on_line(span)))
        .or_else(|| spans().find(on_line))
}

/// From the first temporary or statement to the end of the last statement.
fn code_span(method: &Method) -> Option<Span> {
    let last = method.body.statements.last()?.span();
    Some(Span::new(method.body.span.start, last.end))
}

/// A token that begins on one line and ends on a later one.
enum Crossing {
    Comment,
    Literal,
}

struct Text {
    characters: Vec<char>,
    /// The lines, without their ends.
    lines: Vec<Span>,
}

impl Text {
    fn new(source: &str) -> Self {
        let characters: Vec<char> = source.chars().collect();
        let mut lines = Vec::new();
        let mut start = 0;
        let mut index = 0;
        while index < characters.len() {
            if matches!(characters[index], '\n' | '\r') {
                lines.push(Span::new(start, index as u32));
                if characters[index] == '\r' && characters.get(index + 1) == Some(&'\n') {
                    index += 1;
                }
                start = index as u32 + 1;
            }
            index += 1;
        }
        lines.push(Span::new(start, characters.len() as u32));
        Self { characters, lines }
    }

    fn line_of(&self, offset: u32) -> usize {
        self.lines
            .partition_point(|line| line.start <= offset)
            .saturating_sub(1)
    }

    fn slice(&self, span: Span) -> &[char] {
        &self.characters[span.start as usize..span.end as usize]
    }

    fn trimmed(&self, span: Span) -> Span {
        let characters = self.slice(span);
        let blanks = |c: &&char| c.is_whitespace();
        let before = characters.iter().take_while(blanks).count() as u32;
        let after = characters.iter().rev().take_while(blanks).count() as u32;
        Span::new(
            span.start + before,
            (span.end - after).max(span.start + before),
        )
    }

    /// Whether there is anything but blanks and whole comments.
    fn has_code(&self, span: Span) -> bool {
        let mut lexer = Lexer::from_characters(self.slice(span).to_vec(), 0);
        !matches!(lexer.next(Mode::Code).kind, TokenKind::End)
    }

    /// What token, if any, goes on at `offset` after having begun before it.
    fn token_across(&self, offset: u32) -> Option<Crossing> {
        let mut lexer = Lexer::from_characters(self.characters.clone(), 0);
        let crosses = |span: Span| span.start < offset && offset < span.end;
        loop {
            let token = lexer.next(Mode::Code);
            if lexer.take_comments().into_iter().any(crosses) {
                return Some(Crossing::Comment);
            }
            if crosses(token.span) {
                return Some(Crossing::Literal);
            }
            if token.kind == TokenKind::End || token.span.start >= offset {
                return None;
            }
        }
    }

    /// The code in these lines, if they parse by themselves and hold a statement.
    fn code_in(&self, first: usize, last: usize) -> Option<Span> {
        let (method, start) = self.parse(first, last)?;
        let span = code_span(&method)?;
        Some(Span::new(span.start + start, span.end + start))
    }

    fn parse(&self, first: usize, last: usize) -> Option<(Method, u32)> {
        let span = self.lines[first].to(self.lines[last]);
        let source: String = self.slice(span).iter().collect();
        Some((parse_do_it(&source).ok()?, span.start))
    }

    /// The statement at `offset` in the fewest lines around `line` that parse by themselves.
    fn smallest_code_around(&self, line: usize, offset: u32) -> Option<Span> {
        let mut budget = BUDGET;
        for extra in 1..=REACH {
            for above in 0..=extra {
                let (Some(first), last) = (line.checked_sub(above), line + extra - above) else {
                    continue;
                };
                if last >= self.lines.len() {
                    continue;
                }
                let span = self.lines[first].to(self.lines[last]);
                budget = budget.checked_sub((span.end - span.start) as usize)?;
                let Some((method, start)) = self.parse(first, last) else {
                    continue;
                };
                let line = self.lines[line];
                let line = Span::new(
                    line.start - start.min(line.start),
                    line.end - start.min(line.end),
                );
                if let Some(found) = statement_at(&method, offset.saturating_sub(start), line) {
                    return Some(Span::new(found.start + start, found.end + start));
                }
            }
        }
        None
    }
}

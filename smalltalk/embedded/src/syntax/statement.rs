//! What an evaluate key means when nothing is selected.
//!
//! A workspace is not one source: expressions stand in it line by line, often without periods, between notes that are
//! no code. So it is cut into *pieces*, from the top: a piece is a statement as a reader sees it, and one that does not
//! parse takes only its own lines with it.

use super::ast::{Span, Statement};
use super::lexer::{Lexer, Mode, Token, TokenKind};
use super::parser::parse_do_it;

/// How many lines above the cursor are looked at when the pieces from the top would be too much work.
const REACH: usize = 40;

/// How many characters may be read for pieces that turn out not to parse.
const BUDGET: usize = 4_000_000;

/// How many columns a tab counts as indentation.
const TAB: usize = 4;

/// The code to evaluate for a cursor at `offset` in a workspace: 0-based, in characters, up to the source's length.
///
/// That is the whole statement around the cursor, however many lines it has, or the one before it on its line; of a line
/// that holds several complete statements, all of them. None where there is nothing to evaluate: on an empty line or in
/// a comment between statements; and where the statement does not parse: then the caller evaluates [`line_at`] for the
/// sake of its error message. The range begins and ends with code: no blanks, comments or final period at either end.
///
/// A statement ends with a period, or where the next line cannot or should not continue it: a line that begins with
/// something that never follows a complete expression, and a line that is indented no more than the statement's first
/// one and begins with a name. A keyword, an operator, a `;` or a closing bracket at its beginning continues; so does
/// every line while a bracket is open or an operator, keyword, `:=` or `;` still waits for something.
pub fn expression_at(source: &str, offset: u32) -> Option<Span> {
    let text = Text::new(source);
    let line = text.lines[text.line_of(offset)];
    let touching: Vec<Piece> = text.pieces(line)?;
    let statements: Vec<Span> = touching
        .iter()
        .map(|piece| piece.statement)
        .collect::<Option<_>>()?;
    let (first, last) = (*statements.first()?, *statements.last()?);
    let all = first.to(last);
    let is_one_line = line.start <= all.start && all.end <= line.end;
    if is_one_line && text.parses(all) {
        return Some(all);
    }
    let mut before = statements.iter().rev();
    let found = before.find(|span| span.start <= offset);
    Some(found.copied().unwrap_or(first))
}

/// What to evaluate for its error message where there is code at `offset` and [`expression_at`] finds no statement: the
/// line, without the blanks around its text; or, if the line would run as a part of a longer statement that is wrong,
/// that statement's lines. None when the line is blank or comment.
pub fn line_at(source: &str, offset: u32) -> Option<Span> {
    let text = Text::new(source);
    let line = text.lines[text.line_of(offset)];
    if !text.has_code(line) || (parse_do_it(source).is_ok() && text.is_in_comment(line.start)) {
        return None;
    }
    let line_alone = text.trimmed(line);
    let is_misleading = text.parses(line_alone);
    let broken = text
        .pieces(line)
        .filter(|_| is_misleading)
        .and_then(|pieces| pieces.into_iter().find(|piece| piece.statement.is_none()));
    Some(broken.map_or(line_alone, |piece| piece.span))
}

/// A statement as a reader sees it.
struct Piece {
    /// All of it.
    span: Span,
    /// What to evaluate; none: it does not parse.
    statement: Option<Span>,
    /// Of one that does not parse: the indentation of its first line.
    indentation: usize,
    /// Of one that does not parse: whether a bracket is open at the end of its first line.
    is_open: bool,
}

/// Where a piece is, before it is parsed.
struct Extent {
    first: Token,
    end: u32,
    /// Where to look for the next one.
    next: u32,
    is_open: bool,
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

    /// Whether a comment that began before `offset` ends after it.
    fn is_in_comment(&self, offset: u32) -> bool {
        let mut lexer = self.lexer();
        loop {
            let token = lexer.next(Mode::Code);
            let crosses = |span: Span| span.start < offset && offset < span.end;
            if lexer.take_comments().into_iter().any(crosses) {
                return true;
            }
            if token.kind == TokenKind::End || token.span.start >= offset {
                return false;
            }
        }
    }

    fn lexer(&self) -> Lexer {
        Lexer::from_characters(self.characters.clone(), 0)
    }

    fn parses(&self, span: Span) -> bool {
        let source: String = self.slice(span).iter().collect();
        parse_do_it(&source).is_ok_and(|method| !method.body.statements.is_empty())
    }

    /// The columns of blanks before the first text of a line.
    fn indentation(&self, line: usize) -> usize {
        self.slice(self.lines[line])
            .iter()
            .take_while(|c| c.is_whitespace())
            .map(|c| if *c == '\t' { TAB } else { 1 })
            .sum()
    }

    fn is_blank(&self, line: usize) -> bool {
        self.slice(self.lines[line])
            .iter()
            .all(|c| c.is_whitespace())
    }

    /// The pieces that `line` has a part of; none where they are not to be found with bounded work.
    fn pieces(&self, line: Span) -> Option<Vec<Piece>> {
        let number = self.line_of(line.start);
        let paragraph = (number.saturating_sub(REACH)..number)
            .rfind(|above| self.is_blank(*above))
            .map_or(number.saturating_sub(REACH), |above| above + 1);
        self.pieces_from(0, line)
            .or_else(|| self.pieces_from(paragraph, line))
    }

    fn pieces_from(&self, first: usize, line: Span) -> Option<Vec<Piece>> {
        let mut lexer = self.lexer();
        let mut budget = BUDGET;
        let mut next = self.lines[first].start;
        let mut touching: Vec<Piece> = Vec::new();
        let mut broken: Option<Piece> = None;
        let keep = |piece: Piece, touching: &mut Vec<Piece>| {
            if piece.span.start < line.end && line.start < piece.span.end {
                touching.push(piece);
            }
        };
        while let Some(extent) = self.extent(&mut lexer, next) {
            let start = extent.first.span.start;
            let of_first = self.line_of(start);
            if let Some(piece) = &mut broken
                && self.continues(piece, &extent.first, of_first)
            {
                piece.span.end = self.trimmed(self.lines[of_first]).end;
                next = self.after(of_first);
                continue;
            }
            if let Some(piece) = broken.take() {
                keep(piece, &mut touching);
            }
            if start > line.end {
                break;
            }
            let span = Span::new(start, extent.end);
            let source: String = self.slice(span).iter().collect();
            next = extent.next;
            if let Ok(method) = parse_do_it(&source) {
                let Some(last) = method.body.statements.last().map(Statement::span) else {
                    continue;
                };
                let statement = Span::new(last.start + start, last.end + start);
                let is_one_line = self.line_of(statement.start) == of_first;
                let piece = Piece {
                    span,
                    statement: Some(if is_one_line {
                        Span::new(start, statement.end)
                    } else {
                        statement
                    }),
                    indentation: 0,
                    is_open: false,
                };
                keep(piece, &mut touching);
            } else {
                budget = budget.checked_sub(source.len() + 1)?;
                next = self.after(of_first);
                broken = Some(Piece {
                    span: Span::new(start, self.trimmed(self.lines[of_first]).end.max(start)),
                    statement: None,
                    indentation: self.indentation(of_first),
                    is_open: extent.is_open,
                });
            }
        }
        if let Some(piece) = broken.take() {
            keep(piece, &mut touching);
        }
        Some(touching)
    }

    /// Where the line after `line` begins.
    fn after(&self, line: usize) -> u32 {
        self.lines
            .get(line + 1)
            .map_or(self.characters.len() as u32, |next| next.start)
    }

    /// Whether `line`, which begins with `token`, belongs to a piece that does not parse.
    fn continues(&self, broken: &Piece, token: &Token, line: usize) -> bool {
        if !can_begin(&token.kind) {
            return true;
        }
        let last = self.line_of(broken.span.end);
        let is_apart = (last + 1..line).any(|between| self.is_blank(between));
        self.indentation(line) > broken.indentation
            && (broken.is_open || (!is_apart && matches!(token.kind, TokenKind::Identifier(_))))
    }

    /// The piece that begins at `offset` or behind it.
    fn extent(&self, lexer: &mut Lexer, offset: u32) -> Option<Extent> {
        lexer.seek(offset);
        let mut first = lexer.next(Mode::Code);
        while first.kind == TokenKind::Special('.') {
            first = lexer.next(Mode::Code);
        }
        if first.kind == TokenKind::End {
            return None;
        }
        let of_first = self.line_of(first.span.start);
        let (mut depth, mut is_open) = (0_usize, false);
        let mut token = first.clone();
        lexer.take_comments();
        loop {
            match token.kind {
                TokenKind::Special('(' | '[' | '{')
                | TokenKind::ArrayStart
                | TokenKind::ByteArrayStart => depth += 1,
                TokenKind::Special(')' | ']' | '}') => depth = depth.saturating_sub(1),
                _ => {}
            }
            if self.line_of(token.span.start) == of_first {
                is_open = depth > 0;
            }
            let previous = std::mem::replace(&mut token, lexer.next(Mode::Code));
            let is_period = depth == 0 && token.kind == TokenKind::Special('.');
            if is_period
                || token.kind == TokenKind::End
                || (depth == 0 && self.begins_anew(lexer, &first, &previous, &token))
            {
                let next = if is_period {
                    token.span.end
                } else {
                    token.span.start
                };
                return Some(Extent {
                    first,
                    end: previous.span.end,
                    next,
                    is_open,
                });
            }
        }
    }

    /// Whether `token`, behind `previous` outside of all brackets, begins another piece than `first` did.
    fn begins_anew(
        &self,
        lexer: &mut Lexer,
        first: &Token,
        previous: &Token,
        token: &Token,
    ) -> bool {
        let line = self.line_of(token.span.start);
        let last = self.line_of(previous.span.end - 1);
        let comments = lexer.take_comments();
        let in_comment = |line: usize| {
            let start = self.lines[line].start;
            comments
                .iter()
                .any(|comment| comment.start < start && start < comment.end)
        };
        if line == last || in_comment(line) || !is_complete(&previous.kind) {
            return false;
        }
        match token.kind {
            TokenKind::Identifier(_) => {
                let position = lexer.position() as u32;
                let is_assigned = lexer.next(Mode::Code).kind == TokenKind::Assignment;
                lexer.seek(position);
                is_assigned
                    || self.indentation(line) <= self.indentation(self.line_of(first.span.start))
                    || (last + 1..line)
                        .any(|between| self.is_blank(between) && !in_comment(between))
            }
            TokenKind::Binary(_) => self.declares(token.span.start, line),
            _ => can_begin(&token.kind),
        }
    }

    /// Whether a line's text, from `start`, begins with `| names |`.
    fn declares(&self, start: u32, line: usize) -> bool {
        let mut text = self.slice(Span::new(start, self.lines[line].end)).iter();
        text.next() == Some(&'|')
            && text.find(|c| !c.is_alphanumeric() && !c.is_whitespace() && **c != '_') == Some(&'|')
    }
}

/// Whether an expression can end with this token.
fn is_complete(kind: &TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::Identifier(_) | TokenKind::Literal(_) | TokenKind::Special(')' | ']' | '}')
    )
}

/// Whether a statement can begin with this token.
fn can_begin(kind: &TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::Identifier(_)
            | TokenKind::Literal(_)
            | TokenKind::ArrayStart
            | TokenKind::ByteArrayStart
            | TokenKind::Special('(' | '[' | '{' | '^')
    )
}

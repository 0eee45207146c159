//! The transcript's pane: the newest lines, or those scrolled to.

use stui_protocol::pane::{Act, FromPane};

use crate::canvas::Canvas;
use crate::command::{Command, Motion};
use crate::io::{Effect, Outcome};
use crate::link::Link;
use crate::page::{self, Paragraph};
use crate::question::Question;
use crate::status::Message;
use crate::text;
use crate::theme::Theme;

/// Most lines kept.
const LINES: usize = 600;
/// Most text kept, in bytes.
const TEXT: usize = 512 * 1024;

/// A row of the screen: a line's number and which of the pieces it wraps into.
type Place = (u64, usize);

/// See the module's text.
#[derive(Debug, Default)]
pub struct Transcript {
    first: u64,
    lines: Vec<String>,
    oldest: u64,
    end: u64,
    /// The first row shown; none: the newest rows are shown.
    top: Option<Place>,
    rows: u16,
    columns: u16,
    question: Question<(Option<u64>, u32)>,
}

impl Transcript {
    /// The pane's content has this size now.
    pub fn resize(&mut self, rows: u16, columns: u16) {
        if (self.rows, self.columns) == (rows, columns) {
            return;
        }
        if self.columns != columns
            && let Some((_, piece)) = &mut self.top
        {
            *piece = 0;
        }
        (self.rows, self.columns) = (rows, columns);
        self.question.changed();
    }

    /// A sidecar knows this instance: what was asked is void, what is shown is asked for.
    pub fn welcomed(&mut self, link: &Link, out: &mut Outcome) {
        self.question.forget();
        let wanted = self.page();
        self.question.ask(wanted, |(first, count)| {
            link.ask(
                FromPane::TranscriptView {
                    session: link.session(),
                    first,
                    count,
                },
                out,
            )
        });
    }

    /// Lines arrived.
    pub fn take(&mut self, first: u64, oldest: u64, end: u64, lines: Vec<String>) {
        self.question.answered();
        (self.oldest, self.end) = (oldest.min(end), end);
        let own_end = self.first + self.lines.len() as u64;
        let new_end = first + lines.len() as u64;
        if !lines.is_empty() {
            let touches = !self.lines.is_empty() && first <= own_end && new_end >= self.first;
            if touches {
                let from = first.saturating_sub(self.first) as usize;
                let to = (new_end.saturating_sub(self.first) as usize).min(self.lines.len());
                self.lines.splice(from..to.max(from), lines);
                self.first = self.first.min(first);
            } else if self.lines.is_empty() || self.shows(first, new_end) {
                (self.first, self.lines) = (first, lines);
            }
        }
        self.lines.truncate(end.saturating_sub(self.first) as usize);
        self.drop_before(self.oldest);
        self.bound();
        if let Some((line, _)) = &mut self.top
            && *line < self.oldest
        {
            self.top = Some((self.oldest, 0));
        }
        if self.oldest == self.end {
            self.top = None;
        }
    }

    /// Whether lines that touch none of those held are what is to be shown.
    fn shows(&self, first: u64, end: u64) -> bool {
        match self.top {
            None => end == self.end,
            Some((line, _)) => (first..end).contains(&line),
        }
    }

    fn drop_before(&mut self, number: u64) {
        let dropped = (number.saturating_sub(self.first) as usize).min(self.lines.len());
        self.lines.drain(..dropped);
        self.first = self.first.max(number);
    }

    /// Forget the lines that are farthest from what is shown.
    fn bound(&mut self) {
        let mut size: usize = self.lines.iter().map(String::len).sum();
        let mut excess = self.lines.len().saturating_sub(LINES);
        while (excess > 0 || size > TEXT) && self.lines.len() > 1 {
            let newest_shown = match self.top {
                None => true,
                Some((line, _)) => line > self.first + self.lines.len() as u64 / 2,
            };
            let dropped = if newest_shown {
                self.first += 1;
                self.lines.remove(0)
            } else {
                self.lines.pop().unwrap_or_default()
            };
            size -= dropped.len();
            excess = excess.saturating_sub(1);
        }
    }

    /// Time went by, in seconds.
    pub fn tick(&mut self, seconds: f64) {
        self.question.tick(seconds);
    }

    /// Ask for the lines that are shown and not there.
    pub fn sync(&mut self, link: &Link, out: &mut Outcome) {
        let own_end = self.first + self.lines.len() as u64;
        let rows = u64::from(self.rows.max(1));
        let (from, to) = match self.top {
            None => (self.end.saturating_sub(rows).max(self.oldest), self.end),
            Some((top, _)) => (top, (top + rows).min(self.end)),
        };
        if from < self.first || to > own_end {
            let wanted = self.page();
            self.question.ask(wanted, |(first, count)| {
                link.ask(
                    FromPane::TranscriptView {
                        session: link.session(),
                        first,
                        count,
                    },
                    out,
                )
            });
        }
    }

    fn page(&self) -> (Option<u64>, u32) {
        let rows = self.rows.max(1);
        let first = self
            .top
            .map(|(line, _)| line.saturating_sub(u64::from(rows)).max(self.oldest));
        (first, (3 * u32::from(rows)).clamp(30, 300))
    }

    /// Do what a command says; answers a sentence for the user.
    pub fn command(
        &mut self,
        command: Command,
        link: &mut Link,
        out: &mut Outcome,
    ) -> Option<Message> {
        let page = i32::from(self.rows.saturating_sub(1).max(1));
        match command {
            Command::Move(Motion::Up) => self.scroll(-1),
            Command::Move(Motion::Down) => self.scroll(1),
            Command::Move(Motion::PageUp) => self.scroll(-page),
            Command::Move(Motion::PageDown) => self.scroll(page),
            Command::Move(Motion::DocumentStart) if self.end > self.oldest => {
                self.top = Some((self.oldest, 0));
            }
            Command::Move(Motion::DocumentEnd) => self.top = None,
            Command::Copy if !self.lines.is_empty() => {
                let shown: Vec<&str> = self.shown().map(|(_, piece)| piece).collect();
                out.push(Effect::Copy(shown.join("\n")));
                return Some(Message::info("Copied the lines shown."));
            }
            Command::Clear => {
                if !link.takes_acts() {
                    return Some(Message::error("There is no sidecar to empty it."));
                }
                link.act(Act::ClearTranscript, out);
            }
            _ => {}
        }
        self.question.changed();
        None
    }

    /// Scroll by rows; negative: up. At the end, follow it again.
    pub fn scroll(&mut self, rows: i32) {
        self.question.changed();
        let Some(mut place) = self.top.or_else(|| self.top_of_newest()) else {
            return;
        };
        for _ in 0..rows.unsigned_abs() {
            let next = if rows < 0 {
                self.before(place)
            } else {
                self.behind(place)
            };
            let Some(next) = next else {
                break;
            };
            place = next;
        }
        let at_end = match self.top_of_newest() {
            Some(newest) => place >= newest,
            None => true,
        };
        self.top = if at_end { None } else { Some(place) };
    }

    fn pieces(&self, line: u64) -> Vec<&str> {
        let columns = u32::from(self.columns.max(1));
        line.checked_sub(self.first)
            .and_then(|index| self.lines.get(index as usize))
            .map_or_else(|| vec!["…"], |line| text::wrapped(line, columns))
    }

    fn before(&self, (line, piece): Place) -> Option<Place> {
        if piece > 0 {
            Some((line, piece - 1))
        } else if line > self.oldest {
            Some((line - 1, self.pieces(line - 1).len().saturating_sub(1)))
        } else {
            None
        }
    }

    fn behind(&self, (line, piece): Place) -> Option<Place> {
        if piece + 1 < self.pieces(line).len() {
            Some((line, piece + 1))
        } else if line + 1 < self.end {
            Some((line + 1, 0))
        } else {
            None
        }
    }

    /// The first row of the screen when the newest rows are shown.
    fn top_of_newest(&self) -> Option<Place> {
        let last = self.last_line()?;
        let mut place = (last, self.pieces(last).len().saturating_sub(1));
        for _ in 1..self.rows.max(1) {
            match self.before(place) {
                Some(before) => place = before,
                None => break,
            }
        }
        Some(place)
    }

    /// The newest line; one that is empty because it was only just begun does not count.
    fn last_line(&self) -> Option<u64> {
        let last = self
            .end
            .checked_sub(1)
            .filter(|last| *last >= self.oldest)?;
        let begun = self.first + self.lines.len() as u64 == self.end
            && self.lines.last().is_some_and(String::is_empty);
        if begun && last > self.oldest {
            Some(last - 1)
        } else {
            Some(last)
        }
    }

    /// The rows shown: numbers and texts.
    fn shown(&self) -> impl Iterator<Item = (Place, &str)> {
        let mut next = self.top.or_else(|| self.top_of_newest());
        let last = self.last_line();
        std::iter::from_fn(move || {
            let place = next.filter(|(line, _)| Some(*line) <= last)?;
            next = self.behind(place);
            let piece = self.pieces(place.0).get(place.1).copied().unwrap_or("");
            Some((place, piece))
        })
        .take(usize::from(self.rows))
    }

    /// Whether nothing was written; a line that was only just begun is nothing.
    fn is_empty(&self) -> bool {
        match self.end - self.oldest {
            0 => true,
            1 => self.lines.iter().all(String::is_empty),
            _ => false,
        }
    }

    /// Draw the rows shown.
    pub fn draw(&self, canvas: &mut Canvas, rows: u16, theme: &Theme) {
        if self.is_empty() {
            let words = "What code writes to Transcript appears here.";
            page::draw(canvas, rows, 0, &[Paragraph::Text(words.to_owned())], theme);
            return;
        }
        let columns = canvas.columns();
        for (row, (_, piece)) in (0..rows).zip(self.shown()) {
            canvas.text(0, row, columns, piece, theme.text);
        }
        if self.top.is_some() && rows > 1 {
            let words = " ↓ more below ";
            let from = columns.saturating_sub(text::cells(words) as u16);
            canvas.text(from, rows - 1, columns, words, theme.selection);
        }
    }
}

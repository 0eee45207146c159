//! The status line at the foot of every pane, and the message line above it.

use ratatui_core::style::Style;
use stui_protocol::pane::{Level, Link as ServerLink, Role, Status};

use crate::canvas::Canvas;
use crate::command::{Command, Keymap};
use crate::io::Size;
use crate::link::{Link, Standing};
use crate::prompt::Prompt;
use crate::text;
use crate::theme::Theme;

/// A sentence in the message line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// How bad.
    pub level: Level,
    /// The sentence.
    pub text: String,
}

impl Message {
    /// Something good to know.
    pub fn info(text: impl Into<String>) -> Message {
        Message {
            level: Level::Info,
            text: text.into(),
        }
    }

    /// Something that did not work.
    pub fn error(text: impl Into<String>) -> Message {
        Message {
            level: Level::Error,
            text: text.into(),
        }
    }

    /// This one, of something that did not work and that nobody can have read yet, and behind it what
    /// came after it.
    #[must_use]
    pub fn and(mut self, later: &Message) -> Message {
        if !self.text.contains(&later.text) && self.text.len() < MAX_MESSAGE {
            self.text.push(' ');
            self.text.push_str(&later.text);
        }
        self
    }
}

/// A message that is longer, in bytes, takes no other one behind it.
const MAX_MESSAGE: usize = 1000;

/// What stands above the status line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Foot {
    /// Sentences that were said, on as many lines as there is room for.
    pub message: Vec<String>,
    /// How bad.
    pub level: Option<Level>,
    /// Whether the end of the message is left out.
    pub is_cut: bool,
    /// A question that is being answered, with the answer.
    pub question: Vec<String>,
}

impl Foot {
    /// What a pane of this size has room for: for a question before a message, and for a message up to a
    /// third of its rows.
    pub fn of(message: Option<&Message>, question: Option<&Prompt>, size: Size) -> Foot {
        let Size { rows, columns } = size;
        let room = usize::from(rows.saturating_sub(1));
        let question = question.map_or_else(Vec::new, |prompt| {
            prompt.shown(columns, room.min(QUESTION_LINES))
        });
        let least = usize::from(question.is_empty());
        let room = room.saturating_sub(question.len() + least);
        let mut foot = Foot {
            question,
            ..Foot::default()
        };
        let most = room.min(usize::from(rows / 3).clamp(2, MESSAGE_LINES));
        let Some(message) = message.filter(|_| most > 0) else {
            return foot;
        };
        foot.level = Some(message.level);
        foot.message = text::filled(&message.text, u32::from(columns.max(1)));
        if foot.message.len() > most {
            foot.is_cut = true;
            foot.message.truncate(most);
            if let Some(last) = foot.message.last_mut() {
                let more = if columns >= 24 { MORE } else { "…" };
                let room = u32::from(columns).saturating_sub(text::cells(more));
                let kept = text::wrapped(last, room)[0].to_owned();
                *last = kept + more;
            }
        }
        foot
    }

    /// How many rows it takes.
    pub fn lines(&self) -> usize {
        self.message.len() + self.question.len()
    }
}

/// Most lines of a question with its answer.
const QUESTION_LINES: usize = 3;
/// Most lines of a message.
const MESSAGE_LINES: usize = 6;
/// Says where the end of a message is.
const MORE: &str = "… (F1: all of it)";

/// How many rows of a pane are left for what it is about. A pane of one row has no status line.
pub fn content_rows(rows: u16, message_lines: usize) -> u16 {
    match rows {
        0 | 1 => rows,
        rows => (rows - 1).saturating_sub(message_lines as u16),
    }
}

/// What the chain behind the pane says of itself when something is wrong: the reason a server is not
/// there, or what to do about a missing sidecar.
pub fn trouble(link: &Link) -> Option<Message> {
    match link.standing() {
        Standing::Lost => Some(Message::error(link.advice())),
        Standing::Live => match &link.status().link {
            ServerLink::Failed { reason } => Some(Message::error(reason.clone())),
            ServerLink::Starting { what } => Some(Message::info(what.clone())),
            ServerLink::Reconnecting { reason, .. } if !reason.is_empty() => {
                Some(Message::info(reason.clone()))
            }
            _ => None,
        },
        Standing::Unpermitted | Standing::Coming => None,
    }
}

/// What the lines at the foot are about.
#[derive(Clone, Copy)]
pub struct About<'a> {
    /// What the pane shows.
    pub role: Role,
    /// The chain behind it.
    pub link: &'a Link,
    /// Its keys.
    pub keymap: &'a Keymap,
    /// Whether it only shows.
    pub read_only: bool,
}

/// Draw the message lines and the status line.
pub fn draw(canvas: &mut Canvas, foot: &Foot, about: About<'_>, theme: &Theme) {
    let (rows, columns) = (canvas.rows(), canvas.columns());
    if rows < 2 {
        return;
    }
    let style = match foot.level {
        Some(Level::Error) => theme.error,
        _ => theme.text,
    };
    let said = foot.message.iter().map(|line| (line, style));
    let asked = foot.question.iter().map(|line| (line, theme.text));
    let first = content_rows(rows, foot.lines());
    for (row, (line, style)) in (first..).zip(said.chain(asked)) {
        canvas.text(0, row, columns, line, style);
    }
    let asking = !foot.question.is_empty();
    draw_status(canvas, rows - 1, about, asking, theme);
}

/// Draw the status line of a page that covers the pane: which of its rows are shown, and how to go on.
pub fn draw_of_page(canvas: &mut Canvas, shown: std::ops::Range<usize>, of: usize, theme: &Theme) {
    let (rows, columns) = (canvas.rows(), canvas.columns());
    if rows < 2 {
        return;
    }
    let mut hints = vec![("Esc".to_owned(), "closes")];
    if shown.end < of {
        hints.insert(0, ("PageDown".to_owned(), "more"));
    } else if shown.start > 0 {
        hints.insert(0, ("PageUp".to_owned(), "back"));
    }
    let words = format!("Lines {}–{} of {of}", shown.start + 1, shown.end);
    let room = columns.saturating_sub(width_of(&hints, hints.len()));
    let at = if text::cells(&words) <= u32::from(room) {
        canvas.text(0, rows - 1, columns, &words, theme.faint)
    } else {
        0
    };
    draw_hints(canvas, rows - 1, at, &hints, theme);
}

/// How much of the server's name is said.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Named {
    Fully,
    WithoutVersion,
    Not,
}

/// A dialect without its version: the words before the first that has a digit.
fn without_version(dialect: &str) -> String {
    let words = dialect.split_whitespace();
    let words: Vec<&str> = words
        .take_while(|word| !word.contains(|c: char| c.is_ascii_digit()))
        .collect();
    words.join(" ")
}

/// How the chain is, the session shown, and what runs.
fn state(link: &Link, named: Named, theme: &Theme) -> Vec<(String, Style)> {
    let status = link.status();
    let dialect = match (named, status.dialect.is_empty()) {
        (Named::Not, _) => String::new(),
        (_, true) => "Smalltalk".to_owned(),
        (Named::Fully, _) => status.dialect.clone(),
        (Named::WithoutVersion, _) => without_version(&status.dialect),
    };
    let (style, words) = match (link.standing(), &status.link) {
        (Standing::Unpermitted, _) => (theme.faint, "○ no permission".to_owned()),
        (Standing::Coming, _) => (theme.faint, "◌ starting".to_owned()),
        (Standing::Lost, _) => (theme.error, "✗ no sidecar".to_owned()),
        (Standing::Live, ServerLink::Connecting) => (theme.faint, "◌ connecting".to_owned()),
        (Standing::Live, ServerLink::Starting { .. }) => {
            (theme.faint, "◌ starting Smalltalk".to_owned())
        }
        (Standing::Live, ServerLink::Connected) if status.busy && dialect.is_empty() => {
            (theme.running, "◐ busy".to_owned())
        }
        (Standing::Live, ServerLink::Connected) if status.busy => {
            (theme.running, format!("◐ busy ({dialect})"))
        }
        (Standing::Live, ServerLink::Connected) if dialect.is_empty() => {
            (theme.good, "●".to_owned())
        }
        (Standing::Live, ServerLink::Connected) => (theme.good, format!("● {dialect}")),
        (Standing::Live, ServerLink::Reconnecting { attempt, .. }) => {
            (theme.error, format!("◌ reconnecting ({attempt})"))
        }
        (Standing::Live, ServerLink::Failed { .. }) => (theme.error, "✗ no server".to_owned()),
    };
    let mut parts = vec![(words, style)];
    if !link.seems_live() {
        return parts;
    }
    match status.running {
        0 => {}
        1 => parts.push(("▶ running".to_owned(), theme.running)),
        running => parts.push((format!("▶ {running} running"), theme.running)),
    }
    let place = place(status);
    if !place.is_empty() {
        parts.push((place, theme.title));
    }
    parts
}

/// What is said of other people, where there is room.
fn company(about: About<'_>, theme: &Theme) -> Vec<(String, Style)> {
    let status = about.link.status();
    let mut parts = Vec::new();
    if !about.link.seems_live() {
        return parts;
    }
    if about.read_only || status.host.is_some() {
        let words = match status.host {
            _ if about.read_only => "read only",
            _ if about.link.is_guest() => "guest: looking on",
            _ => "guests look on",
        };
        parts.push((words.to_owned(), theme.key));
    }
    if status.clients > 1 {
        parts.push((format!("{} people", status.clients), theme.faint));
    }
    parts
}

fn draw_status(canvas: &mut Canvas, row: u16, about: About<'_>, asking: bool, theme: &Theme) {
    let columns = canvas.columns();
    let hints = if asking {
        vec![("Esc".to_owned(), "leaves it")]
    } else {
        hints(about)
    };
    // The hints that must not give way: what runs can be interrupted, and where all keys are.
    let urgent = hints.iter().take_while(|(_, hint)| *hint != HELP_HINT);
    let urgent = (urgent.count() + 1).min(hints.len());
    let is_urgent = urgent > 1 || asking;
    let wanted = width_of(&hints, if is_urgent { urgent } else { 2 });
    let cells = |parts: &[(String, Style)]| {
        let cells = parts.iter().map(|(words, _)| text::cells(words) + 2);
        cells.sum::<u32>().saturating_sub(2) as u16
    };
    let mut parts = state(about.link, Named::Fully, theme);
    let ways: &[Named] = if is_urgent {
        &[Named::WithoutVersion, Named::Not]
    } else {
        &[Named::WithoutVersion]
    };
    for named in ways {
        if cells(&parts).saturating_add(wanted) > columns {
            parts = state(about.link, *named, theme);
        }
    }
    let mut at = 0;
    let reserved = if is_urgent { width_of(&hints, 1) } else { 0 };
    for (number, (words, style)) in parts.iter().enumerate() {
        let from = if number == 0 { 0 } else { at + 2 };
        let room = columns.saturating_sub(reserved).saturating_sub(from);
        if number == 0 || room >= 3 {
            at = canvas.cut_text(from, row, from + room, words, *style);
        }
    }
    for (words, style) in company(about, theme) {
        let needed = text::cells(&words) as u16 + 2;
        if at.saturating_add(needed) <= columns.saturating_sub(width_of(&hints, 1)) {
            at = canvas.text(at + 2, row, columns, &words, style);
        }
    }
    draw_hints(canvas, row, at, &hints, theme);
}

/// Which session the pane shows and on which image, as far as there is more than one of them.
fn place(status: &Status) -> String {
    match (status.sessions > 1, status.images > 1) {
        (false, false) => String::new(),
        (true, false) => status.session.clone(),
        (false, true) => format!("on {}", status.image),
        (true, true) => format!("{} on {}", status.session, status.image),
    }
}

/// The key by which STUI's layout brings the debugger up.
const DEBUGGER_KEY: &str = "Alt d";
/// The hint at the key that shows all keys.
const HELP_HINT: &str = "keys";

/// A key and what it does.
type Hint = (String, &'static str);

/// The hints of a pane, what matters most first: what there is to interrupt or to debug, then the key that
/// shows all keys, then the others in the table's order.
fn hints(about: About<'_>) -> Vec<Hint> {
    let link = about.link;
    let running = link.seems_live() && link.status().running > 0;
    let debugged =
        link.seems_live() && link.status().debuggers > 0 && about.role == Role::Workspace;
    let rows = about.keymap.rows();
    let mut hints: Vec<(Command, Hint)> = rows
        .filter(|(entry, _)| !entry.hint.is_empty() && entry.place.includes(about.role))
        .filter(|(entry, _)| running || entry.command != Command::Interrupt)
        .filter_map(|(entry, keys)| Some((entry.command, (keys.first()?.to_string(), entry.hint))))
        .collect();
    hints.sort_by_key(|(command, _)| match command {
        Command::Interrupt => 0,
        Command::Help => 1,
        _ => 2,
    });
    let mut hints: Vec<Hint> = hints.into_iter().map(|(_, hint)| hint).collect();
    if debugged {
        let at = usize::from(running).min(hints.len());
        hints.insert(at, (DEBUGGER_KEY.to_owned(), "debugger"));
    }
    hints
}

/// The cells of the first hints with what is left free before each.
fn width_of(hints: &[Hint], count: usize) -> u16 {
    let widths = hints.iter().take(count);
    let widths = widths.map(|(key, hint)| 2 + text::cells(key) + 1 + text::cells(hint));
    widths.sum::<u32>().min(u32::from(u16::MAX)) as u16
}

/// As many hints as fit behind a column, set to the right; the general ones last, where the eye looks for them.
fn draw_hints(canvas: &mut Canvas, row: u16, from: u16, hints: &[Hint], theme: &Theme) {
    let columns = canvas.columns();
    let room = columns.saturating_sub(from);
    let fitting = (0..=hints.len())
        .rev()
        .find(|count| width_of(hints, *count) <= room);
    let mut shown = hints[..fitting.unwrap_or(0)].to_vec();
    let help = shown.iter().position(|(_, hint)| *hint == HELP_HINT);
    shown.rotate_left(help.map_or(0, |at| at + 1));
    let mut at = (columns + 2).saturating_sub(width_of(&shown, shown.len()));
    for (key, hint) in &shown {
        at = canvas.text(at, row, columns, key, theme.key);
        at = canvas.text(at + 1, row, columns, hint, theme.faint) + 2;
    }
}

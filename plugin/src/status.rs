//! The status line at the foot of every pane, and the message line above it.

use stui_protocol::pane::{Level, Link as ServerLink, Role, Status};

use crate::canvas::Canvas;
use crate::command::{Command, Keymap};
use crate::io::Size;
use crate::link::{Link, Standing};
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

/// A message as the lines that a pane has room for: none in two rows, one in a low pane, up to three
/// in a high one. What does not fit is cut.
pub fn message_lines(message: Option<&Message>, size: Size) -> Vec<String> {
    let most = usize::from(size.rows.saturating_sub(2).min(1 + size.rows / 10).min(3));
    let Some(message) = message.filter(|_| most > 0) else {
        return Vec::new();
    };
    let mut lines = text::filled(&message.text, u32::from(size.columns.max(1)));
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            let room = u32::from(size.columns.saturating_sub(1));
            let kept = text::wrapped(last, room)[0].to_owned();
            *last = kept + "…";
        }
    }
    lines
}

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

/// Draw both lines; `read_only`: the pane only shows.
pub fn draw(
    canvas: &mut Canvas,
    role: Role,
    link: &Link,
    keymap: &Keymap,
    message: Option<&Message>,
    read_only: bool,
    theme: &Theme,
) {
    let (rows, columns) = (canvas.rows(), canvas.columns());
    if rows < 2 {
        return;
    }
    let style = match message.map(|message| message.level) {
        Some(Level::Error) => theme.error,
        _ => theme.text,
    };
    let sentences = message_lines(message, Size { rows, columns });
    let first = content_rows(rows, sentences.len());
    for (row, sentence) in (first..).zip(&sentences) {
        canvas.text(0, row, columns, sentence, style);
    }
    draw_status(canvas, rows - 1, role, link, keymap, read_only, theme);
}

fn draw_status(
    canvas: &mut Canvas,
    row: u16,
    role: Role,
    link: &Link,
    keymap: &Keymap,
    read_only: bool,
    theme: &Theme,
) {
    let columns = canvas.columns();
    let status = link.status();
    let dialect = if status.dialect.is_empty() {
        "Smalltalk"
    } else {
        &status.dialect
    };
    let (style, words) = match (link.standing(), &status.link) {
        (Standing::Unpermitted, _) => (theme.faint, "○ no permission".to_owned()),
        (Standing::Coming, _) => (theme.faint, "◌ starting".to_owned()),
        (Standing::Lost, _) => (theme.error, "✗ no sidecar".to_owned()),
        (Standing::Live, ServerLink::Connecting) => (theme.faint, "◌ connecting".to_owned()),
        (Standing::Live, ServerLink::Starting { .. }) => {
            (theme.faint, "◌ starting Smalltalk".to_owned())
        }
        (Standing::Live, ServerLink::Connected) if status.busy => {
            (theme.running, format!("◐ busy ({dialect})"))
        }
        (Standing::Live, ServerLink::Connected) => (theme.good, format!("● {dialect}")),
        (Standing::Live, ServerLink::Reconnecting { attempt, .. }) => {
            (theme.error, format!("◌ reconnecting ({attempt})"))
        }
        (Standing::Live, ServerLink::Failed { .. }) => (theme.error, "✗ no server".to_owned()),
    };
    let mut at = canvas.cut_text(0, row, columns, &words, style);
    let place = place(status);
    if !place.is_empty() && link.is_live() && at + 2 < columns {
        at = canvas.cut_text(at + 2, row, columns, &place, theme.title);
    }
    if link.is_live() && status.running > 0 {
        let words = match status.running {
            1 => "  ▶ running".to_owned(),
            running => format!("  ▶ {running} running"),
        };
        if text::cells(&words) <= u32::from(columns.saturating_sub(at)) {
            at = canvas.text(at, row, columns, &words, theme.running);
        }
    }
    if link.is_live() && (read_only || status.host.is_some()) {
        let words = match status.host {
            _ if read_only => "  read only",
            _ if link.is_guest() => "  guest: looking on",
            _ => "  guests look on",
        };
        if text::cells(words) <= u32::from(columns.saturating_sub(at)) {
            at = canvas.text(at, row, columns, words, theme.key);
        }
    }
    if status.clients > 1 && link.is_live() {
        let words = format!("  {} people", status.clients);
        if text::cells(&words) <= u32::from(columns.saturating_sub(at)) {
            at = canvas.text(at, row, columns, &words, theme.faint);
        }
    }
    draw_hints(canvas, row, at, role, link, keymap, theme);
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

/// As many hints as fit, in the table's order, set to the right. The key that shows all keys has the
/// first right to its place; interrupting is hinted at while there is something to interrupt.
fn draw_hints(
    canvas: &mut Canvas,
    row: u16,
    from: u16,
    role: Role,
    link: &Link,
    keymap: &Keymap,
    theme: &Theme,
) {
    let columns = canvas.columns();
    let running = link.is_live() && link.status().running > 0;
    let debugged = link.is_live() && link.status().debuggers > 0 && role == Role::Workspace;
    let mut hints: Vec<(Command, String, &str)> = keymap
        .rows()
        .filter(|(entry, _)| !entry.hint.is_empty() && entry.place.includes(role))
        .filter(|(entry, _)| running || entry.command != Command::Interrupt)
        .filter_map(|(entry, keys)| Some((entry.command, keys.first()?.to_string(), entry.hint)))
        .collect();
    if debugged {
        hints.insert(0, (Command::Help, DEBUGGER_KEY.to_owned(), "debugger"));
    }
    // what matters most first; then as many as there is room for
    hints.sort_by_key(|(command, ..)| match command {
        Command::Help => 0,
        Command::Interrupt => 1,
        _ => 2,
    });
    let room = u32::from(columns.saturating_sub(from));
    let mut used = 0;
    let mut fitting = 0;
    for (_, key, hint) in &hints {
        let needed = 2 + text::cells(key) + 1 + text::cells(hint);
        if used + needed > room {
            break;
        }
        used += needed;
        fitting += 1;
    }
    hints.truncate(fitting);
    // shown with the general ones last, where the eye looks for them
    let general = hints
        .iter()
        .take_while(|(command, ..)| matches!(command, Command::Help | Command::Interrupt))
        .count();
    hints.rotate_left(general);
    let mut at = (columns + 2).saturating_sub(used as u16);
    for (_, key, hint) in &hints {
        at = canvas.text(at, row, columns, key, theme.key);
        at = canvas.text(at + 1, row, columns, hint, theme.faint) + 2;
    }
}

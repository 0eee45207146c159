//! The pane of sessions and images: what there is, how it is, and what can be done with it.
//!
//! The sidecar owns the list; this holds which row is selected, and a question that is being answered
//! in the message line.

use ratatui_core::style::Style;
use stui_protocol::pane::{Act, Link as ServerLink, SessionKey};
use stui_protocol::sessions::{
    ImageRow, MAX_NAME, SessionCommand, SessionList, SessionRow, wrong_with_name,
};

use crate::canvas::Canvas;
use crate::command::{Command, Motion};
use crate::io::Outcome;
use crate::key::Key;
use crate::link::Link;
use crate::page::{self, Paragraph};
use crate::prompt::{Prompt, Typed};
use crate::status::Message;
use crate::text;
use crate::theme::Theme;

/// From how many columns on a row shows when a session was used and who looks at it.
const USED_FROM: u16 = 56;
/// Widths of names, at most.
const NAME_WIDTH: u16 = 18;

/// What the user is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asked {
    /// The name of a new session on this image.
    New { image: Option<String> },
    /// Another name for a session.
    Rename { session: SessionKey },
    /// Whether to close a session.
    Close { session: SessionKey },
    /// Whether to move a session to this image.
    Move { session: SessionKey, image: String },
}

impl Asked {
    fn is_yes_or_no(&self) -> bool {
        matches!(self, Asked::Close { .. } | Asked::Move { .. })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Question {
    asked: Asked,
    prompt: Prompt,
}

/// See the module's text.
#[derive(Debug, Default)]
pub struct Sessions {
    list: SessionList,
    /// When the list was told, as the sidecar's clock was, and how long ago that is.
    now: u64,
    age: f64,
    /// Row of sessions and images together.
    selected: usize,
    top: usize,
    height: u16,
    question: Option<Question>,
}

impl Sessions {
    /// The pane's content has so many rows now.
    pub fn resize(&mut self, rows: u16) {
        self.height = rows;
        self.follow();
    }

    /// The sidecar says what there is.
    pub fn take(&mut self, list: SessionList, now: u64) {
        let selected = self.session().map(|row| row.key);
        let image = self.image().map(|row| row.name.clone());
        let first = self.list.sessions.is_empty();
        self.list = list;
        (self.now, self.age) = (now, 0.0);
        if let Some(key) = selected
            && let Some(at) = self.list.sessions.iter().position(|row| row.key == key)
        {
            self.selected = at;
        }
        let mut images = self.list.images.iter();
        if let Some(name) = image
            && let Some(at) = images.position(|row| row.name == name)
        {
            self.selected = self.list.sessions.len() + at;
        }
        if first {
            self.selected = 0;
        }
        self.selected = self.selected.min(self.count().saturating_sub(1));
        self.follow();
    }

    /// Another session is the current one: begin there.
    pub fn current(&mut self, session: SessionKey) {
        if let Some(at) = self.list.sessions.iter().position(|row| row.key == session) {
            self.selected = at;
            self.follow();
        }
    }

    /// Time went by, in seconds.
    pub fn tick(&mut self, seconds: f64) {
        self.age += seconds;
    }

    fn count(&self) -> usize {
        self.list.sessions.len() + self.list.images.len()
    }

    fn session(&self) -> Option<&SessionRow> {
        self.list.sessions.get(self.selected)
    }

    fn image(&self) -> Option<&ImageRow> {
        let at = self.selected.checked_sub(self.list.sessions.len())?;
        self.list.images.get(at)
    }

    /// The question that is being answered.
    pub fn prompt(&self) -> Option<&Prompt> {
        self.question.as_ref().map(|question| &question.prompt)
    }

    /// Whether keys are an answer.
    pub fn is_asking(&self) -> bool {
        self.question.is_some()
    }

    /// Whether keys are the name of a new session.
    pub fn is_naming_new(&self) -> bool {
        let asked = self.question.as_ref().map(|question| &question.asked);
        matches!(asked, Some(Asked::New { .. }))
    }

    /// A key of an answer; answers a sentence for the user.
    pub fn answer(&mut self, key: Key, link: &mut Link, out: &mut Outcome) -> Option<Message> {
        let mut question = self.question.take()?;
        if question.asked.is_yes_or_no() {
            return match key.typed() {
                Some('y' | 'Y') => self.carry_out(question, link, out),
                _ => Some(Message::info("Nothing was done.")),
            };
        }
        let said = match question.prompt.key(key) {
            Typed::Cancelled => return None,
            Typed::Done => return self.carry_out(question, link, out),
            Typed::Full => Some(too_long()),
            Typed::On => None,
        };
        self.question = Some(question);
        said
    }

    /// Text was pasted into the answer; answers a sentence for the user.
    pub fn paste(&mut self, text: &str) -> Option<Message> {
        let question = self.question.as_mut()?;
        if question.asked.is_yes_or_no() {
            return None;
        }
        let line = text.lines().next().unwrap_or_default();
        (question.prompt.paste(line) == Typed::Full).then(too_long)
    }

    fn carry_out(
        &mut self,
        question: Question,
        link: &mut Link,
        out: &mut Outcome,
    ) -> Option<Message> {
        let name = question.prompt.answer().trim().to_owned();
        let command = match question.asked.clone() {
            Asked::Close { session } => SessionCommand::Close { session },
            Asked::Move { session, image } => SessionCommand::Move {
                session,
                image: Some(image),
            },
            Asked::New { image } => SessionCommand::New {
                name: name.clone(),
                image,
            },
            Asked::Rename { session } => SessionCommand::Rename {
                session,
                name: name.clone(),
            },
        };
        let may_be_empty = !matches!(question.asked, Asked::Rename { .. });
        if !(name.is_empty() && may_be_empty)
            && let Some(wrong) = wrong_with_name(&name)
        {
            self.question = Some(question);
            return Some(Message::error(wrong));
        }
        act(command, link, out)
    }

    /// Do what a command says; answers a sentence for the user.
    pub fn command(
        &mut self,
        command: Command,
        link: &mut Link,
        out: &mut Outcome,
    ) -> Option<Message> {
        let last = self.count().saturating_sub(1);
        let page = usize::from(self.height.saturating_sub(3).max(1));
        let session = self.session().cloned();
        match command {
            Command::Move(motion) => {
                self.selected = match motion {
                    Motion::Up => self.selected.saturating_sub(1),
                    Motion::Down => self.selected + 1,
                    Motion::PageUp => self.selected.saturating_sub(page),
                    Motion::PageDown => self.selected + page,
                    Motion::DocumentStart => 0,
                    Motion::DocumentEnd => last,
                    _ => self.selected,
                }
                .min(last);
                self.follow();
                None
            }
            Command::NewSession => {
                let image = session
                    .map(|row| row.image)
                    .or_else(|| self.image().map(|row| row.name.clone()));
                let on = image.as_deref().unwrap_or("the first image").to_owned();
                let words = format!("Name of the new session on {on}: ");
                self.ask(Asked::New { image }, Prompt::new(words, MAX_NAME))
            }
            _ => {
                let Some(row) = session else {
                    return Some(Message::info(
                        "This is an image; select a session, or make one here with n.",
                    ));
                };
                self.session_command(command, row, link, out)
            }
        }
    }

    fn session_command(
        &mut self,
        command: Command,
        row: SessionRow,
        link: &mut Link,
        out: &mut Outcome,
    ) -> Option<Message> {
        let session = row.key;
        match command {
            Command::SwitchSession => act(SessionCommand::Switch { session }, link, out),
            Command::RenameSession => self.ask(
                Asked::Rename { session },
                Prompt::new(format!("New name of {}: ", row.name), MAX_NAME).answered(row.name),
            ),
            Command::CloseSession => self.ask(
                Asked::Close { session },
                Prompt::new(
                    format!("Close {} with its text and variables? y/n ", row.name),
                    0,
                ),
            ),
            Command::MoveSession if self.list.images.len() < 2 => Some(Message::info(
                "There is only one image; `stui connect TARGET` in a terminal adds another.",
            )),
            Command::MoveSession => {
                let images = &self.list.images;
                let at = images.iter().position(|image| image.name == row.image);
                let next = images.get(at.map_or(0, |at| (at + 1) % images.len()))?;
                let image = next.name.clone();
                if row.history == 0 {
                    let image = Some(image);
                    return act(SessionCommand::Move { session, image }, link, out);
                }
                let words = format!(
                    "Move {} to {image}, which has none of its variables? y/n ",
                    row.name
                );
                self.ask(Asked::Move { session, image }, Prompt::new(words, 0))
            }
            Command::RunAgain => act(SessionCommand::RunAgain { session }, link, out),
            _ => None,
        }
    }

    fn ask(&mut self, asked: Asked, prompt: Prompt) -> Option<Message> {
        self.question = Some(Question { asked, prompt });
        None
    }

    /// The mouse was clicked at a row: select it, or switch to the selected session.
    pub fn click(&mut self, row: u16, link: &mut Link, out: &mut Outcome) -> Option<Message> {
        let Some(Line::Entry(number)) = self.lines().nth(self.top + usize::from(row)) else {
            return None;
        };
        if number == self.selected {
            return self.command(Command::SwitchSession, link, out);
        }
        self.selected = number;
        None
    }

    /// Scroll by rows; negative: up.
    pub fn scroll(&mut self, rows: i32) {
        let most = self
            .lines()
            .count()
            .saturating_sub(usize::from(self.height.max(1)));
        self.top = self.top.saturating_add_signed(rows as isize).min(most);
    }

    /// The lines of the list, from its beginning.
    fn lines(&self) -> impl Iterator<Item = Line> {
        let sessions = self.list.sessions.len();
        let images = self.list.images.len();
        std::iter::once(Line::Sessions)
            .chain((0..sessions).map(Line::Entry))
            .chain([Line::Blank, Line::Images])
            .chain((sessions..sessions + images).map(Line::Entry))
    }

    fn follow(&mut self) {
        let selected = Line::Entry(self.selected);
        let line = self.lines().position(|line| line == selected).unwrap_or(0);
        let rows = usize::from(self.height.max(1));
        // the first row is shown with the heading above it
        let least = if line == 1 { 0 } else { line };
        self.top = self.top.clamp((line + 1).saturating_sub(rows), least);
    }

    /// Draw the list, `rows` high.
    pub fn draw(&self, canvas: &mut Canvas, rows: u16, link: &Link, theme: &Theme) {
        if self.list.sessions.is_empty() {
            let words = "The sessions are shown here once the sidecar has told them.";
            page::draw(canvas, rows, 0, &[Paragraph::Text(words.to_owned())], theme);
            return;
        }
        let columns = Columns::of(self, canvas.columns());
        let shown: Vec<Line> = self
            .lines()
            .skip(self.top)
            .take(usize::from(rows))
            .collect();
        for (y, line) in (0..rows).zip(shown) {
            match line {
                Line::Blank => {}
                Line::Sessions => {
                    columns.draw(
                        canvas,
                        y,
                        ["Session", "Image", "State"],
                        "Used",
                        theme.title,
                    );
                }
                Line::Images => {
                    columns.draw(canvas, y, ["Image", "Sessions", "State"], "", theme.title);
                }
                Line::Entry(number) => {
                    self.draw_entry(canvas, y, number, &columns, link, theme);
                    if number == self.selected {
                        canvas.text(0, y, 1, "›", theme.key);
                        canvas.style(0, y, canvas.columns(), theme.selection);
                    }
                }
            }
        }
    }

    fn draw_entry(
        &self,
        canvas: &mut Canvas,
        y: u16,
        number: usize,
        columns: &Columns,
        link: &Link,
        theme: &Theme,
    ) {
        if let Some(row) = self.list.sessions.get(number) {
            if row.key == link.session() {
                canvas.text(1, y, 2, "*", theme.key);
            }
            let mut state = State::of(&row.link, "connected");
            if row.running > 0 && matches!(row.link, ServerLink::Connected) {
                state = State {
                    sign: "▶",
                    words: format!("{} running", row.running),
                    health: Health::Running,
                    ..state
                };
            }
            if row.debuggers > 0 {
                state.add(&counted(row.debuggers, "debugger"));
            }
            if row.lost > 0 {
                state.add(&format!("{} to run again", row.lost));
            }
            let me = link.me().client();
            let others = row.viewers.iter().filter(|client| Some(**client) != me);
            let used = match others.count() {
                0 => self.ago(row.used),
                1 => "1 other".to_owned(),
                n => format!("{n} others"),
            };
            columns.entry(canvas, y, [&row.name, &row.image], &state, &used, theme);
        } else if let Some(row) = number
            .checked_sub(self.list.sessions.len())
            .and_then(|at| self.list.images.get(at))
        {
            let dialect = if row.dialect.is_empty() {
                "connected"
            } else {
                &row.dialect
            };
            let mut state = State::of(&row.link, dialect);
            state.add(&row.target);
            let count = row.sessions.to_string();
            columns.entry(canvas, y, [&row.name, &count], &state, "", theme);
        }
    }

    /// How long ago a session was used.
    fn ago(&self, used: u64) -> String {
        if used == 0 {
            return "never".to_owned();
        }
        let now = self.now + self.age as u64;
        match now.saturating_sub(used) {
            0..60 => "now".to_owned(),
            s @ 60..3600 => format!("{} min", s / 60),
            s @ 3600..86_400 => format!("{} h", s / 3600),
            s => counted((s / 86_400) as u32, "day"),
        }
    }
}

/// A line of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Sessions,
    Blank,
    Images,
    /// Number of a session or image.
    Entry(usize),
}

/// Where the columns begin; 0: it is not shown.
struct Columns {
    image: u16,
    state: u16,
    used: u16,
}

impl Columns {
    fn of(sessions: &Sessions, columns: u16) -> Columns {
        let width = |names: &mut dyn Iterator<Item = &str>, least: u16| {
            let widest = names.map(text::cells).max().unwrap_or(0);
            (widest as u16).clamp(least, NAME_WIDTH.min(columns / 3).max(least))
        };
        let list = &sessions.list;
        let mut names = list
            .sessions
            .iter()
            .map(|row| row.name.as_str())
            .chain(list.images.iter().map(|row| row.name.as_str()));
        let mut images = list.sessions.iter().map(|row| row.image.as_str());
        let image = 2 + width(&mut names, 7) + 2;
        let state = image + width(&mut images, 8) + 2;
        Columns {
            image,
            state,
            used: if columns >= USED_FROM { columns - 9 } else { 0 },
        }
    }

    fn draw(&self, canvas: &mut Canvas, y: u16, words: [&str; 3], used: &str, style: Style) {
        let columns = canvas.columns();
        canvas.cut_text(2, y, self.image - 1, words[0], style);
        canvas.cut_text(self.image, y, self.state - 1, words[1], style);
        canvas.cut_text(self.state, y, columns, words[2], style);
        if self.used > 0 {
            canvas.cut_text(self.used, y, columns, used, style);
        }
    }

    fn entry(
        &self,
        canvas: &mut Canvas,
        y: u16,
        [name, second]: [&str; 2],
        state: &State,
        used: &str,
        theme: &Theme,
    ) {
        let columns = canvas.columns();
        canvas.cut_text(2, y, self.image - 1, name, theme.text);
        canvas.cut_text(self.image, y, self.state - 1, second, theme.faint);
        let end = if self.used > 0 && !used.is_empty() {
            canvas.cut_text(self.used, y, columns, used, theme.faint);
            self.used - 1
        } else {
            columns
        };
        let at = canvas.text(self.state, y, end, state.sign, state.health.style(theme));
        canvas.cut_text(at + 1, y, end, &state.in_words(), theme.text);
    }
}

/// How good something is.
#[derive(Debug, Clone, Copy)]
enum Health {
    Good,
    Running,
    Coming,
    Bad,
}

impl Health {
    fn style(self, theme: &Theme) -> Style {
        match self {
            Health::Good => theme.good,
            Health::Running => theme.running,
            Health::Coming => theme.faint,
            Health::Bad => theme.error,
        }
    }
}

/// How something is: a sign, a few words, and the reason, which may be long and comes last.
#[derive(Debug)]
struct State {
    sign: &'static str,
    words: String,
    reason: String,
    health: Health,
}

impl State {
    /// That of a link; `connected` says what it is called when all is well.
    fn of(link: &ServerLink, connected: &str) -> State {
        let (sign, words, reason, health) = match link {
            ServerLink::Connecting => ("◌", "connecting".to_owned(), "", Health::Coming),
            ServerLink::Starting { what } => ("◌", what.clone(), "", Health::Coming),
            ServerLink::Connected => ("●", connected.to_owned(), "", Health::Good),
            ServerLink::Reconnecting { attempt, reason } => (
                "◌",
                format!("reconnecting ({attempt})"),
                reason.as_str(),
                Health::Bad,
            ),
            ServerLink::Failed { reason } => {
                ("✗", "no server".to_owned(), reason.as_str(), Health::Bad)
            }
        };
        State {
            sign,
            words,
            reason: reason.to_owned(),
            health,
        }
    }

    fn add(&mut self, words: &str) {
        self.words.push_str(", ");
        self.words.push_str(words);
    }

    fn in_words(&self) -> String {
        if self.reason.is_empty() {
            self.words.clone()
        } else {
            format!("{}: {}", self.words, self.reason)
        }
    }
}

fn counted(count: u32, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

fn too_long() -> Message {
    Message::error(format!("A name has at most {MAX_NAME} characters."))
}

fn act(command: SessionCommand, link: &mut Link, out: &mut Outcome) -> Option<Message> {
    if !link.takes_acts() {
        return Some(Message::error("There is no sidecar to do this."));
    }
    link.act(Act::Sessions { command }, out);
    None
}

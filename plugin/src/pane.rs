//! A pane: [`Pane::update`] takes what happened and answers what shall be done, [`Pane::view`] draws.
//!
//! Neither has a clock or speaks to anybody: the same inputs give the same effects, the same state
//! and size the same frame.

use std::collections::BTreeMap;

use stui_protocol::pane::{Act, FromPane, How, Instance, Role, ToPane, summons};

use crate::command::Command;
use crate::debugger::Debugger;
use crate::editor::{self, Editor, Step};
use crate::inspector::Inspector;
use crate::io::{Effect, Input, Mouse, Outcome, Permission, Size};
use crate::key::{Code, Key};
use crate::link::Link;
use crate::sessions::Sessions;
use crate::settings::Settings;
use crate::status::Message;
use crate::theme::Theme;
use crate::transcript::Transcript;

mod help;
mod told;
mod view;

/// What is said where debug it does not work.
const LACKS_DEBUG_IT: &str = "This Smalltalk server cannot stop code before its first statement: \
     put `self halt` into it, and evaluate it.";

/// Who an instance is, as Zellij tells it.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The plugin's number, shared by the instances of all clients.
    pub plugin: u32,
    /// The client's number.
    pub client: u16,
    /// A number drawn when the instance was loaded.
    pub nonce: u64,
    /// Process id of the Zellij server.
    pub zellij_pid: u32,
    /// Version of Zellij.
    pub zellij_version: String,
}

/// Whether the pane may do its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Permitted {
    /// It has not asked: the workspace's pane asks for all.
    Waiting,
    Asked,
    Yes,
    No,
}

/// What the pane is about.
#[derive(Debug)]
enum Body {
    Workspace(Box<Editor>),
    Inspector(Inspector),
    Transcript(Transcript),
    Sessions(Sessions),
    Debugger(Debugger),
}

impl Body {
    /// Shows another session, of which nothing is known yet.
    fn begin(&mut self) {
        match self {
            Body::Workspace(editor) => editor.begin(),
            Body::Inspector(inspector) => *inspector = Inspector::default(),
            Body::Transcript(transcript) => *transcript = Transcript::default(),
            Body::Sessions(_) => {}
            Body::Debugger(debugger) => *debugger = Debugger::default(),
        }
    }
}

/// See the module's text.
#[derive(Debug)]
pub struct Pane {
    settings: Settings,
    link: Link,
    theme: Theme,
    size: Size,
    permitted: Permitted,
    body: Body,
    message: Option<Message>,
    /// The keys, while they are shown.
    help: Option<help::Help>,
    /// Whether the floating window was given room since the pane was loaded.
    has_room: bool,
    /// The size when the pane was last hidden, until it is known to be shown again.
    hidden_at: Option<Size>,
    /// Whether the user said no in the pane that asked for all.
    others_refused: bool,
    /// A switch to another session that waits until what was typed in this one found its text, and
    /// for how many seconds it has waited.
    switch: Option<(ToPane, f64)>,
}

impl Pane {
    /// A pane as its layout configures it, and what it does first.
    pub fn new(configuration: &BTreeMap<String, String>, identity: Identity) -> (Pane, Outcome) {
        let settings = Settings::read(configuration);
        let Identity {
            plugin,
            client,
            nonce,
            zellij_pid,
            zellij_version,
        } = identity;
        let role = settings.role;
        let hello = FromPane::Hello {
            role,
            zellij_pid,
            zellij_version,
            pin: settings.session.clone(),
        };
        let link = Link::new(
            Instance::new(plugin, client, nonce),
            hello,
            summons(configuration, zellij_pid),
        );
        let mut out = Outcome {
            redraw: true,
            ..Outcome::default()
        };
        let permitted = if role == Role::Workspace {
            out.push(Effect::Ask(settings.permissions()));
            Permitted::Asked
        } else {
            Permitted::Waiting
        };
        for problem in &settings.problems {
            out.log(problem.clone());
        }
        let message = settings.problems.first().map(Message::error);
        let body = match role {
            Role::Workspace => Body::Workspace(Box::default()),
            Role::Inspector => Body::Inspector(Inspector::default()),
            Role::Transcript => Body::Transcript(Transcript::default()),
            Role::Sessions => Body::Sessions(Sessions::default()),
            Role::Debugger => Body::Debugger(Debugger::default()),
        };
        let pane = Pane {
            settings,
            link,
            theme: Theme::default(),
            size: Size {
                rows: 24,
                columns: 80,
            },
            permitted,
            body,
            message,
            help: None,
            has_room: false,
            hidden_at: None,
            others_refused: false,
            switch: None,
        };
        (pane, out)
    }

    /// Whether the pane waits for another one to be given its permissions.
    pub fn waits_for_others(&self) -> bool {
        self.permitted == Permitted::Waiting
    }

    /// Whether the pane has its permissions.
    pub fn is_permitted(&self) -> bool {
        self.permitted == Permitted::Yes
    }

    /// What the pane asks permission for.
    pub fn permissions(&self) -> Vec<Permission> {
        self.settings.permissions()
    }

    /// The editor of a workspace's pane.
    pub fn editor(&self) -> Option<&Editor> {
        match &self.body {
            Body::Workspace(editor) => Some(editor),
            _ => None,
        }
    }

    /// Take an input.
    pub fn update(&mut self, input: Input) -> Outcome {
        let mut out = Outcome {
            redraw: true,
            ..Outcome::default()
        };
        let idle = matches!(input, Input::Tick(_));
        match input {
            Input::Key(key) => self.key(key.normal(), &mut out),
            Input::Paste(text) => self.paste(&text, &mut out),
            Input::Mouse(mouse) => self.mouse(mouse, &mut out),
            Input::Size(size) => self.resize(size, &mut out),
            Input::Permission { granted: true } => {
                let first = self.permitted != Permitted::Yes;
                self.permitted = Permitted::Yes;
                if first {
                    out.push(Effect::NotePermitted);
                    self.link.permitted(&mut out);
                }
            }
            Input::Permission { granted: false } => {
                self.permitted = Permitted::No;
                out.push(Effect::NoteRefused);
            }
            Input::OthersRefused(refused) => self.others_refused = refused,
            Input::OthersPermitted => {
                if self.permitted == Permitted::Waiting {
                    self.ask_permission(&mut out);
                }
            }
            Input::DownOpened { pipe } => self.link.opened(pipe, &mut out),
            Input::DownClosed { pipe } => self.link.closed(&pipe),
            Input::Line(line) => self.line(&line, &mut out),
            Input::Summoned { status, said } => self.link.summoned(status, &said),
            Input::Tick(seconds) => self.tick(seconds, &mut out),
            Input::Theme(theme) => self.theme = *theme,
            Input::Closing => {
                self.link.say(FromPane::Bye, &mut out);
                out.redraw = false;
            }
        }
        self.settle(idle, &mut out);
        out
    }

    fn hide(&mut self, out: &mut Outcome) {
        self.hidden_at = Some(self.size);
        out.push(Effect::Hide);
    }

    /// A floating window that was hidden comes up in Zellij's own size again, whatever size it had.
    fn resize(&mut self, size: Size, out: &mut Outcome) {
        self.size = size;
        if self.hidden_at.take_if(|was| *was != size).is_some() {
            self.ask_for_room(out);
        }
    }

    fn ask_for_room(&mut self, out: &mut Outcome) {
        if self.settings.hides {
            let role = self.settings.role;
            self.has_room = self.link.say(FromPane::Room { role }, out);
        }
    }

    fn ask_permission(&mut self, out: &mut Outcome) {
        self.permitted = Permitted::Asked;
        out.push(Effect::Ask(self.settings.permissions()));
    }

    /// After every input: tell the body its size, take up what it has to say, ask for what it needs.
    fn settle(&mut self, idle: bool, out: &mut Outcome) {
        self.catch_up(out);
        let columns = self.size.columns;
        if let Body::Workspace(editor) = &mut self.body
            && let Some(notice) = editor.take_notice()
        {
            self.message = Some(notice);
        }
        let rows = self.content_rows(self.size);
        match &mut self.body {
            Body::Workspace(editor) => {
                editor.resize(Size {
                    rows,
                    columns: columns.saturating_sub(editor::gutter(columns)),
                });
                editor.sync(idle, &self.link, out);
            }
            Body::Inspector(inspector) => {
                inspector.resize(rows, columns);
                inspector.sync(&self.link, out);
            }
            Body::Transcript(transcript) => {
                transcript.resize(rows, columns);
                transcript.sync(&self.link, out);
            }
            Body::Sessions(sessions) => sessions.resize(rows),
            Body::Debugger(debugger) => {
                debugger.resize(Size { rows, columns });
                debugger.sync(&self.link, out);
            }
        }
    }

    fn key(&mut self, key: Key, out: &mut Outcome) {
        match self.permitted {
            Permitted::Yes => {}
            Permitted::Asked => return,
            Permitted::Waiting | Permitted::No => {
                if key.code == Code::Enter {
                    self.ask_permission(out);
                }
                return;
            }
        }
        if let Body::Sessions(sessions) = &mut self.body
            && sessions.is_asking()
        {
            let is_new = sessions.is_naming_new();
            self.message = sessions.answer(key, &mut self.link, out);
            // Whoever makes a session is in it from now on: what is typed next is for its workspace.
            let made = is_new && key.code == Code::Enter && !sessions.is_asking();
            if made && self.message.is_none() && self.settings.hides {
                self.hide(out);
            }
            return;
        }
        if let Body::Debugger(debugger) = &mut self.body
            && debugger.is_asking()
        {
            self.message = debugger.answer(key, &mut self.link, out);
            return;
        }
        let found = self.settings.keymap.find(key);
        if self.help.is_some() {
            self.help_key(found.map(|(command, _)| command), key, out);
            return;
        }
        if matches!(found, Some((Command::Help, _))) {
            let message = self.shown_message();
            self.open_help(message);
            self.message = None;
            return;
        }
        self.hidden_at = None;
        // a sentence was read once the next key is pressed
        self.message = None;
        let changes = match found {
            Some((command, _)) => match &self.body {
                Body::Debugger(debugger) => debugger.changes(command),
                _ => command.changes(),
            },
            None => key.typed().is_some() && matches!(self.body, Body::Workspace(_)),
        };
        if changes && self.refuses() {
            return;
        }
        match (found, key.typed()) {
            (Some((command, extend)), _) => self.command(command, extend, out),
            (None, Some(c)) => {
                if let Body::Workspace(editor) = &mut self.body {
                    editor.step(Step::Type(c), &mut self.link, out);
                }
            }
            (None, None) => {}
        }
    }

    /// Whether this pane may change nothing; then it says why.
    fn refuses(&mut self) -> bool {
        let why = if self.settings.read_only {
            "This pane only shows: its layout says read_only."
        } else if self.link.is_guest() {
            "You are a guest here and look on; the host can say `stui guests may-write`."
        } else {
            return false;
        };
        self.message = Some(Message::info(why));
        true
    }

    fn command(&mut self, command: Command, extend: bool, out: &mut Outcome) {
        match command {
            Command::Help => self.open_help(None),
            Command::Interrupt => self.interrupt(out),
            Command::Cancel => {
                if let Body::Workspace(editor) = &mut self.body {
                    editor.cancel();
                }
                if self.settings.hides {
                    self.hide(out);
                }
            }
            _ => match &mut self.body {
                Body::Workspace(editor) => {
                    let lacks = self.link.is_live() && !self.link.status().can_debug_it;
                    if command == Command::Copy && editor.selection().is_empty() {
                        self.interrupt(out);
                    } else if command == Command::Evaluate(How::DebugIt) && lacks {
                        self.message = Some(Message::info(LACKS_DEBUG_IT));
                    } else {
                        editor.step(Step::Command(command, extend), &mut self.link, out);
                    }
                }
                Body::Inspector(inspector) => {
                    self.message = inspector.command(command, &mut self.link, out);
                }
                Body::Transcript(transcript) => {
                    self.message = transcript.command(command, &mut self.link, out);
                }
                Body::Debugger(debugger) => {
                    self.message = debugger.command(command, &mut self.link, out);
                }
                Body::Sessions(sessions) => {
                    self.message = sessions.command(command, &mut self.link, out);
                    let switched = command == Command::SwitchSession && self.message.is_none();
                    if switched && self.settings.hides {
                        self.hide(out);
                    }
                }
            },
        }
    }

    fn interrupt(&mut self, out: &mut Outcome) {
        if self.refuses() {
            return;
        }
        // Whether anything runs is known to the sidecar alone: the status here may be older than the
        // evaluation that was asked for a moment ago.
        if self.link.takes_acts() {
            self.link.act(Act::Interrupt, out);
        } else {
            self.message = Some(Message::error("There is no sidecar to interrupt anything."));
        }
    }

    fn paste(&mut self, text: &str, out: &mut Outcome) {
        if self.permitted != Permitted::Yes || self.help.is_some() {
            return;
        }
        match &mut self.body {
            Body::Sessions(sessions) if sessions.is_asking() => {
                self.message = sessions.paste(text);
            }
            Body::Debugger(debugger) if debugger.is_asking() => {
                self.message = debugger.paste(text);
            }
            _ => {}
        }
        if matches!(self.body, Body::Workspace(_)) {
            self.message = None;
            if self.refuses() {
                return;
            }
            let Body::Workspace(editor) = &mut self.body else {
                return;
            };
            let text = crate::text::cleaned(text);
            editor.step(Step::Paste(text), &mut self.link, out);
        }
    }

    fn mouse(&mut self, mouse: Mouse, out: &mut Outcome) {
        if self.permitted != Permitted::Yes {
            return;
        }
        if self.help.is_some() {
            if let Mouse::Scroll(rows) = mouse {
                self.scroll_help(rows);
            }
            return;
        }
        let changes = match (&self.body, mouse) {
            (Body::Inspector(_), Mouse::Click { .. }) => true,
            (Body::Debugger(debugger), Mouse::Click { row, column }) => {
                debugger.click_changes(row, column)
            }
            _ => false,
        };
        if changes && self.refuses() {
            return;
        }
        let rows = self.content_rows(self.size);
        match (&mut self.body, mouse) {
            (Body::Workspace(editor), Mouse::Scroll(lines)) => editor.scroll(lines),
            (Body::Inspector(inspector), Mouse::Scroll(lines)) => inspector.scroll(lines),
            (Body::Transcript(transcript), Mouse::Scroll(lines)) => transcript.scroll(lines),
            (Body::Sessions(sessions), Mouse::Scroll(lines)) => sessions.scroll(lines),
            (Body::Debugger(debugger), Mouse::Scroll(lines)) => debugger.scroll(lines),
            (Body::Debugger(debugger), Mouse::Click { row, column }) => {
                if row < rows && !debugger.is_asking() {
                    self.message = debugger.click(row, column, &mut self.link, out);
                }
            }
            (Body::Sessions(sessions), Mouse::Click { row, .. }) => {
                if row < rows {
                    self.message = sessions.click(row, &mut self.link, out);
                }
            }
            (Body::Workspace(editor), Mouse::Click { row, column }) => {
                if row < rows {
                    let gutter = editor::gutter(self.size.columns);
                    let step = Step::Point {
                        row: u32::from(row),
                        x: u32::from(column.saturating_sub(gutter)),
                    };
                    editor.step(step, &mut self.link, out);
                }
            }
            (Body::Inspector(inspector), Mouse::Click { row, column }) => {
                if row < rows {
                    self.message =
                        inspector.click(row, column, self.size.columns, &mut self.link, out);
                }
            }
            (Body::Transcript(_), Mouse::Click { .. }) => {}
        }
    }

    fn tick(&mut self, seconds: f64, out: &mut Outcome) {
        out.redraw = self.link.tick(seconds, out);
        if let Some((_, waited)) = &mut self.switch {
            *waited += seconds;
        }
        match &mut self.body {
            Body::Workspace(editor) => editor.tick(seconds, &self.link),
            Body::Inspector(inspector) => inspector.tick(seconds),
            Body::Transcript(transcript) => transcript.tick(seconds),
            Body::Sessions(sessions) => sessions.tick(seconds),
            Body::Debugger(debugger) => debugger.tick(seconds),
        }
    }
}

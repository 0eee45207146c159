//! One pane of the real `.wasm`, driven as Zellij and the sidecar drive it.

use std::path::PathBuf;

use stui_plugin_host::PluginHost;
use stui_plugin_host::data::{
    BareKey, Event, KeyWithModifier, PermissionStatus, PipeMessage, PipeSource, PluginCommand,
    PluginIds,
};
use stui_protocol::pane::{
    Act, DOWN, Down, FromPane, Instance, Line, MAX_LINE, Pos, Role, SessionKey, Span, Status,
    ToPane, UP, VERSION, up_line,
};

/// The session that the pane shows.
pub(crate) const SESSION: SessionKey = SessionKey(1);

/// Path of the `stui` program in the pane's configuration.
pub(crate) const STUI: &str = "/opt/stui/bin/stui";
/// The plugin's address in the pane's configuration.
pub(crate) const WASM: &str = "file:/opt/stui/stui.wasm";

/// A pane and the plugin instance in it.
pub(crate) struct Pane {
    pub(crate) host: PluginHost,
    instance: Instance,
    commands: Vec<PluginCommand>,
    size: (u16, u16),
}

impl Pane {
    /// A pane that was just opened: loaded, not yet permitted.
    pub(crate) fn opened(role: Role) -> Pane {
        let ids = PluginIds {
            plugin_id: 3,
            zellij_pid: 4711,
            initial_cwd: PathBuf::from("/"),
            client_id: 1,
        };
        let configuration = [("role", role.word()), ("stui", STUI), ("wasm", WASM)];
        let host = PluginHost::load(&PluginHost::built(), &configuration, ids)
            .unwrap_or_else(|error| panic!("{error}"));
        Pane {
            host,
            instance: Instance(String::new()),
            commands: Vec::new(),
            size: (80, 24),
        }
    }

    /// A pane whose permission was given.
    pub(crate) fn permitted(role: Role) -> Pane {
        let mut pane = Pane::opened(role);
        pane.event(Event::PermissionRequestResult(PermissionStatus::Granted));
        pane
    }

    /// A pane that a sidecar has greeted.
    pub(crate) fn greeted(role: Role) -> Pane {
        let mut pane = Pane::permitted(role);
        pane.pipe(DOWN, Some("hello\n"));
        let said = pane.said();
        let hello = said
            .iter()
            .find(|down| matches!(down.said, FromPane::Hello { .. }))
            .unwrap_or_else(|| panic!("no hello in {said:?}"));
        pane.instance = hello.from.clone();
        pane.tell(&welcome("one", 0));
        pane
    }

    /// A workspace that shows a document of these lines.
    pub(crate) fn workspace(lines: &[&str]) -> Pane {
        let mut pane = Pane::greeted(Role::Workspace);
        pane.frame();
        pane.show(1, 0, lines);
        pane.said();
        pane
    }

    /// Show a window of the document.
    pub(crate) fn show(&mut self, rev: u64, first: u32, lines: &[&str]) {
        self.show_part(rev, first, first + lines.len() as u32, lines);
    }

    /// Show a window of a document with so many lines.
    pub(crate) fn show_part(&mut self, rev: u64, first: u32, total: u32, lines: &[&str]) {
        self.tell(&ToPane::Window {
            session: SESSION,
            rev,
            first,
            total,
            lines: lines
                .iter()
                .map(|text| Line {
                    text: (*text).to_owned(),
                    from: 0,
                    length: None,
                })
                .collect(),
        });
    }

    /// Draw at this size from now on.
    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        self.size = (columns, rows);
    }

    /// Hand over an event.
    pub(crate) fn event(&mut self, event: Event) {
        self.host
            .update(event)
            .unwrap_or_else(|error| panic!("{error}"));
        self.commands.extend(self.host.take_commands());
    }

    /// Hand over a line of a pipe; none: its end.
    pub(crate) fn pipe(&mut self, name: &str, payload: Option<&str>) {
        let message = PipeMessage {
            source: PipeSource::Cli(format!("{name}-id")),
            name: name.to_owned(),
            payload: payload.map(str::to_owned),
            args: std::collections::BTreeMap::new(),
            is_private: true,
        };
        self.host
            .pipe(message)
            .unwrap_or_else(|error| panic!("{error}"));
        self.commands.extend(self.host.take_commands());
    }

    /// A message from the sidecar to this instance.
    pub(crate) fn tell(&mut self, message: &ToPane) {
        let line = up_line(Some(&self.instance), message).expect("a message has a JSON form");
        self.pipe(UP, Some(&line));
    }

    /// Press a key without modifiers.
    pub(crate) fn press(&mut self, key: BareKey) {
        self.event(Event::Key(KeyWithModifier::new(key)));
    }

    /// Press a letter with Ctrl.
    pub(crate) fn ctrl(&mut self, letter: char) {
        let key = KeyWithModifier::new(BareKey::Char(letter)).with_ctrl_modifier();
        self.event(Event::Key(key));
    }

    /// Type a text, key by key.
    pub(crate) fn type_text(&mut self, text: &str) {
        for c in text.chars() {
            self.press(if c == '\n' {
                BareKey::Enter
            } else {
                BareKey::Char(c)
            });
        }
    }

    /// What Zellij was told since this was last asked.
    pub(crate) fn commands(&mut self) -> Vec<PluginCommand> {
        std::mem::take(&mut self.commands)
    }

    /// What the sidecar was told since this was last asked, on the pipe that is for it.
    pub(crate) fn said(&mut self) -> Vec<Down> {
        let mut said = Vec::new();
        self.commands.retain(|command| {
            let PluginCommand::CliPipeOutput(pipe, output) = command else {
                return true;
            };
            assert_eq!(pipe, &format!("{DOWN}-id"), "only {DOWN} is read");
            assert!(output.len() <= MAX_LINE, "a line of {} bytes", output.len());
            assert!(output.ends_with('\n'), "a line ends: {output:?}");
            for line in output.lines() {
                said.push(serde_json::from_str(line).expect("the line is a message"));
            }
            false
        });
        said
    }

    /// The acts among what the sidecar was told, with their numbers.
    pub(crate) fn acts(&mut self) -> Vec<(u64, Act)> {
        self.said()
            .into_iter()
            .filter_map(|down| match down.said {
                FromPane::Act { seq, act, .. } => Some((seq, act)),
                _ => None,
            })
            .collect()
    }

    /// The text that the edits among the acts insert, one after the other.
    pub(crate) fn typed(&mut self) -> String {
        self.acts()
            .into_iter()
            .map(|(_, act)| match act {
                Act::Edit { edit, .. } => edit.text,
                other => panic!("not an edit: {other:?}"),
            })
            .collect()
    }

    /// What the pane shows, as text.
    pub(crate) fn frame(&mut self) -> String {
        let (columns, rows) = self.size;
        let screen = self
            .host
            .screen(rows, columns)
            .unwrap_or_else(|error| panic!("{error}"));
        self.commands.extend(self.host.take_commands());
        let text: Vec<String> = screen
            .rows(0, columns)
            .map(|row| row.trim_end().to_owned())
            .collect();
        text.join("\n")
    }
}

/// The greeting of a sidecar that has carried out this instance's acts up to `acked`.
pub(crate) fn welcome(sidecar: &str, acked: u64) -> ToPane {
    ToPane::Welcome {
        version: VERSION,
        sidecar: sidecar.to_owned(),
        acked,
        session: SESSION,
        status: Status {
            session: "main".to_owned(),
            image: "embedded".to_owned(),
            sessions: 1,
            images: 1,
            link: stui_protocol::pane::Link::Connected,
            dialect: "Embedded 0.1.0".to_owned(),
            endpoint: "tcp://127.0.0.1:5555".to_owned(),
            busy: false,
            running: 0,
            clients: 1,
            ..Status::default()
        },
    }
}

/// The span between two places of a line.
pub(crate) fn span(line: u32, from: u32, to: u32) -> Span {
    Span {
        start: Pos::new(line, from),
        end: Pos::new(line, to),
    }
}

//! A pane on a desk: keys in, the screen as text out, with an honest sidecar of a few lines behind it.
//!
//! In a screen's text the cursor is `‸` before its cell, and what is selected stands in `«»`.

use std::collections::{BTreeMap, VecDeque};

use ratatui_core::style::Modifier;
use stui_plugin::io::{Effect, Input, Outcome, Size};
use stui_plugin::pane::{Identity, Pane};
use stui_plugin::text;
use stui_protocol::change::{Change, pass};
use stui_protocol::pane::{
    Act, Down, Edit, FromPane, Instance, Line, Link, MAX_SLICE, Pos, SessionKey, Status, ToPane,
    VERSION, up_line,
};

/// The session that the desk's pane shows at first.
pub(crate) const SESSION: SessionKey = SessionKey(1);

/// What the sidecar does with a document, as far as one pane can tell.
pub(crate) struct Sidecar {
    pub(crate) document: String,
    /// The version of what it tells.
    pub(crate) version: u32,
    /// The session that it shows the pane.
    pub(crate) session: SessionKey,
    rev: u64,
    /// What others did, with the revision, as it is made in the pane's text.
    unseen: Vec<(u64, Change)>,
    acked: u64,
    instance: Instance,
    /// Lines to the pane that were not yet delivered.
    outgoing: VecDeque<String>,
    /// Whether they wait for [`Desk::deliver`].
    pub(crate) slow: bool,
    /// Everything that the pane said, newest last.
    pub(crate) heard: Vec<FromPane>,
}

impl Sidecar {
    /// A sidecar that came after another: it has carried out the pane's acts up to `acked`, which led
    /// to revision `rev`.
    pub(crate) fn set_acked(&mut self, acked: u64, rev: u64) {
        self.acked = acked;
        self.rev = rev;
    }

    fn total(&self) -> u32 {
        self.document.split('\n').count() as u32
    }

    fn tell(&mut self, message: &ToPane) {
        let line = up_line(Some(&self.instance), message).unwrap();
        self.outgoing.push_back(line);
    }

    fn apply(&mut self, edit: Edit, by: Option<Instance>, seq: u64) {
        let byte = |pos: Pos| {
            let mut lines = self.document.split('\n');
            let before: usize = lines
                .by_ref()
                .take(pos.line as usize)
                .map(|line| line.len() + 1)
                .sum();
            before + text::byte_at(lines.next().unwrap(), pos.column)
        };
        let range = byte(edit.span.start)..byte(edit.span.end);
        self.document.replace_range(range, &edit.text);
        self.rev += 1;
        self.tell(&ToPane::Edited {
            session: self.session,
            rev: self.rev,
            by,
            seq,
            edit,
            total: self.document.split('\n').count() as u32,
        });
    }

    fn hear(&mut self, down: Down) {
        self.heard.push(down.said.clone());
        match down.said {
            FromPane::Hello { .. } => {
                self.instance = down.from;
                self.tell(&ToPane::Welcome {
                    version: self.version,
                    sidecar: "desk".into(),
                    acked: self.acked,
                    session: self.session,
                    status: status(),
                });
            }
            FromPane::View {
                first,
                count,
                column,
                width,
                ..
            } => {
                let width = if count == 1 { MAX_SLICE as u32 } else { width };
                let mut room = LEAST_BYTES;
                let lines = self.document.split('\n');
                let lines = lines.skip(first as usize).take(count as usize);
                let lines = lines.map(|line| slice(line, column, width));
                let fits = |line: &Line| {
                    let had = room;
                    room = room.saturating_sub(line.text.len());
                    had > 0
                };
                let lines = lines.take_while(fits).collect();
                let (rev, total) = (self.rev, self.total());
                self.tell(&ToPane::Window {
                    session: self.session,
                    rev,
                    first,
                    total,
                    lines,
                });
            }
            FromPane::Act { seq, act, .. } => {
                assert!(seq <= self.acked + 1, "acts come in order");
                if seq <= self.acked {
                    return;
                }
                self.acked = seq;
                if let Act::Edit { rev, edit, .. } = act {
                    let mut change = Change::from(edit);
                    self.unseen.retain(|(number, _)| *number > rev);
                    for (_, other) in &mut self.unseen {
                        (*other, change) = pass(other, &change);
                    }
                    for edit in change.edits() {
                        self.apply(edit.clone(), Some(down.from.clone()), seq);
                    }
                } else {
                    self.tell(&ToPane::Acked { seq });
                }
            }
            _ => {}
        }
    }
}

/// How many bytes of lines a window has at least: an honest sidecar gives no more than it must.
const LEAST_BYTES: usize = 12 * 1024;

/// A line, or the slice of a long one around a column.
fn slice(line: &str, column: u32, width: u32) -> Line {
    let length = text::columns(line);
    let width = width.min(MAX_SLICE as u32);
    let from = column
        .min(length)
        .saturating_sub(width / 2)
        .min(length.saturating_sub(width));
    let slice = line.chars().skip(from as usize).take(width as usize);
    Line {
        text: slice.collect(),
        from,
        length: (length > width).then_some(length),
    }
}

/// A chain in which all is well.
pub(crate) fn status() -> Status {
    Status {
        session: "main".into(),
        image: "embedded".into(),
        sessions: 1,
        images: 1,
        link: Link::Connected,
        dialect: "Embedded 0.1.0".into(),
        endpoint: "tcp://127.0.0.1:5555".into(),
        clients: 1,
        ..Status::default()
    }
}

/// A pane and its sidecar.
pub(crate) struct Desk {
    pub(crate) pane: Pane,
    pub(crate) sidecar: Sidecar,
    pub(crate) size: Size,
    /// What was copied last.
    pub(crate) clipboard: String,
    /// Lines for Zellij's log.
    pub(crate) log: Vec<String>,
}

impl Desk {
    /// A pane that was just permitted; no sidecar has come yet.
    pub(crate) fn alone(configuration: &[(&str, &str)], columns: u16, rows: u16) -> Desk {
        let configuration: BTreeMap<String, String> = configuration
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let identity = Identity {
            plugin: 1,
            client: 1,
            nonce: 7,
            zellij_pid: 4711,
            zellij_version: "0.45.1".into(),
        };
        let (pane, _) = Pane::new(&configuration, identity);
        let mut desk = Desk {
            pane,
            sidecar: Sidecar {
                document: String::new(),
                version: VERSION,
                session: SESSION,
                rev: 0,
                unseen: Vec::new(),
                acked: 0,
                instance: Instance::new(1, 1, 7),
                outgoing: VecDeque::new(),
                slow: false,
                heard: Vec::new(),
            },
            size: Size { rows, columns },
            clipboard: String::new(),
            log: Vec::new(),
        };
        desk.input(Input::Size(desk.size));
        desk.input(Input::Permission { granted: true });
        desk
    }

    /// A pane whose sidecar is there.
    pub(crate) fn role(role: &str, columns: u16, rows: u16) -> Desk {
        let mut desk = Desk::alone(&[("role", role), ("stui", "/stui")], columns, rows);
        desk.connect();
        desk
    }

    /// A workspace on a document, 40 columns wide and 10 rows high.
    pub(crate) fn workspace(document: &str) -> Desk {
        let mut desk = Desk::alone(&[("role", "workspace"), ("stui", "/stui")], 40, 10);
        document.clone_into(&mut desk.sidecar.document);
        desk.connect();
        desk
    }

    /// A sidecar comes.
    pub(crate) fn connect(&mut self) {
        self.input(Input::DownOpened {
            pipe: "down".into(),
        });
    }

    pub(crate) fn input(&mut self, input: Input) {
        let outcome = self.pane.update(input);
        self.take(outcome);
        if !self.sidecar.slow {
            self.deliver();
        }
    }

    /// Deliver what the sidecar says until it has nothing more to say.
    pub(crate) fn deliver(&mut self) {
        while let Some(line) = self.sidecar.outgoing.pop_front() {
            let outcome = self.pane.update(Input::Line(line));
            self.take(outcome);
        }
    }

    /// Deliver the next thing that the sidecar says.
    pub(crate) fn deliver_next(&mut self) {
        if let Some(line) = self.sidecar.outgoing.pop_front() {
            let outcome = self.pane.update(Input::Line(line));
            self.take(outcome);
        }
    }

    fn take(&mut self, outcome: Outcome) {
        for effect in outcome.effects {
            match effect {
                Effect::Say { line, .. } => self.sidecar.hear(serde_json::from_str(&line).unwrap()),
                Effect::Copy(text) => self.clipboard = text,
                Effect::Log(line) => self.log.push(line),
                _ => {}
            }
        }
    }

    /// The sidecar says something.
    pub(crate) fn tell(&mut self, message: &ToPane) {
        self.sidecar.tell(message);
        if !self.sidecar.slow {
            self.deliver();
        }
    }

    /// A second goes by.
    pub(crate) fn tick(&mut self) {
        self.input(Input::Tick(1.0));
    }

    /// Whether a cell of the screen is underlined.
    pub(crate) fn is_underlined(&self, x: u16, y: u16) -> bool {
        let frame = self.pane.view(self.size);
        let cell = &frame.buffer.content[usize::from(y * self.size.columns + x)];
        cell.modifier.contains(Modifier::UNDERLINED)
    }

    /// Somebody else edits.
    pub(crate) fn other_edits(&mut self, edit: Edit) {
        self.sidecar_edits(edit, None);
    }

    /// Somebody else edits, of whom it is said who he is.
    pub(crate) fn sidecar_edits(&mut self, edit: Edit, by: Option<Instance>) {
        self.sidecar.apply(edit.clone(), by, 0);
        self.sidecar.unseen.push((self.sidecar.rev, edit.into()));
        if !self.sidecar.slow {
            self.deliver();
        }
    }

    /// Press keys, named and separated by commas; what stands in quotes is typed.
    pub(crate) fn press(&mut self, keys: &str) -> &mut Desk {
        for key in keys.split(", ") {
            if let Some(text) = key
                .strip_prefix('\'')
                .and_then(|key| key.strip_suffix('\''))
            {
                for c in text.chars() {
                    let key = c
                        .to_string()
                        .parse()
                        .unwrap_or_else(|_| "Space".parse().unwrap());
                    self.input(Input::Key(key));
                }
            } else {
                self.input(Input::Key(key.parse().unwrap()));
            }
        }
        self
    }

    /// The acts that the pane sent, edits aside.
    pub(crate) fn acts(&self) -> Vec<Act> {
        let acts = self.sidecar.heard.iter().filter_map(|said| match said {
            FromPane::Act {
                act: Act::Edit { .. },
                ..
            } => None,
            FromPane::Act { act, .. } => Some(act.clone()),
            _ => None,
        });
        acts.collect()
    }

    /// The screen's rows.
    pub(crate) fn rows(&self) -> Vec<String> {
        let frame = self.pane.view(self.size);
        let columns = usize::from(self.size.columns.max(1));
        let mut rows = Vec::new();
        for (y, cells) in frame.buffer.content.chunks(columns).enumerate() {
            let mut row = String::new();
            let mut selected = false;
            let mut x = 0;
            while let Some(cell) = cells.get(x) {
                let reversed = cell.modifier.contains(Modifier::REVERSED);
                if reversed != selected {
                    row.push(if reversed { '«' } else { '»' });
                    selected = reversed;
                }
                if frame.cursor == Some((x as u16, y as u16)) {
                    row.push('‸');
                }
                row.push_str(cell.symbol());
                x += text::width(cell.symbol()) as usize;
            }
            if selected {
                row.push('»');
            }
            rows.push(row.trim_end().to_owned());
        }
        rows
    }

    /// The first rows of a workspace's text, without the gutter.
    pub(crate) fn text(&self, rows: usize) -> String {
        let rows = self.rows().into_iter().take(rows);
        let rows: Vec<String> = rows
            .map(|row| match row.strip_prefix("  ") {
                Some(row) => row.to_owned(),
                None => row,
            })
            .collect();
        rows.join("\n").trim_end().to_owned()
    }

    /// The whole screen.
    pub(crate) fn screen(&self) -> String {
        self.rows().join("\n")
    }
}

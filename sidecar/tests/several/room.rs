//! Panes of several people and the hub, with pipes that deliver when told to.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use stui::hub::record::{Record, Snapshot};
use stui::hub::{Effect, Hub, Input as HubInput, To};
use stui_plugin::io::{Effect as PaneEffect, Input, Outcome, Size};
use stui_plugin::key::Key;
use stui_plugin::pane::{Identity, Pane};
use stui_protocol::pane::{Act, Down, Edit, FromPane, Instance, Pos, SessionKey, ToPane, up_line};

/// Somebody with a pane.
struct Person {
    pane: Pane,
    instance: Instance,
    /// Lines on their way to the pane, and to the hub.
    up: VecDeque<String>,
    down: VecDeque<String>,
    pipes: u32,
}

pub(crate) struct Room {
    hub: Hub,
    journal: Vec<Record>,
    sidecars: u64,
    people: Vec<Person>,
    typed: BTreeSet<char>,
    /// What somebody deleted of what was typed.
    deleted: BTreeSet<char>,
    may_wait: bool,
}

impl Room {
    /// So many people who all see a text.
    pub(crate) fn new(people: usize, text: &str) -> Room {
        let mut room = Room {
            hub: hub(0, Vec::new()),
            journal: Vec::new(),
            sidecars: 0,
            people: (0..people).map(person).collect(),
            typed: BTreeSet::new(),
            deleted: BTreeSet::new(),
            may_wait: false,
        };
        let writer = Down {
            from: Instance::new(9, 9, 9),
            said: FromPane::Act {
                seq: 1,
                session: SessionKey(1),
                act: Act::Edit {
                    rev: 0,
                    edit: Edit::insert(Pos::default(), text),
                    group: 1,
                },
            },
        };
        room.hub_hears(writer);
        for who in 0..people {
            room.input(
                who,
                Input::Size(Size {
                    rows: 40,
                    columns: 60,
                }),
            );
            room.input(who, Input::Permission { granted: true });
            room.open_pipes(who);
        }
        room.settle();
        room
    }

    /// From now on keys may wait for text.
    pub(crate) fn allow_waiting(&mut self) {
        self.may_wait = true;
    }

    /// Somebody types a character that nobody typed before; he sees it at once.
    pub(crate) fn types(&mut self, who: usize) {
        let c = char::from_u32(0x4e00 + self.typed.len() as u32).unwrap();
        self.typed.insert(c);
        self.press(who, &c.to_string());
        assert!(
            self.may_wait || self.seen_by(who).contains(c),
            "{c} is not there"
        );
    }

    /// Somebody presses a key.
    pub(crate) fn press(&mut self, who: usize, key: &str) {
        let before = self.seen_by(who);
        let key: Key = key.parse().unwrap();
        self.input(who, Input::Key(key));
        let editor = self.people[who].pane.editor().unwrap();
        assert!(self.may_wait || !editor.is_waiting(), "{who} has to wait");
        let after = self.seen_by(who);
        let gone = before.chars().filter(|c| !after.contains(*c));
        self.deleted.extend(gone);
    }

    /// Lines from the sidecar arrive at a pane.
    pub(crate) fn hear(&mut self, who: usize, lines: usize) {
        for _ in 0..lines {
            let Some(line) = self.people[who].up.pop_front() else {
                return;
            };
            self.input(who, Input::Line(line));
        }
    }

    /// What a pane said arrives at the sidecar.
    pub(crate) fn tell(&mut self, who: usize, lines: usize) {
        for _ in 0..lines {
            let Some(line) = self.people[who].down.pop_front() else {
                return;
            };
            self.hub_hears(serde_json::from_str(&line).unwrap());
        }
    }

    /// Everything under way is lost, and new pipes are opened.
    pub(crate) fn lose_pipes(&mut self, who: usize) {
        let person = &mut self.people[who];
        person.up.clear();
        person.down.clear();
        let pipe = format!("down-{}", person.pipes);
        self.input(who, Input::DownClosed { pipe });
        self.open_pipes(who);
    }

    /// Another sidecar takes over what is in the journal.
    pub(crate) fn kill_sidecar(&mut self) {
        self.sidecars += 1;
        // as it would be read from the disk
        let records = serde_json::to_string(&self.journal).unwrap();
        self.hub = hub(self.sidecars, serde_json::from_str(&records).unwrap());
        for who in 0..self.people.len() {
            self.lose_pipes(who);
        }
    }

    /// Everything arrives.
    pub(crate) fn settle(&mut self) {
        for _ in 0..100 {
            for who in 0..self.people.len() {
                self.tell(who, usize::MAX);
                self.input(who, Input::Tick(1.0));
                self.hear(who, usize::MAX);
            }
            let quiet = |person: &Person| {
                let waits = person
                    .pane
                    .editor()
                    .is_some_and(stui_plugin::editor::Editor::is_waiting);
                person.up.is_empty() && person.down.is_empty() && !waits
            };
            if self.people.iter().all(quiet) {
                return;
            }
        }
        panic!("it does not come to rest");
    }

    /// All panes show the hub's text, with their cursors in it.
    pub(crate) fn everybody_sees_the_text(&self) {
        let text = self.text();
        let lines: Vec<&str> = text.split('\n').collect();
        for (who, person) in self.people.iter().enumerate() {
            let editor = person.pane.editor().unwrap();
            let window = editor.window();
            assert_eq!(
                window.total() as usize,
                lines.len(),
                "lines of {who} in {text:?}"
            );
            assert!(window.end() > window.first(), "{who} sees nothing");
            for number in window.first()..window.end() {
                let line = window.line(number).unwrap();
                assert_eq!(
                    line.text(),
                    lines[number as usize],
                    "line {number} of {who}"
                );
            }
            let selection = editor.selection();
            for pos in [editor.cursor(), selection.start, selection.end] {
                let line = lines
                    .get(pos.line as usize)
                    .map(|line| line.chars().count());
                assert!(
                    line.is_some_and(|length| pos.column as usize <= length),
                    "{pos:?} of {who} is not in {text:?}"
                );
            }
        }
    }

    /// What was typed and by nobody deleted is there, and nothing else of what was typed.
    pub(crate) fn holds_what_was_typed_and_not_deleted(&self) {
        let text = self.text();
        for c in &self.typed {
            let there = text.contains(*c);
            assert_eq!(there, !self.deleted.contains(c), "{c} in {text:?}");
        }
    }

    fn text(&self) -> String {
        self.hub.sessions().next().unwrap().text()
    }

    fn seen_by(&self, who: usize) -> String {
        let window = self.people[who].pane.editor().unwrap().window();
        let lines = window.first()..window.end();
        let lines: Vec<&str> = lines
            .filter_map(|number| Some(window.line(number)?.text()))
            .collect();
        lines.join("\n")
    }

    fn open_pipes(&mut self, who: usize) {
        self.people[who].pipes += 1;
        let pipe = format!("down-{}", self.people[who].pipes);
        self.input(who, Input::DownOpened { pipe });
    }

    fn input(&mut self, who: usize, input: Input) {
        let person = &mut self.people[who];
        let outcome = person.pane.update(input);
        person.takes(outcome);
    }

    fn hub_hears(&mut self, down: Down) {
        let Down { from, said } = down;
        for effect in self.hub.handle(HubInput::Pane { from, said }) {
            match effect {
                Effect::Record(record) => self.journal.push(record),
                Effect::Tell(to, message) => self.send(&to, &message),
                _ => {}
            }
        }
    }

    fn send(&mut self, to: &To, message: &ToPane) {
        for person in &mut self.people {
            let target = match to {
                To::One(one) if *one != person.instance => continue,
                To::One(one) => Some(one),
                _ => None,
            };
            person.up.push_back(up_line(target, message).unwrap());
        }
    }
}

impl Person {
    fn takes(&mut self, outcome: Outcome) {
        for effect in outcome.effects {
            match effect {
                PaneEffect::Say { line, .. } => self.down.push_back(line),
                PaneEffect::Log(line) => panic!("a pane complains: {line}"),
                _ => {}
            }
        }
    }
}

fn hub(sidecar: u64, records: Vec<Record>) -> Hub {
    let name = format!("sidecar-{sidecar}");
    let images = [("embedded".to_owned(), "embedded".to_owned())];
    Hub::restored(name, sidecar.into(), images, Snapshot::default(), records)
}

fn person(number: usize) -> Person {
    let configuration = [("role", "workspace"), ("stui", "/stui")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()));
    let client = number as u16 + 1;
    let identity = Identity {
        plugin: 1,
        client,
        nonce: 7,
        zellij_pid: 4711,
        zellij_version: "0.45.1".into(),
    };
    let (pane, _) = Pane::new(&BTreeMap::from(configuration), identity);
    Person {
        pane,
        instance: Instance::new(1, client, 7),
        up: VecDeque::new(),
        down: VecDeque::new(),
        pipes: 0,
    }
}

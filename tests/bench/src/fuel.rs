//! What the plugin costs in Zellij's interpreter: instructions per frame and per key, counted in the
//! real `.wasm`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use stui_plugin_host::PluginHost;
use stui_plugin_host::data::{
    BareKey, Event, KeyWithModifier, PermissionStatus, PipeMessage, PipeSource, PluginCommand,
    PluginIds,
};
use stui_protocol::pane::{
    DOWN, Down, InspectorView, Instance, Line, Link, Role, Row, SessionKey, Status, ToPane, UP,
    VERSION, up_line,
};

/// The session that the pane shows.
const SESSION: SessionKey = SessionKey(1);

/// Sizes of the pane that is drawn, in columns and rows.
const SIZES: [(u16, u16); 3] = [(48, 17), (80, 24), (200, 50)];

/// Measure and print.
pub(crate) fn measure() -> Result<()> {
    for (columns, rows) in SIZES {
        let mut pane = Pane::open(Role::Workspace)?;
        pane.frame(columns, rows)?;
        let lines: Vec<Line> = (0..u32::from(rows))
            .map(|n| Line {
                text: format!(
                    "collection{n} inject: {n} into: [ :sum :each | sum + each ] \"{n}\""
                ),
                from: 0,
                length: None,
            })
            .collect();
        let total = lines.len() as u32;
        let window = pane.tell(&ToPane::Window {
            session: SESSION,
            rev: 1,
            first: 0,
            total,
            lines,
        })?;
        let frame = pane.frame(columns, rows)?;
        let x = || Event::Key(KeyWithModifier::new(BareKey::Char('x')));
        // wasmi translates a function when it is first called, and that takes fuel too
        for _ in 0..3 {
            pane.event(x())?;
            pane.frame(columns, rows)?;
        }
        let key = pane.event(x())?;
        let after = pane.frame(columns, rows)?;
        println!(
            "  workspace {columns:>3}x{rows:<3} window in {:>10}  frame {:>10}  key {:>10}  and its frame {:>10}",
            grouped(window),
            grouped(frame),
            grouped(key),
            grouped(after)
        );

        let mut pane = Pane::open(Role::Inspector)?;
        pane.frame(columns, rows)?;
        let view = pane.tell(&ToPane::Inspector {
            session: SESSION,
            view: inspected(rows),
        })?;
        let frame = pane.frame(columns, rows)?;
        println!(
            "  inspector {columns:>3}x{rows:<3} view in   {:>10}  frame {:>10}",
            grouped(view),
            grouped(frame)
        );
    }
    Ok(())
}

fn inspected(rows: u16) -> InspectorView {
    InspectorView {
        shown: 1,
        trail: vec!["an OrderedCollection".to_owned()],
        class_name: "OrderedCollection".to_owned(),
        print_string: "an OrderedCollection(1 2 3)".to_owned(),
        views: ["Raw", "Items", "Print"].map(str::to_owned).to_vec(),
        view: 1,
        text: false,
        select: None,
        total: 1_000_000,
        first: 0,
        rows: (1..=rows)
            .map(|n| Row {
                name: n.to_string(),
                value: format!("'element {n}'"),
                class_name: "ByteString".to_owned(),
                has_children: true,
            })
            .collect(),
    }
}

/// A pane that a sidecar has greeted.
struct Pane {
    host: PluginHost,
    instance: Option<Instance>,
}

impl Pane {
    fn open(role: Role) -> Result<Pane> {
        let ids = PluginIds {
            plugin_id: 1,
            zellij_pid: 1,
            initial_cwd: PathBuf::from("/"),
            client_id: 1,
        };
        let configuration = [
            ("role", role.word()),
            ("stui", "/stui"),
            ("wasm", "file:/stui.wasm"),
        ];
        let host = PluginHost::load(&PluginHost::built(), &configuration, ids)?;
        let mut pane = Pane {
            host,
            instance: None,
        };
        pane.event(Event::PermissionRequestResult(PermissionStatus::Granted))?;
        pane.host.take_commands();
        pane.pipe(DOWN, "hello\n")?;
        let said = pane
            .host
            .take_commands()
            .into_iter()
            .find_map(|command| match command {
                PluginCommand::CliPipeOutput(_, line) => {
                    serde_json::from_str::<Down>(line.trim()).ok()
                }
                _ => None,
            });
        pane.instance = Some(said.context("the plugin does not say hello")?.from);
        pane.tell(&ToPane::Welcome {
            version: VERSION,
            sidecar: "bench".to_owned(),
            acked: 0,
            session: SESSION,
            status: Status {
                link: Link::Connected,
                dialect: "Embedded".to_owned(),
                ..Status::default()
            },
        })?;
        Ok(pane)
    }

    /// The fuel of an event.
    fn event(&mut self, event: Event) -> Result<u64> {
        self.host.update(event)?;
        Ok(self.host.spent().fuel)
    }

    /// The fuel of a message from the sidecar.
    fn tell(&mut self, message: &ToPane) -> Result<u64> {
        let line = up_line(self.instance.as_ref(), message)?;
        self.pipe(UP, &line)
    }

    fn pipe(&mut self, name: &str, line: &str) -> Result<u64> {
        self.host.pipe(PipeMessage {
            source: PipeSource::Cli(format!("{name}-id")),
            name: name.to_owned(),
            payload: Some(line.to_owned()),
            args: BTreeMap::new(),
            is_private: true,
        })?;
        Ok(self.host.spent().fuel)
    }

    /// The fuel of a frame.
    fn frame(&mut self, columns: u16, rows: u16) -> Result<u64> {
        self.host.render(rows, columns)?;
        Ok(self.host.spent().fuel)
    }
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1234), "1 234");
        assert_eq!(grouped(1_234_567), "1 234 567");
    }
}

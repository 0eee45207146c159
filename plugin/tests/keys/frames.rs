//! Whole panes at their sizes.

use stui_plugin::command::{self, Where};
use stui_plugin::io::{Effect, Input, Mouse, Permission, Size};
use stui_plugin::pane::{Identity, Pane};
use stui_protocol::pane::{Act, Level, Link, Role, Status, ToPane};

use crate::desk::{Desk, SESSION, status};

const CODE: &str = "\"Squares\"\n(1 to: 5) collect: [ :x | x squared ]";

fn workspace(columns: u16, rows: u16) -> Desk {
    let mut desk = Desk::role("workspace", columns, rows);
    desk.press("'x'");
    desk.input(Input::Paste(CODE.to_owned()));
    desk.press("Ctrl Home, Delete");
    desk
}

#[test]
fn at_80_by_24_a_workspace_has_text_and_hints() {
    let desk = workspace(80, 24);
    let rows = desk.rows();
    assert_eq!(rows[0], "  ‸\"Squares\"");
    assert_eq!(rows[1], "  (1 to: 5) collect: [ :x | x squared ]");
    assert_eq!(rows[2..23], [""; 21]);
    assert_eq!(
        rows[23],
        "● Embedded 0.1.0       Ctrl e print it  Ctrl d do it  Ctrl l inspect it  F1 keys"
    );
}

#[test]
fn at_40_by_10_what_does_not_fit_is_scrolled() {
    let mut desk = workspace(40, 10);
    desk.press("Down, End, ' inject: 0'");
    assert_eq!(
        desk.rows()[..2],
        ["", "  collect: [ :x | x squared ] inject: 0‸"].map(str::to_owned)
    );
    desk.press("Home");
    assert_eq!(desk.rows()[1], "  ‸(1 to: 5) collect: [ :x | x squared ]");
    assert_eq!(desk.rows()[9], "● Embedded      Ctrl e print it  F1 keys");
}

#[test]
fn at_200_by_50_nothing_is_lost() {
    let desk = workspace(200, 50);
    assert_eq!(desk.rows()[1], "  (1 to: 5) collect: [ :x | x squared ]");
    assert!(desk.rows()[49].ends_with("F1 keys"));
    assert_eq!(desk.rows()[49].chars().count(), 200);
}

#[test]
fn at_12_columns_the_text_has_them_all() {
    let desk = workspace(12, 6);
    assert_eq!(desk.rows()[..2], ["‸\"Squares\"", "(1 to: 5) co"]);
    assert_eq!(desk.rows()[5], "● Embedded");
}

#[test]
fn every_pane_draws_itself_at_every_size() {
    for role in ["workspace", "inspector", "transcript"] {
        for columns in (0..30).chain([77, 300]) {
            for rows in (0..12).chain([77]) {
                let mut desk = workspace_or(role, columns, rows);
                for keys in ["F1", "PageDown", "Esc", "End", "Up"] {
                    desk.press(keys);
                    let frame = desk.pane.view(desk.size);
                    assert_eq!(
                        frame.buffer.content.len(),
                        usize::from(columns) * usize::from(rows)
                    );
                }
            }
        }
    }
}

fn workspace_or(role: &str, columns: u16, rows: u16) -> Desk {
    if role == "workspace" {
        workspace(columns, rows)
    } else {
        Desk::role(role, columns, rows)
    }
}

#[test]
fn an_empty_workspace_invites_to_type_until_something_is_typed() {
    let mut desk = Desk::role("workspace", 80, 24);
    assert!(
        desk.rows()[0].contains("Type Smalltalk here"),
        "{}",
        desk.screen()
    );
    assert!(
        desk.rows()[1].contains("Ctrl e prints the answer"),
        "{}",
        desk.screen()
    );
    desk.press("'3'");
    assert_eq!(desk.rows()[..2], ["  3‸", ""]);
}

#[test]
fn the_help_shows_every_key_of_the_pane_and_goes_away() {
    let mut desk = Desk::role("workspace", 100, 50);
    desk.press("F1");
    let help = desk.screen();
    let words: Vec<&str> = help.split_whitespace().collect();
    let words = words.join(" ");
    for entry in command::TABLE {
        let known = entry.place.includes(Role::Workspace);
        let elsewhere = matches!(entry.place, Where::In(role) if role != Role::Workspace);
        let shown = words.contains(entry.about);
        assert!(shown || !known, "{} is missing\n{help}", entry.name);
        assert!(
            !shown || !elsewhere,
            "{} is not for here\n{help}",
            entry.name
        );
    }
    desk.press("'x', Esc");
    assert_eq!(
        desk.sidecar.document, "",
        "keys are not typed while the help is shown"
    );
    desk.press("'x'");
    assert_eq!(desk.sidecar.document, "x");
}

#[test]
fn the_status_line_says_how_the_chain_stands() {
    let mut desk = Desk::role("workspace", 80, 10);
    for (link, busy, words) in [
        (Link::Connecting, false, "◌ connecting"),
        (
            Link::Starting {
                what: "Preparing the Pharo image takes a minute.".into(),
            },
            false,
            "◌ starting Smalltalk",
        ),
        (
            Link::Reconnecting {
                attempt: 3,
                reason: "The server closed the connection.".into(),
            },
            false,
            "◌ reconnecting (3)",
        ),
        (
            Link::Failed {
                reason: "The key is wrong; start the server anew.".into(),
            },
            false,
            "✗ no server",
        ),
        (Link::Connected, false, "● Embedded 0.1.0"),
        (Link::Connected, true, "◐ busy (Embedded 0.1.0)"),
    ] {
        let mut state = status();
        state.busy = busy;
        state.link = link.clone();
        state.clients = 2;
        desk.tell(&ToPane::Status {
            session: SESSION,
            status: state,
        });
        assert!(desk.rows()[9].starts_with(words), "{}", desk.screen());
        assert!(desk.rows()[9].contains("2 people"));
        if let Link::Reconnecting { reason, .. }
        | Link::Failed { reason }
        | Link::Starting { what: reason } = link
        {
            assert_eq!(desk.rows()[8], reason);
        }
    }
}

#[test]
fn a_pipe_that_is_being_replaced_is_nothing_to_tell() {
    let mut desk = Desk::role("inspector", 80, 10);
    let before = desk.screen();
    desk.sidecar.slow = true;
    desk.input(Input::DownOpened {
        pipe: "another".into(),
    });
    assert_eq!(desk.screen(), before);
    // but the sidecar has to be heard on it
    for _ in 0..4 {
        desk.input(Input::Tick(1.0));
    }
    assert!(desk.screen().contains("no sidecar"), "{}", desk.screen());
}

#[test]
fn a_silent_sidecar_is_looked_for_again_and_again_but_ever_more_rarely() {
    let mut desk = Desk::role("workspace", 80, 10);
    let mut looks = Vec::new();
    for second in 0..60 {
        let outcome = desk.pane.update(Input::Tick(1.0));
        let look = outcome
            .effects
            .iter()
            .any(|e| matches!(e, Effect::Summon(_)));
        if look {
            looks.push(second);
        }
    }
    assert!(looks[0] <= 8, "{looks:?}");
    assert!((3..10).contains(&looks.len()), "{looks:?}");
    assert!(desk.screen().contains("no sidecar"), "{}", desk.screen());
    desk.input(Input::Summoned {
        status: Some(1),
        said: "stui: the runtime directory is not yours\n".into(),
    });
    assert!(desk.screen().contains("the runtime directory is not yours"));
    desk.connect();
    assert!(desk.screen().contains("● Embedded"), "{}", desk.screen());
}

#[test]
fn one_pane_asks_for_all_and_says_why() {
    let identity = || Identity {
        plugin: 1,
        client: 1,
        nonce: 1,
        zellij_pid: 1,
        zellij_version: "0.45.1".into(),
    };
    let size = Size {
        rows: 20,
        columns: 60,
    };
    let pane = |role: &str| Pane::new(&[("role".to_owned(), role.to_owned())].into(), identity());
    let (_, outcome) = pane("workspace");
    let asked = Effect::Ask(vec![
        Permission::Pipes,
        Permission::Commands,
        Permission::Clipboard,
    ]);
    assert_eq!(outcome.effects, std::slice::from_ref(&asked));
    let (mut other, outcome) = pane("inspector");
    assert_eq!(outcome.effects, []);
    let frame = other.view(size);
    let words: String = frame
        .buffer
        .content
        .iter()
        .map(ratatui_core::buffer::Cell::symbol)
        .collect();
    assert!(
        words.contains("press y") && words.contains("to copy what you select"),
        "{words}"
    );
    assert_eq!(other.update(Input::OthersPermitted).effects, [asked]);
    assert_eq!(other.update(Input::OthersPermitted).effects, [], "once");
}

#[test]
fn the_readme_s_table_of_keys_is_the_table_of_commands() {
    let readme = include_str!("../../README.md");
    assert!(
        readme.contains(&command::markdown()),
        "put this table into plugin/README.md:\n\n{}",
        command::markdown()
    );
}

#[test]
fn while_something_runs_the_key_that_interrupts_it_is_shown_before_the_servers_name() {
    let mut desk = Desk::role("workspace", 46, 10);
    let mut status = status();
    status.dialect = "Embedded Smalltalk 0.1.0".into();
    let tell = |desk: &mut Desk, status: &Status| {
        desk.tell(&ToPane::Status {
            session: SESSION,
            status: status.clone(),
        });
        desk.rows()[9].clone()
    };
    assert_eq!(
        tell(&mut desk, &status),
        "● Embedded Smalltalk  Ctrl e print it  F1 keys"
    );
    status.running = 1;
    assert_eq!(
        tell(&mut desk, &status),
        format!("●  ▶ running{}Ctrl k interrupt  F1 keys", " ".repeat(9))
    );
    desk.size.columns = 30;
    desk.input(Input::Size(desk.size));
    assert_eq!(desk.rows()[9], "●  ▶ running  Ctrl k interrupt");
    desk.size.columns = 80;
    desk.input(Input::Size(desk.size));
    assert!(
        desk.rows()[9].starts_with("● Embedded Smalltalk 0.1.0  ▶ running"),
        "{}",
        desk.rows()[9]
    );
}

#[test]
fn the_keys_can_be_read_to_their_end_and_say_that_there_is_more() {
    let mut desk = Desk::role("workspace", 46, 12);
    desk.press("F1");
    let status = desk.rows()[11].clone();
    assert!(status.starts_with("Lines 1–11 of "), "{status}");
    assert!(status.ends_with("PageDown more  Esc closes"), "{status}");
    desk.press("End");
    assert!(
        desk.screen().contains("stui config example"),
        "{}",
        desk.screen()
    );
    assert!(
        desk.rows()[11].ends_with("PageUp back  Esc closes"),
        "{}",
        desk.screen()
    );
    let end = desk.screen();
    desk.press("Down, PageDown, Ctrl End");
    assert_eq!(desk.screen(), end, "there is nothing behind the end");
    desk.press("Home");
    assert!(
        desk.rows()[0].contains("Keys of the workspace"),
        "{}",
        desk.screen()
    );
    for _ in 0..60 {
        desk.input(Input::Mouse(Mouse::Scroll(3)));
    }
    assert_eq!(desk.screen(), end, "the wheel goes as far");
    desk.press("Home");
    let mut all = String::new();
    for _ in 0..20 {
        all += &desk.screen();
        desk.press("PageDown");
    }
    for words in [
        "Alt w",
        "Alt v",
        "Alt s",
        "Alt d",
        "bind_print_it",
        "keys { print_it",
    ] {
        assert!(all.contains(words), "{words}: {all}");
    }
    desk.press("Ctrl k");
    assert_eq!(
        desk.acts(),
        [Act::Interrupt],
        "and what runs can be interrupted"
    );
    desk.press("Esc");
    assert!(!desk.screen().contains("Esc closes"));
}

#[test]
fn a_message_that_has_no_room_is_shown_in_full_before_the_keys() {
    let mut desk = Desk::role("workspace", 46, 8);
    let words = "The server was lost, and what it held is gone. ".repeat(6);
    desk.tell(&ToPane::Notice {
        session: None,
        level: Level::Error,
        text: format!("{words}Alt s, then h runs the history again."),
    });
    assert!(
        desk.screen().contains("… (F1: all of it)"),
        "{}",
        desk.screen()
    );
    desk.press("F1, PageDown");
    let said = desk.screen();
    let said: Vec<&str> = said.split_whitespace().collect();
    let said = said.join(" ");
    assert!(said.contains("runs the history again."), "{said}");
    desk.press("Esc");
    assert!(
        !desk.screen().contains("The server was lost"),
        "it was read"
    );
}

#[test]
fn how_a_debugged_evaluation_ended_takes_the_place_of_its_error() {
    let mut desk = Desk::role("debugger", 60, 12);
    let mut said = |level, text: &str| {
        desk.tell(&ToPane::Notice {
            session: None,
            level,
            text: text.into(),
        });
        desk.screen()
    };
    said(Level::Error, "Error: negative (Alt d debugs it)");
    let shown = said(Level::Info, "It went on to its end: 120");
    assert!(shown.contains("It went on to its end: 120"), "{shown}");
    assert!(!shown.contains("negative"), "{shown}");
}

#[test]
fn the_welcome_of_an_empty_workspace_is_whole_in_a_narrow_pane() {
    let desk = Desk::role("workspace", 46, 12);
    let words = desk.text(6).replace('\n', " ");
    let words: Vec<&str> = words.split_whitespace().collect();
    let words = words.join(" ");
    assert!(words.contains("collect: [ :x | x squared ]"), "{words}");
    assert!(words.contains("F1 shows every key."), "{words}");
}

#[test]
fn a_pane_that_waits_says_so_when_the_user_said_no() {
    let configuration = [("role", "inspector"), ("stui", "/stui")];
    let identity = Identity {
        plugin: 2,
        client: 1,
        nonce: 7,
        zellij_pid: 4711,
        zellij_version: "0.45.1".into(),
    };
    let configuration = configuration.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let (mut pane, _) = Pane::new(&configuration.into(), identity);
    let shown = |pane: &Pane| {
        let frame = pane.view(Size {
            rows: 12,
            columns: 60,
        });
        let cells = frame
            .buffer
            .content
            .iter()
            .map(ratatui_core::buffer::Cell::symbol);
        cells.collect::<String>()
    };
    assert!(shown(&pane).contains("Zellij asks in the workspace pane"));
    pane.update(Input::OthersRefused(true));
    let refused = shown(&pane);
    assert!(
        refused.contains("was not given its permissions"),
        "{refused}"
    );
    pane.update(Input::OthersRefused(false));
    assert!(shown(&pane).contains("Zellij asks in the workspace pane"));
}

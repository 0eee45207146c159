//! The windows that float over the others, of sessions and of the debugger: gives them room, and brings the
//! debugger's up when a debugger that somebody asked for opens. With the `zellij` command, which needs none of
//! the permissions that a plugin would have to ask for.
//!
//! Zellij brings a window up for whoever pressed a key last. So the hub asks for it only while one person is attached:
//! keys that somebody else is typing must not go to a debugger.

use std::ffi::OsString;
use std::path::Path;

use stui_protocol::pane::{Instance, Role};

use crate::zellij::Zellij;

/// The name that STUI's layout gives to the debugger's pane; see `layouts/stui.kdl`.
const ALIAS: &str = "debugger";

/// Whether a layout's file names such a pane: Zellij would show an error in place of one that it does not know.
pub fn is_in(layout: &Path) -> bool {
    std::fs::read_to_string(layout).is_ok_and(|text| names_it(&text))
}

fn names_it(layout: &str) -> bool {
    let Ok(document) = crate::kdl_text::parse(layout) else {
        return false;
    };
    let plugins = document.get("plugins").and_then(kdl::KdlNode::children);
    plugins.is_some_and(|plugins| plugins.get(ALIAS).is_some())
}

/// Brings the debugger's window up.
pub fn bring_up(zellij: &Zellij, session: &str) {
    let words = [
        "launch-or-focus-plugin",
        "--floating",
        "--move-to-focused-tab",
        ALIAS,
    ];
    act(zellij, session, words.map(str::to_owned).to_vec());
}

/// How much of the screen a floating window takes, in percent: left, top, width, height. None of other panes.
fn room(role: Role) -> Option<[u32; 4]> {
    match role {
        // a stack, a source and variables
        Role::Debugger => Some([5, 5, 90, 90]),
        // at 80 columns the state of a session in full, with the reason it is in
        Role::Sessions => Some([5, 15, 90, 70]),
        Role::Workspace | Role::Inspector | Role::Transcript => None,
    }
}

/// Gives a window room that has come up: Zellij makes one half as wide and high as the screen, which shows one
/// frame of a stack in 24 rows, and 38 columns of a list. What the user makes of it while it is shown stays.
pub fn enlarge(zellij: &Zellij, session: &str, role: Role, instance: &Instance) {
    let (Some(plugin), Some(room)) = (instance.plugin(), room(role)) else {
        return;
    };
    let mut words = ["change-floating-pane-coordinates", "--pane-id"]
        .map(str::to_owned)
        .to_vec();
    words.push(format!("plugin_{plugin}"));
    for (name, percent) in ["--x", "--y", "--width", "--height"].iter().zip(room) {
        words.extend([(*name).to_owned(), format!("{percent}%")]);
    }
    act(zellij, session, words);
}

/// Has Zellij do something, on a thread of its own: it may be slow.
fn act(zellij: &Zellij, session: &str, mut words: Vec<String>) {
    let (zellij, session) = (zellij.clone(), session.to_owned());
    words.insert(0, "action".to_owned());
    let words: Vec<OsString> = words.into_iter().map(Into::into).collect();
    let started = std::thread::Builder::new()
        .name("windows".into())
        .spawn(move || {
            if let Err(error) = zellij.action(&session, &words, |_| true) {
                tracing::warn!(%error, "a floating window does not do as it should");
            }
        });
    if let Err(error) = started {
        tracing::warn!(%error, "no thread for a floating window");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_within_the_screen_and_for_windows_only() {
        for role in Role::ALL {
            let floats = matches!(role, Role::Debugger | Role::Sessions);
            assert_eq!(room(role).is_some(), floats);
            if let Some([x, y, width, height]) = room(role) {
                assert!(x + width <= 100 && y + height <= 100);
            }
        }
    }

    #[test]
    fn the_pane_is_in_stui_s_layout_and_not_in_any() {
        assert!(names_it(include_str!("../../layouts/stui.kdl")));
        assert!(!names_it("layout { pane; }"));
        assert!(!names_it(
            "layout { pane name=\"debugger\"; }\nplugins { sessions; }"
        ));
        assert!(!names_it("plugins {"));
        assert!(!names_it(&"a {".repeat(100_000)));
    }
}

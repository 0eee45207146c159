//! Brings the debugger's pane up when a debugger that somebody asked for opens, and gives it room: with the
//! `zellij` command, which needs none of the permissions that a plugin would have to ask for.
//!
//! Zellij brings it up for whoever pressed a key last. So the hub asks for it only while one person is attached:
//! keys that somebody else is typing must not go to a debugger.

use std::ffi::OsString;
use std::path::Path;

use stui_protocol::pane::Instance;

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

/// Brings it up.
pub fn bring_up(zellij: &Zellij, session: &str) {
    let words = [
        "launch-or-focus-plugin",
        "--floating",
        "--move-to-focused-tab",
        ALIAS,
    ];
    act(zellij, session, words.map(str::to_owned).to_vec());
}

/// Gives a new pane room: Zellij makes a floating pane half as wide and high as the screen, which shows one
/// frame of a stack in 24 rows. What the user makes of it later stays.
pub fn enlarge(zellij: &Zellij, session: &str, instance: &Instance) {
    let Some(plugin) = instance.plugin() else {
        return;
    };
    let pane = format!("plugin_{plugin}");
    let words = [
        "change-floating-pane-coordinates",
        "--pane-id",
        &pane,
        "--x",
        "5%",
        "--y",
        "5%",
        "--width",
        "90%",
        "--height",
        "90%",
    ];
    act(zellij, session, words.map(str::to_owned).to_vec());
}

/// Has Zellij do something, on a thread of its own: it may be slow.
fn act(zellij: &Zellij, session: &str, mut words: Vec<String>) {
    let (zellij, session) = (zellij.clone(), session.to_owned());
    words.insert(0, "action".to_owned());
    let words: Vec<OsString> = words.into_iter().map(Into::into).collect();
    let started = std::thread::Builder::new()
        .name("debugger pane".into())
        .spawn(move || {
            if let Err(error) = zellij.action(&session, &words, |_| true) {
                tracing::warn!(%error, "the debugger's pane does not do as it should");
            }
        });
    if let Err(error) = started {
        tracing::warn!(%error, "no thread for the debugger's pane");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

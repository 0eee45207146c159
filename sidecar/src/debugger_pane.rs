//! Brings the debugger's pane up when a debugger that somebody asked for opens: with the `zellij` command,
//! which needs none of the permissions that a plugin would have to ask for.
//!
//! Zellij does it for whoever pressed a key last. So the hub asks for it only while one person is attached:
//! keys that somebody else is typing must not go to a debugger.

use std::path::Path;

use kdl::KdlDocument;

use crate::zellij::Zellij;

/// The name that STUI's layout gives to the debugger's pane; see `layouts/stui.kdl`.
const ALIAS: &str = "debugger";

/// Whether a layout's file names such a pane: Zellij would show an error in place of one that it does not know.
pub fn is_in(layout: &Path) -> bool {
    std::fs::read_to_string(layout).is_ok_and(|text| names_it(&text))
}

fn names_it(layout: &str) -> bool {
    let Ok(document) = layout.parse::<KdlDocument>() else {
        return false;
    };
    let plugins = document.get("plugins").and_then(kdl::KdlNode::children);
    plugins.is_some_and(|plugins| plugins.get(ALIAS).is_some())
}

/// Brings it up, on a thread of its own: Zellij may be slow.
pub fn bring_up(zellij: &Zellij, session: &str) {
    let (zellij, session) = (zellij.clone(), session.to_owned());
    let started = std::thread::Builder::new()
        .name("debugger pane".into())
        .spawn(move || {
            let words = [
                "action",
                "launch-or-focus-plugin",
                "--floating",
                "--move-to-focused-tab",
                ALIAS,
            ];
            if let Err(error) = zellij.action(&session, &words.map(Into::into), |_| true) {
                tracing::warn!(%error, "the debugger's pane does not come up");
            }
        });
    if let Err(error) = started {
        tracing::warn!(%error, "no thread to bring the debugger's pane up");
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
    }
}

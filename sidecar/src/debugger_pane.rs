//! Brings the debugger's pane up when a debugger that somebody asked for opens: with the `zellij` command,
//! which needs none of the permissions that a plugin would have to ask for.
//!
//! Zellij does it for whoever pressed a key last. So the hub asks for it only while one person is attached:
//! keys that somebody else is typing must not go to a debugger.

use crate::zellij::Zellij;

/// The name that STUI's layout gives to the debugger's pane; see `layouts/stui.kdl`.
const ALIAS: &str = "debugger";

/// Brings it up, on a thread of its own: Zellij may be slow. Where the layout has no such pane, nothing
/// happens.
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

//! What the sidecar tells a pane.

use stui_protocol::debugger::WENT_ON;
use stui_protocol::pane::{FromPane, Level, SessionKey, ToPane, VERSION, split_up_line};

use super::{Body, Pane};
use crate::editor::Announced;
use crate::io::Outcome;
use crate::status::Message;

/// How long a switch waits for text that does not come, in seconds.
const LONGEST_SWITCH: f64 = 3.0;

/// The session that a message is about, its switching aside.
fn session_of(message: &ToPane) -> Option<SessionKey> {
    match message {
        ToPane::Probe { .. }
        | ToPane::Welcome { .. }
        | ToPane::Acked { .. }
        | ToPane::Sessions { .. } => None,
        ToPane::Notice { session, .. } => *session,
        ToPane::Status { session, .. }
        | ToPane::Window { session, .. }
        | ToPane::Edited { session, .. }
        | ToPane::Select { session, .. }
        | ToPane::Stand { session, .. }
        | ToPane::Marks { session, .. }
        | ToPane::LeftAt { session, .. }
        | ToPane::Cursors { session, .. }
        | ToPane::Clipboard { session, .. }
        | ToPane::Inspector { session, .. }
        | ToPane::MayHaveChanged { session }
        | ToPane::Debugger { session, .. }
        | ToPane::Transcript { session, .. } => Some(*session),
    }
}

impl Pane {
    /// A line from the sidecar; what cannot be read is logged and left.
    pub(super) fn line(&mut self, line: &str, out: &mut Outcome) {
        let before = self.link.standing();
        self.link.heard();
        let Some(json) = split_up_line(line, self.link.me()) else {
            out.redraw = self.link.standing() != before;
            return;
        };
        match serde_json::from_str::<ToPane>(json) {
            Ok(ToPane::Probe { n }) => {
                self.link.say(FromPane::Probed { n }, out);
                out.redraw = self.link.standing() != before;
            }
            Ok(message) => self.told(message, out),
            Err(error) => {
                let beginning: String = json.chars().take(80).collect();
                out.log(format!(
                    "a line from the sidecar was left out: {error}: {beginning}"
                ));
                if !self.link.is_live() {
                    self.link.misfits();
                }
                out.redraw = self.link.standing() != before;
            }
        }
    }

    /// Whether a switch has to wait, so that what was typed lands where it was typed.
    fn must_wait(&self) -> bool {
        match &self.body {
            Body::Workspace(editor) => editor.has_waiting(),
            _ => false,
        }
    }

    /// Switches, if that waited and need not any more.
    pub(super) fn catch_up(&mut self, out: &mut Outcome) {
        if let Some((message, waited)) = self.switch.take() {
            if self.must_wait() && waited < LONGEST_SWITCH {
                self.switch = Some((message, waited));
            } else {
                if let Body::Workspace(editor) = &mut self.body {
                    editor.begin();
                }
                self.told(message, out);
            }
        }
    }

    pub(super) fn told(&mut self, message: ToPane, out: &mut Outcome) {
        if let ToPane::Welcome {
            version, session, ..
        } = &message
        {
            if *version != VERSION {
                self.link.misfits();
                return;
            }
            self.switch = None;
            let known = self.link.session();
            if *session != known
                && known != SessionKey::default()
                && self.link.is_live()
                && self.must_wait()
            {
                self.switch = Some((message, 0.0));
                return;
            }
        }
        let link = &mut self.link;
        if let Some(session) = session_of(&message)
            && session != link.session()
        {
            out.redraw = false;
            return;
        }
        match (message, &mut self.body) {
            (
                ToPane::Welcome {
                    acked,
                    session,
                    status,
                    ..
                },
                body,
            ) => {
                if session != link.session() && link.session() != SessionKey::default() {
                    body.begin();
                    self.message = None;
                }
                if let Body::Workspace(editor) = body {
                    editor.welcomed(acked);
                }
                link.welcome(acked, session, status, out);
                if !self.has_room && self.settings.hides {
                    let role = self.settings.role;
                    self.has_room = link.say(FromPane::Room { role }, out);
                }
                match body {
                    Body::Workspace(_) => {}
                    Body::Sessions(sessions) => sessions.current(session),
                    Body::Debugger(debugger) => debugger.welcomed(),
                    Body::Inspector(inspector) => inspector.welcomed(link, out),
                    Body::Transcript(transcript) => transcript.welcomed(link, out),
                }
            }
            (ToPane::Sessions { list, now }, Body::Sessions(sessions)) => sessions.take(list, now),
            (ToPane::Status { status, .. }, _) => link.set_status(status),
            (ToPane::MayHaveChanged { .. }, Body::Inspector(inspector)) => {
                inspector.may_have_changed(link, out);
            }
            (ToPane::Acked { seq }, body) => {
                link.acked(seq);
                if let Body::Workspace(editor) = body {
                    editor.acked(link);
                }
                out.redraw = false;
            }
            (ToPane::Notice { level, text, .. }, _) => {
                let new = Message { level, text };
                let unread = self.message.take();
                let unread = unread.filter(|_| !new.text.starts_with(WENT_ON));
                self.message = Some(match unread.filter(|unread| unread.level == Level::Error) {
                    Some(unread) => unread.and(&new),
                    None => new,
                });
            }
            (
                ToPane::Stand {
                    rev,
                    anchor,
                    cursor,
                    ..
                },
                Body::Workspace(editor),
            ) => {
                editor.stand(rev, anchor, cursor);
                out.redraw = false;
            }
            (
                ToPane::Window {
                    rev,
                    first,
                    total,
                    lines,
                    ..
                },
                Body::Workspace(editor),
            ) => editor.take_window(rev, first, total, lines, link, out),
            (
                ToPane::Edited {
                    rev,
                    by,
                    seq,
                    edit,
                    total,
                    ..
                },
                Body::Workspace(editor),
            ) => {
                if edit.span.start > edit.span.end {
                    out.log("an edit that ends before it starts was left out");
                    return;
                }
                let announced = Announced {
                    rev,
                    by,
                    seq,
                    edit,
                    total,
                };
                out.redraw = editor.take_edit(announced, link, out);
            }
            (ToPane::Select { anchor, cursor, .. }, Body::Workspace(editor)) => {
                editor.select(anchor, cursor);
            }
            (ToPane::Marks { rev, marks, .. }, Body::Workspace(editor)) => editor.mark(rev, marks),
            (ToPane::LeftAt { cursor, .. }, Body::Workspace(editor)) => editor.open_at(cursor),
            (ToPane::Cursors { cursors, .. }, Body::Workspace(editor)) => {
                editor.take_cursors(cursors, link.me());
            }
            (
                ToPane::Clipboard {
                    text, truncated, ..
                },
                Body::Workspace(editor),
            ) => {
                editor.copied(text, truncated, out);
            }
            (ToPane::Inspector { view, .. }, Body::Inspector(inspector)) => inspector.take(view),
            (ToPane::Debugger { view, .. }, Body::Debugger(debugger)) => debugger.take(*view),
            (
                ToPane::Transcript {
                    first,
                    oldest,
                    end,
                    lines,
                    ..
                },
                Body::Transcript(transcript),
            ) => transcript.take(first, oldest, end, lines),
            _ => out.redraw = false,
        }
    }
}

//! What a pane looks like.

use stui_protocol::pane::{How, Level, MarkKind};

use super::{Body, Pane, Permitted};
use crate::canvas::{Canvas, Frame};
use crate::command::Command;
use crate::editor;
use crate::io::Size;
use crate::page;
use crate::prompt::Prompt;
use crate::status::{self, Foot, Message};
use crate::text;

impl Pane {
    /// The sentence for the message line: what was last said, behind an error marked in the text unless it
    /// is one itself; else what is wrong with the chain behind the pane.
    pub(super) fn shown_message(&self) -> Option<Message> {
        if self.help.is_some() {
            return self.message.clone();
        }
        let error = || match &self.body {
            Body::Workspace(editor) => editor.error().filter(|mark| !mark.text.is_empty()),
            _ => None,
        };
        let marked = || {
            error().map(|mark| {
                let at = mark.span.start;
                let word = match mark.kind {
                    MarkKind::CompileError => "Line",
                    _ => "Error in line",
                };
                Message::error(format!(
                    "{word} {}, column {}: {}",
                    at.line + 1,
                    at.column + 1,
                    mark.text
                ))
            })
        };
        if self.question().is_some() {
            return self.message.clone();
        }
        match (&self.message, marked()) {
            (Some(said), Some(marked)) if said.level == Level::Info => Some(marked.and(said)),
            (Some(said), _) => Some(said.clone()),
            (None, marked) => marked.or_else(|| status::trouble(&self.link)),
        }
    }

    /// The question that is being answered.
    fn question(&self) -> Option<&Prompt> {
        match &self.body {
            Body::Sessions(sessions) => sessions.prompt(),
            Body::Debugger(debugger) => debugger.prompt(),
            _ => None,
        }
    }

    fn foot(&self, size: Size) -> Foot {
        let question = self.question().filter(|_| self.help.is_none());
        Foot::of(self.shown_message().as_ref(), question, size)
    }

    pub(super) fn content_rows(&self, size: Size) -> u16 {
        status::content_rows(size.rows, self.foot(size).lines())
    }

    /// Draw the pane.
    pub fn view(&self, size: Size) -> Frame {
        let mut canvas = Canvas::new(size);
        let role = self.settings.role;
        let theme = &self.theme;
        if self.permitted != Permitted::Yes {
            let permissions = self.settings.permissions();
            let refused = match self.permitted {
                Permitted::No => true,
                Permitted::Waiting => self.others_refused,
                _ => false,
            };
            let page = if refused {
                page::refused(&permissions)
            } else {
                page::before_permission(role, &permissions)
            };
            page::draw(&mut canvas, size.rows, 0, &page, theme);
            return canvas.finish();
        }
        let foot = self.foot(size);
        let rows = status::content_rows(size.rows, foot.lines());
        let about = status::About {
            role,
            link: &self.link,
            keymap: &self.settings.keymap,
            read_only: self.settings.read_only,
        };
        status::draw(&mut canvas, &foot, about, theme);
        if let Some(help) = &self.help {
            canvas.clear_row(size.rows.saturating_sub(1));
            self.draw_help(help, &mut canvas, rows);
        } else {
            match &self.body {
                Body::Workspace(editor) => {
                    editor.draw(&mut canvas, rows, theme);
                    if editor.is_empty() {
                        self.draw_invitation(&mut canvas, rows);
                    }
                }
                Body::Inspector(inspector) => {
                    inspector.draw(
                        &mut canvas,
                        rows,
                        &Pane::workspace_key(How::InspectIt),
                        theme,
                    );
                }
                Body::Transcript(transcript) => transcript.draw(&mut canvas, rows, theme),
                Body::Sessions(sessions) => sessions.draw(&mut canvas, rows, &self.link, theme),
                Body::Debugger(debugger) => {
                    debugger.draw(&mut canvas, rows, &Pane::workspace_key(How::DebugIt), theme);
                }
            }
        }
        canvas.finish()
    }

    /// What the empty workspace says; it gives way to the first character.
    fn draw_invitation(&self, canvas: &mut Canvas, rows: u16) {
        let theme = &self.theme;
        let gutter = editor::gutter(canvas.columns());
        let key = |command| {
            let key = self.settings.keymap.key_of(command);
            key.map_or_else(|| "no key".to_owned(), |key| key.to_string())
        };
        let first = "Type Smalltalk here, say (1 to: 5) collect: [ :x | x squared ]";
        let second = format!(
            "{} prints the answer, {} just runs it, {} shows every key.",
            key(Command::Evaluate(How::PrintIt)),
            key(Command::Evaluate(How::DoIt)),
            key(Command::Help)
        );
        // beside the cursor, not under it
        let from = gutter + 2;
        let width = u32::from(canvas.columns().saturating_sub(from).max(1));
        let lines = [first, &second]
            .map(|words| text::filled(words, width))
            .concat();
        for (row, words) in (0..rows).zip(lines) {
            canvas.text(from, row, canvas.columns(), &words, theme.faint);
        }
    }

    /// The key that evaluates so in the workspace, as far as this pane can know.
    fn workspace_key(how: How) -> String {
        crate::command::TABLE
            .iter()
            .find(|entry| entry.command == Command::Evaluate(how))
            .and_then(|entry| entry.keys.first())
            .map_or_else(String::new, |key| (*key).to_owned())
    }
}

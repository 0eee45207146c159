//! The keys of a pane, shown over it until they are closed, behind a message that had no room.

use super::Pane;
use crate::canvas::Canvas;
use crate::command::{Command, Motion};
use crate::io::Outcome;
use crate::key::Key;
use crate::page::{self, Paragraph};
use crate::status::{self, Foot};

/// The page while it is shown.
#[derive(Debug, Default)]
pub(super) struct Help {
    /// The first row shown.
    top: usize,
    /// A message that had no room.
    said: Option<String>,
}

impl Pane {
    /// Show the keys; a message that was shown with its end left out comes before them.
    pub(super) fn open_help(&mut self, message: Option<crate::status::Message>) {
        let cut = Foot::of(message.as_ref(), None, self.size).is_cut;
        let said = message.filter(|_| cut).map(|message| message.text);
        self.help = Some(Help { top: 0, said });
    }

    fn page_of(&self, help: &Help) -> Vec<Paragraph> {
        let mut page = Vec::new();
        if let Some(said) = &help.said {
            page.push(Paragraph::Title("The message".to_owned()));
            page.push(Paragraph::Text(said.clone()));
        }
        page.extend(page::keys(self.settings.role, &self.settings.keymap));
        page
    }

    /// The last row that may be the first one shown.
    fn last_of(&self, help: &Help) -> usize {
        let rows = usize::from(self.content_rows(self.size).max(1));
        page::count(self.size.columns, &self.page_of(help)).saturating_sub(rows)
    }

    pub(super) fn help_key(&mut self, command: Option<Command>, key: Key, out: &mut Outcome) {
        let Some(help) = &self.help else { return };
        let last = self.last_of(help);
        let page = usize::from(self.content_rows(self.size).saturating_sub(1).max(1));
        let top = match command {
            Some(Command::Move(Motion::Up)) => help.top.saturating_sub(1),
            Some(Command::Move(Motion::Down)) => help.top + 1,
            Some(Command::Move(Motion::PageUp)) => help.top.saturating_sub(page),
            Some(Command::Move(Motion::PageDown)) => help.top + page,
            Some(Command::Move(Motion::DocumentStart | Motion::LineStart)) => 0,
            Some(Command::Move(Motion::DocumentEnd | Motion::LineEnd)) => last,
            Some(Command::Interrupt) => {
                self.interrupt(out);
                return;
            }
            Some(Command::Help | Command::Cancel) => {
                self.help = None;
                return;
            }
            _ if key.typed() == Some('q') => {
                self.help = None;
                return;
            }
            _ => return,
        };
        self.scroll_help_to(top);
    }

    /// Scroll by rows; negative: up.
    pub(super) fn scroll_help(&mut self, rows: i32) {
        let top = self.help.as_ref().map_or(0, |help| help.top);
        self.scroll_help_to(top.saturating_add_signed(rows as isize));
    }

    fn scroll_help_to(&mut self, top: usize) {
        let last = self.help.as_ref().map_or(0, |help| self.last_of(help));
        if let Some(help) = &mut self.help {
            help.top = top.min(last);
        }
    }

    pub(super) fn draw_help(&self, help: &Help, canvas: &mut Canvas, rows: u16) {
        let page = self.page_of(help);
        let total = page::count(canvas.columns(), &page);
        let top = help.top.min(total.saturating_sub(usize::from(rows)));
        page::draw(canvas, rows, top, &page, &self.theme);
        let shown = top..(top + usize::from(rows)).min(total);
        status::draw_of_page(canvas, shown, total, &self.theme);
    }
}

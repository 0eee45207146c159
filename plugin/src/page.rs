//! Pages of words: what a pane says while it cannot do its work, and the list of keys.

use ratatui_core::style::Style;
use stui_protocol::pane::Role;

use crate::canvas::Canvas;
use crate::command::Keymap;
use crate::io::Permission;
use crate::text;
use crate::theme::Theme;

/// A paragraph of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paragraph {
    /// What it is about.
    Title(String),
    /// Sentences.
    Text(String),
    /// A term and what it means.
    Item(String, String),
}

/// A row of a page: pieces of text and their styles.
type Pieces = Vec<(String, Style)>;

/// How wide a page's text is in so many columns, and what is left free before it.
fn measure(columns: u16) -> (u32, u32) {
    let columns = u32::from(columns);
    let margin = u32::from(columns >= 24);
    (columns.saturating_sub(2 * margin).clamp(1, 76), margin)
}

/// Paragraphs as rows, filled to the width.
fn lines(columns: u16, paragraphs: &[Paragraph], theme: &Theme) -> Vec<Pieces> {
    let (width, _) = measure(columns);
    let mut lines: Vec<Pieces> = Vec::new();
    for paragraph in paragraphs {
        match paragraph {
            Paragraph::Title(words) => {
                for line in text::filled(words, width) {
                    lines.push(vec![(line, theme.title)]);
                }
                lines.push(Vec::new());
            }
            Paragraph::Text(words) => {
                for line in text::filled(words, width) {
                    lines.push(vec![(line, theme.text)]);
                }
                lines.push(Vec::new());
            }
            Paragraph::Item(term, words) => {
                let indent = (width / 3).min(26);
                let beside = text::cells(term) < indent;
                let mut term = Some(term.clone());
                if !beside {
                    let term = term.take().unwrap_or_default();
                    lines.extend(
                        text::filled(&term, width)
                            .into_iter()
                            .map(|l| vec![(l, theme.key)]),
                    );
                }
                for line in text::filled(words, (width - indent).max(1)) {
                    let term = term.take().unwrap_or_default();
                    let blanks = " ".repeat((indent - text::cells(&term).min(indent)) as usize);
                    lines.push(vec![
                        (term, theme.key),
                        (blanks, theme.text),
                        (line, theme.text),
                    ]);
                }
            }
        }
    }
    while lines.last().is_some_and(Vec::is_empty) {
        lines.pop();
    }
    lines
}

/// How many rows paragraphs have in so many columns.
pub fn count(columns: u16, paragraphs: &[Paragraph]) -> usize {
    lines(columns, paragraphs, &Theme::default()).len()
}

/// Draw paragraphs from the top, filled to the width, from a row of theirs on.
pub fn draw(
    canvas: &mut Canvas,
    rows: u16,
    scrolled: usize,
    paragraphs: &[Paragraph],
    theme: &Theme,
) {
    let columns = canvas.columns();
    let (_, margin) = measure(columns);
    let lines = lines(columns, paragraphs, theme);
    for (row, line) in (0..rows).zip(lines.iter().skip(scrolled)) {
        let mut at = margin as u16;
        for (words, style) in line {
            at = canvas.text(at, row, columns, words, *style);
        }
    }
}

/// Why each permission is asked for.
pub fn reason(permission: Permission) -> (&'static str, &'static str) {
    match permission {
        Permission::Pipes => (
            "Control command line pipes",
            "to speak with its sidecar, the program that keeps your text and the line to Smalltalk",
        ),
        Permission::Commands => (
            "Run commands",
            "to start that sidecar; it runs nothing else",
        ),
        Permission::Clipboard => ("Write to clipboard", "to copy what you select"),
        Permission::Theme => (
            "Access Zellij state",
            "to take its colours from Zellij's theme, as its configuration says",
        ),
    }
}

/// What a pane says before it has its permissions.
pub fn before_permission(role: Role, permissions: &[Permission]) -> Vec<Paragraph> {
    let mut page = vec![
        Paragraph::Title("STUI asks for permission, once".to_owned()),
        Paragraph::Text(
            if role == Role::Workspace {
                "Zellij asks in this pane; press y to allow:"
            } else {
                "Zellij asks in the workspace pane; go there and press y to allow \
                 (or press Enter here to be asked here):"
            }
            .to_owned(),
        ),
    ];
    page.extend(permissions.iter().map(|permission| {
        let (name, why) = reason(*permission);
        Paragraph::Item(name.to_owned(), why.to_owned())
    }));
    page
}

/// What a pane says when the user said no.
pub fn refused(permissions: &[Permission]) -> Vec<Paragraph> {
    let mut page = vec![
        Paragraph::Title("STUI was not given its permissions".to_owned()),
        Paragraph::Text(
            "Without them this pane can neither evaluate nor show anything. \
             Press Enter to be asked again, then y; or quit and start with \
             `stui up --grant-permissions`. They are for:"
                .to_owned(),
        ),
    ];
    page.extend(permissions.iter().map(|permission| {
        let (name, why) = reason(*permission);
        Paragraph::Item(name.to_owned(), why.to_owned())
    }));
    page
}

/// The keys that STUI's layout binds; see `layouts/stui.kdl`.
const LAYOUT_KEYS: [(&str, &str); 4] = [
    ("Alt w", "To the workspace"),
    ("Alt v", "To the inspector"),
    ("Alt s", "Sessions and images; Esc hides them"),
    ("Alt d", "The debugger; Esc hides it"),
];

/// The keys of a pane.
pub fn keys(role: Role, keymap: &Keymap) -> Vec<Paragraph> {
    let mut page = vec![Paragraph::Title(format!(
        "Keys of the {}",
        match role {
            Role::Sessions => "list of sessions",
            role => role.word(),
        }
    ))];
    page.extend(
        keymap
            .rows()
            .filter(|(_, keys)| !keys.is_empty())
            .map(|(entry, keys)| {
                let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
                Paragraph::Item(keys.join(", "), entry.about.to_owned())
            }),
    );
    page.push(Paragraph::Text(String::new()));
    page.push(Paragraph::Title("Windows, in STUI's layout".to_owned()));
    page.extend(
        LAYOUT_KEYS
            .iter()
            .map(|(key, about)| Paragraph::Item((*key).to_owned(), (*about).to_owned())),
    );
    page.push(Paragraph::Text(String::new()));
    page.push(Paragraph::Text(
        "Other keys for a command: in all panes by `keys { print_it \"Alt e\"; }` in STUI's config.kdl, \
         in one pane by `bind_print_it \"Alt e\"` in its block of the layout. The names of the commands \
         are in the plugin's README and in `stui config example`."
            .to_owned(),
    ));
    page
}

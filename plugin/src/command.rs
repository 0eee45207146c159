//! What the panes can be told to do: one table that drives the keys, the help and the README.

use stui_protocol::pane::{How, Role};
use stui_protocol::request::DebugOperation;

use crate::key::{Key, UnknownKey};

/// The panes in which a command has a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// In every pane.
    Everywhere,
    /// In panes of this role.
    In(Role),
    /// In the inspector, the transcript, the sessions and the debugger, where characters are not text.
    Lists,
}

impl Where {
    /// Whether a pane of this role knows the command.
    pub fn includes(self, role: Role) -> bool {
        match self {
            Where::Everywhere => true,
            Where::In(one) => one == role,
            Where::Lists => role != Role::Workspace,
        }
    }

    /// For a table of keys.
    pub fn word(self) -> &'static str {
        match self {
            Where::Everywhere => "all",
            Where::In(role) => role.word(),
            Where::Lists => "lists",
        }
    }
}

/// Where the cursor, or the view, goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// To the character before.
    Left,
    /// To the character behind.
    Right,
    /// To the line above.
    Up,
    /// To the line below.
    Down,
    /// To the beginning of the word.
    WordLeft,
    /// Behind the word.
    WordRight,
    /// To the beginning of the line.
    LineStart,
    /// To the end of the line.
    LineEnd,
    /// A screen up.
    PageUp,
    /// A screen down.
    PageDown,
    /// To the beginning.
    DocumentStart,
    /// To the end.
    DocumentEnd,
}

/// Something that a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Evaluate.
    Evaluate(How),
    /// Stop what is running.
    Interrupt,
    /// Move; with Shift held, extend the selection.
    Move(Motion),
    /// Select the whole text.
    SelectAll,
    /// Begin a new line, indented as this one.
    NewLine,
    /// Insert a tab.
    InsertTab,
    /// Delete the selection or the character before.
    DeleteLeft,
    /// Delete the selection or the character behind.
    DeleteRight,
    /// Delete back to the beginning of the word.
    DeleteWordLeft,
    /// Delete up to the end of the word.
    DeleteWordRight,
    /// Take the last change back.
    Undo,
    /// Do again what was taken back.
    Redo,
    /// Copy and delete the selection.
    Cut,
    /// Copy the selection.
    Copy,
    /// Insert what was last cut or copied.
    Paste,
    /// Walk into the selected row.
    Open,
    /// Back to the object before.
    Back,
    /// Show the object's next view.
    NextView,
    /// Show the object's view before.
    PreviousView,
    /// Read anew what is shown.
    Refresh,
    /// Empty the transcript.
    Clear,
    /// Show the selected session in all panes of this client.
    SwitchSession,
    /// Make a session on the selected row's image.
    NewSession,
    /// Give the selected session another name.
    RenameSession,
    /// Close the selected session.
    CloseSession,
    /// Bring the selected session to the next image.
    MoveSession,
    /// Run again what a lost server had evaluated.
    RunAgain,
    /// Do something with a process in the debugger.
    Debug(DebugOperation),
    /// Inspect the selected variable.
    InspectVariable,
    /// Let the next part of the debugger listen to the arrows.
    NextPart,
    /// Let the part before listen to them.
    PreviousPart,
    /// Show the next open debugger.
    NextDebugger,
    /// Show the open debugger before.
    PreviousDebugger,
    /// Show or hide the keys.
    Help,
    /// Drop the message, the selection, the help.
    Cancel,
}

impl Command {
    /// Whether it changes what is shared, or evaluates.
    pub fn changes(self) -> bool {
        match self {
            Command::Evaluate(_)
            | Command::Interrupt
            | Command::NewLine
            | Command::InsertTab
            | Command::DeleteLeft
            | Command::DeleteRight
            | Command::DeleteWordLeft
            | Command::DeleteWordRight
            | Command::Undo
            | Command::Redo
            | Command::Cut
            | Command::Paste
            | Command::Open
            | Command::Back
            | Command::NextView
            | Command::PreviousView
            | Command::Clear
            | Command::NewSession
            | Command::RenameSession
            | Command::CloseSession
            | Command::MoveSession
            | Command::RunAgain
            | Command::Debug(_)
            | Command::InspectVariable
            | Command::NextDebugger
            | Command::PreviousDebugger => true,
            Command::Move(_)
            | Command::NextPart
            | Command::PreviousPart
            | Command::SwitchSession
            | Command::SelectAll
            | Command::Refresh
            | Command::Copy
            | Command::Help
            | Command::Cancel => false,
        }
    }
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// What it does.
    pub command: Command,
    /// Its name; `bind_NAME` in the plugin's configuration gives it other keys.
    pub name: &'static str,
    /// Its keys, unless rebound.
    pub keys: &'static [&'static str],
    /// Where it has a meaning.
    pub place: Where,
    /// What it does, in words.
    pub about: &'static str,
    /// A word or two for the status line; empty where it is not hinted at.
    pub hint: &'static str,
}

const fn entry(
    command: Command,
    name: &'static str,
    keys: &'static [&'static str],
    place: Where,
    about: &'static str,
    hint: &'static str,
) -> Entry {
    Entry {
        command,
        name,
        keys,
        place,
        about,
        hint,
    }
}

const WORKSPACE: Where = Where::In(Role::Workspace);
const INSPECTOR: Where = Where::In(Role::Inspector);
const TRANSCRIPT: Where = Where::In(Role::Transcript);
const SESSIONS: Where = Where::In(Role::Sessions);
const DEBUGGER: Where = Where::In(Role::Debugger);

/// Every command. Hints are shown in this order, as many as fit.
///
/// The keys are free in Zellij's normal mode, which takes Ctrl with b g h n o p q s t and Alt with
/// f h i j k l n o p, arrows and `+ - = [ ]`, and in STUI's layout, which has Alt with d s v w.
#[rustfmt::skip] // a row a line
pub const TABLE: &[Entry] = &[
    entry(Command::Evaluate(How::PrintIt), "print_it", &["Ctrl e"], WORKSPACE, "Print it: evaluate, insert the answer behind it and select it", "print it"),
    entry(Command::Evaluate(How::DoIt), "do_it", &["Ctrl d"], WORKSPACE, "Do it: evaluate the selection, else the statement at the cursor", "do it"),
    entry(Command::Evaluate(How::InspectIt), "inspect_it", &["Ctrl l"], WORKSPACE, "Inspect it: evaluate and look into the answer", "inspect it"),
    entry(Command::Evaluate(How::DebugIt), "debug_it", &["Ctrl r"], WORKSPACE, "Debug it: stop before the first statement, in the debugger", "debug it"),
    entry(Command::Open, "open", &["Enter", "Right"], INSPECTOR, "Walk into the selected row", "open"),
    entry(Command::Back, "back", &["Left", "Backspace"], INSPECTOR, "Back to the object before", "back"),
    entry(Command::NextView, "next_view", &["Tab"], INSPECTOR, "The object's next view", "view"),
    entry(Command::PreviousView, "previous_view", &["Shift Tab"], INSPECTOR, "The object's view before", ""),
    entry(Command::Refresh, "refresh", &["F5", "r"], INSPECTOR, "Look again: read anew what is shown", "refresh"),
    entry(Command::Clear, "clear", &["Ctrl l"], TRANSCRIPT, "Empty the transcript, for everybody", "clear"),
    entry(Command::SwitchSession, "switch_session", &["Enter"], SESSIONS, "Switch to the selected session, in all panes of yours", "switch"),
    entry(Command::NewSession, "new_session", &["n"], SESSIONS, "A new session on the selected row's image; asks for its name", "new"),
    entry(Command::RenameSession, "rename_session", &["r"], SESSIONS, "Another name for the session", "rename"),
    entry(Command::CloseSession, "close_session", &["x"], SESSIONS, "Close the session with its text and variables; asks y/n", "close"),
    entry(Command::RunAgain, "run_again", &["h"], SESSIONS, "Run the history again: what a lost server had evaluated, in order", "run history"),
    entry(Command::MoveSession, "move_session", &["i"], SESSIONS, "Move the session to the next image; its variables stay behind", "image"),
    entry(Command::Debug(DebugOperation::StepInto), "into", &["i"], DEBUGGER, "Into: to the next message, into its method", "into"),
    entry(Command::Debug(DebugOperation::StepOver), "over", &["o"], DEBUGGER, "Over: to the next message of the chosen frame, past this one", "over"),
    entry(Command::Debug(DebugOperation::StepOut), "out", &["u"], DEBUGGER, "Out: until the chosen frame returns", "out"),
    entry(Command::Debug(DebugOperation::Continue), "proceed", &["c"], DEBUGGER, "Proceed: run on", "proceed"),
    entry(Command::Debug(DebugOperation::EvaluateInFrame), "evaluate", &["e"], DEBUGGER, "Evaluate in the chosen frame; asks for the expression", "evaluate"),
    entry(Command::Debug(DebugOperation::Restart), "restart", &["r"], DEBUGGER, "Restart: run the chosen frame from its beginning", "restart"),
    entry(Command::Debug(DebugOperation::ReturnValue), "return_value", &["v"], DEBUGGER, "Return Value: return from the chosen frame; asks for the expression", "return"),
    entry(Command::Debug(DebugOperation::Terminate), "terminate", &["x"], DEBUGGER, "Terminate the process, and close the debugger", "terminate"),
    entry(Command::NextPart, "next_part", &["Tab"], DEBUGGER, "To the stack, the source, the variables, for the arrows", "part"),
    entry(Command::PreviousPart, "previous_part", &["Shift Tab"], DEBUGGER, "To the part before", ""),
    entry(Command::InspectVariable, "inspect_variable", &["Enter"], DEBUGGER, "Look into the selected variable, in the inspector", "inspect"),
    entry(Command::NextDebugger, "next_debugger", &["]"], DEBUGGER, "The next open debugger", ""),
    entry(Command::PreviousDebugger, "previous_debugger", &["["], DEBUGGER, "The open debugger before", ""),
    entry(Command::Move(Motion::Left), "scroll_left", &["Left"], DEBUGGER, "The source's left", ""),
    entry(Command::Move(Motion::Right), "scroll_right", &["Right"], DEBUGGER, "The source's right", ""),
    entry(Command::Interrupt, "interrupt", &["Ctrl k"], Where::Everywhere, "Interrupt what is running; where nothing is, end what the code has forked", "interrupt"),
    entry(Command::Help, "help", &["F1"], Where::Everywhere, "Show these keys", "keys"),
    entry(Command::Help, "keys", &["?"], Where::Lists, "Show these keys, too", ""),
    entry(Command::Cancel, "cancel", &["Esc"], Where::Everywhere, "Drop the message, the selection, this help", ""),
    entry(Command::Undo, "undo", &["Ctrl z"], WORKSPACE, "Take the last change back", ""),
    entry(Command::Redo, "redo", &["Ctrl y"], WORKSPACE, "Do again what was taken back", ""),
    entry(Command::Cut, "cut", &["Ctrl x"], WORKSPACE, "Cut the selection", ""),
    entry(Command::Copy, "copy", &["Ctrl c"], Where::Everywhere, "Copy the selection, the row, the lines shown; workspace without a selection: interrupt", ""),
    entry(Command::Paste, "paste", &["Ctrl v"], WORKSPACE, "Insert what was last cut or copied here; the terminal's own paste works as well", ""),
    entry(Command::SelectAll, "select_all", &["Ctrl a"], WORKSPACE, "Select the whole text", ""),
    entry(Command::NewLine, "new_line", &["Enter"], WORKSPACE, "A new line, indented as this one", ""),
    entry(Command::InsertTab, "tab", &["Tab"], WORKSPACE, "Insert a tab", ""),
    entry(Command::DeleteLeft, "delete_left", &["Backspace"], WORKSPACE, "Delete the selection or the character before", ""),
    entry(Command::DeleteRight, "delete_right", &["Delete"], WORKSPACE, "Delete the selection or the character behind", ""),
    entry(Command::DeleteWordLeft, "delete_word_left", &["Alt Backspace", "Ctrl w"], WORKSPACE, "Delete back to the beginning of the word", ""),
    entry(Command::DeleteWordRight, "delete_word_right", &["Ctrl Delete"], WORKSPACE, "Delete up to the end of the word", ""),
    entry(Command::Move(Motion::Left), "left", &["Left"], WORKSPACE, "One character to the left; this and the next with Shift: select", ""),
    entry(Command::Move(Motion::Right), "right", &["Right"], WORKSPACE, "One character to the right", ""),
    entry(Command::Move(Motion::WordLeft), "word_left", &["Ctrl Left"], WORKSPACE, "To the beginning of the word", ""),
    entry(Command::Move(Motion::WordRight), "word_right", &["Ctrl Right"], WORKSPACE, "Behind the word", ""),
    entry(Command::Move(Motion::Up), "up", &["Up"], Where::Everywhere, "One line or row up", ""),
    entry(Command::Move(Motion::Down), "down", &["Down"], Where::Everywhere, "One line or row down", ""),
    entry(Command::Move(Motion::PageUp), "page_up", &["PageUp"], Where::Everywhere, "A page up", ""),
    entry(Command::Move(Motion::PageDown), "page_down", &["PageDown"], Where::Everywhere, "A page down", ""),
    entry(Command::Move(Motion::LineStart), "line_start", &["Home"], WORKSPACE, "To the beginning of the line", ""),
    entry(Command::Move(Motion::LineEnd), "line_end", &["End"], WORKSPACE, "To the end of the line", ""),
    entry(Command::Move(Motion::DocumentStart), "start", &["Ctrl Home"], Where::Everywhere, "To the beginning", ""),
    entry(Command::Move(Motion::DocumentEnd), "end", &["Ctrl End"], Where::Everywhere, "To the end", ""),
    entry(Command::Move(Motion::DocumentStart), "first", &["Home"], Where::Lists, "To the beginning", ""),
    entry(Command::Move(Motion::DocumentEnd), "last", &["End"], Where::Lists, "To the end", ""),
];

/// The commands of one pane and the keys they are on.
#[derive(Debug, Clone)]
pub struct Keymap {
    rows: Vec<(&'static Entry, Vec<Key>)>,
}

impl Keymap {
    /// The keys of a pane. `rebound` answers other keys for a command's name, separated by `|`.
    /// The second value says which of them name no key; those commands keep their own.
    pub fn new(role: Role, rebound: impl Fn(&str) -> Option<String>) -> (Keymap, Vec<UnknownKey>) {
        let mut unknown = Vec::new();
        let rows = TABLE
            .iter()
            .filter(|entry| entry.place.includes(role))
            .map(|entry| {
                let own = || entry.keys.iter().filter_map(|key| key.parse().ok());
                let keys = match rebound(entry.name) {
                    None => own().collect(),
                    Some(words) => words
                        .split(stui_protocol::command::BETWEEN_KEYS)
                        .map(str::parse)
                        .collect::<Result<_, _>>()
                        .unwrap_or_else(|error| {
                            unknown.push(error);
                            own().collect()
                        }),
                };
                (entry, keys)
            })
            .collect();
        (Keymap { rows }, unknown)
    }

    /// What a key does, and whether it extends the selection: Shift with a key that moves. With other
    /// keys Shift means nothing unless the table says so.
    pub fn find(&self, key: Key) -> Option<(Command, bool)> {
        let find = |key: Key| {
            self.rows
                .iter()
                .find(|(_, keys)| keys.contains(&key))
                .map(|(entry, _)| entry.command)
        };
        match find(key) {
            Some(command) => Some((command, false)),
            None if key.shift => find(key.without_shift())
                .map(|command| (command, matches!(command, Command::Move(_)))),
            None => None,
        }
    }

    /// The commands and their keys, in the table's order.
    pub fn rows(&self) -> impl Iterator<Item = (&'static Entry, &[Key])> {
        self.rows.iter().map(|(entry, keys)| (*entry, &keys[..]))
    }

    /// The first key of a command, in words.
    pub fn key_of(&self, command: Command) -> Option<Key> {
        self.rows
            .iter()
            .find(|(entry, _)| entry.command == command)
            .and_then(|(_, keys)| keys.first().copied())
    }
}

/// The table of keys as the README shows it.
pub fn markdown() -> String {
    let mut text =
        String::from("| Keys | Name | Pane | What it does |\n| --- | --- | --- | --- |\n");
    for entry in TABLE {
        let keys: Vec<String> = entry.keys.iter().map(|key| format!("`{key}`")).collect();
        let cells = [
            &keys.join(", "),
            &format!("`{}`", entry.name),
            entry.place.word(),
            entry.about,
        ];
        text.push_str("| ");
        text.push_str(&cells.join(" | "));
        text.push_str(" |\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_of_a_pane_has_two_meanings_and_every_name_is_one_command() {
        for role in Role::ALL {
            let (keymap, unknown) = Keymap::new(role, |_| None);
            assert_eq!(unknown, [], "every key in the table reads");
            let mut keys: Vec<Key> = keymap
                .rows
                .iter()
                .flat_map(|(_, keys)| keys.clone())
                .collect();
            let all = keys.len();
            keys.sort_by_key(ToString::to_string);
            keys.dedup();
            assert_eq!(keys.len(), all, "{}", role.word());
        }
        let mut names: Vec<_> = TABLE.iter().map(|entry| entry.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TABLE.len());
    }

    #[test]
    fn the_names_are_those_that_configuration_files_are_checked_against() {
        let names: Vec<_> = TABLE.iter().map(|entry| entry.name).collect();
        assert_eq!(names, stui_protocol::command::COMMANDS);
    }

    #[test]
    fn no_key_is_one_that_zellij_takes() {
        for entry in TABLE {
            for words in entry.keys {
                let key: Key = words.parse().unwrap();
                if let crate::key::Code::Char(c) = key.code {
                    assert!(!(key.ctrl && "bghnopqstim".contains(c)), "{words}");
                    assert!(!(key.alt && "fhijklnopdsvw+-=[]".contains(c)), "{words}");
                } else {
                    assert!(!(key.alt && words.ends_with(['t', 'p', 'n'])), "{words}");
                }
            }
        }
    }

    #[test]
    fn a_rebound_command_listens_to_its_new_keys_only() {
        let (keymap, unknown) = Keymap::new(Role::Workspace, |name| match name {
            "print_it" => Some("Alt e | F6".to_owned()),
            "do_it" => Some("Hyper x".to_owned()),
            _ => None,
        });
        let find = |words: &str| {
            keymap
                .find(words.parse().unwrap())
                .map(|(command, _)| command)
        };
        assert_eq!(find("Alt e"), Some(Command::Evaluate(How::PrintIt)));
        assert_eq!(find("F6"), Some(Command::Evaluate(How::PrintIt)));
        assert_eq!(find("Ctrl e"), None);
        assert_eq!(
            find("Ctrl d"),
            Some(Command::Evaluate(How::DoIt)),
            "a bad rebinding keeps the key"
        );
        assert_eq!(unknown, [UnknownKey("Hyper x".to_owned())]);
    }

    #[test]
    fn shift_extends_where_the_key_moves() {
        let (keymap, _) = Keymap::new(Role::Workspace, |_| None);
        let find = |words: &str| keymap.find(words.parse().unwrap());
        assert_eq!(
            find("Shift Left"),
            Some((Command::Move(Motion::Left), true))
        );
        assert_eq!(
            find("Ctrl Shift Right"),
            Some((Command::Move(Motion::WordRight), true))
        );
        assert_eq!(find("Shift Enter"), Some((Command::NewLine, false)));
    }
}

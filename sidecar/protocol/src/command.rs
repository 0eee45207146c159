//! The names of the commands of the panes, and of the settings that a layout gives them.
//!
//! What a command does and which keys it has is the plugin's table, of which a test sees that it has
//! exactly these names: so a configuration file can be checked without the plugin.

/// Prefix of the keys of the plugin configuration that rebind a command: `bind_print_it "Alt e | F6"`.
pub const BIND: &str = "bind_";
/// What stands between two keys of one command.
pub const BETWEEN_KEYS: char = '|';
/// Key of the plugin configuration that says where colours come from: `terminal` or `zellij`.
pub const THEME_KEY: &str = "theme";

/// The names of all commands, in the order of the plugin's table.
pub const COMMANDS: [&str; 61] = [
    "print_it",
    "do_it",
    "inspect_it",
    "debug_it",
    "open",
    "back",
    "next_view",
    "previous_view",
    "refresh",
    "clear",
    "switch_session",
    "new_session",
    "rename_session",
    "close_session",
    "run_again",
    "move_session",
    "into",
    "over",
    "out",
    "proceed",
    "evaluate",
    "restart",
    "return_value",
    "terminate",
    "next_part",
    "previous_part",
    "inspect_variable",
    "next_debugger",
    "previous_debugger",
    "scroll_left",
    "scroll_right",
    "interrupt",
    "help",
    "keys",
    "cancel",
    "undo",
    "redo",
    "cut",
    "copy",
    "paste",
    "select_all",
    "new_line",
    "tab",
    "delete_left",
    "delete_right",
    "delete_word_left",
    "delete_word_right",
    "left",
    "right",
    "word_left",
    "word_right",
    "up",
    "down",
    "page_up",
    "page_down",
    "line_start",
    "line_end",
    "start",
    "end",
    "first",
    "last",
];

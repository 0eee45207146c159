//! The command line: what `stui --help` shows.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::target::Target;

/// Live Smalltalk in the Zellij terminal multiplexer.
///
/// `stui up` opens Zellij with a workspace, an inspector and a transcript on a live Smalltalk. What
/// you type in the workspace is Smalltalk: put the cursor on an expression and print it, inspect it
/// or do it. With nothing installed it runs the embedded Smalltalk; `stui up --connect FILE` talks to
/// another server, such as a Pharo image.
#[derive(Debug, Parser)]
#[command(
    name = "stui",
    version,
    after_help = "Examples:\n  \
        stui up                        open a session\n  \
        stui eval '3 + 4'              evaluate from the shell\n  \
        echo '1/0' | stui eval         the same with code from standard input\n  \
        stui doctor                    find out what is wrong\n\n\
        Logs: STUI_LOG=debug says more (see `stui doctor` for where).",
    max_term_width = 100
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Open Zellij with a workspace on a live Smalltalk, or come back to it.
    Up(Up),
    /// Run the embedded Smalltalk as a server.
    Serve(Serve),
    /// Evaluate Smalltalk and print the answer.
    Eval(Eval),
    /// Say whether guests in a running session may change and evaluate, or look on.
    Guests(Guests),
    /// Check each link from the terminal to Smalltalk and say what to do.
    Doctor(Doctor),
    /// Play a short scripted session in a real Zellij and print its screens.
    Demo(Demo),
    /// Bring a pane its sidecar; run by the plugin.
    #[command(hide = true)]
    Sidecar(Sidecar),
    /// Reach a server on another machine through ssh; run by the sidecar.
    #[command(hide = true)]
    Tunnel(Tunnel),
    /// Become a program that dies with the sidecar; run by the sidecar.
    #[command(hide = true)]
    PipeChild(PipeChild),
}

/// Options of `stui up`.
#[derive(Debug, Args)]
#[command(
    after_help = "A session of this name that runs already is attached to; several terminals may be \
        attached to one session and share its text. One that has ended begins anew, with the text \
        of its workspace and its history.\n\n\
        Examples:\n  \
        stui up\n  \
        stui up --session work --connect ~/pharo/stui.json\n\n\
        Exit status: that of Zellij; 1 if it could not be started."
)]
pub struct Up {
    /// Name of the Zellij session.
    #[arg(long, value_name = "NAME", default_value = "stui")]
    pub session: String,
    /// What to connect to instead of the embedded Smalltalk: a running server's connection file,
    /// `ssh://[USER@]HOST[:PORT][/NAME]`, `pharo:IMAGE`, or `embedded`. May be given several times;
    /// not given: the same as last time.
    #[arg(long, value_name = "TARGET")]
    pub connect: Vec<Target>,
    /// Another layout; `{{plugin}}` and `{{stui}}` in it are replaced by the plugin's address and
    /// the path of this program.
    #[arg(long, value_name = "FILE")]
    pub layout: Option<PathBuf>,
    /// The Zellij to run, instead of the first one on PATH.
    #[arg(long, value_name = "PROGRAM", env = "STUI_ZELLIJ")]
    pub zellij: Option<PathBuf>,
    /// Grant the plugin its permissions without asking.
    #[arg(long)]
    pub grant_permissions: bool,
}

/// Options of `stui serve`.
#[derive(Debug, Args)]
#[command(
    after_help = "The server ends on SIGTERM, Ctrl-C or a Shutdown request. Whoever reads the connection \
        file can evaluate anything with your rights; it is readable by you alone.\n\n\
        Examples:\n  \
        stui serve\n  \
        stui serve --endpoint tcp://127.0.0.1:5555 --connection-file server.json\n\n\
        Exit status: 0 when it was told to end, 1 if it could not start or go on."
)]
pub struct Serve {
    /// Where to listen: `tcp://ADDRESS:PORT` (`*` for a free port) or `ipc:///PATH`.
    #[arg(long, value_name = "ENDPOINT", default_value = "tcp://127.0.0.1:*")]
    pub endpoint: String,
    /// Where to write the connection file, by which clients find the server. Default: in the runtime
    /// directory, where `stui eval` looks.
    #[arg(long, value_name = "FILE")]
    pub connection_file: Option<PathBuf>,
    /// Serve everybody who reaches the endpoint. Only on this machine.
    #[arg(long)]
    pub no_key: bool,
    /// End when this process has ended.
    #[arg(long, value_name = "PID")]
    pub exit_with_pid: Option<u32>,
}

/// Options of `stui eval`.
#[derive(Debug, Args)]
#[command(
    after_help = "Which server: the one of --connection-file, else of STUI_CONNECTION_FILE, else of the \
        Zellij session that this runs in, else the only one that runs.\n\n\
        Examples:\n  \
        stui eval '(1 to: 5) collect: [ :x | x squared ]'\n  \
        stui eval --session a 'x := 42'; stui eval --session a 'x + 1'\n  \
        stui eval < script.st\n\n\
        What the code writes to Transcript appears on standard error.\n\n\
        Exit status: 0 with the answer's print string on standard output; 1 if the code does not \
        compile or signals an error, with the message and a short stack on standard error; 2 if there \
        is no server; 130 if it was interrupted."
)]
pub struct Eval {
    /// The code; without it, standard input is read.
    #[arg(allow_hyphen_values = true)]
    pub code: Option<String>,
    /// Connection file of the server.
    #[arg(long, value_name = "FILE", env = "STUI_CONNECTION_FILE")]
    pub connection_file: Option<PathBuf>,
    /// Evaluate in a session that keeps its variables for the next call with the same name.
    #[arg(long, value_name = "NAME")]
    pub session: Option<String>,
    /// Give up after so many seconds, and interrupt the evaluation.
    #[arg(long, value_name = "SECONDS")]
    pub timeout: Option<u64>,
}

/// Options of `stui guests`.
#[derive(Debug, Args)]
#[command(
    after_help = "Guests are all who attached to the session later than the one who has been there longest. \
        Zellij's own `zellij watch` lets people look on too: such a watcher has no keys at all.\n\n\
        Examples:\n  \
        stui guests read-only\n  \
        stui guests may-write --session work\n\n\
        Exit status: 0 if the session's sidecar took it, 1 if there is none."
)]
pub struct Guests {
    /// What guests may do.
    #[arg(value_enum)]
    pub may: GuestsMay,
    /// Name of the Zellij session; default: the one that this runs in, else `stui`.
    #[arg(long, value_name = "NAME", env = "ZELLIJ_SESSION_NAME")]
    pub session: Option<String>,
}

/// What guests may do.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum GuestsMay {
    /// Look on.
    ReadOnly,
    /// Change the text and evaluate, as everybody.
    MayWrite,
}

/// Options of `stui doctor`.
#[derive(Debug, Args)]
#[command(after_help = "Exit status: 0 if nothing is wrong, 1 if something is.")]
pub struct Doctor {
    /// Name of the Zellij session to look at; default: the one that this runs in, else `stui`.
    #[arg(long, value_name = "NAME", env = "ZELLIJ_SESSION_NAME")]
    pub session: Option<String>,
    /// The Zellij to look at, instead of the first one on PATH.
    #[arg(long, value_name = "PROGRAM", env = "STUI_ZELLIJ")]
    pub zellij: Option<PathBuf>,
}

/// Options of `stui demo`.
#[derive(Debug, Args)]
#[command(
    after_help = "It needs no terminal: it makes its own, types into it and reads its screen. A step whose \
        answer does not appear ends it with status 1.\n\n\
        Examples:\n  \
        stui demo\n  \
        stui demo --record demo.cast && asciinema play demo.cast"
)]
pub struct Demo {
    /// The Zellij to run, instead of the first one on PATH.
    #[arg(long, value_name = "PROGRAM", env = "STUI_ZELLIJ")]
    pub zellij: Option<PathBuf>,
    /// Size of the terminal.
    #[arg(long, value_name = "COLUMNSxROWS", default_value = "110x32")]
    pub size: String,
    /// Record everything to this file, in the asciicast format of asciinema.
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Draw the most telling screen to this file, as SVG.
    #[arg(long, value_name = "FILE")]
    pub picture: Option<PathBuf>,
}

/// Options of `stui sidecar`.
#[derive(Debug, Args)]
pub struct Sidecar {
    /// Name of the Zellij session.
    #[arg(long, env = "ZELLIJ_SESSION_NAME")]
    pub session: String,
    /// What the pane shows.
    #[arg(long)]
    pub role: Option<String>,
    /// Process id of the Zellij server.
    #[arg(long)]
    pub zellij_pid: u32,
    /// The pane's whole configuration, as KEY=VALUE,…
    #[arg(long, default_value = "")]
    pub configuration: String,
    /// The plugin's address.
    #[arg(long)]
    pub wasm: Option<String>,
    /// Be the sidecar, instead of bringing the pane one.
    #[arg(long)]
    pub daemon: bool,
}

/// Options of `stui tunnel`.
#[derive(Debug, Args)]
pub struct Tunnel {
    /// The server: `ssh://[USER@]HOST[:PORT][/NAME]`.
    pub target: Target,
    /// End when this process has ended.
    #[arg(long, value_name = "PID")]
    pub exit_with_pid: Option<u32>,
    /// Where to write the connection file of this machine.
    #[arg(long, value_name = "FILE")]
    pub connection_file: PathBuf,
}

/// Options of `stui pipe-child`.
#[derive(Debug, Args)]
pub struct PipeChild {
    /// Process id of the sidecar.
    #[arg(long)]
    pub parent: u32,
    /// The program and its arguments.
    #[arg(last = true, required = true)]
    pub command: Vec<OsString>,
}

//! The command line: what `stui --help` shows.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::pharo::get::Version;
use crate::pharo::runner::Socket;
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
        stui up --pharo Pharo.image    the same in a Pharo image of yours\n  \
        stui pharo get                 fetch a Pharo, if you have none\n  \
        stui doctor                    find out what is wrong\n\n\
        Configuration: `stui config example` shows what can be set, `stui config path` where.\n\
        Logs: STUI_LOG=debug says more (see `stui doctor` for where).",
    max_term_width = 100
)]
pub struct Cli {
    /// The configuration file, instead of `STUI_CONFIG`'s or the usual one.
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Where the log goes, instead of standard error; given by the sidecar to what it starts.
    #[arg(long, value_name = "FILE", global = true, hide = true)]
    pub log_file: Option<PathBuf>,
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
    /// List the sessions of a running STUI, and make, name or close them.
    Sessions(Sessions),
    /// Connect a running STUI to another image.
    Connect(Connect),
    /// End a running STUI's connection to an image.
    Disconnect(Disconnect),
    /// Say whether guests in a running session may change and evaluate, or look on.
    Guests(Guests),
    /// Check each link from the terminal to Smalltalk and say what to do.
    Doctor(Doctor),
    /// Show and check the configuration.
    Config(ConfigCommand),
    /// Run servers in Pharo images.
    #[command(subcommand)]
    Pharo(Pharo),
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
        What has no flag here is in the configuration file (`stui config example`); a flag wins over \
        the environment, and the environment over the file.\n\n\
        Exit status: that of Zellij; 1 if it could not be started."
)]
pub struct Up {
    /// Name of the Zellij session [default: stui].
    #[arg(long, value_name = "NAME")]
    pub session: Option<String>,
    /// What to connect to instead of the embedded Smalltalk: a running server's connection file,
    /// `ssh://[USER@]HOST[:PORT][/NAME]`, `pharo:IMAGE`, or `embedded`. May be given several times;
    /// not given: the same as last time. A session that runs already is connected to it besides.
    #[arg(long, value_name = "TARGET")]
    pub connect: Vec<Target>,
    /// Connect to this Pharo image: short for `--connect pharo:IMAGE`. The server is loaded into a copy
    /// of it, once; the image itself stays as it is.
    #[arg(long, value_name = "IMAGE")]
    pub pharo: Vec<PathBuf>,
    /// The virtual machine for the Pharo images, which is remembered; default: one that `stui pharo
    /// list` shows.
    #[arg(long, value_name = "VM")]
    pub vm: Option<PathBuf>,
    /// Another layout; `{{plugin}}` and `{{stui}}` in it are replaced by the plugin's address and
    /// the path of this program.
    #[arg(long, value_name = "FILE")]
    pub layout: Option<PathBuf>,
    /// The Zellij to run, instead of the first one on PATH.
    #[arg(long, value_name = "PROGRAM")]
    pub zellij: Option<PathBuf>,
    /// Where the panes' colours come from: `terminal` or `zellij`.
    #[arg(long, value_name = "THEME")]
    pub theme: Option<String>,
    /// What people may do who attach to a session in which somebody is: `may-write` or `read-only`.
    #[arg(long, value_name = "RIGHT")]
    pub guests: Option<String>,
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
    /// End when this process has ended, and not with a terminal.
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
        stui eval --workspace main 'x'\n  \
        stui eval < script.st\n\n\
        An answer longer than 100 000 characters is cut, which standard error says: let the code write it \
        into a file.\n\n\
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
    /// Evaluate in a session of `stui eval`'s own that keeps its variables for the next call with the same name.
    #[arg(long, value_name = "NAME")]
    pub session: Option<String>,
    /// Evaluate in a session of STUI's panes, with the variables of its workspace: one that `stui sessions`
    /// lists.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["session", "connection_file"])]
    pub workspace: Option<String>,
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
        stui guests may-write --zellij-session work\n\n\
        Exit status: 0 if the session's sidecar took it, 1 if there is none."
)]
pub struct Guests {
    /// What guests may do.
    #[arg(value_enum)]
    pub may: GuestsMay,
    /// Name of the Zellij session; default: the one that this runs in, else the only one that runs.
    #[arg(long, value_name = "NAME", env = "ZELLIJ_SESSION_NAME")]
    pub zellij_session: Option<String>,
}

/// What guests may do.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum GuestsMay {
    /// Look on.
    ReadOnly,
    /// Change the text and evaluate, as everybody.
    MayWrite,
}

/// Options of `stui sessions`.
#[derive(Debug, Args)]
#[command(
    after_help = "A session has a text, variables, an inspector and a transcript of its own. In Zellij, Alt s \
        shows the same list, to switch and to close.\n\n\
        Which STUI: that of --zellij-session, else of the Zellij session that this runs in, else the \
        only one that runs.\n\n\
        Examples:\n  \
        stui sessions\n  \
        stui sessions new parser --image moose\n  \
        stui sessions info parser\n\n\
        Exit status: 0 if it was done, 1 if not."
)]
pub struct Sessions {
    /// What to do; list them if nothing is said.
    #[command(subcommand)]
    pub command: Option<SessionsCommand>,
    /// Name of the Zellij session.
    #[arg(long, value_name = "NAME", env = "ZELLIJ_SESSION_NAME", global = true)]
    pub zellij_session: Option<String>,
}

/// What is done with sessions.
#[derive(Debug, Subcommand)]
pub enum SessionsCommand {
    /// Show sessions and images; without a running STUI, what is saved of it.
    List,
    /// Show all about one: its debuggers, what it evaluated, how long the server keeps it.
    Info {
        /// Its name.
        name: String,
    },
    /// Make one.
    New {
        /// Its name.
        name: String,
        /// The image that it is on, by name; not given: the first one.
        #[arg(long, value_name = "IMAGE")]
        image: Option<String>,
    },
    /// Give one another name.
    Rename {
        /// Its name.
        from: String,
        /// Its new name.
        to: String,
    },
    /// Close one, with its text and its variables.
    Close {
        /// Its name.
        name: String,
    },
    /// Show how many sessions each server has, and how many it allows.
    Stats,
}

/// Options of `stui connect`.
#[derive(Debug, Args)]
#[command(
    after_help = "The connection is remembered for the next `stui up` of this Zellij session.\n\n\
        Examples:\n  \
        stui connect ~/pharo/stui.json --name moose\n  \
        stui sessions new analysis --image moose"
)]
pub struct Connect {
    /// A running server's connection file, `ssh://[USER@]HOST[:PORT][/NAME]`, `pharo:IMAGE`, or
    /// `embedded`.
    pub target: Target,
    /// What the image is called here; not given: a name is made from the target.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Name of the Zellij session.
    #[arg(long, value_name = "NAME", env = "ZELLIJ_SESSION_NAME")]
    pub zellij_session: Option<String>,
}

/// Options of `stui disconnect`.
#[derive(Debug, Args)]
pub struct Disconnect {
    /// Name of the image; `stui sessions` shows it.
    pub name: String,
    /// Name of the Zellij session.
    #[arg(long, value_name = "NAME", env = "ZELLIJ_SESSION_NAME")]
    pub zellij_session: Option<String>,
}

/// Options of `stui doctor`.
#[derive(Debug, Args)]
#[command(
    after_help = "Each finding is a line: ok, note (as it may be) or problem, and behind a problem what to \
        do. With --json a line is an object: {\"level\":…,\"subject\":…,\"text\":…,\"remedy\":…}.\n\n\
        Exit status: 0 if nothing is wrong, 1 if something is."
)]
pub struct Doctor {
    /// Name of the Zellij session to look at; default: the one that this runs in, else that of the
    /// configuration.
    #[arg(long, value_name = "NAME", env = "ZELLIJ_SESSION_NAME")]
    pub session: Option<String>,
    /// The Zellij to look at, instead of the first one on PATH.
    #[arg(long, value_name = "PROGRAM")]
    pub zellij: Option<PathBuf>,
    /// Print one JSON object a finding.
    #[arg(long)]
    pub json: bool,
}

/// Options of `stui config`.
#[derive(Debug, Args)]
#[command(
    after_help = "Defaults, the file, the environment, flags: later wins.\n\n\
        Examples:\n  \
        mkdir -p ~/.config/stui; stui config example > \"$(stui config path)\"\n  \
        stui config check\n  \
        STUI_THEME=zellij stui config show"
)]
pub struct ConfigCommand {
    /// What to do.
    #[command(subcommand)]
    pub command: ConfigAction,
}

/// What `stui config` does.
#[derive(Debug, Subcommand)]
pub enum ConfigAction {
    /// Print the settings that hold, each with where it comes from.
    Show,
    /// Check a file: all mistakes, each with its line. Exit status 1 if there is one.
    Check {
        /// The file; default: the one that would be used, and the environment with it.
        file: Option<PathBuf>,
    },
    /// Print which file is used.
    Path,
    /// Print an example of the whole file, with comments.
    Example,
}

/// The commands of `stui pharo`.
#[derive(Debug, Subcommand)]
#[command(
    after_help = "The server is loaded into a copy of your image; the image itself stays as it is. \
        Each connection file has a copy of its own of that, in which SaveImage saves.\n\n\
        Examples:\n  \
        stui pharo get\n  \
        stui pharo prepare --image ~/Pharo/images/Moose/Moose.image\n  \
        stui pharo serve --endpoint tcp://127.0.0.1:5555"
)]
pub enum Pharo {
    /// List the images and virtual machines that are known, and which images are prepared.
    List,
    /// Fetch an image and its virtual machine from get.pharo.org.
    Get(PharoGet),
    /// Load the server into a copy of an image, so that it starts at once later.
    Prepare(PharoPrepare),
    /// Run a server in an image, without windows.
    Serve(PharoServe),
    /// Run the server's own tests in an image.
    Test(PharoChoice),
}

/// Which Pharo.
#[derive(Debug, Args)]
pub struct PharoChoice {
    /// The image; default: that of `PHARO_IMAGE`, of the configuration, or the newest fetched one.
    #[arg(long, value_name = "IMAGE")]
    pub image: Option<PathBuf>,
    /// The virtual machine, which is remembered for the image; default: the one named before, that of
    /// `PHARO_VM`, of the configuration, beside the image, of its version, or `pharo` on PATH.
    #[arg(long, value_name = "VM")]
    pub vm: Option<PathBuf>,
}

/// Options of `stui pharo get`.
#[derive(Debug, Args)]
pub struct PharoGet {
    /// Which version of Pharo.
    #[arg(value_enum, default_value = "12")]
    pub version: Version,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
}

/// Options of `stui pharo prepare`.
#[derive(Debug, Args)]
pub struct PharoPrepare {
    /// Which Pharo.
    #[command(flatten)]
    pub pharo: PharoChoice,
    /// Load the server also if nothing has changed since it was loaded.
    #[arg(long)]
    pub again: bool,
}

/// Options of `stui pharo serve`.
#[derive(Debug, Args)]
#[command(
    after_help = "The server ends on SIGTERM, SIGHUP, Ctrl-C or a Shutdown request, or when the file \
        CONNECTION-FILE.stop appears: clients are told, and what runs is answered. Its log lies beside the \
        connection file. A key of your own goes in the environment, as STUI_KEY.\n\n\
        Exit status: 0 when it was told to end, 1 if it could not start or go on."
)]
pub struct PharoServe {
    /// Which Pharo.
    #[command(flatten)]
    pub pharo: PharoChoice,
    /// Where to listen: `tcp://ADDRESS:PORT` (`*` for a free port) or, with libzmq, `ipc:///PATH`.
    #[arg(long, value_name = "ENDPOINT", default_value = "tcp://127.0.0.1:*")]
    pub endpoint: String,
    /// By which socket the server talks.
    #[arg(long, value_enum, default_value = "auto")]
    pub socket: Socket,
    /// Where to write the connection file, by which clients find the server. Default: in the runtime
    /// directory, where `stui eval` looks.
    #[arg(long, value_name = "FILE")]
    pub connection_file: Option<PathBuf>,
    /// Serve everybody who reaches the endpoint. Only on this machine.
    #[arg(long)]
    pub no_key: bool,
    /// End when this process has ended, and not with a terminal.
    #[arg(long, value_name = "PID")]
    pub exit_with_pid: Option<u32>,
    /// Run the image itself, in which the server is loaded already, instead of a copy.
    #[arg(long)]
    pub as_is: bool,
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
    /// Start the sidecar, and start it again when it was killed.
    #[arg(long, conflicts_with = "daemon")]
    pub keep: bool,
}

/// Options of `stui tunnel`.
#[derive(Debug, Args)]
pub struct Tunnel {
    /// The server: `ssh://[USER@]HOST[:PORT][/NAME]`.
    pub target: Target,
    /// End when this process has ended, and not with a terminal.
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

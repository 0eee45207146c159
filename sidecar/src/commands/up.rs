//! `stui up`: open Zellij with STUI's panes, or come back to them.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::calls::{self, Call};
use crate::cli;
use crate::client::read_connection_file;
use crate::config::{self, Config, Flag, Remembered, Theme};
use crate::hub::asked::Told;
use crate::permissions;
use crate::pharo::Settings;
use crate::pharo::images::{Environment, Finder};
use crate::places::{Places, write_whole};
use crate::plugin_file::{self, LAYOUT};
use crate::process::run_bounded;
use crate::servers::{Image, set_images};
use crate::target::Target;
use crate::zellij::Zellij;

/// Becomes Zellij, or opens a tab in the Zellij around it.
///
/// # Errors
/// If anything is missing, in one sentence that says what to do.
pub fn run(file: Option<&Path>, options: &cli::Up) -> Result<ExitCode> {
    super::log("error");
    let asked_for = asked_for(options)?;
    let flags = flags(options, &asked_for);
    let config = config::load(file, &flags).sound()?;
    let remembered = Remembered::of(file, &flags);
    let session = &config.session.value;
    let inside = std::env::var_os("ZELLIJ").is_some();
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if !(inside || terminal) {
        bail!(
            "there is no terminal here for Zellij to draw on; `stui demo` plays a session without one"
        );
    }
    let places = Places::from_environment()?;
    check_targets(&config, options.vm.as_deref(), &places)?;
    let zellij = Zellij::find(config.zellij.value.as_deref())?;
    zellij.supported_version()?;
    places.runtime()?;
    let address = plugin_file::install(&places)?;
    permit(&places, config.theme.value, options.grant_permissions)?;
    if inside {
        return open_tab(&asked_for, &config, &remembered, &places, &zellij, &address);
    }
    if zellij.living_sessions()?.contains(session) {
        // What only a new session can have, said on this command line; the file's is for new ones.
        let is_for_new = |flag: &Flag| !["session", "zellij", "connect"].contains(&flag.name);
        if let Some(flag) = flags.iter().find(|flag| is_for_new(flag)) {
            bail!(
                "the session {session} runs already, and {} is for a new one; end it first (Ctrl q), or choose another --session",
                flag.flag
            );
        }
        connect_running(&places, session, &asked_for)?;
        return Err(become_zellij(
            &zellij,
            &["attach".as_ref(), session.as_ref()],
        ));
    }
    forget_ended(&zellij, session);
    let layout = prepare(&config, &remembered, &places, session, &address)?;
    connect_to(&places, session, &config.connect.value)?;
    Err(become_zellij(
        &zellij,
        &[
            "--session".as_ref(),
            session.as_ref(),
            "--new-session-with-layout".as_ref(),
            layout.as_ref(),
        ],
    ))
}

/// Connects a running sidecar to more images.
fn connect_running(places: &Places, session: &str, targets: &[Target]) -> Result<()> {
    for target in targets {
        match super::sessions::connect_to(places, session, target, None)? {
            Told::Done { text } => println!("{text}"),
            Told::Refused { reason } => bail!("{reason}"),
            _ => {}
        }
    }
    Ok(())
}

/// What the command line says to connect to.
fn asked_for(options: &cli::Up) -> Result<Vec<Target>> {
    let mut targets = options.connect.clone();
    for image in &options.pharo {
        targets.push(Target::Pharo(std::path::absolute(image)?));
    }
    if options.vm.is_some() && !targets.iter().any(|it| matches!(it, Target::Pharo(_))) {
        bail!("--vm names the virtual machine for a Pharo image; give --pharo IMAGE too");
    }
    Ok(targets)
}

/// What the command line sets.
fn flags(options: &cli::Up, asked_for: &[Target]) -> Vec<Flag> {
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    let connect = (!asked_for.is_empty()).then(|| Flag {
        name: "connect",
        flag: "--connect",
        values: asked_for.iter().map(ToString::to_string).collect(),
    });
    [
        connect,
        Flag::given("session", "--session", options.session.clone()),
        Flag::given("layout", "--layout", path(&options.layout)),
        Flag::given("zellij", "--zellij", path(&options.zellij)),
        Flag::given("theme", "--theme", options.theme.clone()),
        Flag::given("guests", "--guests", options.guests.clone()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Leaves for the session's sidecar what it has to know, and answers the layout.
fn prepare(
    config: &Config,
    remembered: &Remembered,
    places: &Places,
    session: &str,
    address: &str,
) -> Result<PathBuf> {
    places.make_session(session)?;
    config::remember(places, session, remembered)
        .with_context(|| format!("cannot write {}", places.flags(session).display()))?;
    write_layout(config, places, session, address)
}

/// Whether all that is to be connected to can be used; remembers the VM that was named for an image.
fn check_targets(config: &Config, vm: Option<&Path>, places: &Places) -> Result<()> {
    let settings = Settings::of(config);
    let finder = Finder {
        places,
        settings: &settings,
        environment: Environment::here(),
    };
    for target in &config.connect.value {
        match target {
            Target::File(file) => drop(read_connection_file(file)?),
            Target::Pharo(image) => {
                let choice = finder.choose(Some(image), vm)?;
                finder.remember(&choice).context("cannot remember the VM")?;
            }
            Target::Embedded | Target::Ssh(_) => {}
        }
    }
    Ok(())
}

/// Remembers what to connect to; without a word about it, the same as last time.
fn connect_to(places: &Places, session: &str, targets: &[Target]) -> Result<()> {
    if !targets.is_empty() {
        set_images(places, session, &Image::named(targets.iter().cloned()))
            .with_context(|| format!("cannot write {}", places.images(session).display()))?;
    }
    Ok(())
}

/// Replaces this process by Zellij; comes back only with an error.
fn become_zellij(zellij: &Zellij, arguments: &[&std::ffi::OsStr]) -> anyhow::Error {
    let error = Command::new(zellij.program()).args(arguments).exec();
    anyhow::Error::new(error).context(format!("cannot run {}", zellij.program().display()))
}

/// Zellij keeps sessions that have ended, to be resurrected; their name is taken until they are
/// deleted. What STUI wants back from them is in its own journal.
fn forget_ended(zellij: &Zellij, session: &str) {
    let mut command = Command::new(zellij.program());
    command.args(["delete-session", session]);
    // There mostly is none.
    let _ = run_bounded(&mut command, Duration::from_secs(3));
}

fn write_layout(config: &Config, places: &Places, session: &str, address: &str) -> Result<PathBuf> {
    let template = match &config.layout.value {
        Some(path) => std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the layout {}", path.display()))?,
        None => LAYOUT.to_owned(),
    };
    let stui = std::env::current_exe().context("cannot tell where this program is")?;
    let layout = plugin_file::fill_in(&template, address, &stui);
    let layout = plugin_file::with_settings(layout, address, &config.for_panes())
        .with_context(|| format!("cannot use the layout of {}", config.layout.origin))?;
    let path = places.layout(session);
    write_whole(&path, layout.as_bytes())
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// Sees to the plugin's permissions: grants them if the user says so, else leaves them to Zellij.
fn permit(places: &Places, theme: Theme, without_asking: bool) -> Result<()> {
    let file = places.zellij_permissions();
    let plugin = places.plugin();
    let wanted = permissions::wanted(theme);
    let missing = permissions::missing(&file, &plugin, &wanted)?;
    if missing.is_empty() {
        return Ok(());
    }
    if !without_asking {
        println!("The plugin needs these permissions of Zellij:");
        for (name, why) in wanted.iter().filter(|(name, _)| missing.contains(name)) {
            println!("  {name}: {why}");
        }
        if !super::yes("Grant them now? (With no, Zellij asks in the panes.)")? {
            return Ok(());
        }
    }
    permissions::grant(&file, &plugin, &wanted)?;
    Ok(())
}

/// Inside Zellij there can be no other Zellij: the panes come as a tab of this session.
fn open_tab(
    asked_for: &[Target],
    config: &Config,
    remembered: &Remembered,
    places: &Places,
    zellij: &Zellij,
    address: &str,
) -> Result<ExitCode> {
    let session = std::env::var("ZELLIJ_SESSION_NAME")
        .context("this is inside Zellij, but ZELLIJ_SESSION_NAME does not say in which session")?;
    let layout = prepare(config, remembered, places, &session, address)?;
    if calls::call(&places.sidecar_socket(&session), &Call::Status).is_ok() {
        connect_running(places, &session, asked_for)?;
    } else {
        connect_to(places, &session, &config.connect.value)?;
    }
    let words: Vec<OsString> = vec![
        "--session".into(),
        session.into(),
        "action".into(),
        "new-tab".into(),
        "--name".into(),
        "stui".into(),
        "--layout".into(),
        Path::new(&layout).into(),
    ];
    // Not tried again on silence: a second tab would be worse than a question.
    let mut command = Command::new(zellij.program());
    command.args(&words);
    let output = run_bounded(&mut command, Duration::from_secs(5))
        .context("Zellij did not open a tab; try again")?;
    if !output.status.success() {
        bail!(
            "Zellij did not open a tab: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    println!("STUI is in a new tab of this session.");
    Ok(ExitCode::SUCCESS)
}

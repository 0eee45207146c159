//! `stui up`: open Zellij with STUI's panes, or come back to them.

use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::calls::{self, Call};
use crate::cli;
use crate::client::read_connection_file;
use crate::hub::asked::Told;
use crate::permissions::{self, WANTED};
use crate::places::{Places, write_whole};
use crate::plugin_file::{self, LAYOUT};
use crate::process::run_bounded;
use crate::servers::{Image, set_images};
use crate::target::Target;
use crate::zellij::Zellij;

/// Longest session name that Zellij's own socket paths take.
const MAX_SESSION_NAME: usize = 36;

/// Becomes Zellij, or opens a tab in the Zellij around it.
///
/// # Errors
/// If anything is missing, in one sentence that says what to do.
pub fn run(options: &cli::Up) -> Result<ExitCode> {
    super::log("error");
    check_name(&options.session)?;
    let inside = std::env::var_os("ZELLIJ").is_some();
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if !(inside || terminal) {
        bail!(
            "there is no terminal here for Zellij to draw on; `stui demo` plays a session without one"
        );
    }
    for target in &options.connect {
        if let Target::File(file) = target {
            read_connection_file(file)?;
        }
    }
    let zellij = Zellij::find(options.zellij.as_deref())?;
    zellij.supported_version()?;
    let places = Places::from_environment()?;
    places.runtime()?;
    let address = plugin_file::install(&places)?;
    permit(&places, options.grant_permissions)?;
    if inside {
        return open_tab(options, &places, &zellij, &address);
    }
    if zellij.living_sessions()?.contains(&options.session) {
        connect_running(&places, &options.session, &options.connect)?;
        if options.layout.is_some() {
            bail!(
                "the session {} runs already with its layout; end it first (Ctrl q), or choose another --session",
                options.session
            );
        }
        return Err(become_zellij(
            &zellij,
            &["attach".as_ref(), options.session.as_ref()],
        ));
    }
    forget_ended(&zellij, &options.session);
    places.make_session(&options.session)?;
    connect_to(&places, &options.session, &options.connect)?;
    let layout = write_layout(options, &places, &options.session, &address)?;
    Err(become_zellij(
        &zellij,
        &[
            "--session".as_ref(),
            options.session.as_ref(),
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

/// Remembers what to connect to; without a word about it, the same as last time.
fn connect_to(places: &Places, session: &str, targets: &[Target]) -> Result<()> {
    if !targets.is_empty() {
        set_images(places, session, &Image::named(targets.iter().cloned()))
            .with_context(|| format!("cannot write {}", places.images(session).display()))?;
    }
    Ok(())
}

fn check_name(name: &str) -> Result<()> {
    let good = !name.is_empty()
        && name.len() <= MAX_SESSION_NAME
        && !name.contains('/')
        && !name.starts_with(['-', '.'])
        && !name.chars().any(char::is_control);
    if !good {
        bail!(
            "{name:?} cannot name a session: use 1 to {MAX_SESSION_NAME} letters, digits and dashes"
        );
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

fn write_layout(
    options: &cli::Up,
    places: &Places,
    session: &str,
    address: &str,
) -> Result<PathBuf> {
    let template = match &options.layout {
        Some(path) => std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the layout {}", path.display()))?,
        None => LAYOUT.to_owned(),
    };
    let stui = std::env::current_exe().context("cannot tell where this program is")?;
    let layout = plugin_file::fill_in(&template, address, &stui);
    let path = places.layout(session);
    write_whole(&path, layout.as_bytes())
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// Sees to the plugin's permissions: grants them if the user says so, else leaves them to Zellij.
fn permit(places: &Places, without_asking: bool) -> Result<()> {
    let file = places.zellij_permissions();
    let plugin = places.plugin();
    let missing = permissions::missing(&file, &plugin)?;
    if missing.is_empty() {
        return Ok(());
    }
    if !without_asking {
        println!("The plugin needs these permissions of Zellij:");
        for (name, why) in WANTED.iter().filter(|(name, _)| missing.contains(name)) {
            println!("  {name}: {why}");
        }
        if !yes("Grant them now? (With no, Zellij asks in the panes.)")? {
            return Ok(());
        }
    }
    permissions::grant(&file, &plugin)?;
    Ok(())
}

/// Asks a question that is answered with yes or no; anything unclear is no.
fn yes(question: &str) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    print!("{question} [y/N] ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Inside Zellij there can be no other Zellij: the panes come as a tab of this session.
fn open_tab(
    options: &cli::Up,
    places: &Places,
    zellij: &Zellij,
    address: &str,
) -> Result<ExitCode> {
    let session = std::env::var("ZELLIJ_SESSION_NAME")
        .context("this is inside Zellij, but ZELLIJ_SESSION_NAME does not say in which session")?;
    places.make_session(&session)?;
    if calls::call(&places.sidecar_socket(&session), &Call::Status).is_ok() {
        connect_running(places, &session, &options.connect)?;
    } else {
        connect_to(places, &session, &options.connect)?;
    }
    let layout = write_layout(options, places, &session, address)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_name_is_one_that_zellij_takes() {
        for good in ["stui", "a b", "é-1"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        let long = "x".repeat(MAX_SESSION_NAME + 1);
        for bad in ["", "a/b", "-n", "..", "a\nb", &long] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}

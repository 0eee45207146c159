//! `stui pharo`: servers in Pharo images.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::cli;
use crate::config;
use crate::pharo::get::{self, Version};
use crate::pharo::images::{Choice, Environment, Finder, Found};
use crate::pharo::runner::{Runner, Serving};
use crate::pharo::{Settings, get::folder};
use crate::places::Places;
use crate::process::leave_session;
use crate::target::Target;

/// Does one of the commands.
///
/// # Errors
/// One sentence that says what to do.
pub fn run(file: Option<&Path>, command: cli::Pharo) -> Result<ExitCode> {
    super::log("warn");
    let places = Places::from_environment()?;
    let settings = Settings::of(&config::load(file, &[]).sound()?);
    let finder = Finder {
        places: &places,
        settings: &settings,
        environment: Environment::here(),
    };
    match command {
        cli::Pharo::List => list(&finder),
        cli::Pharo::Get(options) => fetch(&finder, &options),
        cli::Pharo::Prepare(options) => {
            let status = runner(&finder, &options.pharo)?.prepare(options.again)?;
            Ok(code(status))
        }
        cli::Pharo::Test(options) => Ok(code(runner(&finder, &options)?.test()?)),
        cli::Pharo::Serve(options) => serve(&finder, options),
    }
}

fn code(status: std::process::ExitStatus) -> ExitCode {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    ExitCode::from(code.unwrap_or(1))
}

/// The image and VM that the options name, or that are found.
fn choose(finder: &Finder, options: &cli::PharoChoice) -> Result<Choice> {
    let choice = finder.choose(options.image.as_deref(), options.vm.as_deref())?;
    if let Err(error) = finder.remember(&choice) {
        tracing::warn!(%error, "the VM is not remembered");
    }
    Ok(choice)
}

fn runner(finder: &Finder, options: &cli::PharoChoice) -> Result<Runner> {
    let choice = choose(finder, options)?;
    tracing::info!(image = %choice.image.path.display(), vm = %choice.vm.path.display(), "Pharo");
    Ok(Runner::new(finder.places, &choice)?)
}

fn serve(finder: &Finder, options: cli::PharoServe) -> Result<ExitCode> {
    let choice = choose(finder, &options.pharo)?;
    let connection_file = if let Some(file) = options.connection_file {
        std::path::absolute(file)?
    } else {
        // The same each time: what SaveImage saved belongs to it.
        let name = Target::Pharo(choice.image.path.clone()).default_name();
        finder.places.runtime()?.join(format!("pharo-{name}.json"))
    };
    let runner = Runner::new(finder.places, &choice)?;
    if options.exit_with_pid.is_some() {
        leave_session();
    }
    let error = runner.become_server(&Serving {
        endpoint: options.endpoint,
        socket: options.socket,
        connection_file,
        no_key: options.no_key,
        exit_with_pid: options.exit_with_pid,
        as_is: options.as_is,
    });
    Err(error).context("cannot run /bin/sh, which runs the Pharo server")
}

fn list(finder: &Finder) -> Result<ExitCode> {
    let images = finder.images();
    let vms = finder.vms();
    println!("Images:");
    for image in &images {
        println!("  {}", line(image));
        println!("    {}", state(finder, image)?);
    }
    if images.is_empty() {
        println!("  none; `stui pharo get` fetches one");
    }
    println!("Virtual machines:");
    for vm in &vms {
        println!("  {}", line(vm));
    }
    if vms.is_empty() {
        println!("  none; `stui pharo get` fetches one");
    }
    Ok(ExitCode::SUCCESS)
}

fn line(found: &Found) -> String {
    format!("{} ({})", found.path.display(), found.origin.words())
}

/// Whether an image is prepared, and with which VM it would be run.
fn state(finder: &Finder, image: &Found) -> Result<String> {
    let choice = match finder.choose(Some(&image.path), None) {
        Ok(choice) => choice,
        Err(error) => return Ok(error.to_string()),
    };
    let state = Runner::new(finder.places, &choice)?.state()?;
    Ok(format!("{state}; VM {}", choice.vm.path.display()))
}

fn fetch(finder: &Finder, options: &cli::PharoGet) -> Result<ExitCode> {
    let version = options.version;
    let place = folder(finder.places, version);
    if !options.yes && !place.exists() && !agreed(version, &place)? {
        bail!("nothing was fetched; `stui pharo get --yes` does not ask");
    }
    let place = get::get(finder.places, &finder.environment, version)?;
    println!("Pharo {} is in {}.", version.number(), place.display());
    println!(
        "Try it: stui up --pharo {}",
        place.join("Pharo.image").display()
    );
    Ok(ExitCode::SUCCESS)
}

/// Says what would be done, and asks.
fn agreed(version: Version, place: &std::path::Path) -> Result<bool> {
    println!(
        "Pharo {} with its virtual machine is fetched from {} (some 150 MB) into {}.",
        version.number(),
        version.address(),
        place.display()
    );
    println!(
        "This runs the script that Pharo's makers publish there. It fetches from files.pharo.org by plain http, \
         and nothing of it is signed."
    );
    Ok(super::yes("Go on?")?)
}

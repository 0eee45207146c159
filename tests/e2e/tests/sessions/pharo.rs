//! What panes say while a Pharo server is made ready. Its VM is a stand-in that only takes its time: what a real one does
//! is tested where there is one, in `tests/pharo.rs`.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use stui_e2e::{NAME, Session, new_stage, roomy};

/// Says its version, then loads the server for as long as there is no file `go`, and fails.
const STAND_IN: &str = "#!/bin/sh\n\
    case \" $* \" in *\" --version \"*) echo stand-in; exit 0 ;; esac\n\
    while [ ! -e \"$HOME/go\" ]; do sleep 0.05; done\n\
    echo 'It is no Pharo.'\nexit 1\n";

#[test]
fn panes_say_that_a_pharo_image_is_prepared_and_what_went_wrong() {
    let stage = new_stage();
    let (vm, image) = (stage.path("home/vm"), stage.path("home/Moose.image"));
    fs::write(&vm, STAND_IN).expect("a stand-in");
    fs::set_permissions(&vm, fs::Permissions::from_mode(0o755)).expect("a program");
    fs::write(&image, "no image").expect("a file");
    let arguments: [&OsStr; 4] = [
        "--pharo".as_ref(),
        image.as_ref(),
        "--vm".as_ref(),
        vm.as_ref(),
    ];
    let terminal = stage
        .up_with(NAME, roomy(), &arguments)
        .unwrap_or_else(|error| panic!("stui up does not start: {error:#}"));
    let session = Session { terminal, stage };
    session.see("starting Smalltalk");
    session.see("preparing the Pharo image");
    fs::write(session.stage.path("home/go"), "").expect("a file");
    session.see("could not be loaded");
    session.close();
}

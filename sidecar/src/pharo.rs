//! Pharo: which images and virtual machines there are, and how a server is run in one.
//!
//! The server itself is Smalltalk, in `smalltalk/pharo`, and a script there, `run-stui-server.sh`, is the
//! one place that knows how to load it into an image, run it and stop it. This program carries both
//! inside ([`package`]), finds an image and a VM ([`images`]), and becomes the script ([`runner`]).
//! [`get`] fetches a Pharo for those who have none.

pub mod get;
pub mod images;
pub mod package;
pub mod runner;

use std::path::PathBuf;

/// What the user's configuration says about Pharo.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// The VM to run images with.
    pub vm: Option<PathBuf>,
    /// The image to use if none is named.
    pub image: Option<PathBuf>,
}

impl Settings {
    /// What a configuration says.
    pub fn of(config: &crate::config::Config) -> Settings {
        Settings {
            vm: config.pharo_vm.value.clone(),
            image: config.pharo_image.value.clone(),
        }
    }
}

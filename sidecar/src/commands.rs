//! The commands of the `stui` program, one a module.

pub mod config;
pub mod doctor;
pub mod eval;
pub mod guests;
pub mod pharo;
pub mod serve;
pub mod sessions;
pub mod sidecar;
pub mod tunnel;
pub mod up;

/// Begins the log of this command; see [`crate::log`].
fn log(default: &str) {
    crate::log::start(default);
}

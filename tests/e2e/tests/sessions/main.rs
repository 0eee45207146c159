//! Sessions in a real Zellij, one subject a module.

mod clients;
mod configuring;
mod debugging;
mod ending;
mod evaluating;
mod faults;
mod inspecting;
mod pharo;
mod private;
mod several;
mod sizes;
mod text;

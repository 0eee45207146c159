//! Sessions in a real Zellij, one subject a module.

mod clients;
mod ending;
mod evaluating;
mod faults;
mod inspecting;
mod pharo;
mod sizes;
mod text;

//! Sessions in a real Zellij, one subject a module.

mod clients;
mod ending;
mod evaluating;
mod faults;
mod inspecting;
mod several;
mod sizes;
mod text;

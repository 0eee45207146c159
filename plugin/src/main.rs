//! The plugin's binary: Zellij runs it as WebAssembly. What it does is in the library; how it speaks
//! with Zellij is in `zellij.rs`.

#[cfg(target_family = "wasm")]
mod zellij;

#[cfg(target_family = "wasm")]
fn main() {
    zellij::start();
}

#[cfg(not(target_family = "wasm"))]
fn main() {
    eprintln!("This is a Zellij plugin: build it for wasm32-wasip1 (`cargo xtask build`).");
    std::process::exit(2);
}

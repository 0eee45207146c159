//! Bytes to and from Zellij's server: decimal numbers in a JSON list, on standard input and output.

use std::io::{Read, Write};

use super::api::plugin_command::plugin_command::Payload;
use super::api::plugin_command::{CommandName, PluginCommand};
use zellij_tile::shim::prost::Message;

#[link(wasm_import_module = "zellij")]
unsafe extern "C" {
    /// Carries out the command that lies on standard output.
    safe fn host_run_plugin_command();
}

/// Give Zellij a command: its bytes as a JSON list of numbers on standard output, then the call.
pub(super) fn command(name: CommandName, payload: Option<Payload>) {
    let bytes = PluginCommand {
        name: i32::from(name),
        payload,
    }
    .encode_to_vec();
    let mut line = Vec::with_capacity(bytes.len() * 4 + 3);
    line.push(b'[');
    for (index, byte) in bytes.iter().copied().enumerate() {
        if index > 0 {
            line.push(b',');
        }
        if byte >= 100 {
            line.push(b'0' + byte / 100);
        }
        if byte >= 10 {
            line.push(b'0' + byte / 10 % 10);
        }
        line.push(b'0' + byte % 10);
    }
    line.extend_from_slice(b"]\n");
    write(&line);
    host_run_plugin_command();
}

/// Put bytes on standard output, where Zellij reads them after the call.
pub(super) fn write(bytes: &[u8]) {
    let mut stdout = std::io::stdout().lock();
    // Zellij reads what is there; where it does not read, there is nobody to tell
    let _ = stdout.write_all(bytes).and_then(|()| stdout.flush());
}

/// The message that Zellij put on standard input. What cannot be read is logged and answered by none.
pub(super) fn receive<M: Message + Default>() -> Option<M> {
    match M::decode(receive_bytes().as_slice()) {
        Ok(message) => Some(message),
        Err(error) => {
            eprintln!("stui: a message from Zellij was left out: {error}");
            None
        }
    }
}

/// Bytes written as decimal numbers, up to the end of the line. They are taken in pieces, so that a
/// long paste is in memory once and not four times.
fn receive_bytes() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut stdin = std::io::stdin().lock();
    let mut number = None;
    let mut piece = [0; 8192];
    'line: while let Ok(length @ 1..) = stdin.read(&mut piece) {
        for byte in &piece[..length] {
            match byte {
                b'0'..=b'9' => {
                    let digit = u32::from(byte - b'0');
                    number = Some(number.unwrap_or(0u32).wrapping_mul(10).wrapping_add(digit));
                }
                b'\n' => break 'line,
                _ => bytes.extend(number.take().map(|number| number as u8)),
            }
        }
    }
    bytes.extend(number.map(|number| number as u8));
    bytes
}

//! Recording what a terminal shows, as asciinema plays it: [asciicast version 2], one JSON document a line.
//!
//! [asciicast version 2]: https://docs.asciinema.org/manual/asciicast/v2/

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde_json::json;

use crate::terminal::{OnOutput, Size};

/// Output, and how many seconds after the start it came.
type Piece = (f64, Vec<u8>);

/// Collects output with the times at which it came.
pub struct Recorder {
    size: Size,
    started: Instant,
    pieces: Arc<Mutex<Vec<Piece>>>,
}

impl Recorder {
    /// A recorder for a terminal of a size; time starts now.
    pub fn new(size: Size) -> Recorder {
        Recorder {
            size,
            started: Instant::now(),
            pieces: Arc::default(),
        }
    }

    /// What a [`crate::terminal::Terminal`] is to call with its output.
    pub fn observer(&self) -> OnOutput {
        let (started, pieces) = (self.started, Arc::clone(&self.pieces));
        Box::new(move |bytes| {
            lock(&pieces).push((started.elapsed().as_secs_f64(), bytes.to_vec()));
        })
    }

    /// What was recorded so far.
    pub fn asciicast(&self, title: &str) -> String {
        let header = json!({
            "version": 2,
            "width": self.size.columns,
            "height": self.size.rows,
            "title": title,
            "env": {"TERM": "xterm-256color"},
        });
        let mut out = format!("{header}\n");
        let mut rest = Vec::new();
        for (seconds, bytes) in lock(&self.pieces).iter() {
            rest.extend_from_slice(bytes);
            let text = take_text(&mut rest);
            let milliseconds = (seconds * 1000.0).round() / 1000.0;
            out += &json!([milliseconds, "o", text]).to_string();
            out.push('\n');
        }
        out
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Take the text from bytes, leaving a character that is not complete yet for the next time.
fn take_text(bytes: &mut Vec<u8>) -> String {
    let incomplete = match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => bytes.len() - error.valid_up_to(),
        _ => 0,
    };
    let complete: Vec<u8> = bytes.drain(..bytes.len() - incomplete).collect();
    String::from_utf8_lossy(&complete).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_is_a_header_and_a_line_for_each_output() {
        let recorder = Recorder::new(Size::new(80, 24));
        let mut observe = recorder.observer();
        observe(b"one\r\n");
        observe("€".as_bytes());
        let text = recorder.asciicast("T");
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0]["version"], 2);
        assert_eq!(lines[0]["width"], 80);
        assert_eq!(lines[1][1], "o");
        assert_eq!(lines[1][2], "one\r\n");
        assert_eq!(lines[2][2], "€");
        assert!(lines[2][0].as_f64() >= lines[1][0].as_f64());
    }

    #[test]
    fn a_character_cut_in_two_is_recorded_whole() {
        let recorder = Recorder::new(Size::new(80, 24));
        let mut observe = recorder.observer();
        let (start, end) = "日".as_bytes().split_at(2);
        observe(start);
        observe(end);
        let text = recorder.asciicast("T");
        assert!(text.contains("\"日\""), "{text}");
        assert!(!text.contains('\u{fffd}'), "{text}");
    }
}

//! Faults in a real Zellij with two terminals attached.

use stui::demo::script::keys;
use stui::demo::stage::Stage;
use stui_e2e::{
    NAME, PATIENCE, Screen, Size, Terminal, is_connected, left, new_stage, right, text_of,
};

use crate::image::Image;
use crate::play::{Play, Stroke, Table};
use crate::{faults, seed, stui};

/// Faults in a short run.
const FEW: usize = 6;
/// In a long run there are so many times fewer here than on desks: one after the other, they take hours.
const SHARE: usize = 20;
/// More than this make a text longer than a screen.
const MOST: usize = 60;

/// A Zellij session and the terminals of the two people.
pub(crate) struct Multiplexer {
    terminals: [Terminal; 2],
    stage: Stage,
}

impl Multiplexer {
    /// A session that is connected to a server, with two people at it.
    pub(crate) fn start(size: Size) -> (Multiplexer, Image) {
        let stage = new_stage();
        let image = Image::start(&stage, &stui());
        let command = stage
            .command(&stui())
            .args(["up", "--grant-permissions", "--session", NAME])
            .args(["--connect".as_ref(), image.shown.as_os_str()])
            .args(["--zellij".as_ref(), stage.zellij().as_os_str()]);
        let first = Terminal::spawn(&command, size).expect("stui up can be started");
        see(&stage, &first, "three connected panes", is_connected);
        let second = stage
            .attach(NAME, size, PATIENCE, "three connected panes", is_connected)
            .unwrap_or_else(|error| panic!("{error:#}\n{}", stage.logs()));
        let multiplexer = Multiplexer {
            terminals: [first, second],
            stage,
        };
        // until a client does something, Zellij has it nowhere
        multiplexer.terminals[1].click(5, 5);
        multiplexer.press(1, keys::WORKSPACE);
        (multiplexer, image)
    }

    /// A person presses a key.
    pub(crate) fn press(&self, who: usize, key: &str) {
        if let Err(error) = self.terminals[who].press(key) {
            panic!("{error}");
        }
    }

    /// A person's terminal.
    pub(crate) fn terminal(&self, who: usize) -> &Terminal {
        &self.terminals[who]
    }

    /// Quits Zellij, and sees that nothing is left.
    pub(crate) fn close(self) {
        // with two people attached, Zellij's own key only takes one of them away
        if let Err(error) = self.terminals[1].kill() {
            panic!("{error}");
        }
        if let Err(error) = self.stage.close(&self.terminals[0]) {
            panic!("{error:#}\n{}", self.stage.logs());
        }
    }
}

fn see(stage: &Stage, terminal: &Terminal, what: &str, is_so: impl FnMut(&Screen) -> bool) {
    if let Err(error) = terminal.wait_until(PATIENCE, what, is_so) {
        panic!("{error}\n{}", stage.logs());
    }
}

/// The lines of a pane, without its frame.
fn bare(part: &str) -> impl Iterator<Item = &str> {
    part.lines()
        .map(|line| line.trim().trim_matches(['│', '|']).trim())
}

impl Table for Multiplexer {
    fn stage(&self) -> &Stage {
        &self.stage
    }

    fn strike(&self, who: usize, stroke: &Stroke) {
        match stroke {
            Stroke::Type(c) => self.terminals[who].type_text(&c.to_string()),
            Stroke::Press(key) => self.press(who, key),
        }
    }

    fn rows(&self, who: usize) -> Vec<String> {
        let part = left(&self.terminals[who].screen());
        let rows = part.lines().map(|row| {
            let inside = row.strip_prefix('│').unwrap_or(row);
            inside.trim_end_matches([' ', '│']).to_owned()
        });
        rows.collect()
    }

    fn transcript(&self, who: usize) -> Vec<String> {
        let part = right(&self.terminals[who].screen());
        bare(&part).map(str::to_owned).collect()
    }

    fn transcript_rows(&self) -> usize {
        30
    }

    fn everything(&self, who: usize) -> String {
        let part = left(&self.terminals[who].screen());
        let words: Vec<&str> = bare(&part).flat_map(str::split_whitespace).collect();
        words.join(" ")
    }

    fn logs(&self) -> String {
        let screens = self
            .terminals
            .each_ref()
            .map(|terminal| text_of(&terminal.screen()));
        format!("{}\n{}", screens.join("\n---\n"), self.stage.logs())
    }
}

#[test]
fn in_a_real_zellij_nothing_is_lost_either() {
    let count = faults().map_or(FEW, |all| (all / SHARE).clamp(FEW, MOST));
    let seed = seed();
    println!("{count} faults in Zellij, seed {seed}");
    let (multiplexer, image) = Multiplexer::start(Size::new(200, 230));
    let mut play = Play::begin(multiplexer, image, seed);
    play.faults(count);
    play.see_that_nothing_is_lost();
    println!("{}", play.recoveries.summary());
    let Play { table, image, .. } = play;
    drop(image);
    table.close();
}

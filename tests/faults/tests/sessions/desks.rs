//! Faults on desks, several side by side: most of the time a session waits for time to pass.

use std::path::Path;

use stui::demo::stage::Stage;
use stui::places::Places;
use stui::servers::{Image as Named, set_images};
use stui::target::Target;
use stui_desk::{Desk, NAME};
use stui_plugin::io::Size;
use stui_protocol::pane::Role;

use crate::image::Image;
use crate::play::{Play, Stroke, Table};
use crate::report::Recoveries;
use crate::{faults, seed, stui};

/// Faults in a short run.
const FEW: usize = 24;
/// Sessions that run side by side, at most.
const DESKS: usize = 8;
/// A pane that shows all there is.
const SIZE: Size = Size {
    rows: 900,
    columns: 100,
};

/// The clients of the two people.
const CLIENTS: [u16; 2] = [1, 2];

impl Table for Desk {
    fn stage(&self) -> &Stage {
        &self.stage
    }

    fn strike(&self, who: usize, stroke: &Stroke) {
        match stroke {
            Stroke::Type(c) => self.types(CLIENTS[who], Role::Workspace, &c.to_string()),
            Stroke::Press(key) => self.press(CLIENTS[who], Role::Workspace, key),
        }
    }

    fn rows(&self, who: usize) -> Vec<String> {
        self.shows(CLIENTS[who], Role::Workspace)
    }

    fn transcript(&self, who: usize) -> Vec<String> {
        self.shows(CLIENTS[who], Role::Transcript)
    }

    fn transcript_rows(&self) -> usize {
        // what a transcript's pane keeps, and the lines of lost evaluations among them
        400
    }

    fn everything(&self, who: usize) -> String {
        let rows = self.shows(CLIENTS[who], Role::Workspace);
        let words: Vec<&str> = rows.iter().flat_map(|row| row.split_whitespace()).collect();
        words.join(" ")
    }

    fn logs(&self) -> String {
        self.logs()
    }
}

/// A desk whose session is connected to a server of ours.
pub(crate) fn desk_with_image(stui: &Path) -> (Desk, Image) {
    let desk = Desk::new(stui);
    let image = Image::start(&desk.stage, stui);
    connect(&desk.stage, NAME, &image.shown);
    (desk, image)
}

/// Connects a session that is not there yet to the server of a connection file.
pub(crate) fn connect(stage: &Stage, session: &str, file: &Path) {
    let variables = stage.environment();
    let places = Places::from_variables(|name| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.display().to_string())
    })
    .expect("the stage has places");
    let images = Named::named([Target::File(file.to_owned())]);
    places.make_session(session).expect("a folder");
    set_images(&places, session, &images).expect("room on the disk");
}

fn play(seed: u64, count: usize) -> Recoveries {
    let (desk, image) = desk_with_image(&stui());
    for client in CLIENTS {
        desk.attach(client, SIZE);
    }
    let mut play = Play::begin(desk, image, seed);
    play.faults(count);
    play.see_that_nothing_is_lost();
    let text = play.table.workspace(0);
    play.table.attach(3, SIZE);
    let lines = text.iter().rposition(|line| line.starts_with("Hit"));
    let lines = &text[..lines.map_or(0, |at| at + 1)];
    play.wait("somebody who comes later sees the same", |play| {
        let shown = play.table.shows(3, Role::Workspace);
        let mut rows = shown.iter();
        lines.iter().all(|line| rows.any(|row| row.contains(line)))
    });
    let Play {
        table,
        image,
        recoveries,
        ..
    } = play;
    drop(image);
    table.close();
    recoveries
}

#[test]
fn nothing_is_lost_whatever_is_killed_stopped_or_cut() {
    let count = faults().unwrap_or(FEW);
    let desks = (count / 8).clamp(1, DESKS);
    let seed = seed();
    println!("{count} faults on {desks} desks, seed {seed}");
    let all: Vec<Recoveries> = std::thread::scope(|scope| {
        let plays: Vec<_> = (0..desks)
            .map(|at| {
                let share = (count * (at + 1)) / desks - (count * at) / desks;
                scope.spawn(move || play(seed + at as u64, share))
            })
            .collect();
        plays
            .into_iter()
            .map(|play| {
                play.join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    });
    let all = Recoveries(all.into_iter().flat_map(|one| one.0).collect());
    println!("{}", all.summary());
}

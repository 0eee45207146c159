//! A link that follows a connection file, with all that it tells.

use std::path::{Path, PathBuf};
use std::time::Instant;

use crossbeam_channel::{Receiver, unbounded};
use stui::hub::Outcome;
use stui::link::{Link, LinkEvent};
use stui_protocol::Uuid;
use stui_protocol::connection::ConnectionFile;

use super::{LIMIT, evaluate, result};

/// A link that follows a connection file, and what it told.
pub(crate) struct Linked {
    pub(crate) link: Link,
    pub(crate) told: Receiver<LinkEvent>,
    pub(crate) path: PathBuf,
    _folder: tempfile::TempDir,
}

impl Linked {
    /// One that follows a file of its own, which says this.
    pub(crate) fn to(file: &ConnectionFile) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("link.json");
        write(&path, file);
        Self::following(path, folder)
    }

    /// One that follows a file that somebody else writes; the folder is kept as long as the link.
    pub(crate) fn following(path: PathBuf, folder: tempfile::TempDir) -> Self {
        let source = path.clone();
        let (tell, told) = unbounded();
        let link = Link::start(
            Box::new(move || stui::servers::living(&source)),
            move |event| drop(tell.send(event)),
        )
        .unwrap();
        Linked {
            link,
            told,
            path,
            _folder: folder,
        }
    }

    /// Waits until it tells such a thing.
    pub(crate) fn wait<T>(&self, mut wanted: impl FnMut(LinkEvent) -> Option<T>) -> T {
        let deadline = Instant::now() + LIMIT;
        loop {
            if let Some(found) = wanted(self.told.recv_deadline(deadline).unwrap()) {
                return found;
            }
        }
    }

    /// Leaves what it has told so far.
    pub(crate) fn forget_told(&self) {
        while self.told.try_recv().is_ok() {}
    }

    /// Waits until it tells that the connection is not up.
    pub(crate) fn wait_down(&self) {
        self.wait(|event| matches!(event, LinkEvent::Disconnected(_)).then_some(()));
    }

    /// Asks for an evaluation.
    pub(crate) fn ask(&self, code: &str) -> Receiver<Outcome> {
        let (answer, answered) = unbounded();
        self.link
            .request(Uuid::new_v4(), evaluate(code, None), move |outcome| {
                drop(answer.send(outcome));
            });
        answered
    }

    /// Evaluates something.
    pub(crate) fn evaluates(&self) {
        assert_eq!(answer(&self.ask("3 + 4")), "7");
    }
}

/// Waits for the answer of an evaluation that succeeds.
pub(crate) fn answer(answered: &Receiver<Outcome>) -> String {
    match answered.recv_timeout(LIMIT).unwrap() {
        Outcome::Answered(response) => result(Ok(*response)),
        other => panic!("{other:?}"),
    }
}

/// Writes a connection file.
pub(crate) fn write(path: &Path, file: &ConnectionFile) {
    stui::places::write_whole(path, file.to_json().unwrap().as_bytes()).unwrap();
}

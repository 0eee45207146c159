//! From the hub to the disk and back.

use std::collections::{BTreeMap, BTreeSet};

use stui_protocol::pane::Status;

use super::Hub;
use super::document::{Changed, Document};
use super::inspector::{DEFAULT_ROWS, Inspector, Node};
use super::record::{Record, Snapshot};
use super::transcript::Transcript;

impl Hub {
    /// A hub with what the last one left on disk. `sidecar` names this process, `seed` is random:
    /// ids of requests are made from it.
    pub fn restored(
        sidecar: String,
        seed: u128,
        snapshot: Snapshot,
        records: impl IntoIterator<Item = Record>,
    ) -> Self {
        let mut hub = Hub {
            sidecar,
            seed,
            made_ids: 0,
            document: Document::from_snapshot(snapshot.document),
            cursors: snapshot.cursors,
            transcript: Transcript::default(),
            inspector: Inspector::default(),
            acked: snapshot.acked,
            present: BTreeMap::new(),
            evaluations: snapshot.evaluations,
            errors: Vec::new(),
            last_edit: BTreeMap::new(),
            asked_by: BTreeMap::new(),
            pending: BTreeMap::new(),
            session: snapshot.session,
            server_id: None,
            last_event: snapshot.cleared,
            cleared: snapshot.cleared,
            to_release: BTreeSet::new(),
            rows_shown: DEFAULT_ROWS,
            status: Status::default(),
            told: None,
            transcript_told: 0,
            transcript_dirty: false,
        };
        let mut trail = snapshot.trail;
        for record in records {
            hub.replay(record, &mut trail);
        }
        hub.cursors.begin();
        hub.inspector = Inspector::restored(trail);
        hub.count();
        hub
    }

    /// Everything that must survive, now.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            document: self.document.snapshot(),
            cursors: self.cursors.clone(),
            acked: self.acked.clone(),
            evaluations: self.evaluations.clone(),
            session: self.session.clone(),
            cleared: self.cleared,
            trail: self.inspector.trail().to_vec(),
        }
    }

    fn replay(&mut self, record: Record, trail: &mut Vec<Node>) {
        match record {
            Record::Edit {
                authorship,
                seq,
                edit,
                made_at,
            } => {
                let changed = match made_at {
                    Some(rev) => self.document.take(&edit, rev, &authorship),
                    None => vec![self.document.apply(&edit, &authorship)],
                };
                for Changed { edit, .. } in changed {
                    self.moved_by(&edit);
                    self.cursors.moved_by(&edit, authorship.by.as_ref());
                }
                if let Some(by) = &authorship.by {
                    self.set_acked(by, seq);
                }
            }
            Record::Act { by, seq } => self.set_acked(&by, seq),
            Record::Undo { by, seq } => {
                for Changed { edit, .. } in self.document.undo() {
                    self.moved_by(&edit);
                }
                self.set_acked(&by, seq);
            }
            Record::Redo { by, seq } => {
                for Changed { edit, .. } in self.document.redo() {
                    self.moved_by(&edit);
                }
                self.set_acked(&by, seq);
            }
            Record::Evaluation { evaluation, seq } => {
                self.set_acked(&evaluation.by, seq);
                self.evaluations.push(evaluation);
            }
            Record::Sent {
                id,
                as_id,
                server_id,
            } => {
                if let Some(evaluation) = self.evaluations.iter_mut().find(|e| e.id == id) {
                    evaluation.id = as_id;
                    evaluation.server_id = Some(server_id);
                }
            }
            Record::Answered { id } => self.evaluations.retain(|e| e.id != id),
            Record::Session { session } => self.session = Some(session),
            Record::Cleared { sequence } => {
                self.cleared = sequence;
                self.last_event = sequence;
            }
            Record::Trail { trail: now } => *trail = now,
        }
    }
}

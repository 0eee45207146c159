//! What panes ask for: acts, each carried out once, and rows of the inspector.

use stui_protocol::pane::{Act, Edit, Instance, Level, Role, ToPane};
use stui_protocol::{request, response};

use super::{MAX_PENDING, Purpose, RowsWanted, Session, Work};
use crate::hub::document::{Authorship, Changed, pieces};
use crate::hub::inspector::cut;
use crate::hub::record::{Change, Record};
use crate::hub::{Effect, To};

/// An act is carried out, and on disk: one that has no record of its own.
pub(super) fn acknowledge(by: &Instance, seq: u64, work: &mut Work) {
    work.out.push(Effect::Record(Record::Act {
        by: by.clone(),
        seq,
    }));
    work.tell(To::One(by.clone()), ToPane::Acked { seq });
}

impl Session {
    /// Carries out an act, which nobody has carried out yet.
    pub(in crate::hub) fn act(&mut self, by: Instance, seq: u64, act: Act, work: &mut Work) {
        self.used = work.now;
        self.selections.remove(&by);
        match act {
            Act::Edit { rev, edit, group } => self.edit(&by, seq, rev, &edit, group, work),
            Act::Undo => self.undo_or_redo(by, seq, true, work),
            Act::Redo => self.undo_or_redo(by, seq, false, work),
            Act::Evaluate { rev, span, how } => {
                let span = self.document.current_span(span, rev, &by);
                self.evaluate(by, seq, span, how, work);
            }
            other => {
                acknowledge(&by, seq, work);
                self.act_without_record(by, &other, work);
            }
        }
    }

    fn act_without_record(&mut self, by: Instance, act: &Act, work: &mut Work) {
        match *act {
            Act::Interrupt => self.interrupt(by, work),
            Act::InspectRow { shown, row } => {
                if shown != self.inspector.shown() {
                    return;
                }
                if let Some(child) = self.inspector.row(row) {
                    let child = child.clone();
                    self.inspector.walk_into(row, child);
                    self.trail_changed(work);
                } else if let Some(session_id) = self.session_id(work)
                    && let Some(question) = self.inspector.question(row, 1, Some(session_id))
                {
                    self.ask(question, Purpose::WalkInto { shown, row }, work);
                }
            }
            Act::InspectBack => {
                if self.inspector.back() {
                    self.trail_changed(work);
                } else {
                    let text = "This is what was inspected first.";
                    work.notice(by, Level::Info, text);
                }
            }
            Act::InspectAs { shown, view } => {
                if shown == self.inspector.shown() && self.inspector.show_view(view) {
                    self.trail_changed(work);
                }
            }
            Act::Debugger { ref act } => self.debugger_act(by, act, work),
            Act::ClearTranscript => {
                self.transcript.clear();
                self.unsaved.clear();
                self.note_saved();
                let sequence = self.last_event;
                self.record(Change::Cleared { sequence }, work);
                self.transcript_dirty = true;
            }
            Act::Edit { .. }
            | Act::Undo
            | Act::Redo
            | Act::Evaluate { .. }
            // The hub's business.
            | Act::Sessions { .. } => {}
        }
    }

    fn edit(
        &mut self,
        by: &Instance,
        seq: u64,
        rev: u64,
        made: &Edit,
        group: u64,
        work: &mut Work,
    ) {
        self.edited_by(by, seq);
        let authorship = Authorship {
            by: Some(by.clone()),
            group,
        };
        // An edit that no line can carry to the panes goes as several. Its author sees that they are
        // not what he made, and asks for his window anew.
        let parts = pieces(made);
        let last = parts.len() - 1;
        for (n, part) in parts.into_iter().enumerate() {
            let changed = self.document.take(&part, rev, &authorship);
            let (by, seq) = if n == last {
                (Some(by.clone()), seq)
            } else {
                (None, 0)
            };
            self.record(
                Change::Edit {
                    authorship: authorship.clone(),
                    seq,
                    edit: part,
                    made_at: Some(rev),
                },
                work,
            );
            for one in changed {
                self.tell_edited(one, by.clone(), seq, work);
            }
        }
    }

    /// Changes the document for the sidecar itself, on disk too, and tells everybody.
    pub(in crate::hub) fn change(&mut self, edit: &Edit, group: u64, work: &mut Work) {
        let authorship = Authorship { by: None, group };
        let changed = self.document.apply(edit, &authorship);
        self.record(
            Change::Edit {
                authorship,
                seq: 0,
                edit: changed.edit.clone(),
                made_at: None,
            },
            work,
        );
        self.tell_edited(changed, None, 0, work);
    }

    fn tell_edited(&mut self, changed: Changed, by: Option<Instance>, seq: u64, work: &mut Work) {
        let Changed { edit, rev, total } = changed;
        self.state_changed(work);
        let marks_gone = self.moved_by(&edit);
        self.people_moved_by(&edit, by.as_ref());
        work.tell(
            To::Role(Role::Workspace),
            ToPane::Edited {
                session: self.key,
                rev,
                by,
                seq,
                edit,
                total,
            },
        );
        if marks_gone {
            self.tell_marks(work);
        }
    }

    fn undo_or_redo(&mut self, by: Instance, seq: u64, undo: bool, work: &mut Work) {
        let (edits, record) = if undo {
            let by = by.clone();
            (self.document.undo(), Change::Undo { by, seq })
        } else {
            let by = by.clone();
            (self.document.redo(), Change::Redo { by, seq })
        };
        self.record(record, work);
        work.tell(To::One(by.clone()), ToPane::Acked { seq });
        let Some(cursor) = edits.last().map(|last| last.edit.end()) else {
            let text = if undo {
                "Nothing to undo."
            } else {
                "Nothing to redo."
            };
            work.notice(by, Level::Info, text);
            return;
        };
        for changed in edits {
            self.tell_edited(changed, None, 0, work);
        }
        work.tell(
            To::One(by),
            ToPane::Select {
                session: self.key,
                rev: self.document.rev(),
                anchor: cursor,
                cursor,
            },
        );
    }

    /// Tells the inspector panes that something else is shown, and asks for its rows.
    pub(in crate::hub) fn trail_changed(&mut self, work: &mut Work) {
        self.to_release.append(&mut self.inspector.take_dropped());
        self.record(
            Change::Trail {
                trail: self.inspector.trail().to_vec(),
            },
            work,
        );
        self.state_changed(work);
        self.show_inspector(work);
    }

    /// Asks for the rows that all inspector panes show first.
    pub(in crate::hub) fn show_inspector(&mut self, work: &mut Work) {
        let view = self.inspector.header();
        let first = view
            .select
            .unwrap_or(0)
            .saturating_sub(u64::from(self.rows_shown / 2));
        self.ask_rows(
            RowsWanted {
                shown: self.inspector.shown(),
                first,
                count: self.rows_shown,
                to: To::Role(Role::Inspector),
            },
            work,
        );
    }

    /// Asks the server for rows of what is shown, unless the same are on their way already.
    pub(in crate::hub) fn ask_rows(&mut self, wanted: RowsWanted, work: &mut Work) {
        // Without the session nobody knows the object; the rows are asked for once it is there.
        let session_id = self.session_id(work);
        let question = session_id
            .is_some()
            .then(|| {
                self.inspector
                    .question(wanted.first, wanted.count, session_id)
            })
            .flatten();
        let Some(question) = question else {
            work.tell(
                wanted.to,
                ToPane::Inspector {
                    session: self.key,
                    view: self.inspector.header(),
                },
            );
            return;
        };
        let on_its_way = self.pending.values_mut().find_map(|purpose| match purpose {
            Purpose::Rows(other)
                if (other.shown, other.first, other.count)
                    == (wanted.shown, wanted.first, wanted.count) =>
            {
                Some(other)
            }
            _ => None,
        });
        if let Some(other) = on_its_way {
            if other.to != wanted.to {
                other.to = To::Role(Role::Inspector);
            }
            return;
        }
        if self.pending.len() < MAX_PENDING {
            self.ask(question, Purpose::Rows(wanted), work);
        }
    }

    pub(in crate::hub) fn rows_answered(
        &mut self,
        wanted: &RowsWanted,
        answer: response::Inspect,
        work: &mut Work,
    ) {
        if wanted.shown != self.inspector.shown() {
            return;
        }
        let view = self.inspector.answered(answer, wanted.first, wanted.count);
        self.to_release.append(&mut self.inspector.take_dropped());
        work.tell(
            wanted.to.clone(),
            ToPane::Inspector {
                session: self.key,
                view,
            },
        );
    }

    /// An object could not be looked into.
    pub(in crate::hub) fn rows_refused(
        &mut self,
        wanted: &RowsWanted,
        reason: &str,
        work: &mut Work,
    ) {
        if wanted.shown != self.inspector.shown() {
            return;
        }
        let mut view = self.inspector.header();
        view.print_string = cut(reason, 1000);
        work.tell(
            wanted.to.clone(),
            ToPane::Inspector {
                session: self.key,
                view,
            },
        );
    }

    pub(in crate::hub) fn walk_answered(
        &mut self,
        shown: u64,
        row: u64,
        answer: response::Inspect,
        work: &mut Work,
    ) {
        if shown != self.inspector.shown() {
            return;
        }
        if let Some(child) = answer.children.into_iter().next() {
            self.inspector.walk_into(row, child);
            self.trail_changed(work);
        }
    }

    /// Lets the server forget handles that are shown nowhere. Only while no answer is on its way: it
    /// could bring one of them back.
    pub(in crate::hub) fn release(&mut self, work: &mut Work) {
        if self.to_release.is_empty() || !self.pending.is_empty() {
            return;
        }
        let mut held = self.inspector.held();
        held.extend(self.debugging.held());
        let object_ids: Vec<String> = std::mem::take(&mut self.to_release)
            .into_iter()
            .filter(|id| !held.contains(id.as_str()))
            .collect();
        if !object_ids.is_empty() {
            self.ask(
                request::ReleaseObjects { object_ids },
                Purpose::Release,
                work,
            );
        }
    }
}

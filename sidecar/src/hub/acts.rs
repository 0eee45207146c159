//! What panes ask for: acts, each carried out once, and rows of the inspector.

use stui_protocol::pane::{Act, Edit, Instance, Level, Role, ToPane};
use stui_protocol::{request, response};

use super::document::{Authorship, Changed, pieces};
use super::inspector::cut;
use super::record::Record;
use super::{Effect, Hub, MAX_PENDING, Purpose, RowsWanted, To, notice};

impl Hub {
    pub(super) fn act(&mut self, by: Instance, seq: u64, act: Act, out: &mut Vec<Effect>) {
        // Of an instance that nobody remembers, the first act heard is the next one: the acts before
        // it were acknowledged by somebody.
        if let Some(acked) = self.acked_of(&by) {
            if seq <= acked {
                out.push(Effect::Tell(To::One(by), ToPane::Acked { seq: acked }));
                return;
            }
            if seq > acked + 1 {
                // Something was lost on the way. A welcome makes the instance send again what is
                // not acknowledged.
                out.push(Effect::Tell(
                    To::One(by),
                    ToPane::Welcome {
                        sidecar: self.sidecar.clone(),
                        acked,
                        status: self.status.clone(),
                    },
                ));
                return;
            }
        }
        match act {
            Act::Edit { rev, edit, group } => self.edit(&by, seq, rev, &edit, group, out),
            Act::Undo => self.undo_or_redo(by, seq, true, out),
            Act::Redo => self.undo_or_redo(by, seq, false, out),
            Act::Evaluate { rev, span, how } => {
                let span = self.document.current_span(span, rev, &by);
                self.evaluate(by, seq, span, how, out);
            }
            other => {
                self.set_acked(&by, seq);
                out.push(Effect::Record(Record::Act {
                    by: by.clone(),
                    seq,
                }));
                out.push(Effect::Tell(To::One(by.clone()), ToPane::Acked { seq }));
                self.act_without_record(by, &other, out);
            }
        }
    }

    fn act_without_record(&mut self, by: Instance, act: &Act, out: &mut Vec<Effect>) {
        match *act {
            Act::Interrupt => self.interrupt(by, out),
            Act::InspectRow { shown, row } => {
                if shown != self.inspector.shown() {
                    return;
                }
                if let Some(child) = self.inspector.row(row) {
                    let child = child.clone();
                    self.inspector.walk_into(row, child);
                    self.trail_changed(out);
                } else if let Some(session_id) = self.session_id()
                    && let Some(question) = self.inspector.question(row, 1, Some(session_id))
                {
                    self.ask(question, Purpose::WalkInto { shown, row }, out);
                }
            }
            Act::InspectBack => {
                if self.inspector.back() {
                    self.trail_changed(out);
                } else {
                    let text = "This is what was inspected first.";
                    out.push(notice(by, Level::Info, text));
                }
            }
            Act::InspectAs { shown, view } => {
                if shown == self.inspector.shown() && self.inspector.show_view(view) {
                    self.trail_changed(out);
                }
            }
            Act::ClearTranscript => {
                self.transcript.clear();
                self.cleared = self.last_event;
                out.push(Effect::Record(Record::Cleared {
                    sequence: self.cleared,
                }));
                self.transcript_dirty = true;
            }
            Act::Edit { .. } | Act::Undo | Act::Redo | Act::Evaluate { .. } => {}
        }
    }

    fn edit(
        &mut self,
        by: &Instance,
        seq: u64,
        rev: u64,
        made: &Edit,
        group: u64,
        out: &mut Vec<Effect>,
    ) {
        self.last_edit.insert(by.clone(), seq);
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
            out.push(Effect::Record(Record::Edit {
                authorship: authorship.clone(),
                seq: if n == last { seq } else { 0 },
                edit: part,
                made_at: Some(rev),
            }));
            for one in changed {
                self.tell_edited(one, Some(by.clone()), seq, out);
            }
        }
        self.set_acked(by, seq);
    }

    /// Changes the document for the sidecar itself, on disk too, and tells everybody.
    pub(super) fn change(&mut self, edit: &Edit, group: u64, out: &mut Vec<Effect>) {
        let authorship = Authorship { by: None, group };
        let changed = self.document.apply(edit, &authorship);
        out.push(Effect::Record(Record::Edit {
            authorship,
            seq: 0,
            edit: changed.edit.clone(),
            made_at: None,
        }));
        self.tell_edited(changed, None, 0, out);
    }

    fn tell_edited(
        &mut self,
        changed: Changed,
        by: Option<Instance>,
        seq: u64,
        out: &mut Vec<Effect>,
    ) {
        let Changed { edit, rev, total } = changed;
        let marks_gone = self.moved_by(&edit);
        self.cursors.moved_by(&edit, by.as_ref());
        out.push(Effect::Tell(
            To::Role(Role::Workspace),
            ToPane::Edited {
                rev,
                by,
                seq,
                edit,
                total,
            },
        ));
        if marks_gone {
            out.push(Effect::Tell(To::Role(Role::Workspace), self.marks()));
        }
    }

    fn undo_or_redo(&mut self, by: Instance, seq: u64, undo: bool, out: &mut Vec<Effect>) {
        let (edits, record) = if undo {
            let by = by.clone();
            (self.document.undo(), Record::Undo { by, seq })
        } else {
            let by = by.clone();
            (self.document.redo(), Record::Redo { by, seq })
        };
        self.set_acked(&by, seq);
        out.push(Effect::Record(record));
        out.push(Effect::Tell(To::One(by.clone()), ToPane::Acked { seq }));
        let Some(cursor) = edits.last().map(|last| last.edit.end()) else {
            let text = if undo {
                "Nothing to undo."
            } else {
                "Nothing to redo."
            };
            out.push(notice(by, Level::Info, text));
            return;
        };
        for changed in edits {
            self.tell_edited(changed, None, 0, out);
        }
        out.push(Effect::Tell(
            To::One(by),
            ToPane::Select {
                rev: self.document.rev(),
                anchor: cursor,
                cursor,
            },
        ));
    }

    /// Tells the inspector panes that something else is shown, and asks for its rows.
    pub(super) fn trail_changed(&mut self, out: &mut Vec<Effect>) {
        self.to_release.append(&mut self.inspector.take_dropped());
        out.push(Effect::Record(Record::Trail {
            trail: self.inspector.trail().to_vec(),
        }));
        self.show_inspector(out);
    }

    /// Asks for the rows that all inspector panes show first.
    pub(super) fn show_inspector(&mut self, out: &mut Vec<Effect>) {
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
            out,
        );
    }

    /// Asks the server for rows of what is shown, unless the same are on their way already.
    pub(super) fn ask_rows(&mut self, wanted: RowsWanted, out: &mut Vec<Effect>) {
        // Without the session nobody knows the object; the rows are asked for once it is there.
        let session_id = self.session_id();
        let question = session_id
            .is_some()
            .then(|| {
                self.inspector
                    .question(wanted.first, wanted.count, session_id)
            })
            .flatten();
        let Some(question) = question else {
            out.push(Effect::Tell(
                wanted.to,
                ToPane::Inspector {
                    view: self.inspector.header(),
                },
            ));
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
            self.ask(question, Purpose::Rows(wanted), out);
        }
    }

    pub(super) fn rows_answered(
        &mut self,
        wanted: &RowsWanted,
        answer: response::Inspect,
        out: &mut Vec<Effect>,
    ) {
        if wanted.shown != self.inspector.shown() {
            return;
        }
        let view = self.inspector.answered(answer, wanted.first, wanted.count);
        self.to_release.append(&mut self.inspector.take_dropped());
        out.push(Effect::Tell(wanted.to.clone(), ToPane::Inspector { view }));
    }

    /// An object could not be looked into.
    pub(super) fn rows_refused(
        &mut self,
        wanted: &RowsWanted,
        reason: &str,
        out: &mut Vec<Effect>,
    ) {
        if wanted.shown != self.inspector.shown() {
            return;
        }
        let mut view = self.inspector.header();
        view.print_string = cut(reason, 1000);
        out.push(Effect::Tell(wanted.to.clone(), ToPane::Inspector { view }));
    }

    pub(super) fn walk_answered(
        &mut self,
        shown: u64,
        row: u64,
        answer: response::Inspect,
        out: &mut Vec<Effect>,
    ) {
        if shown != self.inspector.shown() {
            return;
        }
        if let Some(child) = answer.children.into_iter().next() {
            self.inspector.walk_into(row, child);
            self.trail_changed(out);
        }
    }

    /// Lets the server forget handles that are shown nowhere. Only while no answer is on its way: it
    /// could bring one of them back.
    pub(super) fn release(&mut self, out: &mut Vec<Effect>) {
        if self.to_release.is_empty() || !self.pending.is_empty() {
            return;
        }
        let held = self.inspector.held();
        let object_ids: Vec<String> = std::mem::take(&mut self.to_release)
            .into_iter()
            .filter(|id| !held.contains(id.as_str()))
            .collect();
        if !object_ids.is_empty() {
            self.ask(
                request::ReleaseObjects { object_ids },
                Purpose::Release,
                out,
            );
        }
    }
}

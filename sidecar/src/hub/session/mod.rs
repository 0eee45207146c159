//! A session: what a person works in. One document with its evaluations and marks, one transcript, one
//! inspector, and a session on a Smalltalk server for them.
//!
//! - `acts.rs`: what panes ask for; `places.rs`: where people are; `evaluations.rs`: what runs; `debugger.rs`: what has
//!   stopped; `server.rs`: the session on the server, and what becomes of requests.
//!
//! A session decides alone. What it needs of the others comes in as [`Work`]: where effects go, ids
//! for requests, and the image that it is on.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use stui_protocol::Uuid;
use stui_protocol::event::{Event, Happening};
use stui_protocol::pane::{Instance, Level, Link, Pos, Role, SessionKey, Status, ToPane};
use stui_protocol::request::Request;

use super::cursors::Cursors;
use super::debugger::Debugging;
use super::document::{Changed, Document};
use super::history::{Entry, History};
use super::image::Image;
use super::inspector::{DEFAULT_ROWS, Inspector, MAX_ROWS, cut};
use super::record::{Change, Debugger, Evaluation, Record, ServerSession, SessionSnapshot};
use super::transcript::Transcript;
use super::{Effect, Ids, MAX_INSTANCES, To};

mod acts;
mod again;
mod debugger;
mod evaluations;
mod places;
mod server;
mod state;

use self::evaluations::Wrong;

/// How many bytes of text a window or a piece of the transcript may hold, as JSON writes them.
const WINDOW_BYTES: usize = 48 * 1024;
/// Most lines of the transcript in one message.
pub(super) const MAX_TRANSCRIPT_LINES: u32 = 500;
/// Most bytes of text of the transcript between two saves.
const MAX_UNSAVED: usize = 1 << 20;
/// After how many bytes of the transcript in one second the next save waits for the next second.
const MAX_SAVED_PER_SECOND: usize = 256 << 10;
/// Most requests that wait for an answer.
const MAX_PENDING: usize = 256;

/// What a request was made for.
#[derive(Debug)]
pub(super) enum Purpose {
    Session,
    Restore,
    /// Whether another server than before, of this id, knows the session.
    Find {
        server_id: String,
    },
    State,
    KeepAlive,
    Evaluation,
    Interrupt {
        by: Instance,
    },
    /// Nothing runs but what code had forked.
    InterruptForked {
        by: Instance,
    },
    /// Rows of the inspector.
    Rows(RowsWanted),
    /// The row of the inspector that somebody wants to walk into.
    WalkInto {
        shown: u64,
        row: u64,
    },
    Release,
    /// Something about a debugger.
    Debugger(debugger::Question),
    /// The end of a debugger that is shown no more.
    Terminate,
}

#[derive(Debug, Clone)]
pub(super) struct RowsWanted {
    shown: u64,
    first: u64,
    count: u32,
    to: To,
}

/// Up to where the transcript is on disk.
#[derive(Debug)]
pub(super) struct Saved {
    /// Number of the last event in it.
    event: u64,
    /// Whether that number was given before the server's numbers began anew.
    is_older: bool,
}

/// What a session works with while it handles an input.
pub(super) struct Work<'a> {
    pub(super) ids: &'a mut Ids,
    /// The image that the session is on; none: it was disconnected.
    pub(super) image: Option<&'a Image>,
    /// What time it is, in seconds since 1970.
    pub(super) now: u64,
    /// What the hub calls itself at servers.
    pub(super) client_id: &'a str,
    /// Whether the debugger's pane can be brought up.
    pub(super) debugger_comes_up: bool,
    pub(super) out: &'a mut Vec<Effect>,
}

impl Work<'_> {
    fn tell(&mut self, to: To, message: ToPane) {
        self.out.push(Effect::Tell(to, message));
    }

    /// One sentence for somebody.
    fn notice(&mut self, to: Instance, level: Level, text: impl AsRef<str>) {
        self.out.push(super::notice(to, level, text));
    }

    fn is_connected(&self) -> bool {
        self.image
            .is_some_and(|image| image.link == Link::Connected)
    }

    fn server_id(&self) -> Option<&str> {
        self.image?.server_id.as_deref()
    }
}

/// See the module's text.
#[derive(Debug)]
pub struct Session {
    pub(super) key: SessionKey,
    pub(super) name: String,
    /// Name of its image.
    pub(super) image: String,
    pub(super) document: Document,
    cursors: Cursors,
    /// What an instance was told to select and has not yet been seen to.
    selections: BTreeMap<Instance, (Pos, Pos)>,
    pub(super) transcript: Transcript,
    pub(super) inspector: Inspector,
    evaluations: Vec<Evaluation>,
    /// What went wrong, marked in the document.
    errors: Vec<Wrong>,
    /// The last edit of each instance, to know whether somebody went on typing meanwhile.
    last_edit: BTreeMap<Instance, u64>,
    pub(super) pending: BTreeMap<Uuid, Purpose>,
    /// Those of them that were asked before the server gave it the session that it has.
    of_earlier: BTreeSet<Uuid>,
    pub(super) server: Option<ServerSession>,
    /// Why the server that is connected gives it no session.
    pub(super) denied: Option<String>,
    /// How many sessions on servers it has had.
    life: u32,
    pub(super) history: History,
    /// Entries of the history that are still to be run again, after the one that runs.
    again: VecDeque<Entry>,
    /// Debuggers that are open, the oldest first.
    pub(super) debuggers: VecDeque<Debugger>,
    pub(super) debugging: Debugging,
    /// When it was last used.
    pub(super) used: u64,
    /// Number of the last event seen, and what was written since the transcript was last saved.
    last_event: u64,
    /// The next event's number counts, also if it is an older one.
    numbers_begin_anew: bool,
    saved: Saved,
    unsaved: String,
    /// In which second how many bytes of the transcript were saved.
    saved_in: (u64, usize),
    /// Since when the server does not know what its state document should say.
    state_old: Option<u64>,
    /// Handles that nobody holds any more.
    to_release: BTreeSet<String>,
    rows_shown: u32,
    /// What panes were last told about the state of everything.
    pub(super) told: Option<Status>,
    /// Whether an evaluation ended since panes were told so.
    pub(super) ended: bool,
    transcript_told: u64,
    transcript_dirty: bool,
}

impl Session {
    /// The session that a snapshot holds; the changes since are still to be replayed. Of its inspector only
    /// the trail is kept on disk.
    pub(super) fn from_snapshot(key: SessionKey, snapshot: SessionSnapshot) -> Self {
        Session {
            key,
            name: snapshot.name,
            image: snapshot.image,
            document: Document::from_snapshot(snapshot.document),
            cursors: snapshot.cursors,
            selections: snapshot.selections,
            transcript: Transcript::from_snapshot(snapshot.transcript),
            inspector: Inspector::restored(snapshot.trail),
            evaluations: snapshot.evaluations,
            errors: Vec::new(),
            last_edit: snapshot.last_edit,
            pending: BTreeMap::new(),
            of_earlier: BTreeSet::new(),
            server: snapshot.server,
            life: snapshot.life,
            history: snapshot.history.restored(),
            again: VecDeque::new(),
            debuggers: snapshot.debuggers,
            debugging: Debugging::showing(snapshot.debugger_shown),
            used: snapshot.used,
            last_event: snapshot.last_event,
            denied: None,
            numbers_begin_anew: snapshot.numbers_begin_anew,
            saved: Saved {
                event: snapshot.last_event,
                is_older: snapshot.numbers_begin_anew,
            },
            unsaved: String::new(),
            saved_in: (0, 0),
            state_old: None,
            to_release: BTreeSet::new(),
            rows_shown: DEFAULT_ROWS,
            told: None,
            ended: false,
            transcript_told: 0,
            transcript_dirty: false,
        }
    }

    /// Everything that must survive, now.
    pub(super) fn snapshot(&self) -> SessionSnapshot {
        SessionSnapshot {
            name: self.name.clone(),
            image: self.image.clone(),
            document: self.document.snapshot(),
            cursors: self.cursors.clone(),
            selections: self.selections.clone(),
            last_edit: self.edits_that_count(),
            evaluations: self.evaluations.clone(),
            server: self.server.clone(),
            // What is not saved yet comes again from the server, or is in a record that follows.
            last_event: self.saved.event,
            numbers_begin_anew: self.saved.is_older,
            transcript: self.transcript.snapshot(),
            trail: self.inspector.trail().to_vec(),
            history: self.history.clone(),
            life: self.life,
            debuggers: self.debuggers.clone(),
            debugger_shown: self.debugging.shown().map(str::to_owned),
            used: self.used,
        }
    }

    /// Makes a change that is on disk already.
    pub(super) fn replay(&mut self, change: Change) {
        match change {
            Change::Edit {
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
                    self.people_moved_by(&edit, authorship.by.as_ref());
                }
                if let Some(by) = authorship.by.as_ref().filter(|_| seq > 0) {
                    self.edited_by(by, seq);
                }
            }
            Change::Undo { by, .. } => {
                self.selections.remove(&by);
                for Changed { edit, .. } in self.document.undo() {
                    self.moved_by(&edit);
                    self.people_moved_by(&edit, None);
                }
            }
            Change::Redo { by, .. } => {
                self.selections.remove(&by);
                for Changed { edit, .. } in self.document.redo() {
                    self.moved_by(&edit);
                    self.people_moved_by(&edit, None);
                }
            }
            Change::Selected { by, anchor, cursor } => {
                self.selections.insert(by, (anchor, cursor));
            }
            Change::Evaluation {
                mut evaluation,
                seq,
            } => {
                evaluation.seq = seq;
                self.selections.remove(&evaluation.by);
                self.used = self.used.max(evaluation.at);
                self.evaluations.push(evaluation);
            }
            Change::Sent {
                id,
                as_id,
                server_id,
            } => {
                if let Some(evaluation) = self.evaluations.iter_mut().find(|e| e.id == id) {
                    evaluation.id = as_id;
                    evaluation.server_id = Some(server_id);
                }
            }
            Change::Answered { id, end } => {
                if let Some(at) = self.evaluations.iter().position(|e| e.id == id) {
                    let evaluation = self.evaluations.remove(at);
                    self.remember(&evaluation, end);
                }
            }
            Change::RanAgain { n } => self.history.ran_again(n),
            Change::DebuggerOpened { id, title } => self.adopt_debugger(id, title),
            Change::DebuggerClosed { id, end } => {
                self.close_debugger(&id, end.as_ref());
            }
            Change::DebuggerShown { id } => self.debugging.show(Some(id)),
            Change::DebuggerTitled { id, title } => self.title_debugger(&id, title),
            Change::Server { server } => self.begin_life(server),
            Change::Found { server } => self.found_again(server),
            Change::Wrote { text, sequence } => {
                self.transcript.write(&text);
                self.saved_up_to(sequence);
            }
            Change::Cleared { sequence } => {
                self.transcript.clear();
                self.saved_up_to(sequence);
            }
            Change::Trail { trail } => self.inspector = Inspector::restored(trail),
            Change::Named { name } => self.name = name,
            Change::Moved { image } => {
                self.image = image;
                self.lose_server();
            }
            // The hub's business.
            Change::Closed => {}
        }
    }

    /// Puts a change on disk before what follows.
    fn record(&self, change: Change, work: &mut Work) {
        work.out.push(Effect::Record(Record::Of {
            s: self.key,
            c: change,
        }));
    }

    fn ask(&mut self, request: impl Into<Request>, purpose: Purpose, work: &mut Work) {
        let id = work.ids.make();
        self.request(id, request.into(), purpose, work);
    }

    /// Gives a request to the session's image. Without one it stays pending, and is forgotten with the
    /// session on the server.
    fn request(&mut self, id: Uuid, request: Request, purpose: Purpose, work: &mut Work) {
        let Some(image) = work.image else {
            return;
        };
        self.pending.insert(id, purpose);
        work.out.push(Effect::Request {
            image: image.key,
            id,
            request,
        });
    }

    /// Gets a session on the image's server, if there is one and this has none.
    pub(super) fn begin(&mut self, work: &mut Work) {
        if self.server.is_none()
            && let Some(server_id) = work.server_id().map(str::to_owned)
        {
            self.connected(&server_id, work);
        }
    }

    /// Whether a session on a server was asked for and is not there yet.
    pub(super) fn awaits_server(&self) -> bool {
        self.awaited().next().is_some()
    }

    /// The requests for a session on a server that are not answered yet.
    pub(super) fn awaited(&self) -> impl Iterator<Item = Uuid> {
        let pending = self.pending.iter();
        let asks = |purpose: &Purpose| matches!(purpose, Purpose::Session | Purpose::Find { .. });
        pending
            .filter(move |(_, purpose)| asks(purpose))
            .map(|(id, _)| *id)
    }

    /// Names it for ever.
    pub fn key(&self) -> SessionKey {
        self.key
    }

    /// The text of its workspace.
    pub fn text(&self) -> String {
        self.document.text()
    }

    /// The clock was set back to this time.
    pub(super) fn clock_set_back(&mut self, now: u64) {
        for at in [&mut self.state_old, &mut self.debugging.look_at] {
            *at = at.map(|at| at.min(now));
        }
    }

    /// How many evaluations run or wait.
    pub(super) fn running(&self) -> usize {
        self.evaluations.len() + self.debugging.count_running()
    }

    /// Whether a server's session is this one's.
    pub(super) fn is_on(&self, session_id: &str) -> bool {
        self.server
            .as_ref()
            .is_some_and(|server| server.session_id == session_id)
    }

    /// Whether a flush would send anything; the state of everything aside.
    pub(super) fn wants_flush(&self, now: u64, image: Option<&Image>) -> bool {
        self.state_is_due(now, image)
            || self.debugger_is_due(now)
            || self.transcript_dirty
            || self.may_save(now)
            || (!self.to_release.is_empty() && self.pending.is_empty())
    }

    /// Whether there is text of the transcript to be saved, and room for it in this second: code that
    /// writes without end must not fill the disk.
    fn may_save(&self, now: u64) -> bool {
        let saved = if self.saved_in.0 == now {
            self.saved_in.1
        } else {
            0
        };
        !self.unsaved.is_empty() && saved < MAX_SAVED_PER_SECOND
    }

    /// Writes what the transcript has got since to the disk.
    pub(super) fn save_transcript(&mut self, work: &mut Work) {
        if self.unsaved.is_empty() {
            return;
        }
        let text = std::mem::take(&mut self.unsaved);
        if self.saved_in.0 != work.now {
            self.saved_in = (work.now, 0);
        }
        self.saved_in.1 += text.len();
        self.transcript.write(&text);
        self.transcript_dirty = true;
        self.note_saved();
        let sequence = self.last_event;
        self.record(Change::Wrote { text, sequence }, work);
    }

    /// The transcript is on disk up to the last event seen.
    pub(super) fn note_saved(&mut self) {
        self.saved.event = self.last_event;
        // What was missed meanwhile has no number.
        self.saved.is_older = self.numbers_begin_anew;
    }

    /// The transcript is on disk up to this event.
    fn saved_up_to(&mut self, sequence: u64) {
        self.numbers_begin_anew &= sequence == self.last_event;
        self.last_event = sequence;
        self.note_saved();
    }

    /// Sends what is better sent at once than one by one.
    pub(super) fn flush(&mut self, work: &mut Work) {
        if self.may_save(work.now) {
            self.save_transcript(work);
        }
        if self.transcript_dirty {
            self.transcript_dirty = false;
            // The last line told may have grown.
            let from = self.transcript_told.saturating_sub(1);
            let newest = self.transcript.end().saturating_sub(from);
            let count = u32::try_from(newest).unwrap_or(u32::MAX);
            let lines = self.transcript_lines(None, count);
            work.tell(To::Role(Role::Transcript), lines);
            self.transcript_told = self.transcript.end();
        }
        if std::mem::take(&mut self.ended) && !self.inspector.trail().is_empty() {
            let session = self.key;
            work.tell(
                To::Role(Role::Inspector),
                ToPane::MayHaveChanged { session },
            );
        }
        self.flush_debugger(work);
        self.release(work);
        if self.state_is_due(work.now, work.image) {
            self.update_state(work);
        }
    }

    /// What an instance is told that begins to show this session, its welcome aside.
    pub(super) fn greet(&mut self, to: Instance, role: Role, work: &mut Work) {
        match role {
            Role::Workspace => {
                work.tell(To::One(to.clone()), self.marks());
                self.greet_with_places(to, work);
            }
            Role::Inspector => self.ask_rows(
                RowsWanted {
                    shown: self.inspector.shown(),
                    first: 0,
                    count: self.rows_shown,
                    to: To::One(to),
                },
                work,
            ),
            Role::Transcript => {
                let lines = self.transcript_lines(None, MAX_TRANSCRIPT_LINES);
                work.tell(To::One(to), lines);
            }
            Role::Debugger => self.debugger_view(to, None, work),
            Role::Sessions => {}
        }
    }

    /// A window of the document.
    pub(super) fn window(&self, first: u32, count: u32, around: (u32, u32)) -> ToPane {
        let first = first.min(self.document.line_count() - 1);
        ToPane::Window {
            session: self.key,
            rev: self.document.rev(),
            first,
            total: self.document.line_count(),
            lines: self.document.window(first, count, around, WINDOW_BYTES),
        }
    }

    /// Where places are now that an instance means, who knows of revision `rev` and of his own edits.
    pub(super) fn stand(&self, rev: u64, anchor: Pos, cursor: Pos, by: &Instance) -> ToPane {
        ToPane::Stand {
            session: self.key,
            rev: self.document.rev(),
            anchor: self.document.current_place(anchor, rev, by),
            cursor: self.document.current_place(cursor, rev, by),
        }
    }

    /// The text of a span, for the clipboard.
    pub(super) fn copied(
        &self,
        span: stui_protocol::pane::Span,
        rev: u64,
        by: &Instance,
    ) -> ToPane {
        let span = self.document.current_span(span, rev, by);
        let (text, truncated) = self.document.text_of(span, WINDOW_BYTES / 2);
        ToPane::Clipboard {
            session: self.key,
            text,
            truncated,
        }
    }

    /// An instance wants rows of the inspector.
    pub(super) fn inspector_view(
        &mut self,
        from: Instance,
        first: u64,
        count: u32,
        work: &mut Work,
    ) {
        self.rows_shown = count.clamp(1, MAX_ROWS);
        self.ask_rows(
            RowsWanted {
                shown: self.inspector.shown(),
                first,
                count: self.rows_shown,
                to: To::One(from),
            },
            work,
        );
    }

    /// Lines of the transcript.
    pub(super) fn transcript_lines(&self, first: Option<u64>, count: u32) -> ToPane {
        let count = count.min(MAX_TRANSCRIPT_LINES);
        let (first, lines) = self.transcript.window(first, count, WINDOW_BYTES);
        ToPane::Transcript {
            session: self.key,
            first,
            oldest: self.transcript.oldest(),
            end: self.transcript.end(),
            lines,
        }
    }

    /// All marks of the document: what runs, and what went wrong.
    fn marks(&self) -> ToPane {
        ToPane::Marks {
            session: self.key,
            rev: self.document.rev(),
            marks: self.all_marks(),
        }
    }

    fn tell_marks(&self, work: &mut Work) {
        work.tell(To::Role(Role::Workspace), self.marks());
    }

    /// One sentence for all panes of a role, or of every role, that show this session.
    fn announce(&self, role: Option<Role>, level: Level, text: &str, work: &mut Work) {
        work.tell(
            role.map_or(To::All, To::Role),
            ToPane::Notice {
                session: Some(self.key),
                level,
                text: cut(text, 1000),
            },
        );
    }

    /// The server told what happened.
    pub(super) fn event(&mut self, event: Event, work: &mut Work) {
        if event.sequence != 0 {
            if event.sequence <= self.last_event && !self.numbers_begin_anew {
                return;
            }
            self.numbers_begin_anew = false;
            self.last_event = event.sequence;
        }
        match event.happening {
            Happening::Transcript(transcript) => self.write(&transcript.text),
            Happening::DebugOpened(opened) => self.debugger_opened_again(opened, work),
            Happening::EvaluationFinished(finished) => self.debugged_finished(finished, work),
            Happening::DebugClosed(closed) => self.debugger_closed(&closed.debug_id, work),
            _ => {}
        }
    }

    /// Some events are lost for ever: the server keeps only so many.
    pub(super) fn missed(&mut self, count: u64) {
        let what = if count == 1 { "event" } else { "events" };
        let break_before = if self.unsaved.is_empty() || self.unsaved.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        self.write(&format!(
            "{break_before}— {count} {what} were lost here —\n"
        ));
        // They are not asked for again, by this sidecar or the next one.
        if !self.numbers_begin_anew {
            self.last_event = self.last_event.saturating_add(count);
        }
    }

    /// Something to be shown in the transcript once it is on disk.
    fn write(&mut self, text: &str) {
        self.unsaved.push_str(text);
        if self.unsaved.len() > MAX_UNSAVED {
            // More than a transcript keeps: the newest counts.
            let mut cut = self.unsaved.len() - MAX_UNSAVED / 2;
            while !self.unsaved.is_char_boundary(cut) {
                cut += 1;
            }
            self.unsaved.drain(..cut);
        }
    }

    /// An instance changed the text with this act.
    fn edited_by(&mut self, by: &Instance, seq: u64) {
        self.last_edit.insert(by.clone(), seq);
        while self.last_edit.len() > MAX_INSTANCES {
            self.last_edit.pop_first();
        }
    }
}

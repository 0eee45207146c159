//! A session: what a person works in. One document with its evaluations and marks, one transcript, one
//! inspector, and a session on a Smalltalk server for them.
//!
//! - `acts.rs`: what panes ask for; `evaluations.rs`: what runs; `server.rs`: the session on the
//!   server, and what becomes of requests.
//!
//! A session decides alone. What it needs of the others comes in as [`Work`]: where effects go, ids
//! for requests, and the image that it is on.

use std::collections::{BTreeMap, BTreeSet};

use stui_protocol::Uuid;
use stui_protocol::event::{Event, Happening};
use stui_protocol::pane::{Instance, Level, Link, Mark, Role, SessionKey, Status, ToPane};
use stui_protocol::request::Request;

use super::document::Document;
use super::image::Image;
use super::inspector::{DEFAULT_ROWS, Inspector, MAX_ROWS, cut};
use super::record::{Change, Evaluation, Record, ServerSession, SessionSnapshot};
use super::transcript::Transcript;
use super::{Effect, Ids, MAX_INSTANCES, To};

mod acts;
mod evaluations;
mod server;

/// How many bytes of text a window or a piece of the transcript may hold, as JSON writes them.
const WINDOW_BYTES: usize = 48 * 1024;
/// Most lines of the transcript in one message.
pub(super) const MAX_TRANSCRIPT_LINES: u32 = 500;
/// Most requests that wait for an answer.
const MAX_PENDING: usize = 256;

/// What a request was made for.
#[derive(Debug)]
pub(super) enum Purpose {
    Session,
    KeepAlive,
    Evaluation,
    Interrupt {
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
}

#[derive(Debug, Clone)]
pub(super) struct RowsWanted {
    shown: u64,
    first: u64,
    count: u32,
    to: To,
}

/// What a session works with while it handles an input.
pub(super) struct Work<'a> {
    pub(super) ids: &'a mut Ids,
    /// The image that the session is on; none: it was disconnected.
    pub(super) image: Option<&'a Image>,
    /// What the hub calls itself at servers.
    pub(super) client_id: &'a str,
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
    pub(super) transcript: Transcript,
    pub(super) inspector: Inspector,
    evaluations: Vec<Evaluation>,
    /// What went wrong, marked in the document.
    errors: Vec<Mark>,
    /// The last edit of each instance, to know whether somebody went on typing meanwhile.
    last_edit: BTreeMap<Instance, u64>,
    /// Evaluations by their act, as far as they run.
    asked_by: BTreeMap<Uuid, u64>,
    pub(super) pending: BTreeMap<Uuid, Purpose>,
    server: Option<ServerSession>,
    /// Number of the last event seen, and of the last one before the transcript was emptied.
    last_event: u64,
    cleared: u64,
    /// Handles that nobody holds any more.
    to_release: BTreeSet<String>,
    rows_shown: u32,
    /// What panes were last told about the state of everything.
    pub(super) told: Option<Status>,
    transcript_told: u64,
    transcript_dirty: bool,
}

impl Session {
    /// The session that a snapshot holds. Of its inspector only the trail is kept on disk:
    /// [`Session::restored`] is to be called when all changes since are replayed.
    pub(super) fn from_snapshot(key: SessionKey, snapshot: SessionSnapshot) -> Self {
        Session {
            key,
            name: snapshot.name,
            image: snapshot.image,
            document: Document::from_snapshot(snapshot.document),
            transcript: Transcript::default(),
            inspector: Inspector::restored(snapshot.trail),
            evaluations: snapshot.evaluations,
            errors: Vec::new(),
            last_edit: BTreeMap::new(),
            asked_by: BTreeMap::new(),
            pending: BTreeMap::new(),
            server: snapshot.server,
            last_event: snapshot.cleared,
            cleared: snapshot.cleared,
            to_release: BTreeSet::new(),
            rows_shown: DEFAULT_ROWS,
            told: None,
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
            evaluations: self.evaluations.clone(),
            server: self.server.clone(),
            cleared: self.cleared,
            trail: self.inspector.trail().to_vec(),
        }
    }

    /// Makes a change that is on disk already.
    pub(super) fn replay(&mut self, change: Change) {
        match change {
            Change::Edit {
                authorship,
                edit,
                made,
                ..
            } => {
                let edit = self.document.apply(&edit, made.as_ref(), &authorship);
                self.moved_by(&edit);
            }
            Change::Undo { .. } => {
                for edit in self.document.undo() {
                    self.moved_by(&edit);
                }
            }
            Change::Redo { .. } => {
                for edit in self.document.redo() {
                    self.moved_by(&edit);
                }
            }
            Change::Evaluation { evaluation, .. } => self.evaluations.push(evaluation),
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
            Change::Answered { id } => self.evaluations.retain(|e| e.id != id),
            Change::Server { server } => self.server = Some(server),
            Change::Cleared { sequence } => {
                self.cleared = sequence;
                self.last_event = sequence;
            }
            Change::Trail { trail } => self.inspector = Inspector::restored(trail),
            Change::Named { name } => self.name = name,
            Change::Moved { image } => {
                self.image = image;
                self.server = None;
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

    /// The text of its workspace.
    pub fn text(&self) -> String {
        self.document.text()
    }

    /// How many evaluations run or wait.
    pub(super) fn running(&self) -> usize {
        self.evaluations.len()
    }

    /// Whether a server's session is this one's.
    pub(super) fn is_on(&self, session_id: &str) -> bool {
        self.server
            .as_ref()
            .is_some_and(|server| server.session_id == session_id)
    }

    /// Whether a flush would send anything; the state of everything aside.
    pub(super) fn wants_flush(&self) -> bool {
        self.transcript_dirty || (!self.to_release.is_empty() && self.pending.is_empty())
    }

    /// Sends what is better sent at once than one by one.
    pub(super) fn flush(&mut self, work: &mut Work) {
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
        self.release(work);
    }

    /// What an instance is told that begins to show this session, its welcome aside.
    pub(super) fn greet(&mut self, to: Instance, role: Role, work: &mut Work) {
        match role {
            Role::Workspace => work.tell(To::One(to), self.marks()),
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
            Role::Sessions => {}
        }
    }

    /// A window of the document.
    pub(super) fn window(&self, first: u32, count: u32, from: u32) -> ToPane {
        let first = first.min(self.document.line_count() - 1);
        ToPane::Window {
            session: self.key,
            rev: self.document.rev(),
            first,
            total: self.document.line_count(),
            lines: self.document.window(first, count, from, WINDOW_BYTES),
        }
    }

    /// The text of a span, for the clipboard.
    pub(super) fn copied(
        &self,
        span: stui_protocol::pane::Span,
        rev: u64,
        by: &Instance,
    ) -> ToPane {
        let span = self.current_span(span, rev, by);
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
    pub(super) fn event(&mut self, event: Event) {
        if event.sequence != 0 {
            if event.sequence <= self.last_event {
                return;
            }
            self.last_event = event.sequence;
        }
        if let Happening::Transcript(transcript) = event.happening {
            self.transcript.write(&transcript.text);
            self.transcript_dirty = true;
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

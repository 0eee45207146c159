//! Evaluations: what runs, where its code stands meanwhile, and what becomes of the answer.

use stui_protocol::error::{ErrorCode, ErrorInfo};
use stui_protocol::pane::{Edit, How, Instance, Level, Mark, MarkKind, Pos, Span, ToPane};
use stui_protocol::position::Range;
use stui_protocol::request::EvaluationMode;
use stui_protocol::{Uuid, request, response};

use super::acts::acknowledge;
use super::{Purpose, Session, Work};
use crate::hub::To;
use crate::hub::document::pieces;
use crate::hub::expression::expression_at;
use crate::hub::image::Image;
use crate::hub::inspector::cut;
use crate::hub::record::{Change, End, Evaluation};

/// What is said behind an error that can be debugged.
const DEBUG_KEY: &str = " (Alt d debugs it)";
/// Most evaluations that run or wait at once.
const MAX_EVALUATIONS: usize = 32;
/// Longest code that is evaluated, in bytes.
const MAX_CODE: usize = 4 << 20;
/// Longest answer that is written into the text, in characters.
const MAX_PRINTED: usize = 20_000;
/// Longest message of a mark, in characters.
const MAX_MARK_TEXT: usize = 300;
/// What is said where debug it does not work.
const LACKS_DEBUG_IT: &str = "This Smalltalk server cannot stop code before its first statement: put `self halt` into it, and evaluate it.";
/// What an interrupt says where there is nothing for it.
pub(super) const NOTHING_RUNS: &str = "Nothing is running.";
/// Most marks at once, so that they fit one line of a pipe.
const MAX_ERRORS: usize = 32;

/// What went wrong, marked in the document.
#[derive(Debug)]
pub(super) struct Wrong {
    mark: Mark,
    /// Id of the debugger that is open on it.
    debugger: Option<String>,
}

impl Session {
    pub(in crate::hub) fn evaluate(
        &mut self,
        by: Instance,
        seq: u64,
        span: Span,
        how: How,
        work: &mut Work,
    ) {
        let span = if span.is_empty() {
            expression_at(&self.document, span.start)
        } else {
            Some(span)
        };
        let code = span.map(|span| self.document.text_of(span, MAX_CODE));
        let refused = match &code {
            None => {
                Some("There is no code here: put the cursor on a line with code, or select some.")
            }
            Some((code, _)) if code.trim().is_empty() => {
                Some("There is no code here: put the cursor on a line with code, or select some.")
            }
            Some((_, true)) => Some("That is more than 4 MiB of code: select less."),
            Some(_) if how == How::DebugIt && work.image.is_some_and(Image::lacks_debug_it) => {
                Some(LACKS_DEBUG_IT)
            }
            Some(_) if self.evaluations.len() >= MAX_EVALUATIONS => {
                Some("Too much is running already: interrupt some of it first.")
            }
            Some(_) => None,
        };
        let (Some(span), Some((code, _)), None) = (span, code, refused) else {
            acknowledge(&by, seq, work);
            work.notice(by, Level::Info, refused.unwrap_or_default());
            return;
        };
        let evaluation = Evaluation {
            id: work.ids.make(),
            by: by.clone(),
            seq,
            how,
            code,
            span,
            server_id: None,
            at: work.now,
            again: None,
        };
        self.record(
            Change::Evaluation {
                evaluation: evaluation.clone(),
                seq,
            },
            work,
        );
        work.tell(To::One(by.clone()), ToPane::Acked { seq });
        self.evaluations.push(evaluation);
        self.errors.clear();
        self.tell_marks(work);
        if !work.is_connected() {
            let text = "Not connected to a Smalltalk server: this runs once there is one.";
            work.notice(by, Level::Info, text);
        } else if let Some(why) = self.denied.clone() {
            work.notice(
                by,
                Level::Error,
                format!("{why} This runs once there is room."),
            );
            // There may be room by now.
            self.create_session(work);
        }
        self.send_waiting(work);
    }

    /// Sends what was accepted while there was no session to run it in.
    pub(in crate::hub) fn send_waiting(&mut self, work: &mut Work) {
        let (Some(session_id), Some(server_id)) =
            (self.session_id(work), work.server_id().map(str::to_owned))
        else {
            return;
        };
        let mut changes = Vec::new();
        let mut requests = Vec::new();
        for evaluation in &mut self.evaluations {
            if self.pending.contains_key(&evaluation.id) {
                continue;
            }
            if evaluation.server_id.is_none() {
                evaluation.server_id = Some(server_id.clone());
                changes.push(Change::Sent {
                    id: evaluation.id,
                    as_id: evaluation.id,
                    server_id: server_id.clone(),
                });
            }
            requests.push((evaluation.id, request_for(evaluation, session_id.clone())));
        }
        for change in changes {
            self.record(change, work);
        }
        for (id, request) in requests {
            self.request(id, request.into(), Purpose::Evaluation, work);
        }
    }

    /// The session is gone, so that this was never run: it is sent again, under another id because
    /// the server remembers its refusal under this one.
    pub(in crate::hub) fn evaluation_without_session(&mut self, id: Uuid, work: &mut Work) {
        let as_id = work.ids.make();
        let Some(evaluation) = self.evaluations.iter_mut().find(|e| e.id == id) else {
            return;
        };
        evaluation.id = as_id;
        if let Some(server_id) = evaluation.server_id.clone() {
            let sent = Change::Sent {
                id,
                as_id,
                server_id,
            };
            self.record(sent, work);
        }
    }

    /// Gives up what another server had: that one ran it or not, nobody knows, and will not say. What the
    /// link still keeps was never sent to that one, else it would have said so: this one gets it.
    pub(in crate::hub) fn give_up_for_server(&mut self, server_id: &str, work: &mut Work) {
        let mut lost = Vec::new();
        let mut sent = Vec::new();
        for evaluation in &mut self.evaluations {
            let id = evaluation.id;
            match &mut evaluation.server_id {
                Some(had) if had != server_id && self.pending.contains_key(&id) => {
                    server_id.clone_into(had);
                    sent.push(Change::Sent {
                        id,
                        as_id: id,
                        server_id: server_id.to_owned(),
                    });
                }
                Some(had) if had != server_id => lost.push(id),
                _ => {}
            }
        }
        for change in sent {
            self.record(change, work);
        }
        for id in lost {
            self.evaluation_lost(id, work);
        }
    }

    pub(in crate::hub) fn evaluation_lost(&mut self, id: Uuid, work: &mut Work) {
        let text =
            "The Smalltalk server ended while this ran. Its variables are gone; evaluate again.";
        self.evaluation_failed(id, text, work);
    }

    pub(in crate::hub) fn evaluation_failed(&mut self, id: Uuid, text: &str, work: &mut Work) {
        let Some(evaluation) = self.finish(id, Some(failure(text)), work) else {
            return;
        };
        let place = evaluation.span;
        self.mark(MarkKind::Error, place, text, None);
        self.tell_marks(work);
        work.notice(evaluation.by, Level::Error, text);
    }

    pub(in crate::hub) fn evaluated(
        &mut self,
        id: Uuid,
        answer: response::Evaluate,
        work: &mut Work,
    ) {
        if let Some(id) = answer.object.as_ref().and_then(|object| object.id.clone()) {
            self.to_release.insert(id);
        }
        let end = End {
            good: !answer.has_error,
            answer: if answer.has_error {
                summary_of(&answer)
            } else {
                answer.result.clone()
            },
            debug_id: answer
                .error
                .as_ref()
                .and_then(|error| error.debug_id.clone()),
        };
        let Some(evaluation) = self.finish(id, Some(end), work) else {
            return;
        };
        let object = answer.object.clone();
        let is_debugged = self.is_debugged(&answer);
        if is_debugged && evaluation.how == How::DebugIt {
            self.tell_marks(work);
            self.come_up(&evaluation.by, work);
        } else if answer.has_error {
            self.show_runtime_error(&evaluation, &answer, work);
            self.tell_marks(work);
        } else {
            // First of all it runs no longer; then comes what it answered.
            self.tell_marks(work);
            match evaluation.how {
                How::DoIt => {}
                How::DebugIt => {
                    let text = "It ran to its end: there was nothing to stop at.";
                    work.notice(evaluation.by.clone(), Level::Info, text);
                }
                How::PrintIt => self.print(&evaluation, &answer, work),
                How::InspectIt => {
                    if let Some(object) = object {
                        self.inspector.open(object);
                        self.trail_changed(work);
                    } else {
                        let text = "The server keeps no object to inspect for this answer.";
                        work.notice(evaluation.by.clone(), Level::Error, text);
                    }
                }
            }
        }
    }

    pub(in crate::hub) fn evaluation_refused(
        &mut self,
        id: Uuid,
        error: &ErrorInfo,
        work: &mut Work,
    ) {
        let Some(evaluation) = self.finish(id, Some(failure(&error.message)), work) else {
            return;
        };
        let details = error.details.as_deref();
        let by = evaluation.by.clone();
        let message = without_place(&error.message);
        match error.code {
            ErrorCode::Interrupted => {
                work.notice(by, Level::Info, "Interrupted.");
            }
            ErrorCode::CompileError => {
                let at = details.and_then(|details| details.at);
                let range = details.and_then(|details| details.range);
                let start = at.map_or(range.map_or(1, |r| r.start.position), |at| at.position);
                let caret = self.place_in(&evaluation, start);
                let span = match range {
                    Some(range) if range.end.position > start => self.span_of(&evaluation, range),
                    _ => self.one_character(caret),
                };
                self.mark(MarkKind::CompileError, span, message, None);
                if !self.went_on_typing(&by, evaluation.seq) {
                    self.select(by.clone(), caret, caret, work);
                }
                work.notice(by, Level::Error, message);
            }
            _ => {
                self.mark(MarkKind::Error, evaluation.span, message, None);
                work.notice(by, Level::Error, message);
            }
        }
        self.tell_marks(work);
    }

    /// Interrupts everything that runs, and drops what still waits for a server. Where nothing runs, what the
    /// code forked is ended.
    pub(in crate::hub) fn interrupt(&mut self, by: Instance, work: &mut Work) {
        let steps = self.interrupt_debuggers(&by, work);
        if self.evaluations.is_empty() {
            if !steps {
                self.interrupt_forked(by, work);
            }
            return;
        }
        // An earlier sidecar may have sent it to the server that is to be connected again.
        let server = self.server.as_ref().map(|server| &server.server_id);
        let ids: Vec<(Uuid, bool)> = self
            .evaluations
            .iter()
            .map(|e| {
                let with_server = e.server_id.is_some() && e.server_id.as_ref() == server;
                (e.id, with_server || self.pending.contains_key(&e.id))
            })
            .collect();
        let connected = work.is_connected();
        for (id, sent) in ids {
            if sent {
                let request = request::Interrupt::of_request(&id);
                self.ask(request, Purpose::Interrupt { by: by.clone() }, work);
            } else if self.finish(id, None, work).is_some() {
                self.tell_marks(work);
                work.notice(by.clone(), Level::Info, "Taken back before it ran.");
            }
        }
        if !connected {
            let text = "Not connected: the interrupt is delivered as soon as the server is there.";
            work.notice(by, Level::Info, text);
        }
    }

    fn interrupt_forked(&mut self, by: Instance, work: &mut Work) {
        match &self.server {
            Some(server) if work.is_connected() => {
                let request = request::Interrupt::of_session(&server.session_id);
                self.ask(request, Purpose::InterruptForked { by }, work);
            }
            _ => work.notice(by, Level::Info, NOTHING_RUNS),
        }
    }

    fn show_runtime_error(
        &mut self,
        evaluation: &Evaluation,
        answer: &response::Evaluate,
        work: &mut Work,
    ) {
        let summary = summary_of(answer);
        let failed = answer
            .error
            .iter()
            .flat_map(|error| &error.stack)
            .find(|frame| frame.is_evaluated_code)
            .and_then(|frame| frame.range);
        let span = match failed {
            Some(range) if range.end.position > range.start.position => {
                self.span_of(evaluation, range)
            }
            _ => evaluation.span,
        };
        let debugger = answer.error.as_ref().and_then(|it| it.debug_id.clone());
        let offer = if debugger.is_some() { DEBUG_KEY } else { "" };
        self.mark(MarkKind::Error, span, &summary, debugger);
        let summary = format!("{summary}{offer}");
        work.notice(evaluation.by.clone(), Level::Error, summary);
    }

    /// Whether an answer is that of code that has stopped in a debugger which is open.
    fn is_debugged(&self, answer: &response::Evaluate) -> bool {
        let id = answer.error.as_ref().and_then(|it| it.debug_id.as_ref());
        id.is_some_and(|id| self.debuggers.iter().any(|open| open.id == *id))
    }

    /// What went wrong went on in its debugger, or was ended there: answers whether that was marked.
    pub(super) fn unmark(&mut self, debugger: &str) -> bool {
        let before = self.errors.len();
        let of = |wrong: &Wrong| wrong.debugger.as_deref() == Some(debugger);
        self.errors.retain(|wrong| !of(wrong));
        self.errors.len() != before
    }

    /// Writes an answer behind its expression and selects it for whoever asked, unless he went on
    /// typing meanwhile: the next key would replace it.
    pub(super) fn print(
        &mut self,
        evaluation: &Evaluation,
        answer: &response::Evaluate,
        work: &mut Work,
    ) {
        let result = answer.result.replace("\r\n", "\n").replace('\r', "\n");
        let end = result.char_indices().nth(MAX_PRINTED).map(|(at, _)| at);
        let cut_here = end.is_some();
        let mut text = format!(" {}", &result[..end.unwrap_or(result.len())]);
        if cut_here || answer.truncated {
            text.push('…');
        }
        let start = evaluation.span.end;
        let group = u64::try_from(evaluation.id.as_u128() & u128::from(u64::MAX)).unwrap_or(0);
        for piece in pieces(&Edit::insert(start, text.as_str())) {
            self.change(&piece, group, work);
        }
        let end = start.advanced_by(&text);
        let by = evaluation.by.clone();
        if self.went_on_typing(&by, evaluation.seq) {
            let text = format!("The answer is printed in line {}.", start.line + 1);
            work.notice(by, Level::Info, text);
        } else {
            self.select(by.clone(), start, end, work);
            if cut_here || answer.truncated {
                let text = "The answer is longer than shown; inspect it to see the rest.";
                work.notice(by, Level::Info, text);
            }
        }
    }

    /// Whether an instance changed the text after its act `seq`.
    fn went_on_typing(&self, by: &Instance, seq: u64) -> bool {
        self.last_edit.get(by).is_some_and(|edit| *edit > seq)
    }

    /// Takes an evaluation off the list and into the history.
    /// One that was run again is finished with that: it has no place in the text.
    fn finish(&mut self, id: Uuid, end: Option<End>, work: &mut Work) -> Option<Evaluation> {
        let at = self.evaluations.iter().position(|e| e.id == id)?;
        let evaluation = self.evaluations.remove(at);
        self.ended = true;
        self.remember(&evaluation, end.clone());
        self.record(
            Change::Answered {
                id,
                end: end.clone(),
            },
            work,
        );
        self.bound_debuggers(work);
        self.tell_debugger(work);
        if let Some(n) = evaluation.again {
            if let Some(end) = end {
                self.ran_again(n, &evaluation, &end, work);
            }
            return None;
        }
        Some(evaluation)
    }

    /// The place in the document of a 1-based position in an evaluation's code.
    fn place_in(&self, evaluation: &Evaluation, position: usize) -> Pos {
        let start = self.document.index(evaluation.span.start);
        let end = self.document.index(evaluation.span.end);
        let place = (start + position.saturating_sub(1)).min(end.max(start));
        self.document.place(place)
    }

    fn span_of(&self, evaluation: &Evaluation, range: Range) -> Span {
        Span::between(
            self.place_in(evaluation, range.start.position),
            self.place_in(evaluation, range.end.position),
        )
    }

    /// The character at a place, or the one before it at the end of a line.
    fn one_character(&self, place: Pos) -> Span {
        let behind = Pos::new(place.line, place.column + 1);
        if self.document.clamp(behind) == behind {
            Span {
                start: place,
                end: behind,
            }
        } else {
            Span {
                start: Pos::new(place.line, place.column.saturating_sub(1)),
                end: place,
            }
        }
    }

    fn mark(&mut self, kind: MarkKind, span: Span, text: &str, debugger: Option<String>) {
        if self.errors.len() < MAX_ERRORS {
            let text = cut(text, MAX_MARK_TEXT);
            let mark = Mark { span, kind, text };
            self.errors.push(Wrong { mark, debugger });
        }
    }

    pub(in crate::hub) fn all_marks(&self) -> Vec<Mark> {
        let in_text = self.evaluations.iter().filter(|e| e.again.is_none());
        let running = in_text.map(|evaluation| Mark {
            span: evaluation.span,
            kind: MarkKind::Running,
            text: String::new(),
        });
        let stopped = self.debuggers.iter().filter_map(|open| {
            let of = open.of.as_ref().filter(|of| of.how == How::DebugIt)?;
            Some(Mark {
                span: of.span,
                kind: MarkKind::Debugged,
                text: String::new(),
            })
        });
        let wrong = self.errors.iter().map(|wrong| wrong.mark.clone());
        running.chain(stopped).chain(wrong).collect()
    }

    /// Moves everything that has a place in the document with an edit. Errors whose text is changed
    /// are no longer marked; answers whether there were any.
    pub(in crate::hub) fn moved_by(&mut self, edit: &Edit) -> bool {
        let moved = |span: Span| {
            let start = edit.moves(span.start, true);
            Span {
                start,
                end: edit.moves(span.end, false).max(start),
            }
        };
        for evaluation in &mut self.evaluations {
            evaluation.span = moved(evaluation.span);
        }
        let debugged = self.debuggers.iter_mut();
        for evaluation in debugged.filter_map(|open| open.of.as_mut()) {
            evaluation.span = moved(evaluation.span);
        }
        let before = self.errors.len();
        self.errors.retain(|Wrong { mark, .. }| {
            edit.span.end < mark.span.start || mark.span.end < edit.span.start
        });
        for Wrong { mark, .. } in &mut self.errors {
            mark.span = moved(mark.span);
        }
        self.errors.len() != before
    }
}

/// The error of an answer, in one line.
fn summary_of(answer: &response::Evaluate) -> String {
    answer.error.as_ref().map_or_else(
        || answer.result.clone(),
        stui_protocol::error::RuntimeError::summary,
    )
}

fn failure(text: &str) -> End {
    End {
        good: false,
        answer: cut(text, MAX_MARK_TEXT),
        debug_id: None,
    }
}

/// A message without a place at its end, as `(line 1, column 5)`: that is a place in the evaluated
/// code, and would be taken for one in the document, where a mark shows it anyway.
fn without_place(message: &str) -> &str {
    match message.rsplit_once(" (line ") {
        Some((rest, place)) if place.ends_with(')') => rest,
        _ => message,
    }
}

fn request_for(evaluation: &Evaluation, session_id: String) -> request::Evaluate {
    request::Evaluate {
        code: evaluation.code.clone(),
        return_string: Some(evaluation.how == How::PrintIt),
        evaluation_mode: Some(match evaluation.how {
            How::PrintIt => EvaluationMode::Display,
            How::DoIt | How::InspectIt => EvaluationMode::Execute,
            How::DebugIt => EvaluationMode::Debug,
        }),
        session_id: Some(session_id),
        ..request::Evaluate::default()
    }
}

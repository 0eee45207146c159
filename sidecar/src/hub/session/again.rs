//! The history: what becomes part of it, and how what a lost server had evaluated is run again.

use std::collections::VecDeque;

use stui_protocol::debugger::MAX_DEBUGGERS;
use stui_protocol::pane::{How, Instance, Level, Span};
use stui_protocol::request::{self, DebugOperation};

use super::{Purpose, Session, Work};
use crate::hub::history::{Entry, MAX_ANSWER};
use crate::hub::inspector::cut;
use crate::hub::record::{Change, Debugger, End, Evaluation, ServerSession};

/// Most characters of an evaluation's code that a debugger on it keeps.
const MAX_DEBUGGED: usize = 64 * 1024;

impl Session {
    /// Adds an evaluation that has ended to the history; none: it never ran.
    pub(super) fn remember(&mut self, evaluation: &Evaluation, end: Option<End>) {
        let Some(end) = end else {
            return;
        };
        let n = self.history.add(Entry {
            n: 0,
            code: evaluation.code.clone(),
            how: evaluation.how,
            by: evaluation.by.clone(),
            at: evaluation.at,
            life: self.life,
            good: end.good,
            answer: cut(&end.answer, MAX_ANSWER),
        });
        if let Some(id) = end.debug_id {
            let code = evaluation.code.chars().take(MAX_DEBUGGED).collect();
            let of = Evaluation {
                code,
                ..evaluation.clone()
            };
            self.opened_debugger(
                Debugger {
                    id,
                    title: cut(&end.answer, MAX_ANSWER),
                    n,
                    of: Some(Box::new(of)),
                },
                &evaluation.by,
            );
        }
    }

    /// Ends debuggers that are too many.
    pub(super) fn bound_debuggers(&mut self, work: &mut Work) {
        while self.debuggers.len() > MAX_DEBUGGERS {
            if let Some(id) = self.debuggers.front().map(|oldest| oldest.id.clone()) {
                self.terminate(id.clone(), work);
                self.close_debugger(&id, None);
                self.record(Change::DebuggerClosed { id, end: None }, work);
            }
        }
    }

    pub(super) fn terminate(&mut self, debug_id: String, work: &mut Work) {
        let request = request::Debug {
            operation: DebugOperation::Terminate,
            context: debug_id,
            frame: None,
            code: None,
            class_name: None,
            method_name: None,
        };
        self.ask(request, Purpose::Terminate, work);
    }

    /// It has a session on a server from now on, in which nothing has run yet.
    pub(super) fn begin_life(&mut self, server: ServerSession) {
        self.lose_server();
        self.server = Some(server);
        self.life += 1;
    }

    /// Its session on the server is gone, with what was in it.
    pub(super) fn lose_server(&mut self) {
        self.server = None;
        self.debuggers.clear();
        self.debugging.clear();
        self.again.clear();
        self.last_event = 0;
        self.saved.event = 0;
        self.numbers_begin_anew = false;
        self.saved.is_older = false;
    }

    /// How many evaluations of a lost server can be run again.
    pub(in crate::hub) fn lost(&self) -> usize {
        // Without a session on a server all that ran is lost.
        let life = self.life + u32::from(self.server.is_none());
        self.history.lost(life).count()
    }

    /// Runs again, one after the other, what a lost server had evaluated.
    ///
    /// # Errors
    /// A sentence, if there is nothing to run or nowhere to run it.
    pub(in crate::hub) fn run_again(
        &mut self,
        by: Instance,
        work: &mut Work,
    ) -> Result<String, String> {
        if !self.again.is_empty() || self.evaluations.iter().any(|e| e.again.is_some()) {
            return Err("The history is being run again already.".into());
        }
        if self.session_id(work).is_none() {
            return Err(format!(
                "{} is not connected to a Smalltalk server; run its history again once it is.",
                self.name
            ));
        }
        let lost: Vec<Entry> = self.history.lost(self.life).cloned().collect();
        if lost.is_empty() {
            return Err(
                "There is nothing to run again: no server was lost since, or all of it was.".into(),
            );
        }
        let count = lost.len();
        self.again = asked_by(&by, lost);
        self.run_next_again(work);
        Ok(format!("Running {count} evaluations of the history again."))
    }

    fn run_next_again(&mut self, work: &mut Work) {
        let Some(entry) = self.again.pop_front() else {
            return;
        };
        let evaluation = Evaluation {
            seq: 0,
            id: work.ids.make(),
            by: entry.by,
            how: How::DoIt,
            code: entry.code,
            span: Span::default(),
            server_id: None,
            at: work.now,
            again: Some(entry.n),
        };
        self.record(
            Change::Evaluation {
                evaluation: evaluation.clone(),
                seq: 0,
            },
            work,
        );
        self.evaluations.push(evaluation);
        self.send_waiting(work);
    }

    /// An evaluation that was run again has ended.
    pub(super) fn ran_again(
        &mut self,
        n: u64,
        evaluation: &Evaluation,
        end: &End,
        work: &mut Work,
    ) {
        self.history.ran_again(n);
        self.record(Change::RanAgain { n }, work);
        if !end.good {
            let left = std::mem::take(&mut self.again).len();
            let text = format!(
                "Running the history again stopped at `{}` with {left} to go: {}",
                cut(&evaluation.code, 60),
                end.answer
            );
            self.announce(None, Level::Error, &text, work);
            return;
        }
        if self.again.is_empty() {
            // What a sidecar had begun that was killed meanwhile.
            self.again = asked_by(&evaluation.by, self.history.lost(self.life).cloned());
        }
        if self.again.is_empty() {
            let text = "The history was run again.";
            self.announce(None, Level::Info, text, work);
        } else {
            self.run_next_again(work);
        }
    }
}

/// Entries of the history as they are run again for somebody.
fn asked_by(by: &Instance, entries: impl IntoIterator<Item = Entry>) -> VecDeque<Entry> {
    let entries = entries.into_iter();
    let again = entries.map(|entry| Entry {
        by: by.clone(),
        ..entry
    });
    again.collect()
}

//! The processes that the engine keeps for debuggers, as far as the server has to know them: whose they are.

use std::collections::BTreeMap;

use stui_protocol::Uuid;

use crate::engine::DebuggerNumber;

#[derive(Debug)]
struct Debugger {
    session: Uuid,
    /// The request of its evaluation.
    request: Uuid,
    /// It was continued, and runs as far as is known.
    runs: bool,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Debuggers {
    by_number: BTreeMap<DebuggerNumber, Debugger>,
}

impl Debuggers {
    /// One is there; it may have been there before.
    pub(crate) fn opened(&mut self, number: DebuggerNumber, session: Uuid, request: Uuid) {
        let debugger = Debugger {
            session,
            request,
            runs: false,
        };
        self.by_number.insert(number, debugger);
    }

    /// One was continued, and runs on.
    pub(crate) fn runs(&mut self, number: DebuggerNumber) {
        if let Some(debugger) = self.by_number.get_mut(&number) {
            debugger.runs = true;
        }
    }

    /// One is gone. Answers the session that it was kept for, if it was known.
    pub(crate) fn closed(&mut self, number: DebuggerNumber) -> Option<Uuid> {
        self.by_number
            .remove(&number)
            .map(|debugger| debugger.session)
    }

    /// The session that one is kept for.
    pub(crate) fn session(&self, number: DebuggerNumber) -> Option<Uuid> {
        self.by_number.get(&number).map(|debugger| debugger.session)
    }

    /// The one with the evaluation of a request, if that was continued and runs.
    pub(crate) fn running(&self, request: Uuid) -> Option<DebuggerNumber> {
        self.by_number
            .iter()
            .find(|(_, debugger)| debugger.runs && debugger.request == request)
            .map(|(number, _)| *number)
    }

    /// Forgets those of a session. Answers their numbers.
    pub(crate) fn session_ended(&mut self, session: Uuid) -> Vec<DebuggerNumber> {
        let mut gone = Vec::new();
        self.by_number.retain(|number, debugger| {
            let ends = debugger.session == session;
            if ends {
                gone.push(*number);
            }
            !ends
        });
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_takes_its_debuggers_with_it() {
        let [one, other] = [1, 2].map(Uuid::from_u128);
        let mut debuggers = Debuggers::default();
        debuggers.opened(1, one, Uuid::from_u128(11));
        debuggers.opened(2, other, Uuid::from_u128(12));
        debuggers.opened(3, one, Uuid::from_u128(13));
        assert_eq!(debuggers.running(Uuid::from_u128(13)), None);
        debuggers.runs(3);
        assert_eq!(debuggers.running(Uuid::from_u128(13)), Some(3));
        assert_eq!(debuggers.session_ended(one), [1, 3]);
        assert_eq!(debuggers.session(1), None);
        assert_eq!(debuggers.running(Uuid::from_u128(13)), None);
        assert_eq!(debuggers.closed(2), Some(other));
        assert_eq!(debuggers.closed(2), None);
    }
}

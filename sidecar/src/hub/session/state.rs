//! What the server is told about a session: the small document by which another client, or a sidecar
//! without its journal, could find out what was done in it; that it is in use; that it is closed.

use serde_json::json;
use stui_protocol::request;

use super::{Purpose, Session, Work};
use crate::hub::Effect;
use crate::hub::image::Image;
use crate::hub::record::Change;

/// How long changes are held back, in seconds.
const STATE_PAUSE: u64 = 5;
/// Longest text that goes into the document, in bytes.
const MAX_TEXT: usize = 512 * 1024;

impl Session {
    /// Something changed that the state document is about.
    pub(super) fn state_changed(&mut self, work: &Work) {
        self.state_old.get_or_insert(work.now);
    }

    /// Whether the server is to be told now, which it can be while the link to the image is up.
    pub(super) fn state_is_due(&self, now: u64, image: Option<&Image>) -> bool {
        let server_id = image.and_then(|image| image.server_id.as_ref());
        self.server
            .as_ref()
            .is_some_and(|server| Some(&server.server_id) == server_id)
            && self
                .state_old
                .is_some_and(|since| now >= since + STATE_PAUSE)
    }

    pub(super) fn update_state(&mut self, work: &mut Work) {
        let Some(session_id) = self.session_id(work) else {
            return;
        };
        self.state_old = None;
        let text = self.document.text();
        let trail: Vec<_> = self
            .inspector
            .trail()
            .iter()
            .filter_map(|node| node.object.id.as_deref())
            .collect();
        let state_data = json!({
            "client": "stui",
            "session": self.name,
            "inspector_state": { "trail": trail },
            "document": (text.len() <= MAX_TEXT).then_some(text),
        });
        let request = request::UpdateSessionState {
            session_id,
            state_data,
        };
        self.ask(request, Purpose::State, work);
    }

    /// Lets the server know that the session is in use.
    pub(in crate::hub) fn keep_alive(&mut self, work: &mut Work) {
        if let Some(session_id) = self.session_id(work) {
            let request = request::GetSessionInfo { session_id };
            self.ask(request, Purpose::KeepAlive, work);
        }
    }

    /// Ends the session on the server, with its debuggers.
    pub(in crate::hub) fn close_on_server(&mut self, work: &mut Work) {
        let (Some(session_id), Some(image)) = (self.session_id(work), work.image) else {
            return;
        };
        for debugger in std::mem::take(&mut self.debuggers) {
            self.terminate(debugger.id, work);
        }
        work.out.push(Effect::Unsubscribe {
            image: image.key,
            session_id: session_id.clone(),
        });
        self.ask(
            request::CloseSession { session_id },
            Purpose::Terminate,
            work,
        );
        self.lose_server();
    }

    /// Brings it to another image. To be called with the image that it was on.
    pub(in crate::hub) fn move_to(&mut self, image: String, work: &mut Work) {
        self.close_on_server(work);
        self.record(
            Change::Moved {
                image: image.clone(),
            },
            work,
        );
        self.image = image;
        self.lose_server();
        // Nobody waits for what the old server says.
        self.pending.clear();
        self.of_earlier.clear();
        self.leave_objects(work);
    }
}

//! Sessions as the server knows them: whose they are, when they expire, their state document, history
//! and events. Their variables and objects are the engine's.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use stui_protocol::Uuid;
use stui_protocol::error::{ErrorCode, ErrorDetails, ErrorInfo};
use stui_protocol::message::timestamp;
use stui_protocol::response::{self, HistoryEntry};

use super::streams::Stream;
use crate::engine::{ObjectKey, SessionNumber};

/// How long an unused session lives unless its client says otherwise.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(3600);
/// Longest life that a client may ask for: 30 days.
const MAX_TIMEOUT: Duration = Duration::from_secs(30 * 24 * 3600);
/// Most sessions of one client.
pub(crate) const MAX_PER_CLIENT: usize = 5;
/// Most sessions in all.
const MAX_SESSIONS: usize = 1000;
/// How often expired sessions are looked for.
pub(crate) const CLEANUP_INTERVAL: Duration = Duration::from_secs(30);
/// Largest state document, in bytes of JSON.
pub(crate) const MAX_STATE_BYTES: usize = 1024 * 1024;
/// Longest `client_id`, in bytes.
const MAX_CLIENT_ID: usize = 256;
/// Most evaluations that a history keeps.
const MAX_HISTORY: usize = 1000;

/// A session.
#[derive(Debug)]
pub(crate) struct Session {
    /// Its id.
    pub(crate) id: Uuid,
    /// Its number.
    pub(crate) number: SessionNumber,
    client_id: String,
    created: SystemTime,
    timeout: Duration,
    last_used: Instant,
    /// The client's own document.
    pub(crate) state: Value,
    /// Past evaluations, oldest first.
    history: VecDeque<HistoryEntry>,
    /// Its events.
    pub(crate) events: Stream,
    /// How many of its jobs are not ended.
    pub(crate) jobs: u32,
}

impl Session {
    /// What every answer about it says.
    pub(crate) fn summary(&self) -> response::Session {
        response::Session {
            session_id: self.id.to_string(),
            client_id: self.client_id.clone(),
            created_at: timestamp(self.created),
            timeout: self.timeout.as_secs(),
            is_active: true,
        }
    }

    /// More about it.
    pub(crate) fn info(&self, now: Instant) -> response::GetSessionInfo {
        let unused = now.saturating_duration_since(self.last_used);
        response::GetSessionInfo {
            session: self.summary(),
            last_accessed: timestamp(
                SystemTime::now()
                    .checked_sub(unused)
                    .unwrap_or(self.created),
            ),
            time_until_expiry: self.timeout.saturating_sub(unused).as_secs(),
            is_expired: false,
            history_count: self.history.len() as u64,
        }
    }

    /// Adds a past evaluation.
    pub(crate) fn remember(&mut self, entry: HistoryEntry) {
        if self.history.len() >= MAX_HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(entry);
    }

    /// A page of the history.
    pub(crate) fn history(&self, offset: u64, limit: u64) -> response::GetHistory {
        let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let entries = self.history.iter().skip(size(offset)).take(size(limit));
        response::GetHistory {
            entries: entries.cloned().collect(),
            total_count: self.history.len() as u64,
        }
    }

    /// It was used.
    pub(crate) fn touch(&mut self, now: Instant) {
        self.last_used = now;
    }

    fn is_expired(&self, now: Instant) -> bool {
        self.jobs == 0 && now.saturating_duration_since(self.last_used) > self.timeout
    }

    /// What the ids of its objects begin with.
    pub(crate) fn object_prefix(&self) -> String {
        format!("{:08x}", prefix_of(self.id))
    }
}

/// The first eight hex digits of a session's id stand for it in the ids of its objects.
fn prefix_of(id: Uuid) -> u32 {
    id.as_fields().0
}

/// All sessions.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    by_id: HashMap<Uuid, Session>,
    by_prefix: HashMap<u32, Uuid>,
    by_number: HashMap<SessionNumber, Uuid>,
    last_number: SessionNumber,
}

impl Sessions {
    /// Begins one.
    ///
    /// # Errors
    /// If the client, or the server, has too many.
    pub(crate) fn create(
        &mut self,
        client_id: String,
        timeout: Option<u64>,
        now: Instant,
    ) -> Result<&mut Session, ErrorInfo> {
        if client_id.is_empty() || client_id.len() > MAX_CLIENT_ID {
            let message = format!("client_id has 1 to {MAX_CLIENT_ID} bytes.");
            return Err(ErrorInfo::new(ErrorCode::InvalidRequest, message));
        }
        let own = self.of_client(&client_id).count();
        if own >= MAX_PER_CLIENT {
            return Err(limit_exceeded(
                format!(
                    "Client {client_id:?} has {own} sessions, as many as it may have; close one first, or use one of ListClientSessions."
                ),
                MAX_PER_CLIENT,
            ));
        }
        if self.by_id.len() >= MAX_SESSIONS {
            return Err(limit_exceeded(
                "The server has as many sessions as it may have; close some first.".into(),
                MAX_SESSIONS,
            ));
        }
        let id = std::iter::repeat_with(Uuid::new_v4)
            .find(|id| !self.by_prefix.contains_key(&prefix_of(*id)))
            .unwrap_or_default();
        self.last_number += 1;
        let session = Session {
            id,
            number: self.last_number,
            client_id,
            created: SystemTime::now(),
            timeout: timeout.map_or(DEFAULT_TIMEOUT, |s| Duration::from_secs(s).min(MAX_TIMEOUT)),
            last_used: now,
            state: Value::Null,
            history: VecDeque::new(),
            events: Stream::new(Some(id.to_string())),
            jobs: 0,
        };
        self.by_prefix.insert(prefix_of(id), id);
        self.by_number.insert(self.last_number, id);
        Ok(self.by_id.entry(id).or_insert(session))
    }

    /// The session that a request names, from now on used at `now`.
    ///
    /// # Errors
    /// If there is none (any more).
    pub(crate) fn using(&mut self, id: &str, now: Instant) -> Result<&mut Session, ErrorInfo> {
        let session = id
            .parse()
            .ok()
            .and_then(|id: Uuid| self.by_id.get_mut(&id))
            .filter(|session| !session.is_expired(now))
            .ok_or_else(|| session_not_found(id))?;
        session.touch(now);
        Ok(session)
    }

    /// The session with this id, without using it.
    pub(crate) fn get_mut(&mut self, id: Uuid) -> Option<&mut Session> {
        self.by_id.get_mut(&id)
    }

    /// The session with this number.
    pub(crate) fn numbered(&mut self, number: SessionNumber) -> Option<&mut Session> {
        self.by_id.get_mut(self.by_number.get(&number)?)
    }

    /// The object that a handle's id names.
    ///
    /// # Errors
    /// If its session is not there (any more), or the id is no id of an object.
    pub(crate) fn object(&mut self, id: &str, now: Instant) -> Result<ObjectKey, ErrorInfo> {
        let parse = |id: &str| -> Option<(Uuid, u64)> {
            let (prefix, number) = id.split_once('-')?;
            let prefix = u32::from_str_radix(prefix, 16).ok()?;
            Some((*self.by_prefix.get(&prefix)?, number.parse().ok()?))
        };
        let (session, number) = parse(id).ok_or_else(|| object_not_found(id))?;
        let session = self.using(&session.to_string(), now)?.number;
        Ok(ObjectKey { session, number })
    }

    /// Ends one.
    pub(crate) fn remove(&mut self, id: Uuid) -> Option<Session> {
        let session = self.by_id.remove(&id)?;
        self.by_prefix.remove(&prefix_of(id));
        self.by_number.remove(&session.number);
        Some(session)
    }

    /// Ends those that have expired.
    pub(crate) fn remove_expired(&mut self, now: Instant) -> Vec<Session> {
        let expired: Vec<Uuid> = self
            .by_id
            .values()
            .filter(|session| session.is_expired(now))
            .map(|session| session.id)
            .collect();
        expired
            .into_iter()
            .filter_map(|id| self.remove(id))
            .collect()
    }

    fn of_client(&self, client_id: &str) -> impl Iterator<Item = &Session> {
        self.by_id
            .values()
            .filter(move |session| session.client_id == client_id)
    }

    /// The sessions of a client.
    pub(crate) fn list(&self, client_id: &str) -> response::ListClientSessions {
        let mut sessions: Vec<&Session> = self.of_client(client_id).collect();
        sessions.sort_by_key(|session| session.number);
        response::ListClientSessions {
            session_count: sessions.len() as u64,
            sessions: sessions.into_iter().map(Session::summary).collect(),
        }
    }

    /// About all of them.
    pub(crate) fn statistics(&self) -> response::GetSessionStatistics {
        let clients: std::collections::HashSet<&str> = self
            .by_id
            .values()
            .map(|session| session.client_id.as_str())
            .collect();
        response::GetSessionStatistics {
            total_sessions: self.by_id.len() as u64,
            active_clients: clients.len() as u64,
            max_sessions_per_client: MAX_PER_CLIENT as u64,
            default_timeout: DEFAULT_TIMEOUT.as_secs(),
            cleanup_interval: CLEANUP_INTERVAL.as_secs(),
        }
    }
}

fn session_not_found(id: &str) -> ErrorInfo {
    ErrorInfo::new(
        ErrorCode::SessionNotFound,
        format!("There is no session {id:?}, or it has expired; begin one with CreateSession."),
    )
}

fn limit_exceeded(message: String, limit: usize) -> ErrorInfo {
    ErrorInfo::new(ErrorCode::SessionLimitExceeded, message).with(ErrorDetails {
        limit: Some(limit as u64),
        ..ErrorDetails::default()
    })
}

/// The error for an object id that names nothing.
pub(crate) fn object_not_found(id: &str) -> ErrorInfo {
    ErrorInfo::new(
        ErrorCode::ObjectNotFound,
        format!(
            "There is no object {id:?} (any more): it was released, its session has ended, or too many others were shown since; inspect its expression again."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn created(sessions: &mut Sessions, client: &str, now: Instant) -> (Uuid, SessionNumber) {
        let session = sessions.create(client.into(), Some(60), now).unwrap();
        (session.id, session.number)
    }

    #[test]
    fn a_client_has_at_most_five_sessions() {
        let (mut sessions, now) = (Sessions::default(), Instant::now());
        let ids: Vec<Uuid> = (0..5)
            .map(|_| created(&mut sessions, "me", now).0)
            .collect();
        let refused = sessions.create("me".into(), None, now).unwrap_err();
        assert_eq!(refused.code, ErrorCode::SessionLimitExceeded);
        created(&mut sessions, "you", now);
        sessions.remove(ids[0]);
        created(&mut sessions, "me", now);
        assert_eq!(sessions.list("me").session_count, 5);
        assert_eq!(sessions.statistics().active_clients, 2);
    }

    #[test]
    fn a_session_expires_unless_it_is_used_or_busy() {
        let (mut sessions, start) = (Sessions::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        let (used, _) = created(&mut sessions, "me", start);
        let (busy, number) = created(&mut sessions, "me", start);
        let (idle, _) = created(&mut sessions, "me", start);
        sessions.numbered(number).unwrap().jobs = 1;
        sessions.using(&used.to_string(), after(50)).unwrap();
        let error = sessions.using(&idle.to_string(), after(61)).unwrap_err();
        assert_eq!(error.code, ErrorCode::SessionNotFound);
        let expired: Vec<Uuid> = sessions
            .remove_expired(after(61))
            .iter()
            .map(|session| session.id)
            .collect();
        assert_eq!(expired, [idle]);
        assert!(sessions.using(&busy.to_string(), after(1000)).is_ok());
        assert!(sessions.using(&used.to_string(), after(1000)).is_err());
    }

    #[test]
    fn an_objects_id_leads_to_its_session() {
        let (mut sessions, now) = (Sessions::default(), Instant::now());
        let (id, number) = created(&mut sessions, "me", now);
        let prefix = sessions.numbered(number).unwrap().object_prefix();
        let key = sessions.object(&format!("{prefix}-17"), now).unwrap();
        assert_eq!(
            key,
            ObjectKey {
                session: number,
                number: 17
            }
        );
        sessions.remove(id);
        for bad in [
            &format!("{prefix}-17"),
            "",
            "-",
            "x-1",
            "17",
            &format!("{prefix}-x"),
        ] {
            let error = sessions.object(bad, now).unwrap_err();
            assert_eq!(error.code, ErrorCode::ObjectNotFound, "{bad}");
        }
    }

    #[test]
    fn the_history_is_paged_and_bounded() {
        let (mut sessions, now) = (Sessions::default(), Instant::now());
        let (_, number) = created(&mut sessions, "me", now);
        let session = sessions.numbered(number).unwrap();
        for n in 0..MAX_HISTORY + 3 {
            session.remember(HistoryEntry {
                code: n.to_string(),
                ..HistoryEntry::default()
            });
        }
        let page = session.history(2, 2);
        let codes: Vec<&str> = page
            .entries
            .iter()
            .map(|entry| entry.code.as_str())
            .collect();
        assert_eq!(codes, ["5", "6"]);
        assert_eq!(page.total_count, MAX_HISTORY as u64);
        assert!(session.history(u64::MAX, u64::MAX).entries.is_empty());
    }
}

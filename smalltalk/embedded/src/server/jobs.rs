//! What the engine was asked to do and has not answered yet, and what still waits for its turn.
//!
//! A connection has a bounded number of jobs running; more wait in line, and more still are refused.

use std::collections::{HashMap, VecDeque};
use std::time::SystemTime;

use stui_protocol::Uuid;

use super::desk::ReplyTo;
use super::frames::PeerId;
use super::replies::{Fingerprint, RequestKey};
use crate::engine::{Command, JobId};

/// Most jobs of one connection that run at once.
pub(crate) const MAX_RUNNING: usize = 64;
/// Most jobs of one connection that wait behind those.
pub(crate) const MAX_WAITING: usize = 1024;
/// Most connections that one job's reply goes to: those that sent the request again.
const MAX_REPLY_TO: usize = 8;

/// Something the engine does for a request.
#[derive(Debug)]
pub(crate) struct Job {
    /// Id of the request.
    pub(crate) request: Uuid,
    /// Under which name its reply is remembered.
    pub(crate) key: RequestKey,
    /// With which content.
    pub(crate) fingerprint: Fingerprint,
    /// Who gets the reply.
    pub(crate) reply_to: Vec<ReplyTo>,
    /// The session that it is done in.
    pub(crate) session: Option<Uuid>,
    /// The code of an evaluation, as events and history show it.
    pub(crate) code: Option<String>,
    /// When it was asked for.
    pub(crate) asked: SystemTime,
}

impl Job {
    /// The request came again: this one gets the reply too.
    pub(crate) fn also_reply_to(&mut self, reply_to: ReplyTo) {
        self.reply_to.retain(|other| other.peer != reply_to.peer);
        if self.reply_to.len() >= MAX_REPLY_TO {
            self.reply_to.remove(0);
        }
        self.reply_to.push(reply_to);
    }
}

/// The jobs of one connection.
#[derive(Debug, Default)]
struct Line {
    running: usize,
    waiting: VecDeque<(JobId, Command)>,
}

/// What becomes of a new job.
#[derive(Debug)]
pub(crate) enum Turn {
    /// It is to be started with this command.
    Now(Command),
    /// It waits.
    Later,
}

/// All jobs.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    by_id: HashMap<JobId, (PeerId, Job)>,
    lines: HashMap<PeerId, Line>,
    last: JobId,
}

impl Jobs {
    /// A number for a new job.
    pub(crate) fn next_id(&mut self) -> JobId {
        self.last += 1;
        self.last
    }

    /// Whether a connection may have one more.
    pub(crate) fn has_room(&self, peer: &[u8]) -> bool {
        self.lines
            .get(peer)
            .is_none_or(|line| line.waiting.len() < MAX_WAITING)
    }

    /// Adds a job of a connection.
    pub(crate) fn add(&mut self, peer: &PeerId, id: JobId, job: Job, command: Command) -> Turn {
        self.by_id.insert(id, (peer.clone(), job));
        let line = self.lines.entry(peer.clone()).or_default();
        if line.running < MAX_RUNNING {
            line.running += 1;
            Turn::Now(command)
        } else {
            line.waiting.push_back((id, command));
            Turn::Later
        }
    }

    /// The job with this number.
    pub(crate) fn get_mut(&mut self, id: JobId) -> Option<&mut Job> {
        self.by_id.get_mut(&id).map(|(_, job)| job)
    }

    /// A running job has ended. With it the job that may start instead.
    pub(crate) fn end(&mut self, id: JobId) -> Option<(Job, Option<(JobId, Command)>)> {
        let (peer, job) = self.by_id.remove(&id)?;
        let mut next = None;
        if let Some(line) = self.lines.get_mut(&peer) {
            next = line.waiting.pop_front();
            if next.is_none() {
                line.running -= 1;
                if line.running == 0 {
                    self.lines.remove(&peer);
                }
            }
        }
        Some((job, next))
    }

    /// The numbers of the jobs of a request, whoever sent it.
    pub(crate) fn of_request(&self, request: Uuid) -> Vec<JobId> {
        self.by_id
            .iter()
            .filter(|(_, (_, job))| job.request == request)
            .map(|(id, _)| *id)
            .collect()
    }

    /// Takes a job out that still waits; a running one stays.
    pub(crate) fn withdraw(&mut self, id: JobId) -> Option<Job> {
        let (peer, _) = self.by_id.get(&id)?;
        let waiting = &mut self.lines.get_mut(peer)?.waiting;
        let place = waiting.iter().position(|(other, _)| *other == id)?;
        waiting.remove(place);
        self.by_id.remove(&id).map(|(_, job)| job)
    }

    /// Takes all jobs out.
    pub(crate) fn drain(&mut self) -> Vec<Job> {
        self.lines.clear();
        self.by_id.drain().map(|(_, (_, job))| job).collect()
    }

    /// Numbers of the jobs in a session.
    pub(crate) fn of_session(&self, session: Uuid) -> Vec<JobId> {
        self.by_id
            .iter()
            .filter(|(_, (_, job))| job.session == Some(session))
            .map(|(id, _)| *id)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::replies::Sender;

    fn peer() -> PeerId {
        Box::from([0, 0, 0, 0, 1])
    }

    fn job(number: u128) -> Job {
        Job {
            request: Uuid::from_u128(number),
            key: (Sender::Anyone, Uuid::from_u128(number)),
            fingerprint: Fingerprint::of("Evaluate", ""),
            reply_to: vec![],
            session: None,
            code: None,
            asked: SystemTime::UNIX_EPOCH,
        }
    }

    fn add(jobs: &mut Jobs, number: u128) -> (JobId, bool) {
        let id = jobs.next_id();
        let turn = jobs.add(&peer(), id, job(number), Command::Interrupt { job: id });
        (id, matches!(turn, Turn::Now(_)))
    }

    #[test]
    fn jobs_of_a_connection_wait_for_their_turn() {
        let mut jobs = Jobs::default();
        let running: Vec<JobId> = (0..MAX_RUNNING as u128)
            .map(|number| add(&mut jobs, number))
            .inspect(|(_, started)| assert!(started))
            .map(|(id, _)| id)
            .collect();
        let (first, started) = add(&mut jobs, 1000);
        assert!(!started);
        let (second, _) = add(&mut jobs, 1001);
        assert!(jobs.withdraw(first).is_some());
        assert!(jobs.withdraw(running[0]).is_none());
        let (_, next) = jobs.end(running[0]).unwrap();
        assert_eq!(next.map(|(id, _)| id), Some(second));
        for id in running[1..].iter().copied().chain([second]) {
            assert!(jobs.end(id).unwrap().1.is_none());
        }
        assert!(jobs.lines.is_empty() && jobs.by_id.is_empty());
    }

    #[test]
    fn a_line_has_an_end() {
        let mut jobs = Jobs::default();
        for number in 0..(MAX_RUNNING + MAX_WAITING) as u128 {
            assert!(jobs.has_room(&peer()));
            add(&mut jobs, number);
        }
        assert!(!jobs.has_room(&peer()));
        assert!(jobs.has_room(b"other"));
    }

    #[test]
    fn a_reply_goes_once_to_each_connection_that_asked() {
        let mut job = job(1);
        for connection in [1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9] {
            job.also_reply_to(ReplyTo {
                peer: Box::from([0, connection]),
                delimited: false,
                signed: false,
            });
        }
        let connections: Vec<u8> = job.reply_to.iter().map(|to| to.peer[1]).collect();
        assert_eq!(connections, [2, 3, 4, 5, 6, 7, 8, 9]);
    }
}

//! An instance's end of the pipes: who it is, whether a sidecar is there, and what that sidecar has
//! not yet acknowledged.
//!
//! Acts ([`Act`]) are numbered and kept until they are acknowledged; a sidecar that comes after a
//! lost one gets those it does not know of, in order, and carries each out once.

use std::collections::VecDeque;

use stui_protocol::pane::{Act, Down, FromPane, Instance, SessionKey, Status};

use crate::io::{Effect, Outcome};

/// Most text kept for a sidecar that is away, in bytes; a plugin has 16 MiB in all.
const OUTBOX_LIMIT: usize = 3 * 1024 * 1024;
/// Without a word for so long (seconds), the sidecar is taken for lost. It probes every other second.
const SILENCE: f64 = 4.0;
/// How long after its last word (seconds) a lost one is expected to be back: it is started again at once,
/// on a machine that may be busy. Later than that nobody wants to see run what was meant then.
const RETURN: f64 = 30.0;
/// How long the first one may take (seconds) before the pane says that something is wrong.
const PATIENCE: f64 = 6.0;
/// Longest time between two looks for a sidecar, in seconds.
const LONGEST_WAIT: f64 = 30.0;

/// How things stand with the sidecar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The plugin may not yet look for it.
    Unpermitted,
    /// It was sent for.
    Coming,
    /// It is there.
    Live,
    /// It does not come, or is gone.
    Lost,
}

/// See the module's text.
#[derive(Debug)]
pub struct Link {
    me: Instance,
    hello: FromPane,
    summons: Option<Vec<String>>,
    permitted: bool,
    down: Option<String>,
    welcomed: bool,
    /// Seconds since anything was heard, or since the plugin was permitted.
    silence: f64,
    /// Seconds until the next look for a sidecar, and how long the one after that waits.
    next_look: f64,
    wait: f64,
    was_live: bool,
    /// Why the last look failed, in the words of the command.
    failure: Option<String>,
    /// Acts that are not acknowledged: number, the session that it is meant in, the act.
    outbox: VecDeque<(u64, SessionKey, Act)>,
    outbox_size: usize,
    last_seq: u64,
    session: SessionKey,
    status: Status,
}

impl Link {
    /// The link of an instance: `hello` is what it says first, `summons` the command that looks for
    /// a sidecar.
    pub fn new(me: Instance, hello: FromPane, summons: Option<Vec<String>>) -> Link {
        Link {
            me,
            hello,
            summons,
            permitted: false,
            down: None,
            welcomed: false,
            silence: 0.0,
            next_look: 0.0,
            wait: SILENCE,
            was_live: false,
            failure: None,
            outbox: VecDeque::new(),
            outbox_size: 0,
            last_seq: 0,
            session: SessionKey::default(),
            status: Status::default(),
        }
    }

    /// Who this instance is.
    pub fn me(&self) -> &Instance {
        &self.me
    }

    /// The session that the pane shows, once a sidecar said so.
    pub fn session(&self) -> SessionKey {
        self.session
    }

    /// The state of everything, as the sidecar last said it.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// Take over what the sidecar says about the state of everything.
    pub fn set_status(&mut self, status: Status) {
        self.status = status;
    }

    /// Whether somebody else alone may change and evaluate.
    pub fn is_guest(&self) -> bool {
        let host = self.status.host;
        host.is_some() && host != self.me.client()
    }

    /// Whether a sidecar listens.
    pub fn is_live(&self) -> bool {
        self.welcomed && self.silence < SILENCE
    }

    /// Whether a user need not know of anything: a sidecar listens, or was heard just now and is about to
    /// say welcome on another pipe. It replaces all of them when somebody else attaches.
    pub fn seems_live(&self) -> bool {
        self.is_live() || (self.was_live && self.failure.is_none() && self.silence < SILENCE)
    }

    /// Whether a sidecar listens, or one that takes the place of a lost one is about to: what is done now
    /// is kept for it.
    pub fn takes_acts(&self) -> bool {
        self.is_live() || (self.was_live && self.silence < RETURN)
    }

    /// Whether the sidecar has been silent for so long that a user should know it.
    pub fn is_silent(&self) -> bool {
        self.silence >= SILENCE
    }

    /// How things stand.
    pub fn standing(&self) -> Standing {
        if !self.permitted {
            Standing::Unpermitted
        } else if self.seems_live() {
            Standing::Live
        } else if self.was_live
            || self.failure.is_some()
            || self.silence >= PATIENCE
            || (self.summons.is_none() && self.down.is_none())
        {
            Standing::Lost
        } else {
            Standing::Coming
        }
    }

    /// What to do about a sidecar that is lost, in one sentence.
    pub fn advice(&self) -> String {
        match (&self.failure, &self.summons) {
            (Some(failure), _) => failure.clone(),
            (None, None) => "This layout does not say where the stui program is; \
                             start Zellij with `stui up`."
                .to_owned(),
            (None, Some(_)) if self.was_live => {
                "The sidecar is gone and is being started again; nothing typed is lost.".to_owned()
            }
            (None, Some(_)) => {
                "No sidecar answers; `stui doctor` in a terminal says what is wrong.".to_owned()
            }
        }
    }

    /// The user gave the permissions: look for a sidecar.
    pub fn permitted(&mut self, out: &mut Outcome) {
        self.permitted = true;
        self.silence = 0.0;
        self.look(out);
    }

    fn look(&mut self, out: &mut Outcome) {
        self.next_look = self.wait;
        self.wait = (self.wait * 1.5).min(LONGEST_WAIT);
        if let Some(command) = &self.summons {
            out.push(Effect::Summon(command.clone()));
        }
    }

    /// What the sidecar says cannot be understood: it was made for another plugin.
    pub fn misfits(&mut self) {
        self.welcomed = false;
        self.failure = Some(
            "This pane and the sidecar are of different versions of STUI; quit Zellij (Ctrl q) and \
             `stui up` again: nothing typed is lost."
                .to_owned(),
        );
    }

    /// The command that looks for a sidecar ended.
    pub fn summoned(&mut self, status: Option<i32>, said: &str) {
        if status == Some(0) {
            return;
        }
        let said = said.lines().map(str::trim).find(|line| !line.is_empty());
        self.failure = Some(match said {
            Some(said) => format!("The sidecar could not be started: {said}"),
            None => {
                "The sidecar could not be started; `stui doctor` in a terminal says why.".into()
            }
        });
    }

    /// Time went by; answers whether the standing changed.
    pub fn tick(&mut self, seconds: f64, out: &mut Outcome) -> bool {
        if !self.permitted {
            return false;
        }
        let before = self.standing();
        self.silence += seconds;
        if !self.is_live() {
            self.next_look -= seconds;
            if self.next_look <= 0.0 {
                self.look(out);
            }
        }
        self.standing() != before
    }

    /// The sidecar opened a pipe: answer on it from now on, and say who is here.
    pub fn opened(&mut self, pipe: String, out: &mut Outcome) {
        out.push(Effect::Hold { pipe: pipe.clone() });
        self.down = Some(pipe);
        self.welcomed = false;
        // whoever opened it is about to say welcome
        self.next_look = self.wait;
        self.heard();
        let hello = self.hello.clone();
        self.say(hello, out);
    }

    /// A pipe is gone.
    pub fn closed(&mut self, pipe: &str) {
        if self.down.as_deref() == Some(pipe) {
            self.down = None;
            self.welcomed = false;
        }
    }

    /// Something came from the sidecar, for whomever.
    pub fn heard(&mut self) {
        self.silence = 0.0;
    }

    /// The sidecar knows this instance, and its acts up to `acked`: send it the others. From now on
    /// the pane shows this session; acts that wait stay in the one in which they were made.
    pub fn welcome(&mut self, acked: u64, session: SessionKey, status: Status, out: &mut Outcome) {
        self.session = session;
        self.welcomed = true;
        self.was_live = true;
        self.failure = None;
        self.silence = 0.0;
        self.wait = SILENCE;
        // looked for at once when it falls silent
        self.next_look = 0.0;
        self.status = status;
        self.acked(acked);
        let waiting: Vec<(u64, SessionKey, Act)> = self.outbox.iter().cloned().collect();
        for (seq, session, act) in waiting {
            self.say(FromPane::Act { seq, session, act }, out);
        }
    }

    /// The acts up to `seq` are carried out and on disk.
    pub fn acked(&mut self, seq: u64) {
        while let Some((number, _, act)) = self.outbox.front()
            && *number <= seq
        {
            self.outbox_size = self.outbox_size.saturating_sub(weight(act));
            self.outbox.pop_front();
        }
    }

    /// Whether an act is still to be acknowledged.
    pub fn is_waiting_for(&self, seq: u64) -> bool {
        self.outbox.iter().any(|(number, ..)| *number == seq)
    }

    /// Do something that is carried out once; answers its number. None: too much is waiting for a
    /// sidecar already, and this is not taken.
    pub fn act(&mut self, act: Act, out: &mut Outcome) -> Option<u64> {
        let size = weight(&act);
        if self.outbox_size + size > OUTBOX_LIMIT {
            return None;
        }
        self.last_seq += 1;
        let seq = self.last_seq;
        self.outbox_size += size;
        let session = self.session;
        self.outbox.push_back((seq, session, act.clone()));
        if self.welcomed {
            self.say(FromPane::Act { seq, session, act }, out);
        }
        Some(seq)
    }

    /// Ask for something, or say something that need not be kept; answers whether anybody listens.
    pub fn ask(&self, question: FromPane, out: &mut Outcome) -> bool {
        self.is_live() && self.say(question, out)
    }

    /// Say something on the pipe, if there is one.
    pub fn say(&self, said: FromPane, out: &mut Outcome) -> bool {
        let Some(pipe) = &self.down else {
            return false;
        };
        let down = Down {
            from: self.me.clone(),
            said,
        };
        match serde_json::to_string(&down) {
            Ok(mut line) => {
                line.push('\n');
                out.push(Effect::Say {
                    pipe: pipe.clone(),
                    line,
                });
                true
            }
            Err(error) => {
                out.log(format!("a message has no JSON form: {error}"));
                false
            }
        }
    }
}

/// About what an act takes in memory, in bytes.
fn weight(act: &Act) -> usize {
    let text = match act {
        Act::Edit { edit, .. } => edit.text.len(),
        _ => 0,
    };
    text + std::mem::size_of::<(u64, SessionKey, Act)>()
}

//! The debugger's pane: the stack of a process that has stopped, the source of the chosen frame with what
//! runs next in it, and the frame's variables.
//!
//! The sidecar owns which debugger and which frame are shown; this holds how they are looked at: which part
//! listens to the arrows, how far the source is scrolled, which variable is selected, and a question that is
//! being answered in the message line.

mod draw;

use stui_protocol::debugger::{
    DebuggerAct, DebuggerView, MAX_FRAME_CODE, ProcessState, VariableKind,
};
use stui_protocol::pane::{Act, FromPane};
use stui_protocol::request::DebugOperation;

use self::draw::{Places, places};
use crate::command::{Command, Motion};
use crate::io::{Effect, Outcome, Size};
use crate::key::Key;
use crate::link::Link;
use crate::prompt::{Prompt, Typed};
use crate::question::Question;
use crate::status::Message;

/// How far a key scrolls the source sideways, in cells.
const SIDEWAYS: u32 = 8;
/// Cells kept free before what runs, where the source has to be scrolled to it.
const BEFORE_NEXT: u32 = 4;

/// A part of the pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Part {
    #[default]
    Stack,
    Source,
    Variables,
}

impl Part {
    const ALL: [Part; 3] = [Part::Stack, Part::Source, Part::Variables];

    fn step(self, by: usize) -> Part {
        let at = Part::ALL.iter().position(|part| *part == self).unwrap_or(0);
        Part::ALL[(at + by) % Part::ALL.len()]
    }
}

/// What code is asked for.
#[derive(Debug)]
struct Asking {
    operation: DebugOperation,
    prompt: Prompt,
    /// The debugger, state and frame that it was begun in.
    debugger: String,
    stop: u64,
    frame: u32,
}

/// See the module's text.
#[derive(Debug, Default)]
pub struct Debugger {
    view: DebuggerView,
    /// Whether the sidecar has said anything yet.
    told: bool,
    part: Part,
    size: Size,
    /// The frame that was asked for, until the sidecar has chosen it.
    wanted: Option<u32>,
    /// First line and cell of the source that are shown.
    top: u32,
    left: u32,
    variable: usize,
    asking: Option<Asking>,
    question: Question<u32>,
}

impl Debugger {
    /// The pane's content has this size now.
    pub fn resize(&mut self, size: Size) {
        if self.size != size {
            self.size = size;
            self.question.changed();
            self.follow_source();
        }
    }

    /// A sidecar knows this instance: what was asked is void, and its greeting says what is shown.
    pub fn welcomed(&mut self) {
        self.question.forget();
        self.wanted = None;
    }

    /// Time went by, in seconds.
    pub fn tick(&mut self, seconds: f64) {
        self.question.tick(seconds);
    }

    /// The sidecar says what is shown.
    pub fn take(&mut self, view: DebuggerView) {
        self.question.answered();
        let before = std::mem::replace(&mut self.view, view);
        self.told = true;
        let view = &self.view;
        let same_place = (before.stop, before.frame) == (view.stop, view.frame);
        if self.wanted == Some(view.frame) || before.stop != view.stop {
            self.wanted = None;
        }
        let sources = |view: &DebuggerView| view.source.as_ref().map(|it| (it.next, it.total));
        if !same_place || sources(&before) != sources(&self.view) {
            self.question.changed();
            self.follow_source();
        }
        let last = self.view.variables.len().saturating_sub(1);
        self.variable = self.variable.min(last);
    }

    /// Bring what runs next into sight.
    fn follow_source(&mut self) {
        let Some(source) = &self.view.source else {
            return;
        };
        let place = self.places().source;
        let rows = u32::from(place.rows());
        let Some(next) = source.next else {
            (self.top, self.left) = (0, 0);
            return;
        };
        let line = next.start.line;
        if line < self.top || line >= self.top + rows.max(1) || source.total <= rows {
            self.top = line.saturating_sub(rows / 3);
        }
        self.top = self.top.min(source.total.saturating_sub(rows));
        let x = self.x_of(next.start.line, next.start.column);
        let width = u32::from(place.width().saturating_sub(draw::SIGN));
        self.left = if x + BEFORE_NEXT < width {
            0
        } else {
            x.saturating_sub(BEFORE_NEXT)
        };
    }

    /// The cell of a column in a line that is there.
    fn x_of(&self, line: u32, column: u32) -> u32 {
        let Some(source) = &self.view.source else {
            return 0;
        };
        let at = line.checked_sub(source.first);
        let line = at.and_then(|at| source.lines.get(at as usize));
        line.map_or(0, |line| {
            line.from + crate::text::x_of(&line.text, column.saturating_sub(line.from))
        })
    }

    /// Ask for the lines that are shown and not there.
    pub fn sync(&mut self, link: &Link, out: &mut Outcome) {
        let Some(source) = &self.view.source else {
            return;
        };
        let rows = u32::from(self.places().source.rows());
        let there = source.first..source.first + source.lines.len() as u32;
        let shown = self.top..(self.top + rows).min(source.total);
        let missing = !shown.is_empty()
            && (!there.contains(&shown.start) || !there.contains(&(shown.end - 1)));
        if missing {
            let from = self.top.saturating_sub(rows);
            self.question.ask(from, |first| {
                let wanted = FromPane::DebuggerView {
                    session: link.session(),
                    line: Some(first),
                };
                link.ask(wanted, out)
            });
        }
    }

    fn places(&self) -> Places {
        self.places_with(self.part)
    }

    /// Where the parts are while this one listens; the answer of what was evaluated has a row below them.
    fn places_with(&self, listening: Part) -> Places {
        let answer = u16::from(self.view.evaluated.is_some());
        let size = Size {
            rows: self.size.rows.saturating_sub(answer),
            ..self.size
        };
        places(size, listening)
    }

    /// The frame that is chosen, or will be.
    fn frame(&self) -> u32 {
        self.wanted.unwrap_or(self.view.frame)
    }

    fn debugger(&self) -> Option<&str> {
        let open = self.view.open.get(self.view.shown as usize);
        open.map(|open| open.id.as_str())
    }

    /// Whether keys are an answer.
    pub fn is_asking(&self) -> bool {
        self.asking.is_some()
    }

    /// The question that is being answered.
    pub fn prompt(&self) -> Option<&Prompt> {
        self.asking.as_ref().map(|asking| &asking.prompt)
    }

    /// A key of an answer; answers a sentence for the user.
    pub fn answer(&mut self, key: Key, link: &mut Link, out: &mut Outcome) -> Option<Message> {
        let mut asking = self.asking.take()?;
        match asking.prompt.key(key) {
            Typed::Cancelled => None,
            typed @ (Typed::On | Typed::Full) => {
                let said = too_long(typed, &asking.prompt);
                self.asking = Some(asking);
                said
            }
            Typed::Done => {
                let code = asking.prompt.answer().trim();
                if code.is_empty() {
                    return None;
                }
                let act = DebuggerAct::Run {
                    debugger: asking.debugger,
                    stop: asking.stop,
                    frame: asking.frame,
                    operation: asking.operation,
                    code: Some(code.to_owned()),
                };
                say(act, link, out)
            }
        }
    }

    /// Text was pasted into the answer; answers a sentence for the user.
    pub fn paste(&mut self, text: &str) -> Option<Message> {
        let asking = self.asking.as_mut()?;
        let typed = asking.prompt.paste(text);
        too_long(typed, &asking.prompt)
    }

    /// Whether a command changes what everybody sees.
    pub fn changes(&self, command: Command) -> bool {
        command.changes()
            || (self.part == Part::Stack
                && matches!(
                    command,
                    Command::Move(
                        Motion::Up
                            | Motion::Down
                            | Motion::PageUp
                            | Motion::PageDown
                            | Motion::DocumentStart
                            | Motion::DocumentEnd
                    )
                ))
    }

    /// Do what a command says; answers a sentence for the user.
    pub fn command(
        &mut self,
        command: Command,
        link: &mut Link,
        out: &mut Outcome,
    ) -> Option<Message> {
        self.question.changed();
        match command {
            Command::NextPart => self.listen(self.part.step(1)),
            Command::PreviousPart => self.listen(self.part.step(2)),
            Command::Move(motion) => return self.moves(motion, link, out),
            Command::NextDebugger => return self.show(1, link, out),
            Command::PreviousDebugger => return self.show(-1, link, out),
            Command::InspectVariable => return self.inspect(link, out),
            Command::Debug(operation) => return self.operate(operation, link, out),
            Command::Copy => return self.copy(out),
            _ => {}
        }
        None
    }

    fn listen(&mut self, part: Part) {
        self.part = part;
        if part != Part::Source {
            self.follow_source();
        }
    }

    fn moves(&mut self, motion: Motion, link: &mut Link, out: &mut Outcome) -> Option<Message> {
        match motion {
            Motion::Left => self.left = self.left.saturating_sub(SIDEWAYS),
            Motion::Right => self.left = self.left.saturating_add(SIDEWAYS).min(1 << 20),
            _ => {}
        }
        let (at, last) = match self.part {
            Part::Stack => (self.frame(), self.view.frames_total.saturating_sub(1)),
            Part::Source => (self.top, self.last_top()),
            Part::Variables => (
                self.variable as u32,
                self.view.variables.len().saturating_sub(1) as u32,
            ),
        };
        let page = u32::from(self.places().of(self.part).rows().max(2)) - 1;
        let to = match motion {
            Motion::Up => at.saturating_sub(1),
            Motion::Down => at + 1,
            Motion::PageUp => at.saturating_sub(page),
            Motion::PageDown => at + page,
            Motion::DocumentStart => 0,
            Motion::DocumentEnd => last,
            _ => return None,
        }
        .min(last);
        match self.part {
            Part::Stack => return self.choose(to, link, out),
            Part::Source => self.top = to,
            Part::Variables => self.variable = to as usize,
        }
        None
    }

    fn last_top(&self) -> u32 {
        let total = self.view.source.as_ref().map_or(0, |it| it.total);
        total.saturating_sub(u32::from(self.places().source.rows()))
    }

    fn choose(&mut self, frame: u32, link: &mut Link, out: &mut Outcome) -> Option<Message> {
        let debugger = self.debugger()?.to_owned();
        if frame == self.frame() {
            return None;
        }
        self.wanted = Some(frame);
        let stop = self.view.stop;
        let act = DebuggerAct::Choose {
            debugger,
            stop,
            frame,
        };
        say(act, link, out)
    }

    fn show(&mut self, step: i32, link: &mut Link, out: &mut Outcome) -> Option<Message> {
        let count = self.view.open.len() as i32;
        if count < 2 {
            return Some(Message::info("There is no other debugger open."));
        }
        let at = (self.view.shown as i32 + step).rem_euclid(count) as usize;
        let debugger = self.view.open.get(at)?.id.clone();
        say(DebuggerAct::Show { debugger }, link, out)
    }

    fn inspect(&mut self, link: &mut Link, out: &mut Outcome) -> Option<Message> {
        if self.part != Part::Variables {
            self.part = Part::Variables;
            return Some(Message::info("Select a variable; Enter inspects it."));
        }
        let variable = self.view.variables.get(self.variable)?;
        if variable.kind == VariableKind::Context {
            return Some(Message::info("This is the frame itself."));
        }
        let act = DebuggerAct::Inspect {
            debugger: self.debugger()?.to_owned(),
            stop: self.view.stop,
            frame: self.view.frame,
            variable: self.variable as u32,
        };
        say(act, link, out)
    }

    fn operate(
        &mut self,
        operation: DebugOperation,
        link: &mut Link,
        out: &mut Outcome,
    ) -> Option<Message> {
        let Some(debugger) = self.debugger().map(str::to_owned) else {
            return Some(Message::info("There is nothing to debug."));
        };
        let (stop, frame) = (self.view.stop, self.frame());
        let words = match operation {
            DebugOperation::EvaluateInFrame => "Evaluate in this frame: ",
            DebugOperation::ReturnValue => "Return the value of: ",
            _ => {
                let act = DebuggerAct::Run {
                    debugger,
                    stop,
                    frame,
                    operation,
                    code: None,
                };
                return say(act, link, out);
            }
        };
        if self.view.state != ProcessState::Stopped {
            return Some(Message::info("It runs; Ctrl k interrupts it."));
        }
        self.asking = Some(Asking {
            operation,
            prompt: Prompt::new(words, MAX_FRAME_CODE),
            debugger,
            stop,
            frame,
        });
        None
    }

    fn copy(&self, out: &mut Outcome) -> Option<Message> {
        let text = match self.part {
            Part::Stack => {
                let from = self.view.frames_from;
                let frame = self
                    .view
                    .frames
                    .get(self.frame().checked_sub(from)? as usize)?;
                frame.method.clone()
            }
            Part::Source => {
                let lines = &self.view.source.as_ref()?.lines;
                let lines: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
                lines.join("\n")
            }
            Part::Variables => self.view.variables.get(self.variable)?.value.clone(),
        };
        out.push(Effect::Copy(text));
        Some(Message::info("Copied."))
    }

    /// The part at a row and column, and the row in its list.
    fn at(&self, row: u16, column: u16) -> Option<(Part, u16)> {
        let places = self.places();
        Part::ALL.into_iter().find_map(|part| {
            let row = places.of(part).row_at(row, column)?;
            Some((part, row))
        })
    }

    /// Whether a click changes what everybody sees.
    pub fn click_changes(&self, row: u16, column: u16) -> bool {
        matches!(
            self.at(row, column),
            Some((Part::Stack | Part::Variables, _))
        )
    }

    /// The mouse was clicked: choose a frame, select a variable, inspect the selected one.
    pub fn click(
        &mut self,
        row: u16,
        column: u16,
        link: &mut Link,
        out: &mut Outcome,
    ) -> Option<Message> {
        let (part, row) = self.at(row, column)?;
        let was = std::mem::replace(&mut self.part, part);
        match part {
            Part::Stack => {
                let frame = self.first_frame(self.places_with(was).stack.rows()) + u32::from(row);
                if frame < self.view.frames_total {
                    return self.choose(frame, link, out);
                }
            }
            Part::Variables => {
                let rows = self.places_with(was).variables.rows();
                let number = self.first_variable(rows) + usize::from(row);
                if number < self.view.variables.len() {
                    if was == part && number == self.variable {
                        return self.inspect(link, out);
                    }
                    self.variable = number;
                }
            }
            Part::Source => {}
        }
        None
    }

    /// Scroll the source by rows; negative: up.
    pub fn scroll(&mut self, rows: i32) {
        let last = self.last_top();
        self.top = self.top.saturating_add_signed(rows).min(last);
        self.question.changed();
    }

    /// The first frame shown in so many rows, so that the chosen one is among them.
    fn first_frame(&self, rows: u16) -> u32 {
        first_of(self.frame(), self.view.frames_total, rows)
    }

    fn first_variable(&self, rows: u16) -> usize {
        let count = self.view.variables.len() as u32;
        first_of(self.variable as u32, count, rows) as usize
    }
}

/// The first of `total` entries shown in so many rows around the selected one.
fn first_of(selected: u32, total: u32, rows: u16) -> u32 {
    let rows = u32::from(rows.max(1));
    selected
        .saturating_sub(rows / 2)
        .min(total.saturating_sub(rows))
}

fn too_long(typed: Typed, prompt: &Prompt) -> Option<Message> {
    (typed == Typed::Full).then(|| {
        Message::error(format!(
            "An expression here has at most {} characters.",
            prompt.most()
        ))
    })
}

fn say(act: DebuggerAct, link: &mut Link, out: &mut Outcome) -> Option<Message> {
    if !link.takes_acts() {
        return Some(Message::error("There is no sidecar to do this."));
    }
    link.act(Act::Debugger { act }, out);
    None
}

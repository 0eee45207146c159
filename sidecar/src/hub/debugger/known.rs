//! What is known of the debugger that is shown, and how much of it is told.

use stui_protocol::debugger::{DebuggerView, Frame, FrameSource, Variable, VariableKind};
use stui_protocol::error::StackFrame;
use stui_protocol::object::InstanceVariable;
use stui_protocol::pane::{Line, MAX_SLICE, Pos, Span};
use stui_protocol::position::Range;

use super::MAX_CELL;
use crate::hub::document::escaped_len;
use crate::hub::inspector::cut;

/// Most frames that are told at once, and the most bytes of them.
pub(super) const MAX_FRAMES: usize = 60;
const MAX_FRAME_BYTES: usize = 14 * 1024;
/// Most lines of source that are told at once, and the most bytes of them.
const MAX_LINES: usize = 200;
const MAX_SOURCE_BYTES: usize = 16 * 1024;
/// Lines of source told above the one that runs.
const LINES_ABOVE: u32 = 40;
/// Most variables that are told, and the most bytes of them.
const MAX_VARIABLES: usize = 200;
const MAX_VARIABLE_BYTES: usize = 14 * 1024;

/// What is known of the debugger that is shown.
#[derive(Debug)]
pub(in crate::hub) struct Known {
    pub(super) frames: Vec<StackFrame>,
    /// The chosen frame.
    pub(in crate::hub) frame: usize,
    /// Whether its process can be stepped.
    pub(in crate::hub) is_suspended: bool,
    pub(super) variables: Vec<InstanceVariable>,
    /// Instance variables of the receiver.
    pub(super) slots: Vec<InstanceVariable>,
    pub(super) source: Option<Source>,
}

/// The source of a method.
#[derive(Debug)]
pub(super) struct Source {
    /// The method, as its frame calls it; of evaluated code which debugger's.
    pub(super) of: String,
    pub(super) lines: Vec<String>,
}

impl Known {
    /// The frame that is chosen.
    pub(in crate::hub) fn chosen(&self) -> Option<&StackFrame> {
        self.frames.get(self.frame)
    }

    /// Whether the source of the chosen frame is there.
    pub(in crate::hub) fn has_source(&self) -> bool {
        self.source.is_some()
    }

    /// The receiver of the chosen frame.
    pub(in crate::hub) fn receiver(&self) -> Option<&InstanceVariable> {
        self.variables.iter().find(|it| it.name == "self")
    }

    /// The variables in the order in which they are shown.
    fn in_order(&self) -> impl Iterator<Item = (VariableKind, &InstanceVariable)> {
        let receiver = self.variables.iter().filter(|it| it.name == "self");
        let others = self.variables.iter().filter(|it| it.name != "self");
        receiver
            .map(|it| (VariableKind::Receiver, it))
            .chain(self.slots.iter().map(|it| (VariableKind::Slot, it)))
            .chain(others.map(|it| (VariableKind::Temporary, it)))
    }

    /// The variable with this number among those that are shown.
    pub(in crate::hub) fn variable(&self, number: usize) -> Option<&InstanceVariable> {
        self.in_order().nth(number).map(|(_, variable)| variable)
    }

    pub(super) fn describe(&self, view: &mut DebuggerView, line: Option<u32>) {
        view.frame = self.frame as u32;
        view.frames_total = self.frames.len() as u32;
        let around = self.frames_around();
        view.frames_from = around.start as u32;
        view.frames = self.frames[around].iter().map(frame_of).collect();
        view.source = self.source.as_ref().map(|source| {
            let next = self.chosen().and_then(|frame| frame.range).map(span_of);
            source.part(next, line)
        });
        let mut bytes = 0;
        let mut rows = Vec::new();
        let count = self.in_order().count();
        for (kind, variable) in self.in_order().take(MAX_VARIABLES) {
            let row = Variable {
                name: cut(&variable.name, MAX_CELL),
                value: cut(&variable.value, MAX_CELL),
                class_name: cut(&variable.class_name, MAX_CELL),
                kind,
            };
            bytes += 80
                + escaped_len(&row.name)
                + escaped_len(&row.value)
                + escaped_len(&row.class_name);
            if bytes > MAX_VARIABLE_BYTES {
                break;
            }
            rows.push(row);
        }
        view.more_variables = (count - rows.len()) as u32;
        if let Some(frame) = self.chosen()
            && view.more_variables == 0
        {
            rows.push(Variable {
                name: "thisContext".into(),
                value: cut(&frame.method, MAX_CELL),
                class_name: "Context".into(),
                kind: VariableKind::Context,
            });
        }
        view.variables = rows;
    }

    /// As many frames around the chosen one as fit.
    fn frames_around(&self) -> std::ops::Range<usize> {
        let (mut first, mut end, mut bytes) = (self.frame, self.frame, 0);
        let mut fits = |frame: &StackFrame| {
            let frame = frame_of(frame);
            bytes += 40 + escaped_len(&frame.method) + escaped_len(&frame.receiver);
            bytes <= MAX_FRAME_BYTES
        };
        while end - first < MAX_FRAMES {
            let before = (first, end);
            if self.frames.get(end).is_some_and(&mut fits) {
                end += 1;
            }
            if first > 0 && fits(&self.frames[first - 1]) {
                first -= 1;
            }
            if before == (first, end) {
                break;
            }
        }
        first..end
    }
}

impl Source {
    fn part(&self, next: Option<Span>, line: Option<u32>) -> FrameSource {
        let total = self.lines.len() as u32;
        let runs = next.map_or(0, |next| next.start.line.saturating_sub(LINES_ABOVE));
        let first = line.unwrap_or(runs).min(total.saturating_sub(1));
        let mut bytes = 0;
        let lines = self.lines.iter().zip(0..).skip(first as usize);
        let lines = lines
            .take(MAX_LINES)
            .map(|(text, number)| {
                // Of a long line that part is told in which something runs.
                let from = match next {
                    Some(next) if next.start.line == number => {
                        next.start.column.saturating_sub(MAX_SLICE as u32 / 2)
                    }
                    _ => 0,
                };
                slice(text, from)
            })
            .take_while(|line| {
                bytes += 24 + escaped_len(&line.text);
                bytes <= MAX_SOURCE_BYTES
            })
            .collect();
        FrameSource {
            total,
            first,
            lines,
            next,
        }
    }
}

/// At most [`MAX_SLICE`] characters of a line, from a column on if it is longer.
fn slice(text: &str, from: u32) -> Line {
    let length = text.chars().count();
    if length <= MAX_SLICE {
        return Line {
            text: text.to_owned(),
            from: 0,
            length: None,
        };
    }
    Line {
        text: text.chars().skip(from as usize).take(MAX_SLICE).collect(),
        from,
        length: u32::try_from(length).ok(),
    }
}

/// What tells the source of a frame from that of others.
pub(super) fn name_of_source(frame: &StackFrame, debugger: Option<&str>) -> String {
    if frame.is_evaluated_code {
        return format!("evaluated: {}", debugger.unwrap_or_default());
    }
    match (&frame.class_name, &frame.selector) {
        (Some(class), Some(selector)) => format!("{class}>>{selector}"),
        _ => frame.method.clone(),
    }
}

fn frame_of(frame: &StackFrame) -> Frame {
    Frame {
        method: cut(&frame.method, MAX_CELL),
        receiver: cut(&frame.receiver_class, MAX_CELL),
        is_evaluated_code: frame.is_evaluated_code,
    }
}

fn span_of(range: Range) -> Span {
    let place = |position: stui_protocol::position::Position| {
        let from_0 = |number: usize| u32::try_from(number.saturating_sub(1)).unwrap_or(u32::MAX);
        Pos::new(from_0(position.line), from_0(position.column))
    };
    Span::between(place(range.start), place(range.end))
}

//! What the inspector shows: one trail of objects, shared by all inspector panes.
//!
//! Objects are named by the handles that the server's session keeps. Only the rows that a pane asks
//! for are asked of the server, and only as many as fit a line of a pipe.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use stui_protocol::object::{Child, ObjectHandle, View, ViewKind};
use stui_protocol::pane::{InspectorView, Row};
use stui_protocol::{request, response};

use self::text::{TEXT_PAGE, Text};

mod text;

/// Most rows that a pane gets at once.
pub const MAX_ROWS: u32 = 400;
/// Rows asked for before a pane said how many it shows.
pub const DEFAULT_ROWS: u32 = 60;
/// Most rows whose handles are remembered, so that walking into them needs no further question.
const REMEMBERED_ROWS: usize = 4096;
/// Most characters of a name, class or value in a row.
const MAX_CELL: usize = 200;
/// Most bytes of rows in one message.
const MAX_ROW_BYTES: usize = 36 * 1024;
/// Most characters of the print string of the object shown.
const MAX_PRINT_STRING: usize = 1000;
/// How many objects a trail holds; walking on forgets the first ones.
const MAX_TRAIL: usize = 50;

/// An object on the trail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// What it is called on the trail.
    pub label: String,
    /// The object.
    pub object: ObjectHandle,
    /// Name of the view shown; none: the object's first one.
    #[serde(default)]
    pub view: Option<String>,
    /// The row that was walked into.
    #[serde(default)]
    pub select: Option<u64>,
}

/// The inspector's state.
#[derive(Debug, Default)]
pub struct Inspector {
    trail: Vec<Node>,
    /// Counts what was shown.
    shown: u64,
    /// The views of the object shown, once the server has said.
    views: Vec<View>,
    /// Whether the view shown is a text, as far as is known.
    is_text: bool,
    /// What was read of a text view.
    text: Text,
    /// Handles of rows that panes have seen, of the object and view shown.
    rows: BTreeMap<u64, Child>,
    /// Ids of objects that were shown and are not any more.
    dropped: BTreeSet<String>,
}

impl Inspector {
    /// An inspector that shows the end of this trail.
    pub fn restored(trail: Vec<Node>) -> Self {
        Inspector {
            shown: u64::from(!trail.is_empty()),
            trail,
            ..Inspector::default()
        }
    }

    /// From what was inspected first to what is shown.
    pub fn trail(&self) -> &[Node] {
        &self.trail
    }

    /// The number of what is shown now.
    pub fn shown(&self) -> u64 {
        self.shown
    }

    /// Shows an object as the first of a new trail.
    pub fn open(&mut self, object: ObjectHandle) {
        self.drop_trail();
        let label = object.class_name.clone();
        self.push(label, object);
    }

    /// Walks into the value of a row.
    pub fn walk_into(&mut self, row: u64, child: Child) {
        if let Some(node) = self.trail.last_mut() {
            node.select = Some(row);
        }
        let label = cut(&child.name, 40);
        self.push(label, child.object);
        if self.trail.len() > MAX_TRAIL {
            let first = self.trail.remove(0);
            self.dropped.extend(first.object.id);
        }
    }

    fn push(&mut self, label: String, object: ObjectHandle) {
        self.trail.push(Node {
            label,
            object,
            view: None,
            select: None,
        });
        self.changed();
    }

    /// Goes back to the object before; `false` if this is the first one.
    pub fn back(&mut self) -> bool {
        if self.trail.len() < 2 {
            return false;
        }
        if let Some(left) = self.trail.pop() {
            self.dropped.extend(left.object.id);
        }
        self.changed();
        true
    }

    /// Shows another view; `false` if there is none with this number.
    pub fn show_view(&mut self, number: u32) -> bool {
        let (Some(view), Some(node)) = (self.views.get(number as usize), self.trail.last_mut())
        else {
            return false;
        };
        let is_text = view.kind == ViewKind::Text;
        node.view = Some(view.name.clone());
        node.select = None;
        self.changed();
        self.is_text = is_text;
        true
    }

    /// Forgets everything: the objects are gone with their server.
    pub fn clear(&mut self) {
        self.drop_trail();
        self.changed();
    }

    /// Ids of the objects that were shown and are not any more, each told once.
    pub fn take_dropped(&mut self) -> BTreeSet<String> {
        std::mem::take(&mut self.dropped)
    }

    fn drop_trail(&mut self) {
        let left = self.trail.drain(..);
        self.dropped.extend(left.filter_map(|node| node.object.id));
    }

    fn changed(&mut self) {
        self.shown += 1;
        self.views.clear();
        self.is_text = false;
        self.forget_text();
        let left = std::mem::take(&mut self.rows).into_values();
        self.dropped
            .extend(left.filter_map(|child| child.object.id));
    }

    /// Reads a text anew when it is asked for next: it may have changed.
    pub fn forget_text(&mut self) {
        self.text = Text::default();
    }

    /// The handle of a row that a pane has seen.
    pub fn row(&self, row: u64) -> Option<&Child> {
        self.rows.get(&row)
    }

    /// Ids of the objects that are in use here.
    pub fn held(&self) -> BTreeSet<&str> {
        let nodes = self.trail.iter().map(|node| &node.object);
        let rows = self.rows.values().map(|child| &child.object);
        nodes
            .chain(rows)
            .filter_map(|object| object.id.as_deref())
            .collect()
    }

    /// The question for some rows of what is shown; none if nothing is.
    pub fn question(
        &self,
        first: u64,
        count: u32,
        session_id: Option<String>,
    ) -> Option<request::Inspect> {
        let node = self.trail.last()?;
        let (offset, limit) = if self.is_text {
            // what was read is not read again, but the question tells the views
            let is_there = self.text.characters() > 0
                && (self.text.is_whole()
                    || first.saturating_add(u64::from(count)) < self.text.count());
            if is_there {
                (0, 1)
            } else {
                (self.text.characters(), TEXT_PAGE)
            }
        } else {
            (first, u64::from(count.min(MAX_ROWS)))
        };
        Some(request::Inspect {
            object_id: node.object.id.clone(),
            offset: Some(offset),
            limit: Some(limit),
            view: node.view.clone(),
            session_id,
            ..request::Inspect::default()
        })
    }

    /// What panes are shown of an answer about what is shown now; `first` and `count` are the rows
    /// that were asked for.
    pub fn answered(&mut self, answer: response::Inspect, first: u64, count: u32) -> InspectorView {
        let view = answer
            .views
            .iter()
            .position(|view| view.name == answer.view)
            .unwrap_or_default();
        self.views = answer.views;
        if let Some(node) = self.trail.last_mut() {
            node.object = ObjectHandle {
                id: node.object.id.clone().or(answer.object.id.clone()),
                ..answer.object
            };
            node.view = Some(answer.view);
        }
        self.is_text = answer.text.is_some();
        let (total, first, rows) = if let Some(text) = &answer.text {
            self.text.take(text, answer.offset, answer.total);
            let there = self.text.count();
            let total = there + u64::from(!self.text.is_whole());
            let first = first.min(there.saturating_sub(1));
            (total, first, fitting(self.text.rows(first, count)))
        } else {
            let rows = fitting(answer.children.iter().map(row_of).collect());
            for (child, number) in answer.children.into_iter().zip(answer.offset..) {
                self.rows.insert(number, child);
            }
            while self.rows.len() > REMEMBERED_ROWS {
                // What lies farthest from the rows just shown is least likely to be wanted.
                let from_start = self.rows.keys().next().copied().unwrap_or_default();
                let from_end = self.rows.keys().next_back().copied().unwrap_or_default();
                let farthest =
                    if answer.offset.abs_diff(from_start) > answer.offset.abs_diff(from_end) {
                        from_start
                    } else {
                        from_end
                    };
                let left = self.rows.remove(&farthest);
                self.dropped.extend(left.and_then(|child| child.object.id));
            }
            (answer.total, answer.offset, rows)
        };
        InspectorView {
            views: self.views.iter().map(|view| cut(&view.name, 40)).collect(),
            view: view as u32,
            text: self.is_text,
            total,
            first,
            rows,
            ..self.header()
        }
    }

    /// What panes are shown before any row is known.
    pub fn header(&self) -> InspectorView {
        let Some(node) = self.trail.last() else {
            return InspectorView {
                shown: self.shown,
                ..InspectorView::default()
            };
        };
        InspectorView {
            shown: self.shown,
            trail: self.trail.iter().map(|node| node.label.clone()).collect(),
            class_name: cut(&node.object.class_name, MAX_CELL),
            print_string: cut(&node.object.print_string, MAX_PRINT_STRING),
            select: node.select,
            ..InspectorView::default()
        }
    }
}

fn row_of(child: &Child) -> Row {
    Row {
        name: cut(&child.name, MAX_CELL),
        value: cut(&child.object.print_string, MAX_CELL),
        class_name: cut(&child.object.class_name, MAX_CELL),
        has_children: child.object.has_children,
    }
}

/// As many of the rows as fit one message; a pane asks again for what it misses.
fn fitting(rows: Vec<Row>) -> Vec<Row> {
    let mut bytes = 0;
    rows.into_iter()
        .take_while(|row| {
            bytes += 64
                + super::document::escaped_len(&row.name)
                + super::document::escaped_len(&row.value)
                + super::document::escaped_len(&row.class_name);
            bytes <= MAX_ROW_BYTES
        })
        .collect()
}

/// A text on one line, without control characters, at most so many characters long.
pub fn cut(text: &str, max: usize) -> String {
    let mut characters = text.chars();
    let mut cut: String = characters
        .by_ref()
        .take(max)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if characters.next().is_some() {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(id: &str) -> ObjectHandle {
        ObjectHandle {
            id: Some(id.into()),
            class_name: "Foo".into(),
            print_string: "a Foo".into(),
            has_children: true,
            ..ObjectHandle::default()
        }
    }

    fn children(range: std::ops::Range<u64>) -> Vec<Child> {
        range
            .map(|n| Child {
                name: n.to_string(),
                object: object(&format!("o{n}")),
                children: Vec::new(),
            })
            .collect()
    }

    fn page(offset: u64, count: u64, total: u64) -> response::Inspect {
        response::Inspect {
            object: object("root"),
            views: vec![
                View {
                    name: "Items".into(),
                    kind: ViewKind::List,
                    total,
                },
                View {
                    name: "Print".into(),
                    kind: ViewKind::Text,
                    total: 3,
                },
            ],
            view: "Items".into(),
            children: children(offset..offset + count),
            offset,
            total,
            ..response::Inspect::default()
        }
    }

    #[test]
    fn only_the_rows_asked_for_are_asked_of_the_server() {
        let mut inspector = Inspector::default();
        assert!(inspector.question(0, 10, None).is_none());
        inspector.open(object("root"));
        let question = inspector.question(999_950, 50, Some("s".into())).unwrap();
        assert_eq!(
            (
                question.object_id.as_deref(),
                question.offset,
                question.limit
            ),
            (Some("root"), Some(999_950), Some(50))
        );
        let view = inspector.answered(page(999_950, 50, 1_000_000), 999_950, 50);
        assert_eq!(
            (view.first, view.rows.len(), view.total),
            (999_950, 50, 1_000_000)
        );
    }

    #[test]
    fn going_back_selects_the_row_that_was_walked_into() {
        let mut inspector = Inspector::default();
        inspector.open(object("root"));
        inspector.answered(page(0, 5, 5), 0, 5);
        let child = inspector.row(3).unwrap().clone();
        inspector.walk_into(3, child);
        assert_eq!(inspector.header().trail, ["Foo", "3"]);
        assert!(inspector.row(3).is_none());
        assert!(inspector.back());
        assert_eq!(inspector.header().select, Some(3));
        assert!(!inspector.back());
    }

    #[test]
    fn a_text_view_is_shown_line_by_line() {
        let mut inspector = Inspector::default();
        inspector.open(object("root"));
        inspector.answered(page(0, 5, 5), 0, 5);
        assert!(inspector.show_view(1));
        assert!(!inspector.show_view(1), "the new view is not answered yet");
        let question = inspector.question(0, 50, None).unwrap();
        assert_eq!(
            (question.offset, question.limit),
            (Some(0), Some(TEXT_PAGE))
        );
        let view = inspector.answered(text_page(0, "one\ntw", 11), 0, 50);
        assert!(view.text);
        assert_eq!(
            (view.view, view.total, values(&view)),
            (1, 3, vec!["one", "tw"])
        );
        // the row that is not there is the rest
        let question = inspector.question(1, 50, None).unwrap();
        assert_eq!(question.offset, Some(6));
        let view = inspector.answered(text_page(6, "o\r\n", 11), 1, 50);
        assert_eq!(
            (view.first, view.total, values(&view)),
            (1, 4, vec!["two", ""])
        );
        inspector.answered(text_page(6, "again", 11), 1, 50);
        let view = inspector.answered(text_page(9, "", 11), 0, 50);
        assert_eq!(values(&view), ["one", "two", "", "… 2 more characters"]);
        assert_eq!(view.total, 4);
        let question = inspector.question(0, 50, None).unwrap();
        assert_eq!(question.limit, Some(1), "what was read is not read again");
        inspector.forget_text();
        let question = inspector.question(0, 50, None).unwrap();
        assert_eq!(
            (question.offset, question.limit),
            (Some(0), Some(TEXT_PAGE))
        );
    }

    fn text_page(offset: u64, text: &str, total: u64) -> response::Inspect {
        response::Inspect {
            view: "Print".into(),
            text: Some(text.into()),
            ..page(offset, 0, total)
        }
    }

    fn values(view: &InspectorView) -> Vec<&str> {
        view.rows.iter().map(|row| row.value.as_str()).collect()
    }

    #[test]
    fn a_long_line_of_a_text_is_whole_in_rows_that_fit_messages() {
        let mut inspector = Inspector::default();
        inspector.open(object("root"));
        inspector.answered(page(0, 5, 5), 0, 5);
        inspector.show_view(1);
        let line = "日本語".repeat(6000);
        let total = 18_000;
        let mut read = String::new();
        let view = inspector.answered(text_page(0, &line, total), 0, 50);
        let mut next = 0;
        while next < view.total {
            let view = inspector.answered(text_page(0, "", total), next, 50);
            let bytes = serde_json::to_string(&view).unwrap().len();
            assert!(bytes < stui_protocol::pane::MAX_LINE, "{bytes}");
            assert!(!view.rows.is_empty());
            read.extend(values(&view));
            next += view.rows.len() as u64;
        }
        assert!(read == line);
    }

    #[test]
    fn rows_that_are_remembered_are_bounded() {
        let mut inspector = Inspector::default();
        inspector.open(object("root"));
        for first in (0..100_000).step_by(400) {
            inspector.answered(page(first, 400, 100_000), first, 400);
        }
        assert_eq!(inspector.rows.len(), REMEMBERED_ROWS);
        assert_eq!(inspector.take_dropped().len(), 100_000 - REMEMBERED_ROWS);
        assert!(inspector.row(99_999).is_some());
    }

    #[test]
    fn many_wide_rows_are_cut_to_one_message() {
        let mut inspector = Inspector::default();
        inspector.open(object("root"));
        let mut answer = page(0, 400, 400);
        for child in &mut answer.children {
            child.object.print_string = "🎉\n".repeat(5000);
        }
        let view = inspector.answered(answer, 0, 400);
        assert!(view.rows.len() > 20);
        let bytes = serde_json::to_string(&view).unwrap().len();
        assert!(bytes < stui_protocol::pane::MAX_LINE, "{bytes}");
    }
}

//! Edits that do not know of each other: what becomes of each once the other was made.
//!
//! The sidecar gives edits their order. Whoever made one that comes later made it in a text without
//! the earlier one, so both have to be moved: the later one past the earlier, to be applied where the
//! earlier already is, and the earlier past the later, for its author, who has the later applied
//! already ([`pass`]). Whichever way round two sides apply them, both get the same text. Sidecar and
//! panes use this one function; they cannot disagree.
//!
//! Nothing that was inserted is lost: a deletion around somebody else's insertion becomes two
//! deletions beside it. So what was one edit can be several, a [`Change`]. Of two insertions at one
//! place the earlier stands first.
//!
//! Places are lines and columns, because a pane knows no more: it holds a part of the document.

use serde::{Deserialize, Serialize};

use crate::pane::{Edit, Pos, Span};

/// Edits that are one: meant in one and the same text, in the order of their places, apart from each
/// other. There is always one, be it one that changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    first: Edit,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rest: Vec<Edit>,
}

impl From<Edit> for Change {
    fn from(edit: Edit) -> Change {
        Change {
            first: edit,
            rest: Vec::new(),
        }
    }
}

impl Change {
    /// The edits, in the order in which they are applied one after the other: the last place first,
    /// so that none moves another.
    pub fn edits(&self) -> impl Iterator<Item = &Edit> {
        self.rest.iter().rev().chain(std::iter::once(&self.first))
    }

    /// The edit that is applied first, if it is this one, is done with. Answers what is left to be
    /// applied after it, or the change as it was if `edit` is another one.
    ///
    /// # Errors
    /// The change, where `edit` does not begin it.
    pub fn without(mut self, edit: &Edit) -> Result<Option<Change>, Change> {
        match self.rest.pop() {
            None if self.first == *edit => Ok(None),
            None => Err(self),
            Some(last) if last == *edit => Ok(Some(self)),
            Some(last) => {
                self.rest.push(last);
                Err(self)
            }
        }
    }

    /// Where a place lies once this is applied; `behind` as in [`Edit::moves`].
    pub fn moves(&self, pos: Pos, behind: bool) -> Pos {
        self.edits().fold(pos, |pos, edit| edit.moves(pos, behind))
    }

    /// Where a span lies once this is applied: what is inserted at its rims stays outside.
    pub fn moves_span(&self, span: Span) -> Span {
        let start = self.moves(span.start, true);
        Span {
            start,
            end: self.moves(span.end, false).max(start),
        }
    }

    /// Where text goes that was inserted at a place without knowing of this: `late` if this change
    /// comes first in the order of the two.
    fn moves_insertion(&self, pos: Pos, late: bool) -> Pos {
        self.edits().fold(pos, |pos, edit| {
            let Span { start, end } = edit.span;
            let is_before = if late { pos < start } else { pos <= start };
            if is_before {
                pos
            } else if pos < end {
                edit.end()
            } else {
                edit.moves(pos, true)
            }
        })
    }

    /// This change as it is made where `other` was already made; `late` if `other` is the earlier.
    fn past(&self, other: &Change, late: bool) -> Change {
        let mut edits: Vec<Edit> = Vec::new();
        for edit in std::iter::once(&self.first).chain(&self.rest) {
            let at = other.moves_insertion(edit.span.start, late);
            let pieces = other.leaves(edit.span);
            let mut pieces = pieces.into_iter().peekable();
            if pieces.peek().is_none() || !edit.text.is_empty() {
                let end = pieces.next_if(|piece| piece.start == at);
                let end = end.map_or(at, |piece| piece.end);
                push(&mut edits, Span { start: at, end }, &edit.text);
            }
            for piece in pieces {
                push(&mut edits, piece, "");
            }
        }
        // what changes nothing is of use only where it is all there is
        if edits.len() > 1 {
            let nothing = |edit: &Edit| edit.span.is_empty() && edit.text.is_empty();
            let keep = edits.iter().position(|edit| !nothing(edit)).unwrap_or(0);
            let mut index = 0;
            edits.retain(|edit| {
                index += 1;
                index - 1 == keep || !nothing(edit)
            });
        }
        let mut edits = edits.into_iter();
        match edits.next() {
            Some(first) => Change {
                first,
                rest: edits.collect(),
            },
            None => self.clone(),
        }
    }

    /// What of a span is left by this change, and where it lies then: without what this deletes, and
    /// without what it inserts.
    fn leaves(&self, span: Span) -> Vec<Span> {
        let mut pieces = Vec::new();
        let mut from = span.start;
        for edit in std::iter::once(&self.first).chain(&self.rest) {
            let Span { start, end } = edit.span;
            if end < from || (end == from && start != from) {
                continue;
            }
            if start >= span.end {
                break;
            }
            if from < start {
                pieces.push(Span {
                    start: from,
                    end: start,
                });
            }
            from = from.max(end);
        }
        if from < span.end {
            pieces.push(Span {
                start: from,
                end: span.end,
            });
        }
        pieces
            .into_iter()
            .map(|piece| Span {
                start: self.moves(piece.start, true),
                end: self.moves(piece.end, false),
            })
            .collect()
    }
}

/// Add an edit behind others. One that begins where the last one ends and only deletes is part of it.
fn push(edits: &mut Vec<Edit>, span: Span, text: &str) {
    match edits.last_mut() {
        Some(last) if last.span.end == span.start && text.is_empty() => last.span.end = span.end,
        _ => edits.push(Edit {
            span,
            text: text.to_owned(),
        }),
    }
}

/// Two changes of one text, as each is made after the other: `earlier` after `later`, `later` after
/// `earlier`. Applying the one, then the other so moved, gives the same text either way.
#[must_use]
pub fn pass(earlier: &Change, later: &Change) -> (Change, Change) {
    (earlier.past(later, false), later.past(earlier, true))
}

#[cfg(test)]
mod tests;

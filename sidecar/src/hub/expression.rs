//! What an evaluation without a selection means: the code at the cursor.

use stui_embedded::syntax;
use stui_protocol::pane::{Pos, Span};

use super::document::Document;

/// Longest text around the cursor that is looked at, in lines each way.
const LINES_AROUND: u32 = 2000;

/// The span of the code at a place: the whole statement around it, or all statements of a line that holds several; what
/// does not parse is its line, or its lines, so that the compiler says what is wrong with it. None where there is
/// nothing, as on an empty line or in a comment.
pub fn expression_at(document: &Document, place: Pos) -> Option<Span> {
    let first = Pos::new(place.line.saturating_sub(LINES_AROUND), 0);
    let last = document.clamp(Pos::new(place.line.saturating_add(LINES_AROUND), u32::MAX));
    let around = Span {
        start: first,
        end: last,
    };
    let (text, _) = document.text_of(around, usize::MAX);
    let offset = document.index(first);
    let cursor = u32::try_from(document.index(place) - offset).ok()?;
    let found = syntax::expression_at(&text, cursor).or_else(|| syntax::line_at(&text, cursor))?;
    Some(Span {
        start: document.place(offset + found.start as usize),
        end: document.place(offset + found.end as usize),
    })
}

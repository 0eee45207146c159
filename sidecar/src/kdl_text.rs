//! KDL in the version that Zellij reads, parsed so that no text can end the program: the parser calls itself
//! for what is nested, and a few hundred braces, or stars in one comment, would use up a usual stack.

use std::io;

use kdl::{KdlDocument, KdlError};

/// Most levels of nesting; a group needs one, a comment one for each of its stars and slashes.
const MAX_NESTING: usize = 1000;
/// Stack of the parser, in bytes: up to 40 KiB a level were seen in a debug build. It is only reserved.
const STACK: usize = 128 << 20;

/// Why a text was not parsed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unparsed {
    /// Too much is nested at this byte.
    #[error(
        "more than {MAX_NESTING} braces and marks of comments are open here; close some of them"
    )]
    TooDeep {
        /// Where.
        offset: usize,
    },
    /// It is no KDL.
    #[error(transparent)]
    Kdl(#[from] KdlError),
    /// The parser could not run.
    #[error("this cannot be read: {0}")]
    System(#[from] io::Error),
}

/// Parses a text.
///
/// # Errors
/// If it is no KDL, or too much is nested in it.
pub(crate) fn parse(text: &str) -> Result<KdlDocument, Unparsed> {
    if let Some(offset) = too_deep(text) {
        return Err(Unparsed::TooDeep { offset });
    }
    std::thread::scope(|scope| {
        let parser = std::thread::Builder::new().stack_size(STACK);
        let parsing = parser.spawn_scoped(scope, || text.parse::<KdlDocument>())?;
        let parsed = parsing
            .join()
            .map_err(|_| io::Error::other("the parser failed; simplify the file"))?;
        Ok(parsed?)
    })
}

/// Where more is nested than [`MAX_NESTING`], if anywhere. It counts what makes the parser (kdl 4) call
/// itself: each open brace, each `/-` so far, and each star and slash of a comment. What looks like them
/// within a string counts too: no configuration has so many.
fn too_deep(text: &str) -> Option<usize> {
    let (mut braces, mut dashes) = (0_usize, 0_usize);
    // since the outermost comment began: stars and slashes, and how many comments are open
    let (mut marks, mut comments) = (0_usize, 0_usize);
    let mut before = ' ';
    for (offset, c) in text.char_indices() {
        // a character belongs to one pair only: `/*/` opens and does not close
        before = match (before, c) {
            ('/', '*') => {
                comments += 1;
                ' '
            }
            ('*', '/') => {
                comments = comments.saturating_sub(1);
                ' '
            }
            _ => c,
        };
        match c {
            '{' => braces += 1,
            '}' => braces = braces.saturating_sub(1),
            '-' if text[..offset].ends_with('/') => dashes += 1,
            '*' | '/' => marks += 1,
            _ => (),
        }
        if comments == 0 {
            marks = 0;
        }
        if braces + dashes + marks > MAX_NESTING {
            return Some(offset);
        }
    }
    None
}

//! What is wrong with a configuration, and where.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::settings::Origin;

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: Arc<PathBuf>,
    /// The line, from 1.
    pub line: usize,
    /// The character in it, from 1.
    pub column: usize,
    /// How many characters are meant; at least one.
    pub width: usize,
    /// The line's text.
    pub text: String,
}

impl Place {
    /// The place of some bytes of a file's text.
    pub(super) fn of(path: &Arc<PathBuf>, text: &str, offset: usize, length: usize) -> Self {
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &text[..offset];
        let begin = before.rfind('\n').map_or(0, |at| at + 1);
        let line = text[begin..].lines().next().unwrap_or_default();
        let column = before[begin..].chars().count();
        let meant = text[offset..].char_indices();
        let width = meant
            .take_while(|(at, c)| *at < length && !matches!(c, '\n' | '\r'))
            .count();
        Place {
            path: Arc::clone(path),
            line: before.matches('\n').count() + 1,
            column: column + 1,
            width: width.max(1),
            text: line.to_owned(),
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where, if that is in a file.
    pub place: Option<Place>,
    /// What and where, in words, ending with what to do.
    pub message: String,
}

impl Problem {
    /// Something wrong at a place of the file.
    pub(super) fn at(place: Place, message: impl Into<String>) -> Self {
        Problem {
            place: Some(place),
            message: message.into(),
        }
    }

    /// Something wrong with what is not in the file.
    pub(super) fn elsewhere(origin: &Origin, reason: impl fmt::Display) -> Self {
        Problem {
            place: None,
            message: format!("{origin}: {reason}"),
        }
    }

    /// The same on one line, for a log.
    pub fn line(&self) -> String {
        match &self.place {
            Some(place) => format!("{}:{}: {}", place.path.display(), place.line, self.message),
            None => self.message.clone(),
        }
    }

    /// The same for a pane, which is narrow: the file without its folder.
    pub fn brief(&self) -> String {
        match &self.place {
            Some(place) => {
                let name = place.path.file_name().unwrap_or_default();
                format!("{}:{}: {}", name.display(), place.line, self.message)
            }
            None => self.message.clone(),
        }
    }
}

/// With a place: the offending line, and a caret below each character that is meant.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(place) = &self.place else {
            return f.write_str(&self.message);
        };
        writeln!(
            f,
            "{}:{}:{}: {}",
            place.path.display(),
            place.line,
            place.column,
            self.message
        )?;
        let number = place.line.to_string();
        let margin = " ".repeat(number.len());
        // Tabs stay tabs, so that the caret stands below what it means.
        let indent: String = place
            .text
            .chars()
            .take(place.column - 1)
            .map(|c| if c == '\t' { '\t' } else { ' ' })
            .collect();
        let shown: String = place
            .text
            .chars()
            .filter(|c| *c == '\t' || !c.is_control())
            .collect();
        writeln!(f, " {number} | {shown}")?;
        write!(f, " {margin} | {indent}{}", "^".repeat(place.width))
    }
}

/// All that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(pub Vec<Problem>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("the configuration has a problem; mend it and try again:")?,
            n => write!(
                f,
                "the configuration has {n} problems; mend them and try again:"
            )?,
        }
        for problem in &self.0 {
            write!(f, "\n{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// ` Did you mean …?`, if one of the known names is near.
pub(super) fn did_you_mean<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    let near = known
        .map(|name| (strsim::normalized_damerau_levenshtein(word, name), name))
        .filter(|(likeness, _)| *likeness >= 0.5)
        .max_by(|one, other| one.0.total_cmp(&other.0));
    near.map_or_else(String::new, |(_, name)| format!(" Did you mean `{name}`?"))
}

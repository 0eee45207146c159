//! Which panes there are, kept in a file: a sidecar that comes after a killed one opens its pipes to them
//! at once, and does not wait until they miss the other one.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Destination;
use crate::places::write_whole;

/// Most kinds of panes that are remembered.
const MAX: usize = 64;

/// The file's content.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Content {
    /// Of which Zellij server the panes are.
    zellij_pid: u32,
    destinations: Vec<Destination>,
}

/// The file, and what was last written to it.
#[derive(Debug)]
pub struct Known {
    path: PathBuf,
    content: Content,
}

impl Known {
    /// What the file tells of the panes of a Zellij server. A file that is not there, not readable, or of
    /// another Zellij server tells of none.
    pub fn read(path: &Path, zellij_pid: u32) -> Known {
        let content = std::fs::read(path)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Content>(&bytes).ok())
            .filter(|content| content.zellij_pid == zellij_pid);
        let mut content = content.unwrap_or(Content {
            zellij_pid,
            destinations: Vec::new(),
        });
        content.destinations.truncate(MAX);
        Known {
            path: path.to_owned(),
            content,
        }
    }

    /// The panes that the file tells of.
    pub fn destinations(&self) -> &[Destination] {
        &self.content.destinations
    }

    /// Writes these to the file, if they are others than before.
    ///
    /// # Errors
    /// If the disk says no; the next call tries again.
    pub fn keep<'a>(
        &mut self,
        destinations: impl Iterator<Item = &'a Destination> + Clone,
    ) -> io::Result<()> {
        let destinations = destinations.take(MAX);
        if destinations.clone().eq(&self.content.destinations) {
            return Ok(());
        }
        let content = Content {
            zellij_pid: self.content.zellij_pid,
            destinations: destinations.cloned().collect(),
        };
        write_whole(&self.path, &serde_json::to_vec(&content)?)?;
        self.content = content;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stui_protocol::pane::Role;

    fn destination(role: Role) -> Destination {
        Destination {
            role,
            wasm: "file:/p.wasm".into(),
            configuration: format!("role={}", role.word()),
        }
    }

    #[test]
    fn panes_are_found_again_by_a_sidecar_of_the_same_zellij_server_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.panes.json");
        let panes = [destination(Role::Workspace), destination(Role::Inspector)];
        let mut known = Known::read(&path, 7);
        assert_eq!(known.destinations(), []);
        known.keep(panes.iter()).unwrap();
        assert_eq!(Known::read(&path, 7).destinations(), panes);
        assert_eq!(Known::read(&path, 8).destinations(), []);
        std::fs::write(&path, "{\"zellij_pid\":7,").unwrap();
        assert_eq!(Known::read(&path, 7).destinations(), []);
        // unchanged for this one, so that it writes only what is new
        known.keep(panes.iter()).unwrap();
        assert_eq!(Known::read(&path, 7).destinations(), []);
        known.keep(panes[..1].iter()).unwrap();
        assert_eq!(Known::read(&path, 7).destinations(), &panes[..1]);
    }
}

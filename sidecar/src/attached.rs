//! Who is attached to a Zellij session: `zellij action list-clients`, asked now and then.
//!
//! Zellij tells a plugin nothing of clients that come and go without a permission that STUI does not
//! otherwise need; and it keeps a client's plugin instances when he leaves.

use std::collections::BTreeSet;

use crate::zellij::Zellij;

/// Asks on a thread of its own, and hands the answer over; nothing if there is none. Zellij may be
/// slow, or cut the answer short.
pub fn ask(zellij: &Zellij, session: &str, tell: impl FnOnce(BTreeSet<u16>) + Send + 'static) {
    let (zellij, session) = (zellij.clone(), session.to_owned());
    let asked = std::thread::Builder::new()
        .name("attached".into())
        .spawn(move || {
            let words = ["action", "list-clients"].map(Into::into);
            let good = |text: &str| !clients(text).is_empty();
            match zellij.action(&session, &words, good) {
                Ok(text) => tell(clients(&text)),
                Err(error) => {
                    tracing::debug!(%error, "who is attached is not known");
                    tell(BTreeSet::new());
                }
            }
        });
    if let Err(error) = asked {
        tracing::warn!(%error, "no thread to ask who is attached");
    }
}

/// The numbers in what `zellij action list-clients` prints: a heading, then a line for each.
fn clients(listing: &str) -> BTreeSet<u16> {
    listing
        .lines()
        .filter_map(|line| line.split_whitespace().next()?.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_clients_are_read_from_the_listing() {
        let listing = "CLIENT_ID ZELLIJ_PANE_ID RUNNING_COMMAND\n\
                       1         plugin_2       zellij:link\n\
                       12        terminal_3     vim /tmp/my-file.txt\n";
        assert_eq!(clients(listing), BTreeSet::from([1, 12]));
        assert!(clients("There is no active session!").is_empty());
    }
}

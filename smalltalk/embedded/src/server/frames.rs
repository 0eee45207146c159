//! What the frames of a message mean: delimiter, signature, document.

use std::ops::Deref;

/// Names a connection as long as it exists: the routing id that the socket put before its message.
pub(crate) type PeerId = Box<[u8]>;

/// Whether the server's socket made this routing id. libzmq's own begin with a zero byte, and no
/// client of libzmq can choose such a one.
pub(crate) fn is_made_by_socket(peer: &[u8]) -> bool {
    peer.first() == Some(&0)
}

/// A received message without its routing id.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frames<D> {
    /// Whether an empty frame came first, as REQ sockets send it; the answer must have it too.
    pub(crate) delimited: bool,
    /// The frame before the document.
    pub(crate) signature: Option<D>,
    /// The document.
    pub(crate) document: D,
}

/// Why frames are no message of the protocol.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// As in [`Frames`].
    pub(crate) delimited: bool,
    /// What is wrong, in a sentence.
    pub(crate) why: &'static str,
}

/// Tells the frames of a message apart.
///
/// # Errors
/// If there is no document, or more than a delimiter, a signature and a document.
pub(crate) fn split<D: Deref<Target = [u8]>>(frames: Vec<D>) -> Result<Frames<D>, Malformed> {
    let delimited = frames.len() > 1 && frames.first().is_some_and(|frame| frame.is_empty());
    let mut rest = frames.into_iter().skip(usize::from(delimited));
    let (document, signature) = match (rest.next(), rest.next(), rest.next()) {
        (Some(document), None, _) => (document, None),
        (Some(signature), Some(document), None) => (document, Some(signature)),
        (None, ..) => {
            return Err(Malformed {
                delimited,
                why: "The message has no frame; send one JSON document.",
            });
        }
        _ => {
            return Err(Malformed {
                delimited,
                why: "The message has too many frames; send a signature frame and a document, or the document alone.",
            });
        }
    };
    if document.is_empty() {
        return Err(Malformed {
            delimited,
            why: "The document is empty; send one JSON document in the last frame.",
        });
    }
    Ok(Frames {
        delimited,
        signature,
        document,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    type Bytes = Vec<u8>;

    fn split_texts(frames: &[&str]) -> Result<Frames<Bytes>, bool> {
        let frames = frames.iter().map(|frame| frame.as_bytes().to_vec());
        split(frames.collect()).map_err(|malformed| malformed.delimited)
    }

    #[test]
    fn a_req_socket_sends_a_delimiter_and_a_dealer_need_not() {
        for (frames, delimited, signature) in [
            (&["doc"][..], false, None),
            (&["", "doc"], true, None),
            (&["sig", "doc"], false, Some("sig")),
            (&["", "sig", "doc"], true, Some("sig")),
        ] {
            let expected = Frames {
                delimited,
                signature: signature.map(Bytes::from),
                document: "doc".into(),
            };
            assert_eq!(split_texts(frames), Ok(expected), "{frames:?}");
        }
    }

    #[test]
    fn what_has_no_document_or_too_much_around_it_is_malformed() {
        for (frames, delimited) in [
            (&[][..], false),
            (&[""], false),
            (&["", ""], true),
            (&["sig", ""], false),
            (&["a", "b", "c"], false),
            (&["", "a", "b", "c"], true),
        ] {
            assert_eq!(split_texts(frames), Err(delimited), "{frames:?}");
        }
    }

    #[test]
    fn only_the_sockets_own_routing_ids_begin_with_zero() {
        assert!(is_made_by_socket(&[0, 1, 2, 3, 4]));
        assert!(!is_made_by_socket(b"mine"));
        assert!(!is_made_by_socket(b""));
    }
}

//! Signatures and proofs: how client and server show each other that they know the key.
//!
//! Every HMAC is HMAC-SHA256 under the bytes of the key's text, written as lower-case hex. Keys and
//! nonces are made by the caller, from the system's randomness: nothing here is random.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Length of a signature or proof, in characters.
pub const SIGNATURE_LEN: usize = 64;
/// Shortest nonce that a server takes, in characters.
pub const MIN_NONCE_LEN: usize = 16;
/// Longest nonce that a server takes, in characters.
pub const MAX_NONCE_LEN: usize = 256;

/// The key that a server and its clients share. Its memory is cleared when it is dropped.
#[derive(Clone)]
pub struct Key(Zeroizing<String>);

/// Takes the same time wherever they differ.
impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        same_proof(&self.0, &other.0)
    }
}

impl Eq for Key {}

impl Key {
    /// The key with this text, as it stands in a connection file.
    pub fn new(text: impl Into<String>) -> Self {
        Key(Zeroizing::new(text.into()))
    }

    /// The key made of random bytes: their hex.
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Key(Zeroizing::new(hex(&bytes)))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The signature of a document: the frame before it.
    pub fn sign(&self, document: &[u8]) -> String {
        hex(&self.mac(&[document]))
    }

    /// Whether a frame is the signature of a document. Takes the same time wherever they differ.
    pub fn verifies(&self, document: &[u8], signature: &[u8]) -> bool {
        self.sign(document).as_bytes().ct_eq(signature).into()
    }

    /// What the server proves itself with in `Authenticate`.
    pub fn server_proof(&self, client_nonce: &str, server_nonce: &str) -> String {
        self.proof("server", client_nonce, server_nonce)
    }

    /// What the client proves itself with in `Authenticate`.
    pub fn client_proof(&self, client_nonce: &str, server_nonce: &str) -> String {
        self.proof("client", client_nonce, server_nonce)
    }

    fn proof(&self, side: &str, client_nonce: &str, server_nonce: &str) -> String {
        hex(&self.mac(&[
            side.as_bytes(),
            client_nonce.as_bytes(),
            server_nonce.as_bytes(),
        ]))
    }

    fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        // An HMAC takes keys of every length; that its constructor can fail is for other MACs.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.0.as_bytes()) else {
            unreachable!("HMAC-SHA256 takes keys of every length")
        };
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

/// The key itself is never shown, so that it cannot get into a log.
impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

/// Whether two proofs are the same. Takes the same time wherever they differ.
pub fn same_proof(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

/// A nonce made of random bytes: their hex.
pub fn nonce_from_random(bytes: [u8; 32]) -> String {
    hex(&bytes)
}

/// Whether a text can serve as a nonce: hex digits, neither too few nor too many.
pub fn is_nonce(text: &str) -> bool {
    (MIN_NONCE_LEN..=MAX_NONCE_LEN).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_hmac_sha256_in_hex() {
        // Test case 2 of RFC 4231.
        let key = Key::new("Jefe");
        let document = b"what do ya want for nothing?";
        let signature = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(key.sign(document), signature);
        assert!(key.verifies(document, signature.as_bytes()));
    }

    #[test]
    fn nothing_else_is_a_signature() {
        let key = Key::new("Jefe");
        let good = key.sign(b"document");
        assert!(!key.verifies(b"documenu", good.as_bytes()));
        assert!(!key.verifies(b"document", &good.as_bytes()[..63]));
        assert!(!key.verifies(b"document", b""));
        assert!(!key.verifies(b"document", good.to_uppercase().as_bytes()));
        assert!(!Key::new("other").verifies(b"document", good.as_bytes()));
    }

    #[test]
    fn the_two_sides_prove_themselves_differently() {
        let key = Key::from_random([7; 32]);
        let proof = key.server_proof("aa", "bb");
        assert_ne!(proof, key.client_proof("aa", "bb"));
        assert_ne!(proof, key.server_proof("bb", "aa"));
        assert!(same_proof(&proof, &key.server_proof("aa", "bb")));
        assert!(!same_proof(&proof, ""));
    }

    #[test]
    fn nonces_are_hex_of_a_sensible_length() {
        assert!(is_nonce(&nonce_from_random([9; 32])));
        assert!(!is_nonce("short"));
        assert!(!is_nonce(&"f".repeat(257)));
        assert!(!is_nonce(&"x".repeat(32)));
    }

    #[test]
    fn keys_are_the_same_by_their_text() {
        assert_eq!(Key::new("one"), Key::new("one"));
        assert_ne!(Key::new("one"), Key::new("onf"));
        assert_ne!(Key::new("one"), Key::new("on"));
    }

    #[test]
    fn a_key_is_not_shown() {
        assert_eq!(format!("{:?}", Key::new("secret")), "Key(…)");
    }
}

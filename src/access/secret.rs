//! The deployment's root secret, and what is derived from it.
//!
//! An HMAC can be checked only by who has its key, so the secrets that clients sign with cannot be kept as hashes. They are derived and
//! not stored: a leaked table of keys signs nothing, a new version is a new secret, and a new root renews all of them at once.

use super::base62;
use super::token::Kind;
use crate::error::{Error, ErrorKind};
use core::fmt;
use hmac::{Hmac, Mac};
use sha2::{Digest as _, Sha256};

/// A value that no log shows: its `Debug` says nothing, it has no `Display`, and it is read by [`Secret::expose`] only.
#[derive(Clone)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Secret(value)
    }

    /// The value.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// A key for HMAC-SHA256, of at least 32 bytes (RFC 7518, section 3.2).
#[derive(Clone, Debug)]
pub struct Key(Secret<[u8; 64]>);

impl Key {
    /// Least length, in bytes.
    pub const LEAST: usize = 32;

    /// A key of the bytes of a text, as clients use their API secret; `None` for less than [`Key::LEAST`].
    pub fn of_text(text: &str) -> Option<Key> {
        Key::of_bytes(text.as_bytes())
    }

    /// A key of these bytes; `None` for less than [`Key::LEAST`].
    pub fn of_bytes(bytes: &[u8]) -> Option<Key> {
        (bytes.len() >= Key::LEAST).then(|| Key::padded(bytes))
    }

    pub(super) fn derived(bytes: [u8; 32]) -> Key {
        Key::padded(&bytes)
    }

    /// One block of the hash: HMAC pads shorter keys with zeros and hashes longer ones, and of whole blocks its type knows that they fit.
    fn padded(bytes: &[u8]) -> Key {
        let mut block = [0; 64];
        if bytes.len() > block.len() {
            block.iter_mut().zip(Sha256::digest(bytes)).for_each(|(place, byte)| *place = byte);
        } else {
            block.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
        }
        Key(Secret::new(block))
    }

    /// A MAC over `parts`, one behind the other, that is yet to be compared or read.
    pub(super) fn mac(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = <Hmac<Sha256> as Mac>::new(self.0.expose().into());
        parts.iter().for_each(|part| mac.update(part));
        mac
    }

    fn derive(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.mac(parts).finalize().into_bytes().into()
    }
}

/// The deployment's root secret.
#[derive(Clone, Debug)]
pub struct Root(Key);

/// Words of samples and of forms to fill in, as they are without what is no letter or digit.
const PLACEHOLDERS: [&str; 9] = [
    "changeme",
    "changeit",
    "changethis",
    "replaceme",
    "replacethis",
    "placeholder",
    "yoursecret",
    "insertsecret",
    "password",
];

impl Root {
    /// Least length, in characters.
    pub const LEAST: usize = 32;
    /// Least number of different characters. Of 32 random hexadecimal digits, fewer are seen once in thirty million.
    const DIFFERENT: usize = 8;

    /// Takes the secret, if it may be one: [`Root::LEAST`] characters or more, not a word over and over, not left as in a sample.
    ///
    /// It is a net for what was forgotten, not a measure of strength: the secret must come from a random source, such as
    /// `openssl rand -base64 32`.
    ///
    /// Errors: `misconfigured`; the message says what to do and nothing of the value.
    pub fn new(text: &str) -> Result<Root, Error> {
        let refuse = |message| Err(Error::new(ErrorKind::Misconfigured, message));
        if text.chars().all(char::is_whitespace) {
            return refuse("The root secret is empty.");
        }
        if text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace) {
            return refuse("The root secret begins or ends with whitespace; set it again without.");
        }
        if text.chars().count() < Root::LEAST {
            return refuse("The root secret has fewer than 32 characters.");
        }
        let mut different: Vec<char> = Vec::with_capacity(Root::DIFFERENT);
        for c in text.chars() {
            if different.len() < Root::DIFFERENT && !different.contains(&c) {
                different.push(c);
            }
        }
        if different.len() < Root::DIFFERENT {
            return refuse("The root secret repeats a few characters; use a random one.");
        }
        let letters: String =
            text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
        if PLACEHOLDERS.iter().any(|word| crate::text::has(&letters, word)) {
            return refuse("The root secret is a placeholder of a sample; use a random one.");
        }
        // 32 characters are 32 bytes or more.
        Key::of_text(text)
            .map(Root)
            .ok_or_else(|| Error::new(ErrorKind::Misconfigured, "The root secret is too short."))
    }

    /// The secret with which the owner of a key signs assertions: `sgs_` and 43 digits, 256 bits.
    ///
    /// `HMAC-SHA256(root, "sluicegate/apisecret/v1\0" key_id "\0" version)`, the version in decimal. Ids hold no NUL, so that no two keys
    /// share one.
    pub fn api_secret(&self, key_id: &str, version: u64) -> String {
        let version = version.to_string();
        let derived = self.0.derive(&[b"sluicegate/apisecret/v1\0", key_id.as_bytes(), b"\0", version.as_bytes()]);
        let mut secret = String::from("sgs_");
        secret.push_str(&base62::digits(&derived, 43));
        secret
    }

    /// The key with which the gate signs its own tokens of a kind: `HMAC-SHA256(root, "sluicegate/token/v1\0" typ)`.
    pub fn signing_key(&self, kind: Kind) -> Key {
        let derived = self.0.derive(&[b"sluicegate/token/v1\0", kind.typ().as_bytes()]);
        Key::derived(derived)
    }
}

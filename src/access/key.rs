//! Virtual keys: random bearer texts that the gate gives out and keeps no copy of.
//!
//! ```text
//! sgk_live_ dZ4q…30 base62 digits…8Kc 0aB3xZ      id: key_ + 16 base62 digits, public
//!  prefix      178 random bits         CRC-32
//! ```
//!
//! The checksum lets a scanner, and the gate, tell a key from a text that looks like one without asking a store. It is no secret and
//! protects from nothing but mistakes. As the random part cannot be guessed, what is stored is a plain SHA-256: a slow hash would defend
//! only passwords, and would run at every request.

use super::base62;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// What all of them begin with.
pub const FAMILY: &str = "sgk_";
/// What all keys match, for scanners of sources and logs; [`is_shaped`] checks the checksum as well.
pub const PATTERN: &str = "sgk_(live|test)_[0-9A-Za-z]{36}";

/// Random digits of a key.
const RANDOM: usize = 30;
/// Digits of its checksum: 62⁶ is more than 2³².
const CHECKSUM: usize = 6;
/// Digits of an id.
const ID: usize = 16;
/// Random digits that the shown prefix holds. Of the 178 bits, the prefix and the last four digits give away 48 at most.
const SHOWN: usize = 4;

/// What a key is for: the two are alike but for their prefix, so that a test's key in the wrong place is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `sgk_live_`
    Live,
    /// `sgk_test_`
    Test,
}

impl Kind {
    /// `sgk_live_` or `sgk_test_`.
    pub fn prefix(self) -> &'static str {
        match self {
            Kind::Live => "sgk_live_",
            Kind::Test => "sgk_test_",
        }
    }
}

/// A new key, and what to keep of it. It has no `Debug`: the key is to be shown once and not logged.
pub struct Minted {
    /// The public id: `key_` and 16 digits (95 random bits). Independent of the key.
    pub id: String,
    /// The key. Not to be stored.
    pub key: String,
    /// Its beginning, for people to know it by: the kind's prefix and 4 digits.
    pub prefix: String,
    /// Its last four digits, which are of the checksum.
    pub last4: String,
    /// What is stored: [`digest`] of the key.
    pub digest: [u8; 32],
}

/// A new key of these random bytes, which must come from a cryptographic source: 32 for the key, 16 for the id.
pub fn mint(kind: Kind, random: &[u8; 48]) -> Minted {
    let (for_key, for_id) = random.split_at(32);
    let mut key = String::with_capacity(kind.prefix().len() + RANDOM + CHECKSUM);
    key.push_str(kind.prefix());
    key.push_str(&base62::digits(for_key, RANDOM));
    let checksum = checksum(&key);
    key.push_str(&checksum);
    let mut id = String::from("key_");
    id.push_str(&base62::digits(for_id, ID));
    let shown = kind.prefix().len() + SHOWN;
    Minted {
        id,
        prefix: key.get(..shown).unwrap_or_default().to_owned(),
        last4: checksum.get(CHECKSUM - 4..).unwrap_or_default().to_owned(),
        digest: digest(&key),
        key,
    }
}

/// Whether a text is a key, as far as one can tell without looking it up: prefix, alphabet, length and checksum.
pub fn is_shaped(text: &str) -> bool {
    let Some(digits) = [Kind::Live, Kind::Test].iter().find_map(|kind| text.strip_prefix(kind.prefix())) else {
        return false;
    };
    if !base62::is(digits, RANDOM + CHECKSUM) {
        return false;
    }
    text.split_at_checked(text.len() - CHECKSUM).is_some_and(|(body, sum)| checksum(body) == sum)
}

/// Whether a text is the id of a key.
pub fn is_id(text: &str) -> bool {
    text.strip_prefix("key_").is_some_and(|digits| base62::is(digits, ID))
}

/// SHA-256 of a credential: what a store keeps and is asked for.
pub fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// Whether two digests are the same, in a time that does not depend on where they differ.
pub fn same(a: &[u8; 32], b: &[u8; 32]) -> bool {
    a.ct_eq(b).into()
}

/// A digest as 64 small hexadecimal digits.
pub fn to_hex(digest: &[u8; 32]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
    digest.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The digest of 64 hexadecimal digits, large or small; `None` for anything else.
pub fn from_hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 {
        return None;
    }
    let mut digest = [0; 32];
    let mut digits = text.chars();
    for byte in &mut digest {
        let (high, low) = (digits.next()?.to_digit(16)?, digits.next()?.to_digit(16)?);
        *byte = (high << 4 | low) as u8;
    }
    Some(digest)
}

/// The checksum of everything before it, the prefix too: a live key with `test` written over is none.
fn checksum(body: &str) -> String {
    base62::digits(&crc32(body.as_bytes()).to_be_bytes(), CHECKSUM)
}

/// CRC-32 as in ISO-HDLC (gzip, PNG), bit by bit: forty bytes do not repay a table.
fn crc32(bytes: &[u8]) -> u32 {
    let mut sum = !0u32;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = sum >> 1 ^ (0xEDB8_8320 & (sum & 1).wrapping_neg());
        }
    }
    !sum
}

#[cfg(test)]
mod tests {
    use super::crc32;

    #[test]
    fn the_checksum_is_the_usual_crc32() {
        // The check value of CRC-32/ISO-HDLC in the catalogue of CRC algorithms.
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
    }
}

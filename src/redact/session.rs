//! What tokens stand for. The map lives on the device or in a request's memory, and is wiped when it goes.
//!
//! A token is `⟦手机号1·k7q2⟧`: the label, a number by order of appearance, and four check characters, which are a keyed hash of the kind,
//! the value and the number. Nobody without the key can make one that holds: what a model invents, or an attacker writes into a document,
//! is not given back. The same key gives the same tokens for the same conversation, so that a vendor's prompt cache still hits.

use super::entity::Entity;
use super::symbol::{chinese_digit, normal};
use crate::error::{Error, ErrorKind};
use crate::json::{cursor, string, write::push_quoted};
use core::fmt;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::collections::BTreeMap;

/// Most values that a session keeps, and their bytes together. What comes beyond is labelled and cannot be given back.
const MOST: usize = 4_096;
const MOST_BYTES: usize = 1 << 20;
/// How check characters are written: none that is taken for another.
const ALPHABET: &[u8; 32] = b"23456789abcdefghjkmnpqrstuvwxyz7";

/// One value.
struct Entry {
    entity: Entity,
    label: String,
    number: u32,
    check: String,
    /// As it was first written.
    value: String,
}

/// The tokens of one conversation, or of one request.
pub struct Session {
    key: [u8; 32],
    entries: Vec<Entry>,
    /// Kind and normalised value to the place in `entries`.
    known: BTreeMap<(Entity, String), usize>,
    /// Number and check characters to the places that have them.
    checks: BTreeMap<(u32, String), Vec<usize>>,
    /// How many values each label has.
    numbers: BTreeMap<String, u32>,
    bytes: usize,
}

impl Session {
    /// An empty map. The same key gives the same tokens for the same values in the same order of appearance.
    pub fn new(key: &[u8; 32]) -> Session {
        Session {
            key: *key,
            entries: Vec::new(),
            known: BTreeMap::new(),
            checks: BTreeMap::new(),
            numbers: BTreeMap::new(),
            bytes: 0,
        }
    }

    /// The token for a value: the one that it has, or a new one. A map that is full gives a label, which is not given back.
    pub fn token(&mut self, entity: Entity, label: &str, value: &str) -> String {
        let plain = normalised(entity, value);
        if let Some(entry) = self.known.get(&(entity, plain.clone())).and_then(|at| self.entries.get(*at)) {
            return written(entry);
        }
        let size = value.len() + plain.len() + label.len();
        if self.entries.len() >= MOST || self.bytes + size > MOST_BYTES {
            return ["***", label, "***"].concat();
        }
        self.add(entity, label, plain, value)
    }

    fn add(&mut self, entity: Entity, label: &str, plain: String, value: &str) -> String {
        let number = self.numbers.entry(label.to_owned()).or_insert(0);
        *number += 1;
        let number = *number;
        let check = self.digest(&[entity.key(), label, &plain, &number.to_string()], 4);
        let at = self.entries.len();
        self.bytes += value.len() + plain.len() + label.len();
        self.checks.entry((number, check.clone())).or_default().push(at);
        self.known.insert((entity, plain), at);
        let entry = Entry { entity, label: label.to_owned(), number, check, value: value.to_owned() };
        let token = written(&entry);
        self.entries.push(entry);
        token
    }

    /// What a token stands for, if it is one of ours.
    pub fn value(&self, token: &str) -> Option<&str> {
        let inside = token.strip_prefix('⟦')?.strip_suffix('⟧')?;
        let (front, check) = inside.rsplit_once('·')?;
        let label = front.trim_end_matches(|c: char| c.is_ascii_digit());
        let number = front.get(label.len()..)?.parse().ok()?;
        self.find(Some(label), number, check)
    }

    /// What the token of these parts stands for. Without a label: if no other token has this number and these check characters.
    pub fn find(&self, label: Option<&str>, number: u32, check: &str) -> Option<&str> {
        let places = self.checks.get(&(number, check.to_owned()))?;
        let mut entries = places.iter().filter_map(|at| self.entries.get(*at));
        let entry = match label {
            Some(label) => entries.find(|entry| entry.label == label),
            None => entries.next().filter(|_| places.len() == 1),
        };
        entry.map(|entry| entry.value.as_str())
    }

    /// The labels in use.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.numbers.keys().map(String::as_str)
    }

    /// A keyed hash of a value, 8 characters.
    pub fn hash(&self, value: &str) -> String {
        let plain: String = value.chars().filter_map(normal).collect();
        self.digest(&["hash", &plain], 8)
    }

    fn digest(&self, parts: &[&str], length: usize) -> String {
        // A key of any length is taken, so that there is always one.
        let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(&self.key) else { return String::new() };
        for part in parts {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part.as_bytes());
        }
        let digest = mac.finalize().into_bytes();
        let letter = |byte: &u8| ALPHABET.get(usize::from(byte & 31)).copied().map_or('2', char::from);
        digest.iter().take(length).map(letter).collect()
    }

    /// Whether there is no token: nothing can be given back.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The map as JSON text, for an application that keeps it on the device: it holds every value in the clear.
    pub fn to_json(&self) -> String {
        let mut json = "[".to_owned();
        for entry in &self.entries {
            json.push_str(if json.len() > 1 { ",[" } else { "[" });
            push_quoted(&mut json, entry.entity.key());
            json.push(',');
            push_quoted(&mut json, &entry.label);
            json.push(',');
            push_quoted(&mut json, &entry.value);
            json.push(']');
        }
        json.push(']');
        json
    }

    /// The map of [`Session::to_json`], under the same key. Values of a policy's own rules come back under the label that they had.
    ///
    /// Errors: `misconfigured` for anything else.
    pub fn from_json(key: &[u8; 32], json: &str) -> Result<Session, Error> {
        let refused = || Error::new(ErrorKind::Misconfigured, "Expected a session as it was exported.");
        let mut session = Session::new(key);
        let rows: Vec<Vec<&str>> = cursor::parse(json).ok_or_else(refused)?;
        if rows.len() > MOST {
            return Err(refused());
        }
        for row in rows {
            let read = |at: usize| row.get(at).and_then(|raw| string::read(raw)).ok_or_else(refused);
            let (key, label, value) = (read(0)?, read(1)?, read(2)?);
            session.token(Entity::from_key(&key).unwrap_or(Entity::Custom(0)), &label, &value);
        }
        Ok(session)
    }
}

fn written(entry: &Entry) -> String {
    ["⟦", &entry.label, &entry.number.to_string(), "·", &entry.check, "⟧"].concat()
}

/// One form for all writings of a value.
fn normalised(entity: Entity, value: &str) -> String {
    let plain = value.chars().filter_map(normal);
    match entity {
        Entity::Person | Entity::Address | Entity::Org | Entity::Secret | Entity::Custom(_) | Entity::Dob => {
            let mut text = String::with_capacity(value.len());
            for c in plain {
                if c != ' ' || !text.ends_with(' ') {
                    text.push(c);
                }
            }
            text
        }
        Entity::Email | Entity::Ip | Entity::Mac | Entity::Wechat => plain.map(|c| c.to_ascii_lowercase()).collect(),
        _ => {
            let kept = plain.filter(|c| !matches!(c, ' ' | '-' | '.' | '·' | '(' | ')' | '/'));
            let text: String = kept.map(|c| chinese_digit(c).unwrap_or(c.to_ascii_uppercase())).collect();
            let bare = ["+86", "0086", "+0086"].iter().find_map(|code| text.strip_prefix(code));
            match bare.or_else(|| text.strip_prefix("86").filter(|rest| rest.len() == 11)) {
                Some(bare) if entity == Entity::PhoneCn => bare.to_owned(),
                _ => text,
            }
        }
    }
}

impl fmt::Debug for Session {
    /// How much there is, never what.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("values", &self.entries.len()).finish_non_exhaustive()
    }
}

impl Drop for Session {
    /// Wipes what it knew, as far as safe code can.
    fn drop(&mut self) {
        for entry in self.entries.drain(..) {
            wipe(entry.value);
        }
        for ((_, plain), _) in core::mem::take(&mut self.known) {
            wipe(plain);
        }
        self.key.fill(0);
        core::hint::black_box(&self.key);
    }
}

fn wipe(value: String) {
    let mut bytes = value.into_bytes();
    bytes.fill(0);
    core::hint::black_box(&bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_one_token_in_every_writing_and_gets_its_first_writing_back() {
        let mut session = Session::new(&[7; 32]);
        let first = session.token(Entity::PhoneCn, "手机号", "138 1234 5678");
        for writing in
            ["13812345678", "+86 138-1234-5678", "１３８１２３４５６７８", "一三八一二三四五六七八", "8613812345678"]
        {
            assert_eq!(session.token(Entity::PhoneCn, "手机号", writing), first, "{writing}");
        }
        assert_eq!(session.value(&first), Some("138 1234 5678"));
        let other = session.token(Entity::PhoneCn, "手机号", "13912345678");
        assert!(other.starts_with("⟦手机号2·") && first.starts_with("⟦手机号1·"), "{first} {other}");
        assert_ne!(session.token(Entity::Email, "邮箱", "A@b.co"), session.token(Entity::Email, "邮箱", "a@c.co"));
        assert_eq!(session.token(Entity::Email, "邮箱", "a@b.co"), session.token(Entity::Email, "邮箱", "A@B.CO"));
    }

    #[test]
    fn tokens_depend_on_the_key_and_forged_ones_stand_for_nothing() {
        let token = |key: u8| Session::new(&[key; 32]).token(Entity::PhoneCn, "手机号", "13812345678");
        assert_eq!(token(1), token(1));
        assert_ne!(token(1), token(2));
        let mut session = Session::new(&[1; 32]);
        session.token(Entity::PhoneCn, "手机号", "13812345678");
        assert_eq!(session.value(&token(2)), None);
        assert_eq!(session.value("⟦手机号1·aaaa⟧"), None);
        assert_eq!(session.value(&token(1).replace('1', "2")), None);
        let check: String = token(1).chars().rev().skip(1).take(4).collect::<Vec<_>>().into_iter().rev().collect();
        assert_eq!(session.find(None, 1, &check), Some("13812345678"));
        assert_eq!(session.find(Some("邮箱"), 1, &check), None);
    }

    #[test]
    fn a_full_map_gives_labels_and_keeps_what_it_has() {
        let mut session = Session::new(&[0; 32]);
        let first = session.token(Entity::Qq, "QQ", "10000");
        for number in 0..MOST {
            session.token(Entity::Qq, "QQ", &(20_000 + number).to_string());
        }
        assert_eq!(session.token(Entity::Qq, "QQ", "99999999"), "***QQ***");
        assert_eq!(session.token(Entity::Qq, "QQ", "10000"), first);
        assert_eq!(session.len(), MOST);
    }

    #[test]
    fn an_exported_map_comes_back_and_debug_shows_no_value() {
        let mut session = Session::new(&[3; 32]);
        let tokens = [("张\"伟", Entity::Person, "姓名"), ("a@b.co", Entity::Email, "邮箱")]
            .map(|(value, entity, label)| (session.token(entity, label, value), value));
        let back = Session::from_json(&[3; 32], &session.to_json()).unwrap_or_else(|_| Session::new(&[0; 32]));
        for (token, value) in &tokens {
            assert_eq!(back.value(token), Some(*value));
        }
        assert!(!format!("{session:?}").contains("a@b.co"));
        for bad in ["", "{}", "[1]", "[[\"EMAIL\"]]", "[[\"EMAIL\",\"x\",1]]"] {
            assert!(Session::from_json(&[3; 32], bad).is_err(), "{bad}");
        }
    }
}

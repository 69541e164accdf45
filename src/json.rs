//! Whether bytes are JSON that has one reading only: valid UTF-8, no byte order mark, nothing behind the document, no
//! key twice in an object (also when one of them is written with escapes), no NUL, bounded in depth and width.
//!
//! NUL is refused also as an escape: text that a model reads has no use for it, and C strings behind the upstream's door end
//! at it. Parsers disagree on duplicate keys and lone surrogates; whoever checks one reading and forwards the bytes lets the
//! upstream see the other. After [`check_json`] there is only one. Time is linear in the bytes but for the names of one
//! object, which are compared in `n log n`; nothing is kept but the names of the objects that are open.

use crate::error::{Error, ErrorKind};
use crate::limits::Limits;
use core::fmt;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Longest path that an error names, in bytes.
const PATH_BYTES: usize = 256;
/// Longest key that a path shows, in bytes.
const KEY_BYTES: usize = 64;
/// Objects with more keys than this compare them by a tree; below it, a scan is faster.
const SCAN_KEYS: usize = 16;

/// Checks a whole document and gives it back as text.
///
/// Errors: `payload_too_large` over [`Limits::request_body`], else `invalid_request`, with the path of the fault in
/// `param` where there is one. Messages and paths hold no values; of keys they show those that look like identifiers.
pub fn check_json<'a>(bytes: &'a [u8], limits: &Limits) -> Result<&'a str, Error> {
    if bytes.len() > limits.request_body {
        let message = format!("The body is larger than the limit of {} bytes.", limits.request_body);
        return Err(Error::new(ErrorKind::PayloadTooLarge, message));
    }
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        return Err(invalid("The body starts with a byte order mark; JSON has none."));
    }
    let text = core::str::from_utf8(bytes)
        .map_err(|error| invalid(format!("The body is not UTF-8: invalid byte at offset {}.", error.valid_up_to())))?;
    if text.bytes().all(|byte| byte.is_ascii_whitespace()) {
        return Err(invalid("The body is empty; a JSON object was expected."));
    }
    walk(text, limits, |_| false).map_err(|fault| fault.into_error(limits))?;
    Ok(text)
}

fn invalid(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidRequest, message)
}

/// What is wrong with a document, and where.
pub(crate) struct Fault {
    pub(crate) what: What,
    /// The path, outermost first, in the form `messages[2].content`; empty for the document itself.
    pub(crate) path: String,
}

/// What can be wrong with a document.
pub(crate) enum What {
    Syntax(String),
    Depth,
    Keys,
    Items,
    Duplicate,
    Nul,
    /// A key that the caller of [`walk`] refuses.
    Refused,
}

impl Fault {
    fn into_error(self, limits: &Limits) -> Error {
        let message = match self.what {
            What::Syntax(detail) => format!("The body is not valid JSON: {detail}."),
            What::Depth => format!("JSON is nested deeper than {} levels.", limits.json_depth),
            What::Keys => format!("A JSON object has more than {} keys.", limits.json_keys),
            What::Items => format!("A JSON array has more than {} items.", limits.json_items),
            What::Duplicate => String::from("A key occurs twice in the same object."),
            What::Nul => String::from("A string holds a NUL character."),
            What::Refused => String::from("This field is not allowed."),
        };
        let error = invalid(message);
        if self.path.is_empty() { error } else { error.with_param(self.path) }
    }
}

/// Walks one document; `refuse` says which keys, at any depth, are faults.
pub(crate) fn walk(text: &str, limits: &Limits, refuse: fn(&str) -> bool) -> Result<(), Fault> {
    let mut context = Context { limits, refuse, keys: Vec::new(), what: None, trail: Vec::new() };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let walked = Walk { context: &mut context, depth: 0 }.deserialize(&mut deserializer);
    let Err(error) = walked.and_then(|()| deserializer.end()) else { return Ok(()) };
    let what = context.what.take().unwrap_or_else(|| {
        // Of serde_json's own errors, those of syntax are fixed sentences with a position: they quote nothing.
        let at = format!("line {} column {}", error.line(), error.column());
        if error.is_syntax() || error.is_eof() {
            What::Syntax(error.to_string())
        } else {
            What::Syntax(format!("unexpected data at {at}"))
        }
    });
    Err(Fault { what, path: context.path() })
}

struct Context<'de, 'l> {
    limits: &'l Limits,
    refuse: fn(&str) -> bool,
    /// The keys of all open objects, outermost first.
    keys: Vec<Cow<'de, str>>,
    what: Option<What>,
    /// Where the fault is, innermost first: filled while the error travels out, so that the usual walk pays nothing.
    trail: Vec<Step>,
}

enum Step {
    Key(String),
    Index(usize),
}

impl Context<'_, '_> {
    fn fail<E: serde::de::Error>(&mut self, what: What) -> E {
        self.what = Some(what);
        E::custom("refused")
    }

    fn key_step(&mut self, index: usize) {
        let shown = self.keys.get(index).map_or("*", |key| shown_key(key));
        self.trail.push(Step::Key(shown.to_owned()));
    }

    fn path(&self) -> String {
        let mut path = String::new();
        for step in self.trail.iter().rev() {
            match step {
                Step::Key(key) if path.is_empty() => path.push_str(key),
                Step::Key(key) => {
                    path.push('.');
                    path.push_str(key);
                }
                Step::Index(index) => path.push_str(&format!("[{index}]")),
            }
            if path.len() > PATH_BYTES {
                path.push('…');
                break;
            }
        }
        path
    }
}

/// A key as a path may show it: an identifier as it is, anything else (it may be an address or a name) as `*`.
pub(crate) fn shown_key(key: &str) -> &str {
    let starts = key.starts_with(|first: char| first.is_ascii_alphabetic() || matches!(first, '_' | '$'));
    let plain = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'$'));
    if starts && plain && key.len() <= KEY_BYTES { key } else { "*" }
}

struct Walk<'c, 'de, 'l> {
    context: &'c mut Context<'de, 'l>,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Walk<'_, 'de, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, 'de, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    // A raw NUL is a syntax error, so only a string with escapes, which is never borrowed, can hold one.
    fn visit_borrowed_str<E>(self, _: &'de str) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        if memchr::memchr(0, text.as_bytes()).is_some() { Err(self.context.fail(What::Nul)) } else { Ok(()) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let depth = self.depth + 1;
        if depth > self.context.limits.json_depth {
            return Err(self.context.fail(What::Depth));
        }
        let mut index = 0;
        loop {
            match seq.next_element_seed(Walk { context: &mut *self.context, depth }) {
                Ok(Some(())) if index >= self.context.limits.json_items => return Err(self.context.fail(What::Items)),
                Ok(Some(())) => index += 1,
                Ok(None) => return Ok(()),
                Err(error) => {
                    self.context.trail.push(Step::Index(index));
                    return Err(error);
                }
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let depth = self.depth + 1;
        if depth > self.context.limits.json_depth {
            return Err(self.context.fail(What::Depth));
        }
        let first = self.context.keys.len();
        let mut tree: Option<BTreeSet<Cow<'de, str>>> = None;
        while let Some(key) = map.next_key_seed(Key)? {
            let here = self.context.keys.len();
            let count = here - first;
            if count >= self.context.limits.json_keys {
                return Err(self.context.fail(What::Keys));
            }
            let open = self.context.keys.get(first..).unwrap_or_default();
            let (nul, refused) = (key.contains('\0'), (self.context.refuse)(&key));
            let duplicate = if count < SCAN_KEYS {
                open.contains(&key)
            } else {
                let tree = tree.get_or_insert_with(|| open.iter().cloned().collect());
                !tree.insert(key.clone())
            };
            self.context.keys.push(key);
            let what = match (duplicate, nul, refused) {
                (true, ..) => Some(What::Duplicate),
                (_, true, _) => Some(What::Nul),
                (.., true) => Some(What::Refused),
                _ => None,
            };
            if let Some(what) = what {
                self.context.key_step(here);
                return Err(self.context.fail(what));
            }
            if let Err(error) = map.next_value_seed(Walk { context: &mut *self.context, depth }) {
                self.context.key_step(here);
                return Err(error);
            }
        }
        self.context.keys.truncate(first);
        Ok(())
    }
}

/// A key, borrowed where it has no escapes.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

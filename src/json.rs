//! Whether bytes are JSON that has one reading only: valid UTF-8, no byte order mark, nothing behind the document, no
//! key twice in an object (also when one of them is written with escapes), no NUL, bounded in depth and width.
//!
//! NUL is refused also as an escape: text that a model reads has no use for it, and C strings behind the upstream's door end
//! at it. Parsers disagree on duplicate keys and lone surrogates; whoever checks one reading and forwards the bytes lets the
//! upstream see the other. After [`check_json`] there is only one. Time is linear in the bytes but for the names of one
//! object, which are compared in `n log n`; nothing is kept but the names of the objects that are open.

pub(crate) mod cursor;
pub(crate) mod number;
pub(crate) mod string;
pub(crate) mod write;

pub use write::Object;

use crate::error::{Error, ErrorKind};
use crate::limits::Limits;
use cursor::Cursor;
use number::is_finite;
use std::borrow::Cow;
use std::collections::BinaryHeap;

/// Longest path that an error names, in bytes.
const PATH_BYTES: usize = 256;
/// Longest key that a path shows, in bytes.
const KEY_BYTES: usize = 64;
/// Objects with more keys than this compare the others when they end, in order; up to it, a scan is faster.
const SCAN_KEYS: usize = 16;

/// Checks a whole document and gives it back as text.
///
/// Errors: `payload_too_large` over [`Limits::request_body`], else `invalid_request`, with the path of the fault in
/// `param` where there is one. Messages and paths hold no values; of keys they show those that look like identifiers.
pub fn check_json<'a>(bytes: &'a [u8], limits: &Limits) -> Result<&'a str, Error> {
    check_json_but(bytes, limits, None)
}

/// As [`check_json`], but arrays of numbers alone, in the document's member of this name, may have any number of items.
pub(crate) fn check_json_but<'a>(bytes: &'a [u8], limits: &Limits, numbers: Option<&str>) -> Result<&'a str, Error> {
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
    walk_but(text, limits, |_| false, numbers).map_err(|fault| fault.into_error(limits))?;
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
    walk_but(text, limits, refuse, None)
}

fn walk_but(text: &str, limits: &Limits, refuse: fn(&str) -> bool, numbers: Option<&str>) -> Result<(), Fault> {
    let (cursor, keys, trail) = (Cursor::new(text), Vec::new(), Vec::new());
    let mut walk = Walk { text, cursor, limits, refuse, numbers, in_numbers: false, keys, trail };
    let walked = walk.value(0).and_then(|()| match walk.cursor.peek() {
        None => Ok(()),
        Some(_) => Err(walk.syntax("trailing characters")),
    });
    walked.map_err(|what| Fault { what, path: walk.path() })
}

struct Walk<'a> {
    text: &'a str,
    cursor: Cursor<'a>,
    limits: &'a Limits,
    refuse: fn(&str) -> bool,
    /// The document's member in which numbers are not counted.
    numbers: Option<&'a str>,
    /// Whether the walk is in that member.
    in_numbers: bool,
    /// The keys of all open objects, outermost first.
    keys: Vec<Cow<'a, str>>,
    /// Where the fault is, innermost first: filled while the error travels out, so that the usual walk pays nothing.
    trail: Vec<Step>,
}

enum Step {
    Key(String),
    Index(usize),
}

impl<'a> Walk<'a> {
    fn value(&mut self, depth: usize) -> Result<(), What> {
        let start = self.cursor.peek();
        match start {
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.array(depth + 1),
            Some(b'"') => {
                let read = self.cursor.key();
                self.string(read).map(drop)
            }
            _ => {
                let start = self.cursor.at;
                self.cursor.skip().ok_or_else(|| self.syntax("expected value"))?;
                let literal = self.text.get(start..self.cursor.at).unwrap_or_default();
                let number = literal.starts_with(|first: char| first == '-' || first.is_ascii_digit());
                if number && !is_finite(literal) { Err(self.syntax("number out of range")) } else { Ok(()) }
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<(), What> {
        self.open(b'[', depth)?;
        if self.cursor.peek() == Some(b']') {
            self.cursor.close();
            return Ok(());
        }
        let mut index = 0;
        let mut uncounted = self.in_numbers;
        loop {
            uncounted = uncounted && self.cursor.peek().is_some_and(|byte| byte == b'-' || byte.is_ascii_digit());
            if let Err(what) = self.value(depth) {
                self.trail.push(Step::Index(index));
                return Err(what);
            }
            if index >= self.limits.json_items && !uncounted {
                return Err(What::Items);
            }
            match self.cursor.next_or(b']') {
                Some(true) => return Ok(()),
                Some(false) => index += 1,
                None => return Err(self.syntax("expected `,` or `]`")),
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), What> {
        self.open(b'{', depth)?;
        if self.cursor.peek() == Some(b'}') {
            self.cursor.close();
            return Ok(());
        }
        let first = self.keys.len();
        loop {
            self.key(first)?;
            let here = self.keys.len() - 1;
            self.cursor.colon().ok_or_else(|| self.syntax("expected `:`"))?;
            if depth == 1 {
                self.in_numbers = self.keys.get(here).is_some_and(|key| Some(&**key) == self.numbers);
            }
            if let Err(what) = self.value(depth) {
                self.key_step(here);
                return Err(what);
            }
            match self.cursor.next_or(b'}') {
                Some(true) => break,
                Some(false) => {}
                None => return Err(self.syntax("expected `,` or `}`")),
            }
        }
        if self.keys.len() - first > SCAN_KEYS {
            self.compare_keys(first)?;
        }
        self.keys.truncate(first);
        Ok(())
    }

    /// Reads a key of the object whose keys begin at `first`, and judges it.
    fn key(&mut self, first: usize) -> Result<(), What> {
        let read = self.cursor.key();
        let (key, nul) = match self.string(read) {
            Ok(key) => (key, false),
            Err(What::Nul) => (Cow::Borrowed("*"), true),
            Err(what) => return Err(what),
        };
        let here = self.keys.len();
        let count = here - first;
        if count >= self.limits.json_keys {
            return Err(What::Keys);
        }
        let open = self.keys.get(first..).unwrap_or_default();
        let duplicate = !nul && count < SCAN_KEYS && open.contains(&key);
        let refused = (self.refuse)(&key);
        self.keys.push(key);
        let what = match (duplicate, nul, refused) {
            (true, ..) => What::Duplicate,
            (_, true, _) => What::Nul,
            (.., true) => What::Refused,
            _ => return Ok(()),
        };
        self.key_step(here);
        Err(what)
    }

    /// Looks for a key that occurs twice among those from `first` on.
    fn compare_keys(&mut self, first: usize) -> Result<(), What> {
        let keys = self.keys.get(first..).unwrap_or_default();
        let mut heap: BinaryHeap<(&str, usize)> = keys.iter().zip(first..).map(|(key, at)| (&**key, at)).collect();
        let mut last = None;
        let duplicate = loop {
            let Some((key, at)) = heap.pop() else { return Ok(()) };
            if last == Some(key) {
                break at;
            }
            last = Some(key);
        };
        self.key_step(duplicate);
        Err(What::Duplicate)
    }

    /// What was read as a string, its escapes resolved: strictly, so that a lone surrogate is a fault.
    fn string(&self, read: Option<(&'a str, bool)>) -> Result<Cow<'a, str>, What> {
        let (body, escaped) = read.ok_or_else(|| self.syntax("expected a string"))?;
        if !escaped {
            return Ok(Cow::Borrowed(body));
        }
        let text = string::unescaped_strictly(body).ok_or_else(|| self.syntax("lone surrogate in an escape"))?;
        // A raw NUL is a syntax error, so only a string with escapes can hold one.
        if memchr::memchr(0, text.as_bytes()).is_some() { Err(What::Nul) } else { Ok(Cow::Owned(text)) }
    }

    fn open(&mut self, bracket: u8, depth: usize) -> Result<(), What> {
        if depth > self.limits.json_depth {
            return Err(What::Depth);
        }
        self.cursor.open(bracket).ok_or_else(|| self.syntax("recursion limit exceeded"))
    }

    /// Names what was expected and where, and quotes nothing.
    fn syntax(&self, expected: &str) -> What {
        let before = self.text.as_bytes().get(..self.cursor.at).unwrap_or(self.text.as_bytes());
        let expected = if self.cursor.at >= self.text.len() { "unexpected end" } else { expected };
        let line = 1 + memchr::memchr_iter(b'\n', before).count();
        let column = 1 + before.len() - memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
        What::Syntax(format!("{expected} at line {line} column {column}"))
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

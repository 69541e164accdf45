//! A cursor over JSON text, for what is read once per event.
//!
//! It accepts exactly what serde_json accepts as a value (a property test compares the two) and gives members as slices of the text.
//! Our own, because a chunk has twenty members of which three matter: serde_json with raw values took three times as long, and its
//! strings refuse the lone surrogates that some servers send. It also keeps a page from loading serde_json, a quarter of the bundle.

use core::ops::Range;
use std::borrow::Cow;

/// Nesting that is followed, as in serde_json.
const MAX_DEPTH: u32 = 127;

/// What can be read at a cursor; `None` for what is malformed or of the wrong type.
pub(crate) trait Read<'a>: Sized {
    fn read(cursor: &mut Cursor<'a>) -> Option<Self>;
}

/// The whole of `text` as one value.
pub(crate) fn parse<'a, T: Read<'a>>(text: &'a str) -> Option<T> {
    let mut cursor = Cursor::new(text);
    let value = T::read(&mut cursor)?;
    cursor.peek().is_none().then_some(value)
}

/// Any value, as its text.
impl<'a> Read<'a> for &'a str {
    #[inline]
    fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        cursor.peek()?;
        let start = cursor.at;
        cursor.skip()?;
        cursor.text.get(start..cursor.at)
    }
}

/// `null` is `None`.
impl<'a, T: Read<'a>> Read<'a> for Option<T> {
    #[inline]
    fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        if cursor.peek()? == b'n' { cursor.word("null").map(|()| None) } else { T::read(cursor).map(Some) }
    }
}

impl<'a, T: Read<'a>> Read<'a> for Vec<T> {
    fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        let mut items = Vec::new();
        cursor.array(&mut |cursor| T::read(cursor).map(|item| items.push(item)))?;
        Some(items)
    }
}

/// The members of an object (the key with its quotes, and the value) or the items of an array (keys empty), as ranges of `text`.
pub(crate) fn entries(text: &str) -> Option<Vec<(Range<usize>, Range<usize>)>> {
    let mut cursor = Cursor::new(text);
    let object = cursor.peek()? == b'{';
    let (open, close) = if object { (b'{', b'}') } else { (b'[', b']') };
    let mut entries = Vec::new();
    cursor.open(open)?;
    if cursor.peek()? == close {
        cursor.close()?;
    } else {
        loop {
            cursor.peek()?;
            let key = cursor.at;
            if object {
                cursor.key()?;
            }
            let key = key..cursor.at;
            if object {
                cursor.colon()?;
            }
            cursor.peek()?;
            let value = cursor.at;
            cursor.skip()?;
            entries.push((key, value..cursor.at));
            if cursor.next_or(close)? {
                break;
            }
        }
    }
    cursor.peek().is_none().then_some(entries)
}

pub(crate) struct Cursor<'a> {
    text: &'a str,
    pub(crate) at: usize,
    depth: u32,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Cursor { text, at: 0, depth: 0 }
    }

    /// An object: `member` is called with each name and must read the value behind it.
    #[inline]
    pub(crate) fn object(&mut self, member: &mut impl FnMut(&mut Self, Cow<'a, str>) -> Option<()>) -> Option<()> {
        self.open(b'{')?;
        if self.peek()? == b'}' {
            return self.close();
        }
        loop {
            let (name, escaped) = self.key()?;
            let name = if escaped { Cow::Owned(super::string::unescaped(name)?) } else { Cow::Borrowed(name) };
            self.colon()?;
            member(self, name)?;
            if self.next_or(b'}')? {
                return Some(());
            }
        }
    }

    pub(crate) fn array(&mut self, item: &mut impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.open(b'[')?;
        if self.peek()? == b']' {
            return self.close();
        }
        loop {
            item(self)?;
            if self.next_or(b']')? {
                return Some(());
            }
        }
    }

    /// The body of the key at the cursor, and whether it has escapes; the cursor stands behind its quotes.
    #[inline]
    pub(crate) fn key(&mut self) -> Option<(&'a str, bool)> {
        if self.peek()? == b'"' { self.string() } else { None }
    }

    #[inline]
    pub(crate) fn colon(&mut self) -> Option<()> {
        let found = self.peek()? == b':';
        self.at += usize::from(found);
        found.then_some(())
    }

    /// Past a comma (false), or past the bracket that closes (true).
    #[inline]
    pub(crate) fn next_or(&mut self, bracket: u8) -> Option<bool> {
        match self.peek()? {
            b',' => {
                self.at += 1;
                Some(false)
            }
            byte if byte == bracket => self.close().map(|()| true),
            _ => None,
        }
    }

    pub(crate) fn open(&mut self, bracket: u8) -> Option<()> {
        if self.peek()? != bracket || self.depth == MAX_DEPTH {
            return None;
        }
        self.depth += 1;
        self.at += 1;
        Some(())
    }

    pub(crate) fn close(&mut self) -> Option<()> {
        self.depth -= 1;
        self.at += 1;
        Some(())
    }

    /// The next byte that is not whitespace; the cursor stands on it.
    #[inline(always)]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = self.byte()?;
            if byte > b' ' || !matches!(byte, b' ' | b'\n' | b'\t' | b'\r') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    // Sized code calls even this, eighty times an event.
    #[inline(always)]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(crate) fn skip(&mut self) -> Option<()> {
        match self.peek()? {
            b'"' => self.string().map(|_| ()),
            b'{' => self.object(&mut |cursor: &mut Self, _| cursor.skip()),
            b'[' => self.array(&mut |cursor: &mut Self| cursor.skip()),
            b'n' => self.word("null"),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            _ => self.number(),
        }
    }

    fn word(&mut self, word: &str) -> Option<()> {
        let found = self.text.as_bytes().get(self.at..)?.starts_with(word.as_bytes());
        self.at += word.len();
        found.then_some(())
    }

    fn number(&mut self) -> Option<()> {
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        let start = self.at;
        self.digits()?;
        if self.text.as_bytes().get(start) == Some(&b'0') && self.at > start + 1 {
            return None;
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.byte(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.byte().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    /// The body of the string at the cursor, and whether it has escapes.
    #[inline]
    pub(crate) fn string(&mut self) -> Option<(&'a str, bool)> {
        self.at += 1;
        let start = self.at;
        let mut escaped = false;
        loop {
            self.plain_run();
            match self.byte()? {
                b'"' => {
                    let body = self.text.get(start..self.at)?;
                    self.at += 1;
                    return Some((body, escaped));
                }
                b'\\' => {
                    escaped = true;
                    self.at += match self.text.as_bytes().get(self.at + 1..)? {
                        [b'u', a, b, c, d, ..] if [a, b, c, d].iter().all(|digit| digit.is_ascii_hexdigit()) => 6,
                        [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => 2,
                        _ => return None,
                    };
                }
                _ => return None,
            }
        }
    }

    /// To the next quote, backslash or control character, eight bytes at a time.
    #[inline]
    fn plain_run(&mut self) {
        const ONES: u64 = u64::MAX / 255;
        const HIGHS: u64 = ONES * 0x80;
        while let Some(word) = self.text.as_bytes().get(self.at..).and_then(<[u8]>::first_chunk::<8>) {
            let word = u64::from_le_bytes(*word);
            let (quote, slash) = (word ^ (ONES * 0x22), word ^ (ONES * 0x5C));
            // The high bit of each byte that is zero (or below 0x20); borrows can only spoil bytes after the first hit.
            let hit = ((quote.wrapping_sub(ONES) & !quote)
                | (slash.wrapping_sub(ONES) & !slash)
                | (word.wrapping_sub(ONES * 0x20) & !word))
                & HIGHS;
            if hit != 0 {
                self.at += (hit.trailing_zeros() / 8) as usize;
                return;
            }
            self.at += 8;
        }
        while self.byte().is_some_and(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::de::IgnoredAny;

    #[test]
    fn values_are_given_as_their_text() {
        assert_eq!(
            parse::<Vec<&str>>(r#" [1, "a\"]" ,{"b":[ ]} , null]"#),
            Some(vec!["1", r#""a\"]""#, r#"{"b":[ ]}"#, "null"])
        );
        assert_eq!(parse::<Option<&str>>(" null "), Some(None));
        assert_eq!(parse::<Vec<&str>>("{}"), None);
    }

    #[test]
    fn nesting_ends_where_serde_json_ends_it() {
        for depth in [127, 128] {
            let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            assert_eq!(parse::<&str>(&text).is_some(), depth == 127);
            assert_eq!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), depth == 127);
        }
    }

    proptest! {
        #[test]
        fn it_accepts_what_serde_json_accepts(text in prop_oneof![
            "[\\[\\]{}:,\" ]{0,10}",
            "-?[0-9]{0,3}[.eE+-]{0,2}[0-9]{0,2}",
            "\"[a-z\\\\\"u0-9/\u{1}\u{7f}é你]{0,24}\"",
            "\\{\"[a-z\\\\u]{0,12}\": ?(null|true|false|nul|\\[1,?\\]|\\{\\})\\}",
        ]) {
            prop_assert_eq!(parse::<&str>(&text).is_some(), serde_json::from_str::<IgnoredAny>(&text).is_ok(), "{}", text);
        }
    }
}

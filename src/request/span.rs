//! Where the parts of a JSON text lie: members and items as byte ranges, so that what nobody changes is never rewritten.
//!
//! The text has passed [`check_json`](crate::json::check_json); an error here would be a bug and is reported as one.

use crate::error::{Error, ErrorKind};
use crate::json::{cursor, string::unescaped};
use core::ops::Range;
use std::borrow::Cow;

pub(crate) use crate::json::write::quoted;

/// A byte range of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    pub(crate) fn of(self, text: &str) -> &str {
        text.get(self.start..self.end).unwrap_or_default()
    }

    /// A range of this span's text.
    fn part(self, range: &Range<usize>) -> Span {
        Span { start: self.start + range.start, end: self.start + range.end }
    }
}

/// One `"key": value` of an object. The key's span includes its quotes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    pub(crate) key: Span,
    pub(crate) value: Span,
}

impl Member {
    /// The key, its escapes resolved.
    pub(crate) fn name<'a>(&self, text: &'a str) -> Cow<'a, str> {
        string(self.key.of(text))
    }

    /// Whether the key is `name`.
    pub(crate) fn is(&self, text: &str, name: &str) -> bool {
        string_is(self.key.of(text), name)
    }

    /// Whether the value is the string `wanted`.
    pub(crate) fn says(&self, text: &str, wanted: &str) -> bool {
        string_is(self.value.of(text), wanted)
    }

    pub(crate) fn kind(&self, text: &str) -> Kind {
        Kind::of(self.value.of(text))
    }
}

/// The type of a JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
}

impl Kind {
    pub(crate) fn of(value: &str) -> Kind {
        match value.as_bytes().first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b't' | b'f') => Kind::Boolean,
            Some(b'n') => Kind::Null,
            _ => Kind::Number,
        }
    }

    /// With its article, as an error message has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Boolean => "a boolean",
            Kind::Number => "a number",
            Kind::String => "a string",
            Kind::Array => "an array",
            Kind::Object => "an object",
        }
    }
}

/// The text of a JSON string; empty for anything else.
pub(crate) fn string(value: &str) -> Cow<'_, str> {
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default();
    if inner.contains('\\') { Cow::Owned(unescaped(inner).unwrap_or_default()) } else { Cow::Borrowed(inner) }
}

/// Whether a value is this string; what others than strings are is empty. Never inlined: its `Cow` would be dropped in many places.
#[inline(never)]
fn string_is(value: &str, wanted: &str) -> bool {
    string(value) == wanted
}

/// The member called `name`, unless its value is `null`: for optional fields, null means absent.
#[inline(never)]
pub(crate) fn find(text: &str, members: &[Member], name: &str) -> Option<Member> {
    members.iter().find(|member| member.is(text, name) && member.kind(text) != Kind::Null).copied()
}

/// Replaces `members` by those of the object at `span`.
pub(crate) fn members_into(text: &str, span: Span, members: &mut Vec<Member>) -> Result<(), Error> {
    members.clear();
    let entries = cursor::entries(span.of(text)).ok_or_else(bug)?;
    members.extend(entries.iter().map(|(key, value)| Member { key: span.part(key), value: span.part(value) }));
    Ok(())
}

/// The members of the object at `span`.
pub(crate) fn members(text: &str, span: Span) -> Result<Vec<Member>, Error> {
    let mut members = Vec::new();
    members_into(text, span, &mut members).map(|()| members)
}

/// The items of the array at `span`.
pub(crate) fn items(text: &str, span: Span) -> Result<Vec<Span>, Error> {
    let entries = cursor::entries(span.of(text)).ok_or_else(bug)?;
    Ok(entries.iter().map(|(_, item)| span.part(item)).collect())
}

fn bug() -> Error {
    Error::new(ErrorKind::Internal, "A checked document could not be read again.")
}

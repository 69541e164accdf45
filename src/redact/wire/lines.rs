//! An event's bytes with other data.

use super::channels::Key;
use crate::request::span::Span;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// What of `raw` stands before its last event, and that event: comments and blocks without data could have gone out before it came.
pub(super) fn split(raw: &[u8]) -> (&[u8], &[u8]) {
    let (mut start, mut at, mut open) = (0, 0, false);
    if raw.starts_with(BOM) {
        (start, at) = (BOM.len(), BOM.len());
    }
    while let Some((line, close)) = raw.get(at..).filter(|rest| !rest.is_empty()).map(first_line) {
        let end = at + line.len() + close.len();
        let outside = match line {
            _ if close.is_empty() => false,
            [] => true,
            [b':', ..] => !open,
            _ => false,
        };
        open = !outside;
        if outside && end < raw.len() {
            start = end;
        }
        at = end;
    }
    raw.split_at_checked(start).unwrap_or((&[], raw))
}

/// The first line, and its end.
fn first_line(text: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr2(b'\n', b'\r', text).unwrap_or(text.len());
    let (line, behind) = text.split_at_checked(end).unwrap_or((text, &[]));
    let close = match behind {
        [b'\r', b'\n', ..] => 2,
        [] => 0,
        _ => 1,
    };
    (line, behind.get(..close).unwrap_or_default())
}

/// The event of `raw` with `data` for its own: the first `data` line has it, the others go, all other lines stay. Without data there is
/// no event, only what its other lines say.
pub(super) fn rewrite(raw: &[u8], data: Option<&str>, out: &mut Vec<u8>) {
    let mut rest = raw;
    if let Some(behind) = rest.strip_prefix(BOM) {
        out.extend_from_slice(BOM);
        rest = behind;
    }
    let mut written = data.is_none();
    while !rest.is_empty() {
        let (line, close) = first_line(rest);
        if !matches!(line.strip_prefix(b"data"), Some([] | [b':', ..])) {
            out.extend_from_slice(line);
            out.extend_from_slice(close);
        } else if !written {
            written = true;
            for (index, line) in data.unwrap_or_default().split('\n').enumerate() {
                if index > 0 {
                    out.extend_from_slice(if close.is_empty() { b"\n" } else { close });
                }
                out.extend_from_slice(b"data: ");
                out.extend_from_slice(line.as_bytes());
            }
            out.extend_from_slice(close);
        }
        rest = rest.get(line.len() + close.len()..).unwrap_or_default();
    }
}

/// An event of our own.
pub(super) fn event(event_type: &str, data: &str, out: &mut Vec<u8>) {
    if event_type != "message" {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(event_type.as_bytes());
        out.push(b'\n');
    }
    for line in data.split('\n') {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(line.as_bytes());
        out.push(b'\n');
    }
    out.push(b'\n');
}

/// The last event that had a piece of a text: the rest of the text is handed on in one like it, if no event of its own comes.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) key: Key,
    pub(super) event_type: String,
    pub(super) data: String,
    /// Where the text stands in the data; `None` if it is all of it.
    pub(super) target: Option<Span>,
}

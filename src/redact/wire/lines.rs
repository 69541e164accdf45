//! An event's bytes with other data.

use super::channels::Key;

const BOM: &[u8] = b"\xEF\xBB\xBF";

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
        let end = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let (line, behind) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        let close = match behind {
            [b'\r', b'\n', ..] => 2,
            [] => 0,
            _ => 1,
        };
        let (close, behind) = behind.split_at_checked(close).unwrap_or((behind, &[]));
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
        rest = behind;
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

/// The event in which the rest of a text is handed on, if no event of its own comes: made of the last one that had a piece of it.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) key: Key,
    pub(super) event_type: String,
    /// What stands before the text, and behind it; `None` if the text is all of the data.
    pub(super) around: Option<(String, String)>,
}

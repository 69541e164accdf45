//! The inside of JSON strings, read more leniently than serde_json does: a surrogate without its other half is no error.
//!
//! Some servers cut their text by UTF-16 unit, so that the two `\u` escapes of one emoji arrive in two events. The first half is
//! kept with its channel (`half`) and joined with the second; a half that stays alone becomes U+FFFD.

/// What the inside of a JSON string looks like at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// No escape: the text is what stands there.
    Plain,
    /// Escapes, at least one.
    Escaped,
    /// A raw quote or control character and no escape: this is no string body.
    Invalid,
}

/// One pass without branches, which the compiler turns into SIMD where the target has it.
#[inline]
pub(crate) fn form(body: &[u8]) -> Form {
    let (mut escaped, mut odd) = (false, false);
    for &byte in body {
        escaped |= byte == b'\\';
        odd |= (byte < 0x20) | (byte == b'"');
    }
    match (escaped, odd) {
        (true, _) => Form::Escaped,
        (false, true) => Form::Invalid,
        (false, false) => Form::Plain,
    }
}

/// The text of a string body: borrowed where nothing is escaped, else written into `scratch`. `half` is the high surrogate left over
/// from the piece before (0 for none) and is updated. `None`, and `half` untouched, for what is no JSON string body.
#[inline]
pub(crate) fn decode<'s>(body: &'s str, form: Form, half: &mut u16, scratch: &'s mut String) -> Option<&'s str> {
    match form {
        Form::Plain if *half == 0 || body.is_empty() => Some(body),
        Form::Invalid => None,
        Form::Plain | Form::Escaped => {
            let mut left = *half;
            scratch.clear();
            unescape(body, &mut left, scratch)?;
            *half = left;
            Some(scratch)
        }
    }
}

fn unescape(body: &str, half: &mut u16, out: &mut String) -> Option<()> {
    let mut rest = body;
    loop {
        let run = rest.bytes().position(|byte| byte == b'\\' || byte == b'"' || byte < 0x20).unwrap_or(rest.len());
        let (plain, tail) = rest.split_at_checked(run)?;
        if !plain.is_empty() {
            settle(half, out);
            out.push_str(plain);
        }
        rest = match tail.as_bytes() {
            [] => return Some(()),
            [b'\\', b'u', a, b, c, d, ..] => {
                push_unit(hex4([*a, *b, *c, *d])?, half, out);
                tail.get(6..)?
            }
            [b'\\', letter, ..] => {
                settle(half, out);
                out.push(match letter {
                    b'n' => '\n',
                    b't' => '\t',
                    b'r' => '\r',
                    b'b' => '\u{8}',
                    b'f' => '\u{c}',
                    b'"' | b'\\' | b'/' => char::from(*letter),
                    _ => return None,
                });
                tail.get(2..)?
            }
            _ => return None,
        };
    }
}

/// The other half did not come.
pub(crate) fn settle(half: &mut u16, out: &mut String) {
    if *half != 0 {
        *half = 0;
        out.push(char::REPLACEMENT_CHARACTER);
    }
}

fn push_unit(unit: u16, half: &mut u16, out: &mut String) {
    match unit {
        0xD800..=0xDBFF => {
            settle(half, out);
            *half = unit;
        }
        0xDC00..=0xDFFF => {
            let pair = char::decode_utf16([*half, unit]).next();
            *half = 0;
            // Without a high half before it (0), the pair decodes to NUL and then an error: not a pair.
            match pair {
                Some(Ok(joined)) if joined > '\u{FFFF}' => out.push(joined),
                _ => out.push(char::REPLACEMENT_CHARACTER),
            }
        }
        _ => {
            settle(half, out);
            out.push(char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
    }
}

fn hex4(digits: [u8; 4]) -> Option<u16> {
    let mut unit = 0u16;
    for digit in digits {
        unit = (unit << 4) | char::from(digit).to_digit(16)? as u16;
    }
    Some(unit)
}

/// The body between the quotes of a raw JSON value; `None` if the value is not a string.
pub(crate) fn body(raw: &str) -> Option<&str> {
    raw.strip_prefix('"')?.strip_suffix('"')
}

/// A whole JSON string, unescaped; `None` if the value is not a string.
pub(crate) fn read(raw: &str) -> Option<String> {
    unescaped(body(raw)?)
}

/// The text of a string's body.
pub(crate) fn unescaped(body: &str) -> Option<String> {
    let (mut half, mut text) = (0, String::with_capacity(body.len()));
    unescape(body, &mut half, &mut text)?;
    settle(&mut half, &mut text);
    Some(text)
}

/// As [`unescaped`], but a surrogate without its other half is an error.
pub(super) fn unescaped_strictly(body: &str) -> Option<String> {
    if is_paired(body) { unescaped(body) } else { None }
}

fn is_paired(body: &str) -> bool {
    let mut rest = body.as_bytes();
    while let Some(escape) = memchr::memchr(b'\\', rest).and_then(|at| rest.get(at..)) {
        rest = match escape {
            [_, b'u', a, b, c, d, tail @ ..] => match (hex4([*a, *b, *c, *d]), tail) {
                (Some(0xD800..=0xDBFF), [b'\\', b'u', a, b, c, d, tail @ ..])
                    if matches!(hex4([*a, *b, *c, *d]), Some(0xDC00..=0xDFFF)) =>
                {
                    tail
                }
                (Some(0xD800..=0xDFFF), _) => return false,
                _ => tail,
            },
            [_, _, tail @ ..] => tail,
            _ => break,
        };
    }
    true
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read_as_serde_json_reads_them() {
        for raw in [r#""a\n\t\r\b\f\"\\\/z""#, r#""\u4f60\u597d""#, r#""\ud83d\ude00 ok""#, r#""""#, r#""\u0000""#] {
            assert_eq!(read(raw).unwrap(), serde_json::from_str::<String>(raw).unwrap(), "{raw}");
        }
    }

    #[test]
    fn a_lone_half_becomes_the_replacement_character() {
        assert_eq!(read(r#""\ud83d""#).unwrap(), "\u{FFFD}");
        assert_eq!(read(r#""\ude00x""#).unwrap(), "\u{FFFD}x");
        assert_eq!(read(r#""\ud83d\ud83d\ude00""#).unwrap(), "\u{FFFD}\u{1F600}");
        assert_eq!(read(r#""\ud83d\n""#).unwrap(), "\u{FFFD}\n");
    }

    #[test]
    fn a_strict_reader_refuses_what_serde_json_refuses() {
        for body in [
            r"\ud83d\ude00",
            r"\ud83d",
            r"\ude00",
            r"\ud83d\ud83d\ude00",
            r"\\ud83d",
            r"\ufffd \u0041",
            r"\ud83dx\ude00",
        ] {
            let expected = serde_json::from_str::<String>(&format!("\"{body}\"")).ok();
            assert_eq!(unescaped_strictly(body), expected, "{body}");
        }
    }

    #[test]
    fn halves_of_two_pieces_join_and_an_empty_piece_between_does_not_part_them() {
        let (mut half, mut scratch) = (0, String::new());
        assert_eq!(decode(r"a\ud83d", Form::Escaped, &mut half, &mut scratch), Some("a"));
        assert_eq!(decode("", Form::Plain, &mut half, &mut scratch), Some(""));
        assert_eq!(decode(r"\ude00b", Form::Escaped, &mut half, &mut scratch), Some("\u{1F600}b"));
        assert_eq!(half, 0);
    }

    #[test]
    fn what_is_no_string_body_is_refused_without_a_trace() {
        for body in [r"\", r"\x", r"\u12", r"\u12g4", "\\n\"", "\\n\u{1}"] {
            let (mut half, mut scratch) = (0xD83D, String::new());
            assert_eq!(decode(body, form(body.as_bytes()), &mut half, &mut scratch), None, "{body}");
            assert_eq!(half, 0xD83D);
        }
        assert_eq!(form(b"a\"b"), Form::Invalid);
        assert_eq!(form(b"a\x01"), Form::Invalid);
    }
}

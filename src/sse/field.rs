//! What one line of an event stream means.

/// A line, without its end, as the standard's "process the field" sees it.
pub(super) enum Field<'a> {
    /// The empty line, which dispatches.
    Blank,
    /// A line that starts with a colon; what follows the colon.
    Comment(&'a [u8]),
    Data(&'a [u8]),
    Event(&'a [u8]),
    /// A value without NUL: with one, the standard ignores the field.
    Id(&'a [u8]),
    /// A value of ASCII digits only: with anything else, the standard ignores the field.
    Retry(u64),
    Ignored,
}

impl<'a> Field<'a> {
    /// Looks at the first six bytes only, except for `id` and `retry`, whose values have rules. Works on bytes: names,
    /// the colon, the space, NUL and digits are ASCII, so decoding the line first would not change the outcome.
    pub(super) fn parse(line: &'a [u8]) -> Field<'a> {
        match line {
            [] => Field::Blank,
            [b'd', b'a', b't', b'a', rest @ ..] => value(rest).map_or(Field::Ignored, Field::Data),
            [b':', text @ ..] => Field::Comment(text),
            [b'e', b'v', b'e', b'n', b't', rest @ ..] => value(rest).map_or(Field::Ignored, Field::Event),
            [b'i', b'd', rest @ ..] => match value(rest) {
                Some(id) if memchr::memchr(0, id).is_none() => Field::Id(id),
                _ => Field::Ignored,
            },
            [b'r', b'e', b't', b'r', b'y', rest @ ..] => {
                value(rest).and_then(millis).map_or(Field::Ignored, Field::Retry)
            }
            _ => Field::Ignored,
        }
    }
}

/// What follows the name: nothing, or a colon and the value, less one leading space (not a tab). `None` if the name goes on.
fn value(rest: &[u8]) -> Option<&[u8]> {
    match rest {
        [b':', b' ', value @ ..] | [b':', value @ ..] => Some(value),
        [] => Some(rest),
        _ => None,
    }
}

fn millis(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0, |sum: u64, digit| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0'))))
}

//! Values of headers with parameters: `form-data; name="file"; filename="a.jsonl"`.

/// A value before its parameters, and those, with their names in small letters.
pub(super) struct Value<'a> {
    pub(super) value: &'a str,
    parameters: Vec<(String, String)>,
}

/// More than any real header has.
const PARAMETERS: usize = 16;

impl<'a> Value<'a> {
    /// Reads a value. `None` for what is malformed or has a parameter twice: readers disagree on which of them counts.
    pub(super) fn read(text: &'a str) -> Option<Value<'a>> {
        let end = memchr::memchr(b';', text.as_bytes()).unwrap_or(text.len());
        let (value, mut rest) = text.split_at_checked(end)?;
        let mut parameters: Vec<(String, String)> = Vec::new();
        while let Some(after) = rest.strip_prefix(';') {
            let after = after.trim_start_matches([' ', '\t']);
            if after.is_empty() {
                // A semicolon at the end, as some clients leave it.
                rest = after;
                break;
            }
            let equals = memchr::memchr(b'=', after.as_bytes())?;
            let (name, after) = (after.get(..equals)?, after.get(equals + 1..)?);
            if !is_token(name) || parameters.len() == PARAMETERS {
                return None;
            }
            let (value, after) = if after.starts_with('"') { quoted(after)? } else { bare(after)? };
            let name = name.to_ascii_lowercase();
            if parameters.iter().any(|(other, _)| *other == name) {
                return None;
            }
            parameters.push((name, value));
            rest = after.trim_start_matches([' ', '\t']);
        }
        rest.is_empty().then_some(())?;
        Some(Value { value: value.trim_matches([' ', '\t']), parameters })
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// A quoted string and what follows it. A backslash is an escape before a quote and before another only: clients do not agree on
/// more, and names of Windows paths are full of them.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => match chars.next_if(|(_, next)| matches!(next, '"' | '\\')) {
                Some((_, escaped)) => value.push(escaped),
                None => value.push(c),
            },
            _ => value.push(c),
        }
    }
    None
}

/// A value without quotes, up to a semicolon: what a token may have, and the `/ : = ? @ ( )` that clients leave bare. No comma and no
/// space, so that two headers joined into one are no value.
fn bare(text: &str) -> Option<(String, &str)> {
    let end = memchr::memchr(b';', text.as_bytes()).unwrap_or(text.len());
    let (value, rest) = text.split_at_checked(end)?;
    let value = value.trim_end_matches([' ', '\t']);
    let fits = value.chars().all(|c| c > ' ' && !matches!(c, '"' | ',' | '\\' | '\u{7f}'));
    (fits && !value.is_empty()).then(|| (value.to_owned(), rest))
}

/// Whether this is a token, as names of headers and parameters are.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// The text of an extended value, `UTF-8''na%C3%AFve`.
pub(super) fn extended(value: &str) -> Option<String> {
    let mut parts = value.splitn(3, '\'');
    let (charset, _, text) = (parts.next()?, parts.next()?, parts.next()?);
    if !charset.eq_ignore_ascii_case("utf-8") {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        rest = match rest {
            [] => return String::from_utf8(bytes).ok(),
            [b'%', high, low, after @ ..] => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                bytes.push((digit(high)? << 4 | digit(low)?) as u8);
                after
            }
            [b'%', ..] => return None,
            [byte, after @ ..] => {
                bytes.push(*byte);
                after
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(String, Vec<(String, String)>)> {
        Value::read(text).map(|value| (value.value.to_owned(), value.parameters))
    }

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn values_are_read_with_their_parameters() {
        for (text, value, parameters) in [
            ("form-data", "form-data", &[][..]),
            ("form-data; name=file", "form-data", &[("name", "file")][..]),
            (r#"form-data; NAME="a;b=\"c\\d\e""#, "form-data", &[("name", r#"a;b="c\d\e"#)]),
            (
                "multipart/form-data ; boundary=----=_Part/1:2 ;charset=utf-8;",
                "multipart/form-data",
                &[("boundary", "----=_Part/1:2"), ("charset", "utf-8")],
            ),
            (r#"x; a="" "#, "x", &[("a", "")]),
        ] {
            assert_eq!(read(text), Some((value.to_owned(), pairs(parameters))), "{text}");
        }
    }

    #[test]
    fn what_has_two_readings_is_refused() {
        for text in [
            "x; a=1; a=2",
            "x; a=1; A=2",
            "x; a=1, y; a=2",
            r#"x; a="1"2"#,
            r#"x; a="1"#,
            r#"x; a="1\"#,
            "x; a",
            "x; =1",
            "x; a b=1",
            "x; a=1 b=2",
            "x; a=",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn extended_values_are_decoded_as_utf_8_only() {
        assert_eq!(extended("UTF-8''na%C3%AFve%20a").as_deref(), Some("naïve a"));
        assert_eq!(extended("utf-8'de'a'b").as_deref(), Some("a'b"));
        for refused in ["iso-8859-1''%E4", "utf-8''%E4", "utf-8''%4", "utf-8''%zz", "utf-8'", "plain"] {
            assert_eq!(extended(refused), None, "{refused}");
        }
    }
}

//! The prompt of a completion request: a text, texts, or token ids.

use super::fault::{invalid, wrong_or_missing, wrong_type};
use super::span::{Kind, Member, Span, items};
use crate::error::Error;

const EXPECTED: &str = "a string, an array of strings, or token ids";

/// Checks `prompt`: a string, or a non-empty array of strings, of integers, or of arrays of integers.
pub(crate) fn check(text: &str, field: Option<Member>) -> Result<(), Error> {
    let found = field.map(|field| field.kind(text));
    match field {
        Some(field) if found == Some(Kind::Array) => array(text, field.value),
        Some(_) if found == Some(Kind::String) => Ok(()),
        _ => Err(wrong_or_missing("prompt", EXPECTED, found)),
    }
}

fn array(text: &str, span: Span) -> Result<(), Error> {
    let parts = items(text, span)?;
    let Some(first) = parts.first().map(|first| Kind::of(first.of(text))) else {
        return Err(invalid("prompt", "Must not be empty."));
    };
    for (index, part) in parts.iter().enumerate() {
        let path = || format!("prompt[{index}]");
        match (first, Kind::of(part.of(text))) {
            (Kind::String, Kind::String) => {}
            (Kind::Number, Kind::Number) => token(text, *part, &path)?,
            (Kind::Array, Kind::Array) => tokens(text, *part, &path)?,
            (Kind::String | Kind::Number | Kind::Array, kind) => {
                return Err(wrong_type(path(), &format!("{}, as the first item is", first.name()), kind));
            }
            (_, kind) => return Err(wrong_type(path(), "a string or token ids", kind)),
        }
    }
    Ok(())
}

fn tokens(text: &str, span: Span, path: &dyn Fn() -> String) -> Result<(), Error> {
    let ids = items(text, span)?;
    if ids.is_empty() {
        return Err(invalid(path(), "Must not be empty."));
    }
    for (index, id) in ids.into_iter().enumerate() {
        token(text, id, &|| format!("{}[{index}]", path()))?;
    }
    Ok(())
}

fn token(text: &str, span: Span, path: &dyn Fn() -> String) -> Result<(), Error> {
    let value = span.of(text);
    match Kind::of(value) {
        Kind::Number if value.parse::<u32>().is_ok() => Ok(()),
        Kind::Number => Err(invalid(path(), "Must be a token id: an integer from 0.")),
        kind => Err(wrong_type(path(), "a token id", kind)),
    }
}

//! The prompt of a completion request, the input of an embedding: a text, texts, or token ids.
//!
//! Token ids are as many as a context holds, so that only the body's size bounds them (see `check_json_but`); they are read where
//! they stand, without a list of them.

use super::fault::{invalid, wrong_or_missing, wrong_type};
use super::span::{Kind, Member, items, string};
use crate::error::Error;

const EXPECTED: &str = "a string, an array of strings, or token ids";

/// Checks the field called `name`: a string, or a non-empty array of strings, of integers, or of arrays of integers.
pub(crate) fn check(text: &str, name: &str, field: Option<Member>) -> Result<(), Error> {
    let found = field.map(|field| field.kind(text));
    match field {
        Some(field) if found == Some(Kind::Array) => array(text, name, field),
        Some(_) if found == Some(Kind::String) => Ok(()),
        _ => Err(wrong_or_missing(name, EXPECTED, found)),
    }
}

/// How many prompts there are: an array of token ids is one, an array of texts or of such arrays is as many as it has.
pub(crate) fn count(text: &str, field: Member) -> u32 {
    let value = field.value.of(text);
    match inside(value).filter(|_| value.starts_with('[')).map(Kind::of) {
        Some(Kind::String | Kind::Array) => items(text, field.value).map_or(1, |items| items.len() as u32),
        _ => 1,
    }
}

/// How many tokens a prompt has: ids are counted, texts are estimated.
pub(crate) fn tokens_of(text: &str, field: Member, estimate: fn(&str) -> usize) -> usize {
    let value = field.value.of(text);
    match Kind::of(value) {
        Kind::String => estimate(&string(value)),
        Kind::Array => match inside(value).map(Kind::of) {
            Some(Kind::String) => {
                let parts = items(text, field.value).unwrap_or_default();
                parts.into_iter().map(|part| estimate(&string(part.of(text)))).sum()
            }
            // Ids, or arrays of them: numbers hold no commas.
            Some(_) => memchr::memchr_iter(b',', value.as_bytes()).count() + 1,
            None => 0,
        },
        _ => 0,
    }
}

fn array(text: &str, name: &str, field: Member) -> Result<(), Error> {
    let value = field.value.of(text);
    let Some(first) = inside(value).map(Kind::of) else { return Err(invalid(name, "Must not be empty.")) };
    if first == Kind::Number {
        return tokens(value, name, "a number, as the first item is");
    }
    let parts = items(text, field.value)?;
    for (index, part) in parts.iter().enumerate() {
        let path = || format!("{name}[{index}]");
        let part = part.of(text);
        match (first, Kind::of(part)) {
            (Kind::String, Kind::String) => {}
            (Kind::Array, Kind::Array) => tokens(part, &path(), "a token id")?,
            (Kind::String | Kind::Array, kind) => {
                return Err(wrong_type(path(), &format!("{}, as the first item is", first.name()), kind));
            }
            (_, kind) => return Err(wrong_type(path(), "a string or token ids", kind)),
        }
    }
    Ok(())
}

/// What stands in an array that is not empty.
fn inside(array: &str) -> Option<&str> {
    let inside = array.strip_prefix('[')?.strip_suffix(']')?.trim();
    (!inside.is_empty()).then_some(inside)
}

/// Numbers hold no commas, so that up to the first item that is none, each comma is the array's.
fn tokens(array: &str, path: &str, expected: &str) -> Result<(), Error> {
    let Some(inside) = inside(array) else { return Err(invalid(path, "Must not be empty.")) };
    for (index, item) in inside.split(',').map(str::trim).enumerate() {
        let path = || format!("{path}[{index}]");
        match Kind::of(item) {
            Kind::Number if item.parse::<u32>().is_ok() => {}
            Kind::Number => return Err(invalid(path(), "Must be a token id: an integer from 0.")),
            kind => return Err(wrong_type(path(), expected, kind)),
        }
    }
    Ok(())
}

//! The wording of what is wrong with a request: what was expected, what type was found, never the value.

use super::span::Kind;
use crate::error::{Error, ErrorKind};
use std::borrow::Cow;

pub(crate) fn invalid(param: impl Into<String>, message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidRequest, message).with_param(param)
}

/// `Expected a number, found a string.`
pub(crate) fn wrong_type(param: impl Into<String>, expected: &str, found: Kind) -> Error {
    invalid(param, format!("Expected {expected}, found {}.", found.name()))
}

/// As [`wrong_type`], where a value is there; else `Required: a string.`
pub(crate) fn wrong_or_missing(param: impl Into<String>, expected: &str, found: Option<Kind>) -> Error {
    match found {
        Some(found) => wrong_type(param, expected, found),
        None => invalid(param, format!("Required: {expected}.")),
    }
}

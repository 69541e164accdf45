//! The wording of what is wrong with a request: what was expected, what type was found, never the value.

use super::span::Kind;
use crate::error::{Error, ErrorKind};
use std::borrow::Cow;

pub(crate) fn invalid(param: impl AsRef<str>, message: impl Into<Cow<'static, str>>) -> Error {
    invalid_at(param.as_ref(), message.into())
}

#[cold]
#[inline(never)]
fn invalid_at(param: &str, message: Cow<'static, str>) -> Error {
    Error::new(ErrorKind::InvalidRequest, message).with_param(param)
}

/// `Expected a number, found a string.`
pub(crate) fn wrong_type(param: impl AsRef<str>, expected: &str, found: Kind) -> Error {
    wrong_or_missing(param, expected, Some(found))
}

/// As [`wrong_type`], where a value is there; else `Required: a string.`
pub(crate) fn wrong_or_missing(param: impl AsRef<str>, expected: &str, found: Option<Kind>) -> Error {
    wrong_or_missing_at(param.as_ref(), expected, found)
}

#[cold]
#[inline(never)]
fn wrong_or_missing_at(param: &str, expected: &str, found: Option<Kind>) -> Error {
    let message = match found {
        Some(found) => ["Expected ", expected, ", found ", found.name(), "."].concat(),
        None => ["Required: ", expected, "."].concat(),
    };
    invalid_at(param, message.into())
}

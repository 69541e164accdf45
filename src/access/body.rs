//! The small bodies of the endpoints for credentials: one object of JSON, or a form as OAuth's clients send it (RFC 6749, appendix B).

use crate::error::{Error, ErrorKind};
use crate::json::cursor::{Cursor, Read, parse};
use crate::json::{check_json, string};
use crate::limits::Limits;
use std::borrow::Cow;

/// The largest body of these endpoints, in bytes: twice the longest token.
pub const BODY: usize = 8192;

/// The text of one field of a body; `None` if it has none of this name.
///
/// Errors: `unsupported_media_type`; `invalid_request` for what is no such body, a field that is twice in it, or no text.
pub fn field(content_type: Option<&str>, body: &[u8], name: &'static str) -> Result<Option<String>, Error> {
    let media = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if media.eq_ignore_ascii_case("application/json") {
        return of_json(body, name);
    }
    if media.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return of_form(body, name);
    }
    let message = "The body has to be application/json or application/x-www-form-urlencoded.";
    Err(Error::new(ErrorKind::UnsupportedMediaType, message).with_param("content-type"))
}

/// As [`field`], for a field that must be there.
pub fn required(content_type: Option<&str>, body: &[u8], name: &'static str) -> Result<String, Error> {
    let text = field(content_type, body, name)?.filter(|text| !text.is_empty());
    text.ok_or_else(|| fault(name, "This field is required."))
}

fn fault(name: &str, message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidRequest, message).with_param(name)
}

fn of_json(body: &[u8], name: &'static str) -> Result<Option<String>, Error> {
    let limits = Limits { request_body: BODY, json_depth: 4, json_keys: 64, json_items: 64, ..Limits::default() };
    let text = check_json(body, &limits)?;
    let members: Members<'_> =
        parse(text).ok_or_else(|| Error::new(ErrorKind::InvalidRequest, "The body is not a JSON object."))?;
    match members.0.into_iter().find(|(key, _)| key == name) {
        Some((_, value)) => string::read(value).map(Some).ok_or_else(|| fault(name, "Expected a text.")),
        None => Ok(None),
    }
}

/// The members of an object, in their order.
struct Members<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'a> Read<'a> for Members<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        let mut members = Vec::new();
        cursor.object(&mut |cursor, name| {
            members.push((name, <&str as Read<'_>>::read(cursor)?));
            Some(())
        })?;
        Some(Members(members))
    }
}

fn of_form(body: &[u8], name: &'static str) -> Result<Option<String>, Error> {
    if body.len() > BODY {
        return Err(Error::new(ErrorKind::PayloadTooLarge, "The body is larger than the limit of 8192 bytes."));
    }
    let mut found = None;
    for pair in body.split(|byte| *byte == b'&') {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let (key, value) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
        if decoded(key).as_deref() != Some(name) {
            continue;
        }
        let value = decoded(value).ok_or_else(|| fault(name, "This is no text in the encoding of forms."))?;
        if found.replace(value).is_some() {
            return Err(fault(name, "This field is there twice."));
        }
    }
    Ok(found)
}

/// `+` and percent escapes resolved; `None` for a broken escape, or what is not UTF-8, or holds a NUL.
fn decoded(text: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(*rest.next()?).to_digit(16);
                (digit()? << 4 | digit()?) as u8
            }
            byte => *byte,
        });
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

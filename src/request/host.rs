//! Fields by which a request could choose the upstream's address or credential: refused.
//!
//! Other gateways forward them to client libraries that obey, and send the operator's key wherever the caller says. Names
//! are compared without case, `_` and `-`, at the top level and at any depth of the fields that hold options; the fields
//! of [`CONTENT`] hold text and schemas of the caller's own, in which any name may occur.

use super::fault::invalid;
use super::span::{Kind, Member};
use crate::error::Error;
use crate::json::{self, What, shown_key};
use crate::limits::Limits;

const REFUSED: &[&str] =
    &["apibase", "baseurl", "endpoint", "customhost", "proxy", "extraheaders", "extrabody", "apikey"];

const CONTENT: &[&str] = &[
    "messages",
    "prompt",
    "input",
    "instructions",
    "query",
    "system",
    "text",
    "suffix",
    "stop",
    "documents",
    "prediction",
    "logit_bias",
    "tools",
    "tool_choice",
    "functions",
    "function_call",
    "response_format",
    "guided_json",
    "structured_outputs",
    "json_schema",
    "format",
];

fn refused(name: &str) -> bool {
    let folded = || name.bytes().filter(|byte| !matches!(byte, b'_' | b'-')).map(|byte| byte.to_ascii_lowercase());
    let first = folded().next();
    REFUSED.iter().any(|refused| refused.bytes().next() == first && refused.bytes().eq(folded()))
}

/// Checks one top-level field.
pub(crate) fn check(text: &str, name: &str, member: Member, limits: &Limits) -> Result<(), Error> {
    if refused(name) {
        return Err(error(shown_key(name).to_owned()));
    }
    if !matches!(member.kind(text), Kind::Object | Kind::Array) || CONTENT.contains(&name) {
        return Ok(());
    }
    match json::walk(member.value.of(text), limits, refused) {
        Err(fault) if matches!(fault.what, What::Refused) => {
            let separator = if fault.path.starts_with('[') { "" } else { "." };
            Err(error(format!("{}{separator}{}", shown_key(name), fault.path)))
        }
        _ => Ok(()),
    }
}

fn error(param: String) -> Error {
    invalid(param, "A request may not choose the upstream's address, headers or key.")
}

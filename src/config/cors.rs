//! Which web pages may call the gate: its own, and those whose origins are listed, letter for letter.

use super::read::Node;
use crate::error::Error;

/// What to do with a request's `Origin`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OriginVerdict {
    /// No page sent it, or the gate's own: no CORS headers are needed.
    Own,
    /// A listed origin: the answer names it.
    Listed,
    /// Any other: refused.
    Foreign,
}

/// Judges an `Origin` header. `own` is the origin that the request itself was sent to.
pub(super) fn judge(origins: &[String], origin: Option<&str>, own: &str) -> OriginVerdict {
    match origin {
        None => OriginVerdict::Own,
        Some(origin) if origins.iter().any(|listed| listed == origin) => OriginVerdict::Listed,
        Some(origin) if origin == own => OriginVerdict::Own,
        Some(_) => OriginVerdict::Foreign,
    }
}

pub(super) fn read(node: Node<'_>) -> Result<Vec<String>, Error> {
    let origins = node.object(&["origins"])?.optional("origins", |node| {
        let mut seen: Vec<String> = Vec::new();
        node.items(64, |item| {
            let origin = origin(item)?;
            if seen.contains(&origin) {
                return Err(item.expected("an origin that is not yet in the list"));
            }
            seen.push(origin.clone());
            Ok(origin)
        })
    })?;
    Ok(origins.unwrap_or_default())
}

/// As browsers send it: scheme, host in lower case, port if it is not the scheme's own, nothing behind it.
fn origin(node: Node<'_>) -> Result<String, Error> {
    let what = "an exact origin as browsers send it, like https://app.example.com (no path, no *, not null)";
    let text = node.string(what)?;
    let plain = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b':' | b'[' | b']' | b'_')
    };
    let authority = text.split_once("://").and_then(|(scheme, authority)| {
        let is_scheme = scheme.starts_with(|first: char| first.is_ascii_lowercase())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.'));
        let own_port = match scheme {
            "https" => ":443",
            "http" => ":80",
            _ => "://",
        };
        (is_scheme && !authority.ends_with(own_port)).then_some(authority)
    });
    match authority {
        Some(authority) if !authority.is_empty() && text.len() <= 256 && authority.bytes().all(plain) => {
            Ok(text.to_owned())
        }
        _ => Err(node.expected(what)),
    }
}

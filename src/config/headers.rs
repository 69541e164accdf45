//! Extra headers of requests to an upstream: fixed by the operator, and none that the gate sets or that carries a key.

use super::read::{Node, fault, join};
use crate::error::Error;

const MOST: usize = 16;

/// Headers that are the gate's own, belong to the connection, or would hold a secret outside of a secret.
const REFUSED: [&str; 26] = [
    "accept",
    "accept-encoding",
    "api-key",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "idempotency-key",
    "keep-alive",
    "origin",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-api-key",
    "x-request-id",
];

pub(super) fn read(node: Node<'_>) -> Result<Vec<(String, String)>, Error> {
    let members = node.members()?;
    if members.len() > MOST {
        return Err(node.expected(&format!("at most {MOST} headers")));
    }
    let mut headers: Vec<(String, String)> = Vec::new();
    for (key, value) in members {
        let path = join(node.path(), key);
        let name = key.to_ascii_lowercase();
        let is_name = (1..=64).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !is_name {
            return Err(fault(path, "Expected a header name of letters, digits, - and _."));
        }
        if REFUSED.contains(&name.as_str())
            || name.starts_with("cf-")
            || name.starts_with("x-forwarded-")
            || name.starts_with("proxy-")
        {
            return Err(fault(
                path,
                "This header cannot be configured: the gate sets it, or it holds a key (use \"secret\").",
            ));
        }
        if headers.iter().any(|(other, _)| *other == name) {
            return Err(fault(path, "The same header, in another case, is already there."));
        }
        let is_text = |text: &&str| {
            text.len() <= 1024 && text.trim() == *text && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        };
        let Some(text) = value.as_str().filter(is_text) else {
            return Err(fault(path, "Expected at most 1024 printable ASCII characters."));
        };
        headers.push((name, text.to_owned()));
    }
    Ok(headers)
}

//! What a caller sent to show who they are: one credential, in one of the places for it.

use crate::error::{Error, ErrorKind};

/// The places of a request where a credential may stand, as they were sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sent<'a> {
    /// `Authorization`
    pub authorization: Option<&'a str>,
    /// `x-api-key`, as Anthropic's SDKs have it.
    pub x_api_key: Option<&'a str>,
    /// `api-key`, as Azure's have it.
    pub api_key: Option<&'a str>,
    /// `Cookie`, where a session counts: under `/admin/`, from the gate's own pages.
    pub cookie: Option<&'a str>,
    /// `Sec-WebSocket-Protocol`, where a ticket counts: at the WebSocket.
    pub protocols: Option<&'a str>,
    /// Whether it came over https.
    pub is_secure: bool,
}

/// The credential, by its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presented<'a> {
    /// None, or a placeholder.
    Nothing,
    /// A key.
    Key(&'a str),
    /// A JSON Web Token.
    Token(&'a str),
    /// The session of the admin page.
    Session(&'a str),
    /// A ticket for one WebSocket.
    Ticket(&'a str),
}

/// The longest credential, in bytes.
const LONGEST: usize = 4096;

/// The cookie of the admin page's session, by whether it came over https. There browsers let nobody but this host set one of that prefix;
/// of the plain name, a neighbour under the same domain could plant one. Over http they take the plain one only.
pub fn cookie_name(is_secure: bool) -> &'static str {
    if is_secure { "__Host-sluicegate" } else { "sluicegate" }
}

/// What comes before a ticket among a WebSocket's subprotocols.
pub const TICKET: &str = "sluicegate.ticket.";

impl<'a> Sent<'a> {
    /// The one credential that was sent. `placeholders` are words that stand for none.
    ///
    /// Errors: `invalid_request` if there are several that differ; `unauthorized` for one that is malformed.
    pub fn presented(&self, placeholders: &[String]) -> Result<Presented<'a>, Error> {
        let bearer = self.authorization.map(bearer).transpose()?;
        let mut found = None;
        for key in [bearer, self.x_api_key, self.api_key].into_iter().flatten() {
            if placeholders.iter().any(|word| word == key) {
                continue;
            }
            if !is_token(key) {
                return Err(super::refused());
            }
            match found {
                None => found = Some(key),
                Some(first) if first == key => {}
                Some(_) => return Err(several()),
            }
        }
        let ticket = self.protocols.and_then(ticket);
        let session = self.cookie.and_then(|cookie| session(cookie, cookie_name(self.is_secure)));
        Ok(match (found, ticket, session) {
            (None, None, None) => Presented::Nothing,
            // The session is the browser's doing; who sends a key as well means the key.
            (Some(key), None, _) if is_jwt(key) => Presented::Token(key),
            (Some(key), None, _) => Presented::Key(key),
            (None, Some(ticket), _) => Presented::Ticket(ticket),
            (None, None, Some(session)) => Presented::Session(session),
            (Some(_), Some(_), _) => return Err(several()),
        })
    }
}

fn several() -> Error {
    let message = "Send one credential: as `Authorization: Bearer …`, or as `x-api-key`, and no other beside it.";
    Error::new(ErrorKind::InvalidRequest, message).with_param("authorization")
}

/// The one token of a bearer credential.
fn bearer(value: &str) -> Result<&str, Error> {
    let token = value.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    token.map(|(_, token)| token.trim_matches(' ')).ok_or_else(super::refused)
}

/// Visible ASCII without what separates list items: two headers of one name come joined by a comma.
fn is_token(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len())
        && text.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=' | b':')
        })
}

fn is_jwt(token: &str) -> bool {
    token.bytes().filter(|byte| *byte == b'.').count() == 2 && token.starts_with("ey")
}

fn ticket(protocols: &str) -> Option<&str> {
    protocols.split(',').find_map(|protocol| protocol.trim().strip_prefix(TICKET)).filter(|ticket| is_token(ticket))
}

fn session<'a>(cookie: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = cookie.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value).filter(|value| is_token(value))
}

//! What happens with the credential that a caller sends.
//!
//! A key that is sent was meant for someone: either it is used, or the caller learns that it is not. So nothing is dropped in
//! silence: `refuse` answers 401, `ignore` says so in a response header, `pass_through` hands it on.

use super::read::Node;
use crate::error::{Error, ErrorKind};

/// What the gate does with a caller's own `Authorization`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// Answers 401, unless it is a placeholder.
    Refuse,
    /// Drops it, and says so in a response header.
    Ignore,
    /// Hands it on to the upstream; a call without one is answered with 401.
    PassThrough,
}

/// Who may call, and with what.
#[derive(Clone, Debug)]
pub struct Callers {
    pub(super) credentials: Credentials,
    pub(super) placeholders: Vec<String>,
}

/// What a caller's credential comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential<'a> {
    /// There is none, or a placeholder.
    None,
    /// It is dropped, and the answer says so.
    Ignored,
    /// The upstream gets this token.
    Passed(&'a str),
}

/// SDKs insist on some key; these words stand for none: what the documentation of SDKs and of local servers tells people to put where a key must be.
const PLACEHOLDERS: [&str; 8] =
    ["sluicegate", "none", "unused", "EMPTY", "sk-no-key-required", "ollama", "lm-studio", "not-needed"];

impl Default for Callers {
    fn default() -> Self {
        Callers { credentials: Credentials::Refuse, placeholders: PLACEHOLDERS.map(str::to_owned).to_vec() }
    }
}

impl Callers {
    /// The policy.
    pub fn credentials(&self) -> Credentials {
        self.credentials
    }

    /// The words that stand for no key.
    pub fn placeholders(&self) -> &[String] {
        &self.placeholders
    }

    /// Judges what a caller sent: the value of `Authorization`, and whether there is a credential in some other place
    /// (`x-api-key`, `api-key`).
    pub fn judge<'a>(&self, authorization: Option<&'a str>, elsewhere: bool) -> Result<Credential<'a>, Error> {
        if elsewhere && self.credentials != Credentials::Ignore {
            let message = "Send a credential as `Authorization: Bearer …`, and in no other header.";
            return Err(Error::new(ErrorKind::Unauthorized, message));
        }
        let Some(authorization) = authorization else {
            return match self.credentials {
                Credentials::PassThrough => Err(Error::new(
                    ErrorKind::Unauthorized,
                    "This gate hands the caller's own key on, and there is none.",
                )),
                _ if elsewhere => Ok(Credential::Ignored),
                _ => Ok(Credential::None),
            };
        };
        let token = bearer(authorization);
        match self.credentials {
            Credentials::PassThrough => token.map(Credential::Passed).ok_or_else(|| {
                Error::new(ErrorKind::Unauthorized, "The Authorization header is not one `Bearer` token.")
            }),
            _ if token.is_some_and(|token| self.placeholders.iter().any(|word| word == token)) => Ok(Credential::None),
            Credentials::Ignore => Ok(Credential::Ignored),
            Credentials::Refuse => Err(Error::new(
                ErrorKind::Unauthorized,
                "This gate uses its own key for the upstream and does not take yours. Leave Authorization out, or send the \
                 placeholder `Bearer sluicegate` where a client insists on a key.",
            )),
        }
    }
}

/// The one token of a bearer credential: no second one behind a comma, no white space, nothing but visible ASCII.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let is_token = (1..=8192).contains(&token.len())
        && token.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=' | b':')
        });
    (scheme.eq_ignore_ascii_case("bearer") && is_token).then_some(token)
}

const CREDENTIALS: &[(&str, Credentials)] =
    &[("refuse", Credentials::Refuse), ("ignore", Credentials::Ignore), ("pass_through", Credentials::PassThrough)];

pub(super) fn read(node: Node<'_>) -> Result<Callers, Error> {
    let fields = node.object(&["credentials", "placeholders"])?;
    let mut callers = Callers::default();
    if let Some(credentials) = fields.optional("credentials", |node| node.choice(CREDENTIALS))? {
        callers.credentials = credentials;
    }
    let placeholders = fields.optional("placeholders", |node| {
        node.items(16, |item| {
            let what = "a word of at most 32 letters, digits, - and _ that stands for no key";
            let word = item.string(what)?;
            let is_word = (1..=32).contains(&word.len())
                && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
            if is_word { Ok(word.to_owned()) } else { Err(item.expected(what)) }
        })
    })?;
    if let Some(placeholders) = placeholders {
        callers.placeholders = placeholders;
    }
    Ok(callers)
}

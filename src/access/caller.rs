//! Who sent a request, and whether they may do what it asks for.

use super::record::KeyRecord;
use super::role::{Operation, Role};
use super::token::LEEWAY_S;
use crate::error::{Error, ErrorKind};
use core::net::IpAddr;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How a caller showed whose they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Via {
    /// By the key itself.
    Key,
    /// By a token that the gate or the key's owner made.
    Token(Token),
    /// By having signed in to the admin page.
    Session(Token),
    /// By a ticket for one WebSocket.
    Ticket(Token),
    /// Not at all.
    Nothing,
    /// By something that is none of this gate's, which the configuration has ignored.
    Ignored,
}

/// What counts of a token when its signature has been checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its id; empty for an assertion that has none.
    pub jti: String,
    /// When it was made, in unix seconds.
    pub issued_at: u64,
    /// When it ends, in unix seconds.
    pub expires_at: u64,
}

/// Who sent a request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Their key, or what stands for one.
    pub key: Arc<KeyRecord>,
    /// How they showed it.
    pub via: Via,
    /// Where they are, as far as the platform says so.
    pub address: Option<IpAddr>,
}

/// The one answer to every credential that does not count: whether it is malformed, unknown, wrong, expired, disabled or revoked is
/// nobody's business.
pub fn refused() -> Error {
    Error::new(
        ErrorKind::Unauthorized,
        "The credential is not valid here: it is malformed, unknown, expired, or was withdrawn.",
    )
}

/// The answer to a request without any credential where one must be.
pub fn nothing() -> Error {
    let message = "The request has no key: send `Authorization: Bearer …` or `x-api-key`.";
    Error::new(ErrorKind::Unauthorized, message)
}

/// A caller as told from one part of the gate to another: no credential, and no authority, which is the key's.
#[derive(Serialize, Deserialize)]
pub(super) struct Told {
    pub(super) key: String,
    pub(super) via: Via,
}

impl Caller {
    /// Who the caller is, for another part of the gate that goes on for them, and asks anew what their key is good for.
    pub fn to_json(&self) -> String {
        let told = Told { key: self.key.id.clone(), via: self.via.clone() };
        serde_json::to_string(&told).unwrap_or_default()
    }

    /// Whose limits count: those of the key, and without one those of the address.
    pub fn bucket(&self) -> Option<String> {
        let is_nobody = self.key.settings.role == Role::Anonymous;
        is_nobody.then(|| self.address.map_or_else(|| "unknown".to_owned(), super::bucket))
    }

    /// Whether the key, and the token if there is one, still count.
    ///
    /// Errors: [`refused`].
    pub fn check(&self, now_s: u64) -> Result<(), Error> {
        let key = &self.key;
        let has_come = |end: Option<u64>| end.is_some_and(|end| end <= now_s);
        let is_over = key.disabled || has_come(key.settings.expires_at) || has_come(key.lapses_at);
        let is_withdrawn = match &self.via {
            // A ticket opens one socket at once; what it opened goes on for as long as the key counts.
            Via::Ticket(token) => token.issued_at < key.tokens_from || key.revoked.contains(&token.jti),
            Via::Token(token) | Via::Session(token) => {
                let is_late = token.expires_at.saturating_add(LEEWAY_S) < now_s;
                is_late || token.issued_at < key.tokens_from || key.revoked.contains(&token.jti)
            }
            Via::Key | Via::Nothing | Via::Ignored => false,
        };
        if is_over || is_withdrawn { Err(refused()) } else { Ok(()) }
    }

    /// Whether the caller may do this, now, from where they are.
    ///
    /// Errors: [`refused`], or `forbidden` if the key counts and does not go so far.
    pub fn authorise(&self, operation: Operation, now_s: u64) -> Result<(), Error> {
        self.check(now_s)?;
        let settings = &self.key.settings;
        let lacks = |allowed: &Vec<Operation>| operation.is_inference() && !allowed.contains(&operation);
        let is_elsewhere = settings.endpoints.as_ref().is_some_and(lacks);
        if settings.role == Role::Anonymous && (is_elsewhere || !settings.role.may(operation)) {
            // Who sends nothing is asked for a key, not told that one does not go so far.
            return Err(match self.via {
                Via::Ignored => refused(),
                _ => Error::new(ErrorKind::Unauthorized, "This takes a key, and the request has none."),
            });
        }
        if !settings.role.may(operation) {
            let message = match settings.role {
                Role::Developer => "A developer's key does not go so far.",
                Role::Auditor => "An auditor's key does not go so far.",
                Role::Administrator | Role::Anonymous => "This key does not go so far.",
            };
            return Err(Error::new(ErrorKind::Forbidden, message).with_param(operation.as_str()));
        }
        if is_elsewhere {
            let message = "This key is limited to other endpoints.";
            return Err(Error::new(ErrorKind::Forbidden, message).with_param(operation.as_str()));
        }
        if let Some(networks) = &settings.ips
            && !self.address.is_some_and(|address| networks.iter().any(|network| network.contains(address)))
        {
            let message = "This key does not count at the address that the request came from.";
            return Err(Error::new(ErrorKind::Forbidden, message).with_param("ips"));
        }
        Ok(())
    }

    /// Whether the caller may ask this model.
    ///
    /// Errors: `forbidden`.
    pub fn check_model(&self, model: &str) -> Result<(), Error> {
        if self.key.settings.allows_model(model) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Forbidden, "This key is limited to other models.").with_param("model"))
    }
}

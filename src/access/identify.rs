//! From what a caller sent to whose it is.

use super::caller::{Caller, Token, Told, Via, nothing, refused};
use super::credential::Presented;
use super::key;
use super::record::{KeyRecord, Settings};
use super::role::Role;
use super::secret::Key;
use super::token::{self, Assertion, Authority, Kind, Named, Profile, Verified};
use crate::config::Access;
use crate::error::Error;
use core::net::IpAddr;
use std::sync::Arc;

/// A question to the store of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// The key of this SHA-256 digest, in hex.
    Digest(String),
    /// The key of this public id.
    Id(String),
    /// The tokens that were withdrawn of a key of the configuration, by its id: a record that says nothing else.
    Withdrawn(String),
}

/// What is known of an answer of the store.
#[derive(Clone, Debug)]
pub enum Known {
    /// There is such a key.
    Yes(Arc<KeyRecord>),
    /// There is none.
    No,
    /// It has to be asked.
    Ask,
}

/// Whose a credential is.
#[derive(Clone, Debug)]
pub enum Identified {
    /// This caller's, who may still not be allowed what they want: [`Caller::authorise`].
    Caller(Caller),
    /// That of whoever the store says, if it knows anybody.
    Ask(Query),
}

/// What the secrets that the configuration names come to.
#[derive(Clone, Default)]
pub struct Secrets {
    /// The digest of the first administrator's key.
    pub bootstrap: Option<[u8; 32]>,
    /// Of the configuration's own keys, in their order.
    pub keys: Vec<KeySecrets>,
    /// Who makes and checks tokens, if there is a root secret.
    pub authority: Option<Authority>,
}

/// What is secret of a key of the configuration.
#[derive(Clone, Default)]
pub struct KeySecrets {
    /// The key's digest.
    pub digest: Option<[u8; 32]>,
    /// What its assertions are signed with.
    pub assertions: Option<Key>,
}

/// An assertion, and whose it is.
pub enum Asserted {
    /// This key's.
    By(Arc<KeyRecord>, Assertion),
    /// That of whoever the store says.
    Ask(Query),
}

/// What is asked while a credential is judged.
pub struct Judge<'a> {
    /// Who may use the gate.
    pub access: &'a Access,
    /// What its secrets are.
    pub secrets: &'a Secrets,
    /// What is known of the store's answers.
    pub known: &'a mut dyn FnMut(&Query) -> Known,
    /// Now, in unix seconds.
    pub now_s: u64,
    /// Where the caller is.
    pub address: Option<IpAddr>,
    /// The origin that the request was sent to.
    pub own: &'a str,
    /// The page that the request came from, by its origin.
    pub origin: Option<&'a str>,
}

/// The id of the first administrator.
pub const BOOTSTRAP: &str = "key_bootstrap";

/// The id of whoever sends no credential.
pub const ANONYMOUS: &str = "anonymous";

impl Judge<'_> {
    /// Whose a credential is.
    ///
    /// Errors: `unauthorized`, the same for all that does not count.
    pub fn identify(&mut self, presented: Presented<'_>) -> Result<Identified, Error> {
        match presented {
            Presented::Nothing => match &self.access.anonymous {
                Some(anonymous) => Ok(self.caller(anonymous.record.clone(), Via::Nothing)),
                None => Err(nothing()),
            },
            Presented::Key(text) => match self.by_key(text) {
                Known::Yes(key) => Ok(self.caller(key, Via::Key)),
                Known::No => match &self.access.anonymous {
                    // What was never made here was meant for somebody else.
                    Some(anonymous) if anonymous.ignores && !text.starts_with(key::FAMILY) => {
                        Ok(self.caller(anonymous.record.clone(), Via::Ignored))
                    }
                    _ => Err(refused()),
                },
                Known::Ask => Ok(Identified::Ask(digest_of(text))),
            },
            Presented::Token(text) => match self.verify(Kind::Access, text) {
                Some(verified) => self.by_token(verified, Via::Token),
                None => self.by_assertion(text),
            },
            Presented::Session(text) => match self.verify(Kind::Session, text) {
                Some(verified) => self.by_token(verified, Via::Session),
                None => Err(refused()),
            },
            Presented::Ticket(text) => {
                let authority = self.secrets.authority.as_ref();
                match authority.and_then(|authority| authority.verify_ticket(self.now_s, text, self.origin).ok()) {
                    Some(verified) => self.by_token(verified, Via::Ticket),
                    None => Err(refused()),
                }
            }
        }
    }

    /// The caller that [`Caller::to_json`] told of, as far as their key is still known.
    ///
    /// Errors: `unauthorized`.
    pub fn resume(&mut self, told: &str) -> Result<Identified, Error> {
        let told: Told = serde_json::from_str(told).map_err(|_| refused())?;
        match self.by_id(&told.key) {
            Known::Yes(key) => Ok(self.caller(key, told.via)),
            Known::No => Err(refused()),
            Known::Ask => Ok(Identified::Ask(Query::Id(told.key))),
        }
    }

    /// Verifies an assertion, and finds whose it is. The form that the guides' samples have is taken of keys that are marked for it.
    ///
    /// Errors: `unauthorized`.
    pub fn assertion(&mut self, text: &str) -> Result<Asserted, Error> {
        let found = match token::peek(text).map_err(|_| refused())? {
            Named::Id(id) => (self.by_id(&id), Query::Id(id)),
            Named::Key(text) | Named::Other(text) => (self.by_key(&text), digest_of(&text)),
        };
        let key = match found {
            (Known::Yes(key), _) => Some(key),
            (Known::No, _) => None,
            (Known::Ask, query) => return Ok(Asserted::Ask(query)),
        };
        let secrets = key.as_ref().map(|key| self.assertion_keys(key)).unwrap_or_default();
        let is_guide = key.as_ref().is_none_or(|key| key.settings.guide_compatible);
        let profile = if is_guide { Profile::Guide } else { Profile::Strict };
        let audience = self.access.issuer.as_deref().unwrap_or(self.own);
        let verify = |secrets: &[Key]| token::verify_assertion(self.now_s, secrets, profile, audience, text);
        let (Some(key), Ok(assertion)) = (key, verify(&secrets)) else { return Err(refused()) };
        let is_current = secrets.len() < 2 || secrets.get(..1).is_some_and(|current| verify(current).is_ok());
        let key = if is_current { key } else { Arc::new(KeyRecord::clone(&key).before()) };
        Ok(Asserted::By(key, assertion))
    }

    fn caller(&self, key: Arc<KeyRecord>, via: Via) -> Identified {
        Identified::Caller(Caller { key, via, address: self.address })
    }

    fn verify(&self, kind: Kind, text: &str) -> Option<Verified> {
        self.secrets.authority.as_ref()?.verify(self.now_s, kind, text).ok()
    }

    fn by_token(&mut self, verified: Verified, via: fn(Token) -> Via) -> Result<Identified, Error> {
        let token = Token { jti: verified.id, issued_at: verified.issued_at, expires_at: verified.expires_at };
        match self.by_id(&verified.key_id) {
            Known::Yes(key) if key.takes_version(verified.version, self.now_s) => {
                let query = Query::Withdrawn(key.id.clone());
                match if key.is_fixed() { (self.known)(&query) } else { Known::No } {
                    Known::Yes(withdrawn) if withdrawn.revoked.contains(&token.jti) => Err(refused()),
                    Known::Ask => Ok(Identified::Ask(query)),
                    _ => Ok(self.caller(key, via(token))),
                }
            }
            Known::Yes(_) | Known::No => Err(refused()),
            Known::Ask => Ok(Identified::Ask(Query::Id(verified.key_id))),
        }
    }

    /// The guides' samples send their assertion where others send a token that they were given for one.
    fn by_assertion(&mut self, text: &str) -> Result<Identified, Error> {
        match self.assertion(text)? {
            Asserted::Ask(query) => Ok(Identified::Ask(query)),
            Asserted::By(key, assertion) if key.settings.guide_compatible => {
                let Assertion { id, issued_at, expires_at, .. } = assertion;
                Ok(self.caller(key, Via::Token(Token { jti: id.unwrap_or_default(), issued_at, expires_at })))
            }
            Asserted::By(..) => Err(refused()),
        }
    }

    fn assertion_keys(&self, key: &KeyRecord) -> Vec<Key> {
        let own = self.access.keys.iter().zip(&self.secrets.keys).find(|(own, _)| own.record.id == key.id);
        if let Some((_, secrets)) = own {
            return secrets.assertions.clone().into_iter().collect();
        }
        let Some(authority) = &self.secrets.authority else { return Vec::new() };
        let before = key.version.checked_sub(1).filter(|_| self.now_s < key.previous_until);
        let versions: Vec<u64> = core::iter::once(key.version).chain(before).collect();
        authority.api_keys(&key.id, &versions)
    }

    /// The key of a text. Every digest that is known here is compared, so that the time says nothing.
    fn by_key(&mut self, text: &str) -> Known {
        let digest = key::digest(text);
        let is_bootstrap = self.secrets.bootstrap.is_some_and(|known| key::same(&known, &digest));
        let mut found = None;
        for (key, own) in self.access.keys.iter().zip(&self.secrets.keys) {
            if own.digest.is_some_and(|own| key::same(&own, &digest)) {
                found = Some(key.record.clone());
            }
        }
        match found {
            _ if is_bootstrap => Known::Yes(bootstrap()),
            Some(key) => Known::Yes(key),
            // What cannot be a key of the store is not worth a question.
            None if !key::is_shaped(text) => Known::No,
            None => (self.known)(&Query::Digest(key::to_hex(&digest))),
        }
    }

    /// The key of an id.
    pub fn by_id(&mut self, id: &str) -> Known {
        if id == BOOTSTRAP {
            return if self.secrets.bootstrap.is_some() { Known::Yes(bootstrap()) } else { Known::No };
        }
        if id == ANONYMOUS {
            return self.access.anonymous.as_ref().map_or(Known::No, |anonymous| Known::Yes(anonymous.record.clone()));
        }
        match self.access.keys.iter().find(|key| key.record.id == id) {
            Some(key) => Known::Yes(key.record.clone()),
            None if !key::is_id(id) => Known::No,
            None => (self.known)(&Query::Id(id.to_owned())),
        }
    }
}

fn digest_of(text: &str) -> Query {
    Query::Digest(key::to_hex(&key::digest(text)))
}

fn bootstrap() -> Arc<KeyRecord> {
    Arc::new(KeyRecord::fixed(BOOTSTRAP, Settings::of_role(Role::Administrator, "bootstrap")))
}

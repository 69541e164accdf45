//! From what a caller sent to whose it is.

use super::caller::{Caller, Via, refused};
use super::credential::Presented;
use super::key;
use super::record::{KeyRecord, Settings};
use super::role::Role;
use crate::config::Access;
use crate::error::{Error, ErrorKind};
use core::net::IpAddr;
use std::sync::Arc;

/// A question to the store of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// The key of this SHA-256 digest, in hex.
    Digest(String),
    /// The key of this public id.
    Id(String),
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
    /// The digests of the configuration's own keys, in their order.
    pub keys: Vec<Option<[u8; 32]>>,
}

/// The id of the first administrator.
pub const BOOTSTRAP: &str = "key_bootstrap";

/// The id of whoever sends no credential.
pub const ANONYMOUS: &str = "anonymous";

impl Access {
    /// Judges a credential. `known` says what is known of the store's answers.
    ///
    /// Errors: `unauthorized`.
    pub fn identify(
        &self,
        presented: Presented<'_>,
        secrets: &Secrets,
        known: &mut dyn FnMut(&Query) -> Known,
        address: Option<IpAddr>,
    ) -> Result<Identified, Error> {
        let caller = |key, via| Ok(Identified::Caller(Caller { key, via, address }));
        match presented {
            Presented::Nothing => match &self.anonymous {
                Some(anonymous) => caller(anonymous.record.clone(), Via::Nothing),
                None => {
                    let message = "This gate takes callers with a key only; the request has none.";
                    Err(Error::new(ErrorKind::Unauthorized, message))
                }
            },
            Presented::Key(text) => match self.by_key(text, secrets, known) {
                Known::Yes(key) => caller(key, Via::Key),
                Known::No => Err(refused()),
                Known::Ask => Ok(Identified::Ask(Query::Digest(key::to_hex(&key::digest(text))))),
            },
            Presented::Token(_) | Presented::Session(_) | Presented::Ticket(_) => Err(refused()),
        }
    }

    /// The key of a text. Every digest that is known here is compared, so that the time says nothing.
    fn by_key(&self, text: &str, secrets: &Secrets, known: &mut dyn FnMut(&Query) -> Known) -> Known {
        let digest = key::digest(text);
        let is_bootstrap = secrets.bootstrap.is_some_and(|known| key::same(&known, &digest));
        let mut found = None;
        for (key, own) in self.keys.iter().zip(&secrets.keys) {
            if own.is_some_and(|own| key::same(&own, &digest)) {
                found = Some(key.record.clone());
            }
        }
        if is_bootstrap {
            let settings = Settings::of_role(Role::Administrator, "bootstrap");
            return Known::Yes(Arc::new(KeyRecord::fixed(BOOTSTRAP, settings)));
        }
        match found {
            Some(key) => Known::Yes(key),
            // What cannot be a key of the store is not worth a question.
            None if !key::is_shaped(text) => Known::No,
            None => known(&Query::Digest(key::to_hex(&digest))),
        }
    }

    /// The key of an id.
    pub fn by_id(&self, id: &str, known: &mut dyn FnMut(&Query) -> Known) -> Known {
        if id == BOOTSTRAP {
            let settings = Settings::of_role(Role::Administrator, "bootstrap");
            return Known::Yes(Arc::new(KeyRecord::fixed(BOOTSTRAP, settings)));
        }
        match self.keys.iter().find(|key| key.record.id == id) {
            Some(key) => Known::Yes(key.record.clone()),
            None => known(&Query::Id(id.to_owned())),
        }
    }
}

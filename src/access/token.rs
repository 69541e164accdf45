//! Four kinds of signed tokens. What one is good for, no other is: each has a `typ`, a key and an audience of its own.
//!
//! | kind | `typ` | signed by, with | lives at most | says |
//! |---|---|---|---|---|
//! | assertion | `client-assertion+jwt` | the client, with its API secret | 5 min (guides: 24 h) | I hold this secret |
//! | access token | `at+jwt` | the gate | 24 h | this key may call |
//! | session | `session+jwt` | the gate | 24 h | this key may use the admin page |
//! | ticket | `ws-ticket+jwt` | the gate | 30 s | this key may open one socket from this origin |
//!
//! A token says who calls and no more. What a key may do, whether it is disabled, and whether tokens of this version still count, is in the
//! key's record, which is read whenever a token is used. Nor does this module remember anything: that an assertion or a ticket is used
//! once only is for a store to see to, by the token's id and until it is over.

use super::jwt::{self, Parts, Refused};
use super::secret::{Key, Root};
use super::{base62, key};
use crate::error::Error;
use crate::json::Object;
use sha2::{Digest as _, Sha256};

mod claims;

use claims::{Claims, Times};

/// How far clocks may be apart, in seconds.
pub const LEEWAY_S: u64 = 30;
/// Longest life of an assertion of the strict profile, in seconds.
pub const ASSERTION_S: u64 = 300;
/// Longest life of an assertion as the guides make them, in seconds; for clocks that are read twice, [`LEEWAY_S`] more is taken.
pub const GUIDE_ASSERTION_S: u64 = 86_400;

/// The kinds of tokens that the gate makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// For the API.
    Access,
    /// For the admin page.
    Session,
    /// For opening one WebSocket.
    Ticket,
}

impl Kind {
    /// Every kind, for tables and tests.
    pub const ALL: [Kind; 3] = [Kind::Access, Kind::Session, Kind::Ticket];

    /// The header's `typ`.
    pub fn typ(self) -> &'static str {
        match self {
            Kind::Access => "at+jwt",
            Kind::Session => "session+jwt",
            Kind::Ticket => "ws-ticket+jwt",
        }
    }

    /// Longest life, in seconds: a longer one is cut when a token is made, and refused when one is read.
    pub fn longest_s(self) -> u64 {
        match self {
            Kind::Access | Kind::Session => 86_400,
            Kind::Ticket => 30,
        }
    }

    /// What follows the issuer in `aud`. An assertion's audience is the issuer alone.
    fn audience(self) -> &'static str {
        match self {
            Kind::Access => "#api",
            Kind::Session => "#admin",
            Kind::Ticket => "#socket",
        }
    }
}

/// The text of the header's `typ` of assertions.
pub const ASSERTION_TYPE: &str = "client-assertion+jwt";

impl Refused {
    /// What the caller is told, which is the same whatever was wrong.
    pub fn error(self) -> Error {
        super::refused()
    }
}

/// Whom a token is for.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The key's public id.
    pub key_id: &'a str,
    /// A number of the key's record that must be the same when the token is used, so that raising it ends all tokens made before.
    pub version: u64,
    /// For tickets, the origin of the page that asked; `None` for clients that are no pages.
    pub origin: Option<&'a str>,
}

/// A token just made. It has no `Debug`: it is a credential.
pub struct Issued {
    /// The token.
    pub token: String,
    /// Its id.
    pub id: String,
    /// When it is over, in Unix seconds.
    pub expires_at: u64,
}

/// A token that was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The key's public id.
    pub key_id: String,
    /// The version of [`Subject`], to be compared with the record's.
    pub version: u64,
    /// The token's own id.
    pub id: String,
    /// When it was made, in Unix seconds.
    pub issued_at: u64,
    /// When it is over, in Unix seconds.
    pub expires_at: u64,
}

/// Who makes and checks tokens: a deployment, by its issuer and its root secrets.
#[derive(Clone, Debug)]
pub struct Authority {
    issuer: String,
    root: Root,
    previous: Option<Root>,
}

impl Authority {
    /// The issuer is this deployment's public origin, or any other text that no other deployment has. Tokens are made with `root` and
    /// accepted of both roots, so that a root is replaced without anyone being signed out.
    pub fn new(issuer: impl Into<String>, root: Root, previous: Option<Root>) -> Self {
        Authority { issuer: issuer.into(), root, previous }
    }

    /// Who `iss` of our tokens and `aud` of assertions must name.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The API secret to show: of the current root.
    pub fn api_secret(&self, key_id: &str, version: u64) -> String {
        self.root.api_secret(key_id, version)
    }

    /// The keys that assertions of a key may be signed with: of each version, under both roots.
    pub fn api_keys(&self, key_id: &str, versions: &[u64]) -> Vec<Key> {
        let secrets =
            self.roots().flat_map(|root| versions.iter().map(move |version| root.api_secret(key_id, *version)));
        secrets.filter_map(|secret| Key::of_text(&secret)).collect()
    }

    /// A token that lives from `now_s` for `ttl_s`, or as long as its kind may. `random` must come from a cryptographic source.
    ///
    /// `None` for a subject with an id, or an origin, or for an issuer, that no token can hold: empty, or over 512 bytes.
    pub fn issue(
        &self,
        now_s: u64,
        kind: Kind,
        subject: &Subject<'_>,
        ttl_s: u64,
        random: &[u8; 16],
    ) -> Option<Issued> {
        let (audience, origin) = (self.audience(kind), subject.origin.unwrap_or_default());
        if subject.key_id.is_empty()
            || [&audience, subject.key_id, origin].iter().any(|text| text.len() > claims::LONGEST)
        {
            return None;
        }
        let id = base62::digits(random, 22);
        let expires_at = now_s.saturating_add(ttl_s.min(kind.longest_s()));
        let mut claims = Object::new();
        claims.string("iss", &self.issuer);
        claims.string("sub", subject.key_id);
        claims.string("aud", &audience);
        claims.number("iat", now_s);
        claims.number("exp", expires_at);
        claims.string("jti", &id);
        claims.number("ver", subject.version);
        if kind == Kind::Ticket {
            claims.string("origin", origin);
        }
        let token = jwt::sign(&self.root.signing_key(kind), kind.typ(), &claims.finish())?;
        Some(Issued { token, id, expires_at })
    }

    /// Verifies an access token or a session.
    pub fn verify(&self, now_s: u64, kind: Kind, token: &str) -> Result<Verified, Refused> {
        self.check(now_s, kind, token).map(|(verified, _)| verified)
    }

    /// Verifies a ticket, used from `origin`: the one it was made for, and none where there was none.
    pub fn verify_ticket(&self, now_s: u64, token: &str, origin: Option<&str>) -> Result<Verified, Refused> {
        let (verified, bound) = self.check(now_s, Kind::Ticket, token)?;
        if bound.as_deref() == Some(origin.unwrap_or_default()) { Ok(verified) } else { Err(Refused::Origin) }
    }

    /// Clocks of one deployment are close: a token is over at its `exp`, and only its `iat` may be ahead by [`LEEWAY_S`].
    fn check(&self, now_s: u64, kind: Kind, token: &str) -> Result<(Verified, Option<String>), Refused> {
        let parts = jwt::parts(token)?;
        if parts.typ() != Some(kind.typ()) {
            return Err(Refused::Type);
        }
        let keys: Vec<Key> = self.roots().map(|root| root.signing_key(kind)).collect();
        let claims = signed(&parts, &keys, Times::Whole)?;
        let (issued_at, expires_at) = claims.life()?;
        if claims.iss.as_deref() != Some(&*self.issuer) {
            return Err(Refused::Issuer);
        }
        if claims.aud.as_deref() != Some(&*self.audience(kind)) {
            return Err(Refused::Audience);
        }
        claims.check_times(now_s, kind.longest_s(), 0)?;
        let (Some(key_id), Some(version), Some(id)) = (claims.sub, claims.ver, claims.jti) else {
            return Err(Refused::Claims);
        };
        Ok((Verified { key_id, version, id, issued_at, expires_at }, claims.origin))
    }

    fn audience(&self, kind: Kind) -> String {
        [&self.issuer, kind.audience()].concat()
    }

    fn roots(&self) -> impl Iterator<Item = &Root> {
        core::iter::once(&self.root).chain(&self.previous)
    }
}

/// Under what to remember a verified token: a hash of all of it and of what it was verified as, so that no two are ever taken for one.
pub fn memory_key(kind: Kind, token: &str) -> [u8; 32] {
    Sha256::new().chain_update(kind.typ()).chain_update(b"\0").chain_update(token).finalize().into()
}

/// Which assertions are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// RFC 7523 with nothing left open: `typ`, `iss` = `sub` = the key's id, `aud` = our issuer, `jti`, at most [`ASSERTION_S`].
    Strict,
    /// Those of the guides' samples as well: any `typ` that means JWT, no `sub`, `aud` or `jti`, times of `time.time()`, at most
    /// [`GUIDE_ASSERTION_S`]. Without an audience one made for another deployment that knows the secret is good here; without an id it can
    /// be used again for as long as it lives.
    Guide,
}

/// Which key an assertion names, before anything is verified.
#[derive(Clone, PartialEq, Eq)]
pub enum Named {
    /// A public id.
    Id(String),
    /// A key, of the right shape.
    Key(String),
    /// Another text of printable ASCII, which can only be a key of the configuration: no store need be asked.
    Other(String),
}

/// Which key an assertion names: its `api_key`, or its `iss` where it has none. It is not to be believed yet.
pub fn peek(token: &str) -> Result<Named, Refused> {
    let parts = jwt::parts(token)?;
    check_type(&parts, Profile::Guide)?;
    let claims = Claims::read(&parts.payload()?, Times::Decimal)?;
    named(claims).ok_or(Refused::Issuer)
}

fn named(claims: Claims) -> Option<Named> {
    let name = claims.api_key.or(claims.iss)?;
    if key::is_id(&name) {
        return Some(Named::Id(name));
    }
    if key::is_shaped(&name) {
        return Some(Named::Key(name));
    }
    // A key of ours that is misspelt is none of the configuration's.
    let other = !name.starts_with("sgk_") && name.len() <= 256 && name.bytes().all(|byte| byte.is_ascii_graphic());
    other.then_some(Named::Other(name))
}

/// An assertion that was verified.
#[derive(Clone, PartialEq, Eq)]
pub struct Assertion {
    /// The key it named, as [`peek`] said.
    pub named: Named,
    /// When it was made, in Unix seconds.
    pub issued_at: u64,
    /// Its id: to be accepted once only per key until [`Assertion::forget_at`]. Always there in the strict profile.
    pub id: Option<String>,
    /// When it is over, in Unix seconds.
    pub expires_at: u64,
}

impl Assertion {
    /// From when on it is refused for its age, so that its id need be remembered no longer.
    pub fn forget_at(&self) -> u64 {
        self.expires_at.saturating_add(LEEWAY_S + 1)
    }
}

/// Verifies an assertion by the keys of whom it names, several for the time of a rotation. With no keys, for an unknown or disabled key,
/// it does the same work and refuses.
pub fn verify_assertion(
    now_s: u64,
    keys: &[Key],
    profile: Profile,
    issuer: &str,
    token: &str,
) -> Result<Assertion, Refused> {
    let parts = jwt::parts(token)?;
    check_type(&parts, profile)?;
    let times = if profile == Profile::Guide { Times::Decimal } else { Times::Whole };
    let claims = signed(&parts, keys, times)?;
    let (issued_at, expires_at) = claims.life()?;
    match profile {
        Profile::Strict => {
            let known = claims.iss.as_deref().is_some_and(key::is_id) && claims.api_key.is_none();
            if !known || claims.iss != claims.sub {
                return Err(Refused::Issuer);
            }
            if claims.aud.as_deref() != Some(issuer) {
                return Err(Refused::Audience);
            }
            if claims.jti.is_none() {
                return Err(Refused::Claims);
            }
            claims.check_times(now_s, ASSERTION_S, LEEWAY_S)?;
        }
        Profile::Guide => {
            if claims.aud.as_deref().is_some_and(|audience| audience != issuer) {
                return Err(Refused::Audience);
            }
            claims.check_times(now_s, GUIDE_ASSERTION_S + LEEWAY_S, LEEWAY_S)?;
        }
    }
    let id = claims.jti.clone();
    Ok(Assertion { named: named(claims).ok_or(Refused::Issuer)?, issued_at, id, expires_at })
}

fn check_type(parts: &Parts<'_>, profile: Profile) -> Result<(), Refused> {
    let right = match parts.typ() {
        Some(ASSERTION_TYPE) => true,
        // What libraries write. RFC 7519, section 5.1: media types have no case.
        Some(typ) => profile == Profile::Guide && typ.eq_ignore_ascii_case("JWT"),
        None => profile == Profile::Guide,
    };
    if right { Ok(()) } else { Err(Refused::Type) }
}

/// The claims, once the signature is right.
fn signed(parts: &Parts<'_>, keys: &[Key], times: Times) -> Result<Claims, Refused> {
    if !parts.is_signed_by(keys) {
        return Err(Refused::Signature);
    }
    Claims::read(&parts.payload()?, times)
}

//! Signed tokens: compact JWS (RFC 7515) with HMAC-SHA256 and nothing else.
//!
//! A verifier that serves every option of the standard lets the token choose how it is checked. This one has one algorithm, which it does
//! not take from the header; takes a token in one spelling only, so that a token cannot be changed without its signature failing; and
//! refuses a header with members that would change what is signed or with what (`crit`, `b64`, `zip`, `jwk`, `jku`, `x5u`, …): all
//! but `alg`, `typ` and `kid`. `kid` is read past: no key is chosen by what a token says.

use super::secret::Key;
use crate::json::cursor::{Cursor, Read, parse};
use crate::json::{check_json, string};
use crate::limits::Limits;
use base64ct::{Base64UrlUnpadded, Encoding as _};
use hmac::Mac as _;

/// Longest token that is looked at, in bytes.
pub const LONGEST: usize = 4096;
/// Longest header or payload that is written, so that the token is within [`LONGEST`].
const LONGEST_PAYLOAD: usize = 2048;

/// Why a token was refused: for logs and tests. Callers get [`Refused::error`], the same for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// Longer than [`LONGEST`].
    Length,
    /// Not three segments of strict base64url, or a signature of another length than 32 bytes.
    Form,
    /// The header is not strict JSON, or has a member that is not known.
    Header,
    /// `alg` is not `HS256`.
    Algorithm,
    /// `typ` is not of this kind of token.
    Type,
    /// No key made this signature.
    Signature,
    /// The payload is not strict JSON, or a claim is missing or of the wrong type.
    Claims,
    /// Made by, or for, somebody else.
    Issuer,
    /// For another audience.
    Audience,
    /// No longer valid.
    Expired,
    /// Not valid yet, or issued in the future.
    Early,
    /// Valid for longer than tokens of this kind may be.
    Lifetime,
    /// Used from another origin than it was given to.
    Origin,
}

/// A token taken apart, not verified.
pub struct Parts<'a> {
    signed: &'a str,
    typ: Option<String>,
    payload: &'a str,
    signature: [u8; 32],
}

/// Takes a token apart and judges its form and its header.
///
/// Errors: `Length`, `Form`, `Header`, `Algorithm`.
pub fn parts(token: &str) -> Result<Parts<'_>, Refused> {
    if token.len() > LONGEST {
        return Err(Refused::Length);
    }
    if !is_shaped(token) {
        return Err(Refused::Form);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(Refused::Form)?;
    let (header, payload) = signed.split_once('.').ok_or(Refused::Form)?;
    if header.is_empty() || payload.is_empty() {
        return Err(Refused::Form);
    }
    let mut mac = [0; 32];
    match Base64UrlUnpadded::decode(signature, &mut mac) {
        Ok(bytes) if bytes.len() == 32 => {}
        _ => return Err(Refused::Form),
    }
    let header = text(header).ok_or(Refused::Form)?;
    let header = strict::<Header>(&header).ok_or(Refused::Header)?;
    if header.alg.as_deref() != Some("HS256") {
        return Err(Refused::Algorithm);
    }
    Ok(Parts { signed, typ: header.typ, payload, signature: mac })
}

impl Parts<'_> {
    /// The header's `typ`, if it has one.
    pub fn typ(&self) -> Option<&str> {
        self.typ.as_deref()
    }

    /// Whether one of the keys made the signature. Every key is tried, and one where there is none, so that the time says neither which
    /// it was nor whether there is a key.
    pub fn is_signed_by(&self, keys: &[Key]) -> bool {
        if keys.is_empty() {
            core::hint::black_box(self.matches(&Key::derived([0; 32])));
            return false;
        }
        keys.iter().fold(false, |signed, key| signed | self.matches(key))
    }

    /// In constant time, over all 32 bytes.
    fn matches(&self, key: &Key) -> bool {
        key.mac(&[self.signed.as_bytes()]).verify_slice(&self.signature).is_ok()
    }

    /// The payload, which is not to be believed unless [`Parts::is_signed_by`] said so: strict JSON text.
    ///
    /// Errors: `Form`, `Claims`.
    pub fn payload(&self) -> Result<String, Refused> {
        let payload = text(self.payload).ok_or(Refused::Form)?;
        check_json(payload.as_bytes(), &LIMITS).map_err(|_| Refused::Claims)?;
        Ok(payload)
    }
}

/// A token with this `typ` and this payload, which must be a JSON object of at most 2 KiB; `None` for a longer one.
pub fn sign(key: &Key, typ: &str, payload: &str) -> Option<String> {
    if payload.len() > LONGEST_PAYLOAD {
        return None;
    }
    let mut header = crate::json::Object::new();
    header.string("alg", "HS256");
    header.string("typ", typ);
    let mut token = Base64UrlUnpadded::encode_string(header.finish().as_bytes());
    token.push('.');
    token.push_str(&Base64UrlUnpadded::encode_string(payload.as_bytes()));
    let signature = key.mac(&[token.as_bytes()]).finalize().into_bytes();
    token.push('.');
    token.push_str(&Base64UrlUnpadded::encode_string(&signature));
    Some(token)
}

/// Whether a text may be a token at all: three segments of the alphabet, within the length. Without any decoding.
pub fn is_shaped(token: &str) -> bool {
    let dots = token.bytes().filter(|byte| *byte == b'.').count();
    let plain = token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    token.len() <= LONGEST && dots == 2 && plain
}

const LIMITS: Limits = Limits {
    request_body: LONGEST,
    audio_body: 0,
    json_depth: 4,
    json_keys: 64,
    json_items: 64,
    messages: 0,
    event: 0,
    reply: 0,
    parts: 0,
    reply_body: 0,
};

fn text(segment: &str) -> Option<String> {
    String::from_utf8(Base64UrlUnpadded::decode_vec(segment).ok()?).ok()
}

/// A whole document in which no key is twice, read as `T`.
fn strict<'a, T: Read<'a>>(json: &'a str) -> Option<T> {
    check_json(json.as_bytes(), &LIMITS).ok()?;
    parse(json)
}

#[derive(Default)]
struct Header {
    alg: Option<String>,
    typ: Option<String>,
}

impl<'a> Read<'a> for Header {
    fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        let mut header = Header::default();
        cursor.object(&mut |cursor, name| {
            let value = <&str as Read<'_>>::read(cursor)?;
            match &*name {
                // Of another type than a string it is no algorithm, rather than no header.
                "alg" => header.alg = string::read(value),
                "typ" => header.typ = Some(string::read(value)?),
                "kid" => drop(string::read(value)?),
                _ => return None,
            }
            Some(())
        })?;
        Some(header)
    }
}

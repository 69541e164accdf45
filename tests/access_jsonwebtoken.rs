//! The verifier of tokens beside the crate `jsonwebtoken`, which most Rust services check tokens with: what either signs the other accepts, and
//! whatever ours accepts, in spite of any change to it, that one accepts too. It may be stricter, never laxer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use hmac::{Hmac, Mac as _};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::signature::{Error as Unsigned, Signer, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::Sha256;
use sluicegate::access::jwt;
use sluicegate::access::secret::Key;
use sluicegate::access::token::{self, Profile};
use std::sync::Once;

/// HMAC-SHA256 for the crate, whose own providers bring a whole library of ciphers along: what is compared is how tokens are read.
struct Hs256(Hmac<Sha256>);

impl Hs256 {
    fn of(secret: &[u8], algorithm: Algorithm) -> jsonwebtoken::errors::Result<Self> {
        if algorithm != Algorithm::HS256 {
            return Err(ErrorKind::InvalidAlgorithm.into());
        }
        Ok(Hs256(Hmac::new_from_slice(secret).map_err(|_| ErrorKind::InvalidKeyFormat)?))
    }
}

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, Unsigned> {
        Ok(self.0.clone().chain_update(message).finalize().into_bytes().to_vec())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), Unsigned> {
        self.0.clone().chain_update(message).verify_slice(signature).map_err(|_| Unsigned::new())
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| Ok(Box::new(Hs256::of(key.as_bytes(), *algorithm)?)),
    verifier_factory: |algorithm, key| Ok(Box::new(Hs256::of(key.try_get_as_bytes()?, *algorithm)?)),
    key_utils: KeyUtils::new_unimplemented(),
};

fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| PROVIDER.install_default().unwrap());
}

/// What the crate makes of a token: its claims. Times are left out, since it asks the clock for them.
fn theirs(secret: &[u8], token: &str) -> Option<Value> {
    prepare();
    let mut validation = Validation::new(Algorithm::HS256);
    validation.required_spec_claims.clear();
    (validation.validate_exp, validation.validate_nbf, validation.validate_aud) = (false, false, false);
    decode::<Value>(token, &DecodingKey::from_secret(secret), &validation).ok().map(|data| data.claims)
}

/// What ours makes of it.
fn ours(secret: &[u8], token: &str) -> Option<Value> {
    let parts = jwt::parts(token).ok()?;
    if !parts.is_signed_by(&[Key::of_bytes(secret).unwrap()]) {
        return None;
    }
    Some(serde_json::from_str(&parts.payload().ok()?).unwrap())
}

fn secrets() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 32..100)
}

fn claims() -> impl Strategy<Value = Value> {
    let value = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<u32>().prop_map(Value::from),
        "[ -~äß漢字]{0,20}".prop_map(Value::from),
        prop::collection::vec("[a-z]{0,5}", 0..4).prop_map(Value::from),
    ];
    prop::collection::btree_map("[a-z_]{1,8}", value, 0..8).prop_map(|claims| json!(claims))
}

/// A change to a token: a byte set, put in, or taken out, a segment repeated, a tail cut off.
#[derive(Clone, Debug)]
enum Change {
    Set(prop::sample::Index, char),
    Insert(prop::sample::Index, char),
    Remove(prop::sample::Index),
    Repeat(prop::sample::Index),
    Cut(prop::sample::Index),
}

fn changes() -> impl Strategy<Value = Change> {
    let at = any::<prop::sample::Index>;
    let character =
        || prop::sample::select(vec!['A', 'a', 'g', 'w', 'Z', '0', '9', '-', '_', '.', '=', '+', '/', ' ', '\n']);
    prop_oneof![
        4 => (at(), character()).prop_map(|(at, one)| Change::Set(at, one)),
        2 => (at(), character()).prop_map(|(at, one)| Change::Insert(at, one)),
        2 => at().prop_map(Change::Remove),
        1 => at().prop_map(Change::Repeat),
        1 => at().prop_map(Change::Cut),
    ]
}

fn changed(token: &str, change: &Change) -> String {
    let mut token: Vec<char> = token.chars().collect();
    let length = token.len();
    match change {
        Change::Set(at, one) => token[at.index(length)] = *one,
        Change::Insert(at, one) => token.insert(at.index(length + 1), *one),
        Change::Remove(at) => drop(token.remove(at.index(length))),
        Change::Cut(at) => token.truncate(at.index(length)),
        Change::Repeat(at) => {
            let text: String = token.iter().collect();
            let segments: Vec<_> = text.split('.').collect();
            let more = format!(".{}", segments[at.index(segments.len())]);
            token.extend(more.chars());
        }
    }
    token.into_iter().collect()
}

proptest! {
    #[test]
    fn either_reads_what_the_other_signed(secret in secrets(), claims in claims()) {
        prepare();
        let by_us = jwt::sign(&Key::of_bytes(&secret).unwrap(), "JWT", &claims.to_string()).unwrap();
        prop_assert_eq!(theirs(&secret, &by_us), Some(claims.clone()));
        let by_them = encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(&secret)).unwrap();
        prop_assert_eq!(ours(&secret, &by_them), Some(claims));
        // The header's members may come in another order; the signature of the same text is the same.
        let parts = jwt::parts(&by_them).ok().unwrap();
        prop_assert_eq!(parts.typ(), Some("JWT"));
    }

    #[test]
    fn a_changed_token_that_ours_accepts_is_accepted_there_with_the_same_claims(
        secret in secrets(), other in secrets(), claims in claims(), changes in prop::collection::vec(changes(), 0..3), is_other: bool,
    ) {
        let mut token = jwt::sign(&Key::of_bytes(&secret).unwrap(), "JWT", &claims.to_string()).unwrap();
        for change in &changes {
            if !token.is_empty() {
                token = changed(&token, change);
            }
        }
        let secret = if is_other { &other } else { &secret };
        let (ours, theirs) = (ours(secret, &token), theirs(secret, &token));
        prop_assert!(ours.is_none() || ours == theirs, "{token}: {ours:?}, {theirs:?}");
        if changes.is_empty() && !is_other {
            prop_assert_eq!(ours, Some(claims));
        }
    }
}

#[test]
fn of_every_vector_either_says_the_same_or_ours_has_a_reason_that_the_crate_does_not_look_for() {
    let vectors: Value = serde_json::from_str(include_str!("vectors/access/tokens.json")).unwrap();
    let (mut same, mut stricter) = (0, 0);
    for case in vectors["assertions"].as_array().unwrap() {
        let one = [vectors["secret"].clone()];
        let secrets: Vec<&str> = case["secrets"]
            .as_array()
            .map_or(&one[..], |list| list)
            .iter()
            .map(|secret| secret.as_str().unwrap())
            .collect();
        let token = case["token"].as_str().unwrap();
        let keys: Vec<Key> = secrets.iter().map(|secret| Key::of_text(secret).unwrap()).collect();
        let now = case["now"].as_u64().unwrap_or(1_800_000_000);
        let ours = token::verify_assertion(now, &keys, Profile::Guide, vectors["issuer"].as_str().unwrap(), token);
        let theirs = secrets.iter().any(|secret| theirs(secret.as_bytes(), token).is_some());
        match ours {
            Ok(_) => {
                assert!(theirs, "{}: accepted here alone", case["name"]);
                same += 1;
            }
            Err(_) if !theirs => same += 1,
            Err(jwt::Refused::Signature) => panic!("{}: the signature is accepted there", case["name"]),
            Err(_) => stricter += 1,
        }
    }
    assert!(same > 20 && stricter > 5, "{same} the same, {stricter} refused here alone");
}

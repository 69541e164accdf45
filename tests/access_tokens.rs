//! Keys, derived secrets and signed tokens, against vectors that others made: PyJWT and Python's hmac (`tests/access/vectors.py`), npm's jose
//! (`tests/access/vectors.mjs`), RFC 7515.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use serde_json::Value;
use sluicegate::access::jwt::{self, Refused};
use sluicegate::access::key;
use sluicegate::access::secret::{Key, Root, Secret};
use sluicegate::access::token::{self, Authority, Issued, Kind, Named, Profile, Subject};
use std::collections::BTreeSet;

const NOW: u64 = 1_800_000_000;

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/access/tokens.json")).unwrap()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} of {value}"))
}

fn list<'a>(value: &'a Value, name: &str) -> &'a Vec<Value> {
    let list = value[name].as_array().unwrap();
    assert!(!list.is_empty());
    list
}

fn root(text: &str) -> Root {
    Root::new(text).unwrap()
}

fn authority(vectors: &Value) -> Authority {
    let previous = Some(root(text(vectors, "previous_root")));
    Authority::new(text(vectors, "issuer"), root(text(vectors, "root")), previous)
}

fn kind(name: &str) -> Kind {
    match name {
        "access" => Kind::Access,
        "session" => Kind::Session,
        "ticket" => Kind::Ticket,
        other => panic!("{other}"),
    }
}

fn keys(secrets: &[&str]) -> Vec<Key> {
    secrets.iter().map(|secret| Key::of_text(secret).unwrap()).collect()
}

fn verify(
    authority: &Authority,
    now: u64,
    kind: Kind,
    token: &str,
    origin: Option<&str>,
) -> Result<token::Verified, Refused> {
    match kind {
        Kind::Ticket => authority.verify_ticket(now, token, origin),
        kind => authority.verify(now, kind, token),
    }
}

#[test]
fn the_example_of_rfc_7515_appendix_a1_is_verified_and_any_other_key_is_not_its() {
    let vector: Value = serde_json::from_str(include_str!("vectors/access/rfc7515.json")).unwrap();
    let bytes: Vec<u8> = list(&vector, "key").iter().map(|byte| byte.as_u64().unwrap() as u8).collect();
    let parts = jwt::parts(text(&vector, "token")).ok().unwrap();
    assert_eq!(parts.typ(), Some("JWT"));
    assert!(parts.is_signed_by(&[Key::of_bytes(&bytes).unwrap()]));
    assert_eq!(parts.payload().unwrap(), text(&vector, "payload"));
    for at in 0..bytes.len() {
        let mut other = bytes.clone();
        other[at] ^= 1;
        assert!(!parts.is_signed_by(&[Key::of_bytes(&other).unwrap()]));
    }
    assert!(!parts.is_signed_by(&[]));
}

#[test]
fn assertions_are_accepted_or_refused_for_the_reason_that_the_vectors_give() {
    let vectors = vectors();
    let mut reasons = BTreeSet::new();
    for case in list(&vectors, "assertions") {
        let secrets = case["secrets"].as_array().map_or_else(
            || vec![text(&vectors, "secret")],
            |secrets| secrets.iter().map(|secret| secret.as_str().unwrap()).collect(),
        );
        let now = case["now"].as_u64().unwrap_or(NOW);
        for (profile, name) in [(Profile::Strict, "strict"), (Profile::Guide, "guide")] {
            let token = text(case, "token");
            let answer = token::verify_assertion(now, &keys(&secrets), profile, text(&vectors, "issuer"), token);
            let said = answer.as_ref().map_or_else(|refused| format!("{refused:?}"), |_| String::from("ok"));
            assert_eq!(said, text(case, name), "{name}: {}", text(case, "name"));
            reasons.insert(said);
            if let Ok(assertion) = answer {
                let named = match &assertion.named {
                    Named::Id(named) => (key::is_id(named), named),
                    Named::Key(named) => (key::is_shaped(named), named),
                    Named::Other(named) => (!key::is_id(named) && !named.starts_with("sgk_"), named),
                };
                assert_eq!(named, (true, &text(case, "named").to_owned()), "{}", text(case, "name"));
                assert_eq!(assertion.id.as_deref(), case["jti"].as_str(), "{}", text(case, "name"));
                assert!(token::peek(token).unwrap() == assertion.named);
                // Once it may be forgotten, it is refused for its age alone.
                let late = token::verify_assertion(
                    assertion.forget_at(),
                    &keys(&secrets),
                    profile,
                    text(&vectors, "issuer"),
                    token,
                );
                assert_eq!(late.err(), Some(Refused::Expired));
            }
        }
    }
    let all = [
        "Algorithm",
        "Audience",
        "Claims",
        "Early",
        "Expired",
        "Form",
        "Header",
        "Issuer",
        "Length",
        "Lifetime",
        "Signature",
        "Type",
        "ok",
    ];
    assert_eq!(reasons, all.map(String::from).into());
}

#[test]
fn tokens_are_accepted_as_what_they_are_and_as_nothing_else() {
    let vectors = vectors();
    let authority = authority(&vectors);
    for case in list(&vectors, "tokens") {
        let now = case["now"].as_u64().unwrap_or(NOW);
        let origin =
            if case.get("origin").is_some() { case["origin"].as_str() } else { Some(text(&vectors, "origin")) };
        let (own, token) = (kind(text(case, "kind")), text(case, "token"));
        let answer = verify(&authority, now, own, token, origin);
        let said = answer.as_ref().map_or_else(|refused| format!("{refused:?}"), |_| String::from("ok"));
        assert_eq!(said, text(case, "result"), "{}", text(case, "name"));
        let Ok(verified) = answer else { continue };
        assert_eq!((&*verified.key_id, verified.version), (text(&vectors, "key_id"), 3));
        for other in Kind::ALL.into_iter().filter(|other| *other != own) {
            assert_eq!(verify(&authority, now, other, token, origin), Err(Refused::Type), "{}", text(case, "name"));
        }
        let secret = keys(&[text(&vectors, "secret")]);
        for profile in [Profile::Strict, Profile::Guide] {
            let answer = token::verify_assertion(now, &secret, profile, authority.issuer(), token);
            assert_eq!(answer.err(), Some(Refused::Type), "{}", text(case, "name"));
        }
        assert_eq!(token::peek(token).err(), Some(Refused::Type));
    }
}

#[test]
fn what_any_refusal_says_is_the_same_and_quotes_nothing() {
    let vectors = vectors();
    let mut said = BTreeSet::new();
    for case in list(&vectors, "assertions") {
        if let Err(refused) = token::verify_assertion(NOW, &[], Profile::Guide, "x", text(case, "token")) {
            let error = refused.error();
            said.insert((error.code(), error.status(), error.message().to_owned(), error.param().map(String::from)));
        }
    }
    assert_eq!(said.len(), 1);
    assert!(
        said.first().is_some_and(|(code, status, _, param)| (*code, *status, param) == ("unauthorized", 401, &None))
    );
}

#[test]
fn a_token_with_any_one_bit_changed_is_refused() {
    let vectors = vectors();
    let authority = authority(&vectors);
    let assertion = text(&vectors["assertions"][0], "token");
    let secret = keys(&[text(&vectors, "secret")]);
    let good = |token: &str| token::verify_assertion(NOW, &secret, Profile::Guide, authority.issuer(), token).is_ok();
    assert!(good(assertion));
    let (access, _) = issued(&authority, Kind::Access);
    assert!(authority.verify(NOW, Kind::Access, &access).is_ok());
    for (token, accepted) in [
        (assertion, &good as &dyn Fn(&str) -> bool),
        (&access, &|token: &str| authority.verify(NOW, Kind::Access, token).is_ok()),
    ] {
        for at in 0..token.len() {
            for bit in 0..7 {
                let mut bytes = token.as_bytes().to_vec();
                bytes[at] ^= 1 << bit;
                let changed = String::from_utf8(bytes).unwrap();
                assert!(!accepted(&changed), "byte {at}, bit {bit}");
            }
            let without = [&token[..at], &token[at + 1..]].concat();
            assert!(!accepted(&without) && !accepted(&token[..at]), "byte {at}");
        }
    }
}

fn issued(authority: &Authority, kind: Kind) -> (String, Issued) {
    let subject = Subject { key_id: "key_0123456789abcdef", version: 3, origin: Some("https://app.example") };
    let issued = authority.issue(NOW, kind, &subject, 3600, &[7; 16]).unwrap();
    (issued.token.clone(), issued)
}

#[test]
fn tokens_are_what_jose_makes_of_the_same_claims_byte_by_byte() {
    let vectors: Value = serde_json::from_str(include_str!("vectors/access/jose.json")).unwrap();
    let authority = Authority::new(text(&vectors, "issuer"), root(text(&vectors, "root")), None);
    for case in list(&vectors, "tokens") {
        let random: [u8; 16] = key::from_hex(&text(case, "random").repeat(2)).unwrap()[..16].try_into().unwrap();
        let subject = Subject {
            key_id: text(case, "key_id"),
            version: case["version"].as_u64().unwrap(),
            origin: case["origin"].as_str(),
        };
        let (kind, ttl) = (kind(text(case, "kind")), case["ttl"].as_u64().unwrap());
        let issued = authority.issue(NOW, kind, &subject, ttl, &random).unwrap();
        assert_eq!(issued.token, text(case, "token"));
        assert_eq!((&*issued.id, issued.expires_at), (text(case, "jti"), case["exp"].as_u64().unwrap()));
        let verified = verify(&authority, NOW, kind, &issued.token, subject.origin).unwrap();
        assert_eq!((&*verified.key_id, verified.version, verified.id), (subject.key_id, subject.version, issued.id));
    }
    for case in list(&vectors, "assertions") {
        let key_id = text(case, "key_id");
        let keys = authority.api_keys(key_id, &[case["version"].as_u64().unwrap()]);
        let profile = if case["guide"].as_bool().unwrap() { Profile::Guide } else { Profile::Strict };
        let assertion = token::verify_assertion(NOW, &keys, profile, authority.issuer(), text(case, "token")).unwrap();
        assert!(assertion.named == Named::Id(key_id.to_owned()));
    }
}

#[test]
fn a_life_is_no_longer_than_its_kind_allows() {
    let authority = authority(&vectors());
    for kind in Kind::ALL {
        let subject = Subject { key_id: "key_0123456789abcdef", version: 0, origin: None };
        let ends = |ttl| authority.issue(NOW, kind, &subject, ttl, &[0; 16]).unwrap().expires_at;
        assert_eq!((ends(u64::MAX), ends(7)), (NOW + kind.longest_s(), NOW + 7));
    }
    assert_eq!(Kind::Ticket.longest_s(), 30);
}

#[test]
fn nothing_is_made_that_would_not_be_accepted() {
    let authority = authority(&vectors());
    let issue = |key_id: &str, origin: Option<&str>| {
        authority.issue(NOW, Kind::Ticket, &Subject { key_id, version: u64::MAX, origin }, 30, &[255; 16])
    };
    assert!(issue("", None).is_none() && issue(&"k".repeat(513), None).is_none());
    assert!(issue("k", Some(&"o".repeat(513))).is_none());
    // The worst that escapes make of it.
    let (key_id, origin) = ("\u{1}".repeat(100), "\"".repeat(200));
    let issued = issue(&key_id, Some(&origin)).unwrap();
    assert!(issued.token.len() <= jwt::LONGEST && jwt::is_shaped(&issued.token));
    assert_eq!(authority.verify_ticket(NOW, &issued.token, Some(&origin)).unwrap().key_id, key_id);
    assert!(issue(&"\u{1}".repeat(512), None).is_none());
}

#[test]
fn replaced_roots_are_accepted_for_as_long_as_they_are_named() {
    let (old, new) = (root("the-old-one-0123456789-abcdefghijkl"), root("the-new-one-0123456789-abcdefghijkl"));
    let before = Authority::new("i", old.clone(), None);
    let during = Authority::new("i", new.clone(), Some(old));
    let after = Authority::new("i", new, None);
    let ((first, _), (second, _)) = (issued(&before, Kind::Access), issued(&during, Kind::Access));
    assert!(during.verify(NOW, Kind::Access, &first).is_ok() && during.verify(NOW, Kind::Access, &second).is_ok());
    assert!(after.verify(NOW, Kind::Access, &second).is_ok());
    assert_eq!(after.verify(NOW, Kind::Access, &first), Err(Refused::Signature));
    assert_eq!(during.api_secret("key_1", 2), after.api_secret("key_1", 2));
    assert_ne!(during.api_secret("key_1", 2), before.api_secret("key_1", 2));
    assert_eq!((during.api_keys("key_1", &[2, 1]).len(), after.api_keys("key_1", &[2]).len()), (4, 1));
}

#[test]
fn memory_keys_differ_wherever_tokens_or_kinds_do() {
    let (same, other) = ("a".repeat(300) + "b", "a".repeat(300) + "c");
    let keys: BTreeSet<[u8; 32]> = Kind::ALL
        .into_iter()
        .flat_map(|kind| [&*same, &*other, "", "\0", "x"].map(|token| token::memory_key(kind, token)))
        .collect();
    assert_eq!(keys.len(), 15);
}

#[test]
fn derived_secrets_are_those_of_the_vectors_and_no_two_are_alike() {
    let mut seen = BTreeSet::new();
    for case in list(&vectors(), "secrets") {
        let secret = root(text(case, "root")).api_secret(text(case, "key_id"), case["version"].as_u64().unwrap());
        assert_eq!(secret, text(case, "secret"));
        assert!(Key::of_text(&secret).is_some() && seen.insert(secret));
    }
}

#[test]
fn keys_are_those_of_the_vectors() {
    for case in list(&vectors(), "keys") {
        let hex = text(case, "random");
        let random: Vec<u8> = (0..48).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect();
        let kind = if text(case, "kind") == "live" { key::Kind::Live } else { key::Kind::Test };
        let minted = key::mint(kind, &random.try_into().unwrap());
        let digest = key::to_hex(&minted.digest);
        for (is, name) in [
            (&minted.id, "id"),
            (&minted.key, "key"),
            (&minted.prefix, "prefix"),
            (&minted.last4, "last4"),
            (&digest, "sha256"),
        ] {
            assert_eq!(is, text(case, name), "{name}");
        }
        assert!(key::is_shaped(&minted.key) && key::is_id(&minted.id));
        assert!(!key::is_shaped(&minted.id) && !key::is_id(&minted.key));
        assert!(key::same(&minted.digest, &key::from_hex(&digest.to_uppercase()).unwrap()));
    }
}

#[test]
fn a_key_with_any_one_character_changed_is_none() {
    let key = key::mint(key::Kind::Live, &[0x5a; 48]).key;
    for at in 0..key.len() {
        for other in "09AZaz_-. \0é".chars().filter(|other| !key[at..].starts_with(*other)) {
            let changed = [&key[..at], other.encode_utf8(&mut [0; 4]), &key[at + 1..]].concat();
            assert!(!key::is_shaped(&changed), "{changed}");
        }
        assert!(!key::is_shaped(&key[..at]));
    }
    assert!(!key::is_shaped(&key.replace("live", "test")));
    for text in [
        "",
        "sgk_live_",
        "' OR 1=1--",
        "sgk_'||'",
        "../",
        "%27",
        "__proto__",
        &"a".repeat(1 << 20),
        &[&*key, "\n"].concat(),
    ] {
        assert!(!key::is_shaped(text) && !key::is_id(text));
    }
}

#[test]
fn digests_are_written_and_read_as_hexadecimal() {
    // FIPS 180-4's example.
    let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(key::to_hex(&key::digest("abc")), hex);
    assert_eq!(key::from_hex(hex), Some(key::digest("abc")));
    for wrong in ["", &hex[1..], &[hex, "0"].concat(), &hex.replace('b', "g"), &[&hex[..62], "é"].concat()] {
        assert_eq!(key::from_hex(wrong), None);
    }
    for at in 0..32 {
        let mut other = key::digest("abc");
        other[at] ^= 128;
        assert!(!key::same(&other, &key::digest("abc")));
    }
}

#[test]
fn a_root_secret_that_is_none_is_refused_without_a_word_of_it() {
    let long = "changeme".repeat(8);
    for (text, reason) in [
        ("", "empty"),
        (&" ".repeat(40), "empty"),
        ("\n\t", "empty"),
        ("9f8e7d6c5b4a39281706f5e4d3c2b1a", "32 characters"),
        ("x7Kp", "32 characters"),
        (&"x".repeat(64), "repeats"),
        (&"abc".repeat(20), "repeats"),
        (&long, "repeats"),
        ("Change-Me-Please-0123456789-abcdefgh", "placeholder"),
        ("<your secret> goes here, 32 characters", "placeholder"),
        ("correct horse PASSWORD battery staple", "placeholder"),
        ("9f8e7d6c5b4a39281706f5e4d3c2b1a0\n", "whitespace"),
        (" 9f8e7d6c5b4a39281706f5e4d3c2b1a0", "whitespace"),
    ] {
        let error = Root::new(text).unwrap_err();
        assert_eq!(error.code(), "misconfigured");
        assert!(error.message().contains(reason), "{text:?}: {error}");
        assert!(text.len() < 4 || !error.to_string().contains(text));
    }
    for good in
        ["9f8e7d6c5b4a39281706f5e4d3c2b1a0", "四川盆地的雾里藏着三十二个不同的汉字没有人能猜到它们的顺序吧真的吗好"]
    {
        assert!(Root::new(good).is_ok(), "{good}");
    }
}

#[test]
fn short_keys_are_none() {
    assert!(Key::of_text(&"x".repeat(31)).is_none() && Key::of_text("").is_none());
    assert!(Key::of_text(&"x".repeat(32)).is_some());
}

#[test]
fn no_secret_shows_in_debug_output() {
    let value = "9f8e7d6c5b4a39281706f5e4d3c2b1a0";
    let root = root(value);
    let authority = Authority::new("issuer", root.clone(), Some(root.clone()));
    let key = root.signing_key(Kind::Access);
    for shown in
        [format!("{:?}", Secret::new(value)), format!("{root:?}"), format!("{key:?}"), format!("{authority:#?}")]
    {
        assert!(shown.contains("Secret") && !shown.contains("9f8e"), "{shown}");
        assert!(!shown.bytes().any(|byte| byte.is_ascii_digit()), "{shown}");
    }
}

proptest! {
    #[test]
    fn keys_of_any_random_bytes_have_the_form_that_scanners_know(bytes in prop::collection::vec(any::<u8>(), 48)) {
        let random: [u8; 48] = bytes.try_into().unwrap();
        let minted = key::mint(key::Kind::Test, &random);
        prop_assert!(key::is_shaped(&minted.key) && key::is_id(&minted.id));
        prop_assert_eq!(minted.key.len(), 45);
        prop_assert!(minted.key.starts_with(&minted.prefix) && minted.key.ends_with(&minted.last4));
        prop_assert_eq!(minted.digest, key::digest(&minted.key));
    }

    #[test]
    fn what_is_made_is_accepted_and_says_the_same(
        key_id in "\\PC{1,60}", version: u64, origin in prop::option::of("\\PC{1,60}"), ttl in 1u64..100_000, random: [u8; 16], now in 1u64..50_000_000_000, kind in 0usize..3,
    ) {
        let authority = authority(&vectors());
        let kind = Kind::ALL[kind];
        let issued = authority.issue(now, kind, &Subject { key_id: &key_id, version, origin: origin.as_deref() }, ttl, &random).unwrap();
        prop_assert!(jwt::is_shaped(&issued.token));
        let verified = verify(&authority, now, kind, &issued.token, origin.as_deref()).unwrap();
        prop_assert_eq!((verified.key_id, verified.version, verified.id), (key_id, version, issued.id));
        prop_assert_eq!((verified.issued_at, verified.expires_at), (now, issued.expires_at));
        prop_assert_eq!(verify(&authority, issued.expires_at, kind, &issued.token, origin.as_deref()), Err(Refused::Expired));
    }

    #[test]
    fn any_text_is_judged_without_a_panic(text in prop_oneof!["\\PC{0,80}", "[A-Za-z0-9_=.-]{0,120}", "eyJ[A-Za-z0-9_-]{0,40}\\.eyJ[A-Za-z0-9_-]{0,60}\\.[A-Za-z0-9_-]{42,44}"]) {
        let authority = authority(&vectors());
        prop_assert!(token::peek(&text).is_err());
        prop_assert!(token::verify_assertion(NOW, &keys(&["0123456789abcdef0123456789abcdef"]), Profile::Guide, "i", &text).is_err());
        for kind in Kind::ALL {
            prop_assert!(verify(&authority, NOW, kind, &text, None).is_err());
        }
        prop_assert!(!key::is_shaped(&text) && !key::is_id(&text));
        prop_assert!(key::from_hex(&text).is_none() || text.len() == 64);
    }

    #[test]
    fn any_header_and_payload_rightly_signed_are_judged_without_a_panic(header in "\\PC{0,40}", payload in prop_oneof!["\\PC{0,80}", "\\{\"(exp|iat|iss|ver)\":[0-9.eE+\"-]{0,24},\"(exp|aud|jti)\":[0-9.a\"-]{0,24}\\}"], good: bool) {
        let key = Key::of_bytes(&[7; 32]).unwrap();
        let typ = if good { "client-assertion+jwt" } else { &header };
        let token = jwt::sign(&key, typ, &payload).unwrap();
        let _ = token::verify_assertion(NOW, &[key], Profile::Guide, "i", &token);
        let _ = token::peek(&token);
    }
}

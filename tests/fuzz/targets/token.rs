//! Any text as a credential, and any header and payload rightly signed: judged without a panic; what is accepted is within its life, and
//! not as two kinds at once.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluicegate::access::secret::{Key, Root};
use sluicegate::access::token::{self, Authority, Kind, Profile};
use sluicegate::access::{jwt, key};
use std::sync::LazyLock;

const NOW: u64 = 1_800_000_000;

static AUTHORITY: LazyLock<(Authority, Root)> = LazyLock::new(|| {
    let root = Root::new("9f8e7d6c5b4a39281706f5e4d3c2b1a0").unwrap();
    (Authority::new("i", root.clone(), None), root)
});

fn judge(text: &str, keys: &[Key]) {
    let (authority, _) = &*AUTHORITY;
    let mut accepted = 0;
    for kind in [Kind::Access, Kind::Session] {
        if let Ok(verified) = authority.verify(NOW, kind, text) {
            accepted += 1;
            assert!(NOW < verified.expires_at && verified.issued_at <= NOW + token::LEEWAY_S);
            assert!(verified.expires_at - verified.issued_at <= kind.longest_s());
        }
    }
    accepted += usize::from(authority.verify_ticket(NOW, text, None).is_ok());
    let strict = token::verify_assertion(NOW, keys, Profile::Strict, "i", text);
    if let Ok(assertion) = token::verify_assertion(NOW, keys, Profile::Guide, "i", text) {
        accepted += 1;
        assert!(NOW < assertion.forget_at() && token::peek(text).is_ok_and(|named| named == assertion.named));
    } else {
        assert!(strict.is_err(), "what is strict is good for the guides too");
    }
    assert!(accepted <= 1, "one kind only");
    assert!(token::verify_assertion(NOW, &[], Profile::Guide, "i", text).is_err());
}

fuzz_target!(|input: (u8, &str, &str)| {
    let (how, header, payload) = input;
    let (_, root) = &*AUTHORITY;
    let kinds = [Kind::Access, Kind::Session, Kind::Ticket];
    let own = kinds.get(usize::from(how & 3));
    let key = own.map_or_else(|| Key::of_text(&root.api_secret("k", 0)).unwrap(), |kind| root.signing_key(*kind));
    let typ = match how >> 2 & 3 {
        0 => own.map_or(token::ASSERTION_TYPE, |kind| kind.typ()),
        1 => "JWT",
        _ => header,
    };
    let keys = [Key::of_text(&root.api_secret("k", 0)).unwrap()];
    if let Some(token) = jwt::sign(&key, typ, payload) {
        judge(&token, &keys);
    }
    judge(payload, &keys);
    assert!(!key::is_shaped(payload) || payload.len() == 45);
    let _ = key::from_hex(payload).map(|digest| assert!(key::to_hex(&digest).eq_ignore_ascii_case(payload)));
    let _ = Root::new(payload);
});

//! The failure vectors, and what must hold for any body.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use serde_json::Value;
use sluicegate::error::Vendor;
use sluicegate::reply::{FailureHead, classify_failure, error_body};
use sluicegate::{Error, ErrorKind};

fn classify(case: &Value) -> Error {
    let header = |name: &str| case["headers"][name].as_str();
    let head = FailureHead {
        status: case["status"].as_u64().unwrap() as u16,
        content_type: header("content-type"),
        retry_after: header("retry-after"),
        retry_after_ms: header("retry-after-ms"),
        trace_id: header("x-request-id"),
        now_unix_ms: case["now_unix_ms"].as_u64(),
        content_length: None,
    };
    classify_failure(&head, case["body"].as_str().unwrap().as_bytes())
}

fn cases() -> Vec<(String, Value)> {
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/failures")).unwrap() {
        let path = entry.unwrap().path();
        let list: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let file = path.file_stem().unwrap().to_string_lossy().into_owned();
        cases.extend(list.into_iter().map(|case| (format!("{file}: {}", case["name"].as_str().unwrap()), case)));
    }
    assert!(cases.len() >= 50, "only {} cases", cases.len());
    cases
}

#[test]
fn every_failure_vector_gets_its_kind_and_detail() {
    let mut wrong = Vec::new();
    for (name, case) in cases() {
        let error = classify(&case);
        let vendor = error.vendor().unwrap();
        let mut check = |what: &str, found: Value, expected: &Value| {
            if found != *expected {
                wrong.push(format!("{name}: {what} is {found}, expected {expected}"));
            }
        };
        check("code", error.code().into(), &case["code"]);
        check("param", error.param().into(), &case["param"]);
        check("retry_after_ms", error.retry_after_ms().into(), &case["retry_after_ms"]);
        for (what, found) in
            [("vendor_code", &vendor.code), ("vendor_message", &vendor.message), ("trace_id", &vendor.trace_id)]
        {
            if let Some(expected) = case.get(what) {
                check(what, found.as_deref().into(), expected);
            }
        }
        check("vendor status", vendor.status.into(), &case["status"]);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_error_body_is_read_back_as_the_same_error() {
    for kind in ErrorKind::ALL {
        let vendor = Vendor {
            status: Some(418),
            code: Some("50508".to_owned()),
            message: Some("busy \"now\"".to_owned()),
            trace_id: Some("t-1".to_owned()),
        };
        let error = Error::new(*kind, "What happened.").with_param("a.b").with_retry_after_ms(7).with_vendor(vendor);
        let head = FailureHead { status: error.status(), ..FailureHead::default() };
        assert_eq!(classify_failure(&head, error_body(&error).as_bytes()), error, "{}", kind.code());
    }
}

#[test]
fn an_error_body_has_the_form_that_clients_of_openai_expect() {
    let body: Value = serde_json::from_str(&error_body(&Error::new(ErrorKind::RateLimited, "Slow."))).unwrap();
    assert_eq!(body["error"]["type"], "rate_limit_error");
    assert_eq!(body["error"]["code"], "rate_limited");
    assert_eq!(body["error"]["message"], "Slow.");
    assert_eq!(body["error"]["param"], Value::Null);
    assert_eq!(body["error"]["party"], "upstream");
    assert!(body["error"]["next_step"].is_string());
    let of =
        |kind| serde_json::from_str::<Value>(&error_body(&Error::new(kind, "x"))).unwrap()["error"]["type"].clone();
    assert_eq!(of(ErrorKind::InvalidRequest), "invalid_request_error");
    assert_eq!(of(ErrorKind::Authentication), "authentication_error");
    assert_eq!(of(ErrorKind::QuotaExceeded), "insufficient_quota");
    assert_eq!(of(ErrorKind::Overloaded), "api_error");
}

#[test]
fn a_long_or_dirty_message_is_bounded_and_cleaned() {
    let body = serde_json::json!({ "error": { "message": format!("a\u{0}b\n{}", "好".repeat(5000)), "code": "c".repeat(999) } });
    let error = classify_failure(&FailureHead { status: 500, ..FailureHead::default() }, body.to_string().as_bytes());
    let vendor = error.vendor().unwrap();
    let message = vendor.message.as_deref().unwrap();
    assert!(message.starts_with("ab 好"));
    assert_eq!(message.chars().count(), Vendor::MESSAGE_CHARS);
    assert!(vendor.code.as_deref().unwrap().len() <= 128);
}

#[test]
fn our_own_message_never_quotes_the_vendor() {
    for (name, case) in cases() {
        let error = classify(&case);
        if let Some(message) = error.vendor().and_then(|vendor| vendor.message.as_deref()).filter(|m| m.len() > 20) {
            assert!(
                !error.message().contains(message) || case["body"].as_str().unwrap().contains("next_step"),
                "{name}"
            );
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_classified(status in 0u16..1000, body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let error = classify_failure(&FailureHead { status, ..FailureHead::default() }, &body);
        prop_assert!(!error.message().is_empty());
    }

    #[test]
    fn any_json_is_classified(status in 0u16..1000, key in "error|code|message|detail|errors|vendor|party", value in "\\PC{0,40}", n in any::<i64>()) {
        for inner in [serde_json::json!(value), serde_json::json!(n), serde_json::json!([value]), serde_json::json!({ "message": [n], "code": value, "loc": [n] })] {
            let body = serde_json::json!({ &key: inner }).to_string();
            classify_failure(&FailureHead { status, ..FailureHead::default() }, body.as_bytes());
        }
    }

    #[test]
    fn no_key_survives_in_what_is_kept(key in "sk-[A-Za-z0-9]{16,48}|[a-f0-9]{32}|Bearer [A-Za-z0-9]{12,40}", before in "[ a-z:]{0,20}[ :=\"'(，]", after in "[ ,)，。'\"][ a-z]{0,20}") {
        let secret = key.trim_start_matches("Bearer ");
        prop_assume!(secret.bytes().any(|b| b.is_ascii_digit()) && secret.bytes().any(|b| b.is_ascii_alphabetic()));
        // A short word alone is only known as a key by the word before it.
        let code = if key.starts_with("Bearer ") { "x" } else { secret };
        let body = serde_json::json!({ "error": { "message": format!("{before}{key}{after}"), "code": code, "param": code } });
        let error = classify_failure(&FailureHead { status: 401, ..FailureHead::default() }, body.to_string().as_bytes());
        prop_assert!(!error_body(&error).contains(secret), "{}", error_body(&error));
    }
}

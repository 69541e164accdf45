//! Masked request bodies, by the shared vectors and by properties.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use serde_json::{Value, json};
use sluicegate::Error;
use sluicegate::limits::Limits;
use sluicegate::redact::body::{Format, MaskedBody, mask};
use sluicegate::redact::{Action, Entity, Language, Mode, Policy, Redactor, Session, Tally};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

const PHONE: &str = "13812345678";

fn policy(case: &Value) -> Policy {
    let mut policy = Policy::default();
    for (entity, action) in case["actions"].as_object().into_iter().flatten() {
        let action = match action.as_str().unwrap() {
            "block" => Action::Block,
            "keep" => Action::Keep,
            "local_only" => Action::LocalOnly,
            other => panic!("unknown action {other}"),
        };
        policy.actions.push((Entity::from_key(entity).unwrap(), action));
    }
    if case["mode"] == "irreversible" {
        policy.mode = Mode::Irreversible;
    }
    policy
}

fn run(policy: Policy, format: Format, body: &str) -> (Result<MaskedBody, Error>, Session, Tally) {
    let redactor = Redactor::new(policy).unwrap();
    let (mut session, mut tally) = (Session::new(&[7; 32]), Tally::default());
    let masked = mask(&redactor, &mut session, format, body, &Limits::default(), &mut tally);
    (masked, session, tally)
}

fn masked(body: &str) -> MaskedBody {
    static REDACTOR: OnceLock<Redactor> = OnceLock::new();
    let redactor = REDACTOR.get_or_init(|| Redactor::new(Policy::default()).unwrap());
    let (mut session, mut tally) = (Session::new(&[7; 32]), Tally::default());
    mask(redactor, &mut session, Format::Json, body, &Limits::default(), &mut tally).unwrap()
}

/// Every token as `⟦⟧`: what stands in one is not the body's business.
fn without_tokens(text: &str) -> String {
    let mut parts = text.split('⟦');
    let mut plain = parts.next().unwrap().to_owned();
    for part in parts {
        plain.push_str("⟦⟧");
        plain.push_str(part.split_once('⟧').unwrap().1);
    }
    plain
}

#[test]
fn the_vectors_hold() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("vectors/redact/body.json")).unwrap();
    for case in &cases {
        let name = &case["name"];
        let body = case["text"].as_str().map_or_else(|| case["body"].to_string(), str::to_owned);
        let format = match case["format"].as_str() {
            None => Format::Json,
            Some("lines") => Format::JsonLines,
            Some("text") => Format::Text,
            Some(other) => panic!("unknown format {other}"),
        };
        let (result, session, _) = run(policy(case), format, &body);
        if let Some(code) = case["error"].as_str() {
            let error = result.expect_err(name.as_str().unwrap());
            assert_eq!((error.code(), error.param()), (code, case["param"].as_str()), "{name}");
            assert!(!error.to_string().contains(PHONE), "{name}");
            continue;
        }
        let masked = result.unwrap_or_else(|error| panic!("{name}: {error}"));
        if let Some(local) = case["local"].as_array() {
            assert_eq!((masked.local_only, json!(masked.local_entities)), (true, json!(local)), "{name}");
            assert!(!masked.text.contains(PHONE), "{name}");
            continue;
        }
        let expected = case["expected_text"].as_str().map_or_else(|| case["expected"].to_string(), str::to_owned);
        assert_eq!(without_tokens(&masked.text), expected, "{name}");
        assert_eq!(masked.changed, masked.text != body, "{name}");
        assert_eq!((masked.local_only, masked.local_entities.len()), (false, 0), "{name}");
        let tokens = masked.text.contains('⟦');
        assert_eq!(session.is_empty(), !tokens, "{name}");
    }
}

#[test]
fn a_name_that_is_hidden_is_still_an_identifier() {
    let body = r#"{"messages":[{"role":"user","name":"13812345678","content":"x"}]}"#;
    let value: Value = serde_json::from_str(&masked(body).text).unwrap();
    let name = value["messages"][0]["name"].as_str().unwrap();
    assert!(name != PHONE && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'), "{name}");
}

#[test]
fn what_is_masked_is_counted() {
    let (_, _, tally) = run(Policy::default(), Format::Json, r#"{"prompt":["13812345678","13812345678"],"user":"a"}"#);
    assert_eq!(tally.counts, [(Entity::PhoneCn, Action::Token, 2)]);
}

#[test]
fn the_same_value_has_the_same_token_wherever_it_stands() {
    let value: Value =
        serde_json::from_str(&masked(r#"{"prompt":["13812345678","{\"tel\":13812345678}"]}"#).text).unwrap();
    let token = value["prompt"][0].as_str().unwrap();
    assert_eq!(value["prompt"][1], format!("{{\"tel\":\"{token}\"}}"));
}

#[test]
fn the_hint_joins_the_first_system_message_or_is_one() {
    for language in [Language::Zh, Language::En] {
        let policy = || Policy { hint: true, language, ..Policy::default() };
        let hinted =
            |body: &str| -> Value { serde_json::from_str(&run(policy(), Format::Json, body).0.unwrap().text).unwrap() };
        let value = hinted(r#" {"messages":[{"role":"user","content":"13812345678"}]} "#);
        let hint = value["messages"][0]["content"].as_str().unwrap().to_owned();
        assert!(hint.contains("⟦…⟧") && value["messages"][0]["role"] == "system");
        assert_eq!(value["messages"][1]["role"], "user");

        let value = hinted(r#"{"messages":[{"role":"system","content":"S"},{"role":"user","content":"13812345678"}]}"#);
        assert_eq!(value["messages"][0]["content"], format!("S\n\n{hint}"));
        let value = hinted(
            r#"{"messages":[{"role":"developer","content":[{"type":"text","text":"S"}]},{"role":"user","content":"13812345678"}]}"#,
        );
        assert_eq!(value["messages"][0]["content"][1], json!({"type": "text", "text": hint}));
        let value = hinted(r#"{"system":"S","messages":[{"role":"user","content":"13812345678"}]}"#);
        assert_eq!(
            (&value["system"], value["messages"].as_array().unwrap().len()),
            (&json!(format!("S\n\n{hint}")), 1)
        );

        for body in [r#"{"messages":[{"role":"user","content":"x"}]}"#, r#"{"messages":[]}"#] {
            assert!(!run(policy(), Format::Json, body).0.unwrap().changed, "{body}");
        }
        assert!(!run(policy(), Format::Json, r#"{"prompt":"13812345678"}"#).0.unwrap().text.contains(&hint));
    }
}

#[test]
fn a_body_over_the_limit_is_refused_before_it_is_read() {
    let mut limits = Limits::default();
    limits.request_body = 10;
    let redactor = Redactor::new(Policy::default()).unwrap();
    let (mut session, mut tally) = (Session::new(&[7; 32]), Tally::default());
    let error = mask(&redactor, &mut session, Format::Json, "not JSON at all", &limits, &mut tally).unwrap_err();
    assert_eq!(error.code(), "payload_too_large");
}

#[test]
fn time_is_linear_in_hostile_bodies() {
    let deep = format!("{}\"{PHONE}\"{}", r#"{"name":1,"a":"#.repeat(30), "}".repeat(30));
    let nested = (0..6).fold(format!("{{\"tel\":\"{PHONE}\"}}"), |inner, _| json!({ "a": inner }).to_string());
    for body in [
        format!("[{}0]", "{\"name\":\"x\",\"type\":\"y\"},".repeat(40_000)),
        format!("[{}0]", format!("{deep},").repeat(1000)),
        format!("[{}0]", format!("{nested},").repeat(1000)),
        format!("\"{}\"", "\\u005b".repeat(150_000)),
        format!("\"{}\"", "[".repeat(900_000)),
    ] {
        let started = Instant::now();
        let _ = run(Policy::default(), Format::Json, &body);
        assert!(started.elapsed() < Duration::from_secs(20), "{}", &body[..60]);
    }
}

/// Any JSON, with texts that are private here and there.
fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        3 => "[a-z\"\\\\\n你é😀 {\\[]{0,8}",
        1 => "[a-z你 ]{0,4}".prop_map(|text| format!("{text} {PHONE} 好")),
        1 => Just(json!({"tel": PHONE, "n": [1, "x"]}).to_string()),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        text.prop_map(Value::from)
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        let key = prop_oneof![
            "[a-z]{1,6}",
            Just("content".to_owned()),
            Just("messages".to_owned()),
            Just("tools".to_owned()),
            Just("input".to_owned()),
            Just("metadata".to_owned()),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..5).prop_map(Value::from_iter),
        ]
    })
}

fn same_shape(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_shape(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.0 == b.0 && same_shape(a.1, b.1))
        }
        (Value::String(a), Value::String(b)) => a == b || a.contains(PHONE),
        (a, b) => a == b,
    }
}

proptest! {
    #[test]
    fn nothing_private_goes_out_and_nothing_else_changes(value in any_json(), pretty in any::<bool>()) {
        let body = if pretty { serde_json::to_string_pretty(&value).unwrap() } else { value.to_string() };
        let out = masked(&body);
        prop_assert!(!out.text.contains(PHONE), "{}", out.text);
        let after: Value = serde_json::from_str(&out.text).unwrap();
        prop_assert!(same_shape(&value, &after), "{} {}", body, out.text);
        prop_assert_eq!(out.changed, body.contains(PHONE));
        prop_assert!(out.changed || out.text == body);
    }

    #[test]
    fn what_is_masked_stays_as_it_is(value in any_json()) {
        let once = masked(&value.to_string());
        let twice = masked(&once.text);
        prop_assert!(!twice.changed, "{}", once.text);
    }

    #[test]
    fn any_text_is_masked_or_refused(text in "[\\[\\]{}:,\"\\\\a1u0 ]{0,24}") {
        let (result, ..) = run(Policy::default(), Format::Json, &text);
        prop_assert_eq!(result.is_ok(), serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok(), "{}", text);
    }
}

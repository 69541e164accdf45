//! What a gate's configuration says about private data, and what it makes of a call.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use serde_json::{Value, json};
use sluicegate::config::{Config, Covered};
use sluicegate::redact::Tally;
use sluicegate::request::{Endpoint, Request, Target};
use sluicegate::{Error, ErrorKind};

/// Written by hand; nobody's number.
const PHONE: &str = "13812345678";
const KEY: [u8; 32] = [7; 32];

fn upstream(name: &str, trusted: bool, models: &[&str]) -> Value {
    let url = format!("https://{name}.example.com/v1");
    json!({ "name": name, "dialect": "openai", "base_url": url, "models": models, "trusted": trusted })
}

fn config(redaction: &Value) -> Config {
    let upstreams = json!([
        upstream("far", false, &["far", "both"]),
        upstream("near", true, &["near", "both"]),
        upstream("spare", true, &["near"])
    ]);
    Config::parse(&json!({ "upstreams": upstreams, "redaction": redaction }).to_string()).unwrap()
}

fn body(model: &str, content: &str) -> String {
    json!({ "model": model, "messages": [{ "role": "user", "content": content }] }).to_string()
}

fn cover(config: &Config, body: &str, tally: &mut Tally) -> Result<Covered, Error> {
    config.cover(config.redaction().unwrap(), &KEY, Endpoint::ChatCompletions, body.as_bytes(), 1, tally)
}

fn sent(covered: &Covered) -> String {
    let route = &covered.plan.routes[0];
    let target = Target { dialect: route.dialect, model: &route.model, replay: None, add_usage: false };
    String::from_utf8(covered.request.build(&target).unwrap().body).unwrap()
}

#[test]
fn it_is_off_unless_configured() {
    let parse = |redaction: Value| {
        let mut config = json!({ "upstreams": [upstream("far", false, &["far"])] });
        if !redaction.is_null() {
            config["redaction"] = redaction;
        }
        Config::parse(&config.to_string()).unwrap()
    };
    assert!(parse(Value::Null).redaction().is_none());
    assert!(parse(json!(false)).redaction().is_none());
    assert!(parse(json!({})).redaction().is_some());
    assert_eq!(parse(json!({ "secret": "REDACTION_KEY" })).redaction().unwrap().secret(), Some("REDACTION_KEY"));
}

#[test]
fn an_upstream_gets_tokens_and_the_answer_gives_them_back() {
    let config = config(&json!({}));
    let mut tally = Tally::default();
    let mut covered = cover(&config, &body("far", &format!("打 {PHONE} 吧")), &mut tally).unwrap();
    let sent = sent(&covered);
    assert!(!sent.contains(PHONE), "{sent}");
    let redaction = config.redaction().unwrap();
    assert_eq!(redaction.summary(&tally), "PHONE_CN=1");
    assert_eq!(redaction.counts(&tally).collect::<Vec<_>>(), [("PHONE_CN", "token", 1)]);
    assert!(covered.cover.changes_answer() && covered.cover.gives_back());
    let token = &sent[sent.find('⟦').unwrap()..sent.find('⟧').unwrap() + '⟧'.len_utf8()];
    let answer = json!({ "object": "chat.completion", "choices": [{ "index": 0, "message": { "role": "assistant", "content": format!("好，{token}") }, "finish_reason": "stop" }] });
    let given = String::from_utf8(covered.cover.whole(answer.to_string().as_bytes())).unwrap();
    assert!(given.contains(PHONE), "{given}");
    assert!(!format!("{covered:?}").contains(PHONE));
}

#[test]
fn a_request_with_nothing_private_is_sent_as_it_came_and_so_is_its_answer() {
    let config = config(&json!({}));
    let plain = body("far", "打电话");
    let covered = cover(&config, &plain, &mut Tally::default()).unwrap();
    assert!(!covered.cover.changes_answer() && !covered.cover.gives_back());
    let unmasked = Request::parse(Endpoint::ChatCompletions, plain.as_bytes(), &config.limits()).unwrap();
    let target = Target { dialect: covered.plan.routes[0].dialect, model: "far", replay: None, add_usage: false };
    assert_eq!(sent(&covered).into_bytes(), unmasked.build(&target).unwrap().body);
}

#[test]
fn who_is_trusted_alone_reads_it_and_who_is_not_alone_does_not() {
    let config = config(&json!({}));
    for (model, reads) in [("far", false), ("near", true), ("both", false)] {
        let mut tally = Tally::default();
        let covered = cover(&config, &body(model, PHONE), &mut tally).unwrap();
        assert_eq!(sent(&covered).contains(PHONE), reads, "{model}");
        assert_eq!(config.redaction().unwrap().summary(&tally).is_empty(), reads, "{model}");
    }
}

#[test]
fn an_upstreams_words_are_hidden_for_good_and_all_else_of_an_error_stays() {
    let config = config(&json!({ "entities": { "PHONE_CN": "block" } }));
    let redaction = config.redaction().unwrap();
    let vendor = sluicegate::error::Vendor {
        status: Some(400),
        code: Some("bad_value".to_owned()),
        message: Some(format!("Invalid value: {PHONE}.")),
        trace_id: Some("trace-1".to_owned()),
    };
    let error = Error::new(ErrorKind::RateLimited, "The upstream's rate limit is reached.")
        .with_param("messages[0]")
        .with_retry_after_ms(1_500)
        .with_vendor(vendor.clone());
    let clean = redaction.clean(&error);
    assert_eq!(
        (clean.kind(), clean.message(), clean.param(), clean.retry_after_ms()),
        (error.kind(), error.message(), error.param(), error.retry_after_ms())
    );
    let words = Some("Invalid value: ***手机号***.".to_owned());
    assert_eq!(clean.vendor(), Some(&sluicegate::error::Vendor { message: words, ..vendor }));
}

#[test]
fn a_body_that_grows_over_the_limit_by_being_masked_still_goes() {
    let limit = 16 << 10;
    let config = json!({ "upstreams": [upstream("far", false, &["far"])], "redaction": {}, "limits": { "request_body": limit } });
    let config = Config::parse(&config.to_string()).unwrap();
    // As many different numbers as fit: each becomes a token that is longer than it.
    let numbers: Vec<String> = (0..1_000).map(|at| format!("138{at:08}")).collect();
    let mut text = numbers.join(" ");
    text.push_str(&" ".repeat(limit - body("far", &text).len()));
    let body = body("far", &text);
    assert_eq!(body.len(), limit);
    let covered = cover(&config, &body, &mut Tally::default()).unwrap();
    assert!(sent(&covered).len() > limit);
}

//! Requests that are repaired and continued, by the shared vectors and by properties.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use serde_json::{Value, json};
use sluicegate::limits::Limits;
use sluicegate::reply::{FailureHead, classify_failure};
use sluicegate::request::{Built, ContinueBy, Dialect, Endpoint, Preset, Replay, Request, Target, anchor, url};
use sluicegate::{Error, ErrorKind};

fn vectors(name: &str) -> Vec<Value> {
    let path = format!("{}/tests/vectors/request/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn endpoint(case: &Value) -> Endpoint {
    if case["endpoint"] == "completions" { Endpoint::Completions } else { Endpoint::ChatCompletions }
}

fn replay(name: &Value) -> Option<Replay> {
    [Replay::Keep, Replay::Strip, Replay::WithTools].into_iter().find(|replay| *name == replay.as_str())
}

fn target(case: &Value) -> Target<'_> {
    Target {
        dialect: case["dialect"].as_str().unwrap_or("openai").parse().unwrap(),
        model: case["model"].as_str().unwrap_or("m"),
        replay: replay(&case["replay"]),
        add_usage: case["add_usage"].as_bool().unwrap_or_default(),
    }
}

fn limits(case: &Value) -> Limits {
    let mut limits = Limits::default();
    let given = |name: &str| case["limits"][name].as_u64().map(|value| value as usize);
    limits.messages = given("messages").unwrap_or(limits.messages);
    limits.request_body = given("request_body").unwrap_or(limits.request_body);
    limits
}

fn parsed(body: &Value, case: &Value) -> Request {
    Request::parse(endpoint(case), body.to_string().as_bytes(), &limits(case)).unwrap()
}

/// What is sent, without the model, and without messages that are the usual ones.
fn sent(built: &Built) -> Value {
    let mut body: Value = serde_json::from_slice(&built.body).unwrap();
    body.as_object_mut().unwrap().remove("model");
    if body["messages"] == json!([{"role": "user", "content": "hi"}]) {
        body.as_object_mut().unwrap().remove("messages");
    }
    body
}

fn failure(case: &Value) -> Error {
    let status = case["status"].as_u64().unwrap_or(400) as u16;
    classify_failure(&FailureHead { status, ..FailureHead::default() }, case["failure"].to_string().as_bytes())
}

fn same(what: &str, expected: &Value, found: &Value) -> Result<(), String> {
    if expected == found { Ok(()) } else { Err(format!("{what}: expected {expected}, found {found}")) }
}

fn run_all(file: &str, least: usize, verdict: fn(&Value) -> Result<(), String>) {
    let cases = vectors(file);
    assert!(cases.len() >= least, "only {} vectors were found", cases.len());
    let wrong: Vec<_> = cases
        .iter()
        .filter_map(|case| verdict(case).err().map(|why| format!("{}: {why}", case["name"].as_str().unwrap())))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_repair_vector_gives_what_it_says() {
    run_all("repair", 80, |case| {
        let mut body = json!({"messages": [{"role": "user", "content": "hi"}]});
        body.as_object_mut().unwrap().extend(case["fields"].as_object().unwrap().clone());
        let (request, target, error) = (parsed(&body, case), target(case), failure(case));
        let Some(repair) = request.repaired(&error, &target) else {
            return same("sent", &case["sent"], &Value::Null).map_err(|why| format!("{} {why}", error.code()));
        };
        same("change", &case["change"], &repair.change.field.clone().into())?;
        same("use", &case["use"], &repair.replay.map_or(Value::Null, |replay| replay.as_str().into()))?;
        let target = Target { replay: repair.replay.or(target.replay), ..target };
        let mut found = sent(&repair.request.build(&target).unwrap());
        let mut expected = case["sent"].clone();
        for side in [&mut found, &mut expected] {
            floats(side);
        }
        same("sent", &expected, &found)?;
        match repair.request.repaired(&error, &target) {
            Some(again) if sent(&again.request.build(&target).unwrap()) == found => Err("repaired to the same".into()),
            _ => Ok(()),
        }
    });
}

/// `1` and `1.0` are the same number.
fn floats(value: &mut Value) {
    match value {
        Value::Number(number) => *value = json!(number.as_f64().unwrap()),
        Value::Object(members) => members.values_mut().for_each(floats),
        Value::Array(items) => items.iter_mut().for_each(floats),
        _ => {}
    }
}

#[test]
fn every_continuation_vector_gives_what_it_says() {
    run_all("continue", 30, |case| {
        let by: ContinueBy = case["by"].as_str().unwrap().parse().unwrap();
        let text = case["text"].as_str().unwrap();
        let request = parsed(&case["body"], case);
        let Some(request) = request.continued(by, text, case["reasoning"].as_str().unwrap_or_default()) else {
            return same("sent", &case["sent"], &Value::Null);
        };
        let built = request.build(&target(case)).unwrap();
        same("beta", &case["beta"].as_bool().unwrap_or_default().into(), &built.beta.into())?;
        same("sent", &case["sent"], &sent(&built))
    });
}

#[test]
fn a_beta_request_goes_to_the_beta_address() {
    let case = json!({"dialect": "deepseek"});
    let plain = parsed(&json!({"messages": [{"role": "user", "content": "hi"}]}), &case);
    let beta = plain.continued(ContinueBy::Prefix, "Hel", "").unwrap().build(&target(&case)).unwrap();
    let plain = plain.build(&target(&case)).unwrap();
    for (base, at_base, at_beta) in [
        ("https://api.deepseek.com", "https://api.deepseek.com", "https://api.deepseek.com/beta"),
        ("https://api.deepseek.com/", "https://api.deepseek.com", "https://api.deepseek.com/beta"),
        ("https://api.deepseek.com/v1", "https://api.deepseek.com/v1", "https://api.deepseek.com/beta"),
        ("https://api.deepseek.com/beta", "https://api.deepseek.com/beta", "https://api.deepseek.com/beta"),
        ("http://127.0.0.1:80/x/v1", "http://127.0.0.1:80/x/v1", "http://127.0.0.1:80/x/beta"),
    ] {
        assert_eq!(url(base, &plain), format!("{at_base}/chat/completions"));
        assert_eq!(url(base, &beta), format!("{at_beta}/chat/completions"));
    }
    let elsewhere = json!({"dialect": "siliconflow"});
    let request = parsed(&json!({"messages": [{"role": "assistant", "content": "a", "prefix": true}]}), &elsewhere);
    assert!(!request.build(&target(&elsewhere)).unwrap().beta);
}

#[test]
fn names_of_ways_to_continue_are_read_back() {
    for &by in ContinueBy::ALL {
        assert_eq!(by.as_str().parse::<ContinueBy>().unwrap(), by);
    }
    assert_eq!("Prefix".parse::<ContinueBy>().unwrap_err().kind(), ErrorKind::InvalidRequest);
    assert_eq!(ContinueBy::for_model(Dialect::DeepSeek, "deepseek-v4-pro"), ContinueBy::Prefix);
    assert_eq!(ContinueBy::for_model(Dialect::SiliconFlow, "deepseek-ai/DeepSeek-R1"), ContinueBy::Anchor);
    assert_eq!(ContinueBy::for_model(Dialect::OpenAi, "gpt-4o"), ContinueBy::Anchor);
}

#[test]
fn a_request_tells_what_it_needs() {
    let needs = |body: Value, endpoint: &str| parsed(&body, &json!({ "endpoint": endpoint })).needs();
    let plain = needs(json!({"messages": [{"role": "user", "content": "12345678"}], "max_tokens": 7}), "chat");
    assert_eq!((plain.vision, plain.audio, plain.tools, plain.json, plain.ends_with_assistant), Default::default());
    assert_eq!((plain.prompt_tokens, plain.max_tokens), (4 + 2, Some(7)));
    let chinese =
        needs(json!({"messages": [{"role": "user", "content": "你好，abcd"}], "preset": "reasoning"}), "chat");
    assert_eq!((chinese.prompt_tokens, chinese.max_tokens), (4 + 3 + 1, Some(512)));
    let parts = json!([
        {"type": "text", "text": "abcd"},
        {"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{}", "A".repeat(9999))}},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
    ]);
    let rich = needs(
        json!({
            "messages": [{"role": "user", "content": parts}, {"role": "assistant", "content": "abcd"}],
            "tools": [{"type": "function", "function": {"name": "f"}}],
            "response_format": {"type": "json_object"}, "max_completion_tokens": 9,
        }),
        "chat",
    );
    assert_eq!(
        (rich.vision, rich.audio, rich.tools, rich.json, rich.ends_with_assistant),
        (true, true, true, true, true)
    );
    assert_eq!(rich.max_tokens, Some(9));
    assert!((2050..2100).contains(&rich.prompt_tokens), "{}", rich.prompt_tokens);
    let called = needs(
        json!({"messages": [{"role": "tool", "tool_call_id": "c", "content": "1"}], "tools": [], "response_format": {"type": "text"}}),
        "chat",
    );
    assert_eq!((called.tools, called.json), (true, false));
    assert!(!needs(json!({"messages": [{"role": "user", "content": "a"}], "tools": []}), "chat").tools);
    for (prompt, tokens) in
        [(json!("12345678"), 2), (json!(["1234", "你好"]), 3), (json!([1, 2, 3]), 3), (json!([[1, 2], [3]]), 3)]
    {
        assert_eq!(needs(json!({ "prompt": prompt }), "completions").prompt_tokens, tokens);
    }
}

#[test]
fn debug_output_shows_no_text() {
    let request = parsed(
        &json!({"messages": [{"role": "user", "content": "CANARY"}], "user": "CANARY", "model": "m"}),
        &json!({}),
    );
    for &by in ContinueBy::ALL {
        let continued = request.continued(by, "CANARY and more", "CANARY");
        assert!(!format!("{continued:?}").contains("CANARY"));
    }
    let error =
        failure(&json!({"failure": {"error": {"message": "Unsupported parameter: 'user' CANARY", "param": "user"}}}));
    let repair = request.repaired(&error, &target(&json!({}))).unwrap();
    assert!(!format!("{repair:?}").contains("CANARY"));
}

/// A chat request with fields of all kinds.
fn body() -> impl Strategy<Value = Value> {
    let fields = vec![
        json!({"temperature": 1.5}),
        json!({"top_p": 0.25}),
        json!({"max_tokens": 7000}),
        json!({"max_completion_tokens": 9000}),
        json!({"max_tokens": null}),
        json!({"logprobs": true, "top_logprobs": 5}),
        json!({"presence_penalty": -2}),
        json!({"seed": 7}),
        json!({"user": "u"}),
        json!({"preset": "creative"}),
        json!({"preset": "realtime"}),
        json!({"stream": true, "stream_options": {"include_usage": true}}),
        json!({"stop": ["a"]}),
        json!({"tools": [{"type": "function", "function": {"name": "f"}}]}),
        json!({"reasoning_effort": "high"}),
    ];
    let messages = vec![
        json!({"role": "user", "content": "hi"}),
        json!({"role": "developer", "content": "be brief"}),
        json!({"role": "assistant", "content": "a", "reasoning_content": "r"}),
        json!({"role": "assistant", "content": null, "reasoning_content": "r"}),
        json!({"role": "assistant", "content": "a", "prefix": true}),
        json!({"role": "assistant", "content": null, "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}]}),
        json!({"role": "tool", "content": "1", "tool_call_id": "c"}),
    ];
    let messages = prop::collection::vec(prop::sample::select(messages), 1..6);
    (messages, prop::sample::subsequence(fields, 0..9)).prop_map(|(messages, fields)| {
        let mut body = json!({ "model": "m", "messages": messages });
        fields.iter().for_each(|field| body.as_object_mut().unwrap().extend(field.as_object().unwrap().clone()));
        body
    })
}

fn words() -> impl Strategy<Value = String> {
    let fields = "temperature|top_p|max_tokens|max_completion_tokens|logprobs|stream_options|'user'|seed|reasoning_content|tools|presence_penalty";
    let verbs = "is not supported|must be <= 1|must be between 0 and 2|range is \\[1, 8192\\]|must be at least 16|is unknown, use max_tokens|must be less than -1|must be passed back|: please remove it|, this model's maximum context length is 8000 tokens, you requested 9999 tokens \\(999 in the messages, 9000 in the completion\\)|must be at most 99999999999999999999|не поддерживается|不能超过 3";
    let seen = "[a-z0-9 \\[\\](),.<>='`-]{0,20}";
    (seen, fields, verbs, seen).prop_map(|(before, field, verb, after)| format!("{before} {field} {verb} {after}"))
}

fn targets() -> impl Strategy<Value = Target<'static>> {
    let replays = vec![None, Some(Replay::Keep), Some(Replay::Strip), Some(Replay::WithTools)];
    let models = vec!["m", "deepseek-flash", "deepseek-ai/DeepSeek-R1", "Qwen/Qwen3-8B"];
    (prop::sample::select(Dialect::ALL), prop::sample::select(models), prop::sample::select(replays), any::<bool>())
        .prop_map(|(dialect, model, replay, add_usage)| Target { dialect, model, replay, add_usage })
}

/// The repaired request is one that parses and builds, and what is sent differs, or this says why not.
fn check_repair(request: &Request, error: &Error, target: &Target<'_>) -> Result<(), TestCaseError> {
    let Some(repair) = request.repaired(error, target) else { return Ok(()) };
    let target = Target { replay: repair.replay.or(target.replay), ..*target };
    let built = repair.request.build(&target).unwrap();
    if let Ok(before) = request.build(&target) {
        prop_assert!(repair.replay.is_some() || before.body != built.body);
    }
    let again = Request::parse(request.endpoint(), &built.body, &Limits::default()).unwrap();
    prop_assert!(again.build(&target).is_ok());
    prop_assert!(!repair.change.field.is_empty() && !repair.change.what.is_empty());
    // What the model is told, may call and ends with is the same.
    let (before, after): (Value, Value) = (
        serde_json::from_slice(&request.build(&target).unwrap().body).unwrap(),
        serde_json::from_slice(&built.body).unwrap(),
    );
    for field in ["messages", "tools", "stop", "model", "stream"] {
        prop_assert_eq!(&before[field], &after[field]);
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_repaired_request_parses_and_builds_and_differs(
        body in body(), words in words(), target in targets(), named in any::<bool>(), preset in any::<bool>(),
    ) {
        let mut request = parsed(&body, &json!({}));
        if preset {
            request = request.with_preset(Preset::Reasoning);
        }
        let param = words.split_whitespace().nth(1).filter(|_| named);
        let error = failure(&json!({"failure": {"error": {"message": words, "param": param}}}));
        check_repair(&request, &error, &target)?;
    }

    #[test]
    fn no_words_of_a_vendor_are_too_strange(body in body(), words in "\\PC{0,80}", target in targets()) {
        let request = parsed(&body, &json!({}));
        let error = failure(&json!({"failure": {"error": {"message": words}}}));
        check_repair(&request, &error, &target)?;
    }

    #[test]
    fn a_continued_request_parses_and_builds(
        body in body(), text in "\\PC{0,80}", reasoning in "\\PC{0,20}", target in targets(), by in prop::sample::select(ContinueBy::ALL),
    ) {
        let request = parsed(&body, &json!({}));
        let Some(continued) = request.continued(by, &text, &reasoning) else { return Ok(()) };
        let built = continued.build(&target).unwrap();
        let again = Request::parse(request.endpoint(), &built.body, &Limits::default()).unwrap();
        prop_assert!(again.build(&target).is_ok());
        let body: Value = serde_json::from_slice(&built.body).unwrap();
        let messages = body["messages"].as_array().unwrap();
        let prefix = messages.last().unwrap()["prefix"] == true;
        prop_assert!(prefix || by != ContinueBy::Prefix);
        prop_assert_eq!(built.beta, prefix && target.dialect == Dialect::DeepSeek);
        let given = &messages[messages.len() - if by == ContinueBy::Anchor { 2 } else { 1 }];
        prop_assert!(given["content"].as_str().unwrap().ends_with(&text));
        prop_assert_eq!(&given["role"], "assistant");
    }

    #[test]
    fn an_anchor_is_the_end_of_its_text(text in "\\PC{0,200}") {
        let anchor = anchor(&text);
        prop_assert!(text.trim_end().ends_with(anchor) && anchor.trim() == anchor);
        prop_assert!(anchor.chars().count() <= 60);
        prop_assert_eq!(anchor.is_empty(), text.trim().is_empty());
    }
}

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
//! The gate's configuration: what it takes, what it refuses and which path it names, and who serves a model.

use serde_json::{Value, json};
use sluicegate::ErrorKind;
use sluicegate::config::{BaseUrl, Config, Credential, Credentials, LogLevel, Models, OriginVerdict};
use sluicegate::exchange::{
    BreakerPolicy, Budgets, Capabilities, Continuation, Hedge, OnCancel, Plan, Recovery, Retry,
};
use sluicegate::limits::Limits;
use sluicegate::reply::ThinkTags;
use sluicegate::request::{ContinueBy, Dialect, Endpoint, Replay, Request};

fn vectors(name: &str) -> Value {
    let path = format!("{}/tests/vectors/config/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn parse(value: &Value) -> Config {
    Config::parse(&value.to_string()).unwrap()
}

fn upstream(name: &str, models: Value) -> Value {
    json!({ "name": name, "dialect": "openai", "base_url": format!("https://{name}.example.com/v1"), "models": models })
}

#[test]
fn an_address_with_one_reading_is_normalised() {
    for (text, normalised) in vectors("base_url")["accepted"].as_object().unwrap() {
        for development in [false, true] {
            let url = BaseUrl::parse(text, development).unwrap_or_else(|what| panic!("{text}: expected {what}"));
            assert_eq!(url.as_str(), normalised.as_str().unwrap(), "{text}");
        }
    }
}

#[test]
fn plain_http_to_loopback_is_for_development_only() {
    for (text, normalised) in vectors("base_url")["loopback"].as_object().unwrap() {
        assert_eq!(BaseUrl::parse(text, true).unwrap().as_str(), normalised.as_str().unwrap());
        assert!(BaseUrl::parse(text, false).is_err(), "{text}");
    }
}

#[test]
fn an_address_with_two_readings_or_none_in_public_is_refused() {
    for text in vectors("base_url")["refused"].as_array().unwrap() {
        let text = text.as_str().unwrap();
        for development in [false, true] {
            assert!(BaseUrl::parse(text, development).is_err(), "{text:?} was taken");
        }
    }
}

#[test]
fn the_host_of_an_address_keeps_a_port_of_its_own() {
    assert_eq!(BaseUrl::parse("https://API.example.com:443/v1", false).unwrap().host(), "api.example.com");
    assert_eq!(BaseUrl::parse("http://127.0.0.1:8080/v1", true).unwrap().host(), "127.0.0.1:8080");
}

#[test]
fn every_fault_is_misconfigured_and_named_by_its_path() {
    let vectors = vectors("faults");
    for fault in vectors["faults"].as_array().unwrap() {
        let mut config = vectors["valid"].clone();
        for (key, value) in fault["with"].as_object().into_iter().flatten() {
            config[key] = value.clone();
        }
        for (key, value) in fault["upstream"].as_object().into_iter().flatten() {
            config["upstreams"][0][key] = value.clone();
        }
        refused(&config.to_string(), fault);
    }
    for fault in vectors["texts"].as_array().unwrap() {
        refused(fault["text"].as_str().unwrap(), fault);
    }
}

fn refused(text: &str, fault: &Value) {
    let name = fault["name"].as_str().unwrap();
    let error = Config::parse(text).expect_err(name);
    assert_eq!(error.kind(), ErrorKind::Misconfigured, "{name}");
    assert_eq!(error.param(), fault["param"].as_str(), "{name}: {error}");
}

#[test]
fn no_error_shows_a_value() {
    let canary = "sk-Canary0123456789";
    let show = |config: &Value, what: &str| {
        let error = Config::parse(&config.to_string()).expect_err(what);
        assert!(!format!("{error} {error:?}").contains("Canary"), "{error}");
    };
    let fields = [
        "name",
        "dialect",
        "base_url",
        "secret",
        "models",
        "headers",
        "scripted",
        "trusted",
        "think_tags",
        "budgets",
        "weight",
    ];
    for field in fields {
        let mut config = vectors("faults")["valid"].clone();
        config["upstreams"][0][field] = json!(canary);
        show(&config, field);
    }
    for field in ["context", "vision", "tools", "continuation", "budgets", "weight"] {
        let mut config = vectors("faults")["valid"].clone();
        config["upstreams"][0]["models"] = json!([{ "id": "a", field: canary }]);
        show(&config, field);
    }
    for field in ["retry", "breaker", "continuation", "hedge", "on_cancel", "tokens"] {
        let mut config = vectors("faults")["valid"].clone();
        config["recovery"] = json!({ field: canary });
        show(&config, field);
    }
    let spaced = canary.replace("sk-", "sk ");
    for fallbacks in [json!({ &spaced: ["deepseek-flash"] }), json!({ "deepseek-flash": [canary] }), json!(canary)] {
        let mut config = vectors("faults")["valid"].clone();
        config["fallbacks"] = fallbacks;
        show(&config, "fallbacks");
    }
    let error = Config::parse(&json!({ canary: 1 }).to_string().replace("sk-", "sk ")).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("Canary"), "{error}");
}

#[test]
fn a_full_configuration_is_read_as_documented() {
    let config = parse(&json!({
        "upstreams": [
            {
                "name": "deepseek", "dialect": "deepseek", "base_url": "https://api.deepseek.com", "secret": "DEEPSEEK_API_KEY",
                "models": ["deepseek-flash", { "id": "r1", "upstream_id": "deepseek-ai/DeepSeek-R1", "reasoning_replay": "strip" }],
                "headers": { "X-Team": "search" }, "think_tags": "off", "budgets": { "idle_ms": 5000 }
            },
            { "name": "local", "dialect": "openai", "base_url": "http://127.0.0.1:8080/v1", "models": "upstream", "scripted": true }
        ],
        "callers": { "credentials": "ignore", "placeholders": ["nobody"] },
        "cors": { "origins": ["https://app.example.com", "http://localhost:5173", "capacitor://localhost"] },
        "limits": { "request_body": 65536, "request_headers": 4096, "body_ms": 5000, "event": 100000 },
        "budgets": { "connect_ms": 3000, "idle_ms": 9000 },
        "resume": { "grace_ms": 5000, "bytes": 65536 },
        "datasets": { "body": 1048576, "idle_ms": 5000 },
        "log": "errors",
        "development": true
    }));
    let [deepseek, local] = config.upstreams() else { panic!("two upstreams") };
    assert_eq!(
        (deepseek.name(), deepseek.dialect(), deepseek.secret()),
        ("deepseek", Dialect::DeepSeek, Some("DEEPSEEK_API_KEY"))
    );
    assert_eq!(deepseek.headers(), [("x-team".to_owned(), "search".to_owned())]);
    assert_eq!((deepseek.budgets().connect, deepseek.budgets().idle), (3000, 5000));
    assert_eq!((local.budgets().connect, local.budgets().idle, local.budgets().total), (3000, 9000, 600_000));
    assert!(local.is_scripted() && !deepseek.is_scripted());
    assert!(matches!(local.models(), Models::Upstream));
    assert_eq!(config.limits().request_body, 65536);
    assert_eq!(config.limits().event, 100_000);
    assert_eq!(config.limits().json_depth, 32);
    assert_eq!(config.request_headers(), 4096);
    assert_eq!(config.body_time(), 5_000);
    assert_eq!(config.log(), LogLevel::Errors);
    let datasets = config.datasets();
    assert_eq!((datasets.limits.body, datasets.limits.line, datasets.per_key), (1 << 20, 1 << 20, 100));
    assert_eq!((datasets.idle, datasets.total), (5000, 600_000));
    assert_eq!((config.resume().grace, config.resume().keep, config.resume().log.bytes), (5000, 60_000, 65536));
    assert_eq!(config.callers().credentials(), Credentials::Ignore);
    let route = config.route("r1").unwrap();
    assert_eq!(
        (route.upstream.name(), route.model, route.replay),
        ("deepseek", "deepseek-ai/DeepSeek-R1", Some(Replay::Strip))
    );
}

#[test]
fn an_id_goes_before_a_pattern_and_a_longer_pattern_before_a_shorter_one() {
    let config = parse(&json!({ "upstreams": [
        upstream("rest", json!(["*"])),
        upstream("short", json!(["deepseek-*"])),
        upstream("long", json!(["deepseek-ai/*"])),
        upstream("exact", json!(["deepseek-ai/DeepSeek-R1"])),
        upstream("lister", json!("upstream")),
    ] }));
    let serves = |model| config.route(model).unwrap().upstream.name();
    assert_eq!(serves("deepseek-ai/DeepSeek-R1"), "exact");
    assert_eq!(serves("deepseek-ai/DeepSeek-V3"), "long");
    assert_eq!(serves("deepseek-flash"), "short");
    assert_eq!(serves("gpt-5"), "rest");
    assert_eq!(config.route("deepseek-ai/DeepSeek-V3").unwrap().model, "deepseek-ai/DeepSeek-V3");
}

#[test]
fn a_model_that_nobody_serves_is_not_found() {
    let config = parse(&json!({ "upstreams": [upstream("a", json!(["a-*", "b"]))] }));
    for model in ["", "a", "b-1", "B", "c"] {
        let error = config.route(model).unwrap_err();
        assert_eq!((error.kind(), error.param()), (ErrorKind::ModelNotFound, Some("model")), "{model}");
    }
}

#[test]
fn an_upstream_with_its_own_list_takes_what_nobody_else_lists() {
    let config = parse(&json!({ "upstreams": [upstream("lister", json!("upstream")), upstream("b", json!(["b"]))] }));
    assert_eq!(config.route("b").unwrap().upstream.name(), "b");
    assert_eq!(config.route("anything").unwrap().upstream.name(), "lister");
}

#[test]
fn origins_are_compared_letter_for_letter() {
    let mut config = json!({ "upstreams": [upstream("a", json!(["*"]))] });
    config["cors"] = json!({ "origins": ["https://app.example.com"] });
    let config = parse(&config);
    let own = "https://gate.example.com";
    let judge = |origin| config.judge_origin(origin, own);
    assert_eq!(judge(None), OriginVerdict::Own);
    assert_eq!(judge(Some(own)), OriginVerdict::Own);
    assert_eq!(judge(Some("https://app.example.com")), OriginVerdict::Listed);
    for foreign in [
        "",
        "null",
        "*",
        "https://evil.test",
        "https://app.example.com.evil.test",
        "http://app.example.com",
        "https://APP.example.com",
        "https://app.example.com/",
        "https://app.example.com:443",
        "https://evil-app.example.com",
        "https://app.example.com, https://app.example.com",
        "https://gate.example.com:8443",
    ] {
        assert_eq!(judge(Some(foreign)), OriginVerdict::Foreign, "{foreign}");
    }
}

fn callers(policy: &str) -> Config {
    parse(&json!({ "upstreams": [upstream("a", json!(["*"]))], "callers": { "credentials": policy } }))
}

#[test]
fn a_callers_key_is_refused_unless_the_configuration_says_otherwise() {
    let config = parse(&json!({ "upstreams": [upstream("a", json!(["*"]))] }));
    let judge = |sent, elsewhere| config.callers().judge(sent, elsewhere);
    assert_eq!(judge(None, false), Ok(Credential::None));
    for placeholder in ["Bearer sluicegate", "bearer unused", "Bearer none"] {
        assert_eq!(judge(Some(placeholder), false), Ok(Credential::None), "{placeholder}");
    }
    for sent in ["Bearer sk-1", "Bearer Sluicegate", "Basic dTpw", "sluicegate", "", "Bearer none, Bearer sk-1"] {
        let error = judge(Some(sent), false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized, "{sent}");
        assert!(!error.to_string().contains("sk-1"));
    }
    assert!(judge(None, true).is_err());
}

#[test]
fn a_key_that_is_ignored_is_told_from_none() {
    let config = callers("ignore");
    assert_eq!(config.callers().judge(None, false), Ok(Credential::None));
    assert_eq!(config.callers().judge(Some("Bearer unused"), false), Ok(Credential::None));
    assert_eq!(config.callers().judge(Some("Bearer sk-1"), false), Ok(Credential::Ignored));
    assert_eq!(config.callers().judge(None, true), Ok(Credential::Ignored));
}

#[test]
fn a_key_that_passes_through_is_one_bearer_token() {
    let config = callers("pass_through");
    let judge = |sent, elsewhere| config.callers().judge(sent, elsewhere);
    assert_eq!(judge(Some("Bearer sk-1"), false), Ok(Credential::Passed("sk-1")));
    assert_eq!(judge(Some("bearer sk-1"), false), Ok(Credential::Passed("sk-1")));
    for sent in [
        "Bearer",
        "Bearer ",
        "Bearer  sk-1",
        "Bearer sk 1",
        "Bearer\tsk-1",
        "Basic sk-1",
        "Bearer a, Bearer b",
        "sk-1",
        "Bearer é",
    ] {
        assert_eq!(judge(Some(sent), false).unwrap_err().kind(), ErrorKind::Unauthorized, "{sent}");
    }
    assert!(judge(None, false).is_err());
    assert!(judge(Some("Bearer sk-1"), true).is_err());
}

fn ask(body: &Value) -> Request {
    Request::parse(Endpoint::ChatCompletions, body.to_string().as_bytes(), &Limits::default()).unwrap()
}

fn plan(config: &Config, model: &str, seed: u64) -> Plan {
    config.plan(&ask(&json!({ "model": model, "messages": [{ "role": "user", "content": "Hi" }] })), seed).unwrap()
}

fn keys(plan: &Plan) -> Vec<&str> {
    plan.routes.iter().map(|route| route.key.as_str()).collect()
}

#[test]
fn every_ladder_of_the_table_is_climbed_in_its_order() {
    for table in vectors("ladders")["configurations"].as_array().unwrap() {
        let mut config = table.clone();
        for key in ["name", "cases"] {
            config.as_object_mut().unwrap().remove(key);
        }
        for entry in config["upstreams"].as_array_mut().unwrap() {
            let mut full = upstream(entry[0].as_str().unwrap(), entry[1].clone());
            for (key, value) in entry.get(2).and_then(Value::as_object).into_iter().flatten() {
                full[key] = value.clone();
            }
            *entry = full;
        }
        let config = parse(&config);
        for case in table["cases"].as_array().unwrap() {
            let name = format!("{}: {case}", table["name"]);
            let mut body = json!({ "messages": [{ "role": "user", "content": "Hi" }] });
            if let Some(model) = case.get("model") {
                body["model"] = model.clone();
            }
            match config.plan(&ask(&body), case["seed"].as_u64().unwrap()) {
                Ok(plan) => assert_eq!(json!(keys(&plan)), case["keys"], "{name}"),
                Err(error) => {
                    assert_eq!(case["error"], error.kind().code(), "{name}");
                    assert_eq!(error.param(), Some("model"), "{name}");
                }
            }
        }
    }
}

#[test]
fn a_route_has_all_that_the_configuration_says_of_its_model() {
    let config = parse(&json!({
        "upstreams": [
            {
                "name": "a", "dialect": "openai", "base_url": "https://a.example.com", "think_tags": "open",
                "budgets": { "total_ms": 5000, "patience_ms": 400, "tokens_per_minute": 0 },
                "models": [
                    {
                        "id": "m", "upstream_id": "vendor/m", "reasoning_replay": "strip", "context": 32768, "vision": false, "tools": false,
                        "continuation": "prefill", "budgets": { "total_ms": 7000, "answer_ms": 90 }
                    },
                    { "id": "vision-*", "tools": false, "continuation": "off" }
                ]
            },
            { "name": "b", "dialect": "deepseek", "base_url": "https://b.example.com", "models": ["m"] }
        ],
        "budgets": { "total_ms": 9000, "idle_ms": 70 },
        "limits": { "event": 2048 }
    }));
    let messages = json!([{ "role": "user", "content": "Hi" }]);
    let asked =
        |stream| config.plan(&ask(&json!({ "model": "m", "stream": stream, "messages": messages })), 1).unwrap();
    let plan = asked(true);
    let [a, b] = &plan.routes[..] else { panic!("two routes") };
    assert_eq!((a.key.as_str(), a.source.as_str(), a.model.as_str()), ("a/vendor/m", "a", "vendor/m"));
    assert_eq!((a.dialect, a.think_tags, a.replay), (Dialect::OpenAi, ThinkTags::Open, Some(Replay::Strip)));
    assert_eq!(a.capabilities, Capabilities { context: Some(32768), vision: false, tools: false });
    assert_eq!((a.continuation, a.shared_account, a.can_refresh), (Some(ContinueBy::Prefill), true, false));
    let general = Budgets { idle: 70, total: 9000, ..Budgets::default() };
    assert_eq!(a.budgets, Budgets { total: 7000, patience: 400, answer: 90, rate: 0, ..general });
    assert_eq!((b.dialect, b.think_tags, b.replay), (Dialect::DeepSeek, ThinkTags::Auto, None));
    assert_eq!((b.capabilities, b.continuation, b.budgets), (Capabilities::default(), None, general));
    assert_eq!((plan.total, plan.forward, plan.reply.limits.event), (7000, true, 2048));
    assert_eq!((a.add_usage, b.add_usage), (true, false), "vendors send the usage unasked");
    assert!(!asked(false).routes[0].add_usage);
    let upstreams: Vec<_> = plan.routes.iter().map(|route| config.upstream_of(route).unwrap().name()).collect();
    assert_eq!(upstreams, ["a", "b"]);

    let vision = self::plan(&config, "vision-8b", 1);
    let [route] = &vision.routes[..] else { panic!("one route") };
    assert_eq!((route.key.as_str(), vision.total), ("a/vision-8b", 5000));
    assert_eq!(route.capabilities, Capabilities { context: None, vision: true, tools: false });
    assert_eq!(route.continuation, Some(ContinueBy::Off));
}

#[test]
fn every_way_to_go_on_has_its_name() {
    for (name, by) in [
        ("prefix", ContinueBy::Prefix),
        ("prefill", ContinueBy::Prefill),
        ("anchor", ContinueBy::Anchor),
        ("off", ContinueBy::Off),
    ] {
        let config = parse(&json!({ "upstreams": [upstream("a", json!([{ "id": "m", "continuation": name }]))] }));
        assert_eq!(plan(&config, "m", 0).routes[0].continuation, Some(by), "{name}");
    }
}

#[test]
fn a_route_of_another_configuration_has_no_upstream_here() {
    let one = parse(&json!({ "upstreams": [upstream("a", json!(["m"]))] }));
    let other = parse(&json!({ "upstreams": [upstream("b", json!(["m"]))] }));
    assert!(other.upstream_of(&plan(&one, "m", 0).routes[0]).is_none());
}

#[test]
fn an_account_is_shared_unless_callers_bring_their_keys() {
    assert!(plan(&callers("refuse"), "m", 0).routes[0].shared_account);
    assert!(plan(&callers("ignore"), "m", 0).routes[0].shared_account);
    assert!(!plan(&callers("pass_through"), "m", 0).routes[0].shared_account);
}

/// How often each of `upstreams` comes first, in 10,000 calls with seeds from `from` on, `step` apart.
fn firsts(config: &Config, from: u64, step: u64) -> [u32; 3] {
    let request = ask(&json!({ "model": "m", "messages": [{ "role": "user", "content": "Hi" }] }));
    let mut counts = [0; 3];
    for call in 0..10_000 {
        let plan = config.plan(&request, from.wrapping_add(step.wrapping_mul(call))).unwrap();
        let mut names: Vec<_> = plan.routes.iter().map(|route| route.source.as_str()).collect();
        let first = ["a", "b", "c"].iter().position(|name| *name == names[0]).unwrap();
        counts[first] += 1;
        names.remove(0);
        assert!(names.is_sorted() && names.len() == 2, "the others follow in order: {names:?}");
    }
    counts
}

#[test]
fn weights_share_the_calls_whatever_the_seeds() {
    let weighted = |weights: [u32; 3]| {
        let upstreams = ["a", "b", "c"].iter().zip(weights).map(|(name, weight)| {
            let mut upstream = upstream(name, json!(["m"]));
            upstream["weight"] = json!(weight);
            upstream
        });
        parse(&json!({ "upstreams": upstreams.collect::<Vec<_>>() }))
    };
    let close = |count: u32, expected: u32| count.abs_diff(expected) <= 200; // Over four standard deviations.
    // One after the other, in the clock's steps, in the highest bits only.
    for (from, step) in [(0, 1), (1_795_000_000_000, 1_000), (7, 1 << 48), (u64::MAX, 3)] {
        let [a, b, c] = firsts(&weighted([700, 300, 0]), from, step);
        assert!(close(a, 7_000) && close(b, 3_000) && c == 0, "{a} {b} {c}");
        let [a, b, c] = firsts(&weighted([1, 1, 1]), from, step);
        assert!(close(a, 3_333) && close(b, 3_333) && close(c, 3_333), "{a} {b} {c}");
        let [a, b, c] = firsts(&weighted([0, 0, 1]), from, step);
        assert_eq!([a, b, c], [0, 0, 10_000]);
        let [a, b, c] = firsts(&weighted([0, 0, 0]), from, step);
        assert_eq!([a, b, c], [10_000, 0, 0]);
    }
}

fn recovery(value: Value) -> (Recovery, BreakerPolicy) {
    let config = parse(&json!({ "upstreams": [upstream("a", json!(["m"]))], "recovery": value }));
    assert_eq!(plan(&config, "m", 0).recovery, config.recovery());
    (config.recovery(), config.breaker())
}

#[test]
fn recovery_is_on_by_default_and_hedging_is_not() {
    let config = parse(&json!({ "upstreams": [upstream("a", json!(["m"]))] }));
    assert_eq!((config.recovery(), config.breaker()), (Recovery::default(), BreakerPolicy::default()));
    assert_eq!(recovery(json!({})), (Recovery::default(), BreakerPolicy::default()));
    assert_eq!(config.recovery().hedge, None);
    let empty = json!({ "retry": {}, "breaker": {}, "continuation": {} });
    assert_eq!(recovery(empty), (Recovery::default(), BreakerPolicy::default()));
}

#[test]
fn recovery_is_read_as_documented() {
    let (recovered, breaker) = recovery(json!({
        "retry": { "first_ms": 20, "cap_ms": 30, "tries": 1, "attempts": 32 },
        "breaker": { "failures": 3, "ratio_percent": 25, "least": 4, "window_ms": 1000, "open_ms": 100 },
        "continuation": { "most": 2, "length": 1 },
        "hedge": { "after_ms": 900, "percentile": 95, "share_percent": 10 },
        "on_cancel": { "drain_ms": 3000 },
        "tokens": 4096
    }));
    assert_eq!(recovered.retry, Retry { first: 20, cap: 30, tries: 1, attempts: 32 });
    assert_eq!(recovered.continuation, Continuation { most: 2, length: 1, replace: false });
    assert_eq!(recovered.hedge, Some(Hedge { after: 900, percentile: Some(95), share: 10 }));
    assert_eq!((recovered.on_cancel, recovered.tokens), (OnCancel::Drain(3000), Some(4096)));
    assert_eq!(breaker, BreakerPolicy { failures: 3, ratio: 25, least: 4, window: 1000, open: 100 });
    let (recovered, _) = recovery(json!({ "hedge": {}, "on_cancel": "abort" }));
    assert_eq!(recovered.hedge, Some(Hedge { after: 5_000, percentile: None, share: 5 }));
    assert_eq!(recovered.on_cancel, OnCancel::Abort);
}

#[test]
fn what_is_false_is_off() {
    let (recovered, breaker) = recovery(json!({ "breaker": false, "continuation": false, "hedge": false }));
    assert_eq!(recovered.continuation, Continuation { most: 0, length: 0, replace: false });
    assert_eq!(recovered.hedge, None);
    assert_eq!((breaker.failures, breaker.ratio), (u32::MAX, 101), "rules that nothing reaches");
    let (_, breaker) = recovery(json!({ "breaker": { "failures": 0 } }));
    assert_eq!((breaker.failures, breaker.ratio), (u32::MAX, 50));
    let (_, breaker) = recovery(json!({ "breaker": { "ratio_percent": 0 } }));
    assert_eq!((breaker.failures, breaker.ratio), (5, 101));
}

#[test]
fn a_cap_below_the_default_of_the_first_wait_lowers_it() {
    let (recovered, _) = recovery(json!({ "retry": { "cap_ms": 300 } }));
    assert_eq!((recovered.retry.first, recovered.retry.cap), (300, 300));
}

#[test]
fn the_examples_of_the_documentation_are_configurations() {
    let page = include_str!("../docs/configuration.md");
    let examples: Vec<_> = page.split("```json").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let [first, ladder, access, redaction] = examples[..] else { panic!("four examples") };
    assert!(Config::parse(access).unwrap().access().is_some());
    assert!(Config::parse(redaction).unwrap().redaction().is_some());
    let config = Config::parse(first).unwrap();
    assert_eq!(
        keys(&plan(&config, "r1", 0)),
        [
            "siliconflow/deepseek-ai/DeepSeek-R1",
            "deepseek/deepseek-flash",
            "siliconflow/deepseek-ai/DeepSeek-V4-Flash",
            "siliconflow/Qwen/Qwen3-8B"
        ]
    );
    let config = Config::parse(ladder).unwrap();
    let r1 = ["main/deepseek-ai/DeepSeek-R1", "spare/deepseek-ai/DeepSeek-R1", "main/Qwen/Qwen3-8B", "spare/small"];
    assert_eq!(keys(&plan(&config, "deepseek-ai/DeepSeek-R1", 0)), r1);
    assert_eq!(keys(&plan(&config, "Qwen/Qwen3-8B", 0)), ["main/Qwen/Qwen3-8B", "spare/small"]);
}

#[test]
fn the_ends_of_every_range_are_taken() {
    let parts = [
        ("retry", [("first_ms", 1, 60_000), ("cap_ms", 1, 3_600_000), ("tries", 1, 10), ("attempts", 1, 32)].to_vec()),
        (
            "breaker",
            [
                ("failures", 0, 1_000),
                ("ratio_percent", 0, 100),
                ("least", 1, 10_000),
                ("window_ms", 1_000, 3_600_000),
                ("open_ms", 100, 3_600_000),
            ]
            .to_vec(),
        ),
        ("continuation", [("most", 0, 16), ("length", 0, 16)].to_vec()),
        ("hedge", [("after_ms", 1, 600_000), ("percentile", 50, 99), ("share_percent", 1, 100)].to_vec()),
        ("on_cancel", [("drain_ms", 1, 600_000)].to_vec()),
    ];
    for (part, fields) in parts {
        for (field, least, most) in fields {
            recovery(json!({ part: { field: least } }));
            recovery(json!({ part: { field: most } }));
        }
    }
    recovery(json!({ "tokens": 1 }));
    recovery(json!({ "tokens": 1_000_000_000 }));
    for (field, least, most) in [("context", 1, 100_000_000), ("weight", 0, 1_000)] {
        for value in [least, most] {
            parse(&json!({ "upstreams": [upstream("a", json!([{ "id": "m", field: value }]))] }));
        }
    }
}

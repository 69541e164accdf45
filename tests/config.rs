#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
//! The gate's configuration: what it takes, what it refuses and which path it names, and who serves a model.

use serde_json::{Value, json};
use sluicegate::ErrorKind;
use sluicegate::config::{BaseUrl, Config, Credential, Credentials, LogLevel, Models, OriginVerdict};
use sluicegate::request::{Dialect, Replay};

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
    let fields = ["name", "dialect", "base_url", "secret", "models", "headers", "scripted", "think_tags", "budgets"];
    for field in fields {
        let mut config = vectors("faults")["valid"].clone();
        config["upstreams"][0][field] = json!(canary);
        let error = Config::parse(&config.to_string()).expect_err(field);
        assert!(!format!("{error} {error:?}").contains("Canary"), "{error}");
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
        "limits": { "request_body": 65536, "request_headers": 4096, "event": 100000 },
        "budgets": { "connect_ms": 3000, "idle_ms": 9000 },
        "resume": { "grace_ms": 5000, "bytes": 65536 },
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
    assert_eq!(config.log(), LogLevel::Errors);
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

//! Requests, by the shared vectors and by properties.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use serde_json::Value;
use sluicegate::json::check_json;
use sluicegate::limits::Limits;
use sluicegate::request::{Built, Dialect, Endpoint, Preset, Replay, Request, Target};
use sluicegate::{Error, ErrorKind};
use std::time::{Duration, Instant};

fn replay(name: &str) -> Replay {
    [Replay::Keep, Replay::Strip, Replay::WithTools].into_iter().find(|replay| replay.as_str() == name).unwrap()
}

fn limits(case: &Value) -> Limits {
    let mut limits = Limits::default();
    for (name, value) in case["limits"].as_object().into_iter().flatten() {
        let value = usize::try_from(value.as_u64().unwrap()).unwrap();
        match name.as_str() {
            "request_body" => limits.request_body = value,
            "json_depth" => limits.json_depth = value,
            "json_keys" => limits.json_keys = value,
            "json_items" => limits.json_items = value,
            "messages" => limits.messages = value,
            other => panic!("unknown limit {other}"),
        }
    }
    limits
}

fn endpoint(case: &Value) -> Endpoint {
    match case["endpoint"].as_str() {
        None | Some("chat") => Endpoint::ChatCompletions,
        Some(name) => Endpoint::named(name).unwrap_or_else(|| panic!("unknown endpoint {name}")),
    }
}

fn target(case: &Value) -> Target<'_> {
    Target {
        dialect: case["dialect"].as_str().unwrap_or("openai").parse().unwrap(),
        model: case["model"].as_str().unwrap_or_default(),
        replay: case["replay"].as_str().map(replay),
        add_usage: case["add_usage"].as_bool().unwrap_or_default(),
    }
}

fn body(case: &Value) -> String {
    case["body_text"].as_str().map_or_else(|| case["body"].to_string(), str::to_owned)
}

fn run(case: &Value) -> Result<Built, Error> {
    let mut request = Request::parse(endpoint(case), body(case).as_bytes(), &limits(case))?;
    if let Some(stream) = case["with_stream"].as_bool() {
        request = request.with_stream(stream);
    }
    if let Some(preset) = case["with_preset"].as_str() {
        request = request.with_preset(preset.parse().unwrap());
    }
    request.build(&target(case))
}

/// What is wrong with a case's result, if anything.
fn verdict(case: &Value) -> Result<(), String> {
    let same = |what: &str, expected: Value, found: Value| match expected == found {
        true => Ok(()),
        false => Err(format!("{what}: expected {expected}, found {found}")),
    };
    let built = match run(case) {
        Err(error) => {
            same("error", case["error"].clone(), error.code().into())?;
            return same("param", case["param"].clone(), error.param().map_or(Value::Null, Value::from));
        }
        Ok(built) => built,
    };
    same("error", case["error"].clone(), Value::Null)?;
    let text = String::from_utf8(built.body.clone()).map_err(|error| error.to_string())?;
    if let Some(expected) = case.get("built_text") {
        same("text", expected.clone(), text.clone().into())?;
    }
    if let Some(expected) = case.get("built") {
        same("body", expected.clone(), serde_json::from_str(&text).map_err(|error| error.to_string())?)?;
    }
    same("changed", (text != body(case)).into(), built.changed.into())?;
    let changes: Vec<_> = built.changes.iter().map(|change| change.field.as_str()).collect();
    same("changes", case.get("changes").cloned().unwrap_or_else(|| Value::Array(Vec::new())), changes.into())?;
    let known = [
        ("path", Value::from(built.path)),
        ("stream", built.stream.into()),
        ("usage_added", built.usage_added.into()),
        ("changed", built.changed.into()),
    ];
    for (name, found) in known {
        same(name, case.get(name).cloned().unwrap_or_else(|| found.clone()), found)?;
    }
    check_json(text.as_bytes(), &Limits::default()).map(drop).map_err(|error| error.to_string())
}

#[test]
fn every_vector_gives_what_it_says() {
    let mut failures = Vec::new();
    let mut cases = 0;
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/request")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let file = path.file_stem().unwrap().to_string_lossy().into_owned();
        // Those are of `recover.rs`.
        if matches!(file.as_str(), "repair" | "continue") {
            continue;
        }
        let list: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        for case in list {
            cases += 1;
            if let Err(why) = verdict(&case) {
                failures.push(format!("{file}: {}: {why}", case["name"].as_str().unwrap()));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(cases >= 90, "only {cases} vectors were found");
}

fn chat(body: &str) -> Result<Request, Error> {
    Request::parse(Endpoint::ChatCompletions, body.as_bytes(), &Limits::default())
}

fn to(dialect: Dialect) -> Target<'static> {
    Target { dialect, model: "m", replay: None, add_usage: false }
}

#[test]
fn bytes_that_are_not_utf_8_are_refused() {
    let error = Request::parse(Endpoint::ChatCompletions, b"{\"model\":\"\xFF\"}", &Limits::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.message().contains("offset 10"), "{}", error.message());
}

#[test]
fn a_wrong_type_tells_what_was_expected_and_what_was_found() {
    let error = chat(r#"{"temperature":"hot","messages":[]}"#).unwrap_err();
    assert_eq!((error.param(), error.message()), (Some("temperature"), "Expected a number, found a string."));
    let error = chat(r#"{"messages":[{"role":"user","content":null}]}"#).unwrap_err();
    assert_eq!(error.message(), "Expected a string or an array of parts, found null.");
    let error = chat(r#"{"messages":[{"role":"user"}]}"#).unwrap_err();
    assert_eq!(error.message(), "Required: a string or an array of parts.");
}

#[test]
fn what_the_gate_asks_of_a_request_is_what_the_caller_said() {
    let messages = r#""messages":[{"role":"user","content":"hi"}]"#;
    let request =
        chat(&format!(r#"{{{messages},"model":"a","stream":true,"stream_options":{{"include_usage":true}}}}"#));
    let request = request.unwrap();
    assert_eq!(request.endpoint(), Endpoint::ChatCompletions);
    assert_eq!((request.model(), request.is_stream(), request.wants_usage()), (Some("a"), true, true));
    let request = request.with_stream(false).with_model("b");
    assert_eq!((request.model(), request.is_stream(), request.wants_usage()), (Some("b"), false, false));
    let request = chat(&format!(r#"{{{messages},"preset":"realtime"}}"#)).unwrap();
    assert_eq!((request.model(), request.is_stream(), request.preset()), (None, true, Some(Preset::Realtime)));
    let request = request.with_preset(Preset::Creative);
    assert_eq!((request.is_stream(), request.preset()), (false, Some(Preset::Creative)));
    let built = request.with_model("b").build(&Target { model: "", ..to(Dialect::OpenAi) }).unwrap();
    assert!(String::from_utf8(built.body).unwrap().contains(r#""model":"b""#));
}

/// Features of a dependency add up over everything that is built with it; these would change what the walk sees.
#[test]
fn the_optional_readings_of_the_json_library_are_off() {
    let number: Value = serde_json::from_str("18446744073709551616").unwrap();
    assert!(number.to_string().contains('e'), "arbitrary_precision is on");
    assert!(serde_json::from_str::<Value>(&"[".repeat(129)).unwrap_err().is_syntax(), "unbounded_depth is on");
}

#[test]
fn every_preset_fits_every_dialect() {
    for &preset in Preset::ALL {
        for &dialect in Dialect::ALL {
            for model in ["m", "deepseek-flash", "Qwen/Qwen3-8B"] {
                let request = chat(r#"{"messages":[{"role":"user","content":"hi"}]}"#).unwrap().with_preset(preset);
                let built = request.build(&Target { model, ..to(dialect) }).unwrap();
                let again = chat(std::str::from_utf8(&built.body).unwrap()).unwrap();
                again.build(&Target { model, ..to(dialect) }).unwrap();
            }
        }
    }
}

#[test]
fn names_of_dialects_and_presets_are_read_back() {
    for dialect in Dialect::ALL {
        assert_eq!(dialect.as_str().parse::<Dialect>().unwrap(), *dialect);
    }
    for preset in Preset::ALL {
        assert_eq!(preset.as_str().parse::<Preset>().unwrap(), *preset);
    }
    assert_eq!("OpenAI".parse::<Dialect>().unwrap_err().param(), Some("dialect"));
    assert_eq!("".parse::<Preset>().unwrap_err().param(), Some("preset"));
}

#[test]
fn the_replay_policy_follows_the_models_generation() {
    let rows = [
        (Dialect::SiliconFlow, "deepseek-ai/DeepSeek-R1", Replay::Strip),
        (Dialect::SiliconFlow, "Pro/deepseek-ai/DeepSeek-R1", Replay::Strip),
        (Dialect::SiliconFlow, "deepseek-ai/DeepSeek-R1-Distill-Qwen-14B", Replay::Strip),
        (Dialect::OpenAi, "deepseek-r1", Replay::Strip),
        (Dialect::DeepSeek, "deepseek-flash", Replay::WithTools),
        (Dialect::DeepSeek, "deepseek-v4-pro", Replay::WithTools),
        (Dialect::DeepSeek, "deepseek-v4-flash-vision-exp", Replay::WithTools),
        (Dialect::SiliconFlow, "deepseek-ai/DeepSeek-V4-Flash", Replay::WithTools),
        (Dialect::SiliconFlow, "zai-org/GLM-5.2", Replay::Keep),
        (Dialect::OpenAi, "gpt-4o", Replay::Keep),
        (Dialect::OpenAi, "", Replay::Keep),
    ];
    for (dialect, model, policy) in rows {
        assert_eq!(Replay::for_model(dialect, model), policy, "{model}");
    }
}

#[test]
fn debug_output_shows_no_prompt() {
    let request = chat(r#"{"model":"m","messages":[{"role":"user","content":"CANARY"}]}"#).unwrap();
    let built = request.build(&to(Dialect::OpenAi)).unwrap();
    assert!(!format!("{request:?}{built:?}").contains("CANARY"));
}

/// Debug builds of these take well under a tenth of the bound; what is quadratic takes minutes.
#[test]
fn large_and_hostile_bodies_take_linear_time() {
    let message = format!(r#"{{"role":"user","content":"{}"}}"#, "a\\u0041".repeat(40));
    let many = vec![message.as_str(); 4000].join(",");
    let developers = vec![r#"{"role":"developer","content":"x"}"#; 4000].join(",");
    let thoughts = vec![r#"{"role":"assistant","reasoning_content":"x"}"#; 4000].join(",");
    let keys = |count: usize| (0..count).map(|n| format!(r#""k{n}":0"#)).collect::<Vec<_>>().join(",");
    let objects = vec![format!("{{{}}}", keys(1000)); 100].join(",");
    let bodies = [
        "[".repeat(200_000),
        r#"{"a":"#.repeat(200_000),
        format!(r#"{{"messages":[{many}]}}"#),
        format!(r#"{{"messages":[{developers}]}}"#),
        format!(r#"{{"messages":[{thoughts}]}}"#),
        format!(r#"{{"messages":[{{"role":"user","content":"x"}}],"x":[{objects}]}}"#),
        format!(r#"{{"messages":[{{"role":"user","content":"x"}}],{}}}"#, keys(1000)),
        format!("{{{}}}", keys(200_000)),
        format!(r#"{{"x":[{}0]}}"#, "0,".repeat(1_000_000)),
        "\"".repeat(1 << 20),
        "\\".repeat(1 << 20),
    ];
    for body in bodies {
        let start = Instant::now();
        if let Ok(request) = chat(&body) {
            let target = Target { replay: Some(Replay::Strip), ..to(Dialect::DeepSeek) };
            let built = request.build(&target).unwrap();
            chat(std::str::from_utf8(&built.body).unwrap()).unwrap();
        }
        let took = start.elapsed();
        assert!(took < Duration::from_secs(5), "{took:?} for {} bytes of {:.20}", body.len(), body);
    }
}

/// JSON text with numbers and spacing of every form; keys that no table knows.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?",
        "[^\0]{0,12}".prop_map(|text: String| Value::from(text).to_string()),
        "(\\\\u00[4-7][0-9]|\\\\n|\\\\/){0,4}".prop_map(|text| format!("\"{text}\"")),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let space = "[ \n\t]{0,2}";
        prop_oneof![
            (prop::collection::vec(inner.clone(), 0..6), space)
                .prop_map(|(items, space)| format!("[{space}{}]", items.join(&format!("{space},")))),
            (prop::collection::btree_map("x_[a-z]{1,6}", inner, 0..6), space).prop_map(|(members, space)| {
                let members: Vec<_> = members.iter().map(|(key, value)| format!("\"{key}\"{space}:{value}")).collect();
                format!("{{{space}{}}}", members.join(&format!(" ,{space}")))
            }),
        ]
    })
}

/// A chat request with known fields of all kinds, right or slightly wrong, in any order.
fn request_text() -> impl Strategy<Value = String> {
    let fields = vec![
        r#""model":"m""#,
        r#""model":null"#,
        r#""stream":true"#,
        r#""stream":false"#,
        r#""stream_options":{"x":1}"#,
        r#""stream_options":null"#,
        r#""preset":"creative""#,
        r#""preset":"realtime""#,
        r#""preset":"reasoning""#,
        r#""temperature":null"#,
        r#""temperature" : 1.50"#,
        r#""max_tokens":7"#,
        r#""max_tokens":null"#,
        r#""max_completion_tokens":9"#,
        r#""stop":["a"]"#,
        r#""thinking":{"type":"disabled"}"#,
        r#""x_other":{"a":[1.0,{}]}"#,
    ];
    let messages = vec![
        r#"{"role":"user","content":"hi"}"#,
        r#"{"role":"developer","content":"be brief"}"#,
        r#"{"role":"assistant","content":"a","reasoning_content":"r"}"#,
        r#"{"reasoning_content":"r","role":"assistant"}"#,
        r#"{"role":"assistant","content":null,"reasoning_content":"r"}"#,
        r#"{"role":"assistant","reasoning_content":"r","tool_calls":[{"id":"c","function":{"name":"f","arguments":"{}"}}]}"#,
        r#"{"role":"tool","content":"1","tool_call_id":"c"}"#,
    ];
    let messages = prop::collection::vec(prop::sample::select(messages), 1..8);
    let fields = prop::sample::subsequence(fields, 0..10).prop_shuffle();
    (messages, fields, any::<prop::sample::Index>()).prop_map(|(messages, fields, at)| {
        let name = |field: &str| field.split('"').nth(1).map(str::to_owned);
        let mut kept: Vec<String> = Vec::new();
        for field in fields {
            if !kept.iter().any(|other| name(other) == name(field)) {
                kept.push(field.to_owned());
            }
        }
        kept.insert(at.index(kept.len() + 1), format!("\"messages\":[{}]", messages.join(" , ")));
        format!("{{ {} }}", kept.join(", "))
    })
}

fn dialect() -> impl Strategy<Value = Dialect> {
    prop::sample::select(Dialect::ALL)
}

proptest! {
    #[test]
    fn unknown_fields_and_numbers_survive_untouched(value in json(), dialect in dialect(), in_message in any::<bool>()) {
        let (outer, inner) = if in_message { ("0", value.as_str()) } else { (value.as_str(), "0") };
        let body = format!(
            r#" {{"vendor_a":{outer},"model" : "m","messages":[ {{"role":"user","content":"hi","vendor_b":{inner}}}],"vendor_c":1.0 }} "#
        );
        let built = chat(&body).unwrap().build(&to(dialect)).unwrap();
        prop_assert_eq!(std::str::from_utf8(&built.body).unwrap(), body.as_str());
        prop_assert!(!built.changed && built.changes.is_empty());
    }

    #[test]
    fn unknown_fields_survive_next_to_changes(value in json(), dialect in dialect()) {
        let body = format!(
            r#"{{"preset":"creative","a":{value},"max_completion_tokens":5,"messages":[{{"role":"developer","content":"hi"}}],"b":{value}}}"#
        );
        let built = chat(&body).unwrap().build(&Target { add_usage: true, ..to(dialect) }).unwrap();
        let text = String::from_utf8(built.body).unwrap();
        prop_assert!(text.contains(&format!("\"a\":{value},")) && text.contains(&format!("\"b\":{value},")), "{}", text);
    }

    #[test]
    fn arbitrary_bytes_give_a_request_or_our_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for endpoint in [Endpoint::ChatCompletions, Endpoint::Completions] {
            if let Err(error) = Request::parse(endpoint, &bytes, &Limits::default()) {
                prop_assert_eq!(error.kind(), ErrorKind::InvalidRequest);
            }
        }
    }

    #[test]
    fn damaged_requests_give_a_request_or_our_error(
        text in request_text(), cut in any::<prop::sample::Index>(), byte in any::<u8>(), dialect in dialect(),
    ) {
        let mut bytes = text.into_bytes();
        let at = cut.index(bytes.len());
        bytes[at] = byte;
        let request = Request::parse(Endpoint::ChatCompletions, &bytes, &Limits::default());
        match request.and_then(|request| request.build(&to(dialect))) {
            Ok(built) => prop_assert!(check_json(&built.body, &Limits::default()).is_ok()),
            Err(error) => prop_assert_eq!(error.kind(), ErrorKind::InvalidRequest),
        }
    }

    #[test]
    fn building_what_was_built_changes_nothing(
        text in request_text(), dialect in dialect(), add_usage in any::<bool>(),
        replay in prop::sample::select(vec![None, Some(Replay::Keep), Some(Replay::Strip), Some(Replay::WithTools)]),
        model in prop::sample::select(vec!["m", "deepseek-flash", "deepseek-ai/DeepSeek-R1", "Qwen/Qwen3-8B"]),
    ) {
        let target = Target { dialect, model, replay, add_usage };
        let built = chat(&text).unwrap().build(&target).unwrap();
        let once = String::from_utf8(built.body).unwrap();
        let request = chat(&once).unwrap();
        prop_assert_eq!(request.is_stream(), built.stream);
        let again = request.build(&target).unwrap();
        prop_assert_eq!(String::from_utf8(again.body).unwrap(), once);
        prop_assert!(!again.changed && !again.usage_added);
    }

    #[test]
    fn the_check_for_duplicates_agrees_with_a_plain_count(keys in prop::collection::vec("[a-h]{1,3}", 0..40)) {
        let members: Vec<_> = keys.iter().map(|key| format!("\"{key}\":0")).collect();
        let mut unique = keys.clone();
        unique.sort();
        unique.dedup();
        let checked = check_json(format!("{{{}}}", members.join(",")).as_bytes(), &Limits::default()).is_ok();
        prop_assert_eq!(checked, unique.len() == keys.len());
    }

    #[test]
    fn no_error_holds_a_value(
        field in prop::sample::select(vec![
            "model", "messages", "temperature", "stop", "tools", "stream", "stream_options", "preset", "n", "user_id",
            "response_format", "tool_choice", "metadata", "base_url", "thinking", "reasoning_effort", "logit_bias",
        ]),
        shape in prop::sample::select(vec![
            "CANARY", "\"CANARY\"", "\"CANARY", "{\"type\":\"CANARY\"}", "[\"CANARY\"]", "[{\"role\":\"CANARY\"}]", "[[\"CANARY\"]]",
            "{\"include_usage\":\"CANARY\"}", "{\"a\":\"CANARY\",\"a\":\"CANARY\"}", "\"CANARY\\u0000\"", "\"CANARY\\ud800\"",
            "[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":[\"CANARY\"]}]}]",
            "[{\"role\":\"tool\",\"content\":\"CANARY\"}]", "[{\"type\":\"function\",\"function\":\"CANARY\"}]",
            "{\"CANARY@example.com\":1,\"CANARY@example.com\":2}", "\"CANARY\u{1}\"",
        ]),
        dialect in dialect(),
    ) {
        let rest = if field == "messages" { "" } else { r#","messages":[{"role":"user","content":"CANARY"}]"# };
        let body = format!("{{\"{field}\":{shape}{rest}}}");
        let result = chat(&body).and_then(|request| request.build(&to(dialect)));
        let shown = match result {
            Ok(built) => format!("{built:?}"),
            Err(error) => format!("{error} {error:?}"),
        };
        prop_assert!(!shown.contains("CANARY"), "{}", shown);
    }
}

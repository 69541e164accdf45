//! The reply vectors, the recordings, and what must hold for any stream.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use serde_json::{Value, json};
use sluicegate::limits::Limits;
use sluicegate::reply::{
    Assembler, Budget, Cause, Delta, Deltas, End, Notice, Options, Outcome, Reply, Step, ThinkTags, read_body,
};

/// What a stream came to: deltas as JSON, adjacent ones of one kind merged.
#[derive(Debug, PartialEq)]
struct Told {
    deltas: Vec<Value>,
    notices: Vec<&'static str>,
    end: End,
    reply: Reply,
}

fn tell(mut assembler: Assembler, events: &[(String, String)], cause: Cause) -> Told {
    let mut out = Deltas::new();
    let mut cause = cause;
    for (event_type, data) in events {
        match assembler.handle_data(event_type, data, &mut out) {
            Ok(_) => {}
            Err(error) => cause = Cause::Failed(error),
        }
    }
    let end = assembler.finish(cause, &mut out);
    let mut told = Told { deltas: Vec::new(), notices: Vec::new(), end, reply: assembler.into_reply() };
    for delta in out.iter() {
        let value = match delta {
            Delta::Text { choice, text } => json!({ "type": "text", "choice": choice, "text": text }),
            Delta::Reasoning { choice, text } => json!({ "type": "reasoning", "choice": choice, "text": text }),
            Delta::Refusal { choice, text } => json!({ "type": "refusal", "choice": choice, "text": text }),
            Delta::ToolCall { choice, index, id, name, arguments } => {
                json!({ "type": "tool_call", "choice": choice, "index": index, "id": id, "name": name, "arguments": arguments })
            }
            Delta::Notice { code, .. } => {
                told.notices.push(code.code());
                continue;
            }
            _ => panic!("an unknown delta"),
        };
        let field = if value["type"] == "tool_call" { "arguments" } else { "text" };
        match told.deltas.last_mut() {
            Some(last) if goes_on(last, &value) => {
                let joined = format!("{}{}", last[field].as_str().unwrap(), value[field].as_str().unwrap());
                last[field] = joined.into();
            }
            _ => told.deltas.push(value),
        }
    }
    told
}

fn goes_on(last: &Value, next: &Value) -> bool {
    let blank = |field: &str| next[field].as_str().is_none_or(str::is_empty);
    ["type", "choice", "index"].iter().all(|field| last[*field] == next[*field]) && blank("id") && blank("name")
}

fn message(data: &str) -> (String, String) {
    ("message".to_owned(), data.to_owned())
}

fn options_of(case: &Value) -> Options {
    let options = &case["options"];
    let mut limits = Limits::default();
    if let Some(bytes) = options["reply_bytes"].as_u64() {
        limits.reply = bytes as usize;
    }
    if let Some(parts) = options["parts"].as_u64() {
        limits.parts = parts as usize;
    }
    let think_tags = match options["think_tags"].as_str() {
        Some("off") => ThinkTags::Off,
        Some("open") => ThinkTags::Open,
        _ => ThinkTags::Auto,
    };
    Options { think_tags, limits, ..Options::default() }
}

fn cause_of(case: &Value) -> Cause {
    match case["cause"].as_str().unwrap() {
        "done" => Cause::Done,
        "eof" => Cause::Eof,
        "unterminated" => Cause::Unterminated,
        "reset" => Cause::Reset,
        "aborted" => Cause::Aborted,
        "over_budget" => Cause::OverBudget,
        "timed_out:idle" => Cause::TimedOut(Budget::Idle),
        "timed_out:content_idle" => Cause::TimedOut(Budget::ContentIdle),
        "timed_out:first_token" => Cause::TimedOut(Budget::FirstToken),
        other => panic!("no such cause: {other}"),
    }
}

fn events_of(case: &Value) -> Vec<(String, String)> {
    let event = |event: &Value| match event.as_str() {
        Some(data) => message(data),
        None => (event["event"].as_str().unwrap().to_owned(), event["data"].as_str().unwrap().to_owned()),
    };
    case["events"].as_array().unwrap().iter().map(event).collect()
}

fn cases() -> Vec<(String, Value)> {
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/reply")).unwrap() {
        let path = entry.unwrap().path();
        let list: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let file = path.file_stem().unwrap().to_string_lossy().into_owned();
        cases.extend(list.into_iter().map(|case| (format!("{file}: {}", case["name"].as_str().unwrap()), case)));
    }
    assert!(cases.len() >= 60, "only {} cases", cases.len());
    cases
}

fn usage_json(reply: &Reply) -> Value {
    let Some(usage) = &reply.usage else { return Value::Null };
    let mut json = json!({
        "prompt_tokens": usage.prompt_tokens, "completion_tokens": usage.completion_tokens, "total_tokens": usage.total_tokens,
    });
    let optional = [
        ("cached_tokens", usage.cached_tokens),
        ("cache_miss_tokens", usage.cache_miss_tokens),
        ("reasoning_tokens", usage.reasoning_tokens),
    ];
    for (name, count) in optional {
        if let Some(count) = count {
            json[name] = count.into();
        }
    }
    json
}

#[test]
fn every_reply_vector_comes_out_as_it_says() {
    let mut wrong = Vec::new();
    for (name, case) in cases() {
        let assembler = Assembler::new(options_of(&case));
        let told = tell(assembler, &events_of(&case), cause_of(&case));
        let mut check = |what: &str, found: Value, expected: &Value| {
            if found != *expected {
                wrong.push(format!("{name}: {what} is {found}, expected {expected}"));
            }
        };
        let nothing = json!([]);
        check("deltas", told.deltas.clone().into(), &case["deltas"]);
        check("outcome", told.end.outcome.as_str().into(), &case["outcome"]);
        check("finish_reason", told.end.finish_reason.clone().into(), &case["finish_reason"]);
        check("error", told.end.error.as_ref().map(|error| error.code()).into(), &case["error"]);
        check("notices", told.notices.clone().into(), case.get("notices").unwrap_or(&nothing));
        check("usage", usage_json(&told.reply), &case["usage"]);
        if let Some(expected) = case.get("vendor_code") {
            let vendor = told.end.error.as_ref().and_then(|error| error.vendor());
            check("vendor_code", vendor.and_then(|vendor| vendor.code.clone()).into(), expected);
        }
        if let Some(expected) = case.get("calls") {
            let calls = &told.reply.choices[0].tool_calls;
            check("calls", calls.iter().map(|call| json!([call.id, call.name, call.arguments])).collect(), expected);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_reply_vector_is_the_same_without_templates() {
    for (name, case) in cases() {
        let (events, options) = (events_of(&case), options_of(&case));
        let fast = tell(Assembler::new(options), &events, cause_of(&case));
        let slow = tell(Assembler::without_templates(options), &events, cause_of(&case));
        assert_eq!(fast, slow, "{name}");
    }
}

#[test]
fn every_reply_vector_has_the_same_deltas_and_end_when_nothing_is_collected() {
    for (name, case) in cases() {
        let (events, options) = (events_of(&case), options_of(&case));
        let whole = tell(Assembler::new(options), &events, cause_of(&case));
        let told = tell(Assembler::new(Options { collect: false, ..options }), &events, cause_of(&case));
        assert_eq!((told.deltas, told.end, told.reply.usage), (whole.deltas, whole.end, whole.reply.usage), "{name}");
        assert!(
            told.reply.choices.iter().all(|choice| choice.text.is_empty() && choice.reasoning.is_empty()),
            "{name}"
        );
    }
}

#[test]
fn the_reply_holds_what_the_deltas_said() {
    for (name, case) in cases() {
        let told = tell(Assembler::new(options_of(&case)), &events_of(&case), cause_of(&case));
        for choice in &told.reply.choices {
            let joined = |kind: &str, field: &str| -> String {
                let of_choice =
                    told.deltas.iter().filter(|delta| delta["type"] == kind && delta["choice"] == choice.index);
                of_choice.map(|delta| delta[field].as_str().unwrap()).collect()
            };
            assert_eq!(choice.text, joined("text", "text"), "{name}");
            assert_eq!(choice.reasoning, joined("reasoning", "text"), "{name}");
            assert_eq!(choice.refusal, joined("refusal", "text"), "{name}");
        }
    }
}

/// Just enough of the event-stream format for recordings: one `data:` line per event.
fn recording(name: &str) -> Vec<(String, String)> {
    let path = format!("{}/tests/vectors/recordings/{name}.sse", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().filter_map(|line| line.strip_prefix("data: ")).map(message).collect()
}

#[test]
fn the_recordings_are_read_to_their_ends() {
    for (name, outcome, usage) in [
        ("stream-short", Outcome::Complete, None),
        ("stream-length", Outcome::Length, Some((38, 12, 50))),
        ("stream-usage", Outcome::Length, Some((33, 300, 333))),
        ("stream-chinese", Outcome::Complete, None),
    ] {
        let events = recording(name);
        let told = tell(Assembler::new(Options::default()), &events, Cause::Eof);
        let expected: String = events
            .iter()
            .filter_map(|(_, data)| serde_json::from_str::<Value>(data).ok())
            .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str().map(str::to_owned))
            .collect();
        assert_eq!(told.reply.choices[0].text, expected, "{name}");
        if name != "stream-chinese" {
            assert_eq!(told.end.outcome, outcome, "{name}");
            assert_eq!(
                told.reply.usage.map(|u| (u.prompt_tokens, u.completion_tokens, u.total_tokens)),
                usage,
                "{name}"
            );
        }
        assert!(told.end.outcome.is_success(), "{name}");
        assert_eq!(told.notices, Vec::<&str>::new(), "{name}");
        assert_eq!(told.reply.model, "smollm2-135m-instruct");
        assert_eq!(told.reply.system_fingerprint.as_deref(), Some("b0-unknown"));
    }
}

#[test]
fn an_unary_recording_is_a_whole_reply() {
    let body = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/recordings/unary.json")).unwrap();
    let mut padded = b"\n\n\r\n   \n".to_vec();
    padded.extend_from_slice(&body);
    let (reply, end) = read_body(&padded, &Options::default()).unwrap();
    assert_eq!(end.outcome, Outcome::Length);
    assert!(reply.choices[0].text.starts_with("Ladies and gentlemen"));
    assert_eq!(reply.usage.as_ref().unwrap().cached_tokens, Some(24));
    assert_eq!(reply.extra[0].0, "timings");
    assert_eq!(reply.notices, []);
    assert_eq!(read_body(&body, &Options::default()).unwrap().0, reply);
}

#[test]
fn unary_replies_keep_reasoning_tool_calls_and_inline_think_tags() {
    let body = json!({
        "id": "x", "object": "chat.completion", "created": 7, "model": "m",
        "choices": [{ "index": 0, "finish_reason": "tool_calls", "message": { "role": "assistant", "content": "ok",
            "reasoning_content": "hm", "tool_calls": [
                { "id": "a", "type": "function", "function": { "name": "f", "arguments": "{}" }, "extra_content": { "s": 1 } },
                { "type": "function", "function": { "name": "f", "arguments": "[]" } }] } }],
    });
    let (reply, end) = read_body(body.to_string().as_bytes(), &Options::default()).unwrap();
    let choice = &reply.choices[0];
    assert_eq!((choice.text.as_str(), choice.reasoning.as_str(), reply.created), ("ok", "hm", Some(7)));
    assert_eq!(choice.tool_calls.iter().map(|call| call.arguments.as_str()).collect::<Vec<_>>(), ["{}", "[]"]);
    assert_eq!(choice.tool_calls[0].extra, [("extra_content".to_owned(), "{\"s\":1}".to_owned())]);
    assert_eq!(end.outcome, Outcome::ToolCalls);

    let body = br#"{"choices":[{"message":{"content":"<think>\nr\n</think>\n\na"},"finish_reason":"stop"}]}"#;
    let (reply, _) = read_body(body, &Options::default()).unwrap();
    assert_eq!((reply.choices[0].reasoning.as_str(), reply.choices[0].text.as_str()), ("r\n", "a"));

    let body = br#"{"object":"text_completion","choices":[{"text":"a","index":0,"finish_reason":"length"}]}"#;
    assert_eq!(read_body(body, &Options::default()).unwrap().1.outcome, Outcome::Length);
}

#[test]
fn an_unary_answer_that_is_none_is_an_error() {
    for (body, code) in [
        (r#"{"error":{"message":"Model Not Exist","type":"invalid_request_error"}}"#, "model_not_found"),
        (r#"{"code":50508,"message":"System is too busy now.","data":null}"#, "overloaded"),
        (r#""Invalid token""#, "authentication"),
        ("<html>", "protocol"),
        ("", "protocol"),
        ("  \n ", "protocol"),
        ("data: {}", "protocol"),
        ("{}", "protocol"),
        (r#"{"choices":[{"message":{"content":"ha"#, "truncated"),
    ] {
        assert_eq!(read_body(body.as_bytes(), &Options::default()).unwrap_err().code(), code, "{body}");
    }
    let mut limits = Limits::default();
    limits.reply_body = 4;
    let options = Options { limits, ..Options::default() };
    assert_eq!(read_body(b"{    }", &options).unwrap_err().code(), "reply_too_large");
}

#[test]
fn an_unary_answer_without_a_finish_reason_is_truncated() {
    let body = br#"{"choices":[{"message":{"content":"a"},"finish_reason":null}]}"#;
    assert_eq!(read_body(body, &Options::default()).unwrap().1.outcome, Outcome::Truncated);
}

#[test]
fn an_unary_answer_without_text_may_be_audio_or_an_image() {
    for message in [
        json!({ "content": null, "audio": { "id": "x", "data": "AA==" } }),
        json!({ "content": "", "images": [{ "type": "image_url", "image_url": { "url": "data:," } }] }),
        json!({ "content": [{ "type": "image_url", "image_url": { "url": "data:," } }] }),
    ] {
        let body = json!({ "object": "chat", "choices": [{ "message": message, "finish_reason": "stop" }] });
        let (reply, end) = read_body(body.to_string().as_bytes(), &Options::default()).unwrap();
        assert_eq!(end.outcome, Outcome::Complete, "{body}");
        for field in ["audio", "images"] {
            let kept = reply.choices[0].extra.iter().any(|(name, _)| name == field);
            assert_eq!(kept, message.get(field).is_some(), "{body}");
        }
    }
}

#[test]
fn steps_say_what_an_event_was() {
    let mut assembler = Assembler::new(Options::default());
    let mut out = Deltas::new();
    let mut step = |data: &str| assembler.handle_data("message", data, &mut out).unwrap();
    let content = Step { content: true, ..Step::default() };
    assert_eq!(step(r#"{"choices":[{"delta":{"role":"assistant","content":null}}]}"#), Step::default());
    assert_eq!(step(r#"{"choices":[{"delta":{"content":"a"}}]}"#), content);
    assert_eq!(step(r#"{"choices":[{"delta":{"content":"b"}}]}"#), content);
    assert_eq!(step(r#"{"choices":[{"delta":{"content":""}}]}"#), Step::default());
    assert_eq!(step(r#"{"choices":[{"delta":{"audio":{"data":"AA=="}}}]}"#), content);
    assert_eq!(step(r#"{"choices":[{"delta":{"audio":{}}}]}"#), Step::default());
    assert_eq!(
        step(r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#),
        Step { finished: true, ..Step::default() }
    );
    let usage = r#"{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#;
    assert_eq!(step(usage), Step { usage_only: true, ..Step::default() });
    assert_eq!(step("[DONE]"), Step { done: true, ..Step::default() });
    assert!(assembler.is_done() && assembler.is_finished());
    assert_eq!(assembler.usage().unwrap().total_tokens, 3);
}

#[test]
fn unknown_fields_are_kept_with_their_last_value() {
    let events = [
        r#"{"service_tier":"a","system_fingerprint":null,"choices":[{"delta":{"content":"x","audio":{"n":1}},"matched_stop":1}]}"#,
        r#"{"service_tier":"a","choices":[{"delta":{"content":"x","audio":{"n":2}},"matched_stop":null}],"nothing":null}"#,
        r#"{"service_tier":"b","timings":{"ms": 1},"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
        r#"{"service_tier":"a","choices":[{"delta":{"content":"y","audio":{"n":2}},"matched_stop":null}],"nothing":null}"#,
    ];
    let told = tell(Assembler::new(Options::default()), &events.map(message), Cause::Eof);
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(told.reply.extra, [pair("service_tier", "\"a\""), pair("timings", "{\"ms\": 1}")]);
    assert_eq!(told.reply.choices[0].extra, [pair("matched_stop", "1"), pair("audio", "{\"n\":2}")]);
    assert_eq!(told.reply.choices[0].text, "xxy");
}

#[test]
fn logprobs_of_all_chunks_are_joined() {
    let chunk = |token: &str, finish: &str| {
        message(&format!(
            r#"{{"choices":[{{"delta":{{"content":"{token}"}},"logprobs":{{"content":[{{"token":"{token}","logprob":-0.1}}],"refusal":null}},"finish_reason":{finish}}}]}}"#
        ))
    };
    let told = tell(Assembler::new(Options::default()), &[chunk("a", "null"), chunk("b", "\"stop\"")], Cause::Eof);
    let logprobs: Value = serde_json::from_str(told.reply.choices[0].logprobs.as_ref().unwrap()).unwrap();
    let expected = json!({ "content": [{ "token": "a", "logprob": -0.1 }, { "token": "b", "logprob": -0.1 }] });
    assert_eq!(logprobs, expected);
}

#[test]
fn after_an_error_events_are_ignored_and_the_error_is_the_end() {
    let mut assembler = Assembler::new(Options::default());
    let mut out = Deltas::new();
    let error = assembler.handle_data("message", r#"{"error":"overloaded"}"#, &mut out).unwrap_err();
    assert_eq!(
        assembler.handle_data("message", r#"{"choices":[{"delta":{"content":"b"}}]}"#, &mut out),
        Ok(Step::default())
    );
    let end = assembler.finish(Cause::Eof, &mut out);
    assert_eq!((end.outcome, end.error.as_ref()), (Outcome::Overloaded, Some(&error)));
    assert_eq!(assembler.finish(Cause::Aborted, &mut out), end, "the end is decided once");
    assert!(out.is_empty());
}

#[test]
fn an_error_never_quotes_the_data() {
    for data in ["{\"secret\": broken", "<html>secret", "secret", "[\"secret\"]"] {
        let mut out = Deltas::new();
        let error = Assembler::new(Options::default()).handle_data("message", data, &mut out).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secret"), "{data}");
    }
}

#[test]
fn notices_are_numbered_in_the_order_of_the_list() {
    for (number, notice) in Notice::ALL.iter().enumerate() {
        assert_eq!(*notice as usize, number);
    }
}

/// Chunks as vendors write them, around any text; some strings are written with escapes only.
fn chunk_of(shape: usize, text: &str, ascii: bool) -> String {
    let mut json = serde_json::to_string(text).unwrap();
    if ascii {
        json = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        json = format!("\"{json}\"");
    }
    match shape % 11 {
        0 => format!(
            r#"{{"id":"1","choices":[{{"index":0,"delta":{{"content":{json}}},"finish_reason":null}}],"usage":null}}"#
        ),
        1 => format!(
            r#"{{"id":"1","choices":[{{"index":0,"delta":{{"content":null,"reasoning_content":{json}}},"finish_reason":null}}]}}"#
        ),
        2 => format!(r#"{{"id":"1","choices":[{{"index":1,"delta":{{"content":{json}}}}}],"tier":"a"}}"#),
        3 => {
            format!(r#"{{"choices":[{{"delta":{{"tool_calls":[{{"index":1,"function":{{"arguments":{json}}}}}]}}}}]}}"#)
        }
        4 => format!(
            r#"{{"choices":[{{"delta":{{"tool_calls":[{{"index":0,"id":"b","function":{{"name":"g","arguments":{json}}}}}]}}}}]}}"#
        ),
        5 => format!(
            r#"{{"choices":[{{"delta":{{"tool_calls":[{{"function":{{"arguments":{json}}}}}]}}}}],"tier":"b"}}"#
        ),
        6 => format!(r#"{{"choices":[{{"text":{json},"index":0}}]}}"#),
        7 => format!(r#"{{"choices":[{{"delta":{{"refusal":{json}}},"matched":{json}}}]}}"#),
        8 => r#"{"id":"1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#.to_owned(),
        9 => format!(r#"{{"choices":[{{"index":0,"delta":{{"content":{json},"audio":{{"n":1}}}}}}]}}"#),
        _ => format!(r#"{{"choices":[{{"index":0,"delta":{{"content":{json}}},"usage":{{"prompt_tokens":1}}}}]}}"#),
    }
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z <>/\"\\\\\n]{0,8}",
        "</?think>?",
        "\\PC{0,4}",
        Just("<think>".to_owned()),
        Just("</thi".to_owned())
    ]
}

proptest! {
    #[test]
    fn templates_never_change_what_a_stream_says(chunks in proptest::collection::vec((0usize..11, texts(), any::<bool>(), 0usize..12), 0..40)) {
        let events: Vec<_> = chunks
            .iter()
            .map(|(shape, text, ascii, damage)| {
                let mut data = chunk_of(*shape, text, *ascii);
                if *damage == 0 {
                    // Half a surrogate pair, as some servers cut it.
                    data = data.replacen("\":\"", "\":\"\\ud83d", 1);
                }
                message(&data)
            })
            .collect();
        let fast = tell(Assembler::new(Options::default()), &events, Cause::Eof);
        let slow = tell(Assembler::without_templates(Options::default()), &events, Cause::Eof);
        prop_assert_eq!(fast, slow);
    }

    #[test]
    fn a_damaged_event_means_the_same_with_and_without_templates(at in 0usize..90, byte in 0x20u8..0x7f, text in texts()) {
        let good = chunk_of(0, "x", false);
        let mut bad = chunk_of(0, &text, false);
        if bad.is_char_boundary(at) && bad.is_char_boundary(at + 1) && at < bad.len() {
            bad.replace_range(at..=at, char::from(byte).encode_utf8(&mut [0; 4]));
        }
        let events = [message(&good), message(&bad), message(&good)];
        let fast = tell(Assembler::new(Options::default()), &events, Cause::Eof);
        let slow = tell(Assembler::without_templates(Options::default()), &events, Cause::Eof);
        prop_assert_eq!(fast, slow);
    }

    #[test]
    fn how_the_text_is_split_over_deltas_changes_nothing(
        text in prop_oneof![texts(), "\\s{0,3}<think>\n?[a-z<>/ \n]{0,12}(</think>\n{0,2}[a-z<]{0,6})?", "[a-z<]{0,3}<think>[a-z]{0,3}"],
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
        tags in prop_oneof![Just(ThinkTags::Auto), Just(ThinkTags::Open), Just(ThinkTags::Off)],
        ascii in any::<bool>(),
    ) {
        let options = Options { think_tags: tags, ..Options::default() };
        let whole = tell(Assembler::new(options), &[message(&chunk_of(0, &text, false))], Cause::Eof).reply;
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).filter(|at| text.is_char_boundary(*at)).collect();
        ends.push(text.len());
        ends.sort_unstable();
        let mut from = 0;
        let mut events = Vec::new();
        for end in ends {
            events.push(message(&chunk_of(0, &text[from..end], ascii)));
            from = end;
        }
        let split = tell(Assembler::new(options), &events, Cause::Eof).reply;
        prop_assert_eq!(&split.choices[0].text, &whole.choices[0].text);
        prop_assert_eq!(&split.choices[0].reasoning, &whole.choices[0].reasoning);
    }

    #[test]
    fn any_text_is_accepted_or_gives_an_error(events in proptest::collection::vec(("message|error|ping|", "\\PC{0,60}|[\\[\\]{}\":,a-z0-9\\\\]{0,40}"), 0..6)) {
        tell(Assembler::new(Options::default()), &events, Cause::Eof);
    }

    #[test]
    fn any_json_is_accepted_or_gives_an_error(
        field in "choices|usage|error|code|message|object|id|created|x",
        inner in "index|delta|message|text|finish_reason|logprobs|content|tool_calls|function_call|reasoning",
        value in prop_oneof![Just("null"), Just("0"), Just("-1"), Just("1e400"), Just("\"\""), Just("\"a\""), Just("[]"), Just("{}"), Just("[{}]"), Just("[[]]"), Just("true"), Just("\"\\ud800\"")],
    ) {
        for data in [
            format!(r#"{{"{field}":{value}}}"#),
            format!(r#"{{"choices":[{{"{inner}":{value}}}]}}"#),
            format!(r#"{{"choices":[{{"delta":{{"{inner}":{value}}},"message":{{"{inner}":{value}}}}}]}}"#),
            format!(r#"{{"choices":[{{"delta":{{"tool_calls":[{{"{inner}":{value},"function":{{"name":{value},"arguments":{value}}}}}]}}}}]}}"#),
            format!(r#"{{"choices":[{{"logprobs":{{"{inner}":{value}}}}},{{"logprobs":{{"{inner}":[1]}}}}],"usage":{{"{field}":{value},"prompt_tokens":{value}}}}}"#),
        ] {
            tell(Assembler::new(Options::default()), &[message(&data), message(&data)], Cause::Eof);
            let _ = read_body(data.as_bytes(), &Options::default());
        }
    }

    #[test]
    fn any_bytes_as_a_body_are_accepted_or_give_an_error(body in proptest::collection::vec(any::<u8>(), 0..100)) {
        let _ = read_body(&body, &Options::default());
    }
}

//! The guides' formats: bodies and answers by the shared vectors, answers at every split, sockets in virtual time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "sse/chunks.rs"]
mod chunks;
#[path = "guide/session.rs"]
mod session;

use proptest::prelude::*;
use serde_json::{Value, json};
use sluicegate::guide::{Face, IMAGE_BYTES, Shape, Translated, batch, complete, infer};
use sluicegate::limits::Limits;
use sluicegate::reply::{ThinkTags, error_body};
use sluicegate::request::{Dialect, Endpoint, Request, Target};
use sluicegate::{Error, ErrorKind};

const SHAPES: [(Shape, &str); 3] = [(Shape::Infer, "infer"), (Shape::Complete, "complete"), (Shape::Socket, "socket")];

fn vectors(text: &str) -> Vec<Value> {
    serde_json::from_str::<Value>(text).unwrap().as_array().unwrap().clone()
}

fn translate(case: &Value, body: &[u8]) -> Result<Translated, Error> {
    let limits = Limits::default();
    let model = case["model"].as_str().unwrap();
    match case["as"].as_str().unwrap() {
        "infer" => infer::translate(body, model, &limits),
        _ => {
            let stream = case["stream"].as_bool().unwrap_or(false);
            complete::translate(body, &complete::Defaults { model, stream }, &limits)
        }
    }
}

fn check_error(case: &Value, error: &Error) {
    assert_eq!(error.code(), case["error"]["code"], "{}", case["name"]);
    assert_eq!(json!(error.param()), case["error"]["param"], "{}: {error}", case["name"]);
}

#[test]
fn bodies_become_the_chat_bodies_that_the_vectors_say() {
    for case in vectors(include_str!("vectors/guide/requests.json")) {
        let name = &case["name"];
        let body = case["text"].as_str().map_or_else(|| case["body"].to_string(), str::to_owned).into_bytes();
        if case["as"] == "batch" {
            match batch::split(&body, &Limits::default()) {
                Ok(batch) => {
                    let items: Vec<Value> =
                        (0..batch.len()).map(|at| serde_json::from_slice(&batch.item(at).unwrap()).unwrap()).collect();
                    assert_eq!(json!(items), case["items"], "{name}");
                    assert!(batch.item(batch.len()).is_none());
                }
                Err(error) => check_error(&case, &error),
            }
            continue;
        }
        match translate(&case, &body) {
            Ok(translated) => {
                let chat: Value = serde_json::from_slice(&translated.body).unwrap();
                assert_eq!(chat, case["chat"], "{name}");
                assert_eq!(json!(translated.stream), case["is_stream"], "{name}");
                // What goes on is a request, and means the same there.
                let request = Request::parse(Endpoint::ChatCompletions, &translated.body, &Limits::default()).unwrap();
                assert_eq!(request.is_stream(), translated.stream, "{name}");
            }
            Err(error) => check_error(&case, &error),
        }
    }
}

#[test]
fn an_error_of_the_chat_request_gets_the_guides_name_for_the_field() {
    let stops = json!({"prompt": "Hi", "stop_sequences": ["a", "b", "c", "d", "e"]}).to_string();
    let translated = infer::translate(stops.as_bytes(), "r1", &Limits::default()).unwrap();
    let request = Request::parse(Endpoint::ChatCompletions, &translated.body, &Limits::default()).unwrap();
    let target = Target { dialect: Dialect::OpenAi, model: "m", replay: None, add_usage: false };
    let error = translated.named(request.build(&target).unwrap_err());
    assert_eq!(error.param(), Some("stop_sequences[4]"));

    for (param, expected) in [
        ("messages[0].content", "prompt"),
        ("messages", "prompt"),
        ("stop", "stop_sequences"),
        ("stopping", "stopping"),
        ("temperature", "temperature"),
    ] {
        let error = Error::new(ErrorKind::InvalidRequest, "No.").with_param(param);
        assert_eq!(translated.named(error).param(), Some(expected));
    }
    let error = Error::new(ErrorKind::InvalidRequest, "No.");
    assert_eq!(translated.named(error).param(), None);
    let inputs = br#"{"inputs":[{"type":"text","data":"Hi"}],"stop":["a"]}"#;
    let translated = infer::translate(inputs, "r1", &Limits::default()).unwrap();
    for (param, expected) in [("messages[0].content[0]", "inputs"), ("stop[0]", "stop[0]")] {
        let error = Error::new(ErrorKind::InvalidRequest, "No.").with_param(param);
        assert_eq!(translated.named(error).param(), Some(expected));
    }
}

#[test]
fn an_image_over_the_limit_is_too_large() {
    let gif = |bytes: usize| ["R0lGODlh", &"A".repeat(bytes / 3 * 4 - 8)].concat();
    let body = |data: &str| json!({"inputs": [{"type": "image", "data": data}]}).to_string();
    let defaults = complete::Defaults { model: "m", stream: false };
    let most = IMAGE_BYTES / 3 * 3;
    let read = |bytes: usize| complete::translate(body(&gif(bytes)).as_bytes(), &defaults, &Limits::default());
    assert!(read(most).is_ok());
    let error = read(most + 3).unwrap_err();
    assert_eq!((error.code(), error.param()), ("payload_too_large", Some("inputs[0].data")));
}

#[test]
fn a_body_over_the_limit_is_too_large() {
    let body = json!({"prompt": "x".repeat(9 << 20)}).to_string();
    let error = infer::translate(body.as_bytes(), "r1", &Limits::default()).unwrap_err();
    assert_eq!(error.code(), "payload_too_large");
    assert!(!error.to_string().contains("xxx"));
}

/// An answer cut into these pieces, in a shape.
fn faced<'a>(shape: Shape, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let (mut face, mut out) = (Face::new(shape, "1", "r1", 7), Vec::new());
    for piece in pieces {
        face.push(piece, &mut out);
    }
    face.finish(&mut out);
    let len = out.len();
    face.push(b"data: {}\n\n", &mut out);
    face.finish(&mut out);
    assert_eq!(out.len(), len, "nothing comes behind the end");
    out
}

/// What a shape said: the data of its events, or its messages.
fn said(shape: Shape, bytes: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(bytes).unwrap();
    let parse = |text: &str| match text {
        "[DONE]" => json!("[DONE]"),
        text => serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}")),
    };
    if shape == Shape::Socket {
        assert!(text.is_empty() || text.ends_with('\n'));
        return text.lines().map(parse).collect();
    }
    assert!(text.is_empty() || text.ends_with("\n\n"));
    let events = text.split("\n\n").filter(|event| !event.is_empty() && !event.starts_with(':'));
    events.map(|event| parse(event.strip_prefix("data: ").unwrap())).collect()
}

/// Errors have more members than the vectors compare.
fn compare(expected: &Value, found: &Value, what: &str) {
    let (mut expected, mut found) = (expected.clone(), found.clone());
    if let Some(wanted) = expected.as_object_mut().and_then(|object| object.remove("error")) {
        let error = found.as_object_mut().unwrap().remove("error").unwrap_or_else(|| panic!("{what}: no error"));
        for (name, value) in wanted.as_object().unwrap() {
            assert_eq!(&error[name], value, "{what}: {name}");
        }
        assert!(error["message"].is_string() && error["type"].is_string(), "{what}");
    }
    assert_eq!(found, expected, "{what}");
}

fn stream_of(events: &Value) -> Vec<u8> {
    let mut bytes = String::from(": ok\r\n\r\n");
    for event in events.as_array().unwrap() {
        let data = event.as_str().map_or_else(|| event.to_string(), str::to_owned);
        bytes.push_str(&format!("data: {data}\n\n"));
    }
    bytes.into_bytes()
}

#[test]
fn answers_get_the_shapes_that_the_vectors_say_at_every_split() {
    for case in vectors(include_str!("vectors/guide/answers.json")) {
        for (shape, key) in SHAPES {
            let what = format!("{} as {key}", case["name"]);
            if let Some(whole) = case.get("whole") {
                let out = Face::new(shape, "1", "r1", 7).whole(whole.to_string().as_bytes());
                if shape == Shape::Socket {
                    let found = said(shape, &out);
                    assert_eq!(found.len(), case[key].as_array().unwrap().len(), "{what}");
                    found.iter().zip(case[key].as_array().unwrap()).for_each(|(it, wanted)| compare(wanted, it, &what));
                } else {
                    compare(&case[key], &serde_json::from_slice(&out).unwrap(), &what);
                }
                continue;
            }
            let bytes = stream_of(&case["events"]);
            let out = faced(shape, [bytes.as_slice()]);
            let found = said(shape, &out);
            assert_eq!(found.len(), case[key].as_array().unwrap().len(), "{what}: {found:?}");
            found.iter().zip(case[key].as_array().unwrap()).for_each(|(it, wanted)| compare(wanted, it, &what));
            for at in 0..=bytes.len() {
                let (one, two) = bytes.split_at(at);
                assert_eq!(faced(shape, [one, two]), out, "{what}, split at {at}");
            }
            assert_eq!(faced(shape, bytes.chunks(1)), out, "{what}, byte by byte");
        }
    }
}

const RECORDINGS: [(&str, &[u8]); 4] = [
    ("chinese", include_bytes!("vectors/recordings/stream-chinese.sse")),
    ("length", include_bytes!("vectors/recordings/stream-length.sse")),
    ("short", include_bytes!("vectors/recordings/stream-short.sse")),
    ("usage", include_bytes!("vectors/recordings/stream-usage.sse")),
];

/// Where a recording is cut: everywhere, but for long ones, of which every place of an event is met in one event or another.
fn places(len: usize) -> impl Iterator<Item = usize> {
    (0..=len).step_by(1 + len / 600)
}

/// The text of a recording, by another reader than ours.
fn text_of(recording: &[u8]) -> (String, String) {
    let (mut text, mut reason) = (String::new(), String::new());
    for line in std::str::from_utf8(recording).unwrap().lines() {
        let Some(data) = line.strip_prefix("data: ").filter(|data| *data != "[DONE]") else { continue };
        let chunk: Value = serde_json::from_str(data).unwrap();
        text.push_str(chunk["choices"][0]["delta"]["content"].as_str().unwrap_or_default());
        reason.push_str(chunk["choices"][0]["finish_reason"].as_str().unwrap_or_default());
    }
    (text, reason)
}

#[test]
fn recorded_streams_say_the_same_in_every_shape_at_every_split() {
    for (name, recording) in RECORDINGS {
        let (text, reason) = text_of(recording);
        assert!(!text.is_empty());
        for (shape, key) in SHAPES {
            let out = faced(shape, [recording]);
            let found = said(shape, &out);
            let read: String = found.iter().filter_map(|it| it.pointer("/choices/0/text")?.as_str()).collect();
            assert_eq!(read, text, "{name} as {key}");
            let last = found.iter().rfind(|it| it.is_object()).unwrap();
            assert_eq!(last["choices"][0]["finish_reason"], reason, "{name} as {key}");
            for at in places(recording.len()) {
                let (one, two) = recording.split_at(at);
                assert!(faced(shape, [one, two]) == out, "{name} as {key}, split at {at}");
            }
            for seed in 0..20 {
                assert!(faced(shape, chunks::random(recording, seed)) == out, "{name} as {key}, seed {seed}");
            }
        }
    }
}

#[test]
fn a_recording_that_is_cut_is_never_a_whole_answer() {
    for (name, recording) in RECORDINGS {
        let text = std::str::from_utf8(recording).unwrap();
        let last = text.rfind("\"finish_reason\":\"").unwrap();
        let event = text[..last].rfind("data: ").unwrap();
        for (shape, key) in SHAPES {
            for at in places(event - 1) {
                let found = said(shape, &faced(shape, [&recording[..at]]));
                let last = found.last().unwrap();
                assert_eq!(last["error"]["code"], "truncated", "{name} as {key}, cut at {at}");
                assert!(!found.contains(&json!("[DONE]")));
            }
        }
    }
}

#[test]
fn an_upstream_may_begin_inside_the_thinking_or_use_the_tags_as_text() {
    for (tags, said_text, text, reasoning) in [
        (ThinkTags::Auto, "<think>a</think>b", "b", "a"),
        (ThinkTags::Auto, "a</think>b", "a</think>b", ""),
        (ThinkTags::Open, "a</think>b", "b", "a"),
        (ThinkTags::Off, "<think>a</think>b", "<think>a</think>b", ""),
    ] {
        let chunk = json!({"choices": [{"delta": {"content": said_text}, "finish_reason": "stop"}]});
        let stream = stream_of(&json!([chunk, "[DONE]"]));
        let (mut face, mut out) = (Face::new(Shape::Infer, "1", "r1", 7), Vec::new());
        face.read_think_tags(tags);
        face.push(&stream[..20], &mut out);
        face.read_think_tags(ThinkTags::Auto);
        face.push(&stream[20..], &mut out);
        let found = said(Shape::Infer, &out);
        let of =
            |name: &str| -> String { found.iter().filter_map(|it| it.get("choices")?[0][name].as_str()).collect() };
        assert_eq!((of("text").as_str(), of("reasoning_content").as_str()), (text, reasoning), "{tags:?}");
    }
}

#[test]
fn comments_are_handed_on_in_streams_and_left_out_of_sockets() {
    let stream =
        b": keep-alive\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n: sluicegate {\"notice\":\"x\"}\n\n";
    let out = String::from_utf8(faced(Shape::Infer, [stream.as_slice()])).unwrap();
    assert!(out.starts_with(": keep-alive\n\ndata: "));
    assert!(out.contains("\n\n: sluicegate {\"notice\":\"x\"}\n\n"));
    assert!(!String::from_utf8(faced(Shape::Socket, [stream.as_slice()])).unwrap().contains("alive"));
}

#[test]
fn what_an_upstream_says_at_once_reaches_a_socket_in_small_messages() {
    let text = "é😀x".repeat(40_000);
    let chunk = |delta: Value, reason: Value| {
        format!("data: {}\n\n", json!({"choices":[{"index":0,"delta":delta,"finish_reason":reason}]}))
    };
    let stream = [
        chunk(json!({"reasoning_content": text}), Value::Null),
        chunk(json!({"content": text}), Value::Null),
        chunk(json!({}), json!("stop")),
        "data: [DONE]\n\n".to_owned(),
    ]
    .concat();
    let found = said(Shape::Socket, &faced(Shape::Socket, [stream.as_bytes()]));
    let of = |name: &str| -> String {
        found
            .iter()
            .filter_map(|it| it["choices"][0][name].as_str())
            .inspect(|it| assert!(it.len() <= 32 << 10))
            .collect()
    };
    assert!(of("text") == text && of("reasoning_content") == text);
}

#[test]
fn a_failed_item_of_a_batch_has_the_shape_of_the_others() {
    let error = r#"{"error": {"message": "No.", "type": "t", "param": null,
        "code": "c"}}"#;
    let results = [batch::failed(error, 0), batch::failed("<html>", 1), r#"{"choices":[{"text":"a"}]}"#.to_owned()];
    let answer: Value = serde_json::from_str(&batch::join(&results)).unwrap();
    let texts: Vec<&str> =
        answer.as_array().unwrap().iter().map(|it| it["choices"][0]["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["", "", "a"]);
    assert_eq!(answer[0]["error"]["code"], "c");
    assert_eq!(answer[1]["error"]["code"], "internal");
    assert_eq!(answer[0]["choices"][0]["finish_reason"], "error");
}

#[test]
fn an_error_of_a_batch_names_the_prompt_at_fault_as_its_caller_does() {
    let limits = Limits::default();
    let one = complete::translate(br#"{"prompt":""}"#, &complete::Defaults { model: "m", stream: false }, &limits);
    let body = error_body(&one.unwrap_err());
    let failed: Value = serde_json::from_str(&batch::failed(&body, 7)).unwrap();
    assert_eq!(failed["error"]["param"], "prompts[7]");
    let all: Value = serde_json::from_str(&batch::of_all(&body)).unwrap();
    assert_eq!(all["error"]["param"], "prompts");
    let other = r#"{"error":{"message":"\"param\":\"prompt\"","param":"top_p","code":"c"}}"#;
    assert_eq!(batch::of_all(other), other);
}

#[test]
fn a_default_for_max_tokens_is_known_from_a_callers_wish() {
    let limits = Limits::default();
    let infer = |body: &str| infer::translate(body.as_bytes(), "r1", &limits).unwrap().uses_default_max_tokens();
    assert!(infer(r#"{"prompt":"a"}"#));
    assert!(infer(r#"{"prompt":"a","max_tokens":null}"#));
    assert!(!infer(r#"{"prompt":"a","max_tokens":2048}"#));
    assert!(!infer(r#"{"prompt":"a","max_completion_tokens":9}"#));
}

#[test]
fn another_model_that_answers_is_named() {
    let whole = json!({"choices":[{"index":0,"message":{"role":"assistant","content":"a"},"finish_reason":"stop"}]})
        .to_string();
    for shape in [Shape::Infer, Shape::Complete] {
        let mut face = Face::new(shape, "1", "r1", 1);
        face.answered_by("lighter");
        let answer: Value = serde_json::from_slice(&face.whole(whole.as_bytes())).unwrap();
        assert_eq!(answer["model"], "lighter");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_body_is_translated_or_refused_in_our_words(body in prop_oneof![
        "[\\[\\]{}:,\" a-z\\\\]{0,40}",
        "\\{\"(prompt|inputs|prompts|stop_sequences|stream|preset|model)\": ?(\"[a-z\\\\\"]{0,8}\"|null|true|1|\\[\"a\"\\]|\\[\\{\"type\":\"image\",\"data\":\"[A-Za-z=]{0,9}\"\\}\\])(,\"(temperature|top_p|max_tokens|stop)\":-?[0-9.e]{1,5})?\\}",
    ]) {
        let limits = Limits::default();
        for read in [
            infer::translate(body.as_bytes(), "r1", &limits),
            complete::translate(body.as_bytes(), &complete::Defaults { model: "m", stream: true }, &limits),
        ] {
            match read {
                Ok(translated) => prop_assert!(serde_json::from_slice::<Value>(&translated.body).is_ok()),
                Err(error) => prop_assert!(matches!(error.kind(), ErrorKind::InvalidRequest), "{error}"),
            }
        }
        if let Ok(batch) = batch::split(body.as_bytes(), &limits) {
            prop_assert!(serde_json::from_slice::<Value>(&batch.item(0).unwrap()).is_ok());
        }
    }

    #[test]
    fn any_bytes_end_in_one_end(bytes in proptest::collection::vec(any::<u8>(), 0..200), seed in any::<u64>()) {
        for (shape, _) in SHAPES {
            let out = faced(shape, [bytes.as_slice()]);
            prop_assert_eq!(&faced(shape, chunks::random(&bytes, seed)), &out);
            Face::new(shape, "1", "r1", 7).whole(&bytes);
        }
    }
}

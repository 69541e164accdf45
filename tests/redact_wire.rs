//! Answers as bytes, by the shared vectors at every split, by recordings and by properties.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "sse/chunks.rs"]
mod chunks;

use proptest::prelude::*;
use serde_json::{Value, json};
use sluicegate::redact::wire::{AnswerStream, Channel, Channels, needs, whole, whole_with};
use sluicegate::redact::{Action, Answers, Entity, Mode, Policy, Redactor, Restoring, Session, Sink, Tally};
use std::sync::OnceLock;

const KNOWN: &str = "13812345678";
const NEW: &str = "13987654321";
const LABEL: &str = "***手机号***";

fn redactor(answers: Answers, tool_arguments: bool) -> Redactor {
    let restoring = Restoring { tool_arguments, ..Restoring::default() };
    Redactor::new(Policy { answers, restoring, ..Policy::default() }).unwrap()
}

/// A session with one token, and the token.
fn session(redactor: &Redactor) -> (Session, String) {
    let mut session = Session::new(&[7; 32]);
    let token = session.token(Entity::PhoneCn, redactor.policy().label(Entity::PhoneCn), KNOWN);
    (session, token)
}

fn stream<'a>(redactor: &Redactor, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let (mut session, _) = session(redactor);
    run(redactor, &mut session, AnswerStream::new(), pieces)
}

fn run<'a>(
    redactor: &Redactor,
    session: &mut Session,
    mut stream: AnswerStream,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<u8> {
    let (mut out, mut tally) = (Vec::new(), Tally::default());
    for piece in pieces {
        stream.push(redactor, session, piece, &mut out, &mut tally);
    }
    stream.finish(redactor, session, &mut out, &mut tally);
    out
}

/// The data of each event.
fn data(bytes: &[u8]) -> Vec<String> {
    let text = core::str::from_utf8(bytes).unwrap().replace("\r\n", "\n").replace('\r', "\n");
    let mut events = Vec::new();
    for block in text.split("\n\n") {
        let lines: Vec<&str> =
            block.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim_start).collect();
        if !lines.is_empty() {
            events.push(lines.join("\n"));
        }
    }
    events
}

/// All strings at these places, joined.
fn said(bytes: &[u8], at: &[&str]) -> String {
    let mut said = String::new();
    for event in data(bytes).iter().filter(|event| *event != "[DONE]") {
        let event: Value = serde_json::from_str(event).unwrap_or_else(|error| panic!("{event}: {error}"));
        said.extend(at.iter().filter_map(|at| event.pointer(at)?.as_str()));
    }
    said
}

/// The events of a vector, its text cut at these places.
fn events(case: &Value, text: &str, cuts: &[usize]) -> Vec<u8> {
    let strings = |key: &str| -> Vec<String> {
        case[key].as_array().unwrap().iter().map(|event| event.as_str().unwrap().to_owned()).collect()
    };
    let mut bytes = String::new();
    let mut event = |name: Option<&str>, data: &str| {
        if let Some(name) = name {
            bytes.push_str(&format!("event: {name}\n"));
        }
        bytes.push_str(&format!("data: {data}\n\n"));
    };
    strings("before").iter().for_each(|data| event(None, data));
    let mut from = 0;
    for &cut in cuts.iter().chain([&text.len()]) {
        let piece = serde_json::to_string(&text[from..cut]).unwrap();
        event(case["event"].as_str(), &case["piece"].as_str().unwrap().replace("@@", &piece[1..piece.len() - 1]));
        from = cut;
    }
    strings("after").iter().for_each(|data| event(None, data));
    bytes.into_bytes()
}

fn cuts(text: &str) -> Vec<usize> {
    (1..text.len()).filter(|at| text.is_char_boundary(*at)).collect()
}

fn cases() -> Vec<Value> {
    serde_json::from_str(include_str!("vectors/redact/wire.json")).unwrap()
}

/// Runs a vector with its text cut in two everywhere, and in single characters.
fn every_cut(case: &Value, redactor: &Redactor, text: &str, expected: &str) {
    let name = &case["name"];
    let at: Vec<&str> = case["at"].as_array().unwrap().iter().map(|at| at.as_str().unwrap()).collect();
    let tail = case["tail"].as_str().unwrap_or_default();
    let all = cuts(text);
    for cuts in all.iter().map(|cut| vec![*cut]).chain([vec![], all.clone()]) {
        let bytes = events(case, text, &cuts);
        let out = stream(redactor, [bytes.as_slice()]);
        assert_eq!(
            said(&out, &at),
            format!("{expected}{tail}"),
            "{name} cut at {cuts:?}: {}",
            String::from_utf8_lossy(&out)
        );
        let after = case["after"].as_array().unwrap();
        let (ours, theirs) = (data(&out), data(&bytes));
        // One for the text, one for what follows it in another channel.
        assert!(ours.len() <= theirs.len() + 2, "{name}");
        if after.last().is_some_and(|last| last == "[DONE]") {
            assert_eq!(ours.last(), theirs.last(), "{name}");
        }
        for event in ours.iter().filter(|event| *event != "[DONE]") {
            let event: Value = serde_json::from_str(event).unwrap();
            let is_delta = event.pointer("/choices/0/index").is_some();
            assert!(
                !is_delta || event["choices"][0].get("finish_reason").is_some() || name == "spaces in the JSON",
                "{name}"
            );
        }
    }
}

#[test]
fn tokens_are_given_back_where_the_policy_says_so_however_the_answer_is_cut() {
    for case in cases() {
        for tool_arguments in [false, true] {
            let redactor = redactor(Answers::Keep, tool_arguments);
            let token = session(&redactor).1;
            let text = |phone: &str| match case["json_text"] == true {
                true => format!(r#"{{"to":"{phone}","n":[1,"\n"]}}"#),
                false => format!("请拨 {phone} 找他, 好"),
            };
            let restored = match case["channel"].as_str().unwrap() {
                "tool" => tool_arguments,
                "other" => false,
                _ => true,
            };
            let expected = if restored { text(KNOWN) } else { text(&token) };
            every_cut(&case, &redactor, &text(&token), &expected);
        }
    }
}

#[test]
fn what_is_new_is_labelled_and_what_was_given_back_is_not_however_the_answer_is_cut() {
    for case in cases() {
        let redactor = redactor(Answers::Mask, true);
        let token = session(&redactor).1;
        let text = |new: &str, known: &str| match case["json_text"] == true {
            true => format!(r#"{{"to":"{new}","cc":"{known}","n":[1,"\n"]}}"#),
            false => format!("请拨 {new} 或 {known} 找他"),
        };
        let known = if case["channel"] == "other" { &token } else { KNOWN };
        every_cut(&case, &redactor, &text(NEW, &token), &text(LABEL, known));
    }
}

#[test]
fn an_answer_without_private_data_passes_byte_for_byte() {
    for answers in [Answers::Keep, Answers::Mask] {
        // The one of them in which a number stands would be labelled.
        let redactor = Redactor::new(Policy {
            answers,
            actions: Entity::ALL.iter().map(|entity| (*entity, Action::Keep)).collect(),
            ..Policy::default()
        })
        .unwrap();
        for (name, bytes) in [
            ("chinese", include_bytes!("vectors/recordings/stream-chinese.sse").as_slice()),
            ("length", include_bytes!("vectors/recordings/stream-length.sse").as_slice()),
            ("short", include_bytes!("vectors/recordings/stream-short.sse").as_slice()),
            ("usage", include_bytes!("vectors/recordings/stream-usage.sse").as_slice()),
        ] {
            let at = ["/choices/0/delta/content"];
            let out = stream(&redactor, [bytes]);
            assert_eq!(said(&out, &at), said(bytes, &at), "{name}");
            assert_eq!(stream(&redactor, bytes.chunks(1)), out, "{name}");
            if answers == Answers::Keep {
                let mut session = Session::new(&[7; 32]);
                assert_eq!(run(&redactor, &mut session, AnswerStream::new(), bytes.chunks(7)), bytes, "{name}");
                assert!(!needs(&redactor, &session));
            }
        }
        for body in [include_str!("vectors/recordings/unary.json"), include_str!("vectors/recordings/error-400.json")] {
            let (mut session, _) = session(&redactor);
            assert_eq!(whole(&redactor, &mut session, body, &mut Tally::default()), body);
        }
    }
}

/// A stream with everything that may stand in one, and what comes of it under both policies.
fn rich(token: &str) -> String {
    let (one, two) = token.split_at(token.char_indices().nth(3).unwrap().0);
    [
        "\u{FEFF}: hello\r\nretry: 10\r\n\r\n",
        "id: 1\r\nevent: message\r\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"你 ",
        one,
        "\"}},{\"index\":1,\"delta\":{\"content\":\"139876\"}}]}\r\n\r\n",
        ": ping\r\n\r\n",
        "data: {\"choices\":[{\"index\":0,\r\ndata: \"delta\":{\"content\":\"",
        two,
        " 1398\"}}]}\r\rdata:{\"choices\":[{\"index\":1,\"delta\":{\"content\":\"54321 \\ud83d\"}}]}\r\r",
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"7654321\"}}]}\r\n\r\n",
        "data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"\\ude00 1391\"},\"finish_reason\":null}]}\n\n",
        "data: no JSON 13987654321\n\ndata: {\"cut\": \"13987654321\n\n",
        "event: x\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
        "data: [DONE]",
    ]
    .concat()
}

#[test]
fn what_comes_out_does_not_depend_on_how_the_bytes_came() {
    for answers in [Answers::Keep, Answers::Mask] {
        let redactor = redactor(answers, true);
        let text = rich(&session(&redactor).1);
        let bytes = text.as_bytes();
        let expected = stream(&redactor, [bytes]);
        for cut in 0..=bytes.len() {
            let (a, b) = bytes.split_at(cut);
            assert_eq!(stream(&redactor, [a, b]), expected, "cut at {cut}");
        }
        assert_eq!(stream(&redactor, bytes.chunks(1)), expected);
        for seed in 0..50 {
            assert_eq!(stream(&redactor, chunks::random(bytes, seed)), expected, "seed {seed}");
        }
        // Cut off anywhere, nothing that is to be hidden is left.
        for end in 0..bytes.len() {
            let out = stream(&redactor, [&bytes[..end]]);
            assert_eq!(stream(&redactor, bytes[..end].chunks(1)), out, "ends at {end}");
            let out = String::from_utf8_lossy(&out);
            assert!(answers == Answers::Keep || !out.contains(NEW), "ends at {end}: {out}");
        }
    }
}

#[test]
fn everything_but_the_texts_stays_as_it_was() {
    let redactor = redactor(Answers::Mask, true);
    let out = stream(&redactor, [rich(&session(&redactor).1).as_bytes()]);
    let out = String::from_utf8(out).unwrap();
    for part in [
        "\u{FEFF}: hello\r\nretry: 10\r\n\r\n",
        "id: 1\r\nevent: message\r\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"content\":",
        ": ping\r\n\r\n",
        "event: x\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
    ] {
        assert!(out.contains(part), "{part:?} in {out}");
    }
    assert!(out.ends_with("\n\ndata: [DONE]"));
    assert!(out.contains("你 ") && out.contains(KNOWN) && out.contains('😀'), "{out}");
    assert_eq!(out.matches(LABEL).count(), 4, "{out}");
}

#[test]
fn the_halves_of_an_entity_join_within_a_choice_and_not_across() {
    let redactor = redactor(Answers::Mask, true);
    let chunk = |index: u32, text: &str| {
        format!("data: {}\n\n", json!({"choices": [{"index": index, "delta": {"content": text}}]}))
    };
    let across = [chunk(0, "1398765"), chunk(1, "4321"), chunk(0, " "), chunk(1, " "), "data: [DONE]\n\n".to_owned()];
    let out = stream(&redactor, [across.concat().as_bytes()]);
    assert_eq!(said(&out, &["/choices/0/delta/content"]).replace(' ', "").len(), 11);
    assert!(!String::from_utf8(out).unwrap().contains(LABEL));

    let within = [chunk(0, "1398765"), chunk(1, "x"), chunk(0, "4321"), chunk(1, "y"), "data: [DONE]\n\n".to_owned()];
    let out = String::from_utf8(stream(&redactor, [within.concat().as_bytes()])).unwrap();
    assert!(out.contains(LABEL) && !out.contains("4321"), "{out}");
}

#[test]
fn calls_of_one_chunk_are_texts_of_their_own() {
    let redactor = redactor(Answers::Keep, true);
    let token = session(&redactor).1;
    let (one, two) = token.split_at(token.char_indices().nth(4).unwrap().0);
    let chunk = |a: &str, b: &str| {
        let call = |index: u32, text: &str| json!({"index": index, "function": {"arguments": text}});
        let calls = json!([call(0, a), call(1, b)]);
        format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": {"tool_calls": calls}}]}))
    };
    let all = [
        chunk(&format!("{{\"a\":\"{one}"), &format!("{{\"b\":\"{token}")),
        chunk(&format!("{two}\"}}"), "\"}"),
        "data: [DONE]\n\n".to_owned(),
    ];
    let out = stream(&redactor, [all.concat().as_bytes()]);
    let mut calls = [String::new(), String::new()];
    for event in data(&out).iter().filter(|event| *event != "[DONE]") {
        let event: Value = serde_json::from_str(event).unwrap();
        for call in event["choices"][0]["delta"]["tool_calls"].as_array().unwrap() {
            calls[call["index"].as_u64().unwrap() as usize].push_str(call["function"]["arguments"].as_str().unwrap());
        }
    }
    assert_eq!(calls, [format!("{{\"a\":\"{KNOWN}\"}}"), format!("{{\"b\":\"{KNOWN}\"}}")]);
}

#[test]
fn arguments_with_escapes_are_searched_as_what_they_say() {
    let redactor = redactor(Answers::Mask, false);
    let chunk = |text: &str| {
        let calls = json!([{"index": 0, "function": {"arguments": text}}]);
        format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": {"tool_calls": calls}}]}))
    };
    let arguments =
        r#"{"a":"\u0031\u0033987654321","b":13987654321,"c":[13987654321,-1.5e3,true],"d":"x\"\n\u4f60\/"}"#;
    let expected = json!({"a": LABEL, "b": LABEL, "c": [LABEL, -1.5e3, true], "d": "x\"\n你/"});
    for cut in cuts(arguments) {
        let (a, b) = arguments.split_at(cut);
        let out = stream(&redactor, [[chunk(a), chunk(b), "data: [DONE]\n\n".to_owned()].concat().as_bytes()]);
        let text = said(&out, &["/choices/0/delta/tool_calls/0/function/arguments"]);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap_or_else(|error| panic!("{text}: {error}")), expected);
    }
    let body = json!({"choices": [{"message": {"tool_calls": [{"id": "c", "function": {"name": "f", "arguments": arguments}}]}}]});
    let (mut session, _) = session(&redactor);
    let out: Value =
        serde_json::from_str(&whole(&redactor, &mut session, &body.to_string(), &mut Tally::default())).unwrap();
    let text = out["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Value>(text).unwrap(), expected);
}

#[test]
fn arguments_that_are_no_json_are_searched_as_text() {
    let redactor = redactor(Answers::Mask, false);
    for arguments in
        ["call 13987654321 now", "{\"a\": 13987654321 x, 13987654321", "{\"a\\x\":\"13987654321", "13987654321"]
    {
        let body = json!({"choices": [{"message": {"tool_calls": [{"function": {"arguments": arguments}}]}}]});
        let (mut session, _) = session(&redactor);
        let out = whole(&redactor, &mut session, &body.to_string(), &mut Tally::default());
        assert!(!out.contains(NEW) && serde_json::from_str::<Value>(&out).is_ok(), "{out}");
    }
}

#[test]
fn logprobs_of_a_text_that_changed_are_left_out() {
    let chunk = |text: &str| {
        let tokens = json!({"content": [{"token": text, "logprob": -0.1}]});
        format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": {"content": text}, "logprobs": tokens}]}))
    };
    let bytes = [chunk("打 "), chunk(NEW), chunk(" 吧")].concat();
    let out = String::from_utf8(stream(&redactor(Answers::Mask, false), [bytes.as_bytes()])).unwrap();
    assert!(!out.contains(NEW) && out.contains("\"logprobs\":null"), "{out}");
    let out = String::from_utf8(stream(&redactor(Answers::Keep, false), [bytes.as_bytes()])).unwrap();
    assert_eq!(out.matches("\"logprob\":-0.1").count(), 3);
}

#[test]
fn an_event_over_the_limit_ends_an_answer_in_which_something_is_to_be_hidden() {
    let small = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"139\"}}]}\n\n";
    let large = format!("data: {{\"a\":\"{NEW}{}\"}}\n\n", "x".repeat(200));
    let bytes = [small, &large, small].concat();
    for size in [1, 7, 1000] {
        let hiding = redactor(Answers::Mask, false);
        let (mut session, _) = session(&hiding);
        let out = run(&hiding, &mut session, AnswerStream::with_limit(100), bytes.as_bytes().chunks(size));
        let events = data(&out);
        assert_eq!(said(&out, &["/choices/0/delta/content"]), "139");
        let error: Value = serde_json::from_str(events.last().unwrap()).unwrap();
        assert_eq!(error["error"]["code"], "event_too_large");
        assert!(!String::from_utf8(out).unwrap().contains(NEW));

        let keeping = redactor(Answers::Keep, false);
        let (mut session, _) = self::session(&keeping);
        let out = run(&keeping, &mut session, AnswerStream::with_limit(100), bytes.as_bytes().chunks(size));
        assert_eq!(said(&out, &["/choices/0/delta/content"]), "139139");
        assert!(String::from_utf8(out).unwrap().contains(&large));
    }
}

#[test]
fn the_rest_of_a_text_in_a_large_event_is_not_lost_either() {
    for (answers, padding) in [(Answers::Keep, "usage"), (Answers::Keep, "id"), (Answers::Mask, "usage")] {
        let redactor = redactor(answers, false);
        let token = session(&redactor).1;
        let (one, two) = token.split_at(token.char_indices().nth(3).unwrap().0);
        let chunk = |text: &str| {
            let large = if padding == "id" { json!("x".repeat(20_000)) } else { json!(vec![1; 20_000]) };
            format!("data: {}\n\n", json!({padding: large, "choices": [{"index": 0, "delta": {"content": text}}]}))
        };
        let out = stream(&redactor, [[chunk(one), chunk(two)].concat().as_bytes()]);
        let said = said(&out, &["/choices/0/delta/content"]);
        // An event that is large without its lists is not kept, so that a token in two of them stays as it is.
        assert_eq!(said, if padding == "id" { &token } else { KNOWN });
    }
}

#[test]
fn more_texts_than_are_followed_pass_or_end_the_answer() {
    let choices: Vec<Value> = (0..1100).map(|index| json!({"index": index, "delta": {"content": "139"}})).collect();
    let event = format!("data: {}\n\n", json!({ "choices": choices }));
    let bytes = [event.as_str(), "data: [DONE]\n\n"].concat();
    let out = stream(&redactor(Answers::Keep, false), [bytes.as_bytes()]);
    assert_eq!(String::from_utf8(out).unwrap().matches("\"139\"").count(), 1100);
    let out = String::from_utf8(stream(&redactor(Answers::Mask, false), [bytes.as_bytes()])).unwrap();
    assert!(out.contains("\"error\"") && !out.contains("DONE"));
}

#[test]
fn data_nested_too_deep_to_be_searched_ends_an_answer_in_which_something_is_to_be_hidden() {
    let event = format!("data: {}\"{NEW}\"{}\n\n", "[".repeat(60), "]".repeat(60));
    let out = String::from_utf8(stream(&redactor(Answers::Mask, false), [event.as_bytes()])).unwrap();
    assert!(!out.contains(NEW) && out.contains("event_too_large"), "{out}");
    assert_eq!(stream(&redactor(Answers::Keep, false), [event.as_bytes()]), event.as_bytes());
}

#[test]
fn whole_answers_of_every_endpoint_are_given_back() {
    let redactor = redactor(Answers::Keep, false);
    let (mut session, token) = session(&redactor);
    for (body, at) in [
        (
            json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": format!("拨 {token}")}}]}),
            "/choices/0/message/content",
        ),
        (
            json!({"choices": [{"message": {"reasoning_content": format!("拨 {token}")}}]}),
            "/choices/0/message/reasoning_content",
        ),
        (json!({"choices": [{"text": format!("拨 {token}")}]}), "/choices/0/text"),
        (
            json!({"object": "response", "output": [{"type": "message", "content": [{"type": "output_text", "text": format!("拨 {token}")}]}]}),
            "/output/0/content/0/text",
        ),
        (json!({"type": "message", "content": [{"type": "text", "text": format!("拨 {token}")}]}), "/content/0/text"),
        (json!({"results": [{"index": 0, "document": {"text": format!("拨 {token}")}}]}), "/results/0/document/text"),
        (json!({"message": {"role": "assistant", "content": format!("拨 {token}")}, "done": true}), "/message/content"),
    ] {
        let body = body.to_string();
        let out = whole(&redactor, &mut session, &body, &mut Tally::default());
        let value: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(value.pointer(at).unwrap(), &format!("拨 {KNOWN}"), "{body}");
        assert_eq!(out, body.replace(&token, KNOWN));
    }
    for body in [
        json!({"error": {"message": format!("no {token}")}}),
        json!({"choices": [{"message": {"tool_calls": [{"function": {"name": "f", "arguments": format!("{{\"a\":\"{token}\"}}")}}]}}]}),
        json!({"object": "response", "instructions": token, "metadata": {"text": token}, "output": []}),
        json!(token),
    ] {
        let body = body.to_string();
        assert_eq!(whole(&redactor, &mut session, &body, &mut Tally::default()), body);
    }
}

#[test]
fn nothing_new_is_left_in_any_string_of_a_whole_answer() {
    let redactor = redactor(Answers::Mask, false);
    let (mut session, _) = session(&redactor);
    let mut mask = |body: &str| whole(&redactor, &mut session, body, &mut Tally::default());
    let body = json!({
        "choices": [{"message": {"content": NEW, "refusal": NEW, "reasoning_details": [{"text": NEW}], "annotations": [{"title": NEW}]}}],
        "error": {"message": NEW}, "unheard_of": [[NEW]],
    });
    let out = mask(&body.to_string());
    assert!(!out.contains(NEW) && out.matches(LABEL).count() == 6, "{out}");
    for broken in
        [format!("<html>{NEW}</html>"), format!("{{\"a\":\"{NEW}"), "{\"a\":\"\\u0031\\u0033987654321\",".to_owned()]
    {
        let out = mask(&broken);
        assert!(!out.contains("3987654321"), "{out}");
    }
}

#[test]
fn labels_stand_in_answers_even_where_requests_have_tokens() {
    let redactor =
        Redactor::new(Policy { answers: Answers::Mask, mode: Mode::Reversible, ..Policy::default() }).unwrap();
    let mut session = Session::new(&[7; 32]);
    let out = whole(&redactor, &mut session, &json!({"choices": [{"text": NEW}]}).to_string(), &mut Tally::default());
    assert!(out.contains(LABEL), "{out}");
    assert!(session.is_empty());
}

#[test]
fn a_json_answer_stays_json_and_is_searched_as_such() {
    let redactor = redactor(Answers::Mask, false);
    let (mut session, token) = session(&redactor);
    let content = format!(r#"{{"a":"\u0031\u0033987654321","b":"{token}","c":13987654321}}"#);
    let body = json!({"choices": [{"message": {"content": content}}]}).to_string();
    let out: Value =
        serde_json::from_str(&whole_with(&redactor, &mut session, Sink::Json, &body, &mut Tally::default())).unwrap();
    let content: Value = serde_json::from_str(out["choices"][0]["message"]["content"].as_str().unwrap()).unwrap();
    assert_eq!(content, json!({"a": LABEL, "b": KNOWN, "c": LABEL}));
}

#[test]
fn channels_tell_what_they_held_when_they_are_flushed() {
    let redactor = redactor(Answers::Keep, true);
    let (mut session, token) = session(&redactor);
    let (mut channels, mut tally) = (Channels::new(), Tally::default());
    let mut texts: Vec<(u32, Channel, String)> = Vec::new();
    let mut add = |choice: u32, channel: Channel, text: &str| match texts
        .iter_mut()
        .find(|known| (known.0, known.1) == (choice, channel))
    {
        Some(known) => known.2.push_str(text),
        None => texts.push((choice, channel, text.to_owned())),
    };
    for part in token.chars() {
        for (choice, channel) in
            [(0, Channel::Text), (1, Channel::Text), (0, Channel::Reasoning), (0, Channel::Refusal)]
        {
            let mut out = String::new();
            channels.push(&redactor, &mut session, choice, channel, &part.to_string(), &mut out, &mut tally);
            add(choice, channel, &out);
        }
    }
    channels.flush(&redactor, &mut session, &mut |choice, channel, rest| add(choice, channel, rest), &mut tally);
    assert_eq!(texts.len(), 4);
    assert!(texts.iter().all(|text| text.2 == KNOWN), "{texts:?}");
    assert_eq!(tally.restored, 4);
}

proptest! {
    #[test]
    fn any_bytes_cut_anyhow_come_out_the_same(
        parts in prop::collection::vec(prop_oneof![
            Just("data: ".to_owned()), Just("\n\n".to_owned()), Just("\r".to_owned()), Just("\n".to_owned()), Just(": c".to_owned()),
            Just("id: 1\n".to_owned()), Just("[DONE]".to_owned()), Just(NEW.to_owned()), Just("TOKEN".to_owned()), Just("139".to_owned()),
            Just("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"139\"}}]}\n\n".to_owned()),
            Just("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"87654321\"}}]}\r\n\r\n".to_owned()),
            Just("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"TOKEN\"},\"finish_reason\":\"x\"}]}\r\r".to_owned()),
            Just("data: {\"error\":{}}\n\n".to_owned()),
            "[a{}\"é:, ]{0,4}",
        ], 0..14),
        seed in any::<u64>(),
        hides in any::<bool>(),
    ) {
        static REDACTORS: OnceLock<[Redactor; 2]> = OnceLock::new();
        let redactors = REDACTORS.get_or_init(|| [redactor(Answers::Keep, true), redactor(Answers::Mask, true)]);
        let redactor = &redactors[usize::from(hides)];
        let text = parts.concat().replace("TOKEN", &session(redactor).1);
        let out = stream(redactor, [text.as_bytes()]);
        prop_assert_eq!(&stream(redactor, chunks::random(text.as_bytes(), seed)), &out);
        prop_assert_eq!(&stream(redactor, text.as_bytes().chunks(1)), &out);
        prop_assert!(String::from_utf8(out).is_ok());
    }
}

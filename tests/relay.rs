//! Answers that are handed on as they are, over two routes in virtual time: whole bodies, streams, forms, and what of them is a failure.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use serde_json::{Value, json};
use sluicegate::ErrorKind;
use sluicegate::config::Config;
use sluicegate::exchange::{
    Action, BreakerPolicy, BreakerState, Exchange, Forwarded, Head, Health, Plan, Recovery, Route,
};
use sluicegate::limits::Limits;
use sluicegate::redact::Tally;
use sluicegate::reply::{self, Deltas, Outcome};
use sluicegate::request::{Built, Dialect, Endpoint, Request, Target, url};
use sluicegate::time::Instant;
use std::collections::VecDeque;

fn body_of(endpoint: Endpoint, stream: bool) -> String {
    let mut body = match endpoint {
        Endpoint::Embeddings => json!({"input": "x"}),
        Endpoint::Rerank => json!({"query": "q", "documents": ["a"]}),
        Endpoint::Images => json!({"prompt": "x"}),
        Endpoint::Speech => json!({"input": "x", "voice": "v"}),
        Endpoint::Responses => json!({"input": "x"}),
        _ => json!({"messages": [{"role": "user", "content": "x"}], "max_tokens": 9}),
    };
    body["model"] = "m".into();
    match endpoint {
        Endpoint::Speech if stream => body["stream_format"] = "sse".into(),
        _ if stream => body["stream"] = true.into(),
        _ => {}
    }
    body.to_string()
}

fn request(endpoint: Endpoint, stream: bool) -> Request {
    if endpoint.is_upload() {
        let field = if stream { "--b\r\nContent-Disposition: form-data; name=\"stream\"\r\n\r\ntrue\r\n" } else { "" };
        let form = format!("{field}{FORM}");
        return Request::parse_form(endpoint, "multipart/form-data; boundary=b", form.as_bytes(), &Limits::default())
            .unwrap();
    }
    Request::parse(endpoint, body_of(endpoint, stream).as_bytes(), &Limits::default()).unwrap()
}

/// What an upstream does with a request.
#[derive(Clone, Default)]
struct Turn {
    status: u16,
    media: &'static str,
    length: Option<u64>,
    body: Vec<u8>,
    /// The connection breaks behind the body.
    cut: bool,
}

fn turn(status: u16, media: &'static str, body: impl Into<Vec<u8>>) -> Turn {
    Turn { status, media, body: body.into(), ..Turn::default() }
}

fn ok(media: &'static str, body: impl Into<Vec<u8>>) -> Turn {
    turn(200, media, body)
}

const SSE: &str = "text/event-stream; charset=utf-8";
const JSON: &str = "application/json";

struct Done {
    exchange: Exchange,
    health: Health,
    /// What the caller got of a stream.
    bytes: Vec<u8>,
    sent: Vec<(usize, Built)>,
}

impl Done {
    fn error(&self) -> Option<ErrorKind> {
        self.exchange.end().unwrap().error.as_ref().map(sluicegate::Error::kind)
    }

    fn text(&self) -> String {
        String::from_utf8(self.bytes.clone()).unwrap()
    }
}

/// Makes a call of two routes; `size` is that of the chunks.
fn play(request: Request, size: usize, turns: &[Turn]) -> Done {
    play_with(Health::new(BreakerPolicy::default()), request, size, turns)
}

fn play_with(mut health: Health, request: Request, size: usize, turns: &[Turn]) -> Done {
    let plan = Plan {
        routes: vec![Route::new("one", "m1", Dialect::OpenAi), Route::new("two", "m2", Dialect::SiliconFlow)],
        recovery: Recovery::default(),
        total: 600_000,
        forward: true,
        reply: reply::Options::default(),
    };
    let mut exchange = Exchange::new(Instant(0), 7, plan, request).unwrap();
    let (mut turns, mut bytes, mut sent) = (VecDeque::from(turns.to_vec()), Vec::new(), Vec::new());
    let (mut now, mut timer, mut deltas) = (0, None, Deltas::new());
    'call: loop {
        let mut next = None;
        while let Some(action) = exchange.poll(Instant(now), &mut health) {
            match action {
                Action::Send(sending) => {
                    next = Some(sending.attempt);
                    sent.push((sending.route, sending.request));
                }
                Action::Wait(until) => timer = Some(until.0),
                Action::Finish => break 'call,
                _ => {}
            }
        }
        let Some(attempt) = next else {
            now = timer.expect("something to wait for");
            continue;
        };
        now += 10;
        let turn = turns.pop_front().expect("no more requests than turns");
        let head = Head {
            status: turn.status,
            content_type: Some(turn.media).filter(|media| !media.is_empty()),
            content_length: turn.length,
            ..Head::default()
        };
        exchange.handle_head(Instant(now), attempt, &head);
        for chunk in turn.body.chunks(size.max(1)) {
            now += 1;
            if exchange.is_streaming() {
                match exchange.forward(Instant(now), attempt, chunk) {
                    Forwarded::Pass => bytes.extend_from_slice(chunk),
                    Forwarded::Bytes(other) => bytes.extend_from_slice(other),
                }
            } else {
                exchange.handle_bytes(Instant(now), attempt, chunk, &mut deltas);
            }
        }
        match turn.cut {
            true => exchange.handle_error(Instant(now), attempt, &mut deltas),
            false => exchange.handle_end(Instant(now), attempt, &mut deltas),
        }
    }
    bytes.extend(exchange.forward_tail());
    Done { exchange, health, bytes, sent }
}

/// Whole answers as the vendors document them, with their prompt tokens, those of the answer, and all.
fn whole_answers() -> Vec<(Endpoint, &'static str, &'static str, [u64; 3])> {
    let embeddings = r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.1,-2e-3]}],"model":"m","usage":{"prompt_tokens":8,"total_tokens":8}}"#;
    let rerank = r#"{"id":"i","results":[{"index":0,"relevance_score":0.9}],"meta":{"billed_units":{"input_tokens":1},"tokens":{"input_tokens":20,"output_tokens":0}}}"#;
    let rerank_siliconflow = r#"{"id":"i","results":[{"document":{"text":"a"},"index":0,"relevance_score":0.9}],"tokens":{"input_tokens":21,"output_tokens":2}}"#;
    let rerank_jina = r#"{"model":"m","usage":{"total_tokens":15},"results":[{"index":0,"relevance_score":0.9}]}"#;
    let images = r#"{"created":1,"data":[{"url":"https://x.test/a.png"}],"usage":{"total_tokens":100,"input_tokens":50,"output_tokens":50}}"#;
    let images_siliconflow = r#"{"images":[{"url":"https://x.test/a.png"}],"timings":{"inference":0.3},"seed":7}"#;
    let text = r#"{"text":"Hello.","usage":{"type":"tokens","input_tokens":14,"output_tokens":31,"total_tokens":45}}"#;
    let response = r#"{"id":"resp_1","object":"response","status":"completed","error":null,"incomplete_details":null,"model":"m-1","output":[],"usage":{"input_tokens":36,"input_tokens_details":{"cached_tokens":8},"output_tokens":87,"output_tokens_details":{"reasoning_tokens":16},"total_tokens":123}}"#;
    let message = r#"{"id":"msg_1","type":"message","role":"assistant","model":"m-1","content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn","usage":{"input_tokens":25,"cache_creation_input_tokens":3,"cache_read_input_tokens":5,"output_tokens":15}}"#;
    vec![
        (Endpoint::Embeddings, JSON, embeddings, [8, 0, 8]),
        (Endpoint::Rerank, JSON, rerank, [20, 0, 20]),
        (Endpoint::Rerank, JSON, rerank_siliconflow, [21, 2, 23]),
        (Endpoint::Rerank, JSON, rerank_jina, [15, 0, 15]),
        (Endpoint::Images, JSON, images, [50, 50, 100]),
        (Endpoint::Images, JSON, images_siliconflow, [0, 0, 0]),
        (Endpoint::Transcriptions, JSON, text, [14, 31, 45]),
        (Endpoint::Translations, "application/json; charset=utf-8", r#"{"text":""}"#, [0, 0, 0]),
        (Endpoint::Transcriptions, "text/plain", "Hello.\n", [0, 0, 0]),
        (Endpoint::Transcriptions, "text/vtt", "WEBVTT\n\n00:00.000 --> 00:01.000\nHello.\n", [0, 0, 0]),
        (Endpoint::Speech, "audio/mpeg", "ID3\u{0}\u{1}binary", [0, 0, 0]),
        (Endpoint::Speech, "", "RIFF....WAVE", [0, 0, 0]),
        (Endpoint::Responses, JSON, response, [36, 87, 123]),
        (Endpoint::Messages, JSON, message, [33, 15, 48]),
    ]
}

#[test]
fn a_whole_answer_is_handed_on_as_it_came_with_its_token_counts_read() {
    for (endpoint, media, body, [prompt, completion, total]) in whole_answers() {
        for size in [1, 7, 4096] {
            let done = play(request(endpoint, false), size, &[ok(media, body)]);
            assert_eq!(done.error(), None, "{endpoint:?} {body}");
            assert_eq!(done.exchange.end().unwrap().outcome, Outcome::Complete);
            assert_eq!(done.exchange.body(), body.as_bytes());
            assert!(done.bytes.is_empty(), "a whole answer is no stream");
            let usage = done.exchange.reply().unwrap().usage.clone().unwrap_or_default();
            assert_eq!(
                [usage.prompt_tokens, usage.completion_tokens, usage.total_tokens],
                [prompt, completion, total],
                "{body}"
            );
        }
    }
}

#[test]
fn an_answer_that_breaks_off_anywhere_is_never_a_success() {
    for (endpoint, media, body, _) in whole_answers() {
        for at in 0..body.len() {
            let part = &body.as_bytes()[..at];
            // The connection says so, the length says so, or the JSON does.
            let cut = Turn { cut: true, ..ok(media, part) };
            let short = Turn { length: Some(body.len() as u64), ..ok(media, part) };
            let is_json = media.contains("json");
            for broken in [cut, short].into_iter().chain(is_json.then(|| ok(media, part))) {
                let done = play(request(endpoint, false), 64, &[broken, ok(media, body)]);
                // One route breaks it off, and the call is made again.
                assert_eq!(done.sent.len(), 2, "{endpoint:?} {at}");
                assert_eq!(done.exchange.body(), body.as_bytes());
            }
        }
    }
}

#[test]
fn what_no_route_can_answer_ends_in_the_error_of_the_last() {
    let broken = ok(JSON, &br#"{"object":"list","data":["#[..]);
    let done = play(request(Endpoint::Embeddings, false), 64, &vec![broken; 4]);
    assert_eq!((done.error(), done.sent.len()), (Some(ErrorKind::Truncated), 4));
}

#[test]
fn what_comes_with_200_and_is_no_answer_is_a_failure() {
    let cases: &[(Endpoint, &'static str, &str, ErrorKind)] = &[
        (
            Endpoint::Embeddings,
            JSON,
            r#"{"code":50508,"message":"System is too busy now. Please try again later.","data":null}"#,
            ErrorKind::Overloaded,
        ),
        (
            Endpoint::Embeddings,
            JSON,
            r#"{"error":{"message":"The server had an error","type":"server_error"}}"#,
            ErrorKind::UpstreamError,
        ),
        (Endpoint::Embeddings, JSON, r#""Invalid token""#, ErrorKind::Authentication),
        (Endpoint::Embeddings, "text/html; charset=UTF-8", "<!DOCTYPE html><html></html>", ErrorKind::Protocol),
        (Endpoint::Embeddings, "text/plain", "<html></html>", ErrorKind::Protocol),
        (Endpoint::Embeddings, JSON, r#"{"ok":true}"#, ErrorKind::Protocol),
        (Endpoint::Embeddings, JSON, "[1,2]", ErrorKind::Protocol),
        (Endpoint::Embeddings, JSON, "", ErrorKind::Protocol),
        (Endpoint::Embeddings, JSON, "7", ErrorKind::Protocol),
        (Endpoint::Speech, "audio/mpeg", "", ErrorKind::Protocol),
        (
            Endpoint::Speech,
            JSON,
            r#"{"code":50505,"message":"Model service overloaded. Please try again later.","data":null}"#,
            ErrorKind::Overloaded,
        ),
        (
            Endpoint::Speech,
            "application/octet-stream",
            r#"{"code":50505,"message":"Model service overloaded. Please try again later."}"#,
            ErrorKind::Overloaded,
        ),
        (Endpoint::Speech, "text/html", "<html></html>", ErrorKind::Protocol),
        (Endpoint::Speech, "text/plain", "sound", ErrorKind::Protocol),
        (Endpoint::Transcriptions, "text/plain", "<html></html>", ErrorKind::Protocol),
        (
            Endpoint::Images,
            JSON,
            r#"{"code":50603,"message":"System is too busy now. Please try again later.","data":null}"#,
            ErrorKind::Overloaded,
        ),
        (
            Endpoint::Responses,
            JSON,
            r#"{"id":"r","object":"response","status":"failed","error":{"code":"rate_limit_exceeded","message":"Rate limit reached"},"output":[]}"#,
            ErrorKind::RateLimited,
        ),
        (
            Endpoint::Messages,
            JSON,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            ErrorKind::Overloaded,
        ),
    ];
    for (endpoint, media, body, kind) in cases {
        let turns = vec![ok(media, *body); 8];
        let done = play(request(*endpoint, false), 64, &turns);
        assert_eq!(done.error(), Some(*kind), "{endpoint:?} {body}");
        assert!(done.exchange.body().is_empty(), "nothing of it is handed on");
    }
}

#[test]
fn failures_are_treated_as_those_of_a_chat() {
    let good = ok(JSON, whole_answers()[0].2);
    let embeddings = || request(Endpoint::Embeddings, false);
    // Elsewhere at once when the account is empty, again here first when it is an accident.
    let quota = turn(
        402,
        JSON,
        r#"{"error":{"message":"Insufficient Balance","type":"unknown_error","code":"invalid_request_error"}}"#,
    );
    let done = play(embeddings(), 64, &[quota, good.clone()]);
    assert_eq!(done.sent.iter().map(|(route, _)| *route).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(done.error(), None);
    let accident = turn(500, JSON, "{}");
    let done = play(embeddings(), 64, &[accident.clone(), good.clone()]);
    assert_eq!(done.sent.iter().map(|(route, _)| *route).collect::<Vec<_>>(), [0, 0]);
    // The caller's own fault is nobody else's business, and nothing about the request is changed for it.
    let refused = turn(
        400,
        JSON,
        r#"{"error":{"message":"Unsupported parameter: 'dimensions'","type":"invalid_request_error","param":"dimensions"}}"#,
    );
    let done = play(embeddings(), 64, &[refused]);
    assert_eq!((done.error(), done.sent.len()), (Some(ErrorKind::InvalidRequest), 1));
    // Each route gets its own model.
    let done = play(embeddings(), 64, &[turn(404, JSON, "{}"), good]);
    let models: Vec<Value> = done
        .sent
        .iter()
        .map(|(_, built)| serde_json::from_slice::<Value>(&built.body).unwrap()["model"].clone())
        .collect();
    assert_eq!(models, ["m1", "m2"]);
}

#[test]
fn failures_count_for_the_breaker() {
    let busy = r#"{"code":50505,"message":"Model service overloaded. Please try again later.","data":null}"#;
    let mut health = Health::new(BreakerPolicy::default());
    for _ in 0..3 {
        let done = play_with(health, request(Endpoint::Rerank, false), 64, &vec![turn(503, JSON, busy); 8]);
        assert!(matches!(done.error(), Some(ErrorKind::Overloaded | ErrorKind::CircuitOpen)));
        health = done.health;
    }
    for key in ["one/m1", "two/m2"] {
        assert!(matches!(health.state(Instant(1), key), BreakerState::Open { .. }), "{key}");
    }
}

fn event(data: &Value) -> String {
    format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap())
}

/// Streams: what comes before anything is said, and the rest.
fn streams() -> Vec<(Endpoint, String, String, [u64; 2])> {
    let usage = json!({"input_tokens": 36, "output_tokens": 87, "total_tokens": 123});
    let join = |events: &[Value]| events.iter().map(event).collect::<String>();
    vec![
        (
            Endpoint::Responses,
            join(&[
                json!({"type": "response.created", "response": {"id": "resp_1", "status": "in_progress", "error": null, "model": "m", "usage": null}}),
                json!({"type": "response.in_progress", "response": {"id": "resp_1", "error": null}}),
                json!({"type": "response.output_item.added", "item": {"content": []}}),
            ]),
            join(&[
                json!({"type": "response.output_text.delta", "delta": "He", "error": null}),
                json!({"type": "response.output_text.delta", "delta": "llo"}),
                json!({"type": "response.output_text.done", "text": "Hello"}),
                json!({"type": "response.completed", "response": {"id": "resp_1", "status": "completed", "error": null, "usage": usage}}),
            ]),
            [36, 87],
        ),
        (
            Endpoint::Messages,
            join(&[
                json!({"type": "message_start", "message": {"id": "msg_1", "model": "m", "content": [], "stop_reason": null, "usage": {"input_tokens": 25, "output_tokens": 1}}}),
                json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
                json!({"type": "ping"}),
            ]),
            join(&[
                json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}}),
                json!({"type": "content_block_stop", "index": 0}),
                json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 15}}),
                json!({"type": "message_stop"}),
            ]),
            [25, 15],
        ),
        (
            Endpoint::Speech,
            String::new(),
            join(&[
                json!({"type": "speech.audio.delta", "audio": "AAAA"}),
                json!({"type": "speech.audio.done", "usage": {"input_tokens": 14, "output_tokens": 101, "total_tokens": 115}}),
            ]),
            [14, 101],
        ),
        (
            Endpoint::Transcriptions,
            String::new(),
            join(&[
                json!({"type": "transcript.text.delta", "delta": "Hi"}),
                json!({"type": "transcript.text.done", "text": "Hi", "usage": {"type": "tokens", "input_tokens": 14, "output_tokens": 31}}),
            ]),
            [14, 31],
        ),
        (
            Endpoint::Images,
            String::new(),
            join(&[
                json!({"type": "image_generation.partial_image", "b64_json": "AAAA"}),
                json!({"type": "image_generation.completed", "b64_json": "BBBB", "usage": {"input_tokens": 7, "output_tokens": 100}}),
            ]),
            [7, 100],
        ),
    ]
}

#[test]
fn a_stream_passes_byte_for_byte_whatever_its_chunks() {
    for (endpoint, begin, rest, [prompt, completion]) in streams() {
        let whole = [begin, rest].concat();
        for size in [1, 2, 13, 100, 100_000] {
            let done = play(request(endpoint, true), size, &[ok(SSE, whole.as_str())]);
            assert_eq!(done.error(), None, "{endpoint:?}");
            assert_eq!(done.text(), whole, "{endpoint:?} in chunks of {size}");
            let usage = done.exchange.reply().unwrap().usage.clone().unwrap();
            assert_eq!([usage.prompt_tokens, usage.completion_tokens], [prompt, completion], "{endpoint:?}");
        }
        // The blank line behind the last event is all that may be missing.
        let done = play(request(endpoint, true), 64, &[ok(SSE, whole.trim_end())]);
        assert_eq!((done.error(), done.text()), (None, whole));
    }
}

/// A stream without what the gate says about it.
fn without_comments(text: &str) -> String {
    text.split_inclusive("\n\n").filter(|event| !event.starts_with(':')).collect()
}

/// Whether a stream ends with an event that every client takes for a failure.
fn ends_with_error(text: &str) -> bool {
    let Some(last) = text.trim_end().rsplit("\n\n").next() else { return false };
    let Some(data) = last.strip_prefix("event: error\ndata: ") else { return false };
    let data: Value = serde_json::from_str(data).unwrap();
    data["type"] == "error"
        && data["error"]["code"].is_string()
        && data["message"].is_string()
        && text.ends_with("\n\n")
}

#[test]
fn a_stream_that_is_cut_goes_elsewhere_until_it_says_something_and_ends_with_an_error_after() {
    for (endpoint, begin, rest, _) in streams() {
        let whole = [&*begin, &*rest].concat();
        let first = begin.len() + rest.find("\n\n").unwrap() + 2;
        // Behind the last event's data the answer is whole.
        for at in 0..whole.trim_end().len() {
            for cut in [false, true] {
                let broken = Turn { cut, ..ok(SSE, &whole.as_bytes()[..at]) };
                let done = play(request(endpoint, true), 50, &[broken, ok(SSE, whole.as_str())]);
                if at < first - 2 || cut && at < first {
                    // Nothing of the first try is seen, but for what the gate says about it.
                    let text = without_comments(&done.text());
                    assert_eq!((done.error(), &text), (None, &whole), "{endpoint:?} cut at {at}");
                } else if at >= first {
                    assert_eq!(done.sent.len(), 1, "{endpoint:?}: nothing is begun anew behind what was said");
                    assert_eq!(done.error(), Some(ErrorKind::Truncated), "{endpoint:?} cut at {at}");
                    assert!(ends_with_error(&done.text()), "{endpoint:?} cut at {at}: {}", done.text());
                }
            }
        }
    }
}

#[test]
fn a_stream_that_says_it_failed_has_failed() {
    let cases = [
        (
            Endpoint::Responses,
            r#"{"type":"response.failed","response":{"status":"failed","error":{"code":"server_error","message":"It broke."}}}"#,
            ErrorKind::UpstreamError,
        ),
        (
            Endpoint::Responses,
            r#"{"type":"error","code":"rate_limit_exceeded","message":"Rate limit reached","param":null}"#,
            ErrorKind::RateLimited,
        ),
        (
            Endpoint::Messages,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            ErrorKind::Overloaded,
        ),
        (
            Endpoint::Messages,
            r#"{"code":50508,"message":"System is too busy now. Please try again later.","data":null,"error":{"message":"System is too busy now"}}"#,
            ErrorKind::Overloaded,
        ),
        (Endpoint::Messages, "[DONE]", ErrorKind::Truncated),
        (Endpoint::Messages, "<html>", ErrorKind::Protocol),
    ];
    for (endpoint, data, kind) in cases {
        let (_, begin, rest, _) = streams().into_iter().find(|stream| stream.0 == endpoint).unwrap();
        let said = &rest[..rest.find("\n\n").unwrap() + 2];
        let failed = format!("{begin}{said}data: {data}\n\n{rest}");
        let done = play(request(endpoint, true), 64, &[ok(SSE, failed)]);
        assert_eq!(done.error(), Some(kind), "{data}");
        assert!(!done.text().contains(data), "{data} is ours to tell");
        assert!(ends_with_error(&done.text()));
        // Before anything was said it is a reason to go on.
        let early = format!("{begin}data: {data}\n\n");
        let whole = [&*begin, &*rest].concat();
        let done = play(request(endpoint, true), 64, &[ok(SSE, early), ok(SSE, whole.as_str())]);
        assert_eq!((done.error(), without_comments(&done.text())), (None, whole), "{data}");
    }
}

#[test]
fn an_answer_that_stops_at_its_limit_says_so() {
    let incomplete = r#"{"id":"r","object":"response","status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"output":[]}"#;
    let done = play(request(Endpoint::Responses, false), 64, &[ok(JSON, incomplete)]);
    assert_eq!(done.exchange.end().unwrap().outcome, Outcome::Length);
    let full = r#"{"content":[],"stop_reason":"max_tokens"}"#;
    let done = play(request(Endpoint::Messages, false), 64, &[ok(JSON, full)]);
    assert_eq!(done.exchange.end().unwrap().outcome, Outcome::Length);
    let calls = r#"{"content":[],"stop_reason":"tool_use"}"#;
    let done = play(request(Endpoint::Messages, false), 64, &[ok(JSON, calls)]);
    assert_eq!(done.exchange.end().unwrap().outcome, Outcome::ToolCalls);
}

#[test]
fn a_whole_answer_to_a_stream_request_is_no_stream() {
    let message = whole_answers().pop().unwrap().2;
    let turns = vec![ok(JSON, message); 4];
    let done = play(request(Endpoint::Messages, true), 64, &turns);
    assert_eq!(done.error(), Some(ErrorKind::Protocol));
    // A recording is one, whatever was asked for.
    let done = play(request(Endpoint::Speech, true), 64, &[ok("audio/mpeg", "sound")]);
    assert_eq!((done.error(), done.exchange.is_streaming()), (None, false));
}

#[test]
fn what_is_handed_on_cannot_be_taken_for_a_page() {
    let types = [
        (Endpoint::Embeddings, "text/html", "application/json; charset=utf-8"),
        (Endpoint::Speech, "audio/mpeg", "audio/mpeg"),
        (Endpoint::Speech, "audio/x-wav", "audio/x-wav"),
        (Endpoint::Speech, "text/html", "application/octet-stream"),
        (Endpoint::Speech, "audio/mpeg\r\nx: y", "application/octet-stream"),
        (Endpoint::Speech, "image/svg+xml", "application/octet-stream"),
        (Endpoint::Transcriptions, "application/json", "application/json; charset=utf-8"),
        (Endpoint::Transcriptions, "text/html", "text/plain; charset=utf-8"),
        (Endpoint::Transcriptions, "text/vtt", "text/vtt; charset=utf-8"),
    ];
    for (endpoint, media, expected) in types {
        assert_eq!(reply::answer_type(endpoint, media), expected);
    }
}

const FORM: &str = concat!(
    "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\nContent-Type: audio/wav\r\n\r\nRIFF\u{0}\r\n-- b\r\n",
    "--b\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\nNames: Ann\r\n",
    "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n",
    "--b\r\nContent-Disposition: form-data; name=\"timestamp_granularities[]\"\r\n\r\nword\r\n",
    "--b\r\nContent-Disposition: form-data; name=\"timestamp_granularities[]\"\r\n\r\nsegment\r\n--b--\r\n",
);

fn form(text: &str) -> Result<Request, sluicegate::Error> {
    Request::parse_form(
        Endpoint::Transcriptions,
        "multipart/form-data; boundary=b",
        text.as_bytes(),
        &Limits::default(),
    )
}

#[test]
fn a_form_is_written_anew_with_the_upstreams_model() {
    let built = form(FORM)
        .unwrap()
        .build(&Target {
            dialect: Dialect::SiliconFlow,
            model: "FunAudioLLM/SenseVoiceSmall",
            replay: None,
            add_usage: true,
        })
        .unwrap();
    assert_eq!(
        (built.path, &*built.content_type, built.stream),
        ("/audio/transcriptions", "multipart/form-data; boundary=b", false)
    );
    let expected = concat!(
        "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nFunAudioLLM/SenseVoiceSmall\r\n",
        "--b\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\nNames: Ann\r\n",
        "--b\r\nContent-Disposition: form-data; name=\"timestamp_granularities[]\"\r\n\r\nword\r\n",
        "--b\r\nContent-Disposition: form-data; name=\"timestamp_granularities[]\"\r\n\r\nsegment\r\n",
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\nContent-Type: audio/wav\r\n\r\nRIFF\u{0}\r\n-- b\r\n--b--\r\n",
    );
    assert_eq!(String::from_utf8(built.body).unwrap(), expected);
    // What was written reads as what it was written from.
    let again = form(expected)
        .unwrap()
        .build(&Target { dialect: Dialect::OpenAi, model: "", replay: None, add_usage: false })
        .unwrap();
    assert_eq!(String::from_utf8(again.body).unwrap(), expected);
}

#[test]
fn a_form_that_is_none_is_refused() {
    let part =
        |name: &str, text: &str| format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n");
    let file = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nx\r\n";
    let cases = [
        (part("model", "m") + "--b--\r\n", "file"),
        (format!("{file}{file}{}--b--\r\n", part("model", "m")), "file"),
        (format!("{file}{}{}--b--\r\n", part("model", "m"), part("model", "n")), "model"),
        (format!("{file}{}--b--\r\n", part("base_url", "https://evil.test")), "base_url"),
        (format!("{file}{}--b--\r\n", part("model", "")), "model"),
        (format!("{file}{}--b--\r\n", part("prompt", &"x".repeat(70_000))), "prompt"),
        (file.replace("\r\n\r\nx", "\r\n\r\n") + "--b--\r\n", "file"),
        (file.replace("name=\"file\"", "name=\"other\"") + "--b--\r\n", "file"),
        (file.to_owned(), "body"),
    ];
    for (text, param) in cases {
        let error = form(&text).and_then(|request| {
            request.build(&Target { dialect: Dialect::OpenAi, model: "", replay: None, add_usage: false })
        });
        assert_eq!(error.unwrap_err().param(), Some(param), "{text}");
    }
    let limits = Limits::default();
    let other = Request::parse_form(Endpoint::Transcriptions, "application/json", b"{}", &limits).unwrap_err();
    assert_eq!(other.kind(), ErrorKind::UnsupportedMediaType);
    let mut small = limits;
    small.audio_body = 10;
    let large =
        Request::parse_form(Endpoint::Transcriptions, "multipart/form-data; boundary=b", FORM.as_bytes(), &small);
    assert_eq!(large.unwrap_err().kind(), ErrorKind::PayloadTooLarge);
}

fn config(extra: &Value) -> Config {
    let mut config = json!({"upstreams": [
        {"name": "open", "dialect": "openai", "base_url": "https://a.example.com/v1", "models": ["m", "all"]},
        {"name": "deep", "dialect": "deepseek", "base_url": "https://api.deepseek.com", "models": ["d", "all"]},
        {"name": "flow", "dialect": "siliconflow", "base_url": "https://api.siliconflow.cn/v1", "models": ["s", "all"]},
        {"name": "own", "dialect": "openai", "base_url": "https://b.example.com/v1", "models": ["o"], "endpoints": ["chat_completions", "rerank"], "trusted": true},
    ]});
    for (name, value) in extra.as_object().unwrap() {
        config[name] = value.clone();
    }
    Config::parse(&config.to_string()).unwrap()
}

fn sources(config: &Config, endpoint: Endpoint, model: &str) -> Result<Vec<String>, sluicegate::Error> {
    let plan = config.plan(&request(endpoint, false).with_model(model), 1)?;
    Ok(plan.routes.into_iter().map(|route| route.source).collect())
}

#[test]
fn a_place_whose_upstream_lacks_the_endpoint_is_left_out_and_none_left_is_501() {
    let config = config(&json!({"fallbacks": {"d": ["s"]}}));
    let all = |endpoint| sources(&config, endpoint, "all").unwrap();
    assert_eq!(all(Endpoint::Embeddings), ["open", "flow"]);
    assert_eq!(all(Endpoint::Translations), ["open"]);
    assert_eq!(all(Endpoint::Responses), ["open", "deep"]);
    assert_eq!(all(Endpoint::Messages), ["open", "deep", "flow"]);
    assert_eq!(sources(&config, Endpoint::Rerank, "o").unwrap(), ["own"]);
    // The next model of the ladder may have it.
    assert_eq!(sources(&config, Endpoint::Embeddings, "d").unwrap(), ["flow"]);
    for (endpoint, model, path) in [
        (Endpoint::Embeddings, "o", "/v1/embeddings"),
        (Endpoint::Speech, "o", "/v1/audio/speech"),
        (Endpoint::Responses, "s", "/v1/responses"),
    ] {
        let error = sources(&config, endpoint, model).unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::NotSupported, 501));
        assert!(error.message().contains(path), "{error}");
    }
    assert_eq!(sources(&config, Endpoint::Embeddings, "unknown").unwrap_err().kind(), ErrorKind::ModelNotFound);
}

#[test]
fn the_address_is_the_endpoints() {
    let at = |dialect: Dialect, base: &str, endpoint: Endpoint| {
        url(
            base,
            &request(endpoint, false).build(&Target { dialect, model: "m", replay: None, add_usage: false }).unwrap(),
        )
    };
    assert_eq!(at(Dialect::OpenAi, "https://a.test/v1", Endpoint::Speech), "https://a.test/v1/audio/speech");
    for base in [
        "https://api.deepseek.com",
        "https://api.deepseek.com/v1",
        "https://api.deepseek.com/beta",
        "https://api.deepseek.com/anthropic",
        "https://api.deepseek.com/anthropic/v1/",
    ] {
        assert_eq!(at(Dialect::DeepSeek, base, Endpoint::Messages), "https://api.deepseek.com/anthropic/v1/messages");
    }
    assert_eq!(
        at(Dialect::SiliconFlow, "https://api.siliconflow.cn/v1", Endpoint::Messages),
        "https://api.siliconflow.cn/v1/messages"
    );
}

#[test]
fn a_mistake_in_the_list_of_endpoints_names_its_path() {
    let text = json!({"upstreams": [{"name": "a", "dialect": "openai", "base_url": "https://a.example.com/v1", "models": ["m"], "endpoints": ["embedings"]}]});
    assert_eq!(Config::parse(&text.to_string()).unwrap_err().param(), Some("upstreams[0].endpoints[0]"));
}

const KEY: [u8; 32] = [7; 32];

fn sent(config: &Config, endpoint: Endpoint, body: &str) -> String {
    let mut tally = Tally::default();
    let redaction = config.redaction().unwrap();
    let covered = match endpoint.is_upload() {
        true => config.cover_form(
            redaction,
            &KEY,
            endpoint,
            "multipart/form-data; boundary=b",
            body.as_bytes(),
            1,
            &mut tally,
        ),
        false => config.cover(redaction, &KEY, endpoint, body.as_bytes(), 1, &mut tally),
    };
    let covered = covered.unwrap();
    let target = Target { dialect: Dialect::OpenAi, model: "", replay: None, add_usage: false };
    String::from_utf8_lossy(&covered.request.build(&target).unwrap().body).into_owned()
}

#[test]
fn what_is_private_leaves_in_no_field_of_any_endpoint() {
    const PHONE: &str = "13812345678";
    let config = config(&json!({"redaction": {"uploads": "pass"}}));
    let bodies = [
        (Endpoint::Embeddings, json!({"input": PHONE})),
        (Endpoint::Embeddings, json!({"input": ["a", format!("Call {PHONE}.")]})),
        (
            Endpoint::Rerank,
            json!({"query": PHONE, "documents": [format!("Call {PHONE}."), {"text": PHONE, "title": PHONE}]}),
        ),
        (Endpoint::Images, json!({"prompt": format!("A card with {PHONE}"), "negative_prompt": PHONE})),
        (Endpoint::Speech, json!({"input": format!("Call {PHONE}."), "instructions": PHONE, "voice": "alloy"})),
        (Endpoint::Responses, json!({"input": PHONE, "instructions": PHONE})),
        (
            Endpoint::Responses,
            json!({"input": [{"role": "user", "content": [{"type": "input_text", "text": PHONE}]}, {"type": "function_call_output", "call_id": "c", "output": PHONE}]}),
        ),
        (
            Endpoint::Messages,
            json!({"system": PHONE, "max_tokens": 9, "messages": [{"role": "user", "content": PHONE}, {"role": "user", "content": [{"type": "text", "text": PHONE}, {"type": "tool_result", "tool_use_id": "t", "content": PHONE}]}]}),
        ),
    ];
    for (endpoint, mut body) in bodies {
        body["model"] = "all".into();
        body["unheard"] = PHONE.into();
        let text = sent(&config, endpoint, &body.to_string());
        assert!(!text.contains(PHONE), "{endpoint:?} {text}");
        assert!(text.contains("\"all\""), "{endpoint:?} {text}");
    }
    let form = FORM.replace("Names: Ann", "Numbers: 13812345678").replace("\r\nm\r\n", "\r\nall\r\n");
    let text = sent(&config, Endpoint::Transcriptions, &form);
    assert!(!text.contains(PHONE) && text.contains("RIFF") && text.contains("segment"), "{text}");
}

#[test]
fn a_word_about_tokens_stands_where_the_protocol_has_it() {
    let config = config(&json!({"redaction": {"hint": true}}));
    let with = |system: Option<&str>| {
        let mut body =
            json!({"model": "all", "max_tokens": 9, "messages": [{"role": "user", "content": "Call 13812345678."}]});
        if let Some(system) = system {
            body["system"] = system.into();
        }
        serde_json::from_str::<Value>(&sent(&config, Endpoint::Messages, &body.to_string())).unwrap()
    };
    let plain = with(None);
    assert_eq!(plain["messages"].as_array().unwrap().len(), 1);
    assert!(plain["system"].as_str().unwrap().contains('\u{27e6}'));
    assert!(with(Some("Be brief."))["system"].as_str().unwrap().starts_with("Be brief.\n\n"));
}

#[test]
fn what_a_request_needs_is_estimated_for_every_endpoint() {
    let needs = |endpoint: Endpoint, body: Value| {
        Request::parse(endpoint, body.to_string().as_bytes(), &Limits::default()).unwrap().needs()
    };
    let text = "x".repeat(400);
    let ids: Vec<u32> = (0..70).collect();
    let cases = [
        (Endpoint::Embeddings, json!({"model": "m", "input": [text, text]}), 200, Some(0)),
        (Endpoint::Embeddings, json!({"model": "m", "input": ids}), 70, Some(0)),
        (Endpoint::Rerank, json!({"model": "m", "query": text, "documents": [text, {"text": text}]}), 300, Some(0)),
        (Endpoint::Speech, json!({"model": "m", "input": text}), 100, Some(0)),
        (
            Endpoint::Responses,
            json!({"model": "m", "input": text, "instructions": text, "max_output_tokens": 7}),
            200,
            Some(7),
        ),
        (
            Endpoint::Messages,
            json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": [{"type": "text", "text": text}, {"type": "image", "source": {"type": "base64", "data": "A".repeat(100_000)}}]}]}),
            1126,
            Some(9),
        ),
    ];
    for (endpoint, body, prompt, most) in cases {
        let found = needs(endpoint, body);
        assert!(found.prompt_tokens.abs_diff(prompt) <= 3, "{endpoint:?}: {}", found.prompt_tokens);
        assert_eq!(found.max_tokens, most, "{endpoint:?}");
        assert_eq!(found.vision, prompt > 1000, "{endpoint:?}");
    }
    assert!(
        needs(Endpoint::Messages, json!({"model": "m", "messages": [{"role": "user"}], "tools": [{"name": "f"}]}))
            .tools
    );
}

#[test]
fn a_recording_goes_to_trusted_upstreams_alone_unless_the_policy_says_otherwise() {
    let cover = |config: &Config, form: &str| {
        let redaction = config.redaction().unwrap();
        config
            .cover_form(
                redaction,
                &KEY,
                Endpoint::Transcriptions,
                "multipart/form-data; boundary=b",
                form.as_bytes(),
                1,
                &mut Tally::default(),
            )
            .map(|covered| covered.plan.routes.into_iter().map(|route| route.source).collect::<Vec<_>>())
    };
    let form = FORM.replace("\r\nm\r\n", "\r\nall\r\n");
    let error = cover(&config(&json!({"redaction": {}})), &form).unwrap_err();
    assert_eq!((error.kind(), error.param()), (ErrorKind::LocalOnly, Some("file")));
    assert_eq!(cover(&config(&json!({"redaction": {"uploads": "pass"}})), &form).unwrap(), ["open", "flow"]);
    let trusted = json!({"redaction": {}, "upstreams": [
        {"name": "far", "dialect": "openai", "base_url": "https://a.example.com/v1", "models": ["all"]},
        {"name": "near", "dialect": "openai", "base_url": "https://b.example.com/v1", "models": ["all"], "trusted": true},
    ]});
    assert_eq!(cover(&config(&trusted), &form).unwrap(), ["near"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn arbitrary_bodies_give_a_request_or_our_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for endpoint in Endpoint::ALL {
            let parsed = match endpoint.is_upload() {
                true => Request::parse_form(*endpoint, "multipart/form-data; boundary=b", &bytes, &Limits::default()),
                false => Request::parse(*endpoint, &bytes, &Limits::default()),
            };
            if let Err(error) = parsed {
                prop_assert_eq!(error.status() / 100, 4);
            }
        }
    }

    #[test]
    fn arbitrary_answers_end_the_call(
        bytes in prop::collection::vec(any::<u8>(), 0..300), at in 0_usize..10, stream in any::<bool>(), size in 1_usize..64,
    ) {
        let endpoint = Endpoint::ALL[at];
        prop_assume!(!endpoint.is_completion());
        let media = if stream { SSE } else { JSON };
        let turns = vec![ok(media, bytes); 8];
        let done = play(request(endpoint, stream), size, &turns);
        prop_assert!(done.exchange.end().is_some());
    }
}

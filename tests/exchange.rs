//! Whole calls in virtual time: every vector is read as deltas and handed on as bytes, its body cut in many ways.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use serde::Deserialize;
use sluicegate::exchange::{
    Action, BreakerPolicy, Budgets, Continuation, Exchange, Forwarded, Head, Health, Plan, Recovery, Retry, Route,
};
use sluicegate::limits::Limits;
use sluicegate::reply::{self, Delta, Deltas};
use sluicegate::request::{Dialect, Endpoint, Request};
use sluicegate::time::Instant;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Case {
    name: String,
    request: RequestPart,
    #[serde(default)]
    budgets: BTreeMap<String, Option<u64>>,
    steps: Vec<Step>,
    outcome: Option<String>,
    error: Option<String>,
    text: String,
    reasoning: String,
    ended_at: u64,
    aborted: bool,
    forwarded: Option<String>,
}

#[derive(Deserialize)]
struct RequestPart {
    stream: bool,
    usage_added: bool,
    choices: Option<u32>,
}

#[derive(Deserialize)]
struct Step {
    at: u64,
    head: Option<HeadPart>,
    text: Option<String>,
    end: Option<bool>,
    error: Option<bool>,
    cancel: Option<bool>,
}

#[derive(Deserialize)]
struct HeadPart {
    status: u16,
    content_type: Option<String>,
    retry_after: Option<String>,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("vectors/exchange/calls.json")).unwrap()
}

/// What one run of a case showed.
#[derive(Default)]
struct Seen {
    sent: u32,
    aborted: bool,
    finished_at: Option<u64>,
    text: String,
    reasoning: String,
    forwarded: Vec<u8>,
}

/// A call of one attempt: what follows from its failure is the business of tests/recovery.rs.
fn call(budgets: Budgets, stream: bool, n: u32, add_usage: bool, forward: bool, limits: Limits) -> Exchange {
    let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":"Hi"}}],"stream":{stream},"n":{n}}}"#);
    let request = Request::parse(Endpoint::ChatCompletions, body.as_bytes(), &Limits::default()).unwrap();
    let route = Route { add_usage, budgets, ..Route::new("peer", "m", Dialect::OpenAi) };
    let recovery = Recovery {
        retry: Retry { tries: 1, ..Retry::default() },
        continuation: Continuation { most: 0, ..Continuation::default() },
        ..Recovery::default()
    };
    let reply = reply::Options { limits, ..reply::Options::default() };
    let plan = Plan { routes: vec![route], recovery, total: budgets.total, forward, reply };
    Exchange::new(Instant(0), 7, plan, request).unwrap()
}

/// Plays the upstream and the shell's clock.
struct Peer {
    exchange: Exchange,
    health: Health,
    seen: Seen,
    deltas: Deltas,
    timer: Option<Instant>,
    forward: bool,
}

impl Peer {
    fn new(case: &Case, forward: bool) -> Self {
        let mut budgets = Budgets::default();
        for (name, millis) in &case.budgets {
            let millis = millis.unwrap_or(u64::MAX);
            match name.as_str() {
                "connect" => budgets.connect = millis,
                "first_token" => budgets.first_token = millis,
                "total" => budgets.total = millis,
                "rate" => budgets.rate = u32::try_from(millis).unwrap(),
                other => panic!("unknown budget {other}"),
            }
        }
        let RequestPart { stream, usage_added, choices } = case.request;
        let exchange = call(budgets, stream, choices.unwrap_or(1), usage_added, forward, Limits::default());
        Peer {
            exchange,
            health: Health::new(BreakerPolicy::default()),
            seen: Seen::default(),
            deltas: Deltas::new(),
            timer: None,
            forward,
        }
    }

    fn drain(&mut self, now: u64) {
        while let Some(action) = self.exchange.poll(Instant(now), &mut self.health) {
            match action {
                Action::Send(_) => self.seen.sent += 1,
                Action::Abort(_) => {
                    assert!(!self.seen.aborted, "aborted twice");
                    self.seen.aborted = true;
                }
                Action::Wait(until) => self.timer = Some(until),
                Action::Resume { .. } => panic!("nothing to resume"),
                Action::Refresh(_) => panic!("nothing to refresh"),
                Action::Finish => {
                    assert!(self.seen.finished_at.is_none(), "finished twice");
                    self.seen.finished_at = Some(now);
                    self.exchange.take_late(&mut self.deltas);
                    let tail = self.exchange.forward_tail();
                    self.seen.forwarded.extend_from_slice(&tail);
                }
            }
        }
        for delta in self.deltas.iter() {
            match delta {
                Delta::Text { text, .. } => self.seen.text.push_str(text),
                Delta::Reasoning { text, .. } => self.seen.reasoning.push_str(text),
                _ => {}
            }
        }
        self.deltas.clear();
    }

    /// Lets the timers fire that are due before `until`.
    fn run_timers(&mut self, until: u64) {
        while self.seen.finished_at.is_none() {
            match self.timer {
                Some(at) if at.0 <= until => {
                    self.timer = None;
                    self.drain(at.0);
                }
                _ => return,
            }
        }
    }

    fn bytes(&mut self, now: u64, chunk: &[u8]) {
        if self.forward && self.exchange.is_streaming() {
            match self.exchange.forward(Instant(now), 0, chunk) {
                Forwarded::Pass => self.seen.forwarded.extend_from_slice(chunk),
                Forwarded::Bytes(bytes) => self.seen.forwarded.extend_from_slice(bytes),
            }
        } else {
            self.exchange.handle_bytes(Instant(now), 0, chunk, &mut self.deltas);
        }
    }

    fn step(&mut self, step: &Step, cut: &dyn Fn(&[u8]) -> Vec<Vec<u8>>) {
        let now = Instant(step.at);
        if let Some(head) = &step.head {
            self.exchange.handle_head(
                now,
                0,
                &Head {
                    status: head.status,
                    content_type: head.content_type.as_deref(),
                    retry_after: head.retry_after.as_deref(),
                    ..Head::default()
                },
            );
        }
        if let Some(text) = &step.text {
            for chunk in cut(text.as_bytes()) {
                self.bytes(step.at, &chunk);
                self.drain(step.at);
            }
        }
        if step.end.is_some() {
            self.exchange.handle_end(now, 0, &mut self.deltas);
        }
        if step.error.is_some() {
            self.exchange.handle_error(now, 0, &mut self.deltas);
        }
        if step.cancel.is_some() {
            self.exchange.cancel(now);
        }
        self.drain(step.at);
    }
}

fn play(case: &Case, forward: bool, cut: &dyn Fn(&[u8]) -> Vec<Vec<u8>>) -> Peer {
    let mut peer = Peer::new(case, forward);
    peer.drain(0);
    for step in &case.steps {
        peer.run_timers(step.at);
        peer.step(step, cut);
    }
    peer.run_timers(u64::MAX);
    peer
}

/// The text with our error events as `{error:CODE}`.
fn readable(forwarded: &[u8]) -> String {
    let text = String::from_utf8(forwarded.to_vec()).unwrap();
    let Some(at) = text.find("data: {\"error\":") else { return text };
    let (before, event) = text.split_at(at);
    let json: serde_json::Value = serde_json::from_str(event.trim_start_matches("data: ").trim_end()).unwrap();
    assert!(event.ends_with("\n\n"), "an event ends with a blank line");
    format!("{before}{{error:{}}}", json["error"]["code"].as_str().unwrap())
}

fn check(case: &Case, how: &str, cut: &dyn Fn(&[u8]) -> Vec<Vec<u8>>) {
    let context = format!("{} ({how})", case.name);
    for forward in [false, true] {
        let peer = play(case, forward, cut);
        let end = peer.exchange.end().unwrap_or_else(|| panic!("{context}: no end"));
        assert_eq!(peer.seen.sent, 1, "{context}: requests sent");
        if let Some(outcome) = &case.outcome {
            assert_eq!(end.outcome.as_str(), outcome, "{context}: outcome");
        }
        let code = end.error.as_ref().map(|error| error.code());
        assert_eq!(code, case.error.as_deref(), "{context}: error");
        assert_eq!(
            end.outcome.is_success(),
            end.error.is_none(),
            "{context}: an error for every outcome but a success"
        );
        assert_eq!(peer.seen.finished_at, Some(case.ended_at), "{context}: ended at");
        assert_eq!(peer.seen.aborted, case.aborted, "{context}: aborted");
        if forward {
            let Some(expected) = &case.forwarded else { continue };
            let came: String = case.steps.iter().filter_map(|step| step.text.as_deref()).collect();
            let expected = if expected == "same" { &came } else { expected };
            // The LF of a CRLF behind `[DONE]` may come too late to be handed on; the CR has ended the event.
            let ended = |text: &str| text.strip_suffix("\r\n").or(text.strip_suffix('\r')).unwrap_or(text).to_owned();
            assert_eq!(ended(&readable(&peer.seen.forwarded)), ended(expected), "{context}: forwarded");
        } else if case.request.stream {
            assert_eq!(peer.seen.text, case.text, "{context}: text");
            assert_eq!(peer.seen.reasoning, case.reasoning, "{context}: reasoning");
        }
        if !forward && !case.text.is_empty() {
            let choice = &peer.exchange.reply().unwrap().choices[0];
            assert_eq!(choice.text, case.text, "{context}: assembled text");
            assert_eq!(choice.reasoning, case.reasoning, "{context}: assembled reasoning");
        }
    }
}

#[test]
fn every_call_ends_as_its_vector_says() {
    for case in cases() {
        check(&case, "whole", &|bytes| vec![bytes.to_vec()]);
    }
}

#[test]
fn every_call_ends_so_byte_by_byte() {
    for case in cases() {
        check(&case, "byte by byte", &|bytes| bytes.iter().map(|byte| vec![*byte]).collect());
    }
}

#[test]
fn every_call_ends_so_for_every_cut_in_two() {
    for case in cases() {
        let longest = case.steps.iter().filter_map(|step| step.text.as_ref()).map(String::len).max().unwrap_or(0);
        for at in 1..longest {
            check(&case, &format!("cut at {at}"), &|bytes| {
                let (head, tail) = bytes.split_at(at.min(bytes.len()));
                vec![head.to_vec(), tail.to_vec()]
            });
        }
    }
}

#[test]
fn a_stream_cut_after_any_byte_is_never_called_complete() {
    let case = cases().into_iter().find(|case| case.name == "a good stream passes unchanged").unwrap();
    let whole = case.steps[1].text.clone().unwrap();
    let finish = whole.find("\"finish_reason\": \"stop\"").unwrap();
    for at in 0..finish {
        for cut_off in [false, true] {
            let mut case = cases().swap_remove(0);
            case.steps[1].text = Some(whole[..at].to_owned());
            case.steps[2].end = (!cut_off).then_some(true);
            case.steps[2].error = cut_off.then_some(true);
            for forward in [false, true] {
                let peer = play(&case, forward, &|bytes| vec![bytes.to_vec()]);
                let end = peer.exchange.end().unwrap();
                assert!(!end.outcome.is_success(), "cut at {at}: {:?}", end.outcome);
                if !forward {
                    assert!("Hello".starts_with(&peer.seen.text), "cut at {at}: {}", peer.seen.text);
                } else {
                    assert!(readable(&peer.seen.forwarded).ends_with("{error:truncated}"), "cut at {at}");
                }
            }
        }
    }
}

#[test]
fn timing_is_counted_from_the_sending() {
    let case = cases().into_iter().find(|case| case.name == "reasoning comes before the answer").unwrap();
    let peer = play(&case, false, &|bytes| vec![bytes.to_vec()]);
    let timing = peer.exchange.timing();
    assert_eq!(
        (timing.head, timing.first_token, timing.first_text, timing.total),
        (Some(10), Some(20), Some(20), Some(20))
    );
}

#[test]
fn nothing_is_sent_by_a_call_that_is_cancelled_before_it_starts() {
    let case = cases().swap_remove(0);
    let mut peer = Peer::new(&case, false);
    peer.exchange.cancel(Instant(0));
    peer.drain(0);
    assert_eq!((peer.seen.sent, peer.seen.aborted, peer.seen.finished_at), (0, false, Some(0)));
}

/// A stream that has said one word at 10, with a timer that was set for its silence.
fn talking(budgets: Budgets, health: &mut Health) -> Exchange {
    let mut exchange = call(budgets, true, 1, false, false, Limits::default());
    while exchange.poll(Instant(0), health).is_some() {}
    exchange.handle_head(
        Instant(5),
        0,
        &Head { status: 200, content_type: Some("text/event-stream"), ..Head::default() },
    );
    let word = b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n";
    exchange.handle_bytes(Instant(10), 0, word, &mut Deltas::new());
    while exchange.poll(Instant(10), health).is_some() {}
    exchange
}

#[test]
fn while_nobody_reads_only_the_total_budget_runs() {
    let budgets = Budgets { idle: 100, content_idle: 200, total: 5_000, ..Budgets::default() };
    let mut health = Health::new(BreakerPolicy::default());
    let mut exchange = talking(budgets, &mut health);
    exchange.pause(Instant(10));
    assert!(matches!(exchange.poll(Instant(1_000), &mut health), Some(Action::Wait(Instant(5_000)))));
    exchange.resume(Instant(2_000));
    assert!(matches!(exchange.poll(Instant(2_000), &mut health), Some(Action::Wait(Instant(2_100)))));
    assert!(matches!(exchange.poll(Instant(2_100), &mut health), Some(Action::Abort(0))));
    while exchange.poll(Instant(2_100), &mut health).is_some() {}
    assert_eq!(exchange.end().unwrap().outcome.as_str(), "timed_out");

    let mut exchange = talking(budgets, &mut health);
    exchange.pause(Instant(10));
    assert!(matches!(exchange.poll(Instant(5_000), &mut health), Some(Action::Abort(0))));
    while exchange.poll(Instant(5_000), &mut health).is_some() {}
    assert_eq!(exchange.end().unwrap().error.as_ref().unwrap().code(), "timeout_total");

    let mut exchange = talking(budgets, &mut health);
    for now in (20..210).step_by(10) {
        exchange.handle_bytes(Instant(now), 0, b": keep-alive\n\n", &mut Deltas::new());
        exchange.pause(Instant(now));
        exchange.resume(Instant(now));
        while exchange.poll(Instant(now), &mut health).is_some() {}
    }
    while exchange.poll(Instant(210), &mut health).is_some() {}
    assert_eq!(exchange.end().unwrap().error.as_ref().unwrap().code(), "timeout_content_idle");

    let mut exchange = talking(budgets, &mut health);
    exchange.resume(Instant(90));
    assert!(
        matches!(exchange.poll(Instant(110), &mut health), Some(Action::Abort(0))),
        "a resume without a pause moves nothing"
    );
}

#[test]
fn a_pause_before_the_first_token_is_taken_out_of_the_wait_for_it() {
    let budgets = Budgets { first_token: 100, total: 5_000, ..Budgets::default() };
    let mut health = Health::new(BreakerPolicy::default());
    let mut exchange = call(budgets, true, 1, false, false, Limits::default());
    while exchange.poll(Instant(0), &mut health).is_some() {}
    let head = Head { status: 200, content_type: Some("text/event-stream"), ..Head::default() };
    exchange.handle_head(Instant(50), 0, &head);
    exchange.pause(Instant(60));
    exchange.resume(Instant(1_060));
    assert!(matches!(exchange.poll(Instant(1_060), &mut health), Some(Action::Wait(Instant(1_100)))));
    assert!(matches!(exchange.poll(Instant(1_100), &mut health), Some(Action::Abort(0))));
}

#[test]
fn a_comment_longer_than_an_event_may_be_passes_whatever_the_chunks() {
    let mut case = cases().swap_remove(0);
    let event = case.steps[1].text.take().unwrap();
    let comment = format!(": {}\n\n", "x".repeat(3_000));
    case.steps[1].text = Some([comment.as_str(), &event].concat());
    for size in [1, 7, 500, 1_024, 10_000] {
        let mut peer = Peer::new(&case, true);
        let mut limits = Limits::default();
        limits.event = 1_024;
        peer.exchange = call(Budgets::default(), true, 1, false, true, limits);
        peer.drain(0);
        for step in &case.steps {
            peer.step(step, &|bytes| bytes.chunks(size).map(<[u8]>::to_vec).collect());
        }
        assert_eq!(peer.exchange.end().unwrap().outcome.as_str(), "complete", "chunks of {size}");
        assert_eq!(readable(&peer.seen.forwarded), case.steps[1].text.clone().unwrap(), "chunks of {size}");
    }
}

#[test]
fn an_error_in_a_200_keeps_what_the_head_said() {
    let case =
        cases().into_iter().find(|case| case.name.starts_with("a flat SiliconFlow error in the stream")).unwrap();
    let mut peer = Peer::new(&case, false);
    peer.drain(0);
    let head = Head {
        status: 200,
        content_type: Some("text/event-stream"),
        retry_after: Some("3"),
        trace_id: Some("trace-1"),
        ..Head::default()
    };
    peer.exchange.handle_head(Instant(10), 0, &head);
    peer.step(&case.steps[1], &|bytes| vec![bytes.to_vec()]);
    let error = peer.exchange.end().unwrap().error.clone().unwrap();
    assert_eq!(error.retry_after_ms(), Some(3_000));
    let vendor = error.vendor().unwrap();
    assert_eq!((vendor.trace_id.as_deref(), vendor.code.as_deref()), (Some("trace-1"), Some("50508")));
}

#[test]
fn a_whole_answer_to_a_stream_request_is_handed_on_as_a_stream() {
    let case =
        cases().into_iter().find(|case| case.name == "a whole answer to a stream request is read as one").unwrap();
    let peer = play(&case, true, &|bytes| vec![bytes.to_vec()]);
    assert!(peer.exchange.is_recast());
    let mut reader = sluicegate::reply::Reader::new(sluicegate::reply::Options::default());
    let mut out = Deltas::new();
    let progress = reader.feed(peer.exchange.body(), &mut out).unwrap();
    assert!(progress.done, "it ends with [DONE]");
    let end = reader.assembler_mut().finish(sluicegate::reply::Cause::Done, &mut out);
    assert_eq!((end.outcome.as_str(), end.finish_reason.as_deref()), ("complete", Some("stop")));
    assert_eq!(reader.assembler().reply().choices[0].text, "Hello");
}

#[test]
fn a_failure_body_without_end_is_not_read_on() {
    let case = cases().into_iter().find(|case| case.name == "429 with Retry-After").unwrap();
    let mut peer = Peer::new(&case, false);
    peer.drain(0);
    peer.step(&case.steps[0], &|bytes| vec![bytes.to_vec()]);
    for _ in 0..20 {
        peer.bytes(20, &[b' '; 8 << 10]);
        peer.drain(20);
    }
    assert_eq!((peer.seen.finished_at, peer.seen.aborted), (Some(20), true));
    assert_eq!(peer.exchange.end().unwrap().error.as_ref().unwrap().code(), "rate_limited");
}

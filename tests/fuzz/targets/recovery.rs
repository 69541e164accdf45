//! Any order of things told to a call over several routes, hedged or not, read or handed on: it never panics, makes at most the
//! allowed requests, sends none after a cancel, and ends exactly once, whatever happens.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluicegate::exchange::{
    Action, BreakerPolicy, Continuation, Exchange, Forwarded, Head, Health, Hedge, OnCancel, Plan, Recovery, Route,
};
use sluicegate::limits::Limits;
use sluicegate::reply::{self, Deltas};
use sluicegate::request::{Dialect, Endpoint, Request};
use sluicegate::time::Instant;

const PIECES: &[&str] = &[
    "data: {\"id\":\"c\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"one \"},\"finish_reason\":null}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"t\",\"function\":{\"name\":\"f\",\"arguments\":\"{\"}}]}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"length\"}]}\n\ndata: [DONE]\n\n",
    "data: {\"code\":50508,\"message\":\"System is too busy now.\",\"data\":null}\n\n",
    ": keep-alive\n\n",
    "data: {\"bro",
    "{\"error\":{\"message\":\"no\",\"code\":\"invalid_api_key\"}}",
    "<html>",
];

fuzz_target!(|data: &[u8]| {
    let Some((&[how, ways, seed], script)) = data.split_first_chunk::<3>() else { return };
    let body = br#"{"model":"m","messages":[{"role":"user","content":"Hi"}],"stream":true}"#;
    let request = Request::parse(Endpoint::ChatCompletions, body, &Limits::default()).expect("a request");
    let dialects = [Dialect::OpenAi, Dialect::DeepSeek, Dialect::SiliconFlow];
    let routes = (0..1 + usize::from(ways % 3)).map(|at| {
        Route { can_refresh: ways & 8 > 0, ..Route::new(["a", "b", "c"][at], "m", dialects[at]) }
    });
    let recovery = Recovery {
        continuation: Continuation { most: 3, length: u32::from(how & 1), replace: how & 2 > 0 },
        hedge: (how & 4 > 0).then_some(Hedge { after: 1_000, percentile: None, share: 100 }),
        on_cancel: if how & 8 > 0 { OnCancel::Drain(10_000) } else { OnCancel::Abort },
        tokens: (how & 16 > 0).then_some(20),
        ..Recovery::default()
    };
    let forward = how & 32 > 0;
    let plan =
        Plan { routes: routes.collect(), recovery, total: 600_000, forward, reply: reply::Options::default() };
    let mut exchange = Exchange::new(Instant(0), u64::from(seed), plan, request).expect("an exchange");
    let mut health = Health::new(BreakerPolicy::default());
    let (mut now, mut sent, mut finished, mut cancelled, mut refreshing) = (0, 0u32, 0, false, false);
    let mut out = Deltas::new();
    let mut steps = script.iter();
    loop {
        let mut timer = None;
        while let Some(action) = exchange.poll(Instant(now), &mut health) {
            match action {
                Action::Send(sending) => {
                    assert!(!cancelled, "a request after the cancel");
                    assert_eq!(sending.attempt, sent);
                    sent += 1;
                }
                Action::Resume { attempt, .. } => {
                    assert!(!cancelled, "a request after the cancel");
                    assert!(attempt < sent);
                }
                Action::Refresh(_) => refreshing = true,
                Action::Wait(until) => timer = Some(until.0),
                Action::Finish => finished += 1,
                Action::Abort(attempt) => assert!(attempt < sent.max(1)),
            }
        }
        exchange.take_late(&mut out);
        out.clear();
        if finished > 0 {
            break;
        }
        let Some(step) = steps.next() else {
            // Nobody says anything any more: the timers alone must end it.
            now = timer.unwrap_or(now).max(now + 1_000);
            if refreshing {
                exchange.handle_refreshed(Instant(now), false);
                refreshing = false;
            }
            assert!(now < 2_000_000, "no end");
            continue;
        };
        let attempt = sent.saturating_sub(1 + u32::from(step >> 7));
        let at = Instant(now);
        match step & 31 {
            0 => exchange.handle_head(at, attempt, &Head { status: 200, content_type: Some("text/event-stream"), ..Head::default() }),
            1 => exchange.handle_head(at, attempt, &Head { status: 429, retry_after: Some("3"), ..Head::default() }),
            2 => exchange.handle_head(at, attempt, &Head { status: 401, ..Head::default() }),
            3 => exchange.handle_head(at, attempt, &Head { status: 503, ..Head::default() }),
            4 => exchange.handle_end(at, attempt, &mut out),
            5 => exchange.handle_error(at, attempt, &mut out),
            6 => now += 1_000,
            7 => now += 61_000,
            8 => {
                cancelled = true;
                exchange.cancel(at);
            }
            9 => exchange.pause(at),
            10 => exchange.resume(at),
            11 => {
                exchange.handle_refreshed(at, step & 64 > 0);
                refreshing = false;
            }
            piece => {
                let piece = PIECES[usize::from(piece) % PIECES.len()].as_bytes();
                if forward && exchange.is_streaming() {
                    if let Forwarded::Bytes(bytes) = exchange.forward(at, attempt, piece) {
                        assert!(bytes.len() < 1 << 20);
                    }
                } else {
                    exchange.handle_bytes(at, attempt, piece, &mut out);
                }
            }
        }
    }
    assert_eq!(finished, 1);
    assert!(sent <= 8);
    let end = exchange.end().expect("an end");
    assert_eq!(end.outcome.is_success(), end.error.is_none());
    exchange.forward_tail();
});

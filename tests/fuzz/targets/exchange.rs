//! Any bytes through a call that hands them on: whole events only, one typed end, no success without a finish reason, and
//! the same whatever the chunks are.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluicegate::exchange::{Action, Exchange, Forwarded, Head, Plan};
use sluicegate::reply::Deltas;
use sluicegate::request::Built;
use sluicegate::sse::{Decoder, Item};
use sluicegate::time::Instant;

fn run(chunks: &[&[u8]], usage_added: bool, reset: bool) -> (Vec<u8>, &'static str) {
    let built = Built {
        path: "/chat/completions",
        beta: false,
        body: b"{}".to_vec(),
        stream: true,
        choices: 1,
        usage_added,
        changed: false,
        changes: Vec::new(),
    };
    let mut exchange = Exchange::new(Instant(0), Plan::default(), built);
    let mut out = Vec::new();
    let mut finished = 0;
    let mut drain = |exchange: &mut Exchange, out: &mut Vec<u8>, now| {
        while let Some(action) = exchange.poll(Instant(now)) {
            if let Action::Finish = action {
                finished += 1;
                out.extend_from_slice(&exchange.forward_tail());
            }
        }
    };
    drain(&mut exchange, &mut out, 0);
    exchange.handle_head(Instant(1), &Head { status: 200, content_type: Some("text/event-stream"), ..Head::default() });
    for chunk in chunks {
        if !exchange.is_streaming() {
            break;
        }
        match exchange.forward(Instant(2), chunk) {
            Forwarded::Pass => out.extend_from_slice(chunk),
            Forwarded::Bytes(bytes) => out.extend_from_slice(bytes),
        }
        drain(&mut exchange, &mut out, 2);
    }
    if reset {
        exchange.handle_error(Instant(3), &mut Deltas::new());
    } else {
        exchange.handle_end(Instant(3), &mut Deltas::new());
    }
    drain(&mut exchange, &mut out, 3);
    drain(&mut exchange, &mut out, 1_000_000);
    assert_eq!(finished, 1, "one end");
    let outcome = exchange.end().expect("an end").outcome;
    assert_eq!(outcome.is_success(), exchange.end().expect("an end").error.is_none());
    (out, outcome.as_str())
}

fn events(bytes: &[u8]) -> Vec<(String, String)> {
    let mut decoder = Decoder::new(Default::default());
    let mut input = bytes;
    let mut events = Vec::new();
    while let Ok(Some(item)) = decoder.next_item(&mut input) {
        if let Item::Event(event) = item {
            events.push((event.event_type.into_owned(), event.data.into_owned()));
        }
    }
    events
}

fuzz_target!(|data: &[u8]| {
    let Some((&[how, cut], bytes)) = data.split_first_chunk::<2>().map(|(head, rest)| (head, rest)) else { return };
    let (usage_added, reset) = (how & 1 == 1, how & 2 == 2);
    let (whole, outcome) = run(&[bytes], usage_added, reset);
    let (head, tail) = bytes.split_at(usize::from(cut).min(bytes.len()));
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    for chunks in [&[head, tail][..], &single[..]] {
        let (cut, cut_outcome) = run(chunks, usage_added, reset);
        assert_eq!(outcome, cut_outcome);
        assert_eq!(events(&whole), events(&cut));
    }
    // What is handed on of a stream that ended well says so itself; of another it ends with our error.
    let last = events(&whole).pop();
    let is_success = matches!(outcome, "complete" | "length" | "tool_calls" | "filtered");
    let says_done = last.as_ref().is_some_and(|(_, data)| data.trim() == "[DONE]");
    assert_eq!(is_success, says_done, "{outcome}: {last:?}");
});

//! What a call does about failures, in virtual time: a table of scenarios with the requests that they lead to and when, and what
//! holds for all of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod peer;

use peer::{Options, RouteCase, Sim, Turn, answer};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    routes: Vec<RouteCase>,
    #[serde(default)]
    options: Options,
    /// Route, earliest and latest time of each request.
    sent: Vec<(usize, u64, u64)>,
    outcome: String,
    error: Option<String>,
    retry_after: Option<u64>,
    /// Missing: the whole answer. `words:N`: its first N. `null`: not looked at.
    #[serde(default = "whole")]
    text: Option<String>,
    reasoning: Option<String>,
    notices: Option<Vec<String>>,
    ended: Option<(u64, u64)>,
    aborted: Option<Vec<u32>>,
    refreshes: Option<usize>,
    model: Option<String>,
    usage: Option<bool>,
    /// Fields that the request of an attempt has not got.
    #[serde(default)]
    absent: Vec<(usize, String)>,
    only: Option<String>,
}

fn whole() -> Option<String> {
    Some(format!("words:{}", answer().len()))
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("vectors/exchange/recovery.json")).unwrap()
}

fn check(case: &Case, forward: bool) {
    let context = format!("{} ({})", case.name, if forward { "bytes" } else { "deltas" });
    let mut sim = Sim::new(&case.routes, &case.options, forward).unwrap_or_else(|error| panic!("{context}: {error}"));
    sim.run();
    let end = sim.exchange.end().unwrap();
    let timeline = sim.exchange.timeline_json();
    let sent: Vec<(usize, u64)> = sim.sent.iter().map(|sent| (sent.route, sent.at)).collect();
    let fits = sent.len() == case.sent.len()
        && sent.iter().zip(&case.sent).all(|(sent, want)| sent.0 == want.0 && (want.1..=want.2).contains(&sent.1));
    assert!(fits, "{context}: sent {sent:?}, expected {:?}\n{timeline}", case.sent);
    assert_eq!(end.outcome.as_str(), case.outcome, "{context}: outcome\n{timeline}");
    let error = end.error.as_ref();
    assert_eq!(error.map(|error| error.code()), case.error.as_deref(), "{context}: error");
    if let Some(wait) = case.retry_after {
        assert_eq!(error.unwrap().retry_after_ms(), Some(wait), "{context}: retry after");
    }
    let is_stream = case.options.stream != Some(false);
    if let Some(text) = &case.text {
        let expected = match text.strip_prefix("words:") {
            Some(count) => answer()[..count.parse::<usize>().unwrap()].concat(),
            None => text.clone(),
        };
        if is_stream {
            assert_eq!(sim.text, expected, "{context}: text\n{timeline}");
        }
        if !forward {
            let said = sim.exchange.reply().unwrap().choices.first().map_or("", |choice| &choice.text);
            // What a drain reads on is in the reply, and was handed to nobody.
            if case.options.drain.is_none() {
                assert_eq!(said, expected, "{context}: the reply's text");
            }
        }
    }
    if let Some(reasoning) = &case.reasoning {
        assert_eq!(&sim.reasoning, reasoning, "{context}: reasoning");
    }
    if let Some(notices) = &case.notices
        && !forward
    {
        let codes: Vec<&str> = sim.notices.iter().map(|(code, _)| code.as_str()).collect();
        assert_eq!(&codes, notices, "{context}: notices");
    }
    if let Some((from, to)) = case.ended {
        let ended = sim.finished_at.unwrap();
        assert!((from..=to).contains(&ended), "{context}: ended at {ended}\n{timeline}");
    }
    if let Some(aborted) = &case.aborted {
        let seen: Vec<u32> = sim.aborted.iter().map(|(_, attempt)| *attempt).collect();
        assert_eq!(&seen, aborted, "{context}: aborted");
    }
    if let Some(refreshes) = case.refreshes {
        assert_eq!(sim.refreshes.len(), refreshes, "{context}: refreshes");
    }
    if let Some(model) = &case.model
        && (!forward || is_stream)
        && end.error.is_none()
    {
        assert_eq!(&sim.exchange.reply().unwrap().model, model, "{context}: the model that answered");
        assert_eq!(Some(model.as_str()), sim.exchange.route().map(|route| format!("m-{}", route.source)).as_deref());
    }
    if case.usage == Some(true) {
        let usage = sim.exchange.reply().unwrap().usage.as_ref().expect("usage");
        assert!(usage.completion_tokens >= 60, "{context}: {usage:?}");
    }
    for (attempt, field) in &case.absent {
        assert!(sim.sent[*attempt].body.get(field).is_none(), "{context}: {field} was sent");
    }
    if forward && is_stream && end.error.is_none() {
        let bytes = String::from_utf8_lossy(&sim.bytes).into_owned();
        assert_eq!(bytes.matches("[DONE]").count(), 1, "{context}: {bytes}");
        assert!(bytes.trim_end().ends_with("[DONE]"), "{context}: {bytes}");
    }
    let attempts = sim.exchange.attempts() as usize;
    assert_eq!(attempts, sim.sent.len(), "{context}: attempts");
}

#[test]
fn every_scenario_leads_to_its_requests_and_its_end() {
    let mut failures = Vec::new();
    for case in cases() {
        for forward in [false, true] {
            if case.only.as_deref() == Some("deltas") && forward {
                continue;
            }
            let run = std::panic::catch_unwind(|| check(&case, forward));
            if let Err(panic) = run {
                let text = panic.downcast_ref::<String>().cloned();
                failures.push(text.unwrap_or_else(|| panic.downcast_ref::<&str>().unwrap_or(&"?").to_string()));
            }
        }
    }
    assert!(failures.is_empty(), "{} scenarios:\n{}", failures.len(), failures.join("\n"));
}

fn route(name: &str, script: Vec<Turn>) -> RouteCase {
    let script: Vec<serde_json::Value> = Vec::from_iter(script.iter().map(|_| serde_json::json!({})));
    serde_json::from_value(serde_json::json!({"name": name, "script": script})).unwrap()
}

fn with_turns(name: &str, turns: Vec<Turn>) -> RouteCase {
    RouteCase { script: turns, ..route(name, Vec::new()) }
}

#[test]
fn a_cut_after_any_byte_loses_and_repeats_nothing() {
    let full = answer().concat();
    for dialect in ["openai", "deepseek"] {
        for how in ["reset", "end"] {
            for cut in 1..2_400 {
                let turn = Turn { cut_bytes: Some(cut * 5), how: Some(how.to_owned()), ..Turn::default() };
                let mut a = with_turns("a", vec![turn, Turn::default()]);
                a.dialect = Some(dialect.to_owned());
                for forward in [false, true] {
                    let mut sim = Sim::new(&[a.clone()], &Options::default(), forward).unwrap();
                    sim.run();
                    assert_eq!(sim.text, full, "{dialect} {how} cut at byte {} forward {forward}", cut * 5);
                    assert!(sim.exchange.end().unwrap().error.is_none());
                }
            }
        }
    }
}

fn turns() -> impl Strategy<Value = Turn> {
    let how = prop_oneof![
        Just(None),
        Just(Some("reset".to_owned())),
        Just(Some("stall".to_owned())),
        Just(Some("keepalive".to_owned())),
        Just(Some("{\"code\":50508,\"message\":\"System is too busy now.\",\"data\":null}".to_owned())),
        Just(Some("{\"broken".to_owned())),
    ];
    let status = prop_oneof![4 => Just(None), 3 => prop_oneof![Just(429), Just(500), Just(503), Just(401), Just(400), Just(404)].prop_map(Some)];
    let wait = prop_oneof![3 => Just(None), 2 => (0u64..200).prop_map(|secs| Some(secs.to_string()))];
    (status, wait, how, prop::option::of(0usize..61), 0u64..20_000, 0u64..20_000, any::<bool>(), any::<bool>())
        .prop_map(|(status, retry_after, how, cut, after, first, refused, silent)| Turn {
            after: after % 3_000,
            status,
            retry_after,
            refused: refused && after % 7 == 0,
            silent: silent && after % 5 == 0,
            first,
            every: first % 50,
            cut,
            how,
            rejects_prefill: after % 3 == 0,
            ..Turn::default()
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_upstreams_do(
        scripts in prop::collection::vec(prop::collection::vec(turns(), 1..4), 1..4),
        seed in any::<u64>(),
        forward in any::<bool>(),
        cancel_at in prop::option::of(0u64..100_000),
        hedge_after in prop::option::of(100u64..5_000),
    ) {
        let routes: Vec<RouteCase> = scripts.iter().enumerate()
            .map(|(at, script)| with_turns(["a", "b", "c"][at], script.clone())).collect();
        let options = Options { seed, cancel_at, hedge_after, ..Options::default() };
        let mut sim = Sim::new(&routes, &options, forward).unwrap();
        sim.run();
        let end = sim.exchange.end().unwrap();
        prop_assert!(sim.sent.len() <= 8, "{} requests", sim.sent.len());
        prop_assert!(sim.finished_at.unwrap() <= 600_000);
        prop_assert_eq!(end.outcome.is_success(), end.error.is_none());
        // What was handed out is the beginning of the answer, once, and all of it if the call says so.
        let full = answer().concat();
        prop_assert!(full.starts_with(&sim.text), "{:?}\n{}", sim.text, sim.exchange.timeline_json());
        if end.outcome.as_str() == "complete" {
            prop_assert_eq!(&sim.text, &full);
        }
        // A route that named a time is not asked before it.
        for (index, sent) in sim.sent.iter().enumerate() {
            let turn = sim.sent[..index].iter().filter(|other| other.route == sent.route).count();
            if turn == 0 { continue; }
            let before = sim.sent[..index].iter().rfind(|other| other.route == sent.route).unwrap();
            let script = &scripts[sent.route];
            let said = &script[(turn - 1).min(script.len() - 1)];
            if said.refused || said.silent || said.status.is_none() { continue; }
            if let Some(wait) = said.retry_after.as_deref().filter(|_| matches!(said.status, Some(429 | 503 | 500))) {
                let wait: u64 = wait.parse::<u64>().unwrap() * 1_000;
                prop_assert!(sent.at >= before.at + wait, "asked {} ms after {}", sent.at - before.at, wait);
            }
        }
        // Whatever was sent is over: answered, or aborted.
        for (at, attempt) in &sim.aborted {
            prop_assert_eq!(sim.aborted.iter().filter(|other| other.1 == *attempt).count(), 1, "aborted at {}", at);
        }
    }
}

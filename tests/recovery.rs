//! What a call does about failures, in virtual time: a table of scenarios with the requests that they lead to and when, and what
//! holds for all of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod peer;

use peer::{Options, RouteCase, Sim, Turn, Visit, answer};
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
    /// What its notices say, some of them.
    #[serde(default)]
    details: Vec<String>,
    ended: Option<(u64, u64)>,
    aborted: Option<Vec<u32>>,
    refreshes: Option<usize>,
    /// Earliest and latest time of each request for the rest of a stream.
    #[serde(default)]
    resumed: Vec<(u64, u64)>,
    model: Option<String>,
    usage: Option<bool>,
    /// Fields that the request of an attempt has not got.
    #[serde(default)]
    absent: Vec<(usize, String)>,
    /// Fields that it has.
    #[serde(default)]
    present: Vec<(usize, String)>,
    /// What must, and what must not, stand in the bytes that are handed on.
    #[serde(default)]
    bytes: Vec<String>,
    #[serde(default)]
    no_bytes: Vec<String>,
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
    let resumed: Vec<u64> = sim.resumed.iter().map(|(at, _)| *at).collect();
    let fits = resumed.len() == case.resumed.len()
        && resumed.iter().zip(&case.resumed).all(|(at, want)| (want.0..=want.1).contains(at));
    assert!(fits, "{context}: resumed {resumed:?}, expected {:?}\n{timeline}", case.resumed);
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
    for detail in &case.details {
        assert!(sim.notices.iter().any(|(_, text)| text == detail), "{context}: {:?}", sim.notices);
    }
    for (attempt, field) in &case.present {
        assert!(sim.sent[*attempt].body.get(field).is_some(), "{context}: {field} was not sent");
    }
    if forward {
        let bytes = String::from_utf8_lossy(&sim.bytes);
        for part in &case.bytes {
            assert!(bytes.contains(part), "{context}: no {part} in {bytes}");
        }
        for part in &case.no_bytes {
            assert!(!bytes.contains(part), "{context}: {part} in {bytes}");
        }
    }
    if forward && is_stream && end.error.is_none() {
        let bytes = String::from_utf8_lossy(&sim.bytes).into_owned();
        assert_eq!(bytes.matches("[DONE]").count(), 1, "{context}: {bytes}");
        // Behind it there may be its number.
        let last = bytes.lines().rfind(|line| line.starts_with("data:"));
        assert_eq!(last, Some("data: [DONE]"), "{context}: {bytes}");
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
fn a_stream_that_is_kept_is_the_same_whatever_byte_its_connections_break_behind() {
    let whole = {
        let turn = Turn { live: Some(Vec::new()), usage: true, ..Turn::default() };
        let mut sim = Sim::new(&[with_turns("a", vec![turn])], &Options::default(), true).unwrap();
        sim.run();
        sim.bytes
    };
    let is_notice = |line: &&str| line.starts_with(": sluicegate ");
    for cut in (1..600).chain((600..whole.len()).step_by(61)).chain(whole.len() - 500..whole.len()) {
        for (again, how) in [(None, "reset"), (Some(1 + cut % 700), "end")] {
            let visits = again.map(|bytes| vec![Visit { bytes: Some(bytes), ..Visit::default() }, Visit::default()]);
            let turn = Turn {
                cut_bytes: Some(cut),
                how: Some(how.to_owned()),
                live: Some(visits.unwrap_or_default()),
                usage: true,
                ..Turn::default()
            };
            for forward in [false, true] {
                let mut sim = Sim::new(&[with_turns("a", vec![turn.clone()])], &Options::default(), forward).unwrap();
                sim.run();
                let context = format!("cut at {cut}, then {again:?}: {}", sim.exchange.timeline_json());
                assert_eq!(sim.text, answer().concat(), "{context}");
                let end = sim.exchange.end().unwrap();
                assert_eq!((end.outcome.as_str(), sim.sent.len()), ("complete", 1), "{context}");
                // Whoever has the last event's blank line needs nothing more, and its number may be cut from behind [DONE] alone.
                assert!((1..=2).contains(&sim.resumed.len()), "{context}: {:?}", sim.resumed);
                let reply = sim.exchange.reply().unwrap();
                assert_eq!(reply.usage.as_ref().map(|usage| usage.completion_tokens), Some(60), "{context}");
                if forward {
                    let text = String::from_utf8(sim.bytes).unwrap();
                    let told = text.split_inclusive("\n\n").filter(|event| !is_notice(event)).collect::<String>();
                    assert_eq!(told, String::from_utf8_lossy(&whole), "{context}");
                }
            }
        }
    }
}

#[test]
fn a_cut_after_any_byte_loses_and_repeats_nothing() {
    let full = answer().concat();
    for dialect in ["openai", "deepseek"] {
        for how in ["reset", "end"] {
            // Every byte of the first events and of the last ones; in between every event is alike.
            for cut in (1..450).chain((450..11_400).step_by(97)).chain(11_400..11_960) {
                let turn = Turn { cut_bytes: Some(cut), how: Some(how.to_owned()), ..Turn::default() };
                let mut a = with_turns("a", vec![turn, Turn::default()]);
                a.dialect = Some(dialect.to_owned());
                for forward in [false, true] {
                    if dialect == "deepseek" && (how == "end" || !forward) {
                        continue;
                    }
                    let mut sim = Sim::new(&[a.clone()], &Options::default(), forward).unwrap();
                    sim.run();
                    assert_eq!(sim.text, full, "{dialect} {how} cut at byte {cut} forward {forward}");
                    let end = sim.exchange.end().unwrap();
                    assert!(
                        end.error.is_none(),
                        "{dialect} {how} cut at byte {cut}: {:?} {}",
                        end,
                        sim.exchange.timeline_json()
                    );
                }
            }
        }
    }
}

#[test]
fn a_seam_is_told_where_it_is() {
    for by in ["prefix", "prefill", "anchor"] {
        let cut = |n: usize| Turn { cut: Some(n), how: Some("reset".to_owned()), ..Turn::default() };
        let mut a = with_turns("a", vec![cut(40), Turn::default()]);
        a.continuation = Some(by.to_owned());
        a.dialect = Some("deepseek".to_owned());
        let mut sim = Sim::new(&[a], &Options::default(), false).unwrap();
        sim.run();
        assert_eq!(sim.seams, [answer()[..40].concat().len()], "{by}: {:?}", sim.notices);
    }
}

#[test]
fn a_continuation_that_only_repeats_says_that_more_may_be_missing() {
    for (cut, detail) in
        [(5, "joined where the words repeat"), (answer().len(), "nothing but the last words came: more may be missing")]
    {
        let turn = Turn { cut: Some(cut), ..Turn::default() };
        for forward in [false, true] {
            let mut sim =
                Sim::new(&[with_turns("a", vec![turn.clone(), Turn::default()])], &Options::default(), forward)
                    .unwrap();
            sim.run();
            assert_eq!(sim.text, answer().concat());
            let told = sim.notices.iter().find(|(code, _)| code == "continued").unwrap();
            assert_eq!(told.1, detail, "cut after {cut}, forward {forward}");
        }
    }
}

#[test]
fn a_model_that_copies_a_few_words_and_stops_has_not_gone_on() {
    let cut = Turn { cut: Some(40), ..Turn::default() };
    let copies = Turn { copies: 4, ..Turn::default() };
    for forward in [false, true] {
        // Another one goes on.
        let routes = [with_turns("a", vec![cut.clone(), copies.clone()]), with_turns("b", vec![Turn::default()])];
        let mut sim = Sim::new(&routes, &Options::default(), forward).unwrap();
        sim.run();
        assert_eq!(sim.text, answer().concat());
        assert!(sim.exchange.end().unwrap().error.is_none(), "{}", sim.exchange.timeline_json());
        // None does: the answer is not whole, and not said to be.
        let mut sim =
            Sim::new(&[with_turns("a", vec![cut.clone(), copies.clone()])], &Options::default(), forward).unwrap();
        sim.run();
        let end = sim.exchange.end().unwrap();
        assert_eq!((end.outcome.as_str(), end.error.as_ref().unwrap().code()), ("truncated", "truncated"));
        assert_eq!(sim.text, answer()[..40].concat());
        assert!(sim.sent.len() <= 5);
    }
}

/// Calls one after the other, `every` milliseconds, over one health; the routes' scripts for each call come from `scripts`.
fn calls(count: u64, every: u64, scripts: impl Fn(u64) -> Vec<RouteCase>) -> Vec<Sim> {
    let mut sims: Vec<Sim> = Vec::new();
    let mut health = sluicegate::exchange::Health::default();
    for n in 0..count {
        // Without waits, so that no call begins before the one before it has ended.
        let retry = [("first".to_owned(), 0)].into();
        let options = Options { start: n * every, seed: n, retry, ..Options::default() };
        let mut sim = Sim::new(&scripts(n * every), &options, true).unwrap().with_health(health);
        sim.run();
        health = core::mem::take(&mut sim.health);
        sims.push(sim);
    }
    sims
}

#[test]
fn a_dead_primary_sees_five_failures_and_then_one_probe_each_half_minute() {
    let failing = |_| {
        let refused = Turn { status: Some(503), ..Turn::default() };
        vec![with_turns("a", vec![refused]), with_turns("b", vec![Turn::default()])]
    };
    let sims = calls(300, 1_000, failing);
    assert!(sims.iter().all(|sim| sim.text == answer().concat()), "every caller got the whole answer");
    let asked: Vec<u64> = sims.iter().flat_map(|sim| &sim.sent).filter(|sent| sent.route == 0).map(|s| s.at).collect();
    let first = asked.iter().filter(|at| **at < 30_000).count();
    assert!((5..=6).contains(&first), "{asked:?}");
    let probes: Vec<u64> = asked.iter().copied().filter(|at| *at >= 30_000).collect();
    assert!((8..=10).contains(&probes.len()), "{probes:?}");
    assert!(probes.windows(2).all(|pair| pair[1] - pair[0] >= 30_000), "{probes:?}");
}

#[test]
fn a_primary_that_comes_back_is_asked_again_within_half_a_minute() {
    let back_at = 60_000;
    let scripts = |now| {
        let status = (now < back_at).then_some(500);
        vec![with_turns("a", vec![Turn { status, ..Turn::default() }]), with_turns("b", vec![Turn::default()])]
    };
    let sims = calls(120, 1_000, scripts);
    let back = sims.iter().position(|sim| sim.options_start() >= back_at && sim.sent[0].route == 0).unwrap();
    assert!(back as u64 * 1_000 <= back_at + 31_000, "call {back}");
    assert!(sims[back + 1..].iter().all(|sim| sim.sent.len() == 1 && sim.sent[0].route == 0));
}

#[test]
fn without_another_route_a_dead_upstream_is_refused_at_once_with_the_time() {
    let sims = calls(20, 1_000, |_| vec![with_turns("a", vec![Turn { status: Some(500), ..Turn::default() }])]);
    let last = sims.last().unwrap();
    let error = last.exchange.end().unwrap().error.clone().unwrap();
    assert_eq!((error.code(), last.sent.len()), ("circuit_open", 0));
    assert!((1..=30_000).contains(&error.retry_after_ms().unwrap()));
}

#[test]
fn a_client_whose_requests_are_wrong_opens_no_breaker() {
    let sims = calls(30, 100, |_| vec![with_turns("a", vec![Turn { status: Some(400), ..Turn::default() }])]);
    assert!(sims.iter().all(|sim| sim.sent.len() == 1));
}

/// Calls like `calls`, each with these options, over one health; the health afterwards.
fn health_after(count: u64, routes: &[RouteCase], options: &Options) -> sluicegate::exchange::Health {
    let mut health = sluicegate::exchange::Health::default();
    for n in 0..count {
        let start = n * 10_000;
        let options = Options { start, cancel_at: options.cancel_at.map(|at| start + at), ..options.clone() };
        let mut sim = Sim::new(routes, &options, true).unwrap().with_health(health);
        sim.run();
        health = core::mem::take(&mut sim.health);
    }
    health
}

#[test]
fn what_is_the_callers_own_opens_no_breaker() {
    use sluicegate::exchange::BreakerState::Closed;
    let now = sluicegate::time::Instant(60_000);
    // Its budget of tokens.
    let options = Options { tokens: Some(5), ..Options::default() };
    let health = health_after(6, &[with_turns("a", vec![Turn::default()])], &options);
    assert_eq!(health.state(now, "a/m"), Closed);
    // A credential that has run out, before the new one is there.
    let mut a = with_turns("a", vec![Turn { status: Some(401), ..Turn::default() }]);
    a.can_refresh = true;
    let options = Options { cancel_at: Some(2), refresh: Some(true), ..Options::default() };
    assert_eq!(health_after(6, &[a], &options).state(now, "a/m"), Closed);
    // Its own key, refused by the second request of a race.
    let mut b = with_turns("b", vec![Turn { status: Some(401), ..Turn::default() }]);
    b.shared_account = Some(false);
    let slow = with_turns("a", vec![Turn { first: 3_000, ..Turn::default() }]);
    let options = Options { hedge_after: Some(1_000), ..Options::default() };
    let health = health_after(6, &[slow, b.clone()], &options);
    assert_eq!(health.state(now, "b/m"), Closed);
    // More at a time than the upstream takes: it serves the others meanwhile.
    let body = r#"{"error":{"message":"Too many requests","type":"x","code":"invalid_request_error"}}"#;
    let full = Turn { status: Some(429), body: Some(body.to_owned()), ..Turn::default() };
    let health = health_after(6, &[with_turns("a", vec![full])], &Options::default());
    assert_eq!(health.state(now, "a/m"), Closed);
    // And a refused key that is everybody's does.
    b.shared_account = None;
    let health = health_after(6, &[b], &Options::default());
    assert_ne!(health.state(now, "b/m"), Closed);
}

#[test]
fn a_call_that_waited_is_not_given_up_because_another_was_told_to_wait_longer() {
    let told = Turn { status: Some(429), retry_after: Some("2".to_owned()), ..Turn::default() };
    let mut health = sluicegate::exchange::Health::default();
    health.hold(sluicegate::time::Instant(0), "a/m", sluicegate::time::Instant(30_000));
    let routes = [with_turns("a", vec![told, Turn::default()])];
    let mut sim = Sim::new(&routes, &Options::default(), true).unwrap().with_health(health);
    sim.run();
    assert_eq!(sim.text, answer().concat(), "{}", sim.exchange.timeline_json());
}

#[test]
fn a_call_does_not_wait_for_a_route_that_its_own_failure_closed() {
    let routes = [with_turns("a", vec![Turn { status: Some(503), ..Turn::default() }])];
    let mut health = health_after(1, &routes, &Options::default());
    for _ in 0..2 {
        let options = Options { start: 20_000, ..Options::default() };
        let mut sim = Sim::new(&routes, &options, true).unwrap().with_health(health);
        sim.run();
        health = core::mem::take(&mut sim.health);
        let last = sim.sent.last().map_or(20_000, |sent| sent.at);
        assert_eq!(sim.finished_at, Some(last), "{}", sim.exchange.timeline_json());
    }
}

#[test]
fn retries_of_all_calls_together_stay_below_a_fifth() {
    // Every third call fails at first: more than the budget has, and too few for the breaker.
    let sims = calls(1_000, 10, |now| {
        let status = (now / 10 % 3 == 0).then_some(500);
        vec![with_turns("a", vec![Turn { status, ..Turn::default() }, Turn::default()])]
    });
    let requests: usize = sims.iter().map(|sim| sim.sent.len()).sum();
    assert!(requests <= 1_000 + 200 + 12, "{requests} requests for 1000 calls");
    assert!(requests >= 1_150, "{requests}: the budget is there to be used");
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
    let visit = (0u64..9_000, any::<u8>(), prop::option::of(0usize..4_000)).prop_map(|(after, kind, bytes)| Visit {
        after,
        status: match kind % 8 {
            0 => Some(410),
            1 => Some(503),
            _ => None,
        },
        refused: kind % 8 == 2,
        silent: kind % 8 == 3,
        page: kind % 8 == 4,
        bytes,
    });
    let live = prop::option::of((prop::collection::vec(visit, 0..4), 0usize..12_000));
    (status, wait, how, prop::option::of(0usize..61), 0u64..20_000, 0u64..20_000, any::<bool>(), any::<bool>(), live)
        .prop_map(|(status, retry_after, how, cut, after, first, refused, silent, live)| Turn {
            cut_bytes: live.as_ref().map(|(_, bytes)| *bytes),
            live: live.map(|(visits, _)| visits),
            after: after % 3_000,
            status,
            retry_after,
            refused: refused && after % 7 == 0,
            silent: silent && after % 5 == 0,
            first,
            every: first % 50,
            packed: after % 4 == 1,
            whole: cut.is_none() && after % 6 == 2,
            cut,
            how,
            rejects_prefill: after % 3 == 0,
            ..Turn::default()
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_upstreams_do(
        scripts in prop::collection::vec(prop::collection::vec(turns(), 1..4), 1..4),
        seed in any::<u64>(),
        forward in any::<bool>(),
        cancel_at in prop::option::of(0u64..100_000),
        hedge_after in prop::option::of(100u64..5_000),
        drain in prop::option::of(100u64..20_000),
    ) {
        let routes: Vec<RouteCase> = scripts.iter().enumerate()
            .map(|(at, script)| with_turns(["a", "b", "c"][at], script.clone())).collect();
        let options = Options { seed, cancel_at, hedge_after, drain, ..Options::default() };
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
            // A hedge may be sent before the route has said anything.
            let is_unsaid = sent.at < before.at + said.after
                || sim.aborted.iter().any(|(_, attempt)| *attempt == before.attempt);
            if said.refused || said.silent || said.status.is_none() || is_unsaid { continue; }
            if let Some(wait) = said.retry_after.as_deref().filter(|_| matches!(said.status, Some(429 | 503 | 500))) {
                let wait: u64 = wait.parse::<u64>().unwrap() * 1_000;
                prop_assert!(sent.at >= before.at + wait, "asked {} ms after {}\n{}", sent.at - before.at, wait, sim.exchange.timeline_json());
            }
        }
        // Whatever was sent is over: answered, or aborted.
        for (at, attempt) in &sim.aborted {
            prop_assert_eq!(sim.aborted.iter().filter(|other| other.1 == *attempt).count(), 1, "aborted at {}", at);
        }
    }
}

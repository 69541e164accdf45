//! Limits as they are read, the windows that they count in, what things cost, and what is refused in which words.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use serde_json::Value;
use sluicegate::ErrorKind;
use sluicegate::exchange::error_headers;
use sluicegate::quota::{Actual, Caps, Demand, Limits, Meter, Price, Purses, Refusal, Unit, Verdict, Window, duration};

/// 2026-11-23T10:20:30Z
const NOW: u64 = 1_795_429_230_000;

fn limits(json: &str) -> Limits {
    Limits::from_json(json, "").unwrap()
}

fn demand(json: &str) -> Demand {
    let meters = limits(json).meters("r1", "chat");
    Demand { meters, requests: 1, prompt: 100, completion: 100, floor: 100, price: None, stream: false }
}

fn alone() -> Purses {
    Purses::new("isolate", false)
}

fn refused(verdict: Verdict) -> Refusal {
    match verdict {
        Verdict::Refused(refusal) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

fn admitted(verdict: Verdict) -> sluicegate::quota::Reservation {
    match verdict {
        Verdict::Admitted(reservation) => reservation,
        other => panic!("not admitted: {other:?}"),
    }
}

#[test]
fn limits_are_read_and_written_alike() {
    let json = r#"{"requests_per_minute":60,"tokens_per_day":1000000,"spend_per_day":0.000001,"spend_per_month":12.5,"concurrent_streams":0,"models":{"r1":{"requests_per_day":5}},"routes":{"embeddings":{"tokens_per_minute":7}}}"#;
    assert_eq!(limits(json).to_json(), json);
    assert_eq!(limits(&limits(json).to_json()), limits(json));
    assert_eq!(limits(r#"{"requests_per_minute":null,"models":null}"#), limits("{}"));
    assert!(limits(r#"{"models":{"r1":{}}}"#).is_empty());
    assert_eq!(limits(r#"{"spend_per_day":0.30000000000000004}"#).to_json(), r#"{"spend_per_day":0.3}"#);
    assert_eq!(limits(r#"{"spend_per_day":1e2}"#).to_json(), r#"{"spend_per_day":100}"#);
}

#[test]
fn a_limit_that_is_no_limit_is_refused_by_its_path() {
    let bad_counts =
        ["-1", "1.0", "1e5", "0.5", "9223372036854775808", "1e309", "\"5\"", "true", "[]", "{}", "1000000001"];
    for raw in bad_counts {
        let error = Limits::from_json(&format!(r#"{{"requests_per_minute":{raw}}}"#), "limits").unwrap_err();
        assert_eq!(
            (error.kind(), error.param()),
            (ErrorKind::InvalidRequest, Some("limits.requests_per_minute")),
            "{raw}"
        );
        assert!(!error.message().contains(raw) || raw.len() < 3, "{raw}");
    }
    for raw in [
        "-1",
        "-0.5",
        "1e309",
        "1e18",
        "9223372036854775808",
        "\"5\"",
        "false",
        "1000000000.1",
        "1e-7",
        "NaN",
        "Infinity",
    ] {
        let error = Limits::from_json(&format!(r#"{{"spend_per_day":{raw}}}"#), "").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{raw}");
    }
    for (json, path) in [
        (r#"{"requests":1}"#, Some("requests")),
        (r#"{"models":{"r1":{"requests":1}}}"#, Some("models.r1.requests")),
        (r#"{"models":{"r1":{"models":{}}}}"#, Some("models.r1.models")),
        (r#"{"routes":{"infer":{"tokens_per_day":-1}}}"#, Some("routes.infer.tokens_per_day")),
        (r#"{"routes":{"chat":{"tokens_per_day":1}}}"#, Some("routes.chat")),
        (r#"{"routes":{"models":{"tokens_per_day":1}}}"#, Some("routes.models")),
        (r#"{"models":{"r1*":{"tokens_per_day":1}}}"#, Some("models.*")),
        (r#"{"routes":[]}"#, Some("routes")),
        (r#"{"tokens_per_day":1,"tokens_per_day":2}"#, Some("tokens_per_day")),
        (r#"{"models":{"":{}}}"#, Some("models.*")),
        ("[]", None),
        ("{", None),
        ("{} {}", None),
        ("", None),
    ] {
        let error = Limits::from_json(json, "").unwrap_err();
        assert_eq!(error.param(), path, "{json}");
    }
    let many: Vec<_> = (0..66).map(|n| format!(r#""m{n}":{{}}"#)).collect();
    assert!(Limits::from_json(&format!(r#"{{"models":{{{}}}}}"#, many.join(",")), "").is_err());
}

#[test]
fn windows_begin_and_end_where_the_calendar_says() {
    let vectors: Value = serde_json::from_str(include_str!("vectors/quota/windows.json")).unwrap();
    for row in vectors["rows"].as_array().unwrap() {
        let row: Vec<u64> = row.as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect();
        let now = row[0];
        let starts = [Window::Minute, Window::Day, Window::Month].map(|window| window.start(now));
        assert_eq!(starts, [row[1], row[2], row[4]], "{now}");
        assert_eq!([Window::Day, Window::Month].map(|window| window.end(now)), [row[3], row[5]], "{now}");
        assert_eq!(Window::Minute.end(now), row[1] + 60_000, "{now}");
    }
}

proptest! {
    #[test]
    fn windows_follow_each_other_without_a_gap(now in 0u64..8_000_000_000_000_000) {
        for window in [Window::Minute, Window::Day, Window::Month] {
            let (start, end) = (window.start(now), window.end(now));
            prop_assert!(start <= now && now < end);
            prop_assert_eq!(window.start(end), end);
            prop_assert_eq!(window.start(end - 1), start);
        }
    }

    #[test]
    fn what_a_budget_covers_costs_no_more_than_it(
        input in 0u64..100_000_000, output in 1u64..100_000_000, prompt in 0u64..1_000_000, budget in 0u64..1_000_000_000
    ) {
        let price = Price { input, cached_input: 0, output };
        let covered = price.covers(budget, prompt);
        if price.cost(prompt, 0, 0) <= budget {
            prop_assert!(price.cost(prompt, 0, covered.min(1_000_000_000)) <= budget);
            if covered < 1_000_000_000 {
                prop_assert!(price.cost(prompt, 0, covered + 1) > budget);
            }
        } else {
            prop_assert_eq!(covered, 0);
        }
    }

    #[test]
    fn no_answer_and_no_state_of_any_text_leads_to_more_than_the_limit(text in "[\\[\\]{}:,\"0-9a-z ]{0,60}") {
        use sluicegate::quota::{Ledger, Purse};
        let mut purse = Purse::new("p");
        purse.adopt(NOW, &text);
        let verdict = purse.reserve(NOW, &demand(r#"{"requests_per_minute":1}"#));
        prop_assert!(matches!(verdict, Verdict::Ask(_)));
        Ledger::from_json(&text).handle(NOW, &text);
    }
}

#[test]
fn prices_are_rounded_up_once_and_never_wrap() {
    let price = Price::from_json(r#"{"input":2,"cached_input":0.5,"output":8}"#, "").unwrap();
    for (counts, cost) in [
        ((0, 0, 0), 0),
        ((1, 0, 0), 2),
        ((1, 1, 0), 1),
        ((1_000_000, 400_000, 1_000_000), 1_200_000 + 200_000 + 8_000_000),
        ((10, 99, 0), 5),
        ((u64::MAX, 0, u64::MAX), 2_000_000_000 + 8_000_000_000),
    ] {
        assert_eq!(price.cost(counts.0, counts.1, counts.2), cost, "{counts:?}");
    }
    assert_eq!(Price::from_json(r#"{"input":3}"#, "").unwrap().cached_input, 3_000_000);
    for bad in [r#"{"input":-1}"#, r#"{"input":"1"}"#, r#"{"output":1e309}"#, r#"{"in":1}"#, "1", r#"{"input":null}"#] {
        assert!(Price::from_json(bad, "price").is_err(), "{bad}");
    }
    let absurd = Actual::of(Some(&price), 1_000_000_000_000_000, 0, u64::MAX);
    assert_eq!((absurd.tokens, absurd.cost), (2_000_000_000, 10_000_000_000));
}

#[test]
fn durations_are_written_as_openai_writes_them() {
    for (millis, text) in [
        (0, "0s"),
        (1, "1ms"),
        (120, "120ms"),
        (1_000, "1s"),
        (1_500, "1.5s"),
        (1_050, "1.05s"),
        (59_999, "59.999s"),
        (60_000, "1m0s"),
        (360_000, "6m0s"),
        (86_399_000, "23h59m59s"),
        (2_678_400_000, "744h0m0s"),
    ] {
        assert_eq!(duration(millis), text);
    }
}

#[test]
fn every_limit_is_exact_at_its_last_and_refuses_the_next() {
    let price = Price { input: 10_000, cached_input: 10_000, output: 10_000 };
    for (json, unit, kind, wait) in [
        (r#"{"requests_per_minute":3}"#, Unit::RequestsPerMinute, ErrorKind::RateLimitExceeded, 30_000),
        (r#"{"requests_per_day":3}"#, Unit::RequestsPerDay, ErrorKind::RateLimitExceeded, 49_170_000),
        (r#"{"tokens_per_minute":600}"#, Unit::TokensPerMinute, ErrorKind::RateLimitExceeded, 30_000),
        (r#"{"tokens_per_day":600}"#, Unit::TokensPerDay, ErrorKind::RateLimitExceeded, 49_170_000),
        (r#"{"spend_per_day":0.000006}"#, Unit::SpendPerDay, ErrorKind::InsufficientQuota, 49_170_000),
        (r#"{"spend_per_month":0.000006}"#, Unit::SpendPerMonth, ErrorKind::InsufficientQuota, 653_970_000),
        (r#"{"concurrent_streams":3}"#, Unit::ConcurrentStreams, ErrorKind::ConcurrencyLimitExceeded, 1_000),
    ] {
        for sub in [false, true] {
            let json = if sub { format!(r#"{{"models":{{"r1":{json}}}}}"#) } else { json.to_owned() };
            let demand = Demand { price: Some(price), stream: true, ..demand(&json) };
            let mut purses = alone();
            let open: Vec<_> = (0..3).map(|_| admitted(purses.reserve(NOW, "key", &demand))).collect();
            let refusal = refused(purses.reserve(NOW, "key", &demand));
            assert_eq!((refusal.unit, refusal.resets_in), (unit, wait), "{json}");
            assert_eq!(refusal.used, refusal.limit, "{json}");
            assert_eq!(refusal.scope, if sub { "model:r1" } else { "" });
            assert_eq!(refusal.error().kind(), kind, "{json}");
            // What was reserved and not used is free again; requests are used.
            for reservation in open {
                purses.release(NOW, "key", reservation);
            }
            let _ = admitted(purses.reserve(NOW + 1_000, "key", &demand));
        }
    }
}

#[test]
fn another_model_and_another_route_have_limits_of_their_own() {
    let limits = limits(
        r#"{"requests_per_minute":3,"models":{"r1":{"requests_per_minute":1}},"routes":{"embeddings":{"requests_per_minute":1}}}"#,
    );
    let mut purses = alone();
    let mut ask = |model: &str, route: &str| {
        let demand = Demand { meters: limits.meters(model, route), ..demand("{}") };
        matches!(purses.reserve(NOW, "key", &demand), Verdict::Admitted(_))
    };
    let tried =
        [("r1", "chat"), ("r1", "chat"), ("v3", "embeddings"), ("v3", "embeddings"), ("v3", "chat"), ("v3", "chat")];
    assert_eq!(tried.map(|(model, route)| ask(model, route)), [true, false, true, false, true, false]);
}

#[test]
fn each_address_of_a_shared_key_is_counted_by_itself() {
    let mut caps = Caps::default();
    caps.set(Unit::RequestsPerMinute, Some(2));
    let mut purses = alone();
    let mut ask = |address: &str| {
        let mut demand = demand(r#"{"requests_per_minute":5}"#);
        demand.meters.push(Meter::address(address, caps));
        matches!(purses.reserve(NOW, "anonymous", &demand), Verdict::Admitted(_))
    };
    assert_eq!([ask("a"), ask("a"), ask("a"), ask("b"), ask("b"), ask("b")], [true, true, false, true, true, false]);
    assert_eq!([ask("c"), ask("c"), ask("d")], [true, false, false], "five in all");
}

#[test]
fn more_addresses_than_there_is_room_for_are_refused_until_a_window_ends() {
    let mut caps = Caps::default();
    caps.set(Unit::RequestsPerMinute, Some(2));
    let mut purses = alone();
    let mut ask = |now: u64, address: u32| {
        let demand = Demand { meters: vec![Meter::address(&address.to_string(), caps)], ..demand("{}") };
        matches!(purses.reserve(now, "anonymous", &demand), Verdict::Admitted(_))
    };
    let admitted = (0..2_000).filter(|address| ask(NOW, *address)).count();
    assert_eq!(admitted, 256);
    assert!(ask(NOW + 60_000, 5_000));
}

#[test]
fn fifty_at_once_with_a_budget_for_ten_are_ten() {
    let price = Price { input: 1_000_000, cached_input: 0, output: 1_000_000 };
    let demand = Demand { price: Some(price), ..demand(r#"{"spend_per_day":0.002}"#) };
    let mut purses = alone();
    let verdicts: Vec<_> = (0..50).map(|_| purses.reserve(NOW, "key", &demand)).collect();
    assert_eq!(verdicts.iter().filter(|verdict| matches!(verdict, Verdict::Admitted(_))).count(), 10);
}

#[test]
fn a_call_gets_what_the_budget_still_pays_for_down_to_its_floor() {
    let price = Price { input: 1_000_000, cached_input: 0, output: 1_000_000 };
    let demand = Demand { price: Some(price), completion: 1_000, floor: 16, ..demand(r#"{"spend_per_day":0.001}"#) };
    let mut purses = alone();
    let first = admitted(purses.reserve(NOW, "key", &demand));
    assert_eq!(first.covers(), Some(900), "a hundred of the thousand are the prompt's");
    assert_eq!(refused(purses.reserve(NOW, "key", &demand)).error().kind(), ErrorKind::InsufficientQuota);
    purses.settle(NOW, "key", first, Actual { tokens: 300, cost: 300 });
    let second = admitted(purses.reserve(NOW + 1, "key", &demand));
    assert_eq!(second.covers(), Some(600));
    purses.settle(NOW, "key", second, Actual { tokens: 600, cost: 590 });
    let last = refused(purses.reserve(NOW + 2, "key", &Demand { floor: 17, ..demand.clone() }));
    assert_eq!((last.used, last.requested), (890, 117));
    assert_eq!(purses.reserve(NOW + 3, "key", &Demand { prompt: 90, ..demand }).covers(), Some(20));
}

trait Covers {
    fn covers(self) -> Option<u64>;
}

impl Covers for Verdict {
    fn covers(self) -> Option<u64> {
        admitted(self).covers()
    }
}

#[test]
fn a_request_that_no_window_could_hold_is_told_so_and_not_to_come_back() {
    let mut purses = alone();
    let refusal = refused(purses.reserve(NOW, "key", &demand(r#"{"tokens_per_minute":199}"#)));
    let error = refusal.error();
    assert_eq!((error.kind(), error.status(), error.is_retryable()), (ErrorKind::RequestExceedsLimit, 413, false));
    assert_eq!(
        error.message(),
        "The request alone is larger than the limit on tokens per minute 199, used 0, requested 200."
    );
    let none = refused(purses.reserve(NOW, "other", &demand(r#"{"requests_per_minute":0}"#)));
    assert_eq!(none.error().kind(), ErrorKind::RateLimitExceeded);
}

#[test]
fn a_refusal_says_which_limit_and_when_to_come_back() {
    let mut purses = alone();
    let demand = demand(r#"{"models":{"r1":{"requests_per_minute":1}}}"#);
    let _ = admitted(purses.reserve(NOW, "key", &demand));
    let error = refused(purses.reserve(NOW + 500, "key", &demand)).error();
    assert_eq!(
        error.message(),
        "Rate limit reached: limit on requests per minute of this model 1, used 1, requested 1. It resets in 29.5s."
    );
    let headers = error_headers(&error);
    let expected = [("x-should-retry", "true"), ("retry-after-ms", "29500"), ("retry-after", "30")];
    assert_eq!(headers, expected.map(|(name, value)| (name, value.to_owned())));
    let standing = purses.standing(NOW + 500, "key", &demand.meters).headers();
    let expected = [
        ("x-ratelimit-limit-requests", "1"),
        ("x-ratelimit-remaining-requests", "0"),
        ("x-ratelimit-reset-requests", "29.5s"),
    ];
    assert_eq!(standing, expected.map(|(name, value)| (name, value.to_owned())));
}

#[test]
fn a_spent_budget_is_never_retried_by_stock_clients() {
    let price = Price { input: 1_000_000, cached_input: 0, output: 1_000_000 };
    let demand = Demand { price: Some(price), ..demand(r#"{"spend_per_month":0.0002}"#) };
    let mut purses = alone();
    let _ = admitted(purses.reserve(NOW, "key", &demand));
    let error = refused(purses.reserve(NOW, "key", &demand)).error();
    let headers = error_headers(&error);
    let expected = [("x-should-retry", "false"), ("retry-after-ms", "60000"), ("retry-after", "653970")];
    assert_eq!(headers, expected.map(|(name, value)| (name, value.to_owned())));
    assert!(error.message().contains("spend per month 0.0002, used 0.0002, requested 0.0002"), "{}", error.message());
    let body: Value = serde_json::from_str(&sluicegate::reply::error_body(&error)).unwrap();
    assert_eq!(
        (&body["error"]["type"], &body["error"]["code"]),
        (&"insufficient_quota".into(), &"insufficient_quota".into())
    );
}

#[test]
fn what_is_left_is_counted_down_one_by_one() {
    let mut purses = alone();
    let demand =
        demand(r#"{"requests_per_minute":100,"tokens_per_minute":100000,"models":{"r1":{"requests_per_minute":50}}}"#);
    for n in 1..=50 {
        let reservation = admitted(purses.reserve(NOW, "key", &demand));
        let standing = purses.standing(NOW, "key", &demand.meters);
        let (requests, tokens) = (standing.requests.unwrap(), standing.tokens.unwrap());
        assert_eq!((requests.limit, requests.remaining), (50, 50 - n));
        assert_eq!((tokens.limit, tokens.remaining), (100_000, 100_000 - 150 * (n - 1) - 200));
        purses.settle(NOW, "key", reservation, Actual { tokens: 150, cost: 0 });
    }
}

#[test]
fn windows_roll_over_at_their_edges_and_not_before() {
    for (json, edge) in [
        (r#"{"requests_per_minute":1}"#, 1_795_429_260_000),
        (r#"{"requests_per_day":1}"#, 1_795_478_400_000),
        (r#"{"tokens_per_day":200}"#, 1_795_478_400_000),
    ] {
        let mut purses = alone();
        let demand = demand(json);
        let _ = admitted(purses.reserve(edge - 1, "key", &demand));
        assert_eq!(refused(purses.reserve(edge - 1, "key", &demand)).resets_in, 1);
        let _ = admitted(purses.reserve(edge, "key", &demand));
        refused(purses.reserve(edge, "key", &demand));
    }
}

#[test]
fn a_call_that_ends_in_the_next_window_takes_nothing_from_it() {
    let mut purses = alone();
    let demand = demand(r#"{"tokens_per_minute":400}"#);
    let open = admitted(purses.reserve(NOW, "key", &demand));
    purses.settle(NOW + 60_000, "key", open, Actual { tokens: 400, cost: 0 });
    let _ = admitted(purses.reserve(NOW + 60_000, "key", &demand));
    let _ = admitted(purses.reserve(NOW + 60_000, "key", &demand));
    refused(purses.reserve(NOW + 60_000, "key", &demand));
}

#[test]
fn a_changed_limit_counts_from_the_next_request_on() {
    let mut purses = alone();
    for _ in 0..3 {
        let _ = admitted(purses.reserve(NOW, "key", &demand(r#"{"requests_per_minute":3}"#)));
    }
    refused(purses.reserve(NOW, "key", &demand(r#"{"requests_per_minute":3}"#)));
    let _ = admitted(purses.reserve(NOW, "key", &demand(r#"{"requests_per_minute":4}"#)));
    refused(purses.reserve(NOW, "key", &demand(r#"{"requests_per_minute":2}"#)));
}

#[test]
fn what_is_not_limited_costs_nothing_and_keeps_nothing() {
    let mut purses = alone();
    for n in 0..100 {
        let _ = admitted(purses.reserve(NOW, &n.to_string(), &demand("{}")));
    }
    assert!(purses.is_empty());
}

#[test]
fn purses_are_bounded_and_never_dropped_with_a_call_open() {
    let mut purses = alone();
    let demand = demand(r#"{"concurrent_streams":1}"#);
    let demand = Demand { stream: true, ..demand };
    let first = admitted(purses.reserve(NOW, "first", &demand));
    for n in 0..5_000u64 {
        let key = n.to_string();
        let reservation = admitted(purses.reserve(NOW + n, &key, &demand));
        purses.settle(NOW + n, &key, reservation, Actual::default());
    }
    assert_eq!(purses.len(), 4_096);
    refused(purses.reserve(NOW + 5_000, "first", &demand));
    purses.settle(NOW + 5_000, "first", first, Actual::default());
    let _ = admitted(purses.reserve(NOW + 5_000, "first", &demand));
}

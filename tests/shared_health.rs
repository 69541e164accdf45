//! Many isolates and the object that they share, in virtual time: what is said between them, and what reaches an upstream that is down.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use sluicegate::exchange::{Admission, BreakerPolicy, BreakerState, Health, SharedBreaker, Verdict};
use sluicegate::time::Instant;
use std::collections::BTreeMap;

const KEY: &str = "deepseek/deepseek-reasoner";
const OK: Verdict = Verdict::Success { first_token: None };
const FAILED: Verdict = Verdict::Failure { retry_after: None };

fn shared() -> Health {
    Health::shared(BreakerPolicy::default())
}

fn record(health: &mut Health, now: u64, probe: bool, verdict: Verdict) {
    health.record(Instant(now), KEY, Instant(now), probe, verdict);
}

fn report(health: &mut Health, now: u64) -> Option<String> {
    health.take_report(Instant(now)).map(|report| report.replace(KEY, "k"))
}

fn adopt(health: &mut Health, now: u64, answer: &str) {
    health.adopt(Instant(now), &answer.replace("\"k\"", &format!("\"{KEY}\"")));
}

fn opened() -> Health {
    let mut health = shared();
    (0..5).for_each(|_| record(&mut health, 0, false, FAILED));
    report(&mut health, 0);
    health
}

#[test]
fn a_healthy_route_reports_nothing() {
    let mut health = shared();
    for now in 0..100 {
        assert_eq!(health.admit(Instant(now), KEY), Admission::Go);
        record(&mut health, now, false, Verdict::Success { first_token: Some(300) });
        record(&mut health, now, false, Verdict::Neutral);
        assert_eq!(report(&mut health, now), None);
    }
    let mut alone = Health::default();
    (0..9).for_each(|_| record(&mut alone, 0, false, FAILED));
    assert_eq!(report(&mut alone, 0), None, "one that shares nothing neither");
}

#[test]
fn failures_are_told_once_and_taken_back_once() {
    let mut health = shared();
    record(&mut health, 1_000, false, OK);
    record(&mut health, 3_000, false, FAILED);
    record(&mut health, 3_000, false, Verdict::Failure { retry_after: Some(7_000) });
    assert_eq!(report(&mut health, 4_000).unwrap(), r#"{"k":{"success":3000,"failures":2,"retry_after":6000}}"#);
    assert_eq!(report(&mut health, 4_000), None);
    record(&mut health, 5_000, false, OK);
    assert_eq!(report(&mut health, 5_000).unwrap(), r#"{"k":{"success":0}}"#);
    record(&mut health, 6_000, false, OK);
    record(&mut health, 7_000, false, FAILED);
    record(&mut health, 8_000, false, OK);
    assert_eq!(report(&mut health, 8_000), None, "what nobody heard of need not be taken back");
}

#[test]
fn a_breaker_whose_time_is_over_wishes_for_the_probe() {
    let mut health = shared();
    (0..5).for_each(|_| record(&mut health, 0, false, FAILED));
    assert_eq!(report(&mut health, 1_000).unwrap(), r#"{"k":{"open":29000}}"#);
    assert_eq!(report(&mut health, 30_000), None, "nobody wants to go there");
    assert_eq!(health.state(Instant(30_000), KEY), BreakerState::HalfOpen);
    assert_eq!(report(&mut health, 30_000), None, "nor by asking for the state");
    assert_eq!(health.look(Instant(31_000), KEY), Admission::Refused { until: Instant(32_000) });
    assert_eq!(report(&mut health, 31_000).unwrap(), r#"{"k":{"wish":1}}"#);
    assert_eq!(health.admit(Instant(32_000), KEY), Admission::Refused { until: Instant(33_000) });
    assert_eq!(report(&mut health, 32_000), None, "a wish is told once");
    health.record(Instant(33_000), "other", Instant(33_000), false, FAILED);
    assert_eq!(report(&mut health, 33_000).unwrap(), r#"{"other":{"failures":1}}"#, "whatever else there is to tell");
}

#[test]
fn a_lease_lets_one_call_through() {
    let mut health = opened();
    health.look(Instant(31_000), KEY);
    adopt(&mut health, 32_000, r#"{"k":{"lease":60000}}"#);
    assert_eq!(health.look(Instant(91_999), KEY), Admission::Probe);
    assert_eq!(health.admit(Instant(33_000), KEY), Admission::Probe);
    assert_eq!(health.admit(Instant(33_000), KEY), Admission::Refused { until: Instant(34_000) });
    record(&mut health, 34_000, true, Verdict::Neutral);
    assert_eq!(report(&mut health, 34_000), None);
    assert_eq!(health.admit(Instant(34_000), KEY), Admission::Probe, "a cancelled one hands it on");
    record(&mut health, 35_000, true, FAILED);
    assert_eq!(report(&mut health, 35_000).unwrap(), r#"{"k":{"open":30000}}"#);
    assert_eq!(
        health.admit(Instant(65_000), KEY),
        Admission::Refused { until: Instant(66_000) },
        "the lease is used up"
    );
    health.grant(Instant(66_000), KEY, Instant(70_000));
    assert_eq!(health.admit(Instant(69_999), KEY), Admission::Probe);
    record(&mut health, 70_000, true, OK);
    assert_eq!(report(&mut health, 70_000).unwrap(), r#"{"k":{"closed":1}}"#);
    assert_eq!(health.admit(Instant(70_000), KEY), Admission::Go);
}

#[test]
fn a_lease_ends() {
    let mut health = opened();
    health.grant(Instant(31_000), KEY, Instant(40_000));
    assert_eq!(health.admit(Instant(40_000), KEY), Admission::Refused { until: Instant(41_000) });
    assert_eq!(report(&mut health, 40_000).unwrap(), r#"{"k":{"wish":1}}"#, "and is wished for again");
}

#[test]
fn an_object_out_of_reach_costs_ten_seconds() {
    let mut health = opened();
    assert_eq!(health.admit(Instant(30_000), KEY), Admission::Refused { until: Instant(31_000) });
    assert_eq!(health.admit(Instant(39_999), KEY), Admission::Refused { until: Instant(40_999) });
    assert_eq!(health.admit(Instant(40_000), KEY), Admission::Probe);
    assert_eq!(health.admit(Instant(40_000), KEY), Admission::Refused { until: Instant(41_000) });
    record(&mut health, 41_000, true, OK);
    assert_eq!(health.admit(Instant(41_000), KEY), Admission::Go);
}

#[test]
fn a_probe_given_up_makes_another_wish() {
    let mut health = opened();
    health.admit(Instant(30_000), KEY);
    assert_eq!(health.admit(Instant(40_000), KEY), Admission::Probe);
    assert_eq!(health.admit(Instant(100_000), KEY), Admission::Refused { until: Instant(101_000) });
    assert_eq!(report(&mut health, 100_000).unwrap(), r#"{"k":{"wish":1}}"#);
    assert_eq!(health.admit(Instant(110_000), KEY), Admission::Probe);
}

#[test]
fn a_lease_ends_the_time_of_an_open_breaker() {
    let mut health = opened();
    health.grant(Instant(5_000), KEY, Instant(60_000));
    assert_eq!(health.admit(Instant(5_000), KEY), Admission::Probe);
    health.grant(Instant(5_000), "other", Instant(60_000));
    assert_eq!(health.admit(Instant(5_000), "other"), Admission::Go, "a healthy route has no use for one");
}

#[test]
fn what_a_probe_told_need_not_be_taken_back() {
    let mut health = shared();
    record(&mut health, 0, false, FAILED);
    assert!(report(&mut health, 0).is_some());
    adopt(&mut health, 100, r#"{"k":{"open":20000}}"#);
    health.grant(Instant(21_000), KEY, Instant(60_000));
    assert_eq!(health.admit(Instant(21_000), KEY), Admission::Probe);
    record(&mut health, 22_000, true, OK);
    adopt(&mut health, 22_000, r#"{"k":{"open":5000}}"#);
    assert_eq!(
        health.state(Instant(22_000), KEY),
        BreakerState::Closed,
        "the answer is older than the probe's success"
    );
    assert_eq!(report(&mut health, 22_000).unwrap(), r#"{"k":{"closed":1}}"#);
    record(&mut health, 23_000, false, OK);
    assert_eq!(report(&mut health, 23_000), None);
}

#[test]
fn an_answer_opens_and_closes() {
    let mut health = shared();
    record(&mut health, 0, false, FAILED);
    assert!(report(&mut health, 0).is_some());
    adopt(&mut health, 100, r#"{"k":{"open":20000}}"#);
    assert_eq!(health.admit(Instant(100), KEY), Admission::Refused { until: Instant(20_100) });
    record(&mut health, 200, false, FAILED);
    record(&mut health, 200, false, OK);
    assert_eq!(report(&mut health, 200), None, "calls under way say nothing new");
    health.admit(Instant(20_100), KEY);
    adopt(&mut health, 20_200, r#"{"k":{"open":5000}}"#);
    assert_eq!(health.admit(Instant(25_199), KEY), Admission::Refused { until: Instant(25_200) });
    health.admit(Instant(25_200), KEY);
    adopt(&mut health, 25_300, r#"{"k":{"closed":1}}"#);
    assert_eq!(health.admit(Instant(25_300), KEY), Admission::Go);
}

#[test]
fn an_answer_does_not_undo_what_happened_since() {
    let mut health = shared();
    (0..4).for_each(|_| record(&mut health, 0, false, FAILED));
    report(&mut health, 0);
    adopt(&mut health, 1, r#"{"k":{"closed":1}}"#);
    record(&mut health, 2, false, FAILED);
    assert_eq!(health.state(Instant(2), KEY), BreakerState::Open { until: Instant(30_002) }, "its own count goes on");
    adopt(&mut health, 3, r#"{"k":{"closed":1}}"#);
    assert_eq!(health.state(Instant(3), KEY), BreakerState::Open { until: Instant(30_002) });
    adopt(&mut health, 4, r#"{"k":{"open":1}}"#);
    assert_eq!(health.state(Instant(4), KEY), BreakerState::Open { until: Instant(30_002) }, "it never shortens");
}

#[test]
fn what_is_no_answer_changes_nothing() {
    let mut health = opened();
    for answer in
        ["", "{", "[]", "null", r#"{"k":1}"#, r#"{"k":[]}"#, r#"{"k":{"open":"x"}}"#, r#"{"other":{"closed":1}}"#]
    {
        adopt(&mut health, 1, answer);
        assert_eq!(health.state(Instant(1), KEY), BreakerState::Open { until: Instant(30_000) }, "{answer}");
    }
    adopt(&mut health, 1, r#"{"k":{"open":99999999999999999999999}}"#);
    assert_eq!(health.state(Instant(1), KEY), BreakerState::Open { until: Instant(86_400_001) }, "a day at most");
}

/// A time, a report to the object, its answer.
type Said = (u64, &'static str, &'static str);

const TALKS: &[(&str, &[Said])] = &[
    (
        "five failures of five isolates open it",
        &[
            (0, r#"{"k":{"failures":1}}"#, r#"{"k":{"closed":1}}"#),
            (1, r#"{"k":{"failures":3}}"#, r#"{"k":{"closed":1}}"#),
            (2, r#"{"k":{"failures":1}}"#, r#"{"k":{"open":30000}}"#),
            (1_002, r#"{"k":{"failures":1}}"#, r#"{"k":{"open":29000}}"#),
        ],
    ),
    (
        "a success takes failures back",
        &[
            (0, r#"{"k":{"failures":4}}"#, r#"{"k":{"closed":1}}"#),
            (1, r#"{"k":{"success":0}}"#, r#"{"k":{"closed":1}}"#),
            (2, r#"{"k":{"failures":4}}"#, r#"{"k":{"closed":1}}"#),
        ],
    ),
    (
        "one that came between them too, one from before them not",
        &[
            (10_000, r#"{"k":{"failures":4}}"#, r#"{"k":{"closed":1}}"#),
            (11_000, r#"{"k":{"success":500,"failures":1}}"#, r#"{"k":{"closed":1}}"#),
            (12_000, r#"{"k":{"success":5000,"failures":4}}"#, r#"{"k":{"open":30000}}"#),
        ],
    ),
    (
        "failures a minute apart are no row",
        &[
            (0, r#"{"k":{"failures":4}}"#, r#"{"k":{"closed":1}}"#),
            (60_001, r#"{"k":{"failures":4}}"#, r#"{"k":{"closed":1}}"#),
            (120_001, r#"{"k":{"failures":1}}"#, r#"{"k":{"open":30000}}"#),
        ],
    ),
    (
        "Retry-After is a floor, for a day at most",
        &[
            (0, r#"{"k":{"failures":1,"retry_after":70000}}"#, r#"{"k":{"closed":1}}"#),
            (1_000, r#"{"k":{"failures":4}}"#, r#"{"k":{"open":69000}}"#),
            (2_000, r#"{"k":{"failures":1,"retry_after":99999999999}}"#, r#"{"k":{"open":86400000}}"#),
        ],
    ),
    (
        "an isolate's own count opens it for all",
        &[
            (0, r#"{"k":{"open":30000}}"#, r#"{"k":{"open":30000}}"#),
            (1_000, r#"{"k":{"open":20000}}"#, r#"{"k":{"open":29000}}"#),
        ],
    ),
    (
        "one lease at a time; whoever else wishes asks again soon",
        &[
            (0, r#"{"k":{"failures":5}}"#, r#"{"k":{"open":30000}}"#),
            (29_999, r#"{"k":{"wish":1}}"#, r#"{"k":{"open":1}}"#),
            (30_000, r#"{"k":{"failures":1}}"#, r#"{"k":{"open":0}}"#),
            (30_000, r#"{"k":{"wish":1}}"#, r#"{"k":{"lease":60000}}"#),
            (30_000, r#"{"k":{"wish":1}}"#, r#"{"k":{"open":5000}}"#),
            (31_000, r#"{"k":{"open":30000}}"#, r#"{"k":{"open":30000}}"#),
            (61_000, r#"{"k":{"wish":1}}"#, r#"{"k":{"lease":60000}}"#),
            (62_000, r#"{"k":{"closed":1}}"#, r#"{"k":{"closed":1}}"#),
            (62_000, r#"{"k":{"wish":1}}"#, r#"{"k":{"closed":1}}"#),
        ],
    ),
    (
        "a lease that lapses goes to the next, for longer",
        &[
            (0, r#"{"k":{"failures":5}}"#, r#"{"k":{"open":30000}}"#),
            (30_000, r#"{"k":{"wish":1}}"#, r#"{"k":{"lease":60000}}"#),
            (88_000, r#"{"k":{"wish":1}}"#, r#"{"k":{"open":2000}}"#),
            (90_000, r#"{"k":{"wish":1}}"#, r#"{"k":{"lease":120000}}"#),
            (300_000, r#"{"k":{"wish":1}}"#, r#"{"k":{"lease":240000}}"#),
            (900_000, r#"{"k":{"wish":1}}"#, r#"{"k":{"lease":480000}}"#),
            (1_800_000, r#"{"k":{"wish":1}}"#, r#"{"k":{"lease":480000}}"#),
            (1_800_001, r#"{"k":{"open":30000}}"#, r#"{"k":{"open":30000}}"#),
            (1_830_001, r#"{"k":{"wish":1}}"#, r#"{"k":{"lease":60000}}"#),
        ],
    ),
    (
        "routes fail apart, and are answered together",
        &[(0, r#"{"a":{"failures":5},"b\"/ä":{"failures":1}}"#, r#"{"a":{"open":30000},"b\"/ä":{"closed":1}}"#)],
    ),
    (
        "a clock that steps back does not keep it open",
        &[
            (1_000_000, r#"{"k":{"failures":5}}"#, r#"{"k":{"open":30000}}"#),
            (5, r#"{"k":{"wish":1}}"#, r#"{"k":{"open":30000}}"#),
            (30_005, r#"{"k":{"wish":1}}"#, r#"{"k":{"lease":60000}}"#),
        ],
    ),
    (
        "what is no report gets no answer",
        &[
            (0, "", "{}"),
            (0, "[1]", "{}"),
            (0, "{\"k\":5}", "{}"),
            (0, "{\"k\":{}", "{}"),
            (0, r#"{"k":{"failures":-5,"open":"soon"}}"#, r#"{"k":{"closed":1}}"#),
            (0, r#"{"k":{"failures":99999999999}}"#, r#"{"k":{"open":30000}}"#),
        ],
    ),
];

#[test]
fn the_object_answers_as_written_also_when_stored_in_between() {
    for (name, talk) in TALKS {
        let policy = BreakerPolicy::default();
        let (mut kept, mut stored) = (SharedBreaker::new(policy), String::new());
        for (now, report, answer) in *talk {
            assert_eq!(kept.handle(Instant(*now), report), *answer, "{name}, {now}: {report}");
            let mut restored = SharedBreaker::from_json(policy, &stored);
            assert_eq!(restored.handle(Instant(*now), report), *answer, "{name}, {now}, stored: {report}");
            stored = restored.to_json();
            assert_eq!(stored, kept.to_json(), "{name}");
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_taken(text in "(\\PC{0,40}|\\{\"k\":\\{\"(open|wish|failures|closed|success)\":[0-9]{0,22}\\}\\})", now in any::<u64>()) {
        let mut object = SharedBreaker::from_json(BreakerPolicy::default(), &text);
        let answer = object.handle(Instant(now), &text);
        let mut health = opened();
        adopt(&mut health, now, &text);
        adopt(&mut health, now, &answer);
        prop_assert!(serde_json::from_str::<serde_json::Value>(&answer).is_ok());
        prop_assert!(serde_json::from_str::<serde_json::Value>(&object.to_json()).is_ok());
    }
}

/// What is on its way, by the time at which it arrives.
enum Arrival {
    Call(usize),
    End { isolate: usize, sent: u64, probe: bool, failed: bool },
    Report { isolate: usize, text: String },
    Answer { isolate: usize, text: String },
}

#[derive(Clone, Copy)]
struct World {
    isolates: usize,
    /// From one call of an isolate to its next, on average, in milliseconds.
    every: u64,
    /// Until when the world runs.
    until: u64,
    is_down: fn(u64) -> bool,
    object_in_reach: bool,
}

#[derive(Debug, Default)]
struct Seen {
    /// When requests reached the upstream while it was down, and which of them were probes.
    failed: Vec<u64>,
    probes: Vec<u64>,
    /// The last time that a call was refused.
    refused: u64,
    calls: usize,
    to_object: usize,
}

/// Calls take 200 ms or fail in 100, the object is 30 ms away; each isolate's clock has an origin of its own.
fn run(world: World, mut seed: u64) -> Seen {
    let mut random = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below.max(1)
    };
    let mut healths: Vec<Health> = (0..world.isolates).map(|_| shared()).collect();
    let clock = |isolate: usize, now: u64| Instant(now + 1_000_000 * isolate as u64);
    let (mut object, mut seen) = (SharedBreaker::new(BreakerPolicy::default()), Seen::default());
    let (mut queue, mut number) = (BTreeMap::new(), 0u64);
    let mut arrives = |queue: &mut BTreeMap<_, _>, at: u64, arrival: Arrival| {
        number += 1;
        queue.insert((at, number), arrival);
    };
    for isolate in 0..world.isolates {
        arrives(&mut queue, random(world.every), Arrival::Call(isolate));
    }
    while let Some(((now, _), arrival)) = queue.pop_first() {
        let turn = match arrival {
            Arrival::Call(isolate) => {
                if now < world.until {
                    arrives(&mut queue, now + world.every / 2 + random(world.every), Arrival::Call(isolate));
                }
                seen.calls += 1;
                let admission = healths[isolate].admit(clock(isolate, now), KEY);
                let (failed, probe) = ((world.is_down)(now), admission == Admission::Probe);
                if matches!(admission, Admission::Refused { .. }) {
                    seen.refused = now;
                } else {
                    seen.failed.extend(failed.then_some(now));
                    seen.probes.extend(probe.then_some(now));
                    let end = Arrival::End { isolate, sent: now, probe, failed };
                    arrives(&mut queue, now + if failed { 100 } else { 200 }, end);
                }
                isolate
            }
            Arrival::End { isolate, sent, probe, failed } => {
                let verdict = if failed { FAILED } else { OK };
                healths[isolate].record(clock(isolate, now), KEY, clock(isolate, sent), probe, verdict);
                isolate
            }
            Arrival::Report { isolate, text } => {
                seen.to_object += 1;
                if world.object_in_reach {
                    let text = object.handle(Instant(now), &text);
                    arrives(&mut queue, now + 30, Arrival::Answer { isolate, text });
                }
                continue;
            }
            Arrival::Answer { isolate, text } => {
                healths[isolate].adopt(clock(isolate, now), &text);
                continue;
            }
        };
        if let Some(text) = healths[turn].take_report(clock(turn, now)) {
            arrives(&mut queue, now + 30, Arrival::Report { isolate: turn, text });
        }
    }
    seen
}

/// The least time between two of them.
fn least_gap(times: &[u64]) -> u64 {
    times.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap_or(u64::MAX)
}

const DEAD_FOR_5_MINUTES: World = World {
    isolates: 20,
    every: 1_000,
    until: 400_000,
    is_down: |now| (20_000..320_000).contains(&now),
    object_in_reach: true,
};

#[test]
fn a_dead_upstream_sees_one_probe_per_half_minute_of_all_isolates() {
    for seed in 0..20 {
        let seen = run(DEAD_FOR_5_MINUTES, seed);
        assert!(seen.probes.len() <= 11 && least_gap(&seen.probes) >= 30_000, "{:?}", seen.probes);
        // The first failure of each isolate, with what was under way when it was told; then nothing but probes.
        let later = seen.failed.iter().filter(|at| **at > 25_000 && !seen.probes.contains(at)).count();
        assert!(seen.failed.len() <= 5 + 2 * 20 + 10 && later == 0, "{:?}", seen.failed);
        assert!(seen.refused < 320_000 + 30_000 + 10_000, "they come back");
        assert!(seen.to_object < 20 * 11 * 5 / 2, "each isolate asks twice per half minute: {}", seen.to_object);
    }
}

#[test]
fn without_the_object_each_isolate_goes_by_its_own_counts() {
    for seed in 0..20 {
        let seen = run(World { object_in_reach: false, ..DEAD_FOR_5_MINUTES }, seed);
        // Five each, and a probe each 40 s: the breaker's time and the unanswered wish.
        assert!((5 * 20..=(5 + 8) * 20).contains(&seen.failed.len()), "{}", seen.failed.len());
        assert!(seen.refused < 320_000 + 45_000);
    }
}

#[test]
fn with_few_calls_the_route_still_comes_back() {
    for (isolates, every) in [(20, 60_000), (5, 180_000), (1, 300_000)] {
        for seed in 0..20 {
            let seen = run(
                World { isolates, every, until: 7_200_000, is_down: |now| now < 1_800_000, ..DEAD_FOR_5_MINUTES },
                seed,
            );
            assert!(least_gap(&seen.probes) >= 30_000, "{:?}", seen.probes);
            assert!(seen.refused < 1_800_000 + 1_500_000, "{isolates} isolates: {}", seen.refused);
        }
    }
}

#[test]
fn an_upstream_that_flaps_for_a_minute_is_probed_and_taken_back() {
    for (period, seed) in (0..30).map(|n| ([1_000, 4_000, 7_000][n as usize % 3], n)) {
        let is_down: fn(u64) -> bool = match period {
            1_000 => |now| (20_000..80_000).contains(&now) && now / 1_000 % 2 == 0,
            4_000 => |now| (20_000..80_000).contains(&now) && now / 4_000 % 2 == 1,
            _ => |now| (20_000..80_000).contains(&now) && now / 7_000 % 2 == 1,
        };
        let seen = run(World { is_down, until: 200_000, ..DEAD_FOR_5_MINUTES }, seed);
        assert!((1..=6).contains(&seen.probes.len()), "{:?}", seen.probes);
        assert!(seen.failed.len() < 150, "of 600 or so that met it down");
        assert!(seen.refused < 80_000 + 40_000);
    }
}

#[test]
fn a_few_failures_do_not_open_it_for_all() {
    // One call in a hundred fails, by its time.
    let is_down = |now| now * 7_919 % 100 == 0;
    let seen = run(World { is_down, until: 600_000, ..DEAD_FOR_5_MINUTES }, 1);
    assert!(seen.failed.len() > 50 && seen.probes.is_empty() && seen.refused == 0, "{seen:?}");
    assert!(seen.to_object <= 2 * seen.failed.len(), "each is told and taken back");
}

//! The health of routes in virtual time: scenarios as data, and what must hold in any order of things.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use sluicegate::exchange::{Admission, BreakerPolicy, BreakerState, Health, Verdict};
use sluicegate::time::Instant;

const KEY: &str = "deepseek/deepseek-reasoner";
const OK: Verdict = Verdict::Success { first_token: None };
const FAILED: Verdict = Verdict::Failure { retry_after: None };

/// Steps are `@TIME` (the shell's clock from here on), or something done, or something seen:
/// `ok`, `fail`, `fail:RETRY_AFTER`, `cancel`: a verdict of a call sent now; with `^TIME` sent then; with `!` the probe's, sent when it was
/// admitted (or then). `go`, `probe`, `no:UNTIL`: what asking gives (and takes); with `?` only looking. `hold:UNTIL`. `closed`,
/// `open:UNTIL`, `half`: the state. `*N` repeats the step.
const SCENARIOS: &str = "\
a route that nobody knows is healthy | @0 go go ?go closed
five failures in a row open it | @0 fail*4 closed go fail open:30000 no:30000 ?no:30000
a success between them starts the count anew | @0 fail*4 ok fail*4 closed go
a client's fault or a cancelled call counts for nothing | @0 fail*4 cancel*9 closed fail open:30000
cancelled calls do not interrupt a row either | @0 fail*2 cancel fail*2 cancel fail open:30000
it stays open for 30 s, then one call probes | @0 fail*5 @29999 no:30000 open:30000 @30000 half ?probe probe no:31000 no:31000
looking takes no probe | @0 fail*5 @30000 ?probe*3 probe ?no:31000
the probe's success closes it | @0 fail*5 @30000 probe @31000 !ok closed go go
and forgets: five more failures are needed | @0 fail*5 @30000 probe !ok @31000 fail*4 closed fail open:61000
the probe's failure opens it for another 30 s | @0 fail*5 @30000 probe @32000 !fail open:62000 @62000 probe
a cancelled probe hands it to the next | @0 fail*5 @30000 probe @31000 !cancel half probe no:32000
a probe never heard of again is given up after 60 s | @0 fail*5 @30000 probe @89999 no:90999 @90000 probe no:91000
the failure of a probe given up does not speak for its successor | @0 fail*5 @30000 probe @90000 probe @91000 !fail^30000 half no:92000 !ok closed
its cancellation neither | @0 fail*5 @30000 probe @90000 probe @91000 !cancel^30000 no:92000
its success is good news at any time | @0 fail*5 @30000 probe @90000 probe @91000 !ok^30000 closed
unless a later probe failed | @0 fail*5 @30000 probe @90000 probe @91000 !fail @92000 !ok^30000 open:121000
its failure is still heard when there is no successor | @0 fail*5 @30000 probe @95000 !fail open:125000
late failures do not prolong it | @0 fail*5 @20000 fail^0*9 open:30000 @30000 fail^0 half probe
late successes do not close it | @0 fail*5 @20000 ok^0*9 open:30000 @30000 ok^0 half probe ok^0 no:31000
nobody but the probe speaks for it | @0 fail*5 @30000 probe fail half no:31000 cancel no:31000 ok half
late failures do not open it again when it has closed | @0 fail*5 @30000 probe !ok @45000 fail^0*20 closed go
late successes do not interrupt a new row | @0 fail*5 @30000 probe !ok @45000 fail*4 ok^0 fail open:75000
Retry-After is a floor | @0 fail*4 fail:120000 open:120000 @30000 no:120000 @120000 probe
a shorter one changes nothing | @0 fail*4 fail:1000 open:30000
one from earlier in the row holds too | @0 fail:90000 @1000 fail*4 open:90000
one that a success followed does not | @0 fail:90000 ok @1000 fail*5 open:31000
it is believed for a day at most | @0 fail*4 fail:18446744073709551615 open:86400000 @86400000 probe
a probe's Retry-After too | @0 fail*5 @30000 probe !fail:100000 open:130000
a late failure prolongs it when the upstream names a time | @0 fail*5 @10000 fail:50000^0 open:60000
half of 20 calls failing opens it | @0 fail ok fail ok fail ok fail ok fail ok fail ok fail ok fail ok fail ok ok fail open:30000
half of 19 calls does not | @0 fail ok fail ok fail ok fail ok fail ok fail ok fail ok fail ok fail ok fail closed
less than half of many does not | @0 ok*30 fail*4 ok fail*4 ok fail*4 ok fail*4 ok closed
a success does not open it, whatever the ratio | @0 fail*4 ok fail*4 ok fail*4 ok fail*4 ok closed
the next failure does | @0 fail*4 ok fail*4 ok fail*4 ok fail*3 ok closed fail open:30000
what is a minute ago is out of the window | @0 fail*4 ok fail*4 ok fail*4 ok @60000 fail*3 ok fail closed
and what is less is in it | @3000 fail*4 ok fail*4 ok fail*4 ok @59999 fail*3 ok fail open:89999
after a long silence the window is empty | @0 ok*30 @9000000000000 fail*4 ok fail*4 ok fail*4 ok fail*3 ok closed fail open:9000000030000
a held route refuses, and is closed | @0 hold:5000 no:5000 ?no:5000 closed @4999 no:5000 @5000 go go
the longer hold holds | @0 hold:5000 hold:3000 no:5000 hold:7000 no:7000
a hold ends after a day | @0 hold:18446744073709551615 no:86400000 @86400000 go
a hold in the past is none | @5000 hold:4000 go
a hold outlasts an open breaker, or the other way round | @0 fail*5 hold:40000 no:40000 open:30000 @30000 half no:40000 @40000 probe !fail hold:45000 no:70000
a held route counts failures of calls under way | @0 hold:5000 fail*5 open:30000 no:30000
a clock that steps back does not keep it open for longer | @1000000 fail*5 no:1030000 @0 no:30000 open:30000 @29999 no:30000 @30000 probe
nor a probe | @1000000 fail*5 @1030000 probe @0 no:1000 @59999 no:60999 @60000 probe
nor a hold | @1000000 hold:1005000 @0 no:5000 @5000 go
and a verdict from before the step still counts | @1000000 fail*5 @1030000 probe @10 !ok closed
and those after it do too | @1000000 fail*5 @1030000 probe !ok @0 fail*5 open:30000
a clock at its end does not panic | @18446744073709551615 fail*5 probe hold:18446744073709551615 !fail:5 probe @0 !ok closed go";

struct Run {
    health: Health,
    now: Instant,
    probed: Instant,
}

impl Run {
    fn new() -> Self {
        Run { health: Health::default(), now: Instant(0), probed: Instant(0) }
    }

    fn step(&mut self, name: &str, step: &str) {
        let (health, now) = (&mut self.health, self.now);
        let (what, sent) = step.split_once('^').unwrap_or((step, ""));
        let (what, number) = what.split_once(':').unwrap_or((what, ""));
        let time = Instant(number.parse().unwrap_or_default());
        let (looked, what) = (what.starts_with('?'), what.trim_start_matches('?'));
        let (probe, what) = (what.starts_with('!'), what.trim_start_matches('!'));
        let expected = match what {
            "ok" | "fail" | "cancel" => {
                let sent = sent.parse().map_or(if probe { self.probed } else { now }, Instant);
                let verdict = match what {
                    "ok" => OK,
                    "fail" => Verdict::Failure { retry_after: number.parse().ok() },
                    _ => Verdict::Neutral,
                };
                return health.record(now, KEY, sent, probe, verdict);
            }
            "hold" => return health.hold(now, KEY, time),
            "closed" => return assert_eq!(health.state(now, KEY), BreakerState::Closed, "{name}: {step} at {}", now.0),
            "open" => {
                return assert_eq!(
                    health.state(now, KEY),
                    BreakerState::Open { until: time },
                    "{name}: {step} at {}",
                    now.0
                );
            }
            "half" => return assert_eq!(health.state(now, KEY), BreakerState::HalfOpen, "{name}: {step} at {}", now.0),
            "go" => Admission::Go,
            "probe" => Admission::Probe,
            "no" => Admission::Refused { until: time },
            _ => panic!("no such step: {step}"),
        };
        assert_eq!(health.look(now, KEY), expected, "{name}: {step} at {}", now.0);
        if !looked {
            assert_eq!(health.admit(now, KEY), expected, "{name}: {step} at {}", now.0);
            if expected == Admission::Probe {
                self.probed = now;
            }
        }
    }
}

#[test]
fn scenarios_go_as_written() {
    for (name, steps) in SCENARIOS.lines().map(|line| line.split_once(" | ").unwrap()) {
        let mut run = Run::new();
        for step in steps.split(' ') {
            let (what, times) = step.split_once('*').unwrap_or((step, "1"));
            match what.strip_prefix('@') {
                Some(time) => run.now = Instant(time.parse().unwrap()),
                None => (0..times.parse().unwrap()).for_each(|_| run.step(name, what)),
            }
        }
    }
}

#[test]
fn rules_can_be_switched_off() {
    let off = BreakerPolicy { failures: u32::MAX, ratio: 101, ..BreakerPolicy::default() };
    let mut health = Health::new(off);
    (0..1000).for_each(|_| health.record(Instant(0), KEY, Instant(0), false, FAILED));
    assert_eq!(health.state(Instant(0), KEY), BreakerState::Closed);
    let odd = BreakerPolicy { failures: 0, ratio: 0, least: 0, window: 0, open: u64::MAX };
    let mut health = Health::new(odd);
    health.record(Instant(0), KEY, Instant(0), false, FAILED);
    assert_eq!(health.state(Instant(9), KEY), BreakerState::Open { until: Instant(u64::MAX) });
}

#[test]
fn routes_fail_apart() {
    let mut health = Health::default();
    (0..5).for_each(|_| health.record(Instant(0), "a", Instant(0), false, FAILED));
    assert_eq!(health.admit(Instant(0), "a"), Admission::Refused { until: Instant(30_000) });
    assert_eq!(health.admit(Instant(0), "b"), Admission::Go);
}

#[test]
fn open_breakers_outlive_any_number_of_healthy_routes() {
    let mut health = Health::default();
    (0..5).for_each(|_| health.record(Instant(0), KEY, Instant(0), false, FAILED));
    health.hold(Instant(0), "held", Instant(20_000));
    for n in 1..5_000 {
        health.record(Instant(n), &n.to_string(), Instant(n), false, OK);
    }
    assert_eq!(health.state(Instant(5_000), KEY), BreakerState::Open { until: Instant(30_000) });
    assert_eq!(health.look(Instant(5_000), "held"), Admission::Refused { until: Instant(20_000) });
}

#[test]
fn retries_are_paid_by_calls_and_by_time() {
    let retries = |health: &mut Health, now: u64| (0..100).filter(|_| health.take_retry(Instant(now))).count();
    let mut health = Health::default();
    assert_eq!(retries(&mut health, 0), 10, "full at the start");
    (0..4).for_each(|_| health.begin(Instant(0)));
    assert_eq!(retries(&mut health, 0), 0);
    health.begin(Instant(0));
    assert_eq!(retries(&mut health, 0), 1, "five calls earn one");
    assert_eq!(retries(&mut health, 9_999), 0);
    assert_eq!(retries(&mut health, 10_000), 1, "so do ten seconds");
    (0..1000).for_each(|_| health.begin(Instant(10_000)));
    assert_eq!(retries(&mut health, 1 << 50), 10, "no more than ten are saved up");
    assert_eq!(retries(&mut health, 0), 0, "a clock that steps back earns nothing");
    assert_eq!(retries(&mut health, 10_000), 1, "and goes on from there");
}

#[test]
fn hedges_are_a_share_of_the_calls() {
    let hedges = |health: &mut Health, share: u32| (0..100).filter(|_| health.take_hedge(Instant(0), share)).count();
    for (share, calls, expected) in [
        (5, 0, 1),
        (5, 19, 1),
        (5, 20, 2),
        (5, 100, 6),
        (5, 100_000, 11),
        (0, 100, 0),
        (100, 7, 8),
        (250, 7, 8),
        (30, 10, 3),
    ] {
        let mut health = Health::default();
        (0..calls).for_each(|_| health.begin(Instant(0)));
        assert_eq!(hedges(&mut health, share), expected, "{share} % of {calls}");
        assert_eq!(hedges(&mut health, share), 0, "{share} % of {calls}");
        assert!(health.take_retry(Instant(0)), "hedges are not paid by the retries' budget");
    }
}

#[test]
fn first_tokens_are_remembered_per_route() {
    let mut health = Health::default();
    let record = |health: &mut Health, first_token| {
        health.record(Instant(0), KEY, Instant(0), false, Verdict::Success { first_token });
    };
    (1..20).for_each(|n| record(&mut health, Some(n * 100)));
    (0..50).for_each(|_| record(&mut health, None));
    assert_eq!(health.first_token_percentile(KEY, 50), None, "19 samples are too few");
    record(&mut health, Some(2_000));
    for (percentile, expected) in
        [(0, 100), (50, 1_000), (90, 1_800), (95, 1_900), (99, 2_000), (100, 2_000), (255, 2_000)]
    {
        assert_eq!(health.first_token_percentile(KEY, percentile), Some(expected), "{percentile}");
    }
    (0..128).for_each(|_| record(&mut health, Some(u64::MAX)));
    assert_eq!(health.first_token_percentile(KEY, 1), Some(u64::from(u32::MAX)), "the last 128 count");
    assert_eq!(health.first_token_percentile("other", 50), None);
}

fn is_refused(admission: Admission) -> bool {
    matches!(admission, Admission::Refused { .. })
}

#[derive(Clone, Debug)]
enum Event {
    Wait(u64),
    /// A request to one of two routes; which of those under way ends next, and how, is said by `End`.
    Ask(bool),
    End(usize, Verdict),
    Begin,
    Retry,
}

fn event() -> impl Strategy<Value = Event> {
    let verdict = prop_oneof![
        3 => Just(OK),
        6 => Just(FAILED),
        1 => (0u64..100_000).prop_map(|wait| Verdict::Failure { retry_after: Some(wait) }),
        1 => Just(Verdict::Neutral),
    ];
    prop_oneof![
        2 => prop_oneof![0u64..200, 0u64..40_000].prop_map(Event::Wait),
        4 => any::<bool>().prop_map(Event::Ask),
        4 => (any::<prop::sample::Index>(), verdict).prop_map(|(which, verdict)| Event::End(which.index(64), verdict)),
        1 => Just(Event::Begin),
        1 => Just(Event::Retry),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn one_probe_at_a_time_and_nobody_goes_where_it_is_open(events in prop::collection::vec(event(), 1..300)) {
        let (mut health, mut now) = (Health::default(), Instant(1_000));
        // Route, time of sending, probe; and until when each route was said to be open.
        let mut under_way: Vec<(usize, Instant, bool)> = Vec::new();
        let mut open = [Instant(0); 2];
        let keys = ["a", "b"];
        let (mut calls, mut retries) = (0, 0);
        for event in events {
            match event {
                Event::Wait(millis) => now = now + millis,
                Event::Ask(second) => {
                    let route = usize::from(second);
                    let state = health.state(now, keys[route]);
                    let looked = health.look(now, keys[route]);
                    prop_assert_eq!(looked, health.admit(now, keys[route]));
                    match looked {
                        Admission::Refused { until } => prop_assert!(until > now),
                        Admission::Go => prop_assert_eq!(state, BreakerState::Closed),
                        Admission::Probe => {
                            prop_assert_eq!(state, BreakerState::HalfOpen);
                            let other = |(at, sent, probe): &(usize, Instant, bool)| *at == route && *probe && now.since(*sent) < 60_000;
                            prop_assert!(!under_way.iter().any(other), "two probes");
                        }
                    }
                    if !is_refused(looked) {
                        under_way.push((route, now, looked == Admission::Probe));
                    }
                    if now < open[route] {
                        prop_assert!(is_refused(looked), "open is open");
                    }
                }
                Event::End(which, verdict) => {
                    if under_way.is_empty() { continue }
                    let (route, sent, probe) = under_way.remove(which % under_way.len());
                    health.record(now, keys[route], sent, probe, verdict);
                    match health.state(now, keys[route]) {
                        BreakerState::Open { until } => {
                            prop_assert!(until >= open[route], "it never shortens");
                            open[route] = until;
                        }
                        BreakerState::Closed if now < open[route] => {
                            prop_assert!(probe && verdict == OK, "only a probe's success closes it");
                            open[route] = Instant(0);
                        }
                        _ => {}
                    }
                }
                Event::Begin => { health.begin(now); calls += 1; }
                Event::Retry => retries += u64::from(health.take_retry(now)),
            }
            prop_assert!(retries * 10_000 <= 100_000 + 2_000 * calls + now.since(Instant(1_000)));
        }
        for key in keys {
            prop_assert!(!is_refused(health.admit(now + 160_000, key)), "nobody is shut out for ever");
        }
    }

    #[test]
    fn no_clock_panics_or_locks(steps in prop::collection::vec((any::<u64>(), 0u8..8, any::<u64>()), 1..100), last in 0u64..1 << 60) {
        let mut health = Health::shared(BreakerPolicy::default());
        for (now, what, time) in steps {
            let (now, time) = (Instant(now), Instant(time));
            match what {
                0 => health.hold(now, KEY, time),
                1 => { health.admit(now, KEY); }
                2 => health.begin(now),
                3 => { health.take_retry(now); }
                4 => { health.take_report(now); }
                5 => health.grant(now, KEY, time),
                _ => health.record(now, KEY, time, what == 6, Verdict::Failure { retry_after: (what == 7).then_some(time.0) }),
            }
        }
        // A clock that runs on from wherever it is: a day of words, a minute of probe, ten seconds of wish.
        health.admit(Instant(last), KEY);
        health.look(Instant(last) + 86_400_000, KEY);
        prop_assert!(!is_refused(health.look(Instant(last) + 86_480_000, KEY)), "nobody is shut out for ever");
    }
}

#[test]
fn the_few_of_many_calls_sent_together_that_fail_first_open_nothing() {
    let mut health = Health::new(BreakerPolicy::default());
    for wave in 0..5 {
        let now = Instant(wave * 20_000);
        for _ in 0..1_000 {
            assert_eq!(health.admit(now, "a/m"), Admission::Go, "wave {wave}");
        }
        for _ in 0..50 {
            health.record(now + 1, "a/m", now, false, Verdict::Failure { retry_after: None });
        }
        for _ in 0..950 {
            health.record(now + 5_000, "a/m", now, false, Verdict::Success { first_token: Some(10) });
        }
        assert_eq!(health.state(now + 5_000, "a/m"), BreakerState::Closed, "wave {wave}");
    }
}

#[test]
fn a_route_on_which_all_of_many_calls_fail_opens_when_as_many_failed_as_may_still_succeed() {
    let mut health = Health::new(BreakerPolicy::default());
    for _ in 0..30 {
        health.admit(Instant(0), "a/m");
    }
    let open_after = (1..=30).find(|_| {
        health.record(Instant(10), "a/m", Instant(0), false, Verdict::Failure { retry_after: None });
        health.state(Instant(10), "a/m") != BreakerState::Closed
    });
    assert_eq!(open_after, Some(10), "10 failed, 20 may still succeed");
}

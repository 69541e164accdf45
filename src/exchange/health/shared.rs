//! The truth that many isolates share about routes: what an object elsewhere holds, asked off the hot path.
//!
//! Isolates send reports and get answers, both JSON texts that shells carry; a healthy route is in neither. Times are milliseconds from
//! now, as no two clocks agree.
//!
//! | report | |
//! |---|---|
//! | `failures` | so many failures in a row since the last report |
//! | `retry_after` | the longest wait that the upstream asked for in one of them |
//! | `success` | the last success was so long ago: told with failures, or to take back failures told before |
//! | `open` | the isolate opened its breaker, by its own count or after a probe, for so long |
//! | `closed` | a probe succeeded |
//! | `wish` | the breaker's time is over: may I probe? |
//!
//! | answer | |
//! |---|---|
//! | `open` | leave the route alone for so long, then ask |
//! | `lease` | the next call within this time is the probe, of all isolates |
//! | `closed` | the route works |
//!
//! The failures of all isolates together open a breaker, so one isolate may learn that a route is dead from its own first failure there.
//! They are consecutive as far as that can be known: a success that came since the first of them, in any isolate that reports, ends the
//! row; isolates that have nothing but successes are silent. So is everything that nobody asks for: no state is pushed to isolates.

use super::breaker::{BreakerPolicy, DAY, PROBE};
use super::keyed::Keyed;
use super::monotonic::Monotonic;
use super::wire::{Members, Sheet, lines};
use crate::json::write::Object;
use crate::time::Instant;

/// When to ask again while another isolate has the probe: soon, as its verdict may have come.
const ASK_AGAIN: u64 = 5_000;
/// How often the time of a lease doubles when leases lapse unused: with so little traffic that nobody called twice within a minute, a
/// longer one reaches somebody's next call. 8 minutes at most, for one that was given to an isolate that is gone.
const DOUBLINGS: u32 = 3;

/// The breakers of one or several routes over all isolates. No clock, no I/O: the shell hands in its time, which must go on over restarts
/// if the state is to (the Unix time in milliseconds will do), and keeps [`SharedBreaker::to_json`] after each report.
#[derive(Debug)]
pub struct SharedBreaker {
    policy: BreakerPolicy,
    clock: Monotonic,
    routes: Keyed<Route>,
}

#[derive(Debug, Default)]
struct Route {
    /// Consecutive failures, and when the first and the latest of them were heard of.
    streak: u32,
    first: Instant,
    latest: Instant,
    /// The latest time that an upstream named in one of them.
    floor: Instant,
    /// Until when it is open; half-open after that.
    open: Option<Instant>,
    /// Until when the probe is given away.
    lease: Option<Instant>,
    /// Leases that lapsed one after the other without a verdict.
    lapses: u32,
}

impl SharedBreaker {
    /// All routes closed. Of the policy, the ratio is not used: isolates that see it open report that.
    pub fn new(policy: BreakerPolicy) -> Self {
        SharedBreaker { policy, clock: Monotonic::default(), routes: Keyed::new() }
    }

    /// Takes a report and gives the answer to it, for each key in it. What is no report gets an empty answer.
    pub fn handle(&mut self, now: Instant, report: &str) -> String {
        let now = self.clock.tick(now);
        let mut answer = Sheet::new();
        for (key, line) in lines(report) {
            if let Some(route) = self.routes.entry(now, &key, |route, _| route.open.is_none()) {
                route.hear(now, &line, &self.policy);
                answer.line(&key, &[route.answer(now, line.number("wish").is_some())]);
            }
        }
        answer.finish()
    }

    /// The state as text, for the object's storage.
    pub fn to_json(&self) -> String {
        let mut routes = Sheet::new();
        for (key, route) in self.routes.iter() {
            let streak = Some(u64::from(route.streak)).filter(|streak| *streak > 0);
            let of_streak = |at: Instant| streak.map(|_| at.0);
            routes.line(
                key,
                &[
                    ("streak", streak),
                    ("first", of_streak(route.first)),
                    ("latest", of_streak(route.latest)),
                    ("floor", of_streak(route.floor)),
                    ("open", route.open.map(|at| at.0)),
                    ("lease", route.lease.map(|at| at.0)),
                    ("lapses", route.lease.map(|_| route.lapses.into())),
                ],
            );
        }
        let mut json = Object::new();
        json.raw("last", &self.clock.last.0.to_string());
        json.raw("ahead", &self.clock.ahead.to_string());
        json.raw("routes", &routes.finish());
        json.finish()
    }

    /// The state that [`SharedBreaker::to_json`] gave; as new where the text is none, since a broken store must not keep calls out.
    pub fn from_json(policy: BreakerPolicy, text: &str) -> Self {
        let mut breaker = SharedBreaker::new(policy);
        let Some(json) = Members::read(text) else { return breaker };
        let number = |name| json.number(name).unwrap_or_default();
        breaker.clock = Monotonic { last: Instant(number("last")), ahead: number("ahead") };
        for (key, line) in lines(json.raw("routes").unwrap_or_default()) {
            if let Some(route) = breaker.routes.entry(breaker.clock.last, &key, |_, _| true) {
                let count = |name| u32::try_from(line.number(name).unwrap_or_default()).unwrap_or(u32::MAX);
                let at = |name| line.number(name).map(Instant);
                *route = Route {
                    streak: count("streak"),
                    first: at("first").unwrap_or_default(),
                    latest: at("latest").unwrap_or_default(),
                    floor: at("floor").unwrap_or_default(),
                    open: at("open"),
                    lease: at("lease"),
                    lapses: count("lapses"),
                };
            }
        }
        breaker
    }
}

impl Route {
    fn hear(&mut self, now: Instant, line: &Members<'_>, policy: &BreakerPolicy) {
        if line.number("success").is_some_and(|age| now.0.saturating_sub(age) >= self.first.0)
            || now.since(self.latest) > policy.window
        {
            (self.streak, self.floor) = (0, Instant(0));
        }
        if line.number("closed").is_some() {
            *self = Route::default();
        }
        if let Some(failures) = line.number("failures") {
            if self.streak == 0 {
                self.first = now;
            }
            self.latest = now;
            self.streak = self.streak.saturating_add(u32::try_from(failures).unwrap_or(u32::MAX));
            let named = now + line.number("retry_after").unwrap_or_default().min(DAY);
            self.floor = self.floor.max(named);
            match &mut self.open {
                Some(until) => *until = named.max(*until),
                None if self.streak >= policy.failures => self.reopen((now + policy.open).max(self.floor)),
                None => {}
            }
        }
        if let Some(millis) = line.number("open") {
            self.reopen((now + millis.min(DAY)).max(self.open.unwrap_or_default()));
        }
    }

    fn reopen(&mut self, until: Instant) {
        *self = Route { open: Some(until), ..Route::default() };
    }

    fn answer(&mut self, now: Instant, wish: bool) -> (&'static str, Option<u64>) {
        let Some(until) = self.open else { return ("closed", Some(1)) };
        let leased = self.lease.map_or(0, |until| until.since(now));
        let left = until.since(now).max(leased.min(ASK_AGAIN));
        if left > 0 || !wish {
            return ("open", Some(left));
        }
        if self.lease.is_some() {
            self.lapses = (self.lapses + 1).min(DOUBLINGS);
        }
        let lease = PROBE << self.lapses.min(DOUBLINGS);
        self.lease = Some(now + lease);
        ("lease", Some(lease))
    }
}

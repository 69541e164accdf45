//! What the calls of one shell learn from each other about routes: which one to leave alone, how many second requests there may be,
//! how long the first token usually takes.
//!
//! A page has one [`Health`] per gate, the edge one per isolate, lent to every call. A key names what fails as one: usually an upstream
//! and a model. A call on a route asks [`Health::admit`] and answers with exactly one [`Health::record`]; everything is kept in memory
//! and bounded, and a key that is not known is a healthy route.
//!
//! At the edge many isolates share one truth through an object elsewhere, off the hot path ([`Health::shared`]): see `shared.rs`.

mod breaker;
mod hedge_budget;
mod keyed;
mod latency;
mod link;
mod monotonic;
mod retry_budget;
mod shared;
mod wire;

pub use breaker::BreakerPolicy;
pub use shared::SharedBreaker;

use crate::time::Instant;
use breaker::{Breaker, DAY, LOOK_AGAIN};
use core::cell::Cell;
use hedge_budget::HedgeBudget;
use keyed::Keyed;
use latency::Latency;
use link::{Answer, Link};
use monotonic::Monotonic;
use retry_budget::RetryBudget;
use wire::Sheet;

/// Whether a call may go to a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It may.
    Go,
    /// It may, as the one that finds out whether the route works again.
    Probe,
    /// It may not; look again then, at the latest.
    Refused {
        /// A time after now.
        until: Instant,
    },
}

/// How a call on a route ended, as far as the route is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The route did what it should.
    Success {
        /// Milliseconds from sending to the first token, of a stream.
        first_token: Option<u64>,
    },
    /// The route did not: an error of its own, a stream that stalled or was cut, a first token that came too late.
    Failure {
        /// The time that the upstream asked to be left alone, in milliseconds from now.
        retry_after: Option<u64>,
    },
    /// It says nothing of the route: the client's fault, a cancelled call. Releases a probe.
    Neutral,
}

/// The state of a route's breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Calls go.
    Closed,
    /// No call goes before then.
    Open {
        /// A time after now.
        until: Instant,
    },
    /// One call at a time goes, to find out.
    HalfOpen,
}

/// What is known of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its breaker.
    pub state: BreakerState,
    /// Until when the upstream wants no calls, if it said so.
    pub held: Option<Instant>,
    /// Of how many successes the times are known, the last 128 at most.
    pub samples: usize,
    /// The time to the first token that 50, 90 and 99 % of them kept to, in milliseconds.
    pub first_token: [Option<u64>; 3],
}

/// The health of routes, as a value: no clock, no I/O. A clock that steps back does no harm.
#[derive(Debug)]
pub struct Health {
    policy: BreakerPolicy,
    clock: Monotonic,
    retries: RetryBudget,
    hedges: HedgeBudget,
    routes: Keyed<Route>,
    shared: bool,
    /// Whether a report would say anything. A cell, as is the wish in [`Link`]: to be refused when a breaker's time is over is to wish
    /// for the probe, and who only looks is refused too.
    unheard: Cell<bool>,
}

#[derive(Debug, Default)]
struct Route {
    breaker: Breaker,
    /// The upstream said: not before.
    held: Instant,
    latency: Latency,
    link: Link,
}

impl Route {
    fn can_be_spared(&self, now: Instant) -> bool {
        self.breaker.is_closed() && self.held <= now
    }
}

impl Health {
    /// Knows nothing yet: every route is healthy, the budgets are full.
    pub fn new(policy: BreakerPolicy) -> Self {
        Health {
            policy,
            clock: Monotonic::default(),
            retries: RetryBudget::new(),
            hedges: HedgeBudget::default(),
            routes: Keyed::new(),
            shared: false,
            unheard: Cell::new(false),
        }
    }

    /// As [`Health::new`], for one isolate of many that share a [`super::SharedBreaker`]: when a breaker's time is over, the probe is not
    /// taken here but wished for ([`Health::take_report`]), and a call goes when the wish is granted ([`Health::adopt`]), or when it was
    /// not answered for 10 s. So there is one probe for all isolates, and an object out of reach costs those 10 s.
    pub fn shared(policy: BreakerPolicy) -> Self {
        Health { shared: true, ..Health::new(policy) }
    }

    /// A call begins, however many requests it will take: pays into the budgets for retries and hedges.
    pub fn begin(&mut self, now: Instant) {
        self.retries.deposit(self.clock.tick(now));
        self.hedges.deposit();
    }

    /// Pays for another request to a route that this call has tried already; false if too many calls did so. There are 10 at the
    /// start and at most; each call that begins earns a fifth of one, and so do each 2 seconds.
    pub fn take_retry(&mut self, now: Instant) -> bool {
        self.retries.take(self.clock.tick(now))
    }

    /// Pays for a hedge; false if there were more already than this share of the calls, in percent (but for the very first one).
    pub fn take_hedge(&mut self, now: Instant, share_percent: u32) -> bool {
        self.clock.tick(now);
        self.hedges.take(share_percent)
    }

    /// What [`Health::admit`] would say. For calls that choose a route; for a report of states there is [`Health::state`], which wishes
    /// for no probe.
    pub fn look(&self, now: Instant, key: &str) -> Admission {
        let inner = self.clock.at(now);
        let Some(route) = self.routes.find(key) else { return Admission::Go };
        let mut admission = route.breaker.look(inner);
        if inner < route.held {
            admission = match admission {
                Admission::Refused { until } => Admission::Refused { until: until.max(route.held) },
                _ => Admission::Refused { until: route.held },
            };
        }
        match admission {
            Admission::Probe if self.shared && !route.link.may_probe(inner, &self.unheard) => {
                Admission::Refused { until: now + LOOK_AGAIN }
            }
            Admission::Refused { until } => Admission::Refused { until: now + until.since(inner) },
            other => other,
        }
    }

    /// Asks to send a request to a route now. [`Admission::Probe`] is taken by asking: it must be recorded, or it blocks the others for 60 s.
    pub fn admit(&mut self, now: Instant, key: &str) -> Admission {
        let admission = self.look(now, key);
        let inner = self.clock.tick(now);
        if matches!(admission, Admission::Refused { .. }) {
            return admission;
        }
        if let Some(route) = self.routes.entry(inner, key, Route::can_be_spared) {
            route.breaker.begin(inner);
            if admission == Admission::Probe {
                route.breaker.take_probe(inner);
                route.link.unwish();
            }
        }
        admission
    }

    /// How a request ended that was admitted at `sent`, and whether it was the probe. A verdict counts for the state that it was sent in:
    /// one from before the breaker opened neither closes nor prolongs it, and does not count when it has closed again.
    pub fn record(&mut self, now: Instant, key: &str, sent: Instant, probe: bool, verdict: Verdict) {
        let inner = self.clock.tick(now);
        let sent = Instant(inner.0.saturating_sub(now.since(sent)));
        let route = match verdict {
            Verdict::Neutral => self.routes.find_mut(inner, key),
            _ => self.routes.entry(inner, key, Route::can_be_spared),
        };
        let Some(route) = route else { return };
        if let Verdict::Success { first_token: Some(millis) } = verdict {
            route.latency.add(millis);
        }
        let effect = route.breaker.record(inner, sent, probe, &verdict, &self.policy);
        if self.shared && route.link.note(inner, effect, &verdict) {
            self.unheard.set(true);
        }
    }

    /// The upstream said "not before": nobody goes there until then, at most a day. Unlike an open breaker this is no failure: nothing is
    /// probed after it.
    pub fn hold(&mut self, now: Instant, key: &str, until: Instant) {
        let inner = self.clock.tick(now);
        if let Some(route) = self.routes.entry(inner, key, Route::can_be_spared) {
            route.held = route.held.max(inner + until.since(now).min(DAY));
        }
    }

    /// The time to the first token, in milliseconds, that this share of the route's last 128 successes kept to; `None` below 20.
    pub fn first_token_percentile(&self, key: &str, percentile: u8) -> Option<u64> {
        self.routes.find(key)?.latency.percentile(percentile)
    }

    /// What is known of a route, for somebody who only wants to know.
    pub fn standing(&self, now: Instant, key: &str) -> Standing {
        let inner = self.clock.at(now);
        let route = self.routes.find(key);
        let of = |percentile| route.and_then(|route| route.latency.of_few(percentile));
        Standing {
            state: self.state(now, key),
            held: route.map(|route| route.held).filter(|held| *held > inner).map(|held| now + held.since(inner)),
            samples: route.map_or(0, |route| route.latency.samples()),
            first_token: [of(50), of(90), of(99)],
        }
    }

    /// The state of a route's breaker. A held route is closed.
    pub fn state(&self, now: Instant, key: &str) -> BreakerState {
        let inner = self.clock.at(now);
        match self.routes.find(key).map(|route| route.breaker.state(inner)) {
            None => BreakerState::Closed,
            Some(BreakerState::Open { until }) => BreakerState::Open { until: now + until.since(inner) },
            Some(state) => state,
        }
    }

    /// What the shared object must hear, as JSON for [`super::SharedBreaker::handle`]; `None`, which it is as long as all is well, costs a
    /// comparison. Ask after each turn of the exchange and not only when calls end: a wish waits for it. A report that gets lost is not
    /// made again.
    pub fn take_report(&mut self, now: Instant) -> Option<String> {
        let inner = self.clock.tick(now);
        if !self.unheard.take() {
            return None;
        }
        let mut report = Sheet::new();
        for (key, route) in self.routes.iter_mut() {
            route.link.tell(inner, key, route.breaker.state(inner), &mut report);
        }
        (!report.is_empty()).then(|| report.finish())
    }

    /// Takes the object's answer to a report. What is no such answer changes nothing.
    pub fn adopt(&mut self, now: Instant, answer: &str) {
        for (key, answer) in Answer::read(answer) {
            let inner = self.clock.tick(now);
            if let Answer::Lease(millis) = answer {
                self.grant(now, &key, now + millis);
            } else if let Some(route) = self.routes.find_mut(inner, &key) {
                route.link.adopt(inner, &answer, &mut route.breaker);
            }
        }
    }

    /// The object gives this isolate the probe of a route: until then, one call may go as such.
    pub fn grant(&mut self, now: Instant, key: &str, until: Instant) {
        let inner = self.clock.tick(now);
        if let Some(route) = self.routes.find_mut(inner, key) {
            route.breaker.expire(inner);
            route.link.grant(inner + until.since(now));
        }
    }
}

impl Default for Health {
    fn default() -> Self {
        Health::new(BreakerPolicy::default())
    }
}

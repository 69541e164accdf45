//! An isolate's side of a shared breaker, for one route: what the object must hear of it, and what the object said.
//!
//! A healthy route has nothing to tell: its successes are told only to take back failures that were told before.

use super::breaker::{Breaker, DAY, Effect};
use super::wire::{Sheet, lines};
use super::{BreakerState, Verdict};
use crate::time::Instant;
use core::cell::Cell;

/// How long a wish waits for the object before the isolate goes by its own counts.
const UNANSWERED: u64 = 10_000;

#[derive(Debug, Default)]
pub(super) struct Link {
    /// Since when a probe is wished for.
    wish: Cell<Option<Instant>>,
    wish_told: bool,
    /// Until when the probe is this isolate's.
    lease: Option<Instant>,
    /// Consecutive failures to tell.
    failures: u32,
    /// The latest time that an upstream named in one of them.
    floor: Instant,
    /// Failures were told, and no success has come since.
    owed: bool,
    last_success: Option<Instant>,
    /// The latest change to tell: `Opened`, `Closed`, or the `Success` that is owed.
    news: Option<Effect>,
}

impl Link {
    /// Whether a call may go as the probe, now that the breaker's time is over; else it is wished for from now on.
    pub(super) fn may_probe(&self, now: Instant, unheard: &Cell<bool>) -> bool {
        if self.lease.is_some_and(|until| now < until) {
            return true;
        }
        if self.wish.get().is_none() {
            self.wish.set(Some(now));
            unheard.set(true);
        }
        self.wish.get().is_some_and(|since| now >= since + UNANSWERED)
    }

    pub(super) fn grant(&mut self, until: Instant) {
        self.unwish();
        self.lease = Some(until);
    }

    /// The probe was taken. A lease is kept: if the call says nothing of the route, the next one is the probe.
    pub(super) fn unwish(&mut self) {
        self.wish.set(None);
        self.wish_told = false;
    }

    fn settle(&mut self) {
        self.unwish();
        self.lease = None;
        self.owed = false;
    }

    /// What a verdict did; whether the object must hear of it.
    pub(super) fn note(&mut self, now: Instant, effect: Effect, verdict: &Verdict) -> bool {
        match effect {
            Effect::Nothing => return false,
            Effect::Success => {
                (self.failures, self.floor, self.last_success) = (0, Instant(0), Some(now));
                if !core::mem::take(&mut self.owed) {
                    return false;
                }
                self.news = Some(effect);
            }
            Effect::Failure => {
                self.failures = self.failures.saturating_add(1);
                if let Verdict::Failure { retry_after: Some(wait) } = verdict {
                    self.floor = self.floor.max(now + (*wait).min(DAY));
                }
            }
            Effect::Opened | Effect::Closed => {
                self.settle();
                self.failures = 0;
                self.news = Some(effect);
            }
        }
        true
    }

    /// Writes what there is to tell, once.
    pub(super) fn tell(&mut self, now: Instant, key: &str, state: BreakerState, report: &mut Sheet) {
        let news = self.news.take();
        let failures = core::mem::take(&mut self.failures);
        let floor = core::mem::take(&mut self.floor);
        let failed = failures > 0;
        let wish = state == BreakerState::HalfOpen && self.wish.get().is_some() && !self.wish_told;
        let open = match state {
            BreakerState::Open { until } => Some(until.since(now)),
            BreakerState::HalfOpen => Some(0),
            BreakerState::Closed => None,
        };
        let success = self.last_success.map(|at| now.since(at));
        report.line(
            key,
            &[
                ("success", success.filter(|_| failed || news == Some(Effect::Success))),
                ("closed", (news == Some(Effect::Closed)).then_some(1)),
                ("failures", failed.then_some(failures.into())),
                ("retry_after", Some(floor.since(now)).filter(|wait| *wait > 0)),
                ("open", open.filter(|_| news == Some(Effect::Opened))),
                ("wish", wish.then_some(1)),
            ],
        );
        self.wish_told |= wish;
        self.owed |= failed;
    }

    /// Takes what the object said. News that it has not heard yet are newer than its answer.
    pub(super) fn adopt(&mut self, now: Instant, answer: &Answer, breaker: &mut Breaker) {
        match answer {
            Answer::Open(millis) if self.news != Some(Effect::Closed) => {
                self.settle();
                breaker.prolong(now, now + *millis);
            }
            Answer::Closed if self.news != Some(Effect::Opened) && !breaker.is_closed() => {
                self.settle();
                breaker.close(now);
            }
            _ => {}
        }
    }
}

/// What the object says of one key. Times in milliseconds from now: no two clocks agree.
pub(super) enum Answer {
    Closed,
    Open(u64),
    Lease(u64),
}

impl Answer {
    pub(super) fn read(text: &str) -> Vec<(String, Answer)> {
        let mut answers = Vec::new();
        for (key, line) in lines(text) {
            if let Some(millis) = line.number("lease") {
                answers.push((key, Answer::Lease(millis.min(DAY))));
            } else if let Some(millis) = line.number("open") {
                answers.push((key, Answer::Open(millis.min(DAY))));
            } else if line.number("closed").is_some() {
                answers.push((key, Answer::Closed));
            }
        }
        answers
    }
}

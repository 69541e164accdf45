//! How many second requests all calls together may make: a budget and not a count per call, since in an outage it is the sum that
//! hurts. Three retries a call are four times the load on an upstream that is failing under load; a budget of a fifth is 1.2 times.

use crate::time::Instant;

/// The unit is a ten-thousandth of a request, so that a millisecond deposits one.
const REQUEST: u64 = 10_000;
/// A call's deposit: a fifth of a request, so that retries stay under 20 % of the calls.
const DEPOSIT: u64 = REQUEST / 5;
/// The most that is saved up, and what there is at the start: ten requests, so that a page's first calls can be retried at all.
const FULL: u64 = 10 * REQUEST;

/// A token bucket. Time deposits too, a request each 10 s: a page with one user makes too few calls to earn its retries back.
#[derive(Clone, Copy, Debug)]
pub(super) struct RetryBudget {
    level: u64,
    at: Instant,
}

impl RetryBudget {
    pub(super) fn new() -> Self {
        RetryBudget { level: FULL, at: Instant(0) }
    }

    /// A call begins.
    pub(super) fn deposit(&mut self, now: Instant) {
        self.add(now, DEPOSIT);
    }

    /// Pays for a retry; false if there is not enough.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        self.add(now, 0);
        let rest = self.level.checked_sub(REQUEST);
        self.level = rest.unwrap_or(self.level);
        rest.is_some()
    }

    fn add(&mut self, now: Instant, amount: u64) {
        self.level = self.level.saturating_add(now.since(self.at)).saturating_add(amount).min(FULL);
        self.at = now;
    }
}

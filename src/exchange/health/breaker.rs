//! The circuit breaker of one route: closed while it works, open for a while when it does not, half-open for one probe after that.
//!
//! | state | told | goes to |
//! |---|---|---|
//! | closed | a failure that makes the count or the ratio full | open |
//! | closed | any other verdict of a call sent since it closed | closed |
//! | open | its time is over | half-open |
//! | half-open | asked | half-open, and nobody else goes until the probe's verdict or 60 s |
//! | half-open | the probe's success | closed, and all is forgotten |
//! | half-open | the probe's failure | open |
//! | half-open | the probe came to nothing | half-open, and the next one may probe |
//!
//! A verdict counts for the state that its call was sent in. Calls that were under way when it opened say nothing new by failing, and
//! their successes are of the time before; when it has closed again, their time-outs would open it at once, for an outage that is over.
//! A time that the upstream itself names (`retry_after`) is news whoever hears it, and prolongs an open breaker.

use super::{Admission, BreakerState, Verdict};
use crate::time::Instant;

/// When a probe's verdict is given up, so that a call that is never heard of again shuts nobody out for ever.
pub(super) const PROBE: u64 = 60_000;
/// When to look again at a route that another call is probing.
pub(super) const LOOK_AGAIN: u64 = 1_000;
/// The longest that an upstream's word is believed.
pub(super) const DAY: u64 = 86_400_000;

/// When a route's breaker opens, and for how long. Times in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerPolicy {
    /// Consecutive failures that open it; half as many as there are calls under way, if that is more. `u32::MAX` switches the rule off.
    ///
    /// ### Default: 5
    /// At a failure rate of one in ten, five in a row happen by chance once in 100,000 calls; a dead upstream costs five calls.
    pub failures: u32,
    /// The share of failures among the calls within the window and those under way that opens it, in percent. Over 100 switches the rule off.
    ///
    /// ### Default: 50
    /// Half of all calls: an upstream that fails now and then is worth a retry, one that fails every second call costs more than it gives.
    pub ratio: u32,
    /// Calls within the window from which on the ratio counts.
    ///
    /// ### Default: 20
    /// Where one call in ten fails, ten of 20 do so by chance once in 140,000 times, but two of four once in 20.
    pub least: u32,
    /// The window of the ratio; it slides by a twentieth of itself.
    ///
    /// ### Default: 60,000
    /// The shortest window in which vendors count their rates: long enough for 20 calls, short enough to forget what is over.
    pub window: u64,
    /// How long it stays open; an upstream's longer Retry-After prolongs it, up to a day.
    ///
    /// ### Default: 30,000
    /// A server restarts in less; and at one probe per half minute nobody feels the probes.
    pub open: u64,
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        BreakerPolicy { failures: 5, ratio: 50, least: 20, window: 60_000, open: 30_000 }
    }
}

/// What a verdict did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Nothing,
    Success,
    Failure,
    /// It opened, or is to stay open for longer.
    Opened,
    Closed,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Breaker {
    open: Option<Open>,
    /// Consecutive failures.
    streak: u32,
    window: Window,
    /// The latest time that an upstream named in a failure of this streak.
    floor: Instant,
    /// When it last opened or closed.
    changed: Instant,
    /// Calls sent and not yet judged, and when the last of them was sent.
    under_way: u32,
    sent: Instant,
}

/// How long a call without a verdict is counted as under way behind the last one that was sent: it may never be heard of again.
const FORGOTTEN: u64 = 60_000;

#[derive(Clone, Debug)]
struct Open {
    until: Instant,
    /// When the latest probe was taken.
    probe: Option<Instant>,
}

impl Breaker {
    pub(super) fn is_closed(&self) -> bool {
        self.open.is_none()
    }

    pub(super) fn state(&self, now: Instant) -> BreakerState {
        match &self.open {
            None => BreakerState::Closed,
            Some(open) if now < open.until => BreakerState::Open { until: open.until },
            Some(_) => BreakerState::HalfOpen,
        }
    }

    pub(super) fn look(&self, now: Instant) -> Admission {
        match &self.open {
            None => Admission::Go,
            Some(open) if now < open.until => Admission::Refused { until: open.until },
            Some(Open { probe: Some(at), .. }) if now < *at + PROBE => Admission::Refused { until: now + LOOK_AGAIN },
            Some(_) => Admission::Probe,
        }
    }

    /// A call is sent.
    pub(super) fn begin(&mut self, now: Instant) {
        if now.since(self.sent) > FORGOTTEN {
            self.under_way = 0;
        }
        self.under_way = self.under_way.saturating_add(1);
        self.sent = now;
    }

    pub(super) fn take_probe(&mut self, now: Instant) {
        if let Some(open) = &mut self.open {
            open.probe = Some(now);
        }
    }

    pub(super) fn record(
        &mut self,
        now: Instant,
        sent: Instant,
        probe: bool,
        verdict: &Verdict,
        policy: &BreakerPolicy,
    ) -> Effect {
        let named = match verdict {
            Verdict::Failure { retry_after: Some(wait) } => now + (*wait).min(DAY),
            _ => Instant(0),
        };
        let fresh = sent >= self.changed;
        self.under_way = self.under_way.saturating_sub(1);
        let Some(open) = &mut self.open else {
            return match verdict {
                Verdict::Neutral => Effect::Nothing,
                _ if !fresh => Effect::Nothing,
                Verdict::Success { .. } => {
                    self.window.add(now, policy, false);
                    (self.streak, self.floor) = (0, Instant(0));
                    Effect::Success
                }
                Verdict::Failure { .. } => {
                    self.window.add(now, policy, true);
                    self.streak = self.streak.saturating_add(1);
                    self.floor = self.floor.max(named);
                    // Failures are known at once, successes at their ends: of many calls sent together, the few that fail are heard of
                    // first. They say something of the route when they are no less than half of those that may still succeed.
                    let weighs = self.streak.saturating_mul(2) >= self.under_way;
                    let is_broken = weighs && self.streak >= policy.failures;
                    if !is_broken && !self.window.is_full(policy, self.under_way) {
                        return if weighs { Effect::Failure } else { Effect::Nothing };
                    }
                    self.reopen(now, (now + policy.open).max(self.floor));
                    Effect::Opened
                }
            };
        };
        // A probe that was given up may still bring good news, but its failure is older than the probe that came after it.
        let latest = probe && open.probe.is_some_and(|at| sent >= at);
        match verdict {
            Verdict::Success { .. } if probe && fresh => {
                self.close(now);
                Effect::Closed
            }
            Verdict::Failure { .. } if latest => {
                let until = (now + policy.open).max(named).max(open.until);
                self.reopen(now, until);
                Effect::Opened
            }
            Verdict::Neutral if latest => {
                open.probe = None;
                Effect::Nothing
            }
            Verdict::Failure { .. } if open.until < named => {
                open.until = named;
                Effect::Opened
            }
            _ => Effect::Nothing,
        }
    }

    /// Open from now on.
    fn reopen(&mut self, now: Instant, until: Instant) {
        self.close(now);
        self.open = Some(Open { until, probe: None });
    }

    /// Open until then at least; a probe under way stays one.
    pub(super) fn prolong(&mut self, now: Instant, until: Instant) {
        match &mut self.open {
            Some(open) => open.until = open.until.max(until),
            None => self.reopen(now, until),
        }
    }

    /// The time of an open breaker is over.
    pub(super) fn expire(&mut self, now: Instant) {
        if let Some(open) = &mut self.open {
            open.until = open.until.min(now);
        }
    }

    pub(super) fn close(&mut self, now: Instant) {
        let Breaker { under_way, sent, .. } = *self;
        *self = Breaker { changed: now, under_way, sent, ..Breaker::default() };
    }
}

const SLOTS: usize = 20;

/// Calls and failures of the last slots of time: bounded however many calls there are.
#[derive(Clone, Debug, Default)]
struct Window {
    newest: u64,
    slots: [(u32, u32); SLOTS],
}

impl Window {
    fn add(&mut self, now: Instant, policy: &BreakerPolicy, failed: bool) {
        let slot = now.0 / (policy.window / SLOTS as u64).max(1);
        for over in 0..slot.saturating_sub(self.newest).min(SLOTS as u64) {
            *self.slot(slot - over) = (0, 0);
        }
        self.newest = self.newest.max(slot);
        let (calls, failures) = self.slot(self.newest);
        *calls = calls.saturating_add(1);
        *failures = failures.saturating_add(u32::from(failed));
    }

    #[allow(clippy::indexing_slicing)] // A remainder of the length.
    fn slot(&mut self, slot: u64) -> &mut (u32, u32) {
        &mut self.slots[(slot % SLOTS as u64) as usize]
    }

    /// Whether the failures open the breaker. Asked at failures only: a success is no reason to open.
    fn is_full(&self, policy: &BreakerPolicy, under_way: u32) -> bool {
        let (mut calls, mut failures) = (0u64, 0u64);
        for slot in &self.slots {
            calls += u64::from(slot.0);
            failures += u64::from(slot.1);
        }
        calls >= u64::from(policy.least) && failures * 100 >= u64::from(policy.ratio) * (calls + u64::from(under_way))
    }
}

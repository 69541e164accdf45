//! stub
use crate::time::Instant;
/// x
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct BreakerPolicy {
    pub failures: u32,
    pub ratio: u32,
    pub least: u32,
    pub window: u64,
    pub open: u64,
}
impl Default for BreakerPolicy {
    fn default() -> Self {
        BreakerPolicy { failures: 5, ratio: 50, least: 20, window: 60_000, open: 30_000 }
    }
}
/// x
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// x
    Go,
    /// x
    Probe,
    /// x
    Refused {
        /// x
        until: Instant,
    },
}
/// x
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// x
    Success {
        /// x
        first_token: Option<u64>,
    },
    /// x
    Failure {
        /// x
        retry_after: Option<u64>,
    },
    /// x
    Neutral,
}
/// x
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// x
    Closed,
    /// x
    Open {
        /// x
        until: Instant,
    },
    /// x
    HalfOpen,
}
/// x
#[derive(Debug, Default)]
pub struct Health {}
#[allow(missing_docs, clippy::missing_const_for_fn)]
impl Health {
    pub fn new(_policy: BreakerPolicy) -> Self {
        Health {}
    }
    pub fn begin(&mut self, _now: Instant) {}
    pub fn take_retry(&mut self, _now: Instant) -> bool {
        true
    }
    pub fn take_hedge(&mut self, _now: Instant, _share_percent: u32) -> bool {
        true
    }
    pub fn look(&self, _now: Instant, _key: &str) -> Admission {
        Admission::Go
    }
    pub fn admit(&mut self, _now: Instant, _key: &str) -> Admission {
        Admission::Go
    }
    pub fn record(&mut self, _now: Instant, _key: &str, _probe: bool, _verdict: Verdict) {}
    pub fn hold(&mut self, _now: Instant, _key: &str, _until: Instant) {}
    pub fn first_token_percentile(&self, _key: &str, _percentile: u8) -> Option<u64> {
        None
    }
    pub fn state(&self, _now: Instant, _key: &str) -> BreakerState {
        BreakerState::Closed
    }
}

//! What each kind of failure calls for, and how long to wait: one table.

use super::policy::Retry;
use crate::error::ErrorKind;

/// What a failure calls for, as long as nothing of the answer was handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// It would fail again, anywhere: the caller's own business, or the end of a budget.
    Never,
    /// The same request again after a wait, then elsewhere.
    Again,
    /// As [`Treatment::Again`] with a short wait: a place may be free at once.
    Crowd,
    /// The same request again once, then elsewhere: such answers come by chance.
    Once,
    /// Not here again: elsewhere at once.
    Leave,
    /// A new credential once, then elsewhere.
    Refresh,
    /// A changed request once; else it is the caller's own business.
    Repair,
}

impl Treatment {
    /// Of each kind.
    pub fn of(kind: ErrorKind) -> Treatment {
        match kind {
            ErrorKind::RateLimited | ErrorKind::Overloaded | ErrorKind::UpstreamError | ErrorKind::Network => {
                Treatment::Again
            }
            ErrorKind::ConcurrencyLimited => Treatment::Crowd,
            ErrorKind::Protocol | ErrorKind::Empty | ErrorKind::Truncated => Treatment::Once,
            // A route that is silent or slow is not asked again: the next wait would be as long.
            ErrorKind::TimeoutConnect
            | ErrorKind::TimeoutFirstToken
            | ErrorKind::TimeoutIdle
            | ErrorKind::TimeoutContentIdle
            | ErrorKind::TimeoutRate
            | ErrorKind::CircuitOpen
            | ErrorKind::QuotaExceeded
            | ErrorKind::Misconfigured
            | ErrorKind::NotSupported
            | ErrorKind::NotFound
            | ErrorKind::ModelNotFound
            | ErrorKind::Forbidden => Treatment::Leave,
            ErrorKind::Authentication | ErrorKind::Unauthorized => Treatment::Refresh,
            ErrorKind::InvalidRequest | ErrorKind::ContextOverflow | ErrorKind::ReasoningReplay => Treatment::Repair,
            _ => Treatment::Never,
        }
    }

    /// Whether the same route may be asked again in this call, as it was.
    pub(super) fn may_return(self) -> bool {
        matches!(self, Treatment::Again | Treatment::Crowd | Treatment::Once)
    }
}

/// How long a route that says it has had enough, and not for how long, is left to itself by calls that have another one, in milliseconds.
pub(super) const RATE_HOLD: u64 = 5_000;

/// Whether a failure speaks against its route. Clients' faults and cancellations do not, nor do those of an account that is the caller's own.
pub fn counts(kind: ErrorKind, shared_account: bool) -> bool {
    match Treatment::of(kind) {
        Treatment::Never | Treatment::Repair => false,
        _ => match kind {
            ErrorKind::Authentication | ErrorKind::Unauthorized | ErrorKind::Forbidden | ErrorKind::QuotaExceeded => {
                shared_account
            }
            // It works, and has had enough for now: it is held ([`Health::hold`](super::Health::hold)), which is no failure.
            ErrorKind::RateLimited | ErrorKind::ConcurrencyLimited => false,
            // Found out without asking; left alone for it, the route would hide what is to be corrected.
            ErrorKind::Misconfigured => false,
            ErrorKind::ModelNotFound | ErrorKind::NotFound | ErrorKind::NotSupported => false,
            _ => true,
        },
    }
}

/// The wait before the `nth` retry (from 0), drawn with `random`.
pub fn backoff(policy: &Retry, treatment: Treatment, nth: u32, random: u64) -> u64 {
    if treatment == Treatment::Crowd {
        return 250 + within(random, 1_750);
    }
    let most = policy.first.saturating_mul(1 << nth.min(20)).min(policy.cap);
    within(random, most)
}

/// A number from 0 to `most`.
pub(super) fn within(random: u64, most: u64) -> u64 {
    random % most.saturating_add(1).max(1)
}

/// A sequence of numbers from a seed (splitmix64): spread, not secret.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Random(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

//! Time as the core sees it: a number that the shell hands in.

use core::ops::{Add, Sub};

/// A point on the shell's monotonic clock, in milliseconds since an origin of the shell's choice.
///
/// Never a wall-clock time: the core only compares and adds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub u64);

impl Instant {
    /// Milliseconds from `earlier` to `self`; 0 when `earlier` is later (a clock that steps back must not panic).
    pub fn since(self, earlier: Instant) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<u64> for Instant {
    type Output = Instant;
    /// Saturates at the end of time, so that a budget of `u64::MAX` means "never".
    fn add(self, millis: u64) -> Instant {
        Instant(self.0.saturating_add(millis))
    }
}

impl Sub<Instant> for Instant {
    type Output = u64;
    fn sub(self, earlier: Instant) -> u64 {
        self.since(earlier)
    }
}

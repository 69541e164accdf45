//! A clock that only goes forward, made from one that may step back.

use crate::time::Instant;

/// Where the shell's clock steps back, this one stands still for a moment and goes on from there: what waits for a time neither waits for
/// the length of the step nor is taken for younger than it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Monotonic {
    /// The latest time given.
    pub(super) last: Instant,
    /// How far this clock is ahead of the shell's.
    pub(super) ahead: u64,
}

impl Monotonic {
    /// The shell's `now` on this clock.
    pub(super) fn at(&self, now: Instant) -> Instant {
        (now + self.ahead).max(self.last)
    }

    /// As [`Monotonic::at`], and no later time is before it.
    pub(super) fn tick(&mut self, now: Instant) -> Instant {
        self.last = self.at(now);
        self.ahead = self.last.since(now);
        self.last
    }
}

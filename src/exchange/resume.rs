//! A connection that breaks in the middle of a stream which the upstream keeps: how often, and when, the stream is asked for again.
//!
//! That is the same attempt, and nothing of the model's work is repeated: it comes before any retry, and knows nothing of them.

use super::retry::within;

/// How often a stream is asked for without a token more than before: with the waits between, for 14 to 28 seconds. A Worker keeps a stream
/// for 30 without a reader, and the idle budget ends the wait as well.
const MOST: u32 = 6;

/// The longest wait before the second time, in milliseconds; it doubles with each. The first time there is none: the reader is in the middle
/// of a word.
const FIRST: u64 = 900;

/// What an attempt knows of its broken connections.
#[derive(Debug, Default)]
pub(super) struct Link {
    tries: u32,
    /// What the attempt had read when its connection broke last.
    tokens: u64,
    wait: u64,
}

impl Link {
    /// The connection broke behind so many tokens: how long to wait before the stream is asked for, or `None` if that was done often enough.
    pub(super) fn broke(&mut self, tokens: u64) -> Option<u64> {
        if tokens > self.tokens {
            *self = Link { tokens, ..Link::default() };
        }
        (self.tries < MOST).then_some(self.wait)
    }

    /// The stream is asked for. The wait before the next time is drawn from the upper half of what it may be.
    pub(super) fn tried(&mut self, random: u64) {
        let half = (FIRST / 2) << self.tries;
        self.wait = half + within(random, half);
        self.tries += 1;
    }
}

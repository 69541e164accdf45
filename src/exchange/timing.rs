//! When things happened in one call.

use crate::time::Instant;

/// Milliseconds from sending to each thing; `None` for what did not happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    pub(super) sent: Option<Instant>,
    /// The response head.
    pub head: Option<u64>,
    /// The first token: text, reasoning or tool call.
    pub first_token: Option<u64>,
    /// The first token of the answer itself, after the reasoning.
    pub first_text: Option<u64>,
    /// The end.
    pub total: Option<u64>,
}

impl Timing {
    pub(super) fn elapsed(&self, now: Instant) -> u64 {
        self.sent.map_or(0, |sent| now.since(sent))
    }
}

//! What a call does about failures: data, with the reasons for the defaults.

/// When a failed request is sent again. Times in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// The longest wait before the first retry; it doubles with each. The wait itself is drawn between 0 and it (full jitter), so that
    /// callers who failed together do not come back together.
    ///
    /// ### Default: 1,000
    pub first: u64,
    /// The longest wait that is drawn. What an upstream asks for may be longer.
    ///
    /// ### Default: 60,000
    pub cap: u64,
    /// How often one route is asked in one call at most, the first time included; while another route is left, twice at most.
    ///
    /// ### Default: 3
    /// What most SDKs do. 1 switches retries off and leaves the ladder of routes.
    pub tries: u32,
    /// How many requests one call makes at most, over all routes, hedges and continuations.
    ///
    /// ### Default: 8
    pub attempts: u32,
}

impl Default for Retry {
    fn default() -> Self {
        Retry { first: 1_000, cap: 60_000, tries: 3, attempts: 8 }
    }
}

/// What happens to an answer that breaks off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Continuation {
    /// How often one answer is gone on with; 0 never.
    ///
    /// ### Default: 3
    pub most: u32,
    /// How often an answer that ended with `length` is gone on with.
    ///
    /// ### Default: 0
    /// Whoever sets `max_tokens` means it; ask for more explicitly.
    pub length: u32,
    /// Whether the reader may be told to forget what it has got, where nothing else helps. Only for readers of deltas.
    ///
    /// ### Default: false
    pub replace: bool,
}

impl Default for Continuation {
    fn default() -> Self {
        Continuation { most: 3, length: 0, replace: false }
    }
}

/// When a second request is made while the first is still silent. Streams only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hedge {
    /// How long the first token is waited for, in milliseconds; until [`Hedge::percentile`] is known, if that is set.
    pub after: u64,
    /// After this percentile of the route's recent times to the first token instead (20 samples at least).
    pub percentile: Option<u8>,
    /// At most this share of calls is hedged, in percent: what it may cost more.
    pub share: u32,
}

impl Default for Hedge {
    /// After 5,000 ms, half of the default patience, behind which a silent route is left anyway; for 5 % of the calls, which is what a
    /// second request at the 95th percentile costs.
    fn default() -> Self {
        Hedge { after: 5_000, percentile: None, share: 5 }
    }
}

/// What a caller's cancellation does to the upstream's work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnCancel {
    /// The request is aborted at once: what is not generated is not billed.
    #[default]
    Abort,
    /// The rest is read, and handed to nobody, for this many milliseconds at most: the usage comes at the end.
    Drain(u64),
}

/// All of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// When a failed request is sent again.
    pub retry: Retry,
    /// What happens to an answer that breaks off.
    pub continuation: Continuation,
    /// A second request while the first is silent. ### Default: none
    pub hedge: Option<Hedge>,
    /// What a caller's cancellation does.
    pub on_cancel: OnCancel,
    /// The most tokens that the call may have generated, over all its attempts; a stream that reaches it ends there as `over_budget`. One
    /// token is counted for each event with content, until the upstream says how many there were. ### Default: none
    pub tokens: Option<u64>,
}

//! What can be limited.

use super::window::Window;

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Requests that were let in.
    Requests,
    /// Tokens of prompts and answers.
    Tokens,
    /// Money, in millionths of the configured currency.
    Spend,
    /// Streams that run at the same time.
    Streams,
}

impl Measure {
    /// `requests`, `tokens`, `spend` or `streams`.
    pub fn as_str(self) -> &'static str {
        match self {
            Measure::Requests => "requests",
            Measure::Tokens => "tokens",
            Measure::Spend => "spend",
            Measure::Streams => "streams",
        }
    }
}

/// One of the limits that a meter can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// `requests_per_minute`
    RequestsPerMinute,
    /// `requests_per_day`
    RequestsPerDay,
    /// `tokens_per_minute`
    TokensPerMinute,
    /// `tokens_per_day`
    TokensPerDay,
    /// `spend_per_day`
    SpendPerDay,
    /// `spend_per_month`
    SpendPerMonth,
    /// `concurrent_streams`
    ConcurrentStreams,
}

impl Unit {
    /// All of them, in the order of their numbers.
    pub const ALL: [Unit; 7] = [
        Unit::RequestsPerMinute,
        Unit::RequestsPerDay,
        Unit::TokensPerMinute,
        Unit::TokensPerDay,
        Unit::SpendPerDay,
        Unit::SpendPerMonth,
        Unit::ConcurrentStreams,
    ];

    /// The field's name in the JSON of limits.
    pub fn name(self) -> &'static str {
        match self {
            Unit::RequestsPerMinute => "requests_per_minute",
            Unit::RequestsPerDay => "requests_per_day",
            Unit::TokensPerMinute => "tokens_per_minute",
            Unit::TokensPerDay => "tokens_per_day",
            Unit::SpendPerDay => "spend_per_day",
            Unit::SpendPerMonth => "spend_per_month",
            Unit::ConcurrentStreams => "concurrent_streams",
        }
    }

    /// What it counts.
    pub fn measure(self) -> Measure {
        match self {
            Unit::RequestsPerMinute | Unit::RequestsPerDay => Measure::Requests,
            Unit::TokensPerMinute | Unit::TokensPerDay => Measure::Tokens,
            Unit::SpendPerDay | Unit::SpendPerMonth => Measure::Spend,
            Unit::ConcurrentStreams => Measure::Streams,
        }
    }

    /// Over what.
    pub fn window(self) -> Window {
        match self {
            Unit::RequestsPerMinute | Unit::TokensPerMinute => Window::Minute,
            Unit::RequestsPerDay | Unit::TokensPerDay | Unit::SpendPerDay => Window::Day,
            Unit::SpendPerMonth => Window::Month,
            Unit::ConcurrentStreams => Window::Now,
        }
    }

    /// The largest limit that can be set; counts stay far from where numbers end.
    pub fn most(self) -> u64 {
        match self.measure() {
            Measure::Requests | Measure::Streams => 1_000_000_000,
            Measure::Tokens | Measure::Spend => 1_000_000_000_000_000,
        }
    }

    pub(super) fn of(number: u64) -> Option<Unit> {
        Unit::ALL.get(usize::try_from(number).ok()?).copied()
    }
}

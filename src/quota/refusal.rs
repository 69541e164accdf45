//! Why a request is not let in, and when to come back.

use super::decimal::decimal;
use super::unit::{Measure, Unit};
use super::window::Window;
use crate::error::{Error, ErrorKind};

/// What kind of refusal it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cause {
    /// Nothing, or not enough, is left of the limit.
    #[default]
    Exhausted,
    /// The request alone is more than the whole limit.
    TooLarge,
    /// More limits are being counted than there is room for.
    Full,
}

/// Which limit refuses a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub cause: Cause,
    /// The meter: see [`super::Meter::scope`].
    pub scope: String,
    /// The limit.
    pub unit: Unit,
    /// How much it is; spend in micro-units, as all amounts here.
    pub limit: u64,
    /// How much of it is used or set aside.
    pub used: u64,
    /// How much the request would have taken, at least.
    pub requested: u64,
    /// In how many milliseconds to come back: when the window ends, for streams in a second.
    pub resets_in: u64,
}

impl Default for Refusal {
    fn default() -> Self {
        let (scope, unit) = (String::new(), Unit::RequestsPerMinute);
        Refusal { cause: Cause::Exhausted, scope, unit, limit: 0, used: 0, requested: 0, resets_in: 1_000 }
    }
}

impl Refusal {
    /// Of several, the one that holds for longest is told: of a request that is too large, that it is.
    pub(super) fn is_milder_than(&self, other: &Refusal) -> bool {
        let weight = |refusal: &Refusal| (refusal.cause == Cause::TooLarge, refusal.resets_in);
        weight(self) < weight(other)
    }

    /// What the caller gets. The message names the limit, never the key.
    pub fn error(&self) -> Error {
        if self.cause == Cause::Full {
            let message = "More limits are being counted for this key than there is room for.";
            return Error::new(ErrorKind::LimitsUnavailable, message).with_retry_after_ms(self.resets_in);
        }
        let is_money = self.unit.measure() == Measure::Spend;
        let shown = |amount: u64| if is_money { decimal(amount) } else { amount.to_string() };
        let mut message = String::from(match (self.cause, self.unit.measure()) {
            (Cause::TooLarge, _) => "The request alone is larger than the limit on ",
            (_, Measure::Spend) => "The budget is used up: limit on ",
            (_, Measure::Streams) => "Too many at the same time: limit on ",
            _ => "Rate limit reached: limit on ",
        });
        message.push_str(match self.unit {
            Unit::RequestsPerMinute => "requests per minute",
            Unit::RequestsPerDay => "requests per day",
            Unit::TokensPerMinute => "tokens per minute",
            Unit::TokensPerDay => "tokens per day",
            Unit::SpendPerDay => "spend per day",
            Unit::SpendPerMonth => "spend per month",
            Unit::ConcurrentStreams => "concurrent streams",
        });
        message.push_str(match self.scope.split_once(':') {
            Some(("model", _)) => " of this model",
            Some(("route", _)) => " of this endpoint",
            Some(("address", _)) => " of this address",
            _ => "",
        });
        for (name, amount) in [(" ", self.limit), (", used ", self.used), (", requested ", self.requested)] {
            message.push_str(name);
            message.push_str(&shown(amount));
        }
        message.push('.');
        let kind = match (self.cause, self.unit.measure()) {
            (Cause::TooLarge, _) => ErrorKind::RequestExceedsLimit,
            (_, Measure::Spend) => ErrorKind::InsufficientQuota,
            (_, Measure::Streams) => ErrorKind::ConcurrencyLimitExceeded,
            _ => ErrorKind::RateLimitExceeded,
        };
        if self.cause == Cause::TooLarge {
            return Error::new(kind, message);
        }
        message.push_str(if self.unit.window() == Window::Now { " Try again in " } else { " It resets in " });
        message.push_str(&super::headers::duration(self.resets_in));
        message.push('.');
        Error::new(kind, message).with_retry_after_ms(self.resets_in)
    }
}

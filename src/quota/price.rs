//! What tokens cost.

use super::decimal::{UNIT, micros};
use super::limits::{fault, members};
use crate::error::Error;

/// The most that a million tokens may cost, in micro-units: a million of the currency.
const MOST: u64 = 1_000_000_000_000;
/// The most tokens that a call is taken to have used: what an upstream claims beyond it is no count.
pub const MOST_TOKENS: u64 = 1_000_000_000;

/// A model's price, in micro-units per million tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Price {
    /// Tokens of the prompt.
    pub input: u64,
    /// Those of them that came from the vendor's cache.
    pub cached_input: u64,
    /// Tokens of the answer, reasoning included.
    pub output: u64,
}

impl Price {
    /// Reads `{"input": 1, "cached_input": 0.02, "output": 4}`, in units of the currency per million tokens. Cached tokens cost as much as
    /// others unless it says so. Errors are `invalid_request` with the path of the field, under `path`.
    pub fn from_json(text: &str, path: &str) -> Result<Price, Error> {
        let mut price = Price::default();
        let mut cached = None;
        members(text, path, |name, raw, at| {
            let amount = || {
                micros(raw, MOST).ok_or_else(|| {
                    fault(&at, "Expected an amount of money for a million tokens, from 0 to 1000000, with at most 6 decimal places.")
                })
            };
            match name {
                "input" => price.input = amount()?,
                "cached_input" => cached = Some(amount()?),
                "output" => price.output = amount()?,
                _ => {
                    return Err(fault(&at, "Unknown field of a price; the fields are input, cached_input and output."));
                }
            }
            Ok(())
        })?;
        price.cached_input = cached.unwrap_or(price.input);
        Ok(price)
    }

    /// A price that is not lower than either.
    pub fn dearest(&self, other: &Price) -> Price {
        Price {
            input: self.input.max(other.input),
            cached_input: self.cached_input.max(other.cached_input),
            output: self.output.max(other.output),
        }
    }

    /// What a call costs, in micro-units, rounded up once. Counts over [`MOST_TOKENS`] are cut to it, and no more of the prompt was cached
    /// than there was: usage is what an upstream says.
    pub fn cost(&self, prompt: u64, cached: u64, completion: u64) -> u64 {
        let prompt = prompt.min(MOST_TOKENS);
        let cached = cached.min(prompt);
        let part = |tokens: u64, price: u64| u128::from(tokens) * u128::from(price.min(MOST));
        let sum = part(prompt - cached, self.input)
            + part(cached, self.cached_input)
            + part(completion.min(MOST_TOKENS), self.output);
        u64::try_from(sum.div_ceil(u128::from(UNIT))).unwrap_or(u64::MAX)
    }

    /// The longest answer that `budget` micro-units pay for, behind a prompt of which nothing is cached.
    pub fn covers(&self, budget: u64, prompt: u64) -> u64 {
        let left = u128::from(budget) * u128::from(UNIT);
        let left = left.saturating_sub(u128::from(prompt.min(MOST_TOKENS)) * u128::from(self.input.min(MOST)));
        match self.output.min(MOST) {
            0 => u64::MAX,
            output => u64::try_from(left / u128::from(output)).unwrap_or(u64::MAX),
        }
    }
}

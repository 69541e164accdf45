//! The headers that tell a client how much is left, in the forms that OpenAI's clients read.

/// What is left of one limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// The limit.
    pub limit: u64,
    /// What is left of it: exact where one isolate serves the key, else as of the last message between the ledger and this one.
    pub remaining: u64,
    /// In how many milliseconds all of it is there again.
    pub resets_in: u64,
}

/// What is left of a key's limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Of requests.
    pub requests: Option<Allowance>,
    /// Of tokens.
    pub tokens: Option<Allowance>,
}

impl Standing {
    /// `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`, of what is limited. To stand in place of an upstream's own, which speak of an
    /// account that is none of the caller's. An error's `retry-after` comes from [`crate::exchange::error_headers`].
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = Vec::new();
        let names = [
            ["x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"],
            ["x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"],
        ];
        for (allowance, [limit, remaining, reset]) in [self.requests, self.tokens].into_iter().zip(names) {
            if let Some(allowance) = allowance {
                headers.push((limit, allowance.limit.to_string()));
                headers.push((remaining, allowance.remaining.to_string()));
                headers.push((reset, duration(allowance.resets_in)));
            }
        }
        headers
    }
}

/// As OpenAI writes durations: `120ms`, `1s`, `1.5s`, `6m0s`, `3h0m0s`.
pub fn duration(millis: u64) -> String {
    let (seconds, rest) = (millis / 1_000, millis % 1_000);
    let mut text = String::new();
    if seconds == 0 && rest > 0 {
        text.push_str(&rest.to_string());
        text.push_str("ms");
        return text;
    }
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    if hours > 0 {
        text.push_str(&hours.to_string());
        text.push('h');
    }
    if seconds >= 60 {
        text.push_str(&minutes.to_string());
        text.push('m');
    }
    text.push_str(&(seconds % 60).to_string());
    if rest > 0 {
        text.push('.');
        text.push_str((rest + 1_000).to_string().get(1..).unwrap_or_default().trim_end_matches('0'));
    }
    text.push('s');
    text
}

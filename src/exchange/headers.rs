//! The headers that tell a client what to do about an error: what the OpenAI SDKs read.

use crate::error::{Error, ErrorKind};

/// The longest wait that the OpenAI and AI SDKs honour, in milliseconds; past it they retry on their own schedule.
const LONGEST_WAIT: u64 = 60_000;

/// `x-should-retry`, and `retry-after-ms` with `retry-after` where a wait is known.
///
/// A wait over a minute, an exhausted quota and every error that stays one are `x-should-retry: false`: a stock SDK would
/// otherwise cut the wait short and hit the same wall again.
pub fn error_headers(error: &Error) -> Vec<(&'static str, String)> {
    let wait = error.retry_after_ms();
    let is_short = wait.is_none_or(|millis| millis <= LONGEST_WAIT);
    let retry = error.is_retryable() && is_short && error.kind() != ErrorKind::QuotaExceeded;
    let mut headers = vec![("x-should-retry", retry.to_string())];
    if let Some(millis) = wait {
        headers.push(("retry-after-ms", millis.min(LONGEST_WAIT).to_string()));
        headers.push(("retry-after", millis.div_ceil(1000).to_string()));
    }
    headers
}

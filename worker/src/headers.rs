//! Which headers go up, which come down: built from lists, never copied.

use core::fmt::Write as _;
use sluicegate::exchange::{Head, Timing};

/// Headers as one text, `name LF value LF`: one crossing into JavaScript for all of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Headers(String);

impl Headers {
    /// Appends a header; one whose value could break out of its line is left out.
    pub(crate) fn add(&mut self, name: &str, value: &str) {
        if !value.bytes().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
            self.0.push_str(name);
            self.0.push('\n');
            self.0.push_str(value);
            self.0.push('\n');
        }
    }

    /// Appends all of another list.
    pub(crate) fn append(&mut self, others: &Headers) {
        self.0.push_str(&others.0);
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The longest value that is taken over from an upstream, in bytes.
const VALUE: usize = 256;

/// The ids that vendors give to a call, the most telling first.
const TRACE_IDS: [&str; 3] = ["x-siliconcloud-trace-id", "x-deepseek-request-id", "x-request-id"];

/// What the head of an upstream's answer said, as far as anyone needs it.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    status: u16,
    content_type: Option<String>,
    retry_after: Option<String>,
    retry_after_ms: Option<String>,
    trace_id: Option<String>,
    length: Option<u64>,
    /// What the caller gets to see.
    pub(crate) shown: Headers,
}

impl Answer {
    /// Reads the headers, in the form of [`Headers`], names in lower case.
    pub(crate) fn read(status: u16, text: &str) -> Self {
        let mut answer = Answer { status, ..Answer::default() };
        let mut rank = TRACE_IDS.len();
        let (mut length, mut is_encoded) = (None, false);
        let mut lines = text.split('\n');
        while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
            if value.len() > VALUE || !value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
                continue;
            }
            match name {
                "content-type" => answer.content_type = Some(value.to_owned()),
                "retry-after" => answer.retry_after = Some(value.to_owned()),
                "retry-after-ms" => answer.retry_after_ms = Some(value.to_owned()),
                "content-length" => length = value.parse().ok(),
                "content-encoding" => is_encoded = value != "identity",
                "openai-processing-ms" => answer.shown.add(name, value),
                _ if name.starts_with("x-ratelimit-") => answer.shown.add(name, value),
                _ => {
                    if let Some(at) = TRACE_IDS.iter().take(rank).position(|known| *known == name) {
                        rank = at;
                        answer.trace_id = Some(value.to_owned());
                    }
                }
            }
        }
        answer.length = length.filter(|_| !is_encoded);
        answer
    }

    /// As the exchange wants it.
    pub(crate) fn head(&self, now_unix_ms: u64) -> Head<'_> {
        Head {
            status: self.status,
            content_type: self.content_type.as_deref(),
            retry_after: self.retry_after.as_deref(),
            retry_after_ms: self.retry_after_ms.as_deref(),
            trace_id: self.trace_id.as_deref(),
            now_unix_ms: Some(now_unix_ms),
            content_length: self.length,
        }
    }

    pub(crate) fn trace_id(&self) -> Option<&str> {
        self.trace_id.as_deref()
    }
}

/// What the gate calls itself. Behind another gate it says the how manieth it is, so that a ring of them ends.
const AGENT: &str = concat!("sluicegate/", env!("CARGO_PKG_VERSION"));

/// How many gates may stand behind each other.
pub(crate) const HOPS: u8 = 3;

/// Through how many gates a request has come, by the `User-Agent` of the last of them.
pub(crate) fn hops(agent: Option<&str>) -> u8 {
    let Some(agent) = agent.filter(|agent| agent.starts_with("sluicegate/")) else { return 0 };
    let number = agent.rsplit_once("(hop ").and_then(|(_, number)| number.strip_suffix(')'));
    number.map_or(1, |number| number.parse().unwrap_or(HOPS))
}

/// The headers of a request to an upstream: these and no others.
pub(crate) fn upward(key: Option<&str>, accept: &str, id: &str, hops: u8, extra: &[(String, String)]) -> Headers {
    let mut headers = Headers::default();
    headers.add("accept", accept);
    if hops == 0 {
        headers.add("user-agent", AGENT);
    } else {
        headers.add("user-agent", &[AGENT, " (hop ", &(hops + 1).to_string(), ")"].concat());
    }
    headers.add("x-request-id", id);
    if let Some(key) = key {
        headers.add("authorization", &format!("Bearer {key}"));
    }
    for (name, value) in extra {
        headers.add(name, value);
    }
    headers
}

/// What pages on other origins may read of an answer.
const EXPOSED: &str = "x-request-id, x-sluicegate-upstream, x-sluicegate-attempts, x-sluicegate-notice, x-sluicegate-stream, x-sluicegate-redacted, \
    x-upstream-trace-id, server-timing, retry-after, retry-after-ms, x-should-retry, openai-processing-ms, x-ratelimit-limit-requests, \
    x-ratelimit-limit-tokens, x-ratelimit-remaining-requests, x-ratelimit-remaining-tokens, x-ratelimit-reset-requests, \
    x-ratelimit-reset-tokens";

/// The headers of every answer of the API.
pub(crate) fn downward(id: &str, allowed_origin: Option<&str>) -> Headers {
    let mut headers = Headers::default();
    headers.add("x-request-id", id);
    headers.add("vary", "Origin");
    headers.add("cache-control", "no-store");
    headers.add("x-content-type-options", "nosniff");
    if let Some(origin) = allowed_origin {
        headers.add("access-control-allow-origin", origin);
        headers.add("access-control-expose-headers", EXPOSED);
    }
    headers
}

/// How long it took to hide what is private, to the first response head of an upstream, and the whole to its end; how many requests were
/// made.
pub(crate) fn server_timing(
    headers: &mut Headers,
    redact: Option<u64>,
    timing: Timing,
    total: Option<u64>,
    attempts: u32,
) {
    let mut value = String::new();
    if let Some(redact) = redact {
        let _ = write!(value, "redact;dur={redact}, ");
    }
    if let Some(head) = timing.head {
        let _ = write!(value, "upstream;dur={head}, ");
    }
    if let Some(total) = total {
        let _ = write!(value, "total;dur={total}, ");
    }
    let _ = write!(value, "attempts;desc={attempts}");
    headers.add("server-timing", &value);
}

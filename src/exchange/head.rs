//! A response's head, kept until its body is there: what a failure means takes both.

use crate::error::{Error, Vendor};
use crate::reply::{FailureHead, classify_failure, retry_after_ms};

/// A head that is kept until its body is there.
#[derive(Debug, Default)]
pub(super) struct KeptHead {
    pub(super) status: u16,
    content_type: Option<String>,
    pub(super) content_length: Option<u64>,
    retry_after: Option<String>,
    retry_after_ms: Option<String>,
    pub(super) trace_id: Option<String>,
    now_unix_ms: Option<u64>,
}

impl KeptHead {
    pub(super) fn new(head: &FailureHead<'_>) -> Self {
        // A header is at most some KB on every platform; the bound is against what a shell might hand in.
        let keep = |value: Option<&str>| value.map(|value| value.chars().take(256).collect());
        KeptHead {
            status: head.status,
            content_type: keep(head.content_type),
            retry_after: keep(head.retry_after),
            retry_after_ms: keep(head.retry_after_ms),
            trace_id: keep(head.trace_id),
            now_unix_ms: head.now_unix_ms,
            content_length: head.content_length,
        }
    }

    /// The media type, in lower case.
    pub(super) fn media(&self) -> String {
        media(self.content_type.as_deref())
    }

    pub(super) fn classify(&self, body: &[u8]) -> Error {
        classify_failure(&self.as_head(), body)
    }

    /// Adds to an error that came in the body of a 200 what only the head knows: the trace id, and how long to wait.
    pub(super) fn complete(&self, error: Error) -> Error {
        let wait = retry_after_ms(&self.as_head()).filter(|_| error.is_retryable() && error.retry_after_ms().is_none());
        let error = match wait {
            Some(millis) => error.with_retry_after_ms(millis),
            None => error,
        };
        match &self.trace_id {
            Some(trace_id) if error.vendor().is_none_or(|vendor| vendor.trace_id.is_none()) => {
                let vendor = error.vendor().cloned().unwrap_or_default();
                error.with_vendor(Vendor { trace_id: Some(trace_id.clone()), ..vendor })
            }
            _ => error,
        }
    }

    fn as_head(&self) -> FailureHead<'_> {
        FailureHead {
            status: self.status,
            content_type: self.content_type.as_deref(),
            retry_after: self.retry_after.as_deref(),
            retry_after_ms: self.retry_after_ms.as_deref(),
            trace_id: self.trace_id.as_deref(),
            now_unix_ms: self.now_unix_ms,
            content_length: self.content_length,
        }
    }
}

/// The media type of a `content-type`, in lower case, without its parameters.
pub(super) fn media(content_type: Option<&str>) -> String {
    content_type.unwrap_or("").split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}

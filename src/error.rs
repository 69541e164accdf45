//! One error type for everything that can go wrong in a call: a stable code, who is at fault, and what to do next.
//!
//! The code is the same string in Rust, TypeScript, the Worker's JSON, metrics and the test vectors. Messages never
//! hold a key, a prompt or an answer; a vendor's own words are kept apart, in [`Vendor`], scrubbed and bounded.

use core::fmt;
use std::borrow::Cow;

/// Who has to act for the call to succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Party {
    /// Whoever wrote the request: a field is wrong, too long or missing.
    Caller,
    /// Whoever runs the gate: configuration, secrets, the account with the vendor.
    Operator,
    /// The model's provider.
    Upstream,
    /// The network between us and the upstream.
    Network,
    /// This project: a bug.
    Gate,
}

impl Party {
    /// `caller`, `operator`, `upstream`, `network` or `gate`.
    pub fn as_str(self) -> &'static str {
        match self {
            Party::Caller => "caller",
            Party::Operator => "operator",
            Party::Upstream => "upstream",
            Party::Network => "network",
            Party::Gate => "gate",
        }
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $party:ident, $retryable:literal, $status:literal, $next:literal;)*) => {
        /// What went wrong, as a closed vocabulary of this version; more may come.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind { $($(#[$doc])* $name,)* }

        impl ErrorKind {
            /// Every kind, for tables and tests.
            pub const ALL: &'static [ErrorKind] = &[$(ErrorKind::$name,)*];

            /// The stable snake_case code.
            pub fn code(self) -> &'static str { match self { $(ErrorKind::$name => $code,)* } }

            /// Who is at fault.
            pub fn party(self) -> Party { match self { $(ErrorKind::$name => Party::$party,)* } }

            /// Whether the same request may succeed later or elsewhere, unchanged.
            pub fn is_retryable(self) -> bool { match self { $(ErrorKind::$name => $retryable,)* } }

            /// The HTTP status with which the edge answers, where the upstream's own does not serve.
            pub fn status(self) -> u16 { match self { $(ErrorKind::$name => $status,)* } }

            /// What to do next, one sentence.
            pub fn next_step(self) -> &'static str { match self { $(ErrorKind::$name => $next,)* } }
        }
    };
}

kinds! {
    /// A field of the request is missing, of the wrong type or out of range; `param` names it.
    InvalidRequest = "invalid_request", Caller, false, 400, "Correct the named field and send again.";
    /// The request body, or a part of it, is larger than this gate takes.
    PayloadTooLarge = "payload_too_large", Caller, false, 413, "Send less, or raise the limit in the gate's configuration.";
    /// The request's headers are larger than this gate takes.
    HeadersTooLarge = "headers_too_large", Caller, false, 431, "Send fewer or shorter headers.";
    /// A body of a media type or encoding that the route does not take.
    UnsupportedMediaType = "unsupported_media_type", Caller, false, 415, "Send the content type that the message names, without Content-Encoding.";
    /// No such route.
    NotFound = "not_found", Caller, false, 404, "Check the path and any id in it; the README lists the routes.";
    /// The route exists, not for this method.
    MethodNotAllowed = "method_not_allowed", Caller, false, 405, "Use a method that the Allow header lists.";
    /// No configured upstream has the model, or the upstream does not know it.
    ModelNotFound = "model_not_found", Caller, false, 404, "Ask GET /v1/models for the models that there are.";
    /// The prompt and the asked-for answer do not fit the model's context.
    ContextOverflow = "context_overflow", Caller, false, 400, "Shorten the messages or lower max_tokens.";
    /// The model wants earlier `reasoning_content` back, or refuses it; the replay policy did not fit.
    ReasoningReplay = "reasoning_replay", Caller, false, 400, "Set the upstream's reasoning_replay policy for this model.";
    /// Something in the request is private, and the gate's policy refuses it; `param` names the place.
    PrivateData = "private_data", Caller, false, 400, "Take out what the message names, or change the redaction policy.";
    /// Something in the request may be read by a model on the device only, and none is ready.
    LocalOnly = "local_only", Caller, false, 403, "Prepare a local model, or take out what the message names.";
    /// A live stream that cannot be resumed: unknown, over for too long, aborted, or someone else's.
    StreamGone = "stream_gone", Caller, false, 410, "Send the request again.";
    /// More requests on one WebSocket than may wait there; this one was dropped.
    SocketBusy = "socket_busy", Caller, true, 429, "Wait for an answer to end, or open another socket.";
    /// The caller's credential is missing or wrong.
    Unauthorized = "unauthorized", Caller, false, 401, "Send a valid Authorization: Bearer header.";
    /// The caller is known, but may not do this.
    Forbidden = "forbidden", Caller, false, 403, "Ask the gate's operator for access.";
    /// Too many requests or tokens in a window, by this gate's limits.
    RateLimitExceeded = "rate_limit_exceeded", Caller, true, 429, "Wait for the time in retry-after, then send again.";
    /// Too many streams at the same moment, by this gate's limits.
    ConcurrencyLimitExceeded = "concurrency_limit_exceeded", Caller, true, 429, "Wait until a stream of yours has ended.";
    /// The caller's budget at this gate is used up.
    InsufficientQuota = "insufficient_quota", Caller, false, 429, "Wait until the budget resets, or ask the gate's operator for more.";
    /// One request is larger than a whole limit of this gate.
    RequestExceedsLimit = "request_exceeds_limit", Caller, false, 413, "Shorten the messages, lower max_tokens, or ask the gate's operator for more.";
    /// The upstream refused the credential that the gate (or the page) sent.
    Authentication = "authentication", Operator, false, 401, "Check the upstream's API key.";
    /// The account with the vendor has no balance or may not use the model.
    QuotaExceeded = "quota_exceeded", Operator, false, 429, "Top up the account with the vendor, or use another upstream.";
    /// The gate's configuration is wrong or a secret is missing; the message names the path in it.
    Misconfigured = "misconfigured", Operator, false, 503, "Correct the named path of the configuration.";
    /// The upstream has not got this function.
    NotSupported = "not_supported", Operator, false, 501, "Route this request to an upstream that supports it.";
    /// Too many requests or tokens in a window.
    RateLimited = "rate_limited", Upstream, true, 429, "Wait for the time in retry-after-ms, then send again.";
    /// Too many requests at the same moment.
    ConcurrencyLimited = "concurrency_limited", Upstream, true, 429, "Send fewer requests at a time.";
    /// The upstream is too busy.
    Overloaded = "overloaded", Upstream, true, 503, "Try again shortly, or use another upstream.";
    /// Every upstream for the model failed lately and is left alone for a while.
    CircuitOpen = "circuit_open", Upstream, true, 503, "Wait for the time in retry-after-ms, then send again.";
    /// The upstream failed in a way that is no one's request: 500, 502, an unknown in-stream error.
    UpstreamError = "upstream_error", Upstream, true, 502, "Try again; if it lasts, give the trace id to the vendor.";
    /// The upstream answered with something that is not the protocol: HTML, malformed JSON, a redirect.
    Protocol = "protocol", Upstream, true, 502, "Check the upstream's base URL and dialect.";
    /// One event of the stream is over the size limit.
    EventTooLarge = "event_too_large", Upstream, false, 502, "Raise the limit, if such events are expected.";
    /// The reply is over the size limit.
    ReplyTooLarge = "reply_too_large", Upstream, false, 502, "Lower max_tokens, or raise the limit.";
    /// The stream ended before the model was done; what had arrived is kept.
    Truncated = "truncated", Upstream, true, 502, "Use the partial text as unfinished, or ask again.";
    /// The model stopped without a word: no text, no reasoning, no tool call.
    Empty = "empty", Upstream, true, 502, "Ask again; check the prompt if it repeats.";
    /// No connection, or one that broke before the response head.
    Network = "network", Network, true, 502, "Check the connection and the base URL.";
    /// No response head within the connect budget.
    TimeoutConnect = "timeout_connect", Network, true, 504, "Try again or use another upstream.";
    /// A response head, but no token within the first-token budget.
    TimeoutFirstToken = "timeout_first_token", Upstream, true, 504, "Try again, use another upstream, or raise the budget.";
    /// No byte within the idle budget, in the middle of a stream.
    TimeoutIdle = "timeout_idle", Upstream, true, 504, "Use the partial text as unfinished, or ask again.";
    /// Bytes (keep-alive comments), but no content within the content-idle budget.
    TimeoutContentIdle = "timeout_content_idle", Upstream, true, 504, "Use the partial text as unfinished, or ask again.";
    /// Content came slower than the slowest acceptable rate.
    TimeoutRate = "timeout_rate", Upstream, true, 504, "Use the partial text as unfinished, or use another upstream.";
    /// The call took longer than its whole budget.
    TimeoutTotal = "timeout_total", Upstream, false, 504, "Ask for less, or raise the total budget.";
    /// Whoever asked has cancelled.
    Cancelled = "cancelled", Caller, false, 499, "Nothing: the call was cancelled on request.";
    /// The limits could not be looked up, so that nothing was sent.
    LimitsUnavailable = "limits_unavailable", Gate, true, 503, "Try again shortly.";
    /// What is private could not be hidden, so that nothing was sent.
    RedactionFailed = "redaction_failed", Gate, false, 500, "Report it with the request id; nothing has left the gate.";
    /// A bug in this project.
    Internal = "internal", Gate, false, 500, "Report it with the request id.";
}

/// What the vendor said, kept for support and never mixed into our own message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vendor {
    /// The HTTP status, where there was one.
    pub status: Option<u16>,
    /// The vendor's own code, number or string, as text.
    pub code: Option<String>,
    /// The vendor's own message: at most [`Vendor::MESSAGE_CHARS`] characters, secrets scrubbed.
    pub message: Option<String>,
    /// The vendor's id for the call (`x-request-id`, `x-siliconcloud-trace-id`, …).
    pub trace_id: Option<String>,
}

impl Vendor {
    /// The bound of [`Vendor::message`], in characters.
    pub const MESSAGE_CHARS: usize = 512;
}

/// What went wrong, with everything a caller needs to act on it.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    inner: Box<Inner>,
}

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    param: Option<String>,
    retry_after_ms: Option<u64>,
    vendor: Option<Vendor>,
}

impl Error {
    /// An error of `kind` with a sentence that says what happened. The sentence must hold no key, prompt or answer.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Error::of(kind, message.into())
    }

    /// Apart from its generic face, and never inlined: errors are made in a hundred places.
    #[cold]
    #[inline(never)]
    fn of(kind: ErrorKind, message: Cow<'static, str>) -> Self {
        Error { inner: Box::new(Inner { kind, message, param: None, retry_after_ms: None, vendor: None }) }
    }

    /// Names the field at fault, as a path: `messages[2].content`, `temperature`.
    pub fn with_param(self, param: impl Into<String>) -> Self {
        self.at(param.into())
    }

    #[cold]
    #[inline(never)]
    fn at(mut self, param: String) -> Self {
        self.inner.param = Some(param);
        self
    }

    /// Says when it is worth trying again, in milliseconds from now.
    pub fn with_retry_after_ms(mut self, millis: u64) -> Self {
        self.inner.retry_after_ms = Some(millis);
        self
    }

    /// Keeps what the vendor said.
    pub fn with_vendor(mut self, vendor: Vendor) -> Self {
        self.inner.vendor = Some(vendor);
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// The stable code: [`ErrorKind::code`].
    pub fn code(&self) -> &'static str {
        self.inner.kind.code()
    }

    /// What happened, one sentence.
    pub fn message(&self) -> &str {
        &self.inner.message
    }

    /// The field at fault, if one is.
    pub fn param(&self) -> Option<&str> {
        self.inner.param.as_deref()
    }

    /// When to try again, in milliseconds from the moment of the failure, if the upstream said so.
    pub fn retry_after_ms(&self) -> Option<u64> {
        self.inner.retry_after_ms
    }

    /// What the vendor said, if it said anything.
    pub fn vendor(&self) -> Option<&Vendor> {
        self.inner.vendor.as_ref()
    }

    /// The HTTP status to show: the vendor's, where it means the same to the caller, else the kind's own.
    pub fn status(&self) -> u16 {
        self.inner.kind.status()
    }

    /// Whether the same request may succeed later or elsewhere, unchanged.
    pub fn is_retryable(&self) -> bool {
        self.inner.kind.is_retryable()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.inner.message)?;
        if let Some(param) = &self.inner.param {
            write!(f, " (field: {param})")?;
        }
        write!(f, " {}", self.inner.kind.next_step())
    }
}

impl fmt::Debug for Error {
    /// As [`Display`](fmt::Display), without the vendor's message: it may quote what was sent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("code", &self.code())
            .field("message", &self.inner.message)
            .field("param", &self.inner.param)
            .field("retry_after_ms", &self.inner.retry_after_ms)
            .field("vendor_status", &self.inner.vendor.as_ref().and_then(|vendor| vendor.status))
            .finish()
    }
}

impl std::error::Error for Error {}

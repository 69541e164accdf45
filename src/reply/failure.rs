//! Vendors' failures: an HTTP answer or a stream event that is no reply becomes one [`Error`].
//!
//! The vendors' bodies differ (an `error` object, an `error` string, a flat `{code, message}`, a bare string, `detail`, HTML, nothing);
//! `Said` is what they have in common. What it means is data, in `table`. What was said is kept in [`Vendor`], scrubbed and bounded;
//! HTML is never quoted.

mod scrub;
mod table;
mod wait;

pub use wait::{RateWindow, rate_window, retry_after_ms};

use super::chunk::Members;
use super::{json, string};
use crate::error::{Error, ErrorKind, Party, Vendor};
use crate::json::write::Object;
use crate::request::Endpoint;
use crate::text::{before, has};
use scrub::scrub;
use std::borrow::Cow;

/// What is needed of the head of a failed answer.
#[derive(Clone, Copy, Debug, Default)]
pub struct FailureHead<'a> {
    /// The HTTP status; 0 if there was none.
    pub status: u16,
    /// `content-type`
    pub content_type: Option<&'a str>,
    /// `retry-after`
    pub retry_after: Option<&'a str>,
    /// `retry-after-ms`
    pub retry_after_ms: Option<&'a str>,
    /// The vendor's id for the call: `x-request-id`, `x-siliconcloud-trace-id`, …
    pub trace_id: Option<&'a str>,
    /// The time, in milliseconds since 1970, for a `retry-after` that is a date.
    pub now_unix_ms: Option<u64>,
    /// `content-length`, where the body is not encoded: fewer bytes are not the whole of it.
    pub content_length: Option<u64>,
}

/// Between our sentence and the vendor's words in the message that SDKs show.
const VENDOR_SAYS: &str = " The upstream says: ";

/// Bytes of an error body that are read.
const MAX_BODY: usize = 256 << 10;
/// Characters of a vendor's code, parameter name or trace id that are kept.
const MAX_NAME: usize = 128;

/// What an HTTP answer that is not a usable 2xx means. Never fails: what nothing is known of is classified by its status alone.
pub fn classify_failure(head: &FailureHead<'_>, body: &[u8]) -> Error {
    let text = String::from_utf8_lossy(body.get(..MAX_BODY).unwrap_or(body));
    let text = text.trim_start_matches('\u{FEFF}').trim();
    let html = text.starts_with('<') || head.content_type.is_some_and(|kind| has(&kind.to_ascii_lowercase(), "html"));
    let said = if html { Said::default() } else { Said::read(text) };
    classify(head, said, html)
}

/// What an error inside a stream, or inside an unary 200, means.
pub(super) fn in_stream(data: &str) -> Error {
    let html = data.starts_with('<');
    let said = if html { Said::default() } else { Said::read(data) };
    classify(&FailureHead::default(), said, html)
}

/// Whether these words, alone, are those of a failure.
pub(super) fn names_a_failure(message: &str) -> bool {
    table::of_words(0, message).is_some()
}

/// Whether this code, alone, is that of a failure: a status, or one that the table has.
pub(super) fn is_code(code: &str) -> bool {
    let number = code.parse().unwrap_or(0);
    matches!(number, 400..=599) || table::of_code(code).is_some() || table::of_number(number).is_some()
}

fn classify(head: &FailureHead<'_>, said: Said, html: bool) -> Error {
    let kind = said.kind(head.status, html);
    let message = said.message.as_deref().unwrap_or("");
    let window = if kind == ErrorKind::RateLimited { rate_window(message) } else { None };
    let mut error = match (said.ours, window) {
        // Our own words, from another gate: they are written to be shown.
        (Some(_), _) if !message.is_empty() => Error::new(kind, scrub(message, Vendor::MESSAGE_CHARS)),
        (_, Some(window)) => Error::new(kind, format!("The upstream's {} limit is reached.", window.dimension)),
        _ if html => Error::new(kind, html_sentence(kind)),
        _ => Error::new(kind, sentence(kind)),
    };
    let wait = retry_after_ms(head)
        .or(said.retry_after_ms)
        .or_else(|| if error.is_retryable() { wait::in_words_ms(message) } else { None })
        .or(window.map(|window| window.window_ms));
    if let Some(millis) = wait {
        error = error.with_retry_after_ms(millis);
    }
    if let Some(param) = said.param.as_deref() {
        error = error.with_param(scrub(param, MAX_NAME));
    }
    let vendor = said.vendor.unwrap_or_else(|| Vendor {
        status: (head.status != 0).then_some(head.status),
        code: said.code.or(said.kind).map(|code| scrub(&code, MAX_NAME)),
        message: said
            .message
            .map(|message| scrub(&message, Vendor::MESSAGE_CHARS))
            .filter(|message| !message.is_empty()),
        trace_id: head.trace_id.map(str::to_owned).or(said.trace_id).map(|id| name(&id)),
    });
    error.with_vendor(vendor)
}

/// An id as it is: it would be of no use masked.
fn name(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect()
}

/// What a vendor's body says, whatever its shape.
#[derive(Debug, Default)]
struct Said {
    code: Option<String>,
    kind: Option<String>,
    message: Option<String>,
    param: Option<String>,
    trace_id: Option<String>,
    /// It was no JSON.
    plain: bool,
    /// The kind, if the body is one of ours ([`error_body`]).
    ours: Option<ErrorKind>,
    retry_after_ms: Option<u64>,
    vendor: Option<Vendor>,
}

impl Said {
    fn read(text: &str) -> Said {
        match json::parse::<&str>(text) {
            Some(value) => Said::from_value(value, 0),
            None => Said { message: (!text.is_empty()).then(|| text.to_owned()), plain: true, ..Said::default() },
        }
    }

    fn from_value(value: &str, depth: usize) -> Said {
        match value.as_bytes().first() {
            Some(b'"') => Said { message: string::read(value), ..Said::default() },
            Some(b'[') if depth == 0 => {
                items(value).first().map_or_else(Said::default, |first| Said::from_value(first, depth + 1))
            }
            Some(b'{') => Said::from_outer(&Fields::of(value)),
            _ => Said::default(),
        }
    }

    fn from_outer(outer: &Fields<'_>) -> Said {
        let error = outer.get("error").unwrap_or("");
        match error.as_bytes().first() {
            Some(b'{') => {
                let said = Said::from_object(&Fields::of(error));
                Said {
                    code: said.code.or_else(|| outer.text(&["code"])),
                    message: said.message.or_else(|| outer.text(&["message"])),
                    trace_id: said.trace_id.or_else(|| outer.text(&["request_id", "trace_id"])),
                    ..said
                }
            }
            Some(b'"') => {
                let said = Said::from_object(outer);
                Said { message: said.message.or_else(|| string::read(error)), ..said }
            }
            _ => Said::from_object(outer),
        }
    }

    fn from_object(object: &Fields<'_>) -> Said {
        let mut said = Said {
            code: object.text(&["code"]),
            kind: object.text(&["type", "status"]),
            message: object.text(&["message", "msg", "error_msg", "detail", "title"]),
            param: object.text(&["param"]),
            trace_id: object.text(&["request_id", "trace_id"]),
            retry_after_ms: object.number("retry_after_ms"),
            ..Said::default()
        };
        // FastAPI's form: [{"loc": ["body", "temperature"], "msg": …}].
        if let Some(first) = object.get("detail").and_then(|detail| items(detail).first().copied()) {
            let first = Fields::of(first);
            said.message = said.message.or_else(|| first.text(&["msg", "message"]));
            let mut path = String::new();
            for step in items(first.get("loc").unwrap_or("")).into_iter().filter_map(string::read) {
                if step != "body" {
                    path.push_str(if path.is_empty() { "" } else { "." });
                    path.push_str(&step);
                }
            }
            if said.param.is_none() && !path.is_empty() {
                said.param = Some(path);
            }
        }
        if object.get("party").is_some() && object.get("next_step").is_some() {
            said.ours = ErrorKind::ALL.iter().copied().find(|kind| Some(kind.code()) == said.code.as_deref());
            said.vendor =
                object.get("vendor").filter(|vendor| vendor.starts_with('{')).map(Fields::of).map(|vendor| Vendor {
                    status: vendor.number("status").and_then(|status| u16::try_from(status).ok()),
                    code: vendor.text(&["code"]).map(|code| scrub(&code, MAX_NAME)),
                    message: vendor.text(&["message"]).map(|message| scrub(&message, Vendor::MESSAGE_CHARS)),
                    trace_id: vendor.text(&["trace_id"]).map(|id| name(&id)),
                });
            if let Some(message) = said.message.as_deref().and_then(|message| before(message, VENDOR_SAYS)) {
                said.message = Some(message.to_owned());
            }
        }
        said
    }

    /// In order of how much each tells: our own code, the vendor's specific code, its words, the status, its general type.
    fn kind(&self, status: u16, html: bool) -> ErrorKind {
        if let Some(kind) = self.ours {
            return kind;
        }
        // A 2xx that is not even JSON is no vendor's error.
        let foreign = html || ((200..=299).contains(&status) && self.plain);
        // Inside a 200, a code that is a status stands for the status.
        let code = self.code.as_deref().unwrap_or("");
        let status = match (status, code.parse::<u16>()) {
            (0 | 200..=299, Ok(code @ 400..=599)) => code,
            (200..=299, _) => 0,
            (status, _) => status,
        };
        let kind = self.kind.as_deref().unwrap_or("");
        let message = self.message.as_deref().unwrap_or("");
        if (300..400).contains(&status) {
            return ErrorKind::Protocol;
        }
        // DeepSeek limits only how many calls run at once. Its 429 is like everyone's but where it has this code, which is no limit's.
        let deepseek = status == 429 && code == "invalid_request_error" && rate_window(message).is_none();
        let crowd =
            |kind| if deepseek && kind == ErrorKind::RateLimited { ErrorKind::ConcurrencyLimited } else { kind };
        [code, kind]
            .into_iter()
            .find_map(table::of_code)
            .or_else(|| table::of_words(status, message))
            .or_else(|| table::of_number(code.parse().unwrap_or(0)))
            .or_else(|| if status == 0 { None } else { table::of_status(status) })
            .or_else(|| [kind, code].into_iter().find_map(table::of_type))
            .map(crowd)
            .unwrap_or(if foreign { ErrorKind::Protocol } else { ErrorKind::UpstreamError })
    }
}

/// The members of an object that are not null; none for anything else.
struct Fields<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'a> Fields<'a> {
    fn of(value: &'a str) -> Self {
        Fields(json::parse::<Members<'_>>(value).map(|members| members.extra).unwrap_or_default())
    }

    /// Of a repeated member the last one counts.
    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }

    /// The first of these members that is a string or a number, as text; blank ones are left out.
    fn text(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| {
            let value = self.get(name)?;
            match value.as_bytes().first()? {
                b'"' => string::read(value).filter(|text| !text.trim().is_empty()),
                b'-' | b'0'..=b'9' => Some(value.to_owned()),
                _ => None,
            }
        })
    }
}

/// The items of an array; none for anything else.
fn items(value: &str) -> Vec<&str> {
    json::parse(value).unwrap_or_default()
}

fn html_sentence(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Protocol => "The upstream answered with HTML where a reply was expected.",
        ErrorKind::TimeoutFirstToken | ErrorKind::TimeoutConnect => {
            "A proxy before the upstream gave up waiting for it."
        }
        _ => "The upstream, or a proxy before it, answered with an HTML error page.",
    }
}

fn sentence(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidRequest => "The upstream refused the request as invalid.",
        ErrorKind::PayloadTooLarge => "The request is larger than the upstream takes.",
        ErrorKind::HeadersTooLarge => "The request's headers are larger than the upstream takes.",
        ErrorKind::UnsupportedMediaType => "The upstream does not take a body of this media type.",
        ErrorKind::NotFound => "The upstream has no such route or object.",
        ErrorKind::MethodNotAllowed => "The upstream does not take this method here.",
        ErrorKind::ModelNotFound => "The upstream does not know the model.",
        ErrorKind::ContextOverflow => "The request does not fit the model's context.",
        ErrorKind::ReasoningReplay => "The upstream refused how earlier reasoning was, or was not, sent back.",
        ErrorKind::Forbidden => "The upstream does not allow this.",
        ErrorKind::Authentication => "The upstream refused the credential.",
        ErrorKind::QuotaExceeded => "The account with the upstream has no balance, or may not use the model.",
        ErrorKind::NotSupported => "The upstream has not got this function.",
        ErrorKind::RateLimited => "The upstream's rate limit is reached.",
        ErrorKind::ConcurrencyLimited => "The upstream takes no more requests at the same time.",
        ErrorKind::Overloaded => "The upstream is too busy.",
        ErrorKind::TimeoutConnect => "A proxy could not reach the upstream in time.",
        ErrorKind::TimeoutFirstToken => "The upstream took too long to answer.",
        ErrorKind::Protocol => "The upstream answered with something that is not the protocol.",
        _ => "The upstream failed.",
    }
}

/// The form in which the edge reports an error: `{"error":{"message","type","param","code",…}}`, as OpenAI's clients expect it, with our
/// `code`, `party`, `next_step`, `retry_after_ms` and what the `vendor` said. [`classify_failure`] reads it back.
pub fn error_body(error: &Error) -> String {
    let mut detail = Object::new();
    // SDKs show the message and nothing else: for what the caller can mend, the vendor's words are the best advice.
    let words = error.vendor().and_then(|vendor| vendor.message.as_deref());
    match words.filter(|_| error.kind().party() == Party::Caller) {
        Some(words) => detail.string("message", &[error.message(), VENDOR_SAYS, words].concat()),
        None => detail.string("message", error.message()),
    }
    detail.string("type", openai_type(error.kind()));
    match error.param() {
        Some(param) => detail.string("param", param),
        None => detail.raw("param", "null"),
    }
    detail.string("code", error.code());
    detail.string("party", error.kind().party().as_str());
    detail.string("next_step", error.kind().next_step());
    if let Some(millis) = error.retry_after_ms() {
        detail.number("retry_after_ms", millis);
    }
    if let Some(vendor) = error.vendor() {
        let mut said = Object::new();
        if let Some(status) = vendor.status {
            said.number("status", status.into());
        }
        for (name, text) in [("code", &vendor.code), ("message", &vendor.message), ("trace_id", &vendor.trace_id)] {
            if let Some(text) = text {
                said.string(name, text);
            }
        }
        detail.raw("vendor", &said.finish());
    }
    let mut body = Object::new();
    body.raw("error", &detail.finish());
    body.finish()
}

/// The last event of a stream that broke. In the streams of completions it is what OpenAI's clients throw; elsewhere it is named `error` as
/// well, with the members of both vendors' protocols.
pub fn error_event(endpoint: Endpoint, error: &Error) -> String {
    let body = error_body(error);
    if endpoint.is_completion() {
        return ["data: ", &body, "\n\n"].concat();
    }
    let mut event = Object::new();
    event.string("type", "error");
    event.string("code", error.code());
    event.string("message", error.message());
    match error.param() {
        Some(param) => event.string("param", param),
        None => event.raw("param", "null"),
    }
    let event = event.finish();
    let members = |object: &str| object.get(1..object.len().saturating_sub(1)).map(str::to_owned).unwrap_or_default();
    ["event: error\ndata: {", &members(&event), ",", &members(&body), "}\n\n"].concat()
}

/// The `type` that OpenAI's clients know.
fn openai_type(kind: ErrorKind) -> &'static str {
    match kind.status() {
        _ if matches!(kind, ErrorKind::QuotaExceeded | ErrorKind::InsufficientQuota) => "insufficient_quota",
        401 => "authentication_error",
        403 => "permission_error",
        429 => "rate_limit_error",
        400..=499 => "invalid_request_error",
        _ => "api_error",
    }
}

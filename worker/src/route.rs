//! The route table: every path of the API, what is done there, and for whom.

use sluicegate::request::Endpoint;

/// What is done at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    /// A model answers.
    Call(Endpoint),
    /// The list of models.
    Models,
    /// One model of the list: its id, still as in the path.
    Model(&'a str),
    /// A live stream, by its id: the rest of it, or its end.
    Stream(&'a str),
    /// Whether the gate is there, and what it serves.
    Health,
}

struct Row {
    path: &'static str,
    /// The methods, as the `Allow` header lists them.
    allow: &'static str,
    route: Route<'static>,
}

const GET: &str = "GET, HEAD, OPTIONS";
const POST: &str = "POST, OPTIONS";

const TABLE: [Row; 12] = [
    Row { path: "/v1/chat/completions", allow: POST, route: Route::Call(Endpoint::ChatCompletions) },
    Row { path: "/v1/completions", allow: POST, route: Route::Call(Endpoint::Completions) },
    Row { path: "/v1/embeddings", allow: POST, route: Route::Call(Endpoint::Embeddings) },
    Row { path: "/v1/rerank", allow: POST, route: Route::Call(Endpoint::Rerank) },
    Row { path: "/v1/images/generations", allow: POST, route: Route::Call(Endpoint::Images) },
    Row { path: "/v1/audio/speech", allow: POST, route: Route::Call(Endpoint::Speech) },
    Row { path: "/v1/audio/transcriptions", allow: POST, route: Route::Call(Endpoint::Transcriptions) },
    Row { path: "/v1/audio/translations", allow: POST, route: Route::Call(Endpoint::Translations) },
    Row { path: "/v1/responses", allow: POST, route: Route::Call(Endpoint::Responses) },
    Row { path: "/v1/messages", allow: POST, route: Route::Call(Endpoint::Messages) },
    Row { path: "/v1/models", allow: GET, route: Route::Models },
    Row { path: "/healthz", allow: GET, route: Route::Health },
];

const MODEL: &str = "/v1/models/";
const STREAM: &str = "/v1/streams/";

impl Route<'_> {
    /// The name in the log.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Route::Call(endpoint) => endpoint.as_str(),
            Route::Models => "models",
            Route::Model(_) => "model",
            Route::Stream(_) => "stream",
            Route::Health => "healthz",
        }
    }

    /// Whether callers need to satisfy the credentials policy.
    pub(crate) fn is_guarded(self) -> bool {
        self != Route::Health
    }
}

/// The route at a path and its methods, compared letter for letter: no second spelling leads to the same place.
pub(crate) fn at(path: &str) -> Option<(Route<'_>, &'static str)> {
    if let Some(row) = TABLE.iter().find(|row| row.path == path) {
        return Some((row.route, row.allow));
    }
    if let Some(id) = path.strip_prefix(STREAM) {
        return Some((Route::Stream(id), "GET, DELETE, OPTIONS"));
    }
    let id = path.strip_prefix(MODEL)?;
    Some((Route::Model(id), GET))
}

/// Whether a path belongs to the API, known or not; the page's files are elsewhere.
pub(crate) fn is_api(path: &str) -> bool {
    let folded = path.to_ascii_lowercase();
    let first = folded.trim_start_matches('/').split(['/', '%', ';']).next().unwrap_or_default();
    matches!(first, "v1" | "healthz" | "metrics" | "admin" | "internal" | "auth" | "cdn-cgi" | "__scheduled")
}

/// A model's id from the path: percent escapes resolved once, then plain text without odd segments.
pub(crate) fn model_id(raw: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            let hex =
                core::str::from_utf8(&digits).ok().filter(|hex| hex.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
            bytes.push(u8::from_str_radix(hex, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    let id = String::from_utf8(bytes).ok()?;
    let is_plain = id.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'%' | b'\\' | b'?' | b'#'));
    let has_odd_segment = id.split('/').any(|segment| matches!(segment, "" | "." | ".."));
    (is_plain && !has_odd_segment && id.len() <= 256).then_some(id)
}

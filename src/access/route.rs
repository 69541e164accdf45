//! The path table: every path of the API, its methods, what is done there, and what right that takes.

use super::role::Operation;
use crate::request::Endpoint;

/// What is done at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Route<'a> {
    /// A model answers, in the form of its endpoint.
    Call(Endpoint),
    /// A model answers, in guide B's form: its id, still as in the path.
    Infer(&'a str),
    /// A model answers, in guide A's form.
    Complete,
    /// Several prompts at once, in guide A's form.
    Batch,
    /// The WebSocket.
    Socket,
    /// The list of models.
    Models,
    /// One model of the list: its id, still as in the path.
    Model(&'a str),
    /// How a model does: its id, still as in the path.
    Status(&'a str),
    /// A live stream, by its id: the rest of it, or its end.
    Stream(&'a str),
    /// The caller's datasets, or a new one.
    Datasets,
    /// A dataset, by its id.
    Dataset(&'a str),
    /// What a dataset holds, by its id.
    DatasetContent(&'a str),
    /// A token for an assertion or a key.
    Token,
    /// The end of a token.
    Revoke,
    /// A ticket for one WebSocket.
    Ticket,
    /// Sign in to the admin page, sign out, who one is.
    Session,
    /// The keys, or a new one.
    Keys,
    /// A key, by its id.
    Key(&'a str),
    /// A key is changed, by its id.
    KeyAction(&'a str, KeyAction),
    /// What a key has used.
    KeyUsage(&'a str),
    /// What all keys have used.
    Usage,
    /// The role table.
    Roles,
    /// The limits that keys have which set none.
    Limits,
    /// Whether the gate is there, and what it serves.
    Health,
}

/// What is done to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAction {
    /// A new key and secret take its place.
    Rotate,
    /// It does not count any more.
    Disable,
    /// It counts again.
    Enable,
    /// All tokens that were made with it end.
    RevokeTokens,
}

/// A path that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    /// What is done there.
    pub route: Route<'a>,
    /// The methods, as the `Allow` header lists them.
    pub allow: &'static str,
}

const GET: &str = "GET, HEAD, OPTIONS";
const POST: &str = "POST, OPTIONS";
const BOTH: &str = "GET, HEAD, POST, OPTIONS";

/// The paths that are words alone.
const TABLE: &[(&str, &str, Route<'static>)] = &[
    ("/v1/chat/completions", POST, Route::Call(Endpoint::ChatCompletions)),
    ("/v1/completions", POST, Route::Call(Endpoint::Completions)),
    ("/v1/embeddings", POST, Route::Call(Endpoint::Embeddings)),
    ("/v1/rerank", POST, Route::Call(Endpoint::Rerank)),
    ("/v1/images/generations", POST, Route::Call(Endpoint::Images)),
    ("/v1/audio/speech", POST, Route::Call(Endpoint::Speech)),
    ("/v1/audio/transcriptions", POST, Route::Call(Endpoint::Transcriptions)),
    ("/v1/audio/translations", POST, Route::Call(Endpoint::Translations)),
    ("/v1/responses", POST, Route::Call(Endpoint::Responses)),
    ("/v1/messages", POST, Route::Call(Endpoint::Messages)),
    ("/v1/complete", POST, Route::Complete),
    ("/v1/batch", POST, Route::Batch),
    ("/v1/stream", "GET, OPTIONS", Route::Socket),
    ("/v1/models", GET, Route::Models),
    ("/v1/datasets", BOTH, Route::Datasets),
    ("/auth/token", POST, Route::Token),
    ("/auth/revoke", POST, Route::Revoke),
    ("/auth/ticket", POST, Route::Ticket),
    ("/admin/session", "GET, HEAD, POST, DELETE, OPTIONS", Route::Session),
    ("/admin/keys", BOTH, Route::Keys),
    ("/admin/usage", GET, Route::Usage),
    ("/admin/roles", GET, Route::Roles),
    ("/admin/limits", GET, Route::Limits),
    ("/healthz", GET, Route::Health),
];

const MODEL: &str = "/v1/models/";
const STREAM: &str = "/v1/streams/";
const DATASET: &str = "/v1/datasets/";
const KEY: &str = "/admin/keys/";

/// What is at a path, compared letter for letter: no second spelling leads to the same place.
pub fn at(path: &str) -> Option<Found<'_>> {
    if let Some((_, allow, route)) = TABLE.iter().find(|row| row.0 == path) {
        return Some(Found { route: *route, allow });
    }
    // Nothing is called nothing, and no name ends so.
    if path.ends_with('/') {
        return None;
    }
    let (route, allow) = if let Some(id) = path.strip_prefix(STREAM) {
        (Route::Stream(id), "GET, DELETE, OPTIONS")
    } else if let Some(model) = path.strip_prefix(MODEL) {
        match model.rsplit_once('/') {
            Some((model, "infer")) => (Route::Infer(model), POST),
            Some((model, "status")) => (Route::Status(model), GET),
            _ => (Route::Model(model), GET),
        }
    } else if let Some(id) = path.strip_prefix(DATASET) {
        match id.split_once('/') {
            Some((id, "content")) => (Route::DatasetContent(id), GET),
            Some(_) => return None,
            None => (Route::Dataset(id), "GET, HEAD, DELETE, OPTIONS"),
        }
    } else {
        key(path.strip_prefix(KEY)?)?
    };
    Some(Found { route, allow })
}

fn key(rest: &str) -> Option<(Route<'_>, &'static str)> {
    let Some((id, action)) = rest.split_once('/') else {
        return Some((Route::Key(rest), "GET, HEAD, PATCH, OPTIONS"));
    };
    let action = match action {
        "usage" => return Some((Route::KeyUsage(id), GET)),
        "rotate" => KeyAction::Rotate,
        "disable" => KeyAction::Disable,
        "enable" => KeyAction::Enable,
        "revoke-tokens" => KeyAction::RevokeTokens,
        _ => return None,
    };
    Some((Route::KeyAction(id, action), POST))
}

/// What a request takes to be let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Nothing: anybody may.
    Public,
    /// The route judges its credential by itself, since it is none of those that other routes take.
    Own,
    /// The right to an operation.
    To(Operation),
}

impl Route<'_> {
    /// The right that a method takes here.
    pub fn right(self, method: &str) -> Right {
        let reads = matches!(method, "GET" | "HEAD");
        Right::To(match self {
            Route::Health => return Right::Public,
            Route::Token => return Right::Own,
            Route::Session if method == "POST" => return Right::Own,
            Route::Session => Operation::Session,
            Route::Call(Endpoint::ChatCompletions) => Operation::ChatCompletions,
            Route::Call(Endpoint::Completions) => Operation::Completions,
            Route::Call(Endpoint::Embeddings) => Operation::Embeddings,
            Route::Call(Endpoint::Rerank) => Operation::Rerank,
            Route::Call(Endpoint::Images) => Operation::Images,
            Route::Call(Endpoint::Speech | Endpoint::Transcriptions | Endpoint::Translations) => Operation::Audio,
            Route::Call(Endpoint::Responses) => Operation::Responses,
            Route::Call(Endpoint::Messages) => Operation::Messages,
            Route::Infer(_) => Operation::Infer,
            Route::Complete => Operation::Complete,
            Route::Batch => Operation::Batch,
            Route::Socket => Operation::Stream,
            Route::Models | Route::Model(_) => Operation::Models,
            Route::Status(_) => Operation::Status,
            Route::Stream(_) => Operation::Resume,
            Route::Datasets | Route::Dataset(_) if reads => Operation::DatasetsRead,
            Route::DatasetContent(_) => Operation::DatasetsRead,
            Route::Datasets | Route::Dataset(_) => Operation::DatasetsWrite,
            Route::Revoke | Route::Ticket => Operation::Tokens,
            Route::Keys | Route::Key(_) if reads => Operation::KeysRead,
            Route::Keys | Route::Key(_) | Route::KeyAction(..) => Operation::KeysWrite,
            Route::KeyUsage(_) | Route::Usage => Operation::Usage,
            Route::Roles | Route::Limits => Operation::Roles,
        })
    }

    /// The name in the log.
    pub fn name(self) -> &'static str {
        match self {
            Route::Health => "healthz",
            Route::Model(_) => "model",
            Route::Token => "token",
            Route::Revoke => "revoke",
            Route::Ticket => "ticket",
            Route::Session => "session",
            Route::Stream(_) => "resume",
            Route::Datasets | Route::Dataset(_) | Route::DatasetContent(_) => "datasets",
            Route::Keys | Route::Key(_) | Route::KeyAction(..) => "keys",
            other => match other.right("GET") {
                Right::To(operation) => operation.as_str(),
                _ => "none",
            },
        }
    }
}

/// Whether a path belongs to the API, known or not; the pages' files are elsewhere.
pub fn is_api(path: &str) -> bool {
    if matches!(path, "/admin" | "/admin/") {
        return false;
    }
    let folded = path.to_ascii_lowercase();
    let first = folded.trim_start_matches('/').split(['/', '%', ';']).next().unwrap_or_default();
    matches!(first, "v1" | "healthz" | "metrics" | "admin" | "internal" | "auth" | "cdn-cgi" | "__scheduled")
}

/// A model's id from the path: percent escapes resolved once, then plain text without odd segments.
pub fn model_id(raw: &str) -> Option<String> {
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

/// Whether a text of the path can be the id of something that the gate keeps: `key_…`, `ds_…`.
pub fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

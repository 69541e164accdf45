//! Answers that are handed on as they are: what of them tells whether they are whole, whether they are failures, and what they cost.
//!
//! A stream is whole when the event has come that its protocol ends with; a body when it closes. Everything else about them is for the
//! caller alone.

use super::assembler::{Assembler, Step, malformed};
use super::chunk::object;
use super::end::{Cause, End, Facts, Meaning};
use super::json::{self, Cursor, Read};
use super::usage::Usage;
use super::{Deltas, Options, Reply, failure, string};
use crate::error::{Error, ErrorKind};
use crate::request::Endpoint;
use std::borrow::Cow;

object! {
    Event {
        kind: &'a str = "type",
        error: &'a str = "error",
        code: &'a str = "code",
        status: &'a str = "status",
        msg: &'a str = "message",
        response: &'a str = "response",
        delta: &'a str = "delta",
        usage: &'a str = "usage",
        meta: &'a str = "meta",
        tokens: &'a str = "tokens",
        id: &'a str = "id",
        model: &'a str = "model",
        stop_reason: &'a str = "stop_reason",
        incomplete_details: &'a str = "incomplete_details",
    }
}

object! {
    Details {
        reason: &'a str = "reason",
    }
}

/// What a stream has said.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// The event has come behind which nothing is missing.
    ended: bool,
    meaning: Meaning,
    reason: Option<String>,
}

/// How streams end: whether the stream is over with it, or others like it may follow.
const ENDS: &[(Endpoint, &str, bool)] = &[
    (Endpoint::Responses, "response.completed", true),
    (Endpoint::Responses, "response.incomplete", true),
    (Endpoint::Messages, "message_stop", true),
    // One for each picture.
    (Endpoint::Images, "image_generation.completed", false),
    (Endpoint::Speech, "speech.audio.done", false),
    (Endpoint::Transcriptions, "transcript.text.done", false),
    (Endpoint::Translations, "transcript.text.done", false),
];

/// Events that say that the answer failed.
const FAILURES: &[&str] = &["error", "response.failed", "response.cancelled"];

/// Members of which an answer has one. What has none of them is no answer.
fn members_of(endpoint: Endpoint) -> &'static [&'static str] {
    match endpoint {
        Endpoint::Embeddings => &["data", "embeddings"],
        Endpoint::Rerank => &["results", "data"],
        Endpoint::Images => &["data", "images"],
        Endpoint::Transcriptions | Endpoint::Translations => &["text", "segments", "words"],
        Endpoint::Responses => &["output", "object"],
        _ => &["content"],
    }
}

impl Assembler {
    /// An event of a stream that is handed on.
    pub(super) fn watch(&mut self, event_type: &str, data: &str) -> Result<Step, Error> {
        let data = data.strip_prefix('\u{FEFF}').unwrap_or(data).trim();
        if data.is_empty() {
            return Ok(Step::default());
        }
        if data == "[DONE]" {
            self.done = true;
            return Ok(Step { done: true, ..Step::default() });
        }
        if !data.starts_with('{') && event_type == "error" {
            return Err(failure::in_stream(data));
        }
        let Some(event) = json::parse::<Event<'_>>(data).filter(|_| data.starts_with('{')) else {
            return Err(malformed());
        };
        let kind = event.kind.and_then(string::read).unwrap_or_else(|| event_type.to_owned());
        let endpoint = self.options.endpoint;
        if FAILURES.contains(&&*kind) || event.error.is_some() && !kind.starts_with("response.") {
            return Err(failure::in_stream(event.response.unwrap_or(data)));
        }
        if let Some(response) = event.response.and_then(json::parse::<Event<'_>>) {
            self.note(&response);
        }
        if let Some(message) = event.msg.filter(|message| message.starts_with('{')).and_then(json::parse::<Event<'_>>) {
            self.note(&message);
        }
        if let Some(delta) = event.delta.filter(|delta| delta.starts_with('{')).and_then(json::parse::<Event<'_>>) {
            self.note(&delta);
        }
        if let Some(usage) = event.usage {
            Usage::merge(&mut self.reply.usage, usage);
        }
        let content = kind.ends_with("delta") && kind != "message_delta" || kind.ends_with("partial_image");
        let end = ENDS.iter().find(|(of, name, _)| *of == endpoint && *name == kind);
        if end.is_none() {
            return Ok(Step { content, ..Step::default() });
        }
        self.watch.ended = true;
        let done = end.is_some_and(|end| end.2);
        self.done |= done;
        Ok(Step { content, done, finished: true, ..Step::default() })
    }

    /// What an answer, or a part of it that has such members, says about itself.
    fn note(&mut self, event: &Event<'_>) {
        let read = |raw: Option<&str>| raw.and_then(string::read);
        if let Some(id) = read(event.id) {
            self.reply.id = id;
        }
        if let Some(model) = read(event.model) {
            self.reply.model = model;
        }
        for usage in [event.meta, event.tokens, event.usage].into_iter().flatten() {
            Usage::merge(&mut self.reply.usage, usage);
        }
        let details = event.incomplete_details.and_then(json::parse::<Details<'_>>);
        if let Some(reason) = read(event.stop_reason).or_else(|| read(details?.reason)) {
            self.watch.meaning = Meaning::of(&reason);
            self.watch.reason = Some(reason);
        }
    }

    /// How the stream ended.
    pub(super) fn end_of_watch(&self, cause: Cause) -> End {
        let reason = self.watch.reason.as_deref();
        let ended = self.watch.ended;
        End::decide(
            cause,
            &Facts {
                finish_reason: reason,
                meaning: self.watch.meaning,
                finished: ended,
                done: ended && self.done,
                said_something: true,
                calls_tools: reason == Some("tool_use"),
            },
        )
    }
}

/// Reads a whole answer of `media`, for which its head promised `length` bytes.
///
/// Errors: the vendor's own inside a 200, classified; `truncated` for fewer bytes than were promised and for JSON that does not close;
/// `protocol` for what is no such answer; `reply_too_large`.
pub(crate) fn read_opaque(
    body: &[u8],
    media: &str,
    length: Option<u64>,
    options: &Options,
) -> Result<(Reply, End), Error> {
    if body.len() > options.limits.reply_body {
        return Err(Error::new(ErrorKind::ReplyTooLarge, "The reply's body is larger than the limit on bodies."));
    }
    if length.is_some_and(|length| length > body.len() as u64) {
        return Err(breaks_off());
    }
    let endpoint = options.endpoint;
    let mut assembler = Assembler::new(*options);
    assembler.watch.ended = true;
    let is_json = media.ends_with("json");
    if endpoint == Endpoint::Speech && !is_json && is_sound(media, body) {
        return Ok(assembler.whole_opaque());
    }
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{FEFF}').trim();
    // The subtitles and plain texts that may be asked for instead of JSON.
    if endpoint.is_upload() && !is_json && !text.starts_with(['{', '<']) {
        return Ok(assembler.whole_opaque());
    }
    match text.as_bytes().first() {
        Some(b'{' | b'[') if json::parse::<&str>(text).is_some() => {}
        Some(b'{' | b'[') if text.ends_with(['}', ']']) => return Err(no_answer()),
        Some(b'{' | b'[') => return Err(breaks_off()),
        Some(b'"') => return Err(failure::in_stream(text)),
        Some(b'<') => return Err(Error::new(ErrorKind::Protocol, "The upstream answered with HTML or XML.")),
        Some(_) => return Err(no_answer()),
        None => return Err(Error::new(ErrorKind::Protocol, "The upstream's answer is empty.")),
    }
    let Some(answer) = json::parse::<Event<'_>>(text).filter(|_| text.starts_with('{')) else {
        // Some servers rerank with a bare list.
        return if endpoint == Endpoint::Rerank { Ok(assembler.whole_opaque()) } else { Err(no_answer()) };
    };
    let status = answer.status.and_then(string::read);
    let has = |name: &&str| answer.extra.iter().any(|(known, _)| known == name);
    let is_answer = members_of(endpoint).iter().any(has) && endpoint != Endpoint::Speech;
    let failed = endpoint == Endpoint::Responses && status.as_deref() == Some("failed");
    if failed || answer.error.is_some() || !is_answer && (answer.code.is_some() || answer.msg.is_some()) {
        return Err(failure::in_stream(text));
    }
    if !is_answer {
        return Err(no_answer());
    }
    assembler.note(&answer);
    Ok(assembler.whole_opaque())
}

impl Assembler {
    fn whole_opaque(mut self) -> (Reply, End) {
        self.done = true;
        let end = self.finish(Cause::Done, &mut Deltas::new());
        (self.into_reply(), end)
    }
}

/// The `content-type` with which a whole answer is handed on: of what an upstream says about it, only what cannot be taken for a page.
pub fn answer_type(endpoint: Endpoint, media: &str) -> Cow<'static, str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-');
    let sound =
        media.strip_prefix("audio/").filter(|kind| (1..=64).contains(&kind.len()) && kind.bytes().all(is_plain));
    match endpoint {
        Endpoint::Speech if sound.is_some() => media.to_owned().into(),
        Endpoint::Speech => "application/octet-stream".into(),
        Endpoint::Transcriptions | Endpoint::Translations if !media.ends_with("json") => match media {
            "text/vtt" => "text/vtt; charset=utf-8",
            "application/x-subrip" => "application/x-subrip; charset=utf-8",
            _ => "text/plain; charset=utf-8",
        }
        .into(),
        _ => "application/json; charset=utf-8".into(),
    }
}

/// Whether this is what a recording is sent as. Vendors say `audio/…` or nothing.
fn is_sound(media: &str, body: &[u8]) -> bool {
    let is_binary = media.is_empty() || media.starts_with("audio/") || media.ends_with("/octet-stream");
    is_binary && !body.is_empty() && !matches!(body.trim_ascii_start().first(), Some(b'{' | b'<'))
}

fn breaks_off() -> Error {
    Error::new(ErrorKind::Truncated, "The upstream's answer breaks off.")
}

fn no_answer() -> Error {
    Error::new(ErrorKind::Protocol, "The upstream's answer is not one of this endpoint.")
}

//! What to send: requests are parsed and checked once, then built for each upstream that may serve them.
//!
//! [`Request::parse`] takes the caller's JSON text (a page's object, an HTTP body), checks what holds for every vendor and
//! keeps the text. [`Request::build`] gives the body for one [`Target`]: its model's id, the preset, the dialect's names
//! and ranges, the replay policy. It splices changes into the caller's text, so that whatever needs no change (unknown
//! fields of vendors, the order of keys, numbers of any size) goes through byte for byte.
//!
//! Both are linear in the body. No error message holds a value of the request; `param` names the field.
//!
//! ```
//! use sluicegate::limits::Limits;
//! use sluicegate::request::{Dialect, Endpoint, Request, Target};
//!
//! let body = br#"{"messages": [{"role": "developer", "content": "Be brief."}], "min_p": 0.05}"#;
//! let request = Request::parse(Endpoint::ChatCompletions, body, &Limits::default())?;
//! let target = Target { dialect: Dialect::DeepSeek, model: "deepseek-flash", replay: None, add_usage: true };
//! let built = request.build(&target)?;
//! let expected = br#"{"messages": [{"role": "system", "content": "Be brief."}], "min_p": 0.05,"model":"deepseek-flash"}"#;
//! assert_eq!(built.body, expected);
//! assert_eq!(built.changes[0].field, "messages[0].role");
//! # Ok::<(), sluicegate::Error>(())
//! ```

mod anchor;
mod build;
mod dialect;
mod edit;
mod endpoint;
pub(crate) mod fault;
mod field;
mod form;
pub(crate) mod host;
mod message;
mod needs;
mod preset;
mod prompt;
mod repair;
mod replay;
mod resume;
mod shape;
pub(crate) mod span;
mod url;

pub use anchor::anchor;
pub(crate) use anchor::weight;
pub use build::{Built, Change, Target};
pub use dialect::Dialect;
pub use endpoint::Endpoint;
pub(crate) use message::read as read_messages;
pub use needs::Needs;
pub use preset::Preset;
pub use repair::Repair;
pub use replay::Replay;
pub use resume::ContinueBy;
pub use url::url;

use crate::error::{Error, ErrorKind};
use crate::json::{check_json, check_json_but};
use crate::limits::Limits;
use core::fmt;
use edit::Edit;
pub(crate) use form::Form;
use message::Message;
use span::{Kind, Member, Span, find, members, string};

/// A checked request: JSON with one reading, fields of the right types, within the ranges that hold for every dialect.
#[derive(Clone)]
pub struct Request {
    endpoint: Endpoint,
    text: String,
    members: Vec<Member>,
    messages: Vec<Message>,
    model: Option<String>,
    /// What the body says, null being nothing.
    body_stream: Option<bool>,
    stream: Option<bool>,
    include_usage: bool,
    preset: Option<Preset>,
    /// Whether token counts are not to be asked for, because the upstream refused the field.
    usage_refused: bool,
    /// What the body was, if it was a form: its fields are the text.
    form: Option<Form>,
    /// Those that it was parsed with; they hold for what is made of it as well.
    limits: Limits,
}

impl Request {
    /// Reads a body.
    ///
    /// A field that is `null` counts as absent, and is still passed on. `model` may be missing: the gate fills it.
    /// `preset` is this project's own field; it is never sent.
    ///
    /// Errors: `payload_too_large` over [`Limits::request_body`]; `invalid_request` for what is not strict JSON (see
    /// [`check_json`]), a field of a wrong type or range, or one that would choose the upstream's address or key.
    pub fn parse(endpoint: Endpoint, body: &[u8], limits: &Limits) -> Result<Request, Error> {
        if endpoint.is_upload() {
            let message = "The body has to be multipart/form-data.";
            return Err(Error::new(ErrorKind::UnsupportedMediaType, message).with_param("content-type"));
        }
        Self::read(endpoint, body, limits)
    }

    /// Reads a form with a file: the body of an endpoint that [takes uploads](Endpoint::is_upload), and its content type.
    ///
    /// It is written anew for each upstream, fields first.
    ///
    /// Errors: `payload_too_large` over [`Limits::audio_body`]; `unsupported_media_type` for what is no form; `invalid_request` for one that
    /// is malformed, cut off or without its `file`, and for fields as [`Request::parse`] has it.
    pub fn parse_form(endpoint: Endpoint, content_type: &str, body: &[u8], limits: &Limits) -> Result<Request, Error> {
        Self::of_form(endpoint, Form::read(content_type, body, limits)?, limits)
    }

    pub(crate) fn of_form(endpoint: Endpoint, form: Form, limits: &Limits) -> Result<Request, Error> {
        let read = Self::read(endpoint, form.to_json().as_bytes(), limits)?;
        Ok(Request { form: Some(form), ..read })
    }

    fn read(endpoint: Endpoint, body: &[u8], limits: &Limits) -> Result<Request, Error> {
        let text = match endpoint {
            Endpoint::Completions => check_json_but(body, limits, Some("prompt"))?,
            Endpoint::Embeddings => check_json_but(body, limits, Some("input"))?,
            _ => check_json(body, limits)?,
        };
        let kind = Kind::of(text.trim_start());
        if kind != Kind::Object {
            let message = format!("Expected a JSON object, found {}.", kind.name());
            return Err(Error::new(ErrorKind::InvalidRequest, message));
        }
        let members = members(text, Span { start: 0, end: text.len() })?;
        for member in &members {
            let name = member.name(text);
            host::check(text, &name, *member, limits)?;
            field::check(text, &name, &name, member.value, endpoint, None)?;
        }
        let value = |name: &str| find(text, &members, name);
        let messages = match endpoint {
            Endpoint::ChatCompletions => message::read(text, value("messages"), limits)?,
            Endpoint::Completions => prompt::check(text, "prompt", value("prompt")).map(|()| Vec::new())?,
            other => shape::check(other, text, &members, limits).map(|()| Vec::new())?,
        };
        let truth = |member: Member| member.value.of(text) == "true";
        let is_completion = endpoint.is_completion();
        let body_stream =
            if is_completion { value("stream").map(truth) } else { shape::stream(endpoint, text, &members) };
        let include_usage = match value("stream_options").filter(|_| is_completion) {
            Some(options) => find(text, &span::members(text, options.value)?, "include_usage").is_some_and(truth),
            None => false,
        };
        let preset = value("preset").filter(|_| is_completion);
        let preset = preset.map(|preset| string(preset.value.of(text)).parse()).transpose()?;
        let model = value("model").map(|model| string(model.value.of(text)).into_owned());
        let text = text.to_owned();
        let (stream, usage_refused, limits) = (body_stream, false, *limits);
        Ok(Request {
            endpoint,
            text,
            members,
            messages,
            model,
            body_stream,
            stream,
            include_usage,
            preset,
            usage_refused,
            form: None,
            limits,
        })
    }

    /// The same request with an edited body. `None` if that is no request any more, or one over the limits.
    fn edited(&self, edit: Edit<'_>) -> Option<Request> {
        let (text, _) = edit.finish();
        let parsed = Request::parse(self.endpoint, text.as_bytes(), &self.limits).ok()?;
        let (model, stream, preset) = (self.model.clone(), self.stream, self.preset);
        Some(Request { model, stream, preset, usage_refused: self.usage_refused, ..parsed })
    }

    /// What is asked for.
    pub fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    /// The model that the caller asks for.
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// Whether the answer is to be streamed: what the request says, else what its preset says, else no.
    pub fn is_stream(&self) -> bool {
        self.stream.unwrap_or(self.preset == Some(Preset::Realtime))
    }

    /// Whether the caller asks for a stream that ends with token counts.
    pub fn wants_usage(&self) -> bool {
        self.is_stream() && self.include_usage
    }

    /// How many choices the answer is to have: `n` for each prompt. 1 where it cannot be told.
    pub fn choices(&self) -> u32 {
        if !self.endpoint.is_completion() {
            return 1;
        }
        let n = find(&self.text, &self.members, "n").and_then(|n| n.value.of(&self.text).parse().ok()).unwrap_or(1_u32);
        let prompts = find(&self.text, &self.members, "prompt").map_or(1, |prompt| prompt::count(&self.text, prompt));
        n.saturating_mul(prompts).max(1)
    }

    /// The preset, from the body or from [`with_preset`](Request::with_preset).
    pub fn preset(&self) -> Option<Preset> {
        self.preset
    }

    /// Asks for this model instead.
    pub fn with_model(mut self, model: &str) -> Self {
        self.model = Some(model.to_owned());
        self
    }

    /// Asks for a stream, or for a whole answer, whatever the body and the preset say.
    pub fn with_stream(mut self, stream: bool) -> Self {
        self.stream = Some(stream);
        self
    }

    /// Applies this preset instead.
    pub fn with_preset(mut self, preset: Preset) -> Self {
        self.preset = Some(preset);
        self
    }
}

impl fmt::Debug for Request {
    /// Sizes and settings only: the body holds prompts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("endpoint", &self.endpoint)
            .field("bytes", &self.text.len())
            .field("messages", &self.messages.len())
            .field("stream", &self.is_stream())
            .field("preset", &self.preset)
            .finish_non_exhaustive()
    }
}

//! From a guide's body to a chat body: what the guides have in common.
//!
//! The chat body is written from slices of the guide's: a field that both know, or that neither knows, goes through as it stands there.
//! Linear in the body, and holds it twice.

use super::inputs;
use crate::error::{Error, ErrorKind};
use crate::json::check_json;
use crate::json::write::quoted;
use crate::limits::Limits;
use crate::request::fault::{invalid, wrong_type};
use crate::request::span::{Kind, Member, Span, find, items, members, string};
use crate::request::{Dialect, Endpoint, Preset, host};

/// How many stop sequences any upstream takes; those of one upstream are checked when the request is built for it.
const MOST_STOPS: usize = 16;

/// The guides' own fields: translated, or written anew where they are null.
const OWN: &[&str] = &["model", "prompt", "inputs", "messages", "stop_sequences"];
/// Fields of both, which get a default: null is left out, for the default to take its place.
const DEFAULTED: &[&str] =
    &["temperature", "max_tokens", "top_p", "stop", "stream", "preset", "stream_options", "max_completion_tokens"];

/// A guide's request as a chat request.
pub struct Translated {
    /// The body of `POST /v1/chat/completions`.
    pub body: Vec<u8>,
    /// Whether the answer is to be streamed.
    pub stream: bool,
    /// Whether the body named no model.
    is_default_model: bool,
    /// Whether the body said no `max_tokens`, and a default is written.
    is_default_bound: bool,
    /// What the guide's caller calls the stop sequences, and the message.
    stop: &'static str,
    said: &'static str,
}

impl Translated {
    /// Whether the body named no model, so that the default one is asked for.
    pub fn uses_default_model(&self) -> bool {
        self.is_default_model
    }

    /// Whether `max_tokens` is a default and not the caller's wish: the answer may be made shorter.
    pub fn uses_default_max_tokens(&self) -> bool {
        self.is_default_bound
    }

    /// An error about the chat body, such as an upstream's, with the guide's name for the field.
    pub fn named(&self, error: Error) -> Error {
        let Some(param) = error.param() else { return error };
        let param = if param == "messages" || param.starts_with("messages[") {
            self.said.to_owned()
        } else {
            match param.strip_prefix("stop").filter(|rest| rest.is_empty() || rest.starts_with('[')) {
                Some(rest) => [self.stop, rest].concat(),
                None => return error,
            }
        };
        error.with_param(param)
    }
}

impl core::fmt::Debug for Translated {
    /// Without the body: it holds the prompt.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Translated")
            .field("bytes", &self.body.len())
            .field("stream", &self.stream)
            .finish_non_exhaustive()
    }
}

/// A guide's body, checked as JSON and taken apart.
pub(super) struct Source<'a> {
    pub(super) text: &'a str,
    pub(super) members: Vec<Member>,
}

impl<'a> Source<'a> {
    pub(super) fn read(body: &'a [u8], limits: &Limits) -> Result<Self, Error> {
        let text = check_json(body, limits)?;
        let kind = Kind::of(text.trim_start());
        if kind != Kind::Object {
            let message = ["Expected a JSON object, found ", kind.name(), "."].concat();
            return Err(Error::new(ErrorKind::InvalidRequest, message));
        }
        let members = members(text, Span { start: 0, end: text.len() })?;
        for member in &members {
            host::check(text, &member.name(text), *member, limits)?;
        }
        Ok(Source { text, members })
    }

    /// The field, unless it is null.
    pub(super) fn find(&self, name: &str) -> Option<Member> {
        find(self.text, &self.members, name)
    }

    /// The field's text, unless it is null or of another type.
    pub(super) fn of_kind(&self, name: &str, kind: Kind) -> Result<Option<&'a str>, Error> {
        let Some(field) = self.find(name) else { return Ok(None) };
        match field.kind(self.text) {
            found if found == kind => Ok(Some(field.value.of(self.text))),
            found => Err(wrong_type(name, kind.name(), found)),
        }
    }

    fn preset(&self) -> Result<Option<Preset>, Error> {
        self.of_kind("preset", Kind::String)?.map(|name| string(name).parse()).transpose()
    }

    /// The stop sequences as JSON text; `None` if there are none to be sent.
    fn stops(&self, preset: Option<Preset>) -> Result<Option<&'a str>, Error> {
        const NAME: &str = "stop_sequences";
        let Some(field) = self.find(NAME) else { return Ok(None) };
        if self.find("stop").is_some() {
            return Err(invalid(NAME, "Use either stop or stop_sequences."));
        }
        let raw = field.value.of(self.text);
        let check = |param: &str, raw: &str| match Kind::of(raw) {
            Kind::String if string(raw).is_empty() => Err(invalid(param, "Must not be empty.")),
            Kind::String => Ok(()),
            kind => Err(wrong_type(param, "a string", kind)),
        };
        match field.kind(self.text) {
            Kind::String => check(NAME, raw)?,
            Kind::Array => {
                let stops = items(self.text, field.value)?;
                for (index, stop) in stops.iter().enumerate() {
                    let param = [NAME, "[", &index.to_string(), "]"].concat();
                    check(&param, stop.of(self.text))?;
                    if index >= MOST_STOPS {
                        return Err(invalid(param, ["At most ", &MOST_STOPS.to_string(), " are allowed."].concat()));
                    }
                }
                // An empty list says something only where a preset would say otherwise.
                if stops.is_empty() && preset.is_none() {
                    return Ok(None);
                }
            }
            kind => return Err(wrong_type(NAME, "an array of strings", kind)),
        }
        Ok(Some(raw))
    }

    /// The chat body, for a model given as JSON text, with what is said where the body says nothing.
    pub(super) fn translate(
        &self,
        model: &str,
        stream: bool,
        defaults: &[(&'static str, &str)],
    ) -> Result<Translated, Error> {
        if self.find("messages").is_some() {
            return Err(invalid("messages", "This endpoint takes a prompt; /v1/chat/completions takes messages."));
        }
        let preset = self.preset()?;
        let stops = self.stops(preset)?;
        let said_stream = self.of_kind("stream", Kind::Boolean)?;
        let (prompt, inputs) = (self.find("prompt"), self.find("inputs"));
        let content = inputs::content(self.text, prompt, inputs)?;

        let mut chat = Chat(String::with_capacity(self.text.len() + 256));
        chat.field("\"model\"", model);
        chat.field("\"messages\"", &["[{\"role\":\"user\",\"content\":", &content, "}]"].concat());
        for member in &self.members {
            let name = member.name(self.text);
            let is = |names: &[&str]| names.contains(&&*name);
            if is(OWN) || (is(DEFAULTED) && member.kind(self.text) == Kind::Null) {
                continue;
            }
            chat.field(member.key.of(self.text), member.value.of(self.text));
        }
        if let Some(stops) = stops {
            chat.field("\"stop\"", stops);
        }
        let mut is_default_bound = false;
        for (name, value) in defaults {
            let is_alias = *name == "max_tokens" && self.find("max_completion_tokens").is_some();
            if self.find(name).is_none() && !is_alias && !preset.is_some_and(|preset| sets(preset, name)) {
                chat.field(&quoted(name), value);
                is_default_bound |= *name == "max_tokens";
            }
        }
        let by_preset = preset.is_some_and(|preset| sets(preset, "stream"));
        let is_stream = said_stream.map_or(stream || by_preset, |said| said == "true");
        if is_stream {
            if said_stream.is_none() {
                chat.field("\"stream\"", "true");
            }
            // The guides' answers end with token counts.
            if self.find("stream_options").is_none() {
                chat.field("\"stream_options\"", "{\"include_usage\":true}");
            }
        }
        chat.0.push('}');
        Ok(Translated {
            body: chat.0.into_bytes(),
            stream: is_stream,
            is_default_model: self.find("model").is_none(),
            is_default_bound,
            stop: if stops.is_some() { "stop_sequences" } else { "stop" },
            said: if inputs.is_some() { "inputs" } else { "prompt" },
        })
    }
}

/// Whether a preset has a value of its own for a field, whatever the upstream.
fn sets(preset: Preset, field: &str) -> bool {
    preset.rows(Endpoint::ChatCompletions, Dialect::OpenAi, "").any(|row| row.field == field)
}

struct Chat(String);

impl Chat {
    /// `name` with its quotes.
    fn field(&mut self, name: &str, value: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push_str(name);
        self.0.push(':');
        self.0.push_str(value);
    }
}

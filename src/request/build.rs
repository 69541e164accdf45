//! From a checked request to the bytes for one upstream.

use super::dialect::{Dialect, IGNORED_WHILE_THINKING};
use super::edit::Edit;
use super::endpoint::Endpoint;
use super::fault::invalid;
use super::message::{Message, Role};
use super::replay::Replay;
use super::span::{Kind, Member, find, members, quoted};
use super::{Request, field};
use crate::error::Error;
use core::fmt;
use std::borrow::Cow;

/// The upstream that a request is built for.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// How the upstream speaks.
    pub dialect: Dialect,
    /// The upstream's own id of the model. Empty: the request's model.
    pub model: &'a str,
    /// What happens to earlier reasoning; `None`: as [`Replay::for_model`] has it.
    pub replay: Option<Replay>,
    /// Whether to ask for token counts on streams, also where the caller did not.
    pub add_usage: bool,
}

/// A request as it is sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Built {
    /// What is asked for.
    pub endpoint: Endpoint,
    /// Behind the API's base: [`Endpoint::path`]; of the vendor's own where it serves this elsewhere.
    pub path: &'static str,
    /// Whether the vendor serves this only at its base for what it calls beta: [`url`](super::url()) knows the address.
    pub beta: bool,
    /// JSON, or the form that came.
    pub body: Vec<u8>,
    /// What the body is: `application/json`, or the form's type with its boundary.
    pub content_type: Cow<'static, str>,
    /// Whether the body asks for a stream.
    pub stream: bool,
    /// How many choices the answer is to have: `n` for each prompt.
    pub choices: u32,
    /// Whether token counts were asked for by us alone, so that the chunk that holds nothing else is not for the caller.
    pub usage_added: bool,
    /// Whether the body differs from what the caller sent.
    pub changed: bool,
    /// What the caller should hear of, once for each field.
    pub changes: Vec<Change>,
}

/// Something that was changed or left out for an upstream, or that the upstream will ignore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The field's path in the caller's request; the first one's, where several were changed alike.
    pub field: String,
    /// What happened to it, without its value.
    pub what: Cow<'static, str>,
}

impl fmt::Debug for Built {
    /// Without the body: it holds prompts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Built")
            .field("path", &self.path)
            .field("beta", &self.beta)
            .field("bytes", &self.body.len())
            .field("stream", &self.stream)
            .field("usage_added", &self.usage_added)
            .field("changed", &self.changed)
            .field("changes", &self.changes)
            .finish()
    }
}

impl Request {
    /// The request for one upstream: its model's id, the preset (fields that the caller set win), the dialect's names and
    /// roles, the replay policy, the wish for token counts. All else stays as the caller wrote it, byte for byte.
    ///
    /// Building what was built, for the same target, changes nothing.
    ///
    /// Errors: `invalid_request` for a field out of the dialect's range, or no model at all.
    pub fn build(&self, target: &Target<'_>) -> Result<Built, Error> {
        let edit = Edit::new(&self.text, &self.members);
        let mut build = Build { request: self, target, text: &self.text, edit, changes: Vec::new(), model: "" };
        build.ranges()?;
        build.model()?;
        let mut usage_added = false;
        if self.endpoint.is_completion() {
            build.preset();
            build.names();
            usage_added = build.stream()?;
            build.roles();
            build.reasoning()?;
        } else {
            build.names();
        }
        let (model, changes) = (build.model, build.changes);
        let (body, changed) = build.edit.finish();
        let (content_type, body) = match &self.form {
            Some(form) => {
                let (content_type, body) = form.write(model);
                (content_type.into(), body)
            }
            None => (JSON.into(), body.into_bytes()),
        };
        Ok(Built {
            endpoint: self.endpoint,
            path: path(self.endpoint, target.dialect),
            beta: self.is_beta(target.dialect),
            body,
            content_type,
            stream: self.is_stream(),
            choices: self.choices(),
            usage_added,
            changed: changed || self.form.is_some(),
            changes,
        })
    }

    /// DeepSeek goes on with a message that has `prefix: true`, and fills in texts, at its beta address alone.
    fn is_beta(&self, dialect: Dialect) -> bool {
        let continues = |message: &Message| message.prefix && message.role == Role::Assistant;
        dialect == Dialect::DeepSeek
            && (self.endpoint == Endpoint::Completions || self.messages.last().is_some_and(continues))
    }
}

const JSON: &str = "application/json";

/// DeepSeek serves Anthropic's protocol at a base of its own: [`url`](super::url()) puts it in the place of `/v1`.
fn path(endpoint: Endpoint, dialect: Dialect) -> &'static str {
    match (endpoint, dialect) {
        (Endpoint::Messages, Dialect::DeepSeek) => "/anthropic/v1/messages",
        _ => endpoint.path(),
    }
}

struct Build<'a> {
    request: &'a Request,
    target: &'a Target<'a>,
    text: &'a str,
    edit: Edit<'a>,
    changes: Vec<Change>,
    model: &'a str,
}

impl<'a> Build<'a> {
    fn find(&self, name: &str) -> Option<Member> {
        find(self.text, &self.request.members, name)
    }

    fn note(&mut self, field: &str, what: impl Into<Cow<'static, str>>) {
        self.note_change(field, what.into());
    }

    #[inline(never)]
    fn note_change(&mut self, field: &str, what: Cow<'static, str>) {
        self.changes.push(Change { field: field.to_owned(), what });
    }

    fn ranges(&self) -> Result<(), Error> {
        let (endpoint, dialect) = (self.request.endpoint, self.target.dialect);
        for member in &self.request.members {
            let name = member.name(self.text);
            let known_as = dialect.field_name(endpoint, &name).unwrap_or(&name);
            field::check(self.text, &name, known_as, member.value, endpoint, Some(dialect))?;
        }
        Ok(())
    }

    fn model(&mut self) -> Result<(), Error> {
        self.model = match self.target.model {
            "" => self.request.model().unwrap_or_default(),
            model => model,
        };
        if self.model.is_empty() {
            return Err(invalid("model", "Required: a string."));
        }
        if !self.find("model").is_some_and(|member| member.says(self.text, self.model)) {
            self.edit.set("model", quoted(self.model));
        }
        Ok(())
    }

    /// Applies the preset, then tells what a thinking model does with sampling fields.
    fn preset(&mut self) {
        self.edit.remove("preset");
        let (endpoint, dialect) = (self.request.endpoint, self.target.dialect);
        let (mut set, mut ignored) = (Vec::new(), true);
        for row in self.request.preset.into_iter().flat_map(|preset| preset.rows(endpoint, dialect, self.model)) {
            let taken = self.find(row.field).is_some() || row.aliases.iter().any(|alias| self.find(alias).is_some());
            ignored &= taken;
            if !taken {
                set.push(row.field);
                // Streaming is decided together with with_stream: see Build::stream.
                if row.field != "stream" {
                    self.edit.set(row.field, row.value);
                }
            }
        }
        if self.request.preset.is_some() && ignored {
            self.note("preset", "Ignored: the request sets every field that it would set.");
        }
        if self.thinks() && !set.contains(&"thinking") {
            for &name in IGNORED_WHILE_THINKING {
                if set.contains(&name) || self.find(name).is_some() {
                    self.note(name, "Sent, but this model ignores it while it thinks.");
                }
            }
            if set.contains(&"max_tokens") {
                self.note("max_tokens", "Set by the preset; this model's thinking counts towards it.");
            }
        }
    }

    /// Whether the model thinks before it answers, as far as the request decides it.
    fn thinks(&self) -> bool {
        let disabled = || {
            let thinking = self.find("thinking").filter(|member| member.kind(self.text) == Kind::Object)?;
            let fields = members(self.text, thinking.value).ok()?;
            let tag = find(self.text, &fields, "type")?;
            Some(tag.says(self.text, "disabled"))
        };
        self.request.endpoint == Endpoint::ChatCompletions
            && self.target.dialect.thinks_by_default(self.model)
            && !disabled().unwrap_or(false)
    }

    fn names(&mut self) {
        for member in &self.request.members {
            let name = member.name(self.text);
            let Some(new) = self.target.dialect.field_name(self.request.endpoint, &name) else { continue };
            if member.kind(self.text) == Kind::Null {
                continue;
            }
            match self.request.members.iter().find(|other| other.is(self.text, new)) {
                None => self.edit.replace(member.key, quoted(new)),
                Some(other) => {
                    self.edit.remove(&name);
                    if other.kind(self.text) != Kind::Null {
                        let what = ["Left out: ", new, " is set as well, and this upstream knows only that."].concat();
                        self.note(&name, what);
                        continue;
                    }
                    self.edit.replace(other.value, member.value.of(self.text).to_owned());
                }
            }
            self.note(&name, ["Sent as ", new, ": this upstream knows no other name."].concat());
        }
    }

    /// `stream` and `stream_options`; whether token counts were asked for by us.
    fn stream(&mut self) -> Result<bool, Error> {
        let request = self.request;
        let options = self.find("stream_options");
        if !request.is_stream() {
            if request.body_stream == Some(true) {
                self.edit.set("stream", "false");
            }
            if options.is_some() {
                self.edit.remove("stream_options");
                self.note(
                    "stream_options",
                    "Left out: the answer is not streamed, and comes with token counts anyway.",
                );
            }
            return Ok(false);
        }
        if request.body_stream != Some(true) {
            self.edit.set("stream", "true");
        }
        if !self.target.add_usage || request.include_usage || request.usage_refused {
            return Ok(false);
        }
        let Some(options) = options else {
            self.edit.set("stream_options", r#"{"include_usage":true}"#);
            return Ok(true);
        };
        let fields = members(self.text, options.value)?;
        match fields.iter().find(|field| field.is(self.text, "include_usage")) {
            Some(field) => self.edit.replace(field.value, "true"),
            None => self.edit.add_nested(options.value, fields.is_empty(), r#""include_usage":true"#),
        }
        Ok(true)
    }

    fn roles(&mut self) {
        let mut renamed = Vec::new();
        for (index, message) in self.request.messages.iter().enumerate() {
            if let Some(new) = self.target.dialect.role_name(message.role.as_str()) {
                self.edit.replace(message.role_span, quoted(new));
                renamed.push((index, message.role.as_str(), new));
            }
        }
        if let Some((index, old, new)) = renamed.first() {
            let what = format!("Sent as {new}: this upstream has no role {old}{}.", others(renamed.len()));
            self.note(&format!("messages[{index}].role"), what);
        }
    }

    fn reasoning(&mut self) -> Result<(), Error> {
        let request = self.request;
        let policy = self.target.replay.unwrap_or_else(|| Replay::for_model(self.target.dialect, self.model));
        let stripped = policy.stripped(&request.messages);
        for message in stripped.iter().filter_map(|&index| request.messages.get(index)) {
            self.strip(message)?;
        }
        if let Some(index) = stripped.first() {
            let why = match policy {
                Replay::WithTools => "this model takes it back only for turns in which tools were called",
                _ => "this model refuses to have it back",
            };
            let what = format!("Left out: {why}{}.", others(stripped.len()));
            self.note(&format!("messages[{index}].reasoning_content"), what);
        }
        Ok(())
    }

    fn strip(&mut self, message: &Message) -> Result<(), Error> {
        let fields = members(self.text, message.span)?;
        let position = |name: &str| fields.iter().position(|field| field.is(self.text, name));
        if let Some(index) = position("reasoning_content") {
            self.edit.remove_nested(&fields, index);
        }
        // A message must say something, if only an empty text.
        if message.only_reasoning {
            match position("content").and_then(|index| fields.get(index)) {
                Some(content) => self.edit.replace(content.value, r#""""#),
                None => self.edit.add_nested(message.span, false, r#""content":"""#),
            }
        }
        Ok(())
    }
}

/// ` (and so 2 more)` where three fields were changed alike.
pub(super) fn others(count: usize) -> String {
    match count {
        0 | 1 => String::new(),
        more => format!(" (and so {} more)", more - 1),
    }
}

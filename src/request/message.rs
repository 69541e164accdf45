//! The messages of a chat request: checked once, kept as the few facts that building needs.

use super::fault::{invalid, wrong_or_missing, wrong_type};
use super::span::{Kind, Member, Span, find, items, members, members_into, string};
use crate::error::Error;
use crate::limits::Limits;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    System,
    Developer,
    User,
    Assistant,
    Tool,
    Function,
}

impl Role {
    const ALL: &'static [Role] =
        &[Role::System, Role::Developer, Role::User, Role::Assistant, Role::Tool, Role::Function];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Role::System => "system",
            Role::Developer => "developer",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => "tool",
            Role::Function => "function",
        }
    }

    fn named(name: &str) -> Option<Role> {
        Role::ALL.iter().find(|role| role.as_str() == name).copied()
    }
}

/// What building needs to know of a checked message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message {
    pub(crate) span: Span,
    pub(crate) role: Role,
    /// The role's value in the text.
    pub(crate) role_span: Span,
    /// Whether it is an assistant's call of at least one tool.
    pub(crate) calls_tools: bool,
    /// Whether it has a `reasoning_content` that is not null.
    pub(crate) reasoning: bool,
    /// Whether `reasoning_content` is all that it says.
    pub(crate) only_reasoning: bool,
    /// Whether it has `prefix: true`.
    pub(crate) prefix: bool,
}

/// Checks `messages` and reads what building needs.
pub(crate) fn read(text: &str, field: Option<Member>, limits: &Limits) -> Result<Vec<Message>, Error> {
    let found = field.map(|field| field.kind(text));
    let Some(field) = field.filter(|field| field.kind(text) == Kind::Array) else {
        return Err(wrong_or_missing("messages", "an array of messages", found));
    };
    let spans = items(text, field.value)?;
    if spans.is_empty() {
        return Err(invalid("messages", "Must not be empty."));
    }
    if spans.len() > limits.messages {
        return Err(invalid("messages", format!("At most {} messages are allowed.", limits.messages)));
    }
    let mut fields = Vec::new();
    let mut messages = Vec::with_capacity(spans.len());
    for (index, span) in spans.into_iter().enumerate() {
        let kind = Kind::of(span.of(text));
        if kind != Kind::Object {
            return Err(wrong_type(format!("messages[{index}]"), "an object", kind));
        }
        members_into(text, span, &mut fields)?;
        messages.push(Reader { text, index, fields: &fields }.message(span)?);
    }
    Ok(messages)
}

struct Reader<'a> {
    text: &'a str,
    index: usize,
    fields: &'a [Member],
}

impl Reader<'_> {
    #[cold]
    #[inline(never)]
    fn path(&self, name: &str) -> String {
        format!("messages[{}].{name}", self.index)
    }

    fn find(&self, name: &str) -> Option<Member> {
        find(self.text, self.fields, name)
    }

    fn required(&self, name: &str, kind: Kind) -> Result<Member, Error> {
        self.optional(name, kind)?.ok_or_else(|| wrong_or_missing(self.path(name), kind.name(), None))
    }

    fn optional(&self, name: &str, kind: Kind) -> Result<Option<Member>, Error> {
        match self.find(name) {
            Some(member) if member.kind(self.text) != kind => {
                Err(wrong_type(self.path(name), kind.name(), member.kind(self.text)))
            }
            member => Ok(member),
        }
    }

    fn message(&self, span: Span) -> Result<Message, Error> {
        let role_member = self.required("role", Kind::String)?;
        let role = Role::named(&string(role_member.value.of(self.text))).ok_or_else(|| {
            invalid(self.path("role"), "Not one of system, developer, user, assistant, tool, function.")
        })?;
        let calls_tools = role == Role::Assistant && self.tool_calls()?;
        let reasoning = self.optional("reasoning_content", Kind::String)?.is_some();
        let prefix = self.optional("prefix", Kind::Boolean)?.is_some_and(|prefix| prefix.value.of(self.text) == "true");
        self.optional("name", Kind::String)?;
        let voiced = self.content(role, calls_tools, reasoning)?;
        let only_reasoning = reasoning && !voiced;
        match role {
            // May be empty: some servers give their calls no id, and it is for them to judge.
            Role::Tool => self.required("tool_call_id", Kind::String).map(drop)?,
            Role::Function => self.identifier("name")?,
            _ => {}
        }
        Ok(Message { span, role, role_span: role_member.value, calls_tools, reasoning, only_reasoning, prefix })
    }

    fn identifier(&self, name: &str) -> Result<(), Error> {
        let member = self.required(name, Kind::String)?;
        if member.says(self.text, "") {
            return Err(invalid(self.path(name), "Must not be empty."));
        }
        Ok(())
    }

    /// Checks the content. An assistant may go without where it says something by other means: true unless that is
    /// reasoning alone.
    fn content(&self, role: Role, calls_tools: bool, reasoning: bool) -> Result<bool, Error> {
        const EXPECTED: &str = "a string or an array of parts";
        match self.find("content") {
            Some(content) => match content.kind(self.text) {
                Kind::String => Ok(true),
                Kind::Array => self.parts(content.value).map(|()| true),
                kind => Err(wrong_type(self.path("content"), EXPECTED, kind)),
            },
            None => {
                let voices = ["function_call", "refusal", "audio", "reasoning", "reasoning_details"];
                let voiced = calls_tools || voices.iter().any(|name| self.find(name).is_some());
                if role == Role::Assistant && (voiced || reasoning) {
                    return Ok(voiced);
                }
                let null = self.fields.iter().any(|field| field.is(self.text, "content"));
                // A function that returned nothing, as OpenAI has it.
                if role == Role::Function && null {
                    return Ok(true);
                }
                Err(wrong_or_missing(self.path("content"), EXPECTED, null.then_some(Kind::Null)))
            }
        }
    }

    fn parts(&self, span: Span) -> Result<(), Error> {
        let parts = items(self.text, span)?;
        if parts.is_empty() {
            return Err(invalid(self.path("content"), "Must not be empty."));
        }
        for (index, part) in parts.into_iter().enumerate() {
            self.part(index, part)?;
        }
        Ok(())
    }

    fn part(&self, index: usize, span: Span) -> Result<(), Error> {
        let text = self.text;
        let item = Item { message: self, list: "content", index };
        let part = item.members(span)?;
        let tag = item.required(&part, ".type", Kind::String)?;
        if tag.says(text, "text") {
            item.required(&part, ".text", Kind::String)?;
        } else if tag.says(text, "image_url") {
            // Mistral and Ollama take the address itself.
            if let Some(url) = find(text, &part, "image_url").filter(|url| url.kind(text) == Kind::String) {
                return match url.value.of(text) {
                    r#""""# => Err(invalid(item.path(".image_url"), "Must not be empty.")),
                    _ => Ok(()),
                };
            }
            let image = item.required(&part, ".image_url", Kind::Object)?;
            let image = members(text, image.value)?;
            let url = item.required(&image, ".image_url.url", Kind::String)?;
            if url.value.of(text) == r#""""# {
                return Err(invalid(item.path(".image_url.url"), "Must not be empty."));
            }
            if find(text, &image, "detail").is_some() {
                item.required(&image, ".image_url.detail", Kind::String)?;
            }
        }
        Ok(())
    }

    /// Whether there are tool calls, each of a known shape. Calls of other types than `function` pass through.
    fn tool_calls(&self) -> Result<bool, Error> {
        let text = self.text;
        let Some(calls) = self.optional("tool_calls", Kind::Array)? else { return Ok(false) };
        let calls = items(text, calls.value)?;
        for (index, &span) in calls.iter().enumerate() {
            let item = Item { message: self, list: "tool_calls", index };
            let call = item.members(span)?;
            item.required(&call, ".id", Kind::String)?;
            if find(text, &call, "type").is_some_and(|tag| !tag.says(text, "function")) {
                continue;
            }
            let function = item.required(&call, ".function", Kind::Object)?;
            let function = members(text, function.value)?;
            item.required(&function, ".function.name", Kind::String)?;
            item.required(&function, ".function.arguments", Kind::String)?;
        }
        Ok(!calls.is_empty())
    }
}

/// One object of a list in a message.
struct Item<'a> {
    message: &'a Reader<'a>,
    list: &'static str,
    index: usize,
}

impl Item<'_> {
    /// `messages[2].content[0].type` for `.type`.
    #[cold]
    #[inline(never)]
    fn path(&self, within: &str) -> String {
        self.message.path(&format!("{}[{}]{within}", self.list, self.index))
    }

    fn members(&self, span: Span) -> Result<Vec<Member>, Error> {
        let kind = Kind::of(span.of(self.message.text));
        if kind != Kind::Object {
            return Err(wrong_type(self.path(""), "an object", kind));
        }
        members(self.message.text, span)
    }

    /// The member that `within` ends with, which must be there and of `kind`.
    #[inline(never)]
    fn required(&self, members: &[Member], within: &str, kind: Kind) -> Result<Member, Error> {
        let name = memchr::memrchr(b'.', within.as_bytes()).and_then(|dot| within.get(dot + 1..)).unwrap_or(within);
        let member = find(self.message.text, members, name);
        let found = member.map(|member| member.kind(self.message.text));
        member.filter(|_| found == Some(kind)).ok_or_else(|| wrong_or_missing(self.path(within), kind.name(), found))
    }
}

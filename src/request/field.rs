//! What each field may hold: one row per field, and per dialect where dialects differ.
//!
//! Rows without a dialect hold for all and are checked when a request is parsed; the others when it is built for an
//! upstream. Fields without a row pass through untouched.

use super::dialect::Dialect;
use super::endpoint::Endpoint;
use super::fault::{invalid, wrong_or_missing, wrong_type};
use super::span::{Kind, Member, Span, find, items, members, string};
use crate::error::Error;
use crate::json::number::scaled;

struct Row {
    field: &'static str,
    endpoints: &'static [Endpoint],
    dialect: Option<Dialect>,
    expect: Expect,
}

#[derive(Clone, Copy)]
enum Expect {
    Boolean,
    String,
    /// 1 to 512 of `A-Z a-z 0-9 _ -`.
    Identifier,
    /// Not empty, no control characters, at most 256 bytes.
    Model,
    /// From (at most 0), to, both included.
    Number(i32, u32),
    /// From, to, both included; written without fraction or exponent.
    Integer(i64, i64),
    Object,
    StringOrObject,
    /// An object whose `type` is one of these strings; any string when there are none.
    Tagged(&'static [&'static str]),
    /// An object, with a boolean `include_usage` if any.
    StreamOptions,
    /// A string, or an array of at most so many.
    Strings(usize),
    /// An array of at most so many tools.
    Tools(usize),
    StringOrArray,
    /// An array of at most so many objects.
    Objects(usize),
    /// An array, not empty, of strings or objects.
    Documents,
}

const ANY: Option<Dialect> = None;
const ALL: &[Endpoint] = Endpoint::ALL;
const BOTH: &[Endpoint] = &[Endpoint::ChatCompletions, Endpoint::Completions];
const CHAT: &[Endpoint] = &[Endpoint::ChatCompletions];
const TEXT: &[Endpoint] = &[Endpoint::Completions];
const EMBEDDINGS: &[Endpoint] = &[Endpoint::Embeddings];
const RERANK: &[Endpoint] = &[Endpoint::Rerank];
const IMAGES: &[Endpoint] = &[Endpoint::Images];
const SPEECH: &[Endpoint] = &[Endpoint::Speech];
const UPLOADS: &[Endpoint] = &[Endpoint::Transcriptions, Endpoint::Translations];
const RESPONSES: &[Endpoint] = &[Endpoint::Responses];
const MESSAGES: &[Endpoint] = &[Endpoint::Messages];
const TURNS: &[Endpoint] = &[Endpoint::Responses, Endpoint::Messages];
const OPENAI: Option<Dialect> = Some(Dialect::OpenAi);
const DEEPSEEK: Option<Dialect> = Some(Dialect::DeepSeek);
const SILICONFLOW: Option<Dialect> = Some(Dialect::SiliconFlow);
const I64: Expect = Expect::Integer(i64::MIN, i64::MAX);
const COUNT: Expect = Expect::Integer(1, u32::MAX as i64);

const fn row(field: &'static str, endpoints: &'static [Endpoint], dialect: Option<Dialect>, expect: Expect) -> Row {
    Row { field, endpoints, dialect, expect }
}

const ROWS: &[Row] = &[
    row("model", ALL, ANY, Expect::Model),
    row("preset", BOTH, ANY, Expect::String),
    row("stream", BOTH, ANY, Expect::Boolean),
    row("stream_options", BOTH, ANY, Expect::StreamOptions),
    row("temperature", BOTH, ANY, Expect::Number(0, 2)),
    row("top_p", BOTH, ANY, Expect::Number(0, 1)),
    row("presence_penalty", BOTH, ANY, Expect::Number(-2, 2)),
    row("frequency_penalty", BOTH, ANY, Expect::Number(-2, 2)),
    row("n", BOTH, ANY, Expect::Integer(1, 128)),
    row("seed", BOTH, ANY, I64),
    row("stop", BOTH, ANY, Expect::Strings(16)),
    row("stop", BOTH, OPENAI, Expect::Strings(4)),
    row("stop", BOTH, DEEPSEEK, Expect::Strings(16)),
    row("stop", BOTH, SILICONFLOW, Expect::Strings(4)),
    row("max_tokens", BOTH, ANY, COUNT),
    row("max_tokens", CHAT, DEEPSEEK, Expect::Integer(1, 393_216)),
    row("max_tokens", TEXT, DEEPSEEK, Expect::Integer(1, 4096)),
    row("max_completion_tokens", BOTH, ANY, COUNT),
    row("logit_bias", BOTH, ANY, Expect::Object),
    row("user", BOTH, ANY, Expect::String),
    row("user_id", BOTH, ANY, Expect::String),
    row("user_id", BOTH, DEEPSEEK, Expect::Identifier),
    row("metadata", BOTH, ANY, Expect::Object),
    row("logprobs", CHAT, ANY, Expect::Boolean),
    row("logprobs", TEXT, ANY, Expect::Integer(0, 20)),
    row("top_logprobs", CHAT, ANY, Expect::Integer(0, 20)),
    row("tools", CHAT, ANY, Expect::Tools(128)),
    row("tool_choice", CHAT, ANY, Expect::StringOrObject),
    row("parallel_tool_calls", CHAT, ANY, Expect::Boolean),
    row("response_format", CHAT, ANY, Expect::Tagged(&[])),
    row("response_format", CHAT, DEEPSEEK, Expect::Tagged(&["text", "json_object"])),
    row("reasoning_effort", CHAT, ANY, Expect::String),
    row("thinking", CHAT, DEEPSEEK, Expect::Tagged(&[])),
    row("enable_thinking", CHAT, SILICONFLOW, Expect::Boolean),
    row("thinking_budget", CHAT, SILICONFLOW, Expect::Integer(128, 32_768)),
    row("min_p", CHAT, SILICONFLOW, Expect::Number(0, 1)),
    row("suffix", TEXT, ANY, Expect::String),
    row("echo", TEXT, ANY, Expect::Boolean),
    row("best_of", TEXT, ANY, Expect::Integer(1, 20)),
    row("input", EMBEDDINGS, SILICONFLOW, Expect::Strings(32)),
    row("encoding_format", EMBEDDINGS, ANY, Expect::String),
    row("dimensions", EMBEDDINGS, ANY, COUNT),
    row("user", EMBEDDINGS, ANY, Expect::String),
    row("query", RERANK, ANY, Expect::String),
    row("documents", RERANK, ANY, Expect::Documents),
    row("top_n", RERANK, ANY, COUNT),
    row("return_documents", RERANK, ANY, Expect::Boolean),
    row("max_chunks_per_doc", RERANK, ANY, COUNT),
    row("overlap_tokens", RERANK, ANY, Expect::Integer(0, u32::MAX as i64)),
    row("overlap_tokens", RERANK, SILICONFLOW, Expect::Integer(0, 80)),
    row("prompt", IMAGES, ANY, Expect::String),
    row("negative_prompt", IMAGES, ANY, Expect::String),
    row("n", IMAGES, ANY, Expect::Integer(1, 10)),
    row("size", IMAGES, ANY, Expect::String),
    row("quality", IMAGES, ANY, Expect::String),
    row("style", IMAGES, ANY, Expect::String),
    row("response_format", IMAGES, ANY, Expect::String),
    row("output_format", IMAGES, ANY, Expect::String),
    row("output_compression", IMAGES, ANY, Expect::Integer(0, 100)),
    row("partial_images", IMAGES, ANY, Expect::Integer(0, 3)),
    row("stream", IMAGES, ANY, Expect::Boolean),
    row("image_size", IMAGES, ANY, Expect::String),
    row("batch_size", IMAGES, ANY, COUNT),
    row("batch_size", IMAGES, SILICONFLOW, Expect::Integer(1, 4)),
    row("num_inference_steps", IMAGES, SILICONFLOW, Expect::Integer(1, 100)),
    row("guidance_scale", IMAGES, SILICONFLOW, Expect::Number(0, 20)),
    row("seed", IMAGES, SILICONFLOW, Expect::Integer(0, 9_999_999_999)),
    row("input", SPEECH, ANY, Expect::String),
    row("voice", SPEECH, ANY, Expect::StringOrObject),
    row("instructions", SPEECH, ANY, Expect::String),
    row("response_format", SPEECH, ANY, Expect::String),
    row("stream_format", SPEECH, ANY, Expect::String),
    row("stream", SPEECH, ANY, Expect::Boolean),
    row("speed", SPEECH, ANY, Expect::Number(0, 4)),
    row("gain", SPEECH, SILICONFLOW, Expect::Number(-10, 10)),
    row("sample_rate", SPEECH, ANY, COUNT),
    row("prompt", UPLOADS, ANY, Expect::String),
    row("language", UPLOADS, ANY, Expect::String),
    row("response_format", UPLOADS, ANY, Expect::String),
    row("input", RESPONSES, ANY, Expect::StringOrArray),
    row("instructions", RESPONSES, ANY, Expect::String),
    row("previous_response_id", RESPONSES, ANY, Expect::String),
    row("max_output_tokens", RESPONSES, ANY, COUNT),
    row("temperature", RESPONSES, ANY, Expect::Number(0, 2)),
    row("text", RESPONSES, ANY, Expect::Object),
    row("reasoning", RESPONSES, ANY, Expect::Object),
    row("include", RESPONSES, ANY, Expect::Strings(64)),
    row("store", RESPONSES, ANY, Expect::Boolean),
    row("background", RESPONSES, ANY, Expect::Boolean),
    row("parallel_tool_calls", RESPONSES, ANY, Expect::Boolean),
    row("tool_choice", RESPONSES, ANY, Expect::StringOrObject),
    row("user", RESPONSES, ANY, Expect::String),
    row("stream_options", RESPONSES, ANY, Expect::Object),
    row("messages", MESSAGES, ANY, Expect::Objects(usize::MAX)),
    row("system", MESSAGES, ANY, Expect::StringOrArray),
    row("max_tokens", MESSAGES, ANY, COUNT),
    row("stop_sequences", MESSAGES, ANY, Expect::Strings(8192)),
    row("temperature", MESSAGES, ANY, Expect::Number(0, 1)),
    row("top_k", MESSAGES, ANY, Expect::Integer(0, u32::MAX as i64)),
    row("thinking", MESSAGES, ANY, Expect::Tagged(&[])),
    row("tool_choice", MESSAGES, ANY, Expect::Tagged(&[])),
    row("stream", TURNS, ANY, Expect::Boolean),
    row("top_p", TURNS, ANY, Expect::Number(0, 1)),
    row("metadata", TURNS, ANY, Expect::Object),
    row("tools", TURNS, ANY, Expect::Objects(1024)),
];

/// Checks a field against the rows that hold for every dialect (`None`) or against a dialect's own.
///
/// `shown` is the name under which the request has it, `field` the name that the rows know. Null is absent, so it passes.
pub(crate) fn check(
    text: &str,
    shown: &str,
    field: &str,
    value: Span,
    endpoint: Endpoint,
    dialect: Option<Dialect>,
) -> Result<(), Error> {
    if Kind::of(value.of(text)) == Kind::Null {
        return Ok(());
    }
    let rows =
        ROWS.iter().filter(|row| row.field == field && row.dialect == dialect && row.endpoints.contains(&endpoint));
    for row in rows {
        row.expect.check(text, shown, value)?;
    }
    Ok(())
}

impl Expect {
    fn check(self, text: &str, field: &str, span: Span) -> Result<(), Error> {
        let value = span.of(text);
        let kind = Kind::of(value);
        let of_kind = |wanted: Kind| if kind == wanted { Ok(()) } else { Err(wrong_type(field, wanted.name(), kind)) };
        match self {
            Expect::Boolean => of_kind(Kind::Boolean),
            Expect::String => of_kind(Kind::String),
            Expect::Object => of_kind(Kind::Object),
            Expect::StringOrObject if matches!(kind, Kind::String | Kind::Object) => Ok(()),
            Expect::StringOrObject => Err(wrong_type(field, "a string or an object", kind)),
            Expect::Identifier => of_kind(Kind::String).and_then(|()| identifier(field, &string(value))),
            Expect::Model => of_kind(Kind::String).and_then(|()| model(field, &string(value))),
            Expect::Number(from, to) => of_kind(Kind::Number).and_then(|()| number(field, value, from, to)),
            Expect::Integer(from, to) => of_kind(Kind::Number).and_then(|()| integer(field, value, from, to)),
            Expect::Tagged(tags) => of_kind(Kind::Object).and_then(|()| tagged(text, field, span, tags)),
            Expect::StreamOptions => of_kind(Kind::Object).and_then(|()| stream_options(text, field, span)),
            Expect::Strings(_) if kind == Kind::String => Ok(()),
            Expect::Strings(_) if kind != Kind::Array => {
                Err(wrong_type(field, "a string or an array of strings", kind))
            }
            Expect::Strings(most) => strings(text, field, span, most),
            Expect::StringOrArray if matches!(kind, Kind::String | Kind::Array) => Ok(()),
            Expect::StringOrArray => Err(wrong_type(field, "a string or an array", kind)),
            Expect::Objects(most) => of_kind(Kind::Array).and_then(|()| objects(text, field, span, most)),
            Expect::Documents => of_kind(Kind::Array).and_then(|()| documents(text, field, span)),
            Expect::Tools(most) => of_kind(Kind::Array).and_then(|()| tools(text, field, span, most)),
        }
    }
}

fn identifier(field: &str, value: &str) -> Result<(), Error> {
    let plain = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if plain && (1..=512).contains(&value.len()) {
        return Ok(());
    }
    Err(invalid(field, "Must be 1 to 512 letters, digits, underscores or hyphens."))
}

fn model(field: &str, value: &str) -> Result<(), Error> {
    if value.trim().is_empty() {
        return Err(invalid(field, "Must not be empty."));
    }
    if value.len() > 256 || value.chars().any(char::is_control) {
        return Err(invalid(field, "Must be a model's id: at most 256 bytes, no control characters."));
    }
    Ok(())
}

fn number(field: &str, value: &str, from: i32, to: u32) -> Result<(), Error> {
    // More places than a double's 15 would tell apart what every reader takes for the same number.
    const PLACES: u8 = 15;
    const ONE: u64 = 10u64.pow(PLACES as u32);
    let (size, most) = match value.strip_prefix('-') {
        Some(size) => (size, from.min(0).unsigned_abs()),
        None => (value, to),
    };
    match scaled(size, PLACES) {
        Some(size) if size <= u64::from(most) * ONE => Ok(()),
        _ => Err(invalid(field, format!("Must be a number from {from} to {to}."))),
    }
}

fn integer(field: &str, value: &str, from: i64, to: i64) -> Result<(), Error> {
    match value.parse::<i64>() {
        Ok(number) if (from..=to).contains(&number) => Ok(()),
        _ => Err(invalid(field, format!("Must be an integer from {from} to {to}."))),
    }
}

/// The member `name` of the object at `field`, which must be of `kind`.
fn required(text: &str, field: &str, members: &[Member], name: &str, kind: Kind) -> Result<Member, Error> {
    let member = find(text, members, name);
    member.filter(|member| member.kind(text) == kind).ok_or_else(|| {
        wrong_or_missing([field, ".", name].concat(), kind.name(), member.map(|member| member.kind(text)))
    })
}

fn tagged(text: &str, field: &str, span: Span, tags: &[&str]) -> Result<(), Error> {
    let tag = required(text, field, &members(text, span)?, "type", Kind::String)?;
    if tags.is_empty() || tags.iter().any(|wanted| tag.says(text, wanted)) {
        return Ok(());
    }
    Err(invalid([field, ".type"].concat(), ["This upstream takes only ", &tags.join(", "), "."].concat()))
}

fn stream_options(text: &str, field: &str, span: Span) -> Result<(), Error> {
    match find(text, &members(text, span)?, "include_usage").map(|member| member.kind(text)) {
        None | Some(Kind::Boolean) => Ok(()),
        Some(kind) => Err(wrong_type([field, ".include_usage"].concat(), "a boolean", kind)),
    }
}

fn strings(text: &str, field: &str, span: Span, most: usize) -> Result<(), Error> {
    for (index, item) in items(text, span)?.into_iter().enumerate() {
        let kind = Kind::of(item.of(text));
        if kind != Kind::String {
            return Err(wrong_type(format!("{field}[{index}]"), "a string", kind));
        }
        if index >= most {
            return Err(invalid(format!("{field}[{index}]"), format!("At most {most} are allowed.")));
        }
    }
    Ok(())
}

fn objects(text: &str, field: &str, span: Span, most: usize) -> Result<(), Error> {
    for (index, item) in items(text, span)?.into_iter().enumerate() {
        let path = || format!("{field}[{index}]");
        match Kind::of(item.of(text)) {
            _ if index >= most => return Err(invalid(path(), format!("At most {most} are allowed."))),
            Kind::Object => {}
            kind => return Err(wrong_type(path(), "an object", kind)),
        }
    }
    Ok(())
}

fn documents(text: &str, field: &str, span: Span) -> Result<(), Error> {
    let documents = items(text, span)?;
    if documents.is_empty() {
        return Err(invalid(field, "Must not be empty."));
    }
    for (index, item) in documents.into_iter().enumerate() {
        let kind = Kind::of(item.of(text));
        if !matches!(kind, Kind::String | Kind::Object) {
            return Err(wrong_type(format!("{field}[{index}]"), "a string or an object", kind));
        }
    }
    Ok(())
}

fn tools(text: &str, field: &str, span: Span, most: usize) -> Result<(), Error> {
    for (index, item) in items(text, span)?.into_iter().enumerate() {
        let path = format!("{field}[{index}]");
        if index >= most {
            return Err(invalid(path, format!("At most {most} tools are allowed.")));
        }
        let kind = Kind::of(item.of(text));
        if kind != Kind::Object {
            return Err(wrong_type(path, "an object", kind));
        }
        let tool = members(text, item)?;
        let tag = required(text, &path, &tool, "type", Kind::String)?;
        if tag.says(text, "function") {
            let function = required(text, &path, &tool, "function", Kind::Object)?;
            let path = [&path, ".function"].concat();
            let name = required(text, &path, &members(text, function.value)?, "name", Kind::String)?;
            if name.says(text, "") {
                return Err(invalid([&path, ".name"].concat(), "Must not be empty."));
            }
        }
    }
    Ok(())
}

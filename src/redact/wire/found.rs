//! Where the texts of an answer stand in its JSON, of whatever protocol.
//!
//! Found by the names of members, not by protocol: chat chunks, completions, Responses and Messages events, the whole bodies of each.
//! A text is told from others by its choice, its channel and its lane, a number for the path to it: list items by their `index`.

use super::channels::{Channel, Key};
use crate::json::cursor::parse;
use crate::request::span::{Kind, Member, Span, find, items, members};
use crate::text::has;

/// Nesting that is followed.
const DEPTH: usize = 32;

/// Members whose strings are no text.
const STRUCTURE: &[&str] = &[
    "id",
    "object",
    "model",
    "role",
    "type",
    "name",
    "event",
    "call_id",
    "tool_call_id",
    "tool_use_id",
    "item_id",
    "response_id",
    "finish_reason",
    "native_finish_reason",
    "stop_reason",
    "done_reason",
    "status",
    "code",
    "provider",
    "system_fingerprint",
    "service_tier",
    "signature",
    "encrypted_content",
    "obfuscation",
    "created_at",
    "logprobs",
    "usage",
    "embedding",
];

/// Members below which nothing is given back: echoes of the request, and what is for machines.
const OTHER: &[&str] = &[
    "error",
    "reasoning_details",
    "annotations",
    "citations",
    "metadata",
    "instructions",
    "tools",
    "input",
    "prompt",
    "arguments",
];

/// One text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// The string, with its quotes.
    pub(super) span: Span,
    pub(super) key: Key,
    /// All of the text is here; else a piece of it.
    pub(super) whole: bool,
}

/// What an event, or a body, says.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) found: Vec<Found>,
    /// The tokens of a choice's text.
    pub(super) logprobs: Vec<(u32, Span)>,
    /// Choices that end here.
    pub(super) ended: Vec<u32>,
    /// All that was said ends here.
    pub(super) all_ended: bool,
    /// It is nested deeper than is followed: texts may be missing.
    pub(super) too_deep: bool,
}

/// Reads an event's data, or a body if not `stream`; `None` if it is not JSON. Texts of unknown kinds are left out unless `all`.
pub(super) fn read(text: &str, stream: bool, all: bool) -> Option<Reading> {
    let document = Span { start: text.len() - text.trim_ascii_start().len(), end: text.trim_ascii_end().len() };
    let mut reader = Reader { text, all, of: "", reading: Reading::default() };
    let mut at = At { choice: 0, tool: 0, lane: 1, reasoning: false, other: false, whole: !stream };
    if Kind::of(document.of(text)) == Kind::Object {
        // Whatever is below has been read with it once, so that it is JSON.
        let top = members(text, document).ok()?;
        reader.head(&top, &mut at);
        reader.object(&top, at, 1);
    } else {
        parse::<&str>(text)?;
        reader.value(document, "", at, 0);
    }
    Some(reader.reading)
}

/// Where the reader is.
#[derive(Clone, Copy)]
struct At {
    choice: u32,
    tool: u32,
    lane: u32,
    reasoning: bool,
    other: bool,
    whole: bool,
}

struct Reader<'a> {
    text: &'a str,
    all: bool,
    /// The event's `type`.
    of: &'a str,
    reading: Reading,
}

impl<'a> Reader<'a> {
    /// What the outermost members say about the others.
    fn head(&mut self, top: &[Member], at: &mut At) {
        let text = self.text;
        for member in top.iter().filter(|member| !matches!(member.kind(text), Kind::Object | Kind::Array | Kind::Null))
        {
            let value = member.value.of(text);
            match &*member.name(text) {
                "type" => self.of = value.trim_matches('"'),
                "index" | "output_index" => at.choice = value.parse().unwrap_or_default(),
                "content_index" | "summary_index" => {}
                _ => continue,
            }
            at.lane = mix(at.lane, value.bytes());
        }
        at.whole |= !self.of.is_empty() && find(text, top, "delta").is_none();
        let done = find(text, top, "done").is_some_and(|member| member.value.of(text) == "true");
        const ENDS: &[&str] = &[
            "error",
            "message_stop",
            "message_delta",
            "response.completed",
            "response.incomplete",
            "response.failed",
            "response.cancelled",
        ];
        self.reading.all_ended = done || find(text, top, "error").is_some() || ENDS.contains(&self.of);
        if self.of == "content_block_stop" || self.of.ends_with(".done") {
            self.reading.ended.push(at.choice);
        }
    }

    fn value(&mut self, span: Span, key: &str, at: At, depth: usize) {
        let value = span.of(self.text);
        match Kind::of(value) {
            Kind::String => self.string(span, key, at),
            // Vectors have a thousand numbers.
            Kind::Object | Kind::Array if memchr::memchr(b'"', value.as_bytes()).is_none() => {}
            Kind::Object | Kind::Array if depth >= DEPTH => self.reading.too_deep = true,
            Kind::Object => self.object(&members(self.text, span).unwrap_or_default(), at, depth + 1),
            Kind::Array => self.array(span, key, at, depth + 1),
            _ => {}
        }
    }

    fn object(&mut self, members: &[Member], at: At, depth: usize) {
        for member in members {
            let kind = member.kind(self.text);
            if !matches!(kind, Kind::String | Kind::Object | Kind::Array) {
                continue;
            }
            let name = member.name(self.text);
            if name == "logprobs" {
                self.reading.logprobs.push((at.choice, member.value));
            }
            if STRUCTURE.contains(&&*name) {
                continue;
            }
            let mut inner = At { lane: mix(at.lane, name.bytes()), ..at };
            if kind != Kind::String {
                inner.other |= OTHER.contains(&&*name);
                inner.reasoning |= matches!(&*name, "reasoning" | "thinking" | "summary");
            }
            self.value(member.value, &name, inner, depth);
        }
    }

    fn array(&mut self, span: Span, key: &str, at: At, depth: usize) {
        for (place, item) in items(self.text, span).unwrap_or_default().into_iter().enumerate() {
            let place = u32::try_from(place).unwrap_or(u32::MAX);
            let numbered = |index: u32| At { lane: mix(at.lane, index.to_le_bytes().into_iter()), ..at };
            if Kind::of(item.of(self.text)) != Kind::Object {
                self.value(item, key, numbered(place), depth);
            } else if depth >= DEPTH {
                self.reading.too_deep = true;
            } else {
                let item = members(self.text, item).unwrap_or_default();
                let given = find(self.text, &item, "index").and_then(|index| index.value.of(self.text).parse().ok());
                let index = given.unwrap_or(place);
                let inner = self.item(&item, key, index, numbered(index));
                self.object(&item, inner, depth + 1);
            }
        }
    }

    /// What an item says about its texts.
    fn item(&mut self, item: &[Member], key: &str, index: u32, mut at: At) -> At {
        match key {
            "choices" => {
                at.choice = index;
                at.whole |= find(self.text, item, "message").is_some();
                // Some servers say `""` for as long as it goes on.
                if find(self.text, item, "finish_reason").is_some_and(|why| !why.says(self.text, "")) {
                    self.reading.ended.push(index);
                }
            }
            "tool_calls" => at.tool = index,
            _ => {}
        }
        let says = |of: &str| find(self.text, item, "type").is_some_and(|kind| kind.says(self.text, of));
        at.reasoning |= key != "choices" && (says("reasoning") || says("thinking"));
        at
    }

    fn string(&mut self, span: Span, key: &str, at: At) {
        let channel = match self.channel(key, at) {
            Some(channel) if !at.other => channel,
            _ if self.all => Channel::Other,
            _ => return,
        };
        self.reading.found.push(Found {
            span,
            key: Key { choice: at.choice, channel, lane: at.lane },
            whole: at.whole,
        });
    }

    fn channel(&self, key: &str, at: At) -> Option<Channel> {
        let text = if at.reasoning { Channel::Reasoning } else { Channel::Text };
        Some(match key {
            "content" | "text" | "output_text" | "completion" | "response" | "transcript" | "parts" => text,
            "reasoning_content" | "reasoning" | "thinking" => Channel::Reasoning,
            "refusal" => Channel::Refusal,
            "arguments" | "partial_json" => Channel::Tool(at.tool),
            "delta" if has(self.of, "reasoning") => Channel::Reasoning,
            "delta" if has(self.of, "refusal") => Channel::Refusal,
            "delta" if has(self.of, "arguments") => Channel::Tool(at.tool),
            "delta" if has(self.of, "text") || has(self.of, "transcript") => Channel::Text,
            _ => return None,
        })
    }
}

/// FNV-1a, of a step of a path after those before it.
fn mix(lane: u32, step: impl Iterator<Item = u8>) -> u32 {
    const PRIME: u32 = 0x0100_0193;
    let start = (lane ^ 0x811C_9DC5).wrapping_mul(PRIME);
    step.fold(start, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(PRIME)).max(1)
}

/// An event that says nothing but one of its texts: what stands before that and behind it.
pub(super) fn template(text: &str, target: Span) -> Option<(String, String)> {
    let document = Span { start: text.len() - text.trim_ascii_start().len(), end: text.trim_ascii_end().len() };
    let (mut before, mut behind) = (String::new(), String::new());
    prune(text, document, target, true, &mut before, &mut behind)?;
    Some((before, behind))
}

/// Copies what leads to `target`: of the outermost object all that is no text, of the others `index` and `type`.
fn prune(
    text: &str,
    span: Span,
    target: Span,
    outermost: bool,
    before: &mut String,
    behind: &mut String,
) -> Option<()> {
    if span == target {
        return Some(());
    }
    let holds = |span: Span| span.start <= target.start && target.end <= span.end;
    if Kind::of(span.of(text)) == Kind::Array {
        before.push('[');
        prune(text, items(text, span).ok()?.into_iter().find(|item| holds(*item))?, target, false, before, behind)?;
        behind.push(']');
        return Some(());
    }
    let members = members(text, span).ok()?;
    before.push('{');
    for member in &members {
        let name = member.name(text);
        let kept = match member.kind(text) {
            Kind::Object | Kind::Array => false,
            Kind::String => STRUCTURE.contains(&&*name),
            _ => name != "usage" && name != "logprobs",
        };
        if !holds(member.value) && kept && (outermost || matches!(&*name, "index" | "type")) {
            before.push_str(member.key.of(text));
            before.push(':');
            before.push_str(member.value.of(text));
            before.push(',');
        }
    }
    let (inner, name) = members.iter().find(|member| holds(member.value)).map(|member| (member.value, member.key))?;
    before.push_str(name.of(text));
    before.push(':');
    prune(text, inner, target, false, before, behind)?;
    // Of a choice, some clients want to be told that it goes on.
    behind.push_str(if members.iter().any(|member| member.is(text, "finish_reason")) {
        ",\"finish_reason\":null}"
    } else {
        "}"
    });
    Some(())
}

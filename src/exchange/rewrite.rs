//! Chunks of our own, where an answer's bytes cannot be handed on as they came: it was joined from several, and has one head.

use super::said::Said;
use crate::json::write::Object;
use crate::reply::{Delta, Deltas, Reply};

/// Writes chunks of one answer.
pub(super) struct Writer<'a> {
    pub(super) said: &'a Said,
    pub(super) is_chat: bool,
}

impl Writer<'_> {
    /// The first chunk of a chat: who speaks. SDKs refuse an answer without it.
    pub(super) fn begin(&self, out: &mut Vec<u8>) {
        if self.is_chat {
            self.chunk(None, Some(r#"{"role":"assistant","content":""}"#), out);
        }
    }

    /// What these deltas say, a chunk for each.
    pub(super) fn deltas(&self, deltas: &Deltas, out: &mut Vec<u8>) {
        for delta in deltas.iter() {
            let mut object = Object::new();
            match delta {
                Delta::Text { text, .. } if !self.is_chat => {
                    self.chunk(Some(("text", text)), None, out);
                    continue;
                }
                Delta::Text { text, .. } => object.string("content", text),
                Delta::Reasoning { text, .. } => object.string("reasoning_content", text),
                Delta::Refusal { text, .. } => object.string("refusal", text),
                Delta::ToolCall { index, id, name, arguments, .. } => {
                    object.raw("tool_calls", &tool_call(index, id, name, arguments));
                }
                Delta::Notice { code, detail } => {
                    comment("notice", code.code(), detail, out);
                    continue;
                }
            }
            self.chunk(None, Some(&object.finish()), out);
        }
    }

    /// The end of a whole answer: its finish reason, the usage if it is wanted, `[DONE]`.
    pub(super) fn finish(&self, reply: &Reply, finish_reason: &str, with_usage: bool, out: &mut Vec<u8>) {
        let mut choice = Object::new();
        choice.raw("index", "0");
        if self.is_chat {
            choice.raw("delta", "{}");
        } else {
            choice.string("text", "");
        }
        choice.string("finish_reason", finish_reason);
        let mut chunk = self.head();
        chunk.raw("choices", &["[", &choice.finish(), "]"].concat());
        event(&chunk.finish(), out);
        if let Some(usage) = reply.usage.as_ref().filter(|_| with_usage) {
            let mut chunk = self.head();
            chunk.raw("choices", "[]");
            chunk.raw("usage", &usage.raw);
            event(&chunk.finish(), out);
        }
        event("[DONE]", out);
    }

    fn chunk(&self, text: Option<(&str, &str)>, delta: Option<&str>, out: &mut Vec<u8>) {
        let mut choice = Object::new();
        choice.raw("index", "0");
        if let Some((name, text)) = text {
            choice.string(name, text);
        }
        if let Some(delta) = delta {
            choice.raw("delta", delta);
        }
        choice.raw("finish_reason", "null");
        let mut chunk = self.head();
        chunk.raw("choices", &["[", &choice.finish(), "]"].concat());
        event(&chunk.finish(), out);
    }

    fn head(&self) -> Object {
        let mut chunk = Object::new();
        chunk.string("id", &self.said.id);
        chunk.string("object", if self.is_chat { "chat.completion.chunk" } else { "text_completion" });
        if let Some(created) = self.said.created {
            chunk.number("created", created);
        }
        chunk.string("model", &self.said.model);
        chunk
    }
}

fn tool_call(index: u32, id: &str, name: &str, arguments: &str) -> String {
    let mut function = Object::new();
    if !name.is_empty() {
        function.string("name", name);
    }
    function.string("arguments", arguments);
    let mut call = Object::new();
    call.number("index", index.into());
    if !id.is_empty() {
        call.string("id", id);
        call.string("type", "function");
    }
    call.raw("function", &function.finish());
    ["[", &call.finish(), "]"].concat()
}

/// One event.
pub(super) fn event(data: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(data.as_bytes());
    out.extend_from_slice(b"\n\n");
}

/// Something about the call, as a comment: no client takes it for an answer, ours reads it (`: sluicegate {"notice":…}`).
pub(super) fn comment(name: &str, value: &str, detail: &str, out: &mut Vec<u8>) {
    let mut object = Object::new();
    object.string(name, value);
    if !detail.is_empty() {
        object.string("detail", detail);
    }
    raw_comment(&object.finish(), out);
}

/// As [`comment`], of JSON text.
pub(super) fn raw_comment(json: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b": sluicegate ");
    out.extend_from_slice(json.as_bytes());
    out.extend_from_slice(b"\n\n");
}

//! A whole answer as a stream of one chunk, for an upstream that answered a stream request whole: the caller's client waits for
//! events and would take a JSON body for an empty stream.

use crate::json::write::{Object, quoted};
use crate::reply::{Choice, Reply};

/// The answer as an event stream.
pub(super) fn as_stream(reply: &Reply, is_chat: bool) -> Vec<u8> {
    let mut chunk = Object::new();
    chunk.string("id", &reply.id);
    chunk.string("object", if is_chat { "chat.completion.chunk" } else { "text_completion" });
    if let Some(created) = reply.created {
        chunk.number("created", created);
    }
    chunk.string("model", &reply.model);
    chunk.raw("choices", &list(reply.choices.iter().map(|it| choice(it, is_chat))));
    if let Some(usage) = &reply.usage {
        chunk.raw("usage", &usage.raw);
    }
    for (name, raw) in &reply.extra {
        chunk.raw_named(name, raw);
    }
    let mut stream = b"data: ".to_vec();
    stream.extend_from_slice(chunk.finish().as_bytes());
    stream.extend_from_slice(b"\n\ndata: [DONE]\n\n");
    stream
}

fn choice(choice: &Choice, is_chat: bool) -> String {
    let mut object = Object::new();
    object.number("index", choice.index.into());
    if is_chat {
        object.raw("delta", &delta(choice));
    } else {
        object.string("text", &choice.text);
    }
    object.raw("finish_reason", &choice.finish_reason.as_deref().map_or("null".to_owned(), quoted));
    if let Some(logprobs) = &choice.logprobs {
        object.raw("logprobs", logprobs);
    }
    object.finish()
}

fn delta(choice: &Choice) -> String {
    let mut delta = Object::new();
    delta.string("role", "assistant");
    if !choice.reasoning.is_empty() {
        delta.string("reasoning_content", &choice.reasoning);
    }
    delta.string("content", &choice.text);
    if !choice.refusal.is_empty() {
        delta.string("refusal", &choice.refusal);
    }
    if !choice.tool_calls.is_empty() {
        let calls = choice.tool_calls.iter().map(|call| {
            let mut function = Object::new();
            function.string("name", &call.name);
            function.string("arguments", &call.arguments);
            let mut object = Object::new();
            object.number("index", call.index.into());
            object.string("id", &call.id);
            object.string("type", "function");
            object.raw("function", &function.finish());
            object.finish()
        });
        delta.raw("tool_calls", &list(calls));
    }
    delta.finish()
}

fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    ["[", &items.join(","), "]"].concat()
}

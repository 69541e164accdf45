//! What a request of an endpoint other than a completion must have, whatever the vendor; the types of its fields are rows of `field`.

use super::endpoint::Endpoint;
use super::fault::{invalid, wrong_or_missing};
use super::prompt;
use super::span::{Kind, Member, find, items, string};
use crate::error::Error;
use crate::limits::Limits;

/// The fields without which there is nothing to do.
const REQUIRED: &[(Endpoint, &str, &str)] = &[
    (Endpoint::Rerank, "query", "a string"),
    (Endpoint::Rerank, "documents", "an array of documents"),
    (Endpoint::Images, "prompt", "a string"),
    (Endpoint::Speech, "input", "a string"),
    (Endpoint::Messages, "messages", "an array of messages"),
];

/// Checks what must be there. The types of what is there have been checked.
pub(crate) fn check(endpoint: Endpoint, text: &str, members: &[Member], limits: &Limits) -> Result<(), Error> {
    let value = |name: &str| find(text, members, name);
    if endpoint == Endpoint::Embeddings {
        return prompt::check(text, "input", value("input"));
    }
    for (_, name, expected) in REQUIRED.iter().filter(|row| row.0 == endpoint) {
        let Some(member) = value(name) else { return Err(wrong_or_missing(name, expected, None)) };
        if member.says(text, "") && member.kind(text) == Kind::String {
            return Err(invalid(name, "Must not be empty."));
        }
    }
    if let Some(messages) = value("messages").filter(|_| endpoint == Endpoint::Messages) {
        let count = items(text, messages.value)?.len();
        if count == 0 {
            return Err(invalid("messages", "Must not be empty."));
        }
        if count > limits.messages {
            return Err(invalid(
                "messages",
                ["At most ", &limits.messages.to_string(), " messages are allowed."].concat(),
            ));
        }
    }
    Ok(())
}

/// Whether an event stream is asked for; `None` where nothing is said. Speech is streamed as sound unless events are asked for.
pub(crate) fn stream(endpoint: Endpoint, text: &str, members: &[Member]) -> Option<bool> {
    match endpoint {
        Endpoint::Speech => find(text, members, "stream_format").map(|format| format.says(text, "sse")),
        Endpoint::Embeddings | Endpoint::Rerank => None,
        _ => find(text, members, "stream").map(|stream| {
            let value = stream.value.of(text);
            // In a form everything is text.
            value == "true" || endpoint.is_upload() && string(value).eq_ignore_ascii_case("true")
        }),
    }
}

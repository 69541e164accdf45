//! `POST /v1/batch`: prompts with parameters that they share, answered as an array in their order.

use super::body::Source;
use super::complete;
use super::message;
use crate::error::Error;
use crate::json::write::quoted;
use crate::limits::Limits;
use crate::request::fault::{invalid, wrong_or_missing, wrong_type};
use crate::request::span::{Kind, Span, items};
use crate::text::{after, before};

/// How many prompts a batch may have.
pub const MOST: usize = 32;

/// The requests of one batch. Their bodies are written when they are asked for, so that a batch holds its prompts once.
pub struct Batch {
    text: String,
    prompts: Vec<Span>,
    /// The members that all have, each behind a comma.
    shared: String,
}

/// Takes a batch apart.
///
/// Faults of the batch, and of a parameter that all prompts share, are its errors; a prompt that is empty is that item's own.
pub fn split(body: &[u8], limits: &Limits) -> Result<Batch, Error> {
    let source = Source::read(body, limits)?;
    let Some(field) = source.find("prompts") else {
        return Err(wrong_or_missing("prompts", "an array of strings", None));
    };
    if field.kind(source.text) != Kind::Array {
        return Err(wrong_type("prompts", "an array of strings", field.kind(source.text)));
    }
    let prompts = items(source.text, field.value)?;
    if prompts.is_empty() {
        return Err(invalid("prompts", "Must not be empty."));
    }
    if prompts.len() > MOST {
        return Err(invalid("prompts", ["At most ", &MOST.to_string(), " prompts are allowed."].concat()));
    }
    for (index, prompt) in prompts.iter().enumerate() {
        let kind = Kind::of(prompt.of(source.text));
        if kind != Kind::String {
            return Err(wrong_type(["prompts[", &index.to_string(), "]"].concat(), "a string", kind));
        }
    }
    for name in ["prompt", "inputs"] {
        if source.find(name).is_some() {
            return Err(invalid(name, "A batch takes prompts only."));
        }
    }
    if source.of_kind("stream", Kind::Boolean)? == Some("true") {
        return Err(invalid("stream", "A batch is answered whole."));
    }
    let mut shared = String::new();
    for member in &source.members {
        let name = member.name(source.text);
        if !matches!(&*name, "prompts" | "prompt" | "inputs" | "stream") {
            shared.push(',');
            shared.push_str(member.key.of(source.text));
            shared.push(':');
            shared.push_str(member.value.of(source.text));
        }
    }
    let trial = item("\"-\"", &shared);
    complete::translate(&trial, &complete::Defaults { model: "-", stream: false }, limits)?;
    Ok(Batch { text: source.text.to_owned(), prompts, shared })
}

/// `stream` is said, so that no preset turns an item into a stream.
fn item(prompt: &str, shared: &str) -> Vec<u8> {
    ["{\"prompt\":", prompt, ",\"stream\":false", shared, "}"].concat().into_bytes()
}

impl Batch {
    /// How many requests there are: 1 to [`MOST`].
    #[allow(clippy::len_without_is_empty)] // it never is
    pub fn len(&self) -> usize {
        self.prompts.len()
    }

    /// The body of one of them, for [`complete::translate`].
    pub fn item(&self, index: usize) -> Option<Vec<u8>> {
        self.prompts.get(index).map(|prompt| item(prompt.of(&self.text), &self.shared))
    }
}

impl core::fmt::Debug for Batch {
    /// Without the prompts.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Batch").field("len", &self.prompts.len()).finish_non_exhaustive()
    }
}

/// The result of an item that failed, from the body of its error answer: it has the shape of the others, without a word in it.
pub fn failed(error_body: &str, index: usize) -> String {
    message::failed(&at_fault(error_body, &["prompts[", &index.to_string(), "]"].concat()), true)
}

/// The answer to a batch whose items all failed in the same way, from the body of one of their error answers.
pub fn of_all(error_body: &str) -> String {
    at_fault(error_body, "prompts")
}

/// An error's body with what the caller of a batch calls the prompt. In a text of JSON the quotes would be escaped.
fn at_fault(error_body: &str, name: &str) -> String {
    const PROMPT: &str = "\"param\":\"prompt\"";
    match (before(error_body, PROMPT), after(error_body, PROMPT)) {
        (Some(before), Some(after)) => [before, "\"param\":", &quoted(name), after].concat(),
        _ => error_body.to_owned(),
    }
}

/// Whether all results are the same error, by their codes and the fields at fault: then the batch as a whole has it.
pub fn is_same<'a>(mut bodies: impl Iterator<Item = &'a str>) -> bool {
    let told = |body: &str| Some((message::code(body)?, message::param(body)));
    let Some(first) = bodies.next().and_then(told) else { return false };
    bodies.all(|body| told(body).as_ref() == Some(&first))
}

/// The answer to the batch: each result is JSON text, in the order of the prompts.
pub fn join(results: &[String]) -> String {
    ["[", &results.join(","), "]"].concat()
}

//! What the guides' programs read, as JSON text: one function for each thing that is said.
//!
//! Their loop prints `choices[0].text` of every message until one has a `finish_reason` at the top. So each message has that text, be
//! it empty, and none but a last one has that member.

use super::face::{Shape, internal};
use crate::json::cursor;
use crate::json::string::read as read_string;
use crate::json::write::{Object, quoted};
use crate::reply::{Choice, Reply, Usage, openai_reason};

/// The most text of one message on a socket, in bytes: frames stay small, whatever the upstream sends at once.
const PIECE_BYTES: usize = 32 << 10;

/// Who answers.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) shape: Shape,
    /// With its prefix.
    pub(super) id: String,
    pub(super) model: String,
    pub(super) created: u64,
}

impl Head {
    fn object(&self) -> Object {
        let mut object = Object::new();
        object.string("id", &self.id);
        object.string("object", "text_completion");
        object.number("created", self.created);
        object.string("model", &self.model);
        object
    }

    /// A piece of the answer: `text`, and beside it what is not text, as a name and JSON text.
    pub(super) fn piece(&self, index: u32, text: &str, beside: Option<(&str, &str)>, out: &mut Vec<u8>) {
        let mut rest = text;
        loop {
            let (piece, tail) = match self.shape {
                Shape::Socket => cut(rest),
                Shape::Infer | Shape::Complete => (rest, ""),
            };
            let mut choice = Object::new();
            choice.string("text", piece);
            choice.number("index", index.into());
            if self.shape != Shape::Socket {
                choice.raw("logprobs", "null");
                choice.raw("finish_reason", "null");
            }
            if let Some((name, raw)) = beside {
                choice.raw(name, raw);
            }
            let mut message = if self.shape == Shape::Socket { Object::new() } else { self.object() };
            message.raw("choices", &list(&choice.finish()));
            self.send(&message.finish(), out);
            rest = tail;
            if rest.is_empty() {
                return;
            }
        }
    }

    /// Reasoning, cut as text is.
    pub(super) fn reasoning(&self, index: u32, text: &str, out: &mut Vec<u8>) {
        let mut rest = text;
        while !rest.is_empty() {
            let (piece, tail) = if self.shape == Shape::Socket { cut(rest) } else { (rest, "") };
            self.piece(index, "", Some(("reasoning_content", &quoted(piece))), out);
            rest = tail;
        }
    }

    /// The end of a streamed answer: why each choice ended, and what all cost.
    pub(super) fn end(&self, reply: &Reply, out: &mut Vec<u8>) {
        let ends: Vec<String> = reply.choices.iter().map(|choice| ended_choice(choice).finish()).collect();
        if self.shape == Shape::Socket {
            let mut message = self.object();
            message.raw("choices", &list(&ends.join(",")));
            message.string("finish_reason", reply.choices.first().map_or("stop", reason));
            message.raw("usage", &usage(reply.usage.as_ref()));
            return self.send(&message.finish(), out);
        }
        for (at, end) in ends.iter().enumerate() {
            let mut message = self.object();
            message.raw("choices", &list(end));
            if at + 1 == ends.len() {
                message.raw("usage", &usage(reply.usage.as_ref()));
            }
            self.send(&message.finish(), out);
        }
        self.send("[DONE]", out);
    }

    /// A whole answer.
    pub(super) fn whole(&self, reply: &Reply) -> String {
        let choices: Vec<String> = reply.choices.iter().map(whole_choice).collect();
        let mut object = self.object();
        object.raw("choices", &list(&choices.join(",")));
        object.raw("usage", &usage(reply.usage.as_ref()));
        object.finish()
    }

    /// An error, the last that is said: `body` is the JSON text of an error's answer.
    pub(super) fn failure(&self, body: &str, out: &mut Vec<u8>) {
        match self.shape {
            Shape::Socket => self.send(&failed(body, true), out),
            Shape::Infer | Shape::Complete => self.send(&on_one_line(body), out),
        }
    }

    /// A comment of the stream. A socket has none.
    pub(super) fn comment(&self, text: &[u8], out: &mut Vec<u8>) {
        if self.shape != Shape::Socket {
            out.push(b':');
            out.extend_from_slice(text);
            out.extend_from_slice(b"\n\n");
        }
    }

    fn send(&self, json: &str, out: &mut Vec<u8>) {
        let (before, after): (&[u8], &[u8]) = match self.shape {
            Shape::Socket => (b"", b"\n"),
            Shape::Infer | Shape::Complete => (b"data: ", b"\n\n"),
        };
        out.extend_from_slice(before);
        out.extend_from_slice(json.as_bytes());
        out.extend_from_slice(after);
    }
}

/// Why a choice ended.
fn ended_choice(choice: &Choice) -> Object {
    let mut object = Object::new();
    object.string("text", "");
    about_end(choice, &mut object);
    object
}

fn about_end(choice: &Choice, object: &mut Object) {
    object.number("index", choice.index.into());
    object.raw("logprobs", choice.logprobs.as_deref().unwrap_or("null"));
    object.string("finish_reason", reason(choice));
}

fn whole_choice(choice: &Choice) -> String {
    let mut object = Object::new();
    object.string("text", &choice.text);
    about_end(choice, &mut object);
    for (name, text) in [("reasoning_content", &choice.reasoning), ("refusal", &choice.refusal)] {
        if !text.is_empty() {
            object.string(name, text);
        }
    }
    if !choice.tool_calls.is_empty() {
        let calls = choice.tool_calls.iter();
        let calls: Vec<String> = calls.map(|it| tool_call(it.index, &it.id, &it.name, &it.arguments)).collect();
        object.raw("tool_calls", &list(&calls.join(",")));
    }
    object.finish()
}

pub(super) fn tool_call(index: u32, id: &str, name: &str, arguments: &str) -> String {
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
    call.finish()
}

fn reason(choice: &Choice) -> &'static str {
    openai_reason(choice.finish_reason.as_deref().unwrap_or_default())
}

fn usage(usage: Option<&Usage>) -> String {
    usage.map_or_else(|| String::from("null"), |usage| Usage::default().plus(usage).raw)
}

pub(super) fn list(items: &str) -> String {
    ["[", items, "]"].concat()
}

/// The first piece of a text for a socket, and the rest.
fn cut(text: &str) -> (&str, &str) {
    let mut at = PIECE_BYTES.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    text.split_at_checked(at).unwrap_or((text, ""))
}

/// An error as an answer without a word: `error`, and if it is the `last` message of its answer, the finish reason `error`.
pub(super) fn failed(body: &str, last: bool) -> String {
    let error = member(body, "error").filter(|error| error.starts_with('{'));
    let Some(error) = error else { return failed(&internal(), last) };
    ended(&on_one_line(error), last.then_some("error"))
}

/// The last message of an answer that somebody stopped.
pub(super) fn stopped(reason: &str) -> String {
    ended("", Some(reason))
}

fn ended(error: &str, reason: Option<&str>) -> String {
    let mut choice = Object::new();
    choice.string("text", "");
    choice.number("index", 0);
    choice.maybe("finish_reason", reason);
    let mut message = Object::new();
    message.raw("choices", &list(&choice.finish()));
    message.maybe("finish_reason", reason);
    if !error.is_empty() {
        message.raw("error", error);
    }
    message.finish()
}

/// The text of a member of an object; of several of one name the last, as readers have it.
pub(super) fn member<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    if !object.trim_start().starts_with('{') {
        return None;
    }
    let entries = cursor::entries(object)?;
    let wanted = entries.into_iter().rev().find(|(key, _)| {
        let key = object.get(key.clone()).unwrap_or_default();
        key.strip_prefix('"').and_then(|key| key.strip_suffix('"')) == Some(name)
    });
    wanted.and_then(|(_, value)| object.get(value))
}

/// The code of an error's answer.
pub(super) fn code(body: &str) -> Option<String> {
    read_string(member(member(body, "error")?, "code")?)
}

/// The field that an error's body names.
pub(super) fn param(body: &str) -> Option<String> {
    read_string(member(member(body, "error")?, "param")?)
}

/// JSON text without line ends: outside of strings they are white space, inside there are none.
fn on_one_line(json: &str) -> String {
    json.trim().chars().map(|c| if matches!(c, '\n' | '\r') { ' ' } else { c }).collect()
}

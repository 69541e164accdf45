//! The answer in a guide's shape: a stage over bytes, behind the exchange and redaction.

use super::message::{Head, failed, list, member, tool_call};
use crate::json::write::quoted;
use crate::reply::{Assembler, Cause, Delta, Deltas, Options, Reader, ThinkTags, error_body, read_body};
use crate::sse::Item;
use crate::{Error, ErrorKind};

/// Whose shape an answer gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `POST /v1/models/{model}/infer`: `text_completion` objects with ids `infer-…`, whole or as events.
    Infer,
    /// `POST /v1/complete` and the items of a batch: the same with ids `cmpl-…`.
    Complete,
    /// The WebSocket: one JSON message a line. Pieces are `{"choices":[{"text","index"}]}`; the last message has `finish_reason` at
    /// the top, beside `usage`, or `error` where the answer failed.
    Socket,
}

/// Turns one chat answer into a guide's.
///
/// Reasoning is in `reasoning_content` of its choice and never in `text`; tool calls are in `tool_calls`. Finish reasons are OpenAI's
/// words. The last piece has the usage; the answer is whole only behind `[DONE]` (events) or a `finish_reason` other than `error`
/// (messages). A stream without its end gets an error as its last; an error in the stream is handed on as it is, and is the last.
///
/// For every split of the bytes, what comes out is the same. Holds one event (see [`Limits::event`](crate::limits::Limits::event)).
#[derive(Debug)]
pub struct Face {
    head: Head,
    reader: Reader,
    deltas: Deltas,
    think_tags: ThinkTags,
    begun: bool,
    over: bool,
}

impl Face {
    /// An answer that begins. `id` is what makes it unique; the shape's prefix is put before it. `model` is what the caller calls the
    /// model, as long as no other [answers](Face::answered_by); `created` counts seconds since 1970.
    pub fn new(shape: Shape, id: &str, model: &str, created: u64) -> Face {
        let prefix = if shape == Shape::Infer { "infer-" } else { "cmpl-" };
        let head = Head { shape, id: [prefix, id].concat(), model: model.to_owned(), created };
        let think_tags = ThinkTags::default();
        Face { head, reader: reader(think_tags), deltas: Deltas::new(), think_tags, begun: false, over: false }
    }

    /// What the upstream that answers does about `<think>` tags. Counts until the answer's first byte comes. Default
    /// [`ThinkTags::Auto`].
    pub fn read_think_tags(&mut self, think_tags: ThinkTags) {
        if !self.begun && self.think_tags != think_tags {
            self.think_tags = think_tags;
            self.reader = reader(think_tags);
        }
    }

    /// Another model answers than the one that was asked for. Counts until the answer's first byte comes.
    pub fn answered_by(&mut self, model: &str) {
        if !self.begun {
            self.head.model = model.to_owned();
        }
    }

    /// The media type of a streamed answer.
    pub fn stream_type(&self) -> &'static str {
        match self.head.shape {
            Shape::Socket => "application/x-ndjson",
            Shape::Infer | Shape::Complete => "text/event-stream; charset=utf-8",
        }
    }

    /// The next bytes of a streamed answer; what they say is appended to `out`.
    pub fn push(&mut self, sse: &[u8], out: &mut Vec<u8>) {
        self.begun |= !sse.is_empty();
        let Face { head, reader: Reader { decoder, assembler }, deltas, over, .. } = self;
        let mut input = sse;
        while !*over {
            match decoder.next_item(&mut input) {
                Ok(None) => return,
                Ok(Some(Item::Retry(_))) => {}
                Ok(Some(Item::Comment(text))) => head.comment(text, out),
                Ok(Some(Item::Event(event))) => {
                    deltas.clear();
                    let step = assembler.handle_data(&event.event_type, &event.data, deltas);
                    pieces(head, deltas, out);
                    let (cause, data) = match step {
                        Ok(step) if step.done => (Cause::Done, ""),
                        Ok(_) => continue,
                        Err(error) => (Cause::Failed(error), &*event.data),
                    };
                    *over = true;
                    end(head, assembler, deltas, cause, data, out);
                }
                Err(error) => {
                    *over = true;
                    end(head, assembler, deltas, Cause::Failed(error), "", out);
                }
            }
        }
    }

    /// The streamed answer is over: what is held is handed on, and its end.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if core::mem::replace(&mut self.over, true) {
            return;
        }
        self.deltas.clear();
        let (cause, _) = self.reader.feed_end(&mut self.deltas);
        pieces(&self.head, &self.deltas, out);
        end(&self.head, self.reader.assembler_mut(), &mut self.deltas, cause, "", out);
    }

    /// A whole answer. What is none becomes the JSON text of an error; an error stays as it is.
    pub fn whole(&mut self, json: &[u8]) -> Vec<u8> {
        self.over = true;
        let read = read_body(json, &Options { think_tags: self.think_tags, ..Options::default() });
        let error = match read {
            Ok((reply, end)) => match end.error {
                None if self.head.shape == Shape::Socket => {
                    let mut out = Vec::new();
                    self.deltas.clear();
                    reply.to_deltas(&mut self.deltas);
                    pieces(&self.head, &self.deltas, &mut out);
                    self.head.end(&reply, &mut out);
                    return out;
                }
                None => return self.head.whole(&reply).into_bytes(),
                Some(error) => error_body(&error),
            },
            Err(error) => said_error(&String::from_utf8_lossy(json)).unwrap_or_else(|| error_body(&error)),
        };
        match self.head.shape {
            Shape::Socket => (failed(&error, true) + "\n").into_bytes(),
            Shape::Infer | Shape::Complete => error.into_bytes(),
        }
    }
}

/// Text is handed on at once, so that none is kept.
fn reader(think_tags: ThinkTags) -> Reader {
    Reader::new(Options { collect: false, think_tags, ..Options::default() })
}

/// What an event said, in its order.
fn pieces(head: &Head, deltas: &Deltas, out: &mut Vec<u8>) {
    for delta in deltas.iter() {
        match delta {
            Delta::Text { choice, text } => head.piece(choice, text, None, out),
            Delta::Reasoning { choice, text } => head.reasoning(choice, text, out),
            Delta::Refusal { choice, text } => head.piece(choice, "", Some(("refusal", &quoted(text))), out),
            Delta::ToolCall { choice, index, id, name, arguments } => {
                let call = list(&tool_call(index, id, name, arguments));
                head.piece(choice, "", Some(("tool_calls", &call)), out);
            }
            Delta::Notice { .. } => {}
        }
    }
}

/// The one end; `data` is the event that said it, if one did.
fn end(head: &Head, assembler: &mut Assembler, deltas: &mut Deltas, cause: Cause, data: &str, out: &mut Vec<u8>) {
    deltas.clear();
    let end = assembler.finish(cause, deltas);
    pieces(head, deltas, out);
    match &end.error {
        None => head.end(assembler.reply(), out),
        Some(error) => head.failure(&said_error(data).unwrap_or_else(|| error_body(error)), out),
    }
}

/// An error as it was said, if it has the shape of ours.
fn said_error(data: &str) -> Option<String> {
    member(data, "error").filter(|error| error.starts_with('{')).map(|_| data.to_owned())
}

/// A bug, as the body of an error's answer.
pub(super) fn internal() -> String {
    error_body(&Error::new(ErrorKind::Internal, "The call ended without an answer and without an error."))
}

//! Answers as bytes: event streams and whole bodies, tokens given back and new private data hidden.
//!
//! Of an event only the strings of its texts change, everything else is handed on byte for byte, comments, ids and spaces too. What a
//! text may not show yet is put in front of its next piece; where a choice, a block or the stream ends, well or not, it is put into the
//! last event of the text, or into an event of its own before the end.
//!
//! Tokens are given back in text, in refusals, in reasoning and tool arguments as [`Restoring`](super::Restoring) says; not in error
//! messages, echoes of the request and members that nobody has heard of. If new private data is to be hidden, it is hidden in all strings
//! but those that a table knows as structure, and the `logprobs` of a text that changed are left out: they spell the text.
//!
//! Data that is not JSON passes as it is, or is hidden as plain text; unfinished JSON at the very end is then left out.

mod channels;
mod edit;
mod found;
mod json_text;
mod lines;
mod texts;

pub use channels::{Channel, Channels, text};

use super::body::is_base64;
use super::finding::Tally;
use super::policy::Answers;
use super::redactor::Redactor;
use super::restore::Sink;
use super::session::Session;
use crate::error::{Error, ErrorKind};
use crate::json::string::{body as inside, unescaped};
use crate::reply::error_body;
use crate::sse::{Decoder, Item, Options};
use edit::Edit;
use found::Found;
use texts::{Hands, Texts, Whole};

/// Whether an answer can differ at all: else its bytes may pass without being looked at.
pub fn needs(redactor: &Redactor, session: &Session) -> bool {
    !session.is_empty() || redactor.policy().answers == Answers::Mask
}

/// One answer that is handed on as an event stream.
///
/// For every split of the bytes, what comes out is the same. Holds the event that is not whole yet, and what the texts hold back. An
/// event over the limit (with comments in it: four times that) ends the answer with an error event if new private data is to be hidden;
/// else all that follows passes as it is. Whether anything is to be done at all ([`needs`]) is asked when the first byte comes.
#[derive(Debug)]
pub struct AnswerStream {
    decoder: Decoder,
    /// The bytes of the event that is not whole yet.
    held: Vec<u8>,
    /// What was handed on ends with a CR, whose LF may still come.
    after_cr: bool,
    limit: usize,
    mode: Mode,
    texts: Texts,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Nothing has come.
    Fresh,
    Open,
    /// All bytes pass.
    Passing,
    /// No byte passes.
    Over,
}

/// How many times the limit may be held: only comments can be longer than it.
const HELD: usize = 4;

impl Default for AnswerStream {
    fn default() -> Self {
        AnswerStream::new()
    }
}

impl AnswerStream {
    /// A stream that begins, with the default [`Limits::event`](crate::limits::Limits::event).
    pub fn new() -> AnswerStream {
        AnswerStream::with_limit(Options::default().max_event)
    }

    /// A stream whose events may have `limit` bytes.
    pub fn with_limit(limit: usize) -> AnswerStream {
        AnswerStream {
            decoder: Decoder::new(Options { max_event: limit, lenient: true }),
            held: Vec::new(),
            after_cr: false,
            limit,
            mode: Mode::Fresh,
            texts: Texts { channels: Channels::new(), templates: Vec::new() },
        }
    }

    /// What the text of the answer is: [`Sink::Json`] if the request asked for JSON. Default [`Sink::Text`].
    pub fn with_text(mut self, text: Sink) -> AnswerStream {
        self.texts.channels = Channels::new().with_text(text);
        self
    }

    /// Whether the answer was ended by an error event of ours: the upstream need not be read on.
    pub fn is_over(&self) -> bool {
        self.mode == Mode::Over
    }

    /// The next bytes; what may be handed on is appended to `out`.
    pub fn push(
        &mut self,
        redactor: &Redactor,
        session: &mut Session,
        bytes: &[u8],
        out: &mut Vec<u8>,
        tally: &mut Tally,
    ) {
        match self.mode {
            Mode::Fresh => self.mode = if needs(redactor, session) { Mode::Open } else { Mode::Passing },
            Mode::Open | Mode::Passing | Mode::Over => {}
        }
        match self.mode {
            Mode::Passing => return out.extend_from_slice(bytes),
            Mode::Over => return,
            Mode::Fresh | Mode::Open => {}
        }
        if bytes.is_empty() {
            return;
        }
        // The second half of a line end goes with the first, before anything of ours.
        let mut from = 0;
        if core::mem::take(&mut self.after_cr) && bytes.starts_with(b"\n") {
            out.push(b'\n');
            from = 1;
        }
        let mut input = bytes;
        loop {
            let item = self.decoder.next_item(&mut input);
            let end = bytes.len() - input.len();
            let part = bytes.get(from..end).unwrap_or_default();
            let fits = match item {
                Ok(Some(Item::Event(event))) => {
                    let joined;
                    let raw = if self.held.is_empty() {
                        part
                    } else {
                        joined = [core::mem::take(&mut self.held).as_slice(), part].concat();
                        &joined
                    };
                    from = end;
                    let (before, raw) = lines::split(raw);
                    out.extend_from_slice(before);
                    let event = Whole { raw, event_type: &event.event_type, data: &event.data, last: false };
                    self.texts.event(&mut Hands { redactor, session, tally, out }, &event)
                }
                Ok(Some(_)) => continue,
                Ok(None) => {
                    self.held.extend_from_slice(part);
                    if self.decoder.is_between_events() {
                        out.append(&mut self.held);
                    }
                    self.after_cr = self.held.is_empty() && out.last() == Some(&b'\r');
                    if self.held.len() <= self.limit.saturating_mul(HELD) {
                        return;
                    }
                    from = end;
                    false
                }
                Err(_) => {
                    self.held.extend_from_slice(part);
                    from = end;
                    false
                }
            };
            if !fits {
                let rest = bytes.get(from..).unwrap_or_default();
                return self.give_up(&mut Hands { redactor, session, tally, out }, rest);
            }
        }
    }

    /// The stream is over, well or not: what is held is handed on.
    pub fn finish(&mut self, redactor: &Redactor, session: &mut Session, out: &mut Vec<u8>, tally: &mut Tally) {
        let mode = core::mem::replace(&mut self.mode, Mode::Over);
        if mode != Mode::Open {
            return;
        }
        let mut hands = Hands { redactor, session, tally, out };
        let held = core::mem::take(&mut self.held);
        let (before, raw) = lines::split(&held);
        hands.out.extend_from_slice(before);
        match self.decoder.finish() {
            Some(Item::Event(event)) => {
                let event = Whole { raw, event_type: &event.event_type, data: &event.data, last: true };
                self.texts.event(&mut hands, &event);
            }
            _ => {
                self.texts.flush(&mut hands, None);
                hands.out.extend_from_slice(raw);
            }
        }
    }

    /// The event that is held cannot be searched; `rest` stands behind it.
    fn give_up(&mut self, hands: &mut Hands<'_>, rest: &[u8]) {
        let held = core::mem::take(&mut self.held);
        let (before, event) = lines::split(&held);
        hands.out.extend_from_slice(before);
        self.texts.flush(hands, None);
        if hands.hides() {
            self.mode = Mode::Over;
            let message =
                "An event of the answer cannot be searched for private data: it is too large or nested too deep.";
            let error = Error::new(ErrorKind::EventTooLarge, message);
            lines::event("message", &error_body(&error), hands.out);
        } else {
            self.mode = Mode::Passing;
            hands.out.extend_from_slice(event);
            hands.out.extend_from_slice(rest);
        }
    }
}

/// A whole answer: a JSON body of any endpoint. What is not JSON is hidden as plain text, or stays as it is.
pub fn whole(redactor: &Redactor, session: &mut Session, body: &str, tally: &mut Tally) -> String {
    whole_with(redactor, session, Sink::Text, body, tally)
}

/// As [`whole`], where the text of the answer is `sink`.
pub fn whole_with(redactor: &Redactor, session: &mut Session, sink: Sink, body: &str, tally: &mut Tally) -> String {
    if !needs(redactor, session) {
        return body.to_owned();
    }
    let hides = redactor.policy().answers == Answers::Mask;
    let reading = found::read(body, false, hides).filter(|reading| !(hides && reading.too_deep));
    let mut out = String::with_capacity(body.len());
    let Some(reading) = reading else {
        if hides && is_almost_json(body) {
            return json_text::hide(redactor, session, body, tally);
        }
        text(redactor, session, Channel::Other, Sink::Text, body, &mut out, tally);
        return out;
    };
    let mut edit = Edit::default();
    for found in &reading.found {
        let raw = inside(found.span.of(body)).unwrap_or_default();
        let Some(old) = unescaped(raw).filter(|_| !is_left_alone(found, raw)) else { continue };
        let mut new = String::new();
        text(redactor, session, found.key.channel, sink, &old, &mut new, tally);
        if new != old {
            edit.replace(found, &new);
        }
    }
    edit.logprobs(&reading, hides, body);
    edit.write(body, &mut out);
    out
}

/// Whether something is meant to be JSON, but cut short, malformed or nested too deep.
fn is_almost_json(text: &str) -> bool {
    matches!(text.trim_ascii_start().as_bytes().first(), Some(b'{' | b'['))
}

/// Base64 holds no text.
fn is_left_alone(found: &Found, raw: &str) -> bool {
    found.key.channel == Channel::Other && is_base64(raw)
}

//! The assembler: events in, deltas out, and one end.
//!
//! [`Assembler::handle_data`] first tries the templates of the chunks before (see `template`); an event that fits none is parsed and
//! taken apart (see `chunk` and `parsed`). Both ways meet in `piece`, so that they cannot differ in what a string does.

use super::chunk::object;
use super::end::{Cause, End, Facts, Meaning};
use super::json::{Cursor, Read};
use super::opaque::Watch;
use super::string::{self, Form};
use super::template::{Channel, Templates};
use super::think::ThinkTags;
use super::track::{Track, deliver};
use super::whole::{Reply, Room};
use super::{Delta, Deltas, Notice, Usage, failure, json};
use crate::error::{Error, ErrorKind};
use crate::limits::Limits;
use crate::request::Endpoint;

/// How many notices a reply may have before comments add no more, and how long a comment may be, in bytes.
const MOST_TOLD: usize = 64;
const LONGEST_TOLD: usize = 32 << 10;

object! {
    Told {
        notice: &'a str = "notice",
        detail: &'a str = "detail",
        timeline: &'a str = "timeline",
    }
}

/// How to read a reply.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// What to do about `<think>` tags in the text. ### Default: [`ThinkTags::Auto`].
    pub think_tags: ThinkTags,
    /// Whether to put the whole [`Reply`] together; without it, only the end, the usage and who called which tool are tracked.
    /// ### Default: true.
    pub collect: bool,
    /// How many choices were asked for: a stream that ends before all have come, and without `[DONE]`, is cut. ### Default: 1.
    pub choices: u32,
    /// Whose answers they are: of all but completions only the end and the usage are read. ### Default: chat completions.
    pub endpoint: Endpoint,
    /// The bounds: `reply`, `parts` and, for [`read_body`](super::read_body), `reply_body`.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            think_tags: ThinkTags::Auto,
            collect: true,
            choices: 1,
            endpoint: Endpoint::ChatCompletions,
            limits: Limits::default(),
        }
    }
}

/// What one event was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// It brought text, reasoning, a refusal, a piece of a tool call, audio or an image: there is progress.
    pub content: bool,
    /// It brought the usage and no choice.
    pub usage_only: bool,
    /// It was `[DONE]`.
    pub done: bool,
    /// It brought a finish reason.
    pub finished: bool,
}

/// Puts one reply together from its stream's events.
///
/// After an error or `[DONE]`, further events are ignored. Memory is bounded by [`Limits::reply`] and [`Limits::parts`]; time is linear
/// in the events' bytes.
#[derive(Debug)]
pub struct Assembler {
    pub(super) options: Options,
    pub(super) reply: Reply,
    pub(super) tracks: Vec<Track>,
    pub(super) templates: Templates,
    pub(super) use_templates: bool,
    pub(super) scratch: String,
    pub(super) room: Room,
    pub(super) chunks: u64,
    pub(super) watch: Watch,
    pub(super) done: bool,
    failure: Option<Error>,
    end: Option<End>,
}

impl Assembler {
    /// An assembler at the start of a reply.
    pub fn new(options: Options) -> Self {
        Assembler {
            options,
            reply: Reply::default(),
            tracks: Vec::new(),
            templates: Templates::default(),
            use_templates: true,
            scratch: String::new(),
            room: Room::new(&options.limits),
            chunks: 0,
            watch: Watch::default(),
            done: false,
            failure: None,
            end: None,
        }
    }

    /// As [`Assembler::new`], with every event parsed in full: for tests that compare the two ways.
    #[doc(hidden)]
    pub fn without_templates(options: Options) -> Self {
        Assembler { use_templates: false, ..Assembler::new(options) }
    }

    /// One event of the stream: its type and its data. What it says is appended to `out`.
    ///
    /// An error ends the reply: the vendor's own (`{"error":…}`, a flat `{"code","message"}`, `event: error`), classified; `protocol`
    /// for what is not the protocol; `reply_too_large`. The data itself is never quoted.
    #[inline]
    pub fn handle_data(&mut self, event_type: &str, data: &str, out: &mut Deltas) -> Result<Step, Error> {
        if self.done || self.failure.is_some() || self.end.is_some() {
            return Ok(Step::default());
        }
        if !self.options.endpoint.is_completion() {
            return self.watch(event_type, data).map_err(|error| self.fail(error));
        }
        if event_type == "message"
            && let Some((place, channel, body, form)) = self.templates.find(data)
        {
            match self.piece(place, channel, body, form, out) {
                Ok(Some(content)) => return Ok(Step { content, ..Step::default() }),
                Ok(None) => {}
                Err(error) => return Err(self.fail(error)),
            }
        }
        self.handle_new(event_type, data, out).map_err(|error| self.fail(error))
    }

    /// How the bytes ended. Gives out what was held back and decides the one end; a second call gives the same end again.
    pub fn finish(&mut self, cause: Cause, out: &mut Deltas) -> End {
        if let Some(end) = &self.end {
            return end.clone();
        }
        let unterminated = matches!(cause, Cause::Unterminated);
        if !self.options.endpoint.is_completion() {
            let cause = self.failure.take().map_or(cause, Cause::Failed);
            let end = self.end_of_watch(cause);
            self.end = Some(end.clone());
            return end;
        }
        self.flush(out);
        self.forget_early_reasons();
        self.sort_choices();
        let cause = self.failure.take().map_or(cause, Cause::Failed);
        let first = self.reply.choices.first();
        let reasons = self.reply.choices.iter().map(|choice| choice.finish_reason.as_deref());
        let facts = Facts {
            finish_reason: first.and_then(|choice| choice.finish_reason.as_deref()),
            meaning: Meaning::of_all(reasons),
            finished: self.is_finished(),
            done: self.done,
            said_something: self.tracks.iter().any(|track| track.seen.anything()),
            calls_tools: first.is_some_and(|choice| !choice.tool_calls.is_empty()),
        };
        let end = End::decide(cause, &facts);
        if unterminated {
            self.notice(Notice::UnterminatedEvent, out);
        }
        if end.outcome.is_success() && !self.done {
            self.notice(Notice::MissingDone, out);
        }
        self.end = Some(end.clone());
        end
    }

    /// A comment ` sluicegate {…}`: what a gate on the way says about its part of the call. What is none is ignored, as comments are.
    #[cold]
    pub(super) fn handle_comment(&mut self, text: &[u8], out: &mut Deltas) {
        let is_over = self.reply.notices.len() >= MOST_TOLD || text.len() > LONGEST_TOLD;
        let json = core::str::from_utf8(text).ok().and_then(|text| text.strip_prefix(" sluicegate "));
        let Some(told) = json.filter(|_| !is_over).and_then(json::parse::<Told<'_>>) else { return };
        if let Some(timeline) = told.timeline.filter(|timeline| timeline.starts_with('[')) {
            self.reply.upstream_timeline = Some(timeline.to_owned());
        }
        if let Some(mut detail) = told.notice.and_then(string::read) {
            if let Some(more) = told.detail.and_then(string::read) {
                detail.push_str(": ");
                detail.push_str(&more);
            }
            out.push(Delta::Notice { code: Notice::Upstream, detail: &detail });
            self.reply.notices.push((Notice::Upstream, detail));
        }
    }

    /// The reply as far as it has come.
    pub fn reply(&self) -> &Reply {
        &self.reply
    }

    /// The reply, after [`Assembler::finish`].
    pub fn into_reply(self) -> Reply {
        self.reply
    }

    /// Whether `[DONE]` came.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// Whether every choice has a finish reason, and none went on after it without `[DONE]`. Every choice are those that were asked
    /// for; behind `[DONE]` those that came, at least one: some upstreams know no `n`.
    pub fn is_finished(&self) -> bool {
        let went_on = !self.done && self.tracks.iter().any(|track| track.went_on);
        let wanted = if self.done { 1 } else { self.options.choices.max(1) };
        !went_on
            && self.reply.choices.len() >= wanted as usize
            && self.reply.choices.iter().all(|choice| choice.finish_reason.is_some())
    }

    /// The usage, once it has come.
    pub fn usage(&self) -> Option<&Usage> {
        self.reply.usage.as_ref()
    }

    /// A whole completion at once, as an unary reply has it.
    pub(super) fn handle_whole(&mut self, data: &str, out: &mut Deltas) -> Result<(), Error> {
        let step = self.handle_chunk(data, true, out).map_err(|error| self.fail(error))?;
        self.done = true;
        if self.reply.choices.is_empty() && !step.usage_only {
            return Err(self.fail(Error::new(ErrorKind::Protocol, "The upstream's answer holds no choices.")));
        }
        Ok(())
    }

    fn fail(&mut self, error: Error) -> Error {
        self.failure = Some(error.clone());
        error
    }

    #[cold]
    pub(super) fn ignored() -> Result<Step, Error> {
        Ok(Step::default())
    }

    fn handle_new(&mut self, event_type: &str, data: &str, out: &mut Deltas) -> Result<Step, Error> {
        // A byte order mark that got in front of one event.
        let data = data.strip_prefix('\u{FEFF}').unwrap_or(data);
        let trimmed = data.trim();
        match event_type {
            // Some servers say goodbye by an event's name, with words of their own.
            "close" | "done" if self.is_finished() && json::parse::<&str>(trimmed).is_none() && !is_done(trimmed) => {
                return Self::ignored();
            }
            "error" => return Err(failure::in_stream(trimmed)),
            "ping" | "heartbeat" | "keep-alive" | "keepalive" => return Self::ignored(),
            _ => {}
        }
        match trimmed.as_bytes().first() {
            Some(b'{') => self.handle_chunk(data, false, out),
            Some(b'[' | b'"') if is_done(trimmed) => {
                self.done = true;
                Ok(Step { done: true, ..Step::default() })
            }
            None => Self::ignored(),
            Some(b'n') if trimmed == "null" => Self::ignored(),
            Some(b'"') if json::parse::<&str>(trimmed).is_some() => Err(failure::in_stream(trimmed)),
            Some(b'<') => Err(Error::new(ErrorKind::Protocol, "The upstream sent HTML or XML inside the stream.")),
            _ => Err(malformed()),
        }
    }

    /// A piece of one string, as it stands between its quotes: the one place that both ways go through. `None`, and nothing done,
    /// if it is no string body.
    #[inline]
    pub(super) fn piece(
        &mut self,
        place: usize,
        channel: Channel,
        body: &str,
        form: Form,
        out: &mut Deltas,
    ) -> Result<Option<bool>, Error> {
        let (Some(choice), Some(track)) = (self.reply.choices.get_mut(place), self.tracks.get_mut(place)) else {
            return Ok(None);
        };
        let half = match channel {
            Channel::Text => &mut track.text_half,
            Channel::Reasoning => &mut track.reasoning_half,
            Channel::Refusal => &mut track.refusal_half,
            Channel::Arguments(at) => match track.calls.get_mut(at) {
                Some(call) => &mut call.half,
                None => return Ok(None),
            },
        };
        let Some(text) = string::decode(body, form, half, &mut self.scratch) else { return Ok(None) };
        self.room.take(text.len())?;
        if !text.is_empty() {
            track.went_on |= choice.finish_reason.is_some();
            deliver(choice, track, self.options.collect, channel, text, out);
        }
        Ok(Some(!body.is_empty()))
    }

    /// Gives out what was held back: halves of surrogate pairs, beginnings of tags.
    fn flush(&mut self, out: &mut Deltas) {
        let mut unclosed = false;
        for (choice, track) in self.reply.choices.iter_mut().zip(&mut self.tracks) {
            unclosed |= track.finish(choice, self.options.collect, out);
        }
        if unclosed {
            self.notice(Notice::UnclosedThink, out);
        }
    }

    /// A finish reason that content came after was not the last word: without `[DONE]`, nobody said that what came then is all
    /// of it, and a truncation must never pass for an answer. With `[DONE]` the upstream has said so, and the reason stands.
    fn forget_early_reasons(&mut self) {
        for (choice, track) in self.reply.choices.iter_mut().zip(&mut self.tracks) {
            if core::mem::take(&mut track.went_on) && !self.done {
                choice.finish_reason = None;
            }
        }
    }

    /// By insertion: they come in order, as a rule, and are few.
    fn sort_choices(&mut self) {
        let choices = &mut self.reply.choices;
        for at in 1..choices.len() {
            let Some(index) = choices.get(at).map(|choice| choice.index) else { break };
            if let Some(to) = choices.iter().take(at).position(|before| before.index > index) {
                let choice = choices.remove(at);
                choices.insert(to, choice);
            }
        }
    }

    fn notice(&mut self, code: Notice, out: &mut Deltas) {
        out.push(Delta::Notice { code, detail: "" });
        self.reply.notices.push((code, String::new()));
    }
}

/// `[DONE]`, also in lower case or as a JSON string.
fn is_done(trimmed: &str) -> bool {
    let bare = trimmed.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(trimmed);
    bare.trim().eq_ignore_ascii_case("[DONE]")
}

pub(super) fn malformed() -> Error {
    Error::new(ErrorKind::Protocol, "The upstream sent data that is not a chunk of a completion in JSON.")
}

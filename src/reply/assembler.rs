//! The assembler: events in, deltas out, and one end.
//!
//! [`Assembler::handle_data`] first tries the templates of the chunks before (see `template`); an event that fits none is parsed (see
//! `chunk`). Both ways meet in [`Assembler::piece`], so that they cannot differ in what a string does.

use super::chunk::{Chunk, ChunkCall, ChunkChoice, ChunkDelta, ChunkFunction, Members, Part, number};
use super::end::{Cause, End, Facts};
use super::json;
use super::string::{self, Form};
use super::template::{Channel, Templates};
use super::think::{Lane, Think, ThinkTags};
use super::tool::{self, CallTrack, Key, Piece};
use super::whole::{Choice, Reply, Room};
use super::{Delta, Deltas, Notice, Usage, failure};
use crate::error::{Error, ErrorKind};
use crate::limits::Limits;

/// How to read a reply.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// What to do about `<think>` tags in the text. ### Default: [`ThinkTags::Auto`].
    pub think_tags: ThinkTags,
    /// Whether to put the whole [`Reply`] together; without it, only the end, the usage and who called which tool are tracked.
    /// ### Default: true.
    pub collect: bool,
    /// The bounds: `reply`, `parts` and, for [`read_body`](super::read_body), `reply_body`.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Options { think_tags: ThinkTags::Auto, collect: true, limits: Limits::default() }
    }
}

/// What one event was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// It brought text, reasoning, a refusal or a piece of a tool call: there is progress.
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
    options: Options,
    reply: Reply,
    tracks: Vec<Track>,
    templates: Templates,
    use_templates: bool,
    scratch: String,
    room: Room,
    chunks: u64,
    done: bool,
    failure: Option<Error>,
    end: Option<End>,
}

/// What is known of a choice beside the choice itself; at the same place in its list.
#[derive(Debug)]
struct Track {
    think: Think,
    /// See `string`; one for each channel.
    text_half: u16,
    reasoning_half: u16,
    refusal_half: u16,
    calls: Vec<CallTrack>,
    /// Members of `logprobs`: name, text so far, whether it is the inside of an array.
    logprobs: Vec<(String, String, bool)>,
    seen: Seen,
}

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    text: bool,
    reasoning: bool,
    refusal: bool,
    tools: bool,
}

impl Seen {
    fn anything(self) -> bool {
        self.text || self.reasoning || self.refusal || self.tools
    }
}

/// What a chunk said, seen from the fast path: a chunk that said one string and nothing else can be a template.
#[derive(Default)]
struct Shape {
    string: Option<(usize, usize, usize, Channel)>,
    other: bool,
}

impl Shape {
    fn string(&mut self, data: &str, body: &str, place: usize, channel: Channel) {
        let start = (body.as_ptr() as usize).checked_sub(data.as_ptr() as usize);
        match start {
            Some(start) if self.string.is_none() => self.string = Some((start, start + body.len(), place, channel)),
            _ => self.other = true,
        }
    }
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
        let unterminated = cause == Cause::Unterminated;
        self.flush(out);
        self.reply.choices.sort_by_key(|choice| choice.index);
        let cause = self.failure.take().map_or(cause, Cause::Failed);
        let first = self.reply.choices.first();
        let facts = Facts {
            finish_reason: first.and_then(|choice| choice.finish_reason.as_deref()),
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

    /// Whether every choice seen so far, at least one, has a finish reason.
    pub fn is_finished(&self) -> bool {
        !self.reply.choices.is_empty() && self.reply.choices.iter().all(|choice| choice.finish_reason.is_some())
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
    fn ignored() -> Result<Step, Error> {
        Ok(Step::default())
    }

    fn handle_new(&mut self, event_type: &str, data: &str, out: &mut Deltas) -> Result<Step, Error> {
        let trimmed = data.trim();
        match event_type {
            "error" => return Err(failure::in_stream(trimmed)),
            "ping" | "heartbeat" | "keep-alive" | "keepalive" => return Self::ignored(),
            _ => {}
        }
        match trimmed.as_bytes().first() {
            Some(b'{') => self.handle_chunk(data, false, out),
            Some(b'[') if trimmed == "[DONE]" => {
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

    fn handle_chunk(&mut self, data: &str, whole: bool, out: &mut Deltas) -> Result<Step, Error> {
        let chunk: Chunk<'_> = json::parse(data).ok_or_else(malformed)?;
        if chunk.is_error() {
            return Err(failure::in_stream(data));
        }
        let choices = chunk.choices.as_deref().unwrap_or_default();
        let object = chunk.object.and_then(|object| string::body(object)).unwrap_or("");
        if !object.is_empty() && !object.contains("completion") {
            return Self::ignored();
        }
        self.chunks += 1;
        let mut step = Step::default();
        let mut shape = Shape { string: None, other: choices.len() != 1 };

        self.head(&chunk)?;
        let mut changed = self.room.keep(&mut self.reply.extra, &chunk.extra)?;
        for choice in choices {
            changed |= self.handle_choice(data, choice, whole, &mut step, &mut shape, out)?;
        }
        if let Some(usage) = chunk.usage {
            self.handle_usage(usage)?;
            step.usage_only = choices.is_empty() && self.reply.usage.is_some();
            shape.other = true;
        }
        if changed {
            self.templates.clear();
        } else if let (Some((start, end, place, channel)), false, true) =
            (shape.string, shape.other, self.use_templates)
        {
            self.templates.learn(data, start, end, (place, channel));
        }
        Ok(step)
    }

    /// The fields that are the same in every chunk: the first value counts.
    fn head(&mut self, chunk: &Chunk<'_>) -> Result<(), Error> {
        if self.reply.id.is_empty() {
            self.reply.id = read(chunk.id);
            self.room.take_rest(self.reply.id.len())?;
        }
        if self.reply.model.is_empty() {
            self.reply.model = read(chunk.model);
            self.room.take_rest(self.reply.model.len())?;
        }
        if self.reply.created.is_none() {
            self.reply.created = chunk.created.and_then(|created| number(created));
        }
        if self.reply.system_fingerprint.is_none() {
            self.reply.system_fingerprint = chunk.system_fingerprint.and_then(|raw| string::read(raw));
            self.room.take_rest(self.reply.system_fingerprint.as_ref().map_or(0, String::len))?;
        }
        Ok(())
    }

    fn handle_usage(&mut self, json: &str) -> Result<(), Error> {
        let before = self.reply.usage.as_ref().map_or(0, |usage| usage.raw.len());
        if json.len() > before {
            self.room.take_rest(json.len() - before)?;
        }
        Usage::update(&mut self.reply.usage, json);
        Ok(())
    }

    /// Whether anything changed that a template relies on.
    fn handle_choice(
        &mut self,
        data: &str,
        wire: &ChunkChoice<'_>,
        whole: bool,
        step: &mut Step,
        shape: &mut Shape,
        out: &mut Deltas,
    ) -> Result<bool, Error> {
        let index = wire.index.and_then(|raw| number(raw)).map_or(0, |n| u32::try_from(n).unwrap_or(u32::MAX));
        let place = self.place(index)?;
        let Some(choice) = self.reply.choices.get_mut(place) else { return Ok(false) };
        let mut changed = self.room.keep(&mut choice.extra, &wire.extra)?;

        // A `message` beside deltas repeats what they said (some vendors send it with every chunk, some with the last).
        let fresh = self.tracks.get(place).is_some_and(|track| !track.seen.anything());
        let (delta, whole) = match (&wire.delta, &wire.message) {
            (Some(delta), _) => (Some(delta), whole),
            (None, Some(message)) if whole || fresh => (Some(message), true),
            (None, _) => (None, whole),
        };
        if wire.message.is_some() {
            shape.other = true;
        }
        if let Some(delta) = delta {
            changed |= self.handle_delta(data, place, delta, whole, step, shape, out)?;
        }
        if let Some(text) = wire.text {
            step.content |= self.value(data, place, Channel::Text, text, shape, out)?;
        }
        if let Some(logprobs) = wire.logprobs {
            shape.other = true;
            if self.options.collect {
                self.handle_logprobs(place, logprobs)?;
            }
        }
        let reason = read(wire.finish_reason);
        if !reason.trim().is_empty() {
            shape.other = true;
            step.finished = true;
            self.room.take_rest(reason.len())?;
            if let Some(choice) = self.reply.choices.get_mut(place) {
                choice.finish_reason = Some(reason);
            }
        }
        Ok(changed)
    }

    fn handle_delta(
        &mut self,
        data: &str,
        place: usize,
        delta: &ChunkDelta<'_>,
        whole: bool,
        step: &mut Step,
        shape: &mut Shape,
        out: &mut Deltas,
    ) -> Result<bool, Error> {
        let mut changed = match self.reply.choices.get_mut(place) {
            Some(choice) => self.room.keep(&mut choice.extra, &delta.extra)?,
            None => false,
        };
        let reasoning = [delta.reasoning_content, delta.reasoning];
        if let [Some(one), Some(other)] = reasoning
            && (one == other || read(Some(one)) == read(Some(other)))
        {
            shape.other = true;
            step.content |= self.value(data, place, Channel::Reasoning, one, shape, out)?;
        } else {
            for raw in reasoning.into_iter().flatten() {
                step.content |= self.value(data, place, Channel::Reasoning, raw, shape, out)?;
            }
        }
        for (channel, raw) in [(Channel::Text, delta.content), (Channel::Refusal, delta.refusal)] {
            if let Some(raw) = raw {
                step.content |= self.value(data, place, channel, raw, shape, out)?;
            }
        }
        for call in delta.tool_calls.iter().flatten() {
            let key = call.index.and_then(|raw| number(raw)).map_or(Key::Missing, Key::Index);
            changed |= self.handle_call(data, place, key, call, call.function.as_ref(), whole, step, shape, out)?;
        }
        if let Some(function) = &delta.function_call {
            let call = ChunkCall::default();
            changed |= self.handle_call(data, place, Key::Legacy, &call, Some(function), whole, step, shape, out)?;
        }
        Ok(changed)
    }

    #[allow(clippy::too_many_arguments, reason = "one call each; a struct would only rename the list")]
    fn handle_call(
        &mut self,
        data: &str,
        place: usize,
        key: Key,
        wire: &ChunkCall<'_>,
        function: Option<&ChunkFunction<'_>>,
        whole: bool,
        step: &mut Step,
        shape: &mut Shape,
        out: &mut Deltas,
    ) -> Result<bool, Error> {
        let (Some(choice), Some(track)) = (self.reply.choices.get_mut(place), self.tracks.get_mut(place)) else {
            return Ok(false);
        };
        let (id, name) =
            (blank_is_empty(read(wire.id)), blank_is_empty(read(function.and_then(|function| function.name))));
        let before = choice.tool_calls.len();
        let piece = Piece { key, id: &id, name: &name, chunk: self.chunks, whole };
        let at = tool::place(&mut choice.tool_calls, &mut track.calls, &piece, &self.room)?;
        let (Some(call), Some(call_track)) = (choice.tool_calls.get_mut(at), track.calls.get_mut(at)) else {
            return Ok(false);
        };
        let mut changed = at >= before;
        changed |= self.room.keep(&mut call.extra, &wire.extra)?;
        if let Some(function) = function {
            changed |= self.room.keep(&mut call.extra, &function.extra)?;
        }
        let new_id = if call.id.is_empty() { id.as_str() } else { "" };
        let new_name = if call.name.is_empty() { name.as_str() } else { "" };
        changed |= !new_id.is_empty() || !new_name.is_empty();

        let raw = function.and_then(|function| function.arguments).unwrap_or("");
        let arguments = match string::body(raw) {
            Some(body) => {
                if !body.is_empty() {
                    shape.string(data, body, place, Channel::Arguments(at));
                }
                string::decode(body, string::form(body.as_bytes()), &mut call_track.half, &mut self.scratch)
                    .ok_or_else(malformed)?
            }
            // Some servers send the arguments as an object, not as its text.
            None => raw,
        };
        // Which call a piece without a number is for depends on what came before, so its shape tells nothing.
        shape.other |= !matches!(key, Key::Index(_)) || string::body(raw).is_none();
        self.room.take_rest(new_id.len() + new_name.len())?;
        self.room.take(arguments.len())?;
        if new_id.is_empty() && new_name.is_empty() && arguments.is_empty() {
            return Ok(changed);
        }
        let delta = Delta::ToolCall { choice: choice.index, index: call.index, id: new_id, name: new_name, arguments };
        out.push(delta);
        track.seen.tools = true;
        step.content = true;
        call.id.push_str(new_id);
        call.name.push_str(new_name);
        if self.options.collect {
            call.arguments.push_str(arguments);
        }
        Ok(changed)
    }

    /// A string, or an array of parts, for one channel; whether it said anything. Other values say nothing.
    fn value(
        &mut self,
        data: &str,
        place: usize,
        channel: Channel,
        raw: &str,
        shape: &mut Shape,
        out: &mut Deltas,
    ) -> Result<bool, Error> {
        if let Some(body) = string::body(raw) {
            if body.is_empty() {
                return Ok(false);
            }
            shape.string(data, body, place, channel);
            let form = string::form(body.as_bytes());
            return self.piece(place, channel, body, form, out)?.ok_or_else(malformed);
        }
        shape.other = true;
        let mut said = false;
        if raw.starts_with('[')
            && let Some(parts) = json::parse::<Vec<Part<'_>>>(raw)
        {
            for part in &parts {
                if let Some(thinking) = part.thinking {
                    said |= self.value(data, place, Channel::Reasoning, thinking, shape, out)?;
                }
                if let Some(text) = part.text {
                    said |= self.value(data, place, channel, text, shape, out)?;
                }
            }
        }
        Ok(said)
    }

    /// A piece of one string, as it stands between its quotes: the one place that both ways go through. `None`, and nothing done,
    /// if it is no string body.
    #[inline]
    fn piece(
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
            deliver(choice, track, self.options.collect, channel, text, out);
        }
        Ok(Some(!body.is_empty()))
    }

    /// The place of the choice with this index, which is made if it is new.
    fn place(&mut self, index: u32) -> Result<usize, Error> {
        if let Some(place) = self.reply.choices.iter().position(|choice| choice.index == index) {
            return Ok(place);
        }
        self.room.one_more(self.reply.choices.len())?;
        self.reply.choices.push(Choice { index, ..Choice::default() });
        self.tracks.push(Track {
            think: Think::new(self.options.think_tags),
            text_half: 0,
            reasoning_half: 0,
            refusal_half: 0,
            calls: Vec::new(),
            logprobs: Vec::new(),
            seen: Seen::default(),
        });
        Ok(self.reply.choices.len() - 1)
    }

    fn handle_logprobs(&mut self, place: usize, text: &str) -> Result<(), Error> {
        let (Some(track), Some(members)) = (self.tracks.get_mut(place), json::parse::<Members<'_>>(text)) else {
            return Ok(());
        };
        for (name, value) in &members.extra {
            let inside = value.strip_prefix('[').and_then(|value| value.strip_suffix(']')).map(str::trim);
            let at = match track.logprobs.iter().position(|(known, ..)| known == name) {
                Some(at) => at,
                None => {
                    self.room.one_more(track.logprobs.len())?;
                    track.logprobs.push((name.clone().into_owned(), String::new(), inside.is_some()));
                    track.logprobs.len() - 1
                }
            };
            let Some((_, kept, is_array)) = track.logprobs.get_mut(at) else { continue };
            let text = inside.filter(|_| *is_array).unwrap_or(value);
            self.room.take_rest(text.len() + 1)?;
            if !*is_array || inside.is_none() {
                kept.clear();
                *is_array = false;
            } else if !kept.is_empty() && !text.is_empty() {
                kept.push(',');
            }
            kept.push_str(text);
        }
        Ok(())
    }

    /// Gives out what was held back: halves of surrogate pairs, beginnings of tags.
    fn flush(&mut self, out: &mut Deltas) {
        let collect = self.options.collect;
        let mut unclosed = false;
        for (choice, track) in self.reply.choices.iter_mut().zip(&mut self.tracks) {
            let halves = [&mut track.reasoning_half, &mut track.text_half, &mut track.refusal_half]
                .map(|half| core::mem::take(half) != 0);
            for (channel, half) in [Channel::Reasoning, Channel::Text, Channel::Refusal].into_iter().zip(halves) {
                if half {
                    deliver(choice, track, collect, channel, "\u{FFFD}", out);
                }
            }
            for at in 0..track.calls.len() {
                if track.calls.get_mut(at).is_some_and(|call| core::mem::take(&mut call.half) != 0) {
                    deliver(choice, track, collect, Channel::Arguments(at), "\u{FFFD}", out);
                }
            }
            let Track { think, seen, .. } = track;
            think.finish(&mut |lane, text| emit(choice, seen, collect, lane, text, out));
            unclosed |= think.is_open();
            choice.logprobs = logprobs_json(&track.logprobs);
        }
        if unclosed {
            self.notice(Notice::UnclosedThink, out);
        }
    }

    fn notice(&mut self, code: Notice, out: &mut Deltas) {
        out.push(Delta::Notice { code, detail: "" });
        self.reply.notices.push((code, String::new()));
    }
}

/// Text for one channel of one choice: into the batch and into the reply.
#[inline]
fn deliver(choice: &mut Choice, track: &mut Track, collect: bool, channel: Channel, text: &str, out: &mut Deltas) {
    let Track { think, seen, .. } = track;
    match channel {
        Channel::Text if think.is_plain() => emit(choice, seen, collect, Lane::Text, text, out),
        Channel::Text => think.feed(text, &mut |lane, text| emit(choice, seen, collect, lane, text, out)),
        Channel::Reasoning => {
            if !think.is_plain() {
                think.settle(&mut |lane, text| emit(choice, seen, collect, lane, text, out));
            }
            emit(choice, seen, collect, Lane::Reasoning, text, out);
        }
        Channel::Refusal => {
            seen.refusal = true;
            out.push(Delta::Refusal { choice: choice.index, text });
            if collect {
                choice.refusal.push_str(text);
            }
        }
        Channel::Arguments(at) => {
            let Some(call) = choice.tool_calls.get_mut(at) else { return };
            seen.tools = true;
            out.push(Delta::ToolCall { choice: choice.index, index: call.index, id: "", name: "", arguments: text });
            if collect {
                call.arguments.push_str(text);
            }
        }
    }
}

#[inline]
fn emit(choice: &mut Choice, seen: &mut Seen, collect: bool, lane: Lane, text: &str, out: &mut Deltas) {
    if text.is_empty() {
        return;
    }
    let whole = match lane {
        Lane::Text => {
            seen.text = true;
            out.push(Delta::Text { choice: choice.index, text });
            &mut choice.text
        }
        Lane::Reasoning => {
            seen.reasoning = true;
            out.push(Delta::Reasoning { choice: choice.index, text });
            &mut choice.reasoning
        }
    };
    if collect {
        whole.push_str(text);
    }
}

fn malformed() -> Error {
    Error::new(ErrorKind::Protocol, "The upstream sent data that is not a chunk of a completion in JSON.")
}

fn read(raw: Option<&str>) -> String {
    raw.and_then(|raw| string::read(raw)).unwrap_or_default()
}

fn blank_is_empty(mut text: String) -> String {
    if text.trim().is_empty() {
        text.clear();
    }
    text
}

fn logprobs_json(members: &[(String, String, bool)]) -> Option<String> {
    if members.is_empty() {
        return None;
    }
    let mut json = String::from("{");
    for (name, text, is_array) in members {
        if json.len() > 1 {
            json.push(',');
        }
        json.push_str(&serde_json::to_string(name).unwrap_or_default());
        json.push(':');
        if *is_array {
            json.push('[');
        }
        json.push_str(text);
        if *is_array {
            json.push(']');
        }
    }
    json.push('}');
    Some(json)
}

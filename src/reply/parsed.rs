//! What a parsed chunk does to the reply: the slow way, which knows every rule.

use super::assembler::{Assembler, Step, malformed};
use super::chunk::{Chunk, ChunkCall, ChunkChoice, ChunkDelta, ChunkFunction, Extra, List, Part};
use super::template::Channel;
use super::tool::{self, Key, Piece};
use super::track::Track;
use super::{Choice, Delta, Deltas, Usage, failure, json, string};
use crate::error::Error;
use crate::json::number::count as number;
use crate::text::has;

/// One event on its way through the rules.
struct Event<'e> {
    data: &'e str,
    step: Step,
    shape: Shape,
    out: &'e mut Deltas,
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
    /// One chunk, or with `whole` a whole completion.
    pub(super) fn handle_chunk(&mut self, data: &str, whole: bool, out: &mut Deltas) -> Result<Step, Error> {
        let chunk: Chunk<'_> = json::parse(data).ok_or_else(malformed)?;
        if chunk.is_error(failure::is_code) || chunk.bare_message().is_some_and(failure::names_a_failure) {
            return Err(failure::in_stream(data));
        }
        let choices = chunk.choices();
        let object = chunk.object.and_then(string::body).unwrap_or("");
        if chunk.choices.is_none() && !object.is_empty() && !has(object, "completion") {
            return Self::ignored();
        }
        self.chunks += 1;
        let shape = Shape { string: None, other: choices.len() != 1 };
        let mut event = Event { data, step: Step::default(), shape, out };

        self.head(&chunk)?;
        let mut changed = self.room.keep(&mut self.reply.extra, &chunk.extra)?;
        for choice in choices {
            changed |= self.handle_choice(&mut event, choice, whole)?;
        }
        if let Some(usage) = chunk.usage {
            self.handle_usage(usage)?;
            event.step.usage_only = choices.is_empty() && self.reply.usage.is_some();
            event.shape.other = true;
        }
        let Event { step, shape, .. } = event;
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
            self.reply.created = chunk.created.and_then(number);
        }
        if self.reply.system_fingerprint.is_none() {
            self.reply.system_fingerprint = chunk.system_fingerprint.and_then(string::read);
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
    fn handle_choice(&mut self, event: &mut Event<'_>, wire: &ChunkChoice<'_>, whole: bool) -> Result<bool, Error> {
        let index = wire.index.and_then(number).map_or(0, |n| u32::try_from(n).unwrap_or(u32::MAX));
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
            event.shape.other = true;
        }
        if let Some(delta) = delta {
            changed |= self.handle_delta(event, place, delta, whole)?;
        }
        if let Some(text) = wire.text {
            event.step.content |= self.value(event, place, Channel::Text, text)?;
        }
        // Moonshot's place for it.
        if let Some(usage) = wire.usage {
            event.shape.other = true;
            self.handle_usage(usage)?;
        }
        if let Some(logprobs) = wire.logprobs {
            event.shape.other = true;
            if self.options.collect {
                self.keep_logprobs(place, logprobs)?;
            }
        }
        let reason = read(wire.finish_reason);
        if !reason.trim().is_empty() {
            event.shape.other = true;
            event.step.finished = true;
            self.room.take_rest(reason.len())?;
            if let Some(choice) = self.reply.choices.get_mut(place) {
                choice.finish_reason = Some(reason);
            }
            if let Some(track) = self.tracks.get_mut(place) {
                track.went_on = false;
            }
        }
        Ok(changed)
    }

    fn handle_delta(
        &mut self,
        event: &mut Event<'_>,
        place: usize,
        delta: &ChunkDelta<'_>,
        whole: bool,
    ) -> Result<bool, Error> {
        let mut changed = match self.reply.choices.get_mut(place) {
            Some(choice) => self.room.keep(&mut choice.extra, &delta.extra)?,
            None => false,
        };
        if ["audio", "images", "reasoning_details"].into_iter().any(|name| brings(&delta.extra, |known| known == name))
        {
            self.say_other(event, place);
        }
        let reasoning = [delta.reasoning_content, delta.reasoning];
        if let [Some(one), Some(other)] = reasoning
            && (one == other || read(Some(one)) == read(Some(other)))
        {
            let said = self.value(event, place, Channel::Reasoning, one)?;
            event.shape.other |= said;
            event.step.content |= said;
        } else {
            for raw in reasoning.into_iter().flatten() {
                event.step.content |= self.value(event, place, Channel::Reasoning, raw)?;
            }
        }
        for (channel, raw) in [(Channel::Text, delta.content), (Channel::Refusal, delta.refusal)] {
            if let Some(raw) = raw {
                event.step.content |= self.value(event, place, channel, raw)?;
            }
        }
        for call in delta.tool_calls.iter().flat_map(|calls| &calls.0) {
            let key = call.index.and_then(number).map_or(Key::Missing, Key::Index);
            changed |= self.handle_call(event, place, key, call, call.function.as_ref(), whole)?;
        }
        if let Some(function) = &delta.function_call {
            let call = ChunkCall::default();
            changed |= self.handle_call(event, place, Key::Legacy, &call, Some(function), whole)?;
        }
        Ok(changed)
    }

    fn handle_call(
        &mut self,
        event: &mut Event<'_>,
        place: usize,
        key: Key,
        wire: &ChunkCall<'_>,
        function: Option<&ChunkFunction<'_>>,
        whole: bool,
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
                    event.shape.string(event.data, body, place, Channel::Arguments(at));
                }
                string::decode(body, string::form(body.as_bytes()), &mut call_track.half, &mut self.scratch)
                    .ok_or_else(malformed)?
            }
            // Some servers send the arguments as an object, not as its text.
            None => raw,
        };
        // Which call a piece without a number is for depends on what came before, so its shape tells nothing.
        event.shape.other |= !matches!(key, Key::Index(_)) || string::body(raw).is_none();
        self.room.take_rest(new_id.len() + new_name.len())?;
        self.room.take(arguments.len())?;
        if new_id.is_empty() && new_name.is_empty() && arguments.is_empty() {
            return Ok(changed);
        }
        let delta = Delta::ToolCall { choice: choice.index, index: call.index, id: new_id, name: new_name, arguments };
        event.out.push(delta);
        track.seen.tools = true;
        track.went_on |= choice.finish_reason.is_some();
        event.step.content = true;
        call.id.push_str(new_id);
        call.name.push_str(new_name);
        if self.options.collect {
            call.arguments.push_str(arguments);
        }
        Ok(changed)
    }

    /// A string, or an array of parts, for one channel; whether it said anything. Other values say nothing.
    fn value(&mut self, event: &mut Event<'_>, place: usize, channel: Channel, raw: &str) -> Result<bool, Error> {
        if let Some(body) = string::body(raw) {
            if body.is_empty() {
                return Ok(false);
            }
            event.shape.string(event.data, body, place, channel);
            let form = string::form(body.as_bytes());
            return self.piece(place, channel, body, form, event.out)?.ok_or_else(malformed);
        }
        event.shape.other = true;
        let mut said = false;
        if raw.starts_with('[')
            && let Some(parts) = json::parse::<List<Part<'_>>>(raw)
        {
            for part in &parts.0 {
                if let Some(thinking) = part.thinking {
                    said |= self.value(event, place, Channel::Reasoning, thinking)?;
                }
                if let Some(text) = part.text {
                    said |= self.value(event, place, channel, text)?;
                }
                if part.text.is_none() && part.thinking.is_none() && brings(&part.extra, |name| name != "type") {
                    self.say_other(event, place);
                }
            }
        }
        Ok(said)
    }

    /// Something was said that has no delta of its own: an image, audio, reasoning under a lock.
    fn say_other(&mut self, event: &mut Event<'_>, place: usize) {
        event.step.content = true;
        event.shape.other = true;
        if let (Some(choice), Some(track)) = (self.reply.choices.get(place), self.tracks.get_mut(place)) {
            track.seen.other = true;
            track.went_on |= choice.finish_reason.is_some();
        }
    }

    /// The place of the choice with this index, which is made if it is new.
    fn place(&mut self, index: u32) -> Result<usize, Error> {
        if let Some(place) = self.reply.choices.iter().position(|choice| choice.index == index) {
            return Ok(place);
        }
        self.room.one_more(self.reply.choices.len())?;
        self.reply.choices.push(Choice { index, ..Choice::default() });
        self.tracks.push(Track::new(self.options.think_tags));
        Ok(self.reply.choices.len() - 1)
    }

    fn keep_logprobs(&mut self, place: usize, text: &str) -> Result<(), Error> {
        self.tracks.get_mut(place).map_or(Ok(()), |track| track.logprobs.add(text, &mut self.room))
    }
}

/// Whether a field of such a name holds something: a string, array or object that is not empty.
fn brings(extra: &Extra<'_>, named: impl Fn(&str) -> bool) -> bool {
    let holds = |value: &str| {
        let inside = value.get(1..value.len().saturating_sub(1)).unwrap_or("");
        value.starts_with(['"', '[', '{']) && !inside.trim().is_empty()
    };
    extra.iter().any(|(name, value)| named(name) && holds(value))
}

fn read(raw: Option<&str>) -> String {
    raw.and_then(string::read).unwrap_or_default()
}

fn blank_is_empty(mut text: String) -> String {
    if text.trim().is_empty() {
        text.clear();
    }
    text
}

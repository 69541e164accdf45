//! What is known of a choice beside the choice itself, and how text reaches the batch and the reply.

use super::logprobs::Logprobs;
use super::template::Channel;
use super::think::{Lane, Think, ThinkTags};
use super::tool::CallTrack;
use super::{Choice, Delta, Deltas};

/// One choice's state, at the same place in its list as the choice in the reply's.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) think: Think,
    /// See `string`; one for each channel.
    pub(super) text_half: u16,
    pub(super) reasoning_half: u16,
    pub(super) refusal_half: u16,
    pub(super) calls: Vec<CallTrack>,
    pub(super) logprobs: Logprobs,
    pub(super) seen: Seen,
    /// Whether content came after the choice's finish reason.
    pub(super) went_on: bool,
}

impl Track {
    pub(super) fn new(tags: ThinkTags) -> Self {
        Track {
            think: Think::new(tags),
            text_half: 0,
            reasoning_half: 0,
            refusal_half: 0,
            calls: Vec::new(),
            logprobs: Logprobs::default(),
            seen: Seen::default(),
            went_on: false,
        }
    }

    /// Gives out what was held back; whether a `<think>` is open.
    pub(super) fn finish(&mut self, choice: &mut Choice, collect: bool, out: &mut Deltas) -> bool {
        let halves = [&mut self.reasoning_half, &mut self.text_half, &mut self.refusal_half];
        let halves = halves.map(|half| core::mem::take(half) != 0);
        for (channel, half) in [Channel::Reasoning, Channel::Text, Channel::Refusal].into_iter().zip(halves) {
            if half {
                deliver(choice, self, collect, channel, "\u{FFFD}", out);
            }
        }
        for at in 0..self.calls.len() {
            if self.calls.get_mut(at).is_some_and(|call| core::mem::take(&mut call.half) != 0) {
                deliver(choice, self, collect, Channel::Arguments(at), "\u{FFFD}", out);
            }
        }
        let Track { think, seen, logprobs, .. } = self;
        think.finish(&mut |lane, text| emit(choice, seen, collect, lane, text, out));
        choice.logprobs = logprobs.to_json();
        think.is_open()
    }
}

/// What the caller has received.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    pub(super) text: bool,
    pub(super) reasoning: bool,
    pub(super) refusal: bool,
    pub(super) tools: bool,
    /// Audio, images and the like, which are kept as unknown fields.
    pub(super) other: bool,
}

impl Seen {
    pub(super) fn anything(self) -> bool {
        self.text || self.reasoning || self.refusal || self.tools || self.other
    }
}

/// Text for one channel of one choice: into the batch and into the reply.
#[inline]
pub(super) fn deliver(
    choice: &mut Choice,
    track: &mut Track,
    collect: bool,
    channel: Channel,
    text: &str,
    out: &mut Deltas,
) {
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

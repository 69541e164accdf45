//! The whole reply, as far as it has come.

use super::chunk::Extra;
use super::{Delta, Deltas, Notice, ToolCall, Usage};
use crate::error::{Error, ErrorKind};
use crate::limits::Limits;

/// Fields that this project does not know: names with their raw JSON text, in order of arrival, each with its last value.
pub type ExtraFields = Vec<(String, String)>;

/// Everything that one answer said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The vendor's id of the completion; empty if it gave none.
    pub id: String,
    /// The model that answered, as the vendor names it; empty if it did not.
    pub model: String,
    /// When the completion was made, in seconds since 1970.
    pub created: Option<u64>,
    /// The vendor's id of the model's configuration.
    pub system_fingerprint: Option<String>,
    /// The choices: in order of arrival while the stream runs, by index from its end on.
    pub choices: Vec<Choice>,
    /// What it cost: the last `usage` that came.
    pub usage: Option<Usage>,
    /// Unknown top-level fields.
    pub extra: ExtraFields,
    /// What the caller may want to know, with a detail.
    pub notices: Vec<(Notice, String)>,
    /// What another gate on the way says that the call went through there: a JSON array.
    pub upstream_timeline: Option<String>,
}

/// One of the choices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Its number.
    pub index: u32,
    /// The answer.
    pub text: String,
    /// The reasoning before it.
    pub reasoning: String,
    /// The refusal, of vendors that keep it apart.
    pub refusal: String,
    /// The tools to call.
    pub tool_calls: Vec<ToolCall>,
    /// Why the model stopped, in the vendor's word; `None` until it said.
    pub finish_reason: Option<String>,
    /// The log probabilities as raw JSON, arrays of all chunks joined; set when the reply ends.
    pub logprobs: Option<String>,
    /// Unknown fields of the choice, its delta and its message.
    pub extra: ExtraFields,
}

/// What a reply may still hold: text, everything else (each up to [`Limits::reply`]), and parts.
#[derive(Debug)]
pub(super) struct Room {
    text: usize,
    rest: usize,
    limit: usize,
    parts: usize,
}

impl Room {
    pub(super) fn new(limits: &Limits) -> Self {
        Room { text: 0, rest: 0, limit: limits.reply, parts: limits.parts }
    }

    /// Counts `len` bytes more of text, reasoning, refusals or tool arguments.
    #[inline]
    pub(super) fn take(&mut self, len: usize) -> Result<(), Error> {
        self.text = self.text.saturating_add(len);
        if self.text > self.limit { Err(too_large()) } else { Ok(()) }
    }

    /// Counts `len` bytes more of names, ids, unknown fields and log probabilities.
    pub(super) fn take_rest(&mut self, len: usize) -> Result<(), Error> {
        self.rest = self.rest.saturating_add(len);
        if self.rest > self.limit { Err(too_large()) } else { Ok(()) }
    }

    /// Whether a list of `len` parts may get one more.
    pub(super) fn one_more(&self, len: usize) -> Result<(), Error> {
        if len < self.parts {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Protocol,
            "The upstream's reply has more choices, tool calls or fields than the limit allows.",
        ))
    }

    /// Keeps the last value of each unknown field; whether anything changed.
    pub(super) fn keep(&mut self, kept: &mut ExtraFields, extra: &Extra<'_>) -> Result<bool, Error> {
        let mut changed = false;
        for (name, value) in extra {
            match kept.iter_mut().find(|(known, _)| known == name) {
                Some((_, last)) if last == *value => continue,
                Some((_, last)) => {
                    self.rest = self.rest.saturating_sub(last.len());
                    self.take_rest(value.len())?;
                    last.clear();
                    last.push_str(value);
                }
                None => {
                    self.one_more(kept.len())?;
                    self.take_rest(name.len().saturating_add(value.len()))?;
                    kept.push((name.clone().into_owned(), (*value).to_owned()));
                }
            }
            changed = true;
        }
        Ok(changed)
    }
}

fn too_large() -> Error {
    Error::new(ErrorKind::ReplyTooLarge, "The reply is larger than the limit on replies.")
}

impl Reply {
    /// The reply as the deltas that a stream of it would have given: for an upstream that answers a stream request whole.
    pub fn to_deltas(&self, out: &mut Deltas) {
        for choice in &self.choices {
            let (choice, text, reasoning, refusal, calls) =
                (choice.index, &*choice.text, &*choice.reasoning, &*choice.refusal, &choice.tool_calls);
            if !reasoning.is_empty() {
                out.push(Delta::Reasoning { choice, text: reasoning });
            }
            if !text.is_empty() {
                out.push(Delta::Text { choice, text });
            }
            if !refusal.is_empty() {
                out.push(Delta::Refusal { choice, text: refusal });
            }
            for call in calls {
                let ToolCall { index, id, name, arguments, .. } = call;
                out.push(Delta::ToolCall { choice, index: *index, id, name, arguments });
            }
        }
    }
}

//! What a call has handed to its caller over several attempts, and how the answer that goes on joins it.

use super::splice::{Seam, Splice};
use crate::reply::{Choice, Delta, Deltas, Reply, Usage};

/// What the caller has got of an answer that broke off.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    pub(super) text: String,
    pub(super) reasoning: String,
    /// Something was handed on that cannot be gone on with: a tool call, a refusal, a second choice, an image.
    pub(super) closed: bool,
    /// The head of the first part: what all chunks of one answer have in common.
    pub(super) id: String,
    pub(super) created: Option<u64>,
    pub(super) model: String,
    usage: Option<Usage>,
}

impl Said {
    /// What the first attempt handed on.
    pub(super) fn of(reply: &Reply) -> Said {
        let first = reply.choices.first();
        // Something was said, and it was no text: an image, or more choices than are put together.
        let is_other = first.is_none_or(|choice| choice.text.is_empty() && choice.reasoning.is_empty());
        Said {
            text: first.map(|choice| choice.text.clone()).unwrap_or_default(),
            reasoning: first.map(|choice| choice.reasoning.clone()).unwrap_or_default(),
            closed: is_other || closes(reply),
            id: reply.id.clone(),
            created: reply.created,
            model: reply.model.clone(),
            usage: reply.usage.clone(),
        }
    }

    /// Nothing but the head of an answer.
    pub(super) fn head(reply: &Reply) -> Said {
        Said { id: reply.id.clone(), created: reply.created, model: reply.model.clone(), ..Said::default() }
    }

    /// A further attempt has ended; its text is here already, by way of [`Said::pass`].
    pub(super) fn add(&mut self, reply: &Reply) {
        self.closed |= closes(reply);
        self.usage = sum(self.usage.take(), reply.usage.as_ref());
    }

    /// Hands on what a further attempt said: its text joined to what was said before. What it thinks is about going on, or was thought
    /// before.
    pub(super) fn pass(&mut self, splice: &mut Splice, deltas: &Deltas, out: &mut Deltas) {
        for delta in deltas.iter() {
            match delta {
                Delta::Text { choice, text } => {
                    let before = self.text.len();
                    splice.feed(text, &mut self.text);
                    push_text(choice, self.text.get(before..).unwrap_or(""), out);
                }
                Delta::Reasoning { .. } => {}
                other => out.push(other),
            }
        }
    }

    /// The further attempt has ended: what the splice still held is handed on.
    pub(super) fn pass_rest(&mut self, splice: &mut Splice, out: &mut Deltas) -> Seam {
        let before = self.text.len();
        let seam = splice.finish(&mut self.text);
        push_text(0, self.text.get(before..).unwrap_or(""), out);
        seam
    }

    /// The last attempt's reply as the reply to the whole call: the model that ended it, everything that was said.
    pub(super) fn whole(self, mut last: Reply) -> Reply {
        last.id = self.id;
        last.created = self.created.or(last.created);
        last.usage = self.usage;
        if last.model.is_empty() {
            last.model = self.model;
        }
        if let Some(choice) = last.choices.first_mut() {
            choice.text = self.text;
            choice.reasoning = self.reasoning;
        } else if !self.text.is_empty() || !self.reasoning.is_empty() {
            let (text, reasoning) = (self.text, self.reasoning);
            last.choices.push(Choice { text, reasoning, ..Choice::default() });
        }
        last
    }
}

fn closes(reply: &Reply) -> bool {
    let has_more = |choice: &Choice| !choice.tool_calls.is_empty() || !choice.refusal.is_empty();
    reply.choices.len() > 1 || reply.choices.iter().any(has_more)
}

fn push_text(choice: u32, text: &str, out: &mut Deltas) {
    if !text.is_empty() {
        out.push(Delta::Text { choice, text });
    }
}

/// Tokens of two parts of one answer: both were generated, and both prompts were read.
fn sum(one: Option<Usage>, other: Option<&Usage>) -> Option<Usage> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.plus(other)),
        (one, other) => one.or_else(|| other.cloned()),
    }
}

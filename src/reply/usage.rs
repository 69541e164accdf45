//! What the answer cost, in tokens.

use super::chunk::object;
use super::json::{self, Cursor, Read};
use crate::json::number::count as number;
use crate::json::write::Object;

/// Token counts of one reply, as the upstream gave them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the prompt, cached ones included.
    pub prompt_tokens: u64,
    /// Tokens of the answer, reasoning included.
    pub completion_tokens: u64,
    /// Both together; the sum of the two where the upstream leaves it out.
    pub total_tokens: u64,
    /// Prompt tokens served from the vendor's cache (`prompt_tokens_details.cached_tokens`, `prompt_cache_hit_tokens`,
    /// `cached_tokens`).
    pub cached_tokens: Option<u64>,
    /// Prompt tokens that were not in the vendor's cache (`prompt_cache_miss_tokens`).
    pub cache_miss_tokens: Option<u64>,
    /// Tokens of the reasoning (`completion_tokens_details.reasoning_tokens`, or `reasoning_tokens` beside the others).
    pub reasoning_tokens: Option<u64>,
    /// The JSON as it came.
    pub raw: String,
}

object! {
    Wire {
        prompt_tokens: &'a str = "prompt_tokens",
        completion_tokens: &'a str = "completion_tokens",
        total_tokens: &'a str = "total_tokens",
        prompt_cache_hit_tokens: &'a str = "prompt_cache_hit_tokens",
        prompt_cache_miss_tokens: &'a str = "prompt_cache_miss_tokens",
        reasoning_tokens: &'a str = "reasoning_tokens",
        cached_tokens: &'a str = "cached_tokens",
        prompt_tokens_details: &'a str = "prompt_tokens_details",
        completion_tokens_details: &'a str = "completion_tokens_details",
    }
}

object! {
    Details {
        cached_tokens: &'a str = "cached_tokens",
        reasoning_tokens: &'a str = "reasoning_tokens",
    }
}

fn count(raw: Option<&str>) -> Option<u64> {
    number(raw?)
}

fn details(raw: Option<&str>) -> Details<'_> {
    raw.and_then(json::parse).unwrap_or_default()
}

impl Usage {
    /// Replaces the counts by those of a `usage` object; what is no such object, or has no count, changes
    /// nothing. Reuses `raw`'s memory, for
    /// upstreams that send the usage with every chunk.
    pub(super) fn update(slot: &mut Option<Usage>, text: &str) {
        if slot.as_ref().is_some_and(|usage| usage.raw == text) {
            return;
        }
        let Some(wire) = json::parse::<Wire<'_>>(text) else { return };
        if [wire.prompt_tokens, wire.completion_tokens, wire.total_tokens].into_iter().all(|raw| count(raw).is_none()) {
            return;
        }
        let mut raw = slot.take().map(|usage| usage.raw).unwrap_or_default();
        raw.clear();
        raw.push_str(text);
        let prompt_tokens = count(wire.prompt_tokens).unwrap_or(0);
        let completion_tokens = count(wire.completion_tokens).unwrap_or(0);
        let completion = details(wire.completion_tokens_details);
        *slot = Some(Usage {
            prompt_tokens,
            completion_tokens,
            total_tokens: count(wire.total_tokens).unwrap_or_else(|| prompt_tokens.saturating_add(completion_tokens)),
            cached_tokens: count(details(wire.prompt_tokens_details).cached_tokens)
                .or_else(|| count(wire.prompt_cache_hit_tokens))
                .or_else(|| count(wire.cached_tokens)),
            cache_miss_tokens: count(wire.prompt_cache_miss_tokens),
            reasoning_tokens: count(completion.reasoning_tokens).or_else(|| count(wire.reasoning_tokens)),
            raw,
        });
    }

    /// The tokens of two parts of one answer together. `raw` is written anew, with the counts that are known here.
    pub(crate) fn plus(mut self, other: &Usage) -> Usage {
        fn both(one: Option<u64>, other: Option<u64>) -> Option<u64> {
            match (one, other) {
                (Some(one), Some(other)) => Some(one.saturating_add(other)),
                (one, other) => one.or(other),
            }
        }
        self.prompt_tokens = self.prompt_tokens.saturating_add(other.prompt_tokens);
        self.completion_tokens = self.completion_tokens.saturating_add(other.completion_tokens);
        self.total_tokens = self.total_tokens.saturating_add(other.total_tokens);
        self.cached_tokens = both(self.cached_tokens, other.cached_tokens);
        self.cache_miss_tokens = both(self.cache_miss_tokens, other.cache_miss_tokens);
        self.reasoning_tokens = both(self.reasoning_tokens, other.reasoning_tokens);
        let mut raw = Object::new();
        let counts = [
            ("prompt_tokens", self.prompt_tokens),
            ("completion_tokens", self.completion_tokens),
            ("total_tokens", self.total_tokens),
        ];
        for (name, count) in counts {
            raw.number(name, count);
        }
        let details = [
            ("prompt_tokens_details", "cached_tokens", self.cached_tokens),
            ("completion_tokens_details", "reasoning_tokens", self.reasoning_tokens),
        ];
        for (name, field, count) in details {
            if let Some(count) = count {
                let mut object = Object::new();
                object.number(field, count);
                raw.raw(name, &object.finish());
            }
        }
        self.raw = raw.finish();
        self
    }
}

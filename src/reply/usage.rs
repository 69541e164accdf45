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
    Other {
        prompt_tokens: &'a str = "prompt_tokens",
        completion_tokens: &'a str = "completion_tokens",
        total_tokens: &'a str = "total_tokens",
        input_tokens: &'a str = "input_tokens",
        output_tokens: &'a str = "output_tokens",
        cache_read_input_tokens: &'a str = "cache_read_input_tokens",
        cache_creation_input_tokens: &'a str = "cache_creation_input_tokens",
        input_tokens_details: &'a str = "input_tokens_details",
        output_tokens_details: &'a str = "output_tokens_details",
        prompt_tokens_details: &'a str = "prompt_tokens_details",
        completion_tokens_details: &'a str = "completion_tokens_details",
        tokens: &'a str = "tokens",
        billed_units: &'a str = "billed_units",
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

    /// As [`Usage::update`], of whatever protocol: what is not said stays as it was. Messages says it in two parts, rerankers below `meta`
    /// or `tokens`.
    pub(super) fn merge(slot: &mut Option<Usage>, text: &str) {
        let Some(wire) = json::parse::<Other<'_>>(text) else { return };
        if let Some(inner) = wire.tokens.or(wire.billed_units).filter(|inner| inner.starts_with('{')) {
            return Usage::merge(slot, inner);
        }
        let cached = count(wire.cache_read_input_tokens);
        let prompt = count(wire.prompt_tokens).or_else(|| {
            // Anthropic counts apart what was read from its cache, and what was written to it.
            let beside =
                [cached, count(wire.cache_creation_input_tokens)].into_iter().flatten().fold(0, u64::saturating_add);
            count(wire.input_tokens).map(|input| input.saturating_add(beside))
        });
        let completion = count(wire.completion_tokens).or_else(|| count(wire.output_tokens));
        let total = count(wire.total_tokens);
        if prompt.is_none() && completion.is_none() && total.is_none() {
            return;
        }
        let mut usage = slot.take().unwrap_or_default();
        usage.prompt_tokens = prompt.or(total.filter(|_| completion.is_none())).unwrap_or(usage.prompt_tokens);
        usage.completion_tokens = completion.unwrap_or(usage.completion_tokens);
        usage.total_tokens = total.unwrap_or_else(|| usage.prompt_tokens.saturating_add(usage.completion_tokens));
        let input = details(wire.input_tokens_details.or(wire.prompt_tokens_details));
        let output = details(wire.output_tokens_details.or(wire.completion_tokens_details));
        usage.cached_tokens = cached.or_else(|| count(input.cached_tokens)).or(usage.cached_tokens);
        usage.reasoning_tokens = count(output.reasoning_tokens).or(usage.reasoning_tokens);
        usage.raw = text.to_owned();
        *slot = Some(usage);
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

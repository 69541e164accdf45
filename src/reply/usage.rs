//! What the answer cost, in tokens.

use super::chunk::number;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Token counts of one reply, as the upstream gave them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the prompt, cached ones included.
    pub prompt_tokens: u64,
    /// Tokens of the answer, reasoning included.
    pub completion_tokens: u64,
    /// Both together; the sum of the two where the upstream leaves it out.
    pub total_tokens: u64,
    /// Prompt tokens served from the vendor's cache (`prompt_tokens_details.cached_tokens`, `prompt_cache_hit_tokens`).
    pub cached_tokens: Option<u64>,
    /// Prompt tokens that were not in the vendor's cache (`prompt_cache_miss_tokens`).
    pub cache_miss_tokens: Option<u64>,
    /// Tokens of the reasoning (`completion_tokens_details.reasoning_tokens`, or `reasoning_tokens` beside the others).
    pub reasoning_tokens: Option<u64>,
    /// The JSON as it came.
    pub raw: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Wire<'a> {
    #[serde(borrow)]
    prompt_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    completion_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    total_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    prompt_cache_hit_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    prompt_cache_miss_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    prompt_tokens_details: Option<&'a RawValue>,
    #[serde(borrow)]
    completion_tokens_details: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Details<'a> {
    #[serde(borrow)]
    cached_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning_tokens: Option<&'a RawValue>,
}

fn count(raw: Option<&RawValue>) -> Option<u64> {
    number(raw?.get())
}

fn details(raw: Option<&RawValue>) -> Details<'_> {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
}

impl Usage {
    /// Replaces the counts by those of a `usage` object; what is no such object changes nothing. Reuses `raw`'s memory, for
    /// upstreams that send the usage with every chunk.
    pub(super) fn update(slot: &mut Option<Usage>, json: &str) {
        if slot.as_ref().is_some_and(|usage| usage.raw == json) {
            return;
        }
        let Ok(wire) = serde_json::from_str::<Wire<'_>>(json) else { return };
        let mut raw = slot.take().map(|usage| usage.raw).unwrap_or_default();
        raw.clear();
        raw.push_str(json);
        let prompt_tokens = count(wire.prompt_tokens).unwrap_or(0);
        let completion_tokens = count(wire.completion_tokens).unwrap_or(0);
        let completion = details(wire.completion_tokens_details);
        *slot = Some(Usage {
            prompt_tokens,
            completion_tokens,
            total_tokens: count(wire.total_tokens).unwrap_or_else(|| prompt_tokens.saturating_add(completion_tokens)),
            cached_tokens: count(details(wire.prompt_tokens_details).cached_tokens)
                .or_else(|| count(wire.prompt_cache_hit_tokens)),
            cache_miss_tokens: count(wire.prompt_cache_miss_tokens),
            reasoning_tokens: count(completion.reasoning_tokens).or_else(|| count(wire.reasoning_tokens)),
            raw,
        });
    }
}
